"""Formats with one task a file: Backlog.md, ccpm's epics, BMAD's stories, tickets without an id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import ryaml
from world import World

from ralphgit.errors import InvalidRecord
from ralphgit.records.importers import Imported, convert

Task = dict[str, Any]

BACKLOG = {
    "tasks/back-10 - ten.md": """\
---
id: BACK-10
title: 'Ten: the last'
status: To Do
assignee: [@me]
created_date: '2025-01-01'
dependencies: [back-2.1, BACK-0]
priority: high
---

## Acceptance Criteria
<!-- AC:BEGIN -->
- [x] #1 It is shown
- [ ] #3 It opens
<!-- AC:END -->
""",
    "tasks/back-2 - two.md": """\
---
id: BACK-2
title: Two
status: In Progress
updated_date: '2025-01-01'
dependencies:
  - BACK-1
ordinal: 2000
---
""",
    "tasks/back-2.1 - part.md": """\
---
id: BACK-2.1
title: Part
status: To Do
created_date: '2025-01-01'
dependencies: []
parent_task_id: BACK-2
ordinal: 1000
---
""",
    "completed/back-1 - one.md": """\
---
id: BACK-1
title: One
status: Done
created_date: '2025-01-01'
---
""",
    "tasks/readme.md": "# Read me\n",
    "tasks/release.md": "# Release\n\n- [ ] Tag it\n",
}

CCPM = """\
---
name: Move the class
status: open
created: 2026-03-28T17:50:49Z
updated: 2026-03-28T17:50:49Z
depends_on: [001]
parallel: false
conflicts_with: [010]
---

# Task: Move the class

## Acceptance Criteria

- [ ] The class is in the new file
- [x] The old file has no such class

## Definition of Done

- [ ] Tests pass
"""

BMAD = """\
# Story 1.2: Log in

Status: Ready for Review

## Story

As a user, I want to log in.

## Acceptance Criteria

1. A form is shown
   - with a password
2. A wrong password is refused

## Tasks / Subtasks

- [x] Task 1: Form (AC: 1)
  - [x] Write it
- [ ] Task 2: Session (AC: 2)
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def read(text: str, name: str = "T.md") -> Imported:
    return convert(name, text.encode(), ryaml.loads)


def only(text: str, name: str = "T.md") -> Task:
    (task,) = read(text, name).tasks
    return task


def test_the_folder_of_backlog_md_as_a_whole(world: World) -> None:
    for name, text in BACKLOG.items():
        world.write(f"backlog/{name}", text)
    done = world.ralph("import", "backlog", "--json")
    assert done.code == 0, done
    # As the board has them: by ordinal, then by number.
    new = done.data["added"]
    tasks = {name: world.task(name) for name in new}
    assert new == ["BACK-2.1", "BACK-2", "BACK-10", "BACK-1"]
    assert {name: tasks[name].get("depends_on") for name in new} == {
        "BACK-1": None, "BACK-2": ["BACK-1", "BACK-2.1"], "BACK-2.1": None, "BACK-10": ["BACK-2.1"],
    }  # fmt: skip
    assert tasks["BACK-10"]["x-missing-dependencies"] == ["BACK-0"]
    assert tasks["BACK-2.1"]["story"] == "BACK-2"
    # No worker could change a file for what is done in its parts.
    whole = tasks["BACK-2"]
    assert (whole["mode"], whole["acceptance"][0]["text"]) == (
        "verify",
        "all of its parts are done",
    )
    assert "mode" not in tasks["BACK-2.1"]
    assert (tasks["BACK-1"]["status"], tasks["BACK-2"]["status"]) == ("complete", "pending")
    last = tasks["BACK-10"]
    assert last["acceptance"] == [
        {"id": "ACC-1", "text": "It is shown", "x-ticked": True},
        {"id": "ACC-3", "text": "It opens"},
    ]
    assert "<!--" not in last["description"]
    assert (last["assignee"], last["priority"], last["title"]) == (["@me"], 1, "Ten: the last")
    assert not {"dependencies", "parent_task_id", "updated_date"} & {*last, *tasks["BACK-2"]}
    assert done.data["notes"][:2] == [
        "1 file without a task not read: backlog/tasks/readme.md.",
        "1 file with a list beside the tasks not read: backlog/tasks/release.md.",
    ]
    again = world.ralph("import", "backlog", "--json").data
    assert (again["added"], again["updated"], len(again["unchanged"])) == ([], [], 4)


