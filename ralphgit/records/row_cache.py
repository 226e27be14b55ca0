"""Cache rows of graph files, and settings, by content in the git common directory.

A pack is one marshalled file with the columns of some shards of a graph. Shards are known
by path and blob id, and the file begins with the version of Python and of this format, so
what a pack says can only be right or missing; deleting the folder changes nothing but time.
It loads 10,000 rows in some 10 ms, where reading the YAML takes 300.

    header   format line; length and checksum of each part that follows
             (4 bytes each, big-endian)
    index    marshalled: the shards, and for each where its rows begin and end
    columns  marshalled: the columns of all rows but `texts`
    texts    what every row's `texts` is
"""

from __future__ import annotations

import binascii
import itertools
import marshal
import mmap
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from ralphgit.model.task_row import Row

_FORMAT = f"ralphgit rows 5 {sys.implementation.cache_tag}\n".encode()
_PARTS = 3
_HEADER = len(_FORMAT) + 8 * _PARTS
_KEPT_PACKS = 40
_KEPT_BYTES = 100 * 1024 * 1024
_TEXTS = Row._fields.index("texts")
#: So many versions of archive files are known besides those that are asked for.
_KEPT_ARCHIVES = 60
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
        self._settings: dict[bytes, dict[str, object]] = {}

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

        A disk error is not a failure.
        """
        fresh = [shard for shard in shards if self._known(shard) is None]
        if not fresh:
            return
        few = 4 * sum(len(rows[shard]) for shard in fresh) < sum(len(rows[s]) for s in shards)
        self._write(fresh if few else shards, rows)
        self._hold({shard: rows[shard] for shard in shards})

    # -- settings --------------------------------------------------------------------

    def settings(
        self, data: bytes, parse: Callable[[bytes], dict[str, object]]
    ) -> dict[str, object]:
        """What `parse` makes of the content of a settings file, asked only if it is new.

        Importing tomllib and reading ten lines with it takes 7 ms.
        """
        if data in self._settings:
            return self._settings[data]
        path = os.path.join(self._folder, f"{binascii.crc32(data):08x}.settings")
        found = _kept_at(path)
        made: dict[str, object] | None = found[1] if found and found[0] == data else None
        if made is None:
            made = parse(data)
            try:
                sealed = _sealed((data, made))
            except ValueError:  # a date, for example: no setting is one, and its reader says so
                return made
            self._put(path, sealed)
        self._settings[data] = made
        return made

    # -- history ---------------------------------------------------------------------

    def history(self, key: str) -> Any:
        """What `keep_history` was given for `key` last; None for nothing."""
        found = _kept_at(self._history_path(key))
        return found[1] if found is not None and found[0] == key else None

    def keep_history(self, key: str, value: object) -> None:
        """Keep what was read from history: plain values alone. A disk error is not a failure."""
        self._put(self._history_path(key), _sealed((key, value)))

    def _history_path(self, key: str) -> str:
        number = binascii.crc32(key.encode("utf-8", "surrogateescape"))
        return os.path.join(self._folder, f"{number:08x}.history")

    # -- the archive -----------------------------------------------------------------

    def archive(
        self, blobs: Sequence[str], parse: Callable[[str], list[tuple[object, ...]]]
    ) -> dict[str, list[tuple[object, ...]]]:
        """What `parse` makes of each file of the archive, by blob id; asked only if it is new."""
        path = os.path.join(self._folder, "index.archive")
        kept = _kept_at(path)
        known: dict[str, list[tuple[object, ...]]] = kept if isinstance(kept, dict) else {}
        found = {oid: known[oid] if oid in known else parse(oid) for oid in blobs}
        if found.keys() - known.keys():
            # Other branches have other versions of some files: what was asked for last stays.
            others = [oid for oid in known if oid not in found][-_KEPT_ARCHIVES:]
            self._put(path, _sealed({**{oid: known[oid] for oid in others}, **found}))
        return found

    # -- rows ------------------------------------------------------------------------

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
        texts = b"".join([row.texts[row.texts_start : row.texts_end] for row in joined])
        ends = list(itertools.accumulate(row.texts_end - row.texts_start for row in joined))
        columns = list(zip(*joined, strict=True))[:_TEXTS]
        parts = (
            marshal.dumps((list(shards), bounds)),
            marshal.dumps([*columns, [0, *ends[:-1]], ends]),
            texts,
        )
        numbers = [number for part in parts for number in (len(part), binascii.crc32(part))]
        header = _FORMAT + b"".join(number.to_bytes(4, "big") for number in numbers)
        self._put(self._path(shards), (header, *parts))

    def _put(self, path: str, parts: Iterable[bytes]) -> None:
        """Write a file of the cache, and remove the oldest. A disk error is not a failure."""
        temporary = f"{path}.{os.getpid()}"
        try:
            os.makedirs(self._folder, exist_ok=True)
            with open(temporary, "wb") as file:
                file.writelines(parts)
            os.replace(temporary, path)
            kept = 0
            for number, (_, size, old) in enumerate(self._files()):
                kept += size
                if number >= _KEPT_PACKS or (number and kept > _KEPT_BYTES):
                    os.unlink(old)
        except OSError:
            # A cache: the answer is the same without it, only later.
            return


def _sealed(value: Any) -> tuple[bytes, bytes]:
    """A small file of the cache: format and checksum, then `value`. Raises: ValueError."""
    kept = marshal.dumps(value)
    return _FORMAT + binascii.crc32(kept).to_bytes(4, "big"), kept


def _kept_at(path: str) -> Any:
    """What a small file of the cache has; None where there is none, or where it is damaged."""
    try:
        with open(path, "rb") as file:
            found = file.read()
    except OSError:
        return None
    start = len(_FORMAT) + 4
    kept = found[start:]
    checked = binascii.crc32(kept).to_bytes(4, "big") == found[len(_FORMAT) : start]
    return marshal.loads(kept) if found.startswith(_FORMAT) and checked else None


def _take(path: str, wanted: set[_Shard]) -> dict[_Shard, list[Row]]:
    """The rows of those of `wanted` that the pack at `path` has; none if it is damaged."""
    try:
        # Mapped and not read: `texts` is large, and little of it is asked for. A pack is never
        # written again, only replaced.
        with open(path, "rb") as file:
            pack = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):  # ValueError: an empty file
        return {}
    if len(pack) < _HEADER or pack[: len(_FORMAT)] != _FORMAT:
        return {}
    parts = []
    begin = _HEADER
    for at in range(len(_FORMAT), _HEADER, 8):
        end = begin + int.from_bytes(pack[at : at + 4], "big")
        parts.append(pack[begin:end])
        if binascii.crc32(parts[-1]) != int.from_bytes(pack[at + 4 : at + 8], "big"):
            return {}
        if len(parts) == 1:
            names, bounds = marshal.loads(parts[0])
            if wanted.isdisjoint(names):
                return {}
        begin = end
    _, body, texts = parts
    *columns, starts, ends = marshal.loads(body)
    # Row._make would cost a Python frame for each.
    made = zip(*columns, itertools.repeat(texts), starts, ends)
    rows = list(map(partial(tuple.__new__, Row), made))
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
