"""Plans of superpowers: a task for each heading `Task N`, its steps, files and commands in it."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import ryaml
from hypothesis import given
from hypothesis import strategies as st
from world import World

from ralphgit.records.importers import Imported, convert, superpowers
from ralphgit.records.importers.parts import (
    endless_commands,
    headings,
    markdown_items,
    plan_checks,
    proofs,
)

Task = dict[str, Any]

PLAN = """\
# Login Implementation Plan

> **For agentic workers:** Steps use checkbox (`- [ ]`) syntax for tracking.

**Goal:** Login

---

### Task 1: Form component

**Files:**
- Create: `src/form.ts`
- Modify: `src/app.ts:10-20`
- Test: `tests/form.test.ts`

- [x] **Step 1: Write the failing test**

```ts
test("form", () => {})
```

- [ ] **Step 2: Run test to verify it fails**

Run: `npm test -- form`
Expected: FAIL

- [ ] **Step 3: Commit**

### Task 2: Session

**Files:**
- Create: `src/session.ts`

- [x] **Step 1: Write it**
- [x] **Step 2: Commit**
"""

#: Steps are no boxes, code blocks have code blocks in them, as in many a plan.
NESTED = """\
# Skills Implementation Plan

## Phase 1: Agents

### Task 1: Flatten

**Files:**
- Move: `agents/a.md` → `agents/b.md`
- Delete: `agents/workers/`

**Step 1: Write the guide**

```markdown
# The guide

## The law
```
NO CODE
```
## Red

- [ ] Every function has a test
```

**Step 2: Validate**

```bash
./validate.sh
```

Expected: 0 errors

**Step 3: Commit**

```bash
git commit -m x
```

## Phase 2: Skills

### Task 2: TDD
**Files:** Create `skills/tdd.md`
**Depends on:** None

**Step 1: Run**

Run:
```bash
$ pytest tests/a.py -q
```
Expected: FAIL

Run: `pytest tests/b.py -q`
Expected: PASS

Run: `npm run dev`
Expected: it starts

### Task 3: More
**Depends on:** Task 1 and Task 9

**Step 1: Write it**

## Summary

