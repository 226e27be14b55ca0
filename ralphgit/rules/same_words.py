"""Tell apart the items of a list that have the same words, by where each stands.

Several items may say "Write tests". Where there are as many as before under the ids that they had,
each is what it was. Else one is the task of its story and of its own description, which begins with
the headings above it, or else of these headings, which may have been renamed (`renamed_sections`);
of several of these, the task between the same two neighbours. What is complete, cancelled, blocked
or claimed is no other item but such a one: the item is a new task.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from ralphgit.rules import renamed_sections
from ralphgit.rules.renamed_sections import Section, grouped, unique


class Spot(NamedTuple):
    """An item, or a task of the file, and where it stands."""

    name: str
    """Its id within the file, case-folded."""
    words: str
    story: str
    says: str
    """A digest of its description, "" for none."""
    section: Section
    """Its story, and the headings below that which it stands below."""
    before: str = ""
    """The words of the one before it."""
    behind: str = ""
    free: bool = True
    """Nothing was done under its words."""
    gone: bool = False
    """A task that the file had no more before."""


#: What tells two places apart, the surest first.
_SAID: tuple[Callable[[Spot], Hashable], ...] = (
    lambda one: (one.story, one.says, one.before, one.behind),
    lambda one: (one.story, one.says, one.before),
    lambda one: (one.story, one.says, one.behind),
    lambda one: (one.story, one.says),
)
_BELOW: tuple[Callable[[Spot], Hashable], ...] = (
    lambda one: (one.section, one.before, one.behind),
    lambda one: (one.section, one.before),
    lambda one: (one.section, one.behind),
    lambda one: one.section,
)


class Pairs(NamedTuple):
    """Which task each item is that is one of several of its words, or whose words several have."""

    tasks: dict[str, str]
    """By the item's name that of its task; "" for a new one."""
    doubts: tuple[tuple[str, str], ...]
    """The names of tasks under which something was done, and of the items that they may be."""


def placed(spots: Sequence[Spot]) -> list[Spot]:
    """Each of a file's items, or tasks, with its neighbours."""
    words = ["", *(spot.words for spot in spots), ""]
    return [
        spot._replace(before=before, behind=behind)
        for spot, before, behind in zip(spots, words, words[2:], strict=False)
    ]


def pairs(tasks: Sequence[Spot], items: Sequence[Spot], told: str = "") -> Pairs:
    """Decide which task each item is; `tasks` and `items` are `placed`.

    `told`: `import_identity.RENUMBERED` or `REWORDED`, where a person has said which.
    """
    found: dict[str, str] = {}
    doubts: list[tuple[str, str]] = []
    held = {one.section for one in tasks if not one.free}
    stood = [one for one in tasks if not one.gone]
    renamed = renamed_sections.find(_words(stood), _words(items), held, told)
    doubtful = {
        one.name for one in tasks if one.section in renamed.doubtful and not (one.free or one.gone)
    }
    tasks = [
        one if one.gone else one._replace(section=renamed.same.get(one.section, one.section))
        for one in tasks
    ]
    known, now = grouped(lambda one: one.words, tasks), grouped(lambda one: one.words, items)
    for words in known.keys() & now.keys():
        old, new = known[words], now[words]
        if len(old) == len(new) == 1:
            continue
        if sorted(one.name for one in old) == sorted(one.name for one in new):
            found |= {one.name: one.name for one in new}
            continue
        for key in (*_SAID, *_BELOW):
            same = {item.name: task.name for task, item in unique(key, old, new)}
            found |= same
            if key in _BELOW:
                doubts += [(task, item) for item, task in same.items() if task in doubtful]
            taken = {*found.values()}
            old = [one for one in old if one.name not in taken]
            new = [one for one in new if one.name not in found]
        free = [one.name for one in old if one.free]
        found |= {one.name: free.pop(0) if free else "" for one in new}
    return Pairs(found | {item: "" for _, item in doubts}, tuple(doubts))


def _words(spots: Sequence[Spot]) -> dict[Section, list[str]]:
    """The words below each section."""
    by_section = grouped(lambda one: one.section, spots)
    return {each[0].section: [one.words for one in each] for each in by_section.values()}
