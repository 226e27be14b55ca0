"""Sum up a graph: what `model.graph_index` says of it follows from its rows alone."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from ralphgit.model.graph_index import (
    BLOCKED,
    CANCELLED,
    CLAIMED,
    IN_PROGRESS,
    NO_STORY,
    READY,
    UNCLAIMED,
    WAITING,
    GraphIndex,
    digest,
)
from ralphgit.model.task_row import Row
from ralphgit.rules import active_scopes, readiness


def index(rows: Sequence[Row]) -> GraphIndex:
    """Sum up a graph, whose ids are each used once."""
    free = readiness.TaskStates(rows, {}).ready()
    ready = {row.id for row in free}
    firsts = array("I")
    stories: dict[str, int] = {}
    kinds = bytearray()
    for number, row in enumerate(rows):
        firsts.append(stories.setdefault(row.story, number) if row.story else NO_STORY)
        kinds += READY if row.id in ready else _kind(row)
    numbers = {row.id: number for number, row in enumerate(rows)}
    order = array("I", (numbers[row.id] for row in readiness.order(free, of=rows)))
    ids = sorted((digest(task), number) for task, number in numbers.items())
    names = sorted((digest(name), number) for name, number in stories.items())
    heads = sorted(
        (head.encode(), number)
        for number in order for head in active_scopes.beginnings(rows[number])
    )  # fmt: skip
    ends, length = array("I"), 0
    for head, _ in heads:
        length += len(head)
        ends.append(length)
    return GraphIndex(
        kinds=bytes(kinds),
        priorities=bytes(row.priority for row in rows),
        firsts=firsts,
        by_story=array("I", sorted(  # and so, of one story, by number
            (number for number, first in enumerate(firsts) if first != NO_STORY),
            key=firsts.__getitem__,
        )),
        id_digests=array("I", (digest for digest, _ in ids)),
        id_numbers=array("I", (number for _, number in ids)),
        story_digests=array("I", (digest for digest, _ in names)),
        story_numbers=array("I", (number for _, number in names)),
        order=order,
        head_numbers=array("I", (number for _, number in heads)),
        head_ends=ends,
        heads=b"".join(head for head, _ in heads),
        unmet=array("I", (
            number for number, row in enumerate(rows)
            if any(other not in numbers for other in row.depends_on)
        )),
    )  # fmt: skip


def _kind(row: Row) -> bytes:
    if row.status == "complete":
        return CLAIMED if row.claim else UNCLAIMED
    return {"cancelled": CANCELLED, "in-progress": IN_PROGRESS, "blocked": BLOCKED}.get(
        row.status, WAITING
    )
