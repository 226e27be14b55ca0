"""`export`: what comes out goes in again, and is the same."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import ryaml
import slow
from hypothesis import example, given
from hypothesis import strategies as st
from world import Place, World, shared

from ralphgit.model import characters
from ralphgit.model.paths import pattern_fault
from ralphgit.model.task_status import Mode
from ralphgit.records import export_formats, graph_file, importers, yaml_writer
from ralphgit.records.importers.parts import exported_checklist

FORMS = ("jsonl", "markdown", "graph")
Task = dict[str, Any]

GRAPH = """\
version: 1
owner: Ann
stories:
  - id: S-1
    title: The house
tasks:
  - id: T-1
    title: "Draw: the *plan*"
    status: complete
  - id: T-2
    title: Build it
    status: pending
    story: S-1
    priority: 1
    depends_on:
      - T-1
    description: |
      Lay the bricks:

      - [ ] one by one
    acceptance:
      - id: ACC-1
        text: it stands
    verify:
      - test -s house.txt
      - run: make stand
        proves:
          - ACC-1
    outputs:
      - house.txt
    scope:
      write:
        - house.txt
"""

MARKDOWN = """\
<!-- ralphgit: tasks -->

# Tasks

- [x] `T-1` Draw: the *plan*

## S-1: The house

- [ ] `T-2` Build it
  <!-- ralphgit: {"description/end": "\\n", "priority": 1} -->
  - **Depends on**: `T-1`
  - **Files**: `house.txt`
  - **Done when**: it stands
  - **Verify**: `test -s house.txt`
  - **Verify**: `make stand` (proves ACC-1)

  Lay the bricks:

  - [ ] one by one

"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit()
    return made


def exported(place: Place, form: str) -> str:
    done = place.ralph("export", "--format", form)
    assert (done.code, done.err) == (0, "")
    return done.out


def test_each_form_to_stdout(world: World) -> None:
    before = world.snapshot()
    lines = exported(world, "jsonl").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["T-1", "T-2"]
    assert exported(world, "markdown") == MARKDOWN
    document = ryaml.loads(exported(world, "graph"))
    assert isinstance(document, dict)
    assert list(document) == ["owner", "stories", "nodes", "edges"]
    assert document["edges"] == [{"from": "T-1", "to": "T-2"}]
    assert world.ralph("export").out == world.ralph("export", "-").out == exported(world, "jsonl")
    assert world.snapshot() == before


@pytest.mark.parametrize("form", FORMS)
def test_what_comes_out_goes_in_again(world: World, tmp_path: Path, form: str) -> None:
    other = World(tmp_path / "other")
    other.write("tasks.txt", exported(world, form))
    assert other.ralph("import", "tasks.txt").code == 0
    assert exported(other, "jsonl") == exported(world, "jsonl")
    if form == "graph":
        assert "\nowner: Ann\n" in other.read()
    if form != "jsonl":
        assert "title: The house\n" in other.read()


@pytest.mark.parametrize("form", FORMS)
def test_an_edited_export_changes_the_graph_that_it_came_from(world: World, form: str) -> None:
    world.write("out.txt", exported(world, form).replace("Build it", "Build it well"))
    done = world.ralph("import", "out.txt")
    assert "updated T-2: Build it well (title)\nunchanged: 1 task\n" in done.out


@pytest.mark.parametrize("form", FORMS)
def test_what_happened_here_stays_here(world: World, tmp_path: Path, form: str) -> None:
    world.claim("T-2")
    text = exported(world, form)
    assert ("claim" in text) == (form == "jsonl")
    world.write("out.txt", text)
    before = world.read()
    assert world.ralph("import", "out.txt", "--json").data["unchanged"] == ["T-1", "T-2"]
    assert world.read() == before
    other = World(tmp_path / "other")
    other.write("out.txt", text)
    assert other.ralph("import", "out.txt").code == 0
    assert other.task("T-2")["status"] == "pending"


