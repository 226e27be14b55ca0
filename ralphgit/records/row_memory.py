"""Hold in memory what a cache keeps in files: for who believes no file that others can write."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from ralphgit.records.row_cache import Cache

#: Of what was put there, so many bytes are known, and at least what was put there last.
_HELD_BYTES = 32 * 1024 * 1024


class Memory(Cache):
    """A cache that knows only what this process has put there; the files are for others."""

    def __init__(self, common_dir: str) -> None:
        super().__init__(common_dir)
        self._own: dict[str, bytes] = {}
        """What is in its files; the one that was used last is the last."""
        self._values: dict[str, object] = {}

    def kept(self, key: str) -> Any:
        return self._values.get(key)

    def keep(self, key: str, value: object) -> None:
        self._values[key] = value

    def _paths(self) -> Iterable[str]:
        return [*self._own][::-1]

    def _get(self, path: str) -> memoryview | None:
        found = self._own.pop(path, None)
        if found is None:
            return None
        self._own[path] = found
        return memoryview(found)

    def _put(self, path: str, parts: Iterable[bytes]) -> None:
        whole = b"".join(parts)
        self._own.pop(path, None)
        self._own[path] = whole
        held = sum(map(len, self._own.values()))
        for other in [*self._own][:-1]:
            if held <= _HELD_BYTES:
                break
            held -= len(self._own.pop(other))
        super()._put(path, (whole,))


@lru_cache(maxsize=2)
def of_repository(common_dir: str) -> Memory:
    """Return what this process has read of the repository with this git directory."""
    return Memory(common_dir)
