"""Word why there is nothing to claim, the same in every command that says so."""

import shlex
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ralphgit.app.active_claims import concerns, recovery_commands, stuck_pull_requests, stuck_tasks
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.next_tasks import Takeable
from ralphgit.app.active_claims.sightings import question
from ralphgit.app.base import records_in_review
from ralphgit.app.evidence import awaited_reviews
from ralphgit.app.evidence.awaited_reviews import Awaited
from ralphgit.app.workspace.project import Project
from ralphgit.errors import AwaitsPerson, NothingReady, RalphError
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.printable import counted, cut, duration
from ralphgit.model.pull_request import Pull
from ralphgit.model.task_status import Status
from ralphgit.rules.claim_options import ClaimOptions, is_wanted
from ralphgit.rules.nothing_to_claim import Cause, Need, Why, nothing_to_claim

#: How many of each kind are said to people; programs get all.
_MOST_LINES = 5
#: How much of a question is said.
_LONGEST = 120

_NEEDS = {
    Need.BLOCKED: ("{task} is blocked by {worker}{about}", 'ralphgit reply {task} "TEXT"'),
    Need.STALE: (
        "{task} is claimed by {worker}, who is gone or silent ({where})",
        "{command}",
    ),
    Need.BAD_PATTERN: ("{about}", "ralphgit edit {task} --write PATTERN"),
    Need.UNKNOWN_DEPENDENCY: (
        "{task} depends on {about}, which does not exist",
        "{depends}",
    ),
    Need.CANCELLED_DEPENDENCY: (
        "{task} depends on {about}, which is cancelled",
        "{depends}",
    ),
    Need.CYCLE: ("{task} waits for itself, by way of {about}", "ralphgit check"),
    Need.IN_REVIEW: ("{about}", "{command}"),
    Need.PROVIDER: (
        "{task} needs {about}, and no worker that runs provides it",
        "ralphgit run --provides {about}",
    ),
    Need.CONCERNS: ("{task} is complete, and {worker} is not sure: {about}", "{command}"),
    Need.PULL_REQUEST: ("{task} is complete, and {about}", "{command}"),
    Need.REVIEW: ("{task} is complete, and waits for a review: {about}", "{command}"),
}


def nothing(
    claim_map: ClaimMap, options: ClaimOptions, takeable: Takeable, *, but: Collection[str] = ()
) -> RalphError:
    """The error that says why nothing can be claimed: `waiting`, `all_done` or `needs_person`.

    `but`: tasks that this caller does not take, although it could.
    """
    project, rows, task_states = claim_map.project, claim_map.base.rows, claim_map.task_states
    asked = [
        row.id for row in rows
        if (row.id == options.task if options.task else is_wanted(row, options))
    ]  # fmt: skip
    wanted = {*asked} - {*but}
    held, reviews = in_review(claim_map)
    freed = records_in_review.freed(project, records_in_review.waiting(project))
    for task, change in freed.items():
        said = change.sentence(project.base.branch)
        held[task] = Held(Need.IN_REVIEW, said, change.command)
    needed = {task: (one.need, one.about) for task, one in held.items()}
    found = nothing_to_claim(rows, task_states, wanted, takeable.obstacles, needed)
    if found.why is Why.ALL_DONE:
        return _all_done(claim_map, asked, filtered=len(asked) < len(rows))
    working = [_working(project, cause, reviews.get(cause.row.id)) for cause in found.working]
    needs = [_need(claim_map, cause, held.get(cause.row.id)) for cause in found.needs]
    overlaps = [one.sentence for task, one in takeable.obstacles.items() if task in wanted]
    own = [
        one.row.id
        for one in found.working
        if one.task_state.state == "in-review"
        and _is_here(project, one.task_state.holder)
        and one.row.id not in reviews
    ]
    details: dict[str, object] = {
        "working": working, "needs": needs, "overlaps": overlaps, "not_landed": own,
    }  # fmt: skip
    lines = [*_lines(working), *overlaps[:_MOST_LINES], *_lines(needs, "hint")]
    if found.why is Why.NEEDS_PERSON:
        what = counted(len(needs), "task")
        verb = "needs" if len(needs) == 1 else "need"
        return AwaitsPerson(
            f"nothing can be claimed, and only a person can move things on: {what} {verb} one",
            code=found.why.value, hint=_person_hint(project, needs), details=details, lines=lines,
        )  # fmt: skip
    return NothingReady(
        "nothing can be claimed now; what is left waits for "
        + counted(len(working) + len(needs), "task"),
        code=found.why.value, hint=_wait_hint(project, found.working), details=details, lines=lines,
    )  # fmt: skip


