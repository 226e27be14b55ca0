"""End what has left whoever started it: daemons of git's, and what a killed supervisor has kept.

What a supervisor runs ends with it. What else starts daemons is git (a program of its settings, a
hook), and a supervisor can be killed. On Linux a loop is therefore what the supervisor is, a child
subreaper (prctl(2)): such processes become its children, and end before anything is judged.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ralphgit.app.processes import supervisor
from ralphgit.errors import NeedsPerson
from ralphgit.git import child_process

#: Children that were there before, or of whom nothing is known; None while strays do not come here.
_before: frozenset[int] | None = None
#: How long what was killed may take to end.
_PATIENCE_S = 5.0


@contextmanager
def adopted() -> Iterator[None]:
    """Have every process that loses its parent below this one become a child of this one.

    For a process that is nothing but a loop: what it has not started itself is killed by `end`.
    """
    global _before
    before = frozenset(supervisor.children())
    if supervisor.adopt_orphans():
        _before = before
    try:
        yield
    finally:
        if _before is not None:
            _before = None
            supervisor.adopt_orphans(adopts=False)


def come_here() -> bool:
    """Whether what loses its parent becomes a child of this process."""
    return _before is not None


def end(*, but_now: bool = False) -> None:
    """Kill the children that this process has not started, and theirs, until none is left.

    With `but_now` those that are there now stay for good: a service that a setup has started.

    Raises: NeedsPerson (strays_left).
    """
    global _before
    if _before is None:
        return
    if but_now:
        with child_process.no_start() as own:
            _before |= {*supervisor.children()} - own
        return
    deadline = time.monotonic() + _PATIENCE_S
    while left := _kill(_before):
        if time.monotonic() > deadline:
            raise NeedsPerson(
                "what an agent or a verify command has started does not end: "
                f"process {', '.join(map(str, sorted(left)))}; nothing was verified or landed",
                code="strays_left",
                hint=f"ps -fp {','.join(map(str, sorted(left)))}",
            )
        time.sleep(0.001)


def _kill(before: frozenset[int]) -> set[int]:
    """Return which were left."""
    with child_process.no_start() as own:
        left = {*supervisor.children()} - own - before
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
    for pid in left:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return left
