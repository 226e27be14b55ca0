"""Gather the facts that decide a claim: the worktree, active claims, the task."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain

from ralphgit.app.active_claims import next_tasks, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.lifecycle import onto_base
from ralphgit.app.lifecycle.onto_base import Position, Standing
from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.graph_files import linked_folder
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.git import index
from ralphgit.model.active_claim import ActiveClaim, Lease
from ralphgit.model.task_row import Row
from ralphgit.records.schemas import FILED
from ralphgit.rules import readiness
from ralphgit.rules.active_scopes import ActiveScopes
from ralphgit.rules.claim_options import ClaimOptions, is_wanted
from ralphgit.rules.claim_verdict import OwnClaim, Reason, Refusal, TaskFacts, WorktreeFacts


def of_worktree(project: Project) -> WorktreeFacts:
    """What this worktree is in the middle of. Raises: GuardRefused (bare, no_commit)."""
    repository, top = project.repository, project.top
    conflicts = index.unmerged(repository)  # while git looks, we ask for the rest
    project.require_base()
    under_way = repository.under_way()
    # HEAD may name what is no branch, such as the base as it was fetched.
    is_detached = repository.worktree is not None and not (
        repository.worktree.branch.startswith("refs/heads/")
    )
    unmerged, has_records = tuple(conflicts.read()), False
    if unmerged:
        from ralphgit.app.workspace.record_tree import is_record

        has_records = any(is_record(project, path) for path in unmerged)
    kinds = (f"{project.config.records}/{kind}" for kind in FILED)
    linked = linked_folder(top, project.places_here, *kinds)
    return WorktreeFacts(top, under_way, is_detached, unmerged, has_records, linked)


def of_own(project: Project, claim_map: ClaimMap) -> tuple[OwnClaim, ...]:
    """The claims of this worktree that have not ended, also ones that are lost."""
    base, here = claim_map.base.by_id, project.here.by_id
    found = []
    for lease in own_claims.open_claims(project, claim_map):
        row = here.get(lease.task)
        is_recorded = row is not None and row.claim == lease.claim
        from ralphgit.app.active_claims import lost_claims  # most have none

        winner = lost_claims.winner_over(claim_map, lease)
        found.append(OwnClaim(lease, base.get(lease.task), winner, is_recorded))
    return tuple(found)


def elsewhere(project: Project, claim_map: ClaimMap) -> frozenset[str]:
    """The paths of active claims in other worktrees; none are looked for from a linked one."""
    if project.repository.linked:
        return frozenset()
    others = {os.path.realpath(worktree.path) for worktree in project.repository.worktrees}
    others.discard(os.path.realpath(project.top))
    paths = {one.path for claims in claim_map.active_claims.values() for one in claims if one.path}
    return frozenset(path for path in paths if os.path.realpath(path) in others)


def position(project: Project, options: ClaimOptions) -> Position:
    """Where the branch is, seen from the base, and whether a claim may move it.

    With `stack` it stays with the commits that it has. Raises: GitError.
    """
    found = onto_base.position(project)
    if options.stack and found.standing is not Standing.CONTAINED:
        return Position(Standing.OWN if found.moves else found.standing)
    return found


def rows(project: Project, claim_map: ClaimMap, options: ClaimOptions) -> Iterator[Row]:
    """The tasks that a claim tries, in order. Raises: UnknownTask, InvalidRecord."""
    if options.task:
        known = claim_map.base.by_id.get(options.task)
        return iter([known or project.require_here().row(options.task)])
    ready = next_tasks.wanted(claim_map, options)
    if options.stack:
        return chain(ready, _stacked(project, claim_map, options))
    return iter(ready)


def candidates(
    project: Project, claim_map: ClaimMap, options: ClaimOptions, position: Position
) -> Iterator[TaskFacts]:
    """What a claim may take, in the order in which it tries. Raises: UnknownTask, InvalidRecord."""
    fork = cache(lambda: _fork(project))
    scopes = cache(lambda: _scopes(project, claim_map, options))
    for row in rows(project, claim_map, options):
        yield _facts(project, claim_map, row, position, scopes(), fork)


def judged(
    project: Project, claim_map: ClaimMap, options: ClaimOptions, row: Row, position: Position
) -> TaskFacts:
    """The facts of one task, for a worktree at `position`."""
    scopes = _scopes(project, claim_map, options)
    return _facts(project, claim_map, row, position, scopes, lambda: _fork(project))


def _facts(
    project: Project,
    claim_map: ClaimMap,
    row: Row,
    position: Position,
    scopes: ActiveScopes,
    fork: Callable[[], GraphView | None],
) -> TaskFacts:
    here, base = project.require_here(), claim_map.base
    state = claim_map.task_states.get(row.id)
    tasks = {**here.by_id, **base.by_id} if position.moves else here.by_id
    return TaskFacts(
        row, state, _heartbeat_age(project, state.holder if state else None),
        is_behind=not position.moves and _is_behind(here, base, row.id, fork), base=base.by_id,
        base_name=project.base.label, here=tasks, active_scopes=scopes,
        provides=project.config.provides, has_leases=project.config.lease != "off",
    )  # fmt: skip


def _scopes(project: Project, claim_map: ClaimMap, options: ClaimOptions) -> ActiveScopes:
    """The scopes of active tasks; with `stack` not of those that this branch has complete."""
    active = claim_map.task_states.active_tasks
    if options.stack:
        active = [row for row in active if not _stands_on(project, claim_map, row)]
    return ActiveScopes.of(active, project.config.generated)


def _stands_on(project: Project, claim_map: ClaimMap, row: Row) -> bool:
    """Whether this branch has a task complete by the claim that holds it."""
    here, holder = project.here.by_id.get(row.id), claim_map.task_states[row.id].holder
    done = here is not None and here.status == "complete"
    return done and holder is not None and here is not None and here.claim == holder.claim


def _stacked(project: Project, claim_map: ClaimMap, options: ClaimOptions) -> Iterator[Row]:
    """The tasks that wait for none but tasks that are complete on this branch."""
    here, base = project.require_here().by_id, claim_map.base
    for row in readiness.order(base.rows):
        if row.status != "pending" or not is_wanted(row, options):
            continue
        state = claim_map.task_states[row.id]
        if state.state == "waiting" and all(
            other in here and here[other].status == "complete" for other in state.blocked_on
        ):
            yield row


def _fork(project: Project) -> GraphView | None:
    """The graph where this worktree's branch left the base."""
    from ralphgit.git import worktrees  # most branches are where the base is

    commit = worktrees.fork(project.repository.git, "HEAD", project.base.commit)
    return project.view(commit, "the merge base") if commit else None


def _is_behind(
    here: GraphView, base: GraphView, task: str, fork: Callable[[], GraphView | None]
) -> bool:
    """Whether the base has a newer form of the task than this worktree knows of."""
    if base is here or task not in base.by_id or task not in here.by_id:
        return False
    if here.shard(here.by_id[task].file) in base.shards:
        return False
    theirs = _block(base, task)
    if _block(here, task) == theirs:
        return False
    common = fork()
    return common is None or task not in common.by_id or _block(common, task) != theirs


def _block(view: GraphView, task: str) -> str:
    """A task's block without what may differ with its place in the file and the checkout."""
    return view.text(view.by_id[task]).replace("\r\n", "\n").rstrip()


# -- who has a task ------------------------------------------------------------------------


def held(
    project: Project, task: str, holder: ActiveClaim | None, state: str = "claimed"
) -> Refusal:
    """The refusal of a task that has a holder, with the age of the holder's heartbeat."""
    age = _heartbeat_age(project, holder)
    return Refusal(Reason.HELD, task, state, holder=holder, heartbeat_age_s=age)


def held_by_lease(project: Project, task: str, lease: Lease | None) -> Refusal:
    """The refusal of a task whose lease was taken in the meantime."""
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
