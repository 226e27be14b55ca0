"""`batch`: independent tasks in groups, one group after the other: plan, run."""

from __future__ import annotations

import gc

from ralphgit.app.base import opening
from ralphgit.app.status import batch_plan
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe, telling
from ralphgit.cli.subcommands import action_of
from ralphgit.errors import NeedsPerson, NothingReady, RalphError, Refused, UsageError

_TAKES = {"plan": {"limit"}, "run": {"agent"}}
_MOST = 64


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    action = action_of("batch", _TAKES, options)
    number = options.get("at_once")
    if isinstance(number, int) and not 0 < number <= _MOST:
        raise UsageError(f"--at-once is 1 to {_MOST}", hint="ralphgit batch plan --at-once 3")
    at_once, story = number if isinstance(number, int) else 0, str(options.get("story", ""))
    if action == "plan":
        limit = options.get("limit")
        return _plan(opening.project(around, warnings), story, at_once, limit)
    return _run(around, story, at_once, str(options.get("agent", "")), warnings, screen)


def _plan(project: Project, story: str, at_once: int, limit: object) -> Outcome:
    planned = batch_plan.plan(project, story=story, at_once=at_once)
    groups = planned.plan.groups[: limit if isinstance(limit, int) else None]
    rows = planned.claim_map.base.by_id
    lines = []
    for number, group in enumerate(groups, 1):
        mode = rows[group[0]].mode
        note = f" ({mode})" if mode != "parallel" else ""
        lines.append(f"{number}: {' '.join(group)}{note}")
    for task, waits in planned.plan.left.items():
        state = planned.claim_map.task_states[task].state
        waits_for = f" waits for {', '.join(waits)}" if waits else ""
        lines.append(f"left: {task} ({state}){waits_for}")
    data = {
        "groups": [list(group) for group in groups],
        "left": [
            {"task": task, "state": planned.claim_map.task_states[task].state,
             "waits_for": list(waits)}
            for task, waits in planned.plan.left.items()
        ],
    }  # fmt: skip
    return Outcome(data, before=lines or ["Nothing is left to be done."])


def _run(
    around: Surroundings, story: str, at_once: int, agent: str, warnings: list[str], screen: Screen
) -> Outcome:
    from ralphgit.loop.batch import Batch, BatchOptions

    gc.enable()  # `main` has switched it off for what ends soon
    told = BatchOptions(story, agent, at_once)
    ran = Batch(around, told, warnings=warnings, say=telling(screen)).run()
    word = " ".join(["BATCH_COMPLETE", *(f"{one.task}={one.outcome}" for one in ran)])
    tasks = [{**one._asdict(), "worker": one.worker or None, "claim": one.claim or None}
             for one in ran]  # fmt: skip
    lines = [safe(one.sentence) for one in ran if one.why]
    found = {one.outcome: one.task for one in reversed(ran)}
    error: RalphError | None = None
    if task := found.get("failed"):
        error = Refused(
            f"{task} failed, also alone",
            code="failed",
            hint="ralphgit status; .ralph/batch/progress.md says more",
        )
    elif "blocked" in found:
        error = NeedsPerson(f"{found['blocked']} waits for a person", code="blocked",
                            hint="ralphgit inbox")  # fmt: skip
    elif task := found.get("waiting"):
        error = NothingReady(f"{task} could not be begun", hint="ralphgit batch plan")
    return Outcome({"tasks": tasks, "complete": word}, before=lines, error=error, last=word)
