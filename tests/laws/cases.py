"""What is merged, and what a law demands of the outcome.

    L1     two operations of one task                        conflict
    L2     operations of two tasks                           both changes, byte for byte
    L3     an operation of a holder whose claim was reset    conflict, or `check` catches it
    moved  a task renamed or moved while it is worked on     as L3, or right
    added  tasks added on both sides                         both; after a conflict by `resolve`

L4 and L5 are checked at every single operation (`operations.apply`).
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from laws import adding, operations
from laws.block import Block
from laws.generate import Written, graph
from laws.merging import Files, Outcome, Pair
from laws.operations import PATH, Broken, Operation, World, apply, read, task_of
from ralphgit.errors import InvalidRecord
from ralphgit.model.task import Lifecycle
from ralphgit.model.task_status import Status
from ralphgit.records import graph_file, task_mapping
from ralphgit.rules.contract_digest import contract

CONFLICT, CLEAN, CAUGHT = "conflict", "clean", "caught"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    law: str
    words: str
    """What happens on the two sides, for whom it fails."""
    pair: Pair
    judge: Callable[[Outcome], str]
    """CONFLICT, CLEAN or CAUGHT, where the law allows it. Raises: Broken."""
    excluded: int = 0
    """Neighbours that were drawn before this case and are excepted from L2."""


def of_index(seed: int, index: int) -> Case:
    """Case number `index` of the run with this seed."""
    rng = random.Random(f"{seed}:{index}")
    return MAKERS[_SCHEDULE[index % len(_SCHEDULE)]](rng)


def single(written: Written) -> Files:
    return {PATH: written.data}


# -- L1 --------------------------------------------------------------------------------


def exclusion(rng: random.Random, most: int = 40) -> Case:
    """Two operations of one task, mostly the same one; nothing differs but fresh ids."""
    base = graph(rng, most=most)
    index, world = rng.randrange(len(base.blocks)), operations.world(rng)
    first = operations.legal(rng, base, index)
    second = first if rng.random() < 0.6 else operations.legal(rng, base, index)
    ours = _chain(rng, base, index, world, first, rng.choice((0, 0, 0, 0, 1)))
    theirs = _chain(rng, base, index, world, second, rng.choice((0, 0, 0, 0, 1, 2)))
    words = f"{base.blocks[index].id}: {first.__name__} and {second.__name__}"

    def judge(outcome: Outcome) -> str:
        if not outcome.conflict:
            raise Broken("L1", f"{words} merge cleanly")
        return CONFLICT

    return Case(law="L1", words=words, pair=_pair(base, ours, theirs), judge=judge)


def _chain(
    rng: random.Random, written: Written, index: int, world: World, first: Operation, more: int
) -> list[Written]:
    """`first`, and then some `more` legal operations, each a commit."""
    steps = [apply(written, index, first, world)]
    for _ in range(more):
        operation = operations.legal(rng, steps[-1], index)
        steps.append(apply(steps[-1], index, operation, world))
    return steps


def _pair(base: Written, ours: list[Written], theirs: list[Written], **options: bool) -> Pair:
    return Pair(
        base=single(base),
        ours=tuple(map(single, ours)),
        theirs=tuple(map(single, theirs)),
        **options,
    )


# -- L2 --------------------------------------------------------------------------------


def independence(rng: random.Random, most: int = 40) -> Case:
    """Operations of two tasks, mostly neighbours."""
    excluded = 0
    while True:
        base = graph(rng, fewest=2, most=most)
        count = len(base.blocks)
        i = rng.randrange(count - 1)
        j = i + 1 if rng.random() < 0.8 else rng.randrange(i + 1, count)
        if not base.touching(i, j):
            break
        excluded += 1
    if rng.random() < 0.5:
        i, j = j, i
    world = operations.world(rng)
    first = operations.legal(rng, base, i)
    second = operations.legal(rng, base, j)
    ours = _chain(rng, base, i, world, first, rng.choice((0, 0, 0, 1)))
    theirs = _chain(rng, base, j, world, second, rng.choice((0, 0, 0, 1)))
    wanted = ours[-1].with_block(j, theirs[-1].blocks[j])
    final_eol = ours[-1].final_eol or theirs[-1].final_eol
    wanted = dataclasses.replace(wanted, final_eol=final_eol)
    expected = read(wanted.data).tasks
    for place, task in enumerate(expected):
        source = ours[-1] if place == i else theirs[-1] if place == j else base
        if task != read(source.data).tasks[place]:
            raise Broken("L2", "both changes together read as something else", before=wanted.text)
    words = f"{first.__name__} {base.blocks[i].id}, {second.__name__} {base.blocks[j].id}"

    def judge(outcome: Outcome) -> str:
        if outcome.files is None:
            raise Broken("L2", f"{words} conflict")
        if outcome.files != single(wanted):
            raise Broken(
                "L2", f"{words} merge to something else",
                before=wanted.text, after=outcome.files[PATH].decode(),
            )  # fmt: skip
        return CLEAN

    pair = _pair(base, ours, theirs)
    return Case(law="L2", words=words, pair=pair, judge=judge, excluded=excluded)


# -- L3 --------------------------------------------------------------------------------


def fencing(rng: random.Random, most: int = 40) -> Case:
    """A holder whose claim was reset goes on, and its late change is merged."""
    base = graph(rng, most=most)
    index, world = rng.randrange(len(base.blocks)), operations.world(rng)

    def step(written: Written, operation: Operation) -> Written:
        return apply(written, index, operation, world)

    status = task_of(base, index).status
    if status in (Status.COMPLETE, Status.CANCELLED):
        base, status = step(base, operations.reopen), Status.PENDING
    seen = rng.choice(("base has the claim", "base never saw the claim", "claim was squash-merged"))
    if seen == "base has the claim":
        if status is not Status.IN_PROGRESS:
            base = step(base, operations.claim)
        held, ours, theirs = base, [base], []
    else:
        if status is Status.IN_PROGRESS:
            base = step(base, operations.release)
        held = step(base, operations.claim)
        ours = [held] if seen == "claim was squash-merged" else [base]
        theirs = [held]
    ours.append(step(ours[-1], operations.release))
    since = rng.choice((0, 1, 1, 2))
    for _ in range(since):
        now = task_of(ours[-1], index).status
        again = now is Status.PENDING
        operation = operations.claim if again else operations.legal(rng, ours[-1], index)
        ours.append(step(ours[-1], operation))
    late = rng.choice(operations.LATE)
    theirs += _chain(rng, held, index, world, late, rng.choice((0, 0, 0, 1)))
    if ours[0] in (base, held) and seen != "claim was squash-merged":
        ours = ours[1:]
    if rng.random() < 0.3:
        theirs = theirs[-1:]
    words = f"{base.blocks[index].id}: {seen}, reset, {since} since; late {late.__name__}"
    before = _faults(single(ours[-1]))

    def judge(outcome: Outcome) -> str:
        if outcome.files is None:
            return CONFLICT
        if _caught(outcome.files, before):
            return CAUGHT
        raise Broken("L3", f"{words}: takes effect", after=outcome.files[PATH].decode())

    pair = _pair(base, ours, theirs, tip_alone=rng.random() < 0.5)
    return Case(law="L3", words=words, pair=pair, judge=judge)


def _caught(files: Files, before: set[str]) -> bool:
    """Whether `check` has something to say about these files that it had not before."""
    try:
        return not _faults(files) <= before
    except InvalidRecord:
        return True


def _faults(files: Files) -> set[str]:
    """What is wrong between a task's status, its records and its contract.

    Raises: InvalidRecord when a file cannot be read.
    """
    found = set()
    for path, data in files.items():
        for stored in graph_file.parse(data, path=path).tasks:
            task = task_mapping.task(stored)
            found |= {f"{task.id}: {fault}" for fault in _life_faults(task.lifecycle)}
            if task.claim and task.claim.contract not in ("", contract(task)):
                found.add(f"{task.id}: the claim promised something else")
    return found


def _life_faults(life: Lifecycle) -> set[str]:
    status, claim, result = life.status, life.claim, life.result
    wrong = {
        "a result for another claim": result and (not claim or result.claim != claim.id),
        "complete without a result": status is Status.COMPLETE and not result,
        "a result, but not complete": result and status is not Status.COMPLETE,
        "in progress without a claim": status is Status.IN_PROGRESS and not claim,
        "pending with a claim": status is Status.PENDING and claim,
        "a reset beside a claim": life.reset and claim,
        "a reset, but not pending": life.reset and status is not Status.PENDING,
        "a reset in epoch 0": life.reset and not life.epoch,
        "blocked and not, at once": (status is Status.BLOCKED) != bool(life.blocked),
        "cancelled and not, at once": (status is Status.CANCELLED) != bool(life.cancelled),
    }
    return {fault for fault, found in wrong.items() if found}


# -- moved -----------------------------------------------------------------------------


def moved(rng: random.Random, most: int = 40) -> Case:
    """A task gets another id or another place on one side, and a change on the other."""
    return rng.choice((_renamed_file, _renamed_in_place, _reordered))(rng, most)


_WITH_CLAIM = {Status.PENDING: (operations.claim,), Status.BLOCKED: (operations.claim,),
               Status.IN_PROGRESS: (operations.complete, operations.block)}  # fmt: skip


def _workable(
    rng: random.Random, written: Written, index: int, world: World
) -> tuple[Written, Operation]:
    """The graph with task number `index` open, and an operation of it that leaves a claim."""
    status = task_of(written, index).status
    if status not in _WITH_CLAIM:
        written, status = apply(written, index, operations.reopen, world), Status.PENDING
    return written, rng.choice(_WITH_CLAIM[status])


def _with_id(written: Written, index: int, id: str) -> Written:
    """The graph with another id in the place of one."""
    block = written.blocks[index]
    lines = [
        dataclasses.replace(line, text=line.text.replace(block.id, id))
        if block.flow or line.field == "id"
        else line
        for line in block.lines
    ]
    return written.with_block(index, Block(id, tuple(lines), block.gap, block.pieces))


def _renamed_file(rng: random.Random, most: int) -> Case:
    """One file per task: a file is gone and a similar one is there, so git sees a rename."""
    world = operations.world(rng)
    ids = [f"T-{number:03}" for number in range(1, rng.randint(2, 5))]
    shards = {id: graph(rng, ids=[id]) for id in ids}
    old = rng.choice(ids)
    shards[old], operation = _workable(rng, shards[old], 0, world)

    def files(shards: dict[str, Written]) -> Files:
        return {f"graph/{id}.yaml": written.data for id, written in shards.items()}

    ours = {id: written for id, written in shards.items() if id != old}
    ours["T-901"] = _with_id(shards[old], 0, "T-901")
    theirs = {**shards, old: apply(shards[old], 0, operation, world)}
    pair = Pair(base=files(shards), ours=(files(ours),), theirs=(files(theirs),))
    return _moved_case(f"{operation.__name__} {old}, its file renamed to T-901", pair, None)


def _renamed_in_place(rng: random.Random, most: int) -> Case:
    base, index = graph(rng, most=most), 0
    index, world = rng.randrange(len(base.blocks)), operations.world(rng)
    base, operation = _workable(rng, base, index, world)
    old = base.blocks[index].id
    ours, theirs = _with_id(base, index, "T-901"), apply(base, index, operation, world)
    words = f"{operation.__name__} {old}, renamed to T-901"
    return _moved_case(words, _pair(base, [ours], [theirs]), None)


def _reordered(rng: random.Random, most: int) -> Case:
    base = graph(rng, fewest=2, most=most)
    index, world = rng.randrange(len(base.blocks)), operations.world(rng)
    base, operation = _workable(rng, base, index, world)
    blocks = list(base.blocks)
    block = blocks.pop(index)
    place = rng.choice([n for n in range(len(base.blocks)) if n != index])
    blocks.insert(place, block)
    ours = dataclasses.replace(base, blocks=tuple(blocks))
    theirs = apply(base, index, operation, world)
    done = {task["id"]: task for task in read(theirs.data).tasks}
    words = f"{operation.__name__} {block.id}, moved from place {index} to {place}"
    return _moved_case(words, _pair(base, [ours], [theirs]), done)


def _moved_case(words: str, pair: Pair, right: Mapping[str, object] | None) -> Case:
    """`right` is what the tasks should be by id, if there is a right outcome at all."""
    before = _faults(pair.base)

    def judge(outcome: Outcome) -> str:
        if outcome.files is None:
            return CONFLICT
        if _caught(outcome.files, before):
            return CAUGHT
        if right is not None and {t["id"]: t for t in read(outcome.files[PATH]).tasks} == right:
            return CLEAN
        text = "".join(data.decode() for data in outcome.files.values())
        raise Broken("moved", f"{words}: unnoticed", after=text)

    return Case(law="moved", words=words, pair=pair, judge=judge)


# -- added -----------------------------------------------------------------------------


def addition(rng: random.Random, most: int = 8) -> Case:
    """Tasks added on both sides: what git does not merge, `resolve` does, without a question."""
    base, ours, theirs = adding.triple(rng, most)

    def judge(outcome: Outcome) -> str:
        if outcome.files is None:
            adding.judge(base, ours, theirs, adding.joined(base, ours, theirs))
            return CONFLICT
        adding.judge(base, ours, theirs, outcome.files[PATH], ordered=False)
        return CLEAN

    pair = Pair(base={PATH: base}, ours=({PATH: ours},), theirs=({PATH: theirs},))
    return Case(law="added", words="tasks added on both sides", pair=pair, judge=judge)


MAKERS: dict[str, Callable[..., Case]] = {
    "L1": exclusion,
    "L2": independence,
    "L3": fencing,
    "moved": moved,
    "added": addition,
}
_SCHEDULE = ("L1", "L2", "L3", "L1", "L2", "L3", "L1", "L2", "added", "moved")
