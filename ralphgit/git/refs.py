"""Move refs by compare-and-swap.

`git update-ref NEW OLD` had exactly one winner in every measured race to create a ref, also
beside `git pack-refs`; libgit2's create-only reference did not, so it is not used.

To *replace* a ref it needs `core.warnAmbiguousRefs=false` (set in `git.run_git`). Without, git
looks first whether a ref is named like the object ids it was given, and so has read
`packed-refs` before it locks the ref. It takes what it read for unchanged as long as second,
size and inode are the same, which two runs of pack-refs can leave them: 29 of 60 rounds of
16 racers had several winners (ext4, git 2.39.5), and with the setting none of 1,500.

To *create* a ref it needs an object that the ref was never at. `git pack-refs` deletes the file
of a ref that is at the object that it has packed, without a look whether the ref is packed still:
one that was deleted meanwhile and created again at the same object is gone (7 of 8 tries with a
pack-refs that waits for the ref's lock), and the next who creates it wins, too.
"""

from __future__ import annotations

import time

from ralphgit.git.child_process import Child
from ralphgit.git.objects import Objects
from ralphgit.git.run_git import Git, failure

_LOCKED = ("Unable to create", "unable to create")
_MOVED = ("reference already exists", "but expected", "unable to resolve reference", "is at ")
_PATIENCE_S = 5.0


def swap(git: Git, ref: str, *, new: str, old: str, begun: Child | None = None) -> bool:
    """Set `ref` to `new` if it is at `old`; "" means no ref, on either side.

    Returns whether it was done. Of several callers with the same `old` exactly one gets
    True. A lock that another process holds is waited for, some seconds at most. `begun`
    is a process that runs `repository.CHANGE`, to create a ref with.

    Raises: GitError, NotWritable.
    """
    deadline = time.monotonic() + _PATIENCE_S
    zero = "0" * (len(new or old))
    if new:
        arguments = ("update-ref", "--no-deref", ref, new, old or zero)
    else:
        arguments = ("update-ref", "--no-deref", "-d", ref, old)
    pause = 0.005
    while True:
        if begun is not None and not old:
            result = begun.finish(f"create {ref}\0{new}\0".encode())
            begun = None
        else:
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


def current(objects: Objects, ref: str) -> str:
    """Return the object id that `ref` is at now, "" if it does not exist."""
    return objects.resolve([ref])[0] or ""
