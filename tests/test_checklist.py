"""Task lists in Markdown become tasks: what stands in them, and what their order says."""

from __future__ import annotations

import re
from typing import Any

import pytest
import ryaml
from hypothesis import given
from hypothesis import strategies as st
from world import shared

from ralphgit.errors import InvalidRecord
from ralphgit.model.ids import is_id
from ralphgit.records.importers import Imported, convert
from ralphgit.records.importers.parts import item_order
from ralphgit.records.task_fields import normalise
from ralphgit.rules.cycles import find_cycles

Task = dict[str, Any]


def read(text: str) -> Imported:
    return convert("tasks.md", text.encode(), ryaml.loads)


def tasks(text: str) -> dict[str, Task]:
    return {str(task["id"]): task for task in read(text).tasks}


def depends(text: str) -> dict[str, list[str]]:
    return {name: task.get("depends_on", []) for name, task in tasks(text).items()}


def listed(found: Imported) -> list[Task]:
    stories = found.root["stories"]
    assert isinstance(stories, list)
    return stories


# --- real documents -----------------------------------------------------------------------


def of_file(name: str) -> tuple[Imported, dict[str, Task]]:
    found = convert(name, shared(name).read_bytes(), ryaml.loads)
    return found, {str(task["id"]): task for task in found.tasks}


def test_a_smart_ralph_list() -> None:
    found, by_id = of_file("smart-ralph/parallel-tasks-execution.md")
    assert len(by_id) == 46
    assert {task["status"] for task in by_id.values()} == {"complete"}
    # A check list for a pull request, in the middle of a command.
    assert [one.lines for one in found.ignored] == [(268, 269, 270, 271, 272, 273)]
    assert by_id["1.1"] == {
        "id": "1.1",
        "title": "Add [P] marker rules section to task-planner agent",
        "status": "complete",
        "story": "phase-1",
        "description": by_id["1.1"]["description"],
        "acceptance": by_id["1.1"]["acceptance"],
        "verify": [
            r"grep -c '\[P\] Parallel Task Marking' plugins/ralph-specum/agents/task-planner.md "
            "| grep -q '1' && echo PASS"
        ],
        "outputs": ["plugins/ralph-specum/agents/task-planner.md"],
        "scope": {"write": ["plugins/ralph-specum/agents/task-planner.md"]},
        "x-commit": "feat(task-planner): add [P] parallel task marking rules",
    }
    description = by_id["1.1"]["description"]
    assert description.startswith(
        "Part of: Task-Planner Agent Updates\n\n"
        "1. Open `plugins/ralph-specum/agents/task-planner.md`\n2. Add"
    )
    assert description.endswith("\n\n- _Requirements: FR-1, US-1_\n- _Design: Component 1 - "
                                "Task Planner Agent_")  # fmt: skip
    refs = {name: task.get("depends_on", []) for name, task in by_id.items()}
    assert refs["1.1"] == refs["1.2"] == refs["1.3"] == []
    assert refs["1.4"] == ["1.1", "1.2", "1.3"] and by_id["1.4"]["mode"] == "verify"
    assert refs["1.5"] == refs["1.6"] == refs["1.7"] == ["1.4"]
    assert refs["1.10"] == ["1.9"] and refs["2.1"] == ["1.21"]
    assert [entry["id"] for entry in found.root["stories"]] == [  # type: ignore[attr-defined]
        f"phase-{number}" for number in range(1, 6)
    ]


def test_another_smart_ralph_list() -> None:
    _, by_id = of_file("smart-ralph/task-granularity-levels.md")
    assert len(by_id) == 24
    # What its notes say: 1.4 to 1.7 and 4.1 to 4.2 are groups, the others follow each other.
    assert by_id["1.8"]["depends_on"] == ["1.4", "1.5", "1.6", "1.7"]
    assert by_id["1.7"]["depends_on"] == by_id["1.4"]["depends_on"] == ["1.3"]
    assert by_id["V4"]["depends_on"] == ["4.1", "4.2"]
    assert (by_id["V4"]["mode"], by_id["V4"]["story"]) == ("verify", "phase-4")
    assert "x-commit" not in by_id["3.1"], "None (verification only)"
    assert by_id["2.3"]["outputs"] == [
        "plugins/ralph-specum/commands/start.md", "plugins/ralph-specum/commands/tasks.md"
    ]  # fmt: skip


def test_a_spec_kit_list() -> None:
    found, by_id = of_file("speckit/tasks.md")
    assert len(by_id) == 28
    assert {task["status"] for task in by_id.values()} == {"pending"}
    assert by_id["T008"]["story"] == "US1" and by_id["T008"]["milestone"] == "phase-1"
    assert by_id["T002"]["scope"] == {"write": ["package.json", "tsconfig.json"]}
    assert by_id["T003"]["outputs"] == [".eslintrc.js", ".prettierrc"]
    assert by_id["T014"]["scope"]["write"] == ["src/middleware/errorHandler.ts", "src/errors/"]
    assert by_id["T014"]["outputs"] == ["src/middleware/errorHandler.ts"]
    assert by_id["T002"]["x-commit"] == "chore: initialize project with TypeScript"
    # Not a command: half of it is a sentence.
    assert [item["text"] for item in by_id["T006A"]["acceptance"]] == [
        "`npx prisma validate` and manual JWT test", "Schema valid, JWT functions work"
    ]  # fmt: skip
    assert "verify" not in by_id["T005"], "Manual test with curl"
    assert by_id["T006A"]["depends_on"] == ["T005", "T006"]
    assert by_id["T013"]["depends_on"] == by_id["T014"]["depends_on"] == ["T012"]
    assert find_cycles({name: task.get("depends_on", []) for name, task in by_id.items()}) == ()
    assert found.local


@pytest.mark.parametrize(
    "name",
    [
        "smart-ralph/parallel-tasks-execution.md",
        "smart-ralph/task-granularity-levels.md",
        "speckit/tasks.md",
    ],
)
def test_real_tasks_are_in_our_shape(name: str) -> None:
    for task in of_file(name)[0].tasks:
        assert normalise(dict(task), dict) == []


# --- order --------------------------------------------------------------------------------


