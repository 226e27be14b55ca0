"""The options of a claim, and whether a task matches them.

`next` needs this alone, and is too fast to import every reason to refuse (`rules.claim_verdict`).
"""

from typing import NamedTuple

from ralphgit.model.task_row import Row
from ralphgit.rules.priorities import Priorities


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
