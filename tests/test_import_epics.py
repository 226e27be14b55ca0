"""Folders of folders with a file for each task: every epic of ccpm at once; what lies where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from world import World, grown

TASK = "---\nname: {}\nstatus: open\ndepends_on: {}\nparallel: true\n---\n\nIt.\n"
EPIC = "---\nname: {}\nstatus: backlog\nprogress: 0%\nprd: x.md\n---\n# Epic\n"
CHECKED = """\
---
name: Check
status: open
depends_on: []
---

## Checklist

- [x] The tables are there
- no box
- [ ] All tests pass
"""


@pytest.fixture
def world() -> World:
    return grown(with_epics)


def with_epics(folder: Path) -> World:
    world = World(folder)
    for epic in ("shop", "my_hub", "archived"):
        world.write(f".claude/epics/{epic}/001.md", TASK.format(f"{epic} one", "[]"))
        world.write(f".claude/epics/{epic}/002.md", TASK.format(f"{epic} two", "[1]"))
        world.write(f".claude/epics/{epic}/epic.md", EPIC.format(epic.title()))
    world.write(".claude/epics/shop/1-analysis.md", "# Analysis\n")
    world.write(".claude/epics/shop/SUMMARY.md", "# S\n\n### Task 1: a\n\n### Task 2: b\n")
    report = "---\nissue: 1\ntitle: One - Test Results\nstatus: PASSED\n---\nAll is well.\n"
    world.write(".claude/epics/shop/1-test-results.md", report)
    world.commit()
    return world


def read(world: World, name: str = ".claude/epics") -> dict[str, list[str]]:
    done = world.ralph("import", name, "--json")
    assert done.code == 0, done
    data: dict[str, list[str]] = done.data
    return data


def test_all_epics_at_once_each_with_its_name_before_its_ids(world: World) -> None:
    data = read(world)
    assert data["added"] == ["my-hub-001", "my-hub-002", "shop-001", "shop-002"]
    assert world.task("my-hub-002")["depends_on"] == ["my-hub-001"]
    assert world.task("shop-002")["depends_on"] == ["shop-001"]
    assert [world.task(f"{one}-001")["story"] for one in ("shop", "my-hub")] == [
        "shop", "my-hub-my_hub",
    ]  # fmt: skip
    assert [one for one in data["notes"] if "epic.md describes" not in one] == [
        "Several lists have the same ids. They begin here with: my-hub- (.claude/epics/my_hub), "
        "shop- (.claude/epics/shop).",
        "3 files that ccpm keeps beside its tasks not read: .claude/epics/shop/1-analysis.md, "
        ".claude/epics/shop/1-test-results.md, .claude/epics/shop/SUMMARY.md.",
    ]
    assert re.findall(r"^  - id: (\S+)\n    title: (\S+)$", world.read(), re.MULTILINE) == [
        ("my-hub-my_hub", "My_Hub"), ("shop", "Shop"),
    ]  # fmt: skip
    again = read(world)
    assert (again["added"], again["updated"], len(again["unchanged"])) == ([], [], 4)


def test_a_template_is_no_task_and_named(world: World) -> None:
    """One in the root of the epics was offered as work."""
    for name in (".claude/epics/TASK-TEMPLATE.md", ".claude/epics/shop/task_template.md"):
        world.write(name, TASK.format("Task Name", "[]"))
    data = read(world)
    assert data["added"] == ["my-hub-001", "my-hub-002", "shop-001", "shop-002"]
    assert (
        "2 files called a template not read: .claude/epics/TASK-TEMPLATE.md, "
        ".claude/epics/shop/task_template.md."
    ) in data["notes"]


def test_a_number_with_a_letter_is_a_task_of_an_epic(world: World) -> None:
    """The owner put these between two; they were taken for what ccpm keeps beside its tasks."""
    world.write(".claude/epics/shop/002a.md", TASK.format("Between", "[2]"))
    world.write(".claude/epics/shop/003.md", TASK.format("Last", "[2a]"))
    world.write(".claude/epics/shop/003b.md", "# Remarks\n")
    data = read(world, ".claude/epics/shop")
    assert data["added"] == ["001", "002", "002a", "003"]
    assert world.task("002a")["depends_on"] == ["002"]
    assert world.task("003")["depends_on"] == ["002a"]
    assert "1 file without a task not read: .claude/epics/shop/003b.md." in data["notes"]


def test_an_epic_may_have_its_tasks_in_a_folder_below(world: World) -> None:
    """As some agents write them: nothing of such an epic was read, and no note said so."""
    for number in (1, 2):
        task = TASK.format(f"task-{number}", f"[task-{number - 1}]" if number > 1 else "[]")
        task = task.replace("status", f"title: Mail {number}\nstatus")
        world.write(f".claude/epics/mail/tasks/task-{number}.md", task)
    world.write(".claude/epics/mail/epic.md", EPIC.format("The mail"))
    world.write(".claude/epics/shop/tasks/003.md", TASK.format("three", "[]"))
    data = read(world, ".claude/epics/mail")
    assert data["added"] == ["task-1", "task-2"]
    assert world.task("task-2")["depends_on"] == ["task-1"]
    assert (world.task("task-2")["story"], world.task("task-2")["title"]) == ("mail", "Mail 2")
    (world.path / "task-graph.yaml").unlink()
    data = read(world)
    assert data["added"] == [
        "mail-task-1", "mail-task-2", "my-hub-001", "my-hub-002", "shop-001", "shop-002",
    ]  # fmt: skip
    assert [one for one in data["notes"] if "tasks/003.md" in one] == [
        "1 file below an epic with tasks of its own not read: .claude/epics/shop/tasks/003.md."
    ]
    assert [one for one in data["notes"] if "begin here with" in one] == [
        "Several lists have the same ids. They begin here with: mail- (.claude/epics/mail/tasks), "
        "my-hub- (.claude/epics/my_hub), shop- (.claude/epics/shop)."
    ]
    assert read(world)["added"] == []
    assert "begin" not in " ".join(read(world)["notes"])


def test_a_new_task_of_an_epic_has_the_prefix_of_those_beside_it(world: World) -> None:
    read(world)
    world.write(".claude/epics/shop/003.md", TASK.format("shop three", "[2]"))
    world.write(".claude/epics/mail/001.md", TASK.format("mail one", "[]"))
    world.write(".claude/epics/mail/epic.md", EPIC.format("mail"))
    assert read(world, ".claude/epics/shop")["added"] == ["shop-003"]
    assert world.task("shop-003")["depends_on"] == ["shop-002"]
    assert read(world)["added"] == ["mail-001"]


def test_an_epic_that_is_here_keeps_its_ids(world: World) -> None:
    assert read(world, ".claude/epics/shop")["added"] == ["001", "002"]
    assert read(world)["added"] == ["my-hub-001", "my-hub-002"]
    assert world.task("my-hub-002")["depends_on"] == ["my-hub-001"]


def test_boxes_of_a_checklist_are_criteria_where_no_others_are(world: World) -> None:
    world.write("epic/007.md", CHECKED)
    read(world, "epic/007.md")
    assert world.task("007")["acceptance"] == [
        {"id": "ACC-1", "text": "The tables are there", "x-ticked": True},
        {"id": "ACC-2", "text": "All tests pass"},
    ]


def test_the_phases_of_gsd_with_what_has_a_summary_as_done(world: World) -> None:
    plan = (
        "---\nphase: {0}-p\nplan: {1}\ndepends_on: [{2}]\n---\n<objective>\nDraw it. So.\n"
        "</objective>\n<task>\n<name>Task 1: Draw</name>\n</task>\n"
    )
    phases = ".planning/phases"
    world.write(f"{phases}/01-p/01-01-PLAN.md", plan.format("01", "01", ""))
    world.write(f"{phases}/01-p/01-01-SUMMARY.md", "---\nphase: 01\n---\nDone.\n")
    world.write(f"{phases}/01-p/01-02-PLAN.md", plan.format("01", "02", '"01-01"'))
    world.write(f"{phases}/02-p/02-01-PLAN.md", plan.format("02", "01", '"01-02"'))
    world.write(f"{phases}/02-p/CONTEXT.md", "# Context\n")
    data = read(world, phases)
    assert data["added"] == ["01-01.1", "01-01", "01-02.1", "01-02", "02-01.1", "02-01"]
    assert {world.task(id)["status"] for id in data["added"][:2]} == {"complete"}
    assert {world.task(id)["status"] for id in data["added"][2:]} == {"pending"}
    assert world.task("01-02.1")["depends_on"] == ["01-01"]
    assert world.task("02-01.1")["depends_on"] == ["01-02"]
    assert (world.task("02-01.1")["story"], world.task("02-01.1")["milestone"]) == ("02-01", "02-p")
    assert "  - id: 02-01\n    title: Draw it\n    description: Draw it. So.\n" in world.read()
    again = read(world, phases)
    assert (again["added"], again["updated"], len(again["unchanged"])) == ([], [], 6)


def test_phases_of_gsd_follow_each_other_and_their_reports_are_no_tasks(world: World) -> None:
    plan = (
        "---\nphase: {0}-p\nplan: {1}\ndepends_on: [{2}]\n---\n"
        "<task>\n<name>Task 1: Draw</name>\n<verify>grep -q x a.md</verify>\n</task>\n"
    )
    report = "---\nphase: 01-p\nstatus: passed\n---\n# Phase 1 Verification Report\n"
    world.write("phases/01-p/01-01-PLAN.md", plan.format("01", "01", ""))
    world.write("phases/01-p/01-VERIFICATION.md", report)
    world.write("phases/02.1-p/02.1-01-PLAN.md", plan.format("02.1", "01", ""))
    world.write("phases/02.1-p/02.1-02-PLAN.md", plan.format("02.1", "02", ""))
    world.write("phases/03-p/03-01-PLAN.md", plan.format("03", "01", ""))
    world.write("phases/03-p/03-02-PLAN.md", plan.format("03", "02", '"03-01"'))
    world.write("phases/03-p/03-03-PLAN.md", plan.format("03", "03", '"01-01"'))
    for each in ("CONTEXT", "RESEARCH"):
        world.write(f"phases/03-p/03-{each}.md", f"---\nstatus: ready\n---\n# {each}\n")
    data = read(world, "phases")
    assert [id for id in data["added"] if id.endswith(".1")] == [
        "01-01.1", "02.1-01.1", "02.1-02.1", "03-01.1", "03-02.1", "03-03.1",
    ]  # fmt: skip
    assert len(data["added"]) == 12
    depends = {id: world.task(f"{id}.1").get("depends_on") for id in ("01-01", "02.1-01")}
    assert depends == {"01-01": None, "02.1-01": ["01-01"]}
    assert world.task("02.1-02.1")["depends_on"] == ["01-01"]
    assert world.task("03-01.1")["depends_on"] == ["02.1-01", "02.1-02"]
    assert world.task("03-02.1")["depends_on"] == ["03-01"]
    assert world.task("03-03.1")["depends_on"] == ["01-01"]
    assert (
        "3 files that GSD keeps beside its plans not read: phases/01-p/01-VERIFICATION.md, "
        "phases/03-p/03-CONTEXT.md, phases/03-p/03-RESEARCH.md."
    ) in data["notes"]
    assert world.task("01-01.1")["verify"] == ["grep -q x a.md"]
    # What is done has come behind the same: nothing changes but that.
    world.write("phases/02.1-p/02.1-01-SUMMARY.md", "---\nphase: 02.1\n---\nDone.\n")
    assert read(world, "phases")["updated"] == []
    alone = read(world, "phases/03-p/03-01-PLAN.md")
    assert (alone["updated"], alone["unchanged"]) == ([], ["03-01.1", "03-01"])


def test_the_folder_of_beads_stands_for_its_issues(world: World) -> None:
    issue = '{"id":"x-1","title":"Draw","status":"open","issue_type":"task","priority":2}\n'
    world.write(".beads/issues.jsonl", issue)
    world.write(".beads/full-backlog.md", "- [ ] A thing\n")
    assert read(world, ".beads")["added"] == ["x-1"]


def test_a_full_width_bracket_stands_right_behind_a_box(world: World) -> None:
    world.write(
        "plan.md", "- [x]\uff08Plan\uff09Verify it\n- [ ]\uff08Plan\uff09Draw it\n- [x](a.md)\n"
    )
    data = read(world, "plan.md")
    assert (len(data["added"]), data["ignored"]) == (2, [])
    assert [world.task(one)["status"] for one in data["added"]] == ["complete", "pending"]
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    world.ralph("export", "--tick", "plan.md")
    assert world.read("plan.md").splitlines()[1] == "- [x]\uff08Plan\uff09Draw it"


def test_a_box_may_have_its_words_right_behind_it(world: World) -> None:
    world.write("plan.md", "- [x]2.1 Verify it\n- [ ]2.2 Draw it\n- [ ]`a.c`\n- []string\n")
    data = world.ralph("import", "plan.md", "--json").data
    assert data["added"] == ["2.1", "2.2", "a-c"]
    assert [one["lines"] for one in data["ignored"]] == [[4]]
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    assert world.ralph("export", "--tick", "plan.md").code == 0
    assert world.read("plan.md").splitlines()[1] == "- [x]2.2 Draw it"


def test_a_box_may_stand_inside_of_what_is_bold(world: World) -> None:
    """Such items were lost without a word."""
    text = (
        "1. **[ ] First**: do it\n2. [ ] Third\n3. **[x] Done** (`a.ts`)\n- __[ ] Fourth__\n\n"
        "- **[ ]** Fifth\n* ***[x]*** Sixth\n- *[~] Seventh*\n\n"
        "- **[x](a.md)**\n- **[P] none**\n\n**[ ] words**\n\n```\n- **[ ] code**\n```\n"
    )
    world.write("plan.md", text)
    data = world.ralph("import", "plan.md", "--json").data
    assert [world.task(one)["title"] for one in data["added"]] == [
        "**First**: do it", "Third", "**Done** (`a.ts`)", "__Fourth__", "Fifth", "Sixth",
        "*Seventh*",
    ]  # fmt: skip
    statuses = [world.task(one)["status"] for one in data["added"]]
    assert [at for at, one in enumerate(statuses) if one == "complete"] == [2, 5]
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    assert world.ralph("export", "--tick", "plan.md").code == 0
    ticked = text.replace("[ ] First", "[x] First").replace("[ ] Third", "[x] Third")
    ticked = ticked.replace("[ ] Fourth", "[x] Fourth").replace("[ ]** Fifth", "[x]** Fifth")
    assert world.read("plan.md") == ticked.replace("[~] Seventh", "[x] Seventh")


def test_ids_that_are_there_twice_are_those_of_the_first(world: World) -> None:
    text = "- [ ] 6.2 A\n- [ ] 6.3 B\n- [x] 6.2 C\n- [ ] 6.3 D, depends on 6.2\n- [x] 6.3 B\n"
    world.write("plan.md", text)
    data = world.ralph("import", "plan.md", "--json").data
    assert data["added"] == ["6.2", "6.3", "6.2-c", "6.3-d-depends-on-6-2"]
    assert data["notes"][:2] == [
        "6.2 is in line 1 and 3: the second is 6.2-c here.",
        "6.3 is in line 2 and 4: the second is 6.3-d-depends-on-6-2 here.",
    ]
    assert data["ignored"] == [
        {"file": "plan.md", "lines": [5],
         "reason": "it stands above with the same id and the same words"},
    ]  # fmt: skip
    again = read(world, "plan.md")
    assert (again["added"], again["updated"], len(again["unchanged"])) == ([], [], 4)
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    assert world.ralph("export", "--tick", "plan.md").code == 0
    assert world.read("plan.md") == text.replace("[ ]", "[x]")


def test_what_cannot_be_ticked_is_not_told_to_be(world: World) -> None:
    plan = "---\nphase: 01-p\nplan: 01\n---\n<task>\n<name>Task 1: Draw</name>\n</task>\n"
    world.write("phases/01-p/01-01-PLAN.md", plan)
    world.write("phases/02-ticket.md", "---\nid: T-9\ntitle: t\nstatus: open\n---\n")
    read(world, "phases")
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    assert not any("--tick" in note for note in read(world, "phases")["notes"])


def test_an_open_task_of_backlog_md_among_the_completed_is_done(world: World) -> None:
    ticket = "---\nid: TASK-{}\ntitle: t\nstatus: {}\ncreated_date: '2026-01-02'\n---\n"
    world.write("backlog/completed/task-1 - T.md", ticket.format(1, "To Do"))
    world.write("backlog/tasks/task-2 - T.md", ticket.format(2, "In Progress"))
    world.write("backlog/completed/task-3 - T.md", ticket.format(3, "Done"))
    notes = read(world, "backlog")["notes"]
    assert [world.task(f"TASK-{one}")["status"] for one in (1, 2, 3)] == [
        "complete", "pending", "complete",
    ]  # fmt: skip
    assert notes == [
        "task-2 - T.md: TASK-2 is in progress in the source, which makes no claim here.",
        "task-1 - T.md: it lies in completed/ with the status 'To Do': that counts as complete.",
    ]


def test_a_phase_that_says_what_holds_at_the_end_is_verified(world: World) -> None:
    """Its boxes were tasks that nobody could do."""
    plan = (
        "## Phase 1: Build\n\n- [ ] Form\n\n## Phase 1 exit criteria\n\n- [ ] It opens\n\n"
        "## Phase 2: Acceptance criteria\n\n- [ ] Write them\n\n## Phase 3: Ship\n\n- [ ] Ship\n\n"
        "## Phase 4 \u2013 Acceptance Criteria\n\n- [ ] It is shipped\n"
    )
    world.write("p.md", plan)
    added = world.ralph("import", "p.md", "--json").data["added"]
    tasks = {one: world.task(one) for one in added}
    assert {one: (task.get("story"), task.get("mode")) for one, task in tasks.items()} == {
        "form": ("phase-1", None), "phase-1-exit-criteria": ("phase-1", "verify"),
        "write-them": ("phase-2", None), "ship": ("phase-3", None),
        "phase-4-acceptance-criteria": (None, "verify"),
    }  # fmt: skip
    last = tasks["phase-4-acceptance-criteria"]
    assert [one["text"] for one in last["acceptance"]] == ["It is shipped"]
    assert last["depends_on"] == ["phase-1-exit-criteria", "ship"]
