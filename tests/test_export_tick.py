"""`export --tick`: the source learns what is complete here, and not one other byte changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import slow
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from world import World

from ralphgit.records.importers.parts import json_places

PLAN = """\
\ufeff# Plan

- [ ] 1.1 Write the parser
  - **Do**: as `- [ ]` says
  - [ ] 1.2 Delete the old cache
-[ ] 1.3 Write docs
1) [] 1.4 Release
* [ ]* 1.5 Celebrate
- [-] 1.6 Going on
- [~]   1.7 Put off
- [?] 1.8 Odd\t
- [ ] **1.9** Stay open
"""
TICKED = """\
\ufeff# Plan

- [x] 1.1 Write the parser
  - **Do**: as `- [ ]` says
  - [x] 1.2 Delete the old cache
-[x] 1.3 Write docs
1) [x] 1.4 Release
* [x]* 1.5 Celebrate
- [x] 1.6 Going on
- [x]   1.7 Put off
- [x] 1.8 Odd\t
- [ ] **1.9** Stay open
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def imported(world: World, *names: str) -> dict[str, Any]:
    done = world.ralph("import", *names, "--json")
    assert done.code == 0, done.out
    data: dict[str, Any] = done.data
    return data


def complete(world: World, *tasks: str) -> None:
    """Have these tasks complete here, as after their work has landed."""
    text = world.read()
    for number, task in enumerate(tasks):
        at = max(text.find(f"- id: {task}\n"), text.find(f'- id: "{task}"\n'))
        assert at >= 0, task
        result = (
            "status: complete\n"
            f"    claim: {{id: c{number}, by: alpha, at: t, base: b}}\n"
            f"    result: {{id: r{number}, claim: c{number}, outcome: done, at: t}}\n"
        )
        text = text[:at] + text[at:].replace("status: pending\n", result, 1)
    world.write_graph(text)


def ticked(world: World, *names: str) -> list[dict[str, Any]]:
    words = [word for name in names for word in ("--tick", name)]
    done = world.ralph("export", *words, "--json")
    assert done.code == 0, done.out
    found: list[dict[str, Any]] = done.data["ticked"]
    return found


def again_changes_nothing(world: World, *names: str) -> None:
    before = world.read()
    data = imported(world, *names)
    assert (data["added"], data["updated"], data["removed"]) == ([], [], [])
    assert world.read() == before
    files = {name: world.read(name) for name in names}
    assert all(not one["tasks"] and not one["missing"] for one in ticked(world, *names))
    assert {name: world.read(name) for name in names} == files


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_every_box_is_ticked_in_place(world: World, end: str, last: bool) -> None:
    def form(text: str) -> str:
        return (text if last else text.removesuffix("\n")).replace("\n", end)

    world.write("plan.md", form(PLAN))
    imported(world, "plan.md")
    ids = [f"1.{number}" for number in (1, 2, 3, 4, 5, 6, 8)]
    complete(world, *ids)
    note = imported(world, "plan.md")["notes"][-1]
    assert note == (
        "7 tasks are complete here and open in the source: ralphgit export --tick plan.md"
    )
    assert ticked(world, "plan.md") == [
        {"file": "plan.md", "format": "markdown", "tasks": ids, "missing": [], "waiting": []}
    ]
    assert world.read("plan.md") == form(TICKED).replace("[x]   1.7", "[~]   1.7")
    again_changes_nothing(world, "plan.md")
    # What was put off is ticked as well; what follows waits for it from then on.
    complete(world, "1.7")
    assert ticked(world, "plan.md")[0]["tasks"] == ["1.7"]
    assert world.read("plan.md") == form(TICKED)


