"""Stage and commit in the user's index, and leave whatever else is staged in place."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ralphgit.errors import NotWritable
from ralphgit.git.child_process import Child
from ralphgit.git.repository import UNMERGED, Repository
from ralphgit.git.run_git import Git, GitHung, failure, names

if TYPE_CHECKING:
    from ralphgit.git.trees import PathChange

#: Between the index's name and a process's: the old index, while that process changes it.
KEPT = ".ralph-"
#: Before every file but those of time 0, for git takes an index of time 0 for one without a
#: time (racy-git): git then reads each. `index_entries` is for the others.
LONG_AGO = (1_000_000_000, 1_000_000_000)


class Staged(NamedTuple):
    """An entry of the index."""

    mode: str
    oid: str
    stage: str
    """"0"; of a path with a conflict "1" the ancestor's, "2" ours, "3" theirs."""
    path: str


def staged(listed: bytes) -> Iterator[Staged]:
    """Parse the entries that `ls-files -z` lists with `--stage` or `-u`."""
    for entry in names(listed):
        meta, _, path = entry.partition("\t")
        mode, oid, stage = meta.split()
        yield Staged(mode, oid, stage, path)


def add(git: Git, paths: Sequence[str]) -> None:
    """Stage `paths` as they are in the worktree, also ones that are ignored or gone.

    Raises: GitError, NotWritable; the index is then as before.
    """
    if paths:
        arguments = ("--add", "--remove", "--replace", "-z", "--stdin")
        git.run("update-index", *arguments, stdin=nul(paths))


def watch(git: Git, paths: Sequence[str]) -> None:
    """Have git look at `paths` again, which it was told to pass over. Raises: GitError."""
    for option in ("--no-assume-unchanged", "--no-skip-worktree"):
        if paths:
            git.run("update-index", option, "-z", "--stdin", stdin=nul([*paths, ""]))


def forget(git: Git, paths: Sequence[str]) -> None:
    """Stage that `paths` are gone, whether or not they still are in the worktree.

    Raises: GitError, NotWritable; the index is then as before.
    """
    if paths:
        git.run("update-index", "--force-remove", "-z", "--stdin", stdin=nul(paths))


def nul(paths: Iterable[str]) -> bytes:
    """Encode paths as git reads them with `-z`."""
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
        """Return the paths, each once. To be called once. Raises: GitError."""
        result = self._child.finish()
        if result.status < 0:  # it was killed
            result = self._git.try_run(*self._arguments)
        if result.status:
            raise failure(self._arguments, result)
        if self._stages:
            return list(dict.fromkeys(entry.path for entry in staged(result.out)))
        return list(dict.fromkeys(names(result.out)))


def unmerged(repository: Repository) -> Paths:
    """Begin to list the paths with an unresolved conflict."""
    return Paths(repository.git, repository.begun("unmerged"), *UNMERGED, stages=True)


def changed(git: Git, paths: Sequence[str]) -> Paths:
    """Begin to list which of `paths` differ between worktree and index, by their content.

    `diff-files` takes a file for changed that was touched, or that came with a copied repository.
    """
    arguments = ("--literal-pathspecs", "ls-files", "--modified", "-z", "--", *paths)
    return Paths(git, git.start(*arguments), *arguments)


def read_again(git: Git, paths: Sequence[str] = ()) -> list[str]:
    """List the files, or which of `paths`, that are otherwise in the worktree than in the index."""
    git.try_run("update-index", "-q", "--really-refresh")
    listing = ("diff-files", "--ignore-submodules=untracked", "--name-only", "-z")
    return git.names("--literal-pathspecs", *listing, "--", *paths)


def put(repository: Repository, data: bytes | None, written: tuple[int, int]) -> None:
    """Make `data` the index, None for none, whatever is there now, as it was `written`.

    Raises: NotWritable.
    """
    path = os.path.join(repository.git_dir, "index")
    try:
        _forget(path)
        if data is not None:
            with open(path, "xb") as file:
                file.write(data)
            os.utime(path, ns=written)
    except OSError as error:
        raise NotWritable(f"cannot write {path}: {error.strerror}") from error


def differs(repository: Repository, path: str, oid: str) -> bool:
    """Whether a file with this content differs from what the index has of it."""
    if repository.staged_ids([path]) == [oid]:
        return False
    # Filters may be what makes the difference.
    return bool(changed(repository.git, [path]).read())


def staged_changes(git: Git, tree: str) -> "list[PathChange] | None":
    """List where the index differs from `tree`; None while a conflict is unresolved."""
    from ralphgit.git.trees import PathChange

    fields = git.names("diff-index", "--cached", "-z", "--raw", "--no-renames", "--no-abbrev", tree)
    found = []
    for meta, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, new_mode, old, new, status = meta.removeprefix(":").split()
        if status == "U":
            return None
        was = (old_mode, old) if status != "A" else ("", "")
        now = (new_mode, new) if status != "D" else ("", "")
        found.append(PathChange(path, *was, *now))
    return found


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
            with suppress(OSError):  # what was to be done is done; `doctor` finds what is left
                os.unlink(self._kept)

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


def commit(git: Git, message: str) -> None:
    """Commit the index, with the user's hooks, identity and signing; flushed to disk.

    A git that was killed after its commit had landed has committed all the same.

    Raises: GitError when a hook or git refuses, GitHung; nothing is committed then.
    """
    arguments = (
        "-c", "core.fsync=committed", "commit", "--quiet", "--cleanup=verbatim",
        "--file=-", "--allow-empty",
    )  # fmt: skip
    try:
        result = git.try_run(*arguments, stdin=message.encode())
    except GitHung:
        if _is_in(git, message):  # the post-commit hook hung
            return
        raise
    if result.status and not (result.status < 0 and _is_in(git, message)):
        raise failure(arguments, result)


