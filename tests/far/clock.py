"""`python clock.py HOURS BEAT_S WORDS...`: ralphgit with a clock that is wrong by HOURS.

The heartbeat goes to the remote every BEAT_S seconds and not every minute, so that what takes an
hour in life takes seconds here.
"""

from __future__ import annotations

import sys
import time

from ralphgit.cli.main import main
from ralphgit.loop import remote_beat


def run() -> None:
    """Set the clock and the pace, and run what was asked for."""
    _, hours, beat, *words = sys.argv
    now, shift = time.time, float(hours) * 3600
    time.time = lambda: now() + shift
    remote_beat.INTERVAL_S = float(beat)
    sys.argv = ["ralphgit", *words]
    main()


if __name__ == "__main__":
    run()
