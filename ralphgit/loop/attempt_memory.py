"""Keep what a loop has to know after a restart of the attempts at its task."""

import os
from typing import Any, NamedTuple

from ralphgit.records import redact_secrets, runtime_notes

_ATTEMPTS = os.path.join(".ralph", "attempts.yaml")
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
    """The question for a person if it was the last one."""
    review: str = ""
    """What keeps its pull request from landing, where the agent works on that."""
    conflicts: str = ""
    """The files that had conflict markers when it began, one a line."""
    limited: int = 0
    """Limits in a row since the last attempt that ran into none."""
    unavailable: int = 0
    """How often in a row the agent could not work, or was silent."""
    over: int = 0
    """How often the time limit ended it."""


def attempts(top: str, claim: str) -> Attempts:
    """Return what is known of a claim's attempts; nothing if the note is about another claim."""
    found = runtime_notes.read(os.path.join(top, _ATTEMPTS))
    if found.get("claim") != claim:
        return Attempts(claim)
    usual = Attempts._field_defaults
    known: dict[str, Any] = {
        name: value for name, value in found.items() if type(value) is type(usual.get(name, ...))
    }
    return Attempts(claim, **known)


def note_attempts(top: str, now: Attempts) -> None:
    """Raises: NotWritable."""
    feedback, told = map(redact_secrets.words_of_log, (now.feedback, now.told))
    now = now._replace(feedback=feedback[-_MOST_TEXT:], told=told[-_MOST_TEXT:])
    runtime_notes.write(os.path.join(top, _ATTEMPTS), now._asdict())
