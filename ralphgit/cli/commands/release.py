"""`release`: give a claimed task back."""

from typing import NamedTuple

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.landing import base_branch
from ralphgit.app.lifecycle import block_release
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, stored_task
from ralphgit.cli.where_landed import once_merged, stored


class Options(NamedTuple):
    task: str = ""
    reason: str = ""


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    with WorktreeLock(project):
        given = block_release.release(project, options.task, reason=options.reason)
    pull = base_branch.share(project, given.task)
    row, task_state = next_tasks.pair(project, given.task)
    said = f"{row.id} is given back: commit {given.commit[:12]}"
    if pull is not None:
        said = f"{row.id} is given back for all {once_merged(project, pull)}"
    return Outcome(
        stored_task(row, task_state, commit=given.commit, pull=stored(pull)),
        before=(said,),
        advice=("Your work so far is still in this worktree.",),
    )
