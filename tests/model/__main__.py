"""`python -m model [--steps N] [--seed S]`: many short machines, N steps in all.

Prints the seed and the figures; of a machine that does not hold, the shortest one that Hypothesis
found, with every command and its answer, and the exit code is 1. Ids of claims are random, so that
a seed makes the same machines only as far as no order of ids decides anything.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from model.machine import Machine, Wrong

#: The steps of one machine.
LENGTH = 40


def run(
    steps: int, seed: int, *, machines: int = 6, length: int = LENGTH, shrink: bool = True
) -> None:
    """Run machines until so many steps have done something. Raises: Wrong."""
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    begun = Machine.counts.total()
    while Machine.counts.total() - begun < steps:
        # The first machine of a run is one that does nothing.
        bounds = settings(
            max_examples=machines, stateful_step_count=length, deadline=None, database=None,
            phases=phases, suppress_health_check=list(HealthCheck), print_blob=False,
        )  # fmt: skip
        machine = hypothesis.seed(seed)(type("Seeded", (Machine,), {}))
        run_state_machine_as_test(machine, settings=bounds)
        seed += 1


def main() -> int:
    """Run them; the exit code."""
    reader = argparse.ArgumentParser(prog="model", description=__doc__)
    reader.add_argument("--steps", type=int, default=10_000, help="in all; default: 10000")
    reader.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**8))
    reader.add_argument("--no-shrink", action="store_true", help="the first that does not hold")
    words = reader.parse_args()
    print(f"seed {words.seed}, {words.steps} steps", flush=True)
    begun, wrong, stopped = time.monotonic(), "", ""
    try:
        run(words.steps, words.seed, shrink=not words.no_shrink)
    except Wrong as error:
        wrong = str(error)
    except KeyboardInterrupt:
        stopped = "stopped by hand: "
    if wrong:
        print(wrong)
    what = ", ".join(f"{name} {count}" for name, count in Machine.counts.most_common())
    print(
        f"{stopped}{Machine.counts.total()} events ({what}), "
        f"{Machine.commits} commits of the base, "
        f"{'one machine does not hold' if wrong else 'no violation'}, "
        f"{time.monotonic() - begun:.0f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
