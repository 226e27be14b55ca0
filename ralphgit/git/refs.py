"""Moving refs, each by compare-and-swap.

`git update-ref NEW OLD` had exactly one winner in every measured race to create a ref, also
beside `git pack-refs`; libgit2's create-only reference did not, so it is not used. Of those
that *replace* a ref several can win: a git that has read `packed-refs` takes it for unchanged
as long as second, size and inode are the same, which two runs of pack-refs can leave them
(half of 200 rounds of 16 racers on ext4 with git 2.39.5; none on tmpfs, which does not use
an inode number again). So our own swaps are made one after the other, under a lock: then
each is made by a git that was started after the one before it had ended.
"""

from __future__ import annotations

import os
import time

from ralphgit.git.process import Git, failure

_LOCKED = ("Unable to create", "unable to create")
_MOVED = ("reference already exists", "but expected", "unable to resolve reference", "is at ")
_PATIENCE_S = 5.0


def swap(git: Git, ref: str, *, new: str, old: str) -> bool:
    """Set `ref` to `new` if it is at `old`; "" is no ref, on either side.

    Returns whether it was done. Of several callers with the same `old` exactly one gets
    True. A lock that another process holds is waited for, some seconds at most.

    Raises: GitError, NotWritable.
    """
    deadline = time.monotonic() + _PATIENCE_S
    lock = _lock(git.common_dir, deadline)
    try:
        return _swap(git, ref, new, old, deadline)
    finally:
        if lock >= 0:
            os.close(lock)


def _lock(common_dir: str, deadline: float) -> int:
    """Wait for our turn; a file descriptor to be closed afterwards.

    The lock is on the folder of the refs, so that no file is left, and ends with its
    holder. -1 where it cannot be had, in time or at all: git's own locks hold without it.
    """
    import fcntl

    if not common_dir:
        return -1
    try:
        lock = os.open(os.path.join(common_dir, "refs"), os.O_RDONLY)
    except OSError:
        return -1
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.001)
                continue
        except OSError:
            # A file system without locks.
            pass
        os.close(lock)
        return -1


def _swap(git: Git, ref: str, new: str, old: str, deadline: float) -> bool:
    zero = "0" * (len(new or old))
    if new:
        arguments = ("update-ref", "--no-deref", ref, new, old or zero)
    else:
        arguments = ("update-ref", "--no-deref", "-d", ref, old)
    pause = 0.005
    while True:
        result = git.try_run(*arguments)
        if result.status == 0:
            return True
        text = result.err.decode("utf-8", "replace")
        if any(sign in text for sign in _MOVED):
            return False
        locked = any(sign in text for sign in _LOCKED) and "File exists" in text
        if locked and time.monotonic() < deadline:
            time.sleep(pause)
            pause = min(pause * 2, 0.2)
            continue
        raise failure(arguments, result)


def current(git: Git, ref: str) -> str:
    """The object id that `ref` is at, "" if it does not exist."""
    result = git.try_run("rev-parse", "--verify", "--quiet", "--end-of-options", ref)
    return result.out.decode().strip() if result.status == 0 else ""
