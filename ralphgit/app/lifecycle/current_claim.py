"""Find the claim that a worktree works on."""

import shlex
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.lost_claims import winner_over
from ralphgit.app.active_claims.own_claims import open_claims
from ralphgit.app.lifecycle import claim as claiming
from ralphgit.app.lifecycle import claim_errors, claim_facts
from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.errors import ClaimHeld, GuardRefused, IllegalMove
from ralphgit.git import worktrees
from ralphgit.model.active_claim import Lease
from ralphgit.model.task_row import Row


class CurrentClaim(NamedTuple):
    """A valid claim of this worktree, its record in the working files."""

    lease: Lease
    """`oid` is "" where no lease ref is behind it."""
    row: Row
    """As it is in this worktree."""


def held(project: Project, claim_map: ClaimMap, task: str, verb: str) -> CurrentClaim:
    """The claim that this worktree works on (on `task`, if given).

    A record that the worker's `git reset` or `git stash` dropped is put back from the
    lease. A claim that has lost is given up: its work is kept in a rescue ref, and the
    branch goes back to where the work began. The caller has seen to it that the worktree is
    fit (`claim.require_fit`).

    Raises: ClaimLost, ClaimHeld, IllegalMove, UnknownTask, GuardRefused.
    """
    mine = _mine(project, claim_map, task)
    if mine is None:
        raise _nothing_held(project, claim_map, task, verb)
    row = project.here.by_id.get(mine.task)
    if winner := winner_over(claim_map, mine):
        from ralphgit.app.lifecycle import give_up  # what keeps work is read where some is kept

        raise give_up.lose(project, mine, winner)
    if row is None or row.claim != mine.claim:
        # Just as it was: what `git stash` took away may come back beside it.
        claiming.record(project, mine)
        project.warn(f"the claim on {mine.task} was gone from this worktree; it has been put back")
        project.written()
        row = project.here.row(mine.task)
    elif row.by != mine.by:
        raise GuardRefused(
            f"the claim on {row.id} was made by {mine.by}, and names {row.by} here "
            f"({row.file}:{row.line}); nothing was changed: put its name back",
            code="claim_changed", hint=f"git diff -- {shlex.quote(row.file)}",
            details={"task": row.id},
        )  # fmt: skip
    elif mine.oid and claiming.settle(project, mine):
        project.warn(f"a part of the claim on {mine.task} was missing; it has been put back")
    return CurrentClaim(mine, row)


def _mine(project: Project, claim_map: ClaimMap, task: str) -> Lease | None:
    """This worktree's claim, also one that has lost; by lease, note, or worker's name."""
    for lease in open_claims(project, claim_map):
        if not task or lease.task == task:
            return lease
    row = project.here.by_id.get(task) if task else None
    if row is not None and row.status == "in-progress" and row.by == project.worker:
        start = worktrees.fork(project.repository.git, "HEAD", project.base.commit)
        worktree = project.repository.worktree
        return Lease(
            task=row.id, claim=row.claim, by=row.by, at=row.at, base=row.base,
            contract=row.contract, epoch=row.epoch, start=start,
            branch=worktree.branch.removeprefix("refs/heads/") if worktree else "",
            worktree=project.top, host=heartbeat.host(),
        )  # fmt: skip
    return None


def _nothing_held(project: Project, claim_map: ClaimMap, task: str, verb: str) -> Exception:
    project.require_here()  # with a graph that cannot be read nothing is held, and that is why
    if not task:
        return IllegalMove(
            f"this worktree has no claim to {verb}", code="not_claimed", hint="ralphgit claim"
        )
    row = project.require_here().row(task)
    details: dict[str, object] = {"task": task}
    if row.status == "in-progress":
        task_state = claim_map.task_states.get(task)
        holder = task_state.holder if task_state else None
        if holder is not None:
            state = task_state.state if task_state else "in-progress"
            return claim_errors.of(claim_facts.held(project, task, holder, state), project)
        return ClaimHeld(
            f"{row.by} has {task}, claim {row.claim}; who is {row.by} says so",
            hint=f"ralphgit {verb} {task} --worker {shlex.quote(row.by)}",
            details={**details, "holder": {"worker": row.by, "since": row.at, "claim": row.claim}},
        )
    hint = f"ralphgit claim {task}" if row.status == "pending" else f"ralphgit show {task}"
    return IllegalMove(
        f"{task} is {row.status} in this worktree, so there is nothing to {verb}",
        code="not_claimed" if row.status == "pending" else "illegal_move",
        hint=hint,
        details=details,
    )
