"""Follow a repository: look at files often, and ask git when one of them has changed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app.workspace import runtime_files, tracked_pull_requests
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.board import snapshot
from ralphgit.board.snapshot import Snapshot, Watched, Worker
from ralphgit.board.tail_log import Piece, Tail
from ralphgit.errors import RalphError, Refused


class Pace(NamedTuple):
    """How often to look, in seconds."""

    look: float = 0.25
    """At files: their times, and the log that is shown."""
    beat: float = 1.0
    """At heartbeats, and whether their processes are there."""
    ask: float = 2.0
    """At git at most, after what has changed; longer where an answer takes long."""
    retry: float = 5.0
    """At git after an answer that was none."""
    idle: float = 20.0
    """At git where nothing has changed, for what no file's time shows."""


#: git may take this part of the time at most, however slow it is: one in so many.
_SHARE = 5
#: In a git folder: what says that its refs, its index or its settings have changed.
_OF_REPOSITORY = ("HEAD", "index", "packed-refs", "config", os.path.join("reftable", "tables.list"))
_OF_WORKTREE = ("HEAD", "index", "config.worktree")
#: The same in a worktree's folder.
_NOTES = (runtime_files.CURRENT, tracked_pull_requests.PATH, "ralph.toml")


class Update(NamedTuple):
    """The result of a look."""

    snapshot: Snapshot | None
    """None where git was not asked, or gave no answer."""
    error: RalphError | None
    """Why git gave none, from the first such answer to the next good one."""
    workers: tuple[Worker, ...]
    """As their heartbeats show them."""
    log: Piece | None


class Follower:
    """Looks whenever `look` is called, which is by one thread at a time."""

    def __init__(self, around: Surroundings, pace: Pace, first: Snapshot | None = None) -> None:
        """`first` is what was seen before."""
        self._around, self._pace = around._replace(begun=None), pace
        self._seen = first
        self._error: RalphError | None = None
        self._workers: tuple[Worker, ...] = first.workers if first is not None else ()
        self._stamps: tuple[object, ...] = ()
        self._changed, self._hurried = True, first is None
        self._asked, self._took, self._beaten = time.monotonic(), 0.0, 0.0
        self._tail: Tail | None = None

    def hurry(self) -> None:
        """Have the next look ask git: something has just been written."""
        self._hurried = True

    def follow(self, worktree: str) -> None:
        """Read the newest log of a worktree from its last lines on; "" for none."""
        self._tail = Tail(worktree) if worktree else None

    def look(self) -> Update:
        """Look once."""
        if self._seen is not None:
            stamps = tuple(_stamps(self._seen.watched))
            self._changed = self._changed or stamps != self._stamps
            self._stamps = stamps
        found = self._ask() if self._due() else None
        self._look_at_workers()
        tail = self._tail
        return Update(found, self._error, self._workers, tail.read() if tail else None)

    def _due(self) -> bool:
        waited = time.monotonic() - self._asked
        if self._hurried:
            return True
        if waited < max(self._pace.ask, self._took * _SHARE):
            return False
        return self._changed or waited >= (self._pace.retry if self._error else self._pace.idle)

    def _ask(self) -> Snapshot | None:
        self._changed = self._hurried = False
        self._asked = time.monotonic()
        try:
            found = snapshot.gather(self._around)
        except (RalphError, OSError) as error:
            self._error = error if isinstance(error, RalphError) else system(error)
            return None
        finally:
            self._took = time.monotonic() - self._asked
        if self._seen is None or found.watched != self._seen.watched:
            # Its places were not looked at before git was asked, so it is asked once more.
            self._stamps = ()
        self._seen, self._error, self._workers = found, None, found.workers
        return found

    def _look_at_workers(self) -> None:
        """Read the heartbeats again, and see who is gone. A worker that has begun or ended
        something, by its heartbeat, is a change.
        """
        if time.monotonic() - self._beaten < self._pace.beat:
            return
        self._beaten = time.monotonic()
        now, before = self._around.now(), self._workers
        self._workers = tuple(snapshot.beating(one, now) for one in before)
        if [(one.state, one.phase) for one in before] != [
            (one.state, one.phase) for one in self._workers
        ]:
            self._changed = True


def system(error: OSError) -> Refused:
    """Make an error of what the system refused."""
    name = f"{error.filename}: " if error.filename else ""
    hint = "fix what the system complains of; the board goes on by itself"
    return Refused(f"{name}{error.strerror}", code="system", hint=hint)


def _stamps(watched: Watched) -> Iterator[object]:
    """Yield what changes when a ref, an index or a graph file does. git replaces a ref's file by
    another one, which changes the time of its folder.
    """
    for name in _OF_REPOSITORY:
        yield _stamp(os.path.join(watched.common_dir, name))
    yield from _folders(os.path.join(watched.common_dir, "refs"))
    trees = os.path.join(watched.common_dir, "worktrees")
    yield _stamp(trees)
    for name in _names(trees):
        for leaf in _OF_WORKTREE:
            yield _stamp(os.path.join(trees, name, leaf))
    for top in watched.tops:
        for name in (*watched.files, *_NOTES):
            yield _stamp(os.path.join(top, name))
        for folder in watched.folders:
            yield from _folders(os.path.join(top, folder))


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _folders(folder: str) -> Iterator[object]:
    """A folder and those below it."""
    yield _stamp(folder)
    try:
        with os.scandir(folder) as entries:
            below = sorted(one.path for one in entries if one.is_dir(follow_symlinks=False))
    except OSError:
        return
    for path in below:
        if os.path.basename(path) not in (".git", ".ralph"):
            yield from _folders(path)
