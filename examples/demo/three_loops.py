"""The rest of the graph, by three loops that really run at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import NamedTuple

from demo.stage import Place, Surprise, must

_TRIES = 100
LOOP = "ralphgit run --agent scripted --land merge --idle wait"
#: They wait for each other's tasks; what is being shown need not take long.
_SETTINGS = "RALPH_LOOP_IDLE=0.2"


class Landing(NamedTuple):
    """A task on its way into `origin/main`."""

    worker: str
    task: str
    claim: str
    before: str
    """Where origin/main was."""
    after: str
    """Where it is then."""
    merged: bool
    """Others had landed meanwhile, so a merge was made."""


def drain(places: Sequence[Place]) -> None:
    """Have a loop in each place work until everything is done. Raises: Surprise, Stopped."""
    with ThreadPoolExecutor(max_workers=len(places)) as pool:
        loops = [pool.submit(place.run, f"{_SETTINGS} {LOOP}") for place in places]
        # What the others say once the stage is stopped explains nothing.
        for loop in wait(loops, return_when=FIRST_EXCEPTION).done:
            if error := loop.exception():
                places[0].stage.stop()
                raise error


def landings(place: Place, since: str) -> list[Landing]:
    """What has landed on origin/main since a commit, the oldest first."""
    fetch(place)
    keys = ("Worker", "Task", "Claim")
    trailers = "%x09".join(f"%(trailers:key=Ralph-{key},valueonly,separator=%x2c)" for key in keys)
    log = place.git(
        "log", "--first-parent", "--reverse", f"--format=%H %P%x09{trailers}",
        f"{since}..origin/main",
    )  # fmt: skip
    found = []
    for line in log.splitlines():
        commits, *told = line.split("\t")
        after, before, *others = commits.split()
        must(all(told), f"a worker, a task and a claim in {after}")
        worker, task, claim = (value.split(",")[0] for value in told)
        found.append(Landing(worker, task, claim, before, after, bool(others)))
    return found


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
    for _ in range(_TRIES):
        fetch(place)
        before = place.git("rev-parse", "origin/main")
        message = f"Merge origin/main into {place.name}"
        said = place.git("merge", "--no-edit", "-m", message, before)
        done = place.run("git push --quiet origin HEAD:main", expect=None)
        if done.code == 0:
            after = place.git("rev-parse", "HEAD")
            merged = "Already up to date" not in said
            return Landing(place.name, task, claim, before, after, merged)
        refused = "rejected" in done.err or "lock" in done.err
        must(refused, f"the push of {task} to land or be refused; it said: {done.err}")
    raise Surprise(f"expected the push of {task} to land in the end")
