"""Order branches for integration, and foresee which of them overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.model.task_row import Row
from ralphgit.rules import independence
from ralphgit.rules.pattern_overlap import check_pattern, covers_any


class Branch(NamedTuple):
    """A branch, and the tasks that it brings."""

    name: str
    commit: str
    rows: tuple[Row, ...]
    """As the base promises them."""
    files: tuple[str, ...]
    """What it really changes, records left out."""


class Foreseen(NamedTuple):
    """That two branches meet, as the packets of a task of each say."""

    a: str
    b: str
    meeting: independence.Meeting | None
    """Where the two tasks touch the same; None where `a` depends on `b`."""

    @property
    def sentence(self) -> str:
        if self.meeting is None:
            return f"{self.a} depends on {self.b}"
        return independence.as_text(self.a, self.b, self.meeting)


Pair = tuple[str, str]
"""Two branches, by name, in the order of their names."""


def pair(one: str, other: str) -> Pair:
    return (one, other) if one <= other else (other, one)


def order(
    branches: Sequence[Branch],
    conflicts: Mapping[Pair, Sequence[str]],
    depends: Mapping[str, frozenset[str]],
    stacked: Mapping[str, frozenset[str]] | None = None,
) -> list[Branch]:
    """The branches so that each comes after those it depends on, and of what can come next the
    one that conflicts with the fewest others; then in the order given.

    `depends` says of each task what it depends on, directly or not; `stacked` of each branch which
    other ones it has in it. Branches that depend on
    each other in a circle (each has several tasks) come in the order given.
    """
    rank = {branch.name: number for number, branch in enumerate(branches)}
    degree = {branch.name: 0 for branch in branches}
    for one, other in conflicts:
        degree[one] += 1
        degree[other] += 1
    left = {branch.name: branch for branch in branches}
    needs: dict[str, set[str]] = {}
    for branch in branches:
        below = (stacked or {}).get(branch.name, ())
        others = [other for other in branches if other is not branch]
        needs[branch.name] = {
            one.name for one in others if one.name in below or _depends(branch, one, depends)
        }
    found: list[Branch] = []
    while left:
        free = [name for name in left if not needs[name] & left.keys()]
        free = free or [min(left, key=rank.__getitem__)]
        name = min(free, key=lambda name: (degree[name], rank[name]))
        found.append(left.pop(name))
        for one, other in conflicts:
            if name in (one, other):
                degree[other if name == one else one] -= 1
    return found


def _depends(one: Branch, other: Branch, depends: Mapping[str, frozenset[str]]) -> bool:
    targets = {row.id for row in other.rows}
    return any(depends.get(row.id, frozenset()) & targets for row in one.rows)


def foreseen(
    one: Branch,
    other: Branch,
    depends: Mapping[str, frozenset[str]],
    generated: tuple[str, ...] = (),
) -> Foreseen | None:
    """What the packets say of two branches meeting; None if they say nothing.

    A task that names no scope foresees nothing. `generated`: patterns of generated files.
    """
    for a in one.rows:
        for b in other.rows:
            if b.id in depends.get(a.id, ()):
                return Foreseen(a.id, b.id, None)
            if a.id in depends.get(b.id, ()):
                return Foreseen(b.id, a.id, None)
            if found := independence.meetings(a, b, generated=generated):
                return Foreseen(a.id, b.id, found[0])
    return None


def meeting(one: Branch, other: Branch) -> tuple[str, ...]:
    """The files by which two branches can disturb each other: what both change, else what one
    changes in what the other names, else all that the first one changes.
    """
    both = sorted(set(one.files) & set(other.files))
    if both:
        return tuple(both)
    patterns = (pattern for row in other.rows for pattern in (*row.write, *row.read))
    named = [pattern for pattern in patterns if check_pattern(pattern) is None]
    within = [path for path in one.files if named and covers_any(named, path)]
    return tuple(within or one.files)
