"""Staging and committing, with whatever the user has staged left in place."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.errors import NotWritable
from ralphgit.git.child_process import Child, ProcessResult
from ralphgit.git.objects import objects_elsewhere
from ralphgit.git.repository import UNMERGED, Repository, staged
from ralphgit.git.run_git import Git, failure

#: Between the index's name and a process's: the old index, while that process changes it.
KEPT = ".ralph-"


def add(git: Git, paths: Sequence[str]) -> None:
    """Stage `paths` as they are in the worktree, also ones that are ignored or gone.

    Raises: GitError, NotWritable; the index is then as before.
    """
    if paths:
        arguments = ("--add", "--remove", "--replace", "-z", "--stdin")
        git.run("update-index", *arguments, stdin=_nul(paths))


def _nul(paths: Iterable[str]) -> bytes:
    return "\0".join(paths).encode("utf-8", "surrogateescape")


class Paths:
    """Paths that git lists: asked for now, and read when they are needed."""

    def __init__(self, git: Git, child: Child, *arguments: str, stages: bool = False) -> None:
        """`child` runs `git` with `arguments`; with `stages` what it lists has stages, too."""
        self._git = git
        self._child = child
        self._arguments = arguments
        self._stages = stages

    def read(self) -> list[str]:
        """The paths, each once. To be called once. Raises: GitError."""
        result = self._child.finish()
        if result.status < 0:  # somebody has killed it
            result = self._git.try_run(*self._arguments)
        if result.status:
            raise failure(self._arguments, result)
        if self._stages:
            return list(dict.fromkeys(entry.path for entry in staged(result.out)))
        paths = result.out.decode("utf-8", "surrogateescape").split("\0")[:-1]
        return list(dict.fromkeys(paths))


def unmerged(repository: Repository) -> Paths:
    """Paths with a conflict that waits to be resolved."""
    return Paths(repository.git, repository.begun("unmerged"), *UNMERGED, stages=True)


def changed(git: Git, paths: Sequence[str]) -> Paths:
    """Which of `paths` differ between worktree and index."""
    arguments = ("--literal-pathspecs", "diff-files", "--name-only", "-z", "--", *paths)
    return Paths(git, git.start(*arguments), *arguments)


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


class Snapshot:
    """The index as it is now, to put back if what follows fails.

    git replaces the index file and never writes into it, so a second link keeps the old
    content, and putting it back needs no space. Used as a context, which lets the link go.
    """

    def __init__(self, repository: Repository) -> None:
        self._path = os.path.join(repository.git_dir, "index")
        self._kept = f"{self._path}{KEPT}{os.getpid()}"

    def __enter__(self) -> "Snapshot":
        try:
            _forget(self._kept)  # of a killed process that had our number
            os.link(self._path, self._kept)
        except FileNotFoundError:
            self._kept = ""
        except OSError as error:
            raise NotWritable(
                f"cannot write to {os.path.dirname(self._path)}: {error.strerror}"
            ) from error
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._kept:
            _forget(self._kept)

    def restore(self) -> None:
        """Put it back under git's own lock; a lock that another process holds is respected.

        Raises: OSError.
        """
        lock = f"{self._path}.lock"
        if self._kept:
            if os.path.exists(self._path) and os.path.samefile(self._kept, self._path):
                return  # untouched; and a rename onto its own second link would do nothing
            os.link(self._kept, lock)
            os.replace(lock, self._path)
        elif os.path.exists(self._path):
            os.unlink(self._path)


_ADD_ALL = ("add", "-A", "--sparse", "--")
_EMBEDDED = b"adding embedded git repository"
#: How git says that a file or folder may not be read; what it refuses; what follows from that.
_UNREADABLE = (
    rb"(?m)^(?:error: open\(.*\)|warning: could not open directory '.*'): Permission denied$"
)
_COMPLAINT = rb"(?m)^(?:error|fatal): .*$"
_NOT_ALL = rb"error: unable to index file .*|fatal: adding files failed"


def repositories(git: Git) -> list[str]:
    """Folders of the worktree that are repositories of their own, and nothing tracked."""
    out = git.run("ls-files", "--others", "--exclude-standard", "-z", "--", ":/")
    names = out.decode("utf-8", "surrogateescape").split("\0")
    return [name.rstrip("/") for name in names if name.endswith("/")]


def submodules(git: Git) -> set[str]:
    """The paths that the worktree's `.gitmodules` names."""
    file = os.path.join(git.directory, ".gitmodules")
    arguments = ("config", "--file", file, "-z", "--get-regexp", r"^submodule\..*\.path$")
    entries = git.try_run(*arguments).out.decode("utf-8", "surrogateescape").split("\0")
    return {entry.partition("\n")[2].strip("/") for entry in entries[:-1]}