def test_a_row_of_parallel_tasks_ends_at_what_is_not_and_at_a_heading() -> None:
    assert depends(
        """\
# Plan

## Phase 1: Begin

- [ ] 1.1 First
- [ ] 1.2 [P] Beside
- [ ] 1.3 [P] Beside it

### More of it

- [ ] 1.4 [P] After them
- [ ] 1.5 [SEQUENTIAL] Alone
- [ ] 1.6 [P] [VERIFY] Look

## Phase 2: End

- [ ] 2.1 [P] Last
"""
    ) == {
        "1.1": [], "1.2": ["1.1"], "1.3": ["1.1"], "1.4": ["1.2", "1.3"], "1.5": ["1.4"],
        "1.6": ["1.5"], "2.1": ["1.6"],
    }  # fmt: skip


WHOLES = """\
# Implementation Plan

## Tasks

- [x] 1. Set up
  - _Requirements: 1.1_
  - [x] 1.1 Types
  - [ ] 1.2 Config
- [ ] 2. Build
  - [ ] 2.1 Core
    - Keep it small
    - [ ] 2.1.1 Parse
    - [ ] 2.1.2 Write
  - [ ]* 2.2 Property test
- [ ]* 3. Extras
  - [ ] 3.1 Colours
- [ ] 4. Publish
"""


def test_an_item_around_others_is_their_story_and_no_task() -> None:
    """No worker could complete it: what it says is done in the items inside. But 2.1 says more."""
    found = read(WHOLES)
    seen = [(task["id"], task.get("story"), task.get("depends_on", [])) for task in found.tasks]
    assert seen == [
        ("1.1", "1", []), ("1.2", "1", ["1.1"]), ("2.1", "2", ["1.2"]), ("2.1.1", "2", ["2.1"]),
        ("2.1.2", "2", ["2.1.1"]), ("2.2", "2", ["2.1.2"]), ("3.1", "3", ["2.1.2"]),
        ("4", "Tasks", ["2.1.2"]),
    ]  # fmt: skip
    assert found.root["stories"] == [
        {"id": "1", "title": "Set up", "description": "- _Requirements: 1.1_"},
        {"id": "2", "title": "Build"},
        {"id": "3", "title": "Extras"},
    ]
    by_id = {task["id"]: task for task in found.tasks}
    assert by_id["2.1"]["description"] == "- Keep it small"
    # What is optional is so with all that is in it.
    assert [id for id, task in by_id.items() if task.get("x-optional")] == ["2.2", "3.1"]
    assert (
        "3 items with items inside: no task but what these are parts of, and done when they are "
        "(line 5, 9, 15)."
    ) in found.notes
    assert "'1. Set up' is ticked, and not all in it is: 1.2." in found.notes


FLAT = """\
## Tasks

- [ ] 3. Draw the map
- [x] 3.1 Tiles
- [ ] 3.2 Labels
- [ ] 4. Print it
  - On paper, not on screen
- [ ] 9. Choose the paper
- [ ] 4.1 Margins
- [ ] 4.2 Pages
- [ ]* 4.2.1 Page numbers
"""


@pytest.mark.parametrize("dot", [".", ""])
def test_a_number_around_others_on_the_same_level_is_their_story_too(dot: str) -> None:
    """As Kiro writes lists: 4. and 4.1 with the same indent."""
    found = read(FLAT.replace("3. D", f"3{dot} D"))
    first = "3" if dot else "3-draw-the-map"
    assert [(task["id"], task["story"], task.get("depends_on", [])) for task in found.tasks] == [
        ("3.1", first, []), ("3.2", first, ["3.1"]), ("4", "4", ["3.2"]), ("4.1", "4", ["4"]),
        ("4.2.1", "4", ["4.1"]), ("9", "Tasks", ["4.1"]),
    ]  # fmt: skip
    assert [story["id"] for story in listed(found)] == [first, "4"]
    assert "description" not in listed(found)[1], "4 says it"
    assert found.wholes == {3: ("3.1", "3.2"), 10: ("4.2.1",)}
    assert found.leads == {"4": ("4.1",)}
    assert found.ignored == ()


def test_a_number_below_another_heading_is_around_nothing() -> None:
    text = "## Draft\n\n- [ ] 1. Map\n\n## Print\n\n- [ ] 1.1 Pages\n- [ ] 1.2 Ink\n"
    assert depends(text) == {"1": [], "1.1": ["1"], "1.2": ["1.1"]}


LEADS = """\
- [ ] 1. Set up
- [ ] 2. Implement the store
  - Keep it in one file
  - _Requirements: 1.1_
{0}- [ ] 2.1 Write unit tests for the store
{0}- [ ]* 2.2 Write property tests
- [ ] 3. Wire it
"""


@pytest.mark.parametrize("indent", ["", "  "])
def test_an_item_with_work_of_its_own_comes_before_those_inside(indent: str) -> None:
    found = read(LEADS.format(indent))
    assert [(task["id"], task.get("story"), task.get("depends_on")) for task in found.tasks] == [
        ("1", None, None), ("2", "2", ["1"]), ("2.1", "2", ["2"]), ("2.2", "2", ["2.1"]),
        ("3", None, ["2.1"]),
    ]  # fmt: skip
    (two,) = (task for task in found.tasks if task["id"] == "2")
    assert (
        two["description"] == "- Keep it in one file\n- _Requirements: 1.1_" and "mode" not in two
    )
    assert listed(found) == [{"id": "2", "title": "Implement the store"}]
    assert (found.wholes, found.leads) == ({}, {"2": ("2.1",)})


@pytest.mark.parametrize(
    ("words", "inside", "led"),
    [
        ("Parse", ["Write unit tests for it", "Add property-based tests"], True),
        ("Parse", ["Note: no polling"], True),
        ("Parse", ["Unit and end-to-end tests", "**Note**: slow"], True),
        ("Parse", ["Write unit tests for it", "Read the header"], False),
        ("Parse", ["Create test fixtures", "Test data"], False),
        ("Parse\n  - _Requirements: 1.1, 1.2_\n  - **Validates: Property 3**", ["a", "b"], False),
        ("Parse\n  - Requirements: 1.1\n  - See [the design](design.md)", ["a", "b"], False),
        ("Parse\n  - **Priority**: high\n\n  Steps:\n", ["a", "b"], False),
        ("Parse\n  - Design the grammar: rules and names", ["a", "b"], True),
        ("Parse\n\n  All of it in one pass.\n", ["a", "b"], True),
        ("Parse\n  - **Do**: all\n  - **Verify**: `make`", ["a", "b"], True),
        ("Parse\n  - **Verify**: `make`", ["Write tests"], True),
        ("Parse\n  - **Verify**: `make`", ["a", "b"], False),
        ("[VERIFY] Parse\n  - all of it", ["a", "b"], False),
        ("Write the tests", ["Unit tests", "Integration tests"], False),
    ],
)
def test_which_items_have_work_of_their_own(words: str, inside: list[str], led: bool) -> None:
    lines = "".join(f"  - [ ] 1.{n} {each}\n" for n, each in enumerate(inside, start=1))
    found = read(f"- [ ] 1. {words}\n{lines}")
    by_id = {task["id"]: task for task in found.tasks}
    assert bool(found.leads) == led
    if led:
        assert by_id["1.1"]["depends_on"] == ["1"] and "depends_on" not in by_id["1"]
        assert "mode" not in by_id["1"]


