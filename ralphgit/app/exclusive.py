"""One writing command at a time in a worktree: two would take each other's changes back.

The lock is flock(2) on the worktree's git folder, so that nothing is left on the disk and it
ends with the process, however that ends. Leases and the base have their own arbiters.
"""

from __future__ import annotations

import fcntl
import os
import time

from ralphgit.app.project import Project
from ralphgit.errors import GuardRefused, NotWritable

_PATIENCE_S = 10.0
_TURN_S = 0.02


class Alone:
    """Used as a context around what only one process of a repository may do at a time, by the
    lock on `<git common dir>/ralphgit/NAME`.

    Raises: GuardRefused (`NAME_running`), NotWritable.
    """

    def __init__(self, project: Project, name: str) -> None:
        self._folder = os.path.join(project.repository.common_dir, "ralphgit", name)
        self._name = name
        self._lock = -1

    def __enter__(self) -> None:
        try:
            os.makedirs(self._folder, exist_ok=True)
            self._lock = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.__exit__()
            raise GuardRefused(
                f"another {self._name} is at work in this repository; nothing was changed",
                code=f"{self._name}_running",
                hint="wait until it has ended, then repeat the command",
            ) from None
        except OSError as error:
            if self._lock < 0:
                raise NotWritable(f"cannot make {self._folder}: {error.strerror}") from error
            # A file system without locks.

    def __exit__(self, *_: object) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


class Exclusive:
    """Used as a context around a use case that changes files of the worktree.

    What was read before a change by another command is read anew. Not to be nested.

    Raises: GuardRefused (worktree_busy) after 10 s.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._lock = -1

    def __enter__(self) -> None:
        folder = self._project.repository.git_dir
        try:
            self._lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return  # whatever is wrong with it, the command itself will say
        deadline = time.monotonic() + _PATIENCE_S
        while not self._taken():
            if time.monotonic() > deadline:
                self.__exit__()
                raise GuardRefused(
                    "another ralphgit command is at work in this worktree; nothing was changed",
                    code="worktree_busy",
                    hint="wait until it has ended, then repeat the command",
                )
            time.sleep(_TURN_S)
        # The folder changes with every write of git and ours to the index.
        if self._lock >= 0 and os.fstat(self._lock).st_mtime >= self._project.started:
            self._project.refresh()

    def __exit__(self, *_: object) -> None:
        if self._lock < 0:
            return
        try:
            os.utime(self._lock)
        except OSError:
            pass  # a disk that is read-only now
        os.close(self._lock)
        self._lock = -1

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # A file system without locks.
            os.close(self._lock)
            self._lock = -1
        return True
