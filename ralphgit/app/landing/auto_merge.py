"""Decide whether a forge may merge a pull request without a person (`land.auto_merge`)."""

from __future__ import annotations

from collections.abc import Sequence

from ralphgit.app.diff import record_diff
from ralphgit.app.evidence import reviews
from ralphgit.app.workspace.project import Project
from ralphgit.model.active_claim import Lease


def decided(project: Project, leases: Sequence[Lease], head: str) -> tuple[bool, tuple[str, ...]]:
    """Whether the forge is to merge `head` by itself, and, where it is not although it is asked
    for, why.

    How risky a task is counts as the base has it, and not as its worker does. What is not verified,
    or not clear, waits for a person in any case.
    """
    wanted = project.config.land_auto_merge
    if wanted == "never":
        return False, ()
    base = project.base_view
    risks = {lease.task: base.task(lease.task).risk for lease in leases if lease.task in base.by_id}
    if wanted == "low" and any(risks.get(lease.task) != "low" for lease in leases):
        return False, ()
    view = project.view(head, head[:12])
    for task in (one for one in risks if one in view.by_id):
        promised = base.task(task)
        if why := reviews.missing(project, head, view.task(task), promised, of_branch=False):
            return False, (f"{task}: {why}, so a person merges it",)
    verdict = record_diff.diff(project, head).verdict
    if verdict == record_diff.CLEAR:
        return True, ()
    return False, (f"it is not clear ({verdict}), so a person merges it: ralphgit diff",)
