"""People who merge and work without the tool: nothing that they do holds a task for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import Place, World

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: One
    status: pending
    verify:
      - test -s src/one.txt
    scope:
      write: [src/**]

  - id: T-2
    title: Two
    status: pending
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit("Begin")
    assert made.ralph("trust", "--yes").code == 0
    return made


# -- a claim that was merged without its completion --------------------------------------------


@pytest.fixture
def alpha(world: World) -> Place:
    """Alpha has claimed T-1, and committed its work without completing it."""
    place = world.worktree("alpha")
    place.claim("T-1")
    place.write("src/one.txt", "one\n")
    place.commit("Work without a completion")
    return place


def attention(place: Place, task: str) -> list[tuple[str, str, str]]:
    found = place.ralph("status", "--json").data["attention"]
    return [(one["code"], one["message"], one["hint"]) for one in found if one["task"] == task]


def test_the_gate_warns_of_a_claim_without_its_completion(world: World, alpha: Place) -> None:
    before = alpha.ralph("check", "--base", "main", "--json").json
    assert before["ok"]
    (found,) = before["data"]["problems"]
    assert (found["code"], found["severity"], found["task"]) == (
        "unfinished_claim", "warning", "T-1",
    )  # fmt: skip
    assert found["message"] == "T-1 would be in progress by alpha with nothing left to complete it"
    assert found["hint"] == "before it is merged: ralphgit complete T-1, or ralphgit release T-1"
    assert world.merge("alpha").code == 0
    again = world.ralph("check", "main~1..main", "--json").data["problems"]
    assert [one["code"] for one in again] == ["unfinished_claim"]


def test_a_merged_claim_that_nobody_works_on_is_attention(world: World, alpha: Place) -> None:
    assert attention(world, "T-1") == []
    assert world.run("git", "merge", "--no-ff", "--no-edit", "--quiet", "alpha").code == 0
    merge = world.head[:12]
    said = "the claim of alpha on T-1 was merged into main without its completion"
    hint = f'ralphgit complete T-1 --by {merge}, or ralphgit reset T-1 --reason "TEXT"'
    assert attention(world, "T-1") == [("unfinished_claim", said, hint)]
    done = world.ralph("doctor", "--json")
    assert done.code == 1
    codes = [one["code"] for one in done.data["findings"]]
    assert codes == ["unfinished_claim"]


def test_a_merged_claim_is_seen_where_its_worktree_and_lease_are_gone(
    world: World, alpha: Place
) -> None:
    assert world.merge("alpha").code == 0
    world.git("worktree", "remove", "--force", str(alpha.path))
    world.git("branch", "--quiet", "-D", "alpha")
    assert [code for code, *_ in attention(world, "T-1")] == ["unfinished_claim"]
    world.git("update-ref", "-d", "refs/ralph/leases/T-1")
    assert [code for code, *_ in attention(world, "T-1")] == ["unfinished_claim"]


def test_whoever_goes_on_after_an_early_merge_is_left_alone(world: World, alpha: Place) -> None:
    assert world.merge("alpha").code == 0
    alpha.write("src/two.txt", "more\n")
    assert attention(world, "T-1") == []
    alpha.commit("More")
    assert attention(world, "T-1") == []
    alpha.complete("T-1")
    assert attention(world, "T-1") == []
