"""Decide what a branch may do to the task graph: consistent states, legal changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Mode
from ralphgit.rules.active_scopes import bad_pattern
from ralphgit.rules.cycles import find_cycles


class Fault(NamedTuple):
    """Something that a gate stops."""

    code: str
    task: str
    message: str
    hint: str = ""
    severity: str = "error"
    """error, or warning: shown, and no reason to fail."""


#: The records that go with each status, besides a claim.
_RECORDS = {
    "pending": frozenset({"reset"}),
    "in-progress": frozenset[str](),
    "blocked": frozenset({"blocked"}),
    "complete": frozenset({"result"}),
    "cancelled": frozenset({"cancelled"}),
}


def consistency(task: str, status: str, stored: Mapping[str, object]) -> list[Fault]:
    """Whether a task's lifecycle records go with its status.

    A merge of two changes that line by line does not conflict shows here: a result of one
    claim beside another claim, a reset beside a claim.
    """
    faults = []

    def found(code: str, message: str, hint: str) -> None:
        faults.append(Fault(code, task, f"{task} {message}", hint))

    present = {name for name in ("reset", "result", "blocked", "cancelled") if stored.get(name)}
    for name in sorted(present - _RECORDS[status]):
        hint = "bring the task's block to what one side of the merge says"
        found("inconsistent", f"is {status} and has a {name} record", hint)
    if status in ("in-progress", "blocked") and not stored.get("claim"):
        hint = "set its status to pending, and claim it"
        found("inconsistent", f"is {status} and has no claim", hint)
    if status == "blocked" and "blocked" not in present:
        hint = f'ralphgit block {task} --question "TEXT"'
        found("inconsistent", "is blocked and does not say why", hint)
    if status == "pending" and stored.get("claim"):
        hint = f"ralphgit reset {task} --reason TEXT"
        found("inconsistent", "is pending and has a claim", hint)
    claim = stored.get("claim")
    holder = claim.get("id") if isinstance(claim, Mapping) else None
    for name in ("result", "blocked"):
        record = stored.get(name)
        if isinstance(record, Mapping) and record.get("claim") and record["claim"] != holder:
            other, own = record["claim"], holder or "no claim"
            hint = f"the task's own claim decides; remove the other side's {name} record"
            found("fenced", f"has the {name} record of claim {other}, and is held by {own}", hint)
    return faults


def nothing_to_verify(task: str, stored: Mapping[str, object]) -> Fault | None:
    """Whether a task that only verifies has nothing to do it with, and is not done yet."""
    is_open = stored.get("status") in ("pending", "in-progress", "blocked")
    asked = stored.get("verify") or stored.get("acceptance")
    if stored.get("mode") != Mode.VERIFY or not is_open or asked:
        return None
    said = f"{task} only verifies (mode: verify), and has neither a verify command nor a criterion"
    hint = f"ralphgit edit {task} --verify COMMAND"
    return Fault("nothing_to_verify", task, said, hint, "warning")


def misnamed_criteria(task: str, criteria: Sequence[str], proved: Sequence[str]) -> list[Fault]:
    """Criteria of a task with the same id, and ids that its commands prove and no criterion has."""
    faults = []
    if twice := next((one for at, one in enumerate(criteria) if one in criteria[:at]), None):
        said = f"two criteria of {task} have the id {twice}"
        hint = "give one of them another id: evidence for it would count for both"
        faults.append(Fault("duplicate_criterion", task, said, hint))
    if unknown := next((one for one in proved if one not in criteria), None):
        said = f"a verify command of {task} proves {unknown}, and no criterion has that id"
        hint = f"its criteria: {', '.join(criteria)}" if criteria else "it has no criteria"
        faults.append(Fault("unknown_criterion", task, said, hint, "warning"))
    return faults


def graph_faults(rows: Sequence[Row]) -> list[Fault]:
    """Cycles, unknown dependencies, wrong patterns, and one claim on two tasks."""
    faults = []
    known = {row.id for row in rows}
    for row in rows:
        for other in row.depends_on:
            if other not in known:
                message = f"{row.id} depends on {other}, which does not exist"
                hint = f"add {other}, or remove it from depends_on"
                faults.append(Fault("unknown_dependency", row.id, message, hint))
    for row in rows:
        if wrong := bad_pattern(row):
            hint = "docs/format.md describes patterns"
            faults.append(Fault("bad_pattern", row.id, wrong.sentence, hint))
    for cycle in find_cycles({row.id: row.depends_on for row in rows}):
        message = f"dependency cycle: {' -> '.join((*cycle, cycle[0]))}"
        faults.append(Fault("cycle", cycle[0], message, "remove one of these dependencies"))
    claims: dict[str, str] = {}
    for row in rows:
        if row.claim and (first := claims.setdefault(row.claim, row.id)) != row.id:
            message = f"{row.id} and {first} have the same claim {row.claim}"
            hint = "one of them was moved there by a merge; restore that task's block"
            faults.append(Fault("duplicate_claim", row.id, message, hint))
    return faults


#: From a status on the base to one on the branch, in one or several legal steps that keep
#: the epoch.
_ONWARD = {
    "pending": {"pending", "in-progress", "blocked", "complete", "cancelled"},
    "in-progress": {"in-progress", "blocked", "complete", "cancelled"},
    "blocked": {"blocked", "in-progress", "complete", "cancelled"},
    "complete": {"complete"},
    "cancelled": {"cancelled"},
}


def change(old: Row | None, new: Row) -> Fault | None:
    """Whether a task may go from `old` (None: it is new) to `new`."""
    if old is None or old.json == new.json:
        return None
    task, reset = new.id, f"ralphgit reset {new.id}"
    if new.epoch > old.epoch:
        if new.status != "pending" or new.mark not in ("", old.mark):
            return None
        message = f"{task} goes from epoch {old.epoch} to {new.epoch}, and has no new reset record"
        return Fault("illegal_move", task, message, f"{reset} --reason TEXT")
    if new.epoch < old.epoch:
        message = f"{task} goes back from epoch {old.epoch} to {new.epoch}"
        return Fault("epoch_lowered", task, message, "the base's reset decides; merge the base")
    if new.status not in _ONWARD[old.status]:
        message = f"{task} goes from {old.status} to {new.status} without a reset"
        return Fault("illegal_move", task, message, f"{reset} --reason TEXT")
    if old.claim and new.claim != old.claim and old.status in ("in-progress", "complete"):
        message = (
            f"{task} is held by claim {old.claim} ({old.by}), and the change puts "
            f"{new.claim or 'no claim'} in its place"
        )
        hint = "the claim on the base decides; take another task"
        return Fault("claim_replaced", task, message, hint)
    if old.status == "complete" and new.mark != old.mark:
        message = f"{task} is complete, and the change replaces its result"
        return Fault("result_replaced", task, message, f"{reset} --reopen --reason TEXT")
    return _edited(old, new)


def _edited(old: Row, new: Row) -> Fault | None:
    """Whether a record is another one under its id, or gives way to one without a move.

    A contract is judged by what is promised, and follows a task to another name.
    """
    was, now = json.loads(old.json), json.loads(new.json)
    is_moved = old.stage[:3] != new.stage[:3]
    for name in ("claim", "result", "blocked", "reset", "cancelled"):
        one, other = was.get(name) or {}, now.get(name) or {}
        if one.get("id") == other.get("id"):
            keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
        else:
            keys = [] if is_moved or name == "claim" else ["id"]
        if told := [key for key in keys if (name, key) != ("claim", "contract")]:
            message = f"the change edits the {name} record of {new.id} ({', '.join(told)})"
            hint = "bring the record back to what the base has; a new state is a new record"
            return Fault("edited_lifecycle", new.id, message, hint)
    return None


def given_up(old: Row, new: Row) -> set[str]:
    """The claims of which one has to be given up where the epoch rises.

    A blocked task may have been claimed anew meanwhile: then it is that claim.
    """
    ended = json.loads(new.json).get("reset") if old.status == "blocked" else None
    later = ended.get("claim") if isinstance(ended, dict) else None
    return {old.claim, later} if isinstance(later, str) else {old.claim}


def raised(old: Row, new: Row) -> Fault:
    """A higher epoch, and no reset or release of the claim that it fences off."""
    message = (
        f"{new.id} goes from epoch {old.epoch} to {new.epoch}, and no record resets or "
        f"releases claim {old.claim} ({old.by})"
    )
    return Fault("illegal_move", new.id, message, f"ralphgit reset {new.id} --reason TEXT")


def imported(task: str, files: Sequence[str], touched: Sequence[str], *, required: bool) -> Fault:
    """A new task that is complete because the `files` that it was imported from say so.

    It is shown, and legal where the change is an import alone: it has not `touched` a task that
    was there, as a worker's does. With `required`, everything complete has to be verified.
    """
    message = f"{task} is imported as done from {', '.join(files)}: verified by nothing here"
    if touched:
        message += f", on a branch that also changes {touched[0]}"
        hint = "import on a branch of its own"
        return Fault("imported_done", task, message, hint)
    if not required:
        return Fault("imported_done", task, message, severity="warning")
    return Fault("imported_done", task, message, f"ralphgit reset {task} --reopen --reason TEXT")


def removed(old: Row) -> Fault:
    """A task that the change takes out of the graph."""
    severity = "error" if old.status in ("in-progress", "blocked") else "warning"
    message = f"{old.id} ({old.status}) is taken out of the graph"
    hint = "put it back and cancel it, which keeps its history"
    return Fault("task_removed", old.id, message, hint, severity)
