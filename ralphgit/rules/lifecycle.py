"""Make the legal moves of a task, and what each leaves in the record (SPEC 3.1).

| from        | to          | by                        |
|-------------|-------------|---------------------------|
| pending     | in-progress | claim                     |
| pending     | cancelled   | cancel                    |
| pending     | pending     | reset (fences a claim that the base never saw) |
| in-progress | complete    | complete                  |
| in-progress | blocked     | block                     |
| in-progress | pending     | release, reset            |
| in-progress | cancelled   | cancel                    |
| blocked     | in-progress | claim                     |
| blocked     | pending     | release, reset            |
| blocked     | cancelled   | cancel                    |
| complete    | pending     | reset with `reopen`       |
| cancelled   | pending     | reset with `reopen`       |

Each function returns the new lifecycle or raises IllegalMove; nothing else decides a move.
"""

from __future__ import annotations

from ralphgit.errors import IllegalMove
from ralphgit.model.task import Blocked, Cancelled, Claim, Lifecycle, Reset, Result
from ralphgit.model.task_status import Status

LEGAL = frozenset(
    {
        (Status.PENDING, Status.IN_PROGRESS),
        (Status.PENDING, Status.CANCELLED),
        (Status.IN_PROGRESS, Status.COMPLETE),
        (Status.IN_PROGRESS, Status.BLOCKED),
        (Status.IN_PROGRESS, Status.PENDING),
        (Status.IN_PROGRESS, Status.CANCELLED),
        (Status.BLOCKED, Status.IN_PROGRESS),
        (Status.BLOCKED, Status.PENDING),
        (Status.BLOCKED, Status.CANCELLED),
        (Status.COMPLETE, Status.PENDING),
        (Status.CANCELLED, Status.PENDING),
    }
)


def _move(task: str, old: Lifecycle, to: Status, verb: str) -> None:
    if (old.status, to) not in LEGAL:
        hint = ""
        if old.status in (Status.COMPLETE, Status.CANCELLED):
            hint = f"ralphgit reset {task} --reopen --reason TEXT"
        elif old.status is Status.PENDING:
            hint = f"ralphgit claim {task}"
        raise IllegalMove(
            f"{task} is {old.status}, so there is nothing to {verb}",
            hint=hint,
            details={"task": task, "from": old.status.value, "to": to.value},
        )


def claimed(task: str, old: Lifecycle, claim: Claim) -> Lifecycle:
    """pending or blocked -> in-progress, held by `claim`."""
    _move(task, old, Status.IN_PROGRESS, "claim")
    return Lifecycle(status=Status.IN_PROGRESS, claim=claim, epoch=old.epoch)


def completed(task: str, old: Lifecycle, result: Result) -> Lifecycle:
    """in-progress -> complete; the claim stays and says who did it."""
    _move(task, old, Status.COMPLETE, "complete")
    return Lifecycle(status=Status.COMPLETE, claim=old.claim, result=result, epoch=old.epoch)


def blocked(task: str, old: Lifecycle, blocked: Blocked) -> Lifecycle:
    """in-progress -> blocked; the claim stays and says who asks."""
    _move(task, old, Status.BLOCKED, "block")
    return Lifecycle(status=Status.BLOCKED, claim=old.claim, blocked=blocked, epoch=old.epoch)


def released(task: str, old: Lifecycle, reset: Reset, *, reopen: bool = False) -> Lifecycle:
    """Back to pending, one epoch higher: what the old holder still does is fenced off.

    A finished task needs `reopen`. A pending one may be reset: its holder's claim stands
    on a branch or in a lease, and the base has yet to hear of it.
    """
    finished = old.status in (Status.COMPLETE, Status.CANCELLED)
    if finished and not reopen:
        message, hint = f"{task} is {old.status}", f"ralphgit reset {task} --reopen --reason TEXT"
    elif reopen and not finished:
        message = f"{task} is {old.status}, so there is nothing to reopen"
        hint = f"ralphgit reset {task} --reason TEXT"
    else:
        return Lifecycle(status=Status.PENDING, reset=reset, epoch=old.epoch + 1)
    raise IllegalMove(
        message, hint=hint, details={"task": task, "from": old.status.value, "to": "pending"}
    )


def cancelled(task: str, old: Lifecycle, cancelled: Cancelled) -> Lifecycle:
    """Not to be done; a claim stays and says who held it."""
    _move(task, old, Status.CANCELLED, "cancel")
    return Lifecycle(status=Status.CANCELLED, claim=old.claim, cancelled=cancelled, epoch=old.epoch)
