"""`run`: the loop."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from ralphgit.app.project import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe
from ralphgit.errors import NothingReady, UsageError


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    from ralphgit.loop.options import Options
    from ralphgit.loop.runner import Loop

    # A terminal that closes ends the loop as SIGTERM does: in good order.
    signal.signal(signal.SIGHUP, _hang_up)

    def say(text: str) -> None:
        if not screen.quiet:
            print(safe(text), file=sys.stderr, flush=True)

    number, priority = options.get("max_tasks"), options.get("priority")
    if number == 0:
        raise UsageError("--max-tasks is at least 1", hint="ralphgit next shows, and does nothing")
    ran = Loop(
        around,
        Options(
            once=bool(options.get("once")),
            max_tasks=number if isinstance(number, int) else 0,
            story=str(options.get("story", "")),
            priority=priority if isinstance(priority, int) else None,
            agent=str(options.get("agent", "")),
            land=str(options.get("land", "")),
            idle=str(options.get("idle", "exit")),
            branch=str(options.get("branch", "task")),
        ),
        warnings=warnings,
        say=say,
    ).run()
    data = {"done": ran.done, "blocked": ran.blocked, "lost": ran.lost, "why": ran.why}
    lines = [
        f"{what}: {' '.join(tasks)}"
        for what, tasks in (("done", ran.done), ("blocked", ran.blocked), ("lost", ran.lost))
        if tasks
    ]
    if not lines and ran.why == "nothing is ready":
        return Outcome(data, error=NothingReady("nothing is ready", hint="ralphgit status"))
    return Outcome(data, before=[*lines, f"The loop has ended: {ran.why}."])


def _hang_up(_number: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGTERM)