def test_an_item_with_work_of_its_own_is_ticked_with_what_is_inside(world: World) -> None:
    text = "- [ ] T1 a\n  - all of it\n  - [ ] T2 b\n  - [ ]* T3 c\n- [ ] T4 d\n"
    world.write("plan.md", text)
    imported(world, "plan.md")
    complete(world, "T1")
    assert not any("--tick" in note for note in imported(world, "plan.md")["notes"])
    assert ticked(world, "plan.md")[0]["tasks"] == []
    complete(world, "T2")
    assert imported(world, "plan.md")["notes"][-1].startswith("2 tasks are complete here and open")
    assert ticked(world, "plan.md")[0]["tasks"] == ["T1", "T2"]
    assert world.read("plan.md") == text.replace("[ ] T1", "[x] T1").replace("[ ] T2", "[x] T2")
    again_changes_nothing(world, "plan.md")


def test_what_is_said(world: World) -> None:
    world.write("plan.md", "- [ ] T1 a\n- [ ] T2 b\n- [ ] T3 c\n- [ ] T4 d\n")
    imported(world, "plan.md")
    complete(world, "T1", "T2", "T3")
    world.write("plan.md", "- [ ] T1 a\n- [ ] T3 something else\n- [ ] T4 d\n")
    done = world.ralph("export", "--tick", "plan.md")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "marked as done in plan.md: T1\nnot found in plan.md, or in other words: T2, T3\n"
    )
    assert world.read("plan.md") == "- [x] T1 a\n- [ ] T3 something else\n- [ ] T4 d\n"


def test_all_boxes_of_a_section_of_criteria_are_ticked(world: World) -> None:
    text = "# P\n\n## Work\n\n- [ ] Build\n\n## Acceptance criteria\n\n- [ ] Fast\n- [ ] Small\n"
    world.write("plan.md", text)
    assert world.ralph("import", "plan.md").code == 0
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    assert world.ralph("export", "--tick", "plan.md").code == 0
    assert world.read("plan.md") == text.replace("[ ]", "[x]")
    assert world.ralph("import", "plan.md", "--json").data["updated"] == []


def test_a_renumbered_and_a_prefixed_list(world: World) -> None:
    world.write("plan.md", "- [ ] 1.1 a\n- [ ] 1.2 b\n")
    done = world.ralph("import", "plan.md", "--prefix", "P-")
    assert done.code == 0
    complete(world, "P-1.2")
    world.write("plan.md", "- [ ] 1.1 a\n- [ ] 1.2 new\n- [ ] 1.3 b\n")
    assert world.ralph("import", "plan.md", "--renumbered").code == 0
    assert ticked(world, "plan.md")[0]["tasks"] == ["P-1.2"]
    assert world.read("plan.md") == "- [ ] 1.1 a\n- [ ] 1.2 new\n- [x] 1.3 b\n"
    again_changes_nothing(world, "plan.md")


PRD = """\
{ "project": "x", "userStories": [
  {"id": "US-1", "title": "\\u00e9", "acceptanceCriteria": ["c"], "priority": 2, "passes" :false },
  {"id": "US-2", "title": "B", "acceptanceCriteria": ["c"], "priority": 1,
   "notes": "\\"passes\\": false"},
  {"id": "US-3", "title": "C", "acceptanceCriteria": ["c"], "priority": 3, "passes": false}
]}
"""


def test_a_story_passes(world: World) -> None:
    world.write("prd.json", PRD)
    imported(world, "prd.json")
    complete(world, "US-1", "US-2")
    assert ticked(world, "prd.json")[0]["tasks"] == ["US-2", "US-1"]
    assert world.read("prd.json") == PRD.replace('"passes" :false }', '"passes" :true }').replace(
        '"US-2",', '"US-2", "passes": true,'
    )
    again_changes_nothing(world, "prd.json")


@pytest.mark.parametrize(("key", "word"), [("status", "done"), ("state", "passing")])
def test_a_story_with_passes_and_a_status_says_both(world: World, key: str, word: str) -> None:
    text = f'[{{"id": "US-1", "{key}": "in_progress", "title": "a", "passes": false}}]\n'
    world.write("prd.json", text)
    imported(world, "prd.json")
    complete(world, "US-1")
    ticked(world, "prd.json")
    assert world.read("prd.json") == text.replace("in_progress", word).replace("false", "true")
    again_changes_nothing(world, "prd.json")