class Held(NamedTuple):
    """What a task needs of a person."""

    need: Need
    about: str
    command: str


def in_review(claim_map: ClaimMap) -> tuple[dict[str, Held], dict[str, Awaited]]:
    """Find the tasks in review that only a person moves on, and all that wait for a review."""
    held: dict[str, Held] = {}
    reviews: dict[str, Awaited] = {}
    for row, state in claim_map.task_states.noted:
        if state.state != "in-review" or state.holder is None:
            continue
        if one := awaited_reviews.awaited(claim_map, row.id, state.holder):
            reviews[row.id] = one
            if not one.by:
                held[row.id] = Held(Need.REVIEW, one.why, one.command)
        elif told := concerns.concerns(claim_map.project, state.holder):
            said = cut("; ".join(told), _LONGEST)
            held[row.id] = Held(Need.CONCERNS, said, concerns.command(state.holder))
    for active, pull in stuck_pull_requests.found(claim_map):
        command = stuck_pull_requests.command(claim_map.project, active, pull)
        held[pull.task] = Held(Need.PULL_REQUEST, stuck_pull_requests.sentence(pull), command)
    return held, reviews


def _person_hint(project: Project, needs: Sequence[dict[str, object]]) -> str:
    """The first command for a person; in a worker's worktree the wait until somebody has given it.

    What persons do stands beside each need all the same.
    """
    if project.repository.linked:
        return "ralphgit wait --for ready --fetch"
    return str(needs[0]["hint"])


def _all_done(claim_map: ClaimMap, asked: Sequence[str], *, filtered: bool) -> RalphError:
    counts: dict[str, int] = {}
    for task in asked:
        state = claim_map.task_states[task].state
        counts[state] = counts.get(state, 0) + 1
    told = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    hint, label = "ralphgit next" if filtered else "ralphgit status", claim_map.project.base.label
    here = [] if filtered else _not_on_base(claim_map)
    more = f"{counted(len(here), 'task')} in the files here {'is' if len(here) == 1 else 'are'}"
    if here:
        hint = _bring_hint(claim_map.project, here)
    if not asked and here:
        message = f"{label} has no task yet; {more} not on it"
    elif not asked:
        message = "no task is what was asked for" if filtered else "the task graph has no task yet"
    elif filtered:
        message = f"all tasks that were asked for are done: {told}"
    elif here:
        message = f"all tasks of {label} are done: {told}; {more} not on it"
    else:
        message = f"nothing is left to do; all tasks are done: {told}"
    return NothingReady(message, code=Why.ALL_DONE.value, hint=hint, details={"counts": counts})


def _not_on_base(claim_map: ClaimMap) -> list[str]:
    """List the tasks to be done that this worktree's files have, and the base has not."""
    try:
        rows = claim_map.project.here.rows
    except RalphError:
        return []
    known = claim_map.base.known
    return [row.id for row in rows if row.status == Status.PENDING and known(row.id) is None]


def _bring_hint(project: Project, tasks: Sequence[str]) -> str:
    """The command that brings tasks of these files a step nearer to the base."""
    head = project.view("HEAD", "HEAD").by_id if project.repository.known_head else {}
    if not head.keys() >= {*tasks}:
        return 'git add -A && git commit -m "Plan"'
    worktree = project.repository.worktree
    is_base = worktree is not None and worktree.branch == f"refs/heads/{project.base.branch}"
    return "ralphgit status" if is_base else "ralphgit land"


