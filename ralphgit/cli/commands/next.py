"""`next`: what can be taken now."""

from typing import NamedTuple

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.status import local_base
from ralphgit.cli.amount import Amount
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Json, Outcome, task_table, tasks_json
from ralphgit.rules.claim_options import ClaimOptions, Priorities


class Options(NamedTuple):
    story: str = ""
    priority: Priorities | None = None
    fetch: bool = False
    amount: Amount = Amount()


def run(call: Call, options: Options) -> Outcome:
    project = call.project(fetch=options.fetch)
    local_base.warn_if_ahead(project)
    story, priority, claim_map = options.story, options.priority, ClaimMap(project)
    found = next_tasks.takeable(project, story=story, priority=priority, claim_map=claim_map)
    if not found.tasks:
        from ralphgit.app.lifecycle import idle_errors  # what is rarely needed

        asked = ClaimOptions(story=story, priority=priority)
        error = idle_errors.nothing(claim_map, asked, found)
        return Outcome(Json('{"tasks": [], "total": 0}'), error=error)
    pairs, total = options.amount.first(found.tasks), len(found.tasks)
    if call.screen.json:
        return Outcome(Json(f'{{"tasks": {tasks_json(pairs)}, "total": {total}}}'))
    return Outcome(None, table=task_table(pairs), left_off=options.amount.left_off(total))
