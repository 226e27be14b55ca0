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


def write_epic(
    world: World, *titles: str, on: str = "{:03}", first: int = 1, folder: str = EPIC
) -> None:
    """The files of an epic, each behind the one before it."""
    for old in (world.path / folder).glob("*[0-9].md"):
        old.unlink()
    for number, title in enumerate(titles, first):
        before = on.format(number - 1) if number > first else ""
        text = f"---\nname: {title}\nstatus: open\ndepends_on: [{before}]\n---\n# Do it\n"
        world.write(f"{folder}/{on.format(number)}.md", text)


def begun_epic(world: World, *titles: str) -> None:
    """An epic whose first task is complete here."""
    write_epic(world, *titles)
    assert world.ralph("import", EPIC).code == 0
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete", 1))


def of_epic(world: World) -> list[tuple[str, str, str, list[str]]]:
    """The tasks in their order: id, title, status, and what each waits for."""
    tasks = world.read().partition("\ntasks:\n")[2]
    ids = re.findall(r'^  - id: "?([^"\n]+)', tasks, re.MULTILINE)
    return [
        (row["id"], row["title"], row["status"], row.get("depends_on", []))
        for row in map(world.task, ids)
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


def test_a_folder_with_a_prefix_keeps_it_renumbered_and_renamed(world: World) -> None:
    mail, post = ".claude/epics/mail", ".claude/epics/post"
    for folder in (EPIC, mail):
        world.write(f"{folder}/epic.md", "---\nname: E\nstatus: x\nprogress: 0%\n---\n# Epic\n")
    write_epic(world, "Other")
    write_epic(world, "Cart", "Pay", "Ship", folder=mail)
    data = world.ralph("import", ".claude/epics", "--json").data
    assert data["added"] == ["mail-001", "mail-002", "mail-003", "shop-001"]
    (world.path / mail).rename(world.path / post)
    write_epic(world, "Users", "Cart", "Pay", "Ship", first=2, folder=post)
    data = world.ralph("import", ".claude/epics", "--json").data
    assert (data["added"], data["removed"]) == (["mail-002-users"], [])
    assert world.task("mail-001")["depends_on"] == ["mail-002-users"]
    assert len({world.task(f"mail-00{number}")["story"] for number in (1, 2, 3)}) == 1
    again = world.ralph("import", ".claude/epics", "--json").data
    assert (again["added"], again["updated"], again["removed"]) == ([], [], [])
    write_epic(world, "Users", "Cart", "Pay", "Ship", "Tell", first=4, folder=post)
    data = world.ralph("import", f"{post}/008.md", "--json").data
    assert data["added"] == ["mail-008"]


#: By format, the name of a file and what is in it: its number, the title, and what it waits for.
FORMATS = {
    "backlog": (
        "tasks/task-{0} - {1}.md",
        "---\nid: TASK-{0}\ntitle: {1}\nstatus: To Do\ncreated_date: x\n"
        "dependencies: [{2}]\n---\nDo it.\n",
        "TASK-{0}",
    ),
    "called by a number": (
        "{0}.md", "---\ntitle: {1}\nstatus: open\ndepends_on: [{2}]\n---\nDo it.\n", "{0}",
    ),
    "called by its words": (
        "{0}-{1}.md", "---\nname: {1}\nstatus: open\ndepends_on: [{2}]\n---\nDo it.\n", "",
    ),
    "with an id": (
        "{0}.md", "---\nid: T-{0}\ntitle: {1}\ndepends_on: [{2}]\n---\nDo it.\n", "T-{0}",
    ),
    "bmad": (
        "{0}.md",
        "# Story 1.{0}: {1}\n\n**Status**: Draft\n**Dependencies**: Story {2}\n\n"
        "## Acceptance Criteria\n\n1. It works\n\n## Tasks\n", "1.{0}",
    ),
}  # fmt: skip


def write_folder(world: World, form: str, *titles: str) -> list[str]:
    """The ids of the files of a folder, each behind the one before it."""
    name, text, id = FORMATS[form]
    for old in (world.path / "plan").rglob("*.md"):
        old.unlink()
    ids: list[str] = []
    for number, title in enumerate(titles, 1):
        path = f"plan/{name.format(number, title)}"
        world.write(path, text.format(number, title, ids[-1] if ids else ""))
        ids.append(id.format(number) or f"{number}-{title}")
    return ids


@pytest.mark.parametrize("form", FORMATS)
def test_a_renumbered_folder_of_any_format_is_the_same_by_its_titles(
    world: World, form: str
) -> None:
    """Finished work stays what was done, and nothing is offered twice."""
    ids = write_folder(world, form, "Cart", "Pay", "Ship")
    assert world.ralph("import", "plan").code == 0
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete", 1))
    again = write_folder(world, form, "Users", "Cart", "Pay", "Ship")
    # One alone is told by those beside it.
    alone = next((world.path / "plan").rglob("3*.md" if form != "backlog" else "*-3*.md"))
    data = world.ralph("import", str(alone.relative_to(world.path)), "--json").data
    assert (data["added"], data["removed"]) == ([], [])
    # What a story of BMAD says of itself has its number.
    assert data["updated"] == (["1.2"] if form == "bmad" else [])
    assert world.task(ids[1])["x-source"]["id"] == again[2]
    data = world.ralph("import", "plan", "--json").data
    assert (len(data["added"]), data["removed"]) == (1, [])
    assert [(world.task(id)["title"], world.task(id)["status"]) for id in ids] == [
        ("Cart", "complete"), ("Pay", "pending"), ("Ship", "pending"),
    ]  # fmt: skip
    assert [world.task(id)["depends_on"] for id in ids] == [data["added"], ids[:1], ids[1:2]]
    assert world.ralph("import", "plan").out.splitlines()[0] == "unchanged: 4 tasks"


def test_a_part_of_what_was_renumbered_follows(world: World) -> None:
    part = "---\nid: TASK-{0}.1\ntitle: Draw\nstatus: To Do\nparent_task_id: TASK-{0}\n---\n"
    write_folder(world, "backlog", "Cart")
    world.write("plan/tasks/task-1.1 - Draw.md", part.format(1))
    assert world.ralph("import", "plan", "--json").data["added"] == ["TASK-1", "TASK-1.1"]
    write_folder(world, "backlog", "Users", "Cart")
    world.write("plan/tasks/task-2.1 - Draw.md", part.format(2))
    data = world.ralph("import", "plan", "--json").data
    assert (data["added"], data["removed"]) == (["TASK-1-users"], [])
    assert world.task("TASK-1.1")["story"] == "TASK-1"
    assert "TASK-1.1" in world.task("TASK-1")["depends_on"]


def test_other_work_under_the_id_of_what_is_done_is_asked_about(world: World) -> None:
    """A retitled task is the same: its id is its own."""
    write_folder(world, "backlog", "Release", "Pay")
    world.ralph("import", "plan")
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete", 1))
    write_folder(world, "backlog", "Big release", "Pay")
    assert world.ralph("import", "plan", "--json").data["updated"] == ["TASK-1"]
    write_folder(world, "backlog", "Users", "Pay")
    error = world.refused("import", "plan", code="words_changed", exit=8)
    assert error["hint"] == "ralphgit import plan/tasks --renumbered"
    data = world.ralph("import", "plan", "--renumbered", "--json").data
    assert (data["added"], data["removed"]) == (["TASK-1-users"], ["TASK-1"])
    assert world.task("TASK-2")["depends_on"] == ["TASK-1-users"]
    # What comes back every month is told from what was done by where that is now.
    world.write(
        "plan/completed/task-1 - Big release.md",
        ("---\nid: TASK-1\ntitle: Big release\nstatus: Done\ncreated_date: x\n---\n"),
    )
    name, text, _ = FORMATS["backlog"]
    world.write(f"plan/{name.format(7, 'Big release')}", text.format(7, "Big release", ""))
    data = world.ralph("import", "plan", "--json").data
    assert (data["added"], data["removed"]) == (["TASK-7"], [])
    assert world.task("TASK-7")["status"] == "pending"


def test_what_a_project_calls_otherwise_and_has_completed_is_the_same(world: World) -> None:
    """Of Backlog.md's two folders, and with another word before the numbers."""
    head = "---\nid: {}\ntitle: {}\nstatus: {}\ncreated_date: x\n---\n"
    for number, title in enumerate(("Draw", "Cart", "Pay"), 1):
        status = "Done" if number == 1 else "To Do"
        world.write(f"b/tasks/task-{number}.md", head.format(f"task-{number}", title, status))
    world.ralph("import", "b")
    for folder, number, title, status in (
        ("completed", 1, "Draw", "Done"), ("completed", 2, "Cart", "Done"),
        ("tasks", 3, "Pay", "To Do"), ("tasks", 4, "Draw", "To Do"),
    ):  # fmt: skip
        (world.path / f"b/tasks/task-{number}.md").unlink(missing_ok=True)
        world.write(f"b/{folder}/back-{number}.md", head.format(f"BACK-{number}", title, status))
    alone = world.ralph("import", "b/tasks/back-3.md", "--json").data
    assert (alone["added"], alone["unchanged"], alone["removed"]) == ([], ["task-3"], [])
    data = world.ralph("import", "b", "--json").data
    assert (data["added"], data["removed"]) == (["BACK-4"], [])
    assert [world.task(f"task-{number}")["x-source"]["id"] for number in (1, 2, 3)] == [
        "BACK-1", "BACK-2", "BACK-3",
    ]  # fmt: skip
    # What comes back is told from what was done before by that one's place.
    again = world.ralph("import", "b/tasks", "--json").data
    assert (again["added"], again["updated"], again["removed"]) == ([], [], [])


def write_phases(world: World, *titles: str, one: bool) -> None:
    """Plans of GSD with two tasks each: in a phase of their own, or all in `one`."""
    for old in (world.path / "phases").rglob("*.md"):
        old.unlink()
    for number, title in enumerate(titles, 1):
        phase, plan = (1, number) if one else (number, 1)
        name = f"{phase:02}-p" if one else f"{phase:02}-{title.lower()}"
        text = "".join(
            f"<task>\n<name>Task {each}: {title} {each}</name>\n</task>\n" for each in (1, 2)
        )
        head = f"---\nphase: {name}\nplan: {plan:02}\n---\n<objective>\n{title}.\n</objective>\n"
        world.write(f"phases/{name}/{phase:02}-{plan:02}-PLAN.md", head + text)


@pytest.mark.parametrize("one", [True, False])
def test_plans_of_gsd_that_were_renumbered_are_the_same(world: World, one: bool) -> None:
    write_phases(world, "Cart", "Pay", "Ship", one=one)
    assert world.ralph("import", "phases").code == 0
    text = world.read()
    at = text.index("title: Pay 1")
    done = text[at:].replace("status: pending", "status: complete", 1)
    world.write("task-graph.yaml", text[:at] + done)
    before = {task[1]: task for task in of_epic(world)}
    write_phases(world, "Cart", "Users", "Pay", "Ship", one=one)
    data = world.ralph("import", "phases", "--json").data
    second = "01-02" if one else "02-01"
    assert (data["added"], data["removed"]) == (
        [f"{second}.1-users-1", f"{second}.2-users-2", f"{second}-verify-plan"], [],
    )  # fmt: skip
    after = {task[1]: task for task in of_epic(world)}
    for title in ("Cart 1", "Pay 1", "Pay 2", "Ship 1"):
        assert (after[title][0], after[title][2]) == (before[title][0], before[title][2])
    assert after["Pay 1"][2] == "complete"
    assert after[f"Verify plan {second}"][0] == f"{second}-verify-plan"
    if not one:
        assert after["Pay 1"][3] == [f"{second}-verify-plan"]
    assert world.ralph("import", "phases").out.splitlines()[0] == "unchanged: 12 tasks"
    # Where the numbers fall again, too.
    write_phases(world, "Cart", "Pay", "Ship", one=one)
    data = world.ralph("import", "phases", "--json").data
    assert (data["added"], len(data["removed"])) == ([], 3)
    assert {task[1]: task for task in of_epic(world)}["Pay 1"][2] == "complete"


def test_a_renamed_list_of_a_folder_keeps_its_prefix(world: World) -> None:
    for name, words in (("add-auth", "Log in"), ("add-search", "Search")):
        world.write(f"changes/{name}/tasks.md", f"- [ ] 1.1 {words}\n- [ ] 1.2 Test {words}\n")
    world.ralph("import", "changes")
    (world.path / "changes/add-search").rename(world.path / "changes/add-find")
    data = world.ralph("import", "changes", "--json").data
    assert (data["added"], len(data["unchanged"]), data["removed"]) == ([], 4, [])
    world.write("changes/add-tax/tasks.md", "- [ ] 1.1 Tax\n- [ ] 1.2 Test it\n")
    data = world.ralph("import", "changes", "--json").data
    assert data["added"] == ["add-tax-1.1", "add-tax-1.2"]
    assert world.task("add-search-1.1")["x-source"]["file"] == "changes/add-find/tasks.md"


def test_a_change_of_openspec_that_was_archived_is_named_with_what_reads_it(world: World) -> None:
    for change in ("add-auth", "add-search"):
        text = f"- [ ] 1.1 Code {change}\n- [ ] 1.2 Tests of {change}\n"
        world.write(f"openspec/changes/{change}/tasks.md", text)
    world.ralph("import", "openspec")
    there = world.path / "openspec/changes/archive/2026-01-02-add-auth"
    there.parent.mkdir()
    (world.path / "openspec/changes/add-auth").rename(there)
    world.write(f"{there}/tasks.md", "- [x] 1.1 Code add-auth\n- [ ] 1.2 Tests of add-auth\n")
    file = "openspec/changes/archive/2026-01-02-add-auth/tasks.md"
    told = (
        "openspec/changes/add-auth is in the archive now; what of it is done there: "
        f"ralphgit import {file}"
    )
    assert told in world.ralph("import", "openspec", "--json").data["notes"]
    data = world.ralph("import", file, "--json").data
    assert (data["added"], data["removed"], data["kept"]) == ([], [], ["add-auth-1.1"])
    again = world.ralph("import", "openspec", "--json").data
    assert (told in again["notes"], again["removed"]) == (False, [])


def test_an_epic_that_was_archived_is_named(world: World) -> None:
    for epic in ("shop", "mail"):
        write_epic(world, f"Draw {epic}", folder=f".claude/epics/{epic}")
        world.write(f".claude/epics/{epic}/epic.md", "---\nname: x\nstatus: a\nprogress: 0%\n---\n")
    world.ralph("import", ".claude/epics")
    there = world.path / ".claude/epics/archived"
    there.mkdir()
    (world.path / ".claude/epics/mail").rename(there / "mail")
    notes = world.ralph("import", ".claude/epics", "--json").data["notes"]
    told = "ralphgit import .claude/epics/archived/mail"
    assert [one for one in notes if told in one] != []
    data = world.ralph("import", ".claude/epics/archived/mail", "--json").data
    assert (data["added"], data["removed"]) == ([], [])