def test_a_task_of_an_epic_is_called_as_its_file_is() -> None:
    task = only(CCPM, ".claude/epics/shop/002.md")
    assert (task["id"], task["title"], task["story"]) == ("002", "Move the class", "shop")
    assert (task["depends_on"], task["conflicts_with"]) == (["001"], ["010"])
    assert task["acceptance"] == [
        {"id": "ACC-1", "text": "The class is in the new file"},
        {"id": "ACC-2", "text": "The old file has no such class", "x-ticked": True},
    ]
    assert (task["mode"], "updated" in task, "parallel" in task) == ("sequential", False, False)
    assert "- [ ] Tests pass" in task["description"]


def test_the_list_of_an_epic_is_no_task() -> None:
    found = read(
        "---\nname: Shop\nstatus: backlog\nprogress: 0%\nprd: .claude/prds/shop.md\n---\n"
        "## Tasks Created\n- [ ] 001.md - Move (parallel: true)\n",
        ".claude/epics/shop/epic.md",
    )
    assert found.tasks == ()
    assert found.root == {"stories": [{"id": "shop", "title": "Shop"}]}
    assert found.notes == ("epic.md describes an epic: the files beside it are its tasks.",)


def test_a_story_of_bmad_is_one_task() -> None:
    task = only(BMAD)
    assert (task["id"], task["title"], task["story"]) == ("1.2", "Log in", "epic-1")
    assert (task["status"], task["mode"]) == ("pending", "verify")  # it is written
    begun = only(BMAD.replace("Ready for Review", "In Progress"))
    assert (begun["status"], begun["mode"]) == ("pending", "sequential")
    assert [item["text"] for item in task["acceptance"]] == [
        "A form is shown\n- with a password", "A wrong password is refused",
    ]  # fmt: skip
    assert "- [x] Task 1: Form (AC: 1)" in task["description"]


@pytest.mark.parametrize(("line", "status"), [
    ("Status: Done", "complete"), ("**Status:** draft", "pending"),
    ("## Status\n\nReady for Review", "pending"), ("## Status\n**Done**", "complete"),
    ("## Status: Done", "complete"), ("Status: done - merged in #3", "complete"),
])  # fmt: skip
def test_the_status_of_a_story(line: str, status: str) -> None:
    task = only(BMAD.replace("Status: Ready for Review", line))
    assert (task["status"], "Status" in task["description"]) == (status, False)


def test_a_finished_story_is_marked_in_its_file(world: World) -> None:
    text = BMAD.replace("\n", "\r\n")
    world.write("1.2.story.md", text)
    assert world.ralph("import", "1.2.story.md").code == 0
    world.replace("status: pending", "status: complete")
    assert world.ralph("export", "--tick", "1.2.story.md").code == 0
    assert (world.path / "1.2.story.md").read_bytes().decode() == text.replace(
        "Ready for Review", "Done"
    )
    assert world.ralph("import", "1.2.story.md", "--json").data["updated"] == []


def test_a_finished_story_is_marked_as_its_status_is_written(world: World) -> None:
    text = BMAD.replace("Ready for Review", "ready-for-dev")
    world.write("1.2.story.md", text)
    world.ralph("import", "1.2.story.md")
    world.replace("status: pending", "status: complete")
    world.ralph("export", "--tick", "1.2.story.md")
    assert world.read("1.2.story.md") == text.replace("ready-for-dev", "done")


