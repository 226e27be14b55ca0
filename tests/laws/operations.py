"""Lifecycle operations, checked on the spot against L4 (no derived bytes) and L5 (minimal diff).

Two operations of one task differ in nothing but their fresh ids: the second, the worker and
every text are the same, which is what makes exclusion hard.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from laws.block import LIFECYCLE, SECOND, Block, Line, fresh_id, id_source
from laws.generate import Written
from ralphgit.errors import InvalidRecord
from ralphgit.model.task import Blocked, Cancelled, Claim, Lifecycle, Reset, Result, Task
from ralphgit.model.task_status import Outcome, Reason, Status
from ralphgit.records import graph_file, splice_task, task_mapping
from ralphgit.rules import lifecycle
from ralphgit.rules.contract_digest import contract

PATH = "task-graph.yaml"


class Broken(AssertionError):
    """A law does not hold."""

    def __init__(self, law: str, why: str, *, before: str = "", after: str = "") -> None:
        super().__init__(f"{law}: {why}")
        self.law, self.why, self.before, self.after = law, why, before, after


@dataclass(frozen=True, slots=True)
class World:
    """What two workers who run into each other have in common."""

    ids: random.Random
    by: str = "alpha"
    at: str = SECOND
    base: str = "3f2a9c1d5e60"
    reason: str = "gone"
    question: str = "which one?"
    concerns: tuple[str, ...] = ()


_REASONS = (
    "gone",
    "no heartbeat: 3 h",
    'it\'s "dead" # really',
    "status: pending\n- id: T-001\n",
    "two\n\nparagraphs",
    "a, b} and ] c",
    "yes",
    "größer 統 🚀",
)


def world(rng: random.Random) -> World:
    return World(
        ids=id_source(rng),
        by=rng.choice(("alpha", "beta")),
        base=rng.choice(("3f2a9c1d5e60", "123456789012", "12345678e901")),
        reason=rng.choice(_REASONS),
        question=rng.choice(_REASONS),
        concerns=rng.choice(((), (), ("slow", "a: b"))),
    )


Operation = Callable[[Task, World], Lifecycle]


def claim(task: Task, world: World) -> Lifecycle:
    made = Claim(
        id=fresh_id(world.ids), by=world.by, at=world.at, base=world.base, contract=contract(task)
    )
    return lifecycle.claimed(task.id, task.lifecycle, made)


def block(task: Task, world: World) -> Lifecycle:
    made = Blocked(
        claim=task.claim.id if task.claim else "",
        id=fresh_id(world.ids), reason=Reason.NEEDS_CONTEXT, question=world.question,
        options=world.concerns, at=world.at,
    )  # fmt: skip
    return lifecycle.blocked(task.id, task.lifecycle, made)


def complete(task: Task, world: World) -> Lifecycle:
    held = task.claim.id if task.claim else ""
    outcome = Outcome.DONE_WITH_CONCERNS if world.concerns else Outcome.DONE
    made = Result(
        id=fresh_id(world.ids), claim=held, outcome=outcome, at=world.at, concerns=world.concerns
    )
    return lifecycle.completed(task.id, task.lifecycle, made)


def cancel(task: Task, world: World) -> Lifecycle:
    made = Cancelled(id=fresh_id(world.ids), by=world.by, at=world.at, reason=world.reason)
    return lifecycle.cancelled(task.id, task.lifecycle, made)


def _back(task: Task, world: World, *, reopen: bool) -> Lifecycle:
    held = task.claim.id if task.claim else ""
    made = Reset(id=fresh_id(world.ids), claim=held, by=world.by, at=world.at, reason=world.reason)
    return lifecycle.released(task.id, task.lifecycle, made, reopen=reopen)


def release(task: Task, world: World) -> Lifecycle:
    """Release and reset: they leave the same record."""
    return _back(task, world, reopen=False)


def reopen(task: Task, world: World) -> Lifecycle:
    return _back(task, world, reopen=True)


LEGAL: dict[Status, tuple[Operation, ...]] = {
    Status.PENDING: (claim, claim, claim, cancel, release),
    Status.IN_PROGRESS: (complete, complete, block, release, cancel),
    Status.BLOCKED: (claim, release, cancel),
    Status.COMPLETE: (reopen,),
    Status.CANCELLED: (reopen,),
}


LATE: tuple[Operation, ...] = (complete, block, release, cancel)
"""What a holder may still try when its claim is gone."""


def legal(rng: random.Random, written: Written, index: int) -> Operation:
    """Some operation that task number `index` allows."""
    return rng.choice(LEGAL[task_of(written, index).status])


def parsed(written: Written) -> graph_file.GraphFile:
    return read(written.data)


@lru_cache(maxsize=16)
def read(data: bytes) -> graph_file.GraphFile:
    return graph_file.parse(data, path=PATH)


def task_of(written: Written, index: int) -> Task:
    return task_mapping.task(parsed(written).tasks[index])


class LayoutRefused(Exception):
    """The edit was refused with nothing written, in a file where it may be."""


def apply(written: Written, index: int, operation: Operation, world: World) -> Written:
    """The file after `operation` on task number `index`.

    Raises: Broken when the edit does more or less than it should; LayoutRefused for a
    layout that need not be supported.
    """
    file = parsed(written)
    life = operation(task_mapping.task(file.tasks[index]), world)
    try:
        text = splice_task.set_lifecycle(file, index, life)
    except InvalidRecord as error:
        if written.odd and error.code == "unclear_layout":
            raise LayoutRefused(str(error)) from error
        raise Broken("L5", f"{operation.__name__} refused: {error}", before=written.text) from error
    try:
        no_derived_bytes(file, index, life, text)
        return minimal(written, index, text, life)
    except Broken as broken:
        broken.before, broken.after = written.text, text
        raise


# -- L4 --------------------------------------------------------------------------------

_ALLOWED = {
    "claim": {"id", "by", "at", "base", "contract", "unsynchronised"},
    "reset": {"id", "claim", "by", "at", "reason"},
    "cancelled": {"id", "by", "at", "reason"},
    "result": {"id", "claim", "outcome", "at", "concerns"},
    "blocked": {"id", "claim", "reason", "question", "options", "at"},
}


def no_derived_bytes(file: graph_file.GraphFile, index: int, life: Lifecycle, text: str) -> None:
    """L4, and L5 of values: the intended records are there, and nothing else is new.

    Raises: Broken.
    """
    after = read(text.encode())
    if after.root != file.root or len(after.tasks) != len(file.tasks):
        raise Broken("L5", "something outside the tasks changed")
    for place, (old, new) in enumerate(zip(file.tasks, after.tasks, strict=True)):
        if place != index:
            if old != new:
                raise Broken("L5", f"{old['id']} changed with {file.tasks[index]['id']}")
            continue
        kept = {key: value for key, value in old.items() if key not in LIFECYCLE}
        if {key: value for key, value in new.items() if key not in LIFECYCLE} != kept:
            raise Broken("L4", "a field outside the lifecycle changed")
        if task_mapping.lifecycle(new) != life:
            raise Broken("L5", f"read back as {task_mapping.lifecycle(new)}, not {life}")
        for key, allowed in _ALLOWED.items():
            if not isinstance(record := new.get(key), dict):
                continue
            same = getattr(task_mapping.lifecycle(old), key) == getattr(life, key)
            if same and record != old[key]:
                raise Broken("L5", f"{key} is as it was, but was rewritten: {record}")
            if not same and (extra := set(record) - allowed):
                raise Broken("L4", f"{key} got {extra}")


# -- L5 --------------------------------------------------------------------------------


def minimal(written: Written, index: int, text: str, life: Lifecycle) -> Written:
    """The edited file with its lines assigned anew, if every other line is as it was.

    Raises: Broken.
    """
    before, _, after = _around(written, index)
    prefix = "\ufeff" if written.bom else ""
    if not text.startswith(prefix):
        raise Broken("L5", "the byte order mark is gone")
    lines = text[len(prefix) :].split(written.eol)
    if not written.final_eol and lines[-1] == "" and not after and _ends_in_text(written, index):
        written = dataclasses.replace(written, final_eol=True)
    if written.final_eol and lines.pop() != "":
        raise Broken("L5", "the final newline is gone")
    if any("\r" in line or "\n" in line for line in lines):
        raise Broken("L5", "mixed line ends")
    stop = len(lines) - len(after)
    if lines[: len(before)] != before or stop < len(before) or lines[stop:] != after:
        raise Broken("L5", "a line outside the block changed")
    own = lines[len(before) : stop]
    block = written.blocks[index]
    made = _flow_lines(block, own) if block.flow else _block_lines(block, own, life)
    return written.with_block(index, made)


def _ends_in_text(written: Written, index: int) -> bool:
    """Whether a record is the end, and what stands above it a text that needs its newline."""
    lines = written.blocks[index].lines
    above = [line for line in lines if line.field not in LIFECYCLE[1:]]
    own = [line.text for line in above if line.field == above[-1].field]
    return above[-1] is not lines[-1] and re.search(r": [|>]", own[0]) is not None


def _around(written: Written, index: int) -> tuple[list[str], list[str], list[str]]:
    """The file's lines before the block, in it, and behind it."""
    before = list(written.head)
    for block in written.blocks[:index]:
        before += [line.text for line in block.lines]
        before += block.gap
    after = list(written.blocks[index].gap)
    for block in written.blocks[index + 1 :]:
        after += [line.text for line in block.lines]
        after += block.gap
    after += written.foot
    return before, [line.text for line in written.blocks[index].lines], after


