"""Find cycles among dependencies, and an order that puts dependencies first.

`edges` maps each id to the ids it depends on. Ids that are not keys are ignored: whether a
dependency exists is another question. Nothing here recurses, so chains may be of any length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush


def find_cycles(edges: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """One cycle of each tangle: each names the next, and the last names the first.

    A tangle is a set of ids that all depend on each other, or an id that depends on itself.
    Its cycle is a shortest one through the smallest of its ids, and begins there. The cycles
    are sorted by that id; there is one in the result if and only if there is one in `edges`.
    Linear in ids and dependencies.
    """
    found = sorted(tangles(edges), key=min)
    return tuple(_cycle(edges, min(ids), frozenset(ids)) for ids in found)


def as_text(cycle: Sequence[str]) -> str:
    """A cycle in words: `T-1 needs T-2 needs T-1`."""
    return " needs ".join((*cycle, cycle[0]))


def order(edges: Mapping[str, Sequence[str]]) -> list[str]:
    """Every id once, after all that it depends on; of those free to come next, the first given.

    What is in order already stays as it is. Ids of a tangle have no place in any order: they
    come last, as given, and the others are ordered as if they did not depend on them.
    """
    tangled = {name for ids in tangles(edges) for name in ids}
    names = list(edges)
    place = {name: at for at, name in enumerate(names)}
    waits_for = dict.fromkeys(names, 0)
    needed_by: dict[str, list[str]] = {name: [] for name in names}
    for name in names:
        for needed in dict.fromkeys(edges[name]):
            if needed in place and needed not in tangled:
                waits_for[name] += 1
                needed_by[needed].append(name)
    free = [place[name] for name in names if not waits_for[name] and name not in tangled]
    heapify(free)
    ordered = []
    while free:
        name = names[heappop(free)]
        ordered.append(name)
        for dependent in needed_by[name]:
            waits_for[dependent] -= 1
            if not waits_for[dependent] and dependent not in tangled:
                heappush(free, place[dependent])
    return ordered + [name for name in names if name in tangled]


def tangles(edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The strongly connected components that hold a cycle (Tarjan 1972, with its own stack)."""
    found: list[list[str]] = []
    number: dict[str, int] = {}  # in the order of the first visit
    lowest: dict[str, int] = {}  # the lowest number reached from here, still open
    opened: list[str] = []
    still_open: set[str] = set()
    for root in edges:
        if root in number:
            continue
        walk = [(root, iter(edges[root]))]
        while walk:
            name, needs = walk[-1]
            if name not in number:
                number[name] = lowest[name] = len(number)
                opened.append(name)
                still_open.add(name)
            for needed in needs:
                if needed not in edges:
                    continue
                if needed not in number:
                    walk.append((needed, iter(edges[needed])))
                    break
                if needed in still_open:
                    lowest[name] = min(lowest[name], number[needed])
            else:
                walk.pop()
                if walk:
                    above = walk[-1][0]
                    lowest[above] = min(lowest[above], lowest[name])
                if lowest[name] == number[name]:
                    ids: list[str] = []
                    while not ids or ids[-1] != name:
                        ids.append(opened.pop())
                        still_open.remove(ids[-1])
                    if len(ids) > 1 or name in edges[name]:
                        found.append(ids)
    return found


def _cycle(
    edges: Mapping[str, Sequence[str]], start: str, within: frozenset[str]
) -> tuple[str, ...]:
    """A shortest way from `start` back to it, inside its tangle."""
    came: dict[str, str] = {}
    queue = deque([start])
    while queue:
        name = queue.popleft()
        for needed in edges[name]:
            if needed == start:
                way = [name]
                while way[-1] != start:
                    way.append(came[way[-1]])
                return tuple(reversed(way))
            if needed in within and needed not in came:
                came[needed] = name
                queue.append(needed)
    raise ValueError(f"{start!r} is in no cycle of the ids given")
