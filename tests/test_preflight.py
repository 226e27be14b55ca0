"""`preflight`: what a claim would meet and whether the branch merges, asked without doing it."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import Place, World

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
    story: S-1
    priority: 1
    scope:
      write: ["src/**"]
  - id: T-2
    title: Second
    status: pending
    story: S-1
    depends_on: [T-1]
  - id: T-3
    title: Third
    status: pending
    story: S-2
    scope:
      write: ["src/a.txt"]
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit("The graph")
    return made


@pytest.fixture
def alpha(world: World) -> Place:
    return world.worktree("alpha")


@pytest.fixture
def beta(world: World) -> Place:
    return world.worktree("beta")


def answers(place: Place, *words: str) -> tuple[int, str, list[tuple[str, bool]]]:
    """Exit code, the error's code, and each check with its answer."""
    found = place.ralph("preflight", "--json", *words)
    assert found.err == ""
    return found.code, found.error, [(c["check"], c["ok"]) for c in found.data["checks"]]


def test_a_worktree_that_can_claim(alpha: Place) -> None:
    assert alpha.ralph("preflight") == (
        0,
        "ok  this worktree can hold a claim\n"
        "ok  no other worktree is in the way\n"
        "ok  this branch merges into main\n"
        "ok  T-1 can be claimed\n",
        "",
    )


def test_the_task_that_a_claim_would_take(alpha: Place) -> None:
    for words, task in (((), "T-1"), (("--story", "S-2"), "T-3"), (("T-3",), "T-3")):
        assert alpha.ralph("preflight", "--json", *words).data["task"]["id"] == task
    code, error, checks = answers(alpha, "--priority", "0")
    assert (code, error, checks[-1]) == (3, "all_done", ("task", False))


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("T-2",), 8, "dependencies_incomplete"),
        (("T-1", "--story", "S-2"), 8, "outside_filter"),
        (("T-1", "--priority", "0"), 8, "outside_filter"),
        (("T-9",), 2, "unknown_task"),
        (("../x",), 2, "bad_id"),
    ],
)
def test_it_says_what_the_claim_would_say(
    alpha: Place, words: tuple[str, ...], code: int, error: str
) -> None:
    asked = alpha.ralph("preflight", "--json", *words)
    assert (asked.code, asked.error) == (code, error)
    told = asked.json["error"]
    claimed = alpha.ralph("claim", "--json", *words)
    assert claimed.json["error"] == told


def test_a_task_that_somebody_has(alpha: Place, beta: Place) -> None:
    beta.claim("T-1")
    assert answers(alpha, "T-1")[:2] == (5, "claim_held")
    # T-3 would write where T-1 does.
    assert answers(alpha, "T-3")[:2] == (8, "scope_overlap")
    assert answers(alpha)[:2] == (3, "waiting")
    assert answers(alpha)[2][-1] == ("task", False)


def test_the_own_claim_stands(alpha: Place) -> None:
    alpha.claim("T-1")
    wanted = (0, "", [("worktree", True), ("claim", True), ("merge", True)])
    assert answers(alpha) == answers(alpha, "T-1") == wanted
    assert alpha.ralph("preflight").out.splitlines()[1] == (
        "ok  this worktree works on T-1, and its claim is valid"
    )


def test_another_task_beside_the_own_claim_is_refused_as_the_claim_would(alpha: Place) -> None:
    alpha.claim("T-1")
    asked = alpha.ralph("preflight", "T-3", "--json")
    assert (asked.code, asked.error) == (8, "already_working")
    assert alpha.ralph("claim", "T-3", "--json").json["error"] == asked.json["error"]


@pytest.mark.parametrize("completed", [False, True])
def test_who_has_won_is_told_and_no_conflict(world: World, alpha: Place, completed: bool) -> None:
    alpha.claim("T-1")
    alpha.write("src/mine.txt", "mine\n")
    alpha.complete() if completed else alpha.commit("Mine")
    text = world.read()
    record = "    status: in-progress\n    claim: {id: k-beta, by: beta}\n"
    world.write_graph(text.replace("    status: pending\n", record, 1))
    world.commit("Beta's")
    code, error, checks = answers(alpha)
    assert (code, error) == (5, "claim_lost")
    assert ("claim", False) in checks
    error_said, hint = alpha.ralph("preflight").err.splitlines()
    assert error_said.startswith("error: this worktree's claim on T-1 is lost: beta ")
    assert hint == "hint: ralphgit complete T-1"
    lost = alpha.ralph("complete", "T-1", "--json")
    assert (lost.code, lost.error) == (5, "claim_lost")


