"""Hold in memory what a cache keeps in files: for who believes no file that others can write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ralphgit.records.row_cache import Cache
from ralphgit.records.row_pack import Shard

if TYPE_CHECKING:
    from ralphgit.model.graph_index import GraphIndex
    from ralphgit.records.index_file import KeptIndex

_Key = tuple[tuple[Shard, ...], tuple[Shard, ...]]


class Memory(Cache):
    """The rows of the last two graphs, the index of the last one, and other facts."""

    def __init__(self) -> None:
        super().__init__("")
        self._index: tuple[_Key, KeptIndex] | None = None
        self._values: dict[str, object] = {}

    def index(self, shards: Sequence[Shard], beside: Sequence[Shard]) -> KeptIndex | None:
        key = (tuple(shards), tuple(beside))
        return self._index[1] if self._index and self._index[0] == key else None

    def keep_index(
        self, shards: Sequence[Shard], beside: Sequence[Shard], counts: Sequence[int],
        index: GraphIndex,
    ) -> None:  # fmt: skip
        from ralphgit.records.index_file import KeptIndex

        self._index = (tuple(shards), tuple(beside)), KeptIndex([*counts], index)

    def kept(self, key: str) -> Any:
        return self._values.get(key)

    def keep(self, key: str, value: object) -> None:
        self._values[key] = value

    def _likely(self, shards: Sequence[Shard]) -> Iterable[str]:
        return ()

    def _put(self, path: str, parts: Iterable[bytes]) -> None:
        """Write nothing: `_hold` has the rows."""
