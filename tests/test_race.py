"""Of sixteen that reach for the same task or the same ref, one gets it; the others leave nothing.

`python -m race` does the same for as many rounds as one likes.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from race import RACERS
from race.claims import Arena
from race.packing import Packing
from race.swaps import Swaps
from world import World


@pytest.mark.slow
def test_sixteen_claim_the_same_task(tmp_path: Path) -> None:
    chance = random.Random(20261121)
    arena = Arena(tmp_path)
    with Packing(arena.world.path, arena.world.environ) as packing:
        wrong = [arena.same_task(0), arena.same_task(1)]
        for number in (2, 3):
            delays = [chance.uniform(0, 0.03) for _ in range(RACERS)]
            wrong.append(arena.same_task(number, delays))
    assert wrong == [[]] * 4
    assert arena.winners == {1: 4}
    assert packing.times > 0


@pytest.mark.slow
def test_sixteen_claim_what_is_ready(tmp_path: Path) -> None:
    arena = Arena(tmp_path)
    with Packing(arena.world.path, arena.world.environ):
        one_left, enough = arena.only_task(0), arena.any_task()
    assert (one_left, enough) == ([], [])
    assert arena.winners == {1: 1}


@pytest.mark.slow
def test_sixteen_swap_the_same_ref(tmp_path: Path) -> None:
    with Swaps(tmp_path) as swaps, Packing(swaps.world.path, swaps.world.environ):
        winners = [swaps.round() for _ in range(25)]
    assert winners == [[1, 1, 1]] * 25


def test_the_second_is_told_who_holds_the_task(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks:\n  - id: T-1\n    title: One\n    status: pending\n")
    world.commit()
    alpha, beta = world.worktree("alpha"), world.worktree("beta")

    won = alpha.ralph("claim", "T-1", "--json")
    lost = beta.ralph("claim", "T-1", "--json")

    assert (won.code, won.err) == (0, "")
    claim = won.data["task"]["claim"]
    assert (lost.code, lost.err) == (5, "")
    envelope = lost.json
    error = envelope.pop("error")
    assert envelope == {
        "schema_version": 1, "kind": "claim", "ok": False, "data": None, "warnings": [],
    }  # fmt: skip
    holder = error["holder"]
    assert (error["code"], error["exit"], error["task"]) == ("claim_held", 5, "T-1")
    assert holder["worker"] == claim["by"] == "alpha"
    assert holder["where"] == "worktree ../proj-alpha"
    assert (holder["since"], holder["claim"]) == (claim["at"], claim["id"])
    assert "alpha has T-1" in error["message"]
    assert error["hint"]
    assert beta.git("status", "--porcelain", "--untracked-files=all") == ""
    assert not (beta.path / ".ralph").exists()
    assert world.git("for-each-ref", "--format=%(refname)", "refs/ralph") == (
        "refs/ralph/leases/T-1"
    )
