"""Tell where a claim is worked on from where its record has merely come along.

A branch that was made from a worker's, or a worktree with it, has the same record as the worker.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from ralphgit.app.workspace import heartbeat, runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.model.active_claim import ActiveClaim, Lease


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
