"""Tell whether what somebody waits for has come true, and what is missing while it has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from ralphgit.app.active_claims import next_tasks, stuck_pull_requests
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.next_tasks import Takeable
from ralphgit.app.lifecycle import idle_errors
from ralphgit.app.status.overview import Attention, overview
from ralphgit.app.workspace.project import Project
from ralphgit.errors import NeedsPerson, NothingReady, RalphError, Refused
from ralphgit.model.ids import parse_task_id
from ralphgit.model.printable import counted
from ralphgit.model.task_status import State
from ralphgit.rules.claim_options import ClaimOptions
from ralphgit.rules.nothing_to_claim import Why

ATTENTION, READY, DONE = "attention", "ready", "done"
_ENDED = (State.COMPLETE, State.CANCELLED)


class CameTrue(NamedTuple):
    reason: str
    """attention, ready, all_done or complete."""
    message: str
    tasks: Sequence[str] = ()
    """The tasks that it is about: those that can be claimed, or the one that is complete."""
    attention: Sequence[Attention] = ()


def came_true(project: Project, what: str) -> CameTrue:
    """Say how `what` has come true: attention, ready, done, or that a task is complete.

    Raises: NothingReady (`waiting`) where it has not yet, of `ready` also where a person has to
    answer first; where it can no longer without a person, or at all, NeedsPerson, NothingReady
    (`all_done`), Refused (`cancelled`); UnknownTask.
    """
    claim_map = ClaimMap(project)
    if what == ATTENTION:
        return _attention(project, claim_map)
    if what == READY:
        found = next_tasks.takeable(project, claim_map=claim_map)
        if found.tasks:
            message = f"{counted(len(found.tasks), 'task')} can be claimed"
            return CameTrue(READY, message, [row.id for row, _ in found.tasks])
        error = idle_errors.nothing(claim_map, ClaimOptions(), found)
        sentence = "nothing can be claimed"
        if error.code == Why.NEEDS_PERSON:
            # A person's answer is what makes a task ready: that is waited for, too.
            raise NothingReady(
                f"{sentence} until a person has answered", code=Why.WAITING,
                hint="ralphgit inbox", details=error.details, lines=error.lines,
            )  # fmt: skip
        raise _missing(error, sentence)
    if what == DONE:
        error = idle_errors.nothing(claim_map, ClaimOptions(), _takeable(claim_map))
        if error.code == Why.ALL_DONE:
            return CameTrue(error.code, error.message)
        raise _missing(error, _not_done(claim_map))
    return _complete(claim_map, parse_task_id(what))


def _attention(project: Project, claim_map: ClaimMap) -> CameTrue:
    """Whether `status` has something for a person, or all is done."""
    found = overview(project, claim_map)
    if found.attention:
        return CameTrue(ATTENTION, "a person is needed", attention=found.attention)
    error = found.nothing or idle_errors.nothing(claim_map, ClaimOptions(), _takeable(claim_map))
    if error.code == Why.ALL_DONE:
        return CameTrue(error.code, error.message)
    if error.code == Why.NEEDS_PERSON:
        needs = cast("list[Mapping[str, str]]", error.details["needs"])
        items = [Attention(one["reason"], one["task"], one["message"], one["hint"])
                 for one in needs]  # fmt: skip
        return CameTrue(ATTENTION, error.message, attention=items)
    raise _missing(error, f"nothing needs a person, and {_not_done(claim_map)}")


def _complete(claim_map: ClaimMap, task: str) -> CameTrue:
    state = claim_map.task_states[claim_map.base.row(task).id].state
    if state == State.COMPLETE:
        return CameTrue("complete", f"{task} is complete", [task])
    if state == State.CANCELLED:
        raise Refused(
            f"{task} is cancelled, and will not be complete",
            code="cancelled", hint=f"ralphgit show {task}", details={"task": task},
        )  # fmt: skip
    for active, pull in stuck_pull_requests.found(claim_map):
        if pull.task == task:
            raise NeedsPerson(
                f"{task} is not complete, and {stuck_pull_requests.sentence(pull)}",
                code=Why.NEEDS_PERSON, details={"task": task},
                hint=stuck_pull_requests.command(claim_map.project, active, pull),
            )  # fmt: skip
    error = idle_errors.nothing(claim_map, ClaimOptions(task=task), _takeable(claim_map))
    raise _missing(error, f"{task} is not complete")


def _takeable(claim_map: ClaimMap) -> Takeable:
    return next_tasks.takeable(claim_map.project, claim_map=claim_map)


def _not_done(claim_map: ClaimMap) -> str:
    counts = claim_map.task_states.counts
    left = sum(count for state, count in counts.items() if state not in _ENDED)
    return f"{counted(left, 'task')} {'is' if left == 1 else 'are'} not done"


def _missing(error: RalphError, sentence: str) -> RalphError:
    """Say of what is waited for, and not of a claim, why it has not come true."""
    if error.code == Why.ALL_DONE:
        return error
    if error.code == Why.NEEDS_PERSON:
        sentence = f"{sentence}, and only a person can move things on"
    return type(error)(
        sentence, code=error.code, hint=error.hint, details=error.details, lines=error.lines
    )


def timed_out(error: NothingReady, what: str, limit: float) -> NothingReady:
    """Say that the time was up before `what` came true, and what is missing."""
    return NothingReady(
        f"{error.message}, after {limit:g} s", code="timeout", hint="ralphgit status",
        details={**error.details, "for": what}, lines=error.lines,
    )  # fmt: skip
