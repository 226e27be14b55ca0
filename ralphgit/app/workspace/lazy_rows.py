"""Make the rows of a graph one by one, where its index is known."""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, overload

from ralphgit.model.graph_index import GraphIndex
from ralphgit.model.task_row import Row

if TYPE_CHECKING:
    from ralphgit.records.changed_blocks import ChangedBlocks


class _Rows(Sequence[Row]):
    """Rows of which each is made, by `_at`, when it is asked for."""

    @abstractmethod
    def _at(self, at: int) -> Row: ...

    @overload
    def __getitem__(self, at: int) -> Row: ...

    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self._at(number) for number in range(*at.indices(len(self)))]
        if at < 0:
            at += len(self)
        if not 0 <= at < len(self):
            raise IndexError(at)
        return self._at(at)


class LazyRows(_Rows):
    """The rows of a graph. One is made when it is asked for; a walk through them makes all."""

    def __init__(
        self, counts: Sequence[int], one: Callable[[int, int], Row], every: Callable[[], list[Row]]
    ) -> None:
        """`counts`: how many each shard has; `one` makes a row by shard and place in it."""
        self._ends = [*accumulate(counts)]
        self._one, self._every = one, every
        self._all: list[Row] | None = None

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def of_shard(self, shard: int) -> tuple[int, int]:
        """The numbers of a shard's first row, and of the next one's."""
        return (self._ends[shard - 1] if shard else 0), self._ends[shard]

    def part(self, begin: int, end: int) -> RowsPart:
        """The rows from `begin` to `end`, none of them made."""
        return RowsPart(self, begin, end)

    def _at(self, at: int) -> Row:
        if self._all is not None:
            return self._all[at]
        shard = bisect_right(self._ends, at)
        return self._one(shard, at - (self._ends[shard - 1] if shard else 0))

    def __iter__(self) -> Iterator[Row]:
        if self._all is None:
            self._all = self._every()
        return iter(self._all)


class RowsPart(_Rows):
    """Some rows of others that follow each other, made when they are asked for."""

    def __init__(self, rows: Sequence[Row], begin: int, end: int) -> None:
        self._rows, self._numbers = rows, range(begin, end)

    def __len__(self) -> int:
        return len(self._numbers)

    def _at(self, at: int) -> Row:
        return self._rows[self._numbers[at]]


class ChangedRows(_Rows):
    """The rows of a graph of which some stand otherwise, and those behind them further down."""

    def __init__(
        self, rows: Sequence[Row], changes: Sequence[tuple[int, int, ChangedBlocks]]
    ) -> None:
        """`changes`: the number of the first one that is other, where its file ends, and how."""
        self._rows, self._changes = rows, changes
        self._all: list[Row] | None = None

    @property
    def changed(self) -> Iterator[int]:
        """The numbers of the rows that are other."""
        for first, _, change in self._changes:
            yield from range(first, first + len(change.rows))

    def __len__(self) -> int:
        return len(self._rows)

    def _at(self, at: int) -> Row:
        if self._all is not None:
            return self._all[at]
        for first, end, change in self._changes:
            if first <= at < end:
                if at < first + len(change.rows):
                    return change.rows[at - first]
                return _moved(self._rows[at], change)
        return self._rows[at]

    def __iter__(self) -> Iterator[Row]:
        if self._all is None:
            found = list(self._rows)
            for first, end, change in self._changes:
                behind = first + len(change.rows)
                found[first:end] = [
                    *change.rows, *(_moved(row, change) for row in found[behind:end]),
                ]  # fmt: skip
            self._all = found
        return iter(self._all)


def _moved(row: Row, change: ChangedBlocks) -> Row:
    return row._replace(
        line=row.line + change.lines,
        start=row.start + change.characters,
        end=row.end + change.characters,
    )


#: Who asks for more tasks than this by their ids will ask for many: then all rows are made.
_FEW = 300


class IndexedIds(Mapping[str, Row]):
    """The rows of a graph by id, found through its index."""

    def __init__(self, index: GraphIndex, rows: Sequence[Row]) -> None:
        self._index, self._rows = index, rows
        self._known: dict[str, int | None] = {}
        self._complete = False
        """Whether `_known` has all tasks."""

    def number(self, task: str) -> int | None:
        """The number of a task; None for one that is not there."""
        if task not in self._known:
            if not self._complete and len(self._known) >= _FEW:
                self._known = {row.id: number for number, row in enumerate(self._rows)}
                self._complete = True
            if self._complete:
                return self._known.get(task)
            likely = self._index.with_id(task)
            self._known[task] = next((n for n in likely if self._rows[n].id == task), None)
        return self._known[task]

    def __getitem__(self, task: str) -> Row:
        number = self.number(task)
        if number is None:
            raise KeyError(task)
        return self._rows[number]

    def __contains__(self, task: object) -> bool:
        return isinstance(task, str) and self.number(task) is not None

    def __iter__(self) -> Iterator[str]:
        return (row.id for row in self._rows)

    def __len__(self) -> int:
        return len(self._rows)
