"""The groups in which the unfinished tasks are to be worked off. Reads only."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from functools import partial
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import Situation
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import folder_of
from ralphgit.rules import batches
from ralphgit.rules.batches import Plan
from ralphgit.rules.readiness import IN_FLIGHT, Standing

_NAME = re.compile(r"b[1-9][0-9]?")
_BRANCHES = "refs/heads/"


class Planned(NamedTuple):
    plan: Plan
    situation: Situation
    begun: Mapping[str, str]
    """What a batch has begun, or has completed and not landed, with its worker."""


def worker(number: int) -> str:
    """The name of the batch's worker with a number from 1."""
    return f"b{number}"


def plan(
    project: Project, *, story: str = "", at_once: int = 0, without: Collection[str] = ()
) -> Planned:
    """Group what is ready or waits, and what a batch has begun, by `rules.batches`.

    `at_once` 0 is as configured. Tasks of `without` count as nobody's to take.

    Raises: InvalidRecord, GuardRefused (no_commit).
    """
    project.require_base()
    situation = Situation(project)
    rows, standings = situation.base.rows, situation.standings
    free, begun, held = set(), {}, set()
    for row in rows:
        standing = standings[row.id]
        if standing.state in IN_FLIGHT:
            if name := owner(project, standing):
                begun[row.id] = name
            else:
                held.add(row.id)
        if standing.state in ("ready", "waiting") or row.id in begun:
            free.add(row.id)
    made = batches.plan(
        rows,
        free=free.difference(without),
        held=held,
        wanted=lambda row: story in ("", row.story),
        at_once=at_once or project.config.batch_at_once,
        beside=partial(batches.together, generated=project.config.generated),
    )
    return Planned(made, situation, begun)


def owner(project: Project, standing: Standing) -> str:
    """The batch's worker that holds a task in flight on this machine; "" if it is none."""
    holder = standing.holder
    if holder is None or _NAME.fullmatch(holder.by) is None:
        return ""
    if standing.state == "in-review" and holder.ref.startswith(_BRANCHES):
        return holder.by
    place = os.path.realpath(folder_of(project, holder.by))
    return holder.by if holder.path and os.path.realpath(holder.path) == place else ""


def branch(standing: Standing) -> str:
    """The local branch on which a task is complete and waits to land; "" where there is none."""
    holder = standing.holder
    if standing.state != "in-review" or holder is None or not holder.ref.startswith(_BRANCHES):
        return ""
    return holder.ref.removeprefix(_BRANCHES)
