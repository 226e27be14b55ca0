"""Word the error of every refused or lost claim: one table, by `Reason`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence

from ralphgit.app.active_claims import recovery_commands
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace.project import Project
from ralphgit.errors import (
    ClaimHeld,
    ClaimLost,
    GuardRefused,
    IllegalMove,
    NeedsPerson,
    RalphError,
)
from ralphgit.model.active_claim import ActiveClaim, Lease, TakenBack
from ralphgit.rules.claim_options import ClaimOptions
from ralphgit.rules.claim_verdict import Allowed, Reason, Refusal
from ralphgit.rules.lost_claim import Cause, Winner

#: By reason: the error's code, message and hint; the names in braces are fields of a `Refusal`.
_WORDS = {
    Reason.ODD_PATH: ("odd_path", "the path {about} is not UTF-8 or has a control character, so "
                      "no lease can name this worktree",
                      "move the worktree to a path in UTF-8 without control characters"),
    Reason.LINKED_FOLDER: ("linked_folder", "{about} is a symbolic link, and git keeps no file "
                           "behind one, so no record could be committed; nothing was changed",
                           "replace the link by the folder itself: {about}"),
    Reason.UNDER_WAY: ("unfinished_merge", "a {about} is under way in this worktree; end "
                       "it, or if you have not begun it leave it (git {about} --quit)",
                       "git {about} --continue"),
    Reason.BISECT: ("unfinished_merge", "a bisect is under way in this worktree",
                    "git bisect reset"),
    Reason.RECORDS_UNDER_WAY: ("unfinished_merge", "a {about} is under way in this worktree, "
                               "with conflicts in records; solve them, and end or abort it",
                               "ralphgit resolve"),
    Reason.CONFLICTS_UNDER_WAY: ("unfinished_merge", "a {about} is under way in this worktree, "
                                 "with conflicts; solve them, and end or abort it", "git status"),
    Reason.DETACHED_HEAD: ("detached_head", "HEAD is detached in {about}; what is committed "
                           "there belongs to no branch", "git switch -c NAME"),
    Reason.UNMERGED: ("unmerged", "unresolved conflicts in {about}; edit them first",
                      "git add FILE"),
    Reason.RECORDS_UNMERGED: ("unmerged", "unresolved conflicts in {about}", "ralphgit resolve"),
    Reason.ALREADY_WORKING: ("already_working", "this worktree works on {task} already (claim "
                             "{about}); complete it, or give it back (ralphgit release {task})",
                             "ralphgit complete {task}"),
    Reason.LOST: ("claim_lost", "this worktree's claim on {task} is lost: {lost_because}; "
                  "complete keeps your work, and frees the worktree", "ralphgit complete {task}"),
    Reason.MAIN_WORKTREE: ("main_worktree", "this is the main worktree, and {holder.by} works on "
                           "{task} in {holder.where}; claim in a worktree of your own",
                           "ralphgit worktree new NAME"),
    Reason.FINISHED: ("illegal_move", "{task} is {about}",
                      "ralphgit reset {task} --reopen --reason TEXT"),
    Reason.BLOCKED: ("blocked", "{task} is blocked and waits for a person",
                     'ralphgit reply {task} "TEXT"'),
    Reason.OTHER_STORY: ("outside_filter", "{task} is not of story {about}", "leave out --story"),
    Reason.OTHER_PRIORITY: ("outside_filter", "{task} has priority {about}",
                            "leave out --priority"),
    Reason.BAD_PATTERN: ("contract_invalid", "{about}",
                         "correct the pattern in {place}, then repeat"),
    Reason.DEPENDENCIES: ("dependencies_incomplete",
                          "{task} depends on tasks that are not complete on the base: {about} "
                          "(--stack accepts those that are complete on this branch)",
                          "ralphgit next"),
    Reason.MODE: ("mode", "{task} (mode {about}) must not run beside, or before, {names}",
                  "ralphgit next"),
    Reason.HELD_BACK: ("held_back", "{task} waits with its story for the answer to {names}",
                       "ralphgit inbox"),
    Reason.UNPROVIDED: ("unprovided", "{task} needs {about}, which is not all provided here",
                        "ralphgit claim {task} --provides {about}"),
    Reason.OVERLAP: ("scope_overlap", "{about}", "ralphgit next"),
    Reason.BEHIND: ("behind", "{task} has changed on {about} since this branch left it",
                    "git merge {about}"),
    Reason.NOT_HERE: ("behind", "{task} is on {about} and not in this worktree",
                      "git merge {about}"),
    Reason.LACKING: ("behind", "this branch has work of its own, and lacks what {task} depends "
                     "on: {names}", "git merge {about}"),
}  # fmt: skip
_KINDS: dict[Reason, type[RalphError]] = {
    Reason.LOST: ClaimLost, Reason.FINISHED: IllegalMove, Reason.BLOCKED: NeedsPerson,
}  # fmt: skip


def of(refusal: Refusal, project: Project | None = None) -> RalphError:
    """The error that a refusal is raised as; its hint works where `project` is."""
    error = _error(refusal)
    if project is not None:
        error.hint = recovery_commands.as_typed_here(project, error.hint)
        if refusal.reason in (Reason.BLOCKED, Reason.HELD):
            _say_what_frees_it(project, refusal.task, error)
        todo = os.path.join(project.repository.git_dir, "rebase-merge", "git-rebase-todo")
        if refusal.reason is Reason.UNDER_WAY and os.path.isfile(todo):
            # Its lines may be an agent's, and git runs them.
            error.hint = shlex.join(("cat", project.show_path(todo)))
    return error


def _say_what_frees_it(project: Project, task: str, error: RalphError) -> None:
    """Name the answer or the reset that waits to be merged, in place of how to give one."""
    from ralphgit.app.base import records_in_review

    waiting = records_in_review.waiting(project)
    if (change := records_in_review.freed(project, waiting).get(task)) is not None:
        error.lines = (change.sentence(project.base.branch),)
        if error.hint != "ralphgit next":
            error.hint = change.command


def _error(refusal: Refusal) -> RalphError:
    reason, task, others = refusal.reason, refusal.task, refusal.others
    if reason is Reason.HELD:
        return _held(refusal)
    code, message, hint = _WORDS[reason]
    because = lost_because(refusal.winner)
    words = {**refusal._asdict(), "names": ", ".join(others), "lost_because": because}
    details: dict[str, object] = {"task": task} if task else {}
    if others:
        details["related"] = list(others)
    if reason is Reason.LOST:
        details["claim"] = refusal.about
    kind = _KINDS.get(reason, GuardRefused)
    error = kind(message.format_map(words), code=code, hint=hint.format_map(words), details=details)
    if refusal.in_the_way:
        error.lines = (f"it was not brought onto {refusal.about}: {refusal.in_the_way}",)
        error.hint = f"git stash -u && ralphgit claim {task} && git stash pop"
    return error


def _held(refusal: Refusal) -> ClaimHeld:
    """The error that names the holder of a task."""
    task, state, holder, age = (
        refusal.task, refusal.about, refusal.holder, refusal.heartbeat_age_s,
    )  # fmt: skip
    if holder is None:
        hint, gone = "ralphgit next", ""
        if state == "in-progress":
            gone = "; if its worker is gone, reset it"
            hint = f'ralphgit reset {task} --reason "TEXT"'
        return ClaimHeld(
            f"{task} is held, and no record says by whom{gone}", hint=hint, details={"task": task}
        )
    who = who_has(task, state, holder)
    told: dict[str, object] = {
        "worker": holder.by, "where": holder.where, "since": holder.at, "claim": holder.claim,
    }  # fmt: skip
    if age is not None:
        told["heartbeat_age_s"] = age
        who += f", last heartbeat {age:g} s ago"
    hint = "ralphgit next"
    if holder.stale:
        who += "; its holder is gone or silent"
        hint = f'ralphgit reset {task} --reason "TEXT"'
    return ClaimHeld(who, hint=hint, details={"task": task, "holder": told})


def who_has(task: str, state: str, holder: ActiveClaim) -> str:
    """The sentence that names the holder of a task."""
    # Who set the status by hand has left no claim.
    since = f", since {holder.at}" if holder.at else ", and no claim says who"
    return f"{holder.by or 'somebody'} has {task} ({state}), in {holder.where}{since}"


def none_claimed(
    claim_map: ClaimMap, options: ClaimOptions, refused: Sequence[Refusal]
) -> RalphError:
    """The error of a claim that may take any task; `refused` is why it may not take the ready ones.

    A branch that lacks what it needs is what its own worker can mend, so that comes first.
    """
    here = next((one for one in refused if one.reason in _OF_THE_BRANCH), None)
    if here is not None:
        return of(here, claim_map.project)
    from ralphgit.app.active_claims import next_tasks
    from ralphgit.app.lifecycle import idle_errors

    story, priority, project = options.story, options.priority, claim_map.project
    found = next_tasks.takeable(project, story=story, priority=priority, claim_map=claim_map)
    return idle_errors.nothing(claim_map, options, found)


_OF_THE_BRANCH = (Reason.BEHIND, Reason.NOT_HERE, Reason.LACKING)


def warnings(allowed: Allowed) -> Iterator[str]:
    """What is to be said of a claim that is allowed."""
    if not allowed.is_on_base:
        yield f"{allowed.task} is not on {allowed.base_name} yet: it is claimed on this branch only"
    if allowed.despite is not None:
        by, where = allowed.despite.by, allowed.despite.where
        how = "leases are off, so the merge decides"
        if allowed.is_forced:
            how = "claimed by force"
        yield f"{by} holds {allowed.task} in {where}; {how}"


# -- a lost claim --------------------------------------------------------------------------


def lost_because(winner: Winner | None) -> str:
    """Who took a task from under a claim, or what became of the task; a sentence.

    None is for a claim that was lost when it was last looked at, and is not any more.
    """
    if winner is None:
        return "its claim is no longer valid"
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
        case Cause.REWRITTEN:
            return (
                f"the history of {label} was rewritten, and the work stands on what it had before"
            )
        case Cause.REMOVED:
            how = "it was removed or renamed there"
            if winner.now:
                how = f"it is {winner.now} there now"
            return f"{task} is no longer on {label}: {how}"
        case Cause.ASKED_ANEW:
            return f"what {task} promises has changed on {label} since it was claimed"
        case Cause.TAKEN_BACK:
            return (winner.taken_back or TakenBack(task, winner.claim)).sentence(label)


def given_up(mine: Lease, winner: Winner | None, *, kept: str, back: str, base: str) -> ClaimLost:
    """The error that says to the holder of a lost claim what has become of the work.

    `kept` is the ref that has it, "" where there was none; the branch is at commit `back` now,
    and `base` is the name of the base.
    """
    lines = [f"your work is kept in {kept}"] if kept else ["there was no work to keep"]
    lines.append(f"the branch is back at {back[:12]}")
    if winner is not None and winner.now:
        lines.append(f"to go on with it: ralphgit claim {winner.now}")
    return ClaimLost(
        f"the claim on {mine.task} is lost: {lost_because(winner)}",
        lines=lines,
        hint=f"git log -p {shlex.quote(f'{base}..{kept}')}" if kept else "ralphgit next",
        details={
            "task": mine.task,
            "claim": mine.claim,
            "rescue": kept,
            "returned_to": back,
            **({"now": winner.now} if winner is not None and winner.now else {}),
        },
    )
