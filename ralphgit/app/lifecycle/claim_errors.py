"""Say why a claim is refused or lost: the one place that makes sentences and errors of it."""

from ralphgit.errors import ClaimLost
from ralphgit.model.active_claim import Lease
from ralphgit.rules.lost_claim import Cause, Winner


def lost_because(winner: Winner | None) -> str:
    """Who took a task from under a claim, or what became of the task; a sentence.

    None is for a claim that was lost when it was last looked at, and is not any more.
    """
    if winner is None:
        return "its claim does not stand any more"
    task, label = winner.task, winner.where
    match winner.cause:
        case Cause.RESET:
            return f"{task} was reset on {label} (epoch {winner.epoch}) after the claim was made"
        case Cause.CANCELLED:
            return f"{task} was cancelled on {label}"
        case Cause.CLAIMED:
            claim = f"claim {winner.claim}, {winner.status}, since {winner.since}"
            return f"{winner.worker} won {task} on {label} ({claim})"
        case Cause.LEASED:
            claim = f"claim {winner.claim}, worktree {label}"
            return f"{winner.worker} has the lease on {task} ({claim})"


def lost(mine: Lease, winner: Winner) -> ClaimLost:
    """The refusal to begin beside the record of a claim that is lost."""
    return ClaimLost(
        f"this worktree's claim on {mine.task} is lost: {lost_because(winner)}",
        hint=f"ralphgit complete {mine.task} keeps your work, and frees the worktree",
        details={"task": mine.task, "claim": mine.claim},
    )


def given_up(mine: Lease, winner: Winner | None, *, kept: str, back: str, base: str) -> ClaimLost:
    """The error that tells the holder of a lost claim what has become of the work.

    `kept` is the ref that has it, "" where there was none; the branch is at commit `back` now,
    and `base` is the name of the base.
    """
    lines = [f"your work is kept in {kept}"] if kept else ["there was no work to keep"]
    lines.append(f"the branch is back at {back[:12]}")
    return ClaimLost(
        f"the claim on {mine.task} is lost: {lost_because(winner)}",
        lines=lines,
        hint=f"git log -p {base}..{kept}" if kept else "ralphgit next",
        details={"task": mine.task, "claim": mine.claim, "rescue": kept, "returned_to": back},
    )
