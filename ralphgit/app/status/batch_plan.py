"""Group the unfinished tasks into batches. Reads only."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from functools import partial
from typing import NamedTuple

from ralphgit.app.active_claims import providers
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import folder_of
from ralphgit.rules import batches
from ralphgit.rules.batches import Plan
from ralphgit.rules.claim_options import Unprovided, lacking
from ralphgit.rules.readiness import ACTIVE_STATES, TaskState

_NAME = re.compile(r"b[1-9][0-9]?")
_BRANCHES = "refs/heads/"


class Planned(NamedTuple):
    plan: Plan
    claim_map: ClaimMap
    begun: Mapping[str, str]
    """What a batch has begun, or has completed and not landed, with its worker."""
    unprovided: Mapping[str, Unprovided]
    """Of what is left, what needs something that is not provided here."""


def worker(number: int) -> str:
    """The name of the batch's worker with a number from 1."""
    return f"b{number}"


def is_worker(name: str) -> bool:
    """Whether a batch calls its workers so."""
    return _NAME.fullmatch(name) is not None


def plan(
    project: Project,
    *,
    story: str = "",
    at_once: int = 0,
    without: Collection[str] = (),
    assume: bool = False,
) -> Planned:
    """Group what is ready or waits, and what a batch has begun, by `rules.batches`.

    `at_once` 0 is as configured. Without a write scope a task is alone, unless we are to `assume`
    that it is independent. Tasks of `without` count as nobody's to take, and so do those that need
    what this machine does not provide.

    Raises: InvalidRecord, GuardRefused (no_commit).
    """
    project.require_base()
    claim_map = ClaimMap(project)
    rows, task_states = claim_map.base.rows, claim_map.task_states
    free, begun, held, unprovided = set(), {}, set(), {}
    for row in rows:
        task_state = task_states[row.id]
        if task_state.state in ACTIVE_STATES:
            if name := owner(project, task_state):
                begun[row.id] = name
            else:
                held.add(row.id)
        if row.id in begun:
            free.add(row.id)
        elif task_state.state not in ("ready", "waiting"):
            continue
        elif lacking(row, project.config.provides):
            by = providers.running(claim_map, row.needs)
            unprovided[row.id] = Unprovided(row.id, row.needs, by)
        else:
            free.add(row.id)
    made = batches.plan(
        rows,
        free=free.difference(without),
        held=held,
        wanted=lambda row: story in ("", row.story),
        at_once=at_once or project.config.batch_at_once,
        beside=partial(batches.together, generated=project.config.generated),
        assume=assume,
    )
    return Planned(made, claim_map, begun, unprovided)


def owner(project: Project, task_state: TaskState) -> str:
    """The batch's worker that holds a task in flight on this machine; "" if it is none."""
    holder = task_state.holder
    if holder is None or not is_worker(holder.by):
        return ""
    if task_state.state == "in-review" and holder.ref.startswith(_BRANCHES):
        return holder.by
    place = os.path.realpath(folder_of(project, holder.by))
    return holder.by if holder.path and os.path.realpath(holder.path) == place else ""


def branch(task_state: TaskState) -> str:
    """The local branch on which a task is complete and waits to land; "" where there is none."""
    holder = task_state.holder
    if task_state.state != "in-review" or holder is None or not holder.ref.startswith(_BRANCHES):
        return ""
    return holder.ref.removeprefix(_BRANCHES)
