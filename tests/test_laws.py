"""The laws of SPEC section 2, over generated graphs and on every way in which git merges."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import slow
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import cases, generate, merging, operations
from laws.block import LIFECYCLE
from laws.operations import Broken

from ralphgit.model.task import Cancelled, Claim, Lifecycle, Reset, Result, Task
from ralphgit.model.task_status import Outcome
from ralphgit.records import graph_file, splice_task, task_mapping
from ralphgit.rules import lifecycle

# -- layouts that once were refused, or lost something -----------------------------------


def claimed(task: Task) -> Lifecycle:
    made = Claim(id="k1", by="alpha", at="t", base="b", contract="c")
    return lifecycle.claimed(task.id, task.lifecycle, made)


def completed(task: Task) -> Lifecycle:
    assert task.claim is not None
    made = Result(id="r1", claim=task.claim.id, outcome=Outcome.DONE, at="t")
    return lifecycle.completed(task.id, task.lifecycle, made)


def released(task: Task) -> Lifecycle:
    made = Reset(id="s1", claim="k1", by="alpha", at="t", reason="gone")
    return lifecycle.released(task.id, task.lifecycle, made)


def reopened(task: Task) -> Lifecycle:
    made = Reset(id="s1", claim="k1", by="alpha", at="t", reason="gone")
    return lifecycle.released(task.id, task.lifecycle, made, reopen=True)


def cancelled(task: Task) -> Lifecycle:
    made = Cancelled(id="c1", by="alpha", at="t", reason="one\ntwo\n")
    return lifecycle.cancelled(task.id, task.lifecycle, made)


CLAIM = """
    claim:
      id: k1
      by: alpha
      at: t
      base: b
      contract: c"""
RESULT = """
    result:
      id: r1
      claim: k1
      outcome: done
      at: t"""
RESET = """
    reset:
      id: s1
      claim: k1
      by: alpha
      at: t
      reason: gone
    epoch: 1"""


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        pytest.param(
            """
  - id: 1e3
    title: an id that reads as a number
    status: pending
""",
            claimed,
            f"""
  - id: 1e3
    title: an id that reads as a number
    status: in-progress{CLAIM}
""",
            id="number-as-id",
        ),
        pytest.param(
            """
  - "id": T-1
    title: x
    status: pending
""",
            claimed,
            f"""
  - "id": T-1
    title: x
    status: in-progress{CLAIM}
""",
            id="quoted-first-key",
        ),
        pytest.param(
            """
  -
    "id": T-1
    title: x
    status: pending
""",
            claimed,
            f"""
  -
    "id": T-1
    title: x
    status: in-progress{CLAIM}
""",
            id="quoted-first-key-below-the-dash",
        ),
        pytest.param(
            """
  - id: T-1
    title: x
    status: in-progress
    epoch: 0
    a:b: 1
    claim: {id: k1, by: alpha, at: t, base: b, contract: c}
    -x: 2
    'it''s': 3
""",
            completed,
            f"""
  - id: T-1
    title: x
    status: complete{CLAIM}{RESULT}
    a:b: 1
    -x: 2
    'it''s': 3
""",
            id="keys-with-signs",
        ),
        pytest.param(
            """
  - id: T-1
    title: x
    status: in-progress
    claim: {id: k1, by: alpha, at: t, base: b, contract: c, session: {host: h}}
""",
            completed,
            f"""
  - id: T-1
    title: x
    status: complete{CLAIM}
      session:
        host: h{RESULT}
""",
            id="unknown-field-of-a-claim",
        ),
        pytest.param(
            """
  - {id: T-1, title: x, status: in-progress, claim: {id: k1, by: alpha, at: t, "a: b": 1}}
""",
            completed,
            """
  - {id: T-1, title: x, status: complete, claim: {id: k1, by: alpha, at: t, "a: b": 1}, """
            """result: {id: r1, claim: k1, outcome: done, at: t}}
""",
            id="unknown-field-of-a-claim-on-one-line",
        ),
        pytest.param(
            """
  - id: T-1
    title: x
    status: in-progress
    claim: {id: k1, by: alpha}
      # a deep comment
# a shallow one

        # and one about the next task
  - id: T-2
    title: y
    status: pending
""",
            released,
            f"""
  - id: T-1
    title: x
    status: pending{RESET}
      # a deep comment
# a shallow one

        # and one about the next task
  - id: T-2
    title: y
    status: pending
""",
            id="comments-behind-a-record",
        ),
        pytest.param(
            """
  - id: T-1
    title: x
    status: in-progress
    claim:
      id: k1
      by: alpha
      note: |
        by: |

        # note's, too

          # and this
      # a comment
""",
            released,
            f"""
  - id: T-1
    title: x
    status: pending{RESET}
      # a comment
