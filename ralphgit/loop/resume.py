"""Find what a worktree has begun, by the records, its lease and its note, to resume it.

And what a crash has left behind, which is removed before.
"""

from __future__ import annotations

import os
import shlex

from ralphgit.app.active_claims import lost_claims, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap, read_leases
from ralphgit.app.doctor import examine
from ralphgit.app.landing import pull_request
from ralphgit.app.lifecycle import (
    block_release,
    claim_errors,
    claim_facts,
    commit_records,
    give_up,
    task_branch,
)
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.errors import GuardRefused, InvalidRecord, NotARepository
from ralphgit.loop.event_log import Journal
from ralphgit.loop.loop_options import LoopOptions
from ralphgit.loop.loop_pull_requests import Pulls
from ralphgit.model.active_claim import Lease
from ralphgit.model.task_status import Status
from ralphgit.rules import claim_verdict


def still_here(around: Surroundings, warnings: list[str], top: str, home: str) -> Project:
    """Open the project, if the worktree at `top` still is one; `home` is the main worktree.

    Raises: GuardRefused (no_worktree).
    """
    try:
        project = Project.open(around, warnings)
    except NotARepository:
        pass
    else:
        found = project.repository.top
        if found is not None and os.path.realpath(found) == os.path.realpath(top):
            return project
        project.repository.close()
    raise gone(top, home)


def gone(top: str, home: str) -> GuardRefused:
    """Make the error for a worktree that has lost its `.git`, or that was removed."""
    repair = shlex.join(("git", "-C", home, "worktree", "repair"))
    status = shlex.join(("ralphgit", "-C", home, "status"))
    return GuardRefused(
        f"{top} is no longer a worktree: its .git is gone; its files were left as they are",
        code="no_worktree",
        hint=f"{repair}, then run again; or {status} says how to free its task",
        details={"worktree": top},
    )


def base_fault(project: Project) -> InvalidRecord | None:
    """Return why the base's graph cannot be read now; None if it can. Reads the base anew."""
    project.refresh()
    try:
        assert project.base_view
    except InvalidRecord as error:
        return error
    return None


def unreadable(project: Project) -> InvalidRecord | None:
    """Return why the graph in this worktree's files or on HEAD cannot be read; None if it can."""
    try:
        project.require_here()
        project.view("HEAD", "HEAD")
    except InvalidRecord as error:
        return error
    return None


def restore(project: Project) -> str:
    """Keep work that left the graph unreadable before a crash in a rescue ref; returns the ref."""
    noted = runtime_files.remembered(project.top)
    lease = read_leases(project).get(noted.task) if noted else None
    if noted is None or lease is None or lease.claim != noted.claim or not unreadable(project):
        return ""
    with WorktreeLock(project):
        return task_branch.put_aside(project, noted)


def leave_taken_back(project: Project) -> str:
    """Give up what this worktree did last if the base has taken it back since; what to say of it.

    It was over before this loop began, so it is not one of the tasks that the loop has lost.
    """
    noted = own_claims.remembered(project)
    if noted is None or not noted.is_taken_back:
        return ""
    with WorktreeLock(project):
        winner = lost_claims.winner_over(ClaimMap(project), noted)
        lost = give_up.lose(project, noted, winner)
    project.refresh()
    return "; ".join([lost.message, *lost.lines])


def unfinished(project: Project, landing: str, pulls: Pulls, told: LoopOptions) -> Lease | None:
    """Return this worktree's claim, or that of a task that has ended here and has yet to land.

    Raises: ClaimLost, after what was lost has been given up; GuardRefused (already_working)
    and UnknownTask, where the loop was given just one task.
    """
    found = _unfinished(project, landing, pulls)
    if told.task:
        project.base_view.row(told.task)
    if found is not None and told.task not in ("", found.task):
        raise claim_errors.of(claim_verdict.already_working(found))
    return found


def _unfinished(project: Project, landing: str, pulls: Pulls) -> Lease | None:
    block_release.settle(project)
    claim_map = ClaimMap(project)
    noted = own_claims.remembered(project)
    claims = claim_facts.of_own(project, claim_map)
    for one in claims:
        winner = one.winner or lost_claims.asked_anew(claim_map, one.lease)
        if winner is not None:
            with WorktreeLock(project):
                raise give_up.lose(project, one.lease, winner)
    own = claim_verdict.held_here(claims)
    if own is not None:
        return own
    end = own_claims.end_of(project.here, noted) if noted else None
    if noted is None or end is None:
        return None
    if not own_claims.end_of(project.view("HEAD", "HEAD"), noted):
        # Written and not committed: it was killed in between, and is ended again.
        if end is Status.BLOCKED:
            commit_records.take_back(project, noted)
        return noted
    if own_claims.end_of(claim_map.base, noted):
        return None
    if end is Status.BLOCKED:
        row = claim_map.base.known(noted.task)
        answered = row is not None and row.epoch > noted.epoch
        shared = landing == "none" or (landing == "pr" and pull_request.is_shared(project, noted))
        return None if shared or answered else noted
    return noted if landing != "none" and not pulls.has(project, noted) else None


def fix_leftovers(project: Project, journal: Journal) -> None:
    """Remove what a crash left behind, such as the lock of a git that was killed."""
    for finding in examine.examine(project, fix=True):
        if finding.fixed:
            journal.write("mended", code=finding.code, message=finding.message)
