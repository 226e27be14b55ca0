"""Two sides add tasks at random places of one file, and `resolve` puts them together."""

from __future__ import annotations

import random

from laws.generate import Written, graph
from laws.operations import PATH, Broken, read
from ralphgit.app.conflicts.task_merge import decide
from ralphgit.errors import Bug, InvalidRecord
from ralphgit.model.three_way_merge import ThreeWay
from ralphgit.records import graph_sections, splice_task


def added(rng: random.Random, written: Written, prefix: str) -> bytes | None:
    """The file with up to three new tasks; None for a layout that takes none."""
    text = written.text
    for number in range(rng.randint(1, 3)):
        places = [None, *range(len(read(text.encode()).tasks))]
        task = {"id": f"{prefix}-{number}", "title": "New", "status": "pending"}
        try:
            text = splice_task.append_task(text, task, after=rng.choice(places), path=PATH)
        except (InvalidRecord, Bug):
            return None
    return text.encode()


def joined(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    """What `resolve` makes of the three, whichever side is ours. Raises: Broken."""
    sides = [
        graph_sections.split(data, path=PATH, limit=len(data)) for data in (base, ours, theirs)
    ]
    made = [
        decide({PATH: ThreeWay(sides[0], *pair)}, {}, given_up={}, limit=1 << 24)
        for pair in ((sides[1], sides[2]), (sides[2], sides[1]))
    ]
    if made[0].open:
        raise Broken("L2", f"resolve asks: {made[0].open[0].question}", before=base.decode())
    data = made[0].files[PATH]
    if data is None or data != made[1].files[PATH]:
        raise Broken("L2", "resolve makes something else for the other side")
    return data


def judge(base: bytes, ours: bytes, theirs: bytes, made: bytes, *, ordered: bool = True) -> None:
    """The result is exactly both, and each side's order holds. Raises: Broken."""
    tasks = [task["id"] for task in read(made).tasks]
    expected = {task["id"]: task for side in (ours, theirs) for task in read(side).tasks}
    if {task["id"]: task for task in read(made).tasks} != expected or len(tasks) != len(expected):
        raise Broken("L2", "resolve makes something else than both", after=made.decode())
    for side in (ours, theirs) if ordered else ():
        own = [task["id"] for task in read(side).tasks]
        if [id for id in tasks if id in own] != own:
            raise Broken("L2", "resolve changes the order of a side", after=made.decode())


def triple(rng: random.Random, most: int = 8) -> tuple[bytes, bytes, bytes]:
    """A graph file, and what two sides have made of it."""
    while True:
        base = graph(rng, most=most)
        ours, theirs = added(rng, base, "N"), added(rng, base, "M")
        if ours is not None and theirs is not None:
            return base.data, ours, theirs
