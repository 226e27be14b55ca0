"""The options of a claim, and whether a task matches them.

`next` needs this alone, and is too fast to import every reason to refuse (`rules.claim_verdict`).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.errors import UsageError
from ralphgit.model.task_row import Row

#: Each from 0, the most urgent, to 5.
Priorities = frozenset[int]
_PART = r"([0-5])(?:-([0-5]))?"


class ClaimOptions(NamedTuple):
    """The options of `claim`."""

    task: str = ""
    """"" takes the next ready task."""
    story: str = ""
    priority: Priorities | None = None
    """Only tasks of one of these priorities."""
    fetch: bool = True
    stack: bool = False
    """Accept dependencies that are complete on this branch only."""
    wait: float | None = None
    """Seconds to wait while others work on what is left; None does not wait."""
    force: str = ""
    """A reason to pass the guards; it goes into the audit."""


def is_wanted(row: Row, options: ClaimOptions) -> bool:
    """Whether a task is of the story, and of a priority, that was asked for."""
    if options.story not in ("", row.story):
        return False
    return options.priority is None or row.priority in options.priority


class Unprovided(NamedTuple):
    """A task that needs what the worker who asks does not provide."""

    task: str
    needs: tuple[str, ...]
    """All that it needs."""
    by: tuple[str, ...] = ()
    """The workers with a running loop that provide all that the task needs."""

    @property
    def sentence(self) -> str:
        """Say so."""
        who = f"; {', '.join(self.by)} can take it" if self.by else ""
        return f"{self.task} needs {', '.join(self.needs)}, which is not all provided here{who}"


def lacking(row: Row, provides: Sequence[str]) -> tuple[str, ...]:
    """What a task needs and `provides` has not got."""
    return tuple(one for one in row.needs if one not in provides)


def priorities(text: str) -> Priorities:
    """Read RANGE: one priority, a range with both its ends, or several of either.

    Raises: UsageError for anything else, and for a range that ends before it begins.
    """
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(_PART, part.strip())
        first, last = (match[1], match[2] or match[1]) if match else ("1", "0")
        if first > last:
            raise UsageError(
                f"{text!r} is not a range of priorities (0 to 5)",
                hint="--priority 2, --priority 0-1 or --priority 0,3",
            )
        found.update(range(int(first), int(last) + 1))
    return frozenset(found)
