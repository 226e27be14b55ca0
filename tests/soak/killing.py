"""Trouble for running loops: processes are killed, and what is kept of the graph is deleted."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections import Counter

import psutil
from running import below

from soak.field import Field


class Killer:
    """Kills with SIGKILL, by a seed."""

    def __init__(self, field: Field, seed: int) -> None:
        self._field = field
        self._chance = random.Random(seed)
        self.killed: Counter[str] = Counter()
        """By the name of what was killed."""

    @property
    def kills(self) -> int:
        return sum(self.killed.values())

    def kill_one(self) -> None:
        """Kill a loop, or something that it has started."""
        running = self._field.running()
        if not running:
            return
        name = self._chance.choice(running)
        pid = self._field.loops[name].pid
        children = [child.pid for child in below(pid)]
        alone = not children or self._chance.random() < 0.4
        victim = pid if alone else self._chance.choice(children)
        what = "loop" if victim == pid else _name(victim)
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.killed[what] += 1


class Eraser:
    """Deletes the cache of the repository: indexes, packs, and what was found valid."""

    def __init__(self, field: Field) -> None:
        common = field.world.git("rev-parse", "--path-format=absolute", "--git-common-dir")
        self._cache = os.path.join(common.strip(), "ralphgit", "cache")
        self.times = 0
        """How often there was something to delete."""
        self.files = 0

    def erase(self) -> None:
        """Delete it now, whoever is writing or reading it."""
        there = len(os.listdir(self._cache)) if os.path.isdir(self._cache) else 0
        if there:
            self.times += 1
            self.files += there
            shutil.rmtree(self._cache, ignore_errors=True)


def _name(pid: int) -> str:
    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return "gone"
