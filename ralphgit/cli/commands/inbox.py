"""`inbox`: what waits for a person, and the command that answers."""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.handoff import questions
from ralphgit.app.handoff.questions import Question
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, Table
from ralphgit.model.printable import duration

_KEYS = (
    *("task", "title", "worker", "claim", "reason", "question"),
    *("options", "since", "waiting_s", "command"),
)


class Options(NamedTuple):
    fetch: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project(fetch=options.fetch)
    found = questions.questions(project)
    data = {"questions": [{key: getattr(one, key) for key in _KEYS} for one in found]}
    if not found:
        return Outcome(data, before=("Nothing waits for a person.",))
    rows = [
        (one.task, one.title, one.worker or "-", _waited(one), _asked(one), one.command)
        for one in found
    ]
    headers = ("TASK", "TITLE", "WORKER", "WAITS", "QUESTION", "ANSWER WITH")
    return Outcome(data, table=Table(headers, rows))


def _asked(one: Question) -> str:
    options = f" [{' | '.join(one.options)}]" if one.options else ""
    return (f"{one.reason}: {one.question}" if one.question else one.reason) + options


def _waited(one: Question) -> str:
    return "-" if one.waiting_s is None else duration(one.waiting_s)
