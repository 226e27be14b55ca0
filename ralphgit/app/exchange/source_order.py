"""Put tasks where their source has them, where it says in which order they are to be done.

Only a task moves that is new, or whose rank in the source has changed, and that nobody has begun:
behind the one that is before it in the source. Whatever somebody has moved here stays there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ralphgit.errors import Bug
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Status
from ralphgit.records import graph_file, task_blocks
from ralphgit.records.importers import Imported

#: The fields in which a source's rank of a task stands.
_RANKS = frozenset({"x-priority", "ordinal"})
_ABOVE = re.compile(r"(?:^[ \t]*#[^\n]*\n)+\Z", re.MULTILINE)


def told(
    each: Iterable[tuple[str, Imported]], names: Mapping[str, str]
) -> tuple[tuple[str, ...], ...]:
    """The ids of tasks in the order that their source gives them, by source.

    That is by rank, or the order of its lines where nothing else says it, and in a list without
    ids, whose tasks are called otherwise in `names`.
    """
    found: dict[str, list[str]] = {}
    for name, one in each:
        by_line = one.in_place or all(
            names.get(str(task["id"]), task["id"]) in one.made for task in one.tasks
        )
        ids = [str(task["id"]) for task in one.tasks if by_line or task.keys() & _RANKS]
        folder = name.rpartition("/")[0] if len(one.tasks) == 1 else name
        found.setdefault(folder, []).extend(ids)
    # Of two documents that are one task, the first has its place.
    orders = (tuple(dict.fromkeys(ids)) for ids in found.values())
    return tuple(ids for ids in orders if len(ids) > 1)


def not_followed(orders: Iterable[Sequence[str]], rows: Iterable[Row]) -> list[str]:
    """A note where pending tasks stand in another order than their source has them."""
    at = {row.id: place for place, row in enumerate(rows) if row.status == Status.PENDING}
    places = ([at[id] for id in order if id in at] for order in orders)
    if all(found == sorted(found) for found in places):
        return []
    return ["The source has its items in another order; the order here is kept."]


def moving(
    new: Iterable[Mapping[str, Any]], changed: Mapping[str, Mapping[str, Any]]
) -> frozenset[str]:
    """The tasks whose place an import decides."""
    ranked = (name for name, fields in changed.items() if fields.keys() & _RANKS)
    return frozenset((*(str(task["id"]) for task in new), *ranked))


def text(
    file: graph_file.GraphFile, orders: Sequence[Sequence[str]], movers: Collection[str]
) -> str:
    """The file's text with its pending `movers` where `orders` has them; else as it is."""
    pending = {task["id"] for task in file.tasks if task["status"] == Status.PENDING}
    tasks = {task["id"]: task for task in file.tasks}
    ids = list(tasks)
    wanted = list(ids)
    for order in orders:
        _place(wanted, [id for id in order if id in tasks], pending.intersection(movers))
    layout = task_blocks.find(file.text) if wanted != ids else None
    if layout is None or layout.blocks != file.spans:
        return file.text
    made = _arranged(file.text, layout, ids, wanted)
    again = graph_file.parse(made.encode("utf-8"), path=file.path, limit=2 * len(made) + 1)
    if list(again.tasks) != [tasks[id] for id in wanted] or again.root != file.root:
        raise Bug(f"the import would have changed more of {file.path} than the order of its tasks")
    return made


def _place(ids: list[str], order: Sequence[str], movers: Collection[str]) -> None:
    """Move `movers` in `ids` behind the one that is before it in `order`, where it is not so."""
    stay = [id for id in order if id not in movers]
    at = {id: place for place, id in enumerate(ids)}
    if sorted(order, key=at.__getitem__) == list(order):
        return
    for id in order:
        if id in movers:
            ids.remove(id)
    for place, id in enumerate(order):
        if id not in movers:
            continue
        if place:
            ids.insert(ids.index(order[place - 1]) + 1, id)
        else:
            ids.insert(min(map(ids.index, stay), default=len(ids)), id)


def _arranged(
    text: str, layout: task_blocks.Layout, ids: Sequence[str], wanted: Sequence[str]
) -> str:
    """The text with its blocks as `wanted`, each with the comment right above it."""
    eol = "\r\n" if "\r\n" in text else "\n"
    made: dict[str, str] = {}
    between = [text[: layout.blocks[0].start]]
    comment = ""
    for id, block in zip(ids, layout.blocks, strict=True):
        end = task_blocks.content_end(text, block, layout.dash)
        own = text[block.start : end]
        made[id] = comment + (own if own.endswith("\n") else own + eol)
        behind = text[end : block.end]
        found = _ABOVE.search(behind) if block != layout.blocks[-1] else None
        comment = found[0] if found else ""
        between.append(behind[: len(behind) - len(comment)])
    return between[0] + "".join(
        made[id] + behind for id, behind in zip(wanted, between[1:], strict=True)
    )
