"""Whether a task may be claimed: `rules.claim_verdict`, fact by fact."""

from __future__ import annotations

from typing import Any

import pytest
from rows import row

from ralphgit.app.lifecycle import claim_errors
from ralphgit.model.active_claim import ActiveClaim, Lease
from ralphgit.rules.active_scopes import ActiveScopes
from ralphgit.rules.claim_options import ClaimOptions
from ralphgit.rules.claim_verdict import (
    Allowed,
    OwnClaim,
    Reason,
    Refusal,
    TaskFacts,
    WorktreeFacts,
    already_working,
    of_others,
    of_own,
    of_task,
    of_worktree,
)
from ralphgit.rules.lost_claim import Cause, Winner
from ralphgit.rules.readiness import TaskState

# -- the worktree --------------------------------------------------------------------------

FIT = WorktreeFacts("/w", "", is_detached=False, unmerged=(), has_unmerged_records=False)


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({}, None),
        ({"path": "/\udcff"}, Refusal(Reason.ODD_PATH, about="/\udcff")),
        ({"linked_folder": "records", "under_way": "merge"},
         Refusal(Reason.LINKED_FOLDER, about="records")),
        ({"under_way": "merge"}, Refusal(Reason.UNDER_WAY, about="merge")),
        ({"under_way": "bisect", "is_detached": True}, Refusal(Reason.BISECT)),
        ({"unmerged": ("a", "b")}, Refusal(Reason.UNMERGED, about="a, b")),
        (
            {"unmerged": ("a",), "has_unmerged_records": True},
            Refusal(Reason.RECORDS_UNMERGED, about="a"),
        ),
        ({"is_detached": True}, Refusal(Reason.DETACHED_HEAD, about="/w")),
        # A rebase detaches HEAD and leaves conflicts: it is what has to be ended.
        (
            {"under_way": "rebase", "is_detached": True, "unmerged": ("a",),
             "has_unmerged_records": True},
            Refusal(Reason.RECORDS_UNDER_WAY, about="rebase"),
        ),
        ({"under_way": "merge", "unmerged": ("a",)},
         Refusal(Reason.CONFLICTS_UNDER_WAY, about="merge")),
        ({"is_detached": True, "unmerged": ("a",)}, Refusal(Reason.DETACHED_HEAD, about="/w")),
    ],
)  # fmt: skip
def test_the_worktree(facts: dict[str, Any], verdict: object) -> None:
    assert of_worktree(FIT._replace(**facts)) == verdict


# -- the claims ----------------------------------------------------------------------------


def own(task: str, *, winner: Winner | None = None, recorded: bool = True) -> OwnClaim:
    lease = Lease(task, f"of-{task}", "alpha", "now", "", "", 0, "", "", "/w", "")
    there = row(task, epoch=1) if winner else row(task)
    return OwnClaim(lease, there, winner, recorded)


WINNER = Winner("T-1", Cause.RESET, "main", epoch=1)
MINE, GONE = own("T-1"), own("T-1", winner=WINNER)
LOST = Refusal(Reason.LOST, "T-1", "of-T-1", winner=WINNER)


@pytest.mark.parametrize(
    ("claims", "task", "verdict"),
    [
        ((), "", None),
        ((MINE,), "", MINE.lease),
        ((MINE,), "T-1", MINE.lease),
        ((MINE,), "T-2", already_working(MINE.lease)),
        ((GONE,), "", LOST),
        ((GONE,), "T-2", LOST),
        # Nothing of it would travel along.
        ((own("T-1", winner=WINNER, recorded=False),), "", None),
        ((GONE, own("T-2")), "", own("T-2").lease),
    ],
)
def test_the_claims_of_this_worktree(
    claims: tuple[OwnClaim, ...], task: str, verdict: object
) -> None:
    assert of_own(claims, ClaimOptions(task)) == verdict


def active(status: str = "in-progress", *, path: str = "/b", epoch: int = 0) -> ActiveClaim:
    return ActiveClaim("T-1", status, "other", "beta", "now", epoch, "worktree", "beta", path)


@pytest.mark.parametrize(
    ("changes", "claims", "force", "refused"),
    [
        ({}, [active()], "", True),
        ({}, [active()], "because", False),
        ({"elsewhere": frozenset()}, [active()], "", False),
        ({}, [active(path="/elsewhere")], "", False),
        # It has ended, as its branch tells.
        ({}, [active(), active("complete", path="")], "", False),
        ({"base": {"T-1": row("T-1", epoch=1)}}, [active()], "", False),
        ({"base": {"T-1": row("T-1", "complete")}}, [active()], "", False),
        ({"base": {"T-1": row("T-1", epoch=1)}}, [active(epoch=1)], "", True),
    ],
)
def test_the_main_worktree(
    changes: dict[str, Any], claims: list[ActiveClaim], force: str, refused: bool
) -> None:
    base, elsewhere = changes.get("base", {}), changes.get("elsewhere", frozenset({"/b"}))
    verdict = of_others(base, {"T-1": claims}, elsewhere, ClaimOptions(force=force))
    refusal = Refusal(Reason.MAIN_WORKTREE, "T-1", holder=claims[0])
    assert verdict == (refusal if refused else None)


# -- the task ------------------------------------------------------------------------------

