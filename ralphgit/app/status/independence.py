"""Decide which tasks may run at the same time (SPEC 6). Reads only (law L8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace import graph_view
from ralphgit.app.workspace.project import Project
from ralphgit.git import merge_preview
from ralphgit.model.offered_scope import SUGGESTED, Offer, offered
from ralphgit.model.task_row import Row
from ralphgit.rules import consecutive, readiness
from ralphgit.rules.consecutive import Run
from ralphgit.rules.independence import Conflict, conflicts, groups
from ralphgit.rules.pattern_overlap import check_pattern

#: More branches than this are not merged with each other: it takes their number squared.
MOST_BRANCHES = 24


class Unproved(NamedTuple):
    """A task about which nothing, or not all, is proved."""

    task: str
    why: str


class Branch(NamedTuple):
    """A branch in flight."""

    name: str
    tasks: tuple[str, ...]
    """The tasks that stand otherwise on it than on the base."""
    tip: str


class Collision(NamedTuple):
    """Two branches that would conflict; `b` may be the base."""

    a: str
    b: str
    paths: tuple[str, ...]


class Branches(NamedTuple):
    compared: tuple[Branch, ...]
    conflicts: tuple[Collision, ...]


class Found(NamedTuple):
    """The answer."""

    rows: tuple[Row, ...]
    """What was compared, in the order in which it would be taken."""
    conflicts: tuple[Conflict, ...]
    groups: tuple[tuple[str, ...], ...]
    unproved: tuple[Unproved, ...]
    runs: tuple[Run, ...]
    """Tasks that follow each other and could run side by side."""
    branches: Branches | None


def independence(
    project: Project,
    *,
    tasks: Sequence[str] = (),
    ready: bool = False,
    story: str = "",
    branches: bool = False,
    assume: bool = False,
    suggest_modes: bool = False,
) -> Found:
    """Compare tasks pair by pair: `tasks`, else the ones that `next` shows (`ready`, or where
    nothing is asked for), else all of `story` that are not finished.

    Tasks of which nothing is proved stand in a group alone, unless we are to `assume` that they
    are independent. With `suggest_modes`, the runs are found that follow each other needlessly.

    Raises: UnknownTask, InvalidRecord, GuardRefused (no_commit); with `branches`, GitError.
    """
    claim_map = ClaimMap(project)
    graph, rows = _asked(project, claim_map, tasks, ready, story)
    task_states = claim_map.task_states
    busy = {row.id for row in graph.values() if row.status == "blocked"} | {
        *claim_map.active_claims
    }
    blocked = {
        name for name in busy if name in task_states and task_states[name].state == "blocked"
    }
    generated = project.config.generated
    for pattern in generated:
        if wrong := check_pattern(pattern):
            project.warn(f"generated: the pattern {pattern!r} is not valid: {wrong}")
    clashes = conflicts(rows, graph, blocked=blocked, generated=generated)
    unproved = tuple(filter(None, map(_unproved, rows)))
    alone = frozenset[str]() if assume else frozenset(one.task for one in unproved)
    runs: tuple[Run, ...] = ()
    if suggest_modes:
        scopes = {row.id: offered_row(row) for row in rows}
        runs = consecutive.runs([scopes[row.id] for row in rows], generated=generated)
    return Found(
        tuple(rows),
        tuple(clashes),
        tuple(map(tuple, groups(rows, clashes, alone=alone))),
        unproved,
        runs,
        _branches(project, claim_map) if branches else None,
    )


def _asked(
    project: Project, claim_map: ClaimMap, tasks: Sequence[str], ready: bool, story: str
) -> tuple[Mapping[str, Row], list[Row]]:
    """All tasks by id, and those to compare, in the order in which they would be taken."""
    base = claim_map.base
    if not tasks and (ready or not story):
        found = next_tasks.takeable(project, story=story, claim_map=claim_map)
        return base.by_id, [row for row, _ in found.tasks]
    graph = dict(base.by_id)
    beside: list[Row] = []
    for name in dict.fromkeys(tasks):
        if name not in graph:
            beside.append(project.require_here().row(name))
            label = project.base.label
            project.warn(f"{name} is not on {label} yet: it is judged as it is here")
        elif graph[name].status in _FINISHED:
            project.warn(f"{name} is {graph[name].status}, and runs alone")
    asked = {*tasks} if tasks else {row.id for row in base.rows if row.story == story}
    own = [row for row in base.rows if row.id in asked and row.status not in _FINISHED]
    graph.update((row.id, row) for row in beside)
    return graph, readiness.order(own, of=base.rows) + beside


_FINISHED = ("complete", "cancelled")


def _unproved(row: Row) -> Unproved | None:
    for pattern in (*row.write, *row.read):
        if wrong := check_pattern(pattern):
            return Unproved(row.id, f"the pattern {pattern!r} is not valid: {wrong}")
    if row.write:
        return None
    why = "it has no write scope: nothing can be proved"
    offer = _offer(row)
    if offer is not None:
        more = f" and {offer.more}" if offer.more else ""
        why += f"; offered: {', '.join(offer.write)}{more} (ralphgit edit {row.id} --take-scope)"
    return Unproved(row.id, why)


def _offer(row: Row) -> Offer | None:
    return offered(graph_view.stored(row)) if SUGGESTED in row.json else None


def offered_row(row: Row) -> Row:
    """A task without a write scope as it would be with the one that it is offered."""
    offer = None if row.write else _offer(row)
    return row if offer is None or offer.more else row._replace(write=offer.write)


# -- branches ------------------------------------------------------------------------------


def _branches(project: Project, claim_map: ClaimMap) -> Branches:
    """Which branches in flight would conflict once another one of them is on the base.

    The first branch is merged into the base, in memory, and the second one into that: what a merge
    queue would meet. Merging the two with each other would start from where they parted, and
    blame the one for what the other has got from the base. A branch that conflicts with the base
    itself is told so; it has no merged state to go on from, and is merged with others directly.
    """
    base = project.base
    compared = _active(project, claim_map)
    if len(compared) > MOST_BRANCHES:
        project.warn(
            f"only {MOST_BRANCHES} of {len(compared)} branches in flight are merged with each other"
        )
        compared = compared[:MOST_BRANCHES]
    names = {one.tip: one.name for one in compared}
    made = merge_preview.pairwise(project.repository, base.commit, [one.tip for one in compared])
    found = [Collision(names[tip], base.label, paths) for tip, paths in made.with_base.items()]
    for (one, other), paths in made.between.items():
        known = {*made.with_base.get(one, ()), *made.with_base.get(other, ())}
        if rest := tuple(path for path in paths if path not in known):
            found.append(Collision(names[one], names[other], rest))
    return Branches(tuple(compared), tuple(found))


def _active(project: Project, claim_map: ClaimMap) -> list[Branch]:
    """Branches whose records stand otherwise than the base's, each tip once.

    A remote-tracking branch stands behind its local one of the same name.
    """
    tasks: dict[str, list[str]] = {}
    for active_claims in claim_map.active_claims.values():
        for active in active_claims:
            if active.kind == "branch" and active.task not in tasks.setdefault(active.ref, []):
                tasks[active.ref].append(active.task)
    refs = project.repository.refs
    made: dict[str, Branch] = {}
    local = {ref.removeprefix("refs/heads/") for ref in tasks if ref.startswith("refs/heads/")}
    for ref in sorted(tasks):
        short = ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")
        if not ref.startswith("refs/heads/") and short.partition("/")[2] in local:
            continue
        made.setdefault(refs[ref].oid, Branch(short, tuple(sorted(tasks[ref])), refs[ref].oid))
    return list(made.values())
