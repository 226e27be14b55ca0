"""What a file says of all its tasks at once: root keys of the graph, decided as fields are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def write(world: World, path: str = "prd.json", id: str = "US-1", **root: object) -> None:
    story = {"id": id, "title": f"Do {id}", "passes": False, "priority": 1}
    world.write(path, json.dumps({**root, "userStories": [story]}))


def notes(world: World, *names: str) -> list[str]:
    done = world.ralph("import", *(names or ("prd.json",)), "--json")
    assert done.code == 0, done
    found: list[str] = done.data["notes"]
    return found


def test_what_a_file_says_of_all_its_tasks_changes_as_in_the_file(world: World) -> None:
    write(world, project="Shop", description="Old words", branchName="b", _schema={"a": 1})
    notes(world)
    before = world.read()
    write(world, project="Store", description="New\nwords", _schema={"a": 2}, owner="me")
    assert notes(world, "prd.json", "--dry-run") == (said := notes(world))
    assert said == [
        "x-project, x-description, x-_schema, x-branchName of the graph changed as in prd.json."
    ]
    text = world.read()
    assert "\nx-project: Store\nx-description: |-\n  New\n  words\n" in text
    assert "\nx-_schema:\n  a: 2\n" in text
    assert "x-branchName" not in text
    assert "\nx-owner: me\n" in text
    assert text.partition("tasks:")[2] == before.partition("tasks:")[2]
    assert (notes(world), world.read()) == ([], text)


def test_what_was_changed_here_stays(world: World) -> None:
    write(world, project="Shop", description="Old words")
    notes(world)
    world.replace("x-project: Shop", "x-project: Mine  # as we say")
    write(world, project="Shop", description="New words")
    assert notes(world) == ["x-description of the graph changed as in prd.json."]
    assert "\nx-project: Mine  # as we say\n" in world.read()
    write(world, project="Store", description="New words")
    assert notes(world) == ["prd.json: x-project changed here and in the source; kept."]
    assert notes(world) == []


def test_each_file_has_its_own(world: World) -> None:
    write(world, project="Shop", branchName="a")
    write(world, "b/prd.json", "US-2", project="Other", team="B")
    notes(world)
    left = "task-graph.yaml has x-project of its own: what the source has was left out."
    assert left in notes(world, "b/prd.json")
    write(world, project="Store", branchName="b")
    write(world, "b/prd.json", "US-2", project="Other", team="C")
    assert notes(world, "prd.json", "b/prd.json") == [
        "x-project, x-branchName of the graph changed as in prd.json.",
        "x-team of the graph changed as in b/prd.json.",
    ]
    text = world.read()
    assert [line for line in text.splitlines() if line.startswith("x-")] == [
        "x-team: C", "x-project: Store", "x-branchName: b", "x-source:",
    ]  # fmt: skip
    assert "x-source" not in world.ralph("export", "--format", "graph").out.partition("nodes")[0]


def test_a_key_with_a_comment_of_its_own_is_left_and_named(world: World) -> None:
    write(world, project="Shop")
    notes(world)
    world.replace("x-project: Shop", "x-project: Shop  # since 2020")
    write(world, project="Store")
    assert "task-graph.yaml has x-project of its own: what the source has was left out." in (
        notes(world)
    )
    assert "x-project: Shop  # since 2020" in world.read()


def test_a_story_without_an_id_is_taken_as_it_is(world: World) -> None:
    world.write("nodes.yaml", "nodes:\n  - {id: T-1, title: A}\nstories:\n  - {title: B}\n")
    done = world.ralph("import", "nodes.yaml", "--json")
    assert done.code == 0, done
    assert "  - title: B\n" in world.read()
