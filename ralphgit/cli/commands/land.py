"""`land`: bring a branch to the base, or all that is complete on this machine."""

import shlex
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base.fetch import readable_base, synchronise
from ralphgit.app.integration import branch_pull_requests
from ralphgit.app.integration.branch_pull_requests import BranchInReview
from ralphgit.app.integration.integrate import IntegrateOptions
from ralphgit.app.landing import land, land_records, land_way, unlanded
from ralphgit.app.landing.land_records import RecordsInReview
from ralphgit.app.lifecycle import earlier_completion, give_up, onto_base
from ralphgit.app.processes import watched_settings
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.commands import integrate
from ralphgit.cli.render import Outcome, safe
from ralphgit.cli.where_landed import where_landed
from ralphgit.errors import ClaimLost, UsageError
from ralphgit.model.pull_request import PullState


class Options(NamedTuple):
    branch: str = ""
    all: bool = False
    land: str = "auto"
    dry_run: bool = False
    push: bool = True
    fetch: bool = True
    accept_concerns: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    if options.all and options.branch:
        raise UsageError(
            "--all cannot be combined with a branch",
            hint=f"ralphgit land {shlex.quote(options.branch)}",
        )
    if not options.dry_run:
        watched_settings.require_seen(project)  # before git is asked for more
    if options.all:
        if options.fetch and not options.dry_run:
            synchronise(project, settle=False)
        claim_map = ClaimMap(project)
        names = tuple(unlanded.branches(claim_map))
        for one in unlanded.lost(claim_map):
            said = f"the claim of {one.by} on {one.task} in {one.where} can no longer land"
            project.warn(f"{said}: ralphgit show {one.task}")
        if not names:
            return Outcome(_nothing(options, ""), before=("There is nothing to land.",))
    else:
        if options.fetch and not options.dry_run:
            readable_base(project)
        names = (_branch(project, options.branch),)
        # Without a commit or a graph that is the answer, and not that there is nothing to land.
        if project.base_view.shards and unlanded.is_on_base(project, names[0]):
            said = f"There is nothing to land: {project.base.label} has all of {names[0]}."
            return Outcome(_nothing(options, ""), before=(safe(said),))
    way = land_way.required(project, options.land)
    if way == "pr":
        return _given_up(project, _by_pull(project, names, options), options)
    if not options.all and land_records.changes(project, names[0]):
        return _records(project, names[0], options)
    told = IntegrateOptions(
        names, options.dry_run, options.push, options.fetch,
        accept_concerns=options.accept_concerns,
    )  # fmt: skip
    found = integrate.landed(project, told, rest=options.all)
    assert isinstance(found.data, dict)
    way = "pr" if found.data["pulls"] else way
    found = found._replace(data={**found.data, "way": way})
    found = _given_up(project, found, options)
    return found if options.dry_run else _onto_base(project, found)


def _given_up(project: Project, found: Outcome, options: Options) -> Outcome:
    """Give up the claim that this worktree has completed, where the base says that it is lost."""
    if not isinstance(found.error, ClaimLost) or options.dry_run or options.branch not in (
        "", _here(project)
    ):  # fmt: skip
        return found
    project.refresh()
    with WorktreeLock(project):
        noted = earlier_completion.noted_here(project, "")
        winner = earlier_completion.winner_over(ClaimMap(project), noted) if noted else None
        if noted is None or winner is None:
            return found
        return found._replace(error=give_up.lose(project, noted, winner))


def _branch(project: Project, named: str) -> str:
    branch = named or _here(project)
    if not branch or (branch == project.base.branch and not project.local_base_ahead()):
        raise UsageError("land needs a branch", hint="ralphgit land --all")
    if branch == project.base.branch and not land_records.changes(project, branch):
        raise UsageError(
            f"{branch} has more than records that {project.base.label} has not, and work lands "
            "from a branch of its own; nothing was changed",
            code="base_branch", hint="git switch -c NAME && ralphgit land",
        )  # fmt: skip
    return branch


def _here(project: Project) -> str:
    worktree = project.repository.worktree
    return worktree.branch.removeprefix("refs/heads/") if worktree else ""


def _records(project: Project, branch: str, options: Options) -> Outcome:
    """Land what the branch does to the records alone."""
    if options.dry_run:
        told = land_records.changes(project, branch)
        data = {**_nothing(options, "merge"), "order": [branch], "merged": [branch]}
        return Outcome(data, before=[safe(f"would land: {', '.join(map(str, told))}")])
    commit = project.repository.refs[f"refs/heads/{branch}"].oid
    done = land_records.land(project, branch, push=options.push, fetch=options.fetch)
    if isinstance(done, RecordsInReview):
        return _records_in_review(project, branch, commit, options, done)
    where = where_landed(project, pushed=done.pushed)
    lines = [safe(f"landed on {where}: {', '.join(map(str, done.told))} ({done.commit[:12]})")]
    if not done.whole:
        lines.append(safe(f"the work so far stays on {branch}"))
    data = {
        **_nothing(options, "merge"), "order": [branch], "merged": [branch], "commit": done.commit,
        "pushed": done.pushed,
    }  # fmt: skip
    found = Outcome(data, before=lines)
    return _onto_base(project, found) if done.whole else found


