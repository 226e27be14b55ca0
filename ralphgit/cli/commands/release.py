"""`release`: give a claimed task back."""

from __future__ import annotations

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.base import opening
from ralphgit.app.lifecycle import block_release
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, stored_task
from ralphgit.model.ids import parse_task_id


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = opening.project(around, warnings)
    task = parse_task_id(str(options["task"])) if "task" in options else ""
    with WorktreeLock(project):
        given = block_release.release(project, task, reason=str(options.get("reason", "")))
    project.refresh()
    row, task_state = next_tasks.pair(project, given.task)
    return Outcome(
        stored_task(row, task_state, commit=given.commit),
        before=(f"{row.id} is given back: commit {given.commit[:12]}",),
        advice=("Your work so far is still in this worktree.",),
    )
