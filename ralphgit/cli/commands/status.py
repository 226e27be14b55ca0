"""`status`: first what needs a person, then who does what."""

from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.active_claims.next_tasks import Pair
from ralphgit.app.status.overview import OPEN_STATES, Overview, overview
from ralphgit.app.status.usage_sums import UsageSums
from ralphgit.app.status.workers import Busy
from ralphgit.app.workspace.project import Project
from ralphgit.cli.amount import Amount
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import NOBODY, Json, Outcome, Table, encoded, safe, tasks_json
from ralphgit.errors import RalphError
from ralphgit.model.printable import at_utc, duration, short_duration
from ralphgit.model.task import Usage
from ralphgit.model.usage import in_words
from ralphgit.rules.nothing_to_claim import Why


class Options(NamedTuple):
    fetch: bool = False
    amount: Amount = Amount()


def run(call: Call, options: Options) -> Outcome:
    project = call.project(fetch=options.fetch, pulls=True)
    found = overview(project)
    amount = options.amount
    if call.screen.json:
        return Outcome(_data(project, found, amount))
    counts = ", ".join(f"{n} {state}" for state, n in found.counts.items() if n)
    lines = [*_needs(found, amount), f"{found.base['ref']}: {counts or 'no tasks'}"]
    if found.unverified:
        shown = ", ".join(amount.first(found.unverified))
        more = len(found.unverified) - len(amount.first(found.unverified))
        lines.append(f"unverified: {shown}" + (f" and {more} more" if more else ""))
    lines += _used(found.usage, project.now()[:10])
    after = _next(found, amount)
    if found.nothing is not None:
        after = [_idle(found, found.nothing)]
    rows = [_shown(busy, project.around.now()) for busy in found.workers]
    table = Table(_HEADERS, amount.first(rows), labelled=True)
    left_off = amount.left_off(len(rows))
    return Outcome(None, before=lines, table=table, after=after, left_off=left_off)


def _next(found: Overview, amount: Amount) -> list[str]:
    """What is claimed next: the first few, or as many as are asked for."""
    is_asked = amount.all or amount.limit is not None
    shown = amount.first(found.next) if is_asked else found.next[:_MOST_NEXT]
    lines = [f"next: {row.id}  {safe(row.title)}" for row, _ in shown]
    if (more := len(found.next) - len(shown)) > 0:
        lines.append(f"and {more} more: ralphgit next --all")
    return lines


def _used(sums: UsageSums, today: str) -> list[str]:
    """What agents have used in all, and today."""
    now = in_words(sums.days.get(today, Usage()))
    said = in_words(sums.total)
    return [f"used: {said}" + (f" (today {now})" if now and now != said else "")] if said else []


_MOST_NEXT = 3
#: What needs a person comes first, and must not push the rest off the screen.
_MOST_NEEDS = 10


def _needs(found: Overview, amount: Amount) -> list[str]:
    most = len(found.attention) if amount.all else _MOST_NEEDS
    lines = []
    for item in found.attention[:most]:
        lines += [f"! {safe(item.message)}", f"  {safe(item.hint)}"]
    if (more := len(found.attention) - most) > 0:
        lines.append(f"  and {more} more: ralphgit inbox")
    return [*lines, ""] if lines else []


#: A shorter silence of an agent is not worth a word.
_SILENCE_S = 60.0
_HEADERS = ("WORKER", "TASK", "STATE", "FOR", "FILES", "SEEN", "WHAT")


def _shown(busy: Busy, now: float) -> tuple[str, ...]:
    """The row of a worker: since when it has its task, what it has changed, when it was seen."""
    held = "" if busy.for_s is None else short_duration(busy.for_s)
    seen = "" if busy.seen is None else short_duration(now - busy.seen)
    # Of one in a worktree here the path says no more than the name.
    phase = "" if busy.waits or busy.phase in ("", "agent") else f"phase: {busy.phase}"
    silent = busy.silent_s
    notes = [
        busy.title, phase, busy.reason, _waits(busy, now), busy.url,
        "" if busy.path else busy.where,
        f"silent for {duration(silent)}" if silent >= _SILENCE_S else "",
    ]  # fmt: skip
    return (
        busy.name or NOBODY, busy.task or "-", busy.state, held or "-", busy.changed or "-",
        seen or "-", "; ".join(filter(None, notes)) or "-",
    )  # fmt: skip


def _waits(busy: Busy, now: float) -> str:
    """What a loop waits for, and until when."""
    if not busy.waits or busy.until is None:
        return safe(busy.waits)
    left = max(0.0, busy.until - now)
    return f"{safe(busy.waits)}, until {at_utc(busy.until)} (in {duration(left)})"


def _idle(found: Overview, nothing: RalphError) -> str:
    """Say in a line that nothing can be claimed, and why."""
    if nothing.code == Why.ALL_DONE and found.tasks:
        return "Everything is done."
    return f"next: {safe(nothing.message)}"


def _listed(found: Overview, amount: Amount) -> Sequence[Pair]:
    """Return the tasks that are not finished, then, where all are asked for, those that are."""
    if not amount.all:
        return found.open
    return [*found.open, *(one for one in found.tasks if one[1].state not in OPEN_STATES)]


def _data(project: Project, found: Overview, amount: Amount) -> Json:
    now = project.around.now()
    workers = [_worker(busy, now) for busy in found.workers]
    attention = [item._asdict() for item in found.attention]
    tasks = _listed(found, amount)
    ready = [row.id for row, _ in amount.first(found.next)]
    nothing = found.nothing
    why = None if nothing is None else {
        "code": nothing.code, "exit": nothing.exit_code, "message": nothing.message,
        **nothing.details, "hint": nothing.hint,
    }  # fmt: skip
    return Json(
        f'{{"base": {encoded(found.base)}, "counts": {encoded(found.counts)}, '
        f'"tasks": {tasks_json(amount.first(tasks))}, "total": {len(tasks)}, '
        f'"workers": {encoded(workers)}, "attention": {encoded(attention)}, '
        f'"unverified": {encoded(found.unverified)}, "usage": {encoded(_sums(found.usage))}, '
        f'"next": {encoded(ready)}, "nothing": {encoded(why)}}}'
    )


def _sums(sums: UsageSums) -> dict[str, object] | None:
    if not sums.total.is_told:
        return None
    groups = {
        name: {key: one.stored() for key, one in group.items()}
        for name, group in (
            ("tasks", sums.tasks), ("stories", sums.stories), ("workers", sums.workers),
            ("days", sums.days),
        )
    }  # fmt: skip
    return {"total": sums.total.stored(), **groups}


def _worker(busy: Busy, now: float) -> dict[str, object]:
    told: dict[str, object] = {**busy._asdict(), "worker": busy.name}
    told["until"] = None if busy.until is None else at_utc(busy.until)
    for time, age in (("beat", "heartbeat_age_s"), ("seen", "seen_s")):
        at = told.pop(time)
        told[age] = round(now - at, 1) if isinstance(at, float) else None
    del told["name"]
    return told
