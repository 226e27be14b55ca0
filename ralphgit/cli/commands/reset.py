"""`reset`: release what a crashed worker held."""

from __future__ import annotations

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.lifecycle import reset
from ralphgit.app.lifecycle.reset import ResetOptions
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, stored_task

Options = ResetOptions


def run(call: Call, options: ResetOptions) -> Outcome:
    project = call.project()
    done = reset.reset(project, options)
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