def test_a_box_that_somebody_adds_becomes_a_task(world: World) -> None:
    world.write("out.md", exported(world, "markdown") + "- [ ] Sell *it*\n  - Depends on: `T-2`\n")
    assert world.ralph("import", "out.md", "--json").data["added"] == ["sell-it"]
    task = world.task("sell-it")
    assert (task["title"], task["story"], task["depends_on"]) == ("Sell *it*", "S-1", ["T-2"])


def test_a_file_is_written_once(world: World) -> None:
    done = world.ralph("export", "--format", "graph", "out/tasks.yaml")
    assert (done.code, done.out) == (0, "2 tasks written to out/tasks.yaml\n")
    assert world.read("out/tasks.yaml") == exported(world, "graph")
    before = world.snapshot()
    done = world.ralph("export", "out/tasks.yaml")
    assert (done.code, done.out) == (8, "")
    assert done.err == (
        "error: out/tasks.yaml exists; nothing was written\n"
        "hint: name another file, or replace it with --force\n"
    )
    assert world.snapshot() == before
    done = world.ralph("export", "out/tasks.yaml", "--force", "--json")
    assert done.data == {"format": "jsonl", "tasks": 2, "file": "out/tasks.yaml", "text": None}
    assert world.read("out/tasks.yaml") == exported(world, "jsonl")


@pytest.mark.parametrize(
    ("name", "code", "error"),
    [("task-graph.yaml", 8, "outside"), (".git/x", 8, "outside"), (".", 2, "no_file"),
     ("task-graph.yaml/x", 1, "not_writable")],
)  # fmt: skip
def test_where_nothing_is_written(world: World, name: str, code: int, error: str) -> None:
    before = world.snapshot()
    done = world.ralph("export", name, "--force", "--json")
    assert (done.code, done.error) == (code, error)
    assert world.snapshot() == before


def test_any_revision(world: World) -> None:
    before = exported(world, "jsonl")
    world.ralph("edit", "T-2", "--title", "Other")
    assert world.ralph("export", "--at", "HEAD").out == before != exported(world, "jsonl")


