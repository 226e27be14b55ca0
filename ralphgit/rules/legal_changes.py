"""What a branch may do to the task graph: consistency of a state, legality of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.model.task_row import Row
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
    present = {name for name in ("reset", "result", "blocked", "cancelled") if stored.get(name)}
    for name in sorted(present - _RECORDS[status]):
        faults.append(
            Fault(
                "inconsistent",
                task,
                f"{task} is {status} and has a {name} record",
                "bring the task's block to what one side of the merge says",
            )
        )
    if status in ("in-progress", "blocked") and not stored.get("claim"):
        faults.append(
            Fault(
                "inconsistent",
                task,
                f"{task} is {status} and nobody claims it",
                f"status: pending, then: ralphgit claim {task}",
            )
        )
    if status == "blocked" and "blocked" not in present:
        faults.append(
            Fault(
                "inconsistent",
                task,
                f"{task} is blocked and does not say why",
                "add a blocked record: ralphgit block",
            )
        )
    if status == "pending" and stored.get("claim"):
        faults.append(
            Fault(
                "inconsistent",
                task,
                f"{task} is pending and has a claim",
                f"ralphgit reset {task} --reason TEXT",
            )
        )
    claim = stored.get("claim")
    holder = claim.get("id") if isinstance(claim, Mapping) else None
    for name in ("result", "blocked"):
        record = stored.get(name)
        if isinstance(record, Mapping) and record.get("claim") and record["claim"] != holder:
            faults.append(
                Fault(
                    "fenced",
                    task,
                    f"{task} has the {name} record of claim {record['claim']}, and is held by "
                    f"{holder or 'nobody'}",
                    f"the claim that stands decides; take the other side's {name} record out",
                )
            )
    return faults


def graph_faults(rows: Sequence[Row]) -> list[Fault]:
    """Cycles, unknown dependencies, wrong patterns, and one claim on two tasks."""
    faults = []
    known = {row.id for row in rows}
    for row in rows:
        for other in row.depends_on:
            if other not in known:
                faults.append(
                    Fault(
                        "unknown_dependency",
                        row.id,
                        f"{row.id} depends on {other}, which does not exist",
                        f"ralphgit add --id {other} --title TEXT, or take it out of depends_on",
                    )
                )
    for row in rows:
        if wrong := bad_pattern(row):
            faults.append(
                Fault(
                    "bad_pattern",
                    row.id,
                    wrong.sentence,
                    "what a pattern says stands in docs/format.md",
                )
            )
    for cycle in find_cycles({row.id: row.depends_on for row in rows}):
        path = " -> ".join((*cycle, cycle[0]))
        faults.append(
            Fault(
                "cycle", cycle[0], f"dependency cycle: {path}", "take one of these dependencies out"
            )
        )
    claims: dict[str, str] = {}
    for row in rows:
        if row.claim:
            first = claims.setdefault(row.claim, row.id)
            if first != row.id:
                faults.append(
                    Fault(
                        "duplicate_claim",
                        row.id,
                        f"{row.id} and {first} have the same claim {row.claim}",
                        "one of them was moved there by a merge; restore that task's block",
                    )
                )
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
    task = new.id
    if old is None:
        return None
    if new.epoch < old.epoch:
        return Fault(
            "epoch_lowered",
            task,
            f"{task} goes back from epoch {old.epoch} to {new.epoch}",
            "the base's reset stands; merge the base",
        )
    if new.epoch > old.epoch:
        return None
    if new.status not in _ONWARD[old.status]:
        return Fault(
            "illegal_move",
            task,
            f"{task} goes from {old.status} to {new.status} without a reset",
            f"ralphgit reset {task} --reason TEXT",
        )
    if old.claim and new.claim != old.claim and old.status in ("in-progress", "complete"):
        return Fault(
            "claim_replaced",
            task,
            f"{task} is held by claim {old.claim} ({old.by}), and the change puts "
            f"{new.claim or 'no claim'} in its place",
            "the claim on the base stands; take another task",
        )
    if old.status == "complete" and new.mark != old.mark:
        return Fault(
            "result_replaced",
            task,
            f"{task} is complete, and the change replaces its result",
            f"ralphgit reset {task} --reopen --reason TEXT",
        )
    return None


def raised(old: Row, new: Row) -> Fault:
    """A higher epoch, and no reset or release of the claim that it fences off."""
    return Fault(
        "illegal_move",
        new.id,
        f"{new.id} goes from epoch {old.epoch} to {new.epoch}, and nobody has reset or "
        f"released claim {old.claim} ({old.by})",
        f"ralphgit reset {new.id} --reason TEXT",
    )


def removed(old: Row) -> Fault:
    """A task that the change takes out of the graph."""
    severity = "error" if old.status in ("in-progress", "blocked") else "warning"
    return Fault(
        "task_removed",
        old.id,
        f"{old.id} ({old.status}) is taken out of the graph",
        f"ralphgit edit {old.id} --cancel REASON keeps its history",
        severity,
    )
