"""Open a pull request for each of several branches: `land` where the base is reached by them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from ralphgit.app.base.fetch import synchronise
from ralphgit.app.forge import open_pull_request, places
from ralphgit.app.gate import landing_gate
from ralphgit.app.integration import plan as integrating
from ralphgit.app.integration.integrate import Stop, not_ready
from ralphgit.app.integration.plan import Plan
from ralphgit.app.landing import merge, pull_request
from ralphgit.app.landing.merge import Conflict
from ralphgit.app.workspace import tracked_pull_requests
from ralphgit.app.workspace.project import Project
from ralphgit.git import worktrees
from ralphgit.model.pull_request import Pull, PullState
from ralphgit.model.task_status import Status
from ralphgit.rules.integration_order import Branch


class BranchInReview(NamedTuple):
    branch: str
    """As it is called here."""
    pushed_as: str
    tasks: tuple[str, ...]
    commit: str
    url: str
    """Of the pull request; "" where it is not known, or in a dry run."""
    said: tuple[str, ...] = ()

    def stored(self) -> dict[str, object]:
        """As JSON output has it."""
        return {**self._asdict(), "tasks": list(self.tasks), "url": self.url or None,
                "said": list(self.said)}  # fmt: skip


class Reviewed(NamedTuple):
    """The result of `open_all`."""

    plan: Plan
    opened: tuple[BranchInReview, ...]
    stops: tuple[Stop, ...]


def open_all(
    project: Project,
    branches: Sequence[str],
    *,
    but: Collection[str] = (),
    dry_run: bool = False,
    fetch: bool = True,
    rest: bool = False,
) -> Reviewed:
    """Push each branch and open its pull request, in the order in which they can be merged.

    Done again, it does what is missing and nothing twice. A branch that is not ready stops all of
    it before anything is done; with `rest` it is left out, and so is one that conflicts with the
    base, or stands on another that has to land first. Nothing is done for those in `but`.

    Raises: UsageError, NeedsPerson (untrusted, forge_login), GuardRefused (no_remote, no_forge,
    branch_taken, unsettled), RemoteUnavailable, PushRefused,
    RalphError (no_push_options, forge_failed).
    """
    open_pull_request.refuse_unfit(project)
    if fetch and not dry_run:
        synchronise(project)
    plan = integrating.plan(project, branches)
    unready = [stop for stop in (not_ready(plan, one) for one in plan.branches) if stop is not None]
    if unready and not (dry_run or rest):
        return Reviewed(plan, (), tuple(unready))
    left = {stop.branch for stop in unready}.union(but)
    opened: list[BranchInReview] = []
    stops = unready
    for branch in plan.branches:
        if branch.name in left:
            continue
        planned = {task for one in opened for task in one.tasks} if dry_run else set()
        made = _open(project, plan, branch, planned, dry_run=dry_run)
        if isinstance(made, Stop):
            stops.append(made)
        else:
            opened.append(made)
    return Reviewed(plan, tuple(opened), tuple(stops))


def _open(
    project: Project, plan: Plan, branch: Branch, planned: set[str], *, dry_run: bool
) -> BranchInReview | Stop:
    own = {row.id for row in branch.rows}
    below = [task for task in plan.reconciled[branch.name].tasks if task not in own]
    lower = _lower(project, below, branch.commit)
    if below and not lower and not planned.issuperset(below):
        waits = f"{branch.name} stands on {', '.join(below)}, and lands after it"
        return Stop("stacked", branch.name, "", (), None, waits)
    view, head = project.view(branch.commit, branch.name), branch.commit
    rows = [view.row(row.id) for row in branch.rows]
    claims = [
        pull_request.as_recorded(row.id, row.claim, row.by, row.epoch, row.base) for row in rows
    ]
    made = merge.merged(project, project.base.commit, head, claims[0])
    if isinstance(made, Conflict):
        base, paths = project.base.label, made.paths
        said = f"{branch.name} conflicts with {base} in {', '.join(paths)}"
        return Stop("conflict", branch.name, base, paths, None, said)
    for one in landing_gate.problems(project, made):
        said = f"{branch.name} as merged does not pass the gate: {one.message} [{one.code}]"
        return Stop("invalid", branch.name, "", (one.file,), None, said)
    name = pull_request.branch_of(project, claims[0], f"refs/heads/{branch.name}")
    tasks = tuple(claim.task for claim in claims)
    if dry_run:
        return BranchInReview(branch.name, name, tasks, head, "")
    request = pull_request.request(project, claims, head, name, base=lower)
    done = open_pull_request.publish(project, request)
    return BranchInReview(branch.name, name, tasks, head, done.url, done.said)


def _lower(project: Project, tasks: Sequence[str], commit: str) -> str:
    """The branch whose pull request has all these tasks, and which `commit` stands on; "" for none.

    It has to be in the base's own repository.
    """
    noted = tracked_pull_requests.everywhere(project.repository.worktrees)
    pulls = [pull for pull in noted if pull.is_at_forge and not pull.waits]
    for pull in pulls:
        own = {one.task for one in pulls if one.branch == pull.branch}
        rows = project.view(pull.commit, pull.branch).by_id
        has_all = all(task in rows and rows[task].status == Status.COMPLETE for task in tasks)
        if (
            has_all
            and own.intersection(tasks)
            and not places.fork(project, pull.branch)
            and worktrees.is_ancestor(project.repository.git, pull.commit, commit)
        ):
            return pull.branch
    return ""


def known(project: Project) -> dict[str, Pull]:
    """List the pull requests of this machine that are opened, by what was pushed for them."""
    return {
        pull.commit: pull
        for pull in tracked_pull_requests.everywhere(project.repository.worktrees)
        if pull.state != PullState.PUSHED
    }
