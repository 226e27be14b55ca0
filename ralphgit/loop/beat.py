"""The heartbeat of a running loop: by a timer, whatever the loop waits for."""

from __future__ import annotations

import os
import threading
import time

from ralphgit.app import heartbeat
from ralphgit.app.project import Project
from ralphgit.errors import GuardRefused, RalphError


class Beat:
    """Writes `.ralph/heartbeat` every 5 s, and at once when something changes.

    Used as a context. Leaving it removes the file, unless the loop still holds a task: then
    it is to be seen that nobody works on it.
    """

    def __init__(self, top: str, worker: str) -> None:
        self._top = top
        self._now = heartbeat.Heartbeat(
            pid=os.getpid(), started=heartbeat.start_time(os.getpid()), boot=heartbeat.boot_id(),
            host=heartbeat.host(), worker=worker, task="", claim="", phase="start",
            time=time.time(),
        )  # fmt: skip
        self._changed = threading.Event()
        self._lock = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Beat:
        self._write()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._changed.set()
        self._thread.join()
        if not self._now.task:
            heartbeat.remove(self._top)

    def phase(self, phase: str, *, task: str | None = None, claim: str | None = None) -> None:
        """What the loop does now, and for which task."""
        with self._lock:
            now = self._now._replace(phase=phase)
            if task is not None:
                now = now._replace(task=task, claim=claim or "")
            self._now = now
        self._changed.set()

    def _run(self) -> None:
        while not self._ended:
            self._changed.wait(heartbeat.INTERVAL_S)
            self._changed.clear()
            if not self._ended:
                self._write()

    def _write(self) -> None:
        with self._lock:
            self._now = self._now._replace(time=time.time())
            beat = self._now
        try:
            heartbeat.write(self._top, beat)
        except RalphError:
            # A full disk: the process is there to be seen all the same.
            return


def refuse_second(project: Project) -> None:
    """Raises: GuardRefused (loop_running) while another loop works in this worktree."""
    beat = heartbeat.read(project.top)
    if beat is None or beat.pid == os.getpid():
        return
    if beat.host == heartbeat.host() and not heartbeat.gone(beat):
        raise GuardRefused(
            f"a loop works in this worktree already (process {beat.pid})",
            code="loop_running",
            hint="ralphgit logs -f; to end it: ralphgit stop",
        )
