"""Say why a claim is refused or lost: the one place that makes sentences and errors of it."""

from __future__ import annotations

from collections.abc import Iterator

from ralphgit.errors import (
    ClaimHeld,
    ClaimLost,
    GuardRefused,
    IllegalMove,
    NeedsPerson,
    NothingReady,
    RalphError,
)
from ralphgit.model.active_claim import Lease
from ralphgit.rules.active_scopes import BadPattern, Overlap
from ralphgit.rules.claim_options import OutsideFilter
from ralphgit.rules.claim_verdict import (
    Allowed,
    AlreadyWorking,
    Behind,
    Blocked,
    DependenciesIncomplete,
    DetachedHead,
    Finished,
    Held,
    Lost,
    MainWorktree,
    NotBeside,
    OddPath,
    Refusal,
    UnderWay,
    Unmerged,
)
from ralphgit.rules.lost_claim import Cause, Winner


def of(refusal: Refusal) -> RalphError:
    """The error that a refusal is raised as."""
    match refusal:
        case OddPath() | UnderWay() | DetachedHead() | Unmerged():
            return _of_worktree(refusal)
        case AlreadyWorking(own):
            return GuardRefused(
                f"this worktree works on {own.task} already (claim {own.claim})",
                code="already_working",
                hint=f"ralphgit complete {own.task}, or ralphgit release {own.task}",
                details={"task": own.task},
            )
        case Lost(own, winner):
            return ClaimLost(
                f"this worktree's claim on {own.task} is lost: {lost_because(winner)}",
                hint=f"ralphgit complete {own.task} keeps your work, and frees the worktree",
                details={"task": own.task, "claim": own.claim},
            )
        case MainWorktree(one):
            return GuardRefused(
                f"this is the main worktree, and {one.by} works on {one.task} in {one.where}",
                code="main_worktree",
                hint="git worktree add -b NAME ../NAME, and claim there",
                details={"task": one.task},
            )
        case Finished(task, state):
            return IllegalMove(
                f"{task} is {state}",
                hint=f"ralphgit reset {task} --reopen --reason TEXT",
                details={"task": task},
            )
        case Blocked(task):
            return NeedsPerson(
                f"{task} is blocked and waits for a person",
                code="blocked",
                hint=f'ralphgit inbox; then ralphgit reply {task} "TEXT"',
                details={"task": task},
            )
        case Held():
            return held(refusal)
        case _:
            return _of_task(refusal)


def _of_worktree(refusal: OddPath | UnderWay | DetachedHead | Unmerged) -> GuardRefused:
    match refusal:
        case OddPath(path):
            return GuardRefused(
                f"the path {path} is not UTF-8, so no lease can name this worktree",
                code="odd_path",
                hint="git worktree move",
            )
        case UnderWay(what, has_records):
            hint = f"git {what} --continue, or git {what} --abort"
            if has_records:
                hint = f"ralphgit resolve, then git {what} --continue; or git {what} --abort"
            return GuardRefused(
                f"a {what} is under way in this worktree",
                code="unfinished_merge",
                hint="git bisect reset" if what == "bisect" else hint,
            )
        case DetachedHead(path):
            return GuardRefused(
                f"HEAD is detached in {path}; what is committed there belongs to no branch",
                code="detached_head",
                hint="git switch -c NAME",
            )
        case Unmerged(paths, has_records):
            return GuardRefused(
                f"unresolved conflicts in {', '.join(paths[:3])}",
                code="unmerged",
                hint="ralphgit resolve" if has_records else "resolve them, then: git add",
            )


def _of_task(
    refusal: OutsideFilter | BadPattern | DependenciesIncomplete | NotBeside | Overlap | Behind,
) -> GuardRefused:
    code, hint = "", "ralphgit next"
    related: tuple[str, ...] = ()
    message = sentence(refusal)
    match refusal:
        case OutsideFilter(_, story):
            code, hint = "outside_filter", "drop --story" if story else "drop --priority"
        case BadPattern(task, _, _, place):
            code, hint = "contract_invalid", f"mend it where {task} stands: {place}"
        case DependenciesIncomplete(_, related):
            code = "dependencies_incomplete"
            hint = "ralphgit next; --stack accepts what is complete on this branch"
        case NotBeside(_, _, related):
            code = "mode"
        case Overlap(_, other):
            code, related = "scope_overlap", (other,)
        case Behind(_, label):
            code, hint = "worktree_behind", f"git merge {label}"
    details: dict[str, object] = {"task": refusal.task}
    if related:
        details["related"] = list(related)
    return GuardRefused(message, code=code, hint=hint, details=details)


