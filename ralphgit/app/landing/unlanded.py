"""Find the branches of this machine whose tasks are complete and not on the base yet."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.gate import verified_completion
from ralphgit.app.landing import pull_request
from ralphgit.app.processes import verified_here
from ralphgit.app.workspace import revisions
from ralphgit.app.workspace.project import Project
from ralphgit.git import worktrees
from ralphgit.model.active_claim import ActiveClaim


def is_on_base(project: Project, branch: str) -> bool:
    """Whether the base has every commit of a branch. Raises: UsageError (bad_revision)."""
    tip, base = revisions.commit_of(project, branch), project.require_base().commit
    return tip == base or worktrees.is_ancestor(project.repository.git, tip, base)


def for_a_person(project: Project, branch: str, tasks: Sequence[str]) -> str:
    """Say why a loop leaves a branch of completed work to a person; "" where it may land it.

    Anybody can make a branch that says so, or add to one that was verified; and the agent that has
    done one task has no say in another.
    """
    tip = project.repository.refs[f"refs/heads/{branch}"].oid
    lands = f"a person lands it: ralphgit land {shlex.quote(branch)}"
    if not verified_here.is_noted(project, tip):
        return f"nothing here has verified it; {lands}"
    if len(tasks) > 1:
        return ""
    row = project.view(tip, branch).by_id[tasks[0]]
    lease = pull_request.as_recorded(row.id, row.claim, row.by, row.epoch)
    found = verified_completion.out_of_task_changes(project, lease, tip)
    return f"{found[0].message}; {lands}" if found else ""


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


def lost(claim_map: ClaimMap) -> list[ActiveClaim]:
    """The claims that local branches have completed and that somebody else has won."""
    return [
        one
        for state in claim_map.task_states.values()
        for one in state.lost
        if one.status == "complete" and one.ref.startswith("refs/heads/")
    ]