- [ ] All is done
"""


def read(text: str) -> Imported:
    return convert("plan.md", text.encode(), ryaml.loads)


def tasks(text: str) -> dict[str, Task]:
    return {str(task["id"]): task for task in read(text).tasks}


def test_a_task_has_its_steps_in_their_order_its_files_and_its_commands() -> None:
    found = tasks(PLAN)
    assert list(found) == ["task-1", "task-2"]
    first, second = found.values()
    assert (first["title"], first["status"]) == ("Form component", "pending")
    steps = [line for line in first["description"].splitlines() if "Step" in line]
    assert steps == [
        "- [ ] **Step 1: Write the failing test**",
        "- [ ] **Step 2: Run test to verify it fails**",
        "- [ ] **Step 3: Commit**",
    ]
    assert first["x-box"] == "ticked: step 1 of 3"
    assert "verify" not in first  # It is to fail, and nothing behind it changes that.
    assert first["outputs"] == ["src/form.ts", "tests/form.test.ts"]
    assert first["x-suggested-scope"] == {
        "write": ["src/form.ts", "src/app.ts", "tests/form.test.ts"]
    }
    assert "scope" not in first
    assert (second["depends_on"], second["status"]) == (["task-1"], "complete")


def test_code_in_code_ends_no_task() -> None:
    found = tasks(NESTED)
    assert [task["story"] for task in found.values()] == ["phase-1", "phase-2", "phase-2"]
    first = found["task-1"]
    assert "## Red" in first["description"]
    assert first["description"].endswith("git commit -m x\n```")
    assert first["verify"] == ["./validate.sh"]
    assert first["x-suggested-scope"] == {
        "write": ["agents/a.md", "agents/b.md", "agents/workers/"]
    }
    assert "outputs" not in first


def test_what_is_expected_to_fail_or_to_run_on_proves_nothing() -> None:
    assert tasks(NESTED)["task-2"]["verify"] == ["pytest tests/b.py -q"]


@pytest.mark.parametrize(
    ("expected", "kept"),
    [
        ("no errors", True), ("0 new type errors", True), ("PASS, 0 failed", True),
        ("failed: 0", True), ("All tests pass without an error", True), ("exit code 0", True),
        ("exits 0. If you see errors about it, mend them", True),
        ("types clean. An error says what is missing", True),
        ("FAIL, no such module", False), ("an error: no module named x", False),
        ("Build failed", False), ("2 tests fail", False),
    ],
)  # fmt: skip
def test_what_is_expected_of_a_command_says_whether_it_fails(expected: str, kept: bool) -> None:
    text = (
        "### Task 1: a\n\n**Step 1: x**\n\nRun: `ruff check`\n"
        f"Expected: {expected}\n\nRun: `pytest b.py`\nExpected: PASS\n"
    )
    verify = tasks(text)["task-1"]["verify"]
    assert verify == (["ruff check", "pytest b.py"] if kept else ["pytest b.py"])


@pytest.mark.parametrize(
    ("command", "expected", "verify"),
    [
        ('grep -r "pplx-" src/', "No matches.", ['! grep -r "pplx-" src/']),
        ("rg -n foo src", "no output", ["! rg -n foo src"]),
        ("git grep -n foo -- src", "Nothing", ["! git grep -n foo -- src"]),
        ("grep -c foo a.py", "0", ["! grep -c foo a.py"]),
        ("grep -rn foo src | wc -l", "`0`", ["! grep -rn foo src"]),
        ("npx tsc --noEmit | grep error", "no errors", ["! npx tsc --noEmit | grep error"]),
        ("grep -rn foo src", "exit code 1 (no match)", ["! grep -rn foo src"]),
        ("! grep -rn foo src", "no matches", ["! grep -rn foo src"]),
        ("grep -rn foo src", "no matches but in docs", None),
        ("cd web && grep -rn foo src", "no matches", None),
        ("find . -name x.bak", "empty", None),
        ("npx tsc --noEmit", "no output", ["npx tsc --noEmit"]),
        ("grep -n foo a.py", "one match", ["grep -n foo a.py"]),
        ("python -m server", "Server starts (will hang; Ctrl+C to exit)", None),
        ("node dist/index.js", "server starts on port 3000", None),
        ("./run.sh", "it keeps running", None),
        ("pytest test_server.py", "PASS, the server starts", ["pytest test_server.py"]),
        ("node dist/index.js", "Server listening on 3000", None),
        ("python -m app", "Listening on :8080", None),
        ("./board.sh", "the board is drawn; press q to quit", None),
        ("python -m app", "runs until it is stopped", None),
        ("python -m app  # Ctrl+C to stop", "ok", None),
        ("grep -rn foo src", "\n\n- No matches", ["! grep -rn foo src"]),
    ],
)
def test_what_is_expected_says_what_a_command_finds_and_that_it_runs_on(
    command: str, expected: str, verify: list[str] | None
) -> None:
    text = (
        f"### Task 1: a\n\n**Step 1: Check**\n\n```bash\n{command}\n```\n\nExpected: {expected}\n"
    )
    found = read(text)
    assert found.tasks[0].get("verify") == verify
    assert bool(found.notes) == (verify is None or "wc" in command)


@pytest.mark.parametrize(
    ("step", "run", "verify"),
    [
        ("Verify no references remain", "```bash\ngrep -rn foo src\n```", ["! grep -rn foo src"]),
        ("Verify foo is gone", "```bash\ngrep -rn foo src\n```", None),
        ("Verify server starts", "```bash\npython -m app\n```", None),
        ("Verify", "Run: `python -m app` (Ctrl+C to stop)", None),
        ("Verify", "Run: `app --help` or see that it starts the server", ["app --help"]),
        ("Verify", "Run: `grep -rn foo src` (no matches)", ["! grep -rn foo src"]),
        ("Verify", "Run: `npm test` - Expected: FAIL", None),
        ("Verify", "Run: `npm test` or `npm t`, all of it", ["npm test", "npm t"]),
        ("Verify there are no type errors", "```bash\nnpx tsc --noEmit\n```", ["npx tsc --noEmit"]),
    ],
)
def test_what_a_step_or_a_line_says_is_expected_too(
    step: str, run: str, verify: list[str] | None
) -> None:
    text = f"### Task 1: a\n\n**Step 1: {step}**\n\n{run}\n"
    found = read(text)
    assert found.tasks[0].get("verify") == verify
    assert bool(found.notes) == (verify is None)


@pytest.mark.parametrize(
    ("command", "finds"),
    [
        ("grep -rn pplx- docs src", True),
        ("grep -rn pplx- .", True),
        ("rg pplx-", True),
        ("git grep -n 'pplx-\\|sk-'", True),
        ("grep -n pplx- docs/plans/*.md", True),
        ("grep -rn pplx- src", False),
        ("grep -rn pplx- . --include=*.py", False),
        ("rg -t py pplx-", False),
        ("grep -rnE 'pplx-[a-z]{9}' docs", False),
        ("grep -n pplx- *.md", False),
    ],
)
def test_a_search_that_finds_its_own_plan_is_none(command: str, finds: bool) -> None:
    text = f"### Task 1: a\n\n**Step 1: Check**\n\n```sh\n{command}\n```\nExpected: none\n"
    found = convert("docs/plans/a.md", text.encode(), ryaml.loads)
    assert found.tasks[0].get("verify") == (None if finds else [f"! {command}"])
    assert [note.endswith("(finds the plan itself).") for note in found.notes] == [True] * finds


def test_several_searches_for_nothing_fail_each_for_itself(tmp_path: Path) -> None:
    lines = "grep -E 'x|q' a.py\ngrep y a.py | grep -v k  # it's no match\ngrep k a.py"
    code = f"```bash\n{lines}\n```\nExpected: none\n"
    text = f"### Task 1: a\n\n**Step 1: Check**\n\n{code}"
    (script,) = tasks(text)["task-1"]["verify"]
    for words, exit_code in (("x", 1), ("y", 1), ("z", 0)):
        (tmp_path / "a.py").write_text(words)
        done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == exit_code


def test_what_is_absent_before_a_change_proves_nothing_behind_it() -> None:
    text = (
        "### Task 1: a\n\n**Step 1: Check**\n\n```bash\ngrep x a.py\n```\nExpected: no matches\n\n"
        "**Step 2: Add x**\n\n**Step 3: Check**\n\n```bash\ngrep x a.py\n```\nExpected: one match\n"
    )
    assert tasks(text)["task-1"]["verify"] == ["grep x a.py"]


@pytest.mark.parametrize(("words", "mode"), [("if fixes are needed", "verify"), ("it", None)])
def test_a_task_that_commits_only_what_it_has_to_fix_verifies(words: str, mode: str | None) -> None:
    text = (
        "### Task 1: a\n\n**Step 1: Run the tests**\n\nRun: `npm test`\n\n"
        f"**Step 2: Final commit {words}**\n\n```bash\ngit commit -am x\n```\n"
    )
    assert tasks(text)["task-1"].get("mode") == mode


@pytest.mark.parametrize(
    "words",
    [
        "{} DONE", "{} \u2705 DONE", "{} (DONE)", "{} [DONE]", "{} (done)", "{} \u2014 done",
        "{} - DONE", "{} (COMPLETE)", "{} (done 2026-01-02)", "{} \u2714", "{} \u2714\ufe0f",
        "{} (DONE \u2705)", "\u2705 {}", "DONE: {}", "[x] {}",
        "{} (merged in #12)", "{} **DONE**", "{} COMPLETED", "(done) {}", "[Done] {}", "{} [x]",
        "{} (completed 2026-01-02 by @bob)", "{} \u2705 done", "{} \u2705 \u5df2\u5b8c\u6210",
        "{} (erledigt)", "{} \uff08\u5b8c\u6210\uff09",
    ],
)  # fmt: skip
@pytest.mark.parametrize("whole", [False, True])
def test_a_mark_at_a_heading_says_that_its_task_is_done(words: str, whole: bool) -> None:
    heading = "Task 1: Update the version"
    heading = words.format(heading) if whole else f"Task 1: {words.format(heading[8:])}"
    before = "### Task 0: a\n\n**Step 1: x**\n\n"
    text = f"{before}### {heading}\n\n**Step 1: x**\n\n### Task 2: b\n\n**Step 1: y**\n"
    found = tasks(text)["task-1"]
    assert (found["title"], found["status"]) == ("Update the version", "complete")
    assert headings.is_done(words.format("Update the version"))


@pytest.mark.parametrize(
    ("heading", "title", "status"),
    [
        ("~~Task 1: Draw~~", "Draw", "cancelled"), ("\U0001f6a7 Task 1: Draw", "Draw", "pending"),
        ("[ ] Task 1: Draw", "Draw", "pending"), ("Task 1 \u2705: Draw", "Draw", "complete"),
        ("Task 1 \u2014 DONE", "Task 1", "complete"),
        ("**Task 1: Draw** \u2705", "Draw", "complete"),
    ],
)  # fmt: skip
def test_signs_around_a_heading_make_it_no_less_a_task(
    heading: str, title: str, status: str
) -> None:
    text = f"### Task 0: a\n\n**Step 1: x**\n\n### {heading}\n\n**Step 1: x**\n"
    found = tasks(text)["task-1"]
    assert (found["title"], found["status"]) == (title, status)
    assert list(tasks(f"# P\n\n### {heading}\n\n- [ ] **Step 1: x**\n")) == ["task-1"]


@pytest.mark.parametrize(
    "title",
    ["Mark the order as DONE", "Rewrite it (complete rewrite)", "Show what is done", "Set DONE",
     "Upgrade (20240101)", "Complete the form", "Add the (merged) view", "Final (commit)"],
)  # fmt: skip
def test_what_a_heading_is_about_is_no_mark(title: str) -> None:
    text = f"### Task 1: {title}\n\n**Step 1: x**\n\n### Task 2: b\n\n**Step 1: y**\n"
    found = tasks(text)["task-1"]
    assert (found["title"], found["status"]) == (title, "pending")


def test_a_box_at_the_end_that_starts_a_server_is_a_criterion() -> None:
    words = "`./run.sh` compiles and starts without errors"
    text = (
        "### Task 1: a\n\n- [ ] **Step 1: x**\n\n## Final verification\n\n"
        f"- [ ] {words}\n- [ ] `npm test` runs without errors\n"
    )
    found = tasks(text)["final-verification"]
    assert (found["verify"], found["acceptance"]) == (
        ["npm test"],
        [{"id": "ACC-1", "text": words}],
    )


def test_folders_that_are_not_written_out_are_any() -> None:
    files = "- Create: `app/.../a.ts`\n- Modify: `app/\u2026/b.ts`\n- Create: `app/c.ts`\n"
    task = tasks(f"### Task 1: a\n\n**Files:**\n{files}\n**Step 1: x**\n")["task-1"]
    assert task["x-suggested-scope"] == {"write": ["app/**/a.ts", "app/**/b.ts", "app/c.ts"]}
    assert (task["outputs"], "x-outputs" in task) == (["app/c.ts"], False)


def test_the_block_of_a_step_that_checks_is_a_command() -> None:
    text = (
        "### Task 1: a\n\n**Step 1: Run test to verify it fails**\n\n```bash\npytest a.py\n```\n\n"
        "**Step 2: Validate**\n\n```bash\n./validate.sh\n```\n\n"
        "**Step 3: Copy**\n\n```bash\ncp a b\n```\n"
    )
    assert tasks(text)["task-1"]["verify"] == ["./validate.sh"]


def test_what_a_task_says_of_its_dependencies_counts() -> None:
    found = tasks(NESTED)
    assert found["task-2"].get("depends_on") is None
    assert found["task-3"]["depends_on"] == ["task-1"]
    assert found["task-3"]["x-missing-dependencies"] == ["9"]


def test_a_range_of_tasks_is_all_of_them() -> None:
    text = "".join(
        f"### Task {number}: x\n**Depends on:** {words}\n\n**Step 1: y**\n\n"
        for number, words in enumerate(["None", "None", "None", "Tasks 1-3"], 1)
    )
    assert tasks(text)["task-4"]["depends_on"] == ["task-1", "task-2", "task-3"]


def _depending(*said: str) -> Imported:
    """A plan whose tasks say this of what they depend on; "" for nothing."""
    label = "**Dependencies:** "
    return read(
        "".join(
            f"### Task {number}: x\n\n{label + words if words else ''}\n\n- [ ] **Step 1: y**\n\n"
            for number, words in enumerate(said, 1)
        )
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("none. Independent of Task 2.", []),
        ("none (independent of Task 1). Not live until merged.", []),
        ("none (the template is that of Task 2). Order after Tasks 1\u20132, no hard one.", []),
        ("DRAFT-3 (`start`) and DRAFT-4 merged. Independent of Task 2 — it needs no more.", []),
        ("Nothing", []),
        ("无", []),
        ("Task 1. Independent of Task 2.", ["task-1"]),
        ("Task 1 (it does not depend on Task 2)", ["task-1"]),
        ("the schema (Task 1)", ["task-1"]),
        ("1 (schema), 2", ["task-1", "task-2"]),
        ("Tasks 1, and 2", ["task-1", "task-2"]),
        ("Tareas 1 y 2", ["task-1", "task-2"]),
        ("任务 1和任务 2", ["task-1", "task-2"]),
        ("Task 1's schema, at least 2 workers", ["task-1"]),
        # It names no task and says not that there is none: its turn is behind the one before it.
        ("DRAFT-1 merged", ["task-2"]),
    ],
)
def test_a_task_is_named_by_its_number_behind_the_word(words: str, expected: list[str]) -> None:
    found = _depending("None", "None", words)
    assert found.tasks[2].get("depends_on", []) == expected
    assert "x-missing-dependencies" not in found.tasks[2]
    assert found.notes == _depending("None", "None", "None").notes


def test_what_a_plan_says_makes_no_circle() -> None:
    found = _depending("Task 2", "Task 1", "Task 3")
    assert [task.get("depends_on") for task in found.tasks] == [["task-2"], None, None]
    assert list(found.notes) == [
        "task-2 says that it depends on task-1, which waits for it: left out.",
        "task-3 says that it depends on task-3, which waits for it: left out.",
    ]
    ahead = _depending("Task 3", "", "")  # Nor does the order, beside it.
    assert [task.get("depends_on") for task in ahead.tasks] == [["task-3"], ["task-1"], None]


def test_boxes_in_no_task_are_named() -> None:
    (ignored,) = read(NESTED).ignored
    assert ignored.reason == "it stands in none of the plan's tasks"
    assert ignored.lines == (NESTED[: NESTED.index("- [ ] All is")].count("\n") + 1,)


def test_parts_that_count_from_one_again() -> None:
    text = (
        "# P\n\n## Chunk 1: A\n\n### Task 1: a\n\n- [ ] **Step 1: x**\n\n"
        "## Chunk 2: B\n\n### Task 1: b\n\n- [ ] **Step 1: y**\n"
    )
    assert [(id, task["story"]) for id, task in tasks(text).items()] == [
        ("chunk-1-task-1", "chunk-1"), ("chunk-2-task-1", "chunk-2"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", [
    "### Task 1: Draw\n\n- [ ] A pencil\n",
    "# Plan\n\n- [ ] Task 1: Step 1\n",
    "### Task 1: Draw\n\n- [ ] **Step 1: x**\n\n## Others\n\n- [ ] a\n- [ ] b\n",
])  # fmt: skip
def test_other_lists_stay_task_lists(text: str) -> None:
    assert all(task["id"] != "task-1" for task in read(text).tasks)


CASES = Path(__file__).parent / "cases/plans"


def test_what_looks_like_a_task_or_stands_outside_of_all_is_named() -> None:
    text = (CASES / "superpowers-headings.md").read_text()
    lines = text.splitlines()
    found = {one.reason: [lines[line - 1] for line in one.lines] for one in read(text).ignored}
    assert found == {
        "a heading like a task's, with no sign between its number and its title": [
            "### Task 7 is not decided"
        ],
        "it stands in none of the plan's tasks": ["- [ ] No step is missing"],
    }


@pytest.mark.parametrize("name", ["superpowers-headings.md", "superpowers-step-headings.md"])
def test_a_plan_with_any_headings_is_ticked_and_read_again(name: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    text = (CASES / name).read_text()
    world.write("plan.md", text)
    assert world.ralph("import", "plan.md").code == 0
    done = world.read().replace("status: pending", "status: complete")
    world.write("task-graph.yaml", done)
    assert world.ralph("export", "--tick", "plan.md").code == 0
    ignored = "- [ ] No step is missing"
    ticked = text.replace("- [ ]", "- [x]").replace(ignored.replace("[ ]", "[x]"), ignored)
    ticked = ticked.replace("## Task 2: Fetch", "## Task 2: Fetch \u2705")
    assert world.read("plan.md") == ticked
    again = world.ralph("import", "plan.md", "--json").data
    assert (again["updated"], again["kept"]) == ([], [])


def test_bullets_reads_items_of_a_plan_without_boxes_as_it_is_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("plan.md", "# P\n\n## Task 1: a\n\n- Write it\n\n## Task 2: b\n\n- Test it\n")
    assert world.ralph("import", "plan.md", "--dry-run", "--json").data["added"] == [
        "task-1", "task-2",
    ]  # fmt: skip
    done = world.ralph("import", "plan.md", "--bullets", "--dry-run", "--json")
    assert done.data["added"] == ["write-it", "test-it"]


HEADINGS = st.sampled_from([
    "### Task {0}: a", "### Task {0} (M1.{0}): a", "### Task {0} (optional)", "### Task {0} - a",
    "### Task {0} a", "### **Task {0}**", "## Task {0}: a", "#### Task {0}.1: a", "# Task {0}: a",
    "## Task {0} a", "## Phase {0}", "## Final Verification", "### Notes {0}", "### Task B: a",
])  # fmt: skip
INSIDE = st.sampled_from([
    "- [ ] **Step 1: {}**", "- [x] Step 2: {}", "**Step 3: {}**", "### Step 4: {}", "- [ ] {}",
    "**Files:** `a.py`", "Run: `pytest a.py`", "- words\n  - [ ] {}", "- [ ] Run: `pytest {}.py`",
    "words", "```bash\npytest c.py\n```",
])  # fmt: skip


@given(st.lists(st.tuples(HEADINGS, st.lists(INSIDE, max_size=4)), min_size=1, max_size=6))
def test_each_box_and_heading_of_a_plan_is_in_a_task_or_named(
    written: list[tuple[str, list[str]]],
) -> None:
    parts = [
        "\n\n".join([heading.format(number), *(
            line.format(f"word-{number}-{place}") for place, line in enumerate(inside)
        )])
        for number, (heading, inside) in enumerate(written, 1)
    ]  # fmt: skip
    text = "# A plan\n\n### Task 99: z\n\n" + "\n\n".join(parts) + "\n"
    found = convert("p.md", text.encode(), ryaml.loads, wanted=superpowers.IMPORTER)
    lines = text.splitlines()
    told = {lines[line - 1] for one in found.ignored for line in one.lines}
    said = "\n".join(f"{task['id']}\n{task.get('description', '')}" for task in found.tasks)
    for line in lines:
        if line.lstrip().startswith("- ["):
            (word,) = re.findall(r"word-\d+-\d+", line)
            assert word in said or line in told, line
        elif number := re.search(r"Task (\d+(?:\.1)?|B)", line):
            assert f"task-{number[1].casefold()}" in said or line in said or line in told, line


def test_a_finished_task_is_ticked_in_the_plan(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("plan.md", PLAN)
    assert world.ralph("import", "plan.md").code == 0
    world.replace("status: pending", "status: complete")
    done = world.ralph("export", "--tick", "plan.md")
    assert (done.code, done.out) == (0, "marked as done in plan.md: task-1\n")
    assert world.read("plan.md") == PLAN.replace("- [ ] **Step", "- [x] **Step")
    again = world.ralph("import", "plan.md", "--json").data
    assert (again["updated"], again["kept"]) == ([], [])


CONSTRAINTS = """\
# Implementation Plan: Shop

