"""Follow what tasks wait for, so that no dependency that a format implies makes a circle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def reached(start: str, edges: Mapping[str, Sequence[str]]) -> set[str]:
    """`start`, and all that it leads to."""
    found, waiting = {start}, [start]
    while waiting:
        for other in edges.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def without_circles(
    start: str, others: Iterable[str], edges: Mapping[str, Sequence[str]]
) -> list[str]:
    """Those of `others` that `start` may wait for: none of them leads back to it."""
    return [other for other in others if start not in reached(other, edges)]
