"""Which task an item is: by its source, its id and its words, whatever was done to the list."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from world import Place, World

from ralphgit.rules import import_identity, renamed_sections
from ralphgit.rules.import_identity import (
    RENUMBERED,
    REWORDED,
    By,
    Facts,
    Verdict,
    Words,
    in_place_of,
)
from ralphgit.rules.import_identity import Place as ListPlace

BEFORE = """\
# Tasks

## 1. Core

- [ ] 1.1 Write the parser
- [ ] 1.2 Delete the old cache
- [ ] 1.3 Write docs
"""
AFTER = """\
# Tasks

## 1. Core

- [x] 1.1 Write the parser
- [ ] 1.2 Add a license check
- [x] 1.3 Delete the old cache
- [ ] 1.4 Write docs
"""
WEB = "# Web\n\n- [ ] Add login\n- [ ] Write tests\n- [ ] Update docs\n"
API = "# API\n\n- [ ] Add rate limit\n- [ ] Write tests\n- [x] Update docs\n"
ALPHA = """\
# Tasks: Alpha

## Phase 1: Setup of alpha

- [ ] T001 Create the project
- [ ] T002 [P] Lint

## Phase 3: User Story 1 - Log in

- [ ] T003 [US1] Login page in src/login.ts
"""
BETA = """\
# Tasks: Beta

## Phase 1: Setup of beta

- [ ] T001 Create the beta module
- [ ] T002 [P] Beta lint

## Phase 3: User Story 1 - Pay

- [ ] T003 [US1] Pay page in src/pay.ts
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def imported(place: Place, *words: str) -> dict[str, Any]:
    done = place.ralph("import", *words, "--json")
    assert done.code == 0, done.out
    data: dict[str, Any] = done.data
    return data


def titles(place: Place) -> dict[str, str]:
    tasks = place.ralph("list", "--all", "--json").data["tasks"]
    return {task["id"]: task["title"] for task in tasks}


def statuses(place: Place) -> dict[str, str]:
    return {id: place.task(id)["status"] for id in titles(place)}


# --- the table ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        # 1: the same id and the same words, whatever else
        (Facts(By.THIS, Words.ITS), Verdict.SAME),
        (Facts(By.THIS, Words.ITS, held=True, edited=True), Verdict.SAME),
        (Facts(By.THIS, Words.ITS, held=True, elsewhere=True, told=RENUMBERED), Verdict.SAME),
        # 2: a renumbered list: words decide
        (Facts(By.THIS, Words.OTHERS, told=RENUMBERED), Verdict.FOLLOWS),
        (Facts(By.THIS, Words.LOST, held=True, told=RENUMBERED), Verdict.FOLLOWS),
        (Facts(By.NOBODY, Words.OTHERS, told=RENUMBERED), Verdict.FOLLOWS),
        # 3: new work under an old number
        (Facts(By.THIS, Words.NEW, held=True, told=RENUMBERED), Verdict.NEW),
        (Facts(By.THIS, Words.NEW, elsewhere=True, told=RENUMBERED), Verdict.NEW),
        (Facts(By.THIS, Words.NEW, told=RENUMBERED), Verdict.SAME),
        # 4: an item was taken out, and those behind it have other numbers
        (Facts(By.THIS, Words.LOST), Verdict.FOLLOWS),
        (Facts(By.THIS, Words.LOST, elsewhere=True), Verdict.FOLLOWS),
        (Facts(By.THIS, Words.LOST, held=True), Verdict.ASK),
        (Facts(By.THIS, Words.LOST, told=REWORDED), Verdict.SAME),
        # 5: nothing was done yet: the list is followed
        (Facts(By.THIS, Words.NEW), Verdict.SAME),
        (Facts(By.THIS, Words.OTHERS), Verdict.SAME),
        (Facts(By.THIS, Words.NEW, elsewhere=True), Verdict.SAME),
        (Facts(By.THIS, Words.NEW, edited=True), Verdict.SAME),
        # 6: reworded, as a person says
        (Facts(By.THIS, Words.NEW, held=True, told=REWORDED), Verdict.SAME),
        (Facts(By.THIS, Words.OTHERS, held=True, told=REWORDED), Verdict.SAME),
        (Facts(By.THIS, Words.OTHERS, edited=True, told=REWORDED), Verdict.SAME),
        # 7: two readings
        (Facts(By.THIS, Words.NEW, held=True), Verdict.ASK),
        (Facts(By.THIS, Words.OTHERS, held=True), Verdict.ASK),
        (Facts(By.THIS, Words.OTHERS, edited=True), Verdict.ASK),
        (Facts(By.THIS, Words.NEW, edited=True, elsewhere=True), Verdict.ASK),
        # 8: a number that is new, and words whose number is gone
        (Facts(By.NOBODY, Words.LOST), Verdict.FOLLOWS),
        # 9: new words, or words that stand twice now
        (Facts(By.NOBODY, Words.NEW), Verdict.NEW),
        (Facts(By.NOBODY, Words.OTHERS), Verdict.NEW),
        # 10: a task that a person made, or an older version imported
        (Facts(By.PERSON, Words.ITS), Verdict.SAME),
        # 11: an id that means something in its file alone
        (Facts(By.PERSON, Words.NEW), Verdict.ANOTHER),
        (Facts(By.OTHER, Words.ITS), Verdict.ANOTHER),
        (Facts(By.OTHER, Words.NEW, told=REWORDED), Verdict.ANOTHER),
    ],
)
def test_what_an_item_is(facts: Facts, verdict: Verdict) -> None:
    assert import_identity.decide(facts) == verdict


@pytest.mark.parametrize(
    ("gone", "tasks", "same", "moved"),
    [(True, 3, 2, True), (True, 4, 2, False), (False, 3, 3, False), (True, 1, 1, True)],
)
def test_when_a_file_was_moved(gone: bool, tasks: int, same: int, moved: bool) -> None:
    assert import_identity.is_moved(gone=gone, tasks=tasks, same=same) == moved


