"""The repository that commands meet a case in: put there, run, seen, and made good again.

A case is put into a copy in memory of what was there before, so the next finds it as it was.
What the process does besides is seen by an audit hook: a program that is started, a write outside,
a name that is looked up. It is stopped there, as some words name things that are not ours.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import inprocess
import pygit2
from world import Place, World

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: Grüße aus Köln
    status: pending
    story: S-1
    priority: 1
    acceptance:
      - id: ACC-1
        text: it greets
    verify:
      - test -s a.txt
    outputs: [a.txt]
    scope:
      write: [a.txt, "src/**"]
      read: [b.txt]
      resources: [db]
  - id: T-2
    title: Second
    status: pending
    depends_on: [T-1]
  - id: T-3
    title: Third
    status: pending
    acceptance: [it stands]
  - id: T-4
    title: Fourth
    status: pending
  - id: T-5
    title: Fifth
    status: pending
    mode: sequential
"""


class Seen(NamedTuple):
    """What a command did."""

    code: int
    out: bytes
    err: bytes
    wrote: tuple[str, ...]
    """The files that are not as they were, as names below the world's folder."""
    forbidden: tuple[str, ...]
    """What it tried that nothing may: see `_Guard`."""


class Forbidden(BaseException):
    """Stops a command at what it must not do."""


class _Guard:
    """Stops what leaves the arena, while `on`."""

    def __init__(self, folder: str) -> None:
        self._folders = tuple(
            os.path.realpath(one) + os.sep for one in (folder, tempfile.gettempdir())
        )
        self.on = False
        self.found: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, words: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in ("os.posix_spawn", "subprocess.Popen"):
            self._started(os.fsdecode(words[0]), [os.fsdecode(word) for word in words[1]])
        elif event in ("os.kill", "os.killpg"):
            if words[1] != 0 and not _is_child(words[0]):
                self._no(f"{event} {words}")
        elif event in ("os.system", "os.exec", "os.spawn", "pty.spawn", "webbrowser.open"):
            self._no(f"{event} {words[0]!r}")
        elif event in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
            self._no(f"{event} {words[-1]!r}")
        elif event == "open":
            if words[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self._inside(event, words[0])
        elif event in ("os.rename", "os.link", "os.symlink"):
            self._inside(event, words[1])
        elif event in ("os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod"):
            self._inside(event, words[0])

    def _started(self, program: str, argv: list[str]) -> None:
        if os.path.basename(program) != "git":
            self._no(f"started {argv[:4]}")
        elif "check-ref-format" not in argv and (
            _REMOTE.intersection(argv) or any("://" in word or "ext::" in word for word in argv)
        ):
            self._no(f"asked a remote: {argv}")

    def _inside(self, event: str, path: Any) -> None:
        if path is None or isinstance(path, int):
            return
        name = os.path.realpath(os.fsdecode(path))
        if f"{os.sep}__pycache__" in name:
            return  # Python keeps what it has compiled
        if not f"{name}{os.sep}".startswith((*self._folders, "/dev/null/", "/proc/none/")):
            self._no(f"{event} outside: {name}")

    def _no(self, what: str) -> None:
        self.found.append(what)
        raise Forbidden(what)


def _is_child(pid: int) -> bool:
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
    except (OSError, ValueError):
        return False
    return pid > 1 and int(fields[1]) == os.getpid()


_REMOTE = frozenset({"fetch", "push", "ls-remote", "clone", "pull", "submodule"})
#: What may change at any time: caches, and objects that nothing names.
_LOOSE = (f".git{os.sep}objects{os.sep}", f".git{os.sep}ralphgit{os.sep}cache")
_Files = dict[str, tuple[int, bytes]]
_Print = dict[str, tuple[int, int, int, int]]


class Arena:
    """A world with a task of every kind, a worktree that works, and records of all kinds."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.alpha = _played(self.world)
        self.top = str(self.world.path)
        self._folder = str(folder)
        for place in (self.world, self.alpha):  # what is cached on first use is there
            place.ralph("status")
        self._pristine = self._contents()
        self._print = self._fingerprint()
        self._environ = {**self.world.environ, "TMPDIR": str(folder / "tmp")}
        self._guard: _Guard | None = None

    def watch(self) -> None:
        """See what this process does; for ever, as an audit hook stays."""
        self._guard = _Guard(self._folder)

    def seed(self, name: str) -> bytes:
        """A file as it is here before any case."""
        return self._pristine[name][1]

    @property
    def names(self) -> list[str]:
        """Every file here before any case."""
        return [name for name, (mode, _) in self._pristine.items() if stat.S_ISREG(mode)]

    # -- one case --------------------------------------------------------------------

    def put(self, files: Mapping[str, bytes], refs: Mapping[str, bytes], *, based: bool) -> None:
        """Lay a case out: files below the world's folder, then refs with the content of a blob."""
        repository = pygit2.Repository(self.top)
        if based:
            self._commit(repository, files)
        for name, data in refs.items():
            oid = str(repository.create_blob(data))
            if name.startswith("refs/heads/"):
                oid = str(repository.head.target)
            path = os.path.join(self.top, ".git", name)
            with suppress(OSError):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w") as ref:
                    ref.write(oid + "\n")
        for name, data in files.items():
            path = os.path.join(self._folder, name)
            with suppress(OSError):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as file:
                    file.write(data)

    def _commit(self, repository: pygit2.Repository, files: Mapping[str, bytes]) -> None:
        """Have main's tip hold these files too; HEAD and the index follow."""
        index = repository.index
        inside = f"{os.path.basename(self.top)}{os.sep}"
        for name, data in files.items():
            short = name.removeprefix(inside)
            if name.startswith(inside) and not short.startswith((".git/", ".ralph/")):
                with suppress(pygit2.GitError, OSError, ValueError):
                    oid = repository.create_blob(data)
                    index.add(pygit2.IndexEntry(short, oid, pygit2.enums.FileMode.BLOB))
        tree = index.write_tree()
        index.write()
        who = pygit2.Signature("Ann", "ann@example.com", 1795255200, 0)
        parent = repository.head.target
        repository.create_commit("refs/heads/main", who, who, "Case", tree, [parent])

    def run(self, argv: tuple[str, ...], env: Mapping[str, str], stdin: bytes, where: str) -> Seen:
        """Run `ralphgit ARGV` on what was put here."""
        before = self._fingerprint()
        guard = self._guard
        assert guard is not None
        guard.found.clear()
        guard.on = True
        try:
            code, out, err = inprocess.call(
                argv,
                cwd=os.path.join(self._folder, where),
                env={**self._environ, **env},
                stdin=stdin,
            )
        except Forbidden:
            code, out, err = -1, b"", b""
        finally:
            guard.on = False
        after = self._fingerprint()
        wrote = tuple(sorted(name for name in before.keys() | after.keys()
                             if before.get(name) != after.get(name)))  # fmt: skip
        return Seen(code, out, err, wrote, tuple(guard.found))

    def restore(self) -> None:
        """Have everything as it was before the case."""
        now = self._fingerprint(everything=True)
        for name in sorted(now.keys() - self._pristine.keys(), reverse=True):
            path = os.path.join(self._folder, name)
            with suppress(OSError):
                if stat.S_ISDIR(now[name][0]):
                    os.rmdir(path)
                else:
                    os.unlink(path)
        for name in sorted(self._pristine):
            if now.get(name) != self._print.get(name):
                self._rewrite(name, *self._pristine[name])
                seen = os.lstat(os.path.join(self._folder, name))
                self._print[name] = _of(seen)

    def _rewrite(self, name: str, mode: int, data: bytes) -> None:
        path = os.path.join(self._folder, name)
        if stat.S_ISDIR(mode):
            if os.path.lexists(path) and not os.path.isdir(path):
                os.unlink(path)
            os.makedirs(path, exist_ok=True)
            return
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        elif os.path.lexists(path):
            os.unlink(path)
        if stat.S_ISLNK(mode):
            os.symlink(os.fsdecode(data), path)
            return
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, stat.S_IMODE(mode))

    # -- what is there ---------------------------------------------------------------

    def _fingerprint(self, *, everything: bool = False) -> _Print:
        found: _Print = {}
        start = len(self._folder) + 1
        stack = [self._folder]
        while stack:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    name = entry.path[start:]
                    if not everything and any(part in name for part in _LOOSE):
                        continue
                    found[name] = _of(entry.stat(follow_symlinks=False))
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(entry.path)
        return found

    def _contents(self) -> _Files:
        found: _Files = {}
        for name, (mode, *_) in self._fingerprint(everything=True).items():
            path = os.path.join(self._folder, name)
            data = b""
            if stat.S_ISLNK(mode):
                data = os.fsencode(os.readlink(path))
            elif stat.S_ISREG(mode):
                data = Path(path).read_bytes()
            found[name] = (mode, data)
        self._print = self._fingerprint(everything=True)
        return found


