"""Tell who holds a task that is to be free again, and keep what they have in rescue refs."""

from __future__ import annotations

import os
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.lifecycle import rescue_refs
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.model.active_claim import ActiveClaim, Lease
from ralphgit.model.task_row import Row
from ralphgit.rules import readiness


class Holders(NamedTuple):
    """All that keeps a task from being free."""

    claim: str
    by: str
    active_claims: tuple[ActiveClaim, ...]
    lease: Lease | None


def holders_of(claim_map: ClaimMap, row: Row) -> Holders:
    """Who holds a task, as far as it can be seen here."""
    active_claims = tuple(claim_map.active_claims.get(row.id, ()))
    count, _ = readiness.in_force(row, active_claims)
    lease = claim_map.leases.get(row.id)
    holder = claim_map.task_states[row.id].holder
    held = row.claim or (holder.claim if holder else "") or (lease.claim if lease else "")
    by = row.by or (holder.by if holder else "") or (lease.by if lease else "")
    return Holders(held, by, tuple(count), lease)


def worktree_of(project: Project, claim: str) -> str:
    """The worktree whose last claim this was; "" where none remembers it."""
    for worktree in project.repository.worktrees:
        if claim and not worktree.bare and worktree.exists:
            noted = runtime_files.remembered(worktree.path)
            if noted is not None and noted.claim == claim:
                return worktree.path
    return ""


def rescue(project: Project, row: Row, holders: Holders) -> tuple[tuple[str, ...], str]:
    """Keep what the holders have and the base has not; worktrees first, then branches.

    What a lease says of a place may be anybody's word: a worktree is its holder's that knows of the
    claim, a branch that has it. Returns the refs, and the last commit that was made for one; "" if
    none was.
    """
    kept: list[str] = []
    made = ""
    done: set[str] = set()
    paths = [one.path for one in holders.active_claims if one.path and one.kind != "lease"]
    # Blocking gives the lease back, and where the block has landed there is no active claim.
    if path := worktree_of(project, holders.claim):
        paths.append(path)
    for path in dict.fromkeys(map(os.path.realpath, paths)):
        mine = next(
            (f for f in holders.active_claims if os.path.realpath(f.path or "/") == path), None
        )
        identity = mine.claim if mine else holders.claim
        if os.path.isdir(path):
            worktree = next(
                (w for w in project.repository.worktrees if os.path.realpath(w.path) == path), None
            )
            if worktree is None:
                continue
            if not worktree.exists:
                project.warn(
                    f"{project.show_path(path)} is no longer a worktree (.git is missing); what "
                    "was not committed there is left as it is"
                )
                continue
            found = rescue_refs.worktree(project, path, row.id, identity, holders.by)
            done.add(worktree.branch)
            made = found.made or made
            if found.ref:
                kept.append(found.ref)
    for name, ref in project.repository.refs.items():
        if (
            not name.startswith("refs/heads/")
            or name in done
            or name == f"refs/heads/{project.base.branch}"
        ):
            continue
        if any(active.ref == name for active in holders.active_claims):
            found = rescue_refs.commit(project, ref.oid, row.id, holders.claim)
            if found.ref:
                kept.append(found.ref)
    return tuple(dict.fromkeys(kept)), made
