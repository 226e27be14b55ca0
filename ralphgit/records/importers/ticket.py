"""Import a Markdown ticket: one task behind YAML front matter."""

from __future__ import annotations

from ralphgit.records.importers.import_format import LIKELY, NO, SURE, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import (
    document_sections,
    document_task,
    markdown_items,
    tick_in_place,
)
from ralphgit.records.importers.parts.source_values import source_id
from ralphgit.records.importers.source_file import SourceFile

#: Fields that say of front matter that it is a ticket's.
_FIELDS = frozenset({"id", "title", "status", "depends_on"})
#: Sections of one task, in which boxes are no tasks of their own.
_CHECKED = frozenset({
    "acceptance", "acceptance criteria", "success criteria", "definition of done", "done when",
    "dependencies", "checklist", "verification", "test plan", "testing",
})  # fmt: skip


#: What GSD says of a phase in front of its reports.
_REPORT = frozenset({"verified", "score", "plan", "nyquist_compliant", "source", "subsystem"})


def _sniff(file: SourceFile) -> int:
    front = file.front_matter.keys()
    if "phase" in front and "id" not in front and front & _REPORT:
        return NO
    if not front & _FIELDS or front & {"nodes", "tasks"}:
        return NO
    if "id" in front:
        return SURE
    if not file.may_hold_list():
        return LIKELY
    # A document with a task list says in its front matter what the document is.
    return SURE if "status" in front and _only_checks(file.behind_front_matter) else NO


def _only_checks(body: str) -> bool:
    """Whether boxes stand in sections alone that say when one task is done."""
    title = ""
    for level, words in document_sections.lines_of(body):
        if level > 0:
            title = words.strip(" :*_").casefold()
        elif level == 0 and title not in _CHECKED and markdown_items.may_hold_tasks(words):
            return False
    return True


def _read(file: SourceFile) -> Imported:
    front, log = dict(file.front_matter), Log()
    if written := file.front_matter_words("id"):
        front["id"] = written[0]
    elif "id" not in front and "status" in front:
        # One task a file, and the file is called by it.
        front["id"] = file.name.replace("\\", "/").rpartition("/")[2].removesuffix(".md")
    called = not written and "id" not in file.front_matter
    source = source_id(file.name, front, "the front matter", 1)
    if not front.get("title") and front.get("name"):
        front["title"] = front.pop("name")
    if refs := file.front_matter_words("depends_on"):
        front["depends_on"] = refs
    task = document_task.task(source, front, file.behind_front_matter, log)
    return log.imported([task], {})._replace(called=called)


IMPORTER = Importer(
    name="ticket",
    help="Markdown behind YAML front matter with an id or a status: one task a file.",
    sniff=_sniff,
    read=_read,
    tick=lambda file, raw, ids: tick_in_place.finished(file, raw, ids, "complete"),
)
