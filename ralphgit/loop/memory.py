"""What a loop has to know after a restart: failed attempts at its task, and its breaker."""

from __future__ import annotations

import os
from typing import NamedTuple

from ralphgit.records import notes
from ralphgit.rules.retry import CLOSED, Breaker

_ATTEMPTS = os.path.join(".ralph", "attempts.yaml")
_BREAKER = os.path.join(".ralph", "breaker.yaml")
_MOST_FEEDBACK = 8 * 1024


class Attempts(NamedTuple):
    """The attempts at one claim."""

    claim: str
    failed: int = 0
    feedback: str = ""
    """What was missing after the last one, for the next prompt."""
    limited: int = 0
    """Rate limits in a row since the last attempt that ran into none."""


def attempts(top: str, claim: str) -> Attempts:
    """What is known of a claim's attempts; none where the note is another claim's."""
    found = notes.read(os.path.join(top, _ATTEMPTS))
    failed, feedback, limited = (found.get(name) for name in ("failed", "feedback", "limited"))
    if found.get("claim") != claim or not isinstance(failed, int):
        return Attempts(claim)
    return Attempts(
        claim,
        failed,
        feedback if isinstance(feedback, str) else "",
        limited if isinstance(limited, int) else 0,
    )


def note_attempts(top: str, now: Attempts) -> None:
    """Raises: NotWritable."""
    now = now._replace(feedback=now.feedback[-_MOST_FEEDBACK:])
    notes.write(os.path.join(top, _ATTEMPTS), now._asdict())


def breaker(top: str) -> Breaker:
    """The breaker as it was left; closed where nothing is known."""
    found = notes.read(os.path.join(top, _BREAKER))
    failures, opened = found.get("failures"), found.get("opened")
    if not isinstance(failures, int) or not isinstance(opened, (int, float)):
        return CLOSED
    return Breaker(failures, float(opened))


def note_breaker(top: str, now: Breaker) -> None:
    """Raises: NotWritable."""
    if now == breaker(top):
        return
    notes.write(os.path.join(top, _BREAKER), now._asdict())