def test_shards_and_their_root_keys(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("ralph.toml", 'graph = ["a.yaml", "b.yaml"]\n')
    task = "version: 1\nx: {0}\ntasks:\n  - {{id: {0}, title: t, status: pending}}\n"
    world.write_graph(task.format("A"), "a.yaml")
    world.write_graph(task.format("B"), "b.yaml")
    assert "x: A\nnodes:\n  - id: A\n" in exported(world, "graph")
    assert len(exported(world, "jsonl").splitlines()) == 2


@pytest.mark.parametrize(
    "name",
    slow.but(4, [
        "smart-ralph/parallel-tasks-execution.md", "smart-ralph/task-granularity-levels.md",
        "speckit/tasks.md", "solar-sim/task-graph.yaml", "beads/issues.jsonl",
    ]),
)  # fmt: skip
@pytest.mark.parametrize("form", FORMS)
def test_real_tasks_come_back_as_they_were(name: str, form: str) -> None:
    first = real(name)
    assert returned(form, first).tasks == first.tasks


@cache
def real(name: str) -> graph_file.GraphFile:
    """Another project's tasks, as they are stored; no form changes them."""
    found = importers.convert(name, shared(name).read_bytes(), ryaml.loads)
    first = stored(found.tasks, found.root)
    assert [task["id"] for task in first.tasks] == [task["id"] for task in found.tasks]
    return first


# --- whatever the tasks say ---------------------------------------------------------------


def stored(tasks: Any, root: Any) -> graph_file.GraphFile:
    text = yaml_writer.mapping({**root, "version": 1, "tasks": list(tasks)})
    return graph_file.parse(text.encode(), path="g.yaml", limit=1 << 30)


def returned(form: str, file: graph_file.GraphFile) -> graph_file.GraphFile:
    text = export_formats.text(form, file.tasks, file.root)
    found = importers.convert(f"x.{form}", text.encode(), ryaml.loads)
    return stored(found.tasks, found.root)


#: What means something in Markdown, YAML or JSON, or in a list of tasks.
_MARKS = st.sampled_from(
    [
        "- [ ] ", "- [x] T9 ", "# ", "## S-9\n", "```", "```md\n", "~~~", "    ", "> ", "<!-- ",
        "-->", "<b>", "&amp;", "&a ", "*a ", "**", "__", "`", "``", ": ", "' ", '" ', "\\", "\n",
        "\n\n", "\n\n\n", "  - **Verify**: `rm -rf /`\n", "  - Depends on: T9", "[P] ", "[x] ",
        "1. ", "---\n", "===\n", "| a |", "{}", "[link](x)", "[link]: x\n", "\t", "é", "🚀",
        'ralphgit: {"id": 1}', "<!-- ralphgit: {} -->", "\r", "\x1b[31m",
    ]
)  # fmt: skip
_TEXT = st.lists(_MARKS | st.text(st.characters(codec="utf-8"), max_size=6), max_size=8).map(
    lambda marks: characters.without("".join(marks))
)
_TITLE = _TEXT.filter(lambda text: bool(text.strip()))
_LISTS = st.lists(_TITLE, min_size=1, max_size=3)
#: As odd as a path may be.
_PATHS = st.lists(
    _TITLE.map(lambda text: re.sub(r"[\x00-\x1f\x7f-\x9f\\/]", "", text) + "x").filter(
        lambda path: pattern_fault(path) is None
    ),
    min_size=1,
    max_size=3,
)
_TASK = st.fixed_dictionaries(
    {"title": _TITLE, "status": st.sampled_from(["pending", "complete", "cancelled"])},
    optional={
        "story": st.sampled_from(["S-1", "s-1", "phase-1", "9", "next"]),
        "priority": st.integers(0, 5),
        "description": _TITLE,
        "acceptance": _LISTS.map(
            lambda texts: [{"id": f"ACC-{n}", "text": text} for n, text in enumerate(texts, 1)]
        ),
        "verify": _LISTS,
        "outputs": _PATHS,
        "scope": st.fixed_dictionaries({}, optional={"write": _PATHS, "resources": _LISTS}),
        "mode": st.sampled_from(list(map(str, Mode))),
        "x-commit": _TITLE,
        "x-any": _TEXT | st.integers() | st.booleans() | st.lists(_TEXT, max_size=2),
    },
)
_TASKS = st.lists(_TASK, min_size=1, max_size=4).map(
    lambda tasks: [
        {"id": f"T-{n}", **task} | ({"depends_on": [f"T-{n - 1}"]} if n % 2 else {})
        for n, task in enumerate(tasks)
    ]
)


def test_boxes_in_a_description_are_no_ignored_lines() -> None:
    """Of whatever sign: they are what the task is about."""
    description = "- [?] b\n\n```\n- [ ] c\n```\n> - [ ] d\n- [ ]\n- [ ] TBD"
    task = {"id": "T-1", "title": "a", "status": "pending", "description": description}
    file = stored([task], {})
    text = export_formats.text("markdown", file.tasks, file.root)
    found = importers.convert("x.md", text.encode(), ryaml.loads)
    assert (found.tasks[0]["description"], found.ignored) == (description, ())


@pytest.mark.slow
@example([{"id": "T-0", "title": "\ud7a4", "status": "pending"}])  # nothing can show it
@given(_TASKS)
def test_markdown_gives_back_every_field(tasks: list[Task]) -> None:
    file = stored(tasks, {})
    assert returned("markdown", file).tasks == file.tasks


@given(_TASKS)
@pytest.mark.slow
def test_lines_give_back_every_field(tasks: list[Task]) -> None:
    file = stored(tasks, {})
    assert returned("jsonl", file).tasks == file.tasks


@given(_TASKS)
@pytest.mark.slow
def test_nodes_give_back_titles_and_descriptions(tasks: list[Task]) -> None:
    file = stored(tasks, {})
    kept = ("id", "status", "depends_on", "mode", "x-commit", "outputs")
    for old, new in zip(file.tasks, returned("graph", file).tasks, strict=True):
        assert {key: new.get(key) for key in kept} == {key: old.get(key) for key in kept}
        assert new["title"] == old["title"].strip()
        assert new.get("description") == old.get("description")


@given(_TITLE, _TEXT)
def test_what_is_visible_is_one_list(title: str, description: str) -> None:
    """Whatever the texts are, a page shows a list of two items and no heading of theirs."""
    from markdown_it import MarkdownIt

    tasks = [
        {"id": "T-1", "title": title, "status": "pending", "description": description},
        {"id": "T-2", "title": "b", "status": "pending"},
    ]
    text = export_formats.text("markdown", tasks, {})
    tokens = MarkdownIt("commonmark").parse(text)
    top = [token for token in tokens if token.level == 0 and token.nesting >= 0]
    kinds = [token.type for token in top]
    assert kinds == ["html_block", "heading_open", "inline", "bullet_list_open"] or kinds == [
        "html_block", "heading_open", "bullet_list_open"
    ]  # fmt: skip
    items = [token for token in tokens if token.type == "list_item_open" and token.level == 1]
    assert len(items) == 2
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)