def test_a_finished_story_with_front_matter_is_marked_there(world: World) -> None:
    text = (Path(__file__).parent / "cases/plans/4.3.1.story.md").read_text()
    world.write("4.3.1.story.md", text)
    assert world.ralph("import", "4.3.1.story.md").code == 0
    world.replace("status: pending", "status: complete")
    assert world.ralph("export", "--tick", "4.3.1.story.md").code == 0
    ticked = text.replace('"Ready for Review"', '"Done"')
    assert (world.path / "4.3.1.story.md").read_text() == ticked
    assert world.ralph("import", "4.3.1.story.md", "--json").data["updated"] == []


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("✅ **COMPLETED** (August 2024)", "complete"),
        ("Done: all in 2.3", "complete"),
        ("✅", "complete"),
        ("Shipped", "complete"),
        ("In Progress - half of it", "pending"),
        ("Won\u2019t do", "cancelled"),
        ("Not done", "pending"),
        ("✅ Ready for development", "pending"),
    ],
)
def test_a_status_is_known_by_its_first_words(said: str, status: str) -> None:
    assert only(f"---\nid: T-1\ntitle: Log in\nstatus: '{said}'\n---\n")["status"] == status


def test_documents_beside_the_settings_of_backlog_md_hide_no_task(world: World) -> None:
    text = "---\nid: task-1\ntitle: x\nstatus: To Do\ncreated_date: '2026-01-01'\n---\n"
    world.write("backlog/tasks/task-1 - x.md", text)
    world.write("backlog/priorities.md", "# Priorities\n\n- [ ] task-1 first\n")
    world.write("backlog/config.yml", "project_name: x\n")
    done = world.ralph("import", "backlog", "--json")
    assert done.data["added"] == ["task-1"]
    assert done.data["notes"] == [
        "1 file with a list beside the tasks not read: backlog/priorities.md."
    ]


TICKET = "---\nid: {}\ntitle: {}\nstatus: To Do\ncreated_date: '2025-01-01'\nordinal: {}\n{}---\n"


def test_two_files_of_one_id_are_two_tasks(world: World) -> None:
    """Two branches of Backlog.md gave the same number; another task stands between them."""
    world.write("backlog/tasks/t-1 - a.md", TICKET.format("T-1", "Draw", 3000, ""))
    world.write("backlog/tasks/t-1 - b.md", TICKET.format("T-1", "Sell", 1000, ""))
    world.write("backlog/tasks/t-2.md", TICKET.format("T-2", "Buy", 2000, "dependencies: [T-1]\n"))
    done = world.ralph("import", "backlog", "--json")
    assert done.code == 0, done
    assert done.data["added"] == ["T-1", "T-2", "T-1-draw"]
    assert (
        "T-1 of backlog/tasks/t-1 - a.md is T-1-draw here: T-1 is another task."
        in (done.data["notes"])
    )
    assert [world.task(name)["title"] for name in ("T-1", "T-1-draw")] == ["Sell", "Draw"]
    assert world.task("T-2")["depends_on"] == ["T-1"]
    again = world.ralph("import", "backlog", "--json").data
    assert (again["added"], again["updated"], len(again["unchanged"])) == ([], [], 3)
    # Backlog.md calls a file by the title: each stays what it is, also under another name.
    (world.path / "backlog/tasks/t-1 - a.md").unlink()
    world.write("backlog/tasks/t-1 - c.md", TICKET.format("T-1", "Draw it", 3000, ""))
    again = world.ralph("import", "backlog", "--json").data
    assert (again["added"], again["updated"], again["removed"]) == ([], ["T-1-draw"], [])
    # A third one is told alone, too.
    world.write("backlog/tasks/t-1 - d.md", TICKET.format("T-1", "Lend", 4000, ""))
    alone = world.ralph("import", "backlog/tasks/t-1 - d.md", "--json").data
    assert (alone["added"], alone["updated"]) == (["T-1-lend"], [])


def test_front_matter_may_end_right_before_what_follows(world: World) -> None:
    """As Backlog.md writes and reads it."""
    text = TICKET.format("T-1", "Draw", 1, "")[:-1] + "## Description\n\nA line.\n"
    world.write("backlog/tasks/t-1.md", text)
    assert world.ralph("import", "backlog", "--json").data["added"] == ["T-1"]
    assert world.task("T-1")["description"] == "## Description\n\nA line."
    world.replace("status: pending", "status: complete")
    assert world.ralph("export", "--tick", "backlog").code == 0
    assert world.read("backlog/tasks/t-1.md") == text.replace("To Do", "Done")
    assert world.ralph("import", "backlog", "--json").data["updated"] == []


