"""What an import says of all that it read, also of what it read as nothing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_checklist import read
from world import World

from ralphgit.records.importers.parts.markdown_items import lines_like_items

PLAN = """\
# Plan

- [ ] 1.1 Write the parser
- [x] 1.2 Write docs
  - **Do**: As it says:
    ```
    - [ ] inside
    ```
- [d] 1.3 Delete the old cache
- [ ]

> - [ ] 1.4 Quoted

```
- [ ] 1.5 An example
```

## Before it is merged

- [ ] Look at it
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write("plan.md", PLAN)
    return made


def test_the_report_counts_all_and_names_what_is_read_as_nothing(world: World) -> None:
    done = world.ralph("import", "plan.md")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "added 1.1: Write the parser\n"
        "added 1.2: Write docs\n"
        "note: Dependencies were made from the order of the list.\n"
        "ignored plan.md, line 9: what looks like a box has a sign that means nothing "
        "(the setting import.marks adds one)\n"
        "ignored plan.md, line 10: a box without words\n"
        "ignored plan.md, line 12, 15: in a code block, a comment or a quotation\n"
        "ignored plan.md, line 20: without an id, below a heading where no item has one\n"
        "2 tasks read: 2 new, 0 changed, 0 unchanged; 5 lines ignored\n"
        "Nothing is staged; look at: git status\n"
    )
    data = world.ralph("import", "plan.md", "--json").data
    assert (data["read"], data["unchanged"], data["kept"]) == (2, ["1.1", "1.2"], [])
    named = [(one["file"], one["lines"]) for one in data["ignored"]]
    assert named == [("plan.md", lines) for lines in ([9], [10], [12, 15], [20])]


def test_what_is_kept_against_the_source_is_counted(world: World) -> None:
    world.ralph("import", "plan.md")
    world.ralph("edit", "1.1", "--title", "Write it here")
    world.replace("Write the parser", "Write a parser", "plan.md")
    data = world.ralph("import", "plan.md", "--json").data
    assert (data["kept"], data["unchanged"]) == (["1.1"], ["1.1", "1.2"])
    world.replace("Write a parser", "Write any parser", "plan.md")
    out = world.ralph("import", "plan.md").out
    assert "2 unchanged, of 1 something is kept as it is here; 5 lines" in out


def test_strict_refuses_and_writes_nothing(world: World) -> None:
    error = world.refused("import", "plan.md", "--strict", code="ignored_lines", exit=1)
    assert error["message"].startswith("5 lines would be read as nothing; nothing was written: ")
    assert "plan.md, line 12, 15: in a code block" in error["message"]
    assert [one["lines"] for one in error["ignored"]] == [[9], [10], [12, 15], [20]]
    world.write("plan.md", "- [ ] 1.1 Write the parser\n")
    assert world.ralph("import", "plan.md", "--strict").code == 0


def test_a_setting_adds_signs(world: World) -> None:
    world.write("ralph.toml", 'import.marks = ["done:dD", "cancelled:-", "optional:o"]\n')
    world.write("plan.md", "- [d] T1 a\n- [-] T2 b\n- [o] T3 c\n- [D] T4 d\n- [x] T5 e\n")
    data = world.ralph("import", "plan.md", "--json").data
    assert data["ignored"] == []
    statuses = [world.task(f"T{number}")["status"] for number in range(1, 6)]
    assert statuses == ["complete", "cancelled", "pending", "complete", "complete"]
    assert (world.task("T3")["x-optional"], world.task("T3")["priority"]) == (True, 4)
    # Nothing waits for what is cancelled.
    assert world.task("T3")["depends_on"] == ["T1"]


@pytest.mark.parametrize("mark", ["finished:d", "done", "done:", "done:]"])
def test_a_sign_without_a_meaning_is_refused(world: World, mark: str) -> None:
    world.git("config", "ralph.import.marks", mark)
    error = world.refused("import", "plan.md", code="bad_setting", exit=2)
    assert error["message"] == f"import.marks has {mark!r}, which is no MEANING:SIGNS"


def test_a_box_without_an_item_is_named() -> None:
    text = "# A\n\n[x] = done, [ ] = open\n\n- [ ] one\n\n[ ] two\nmore\n**[x]** three\n\n"
    found = read(text + "**[ ] four**\n\n```\n[ ] five\n```\n\n[x](link) [ ]\n")
    assert [(one.reason, one.lines) for one in found.ignored] == [
        ("a box without the mark of an item before it, as in - [ ]", (7, 9, 11)),
    ]  # fmt: skip


FORMS = ["T{n}", "T1", "1.1", "**T{n}**", "Task {n}:", "1.{n}", "", "`T{n}`", "[1.{n}]", "#{n}"]
SIGNS = [*" xX~-/>?!\u2713", "y", "ok", "", " x", "x "]
LINE = st.one_of(
    st.builds(
        "{}{} [{}]{} {} work{{n}}".format,
        st.sampled_from(["", "  ", "    ", "\t", "      ", "> "]),
        st.sampled_from(["-", "*", "1.", "2)"]),
        st.sampled_from(SIGNS), st.sampled_from(["", "*"]), st.sampled_from(FORMS),
    ),
    st.sampled_from([
        "", "```", "# Heading", "### Deeper", "## Success Criteria", "Words", "<!--", "-->",
        "- plain", "- [ ]", "  - Note", "---",
        "| a | b |", "| - [ ] c | d |", "  ```", "  - **Verify**: `npm test`",
    ]),
)  # fmt: skip


