"""Find the claims whose task the base had when they were made, and has not any more."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.git import worktrees
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.task_row import Row
from ralphgit.rules import renames


class RemovedTask(NamedTuple):
    """A task that the base has lost while somebody works on it."""

    claims: tuple[ActiveClaim, ...]
    """Where its claim is, the holder's place first."""
    now: str
    """The id under which the base has it; "" where it was removed."""

    @property
    def is_complete(self) -> bool:
        """Whether its work has ended, so that nobody goes on with it under the new id."""
        return any(one.status == "complete" for one in self.claims)

    def sentence(self, label: str) -> str:
        one = self.claims[0]
        what = f"it is {self.now} there now" if self.now else "it was removed or renamed there"
        return f"{one.by} works on {one.task} in {one.where}, and {label} has it no longer: {what}"

    def hint(self, project: Project) -> str:
        """The command that ends the claim, and keeps the work."""
        import shlex

        one = self.claims[0]
        if not os.path.isdir(one.path):
            return "ralphgit doctor --fix"
        here = os.path.realpath(one.path) == os.path.realpath(project.repository.top or "")
        place = "" if here else f"-C {shlex.quote(project.show_path(one.path))} "
        land = " --land" if self.is_complete else ""
        return f"ralphgit {place}complete {one.task}{land}"


def found(
    project: Project, base: GraphView, active_claims: Mapping[str, Sequence[ActiveClaim]]
) -> dict[str, RemovedTask]:
    """Find them, by their old ids, where somebody has a lease or a worktree with the claim.

    A task that a branch has added is none, nor is one that was done before the base removed it.
    """
    gone = {}
    for task, claims in active_claims.items():
        one = claims[0]
        if base.known(task) is not None or not any(map(_is_held, claims)):
            continue
        if was_on_base(project, task, one.base):
            gone[task] = RemovedTask(tuple(claims), renamed(project, base, task, one.base))
    return gone


def _is_held(active: ActiveClaim) -> bool:
    return active.kind == "lease" or bool(active.path and active.status == "in-progress")


def was_on_base(project: Project, task: str, begun: str) -> bool:
    """Whether the commit `begun`, which is in the base's history, has the task."""
    before = _view(project, begun)
    return before is not None and task in before.by_id


def is_inherited(project: Project, commit: str, row: Row) -> bool:
    """Whether a commit has a task just as the base had it where the two last met: its claim, and
    what came of it, are the base's and not the commit's.
    """
    fork = worktrees.fork(project.repository.git, project.base.commit, commit)
    before = _view(project, fork)
    then = before.by_id.get(row.id) if before is not None else None
    return then is not None and then.stage == row.stage


def renamed(project: Project, base: GraphView, task: str, begun: str) -> str:
    """The id that the base has given a task since the commit `begun`; "" for none."""
    before = _view(project, begun)
    if before is None or task not in before.by_id:
        return ""
    later = {row.id: row for row in base.rows if row.id not in before.by_id}
    return renames.renamed({task: before.by_id[task]}, later).get(task, "")


def _view(project: Project, begun: str) -> GraphView | None:
    commit = project.repository.objects.resolve([f"{begun}^{{commit}}"])[0] if begun else None
    if commit is None:
        return None
    if not worktrees.is_ancestor(project.repository.git, commit, project.base.commit):
        return None
    try:
        return project.view(commit, begun)
    except InvalidRecord:
        return None
