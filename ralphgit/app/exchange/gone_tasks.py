"""Tell which tasks here are in their source no more, and keep others waiting for those that stay.

An item that got items inside is their story in the source, and stays here as the task that it was,
with what is to be done for it. What waits for those inside it waits for it, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ralphgit.app.exchange import three_way_import
from ralphgit.app.exchange.import_sources import Source
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.model.printable import cut
from ralphgit.model.task_status import Status
from ralphgit.records.importers.parts import waiting
from ralphgit.records.importers.parts.field_mapping import in_order
from ralphgit.records.task_origin import SOURCE


class Gone(NamedTuple):
    """Tasks here that came from the files and are not in them; they stay."""

    removed: tuple[str, ...]
    """Those of which nothing is left there."""
    wholes: tuple[str, ...]
    """Those that are the story of others there."""
    open: tuple[str, ...]
    """Those that are gone, and that nobody has begun."""

    @property
    def begun(self) -> tuple[str, ...]:
        """Those that are gone, and under whose words something was done."""
        return tuple(id for id in self.removed if id not in self.open)

    @property
    def notes(self) -> list[str]:
        still = []
        if self.open:
            are = "is" if len(self.open) == 1 else "are"
            word = '"no longer in the source"'
            more = ", and so on" if self.open[1:] else ""
            still = [
                f"{cut(', '.join(self.open), 200)} {are} still offered here; what is not to be "
                f"done: ralphgit edit {self.open[0]} --cancel {word}{more}"
            ]
        return still + [
            f"{id} is no task in the source now, but the story of those inside it; it stays here."
            for id in self.wholes
        ]


def find(source: Source, here: GraphView) -> Gone:
    """Find the tasks that all the files which they came from have no more."""
    listed = source.root.get("stories")
    stories = {
        str(one.get("id"))
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict)
    }
    gone = [
        row.id
        for row in here.rows
        if row.id not in source.origins
        and row.id not in source.settled
        and SOURCE in row.json
        and three_way_import.is_gone(here.stored(row), source.given)
    ]
    removed = tuple(id for id in gone if id not in stories)
    return Gone(
        removed,
        tuple(id for id in gone if id in stories),
        tuple(id for id in removed if here.by_id[id].status == Status.PENDING),
    )


def awaited(
    tasks: Iterable[Mapping[str, Any]], here: GraphView, gone: Gone
) -> tuple[dict[str, Any], ...]:
    """The tasks of a source, of which those that wait for what is inside a whole wait for it, too.

    None does whose work the whole itself waits for.
    """
    made = [dict(task) for task in tasks]
    story = {task["id"]: task.get("story") for task in made}
    edges = {row.id: row.depends_on for row in here.rows}
    edges |= {task["id"]: tuple(task.get("depends_on") or ()) for task in made}
    for whole in gone.wholes:
        if here.by_id[whole].status == Status.CANCELLED:
            continue
        before = waiting.reached(whole, edges)
        for task in made:
            depends = task.get("depends_on") or []
            outside = task.get("story") != whole and task["id"] not in before
            if outside and any(story.get(one) == whole for one in depends):
                task["depends_on"] = [*depends, whole]
    return tuple(in_order(task) for task in made)
