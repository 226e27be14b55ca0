"""Take back the tasks of loops in other clones that have given no sign for `lease.expiry`.

No silence proves a death. So the task is reset, as a person would, and then free: the reset raises
its epoch on the base, and what the old holder lands later conflicts with it (law L3).
"""

from __future__ import annotations

from collections.abc import Iterator

from ralphgit.app.active_claims import remote_beats
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.other_bases import lease_places
from ralphgit.app.lifecycle.holders import Holders
from ralphgit.app.lifecycle.reset import Reopened, Reopening, back_to_pending
from ralphgit.app.workspace.project import Project
from ralphgit.errors import IllegalMove
from ralphgit.model.active_claim import Lease
from ralphgit.model.printable import duration
from ralphgit.model.task_row import Row


def every(project: Project, claim_map: ClaimMap) -> Iterator[tuple[Lease, float]]:
    """The leases that have expired, and for how many seconds their holders have been silent."""
    for lease in claim_map.leases.values():
        if _is_own(project, lease) or lease.task not in claim_map.task_states:
            continue
        silent = _silence(project, claim_map, lease)
        holder = claim_map.task_states[lease.task].holder
        if silent > project.config.lease_expiry and holder is not None and holder.kind == "lease":
            yield lease, silent


def _is_own(project: Project, lease: Lease) -> bool:
    """Whether a worktree of this repository has made a lease: then its ref is here, too."""
    refs = (project.repository.refs.get(place + lease.task) for place in lease_places(project))
    return any(ref is not None and ref.oid == lease.oid for ref in refs)


def _silence(project: Project, claim_map: ClaimMap, lease: Lease) -> float:
    """For how many seconds the holder has given no sign; a claim by hand gives none, and stays."""
    seen = remote_beats.of_lease(claim_map.beats, lease)
    if seen is not None:
        return project.around.now() - seen.since
    return remote_beats.lease_age(project, lease) if lease.loop else 0.0


def take_back(project: Project, lease: Lease, silent: float) -> Reopened:
    """Reset a task whose lease has expired; the lease goes.

    Raises: IllegalMove where another claim has it by now; what `back_to_pending` raises.
    """
    why = f"no sign of {lease.by} on {lease.host} for {duration(silent)}: its lease has expired"

    def decide(claim_map: ClaimMap, row: Row, holders: Holders) -> Reopening:
        if holders.claim != lease.claim:
            raise IllegalMove(
                f"{row.id} is no longer held by claim {lease.claim}",
                code="claim_changed", hint=f"ralphgit show {row.id}", details={"task": row.id},
            )  # fmt: skip
        return Reopening(
            event="reset", by=project.person, at=project.now(), reason=why, note=why, text=why,
            reopen=False,
        )  # fmt: skip

    return back_to_pending(project, lease.task, decide, push=True)
