"""The claim that a worktree works on: finding it, and losing it."""

from __future__ import annotations

import os
from typing import NamedTuple

from ralphgit.app.active_claims import leases
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.own_claims import open_claims, winner_over
from ralphgit.app.base import interrupted_update
from ralphgit.app.lifecycle import claim as claiming
from ralphgit.app.lifecycle import claim_guards, rescue_refs
from ralphgit.app.workspace import heartbeat, runtime_files
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import ClaimHeld, ClaimLost, IllegalMove
from ralphgit.git import index, worktrees
from ralphgit.model.active_claim import Lease
from ralphgit.model.task_row import Row


class CurrentClaim(NamedTuple):
    """A claim of this worktree that still stands, its record in the working files."""

    lease: Lease
    """`oid` is "" where no lease ref is behind it."""
    row: Row
    """As it is in this worktree."""


def held(project: Project, claim_map: ClaimMap, task: str, verb: str) -> CurrentClaim:
    """The claim that this worktree works on (on `task`, if given).

    A record that the worker's `git reset` or `git stash` dropped is put back from the
    lease. A claim that has lost is given up: its work is kept in a rescue ref, and the
    branch goes back to where the work began. The caller has seen to it that the worktree is
    fit (`guard.refuse_unfit`).

    Raises: ClaimLost, ClaimHeld, IllegalMove, UnknownTask, GuardRefused.
    """
    mine = _mine(project, claim_map, task)
    if mine is None:
        raise _nothing_held(project, claim_map, task, verb)
    row = project.here.by_id.get(mine.task)
    if winner := winner_over(claim_map, mine):
        raise lose(project, mine, winner)
    if row is None or row.claim != mine.claim:
        # Just as it was: what `git stash` took away may come back beside it.
        claiming.record(project, mine)
        project.warn(f"the claim on {mine.task} was gone from this worktree; it has been put back")
        project.refresh()
        row = project.here.row(mine.task)
    elif mine.oid:
        claiming.settle(project, mine)
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
            return claim_guards.held(
                project, task, holder, task_state.state if task_state else "in-progress"
            )
        return ClaimHeld(
            f"{row.by} has {task}, claim {row.claim}",
            hint=f"as {row.by}: ralphgit {verb} {task} --worker {row.by}",
            details={**details, "holder": {"worker": row.by, "since": row.at, "claim": row.claim}},
        )
    hint = f"ralphgit claim {task}" if row.status == "pending" else f"ralphgit show {task}"
    return IllegalMove(
        f"{task} is {row.status} in this worktree, so there is nothing to {verb}",
        code="not_claimed" if row.status == "pending" else "illegal_move",
        hint=hint,
        details=details,
    )


def give_up(project: Project, mine: Lease, winner: str) -> ClaimLost:
    """`lose`, for who is not alone in the worktree yet. Raises: GuardRefused (worktree_busy)."""
    with WorktreeLock(project):
        return lose(project, mine, winner)


def lose(project: Project, mine: Lease, winner: str) -> ClaimLost:
    """Give up a claim that no longer stands; the error to raise.

    First everything is kept under `refs/ralph/rescue/<task>/<claim>`; only then does the
    branch go back to where the task's work began, and the lease is dropped.
    """
    kept = rescue_refs.worktree(
        project, project.top, mine.task, mine.claim, mine.by, target=return_point(project, mine)
    )
    back = clear(project, mine, kept.ref)
    leases.drop(project, mine)
    runtime_files.forget(project.top)
    lines = [f"your work is kept in {kept.ref}"] if kept.ref else ["there was no work to keep"]
    lines.append(f"the branch is back at {back[:12]}")
    label = project.base.label
    return ClaimLost(
        f"the claim on {mine.task} is lost: {winner}",
        lines=lines,
        hint=f"git log -p {label}..{kept.ref}" if kept.ref else "ralphgit next",
        details={"task": mine.task, "claim": mine.claim, "rescue": kept.ref, "returned_to": back},
    )


def clear(project: Project, mine: Lease, kept: str) -> str:
    """Take the work of a claim out of branch and worktree; `kept` is the ref that has it.

    Ignored files that would be overwritten are kept too, if `kept` has them not: then in a
    rescue ref of its own, with a warning. Repositories within the worktree stay.

    Returns the commit at which the branch is then.
    """
    back = return_point(project, mine)
    repository = project.repository
    known = set(index.files_of(repository.git, kept)) if kept else set()
    known.update(index.tracked(repository.git, ["."]))
    if lost := rescue_refs.in_the_way(repository, back, known):
        again = rescue_refs.worktree(
            project, project.top, mine.task, mine.claim, mine.by, target=back
        )
        kept = again.ref or kept
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        project.warn(f"ignored, and on {back[:12]} too, so kept in {kept}: {lost[0]}{more}")
    repository.git.run("reset", "--hard", "--quiet", back)
    remove_kept(project, kept)
    return back


def remove_kept(project: Project, ref: str) -> None:
    """Remove new files that the rescue commit holds, so that the next task begins clean.

    What cannot be removed stays, with a warning.
    """
    if not ref:
        return
    names = index.untracked(project.repository.git, ["."])
    for folder in [name for name in names if name.endswith("/")]:
        project.warn(f"{folder} is a repository of its own; it was left in place")
    names = [name for name in names if not name.endswith("/")]
    found = project.repository.objects.resolve([f"{ref}:{name}" for name in names])
    for name, oid in zip(names, found, strict=True):
        if oid is None:
            continue
        path = os.path.join(project.top, name)
        try:
            os.unlink(path)
        except OSError as error:
            project.warn(f"{name} is kept in {ref}, and cannot be removed: {error.strerror}")
            continue
        interrupted_update.remove_empty(
            os.path.dirname(path), spare=(project.top, project.around.directory)
        )


def return_point(project: Project, mine: Lease) -> str:
    """Where the branch goes: the base, unless it holds earlier work that has not landed."""
    git = project.repository.git
    start = mine.start
    if not start or not worktrees.is_ancestor(git, start, "HEAD"):
        return project.base.commit
    landed = worktrees.is_ancestor(git, start, project.base.commit)
    return project.base.commit if landed else start
