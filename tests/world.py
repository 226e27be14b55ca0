"""A world to test in: real repositories, worktrees and remotes, and the real command line.

    world = World(tmp_path)
    world.write_graph(GRAPH)
    world.commit()
    alpha = world.worktree("alpha")
    claimed = alpha.ralph("claim", "T-1")
    assert claimed.code == 0, claimed.err

The main worktree is `<tmp_path>/proj`, the others are `<tmp_path>/proj-NAME`, each on a
branch of its name. Nothing of the machine's user or its git configuration is seen: HOME,
identity, dates, locale and time zone are the world's own.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar, cast

import copies
import inprocess
import jsonschema_rs
import pytest
import ryaml
from jsonschema import Draft202012Validator
from warm import Warm

ROOT = Path(__file__).resolve().parent.parent
#: Other projects' files, beside this one; see `shared`.
DATA = ROOT.parent / "shared" / "data"
#: How long what other processes do is waited for, in seconds: on a loaded machine nothing is quick.
PATIENCE = 120.0
_CACHE = os.path.join(".git", "ralphgit", "cache")


class Result(NamedTuple):
    """What a program did. stdout and stderr are kept apart."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout of a command run with --json, which its schema allows."""
        _validate(self.out)
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def data(self) -> Any:
        """`json["data"]`."""
        return self.json["data"]

    @property
    def error(self) -> str:
        """The error's code in `json`, "" for a yes."""
        error = self.json["error"]
        return str(error["code"]) if error else ""


#: Where a path stands in a file of git's as it is.
_PLAIN = re.compile(r"[\w/.-]+", re.ASCII).fullmatch
#: What stays as it is as the message of a commit.
_LINE = re.compile(r"\S(?:.*\S)?", re.ASCII).fullmatch
_BASES = {"main": "heads/main", "origin/main": "remotes/origin/main"}
#: The folder of the world whose origin others copy.
_first: dict[object, Path] = {}


