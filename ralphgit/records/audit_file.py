"""Read the audit of an attempt at a task, and append events to it (SPEC 3.3)."""

from __future__ import annotations

from typing import Any

from ralphgit.errors import InvalidRecord
from ralphgit.model import usage
from ralphgit.model.task import Event
from ralphgit.records import input_limits as texts
from ralphgit.records import schemas, yaml_reader, yaml_writer
from ralphgit.records.redact_secrets import words_of_record
from ralphgit.records.schemas import audit_path as path

__all__ = ["path"]

_OPTIONAL = ("note", "summary")
#: The keys of an event, in the order of `Event`.
_FIELDS = ("at", "event", "by", "from", "to", *_OPTIONAL)


def appended(old: bytes | None, event: Event, *, path: str, task: str, claim: str) -> bytes:
    """Append an event to the bytes of a file; what was there stays as it was.

    Raises: InvalidRecord when `old` is not an audit file of this attempt.
    """
    entry: dict[str, object] = {
        "at": event.at, "event": event.event, "by": event.by,
        "from": event.from_, "to": event.to, "note": event.note, "summary": event.summary,
    }  # fmt: skip
    entry = words_of_record(
        {key: said for key, said in entry.items() if said or key not in _OPTIONAL}
    )
    if event.usage is not None:
        entry["usage"] = words_of_record(event.usage.stored())
    if old is None:
        head = {"id": claim, "kind": "event", "task": task, "claim": claim}
        first = schemas.modeline("audit") + yaml_writer.mapping(head)
        return f"{first}events:\n{yaml_writer.sequence([entry], indent=2)}".encode()
    text, known = _read(old, claim)
    eol = "\r\n" if "\r\n" in text else "\n"
    text += "" if text.endswith("\n") else eol
    new = text + yaml_writer.sequence([entry], indent=2, eol=eol)
    expected = {**known, "events": [*known["events"], entry]}
    if yaml_reader.load(new) != expected:
        new = yaml_writer.mapping(expected)
    return new.encode()


def without_last(old: bytes, events: tuple[str, ...], *, claim: str) -> bytes:
    """Remove the last event from the bytes of a file, if it is one of `events`.

    Only for one that was never committed: the step that it records was killed.

    Raises: InvalidRecord when `old` is not an audit file of this attempt.
    """
    text, known = _read(old, claim)
    last = known["events"][-1] if known["events"] else {}
    if not isinstance(last, dict) or last.get("event") not in events:
        return old
    expected = {**known, "events": known["events"][:-1]}
    new = text[: text.rfind("\n  - at: ") + 1]
    return (
        new if new and yaml_reader.load(new) == expected else yaml_writer.mapping(expected)
    ).encode()


def events(data: bytes) -> tuple[str, str, tuple[Event, ...]] | None:
    """Read task, claim and events of an attempt; None for a review. Raises: InvalidRecord."""
    known = yaml_reader.load(texts.decode(data, limit=texts.MAX_RECORD_BYTES))
    if isinstance(known, dict) and known.get("kind") == "review":
        return None
    listed = known.get("events") if isinstance(known, dict) else None
    if not isinstance(known, dict) or not isinstance(listed, list):
        raise InvalidRecord("not an audit record: it has no events", hint="ralphgit check")
    found = [_event(entry) for entry in listed if isinstance(entry, dict)]
    return str(known.get("task") or ""), str(known.get("claim") or ""), tuple(found)


def _event(entry: dict[str, Any]) -> Event:
    at, event, by, from_, to, note, summary = (str(entry.get(name) or "") for name in _FIELDS)
    used = usage.parsed(entry.get("usage"))
    return Event(at, event, by, from_, to, note, summary, used)


def _read(data: bytes, claim: str) -> tuple[str, dict[str, Any]]:
    text = texts.decode(data, limit=texts.MAX_RECORD_BYTES)
    known = yaml_reader.load(text)
    if (
        not isinstance(known, dict)
        or known.get("claim") != claim
        or not isinstance(known.get("events"), list)
    ):
        raise InvalidRecord(
            f"not the audit of claim {claim}", hint="restore the file from its commit"
        )
    return text, known
