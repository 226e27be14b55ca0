"""Say what of a Markdown list a person may not expect, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ralphgit.model.offered_scope import paths_of
from ralphgit.model.printable import counted
from ralphgit.records.importers.parts.item_details import Marked
from ralphgit.records.importers.parts.listed_items import Item
from ralphgit.records.importers.parts.markdown_items import MEANINGS, UNDER_WAY, Node
from ralphgit.records.importers.parts.source_values import short


def shared_files(
    items: Sequence[Item],
    tasks: Mapping[int, Mapping[str, object]],
    depends: Mapping[int, tuple[int, ...]],
) -> Iterator[str]:
    """Say which items are marked as parallel, and name the same file."""
    rows: dict[tuple[tuple[int, ...], str], list[str]] = {}
    for place, task in tasks.items():
        for path in paths_of(task) if items[place].entry.parallel else ():
            rows.setdefault((depends[place], path), []).append(str(task["id"]))
    shared: dict[tuple[str, ...], list[str]] = {}
    for (_, path), ids in rows.items():
        if len(ids) > 1:
            shared.setdefault(tuple(ids), []).append(path)
    for several, paths in shared.items():
        names, same = ", ".join(several), ", ".join(paths)
        yield f"{names} are marked as parallel, and name the same: {same}."


def groups(wholes: Sequence[Item], leads: Sequence[Item]) -> Iterator[str]:
    """Say which items around others are no tasks, and which come before those."""
    if wholes:
        yield (
            f"{counted(len(wholes), 'item')} with items inside: no task but what these are "
            f"parts of, and done when they are ({_lines(wholes)})."
        )
    if leads:
        yield (
            f"{counted(len(leads), 'item')} with items inside and work beside them: a task that "
            f"comes before these ({_lines(leads)})."
        )


def markers(marked: Iterable[Marked]) -> Iterator[str]:
    """Say which markers mean nothing here."""
    words = dict.fromkeys(one for words in marked for one in words.unknown)
    if words:
        named = ", ".join(f"[{word}]" for word in list(words)[:10])
        yield f"Markers that mean nothing here stay in the titles: {named}."


def unread(headings: Iterable[Node]) -> Iterator[str]:
    """Say which sections of what holds in the end have no box, and so are no criteria."""
    for node in headings:
        yield f"{short(node.text)} (line {node.line}) has no boxes, and is not read."


def closing(items: Sequence[Item]) -> Iterator[str]:
    """Say which sections are criteria, and no work."""
    some = [item for item in items if item.closing]
    if some:
        yield (
            f"{counted(len(some), 'section')} of what holds at the end: a task that verifies it "
            f"({_lines(some)})."
        )


def boxes(items: Sequence[Item]) -> Iterator[str]:
    """Say what boxes mean that are neither open nor ticked."""
    for box in dict.fromkeys(item.node.box for item in items):
        some = [item for item in items if item.node.box == box]
        if box == UNDER_WAY:
            what = "marked as under way, which nobody has claimed here: pending"
        elif box and box not in MEANINGS:
            what = f"marked [{box}], which means nothing here: pending"
        else:
            continue
        yield f"{counted(len(some), 'item')} {what} ({_lines(some)})."


def _lines(items: Iterable[Item]) -> str:
    lines = [str(item.line) for item in items]
    return f"line {', '.join(lines[:10])}{', ...' if lines[10:] else ''}"
