"""Import a story of BMAD: one file, whose tasks and subtasks are steps of one piece of work."""

from __future__ import annotations

import re
from collections.abc import Collection

from ralphgit.model.task_status import Mode
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.importer import NO, SURE, Importer
from ralphgit.records.importers.parts import document_sections, document_task
from ralphgit.records.importers.parts.document_sections import Lines
from ralphgit.records.importers.source_file import Form, SourceFile

_TITLE = re.compile(r"Story\s+([0-9]+)\.([0-9]+[a-z]?)\s*[:.\u2013\u2014-]?\s*(.*)", re.IGNORECASE)
_SECTIONS = frozenset({"acceptance criteria", "tasks / subtasks", "tasks/subtasks", "tasks"})
#: Others that a story has; with these, one of the above is enough.
_OTHERS = frozenset({"status", "story", "dev notes", "dev agent record", "qa results"})
#: `Status: Done`, or a heading with the word below it.
_STATUS = re.compile(
    r"^(?:#{1,6}[ \t]+Status[ \t]*\r?\n\s*|(?:#{1,6}[ \t]+)?[*_]*Status[*_]*[ \t]*:[*_]*[ \t]*)"
    r"[*_]*(?P<word>[A-Za-z]+(?:[ _-][A-Za-z]+){0,3})[^\r\n]*\r?$\n?",
    re.IGNORECASE | re.MULTILINE,
)
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
    known = below & (_SECTIONS | _OTHERS)
    return found if below & _SECTIONS and len(known) > 1 else None


def _read(file: SourceFile) -> Imported:
    """One task. Stories of an epic build on each other: none runs beside another one of it."""
    body, log = file.behind_front_matter, Log()
    lines = document_sections.lines_of(body)
    title = _title(lines)
    if title is None:
        raise file.refused("there is no story of BMAD in this file")
    fields: dict[str, object] = {
        "title": title[3] or title[0],
        "status": _status(body),
        "story": f"epic-{title[1]}",
        "mode": Mode.SEQUENTIAL.value,
    }
    # It changes as the story is worked on, and is no part of what is to be done.
    said = _STATUS.search(body)
    plain = body[: said.start()] + body[said.end() :] if said else body
    task = document_task.task(f"{title[1]}.{title[2]}", fields, plain, log)
    return log.imported([task], {}, local=True)


def _status(body: str) -> str:
    said = _STATUS.search(body)
    word = "-".join(said["word"].casefold().replace("_", " ").split()) if said else "pending"
    return _STATUSES.get(word, word)


def _tick(file: SourceFile, raw: str, ids: Collection[str]) -> str:
    """Set the status to Done; a story without one cannot say it."""
    found = _STATUS.search(raw)
    return f"{raw[: found.start('word')]}Done{raw[found.end('word') :]}" if found and ids else raw


IMPORTER = Importer(
    name="bmad",
    help="A story of BMAD (1.2.story.md), whose tasks are steps of one piece of work.",
    sniff=_sniff,
    read=_read,
    tick=_tick,
)
