"""Decide what becomes of the files that an imported item names: offered, its scope, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.model import offered_scope
from ralphgit.model.task_status import Status
from ralphgit.records.importers.parts.field_mapping import in_order

SUGGEST, TAKE, NONE = "suggest", "take", "none"


def offered(tasks: Iterable[dict[str, Any]], how: str) -> tuple[dict[str, Any], ...]:
    """The tasks of a source; without what they are offered where `how` is NONE."""
    if how != NONE:
        return tuple(tasks)
    gone = offered_scope.SUGGESTED
    return tuple({key: value for key, value in task.items() if key != gone} for task in tasks)


def take(
    here: GraphView,
    new: Iterable[dict[str, Any]],
    changed: dict[str, dict[str, Any]],
    names: Iterable[str],
) -> list[str]:
    """Give the tasks in `new`, and those of `names` that are pending `here`, their offered scope.

    `changed` has the fields that change, by task. What the tasks remember of their source stays:
    the scope counts as set here, and the next import leaves it. Returns those of `names` that
    change.
    """
    told = []
    for task in new:
        fields = {**task, **offered_scope.taken(task)}
        task.clear()
        task.update(in_order({key: value for key, value in fields.items() if value is not None}))
    for name in names:
        row = here.by_id.get(name)
        if row is None or row.status != Status.PENDING:
            continue
        fields = changed.get(name, {})
        if more := offered_scope.taken({**here.stored(row), **fields}):
            changed[name] = {**fields, **more}
            told.append(name)
    return told
