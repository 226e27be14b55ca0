"""What a claim is asked for, and whether a task is among it.

`next` needs this alone, and is too fast to import every reason to refuse (`rules.claim_verdict`).
"""

from typing import NamedTuple

from ralphgit.model.task_row import Row


class ClaimOptions(NamedTuple):
    """What `claim` may be told."""

    task: str = ""
    """"" takes the next ready task."""
    story: str = ""
    priority: int | None = None
    """Only tasks of this priority or a more urgent one."""
    fetch: bool = True
    stack: bool = False
    """Accept dependencies that are complete on this branch only."""
    force: str = ""
    """A reason to pass the guards; it goes into the audit."""


class OutsideFilter(NamedTuple):
    """The task is not of the story or priority that was asked for."""

    task: str
    story: str = ""
    """The story that was asked for; "" where the priority is the reason."""
    priority: int = 0
    """The task's own."""


def outside_filter(row: Row, options: ClaimOptions) -> OutsideFilter | None:
    """Whether a task is of another story, or less urgent, than what was asked for."""
    if options.story and row.story != options.story:
        return OutsideFilter(row.id, options.story)
    if options.priority is not None and row.priority > options.priority:
        return OutsideFilter(row.id, priority=row.priority)
    return None
