"""Tell of a claim that was found on a branch, in a worktree or in a lease who has it, and where.

A branch that was made from a worker's, or a worktree with it, has the same record as the worker.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ralphgit.app.active_claims.stale_holders import is_silent, is_stale
from ralphgit.app.workspace import heartbeat, runtime_files, worktree_names
from ralphgit.app.workspace.project import Project
from ralphgit.git.listings import Worktree
from ralphgit.model.active_claim import ActiveClaim, Lease
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Outcome

if TYPE_CHECKING:
    from ralphgit.app.active_claims.remote_beats import Seen


def of_row(
    project: Project, row: Row, kind: str, where: str, worktree: Worktree | None, ref: str = ""
) -> ActiveClaim:
    """The claim that a task has on a branch or in a worktree."""
    path = worktree.path if worktree else ""
    if kind == "branch" and worktree:
        where = f"{worktree_names.shown(project, worktree.path)} ({where})"
    note, stored = (question(row), row.json) if row.status == "blocked" else ("", "")
    if row.status == "complete" and Outcome.DONE_WITH_CONCERNS in row.json:
        stored = row.json
    return ActiveClaim(
        row.id, row.status, row.claim, row.by, row.at, row.epoch, kind, where, path,
        note=note, stored=stored, ref=ref, base=row.base,
    )  # fmt: skip


def question(row: Row) -> str:
    """What a blocked task asks."""
    record = json.loads(row.json).get("blocked") or {}
    return ": ".join(filter(None, (record.get("reason"), record.get("question"))))


def of_lease(
    project: Project, lease: Lease, beats: Callable[[], Mapping[str, Seen]]
) -> ActiveClaim:
    """The claim that has a lease. `beats` gives what is known of the loops on other machines."""
    path = _whereabouts(project, lease)
    if lease.host != heartbeat.host():
        where = f"worktree {os.path.basename(lease.worktree)} on {lease.host}"
        from ralphgit.app.active_claims import remote_beats

        seen = remote_beats.of_lease(beats(), lease)
        path, stale = "", seen is not None and is_silent(seen, project.around.now())
    else:
        where = worktree_names.shown(project, path)
        stale = is_stale(project, lease, Worktree(path, "", "", False, False, False, False))
    return ActiveClaim(
        lease.task, "in-progress", lease.claim, lease.by, lease.at, lease.epoch,
        "lease", where, path, stale, base=lease.base,
    )  # fmt: skip


def _whereabouts(project: Project, lease: Lease) -> str:
    """The folder of the worktree that has a lease, also after `git worktree move`."""
    if lease.host == heartbeat.host() and not os.path.isdir(lease.worktree):
        for worktree in project.repository.worktrees:
            noted = runtime_files.remembered(worktree.path)
            if noted is not None and noted.claim == lease.claim:
                return worktree.path
    return lease.worktree


def holder_first(
    project: Project, leases: Mapping[str, Lease], claims: Sequence[ActiveClaim]
) -> list[ActiveClaim]:
    """The sightings of one task, the holder's own first; no other names a worktree as its place.

    The holder's is where its lease or its note is. Where neither is here, a branch that is named
    after the worker or the task comes before others.
    """
    if len(claims) < 2:
        return [*claims]
    homes = {claim: _home(project, leases, claim, claims) for claim in {c.claim for c in claims}}
    found = []
    for active in claims:
        home = homes[active.claim]
        away = bool(home) and bool(active.path) and not _same(active.path, home)
        if away and active.kind == "branch":
            short = active.ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")
            active = active._replace(path="", where=f"branch {short}")
        elif away and active.kind == "worktree":
            active = active._replace(path="")
        at_home = bool(home) and bool(active.path)
        named = any(
            word and word.lower() in active.ref.lower() for word in (active.by, active.task)
        )
        found.append(((not at_home, not named), active))
    return [active for _, active in sorted(found, key=lambda one: one[0])]


def _home(
    project: Project, leases: Mapping[str, Lease], claim: str, claims: Iterable[ActiveClaim]
) -> str:
    """The folder in which a claim is worked on; "" where that is unknown."""
    leased = next((one for one in claims if one.kind == "lease" and one.claim == claim), None)
    lease = leases.get(leased.task) if leased is not None else None
    if leased is not None and (lease is None or lease.host == heartbeat.host()):
        return leased.path
    for path in dict.fromkeys(one.path for one in claims if one.claim == claim and one.path):
        noted = runtime_files.remembered(path)
        if noted is not None and noted.claim == claim:
            return path
    return ""


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