@pytest.mark.parametrize(
    ("moves", "names", "lost"),
    [
        ({"2": "3", "3": "4"}, {"1", "2", "3"}, {"4", "3", "2"}),  # 2 was taken out
        ({"3": "2", "4": "3"}, {"1", "2", "3", "4"}, set()),  # one was put before 2
        ({"2": "3", "3": "2"}, {"1", "2", "3"}, set()),  # two were exchanged
        ({"2": "4", "3": "5"}, {"1", "2", "3"}, {"4", "5", "2", "3"}),
    ],
)
def test_which_ids_a_renumbered_list_lost(
    moves: dict[str, str], names: set[str], lost: set[str]
) -> None:
    assert import_identity.lost(moves, names) == lost


@pytest.mark.parametrize("form", ["{0}. {1}", "T00{0} {1}"])
def test_an_item_taken_out_of_a_list_is_gone_and_no_other_is_there_twice(
    world: World, form: str
) -> None:
    def write(*titles: str) -> None:
        items = (form.format(number, title) for number, title in enumerate(titles, 1))
        world.write("plan.md", "".join(f"- [ ] {item}\n" for item in items))

    write("Parser", "Printer", "Linter", "Docs")
    imported(world, "plan.md")
    before = titles(world)
    write("Parser", "Linter", "Docs")
    told = world.ralph("import", "plan.md")
    assert told.code == 0 and titles(world) == before
    gone = list(before)[1]
    assert f"no longer in the source, and kept here: {gone} (Printer)\n" in told.out
    third = world.task(list(before)[2])
    assert third["depends_on"] == [next(iter(before))]
    again = imported(world, "plan.md")
    assert (again["added"], again["updated"], again["removed"]) == ([], [], [gone])
    # One is put in and one taken out: what is gone for good is named.
    write("Parser", "Docs", "Linter", "Pages")
    notes = imported(world, "plan.md")["notes"]
    assert sorted(titles(world).values()) == ["Docs", "Linter", "Pages", "Parser", "Printer"], notes


def test_words_that_a_renumbered_list_has_no_more_are_named(world: World) -> None:
    world.write("plan.md", "- [ ] 1. Parser\n- [ ] 2. Printer\n- [ ] 3. Linter\n")
    imported(world, "plan.md")
    world.write("plan.md", "- [ ] 1. Parser\n- [ ] 2. Linter\n- [ ] 3. Pages\n")
    notes = imported(world, "plan.md")["notes"]
    assert "'Printer' is in plan.md no more: 2 is 'Linter' now." in notes


def test_words_that_went_are_named_also_where_others_came_before_them(world: World) -> None:
    world.write("plan.md", "- [ ] 1. Parser\n- [ ] 2. Printer\n- [ ] 3. Linter\n")
    world.ralph("import", "plan.md")
    world.write("plan.md", "- [ ] 1. Flag\n- [ ] 2. Parser\n- [ ] 3. Linter\n")
    notes = world.ralph("import", "plan.md", "--json").data["notes"]
    assert "'Printer' is in plan.md no more: 2 is 'Parser' now." in notes
    assert not [note for note in notes if "'Parser' is in" in note or "'Linter' is in" in note]


# --- the same words in two files ----------------------------------------------------------


@pytest.mark.parametrize("together", [True, False])
def test_the_same_words_in_two_plain_lists_are_two_tasks(world: World, together: bool) -> None:
    world.write("web.md", WEB)
    world.write("api.md", API)
    if together:
        notes = imported(world, "web.md", "api.md")["notes"]
    else:
        imported(world, "web.md")
        notes = imported(world, "api.md")["notes"]
    assert statuses(world) == {
        "add-login": "pending", "write-tests": "pending", "update-docs": "pending",
        "add-rate-limit": "pending", "api-write-tests": "pending", "api-update-docs": "complete",
    }  # fmt: skip
    said = "write-tests of api.md is api-write-tests here: write-tests is another task."
    assert any(said in note for note in notes)
    before = world.read()
    assert imported(world, "api.md")["updated"] == imported(world, "web.md")["updated"] == []
    assert len(imported(world, "api.md", "web.md")["unchanged"]) == 6
    assert world.read() == before
    # One that is reworded is the same; the other file's is not touched.
    world.replace("Write tests", "Write all tests", "api.md")
    data = imported(world, "api.md")
    assert (data["added"], data["updated"]) == ([], ["api-write-tests"])


def test_two_files_of_one_name_in_two_folders(world: World) -> None:
    for folder in ("a", "b", "c"):
        world.write(f"{folder}/todo.md", "- [ ] Write tests\n")
        imported(world, f"{folder}/todo.md")
    assert list(titles(world)) == ["write-tests", "todo-write-tests", "c-todo-write-tests"]


# --- renumbered, reworded, moved ----------------------------------------------------------


def done(world: World, *tasks: str) -> None:
    """Begin with the list, of which these tasks are complete."""
    world.write("plan.md", BEFORE)
    world.write("ralph.toml", "")
    imported(world, "plan.md")
    world.commit()
    for task in tasks:
        world.did(task, {f"{task}.txt": "done\n"})


def test_a_list_that_nobody_has_begun_is_followed(world: World) -> None:
    done(world, "1.1")
    world.write("plan.md", AFTER)
    data = imported(world, "plan.md")
    assert titles(world) == {
        "1.1": "Write the parser", "1.2": "Add a license check", "1.3": "Delete the old cache",
        "1.4": "Write docs",
    }  # fmt: skip
    assert (data["updated"], data["added"]) == (["1.2", "1.3"], ["1.4"])


def test_what_is_complete_never_changes_its_words_unasked(world: World) -> None:
    done(world, "1.1", "1.2")
    world.write("plan.md", AFTER)
    error = world.refused("import", "plan.md", code="words_changed")
    assert error["message"] == (
        "plan.md:6: 1.2 is complete here, and its words have changed from 'Delete the old cache' "
        "to 'Add a license check'; nothing was written. Either the list was renumbered: its work "
        "is 1.3 now, and 1.2 is other work (--renumbered). Or it is the same work in other words "
        "(--reworded)"
    )
    assert error["hint"] == "ralphgit import plan.md --renumbered"
    assert error["changed"] == [
        {"task": "1.2", "line": 6, "from": "Delete the old cache", "to": "Add a license check",
         "now": "1.3"},
    ]  # fmt: skip