def _block_lines(block: Block, own: list[str], life: Lifecycle) -> Block:
    kept = [line for line in block.lines if line.field not in LIFECYCLE[1:]]
    if not kept or kept[0] is not block.lines[0]:
        kept, own = _with_first(block, kept, own)
    place = next(number for number, line in enumerate(kept) if line.field == "status")
    old = kept[place]
    head, tail = old.around
    if place >= len(own) or own[place] != head + life.status.value + tail:
        raise Broken("L5", f"the line of status became {own[place : place + 1]}, was {old.text!r}")
    kept[place] = Line(own[place], "status", old.around)
    size = len(own) - len(kept)
    start = place + 1
    if size < 0 or [line.text for line in kept] != own[:start] + own[start + size :]:
        raise Broken("L5", "a line of the block that is no lifecycle field changed")
    group = [Line(line, "claim") for line in own[start : start + size]]
    return dataclasses.replace(block, lines=(*kept[:start], *group, *kept[start:]))


def _with_first(block: Block, kept: list[Line], own: list[str]) -> tuple[list[Line], list[str]]:
    """`kept` where the line with the dash was a record's that is gone.

    The dash then stands alone, or before the next key.
    """
    first = re.match(r" *-( +)", block.lines[0].text)
    if first is None or not own:
        raise Broken("L5", "the dash is gone")
    dash = first.group().rstrip()
    if own[0] == dash:
        return [Line(dash), *kept], own
    head = kept[0]
    column = first.end()
    around = (first.group() + head.around[0][column:], head.around[1])
    moved = Line(first.group() + head.text[column:], head.field, around)
    return [moved, *kept[1:]], own


def _flow_lines(block: Block, own: list[str]) -> Block:
    old = block.lines[0].text
    if len(own) != 1:
        raise Broken("L5", "a task on one line is on several now")
    new, at = own[0], 0
    kept = tuple(piece for piece in block.pieces if piece[0] not in LIFECYCLE)
    for _, piece in kept:
        found = new.find(piece, at)
        if found < 0:
            raise Broken("L5", f"{piece!r} changed")
        at = found + len(piece)
    opening, closing = old[: old.index("{") + 1], old[old.rindex("}") :]
    if not new.startswith(opening) or not new.endswith(closing):
        raise Broken("L5", "the line around the task changed")
    return dataclasses.replace(block, lines=(Line(new),), pieces=kept)
