"""Find leases and claims that contradict the base or this worktree."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ralphgit.app.active_claims import own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap, read_leases
from ralphgit.app.active_claims.other_bases import lease_place
from ralphgit.app.base import unfinished_claims
from ralphgit.app.doctor.finding_kinds import Finding, fixable
from ralphgit.app.workspace import heartbeat, refused_refs, runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import BRANCHES, TASK_BRANCHES
from ralphgit.git import refs
from ralphgit.git.run_git import make_room
from ralphgit.model.active_claim import RESCUE, Lease
from ralphgit.rules import lost_claim


def of_refused_refs(project: Project, fix: bool) -> Iterator[Finding]:
    if said := refused_refs.said(project):
        if fix:
            refused_refs.forget(project)
        yield fixable("refused_refs", "warning", said, fix)


def of_refs_in_the_way(project: Project) -> Iterator[Finding]:
    """Find the refs that are where a folder of ours has to be."""
    folders = (BRANCHES, f"{TASK_BRANCHES}records/", f"{RESCUE}TASK/", lease_place(project))
    for name in project.repository.refs:
        blocks = next((folder for folder in folders if folder.startswith(f"{name}/")), "")
        if name.startswith(RESCUE) and "/" not in name.removeprefix(RESCUE):
            blocks = f"{name}/"
        if blocks:
            said = f"{name} leaves no room for what is kept below {blocks}"
            yield Finding("ref_in_the_way", "error", said, make_room(name))


def of_leases(project: Project, claim_map: ClaimMap, fix: bool) -> Iterator[Finding]:
    known = read_leases(project)
    unfinished = {one.task: one for one in unfinished_claims.found(project, claim_map)}
    for one in unfinished.values():
        said = one.sentence(project)
        yield Finding("unfinished_claim", "warning", said, one.hint)
    place, every = lease_place(project), project.repository.refs
    if not (ours := {name: ref for name, ref in every.items() if name.startswith(place)}):
        return
    from ralphgit.app.active_claims import leases, recovery_commands

    for name, ref in ours.items():
        task = name.removeprefix(place)
        lease = known.get(task)
        if lease is None:
            if fix:
                refs.swap(project.repository.git, name, new="", old=ref.oid)
            yield fixable(
                "bad_lease", "error", f"{name} does not hold a lease that can be read", fix
            )
        elif task in claim_map.removed:
            gone = claim_map.removed[task]
            idle = lease.host == heartbeat.host() and not os.path.isdir(lease.worktree)
            if idle and fix:
                leases.drop(project, lease)
            said = gone.sentence(project.base.label)
            if idle:
                yield fixable("removed_task", "warning", said, fix)
            else:
                yield Finding("removed_task", "warning", said, gone.hint(project))
        elif lost_claim.is_overtaken(lease, claim_map.base.known(task)):
            if fix:
                leases.drop(project, lease)
            message = f"the lease of {lease.by} on {task} is no longer needed"
            yield fixable("dead_lease", "advice", message, fix)
        elif lease.host == heartbeat.host() and task not in unfinished:
            if not os.path.isdir(lease.worktree):
                what = "is gone"
            elif not os.path.lexists(os.path.join(lease.worktree, ".git")):
                what = "is no longer a worktree (.git is missing)"
            else:
                continue
            message = f"{task} is claimed by {lease.by}, whose worktree {lease.worktree} {what}"
            yield Finding(
                "stale_lease", "error", message, recovery_commands.reset_command(project, task)
            )


def of_claims(project: Project, claim_map: ClaimMap, fix: bool) -> Iterator[Finding]:
    if project.repository.top is None:
        return
    for lease in own_claims.open_claims(project, claim_map):
        yield from _of_claim(project, claim_map, lease)
    noted = runtime_files.remembered(project.top)
    row = claim_map.base.known(noted.task) if noted else None
    if noted and row and row.status == "complete" and row.claim == noted.claim:
        if fix:
            runtime_files.forget(project.top)
        message = f"{runtime_files.CURRENT} notes {noted.task}, which has landed"
        yield fixable("old_note", "advice", message, fix)


def _of_claim(project: Project, claim_map: ClaimMap, lease: Lease) -> Iterator[Finding]:
    from ralphgit.app.active_claims import lost_claims  # many worktrees have no claim
    from ralphgit.app.lifecycle import claim_errors

    row = project.here.by_id.get(lease.task)
    winner = lost_claims.winner_over(claim_map, lease)
    if winner or lost_claim.is_overtaken(lease, claim_map.base.known(lease.task)):
        message = f"this worktree's claim on {lease.task} no longer stands"
        message += f": {claim_errors.lost_because(winner)}" if winner else ""
        yield Finding("claim_lost", "error", message, f"ralphgit complete {lease.task}")
    elif row is None or row.claim != lease.claim:
        message = f"this worktree has claimed {lease.task}, but its files do not have the claim"
        yield Finding("record_missing", "warning", message, f"ralphgit claim {lease.task}")
