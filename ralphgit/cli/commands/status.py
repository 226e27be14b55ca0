"""`status`: first what needs a person, then who does what."""

from __future__ import annotations

import json
from typing import NamedTuple

from ralphgit.app.status.overview import Overview, overview
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Json, Outcome, Table, safe, tasks_json
from ralphgit.rules import readiness


class Options(NamedTuple):
    fetch: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project(fetch=options.fetch)
    found = overview(project)
    if call.screen.json:
        return Outcome(_data(project, found))
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
    busy = Table(("TASK", "STATE", "WORKER", "WHERE", "SINCE"), rows)
    return Outcome(None, before=lines, table=busy, after=after)


def _data(project: Project, found: Overview) -> Json:
    now = project.around.now()
    workers = []
    for busy in found.workers:
        told = {**busy._asdict(), "worker": busy.name}
        beat, _ = told.pop("beat"), told.pop("name")
        workers.append({**told, "heartbeat_age_s": None if beat is None else round(now - beat, 1)})
    attention = [item._asdict() for item in found.attention]
    return Json(
        f'{{"base": {json.dumps(found.base)}, "counts": {json.dumps(found.counts)}, '
        f'"tasks": {tasks_json(found.tasks)}, "workers": {json.dumps(workers)}, '
        f'"attention": {json.dumps(attention)}}}'
    )
