"""`python -m laws N [--seed S]`: N pairs over all laws and all ways to merge.

Every pair is merged in every way, each time by a git command of its own (`merge-tree` takes
a batch at once, libgit2 is a library). Exits 1 at the first violation, with the pair laid
out in a folder and the command that makes it again.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

import pygit2

from laws import cases, merging
from laws.operations import Broken

BATCH = 100


class Tally(Counter[tuple[str, ...]]):
    """What was counted, by `("pairs", law)`, `("verdict", way, law, verdict)` and so on."""


def violation(seed: int, index: int, way: str, broken: Broken, pair: merging.Pair | None) -> str:
    """What is wrong, with everything that is needed to look at it."""
    lines = [f"case {index}: {broken}" + (f" ({way})" if way else "")]
    folder = tempfile.mkdtemp(prefix="law-broken-")
    texts: dict[str, bytes] = {"before": broken.before.encode(), "after": broken.after.encode()}
    if pair is not None:
        steps = {"base": [pair.base], "ours": pair.ours, "theirs": pair.theirs}
        for side, commits in steps.items():
            for number, files in enumerate(commits, 1):
                texts |= {f"{side}-{number}/{path}": data for path, data in files.items()}
    for name, data in texts.items():
        if data:
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
    lines.append(f"files: {folder}")
    lines.append(f"again: python -m laws --seed {seed} --only {index}")
    return "\n".join(lines)


def run(seed: int, start: int, stop: int, ways: tuple[str, ...]) -> tuple[Tally, str]:
    """The tally of these cases, and the first violation or nothing."""
    tally, made = Tally(), []
    for index in range(start, stop):
        try:
            case = cases.of_index(seed, index)
        except Broken as broken:
            return tally, violation(seed, index, "", broken, None)
        made.append(case)
        tally["pairs", case.law] += 1
        tally["excluded",] += case.excluded
    with merging.Arena(_quick_folder()) as arena:
        pairs = [case.pair for case in made]
        for number, way, outcome in merging.outcomes(arena, pairs, worktree_ways=lambda _: ways):
            case = made[number]
            try:
                tally["verdict", way, case.law, case.judge(outcome)] += 1
            except Broken as broken:
                return tally, violation(seed, start + number, way, broken, case.pair)
    return tally, ""


def _quick_folder() -> str | None:
    """A folder in memory where there is one: the merges are all file system calls."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def report(tally: Tally, seed: int, seconds: float, workers: int) -> str:
    laws = tuple(cases.MAKERS)
    pairs = {law: tally["pairs", law] for law in laws}
    excluded = tally["excluded",]
    lines = [
        f"seed {seed}, {sum(pairs.values())} pairs in {seconds:.1f} s on {workers} processes",
        "pairs: " + ", ".join(f"{law} {count}" for law, count in pairs.items()),
        f"neighbours with no line between their lifecycle fields, left out of L2: {excluded}",
        "L4 and L5 were checked at every operation of every pair",
        "",
        f"{'verdicts':<12}" + "".join(f"{law:>10}" for law in laws) + f"{'all':>10}",
    ]
    for way in merging.WAYS:
        counts = [sum(tally["verdict", way, law, v] for v in _VERDICTS) for law in laws]
        lines.append(f"{way:<12}" + "".join(f"{n:>10}" for n in (*counts, sum(counts))))
    lines.append("")
    for verdict in _VERDICTS:
        counts = [sum(tally["verdict", way, law, verdict] for way in merging.WAYS) for law in laws]
        lines.append(f"{verdict:<12}" + "".join(f"{n:>10}" for n in (*counts, sum(counts))))
    return "\n".join(lines)


_VERDICTS = (cases.CONFLICT, cases.CLEAN, cases.CAUGHT)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m laws", description=__doc__)
    parser.add_argument("pairs", nargs="?", type=int, default=1000)
    parser.add_argument("--seed", type=int, help="the same seed makes the same pairs")
    parser.add_argument("--only", type=int, metavar="INDEX", help="this case alone")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    words = parser.parse_args()
    seed = words.seed if words.seed is not None else random.SystemRandom().randrange(10**9)
    version = subprocess.run(["git", "version"], capture_output=True, text=True).stdout.strip()
    print(f"{version}, libgit2 {pygit2.LIBGIT2_VERSION}, seed {seed}", flush=True)
    ways = tuple(merging.IN_WORKTREE)
    first, stop = (0, words.pairs) if words.only is None else (words.only, words.only + 1)
    began = time.monotonic()
    tally = Tally()
    with ProcessPoolExecutor(words.workers) as pool:
        starts = iter(range(first, stop, BATCH))
        waiting: set[Future[tuple[Tally, str]]] = set()
        while True:
            for start in starts:
                waiting.add(pool.submit(run, seed, start, min(start + BATCH, stop), ways))
                if len(waiting) > words.workers:
                    break
            if not waiting:
                break
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                part, broken = future.result()
                tally.update(part)
                if broken:
                    pool.shutdown(cancel_futures=True)
                    print(broken)
                    return 1
    print(report(tally, seed, time.monotonic() - began, words.workers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
