"""Find the branches of this machine whose tasks are complete and not on the base yet."""

from __future__ import annotations

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace import revisions
from ralphgit.app.workspace.project import Project
from ralphgit.git import worktrees


def is_on_base(project: Project, branch: str) -> bool:
    """Whether the base has every commit of a branch. Raises: UsageError (bad_revision)."""
    tip, base = revisions.commit_of(project, branch), project.require_base().commit
    return tip == base or worktrees.is_ancestor(project.repository.git, tip, base)


def branches(claim_map: ClaimMap, *, by: str = "") -> dict[str, tuple[str, ...]]:
    """The local branches with completed tasks that can still land, each with those tasks.

    `by`: only those of this worker. Of two names of one commit one counts.
    """
    project, base = claim_map.project, claim_map.base.by_id
    found: dict[str, list[str]] = {}
    for task, active_claims in claim_map.active_claims.items():
        row = base.get(task)
        for one in active_claims:
            if one.kind != "branch" or one.status != "complete" or (by and one.by != by):
                continue
            over = row is not None and (row.epoch > one.epoch or row.status == "complete")
            local = one.ref.startswith("refs/heads/")
            if local and not over and one.ref != f"refs/heads/{project.base.branch}":
                found.setdefault(one.ref, []).append(task)
    by_tip = {project.repository.refs[ref].oid: ref for ref in sorted(found, reverse=True)}
    return {ref.removeprefix("refs/heads/"): tuple(found[ref]) for ref in sorted(by_tip.values())}