class Place:
    """A folder in which programs are run, with the world's environment."""

    world: World
    """Whose it is; of the world itself, the world."""

    def __init__(self, path: Path, environ: Mapping[str, str], world: World | None = None) -> None:
        self.path = path
        self.environ = dict(environ)
        if world is not None:
            self.world = world

    # -- programs --------------------------------------------------------------------

    def run(
        self, *argv: str, stdin: str | bytes = "", env: Mapping[str, str] | None = None
    ) -> Result:
        """Run a program here and wait for it."""
        done = subprocess.run(
            argv,
            cwd=self.path,
            env={**self.environ, **(env or {})},
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        return Result(
            done.returncode,
            done.stdout.decode("utf-8", "surrogateescape"),
            done.stderr.decode("utf-8", "surrogateescape"),
        )

    def ralph(
        self,
        *words: str,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        apart: bool = False,
    ) -> Result:
        """Run `ralphgit WORDS` here, in the test's own process.

        In a process of its own (`warm`) with `apart`, from a thread, and where others look for
        the process: see `inprocess`.
        """
        environ = {**self.environ, **(env or {})}
        if any(environ.get(name) != value for name, value in _AT_START.items()):
            return self.run(sys.executable, "-m", "ralphgit", *words, stdin=stdin, env=env)
        where, given = str(self.path), stdin.encode()
        if (
            apart
            or not _PROCESSES.isdisjoint(words)
            or threading.current_thread() is not threading.main_thread()
        ):
            found = _warm().run(words, cwd=where, env=environ, stdin=given, timeout=PATIENCE)
        else:
            found = inprocess.call(words, cwd=where, env=environ, stdin=given)
        code, out, err = found
        return Result(
            code, out.decode("utf-8", "surrogateescape"), err.decode("utf-8", "surrogateescape")
        )

    def only(self, *programs: str) -> dict[str, str]:
        """A PATH on which there are these programs and no other, as a variable to run with.

        What is installed beside them differs from machine to machine.
        """
        folder = self.path.parent / "only"
        folder.mkdir(exist_ok=True)
        for name in programs:
            found = shutil.which(name)
            assert found is not None, f"{name} is not installed"
            if not (folder / name).exists():
                (folder / name).symlink_to(found)
        return {"PATH": str(folder)}

    def git(self, *words: str, stdin: str = "") -> str:
        """stdout of `git WORDS`, which must succeed, without the last line end."""
        done = self.run("git", *words, stdin=stdin)
        assert done.code == 0, f"git {' '.join(words)}: {done.err}"
        return done.out.removesuffix("\n")

    # -- files -----------------------------------------------------------------------

    def write(self, name: str, text: str) -> Path:
        """Put `text` at `name`, folders included."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    def write_graph(self, text: str, name: str = "task-graph.yaml") -> Path:
        """Put a task graph into the working files; it is not committed."""
        return self.write(name, text)

    def read(self, name: str = "task-graph.yaml") -> str:
        """The text of a file, line ends as they are."""
        return (self.path / name).read_bytes().decode()

    def replace(self, old: str, new: str, name: str = "task-graph.yaml") -> None:
        """Edit a file as a person would: `old` stands in it just once."""
        text = self.read(name)
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    # -- records ---------------------------------------------------------------------

    def task(self, task: str) -> dict[str, Any]:
        """A task as `show` gives it."""
        found: dict[str, Any] = self.ralph("show", task, "--json").data["task"]
        return found

    def claim(self, task: str, *words: str, env: Mapping[str, str] | None = None) -> str:
        """Claim a task, which succeeds; the claim's id."""
        done = self.ralph("claim", task, *words, "--json", env=env)
        assert done.code == 0, done.out
        return str(done.data["task"]["claim"]["id"])

    def complete(self, *words: str, env: Mapping[str, str] | None = None) -> None:
        """Complete the task that is worked on, which succeeds."""
        done = self.ralph("complete", *words, env=env)
        assert done.code == 0, done.err

    def did(self, task: str, files: Mapping[str, str]) -> str:
        """Claim a task, write these files, complete it; the claim's id."""
        claim = self.claim(task)
        for name, text in files.items():
            self.write(name, text)
        self.complete(task)
        return claim

    def refused(
        self, *words: str, code: str, exit: int = 8, but: Sequence[str] = ()
    ) -> dict[str, Any]:
        """`ralphgit WORDS` is refused and leaves everything as it was; the error.

        Nothing are loose objects, which git takes away with time, and what has one of `but` in
        its name.
        """
        before = self.world.state(*but)
        done = self.ralph(*words, "--json")
        assert (done.code, done.error, done.data) == (exit, code, None), done.out
        assert self.world.state(*but) == before
        error: dict[str, Any] = done.json["error"]
        return error

    @property
    def leases(self) -> list[str]:
        """The tasks that have a lease, sorted."""
        return self.git("for-each-ref", "--format=%(refname:lstrip=3)", "refs/ralph/leases").split()

    def lease(self, task: str) -> dict[str, Any]:
        """What the lease of a task says."""
        found: dict[str, Any] = ryaml.loads(
            self.git("cat-file", "blob", f"refs/ralph/leases/{task}")
        )
        return found

    def audit(self, task: str, claim: str) -> list[dict[str, Any]]:
        """The events of an attempt."""
        events = ryaml.loads(self.read(f"records/audit/{task}/{claim}.yaml"))["events"]
        assert isinstance(events, list)
        return events

    # -- history ---------------------------------------------------------------------

    def commit(self, message: str = "Change") -> str:
        """Commit all there is; the commit's id."""
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.head

    @property
    def head(self) -> str:
        """The commit's id of HEAD; as most often git keeps it, without asking git."""
        own = self.path / ".git"
        if own.is_file():
            own = Path(own.read_text().removeprefix("gitdir: ").rstrip("\n"))
        try:
            common = own / (own / "commondir").read_text().strip()
        except FileNotFoundError:
            common = own
        try:
            name = (own / "HEAD").read_text().strip().removeprefix("ref: ")
            return (common / name).read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return self.git("rev-parse", "HEAD")

    def merge(self, branch: str) -> Result:
        """`git merge`, which may end in a conflict."""
        return self.run("git", "merge", "--no-edit", "--quiet", branch)


class World(Place):
    """A repository with its main worktree, on branch main; the centre of a test."""

    def __init__(self, folder: Path, *, name: str = "proj") -> None:
        home = folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        super().__init__(folder / name, environment(home), self)
        self.folder = folder
        self.path.mkdir()
        self._store = self.path / ".git"
        copies.made("empty", [self._store], lambda: self.git("init", "--quiet", "-b", "main"))

    def commit(self, message: str = "Change") -> str:
        """Commit all there is; the commit's id."""
        if not self._is_plain() or not _LINE(message):
            return super().commit(message)
        copies.first_commit(self.path, message, self.environ)
        return self.head

    def _is_plain(self) -> bool:
        """Whether a commit is the first one, and git does no more for it than it always does."""
        if copies.files(self._store) != copies.original("empty"):
            return False
        home = Path(self.environ["HOME"])
        names = {os.path.basename(name) for name, _, _ in copies.files(self.path, but=".git")}
        odd = names & {".git", ".gitattributes", ".gitignore", ".gitmodules"}
        return not (odd or copies.files(home, but=".local") or self.environ != environment(home))

    def worktree(self, name: str, *, at: str = "HEAD") -> Place:
        """A linked worktree beside this one, on a new branch of the same name."""
        path = self.folder / f"{self.path.name}-{name}"

        def make() -> None:
            self.git("worktree", "add", "--quiet", "--no-track", "-b", name, str(path), at)

        own = self._store / "worktrees" / path.name
        logs = self._store / "logs"
        branch = Path("refs", "heads", name)
        parts = [path, own, self._store / branch, logs / branch]
        special = ("config.worktree", "packed-refs", "info/sparse-checkout", "reftable")
        if (
            not self._is_head(at)
            or not logs.exists()
            or any(part.exists() for part in parts)
            or any((self._store / part).exists() for part in special)
        ):
            make()
            return Place(path, self.environ, self)
        hooks, info = (copies.files(self._store / folder) for folder in ("hooks", "info"))
        config = (self._store / "config").read_bytes().replace(os.fsencode(self.folder), b"")
        shape = (path.name, name, at, self._person(), config, hooks, info)
        key = (self.head, *shape)
        if copies.kept(key) is None and self._like(shape, parts):
            return Place(path, self.environ, self)
        if copies.made(key, parts, make):
            (path / ".git").write_text(f"gitdir: {os.path.realpath(own)}\n")
            (own / "gitdir").write_text(f"{os.path.realpath(path)}/.git\n")
            copies.know_files(own / "index", path)
        elif copies.kept(key):
            self._first_worktrees.setdefault(shape, (copies.kept(key), self.head))
        return Place(path, self.environ, self)

    def _is_head(self, at: str) -> bool:
        """Whether it is, or is a base at the same commit."""
        if at == "HEAD":
            return True
        ref = self._store / "refs" / _BASES.get(at, "")
        return ref.is_file() and ref.read_text().strip() == self.head

    #: The first worktree of each shape, where it is kept, and its commit.
    _first_worktrees: ClassVar[dict[object, tuple[Path | None, str]]] = {}

    def _like(self, shape: object, parts: Sequence[Path]) -> bool:
        """Make a worktree as git has made one of the same shape, at another commit.

        What git writes for it depends on the commit in its files alone, and in the names of it.
        """
        kept, head = self._first_worktrees.get(shape, (None, ""))
        path, own, *refs = parts
        index = copies.checked_out(self.path, path) if kept else None
        if kept is None or index is None:
            return False
        commits = (head.encode(), self.head.encode())
        copies.written(kept / "1", own, *commits)
        for number, ref in enumerate(refs, 2):
            copies.written(kept / str(number), ref, *commits)
        (path / ".git").write_text(f"gitdir: {os.path.realpath(own)}\n")
        (own / "gitdir").write_text(f"{os.path.realpath(path)}/.git\n")
        (own / "index").write_bytes(index)
        copies.know_files(own / "index", path)
        return True

    def state(self, *but: str) -> dict[str, bytes]:
        """The snapshot without loose objects and what has one of `but` in its name."""
        files = self.snapshot().items()
        return {n: data for n, data in files if not any(p in n for p in ("/objects/", *but))}

    def _person(self) -> object:
        """Who makes something here, when, and with which configuration of the user.

        What ralphgit keeps below `~/.local` names repositories by their paths; git reads no such.
        """
        home = Path(self.environ["HOME"])
        return tuple(sorted({**self.environ, "HOME": ""}.items())), copies.files(home, but=".local")

    @cached_property
    def origin(self) -> Place:
        """A bare repository that is this one's `origin`; made, and pushed to, on first use."""
        path, store = self.folder / "origin.git", self._store

        def make() -> None:
            self.git("init", "--quiet", "--bare", "--initial-branch=main", str(path))
            self.git("remote", "add", "origin", str(path))
            self.git("push", "--quiet", "origin", "main")
            self.git("fetch", "--quiet", "origin")
            self.git("remote", "set-head", "origin", "main")

        config, fetched, refs = store / "config", store / "FETCH_HEAD", Path("refs/remotes")
        parts = [path, config, fetched, store / refs, store / "logs" / refs]
        others = [part for part in parts if part != config]
        special = [store / name for name in ("packed-refs", "reftable", "shallow")]
        if any(part.exists() for part in (*others, *special)) or not _PLAIN(str(self.folder)):
            make()
            return Place(path, self.environ, self)
        head, hooks = (store / "HEAD").read_bytes(), copies.files(store / "hooks")
        key = ("origin", head, self.head, self._person(), config.read_bytes(), hooks)
        if copies.made(key, parts, make):
            for file in (config, fetched):
                text = file.read_text()
                file.write_text(text.replace(f"{_first[key]}/", f"{self.folder}/"))
        else:
            _first[key] = self.folder
        return Place(path, self.environ, self)

    def clone(self, name: str) -> Place:
        """Another machine's clone of `origin`."""
        path = self.folder / name
        self.git("clone", "--quiet", str(self.origin.path), str(path))
        return Place(path, self.environ, self)

    def snapshot(self) -> dict[str, bytes]:
        """Every file of the world but the caches: worktrees, `.git`, remotes and HOME.

        Two equal snapshots mean that what ran in between wrote nothing (law L8). A folder
        counts as a name that ends in `/`, a link as its target.
        """
        found: dict[str, bytes] = {}
        for parent, names, leaves in os.walk(self.folder):
            if parent.endswith(_CACHE):
                names.clear()
                continue
            where = os.path.relpath(parent, self.folder)
            if not where.endswith(os.path.dirname(_CACHE)):
                found[where + "/"] = b""
            for leaf in leaves:
                path = os.path.join(parent, leaf)
                name = os.path.join(where, leaf)
                if os.path.islink(path):
                    found[name] = os.fsencode(os.readlink(path))
                else:
                    found[name] = Path(path).read_bytes()
        return found


_grown: dict[object, Place] = {}
_P = TypeVar("_P", bound=Place)


def grown(make: Callable[[Path], _P]) -> _P:
    """What `make` makes below an empty folder: made once in this process, and put back as it was
    for each who asks.

    It is in the same place each time, as its path is in leases, in settings and in names of
    files: who asks takes it away from who has asked before. A world, or one of its worktrees.
    """
    if made := _grown.get(make):
        copies.again(made.world.folder.with_name("kept"), made.world.folder)
    else:
        top = copies.room() / f"grown-{len(_grown)}"
        made = _grown[make] = _as_it_is(make(top / "there"))
        copies.keep(made.world.folder, top / "kept")
    return cast(_P, _as_it_is(made))


def _as_it_is(place: Place) -> Place:
    """The same place with an environment of its own, and its world's."""
    world = copy.copy(place.world)
    world.world, world.environ = world, dict(place.world.environ)
    if "origin" in world.__dict__:
        world.__dict__["origin"] = Place(place.world.origin.path, world.environ, world)
    return world if place is place.world else Place(place.path, place.environ, world)


def shared(name: str) -> Path:
    """A file or folder of other projects' data, read where it is; it has to be there in CI."""
    path = DATA / name
    if not path.exists():
        reason = f"the real input data (shared/data/{name}) is not beside the project"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def installed(name: str, package: str) -> str:
    """Where a program is; it has to be there in CI, and else the test is skipped."""
    path = os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/sbin"))
    found = shutil.which(name, path=path)
    if found is None:
        reason = f"{name} is not installed ({package})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def environment(home: Path) -> dict[str, str]:
    """The variables that programs see: the world's own, and PATH."""
    who = {"NAME": "Ann Author", "EMAIL": "ann@example.com", "DATE": "2026-11-21T10:00:00Z"}
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_GLOBAL": str(ROOT / "tests" / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        # Without the sample hooks, which would be copied into each repository.
        "GIT_TEMPLATE_DIR": str(ROOT / "tests" / "template"),
        **{f"GIT_AUTHOR_{key}": value for key, value in who.items()},
        **{f"GIT_COMMITTER_{key}": value for key, value in who.items()},
        # The package under test, whether or not it is installed; its warnings are errors.
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
    }


