"""Import a task of a ccpm epic: front matter without an id, in a file that is called by it.

`.claude/epics/EPIC/` has one such file for each task, `001.md` or by its issue `140.md`, and
`epic.md`, which describes them all.
"""

from __future__ import annotations

import re

from ralphgit.model.task_status import Mode, Status
from ralphgit.records.importers.import_format import NO, SURE, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import document_task, tick_in_place
from ralphgit.records.importers.parts.source_values import as_word, safe_id
from ralphgit.records.importers.source_file import SourceFile

_NEEDED = frozenset({"name", "status"})
_TASK = frozenset({"depends_on", "parallel", "conflicts_with"})
_EPIC = frozenset({"progress", "prd"})
#: What ccpm lets nobody take any more.
_ENDED = frozenset({"skipped", "wontfix"})
_NUMBER = re.compile(r"#?(?P<number>[0-9]+)(?P<letter>[a-z]?)(?:\.md)?")
#: Changes with every command.
_COMPUTED = ("updated",)


def _sniff(file: SourceFile) -> int:
    front = file.front_matter.keys()
    return SURE if front >= _NEEDED and "id" not in front and front & (_TASK | _EPIC) else NO


def _read(file: SourceFile) -> Imported:
    """The task, or of `epic.md` the story's title."""
    front, log = dict(file.front_matter), Log()
    if _sniff(file) == NO:
        raise file.refused("there is no task of an epic in this file")
    title = as_word(front.pop("name")) or ""
    *folders, last = file.name.replace("\\", "/").split("/")
    folders = folders[:-1] if folders[-1:] == ["tasks"] and folders[-3:-2] == ["epics"] else folders
    epic = safe_id(folders[-1]) if folders[-2:-1] == ["epics"] else ""
    if front.keys() & _EPIC and not front.keys() & _TASK:
        log.note(f"{last} describes an epic: the files beside it are its tasks.")
        root: dict[str, object] = {}
        if epic and epic != title:
            root["stories"] = [{"id": epic, "title": title}]
        return log.imported([], root)
    source = last.rpartition(".")[0] or last
    for key in _COMPUTED:
        if front.pop(key, None) is not None:
            log.drop(key)
    fields: dict[str, object] = {"title": title, **front}
    refs = file.front_matter_words("depends_on")
    fields["depends_on"] = [_file(ref, source) for ref in refs] or front.get("depends_on")
    if (word := (as_word(front["status"]) or "").casefold()) in _ENDED:
        fields |= {"status": Status.CANCELLED.value, "x-status": word}
    if epic:
        fields["story"] = epic
    if fields.pop("parallel", None) is False:
        fields["mode"] = Mode.SEQUENTIAL.value
    if clashes := file.front_matter_words("conflicts_with"):
        fields["conflicts_with"] = refs = [_file(ref, source) for ref in clashes]
        log.note(
            f"{source}: conflicts_with ({', '.join(refs)}) is kept, and holds nobody back: "
            "what one task at a time may use is a resource."
        )
    fields = {key: value for key, value in fields.items() if value not in (None, "", [])}
    task = document_task.task(source, fields, file.behind_front_matter, log)
    return log.imported([task], {}, local=True)


def _file(ref: str, own: str) -> str:
    """The task that `ref` names in the task of the file `own`: 3, beside 002.md, is 003."""
    found, beside = _NUMBER.fullmatch(ref), _NUMBER.fullmatch(own)
    if found is None:
        return ref
    digits = beside["number"] if beside else ""
    return found["number"].zfill(len(digits) if digits[:1] == "0" else 0) + found["letter"]


IMPORTER = Importer(
    name="ccpm",
    help="A task of a ccpm epic, called as its file is; import takes the epic's folder as a whole.",
    sniff=_sniff,
    read=_read,
    tick=lambda file, raw, ids: tick_in_place.finished(file, raw, ids, "closed"),
)
