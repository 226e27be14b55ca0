"""What a loop did, as JSON lines in `.ralph/logs/loop.jsonl`."""

from __future__ import annotations

import json
import os
import time

FOLDER = os.path.join(".ralph", "logs")
NAME = "loop.jsonl"
#: A longer one is put aside as `loop.jsonl.1`.
_MOST_BYTES = 8 * 1024 * 1024


class Journal:
    """Appends one event a line; two loops never share a worktree, so nothing is locked."""

    def __init__(self, top: str, worker: str) -> None:
        self._path = os.path.join(top, FOLDER, NAME)
        self._worker = worker
        os.makedirs(os.path.dirname(self._path), exist_ok=True)

    def write(self, event: str, **fields: object) -> None:
        """A disk that refuses does not stop the loop."""
        now = time.time()
        second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        entry = {
            "at": f"{second}.{int(now % 1 * 1000):03}Z",
            "event": event, "worker": self._worker, **fields,
        }  # fmt: skip
        try:
            if os.path.exists(self._path) and os.path.getsize(self._path) > _MOST_BYTES:
                os.replace(self._path, f"{self._path}.1")
            with open(self._path, "a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError:
            return
