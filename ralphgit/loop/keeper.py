"""Ends the agents of a loop that was killed: nothing of theirs goes on without it.

A process of its own, which the loop tells on a pipe which process groups run: a line `+PGID`
for one that was started, `-PGID` for one that has ended. When the loop is gone the pipe
closes, and what is left is killed. Standard library only, and little of it: it starts fast.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

_CODE = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
"""


class Keeper:
    """The keeper of one loop. Used as a context."""

    def __enter__(self) -> Keeper:
        # In a session of its own: what interrupts the loop must not end its keeper first.
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", _CODE],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, cwd="/",
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # somebody has killed it
        self._process.wait()

    def started(self, group: int) -> None:
        self._tell(f"+{group}\n")

    def ended(self, group: int) -> None:
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            os.write(self._process.stdin.fileno(), line.encode())
        except BrokenPipeError:
            return  # somebody has killed it; the agent's work goes on


def end_group(group: int, number: int = signal.SIGKILL) -> None:
    """Signal a process group, if it is still there."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return