@pytest.mark.parametrize("form", ["[\n%s,\n%s]", "%s\n%s\n"])
def test_stories_in_a_list_and_in_lines(world: World, form: str) -> None:
    one, two = (f'{{"id": "US-{n}", "title": "a", "passes": false}}' for n in (1, 2))
    world.write("prd.json", form % (one, two))
    imported(world, "prd.json")
    complete(world, "US-2")
    ticked(world, "prd.json")
    assert world.read("prd.json") == form % (one, two.replace("false", "true"))
    again_changes_nothing(world, "prd.json")


TASKS = """\
{
  "master": {
    "tasks": [
      {"id": 1, "title": "Set up", "status": "review", "dependencies": [], "subtasks": [
        {"id": 1, "title": "Part", "status": "pending", "dependencies": []},
        {"id": 2, "title": "Other part", "dependencies": [1]}
      ]},
      {"id": 2, "title": "Build", "status": "deferred", "priority": "high", "dependencies": [1]}
    ],
    "metadata": {"created": "2025-07-01"}
  },
  "web": {"tasks": [{"id": 1, "title": "Site", "status": "pending", "dependencies": []}]}
}
"""


def test_task_master(world: World) -> None:
    world.write("tasks.json", TASKS)
    imported(world, "tasks.json")
    complete(world, "1", "1.2", "2", "web.1")
    assert ticked(world, "tasks.json")[0]["tasks"] == ["1", "1.2", "2", "web.1"]
    assert world.read("tasks.json") == (
        TASKS.replace('"review"', '"done"').replace('"deferred"', '"done"')
        .replace('"id": 2, "title": "Other', '"id": 2, "status": "done", "title": "Other')
        .replace('"Site", "status": "pending"', '"Site", "status": "done"')
    )  # fmt: skip
    again_changes_nothing(world, "tasks.json")


def test_the_file_of_shrimp(world: World) -> None:
    tasks = (
        '{"tasks": [\n  {"id": "a1", "name": "Draw", "status": "pending", "dependencies": []},\n'
        ' {"id": "b2", "name": "Sell", "status": "pending","dependencies":[{"taskId": "a1"}]}\n]}\n'
    )
    world.write("tasks.json", tasks)
    imported(world, "tasks.json")
    complete(world, "a1")
    assert ticked(world, "tasks.json")[0]["tasks"] == ["a1"]
    assert world.read("tasks.json") == tasks.replace("pending", "completed", 1)
    again_changes_nothing(world, "tasks.json")


STEPS = """\
# Login Implementation Plan

### Task 1: Form component

- [ ] **Step 1: Write the failing test**

```md
- [ ] **Step 9: No step**
```

- [x] **Step 2: Commit**

### Task 2: Session

- [ ] **Step 1: Write it**
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_todo_of_a_plan_of_cursor(world: World, end: str) -> None:
    plan = (
        "---\nname: P\ntodos:\n  - id: a\n    content: Draw\n    status: in_progress # now\n"
        "  - content: Write it\n    # later\n  - id: c\n    status: pending\n    content: Sell\n"
        "isProject: false\n---\n\n- [ ] status: pending\n"
    )
    (world.path / "p.plan.md").write_bytes(plan.replace("\n", end).encode())
    data = world.ralph("import", "p.plan.md", "--json").data
    assert data["added"] == ["a", "write-it", "c"]
    assert [one["lines"] for one in data["ignored"]] == [[15]]
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    assert world.ralph("export", "--tick", "p.plan.md").code == 0
    assert (world.path / "p.plan.md").read_bytes().decode() == (
        plan.replace("in_progress", "completed")
        .replace("    # later", "    # later\n    status: completed")
        .replace("  status: pending\n    content", "  status: completed\n    content")
        .replace("\n", end)
    )  # fmt: skip
    again = world.ralph("import", "p.plan.md", "--json").data
    assert (again["added"], again["updated"], len(again["unchanged"])) == ([], [], 3)


def test_all_steps_of_a_task(world: World) -> None:
    world.write("plan.md", STEPS)
    imported(world, "plan.md")
    complete(world, "task-1")
    assert ticked(world, "plan.md")[0]["tasks"] == ["task-1"]
    assert world.read("plan.md") == STEPS.replace(
        "[ ] **Step 1: Write the", "[x] **Step 1: Write the"
    )
    again_changes_nothing(world, "plan.md")


BACKLOG = """\
---
id: BACK-%s
title: Show it
status: 'To Do'   # soon
created_date: '2025-08-01 10:00'
dependencies: []
---

