"""Judge what the base would become, before it moves: one gate for every way to land."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ralphgit.app.active_claims import own_claims
from ralphgit.app.gate import branch, changed_links, planned_work, settings_changes, words_of_others
from ralphgit.app.gate.problem import Problem, not_landable
from ralphgit.app.gate.state import state
from ralphgit.app.workspace import record_tree
from ralphgit.app.workspace.project import Project
from ralphgit.errors import AwaitsPerson
from ralphgit.model.active_claim import Lease
from ralphgit.model.task import Task
from ralphgit.rules.lost_claim import Cause, Winner

#: Asked for apart: a review is of the branch as it is, and not of what merging makes of it.
_ELSEWHERE = ("review_missing",)


def problems(project: Project, result: str) -> list[Problem]:
    """Find the errors that the commit `result`, which is to be the base, brings to the base.

    As `check --base` finds them of a branch; what the base itself has wrong is not among them.

    Raises: InvalidRecord.
    """
    found = errors_across(project, project.base.commit, result)
    return [one for one in found if one.code not in _ELSEWHERE]


def errors_across(project: Project, old: str, new: str) -> list[Problem]:
    """Find the errors that the commit `new` has, and `old` has not. Raises: InvalidRecord."""
    found = branch.across(project, old, new, whole=False)
    errors = [one for one in found if one.severity == "error"]
    if not errors:
        return []
    tree = record_tree.commit_tree(project, old)
    known = {(one.code, one.task, one.message) for one in state(project, tree, only=())}
    return [one for one in errors if (one.code, one.task, one.message) not in known]


def require(project: Project, lease: Lease, result: str) -> None:
    """Refuse to land the commit `result` if the gate finds errors in it.

    Raises: GuardRefused (not_landable), InvalidRecord.
    """
    if found := problems(project, result):
        raise not_landable(
            found, f"{lease.task} as merged into {project.base.label} does not pass the gate",
            f"ralphgit check --base {shlex.quote(project.base.label)}", task=lease.task,
        )  # fmt: skip


def concerns(project: Project, tasks: Sequence[Task], head: str) -> list[str]:
    """List for what `tasks`, as `head` completes them, wait for a person: the concerns with which
    they were completed, safety settings that they change, what they plan beyond themselves, links
    that may lead to what judges, and what they bring in the name of others.

    Of concerns none where the base has the completion, or with `land.concerns`.
    """
    found = settings_changes.of_work(project, tasks, head)
    found += planned_work.of_work(project, tasks, head)
    found += changed_links.of_work(project, tasks, head)
    found += words_of_others.of_work(project, tasks, head)
    base = project.base_view.by_id
    for task in () if project.config.land_concerns else tasks:
        result, known = task.lifecycle.result, base.get(task.id)
        landed = known is not None and result is not None and known.mark == result.id
        if result is not None and result.outcome == "done_with_concerns" and not landed:
            found += [f"{task.id}: {one}" for one in result.concerns or ("done with concerns",)]
    return found


def concerns_wait(task: str, found: Sequence[str], branch: str) -> AwaitsPerson:
    """Make the error for work that a person has to look at before it lands."""
    return AwaitsPerson(
        f"{task} was completed with concerns, so a person decides whether it lands; "
        "nothing was landed",
        code="concerns_wait",
        hint=f"ralphgit land {shlex.quote(branch)} --accept-concerns",
        details={"task": task, "concerns": list(found)},
        lines=[
            *(f"- {one}" for one in found),
            "whoever decides types the command below; its worker claims another task",
        ],
    )


def taken_back(project: Project, lease: Lease, result: str) -> Winner | None:
    """What keeps `result` from having the task ended under this claim: the base took it back.

    None where `result` has it: only then may it be said to have landed.
    """
    if own_claims.end_of(project.view(result, result[:12]), lease) is not None:
        return None
    return Winner(lease.task, Cause.TAKEN_BACK, project.base.label)
