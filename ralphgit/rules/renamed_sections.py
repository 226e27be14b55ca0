"""Tell which sections of an imported list were renamed, by their items and their places.

A section is the story and the headings that items stand below. One that the file has no more is
`gone`, one that it had not is `fresh`; a fresh one is a gone one where the first row fits:

| | the two sections | the fresh one is |
|---|---|---|
| 1 | have an item in common whose words nothing else has, and neither has one with a third | that one, wherever it stands |
| 2 | differ in the number before the heading, as no others do | that one, wherever it stands |
| 3 | differ in a number or a letter alone, as "Sprint 1" and "Sprint 2" | asked about |
| 4 | stand between the same two that were kept, where as many are gone as are fresh, and these have the same items in the same order | that one, in order |
| 5 | stand there, and no third one there has the same items | that one |
| 6 | stand there, alone, and have half of their items in common | that one |
| 7 | have the words of an item in common under which something was done | asked about |
| 8 | are any others | a new one |

In rows 4 to 6 both are of one story, or of one that is gone and one that is fresh. What is asked
about is told: `renumbered` says that every fresh section is a new one, `reworded` that it is the
gone one, which is the first that has most in common, and sooner one in which something was done.
"""  # noqa: E501  # rows of a table

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from ralphgit.rules.import_identity import RENUMBERED, REWORDED

_One = TypeVar("_One")
Section = tuple[str, ...]
"""A story, and the headings below it."""
_NUMBER = re.compile(r"\A[0-9]+(?:\.[0-9]+)*[.):]?\s+")
_NAMELESS = re.compile(r"\b(?:[0-9]+|[A-Z])\b")


class Renamed(NamedTuple):
    """What became of the sections that are gone; each is a section of the file at most once."""

    same: dict[Section, Section]
    doubtful: frozenset[Section]
    """Those that a person is asked about, where something was done in them."""


def find(
    before: Mapping[Section, Sequence[str]], now: Mapping[Section, Sequence[str]],
    held: Collection[Section], told: str,
) -> Renamed:  # fmt: skip
    """Find the sections that were renamed, by the table above.

    `before` and `now` have the words of the items of each section, in the order of the file; `held`
    are those in which something was done, and `told` is RENUMBERED or REWORDED, or "".
    """
    if told == RENUMBERED:
        return Renamed({}, frozenset())
    sections = _Sections(before, now)
    for row in (sections.own_words, sections.numbers, sections.places):
        sections.same |= row()
    alike = sections.alike(held)
    same = {one: other for one, other in (sections.same | alike).items() if one != other}
    return Renamed(same, frozenset() if told == REWORDED else frozenset(alike))


class _Sections:
    def __init__(
        self, before: Mapping[Section, Sequence[str]], now: Mapping[Section, Sequence[str]]
    ) -> None:
        self._before, self._now = before, now
        self.same = {section: section for section in before if section in now}
        """By section before, what it is now."""

    @property
    def _gone(self) -> list[Section]:
        return [section for section in self._before if section not in self.same]

    @property
    def _fresh(self) -> list[Section]:
        known = {*self.same.values()}
        return [section for section in self._now if section not in known]

    def own_words(self) -> dict[Section, Section]:
        """Row 1."""
        old, new = _once(self._before), _once(self._now)
        gone, fresh = {*self._gone}, {*self._fresh}
        common = {
            (old[words], new[words])
            for words in old.keys() & new.keys()
            if old[words] in gone and new[words] in fresh
        }
        each = Counter(section for pair in common for section in pair)
        return {one: other for one, other in common if each[one] == each[other] == 1}

    def numbers(self) -> dict[Section, Section]:
        """Row 2."""

        def bare(section: Section) -> Hashable:
            return (section[:1], *(_NUMBER.sub("", heading) for heading in section[1:]))

        return dict(unique(bare, self._gone, self._fresh))

    def places(self) -> dict[Section, Section]:
        """Rows 4 to 6."""
        found: dict[Section, Section] = {}
        gone = _between(self._before, self.same)
        for place, fresh in _between(self._now, {one: one for one in self.same.values()}).items():
            pairs = self._in_place(gone.get(place, []), fresh)
            found |= {
                one: other for one, other in pairs.items() if self._is_story(one, other)
                and not is_next(one, other)
            }  # fmt: skip
        return found

    def _in_place(
        self, gone: Sequence[Section], fresh: Sequence[Section]
    ) -> dict[Section, Section]:
        old = [self._before[section] for section in gone]
        new = [self._now[section] for section in fresh]
        if old == new:
            return dict(zip(gone, fresh, strict=True))
        if len(old) == len(new) == 1:
            common = Counter(old[0]) & Counter(new[0])
            half = 2 * common.total() >= max(len(old[0]), len(new[0]))
            return {gone[0]: fresh[0]} if half else {}
        return dict(unique(lambda one: tuple(self._before.get(one) or self._now[one]), gone, fresh))

    def _is_story(self, one: Section, other: Section) -> bool:
        stories = [{section[0] for section in each} for each in (self._before, self._now)]
        return one[0] == other[0] or (one[0] not in stories[1] and other[0] not in stories[0])

    def alike(self, held: Collection[Section]) -> dict[Section, Section]:
        """Rows 3 and 7: by section that is gone, the fresh one that it is if it is one."""
        found: dict[Section, Section] = {}
        fresh = self._fresh
        for one in sorted(self._gone, key=lambda section: section not in held):
            words = {*self._before[one]}
            most = max(
                (other for other in fresh if words & {*self._now[other]}),
                key=lambda other: (one[1:] == other[1:], len(words & {*self._now[other]})),
                default=None,
            )
            if most is not None:
                found[one] = most
                fresh.remove(most)
        return found


def _once(sections: Mapping[Section, Sequence[str]]) -> dict[str, Section]:
    """By words that one item alone has, its section."""
    pairs = [(words, section) for section, each in sections.items() for words in each]
    often = Counter(words for words, _ in pairs)
    return {words: section for words, section in pairs if often[words] == 1}


def _between(
    sections: Iterable[Section], known: Mapping[Section, Section]
) -> dict[tuple[Section, Section], list[Section]]:
    """The sections that are not `known`, by what the nearest two are that are, () at an end."""
    found: dict[tuple[Section, Section], list[Section]] = {}
    last: Section = ()
    waiting = list[Section]()
    for section in (*sections, None):
        if section is not None and section not in known:
            waiting.append(section)
            continue
        following = known[section] if section is not None else ()
        if waiting:
            found[last, following] = waiting
        last, waiting = following, []
    return found


def is_next(one: Section, other: Section) -> bool:
    """Whether two sections differ in a number or a letter alone: row 3."""
    return [_NAMELESS.sub("#", name) for name in one] == [
        _NAMELESS.sub("#", name) for name in other
    ]


def unique(
    key: Callable[[_One], Hashable], before: Iterable[_One], now: Iterable[_One]
) -> list[tuple[_One, _One]]:
    """The pairs that have a key which no other has."""
    old, new = grouped(key, before), grouped(key, now)
    return [
        (old[one][0], new[one][0])
        for one in old.keys() & new.keys()
        if len(old[one]) == len(new[one]) == 1
    ]


def grouped(key: Callable[[_One], Hashable], each: Iterable[_One]) -> dict[Hashable, list[_One]]:
    found: dict[Hashable, list[_One]] = {}
    for one in each:
        found.setdefault(key(one), []).append(one)
    return found