def test_a_copy_of_a_file_is_the_same_task(world: World) -> None:
    world.write("backlog/tasks/t-1 - a.md", TICKET.format("T-1", "Draw", 3000, ""))
    world.write("backlog/completed/t-1 - a.md", TICKET.format("T-1", "Draw", 3000, ""))
    assert world.ralph("import", "backlog", "--json").data["added"] == ["T-1"]


def test_a_task_of_two_files_that_were_read_as_one_is_two(world: World) -> None:
    """So an older version has read them."""
    world.write("backlog/tasks/t-1 - a.md", TICKET.format("T-1", "Draw", 1000, ""))
    world.write("backlog/tasks/t-1 - b.md", TICKET.format("T-1", "Draw", 2000, ""))
    assert world.ralph("import", "backlog", "--json").data["added"] == ["T-1"]
    world.write("backlog/tasks/t-1 - b.md", TICKET.format("T-1", "Sell", 2000, ""))
    assert world.ralph("import", "backlog", "--json").data["added"] == ["T-1-sell"]
    again = world.ralph("import", "backlog", "--json").data
    assert (again["added"], again["updated"], len(again["unchanged"])) == ([], [], 2)


def test_parts_that_wait_for_their_whole_make_no_circle(world: World) -> None:
    front = "title: x\nstatus: To Do\ncreated_date: '2026-01-01'\n"
    for name, more in {
        "3": "",
        "3.1": "parent_task_id: task-3\ndependencies: [task-3]\n",
        "3.2": "parent_task_id: task-3\ndependencies: [task-3.1]\n",
        "3.3": "parent_task_id: task-3\n",
    }.items():
        text = f"---\nid: task-{name}\n{front}{more}---\n"
        world.write(f"backlog/tasks/task-{name} - x.md", text)
    done = world.ralph("import", "backlog", "--json")
    assert done.code == 0, done
    found = {name: world.task(f"task-{name}").get("depends_on") for name in ("3", "3.1", "3.2")}
    assert found == {"3": ["task-3.3"], "3.1": ["task-3"], "3.2": ["task-3.1"]}
    assert "mode" not in world.task("task-3")


def test_front_matter_without_an_id_is_one_task_where_boxes_say_when_it_is_done() -> None:
    front = "---\ntitle: Move\nstatus: todo\n---\n"
    task = only(f"{front}\n## Acceptance Criteria\n- [ ] Moved\n", "plan/move-it.md")
    assert (task["id"], task["acceptance"]) == ("move-it", [{"id": "ACC-1", "text": "Moved"}])
    listed = read(f"{front}\n## Tasks\n- [ ] Move\n- [ ] Look\n")
    assert [task["id"] for task in listed.tasks] == ["move", "look"]


@pytest.mark.parametrize(("front", "fields"), [
    ("id: 001\ndepends_on: [002, 1.10]", {"id": "001", "depends_on": ["002", "1.10"]}),
    ("id: 1.10\ndepends_on:\n  - 1.20", {"id": "1.10", "depends_on": ["1.20"]}),
    ("id: 001 # one\ndepends_on: [002, 003]  # both", {"depends_on": ["002", "003"]}),
    ("id: T-1\nname: Compose", {"title": "Compose"}),
    ("id: T-1\ntitle: Fix PR #33 failures", {"title": "Fix PR #33 failures"}),
    ("id: T-1\nname: It's #1\nto: a #1", {"title": "It's #1", "to": "a"}),
    ("id: T-1\ntitle: 'Fix' #33", {"title": "Fix"}),
    ("id: T-1\ntitle: Fix # 33", {"title": "Fix"}),
    ("id: T-1\ntitle: Fix: the door", {"title": "Fix: the door"}),
    ("id: T-1\ntitle: `ls` it", {"title": "`ls` it"}),
    ("id: T-1\nowner: @me\nto:\n  - @you\n  - 'x'", {"owner": "@me", "to": ["@you", "x"]}),
    (
        r'''id: T-1
to:
  - pattern: "\.claude.*\\.ts \"x\" [\w]"
  - "a\tb"''',
        {"to": [{"pattern": r'\.claude.*\.ts "x" [\w]'}, "a\tb"]},
    ),
    ("id: T-1\nto: [@you, b]", {"to": ["@you", "b"]}),
])  # fmt: skip
def test_front_matter_is_read_as_it_was_meant(front: str, fields: Task) -> None:
    """Numbers keep their digits; what needs quotes in YAML has them."""
    assert only(f"---\nstatus: open\n{front}\n---\n").items() >= fields.items()


