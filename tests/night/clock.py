"""A clock that several processes share, and that leaps while all of them wait.

It runs as any other while something is done; whoever only waits says until when, and once
everybody waits it is set to the first of these times. A file of numbers: how far it is ahead, and
for each process until when it waits (0: it does not). Standard library alone, for the agent.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Iterable
from pathlib import Path

_real, _pause = time.time, time.sleep
_LOOK_S = 0.004


class Clock:
    """The clock in a file, as one process sees it."""

    def __init__(self, path: Path) -> None:
        with open(path, "r+b") as file:
            self._cells = memoryview(mmap.mmap(file.fileno(), 0)).cast("d")

    @staticmethod
    def create(path: Path, *, waiters: int, at: float) -> Clock:
        """Make a clock that shows `at`, in seconds since 1970, for so many that may wait."""
        path.write_bytes(bytes(8 * (1 + waiters)))
        made = Clock(path)
        made._cells[0] = at - _real()
        return made

    def now(self) -> float:
        return _real() + self._cells[0]

    def wait(self, waiter: int, until: float) -> None:
        """Wait until it shows `until`."""
        self._cells[1 + waiter] = until
        while self.now() < until:
            _pause(_LOOK_S)
        self._cells[1 + waiter] = 0.0

    def leap(self, waiters: Iterable[int], also: Iterable[float] = ()) -> None:
        """Where all of these wait, go on to the first time that one of them waits for.

        At none of the times in `also` it is passed by.
        """
        until = [self._cells[1 + waiter] for waiter in waiters]
        if until and all(until):
            self._cells[0] += max(0.0, min([*until, *also]) - self.now())
        _pause(_LOOK_S)