def test_in_a_plain_list_too_what_is_inside_waits_for_work_of_its_own() -> None:
    text = (
        "# T\n1. [ ] Dig\n2. [ ] Pour\n   - from the left\n   - [ ] Mix\n   - [ ] Level\n"
        "3. [ ] Wait\n   - Depends on: Pour\n4. [ ] Paint\n"
    )
    assert depends(text) == {
        "dig": [], "pour": ["dig"], "mix": ["pour"], "level": ["pour"],
        "wait": ["pour", "mix", "level"], "paint": ["wait"],
    }  # fmt: skip


def test_what_stands_in_an_item_may_name_it() -> None:
    text = "- [ ] 1. A\n  - all of it\n  - [ ] 1.1 B\n  - [ ] 1.2 C\n    - Depends on: 1\n"
    assert depends(text) == {"1": [], "1.1": ["1"], "1.2": ["1"]}


def test_items_with_work_of_their_own_in_others() -> None:
    text = (
        "- [ ] 1. A\n  - [ ] 1.1 B\n    - all of it\n    - [ ] 1.1.1 C\n  - [ ] 1.2 [P] D\n"
        "    - all of it\n    - [ ] 1.2.1 E\n  - [ ] 1.3 [P] F\n- [ ] 2. G\n"
    )
    assert depends(text) == {
        "1.1": [], "1.1.1": ["1.1"], "1.2": ["1.1.1"], "1.2.1": ["1.2"], "1.3": ["1.1.1"],
        "2": ["1.2.1", "1.3"],
    }  # fmt: skip


def test_an_item_around_others_that_has_work_of_its_own_is_a_task() -> None:
    by_id = tasks(
        "- [ ] T1 a\n  - **Verify**: `npm test`\n  - [ ] T2 b\n"
        "- [ ] T3 c\n  - **Files**: `src/c.ts`\n  - **Verify**: `npm test`\n  - [ ] T4 d\n"
    )
    assert {id: (task.get("mode"), task.get("depends_on")) for id, task in by_id.items()} == {
        "T1": ("verify", ["T2"]), "T2": (None, None),
        "T3": (None, ["T4"]), "T4": (None, ["T1"]),
    }  # fmt: skip


def test_boxes_without_ids_in_a_task_that_has_one_are_its_steps() -> None:
    text = "- [ ] T1 a\n  - [x] first\n    - [ ] of it\n  - [ ] then\n- [x] T2 b\n  - [ ] rest\n"
    by_id = tasks(text)
    assert list(by_id) == ["T1", "T2"]
    steps = "- [ ] first\n  - [ ] of it\n- [ ] then"
    assert by_id["T1"]["description"] == steps
    assert by_id["T1"]["x-box"] == "ticked: step 1 of 3"
    assert "x-box" not in by_id["T2"]


@pytest.mark.parametrize(
    ("words", "more", "criterion"),
    [
        ("Checkpoint - Ensure all tests pass", "", "Ensure all tests pass"),
        ("Final checkpoint: ask the user", "  - _Requirements: 1.1_\n", "ask the user"),
        ("Checkpoint - Backend", "  - Ensure all is well\n", "Ensure all is well"),
        ("Checkpoint", "", "Checkpoint"),
        ("Checkpoint files are written", "  - Ensure all is well\n", ""),
    ],
)
def test_a_checkpoint_changes_no_file_and_has_a_criterion(
    words: str, more: str, criterion: str
) -> None:
    by_id = tasks(f"- [ ] 1. Do\n- [ ] 2. {words}\n{more}")
    wanted = [{"id": "ACC-1", "text": criterion}] if criterion else None
    assert by_id["2"].get("acceptance") == wanted
    assert by_id["2"].get("mode") == ("verify" if criterion else None)


def test_a_phase_or_an_item_around_others_stands_for_all_of_its_tasks() -> None:
    text = (
        "# T\n## Phase 1: Begin\n- [ ] a\n- [ ]* b\n## Phase 2\n- [ ] c\n- [ ] d\n  - [ ] e\n"
        "## Phase 3: More\n- [ ] f\n## Aside\n- [ ] g\n  - Depends on: {}\n"
    )
    for words, refs in (
        ("Phase 1", ["a"]), ("phase 1: begin and Phase 2", ["a", "c", "e"]), ("d", ["e"]),
        ("Phases 1-3", ["a", "c", "e", "f"]), ("Phase 1, 3 and c", ["a", "f", "c"]),
    ):  # fmt: skip
        assert depends(text.format(words))["g"] == refs, words
    found = read(text.format("Aside, Phase 9"))
    (task,) = (task for task in found.tasks if task["id"] == "g")
    assert (task.get("depends_on"), task["x-missing-dependencies"]) == (None, ["Phase 9", "Aside"])


def test_what_an_item_around_others_depends_on_counts_for_those_that_begin_in_it() -> None:
    text = (
        "- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n  - **Depends on**: 1\n  - [ ] 3.1 D\n  - [ ] 3.2 E\n"
    )
    assert depends(text) == {"1": [], "2": ["1"], "3.1": ["1"], "3.2": ["3.1"]}


def test_a_plain_list_has_no_order_but_by_numbers_and_nesting() -> None:
    assert depends(
        """\
- [ ] Paint
- [x] Clean
  - [x] Sweep
  - [ ] Wipe

1. [ ] Dig
2. [ ] Pour
   - [ ] Mix
3. [ ] Wait
"""
    ) == {
        "paint": [], "sweep": [], "wipe": [], "dig": [], "mix": ["dig"], "wait": ["mix"],
    }  # fmt: skip


def test_numbered_phases_follow_each_other_in_a_plain_list() -> None:
    text = "# T\n## Phase 1\n- [ ] a\n- [ ] b\n## Aside\n- [ ] c\n## Phase 2: End\n- [ ] d\n"
    assert depends(text) == {"a": [], "b": [], "c": [], "d": ["a", "b"]}
    assert [task["story"] for task in tasks(text).values()] == [
        "phase-1", "phase-1", "Aside", "phase-2"
    ]  # fmt: skip


