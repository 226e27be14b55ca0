"""What a loop needs, memory and open files, as it goes on."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from subprocess import Popen
from typing import NamedTuple

import psutil

#: So much more than in the beginning is a leak.
_MOST = 1.25
#: Seconds from one look to the next.
_EVERY = 1.0
#: A shorter run says nothing.
_FEWEST = 40


class Seen(NamedTuple):
    """A process at one moment."""

    memory: int
    """Bytes, resident."""
    files: int


class Footprint:
    """Looks at loops now and then, and compares the second quarter of what it saw with the last."""

    def __init__(self) -> None:
        self._seen: list[Seen] = []
        self._next = 0.0

    def look(self, loops: Mapping[str, Popen[bytes]]) -> None:
        """Take down what each loop has now, if it is time for it."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY
        for process in loops.values():
            try:
                one = psutil.Process(process.pid)
                self._seen.append(Seen(one.memory_info().rss, one.num_fds()))
            except psutil.Error:
                continue  # it has ended

    def __str__(self) -> str:
        memory, files = ([*column] for column in zip(*self._seen, strict=True))
        return (
            f"memory of a loop {min(memory) >> 20} to {max(memory) >> 20} MB, "
            f"open files {min(files)} to {max(files)}, {len(self._seen)} looks; "
            f"{_said('memory', memory)}, {_said('open files', files)}"
        )

    def grown(self) -> list[str]:
        """What is more in the end than it was, where there is enough to compare."""
        if len(self._seen) < _FEWEST:
            return []
        columns = zip(*self._seen, strict=True)
        named = zip(("memory", "open files"), columns, strict=True)
        return [f"a loop's {_said(what, one)}" for what, one in named if _ratio(one) > _MOST]


def _ratio(seen: tuple[int, ...] | list[int]) -> float:
    quarter = max(1, len(seen) // 4)
    return statistics.median(seen[-quarter:]) / statistics.median(
        seen[quarter : 2 * quarter] or seen
    )


def _said(what: str, seen: tuple[int, ...] | list[int]) -> str:
    return f"{what} of the last quarter {_ratio(seen):.2f} times that of the second"
