"""Name worktrees, and find the one that a name means."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ralphgit.app.workspace.project import Project
from ralphgit.errors import UsageError
from ralphgit.git.listings import Worktree

#: How the reason of a lock of ours begins.
LOCK = "ralphgit: "
#: ... and that of one which was made for a worker.
WORKER_LOCK = f"{LOCK}worker "
#: Where the branches of `worktree new` are.
BRANCHES = "refs/heads/feature/"
#: ... and those on which the loop works, each `<task>-<id>`.
TASK_BRANCHES = "refs/heads/ralph/"


def folder_of(project: Project, name: str) -> str:
    """Where `worktree new NAME` makes its worktree: beside the main one, named after it."""
    repository = project.repository
    return os.path.join(os.path.dirname(repository.home), f"{repository.name}-{name}")


def name_of(project: Project, worktree: Worktree) -> str:
    """What `worktree new` would call it: NAME for the folder PROJECT-NAME, else the folder's."""
    prefix = f"{project.repository.name}-"
    return worktree.name if worktree.main else worktree.name.removeprefix(prefix) or worktree.name


def named(project: Project, worktrees: Sequence[Worktree], name: str) -> Worktree:
    """The one of `worktrees` that `name` means.

    That is the first of these that only one has: the folder that `worktree new NAME` makes, the
    name, the folder's own name, its path, the end of the folder's name behind a hyphen.

    Raises: UsageError (unknown_worktree).
    """
    path = os.path.realpath(os.path.join(project.around.directory, name))
    made = os.path.realpath(folder_of(project, name))
    most = 0
    for matching in (
        [one for one in worktrees if os.path.realpath(one.path) == made],
        [one for one in worktrees if name_of(project, one) == name],
        [one for one in worktrees if one.name == name],
        [one for one in worktrees if os.path.realpath(one.path) == path],
        [one for one in worktrees if one.name.endswith(f"-{name}")],
    ):
        if name and len(matching) == 1:
            return matching[0]
        most = max(most, len(matching))
    known = ", ".join(name_of(project, one) for one in worktrees if not one.main)
    several = bool(name) and most > 1
    said = f"several worktrees are called {name}; name the folder of one"
    raise UsageError(
        said if several else f"there is no worktree {name}",
        code="unknown_worktree",
        hint="git worktree list" if several
        else f"there are: {known}" if known else "ralphgit worktree new NAME",
        details={"worktree": name},
    )  # fmt: skip


def chosen(project: Project, names: Sequence[str], *, every: bool = False) -> list[Worktree]:
    """The worktrees of these names that are there; all, or this one without a name.

    Raises: UsageError (unknown_worktree).
    """
    there = [one for one in project.repository.worktrees if not one.bare and one.exists]
    if every:
        return there
    if not names:
        here = os.path.realpath(project.top)
        if found := [one for one in there if os.path.realpath(one.path) == here]:
            return found
        raise UsageError(
            f"git does not know {project.top} as a worktree of this repository",
            code="unknown_worktree", hint="git worktree repair",
        )  # fmt: skip
    return [named(project, there, name) for name in names]


def shown(project: Project, path: str) -> str:
    """A worktree as people see it from here."""
    here = project.repository.top
    if here is not None and os.path.realpath(here) == os.path.realpath(path):
        return "this worktree"
    return f"worktree {project.show_path(path)}"
