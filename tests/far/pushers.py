"""Twelve clones land work of their own on one base at the same moment, round after round.

What each has to wait for the others is measured: from the start, which is the same for all, until
the remote has taken its push of the base. Nobody is to come last again and again, and nobody is to
wait for long where the others do not. The clones are one user's on one machine, who land by turns,
or each is a user's of its own, as on machines of their own: there the push alone decides.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from warm import import_all
from world import Place

from far.site import Site

PUSHERS = 12
#: The longest wait is at most this many times the median of all.
MOST = 5.0
#: After so many rounds comes a new remote, so that no round is dearer than those before.
_ROUNDS = 5
_TASK = """\
  - id: {id}
    title: Part {id}
    status: pending
    verify: ['test -s work/{id}.txt']
    outputs: [work/{id}.txt]
    scope: {{write: [work/{id}.txt]}}
"""


class Push(NamedTuple):
    """How a worker got its work to the base."""

    worker: int
    wait: float
    """Seconds."""
    attempts: int
    """Pushes of the base, the last of which was taken."""


class Pushers:
    """A clone of a site's remote for each worker, and rounds in them."""

    def __init__(self, site: Site, folder: Path, *, apart: bool) -> None:
        self._site = site
        self._clones: list[Place] = []
        for number in range(PUSHERS):
            path = folder / f"c{number:02}"
            site.world.git("clone", "--quiet", site.url, str(path))
            environ = dict(site.world.environ)
            if apart:
                environ["HOME"] = str(folder / f"h{number:02}")
                os.mkdir(environ["HOME"])
            place = Place(path, environ, site.world)
            for key, value in (("ralph.worker", f"p{number:02}"), ("gc.auto", "0")):
                place.git("config", key, value)
            place.git("switch", "--quiet", "--create", f"work-{number:02}", "origin/main")
            self._clones.append(place)
        _all([_Child(place, ("trust", "--yes")) for place in self._clones])

    def round(self, number: int, order: list[int]) -> list[Push]:
        """Each makes its own task complete, and all land; in the order of their arrival.

        `order`: in which they are started, to the same gate.
        """
        tasks = [_name(number, worker) for worker in range(PUSHERS)]
        places = list(zip(self._clones, tasks, strict=True))
        _all([_Child(place, ("claim", task)) for place, task in places])
        for place, task in places:
            place.write(f"work/{task}.txt", f"{task}\n")
        _all([_Child(place, ("complete", task)) for place, task in places])
        read, gate = os.pipe()
        children = {
            worker: _Child(
                self._clones[worker], ("complete", tasks[worker], "--land", "merge"), gate=read
            )
            for worker in order
        }
        for child in children.values():
            child.is_ready()
        os.close(read)
        begun = time.monotonic()
        os.write(gate, b"." * PUSHERS)
        found = []
        for worker, child in children.items():
            pushed = child.ended()
            found.append(Push(worker, pushed[-1] - begun, len(pushed)))
        os.close(gate)
        return sorted(found, key=lambda one: one.wait)

    def wrong(self, rounds: int) -> list[str]:
        """What is not as it has to be after so many rounds, one sentence each."""
        at = ("-C", str(self._site.base))
        names = self._site.world.git(*at, "ls-tree", "--name-only", "main", "work/").split()
        missing = rounds * PUSHERS - len(names)
        found = [f"the base has not the work of {missing} tasks"] if missing else []
        return found + [f"a lease is left: {ref}" for ref in self._site.refs("leases")]


class _Child:
    """A command in a process of its own, forked from this one, which has imported everything."""

    def __init__(self, place: Place, words: tuple[str, ...], *, gate: int = -1) -> None:
        self._said = place.path.with_name(f"{place.path.name}.said")
        self._words = words
        self._read, write = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _become(place, words, gate, write, self._said)
        os.close(write)

    def is_ready(self) -> None:
        """Wait until it stands at the gate."""
        os.read(self._read, 1)

    def ended(self) -> list[float]:
        """Wait until it has ended well: when each of its pushes of the base had ended."""
        with os.fdopen(self._read, "rb") as told:
            data = told.read()
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        if code:
            raise RuntimeError(f"{' '.join(self._words)}: exit {code}\n{self._said.read_text()}")
        return [float(line) for line in data.split()]


