"""Decide whether a claim is lost: the base has moved past it, or somebody else has the lease.

What the history of the base says besides is decided in `app.active_claims.lost_claims`, which is
whom others ask.
"""

from enum import StrEnum
from typing import NamedTuple

from ralphgit.model.active_claim import Lease, TakenBack
from ralphgit.model.task_row import Row


class Cause(StrEnum):
    """How a claim was lost."""

    RESET = "reset"
    """The base has the task at a later epoch."""
    CANCELLED = "cancelled"
    """The base has the task cancelled."""
    CLAIMED = "claimed"
    """The base has the task under another claim."""
    LEASED = "leased"
    """Another claim has the lease."""
    REWRITTEN = "rewritten"
    """The commit that the claim was made from is no longer in the base's history."""
    REMOVED = "removed"
    """The base had the task when the claim was made, and has it no longer."""
    ASKED_ANEW = "asked-anew"
    """The base asks for something else than when the claim was made."""
    TAKEN_BACK = "taken-back"
    """The base had the claim, and has it no longer."""


class Winner(NamedTuple):
    """What has replaced a lost claim."""

    task: str
    cause: Cause
    where: str
    """The base's name; for a lease, the folder of its worktree."""
    claim: str = ""
    """"" if the task has not been claimed since."""
    worker: str = ""
    status: str = ""
    since: str = ""
    epoch: int = 0
    taken_back: TakenBack | None = None
    """How the base took it back, where history shows it."""
    now: str = ""
    """The id under which the base has a task that it has renamed."""


def winner_over(mine: Lease, row: Row | None, lease: Lease | None, *, base: str) -> Winner | None:
    """Who has taken the task from under the claim `mine`; None while that one holds.

    `row` is the task as the base has it, `lease` is who has its lease now, `base` is the name of
    the base.
    """
    task = mine.task
    if row is not None:
        if row.epoch > mine.epoch:
            return Winner(task, Cause.RESET, base, epoch=row.epoch)
        if row.status == "cancelled":
            return Winner(task, Cause.CANCELLED, base)
        if row.claim and row.claim != mine.claim and row.status != "blocked":
            return Winner(
                task, Cause.CLAIMED, base, row.claim, row.by, row.status, row.at, row.epoch
            )
    if lease is not None and lease.claim != mine.claim and not is_overtaken(lease, row):
        return Winner(
            task, Cause.LEASED, lease.worktree, lease.claim, lease.by, "", lease.at, lease.epoch
        )
    return None


def won(mine: Row, there: Row | None, *, base: str) -> Winner | None:
    """Who has a task, as the base has it `there`, by another claim of the same epoch as `mine`."""
    if there is None or not mine.claim or there.claim in ("", mine.claim):
        return None
    if there.epoch != mine.epoch or there.status == "blocked":
        return None
    return Winner(
        mine.id, Cause.CLAIMED, base, there.claim, there.by, there.status, there.at, there.epoch
    )


def is_overtaken(lease: Lease, row: Row | None) -> bool:
    """Whether the base, which has the task as `row`, has moved past a lease's claim, or has taken
    it back: the lease then guards nothing.
    """
    if lease.is_taken_back:
        return True
    if row is None:
        return False
    if lease.epoch < row.epoch or row.status in ("complete", "cancelled"):
        return True
    if row.status == "blocked":
        return row.claim == lease.claim
    return bool(row.claim) and row.claim != lease.claim and row.status == "in-progress"
