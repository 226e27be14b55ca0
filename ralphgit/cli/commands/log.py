"""`log`: what happened to a task, or to all, on every branch."""

from __future__ import annotations

from ralphgit.app.base import opening
from ralphgit.app.status import log
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, Table
from ralphgit.model.ids import parse_task_id


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    task = parse_task_id(str(options["task"])) if "task" in options else ""
    limit = options.get("limit", 0)
    project = opening.project(around, warnings)
    found = log.log(project, task, limit=limit if isinstance(limit, int) else 0)
    data = {
        "events": [
            {
                "task": one.task, "claim": one.claim, "at": one.at, "event": one.event,
                "by": one.by, "from": one.from_ or None, "to": one.to or None,
                "note": one.note, "where": list(one.where),
            }
            for one in found
        ]
    }  # fmt: skip
    if not found:
        return Outcome(data, before=("Nothing has happened yet.",))
    rows = [
        (one.at, one.task, one.event, one.by, one.claim, ", ".join(one.where), one.note)
        for one in found
    ]
    return Outcome(
        data, table=Table(("AT", "TASK", "EVENT", "BY", "CLAIM", "RECORDED ON", "NOTE"), rows)
    )