READY = TaskState("ready")
HOLDER = active()


def facts(one: object = None, state: TaskState | None = READY, **changes: Any) -> TaskFacts:
    """Facts on T-1, which is free, with `changes`."""
    task: Any = one or row("T-1")
    rows = {"T-1": task, "T-2": row("T-2")}
    scopes = ActiveScopes.of([])
    return TaskFacts(task, state, None, False, rows, "main", rows, scopes, (), True)._replace(
        **changes
    )


BOTH = row("T-1", depends_on=("T-2", "T-3"))
WRITES = row("T-1", write=("src/**",))
NEEDS = row("T-1", needs=("gpu",))
FLYING = ActiveScopes.of([row("T-9", write=("src/a",))])
HELD = TaskState("in-progress", HOLDER)
WAITS = TaskState("waiting", None, ("T-2",))
FREE = Allowed("T-1", "main", is_on_base=True)
FORCED = FREE._replace(is_forced=True)


@pytest.mark.parametrize(
    ("told", "options", "verdict"),
    [
        (facts(), {}, FREE),
        (facts(state=None, base={}), {}, FREE._replace(is_on_base=False)),
        (facts(), {"story": "S"}, Refusal(Reason.OTHER_STORY, "T-1", "S")),
        (facts(), {"priority": frozenset({0, 1})}, Refusal(Reason.OTHER_PRIORITY, "T-1", "2")),
        (facts(state=TaskState("complete")), {}, Refusal(Reason.FINISHED, "T-1", "complete")),
        (
            facts(state=TaskState("cancelled")),
            {"force": "f"},
            Refusal(Reason.FINISHED, "T-1", "cancelled"),
        ),
        (facts(state=TaskState("blocked")), {}, Refusal(Reason.BLOCKED, "T-1")),
        (facts(state=TaskState("blocked")), {"force": "f"}, FORCED),
        (facts(state=HELD), {}, Refusal(Reason.HELD, "T-1", "in-progress", holder=HOLDER)),
        (facts(state=HELD), {"force": "f"}, FORCED._replace(despite=HOLDER)),
        (facts(state=HELD, has_leases=False), {}, FREE._replace(despite=HOLDER)),
        # What the base has is decided already.
        (
            facts(state=TaskState("in-progress", HOLDER._replace(kind="base")), has_leases=False),
            {},
            Refusal(
                Reason.HELD, "T-1", "in-progress", holder=HOLDER._replace(kind="base")
            ),
        ),
        (
            facts(state=TaskState("in-progress")),
            {"force": "f"},
            Refusal(Reason.HELD, "T-1", "in-progress"),
        ),
        (facts(BOTH), {}, Refusal(
            Reason.DEPENDENCIES, "T-1", "T-2, T-3 (unknown)", ("T-2", "T-3"))),
        (facts(BOTH), {"force": "f"}, FORCED),
        (
            facts(BOTH, here={"T-1": BOTH, "T-2": row("T-2", "complete")}),
            {"stack": True},
            Refusal(Reason.DEPENDENCIES, "T-1", "T-3 (unknown)", ("T-3",)),
        ),
        (facts(state=WAITS), {}, Refusal(Reason.MODE, "T-1", "parallel", ("T-2",))),
        (
            facts(state=WAITS),
            {"stack": True},
            FREE,
        ),
        (facts(WRITES, active_scopes=FLYING), {"force": "f"}, FORCED),
        (facts(NEEDS, provides=("cpu", "gpu")), {}, FREE),
        (facts(NEEDS), {"force": "f"}, FORCED),
        (facts(here={}), {}, Refusal(Reason.NOT_HERE, "T-1", "main")),
        (facts(is_behind=True), {"force": "f"}, Refusal(Reason.BEHIND, "T-1", "main")),
    ],
)  # fmt: skip
def test_the_task(told: TaskFacts, options: dict[str, Any], verdict: object) -> None:
    assert of_task(told, ClaimOptions(**options)) == verdict


def test_a_scope_that_means_nothing_is_not_forced() -> None:
    verdict = of_task(facts(row("T-1", write=("a[",))), ClaimOptions(force="f"))
    assert isinstance(verdict, Refusal)
    assert (verdict.reason, verdict.place) == (Reason.BAD_PATTERN, "task-graph.yaml:1")
    assert verdict.about.startswith("T-1 has a bad pattern in its scope: 'a[': '[' is not closed")


def test_a_scope_that_overlaps() -> None:
    verdict = of_task(facts(WRITES, active_scopes=FLYING), ClaimOptions())
    where = "T-1 writes src/**, and T-9, which is in flight, writes src/a: both cover src/a"
    assert verdict == Refusal(Reason.OVERLAP, "T-1", where, ("T-9",))


def test_every_refusal_has_words() -> None:
    for reason in Reason:
        error = claim_errors.of(Refusal(reason, "T-1", "about", ("T-2",), HOLDER, WINNER))
        assert error.message and error.hint and "{" not in error.message + error.hint, reason


def test_what_is_not_provided_is_named_whole() -> None:
    wants = row("T-1", needs=("gpu", "browser"))
    verdict = of_task(facts(wants, provides=("gpu",)), ClaimOptions())
    assert verdict == Refusal(Reason.UNPROVIDED, "T-1", "gpu,browser")
