"""Start, watch and end workers of one remote in clones of this machine, in the background.

This is what `fleet --url` does, by hand or for a fleet on another machine (`ssh_fleet`). A worker
that runs has the lock of its clone, and its process is asked of that; nothing else is noted.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping, Sequence

from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.heartbeat import Process
from ralphgit.errors import GuardRefused, NotWritable
from ralphgit.loop import background, event_log, fleet_state, stop, worker_clone
from ralphgit.loop.fleet import Ending, Started
from ralphgit.loop.fleet_state import Worker
from ralphgit.model.printable import shown_address

#: How long a worker may take to clone and to begin, and to end: when it has nothing to do,
#: and when it has to bring its work to the remote.
_BEGIN_S, _END_S, _END_NOW_S = 20.0, 15.0, 40.0
_FIRST = ("", "start", "claim")
HOW = "background"


def up(
    environ: Mapping[str, str], url: str, workers: Mapping[str, str], words: Sequence[str]
) -> list[Started]:
    """Start a worker for each name where none runs; `workers` says of which story each is.

    Raises: NotWritable.
    """
    found = []
    for name, story in workers.items():
        top = worker_clone.place(environ, url, name)
        if process := worker_clone.running(top):
            found.append(Started(name, top, False, "running", HOW, process.pid, ""))
            continue
        new = not os.path.isdir(top)
        more = [*words, *(("--story", story) if story else ())]
        pid = _start(environ, top, ["worker", url, "--worker", name, *more])
        found.append(Started(name, top, new, "started", HOW, pid, ""))
    return [_settled(one) if one.state == "started" else one for one in found]


def _start(environ: Mapping[str, str], top: str, words: Sequence[str]) -> int:
    first = [sys.executable, "-P", "-m", "ralphgit", "--no-color"]
    try:
        with background.open_log(f"{top}.log") as log:
            return background.start([*first, *words], os.path.dirname(top), environ, log)
    except OSError as error:
        raise NotWritable(f"no worker can be started in {top}: {error.strerror}") from error


def _settled(one: Started) -> Started:
    """Wait until the worker is past its first look for a task, or has ended; return which."""
    top = one.worktree

    def begun() -> bool:
        beat = heartbeat.read(top)
        return beat is not None and beat.pid == one.pid and beat.phase not in _FIRST

    background.until(lambda: bool(background.has_ended(one.pid)) or begun(), _BEGIN_S)
    if not background.has_ended(one.pid):
        return one
    last = event_log.latest(top)
    if last and last[0].get("pid") == one.pid and last[-1]["event"] == "ended":
        why = str(last[-1].get("why", ""))
        if why != "failed":
            return one._replace(state="ended", why=why)
    return one._replace(state="failed", why=background.last_error(f"{top}.log"))


def status(environ: Mapping[str, str], url: str, now: float) -> list[Worker]:
    """List the workers of `url` that run here, or have run here. Reads only."""
    found = []
    for name, top, process in worker_clone.every(environ, url):
        beat = _beat(top, process)
        state = "ended" if process is None else "starting"
        if beat is not None:
            state = "alive" if heartbeat.alive(beat, now) else "silent"
        elif process is None and (left := heartbeat.read(top)) is not None:
            beat, state = left, "gone"
        entries = [] if state == "starting" else event_log.latest(top)
        found.append(Worker(
            name=name, worktree=top, state=state,
            phase=beat.phase if beat is not None else fleet_state.last_phase(entries),
            task=beat.task if beat is not None else "",
            age_s=round(max(0.0, now - beat.time), 1) if beat is not None else None,
            done=fleet_state.tasks(entries, "done"),
            blocked=fleet_state.tasks(entries, "blocked"),
            how=HOW, pid=process.pid if process is not None else 0,
        ))  # fmt: skip
    return found


def _beat(top: str, process: Process | None) -> heartbeat.Heartbeat | None:
    beat = heartbeat.read(top)
    return beat if process is not None and beat is not None and beat.pid == process.pid else None


def down(environ: Mapping[str, str], url: str, name: str, *, now: bool) -> list[Ending]:
    """Ask the workers of `url` here to end, or the one of this name: after its task, or `now`.

    Waits for those that have no task, and with `now` for all, up to some seconds.

    Raises: GuardRefused (no_loop), NotWritable.
    """
    asked = []
    for worker, top, process in worker_clone.every(environ, url):
        if process is None or name not in ("", worker):
            continue
        beat = _beat(top, process)
        if now or beat is None:
            try:
                os.kill(process.pid, signal.SIGTERM)
            except ProcessLookupError:
                continue  # it has ended meanwhile
        else:
            stop.ask(top)
        task = beat.task if beat is not None else ""
        asked.append(Ending(worker, top, process.pid, task, False))
    if name and not asked:
        raise GuardRefused(
            f"no worker {name} of {shown_address(url)} runs here",
            code="no_loop", hint=f"ralphgit fleet status --url {shlex.quote(shown_address(url))}",
        )  # fmt: skip
    deadline = time.monotonic() + (_END_NOW_S if now else _END_S)
    return [_awaited(one, deadline if now or not one.task else 0.0) for one in asked]


def _awaited(one: Ending, deadline: float) -> Ending:
    def ended() -> bool:
        process = worker_clone.running(one.worktree)
        return process is None or process.pid != one.pid

    return one._replace(ended=background.until(ended, deadline - time.monotonic()))