@pytest.mark.parametrize("number", ["2a", "2B", "III"])
def test_a_phase_may_have_a_letter_or_a_roman_number(number: str) -> None:
    text = f"# T\n## Phase 1\n- [ ] a\n## Phase {number}: Mid\n- [ ] b\n## Phase 4\n- [ ] c\n"
    assert depends(text) == {"a": [], "b": ["a"], "c": ["b"]}
    assert tasks(text)["b"]["story"] == f"phase-{number.lower()}"


def test_two_phases_of_one_number_are_two_stories() -> None:
    text = "# T\n## Phase 1: Dig\n- [ ] a\n## Phase 1: Fill it ✅\n- [ ] b\n## Phase 2\n- [ ] c\n"
    assert [task["story"] for task in tasks(text).values()] == [
        "phase-1", "phase-1-fill-it", "phase-2",
    ]  # fmt: skip
    assert read(text).root["stories"] == [
        {"id": "phase-1", "title": "Phase 1: Dig"},
        {"id": "phase-1-fill-it", "title": "Phase 1: Fill it ✅"},
        {"id": "phase-2", "title": "Phase 2"},
    ]  # fmt: skip


def test_what_an_item_says_of_its_dependencies_counts() -> None:
    text = "- [ ] T1 a\n- [ ] T2 b\n- [ ] T3 c\n  - Depends on: T1 and T9\n"
    found = read(text)
    assert found.tasks[2]["depends_on"] == ["T1"]
    assert found.tasks[2]["x-missing-dependencies"] == ["T9"]
    assert "T3 depends on T9, not in the list: kept aside." in found.notes
    assert depends("- [ ] T1 a\n- [ ] T2 b\n  - **Depends on:** none\n")["T2"] == []


@pytest.mark.parametrize(
    ("words", "refs", "missing"),
    [
        ("Write the parser", ["1.1"], []),
        ("write the parser (done in the first phase).", ["1.1"], []),
        ("`Write the parser` and 1.2", ["1.1", "1.2"], []),
        ("Lex, parse and print", ["1.2"], []),
        ("Write the parser; Lex, parse and print", ["1.1", "1.2"], []),
        ("1.1 Write the parser", ["1.1"], []),
        ("Task 1.1, Task 1.2", ["1.1", "1.2"], []),
        ("1.1 1.2", ["1.1", "1.2"], []),
        ("1.1 and 7.3", ["1.1"], ["7.3"]),
        ("the merge of the old branch", [], ["the merge of the old branch"]),
        ("the merge, 1.1", ["1.1"], ["the merge"]),
        ("Twice", [], ["Twice"]),
        ("None (first)", [], []),
    ],
)
def test_an_item_names_others_by_id_or_title(
    words: str, refs: list[str], missing: list[str]
) -> None:
    found = tasks(
        "- [ ] 1.1 Write the parser\n- [ ] 1.2 Lex, parse and print\n- [ ] 1.3 Twice\n"
        f"- [ ] 1.4 Twice\n- [ ] 1.5 Last\n  - Depends on: {words}\n"
    )["1.5"]
    assert found.get("depends_on", []) == refs
    assert found.get("x-missing-dependencies", []) == missing


@pytest.mark.parametrize(("words", "refs"), [
    ("T1-T3", ["T1", "T2", "T3"]), ("T1 \u2013 T2, T3", ["T1", "T2", "T3"]),
    ("Tasks T2 to T3", ["T2", "T3"]), ("T1..T2", ["T1", "T2"]),
])  # fmt: skip
def test_a_range_names_all_that_is_in_it(words: str, refs: list[str]) -> None:
    text = f"- [ ] T1 a\n- [ ] T2 b\n- [ ] T3 c\n- [ ] T4 d\n  - **Depends on**: {words}\n"
    assert depends(text)["T4"] == refs


def test_the_order_makes_a_bounded_number_of_dependencies() -> None:
    row = "".join(f"- [ ] T{number} [P] x\n" for number in range(400))
    text = f"## A\n{row}## B\n{row.replace('T', 'U')}"
    with pytest.raises(InvalidRecord) as caught:
        read(text)
    assert (caught.value.code, caught.value.file) == ("too_large", "tasks.md")
    assert str(item_order.MOST) in caught.value.message


# --- items --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("`npm run build`", "npm run build"),
        ("`` echo `date` ``", "echo `date`"),
        ("npm test -- register", "npm test -- register"),
        ("go test ./...", "go test ./..."),
        ("./check.sh -q", "./check.sh -q"),
        ("make check", "make check"),
        ("make requests and look", None),
        ("npm test passes", None),
        ("Run `npm test`", None),
        ("`gh pr checks` or `gh pr view`", None),
        ("node is there, and so on", None),
        ("python is installed.", None),
        ("python is installed", None),
        ("docker compose is up", None),
        ("bash script exits 0", None),
        ("`All tests pass`", None),
        ("`src/index.html`", None),
        ("`GET /health` returns 200", None),
        ("`GET /health`", None),
        ('`"Login" button is visible`', None),
        ("`$ npm test`", "npm test"),
        ("`scripts/check.sh`", "scripts/check.sh"),
        ("`python is installed`", None),
        ("`npm test succeeds`", None),
        ("`Expected output: OK`", None),
        ("`docker compose is up`", None),
        ("`make it work`", None),
        ("`exit code 0`", None),
        ("`alle Tests sind gruen`", None),
        ("`build passes`", None),
        ("`200 OK`", None),
        ("`True`", None),
        ("`sum(1, 2) == 3`", None),
        ("`isReady()`", None),
        ("`status: ok`", None),
        ("`http://localhost:3000/`", None),
        ("`src/api/`", None),
        ("`ls`", "ls"),
        ("`. ./price.sh && test $(price) = 1`", ". ./price.sh && test $(price) = 1"),
        ("`. ./env`", ". ./env"),
        ("`! grep -q x y.txt`", "! grep -q x y.txt"),
        ("`make`", "make"),
        ("`just check`", "just check"),
        ("`npm run ok`", "npm run ok"),
        ("`docker compose up`", "docker compose up"),
        ("`git diff --exit-code`", "git diff --exit-code"),
        ("`CI=1 npm test`", "CI=1 npm test"),
        ("`cd app && npm test`", "cd app && npm test"),
        ("`strange-tool --all`", "strange-tool --all"),
        ('`pytest -k "a and b"`', 'pytest -k "a and b"'),
        ("`test -f out && echo is there`", "test -f out && echo is there"),
        ("`grep -q 'is installed' README.md`", "grep -q 'is installed' README.md"),
        ("`go vet ./...`", "go vet ./..."),
        ("`for f in *.py; do python $f; done`", "for f in *.py; do python $f; done"),
        ("`[ -f out.txt ]`", "[ -f out.txt ]"),
        ("`./gradlew test`", "./gradlew test"),
        ("`node_modules/.bin/jest`", "node_modules/.bin/jest"),
        ("`.venv/bin/python -m pytest`", ".venv/bin/python -m pytest"),
    ],
)
def test_only_what_is_plainly_a_command_is_one(text: str, command: str | None) -> None:
    task = tasks(f"- [ ] T1 a\n  - **Verify**: {text}\n")["T1"]
    assert task.get("verify") == ([command] if command else None)
    assert ("acceptance" in task) == (command is None)


