"""Sixteen worktrees claim through the real command line, all at the same moment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from world import PATIENCE, ROOT, Place, Result, World

from race import RACERS

_LEASES = "refs/ralph/leases/"
_TASKS = 40


def _task(number: int) -> str:
    return f"T-{number % _TASKS:02d}"


def _graph() -> str:
    lines = ["version: 1", "tasks:"]
    for number in range(_TASKS):
        lines += [
            f"  - id: {_task(number)}",
            f"    title: Write part {number}",
            "    status: pending",
            f"    story: S-{number:02d}",
            "    scope:",
            f"      write: [src/part{number:02d}/**]",
        ]
    return "\n".join(lines) + "\n"


class Finish(NamedTuple):
    """How one racer came out of a round."""

    worker: str
    result: Result

    @property
    def task(self) -> str:
        """What it claimed; "" if nothing."""
        return str(self.result.data["task"]["id"]) if self.result.code == 0 else ""


class Arena:
    """One repository, its sixteen worktrees, and rounds of claims in them."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.world.write_graph(_graph())
        self.world.commit()
        self.racers: dict[str, Place] = {}
        self.winners: Counter[int] = Counter()
        """How many rounds over one task had so many winners."""
        for number in range(RACERS):
            name = f"w{number:02d}"
            self.racers[name] = self.world.worktree(name)
        # The first command of a worktree excludes `.ralph/`; no race is about that.
        assert self.world.ralph("next").code == 0

    # -- rounds ----------------------------------------------------------------------

    def same_task(self, number: int, delays: Sequence[float] = ()) -> list[str]:
        """All claim task `number` by its id; what went wrong, one sentence each."""
        task = _task(number)
        ended = self._run(("claim", task, "--no-fetch", "--json"), delays)
        found = self._wrong(ended, task, lost=5)
        self._reset()
        return [f"round {number}: {sentence}" for sentence in found]

    def only_task(self, number: int, delays: Sequence[float] = ()) -> list[str]:
        """All claim what is ready of a story, and there is one task: as `same_task`."""
        words = ("claim", "--story", f"S-{number % _TASKS:02d}", "--no-fetch", "--json")
        ended = self._run(words, delays)
        found = self._wrong(ended, _task(number), lost=3)
        self._reset()
        return [f"round {number}: {sentence}" for sentence in found]

    def any_task(self) -> list[str]:
        """All claim what is ready, and there is enough for all: as `same_task`."""
        ended = self._run(("claim", "--no-fetch", "--json"), ())
        found = [f"{one.worker}: {_told(one)}" for one in ended if one.result.code]
        times = Counter(one.task for one in ended if one.task)
        found += [f"{task} was claimed {count} times" for task, count in times.items() if count > 1]
        self._reset()
        return found

    def _run(self, words: Sequence[str], delays: Sequence[float]) -> list[Finish]:
        """Start all racers at once; how each ended."""
        gate_read, gate = os.pipe()
        ready, ready_write = os.pipe()
        running = []
        path = os.pathsep.join((str(ROOT), str(Path(__file__).parent.parent)))
        for number, place in enumerate(self.racers.values()):
            delay = delays[number] if delays else 0.0
            argv = [sys.executable, "-m", "race.racer", str(ready_write), f"{delay:.4f}", *words]
            running.append(
                subprocess.Popen(
                    argv, cwd=place.path, env={**place.environ, "PYTHONPATH": path},
                    stdin=gate_read, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    pass_fds=(ready_write,),
                )
            )  # fmt: skip
        os.close(gate_read)
        os.close(ready_write)
        waiting = 0
        while waiting < len(running) and (some := os.read(ready, RACERS)):
            waiting += len(some)
        os.close(ready)
        os.close(gate)
        ended = []
        for name, process in zip(self.racers, running, strict=True):
            out, err = process.communicate(timeout=PATIENCE)
            ended.append(Finish(name, Result(process.returncode, out.decode(), err.decode())))
        return ended

    def _reset(self) -> None:
        """Give every worktree and every lease back as they were before the round."""
        for ref in self._leases():
            self.world.git("update-ref", "-d", ref)
        for place in self.racers.values():
            if _changes(place):
                place.git("reset", "--hard", "--quiet")
            current = place.path / ".ralph" / "current.yaml"
            current.unlink(missing_ok=True)

    # -- what a round must leave -----------------------------------------------------

    def _leases(self) -> list[str]:
        return self.world.git("for-each-ref", "--format=%(refname)", _LEASES).split()

    def _wrong(self, ended: Sequence[Finish], task: str, *, lost: int) -> list[str]:
        """What is wrong where one racer was to get `task`, and the others exit code `lost`."""
        winners = [one for one in ended if one.result.code == 0]
        self.winners[len(winners)] += 1
        found = []
        if len(winners) != 1:
            names = ", ".join(one.worker for one in winners)
            found.append(f"{len(winners)} winners of {task}: {names or 'none'}")
        if (leases := self._leases()) != [_LEASES + task]:
            found.append(f"leases left: {', '.join(leases) or 'none'}")
        for one in ended:
            place = self.racers[one.worker]
            noted = (place.path / ".ralph" / "current.yaml").exists()
            changes = _changes(place)
            if one in winners:
                if one.task != task:
                    found.append(f"{one.worker} got {one.task}")
                if not noted or not any("task-graph.yaml" in line for line in changes):
                    found.append(f"{one.worker} won, and has no record of it: {changes}")
                continue
            found += self._wrong_loser(one, winners, lost=lost)
            if noted:
                found.append(f"{one.worker} lost, and has noted a claim")
            if changes:
                found.append(f"{one.worker} lost, and left {changes}")
        return found

    def _wrong_loser(self, one: Finish, winners: Sequence[Finish], *, lost: int) -> list[str]:
        """What is wrong with what a loser was told."""
        if one.result.code != lost:
            return [f"{one.worker} ended with {one.result.code}: {_told(one)}"]
        if lost != 5 or not winners:
            return []
        error = one.result.json["error"]
        holder = error.get("holder") or {}
        if (error["code"], holder.get("worker")) != ("claim_held", winners[0].worker):
            return [f"{one.worker} was told {error['code']}, holder {holder.get('worker')}"]
        return []


def _changes(place: Place) -> list[str]:
    """What the worktree and its index have that HEAD has not, by `git status`."""
    return place.git("status", "--porcelain", "--untracked-files=all").splitlines()


def _told(one: Finish) -> str:
    """What a racer said, on one line."""
    return " ".join((one.result.out + one.result.err).split())[:400]