## Acceptance Criteria
<!-- AC:BEGIN -->
- [ ] #1 The parent is shown
<!-- AC:END -->
"""


def test_a_folder_of_tickets(world: World) -> None:
    for number in (1, 2):
        world.write(f"backlog/tasks/back-{number} - a.md", BACKLOG % number)
    imported(world, "backlog")
    complete(world, "BACK-2")
    world.ralph("export", "--tick", "backlog")
    assert world.read("backlog/tasks/back-1 - a.md") == BACKLOG % 1
    assert world.read("backlog/tasks/back-2 - a.md") == (BACKLOG % 2).replace("To Do", "Done")
    before = world.read()
    assert imported(world, "backlog")["updated"] == []
    assert world.read() == before


def test_other_front_matter(world: World) -> None:
    world.write("T-1.md", "---\r\nid: T-1\r\ntitle: One\r\n---\r\nstatus: words\r\n")
    world.write(
        "002.md", "---\nname: Two\nstatus: open\ndepends_on: []\nparallel: true\n---\n# T\n"
    )
    imported(world, "T-1.md", "002.md")
    complete(world, "T-1", "002")
    ticked(world, "T-1.md", "002.md")
    assert world.read("T-1.md") == (
        "---\r\nid: T-1\r\ntitle: One\r\nstatus: complete\r\n---\r\nstatus: words\r\n"
    )
    assert "\nstatus: closed\n" in world.read("002.md")
    again_changes_nothing(world, "T-1.md", "002.md")


# --- refusals -----------------------------------------------------------------------------


def test_what_cannot_be_ticked_is_refused(world: World) -> None:
    world.write("nodes.yaml", "nodes: [{id: A, title: a, status: open}]\n")
    world.write("plan.md", "- [ ] T1 a\n")
    imported(world, "nodes.yaml")
    world.refused("export", "--tick", "nodes.yaml", code="no_tick", exit=2)
    world.write("i.jsonl", '{"id":"x-1","title":"a","status":"open","issue_type":"task"}\n')
    world.ralph("import", "i.jsonl")
    error = world.refused("export", "--tick", "i.jsonl", code="no_tick", exit=2)
    assert error["hint"] == "bd close ID"
    error = world.refused("export", "--tick", "plan.md", code="not_imported", exit=2)
    assert error["hint"] == "ralphgit import plan.md"
    imported(world, "plan.md")
    world.refused("export", "out.txt", "--tick", "plan.md", code="usage", exit=2)
    world.refused("export", "--tick", "nowhere.md", code="no_file", exit=2)


def test_of_a_folder_the_files_with_a_tick_are_named(world: World) -> None:
    for name in ("a", "b"):
        world.write(f"specs/{name}/tasks.md", f"- [ ] T{ord(name)} Work\n")
    imported(world, "specs")
    nothing = world.ralph("export", "--tick", "specs")
    assert nothing.out == "marked as done in 2 files: nothing\n"
    complete(world, "T98")
    done = world.ralph("export", "--tick", "specs")
    assert done.out == "marked as done in specs/b/tasks.md: T98\n"


def test_a_list_without_boxes_has_none_to_tick(world: World) -> None:
    world.write("TODO.md", "- Write it\n- Test it\n")
    assert world.ralph("import", "--bullets", "TODO.md").code == 0
    complete(world, "write-it")
    again = world.ralph("import", "--bullets", "TODO.md")
    assert "--tick" not in again.out
    error = world.refused("export", "--tick", "TODO.md", code="no_tick", exit=2)
    assert error["message"] == (
        "the items of TODO.md have no boxes that could be ticked; write [ ] before them; "
        "nothing was written"
    )


# --- any list -----------------------------------------------------------------------------

ITEM = st.tuples(
    st.sampled_from([" ", "", "-", "/", "~", ">", "?", "  "]),
    st.sampled_from(["", "*"]),
    st.sampled_from(["- ", "* ", "+ ", "1. ", "2) "]),
    st.sampled_from(["T{n} a", "**T{n}** b", "T{n} `- [ ]` c", "Task T{n}: d [ ]"]),
    st.integers(0, 2),
    st.booleans(),
)


def due(items: list[tuple[str, str, int]]) -> dict[int, set[int]]:
    """By place, an item around others, and the tasks that have to be done in it."""
    above: list[int] = []
    inside: dict[int, list[int]] = {}
    put_off: set[int] = set()
    optional: set[int] = set()
    for place, (mark, star, depth) in enumerate(items):
        above = above[:depth]
        for whole in above:
            inside.setdefault(whole, []).append(place)
        if mark in ("~", ">") or (not mark.strip() and above and above[-1] in put_off):
            put_off.add(place)
        if star or (above and above[-1] in optional):
            optional.add(place)
        above.append(place)
    tasks = {whole: {*each} - inside.keys() for whole, each in inside.items()}
    return {
        whole: each if whole in put_off else each - put_off - optional or each
        for whole, each in tasks.items()
    }


@pytest.mark.slow
@settings(slow.examples(30), phases=[Phase.generate])
@given(st.lists(ITEM, min_size=1, max_size=8), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_list_is_ticked_in_place(
    tmp_path_factory: pytest.TempPathFactory,
    items: list[tuple[str, str, str, str, int, bool]], end: str, last: bool,
) -> None:  # fmt: skip
    world = World(tmp_path_factory.mktemp("tick"))
    lines, depth, nested = list[str](), 0, list[tuple[str, str, int]]()
    for number, (mark, star, bullet, form, deep, _) in enumerate(items, start=1):
        depth = min(deep, depth + 1) if lines else 0
        lines.append(f"{'   ' * depth}{bullet}[{mark}]{star} {form.format(n=number)}")
        nested.append((mark, star, depth))
    wholes = due(nested)
    done = {place for place, item in enumerate(items) if item[5] and place not in wholes}
    text = end.join(["# Plan", "", *lines]) + (end if last else "")
    world.write("plan.md", text)
    imported(world, "plan.md")
    complete(world, *(f"T{place + 1}" for place in sorted(done)))
    assert {*ticked(world, "plan.md")[0]["tasks"]} == {f"T{place + 1}" for place in done}
    marked = done | {whole for whole, tasks in wholes.items() if done and tasks <= done}
    old, new = text.split(end), world.read("plan.md").split(end)
    for line, (before, after) in enumerate(zip(old, new, strict=True)):
        box = f"[{items[line - 2][0]}]" if line - 2 in marked else ""
        assert after == (before.replace(box, "[x]", 1) if box else before)


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from([None, 2]),
)
def test_every_value_of_json_is_found(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    for path, (start, end) in json_places.places(text).items():
        found = value
        for step in path:
            found = found[step]
        assert json.loads(text[start:end]) == found


def test_a_sign_in_place_of_a_box(world: World) -> None:
    text = (Path(__file__).parent / "cases/plans/signs.md").read_text(encoding="utf-8")
    world.write("plan.md", text)
    assert world.ralph("import", "plan.md").code == 0
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    assert world.ralph("export", "--tick", "plan.md").code == 0
    ticked = text.replace("\u2610", "\u2611").replace("\u2b1c", "\u2611")
    assert world.read("plan.md") == ticked
    again = world.ralph("import", "plan.md", "--json").data
    assert (again["updated"], again["added"], len(again["unchanged"])) == ([], [], 6)


@pytest.mark.parametrize(("name", "open", "done"), [
    ("feature_list.json", '"passes": false', '"passes": true'),
    ("features-with-commands.json", '"state": "not_started"', '"state": "passing"'),
])  # fmt: skip
def test_a_list_of_features(world: World, name: str, open: str, done: str) -> None:
    text = (Path(__file__).parent / "cases/plans" / name).read_text(encoding="utf-8")
    world.write(name, text)
    assert world.ralph("import", name).code == 0
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    assert world.ralph("export", "--tick", name).code == 0
    assert world.read(name) == text.replace(open, done)
    again = world.ralph("import", name, "--json").data
    assert (again["updated"], again["added"]) == ([], [])


@pytest.mark.parametrize(
    ("key", "passes", "word"),
    [("status", True, "completed"), ("state", True, "passed"), ("status", False, "Completed")],
)
def test_a_story_is_done_in_the_word_of_the_file(
    world: World, key: str, passes: bool, word: str
) -> None:
    """A word that says more than that is none."""

    def story(id: str, status: str, done: str) -> str:
        more = f', "passes": {done}' if passes else ""
        return f'{{"id": "{id}", "title": "{id}", "criteria": ["x"], "{key}": "{status}"{more}}}'

    done = [story("B", word, "true"), story("C", "merged", "true")]
    text = f'{{"stories": [{story("A", "not_started", "false")},\n {", ".join(done)}]}}\n'
    world.write("prd.json", text)
    world.ralph("import", "prd.json")
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    ticked = world.ralph("export", "--tick", "prd.json")
    assert ticked.out == "marked as done in prd.json: A\n"
    assert world.read("prd.json") == text.replace("not_started", word).replace("false", "true")
    assert world.ralph("import", "prd.json").out.splitlines()[0] == "unchanged: 3 tasks"


@pytest.mark.parametrize(
    ("head", "word", "usual"),
    [
        ("id: {0}\ntitle: T{0}", "done", "complete"),
        ("name: T{0}\ndepends_on: []", "completed", "closed"),
        ("id: {0}\ntitle: T{0}\ncreated_date: '2026-01-02'", "Completed", "Done"),
    ],
)
def test_a_document_is_done_in_the_word_of_those_beside_it(
    world: World, head: str, word: str, usual: str
) -> None:
    for number, status in (("001", "open"), ("002", word), ("003", word), ("004", "merged")):
        world.write(f"t/{number}.md", f"---\n{head.format(number)}\nstatus: {status}\n---\nIt.\n")
    world.write("t/notes.md", "---\nstatus: [\n---\n")
    world.ralph("import", "t/001.md", "t/002.md")
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    assert world.ralph("export", "--tick", "t/001.md").code == 0
    assert f"\nstatus: {word}\n" in world.read("t/001.md")
    # Alone, it is in that of its format.
    for number in ("002", "003", "004"):
        (world.path / f"t/{number}.md").unlink()
    world.write("t/001.md", world.read("t/001.md").replace(f"status: {word}", "status: open"))
    assert world.ralph("export", "--tick", "t/001.md").code == 0
    assert f"\nstatus: {usual}\n" in world.read("t/001.md")


def test_the_status_of_the_file_s_own_in_tasks_of_task_master(world: World) -> None:
    text = (
        '{"tasks": [{"id": 1, "title": "a", "status": "pending", "dependencies": []},\n'
        ' {"id": 2, "title": "b", "status": "completed", "dependencies": []}]}\n'
    )
    world.write("tasks.json", text)
    world.ralph("import", "tasks.json")
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete"))
    world.ralph("export", "--tick", "tasks.json")
    assert world.read("tasks.json") == text.replace("pending", "completed")


def test_what_has_others_inside_and_waits_for_these_is_named(world: World) -> None:
    world.write("plan.md", "- [ ] 2. Core\n  - Write the core\n  - [ ] 2.1 Parser\n- [ ] 3. End\n")
    imported(world, "plan.md")
    complete(world, "2")
    assert world.ralph("export", "--tick", "plan.md").out == (
        "marked as done in plan.md: nothing\nmarked once what is inside is complete: 2\n"
    )
    complete(world, "2.1")
    assert ticked(world, "plan.md")[0]["tasks"] == ["2", "2.1"]
