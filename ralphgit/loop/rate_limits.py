"""Rate limits: how they look in an agent's output, and how long to wait."""

from __future__ import annotations

import re

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
MOST_IN_A_ROW = 8
_LONGEST_GROWN_S = 3600.0


def wait(tail: str, *, usual: float) -> float | None:
    """Seconds to wait where the end of the output tells of a rate limit; None where not."""
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


def pause(told: float, *, row: int, least: float) -> float:
    """Seconds to wait at the limit that is number `row` in a row, the first being 1.

    As long as it told, and at least `least` seconds, doubled each time up to an hour.
    """
    return max(told, min(_LONGEST_GROWN_S, least * 2.0 ** (row - 1)))