@pytest.mark.parametrize(("heading", "stories"), [
    ("## Tasks", ["web", "api"]), ("## Phase 1: All", ["phase-1", "phase-1"]),
])  # fmt: skip
def test_a_heading_above_all_tasks_is_no_story(heading: str, stories: list[str]) -> None:
    found = tasks(f"# Plan\n\n{heading}\n\n### Web\n- [ ] T1 a\n\n### Api\n- [ ] T2 b\n")
    assert [str(task["story"]).casefold() for task in found.values()] == stories


def test_spaces_in_a_line_stay() -> None:
    assert tasks("- [ ] T1  [P] Print `%-10s  %s`\n  and a tab\n")["T1"]["title"] == (
        "Print `%-10s  %s` and a tab"
    )


def test_both_signs_of_what_is_parallel() -> None:
    found = depends("- [ ] 1.1 a\n- [ ] 1.2 (P) b\n- [ ] 1.3 (P) c\n- [ ] 1.4 d\n")
    assert found == {"1.1": [], "1.2": ["1.1"], "1.3": ["1.1"], "1.4": ["1.2", "1.3"]}


def test_commands_that_are_only_joined_are_all_meant() -> None:
    task = tasks("- [ ] T1 a\n  - **Verify**: `npm test` and `npm run lint`\n")["T1"]
    assert task["verify"] == ["npm test", "npm run lint"]


def test_a_sentence_in_a_code_block_is_no_command() -> None:
    task = tasks("- [ ] T1 a\n  - Verify:\n    ```\n    Expected output: OK\n    ```\n")["T1"]
    (found,) = task["acceptance"]
    assert ("verify" in task, found["text"]) == (False, "Expected output: OK")


@pytest.mark.parametrize(
    ("title", "commands"),
    [
        ("All tests pass: `python -m pytest -q`", ["python -m pytest -q"]),
        ("Checkpoint: `npm run lint` and `npm test` pass", ["npm run lint", "npm test"]),
        ("Quality: `just check`", ["just check"]),
        ("Look at `src/a.py` again", None),
        ("All is well", None),
    ],
)
def test_a_verify_item_has_its_commands_in_its_words(
    title: str, commands: list[str] | None
) -> None:
    task = tasks(f"- [ ] T1 a\n- [ ] T2 [VERIFY] {title}\n")["T2"]
    assert (task["mode"], task["title"], task.get("verify")) == ("verify", title, commands)


def test_a_label_says_more_than_the_words_of_a_verify_item() -> None:
    task = tasks("- [ ] T2 [VERIFY] Run `npm test`\n  - **Verify**: `npm run ci`\n")["T2"]
    assert task["verify"] == ["npm run ci"]


def test_commands_in_a_code_block_and_in_a_list() -> None:
    task = tasks(
        "- [ ] T1 a\n  - Verify:\n    ```sh\n    npm test\n    npm run lint\n    ```\n"
        "  - Done when:\n    - it runs\n    - it stops\n  - Verify:\n    1. `make`\n    2. Look\n"
    )["T1"]
    assert task["verify"] == ["set -e\nnpm test\nnpm run lint", "make"]
    assert [item["text"] for item in task["acceptance"]] == ["it runs", "it stops", "Look"]


@pytest.mark.parametrize(
    ("text", "write", "outputs"),
    [
        ("`src/a.ts`, `src/b.ts`", ["src/a.ts", "src/b.ts"], ["src/a.ts", "src/b.ts"]),
        ("src/a.ts:12-20, src/b/ (new)", ["src/a.ts", "src/b/"], ["src/a.ts"]),
        ("`src/**/*.ts`", ["src/**/*.ts"], None),
        ("app/(x)/[slug]/page.tsx", [r"app/(x)/\[slug\]/page.tsx"], ["app/(x)/[slug]/page.tsx"]),
        ("None", None, None),
        ("(several)", None, None),
        ("../outside.txt, /etc/passwd, some words", None, None),
    ],
)
def test_files(text: str, write: list[str] | None, outputs: list[str] | None) -> None:
    task = tasks(f"- [ ] T1 Make it\n  - **Files**: {text}\n")["T1"]
    assert task.get("scope") == (write and {"write": write})
    assert task.get("outputs") == outputs


def test_what_takes_a_file_away_does_not_put_it_out() -> None:
    task = tasks("- [ ] T1 Remove the old parser\n  - Files: src/old.py\n")["T1"]
    assert "outputs" not in task and task["scope"] == {"write": ["src/old.py"]}


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("a *b* \\[c] `d: e` \"f\" 'g' #h", "a *b* \\[c] `d: e` \"f\" 'g' #h"),
        ("key: value", "key: value"),
        ("- [ ] not a list", "- [ ] not a list"),
        ("[RED] Failing test", "[RED] Failing test"),
        ("3 ways to fail", "3 ways to fail"),
        ("<b>&amp;</b> <!-- x -->", "<b>&amp;</b> <!-- x -->"),
    ],
)
def test_hostile_titles_stay_titles(words: str, title: str) -> None:
    (task,) = read(f"- [ ] T1 {words}\n").tasks
    assert (task["id"], task["title"]) == ("T1", title)


def test_ids_are_made_from_words_and_stay_what_they_are() -> None:
    text = "# T\n## A\n- [ ] Write tests\n## B\n- [ ] Write tests\n- [ ] Grüße, Köln!\n- [ ] 你好\n"
    found = list(tasks(text))
    assert found[2] == "grue-koln" or found[2].startswith("gru")
    assert found[0].startswith("write-tests-") and found[1].startswith("write-tests-")
    assert found[0] != found[1] and all(map(is_id, found))
    # One that goes, or comes before, changes no other's id.
    assert list(tasks(text.replace("## B", "- [ ] New\n## B"))) == [
        found[0],
        "New".lower(),
        *found[1:],
    ]
    # An id that others need is not taken by words.
    both = "- [ ] T1 a\n- [ ] T2 b\n- [ ] t1\n"
    assert len({name.casefold() for name in tasks(both)}) == 3


