"""Land by merge: bring a completed task's branch into the base (SPEC 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.app.active_claims import lost_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.other_bases import elsewhere
from ralphgit.app.base import update_base
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.conflicts import joined_merge
from ralphgit.app.evidence import reviews
from ralphgit.app.gate import landing_gate, verified_completion
from ralphgit.app.landing import base_step, merged_proof
from ralphgit.app.landing.base_step import Brought
from ralphgit.app.lifecycle import give_up, rescued_work
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.git import merge_preview, worktrees
from ralphgit.model.active_claim import Lease
from ralphgit.model.config import Config


class Landed(NamedTuple):
    commit: str
    """The base as it is now."""
    attempts: int


class Conflict(NamedTuple):
    """The branch does not merge into the base; nothing was changed."""

    paths: tuple[str, ...]


def by_merge(project: Project, lease: Lease) -> Landed | Conflict:
    """Merge HEAD into the base and move the base by compare-and-swap, as often as others win.

    The merge is made in the object store; no worktree but the base's own is touched. A claim
    that has lost meanwhile is given up, its work kept (law L7).

    First the base as it was last seen is taken for the newest: if it is not, the push says so,
    and a fetch is saved if it is. Only a push that succeeds ends that first attempt.

    What lands complete was verified just as it is (`verified_completion`), by what the base asks
    for; what the merge makes stale of that passes again (`merged_proof`); and what the base would
    become passes the gate (`landing_gate`).

    Raises: Refused (coupling, not_done, setup_failed), ClaimLost, RemoteUnavailable, PushRefused,
    NeedsPerson (concerns_wait, review_missing), GuardRefused (not_complete, unverified,
    not_landable, unsettled).
    """
    with update_base.turn(project):
        return _by_merge(project, lease)


def _by_merge(project: Project, lease: Lease) -> Landed | Conflict:
    asked: tuple[str, Config] | None = None
    proved, base = merged_proof.NOTHING, ""
    for attempt in range(1, update_base.ATTEMPTS + 1):
        # Where other machines have leases of their own, the push alone does not tell.
        unseen = attempt == 1 and bool(project.base.remote) and not elsewhere(project)
        if attempt > 1:
            project.refresh()
        if not unseen:
            synchronise(project)
        claim_map = ClaimMap(project)
        if winner := lost_claims.winner_over(claim_map, lease):
            if unseen:
                continue
            with WorktreeLock(project):
                raise give_up.lose(project, lease, winner)
        before, base, head = base, project.base.commit, project.repository.head()
        if before and not worktrees.is_ancestor(project.repository.git, before, base):
            # It was no base, whoever has said so: what was asked of it, and proved, says nothing.
            asked, proved = None, merged_proof.NOTHING
        row = project.view(head, "HEAD").by_id.get(lease.task)
        if row is None or row.claim != lease.claim or row.status == "in-progress":
            raise GuardRefused(
                f"HEAD does not end claim {lease.claim} on {lease.task}; nothing was landed",
                code="not_complete",
                hint=f"ralphgit complete {lease.task}",
            )
        promised = claim_map.base.by_id.get(lease.task)
        # Not where it stands in its file: that changes with each landing of another task.
        asks = (promised.json if promised is not None else "", project.config)
        if row.status == "complete" and asks != asked:
            verified_completion.require(project, lease, head)
            asked = asks
        done = [project.view(head, "HEAD").task(lease.task)]
        if found := landing_gate.concerns(project, done, head):
            worktree = project.repository.worktree
            branch = worktree.branch.removeprefix("refs/heads/") if worktree else ""
            raise landing_gate.concerns_wait(lease.task, found, branch or head[:12])
        reviews.require(project, head)
        made = merged(project, base, head, lease)
        if unseen and (made == base or isinstance(made, Conflict)):
            continue
        if isinstance(made, Conflict):
            return made
        if made not in (base, head):
            proved = merged_proof.prove(project, lease, head, made, proved)
            if records := merged_proof.evidence(project, lease, made, proved):
                again = merged(project, base, head, lease, records)
                made = again if isinstance(again, str) else made
        if winner := landing_gate.taken_back(project, lease, made):
            if unseen:
                continue
            with WorktreeLock(project):
                raise give_up.lose(project, lease, winner)
        if made != base:
            landing_gate.require(project, lease, made)
        if made == base or update_base.publish(project, base, made):
            project.refresh()
            rescued_work.clear_landed(project, [lease.task])
            return Landed(made, attempt)
    raise GuardRefused(
        f"{project.base.label} kept moving; {lease.task} is complete and has not landed",
        code="unsettled",
        hint="repeat the command",
    )


def merged(
    project: Project, base: str, head: str, lease: Lease,
    records: Mapping[str, bytes] | None = None,
) -> str | Conflict:  # fmt: skip
    """The commit that has both: one of the two, where that is one step, else a new merge, also
    with `records`.

    What conflicts in git and not by task, such as a title beside the status, is joined.
    """
    git = project.repository.git
    fork = worktrees.fork(git, base, head)
    if fork == head:
        return base
    if fork == base:
        if base_step.is_own(project, base, head, 1):
            return head
        tree = head
    else:
        with merge_preview.merged(project.repository, base, head, keep=True) as found:
            if not found.related:
                return Conflict(found.conflicts)
            tree = found.tree
            if found.conflicts:
                tree = joined_merge.tree(project, base, head, found)
            if not tree:
                return Conflict(found.conflicts)
    row = project.view(head, head[:12]).by_id.get(lease.task)
    brought = Brought(lease.task, lease.claim, lease.by, row.status if row is not None else "")
    note = "what the merge made stale passes again" if records else ""
    return base_step.made(project, base, head, tree, [brought], records=records, note=note)[0]
