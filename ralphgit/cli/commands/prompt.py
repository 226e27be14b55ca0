"""`prompt`: the text that an agent would get for a task."""

from typing import NamedTuple

from ralphgit.app.handoff import prompt
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, stored_task
from ralphgit.rules.claim_options import Priorities


class Options(NamedTuple):
    task: str = ""
    story: str = ""
    priority: Priorities | None = None


def run(call: Call, options: Options) -> Outcome:
    task, story, priority = options
    found = prompt.prompt(call.project(), task, story=story, priority=priority)
    data = stored_task(found.row, found.task_state, prompt=found.text)
    return Outcome(data, before=found.text.splitlines())
