"""`land`: bring a branch to the base, or all that is complete on this machine."""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.integration.integrate import IntegrateOptions
from ralphgit.app.landing import land_records, unlanded
from ralphgit.app.lifecycle import onto_base
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.commands import integrate
from ralphgit.cli.commands.reset import where_landed
from ralphgit.cli.render import Outcome, safe
from ralphgit.errors import UsageError


class Options(NamedTuple):
    branch: str = ""
    all: bool = False
    dry_run: bool = False
    push: bool = True
    fetch: bool = True
    accept_concerns: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project(fetch=options.all and options.fetch and not options.dry_run)
    if options.all and options.branch:
        raise UsageError(
            "--all cannot be combined with a branch", hint=f"ralphgit land {options.branch}"
        )
    if options.all:
        names = tuple(unlanded.branches(ClaimMap(project)))
        if not names:
            return Outcome(_nothing(options), before=("There is nothing to land.",))
    else:
        names = (_branch(project, options.branch),)
    if not options.all and land_records.changes(project, names[0]):
        return _records(project, names[0], options)
    told = IntegrateOptions(
        names, options.dry_run, options.push, options.fetch,
        accept_concerns=options.accept_concerns,
    )  # fmt: skip
    found = integrate.landed(project, told, rest=options.all)
    return found if options.dry_run else _onto_base(project, found)


def _branch(project: Project, named: str) -> str:
    branch = named or _here(project)
    if not branch or branch == project.base.branch:
        raise UsageError("land needs a branch", hint="ralphgit land BRANCH, or ralphgit land --all")
    return branch


def _here(project: Project) -> str:
    worktree = project.repository.worktree
    return worktree.branch.removeprefix("refs/heads/") if worktree else ""


def _records(project: Project, branch: str, options: Options) -> Outcome:
    """Land what the branch does to the records alone."""
    if options.dry_run:
        told = land_records.changes(project, branch)
        data = {**_nothing(options), "order": [branch], "merged": [branch]}
        return Outcome(data, before=[safe(f"would land: {', '.join(map(str, told))}")])
    done = land_records.land(project, branch, push=options.push, fetch=options.fetch)
    where = where_landed(project, pushed=done.pushed)
    lines = [safe(f"landed on {where}: {', '.join(map(str, done.told))} ({done.commit[:12]})")]
    if not done.whole:
        lines.append(safe(f"the work so far stays on {branch}"))
    data = {
        **_nothing(options), "order": [branch], "merged": [branch], "commit": done.commit,
        "pushed": done.pushed,
    }  # fmt: skip
    found = Outcome(data, before=lines)
    return _onto_base(project, found) if done.whole else found


def _nothing(options: Options) -> dict[str, object]:
    return {
        "dry_run": options.dry_run, "order": [], "branches": [], "conflicts": [], "merged": [],
        "stale": [], "stops": [], "commit": None, "pushed": False, "evidence": [],
    }  # fmt: skip


def _onto_base(project: Project, found: Outcome) -> Outcome:
    """Bring this worktree's branch onto the base, if it has landed."""
    assert isinstance(found.data, dict)
    if not found.data["commit"] or project.repository.top is None:
        return found
    project.refresh()
    with WorktreeLock(project):
        brought = onto_base.bring_onto_base(project)
    if brought.in_the_way:
        project.warn(f"this branch was not moved to {project.base.label}: {brought.in_the_way}")
    if not brought.moved:
        return found
    line = f"this branch stands on {project.base.label} ({brought.commit[:12]})"
    data = {**found.data, "worktree": brought.stored()}
    return found._replace(data=data, before=[*found.before, line])
