"""`run`: the loop."""

from __future__ import annotations

import gc

from ralphgit.app.workspace.heartbeat import REVIEW
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, telling
from ralphgit.errors import AwaitsPerson, NeedsPerson, RalphError, UsageError
from ralphgit.loop.loop_options import LoopOptions, Ran

Options = LoopOptions


def run(call: Call, options: LoopOptions) -> Outcome:
    from ralphgit.loop.run_loop import Loop

    gc.enable()  # `main` has switched it off for what ends soon
    refuse_none(options.max_tasks)
    if options.stack:
        options = _stacked(options)
    told = options._replace(once=options.once or bool(options.task))
    ran = Loop(call.around, told, warnings=call.warnings, say=telling(call.screen)).run()
    kept = ("done", "blocked", "lost", "why", "unlanded", "for_person")
    data = {name: value for name, value in ran._asdict().items() if name in kept}
    did = "reviewed" if told.role == REVIEW else "done"
    ended = {did: ran.done, "blocked": ran.blocked, "lost": ran.lost}
    lines = [f"{what}: {' '.join(tasks)}" for what, tasks in ended.items() if tasks]
    if left := [task for task in ran.unlanded if task not in ran.for_person]:
        how = " --land merge" if call.project().config.land_mode == "none" else ""
        lines.append(f"not landed: {' '.join(left)} (ralphgit land --all{how})")
    if ran.for_person:
        lines.append(f"not landed, and up to a person: {' '.join(ran.for_person)}")
    error = _left(ran) if ran.needs_person else None
    if not lines and ran.nothing is not None:
        return Outcome(data, error=error or ran.nothing)
    return Outcome(data, before=[*lines, f"The loop has ended: {ran.why}."], error=error)


def refuse_none(tasks: int | None) -> None:
    """Raises: UsageError for a loop that is to do no task."""
    if tasks == 0:
        raise UsageError("--max-tasks must be at least 1", hint="ralphgit next")


def _stacked(options: LoopOptions) -> LoopOptions:
    """Work that stands on what has not landed stays on its branch. Raises: UsageError."""
    if options.land not in ("", "none"):
        raise UsageError(
            f"--stack cannot be combined with --land {options.land}: a stacked loop keeps all its "
            "tasks on this branch, and what they stand on has to land first; land --all lands the "
            "branch, by a pull request into the one that it stands on where work lands by them",
            hint="ralphgit run --stack && ralphgit land --all",
        )
    return options._replace(branch="keep", land="none")


def _left(ran: Ran) -> RalphError:
    """The error of a loop that left something for a person."""
    if ran.agent_away:
        return NeedsPerson(
            f"{ran.agent_away}; no task was blocked for it", code="agent_unavailable",
            hint="ralphgit run",
        )  # fmt: skip
    if ran.budget:
        return NeedsPerson(
            f"{ran.budget}; what was begun stays as it is", code="budget_spent",
            hint="ralphgit run",
        )  # fmt: skip
    if ran.nothing is not None and ran.nothing.exit_code == NeedsPerson.exit_code:
        return ran.nothing
    wait = (*ran.blocked, *ran.for_person)
    if not wait:
        return NeedsPerson(ran.why, hint="ralphgit inbox")
    return AwaitsPerson(
        f"{', '.join(wait)} {'waits' if len(wait) == 1 else 'wait'} for a person",
        hint="ralphgit inbox", details={"blocked": list(ran.blocked)},
    )  # fmt: skip