""",
            id="hash-in-a-block-scalar",
        ),
        pytest.param(
            """
  - epoch: 0
    # a comment
    id: T-1
    title: x
    status: pending
""",
            claimed,
            f"""
  -
    # a comment
    id: T-1
    title: x
    status: in-progress{CLAIM}
""",
            id="comment-behind-a-record-at-the-dash",
        ),
        pytest.param(
            """
  - id: T-1
    title: x
    status: pending
        # a deep comment

""",
            cancelled,
            """
  - id: T-1
    title: x
    status: cancelled
    cancelled:
      id: c1
      by: alpha
      reason: |
        one
        two
      at: t
        # a deep comment

""",
            id="text-above-a-deep-comment",
        ),
        pytest.param(
            """
  - id: T-1
    title: x
    status: pending
    epoch: 0""",
            claimed,
            f"""
  - id: T-1
    title: x
    status: in-progress{CLAIM}""",
            id="no-final-newline",
        ),
        pytest.param(
            """
  - id: T-1
    title: x
    status: pending
    note: |
      a newline ends this text
    epoch: 0""",
            claimed,
            f"""
  - id: T-1
    title: x
    status: in-progress{CLAIM}
    note: |
      a newline ends this text
""",
            id="no-final-newline-below-a-text",
        ),
        pytest.param(
            """
-
      epoch: 0
      id: T-1
      title: x
      status: cancelled
""",
            reopened,
            """
-
      id: T-1
      title: x
      status: pending
      reset:
        id: s1
        claim: k1
        by: alpha
        at: t
        reason: gone
      epoch: 1
""",
            id="record-far-below-the-dash",
        ),
        pytest.param(
            """
  - id: T-1
    note: "one
  - id: T-2"
    title: x
    status: pending
""",
            claimed,
            f"""
  - id: T-1
    note: "one
  - id: T-2"
    title: x
    status: in-progress{CLAIM}
