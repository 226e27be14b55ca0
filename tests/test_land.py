"""`land`: a branch, all branches, and what a branch does to the records alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_integrate import task, worked, world_of
from test_loop import loop, made, on_base
from test_loop import task as loop_task
from world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return world_of(
        tmp_path,
        task("A", "test -s a.txt", "a.txt", depends_on="B"),
        task("B", "test -s b.txt", "b.txt"),
        task("C", "true", "c.txt"),
        task("D", "test -s d.txt", "d.txt"),
    )


def test_all_that_is_complete_lands_in_an_order_that_works(world: World) -> None:
    worked(world, "beta", "B", {"b.txt": "b\n"})
    alpha = world.worktree("alpha", at="beta")
    alpha.claim("A", "--stack")
    alpha.write("a.txt", "a\n")
    alpha.complete()
    worked(world, "delta", "D", {"d.txt": "d\n"}, "--concern", "it is slow")
    gamma = world.worktree("gamma")
    gamma.claim("C")
    gamma.write("c.txt", "c\n")
    gamma.commit("Half of it")
    since = world.head
    found = world.ralph("land", "--all", "--json")
    assert (found.code, found.error) == (7, "concerns_wait"), found
    assert found.data["merged"] == ["beta", "alpha"]
    told = world.git("log", "--first-parent", "--format=%s", f"{since}..main").split("\n")
    assert told == ["A: Task A", "B: Task B"]
    assert world.ralph("land", "--all", "--accept-concerns").code == 0
    assert world.read("d.txt") == "d\n"
    again = world.ralph("land", "--all")
    assert (again.code, again.out) == (0, "There is nothing to land.\n")
    assert world.ralph("land", "alpha", "--all", "--json").error == "usage"


def test_what_is_not_ready_does_not_hold_back_the_rest(world: World) -> None:
    worked(world, "beta", "B", {"b.txt": "b\n"})
    delta = worked(world, "delta", "D", {"d.txt": "d\n"})
    delta.write("outside.txt", "x\n")
    delta.commit("More")
    found = world.ralph("land", "--all", "--json")
    assert (found.code, found.error, found.data["merged"]) == (1, "not_ready", ["beta"])
    assert world.read("b.txt") == "b\n"


def test_a_branch_lands_what_it_adds_and_edits(world: World) -> None:
    alpha = world.worktree("alpha")
    assert alpha.ralph("add", "--id", "E", "--title", "New").code == 0
    assert alpha.ralph("edit", "C", "--priority", "0").code == 0
    alpha.commit("Plan more")
    world.write("README", "moved on\n")
    world.commit("Moved on")
    done = alpha.ralph("land")
    assert done.code == 0, done
    assert done.out.splitlines()[0].startswith("landed on main: C edited, E added (")
    assert (alpha.head, world.task("E")["title"]) == (world.head, "New")


def test_of_a_blocked_task_the_record_alone_lands(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("B")
    alpha.write("b.txt", "half\n")
    alpha.commit("Half of it")
    assert alpha.ralph("block", "B", "--question", "Which?").code == 0
    world.write("README", "moved on\n")
    world.commit("Moved on")
    done = alpha.ralph("land", "--json")
    assert done.code == 0, done
    assert world.task("B")["status"] == "blocked"
    assert not (world.path / "b.txt").exists() and alpha.read("b.txt") == "half\n"
    assert world.ralph("check").code == 0
    assert world.ralph("reply", "B", "This one.").code == 0
    assert alpha.ralph("claim", "B").code == 0


def test_a_release_lands(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("B")
    alpha.write("b.txt", "half\n")
    alpha.commit("Half of it")
    assert alpha.ralph("release", "B", "--reason", "tired").code == 0
    alpha.commit("Given back")
    done = alpha.ralph("land")
    assert done.code == 0, done
    assert world.task("B")["epoch"] == 1
    assert not (world.path / "b.txt").exists()


def test_init_says_how_work_lands(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit()
    assert "Finished work is merged into the base here (land.mode = auto)." in (
        world.ralph("init", "--dry-run").out + world.ralph("init").out
    )


def test_a_loop_says_what_has_not_landed_and_lands_it_later(tmp_path: Path) -> None:
    alpha = made(
        tmp_path, loop_task("T-1", "outputs: [one.txt]"), loop_task("T-2", "outputs: [two.txt]")
    )
    ran = loop(alpha, "--task", "T-1", "--land", "none")
    assert ran.code == 0, ran.err
    assert "not landed: T-1 (ralphgit land --all)" in ran.out.splitlines()
    alpha.git("switch", "-q", "alpha")
    alpha.git("reset", "-q", "--hard", "origin/main")
    (alpha.path / ".ralph" / "current.yaml").unlink()
    again = loop(alpha, "--once")
    assert again.code == 0, again.err
    assert "T-1 of an earlier loop has landed" in again.err
    assert on_base(alpha, "T-1")["status"] == "complete"
    assert "not landed" not in again.out
