"""Import a Markdown task list: smart-ralph's, spec-kit's, any forge's, or our own export.

Headings become stories, the order dependencies (`order`), what stands below an item its fields
(`details`). A list is of the kind whose order is meant when an item has a marker ([P], [VERIFY],
[SEQUENTIAL]) or more than half of them have an id. Items without an id are called after their
words, so that one put between them changes no other's id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ralphgit.errors import InvalidRecord
from ralphgit.model.printable import counted
from ralphgit.model.task_status import Mode, Status
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.importer import LIKELY, NO, Importer
from ralphgit.records.importers.parts import (
    exported_checklist,
    headings,
    item_order,
    listed_items,
    markdown_items,
    tick_in_place,
)
from ralphgit.records.importers.parts.field_mapping import in_order, task_of
from ralphgit.records.importers.parts.item_details import (
    Marked,
    details,
    has_id,
    marked,
    references,
    spelled_out,
)
from ralphgit.records.importers.parts.listed_items import Item
from ralphgit.records.importers.parts.markdown_items import (
    CANCELLED,
    DEFERRED,
    MEANINGS,
    UNDER_WAY,
    Node,
    looks_like_box,
)
from ralphgit.records.importers.parts.source_values import MISSING, safe_names
from ralphgit.records.importers.parts.suggested_scope import SUGGESTED, paths_of, suggestion
from ralphgit.records.importers.source_file import Form, SourceFile

#: They come last, those that are put off after those that are optional.
_OPTIONAL, _PUT_OFF = 4, 5
_EXAMPLES = ("markdown", "md", "")
#: Why a line that looks like an item is none.
_NO_WORDS = "a box without words"
_NO_BOX = "what looks like a box has a sign that means nothing (the setting import.marks adds one)"
_ELSEWHERE = "in a code block, a comment or a quotation"
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
        return exported_checklist.tasks(name, [(item.node, item.heading) for item in items], log)
    return _Reader(name, _with_ids(items, log), log).imported()


def _with_ids(items: list[Item], log: Log) -> list[Item]:
    """Without what stands below headings where no item has an id, in a list of items with ids.

    That is somebody's check list beside the tasks, such as what goes into a pull request.
    """
    if not _has_ids(items):
        return items
    good = {item.entry.section for item in items if has_id(item.node.text)}
    left = [item for item in items if item.entry.section not in good]
    if not left:
        return items
    log.ignore(_CHECK_LIST, (item.line for item in left))
    places = {item.entry.place for item in left}
    kept = [item for item in items if item.entry.place not in places]
    new = {item.entry.place: place for place, item in enumerate(kept)}
    return [item._replace(entry=_renumbered(item.entry, new)) for item in kept]


def _renumbered(entry: item_order.Entry, new: Mapping[int, int]) -> item_order.Entry:
    inner = tuple(_renumbered(each, new) for each in entry.inner)
    return entry._replace(place=new[entry.place], inner=inner)


def _has_ids(items: Sequence[Item]) -> bool:
    return 2 * sum(has_id(item.node.text) for item in items) > len(items)


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
    named = {line for item in items for line in range(item.line, item.end + 1)}
    for reason, line in _passed_over(file.blocks):
        log.ignore(reason, [line])
        named.add(line)
    others = markdown_items.lines_like_items(file.body)
    log.ignore(_ELSEWHERE, (line for line in others if line not in named))


def _passed_over(nodes: Sequence[Node]) -> Iterator[tuple[str, int]]:
    """The items that look like tasks, and are none: why, and their lines."""
    for node in nodes:
        if node.kind == "item" and node.ticked is not None and not node.text:
            yield _NO_WORDS, node.line
        elif node.kind == "item" and node.ticked is None and looks_like_box(node.text):
            yield _NO_BOX, node.line
        yield from _passed_over(node.nodes)


# -- tasks ---------------------------------------------------------------------------------


class _Reader:
    def __init__(self, name: str, items: Sequence[Item], log: Log) -> None:
        self._name, self._items, self._log = name, items, log
        ids = _has_ids(items)
        self._marked = [marked(item.node.text, ids=ids) for item in items]
        self._ordered = ids or any(
            item.entry.parallel or words.mode
            for item, words in zip(items, self._marked, strict=True)
        )
        self._sources = self._ids()
        self._calls: dict[str, str] | None = None

    def imported(self) -> Imported:
        names = safe_names(self._sources, self._log)
        depends = self._depends()
        tasks = []
        for place, item in enumerate(self._items):
            source = self._sources[place]
            before = [names[self._sources[other].casefold()] for other in depends[place]]
            tasks.append(self._task(names[source.casefold()], place, item, before, names))
        self._tell_shared(tasks, depends)
        if any(depends.values()):
            how = "the list" if self._ordered else "numbers and nesting in the list"
            self._log.note(f"Dependencies were made from the order of {how}.")
        self._tell_boxes()
        stories = headings.stories(item.heading for item in self._items)
        found = self._log.imported(tasks, stories, local=True)
        ids = [names[source.casefold()] for source in self._sources]
        return found._replace(
            made=frozenset(id for id, words in zip(ids, self._marked, strict=True) if not words.id),
            lines={id: item.line for id, item in zip(ids, self._items, strict=True)},
        )

    def _task(
        self, new: str, place: int, item: Item, before: list[str], names: Mapping[str, str]
    ) -> dict[str, object]:
        words, node = self._marked[place], item.node
        found = details(words.title, words.mode, _below(node))
        fields: dict[str, object] = {
            "title": words.title or words.id or new,
            "status": _status(node).value,
            **found.fields,
        }
        if node.box and node.box != CANCELLED:
            fields["x-box"] = node.box
        if node.optional:
            fields["x-optional"] = True
        if _is_put_off(node):
            fields["priority"] = _PUT_OFF if node.box == DEFERRED else _OPTIONAL
        heading = item.heading.story if item.heading else ""
        if words.story or heading:
            fields["story"] = words.story or heading
        if words.story and heading:
            fields["milestone"] = heading
        if found.depends_on is not None:
            known = self._called(names)
            order = [names[source.casefold()] for source in self._sources]
            refs, missing = references(spelled_out(found.depends_on, known, order), known)
            before = [ref for ref in refs if ref != new]
            if missing:
                fields[MISSING] = missing
                self._log.note(
                    f"{new} depends on {', '.join(missing)}, not in the list: kept aside."
                )
        fields["depends_on"] = before
        if found.named and words.mode != Mode.VERIFY and not {"scope", SUGGESTED} & fields.keys():
            fields[SUGGESTED] = suggestion(found.named)
        if found.commit:
            fields["x-commit"] = found.commit
        if words.id and new != words.id:
            fields["x-id"] = words.id
        if found.strange:
            self._log.note(f"{new}: not read as paths: {', '.join(found.strange)[:120]}")
        return in_order(task_of(new, fields, self._log, ""))

    def _tell_shared(
        self, tasks: Sequence[Mapping[str, object]], depends: Mapping[int, tuple[int, ...]]
    ) -> None:
        """Say which items are marked as parallel, and name the same file."""
        rows: dict[tuple[tuple[int, ...], str], list[str]] = {}
        for place, item in enumerate(self._items):
            for path in paths_of(tasks[place]) if item.entry.parallel else ():
                rows.setdefault((depends[place], path), []).append(str(tasks[place]["id"]))
        shared: dict[tuple[str, ...], list[str]] = {}
        for (_, path), ids in rows.items():
            if len(ids) > 1:
                shared.setdefault(tuple(ids), []).append(path)
        for several, paths in shared.items():
            names, same = ", ".join(several), ", ".join(paths)
            self._log.note(f"{names} are marked as parallel, and name the same: {same}.")

    def _called(self, names: Mapping[str, str]) -> Mapping[str, str]:
        """Each task by what it may be called: by its title, where no other has that, and its id."""
        if self._calls is None:
            titles = Counter(words.title.casefold() for words in self._marked)
            self._calls = {
                words.title.casefold(): names[source.casefold()]
                for words, source in zip(self._marked, self._sources, strict=True)
                if titles[words.title.casefold()] == 1
            }
            self._calls.update(names, **{name.casefold(): name for name in names.values()})
        return self._calls

    def _tell_boxes(self) -> None:
        """Say what boxes mean that are neither open nor ticked."""
        aside = sum(_is_put_off(item.node) for item in self._items)
        if aside:
            self._log.note(
                f"{counted(aside, 'item')} put off or optional: nothing waits for them, and they "
                f"come last (priority {_OPTIONAL}, {_PUT_OFF})."
            )
        for box in dict.fromkeys(item.node.box for item in self._items):
            lines = [str(item.line) for item in self._items if item.node.box == box]
            if box == UNDER_WAY:
                what = "marked as under way, which nobody has claimed here: pending"
            elif box and box not in MEANINGS:
                what = f"marked [{box}], which means nothing here: pending"
            else:
                continue
            more = ", ..." if lines[10:] else ""
            self._log.note(
                f"{counted(len(lines), 'item')} {what} (line {', '.join(lines[:10])}{more})."
            )

    def _depends(self) -> dict[int, tuple[int, ...]]:
        inside = {inner.place for item in self._items for inner in item.entry.inner}
        top = [item.entry for item in self._items if item.entry.place not in inside]
        order = item_order.meant if self._ordered else item_order.plain
        aside = {
            item.entry.place
            for item in self._items
            # Also of what is optional and done: ticking it changes nothing else.
            if _is_put_off(item.node) or item.node.optional or item.node.box == CANCELLED
        }
        try:
            return item_order.passing(order(top), aside)
        except item_order.TooMany:
            message = f"the order of the list makes more than {item_order.MOST} dependencies"
            hint = "put a [VERIFY] item between long rows of [P] items, or split the file"
            raise InvalidRecord(message, file=self._name, code="too_large", hint=hint) from None

    def _ids(self) -> list[str]:
        """Each item's own id, else one made from its words; all different by case-folding.

        Raises: InvalidRecord (duplicate_id).
        """
        seen: dict[str, int] = {}
        for item, words in zip(self._items, self._marked, strict=True):
            if not words.id:
                continue
            line = seen.setdefault(words.id.casefold(), item.line)
            if line != item.line:
                raise InvalidRecord(
                    f"two items have the id {words.id}; the first is in line {line}",
                    file=self._name, line=item.line, column=item.node.column + len("[ ] "),
                    task=words.id, code="duplicate_id",
                    hint="ids must differ by more than case: rename one",
                )  # fmt: skip
        slugs = [headings.slug(words.title) for words in self._marked]
        often = Counter(
            slug for slug, words in zip(slugs, self._marked, strict=True) if not words.id
        ) + Counter(seen.keys())
        return [self._id(item, words, slug, often, seen) for item, words, slug in zip(
            self._items, self._marked, slugs, strict=True)]  # fmt: skip

    def _id(
        self, item: Item, words: Marked, slug: str, often: Counter[str], seen: dict[str, int]
    ) -> str:
        if words.id:
            return words.id
        made = slug
        # Of several with the same words, each is identified by its position.
        path = "\n".join(item.path)
        number = 1
        while often[made] > 1 or made in seen:
            made = f"{slug}-{headings.digest(path if number == 1 else f'{path}{number}')}"
            number += 1
        seen[made] = item.line
        return made


def _is_put_off(node: Node) -> bool:
    """Whether an item is open, and comes last."""
    return _status(node) == Status.PENDING and (node.optional or node.box == DEFERRED)


def _status(node: Node) -> Status:
    if node.box == CANCELLED:
        return Status.CANCELLED
    return Status.COMPLETE if node.ticked else Status.PENDING


def _below(node: Node) -> list[Node]:
    """What stands in an item and is no task of its own."""
    return [inner for inner in node.nodes if inner.ticked is None]


IMPORTER = Importer(
    name="markdown",
    help="A task list: smart-ralph's, spec-kit's, any forge's, or export --format markdown.",
    sniff=_sniff,
    read=_read,
    tick=lambda file, raw, ids: tick_in_place.boxes(raw, (_read(file).lines[id] for id in ids)),
)
