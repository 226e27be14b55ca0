"""Ending a loop from outside: after its task, or now."""

from __future__ import annotations

import os
import signal
from typing import NamedTuple

from ralphgit.app import heartbeat
from ralphgit.app.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.git.repository import Worktree
from ralphgit.records import files

PATH = os.path.join(".ralph", "stop")


class Asked(NamedTuple):
    """A loop that was asked to end."""

    worktree: str
    pid: int
    task: str


def stop(project: Project, names: tuple[str, ...], *, every: bool, now: bool) -> list[Asked]:
    """Ask the loops of some worktrees (this one's without `names`) to end.

    After their task by a note that they look for; `now` by SIGTERM, on which a loop stops its
    agent and keeps its claim. A process that only has the number of one that is gone is not
    touched.

    Raises: GuardRefused (no_loop, unknown_worktree), NotWritable.
    """
    asked = []
    chosen = chosen_worktrees(project, names, every=every)
    for worktree in chosen:
        beat = heartbeat.read(worktree.path)
        if beat is None or beat.host != heartbeat.host() or heartbeat.gone(beat):
            continue
        if now:
            os.kill(beat.pid, signal.SIGTERM)
        else:
            files.write(os.path.join(worktree.path, PATH), b"", durable=False)
        asked.append(Asked(worktree.path, beat.pid, beat.task))
    if not asked and not every:
        where = ", ".join(project.show_path(worktree.path) for worktree in chosen)
        raise GuardRefused(f"no loop runs in {where}", code="no_loop", hint="ralphgit status")
    return asked


def wanted(top: str) -> bool:
    """Whether somebody has asked the loop of the worktree at `top` to end after its task."""
    return os.path.lexists(os.path.join(top, PATH))


def forget(top: str) -> None:
    """Take away that somebody has asked."""
    try:
        os.unlink(os.path.join(top, PATH))
    except (FileNotFoundError, IsADirectoryError):
        return


def chosen_worktrees(
    project: Project, names: tuple[str, ...], *, every: bool = False
) -> list[Worktree]:
    """The worktrees of these workers or folders; all, or this one without a name.

    Raises: GuardRefused (unknown_worktree).
    """
    worktrees = [w for w in project.repository.worktrees if not w.bare and w.exists]
    if every:
        return worktrees
    if not names:
        here = os.path.realpath(project.top)
        return [w for w in worktrees if os.path.realpath(w.path) == here]
    found = []
    for name in names:
        matching = [w for w in worktrees if name in (w.name, w.path) or w.name.endswith(f"-{name}")]
        if len(matching) != 1:
            raise GuardRefused(
                f"{len(matching) or 'no'} worktree{'s are' if matching else ' is'} called {name}",
                code="unknown_worktree", hint="ralphgit worktree list",
            )  # fmt: skip
        found += matching
    return found
