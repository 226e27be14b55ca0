"""Keep what is closed in its source as it was here: it verifies its parts.

An epic of beads that is closed waits for nothing more there. Here it does, as long as a part of it
is open: else it would be offered as work of its own. One that is complete here has done what it
promised, which does not change by that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.model.task_status import Mode, Status
from ralphgit.records.importers.parts import waiting
from ralphgit.records.importers.parts.field_mapping import in_order
from ralphgit.records.task_origin import Origin

_ENDED = (Status.COMPLETE, Status.CANCELLED)


def kept(tasks: Iterable[Mapping[str, Any]], here: GraphView) -> tuple[dict[str, Any], ...]:
    """The tasks of a source, of which those that only verify here do so although they are closed.

    Each waits for what it waits for here and, unless it is complete here, for its parts that are
    not, in no circle.
    """
    made = {str(task["id"]): dict(task) for task in tasks}
    edges = {row.id: row.depends_on for row in here.rows}
    edges |= {id: tuple(task.get("depends_on") or ()) for id, task in made.items()}
    for id, task in made.items():
        row = here.by_id.get(id)
        closed = task["status"] == Status.COMPLETE and task.get("mode") != Mode.VERIFY
        if row is None or not closed:
            continue
        stored = here.stored(row)
        origin = Origin.of(stored)
        if stored.get("mode") != Mode.VERIFY or origin is None or "mode" not in origin.digests:
            continue
        if row.status in _ENDED:
            edges[id] = row.depends_on
        else:
            parts = (one for one, part in made.items() if part.get("story") == id and one != id)
            open_ones = [other for other in parts if _is_open(other, made, here)]
            waits = (*row.depends_on, *edges[id], *open_ones)
            edges[id] = tuple(waiting.without_circles(id, dict.fromkeys(waits), edges))
        task["mode"] = Mode.VERIFY.value
        if edges[id] or "depends_on" in task:
            task["depends_on"] = list(edges[id])
        if "acceptance" in stored and "acceptance" in origin.digests:
            task.setdefault("acceptance", stored["acceptance"])
    return tuple(in_order(task) for task in made.values())


def _is_open(id: str, tasks: Mapping[str, Mapping[str, Any]], here: GraphView) -> bool:
    row = here.by_id.get(id)
    return (row.status if row else tasks[id]["status"]) not in _ENDED
