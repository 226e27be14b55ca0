"""The one loop of a worktree: a lock for as long as it runs, however it ends.

flock(2) on a file in the worktree's git folder, which an agent has no reason to touch. Its text
is the number of the process that has it.
"""

from __future__ import annotations

import fcntl
import os
import time

from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, NotWritable

_PATH = os.path.join("ralphgit", "loop.lock")
#: How long the number of whoever has just taken it may take to stand there.
_PATIENCE_S = 1.0
_TURN_S = 0.02


class LoopLock:
    """Used as a context around a loop."""

    def __init__(self, project: Project) -> None:
        self._path = os.path.join(project.repository.git_dir, _PATH)
        self._top = project.top
        self._fd = -1

    def __enter__(self) -> None:
        """Raises: GuardRefused (loop_running), NotWritable."""
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise NotWritable(f"cannot write {self._path}: {error.strerror}") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = self._holder()
            self.__exit__()
            raise _taken(pid) from None
        except OSError:
            pass  # a file system without locks: the heartbeat has to do
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)
        beat = heartbeat.read(self._top)
        other = beat is not None and beat.pid != os.getpid() and beat.process.here
        if beat is not None and other and not beat.process.gone:
            self.__exit__()
            raise _taken(beat.pid)

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _holder(self) -> int:
        """The process that has the lock; 0 if it does not say."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            if text := os.pread(self._fd, 32, 0).strip():
                return int(text) if text.isdigit() else 0
            time.sleep(_TURN_S)
        return 0


def _taken(pid: int) -> GuardRefused:
    return GuardRefused(
        f"a loop works in this worktree already (process {pid})",
        code="loop_running",
        hint="ralphgit logs -f; to end it: ralphgit stop",
        details={"pid": pid},
    )
