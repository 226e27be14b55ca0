"""Rows of graph files in one file, of which only what is asked for is read.

A pack has the rows of some shards in pieces of at most 128. Each piece has a checksum, so what
a pack says can only be right or missing.

    head     format line; length and checksum of the index (4 bytes each, big-endian)
    index    marshalled: path, blob id and number of rows of each shard; of each piece, in
             order, length and checksum of its columns, then of its texts
    pieces   columns: marshalled, all of a row but `texts`; then what the rows' `texts` are
"""

from __future__ import annotations

import binascii
import itertools
import marshal
import mmap
import os
import sys
from collections.abc import Sequence
from functools import partial

from ralphgit.model.task_row import Row

#: The first line of every file of the cache: another one is of another version.
FORMAT = f"ralphgit rows 7 {sys.implementation.cache_tag} {sys.byteorder}\n".encode()
_HEAD = len(FORMAT) + 8
_PIECE = 128
#: A file of at most so many bytes is read at once.
_READ = 1 << 20
_TEXTS = Row._fields.index("texts")

Shard = tuple[str, str]
"""Path and blob id."""


class Pack:
    """One file of rows. Of a piece that is damaged it has none."""

    def __init__(self, data: memoryview, begin: int, index: tuple[object, ...]) -> None:
        self._data = data
        shards, pieces = index
        self._pieces: list[tuple[int, int, int, int, int]] = []
        """Of each piece: where it begins, then as in the index."""
        for piece in pieces:  # type: ignore[attr-defined]
            self._pieces.append((begin, *piece))
            begin += piece[0] + piece[2]
        self._first: dict[Shard, tuple[int, int]] = {}
        """By shard: its first piece, and how many rows it has."""
        number = 0
        for name, oid, count in shards:  # type: ignore[attr-defined]
            self._first[name, oid] = number, count
            number += -(-count // _PIECE)
        self._made: dict[int, list[Row]] = {}
        """Pieces of which one row was asked for."""

    def __contains__(self, shard: object) -> bool:
        return shard in self._first

    def rows(self, shard: Shard) -> list[Row] | None:
        """The rows of one of its shards; None where it is damaged."""
        first, count = self._first[shard]
        found: list[Row] = []
        for number in range(first, first - (-count // _PIECE)):
            rows = self._piece(number)
            if rows is None:
                return None
            found += rows
        return found

    def row(self, shard: Shard, number: int) -> Row | None:
        """One row of a shard, counted from 0; None where it is damaged."""
        piece = self._first[shard][0] + number // _PIECE
        if piece not in self._made:
            rows = self._piece(piece)
            if rows is None:
                return None
            self._made[piece] = rows
        return self._made[piece][number % _PIECE]

    def _piece(self, number: int) -> list[Row] | None:
        begin, size, check, text_size, text_check = self._pieces[number]
        columns = self._data[begin : begin + size]
        texts = self._data[begin + size : begin + size + text_size]
        if binascii.crc32(columns) != check or binascii.crc32(texts) != text_check:
            return None
        *values, starts, ends = marshal.loads(columns)
        # Row._make would cost a Python frame for each.
        made = zip(*values, itertools.repeat(texts), starts, ends)
        return list(map(partial(tuple.__new__, Row), made))


def opened(data: memoryview | None) -> Pack | None:
    """The pack that a file is; None where there is none, or where it is damaged."""
    if data is None or len(data) < _HEAD or data[: len(FORMAT)] != FORMAT:
        return None
    size, check = (int.from_bytes(data[at : at + 4], "big") for at in (_HEAD - 8, _HEAD - 4))
    index = data[_HEAD : _HEAD + size]
    if binascii.crc32(index) != check:
        return None
    return Pack(data, _HEAD + size, marshal.loads(index))


def mapped(path: str) -> memoryview | None:
    """A file of the cache; a large one is mapped and not read, for little of it is asked for.

    What is mapped is an open file as long as anybody has it: a loop would have hundreds. No file of
    the cache is ever written again, only replaced.
    """
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size <= _READ:
                return memoryview(file.read())
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError:
        return None


def parts(shards: Sequence[Shard], rows: dict[Shard, list[Row]]) -> list[bytes]:
    """What a pack of these shards consists of."""
    pieces: list[tuple[int, int, int, int]] = []
    body: list[bytes] = []
    for shard in shards:
        own = rows[shard]
        for at in range(0, len(own), _PIECE):
            columns, texts = _sealed(own[at : at + _PIECE])
            pieces.append((
                len(columns), binascii.crc32(columns), len(texts), binascii.crc32(texts),
            ))  # fmt: skip
            body += [columns, texts]
    index = marshal.dumps(([(*shard, len(rows[shard])) for shard in shards], pieces))
    sizes = (len(index), binascii.crc32(index))
    return [FORMAT, *(number.to_bytes(4, "big") for number in sizes), index, *body]


def _sealed(rows: Sequence[Row]) -> tuple[bytes, bytes]:
    """Columns and texts of a piece."""
    texts = b"".join([row.texts[row.texts_start : row.texts_end] for row in rows])
    ends = list(itertools.accumulate(row.texts_end - row.texts_start for row in rows))
    columns = list(zip(*rows, strict=True))[:_TEXTS]
    return marshal.dumps([*columns, [0, *ends[:-1]], ends]), texts


def touch(path: str) -> None:
    """Mark a file of the cache as used, so that others go before it."""
    try:
        os.utime(path)
    except OSError:
        return
