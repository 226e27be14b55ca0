"""Files that items name are offered as scope; blocks of parallel items; lists without boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import ryaml
from world import World

from ralphgit.records.importers import Imported, convert

Task = dict[str, Any]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def read(text: str) -> Imported:
    return convert("tasks.md", text.encode(), ryaml.loads)


def tasks(text: str) -> dict[str, Task]:
    return {str(task["id"]): task for task in read(text).tasks}


def depends(text: str) -> dict[str, list[str]]:
    return {name: task.get("depends_on", []) for name, task in tasks(text).items()}


def imported(world: World, *words: str) -> dict[str, Any]:
    done = world.ralph("import", "tasks.md", *words, "--json")
    assert done.code == 0, done
    data: dict[str, Any] = done.data
    return data


@pytest.mark.parametrize(("item", "offered"), [
    ("T1 Login page in src/login.ts", ["src/login.ts"]),
    ("T1 Login page in `login.ts`, with `os.path` and `text/html`", ["login.ts"]),
    ("T1 Models in src/models/.", ["src/models/"]),
    ("T1 Client and/or server, I/O e.g. of v1.2/v1.3", None),
    ("T1 Pages in `src/[id]/page.tsx`", [r"src/\[id\]/page.tsx"]),
    ("T1 Login\n  - Change `src/a.ts`\n  - as in src/b.ts", ["src/a.ts"]),
    ("T1 プロジェクトを初期化する\uff08frontend/\uff09", ["frontend/"]),
    ("T1 初期化する\uff08backend/pyproject.toml、backend/src/app.py\uff09。", [
        "backend/pyproject.toml", "backend/src/app.py",
    ]),
    ("T1 初期化する(frontend/)", ["frontend/"]),
    ("T1 「web/index.html」を書く", ["web/index.html"]),
    ("T1 文書を書く\uff1adocs/地図.md", ["docs/地図.md"]),
    ("T1 [VERIFY] Look at `src/a.ts`", None),
])  # fmt: skip
def test_files_in_an_item_are_offered(item: str, offered: list[str] | None) -> None:
    task = tasks(f"- [ ] {item}\n")["T1"]
    assert task.get("x-suggested-scope") == (offered and {"write": offered})
    assert "scope" not in task


@pytest.mark.parametrize(("files", "scope", "more"), [
    ("`src/a.ts` (new), any callers of it", None, "any callers of it"),
    ("src/a.ts, and all its tests", None, "and all its tests"),
    ("Create: `src/a.ts` (lines 1-2), Modify: `src/b.ts`", ["src/a.ts", "src/b.ts"], ""),
    ("`src/a.ts` -> `src/b.ts`", ["src/a.ts", "src/b.ts"], ""),
    ("src/a.ts (lines 10-20), tests/", ["src/a.ts", "tests/"], ""),
])  # fmt: skip
def test_an_open_list_of_files_is_no_scope(files: str, scope: list[str] | None, more: str) -> None:
    task = tasks(f"- [ ] T1 a\n  - **Files**: {files}\n")["T1"]
    assert task.get("scope") == (scope and {"write": scope})
    assert task.get("x-suggested-scope", {}).get("open", "") == more


LIST = """\
- [ ] T1 [P] Cart in src/cart.ts
- [ ] T2 [P] Pay in src/cart.ts and src/pay.ts
- [x] T3 Old in src/old.ts
- [ ] T4 More
  - **Files**: `src/a.ts`, any callers
