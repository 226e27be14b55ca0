"""Run verify commands on the untouched base, before anybody works: can they run here at all?"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ralphgit.app.processes.verify_command import Run
from ralphgit.app.workspace.project import Project
from ralphgit.app.worktrees.proving_worktree import Ground
from ralphgit.errors import NeedsPerson, Refused

_NOT_FOUND = 127
"""How a shell ends that cannot find the program."""
#: What a shell prints then, with the name that it looked for.
_NAMED = re.compile(r"(?m)(?<!\S)(\S+): (?:command )?not found[ \t\r]*$")
_SHOWN_LINES = 20


def require(project: Project, task: str, commands: Iterable[str]) -> None:
    """Refuse where the verify commands of a task cannot run in a new worktree of the base.

    That they fail there is no reason: the work is not done yet. Nothing is charged to the task.

    Raises: NeedsPerson (setup_failed, cannot_verify, untrusted); GitError.
    """
    wanted = [(task, "", command) for command in commands]
    if not wanted:
        return
    try:
        with Ground(project, failing="no task was claimed") as ground:
            runs = ground.run(project.base.commit, wanted)
    except Refused as error:
        raise NeedsPerson(
            error.message, code=error.code, hint=error.hint, lines=error.lines,
            details=error.details,
        ) from error  # fmt: skip
    for run in runs.values():
        if (name := missing_program(run)) is not None:
            raise NeedsPerson(
                f"{name or 'a program'} is not there on the untouched {project.base.label} (exit "
                f"{_NOT_FOUND}): {run.command}; no task was claimed",
                code="cannot_verify",
                lines=[f"| {line}" for line in run.tail.splitlines()[-_SHOWN_LINES:]],
                hint="install it, or have worktree.setup make each new worktree ready",
                details={"task": task, "command": run.command, "exit_code": run.exit_code},
            )


def missing_program(run: Run) -> str | None:
    """The program that a command could not find, "" where it does not say; None for another end.

    A path of the repository may be what the task is to make: that is no program that is missing.
    """
    if run.exit_code != _NOT_FOUND:
        return None
    named = _NAMED.findall(run.tail)
    name = named[-1] if named else ""
    return None if "/" in name else name
