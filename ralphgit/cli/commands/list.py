"""`list`: the tasks of this worktree's graph."""

from __future__ import annotations

from ralphgit.app.base import opening
from ralphgit.app.status import task_list
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Json, Outcome, Screen, task_table, tasks_json


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    pairs = task_list.listed(
        opening.project(around, warnings),
        story=str(options.get("story", "")),
        state=str(options.get("state", "")),
        at=str(options.get("at", "")),
    )
    if screen.json:
        return Outcome(Json('{"tasks": ' + tasks_json(pairs) + "}"))
    return Outcome(None, table=task_table(pairs))
