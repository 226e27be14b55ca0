"""Import the export of beads: one issue a line.

`blocks` edges are dependencies, the parent is the story. All that has no field here stays as it
is under `x-beads`, but for what can be counted again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ralphgit.errors import InvalidRecord
from ralphgit.model.task_status import Status
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.importer import NO, SURE, Importer
from ralphgit.records.importers.parts.field_mapping import in_order, task_of
from ralphgit.records.importers.parts.source_values import (
    MISSING,
    as_mapping,
    as_word,
    safe_id,
    safe_names,
    unique_ids,
)
from ralphgit.records.importers.source_file import SourceFile

#: A task is one of beads' if it has one of these.
_KEYS = frozenset({"issue_type", "dependencies", "dependency_count", "acceptance_criteria"})

_STATUSES = {
    "open": Status.PENDING,
    "closed": Status.COMPLETE,
    "in_progress": Status.PENDING,
    "hooked": Status.PENDING,
    "blocked": Status.PENDING,
    "deferred": Status.PENDING,
    # Kept for reference, or deleted: nobody will ever do it.
    "pinned": Status.CANCELLED,
    "tombstone": Status.CANCELLED,
}
#: What a task of ours may be, and no issue of beads'.
_OURS = frozenset({"pending", "in-progress", "complete", "cancelled"})
#: Read into fields of ours.
_READ = frozenset({"id", "title", "description", "status", "priority", "parent", "dependencies"})
#: Changes with every command, or can be counted.
_COMPUTED = frozenset({"updated_at", "dependency_count", "dependent_count", "comment_count"})
#: What beads itself counts as waiting; other edges only say that two issues have to do.
_WAITS = "blocks"
_PARENT = "parent-child"


def _sniff(file: SourceFile) -> int:
    objects = [fields for _, fields in file.objects]
    tasks = all(fields.keys() >= {"id", "title"} for fields in objects)
    if any(fields.get("status") in _OURS for fields in objects):
        return NO  # whose tasks may have any field besides
    return SURE if tasks and any(fields.keys() & _KEYS for fields in objects) else NO


def _read(file: SourceFile) -> Imported:
    """A task for each issue; edges to issues that are not there are kept aside.

    Raises: InvalidRecord (duplicate_id; invalid_record for an edge without two ends).
    """
    name, issues = file.name, file.objects
    if not issues:
        raise file.refused("there is no JSON object with an issue in it")
    log = Log()
    sources = unique_ids(name, issues)
    names = safe_names(sources, log)
    tasks = []
    turned: Counter[str] = Counter()
    for source, (line, issue) in zip(sources, issues, strict=True):
        new = names[source.casefold()]
        word = (as_word(issue.get("status")) or "open").casefold()
        fields: dict[str, object] = {
            "title": issue.get("title"),
            "status": _STATUSES.get(word, word),
            "priority": issue.get("priority"),
            "description": issue.get("description"),
        }
        if word not in ("open", "closed"):
            turned[word] += 1
        _relate(name, line, issue, new, fields, names, log)
        criteria = as_word(issue.get("acceptance_criteria"))
        if criteria:
            fields["acceptance"] = [criteria]
        rest = _rest(issue, word)
        kept = fields.pop("x-beads", None)
        if kept:
            rest["dependencies"] = kept
        if rest:
            fields["x-beads"] = rest
        if source != new:
            fields["x-id"] = source
        fields = {key: value for key, value in fields.items() if value not in (None, "", [])}
        tasks.append(in_order(task_of(new, fields, log, "")))
    for field in sorted(_COMPUTED & {key for _, issue in issues for key in issue}):
        log.drop(field)
    for word, count in turned.items():
        became = _STATUSES.get(word, Status.PENDING).value
        log.note(f"{count} {word} in the source: {became} here; x-beads keeps the word.")
    return log.imported(tasks, {})


def _relate(
    name: str,
    line: int,
    issue: Mapping[str, object],
    new: str,
    fields: dict[str, object],
    names: Mapping[str, str],
    log: Log,
) -> None:
    """Read the issue's edges and its parent into `fields`."""
    depends: dict[str, None] = {}
    missing: dict[str, None] = {}
    kept: list[object] = []
    parent = as_word(issue.get("parent"))
    edges = issue.get("dependencies")
    for edge in edges if isinstance(edges, list) else ():
        ends = as_mapping(edge) or {}
        other, kind = as_word(ends.get("depends_on_id")), as_word(ends.get("type")) or _WAITS
        if other is None:
            message = f"a dependency of {new} does not say what it depends on"
            hint = "give it `depends_on_id`, or take it out"
            raise InvalidRecord(message, file=name, line=line, hint=hint)
        there = names.get(other.casefold())
        if kind == _PARENT:
            parent = parent or other
        elif kind == _WAITS and there is not None:
            if there != new:
                depends[there] = None
        elif kind == _WAITS:
            missing[other] = None
            log.note(f"{new} depends on {other}, which is not in the file: kept aside.")
        else:
            kept.append({"type": kind, "on": other})
            if there is None:
                log.note(f"{new} {kind} {other}, which is not in the file: kept in x-beads.")
    if parent is not None:
        there = names.get(parent.casefold())
        fields["story"] = there or safe_id(parent)
        if there is None:
            log.note(f"{new}: its parent {parent} is not in the file; the story is named after it.")
    if depends:
        fields["depends_on"] = list(depends)
    if missing:
        fields[MISSING] = list(missing)
    if kept:
        fields["x-beads"] = kept


def _rest(issue: Mapping[str, object], word: str) -> dict[str, object]:
    rest: dict[str, object] = {}
    if word not in ("open", "closed"):
        rest["status"] = word
    for key, value in issue.items():
        if key in _READ or key in _COMPUTED or value in (None, "", [], {}):
            continue
        if key != "acceptance_criteria" and not (key == "issue_type" and value == "task"):
            rest[key] = value
    return rest


IMPORTER = Importer(
    name="beads",
    help="The JSON lines of beads (issues.jsonl), one issue each.",
    sniff=_sniff,
    read=_read,
)
