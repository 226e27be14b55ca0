"""`next`: what can be taken now."""

from typing import NamedTuple

from ralphgit.app.active_claims import next_tasks
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Json, Outcome, task_table, tasks_json


class Options(NamedTuple):
    story: str = ""
    priority: int | None = None
    fetch: bool = False
    limit: int | None = None


def run(call: Call, options: Options) -> Outcome:
    project = call.project(fetch=options.fetch)
    found = next_tasks.takeable(project, story=options.story, priority=options.priority)
    pairs = found.tasks[: options.limit]
    if not pairs:
        from ralphgit.app.lifecycle import claim_errors  # imports every reason that there is

        error = claim_errors.nothing_to_take(found.obstacle)
        return Outcome(Json('{"tasks": []}'), error=error)
    return Outcome(
        Json('{"tasks": ' + tasks_json(pairs) + "}"),
        table=task_table(pairs) if not call.screen.json else None,
    )
