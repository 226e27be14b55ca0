"""`python -m far`: races, pushers, drains with trouble, and how much several machines do.

Prints the seed and the figures; the exit code is 1 where something was done twice, lost or held,
where a race had no or several winners, or where one pusher waits for the others.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from soak.field import graph, task_id

from far import curve, simulation
from far.drain import drain
from far.pushers import PUSHERS, pushers
from far.races import races
from far.site import Site, missing

_RACED = "  - {{id: {id}, title: One for twelve, status: pending}}\n"


def main() -> int:
    """Run it; the exit code."""
    reader = argparse.ArgumentParser(prog="far", description=__doc__)
    reader.add_argument("--races", type=int, default=50, help="rounds over each way, default: 50")
    for name, whose in (("together", "clones of one machine"), ("apart", "machines of their own")):
        told = f"rounds over git of {PUSHERS} that land, {whose}, default: 10"
        reader.add_argument(f"--{name}", type=int, default=10, help=told)
    reader.add_argument("--tasks", type=int, default=200, help="of a drain, default: 200")
    reader.add_argument("--machines", type=int, default=4, help="of a drain, default: 4")
    reader.add_argument("--troubles", type=int, default=60, help="of a drain, default: 60")
    reader.add_argument("--curve", default="1,2,4,8", help='numbers of machines, or ""')
    reader.add_argument("--sleep", type=float, default=10.0, help="of the curve's agent, seconds")
    reader.add_argument("--over", default="git,http", help="the ways, default: git,http")
    reader.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**8))
    reader.add_argument("--minutes", type=float, default=60.0, help="give up a drain after so many")
    words = reader.parse_args()
    if reason := missing():
        print(reason, file=sys.stderr)
        return 2
    git = subprocess.run(["git", "version"], capture_output=True, text=True, check=True)
    print(
        f"seed {words.seed}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"{platform.system()}, Python {platform.python_version()}, {git.stdout.strip()}",
        flush=True,
    )
    # What it has started ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="ralphgit-far-") as name:
        folder = Path(name)
        for rounds, apart in ((words.together, False), (words.apart, True)):
            if rounds:
                wrong += pushers(folder, rounds, seed=words.seed, apart=apart)
        for over in words.over.split(",") if words.over else ():
            print(f"over {over}:", flush=True)
            if words.races:
                names = [task_id(number) for number in range(words.races)]
                text = "version: 1\ntasks:\n" + "".join(_RACED.format(id=one) for one in names)
                (folder / over).mkdir()
                with Site(folder / over / "r", text, machines=PUSHERS, over=over) as site:
                    wrong += races(site, names)
            if words.tasks:
                text = graph(words.tasks, sleep=0.1)
                with Site(folder / f"{over}-d", text, machines=words.machines, over=over) as site:
                    wrong += drain(
                        site, seed=words.seed, troubles=words.troubles, lose=words.machines > 2,
                        limit=words.minutes * 60,
                    )  # fmt: skip
        if words.curve:
            _curve(folder, [int(one) for one in words.curve.split(",")], words.sleep)
    for sentence in wrong:
        print(f"WRONG: {sentence}")
    return 1 if wrong else 0


def _curve(folder: Path, numbers: list[int], sleep: float) -> None:
    """Measure, and hold the simulation to it."""
    print(f"curve, an agent that sleeps {sleep:g} s:\n{curve.HEAD}", flush=True)
    points = []
    for number in numbers:
        begun = time.monotonic()
        point = curve.measure(
            folder / f"c{number}", machines=number, tasks=4 * number + 4, sleep=sleep, limit=1800
        )
        points.append(point)
        print(f"{point.line} ({time.monotonic() - begun:.0f} s)", flush=True)
    one = points[0]
    alone = one.seconds / one.tasks * one.machines - sleep - one.landing
    cost = simulation.Cost(sleep, max(alone, 0.1), one.landing, one.cpu / one.tasks)
    print(
        f"one task: {cost.busy:.1f} s busy, {cost.landing:.1f} s landing, {cost.cpu:.2f} processor "
        "s\n| machines | measured | simulated |\n|---|---|---|"
    )
    for point in points:
        made = simulation.rate(cost, workers=point.machines, cores=curve.cores())
        print(f"| {point.machines} | {point.rate:.1f} | {made:.1f} |")
    print("with processors of their own:\n| workers | tasks a minute |\n|---|---|")
    for number in (1, 8, 32, 128, 512, 1000):
        made = simulation.rate(cost, workers=number, cores=0, seconds=300)
        print(f"| {number} | {made:.1f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
