"""The branches of a loop: one for each task, from the fresh base."""

from __future__ import annotations

from ralphgit.app import runtime
from ralphgit.app.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.git import index, refs

#: Below it, `<task>-<id>`: where the loop works on a task.
PREFIX = "refs/heads/ralph/"


def refuse_dirty(project: Project) -> None:
    """Refuse to begin beside changes that nobody has claimed: they would travel along.

    Raises: GuardRefused (dirty).
    """
    git = project.repository.git
    changed = index.staged_against(git, "HEAD") + index.changed(git, ["."]).read()
    left = set(runtime.left(project.top))
    new = [path for path in index.untracked(git, ["."]) if path not in left]
    found = list(dict.fromkeys([*changed, *new]))
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise GuardRefused(
            f"this worktree has changes that belong to no claim: {found[0]}{more}; "
            "nothing was touched",
            code="dirty",
            hint="commit them, or git stash -u, then repeat",
            details={"files": found},
        )


def begin(project: Project, name: str) -> str:
    """Switch to a new branch `ralph/NAME` at the base; the branch that was left.

    Raises: GitError, NotWritable.
    """
    worktree = project.repository.worktree
    left = worktree.branch if worktree else ""
    project.repository.git.run(
        "switch", "--quiet", "--no-track", "--create", f"ralph/{name}", project.base.commit
    )
    return left


def discard(project: Project, branch: str) -> None:
    """Delete a branch of the loop's that has nothing but what the base has."""
    git = project.repository.git
    if not branch.startswith(PREFIX):
        return
    tip = refs.current(git, branch)
    if tip and git.try_run("merge-base", "--is-ancestor", tip, project.base.commit).status == 0:
        refs.swap(git, branch, new="", old=tip)
