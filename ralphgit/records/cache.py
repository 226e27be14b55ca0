"""Rows of graph files, kept by content in the git common directory.

A pack is one marshalled file with the columns of every shard of one graph. Its key is the
content of the shards (their blob ids) and the version of Python and of this format, so a
pack can only be right or missing; deleting the folder changes nothing but time. It loads
10,000 rows in some 10 ms, where reading the YAML takes 300.
"""

from __future__ import annotations

import binascii
import marshal
import os
import sys
from collections.abc import Sequence

from ralphgit.model.row import Row

_FORMAT = f"ralphgit rows 1 {sys.implementation.cache_tag}\n".encode()
_KEPT = 12
_Shard = tuple[str, str]
"""Path and blob id."""


class Cache:
    """The packs of one repository, below `<common dir>/ralphgit/cache`."""

    def __init__(self, common_dir: str) -> None:
        self._folder = os.path.join(common_dir, "ralphgit", "cache")

    def load(self, shards: Sequence[_Shard]) -> dict[_Shard, list[Row]]:
        """The rows of as many of `shards` as a pack knows.

        The pack of just these shards where there is one; else the newest pack, which after
        a change of one shard still has all the others.
        """
        wanted = self._path(shards)
        found = _read(wanted)
        if found is None:
            for path in self._newest():
                if path != wanted and (found := _read(path)) is not None:
                    break
        if found is None:
            return {}
        names, bounds, columns = found
        if list(names) == list(shards):
            rows = list(map(Row._make, zip(*columns, strict=True)))
            return {shard: rows[start:end] for shard, (start, end) in zip(names, bounds, strict=True)}
        keep = set(shards)
        return {
            shard: list(map(Row._make, zip(*(column[start:end] for column in columns), strict=True)))
            for shard, (start, end) in zip(names, bounds, strict=True)
            if shard in keep
        }

    def store(self, shards: Sequence[_Shard], rows: dict[_Shard, list[Row]]) -> None:
        """Keep the rows of `shards` as one pack. A disk that refuses is no failure."""
        bounds, joined, at = [], [], 0
        for shard in shards:
            joined.extend(rows[shard])
            bounds.append((at, at + len(rows[shard])))
            at += len(rows[shard])
        columns = [list(column) for column in zip(*joined, strict=True)] if joined else []
        body = marshal.dumps((list(shards), bounds, columns))
        path = self._path(shards)
        temporary = f"{path}.{os.getpid()}"
        try:
            os.makedirs(self._folder, exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(_FORMAT + binascii.crc32(body).to_bytes(4, "big") + body)
            os.replace(temporary, path)
            for old in self._newest()[_KEPT:]:
                os.unlink(old)
        except OSError:
            # A cache: the answer is the same without it, only later.
            return

    def _path(self, shards: Sequence[_Shard]) -> str:
        key = binascii.crc32(repr(shards).encode("utf-8", "surrogateescape"))
        name = shards[0][1][:16] if len(shards) == 1 else f"{len(shards)}-{key:08x}"
        return os.path.join(self._folder, f"{name}.rows")

    def _newest(self) -> list[str]:
        try:
            with os.scandir(self._folder) as entries:
                packs = [(entry.stat().st_mtime_ns, entry.path) for entry in entries if entry.name.endswith(".rows")]
        except OSError:
            return []
        return [path for _, path in sorted(packs, reverse=True)]


def _read(path: str) -> tuple[list[_Shard], list[tuple[int, int]], list[list[object]]] | None:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return None
    body = memoryview(data)[len(_FORMAT) + 4 :]
    checksum = data[len(_FORMAT) : len(_FORMAT) + 4]
    if not data.startswith(_FORMAT) or binascii.crc32(body).to_bytes(4, "big") != checksum:
        return None
    found = marshal.loads(body)
    return found[0], found[1], found[2]
