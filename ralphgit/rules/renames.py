"""Find which tasks a change has renamed: one is gone, and one is new that promises the same."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ralphgit.model.task_row import Row

#: What may differ between a task and the same task under another id: its id, what it waits for, and
#: its lifecycle.
_LEFT_OUT = frozenset({
    "id", "depends_on", "status", "claim", "epoch", "result", "blocked", "reset", "cancelled",
})  # fmt: skip


def renamed(before: Mapping[str, Row], after: Mapping[str, Row]) -> dict[str, str]:
    """Map the old ids to the new ones. Nothing is renamed that somebody works on."""
    gone = [row for task, row in before.items() if task not in after]
    new = [row for task, row in after.items() if task not in before]
    if not gone or not new:
        return {}
    places: dict[str, list[Row]] = {}
    for row in new:
        places.setdefault(_promise(row), []).append(row)
    found = {}
    for row in gone:
        same = places.get(_promise(row), [])
        if same and row.status not in ("in-progress", "blocked"):
            found[row.id] = same.pop(0).id
    return found


def applied(before: Mapping[str, Row], renames: Mapping[str, str]) -> dict[str, Row]:
    """Return the tasks `before` a change under the ids that they have after it."""
    return {
        renames.get(task, task): row._replace(id=renames.get(task, task))
        for task, row in before.items()
    }


def _promise(row: Row) -> str:
    stored = json.loads(row.json)
    kept = {key: value for key, value in stored.items() if key not in _LEFT_OUT}
    return json.dumps(kept, sort_keys=True)
