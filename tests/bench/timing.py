"""Processes timed side by side: every round runs each case once, so that a slow minute of
the machine slows them all."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

#: Linux counts in KiB, macOS in bytes.
RSS_UNIT = 1 if os.uname().sysname == "Darwin" else 1024


class Cost(NamedTuple):
    """What one or more processes took."""

    seconds: float
    peak: int = 0
    """Largest resident set, in bytes."""
    processor: float = 0.0
    """Processor time of the process and of those that it started, in seconds."""


class Case(NamedTuple):
    """Something to time."""

    name: str
    measure: Callable[[], Cost]
    """Does it once; what it must prepare is not in the cost."""


class Failed(Exception):
    """A process that was to be timed did not do its work."""


def run(
    argv: Sequence[str], *, at: Path, env: Mapping[str, str], log: Path, codes: Sequence[int] = (0,)
) -> Cost:
    """Time `argv` in the folder `at`, from its start to its end; its output goes to `log`.

    Raises: Failed with what it said.
    """
    os.chdir(at)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    begun = time.perf_counter()
    pid = os.posix_spawnp(
        argv[0],
        list(argv),
        dict(env),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, str(log), flags, 0o600),
        ],
    )
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - begun
    if (code := os.waitstatus_to_exitcode(status)) not in codes:
        raise Failed(f"{' '.join(argv)} in {at}: exit {code}\n{log.read_text()}")
    return Cost(seconds, usage.ru_maxrss * RSS_UNIT, usage.ru_utime + usage.ru_stime)


def both(first: Cost, second: Cost) -> Cost:
    """One after the other."""
    return Cost(
        first.seconds + second.seconds,
        max(first.peak, second.peak),
        first.processor + second.processor,
    )


def rounds(cases: Sequence[Case], count: int) -> dict[str, list[Cost]]:
    """Each case `count` times, interleaved; a round before them warms the machine."""
    found: dict[str, list[Cost]] = {case.name: [] for case in cases}
    for number in range(count + 1):
        for case in cases:
            cost = case.measure()
            if number:
                found[case.name].append(cost)
    return found


def median(costs: Sequence[Cost]) -> float:
    """Seconds."""
    return statistics.median(cost.seconds for cost in costs)


def ratio(costs: Sequence[Cost], others: Sequence[Cost]) -> float:
    """How many times as long as `others`: the median over the rounds, each by itself."""
    return statistics.median(
        cost.seconds / other.seconds for cost, other in zip(costs, others, strict=True)
    )


def processor(costs: Sequence[Cost]) -> float:
    """The median processor time, in seconds."""
    return statistics.median(cost.processor for cost in costs)


def processor_ratio(costs: Sequence[Cost], others: Sequence[Cost]) -> float:
    """How many times the processor time of `others`: the median over the rounds."""
    return statistics.median(
        cost.processor / other.processor for cost, other in zip(costs, others, strict=True)
    )


def least(costs: Sequence[Cost]) -> float:
    """The least processor time, in seconds: what other work on the machine adds the least to."""
    return min(cost.processor for cost in costs)
