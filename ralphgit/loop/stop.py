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
    agent and keeps its claim. Which process is a worktree's loop the heartbeat does not say.

    Raises: GuardRefused (no_loop), UsageError (unknown_worktree), NotWritable.
    """
    asked = []
    chosen = worktree_names.chosen(project, names, every=every)
    running = locks.loops_of(project, [worktree.path for worktree in chosen])
    for worktree in chosen:
        pid = running[worktree.path]
        if not pid or not end(worktree.path, pid, now=now):
            continue
        beat = heartbeat.read(worktree.path)
        task = beat.task if beat is not None and beat.pid == pid else ""
        asked.append(Asked(worktree.path, pid, task))
    if not asked and not every:
        where = ", ".join(project.show_path(worktree.path) for worktree in chosen)
        raise GuardRefused(f"no loop runs in {where}", code="no_loop", hint="ralphgit status")
    return asked


def end(top: str, pid: int, *, now: bool) -> bool:
    """Ask one loop to end; False where it has ended meanwhile. Raises: NotWritable."""
    if not now:
        ask(top)
        return True
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    return True


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