def _by_pull(project: Project, names: tuple[str, ...], options: Options) -> Outcome:
    """Open a pull request for each branch; this worktree's own then stands on the base."""
    if not options.push:
        raise UsageError(
            "--no-push leaves nothing to open a pull request for; nothing was changed",
            hint="ralphgit land --land merge --no-push",
        )
    if not options.all and land_records.changes(project, names[0]):
        return _records_by_pull(project, names[0], options)
    waiting = _in_review(project, names) if options.all else {}
    found = branch_pull_requests.open_all(
        project, names, but=waiting, dry_run=options.dry_run, fetch=options.fetch,
        rest=options.all,
    )  # fmt: skip
    lines = [safe(line) for line in waiting.values()]
    for one in found.opened:
        lines += [safe(said) for said in one.said]
        what = f"{', '.join(one.tasks)} ({one.branch})"
        told = f"would open a pull request: {what}"
        lines.append(safe(told if options.dry_run else f"in review: {what} {one.url}".rstrip()))
    lines += [safe(f"stop: {stop.message}") for stop in found.stops]
    data = {
        **integrate.planned(found.plan, found.stops, dry_run=options.dry_run),
        "way": "pr", "pulls": [one.stored() for one in found.opened],
    }  # fmt: skip
    error = integrate.stopped(found.plan, found.stops, dry_run=options.dry_run)
    outcome = Outcome(data, before=lines, error=error)
    here = next((one for one in found.opened if one.branch == _here(project)), None)
    if here is None or options.dry_run:
        return outcome
    return _left(project, outcome, here.pushed_as, here.commit)


def _in_review(project: Project, names: tuple[str, ...]) -> dict[str, str]:
    """Say of each branch that has its pull request how that stands."""
    known, tips = branch_pull_requests.known(project), project.repository.refs
    found = {name: known.get(tips[f"refs/heads/{name}"].oid) for name in names}
    return {
        name: f"{pull.task} ({name}) is in review already: {pull.url or pull.branch}"
        if pull.state != PullState.CLOSED
        else f"{pull.task} ({name}): its pull request was closed: {pull.url or pull.branch}"
        for name, pull in found.items()
        if pull is not None
    }


def _records_by_pull(project: Project, branch: str, options: Options) -> Outcome:
    data = {**_nothing(options, "pr"), "order": [branch]}
    told = land_records.changes(project, branch)
    if options.dry_run:
        line = f"would open a pull request: {', '.join(map(str, told))}"
        return Outcome(data, before=[safe(line)])
    commit = project.repository.refs[f"refs/heads/{branch}"].oid
    done = land_records.open_pull(project, branch, fetch=options.fetch)
    return _records_in_review(project, branch, commit, options, done)


def _records_in_review(
    project: Project, branch: str, commit: str, options: Options, done: RecordsInReview
) -> Outcome:
    lines = [safe(f"in review: {', '.join(map(str, done.told))} {done.pull.url}".rstrip())]
    if not done.whole:
        lines.append(safe(f"the work so far stays on {branch}"))
    pull = BranchInReview(branch, done.pull.branch, (), done.pull.commit, done.pull.url)
    data = {**_nothing(options, "pr"), "order": [branch], "pulls": [pull.stored()]}
    found = Outcome(data, before=lines)
    if not done.whole or branch != _here(project) or branch == project.base.branch:
        return found
    return _left(project, found, done.pull.branch, commit)


def _left(project: Project, found: Outcome, branch: str, head: str) -> Outcome:
    """Bring this worktree onto the base; what is in review stays on a branch of its own."""
    project.refresh()
    with WorktreeLock(project):
        return _told(project, found, land.leave(project, branch, head))


def _nothing(options: Options, way: str) -> dict[str, object]:
    return {
        "way": way or None, "pulls": [],
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
    return _told(project, found, brought)


def _told(project: Project, found: Outcome, brought: onto_base.Brought) -> Outcome:
    assert isinstance(found.data, dict)
    if brought.in_the_way:
        project.warn(f"this branch was not moved to {project.base.label}: {brought.in_the_way}")
    if not brought.on_base:
        return found
    line = f"this branch stands on {project.base.label} ({brought.commit[:12]})"
    data = {**found.data, "worktree": brought.stored()}
    return found._replace(data=data, before=[*found.before, line])
