"""Find the claims of this worktree: by lease ref, else by its own note."""

from __future__ import annotations

import json
import os
from enum import StrEnum

from ralphgit.app.active_claims.claim_map import ClaimMap, marked
from ralphgit.app.workspace import heartbeat, runtime_files
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.model.active_claim import Lease
from ralphgit.model.task_status import Status


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
