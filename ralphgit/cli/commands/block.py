"""`block`: say why a claimed task cannot go on."""

from typing import NamedTuple

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.landing import base_branch
from ralphgit.app.lifecycle import block_release
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, stored_task
from ralphgit.cli.where_landed import once_merged, stored
from ralphgit.model.task_status import Reason


class Options(NamedTuple):
    task: str = ""
    reason: str = ""
    question: str = ""
    answers: tuple[str, ...] = ()
    shared: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    usual = Reason.NEEDS_CONTEXT if options.question else Reason.OTHER
    with WorktreeLock(project):
        reason, question = Reason(options.reason or usual), options.question
        given = block_release.block(
            project,
            options.task,
            reason=reason,
            question=question,
            options=options.answers,
            shared=options.shared,
        )
    pull = base_branch.share(project, given.task)
    row, task_state = next_tasks.pair(project, given.task)
    said = f"{row.id} is blocked: commit {given.commit[:12]}"
    if pull is not None:
        said = f"{row.id} is blocked for all {once_merged(project, pull)}"
    return Outcome(
        stored_task(row, task_state, commit=given.commit, pull=stored(pull)),
        before=(said,),
        advice=("It waits for a person; this worktree is free for another task: ralphgit claim",),
    )
