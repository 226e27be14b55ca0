"""Clones that do not have everything: they say what they cannot see, and how to see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_base_changes import GRAPH, at_work
from world import Place, World, grown

SINGLE = (
    "this clone does not fetch the branches of origin: work on them, claimed or in review, is not "
    "seen: git remote set-branches origin '*' && git fetch origin"
)
SHALLOW = (
    "this clone is shallow: whether a branch has landed, and what was taken back, is not always "
    "seen: git fetch --unshallow origin"
)


@pytest.fixture
def world() -> World:
    return grown(in_review)


def in_review(folder: Path) -> World:
    """T-1 is in review on a branch of the remote."""
    world = World(folder)
    world.write("readme", "1\n")
    world.commit("Begin")
    world.write_graph(GRAPH)
    world.commit("Plan")
    _ = world.origin
    alpha = at_work(world)
    alpha.complete("T-1")
    alpha.git("push", "--quiet", "origin", "alpha")
    return world


def clone(world: World, *words: str) -> Place:
    path = world.folder / "partial"
    world.git("clone", "--quiet", *words, f"file://{world.origin.path}", str(path))
    return Place(path, world.environ, world)


def warned(place: Place, *words: str) -> list[str]:
    found: list[str] = place.ralph(*words, "--json").json["warnings"]
    return found


def shell(place: Place, warning: str) -> None:
    """Type the command that a warning names."""
    done = place.run("sh", "-c", warning.rpartition(": ")[2])
    assert done.code == 0, done.err


@pytest.mark.parametrize("command", [("next",), ("status",), ("preflight",), ("claim", "T-2")])
@pytest.mark.parametrize(
    ("words", "told"),
    [((), []), (("--single-branch",), [SINGLE]), (("--depth", "1"), [SINGLE, SHALLOW])],
)
def test_what_a_clone_cannot_see(
    world: World, words: tuple[str, ...], told: list[str], command: tuple[str, ...]
) -> None:
    assert warned(clone(world, *words), *command) == told


def test_the_commands_that_are_named_help(world: World) -> None:
    place = clone(world, "--depth", "1")
    assert place.task("T-1")["state"] == "ready"
    found = place.ralph("doctor", "--json").data["findings"]
    told = {one["code"]: f"{one['message']}: {one['hint']}" for one in found}
    assert told == {"single_branch": SINGLE, "shallow": SHALLOW}
    for warning in told.values():
        shell(place, warning)
    assert warned(place, "next") == []
    assert place.ralph("doctor").code == 0
    assert place.task("T-1")["state"] == "in-review"


def test_one_of_several_refspecs_is_enough(world: World) -> None:
    place = clone(world)
    place.git("config", "--add", "remote.origin.fetch", "+refs/pull/7/head:refs/remotes/origin/7")
    assert warned(place, "next") == []


def test_a_shallow_clone_is_told_to_fetch_its_history(world: World) -> None:
    place = clone(world, "--depth", "1", "--no-single-branch")
    place.git("checkout", "--quiet", "-b", "old", "origin/alpha")
    found = place.ralph("check", "--base", "origin/main", "old", "--json").data["problems"]
    assert [(one["code"], one["hint"]) for one in found] == [
        ("unrelated", "git fetch --unshallow origin")
    ]
    refused = place.ralph("diff", "origin/main...old", "--json").json["error"]
    assert refused["hint"] == "git fetch --unshallow origin"
    place.git("fetch", "--quiet", "--unshallow", "origin")
    assert place.ralph("check", "--base", "origin/main", "old").code == 0


def test_a_root_that_was_rewritten_is_not_fetched(world: World) -> None:
    world.git("checkout", "--quiet", "--orphan", "new")
    world.commit("Begun anew")
    world.git("branch", "-M", "new", "main")
    world.git("push", "--quiet", "--force", "origin", "main")
    hint = "git switch -c NAME {} && git cherry-pick COMMITS"
    (found,) = world.ralph("check", "--base", "main", "alpha", "--json").data["problems"]
    assert (found["code"], found["hint"]) == ("unrelated", hint.format("main", "main"))
    beta = world.worktree("beta", at="alpha~1")
    beta.ralph("preflight")
    refused = beta.ralph("preflight", "--json").json["error"]
    assert refused["hint"] == hint.format("origin/main", "origin/main")
    for words in (("diff",), ("status",), ("doctor",)):
        done = beta.ralph(*words)
        assert "unshallow" not in done.out + done.err
