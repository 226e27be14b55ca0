"""What is known of a repository without asking git again, against a fresh look at it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from world import Place, World

from ralphgit.git import worktrees
from ralphgit.git.repository import Repository


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write("a", "one\n")
    made.commit()
    return made


def opened(place: Place) -> Repository:
    return Repository.open(str(place.path), place.environ)


def test_a_ref_that_we_moved_is_known(world: World) -> None:
    alpha = world.worktree("alpha")
    assert world.origin.path.exists()
    seen = opened(world)
    assert "refs/heads/alpha" in seen.refs
    assert len(seen.worktrees) == 2
    alpha.write("b", "two\n")
    alpha.commit()
    world.git("update-ref", "refs/ralph/rescue/x", "HEAD")
    world.git("update-ref", "refs/remotes/origin/main", alpha.head)
    seen.moved("refs/heads/alpha", alpha.head)
    seen.moved("refs/ralph/rescue/x", world.head)
    seen.moved("refs/remotes/origin/main", alpha.head)
    fresh = opened(world)
    assert list(seen.refs.items()) == list(fresh.refs.items())
    assert seen.worktrees == fresh.worktrees
    world.git("update-ref", "-d", "refs/ralph/rescue/x")
    seen.moved("refs/ralph/rescue/x", "")
    assert seen.refs == opened(world).refs


@pytest.mark.parametrize("there", ["main", "alpha", "beta"])
@pytest.mark.parametrize("here", ["main", "alpha"])
def test_from_beside_all_is_as_from_within(world: World, here: str, there: str) -> None:
    places = {"main": world, "alpha": world.worktree("alpha"), "beta": world.worktree("beta")}
    places["alpha"].commit("alpha's own")
    seen = opened(places[here])
    worktree = next(w for w in seen.worktrees if w.branch == f"refs/heads/{there}")
    calls = seen.git.calls
    beside, within = seen.beside(worktree), opened(places[there])
    assert (beside.git_dir, beside.top, beside.common_dir) == (
        within.git_dir, within.top, within.common_dir,
    )  # fmt: skip
    assert beside.head() == within.head() == places[there].head
    assert (beside.linked, beside.bare, beside.config) == (within.linked, False, within.config)
    assert seen.git.calls <= calls + 1  # for the configuration


def test_settings_of_one_worktree_are_read_there(world: World) -> None:
    alpha = world.worktree("alpha")
    world.git("config", "extensions.worktreeConfig", "true")
    alpha.git("config", "--worktree", "ralph.worker", "anna")
    seen = opened(world)
    assert seen.beside(seen.worktrees[1]).config["ralph.worker"] == "anna"
    assert "ralph.worker" not in seen.config


def test_the_index_is_read_as_it_is_now(world: World) -> None:
    seen = opened(world)
    first = seen.staged_ids(["a", "b"])
    assert first == [world.git("rev-parse", ":a"), None]
    world.write("a", "two\n")
    world.write("b", "")
    world.git("add", "-A")
    assert seen.staged_ids(["a", "b"]) == world.git("rev-parse", ":a", ":b").splitlines() != first


def test_a_worktree_that_changes_its_branch_is_seen(world: World) -> None:
    alpha = world.worktree("alpha")
    common = str(world.path / ".git")
    long_ago = time.time() - 1000
    for parent, folders, files in os.walk(common):
        for name in (*folders, *files):
            os.utime(os.path.join(parent, name), (long_ago, long_ago))
    since = time.time() - 100
    alpha.write("b", "")
    alpha.commit()
    assert not worktrees.changed_since(common, since)
    alpha.git("switch", "--quiet", "-c", "other")
    assert worktrees.changed_since(common, since)


def test_a_worktree_that_comes_is_seen(world: World) -> None:
    common = str(world.path / ".git")
    long_ago = time.time() - 1000
    os.utime(os.path.join(common, "HEAD"), (long_ago, long_ago))
    assert not worktrees.changed_since(common, time.time() - 100)
    world.worktree("alpha")
    assert worktrees.changed_since(common, time.time() - 100)