> **For agentic workers:** use a skill.

**Goal:** A shop that sells.

**Tech Stack:** Python 3.12

## File Structure

- `src/`: code

## Global Constraints

- No new dependency.
- Every price is an integer
  of cents.

---

### Task 1: Cart

- [ ] **Step 1: Write it**

### Task 2: Pay

- [ ] **Step 1: Write it**
"""
SAID = (
    "**Goal:** A shop that sells.\n\n**Tech Stack:** Python 3.12\n\nGlobal Constraints:\n\n"
    "- No new dependency.\n- Every price is an integer\n  of cents."
)


def test_what_holds_for_the_plan_is_in_every_packet_and_stored_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("plan.md", CONSTRAINTS)
    assert world.ralph("import", "plan.md").code == 0
    assert world.read().count("No new dependency") == 1
    assert world.task("task-2")["story"] == "Shop"
    for task in ("task-1", "task-2"):
        assert (
            world.ralph("packet", task, "--json").data["packet"]["background"] == f"Shop\n\n{SAID}"
        )
        assert "\n## Background\n" in world.ralph("prompt", task).out
        assert "\n- No new dependency.\n" in world.ralph("prompt", task).out
    world.replace("No new dependency", "No dependency", "plan.md")
    again = world.ralph("import", "plan.md", "--json").data
    assert (again["added"], again["updated"]) == ([], [])
    assert (
        "- No dependency." in world.ralph("packet", "task-1", "--json").data["packet"]["background"]
    )


@pytest.mark.parametrize(
    ("heading", "story"),
    [("## Ground rules\n\nBe kind.", "p"), ("## Phase 1: Begin\n\nSlowly.", "phase-1"),
     ("## Backend", "Backend"), ("## Notes\n\nMore.", "p")],
)  # fmt: skip
def test_which_heading_above_the_first_task_is_its_part(heading: str, story: str) -> None:
    text = f"# P Plan\n\n{heading}\n\n### Task 1: a\n\n- [ ] **Step 1: x**\n"
    assert [str(task["story"]).casefold() for task in tasks(text).values()] == [story.casefold()]


@pytest.mark.parametrize(("code", "command", "why"), [
    ("pytest -q", "pytest -q", []),
    ("git diff --exit-code", "git diff --exit-code", []),
    ("git -C sub commit -m x", "", ["changes files or commits"]),
    ("git tag v1", "", ["changes files or commits"]),
    ("git status --short --branch", "", ["cannot fail"]),
    ("git log --oneline && git diff", "", ["cannot fail"]),
    ("git status --porcelain | grep -q x", "git status --porcelain | grep -q x", []),
    ("git show HEAD | tail -5", "", ["cannot fail"]),
    ("npm test && git push", "", ["changes files or commits"]),
    ("git mv x.js y.js\nnpm test", "npm test", ["changes files or commits"]),
    ("xdg-open a.html", "", ["opens a window"]),
    ('curl -f "http://x/<user-id>"', "", ["has a placeholder"]),
    ("curl -f https://x.org/a/BOOKING_ID/confirm", "", ["has a placeholder"]),
    ('curl -H "Authorization: Bearer TOKEN" https://x.org', "", ["has a placeholder"]),
    ('curl -H "Key: $API_KEY" https://x.org', 'curl -H "Key: $API_KEY" https://x.org', []),
    ("grep -q USER_ID a.py", "grep -q USER_ID a.py", []),
    ("curl -f http://localhost:3/a", "", ["needs a server"]),
    ("node a.js &\nsleep 1\ncurl -f localhost:3", "node a.js &\nsleep 1\ncurl -f localhost:3", []),
    ("npm test\ncurl -f 127.0.0.1:3", "npm test", ["needs a server"]),
    ('grep -q "<main>" a.html', 'grep -q "<main>" a.html', []),
    ("grep -c x <in >out", "grep -c x <in >out", []),
    ("make x || echo \"no\"", "", ["cannot fail"]),
    ("test -e x || { echo no; exit 1; }", "test -e x || { echo no; exit 1; }", []),
    ("pytest x.py\npytest y.py  # expected red", "pytest x.py", ["is to fail"]),
    ("grep -n a x.py\ngrep -n b x.py  # no matches",
     "grep -n a x.py\n! grep -n b x.py || exit 1  # no matches", []),
    ("for x in a b; do\n  git add $x\ndone", "", ["changes files or commits"]),
    ("ls src | while read -r x; do\n  test -e x || echo no\ndone", "", ["cannot fail"]),
    ("ls src | \\\nwhile read -r x; do test -e x || echo no; done", "", ["cannot fail"]),
    ("cd web\ngit add .\necho done", "", ["changes files or commits"]),
    ("npm run dev\ncurl -f localhost", "", ["runs on"]),
    ("npm ci\ncd web && pnpm --filter @a/b dev", "", ["runs on"]),
    ("composer dump-autoload", "", ["only prepares"]),
    ("npm ci\nnpm test", "npm ci\nnpm test", []),
    ("mkdir x && npm test", "mkdir x && npm test", []),
    ("mkdir x && npm test", "mkdir x && npm test", []),
    ("pytest -q 2>&1 | tail -5", "pytest -q", ["hides failures"]),
    ("npx tsc --noEmit | grep -c x | head -1", "npx tsc --noEmit | grep -c x", ["hides failures"]),
    ('grep -q "a | head" x', 'grep -q "a | head" x', []),
    ("pytest x.py \\\n  -q\nrm -rf b", "pytest x.py \\\n  -q", ["changes files or commits"]),
])  # fmt: skip
def test_a_command_proves_something_where_it_changes_nothing_and_may_fail(
    code: str, command: str, why: list[str]
) -> None:
    found = proofs.of(code)
    assert found.command.removeprefix("set -e\n") == command
    assert [reason for _, reason in found.left] == why


RUN_ON = """\
pnpm --filter @a/b dev; pnpm --filter=web dev; pnpm -C web dev; pnpm -r dev; npm start
cd web && npm run dev; (cd web && npm run dev); npm --prefix web run dev; npm -w web run dev
pnpm --dir website preview --host 127.0.0.1; yarn workspace web dev; npm run start:dev
npx serve; npx -y http-server; npx vite; yarn vite; pnpm exec vite preview; npx next dev; next dev
turbo dev; npx turbo run dev --filter=web; PORT=3 npm run dev & sleep 3; timeout 5 npm run dev
docker compose up; docker compose -f a.yml up --build; docker-compose up; tail -f log
python manage.py runserver; flask --app x run; poetry run flask run; python -m http.server 8000
uvicorn app:app --reload; uv run uvicorn app:app; php artisan serve; php -S localhost:8
make run-dev; just dev; make start-server
rails s; bin/rails server; bundle exec rails s; cargo watch -x test
./scripts/run-with-mise.sh yarn dev; run.sh CI=1 npm run dev; bash scripts/in-env.sh -- npx vite
npm test -- --watch; npm t -- --watchAll"""
END = """\
vite build; npx vite build; pnpm vite build; npx vite --version; next build; turbo build; ng build
docker compose up -d; docker compose -f a.yml up --wait; docker run --rm x; pnpm --filter x build
pnpm --filter dev test; yarn workspace web test; npm install serve; pnpm add -D vite; npm test
npm test -- --watch=false; npm run dev:check; pytest -k serve; python -m pytest; uv run pytest
grep -q "npm run dev" README.md; flask db upgrade; python manage.py test
make build; make setup-dev; make run
./scripts/run-with-mise.sh yarn test; ./scripts/run.sh vite build; ./scripts/test.sh vite
./scripts/run.sh grep -q vite package.json; bash scripts/all.sh
rails test; curl -f http://localhost:3000; tsc --noEmit; cargo test"""


