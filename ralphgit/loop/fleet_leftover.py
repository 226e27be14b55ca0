"""Find what is left to do once all loops of a repository have ended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.app.active_claims import next_tasks, recovery_commands
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace.project import Project
from ralphgit.loop import fleet_state


class Leftover(NamedTuple):
    """The tasks that another loop would take."""

    ready: tuple[str, ...]
    held: Mapping[str, str]
    """Those that a loop had begun when it ended, each with its worker."""
    command: str
    """What starts a loop that takes them."""

    @property
    def sentence(self) -> str:
        """Say so."""
        parts = [", ".join(self.ready) + " (ready)"] if self.ready else []
        parts += [f"{task} (held by {worker})" for task, worker in self.held.items()]
        return f"All loops have ended, and tasks are left: {', '.join(parts)}."


def leftover(project: Project) -> Leftover | None:
    """Return what is left to do; None while a loop runs, where none ever has, and for nothing."""
    workers = fleet_state.workers(project)
    if not workers or any(one.state in ("alive", "silent", "starting") for one in workers):
        return None
    claim_map = ClaimMap(project)
    ready = [row.id for row, _ in next_tasks.takeable(project, claim_map=claim_map).tasks]
    names = {os.path.realpath(one.worktree): one.name for one in workers}
    held = {
        row.id: names[os.path.realpath(task_state.holder.path)]
        for row in claim_map.base.rows
        if (task_state := claim_map.task_states[row.id]).holder is not None
        and task_state.state in ("claimed", "in-progress")
        and os.path.realpath(task_state.holder.path or "/") in names
    }
    if not ready and not held:
        return None
    command = recovery_commands.fleet_command([*dict.fromkeys(held.values())] or ["w1"])
    return Leftover(tuple(ready), held, command)
