"""Say that the local base branch has what its remote, which decides, has not."""

from __future__ import annotations

from ralphgit.app.workspace.project import Project
from ralphgit.model.printable import counted


def warn_if_ahead(project: Project) -> None:
    """Warn where the local base branch is ahead of its remote, with the command that ends it."""
    ahead, base = project.local_base_ahead(), project.base
    if ahead:
        decides, command = "decides", _command(project)
        if not _is_above(project):
            decides, command = "decides, and has moved on", "ralphgit doctor"
        project.warn(
            f"the local {base.branch} is {counted(ahead, 'commit')} ahead of {base.label}, which "
            f"{decides}: {command}"
        )


def _command(project: Project) -> str:
    import shlex  # seldom needed, and slow to import

    from ralphgit.app.landing import land_records

    base = project.base
    if land_records.changes(project, base.branch):
        return f"ralphgit land {shlex.quote(base.branch)}"
    return shlex.join(("git", "push", base.remote, base.branch))


def _is_above(project: Project) -> bool:
    from ralphgit.git import worktrees

    local = project.repository.refs[f"refs/heads/{project.base.branch}"].oid
    return worktrees.is_ancestor(project.repository.git, project.base.commit, local)
