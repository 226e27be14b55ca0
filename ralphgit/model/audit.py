"""Who changed what (SPEC 3.3)."""

from typing import NamedTuple


class Event(NamedTuple):
    """One change in the life of an attempt at a task."""

    at: str
    event: str
    by: str
    from_: str
    to: str
    note: str = ""
