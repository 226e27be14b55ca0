"""Lay out the tasks of a dependency graph in layers, each right of what it depends on.

As in Sugiyama's method: layers by the longest path, places for long arrows to pass through, an
order within each layer that crosses few arrows, and then heights that keep arrows level. What
depends on each other in a circle shares a layer. Parts that nothing connects are laid out alone
and packed on shelves; single tasks come last, as one block.

The same graph gives the same picture. Nothing here recurses, and the work grows with tasks and
arrows, not with their paths.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.rules.cycles import order, tangles


class Box(NamedTuple):
    """How large things are drawn, in pixels."""

    width: int = 224
    height: int = 46
    between: int = 52
    """From one layer to the next."""
    above: int = 18
    """From one task to the next below it."""
    lane: int = 14
    """What an arrow takes that passes a layer."""
    apart: int = 44
    """Between parts that nothing connects."""


class Arrow(NamedTuple):
    dependency: str
    task: str
    through: tuple[tuple[int, int], ...]
    """Points between its ends, from left to right."""


class Layout(NamedTuple):
    width: int
    height: int
    places: dict[str, tuple[int, int]]
    """The upper left corner of every task."""
    arrows: tuple[Arrow, ...]
    alone: tuple[int, int, int, int] | None = None
    """Where the block is of tasks that neither depend on others nor are needed: left, top, width
    and height. They stand in rows, and none of them comes after another.
    """


#: Arrows over more layers than this are drawn straight; else a few would need most places.
_LONGEST = 12
#: How often a layer's order is worked out anew from its neighbours', there and back.
_SWEEPS = 6
#: Width to height of the whole.
_ASPECT = 1.7


def layout(needs: Mapping[str, Sequence[str]], box: Box | None = None) -> Layout:
    """Places for the tasks of `needs`, which maps each to those it depends on."""
    box = box or Box()
    known = {name: [n for n in dict.fromkeys(others) if n in needs]
             for name, others in needs.items()}  # fmt: skip
    parts = [part for part in _connected(known) if len(part) > 1]
    single = [name for name, others in known.items() if not others or others == [name]]
    joined = {name for part in parts for name in part}
    single = [name for name in single if name not in joined]
    drawn = [_layered({name: known[name] for name in part}, box) for part in parts]
    drawn.sort(key=lambda one: -one.height)
    if single:
        drawn.append(_block(single, box, known))
    return _packed(drawn, box)


def _connected(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The parts that nothing connects, and their tasks, in the given order."""
    beside: dict[str, list[str]] = {name: [] for name in needs}
    for name, others in needs.items():
        for other in others:
            beside[name].append(other)
            beside[other].append(name)
    part_of: dict[str, int] = {}
    parts: list[list[str]] = []
    for start in needs:
        if start in part_of:
            continue
        part_of[start] = len(parts)
        waiting = [start]
        while waiting:
            for other in beside[waiting.pop()]:
                if other not in part_of:
                    part_of[other] = len(parts)
                    waiting.append(other)
        parts.append([])
    for name in needs:
        parts[part_of[name]].append(name)
    return parts


# -- one part --------------------------------------------------------------------------------


