"""Bring to the base's remote what was committed on the local base branch itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ralphgit.app.workspace.project import Project
from ralphgit.errors import RalphError

if TYPE_CHECKING:
    from ralphgit.app.base.records_in_review import InReview


def share(project: Project, task: str) -> InReview | None:
    """Land the commit on `task` that this worktree has just made on the local base branch.

    Nothing is done where another branch is checked out, where there is no remote, or where more
    than that commit is ahead of it. Returns what is in review, where the base is not pushed to: the
    local base branch is where its remote is then. What keeps it from landing is a warning.
    """
    base, worktree = project.base, project.repository.worktree
    if not base.remote or worktree is None or worktree.branch != f"refs/heads/{base.branch}":
        return None
    project.refresh()
    if project.local_base_ahead() != 1:
        return None
    # The gate, the diff and the forges: rarely needed after `block` and `release`.
    from ralphgit.app.landing import land_records

    try:
        found = land_records.land(project, base.branch, push=True, fetch=False)
    except RalphError as error:
        project.warn(f"{task} is so on the local {base.branch} only: {error.message}")
        return None
    finally:
        project.refresh()
    return found.pull if isinstance(found, land_records.RecordsInReview) else None