"""


def test_parallel_items_that_name_one_file_are_told() -> None:
    assert read(LIST).notes[0] == ("T1, T2 are marked as parallel, and name the same: src/cart.ts.")
    apart = LIST.replace("src/cart.ts and ", "")
    assert not [note for note in read(apart).notes if "parallel" in note]


def test_what_is_offered_is_kept_taken_or_left(world: World) -> None:
    world.write("tasks.md", LIST)
    imported(world, "--scopes", "none")
    assert "x-suggested-scope" not in world.read()
    assert "scope" not in world.task("T1")

    assert imported(world)["updated"] == ["T1", "T2", "T3", "T4"]
    assert world.task("T2")["x-suggested-scope"] == {"write": ["src/cart.ts", "src/pay.ts"]}

    # What is complete keeps what it promised, and an open list offers no whole scope.
    assert imported(world, "--scopes", "take")["updated"] == ["T1", "T2"]
    assert world.task("T2")["scope"] == {"write": ["src/cart.ts", "src/pay.ts"]}
    assert "x-suggested-scope" not in world.task("T2")
    for words in ((), ("--scopes", "take")):
        again = imported(world, *words)
        assert (again["updated"], again["added"]) == ([], [])


def test_a_taken_scope_stands_where_scopes_do(world: World) -> None:
    world.write("tasks.md", LIST)
    imported(world, "--scopes", "take")
    (first, *_) = world.read().split("  - id: T2")
    assert first.index("scope:") < first.index("x-source:")
    assert world.ralph("check").code == 0


@pytest.mark.parametrize("form", [
    "[PARALLEL]|[/PARALLEL]", "- [PARALLEL]|- [/PARALLEL]", "## [PARALLEL]|## [/PARALLEL]",
    "- [ ] [PARALLEL]|- [ ] [/PARALLEL]", "**[PARALLEL: two]**|**[/PARALLEL]**",
    "<!-- [PARALLEL] -->|<!-- [/PARALLEL] -->", "[parallel]|[/parallel]",
])  # fmt: skip
@pytest.mark.parametrize("space", ["\n", "\n\n"])
def test_a_block_of_parallel_items(form: str, space: str) -> None:
    """Whatever stands between its marks and the items; the marks are no tasks, and no stories."""
    begin, end = form.split("|")
    lines = ["# Plan", "", "## Work", "- [ ] a", begin, "- [ ] b\n  - [ ] d", "- [ ] c", end,
             "- [ ] e"]  # fmt: skip
    text = space.join(lines) + "\n"
    assert depends(text) == {"a": [], "d": ["a"], "c": ["a"], "e": ["d", "c"]}
    assert [task["story"] for task in tasks(text).values()] == ["Work", "b", "Work", "Work"]


def test_a_block_with_a_name_and_headings_in_it() -> None:
    text = (
        "## Start\n- [ ] T1 a\n## [PARALLEL] Parts\n- [ ] T2 b\n### More\n- [ ] T3 c\n"
        "## [/PARALLEL]\n- [ ] T4 d\n"
    )
    assert depends(text) == {"T1": [], "T2": ["T1"], "T3": ["T1"], "T4": ["T2", "T3"]}
    assert [task["story"] for task in tasks(text).values()] == ["Start", "Parts", "Parts", "Start"]


def test_a_block_without_an_end_ends_at_a_heading() -> None:
    text = "## A\n[PARALLEL]\n- [ ] T1 a\n- [ ] T2 b\n## B\n- [ ] T3 c\n- [ ] T4 d\n"
    assert depends(text) == {"T1": [], "T2": [], "T3": ["T1", "T2"], "T4": ["T3"]}


def test_two_blocks_and_a_row_follow_each_other() -> None:
    text = (
        "- [ ] T1 a\n[PARALLEL]\n- [ ] T2 b\n- [ ] T3 c\n[/PARALLEL]\n"
        "[PARALLEL]\n- [ ] T4 d\n[/PARALLEL]\n- [ ] T5 [P] e\n- [ ] T6 [PARALLEL] f\n"
    )
    assert depends(text) == {
        "T1": [], "T2": ["T1"], "T3": ["T1"], "T4": ["T2", "T3"], "T5": ["T4"], "T6": ["T4"],
    }  # fmt: skip


def test_parallel_items_with_tasks_inside_them() -> None:
    text = (
        "- [ ] T1 a\n- [ ] T2 [P] b\n  - [ ] T3 c\n  - [ ] T4 d\n- [ ] T5 [P] e\n  - [ ] T6 f\n"
        "- [ ] T7 g\n"
    )
    assert depends(text) == {
        "T1": [], "T3": ["T1"], "T4": ["T3"], "T6": ["T1"], "T7": ["T4", "T6"],
    }  # fmt: skip


TODO = """\
# TODO

## Next

- Write the parser in `src/parser.py`
  - with tests
1. First
2. Second

## Done ✓

- Set up
"""


def test_a_list_without_boxes(world: World) -> None:
    world.write("tasks.md", TODO)
    refused = world.ralph("import", "tasks.md", "--json")
    assert (refused.code, refused.json["error"]["hint"]) == (
        6, "ralphgit import --bullets tasks.md reads items without a box, too",
    )  # fmt: skip
    assert imported(world, "--bullets")["added"] == [
        "write-the-parser-in-src-parser-py", "first", "second", "set-up",
    ]  # fmt: skip
    first = world.task("write-the-parser-in-src-parser-py")
    assert (first["description"], first["x-suggested-scope"]) == (
        "- with tests", {"write": ["src/parser.py"]},
    )  # fmt: skip
    assert world.task("second")["depends_on"] == ["first"]
    assert [world.task(name)["status"] for name in ("second", "set-up")] == ["pending", "complete"]
    again = imported(world, "--bullets")
    assert (again["updated"], len(again["unchanged"])) == ([], 4)


@pytest.mark.parametrize(
    ("heading", "done"),
    [("Done", True), ("Phase 2: Store \u2713 (COMPLETE)", True), ("Phase 3 - Done", True),
     ("\u2705 Store", True), ("Done by hand", False), ("What is not complete", False)],
)  # fmt: skip
def test_what_stands_below_a_heading_that_says_so_is_done(
    world: World, heading: str, done: bool
) -> None:
    text = f"# Plan\n\n## {heading}\n\n### Code\n\n- Write it\n\n## Later\n\n- Test it\n"
    world.write("plan.md", text)
    assert world.ralph("import", "--bullets", "plan.md").code == 0
    found = [world.task(name)["status"] for name in ("write-it", "test-it")]
    assert found == ["complete" if done else "pending", "pending"]
