"""`run`: the loop."""

from __future__ import annotations

import gc

from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, telling
from ralphgit.errors import NothingReady, UsageError
from ralphgit.loop.loop_options import LoopOptions

Options = LoopOptions


def run(call: Call, options: LoopOptions) -> Outcome:
    from ralphgit.loop.run_loop import Loop

    gc.enable()  # `main` has switched it off for what ends soon
    if options.max_tasks == 0:
        raise UsageError(
            "--max-tasks must be at least 1", hint="ralphgit next shows, and does nothing"
        )
    told = options._replace(once=options.once or bool(options.task))
    ran = Loop(call.around, told, warnings=call.warnings, say=telling(call.screen)).run()
    data = ran._asdict()
    ended = {"done": ran.done, "blocked": ran.blocked, "lost": ran.lost}
    lines = [f"{what}: {' '.join(tasks)}" for what, tasks in ended.items() if tasks]
    if ran.unlanded:
        lines.append(f"not landed: {' '.join(ran.unlanded)} (ralphgit land --all)")
    if not lines and ran.why.startswith("nothing is ready"):
        return Outcome(data, error=NothingReady(ran.why, hint="ralphgit status"))
    return Outcome(data, before=[*lines, f"The loop has ended: {ran.why}."])