def test_a_renumbered_list_keeps_what_was_done_with_its_words(world: World) -> None:
    done(world, "1.1", "1.2")
    world.write("plan.md", AFTER)
    data = imported(world, "plan.md", "--renumbered")
    assert titles(world) == {
        "1.1": "Write the parser", "1.2": "Delete the old cache", "1.3": "Write docs",
        "1.2-add-a-license-check": "Add a license check",
    }  # fmt: skip
    assert statuses(world) == {
        "1.1": "complete", "1.2": "complete", "1.3": "pending",
        "1.2-add-a-license-check": "pending",
    }  # fmt: skip
    assert "1.2 is 1.3 in plan.md now: it has the same words." in data["notes"]
    assert world.task("1.2")["x-source"]["id"] == "1.3"
    # What depends on a number depends on the task that has it now.
    assert world.task("1.3")["depends_on"] == ["1.2", "1.2-add-a-license-check"]
    assert world.task("1.2")["depends_on"] == ["1.1"]  # it is done, and waits for nothing
    before = world.read()
    assert sorted(imported(world, "plan.md")["unchanged"]) == sorted(titles(world))
    assert world.read() == before


def test_a_reworded_item_is_the_same_task(world: World) -> None:
    done(world, "1.1", "1.2")
    world.replace("Delete the old cache", "Delete the old caches", "plan.md")
    error = world.refused("import", "plan.md", code="words_changed")
    assert error["hint"] == "ralphgit import plan.md --reworded"
    assert imported(world, "plan.md", "--reworded")["updated"] == ["1.2"]
    assert titles(world)["1.2"] == "Delete the old caches"
    assert statuses(world)["1.2"] == "complete"
    assert world.ralph("import", "plan.md", "--reworded", "--renumbered").code == 2


@pytest.mark.parametrize(("titles", "hint"), [
    (("Draw the large map", "Print the map"), "reworded"),
    (("Show a dashboard of agents", "Send a mail"), "renumbered"),
    (("Draw the large map", "Send a mail"), "renumbered"),
])  # fmt: skip
def test_other_stories_under_the_ids_of_done_ones_are_other_work(
    world: World, titles: tuple[str, str], hint: str
) -> None:
    """A ralph loop's next prd.json replaces the last one, and counts from US-001 again."""

    def stories(*titles: str) -> str:
        listed = enumerate(titles, start=1)
        return json.dumps(
            [{"id": f"US-00{n}", "title": title, "passes": False} for n, title in listed]
        )

    world.write("prd.json", stories("Draw the map", "Print the map on paper"))
    imported(world, "prd.json")
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    world.write("prd.json", stories(*titles))
    error = world.refused("import", "prd.json", code="words_changed")
    assert error["hint"] == f"ralphgit import prd.json --{hint}"


PLAIN = "- [ ] Draw the map\n- [ ] Delete the old cache\n- [ ] Print the map\n"


@pytest.mark.parametrize(("before", "now", "same"), [
    (["Map", "Old cache", "Ink"], ["Map", "New cache", "Ink"], {"new cache": "old cache"}),
    (["Map", "Old cache"], ["Map", "New cache"], {"new cache": "old cache"}),
    (["Old cache"], ["New cache"], {"new cache": "old cache"}),
    # Other neighbours, several, none that is gone, too few words.
    (["Map", "Old cache", "Ink"], ["Map", "Ink", "New cache"], {}),
    (["Map", "Old cache", "Old pen"], ["Map", "New cache", "New pen"], {}),
    (["Map", "Ink"], ["Map", "Map two", "Ink"], {}),
    (["Map", "Old cache"], ["Map", "New blue cache"], {}),
    (["Map", "!"], ["Map", "?"], {}),
])  # fmt: skip
def test_which_task_an_item_stands_in_place_of(
    before: list[str], now: list[str], same: dict[str, str]
) -> None:
    def places(titles: list[str], *, free: bool = True) -> list[ListPlace]:
        return [ListPlace(title.casefold(), title, free) for title in titles]

    assert in_place_of(places(before), places(now)) == same
    assert in_place_of(places(before, free=False), places(now)) == {}
    assert in_place_of(places(before), places(now, free=False)) == {}


@pytest.mark.parametrize(("words", "same"), [
    ("Delete the old cache files", True),
    ("Measure all rivers", False),
])  # fmt: skip
def test_an_item_without_an_id_that_got_other_words(world: World, words: str, same: bool) -> None:
    """It is the same task where it stands between the same two and has half of the words."""
    world.write("todo.md", PLAIN)
    imported(world, "todo.md")
    world.replace("Delete the old cache", words, "todo.md")
    data = imported(world, "todo.md")
    assert (len(data["added"]), data["updated"]) == (
        (0, ["delete-the-old-cache"]) if same else (1, [])
    )
    assert titles(world)["delete-the-old-cache"] == (words if same else "Delete the old cache")
    again = imported(world, "todo.md")
    assert (again["added"], again["updated"], len(again["unchanged"])) == ([], [], 3)


def test_work_that_was_begun_keeps_its_words_in_a_list_without_ids(world: World) -> None:
    world.write("todo.md", PLAIN)
    imported(world, "todo.md")
    done(world, "delete-the-old-cache")
    world.replace("Delete the old cache", "Delete the old cache files", "todo.md")
    assert imported(world, "todo.md")["added"] == ["delete-the-old-cache-files"]
    assert titles(world)["delete-the-old-cache"] == "Delete the old cache"


def test_claimed_work_is_held_where_it_is_claimed_and_elsewhere(world: World) -> None:
    done(world)
    alpha = world.worktree("alpha")
    alpha.claim("1.1")
    world.replace("Write the parser", "Write a lexer", "plan.md")
    error = world.refused("import", "plan.md", code="words_changed")
    assert error["message"].startswith("plan.md:5: 1.1 is claimed here, and its words")


