"""Decide whether records go with each other: a status with its event, evidence with its claim."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ralphgit.model.evidence import Evidence
from ralphgit.model.task import Event
from ralphgit.model.task_row import Row
from ralphgit.rules.branch_changes import Fault

#: What the status of a task is after an event of its audit; other events leave it as it is.
_AFTER = {
    "claimed": "in-progress", "blocked": "blocked", "completed": "complete",
    "force-completed": "complete", "released": "pending", "answered": "pending",
    "reset": "pending", "lost": "",
}  # fmt: skip
#: How far the clocks of two machines may differ.
_CLOCKS = timedelta(minutes=5)


def last_move(events: Sequence[Event]) -> Event | None:
    """Return the last event that changed the task's status."""
    return next((one for one in reversed(events) if one.event in _AFTER), None)


def status_without_event(row: Row, result_at: str, events: Sequence[Event]) -> Fault | None:
    """Whether a task has a status that the audit of its claim does not tell of.

    Whoever completes a task writes the event and the result at the same moment, and a reason where
    it was by force. `result_at` is when the result was written.
    """
    last = last_move(events)
    if last is None or _AFTER[last.event] != row.status:
        said = f"no event in its audit says so: {last.event if last else 'it has none'}"
    elif row.status == "complete" and last.at != result_at:
        said = f"its audit says so of another moment ({last.at}) than its result ({result_at})"
    elif row.by and last.by and last.by != row.by and row.status == "complete":
        said = f"its audit says that {last.by} completed it, and its claim is {row.by}'s"
    elif last.event == "force-completed" and not last.note:
        said = "its audit says that it was by force, and gives no reason"
    else:
        return None
    return Fault(
        "status_without_event", row.id, f"{row.id} is {row.status}, but {said}",
        f"git checkout the block of {row.id} from the base; then the command that does it",
    )  # fmt: skip


def event_without_status(
    task: str, claim: str, row: Row | None, events: Sequence[Event]
) -> Fault | None:
    """Whether the audit of a claim ends in a completion that the task does not have."""
    last = last_move(events)
    if row is None or last is None or _AFTER[last.event] != "complete":
        return None
    if (row.claim, row.status) == (claim, "complete"):
        return None
    said = f"the audit of claim {claim} says {last.event}, but {task} is {row.status}"
    under = f" under claim {row.claim}" if row.claim and row.claim != claim else ""
    hint = "remove the event, or complete the task"
    return Fault("event_without_status", task, said + under, hint)


def early_evidence(one: Evidence, row: Row) -> Fault | None:
    """Whether a command was run before the claim was made that its evidence names."""
    run, claimed = _moment(one.at), _moment(row.at)
    if one.claim != row.claim or run is None or claimed is None or run + _CLOCKS >= claimed:
        return None
    said = f"evidence {one.id} is of {one.at}, before claim {row.claim} was made ({row.at})"
    return Fault("early_evidence", row.id, said, f"ralphgit evidence verify {row.id} --rerun")


def claim_time(row: Row, result_at: str, began: datetime | None) -> Fault | None:
    """Whether a claim was made after its own result, or before the commit that it was made from,
    which is of the time `began`; None for a commit that is not there.
    """
    claimed, ended = _moment(row.at), _moment(result_at)
    if claimed is None:
        return None
    if ended is not None and claimed > ended + _CLOCKS:
        said = f"after its result ({result_at})"
    elif began is not None and claimed + _CLOCKS < began:
        said = f"before commit {row.base[:12]}, which it was made from ({began.isoformat()})"
    else:
        return None
    said = f"claim {row.claim} is said to be of {row.at}, {said}"
    hint = f"the claim's time decides nothing; ask {row.by or 'its worker'} how it came"
    return Fault("claim_time", row.id, said, hint, "warning")


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
