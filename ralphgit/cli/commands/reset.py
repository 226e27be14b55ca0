"""`reset`: release what a crashed worker held."""

from __future__ import annotations

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.base.records_in_review import InReview
from ralphgit.app.lifecycle import reset
from ralphgit.app.lifecycle.reset import ResetOptions
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, stored_task

Options = ResetOptions


def where_landed(project: Project, *, pushed: bool) -> str:
    """Name the base branch that has our commit: the remote's if it was pushed."""
    return project.base.label if pushed or not project.base.remote else project.base.branch


def once_merged(project: Project, pull: InReview) -> str:
    """Say when what is in review counts, and where it is, for the end of a sentence."""
    place = safe(pull.place(project.base.branch))
    return f"when {place} is merged: commit {pull.commit[:12]} on {pull.branch}"


def stored(pull: InReview | None) -> dict[str, object] | None:
    """Return what is in review as JSON has it; None where the base has it."""
    return pull.stored() if pull is not None else None


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