@given(st.lists(LINE, min_size=1, max_size=14), st.sampled_from(["\n", "\r\n"]))
def test_every_line_like_an_item_is_a_task_or_part_of_one_or_named(
    lines: list[str], end: str
) -> None:
    body = "\n".join(line.replace("{n}", str(number)) for number, line in enumerate(lines))
    text = f"# Plan\n\n{body}\n\n# End\n\n-->\n\n```\n```\n\n- [ ] Z9 the last\n"
    found = read(text.replace("\n", end))
    named = {line for one in found.ignored for line in one.lines}
    like = lines_like_items(text)
    rest = [line for line in like if line not in named]
    assert named <= {*like}
    assert len(found.tasks) <= len(rest)
    titles = [str(task["title"]) for task in found.tasks]
    assert all(title.count("work") <= 1 for title in titles)
    # An item is a task with its words as a title, the story of tasks, or a part of what these say.
    stories = found.root.get("stories")
    words = "\n".join(map(str, [*(task.values() for task in found.tasks), stories]))
    for line in rest:
        item = text.split("\n")[line - 1].partition("]")[2].lstrip("* ")
        ending = item.rpartition(" ")[2]
        assert ending in words, line


#: What an item says below its words, by the depth at which it stands: none of it is an item.
BELOW = ["", "Some words", "- a note", "```\n- [ ] inside\n```", "<!--\n- [ ] inside\n-->",
         "| a |\n|---|\n| - [ ] inside |", "> - [ ] inside"]  # fmt: skip
#: That of it which may be work: a comment and a quotation are nobody's words.
WORK = [words for words in BELOW if words and words[0] not in "<>"]
NESTED = st.tuples(
    st.integers(0, 3),
    st.sampled_from(["- ", "* ", "+ ", "1. ", "3) "]),
    st.sampled_from([" ", "x", "X", "-", "~", "/", ">", "\u2713", "!", ""]),
    st.sampled_from(["", "*"]),
    st.sampled_from(["{n} ", "**{n}** ", "Task {n}: ", "{n}. "]),
    st.sampled_from(BELOW),
)


@given(
    st.lists(NESTED, min_size=1, max_size=10),
    st.sampled_from(["    ", "\t", "   "]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_each_item_is_one_task_or_story_or_both(
    items: list[tuple[int, str, str, str, str, str]], indent: str, end: str, gap: bool
) -> None:
    """Who wrote the list knows what is in it: items in = tasks + stories + parts of other stories.

    A task that no worker could complete is none: nothing inside an item is left to it. One that
    says more is a task, and those inside come after it.
    """
    lines, nested = ["# Plan", ""], list[tuple[int, str]]()
    depth = 0
    for number, (deep, bullet, mark, star, form, below) in enumerate(items, start=1):
        depth = min(deep, depth + 1) if nested else 0
        nested.append((depth, f"1.{number}"))
        lines.append(f"{indent * depth}{bullet}[{mark}]{star} {form.format(n=f'1.{number}')}work")
        if below:
            lines += ["", *(f"{indent * (depth + 1)}{line}" for line in below.split("\n")), ""]
        lines += [""] if gap else []
    text = "\n".join(lines) + "\n"
    found = read(text.replace("\n", end))
    around = {id for (depth, id), (deeper, _) in pairwise(nested) if deeper > depth}
    says = {id for (_, id), item in zip(nested, items, strict=True) if item[5] in WORK}
    wholes = around - says
    assert [task["id"] for task in found.tasks] == [id for _, id in nested if id not in wholes]
    assert found.leads.keys() == around & says
    assert {task["title"] for task in found.tasks} == {"work"}
    stories = found.root.get("stories", [])
    outermost = {id for depth, id in nested if depth == 0}
    assert isinstance(stories, list)
    assert {one["id"] for one in stories} == around & outermost
    of_story = {task["id"]: task.get("story") for task in found.tasks}
    story = ""
    for depth, id in nested:
        story = id if depth == 0 else story
        if id not in wholes:
            assert of_story[id] == (story if depth or id in around else None)
    tasks: list[dict[str, Any]] = list(found.tasks)
    waited = {ref for task in tasks for ref in task.get("depends_on", ())}
    assert waited <= of_story.keys()
    assert len(found.wholes) <= len(wholes)
    by_id = {task["id"]: task for task in tasks}
    for (depth, id), (deeper, inside) in pairwise(nested):
        if id in found.leads and deeper > depth and inside not in wholes:
            assert id in by_id[inside]["depends_on"]
    named = {line for one in found.ignored for line in one.lines}
    assert all("inside" in text.split("\n")[line - 1] for line in named)


def test_a_box_in_which_nothing_is_written_yet_is_named(world: World) -> None:
    world.write("plan.md", "- [ ] Write it\n- [ ] TBD\n- [ ] **To be defined**\n- [ ] ...\n")
    data = world.ralph("import", "plan.md", "--json").data
    assert data["added"] == ["write-it"]
    assert [(one["lines"], one["reason"]) for one in data["ignored"]] == [
        ([2, 3, 4], "nothing is written behind the box yet")
    ]


def test_what_holds_at_the_end_without_boxes_is_named(world: World) -> None:
    world.write("tasks.md", """\
# Plan

## Phase 1: Base

**Exit criteria**: it is in the story.

- [ ] T001 Set up

### Deliverables

- a file

## Success criteria

### In short

- It works

## Phase 2: Deliverables

- [ ] T002 Write them

## Exit criteria

## Definition of Done

- [ ] It is done
""")  # fmt: skip
    notes = world.ralph("import", "tasks.md", "--json").data["notes"]
    assert [note for note in notes if "no boxes" in note] == [
        "'Deliverables' (line 9) has no boxes, and is not read.",
        "'Success criteria' (line 13) has no boxes, and is not read.",
    ]
    assert "it is in the story" in world.read()
