"""Know the archived tasks of one place: what they are without reading them, and each as it was."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from ralphgit.errors import InvalidRecord
from ralphgit.records.row_cache import Cache
from ralphgit.records.schemas import ARCHIVE, is_archive

if TYPE_CHECKING:
    from ralphgit.records.archive_file import Archived, Entry

Shard = tuple[str, str]
"""Path and blob id of a file of the archive."""

#: A file that changed just now may change again within the same tick of its times.
_SETTLED_S = 2
#: How files of an archive were when they were read, and their ids then, by path.
_ids: dict[str, tuple[tuple[int, ...], str]] = {}


class Archive:
    """The archive of a commit or a working tree. Nothing is read before it is asked for."""

    def __init__(
        self, list_: Callable[[], tuple[Shard, ...]], read: Callable[[Shard], bytes], cache: Cache,
        prefix: str = "",
    ) -> None:  # fmt: skip
        """`list_` gives the files and `read` their content; `prefix` begins names in errors."""
        self._list, self._read, self._cache, self._prefix = list_, read, cache, prefix
        self._contents: dict[str, bytes] = {}

    @cached_property
    def shards(self) -> tuple[Shard, ...]:
        return self._list()

    @cached_property
    def _places(self) -> Mapping[str, tuple[Shard, Entry]]:
        """File and entry of every archived task, by its case-folded id."""
        return self._cache.once(self.shards, self._placed)

    def _placed(self) -> Mapping[str, tuple[Shard, Entry]]:
        made: dict[str, tuple[Shard, Entry]] = {}
        for shard, entries in self._indexed():
            for entry in entries:
                known = made.setdefault(entry.id.casefold(), (shard, entry))
                if known[0] != shard:
                    raise InvalidRecord(
                        f"{entry.id} is archived twice, also in {known[0][0]}",
                        file=self._prefix + shard[0], code="duplicate_id", task=entry.id,
                        hint="remove one of the two lines, if they are the same",
                    )  # fmt: skip
        return made

    def _indexed(self) -> Iterator[tuple[Shard, list[Entry]]]:
        """Raises: InvalidRecord with the file."""
        from ralphgit.records.archive_file import Entry

        known = self._cache.archive([oid for _, oid in self.shards], self._parsed)
        for shard in self.shards:
            yield shard, list(map(Entry._make, known[shard[1]]))

    def _parsed(self, oid: str) -> list[tuple[object, ...]]:
        from ralphgit.records import archive_file

        shard = next(shard for shard in self.shards if shard[1] == oid)
        try:
            return [tuple(entry) for entry in archive_file.index(self.content(shard[0]))]
        except InvalidRecord as error:
            raise error.at(self._prefix + shard[0]) from None

    def entry(self, task: str) -> Entry | None:
        """What is known of an archived task, whatever case its id is written in."""
        found = self._places.get(task.casefold()) if self.shards else None
        return found[1] if found else None

    def is_complete(self, task: str) -> bool:
        """Whether a task of just this id is in the archive, complete."""
        found = self.entry(task)
        return found is not None and found.id == task and found.status == "complete"

    @property
    def entries(self) -> list[Entry]:
        """Of every archived task."""
        return [entry for _, entry in self._places.values()] if self.shards else []

    def place(self, task: str) -> tuple[str, int]:
        """File and line, from 1, of an archived task."""
        shard, entry = self._places[task.casefold()]
        return shard[0], self.content(shard[0]).count(b"\n", 0, entry.start) + 1

    def content(self, path: str) -> bytes:
        """A file of the archive; it is read once."""
        if path not in self._contents:
            self._contents[path] = self._read(next(one for one in self.shards if one[0] == path))
        return self._contents[path]

    def task(self, task: str) -> Archived:
        """An archived task, whole."""
        from ralphgit.records import archive_file

        shard, entry = self._places[task.casefold()]
        return archive_file.line(self.content(shard[0])[entry.start : entry.end])


#: Of a place that has none.
NONE = Archive(lambda: (), lambda shard: b"", Cache(""))


def id_of(path: str, read: Callable[[str], str], now: float) -> str:
    """The blob id of a file of the archive, by `read`: once, where its last change was some time
    before `now`. A month's archive grows with all that was done in it.
    """
    found = os.stat(path)
    key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    known = _ids.get(path)
    if known is not None and known[0] == key:
        return known[1]
    oid = read(path)
    if found.st_ctime < now - _SETTLED_S:
        _ids[path] = key, oid
    return oid


def files_below(top: str, records: str) -> list[str]:
    """The archive's files in a working tree, sorted."""
    folder = f"{records}/{ARCHIVE}"
    try:
        names = sorted(os.listdir(os.path.join(top, folder)))
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = [f"{folder}/{name}" for name in names]
    return [path for path in found if is_archive(records, path) and os.path.isfile(f"{top}/{path}")]
