"""Decide whether a person may reset a task, and say why not."""

from __future__ import annotations

import shlex

from ralphgit.app.active_claims import remote_beats
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.remote_beats import Seen
from ralphgit.app.active_claims.stale_holders import is_silent
from ralphgit.app.lifecycle.holders import Holders
from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.errors import ClaimHeld, GuardRefused, IllegalMove
from ralphgit.model.task_row import Row

_FINISHED = ("complete", "cancelled")


def refuse(
    project: Project, claim_map: ClaimMap, row: Row, holders: Holders, *, claim: str, reopen: bool,
    force: bool,
) -> None:  # fmt: skip
    """Refuse to reset a task that another claim has by now, that nobody holds, whose work waits
    to land, or whose holder is alive; the last two not with `force`.

    Raises: ClaimHeld, IllegalMove, GuardRefused.
    """
    task_state = claim_map.task_states[row.id]
    details: dict[str, object] = {"task": row.id}
    finished = row.status in _FINISHED
    if claim and claim != holders.claim:
        raise ClaimHeld(
            f"{row.id} is not held by claim {claim}"
            + (f" but by {holders.claim} ({holders.by})" if holders.claim else ""),
            code="claim_changed",
            hint="ralphgit status",
            details=details,
        )
    if not finished and not reopen and task_state.state in ("ready", "waiting"):
        raise IllegalMove(
            f"no worker holds {row.id}: it is {task_state.state}",
            code="not_claimed",
            hint=f"ralphgit show {row.id}",
            details=details,
        )
    if reopen and not finished and not holders.claim and project.repository.top:
        here = project.here.by_id.get(row.id)
        if here is not None and here.status in _FINISHED:
            raise IllegalMove(
                f"{row.id} is {here.status} in {here.file}, which is not committed: on "
                f"{project.base.label} it is {row.status}",
                hint=f"git add {shlex.quote(here.file)} && git commit && "
                f"ralphgit reset {row.id} --reopen",
                details=details,
            )
    if force:
        return
    if task_state.state == "in-review" and task_state.holder is not None:
        raise GuardRefused(
            f"{row.id} is complete in {task_state.holder.where} and waits to land",
            code="in_review",
            hint="merge it; or add --force to give the result up",
            details=details,
        )
    if (sign := _alive_elsewhere(project, claim_map, holders)) is not None:
        raise GuardRefused(
            f"{sign.beat.worker} is alive on {sign.beat.host} (process {sign.beat.pid})",
            code="holder_alive",
            hint="stop it there first, or add --force (the audit records it)",
            details=details,
        )
    for active in holders.active_claims:
        beat = heartbeat.read(active.path) if active.path else None
        if (
            beat is not None
            and beat.claim in ("", active.claim)
            and heartbeat.alive(beat, project.around.now())
        ):
            raise GuardRefused(
                f"{active.by} is alive in {active.where} (process {beat.pid})",
                code="holder_alive",
                hint="stop it first, or add --force (the audit records it)",
                details=details,
            )


def _alive_elsewhere(project: Project, claim_map: ClaimMap, holders: Holders) -> Seen | None:
    """The holder's loop on another machine, if it beats there; None where it is silent or unknown.

    Just after a fetch that brought its first sign nothing tells a live loop from one that was
    killed an hour ago: it counts as alive until it has been seen to be silent.
    """
    if holders.lease is None or holders.lease.host == heartbeat.host():
        return None
    seen = remote_beats.of_lease(claim_map.beats, holders.lease)
    return seen if seen is not None and not is_silent(seen, project.around.now()) else None
