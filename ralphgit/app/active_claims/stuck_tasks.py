"""Find tasks that nobody can take until a person changes what they depend on or need."""

import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.model.task_row import Row
from ralphgit.rules.claim_options import Unprovided

UNPROVIDED, CANCELLED = CODES = ("unprovided", "cancelled_dependency")


class Stuck(NamedTuple):
    code: str
    """One of CODES."""
    task: str
    """The first, where it is about several."""
    message: str
    command: str


def found(claim_map: ClaimMap, obstacles: Mapping[str, object]) -> Iterator[Stuck]:
    """Find them; `obstacles` are those of `next_tasks.takeable`."""
    yield from _unprovided(obstacles)
    yield from _cancelled(claim_map)


def _unprovided(obstacles: Mapping[str, object]) -> Iterator[Stuck]:
    """Find what is ready, and no worker that runs provides what it needs."""
    tasks: dict[tuple[str, ...], list[str]] = {}
    for one in obstacles.values():
        if isinstance(one, Unprovided) and not one.by:
            tasks.setdefault(one.needs, []).append(one.task)
    for needs, waiting in tasks.items():
        need = "needs" if len(waiting) == 1 else "need"
        what = f"{', '.join(waiting)} {need} {', '.join(needs)}"
        command = f"ralphgit run --provides {shlex.quote(','.join(needs))}"
        message = f"{what}, and no worker that runs provides it"
        yield Stuck(UNPROVIDED, waiting[0], message, command)


def _cancelled(claim_map: ClaimMap) -> Iterator[Stuck]:
    """Find what depends on tasks that are cancelled."""
    states, rows = claim_map.task_states, claim_map.base.rows
    cancelled = {rows[number].id for number in states.in_states(("cancelled",)).numbers}
    for number in states.in_states(("waiting",)).numbers if cancelled else ():
        row = rows[number]
        if gone := [other for other in row.depends_on if other in cancelled]:
            are = "is" if len(gone) == 1 else "are"
            message = f"{row.id} depends on {', '.join(gone)}, which {are} cancelled"
            yield Stuck(CANCELLED, row.id, message, without(row, *gone))


def without(row: Row, *dependencies: str) -> str:
    """The command after which a task depends on the others alone: the option replaces all."""
    others = [f" --depends-on {one}" for one in row.depends_on if one not in dependencies]
    return f"ralphgit edit {row.id}" + ("".join(others) or " --remove depends_on")