def test_long_words_are_cut_between_words() -> None:
    (name,) = tasks("- [ ] " + "very " * 30 + "long\n")
    assert name == "-".join(["very"] * 8)


def test_boxes_that_are_no_tasks() -> None:
    assert list(tasks(
        "- [ ] one\n\n```\n- [ ] two\n```\n\n<!--\n- [ ] three\n-->\n\n> - [ ] four\n\n"
        "    - [ ] five\n\n- [] six\n- [y] seven\n- [x]eight\n- [ ]\n"
    )) == ["one", "six", "eight"]  # fmt: skip


MARKS = """\
## 1. Work
- [x] 1.1 Done
1. [ ] 1.2 Ordered
2) [ ] 1.3 Paren
+ [ ] 1.4 Plus
* [X] 1.5 Star
- [ x] 1.6 Space before
- [x ] 1.7 Space behind
-[ ] 1.8 No space
- [] 1.9 Empty box
- [~] 1.10 Deferred
- [-] 1.11 Going on
- [/] 1.12 Half
- [>] 1.13 Moved
- [✓] 1.14 Check
- [ ]* 1.15 Optional
- [ ] **1.16** Bold id
- [ ] [1.17] Bracket id
- [ ] Task 1.18: Named id
- [ ] 1.19. Dot id
- [ ] `1.20` Code id
- [ ] #21 Hash id
- [?] 1.22 Unknown sign
- [ ] 1.23 - Dash
- [x] ~~**1.24** Struck~~
- [y] 1.25 No box
"""


def test_every_box_and_every_form_of_an_id_is_read() -> None:
    found = read(MARKS)
    tasks = {str(task["id"]): task for task in found.tasks}
    assert list(tasks) == [*(f"1.{n}" for n in range(1, 21)), "21", "1.22", "1.23", "1.24"]
    done = [id for id, task in tasks.items() if task["status"] == "complete"]
    assert done == ["1.1", "1.5", "1.6", "1.7", "1.14", "1.24"]
    assert {id: (task.get("x-box"), task.get("priority")) for id, task in tasks.items()
            if "x-box" in task} == {
        "1.10": ("deferred", 5), "1.11": ("under way", None), "1.12": ("under way", None),
        "1.13": ("deferred", 5), "1.22": ("?", None),
    }  # fmt: skip
    assert (tasks["1.15"]["x-optional"], tasks["1.15"]["priority"]) == (True, 4)
    titles = [str(tasks[id]["title"]) for id in ("1.8", "1.16", "1.18", "21", "1.23", "1.24")]
    assert titles == ["No space", "Bold id", "Named id", "Hash id", "Dash", "Struck"]


def test_nothing_waits_for_what_is_optional_or_put_off() -> None:
    tasks = {str(task["id"]): task for task in read(MARKS).tasks}
    # 1.14 is done before its turn, and 1.12 under way.
    assert tasks["1.15"]["depends_on"] == ["1.14", "1.12"]
    assert tasks["1.16"]["depends_on"] == ["1.14", "1.12"]
    assert tasks["1.11"]["depends_on"] == ["1.9"]


def test_a_star_behind_the_number_makes_an_item_optional_as_one_behind_the_box_does() -> None:
    """Kiro and cc-sdd write both."""
    text = (
        "- [ ] 1. Parser\n  - [x] 1.1 Write it\n  - [ ]* 1.2 Test it\n  - [ ] 1.3 Print it\n"
        "- [ ] 2. Proofs\n  - [ ]* 2.1 Test all\n  - [ ]* 2.2 Measure 2* the time\n"
    )
    starred = text.replace("]* 1.2", "] 1.2*").replace("]* 2.1", "] 2.1.*").replace(
        "]* 2.2", "] 2.2*"
    )  # fmt: skip
    assert tasks(starred) == tasks(text)
    found = tasks(starred)
    assert (found["1.2"]["x-optional"], found["1.2"]["priority"]) == (True, 4)
    assert found["2.2"]["title"] == "Measure 2* the time"
    assert found["1.3"]["depends_on"] == ["1.1"]


def test_items_that_markdown_takes_for_words() -> None:
    text = "Words\n2) [ ] T1 a\n-[ ] T2 b\n 3. [x] T3 c\n4.[ ] T4 d\n\n```\n2. [ ] T5 e\n```\n"
    found = tasks(text)
    assert [(id, task["title"]) for id, task in found.items()] == [
        ("T1", "a"), ("T2", "b"), ("T3", "c"), ("T4", "d")
    ]  # fmt: skip
    apart = (
        "- [ ] T1 a\n    3) [ ] T2 b\n        - [ ] T3 c\n\n            Words\n\n"
        "        - [ ] T4 d\n        ```\n        - [ ] T5 e\n        ```\n"
    )
    assert [(id, task["story"]) for id, task in tasks(apart).items()] == [
        ("T2", "T1"), ("T3", "T1"), ("T4", "T1")
    ]  # fmt: skip
    inside = "- [ ] T1 a\n  2. [ ] T2 b\n      - [ ] T3 c\n  -[ ] T4 d\n-[ ] T5 e\n"
    assert [(id, task.get("story")) for id, task in tasks(inside).items()] == [
        ("T3", "T1"), ("T4", "T1"), ("T5", None)
    ]  # fmt: skip
    deeper = "  1. [ ] T1 a\n    - [ ] T2 b\n\t\t\t\t- [ ] T3 c\nWords\n      - [ ] T4 d\n"
    assert {id: task["title"] for id, task in tasks(deeper).items()} == {
        "T3": "c Words", "T4": "d"
    }  # fmt: skip
    (task,) = tasks("- [ ] T1 a\n  - **Do**: as in\n    ```\n    2. [ ] b\n    ```\n").values()
    assert "2. [ ] b" in task["description"]


def test_what_looks_like_an_item_and_is_none_is_named_with_its_line() -> None:
    notes, ignored = read(MARKS).notes, read(MARKS).ignored
    assert [one.lines for one in ignored] == [(26,)]
    assert any("marked [?], which means nothing here: pending (line 23)" in one for one in notes)
    assert any(
        "under way, which nobody has claimed here: pending (line 12, 13)" in one for one in notes
    )


