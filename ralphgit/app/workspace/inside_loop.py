"""Tell whether a command runs inside a loop, where a worker may not decide what is a person's."""

from __future__ import annotations

from ralphgit.app.workspace.locks import LoopLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused


def claimed(project: Project) -> bool:
    """Whether a loop, or a command that it runs, started this one."""
    return bool(project.around.environ.get("RALPH_CLAIM"))


def refuse(project: Project, message: str, *, code: str) -> None:
    """Refuse what a worker may not do: by its environment, or by the loop of this worktree.

    Raises: GuardRefused (`code`).
    """
    here = project.repository.top is not None and LoopLock(project).held()
    if here or claimed(project):
        raise GuardRefused(
            message, code=code,
            hint="ask a person to do it in another worktree, or once the loop has ended",
        )  # fmt: skip