EPIC = {
    "epic.md": "---\nname: Shop\nstatus: open\nprogress: 0%\n---\n\n- [ ] 001.md - Cart\n",
    "001.md": "---\nname: Cart\nstatus: open\ndepends_on: []\n---\nIt holds things.\n",
    "002.md": '---\nname: Pay\nstatus: open\ndepends_on: [1, "003"]\nconflicts_with: [10]\n---\n',
    "003.md": "---\nname: Print\nstatus: skipped\ndepends_on: []\n---\n",
    "010.md": "---\nname: Ship\nstatus: open\ndepends_on: [2]\n---\n",
    "2-analysis.md": "---\nissue: 2\ntitle: Pay\nstatus: open\n---\n\nTwo streams.\n",
    "execution-status.md": "---\nstarted: 2026-01-01\nstatus: open\n---\n\n# Work\n",
    "github-mapping.md": "# Mapping\n\n- [ ] #1: Cart\n",
}


def test_an_epic_is_its_tasks_in_their_order_without_what_ccpm_keeps_beside_them(
    world: World,
) -> None:
    for name, text in EPIC.items():
        world.write(f".claude/epics/shop/{name}", text)
    done = world.ralph("import", ".claude/epics/shop", "--json")
    assert done.code == 0, done
    assert done.data["added"] == ["001", "002", "003", "010"]
    assert world.task("002")["depends_on"] == ["001", "003"]
    assert world.task("010")["depends_on"] == ["002"]
    assert world.task("002")["conflicts_with"] == ["010"]
    assert (
        "002.md: 002: conflicts_with (010) is kept, and holds nobody back: what one task at a time "
        "may use is a resource."
    ) in done.data["notes"]
    assert world.task("003")["status"] == "cancelled"
    assert done.data["notes"][0] == (
        "3 files that ccpm keeps beside its tasks not read: .claude/epics/shop/2-analysis.md, "
        ".claude/epics/shop/execution-status.md, .claude/epics/shop/github-mapping.md."
    )
    alone = world.ralph("import", ".claude/epics/shop/002.md", "--json").data
    assert (alone["updated"], alone["unchanged"]) == ([], ["002"])


SPRINT = """\
# the sprint
development_status:
  epic-1: in-progress
  1-1-sign-up: done
  1-2-log-in: done
  1-3-log-out: in-progress
  epic-1-retrospective: optional
"""


@pytest.mark.parametrize(("sprint", "said"), [
    (SPRINT, ["stories/sprint-status.yaml says otherwise what is done; the stories' own "
              "files are taken: 1.2 (done), 1.3 (in-progress)."]),
    (SPRINT.replace("1-2-log-in: done", "1-2-log-in: review").replace("in-progress", "done"), []),
    ("development_status: [\n", ["stories/sprint-status.yaml cannot be read"]),
])  # fmt: skip
def test_a_sprint_that_says_otherwise_what_is_done_is_named(
    world: World, sprint: str, said: list[str]
) -> None:
    for number, status in (("1", "done"), ("2", "review"), ("3", "done")):
        story = BMAD.replace("Ready for Review", status).replace("1.2", f"1.{number}")
        world.write(f"stories/1-{number}.md", story)
    world.write("stories/sprint-status.yaml", sprint)
    done = world.ralph("import", "stories", "--json")
    assert done.data["added"] == ["1.1", "1.2", "1.3"]
    found = [note for note in done.data["notes"] if "sprint" in note]
    assert [note[: len(text)] for note, text in zip(found, said, strict=True)] == said
    assert (world.task("1.2")["status"], world.task("1.3")["status"]) == ("pending", "complete")


