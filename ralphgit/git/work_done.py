"""Count what a worktree has beyond a commit: files, lines added and lines removed."""

import os
import stat
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ralphgit.git.child_process import Child, TimedOut
from ralphgit.git.run_git import Git, names

#: Of new files, how many are read to count their lines, and how much of each.
_MOST_FILES, _MOST_BYTES = 1000, 4 * 1024 * 1024
#: How many seconds git may take at most: where a .gitignore is a pipe, it waits for ever.
_PATIENCE = 10.0


class Counted(NamedTuple):
    """What a worktree has beyond a commit."""

    paths: tuple[str, ...]
    insertions: int
    deletions: int


class Asked(NamedTuple):
    """git looks into a worktree, while we do other things."""

    top: str
    tracked: Child
    new: Child


def begin(there: Git, start: str, base: str, but: Sequence[str]) -> Asked:
    """Have git compare the working tree that it is in with the commit `start`; where that is "",
    with the commit that HEAD and `base` have in common.

    Changes of the paths `but`, and below them, are not looked at. No program of the repository's
    settings is run to show a difference, and nothing is written.
    """
    since = (start,) if start else ("--merge-base", base)
    left_out = [f":(exclude,literal,top){path}" for path in but]
    tracked = there.start(
        # Else it writes an index in which only times have changed.
        "-c", "diff.autoRefreshIndex=false",
        "diff", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv",
        "--ignore-submodules=dirty", *since, "--", ":/", *left_out,
    )  # fmt: skip
    new = there.start("ls-files", "--others", "--exclude-standard", "-z", "--", ":/", *left_out)
    return Asked(there.directory, tracked, new)


def finish(asked: Asked, counts: Callable[[str], bool]) -> Counted | None:
    """Return the answer, of the paths that count; None if git cannot say (the commit is gone)
    or does not answer in time.

    Binary files and what is too much to read count as files alone.
    """
    try:
        tracked, new = (each.finish(timeout=_PATIENCE) for each in (asked.tracked, asked.new))
    except TimedOut:
        return None
    if tracked.status or new.status:
        return None
    paths, insertions, deletions = [], 0, 0
    for line in names(tracked.out):
        added, removed, path = line.split("\t", 2)
        if not counts(path):
            continue
        paths.append(path)
        if added != "-":
            insertions, deletions = insertions + int(added), deletions + int(removed)
    found = [path for path in names(new.out) if counts(path)]
    insertions += sum(_lines(os.path.join(asked.top, path)) for path in found[:_MOST_FILES])
    return Counted((*paths, *found), insertions, deletions)


def snapshot(git: Git, top: str) -> tuple[object, ...] | None:
    """Return what tells one state of the worktree at `top` from another: HEAD, and which files
    differ from it, as they are on disk; None if git does not say in time.

    Ignored files are not looked at, and nothing is written. git gets no longer for it than for
    what it does with hooks.
    """
    patience = min(_PATIENCE, git.patience.seconds)
    try:
        found = git.at(top).start(
            "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames",
            "--ignore-submodules=dirty",
        ).finish(timeout=patience)  # fmt: skip
    except (TimedOut, OSError):
        return None
    if found.status:
        return None
    state: list[object] = []
    for line in names(found.out):
        if line.startswith(("# branch.upstream", "# branch.ab")):
            continue  # a fetch moves them
        path = line[2:] if line.startswith("? ") else line.split(" ", 8)[-1]
        state.append((line, None if line.startswith("#") else _as_it_is(os.path.join(top, path))))
    return tuple(state)


def _as_it_is(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_mode


def _lines(path: str) -> int:
    """How many lines git would say a new file has."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return 1
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
            return 0
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES)
    except OSError:
        return 0
    if b"\0" in data[:8000]:
        return 0
    return data.count(b"\n") + (data[-1:] not in (b"", b"\n"))
