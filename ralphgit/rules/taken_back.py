"""Decide what a change that takes back the record of a task is: a revert as a whole, or a part."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ralphgit.model.task_row import Row
from ralphgit.rules.branch_changes import Fault

_SHOWN = 3


def is_taken_back(old: Row, new: Row | None) -> bool:
    """Whether a change puts a task back to before its claim, as a revert does; no reset does so."""
    if new is None or not old.claim or new.claim == old.claim or new.epoch != old.epoch:
        return False
    return new.status == "pending" if not new.claim else new.status == "blocked"


def work_left(task: str, work: Collection[str], left: Collection[str]) -> Fault | None:
    """Whether the work of a claim whose records are taken back stays.

    `work` are the files that its landing changed, `left` those that are still as it made them.
    """
    if not left:
        return None
    is_all = len(left) == len(work)
    said = f"the records of {task} are taken back, and {_some(left)} of its work stays"
    hint = f"ralphgit revert {task}"
    return Fault("work_left", task, said, hint, "error" if is_all else "warning")


def work_undone(row: Row, work: Collection[str], undone: Collection[str]) -> Fault | None:
    """Whether a task stays complete though all its work is taken back.

    `undone` are the files that are again as they were before its landing, which changed `work`.
    """
    if not work or len(undone) < len(work):
        return None
    said = f"{row.id} stays complete, and its work is taken back: {_some(undone)}"
    return Fault(
        "work_undone", row.id, said, f"take its records back, too: ralphgit revert {row.id}"
    )


def _some(paths: Collection[str]) -> str:
    names: Sequence[str] = sorted(paths)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
