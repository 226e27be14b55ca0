"""Write and read the index of a graph as a file of the cache.

head     the cache's format line; checksum of all that follows, length of the first part
         (4 bytes each, big-endian)
about    marshalled: the key, how many rows each shard has, the length of each column
columns  the columns of `GraphIndex`, one after the other
"""

import binascii
import marshal
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.model.graph_index import GraphIndex
from ralphgit.records.row_pack import FORMAT, Shard

#: Of what is in an index, and how it follows from the rows: a change of either gets a new number.
VERSION = 4
_HEAD = len(FORMAT) + 8
Key = tuple[tuple[Shard, ...], tuple[Shard, ...]]
"""The shards of a graph, and those of its archive."""
#: These columns are bytes; all others are numbers of 4 bytes.
_BYTES = ("kinds", "priorities", "heads")


class KeptIndex(NamedTuple):
    """What an index file says."""

    counts: list[int]
    """How many rows each shard has."""
    graph: GraphIndex


def parts(key: Key, counts: Sequence[int], index: GraphIndex) -> list[bytes]:
    """What the file consists of."""
    columns = [bytes(column) for column in index]
    about = marshal.dumps((VERSION, key, list(counts), [len(column) for column in columns]))
    checked = [len(about).to_bytes(4, "big"), about, *columns]
    check = 0
    for part in checked:
        check = binascii.crc32(part, check)
    return [FORMAT, check.to_bytes(4, "big"), *checked]


def opened(data: memoryview | None, key: Key) -> KeptIndex | None:
    """The index that a file is, if it is of `key`; None where there is none, or it is damaged."""
    if data is None or len(data) < _HEAD or data[: len(FORMAT)] != FORMAT:
        return None
    check, size = (int.from_bytes(data[at : at + 4], "big") for at in (_HEAD - 8, _HEAD - 4))
    if binascii.crc32(data[_HEAD - 4 :]) != check:
        return None
    version, known, counts, lengths = marshal.loads(data[_HEAD : _HEAD + size])
    if version != VERSION or known != key:
        return None
    columns: list[memoryview | bytes] = []
    begin = _HEAD + size
    for name, length in zip(GraphIndex._fields, lengths, strict=True):
        column = data[begin : begin + length]
        columns.append(bytes(column) if name in _BYTES else column.cast("I"))
        begin += length
    return KeptIndex(counts, GraphIndex._make(columns))