""",
            id="text-that-looks-like-a-task",
        ),
    ],
)
@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_layout(before: str, change: Callable[[Task], Lifecycle], after: str, eol: str) -> None:
    head = "version: 1\ntasks:"
    text = (head + before).replace("\n", eol)
    file = graph_file.parse(text.encode(), path="task-graph.yaml")
    made = splice_task.set_lifecycle(file, 0, change(task_mapping.task(file.tasks[0])))
    assert made == (head + after).replace("\n", eol)


def test_byte_order_mark() -> None:
    head = "\ufeffversion: 1\ntasks:\n"
    text = head + '  - id: T-1\n    title: "x\n  - id: T-2"\n    status: pending\n'
    file = graph_file.parse(text.encode(), path="task-graph.yaml")
    made = splice_task.set_lifecycle(file, 0, claimed(task_mapping.task(file.tasks[0])))
    assert made == text.replace("pending\n", f"in-progress{CLAIM}\n")


# -- the laws ----------------------------------------------------------------------------

SEED = 20261121
BATCH = 32
RANDOMS = st.randoms(use_true_random=False, note_method_calls=False)


def prop(examples: int) -> settings:
    return settings(slow.examples(examples), derandomize=True, database=None)


@pytest.fixture(scope="module")
def arena() -> Iterator[merging.Arena]:
    with merging.Arena() as arena:
        yield arena


def verdicts(arena: merging.Arena, law: str, first: int) -> Counter[tuple[str, str]]:
    """Build and judge `BATCH` pairs: in memory both ways, in the worktree by turns."""
    made = [CASES[law](random.Random(f"{SEED}:{law}:{n}")) for n in range(first, first + BATCH)]
    ways = tuple(merging.IN_WORKTREE)
    counted: Counter[tuple[str, str]] = Counter()
    pairs = [case.pair for case in made]
    for number, way, outcome in merging.outcomes(
        arena, pairs, worktree_ways=lambda number: (ways[number % len(ways)],)
    ):
        try:
            counted[way, made[number].judge(outcome)] += 1
        except Broken as broken:
            pytest.fail(f"seed {SEED}:{law}:{first + number}, {way}: {broken}\n{broken.after}")
    return counted


CASES = cases.MAKERS
EACH = dict.fromkeys(merging.IN_MEMORY, BATCH) | dict.fromkeys(merging.IN_WORKTREE, BATCH // 4)


@pytest.mark.parametrize("first", slow.but(1, range(0, 6 * BATCH, BATCH)))
def test_l1_two_changes_of_one_task_conflict(arena: merging.Arena, first: int) -> None:
    assert verdicts(arena, "L1", first) == {(way, "conflict"): n for way, n in EACH.items()}


@pytest.mark.parametrize("first", slow.but(1, range(0, 6 * BATCH, BATCH)))
def test_l2_changes_of_two_tasks_merge_to_both(arena: merging.Arena, first: int) -> None:
    assert verdicts(arena, "L2", first) == {(way, "clean"): n for way, n in EACH.items()}


@pytest.mark.parametrize("first", slow.but(1, range(0, 4 * BATCH, BATCH)))
def test_l3_a_late_change_after_a_reset_has_no_effect(arena: merging.Arena, first: int) -> None:
    counted = verdicts(arena, "L3", first)
    assert {verdict for _, verdict in counted} <= {"conflict", "caught"}
    assert sum(counted.values()) == sum(EACH.values())


@pytest.mark.parametrize("first", slow.but(1, [0, BATCH]))
def test_a_change_that_a_move_misplaces_is_caught(arena: merging.Arena, first: int) -> None:
    counted = verdicts(arena, "moved", first)
    assert counted["merge-tree", "caught"] > 0  # rename detection does carry claims elsewhere
    assert sum(counted.values()) == sum(EACH.values())


@pytest.mark.slow
@prop(60)
@given(RANDOMS)
def test_exclusion_shrinks(arena: merging.Arena, rng: random.Random) -> None:
    """L1 once more on small graphs, where a failure is shown as small as it gets."""
    case = cases.exclusion(rng, most=3)
    (pair,) = arena.load([case.pair])
    assert case.judge(arena.libgit2(pair)) == "conflict"


@pytest.mark.slow
@prop(60)
@given(RANDOMS)
def test_independence_shrinks(arena: merging.Arena, rng: random.Random) -> None:
    case = cases.independence(rng, most=3)
    (pair,) = arena.load([case.pair])
    assert case.judge(arena.libgit2(pair)) == "clean"


@pytest.mark.slow
@prop(60)
@given(RANDOMS)
def test_fencing_shrinks(arena: merging.Arena, rng: random.Random) -> None:
    case = cases.fencing(rng, most=3)
    (pair,) = arena.load([case.pair])
    assert case.judge(arena.libgit2(pair)) in ("conflict", "caught")


@pytest.mark.parametrize("number", range(5))
def test_l4_l5_an_operation_writes_its_records_and_nothing_else(number: int) -> None:
    for which in range(number * 30, number * 30 + 30):
        rng = random.Random(f"{SEED}:L4:{which}")
        try:
            writes_nothing_else(generate.graph(rng, most=5), rng)
        except Broken as broken:
            pytest.fail(f"seed {SEED}:L4:{which}: {broken}\n{broken.after}")


@pytest.mark.slow
@prop(150)
@given(generate.graphs(), RANDOMS)
def test_an_operation_shrinks(written: generate.Written, rng: random.Random) -> None:
    writes_nothing_else(written, rng)


def writes_nothing_else(written: generate.Written, rng: random.Random) -> None:
    """L4 and L5, of three operations one after the other."""
    assert LIFECYCLE == task_mapping.LIFECYCLE_KEYS
    world = operations.world(rng)
    for _ in range(3):
        index = rng.randrange(len(written.blocks))
        operation = operations.legal(rng, written, index)
        written = operations.apply(written, index, operation, world)


def test_an_odd_layout_is_edited_right_or_refused() -> None:
    """Legal YAML that nobody writes: text that looks like tasks and keys, `? key`, `|+`."""
    counted: Counter[str] = Counter()
    for number in range(150):
        rng = random.Random(f"{SEED}:odd:{number}")
        written = generate.graph(rng, most=4, odd=True)
        index = rng.randrange(len(written.blocks))
        try:
            operation = operations.legal(rng, written, index)
            operations.apply(written, index, operation, operations.world(rng))
            counted["edited"] += 1
        except operations.LayoutRefused:
            counted["refused"] += 1
    assert counted["edited"] > 5 * counted["refused"] > 0


def test_without_fresh_ids_two_claims_merge_cleanly(
    arena: merging.Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the ids are for; and that the law would show it."""
    monkeypatch.setattr(operations, "fresh_id", lambda ids: "k000000000")
    with pytest.raises(pytest.fail.Exception, match=r"L1: .* merge cleanly"):
        verdicts(arena, "L1", 0)


def test_without_epochs_a_late_change_takes_effect(
    arena: merging.Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = lifecycle.released

    def restored(task: str, old: Lifecycle, reset: Reset, *, reopen: bool = False) -> Lifecycle:
        new = released(task, old, reset, reopen=reopen)
        return new._replace(reset=None, epoch=old.epoch)

    monkeypatch.setattr(lifecycle, "released", restored)
    with pytest.raises(pytest.fail.Exception, match=r"L3: .* takes effect"):
        verdicts(arena, "L3", 0)
