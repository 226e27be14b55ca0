"""Read and write a guidance record: a question and its answer (`model.handoff`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ralphgit.errors import InvalidRecord
from ralphgit.model.handoff import Answer, Guidance
from ralphgit.model.ids import is_id
from ralphgit.records import input_limits as texts
from ralphgit.records import schemas, yaml_reader, yaml_writer
from ralphgit.records.redact_secrets import words_of_record

if TYPE_CHECKING:
    from ralphgit.model.three_way_merge import ThreeWay

FOLDER = "guidance"


def path(records: str, task: str, identity: str) -> str:
    """Where a question is recorded, relative to the top."""
    return f"{folder(records, task)}/{identity}.yaml"


def folder(records: str, task: str) -> str:
    """Where all questions about a task are recorded."""
    return f"{records}/{FOLDER}/{task}"


def encode(made: Guidance, path: str) -> bytes:
    """Encode the record, for a file at `path`."""
    value: dict[str, object] = {**made._asdict(), "options": list(made.options)}
    del value["answer"]
    if made.answer is not None:
        value["answer"] = made.answer._asdict()
    told = words_of_record(value)
    return (schemas.modeline("guidance") + yaml_writer.mapping(told)).encode()


def answered(old: bytes, answer: Answer) -> bytes:
    """Add an answer to the bytes of a record; what was there stays as it was.

    Raises: InvalidRecord when `old` is not a record.
    """
    text, known = _read(old)
    eol = "\r\n" if "\r\n" in text else "\n"
    told = words_of_record(answer._asdict())
    expected = {**known, "answer": told}
    if "answer" not in known:
        before = text if text.endswith("\n") else text + eol
        new = before + yaml_writer.mapping({"answer": told}, eol=eol)
        if yaml_reader.load(new) == expected:
            return new.encode()
    return yaml_writer.mapping(expected).encode()


def parse(data: bytes) -> Guidance:
    """Read the question in a file, and its answer if there is one.

    Raises: InvalidRecord.
    """
    _, known = _read(data)
    fields = {name: known.get(name, "") for name in ("id", "task", "claim", "question", "at", "by")}
    options = known.get("options") or []
    said = known.get("answer")
    if (
        not all(isinstance(value, str) for value in fields.values())
        or not isinstance(options, list)
        or not all(isinstance(option, str) for option in options)
        or not is_id(fields["id"])
    ):
        raise _invalid()
    answer = None
    if said is not None:
        if not isinstance(said, dict) or not isinstance(said.get("text"), str):
            raise _invalid()
        answer = Answer(said["text"], str(said.get("by") or ""), str(said.get("at") or ""))
    return Guidance(**fields, options=tuple(options), answer=answer)


def joined(versions: ThreeWay[bytes | None]) -> bytes | None:
    """Merge two versions of a record of which one is the other with its answer: that one.

    The same whichever side is ours. None where that cannot be.

    Raises: InvalidRecord.
    """
    _, ours, theirs = versions
    if ours is None or theirs is None:
        return None
    mine, other = parse(ours), parse(theirs)
    if mine._replace(answer=None) != other._replace(answer=None):
        return None
    if (mine.answer is None) == (other.answer is None):
        return None
    return theirs if mine.answer is None else ours


def _read(data: bytes) -> tuple[str, dict[str, Any]]:
    text = texts.decode(data, limit=texts.MAX_RECORD_BYTES)
    known = yaml_reader.load(text)
    if not isinstance(known, dict):
        raise _invalid()
    return text, known


def _invalid() -> InvalidRecord:
    return InvalidRecord("not a question with its answer", hint="ralphgit check")
