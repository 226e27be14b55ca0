"""Which claim this worktree works on: by lease ref, else by its own note."""

from __future__ import annotations

import os

from ralphgit.app import heartbeat, runtime
from ralphgit.app.lookaround import Situation
from ralphgit.app.project import Project
from ralphgit.model.flight import Lease


def open_claims(project: Project, situation: Situation) -> list[Lease]:
    """The claims of this worktree that have not ended, also ones that have lost.

    A claim has ended when this worktree, or a branch, has the task complete, blocked or
    given back under it.
    """
    top = os.path.realpath(project.top)
    here = project.here.by_id
    own = [
        lease
        for lease in situation.leases.values()
        if os.path.realpath(lease.worktree) == top and lease.host == heartbeat.host()
    ]
    noted = runtime.remembered(project.top)
    if noted is not None and all(lease.claim != noted.claim for lease in own):
        row = here.get(noted.task)
        if row is not None and row.claim == noted.claim:
            own.append(noted)
    return [lease for lease in own if not _ended(situation, lease)]


def _ended(situation: Situation, lease: Lease) -> bool:
    row = situation.project.here.by_id.get(lease.task)
    if row is not None and row.claim == lease.claim:
        return row.status != "in-progress"
    if row is not None and row.epoch > lease.epoch:
        return True
    return any(
        flight.claim == lease.claim and flight.kind == "branch" and flight.status != "in-progress"
        for flight in situation.flights.get(lease.task, ())
    )
