"""Find the claims of this worktree: by lease ref, else by its own note."""

from __future__ import annotations

import json
import os
from enum import StrEnum

from ralphgit.app.active_claims.claim_map import ClaimMap, marked
from ralphgit.app.active_claims.other_bases import has_remote_leases
from ralphgit.app.workspace import heartbeat, runtime_files, taken_back
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.git import worktrees
from ralphgit.model.active_claim import Lease
from ralphgit.model.task_status import Status
from ralphgit.rules import lost_claim
from ralphgit.rules.contract_digest import keeps
from ralphgit.rules.lost_claim import Cause, Winner


def open_claims(project: Project, claim_map: ClaimMap) -> list[Lease]:
    """The claims of this worktree that have not ended, also ones that have lost.

    A claim has ended when this worktree, or a branch, has the task complete, blocked or
    given back under it.
    """
    own = leased(project, claim_map)
    noted = remembered(project)
    if noted is not None and all(lease.claim != noted.claim for lease in own):
        row = project.here.known(noted.task)
        if row is not None and row.claim == noted.claim:
            own.append(noted)
    return [lease for lease in own if not _ended(claim_map, lease)]


def remembered(project: Project) -> Lease | None:
    """The claim that this worktree noted last; None without one that can be read."""
    noted = runtime_files.remembered(project.top)
    return marked(project, noted) if noted is not None else None


def leased(project: Project, claim_map: ClaimMap) -> list[Lease]:
    """The leases of this worktree, also of claims that have ended.

    A lease is this worktree's by the note that travels with the folder, else by its path and
    branch: another worktree may have been made where the holder's was.
    """
    top = os.path.realpath(project.top)
    noted = runtime_files.remembered(project.top)
    worktree = project.repository.worktree
    branch = worktree.branch.removeprefix("refs/heads/") if worktree else ""
    found = []
    for lease in claim_map.leases.values():
        if lease.host != heartbeat.host():
            continue
        here = os.path.realpath(lease.worktree) == top
        known = noted is not None and noted.claim == lease.claim
        if known or (here and (noted is not None or branch == lease.branch)):
            found.append(lease)
    return found


def _ended(claim_map: ClaimMap, lease: Lease) -> bool:
    row = claim_map.project.here.known(lease.task)
    if row is not None and row.claim == lease.claim:
        return row.status != "in-progress"
    if row is not None and row.epoch > lease.epoch:
        return True
    return any(
        active.claim == lease.claim and active.kind == "branch" and active.status != "in-progress"
        for active in claim_map.active_claims.get(lease.task, ())
    )


def winner_over(claim_map: ClaimMap, mine: Lease, *, head: str = "") -> Winner | None:
    """Who has taken the task from under `mine`, as far as it can be seen; None while it holds.

    `head` is the commit with its work; "" is HEAD of this worktree.
    """
    row, lease = claim_map.base.known(mine.task), claim_map.leases.get(mine.task)
    found = lost_claim.winner_over(mine, row, lease, base=claim_map.project.base.label)
    if found is not None and found.cause is Cause.LEASED:
        if _is_recorded(claim_map, found):
            return found._replace(where=claim_map.project.show_path(found.where))
        found = None
    return found or withdrawn(claim_map, (mine.task, mine.claim, mine.base), head)


def _is_recorded(claim_map: ClaimMap, winner: Winner) -> bool:
    """Whether anything but the lease has the claim: a ref alone, which anybody can write, takes
    no task. Of other machines there may be nothing but their lease.
    """
    if has_remote_leases(claim_map.project):
        return True
    claims = claim_map.active_claims.get(winner.task, ())
    return any(one.claim == winner.claim and one.kind != "lease" for one in claims)


def asked_anew(claim_map: ClaimMap, mine: Lease) -> Winner | None:
    """Whether the base asks for something else than the claim `mine`, or what it has accepted
    since; a loop then begins again, and a worker by hand may accept it.
    """
    project, base = claim_map.project, claim_map.base
    here = project.here.by_id.get(mine.task)
    if mine.task not in base.by_id:
        return None
    recorded = here is not None and here.claim == mine.claim
    promised, title = base.task(mine.task), here.title if here is not None else ""
    digest = here.contract if here is not None and recorded else mine.contract
    if keeps(promised, digest, title) or keeps(promised, mine.contract, title):
        return None
    return Winner(mine.task, Cause.ASKED_ANEW, base.label)


def withdrawn(claim_map: ClaimMap, mine: tuple[str, str, str], head: str) -> Winner | None:
    """What the base's history says against a claim, though no other claim has replaced it.

    `mine` is its task, its id, and the commit that it was made from.

    Merging would bring back what was taken out of the base (law L12).
    """
    task, claim, begun_at = mine
    project, base = claim_map.project, claim_map.project.base
    row = claim_map.base.known(task)
    is_new = row is not None and row.claim != claim
    if is_new and (taken := taken_back.of(project, task, claim, begun_at)):
        return Winner(task, Cause.TAKEN_BACK, base.label, taken_back=taken)
    head = head or project.repository.known_head
    if taken_back.has_gone(project, head):
        return Winner(task, Cause.REWRITTEN, base.label)
    if not begun_at or base.commit.startswith(begun_at):
        return None
    begun = project.repository.objects.resolve([f"{begun_at}^{{commit}}"])[0]
    if begun is None or not head:
        return None
    git = project.repository.git
    if not worktrees.is_ancestor(git, begun, base.commit):
        if worktrees.is_ancestor(git, begun, head):
            return Winner(task, Cause.REWRITTEN, base.label)
        return None
    if row is None:
        from ralphgit.app.active_claims import removed_tasks

        if not removed_tasks.was_on_base(project, task, begun):
            return None
        now = removed_tasks.renamed(project, claim_map.base, task, begun)
        return Winner(task, Cause.REMOVED, base.label, now=now)
    if row.claim == claim:
        return None
    fork = worktrees.fork(git, base.commit, head)
    there = project.view(fork, fork[:12]).by_id.get(task) if fork else None
    if there is not None and there.claim == claim:
        return Winner(task, Cause.TAKEN_BACK, base.label)
    return None


def end_of(view: GraphView, lease: Lease) -> Status | None:
    """Whether the task is complete or blocked in a view under this very claim; None if neither."""
    row = view.known(lease.task)
    if row is None or row.claim != lease.claim or row.status not in ("complete", "blocked"):
        return None
    return Status(row.status)


class WayOut(StrEnum):
    """How a task is given up by its own holder."""

    BLOCKED = "blocked"
    RELEASED = "released"


def given_up(view: GraphView, lease: Lease) -> WayOut | None:
    """How somebody has given the task up in a view, this claim being the last; None for not."""
    row = view.by_id.get(lease.task)
    if row is None:
        return None
    if (row.claim, row.status) == (lease.claim, "blocked"):
        return WayOut.BLOCKED
    reset = json.loads(row.json).get("reset") or {}
    released = row.epoch > lease.epoch and reset.get("claim") == lease.claim
    return WayOut.RELEASED if released else None
