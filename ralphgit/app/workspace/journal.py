"""Note moves that no single rename can make, so that a killed one can be settled later.

A note is a JSON file in `<git common dir>/ralphgit`: what kind of move, in which worktree, by
which process and since when, and for each thing that it moves the old form and the new one. The
kind says what these are, and whether a move that was killed is undone or completed.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.records import atomic_files

_PREFIX = "moving-"
#: The kind of a move of the graph to another layout.
LAYOUT = "layout"
Steps = Mapping[str, tuple[str | None, str | None]]


class MoveNote(NamedTuple):
    """One move that was begun."""

    path: str
    """The note's own file."""
    kind: str
    worktree: str
    by: heartbeat.Process
    time: float
    """When it was begun, in seconds since 1970."""
    steps: Steps
    """What moves -> its old form, its new form."""


@contextmanager
def noted(project: Project, kind: str, worktree: str, steps: Steps) -> Iterator[None]:
    """Note a move while it is made; a process that is killed leaves the note.

    Raises: NotWritable.
    """
    pid = os.getpid()
    path = os.path.join(_folder(project), f"{_PREFIX}{kind}-{pid}")
    record = {
        "kind": kind, "worktree": os.path.realpath(worktree),
        **heartbeat.noted(pid)._asdict(), "time": project.around.now(), "steps": steps,
    }  # fmt: skip
    atomic_files.write(path, json.dumps(record).encode(), follow=False)
    try:
        yield
    finally:  # all is done, or the caller has undone it
        atomic_files.unlink(path)


def left_over(project: Project, kind: str) -> list[MoveNote]:
    """The notes of processes that are gone. To be asked outside of `noted`."""
    folder = _folder(project)
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    found = []
    for name in names:
        if name.startswith(f"{_PREFIX}{kind}-"):
            note = _parsed(os.path.join(folder, name))
            if note is not None and _is_over(note, project.around.now()):
                found.append(note)
    return found


def _folder(project: Project) -> str:
    return os.path.join(project.repository.common_dir, "ralphgit")


def _is_over(note: MoveNote, now: float) -> bool:
    """Whether the process that makes the move is gone; of another machine its age tells."""
    if not note.by.here:
        return now - note.time > heartbeat.FRESH_S
    # One with our own number is of a process that had it before us.
    return note.by.pid == os.getpid() or note.by.gone


def _parsed(path: str) -> MoveNote | None:
    try:
        record = json.loads(atomic_files.read(path) or b"")
        started, boot, host = (str(record[key]) for key in ("started", "boot", "host"))
        by = heartbeat.Process(int(record["pid"]), started, boot, host)
        steps = {str(name): (old, new) for name, (old, new) in record["steps"].items()}
        kind, worktree = str(record["kind"]), str(record["worktree"])
        return MoveNote(path, kind, worktree, by, float(record["time"]), steps)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None  # half a note: nothing had begun
