"""Keep what the agent of a claim has used so far, until an event of the audit says it."""

from __future__ import annotations

import os

from ralphgit.app.workspace.runtime_files import USAGE
from ralphgit.model.task import Event, Usage
from ralphgit.model.usage import total
from ralphgit.records import audit_file, runtime_notes

#: The events with which an attempt ends, for its worker.
_ENDS = ("completed", "force-completed", "blocked", "released")


def note(top: str, claim: str, used: Usage) -> Usage:
    """Add what the agent used once more; returns all that the claim has used.

    Raises: NotWritable.
    """
    now = total((of_claim(top, claim) or Usage(), used))
    stored = {"claim": claim, **now.stored()}
    runtime_notes.write(os.path.join(top, USAGE), stored)
    return now


def of_claim(top: str, claim: str) -> Usage | None:
    """Return what a claim has used so far; None where nothing is known."""
    path = os.path.join(top, USAGE)
    if not os.path.lexists(path):
        return None  # and no parser is loaded
    found = runtime_notes.read(path)
    return audit_file.parsed_usage(found) if found.get("claim") == claim else None


def told(top: str, claim: str, event: Event) -> Event:
    """`event` with what its attempt has used, if it ends it and its agent said anything."""
    used = of_claim(top, claim) if event.event in _ENDS else None
    return event if used is None or not used.is_told else event._replace(usage=used)
