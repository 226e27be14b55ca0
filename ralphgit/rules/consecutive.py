"""Find tasks that follow each other in a plan, and could as well run side by side.

Only what is proved: each has a write scope, and none of them meets another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Mode
from ralphgit.rules import independence


class Run(NamedTuple):
    """Tasks, each of which waits for the one before it, and need not."""

    tasks: tuple[str, ...]
    depends_on: tuple[str, ...]
    """What each of them then depends on, as the first does now."""
    sequential: tuple[str, ...]
    """Those whose mode is sequential, and would be parallel."""


def runs(rows: Sequence[Row], *, generated: tuple[str, ...] = ()) -> tuple[Run, ...]:
    """The longest runs of `rows`, in their order, whose scopes do not meet.

    A task belongs to a run if it is of its story, and waits for a task of the run or, by its mode,
    for its neighbours. What it depends on beside the run must be what the first depends on.
    """
    found: list[list[Row]] = []
    for row in rows:
        if found and _goes_on(found[-1], row, generated):
            found[-1].append(row)
        else:
            found.append([row])
    return tuple(
        Run(
            tuple(row.id for row in run),
            run[0].depends_on,
            tuple(row.id for row in run if row.mode == Mode.SEQUENTIAL),
        )
        for run in found
        if len(run) > 1
    )


def _goes_on(run: Sequence[Row], row: Row, generated: tuple[str, ...]) -> bool:
    first = run[0]
    if row.story != first.story or Mode.VERIFY in (row.mode, first.mode):
        return False
    if not all(one.write for one in (*run, row)):
        return False
    inside = {one.id for one in run}
    waits = bool(inside & set(row.depends_on)) or Mode.SEQUENTIAL in (row.mode, run[-1].mode)
    others = set(row.depends_on) - inside
    if not waits or not others <= set(first.depends_on):
        return False
    return not any(independence.meetings(one, row, generated=generated) for one in run)
