"""Decide what each field becomes when a file is imported again, by three versions of it.

`x-source` of a task names the files it came from, the id that it has in them where that is another
than its own, and beside each field that they gave the first digits of a digest of what they said,
with those of what they said before. So an import knows without them what has changed since:

| source, since then | here, since then | becomes |
|---|---|---|
| as it was | anything | what is here |
| changed, or gone | as it was | what the source says |
| changed, or gone | changed | what is here, and a note says so |

A task without `x-source` was not imported, or by hand: what the source has, it gets. The
lifecycle belongs to the commands that make it, so that no import ever touches it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from ralphgit.model.task_status import Mode, Status
from ralphgit.records.importers.parts.source_values import MISSING, safe_id
from ralphgit.records.task_mapping import LIFECYCLE_KEYS, criteria, same
from ralphgit.records.task_origin import SOURCE, Origin

#: Of 16,777,216 changes one goes unseen.
_DIGITS = 6
_ENDED = (Status.COMPLETE, Status.CANCELLED)
#: What the box or the status of an open item says besides that it is open.
OF_BOXES = ("priority", "mode", "x-box", "x-status")
_NAME = re.compile(r"[\w.-]+")
_NOT_OURS = frozenset({"id", SOURCE, *LIFECYCLE_KEYS})


class Decision(NamedTuple):
    """What an import does to a task that is there."""

    fields: dict[str, Any]
    """Those that change; None takes one out."""
    origin: Origin | None
    """What `x-source` becomes; None to leave it as it is."""
    notes: tuple[str, ...]
    back: tuple[str, ...] = ()
    """The fields that are again what the source said before."""


class Given(NamedTuple):
    """What an import was given."""

    files: tuple[str, ...]
    names: Mapping[str, str] = MappingProxyType({})
    """By task, its id in the files, where that is another."""
    moved: Mapping[str, str] = MappingProxyType({})
    """By file that is gone, what it is called now."""

    def origin(self, stored: Mapping[str, Any]) -> Origin | None:
        """Where a task is from, by the names that files have now."""
        origin = Origin.of(stored)
        if origin is None or not self.moved:
            return origin
        files = dict.fromkeys(self.moved.get(file, file) for file in origin.files)
        return origin._replace(files=tuple(files))


def first(task: Mapping[str, Any], files: Sequence[str], given: Given) -> Origin:
    """Make the origin of a task that is new here."""
    digests = _digests(task)
    if task["status"] in _ENDED:
        digests["status"] = task["status"]
    return Origin(tuple(files), digests, given.names.get(str(task.get("id")), ""))


def decide(
    stored: Mapping[str, Any], task: Mapping[str, Any], files: Sequence[str], given: Given
) -> Decision:
    """Decide what becomes of `stored`, now that its source says `task`.

    `files` are those that have the task, out of all that are `given`: a field is gone from the
    source when every file that the task came from is given, and none has it.
    """
    origin = given.origin(stored)
    notes = _status_notes(stored, task, origin)
    if origin is None:
        fields = _differing(stored, task)
        return Decision(fields, first(task, files, given) if fields else None, notes)
    changed: dict[str, Any] = {}
    kept, back = list[str](), list[str]()
    now = _digests(task)
    if stored["status"] == task["status"] == Status.COMPLETE:
        # A box that was ticked says no more what an open one said, and what is done waits for
        # nothing: nothing has changed.
        before_it = (*OF_BOXES, "depends_on")
        task = {**task, **{key: stored[key] for key in before_it if key in stored}}
        now |= {key: origin.digests[key] for key in before_it if key in origin.digests}
    for key, value in task.items():
        before = origin.digests.get(label(key))
        if key in _NOT_OURS or same(key, stored.get(key), value) or now[label(key)] == before:
            continue
        if _unchanged(stored, key, before):
            changed[key] = value
            if now[label(key)] == origin.before.get(label(key)):
                back.append(key)
        else:
            kept.append(key)
    whole = set(origin.files) <= set(given.files)
    for key in [key for key in stored if key not in task and key not in _NOT_OURS]:
        before = origin.digests.get(label(key))
        if whole and before is not None:
            if _unchanged(stored, key, before):
                changed[key] = None
            else:
                kept.append(key)
    if kept:
        notes += (f"{task['id']}: {', '.join(kept)} changed here and in the source; kept.",)
    digests = now if whole else origin.digests | now
    if "status" in origin.digests and task.get("status") in _ENDED:
        digests = digests | {"status": origin.digests["status"]}
    earlier = {
        key: origin.digests[key] if origin.digests.get(key, digest) != digest
        else origin.before.get(key, "")
        for key, digest in digests.items()
    }  # fmt: skip
    # The order of the fields says nothing, and changes nothing.
    digests = {key: digests[key] for key in [*origin.digests, *digests] if key in digests}
    names = tuple(files) if whole else tuple(dict.fromkeys((*origin.files, *files)))
    earlier = {key: digest for key, digest in earlier.items() if digest}
    made = Origin(names, digests, given.names.get(str(task["id"]), ""), earlier)
    as_it_is = made == Origin.of(stored)
    return Decision(changed, None if as_it_is else made, notes, tuple(back))


def is_gone(stored: Mapping[str, Any], given: Given) -> bool:
    """Whether all that a task came from is given; it is asked of tasks that are not in there."""
    origin = given.origin(stored)
    return origin is not None and set(origin.files) <= set(given.files)


def is_edited(stored: Mapping[str, Any], origin: Origin) -> bool:
    """Whether a field that the source gave is here otherwise."""
    labels = {label(key): key for key in stored}
    return any(
        not _unchanged(stored, labels.get(label, label), digest)
        for label, digest in origin.digests.items()
        if label != "status"
    )


def words(task: Mapping[str, Any]) -> str:
    """A digest of a task's words, as `x-source` has it."""
    return _digest("title", task["title"])


