"""`log`: what happened to a task, or to all, on every branch."""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.status import log
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, Table


class Options(NamedTuple):
    task: str = ""
    limit: int = 0


def run(call: Call, options: Options) -> Outcome:
    found = log.log(call.project(), options.task, limit=options.limit)
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
    headers = ("AT", "TASK", "EVENT", "BY", "CLAIM", "RECORDED ON", "NOTE")
    return Outcome(data, table=Table(headers, rows))
