"""Machines drain a graph while they are killed, preempted, cut off and set to other times."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter

import ryaml
from soak import history

from far.site import Machine, Site

#: How a worker may end: all is done, killed, preempted, no remote at its start.
_ENDS = {0, -signal.SIGKILL, -signal.SIGTERM, 143, 4}
_HOURS = 6.0


class Watch:
    """Notes for how long each lease is on the remote; used as a context."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.by: dict[str, str] = {}
        """The worker of each lease, by its object."""
        self.last: dict[str, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        git = self._site.world.git
        where = ("-C", str(self._site.base))
        while not self._ended.wait(0.25):
            for oid in git(*where, "for-each-ref", "--format=%(objectname)",
                           "refs/ralph/leases").split():  # fmt: skip
                if oid not in self.by:
                    self.by[oid] = ryaml.loads(git(*where, "cat-file", "-p", oid))["by"]
                self.last[oid] = time.monotonic()


class Trouble:
    """Makes trouble, by a seed."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site, self._chance = site, random.Random(seed)
        self.made: Counter[str] = Counter()
        self.lost: Machine | None = None
        """The machine that never came back, and when it went."""
        self.lost_at = 0.0
        self._cut: dict[Machine, float] = {}

    def make_one(self) -> None:
        """Kill a worker, preempt one, cut a link, or have a machine vanish."""
        running = [one for one in self._site.machines if one.code is None and one is not self.lost]
        if not running:
            return
        machine = self._chance.choice(running)
        what = self._chance.choice(["kill", "preempt", "cut"])
        assert machine.process is not None
        if what == "cut":
            machine.link.cut()
            self._cut[machine] = time.monotonic() + self._chance.uniform(0.5, 5.0)
        else:
            machine.process.send_signal(signal.SIGKILL if what == "kill" else signal.SIGTERM)
            machine.hours = self._chance.uniform(-_HOURS, _HOURS)  # when it is started again
        self.made[what] += 1

    def lose_one(self, holders: set[str]) -> None:
        """Have a machine that holds a task vanish for good."""
        for machine in self._site.machines:
            if machine.name in holders and machine.code is None:
                assert machine.process is not None
                machine.process.kill()
                machine.process.wait()
                self.lost, self.lost_at = machine, time.monotonic()
                self.made["lost machine"] += 1
                return

    def mend(self) -> None:
        """Put links together again whose time has come."""
        for machine, at in [*self._cut.items()]:
            if time.monotonic() > at:
                machine.link.restore()
                del self._cut[machine]


def drain(site: Site, *, seed: int, troubles: int, lose: bool, limit: float) -> list[str]:
    """Drain the graph with so many troubles on the way; what is wrong in the end."""
    tasks = history.states(site.world, str(site.base))["pending"]
    trouble, pause, begun = Trouble(site, seed), random.Random(seed), time.monotonic()
    wrong: list[str] = []
    for machine in site.machines:
        machine.hours = pause.uniform(-_HOURS, _HOURS)
        machine.start()
    ended: set[Machine] = set()
    with Watch(site) as watch:
        while len(ended) < len(site.machines) and time.monotonic() - begun < limit:
            time.sleep(pause.uniform(0.1, 0.8))  # between two troubles
            trouble.mend()
            if sum(trouble.made.values()) < troubles:
                trouble.make_one()
            if lose and trouble.lost is None and sum(trouble.made.values()) >= troubles // 2:
                now = time.monotonic() - 1
                trouble.lose_one({watch.by[oid] for oid, at in watch.last.items() if at > now})
            for machine in site.machines:
                if machine in ended or machine.code is None:
                    continue
                if machine.code == 0 or machine is trouble.lost:
                    ended.add(machine)
                    continue
                if machine.code not in _ENDS:
                    wrong.append(f"{machine.name} ended with {machine.code}: {machine.said}")
                machine.start()
    took = time.monotonic() - begun
    states = history.states(site.world, str(site.base))
    wrong += history.violations(site.world, str(site.base))
    if states != Counter(complete=tasks):
        wrong.append(f"not everything is complete: {dict(states)}")
        wrong += [f"{one.name}: {one.said}" for one in site.machines]
    wrong += [f"a lease is left: {ref}" for ref in site.refs("leases")]
    said = site.world.git("-C", str(site.base), "fsck", "--no-dangling", "--no-progress")
    wrong += [f"fsck: {line}" for line in said.splitlines()]
    held = ""
    if trouble.lost is not None:
        last = max(at for oid, at in watch.last.items() if watch.by[oid] == trouble.lost.name)
        held = f", what the lost machine held was free {last - trouble.lost_at:.0f} s later"
    made = ", ".join(f"{name} {count}" for name, count in trouble.made.most_common())
    pushes = site.pushes()
    print(
        f"drain: {states['complete']} of {tasks} tasks by {len(site.machines)} machines in "
        f"{took:.0f} s; {made or 'no trouble'}; {sum(one.starts for one in site.machines)} starts, "
        f"{pushes['push'] / tasks:.1f} pushes a task{held}; {len(wrong)} violations",
        flush=True,
    )
    return wrong