def test_a_number_that_moved_alone_takes_the_task_along(world: World) -> None:
    done(world, "1.1")
    world.write("plan.md", BEFORE.replace("- [ ] 1.1", "- [ ] 2.1"))
    data = imported(world, "plan.md")
    assert (data["added"], data["removed"]) == ([], [])
    assert statuses(world)["1.1"] == "complete"
    assert "1.1 is 2.1 in plan.md now: it has the same words." in data["notes"]


def test_a_moved_file_is_the_same_file_also_with_changes(world: World) -> None:
    done(world, "1.1")
    world.git("mv", "plan.md", "specs.md")
    world.replace("Write docs", "Write the docs", "specs.md")
    data = imported(world, "specs.md")
    assert (data["added"], data["updated"], data["removed"]) == ([], ["1.3"], [])
    assert world.task("1.2")["x-source"]["file"] == "specs.md"
    world.replace("- [ ] 1.2 Delete the old cache\n", "", "specs.md")
    assert imported(world, "specs.md")["removed"] == ["1.2"]


def test_a_copy_of_a_list_with_ids_is_another_list(world: World) -> None:
    done(world)
    world.write("docs/plan.md", BEFORE)
    error = world.refused("import", "docs/plan.md", code="other_source", exit=6)
    assert error["hint"] == "ralphgit import --prefix docs- docs/plan.md"


# --- a second spec ------------------------------------------------------------------------


@pytest.fixture
def specs(world: World) -> World:
    world.write("specs/001/tasks.md", ALPHA)
    world.write("specs/002/tasks.md", BETA)
    imported(world, "specs/001/tasks.md")
    imported(world, "specs/002/tasks.md", "--prefix", "B-")
    return world


def listed(world: World, key: str) -> dict[str, str]:
    """The titles of the stories, or milestones, of the graph."""
    lines = world.read().partition(f"\n{key}:\n")[2].splitlines()
    inside = [*itertools.takewhile(lambda line: line.startswith(" "), lines)]
    found = [line.partition(": ")[2].strip("'\"") for line in inside if line[:8] in STARTS]
    return dict(zip(found[::2], found[1::2], strict=True))


STARTS = ("  - id: ", "    titl")


def test_a_prefix_stands_before_stories_and_milestones_too(specs: World) -> None:
    assert specs.task("T003")["story"] == "US1"
    task = specs.task("B-T003")
    assert (task["story"], task["milestone"]) == ("B-US1", "B-phase-3")
    assert specs.task("B-T001")["story"] == "B-phase-1"
    assert listed(specs, "stories") == {
        "phase-1": "Phase 1: Setup of alpha", "B-phase-1": "Phase 1: Setup of beta",
        "US1": "Phase 3: User Story 1 - Log in", "B-US1": "Phase 3: User Story 1 - Pay",
    }  # fmt: skip
    assert listed(specs, "milestones") == {
        "phase-3": "Phase 3: User Story 1 - Log in", "B-phase-3": "Phase 3: User Story 1 - Pay",
    }  # fmt: skip


def test_what_tasks_are_of_two_ways_is_a_story_and_a_milestone(world: World) -> None:
    """In Kiro's lists an item around others is the story, and the phase above is no story then."""
    world.write("tasks.md", """\
## Phase 1: Base

Use Python 3.12.

- [ ] 1. Begin
- [ ] 1.1 One
- [ ] 1.2 Two

## Phase 2: Rest

- [ ] 2. End
- [ ] 2.1 Three
- [ ] 3. Release
""")  # fmt: skip
    done = world.ralph("import", "tasks.md")
    assert listed(world, "stories") == {"phase-2": "Phase 2: Rest", "1": "Begin", "2": "End"}
    assert listed(world, "milestones") == {
        "phase-1": "Phase 1: Base", "phase-2": "Phase 2: Rest",
    }  # fmt: skip
    assert "added: 3 stories, 2 milestones" in done.out
    assert world.ralph("import", "tasks.md").out.splitlines()[0] == "unchanged: 4 tasks"
    # What a phase says reaches its workers, too; its title alone says nothing new.
    told = [world.ralph("packet", id, "--json").data["packet"] for id in ("1.1", "2.1")]
    assert [one["background"] for one in told] == [
        "Begin\n\nPhase 1: Base\n\nUse Python 3.12.",
        "End",
    ]


def test_a_prefix_is_remembered(specs: World) -> None:
    specs.replace("- [ ] T002", "- [ ] T009 Seed\n- [ ] T002", "specs/002/tasks.md")
    data = imported(specs, "specs/002/tasks.md")
    assert (data["added"], data["removed"]) == (["B-T009"], [])
    assert specs.task("B-T009")["depends_on"] == ["B-T001"]
    before = specs.read()
    assert imported(specs, "specs/002/tasks.md", "--prefix", "B-")["updated"] == []
    assert specs.read() == before
    error = specs.refused(
        "import", "specs/002/tasks.md", "--prefix", "C-", code="other_prefix", exit=2
    )
    assert error["hint"] == "ralphgit import --prefix B- specs/002/tasks.md"


def test_a_renamed_phase_arrives(specs: World) -> None:
    specs.replace("Setup of beta", "Begin beta", "specs/002/tasks.md")
    imported(specs, "specs/002/tasks.md")
    assert "Phase 1: Begin beta" in listed(specs, "stories")["B-phase-1"]
    # What was changed here stays, and both are said.
    specs.replace("Begin beta", "Beta begins", "task-graph.yaml")
    specs.replace("Begin beta", "Start beta", "specs/002/tasks.md")
    data = imported(specs, "specs/002/tasks.md")
    assert "B-phase-1: title changed here and in the source; kept." in data["notes"]
    assert "Phase 1: Beta begins" in listed(specs, "stories")["B-phase-1"]


# --- an older copy, and boxes that open again ---------------------------------------------


def test_an_older_copy_is_told(world: World) -> None:
    done(world)
    world.replace("Write docs", "Write all docs", "plan.md")
    assert imported(world, "plan.md")["updated"] == ["1.3"]
    world.write("plan.md", BEFORE)
    told = world.ralph("import", "plan.md", "--json").json["warnings"]
    assert told == [
        "plan.md says again what it said before its last change, as an older copy of it would "
        "(1.3: title)"
    ]
    world.replace("Write docs", "Write the docs", "plan.md")
    assert world.ralph("import", "plan.md", "--json").json["warnings"] == []


