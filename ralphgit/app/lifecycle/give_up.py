"""Give up a lost claim: one protocol, whatever command finds it lost and wherever its work is.

First all work is kept under `refs/ralph/rescue/<task>/<claim>`. Only then is it taken out: the
worktree's branch goes back to where the work began, a pull request's branch goes away. Last the
lease is dropped and the worktree's note forgotten. After a kill the same again does the rest.
"""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.active_claims import leases
from ralphgit.app.active_claims.claim_map import read_leases
from ralphgit.app.lifecycle import claim_errors, rescue_refs, task_branch
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.errors import ClaimLost
from ralphgit.git import refs
from ralphgit.model.active_claim import Lease
from ralphgit.rules.lost_claim import Winner


class Pushed(NamedTuple):
    """The branch of a pull request; the worktree has gone on to something else, or may have."""

    branch: str
    """Short name, the same here and on the remote."""
    commit: str
    """What was pushed."""


class GivenUp(NamedTuple):
    """What has become of the work of a lost claim."""

    rescue: str
    """The ref that keeps it, "" where there was none."""
    returned_to: str
    """The commit at which the worktree's branch is now; "" for a pushed branch, which has gone."""
    is_on_remote: bool
    """Whether a pushed branch was left on the remote, since it has commits of others."""


def give_up(project: Project, mine: Lease, *, pushed: Pushed | None = None) -> GivenUp:
    """Keep the work of a lost claim and take it out of where it is, then drop the lease.

    Without `pushed` the work is in this worktree, whose lock the caller has. A pushed branch goes
    from the remote if it has there what was pushed and no more, and no worktree is touched but one
    that is on it, clean.

    Raises: RemoteUnavailable, GitError, NotWritable, GuardRefused; nothing is lost then.
    """
    done = _take_out(project, mine) if pushed is None else _remove(project, mine, pushed)
    lease = mine if mine.oid else read_leases(project).get(mine.task)
    if lease is not None and lease.claim == mine.claim:
        leases.drop(project, lease)
    noted = runtime_files.remembered(project.top)
    if pushed is None or (noted is not None and noted.claim == mine.claim):
        runtime_files.forget(project.top)
    return done


def lose(project: Project, mine: Lease, winner: Winner | None) -> ClaimLost:
    """Give up the claim of this worktree, whose lock the caller has; the error to raise."""
    done = give_up(project, mine)
    return claim_errors.given_up(
        mine, winner, kept=done.rescue, back=done.returned_to, base=project.base.label
    )


def _take_out(project: Project, mine: Lease) -> GivenUp:
    """Keep what this worktree has, and take its branch back to where the work began."""
    target = rescue_refs.return_point(project, mine)
    kept = rescue_refs.worktree(
        project, project.top, mine.task, mine.claim, mine.by, target=target
    ).ref
    return GivenUp(kept, rescue_refs.clear(project, mine, kept), False)


def _remove(project: Project, mine: Lease, pushed: Pushed) -> GivenUp:
    """Keep what was pushed and what the branch has here, and delete it on the remote and here."""
    tip = refs.current(project.repository.objects, f"refs/heads/{pushed.branch}")
    kept = rescue_refs.commit(project, pushed.commit, mine.task, mine.claim).ref
    if tip and tip != pushed.commit:
        kept = rescue_refs.commit(project, tip, mine.task, mine.claim).ref or kept
    removed = task_branch.withdraw(project, pushed.branch, pushed.commit)
    task_branch.remove(project, pushed.branch, tip, pushed=pushed.commit)
    return GivenUp(kept, "", not removed)
