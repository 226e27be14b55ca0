"""`python -m soak [KILLS]`: loops drain a graph while a supervisor kills and restarts them.

Prints the seed and the figures; the exit code is 1 where something was done twice, lost, or
moved illegally, or where anything needed a hand.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from soak import history, planned
from soak.feeding import Feeder
from soak.field import Field
from soak.field import graph as made
from soak.footprint import Footprint
from soak.killing import Eraser, Killer


def main() -> int:
    """Run it; the exit code."""
    reader = argparse.ArgumentParser(prog="soak", description=__doc__)
    reader.add_argument("kills", nargs="?", type=int, default=150, help="default: 150")
    reader.add_argument("--tasks", type=int, default=0, help="default: 200, or all of --graph")
    reader.add_argument("--graph", type=Path, help="other tasks: any file that import reads")
    reader.add_argument("--loops", type=int, default=4)
    reader.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**8))
    reader.add_argument(
        "--no-index", action="store_true",
        help="delete what is kept of the graph, again and again, at random moments",
    )  # fmt: skip
    reader.add_argument("--layout", default="", help="part the graph: story, task")
    reader.add_argument(
        "--feed", type=int, default=0, metavar="N",
        help="plan N tasks at a time while the loops work, and archive what is finished",
    )  # fmt: skip
    reader.add_argument("--minutes", type=float, default=60.0, help="give up after so many")
    words = reader.parse_args()
    print(
        f"seed {words.seed}, {words.loops} loops, {words.kills} kills, "
        f"{words.graph.name if words.graph else 'made'} tasks"
        f"{', the index deleted all the time' if words.no_index else ''}; "
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="ralphgit-soak-") as folder:
        wrong = soak(
            Path(folder), kills=words.kills, tasks=words.tasks, loops=words.loops,
            seed=words.seed, limit=words.minutes * 60, file=words.graph,
            no_index=words.no_index, layout=words.layout, feed=words.feed,
        )  # fmt: skip
    for sentence in wrong:
        print(f"WRONG: {sentence}")
    return 1 if wrong else 0


def soak(
    folder: Path,
    *,
    kills: int,
    loops: int,
    seed: int,
    limit: float,
    tasks: int = 0,
    file: Path | None = None,
    no_index: bool = False,
    layout: str = "",
    feed: int = 0,
) -> list[str]:
    """Drain a graph with that many kills on the way; what is wrong in the end.

    With `no_index` whatever is kept of the graph is deleted, again and again; with `feed` so many
    tasks are planned at a time.
    """
    # Enough to do for the kills to come while work is under way.
    sleep = 0.02 if not kills else 0.05
    if feed:
        text = made(feed, sleep=sleep, share=feed)
    elif file is None:
        text = made(tasks or 200, sleep=sleep)
    else:
        text = planned.graph(folder / "source", file, most=tasks, sleep=sleep)
    before = history.statuses(text)
    tasks = tasks if feed else before["pending"]
    begin = time.monotonic()
    footprint = Footprint()
    if feed:
        layout = "story"
    # Of what is killed every object has to be found again in the end.
    with Field(folder, text=text, loops=loops, layout=layout, packs=feed > 0) as field:
        killer = Killer(field, seed)
        pause = random.Random(seed)
        eraser = Eraser(field)
        feeder = Feeder(field, tasks=tasks, share=feed, sleep=sleep) if feed else None
        for name in field.places:
            field.start(name)
        ended: set[str] = set()
        failed: list[str] = []
        while len(ended) < loops and time.monotonic() - begin < limit:
            # Between kills and deletions.
            time.sleep(pause.uniform(0.02, 0.4) if kills or no_index else 0.1)
            footprint.look(field.loops)
            if feeder is not None:
                feeder.feed()
            if no_index:
                eraser.erase()
            if killer.kills < kills:
                killer.kill_one()
            for name, process in field.loops.items():
                code = process.poll()
                if name in ended or code is None:
                    continue
                if code == 0:
                    ended.add(name)
                elif code < 0:
                    field.start(name)
                else:
                    failed.append(f"{name} ended with exit code {code}: {field.said(name)[-600:]}")
                    field.start(name)
        took = time.monotonic() - begin
        states = history.states(field.world, field.base())
        wrong = [*failed, *history.violations(field.world, field.base())]
        states["complete"] -= before["complete"]
        if states != Counter(complete=tasks, cancelled=before["cancelled"]):
            wrong.append(f"not everything is complete: {dict(states)}")
            wrong += [f"{name} said at last: {field.said(name)[-1500:]}" for name in field.places]
            wrong.append(field.world.ralph("status").out)
        if set(field.places) - ended:
            wrong.append(f"the time was over after {took:.0f} s")
            field.stop()
        for repository in (field.base(), os.fspath(field.world.path)):
            said = field.world.git("-C", repository, "fsck", "--no-dangling", "--no-progress")
            wrong += [f"fsck: {line}" for line in said.splitlines()]
        if no_index and not eraser.files:
            wrong.append("there never was an index to delete")
        leases = field.world.git("for-each-ref", "refs/ralph/leases").splitlines()
        wrong += [f"a lease is left: {line}" for line in leases]
        wrong += footprint.grown() if not kills else []  # who was killed begins small
        what = ", ".join(f"{name} {count}" for name, count in killer.killed.most_common())
        print(
            f"{states['complete']} of {tasks} tasks complete in {took:.1f} s, "
            f"{tasks / took * 60:.0f} a minute; {killer.kills} kills ({what or 'none'}), "
            f"{eraser.times} deletions of {eraser.files} files, {field.starts} starts, "
            f"{footprint}; {len(wrong)} violations",
            flush=True,
        )
        return wrong


if __name__ == "__main__":
    sys.exit(main())
