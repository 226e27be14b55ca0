"""Read and write an evidence record (`model.evidence`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ralphgit.errors import InvalidRecord
from ralphgit.model import characters
from ralphgit.model.evidence import VERDICTS, Artifact, Evidence, Output, Subject, Support
from ralphgit.model.ids import is_id
from ralphgit.records import input_limits as texts
from ralphgit.records import schemas, yaml_reader, yaml_writer


def path(records: str, task: str, identity: str) -> str:
    """Where an observation is recorded, relative to the top."""
    return f"{folder(records, task)}/{identity}.yaml"


def folder(records: str, task: str) -> str:
    """Where all that was observed about a task is recorded."""
    return f"{all_of(records)}/{task}"


def all_of(records: str) -> str:
    """Where all evidence is recorded."""
    return f"{records}/evidence"


def encode(made: Evidence, path: str) -> bytes:
    """Encode the record, for a file at `path`."""
    told = characters.values_without(stored(made))
    return (schemas.modeline("evidence") + yaml_writer.mapping(told)).encode()


def stored(made: Evidence) -> dict[str, object]:
    """The record as it is written; what it does not have is left out."""
    value: dict[str, object] = {
        "id": made.id, "task": made.task, "claim": made.claim, "kind": made.kind, "by": made.by,
        "at": "" if made.command else made.at,
        "supports": [entry._asdict() for entry in made.supports],
        "shows": made.shows, "does_not_show": made.does_not_show,
    }  # fmt: skip
    value = {key: entry for key, entry in value.items() if entry or key in ("supports", "shows")}
    if made.command:
        value |= {
            "command": made.command, "command_digest": made.command_digest,
            "exit_code": made.exit_code, "started_at": made.at, "duration_s": made.duration_s,
        }  # fmt: skip
    if made.before is not None:
        value["before"] = {"exit_code": made.before}
    for name in ("output", "artifact", "subject"):
        if part := getattr(made, name):
            value[name] = part._asdict()
    return value


def parse(data: bytes, *, limit: int = texts.MAX_RECORD_BYTES) -> Evidence:
    """Read the observation in a file. Raises: InvalidRecord."""
    known = yaml_reader.load(texts.decode(data, limit=limit))
    if not isinstance(known, dict):
        raise _invalid("it is not a mapping")
    if not is_id(_text(known, "id")) or not is_id(_text(known, "task")) or not _text(known, "kind"):
        raise _invalid("it needs id, task and kind")
    code, duration = known.get("exit_code"), known.get("duration_s")
    before = known.get("before") or {}
    earlier = before.get("exit_code") if isinstance(before, dict) else before
    for value in (code, earlier):
        if value is not None and type(value) is not int:
            raise _invalid("exit_code is not a whole number")
    if duration is not None and not (type(duration) in (int, float) and math.isfinite(duration)):
        raise _invalid("duration_s is not a number")
    return Evidence(
        **{name: _text(known, name) for name in _PLAIN},
        supports=tuple(_supports(known.get("supports") or ())),
        at=_text(known, "at") or _text(known, "started_at"),
        exit_code=code,
        before=earlier,
        duration_s=duration,
        output=_part(Output, known, "output"),
        artifact=_part(Artifact, known, "artifact"),
        subject=_part(Subject, known, "subject"),
    )


_PLAIN = (
    "id", "task", "kind", "claim", "shows", "does_not_show", "by", "command", "command_digest",
)  # fmt: skip


def _supports(entries: object) -> list[Support]:
    if not isinstance(entries, (list, tuple)):
        raise _invalid("supports is not a list")
    found = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise _invalid("an entry of supports is not a mapping")
        criterion, verdict = _text(entry, "criterion"), _text(entry, "verdict")
        if not criterion or verdict not in VERDICTS:
            words = ", ".join(VERDICTS)
            raise _invalid(f"an entry of supports needs a criterion and a verdict: {words}")
        found.append(Support(criterion, verdict))
    return found


def _part(kind: Any, known: Mapping[str, Any], name: str) -> Any:
    """The mapping `name` as a `kind` of record; None where there is none."""
    part = known.get(name)
    if part is None:
        return None
    if not isinstance(part, dict):
        raise _invalid(f"{name} is not a mapping")
    return kind(*((_count if key == "bytes" else _text)(part, key) for key in kind._fields))


def _text(known: Mapping[str, Any], name: str) -> str:
    found = known.get(name, "")
    if type(found) is str:
        return found
    if found is None:
        return ""
    raise _invalid(f"{name} is not text")


def _count(known: Mapping[str, Any], name: str) -> int:
    found = known.get(name, 0)
    if type(found) is int:
        return found
    raise _invalid(f"{name} is not a whole number")


def _invalid(why: str) -> InvalidRecord:
    return InvalidRecord(f"not an evidence record: {why}", hint="ralphgit check")
