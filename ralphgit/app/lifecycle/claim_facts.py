"""Gather what a claim is judged by: the worktree, its claims and those beside it, the task."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ralphgit.app.active_claims import leases, next_tasks, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.git import index, worktrees
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.task_row import Row
from ralphgit.rules.active_scopes import ActiveScopes
from ralphgit.rules.claim_options import ClaimOptions
from ralphgit.rules.claim_verdict import (
    GraphFacts,
    Held,
    OtherClaims,
    OwnClaim,
    TaskFacts,
    WorktreeFacts,
)


def of_worktree(project: Project) -> WorktreeFacts:
    """What this worktree is in the middle of. Raises: GuardRefused (bare, no_commit)."""
    repository, top = project.repository, project.top
    conflicts = index.unmerged(repository)  # while git looks, we ask for the rest
    project.require_base()
    under_way = repository.under_way()
    worktree = repository.worktree
    unmerged = tuple(conflicts.read())
    return WorktreeFacts(
        path=top,
        under_way=under_way,
        is_detached=worktree is not None and not worktree.branch,
        unmerged=unmerged,
        has_unmerged_records=bool(unmerged) and _has_records(project, unmerged),
    )


def _has_records(project: Project, paths: tuple[str, ...]) -> bool:
    from ralphgit.app.workspace.record_tree import is_record

    return any(is_record(project, path) for path in paths)


def of_own(project: Project, claim_map: ClaimMap) -> tuple[OwnClaim, ...]:
    """The claims of this worktree that have not ended, also ones that are lost."""
    base, here = claim_map.base.by_id, project.here.by_id
    found = []
    for lease in own_claims.open_claims(project, claim_map):
        row = here.get(lease.task)
        is_recorded = row is not None and row.claim == lease.claim
        winner = own_claims.winner_over(claim_map, lease)
        found.append(OwnClaim(lease, base.get(lease.task), winner, is_recorded))
    return tuple(found)


def of_others(project: Project, claim_map: ClaimMap) -> OtherClaims:
    """The active claims beside this worktree; none are looked for from a linked one."""
    if project.repository.linked:
        return OtherClaims(False, {}, {}, frozenset())
    base, active_claims = claim_map.base.by_id, claim_map.active_claims
    return OtherClaims(True, base, active_claims, _elsewhere(project, claim_map))


def _elsewhere(project: Project, claim_map: ClaimMap) -> frozenset[str]:
    """The paths of active claims that are those of another worktree."""
    others = {os.path.realpath(worktree.path) for worktree in project.repository.worktrees}
    others.discard(os.path.realpath(project.top))
    paths = {one.path for claims in claim_map.active_claims.values() for one in claims if one.path}
    return frozenset(path for path in paths if os.path.realpath(path) in others)


def candidates(project: Project, claim_map: ClaimMap, options: ClaimOptions) -> Iterator[TaskFacts]:
    """What a claim may take, in the order in which it tries. Raises: UnknownTask, InvalidRecord."""
    rows: Iterator[Row]
    if not options.task:
        rows = next_tasks.wanted(claim_map, options)
    else:
        known = claim_map.base.by_id.get(options.task)
        rows = iter([known or project.require_here().row(options.task)])
    graph: GraphFacts | None = None
    parting = _Parting(project)
    for row in rows:
        graph = graph or _graph(project, claim_map)
        task_state = claim_map.task_states.get(row.id)
        holder = task_state.holder if task_state is not None else None
        age = _heartbeat_age(project, holder)
        yield TaskFacts(row, task_state, age, parting.is_behind(claim_map.base, row), graph)


def _graph(project: Project, claim_map: ClaimMap) -> GraphFacts:
    active_tasks = claim_map.task_states.active_tasks
    return GraphFacts(
        base=claim_map.base.by_id,
        base_name=project.base.label,
        here=project.require_here().by_id,
        active_scopes=ActiveScopes.of(active_tasks, project.config.generated),
        has_leases=project.config.lease != "off",
    )


class _Parting:
    """Where this worktree's branch left the base; asked for at most once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._view: GraphView | None = None
        self._is_known = False

    def is_behind(self, base: GraphView, row: Row) -> bool:
        """Whether the base has a newer form of the task than this worktree knows of."""
        here = self._project.here
        if base is here or row.id not in base.by_id or row.id not in here.by_id:
            return False
        if here.shard(here.by_id[row.id].file) in base.shards:
            return False
        theirs = _normal(base.text(base.by_id[row.id]))
        if _normal(here.text(here.by_id[row.id])) == theirs:
            return False
        common = self._common()
        known = common.by_id.get(row.id) if common is not None else None
        return common is None or known is None or _normal(common.text(known)) != theirs

    def _common(self) -> GraphView | None:
        if not self._is_known:
            self._is_known = True
            project = self._project
            fork = worktrees.fork(project.repository.git, "HEAD", project.base.commit)
            self._view = project.view(fork, "the merge base") if fork else None
        return self._view


def _normal(block: str) -> str:
    """A block without what may differ with its place in the file and the checkout."""
    return block.replace("\r\n", "\n").rstrip()


# -- who has a task ------------------------------------------------------------------------


def held(project: Project, task: str, holder: ActiveClaim | None, state: str = "claimed") -> Held:
    """That somebody has a task, with the age of the holder's heartbeat."""
    return Held(task, holder, state, _heartbeat_age(project, holder))


def held_by_lease(project: Project, task: str, outcome: leases.LeaseHeld) -> Held:
    """That somebody has taken the lease on a task in the meantime."""
    lease = outcome.by
    if lease is None:
        return held(project, task, None)
    where = f"worktree {project.show_path(lease.worktree)}"
    active = ActiveClaim(
        task, "in-progress", lease.claim, lease.by, lease.at, lease.epoch,
        "lease", where, lease.worktree,
    )  # fmt: skip
    return held(project, task, active)


def _heartbeat_age(project: Project, holder: ActiveClaim | None) -> float | None:
    """How long ago the holder of a task gave a sign of life, in seconds."""
    beat = heartbeat.read(holder.path) if holder is not None and holder.path else None
    if holder is None or beat is None or beat.claim != holder.claim:
        return None
    return round(max(0.0, project.around.now() - beat.time), 1)
