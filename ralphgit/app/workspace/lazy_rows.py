"""Make the rows of a graph one by one, where its index is known."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, overload

from ralphgit.model.graph_index import GraphIndex
from ralphgit.model.task_row import Row


class LazyRows(Sequence[Row]):
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

    @overload
    def __getitem__(self, at: int) -> Row: ...

    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        if self._all is not None:
            return self._all[at]
        if at < 0:
            at += len(self)
        if not 0 <= at < len(self):
            raise IndexError(at)
        shard = bisect_right(self._ends, at)
        return self._one(shard, at - (self._ends[shard - 1] if shard else 0))

    def __iter__(self) -> Iterator[Row]:
        if self._all is None:
            self._all = self._every()
        return iter(self._all)


class IndexedIds(Mapping[str, Row]):
    """The rows of a graph by id, found through its index."""

    def __init__(self, index: GraphIndex, rows: Sequence[Row]) -> None:
        self._index, self._rows = index, rows
        self._known: dict[str, int | None] = {}

    def number(self, task: str) -> int | None:
        """The number of a task; None for one that is not there."""
        if task not in self._known:
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
