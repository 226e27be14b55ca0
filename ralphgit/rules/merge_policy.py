"""Merge a task that both sides of a merge have changed (docs/resolve.md).

Only what cannot take a decision from anybody is joined. The rest is a question, which a person
answers. Nothing here depends on which side is ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence

from ralphgit.model.task import Event, Lifecycle
from ralphgit.model.task_status import Status
from ralphgit.model.three_way_merge import Join, Question, Side, ThreeWay

Values = Mapping[str, object]


class _Absent:
    """The value of a field that is not there; a null is another one."""


_ABSENT = _Absent()


def task(
    values: ThreeWay[Values | None],
    lives: ThreeWay[Lifecycle | None],
    *,
    lifecycle_keys: Collection[str],
    given_up: Side | None = None,
    past: Side | None = None,
) -> Side | Join | Question:
    """What becomes of one task: a side's block as it is (gone, where that side has none), a
    join, or a question. `given_up`: the side that yields its lifecycle change. `past`: the side
    whose lifecycle change is a step that the other has gone, too (`is_past`).
    """
    ancestor, ours, theirs = values
    if ours is None or theirs is None:
        side = values.decided()
        return Question("deleted") if side is None else side
    before, mine, other = lives
    assert mine is not None and other is not None  # as many as there are values
    # Both have added it: as if it had been there before anybody touched it.
    life = lifecycle(ThreeWay(before or Lifecycle(), mine, other), given_up, past)
    fields: dict[str, Side] = {}
    made: dict[str, object] = {}
    wrong = []
    for name in dict.fromkeys((*ours, *theirs, *(ancestor or ()))):
        if name in lifecycle_keys:
            continue
        three = ThreeWay[object](
            _ABSENT if ancestor is None else ancestor.get(name, _ABSENT),
            ours.get(name, _ABSENT),
            theirs.get(name, _ABSENT),
        )
        side = three.decided() if ancestor is not None or three.ours == three.theirs else None
        if side is not None:
            fields[name] = side
        elif ancestor is not None and (joined := _joined(name, three)) is not None:
            made[name] = joined
        else:
            wrong.append(name)
    if wrong and ancestor is None:
        return Question("same_id", tuple(wrong))
    if life is None:
        return Question("double_claim")
    if wrong:
        return Question("field", tuple(wrong))
    kept = {name for name, side in fields.items() if name in (values.of(side) or {})} | {*made}
    kept |= {name for name in values.of(life) or {} if name in lifecycle_keys}
    # The lifecycle fields stay together, whatever else stands behind the status.
    order = merged_list(
        values.map(lambda side: list(side or ())), kept,
        key=lambda name: (name not in lifecycle_keys, natural(name)),
    )  # fmt: skip
    return Question("order") if order is None else Join(life, fields, made, tuple(order))


def lifecycle(
    lives: ThreeWay[Lifecycle], given_up: Side | None = None, past: Side | None = None
) -> Side | None:
    """The side whose lifecycle is taken; None for two changes, of which a merge takes neither.

    One attempt is one change, however far each side has seen it go.
    """
    side = lives.decided()
    if side is not None:
        return side
    if given_up is not None:
        return given_up.other
    for side in Side:
        if _goes_on(lives.of(side.other), lives.of(side)):
            return side
    return past.other if past is not None else None


_ENDS = (Status.COMPLETE, Status.BLOCKED, Status.CANCELLED)


def _goes_on(earlier: Lifecycle, later: Lifecycle) -> bool:
    """Whether `later` is the end of the very attempt that `earlier` has seen begin."""
    return (
        earlier.status is Status.IN_PROGRESS
        and earlier.claim is not None
        and later.claim is not None
        and earlier.claim.id == later.claim.id
        and earlier.epoch == later.epoch
        and later.status in _ENDS
    )


#: What its own holder ends an attempt with, and others go on from.
_OWN_ENDS = ("blocked", "released", "completed", "force-completed")
_OTHERS_ENDS = ("reset", "lost")


def attempt(life: Lifecycle) -> str:
    """The id of the attempt that a state is of: the claim, or what stands in its place."""
    if life.claim is not None:
        return life.claim.id
    return life.reset.claim if life.reset is not None else ""


def is_past(life: Lifecycle, here: Sequence[Event], there: Sequence[Event]) -> bool:
    """Whether a side's state of a task is a step that the other side has gone, too.

    `here` and `there` are what the audit of that state's attempt says on its own side and on the
    other. A block was answered there; or all that its holder did here is known there, and how the
    attempt ended. A claim that others have reset there is lost, and no step of anything.
    """
    if not here or not there:
        return False
    answered = any(event.event == "answered" for event in there)
    if answered and life.status in (Status.IN_PROGRESS, Status.BLOCKED):
        return True
    if any(event not in there for event in here):
        return False
    if life.status is not Status.IN_PROGRESS:
        return True
    ends = [one.event for one in there if one.event in (*_OWN_ENDS, *_OTHERS_ENDS)]
    return ends[:1] != [] and ends[0] in _OWN_ENDS


def place(files: ThreeWay[str]) -> Side | None:
    """The side whose file gets a task that both have; None if both have moved it."""
    return files.decided()


#: Criteria without ids are known by their number, which a second list would shift.
_KNOWN_BY_ID = "acceptance"


def _joined(name: str, three: ThreeWay[object]) -> object | None:
    """A field that both sides have extended; None where one has done anything else."""
    if all(isinstance(value, (list, _Absent)) for value in three):
        lists = three.map(lambda value: value if isinstance(value, list) else [])
        return _union(lists, by_id=name == _KNOWN_BY_ID)
    if name == "scope" and all(isinstance(value, (Mapping, _Absent)) for value in three):
        scopes = three.map(lambda value: value if isinstance(value, Mapping) else {})
        return _scope(scopes)
    return None


def _scope(scopes: ThreeWay[Mapping[str, object]]) -> dict[str, object] | None:
    def field(name: str) -> ThreeWay[object]:
        return scopes.map(lambda scope: scope.get(name, _ABSENT))

    names = merged_list(scopes.map(list), {*scopes.ours, *scopes.theirs})
    made = {}
    for name in names or ():
        three = field(name)
        side = three.decided()
        value = three.of(side) if side is not None else _joined(name, three)
        if value is None:
            return None
        if value is not _ABSENT:
            made[name] = value
    return made or None


def _union(lists: ThreeWay[list[object]], *, by_id: bool) -> list[object] | None:
    """What all have, each once, where both sides have only added to the ancestor's list."""
    items: dict[str, object] = {}
    named: list[list[str]] = []
    for side in lists:
        names = []
        for item in side:
            own = item.get("id") if isinstance(item, Mapping) else None
            if by_id and own is None:
                return None
            name = str(own) if own is not None else json.dumps(item, sort_keys=True)
            if name in names or items.setdefault(name, item) != item:
                return None
            names.append(name)
        named.append(names)
    ancestor, ours, theirs = named
    if not (_only_added(ancestor, ours) and _only_added(ancestor, theirs)):
        return None
    order = merged_list(ThreeWay(ancestor, ours, theirs), items)
    return None if order is None else [items[name] for name in order]


def _only_added(old: Sequence[str], new: Sequence[str]) -> bool:
    kept = set(old)
    return [item for item in new if item in kept] == list(old)


def natural(text: str) -> tuple[tuple[int, str], ...]:
    """A key that puts `T-9` before `T-10`."""
    parts = re.split(r"([0-9]+)", text)
    return tuple((int(part), part) if part.isdecimal() else (-1, part) for part in parts)


# -- the order of two lists that began as one ------------------------------------------------


def merged_list(
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
    spine = _list_spine(sides, set(shared))
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


def _list_spine(sides: ThreeWay[Sequence[str]], shared: set[str]) -> list[str] | None:
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
