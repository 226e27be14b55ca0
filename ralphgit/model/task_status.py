"""Define the words for a task's state: those that are stored, and those that are derived."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Stored in the graph."""

    PENDING = "pending"
    IN_PROGRESS = "in-progress"
    BLOCKED = "blocked"
    COMPLETE = "complete"
    CANCELLED = "cancelled"


#: Words of other tools that mean one of ours on reading; they are never written.
ALIASES = {
    "ready": Status.PENDING,
    "open": Status.PENDING,
    "done": Status.COMPLETE,
    "closed": Status.COMPLETE,
}

STATUS_OF = {**{status.value: status for status in Status}, **ALIASES}


class State(StrEnum):
    """Derived from the base and all that is in flight; never stored."""

    WAITING = "waiting"
    READY = "ready"
    CLAIMED = "claimed"
    IN_PROGRESS = "in-progress"
    IN_REVIEW = "in-review"
    BLOCKED = "blocked"
    COMPLETE = "complete"
    CANCELLED = "cancelled"


class Mode(StrEnum):
    """How a task may run beside others of its story."""

    PARALLEL = "parallel"
    SEQUENTIAL = "sequential"
    VERIFY = "verify"


class Reason(StrEnum):
    """Why a task is blocked."""

    NEEDS_CONTEXT = "needs_context"
    CONFLICT = "conflict"
    VERIFY_FAILED = "verify-failed"
    SCOPE = "scope"
    OTHER = "other"


class Outcome(StrEnum):
    """How a completed task ended."""

    DONE = "done"
    DONE_WITH_CONCERNS = "done_with_concerns"


PRIORITIES = range(6)
