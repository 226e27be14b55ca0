"""`git pack-refs --all`, over and over, beside whatever runs in its context."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path


class Packing:
    """A thread that packs the refs of one repository until its context is left."""

    def __init__(self, repository: Path, environ: Mapping[str, str]) -> None:
        self._repository = repository
        self._environ = environ
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pack-refs")
        self.times = 0
        """How often it packed; one that found a lock held is not counted."""

    def __enter__(self) -> Packing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            done = subprocess.run(
                ["git", "pack-refs", "--all"],
                cwd=self._repository, env=self._environ, capture_output=True, check=False,
            )  # fmt: skip
            self.times += done.returncode == 0
