"""Find and follow the logs of a worktree's agents and of its loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from ralphgit.app.workspace import heartbeat
from ralphgit.errors import GuardRefused
from ralphgit.loop.event_log import FOLDER


def newest(top: str, task: str = "") -> str:
    """Return the path of the newest log in the worktree at `top`: of `task`, or of any task.

    Raises: GuardRefused (no_log).
    """
    folder = os.path.join(top, FOLDER)
    try:
        # TASK-CLAIM.log; the folder also has the output of loops that have no terminal.
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
    """Whether it is a file and no link: a link may come with a clone, and show any file."""
    return os.path.isfile(path) and not os.path.islink(path)


def follow(
    top: str, path: Callable[[], str], pause: Callable[[], None]
) -> Iterator[tuple[str, bytes]]:
    """Yield what is in the log `path()` and what is added, also to the next log, as (path, bytes).

    Ends when the worktree's loop is gone and everything is read; without a loop, at the log's end.
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