def _all(children: list[_Child]) -> None:
    for child in children:
        child.ended()


def _become(place: Place, words: tuple[str, ...], gate: int, told: int, said: Path) -> NoReturn:
    """Be `ralphgit WORDS`, once the gate is open, and tell of each push of the base."""
    from ralphgit.cli import main
    from ralphgit.git import remote

    os.chdir(place.path)
    os.environ.clear()
    os.environ.update(place.environ)
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number, fd in enumerate((null, out, out)):
        os.dup2(fd, number)
    random.seed()
    push = remote.push

    def noted(*words: Any, **how: Any) -> bool:
        moved = push(*words, **how)
        if "refs/heads/main" in words:
            os.write(told, f"{time.monotonic()}\n".encode())
        return moved

    vars(remote)["push"] = noted
    if gate >= 0:
        os.write(told, b"\n")
        os.read(gate, 1)
    sys.argv = ["ralphgit", *words]
    try:
        main.main()
    finally:
        os._exit(70)


def _name(number: int, worker: int) -> str:
    return f"T-{number % _ROUNDS:02}-{worker:02}"


def pushers(folder: Path, rounds: int, *, seed: int, apart: bool) -> list[str]:
    """So many rounds, with a line about them; what went wrong."""
    import_all()
    chance, begun = random.Random(seed), time.monotonic()
    found: list[Push] = []
    wrong: list[str] = []
    lasts: Counter[int] = Counter()
    text = "version: 1\ntasks:\n" + "".join(
        _TASK.format(id=_name(number, worker))
        for number in range(_ROUNDS)
        for worker in range(PUSHERS)
    )
    for first in range(0, rounds, _ROUNDS):
        count = min(_ROUNDS, rounds - first)
        with (
            tempfile.TemporaryDirectory(dir=folder) as name,
            Site(Path(name), text, machines=0) as site,
        ):
            field = Pushers(site, Path(name), apart=apart)
            for number in range(count):
                order = list(range(PUSHERS))
                chance.shuffle(order)
                landed = field.round(number, order)
                lasts[landed[-1].worker] += 1
                found += landed
            wrong += field.wrong(count)
        if first % 50 == 0 or first + count == rounds:
            kind = "machines of their own" if apart else "clones of one machine"
            took = time.monotonic() - begun
            print(f"pushers, {kind}: {told(found, lasts)}; {took:.0f} s so far", flush=True)
    return wrong + judged(found, lasts)


def judged(found: list[Push], lasts: Counter[int]) -> list[str]:
    """What is unfair, one sentence each."""
    waits = [one.wait for one in found]
    median, worst = statistics.median(waits), max(waits)
    wrong = []
    if worst > MOST * median:
        wrong.append(f"one waited for {worst:.2f} s, {worst / median:.1f} times the median")
    rounds = sum(lasts.values())
    worker, times = lasts.most_common(1)[0]
    # Of fair rounds each has its share; a worker who is starved has nearly all.
    if times > 5 + 3 * rounds / PUSHERS:
        wrong.append(f"the worker {worker} was the last in {times} of {rounds} rounds")
    return wrong


def told(found: list[Push], lasts: Counter[int]) -> str:
    """The figures, on one line."""
    waits = sorted(one.wait for one in found)
    attempts = [one.attempts for one in found]
    median, p95 = statistics.median(waits), waits[int(len(waits) * 0.95)]
    last = ", ".join(str(lasts[worker]) for worker in range(PUSHERS))
    return (
        f"{sum(lasts.values())} rounds of {PUSHERS}, waits median {median:.2f} s, p95 {p95:.2f}, "
        f"worst {waits[-1]:.2f}, {waits[-1] / median:.1f} times the median; pushes each "
        f"{statistics.mean(attempts):.1f}, at most {max(attempts)}; was the last: {last}"
    )
