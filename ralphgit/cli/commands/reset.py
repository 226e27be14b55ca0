"""`reset`: release what a crashed worker held."""

from __future__ import annotations

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.lifecycle import reset
from ralphgit.app.lifecycle.reset import ResetOptions
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, stored_task

Options = ResetOptions


def where_landed(project: Project, *, pushed: bool) -> str:
    """Name the base branch that has our commit: the remote's if it was pushed."""
    return project.base.label if pushed or not project.base.remote else project.base.branch


def run(call: Call, options: ResetOptions) -> Outcome:
    project = call.project()
    done = reset.reset(project, options)
    row, task_state = next_tasks.on_base(project, done.task, commit=done.commit)
    commit = f"commit {done.commit[:12]} on {where_landed(project, pushed=done.pushed)}"
    lines = [f"{row.id} is {task_state.state} again (epoch {row.epoch}), {commit}"]
    lines += [f"Kept: {safe(ref)}" for ref in done.rescued] or ["There was no work to keep."]
    about = {"rescued": done.rescued, "claim": done.claim, "commit": done.commit}
    return Outcome(stored_task(row, task_state, **about, pushed=done.pushed), before=lines)