STORY = (
    "# Story {}: {}\n\n**Status**: Draft\n\n## \U0001f3af Acceptance Criteria\n\n1. It works\n\n"
    "## Tasks\n"
)


def test_two_stories_of_one_folder_with_the_same_number(world: World) -> None:
    """Of two epics that both count from one: each is known again by its file."""
    world.write("stories/1.1.hotfix.md", STORY.format("1.1", "Mend it"))
    world.write("stories/1.1.setup.md", STORY.format("1.1", "Set up"))
    data = world.ralph("import", "stories", "--json").data
    assert data["added"] == ["1.1", "1.1-set-up"]
    assert "1.1 of stories/1.1.setup.md is 1.1-set-up here: 1.1 is another task." in data["notes"]
    assert [one["text"] for one in world.task("1.1-set-up")["acceptance"]] == ["It works"]
    again = world.ralph("import", "stories", "--json").data
    assert (again["added"], again["updated"], len(again["unchanged"])) == ([], [], 2)
    world.write("elsewhere/1.1.other.md", STORY.format("1.1", "Else"))
    world.refused("import", "elsewhere/1.1.other.md", code="other_source", exit=6)


def test_a_story_of_another_title_in_another_file_is_the_same(world: World) -> None:
    """BMAD calls a file by the story's title."""
    for number, title in (("1.1", "Set up"), ("1.2", "Log in")):
        world.write(f"stories/{number}-{title[:3]}.md", STORY.format(number, title))
    world.ralph("import", "stories")
    (world.path / "stories/1.1-Set.md").unlink()
    world.write("stories/1.1-Prepare.md", STORY.format("1.1", "Prepare"))
    data = world.ralph("import", "stories", "--json").data
    assert (data["added"], data["updated"], data["removed"]) == ([], ["1.1"], [])
    again = world.ralph("import", "stories", "--json").data
    assert (again["added"], again["updated"], len(again["unchanged"])) == ([], [], 2)
    # What is done has no other words unasked.
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    (world.path / "stories/1.2-Log.md").unlink()
    world.write("stories/1.2-Sign.md", STORY.format("1.2", "Sign in"))
    world.refused("import", "stories", code="words_changed", exit=8)
    data = world.ralph("import", "stories", "--reworded", "--json").data
    assert (data["added"], data["updated"], data["removed"]) == ([], ["1.2"], [])


def test_tasks_of_an_epic_whose_files_got_the_numbers_of_their_issues_are_the_same(
    world: World,
) -> None:
    """ccpm's epic-sync renames each file, and what names it."""
    task = "---\nname: {}\nstatus: {}\ncreated: 2026-01-0{}\ndepends_on: {}\n---\n# Do it\n"
    epic = ".claude/epics/shop"
    for number, on in ((1, "[]"), (2, "[001]"), (3, "[001, 002]")):
        world.write(f"{epic}/00{number}.md", task.format(f"Part {number}", "open", number, on))
    world.ralph("import", epic)
    before = world.read().replace("status: pending", "status: complete", 1)
    world.write("task-graph.yaml", before)
    for number, on in ((1, "[]"), (2, "[121]"), (3, "[121, 122]")):
        (world.path / f"{epic}/00{number}.md").unlink()
        text = task.format(f"Part {number}", "open", number, on)
        world.write(f"{epic}/12{number}.md", text.replace("created", "github: x\ncreated"))
    data = world.ralph("import", epic, "--json").data
    assert (data["added"], data["updated"], data["removed"]) == ([], ["001", "002", "003"], [])
    assert f"002 is 122 in {epic}/122.md now: it has the same words." in data["notes"]
    assert world.task("003")["depends_on"] == ["001", "002"]
    assert [world.task(id)["status"] for id in ("001", "002")] == ["complete", "pending"]
    again = world.ralph("import", epic, "--json").data
    assert (again["added"], again["updated"], len(again["unchanged"])) == ([], [], 3)
    world.ralph("export", "--tick", epic)
    assert "status: closed" in (world.path / f"{epic}/121.md").read_text(encoding="utf-8")
    # A file of another title is a new task.
    (world.path / f"{epic}/123.md").unlink()
    world.write(f"{epic}/124.md", task.format("Part 4", "open", 4, "[]"))
    data = world.ralph("import", epic, "--json").data
    assert (data["added"], [*data["removed"]]) == (["124"], ["003"])


