"""Name the command that gets a task going again whose worker is gone, as typed in this folder."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence

from ralphgit.app.workspace import runtime_files, worktree_names
from ralphgit.app.workspace.project import Project
from ralphgit.model.active_claim import ActiveClaim


def reset_command(project: Project, task: str) -> str:
    """Return the command that frees a task, as typed in this folder."""
    return as_typed_here(project, f'ralphgit reset {task} --reason "TEXT"')


def as_typed_here(project: Project, command: str) -> str:
    """Return a command as it works in this folder: a linked worktree refuses `reset`."""
    reset = "ralphgit reset "
    if not (command.startswith(reset) and project.repository.linked):
        return command
    main = shlex.quote(project.repository.worktrees[0].path)
    return f"ralphgit -C {main} {command.removeprefix('ralphgit ')}"


def stale_command(project: Project, holder: ActiveClaim) -> str:
    """Return the command that gets a task going again whose worker is gone or silent.

    Workers of a fleet are started again: each goes on with what it holds.
    """
    fleet = "" if not holder.path else os.path.join(holder.path, runtime_files.FLEET)
    if not fleet or not os.path.isfile(fleet):
        return reset_command(project, holder.task)
    names = [
        worktree_names.name_of(project, one)
        for one in project.repository.worktrees
        if os.path.isfile(os.path.join(one.path, runtime_files.FLEET))
    ]
    return fleet_command(names)


def fleet_command(names: Sequence[str]) -> str:
    """Return the command that starts the fleet's workers of these names again."""
    numbers = [int(name[1:]) for name in names if re.fullmatch("w[1-9][0-9]{0,3}", name)]
    if len(numbers) == len(names):
        return f"ralphgit fleet up -n {max(numbers, default=1)}"
    return " ".join(["ralphgit fleet up", *(f"--story {shlex.quote(name)}" for name in names)])
