"""`prompt`: what an agent would be told about a task."""

from __future__ import annotations

import json

from ralphgit.app.base import opening
from ralphgit.app.handoff import prompt
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Json, Outcome, Screen, task_json
from ralphgit.model.ids import parse_task_id


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    priority = options.get("priority")
    found = prompt.prompt(
        opening.project(around, warnings),
        parse_task_id(str(options["task"])) if "task" in options else "",
        story=str(options.get("story", "")),
        priority=priority if isinstance(priority, int) else None,
    )
    task = task_json(found.row, found.task_state)
    return Outcome(
        Json(f'{{"task": {task}, "prompt": {json.dumps(found.text)}}}'),
        before=found.text.splitlines(),
    )
