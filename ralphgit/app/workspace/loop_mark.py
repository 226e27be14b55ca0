"""Mark the process of a loop, so that what it has started knows it by nothing that it can write.

The mark is a file in memory that the process has open: Linux tells its name, which says of which
repository and worktree it is. Elsewhere there is none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress

from ralphgit.records import atomic_files

_NAME = "ralphgit-loop"
#: What a process is of that may be a loop, and whose open files may not be seen from here: from a
#: sandbox of Landlock, say, or another user namespace.
UNSEEN = ""
#: How a loop is started.
_PROGRAMS, _LOOPS = (b"ralphgit", b"git-ralph"), frozenset((b"run", b"worker"))


def identity(folder: str) -> str:
    """What a folder is, whatever it is called. Raises: OSError."""
    found = os.stat(folder)
    return f"{found.st_dev}:{found.st_ino}"


def put(repository: str, worktree: str) -> int:
    """Mark this process as the loop of a worktree, by the git folders of both.

    Returns the file that it has open; -1 where there is none.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            return os.memfd_create(f"{_NAME} {identity(repository)} {identity(worktree)}")
    return -1


def worktrees_of(pid: int, repository: str) -> Iterator[str]:
    """Find of which worktrees of the repository a process is the loop, by `identity`; UNSEEN where
    that may not be seen.
    """
    own = identity(repository)
    try:
        yield from (worktree for of, worktree in _marks(pid) if of == own)
    except PermissionError:
        if _may_be_one(pid):
            yield UNSEEN
    except OSError:
        pass


def loops(repository: str) -> dict[str, int]:
    """Find the processes that are the loops of a repository, by the `identity` of their worktrees.

    What a loop has started may mark itself, as any loop's: a loop has none above.
    """
    found: dict[str, int] = {}
    for pid in processes():
        for worktree in worktrees_of(pid, repository):
            if worktree not in found and not any(map(_is_marked, ancestors(_parent(pid)))):
                found[worktree] = pid
    return found


def _marks(pid: int) -> Iterator[tuple[str, str]]:
    """Find the marks of a process: of which repository and worktree. Raises: OSError."""
    for name in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):
            link = os.readlink(f"/proc/{pid}/fd/{name}")
            match link.removeprefix("/memfd:").split(" "):
                case [kind, of, worktree, *_] if kind == _NAME:
                    yield of, worktree


def _is_marked(pid: int) -> bool:
    with suppress(OSError):
        return any(True for _ in _marks(pid))
    return False


def processes() -> list[int]:
    """List the processes that are told from here: none where there is no /proc."""
    with suppress(OSError):
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return []


def ancestors(pid: int) -> Iterator[int]:
    """Yield a process and those that have started it, the nearest first; on Linux more than one."""
    while pid > 0:  # in a container the loop may be the first of all
        yield pid
        pid = _parent(pid)


def _parent(pid: int) -> int:
    data = atomic_files.read(f"/proc/{pid}/stat")
    return int(data.rpartition(b")")[2].split()[1]) if data else 0


def _may_be_one(pid: int) -> bool:
    """Whether a process of our own user was started as a loop, as far as that is told."""
    with suppress(OSError):
        if os.stat(f"/proc/{pid}").st_uid != os.geteuid():
            return False
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
        is_ours = any(os.path.basename(word) in _PROGRAMS for word in words)
        return is_ours and not _LOOPS.isdisjoint(words)
    return os.path.isdir(f"/proc/{pid}")
