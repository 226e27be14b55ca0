"""Decide what items are that stand inside others, and what those around them are.

| an item with items inside | it is |
|---|---|
| has an id, and nothing inside has one | a task, and what is inside are its steps |
| has work of its own (`leads`) | a task that those inside wait for, and their story |
| says how it is verified, or which files it changes | a task that waits for those inside |
| any other | a whole: no task, but the story of those inside, and done when they are |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from ralphgit.model.task_status import Mode
from ralphgit.records.importers.parts import item_order, tick_in_place
from ralphgit.records.importers.parts.item_details import Details, Marked, has_id
from ralphgit.records.importers.parts.listed_items import Item
from ralphgit.records.importers.parts.markdown_items import CANCELLED, DEFERRED, Node

#: A line that says of an item where it comes from or what it is for, and is no work: emphasis
#: around all of it, as in `_Requirements: 1.1_`, an address, a label, or a note.
_REMARK = re.compile(
    r"(?:[-*+]|[0-9]+[.)])?\s*(?:"
    r"(?P<mark>[_*`]{1,3})(?:requirements?|refs?|references?|validates|see)\b.*(?P=mark)"
    r"|[_*`(\[]*(?:requirements?|refs?|references?|validates|covers|implements|see|spec|design|docs?"
    r"|notes?|nb|n\.b\.|goal|purpose|objective|why|context|background|rationale|status|priority"
    r"|estimated?(?:\s\w+)?|effort|owner|assignee|phase|complexity|risk|dependenc(?:y|ies)"
    r"|depends on|property\s[0-9]+|feature)[*_]{0,3}\s?(?:\([^()]*\)\s?)?:.*"
    r"|(?:see\s)?<?https?://\S+>?|(?:see\s)?\[[^\]]*\]\([^)]*\)"
    r"|[^:]{0,40}:[*_]*)?\s*",
    re.IGNORECASE,
)
#: Words of an item that is a test of the one around it, or a note on it.
_OF_IT = re.compile(
    r"\W*(?:(?:note|nb)[*_]{0,3}\s?:|(?:(?:write|add|create|implement|extend|update)\s+)?"
    r"(?:[\w-]+(?:,?\s+|\s*[/+&]\s*)){0,4}?tests?\b"
    r"(?=\W*$|\s*[:(\u2013\u2014]|\s+-|\s+(?:for|of|to|that|in|on|with|covering|against|cases?|suites?)\b))",
    re.IGNORECASE,
)
_ON_TESTS = re.compile(
    r"\b(?:tests?|testing|coverage|quality|qa|validation|verif(?:y|ication))\b", re.IGNORECASE
)


def leads(
    items: Sequence[Item], marked: Sequence[Marked], details: Sequence[Details]
) -> frozenset[int]:
    """The items around others that have work of their own, which comes before what is inside.

    They say more than a reference, or what is inside are only tests of them and notes.
    """
    return frozenset(
        item.entry.place
        for item in items
        if item.entry.inner
        and details[item.entry.place].fields.get("mode") != Mode.VERIFY
        and _leads(item.entry, marked, details)
    )


def _leads(entry: item_order.Entry, marked: Sequence[Marked], details: Sequence[Details]) -> bool:
    if _says_work(details[entry.place]):
        return True
    inside = (marked[each.place].title for each in _inside(entry))
    of_tests = _ON_TESTS.search(marked[entry.place].title)
    return of_tests is None and all(map(_OF_IT.match, inside))


def _says_work(found: Details) -> bool:
    lines = str(found.fields.get("description", "")).split("\n")
    return not all(map(_REMARK.fullmatch, lines))


def kept(items: Sequence[Item], gone: Collection[int]) -> list[Item]:
    """The items without those at the places `gone`, each at its place among the others."""
    if not gone:
        return list(items)
    left = [item for item in items if item.entry.place not in gone]
    new = {item.entry.place: place for place, item in enumerate(left)}
    return [item._replace(entry=_renumbered(item.entry, new)) for item in left]


def _renumbered(entry: item_order.Entry, new: Mapping[int, int]) -> item_order.Entry:
    inner = tuple(_renumbered(each, new) for each in entry.inner if each.place in new)
    return entry._replace(place=new[entry.place], inner=inner)


def outermost(items: Sequence[Item]) -> list[Item]:
    """The items that stand in no other."""
    inside = {inner.place for item in items for inner in item.entry.inner}
    return [item for item in items if item.entry.place not in inside]


def without_steps(items: Sequence[Item], is_named: Callable[[str], bool] = has_id) -> list[Item]:
    """The items of a list with ids, or other names, without the steps of a task that has one."""
    gone: set[int] = set()
    for item in items:
        inside = [each.place for each in _inside(item.entry)]
        if is_named(item.node.text) and not any(is_named(items[at].node.text) for at in inside):
            gone.update(inside)
    return kept(items, gone)


def _inside(entry: item_order.Entry) -> Iterator[item_order.Entry]:
    for each in entry.inner:
        yield each
        yield from _inside(each)


def around(items: Sequence[Item]) -> dict[int, int]:
    """By place, that of the item that it stands in."""
    return {inner.place: item.entry.place for item in items for inner in item.entry.inner}


def boxed_as_the_whole(items: Sequence[Item], wholes: Collection[int]) -> list[Item]:
    """The items; those in a whole that is optional, put off or cancelled are so, too."""
    found = list(items)
    for place, whole in sorted(around(items).items()):
        if whole not in wholes:
            continue
        node, box = found[place].node, found[whole].node
        if box.box in (DEFERRED, CANCELLED) and not (node.ticked or node.box):
            node = node._replace(box=box.box)
        if box.optional:
            node = node._replace(optional=True)
        found[place] = found[place]._replace(node=node)
    return found


def last(
    entry: item_order.Entry, depends: Mapping[int, Sequence[int]], leading: Collection[int]
) -> tuple[int, ...]:
    """The items right inside one, or inside those that lead, that no other of them waits for."""
    waited = {other for each in _inside(entry) for other in depends[each.place]}
    ends: list[int] = []
    for each in entry.inner:
        ends += last(each, depends, leading) if each.place in leading else (each.place,)
    return tuple(place for place in ends if place not in waited)


def tasks_in(item: Item, wholes: Collection[int]) -> list[int]:
    """The places of the tasks in an item, without its own."""
    return [each.place for each in _inside(item.entry) if each.place not in wholes]


def steps(node: Node) -> list[Node]:
    """The boxes inside a task that are steps of it."""
    found = [inner for inner in node.nodes if inner.ticked is not None]
    return [each for inner in found for each in (inner, *steps(inner))]


def open_steps(node: Node) -> Node:
    """A step as it was before it was ticked: which are is said apart."""
    if node.ticked is None:
        return node
    lines = [each.line - node.line + 1 for each in (node, *steps(node))]
    raw = tick_in_place.boxes(f"- {node.raw}", lines, sign=" ")
    return node._replace(raw=raw.removeprefix("- "))
