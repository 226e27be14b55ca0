"""Import a story of BMAD: one file, whose tasks and subtasks are steps of one piece of work."""

from __future__ import annotations

import re

from ralphgit.model.task_status import Mode
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.importer import NO, SURE, Importer
from ralphgit.records.importers.parts import document_sections, document_task
from ralphgit.records.importers.parts.document_sections import Lines
from ralphgit.records.importers.source_file import Form, SourceFile

_TITLE = re.compile(r"Story\s+([0-9]+)\.([0-9]+[a-z]?)\s*[:.\u2013\u2014-]?\s*(.*)", re.IGNORECASE)
_SECTIONS = frozenset({"acceptance criteria", "tasks / subtasks", "tasks/subtasks", "tasks"})
_STATUS = re.compile(r"[*_]*Status[*_]*\s*:[*_]*\s*(\S.*)", re.IGNORECASE)
_STATUSES = {
    "draft": "pending", "drafted": "pending", "approved": "pending", "backlog": "pending",
    "ready-for-dev": "pending", "ready": "pending", "review": "in-progress",
    "ready-for-review": "in-progress",
}  # fmt: skip


def _sniff(file: SourceFile) -> int:
    if file.form is not Form.TEXT or "Story" not in file.text:
        return NO
    return SURE if _title(document_sections.lines_of(file.behind_front_matter)) else NO


def _title(lines: Lines) -> re.Match[str] | None:
    """The story that the document is about: its first heading, above the sections of a story."""
    headings = [(level, words) for level, words in lines if level > 0]
    found = _TITLE.fullmatch(headings[0][1]) if headings else None
    below = {words.strip(" :*_").casefold() for level, words in headings[1:]}
    return found if len(below & _SECTIONS) > 1 else None


def _read(file: SourceFile) -> Imported:
    """One task. Stories of an epic build on each other: none runs beside another one of it."""
    body, log = file.behind_front_matter, Log()
    lines = document_sections.lines_of(body)
    title = _title(lines)
    if title is None:
        raise file.refused("there is no story of BMAD in this file")
    fields: dict[str, object] = {
        "title": title[3] or title[0],
        "status": _status(lines),
        "story": f"epic-{title[1]}",
        "mode": Mode.SEQUENTIAL.value,
    }
    task = document_task.task(f"{title[1]}.{title[2]}", fields, body, log)
    return log.imported([task], {}, local=True)


def _status(lines: Lines) -> str:
    """Behind `Status:`, or the first words below a heading of that name."""
    below = document_sections.section(lines, "status")
    said = [words.strip(" *_") for _, words in below if words.strip()]
    said += [found[1].strip(" *_") for _, words in lines if (found := _STATUS.fullmatch(words))]
    word = "-".join(said[0].casefold().replace("_", " ").split()) if said else "pending"
    return _STATUSES.get(word, word)


IMPORTER = Importer(
    name="bmad",
    help="A story of BMAD (1.2.story.md), whose tasks are steps of one piece of work.",
    sniff=_sniff,
    read=_read,
)
