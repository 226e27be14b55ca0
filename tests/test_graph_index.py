"""The index of a graph says what its rows say, and a file of it says that or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import slow
from hypothesis import given
from hypothesis import strategies as some
from rows import row

from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.model import graph_index
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.graph_index import GraphIndex
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import State
from ralphgit.records import index_file
from ralphgit.rules import active_scopes, readiness, sum_up_graph
from ralphgit.rules.active_scopes import ActiveScopes
from ralphgit.rules.indexed_states import IndexedStates, StoryStates
from ralphgit.rules.readiness import TaskStates

_IDS = [f"T-{number}" for number in range(9)]
_CLAIMS = ("", "one", "two")
_PATTERNS = (
    "src/a/**",
    "src/a/b.py",
    "src/*",
    "src/ab",
    "docs/",
    "*.md",
    "a b/*",
    "src/{x,y}",
    "!",
)


class Case(NamedTuple):
    rows: list[Row]
    claims: dict[str, list[ActiveClaim]]


@some.composite
def cases(draw: some.DrawFn) -> Case:
    """A graph, and what is in flight beside it, also of tasks that it does not have."""
    number = draw(some.integers(0, 8))
    patterns = some.lists(some.sampled_from(_PATTERNS), max_size=2)
    rows = []
    for task in draw(some.permutations(_IDS))[:number]:
        status = draw(some.sampled_from(
            ("pending", "pending", "pending", "complete", "in-progress", "blocked", "cancelled")
        ))  # fmt: skip
        shared = b'{"blocked": {"shared": true}}' if draw(some.booleans()) else b"{}"
        needs = some.lists(some.sampled_from(_IDS), max_size=2, unique=True)
        rows.append(row(
            task, status, priority=draw(some.integers(0, 2)),
            story=draw(some.sampled_from(("", "S-1", "S-2"))),
            mode=draw(some.sampled_from(("parallel", "parallel", "sequential", "verify"))),
            depends_on=tuple(draw(needs)), write=tuple(draw(patterns)), read=tuple(draw(patterns)),
            resources=tuple(draw(some.sampled_from(((), (), ("db",), ("src/a",))))),
            epoch=draw(some.integers(0, 1)), claim=draw(some.sampled_from(_CLAIMS)),
            texts=shared, texts_end=len(shared),
        ))  # fmt: skip
    claims: dict[str, list[ActiveClaim]] = {}
    for task in draw(some.lists(some.sampled_from(_IDS), max_size=3)):
        claims.setdefault(task, []).append(ActiveClaim(
            task, draw(some.sampled_from(("in-progress", "complete", "blocked", "cancelled"))),
            draw(some.sampled_from(_CLAIMS[1:])), "zoe", "since", draw(some.integers(0, 2)),
            draw(some.sampled_from(("lease", "worktree", "branch"))), "there",
            stored=draw(some.sampled_from(("", '{"blocked": {"shared": true}}'))),
        ))  # fmt: skip
    return Case(rows, claims)


def _view(rows: Sequence[Row], index: GraphIndex | None = None) -> GraphView:
    return GraphView(rows, (), lambda shard: b"", "base", index=index)


def _ids(pairs: Sequence[tuple[Row, object]]) -> list[str]:
    return [found.id for found, _ in pairs]


@pytest.mark.slow
@slow.examples(150)
@given(cases())
def test_every_answer_is_that_of_all_rows(case: Case) -> None:
    rows, claims = case
    every = TaskStates(rows, claims)
    some_of_it = IndexedStates(_view(rows, sum_up_graph.index(rows)), claims)
    assert {task: some_of_it[task] for task in some_of_it} == dict(every)
    assert some_of_it.active_tasks == every.active_tasks
    states = [every[one.id].state for one in rows]
    assert {state: number for state, number in some_of_it.counts.items() if number} == {
        state: states.count(state) for state in states
    }
    for state in State:
        assert _ids(some_of_it.in_states([state])) == [
            one.id for one in rows if every[one.id].state == state
        ]
    order = readiness.order(every.ready(), of=rows)
    assert list(some_of_it.ready()) == order
    assert list(some_of_it.ready(story="S-1")) == [one for one in order if one.story == "S-1"]
    assert list(some_of_it.ready(priorities=frozenset({0, 2}))) == [
        one for one in order if one.priority != 1
    ]
    quiet = {"ready", "waiting", "complete", "cancelled"}
    noted = {one.id: found for one, found in some_of_it.noted}
    for task, known in every.items():
        assert noted.get(task, known) == known
        assert task in noted or (known.state in quiet and not known.lost and not known.stale)


@pytest.mark.slow
@slow.examples(150)
@given(cases(), some.data())
def test_the_states_of_a_changed_graph_are_those_of_all_its_rows(
    case: Case, draw: some.DataObject
) -> None:
    """The index is that of the graph before: the stories are the same, and the rest may not be."""
    changed = []
    for one in case.rows:
        status = draw.draw(some.sampled_from(("pending", "complete", "blocked", "in-progress")))
        mode = draw.draw(some.sampled_from(("parallel", "sequential", "verify")))
        needs = some.lists(some.sampled_from(_IDS), max_size=2, unique=True)
        needed = tuple(draw.draw(needs))
        changed.append(one._replace(status=status, mode=mode, depends_on=needed))
    found = StoryStates(_view(changed), sum_up_graph.index(case.rows))
    assert dict(found) == dict(TaskStates(changed, {}))


@pytest.mark.slow
@slow.examples(150)
@given(cases())
def test_what_is_not_near_has_no_obstacle(case: Case) -> None:
    rows, claims = case
    states = IndexedStates(_view(rows), claims)
    scopes = ActiveScopes.of(states.active_tasks)
    near = states.touching(scopes.heads)
    for number, one in enumerate(rows):
        if states.of(number).state == "ready" and number not in near:
            assert active_scopes.obstacle(one, scopes) is None


KEY: index_file.Key = ((("task-graph.yaml", "1" * 40),), ())


@slow.examples(40)
@given(case=cases(), place=some.floats(0, 1), bit=some.integers(0, 7))
def test_a_file_with_another_bit_says_nothing(case: Case, place: float, bit: int) -> None:
    rows = case.rows
    data = b"".join(index_file.parts(KEY, [len(rows)], sum_up_graph.index(rows)))
    found = index_file.opened(memoryview(data), KEY)
    assert found is not None
    assert found.counts == [len(case.rows)]
    assert _plain(found.graph) == _plain(sum_up_graph.index(case.rows))
    assert index_file.opened(memoryview(data), ((("another.yaml", "1" * 40),), ())) is None
    at = int(place * (len(data) - 1))
    other = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
    assert index_file.opened(memoryview(other), KEY) is None
    assert index_file.opened(memoryview(data[:at]), KEY) is None


def _plain(index: GraphIndex) -> Mapping[str, list[int]]:
    return {name: list(column) for name, column in index._asdict().items()}


#: What the answers in an index follow from, by the number in its files.
RULES = {
    1: "45e8e7af803928e8", 2: "78edee389c245474", 3: "3d6413924f82f90a", 4: "36680e442b3cef43",
}  # fmt: skip


def test_another_rule_has_another_number() -> None:
    """An index that was kept by other rules is not read: raise `VERSION`, and put its line here."""
    modules = (readiness, active_scopes, sum_up_graph, graph_index)
    text = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules)
    assert RULES[index_file.VERSION] == hashlib.sha256(text.encode()).hexdigest()[:16]