def test_a_server_runs_on_whatever_starts_it() -> None:
    lines = re.split(r"; |\n", RUN_ON)
    assert [line for line in lines if not endless_commands.runs_on(line)] == []


def test_what_is_called_like_a_server_ends() -> None:
    lines = re.split(r"; |\n", END)
    assert [line for line in lines if endless_commands.runs_on(line)] == []


def test_a_long_row_of_spaces_in_a_command_takes_no_long_time() -> None:
    began = time.process_time()
    assert proofs.of(f"pytest -q{' ' * 40_000}| tail -1").command == "pytest -q"
    assert proofs.of(f"pytest{' ' * 40_000}-q").left == ()
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("box", "criterion"),
    [
        ("`pnpm a11y` reports ≤10 contrast violations per theme (down from ~22)", True),
        ("`npm run size` is below 200 kB", True),
        ("`pytest --cov` shows 90 % coverage", True),
        ("`npm test` passes", False),
        ("`cargo clippy` reports no warnings", False),
        ("`npm test` - 42 tests, 0 failures", False),
        ("`grep -rn old src` returns nothing", False),
    ],
)
def test_a_box_that_says_what_its_command_has_to_print_is_a_criterion_too(
    box: str, criterion: bool
) -> None:
    nodes = markdown_items.read("plan.md", f"- [ ] {box}\n")
    verify, criteria, left = plan_checks.of_boxes(nodes)
    assert (len(verify), criteria, left) == (1, [box] if criterion else [], [])