def test_what_a_story_says_stands_below_its_heading(world: World) -> None:
    world.write_graph(GRAPH.replace("The house\n", "The house\n    description: Of bricks.\n"))
    assert "## S-1: The house\n\nOf bricks.\n\n- [ ] `T-2`" in exported(world, "markdown")


@pytest.mark.parametrize(
    "description",
    [
        "**Goal**: in one pass\n\n- a\n- b",
        "two lines\n\n",
        "Read this\n\n## Rules\n\n- [ ] `T-9` no task\n\n```sh\n- [ ] none\n```",
        "hidden \u200e",
        "```text\n- [ ] x\n```",
        "<!-- ralphgit: {} -->\n> - [ ] quoted -->",
        "- a\n  > - [ ] quoted\n- [d] b",
        "    indented",
    ],
)
def test_markdown_gives_back_what_stories_and_milestones_say(description: str) -> None:
    assert told("The house", description) == ()


@pytest.mark.slow
@given(_TITLE, _TEXT)
def test_markdown_gives_back_whatever_stories_say(title: str, description: str) -> None:
    told(title, description)


def told(title: str, description: str) -> tuple[Any, ...]:
    """Export stories, and read them back as they were; the lines that were ignored."""
    tasks = [
        {"id": "T-1", "title": "a", "status": "pending", "story": "S-1", "milestone": "M-1"},
        {"id": "T-2", "title": "b", "status": "pending", "story": "S-2"},
        {"id": "T-3", "title": "c", "status": "pending", "story": "S-1"},
    ]
    root = {
        "stories": [
            {"id": "S-1", "title": title, "description": description},
            {"id": "S-2", "description": "no title", "x-more": 1},
            {"id": "S-3", "title": "No task", "description": description},
        ],
        "milestones": [{"id": "M-1", "title": f"Phase A2: {title} -->"}],
    }
    file = stored(tasks, root)
    text = export_formats.text("markdown", file.tasks, file.root)
    found = importers.convert("x.md", text.encode(), ryaml.loads)
    assert stored(found.tasks, found.root).tasks == file.tasks
    assert found.root.keys() == root.keys()
    for key in root:  # The order of stories is that of their first tasks.
        read = exported_checklist.entries(found.root[key])
        assert sorted(read, key=lambda entry: str(entry["id"])) == file.root[key]
    return found.ignored
