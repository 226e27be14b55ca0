"""Where the tasks of a drawn graph stand."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralphgit.rules.cycles import tangles
from ralphgit.rules.picture_layout import Box, Layout, layout

BOX = Box()
NAMES = "abcdefghij"
GRAPHS = st.dictionaries(
    st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4), max_size=10
)


def overlaps(found: Layout) -> list[tuple[str, str]]:
    """Pairs of tasks that are drawn over each other."""
    placed = sorted(found.places.items(), key=lambda item: item[1])
    return [
        (a, b)
        for at, (a, (ax, ay)) in enumerate(placed)
        for b, (bx, by) in placed[at + 1 :]
        if abs(ax - bx) < BOX.width and abs(ay - by) < BOX.height
    ]


@given(GRAPHS)
def test_tasks_stand_apart_and_right_of_what_they_depend_on(needs: dict[str, list[str]]) -> None:
    found = layout(needs)
    assert set(found.places) == set(needs)
    assert overlaps(found) == []
    assert all(0 <= x <= found.width - BOX.width for x, _ in found.places.values())
    assert all(0 <= y <= found.height - BOX.height for _, y in found.places.values())
    circles = [set(ids) for ids in tangles(needs)]
    for name, others in needs.items():
        for other in set(others) & set(needs):
            same = any({name, other} <= circle for circle in circles)
            left, right = found.places[other][0], found.places[name][0]
            assert left == right if same else left + BOX.width < right
    drawn = [(one.dependency, one.task) for one in found.arrows]
    assert sorted(drawn) == sorted(
        {(other, name) for name, others in needs.items() for other in others if other in needs}
    )
    for one in found.arrows:
        start, end = found.places[one.dependency][0], found.places[one.task][0]
        assert all(start < x < end for x, _ in one.through)
        assert [x for x, _ in one.through] == sorted(x for x, _ in one.through)


@given(GRAPHS)
def test_the_block_of_single_tasks_holds_these_and_no_other(needs: dict[str, list[str]]) -> None:
    found = layout(needs)
    joined = {name for name, others in needs.items() if {*others} & {*needs} - {name}}
    joined |= {other for name in joined for other in needs[name] if other != name}
    inside = set()
    if found.alone is not None:
        left, top, width, height = found.alone
        inside = {
            name
            for name, (x, y) in found.places.items()
            if left <= x < left + width and top <= y < top + height
        }
    assert inside == set(needs) - joined


def test_a_chain_is_level_and_a_part_of_its_own() -> None:
    step = BOX.width + BOX.between
    assert layout({"a": [], "b": ["a"], "c": ["b"], "z": []}).places == {
        "a": (0, 0),
        "b": (step, 0),
        "c": (2 * step, 0),
        "z": (0, BOX.height + BOX.apart),
    }
    assert layout({}) == Layout(0, 0, {}, ())


def test_a_long_arrow_passes_between_tasks() -> None:
    found = layout({"a": [], "b": ["a"], "c": ["b"], "d": ["c", "a"]})
    (long,) = [one for one in found.arrows if (one.dependency, one.task) == ("a", "d")]
    assert len(long.through) == 2
    for x, y in long.through:
        beside = next(place for place in found.places.values() if place[0] < x < place[0] + 224)
        assert not beside[1] <= y <= beside[1] + BOX.height


@pytest.mark.slow
def test_two_thousand_tasks_take_no_time() -> None:
    """Whatever they look like; each of these takes 0.1 to 0.2 s on a quiet machine."""
    many = [f"t{number}" for number in range(2000)]
    shapes: dict[str, dict[str, list[str]]] = {
        "chain": {n: [many[at - 1], many[0]] if at else [] for at, n in enumerate(many)},
        "star": {n: [many[0]] if at else [] for at, n in enumerate(many)},
        "stories": {n: [many[at - 1]] if at % 24 else [] for at, n in enumerate(many)},
        "ring": {n: [many[at - 1]] for at, n in enumerate(many)},
        "alone": {n: [] for n in many},
        "mesh": {
            n: sorted({many[(at * k) % at] for k in (7, 11, 13)} | {many[at - 1]}) if at else []
            for at, n in enumerate(many)
        },
    }
    for name, needs in shapes.items():
        begin = time.process_time()
        found = layout(needs)
        assert time.process_time() - begin < 2.0, name
        assert layout(needs) == found, name
