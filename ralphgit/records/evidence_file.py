"""An evidence record <-> `model.evidence`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ralphgit.errors import InvalidRecord
from ralphgit.model.evidence import (
    VERDICTS,
    Artifact,
    Evidence,
    Output,
    Subject,
    Support,
)
from ralphgit.model.ids import is_id
from ralphgit.records import input_limits as texts
from ralphgit.records import schemas, yaml_reader, yaml_writer


def path(records: str, task: str, identity: str) -> str:
    """Where an observation is recorded, relative to the top."""
    return f"{folder(records, task)}/{identity}.yaml"


def folder(records: str, task: str) -> str:
    """Where all that was observed about a task is recorded."""
    return f"{records}/evidence/{task}"


def encode(made: Evidence, path: str) -> bytes:
    """The record's bytes, for a file at `path`."""
    return (schemas.modeline(path, "evidence") + yaml_writer.mapping(stored(made))).encode()


def stored(made: Evidence) -> dict[str, object]:
    """The record as it is written; what it does not have is left out."""
    value: dict[str, object] = {"id": made.id, "task": made.task}
    if made.claim:
        value["claim"] = made.claim
    value["kind"] = made.kind
    if made.by:
        value["by"] = made.by
    if made.at and not made.command:
        value["at"] = made.at
    value["supports"] = [entry._asdict() for entry in made.supports]
    value["shows"] = made.shows
    if made.does_not_show:
        value["does_not_show"] = made.does_not_show
    if made.command:
        value["command"] = made.command
        value["command_digest"] = made.command_digest
        value["exit_code"] = made.exit_code
        value["started_at"] = made.at
        value["duration_s"] = made.duration_s
    for name, part in (
        ("output", made.output), ("artifact", made.artifact), ("subject", made.subject),
    ):  # fmt: skip
        if part is not None:
            value[name] = part._asdict()
    return value


def parse(data: bytes, *, limit: int = texts.MAX_RECORD_BYTES) -> Evidence:
    """The observation that a file holds. Raises: InvalidRecord."""
    known = yaml_reader.load(texts.decode(data, limit=limit))
    if not isinstance(known, dict):
        raise _invalid("it is no mapping")
    identity, task, kind = (_text(known, name) for name in ("id", "task", "kind"))
    if not is_id(identity) or not is_id(task) or not kind:
        raise _invalid("it needs id, task and kind")
    code, duration = known.get("exit_code"), known.get("duration_s")
    if code is not None and (isinstance(code, bool) or not isinstance(code, int)):
        raise _invalid("exit_code is no whole number")
    if duration is not None and not isinstance(duration, (int, float)):
        raise _invalid("duration_s is no number")
    return Evidence(
        id=identity,
        task=task,
        kind=kind,
        claim=_text(known, "claim"),
        supports=tuple(_supports(known.get("supports") or ())),
        shows=_text(known, "shows"),
        does_not_show=_text(known, "does_not_show"),
        by=_text(known, "by"),
        at=_text(known, "at") or _text(known, "started_at"),
        command=_text(known, "command"),
        command_digest=_text(known, "command_digest"),
        exit_code=code,
        duration_s=duration,
        output=_output(_part(known, "output")),
        artifact=_artifact(_part(known, "artifact")),
        subject=_subject(_part(known, "subject")),
    )


def _supports(entries: object) -> list[Support]:
    if not isinstance(entries, (list, tuple)):
        raise _invalid("supports is no list")
    found = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise _invalid("an entry of supports is no mapping")
        criterion, verdict = _text(entry, "criterion"), _text(entry, "verdict")
        if not criterion or verdict not in VERDICTS:
            raise _invalid(f"an entry of supports needs a criterion and a verdict: {_WORDS}")
        found.append(Support(criterion, verdict))
    return found


_WORDS = ", ".join(VERDICTS)


def _output(part: Mapping[str, Any] | None) -> Output | None:
    if part is None:
        return None
    return Output(_text(part, "sha256"), _count(part, "bytes"), _text(part, "tail"))


def _artifact(part: Mapping[str, Any] | None) -> Artifact | None:
    if part is None:
        return None
    return Artifact(_text(part, "path"), _text(part, "sha256"), _count(part, "bytes"))


def _subject(part: Mapping[str, Any] | None) -> Subject | None:
    if part is None:
        return None
    return Subject(*(_text(part, name) for name in Subject._fields))


def _part(known: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    found = known.get(name)
    if found is None or isinstance(found, dict):
        return found
    raise _invalid(f"{name} is no mapping")


def _text(known: Mapping[str, Any], name: str) -> str:
    found = known.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise _invalid(f"{name} is no text")
    return found


def _count(known: Mapping[str, Any], name: str) -> int:
    found = known.get(name, 0)
    if isinstance(found, bool) or not isinstance(found, int):
        raise _invalid(f"{name} is no whole number")
    return found


def _invalid(why: str) -> InvalidRecord:
    return InvalidRecord(f"not an evidence record: {why}", hint="ralphgit check")
