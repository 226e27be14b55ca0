"""`land`: `integrate` for one branch."""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.integration.integrate import IntegrateOptions
from ralphgit.cli.command_call import Call
from ralphgit.cli.commands.integrate import landed
from ralphgit.cli.render import Outcome
from ralphgit.errors import UsageError


class Options(NamedTuple):
    branch: str = ""
    dry_run: bool = False
    push: bool = True
    fetch: bool = True
    accept_concerns: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    worktree = project.repository.worktree
    here = worktree.branch.removeprefix("refs/heads/") if worktree else ""
    branch = options.branch or here
    if not branch or branch == project.base.branch:
        raise UsageError("land needs a branch", hint="ralphgit land BRANCH")
    told = IntegrateOptions(
        (branch,), options.dry_run, options.push, options.fetch, options.accept_concerns
    )
    return landed(project, told)
