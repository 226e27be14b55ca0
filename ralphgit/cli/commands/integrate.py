"""`integrate`: merge branches in a good order, prove what they are together, land it."""

from __future__ import annotations

from collections.abc import Iterator

from ralphgit.app.integration import integrate
from ralphgit.app.integration.integrate import Integrated, IntegrateOptions, Stop
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.commands.reconcile import as_json, summary
from ralphgit.cli.commands.reset import where_landed
from ralphgit.cli.render import Outcome, safe
from ralphgit.errors import NeedsPerson, RalphError, Refused
from ralphgit.rules.integration_order import Foreseen

Options = IntegrateOptions
_CODES = {"not-ready": "not_ready", "concerns": "concerns_wait"}


def run(call: Call, options: IntegrateOptions) -> Outcome:
    branches = tuple(dict.fromkeys(options.branches))
    return landed(call.project(), options._replace(branches=branches))


def landed(project: Project, options: IntegrateOptions, *, rest: bool = False) -> Outcome:
    """Integrate the branches, and report the result; `rest` is as of `integrate`."""
    dry_run = options.dry_run
    done = integrate.integrate(project, options, rest=rest)
    error: RalphError | None = None
    if done.stops:
        # The one that ended it, if there is one: the others were foreseen, and passed over.
        stop = next((one for one in done.stops if not one.foreseen), done.stops[-1])
        names = ", ".join(dict.fromkeys(one.branch for one in done.stops))
        verb = "would not be" if dry_run else "was not"
        coupled = stop.kind in ("coupling", "conflict") and not stop.foreseen
        kind = NeedsPerson if all(one.kind == "concerns" for one in done.stops) else Refused
        error = kind(
            f"{names} {verb} integrated",
            code="coupling" if coupled else _CODES.get(stop.kind, stop.kind),
            hint=_hint(done, stop),
            lines=stop.output,
        )
    return Outcome(_data(done, dry_run), before=list(_told(project, done, dry_run)), error=error)


def _hint(done: Integrated, stop: Stop) -> str:
    if stop.kind == "not-ready":
        return f"ralphgit reconcile {stop.branch}"
    if stop.kind == "concerns":
        return f"for a person: ralphgit land {stop.branch} --accept-concerns"
    if stop.kind == "invalid":
        return "fix it in one of the branches; nothing has landed"
    if stop.kind == "verification":
        return "look at what the branches are together; nothing of the last one has landed"
    task = done.plan.reconciled[stop.branch].tasks[0]
    first = "" if stop.foreseen else "say in the scopes that the two meet; then "
    reset = f"ralphgit reset {task} --reason TEXT --force"
    return f"{first}{reset}, and do it again on the new base: the work is kept"


def _told(project: Project, done: Integrated, dry_run: bool) -> Iterator[str]:
    for other in done.plan.reconciled.values():
        if other.issues:
            yield from summary(other)
    order = ", ".join(branch.name for branch in done.plan.branches)
    yield safe(f"order: {order}")
    for (one, other_name), meeting in done.plan.meetings.items():
        known = f" (foreseen: {meeting.foreseen.sentence})" if meeting.foreseen else ""
        yield safe(f"conflict: {one} and {other_name} in {', '.join(meeting.paths)}{known}")
    verb = "would run again" if dry_run else "ran again"
    for proof in done.stale:
        yield safe(f"{verb}: {proof.task.id}: {proof.command}")
    for stop in done.stops:
        yield safe(f"stop: {stop.message}")
        for path in stop.paths:
            yield safe(f"  {path}")
    if dry_run:
        yield safe(f"would merge: {', '.join(done.merged) or 'nothing'}")
    elif done.commit:
        where = where_landed(project, pushed=done.pushed)
        yield safe(f"landed on {where}: {', '.join(done.merged)} ({done.commit[:12]})")
    else:
        yield "Nothing has landed."


def _data(done: Integrated, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "order": [branch.name for branch in done.plan.branches],
        "branches": [as_json(one) for one in done.plan.reconciled.values()],
        "conflicts": [
            {"a": a, "b": b, "paths": list(met.paths), "foreseen": _said(met.foreseen)}
            for (a, b), met in done.plan.meetings.items()
        ],
        "merged": list(done.merged),
        "stale": [{"task": one.task.id, "command": one.command} for one in done.stale],
        "stops": [{**stop._asdict(), "foreseen": _said(stop.foreseen)} for stop in done.stops],
        "commit": done.commit or None,
        "pushed": done.pushed,
        "evidence": list(done.records),
    }


def _said(foreseen: Foreseen | None) -> str:
    return foreseen.sentence if foreseen is not None else ""
