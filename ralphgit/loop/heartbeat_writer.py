"""Write the heartbeat of a running loop by a timer, whatever the loop waits for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.surroundings import Progress
from ralphgit.errors import RalphError

#: The phase in which an agent works.
AGENT = "agent"

#: Steps by their first word; what else takes long runs verify commands.
_PHASES = {"pushing": "push", "opening": "pull request", "setting": "setup"}
#: ... and of one that says itself what is waited for.
_WAITING = "waiting"


class HeartbeatWriter(Progress):
    """Writes `.ralph/heartbeat` every 5 s, and at once when something changes.

    Used as a context. Leaving it removes the file, unless the loop still holds a task: then
    others have to see that it was abandoned.
    """

    def __init__(
        self, top: str, worker: str, *, role: str = "", provides: Sequence[str] = ()
    ) -> None:
        self._top = top
        self._now = heartbeat.Heartbeat(
            **heartbeat.noted(os.getpid())._asdict(),
            worker=worker, task="", claim="", phase="start", time=time.time(), role=role,
            provides=",".join(provides),
        )  # fmt: skip
        self._changed = threading.Event()
        self._heard = time.monotonic()
        self._lock = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> HeartbeatWriter:
        self._write()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._changed.set()
        self._thread.join()
        if not self._now.task:
            heartbeat.remove(self._top, self._now.process)

    @property
    def now(self) -> heartbeat.Heartbeat:
        """What it shows."""
        return self._now

    def agent_spoke(self) -> None:
        """Note that the agent has printed something: it is silent from now on."""
        self._heard = time.monotonic()

    def phase(
        self, phase: str, *, task: str | None = None, claim: str | None = None, why: str = "",
        until: float = 0.0,
    ) -> None:  # fmt: skip
        """Note what the loop does now, for which task, and what it waits for until when."""
        self.agent_spoke()
        with self._lock:
            now = self._now._replace(phase=phase, why=why, until=until)
            if task is not None:
                now = now._replace(task=task, claim=claim or "")
            self._now = now
        self._changed.set()

    @contextmanager
    def step(self, what: str, number: int = 0, of: int = 0) -> Iterator[None]:
        """Show what may hang as a phase of its own while the block runs, if it takes long enough
        to be seen.
        """
        first, _, rest = what.partition(" ")
        before, phase, why = self._now, self._now.phase, self._now.why
        if first == _WAITING:
            why = what
        else:
            phase = _PHASES.get(first, rest if first == "git" else "verify")
        with self._lock:
            self._now = self._now._replace(phase=phase, why=why)
        try:
            yield
        finally:
            with self._lock:
                if (self._now.phase, self._now.why) == (phase, why):
                    self._now = self._now._replace(phase=before.phase, why=before.why)

    def _run(self) -> None:
        while not self._ended:
            self._changed.wait(heartbeat.INTERVAL_S)
            self._changed.clear()
            if not self._ended:
                self._write()

    def _write(self) -> None:
        with self._lock:
            silent = time.monotonic() - self._heard if self._now.phase == AGENT else 0.0
            self._now = self._now._replace(time=time.time(), silent=round(silent, 1))
            beat = self._now
        try:
            heartbeat.write(self._top, beat)
        except RalphError:
            # A full disk: the process is there to be seen all the same.
            return