class Scratch:
    """A copy of the index to build trees with; the user's index is not touched."""

    def __init__(
        self,
        repository: Repository,
        folder: str,
        *,
        like: "Scratch | None" = None,
        keep: bool = True,
    ) -> None:
        """`keep`: what is staged goes into the repository's object store. If not, it is there
        for as long as `folder` is, and through `git` alone.
        """
        git = repository.git
        self.git = git if keep else git.using(objects_elsewhere(repository.common_dir, folder))
        self._path = os.path.join(folder, "index")
        self.env = {"GIT_INDEX_FILE": self._path}
        self.nested: list[str] = []
        self.unread = ""
        source = like._path if like else os.path.join(repository.git_dir, "index")
        try:
            with open(source, "rb") as old, open(self._path, "wb") as new:
                new.write(old.read())
                age = os.fstat(old.fileno())
        except FileNotFoundError:
            return
        # A file that changed within the second in which the index was written is known to git by
        # the index's own time alone (Documentation/technical/racy-git).
        os.utime(self._path, ns=(age.st_atime_ns, age.st_mtime_ns))

    def add_all(self, *, lenient: bool = False) -> list[str]:
        """Stage everything in the worktree that is not ignored, inside a sparse checkout or not.

        Returns the folders of repositories within it that are no submodules: of these nothing
        is staged (git would stage a bare link to a commit, or refuse one without commits).
        `lenient`: files that may not be read are left out; `unread` is git's word for them.

        Raises: GitError, NotWritable.
        """
        result = self.git.try_run(*_ADD_ALL, ":/", env=self.env)
        nested = self.nested = []
        if result.status or _EMBEDDED in result.err:
            nested = self.nested = repositories(self.git)
            self.remove(nested)
            result = self._add_but(nested)
        if result.status and lenient and re.search(_UNREADABLE, result.err):
            result = self._add_but(nested, "--ignore-errors")
            # Nothing else may be passed over: a full disk, say.
            complaints = re.findall(_COMPLAINT, re.sub(_UNREADABLE, b"", result.err))
            if not all(re.fullmatch(_NOT_ALL, line) for line in complaints):
                raise failure(_ADD_ALL, result)
        elif result.status:
            raise failure(_ADD_ALL, result)
        self.unread = b"; ".join(re.findall(_UNREADABLE, result.err)).decode("utf-8", "replace")
        return nested

    def _add_but(self, folders: Sequence[str], *options: str) -> ProcessResult:
        specs = _nul([":/", *(f":(top,exclude,literal){folder}" for folder in folders)])
        source = ("--pathspec-from-file=-", "--pathspec-file-nul")
        return self.git.try_run(*_ADD_ALL[:-1], *options, *source, stdin=specs, env=self.env)

    def add_files(self, paths: Sequence[str]) -> None:
        """Stage files as they are, also ignored ones and ones of a repository within; a file
        that is gone is taken out.
        """
        if paths:
            arguments = ("--add", "--remove", "--replace", "-z", "--stdin")
            self.git.run("update-index", *arguments, stdin=_nul(paths), env=self.env)

    def ignored(self, paths: Sequence[str]) -> set[str]:
        """Which of `paths` git ignores, those of a repository within as if they were ours."""
        arguments = ("check-ignore", "-z", "--stdin")
        result = self.git.try_run(*arguments, stdin=_nul(paths), env=self.env)
        if result.status > 1:
            raise failure(arguments, result)
        return set(result.out.decode("utf-8", "surrogateescape").split("\0")[:-1])

    def new_links(self, treeish: str) -> list[str]:
        """Where it has a submodule, or another bare link to a commit, and `treeish` has not."""
        arguments = ("diff-index", "--cached", "--raw", "-z", "--no-renames", treeish)
        fields = self.git.run(*arguments, env=self.env).decode("utf-8", "surrogateescape")
        pairs = fields.split("\0")
        return [
            path for meta, path in zip(pairs[::2], pairs[1::2], strict=False)
            if meta.split()[1] == "160000" and meta.split()[0] != ":160000"
        ]  # fmt: skip

    def paths(self) -> set[str]:
        """All that is in it."""
        out = self.git.run("ls-files", "--cached", "-z", "--", ":/", env=self.env)
        return set(out.decode("utf-8", "surrogateescape").split("\0")[:-1])

    def read_tree(self, treeish: str) -> None:
        """Replace the content by a tree."""
        self.git.run("read-tree", treeish, env=self.env)

    def add(self, paths: Sequence[str]) -> None:
        """Stage `paths`, not ones that are ignored."""
        if paths:
            self.git.run(
                "--literal-pathspecs", "add", "-A",
                "--pathspec-from-file=-", "--pathspec-file-nul", stdin=_nul(paths), env=self.env,
            )  # fmt: skip

    def remove(self, paths: Sequence[str]) -> None:
        """Take `paths` out, whatever is in the worktree."""
        if paths:
            arguments = ("--force-remove", "-z", "--stdin")
            self.git.run("update-index", *arguments, stdin=_nul(paths), env=self.env)

    def put(self, path: str, oid: str, mode: str = "100644") -> None:
        """Set one entry to a blob that is already stored."""
        self.git.run("update-index", "--add", "--cacheinfo", f"{mode},{oid},{path}", env=self.env)

    def commit(self, message: str) -> None:
        """Commit the content on HEAD, with the user's hooks, identity and signing.

        The user's own index is not touched: stage there what was committed.
        """
        commit(self.git, message, env=self.env)

    def tree(self) -> str:
        """Write the content as a tree and give its id."""
        return self.git.line("write-tree", env=self.env)


