"""Import the export of beads: one issue a line.

`blocks` edges are dependencies, the parent is the story. All that has no field here stays as it
is under `x-beads`, but for what can be counted again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.model.task_status import Mode, Status
from ralphgit.records.importers.import_format import NO, SURE, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import document_task, waiting
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
    # Held: nobody is to take it until somebody opens it again.
    "hooked": Status.CANCELLED,
    "blocked": Status.CANCELLED,
    "deferred": Status.CANCELLED,
    # Kept for reference, or deleted: nobody will ever do it.
    "pinned": Status.CANCELLED,
    "tombstone": Status.CANCELLED,
}
#: What beads never offers as work, whatever its status.
_NO_WORK = frozenset({"merge-request", "gate", "molecule", "message", "agent", "role", "rig"})
#: What a task of ours may be, and no issue of beads'.
_OURS = frozenset({"pending", "in-progress", "complete", "cancelled"})
#: Read into fields of ours.
_READ = frozenset({"id", "title", "description", "status", "priority", "parent", "dependencies"})
#: Changes with every command, or can be counted.
_COMPUTED = frozenset({"updated_at", "dependency_count", "dependent_count", "comment_count"})
#: What beads itself counts as waiting; other edges only say that two issues have to do.
_WAITS = frozenset({"blocks", "conditional-blocks"})
_WAITS_FOR_PARTS = "waits-for"
_PARENT = "parent-child"
_EPIC = "epic"
_DELETED = "tombstone"


def _sniff(file: SourceFile) -> int:
    objects = [fields for _, fields in file.objects]
    tasks = all(fields.keys() >= {"id", "title"} for fields in objects)
    if any(fields.get("status") in _OURS for fields in objects):
        return NO  # whose tasks may have any field besides
    return SURE if tasks and any(fields.keys() & _KEYS for fields in objects) else NO


class _Issue(NamedTuple):
    source: str
    line: int
    fields: Mapping[str, object]
    parent: str | None
    edges: tuple[tuple[str, str], ...]
    """Type and source id of all else that it has to do with."""

    @property
    def word(self) -> str:
        return (as_word(self.fields.get("status")) or "open").casefold()

    @property
    def kind(self) -> str:
        return (as_word(self.fields.get("issue_type")) or "").casefold()


def _read(file: SourceFile) -> Imported:
    """A task for each issue; edges to issues that are not there are kept aside.

    What beads would not offer as work is not ready here: it is cancelled, and what waits for it
    waits on.

    Raises: InvalidRecord (duplicate_id; invalid_record for an edge without two ends).
    """
    if not file.objects:
        raise file.refused("there is no JSON object with an issue in it")
    log = Log()
    sources = unique_ids(file.name, file.objects)
    names = safe_names(sources, log)
    issues = {
        source.casefold(): _issue(file.name, line, issue, source)
        for source, (line, issue) in zip(sources, file.objects, strict=True)
    }
    waits = _waits(issues)
    written = max((_time(issue.fields.get(key)) or "" for issue in issues.values()
                   for key in ("updated_at", "created_at")), default="")  # fmt: skip
    tasks = []
    turned: Counter[tuple[str, str]] = Counter()
    for key, issue in issues.items():
        new = names[key]
        open_ones = [other for other in waits[key] if issues[other].word != "closed"]
        status, why = _status(issue, issues, written, waits=bool(open_ones))
        fields: dict[str, object] = {
            "title": issue.fields.get("title"),
            "status": status,
            "priority": issue.fields.get("priority"),
            "description": issue.fields.get("description"),
        }
        if why:
            turned[why, status] += 1
        _relate(issue, waits[key], fields, names, log)
        criteria = as_word(issue.fields.get("acceptance_criteria"))
        if any((issues[other].parent or "").casefold() == key for other in waits[key]):
            # The work is in its parts: nobody could change a file for the epic itself.
            fields["mode"] = Mode.VERIFY.value
            criteria = criteria or "all of its parts are done"
        if criteria:
            fields["acceptance"] = document_task.criteria_in(criteria)
        rest = _rest(issue.fields, issue.word)
        kept = fields.pop("x-beads", None)
        if kept:
            rest["dependencies"] = kept
        if rest:
            fields["x-beads"] = rest
        if issue.source != new:
            fields["x-id"] = issue.source
        fields = {key: value for key, value in fields.items() if value not in (None, "", [])}
        tasks.append(in_order(task_of(new, fields, log, "")))
    for field in sorted(_COMPUTED & {key for issue in issues.values() for key in issue.fields}):
        log.drop(field)
    for (why, status), count in turned.items():
        log.note(f"{count} {why} in the source, taken for {status}; x-beads keeps the word.")
    if any(status == Status.CANCELLED for _, status in turned):
        log.note("What is cancelled here is brought back by: ralphgit reset ID --reopen")
    return log.imported(tasks, {})


def _status(
    issue: _Issue, issues: Mapping[str, _Issue], written: str, *, waits: bool
) -> tuple[str, str]:
    """The status, and what the source says instead where it is neither open nor closed."""
    word = issue.word
    if word == "blocked" and waits:
        return Status.PENDING.value, word  # what it waits for holds it
    status = _STATUSES.get(word, word)
    if word not in ("open", "in_progress"):
        return str(status), "" if word == "closed" else word
    kind = issue.kind
    parent = issues.get((issue.parent or "").casefold())
    if kind in _NO_WORK:
        return Status.CANCELLED.value, f"of type {kind}, which is no work,"
    if issue.fields.get("pinned") is True or issue.fields.get("ephemeral") is True:
        return Status.CANCELLED.value, "pinned or ephemeral"
    if _is_deferred(issue, written):
        return Status.CANCELLED.value, "deferred"
    if parent is not None and (parent.word == "deferred" or _is_deferred(parent, written)):
        return Status.CANCELLED.value, "with a parent that is deferred"
    return Status.PENDING.value, "" if word == "open" else word


def _is_deferred(issue: _Issue, written: str) -> bool:
    """Whether it was put off to a time after the last one that the file knows of."""
    return (_time(issue.fields.get("defer_until")) or "") > written


def _time(value: object) -> str | None:
    """A time in a form that can be compared as text; None where it is none."""
    try:
        when = datetime.fromisoformat(as_word(value) or "")
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _issue(name: str, line: int, fields: Mapping[str, object], source: str) -> _Issue:
    """An issue with its edges. Raises: InvalidRecord for one without two ends."""
    parent = as_word(fields.get("parent"))
    edges = []
    listed = fields.get("dependencies")
    for edge in listed if isinstance(listed, list) else ():
        ends = as_mapping(edge) or {}
        other, kind = as_word(ends.get("depends_on_id")), as_word(ends.get("type")) or "blocks"
        if other is None:
            message = f"a dependency of {source} does not say what it depends on"
            hint = "give it `depends_on_id`, or take it out"
            raise InvalidRecord(message, file=name, line=line, hint=hint)
        if kind == _PARENT:
            parent = parent or other
        else:
            edges.append((kind, other))
    return _Issue(source, line, fields, parent, tuple(edges))


def _waits(issues: Mapping[str, _Issue]) -> dict[str, list[str]]:
    """What each issue waits for, of those that are there: its blockers, its parents', its parts.

    Only an epic that is open waits for its parts. A parent's blocker that is a part of it, or
    waits for the issue itself, is not waited for.
    """
    parts: dict[str, list[str]] = {}
    for key, issue in issues.items():
        if issue.parent:
            parts.setdefault(issue.parent.casefold(), []).append(key)
    own: dict[str, list[str]] = {}
    for key, issue in issues.items():
        found: list[str] = []
        for kind, other in issue.edges:
            if kind in _WAITS:
                found.append(other.casefold())
            elif kind == _WAITS_FOR_PARTS:
                found += parts.get(other.casefold(), ())
        own[key] = [other for other in dict.fromkeys(found) if other in issues and other != key]
    waits = {key: list(listed) for key, listed in own.items()}
    for key in issues:
        for above in _above(key, issues):
            inside = waiting.reached(above, parts)
            for other in own[above]:
                new = other not in inside and other not in waits[key]
                if new and key not in waiting.reached(other, waits):
                    waits[key].append(other)
    for key, issue in issues.items():
        if issue.kind == _EPIC and issue.word != "closed":
            there = (part for part in parts.get(key, ()) if issues[part].word != _DELETED)
            inner = waiting.without_circles(key, there, waits)
            waits[key] = list(dict.fromkeys((*waits[key], *inner)))
    return waits


def _above(key: str, issues: Mapping[str, _Issue]) -> list[str]:
    """The parents of an issue that are there, the nearest first."""
    found: list[str] = []
    at = (issues[key].parent or "").casefold()
    while at in issues and at != key and at not in found:
        found.append(at)
        at = (issues[at].parent or "").casefold()
    return found


def _relate(
    issue: _Issue,
    waits: Sequence[str],
    fields: dict[str, object],
    names: Mapping[str, str],
    log: Log,
) -> None:
    """Put what the issue waits for, its parent and its other edges into `fields`."""
    new = names[issue.source.casefold()]
    missing: dict[str, None] = {}
    kept: list[object] = []
    for kind, other in issue.edges:
        there = other.casefold() in names
        if kind in _WAITS and not there:
            missing[other] = None
            log.note(f"{new} depends on {other}, which is not in the file: kept aside.")
        elif kind not in _WAITS:
            kept.append({"type": kind, "on": other})
            if not there:
                log.note(f"{new} {kind} {other}, which is not in the file: kept in x-beads.")
    if issue.parent is not None:
        story = names.get(issue.parent.casefold())
        fields["story"] = story or safe_id(issue.parent)
        if story is None:
            log.note(
                f"{new}: its parent {issue.parent} is not in the file; the story is named after it."
            )
    if waits:
        fields["depends_on"] = [names[other] for other in waits]
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
