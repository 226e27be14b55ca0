"""Merge two versions of one task's block, field by field, each with its own bytes.

Where the two cannot be taken apart alike (a task on one line, another indentation), the fields
that one side has changed are written into the other, if that side has changed nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.model.task import Lifecycle
from ralphgit.model.three_way_merge import Join, Question, Side, ThreeWay
from ralphgit.records import block_keys, graph_file, splice_task, yaml_writer
from ralphgit.records.graph_sections import Piece
from ralphgit.records.task_blocks import Block
from ralphgit.records.task_mapping import LIFECYCLE_KEYS, lifecycle


def joined(sides: ThreeWay[Piece | None], how: Join) -> Piece | Question:
    """Write the block that `how` describes, or say why that would lose something.

    Reads back as exactly what was decided; is the same whichever side is ours.
    """
    assert sides.ours is not None and sides.theirs is not None
    expected = _expected(sides, how)
    found = _by_lines(sides, how)
    if isinstance(found, Question):
        return found
    drafts = [found] if found is not None else _by_values(sides, how, expected)
    good = sorted(own for own in drafts if _says(own, expected))
    return Piece("", good[0], "", expected) if good else Question("layout")


def _expected(sides: ThreeWay[Piece | None], how: Join) -> dict[str, Any]:
    def value(name: str) -> Any:
        if name in how.values:
            return how.values[name]
        side = sides.of(how.life if name in LIFECYCLE_KEYS else how.fields[name])
        assert side is not None
        return side.task[name]

    return {name: value(name) for name in how.order}


def _says(own: str, expected: Mapping[str, Any]) -> bool:
    try:
        return graph_file.read_block(own) == expected
    except InvalidRecord:
        return False


# -- by lines --------------------------------------------------------------------------


class _Parts(NamedTuple):
    """A block in block style, taken apart."""

    dash: str
    """What stands before the first key: `  - `, or whole lines."""
    column: int
    lines: Mapping[str, str]
    """Each key with its value, in whole lines that begin at column 0."""
    leads: Mapping[str, str]
    """The comments and blank lines above each key."""
    tail: str


def _apart(piece: Piece | None) -> _Parts | None:
    if piece is None:
        return _Parts("", -1, {}, {}, "")
    own = piece.own
    column = block_keys.column(own)
    if column is None:
        return None
    spans = block_keys.spans(own, column)
    if set(spans) != set(piece.task):
        return None  # a key in an escaped spelling, or one that is none
    begins = [begin for begin, _ in spans.values()]
    dash = own[: begins[0] or column]
    lines, leads, last = {}, {}, begins[0]
    for name, (begin, end) in spans.items():
        leads[name] = own[last:begin]
        lines[name] = own[begin:end]
        last = end
    first = next(iter(spans))
    if not begins[0]:
        lines[first] = " " * column + lines[first][column:]
    return _Parts(dash, column, lines, leads, own[last:])


def _by_lines(sides: ThreeWay[Piece | None], how: Join) -> str | Question | None:
    """The join of two blocks that are written alike; None where they are not."""
    ancestor, ours, theirs = sides.map(_apart)
    if ancestor is None or ours is None or theirs is None or ours.column != theirs.column:
        return None
    parts = ThreeWay(ancestor, ours, theirs)
    dashes = parts.map(lambda part: part.dash)
    if (side := dashes.decided()) is None:
        return Question("comments")
    made = ""
    for name in how.order:
        lead = _lead(parts, name)
        if lead is None:
            return Question("comments", (name,))
        if name in how.values:
            if any(block_keys.comments(part.lines.get(name, "")) for part in parts):
                return Question("comments", (name,))
            lines = yaml_writer.mapping({name: how.values[name]}, indent=ours.column)
        else:
            chosen = _lines(sides, parts, name, how)
            if chosen is None:
                return Question("comments", (name,))
            lines = chosen
        made += lead + lines
    tails = parts.map(lambda part: part.tail)
    if (ending := tails.decided()) is None:
        return Question("comments")
    dash = dashes.of(side)
    if not dash.endswith("\n"):
        if made[: ours.column].strip():
            return None  # a comment stands above what is to follow the dash
        made = made[ours.column :]
    return dash + made + tails.of(ending)


def _lead(parts: ThreeWay[_Parts], name: str) -> str | None:
    """What stands above a key; None where both sides have changed it."""
    leads = parts.map(lambda part: part.leads.get(name))
    side = leads.decided()
    if side is None:
        return None
    chosen = leads.of(side)
    return chosen if chosen is not None else leads.of(side.other) or ""


def _lines(
    sides: ThreeWay[Piece | None], parts: ThreeWay[_Parts], name: str, how: Join
) -> str | None:
    """The lines of a key that one side decides, or that both have the same way; None where the
    other one's comments in them would be lost.
    """
    side = how.life if name in LIFECYCLE_KEYS else how.fields[name]
    assert sides.ours is not None and sides.theirs is not None
    written = parts.map(lambda part: part.lines.get(name, ""))
    said = written.map(block_keys.comments)
    noted = said.decided()
    if noted is None:
        return None
    if sides.ours.task.get(name) != sides.theirs.task.get(name):
        good = [written.of(side)]
    elif (spelled := written.decided()) is not None:
        good = [written.of(spelled)]
    else:
        good = [written.ours, written.theirs]
    return min((one for one in good if block_keys.comments(one) == said.of(noted)), default=None)


# -- by values -------------------------------------------------------------------------


def _by_values(sides: ThreeWay[Piece | None], how: Join, expected: Mapping[str, Any]) -> list[str]:
    """One side's block with the other's fields written into it, in each direction in which that
    loses nothing.
    """
    if sides.ancestor is None or how.values:
        return []
    drafts = []
    for side in Side:
        other = sides.of(side.other)
        assert other is not None
        # Nothing but these fields may differ, or it would be lost.
        names = [name for name in how.fields if _value(other.task, name) == _value(expected, name)]
        life = lifecycle(other.task) if how.life is side.other else None
        if _written(sides.ancestor, other, names, life) == other.own:
            start = sides.of(side)
            assert start is not None
            if (draft := _written(start, other, names, life)) is not None:
                drafts.append(draft)
    return drafts


def _value(task: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    return (task[name],) if name in task else ()


def _written(
    start: Piece, source: Piece, names: Sequence[str], life: Lifecycle | None
) -> str | None:
    """`start` with the fields `names` as `source` has them, and another lifecycle."""
    sets = {
        name: source.task[name] for name in names
        if name in source.task and source.task[name] != start.task.get(name)
    }  # fmt: skip
    drops = tuple(name for name in names if name in start.task and name not in source.task)
    try:
        file = _alone(start.own, start.task)
        if life is not None and life != lifecycle(start.task):
            own = splice_task.set_lifecycle(file, 0, life)
            file = _alone(own, graph_file.read_block(own))
        return splice_task.set_fields(file, 0, sets, drop=drops) if sets or drops else file.text
    except InvalidRecord:
        return None


def _alone(own: str, task: Mapping[str, Any]) -> graph_file.GraphFile:
    return graph_file.GraphFile("", own, (dict(task),), (Block(0, len(own)),), {})
