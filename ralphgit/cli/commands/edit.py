"""`edit`: change a task's fields in this worktree's graph."""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.tasks import edit
from ralphgit.app.tasks.edit import Fields
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.cli.command_call import Call
from ralphgit.cli.commands.add import outcome
from ralphgit.cli.render import Outcome
from ralphgit.errors import UsageError


class Options(NamedTuple):
    task: str
    fields: Fields = Fields()
    remove: tuple[str, ...] = ()
    cancel: str | None = None
    block: bool = False


def run(call: Call, options: Options) -> Outcome:
    task, reason = options.task, options.cancel
    some = options.remove or any(value is not None for value in options.fields)
    if (options.block or reason is not None) and (some or (options.block and reason is not None)):
        raise UsageError(
            "--block and --cancel cannot be combined with other changes",
            hint="change the fields in a second command",
        )
    project = call.project()
    with WorktreeLock(project):
        if reason is not None:
            return outcome(edit.cancel(project, task, reason), "cancelled")
        if options.block:
            changed, verb = edit.to_block_style(project, task), "written in block style"
        else:
            changed = edit.edit(project, task, options.fields, remove=options.remove)
            verb = "changed"
    return outcome(changed, verb if changed.files else "unchanged")
