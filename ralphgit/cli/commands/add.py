"""`add`: a new task in this worktree's graph."""

import shlex
from typing import NamedTuple

from ralphgit.app.tasks import edit
from ralphgit.app.tasks.edit import Changed
from ralphgit.app.tasks.given_fields import Fields
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, stored_task


class Options(NamedTuple):
    fields: Fields = Fields()
    id: str = ""
    file: str = ""
    after: str = ""


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    with WorktreeLock(project):
        changed = edit.add(
            project, options.fields, task=options.id, file=options.file, after=options.after
        )
    return outcome(changed, "added")


def outcome(changed: Changed, verb: str) -> Outcome:
    """Report a changed task, and that it is for the user to commit it."""
    row, task_state, files = changed
    data = stored_task(row, task_state)
    if not files:
        return Outcome(data, before=(f"{row.id} {verb}: {safe(row.title)}",))
    line = f"{row.id} {verb} in {safe(row.file)}:{row.line}: {safe(row.title)}"
    advice = f"Not committed: git add {safe(shlex.join(files))} && git commit"
    return Outcome(data, before=(line,), advice=(advice,))
