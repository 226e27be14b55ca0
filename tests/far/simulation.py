"""How many tasks a minute many workers do, from what one of them takes.

A worker's round is: its agent waits, it computes, and it lands. What it computes goes slower where
more workers share the processors than there are. A landing is tried again where another one came in
between: git's remote takes one step of the base at a time.
"""

from __future__ import annotations

import random
from typing import NamedTuple

_STEP_S = 0.05


class Cost(NamedTuple):
    """What one task takes."""

    sleep: float
    """Seconds in which its agent needs no processor."""
    busy: float
    """Seconds of the rest, the landing left out, where nobody is in the way."""
    landing: float
    """Seconds of a landing that nobody disturbs."""
    cpu: float
    """Processor seconds."""


def rate(cost: Cost, *, workers: int, cores: float, seconds: float = 900.0, seed: int = 1) -> float:
    """Tasks a minute. `cores`: of the one machine that all share; 0 where each has its own."""
    chance = random.Random(seed)
    share = cost.cpu / (cost.busy + cost.landing)  # of a core, while it is busy
    phase = ["sleep"] * workers
    left = [chance.uniform(0, cost.sleep + cost.busy) for _ in range(workers)]
    seen = [0] * workers
    landed, counted, now, warm = 0, 0, 0.0, seconds / 3
    while now < seconds:
        now += _STEP_S
        active = sum(one != "sleep" for one in phase)
        speed = min(1.0, cores / (active * share)) if cores and active else 1.0
        for n in range(workers):
            left[n] -= _STEP_S * (1.0 if phase[n] == "sleep" else speed)
            if left[n] > 0:
                continue
            if phase[n] == "sleep":
                phase[n], left[n] = "busy", cost.busy
            elif phase[n] == "busy":
                phase[n], left[n], seen[n] = "land", cost.landing, landed
            elif seen[n] != landed and cost.landing:
                left[n], seen[n] = cost.landing * chance.uniform(0.4, 0.6), landed
            else:
                landed += 1
                counted += now > warm
                phase[n], left[n] = "sleep", cost.sleep
    return counted / (seconds - warm) * 60
