"""`reset`: release what a crashed worker held."""

from __future__ import annotations

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.lifecycle import reset
from ralphgit.app.lifecycle.reset import ResetOptions
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, stored_task
from ralphgit.cli.where_landed import once_merged, stored, where_landed

Options = ResetOptions


def run(call: Call, options: ResetOptions) -> Outcome:
    project = call.project()
    done = reset.reset(project, options)
    row, task_state = next_tasks.on_base(project, done.task, commit=done.commit)
    becomes = f"{task_state.state} (epoch {row.epoch})"
    commit = f"commit {done.commit[:12]} on {where_landed(project, pushed=done.pushed)}"
    lines = [f"{row.id} is {task_state.state} again (epoch {row.epoch}), {commit}"]
    if done.pull is not None:
        lines = [f"{row.id} becomes {becomes} {once_merged(project, done.pull)}"]
        row, task_state = next_tasks.on_base(project, done.task)
    lines += [f"Kept: {safe(ref)}" for ref in done.rescued] or ["There was no work to keep."]
    about = {"rescued": done.rescued, "claim": done.claim, "commit": done.commit}
    told = {"pushed": done.pushed, "pull": stored(done.pull)}
    return Outcome(stored_task(row, task_state, **about, **told), before=lines)
