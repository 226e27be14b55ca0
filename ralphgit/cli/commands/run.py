"""`run`: the loop."""

from __future__ import annotations

import gc

from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, telling
from ralphgit.errors import NothingReady, UsageError


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    from ralphgit.loop.loop_options import LoopOptions
    from ralphgit.loop.run_loop import Loop

    gc.enable()  # `main` has switched it off for what ends soon

    number, priority = options.get("max_tasks"), options.get("priority")
    if number == 0:
        raise UsageError("--max-tasks is at least 1", hint="ralphgit next shows, and does nothing")
    ran = Loop(
        around,
        LoopOptions(
            once=bool(options.get("once") or options.get("task")),
            max_tasks=number if isinstance(number, int) else 0,
            task=str(options.get("task", "")),
            story=str(options.get("story", "")),
            priority=priority if isinstance(priority, int) else None,
            agent=str(options.get("agent", "")),
            land=str(options.get("land", "")),
            idle=str(options.get("idle", "exit")),
            branch=str(options.get("branch", "task")),
        ),
        warnings=warnings,
        say=telling(screen),
    ).run()
    data = {"done": ran.done, "blocked": ran.blocked, "lost": ran.lost, "why": ran.why}
    lines = [
        f"{what}: {' '.join(tasks)}"
        for what, tasks in (("done", ran.done), ("blocked", ran.blocked), ("lost", ran.lost))
        if tasks
    ]
    if not lines and ran.why.startswith("nothing is ready"):
        return Outcome(data, error=NothingReady(ran.why, hint="ralphgit status"))
    return Outcome(data, before=[*lines, f"The loop has ended: {ran.why}."])