def _is_in(git: Git, message: str) -> bool:
    """Whether HEAD is a commit of the index with this message."""
    head = git.try_run("show", "--no-patch", "--format=%T%n%B", "HEAD")
    tree = git.try_run("write-tree")
    told, _, said = head.out.decode("utf-8", "replace").partition("\n")
    same = told == tree.out.decode().strip() and said.strip() == message.strip()
    return not head.status and not tree.status and same


def entries(git: Git, paths: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return mode and id of those of `paths` that are in the index; both "" for a conflict."""
    if not paths:
        return {}
    out = git.run("--literal-pathspecs", "ls-files", "--stage", "-z", "--", *paths)
    return {
        path: (mode, oid) if stage == "0" else ("", "") for mode, oid, stage, path in staged(out)
    }


def put_back(git: Git, old: "Sequence[PathChange]") -> None:
    """Restore the old side in index and worktree; what that does not have leaves the index."""
    lines = []
    for one in old:
        mode, oid = (one.old_mode, one.old) if one.old else ("0", "0" * len(one.new))
        lines.append(f"{mode} {oid}\t{one.path}")
    git.run("update-index", "-z", "--index-info", stdin=nul([*lines, ""]))
    check_out(git, [one.path for one in old if one.old])


def check_out(git: Git, paths: Sequence[str]) -> None:
    """Write `paths` into the worktree as the index has them, over what is there."""
    if paths:
        git.run("checkout-index", "--force", "--index", "-z", "--stdin", stdin=nul([*paths, ""]))


def staged_against(git: Git, tree: str) -> list[str]:
    """List the paths whose index entry differs from `tree`."""
    return git.names("diff-index", "--cached", "-z", "--name-only", "--no-renames", tree)


class Dirty(NamedTuple):
    """The files that are not as HEAD has them."""

    changed: list[str]
    """What is staged comes first."""
    new: list[str]
    """Neither tracked nor ignored; a repository ends with a slash."""


def dirty(git: Git) -> Dirty:
    """Ask git what is not as HEAD has it; what is changed in a submodule is its own."""
    listed = git.names(
        "status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames",
        "--ignore-submodules=dirty",
    )  # fmt: skip
    staged, unstaged, new = list[str](), list[str](), list[str]()
    for line in listed:
        kind, _, rest = line.partition(" ")
        if kind == "?":
            new.append(rest)
        else:
            (unstaged if rest[0] == "." else staged).append(rest.split(" ", _FIELDS[kind])[-1])
    return Dirty([*staged, *unstaged], new)


#: What `git status --porcelain=v2` says of a path before it: of one that has changed, and of one
#: with a conflict.
_FIELDS = {"1": 7, "u": 9}


def stage(git: Git, tree: str, paths: Sequence[str]) -> None:
    """Make the index what `tree` is, except for `paths`: those as they are in the worktree.

    Raises: GitError, NotWritable; the index is then as before.
    """
    out = git.run("diff-index", "--cached", "-z", "--raw", "--no-renames", "--no-abbrev", tree)
    fields = out.split(b"\0")
    entries = b""
    own = {path.encode("utf-8", "surrogateescape") for path in paths}
    for meta, path in zip(fields[:-1:2], fields[1::2], strict=True):
        mode, _, oid, _, status = meta.removeprefix(b":").split(b" ")
        if path not in own:
            entries += b"%b %b\t%b\0" % (b"0" if status == b"A" else mode, oid, path)
    # git takes one after the other, and writes the index once.
    options = ("-z", "--add", "--remove", "--replace")
    git.run("update-index", *options, *paths, "--index-info", stdin=entries)


def unwatched(repository: Repository) -> list[str]:
    """List the files that git was told not to look at, so that it does not see what they are now,
    or that they are gone.

    One that is not there is so rightly where it is outside of a sparse checkout.
    """
    git, top = repository.git, repository.top or ""
    listed = git.names("ls-files", "-v", "-z", "--", ":/")
    found = [entry[2:] for entry in listed if entry[0] == _SKIPPED or entry[0].islower()]
    gone = [path for path in found if not os.path.lexists(os.path.join(top, path))]
    if not gone or repository.config.get("core.sparsecheckout", "").lower() != "true":
        return found
    patterns = os.path.join(repository.git_dir, "info", "sparse-checkout")
    told = ("--cached", "--ignored", f"--exclude-from={patterns}", "-z", "--", ":/")
    outside = {*gone} - {*git.names("ls-files", *told)}
    return [path for path in found if path not in outside]


#: How `ls-files -v` marks what has skip-worktree; a small letter is one that is assumed unchanged.
_SKIPPED = "S"


def tracked(git: Git, paths: Sequence[str]) -> list[str]:
    """List which of `paths` are in the index."""
    if not paths:
        return []
    return git.names("--literal-pathspecs", "ls-files", "--cached", "-z", "--", *paths)


def untracked(git: Git, folders: Sequence[str]) -> list[str]:
    """List the files below `folders` that git neither tracks nor ignores."""
    arguments = ("ls-files", "--others", "--exclude-standard", "-z")
    return git.names("--literal-pathspecs", *arguments, "--", *folders)
