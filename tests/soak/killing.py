"""Killing random processes of running loops: themselves, their agents, their gits."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter

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
        below = [child for child in _descendants(pid) if child != pid]
        victim = pid if not below or self._chance.random() < 0.4 else self._chance.choice(below)
        what = "loop" if victim == pid else _name(victim)
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.killed[what] += 1


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(entry))
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children.get(pid, [])
    return found


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "gone"