@pytest.mark.parametrize(("line", "lines"), [
    ("[P] tasks = different files, no dependencies", []),
    ("[P] = may run beside others", []),
    ("[P] タスク = 異なるファイル", []),
    ("[P] T002 = the map", [(5,)]),
    ("[P] tasks can run in parallel within a phase", []),
    ("[P] means that it runs beside others", []),
    ("[P] T002 Draw the map", [(5,)]),
    ("[P] Mean values of both maps", [(5,)]),
])  # fmt: skip
def test_what_a_marker_means_is_no_item_that_was_missed(line: str, lines: list[object]) -> None:
    """spec-kit's template ends with such a line."""
    found = read(f"- [ ] T001 [P] Measure\n\n## Notes\n\n- {line}\n- Commit after each task\n")
    assert [task["id"] for task in found.tasks] == ["T001"]
    assert [one.lines for one in found.ignored] == lines


MARK = st.sampled_from([" ", "", "x", "X", "~", "-", "/", ">", "✓", "!", " x"])
FORM = st.sampled_from(["{}", "**{}**", "Task {}:", "`{}`", "[{}]", "{}.", "**Task {}:**"])


@given(st.lists(st.tuples(MARK, st.booleans(), FORM), min_size=1, max_size=12))
def test_no_item_vanishes(items: list[tuple[str, bool, str]]) -> None:
    """Items in = tasks out, whatever the box and the form of the id."""
    lines = [
        f"- [{mark}]{'*' if optional else ''} {form.format(f'1.{number}')} Some work"
        for number, (mark, optional, form) in enumerate(items, start=1)
    ]
    found = read("# Plan\n" + "\n".join(lines) + "\n")
    assert [task["id"] for task in found.tasks] == [f"1.{n}" for n in range(1, len(items) + 1)]
    assert {task["title"] for task in found.tasks} == {"Some work"}


def test_examples_are_read_where_there_is_nothing_else() -> None:
    found = read("# How to\n\nWrite:\n\n```markdown\n# A\n- [ ] T1 a\n- [x] T2 b\n```\n")
    assert [(task["id"], task["status"]) for task in found.tasks] == [
        ("T1", "pending"), ("T2", "complete")
    ]  # fmt: skip
    assert found.notes[0] == (
        "The document has no task list but in its code blocks: 2 tasks were read from there."
    )
    with pytest.raises(InvalidRecord, match="format"):
        read("```python\n- [ ] T1 a\n```\n")


def test_front_matter_without_an_id_is_a_documents() -> None:
    (task,) = read("---\ntitle: A plan\nstatus: draft\n---\n- [ ] T1 a\n").tasks
    assert task["id"] == "T1"


CRITERIA = """\
# Plan

## Phase 1: Core

It comes first.

### 1.1 Parser

In C.

- [ ] Write it
- [x] Test it

### Acceptance criteria

- [ ] It parses

## Phase 2: Shell

- Commands
  - [ ] add
- [ ] Docs

## Success Criteria Checklist

### P0 (Must Have)

- [x] It is fast
- [ ] `make bench`
- [ ] TBD

## Notes
"""


def test_a_section_of_criteria_verifies_what_is_before_it() -> None:
    found = read(CRITERIA)
    by_id = {str(task["id"]): task for task in found.tasks}
    own, last = by_id["acceptance-criteria"], by_id["success-criteria-checklist"]
    assert (own["story"], own["mode"]) == ("phase-1", "verify")
    assert own["depends_on"] == ["write-it", "test-it"]
    assert own["acceptance"] == [{"id": "ACC-1", "text": "It parses"}]
    assert ("story" in last, last["mode"], last["verify"]) == (False, "verify", ["make bench"])
    assert last["acceptance"] == [{"id": "ACC-1", "text": "P0 (Must Have): It is fast"}]
    assert (last["depends_on"], last["x-box"]) == (
        ["acceptance-criteria", "add", "docs"], "ticked: step 1 of 2",
    )  # fmt: skip
    assert by_id["add"]["depends_on"] == ["write-it", "test-it"]
    assert found.notes[-1] == (
        "2 sections of what holds at the end: a task that verifies it (line 14, 24)."
    )
    assert [one.reason for one in found.ignored] == ["nothing is written behind the box yet"]


@pytest.mark.parametrize(
    ("heading", "box", "work"),
    [
        ("Success Criteria", "It works", False),
        ("Definition of Done", "It works", False),
        ("5. Exit criteria", "It works", False),
        ("Acceptance checklist", "It works", False),
        ("Done when:", "It works", False),
        ("Success Criteria", "T9 Measure it", True),
        ("Phase 3: Acceptance criteria", "It works", False),
        ("Final validation", "Deploy it", True),
        ("Testing", "Test it", True),
    ],
)
@pytest.mark.parametrize("item", ["T{} Build it", "Build it {}"])
def test_which_sections_say_what_holds_at_the_end(
    heading: str, box: str, work: bool, item: str
) -> None:
    items = "\n".join(f"- [ ] {item.format(number)}" for number in (1, 2))
    found = read(f"# P\n\n## Work\n\n{items}\n\n## {heading}\n\n- [ ] {box}\n")
    if item[0] == "T" and work and box[:2] != "T9":
        assert [one.reason for one in found.ignored] == [
            "without an id, below a heading where no item has one"
        ]
        return
    *_, last = found.tasks
    assert (last.get("mode") == "verify") is not work
    assert len(found.tasks) == 3


def test_a_check_list_beside_items_with_ids_is_about_these() -> None:
    text = (
        "# P\n\n## Work\n\n- [ ] {}Build\n- [ ] {}Pack\n\n## Validation Checklist\n\n- [ ] Good\n"
    )
    without, beside = read(text.format("", "")), read(text.format("T1 ", "T2 "))
    assert [task.get("mode") for task in without.tasks] == [None, None, "verify"]
    assert [one.lines for one in beside.ignored] == [(10,)] and len(beside.tasks) == 2


def test_a_list_of_criteria_alone_is_a_list_of_tasks() -> None:
    found = read("# P\n\n## Definition of Done\n\n- [ ] Write it\n- [ ] Test it\n")
    assert [task["title"] for task in found.tasks] == ["Write it", "Test it"]


def test_what_headings_around_an_item_say_is_with_it() -> None:
    found = read(f"# Plan\n\n## Long term\n{CRITERIA[len('# Plan') :].replace('## ', '### ')}")
    by_id = {str(task["id"]): task for task in found.tasks}
    assert by_id["write-it"]["description"] == "Part of: 1.1 Parser\n\nIn C."
    assert by_id["add"]["description"] == "Part of: Commands"
    assert {by_id[id]["milestone"] for id in ("write-it", "docs")} == {"long-term"}
    assert listed(found)[0] == {
        "id": "phase-1", "title": "Phase 1: Core", "description": "It comes first.",
    }  # fmt: skip
    assert found.root["milestones"] == [{"id": "long-term", "title": "Long term"}]