def test_the_ending_of_files_is_no_path() -> None:
    plan = (
        "# P\n\n### Task 1: Style\n\n**Files:** every `.css`/`.html` under `docs/src/`, `.env`, "
        "`.gitignore`, `.eslintrc`\n\n- [ ] **Step 1: Do it**\n"
    )
    (task,) = convert("plan.md", plan.encode(), ryaml.loads).tasks
    assert task["x-suggested-scope"] == {"write": ["docs/src/", ".env", ".gitignore", ".eslintrc"]}


def test_what_still_fails_proves_nothing_and_a_path_may_have_several_lines() -> None:
    text = (
        "### Task 1: One\n\n**Files:**\n- Modify: `src/a.ts:302, 404-405, L415` (descriptions)\n"
        "- Modify: `b.md:3,4`\n- Modify: `c.md`\n\n- [ ] Step 1: Do it\n\nRun: `npm test -- a`\n"
        "Expected: the scan tests PASS. The other one still FAILS (it needs Task 2).\n\n"
        "### Task 2: Two\n\n- [ ] Step 1: Do it\n\nRun: `npm test -- b`\n"
        "Expected: PASS. If it still fails, see above.\n"
    )
    found = convert("p.md", text.encode(), ryaml.loads)
    one, two = found.tasks
    assert one["x-suggested-scope"] == {"write": ["src/a.ts", "b.md", "c.md"]}
    assert (one.get("verify"), two["verify"]) == (None, ["npm test -- b"])
    assert "task-1: left out of its verify commands: 'npm test -- a' (is to fail)." in found.notes


