"""`python clocked_loop.py CLOCK NUMBER WORDS...`: `ralphgit WORDS`, by a clock of `clock`.

The clock is put in place here, in the loop's own process, before it starts. Neither a setting nor a
variable of ralphgit does that, so that no worker can: what it starts has the clock of the machine.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

from night.clock import Clock
from ralphgit.app.processes import run_program
from ralphgit.cli.main import main
from ralphgit.loop import agent_process, heartbeat_writer, waiting

#: How long a wait may be between two looks whether a stop is asked for.
_TURN_S = 30.0


def inject(clock: Clock, number: int) -> None:
    """Have what a loop measures and waits for go by the clock; git keeps its own time limits."""
    time.time = clock.now
    injected = SimpleNamespace(
        time=clock.now, monotonic=clock.now,
        sleep=lambda seconds: clock.wait(number, clock.now() + seconds),
    )  # fmt: skip
    for module in (agent_process, heartbeat_writer, run_program, waiting):
        vars(module)["time"] = injected
    vars(waiting)["_TURN_S"] = _TURN_S


if __name__ == "__main__":
    path, number = sys.argv[1:3]
    del sys.argv[1:3]
    inject(Clock(Path(path)), int(number))
    main()
