"""One writing command at a time in a worktree: two would take each other's changes back.

The lock is flock(2) on the worktree's git folder, so that nothing is left on the disk and it
ends with the process, however that ends. Leases and the base have their own arbiters.
"""

from __future__ import annotations

import fcntl
import os
import time

from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, NotWritable

_PATIENCE_S = 10.0
_TURN_S = 0.02


class RepositoryLock:
    """Used as a context around what one process of a repository alone may do at a time.

    The lock is on a folder of its own, `<git common dir>/ralphgit/NAME`. What was read before
    it was taken is read anew.

    Raises: GuardRefused (`code`) after `patience_s`, NotWritable.
    """

    def __init__(self, project: Project, name: str, *, code: str, patience_s: float = 0.0) -> None:
        self._project, self._name = project, name
        self._code, self._patience_s = code, patience_s
        self._lock = -1

    def __enter__(self) -> None:
        name = self._name.replace(" ", "-")
        folder = os.path.join(self._project.repository.common_dir, "ralphgit", name)
        try:
            os.makedirs(folder, exist_ok=True)
            self._lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise NotWritable(f"cannot write {folder}: {error.strerror}") from error
        deadline = time.monotonic() + self._patience_s
        while not _locked(self._lock):
            if time.monotonic() >= deadline:
                self.__exit__()
                raise GuardRefused(
                    f"another {self._name} is at work in this repository; nothing was changed",
                    code=self._code,
                    hint="wait until it has ended, then repeat the command",
                )
            time.sleep(_TURN_S)
        self._project.refresh()

    def __exit__(self, *_: object) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _locked(lock: int) -> bool:
    """Take a lock if nobody has it; True also on a file system without locks."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


class WorktreeLock:
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
