"""Merge conflicted graph files by task, in memory: into their bytes, or questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.model.task import Lifecycle
from ralphgit.model.three_way_merge import Join, Question, Side, ThreeWay
from ralphgit.records import block_merge, graph_file, graph_sections, task_mapping
from ralphgit.records.graph_sections import Piece, Pieces
from ralphgit.rules import merge_policy
from ralphgit.rules.merge_policy import merged_list


class Open(NamedTuple):
    """A question that is left for a person."""

    file: str
    question: Question
    task: str = ""
    lives: ThreeWay[Lifecycle | None] | None = None
    """What became of the task on each side."""
    says: str = ""
    """Of a file that cannot be read: why."""


class Told(NamedTuple):
    """What became of a task that is not as the ancestor had it."""

    task: str
    how: str
    """`ours` or `theirs`: that side's alone has changed it; `both`: the same; `joined`;
    `yielded`."""
    change: str
    """`added`, `changed` or `removed`."""


class Decided(NamedTuple):
    """The files that are decided, and the questions that are left."""

    files: Mapping[str, bytes | None]
    """The files that are decided; None for one that is gone."""
    told: Mapping[str, tuple[Told, ...]]
    """By file."""
    open: tuple[Open, ...]
    together: tuple[frozenset[str], ...] = ()
    """Files that are decided together: a task has moved between them."""

    def without(self, more: Sequence[Open]) -> Decided:
        """Return the same with more left open."""
        undecided = _infected({one.file for one in (*self.open, *more)}, self.together)
        files = {path: data for path, data in self.files.items() if path not in undecided}
        told = {path: self.told[path] for path in files}
        return Decided(files, told, (*self.open, *more), self.together)


class _At(NamedTuple):
    """A task in one place."""

    file: str
    piece: Piece


_Sides = ThreeWay[_At | None]
_Lives = ThreeWay[Lifecycle | None]
#: Which side's state of a task is a step of the other's history.
Past = Callable[[str, _Lives], Side | None]


def _nobody(_task: str, _lives: _Lives) -> None:
    return None


def decide(
    conflicted: Mapping[str, ThreeWay[Pieces | None]],
    clean: Mapping[str, Pieces],
    *,
    given_up: Mapping[str, Side],
    past: Past = _nobody,
    limit: int,
) -> Decided:
    """Decide every file of `conflicted`, or say what cannot be decided in it.

    `clean` are the graph files that git has merged: a task that one side has moved there is
    merged there, too. `given_up`: which side gives up which task. `past`: which side of a task, if
    any, is a step of the other's history.
    """
    open_: list[Open] = []
    here = {
        task: _with_moved(task, found, clean, open_)
        for task, found in _everywhere(conflicted, open_).items()
    }
    results: dict[str, _At | None] = {}
    told: dict[str, list[Told]] = {}
    for task, at in here.items():
        made = _task(at, given_up.get(task), partial(past, task))
        home = next(one.file for one in (at.ours, at.theirs, at.ancestor) if one is not None)
        if isinstance(made, Question):
            lives = at.map(lambda one: task_mapping.lifecycle(one.piece.task) if one else None)
            open_.append(Open(home, made, task, lives))
            continue
        results[task] = made
        if (said := _told(task, at, made, given_up)) is not None:
            told.setdefault(made.file if made else home, []).append(said)
    groups = [frozenset(one.file for one in at if one is not None) for at in here.values()]
    together = tuple({group for group in groups if len(group) > 1})
    left = _infected({one.file for one in open_}, together)
    files: dict[str, bytes | None] = {}
    for path, stages in conflicted.items():
        if path in left:
            continue
        text = _file(path, stages, results, limit)
        if isinstance(text, Question):
            open_.append(Open(path, text))
        else:
            files[path] = text
    for path, whole in clean.items():
        moved = {task: at.piece for task, at in results.items() if at and at.file == path}
        changed = {task: piece for task, piece in moved.items() if piece != whole.tasks[task]}
        if changed:
            files[path] = graph_sections.joined(whole._replace(tasks={**whole.tasks, **changed}))
    said_of = {path: tuple(told.get(path, ())) for path in files}
    return Decided(files, said_of, (), together).without([*_once(open_)])


def _once(found: Iterable[Open]) -> Iterator[Open]:
    seen = set()
    for one in found:
        if (key := (one.file, one.task, one.question)) not in seen:
            seen.add(key)
            yield one


def _infected(files: set[str], together: Sequence[frozenset[str]]) -> set[str]:
    """`files`, and all that are decided together with one of them."""
    while True:
        more = {file for group in together if group & files for file in group}
        if more <= files:
            return files
        files = files | more


# -- where everything is ---------------------------------------------------------------


def _everywhere(
    conflicted: Mapping[str, ThreeWay[Pieces | None]], open_: list[Open]
) -> dict[str, _Sides]:
    """Find every task of the conflicted files on each side."""
    found: dict[str, list[_At | None]] = {}
    for path, stages in conflicted.items():
        for number, whole in enumerate(stages):
            for task, piece in (whole.tasks if whole else {}).items():
                sides = found.setdefault(task, [None, None, None])
                if (twin := sides[number]) is not None:
                    open_.append(Open(path, Question("duplicate_id", (twin.file,)), task))
                sides[number] = _At(path, piece)
    return {task: ThreeWay(*sides) for task, sides in found.items()}


def _with_moved(task: str, at: _Sides, clean: Mapping[str, Pieces], open_: list[Open]) -> _Sides:
    """Add a file without conflict to which one side has moved the task."""
    for path, whole in clean.items():
        if task not in whole.tasks:
            continue
        moved = _At(path, whole.tasks[task])
        if at.ours is not None and at.theirs is not None:
            open_.append(Open(at.ours.file, Question("duplicate_id", (path,)), task))
        at = ThreeWay(at.ancestor, at.ours or moved, at.theirs or moved)
    return at


# -- one task --------------------------------------------------------------------------


def _task(
    at: _Sides,
    given_up: Side | None,
    past: Callable[[_Lives], Side | None],
) -> _At | Question | None:
    """Merge a task, and choose its file; None for a task that is gone."""
    piece = at.map(lambda one: one.piece if one else None)
    decided: Side | Join | Question | None = piece.map(
        lambda one: one.own if one else None
    ).decided()
    if decided is None:
        values = piece.map(lambda one: one.task if one else None)
        lives = values.map(lambda value: task_mapping.lifecycle(value) if value else None)
        decided = merge_policy.task(
            values, lives, lifecycle_keys=task_mapping.LIFECYCLE_KEYS,
            given_up=given_up, past=past(lives),
        )  # fmt: skip
    if isinstance(decided, Question):
        return decided
    chosen = at.ours if isinstance(decided, Join) else at.of(decided)
    if chosen is None:
        # A comment that one side has written would go with it.
        written = {(one.lead, one.own) for one in piece if one}
        return Question("deleted") if len(written) > 1 else None
    result = block_merge.joined(piece, decided) if isinstance(decided, Join) else chosen.piece
    if isinstance(result, Question):
        return result
    if at.ours is None or at.theirs is None:
        return _At(chosen.file, result)
    home = merge_policy.place(at.map(lambda one: one.file if one else ""))
    if home is None:
        return Question("moved", (at.ours.file, at.theirs.file))
    lead = piece.map(lambda one: one.lead if one else None)
    if (above := lead.decided()) is None:
        return Question("comments")
    trail = piece.map(lambda one: one.trail if one else None)
    below = trail.decided()
    blank = trail.of(below) if below else max(trail.ours or "", trail.theirs or "", key=len)
    place = at.of(home)
    assert place is not None
    return _At(place.file, result._replace(lead=lead.of(above) or "", trail=blank or ""))


def _told(task: str, at: _Sides, made: _At | None, given_up: Mapping[str, Side]) -> Told | None:
    ancestor, ours, theirs = at.map(lambda one: one.piece.task if one else None)
    result = made.piece.task if made else None
    if result == ancestor:
        return None
    change = "removed" if result is None else "added" if ancestor is None else "changed"
    if ours == theirs:
        how = "both"
    elif task in given_up:
        how = "yielded"
    elif result == ours:
        how = Side.OURS.value
    else:
        how = Side.THEIRS.value if result == theirs else "joined"
    return Told(task, how, change)


# -- one file --------------------------------------------------------------------------


def _file(
    path: str,
    stages: ThreeWay[Pieces | None],
    results: Mapping[str, _At | None],
    limit: int,
) -> bytes | Question | None:
    """Put a file together from its tasks; None for a file that is gone."""
    kept = {task: at.piece for task, at in results.items() if at is not None and at.file == path}
    sides = stages.map(lambda side: side or graph_sections.NOTHING)
    if not kept and (stages.ours is None or stages.theirs is None):
        return None
    order = merged_list(sides.map(lambda side: tuple(side.tasks)), kept)
    if order is None:
        return Question("order")
    if stages.ours is None or stages.theirs is None:
        frame = stages.theirs if stages.ours is None else stages.ours
        assert frame is not None
    else:
        framed = _frame(sides)
        if framed is None:
            return Question("frame")
        frame = framed
    made = frame._replace(tasks={task: kept[task] for task in order})
    data = graph_sections.joined(made)
    try:
        again = graph_file.parse(data, path=path, limit=limit)
    except InvalidRecord:
        return Question("layout")
    # Exactly what was decided, and nothing else.
    said: list[Any] = [piece.task for piece in made.tasks.values()]
    return data if list(again.tasks) == said else Question("layout")


def _frame(sides: ThreeWay[Pieces]) -> Pieces | None:
    """Merge the lines around the tasks; None where both sides have changed them."""
    heads = sides.map(lambda side: side.head)
    feet = sides.map(lambda side: side.foot)
    eols = sides.map(lambda side: side.eol)
    ended = sides.map(lambda side: side.ended)
    head, foot, eol = heads.decided(), feet.decided(), eols.decided()
    if head is None or foot is None or eol is None:
        return None
    end = ended.decided() or Side.OURS
    return Pieces(heads.of(head), {}, feet.of(foot), eols.of(eol), ended.of(end))
