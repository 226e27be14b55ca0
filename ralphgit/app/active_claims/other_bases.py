"""Part what is in flight for this base from what is for another: a release branch has its own.

A claim for a base that is not the usual one names it (`base_branch`), and its lease has a place of
its own. The usual base is the one of who sets nothing: as committed, else the remote's HEAD.
"""

from collections.abc import Iterable, Mapping

from ralphgit.app.workspace.project import Project
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.task_row import Row

#: Leases on tasks of the usual base; then those of others, below the name of each.
_USUAL, _OTHERS = "refs/ralph/leases/", "refs/ralph/base-leases/"
#: The remote's leases as they were last fetched, below the remote's name.
_USUAL_THERE, _OTHERS_THERE = "refs/ralph/elsewhere/", "refs/ralph/elsewhere-bases/"


def lease_place(project: Project) -> str:
    """The folder of refs in which the leases for this base are."""
    return f"{_OTHERS}{project.other_base}/" if project.other_base else _USUAL


def lease_places(project: Project) -> tuple[str, ...]:
    """The same, and where versions that knew one place for all have put them."""
    return tuple(dict.fromkeys((_USUAL, lease_place(project))))


def elsewhere(project: Project) -> str:
    """Where the remote's leases are kept here; "" where there are none to keep."""
    remote = project.base.remote
    if not has_remote_leases(project):
        return ""
    other = project.other_base
    return f"{_OTHERS_THERE}{remote}/{other}/" if other else f"{_USUAL_THERE}{remote}/"


def has_remote_leases(project: Project) -> bool:
    """Whether leases are on the remote: wanted, and not known to be declined there."""
    if project.config.lease != "remote" or not project.base.remote:
        return False
    from ralphgit.app.workspace import refused_refs

    return not refused_refs.is_noted(project)


class OwnBase:
    """Which claims are for the base that this command judges by."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._usual: dict[str, bool] = {}

    def has(self, named: str, begun: str) -> bool:
        """Whether a claim is for it that names the base `named`, and was made from `begun`.

        One that names none is for the usual base, or was made for another one before claims had a
        name for it: then what it was made from is not in the usual base.
        """
        if named:
            return named == self._project.base.branch
        if not self._project.other_base or not begun:
            return True
        if begun not in self._usual:
            from ralphgit.git import worktrees

            objects, usual = self._project.repository.objects, self._project.usual_base.commit
            commit = objects.resolve([f"{begun}^{{commit}}"])[0]
            git = self._project.repository.git
            known = bool(commit and usual) and worktrees.is_ancestor(git, commit or "", usual)
            self._usual[begun] = known
        return not self._usual[begun]

    def counts(self, row: Row) -> bool:
        return self.has(base_of(row), row.base)


def base_of(row: Row) -> str:
    """The base that the claim of a task names; "" for the usual one."""
    text = row.json
    if '"base_branch"' not in text:
        return ""
    import json

    claim = json.loads(text).get("claim")
    return str(claim.get("base_branch") or "") if isinstance(claim, dict) else ""


def without_bases(
    project: Project, found: Iterable[tuple[ActiveClaim, Row]], branches: Mapping[str, str]
) -> list[ActiveClaim]:
    """What branches and worktrees have in flight for this base: nothing of other bases themselves.

    A branch is a base if it is the usual one, or if a claim names it. `branches` are those that
    worktrees are on, by path.
    """
    own, seen = OwnBase(project), [*found]
    bases = {project.usual_base.branch, *(base_of(row) for _, row in seen)} - {project.base.branch}
    return [
        active for active, row in seen
        if own.counts(row)
        and _short(project, active.ref or branches.get(active.path, "")) not in bases
    ]  # fmt: skip


def _short(project: Project, ref: str) -> str:
    """A branch's name, of a remote's without the remote's."""
    if not ref.startswith("refs/remotes/"):
        return ref.removeprefix("refs/heads/")
    name = ref.removeprefix("refs/remotes/")
    remote = project.base.remote
    if remote and name.startswith(f"{remote}/"):
        return name.removeprefix(f"{remote}/")
    return name.partition("/")[2]
