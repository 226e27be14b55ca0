"""Write and read the events of a loop: JSON lines in `.ralph/logs/loop.jsonl`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ralphgit.errors import Refused
from ralphgit.records import atomic_files, redact_secrets

FOLDER = os.path.join(".ralph", "logs")
NAME = "loop.jsonl"
#: A longer one is renamed to `loop.jsonl.1`.
_MOST_BYTES = 8 * 1024 * 1024


class Journal:
    """Appends one event a line; two loops never share a worktree, so nothing is locked."""

    def __init__(
        self, top: str, worker: str, hear: Callable[[Mapping[str, object]], None] | None = None
    ) -> None:
        """`hear` gets every entry once it is written."""
        self.top = top
        self._path = os.path.join(top, FOLDER, NAME)
        self._worker, self._hear = worker, hear
        os.makedirs(os.path.dirname(self._path), exist_ok=True)

    def write(self, event: str, **fields: object) -> None:
        """Append an event. A disk that refuses does not stop the loop."""
        now = time.time()
        second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        entry = {
            "at": f"{second}.{int(now % 1 * 1000):03}Z",
            "event": event, "worker": self._worker, **fields,
        }  # fmt: skip
        entry = {key: _without_secrets(value) for key, value in entry.items()}
        with suppress(OSError):
            if os.path.exists(self._path) and os.path.getsize(self._path) > _MOST_BYTES:
                os.replace(self._path, f"{self._path}.1")
            with atomic_files.appending(self._path) as file:
                file.write(f"{json.dumps(entry)}\n".encode())
        if self._hear is not None:
            self._hear(entry)


def _without_secrets(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return [_without_secrets(one) for one in value]
    return redact_secrets.words_of_log(value) if isinstance(value, str) else value


def note(path: str, sentence: str) -> None:
    """Append what the loop has to say to the log of an agent at `path`, on lines of its own.

    A disk that refuses does not stop the loop.
    """
    with suppress(OSError), atomic_files.appending(path) as file:
        said = redact_secrets.words_of_log(sentence)
        file.write(f"\nralphgit: {said}\n".encode("utf-8", "replace"))


def latest(top: str) -> list[dict[str, Any]]:
    """Return what the newest loop of the worktree at `top` wrote, from its "started" on."""
    path = os.path.join(top, FOLDER, NAME)
    found: list[dict[str, Any]] = []
    for part in (path, f"{path}.1"):
        found = [*_entries(part), *found]
        starts = [n for n, entry in enumerate(found) if entry["event"] == "started"]
        if starts:
            return found[starts[-1] :]
    return found


def _entries(path: str) -> list[dict[str, Any]]:
    try:
        # Our own lines are ASCII and rarely long; whatever is much bigger is not ours.
        lines = (atomic_files.read_plain(path, limit=2 * _MOST_BYTES) or b"").split(b"\n")
    except Refused:
        return []
    found = []
    for line in lines:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue  # the last line of a loop that was killed; or not one of ours
        if isinstance(entry, dict) and isinstance(entry.get("event"), str):
            found.append(entry)
    return found
