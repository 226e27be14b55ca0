"""Read and write a review, which is filed with the audit of its task (`model.review`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ralphgit.errors import InvalidRecord
from ralphgit.model import usage
from ralphgit.model.evidence import Subject
from ralphgit.model.ids import is_id
from ralphgit.model.review import DISPOSITIONS, VERDICTS, Disposal, Finding, Review
from ralphgit.records import input_limits as texts
from ralphgit.records import schemas, yaml_reader, yaml_writer
from ralphgit.records.redact_secrets import words_of_record


def encode(made: Review, path: str) -> bytes:
    """Encode a review, for a file at `path`."""
    told = words_of_record(stored(made))
    return (schemas.modeline("audit") + yaml_writer.mapping(told)).encode()


def stored(made: Review) -> dict[str, object]:
    """A review as it is written; what it does not have is left out."""
    value: dict[str, object] = {
        "id": made.id, "kind": "review", "task": made.task, "claim": made.claim, "at": made.at,
        "target": made.target, "by": made.by, "lenses": list(made.lenses),
        "context_reviewed": list(made.context_reviewed),
        "findings": [one._asdict() for one in made.findings],
        "disposes": [one._asdict() for one in made.disposes],
        "verdict": made.verdict, "residual_risk": made.residual_risk,
        "subject": made.subject._asdict() if made.subject else None,
        "model": made.model,
        "usage": made.usage.stored() if made.usage else None,
    }  # fmt: skip
    return {key: entry for key, entry in value.items() if entry or key == "findings"}


def parse(data: bytes) -> Review | None:
    """Read the review in a file; None for the events of an attempt. Raises: InvalidRecord."""
    known = yaml_reader.load(texts.decode(data, limit=texts.MAX_RECORD_BYTES))
    if not isinstance(known, dict):
        raise InvalidRecord("not an audit record", hint="ralphgit check")
    if known.get("kind") != "review":
        return None
    plain = ("id", "task", "by", "at", "target", "verdict", "claim", "residual_risk",
             "model")  # fmt: skip
    fields = {name: _text(known, name) for name in plain}
    if not is_id(fields["id"]) or not is_id(fields["task"]) or fields["verdict"] not in VERDICTS:
        needed = f"it needs id, task and a verdict: {', '.join(VERDICTS)}"
        raise InvalidRecord(f"not a review: {needed}", hint="ralphgit check")
    subject = known.get("subject")
    disposes = _parts(known, "disposes")
    return Review(
        **fields,
        lenses=_texts(known, "lenses"),
        context_reviewed=_texts(known, "context_reviewed"),
        findings=tuple(_record(Finding, one) for one in _parts(known, "findings")),
        disposes=tuple(
            _record(Disposal, one) for one in disposes if one.get("disposition") in DISPOSITIONS
        ),
        subject=_record(Subject, subject) if isinstance(subject, dict) else None,
        usage=usage.parsed(known.get("usage")),
    )


def _record(kind: Any, part: Mapping[str, Any]) -> Any:
    return kind(*(_text(part, name) for name in kind._fields))


def _text(known: Mapping[str, Any], name: str) -> str:
    found = known.get(name)
    if found is None or isinstance(found, str):
        return found or ""
    raise InvalidRecord(f"not an audit record: {name} is not text", hint="ralphgit check")


def _texts(known: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = known.get(name) or []
    if isinstance(found, list) and all(isinstance(item, str) for item in found):
        return tuple(found)
    raise InvalidRecord(
        f"not an audit record: {name} is not a list of texts", hint="ralphgit check"
    )


def _parts(known: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = known.get(name) or []
    if isinstance(found, list) and all(isinstance(item, dict) for item in found):
        return found
    raise InvalidRecord(f"not an audit record: {name} is not a list", hint="ralphgit check")
