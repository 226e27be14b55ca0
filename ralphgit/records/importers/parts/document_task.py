"""Make a task of a Markdown document that is about one: its front matter and its sections."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ralphgit.model.ids import is_id
from ralphgit.model.offered_scope import SUGGESTED
from ralphgit.records.importers.imported import Log
from ralphgit.records.importers.parts import document_sections
from ralphgit.records.importers.parts.document_sections import Item, Lines
from ralphgit.records.importers.parts.field_mapping import own_refs, task_of
from ralphgit.records.importers.parts.markdown_items import code_spans
from ralphgit.records.importers.parts.paths_in_prose import is_path, listed
from ralphgit.records.importers.parts.source_values import safe_id, safe_names, short
from ralphgit.records.importers.parts.suggested_scope import suggestion

#: A number that a tool has put before a criterion: `#2 It is shown`.
_NUMBERED = re.compile(r"#([0-9]+)\s+(?=\S)")
#: Of files that are to be changed; not of those that were.
_FILES = ("files", "files_to_modify", "affected_files")
_FILE_SECTIONS = (
    "files", "files to modify", "files to create", "files to create/modify", "files to update",
    "file to update", "file to create", "affected files", "files affected",
    "key files to modify", "files to change",
)  # fmt: skip
#: Sections whose boxes are criteria where none are called so.
_CHECKED = ("success criteria", "definition of done", "done when", "checklist")
#: What stands above some of the criteria: `**Contracts:**`.
_LABEL = re.compile(r"(\*\*|__)[^*_]+(?::\1|\1:)")
_MARKS = re.compile(r"^[ \t]*<!--\s*(?:[A-Z]+:)*(?:BEGIN|END)\s*-->[ \t]*\n?", re.MULTILINE)


def task(source: str, fields: dict[str, object], body: str, log: Log) -> dict[str, object]:
    """The task called `source` in its file: `fields`, and what `body` says beside them.

    What it depends on is in other files, so all of it stays in `depends_on`.
    """
    new = safe_names([source], log)[source.casefold()]
    if new != source:
        fields["x-id"] = source
    depends: dict[str, None] = {}
    for ref in own_refs(fields, new, log):
        depends[safe_id(ref)] = None
        if not is_id(ref):
            log.note(f"{new} depends on {ref!r}, written {safe_id(ref)} here.")
    fields["depends_on"] = list(depends)

    body = _MARKS.sub("", body)
    lines = document_sections.lines_of(body)
    if not fields.get("title"):
        heading = next((words for level, words in lines if level > 0 and words), "")
        if heading.casefold().startswith(source.casefold()):
            heading = heading[len(source) :].lstrip(" :.-\u2013\u2014") or heading
        _fill(fields, "title", heading)
    if fields.get("description") and body.strip():
        fields["x-description"] = fields["description"]
        log.note(f"{new} has a description and a body: the former is kept as x-description.")
    if body.strip():
        fields["description"] = body.strip()
    if not fields.get("acceptance"):
        section = document_sections.section(lines, "acceptance criteria", "acceptance")
        items, beside = document_sections.listed(section)
        if items and beside:
            log.note(f"{new} has text beside its acceptance list: it is in the description only.")
        beside = [one for one in beside if not _LABEL.fullmatch(one)]
        _fill(fields, "acceptance", criteria(items) or beside or criteria(_checked(lines)))
    _suggest(fields, lines)
    if not fields.get("outputs"):
        output = document_sections.section(lines, "output", "outputs", "output(s)")
        paths, others = _paths(output)
        _fill(fields, "outputs", paths)
        if others:
            shown = ", ".join(others)
            log.note(f"{new}: not read as paths in its output section: {short(shown)}.")
    return task_of(new, fields, log, "")


def _suggest(fields: dict[str, object], lines: Lines) -> None:
    """Offer as scope the files that the front matter lists, or a section of files to be changed."""
    if fields.get("scope"):
        return
    for key in _FILES:
        value = fields.get(key)
        paths = [listed(each) if isinstance(each, str) else None for each in value] if isinstance(
            value, list) else []  # fmt: skip
        if paths and None not in paths:
            del fields[key]
            fields[SUGGESTED] = suggestion([path for path in paths if path])
            return
    found: list[str] = []
    more: list[str] = []
    for title in _FILE_SECTIONS:
        for item in document_sections.listed(document_sections.section(lines, title))[0]:
            spans = code_spans(item.text) or (item.text.partition(" ")[0].rstrip(":,"),)
            path = listed(spans[0])
            (found if path else more).append(path or item.text)
    _fill(fields, SUGGESTED, suggestion(found, "; ".join(more)) if found else None)


def _checked(lines: Lines) -> list[Item]:
    """The boxes of the first section that says when the task is done, in other words."""
    for title in _CHECKED:
        items, _ = document_sections.listed(document_sections.section(lines, title))
        if boxes := [item for item in items if item.ticked is not None]:
            return boxes
    return []


def criteria(items: Sequence[Item]) -> list[dict[str, object]]:
    """Criteria by their numbers, where all have one, else by their order.

    A box that is ticked is a word of the source, and no evidence: `x-ticked`.
    """
    numbers = [found[1] if (found := _NUMBERED.match(item.text)) else "" for item in items]
    numbered = all(numbers) and len(set(numbers)) == len(numbers)
    made: list[dict[str, object]] = []
    for place, (item, number) in enumerate(zip(items, numbers, strict=True), start=1):
        text = _NUMBERED.sub("", item.text, count=1) if numbered else item.text
        made.append({"id": f"ACC-{number if numbered else place}", "text": text})
        if item.ticked:
            made[-1]["x-ticked"] = True
    return made


def criteria_in(text: str) -> list[object]:
    """The criteria that a text is: the items of its list, or all of it where it has more."""
    items, beside = document_sections.listed(document_sections.lines_of(text))
    return [*criteria(items)] if items and not beside else [text]


def _fill(fields: dict[str, object], key: str, value: object) -> None:
    """Put `value` under `key` when there is one."""
    if value:
        fields[key] = value


def _paths(lines: Lines) -> tuple[list[str], list[str]]:
    """What stands in backticks: what can be the path of one file or folder, and the rest."""
    spans: dict[str, None] = {}
    text = "\n".join(line.strip() for level, line in lines if level >= 0)
    for paragraph in text.split("\n\n"):
        parts = paragraph.split("`")
        for span in parts[1 : len(parts) - 1 : 2]:
            if span.strip():
                spans[span.strip()] = None
    paths = [span for span in spans if is_path(span)]
    return paths, [span for span in spans if span not in paths]