def test_what_is_unticked_in_the_source_and_complete_here_is_said_once(world: World) -> None:
    world.write("plan.md", BEFORE.replace("[ ] 1.1", "[x] 1.1"))
    imported(world, "plan.md")
    world.commit()
    world.write("plan.md", BEFORE)
    data = imported(world, "plan.md")
    assert data["kept"] == ["1.1"]
    assert data["notes"][-1] == (
        "1.1 is open again in the source, complete here: ralphgit reset 1.1 --reopen --reason TEXT"
    )
    assert statuses(world)["1.1"] == "complete"
    world.commit()
    assert world.ralph("reset", "1.1", "--reopen", "--reason", "not done").code == 0
    assert statuses(world)["1.1"] == "pending"
    assert imported(world, "plan.md")["kept"] == []


def test_a_folder_of_lists_tells_the_same_ids_apart_by_their_folders(world: World) -> None:
    """OpenSpec's changes, the specs of Kiro and spec-kit: each counts from one."""
    for change, words in (("add-auth", "Log in"), ("add-search", "Search"), ("archive/old", "Old")):
        world.write(f"openspec/changes/{change}/tasks.md", f"- [ ] 1.1 {words}\n- [ ] 1.2 Tests\n")
    world.write("openspec/AGENTS.md", "```markdown\n- [ ] 1.1 An example\n```\n")
    told = list[str]()
    for place in ("openspec", "openspec/changes"):
        data = world.ralph("import", place, "--json").data
        told += data["notes"]
        if place == "openspec":
            assert data["added"] == [
                "add-auth-1.1", "add-auth-1.2", "add-search-1.1", "add-search-1.2"
            ]  # fmt: skip
        assert (len(data["unchanged"]), data["updated"]) == (0 if data["added"] else 4, [])
    notes = (
        "Several lists have the same ids. They begin here with: add-auth- "
        "(openspec/changes/add-auth/tasks.md), add-search- (openspec/changes/add-search/tasks.md)."
    )
    assert notes in told
    # Those that come later; what one alone has is told apart, too.
    world.write("openspec/changes/add-cart/tasks.md", "- [ ] 1.1 Cart\n- [ ] 2.1 Pay\n")
    world.write("openspec/changes/add-more/tasks.md", "- [ ] 7.1 More\n")
    data = world.ralph("import", "openspec", "--json").data
    assert data["added"] == ["add-cart-1.1", "add-cart-2.1", "add-more-7.1"]
    world.write("openspec/changes/add-tax/tasks.md", "- [ ] 1.1 Tax\n")
    data = world.ralph("import", "openspec", "--json").data
    assert (data["added"], data["updated"]) == (["add-tax-1.1"], [])
    assert world.ralph("import", "openspec/changes/add-tax/tasks.md", "--json").data["added"] == []


def test_long_headings_of_a_folder_of_lists_make_ids_that_are_cut_at_a_word(world: World) -> None:
    """What OpenSpec's folders are called, and stories after their headings."""
    change = "add-refunds-for-orders-of-several-shops"
    heading = "## 1. Write refunds for a {} shop\n\n"
    path = f"openspec/changes/{change}/tasks.md"
    first, second = heading.format("small"), heading.format("large")
    text = f"{first}- [ ] 1.1 Write it\n\n{second}- [ ] 1.2 Read it\n"
    world.write(path, text)
    world.write("openspec/changes/add-tax/tasks.md", "- [ ] 1.1 Tax\n")
    for times in range(2):
        data = world.ralph("import", "openspec", "--json").data
        assert (len(data["added"]), data["updated"]) == (0 if times else 3, [])
    stories = [world.task(f"{change}-{number}")["story"] for number in ("1.1", "1.2")]
    assert stories == [f"{change}-1-write-refunds-for-a", f"{change}-1-write-refunds-for-a-2"]


def test_long_words_behind_a_prefix_make_ids_that_are_cut_at_a_word(world: World) -> None:
    """Without ids of their own; the file remembers which is which, and its prefix."""
    prefix = "orders-of-several-shops-in-one-cart-"
    lines = [f"- [ ] Write the refund into the ledger of {one}\n" for one in ("Ann", "Bob")]
    world.write("todo.md", "".join(lines))
    added = world.ralph("import", "todo.md", "--prefix", prefix, "--json").data["added"]
    assert added == [f"{prefix}write-the-refund-into-the", f"{prefix}write-the-refund-into-the-2"]
    more = "- [ ] Write the refund into the ledger of Cid\n"
    world.write("todo.md", more + "".join(reversed(lines)))
    data = world.ralph("import", "todo.md", "--json").data
    assert (data["added"], data["updated"]) == ([f"{prefix}write-the-refund-into-the-3"], [])
    assert world.task(added[1])["title"] == "Write the refund into the ledger of Bob"


def test_beside_a_list_other_documents_of_its_folder_are_none(world: World) -> None:
    world.write("specs/login/tasks.md", "- [ ] T001 a\n")
    world.write("specs/login/plan.md", "- [ ] T001 b\n")
    world.write("specs/login/spec.md", "# Words\n")
    data = world.ralph("import", "specs/login", "--json").data
    assert data["added"] == ["T001"]
    assert "1 file with a list beside the tasks not read: specs/login/plan.md." in data["notes"]


@pytest.mark.parametrize(
    ("words", "same"),
    [
        ("Write the parser ✅ commit 1f2e3d4", True),
        ("✅ Write the parser", True),
        ("Write the parser (done 2026-01-02, #12)", True),
        ("Write the parser - merged in PR #12", True),
        ("Write the parser 1f2e3d4a", True),
        ("Write the parser 2", False),
        ("Write the parser (not done)", False),
        ("Write the parsers ✅", False),
        ("Write the parser and delete the done list", False),
    ],
)
def test_a_remark_that_an_item_is_done_is_no_other_work(words: str, same: bool) -> None:
    assert import_identity.is_annotated(words, "Write the parser") == same


