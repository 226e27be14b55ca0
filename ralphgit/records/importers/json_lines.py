"""Import our own tasks as JSON: what `export` and `list --json` print."""

from __future__ import annotations

from collections.abc import Mapping

from ralphgit.model.task_status import STATUS_OF
from ralphgit.records.importers.import_format import LIKELY, NO, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts.field_mapping import own_refs, task_of
from ralphgit.records.importers.parts.source_values import as_word, safe_names, unique_ids
from ralphgit.records.importers.source_file import Form, SourceFile

#: What `list --json` has in a task beside what is stored.
_SHOWN = frozenset({"state", "holder", "stale", "blocked_on", "file", "line"})
_NEEDED = frozenset({"id", "title"})


def _sniff(file: SourceFile) -> int:
    """Raises: InvalidRecord also for objects that are no tasks: it says with which they begin."""
    if file.form not in (Form.JSON_LIST, Form.JSON_LINES):
        return NO
    _refuse_others(file)
    return LIKELY


def _refuse_others(file: SourceFile) -> None:
    for line, fields in file.objects or ((1, {}),):
        if not fields.keys() >= _NEEDED:
            raise file.refused("the format of this file is not known", line=line)


def _read(file: SourceFile) -> Imported:
    """The tasks as they are; fields that ours cannot hold as they are become what they can."""
    _refuse_others(file)
    log = Log()
    names = safe_names(unique_ids(file.name, file.objects), log)
    return log.imported([_task(fields, names, log) for _, fields in file.objects], {})


def _task(fields: dict[str, object], names: Mapping[str, str], log: Log) -> dict[str, object]:
    """A task as it is stored: without nulls, and what `list --json` adds."""
    more = {*_SHOWN, "blocked_by_base"} if fields.keys() >= _SHOWN else set[str]()
    kept = {key: value for key, value in fields.items() if value is not None and key not in more}
    source = as_word(fields["id"]) or ""
    new = names[source.casefold()]
    if kept.get("status") in STATUS_OF and kept["id"] == new and isinstance(kept["title"], str):
        return kept
    if new != source:
        kept["x-id"] = source
    refs = own_refs(kept, new, log)
    kept["depends_on"] = [names.get(ref.casefold(), ref) for ref in refs]
    return task_of(new, kept, log, "")


IMPORTER = Importer(
    name="jsonl",
    help="JSON objects with `id` and `title`, one a line: what export --format jsonl prints.",
    sniff=_sniff,
    read=_read,
)
