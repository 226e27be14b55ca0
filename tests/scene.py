"""A repository to look at: a working day of four workers on the example's weather station.

    scene = build(folder)
    scene.ralph("09:00", scene.main, "status")

Everything is made by the real command line in real worktrees, with a clock that stands at the
time that is told (`clocked`). Some tasks are complete, one of them after an attempt that was given
up; one is in review with a finding, one is in progress, one blocked with a question, one held by
a worker that is gone, and one of the proofs is stale.
"""

from __future__ import annotations

import calendar
import os
import sys
import time
from pathlib import Path

from ruamel.yaml import YAML
from world import ROOT, Place, Result, World

from ralphgit.app.workspace import heartbeat

DAY = "2026-11-21"
#: When one looks at it.
NOW = "16:20"


def seconds(clock: str) -> float:
    """`HH:MM` of the day, in seconds since 1970."""
    return float(calendar.timegm(time.strptime(f"{DAY} {clock}", "%Y-%m-%d %H:%M")))


class Scene:
    """The repository, its workers, and the clock."""

    def __init__(self, folder: Path) -> None:
        self.main = World(folder, name="weather")
        graph = ROOT / "examples" / "task-graph.yaml"
        # Commands that say what they find, so that there is some output to see.
        text = graph.read_text(encoding="utf-8").replace("grep -q", "grep -n")
        self.main.write("task-graph.yaml", text)
        self.main.commit("Plan the weather station")
        tasks = YAML(typ="safe").load(graph)["tasks"]
        self._files = {task["id"]: task["x-script"]["write"] for task in tasks}
        self.workers = {
            name: self.main.worktree(name) for name in ("alpha", "beta", "gamma", "delta")
        }

    def ralph(self, clock: str, place: Place, *words: str) -> Result:
        """Run `ralphgit WORDS` at a time of the day; it succeeds."""
        date = f"{DAY}T{clock}:00Z"
        clocked = str(ROOT / "tests" / "clocked.py")
        done = place.run(
            sys.executable, clocked, str(seconds(clock)), *words,
            env={"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
        )  # fmt: skip
        assert done.code == 0, f"{clock} ralphgit {' '.join(words)}: {done.err}"
        return done

    def claim(self, clock: str, worker: str, task: str) -> Place:
        """The worker takes a task, on a branch of its own from where the base is."""
        place = self.workers[worker]
        place.git("checkout", "--quiet", "--no-track", "-B", f"{task}-{worker}", "main")
        self.ralph(clock, place, "claim", task, "--no-fetch")
        return place

    def work(self, clock: str, worker: str, task: str) -> None:
        """Do what the task asks for, and commit it."""
        place = self.workers[worker]
        for path, text in self._files[task].items():
            place.write(path, text)
        place.git("add", "-A")
        date = f"{DAY}T{clock}:00Z"
        env = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        assert place.run("git", "commit", "--quiet", "-m", f"{task}: work", env=env).code == 0

    def finish(self, clock: str, worker: str, task: str, *words: str) -> None:
        self.work(clock, worker, task)
        self.ralph(clock, self.workers[worker], "complete", *words)

    def land(self, clock: str, worker: str, task: str) -> None:
        self.ralph(clock, self.main, "land", f"{task}-{worker}", "--no-fetch")

    def beat(self, worker: str, task: str, phase: str, *, ago: float, pid: int) -> None:
        """The heartbeat of a loop in the worker's worktree."""
        place = self.workers[worker]
        claim = str(place.task(task)["claim"]["id"])
        heartbeat.write(
            str(place.path),
            heartbeat.Heartbeat(
                **heartbeat.noted(pid)._asdict(),
                worker=worker, task=task, claim=claim, phase=phase, time=seconds(NOW) - ago,
            ),
        )  # fmt: skip


def build(folder: Path) -> Scene:
    """The scene as it is at `NOW`, below `folder`."""
    scene = Scene(folder)
    main = scene.main
    scene.ralph("08:50", main, "add", "--id", "ST-306", "--title", "Draw an icon for the station",
                "--story", "S-3", "--priority", "3")  # fmt: skip
    main.commit("Plan an icon")
    scene.ralph("08:55", main, "trust", "--yes")

    scene.claim("09:00", "alpha", "ST-101")
    scene.claim("09:02", "beta", "ST-102")
    scene.claim("09:04", "gamma", "ST-201")
    scene.claim("09:05", "delta", "ST-301")
    scene.finish("09:38", "beta", "ST-102")
    scene.land("09:40", "beta", "ST-102")
    scene.claim("09:45", "beta", "ST-103")
    scene.finish("09:52", "alpha", "ST-101")
    scene.land("09:55", "alpha", "ST-101")
    scene.finish(
        "10:10", "gamma", "ST-201", "--concern", "the format of dates is not agreed upon yet"
    )
    scene.ralph(
        "10:22", scene.workers["gamma"], "audit", "add", "ST-201", "--verdict", "clear",
        "--by", "ann", "--lens", "contract", "--residual-risk", "nobody has used it yet",
    )  # fmt: skip
    scene.workers["gamma"].commit("ST-201: reviewed")
    scene.land("10:30", "gamma", "ST-201")
    scene.ralph("10:41", scene.workers["beta"], "release", "--reason", "needs a faster disk")
    assert main.merge("ST-103-beta").code == 0
    scene.claim("10:50", "alpha", "ST-103")
    scene.finish("11:47", "alpha", "ST-103")
    scene.land("11:50", "alpha", "ST-103")
    scene.ralph(
        "11:58", main, "evidence", "add", "ST-103", "--proves", "ACC-2", "--worker", "ann",
        "--shows", "a reading of 85 degrees is refused, on the station itself",
        "--does-not-show", "that the sensor never sends such a reading",
    )  # fmt: skip
    main.commit("Evidence of a trial on the station")

    scene.claim("13:05", "beta", "ST-203")
    scene.ralph(
        "13:40", scene.workers["beta"], "block", "--reason", "needs_context", "--question",
        "In which time zone does a day begin: the station's, or UTC?",
        "--option", "the station's", "--option", "UTC",
    )  # fmt: skip
    # What ST-101 was proved on changes: its evidence is stale from here on.
    main.replace("/ 1000", "/ 1000.0", "station/sensor.py")
    main.commit("Divide by a float")

    scene.finish("13:20", "delta", "ST-301")
    scene.ralph(
        "13:52", scene.workers["delta"], "audit", "add", "ST-301", "--verdict", "concerns",
        "--by", "ann", "--lens", "accessibility", "--lens", "markup",
        "--finding", "minor: the chart has no text for those who cannot see it",
        "--residual-risk", "looked at in one browser only",
    )  # fmt: skip
    scene.workers["delta"].commit("ST-301: reviewed")

    scene.claim("15:31", "gamma", "ST-104")
    scene.claim("15:48", "alpha", "ST-202")
    scene.work("16:12", "alpha", "ST-202")
    scene.beat("alpha", "ST-202", "agent", ago=3, pid=os.getpid())
    scene.beat("gamma", "ST-104", "agent", ago=1500, pid=_gone())
    return scene


def _gone() -> int:
    """The number of a process that has ended."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child