@pytest.mark.parametrize(
    ("words", "same"),
    [
        ("[T] Write the parser", True),
        ("[T][US 1] 🛑 [HUMAN] Write the parser", True),
        ("[T] Write the printer", False),
        ("(Write the parser", False),
        ("[x] Write the parser", False),
        ("Write the parser", False),
    ],
)
def test_other_markers_before_words_make_no_other_work(words: str, same: bool) -> None:
    assert import_identity.is_marked(words, "Write the parser") == same
    assert import_identity.is_marked("[P] Write the parser", words) == (
        same or words == "Write the parser"
    )
    assert not import_identity.is_marked("[T]", "[P]")


def test_an_item_without_an_id_may_get_a_remark_that_it_is_done(world: World) -> None:
    """As Conductor writes the commit behind a task: the id is made of the words."""
    world.write("plan.md", "- [ ] Task: Draw\n- [ ] Task: Sell\n")
    world.ralph("import", "plan.md")
    world.write("task-graph.yaml", world.read().replace("pending", "complete"))
    world.write("plan.md", "- [x] Task: Draw [5f393ab]\n- [x] Task: Sell [af02613]\n")
    data = world.ralph("import", "plan.md", "--json").data
    assert (data["added"], data["removed"], data["updated"]) == ([], [], [])
    assert (world.task("draw")["title"], data["notes"]) == ("Draw", [])
    world.write("plan.md", "- [x] Task: Draw\n- [x] Task: Sell [af02613]\n")
    data = world.ralph("import", "plan.md", "--json").data
    assert (data["updated"], data["notes"]) == ([], [])
    world.write("plan.md", "- [x] Task: Draw [5f393ab]\n- [x] Task: Sell [af02613]\n")
    again = world.ralph("import", "plan.md", "--json").data
    assert (again["added"], again["removed"], again["updated"]) == ([], [], [])
    told = world.ralph("export", "--tick", "plan.md")
    assert (told.out, told.err) == ("marked as done in plan.md: nothing\n", "")


def test_the_commit_behind_an_item_is_no_criterion_of_what_is_done(world: World) -> None:
    """Conductor writes it behind the check of a phase, whose words are the criterion."""
    line = "Task: Conductor - User Manual Verification 'Phase 1' (Protocol in workflow.md)"
    world.write("plan.md", f"- [ ] Task: Draw\n- [ ] {line}\n")
    world.ralph("import", "plan.md")
    world.write("task-graph.yaml", world.read().replace("pending", "complete"))
    before = world.read()
    world.write("plan.md", f"- [x] Task: Draw 1f2e3d4\n- [x] {line} 7fae265\n")
    data = world.ralph("import", "plan.md", "--json").data
    assert (data["added"], data["removed"], data["updated"]) == ([], [], [])
    kept = [line for line in world.read().splitlines() if "id: " not in line]
    assert [line for line in kept if line not in before] == []
    assert world.ralph("import", "plan.md", "--json").data["updated"] == []


def test_items_of_the_same_words_may_all_get_the_commit_that_did_them(world: World) -> None:
    plan = "## Phase 1: A\n\n- [ ] Task: Test\n\n## Phase 2: B\n\n- [ ] Task: Test\n"
    world.write("plan.md", plan)
    first = world.ralph("import", "plan.md", "--json").data["added"]
    done = plan.replace("[ ]", "[x]").replace("Test\n\n", "Test 1f2e3d4\n\n")
    world.write("plan.md", f"{done.rstrip()} 2f2e3d5\n")
    data = world.ralph("import", "plan.md", "--json").data
    assert (data["added"], data["removed"], data["updated"]) == ([], [], [])
    assert data["unchanged"] == first


def test_what_is_complete_may_lose_a_marker(world: World) -> None:
    world.write("plan.md", "- [x] T1 [T] Write the parser\n- [ ] T2 b\n")
    world.ralph("import", "plan.md")
    world.write("plan.md", "- [x] T1 [P] Write the parser\n- [ ] T2 b\n")
    assert world.ralph("import", "plan.md", "--json").data["updated"] == ["T1"]
    assert world.task("T1")["title"] == "Write the parser"


def test_what_is_complete_may_get_a_remark_that_it_is(world: World) -> None:
    world.write("plan.md", "- [x] T1 Write the parser\n- [ ] T2 b\n")
    world.ralph("import", "plan.md")
    remarked = "Write the parser ✅ commit 1f2e3d4"
    world.write("plan.md", f"- [x] T1 {remarked}\n- [ ] T2 b\n")
    data = world.ralph("import", "plan.md", "--json").data
    assert (data["updated"], world.task("T1")["title"]) == ([], "Write the parser")
    world.write("plan.md", "- [x] T1 Write the parser\n- [ ] T2 b\n")
    assert world.ralph("import", "plan.md", "--json").data["updated"] == []
    world.write("plan.md", "- [x] T1 Write the lexer\n- [ ] T2 b\n")
    world.refused("import", "plan.md", code="words_changed", exit=8)


def test_what_is_complete_may_get_a_line_that_says_how(world: World) -> None:
    """The question showed the same words twice."""
    long = "Flag the two divergences between spec and design to the team, and write them down"
    world.write("plan.md", f"- [x] 1.1 {long}\n- [ ] 1.2 b\n")
    world.ralph("import", "plan.md")
    world.write(
        "plan.md", f"- [x] 1.1 {long}\n      DONE \u2014 see PR 3, both said.\n- [ ] 1.2 b\n"
    )
    data = world.ralph("import", "plan.md", "--json").data
    assert (data["updated"], world.task("1.1")["title"]) == ([], long)
    world.write("plan.md", f"- [x] 1.1 {long} at once\n- [ ] 1.2 b\n")
    said = world.refused("import", "plan.md", code="words_changed", exit=8)["message"]
    assert "from '...them down' to '...them down at once'; nothing" in said


PARTED = """\
# Plan

## Phase 1: Sources

### Alpha

- [ ] Search docs
- [ ] Write the parser

### Beta

- [ ] Search docs
- [ ] Write the parser

### Gamma

- [ ] Search docs
- [ ] Write the parser

## Phase 2: Rest

- [ ] Ship it
"""
FIRST = "### Alpha\n\n- [ ] Search docs\n- [ ] Write the parser\n\n"
SECOND = FIRST.replace("Alpha", "Beta")


