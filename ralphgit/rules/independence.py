"""Decide which tasks may run together, and give the reasons for each pair that may not (SPEC 6).

Decided on patterns, never on the files that exist. A claim asks the same rule about the tasks
in flight, and there only `CLAIM` counts: a task may read what another one is writing.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

from ralphgit.model.paths import fault
from ralphgit.model.task_row import Row
from ralphgit.rules import cycles
from ralphgit.rules.pattern_overlap import (
    Ends,
    check_pattern,
    covers,
    covers_any,
    head,
    last,
    overlap,
)

WRITE, READ, RESOURCE = "write", "read", "resource"
GENERATED, DEPENDS, SEQUENTIAL, VERIFY, QUESTION = (
    "generated", "depends", "sequential", "verify", "question",
)  # fmt: skip
#: Every reason, in the order in which those of one pair are listed.
REASONS = (DEPENDS, SEQUENTIAL, VERIFY, QUESTION, RESOURCE, GENERATED, WRITE, READ)
#: What refuses a claim beside a task in flight (SPEC 4).
CLAIM = frozenset({WRITE, RESOURCE, GENERATED})
#: What a task does with what it names, as a verb.
DOES = {WRITE: "writes", READ: "reads", RESOURCE: "needs"}


class Use(NamedTuple):
    """Something that a task touches."""

    kind: str
    """WRITE or READ, of a pattern; RESOURCE, of a name."""
    name: str


class Meeting(NamedTuple):
    """Where the uses of two tasks meet."""

    reason: str
    mine: Use
    theirs: Use
    path: str
    """A path that both cover, or the resource."""


class Conflict(NamedTuple):
    """Two tasks that must not run together, and one reason."""

    a: str
    """The one of the two that would be taken first."""
    b: str
    reason: str
    """One of REASONS."""
    paths: tuple[str, ...]
    """Paths that both cover, an example for each pair of patterns; or resources. Sorted."""
    tasks: tuple[str, ...]
    """DEPENDS: the way from the task that waits to the one it needs. VERIFY: the checkpoint and
    the task before it. QUESTION: the task that waits for an answer."""
    message: str


# -- what two tasks touch ------------------------------------------------------------------

#: A name that can be a path.
_PATH = re.compile(r"\.?[\w@+-][\w.@+-]*(?:/\.?[\w@+-][\w.@+-]*)*", re.ASCII)


def file_of(resource: str, generated: tuple[str, ...]) -> str:
    """The path that a resource is, "" for the name of something else.

    A path has a `/`, or a dot inside as a file's name has; or a pattern of `generated` covers it.
    """
    if _PATH.fullmatch(resource) is None or fault(resource):
        return ""
    looks = "/" in resource or "." in resource[1:]
    return resource if looks or covers_any(generated, resource) else ""


def uses(row: Row) -> Iterator[Use]:
    """What a task touches; patterns that are wrong cover nothing, and are left out."""
    yield from (Use(RESOURCE, name) for name in dict.fromkeys(row.resources))
    for kind, patterns in ((WRITE, row.write), (READ, row.read)):
        for pattern in dict.fromkeys(patterns):
            if check_pattern(pattern) is None:
                yield Use(kind, pattern)


def meetings(
    a: Row, b: Row, *, reasons: Collection[str] = REASONS, generated: tuple[str, ...] = ()
) -> list[Meeting]:
    """Where two tasks meet in what they touch, for one of `reasons`; resources first."""
    theirs, generated = list(uses(b)), _sound(generated)
    found = (meet(mine, other, generated) for mine in uses(a) for other in theirs)
    return [meeting for meeting in found if meeting is not None and meeting.reason in reasons]


def meet(mine: Use, theirs: Use, generated: tuple[str, ...]) -> Meeting | None:
    """Where two uses by different tasks meet in a way that one may spoil the other's."""
    kinds = {mine.kind, theirs.kind}
    if RESOURCE in kinds:
        return _meet_in_resource(mine, theirs, generated)
    if WRITE not in kinds:
        return None
    path = overlap(mine.name, theirs.name)
    if path is None:
        return None
    if READ in kinds:
        return Meeting(READ, mine, theirs, path)
    named = _names_generated(mine.name, generated) or _names_generated(theirs.name, generated)
    return Meeting(GENERATED if named else WRITE, mine, theirs, path)


def _meet_in_resource(mine: Use, theirs: Use, generated: tuple[str, ...]) -> Meeting | None:
    if mine.kind == theirs.kind:
        same = mine.name == theirs.name
        return Meeting(RESOURCE, mine, theirs, mine.name) if same else None
    resource, scope = (mine, theirs) if mine.kind == RESOURCE else (theirs, mine)
    path = file_of(resource.name, generated)
    if not path or not covers(scope.name, path):
        return None
    return Meeting(READ if scope.kind == READ else GENERATED, mine, theirs, path)


_WILD = re.compile(r"[*?\[{\\]")


