"""`status`: first what needs a person, then who does what."""

from __future__ import annotations

import json
from typing import NamedTuple

from ralphgit.app.active_claims.next_tasks import Pair
from ralphgit.app.status.overview import Overview, overview
from ralphgit.app.workspace.project import Project
from ralphgit.cli.amount import Amount
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Json, Outcome, Table, safe, tasks_json
from ralphgit.rules import readiness


class Options(NamedTuple):
    fetch: bool = False
    amount: Amount = Amount()


def run(call: Call, options: Options) -> Outcome:
    project = call.project(fetch=options.fetch)
    found = overview(project)
    amount = options.amount
    if call.screen.json:
        return Outcome(_data(project, found, amount))
    lines = []
    for item in found.attention:
        lines.append(f"! {safe(item.message)}")
        lines.append(f"  {safe(item.hint)}")
    if lines:
        lines.append("")
    counts = ", ".join(f"{n} {state}" for state, n in found.counts.items() if n)
    lines.append(f"{found.base['ref']}: {counts or 'no tasks'}")
    rows = []
    for row, s in found.tasks:
        if s.holder is not None and s.state not in ("complete", "cancelled"):
            state = s.state + (" (stale)" if s.stale else "")
            rows.append((row.id, state, s.holder.by, s.holder.where, s.holder.at))
    every = [row for row, _ in found.tasks]
    ready = readiness.order([row for row, s in found.tasks if s.state == "ready"], of=every)
    after = [f"next: {row.id}  {safe(row.title)}" for row in ready[:3]]
    if every and found.counts["complete"] + found.counts["cancelled"] == len(every):
        after = ["Everything is done."]
    headers = ("TASK", "STATE", "WORKER", "WHERE", "SINCE")
    busy = Table(headers, amount.first(rows))
    return Outcome(None, before=lines, table=busy, after=after, left_off=amount.left_off(len(rows)))


#: The order in which tasks are listed: first what is under way, then what can be taken.
_ORDER = ("blocked", "in-review", "in-progress", "claimed", "ready", "waiting")


def _open_first(found: Overview, amount: Amount) -> list[Pair]:
    """Return the tasks that are not finished, then, where all are asked for, those that are."""
    place = {state: number for number, state in enumerate(_ORDER)}
    chosen = [
        (place.get(task_state.state, len(place)), number)
        for number, (_, task_state) in enumerate(found.tasks)
        if amount.all or task_state.state in place
    ]
    return [found.tasks[number] for _, number in sorted(chosen)]


def _data(project: Project, found: Overview, amount: Amount) -> Json:
    now = project.around.now()
    workers = []
    for busy in found.workers:
        told = {**busy._asdict(), "worker": busy.name}
        beat, _ = told.pop("beat"), told.pop("name")
        workers.append({**told, "heartbeat_age_s": None if beat is None else round(now - beat, 1)})
    attention = [item._asdict() for item in found.attention]
    tasks = _open_first(found, amount)
    return Json(
        f'{{"base": {json.dumps(found.base)}, "counts": {json.dumps(found.counts)}, '
        f'"tasks": {tasks_json(amount.first(tasks))}, "total": {len(tasks)}, '
        f'"workers": {json.dumps(workers)}, "attention": {json.dumps(attention)}}}'
    )