#: What Python reads when it starts.
_AT_START = {
    "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error",
    "PYTHONUTF8": None, "PYTHONIOENCODING": None, "PYTHONHASHSEED": None, "PYTHONUNBUFFERED": None,
}  # fmt: skip


#: Commands that others find by their process, or that take over signals and threads.
_PROCESSES = frozenset({"run", "stop", "fleet", "board", "mcp", "logs"})


@lru_cache(maxsize=64)
def _validate(text: str) -> None:
    """Once for all that is asked of one answer."""
    schema, quick = _output()
    answer = json.loads(text)
    if not quick.is_valid(answer):
        Draft202012Validator(schema).validate(answer)  # in words that a person can read
        pytest.fail(f"two readers of the schema do not agree about {text}")


@cache
def _output() -> tuple[Any, jsonschema_rs.Draft202012Validator]:
    schema = json.loads((ROOT / "schemas" / "output.schema.json").read_text())
    return schema, jsonschema_rs.Draft202012Validator(schema)


_warming = threading.Lock()


def _warm() -> Warm:
    """The process that others are forked from; one, also where two threads ask for it at once."""
    with _warming:
        return _started()


@cache
def _started() -> Warm:
    started = {name: value for name, value in _AT_START.items() if value is not None}
    return Warm({"PATH": os.environ["PATH"], **started})


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is so that other processes bring about, and that none of them tells."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)  # nothing to wait on: files, refs and processes are looked at again
