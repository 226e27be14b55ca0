"""Hold the result of reading one file: its tasks, and what was changed or left out on the way."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple


class Ignored(NamedTuple):
    """Lines of a file that look like items, and are neither a task nor a part of one."""

    reason: str
    """Why they are none, without a full stop."""
    lines: tuple[int, ...]


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
    ignored: tuple[Ignored, ...] = ()
    """What was read as nothing, by reason."""
    called: bool = False
    """Its one task is called by the file, and has no id of its own."""
    rank: float = math.inf
    """Where its tasks come among those of the other files in a folder; lowest first."""
    part_of: str = ""
    """The task of another file that waits for this file's, as it is a part of it."""
    made: frozenset[str] = frozenset()
    """The ids that were made from the words: another file may have them as well."""
    in_place: bool = False
    """Nothing but a task's place in the file says when its turn is."""
    can_tick: bool = False
    """What is done can be marked in the file."""
    lines: Mapping[str, int] = MappingProxyType({})
    """By task, its line, from 1; not of every format."""
    failing: bool = False
    """Its tasks are what fails now: one that is complete here fails again."""
    as_of: str = ""
    """When that was found, with a time zone; "" where the file does not say."""
    wholes: Mapping[int, tuple[str, ...]] = MappingProxyType({})
    """By the line of an item that is open and no task, the tasks inside, with which it is done."""
    boxes: Mapping[str, tuple[int, ...]] = MappingProxyType({})
    """By task that has several boxes, their lines."""
    leads: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """By task with others inside, those that have to be done, too, before it is ticked."""


class Log:
    """Notes, left-out fields and lines while a file is read, each once, in order."""

    __slots__ = ("_dropped", "_empty", "_ignored", "_notes")

    def __init__(self) -> None:
        self._dropped: dict[str, None] = {}
        self._empty: dict[str, None] = {}
        self._notes: dict[str, None] = {}
        self._ignored: dict[str, dict[int, None]] = {}

    def drop(self, field: str) -> None:
        self._dropped[field] = None

    def empty(self, field: str) -> None:
        self._empty[field] = None

    def note(self, sentence: str) -> None:
        self._notes[sentence] = None

    def notes(self, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            self.note(sentence)

    def ignore(self, reason: str, lines: Iterable[int]) -> None:
        for line in lines:
            self._ignored.setdefault(reason, {})[line] = None

    def imported(
        self, tasks: Iterable[dict[str, object]], root: dict[str, object], *, local: bool = False
    ) -> Imported:
        if self._empty:
            self.note(f"Fields without a value were left out: {', '.join(self._empty)}.")
        named = (
            Ignored(why, tuple(sorted(lines))) for why, lines in self._ignored.items() if lines
        )
        ignored = tuple(sorted(named, key=lambda one: one.lines[0]))
        dropped, notes = tuple(self._dropped), tuple(self._notes)
        return Imported(tuple(tasks), root, dropped, notes, local, ignored=ignored)
