"""The rest of the graph, by three workers that really run at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

from ralphgit.demo.stage import Place, Surprise, must

#: Seconds after which workers that still have not finished count as stuck.
_PATIENCE_S = 60.0
_TRIES = 100


class Landing(NamedTuple):
    """A task on its way into `origin/main`."""

    worker: str
    task: str
    claim: str
    before: str
    """Where origin/main was."""
    after: str
    """Where it is now."""
    merged: bool
    """Others had landed meanwhile, so git had to merge."""
    lost_pushes: int


class Drain:
    """What the workers share: how much is left, and who is waiting for it."""

    def __init__(self, tasks: int) -> None:
        self._left = tasks
        self._landings: list[Landing] = []
        self._landed = threading.Condition()
        self._failed = False
        self._deadline = time.monotonic() + _PATIENCE_S

    def run(self, places: Sequence[Place]) -> list[Landing]:
        """Work until every task has landed. Raises: Surprise, Stopped."""
        with ThreadPoolExecutor(max_workers=len(places)) as pool:
            workers = [pool.submit(self._work, place) for place in places]
            # What the others say once the stage is stopped explains nothing.
            for worker in wait(workers, return_when=FIRST_EXCEPTION).done:
                if error := worker.exception():
                    places[0].stage.stop()
                    with self._landed:
                        self._failed = True
                        self._landed.notify_all()
                    raise error
        return self._landings

    def _work(self, place: Place) -> None:
        number = 1
        while self._left:
            number += 1
            seen = len(self._landings)
            fresh_branch(place, f"feature/{place.name}-{number}")
            task = self._claim(place)
            if task is None:
                self._wait(place, seen)
                continue
            place.write(task["x-demo"])
            place.run("ralphgit complete --json")
            landing = land(place, task["id"], task["claim"]["id"])
            with self._landed:
                self._landings.append(landing)
                self._left -= 1
                self._landed.notify_all()

    def _claim(self, place: Place) -> dict[str, Any] | None:
        """The next task; None while every other one waits for somebody else's."""
        line = "ralphgit claim --json"
        for _ in range(_TRIES):
            done = place.run(line, expect=None)
            if done.code == 8 and done.answer()["error"]["code"] == "unsettled":
                continue  # the others were committing all the time
            if done.code == 3:
                return None
            place.check(line, done, 0)
            task: dict[str, Any] = done.data()["task"]
            return task
        raise Surprise(f"expected {place.name} to get a claim in the end")

    def _wait(self, place: Place, seen: int) -> None:
        """Until another task has landed than the `seen` ones."""
        with self._landed:
            self._landed.wait_for(
                lambda: len(self._landings) > seen or self._failed,
                timeout=max(0.0, self._deadline - time.monotonic()),
            )
        if time.monotonic() > self._deadline:
            raise Surprise(f"{place.name} found nothing ready, with {self._left} tasks left")


def fresh_branch(place: Place, name: str) -> None:
    """Begin a branch where origin/main is now."""
    fetch(place)
    place.git("switch", "--quiet", "--no-track", "-c", name, "origin/main")


def fetch(place: Place) -> None:
    """Fetch; again, where another worktree moves the shared origin/main at the same moment."""
    for _ in range(_TRIES):
        done = place.run("git fetch --quiet origin", expect=None)
        if done.code == 0:
            return
        must("lock" in done.err, f"git fetch to succeed; it said: {done.err}")
    raise Surprise("expected git fetch to succeed in the end")


def land(place: Place, task: str, claim: str) -> Landing:
    """Merge origin/main and push, again if another worker's push came first.

    The merge has to be clean: different tasks never conflict.
    """
    for lost in range(_TRIES):
        fetch(place)
        before = place.git("rev-parse", "origin/main")
        message = f"Merge origin/main into {place.name}"
        said = place.git("merge", "--no-edit", "-m", message, before)
        done = place.run("git push --quiet origin HEAD:main", expect=None)
        if done.code == 0:
            after = place.git("rev-parse", "HEAD")
            merged = "Already up to date" not in said
            return Landing(place.name, task, claim, before, after, merged, lost)
        refused = "rejected" in done.err or "lock" in done.err
        must(refused, f"the push of {task} to land or be refused; it said: {done.err}")
    raise Surprise(f"expected the push of {task} to land in the end")
