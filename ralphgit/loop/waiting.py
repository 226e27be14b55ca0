"""Wait for work, after failures, or while the breaker is open; a stop ends every wait."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from ralphgit.app.workspace import runtime_files
from ralphgit.loop import stop
from ralphgit.loop.event_log import Journal
from ralphgit.loop.heartbeat_writer import HeartbeatWriter
from ralphgit.loop.loop_options import Say
from ralphgit.model.config import Config
from ralphgit.rules.backoff_and_breaker import backoff

_LONGEST_BACKOFF_S = 300.0
_TURN_S = 0.2
#: Between two looks whether what is waited for has come early.
_LOOK_S = 2.0


class Pauses:
    """The waits of one loop."""

    def __init__(self, top: str, beat: HeartbeatWriter, journal: Journal, say: Say) -> None:
        self._top, self._beat, self._journal, self._say = top, beat, journal, say
        self._chance = random.Random()

    def stop_wanted(self) -> bool:
        return stop.wanted(self._top)

    def wait(self, seconds: float, phase: str, why: str = "") -> None:
        """Wait for some seconds, or until a stop is asked for; `why` is shown with the end."""
        self._beat.phase(phase, why=why, until=time.time() + seconds if why else 0.0)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self.stop_wanted():
            time.sleep(min(left, _TURN_S))

    def until(
        self, at: float, phase: str, why: str, *, now: Callable[[], float],
        over: Callable[[], bool] = lambda: False, end: float = 0.0,
    ) -> None:  # fmt: skip
        """Wait until a time by the clock, for `why`; a stop ends it early, and so may `over`.

        Shown is when it will have an `end`, where that is later.
        """
        self._beat.phase(phase, why=why, until=end or at)
        look = 0.0
        while (left := at - now()) > 0 and not self.stop_wanted():
            if now() >= look:
                if over():
                    break
                look = now() + _LOOK_S
            time.sleep(min(left, _TURN_S))

    def after_failure(self, failures: int, config: Config, why: str = "") -> None:
        """Wait after a failure: exponential backoff with jitter."""
        chance = self._chance.random()
        base = config.loop_backoff
        seconds = backoff(failures, base=base, cap=_LONGEST_BACKOFF_S, chance=chance)
        self.wait(seconds, "backoff", why)

    def for_work(self, config: Config) -> None:
        """Wait before looking for work again; loops do not all look at the same moment."""
        self.wait(config.loop_idle * self._chance.uniform(0.5, 1.0), "idle")

    def for_breaker(self, config: Config) -> bool:
        """Wait while the circuit breaker is open; True if a stop was asked for meanwhile."""
        state = runtime_files.breaker(self._top)
        seconds = state.wait(time.time(), cooldown=config.loop_cooldown)
        if seconds:
            self._journal.write("breaker", failures=state.failures, seconds=round(seconds))
            failures = "1 failure" if state.failures == 1 else f"{state.failures} failures in a row"
            self._say(f"{failures}: pausing {seconds:.0f} s")
            self.wait(seconds, "breaker open", f"the circuit breaker is open ({failures})")
        return bool(seconds) and self.stop_wanted()
