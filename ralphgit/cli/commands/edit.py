"""`edit`: change a task's fields in this worktree's graph."""

from __future__ import annotations

from ralphgit.app.base import opening
from ralphgit.app.tasks import edit
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.commands.add import fields, outcome
from ralphgit.cli.render import Outcome, Screen
from ralphgit.errors import UsageError
from ralphgit.model.ids import parse_task_id


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    task = parse_task_id(str(options["task"]))
    told = fields(options)
    remove = options.get("remove")
    removed = tuple(remove) if isinstance(remove, list) else ()
    block, reason = bool(options.get("block")), options.get("cancel")
    some = removed or any(value is not None for value in told)
    if (block or reason is not None) and (some or (block and reason is not None)):
        raise UsageError(
            "--block and --cancel each stand alone", hint="change the fields in a second command"
        )
    project = opening.project(around, warnings)
    with WorktreeLock(project):
        if isinstance(reason, str):
            return outcome(edit.cancel(project, task, reason), "cancelled")
        if block:
            changed, verb = edit.to_block_style(project, task), "written in block style"
        else:
            changed, verb = edit.edit(project, task, told, remove=removed), "changed"
    return outcome(changed, verb if changed.files else "unchanged")