def said(task: Mapping[str, Any], key: str) -> str:
    """A digest of what a task's source says of one field, as `x-source` has it."""
    return _digest(key, task.get(key))


def address(task: Mapping[str, Any]) -> str:
    """Where the issue that a task is can be read, "" for any other task."""
    issue = task.get("x-github")
    return str(issue.get("url") or "") if isinstance(issue, dict) else ""


def _status_notes(
    stored: Mapping[str, Any], task: Mapping[str, Any], origin: Origin | None
) -> tuple[str, ...]:
    if task["status"] not in _ENDED and stored["status"] in _ENDED:
        if origin is None or "status" not in origin.digests:
            return ()  # it was ended here
        how = f"ralphgit reset {task['id']} --reopen --reason TEXT"
        return (f"{task['id']} is open again in the source, {stored['status']} here: {how}",)
    if task["status"] not in _ENDED or stored["status"] in _ENDED:
        return ()
    how = f'ralphgit edit {task["id"]} --cancel "cancelled in the source"'
    if task["status"] == Status.COMPLETE:
        how = "claim and complete it"
        if stored.get("mode") == Mode.VERIFY and not stored.get("verify"):
            how += " with what you see (--shows TEXT)"  # no commit shows that it holds
        else:
            how += f", or, where its work is here, ralphgit complete {task['id']} --by COMMIT"
    return (f"{task['id']} is {task['status']} in the source, {stored['status']} here: {how}",)


def _digests(task: Mapping[str, Any]) -> dict[str, str]:
    return {label(key): _digest(key, value) for key, value in task.items() if key not in _NOT_OURS}


def label(key: str) -> str:
    """A field's name, or what stands for one with spaces in it."""
    return key if _NAME.fullmatch(key) else f"#{_digest('', key)}"


def _digest(key: str, value: Any) -> str:
    if key == "acceptance" and isinstance(value, list):
        value = criteria(value)
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_DIGITS]


def _unchanged(stored: Mapping[str, Any], key: str, before: str | None) -> bool:
    """Whether a field is here as the source had it."""
    value = stored.get(key)
    return before is None if value is None else _digest(key, value) == before


def _differing(stored: Mapping[str, Any], task: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the source has otherwise; None for one to be taken out."""
    fields = {
        key: value
        for key, value in task.items()
        if key not in _NOT_OURS and not same(key, stored.get(key), value)
    }
    aside = stored.get(MISSING)
    if isinstance(aside, list) and MISSING not in task:
        depends = task.get("depends_on") or ()
        rest = [ref for ref in aside if safe_id(str(ref)) not in depends]
        if rest != aside:
            fields[MISSING] = rest or None
    return fields
