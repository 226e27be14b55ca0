"""End a loop from outside: after its task, or now."""

from __future__ import annotations

import os
import signal
from typing import NamedTuple

from ralphgit.app.workspace import heartbeat, locks, worktree_names
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.records import atomic_files

PATH = os.path.join(".ralph", "stop")


class Asked(NamedTuple):
    """A loop that was asked to end."""

    worktree: str
    pid: int
    task: str


def stop(project: Project, names: tuple[str, ...], *, every: bool, now: bool) -> list[Asked]:
    """Ask the loops of some worktrees (this one's without `names`) to end.

    After their task by a note that they look for; `now` by SIGTERM, on which a loop stops its
    agent and keeps its claim. A process that is not that worktree's loop is not touched,
    whatever the heartbeat says.

    Raises: GuardRefused (no_loop), UsageError (unknown_worktree), NotWritable.
    """
    asked = []
    chosen = worktree_names.chosen(project, names, every=every)
    for worktree in chosen:
        beat = heartbeat.read(worktree.path)
        if beat is None or not beat.process.here or beat.process.gone:
            continue
        if not locks.is_loop_of(project, worktree.path, beat.pid):
            continue  # whoever wrote that heartbeat, it is of no loop
        if now:
            try:
                os.kill(beat.pid, signal.SIGTERM)
            except ProcessLookupError:
                continue  # it has ended meanwhile
        else:
            ask(worktree.path)
        asked.append(Asked(worktree.path, beat.pid, beat.task))
    if not asked and not every:
        where = ", ".join(project.show_path(worktree.path) for worktree in chosen)
        raise GuardRefused(f"no loop runs in {where}", code="no_loop", hint="ralphgit status")
    return asked


def ask(top: str) -> None:
    """Ask the loop of the worktree at `top` to end after its task. Raises: NotWritable."""
    atomic_files.write(os.path.join(top, PATH), b"", durable=False, follow=False)


def wanted(top: str) -> bool:
    """Whether the loop of the worktree at `top` was asked to end after its task."""
    return os.path.lexists(os.path.join(top, PATH))


def forget(top: str) -> None:
    """Remove the request to end."""
    try:
        os.unlink(os.path.join(top, PATH))
    except (FileNotFoundError, IsADirectoryError):
        return