def test_each_file_that_is_not_read_is_named(world: World) -> None:
    world.write("stories/1.1.md", STORY.format("1.1", "Set up"))
    for number in range(30):
        world.write(f"stories/{number}-notes.md", "- [ ] Ask\n")
    notes = world.ralph("import", "stories", "--json").data["notes"]
    each = ", ".join(f"stories/{number}-notes.md" for number in range(30))
    assert notes[0] == f"30 files with a list beside the tasks not read: {each}."


def test_a_folder_is_named_where_it_is_meant(world: World) -> None:
    task = "---\nname: {}\nstatus: open\ndepends_on: []\n---\n"
    for epic in ("shop", "my hub"):
        for number in ("001", "002"):
            world.write(f".claude/epics/{epic}/{number}.md", task.format(f"{epic} {number}"))
    world.ralph("import", ".claude/epics/shop")
    error = world.refused("import", ".claude/epics/my hub", code="other_source", exit=6)
    assert error["hint"] == "ralphgit import --prefix my-hub- '.claude/epics/my hub'"
    added = world.ralph("import", "--prefix", "my-hub-", ".claude/epics/my hub", "--json").data
    assert added["added"] == ["my-hub-001", "my-hub-002"]
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    notes = world.ralph("import", ".claude/epics/my hub", "--json").data["notes"]
    assert notes[-1] == (
        "2 tasks are complete here and open in the source: "
        "ralphgit export --tick '.claude/epics/my hub'"
    )


# --- what a folder of stories, or of Backlog.md, may hold ------------------------------------

NAMED = """\
# Story{name}

{more}

## Story

Do it

## Acceptance Criteria

1. It works
"""


@pytest.mark.parametrize(
    ("name", "more", "id", "story"),
    [
        (" EH-4.1: Errors", "- **Status:** To Do", "EH-4.1", "epic-EH-4"),
        (" 5.1A: Errors", "Status: Draft", "5.1A", "epic-5"),
        (" 5.1. Errors", "Status: Draft", "5.1", "epic-5"),
        (" US5-2: Errors", "Status: Draft", "US5.2", "epic-US5"),
        (" 7: Errors", "Status: Draft", "7", None),
        (" STORY-012 - Errors", "Status: Draft", "STORY-012", None),
        (" E1-S2: Errors", "Status: Draft", "E1-S2", "epic-E1"),
        (" 7: Errors", "**Epic:** 2 - Shop\nStatus: Draft", "7", "epic-2"),
        (": Errors", "**Story ID**: errors\n**Status**: completed", "errors", None),
        (": Errors", "**Status**: Draft", "some", None),
    ],
)
def test_a_story_is_read_whatever_it_is_called(
    name: str, more: str, id: str, story: str | None
) -> None:
    text = NAMED.format(name=name, more=more)
    (task,) = convert("stories/some.story.md", text.encode(), ryaml.loads).tasks
    assert (task["id"], task["title"], task.get("story")) == (id, "Errors", story)


def test_a_story_without_a_status_is_pending_with_a_note() -> None:
    text = NAMED.format(name=" 1.1: Errors", more="")
    found = convert("1.1.story.md", text.encode(), ryaml.loads)
    assert found.notes == ("1.1 says no status: it is pending.",)
    text = NAMED.format(name=" 1.1: Errors", more="Status: Whatever")
    found = convert("1.1.story.md", text.encode(), ryaml.loads)
    assert "1.1: the status 'Whatever' is not known here: kept as x-status." in found.notes


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        ("- **Dependencies:** Requires Stories 5.1A and 5.1B completion", ["5.1A", "5.1B"]),
        ("- **Dependencies:** Stories 5.5A (v1.2), 5.5B (Search)", ["5.5A", "5.5B"]),
        ("| Depends on | Story EH-1.1 |", ["EH-1.1"]),
        ("**Dependencies**: React 18.2, Node", None),
        ("**Dependencies**: None", None),
        ("**Dependencies**: None - it may be done beside Story 5.1", None),
        ("**Dependencies**: blocks Story 5.1", None),
        ("**Dependencies**: Story 9.1, Story E1-S2 must be completed first.", ["E1-S2"]),
        ("**Dependencies**: 5.1, 5.2", ["5.1", "5.2"]),
    ],
)
def test_what_the_head_of_a_story_waits_for(said: str, ids: list[str] | None) -> None:
    text = NAMED.format(name=" 9.1: Errors", more=f"- **Status:** Draft\n{said}")
    (task,) = convert("9.1.story.md", text.encode(), ryaml.loads).tasks
    assert task.get("x-missing-dependencies") == ids