def commit(git: Git, message: str, *, env: Mapping[str, str] | None = None) -> None:
    """Commit the index, with the user's hooks, identity and signing; flushed to disk.

    A git that was killed after its commit had landed has committed all the same.

    Raises: GitError when a hook or git refuses; nothing is committed then.
    """
    arguments = (
        "-c", "core.fsync=committed", "commit", "--quiet", "--cleanup=verbatim",
        "--file=-", "--allow-empty",
    )  # fmt: skip
    result = git.try_run(*arguments, stdin=message.encode(), env=env)
    if result.status and not (result.status < 0 and _is_in(git, message, env)):
        raise failure(arguments, result)


def _is_in(git: Git, message: str, env: Mapping[str, str] | None) -> bool:
    """Whether HEAD is a commit of the index with this message."""
    head = git.try_run("show", "--no-patch", "--format=%T%n%B", "HEAD")
    tree = git.try_run("write-tree", env=env)
    told, _, said = head.out.decode("utf-8", "replace").partition("\n")
    same = told == tree.out.decode().strip() and said.strip() == message.strip()
    return not head.status and not tree.status and same


def differing(git: Git, old: str, new: str, *, filter: str = "") -> list[str]:
    """Paths that differ between two trees or commits; a rename is two paths.

    `filter` is git's `--diff-filter`: "A" gives only what is new.
    """
    arguments = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-commit-id"]
    if filter:
        arguments.append(f"--diff-filter={filter}")
    out = git.run(*arguments, old, new)
    return [path for path in out.decode("utf-8", "surrogateescape").split("\0") if path]


