"""What a loop costs beside its agent, and how many tasks several loops do in a minute.

All over a `git daemon` on loopback, with the scripted agent. A loop's times are those that
its journal has.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from soak import history
from soak.field import Field, graph

from bench import table, timing
from bench.table import Line

_LIMIT, _MORE, _LOST = 1.4, 1.1, 0.05
#: Tasks whose overhead is measured, and after how many the loop and the script take turns.
_ALONE, _SLICE = 30, 5
_LOOPS, _AGENT_S = (1, 2, 4, 8), 0.3
#: How far before a task those stand that it needs: near ones keep eight loops from finding work.
_STEPS = (35, 60)
_PATIENCE_S = 600.0

#: What somebody would write who trusts everything: $1 is the task, $2 a folder with the very
#: bytes that the loop has committed for it.
_SCRIPT = """\
set -e
git fetch --quiet origin main
git switch --quiet --no-track --create "plain/$1" origin/main
cp -R "$2/." .
git add -A
git commit --quiet -m "$1"
git push --quiet origin HEAD:main
"""


def measure(folder: Path, tasks: int) -> Iterator[Line]:
    """Every figure of the loop; `tasks` is the size of the graph that several loops drain.

    Raises: Failed.
    """
    yield from _alone(folder / "alone")
    first = 0.0
    before = 0.0
    for count in _LOOPS:
        drained = _drain(folder / f"loops-{count}", tasks, count)
        first = first or drained.per_minute
        plural = "s" if count > 1 else ""
        yield Line(
            f"i  {count} loop{plural}, {tasks} tasks, agent {_AGENT_S:g} s",
            f"{drained.per_minute:.0f}/min", f"{drained.per_minute / first:.2f} x one",
        )  # fmt: skip
        lost = f"{drained.lost:.1%}"
        if count == _LOOPS[-1]:
            ratio = before / drained.per_minute
            more = 0.0 if ratio <= 1 / _MORE else ratio * _MORE - 1
            yield Line(f"     {count} loops against {_LOOPS[-2]}", "", f"{1 / ratio:.2f} x",
                       f">= {_MORE:g} x", not more, more)  # fmt: skip
            yield Line("     claims lost to another loop", lost, "", f"<= {_LOST:.0%}",
                       drained.lost <= _LOST, max(0.0, drained.lost / _LOST - 1))  # fmt: skip
        else:
            yield Line("     claims lost to another loop", lost)
        before = drained.per_minute
        wrong = drained.wrong
        yield Line("     not complete exactly once", str(len(wrong) or "none"),
                   "; ".join(wrong[:1]), "none", not wrong)  # fmt: skip


# -- one loop ------------------------------------------------------------------------


def _alone(folder: Path) -> Iterator[Line]:
    loop: list[float] = []
    script: list[float] = []
    agent: list[float] = []
    with Field(folder, text=graph(_ALONE, sleep=0), loops=1) as field:
        plain = _Plain(field, folder)
        place = field.places["w0"]
        for _ in range(_ALONE // _SLICE):
            before = field.world.git("-C", field.base(), "rev-parse", "main")
            words = ("run", "--agent", "scripted", "--land", "merge")
            ran = place.ralph(*words, "--max-tasks", str(_SLICE))
            if ran.code:
                raise timing.Failed(f"ralphgit {' '.join(words)}: exit {ran.code}\n{ran.err}")
            script += [plain.repeat(commit) for commit in plain.commits(since=before)]
        for cycle in _cycles(_journal(place.path)):
            loop.append(cycle.seconds - cycle.agent)
            agent.append(cycle.agent)
    if not len(loop) == len(script) == _ALONE:
        raise timing.Failed(f"{len(loop)} tasks by the loop, {len(script)} by the script")
    own, bare = statistics.median(loop), statistics.median(script)
    ratio = own / bare
    title = f"h  one loop, {_ALONE} tasks: a task without its agent"
    yield table.against(title, _ms(own), "script", ratio, _LIMIT)
    yield Line("     fetch, branch, commit, push by a script", _ms(bare))
    yield Line("     the agent, which sleeps for 0 s", _ms(statistics.median(agent)))


class _Plain:
    """A clone with a remote of its own, in which a script repeats what a loop has landed."""

    def __init__(self, field: Field, folder: Path) -> None:
        self._world, self._base = field.world, field.base()
        self._bytes = folder / "bytes"
        self._log = folder / "stderr"
        git = self._world.git
        served = Path(self._base).with_name("plain.git")
        git("clone", "--quiet", "--bare", self._base, str(served))
        git("-C", str(served), "config", "gc.auto", "0")
        url = git("config", "remote.origin.url").removesuffix("o.git")
        self.path = folder / "plain"
        git("clone", "--quiet", f"{url}plain.git", str(self.path))
        git("-C", str(self.path), "config", "gc.auto", "0")

    def commits(self, *, since: str) -> list[str]:
        """What has landed after the commit `since`, the oldest first."""
        arguments = ("rev-list", "--first-parent", "--reverse", f"{since}..main")
        return self._world.git("-C", self._base, *arguments).split()

    def repeat(self, commit: str) -> float:
        """Have the script land the files of a commit; how many seconds it took."""
        there = self._bytes / commit
        at = ("-C", self._base)
        names = self._world.git(*at, "diff", "--name-only", "-z", f"{commit}^1", commit)
        for name in filter(None, names.split("\0")):
            path = there / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = self._world.run("git", *at, "cat-file", "blob", f"{commit}:{name}").out
            path.write_text(text, encoding="utf-8", errors="surrogateescape")
        home = Path.cwd()
        words = ("sh", "-c", _SCRIPT, "sh", commit[:10], str(there))
        try:
            cost = timing.run(words, at=self.path, env=self._world.environ, log=self._log)
        finally:
            os.chdir(home)
        return cost.seconds


# -- several loops -------------------------------------------------------------------


class _Drained(NamedTuple):
    """How several loops drained a graph."""

    per_minute: float
    lost: float
    """Of all claims that were tried, the share that another loop was faster with."""
    wrong: list[str]


def _drain(folder: Path, tasks: int, loops: int) -> _Drained:
    with Field(folder, text=graph(tasks, sleep=_AGENT_S, steps=_STEPS), loops=loops) as field:
        for name in field.places:
            field.start(name)
        deadline = time.monotonic() + _PATIENCE_S
        while field.running():
            if time.monotonic() > deadline:
                raise timing.Failed(f"{loops} loops did not end within {_PATIENCE_S:g} s")
            time.sleep(0.1)  # several loops are waited for; what counts is in their journals
        for name, process in field.loops.items():
            if process.returncode:
                raise timing.Failed(f"{name}: exit {process.returncode}\n{field.said(name)}")
        events = [event for place in field.places.values() for event in _journal(place.path)]
        wrong = history.violations(field.world, field.base())
        states = history.states(field.world, field.base())
        if states != {"complete": tasks}:
            wrong.append(f"in the end: {dict(states)}")
    count = {name: sum(event["event"] == name for event in events)
             for name in ("claimed", "passed", "lost")}  # fmt: skip
    begun = min(_at(event) for event in events if event["event"] == "started")
    ended = max(_at(event) for event in events if event["event"] == "done")
    return _Drained(
        tasks / (ended - begun) * 60,
        (count["passed"] + count["lost"]) / (count["passed"] + count["claimed"]),
        wrong,
    )


# -- the journal ---------------------------------------------------------------------


class _Cycle(NamedTuple):
    """One task, from the end of the one before to its own."""

    seconds: float
    agent: float


def _cycles(events: list[dict[str, Any]]) -> Iterator[_Cycle]:
    begun = agent = 0.0
    for event in events:
        match event["event"]:
            case "started":
                begun, agent = _at(event), 0.0
            case "attempted":
                agent += event["agent_s"]
            case "done":
                yield _Cycle(_at(event) - begun, agent)
                begun, agent = _at(event), 0.0


def _journal(top: Path) -> list[dict[str, Any]]:
    text = (top / ".ralph" / "logs" / "loop.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _at(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["at"]).timestamp()


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
