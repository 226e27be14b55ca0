"""Audit files (SPEC 3.3): the events of an attempt, appended one by one, and reviews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ralphgit.errors import InvalidRecord
from ralphgit.model.audit import DISPOSITIONS, VERDICTS, Disposal, Event, Finding, Review
from ralphgit.model.evidence import Subject
from ralphgit.model.ids import is_id
from ralphgit.records import emit, plain, schema
from ralphgit.records import text as texts


def path(records: str, task: str, claim: str) -> str:
    """Where the attempt `claim` at `task` is recorded, relative to the top."""
    return f"{records}/audit/{task}/{claim}.yaml"


def appended(old: bytes | None, event: Event, *, path: str, task: str, claim: str) -> bytes:
    """The file's bytes with one more event; what was there stays as it was.

    Raises: InvalidRecord when `old` is no audit file of this attempt.
    """
    entry = {
        "at": event.at, "event": event.event, "by": event.by,
        "from": event.from_, "to": event.to, "note": event.note,
    }  # fmt: skip
    if not event.note:
        del entry["note"]
    if old is None:
        head = {"id": claim, "kind": "event", "task": task, "claim": claim}
        first = schema.modeline(path, "audit") + emit.mapping(head)
        return f"{first}events:\n{emit.sequence([entry], indent=2)}".encode()
    text, known = _read(old, claim)
    eol = "\r\n" if "\r\n" in text else "\n"
    text += "" if text.endswith("\n") else eol
    new = text + emit.sequence([entry], indent=2, eol=eol)
    expected = {**known, "events": [*known["events"], entry]}
    if plain.load(new) != expected:
        new = emit.mapping(expected)
    return new.encode()


def without_last(old: bytes, events: tuple[str, ...], *, claim: str) -> bytes:
    """The file's bytes without its last event, if that is one of `events`.

    Only for one that was never committed: the step that it tells of was killed.

    Raises: InvalidRecord when `old` is no audit file of this attempt.
    """
    text, known = _read(old, claim)
    last = known["events"][-1] if known["events"] else {}
    if not isinstance(last, dict) or last.get("event") not in events:
        return old
    expected = {**known, "events": known["events"][:-1]}
    new = text[: text.rfind("\n  - at: ") + 1]
    return (new if new and plain.load(new) == expected else emit.mapping(expected)).encode()


def events(data: bytes) -> tuple[str, str, tuple[Event, ...]] | None:
    """Task, claim and events of an attempt's file; None for a review. Raises: InvalidRecord."""
    known = _mapping(data)
    if known.get("kind") == "review":
        return None
    listed = known.get("events")
    if not isinstance(listed, list):
        raise InvalidRecord("not an audit record: it has no events", hint="ralphgit check")
    found = [
        Event(*(str(entry.get(name) or "") for name in ("at", "event", "by", "from", "to", "note")))
        for entry in listed
        if isinstance(entry, dict)
    ]
    return _text(known, "task"), _text(known, "claim"), tuple(found)


# -- reviews -----------------------------------------------------------------------------


def encode_review(made: Review, path: str) -> bytes:
    """The bytes of a review, for a file at `path`."""
    return (schema.modeline(path, "audit") + emit.mapping(stored_review(made))).encode()


def stored_review(made: Review) -> dict[str, object]:
    """A review as it is written; what it does not have is left out."""
    value: dict[str, object] = {
        "id": made.id, "kind": "review", "task": made.task, "claim": made.claim, "at": made.at,
        "target": made.target, "by": made.by, "lenses": list(made.lenses),
        "context_reviewed": list(made.context_reviewed),
        "findings": [one._asdict() for one in made.findings],
        "disposes": [one._asdict() for one in made.disposes],
        "verdict": made.verdict, "residual_risk": made.residual_risk,
        "subject": made.subject._asdict() if made.subject else None,
    }  # fmt: skip
    return {key: entry for key, entry in value.items() if entry or key == "findings"}


def review(data: bytes) -> Review | None:
    """The review that a file holds; None for an attempt's events. Raises: InvalidRecord."""
    known = _mapping(data)
    if known.get("kind") != "review":
        return None
    identity, task, verdict = (_text(known, name) for name in ("id", "task", "verdict"))
    if not is_id(identity) or not is_id(task) or verdict not in VERDICTS:
        raise InvalidRecord(
            f"not a review: it needs id, task and a verdict: {', '.join(VERDICTS)}",
            hint="ralphgit check",
        )
    subject = known.get("subject")
    return Review(
        id=identity,
        task=task,
        by=_text(known, "by"),
        at=_text(known, "at"),
        target=_text(known, "target"),
        verdict=verdict,
        claim=_text(known, "claim"),
        lenses=_texts(known, "lenses"),
        context_reviewed=_texts(known, "context_reviewed"),
        findings=tuple(
            Finding(*(_text(one, name) for name in Finding._fields))
            for one in _parts(known, "findings")
        ),
        disposes=tuple(
            Disposal(*(_text(one, name) for name in Disposal._fields))
            for one in _parts(known, "disposes")
            if one.get("disposition") in DISPOSITIONS
        ),
        residual_risk=_text(known, "residual_risk"),
        subject=Subject(*(_text(subject, name) for name in Subject._fields))
        if isinstance(subject, dict)
        else None,
    )


def _mapping(data: bytes) -> dict[str, Any]:
    known = plain.load(texts.decode(data, limit=texts.MAX_RECORD_BYTES))
    if not isinstance(known, dict):
        raise InvalidRecord("not an audit record", hint="ralphgit check")
    return known


def _text(known: Mapping[str, Any], name: str) -> str:
    found = known.get(name)
    if found is None or isinstance(found, str):
        return found or ""
    raise InvalidRecord(f"not an audit record: {name} is no text", hint="ralphgit check")


def _texts(known: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = known.get(name) or []
    if isinstance(found, list) and all(isinstance(item, str) for item in found):
        return tuple(found)
    raise InvalidRecord(f"not an audit record: {name} is no list of text", hint="ralphgit check")


def _parts(known: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = known.get(name) or []
    if isinstance(found, list) and all(isinstance(item, dict) for item in found):
        return found
    raise InvalidRecord(f"not an audit record: {name} is no list", hint="ralphgit check")


def _read(data: bytes, claim: str) -> tuple[str, dict[str, Any]]:
    text = texts.decode(data, limit=texts.MAX_RECORD_BYTES)
    known = plain.load(text)
    if (
        not isinstance(known, dict)
        or known.get("claim") != claim
        or not isinstance(known.get("events"), list)
    ):
        raise InvalidRecord(f"not the audit of claim {claim}", hint="git restore the file")
    return text, known
