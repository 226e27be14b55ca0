"""Two clones of one remote, with workers in the worktrees of both."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from life.field import Field, Worker, plan
from world import Place, Result, World

from model.ledger import Ledger

#: Of the plan: less than `life` has, so that two often want the same.
TASKS = 4


@dataclass(slots=True)
class Clones(Field):
    """The field of `life`, with every second worker in the second clone."""

    lease: str = "remote"
    second: Place = field(init=False)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.folder)
        self.keys = TASKS
        self.world.write_graph(plan(TASKS))
        self.world.write("ralph.toml", f'lease = "{self.lease}"\n')
        self.world.commit("Begin")
        self.second = self.world.clone("second")
        self.ledger = Ledger(self.look(), remote_leases=self.lease == "remote")
        self.expect(self.world, "trust", "--yes")
        self.expect(self.second, "trust", "--yes")
        for name in ("alpha", "beta", "gamma"):
            self.arrive(name)

    def arrive(self, name: str) -> Worker:
        """Somebody new begins, in the clone that has fewer."""
        here = [worker for worker in self.workers if self.is_second(worker.place)]
        if len(here) * 2 >= len(self.workers):
            return super(Clones, self).arrive(name)
        path = self.folder / f"second-{name}"
        self.second.git("fetch", "--quiet", "origin")
        words = ("--quiet", "--no-track", "-b", name, str(path), "origin/main")
        self.second.git("worktree", "add", *words)
        worker = Worker(name, Place(path, self.world.environ, self.world))
        self.workers.append(worker)
        self.show()
        return worker

    def is_second(self, place: Place) -> bool:
        return place.path.name.startswith("second")

    def ralph(self, place: Place, *words: str) -> Result:
        """Run ralphgit, and tell the model what it answered."""
        done = super(Clones, self).ralph(place, *words)
        self.ledger.hears(place.path.name, words, done)
        if self.is_second(place):
            self.show()
        return done

    def show(self) -> None:
        """A person of the first clone has the branches of the second one, as of a fork."""
        names = [worker.name for worker in (*self.workers, *self.left)
                 if self.is_second(worker.place)]  # fmt: skip
        specs = [f"+refs/heads/{name}:refs/{name}" for name in names]
        self.world.git("fetch", "--quiet", "--no-tags", str(self.second.path), *specs)


def made(folder: Path, chance: random.Random, lease: str) -> Clones:
    """Begin, in an empty folder."""
    return Clones(folder, chance, True, lease=lease)
