"""Import a plan of Cursor: what is to be done stands in the front matter, how it is below.

    ---
    name: Login
    todos:
      - id: form
        content: Draw the form
        status: pending
    ---

The body is about all of it, so it is the background of each task.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from ralphgit.model.offered_scope import SUGGESTED
from ralphgit.model.task_status import Status
from ralphgit.records.importers.import_format import NO, SURE, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import (
    headings,
    paths_in_prose,
    plan_sections,
    tick_in_place,
)
from ralphgit.records.importers.parts.field_mapping import in_order, status_of, task_of
from ralphgit.records.importers.parts.front_matter import FENCED
from ralphgit.records.importers.parts.item_order import Chain
from ralphgit.records.importers.parts.markdown_items import code_spans
from ralphgit.records.importers.parts.source_values import (
    MISSING,
    as_mapping,
    as_word,
    safe_id,
    safe_names,
    unique_ids,
)
from ralphgit.records.importers.parts.suggested_scope import suggestion
from ralphgit.records.importers.source_file import SourceFile

_LIST = "todos"
_WORDS = "content"
_STATUSES = {"completed": Status.COMPLETE}
_BELOW = "it stands below the plan's todos, and says how they are done"
#: Read into fields of ours.
_READ = frozenset({"id", _WORDS, "status", "dependencies"})
_STATUS = re.compile(r"(?m)^(?P<key>[ \t]+(?:-[ \t]+)?status[ \t]*:[ \t]*)(?P<word>[^\s#]+)")
_HEAD = re.compile(rf"^{_LIST}[ \t]*:[ \t]*\r?\n", re.MULTILINE)


def _todos(file: SourceFile) -> list[dict[str, object]]:
    """What is to be done; one without an id is called after its words."""
    listed = file.front_matter.get(_LIST)
    entries = [as_mapping(entry) for entry in listed] if isinstance(listed, list) else []
    if not entries or any(entry is None or not as_word(entry.get(_WORDS)) for entry in entries):
        return []
    return [
        {**entry, "id": as_word(entry.get("id")) or headings.slug(str(entry[_WORDS]))}
        for entry in entries
        if entry is not None
    ]


def _sniff(file: SourceFile) -> int:
    return SURE if _todos(file) else NO


def _read(file: SourceFile) -> Imported:
    """A task for each of them, in their order: each after the one before, if none says otherwise.

    Raises: InvalidRecord (duplicate_id).
    """
    todos = _todos(file)
    if not todos:
        raise file.refused("there is no plan of Cursor in this file")
    log = Log()
    boxes = (node for node in plan_sections.flat(file.blocks) if node.ticked is not None)
    log.ignore(_BELOW, [node.line for node in boxes])
    lines = [_line(file.text, span) for span in _entries(file.text)]
    lines = lines if len(lines) == len(todos) else [1] * len(todos)
    sources = unique_ids(file.name, list(zip(lines, todos, strict=True)))
    names = safe_names(sources, log)
    told = any("dependencies" in todo for todo in todos)
    title = as_word(file.front_matter.get("name")) or ""
    heading = headings.read(title) if title else None
    tasks: list[dict[str, object]] = []
    chain = Chain()
    for source, todo in zip(sources, todos, strict=True):
        new, words = names[source.casefold()], str(todo[_WORDS]).strip()
        status = status_of(todo.get("status") or "pending", _STATUSES)
        fields: dict[str, object] = {
            "title": words.partition("\n")[0],
            "status": status.value if status else todo.get("status"),
            **{key: value for key, value in todo.items() if key not in _READ},
        }
        if "\n" in words:
            fields["description"] = words
        if heading:
            fields["story"] = heading.story
        if source != new:
            fields["x-id"] = source
        if touched := paths_in_prose.named(words, code_spans(words)):
            fields[SUGGESTED] = suggestion(touched)
        done = status is Status.COMPLETE
        _depend(fields, todo, names, chain.waits(done=done), told=told)
        if status is not Status.CANCELLED:
            chain.add(new, done=done)
        tasks.append(in_order(task_of(new, fields, log, "")))
    where = {names[source.casefold()]: line for source, line in zip(sources, lines, strict=True)}
    if not told and len(tasks) > 1:
        log.note("Dependencies were made from the order of the list.")
    return log.imported(tasks, _story(file, heading), local=True)._replace(lines=where)


def _depend(
    fields: dict[str, object], todo: dict[str, object], names: dict[str, str],
    before: Sequence[str], *, told: bool,
) -> None:  # fmt: skip
    """Say what a task waits for: what it names, or the task before it where none names any."""
    if not told:
        fields["depends_on"] = list(before)
        return
    listed = todo.get("dependencies")
    refs = [word for ref in (listed if isinstance(listed, list) else ()) if (word := as_word(ref))]
    fields["depends_on"] = [names[ref.casefold()] for ref in refs if ref.casefold() in names]
    if missing := [ref for ref in refs if ref.casefold() not in names]:
        fields[MISSING] = missing


def _story(file: SourceFile, heading: headings.Heading | None) -> dict[str, object]:
    """The plan as a story: what it is for, and how it is to be done."""
    if heading is None:
        return {}
    overview = as_word(file.front_matter.get("overview")) or ""
    said = "\n\n".join(one for one in (overview, file.behind_front_matter.strip()) if one)
    story: dict[str, object] = {"id": heading.story, "title": heading.title}
    return {"stories": [{**story, "description": said} if said else story]}


def _entries(raw: str) -> list[tuple[int, int]]:
    """Where each entry of the list stands in the front matter."""
    front = FENCED.match(raw)
    head = _HEAD.search(front[0]) if front else None
    if front is None or head is None:
        return []
    text = front[0][head.end() :]
    end = next((one.start() for one in re.finditer(r"(?m)^[^\s#-]|^---", text)), len(text))
    indent = re.escape(text[: len(text) - len(text.lstrip(" "))])
    starts = [one.start() for one in re.finditer(rf"(?m)^{indent}-[ \t]", text[:end])]
    return [
        (head.end() + start, head.end() + stop)
        for start, stop in zip(starts, [*starts[1:], end], strict=False)
    ]


def _line(raw: str, span: tuple[int, int]) -> int:
    return raw.count("\n", 0, span[0]) + 1


def _tick(file: SourceFile, raw: str, ids: Collection[str]) -> str:
    """Set the status of these to completed; one without a status gets one."""
    edits = []
    for (start, end), todo in zip(_entries(raw), _todos(file), strict=True):
        if safe_id(str(todo["id"])) not in ids:
            continue
        if found := _STATUS.search(raw, start, end):
            edits.append((*found.span("word"), "completed"))
            continue
        entry = raw[start:end]
        indent = " " * (len(entry) - len(entry.lstrip("- \t")))
        eol = "\r\n" if "\r\n" in raw else "\n"
        at = start + len(entry.rstrip()) + (len(eol) if entry.rstrip() != entry else 0)
        edits.append((at, at, f"{indent}status: completed{eol}"))
    return tick_in_place.edited(raw, edits)


IMPORTER = Importer(
    name="cursor",
    help="A plan of Cursor (*.plan.md): todos in the front matter, and below it how to do them.",
    sniff=_sniff,
    read=_read,
    tick=_tick,
)