def sentence(
    refusal: OutsideFilter | BadPattern | DependenciesIncomplete | NotBeside | Overlap | Behind,
) -> str:
    """What keeps a task that nobody has from being claimed."""
    match refusal:
        case OutsideFilter(task, story, priority):
            return f"{task} is not of story {story}" if story else f"{task} has priority {priority}"
        case BadPattern():
            return refusal.sentence
        case DependenciesIncomplete(task, others, unknown):
            names = (f"{one} (unknown)" if one in unknown else one for one in others)
            return f"{task} depends on what is not complete on the base: {', '.join(names)}"
        case NotBeside(task, mode, others):
            return f"{task} (mode {mode}) must not run beside, or before, {', '.join(others)}"
        case Overlap():
            return _overlap(refusal)
        case Behind(task, label, is_here):
            if is_here:
                return f"{task} has changed on {label} since this branch left it"
            return f"{task} is on {label} and not in this worktree"


def _overlap(refusal: Overlap) -> str:
    from ralphgit.rules.independence import DOES, RESOURCE

    task, other = refusal.task, f"{refusal.other}, which is in flight,"
    reason, mine, theirs, path = refusal.meetings[0]
    if reason == RESOURCE:
        shared = sorted(one.path for one in refusal.meetings if one.reason == RESOURCE)
        return f"{task} and {other} both need {', '.join(shared)}"
    return (
        f"{task} {DOES[mine.kind]} {mine.name}, and {other} {DOES[theirs.kind]} {theirs.name}: "
        f"both cover {path}"
    )


def held(refusal: Held) -> ClaimHeld:
    """The refusal that names who has the task."""
    task, holder, state, age = refusal
    if holder is None:
        hint = "ralphgit next"
        if state == "in-progress":
            hint = f"no claim says by whom: ralphgit reset {task} --reason TEXT"
        return ClaimHeld(f"{task} is held", hint=hint, details={"task": task})
    # Who set the status by hand has left no claim.
    since = f", since {holder.at}" if holder.at else ", and no claim says who"
    who = f"{holder.by or 'somebody'} has {task} ({state}), in {holder.where}{since}"
    told: dict[str, object] = {
        "worker": holder.by, "where": holder.where, "since": holder.at, "claim": holder.claim,
    }  # fmt: skip
    if age is not None:
        told["heartbeat_age_s"] = age
        who += f", last heartbeat {age:g} s ago"
    hint = "ralphgit next"
    if holder.stale:
        hint = f"its holder is gone or silent: ralphgit reset {task} --reason TEXT"
    return ClaimHeld(who, hint=hint, details={"task": task, "holder": told})


def nothing_ready(last: Refusal | None) -> NothingReady:
    """The error of a claim that may take any task; `last` is why it may not take the last one."""
    if last is None or isinstance(last, Held):
        return NothingReady("nothing is ready", hint="ralphgit status")
    why = of(last)
    return NothingReady(
        f"no ready task can be claimed here: {why.message}", hint=why.hint or "ralphgit status"
    )


def nothing_to_take(obstacle: BadPattern | Overlap | None) -> NothingReady:
    """The answer where nothing can be taken; `obstacle` is what keeps a ready task from it."""
    hint = sentence(obstacle) if obstacle is not None else "ralphgit status"
    return NothingReady("nothing is ready", hint=hint)


def warnings(allowed: Allowed) -> Iterator[str]:
    """What is to be said of a claim that is allowed."""
    if not allowed.is_on_base:
        yield f"{allowed.task} is not on {allowed.base_name} yet: it is claimed on this branch only"
    if allowed.despite is not None:
        by, where = allowed.despite.by, allowed.despite.where
        how = "leases are off, so the merge decides"
        if allowed.is_forced:
            how = "claimed all the same"
        yield f"{by} holds {allowed.task} in {where}; {how}"


# -- a lost claim --------------------------------------------------------------------------


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