def _layers(needs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The layer of each task: one after the last of those it depends on."""
    circle = {name: min(ids) for ids in tangles(needs) for name in ids}
    # Of what goes in a circle, the smallest id stands for all.
    joined: dict[str, list[str]] = {}
    for name, others in needs.items():
        mine = circle.get(name, name)
        ends = (circle.get(other, other) for other in others)
        joined.setdefault(mine, []).extend(end for end in ends if end != mine)
    layer: dict[str, int] = {}
    for name in order(joined):
        layer[name] = max((layer[other] + 1 for other in joined[name]), default=0)
    return {name: layer[circle.get(name, name)] for name in needs}


class _Part:
    """Layers of numbered places: first the tasks, then where arrows pass."""

    def __init__(self, needs: Mapping[str, Sequence[str]]) -> None:
        self.names = list(needs)
        number = {name: at for at, name in enumerate(self.names)}
        layer = _layers(needs)
        self.layer = [layer[name] for name in self.names]
        self.chains: list[tuple[int, int, list[int]]] = []
        """Of each arrow both its ends, and what it passes through."""
        budget = 4 * len(self.names) + 100
        for name in self.names:
            for other in needs[name]:
                start, end = number[other], number[name]
                span = range(self.layer[start] + 1, self.layer[end])
                passed: list[int] = []
                if len(span) <= min(_LONGEST, budget):
                    passed = [*range(len(self.layer), len(self.layer) + len(span))]
                    self.layer += span
                    budget -= len(span)
                self.chains.append((start, end, passed))
        self.before: list[list[int]] = [[] for _ in self.layer]
        self.after: list[list[int]] = [[] for _ in self.layer]
        for start, end, passed in self.chains:
            for left, right in zip([start, *passed], [*passed, end], strict=True):
                if self.layer[left] != self.layer[right]:
                    self.after[left].append(right)
                    self.before[right].append(left)
        self.rows: list[list[int]] = [[] for _ in range(max(self.layer) + 1)]
        for place, at in enumerate(self.layer):
            self.rows[at].append(place)

    def arrange(self) -> None:
        """Order each layer by the middle of its neighbours (the barycentre heuristic)."""
        at = [0.0] * len(self.layer)
        for row in self.rows:
            self._number(row, at)
        for sweep in range(_SWEEPS):
            forth = sweep % 2 == 0
            beside = self.before if forth else self.after
            for row in self.rows if forth else reversed(self.rows):
                row.sort(key=lambda place: _middle(place, beside[place], at))
                self._number(row, at)

    @staticmethod
    def _number(row: Sequence[int], at: list[float]) -> None:
        """Places from 0 to 1, so that layers of different sizes compare."""
        for number, place in enumerate(row):
            at[place] = (number + 0.5) / len(row)

    def heights(self, box: Box) -> list[float]:
        """The vertical middle of each place: near its neighbours', in order, never overlapping."""
        count = len(self.names)

        def half(place: int) -> float:
            return (box.height + box.above) / 2 if place < count else box.lane / 2

        at = [0.0] * len(self.layer)
        for row in self.rows:
            total = 0.0
            for place in row:
                at[place] = total + half(place)
                total += 2 * half(place)
            for place in row:
                at[place] -= total / 2
        for sweep in range(_SWEEPS):
            forth = sweep % 2 == 0
            beside = self.before if forth else self.after
            for row in self.rows if forth else reversed(self.rows):
                wanted = [_middle(place, beside[place], at) for place in row]
                for place, height in zip(row, _spread(wanted, [*map(half, row)]), strict=True):
                    at[place] = height
        return at


def _middle(place: int, beside: Sequence[int], at: Sequence[float]) -> float:
    return sum(at[other] for other in beside) / len(beside) if beside else at[place]


def _spread(wanted: Sequence[float], half: Sequence[float]) -> list[float]:
    """Heights in order and apart, with the least sum of squared distances from those wanted.

    Without what they have to be apart it is isotonic regression: neighbours that are in the
    wrong order are pooled to their mean (the pool adjacent violators algorithm).
    """
    offsets, total = [], 0.0
    for one in half:
        offsets.append(total + one)
        total += 2 * one
    pools: list[tuple[float, int]] = []
    for height, offset in zip(wanted, offsets, strict=True):
        mean, size = height - offset, 1
        while pools and pools[-1][0] > mean:
            other, count = pools.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        pools.append((mean, size))
    means = [mean for mean, size in pools for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _layered(needs: Mapping[str, Sequence[str]], box: Box) -> Layout:
    part = _Part(needs)
    part.arrange()
    middle = part.heights(box)
    half = [box.height / 2 if place < len(part.names) else 0 for place in range(len(middle))]
    top = min(at - own for at, own in zip(middle, half, strict=True))
    bottom = max(at + own for at, own in zip(middle, half, strict=True))
    step = box.width + box.between
    places = {
        name: (part.layer[at] * step, round(middle[at] - top - box.height / 2))
        for at, name in enumerate(part.names)
    }
    arrows = tuple(
        Arrow(
            part.names[start],
            part.names[end],
            tuple((part.layer[p] * step + box.width // 2, round(middle[p] - top)) for p in passed),
        )
        for start, end, passed in part.chains
    )
    return Layout(len(part.rows) * step - box.between, round(bottom - top), places, arrows)


# -- all of it -------------------------------------------------------------------------------


def _block(names: Sequence[str], box: Box, needs: Mapping[str, Sequence[str]]) -> Layout:
    """Tasks without any arrow but to themselves, in rows."""
    wide, high = box.width + box.above, box.height + box.above
    columns = max(1, round((len(names) * _ASPECT * high / wide) ** 0.5))
    places = {name: (at % columns * wide, at // columns * high) for at, name in enumerate(names)}
    arrows = tuple(Arrow(name, name, ()) for name in names if needs[name])
    rows = -(-len(names) // columns)
    width = min(columns, len(names)) * wide - box.above
    height = rows * high - box.above
    return Layout(width, height, places, arrows, (0, 0, width, height))


def _packed(parts: Sequence[Layout], box: Box) -> Layout:
    """The parts on shelves, in the given order."""
    area = sum((one.width + box.apart) * (one.height + box.apart) for one in parts)
    widest = max([(area * _ASPECT) ** 0.5, *(one.width for one in parts)])
    places: dict[str, tuple[int, int]] = {}
    arrows: list[Arrow] = []
    alone = None
    left = top = deepest = width = 0
    for one in parts:
        if left and left + one.width > widest:
            left, top = 0, deepest + box.apart
        for name, (x, y) in one.places.items():
            places[name] = (x + left, y + top)
        arrows += (
            arrow._replace(through=tuple((x + left, y + top) for x, y in arrow.through))
            for arrow in one.arrows
        )
        if one.alone is not None:
            alone = (left, top, one.width, one.height)
        width, deepest = max(width, left + one.width), max(deepest, top + one.height)
        left += one.width + box.apart
    return Layout(width, deepest, places, tuple(arrows), alone)
