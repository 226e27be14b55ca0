"""The order of two lists that began as one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from ralphgit.model.three_way import ThreeWay


def natural(text: str) -> tuple[tuple[int, str], ...]:
    """A key that puts `T-9` before `T-10`."""
    parts = re.split(r"([0-9]+)", text)
    return tuple((int(part), part) if part.isdecimal() else (-1, part) for part in parts)


def merged(
    sides: ThreeWay[Sequence[str]],
    kept: Collection[str],
    *,
    key: Callable[[str], tuple[object, ...]] = natural,
) -> list[str] | None:
    """Those of both sides that are `kept`, each once; None where both have moved what they share.

    What one side has put behind an item of the other stays behind it, and in its order. Where
    both have put something behind one item, the run with the lower first `key` comes first, so
    that the result is the same whichever side is ours.
    """
    shared = [item for item in sides.ours if item in kept and item in set(sides.theirs)]
    spine = _spine(sides, set(shared))
    if spine is None:
        return None
    runs: dict[str, list[list[str]]] = {}
    for side in (sides.ours, sides.theirs):
        behind, run = "", list[str]()
        for item in side:
            if item in spine:
                behind, run = item, []
            elif item in kept:
                if not run:
                    runs.setdefault(behind, []).append(run)
                run.append(item)
    made = []
    for item in ("", *spine):
        made += [item] if item else []
        for run in sorted(runs.get(item, ()), key=lambda run: key(run[0])):
            made += run
    return made


def _spine(sides: ThreeWay[Sequence[str]], shared: set[str]) -> list[str] | None:
    """What both sides have, in the order of the one that moved it; None where both have."""
    ancestor, ours, theirs = sides.map(lambda side: [item for item in side if item in shared])
    if ours == theirs:
        return ours
    old = set(ancestor)
    moved = [side for side in (ours, theirs) if [item for item in side if item in old] != ancestor]
    if len(moved) == 2:
        return None
    # Where neither has, they differ in where each has put what is new in both.
    return moved[0] if moved else min(ours, theirs)