def test_what_a_heading_says_is_that_of_the_story_that_its_items_name() -> None:
    found = read(
        "# T\n\n## Phase 1: Setup\n\n- [ ] T1 Begin\n\n"
        "## Phase 2: User Story 1 - Pay (P1)\n\n**Goal**: Pay\n\n- [ ] T2 [US1] Form\n"
    )
    assert listed(found)[-1] == {
        "id": "US1", "title": "Phase 2: User Story 1 - Pay (P1)", "description": "**Goal**: Pay",
    }  # fmt: skip


def test_a_long_text_below_a_heading_is_no_description() -> None:
    found = read(f"# P\n\n## Part one\n\n{'long ' * 1000}\n\n- [ ] a\n\n## Part two\n\n- [ ] b\n")
    assert [story.get("description") for story in listed(found)] == [None, None]


def test_two_headings_of_one_number_are_two_stories() -> None:
    found = read(
        "# R\n\n## Phase 5: Sync\n\n- [ ] a\n\n## Phase 6: Watch\n\n- [ ] b\n\n"
        "## Phase 5: Server \u2705\n\n- [x] c\n\n## Phase 5: Sync \u2705\n\n- [x] d\n"
    )
    assert [task["story"] for task in found.tasks] == [
        "phase-5", "phase-6", "phase-5-server", "phase-5",
    ]  # fmt: skip


@pytest.mark.parametrize("number", ["3a", "3A", "3.1", "III", "C"])
def test_a_phase_may_be_numbered_otherwise(number: str) -> None:
    found = depends(
        f"# P\n\n## Phase 2: Two\n\n- [ ] Two\n\n## Phase {number}: Sleep\n\n- [ ] Three\n\n"
        "## Phase 4: Four\n\n- [ ] Four\n"
    )
    assert found == {"two": [], "three": ["two"], "four": ["three"]}


def test_the_second_of_two_with_one_id_has_its_words_behind_it() -> None:
    found = read("# T\n\n- [ ] T1 a\n- [ ] T1 b\n- [ ] T1 b\n- [ ] T2 c\n")
    assert [task["id"] for task in found.tasks] == ["T1", "T1-b", "T2"]


def test_a_date_and_a_number_in_brackets_are_an_id() -> None:
    found = tasks("- [ ] [20260815-33] Mend it\n- [x] [20260815-34] Draw it\n- [ ] [x-1] No\n")
    assert [(id, task["title"]) for id, task in found.items()] == [
        ("20260815-33", "Mend it"), ("20260815-34", "Draw it"), ("x-1-no", "[x-1] No"),
    ]  # fmt: skip


def test_lists_in_lists_are_bounded() -> None:
    text = "".join("  " * depth + f"- [ ] T{depth} x\n" for depth in range(60))
    with pytest.raises(InvalidRecord, match="nested too deep"):
        read(text)
    found = read("".join("  " * depth + f"- [ ] T{depth} x\n" for depth in range(30)))
    assert len(found.tasks) + len(found.wholes) == 30


_WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


@given(st.lists(_WORDS, min_size=1, max_size=6), st.sampled_from(["- [ ] {}", "1. [x] T{n} {}"]))
def test_whatever_stands_in_a_list_the_tasks_are_valid(words: list[str], form: str) -> None:
    text = "\n".join(form.format(line, n=n) for n, line in enumerate(words)) + "\n- [ ] end\n"
    try:
        found = read(text)
    except InvalidRecord as error:
        assert error.code in ("duplicate_id", "control_character", "invalid_record", "anchor")
        return
    ids = [str(task["id"]) for task in found.tasks]
    assert len({name.casefold() for name in ids}) == len(ids)
    for task in found.tasks:
        assert normalise(dict(task), dict) == []
    refs = {str(task["id"]): task.get("depends_on", []) for task in found.tasks}
    assert find_cycles(refs) == ()  # type: ignore[arg-type]
    assert {ref for others in refs.values() for ref in others} <= set(ids)  # type: ignore[attr-defined]


def test_a_marker_behind_another_that_means_nothing_counts() -> None:
    text = (
        "- [ ] T1 [T][P] a\n- [ ] T2 [T] [P] b\n- [ ] T3 [P][S][US1] c\n- [ ] T4 [S][T] d\n"
        "- [ ] T5 \U0001f6d1 [OWNER] e\n- [ ] T6 [API](api.md) f\n- [ ] T7 [Optional] g\n"
    )
    found = read(text)
    assert [(task["title"], task.get("depends_on", [])) for task in found.tasks] == [
        ("[T] a", []), ("[T] b", []), ("[S] c", []), ("[S][T] d", ["T1", "T2", "T3"]),
        ("\U0001f6d1 [OWNER] e", ["T4"]), ("[API](api.md) f", ["T5"]), ("[Optional] g", ["T6"]),
    ]  # fmt: skip
    assert found.tasks[2]["story"] == "US1"
    assert found.notes[-1] == (
        "Markers that mean nothing here stay in the titles: [T], [S], [OWNER]."
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("M.1 Deploy", "M.R Roll back"),
        ("**M.1** Deploy", "**M.R** Roll back"),
        ("**TASK-CKA \u2014 Look**", "TASK-CKB Look again"),
    ],
)
def test_an_id_of_letters_beside_numbers_is_one(first: str, second: str) -> None:
    items = "\n".join(f"- [ ] 1.{number} Item {number}" for number in (1, 2, 3))
    found = read(f"## A\n\n{items}\n\n## Deploy\n\n- [ ] {first}\n- [ ] {second}\n")
    assert not found.ignored
    ids = [re.sub(r"[*]", "", words).split()[0] for words in (first, second)]
    assert [task["id"] for task in found.tasks] == ["1.1", "1.2", "1.3", *ids]
    assert [task["depends_on"] for task in found.tasks[3:]] == [["1.3"], [ids[0]]]


def test_letters_with_a_dot_that_are_words_are_no_id() -> None:
    found = read("- [ ] 1.1 One\n- [ ] 1.2 Two\n- [ ] U.S. law\n- [ ] TASK-BASED work\n")
    assert [task["id"] for task in found.tasks][2:] == ["u-s-law", "task-based-work"]
