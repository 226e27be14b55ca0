"""`complete`: verify and commit."""

from __future__ import annotations

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.base import opening
from ralphgit.app.lifecycle import complete
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, stored_task
from ralphgit.model.ids import parse_task_id
from ralphgit.model.printable import counted


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = opening.project(around, warnings)
    concerns = options.get("concern", [])
    assert isinstance(concerns, list)
    done = complete.complete(
        project,
        complete.CompleteOptions(
            task=parse_task_id(str(options["task"])) if "task" in options else "",
            message=str(options.get("message", "")),
            concerns=tuple(concerns),
            accept_contract=bool(options.get("accept_contract")),
            force=str(options.get("force", "")),
        ),
    )
    row, task_state = next_tasks.pair(project, done.task)
    what = counted(len(done.evidence), "evidence record")
    advice = f"It counts once this branch is merged into {project.base.label}."
    return Outcome(
        stored_task(row, task_state, commit=done.commit, evidence=list(done.evidence)),
        before=(f"{done.task} is complete: commit {done.commit[:12]}, {what}",),
        advice=(advice,) if task_state.state == "in-review" else (),
    )
