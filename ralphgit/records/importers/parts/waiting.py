"""Follow what tasks wait for, so that no dependency that a format implies makes a circle."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def reached(start: T, edges: Mapping[T, Sequence[T]]) -> set[T]:
    """`start`, and all that it leads to."""
    found, waiting = {start}, [start]
    while waiting:
        for other in edges.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def without_circles(start: T, others: Iterable[T], edges: Mapping[T, Sequence[T]]) -> list[T]:
    """Those of `others` that `start` may wait for: none of them leads back to it."""
    return [other for other in others if start not in reached(other, edges)]
