"""Make of a section that says what holds at the end the task that verifies it.

Its boxes are the task's criteria, or where one begins with a command, what verifies it. It comes
behind all tasks of its story, or where it stands in none, behind all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ralphgit.model.task_status import Mode
from ralphgit.records.importers.imported import Log
from ralphgit.records.importers.parts import plan_checks
from ralphgit.records.importers.parts.item_details import Details, Marked
from ralphgit.records.importers.parts.listed_items import Item
from ralphgit.records.importers.parts.source_values import short


def marked(item: Item) -> Marked:
    """Its heading, which has neither an id nor markers."""
    return Marked("", item.node.text, False, "", "")


def details(item: Item, log: Log) -> Details:
    """What its boxes say."""
    verify, criteria, left = plan_checks.of_boxes(item.node.nodes)
    for code, why in left:
        log.note(f"{item.node.text}: left out of its verify commands: {short(code)} ({why}).")
    fields: dict[str, object] = {"acceptance": criteria, "verify": verify}
    fields = {key: value for key, value in fields.items() if value}
    return Details({**fields, "mode": Mode.VERIFY.value}, None, "", (), ())


def waits(
    items: Sequence[Item], depends: Mapping[int, tuple[int, ...]], aside: Collection[int]
) -> dict[int, tuple[int, ...]]:
    """What each such section waits for, of items that no other one waits for."""
    found: dict[int, tuple[int, ...]] = {}
    for item in sorted(items, key=lambda one: one.heading is None):
        if not item.closing:
            continue
        every = {**depends, **found}
        inside = [
            place
            for place in sorted(every)
            if place not in aside
            and (item.heading is None or items[place].heading == item.heading)
            and not (items[place].closing and items[place].heading == item.heading)
        ]
        waited = {other for place in inside for other in every[place]}
        found[item.entry.place] = tuple(place for place in inside if place not in waited)
    return found
