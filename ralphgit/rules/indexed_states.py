"""Derive the states of a few tasks of a graph that is summed up, as `readiness` does of all.

What is in flight changes the state of its own tasks and of those of their stories, and of no
other. Only these are looked at one by one, and only when they are asked for.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar, overload

from ralphgit.model import graph_index
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.graph_index import NO_STORY, GraphIndex
from ralphgit.model.task_row import Row
from ralphgit.rules import readiness
from ralphgit.rules.readiness import TaskState, TaskStates

_Made = TypeVar("_Made")
_READY = TaskState("ready")
_UNDER_WAY = graph_index.IN_PROGRESS + graph_index.BLOCKED


class Rows(Protocol):
    """A graph; a row is made when it is asked for."""

    @property
    def rows(self) -> Sequence[Row]: ...

    @property
    def by_id(self) -> Mapping[str, Row]: ...

    def number(self, task: str) -> int | None: ...


class Graph(Rows, Protocol):
    """A graph with its index."""

    @property
    def index(self) -> GraphIndex: ...


class Made(Sequence[_Made], Generic[_Made]):
    """A sequence of which each part is made when it is asked for."""

    def __init__(self, numbers: Sequence[int], make: Callable[[int], _Made]) -> None:
        self.numbers = numbers
        self._make = make

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> _Made: ...

    @overload
    def __getitem__(self, at: slice) -> list[_Made]: ...

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self._make(number) for number in self.numbers[at]]
        return self._make(self.numbers[at])


class StoryStates(Mapping[str, TaskState]):
    """The state of every task while nothing is in flight, by a look at its story.

    The index is of a graph with the same tasks and stories, each of which may be otherwise.
    """

    def __init__(self, graph: Rows, index: GraphIndex) -> None:
        self._graph, self._index = graph, index

    def __getitem__(self, task: str) -> TaskState:
        number = self._graph.number(task)
        if number is None:
            raise KeyError(task)
        first = self._index.firsts[number]
        numbers = [number] if first == NO_STORY else self._index.of_story(first)
        rows = [self._graph.rows[one] for one in numbers]
        return _states(rows, self._graph.by_id, {})[task]

    def __iter__(self) -> Iterator[str]:
        return iter(self._graph.by_id)

    def __len__(self) -> int:
        return self._index.size


def _states(
    rows: Sequence[Row], known: Mapping[str, Row],
    active_claims: Mapping[str, Sequence[ActiveClaim]],
) -> TaskStates:  # fmt: skip
    """The states of `rows`, which are whole stories, of the graph that has `known`."""
    needed = {other for row in rows for other in row.depends_on}
    complete = [
        other for other in needed
        if (found := known.get(other)) is not None and found.status == "complete"
    ]  # fmt: skip
    return TaskStates(rows, active_claims, complete=complete)


class IndexedStates(Mapping[str, TaskState]):
    """The state of every task, by id, as `TaskStates` of all rows would have it."""

    def __init__(self, graph: Graph, active_claims: Mapping[str, Sequence[ActiveClaim]]) -> None:
        self._graph = graph
        self._index = graph.index
        self._active_claims = active_claims
        self._stories: dict[int, TaskStates] = {}
        numbers = {*self._index.numbers(_UNDER_WAY)}
        for task in active_claims:
            number = graph.number(task)
            if number is not None:
                numbers.add(number)
                first = self._index.firsts[number]
                if first != NO_STORY:
                    numbers.update(self._index.of_story(first))
        self._near = sorted(numbers)
        """What is under way or in flight, and the stories of what is in flight."""
        self._judged = self._states([graph.rows[number] for number in self._near])

    def _states(self, rows: Sequence[Row]) -> TaskStates:
        return _states(rows, self._graph.by_id, self._active_claims)

    # -- as a mapping ----------------------------------------------------------------

    def __getitem__(self, task: str) -> TaskState:
        number = self._graph.number(task)
        if number is None:
            raise KeyError(task)
        return self.of(number)

    def of(self, number: int) -> TaskState:
        """The state of a task by its number."""
        row = self._graph.rows[number]
        if row.id in self._judged:
            return self._judged[row.id]
        kind = self._index.kinds[number : number + 1]
        if kind == graph_index.READY:
            return _READY
        if kind != graph_index.WAITING:
            return readiness.finished(row)
        first = self._index.firsts[number]
        if first == NO_STORY:
            return self._states([row])[row.id]
        if first not in self._stories:
            own = self._index.of_story(first)
            self._stories[first] = self._states([self._graph.rows[one] for one in own])
        return self._stories[first][row.id]

    def pair(self, number: int) -> tuple[Row, TaskState]:
        """A task with its state, by its number."""
        return self._graph.rows[number], self.of(number)

    def __contains__(self, task: object) -> bool:
        return isinstance(task, str) and self._graph.number(task) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._graph.by_id)

    def __len__(self) -> int:
        return self._index.size

    # -- of many ---------------------------------------------------------------------

    @property
    def active_tasks(self) -> list[Row]:
        """The tasks that somebody works on, or whose work has not landed."""
        return self._judged.active_tasks

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many tasks are in each state."""
        found = self._index.counts()
        for number in self._near:
            found[graph_index.state(self._index.kinds[number : number + 1])] -= 1
            state = self.of(number).state
            found[state] = found.get(state, 0) + 1
        return found

    @property
    def noted(self) -> Iterator[tuple[Row, TaskState]]:
        """Every task that may be held, blocked or in flight, in the order of the graph; others
        are waiting, ready or finished, and nobody has lost a claim of them.
        """
        for number in self._near:
            yield self.pair(number)

    def of_story(self, row: Row) -> Made[tuple[Row, TaskState]]:
        """The tasks of the story that `row` is of."""
        number = self._graph.number(row.id)
        first = NO_STORY if number is None else self._index.firsts[number]
        return Made(self._index.of_story(first) if first != NO_STORY else (), self.pair)

    def in_states(self, states: Iterable[str]) -> Made[tuple[Row, TaskState]]:
        """The tasks in these states, by state and then in the order of the graph."""
        near = {number: self.of(number).state for number in self._near}
        found: list[int] = []
        for state in states:
            usual = self._index.numbers(graph_index.kinds(state))
            own = [number for number, one in near.items() if one == state]
            found += sorted([*(number for number in usual if number not in near), *own])
        return Made(found, self.pair)

    def ready(self, *, story: str = "", priorities: frozenset[int] | None = None) -> Made[Row]:
        """What may be taken now, in the order in which it would be."""
        near, index = {*self._near}, self._index
        found = [number for number in index.order if number not in near]
        for number in self._near:
            if self.of(number).state == "ready":
                insort(found, number, key=index.place)
        if story:
            begins = [*index.begins(story)]
            found = [
                number for number in found
                if index.firsts[number] in begins and self._graph.rows[number].story == story
            ]  # fmt: skip
        if priorities is not None:
            found = [number for number in found if index.priorities[number] in priorities]
        return Made(found, self._graph.rows.__getitem__)

    def touching(self, heads: Iterable[str]) -> set[int]:
        """What is ready and may touch a path that begins with one of `heads`, or has a scope that
        has to be looked at.
        """
        return {*self._index.near(heads), *self._near}
