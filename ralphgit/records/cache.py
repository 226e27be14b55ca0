"""Rows of graph files, kept by content in the git common directory.

A pack is one marshalled file with the columns of some shards of a graph. Shards are known
by path and blob id, and the file begins with the version of Python and of this format, so
what a pack says can only be right or missing; deleting the folder changes nothing but time.
It loads 10,000 rows in some 10 ms, where reading the YAML takes 300.

    header   format line; length of the index, checksum of the index, checksum of the body
             (4 bytes each, big-endian)
    index    marshalled: the shards, and for each where its rows begin and end
    body     marshalled: the columns of all rows
"""

from __future__ import annotations

import binascii
import marshal
import os
import sys
from collections.abc import Iterable, Sequence

from ralphgit.model.row import Row

_FORMAT = f"ralphgit rows 2 {sys.implementation.cache_tag}\n".encode()
_HEADER = len(_FORMAT) + 12
_KEPT_PACKS = 40
_KEPT_BYTES = 100 * 1024 * 1024
#: A graph that lies in more packs than this is stored again as one.
_MOST_PARTS = 4

_Shard = tuple[str, str]
"""Path and blob id."""
_Bounds = tuple[int, int]


class Cache:
    """The packs of one repository, below `<common dir>/ralphgit/cache`."""

    def __init__(self, common_dir: str) -> None:
        self._folder = os.path.join(common_dir, "ralphgit", "cache")
        # What was loaded or stored last and before that: `claim` asks 4 times for the same.
        self._held: dict[_Shard, list[Row]] = {}
        self._held_before: dict[_Shard, list[Row]] = {}

    def load(self, shards: Sequence[_Shard]) -> dict[_Shard, list[Row]]:
        """The rows of as many of `shards` as packs know.

        Of just these shards there is one pack, as a rule; after a change of one shard an
        older pack still has all the others.
        """
        found = {shard: rows for shard in shards if (rows := self._known(shard)) is not None}
        missing = set(shards).difference(found)
        if missing:
            parts = 0
            for path in self._likely(shards):
                taken = _take(path, missing)
                if taken:
                    parts += 1
                    found.update(taken)
                    missing.difference_update(taken)
                    _touch(path)
                if not missing:
                    break
            if parts > _MOST_PARTS and not missing:
                self._write(shards, found)
            self._hold(dict(found))
        return found

    def store(self, shards: Sequence[_Shard], rows: dict[_Shard, list[Row]]) -> None:
        """Keep the rows of `shards`; of those, few that are new get a pack of their own.

        A disk that refuses is no failure.
        """
        fresh = [shard for shard in shards if self._known(shard) is None]
        if not fresh:
            return
        few = 4 * sum(len(rows[shard]) for shard in fresh) < sum(len(rows[s]) for s in shards)
        self._write(fresh if few else shards, rows)
        self._hold({shard: rows[shard] for shard in shards})

    def _known(self, shard: _Shard) -> list[Row] | None:
        found = self._held.get(shard)
        return self._held_before.get(shard) if found is None else found

    def _hold(self, rows: dict[_Shard, list[Row]]) -> None:
        self._held_before, self._held = self._held, rows

    # -- files -----------------------------------------------------------------------

    def _path(self, shards: Sequence[_Shard]) -> str:
        key = binascii.crc32(repr(list(shards)).encode("utf-8", "surrogateescape"))
        name = shards[0][1][:16] if len(shards) == 1 else f"{len(shards)}-{key:08x}"
        return os.path.join(self._folder, f"{name}.rows")

    def _likely(self, shards: Sequence[_Shard]) -> Iterable[str]:
        """The packs to look into: that of just these shards, then all, the newest first."""
        own = self._path(shards)
        yield own
        for _, _, path in self._files():
            if path.endswith(".rows") and path != own:
                yield path

    def _files(self) -> list[tuple[int, int, str]]:
        """Time of last use, size and path of every file in the folder, the newest first."""
        try:
            with os.scandir(self._folder) as entries:
                found = [(s.st_mtime_ns, s.st_size, e.path) for e in entries if (s := e.stat())]
        except OSError:
            return []
        return sorted(found, reverse=True)

    def _write(self, shards: Sequence[_Shard], rows: dict[_Shard, list[Row]]) -> None:
        bounds: list[_Bounds] = []
        joined: list[Row] = []
        for shard in shards:
            bounds.append((len(joined), len(joined) + len(rows[shard])))
            joined.extend(rows[shard])
        index = marshal.dumps((list(shards), bounds))
        body = marshal.dumps(list(zip(*joined, strict=True)))
        numbers = (len(index), binascii.crc32(index), binascii.crc32(body))
        header = _FORMAT + b"".join(number.to_bytes(4, "big") for number in numbers)
        path = self._path(shards)
        temporary = f"{path}.{os.getpid()}"
        try:
            os.makedirs(self._folder, exist_ok=True)
            with open(temporary, "wb") as file:
                file.writelines((header, index, body))
            os.replace(temporary, path)
            kept = 0
            for number, (_, size, old) in enumerate(self._files()):
                kept += size
                if number >= _KEPT_PACKS or (number and kept > _KEPT_BYTES):
                    os.unlink(old)
        except OSError:
            # A cache: the answer is the same without it, only later.
            return


def _take(path: str, wanted: set[_Shard]) -> dict[_Shard, list[Row]]:
    """The rows of those of `wanted` that the pack at `path` has; none if it is damaged."""
    try:
        with open(path, "rb") as file:
            header = file.read(_HEADER)
            if len(header) < _HEADER or not header.startswith(_FORMAT):
                return {}
            size, of_index, of_body = (
                int.from_bytes(header[at : at + 4], "big") for at in range(len(_FORMAT), _HEADER, 4)
            )
            index = file.read(size)
            if binascii.crc32(index) != of_index:
                return {}
            names, bounds = marshal.loads(index)
            if wanted.isdisjoint(names):
                return {}
            body = file.read()
    except OSError:
        return {}
    if binascii.crc32(body) != of_body:
        return {}
    rows = list(map(Row._make, zip(*marshal.loads(body), strict=True)))
    return {
        shard: rows[start:end]
        for shard, (start, end) in zip(names, bounds, strict=True)
        if shard in wanted
    }


def _touch(path: str) -> None:
    """Mark a pack as used, so that others go before it."""
    try:
        os.utime(path)
    except OSError:
        return
