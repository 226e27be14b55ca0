"""`edit`: change a task's fields in this worktree's graph."""

import shlex
from typing import NamedTuple

from ralphgit.app.tasks import edit, rename, take_scope
from ralphgit.app.tasks.given_fields import Fields
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.cli.command_call import Call
from ralphgit.cli.commands.add import outcome
from ralphgit.cli.render import Outcome, safe, stored_task
from ralphgit.errors import UsageError


class Options(NamedTuple):
    task: str
    fields: Fields = Fields()
    remove: tuple[str, ...] = ()
    cancel: str | None = None
    block: bool = False
    rename: str = ""
    take_scope: bool = False


def run(call: Call, options: Options) -> Outcome:
    task, reason = options.task, options.cancel
    some = options.remove or any(value is not None for value in options.fields)
    alone = sum((options.block, reason is not None, bool(options.rename), options.take_scope))
    if alone and (some or alone > 1):
        raise UsageError(
            "--block, --cancel, --rename and --take-scope cannot be combined with other changes",
            hint="change the fields in a second command",
        )
    project = call.project()
    with WorktreeLock(project):
        if reason is not None:
            return outcome(edit.cancel(project, task, reason), "cancelled")
        if options.rename:
            return _renamed(rename.rename(project, task, options.rename))
        if options.take_scope:
            changed, verb = take_scope.take_scope(project, task), "changed"
        elif options.block:
            changed, verb = edit.to_block_style(project, task), "written in block style"
        else:
            changed = edit.edit(project, task, options.fields, remove=options.remove)
            verb = "changed"
    return outcome(changed, verb if changed.files else "unchanged")


def _renamed(made: rename.Renamed) -> Outcome:
    """Report a renamed task; all of it is to be in one commit."""
    row, task_state, files = made.changed
    data = stored_task(row, task_state, renamed_from=made.old)
    line = f"{made.old} is {row.id} now, in {safe(row.file)}:{row.line}: {safe(row.title)}"
    paths = safe(shlex.join([*files, *made.gone]))
    advice = f"Not committed, and all of it is one commit: git add {paths} && git commit"
    return Outcome(data, before=(line,), advice=(advice,))
