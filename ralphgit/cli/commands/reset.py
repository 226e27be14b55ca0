"""`reset`: release what a crashed worker held."""

from __future__ import annotations

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.base import opening
from ralphgit.app.lifecycle import reset
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe, stored_task
from ralphgit.errors import UsageError
from ralphgit.model.ids import parse_task_id


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    reason = str(options["reason"]).strip()
    if not reason:
        raise UsageError("a reset needs a reason", hint="--reason TEXT")
    project = opening.project(around, warnings)
    done = reset.reset(
        project,
        reset.ResetOptions(
            task=parse_task_id(str(options["task"])),
            reason=reason,
            claim=str(options.get("claim", "")),
            reopen=bool(options.get("reopen")),
            force=bool(options.get("force")),
            push=not options.get("no_push"),
            fetch=not options.get("no_fetch"),
        ),
    )
    project.refresh()
    row, task_state = next_tasks.on_base(project, done.task, commit=done.commit)
    where = project.base.label if done.pushed or not project.base.remote else project.base.branch
    commit = f"commit {done.commit[:12]} on {where}"
    lines = [f"{row.id} is {task_state.state} again (epoch {row.epoch}), {commit}"]
    lines += [f"Kept: {safe(ref)}" for ref in done.rescued] or ["There was no work to keep."]
    return Outcome(
        stored_task(
            row,
            task_state,
            rescued=list(done.rescued),
            claim=done.claim,
            commit=done.commit,
            pushed=done.pushed,
        ),
        before=lines,
    )
