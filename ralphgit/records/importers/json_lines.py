"""JSON that is no graph: beads' lines, our own lines, a list of issues."""

from __future__ import annotations

import re

from ralphgit.errors import InvalidRecord
from ralphgit.records.importers import beads
from ralphgit.records.importers.github_issues import from_issues, is_issues
from ralphgit.records.importers.parts import strict_json
from ralphgit.records.importers.parts.import_notes import Imported
from ralphgit.records.importers.parts.imported_values import KNOWN, as_mapping

#: What `list --json` has in a task beside what is stored.
_SHOWN = frozenset({"state", "holder", "stale", "blocked_on", "file", "line"})


def from_json(name: str, text: str, *, whole: bool) -> Imported:
    """The tasks of a JSON list (`whole`), or of a text with one object a line.

    Raises: InvalidRecord with the line.
    """
    entries = []
    for line, item in _whole(name, text) if whole else strict_json.lines(name, text):
        fields = as_mapping(item)
        if fields is None:
            raise InvalidRecord("this is not a JSON object", file=name, line=line, hint=KNOWN)
        entries.append((line, fields))
    objects = [fields for _, fields in entries]
    if is_issues(objects):
        return from_issues(name, entries)
    if not objects or not all({"id", "title"} <= fields.keys() for fields in objects):
        line = next((n for n, fields in entries if not {"id", "title"} <= fields.keys()), 1)
        raise InvalidRecord(
            "the format of this file is not known", file=name, line=line, hint=KNOWN
        )
    if any(fields.keys() & beads.KEYS for fields in objects):
        return beads.from_beads(name, entries)
    beads.unique_ids(name, entries)
    return Imported(tuple(map(_stored, objects)), {}, (), ())


def _whole(name: str, text: str) -> list[tuple[int, object]]:
    """The entries of a JSON list; with their lines, where each begins one of its own."""
    value = strict_json.load(name, text)
    items = value if isinstance(value, list) else []
    starts = [found.start() for found in re.finditer(r"^ {0,2}[\[,]?\{", text, re.MULTILINE)]
    lines = [text.count("\n", 0, start) + 1 for start in starts]
    return list(zip(lines if len(lines) == len(items) else [1] * len(items), items, strict=True))


def _stored(fields: dict[str, object]) -> dict[str, object]:
    """A task as it is stored: without nulls, and what `list --json` adds."""
    more = _SHOWN if fields.keys() >= _SHOWN else frozenset[str]()
    return {key: value for key, value in fields.items() if value is not None and key not in more}
