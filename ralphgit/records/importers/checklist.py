"""Import a Markdown task list: smart-ralph's, spec-kit's, any forge's, or our own export.

Headings become stories, the order dependencies (`order`), what stands below an item its fields
(`details`). A list is of the kind whose order is meant when an item has a marker ([P], [VERIFY],
[SEQUENTIAL]) or more than half of them have an id. Items without an id are called after their
words, so that one put between them changes no other's id.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from ralphgit.model.task_status import Status
from ralphgit.records.importers.import_format import LIKELY, NO, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import (
    exported_checklist,
    item_ids,
    item_order,
    list_notes,
    list_tasks,
    listed_items,
    markdown_items,
    nested_items,
    task_waves,
    tick_in_place,
)
from ralphgit.records.importers.parts.item_details import has_id, marked
from ralphgit.records.importers.parts.listed_items import Item
from ralphgit.records.importers.parts.markdown_items import (
    DEFERRED,
    UNDER_WAY,
    Node,
    looks_like_box,
)
from ralphgit.records.importers.source_file import Form, SourceFile

_EXAMPLES = ("markdown", "md", "")
#: Why a line that looks like an item is none.
_NO_WORDS = "a box without words"
_PLACEHOLDER = "nothing is written behind the box yet"
_NO_BOX = "what looks like a box has a sign that means nothing (the setting import.marks adds one)"
#: The template's own words on its marker: "[P] tasks = different files, no dependencies".
_LEGEND = re.compile(
    r"\[[A-Za-z]\]\s+(?:(?:tasks|items)\s+(?:can|may|are|run)\b"
    r"|(?:(?:tasks?|items?)\s+)?(?:means?|marks)\b|(?:[^\W\d_]+\s+)?=\s)"
)
#: Before the words of a task of Conductor.
_LABEL = re.compile(r"(?:\*\*)?Task:(?:\*\*)?\s+(?=\S)", re.IGNORECASE)
_NO_MARK = "a box without the mark of an item before it, as in - [ ]"
_ELSEWHERE = "in a code block, a comment or a quotation"
_AGAIN = "it stands above with the same id and the same words"
_CHECK_LIST = "without an id, below a heading where no item has one"


def _sniff(file: SourceFile) -> int:
    if file.form is not Form.TEXT or not file.may_hold_list():
        return NO
    return LIKELY if _list(file) or list(_examples(file, file.blocks)) else NO


def _is_export(file: SourceFile) -> bool:
    return bool(file.blocks) and exported_checklist.is_export(file.blocks[0])


def _list(file: SourceFile) -> list[Item]:
    return list(listed_items.items(file.blocks, exported=_is_export(file), bullets=file.bullets))


def _read(file: SourceFile) -> Imported:
    """The tasks of a document.

    Raises: InvalidRecord (duplicate_id, too_large, invalid_record).
    """
    name, log, items = file.name, Log(), _list(file)
    if not items:
        items = list(_examples(file, file.blocks))
        if not items:
            raise file.refused("there is no task list in this file")
        log.note(
            "The document has no task list but in its code blocks: "
            f"{len(items)} tasks were read from there."
        )
    _name_others(file, items, log)
    if _is_export(file):
        pairs = [(item.node, item.heading) for item in items]
        return exported_checklist.tasks(name, pairs, log, file.blocks)
    log.notes(list_notes.unread(listed_items.unread(file.blocks)))
    if _has_ids(items):
        waves = task_waves.find(file.blocks)
        return list_tasks.imported(name, _with_ids(items, log), log, ids=True, waves=waves)
    outer = nested_items.outermost(items)
    if 2 * sum(_is_labelled(item.node.text) for item in outer) > len(outer):
        # As Conductor writes them: each in its turn, with its steps inside.
        items = [*map(_unlabelled, nested_items.without_steps(items, _is_labelled))]
        return list_tasks.imported(name, items, log, ids=False, ordered=True)
    return list_tasks.imported(name, items, log, ids=False)


def _is_labelled(text: str) -> bool:
    return _LABEL.match(text) is not None


def _unlabelled(item: Item) -> Item:
    """A task of Conductor without its label; there `[~]` is what somebody has begun."""
    node = item.node
    box = UNDER_WAY if node.box == DEFERRED else node.box
    return item._replace(node=node._replace(text=_LABEL.sub("", node.text), box=box))


def _with_ids(items: list[Item], log: Log) -> list[Item]:
    """Without what stands below headings where no item has an id, in a list of items with ids.

    That is somebody's check list beside the tasks, such as what goes into a pull request.
    """
    good = {item.entry.section for item in items if not item.closing and has_id(item.node.text)}
    left = [item for item in items if item.entry.section not in good and not item.closing]
    log.ignore(_CHECK_LIST, (item.line for item in left))
    kept = nested_items.kept(items, {item.entry.place for item in left})
    kept = nested_items.without_steps(kept)
    again = item_ids.repeated(kept, [marked(item.node.text, ids=True) for item in kept])
    log.ignore(_AGAIN, (item.line for item in kept if item.entry.place in again))
    return nested_items.kept(kept, again)


def _has_ids(items: Sequence[Item]) -> bool:
    """Whether more than half of the items have an id, or of those that stand in no other."""
    tasks = [item for item in items if not item.closing]
    return any(
        2 * sum(has_id(item.node.text) for item in some) > len(some)
        for some in (tasks, [one for one in nested_items.outermost(items) if not one.closing])
    )


def _examples(file: SourceFile, nodes: Sequence[Node]) -> Iterator[Item]:
    """The tasks in blocks of Markdown code, one list after the other."""
    found: list[Item] = []
    for fence in _fences(nodes):
        before = len(found)
        blocks = markdown_items.read(file.name, fence.text, file.boxes)
        for item in listed_items.items(blocks, exported=False):
            entry = _moved(item.entry, before)
            found.append(item._replace(entry=entry, line=item.line + fence.line))
    yield from found


def _moved(entry: item_order.Entry, by: int) -> item_order.Entry:
    inner = tuple(_moved(each, by) for each in entry.inner)
    return entry._replace(place=entry.place + by, section=entry.section + by, inner=inner)


def _fences(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        if node.kind == "fence" and node.language in _EXAMPLES:
            yield node
        yield from _fences(node.nodes)


def _name_others(file: SourceFile, items: Sequence[Item], log: Log) -> None:
    """Name the lines that look like items, and are neither a task nor a part of one."""
    named = {line for item in items for line in item.lines}
    named |= _legend(file.blocks)
    blocks = file.blocks
    if _is_export(file):  # What stands in its items is what these are about.
        named.update(*(listed_items.lines(node, node.line) for node in blocks
                       if node.kind == "fence"))  # fmt: skip
        blocks = tuple(node._replace(nodes=()) for node in blocks)
    for reason, line in _passed_over(blocks):
        log.ignore(reason, [line])
        named.add(line)
    log.ignore(_NO_MARK, markdown_items.unmarked(blocks))
    others = markdown_items.lines_like_items(file.body)
    log.ignore(_ELSEWHERE, (line for line in others if line not in named))


def _is_unknown_box(words: str) -> bool:
    return looks_like_box(words) and not _LEGEND.match(words)


def _legend(nodes: Sequence[Node]) -> set[int]:
    """The lines that say what a marker means."""
    own = {node.line for node in nodes if node.kind == "item" and _LEGEND.match(node.text)}
    return own.union(*(_legend(node.nodes) for node in nodes))


def _passed_over(nodes: Sequence[Node]) -> Iterator[tuple[str, int]]:
    """The items that look like tasks, and are none: why, and their lines."""
    for node in nodes:
        if node.kind == "item" and node.ticked is not None and listed_items.says_nothing(node):
            yield _PLACEHOLDER if node.text else _NO_WORDS, node.line
        elif node.kind == "item" and node.ticked is None and _is_unknown_box(node.text):
            yield _NO_BOX, node.line
        yield from _passed_over(node.nodes)


def _tick(file: SourceFile, raw: str, ids: Collection[str]) -> str:
    """Tick the items of some tasks, and those around them in which nothing is left to do."""
    found = _read(file)
    done = {str(one["id"]) for one in found.tasks if one["status"] == Status.COMPLETE} | {*ids}
    lines = [line for id in ids for line in found.boxes.get(id, (found.lines[id],))]
    lines += [line for line, inside in found.wholes.items() if done.issuperset(inside)]
    return tick_in_place.boxes(raw, lines)


IMPORTER = Importer(
    name="markdown",
    help="A task list: smart-ralph's, spec-kit's, any forge's, or export --format markdown.",
    sniff=_sniff,
    read=_read,
    tick=_tick,
)
