"""The graph or the records move while work is in flight: it is seen, or said."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import Place, World, grown

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: One
    status: pending
    verify: [test -s a.txt]
    scope: {write: [a.txt]}
  - id: T-2
    title: Two
    status: pending
"""


@pytest.fixture
def world() -> World:
    return grown(begun)


def begun(folder: Path) -> World:
    made = World(folder)
    made.write_graph(GRAPH)
    made.commit("Plan")
    assert made.ralph("trust", "--yes").code == 0
    return made


def moved(place: Place) -> None:
    """The graph moves, whoever works on it."""
    settings = place.path / "ralph.toml"
    told = settings.read_text() if settings.exists() else ""
    place.write("ralph.toml", f'{told}graph = ["plan/graph.yaml"]\n')
    place.write("plan/graph.yaml", place.read())
    place.git("rm", "--quiet", "--force", "task-graph.yaml")
    place.commit("Move the graph")


def states(place: Place) -> dict[str, str]:
    return {one["id"]: one["state"] for one in place.ralph("status", "--json").data["tasks"]}


def test_work_on_a_branch_from_before_the_graph_moved_is_seen(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.did("T-1", {"a.txt": "a\n"})
    moved(world)
    assert states(world) == {"T-1": "in-review", "T-2": "ready"}
    # A fresh clone has neither the worktree nor the lease.
    world.git("worktree", "remove", "--force", str(alpha.path))
    world.git("update-ref", "-d", "refs/ralph/leases/T-1")
    assert states(world) == {"T-1": "in-review", "T-2": "ready"}
    assert world.ralph("land", "alpha").code == 0
    assert states(world) == {"T-2": "ready"}
    assert world.ralph("check").out == "No problem found.\n"


def test_a_claim_in_a_worktree_from_before_the_graph_moved_is_seen(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    moved(world)
    world.git("update-ref", "-d", "refs/ralph/leases/T-1")
    assert states(world)["T-1"] == "claimed"
    # So is one on a branch that moves it, while main has not.
    world.git("reset", "--quiet", "--hard", "HEAD~")
    moved(alpha)
    assert states(world)["T-1"] == "in-progress"


def test_check_names_what_a_move_has_left_behind(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.did("T-1", {"a.txt": "a\n"})
    world.write("ralph.toml", 'records = "plan/records"\n')
    world.commit("Move the records")
    assert world.merge("alpha").code == 0
    done = world.ralph("check", "--json")
    (found,) = (one for one in done.data["problems"] if one["code"] == "stranded_record")
    assert found["message"] == "2 records in records, and records are read in plan/records alone"
    while hints := [one["hint"] for one in world.ralph("check", "--json").data["problems"]
                    if one["code"] == "stranded_record"]:  # fmt: skip
        assert world.run("sh", "-c", hints[0]).code == 0
    world.commit("And what came later")
    world.write("task-graph.yaml.bak", world.read())
    moved(world)
    world.git("mv", "task-graph.yaml.bak", "task-graph.yaml")
    world.commit("Keep the old one")
    problems = world.ralph("check", "--json").data["problems"]
    (found,) = (one for one in problems if one["code"].startswith("stranded"))
    assert (found["code"], found["file"]) == ("stranded_graph", "task-graph.yaml")


def test_in_a_worktree_that_has_the_graph_where_it_was_work_is_judged_alike(world: World) -> None:
    """Its graph file is no work: neither outside the scope nor the change that is asked for."""
    alpha = world.worktree("alpha")
    alpha.write("own.txt", "own\n")
    alpha.commit("Work of its own, which keeps the branch")
    moved(world)
    alpha.claim("T-2")
    refused = alpha.ralph("complete", "--json")
    assert (refused.code, refused.error) == (1, "not_done")
    assert refused.data["missing"] == ["the task changed no file (records do not count)"]
    assert alpha.ralph("release", "T-2").code == 0
    alpha.claim("T-1")
    alpha.write("a.txt", "a\n")
    done = alpha.ralph("complete", "--land", "merge")
    assert done.code == 0, done.err
    assert states(world) == {"T-2": "ready"}
    assert world.git("ls-files", "task-graph.yaml") == ""
    assert world.ralph("check").out == "No problem found.\n"


def test_a_graph_that_an_agent_moves_is_work_like_any_other(world: World) -> None:
    """By its own settings a worker cannot have a file counted as a record (SPEC 6)."""
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write("a.txt", "a\n")
    moved(alpha)
    refused = alpha.ralph("complete", "--json")
    assert (refused.code, refused.error) == (1, "not_done")
    assert any("plan/graph.yaml is outside scope" in one for one in refused.data["missing"])


@pytest.mark.slow
def test_a_loop_goes_on_where_the_base_has_split_its_graph(tmp_path: Path) -> None:
    """Its worktree keeps work of its own, and has all tasks in one file still."""
    world = World(tmp_path)
    scripts = "    scope: {{write: [{0}.txt]}}\n    x-script: {{write: {{{0}.txt: x}}}}\n".format
    graph = GRAPH.replace("    scope: {write: [a.txt]}\n", scripts("a"))
    world.write_graph(graph + scripts("b"))
    world.commit("Plan")
    assert world.ralph("trust", "--yes").code == 0
    alpha = world.worktree("alpha")
    alpha.write("own.txt", "own\n")
    alpha.commit("Work of its own, which keeps the branch")
    head, _, second = world.read().partition("  - id: T-2")
    world.write("ralph.toml", 'graph = ["plan/*.yaml"]\n')
    world.write("plan/one.yaml", head)
    world.write("plan/two.yaml", f"version: 1\ntasks:\n  - id: T-2{second}")
    world.git("rm", "--quiet", "task-graph.yaml")
    world.commit("Split the graph")
    done = alpha.ralph("run", "--agent", "scripted", "--land", "merge")
    assert done.code == 0, done.err
    assert states(world) == {}
    assert "attempt" not in done.err and "changed while" not in done.err
    assert world.ralph("check").out == "No problem found.\n"


@pytest.mark.slow
def test_a_loop_resumes_where_the_base_has_taken_the_move_back(world: World) -> None:
    """A loop does not read its worktree's settings: the graph is where the branch left the base."""
    world.replace("scope: {write: [a.txt]}", "x-script: {write: {a.txt: x}}")
    world.commit("A script")
    moved(world)
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    world.git("revert", "--no-edit", "HEAD")
    done = alpha.ralph("run", "--once", "--agent", "scripted", "--land", "merge")
    assert done.code == 0, done.err
    assert "attempt" not in done.err
    assert states(world) == {"T-2": "ready"}
    assert world.ralph("check").out == "No problem found.\n"
