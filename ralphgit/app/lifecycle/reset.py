"""Reset a task: keep its worker's work, and fence off a late completion."""

from __future__ import annotations

import json
import shlex
from typing import NamedTuple

from ralphgit.app.active_claims import leases, remote_beats, sightings
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.remote_beats import Seen
from ralphgit.app.base import update_base
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.lifecycle.reopen import Holders, Reopened, Reopening, reopen
from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.errors import ClaimHeld, GuardRefused, IllegalMove
from ralphgit.model.active_claim import RESCUE
from ralphgit.model.task_row import Row
from ralphgit.records import audit_file
from ralphgit.rules import lost_claim


class ResetOptions(NamedTuple):
    task: str
    reason: str = ""
    claim: str = ""
    """Only if this claim still holds the task."""
    reopen: bool = False
    force: bool = False
    """Although the holder is alive, or its finished work waits to land."""
    push: bool = True
    fetch: bool = True


_NO_REASON = "no reason given"
_FINISHED = ("complete", "cancelled")


def reset(project: Project, options: ResetOptions) -> Reopened:
    """Put a task back to pending on the base, one epoch higher, and keep its holder's work.

    A reset that is repeated, also after a kill, is reported as done.

    Raises: GuardRefused, IllegalMove, ClaimHeld (with `claim`), UnknownTask,
    RemoteUnavailable (with require_remote), InvalidRecord, NotWritable.
    """
    said = options.reason.strip()
    options = options._replace(reason=said or _NO_REASON)
    if project.repository.linked:
        main = project.repository.worktrees[0].path
        why = ("--reason", said) if said else ()
        words = ("ralphgit", "-C", main, "reset", options.task, *why)
        raise GuardRefused(
            "a reset is made from the main worktree; your own claim you give back by: "
            f"ralphgit release {options.task}",
            code="linked_worktree",
            hint=shlex.join(words),
        )
    if options.fetch:
        synchronise(project)

    def decide(claim_map: ClaimMap, row: Row, holders: Holders) -> Reopening:
        _refuse(project, claim_map, row, holders, options)
        return Reopening(
            event="reset",
            by=project.person,
            at=project.now(),
            reason=options.reason,
            note=options.reason + (" (forced)" if options.force else ""),
            text=options.reason,
            reopen=options.reopen,
        )

    try:
        return reopen(project, options.task, decide, push=options.push)
    except (IllegalMove, ClaimHeld):
        done = _done_already(project, options)
        if done is None:
            raise
        return done


def _done_already(project: Project, options: ResetOptions) -> Reopened | None:
    """The reset that the base has, if it is this one and nobody has taken the task since.

    What was killed after the base had moved is done now: the lease goes, and a local base
    branch that was left behind is brought along.
    """
    claim_map = ClaimMap(project)
    row = claim_map.base.by_id.get(options.task)
    made = json.loads(row.json).get("reset") or {} if row is not None else {}
    if row is None or row.status != "pending" or made.get("reason") != options.reason:
        return None
    claim = str(made.get("claim") or "")
    free = claim_map.task_states[row.id].state in ("ready", "waiting")
    if not free or options.claim not in ("", claim):
        return None
    lease = claim_map.leases.get(row.id)
    if lease is not None and lease.claim == claim and lost_claim.is_dead(lease, row):
        leases.drop(project, lease)
    update_base.catch_up(project)
    project.warn(f"{row.id} was reset already for this reason; it is not reset again")
    path, base = (
        audit_file.path(project.config.records, row.id, claim or str(made["id"])),
        project.base,
    )
    commit = project.repository.git.line("log", "-1", "--format=%H", base.commit, "--", path)
    refs = project.repository.refs
    kept = tuple(ref for ref in refs if claim and ref.startswith(f"{RESCUE}{row.id}/{claim}"))
    return Reopened(row.id, claim, kept, commit or base.commit, bool(base.remote))


def _refuse(
    project: Project, claim_map: ClaimMap, row: Row, holders: Holders, options: ResetOptions
) -> None:
    task_state = claim_map.task_states[row.id]
    details: dict[str, object] = {"task": row.id}
    finished = row.status in _FINISHED
    if options.claim and options.claim != holders.claim:
        raise ClaimHeld(
            f"{row.id} is not held by claim {options.claim}"
            + (f" but by {holders.claim} ({holders.by})" if holders.claim else ""),
            code="claim_changed",
            hint="ralphgit status",
            details=details,
        )
    if not finished and not options.reopen and task_state.state in ("ready", "waiting"):
        raise IllegalMove(
            f"no worker holds {row.id}: it is {task_state.state}",
            code="not_claimed",
            hint=f"ralphgit show {row.id}",
            details=details,
        )
    if options.reopen and not finished and not holders.claim and project.repository.top:
        here = project.here.by_id.get(row.id)
        if here is not None and here.status in _FINISHED:
            raise IllegalMove(
                f"{row.id} is {here.status} in {here.file}, which is not committed: on "
                f"{project.base.label} it is {row.status}",
                hint=f"git add {shlex.quote(here.file)} && git commit && "
                f"ralphgit reset {row.id} --reopen",
                details=details,
            )
    if options.force:
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
    return seen if seen is not None and not sightings.is_silent(project, seen) else None
