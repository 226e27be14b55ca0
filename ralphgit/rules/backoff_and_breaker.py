"""Decide when to try again: backoff with jitter, circuit breaker, refusals, limits.

Pure: time and chance are arguments.

The breaker has the three states of Nygard's "Release It!": closed (attempts go on), open
(none is made until `cooldown` seconds have passed), half-open (one is made, and decides).
"""

from typing import NamedTuple

from ralphgit.errors import GuardRefused, InvalidRecord, NeedsPerson, RalphError, UsageError


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


# -- refusals --------------------------------------------------------------------------------

#: What trying again does not change: a person has to.
_FINAL = (GuardRefused, InvalidRecord, NeedsPerson, UsageError)
#: ... but for these, which others' work brings and takes.
_PASSING = ("unsettled", "worktree_busy")
#: Other refusals (a git that was killed, a lock, a full disk) in a row, before the loop ends.
MOST_REFUSALS = 12
#: Before the next try, for each in a row.
REFUSAL_PAUSE_S = 0.5


def ends_the_loop(error: RalphError) -> bool:
    """Whether a loop has to end for what went wrong besides the work itself."""
    if error.code in ("no_agent", "broken_extension"):
        return True
    return isinstance(error, _FINAL) and error.code not in _PASSING


# -- an agent that cannot work ---------------------------------------------------------------

#: So many times in a row before its task is given back and a person is asked.
MOST_UNAVAILABLE = 3
_LONGEST_GROWN_S = 3600.0


def limit_pause(told: float | None, *, row: int, least: float, usual: float) -> float:
    """Seconds to wait at the limit that is number `row` in a row, the first being 1.

    As long as it told, else as is usual; at least `least` seconds, doubled each time up to an
    hour. There is no last one.
    """
    grown = min(_LONGEST_GROWN_S, least * 2.0 ** min(row - 1, 32))
    return max(usual if told is None else told, grown)


def away_pause(row: int, *, usual: float) -> float:
    """Seconds until an agent that a person has to help is tried again, the first time row 1."""
    return min(_LONGEST_GROWN_S, usual * 2.0 ** min(row - 1, 32))
