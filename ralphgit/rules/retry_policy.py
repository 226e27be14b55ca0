"""Decide when to try again: backoff with jitter, circuit breaker, refusals, rate limits.

Pure: time and chance are arguments.

The breaker has the three states of Nygard's "Release It!": closed (attempts go on), open
(none is made until `cooldown` seconds have passed), half-open (one is made, and decides).
"""

import re
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
    if error.code == "no_agent":
        return True
    return isinstance(error, _FINAL) and error.code not in _PASSING


# -- rate limits of an agent -----------------------------------------------------------------

_SIGNS = re.compile(
    r"(?ix) (?<!\w) rate[ _-]?limit(?:s|ed|ing)? (?:_?error|_exceeded)? (?!\w)"
    r"| too[ ]many[ ]requests | overloaded(?:_error)?"
    r"| (?:http|status|error|code) [^\n\d]{0,12} \b(?:429|529)\b | \b(?:429|529)\b [ ]* [:)\]]"
    r"| usage[ ]limit | quota[ ]exceeded | resource[ _]exhausted"
)
#: Lines in which a test's name or its result stands: what they are about is the work.
_TESTS = re.compile(r"\b(?:FAIL(?:ED|S)?|PASS(?:ED)?)\b|\btest_|\.py::|[\u2713\u2717\u2714\u2718]")
_AFTER = re.compile(
    r"(?ix) (?: retry[ _-]?after | try[ ]again[ ]in | wait ) \D{0,12}? (\d+(?:\.\d+)?) \s*"
    r"(ms|s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?)?\b"
)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_S = 6 * 3600.0
#: Only the end counts: an agent that works on rate limits writes about them, too.
_LAST_LINES = 15

#: So many in a row count as a failed attempt, and so does each that follows.
MOST_RATE_LIMITS = 8
_LONGEST_GROWN_S = 3600.0


def rate_limit(tail: str, *, usual: float) -> float | None:
    """Seconds to wait if the end of the output reports a rate limit; None if not."""
    lines = tail.splitlines()[-_LAST_LINES:]
    end = "\n".join(line for line in lines if _TESTS.search(line) is None)
    if _SIGNS.search(end) is None:
        return None
    found = _AFTER.search(end)
    if found is None:
        return usual
    unit = (found.group(2) or "s").lower()
    factor = _SECONDS["ms" if unit == "ms" else unit[0]]
    return min(_LONGEST_S, max(0.0, float(found.group(1)) * factor))


def rate_limit_pause(told: float, *, row: int, least: float) -> float:
    """Seconds to wait at the limit that is number `row` in a row, the first being 1.

    As long as it told, and at least `least` seconds, doubled each time up to an hour.
    """
    return max(told, min(_LONGEST_GROWN_S, least * 2.0 ** (row - 1)))
