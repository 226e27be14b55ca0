"""Decide why there is nothing to claim: others work, all is done, or a person is needed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from ralphgit.model.task_row import Row
from ralphgit.rules.active_scopes import BadPattern, Overlap
from ralphgit.rules.claim_options import Unprovided
from ralphgit.rules.readiness import ACTIVE_STATES, TaskState


class Why(StrEnum):
    """Why nothing can be claimed; the error's code."""

    WAITING = "waiting"
    """Others move things on."""
    ALL_DONE = "all_done"
    """No task that was asked for is open."""
    NEEDS_PERSON = "needs_person"
    """Only a person can move things on."""


class Need(StrEnum):
    """What a person has to do about a task."""

    BLOCKED = "blocked"
    STALE = "stale"
    """Its holder is gone or silent."""
    BAD_PATTERN = "bad_pattern"
    UNKNOWN_DEPENDENCY = "unknown_dependency"
    CANCELLED_DEPENDENCY = "cancelled_dependency"
    CYCLE = "dependency_cycle"
    IN_REVIEW = "records_in_review"
    """What frees it waits for its pull request to be merged."""
    PROVIDER = "unprovided"
    """No worker that runs provides what it needs."""
    PULL_REQUEST = "pull_request"
    """It is complete, and its pull request goes on only when a person acts."""
    CONCERNS = "concerns"
    """It was completed with concerns, and a person decides whether it lands."""
    REVIEW = "review"
    """It is complete, and nobody has found it clear who has to."""


class Cause(NamedTuple):
    """A task that others wait for."""

    row: Row
    task_state: TaskState
    waiting: int
    """How many tasks wait for it, also by way of others."""
    need: Need | None = None
    """What a person has to do about it; None where it moves on by itself."""
    about: str = ""
    """Of a need: the dependency, or what is wrong with the pattern; what a task needs that is not
    provided here."""


class NothingToClaim(NamedTuple):
    """Why nothing can be claimed, with what everything waits for; the most wanted first."""

    why: Why
    working: tuple[Cause, ...]
    needs: tuple[Cause, ...]


def nothing_to_claim(
    rows: Sequence[Row],
    task_states: Mapping[str, TaskState],
    wanted: Collection[str],
    obstacles: Mapping[str, BadPattern | Overlap | Unprovided],
    held: Mapping[str, tuple[Need, str]] = {},
) -> NothingToClaim:
    """Say why none of the `wanted` tasks can be claimed.

    `obstacles`: what keeps ready tasks from being claimed, by task. `held`: what tasks need of a
    person in any case, and about what: of those in review, and those that a pull request frees.
    """
    open_rows = {
        row.id: row for row in rows if task_states[row.id].state not in ("complete", "cancelled")
    }
    if open_rows.keys().isdisjoint(wanted):
        return NothingToClaim(Why.ALL_DONE, (), ())
    dependents = _dependents(open_rows, task_states, obstacles)
    found, reached_by_any = [], set()
    for row in open_rows.values():
        for need, about in _causes(row, task_states, obstacles, held):
            reached = _reached(row.id, dependents)
            reached_by_any |= reached
            if not reached.isdisjoint(wanted):
                state = task_states[row.id]
                found.append(Cause(row, state, len(reached) - 1, need, about))
    # What nothing leads to waits for itself.
    for task, row in open_rows.items():
        if task in wanted and task not in reached_by_any:
            state, waiting = task_states[task], len(_reached(task, dependents)) - 1
            found.append(Cause(row, state, waiting, Need.CYCLE, ", ".join(state.blocked_on)))
            break
    found.sort(key=lambda cause: -cause.waiting)
    working = tuple(cause for cause in found if cause.need is None)
    needs = tuple(cause for cause in found if cause.need is not None)
    return NothingToClaim(Why.WAITING if working else Why.NEEDS_PERSON, working, needs)


def _causes(
    row: Row,
    task_states: Mapping[str, TaskState],
    obstacles: Mapping[str, BadPattern | Overlap | Unprovided],
    held: Mapping[str, tuple[Need, str]],
) -> Iterable[tuple[Need | None, str]]:
    """What others wait for in a task itself."""
    task_state = task_states[row.id]
    state, obstacle = task_state.state, obstacles.get(row.id)
    if row.id in held:
        yield held[row.id]
    elif state == "blocked":
        yield Need.BLOCKED, ""
    elif state in ACTIVE_STATES:
        yield (Need.STALE if task_state.stale else None), ""
    elif state == "ready" and isinstance(obstacle, BadPattern):
        yield Need.BAD_PATTERN, obstacle.sentence
    elif state == "ready" and isinstance(obstacle, Unprovided):
        yield (None if obstacle.by else Need.PROVIDER), ",".join(obstacle.needs)
    elif state == "ready" and obstacle is None:
        yield None, ""
    for other in task_state.blocked_on:
        if other not in task_states:
            yield Need.UNKNOWN_DEPENDENCY, other
        elif task_states[other].state == "cancelled":
            yield Need.CANCELLED_DEPENDENCY, other


def _dependents(
    rows: Mapping[str, Row],
    task_states: Mapping[str, TaskState],
    obstacles: Mapping[str, BadPattern | Overlap | Unprovided],
) -> dict[str, list[str]]:
    """The tasks that wait for each."""
    found: dict[str, list[str]] = {}
    for task in rows:
        obstacle = obstacles.get(task)
        others = [obstacle.other] if isinstance(obstacle, Overlap) else []
        for other in (*task_states[task].blocked_on, *others):
            found.setdefault(other, []).append(task)
    return found


def _reached(task: str, dependents: Mapping[str, list[str]]) -> set[str]:
    """A task and all that wait for it."""
    found, left = {task}, [task]
    while left:
        new = [one for one in dependents.get(left.pop(), ()) if one not in found]
        found.update(new)
        left += new
    return found
