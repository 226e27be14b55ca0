"""`list`: the tasks of this worktree's graph."""

from typing import NamedTuple

from ralphgit.app.status import task_list
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Json, Outcome, task_table, tasks_json


class Options(NamedTuple):
    story: str = ""
    state: str = ""
    at: str = ""


def run(call: Call, options: Options) -> Outcome:
    pairs = task_list.listed(call.project(), **options._asdict())
    if call.screen.json:
        return Outcome(Json('{"tasks": ' + tasks_json(pairs) + "}"))
    return Outcome(None, table=task_table(pairs))
