"""`python -m race [ROUNDS] [--seed S]`: race, print the figures, exit 1 on a violation."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from race import RACERS
from race.claims import Arena
from race.packing import Packing
from race.swaps import Swaps

#: Swaps are this many times as fast as claims.
_SWAPS_PER_CLAIM = 10
_LONGEST_DELAY_S = 0.03


def main() -> int:
    """Race as told; the exit code."""
    reader = argparse.ArgumentParser(prog="race", description=__doc__)
    reader.add_argument("rounds", nargs="?", type=int, default=200, help="default: 200")
    reader.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    words = reader.parse_args()
    print(f"seed {words.seed}, {RACERS} processes, git pack-refs --all beside them", flush=True)
    with tempfile.TemporaryDirectory(prefix="ralphgit-race-") as folder:
        claims = Path(folder, "claims")
        swaps = Path(folder, "swaps")
        wrong = _claims(claims, words.rounds, random.Random(words.seed))
        wrong += _swaps(swaps, words.rounds * _SWAPS_PER_CLAIM)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


def _claims(folder: Path, rounds: int, chance: random.Random) -> list[str]:
    """Rounds of claims, every fourth without an id; the violations."""
    arena = Arena(folder)
    wrong: list[str] = []
    bad = 0
    begun = time.monotonic()
    with Packing(arena.world.path, arena.world.environ) as packing:
        for number in range(rounds):
            # Half of the rounds start at once, in the others some come a little later.
            longest = _LONGEST_DELAY_S if number % 2 else 0.0
            delays = [chance.uniform(0, longest) for _ in range(RACERS)]
            race = arena.only_task if number % 4 == 3 else arena.same_task
            found = race(number, delays)
            wrong += found
            bad += bool(found)
    print(
        f"claims: {rounds} rounds, winners per round {_histogram(arena.winners)}, "
        f"{bad} rounds with a violation, refs packed {packing.times} times, "
        f"{time.monotonic() - begun:.1f} s",
        flush=True,
    )
    return wrong


def _swaps(folder: Path, rounds: int) -> list[str]:
    """Rounds of create, replace and delete; the violations."""
    winners: Counter[int] = Counter()
    wrong: list[str] = []
    begun = time.monotonic()
    with Swaps(folder) as swaps, Packing(swaps.world.path, swaps.world.environ) as packing:
        for _ in range(rounds):
            for what, count in zip(("create", "replace", "delete"), swaps.round(), strict=True):
                winners[count] += 1
                wrong += [f"a swap to {what} the ref had {count} winners"] if count != 1 else []
    print(
        f"swaps: {rounds} rounds of create, replace, delete, winners per swap "
        f"{_histogram(winners)}, refs packed {packing.times} times, "
        f"{time.monotonic() - begun:.1f} s",
        flush=True,
    )
    return wrong


def _histogram(winners: Counter[int]) -> str:
    return ", ".join(f"{count}: {times}" for count, times in sorted(winners.items()))


if __name__ == "__main__":
    sys.exit(main())
