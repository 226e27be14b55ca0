"""Find what is left to do once all loops of a repository have ended."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.active_claims import next_tasks, recovery_commands
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace.project import Project
from ralphgit.loop import fleet_state
from ralphgit.rules.claim_options import Unprovided


class Leftover(NamedTuple):
    """The tasks that another loop would take."""

    ready: tuple[str, ...]
    held: Mapping[str, str]
    """Those that a loop had begun when it ended, each with its worker."""
    needs: Mapping[str, Sequence[str]]
    """Those that need what is not provided here, each with what it needs."""
    command: str
    """What starts a loop that takes them."""

    @property
    def sentence(self) -> str:
        """Say so."""
        parts = [", ".join(self.ready) + " (ready)"] if self.ready else []
        parts += [f"{task} (held by {worker})" for task, worker in self.held.items()]
        parts += [f"{task} (needs {', '.join(needs)})" for task, needs in self.needs.items()]
        return f"All loops have ended, and tasks are left: {', '.join(parts)}."


def leftover(project: Project) -> Leftover | None:
    """Return what is left to do; None while a loop runs, where none ever has, and for nothing."""
    workers = fleet_state.workers(project)
    if not workers or any(one.state in ("alive", "silent", "starting") for one in workers):
        return None
    claim_map = ClaimMap(project)
    found = next_tasks.takeable(project, claim_map=claim_map)
    ready = [row.id for row, _ in found.tasks]
    needs = {
        task: one.needs for task, one in found.obstacles.items()
        if isinstance(one, Unprovided) and not one.by
    }  # fmt: skip
    names = {os.path.realpath(one.worktree): one.name for one in workers}
    held = {
        row.id: names[os.path.realpath(task_state.holder.path)]
        for row in claim_map.base.rows
        if (task_state := claim_map.task_states[row.id]).holder is not None
        and task_state.state in ("claimed", "in-progress")
        and os.path.realpath(task_state.holder.path or "/") in names
    }
    if not (ready or held or needs):
        return None
    command = recovery_commands.fleet_command([*dict.fromkeys(held.values())] or ["w1"])
    if not (ready or held):
        command += f" --provides {shlex.quote(','.join(next(iter(needs.values()))))}"
    if not project.config.agent_command:
        command += " --agent AGENT"
    return Leftover(tuple(ready), held, needs, command)