@pytest.mark.parametrize(
    "command",
    [
        "npx vitest run src/a.test.ts", "bunx vitest run src/a.test.ts", "pnpm vitest run",
        "pnpm exec vitest run a", "npx vitest run", "yarn vitest run a", "bunx jest a",
        "npx cypress run", "pnpm nx run app", "npm run build",
    ],
)  # fmt: skip
def test_run_behind_a_program_is_its_verb(command: str) -> None:
    assert _verify(f"Run: `{command}`\nExpected: PASS") == [command]


@pytest.mark.parametrize("words", ["pytest runs", "npm test run it", "npx vitest run and pass"])
def test_run_in_a_sentence_is_no_verb(words: str) -> None:
    assert _verify(f"Run: `{words}`\nExpected: PASS") is None


def _verify(*said: str, step: str = "Run it") -> list[str] | None:
    text = "### Task 1: a\n\n- [ ] **Step 1: Write it**\n\n"
    verify = tasks(f"{text}- [ ] **Step 2: {step}**\n\n" + "\n\n".join(said))["task-1"].get(
        "verify"
    )
    assert verify is None or isinstance(verify, list)
    return verify


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ('backlog task edit 8 -s Done --notes "done"', "changes files or commits"),
        ("gh pr create --fill", "changes files or commits"),
        ("bd close x-1 --reason done", "changes files or commits"),
        ("git branch guard 2>/dev/null; node a.js", "changes files or commits"),
        ("bun run vite &", "runs on"),
        ("agent-browser open http://localhost:5173/", "opens a window"),
        ('node a.js; echo "exit=$?"', "cannot fail"),
        ("node a.js; printf done", "cannot fail"),
    ],
)
def test_what_changes_something_or_always_passes_is_named(command: str, why: str) -> None:
    text = f"### Task 1: a\n\n- [ ] **Step 1: Write it**\n\nRun: `{command}`\nExpected: exit=0\n"
    assert "verify" not in tasks(text)["task-1"]
    assert any(f"({why})" in note for note in read(text).notes)