def test_two_documents_of_one_number_are_two_tasks(world: World) -> None:
    files = {
        "task-64 - Tune.md": ("TASK-64", "Tune", 2),
        "task-65 - Sample.md": ("TASK-65", "Sample", 3),
        "task-65 - Compile.md": ("TASK-65", "Compile", 1),
    }
    for name, (id, title, place) in files.items():
        front = f"id: {id}\ntitle: {title}\nstatus: To Do\nordinal: {place}\n"
        world.write(f"backlog/tasks/{name}", f"---\n{front}---\n")
    first = world.ralph("import", "backlog", "--json").data
    assert first["added"] == ["TASK-65", "TASK-64", "TASK-65-sample"]
    before = world.read()
    again = world.ralph("import", "backlog", "--json").data
    assert (len(again["unchanged"]), world.read()) == (3, before)
    world.write("ralph.toml", "")
    world.commit()
    world.did("TASK-65-sample", {"a.txt": "x\n"})
    assert world.ralph("export", "--tick", "backlog").code == 0
    assert "status: Done" in world.read("backlog/tasks/task-65 - Sample.md")
    assert "status: To Do" in world.read("backlog/tasks/task-65 - Compile.md")


@pytest.mark.parametrize("more", ["verified: 2026-01-02", "score: 5/5", "plan: 02"])
def test_a_report_of_gsd_is_no_task(more: str) -> None:
    with pytest.raises(InvalidRecord, match="format"):
        convert(
            "V.md", f"---\nphase: 01-a\nstatus: passed\n{more}\n---\n# V\n".encode(), ryaml.loads
        )


def test_a_line_of_gsd_that_says_run_is_a_command_and_what_proves_nothing_is_named() -> None:
    plan = (
        "---\nphase: 01-p\nplan: 01\n---\n<task>\n<name>Task 1: Draw</name>\n<verify>\n"
        "1. Run: `bash -n run/draw` (no syntax errors)\n"
        '2. Run: `test -x run/draw && echo "executable"`\n'
        "3. Run: `draw --count` (prints at least 3)\n"
        "4. Run: `grep -rn old run` returns nothing\n"
        "```bash\ntest -f run/draw\ntest -x run/draw || echo no\n```\n"
        "</verify>\n</task>\n"
    )
    found = convert("01-01-PLAN.md", plan.encode(), ryaml.loads)
    task: Task = dict(found.tasks[0])
    assert task["verify"] == [
        "test -f run/draw",
        "bash -n run/draw",
        'test -x run/draw && echo "executable"',
        "draw --count",
        "! grep -rn old run",
    ]
    assert [one["text"] for one in task["acceptance"]] == [
        "Run: `draw --count` (prints at least 3)"
    ]
    assert found.notes == (
        "01-01.1: left out of its verify commands: 'test -x run/draw || echo no' (cannot fail).",
    )


def test_criteria_of_a_story_below_a_label_and_a_heading_with_its_abbreviation() -> None:
    text = (
        "# Story 1.1: A\n\n## Status: Draft\n\n## Acceptance Criteria (ACs)\n\n**Contracts:**\n\n"
        "1.1.1: It opens\n\n1.1.2: It closes\n\n## Tasks / Subtasks\n\n- [ ] Task 1\n"
    )
    (task,) = convert("1.1.story.md", text.encode(), ryaml.loads).tasks
    assert task["acceptance"] == [
        {"id": "ACC-1", "text": "1.1.1: It opens"}, {"id": "ACC-2", "text": "1.1.2: It closes"},
    ]  # fmt: skip
