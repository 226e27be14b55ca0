"""Import our own tasks as JSON: what `export` and `list --json` print."""

from __future__ import annotations

from ralphgit.records.importers.imported import Imported
from ralphgit.records.importers.importer import LIKELY, NO, Importer
from ralphgit.records.importers.parts.source_values import unique_ids
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
    _refuse_others(file)
    unique_ids(file.name, file.objects)
    return Imported(tuple(_stored(fields) for _, fields in file.objects), {}, (), ())


def _stored(fields: dict[str, object]) -> dict[str, object]:
    """A task as it is stored: without nulls, and what `list --json` adds."""
    more = _SHOWN if fields.keys() >= _SHOWN else frozenset[str]()
    return {key: value for key, value in fields.items() if value is not None and key not in more}


IMPORTER = Importer(
    name="jsonl",
    help="JSON objects with `id` and `title`, one a line: what export --format jsonl prints.",
    sniff=_sniff,
    read=_read,
)
