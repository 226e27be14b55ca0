"""`log`: what happened to a task, or to all, on every branch."""

from typing import NamedTuple

from ralphgit.app.status import log
from ralphgit.cli.amount import Amount
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, Table
from ralphgit.model.usage import in_words
from ralphgit.model.usage import total as sum_up


class Options(NamedTuple):
    task: str = ""
    amount: Amount = Amount()


def run(call: Call, options: Options) -> Outcome:
    every = log.log(call.project(), options.task)
    found, total = options.amount.last(every), len(every)
    data = {
        "events": [
            {
                "task": one.task, "claim": one.claim, "at": one.at, "event": one.event,
                "by": one.by, "from": one.from_ or None, "to": one.to or None,
                "note": one.note, "where": list(one.where),
                **({"usage": one.usage.stored()} if one.usage is not None else {}),
            }
            for one in found
        ],
        "total": total,
    }  # fmt: skip
    if not found:
        return Outcome(data, before=("Nothing has happened yet.",))
    left_off = options.amount.left_off(total)
    # Of each attempt its end says what it has used in all; a review says its own.
    last = {
        (one.task, one.claim, one.at if one.event == "reviewed" else ""): one.usage
        for one in every
        if one.usage is not None
    }
    said = in_words(sum_up(last.values()))
    after = (f"used: {said}",) if said else ()
    if call.screen.terminal:
        # In 80 columns: the claim and the place are for programs, and for `--json`.
        rows = [(_short(one.at), one.task, one.event, one.by, one.note) for one in found]
        table = Table(("AT", "TASK", "EVENT", "BY", "NOTE"), rows)
        return Outcome(data, table=table, after=after, left_off=left_off)
    fields = [
        (one.at, one.task, one.event, one.by, one.claim, ", ".join(one.where), one.note)
        for one in found
    ]
    headers = ("AT", "TASK", "EVENT", "BY", "CLAIM", "RECORDED ON", "NOTE")
    return Outcome(data, table=Table(headers, fields), after=after, left_off=left_off)


def _short(at: str) -> str:
    """Return a time of a record to the minute; what has another form, as it is."""
    return f"{at[:10]} {at[11:16]}" if len(at) == 20 and at[10] == "T" else at