class PathChange(NamedTuple):
    """One path between two trees; mode and id are "" on a side that does not have it."""

    path: str
    old_mode: str
    old: str
    new_mode: str
    new: str


def changes(git: Git, old: str, new: str) -> list[PathChange]:
    """What differs between two trees or commits; a rename is two paths."""
    arguments = ("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-commit-id")
    fields = git.run(*arguments, old, new).decode("utf-8", "surrogateescape").split("\0")
    found = []
    for meta, path in zip(fields[::2], fields[1::2], strict=False):
        sides = meta.removeprefix(":").split()[:4]
        modes = ["" if not mode.strip("0") else mode for mode in sides[:2]]
        oids = ["" if not oid.strip("0") else oid for oid in sides[2:]]
        found.append(PathChange(path, modes[0], oids[0], modes[1], oids[1]))
    return found


def entries(git: Git, paths: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Mode and id of those of `paths` that are in the index; both "" for one with a conflict."""
    if not paths:
        return {}
    out = git.run("--literal-pathspecs", "ls-files", "--stage", "-z", "--", *paths)
    found = {}
    for mode, oid, stage, path in staged(out):
        found[path] = (mode, oid) if stage == "0" else ("", "")
    return found


def put_back(git: Git, old: Sequence[PathChange]) -> None:
    """Bring index and worktree back to the old side; what that does not have leaves the index."""
    lines = []
    for one in old:
        mode, oid = (one.old_mode, one.old) if one.old else ("0", "0" * len(one.new))
        lines.append(f"{mode} {oid}\t{one.path}")
    git.run("update-index", "-z", "--index-info", stdin=_nul([*lines, ""]))
    check_out(git, [one.path for one in old if one.old])


def check_out(git: Git, paths: Sequence[str]) -> None:
    """Write `paths` into the worktree as the index has them, over what is there."""
    if paths:
        git.run("checkout-index", "--force", "--index", "-z", "--stdin", stdin=_nul([*paths, ""]))


def staged_against(git: Git, tree: str) -> list[str]:
    """Paths whose index entry differs from `tree`."""
    out = git.run("diff-index", "--cached", "-z", "--name-only", "--no-renames", tree)
    return [path for path in out.decode("utf-8", "surrogateescape").split("\0") if path]


def stage(git: Git, tree: str, *, but: str = "") -> None:
    """Make the index what `tree` is, except for the path `but`; files are not looked at.

    Raises: GitError, NotWritable; the index is then as before.
    """
    out = git.run("diff-index", "--cached", "-z", "--raw", "--no-renames", "--no-abbrev", tree)
    fields = out.split(b"\0")
    entries = b""
    for meta, path in zip(fields[:-1:2], fields[1::2], strict=True):
        mode, _, oid, _, status = meta.removeprefix(b":").split(b" ")
        if path.decode("utf-8", "surrogateescape") == but:
            continue
        entries += b"%b %b\t%b\0" % (b"0" if status == b"A" else mode, oid, path)
    if entries:
        git.run("update-index", "-z", "--index-info", stdin=entries)


def tracked(git: Git, paths: Sequence[str]) -> list[str]:
    """Which of `paths` are in the index."""
    if not paths:
        return []
    out = git.run("--literal-pathspecs", "ls-files", "--cached", "-z", "--", *paths)
    return [path for path in out.decode("utf-8", "surrogateescape").split("\0") if path]


def files_of(git: Git, treeish: str) -> list[str]:
    """Every path in a tree."""
    out = git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", treeish)
    return out.decode("utf-8", "surrogateescape").split("\0")[:-1]


def untracked(git: Git, folders: Sequence[str]) -> list[str]:
    """Files below `folders` that git neither tracks nor ignores."""
    arguments = ("ls-files", "--others", "--exclude-standard", "-z")
    out = git.run("--literal-pathspecs", *arguments, "--", *folders)
    return [path for path in out.decode("utf-8", "surrogateescape").split("\0") if path]
