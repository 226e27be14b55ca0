"""Import a task of Backlog.md: front matter, and sections between marks that are comments.

What it depends on and what it is a part of are in other files of the same folder. Its `ordinal`
is its place on the board, and so its place among the tasks of that folder.
"""

from __future__ import annotations

import math

from ralphgit.model.task_status import Status
from ralphgit.records.importers.import_format import NO, SURE, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import document_task, field_mapping, tick_in_place
from ralphgit.records.importers.parts.source_values import as_word, safe_id, short, source_id
from ralphgit.records.importers.source_file import SourceFile

_NEEDED = frozenset({"id", "title", "status"})
#: A ticket has some of these if Backlog.md has written it.
_KEYS = frozenset({"created_date", "updated_date", "ordinal", "parent_task_id"})
#: Changes with every command.
_COMPUTED = ("updated_date",)
#: The folder of what is done: what lies there stands on no board of Backlog.md.
_ENDED_IN = "completed"
_ENDED = (Status.COMPLETE, Status.CANCELLED)


def _sniff(file: SourceFile) -> int:
    front = file.front_matter.keys()
    return SURE if front >= _NEEDED and front & _KEYS else NO


def _read(file: SourceFile) -> Imported:
    front, log = dict(file.front_matter), Log()
    if not front.keys() >= _NEEDED:
        raise file.refused("there is no task of Backlog.md in this file")
    source = source_id(file.name, front, "the front matter", 1)
    for key in _COMPUTED:
        if front.pop(key, None) is not None:
            log.drop(key)
    depends = front.pop("dependencies", None)
    front["depends_on"] = file.front_matter_words("dependencies") or depends
    if (priority := field_mapping.priority_of(front.get("priority"))) is not None:
        front["priority"] = priority
    parent = safe_id(as_word(front.pop("parent_task_id", None)) or "")
    parent = parent if "parent_task_id" in file.front_matter else ""
    if parent:
        front["story"] = parent
    said = as_word(front["status"]) or ""
    in_folder = file.name.replace("\\", "/").split("/")[-2:-1] == [_ENDED_IN]
    if in_folder and field_mapping.status_of(said) not in _ENDED:
        front |= {"status": Status.COMPLETE.value, "x-status": said}
        log.note(f"it lies in {_ENDED_IN}/ with the status {short(said)}: that counts as complete.")
    place = front.get("ordinal")
    task = document_task.task(source, front, file.behind_front_matter, log)
    return log.imported([task], {})._replace(
        part_of=parent, rank=place if isinstance(place, int | float) else math.inf
    )


IMPORTER = Importer(
    name="backlog",
    help="A task of Backlog.md; import takes its folder as a whole.",
    sniff=_sniff,
    read=_read,
    tick=lambda file, raw, ids: tick_in_place.finished(file, raw, ids, "Done"),
)
