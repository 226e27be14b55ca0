"""Read of a graph file just the tasks that have changed, where all others were read before.

What the file had before was found valid, and its rows say where each task stands in it. What
both texts begin and end with is not looked at again; of what is between, in whole blocks, those
that were not there before are read as a graph of their own. That is sound for the reason that
lets `yaml_reader` read a graph in pieces: a task's lines stand deeper than its dash, so what the
pieces say is what the whole says. A layout of which that is not sure is not read here.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.model.task_row import Row
from ralphgit.records import graph_file, task_blocks

_HEAD = "version: 1\ntasks:\n"
_MOST = 500
"""Tasks that are read so. Where more have changed, other ways are as fast."""
_LEAST = 4096
"""Characters that are compared at once at first."""
_FEW, _SHORT = 32, 50_000
"""So many blocks, of so many characters, are read one by one and remembered: who works beside
others sees the same ones in each of their branches and worktrees.
"""
_REMEMBERED = 1024


class ChangedBlocks(NamedTuple):
    """What a file has in place of some of its tasks."""

    first: int
    """The number of the first of them, from 0."""
    before: int
    """How many tasks stood there."""
    rows: list[Row]
    """What stands there now."""
    characters: int
    """By how much all that follows has moved; likewise in lines."""
    lines: int


class _Region(NamedTuple):
    """The whole blocks that two texts do not begin or end with alike."""

    first: int
    last: int
    """Of the old text the tasks from `first` to before `last`."""
    begin: int
    end: int
    dash: int
    piece: str
    """What the new text has there."""


class _Blocks(NamedTuple):
    region: _Region
    new: list[str]
    """All blocks that stand there now."""
    known: Mapping[str, Row]
    read: Mapping[str, Row]


def of(old: str, rows: Sequence[Row], new: str) -> ChangedBlocks | None:
    """What `new` has in place of some tasks of `old`, whose rows are known.

    None where it has to be read as a whole: it begins otherwise, its tasks do not stand in lines
    of their own, what has changed is not valid, or too many have.
    """
    blocks = _read(old, rows, new)
    if blocks is None:
        return None
    region, found = blocks.region, list[Row]()
    line, start = rows[region.first].line, region.begin
    for block in blocks.new:
        row, end = blocks.read.get(block) or blocks.known[block], start + len(block)
        found.append(row._replace(line=line, start=start, end=end))
        line, start = line + block.count("\n"), end
    moved = region.piece.count("\n") - old.count("\n", region.begin, region.end)
    before = region.last - region.first
    return ChangedBlocks(region.first, before, found, len(new) - len(old), moved)


def unlike(old: str, rows: Sequence[Row], new: str) -> list[Row] | None:
    """The tasks of `new` whose text `old` does not have, without their places; None as `of`."""
    blocks = _read(old, rows, new)
    return [*blocks.read.values()] if blocks is not None else None


def _region(old: str, rows: Sequence[Row], new: str) -> _Region | None:
    if not rows or rows[-1].end != len(old):
        return None
    same = _common(old, new)
    first = bisect_right(rows, same, key=_start) - 1
    if first < 0:
        return None
    behind = _common_end(old, new, min(len(old), len(new)) - same)
    last = max(first + 1, bisect_left(rows, len(old) - behind, key=_start))
    begin = rows[first].start
    end = rows[last].start if last < len(rows) else len(old)
    piece = new[begin : end + len(new) - len(old)]
    dash = _dash(old, begin)
    if dash is None or (last < len(rows) and (_dash(old, end) != dash or piece[-1:] != "\n")):
        return None
    return _Region(first, last, begin, end, dash, piece)


def _read(old: str, rows: Sequence[Row], new: str) -> _Blocks | None:
    """The blocks that differ; None where they are not valid, or something else as well.

    A block that `old` has, letter by letter, says what it said there.
    """
    region = _region(old, rows, new)
    if region is None:
        return None
    before, text = rows[region.first : region.last], _HEAD + region.piece
    layout = task_blocks.find(text)
    if layout is None or layout.dash != region.dash:
        return None
    if layout.blocks[0].start != len(_HEAD) or layout.blocks[-1].end != len(text):
        return None
    there = [text[block.start : block.end] for block in layout.blocks]
    known = {old[row.start : row.end]: row for row in before}
    fresh = [block for block in there if block not in known]
    gone = known.keys() - set(there)
    is_short = len(fresh) <= _FEW and sum(map(len, (*fresh, *gone))) <= _SHORT
    alone = _alone if is_short else _alone.__wrapped__
    if len(fresh) > _MOST or any(alone(one) != known[one].json for one in gone):
        return None
    read = (_each if is_short else _together)(fresh, before[0].file)
    if len(read) != len(fresh):
        return None
    ids = {(read.get(block) or known[block]).id for block in there}
    return _Blocks(region, there, known, read) if len(ids) == len(there) else None


def _each(fresh: Sequence[str], path: str) -> Mapping[str, Row]:
    """The row of each block that is valid."""
    return {block: row for block in fresh if (row := _row(block, path)) is not None}


def _together(fresh: Sequence[str], path: str) -> Mapping[str, Row]:
    """The row of each block; fewer where one of them is not valid."""
    return dict(zip(fresh, _rows("".join(fresh), path) if fresh else (), strict=False))


@lru_cache(_REMEMBERED)
def _row(block: str, path: str) -> Row | None:
    rows = _rows(block, path)
    return rows[0] if len(rows) == 1 else None


@lru_cache(_REMEMBERED)
def _alone(block: str) -> str:
    """What the task of a block says where its text alone is read; "" where that is not valid."""
    try:
        return json.dumps(graph_file.read_block(block))
    except InvalidRecord:
        return ""


def _rows(blocks: str, path: str) -> list[Row]:
    """The rows of blocks that are a graph of their own; none where it is not valid."""
    text = _HEAD + blocks
    data = text.encode("utf-8", "surrogatepass")
    try:
        file = graph_file.parse(data, path=path, limit=len(data))
    except InvalidRecord:
        return []
    layout = task_blocks.find(text)
    return graph_file.rows(file) if layout and file.spans == layout.blocks else []


def _dash(text: str, start: int) -> int | None:
    """The column of the dash that a line of `text` begins with; None without one."""
    at = start
    while text[at : at + 1] == " ":
        at += 1
    whole = (start == 0 or text[start - 1] == "\n") and text[at : at + 2] in ("- ", "-\n", "-\r")
    return at - start if whole else None


def _start(row: Row) -> int:
    return row.start


def _common(old: str, new: str) -> int:
    """How many characters both begin with."""
    at, step, most = 0, _LEAST, min(len(old), len(new))
    while at < most and old[at : at + step] == new[at : at + step]:
        at, step = at + step, 2 * step
    # The first difference is in the last step, or behind the shorter one.
    while step > 1 and at < most:
        step //= 2
        if old[at : at + step] == new[at : at + step]:
            at += step
    return min(at, most)


def _common_end(old: str, new: str, most: int) -> int:
    """How many characters both end with, `most` at most."""
    at, step = 0, _LEAST

    def same() -> bool:
        return (
            old[max(0, len(old) - at - step) : len(old) - at]
            == new[max(0, len(new) - at - step) : len(new) - at]
        )

    while at < most and same():
        at, step = at + step, 2 * step
    while step > 1 and at < most:
        step //= 2
        if same():
            at += step
    return min(at, most)
