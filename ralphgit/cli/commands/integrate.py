"""`integrate`: merge branches in a good order, prove what they are together, land it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from ralphgit.app.integration import integrate
from ralphgit.app.integration.integrate import Integrated, IntegrateOptions, Stop
from ralphgit.app.integration.plan import Plan
from ralphgit.app.integration.reconcile import Reconciled
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.commands.reconcile import as_json, summary
from ralphgit.cli.render import Outcome, safe
from ralphgit.cli.where_landed import where_landed
from ralphgit.errors import AwaitsPerson, ClaimLost, RalphError, Refused
from ralphgit.rules.integration_order import Foreseen

Options = IntegrateOptions
_CODES = {"not-ready": "not_ready", "concerns": "concerns_wait"}


def run(call: Call, options: IntegrateOptions) -> Outcome:
    branches = tuple(dict.fromkeys(options.branches))
    return landed(call.project(), options._replace(branches=branches))


def landed(project: Project, options: IntegrateOptions, *, rest: bool = False) -> Outcome:
    """Integrate the branches, and report the result; `rest` is as of `integrate`."""
    done = integrate.integrate(project, options, rest=rest)
    data = {
        **planned(done.plan, done.stops, dry_run=options.dry_run),
        "merged": list(done.merged),
        "stale": [{"task": one.task.id, "command": one.command} for one in done.stale],
        "commit": (None if done.pull else done.commit) or None,
        "pulls": [
            {
                "branch": name,
                "pushed_as": done.pull.branch,
                "tasks": [*done.pull.tasks],
                "commit": done.pull.commit,
                "url": done.pull.url or None,
                "said": [],
            }
            for name in done.merged
        ]
        if done.pull
        else [],
        "pushed": done.pushed,
        "evidence": list(done.records),
    }
    lines = list(_told(project, done, options.dry_run))
    error = stopped(done.plan, done.stops, dry_run=options.dry_run)
    return Outcome(data, before=lines, error=error)


def stopped(plan: Plan, stops: Sequence[Stop], *, dry_run: bool) -> RalphError | None:
    """Make the error for branches that were left out; None where there are none."""
    if not stops:
        return None
    # The one that ended it, if there is one: the others were foreseen, and passed over.
    ours = [one for one in stops if one.kind != "concerns" and not _unreviewed(plan, one)]
    stop = next((one for one in ours or stops if not one.foreseen), (ours or stops)[-1])
    names = ", ".join(dict.fromkeys(one.branch for one in stops))
    verb = "would not be" if dry_run else "was not"
    coupled = stop.kind in ("coupling", "conflict") and not stop.foreseen
    if stop.kind == "not-ready" and (lost := plan.reconciled[stop.branch].lost):
        return ClaimLost(
            f"{names} {verb} integrated: {lost.message}",
            hint=_hint(plan, stop), details={"task": lost.task},
        )  # fmt: skip
    of_a_person = not ours
    kind = AwaitsPerson if of_a_person else Refused
    code = "review_missing" if _unreviewed(plan, stop) else _CODES.get(stop.kind, stop.kind)
    return kind(
        f"{names} {verb} integrated" + "; a person decides whether it lands" * of_a_person,
        code="coupling" if coupled else code,
        hint=_hint(plan, stop),
        lines=[*stop.output, *_beside(stop)],
    )


def _beside(stop: Stop) -> list[str]:
    """What goes with the command of the hint."""
    if stop.kind not in ("conflict", "coupling"):
        return []
    scopes = [] if stop.foreseen else ["say in the scopes that the two meet"]
    return [*scopes, "the command below keeps the work, to be done again on the new base"]


def _unreviewed(plan: Plan, stop: Stop) -> bool:
    return stop.kind == "not-ready" and plan.reconciled[stop.branch].waits_for_review


def _hint(plan: Plan, stop: Stop) -> str:
    if _unreviewed(plan, stop):
        return "ralphgit inbox"
    if stop.kind == "not-ready":
        return f"ralphgit reconcile {shlex.quote(stop.branch)}"
    if stop.kind == "stacked":
        return "ralphgit land --all"
    if stop.kind == "concerns":
        return f"ralphgit land {shlex.quote(stop.branch)} --accept-concerns"
    if stop.kind == "invalid":
        return "fix it in one of the branches; nothing has landed"
    if stop.kind == "verification":
        return "look at what the branches are together; nothing of the last one has landed"
    task = plan.reconciled[stop.branch].tasks[0]
    return f'ralphgit reset {task} --reason "TEXT" --force'


def _told(project: Project, done: Integrated, dry_run: bool) -> Iterator[str]:
    for other in done.plan.reconciled.values():
        if other.waits_for_review:
            yield from _unreviewed_lines(other)
        elif other.issues:
            yield from summary(other)
    stops = [stop for stop in done.stops if not _unreviewed(done.plan, stop)]
    if done.merged or stops or not done.stops:
        yield safe(f"order: {', '.join(branch.name for branch in done.plan.branches)}")
    for (one, other_name), meeting in done.plan.meetings.items():
        known = f" (foreseen: {meeting.foreseen.sentence})" if meeting.foreseen else ""
        yield safe(f"conflict: {one} and {other_name} in {', '.join(meeting.paths)}{known}")
    verb = "would run again" if dry_run else "ran again"
    for proof in done.stale:
        yield safe(f"{verb}: {proof.task.id}: {proof.command}")
    for stop in stops:
        yield safe(f"stop: {stop.message}")
        for path in stop.paths:
            yield safe(f"  {path}")
    if dry_run:
        yield safe(f"would merge: {', '.join(done.merged) or 'nothing'}")
    elif done.pull is not None:
        place = done.pull.url or done.pull.branch
        yield safe(f"in review: {', '.join(done.merged)} {place}")
    elif done.commit:
        where = where_landed(project, pushed=done.pushed)
        yield safe(f"landed on {where}: {', '.join(done.merged)} ({done.commit[:12]})")
    else:
        yield "Nothing has landed."


def _unreviewed_lines(one: Reconciled) -> Iterator[str]:
    """Say of a branch that a review alone is missing, and how that is made."""
    for issue in one.issues:
        if issue.severity == "error":
            yield safe(f"{one.branch}: {issue.message}")
            yield safe(f"  {issue.hint}")


def planned(plan: Plan, stops: Sequence[Stop], *, dry_run: bool) -> dict[str, object]:
    """What was planned and what was left out, as JSON has it; nothing has landed."""
    return {
        "dry_run": dry_run,
        "order": [branch.name for branch in plan.branches],
        "branches": [as_json(one) for one in plan.reconciled.values()],
        "conflicts": [
            {"a": a, "b": b, "paths": list(met.paths), "foreseen": _said(met.foreseen)}
            for (a, b), met in plan.meetings.items()
        ],
        "merged": [],
        "stale": [],
        "stops": [{**stop._asdict(), "foreseen": _said(stop.foreseen)} for stop in stops],
        "commit": None,
        "pushed": False,
        "evidence": [],
    }


def _said(foreseen: Foreseen | None) -> str:
    return foreseen.sentence if foreseen is not None else ""
