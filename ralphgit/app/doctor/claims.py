"""Leases and claims that do not fit what the base or this worktree has."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ralphgit.app.active_claims import leases, own_claims
from ralphgit.app.active_claims.claim_map import LEASES, ClaimMap, read_leases
from ralphgit.app.doctor.finding_kinds import Finding
from ralphgit.app.handoff import questions
from ralphgit.app.workspace import heartbeat, runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.git import refs
from ralphgit.rules import lost_claim


def of_leases(project: Project, claim_map: ClaimMap, fix: bool) -> Iterator[Finding]:
    known = read_leases(project)
    for name, ref in project.repository.refs.items():
        if not name.startswith(LEASES):
            continue
        task = name.removeprefix(LEASES)
        lease = known.get(task)
        if lease is None:
            if fix:
                refs.swap(project.repository.git, name, new="", old=ref.oid)
            yield Finding(
                "bad_lease",
                "error",
                f"{name} holds no lease",
                "ralphgit doctor --fix",
                fixable=True,
                fixed=fix,
            )
        elif lost_claim.is_dead(lease, claim_map.base.by_id.get(task)):
            if fix:
                leases.drop(project, lease)
            yield Finding(
                "dead_lease",
                "advice",
                f"the lease of {lease.by} on {task} guards nothing any more",
                "ralphgit doctor --fix",
                fixable=True,
                fixed=fix,
            )
        elif lease.host == heartbeat.host() and not _is_worktree(lease.worktree):
            there = os.path.isdir(lease.worktree)
            what = "is no worktree any more (.git is missing)" if there else "is gone"
            yield Finding(
                "stale_lease",
                "error",
                f"{task} is held by {lease.by}, whose worktree {lease.worktree} {what}",
                questions.reset_command(project, task),
            )


def _is_worktree(path: str) -> bool:
    return os.path.isdir(path) and os.path.lexists(os.path.join(path, ".git"))


def of_claims(project: Project, claim_map: ClaimMap, fix: bool) -> Iterator[Finding]:
    if project.repository.top is None:
        return
    for lease in own_claims.open_claims(project, claim_map):
        row = project.here.by_id.get(lease.task)
        if lost_claim.is_dead(lease, claim_map.base.by_id.get(lease.task)):
            yield Finding(
                "claim_lost",
                "error",
                f"this worktree's claim on {lease.task} no longer stands",
                f"ralphgit complete {lease.task} says who has it, and keeps your work",
            )
        elif row is None or row.claim != lease.claim:
            yield Finding(
                "record_missing",
                "warning",
                f"this worktree holds {lease.task}, and its claim is not in the files",
                f"ralphgit claim {lease.task}",
            )
    noted = runtime_files.remembered(project.top)
    row = claim_map.base.by_id.get(noted.task) if noted else None
    if (
        noted is not None
        and row is not None
        and row.status == "complete"
        and row.claim == noted.claim
    ):
        if fix:
            runtime_files.forget(project.top)
        yield Finding(
            "old_note",
            "advice",
            f"{runtime_files.CURRENT} notes {noted.task}, which has landed",
            "ralphgit doctor --fix",
            fixable=True,
            fixed=fix,
        )
