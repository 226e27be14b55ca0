"""`prompt`: what an agent would be told about a task."""

from __future__ import annotations

import json
from typing import NamedTuple

from ralphgit.app.handoff import prompt
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Json, Outcome, task_json


class Options(NamedTuple):
    task: str = ""
    story: str = ""
    priority: int | None = None


def run(call: Call, options: Options) -> Outcome:
    found = prompt.prompt(
        call.project(), options.task, story=options.story, priority=options.priority
    )
    task = task_json(found.row, found.task_state)
    return Outcome(
        Json(f'{{"task": {task}, "prompt": {json.dumps(found.text)}}}'),
        before=found.text.splitlines(),
    )
