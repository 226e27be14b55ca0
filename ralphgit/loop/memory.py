"""What a loop has to know after a restart: failed attempts at its task, and its breaker."""

from __future__ import annotations

import os
from typing import NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.records import emit, files, plain
from ralphgit.records import text as texts
from ralphgit.rules.retry import CLOSED, Breaker

_ATTEMPTS = os.path.join(".ralph", "attempts.yaml")
_BREAKER = os.path.join(".ralph", "breaker.yaml")
_MOST_TEXT = 8 * 1024


class Attempts(NamedTuple):
    """The attempts at one claim."""

    claim: str
    failed: int = 0
    feedback: str = ""
    """What was missing after the last one, for the next prompt."""
    reason: str = ""
    """Why it failed: one of `Reason`."""
    told: str = ""
    """What is asked of a person if it was the last one."""


def attempts(top: str, claim: str) -> Attempts:
    """What is known of a claim's attempts; none where the note is another claim's."""
    found = _read(os.path.join(top, _ATTEMPTS))
    failed = found.get("failed")
    if found.get("claim") != claim or not isinstance(failed, int):
        return Attempts(claim)
    said = (found.get(name) for name in ("feedback", "reason", "told"))
    return Attempts(claim, failed, *(text if isinstance(text, str) else "" for text in said))


def note_attempts(top: str, now: Attempts) -> None:
    """Raises: NotWritable."""
    now = now._replace(feedback=now.feedback[-_MOST_TEXT:], told=now.told[-_MOST_TEXT:])
    _write(os.path.join(top, _ATTEMPTS), now._asdict())


def breaker(top: str) -> Breaker:
    """The breaker as it was left; closed where nothing is known."""
    found = _read(os.path.join(top, _BREAKER))
    failures, opened = found.get("failures"), found.get("opened")
    if not isinstance(failures, int) or not isinstance(opened, (int, float)):
        return CLOSED
    return Breaker(failures, float(opened))


def note_breaker(top: str, now: Breaker) -> None:
    """Raises: NotWritable."""
    if now == breaker(top):
        return
    _write(os.path.join(top, _BREAKER), now._asdict())


def _read(path: str) -> dict[str, object]:
    data = files.read(path)
    if data is None:
        return {}
    try:
        value = plain.load(texts.decode(data, limit=texts.MAX_RECORD_BYTES))
    except InvalidRecord:
        return {}  # half a note is none
    return value if isinstance(value, dict) else {}


def _write(path: str, value: dict[str, object]) -> None:
    files.write(path, emit.mapping(value).encode("utf-8", "backslashreplace"), durable=False)
