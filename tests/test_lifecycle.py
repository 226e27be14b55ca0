"""Every move of SPEC 3.1 from every status: what it leaves behind, or how it is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ralphgit.errors import IllegalMove
from ralphgit.model.task import Blocked, Cancelled, Claim, Lifecycle, Reset, Result
from ralphgit.model.task_status import Outcome, Reason, Status
from ralphgit.rules import lifecycle

FIRST = Claim(id="g1", by="alpha", at="t1", base="b1", contract="c1")
SECOND = Claim(id="g2", by="beta", at="t2", base="b2", contract="c2")
RESULT = Result(id="r1", claim="g1", outcome=Outcome.DONE, at="t1")
BLOCKED = Blocked(
    id="k1", claim="c1", reason=Reason.SCOPE, question="which?", options=("a", "b"), at="t1"
)
RESET = Reset(id="s1", claim="g1", by="ann", at="t1", reason="gone")
CANCELLED = Cancelled(id="x1", by="ann", at="t1", reason="not needed")

#: A task in each status, with all that can stand there.
STANDING = {
    "pending": Lifecycle(status=Status.PENDING, reset=RESET, epoch=3),
    "in-progress": Lifecycle(status=Status.IN_PROGRESS, claim=FIRST, epoch=3),
    "blocked": Lifecycle(status=Status.BLOCKED, claim=FIRST, blocked=BLOCKED, epoch=3),
    "complete": Lifecycle(status=Status.COMPLETE, claim=FIRST, result=RESULT, epoch=3),
    "cancelled": Lifecycle(status=Status.CANCELLED, claim=FIRST, cancelled=CANCELLED, epoch=3),
}

NEW_RESULT = RESULT._replace(id="r2", at="t2")
NEW_BLOCKED = BLOCKED._replace(id="k2", at="t2")
NEW_RESET = RESET._replace(id="s2", at="t2")
NEW_CANCELLED = CANCELLED._replace(id="x2", at="t2")

MOVES: dict[str, Callable[[Lifecycle], Lifecycle]] = {
    "claim": lambda old: lifecycle.claimed("T-1", old, SECOND),
    "complete": lambda old: lifecycle.completed("T-1", old, NEW_RESULT),
    "block": lambda old: lifecycle.blocked("T-1", old, NEW_BLOCKED),
    "release": lambda old: lifecycle.released("T-1", old, NEW_RESET),
    "reopen": lambda old: lifecycle.released("T-1", old, NEW_RESET, reopen=True),
    "cancel": lambda old: lifecycle.cancelled("T-1", old, NEW_CANCELLED),
}

#: The policy. A row for each status, a column for each move; "-" is refused. That a pending
#: task may be reset is for a claim that the base has yet to hear of.
POLICY = """
    from         claim        complete  block    release  reopen   cancel
    pending      in-progress  -         -        pending  -        cancelled
    in-progress  -            complete  blocked  pending  -        cancelled
    blocked      in-progress  -         -        pending  -        cancelled
    complete     -            -         -        -        pending  -
    cancelled    -            -         -        -        pending  -
"""
_HEAD, *_ROWS = [line.split() for line in POLICY.strip().splitlines()]
PAIRS = [(row[0], move, to) for row in _ROWS for move, to in zip(_HEAD[1:], row[1:], strict=True)]
LEGAL = [pair for pair in PAIRS if pair[2] != "-"]
REFUSED = [pair[:2] for pair in PAIRS if pair[2] == "-"]

#: The records that each move leaves, besides status and epoch. "old" is what was there.
LEAVES: dict[str, dict[str, object]] = {
    "claim": {"claim": SECOND},
    "complete": {"claim": "old", "result": NEW_RESULT},
    "block": {"claim": "old", "blocked": NEW_BLOCKED},
    "release": {"reset": NEW_RESET},
    "reopen": {"reset": NEW_RESET},
    "cancel": {"claim": "old", "cancelled": NEW_CANCELLED},
}


def test_the_policy_names_every_status_and_every_move() -> None:
    assert [row[0] for row in _ROWS] == [status.value for status in Status] == list(STANDING)
    assert _HEAD[1:] == list(MOVES) == list(LEAVES)
    assert len(PAIRS) == 30


def test_the_policy_is_the_list_of_legal_moves() -> None:
    told = {(Status(old), Status(new)) for old, _, new in LEGAL}
    assert told - {(Status.PENDING, Status.PENDING)} == lifecycle.LEGAL


@pytest.mark.parametrize(("old", "move", "to"), LEGAL)
def test_a_legal_move_leaves_just_its_records(old: str, move: str, to: str) -> None:
    before = STANDING[old]
    records = {
        name: getattr(before, name) if value == "old" else value
        for name, value in LEAVES[move].items()
    }
    raised = move in ("release", "reopen")
    assert MOVES[move](before) == Lifecycle(
        status=Status(to),
        epoch=before.epoch + raised,
        **records,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(("old", "move"), REFUSED)
def test_any_other_move_is_refused(old: str, move: str) -> None:
    with pytest.raises(IllegalMove) as refused:
        MOVES[move](STANDING[old])
    error = refused.value
    assert (error.code, error.exit_code) == ("illegal_move", 8)
    assert error.message.startswith(f"T-1 is {old}")
    assert error.details["task"] == "T-1"
    assert error.details["from"] == old
    assert error.data is None


@pytest.mark.parametrize(
    ("old", "move", "message", "hint"),
    [
        ("complete", "claim", "T-1 is complete, so there is nothing to claim",
         "ralphgit reset T-1 --reopen --reason TEXT"),
        ("pending", "complete", "T-1 is pending, so there is nothing to complete",
         "ralphgit claim T-1"),
        ("blocked", "block", "T-1 is blocked, so there is nothing to block", ""),
        ("complete", "release", "T-1 is complete", "ralphgit reset T-1 --reopen --reason TEXT"),
        ("pending", "reopen", "T-1 is pending, so there is nothing to reopen",
         "ralphgit reset T-1 --reason TEXT"),
        ("cancelled", "cancel", "T-1 is cancelled, so there is nothing to cancel",
         "ralphgit reset T-1 --reopen --reason TEXT"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(old: str, move: str, message: str, hint: str) -> None:
    with pytest.raises(IllegalMove) as refused:
        MOVES[move](STANDING[old])
    assert (refused.value.message, refused.value.hint) == (message, hint)


@pytest.mark.parametrize(("old", "move", "to"), LEGAL)
def test_every_change_writes_a_fresh_id(old: str, move: str, to: str) -> None:
    """Law L1 rests on it: two changes of one task are never the same bytes."""
    before, after = STANDING[old], MOVES[move](STANDING[old])

    def ids(life: Lifecycle) -> set[str]:
        return {str(record.id) for record in life if record is not None and hasattr(record, "id")}

    assert len(ids(after) - ids(before)) == 1
