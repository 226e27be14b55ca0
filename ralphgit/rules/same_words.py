"""Tell apart the items of a list that have the same words, by where each stands.

Several items may say "Write tests". Where there are as many as before under the ids that they had,
each is what it was. Else one is the task of its story and of its own description, which begins with
the headings above it; of several of these, the task between the same two neighbours. What is
complete, cancelled, blocked or claimed is no other item but such a one: the item is a new task.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple


class Spot(NamedTuple):
    """An item, or a task of the file, and where it stands."""

    name: str
    """Its id within the file, case-folded."""
    words: str
    story: str
    says: str
    """A digest of its description, "" for none."""
    before: str = ""
    """The words of the one before it."""
    behind: str = ""
    free: bool = True
    """Nothing was done under its words."""


#: What tells two places apart, the surest first.
_PLACES: tuple[Callable[[Spot], Hashable], ...] = (
    lambda one: (one.story, one.says, one.before, one.behind),
    lambda one: (one.story, one.says, one.before),
    lambda one: (one.story, one.says, one.behind),
    lambda one: (one.story, one.says),
)


def placed(spots: Sequence[Spot]) -> list[Spot]:
    """Each of a file's items, or tasks, with its neighbours."""
    words = ["", *(spot.words for spot in spots), ""]
    return [
        spot._replace(before=before, behind=behind)
        for spot, before, behind in zip(spots, words, words[2:], strict=False)
    ]


def pairs(tasks: Sequence[Spot], items: Sequence[Spot]) -> dict[str, str]:
    """By item that is one of several of its words, or whose words several tasks have, the name of
    its task; "" for a new one. `tasks` and `items` are `placed`."""
    found: dict[str, str] = {}
    known, now = _by(lambda one: one.words, tasks), _by(lambda one: one.words, items)
    for words in known.keys() & now.keys():
        old, new = known[words], now[words]
        if len(old) == len(new) == 1:
            continue
        if sorted(one.name for one in old) == sorted(one.name for one in new):
            found |= {one.name: one.name for one in new}
            continue
        for key in _PLACES:
            found |= _alike(key, old, new)
            taken = {*found.values()}
            old = [one for one in old if one.name not in taken]
            new = [one for one in new if one.name not in found]
        free = [one.name for one in old if one.free]
        found |= {one.name: free.pop(0) if free else "" for one in new}
    return found


def _alike(
    key: Callable[[Spot], Hashable], old: Sequence[Spot], new: Sequence[Spot]
) -> dict[str, str]:
    """The pairs that have a key which no other has."""
    known, now = _by(key, old), _by(key, new)
    return {
        now[one][0].name: known[one][0].name
        for one in known.keys() & now.keys()
        if len(known[one]) == len(now[one]) == 1
    }


def _by(key: Callable[[Spot], Hashable], spots: Sequence[Spot]) -> dict[Hashable, list[Spot]]:
    found: dict[Hashable, list[Spot]] = {}
    for spot in spots:
        found.setdefault(key(spot), []).append(spot)
    return found
