"""Whether a task may be claimed: `rules.claim_verdict`, fact by fact."""

from __future__ import annotations

from typing import Any

import pytest
from rows import row

from ralphgit.model.active_claim import ActiveClaim, Lease
from ralphgit.rules.active_scopes import ActiveScopes, BadPattern, Overlap
from ralphgit.rules.claim_options import ClaimOptions, OutsideFilter
from ralphgit.rules.claim_verdict import (
    Allowed,
    AlreadyWorking,
    Behind,
    Blocked,
    DependenciesIncomplete,
    DetachedHead,
    Finished,
    GraphFacts,
    Held,
    Lost,
    MainWorktree,
    NotBeside,
    OddPath,
    OtherClaims,
    OwnClaim,
    Resume,
    TaskFacts,
    UnderWay,
    Unmerged,
    WorktreeFacts,
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
        ({"path": "/\udcff"}, OddPath("/\udcff")),
        ({"under_way": "merge"}, UnderWay("merge", False)),
        ({"unmerged": ("a",)}, Unmerged(("a",), False)),
        ({"is_detached": True}, DetachedHead("/w")),
        # A rebase detaches HEAD and leaves conflicts: it is what has to be ended.
        (
            {"under_way": "rebase", "is_detached": True, "unmerged": ("a",),
             "has_unmerged_records": True},
            UnderWay("rebase", True),
        ),
        ({"is_detached": True, "unmerged": ("a",)}, DetachedHead("/w")),
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


@pytest.mark.parametrize(
    ("claims", "task", "verdict"),
    [
        ((), "", None),
        ((MINE,), "", Resume(MINE.lease)),
        ((MINE,), "T-1", Resume(MINE.lease)),
        ((MINE,), "T-2", AlreadyWorking(MINE.lease)),
        ((GONE,), "", Lost(GONE.lease, WINNER)),
        ((GONE,), "T-2", Lost(GONE.lease, WINNER)),
        # Nothing of it would travel along.
        ((own("T-1", winner=WINNER, recorded=False),), "", None),
        ((GONE, own("T-2")), "", Resume(own("T-2").lease)),
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
        ({"is_main": False}, [active()], "", False),
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
    facts = OtherClaims(True, {}, {"T-1": claims}, frozenset({"/b"}))._replace(**changes)
    verdict = of_others(facts, ClaimOptions(force=force))
    assert verdict == (MainWorktree(claims[0]) if refused else None)


# -- the task ------------------------------------------------------------------------------

READY = TaskState("ready")
HOLDER = active()


def facts(one: object = None, state: TaskState | None = READY, **changes: Any) -> TaskFacts:
    """Facts on T-1, which is free; `changes` are those of the graph, and `is_behind`."""
    task: Any = one or row("T-1")
    behind = changes.pop("is_behind", False)
    rows = {"T-1": task, "T-2": row("T-2")}
    graph = GraphFacts(rows, "main", rows, ActiveScopes.of([]), has_leases=True)
    return TaskFacts(task, state, None, behind, graph._replace(**changes))


BOTH = row("T-1", depends_on=("T-2", "T-3"))
WRITES = row("T-1", write=("src/**",))
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
        (facts(), {"story": "S"}, OutsideFilter("T-1", "S")),
        (facts(), {"priority": 1}, OutsideFilter("T-1", priority=2)),
        (facts(state=TaskState("complete")), {}, Finished("T-1", "complete")),
        (facts(state=TaskState("cancelled")), {"force": "f"}, Finished("T-1", "cancelled")),
        (facts(state=TaskState("blocked")), {}, Blocked("T-1")),
        (facts(state=TaskState("blocked")), {"force": "f"}, FORCED),
        (facts(state=HELD), {}, Held("T-1", HOLDER, "in-progress")),
        (facts(state=HELD), {"force": "f"}, FORCED._replace(despite=HOLDER)),
        (facts(state=HELD, has_leases=False), {}, FREE._replace(despite=HOLDER)),
        # What the base has is decided already.
        (
            facts(state=TaskState("in-progress", HOLDER._replace(kind="base")), has_leases=False),
            {},
            Held("T-1", HOLDER._replace(kind="base"), "in-progress"),
        ),
        (facts(state=TaskState("in-progress")), {"force": "f"}, Held("T-1", None, "in-progress")),
        (facts(BOTH), {}, DependenciesIncomplete("T-1", ("T-2", "T-3"), ("T-3",))),
        (facts(BOTH), {"force": "f"}, FORCED),
        (
            facts(BOTH, here={"T-1": BOTH, "T-2": row("T-2", "complete")}),
            {"stack": True},
            DependenciesIncomplete("T-1", ("T-3",), ("T-3",)),
        ),
        (facts(state=WAITS), {}, NotBeside("T-1", "parallel", ("T-2",))),
        (
            facts(state=WAITS),
            {"stack": True},
            FREE,
        ),
        (facts(WRITES, active_scopes=FLYING), {"force": "f"}, FORCED),
        (facts(here={}), {}, Behind("T-1", "main", False)),
        (facts(is_behind=True), {"force": "f"}, Behind("T-1", "main", True)),
    ],
)  # fmt: skip
def test_the_task(told: TaskFacts, options: dict[str, Any], verdict: object) -> None:
    assert of_task(told, ClaimOptions(**options)) == verdict


def test_a_scope_that_means_nothing_is_not_forced() -> None:
    verdict = of_task(facts(row("T-1", write=("a[",))), ClaimOptions(force="f"))
    assert isinstance(verdict, BadPattern)
    assert (verdict.pattern, verdict.place) == ("a[", "task-graph.yaml:1")


def test_a_scope_that_overlaps() -> None:
    verdict = of_task(facts(WRITES, active_scopes=FLYING), ClaimOptions())
    assert isinstance(verdict, Overlap)
    assert (verdict.other, verdict.meetings[0].path) == ("T-9", "src/a")
