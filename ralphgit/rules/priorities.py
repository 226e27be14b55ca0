"""The priorities that are asked for: `2`, `0-1`, `0,3`."""

import re

from ralphgit.errors import UsageError

#: 0 is the most urgent.
ALL = range(6)
_PART = re.compile(r"([0-5])(?:-([0-5]))?", re.ASCII)

Priorities = frozenset[int]


def parse(text: str) -> Priorities:
    """Read RANGE: one priority, a range with both its ends, or several of either.

    Raises: UsageError for anything else, and for a range that ends before it begins.
    """
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        first, last = (match[1], match[2] or match[1]) if match else ("1", "0")
        if first > last:
            raise UsageError(
                f"{text!r} is not a range of priorities (0 to 5)",
                hint="--priority 2, --priority 0-1 or --priority 0,3",
            )
        found.update(range(int(first), int(last) + 1))
    return frozenset(found)
