"""Cache rows of graph files, and settings, by content in the git common directory.

Shards are known by path and blob id, and every file begins with the version of Python and of
this format, so what a file says can only be right or missing; deleting the folder changes
nothing but time. Rows are in packs (`row_pack`): 10,000 of them load in some 10 ms, where
reading the YAML takes 300.
"""

from __future__ import annotations

import binascii
import marshal
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ralphgit.model.task_row import Row
from ralphgit.records import row_pack
from ralphgit.records.row_pack import FORMAT, Pack, Shard

if TYPE_CHECKING:
    from ralphgit.model.graph_index import GraphIndex
    from ralphgit.records.index_file import KeptIndex

_KEPT_FILES = 200
_KEPT_BYTES = 100 * 1024 * 1024
#: So many versions of archive files are known besides those that are asked for.
_KEPT_ARCHIVES = 8
#: Of archives that a process has read: that of the base, of its branch, and of what came last.
_MADE_ARCHIVES = 3
_Made = TypeVar("_Made")
#: A graph that lies in more packs than this is stored again as one.
_MOST_PARTS = 4
#: So many packs stay open in a process that lives long.
_OPEN_PACKS = 8


class Cache:
    """The packs of one repository, below `<common dir>/ralphgit/cache`."""

    def __init__(self, common_dir: str) -> None:
        self._folder = os.path.join(common_dir, "ralphgit", "cache")
        # What was loaded or stored last and before that: `claim` asks 4 times for the same.
        self._held: dict[Shard, list[Row]] = {}
        self._held_before: dict[Shard, list[Row]] = {}
        self._settings: dict[bytes, dict[str, object]] = {}
        self._packs: dict[str, Pack] = {}
        self._made: dict[tuple[Shard, ...], Any] = {}

    def load(self, shards: Sequence[Shard]) -> dict[Shard, list[Row]]:
        """The rows of as many of `shards` as packs know.

        Of just these shards there is one pack, as a rule; after a change of one shard an
        older pack still has all the others.
        """
        found = {shard: rows for shard in shards if (rows := self._known(shard)) is not None}
        missing = set(shards).difference(found)
        if missing:
            parts = 0
            for path in self._likely(shards):
                taken = _taken(self._pack(path), missing)
                if taken:
                    parts += 1
                    found.update(taken)
                    missing.difference_update(taken)
                    row_pack.touch(path)
                if not missing:
                    break
            if parts > _MOST_PARTS and not missing:
                self._write(shards, found)
            self._hold(dict(found))
        return found

    def store(self, shards: Sequence[Shard], rows: dict[Shard, list[Row]]) -> None:
        """Keep the rows of `shards`; of those, few that are new get a pack of their own.

        A disk error is not a failure.
        """
        fresh = [shard for shard in shards if self._known(shard) is None]
        if not fresh:
            return
        few = 4 * sum(len(rows[shard]) for shard in fresh) < sum(len(rows[s]) for s in shards)
        self._write(fresh if few else shards, rows)
        self._hold({shard: rows[shard] for shard in shards})

    def row(self, shard: Shard, number: int) -> Row | None:
        """Row `number`, from 0, of a shard; None where no pack knows it. No other row is made."""
        known = self._known(shard)
        if known is not None:
            return known[number]
        for pack in [*self._packs.values()]:  # a thread of the loop may open another one
            if shard in pack:
                return pack.row(shard, number)
        for path in self._likely((shard,)):
            found = self._pack(path)
            if found is not None and shard in found:
                return found.row(shard, number)
        return None

    # -- indexes ---------------------------------------------------------------------

    def index(self, shards: Sequence[Shard], beside: Sequence[Shard]) -> KeptIndex | None:
        """What was kept for a graph of these shards with this archive `beside` it."""
        from ralphgit.records import index_file

        path = self._index_path(shards, beside)
        found = index_file.opened(self._get(path), (tuple(shards), tuple(beside)))
        if found is not None:
            row_pack.touch(path)
        return found

    def keep_index(
        self, shards: Sequence[Shard], beside: Sequence[Shard], counts: Sequence[int],
        index: GraphIndex,
    ) -> None:  # fmt: skip
        """Keep the index of a graph, and how many rows each shard has.

        A disk error is not a failure.
        """
        from ralphgit.records import index_file

        key = (tuple(shards), tuple(beside))
        self._put(self._index_path(shards, beside), index_file.parts(key, counts, index))

    def _index_path(self, shards: Sequence[Shard], beside: Sequence[Shard]) -> str:
        number = binascii.crc32(repr((list(shards), list(beside))).encode("utf-8", "replace"))
        return os.path.join(self._folder, f"{len(shards)}-{number:08x}.index")

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
        found = self._kept_at(path)
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

    # -- other facts -----------------------------------------------------------------

    def kept(self, key: str) -> Any:
        """What `keep` was given for `key` last; None for nothing."""
        found = self._kept_at(self._kept_path(key))
        return found[1] if found is not None and found[0] == key else None

    def keep(self, key: str, value: object) -> None:
        """Keep what was found out: plain values alone. A disk error is not a failure."""
        self._put(self._kept_path(key), _sealed((key, value)))

    def _kept_path(self, key: str) -> str:
        number = binascii.crc32(key.encode("utf-8", "surrogateescape"))
        return os.path.join(self._folder, f"{number:08x}.kept")

    # -- the archive -----------------------------------------------------------------

    def archive(
        self, blobs: Sequence[str], parse: Callable[[str], list[tuple[object, ...]]]
    ) -> dict[str, list[tuple[object, ...]]]:
        """What `parse` makes of each file of the archive, by blob id; asked only if it is new."""
        path = os.path.join(self._folder, "index.archive")
        kept = self._kept_at(path)
        known: dict[str, list[tuple[object, ...]]] = kept if isinstance(kept, dict) else {}
        found = {oid: known[oid] if oid in known else parse(oid) for oid in blobs}
        if found.keys() - known.keys():
            # Other branches have other versions of some files: what was asked for last stays.
            others = [oid for oid in known if oid not in found][-_KEPT_ARCHIVES:]
            self._put(path, _sealed({**{oid: known[oid] for oid in others}, **found}))
        return found

    def once(self, shards: tuple[Shard, ...], make: Callable[[], _Made]) -> _Made:
        """What `make` gives for an archive of these files: asked once for each of the last few."""
        found: _Made = self._made[shards] if shards in self._made else make()
        others = [other for other in self._made if other != shards][1 - _MADE_ARCHIVES :]
        self._made = {**{other: self._made[other] for other in others}, shards: found}
        return found

    # -- rows ------------------------------------------------------------------------

    def _known(self, shard: Shard) -> list[Row] | None:
        found = self._held.get(shard)
        return self._held_before.get(shard) if found is None else found

    def _hold(self, rows: dict[Shard, list[Row]]) -> None:
        self._held_before, self._held = self._held, rows

    # -- files -----------------------------------------------------------------------

    def _path(self, shards: Sequence[Shard]) -> str:
        key = binascii.crc32(repr(list(shards)).encode("utf-8", "surrogateescape"))
        name = shards[0][1][:16] if len(shards) == 1 else f"{len(shards)}-{key:08x}"
        return os.path.join(self._folder, f"{name}.rows")

    def _likely(self, shards: Sequence[Shard]) -> Iterable[str]:
        """The packs to look into: that of just these shards, then all, the newest first."""
        own = self._path(shards)
        yield own
        for path in self._paths():
            if path.endswith(".rows") and path != own:
                yield path

    def _paths(self) -> Iterable[str]:
        """Every file, the one that was used last first."""
        return [path for _, _, path in self._files()]

    def _files(self) -> list[tuple[int, int, str]]:
        """Time of last use, size and path of every file in the folder, the newest first."""
        try:
            with os.scandir(self._folder) as entries:
                found = [(s.st_mtime_ns, s.st_size, e.path) for e in entries if (s := e.stat())]
        except OSError:
            return []
        return sorted(found, reverse=True)

    def _pack(self, path: str) -> Pack | None:
        """The pack at `path`, opened once: another process replaces it by what says the same."""
        found = self._packs.get(path) or row_pack.opened(self._get(path))
        if found is not None:
            if len(self._packs) >= _OPEN_PACKS:
                self._packs.clear()
            self._packs[path] = found
        return found

    def _write(self, shards: Sequence[Shard], rows: dict[Shard, list[Row]]) -> None:
        path = self._path(shards)
        self._put(path, row_pack.parts(shards, rows))
        self._packs.pop(path, None)

    def _get(self, path: str) -> memoryview | None:
        """What a file of the cache has; None where there is none."""
        return row_pack.mapped(path)

    def _kept_at(self, path: str) -> Any:
        """What a small file of the cache has; None where there is none, or where it is damaged."""
        found = self._get(path)
        if found is None:
            return None
        start = len(FORMAT) + 4
        kept = found[start:]
        checked = binascii.crc32(kept).to_bytes(4, "big") == found[len(FORMAT) : start]
        return marshal.loads(kept) if found[: len(FORMAT)] == FORMAT and checked else None

    def _put(self, path: str, parts: Iterable[bytes]) -> None:
        """Write a file of the cache, and remove the oldest. A disk error is not a failure."""
        temporary = f"{path}.{os.getpid()}"
        if os.path.islink(self._folder) or os.path.islink(os.path.dirname(self._folder)):
            return  # what it leads to is somebody's, of whom nothing is removed
        try:
            os.makedirs(self._folder, exist_ok=True)
            with open(temporary, "wb") as file:
                file.writelines(parts)
            os.replace(temporary, path)
            kept = 0
            for number, (_, size, old) in enumerate(self._files()):
                kept += size
                if number >= _KEPT_FILES or (number and kept > _KEPT_BYTES):
                    os.unlink(old)
        except OSError:
            # A cache: the answer is the same without it, only later.
            return


def _sealed(value: Any) -> tuple[bytes, bytes]:
    """A small file of the cache: format and checksum, then `value`. Raises: ValueError."""
    kept = marshal.dumps(value)
    return FORMAT + binascii.crc32(kept).to_bytes(4, "big"), kept


def _taken(pack: Pack | None, wanted: set[Shard]) -> dict[Shard, list[Row]]:
    """The rows of those of `wanted` that a pack has."""
    if pack is None:
        return {}
    found = {shard: pack.rows(shard) for shard in wanted if shard in pack}
    return {shard: rows for shard, rows in found.items() if rows is not None}
