"""What the agents of a worktree printed, and what its loop did."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from ralphgit.app.workspace import heartbeat
from ralphgit.errors import GuardRefused
from ralphgit.loop.event_log import FOLDER


def newest(top: str, task: str = "") -> str:
    """The path of the newest log of the worktree at `top`: of `task`, or of any.

    Raises: GuardRefused (no_log).
    """
    folder = os.path.join(top, FOLDER)
    try:
        # TASK-CLAIM.log; beside them is what a loop without a terminal said.
        names = [
            name for name in os.listdir(folder)
            if name.endswith(".log") and "-" in name and _is_plain(os.path.join(folder, name))
        ]  # fmt: skip
    except FileNotFoundError:
        names = []
    if task:
        names = [name for name in names if name.rpartition("-")[0] == task]
    if not names:
        raise GuardRefused(
            f"there is no log{f' of {task}' if task else ''} in {folder}",
            code="no_log", hint="ralphgit run writes one for each attempt",
        )  # fmt: skip
    return max((os.path.join(folder, name) for name in names), key=os.path.getmtime)


def _is_plain(path: str) -> bool:
    """Not a link: one may have come with a clone, and show any file as what an agent printed."""
    return os.path.isfile(path) and not os.path.islink(path)


def follow(
    top: str, path: Callable[[], str], pause: Callable[[], None]
) -> Iterator[tuple[str, bytes]]:
    """What stands in the log `path()` and what comes, also in the next one, as (path, bytes).

    Ends when the worktree's loop is gone and all was read; without a loop, after what is there.
    """
    current, read = "", 0
    while True:
        beat = heartbeat.read(top)
        running = beat is not None and not heartbeat.gone(beat)
        now = path()
        if now != current:
            current, read = now, 0
        with open(current, "rb") as file:
            file.seek(read)
            data = file.read(1 << 20)
        if data:
            read += len(data)
            yield current, data
        elif not running:
            return
        else:
            pause()
