"""`release`: give a claimed task back."""

from __future__ import annotations

from ralphgit.app import giveup, look
from ralphgit.app.exclusive import Exclusive
from ralphgit.app.project import Surroundings
from ralphgit.cli.render import Outcome, Screen, stored_task
from ralphgit.model.ids import parse_task_id


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = look.project(around, warnings)
    task = parse_task_id(str(options["task"])) if "task" in options else ""
    with Exclusive(project):
        given = giveup.release(project, task, reason=str(options.get("reason", "")))
    project.refresh()
    row, standing = look.pair(project, given.task)
    return Outcome(
        stored_task(row, standing, commit=given.commit),
        before=(f"{row.id} is given back: commit {given.commit[:12]}",),
        advice=("Your work so far is still in this worktree.",),
    )
