"""Hold the result of reading one file: its tasks, and what was changed or left out on the way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Imported(NamedTuple):
    """One file of another tool in our terms."""

    tasks: tuple[dict[str, object], ...]
    """In file order; keys in canonical order, then the fields that are not ours."""
    root: dict[str, object]
    """The root keys to keep beside `tasks`: stories, milestones and what is not ours."""
    dropped: tuple[str, ...]
    """Derived fields left out, such as `meta` or `nodes[].ready`."""
    notes: tuple[str, ...]
    """What was changed, kept aside or left out, one sentence each."""
    local: bool = False
    """The ids mean something within the file only, such as 1.1 of a task list."""
    stored: bool = False
    """The file is a graph of ours: the graph's own reader has the last word on it."""


class Log:
    """Notes and left-out fields while a file is read, each once, in order."""

    __slots__ = ("_dropped", "_empty", "_notes")

    def __init__(self) -> None:
        self._dropped: dict[str, None] = {}
        self._empty: dict[str, None] = {}
        self._notes: dict[str, None] = {}

    def drop(self, field: str) -> None:
        self._dropped[field] = None

    def empty(self, field: str) -> None:
        self._empty[field] = None

    def note(self, sentence: str) -> None:
        self._notes[sentence] = None

    def imported(
        self, tasks: Iterable[dict[str, object]], root: dict[str, object], *, local: bool = False
    ) -> Imported:
        if self._empty:
            self.note(f"Fields without a value were left out: {', '.join(self._empty)}.")
        return Imported(tuple(tasks), root, tuple(self._dropped), tuple(self._notes), local)
