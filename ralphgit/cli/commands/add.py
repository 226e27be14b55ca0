"""`add`: a new task in this worktree's graph."""

from __future__ import annotations

from ralphgit.app.base import opening
from ralphgit.app.tasks import edit
from ralphgit.app.tasks.edit import Changed, Fields
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Json, Outcome, Screen, safe, task_json


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = opening.project(around, warnings)
    with WorktreeLock(project):
        changed = edit.add(
            project,
            fields(options),
            task=str(options.get("id", "")),
            file=str(options.get("file", "")),
            after=str(options.get("after", "")),
        )
    return outcome(changed, "added")


#: Options that are called otherwise than their fields.
_FIELDS = {"outputs": "output", "resources": "resource"}


def fields(options: dict[str, object]) -> Fields:
    """The fields that the options of `add` and `edit` tell."""
    told: dict[str, object] = {}
    for name in Fields._fields:
        value = options.get(_FIELDS.get(name, name))
        told[name] = tuple(value) if isinstance(value, list) else value
    return Fields(**told)  # type: ignore[arg-type]  # the table has seen to the kinds


def outcome(changed: Changed, verb: str) -> Outcome:
    """What became of a task, and that it is for the user to commit it."""
    row, task_state, files = changed
    data = Json('{"task": ' + task_json(row, task_state) + "}")
    if not files:
        return Outcome(data, before=(f"{row.id} {verb}: {safe(row.title)}",))
    return Outcome(
        data,
        before=(f"{row.id} {verb} in {safe(row.file)}:{row.line}: {safe(row.title)}",),
        advice=(f"Not committed: git add {safe(' '.join(files))} (or git add -p), git commit",),
    )
