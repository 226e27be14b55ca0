"""The repository: a plan, a person in the main worktree, workers in others; what the base has."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import ryaml
from world import Place, Result, World

TASKS = 7
#: What git says where two sides do not go together, or nothing is left to do.
_UNDO = ("merge", "cherry-pick", "revert")


class Seen(NamedTuple):
    """A task as the base has it."""

    id: str
    status: str
    claim: str
    archived: bool = False
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Base:
    """What the base has: each task by its `x-key`, which no rename changes, and its work."""

    commit: str
    tasks: dict[str, Seen]
    work: dict[str, str]
    """By key: the claim that its file was written under."""
    doubled: tuple[str, ...] = ()
    """Keys that stand there more than once."""

    @property
    def claims(self) -> set[str]:
        return {task.claim for task in self.tasks.values() if task.claim} | {*self.work.values()}


@dataclass(slots=True)
class Worker:
    """Somebody in a worktree of his own."""

    name: str
    place: Place
    key: str = ""
    """The task that he works on."""
    claim: str = ""


class Unexpected(Exception):
    """An answer that no event of this kind may get."""


@dataclass(slots=True)
class Field:
    """The repository, and how things are done to it."""

    folder: Path
    chance: random.Random
    remote: bool
    world: World = field(init=False)
    workers: list[Worker] = field(default_factory=list)
    left: list[Worker] = field(default_factory=list)
    """Who is gone: branch and worktree are left standing."""
    said: list[str] = field(default_factory=list)
    """Every command with its answer, for the one who looks for a cause."""
    taken: set[str] = field(default_factory=set)
    """Claims that the base had and has not: the model's."""
    purged: set[str] = field(default_factory=set)
    """Commits that a rewriting took off the base."""
    old_ways: bool = False
    """A person has just merged a branch that stands on such ones: what they did happens again."""
    keys: int = TASKS
    numbers: int = 0

    def __post_init__(self) -> None:
        self.world = World(self.folder)
        self.world.write_graph(plan(TASKS))
        self.world.write("ralph.toml", "")
        self.world.commit("Begin")
        if self.remote:
            assert self.world.origin
        self.expect(self.world, "trust", "--yes")
        for name in ("alpha", "beta", "gamma")[: self.chance.choice((2, 3))]:
            self.arrive(name)

    # -- doing -----------------------------------------------------------------------

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def ralph(self, place: Place, *words: str) -> Result:
        """Run ralphgit. Raises: Unexpected on a bug or a record that cannot be read."""
        done = place.ralph(*words, "--json")
        self.note(place, ["ralphgit", *words], done)
        if done.code in (6, 70) or done.code < 0:
            raise Unexpected(f"{' '.join(words)}: exit {done.code}: {done.out[-800:]}{done.err}")
        return done

    def expect(self, place: Place, *words: str) -> Any:
        """The data of a command that must succeed. Raises: Unexpected."""
        done = self.ralph(place, *words)
        if done.code:
            raise Unexpected(f"{' '.join(words)}: exit {done.code}: {done.out[-800:]}{done.err}")
        return done.data

    def git(self, place: Place, *words: str) -> bool:
        """Run git; where it stops in the middle it is ended. Whether it did it."""
        done = place.run("git", *words)
        self.note(place, ["git", *words], done)
        if done.code and words[0] in _UNDO:
            place.run("git", words[0], "--abort")
            place.run("git", "reset", "--quiet", "--hard")
        return not done.code

    def note(self, place: Place, words: list[str], done: Result) -> None:
        text = (done.out + done.err).strip()
        self.said.append(f"  {place.path.name}$ {' '.join(words)} -> {done.code}\n      {text}")

    def sync(self) -> Place:
        """The main worktree as a person has it before doing something: what the base has."""
        world = self.world
        if self.remote:
            self.git(world, "fetch", "--quiet", "--prune", "origin")
            self.git(world, "reset", "--quiet", "--hard", "origin/main")
        return world

    def push(self, *words: str) -> None:
        if self.remote and not self.git(self.world, "push", "--quiet", *words, "origin", "main"):
            raise Unexpected("the person's push was refused")

    def commit(self, message: str) -> None:
        """What a person has changed is committed and pushed."""
        self.world.commit(message)
        self.push()

    def arrive(self, name: str) -> Worker:
        """A worker begins, in a new worktree on the base."""
        at = "origin/main" if self.remote else "main"
        worker = Worker(name, self.world.worktree(name, at=at))
        self.workers.append(worker)
        return worker

    def leave(self, worker: Worker) -> Worker:
        """He goes, everything is left standing, and somebody comes in his place."""
        self.workers.remove(worker)
        self.left.append(worker)
        return self.arrive(f"{worker.name.rstrip('0123456789')}{self.number()}")

    # -- seeing ----------------------------------------------------------------------

    @property
    def base(self) -> str:
        return "origin/main" if self.remote else "main"

    def look(self) -> Base:
        """What the base has now."""
        world = self.world
        if self.remote:
            world.git("fetch", "--quiet", "--prune", "origin")
        tasks: dict[str, Seen] = {}
        work: dict[str, str] = {}
        doubled: list[str] = []

        def add(found: dict[str, Any], *, archived: bool) -> None:
            key = str(found["x-key"])
            if key in tasks:
                doubled.append(key)
            claim = (found.get("claim") or {}).get("id", "")
            status, epoch = found["status"], int(found.get("epoch") or 0)
            tasks[key] = Seen(str(found["id"]), status, str(claim), archived, epoch)

        for name, text in self._files():
            if name.startswith("work/"):
                work[name[5:-4]] = text.strip()
            elif name.endswith(".jsonl"):
                for line in text.splitlines()[1:]:
                    block = json.loads(line)["block"]
                    add(ryaml.loads(f"tasks:\n{block}")["tasks"][0], archived=True)
            else:
                for found in ryaml.loads(text)["tasks"] or ():
                    add(found, archived=False)
        head = world.git("rev-parse", self.base)
        return Base(head, tasks, work, tuple(doubled))

    def _files(self) -> list[tuple[str, str]]:
        """Name and content of work, archive, and of the graph files that the settings name."""
        git = self.world.git
        blobs: dict[str, str] = {}
        for line in git("ls-tree", "-r", self.base).splitlines():
            meta, name = line.split("\t")
            blobs[name] = meta.split()[2]
        settings = tomllib.loads(git("cat-file", "blob", blobs["ralph.toml"]))
        graph = settings.get("graph", ["task-graph.yaml"])
        patterns = ["work/*", "*.jsonl", *([graph] if isinstance(graph, str) else graph)]
        return [
            (name, git("cat-file", "blob", blob) + "\n")
            for name, blob in blobs.items()
            if any(fnmatch(name, pattern) for pattern in patterns)
        ]

    def some(self, found: Callable[[], list[Any]]) -> Any:
        """One of these, None where there is none."""
        values = found()
        return self.chance.choice(values) if values else None


def block(key: str, depends: str = "") -> str:
    """A task: its file has the claim that wrote it."""
    needs = f"    depends_on: [{depends}]\n" if depends else ""
    return f"""\
  - id: T-{key}
    title: Write {key}
    status: pending
    x-key: {key}
    story: S-{int(key) % 2}
{needs}    verify:
      - test -d work
    outputs:
      - work/{key}.txt
    scope:
      write: [work/{key}.txt]
"""


def plan(count: int) -> str:
    """Some tasks; every third waits for the one before."""
    blocks = [block(str(n), f"T-{n - 1}" if n % 3 == 0 else "") for n in range(1, count + 1)]
    return "version: 1\ntasks:\n" + "".join(blocks)