def every(world: World) -> list[dict[str, Any]]:
    lines = world.ralph("export", "--format", "jsonl").out.splitlines()
    listed: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return listed


def part_of(world: World) -> str:
    """The heading of the one task that is complete."""
    (task,) = (one for one in every(world) if one["status"] == "complete")
    assert task["title"] == "Write the parser"
    return str(task["description"])


def done_below_beta(world: World) -> str:
    """Its id."""
    world.write("p.md", PARTED)
    world.ralph("import", "p.md")
    id = next(
        one["id"] for one in every(world)
        if one["title"] == "Write the parser" and one["description"] == "Part of: Beta"
    )  # fmt: skip
    world.write(
        "task-graph.yaml",
        re.sub(rf"(- id: {id}\n.*\n.*status: )pending", r"\1complete", world.read()),
    )
    assert part_of(world) == "Part of: Beta"
    return str(id)


@pytest.mark.parametrize(
    "changed",
    [
        PARTED.replace(FIRST, "### Alpha\n\n- [ ] Search docs\n\n"),
        PARTED.replace(FIRST, ""),
        PARTED.replace(FIRST + SECOND, SECOND + FIRST),
        PARTED.replace(FIRST, FIRST.replace("Alpha", "Zero") + FIRST),
    ],
)
@pytest.mark.parametrize("again", [True, False])
def test_the_same_words_below_other_headings_are_other_work(
    world: World, changed: str, again: bool
) -> None:
    id = done_below_beta(world)
    world.write("p.md", changed)
    if again:
        data = world.ralph("import", "p.md", "--json").data
        assert {*data["updated"]} <= {"ship-it"}  # which waits for all before it
        assert len(data["added"]) == (2 if "Zero" in changed else 0)
        assert part_of(world) == "Part of: Beta"
    told = world.ralph("export", "--tick", "p.md")
    assert told.out == f"marked as done in p.md: {id}\n"
    beta = world.read("p.md").partition("### Beta")[2].partition("###")[0]
    assert "[x] Write the parser" in beta
    assert world.read("p.md").count("[x]") == 1


@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize("heading", ["Bravo", "2. Beta", "Beta: the second"])
def test_a_section_that_was_renamed_keeps_what_is_done_in_it(
    world: World, heading: str, again: bool
) -> None:
    id = done_below_beta(world)
    changed = PARTED.replace("### Beta", f"### {heading}")
    world.write("p.md", changed)
    if again:
        data = world.ralph("import", "p.md", "--json").data
        assert (data["added"], data["removed"], len(data["updated"])) == ([], [], 2)
        assert part_of(world) == f"Part of: {heading}"
        assert world.ralph("import", "p.md", "--json").data["updated"] == []
    told = world.ralph("export", "--tick", "p.md")
    assert told.out == f"marked as done in p.md: {id}\n"
    done = changed.replace("### Gamma", "###Gamma").rpartition("- [ ] Write the parser\n\n###Gamma")
    assert world.read("p.md") == done[0] + "- [x] Write the parser\n\n### Gamma" + done[2]


def test_it_is_asked_which_of_two_new_sections_one_is(world: World) -> None:
    id = done_below_beta(world)
    world.commit()
    two = SECOND.replace("Beta", "Bravo") + SECOND.replace("Beta", "Delta")
    world.write("p.md", PARTED.replace(SECOND, two))
    said = world.refused("import", "p.md", code="words_changed", exit=8)
    assert said["message"] == (
        f"p.md:13: {id} is complete here, and its heading ('phase-1, Beta') is gone, while the "
        "same words ('Write the parser') stand below a new one ('phase-1, Bravo'); nothing was "
        "written. Either 'phase-1, Bravo' is other work (--renumbered), or it is the same work "
        "below another heading (--reworded)"
    )
    assert said["hint"] == "ralphgit import p.md --renumbered"
    told = world.ralph("export", "--tick", "p.md").out
    assert told == (
        f"marked as done in p.md: nothing\nnot found in p.md, or in other words: {id}\n"
    )
    for how, heading, added in (("--renumbered", "Beta", 3), ("--reworded", "Bravo", 2)):
        data = world.ralph("import", "p.md", how, "--json").data
        assert (part_of(world), len(data["added"])) == (f"Part of: {heading}", added)
        world.git("checkout", "-q", "task-graph.yaml")


def test_a_new_section_is_none_that_was_taken_out_before(world: World) -> None:
    id = done_below_beta(world)
    world.write("p.md", PARTED.replace(SECOND, ""))
    data = imported(world, "p.md")
    assert (data["updated"], len(data["unchanged"])) == (["ship-it"], 4)
    assert id in data["removed"]
    text = world.read()
    assert imported(world, "p.md")["updated"] == []
    assert world.read() == text
    world.write("p.md", PARTED.replace("### Beta", "### Bravo"))
    data = imported(world, "p.md")
    assert (part_of(world), len(data["added"])) == ("Part of: Beta", 1)
    world.write("p.md", PARTED)
    assert id not in imported(world, "p.md")["removed"]
    assert "gone" not in world.read()


def test_a_story_without_a_number_that_was_renamed_keeps_what_is_done_in_it(world: World) -> None:
    plan = "# P\n\n## Web\n\n- [ ] Test\n- [ ] Ship\n\n## API\n\n- [ ] Test\n- [ ] Ship\n"
    world.write("p.md", plan)
    world.ralph("import", "--prefix", "p-", "p.md")
    world.write("task-graph.yaml", world.read().replace("pending", "complete", 1))
    done = [one["id"] for one in every(world) if one["status"] == "complete"]
    world.write("p.md", plan.replace("Web", "Front end"))
    assert imported(world, "p.md")["added"] == []
    (task,) = (one for one in every(world) if one["status"] == "complete")
    assert ([task["id"]], task["story"]) == (done, "p-front-end")


A, B, C, N = ("one", "A"), ("one", "B"), ("one", "C"), ("one", "N")
TEST = ("search", "write")


