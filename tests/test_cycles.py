"""Cycles and order: tables, and properties against reachability worked out the slow way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import slow
from hypothesis import given
from hypothesis import strategies as st

from ralphgit.rules.cycles import find_cycles, order

Edges = dict[str, list[str]]


@pytest.mark.parametrize(
    ("edges", "cycles"),
    [
        ({}, ()),
        ({"a": [], "b": ["a"], "c": ["a", "b"]}, ()),
        ({"a": ["a"]}, (("a",),)),
        ({"a": ["b"], "b": ["a"]}, (("a", "b"),)),
        ({"c": ["a"], "b": ["c"], "a": ["b"]}, (("a", "b", "c"),)),
        ({"a": ["gone"], "b": ["gone", "a"]}, ()),
        ({"a": ["gone", "b"], "b": ["gone", "a"]}, (("a", "b"),)),
        ({"x": ["y"], "y": ["x"], "b": ["a", "x"], "a": ["b"]}, (("a", "b"), ("x", "y"))),
        # A tangle is told once, by a shortest cycle through its smallest id.
        ({"a": ["b"], "b": ["c"], "c": ["a", "b"]}, (("a", "b", "c"),)),
        ({"a": ["b", "d"], "b": ["c"], "c": ["a"], "d": ["a"]}, (("a", "d"),)),
        ({"a": ["b", "a"], "b": ["a"]}, (("a",),)),
        ({"a": ["b"], "b": ["a", "b"]}, (("a", "b"),)),
        # What only leads to a cycle, or away from one, is not in it.
        ({"a": ["b"], "b": ["c"], "c": ["b", "d"], "d": []}, (("b", "c"),)),
        ({"a": ["b", "b"], "b": ["a", "a"]}, (("a", "b"),)),
    ],
)
def test_the_cycles_of(edges: Edges, cycles: tuple[tuple[str, ...], ...]) -> None:
    assert find_cycles(edges) == cycles


@pytest.mark.parametrize(
    ("edges", "ordered"),
    [
        ({}, ""),
        ({"c": [], "a": [], "b": []}, "cab"),
        ({"a": [], "b": ["a"], "c": []}, "abc"),
        ({"b": ["a"], "a": [], "c": []}, "abc"),
        ({"x": ["z"], "y": [], "z": []}, "yzx"),
        ({"a": ["gone"], "b": []}, "ab"),
        ({"b": ["a", "a"], "a": []}, "ab"),
        ({"d": ["b", "c"], "c": ["a"], "b": ["a"], "a": []}, "acbd"),
        # Ids in a cycle come last, in the order given; others do not wait for them.
        ({"x": ["x"], "a": []}, "ax"),
        ({"z": ["y"], "y": ["z"], "b": ["a", "y"], "a": []}, "abzy"),
        ({"b": ["y"], "y": ["z"], "z": ["y", "a"], "a": []}, "bayz"),
    ],
)
def test_the_order_of(edges: Edges, ordered: str) -> None:
    assert order(edges) == list(ordered)


# --- size ---------------------------------------------------------------------------------


def test_long_chains_and_rings() -> None:
    names = [f"T-{n:05}" for n in range(10_000)]
    chain: Edges = {name: [below] for name, below in zip(names, [*names[1:], "gone"], strict=True)}
    assert find_cycles(chain) == ()
    assert order(chain) == names[::-1]
    ring = chain | {names[-1]: [names[0]]}
    assert find_cycles(ring) == (tuple(names),)
    assert order(ring) == names


class Counting(dict[str, Sequence[str]]):
    """Edges that count how often one is looked at."""

    looks = 0

    def __getitem__(self, name: str) -> Sequence[str]:
        needs = super().__getitem__(name)
        self.looks += 1 + len(needs)
        return needs


@pytest.mark.parametrize("size", [100, 1000])
def test_the_work_grows_with_the_edges(size: int) -> None:
    names = [f"T-{n:05}" for n in range(size)]
    edges = Counting(
        {name: [names[(n * k + 1) % size] for k in (2, 3, 7)] for n, name in enumerate(names)}
    )
    find_cycles(edges)
    assert edges.looks <= 3 * 4 * size


# --- properties ---------------------------------------------------------------------------

ids = st.sampled_from("abcdefg")
graphs = st.dictionaries(ids, st.lists(ids, max_size=4), max_size=7)


def reach(edges: Mapping[str, Sequence[str]]) -> dict[str, dict[str, int]]:
    """How many steps, at least one, each id is from each that it leads to."""
    steps: dict[str, dict[str, int]] = {}
    for start in edges:
        steps[start] = {}
        edge, count = {start}, 0
        while edge:
            count += 1
            edge = {n for name in edge for n in edges[name] if n in edges} - set(steps[start])
            steps[start] |= dict.fromkeys(edge, count)
    return steps


@pytest.mark.slow
@slow.examples(400)
@given(graphs)
def test_one_shortest_cycle_for_each_tangle(edges: Edges) -> None:
    steps = reach(edges)
    tangles = {frozenset(b for b in steps[a] if a in steps[b]) for a in edges if a in steps[a]}
    cycles = find_cycles(edges)
    assert [cycle[0] for cycle in cycles] == sorted(min(tangle) for tangle in tangles)
    for cycle in cycles:
        assert len(set(cycle)) == len(cycle) == steps[cycle[0]][cycle[0]]
        for name, following in zip(cycle, cycle[1:] + cycle[:1], strict=True):
            assert following in edges[name]


@pytest.mark.slow
@slow.examples(400)
@given(graphs)
def test_the_order_takes_the_first_that_is_free(edges: Edges) -> None:
    steps = reach(edges)
    tangled = [name for name in edges if name in steps[name]]
    left = [name for name in edges if name not in tangled]
    expected: list[str] = []
    while left:
        taken = next(name for name in left if not set(edges[name]) & set(left))
        left.remove(taken)
        expected.append(taken)
    assert order(edges) == expected + tangled


@slow.examples(200)
@given(graphs)
def test_what_is_in_order_stays(edges: Edges) -> None:
    once = order(edges)
    assert order({name: edges[name] for name in once}) == once


@slow.examples(200)
@given(graphs)
def test_the_order_of_the_keys_does_not_change_the_cycles(edges: Edges) -> None:
    upside_down = {name: edges[name] for name in reversed(edges)}
    assert find_cycles(upside_down) == find_cycles(edges)
