"""`block`: say why a claimed task cannot go on."""

from __future__ import annotations

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.base import opening
from ralphgit.app.lifecycle import block_release
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, stored_task
from ralphgit.model.ids import parse_task_id
from ralphgit.model.task_status import Reason


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = opening.project(around, warnings)
    question = str(options.get("question", ""))
    answers = options.get("option", [])
    assert isinstance(answers, list)
    default = Reason.NEEDS_CONTEXT if question else Reason.OTHER
    with WorktreeLock(project):
        given = block_release.block(
            project,
            parse_task_id(str(options["task"])) if "task" in options else "",
            reason=Reason(str(options.get("reason", default))),
            question=question,
            options=tuple(answers),
        )
    project.refresh()
    row, task_state = next_tasks.pair(project, given.task)
    return Outcome(
        stored_task(row, task_state, commit=given.commit),
        before=(f"{row.id} is blocked: commit {given.commit[:12]}",),
        advice=("It waits for a person; this worktree is free for another task.",),
    )
