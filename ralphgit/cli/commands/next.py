"""`next`: what can be taken now."""

from __future__ import annotations

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.base import opening
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Json, Outcome, Screen, task_table, tasks_json
from ralphgit.errors import NothingReady


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = opening.project(around, warnings, fetch=bool(options.get("fetch")))
    found = next_tasks.takeable(
        project, story=str(options.get("story", "")), priority=options.get("priority")
    )
    limit = options.get("limit")
    pairs = found.tasks[:limit] if isinstance(limit, int) else found.tasks
    if not pairs:
        error = NothingReady("nothing is ready", hint=found.why or "ralphgit status")
        return Outcome(Json('{"tasks": []}'), error=error)
    return Outcome(
        Json('{"tasks": ' + tasks_json(pairs) + "}"),
        table=task_table(pairs) if not screen.json else None,
    )
