"""`revert`: take back a task that has landed."""

from __future__ import annotations

import shlex

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.lifecycle import revert
from ralphgit.app.lifecycle.revert import RevertOptions
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, stored_task
from ralphgit.cli.where_landed import once_merged, stored, where_landed
from ralphgit.model.printable import counted

Options = RevertOptions


def run(call: Call, options: RevertOptions) -> Outcome:
    project = call.project()
    done = revert.revert(project, options)
    row, task_state = next_tasks.on_base(project, done.task, commit=done.commit)
    where = where_landed(project, pushed=done.pushed)
    where = f"the new branch {safe(done.branch)}" if done.branch else where
    how = f"by commit {done.commit[:12]} on {where}"
    if done.pull is not None:
        how = once_merged(project, done.pull)
        row, task_state = next_tasks.on_base(project, done.task)
    lines = [
        f"{row.id} of {safe(done.by)} is taken back {how}, "
        f"with {counted(len(done.files), 'file')} besides the records"
    ]
    if done.branch:
        remote = project.base.remote
        hint = shlex.join(("git", *(("push", remote) if remote else ("merge",)), done.branch))
        how = "; a pull request brings it to the base" if remote else ""
        lines.append(f"Nothing else was changed{how}. Next: {hint}")
    about = {
        "claim": done.claim, "commit": done.commit, "reverts": done.taken_back,
        "files": done.files, "branch": done.branch or None, "pushed": done.pushed,
        "pull": stored(done.pull),
    }  # fmt: skip
    return Outcome(stored_task(row, task_state, **about), before=lines)
