"""Load the graph of a commit or a folder: only what the cache does not know is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ralphgit.app.workspace.archive_view import Archive
from ralphgit.app.workspace.graph_view import GraphView, Shard, met, refuse_twins
from ralphgit.errors import InvalidRecord
from ralphgit.git.repository import Repository
from ralphgit.records.row_cache import Cache

if TYPE_CHECKING:
    from ralphgit.model.graph_index import GraphIndex
    from ralphgit.model.task_row import Row
    from ralphgit.records.changed_blocks import ChangedBlocks
    from ralphgit.records.index_file import KeptIndex

Read = Callable[[Shard], bytes]
_KEPT_BLOBS = 3
Near = Callable[[], GraphView | None]
"""Gives a graph whose index is known, and which may differ in a few tasks alone."""


class GraphLoader:
    """Loads graphs of one repository through its cache."""

    def __init__(self, repository: Repository, cache: Cache, limit: Callable[[], int]) -> None:
        """`limit`: how large a graph file may be, in bytes."""
        self._repository = repository
        self._cache = cache
        self._limit = limit
        self._blobs: dict[str, bytes] = {}
        """What was read last, by blob id: one command asks for the same files again."""

    def of_blobs(
        self, shards: Sequence[Shard], label: str, archive: Archive, near: Near | None
    ) -> GraphView:
        """The graph that these blobs make. Raises: InvalidRecord."""
        return self.load(shards, self._blob, label, f"{label}:", archive, near)

    def indexed_blobs(
        self, shards: Sequence[Shard], label: str, archive: Archive
    ) -> GraphView | None:
        """The graph that these blobs make, if its index is kept."""
        kept = self._cache.index(shards, archive.shards) if shards else None
        return kept and self._indexed(kept, shards, self._blob, label, f"{label}:", archive)

    def load(
        self,
        shards: Sequence[Shard],
        read: Read,
        label: str,
        prefix: str,
        archive: Archive,
        near: Near | None = None,
    ) -> GraphView:
        """The graph that these files make, `prefix` before their names in errors.

        Raises: InvalidRecord.
        """
        kept = self._cache.index(shards, archive.shards) if shards else None
        if kept is not None:
            return self._indexed(kept, shards, read, label, prefix, archive)
        other = near() if near and shards else None
        if other is not None and other.archive.shards == archive.shards:
            changed = self._changed(other, shards, read, label, archive)
            if changed is not None:
                return changed
        known = self._known(shards, read, prefix)
        rows = [row for shard in shards for row in known[shard]]
        refuse_twins(rows, prefix)

        def keep(index: GraphIndex) -> None:
            counts = [len(known[shard]) for shard in shards]
            self._cache.keep_index(shards, archive.shards, counts, index)

        return GraphView(met(rows, archive), shards, read, label, archive, keep=keep)

    # -- of an index -----------------------------------------------------------------

    def _indexed(
        self,
        kept: KeptIndex,
        shards: Sequence[Shard],
        read: Read,
        label: str,
        prefix: str,
        archive: Archive,
    ) -> GraphView:
        """A graph whose index is known: each row is made when it is asked for."""
        from ralphgit.app.workspace.lazy_rows import LazyRows

        def one(shard: int, number: int) -> Row:
            found = self._cache.row(shards[shard], number)
            if found is None:
                found = self._known([shards[shard]], read, prefix)[shards[shard]][number]
            return met([found], archive, view.by_id)[0]

        def every() -> list[Row]:
            known = self._known(shards, read, prefix)
            return met([row for shard in shards for row in known[shard]], archive)

        rows = LazyRows(kept.counts, one, every)
        view = GraphView(rows, shards, read, label, archive, index=kept.graph)
        return view

    def _changed(
        self, other: GraphView, shards: Sequence[Shard], read: Read, label: str, archive: Archive
    ) -> GraphView | None:
        """A graph that has the tasks of `other`, some of them otherwise; None for another one."""
        from ralphgit.app.workspace.lazy_rows import ChangedRows, LazyRows
        from ralphgit.records import changed_blocks

        if [path for path, _ in shards] != [path for path, _ in other.shards]:
            return None
        assert isinstance(other.rows, LazyRows)
        changes: list[tuple[int, int, ChangedBlocks]] = []
        differing = [n for n, shard in enumerate(shards) if shard != other.shards[n]]
        contents = self._contents([shards[n] for n in differing], read)
        for number in differing:
            data = contents[shards[number]]
            if len(data) > self._limit():
                return None
            path = shards[number][0]
            begin, end = other.rows.of_shard(number)
            try:
                new = data.decode("utf-8")
            except UnicodeDecodeError:
                return None
            found = changed_blocks.of(other.content(path), other.rows_of(path), new)
            if found is None or len(found.rows) != found.before:
                return None
            at = begin + found.first
            if any(row.id != other.rows[at + n].id for n, row in enumerate(found.rows)):
                return None
            own = met(found.rows, archive, other.by_id)
            changes.append((at, end, found._replace(rows=own)))
        rows = ChangedRows(other.rows, changes)
        return GraphView(rows, shards, read, label, archive, near=other)

    # -- rows ------------------------------------------------------------------------

    def _known(self, shards: Sequence[Shard], read: Read, prefix: str) -> dict[Shard, list[Row]]:
        """The rows of each shard, parsed if they are new. Raises: InvalidRecord."""
        known = self._cache.load(shards) if shards else {}
        missing = [shard for shard in shards if shard not in known]
        if missing:
            from ralphgit.records import graph_file

            contents = self._contents(missing, read)
            for shard in missing:
                try:
                    file = graph_file.parse(contents[shard], path=shard[0], limit=self._limit())
                except InvalidRecord as error:
                    raise error.at(prefix + error.file) from None
                known[shard] = graph_file.rows(file)
            self._cache.store(shards, known)
        return known

    # -- contents --------------------------------------------------------------------

    def _blob(self, shard: Shard) -> bytes:
        if shard[1] not in self._blobs:
            self._hold(self._repository.objects.read([shard[1]]))
        return self._blobs[shard[1]]

    def _hold(self, blobs: dict[str, bytes]) -> None:
        kept = dict([*self._blobs.items()][-_KEPT_BLOBS:])
        self._blobs = {**kept, **blobs}

    def _contents(self, shards: Sequence[Shard], read: Read) -> dict[Shard, bytes]:
        if read == self._blob:
            fresh = [oid for _, oid in shards if oid not in self._blobs]
            blobs = {**self._blobs, **self._repository.objects.read(fresh)}
            found = {shard: blobs[shard[1]] for shard in shards}
        else:
            found = {shard: read(shard) for shard in shards}
        self._hold({oid: data for (_, oid), data in [*found.items()][-_KEPT_BLOBS:]})
        return found
