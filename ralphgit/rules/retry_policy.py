"""When to try again: backoff with jitter, and a circuit breaker. Pure: time and chance are
arguments.

The breaker has the three states of Nygard's "Release It!": closed (attempts go on), open
(none is made until `cooldown` seconds have passed), half-open (one is made, and decides).
"""

from typing import NamedTuple


def backoff(failures: int, *, base: float, cap: float, chance: float) -> float:
    """Seconds to wait after so many failures in a row, the first being 1.

    Doubles each time up to `cap`, of which half to all is waited, by `chance` (0 to 1): eight
    loops that failed together do not come back together.
    """
    if failures < 1:
        return 0.0
    whole = min(cap, base * 2.0 ** min(failures - 1, 32))
    return whole * (0.5 + chance / 2)


class Breaker(NamedTuple):
    """The state of a circuit breaker, as it is kept on disk."""

    failures: int = 0
    """Failed attempts in a row, whatever their task."""
    opened: float = 0.0
    """When it opened, in seconds since 1970; 0 while it is closed."""

    def state(self, now: float, *, cooldown: float) -> str:
        """closed, open or half-open."""
        if not self.opened:
            return "closed"
        return "open" if now < self.opened + cooldown else "half-open"

    def failed(self, now: float, *, limit: int) -> "Breaker":
        """After one more failed attempt; the one of a half-open breaker opens it again."""
        failures = self.failures + 1
        opened = now if self.opened or failures >= limit else 0.0
        return Breaker(failures, opened)

    def wait(self, now: float, *, cooldown: float) -> float:
        """Seconds until an attempt may be made."""
        return max(0.0, self.opened + cooldown - now) if self.opened else 0.0


CLOSED = Breaker()
