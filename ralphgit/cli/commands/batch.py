"""`batch`: independent tasks in groups, one group after the other: plan, run."""

import gc
from typing import NamedTuple

from ralphgit.app.status import batch_plan
from ralphgit.app.workspace.project import Project
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, telling
from ralphgit.errors import AwaitsPerson, NothingReady, RalphError, Refused, UsageError

_MOST = 64
#: What a result may not have, null in JSON.
_MAYBE = ("worker", "claim", "command")


class Options(NamedTuple):
    action: str
    story: str = ""
    at_once: int | None = None
    assume: bool = False
    limit: int | None = None
    agent: str = ""


def run(call: Call, options: Options) -> Outcome:
    if options.at_once is not None and not 0 < options.at_once <= _MOST:
        raise UsageError(f"--at-once is 1 to {_MOST}", hint="ralphgit batch plan --at-once 3")
    return _plan(call.project(), options) if options.action == "plan" else _run(call, options)


def _plan(project: Project, options: Options) -> Outcome:
    planned = batch_plan.plan(
        project, story=options.story, at_once=options.at_once or 0, assume=options.assume
    )
    groups = planned.plan.groups[: options.limit]
    rows = planned.claim_map.base.by_id
    lines, notes, left = [], [], []
    for number, group in enumerate(groups, 1):
        first = rows[group[0]]
        note = first.mode if first.mode != "parallel" else ""
        if not (note or first.write or options.assume):
            note = "no write scope: alone"
        notes.append(note)
        lines.append(f"{number}: {' '.join(group)}{f' ({note})' if note else ''}")
    for task, waits in planned.plan.left.items():
        state = planned.claim_map.task_states[task].state
        waits_for = f" waits for {', '.join(waits)}" if waits else ""
        unprovided = planned.unprovided.get(task)
        needs = unprovided.needs if unprovided is not None else ()
        needing = f" needs {', '.join(needs)}, which is not provided here" if needs else ""
        lines.append(f"left: {task} ({state}){waits_for}{needing}")
        left.append({"task": task, "state": state, "waits_for": waits, "needs": needs})
    data = {"groups": groups, "notes": notes, "left": left}
    return Outcome(data, before=lines or ["Nothing is left to be done."])


def _run(call: Call, options: Options) -> Outcome:
    from ralphgit.loop.batch import Batch, BatchOptions

    gc.enable()  # `main` has switched it off for what ends soon
    told = BatchOptions(options.story, options.agent, options.at_once or 0, options.assume)
    ran = Batch(call.around, told, warnings=call.warnings, say=telling(call.screen)).run()
    word = " ".join(["BATCH_COMPLETE", *(f"{one.task}={one.outcome}" for one in ran)])
    tasks = [
        {**one._asdict(), **{name: getattr(one, name) or None for name in _MAYBE}} for one in ran
    ]
    lines = [safe(one.sentence) for one in ran if one.why]
    found = {one.outcome: one for one in reversed(ran)}
    error: RalphError | None = None
    if one := found.get("failed"):
        hint = "ralphgit status"
        said = f"{one.task} failed, also alone (see .ralph/batch/progress.md)"
        error = Refused(said, code="failed", hint=hint)
    elif one := found.get("blocked"):
        error = AwaitsPerson(f"{one.task} waits for a person", code="blocked",
                             hint=one.command or "ralphgit inbox")  # fmt: skip
    elif one := found.get("waiting"):
        error = NothingReady(f"{one.task} could not be begun", hint="ralphgit batch plan")
    return Outcome({"tasks": tasks, "complete": word}, before=lines, error=error, last=word)
