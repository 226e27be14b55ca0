"""`list`: the tasks of this worktree's graph."""

from typing import NamedTuple

from ralphgit.app.status import task_list
from ralphgit.cli.amount import Amount
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Json, Outcome, task_table, tasks_json


class Options(NamedTuple):
    story: str = ""
    state: str = ""
    at: str = ""
    amount: Amount = Amount()


def run(call: Call, options: Options) -> Outcome:
    story, state, at, amount = options
    every = task_list.listed(call.project(), story=story, state=state, at=at)
    pairs, total = amount.first(every), len(every)
    if call.screen.json:
        return Outcome(Json(f'{{"tasks": {tasks_json(pairs)}, "total": {total}}}'))
    return Outcome(None, table=task_table(pairs), left_off=amount.left_off(total))