@pytest.mark.parametrize(
    "command",
    ["bun run vite build", "backlog task list --plain", "gh pr checks", "git branch -D a || x",
     "echo begin; node a.js"],
)  # fmt: skip
def test_what_is_called_alike_and_may_fail_is_kept(command: str) -> None:
    kept = _verify(f"Run: `{command}`\nExpected: PASS")
    assert (kept == [command]) is ("-D" not in command)


def test_a_line_of_a_block_that_ends_with_words_still_fails() -> None:
    block = "npm test; echo done\nnpm run lint"
    assert _verify(f"```bash\n{block}\n```\n\nExpected: PASS") == [f"set -e\n{block}"]


@pytest.mark.parametrize("step", ["(Optional) visual proof", "Optional: look", "Look (optional)"])
def test_what_an_optional_step_runs_is_no_proof(step: str) -> None:
    assert _verify("Run: `npm test`\nExpected: PASS", step=step) is None
    assert _verify("Run: `npm test`\nExpected: PASS", step="Make the name optional") == ["npm test"]


def test_a_search_for_what_is_to_be_changed_is_no_proof() -> None:
    search = 'grep -rn "old" e2e/'
    assert _verify(f"Run: `{search}`", step="Update the tests") is None
    assert _verify(f"Run: `{search}`\nExpected: two lines", step="Update it") == [search]
    assert _verify(f"Run: `{search}`", step="Verify that it is there") == [search]
