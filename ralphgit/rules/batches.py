"""Plan the groups in which tasks are worked off on one machine: fork, join, next group.

Consecutive parallel tasks of one phase form a group. A phase is a story; a `verify` or
`sequential` task stands alone and lets no later one past it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from ralphgit.model.task_row import Row
from ralphgit.rules import active_scopes, independence, readiness

_FINISHED = ("complete", "cancelled")


class Plan(NamedTuple):
    """What is to be done, group after group, and what cannot be."""

    groups: tuple[tuple[str, ...], ...]
    left: Mapping[str, tuple[str, ...]]
    """Unfinished tasks that are in no group: the tasks each waits for; none where nobody may
    take it."""


def together(one: Row, other: Row, generated: tuple[str, ...] = ()) -> bool:
    """Whether two tasks, neither of which depends on the other, may run side by side.

    `generated` are patterns of generated files, as they are configured.
    """
    if active_scopes.bad_pattern(one) or active_scopes.bad_pattern(other):
        return False
    return not independence.meetings(one, other, generated=generated)


def plan(
    rows: Sequence[Row],
    *,
    free: Collection[str],
    held: Collection[str] = (),
    wanted: Callable[[Row], bool] = lambda _: True,
    at_once: int = 3,
    beside: Callable[[Row, Row], bool] = together,
    assume: bool = False,
) -> Plan:
    """Group the `free` tasks that are `wanted`, in the order in which they would be taken.

    `rows` is the whole graph, `held` what others have in flight. A task comes after all it
    depends on; what depends on something that is not done here is left. A task without a write
    scope is in a group alone, unless we `assume` that it is independent of others.
    """
    complete = {row.id for row in rows if row.status == "complete"}
    needs = _needs(rows)
    active_scopes = [row for row in rows if row.id in held]
    order = [
        row for row in readiness.order(rows)
        if row.id in free and wanted(row) and not _in_the_way(row, active_scopes, beside)
    ]  # fmt: skip
    groups: list[tuple[str, ...]] = []
    done = set(complete)

    def fits(one: Row, other: Row) -> bool:
        return (assume or bool(one.write and other.write)) and beside(one, other)

    while group := _group(order, done, needs, at_once, fits):
        groups.append(tuple(row.id for row in group))
        done.update(groups[-1])
        order = [row for row in order if row.id not in done]
    left = {}
    for row in readiness.order(rows):
        if row.status not in _FINISHED and row.id not in done and wanted(row):
            waits = [task for task in needs[row.id] if task not in done]
            waits += [other.id for other in _in_the_way(row, active_scopes, beside)]
            left[row.id] = tuple(dict.fromkeys(waits))
    return Plan(tuple(groups), left)


def _needs(rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    """What has to be complete before each task: its dependencies, and for a checkpoint the
    unfinished tasks of its story that stand before it."""
    earlier = readiness.unfinished_before_checkpoints(rows)
    return {row.id: (*row.depends_on, *earlier.get(row.id, ())) for row in rows}


def _in_the_way(
    row: Row, active_scopes: Sequence[Row], beside: Callable[[Row, Row], bool]
) -> list[Row]:
    """Which of the tasks in flight keep `row` from being taken."""

    def apart(other: Row) -> bool:
        parallel = row.mode == other.mode == "parallel"
        return (row.story and row.story == other.story and not parallel) or not beside(row, other)

    return [other for other in active_scopes if other.id != row.id and apart(other)]


def _group(
    order: Sequence[Row],
    done: Collection[str],
    needs: Mapping[str, Sequence[str]],
    at_once: int,
    beside: Callable[[Row, Row], bool],
) -> list[Row]:
    """The next group; none where nothing of `order` can be begun."""
    group: list[Row] = []
    for row in order:
        ready = all(task in done for task in needs[row.id])
        if not group:
            if ready:
                group.append(row)
                if row.mode != "parallel":
                    break
            continue
        if len(group) >= at_once or row.mode != "parallel" or row.story != group[0].story:
            break
        if ready and all(beside(row, other) for other in group):
            group.append(row)
    return group
