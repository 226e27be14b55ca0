"""Find which side of a merge is the base's, which has landed, and which a branch's own.

git names them by where HEAD is. In a rebase HEAD is on the base: "ours" is the base's, and "theirs"
is the branch's. So the base's history decides.
"""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.workspace.project import Project
from ralphgit.git import merge_conflicts, worktrees
from ralphgit.git.merge_conflicts import UnderWay
from ralphgit.model.three_way_merge import Side


class Sides(NamedTuple):
    """The two sides of what is under way in this worktree."""

    merge: UnderWay
    ours: str
    """For people: `feature/alpha`, `main`, a commit."""
    theirs: str
    landed: Side | None
    """The one that is the base's; None if that is unknown, or neither is."""

    def name(self, side: Side) -> str:
        return self.ours if side is Side.OURS else self.theirs

    def commit(self, side: Side) -> str:
        """The commit that has all of a side's work; "" where it is not known."""
        return self.merge.ours if side is Side.OURS else self.merge.whole


def sides(project: Project) -> Sides:
    """Find the two sides. Raises: GitError where HEAD is not a commit."""
    merge = merge_conflicts.under_way(project.repository)
    landed = _landed(project, merge)
    ours, theirs = _head(project, merge), _other(project, merge)
    return Sides(merge, ours, theirs, landed)


def _landed(project: Project, merge: UnderWay) -> Side | None:
    base = f"refs/heads/{project.base.branch}"
    ours, theirs = _is_in(project, merge.onto), _is_in(project, merge.whole)
    if merge.name == "revert":
        # What is brought in is the past, not work on a task.
        return Side.OURS
    if ours != theirs:
        return Side.OURS if ours else Side.THEIRS
    if ours:
        return None
    # The local base branch may be ahead of its remote, or have gone its own way.
    worktree = project.repository.worktree
    on = merge.branch or (worktree.branch if worktree else "")
    if on == base:
        return Side.THEIRS if merge.name == "rebase" else Side.OURS
    local = project.repository.refs.get(base)
    known = {local.oid} if local else set()
    if merge.onto in known:
        return Side.OURS
    return Side.THEIRS if merge.whole in known else None


def _is_in(project: Project, commit: str) -> bool:
    """Whether the base's history has a commit."""
    base = project.base.commit
    if not commit or not base:
        return False
    return commit == base or worktrees.is_ancestor(project.repository.git, commit, base)


def _head(project: Project, merge: UnderWay) -> str:
    if merge.name == "rebase":
        return _named(project, merge.onto)
    worktree = project.repository.worktree
    branch = worktree.branch if worktree else ""
    return branch.removeprefix("refs/heads/") or _named(project, merge.ours)


def _other(project: Project, merge: UnderWay) -> str:
    if merge.name == "rebase":
        return merge.branch.removeprefix("refs/heads/") or _named(project, merge.whole)
    if merge.name == "revert":
        return "the revert"
    return _named(project, merge.theirs) if merge.theirs else "the other side"


def _named(project: Project, commit: str) -> str:
    """Name a commit: by the base or a branch that is at it, else by its short id."""
    base = project.base
    if commit == base.commit:
        return base.label
    for name, ref in project.repository.refs.items():
        branch = name.startswith(("refs/heads/", "refs/remotes/")) and not ref.symref
        if branch and ref.oid == commit:
            return name.removeprefix("refs/heads/").removeprefix("refs/remotes/")
    return commit[:12]