def test_a_conflict_in_the_work_is_told_before_the_claim(world: World, alpha: Place) -> None:
    for place in (world, alpha):
        place.write("a.txt", f"{place.path.name}\n")
        place.commit("a.txt")
    assert answers(alpha) == (
        1,
        "merge_conflict",
        [("worktree", True), ("main-worktree", True), ("merge", False), ("task", True)],
    )


def test_a_worktree_that_is_behind(world: World, alpha: Place) -> None:
    world.replace("    title: First\n", "    title: The first\n")
    world.commit("Another title")
    assert answers(alpha, "T-1")[:2] == (0, "")  # a claim brings it along
    alpha.write("mine.txt", "mine\n")
    alpha.commit("Work of its own")
    assert answers(alpha, "T-1")[:2] == (8, "behind")
    assert answers(alpha)[2][-1] == ("task", True)  # T-3 has not changed


def detached(place: Place) -> None:
    place.git("checkout", "--quiet", "--detach")


def merging(place: Place) -> None:
    place.git("checkout", "--quiet", "-b", "side")
    place.write("a.txt", "side\n")
    place.commit("side")
    place.git("checkout", "--quiet", "alpha")
    place.write("a.txt", "alpha\n")
    place.commit("alpha")
    assert place.merge("side").code == 1


def unmerged(place: Place) -> None:
    merging(place)
    Path(place.git("rev-parse", "--absolute-git-dir"), "MERGE_HEAD").unlink()


@pytest.mark.parametrize(
    ("prepare", "code"),
    [(detached, "detached_head"), (merging, "unfinished_merge"), (unmerged, "unmerged")],
)
def test_a_worktree_that_cannot_hold_a_claim(alpha: Place, prepare: object, code: str) -> None:
    assert callable(prepare)
    prepare(alpha)
    exit_code, error, checks = answers(alpha)
    assert (exit_code, error, checks[0]) == (8, code, ("worktree", False))
    assert alpha.ralph("claim", "--json").error == code


def test_the_main_worktree_beside_one_with_a_claim(world: World, alpha: Place) -> None:
    assert answers(world)[0] == 0
    alpha.claim("T-1")
    code, error, checks = answers(world)
    assert (code, error) == (8, "main_worktree")
    assert ("main-worktree", False) in checks


def test_several_refusals_are_all_told(world: World, alpha: Place) -> None:
    detached(alpha)
    alpha.write("a.txt", "alpha\n")
    alpha.commit("a.txt")
    world.write("a.txt", "main\n")
    world.commit("a.txt")
    found = alpha.ralph("preflight", "T-2", "--json")
    assert [c["check"] for c in found.data["checks"] if not c["ok"]] == [
        "worktree", "merge", "task",
    ]  # fmt: skip
    assert found.error == "detached_head"


def test_stacked_work(alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.write("src/a.txt", "done\n")
    alpha.complete()
    assert answers(alpha, "T-2")[:2] == (8, "dependencies_incomplete")
    assert answers(alpha, "T-2", "--stack")[0] == 0


def test_what_the_remote_says_counts_once_it_is_fetched(world: World, alpha: Place) -> None:
    assert world.origin
    other = world.clone("other")
    other.replace("    title: First\n", "    title: The first\n")
    other.commit("Another title")
    other.git("push", "--quiet")
    alpha.write("mine.txt", "mine\n")
    alpha.commit("Work of its own")
    assert answers(alpha, "T-1")[0] == 0
    assert answers(alpha, "T-1", "--fetch")[:2] == (8, "behind")
    assert answers(alpha, "T-1")[:2] == (8, "behind")


def test_histories_that_are_not_related(world: World) -> None:
    world.git("checkout", "--quiet", "--orphan", "other")
    world.commit("Another beginning")
    code, error, checks = answers(world)
    assert (code, error) == (1, "unrelated")
    assert ("merge", False) in checks


def test_nothing_is_written(world: World, alpha: Place, beta: Place) -> None:
    assert world.origin
    beta.claim("T-1")
    beta.commit("Claimed")
    alpha.write("a.txt", "alpha\n")
    alpha.commit("a.txt")
    graph = alpha.path / "task-graph.yaml"
    graph.write_bytes(graph.read_bytes())
    before = world.snapshot()
    for place, words in ((world, ()), (alpha, ()), (alpha, ("T-1",)), (beta, ()), (beta, ("T-3",))):
        place.ralph("preflight", *words)
    assert world.snapshot() == before
