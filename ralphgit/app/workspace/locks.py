"""Lock a repository, a worktree or a loop by flock(2): a lock ends with its process.

A repository's and a worktree's are on a folder, so that nothing is left on the disk. Leases and
the base have their own arbiters. On a file system without locks each counts as taken.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

from ralphgit.app.workspace import heartbeat, loop_mark
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, NotWritable

_PATIENCE_S = 10.0
_TURN_S = 0.02
#: For how long somebody may have a loop's lock who only looks whether one works.
_LOOK_S = 0.2
#: How long a process that has just taken a loop's lock may take to write its number into it.
_NUMBER_S = 1.0


class _Lock:
    """An open file or folder, and the lock on it. Used as a context; not to be nested."""

    _fd = -1

    def _open(self, path: str, flags: int = os.O_RDONLY) -> None:
        self._fd = os.open(path, flags | os.O_CLOEXEC, 0o666)

    def _take(self, patience_s: float, longest_s: float = 0.0) -> bool:
        """Lock it; False where another process has it for all that time.

        With `longest_s` several take turns: it is waited so long while it goes from one to the
        next, which each who has it marks by the time of the folder.
        """
        begun = last = time.monotonic()
        mark = os.fstat(self._fd).st_mtime_ns
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if longest_s:
                    with suppress(OSError):  # who waits is less patient then
                        os.utime(self._fd)
                return True
            except BlockingIOError:
                now, seen = time.monotonic(), os.fstat(self._fd).st_mtime_ns
                if seen != mark:
                    mark, last = seen, now
                if now >= last + patience_s or (longest_s and now >= begun + longest_s):
                    return False
            except OSError:
                return True  # a file system without locks
            time.sleep(_TURN_S)

    def _is_held(self) -> bool:
        """Whether another process has it, and not only looks, as this does for a moment."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            pass  # a file system without locks
        return False

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class RepositoryLock(_Lock):
    """Used as a context around what one process of a repository alone may do at a time.

    The lock is on a folder of its own, `<git common dir>/ralphgit/NAME`, or `folder`, which other
    repositories may share. What was read before it was taken is read anew; without `anew` by the
    caller, who knows what he needs.

    After `patience_s`, or with turns after `longest_s` (see `_take`), it is refused with `code`;
    without one it goes on, for what only saves work, also where nothing can be locked.

    Raises: GuardRefused, NotWritable (both only with `code`).
    """

    def __init__(
        self, project: Project, name: str, *,
        code: str = "", patience_s: float = 0.0, longest_s: float = 0.0, anew: bool = True,
        folder: str = "",
    ) -> None:  # fmt: skip
        self._project, self._name, self._anew, self._folder = project, name, anew, folder
        self._code, self._patience_s, self._longest_s = code, patience_s, longest_s

    def __enter__(self) -> None:
        name = self._name.replace(" ", "-")
        own = os.path.join(self._project.repository.common_dir, "ralphgit", name)
        folder = self._folder or own
        try:
            with suppress(FileExistsError):  # what else is there can be locked as well
                os.makedirs(folder, exist_ok=True)
            self._open(folder, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            if self._code:
                raise NotWritable(f"cannot write {folder}: {error.strerror}") from error
        if self._fd >= 0 and not self._taken():
            self.__exit__()
            if self._code:
                raise _busy(f"{self._name} is at work in this repository", self._code)
        if self._anew:
            self._project.refresh()

    def _taken(self) -> bool:
        """Lock it, and say so where that has to be waited for."""
        if self._take(0.0, _TURN_S if self._longest_s else 0.0):
            return True
        if not self._patience_s:
            return False
        with self._project.around.progress.step(f"waiting for another {self._name} to end"):
            return self._take(self._patience_s, self._longest_s)


class WorktreeLock(_Lock):
    """Used as a context around a use case that changes files of the worktree.

    Two at a time would take each other's changes back. What was read before a change by another
    command is read anew.

    Raises: GuardRefused (worktree_busy) after 10 s.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    def __enter__(self) -> None:
        try:
            self._open(self._project.repository.git_dir)
        except OSError:
            return  # whatever is wrong with it, the command itself will say
        if not self._take(_PATIENCE_S):
            super().__exit__()
            raise _busy("ralphgit command is at work in this worktree", "worktree_busy")
        # The folder changes with every write of git and ours to the index.
        if os.fstat(self._fd).st_mtime >= self._project.started:
            self._project.refresh()

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            try:
                os.utime(self._fd)
            except OSError:
                pass  # a disk that is read-only now
        super().__exit__()


def _busy(who: str, code: str) -> GuardRefused:
    return GuardRefused(
        f"another {who}; nothing was changed",
        code=code, hint="wait until it has ended, then repeat the command",
    )  # fmt: skip


class LoopLock(_Lock):
    """Used as a context around the one loop of a worktree.

    The lock is on a file in the worktree's git folder, whose text is the number of the process that
    has it. An agent can write there: what the loop has started knows it by a mark (`loop_mark`).

    Raises: GuardRefused (loop_running), NotWritable.
    """

    def __init__(self, project: Project) -> None:
        self._path, self._top = path_of(project.repository.git_dir), project.top
        self._folders = project.repository.common_dir, project.repository.git_dir
        self._mark = -1

    def __enter__(self) -> None:
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            self._open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
        except OSError as error:
            raise NotWritable(f"cannot write {self._path}: {error.strerror}") from error
        if not self._take(_LOOK_S):
            holder = self._holder()
            self.__exit__()
            raise _running(holder)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)
        # Without locks the heartbeat has to do.
        beat = heartbeat.read(self._top)
        other = beat is not None and beat.pid != os.getpid() and beat.process.here
        if beat is not None and other and not beat.process.gone:
            self.__exit__()
            raise _running(beat.pid)
        self._mark = loop_mark.put(*self._folders)

    def __exit__(self, *_: object) -> None:
        if self._mark >= 0:
            os.close(self._mark)
            self._mark = -1
        super().__exit__()

    def held(self) -> bool:
        """Whether a loop of another process has it; nothing is written."""
        try:
            self._open(self._path)
        except OSError as error:
            return _is_closed_to_us(error, self._path)
        try:
            return self._is_held()
        finally:
            self.__exit__()

    def _holder(self) -> int:
        """The process that has the lock, as the file says where that is not seen from here (of
        another pid namespace, say); 0 if neither tells.
        """
        pid = _holder(self._fd)
        deadline = time.monotonic() + _NUMBER_S
        while not pid and not (pid := _noted(self._fd)) and time.monotonic() < deadline:
            time.sleep(_TURN_S)
        return pid


def path_of(git_dir: str) -> str:
    """Where the lock of a worktree's loop is."""
    return os.path.join(git_dir, "ralphgit", "loop.lock")


def loops_of(project: Project, tops: Iterable[str]) -> dict[str, int]:
    """The process of the loop that works in each of some worktrees, 0 for none: by their marks,
    and elsewhere than on Linux by the locks, which are beside the repository, where `.ralph` has no
    say.
    """
    from ralphgit.git import worktrees  # few commands ask it

    common = project.repository.common_dir
    own = {os.path.realpath(path): folder for folder, path in worktrees.listed(common)}
    folders = {top: own.get(os.path.realpath(top), common) for top in tops}
    if sys.platform == "linux":
        marked = loop_mark.loops(common)
        return {top: marked.get(loop_mark.identity(at), 0) for top, at in folders.items()}
    return {top: process_with_lock(path_of(folder)) for top, folder in folders.items()}


def process_with_lock(path: str) -> int:
    """The process that has the file `path` locked now; 0 if none has, or nobody says which.

    On a file system without locks it is the last one that had it.
    """
    probe = _Lock()
    try:
        probe._open(path)
        fcntl.flock(probe._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return 0
    except BlockingIOError:
        return _holder(probe._fd)
    except OSError:
        return _noted(probe._fd) if probe._fd >= 0 else 0
    finally:
        probe.__exit__()


def _holder(fd: int) -> int:
    """The process that has an open file locked: as the kernel says, for whoever may write the file
    writes its text, and elsewhere than on Linux as that says; 0 where neither does.
    """
    said = _noted(fd)
    if sys.platform != "linux":
        return said
    own = os.fstat(fd)
    every = (said, *loop_mark.processes())
    return next((pid for pid in every if pid and _has_locked(pid, own)), 0)


def _noted(fd: int) -> int:
    text = os.pread(fd, 32, 0).strip()
    return int(text) if text.isdigit() else 0


def _has_locked(pid: int, file: os.stat_result) -> bool:
    """Whether one of the open files of a process is this one, and has it locked."""
    with suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fdinfo"):
            with suppress(OSError), open(f"/proc/{pid}/fdinfo/{name}", "rb") as info:
                is_locked = any(line.startswith(b"lock:") and b" FLOCK " in line for line in info)
                if is_locked and os.path.samestat(os.stat(f"/proc/{pid}/fd/{name}"), file):
                    return True
    return False


def _is_closed_to_us(error: OSError, path: str) -> bool:
    """Whether a lock of our own user may not be opened: an agent below its loop can see to that."""
    with suppress(OSError):
        return isinstance(error, PermissionError) and os.stat(path).st_uid == os.geteuid()
    return False


def loop_works_in(project: Project) -> bool:
    """Whether a loop works in this worktree now, by its lock or else by its heartbeat."""
    path = path_of(project.repository.git_dir)
    probe = _Lock()
    try:
        probe._open(path)
        if probe._is_held():
            return True
    except OSError as error:
        if _is_closed_to_us(error, path):
            return True
        # No loop has ever worked here, or its lock was taken away.
    finally:
        probe.__exit__()
    beat = heartbeat.read(project.top)
    return beat is not None and beat.process.here and not beat.process.gone


def _running(pid: int) -> GuardRefused:
    which = f"process {pid}" if pid else "a process that cannot be seen from here"
    return GuardRefused(
        f"a loop works in this worktree already ({which}); ralphgit stop ends it",
        code="loop_running", hint="ralphgit logs -f",
        details={"pid": pid} if pid else {},
    )  # fmt: skip