@lru_cache(maxsize=8)
def _sound(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """The patterns that mean something."""
    return tuple(pattern for pattern in patterns if check_pattern(pattern) is None)


@lru_cache(maxsize=1 << 12)
def _names_generated(pattern: str, generated: tuple[str, ...]) -> bool:
    """Whether a pattern names a generated file itself, and not just a folder it may be in."""
    if _WILD.search(pattern) is None:
        return not pattern.endswith("/") and covers_any(generated, pattern)
    name = pattern.rpartition("/")[2]
    return bool(name) and any(name == other.rpartition("/")[2] for other in generated)


# -- many tasks ----------------------------------------------------------------------------


class _Entry(NamedTuple):
    """A use, and how the paths begin that it covers, and their last names."""

    head: str
    number: int
    """The task's, in the order given."""
    use: Use
    last: Ends


_Pairs = dict[tuple[int, int], list[Conflict]]


def conflicts(
    rows: Sequence[Row],
    graph: Mapping[str, Row],
    *,
    blocked: Collection[str] = (),
    generated: tuple[str, ...] = (),
) -> list[Conflict]:
    """Every pair of `rows` that must not run together, once for each reason, in their order.

    `graph` has the tasks that dependencies lead over; `blocked` are the tasks that wait for an
    answer.
    """
    found: _Pairs = {}
    generated = _sound(generated)
    _by_dependencies(rows, graph, blocked, found)
    _by_mode(rows, graph, found)
    _by_scope(rows, generated, found)
    rank = {reason: number for number, reason in enumerate(REASONS)}
    return [
        conflict
        for pair in sorted(found)
        for conflict in sorted(found[pair], key=lambda one: rank[one.reason])
    ]


def _add(
    found: _Pairs, rows: Sequence[Row], one: int, other: int, reason: str, message: str,
    *, paths: Sequence[str] = (), tasks: Sequence[str] = (),
) -> None:  # fmt: skip
    first, second = min(one, other), max(one, other)
    made = Conflict(
        rows[first].id, rows[second].id, reason, tuple(paths), tuple(tasks), message
    )  # fmt: skip
    found.setdefault((first, second), []).append(made)


def _by_dependencies(
    rows: Sequence[Row], graph: Mapping[str, Row], blocked: Collection[str], found: _Pairs
) -> None:
    number = {row.id: at for at, row in enumerate(rows)}
    waiting: dict[str, list[int]] = {}
    told: set[tuple[int, int]] = set()
    for at, row in enumerate(rows):
        came = _reached(row, graph)
        for name in came:
            if name in blocked:
                waiting.setdefault(name, []).append(at)
            other = number.get(name)
            if other is None or (min(at, other), max(at, other)) in told:
                continue  # both ways is a cycle, listed once
            told.add((min(at, other), max(at, other)))
            way = [name]
            while way[-1] != row.id:
                way.append(came[way[-1]])
            way.reverse()
            _add(found, rows, at, other, DEPENDS, f"{row.id} depends on {name}"
                 + (f", over {', '.join(way[1:-1])}" if len(way) > 2 else ""),
                 tasks=way)  # fmt: skip
    for name in sorted(blocked, key=lambda name: number.get(name, -1)):
        own = number.get(name)
        if own is not None:
            for at in range(len(rows)):
                if at != own:
                    message = f"{name} waits for an answer, which may change what it does"
                    _add(found, rows, own, at, QUESTION, message, tasks=(name,))
        for at, other in combinations([at for at in waiting.get(name, ()) if at != own], 2):
            message = f"both need {name}, which waits for an answer"
            _add(found, rows, at, other, QUESTION, message, tasks=(name,))


def _reached(row: Row, graph: Mapping[str, Row]) -> dict[str, str]:
    """The unfinished tasks that `row` depends on, also through others, and who needs each."""
    came: dict[str, str] = {}
    queue = deque([row])
    while queue:
        at = queue.popleft()
        for name in at.depends_on:
            needed = graph.get(name)
            if needed is None or needed.status == "complete" or name in came or name == row.id:
                continue
            came[name] = at.id
            queue.append(needed)
    return came


def _by_mode(rows: Sequence[Row], graph: Mapping[str, Row], found: _Pairs) -> None:
    stories: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        if row.story:
            stories.setdefault(row.story, []).append(at)
    place: dict[str, int] = {}
    for story, members in stories.items():
        if all(rows[at].mode == "parallel" for at in members):
            continue
        place = place or {name: at for at, name in enumerate(graph)}
        for one, other in combinations(members, 2):
            modes = {rows[one].mode, rows[other].mode}
            if VERIFY in modes:
                # The later one in the graph is the checkpoint, where both are.
                early, late = sorted(
                    (rows[one], rows[other]), key=lambda row: place.get(row.id, -1)
                )
                checkpoint = late if late.mode == VERIFY else early
                message = f"{checkpoint.id} (mode verify) runs alone in {story}"
                after = (late.id, early.id) if checkpoint is late else ()
                if after:
                    message += f", after {early.id}"
                _add(found, rows, one, other, VERIFY, message, tasks=after)
            elif SEQUENTIAL in modes:
                alone = rows[one] if rows[one].mode == SEQUENTIAL else rows[other]
                message = f"{alone.id} (mode sequential) runs beside no task of {story}"
                _add(found, rows, one, other, SEQUENTIAL, message)


def _by_scope(rows: Sequence[Row], generated: tuple[str, ...], found: _Pairs) -> None:
    """Only uses are compared of which one's paths begin as the other's may."""
    entries: list[_Entry] = []
    named: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        for use in uses(row):
            if use.kind != RESOURCE:
                entries.append(_Entry(head(use.name), at, use, last(use.name)))
                continue
            named.setdefault(use.name, []).append(at)
            if path := file_of(use.name, generated):
                entries.append(_Entry(f"{path}/", at, use, last(path)))
    met: dict[tuple[int, int], list[Meeting]] = {}
    for name, members in named.items():
        use = Use(RESOURCE, name)
        for pair in combinations(members, 2):
            met.setdefault(pair, []).append(Meeting(RESOURCE, use, use, name))
    for one, other in _candidates(sorted(entries)):
        if one.number > other.number:
            one, other = other, one
        meeting = meet(one.use, other.use, generated)
        if meeting is not None:
            met.setdefault((one.number, other.number), []).append(meeting)
    for (first, second), meetings in met.items():
        for reason in dict.fromkeys(meeting.reason for meeting in meetings):
            own = [meeting for meeting in meetings if meeting.reason == reason]
            # The example that the message names comes first.
            own.sort(key=lambda meeting: meeting.path)
            paths = dict.fromkeys(meeting.path for meeting in own)
            message = as_text(rows[first].id, rows[second].id, own[0])
            _add(found, rows, first, second, reason, message, paths=[*paths])


#: With which kinds of use a use can meet; equal resources are found by their names.
_MEETS = {WRITE: (WRITE, READ, RESOURCE), READ: (WRITE, RESOURCE), RESOURCE: (WRITE, READ)}


def _candidates(entries: Sequence[_Entry]) -> Iterator[tuple[_Entry, _Entry]]:
    """Pairs of different tasks' uses that may meet; `entries` are sorted.

    A head that another one begins with comes before it: what is kept of each kind, at any time,
    is a chain of heads of which each begins with the one before.
    """
    chains: dict[str, list[_Entry]] = {WRITE: [], READ: [], RESOURCE: []}
    for entry in entries:
        for chain in chains.values():
            while chain and not entry.head.startswith(chain[-1].head):
                chain.pop()
        number, ends = entry.number, entry.last
        for kind in _MEETS[entry.use.kind]:
            for other in chains[kind]:
                if number != other.number and not ends.apart(other.last):
                    yield other, entry
        chains[entry.use.kind].append(entry)


def as_text(a: str, b: str, meeting: Meeting) -> str:
    """Where tasks `a` and `b` meet, as a sentence."""
    mine, theirs = meeting.mine, meeting.theirs
    if meeting.reason == RESOURCE:
        return f"both need {meeting.path}"
    sentence = f"{a} {DOES[mine.kind]} {mine.name}, {b} {DOES[theirs.kind]} {theirs.name}"
    return sentence if RESOURCE in (mine.kind, theirs.kind) else f"{sentence}: {meeting.path}"


# -- groups --------------------------------------------------------------------------------


def groups(
    rows: Sequence[Row], found: Sequence[Conflict], *, alone: Collection[str] = ()
) -> list[list[str]]:
    """`rows` parted so that the tasks of a group may run together; one group after the other.

    A task stands behind what it needs, and a checkpoint behind what comes before it. Each goes
    into the first group that has room for it, in the order of `rows`, or with those first that
    conflict with most, where that makes fewer groups. The same tasks give the same groups. Those
    of `alone` share theirs with no other.
    """
    names = [row.id for row in rows]
    beside: dict[str, set[str]] = {name: set() for name in names}
    behind: dict[str, list[str]] = {name: [] for name in names}
    for one in found:
        beside[one.a].add(one.b)
        beside[one.b].add(one.a)
        if one.reason in (DEPENDS, VERIFY) and one.tasks:
            behind[one.tasks[0]].append(one.tasks[-1])
    for name in names:
        apart = names if name in alone else alone
        beside[name].update(one for one in apart if one != name)
    usual = _coloured(names, beside, behind)
    crowded = sorted(names, key=lambda name: -len(beside[name]))
    other = _coloured(crowded, beside, behind)
    best = min(usual, other, key=lambda colours: max(colours.values(), default=0))
    made: dict[int, list[str]] = {}
    for name in names:
        made.setdefault(best[name], []).append(name)
    if any(behind.values()):
        return [made[colour] for colour in sorted(made)]
    return list(made.values())  # in the order of their first tasks


def _coloured(
    names: Sequence[str], beside: Mapping[str, set[str]], behind: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """The number of each task's group."""
    colours: dict[str, int] = {}
    for name in cycles.order({name: behind[name] for name in names}):
        colour = 1 + max((colours[other] for other in behind[name] if other in colours), default=-1)
        taken = {colours[other] for other in beside[name] if other in colours}
        while colour in taken:
            colour += 1
        colours[name] = colour
    return colours