def _working(project: Project, cause: Cause, review: Awaited | None) -> dict[str, object]:
    """What somebody works on, or could, for JSON; `message` is for people."""
    row, state, holder = cause.row, cause.task_state.state, cause.task_state.holder
    told: dict[str, object] = {
        "task": row.id, "title": row.title, "state": state,
        "worker": holder.by if holder else "", "where": holder.where if holder else "",
        "since": holder.at if holder else "", "waiting": cause.waiting,
    }  # fmt: skip
    who = "nobody has claimed it"
    if holder is not None:
        who = f"{holder.by or 'somebody'} in {holder.where}{_since(project, holder.at)}"
    if review is not None:
        who += f", and waits for a review ({review.by})"
    elif state == "in-review" and (pull := _pull(holder)) is not None:
        who += f", with {pull.place} ({pull.words})"
    elif state == "in-review" and holder is not None and holder.ref:
        who += f", to be landed by: ralphgit land {shlex.quote(concerns.branch(holder))}"
    return {**told, "message": f"{row.id} ({state}): {who}{_waiting(cause)}"}


def _need(claim_map: ClaimMap, cause: Cause, held: Held | None) -> dict[str, object]:
    """What a person has to do, for JSON; `message` and `hint` are for people."""
    row, holder = cause.row, cause.task_state.holder
    worker, where = (holder.by or "somebody", holder.where) if holder else ("somebody", "")
    about = cause.about
    if cause.need is Need.BLOCKED:
        asked = holder.note if holder else ""
        if not asked and row.status == "blocked":
            asked = question(row)
        about = f" ({cut(asked.splitlines()[0].rstrip(), _LONGEST)})" if asked else ""
    assert cause.need is not None  # of `NothingToClaim.needs`
    message, hint = _NEEDS[cause.need]
    command = recovery_commands.reset_command(claim_map.project, row.id)
    if holder is not None:
        command = recovery_commands.stale_command(claim_map.project, holder)
    if held is not None:
        command = held.command
    words = {
        "task": row.id, "worker": worker, "where": where, "about": about, "command": command,
        "depends": stuck_tasks.without(row, cause.about),
    }  # fmt: skip
    return {
        "task": row.id, "title": row.title, "reason": cause.need.value,
        "worker": holder.by if holder else "", "waiting": cause.waiting,
        "message": message.format_map(words) + _waiting(cause), "hint": hint.format_map(words),
    }  # fmt: skip


def _waiting(cause: Cause) -> str:
    if not cause.waiting:
        return ""
    return f"; {counted(cause.waiting, 'task')} {'waits' if cause.waiting == 1 else 'wait'} for it"


def _since(project: Project, stamp: str) -> str:
    """How long ago a recorded time is, which may be any text."""
    try:
        then = datetime.fromisoformat(stamp)
    except ValueError:
        return ""
    seconds = project.around.now() - (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()
    return f", for {duration(max(0.0, seconds))}"


def _lines(items: Sequence[dict[str, object]], hint: str = "") -> list[str]:
    lines = [f"{one['message']}: {one[hint]}" if hint else str(one["message"]) for one in items]
    more = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], *([f"and {more} more"] if more > 0 else [])]


def _pull(holder: ActiveClaim | None) -> Pull | None:
    """The pull request that brings a holder's work to the base."""
    pull = holder.pull if holder is not None else None
    return pull if pull is not None and pull.is_at_forge else None


def _is_here(project: Project, holder: ActiveClaim | None) -> bool:
    return holder is not None and bool(holder.path) and holder.path == project.repository.top


def _wait_hint(project: Project, working: Sequence[Cause]) -> str:
    """What moves things on soonest: the own task, what is free, a landing, or waiting."""
    for cause in working:
        holder = cause.task_state.holder
        if not _is_here(project, holder):
            continue
        if cause.task_state.state == "in-review":
            return (
                f"ralphgit wait --for {cause.row.id} --fetch" if _pull(holder) else "ralphgit land"
            )
        return f"ralphgit complete {cause.row.id}"
    states = {one.task_state.state: one for one in reversed(working) if not one.about}
    if "ready" in states and states.keys() <= {"in-review", "ready"}:
        return f"ralphgit claim {states['ready'].row.id}"
    return "ralphgit claim --wait"
