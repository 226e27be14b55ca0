"""`inbox`: what waits for a person, and the command that answers."""

from typing import NamedTuple

from ralphgit.app.handoff import questions
from ralphgit.app.handoff.questions import Question
from ralphgit.cli.amount import Amount
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, Table, safe
from ralphgit.model.printable import duration

_KEYS = (
    *("task", "title", "worker", "claim", "reason", "question"),
    *("options", "since", "waiting_s", "command", "holds_back"),
)


class Options(NamedTuple):
    fetch: bool = False
    amount: Amount = Amount()


def run(call: Call, options: Options) -> Outcome:
    project = call.project(fetch=options.fetch, pulls=True)
    every = questions.questions(project)
    found, total = options.amount.first(every), len(every)
    data = {
        "questions": [{key: getattr(one, key) for key in _KEYS} for one in found],
        "total": total,
    }
    if not found:
        return Outcome(data, before=("Nothing waits for a person.",))
    left_off = options.amount.left_off(total)
    if call.screen.terminal:
        lines = [safe(line) for one in found for line in _lines(one)]
        return Outcome(data, before=lines, left_off=left_off)
    rows = [
        (one.task or "-", one.title, one.worker or "-", _waited(one), _asked(one), one.command)
        for one in found
    ]
    headers = ("TASK", "TITLE", "WORKER", "WAITS", "QUESTION", "ANSWER WITH")
    return Outcome(data, table=Table(headers, rows), left_off=left_off)


def _lines(one: Question) -> list[str]:
    """Return what a person at a terminal reads of it."""
    who = one.worker or "nobody"
    return [
        f"{one.task or '-'}  {one.title} ({who}, {_waited(one)})",
        f"  {_asked(one)}",
        f"  {one.command}",
    ]


def _asked(one: Question) -> str:
    options = f" [{' | '.join(one.options)}]" if one.options else ""
    held = f" (holds back {', '.join(one.holds_back)})" if one.holds_back else ""
    return (f"{one.reason}: {one.question}" if one.question else one.reason) + options + held


def _waited(one: Question) -> str:
    return "-" if one.waiting_s is None else duration(one.waiting_s)
