"""The targets of cost by size: what grows with the graph, and what against the version before.

All is processor time, which other work on the machine changes least; medians of rounds in which
the cases take turns.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from world import ROOT

from bench import history, places, table, timing
from bench.paired import Version
from bench.places import Place
from bench.table import Line
from bench.timing import Case, Cost

#: The version before: what is compared in pairs is compared with this commit.
BEFORE = "3d84179"
_NEXT = ("next", "--limit", "10", "--json")
_STATUS = ("status", "--json")
_PEAK_MB = 80.0
_FINISHED, _FINISHED_S = 2_000, 2.0
_SHARD = 100
"""Tasks in a file of the largest graph."""


def measure(folder: Path, count: int, largest: int) -> Iterator[Line]:
    """Every figure, in `count` rounds; `largest`: how many tasks the largest graph has.

    Raises: Failed, as where the version before is not in this clone.
    """
    folder.mkdir()
    with _before(folder / "before") as before:
        yield from _pairs(folder, before, count)
    yield from _sizes(folder, count, largest)
    yield from _finished(folder, count)


@contextmanager
def _before(path: Path) -> Iterator[Path]:
    """The version before, checked out."""
    git = ("git", "-C", str(ROOT), "worktree")
    made = subprocess.run(
        [*git, "add", "--quiet", "--detach", str(path), BEFORE], capture_output=True, text=True
    )
    if made.returncode:
        raise timing.Failed(f"no worktree of the version before ({BEFORE}): {made.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run([*git, "remove", "--force", str(path)], check=True)


def _version(folder: Path, name: str, checkout: Path, tasks: int, shards: int = 1) -> Version:
    place = folder / name
    place.mkdir()
    return Version(place, "proj", checkout, tasks, shards=shards)


def _pairs(folder: Path, before: Path, count: int) -> Iterator[Line]:
    def pair(
        title: str, tasks: int, limit: float, act: Callable[[Version], Cost],
        first: Callable[[Version], object] = lambda version: None,
    ) -> Line:  # fmt: skip
        cases = []
        for name, checkout in (("this", ROOT), ("before", before)):
            key = (name, tasks)
            if key not in known:
                known[key] = _version(folder, f"{name}-{tasks}", checkout, tasks)
            first(known[key])
            cases.append(Case(name, partial(act, known[key])))
        found = timing.rounds(cases, count)
        ratio = timing.processor_ratio(found["this"], found["before"])
        return table.against(title, _ms(found["this"]), "before", ratio, limit)

    known: dict[tuple[str, int], Version] = {}
    look = partial(Version.look, words=_NEXT)
    yield pair("next --limit 10, 1,000 tasks", 1_000, 0.8, look, Version.claim)
    yield pair("next --limit 10, 10,000 tasks", 10_000, 0.55, look, Version.claim)
    yield pair("check, 10,000 tasks", 10_000, 0.2, Version.check, Version.restore)
    yield pair("claim and commit, 24 tasks", 24, 0.7, _claim)
    yield pair("claim and commit, 1,000 tasks", 1_000, 0.7, _claim)


def _claim(version: Version) -> Cost:
    return timing.both(version.claim(), version.commit())


def _sizes(folder: Path, count: int, largest: int) -> Iterator[Line]:
    few = _version(folder, "few", ROOT, 1_000)
    large = _version(folder, "large", ROOT, 10_000)
    most = _version(folder, "most", ROOT, largest, shards=largest // _SHARD)
    small = _version(folder, "small", ROOT, 100)
    for version in (few, most):
        version.claim()
    found = timing.rounds(
        [
            Case(f"{words[0]} {name}", partial(version.look, words))
            for words in (_NEXT, _STATUS)
            for name, version in (("few", few), ("most", most))
        ],
        count,
    )

    def times(title: str, name: str, other: str, what: str, limit: float) -> Line:
        ratio = timing.processor_ratio(found[name], found[other])
        return table.against(title, _ms(found[name]), what, ratio, limit)

    size = f"{largest:,}"
    yield times(f"next --limit 10, {size} tasks", "next most", "next few", "1,000", 2)
    peak = most.peak(_NEXT) / 1e6
    yield table.below("  its peak memory", f"{peak:.0f} MB", peak, _PEAK_MB, "MB")
    yield times(f"status, {size} tasks", "status most", "status few", "1,000", 3)
    for version in (few, most):
        version.commit()
        version.check("alpha")  # judges the base, which is known from then on
    found = timing.rounds(
        [
            Case("check few", partial(few.check, "alpha")),
            Case("check most", partial(most.check, "alpha")),
        ],
        1,
    )
    yield times(f"check of a branch, {size} tasks", "check most", "check few", "1,000", 2)
    most.restore()
    found = timing.rounds([Case("large", large.check_cold), Case("most", most.check_cold)], 1)
    yield times(f"check, {size} tasks, cold", "most", "large", "10,000", largest / 10_000)
    found = timing.rounds([Case("small", small.complete), Case("large", large.complete)], count)
    yield times("complete, 10,000 tasks in one file", "large", "small", "100", 1.5)
    found = timing.rounds([Case("small", small.claim), Case("large", large.claim)], count)
    yield times("claim, 10,000 tasks in one file", "large", "small", "100", 1.5)


def _finished(folder: Path, count: int) -> Iterator[Line]:
    place = Place(folder, "finished", places.surroundings(folder), 24)
    for name, data in history.files(range(_FINISHED)):
        path = place.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    place.commit("Much that is finished")
    for words in (("check",), ("evidence", "verify"), ("report", "-")):
        case = Case("it", partial(place.timed, *places.RALPH, *words, codes=(0, 1)))
        costs = timing.rounds([case], count)["it"]
        title = f"{' '.join(words)}, {_FINISHED:,} finished tasks"
        yield table.below(title, _ms(costs), timing.processor(costs), _FINISHED_S, "s")


def _ms(costs: list[Cost]) -> str:
    return f"{timing.processor(costs) * 1000:.0f} ms"