def _of(seen: os.stat_result) -> tuple[int, int, int, int]:
    if stat.S_ISDIR(seen.st_mode):
        return seen.st_mode, 0, 0, 0
    return seen.st_mode, seen.st_size, seen.st_mtime_ns, seen.st_ino


def _played(world: World) -> Place:
    """Tasks complete, blocked with a question, worked on and lost; the worktree that works."""
    (world.folder / "tmp").mkdir()
    world.write_graph(GRAPH)
    world.write("b.txt", "b\n")
    world.commit("The graph")
    done = world.ralph("trust", "--yes")
    assert done.code == 0, done
    world.did("T-3", {"c.txt": "c\n"})
    added = ("--shows", "it stands", "--proves", "ACC-1", "--kind", "observation")
    world.ralph("evidence", "add", "T-3", *added)
    world.ralph("audit", "add", "T-3", "--verdict", "clear", "--by", "beta")
    world.commit("Observed")
    world.claim("T-5")
    assert world.ralph("block", "T-5", "--reason", "needs_context", "--question", "Why?").code == 0
    if world.git("status", "--porcelain"):
        world.commit("Blocked")
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write("a.txt", "a\n")
    for path in sorted(
        (world.folder / "home").rglob("*"), reverse=True
    ):  # nothing is trusted any more
        path.unlink() if path.is_file() else path.rmdir()
    return alpha
