"""`land`: `integrate` for one branch."""

from __future__ import annotations

from ralphgit.app.base import opening
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.commands.integrate import landed
from ralphgit.cli.render import Outcome, Screen
from ralphgit.errors import UsageError


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = opening.project(around, warnings)
    worktree = project.repository.worktree
    here = worktree.branch.removeprefix("refs/heads/") if worktree else ""
    branch = str(options.get("branch", "")) or here
    if not branch or branch == project.base.branch:
        raise UsageError("land needs a branch", hint="ralphgit land BRANCH")
    return landed(project, (branch,), options)
