"""`complete`: verify and commit."""

from __future__ import annotations

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.lifecycle import complete
from ralphgit.app.lifecycle.complete import CompleteOptions
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, stored_task
from ralphgit.model.printable import counted

Options = CompleteOptions


def run(call: Call, options: CompleteOptions) -> Outcome:
    project = call.project()
    done = complete.complete(project, options)
    row, task_state = next_tasks.pair(project, done.task)
    what = counted(len(done.evidence), "evidence record")
    advice = f"It counts once this branch is merged into {project.base.label}."
    return Outcome(
        stored_task(row, task_state, commit=done.commit, evidence=list(done.evidence)),
        before=(f"{done.task} is complete: commit {done.commit[:12]}, {what}",),
        advice=(advice,) if task_state.state == "in-review" else (),
    )
