"""A claim brings its worktree onto the base first, and leaves no work behind (SPEC 4)."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import Place, World, grown

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
    scope: {write: [one/**]}
    verify: ['true']
  - id: T-2
    title: Second
    status: pending
    depends_on: [T-1]
    scope: {write: [one/**, two/**]}
    verify: ['true']
  - id: T-3
    title: Third
    status: pending
    scope: {write: [three/**]}
    verify: ['true']
"""


@pytest.fixture
def world() -> World:
    return grown(begun)


def begun(folder: Path) -> World:
    made = World(folder)
    made.write_graph(GRAPH)
    made.commit("Begin")
    assert made.ralph("trust", "--yes").code == 0
    return made


def landed(world: World, place: Place, *, squash: bool = False) -> None:
    """T-1, done in `place` and merged into main."""
    place.did("T-1", {"one/a.txt": "one\n"})
    branch = place.git("branch", "--show-current")
    if squash:
        world.git("merge", "--squash", "--quiet", branch)
        world.commit("T-1, in one commit")
    else:
        assert world.merge(branch).code == 0


def test_a_branch_without_work_of_its_own_moves_to_the_base(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    landed(world, alpha)
    done = beta.ralph("claim", "T-2", "--json")
    assert (done.code, beta.head) == (0, world.head)
    assert beta.read("one/a.txt") == "one\n"
    assert world.lease("T-2")["start"] == world.head
    assert beta.git("branch", "--show-current") == "beta"
    assert done.data["worktree"] == {"commit": world.head, "moved": True, "rescue": ""}


def test_a_branch_that_landed_by_a_squash_merge_moves_on(world: World) -> None:
    alpha = world.worktree("alpha")
    landed(world, alpha, squash=True)
    assert alpha.ralph("claim", "T-2").code == 0
    assert alpha.head == world.head


def test_work_of_its_own_is_left(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    beta.write("three/b.txt", "mine\n")
    own = beta.commit("Work of its own")
    landed(world, alpha)
    error = beta.refused("claim", "T-2", code="behind")
    assert error["message"] == (
        "this branch has work of its own, and lacks what T-2 depends on: T-1"
    )
    assert (error["hint"], error["related"]) == ("git merge main", ["T-1"])
    assert beta.ralph("claim", "T-3").code == 0  # it needs nothing that is not here
    assert beta.head == own
    assert beta.ralph("release").code == 0
    assert beta.merge("main").code == 0  # the hint
    assert beta.ralph("claim", "T-2").code == 0


def test_uncommitted_changes_are_left(world: World) -> None:
    world.write("one/a.txt", "old\n")
    world.write("b.txt", "old\n")
    world.commit("Files")
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    beta.write("b.txt", "mine\n")
    landed(world, alpha)
    assert beta.ralph("claim", "T-3").code == 0
    assert (beta.head, beta.read("b.txt")) == (world.head, "mine\n")
    gamma = world.worktree("gamma", at="main^^")
    gamma.write("one/a.txt", "mine\n")
    error = gamma.refused("claim", "T-2", code="behind", but=(".ralph", "gamma/index"))
    assert error["hint"] == "git stash -u && ralphgit claim T-2 && git stash pop"
    assert gamma.read("one/a.txt") == "mine\n"


def test_stacked_work_keeps_the_branch_and_overlaps_what_it_stands_on(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.did("T-1", {"one/a.txt": "one\n"})
    own = alpha.head
    world.write("c.txt", "more\n")
    world.commit("The base goes on")
    beta = world.worktree("beta", at="alpha")
    assert beta.refused("claim", "T-2", code="dependencies_incomplete")
    assert beta.ralph("preflight", "T-2", "--stack").code == 0
    assert beta.ralph("claim", "--stack", "T-2").code == 0
    assert beta.head == own


def test_without_an_id_stacked_work_is_found(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.did("T-1", {"one/a.txt": "one\n"})
    beta = world.worktree("beta")
    assert beta.ralph("claim", "T-3").code == 0
    done = alpha.ralph("claim", "--stack", "--json")
    assert (done.code, done.data["task"]["id"]) == (0, "T-2")


@pytest.mark.parametrize("committed", [True, False])
def test_after_an_answer_the_asker_claims_again(world: World, committed: bool) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write("one/a.txt", "half\n")
    if committed:
        alpha.commit("Half of it")
    assert alpha.ralph("block", "--question", "Which?").code == 0
    blocked = alpha.head
    assert world.merge("alpha").code == 0
    assert world.ralph("reply", "T-1", "The first").code == 0
    done = alpha.ralph("claim", "T-1", "--json")
    assert (done.code, alpha.head) == (0, world.head), done.out
    # What the base has is on the branch; what was not committed is where it was.
    assert alpha.read("one/a.txt") == "half\n"
    assert blocked != world.head


def test_a_block_that_never_landed_is_kept_when_its_task_is_claimed_again(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = alpha.claim("T-1")
    alpha.write("one/a.txt", "half\n")
    alpha.commit("Half of it")
    assert alpha.ralph("block", "--question", "Which?").code == 0
    blocked = alpha.head
    replied = world.ralph("reply", "T-1", "The first")
    assert replied.code == 0, replied.err
    done = alpha.ralph("claim", "T-1", "--json")
    assert (done.code, alpha.head) == (0, world.head), done.out
    rescue = f"refs/ralph/rescue/T-1/{claim}"
    assert done.data["worktree"]["rescue"] == rescue
    assert world.git("rev-parse", rescue) == blocked
    assert not (alpha.path / "one/a.txt").exists()


@pytest.mark.parametrize("way", ["block", "release"])
@pytest.mark.parametrize("committed", [True, False])
def test_a_block_lands_before_the_next_claim_and_work_after_it_lands_too(
    world: World, committed: bool, way: str
) -> None:
    """The answer, which is on the base by then, does not stand in the way."""
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    if committed:
        alpha.write("one/a.txt", "half\n")
        alpha.commit("Half of it")
    words = ("--question", "Which?") if way == "block" else ("--reason", "too hard")
    assert alpha.ralph(way, *words).code == 0
    assert world.task("T-1")["status"] == "pending"
    claimed = alpha.ralph("claim", "T-3")
    assert claimed.code == 0, claimed.err
    assert alpha.head == world.head
    assert bool(world.git("for-each-ref", "refs/ralph/rescue/T-1")) == committed
    if way == "block":
        assert world.task("T-1")["blocked"]["question"] == "Which?"
        assert world.ralph("reply", "T-1", "The first").code == 0
    else:
        assert world.task("T-1")["reset"]["reason"] == "too hard"
    alpha.write("three/c.txt", "three\n")
    done = alpha.ralph("complete", "--land")
    assert done.code == 0, done.err
    assert world.task("T-3")["status"] == "complete"
    assert world.task("T-1")["status"] == "pending"
    assert world.git("ls-files", "one") == ""


@pytest.fixture
def clone(world: World) -> Place:
    made = world.clone("proj-clone")
    assert made.ralph("trust", "--yes").code == 0
    return made


@pytest.mark.slow
@pytest.mark.parametrize("named", [(), ("T-3",)])
def test_lost_work_is_kept_and_the_next_claim_stands_on_the_base(
    world: World, clone: Place, named: tuple[str, ...]
) -> None:
    """Whoever did not see it has completed the task, too, and was faster."""
    alpha = world.worktree("alpha")
    mine, lost = alpha.did("T-1", {"one/a.txt": "one\n"}), alpha.head
    won = clone.did("T-1", {"one/a.txt": "two\n"})
    clone.git("push", "--quiet", "origin", "HEAD")
    done = alpha.ralph("claim", *named)
    rescue = f"refs/ralph/rescue/T-1/{mine}"
    assert f"won T-1 on origin/main (claim {won}, complete, since " in done.err
    assert f"the work of claim {mine} is kept in {rescue}" in done.err
    assert f"What the attempt before had is kept in {rescue}." in done.out
    assert (done.code, alpha.head, world.git("rev-parse", rescue)) == (0, clone.head, lost)
    (task,) = alpha.leases
    alpha.write("two/b.txt" if task == "T-2" else "three/b.txt", "b\n")
    assert alpha.ralph("complete", "--land", "merge").code == 0
    assert alpha.task(task)["status"] == "complete"


@pytest.mark.slow
def test_lost_work_is_kept_also_where_all_is_done(world: World, clone: Place) -> None:
    alpha = world.worktree("alpha")
    alpha.did("T-1", {"one/a.txt": "one\n"})
    for task, file in (("T-1", "one/b"), ("T-2", "two/b"), ("T-3", "three/b")):
        clone.did(task, {file: "b\n"})
        clone.git("push", "--quiet", "origin", "HEAD")
    done = alpha.ralph("claim")
    assert (done.code, alpha.head) == (3, clone.head)
    assert "won T-1 on origin/main" in done.err
    assert "this branch stands on origin/main" in done.err


def test_what_cannot_land_now_does_not_keep_a_worker_from_the_next_task(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    assert alpha.ralph("block", "--question", "Which?").code == 0
    world.write("task-graph.yaml", world.read("task-graph.yaml") + "# mine\n")
    claimed = alpha.ralph("claim", "T-3")
    assert claimed.code == 0
    assert "T-1 blocked did not land: " in claimed.err
    assert world.ralph("inbox", "--json").data["questions"][0]["task"] == "T-1"


def test_a_release_does_not_end_the_claim_that_was_made_since(world: World) -> None:
    """The base had the task free all the time; the release would raise its epoch."""
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    first = alpha.claim("T-1")
    assert alpha.ralph("release", "T-1", "--reason", "too hard").code == 0
    head = alpha.head
    beta.claim("T-1")
    claimed = alpha.ralph("claim", "T-3")
    assert claimed.code == 0
    assert "T-1 given back did not land: beta has T-1 since" in claimed.err
    kept = f"ralph/T-1-{first[:6]}"
    assert f"stays on {kept}" in claimed.err
    assert world.git("rev-parse", kept) == head
    assert head not in alpha.git("rev-list", "HEAD").split()
    asked = world.ralph("land", kept, "--json")
    assert (asked.code, asked.json["error"]["code"]) == (5, "claim_held")
    assert world.ralph("land", "--all").code in (0, 5)
    beta.write("one/a.txt", "one\n")
    done = beta.ralph("complete", "--land")
    assert done.code == 0, done.err
    assert world.task("T-1")["status"] == "complete"


def test_the_step_of_a_block_says_which_task_it_is(world: World) -> None:
    """Where the base has moved meanwhile, and a merge brings it."""
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-1")
    beta.did("T-3", {"three/c.txt": "c\n"})
    assert beta.ralph("land").code == 0
    assert alpha.ralph("block", "--question", "Which?").code == 0
    alpha.ralph("claim")
    assert world.task("T-1")["blocked"]["question"] == "Which?"
    assert world.git("log", "-1", "--format=%s", "main") == "Merge T-1 (blocked) into main"
