"""How much more several machines do than one, and what the remote and the processors have of it."""

from __future__ import annotations

import json
import os
import resource
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from far.site import Machine, Site


class Point(NamedTuple):
    """One run of so many machines."""

    machines: int
    tasks: int
    seconds: float
    """From the first claim to the last landing."""
    cpu: float
    """Processor seconds of everything, the remote's included."""
    remote_cpu: float
    pushes: int
    lost: float
    """The share of attempts at a claim in which somebody else was quicker."""
    landing: float
    """Seconds of a landing."""

    @property
    def rate(self) -> float:
        """Tasks a minute."""
        return self.tasks / self.seconds * 60

    @property
    def line(self) -> str:
        return (
            f"| {self.machines} | {self.tasks} | {self.rate:.1f} | {self.cpu / self.tasks:.2f} | "
            f"{self.remote_cpu / self.tasks:.2f} | {self.pushes / self.tasks:.1f} | "
            f"{self.lost:.0%} | {self.landing:.1f} |"
        )


HEAD = (
    "| machines | tasks | tasks a minute | processor s a task | of it the remote | pushes a task | "
    "lost attempts | landing s |\n|---|---|---|---|---|---|---|---|"
)


def graph(count: int, *, sleep: float) -> str:
    """Tasks that have nothing to do with each other."""
    text = "version: 1\ntasks:\n"
    for number in range(count):
        text += (
            f"  - id: T-{number:03}\n    title: Task {number}\n    status: pending\n"
            f"    verify: [test -s work/T-{number:03}.txt]\n"
            f"    outputs: [work/T-{number:03}.txt]\n"
            f"    scope:\n      write: [work/T-{number:03}.txt]\n"
            f"    x-script:\n      sleep: {sleep}\n"
            f"      write: {{work/T-{number:03}.txt: done}}\n"
        )
    return text


def measure(folder: Path, *, machines: int, tasks: int, sleep: float, limit: float) -> Point:
    """Have so many machines drain so many tasks."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Once a minute, as in life.
    with Site(folder, graph(tasks, sleep=sleep), machines=machines, beat=60, expiry=3600) as site:
        for machine in site.machines:
            machine.start()
        for machine in site.machines:
            assert machine.process is not None
            code = machine.process.wait(limit)
            assert code == 0, machine.said
        remote = _spent(site.server_pid)
        events = [one for machine in site.machines for one in _events(machine)]
        pushes = site.pushes()["push"]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    kinds = Counter(one["event"] for one in events)
    assert kinds["landed"] == tasks, kinds
    claimed = min(_at(one) for one in events if one["event"] == "claimed")
    landed = max(_at(one) for one in events if one["event"] == "landed")
    ready = {one["task"]: _at(one) for one in events if one["event"] == "attempted"}
    took = [_at(one) - ready[one["task"]] for one in events if one["event"] == "landed"]
    lost = kinds["passed"] + kinds["lost"]
    return Point(
        machines, tasks, landed - claimed, cpu, remote, pushes, lost / (lost + kinds["claimed"]),
        sum(took) / len(took),
    )  # fmt: skip


def _spent(pid: int) -> float:
    """Processor seconds of a server and of what it has started."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _events(machine: Machine) -> Iterator[dict[str, Any]]:
    for clone in machine.clones():
        journal = clone / ".ralph" / "logs" / "loop.jsonl"
        yield from map(json.loads, journal.read_text().splitlines() if journal.exists() else ())


def _at(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["at"]).timestamp()


def cores() -> int:
    return os.cpu_count() or 1
