"""Decide what each field becomes when a file is imported again, by three versions of it.

`x-source` of a task names the files it came from, and beside each field that they gave the first
digits of a digest of what they said. So an import knows without them what has changed since:

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
from typing import Any, NamedTuple

from ralphgit.model.task_status import Status
from ralphgit.records.importers.parts.source_values import MISSING, safe_id
from ralphgit.records.task_mapping import LIFECYCLE_KEYS, criteria, same

SOURCE = "x-source"
#: Of 16,777,216 changes one goes unseen.
_DIGITS = 6
_NAME = re.compile(r"[\w.-]+")
_NOT_OURS = frozenset({"id", SOURCE, *LIFECYCLE_KEYS})


class Origin(NamedTuple):
    """What `x-source` says."""

    files: tuple[str, ...]
    digests: dict[str, str]
    """By field (`_label`)."""

    @staticmethod
    def of(stored: Mapping[str, Any]) -> Origin | None:
        value = stored.get(SOURCE)
        if not isinstance(value, dict):
            return None
        files, fields = value.get("file"), value.get("fields")
        several = files if isinstance(files, list) else [files]
        listed = [file for file in several if isinstance(file, str)]
        if not isinstance(fields, str) or not listed:
            return None
        pairs = [word.partition("=") for word in fields.split()]
        return Origin(tuple(listed), {name: digest for name, _, digest in pairs})

    def stored(self) -> dict[str, Any]:
        files = self.files[0] if len(self.files) == 1 else list(self.files)
        return {"file": files, "fields": " ".join(map("=".join, self.digests.items()))}


class Decision(NamedTuple):
    """What an import does to a task that is there."""

    fields: dict[str, Any]
    """Those that change; None takes one out."""
    origin: Origin | None
    """What `x-source` becomes; None to leave it as it is."""
    notes: tuple[str, ...]


def first(task: Mapping[str, Any], files: Sequence[str]) -> Origin:
    """Make the origin of a task that is new here."""
    return Origin(tuple(files), _digests(task))


def decide(
    stored: Mapping[str, Any], task: Mapping[str, Any], files: Sequence[str], given: Sequence[str]
) -> Decision:
    """Decide what becomes of `stored`, now that its source says `task`.

    `files` are those that have the task, out of `given`, all that are imported: a field is
    gone from the source when every file that the task came from is given, and none has it.
    """
    notes = _status_notes(stored, task)
    origin = Origin.of(stored)
    if origin is None:
        fields = _differing(stored, task)
        return Decision(fields, first(task, files) if fields else None, notes)
    fields, kept = {}, []
    now = _digests(task)
    for key, value in task.items():
        before = origin.digests.get(_label(key))
        if key in _NOT_OURS or same(key, stored.get(key), value) or now[_label(key)] == before:
            continue
        if _unchanged(stored, key, before):
            fields[key] = value
        else:
            kept.append(key)
    whole = set(origin.files) <= set(given)
    for key in [key for key in stored if key not in task and key not in _NOT_OURS]:
        before = origin.digests.get(_label(key))
        if whole and before is not None:
            if _unchanged(stored, key, before):
                fields[key] = None
            else:
                kept.append(key)
    if kept:
        notes += (f"{task['id']}: {', '.join(kept)} changed here and in the source; kept.",)
    digests = now if whole else origin.digests | now
    # The order of the fields says nothing, and changes nothing.
    digests = {key: digests[key] for key in [*origin.digests, *digests] if key in digests}
    names = tuple(files) if whole else tuple(dict.fromkeys((*origin.files, *files)))
    made = Origin(names, digests)
    return Decision(fields, made if made != origin else None, notes)


def is_gone(stored: Mapping[str, Any], given: Sequence[str]) -> bool:
    """Whether all that a task came from is given; it is asked of tasks that are not in there."""
    origin = Origin.of(stored)
    return origin is not None and set(origin.files) <= set(given)


def is_another(stored: Mapping[str, Any], task: Mapping[str, Any], given: Sequence[str]) -> bool:
    """Whether `task`, of a file whose ids mean something in it alone, is none of `given`'s.

    An issue is identified by its address. A file that was moved has its tasks still: they have the
    same titles.
    """
    mine, its = _address(stored), _address(task)
    if mine and its:
        return mine != its
    origin = Origin.of(stored)
    known = origin is not None and bool(set(origin.files) & set(given))
    return not known and stored["title"] != task["title"]


def _address(task: Mapping[str, Any]) -> str:
    """Where the issue that a task is can be read, "" for any other task."""
    issue = task.get("x-github")
    return str(issue.get("url") or "") if isinstance(issue, dict) else ""


def _status_notes(stored: Mapping[str, Any], task: Mapping[str, Any]) -> tuple[str, ...]:
    ended = (Status.COMPLETE, Status.CANCELLED)
    if task["status"] not in ended or stored["status"] in ended:
        return ()
    how = "claim and complete it" if task["status"] == Status.COMPLETE else "edit --cancel does it"
    return (f"{task['id']} is {task['status']} in the source, {stored['status']} here: {how}.",)


def _digests(task: Mapping[str, Any]) -> dict[str, str]:
    return {_label(key): _digest(key, value) for key, value in task.items() if key not in _NOT_OURS}


def _label(key: str) -> str:
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