@pytest.mark.parametrize(
    ("before", "now", "same", "doubtful"),
    [
        # 1: an item of its own
        ({A: TEST, B: (*TEST, "own")}, {N: ("own", *TEST), A: TEST}, {B: N}, []),
        ({A: ("a", "b", "x"), B: ("x",)}, {N: ("a", "x"), C: ("b",), B: ("x",)}, {A: N}, [A]),
        # 2: the number before it
        (
            {("one", "1. Lexer"): TEST, ("one", "2. Parser"): TEST},
            {("one", "1. Docs"): TEST, ("one", "2. Lexer"): TEST, ("one", "3. Parser"): TEST},
            {("one", "1. Lexer"): ("one", "2. Lexer"), ("one", "2. Parser"): ("one", "3. Parser")},
            [],
        ),
        # 3: a number or a letter alone
        (
            {("one", "Sprint 1"): TEST, ("one", "Rest"): TEST},
            {("one", "Sprint 2"): TEST, ("one", "Rest"): TEST},
            {("one", "Sprint 1"): ("one", "Sprint 2")},
            [("one", "Sprint 1")],
        ),
        # 4: all that stand there
        (
            {A: TEST, ("one", "Beta"): TEST, ("one", "Gamma"): TEST, C: TEST},
            {A: TEST, ("one", "Bravo"): TEST, ("one", "Golf"): TEST, C: TEST},
            {("one", "Beta"): ("one", "Bravo"), ("one", "Gamma"): ("one", "Golf")},
            [],
        ),
        # 5: the one that has the same items
        (
            {A: TEST, ("one", "Beta"): TEST, C: TEST},
            {A: TEST, ("one", "New"): ("plan", "write"), ("one", "Bravo"): TEST, C: TEST},
            {("one", "Beta"): ("one", "Bravo")},
            [],
        ),
        # 6: half of its items
        (
            {A: TEST, ("one", "Beta"): TEST},
            {A: TEST, ("one", "Bravo"): ("search", "more", "write")},
            {("one", "Beta"): ("one", "Bravo")},
            [],
        ),
        # in another story that both have
        (
            {A: TEST, ("two", "Beta"): TEST, ("two", "Rest"): TEST},
            {A: TEST, ("one", "Bravo"): TEST, ("two", "Rest"): TEST},
            {("two", "Beta"): ("one", "Bravo")},
            [("two", "Beta")],
        ),
        # 7: elsewhere, or one of two
        (
            {A: TEST, ("one", "Beta"): TEST, C: TEST},
            {A: TEST, C: TEST, ("one", "Bravo"): TEST},
            {("one", "Beta"): ("one", "Bravo")},
            [("one", "Beta")],
        ),
        (
            {A: TEST, ("one", "Beta"): TEST},
            {A: TEST, ("one", "Delta"): TEST, ("one", "Bravo"): TEST},
            {("one", "Beta"): ("one", "Delta")},
            [("one", "Beta")],
        ),
        # 8: new
        ({A: TEST, B: ("b",)}, {A: TEST, ("one", "Bravo"): TEST}, {}, []),
        ({A: TEST}, {A: TEST, B: TEST}, {}, []),
    ],
)
def test_which_sections_were_renamed(before: Any, now: Any, same: Any, doubtful: Any) -> None:
    found = renamed_sections.find(before, now, {}, "")
    assert (found.same, found.doubtful) == (same, frozenset(doubtful))
    assert renamed_sections.find(before, now, {}, REWORDED) == (same, frozenset())
    assert renamed_sections.find(before, now, {}, RENUMBERED) == ({}, frozenset())


def test_an_item_that_got_the_words_of_one_that_is_done_is_new(world: World) -> None:
    world.write("p.md", "## Phase 1\n\n### B\n\n- [ ] Write\n- [ ] c\n")
    world.ralph("import", "p.md")
    world.write("task-graph.yaml", world.read().replace("pending", "complete", 1))
    world.write("p.md", "## Phase 1\n\n### A\n\n- [ ] Write\n\n### B\n\n- [ ] Write\n- [ ] c\n")
    data = world.ralph("import", "p.md", "--json").data
    assert (len(data["added"]), data["removed"], data["updated"]) == (1, [], [])
    assert world.task(data["added"][0])["description"] == "Part of: A"


def test_of_the_same_words_below_one_heading_each_stays_between_its_neighbours(
    world: World,
) -> None:
    world.write("p.md", "- [ ] Test\n- [ ] a\n- [ ] Test\n- [ ] b\n")
    world.ralph("import", "p.md")
    second = every(world)[2]["id"]
    world.write(
        "task-graph.yaml",
        re.sub(rf"(- id: {second}\n.*\n.*status: )pending", r"\1complete", world.read()),
    )
    world.write("p.md", "- [ ] a\n- [ ] Test\n- [ ] b\n")
    data = world.ralph("import", "p.md", "--json").data
    assert (data["added"], second in data["removed"], len(data["removed"])) == ([], False, 1)
    assert world.ralph("export", "--tick", "p.md").out == f"marked as done in p.md: {second}\n"
    assert world.read("p.md") == "- [ ] a\n- [x] Test\n- [ ] b\n"


def test_the_command_for_what_is_cancelled_in_the_source_works_as_it_is_typed(world: World) -> None:
    """A note said at once that the open task was cancelled here."""
    issue = '{"id":"b-1","title":"A","status":"STATUS","priority":2,"issue_type":"task"}\n'
    for status in ("open", "tombstone"):
        world.write(".beads/issues.jsonl", issue.replace("STATUS", status))
        data = imported(world, ".beads/issues.jsonl")
        world.commit()
    assert [note for note in data["notes"] if "b-1" in note or "tombstone" in note] == [
        "1 tombstone in the source, taken for cancelled; x-beads keeps the word.",
        'b-1 is cancelled in the source, pending here: ralphgit edit b-1 --cancel "cancelled in '
        'the source"',
    ]
    typed = shlex.split(data["notes"][-1].rpartition(": ralphgit ")[2])
    assert world.ralph(*typed).code == 0
    assert statuses(world)["b-1"] == "cancelled"
