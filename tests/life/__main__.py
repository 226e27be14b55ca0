"""`python -m life [SEQUENCES] [--events E]`: repositories go through random events.

Prints the seed, the figures, and of each sequence that does not hold its seed, what happened
in it and what is wrong; the exit code is 1 where there is one. Ids of claims are random, so that a
seed makes the same sequence only as far as no order of ids decides anything.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from life import ending
from life.events import KINDS
from life.field import Field, Unexpected
from life.model import May, Model


class Life:
    """One sequence; what happened, and what is wrong."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.field = Field(folder, self.chance, remote=self.chance.random() < 0.5)
        self.model = Model(self.field.look(), self.field.taken)
        self.happened: list[str] = []
        self.wrong: list[str] = []
        self.counts: Counter[str] = Counter()

    def run(self, events: int) -> list[str]:
        """Let so many events happen, and everybody go; what is wrong."""
        names, weights = list(KINDS), [kind.weight for kind in KINDS.values()]
        try:
            while len(self.happened) < events and not self.wrong:
                (name,) = self.chance.choices(names, weights)
                kind = KINDS[name]
                self.field.old_ways = False
                told = kind.run(self.field)
                if told:
                    self.counts[name] += 1
                    old_ways = May.TAKE | May.REOPEN if self.field.old_ways else May.NOTHING
                    self.saw(told, kind.may | old_ways)
            if not self.wrong:
                self.wrong += ending.held(self.field, self.model.partly, self.saw)
        except (Unexpected, AssertionError) as error:
            self.wrong.append(f"{type(error).__name__}: {error}")
        return self.wrong

    def saw(self, told: str, may: May) -> None:
        """Note an event, and judge what the base is now."""
        self.happened.append(told)
        self.field.said.append(f"{len(self.happened)}. {told}")
        self.wrong += [told] if told.startswith("WRONG") else []
        now = self.field.look()
        moved = now.commit != self.model.base.commit
        self.wrong += self.model.saw(now, may)
        if moved:
            self.wrong += self.problems()

    def problems(self) -> list[str]:
        """What `check` says of the base, but for tasks whose work a person took away."""
        known = {self.model.base.tasks[key].id for key in self.model.partly}
        done = self.field.ralph(self.field.world, "check", "--at", self.field.base)
        found = (done.data or {}).get("problems", ())
        errors = [one for one in found if one["severity"] == "error" and one["task"] not in known]
        return [f"check of the base: {one['code']}: {one['message']}" for one in errors]


def sequence(folder: Path, seed: int, events: int) -> Life:
    """Run one."""
    life = Life(folder, seed)
    life.run(events)
    return life


def main() -> int:
    """Run them; the exit code."""
    reader = argparse.ArgumentParser(prog="life", description=__doc__)
    reader.add_argument("sequences", nargs="?", type=int, default=20, help="default: 20")
    reader.add_argument("--events", type=int, default=60, help="of each; default: 60")
    reader.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**8))
    reader.add_argument("--verbose", action="store_true", help="every command with its answer")
    words = reader.parse_args()
    print(f"seed {words.seed}, {words.sequences} sequences of {words.events} events", flush=True)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    counts: Counter[str] = Counter()
    bad, begun = 0, time.monotonic()
    for seed in range(words.seed, words.seed + words.sequences):
        folder = Path(tempfile.mkdtemp(prefix="life-", dir=memory))
        try:
            life = sequence(folder, seed, words.events)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        counts += life.counts
        if (seed + 1 - words.seed) % 10 == 0:
            print(f"after {seed + 1 - words.seed} sequences", flush=True)
        if life.wrong:
            bad += 1
            print(f"\nseed {seed}:")
            print("\n".join(life.field.said if words.verbose else life.happened))
        for sentence in life.wrong:
            print(f"WRONG: {sentence}", flush=True)
    what = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    print(
        f"{counts.total()} events in {words.sequences} sequences ({what}), "
        f"{bad} sequences do not hold, {time.monotonic() - begun:.0f} s"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
