"""Tell whether a command runs inside a loop, where a worker may not decide what is a person's."""

from __future__ import annotations

from ralphgit.app.workspace.locks import loop_works_in
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused

#: What a loop tells its agent by the environment.
_OF_A_LOOP = ("RALPH_TASK", "RALPH_CLAIM")


def claimed(project: Project) -> bool:
    """Whether a loop, or a command that it runs, started this one."""
    return bool(project.around.environ.get("RALPH_CLAIM"))


def works(project: Project) -> bool:
    """Whether this runs inside a loop: by its environment, or by the loop of this worktree."""
    here = project.repository.top is not None and loop_works_in(project)
    return here or any(project.around.environ.get(name) for name in _OF_A_LOOP)


def refuse(project: Project, message: str, *, code: str = "in_loop") -> None:
    """Refuse what is a person's to do, where a worker may be who does it (`works`).

    Raises: GuardRefused (`code`).
    """
    if works(project):
        raise GuardRefused(
            message, code=code,
            hint="ask a person to do it in another worktree, or once the loop has ended",
        )  # fmt: skip
