"""Give a task back as it was, with the work so far kept: its worker cannot go on."""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.active_claims import own_claims, remote_beats
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.other_bases import has_remote_leases
from ralphgit.app.lifecycle import block_release, give_up, task_branch
from ralphgit.app.workspace import tracked_pull_requests
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RemoteUnavailable
from ralphgit.git import remote
from ralphgit.git.remote import PushRefused
from ralphgit.model.active_claim import Lease
from ralphgit.model.task_status import Status


def give_back(project: Project, lease: Lease, why: str) -> str:
    """Release a claim of this worktree, which is brought back to the base.

    Returns the rescue ref that keeps its work, "" where there is none. Raises: what
    `block_release.release` and `give_up.give_up` raise.
    """
    with WorktreeLock(project):
        row = project.base_view.known(lease.task)
        if row is not None and row.claim == lease.claim:
            block_release.release(project, lease.task, reason=why)
            return task_branch.sweep(project, lease)
        return task_branch.keep_if_work(project, give_up.give_up(project, lease).rescue, lease.task)


class GivenUp(NamedTuple):
    """What became of a claim."""

    task: str
    kept: str = ""
    """The rescue ref that keeps its work; "" where there is none."""
    branch: str = ""
    """Where it is complete, and waits: on the remote, too. Then the claim stays."""


def all_claims(project: Project, why: str, *, ended: bool) -> list[GivenUp]:
    """Give back all that this worktree holds, and take its heartbeat off the remote.

    What a pull request brings stays as it is; so does, of a loop that has `ended` by itself, what
    is complete and waits to land, for a review, say: its branch is pushed. Raises: as `give_back`;
    RemoteUnavailable, PushRefused.
    """
    noted = tracked_pull_requests.everywhere(project.repository.worktrees)
    in_review = {one.claim for one in noted}
    given = []
    claim_map = ClaimMap(project)
    for lease in own_claims.leased(project, claim_map):
        if lease.claim in in_review:
            continue
        if ended and (ref := _complete_on(claim_map, lease)):
            git, timeout = project.repository.git, project.config.push_timeout
            remote.push(git, project.base.remote, ref, ref, old=None, timeout=timeout)
            given.append(GivenUp(lease.task, branch=ref.removeprefix("refs/heads/")))
        else:
            given.append(GivenUp(lease.task, give_back(project, lease, why)))
        project.refresh()
    if has_remote_leases(project):
        timeout = project.config.fetch_timeout
        git, where = project.repository.git, project.base.remote
        try:
            remote_beats.take_away(git, where, project.worker, timeout=timeout)
        except (RemoteUnavailable, PushRefused) as error:
            project.warn(f"{error.message}; the heartbeat is left there, and grows old")
    return given


def _complete_on(claim_map: ClaimMap, lease: Lease) -> str:
    """The local branch on which the task is complete under this claim; "" for none."""
    refs = (
        one.ref
        for one in claim_map.active_claims.get(lease.task, ())
        if one.claim == lease.claim and one.status == Status.COMPLETE
    )
    return next((ref for ref in refs if ref.startswith("refs/heads/")), "")
