"""Folders with a file for each task, which people renumber, retitle, and import one by one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


EPIC = ".claude/epics/shop"


def write_epic(world: World, *titles: str, on: str = "{:03}", first: int = 1) -> None:
    """The files of an epic, each behind the one before it."""
    folder = world.path / EPIC
    for old in folder.glob("*.md"):
        old.unlink()
    for number, title in enumerate(titles, first):
        before = on.format(number - 1) if number > first else ""
        text = f"---\nname: {title}\nstatus: open\ndepends_on: [{before}]\n---\n# Do it\n"
        world.write(f"{EPIC}/{on.format(number)}.md", text)


def begun_epic(world: World, *titles: str) -> None:
    """An epic whose first task is complete here."""
    write_epic(world, *titles)
    assert world.ralph("import", EPIC).code == 0
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete", 1))


def of_epic(world: World) -> list[tuple[str, str, str, list[str]]]:
    return [
        (row["id"], row["title"], row["status"], row.get("depends_on", []))
        for row in map(world.task, re.findall(r'^  - id: "?([^"\n]+)', world.read(), re.MULTILINE))
    ]


def test_files_of_an_epic_that_were_renumbered_are_the_same_by_their_titles(world: World) -> None:
    begun_epic(world, "Cart", "Pay", "Ship")
    write_epic(world, "Users", "Cart", "Pay", "Ship")
    data = world.ralph("import", EPIC, "--json").data
    assert (data["added"], [*data["removed"]]) == (["001-users"], [])
    kept = [
        ("001", "Cart", "complete", ["001-users"]),
        ("002", "Pay", "pending", ["001"]),
        ("003", "Ship", "pending", ["002"]),
        ("001-users", "Users", "pending", []),
    ]
    assert of_epic(world) == kept
    assert world.task("003")["x-source"]["file"] == f"{EPIC}/004.md"
    again = world.ralph("import", EPIC, "--json").data
    assert (again["added"], again["updated"], len(again["unchanged"])) == ([], [], 4)
    # Also where none of them was begun, and where the numbers fall.
    write_epic(world, "Ship", "Cart")
    data = world.ralph("import", EPIC, "--json").data
    assert (data["added"], [*data["removed"]]) == ([], ["002", "001-users"])
    assert of_epic(world)[0] == ("001", "Cart", "complete", ["003"])
    # What is ticked is the task whose file it is now, not the one that had the file before.
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    done = world.ralph("export", "--tick", EPIC)
    assert done.out.splitlines() == [
        f"marked as done in {EPIC}/001.md: 003",
        f"not found in {EPIC}/001.md, or in other words: 001-users",
        f"marked as done in {EPIC}/002.md: 001",
    ]


def test_a_file_of_an_epic_imported_alone_is_known_by_those_beside_it(world: World) -> None:
    begun_epic(world, "Cart", "Pay", "Ship")
    write_epic(world, "Cart", "Pay", "Ship", "Mail", "Tell", on="{}", first=121)
    world.write(f"{EPIC}/126.md", "---\nname: broken\nstatus: [\n---\n")
    data = world.ralph("import", f"{EPIC}/122.md", "--json").data
    assert (data["added"], data["removed"], data["unchanged"]) == ([], [], ["002"])
    assert world.task("002")["depends_on"] == ["001"]
    assert world.task("002")["x-source"]["id"] == "122"
    data = world.ralph("import", f"{EPIC}/124.md", "--json").data
    assert (data["added"], world.task("124")["depends_on"]) == (["124"], ["003"])
    (world.path / f"{EPIC}/126.md").unlink()
    data = world.ralph("import", EPIC, "--json").data
    assert (data["added"], [*data["removed"]]) == (["125"], [])
    assert world.task("125")["depends_on"] == ["124"]
    # A number that another task has here is no dependency on that one.
    write_epic(world, "New", "Newer", "Cart", "Pay", "Ship", "Mail", "Tell")
    world.ralph("import", f"{EPIC}/002.md")
    assert world.task("002-newer")["depends_on"] == ["001-new"]
    world.ralph("import", EPIC)
    assert world.task("001")["depends_on"] == ["002-newer"]


def test_a_title_of_finished_work_that_is_in_no_file_is_asked_about(world: World) -> None:
    begun_epic(world, "Cart of goods", "Pay", "Ship")
    write_epic(world, "Users", "Cart with goods", "Pay", "Ship")
    error = world.refused("import", EPIC, code="words_changed", exit=8)
    assert error["message"] == (
        f"{EPIC}/002.md:1: 001 is complete here, and its title 'Cart of goods' is in no file of "
        "the folder now; this one has 'Cart with goods'; nothing was written. Either 002 is other "
        "work (--renumbered), or it is the same work with another title or number (--reworded)"
    )
    assert error["hint"] == f"ralphgit import {EPIC} --reworded"
    before = world.read()
    world.ralph("import", EPIC, "--reworded")
    assert of_epic(world)[0] == ("001", "Cart with goods", "complete", ["001-users"])
    world.write("task-graph.yaml", before)
    data = world.ralph("import", EPIC, "--renumbered", "--json").data
    assert ([*data["removed"]], data["added"]) == (
        ["001"], ["001-users", "002-cart-with-goods"],
    )  # fmt: skip
    # One file of those is asked about as itself.
    world.write("task-graph.yaml", before)
    error = world.refused("import", f"{EPIC}/002.md", code="words_changed", exit=8)
    assert error["hint"] == f"ralphgit import {EPIC}/002.md --reworded"
