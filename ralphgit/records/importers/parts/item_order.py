"""Derive dependencies from the order of a task list.

In a list with ids or markers (smart-ralph, spec-kit) order is meant: tasks follow each other, those
marked [P] in a row, or in one block, may run beside each other, a heading ends such a row, and a
checkpoint comes after what is before it. In a plain list it is not, but for numbered items and
numbered phases. In both, a task comes after the tasks inside it, but for those that lead: these
come before them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

#: A list of N parallel tasks behind another of M gives N * M dependencies.
MOST = 100_000


class Entry(NamedTuple):
    """A task as it stands in the list; tasks are called by their place in it."""

    place: int
    section: int
    """Counts the headings before it."""
    phase: str
    """Its numbered phase, "" under any other heading."""
    parallel: bool
    numbered: bool
    inner: tuple[Entry, ...] = ()
    block: int = 0
    """The block of parallel items that it stands in, 0 outside of one."""


class TooMany(Exception):
    """More than MOST dependencies."""


def meant(entries: Sequence[Entry], leads: Collection[int] = ()) -> dict[int, tuple[int, ...]]:
    """Each task's dependencies where the order of the list is meant."""
    found = _Found(leads)
    _meant(entries, (), found)
    return found.depends


def _meant(entries: Sequence[Entry], before: tuple[int, ...], found: _Found) -> tuple[int, ...]:
    """Order `entries` behind `before`; what comes next waits for what is returned."""
    run: list[int] = []
    last: Entry | None = None
    for entry in entries:
        if last is not None and not _beside(last, entry):
            before, run = tuple(run), []
        if entry.inner and entry.place in found.leads:
            found.add(entry.place, before)
            run += _meant(entry.inner, (entry.place,), found)
        else:
            first = _meant(entry.inner, before, found) if entry.inner else before
            found.add(entry.place, first + tuple(inner.place for inner in entry.inner))
            run.append(entry.place)
        last = entry
    return tuple(run)


def _beside(last: Entry, entry: Entry) -> bool:
    """Whether an item may run beside the one before it: in a block, or in a row of [P] items."""
    if not (last.parallel and entry.parallel) or last.block != entry.block:
        return False
    return entry.block > 0 or last.section == entry.section


def plain(entries: Sequence[Entry], leads: Collection[int] = ()) -> dict[int, tuple[int, ...]]:
    """Each task's dependencies in a plain list."""
    found = _Found(leads)
    before: tuple[int, ...] = ()
    phase: str = ""
    run: list[int] = []
    numbered: tuple[int, ...] | None = None
    for entry in entries:
        if entry.phase and phase and entry.phase != phase:
            before, run = tuple(run), []
        first = before if entry.phase else ()
        follows = entry.numbered and numbered is not None
        ends = _below(entry, numbered if follows and numbered else first, found)
        if entry.phase:
            phase = entry.phase
            run += ends
        numbered = ends if entry.numbered else None
    return found.depends


def waved(
    entries: Sequence[Entry], waves: Sequence[Sequence[int]], leads: Collection[int] = ()
) -> dict[int, tuple[int, ...]]:
    """Each task's dependencies where somebody has written down in which `waves` they are done.

    What has others inside is in the wave of the first of these, where it leads, else behind all of
    them. Any other task that is in no wave comes behind all that stand before it.
    """
    found, every = _Found(leads), {entry.place: entry for entry in _flat(entries)}
    wave_of: dict[int, int] = {}
    for number, wave in enumerate(waves):
        for place in wave:
            wave_of.setdefault(place, number)
    for entry in every.values():
        if any(inner.place in wave_of for inner in _flat(entry.inner)):
            wave_of.pop(entry.place, None)
    before: dict[int, tuple[int, ...]] = {}
    last: tuple[int, ...] = ()
    for number in range(len(waves)):
        before[number], run = last, list[int]()
        for place in (place for place in every if wave_of.get(place) == number):
            run += _meant([every[place]], last, found)
        last = tuple(run) or last
    for entry in every.values():
        if entry.place in found.depends:
            continue
        inside = [inner.place for inner in _flat(entry.inner)]
        numbers = [wave_of[place] for place in inside if place in wave_of]
        if inside and entry.place not in leads:
            found.add(entry.place, tuple(inside))
            continue
        earlier = sorted(place for place in found.depends if place < entry.place)
        waited = {other for place in earlier for other in found.depends[place]}
        ends = tuple(place for place in earlier if place not in waited)
        first = min(numbers, default=-1)
        found.add(entry.place, before[first] if numbers else ends)
        for place in inside:
            if wave_of.get(place, -1) <= first:
                found.add(place, (entry.place, *found.depends.get(place, ())))
    return found.depends


def _flat(entries: Iterable[Entry]) -> Iterator[Entry]:
    for entry in entries:
        yield entry
        yield from _flat(entry.inner)


def passing(
    depends: Mapping[int, tuple[int, ...]], aside: Collection[int], done: Collection[int] = ()
) -> dict[int, tuple[int, ...]]:
    """Have nothing wait for what is `aside`, but for what that waits for itself.

    What waits for something that was `done` before its turn, and is open, waits also for what that
    should have waited for.
    """
    found: dict[int, tuple[int, ...]] = {}

    def behind(place: int) -> tuple[int, ...]:
        if place not in found:
            found[place] = ()  # of a circle, which a list cannot make
            own = {each for each in depends[place] if each not in aside}
            waits = [
                other
                for each in depends[place]
                for other in (behind(each) if each in aside else (each,))
            ]
            early = [other for each in waits if each in done for other in behind(each)]
            waited = {other for each in waits if each not in done for other in behind(each)}
            left = [other for other in early if other not in done]
            kept = [one for one in (*waits, *left) if one in own or one not in waited]
            found[place] = tuple(dict.fromkeys(kept))
        return found[place]

    made = {place: behind(place) for place in depends}
    if done:
        as_written = passing(depends, aside)
        made |= {place: as_written[place] for place in done if place in made}
    return made


class Chain:
    """Tasks that follow each other; what comes behind one that was done before its turn waits also
    for those before that which are open."""

    def __init__(self) -> None:
        self._last, self._left = list[str](), list[str]()
        self._open = False

    def waits(self, *, done: bool) -> list[str]:
        """What the next task waits for."""
        return [*self._last] if done else [*self._last, *self._left]

    def add(self, task: str, *, done: bool) -> None:
        self._left += self._last if self._open else []
        self._left = self._left if done else []
        self._last, self._open = [task], not done


def _below(entry: Entry, before: tuple[int, ...], found: _Found) -> tuple[int, ...]:
    """`entry` and all inside it come after `before`; what comes next waits for what is returned."""
    leads = bool(entry.inner) and entry.place in found.leads
    if leads:
        found.add(entry.place, before)
        before = (entry.place,)
    last, ends = before, list[int]()
    for inner in entry.inner:
        last = _below(inner, last if inner.numbered else before, found)
        ends += last
    if leads:
        return tuple(ends)
    found.add(entry.place, tuple(ends) or before)
    return (entry.place,)


class _Found:
    def __init__(self, leads: Collection[int]) -> None:
        self.leads = leads
        self.depends: dict[int, tuple[int, ...]] = {}
        self._count = 0

    def add(self, place: int, before: tuple[int, ...]) -> None:
        self.depends[place] = tuple(dict.fromkeys(before))
        self._count += len(before)
        if self._count > MOST:
            raise TooMany
