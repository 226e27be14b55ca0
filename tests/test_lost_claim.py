"""Who has taken a task from under a claim: `rules.lost_claim`, row by row."""

from __future__ import annotations

import pytest
from rows import row

from ralphgit.app.lifecycle import claim_errors
from ralphgit.model.active_claim import Lease
from ralphgit.model.task_row import Row
from ralphgit.rules.lost_claim import Cause, Winner, winner_over


def lease(claim: str, *, epoch: int = 0) -> Lease:
    return Lease(
        task="T-1", claim=claim, by=f"by-{claim}", at="now", base="", contract="", epoch=epoch,
        start="", branch="", worktree=f"/w/{claim}", host="",
    )  # fmt: skip


MINE, OTHER = lease("mine"), lease("other")
THEIRS = {"claim": "other", "by": "by-other", "at": "now"}
RESET = Winner("T-1", Cause.RESET, "main", epoch=1)
CANCELLED = Winner("T-1", Cause.CANCELLED, "main")
LEASED = Winner("T-1", Cause.LEASED, "/w/other", "other", "by-other", "", "now")


def claimed(status: str) -> Winner:
    return Winner("T-1", Cause.CLAIMED, "main", "other", "by-other", status, "now")


@pytest.mark.parametrize(
    ("on_base", "holder", "winner"),
    [
        # What the base says comes before what a lease says.
        (None, None, None),
        (None, MINE, None),
        (None, OTHER, LEASED),
        (row("T-1"), None, None),
        (row("T-1"), OTHER, LEASED),
        (row("T-1", epoch=1), None, RESET),
        (row("T-1", epoch=1), MINE, RESET),
        (row("T-1", "cancelled"), None, CANCELLED),
        (row("T-1", "cancelled", epoch=1), None, RESET),
        (row("T-1", "in-progress", claim="mine"), None, None),
        (row("T-1", "complete", claim="mine"), None, None),
        (row("T-1", "in-progress", **THEIRS), None, claimed("in-progress")),
        (row("T-1", "complete", **THEIRS), MINE, claimed("complete")),
        # A blocked task may be taken up again by anybody, but by one alone.
        (row("T-1", "blocked", **THEIRS), MINE, None),
        (row("T-1", "blocked", **THEIRS), OTHER, None),
        (row("T-1", "blocked", claim="before"), OTHER, LEASED),
        # A lease that the base has moved past guards nothing.
        (row("T-1", "complete", claim="mine"), OTHER, None),
        (row("T-1", "in-progress", claim="mine"), OTHER, None),
    ],
)
def test_who_has_won(on_base: Row | None, holder: Lease | None, winner: Winner | None) -> None:
    assert winner_over(MINE, on_base, holder, base="main") == winner


@pytest.mark.parametrize(
    ("winner", "sentence"),
    [
        (RESET, "T-1 was reset on main (epoch 1) after the claim was made"),
        (CANCELLED, "T-1 was cancelled on main"),
        (claimed("complete"), "by-other won T-1 on main (claim other, complete, since now)"),
        (LEASED, "by-other has the lease on T-1 (claim other, worktree /w/other)"),
        (None, "its claim is no longer valid"),
    ],
)
def test_how_it_is_said(winner: Winner | None, sentence: str) -> None:
    assert claim_errors.lost_because(winner) == sentence
