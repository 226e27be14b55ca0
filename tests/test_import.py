"""`import`: other tools' tasks become tasks here, and nothing that is here is lost."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from world import Place, World, shared

from ralphgit.app.exchange import import_tasks
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.errors import GuardRefused
from ralphgit.records import graph_file, task_blocks, yaml_reader
from ralphgit.rules.cycles import find_cycles

GRAPH = """\
nodes:
  - id: T-1
    title: Draw the plan
    status: done
  - id: T-2
    title: Build it
    status: open
  - id: T-3
    title: Test it
    status: doing
edges:
  - {from: T-1, to: T-2}
  - {from: T-2, to: T-3}
stories:
  - id: S-1
    title: The house
meta:
  total_tasks: 3
"""

IMPORTED = """\
# yaml-language-server: $schema=https://raw.githubusercontent.com/ralphgit/ralphgit/main/schemas/task-graph.schema.json
version: 1
stories:
  - id: S-1
    title: The house
tasks:
  - id: T-1
    title: Draw the plan
    status: complete
  - id: T-2
    title: Build it
    status: pending
    depends_on:
      - T-1
  - id: T-3
    title: Test it
    status: pending
    depends_on:
      - T-2
"""

TICKET = """\
---
id: T-2
title: Build the house
status: closed
priority: high
---

# Build the house

## Acceptance criteria

- it stands
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def solar() -> Path:
    return shared("solar-sim")


def imported(place: Place, *files: str, warns: str = "") -> dict[str, Any]:
    """The data of an import that succeeds."""
    done = place.ralph("import", *files, "--json")
    assert (done.code, done.err) == (0, ""), done.out
    assert "".join(done.json["warnings"]) == warns
    data: dict[str, Any] = done.data
    return data


def read(place: Place, name: str = "task-graph.yaml") -> str:
    """A file without what its tasks remember of their source (`x-source`, tested below)."""
    return unsourced(place.read(name))


def unsourced(text: str) -> str:
    return re.sub(r" +x-source:\r?\n +file:.*\n(?: +- .*\n)* +fields:.*(?:\n|\Z)", "", text)


def refused(place: Place, *words: str) -> tuple[int, str, str]:
    """The exit code, the error code and the message of an import that fails."""
    before = place.snapshot() if isinstance(place, World) else {}
    done = place.ralph("import", *words, "--json")
    assert not isinstance(place, World) or place.snapshot() == before
    assert done.json["data"] is None
    return done.code, done.error, done.json["error"]["message"]


def outside_of(text: str, task: str) -> tuple[str, str]:
    """What stands before and behind a task's block."""
    layout = task_blocks.find(text)
    assert layout is not None
    (span,) = (s for s in layout.blocks if f"- id: {task}\n" in text[s.start : s.end])
    return text[: span.start], text[span.end :]


# --- a real graph -------------------------------------------------------------------------


def test_solar_becomes_a_valid_graph(world: World, solar: Path) -> None:
    data = imported(world, str(solar / "task-graph.yaml"))
    assert len(data["added"]) == 33
    assert data["dropped"] == ["last_updated", "milestones[].status", "stories[].status", "meta"]
    assert data["notes"] == ["The source's format version '1.0' was left out."]
    assert (data["file"], data["dry_run"], data["text"]) == ("task-graph.yaml", False, None)
    assert (data["updated"], data["unchanged"]) == ([], [])

    text = read(world)
    file = graph_file.parse(text.encode(), path="task-graph.yaml")
    assert [task["id"] for task in file.tasks] == data["added"]
    assert list(file.root) == ["version", "milestones", "stories"]
    assert find_cycles({task["id"]: task.get("depends_on", []) for task in file.tasks}) == ()
    assert text.startswith(
        "# yaml-language-server: $schema=https://raw.githubusercontent.com/ralphgit/ralphgit/main/schemas/task-graph.schema.json"
    )
    assert world.git("status", "--porcelain") == "?? task-graph.yaml"


def test_solar_can_be_worked_on(world: World, solar: Path) -> None:
    source = str(solar / "task-graph.yaml")
    imported(world, source)
    world.commit()
    text = read(world)
    tasks = {t["id"]: t for t in graph_file.parse(text.encode(), path="g").tasks}
    ready = [task["id"] for task in world.ralph("next", "--json").data["tasks"]]
    assert ready
    for name in ready:
        assert tasks[name]["status"] == "pending"
        assert {tasks[ref]["status"] for ref in tasks[name].get("depends_on", [])} <= {"complete"}

    assert world.ralph("claim", ready[0]).code == 0
    assert world.git("diff", "--", "task-graph.yaml") == ""
    assert outside_of(read(world), ready[0]) == outside_of(text, ready[0])
    diff = world.git("diff", "--cached", "-U0", "--", "task-graph.yaml")
    assert len(re.findall("^@@ ", diff, re.MULTILINE)) == 1
    assert re.findall("^-(?!--).*", diff, re.MULTILINE) == ["-    status: pending"]

    claimed = read(world)
    assert len(imported(world, source)["unchanged"]) == 33
    assert read(world) == claimed


def test_solar_again_changes_no_byte(world: World, solar: Path) -> None:
    files = [str(solar / "task-graph.yaml"), *map(str, sorted((solar / "tickets").glob("*.md")))]
    data = imported(world, *files)
    text = read(world)
    again = imported(world, *files)
    assert (again["added"], again["updated"]) == ([], [])
    assert again["unchanged"] == data["added"]
    assert read(world) == text


def test_solar_tickets_fill_in_what_the_graph_does_not_say(world: World, solar: Path) -> None:
    data = imported(world, str(solar / "task-graph.yaml"), *map(str, solar.glob("tickets/*.md")))
    file = graph_file.parse(read(world).encode(), path="task-graph.yaml")
    task = next(task for task in file.tasks if task["id"] == "T-005-02")
    assert (task["status"], len(task["acceptance"])) == ("complete", 1)
    assert task["outputs"] == ["src/lib/solar/sun-hours.ts"]
    assert task["description"].startswith("Create the integration module for daily sun hours:\n")
    notes = "\n".join(data["notes"])
    assert "T-005-02: taken from T-005-02-sun-hours.md: acceptance, outputs, created." in notes
    assert "T-005-02: T-005-02-sun-hours.md differs in status, description;" in notes


# --- what is written ----------------------------------------------------------------------


def test_a_new_graph(world: World) -> None:
    world.write("tasks.yaml", GRAPH)
    done = world.ralph("import", "tasks.yaml")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "added T-1: Draw the plan\n"
        "added T-2: Build it\n"
        "added T-3: Test it\n"
        "added: 1 story\n"
        "left out, because it is computed: meta\n"
        "note: T-3 is in progress in the source, which makes no claim here.\n"
        "3 tasks read: 3 new, 0 changed, 0 unchanged; 0 lines ignored\n"
        "Nothing is staged; look at: git status\n"
    )
    assert read(world) == IMPORTED


def test_a_dry_run_shows_yaml_and_writes_nothing(world: World) -> None:
    world.write("tasks.yaml", GRAPH)
    before = world.snapshot()
    done = world.ralph("import", "tasks.yaml", "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert (
        unsourced(done.out)
        == (
            "# would add T-1: Draw the plan\n"
            "# would add T-2: Build it\n"
            "# would add T-3: Test it\n"
            "# would add: 1 story\n"
            "# left out, because it is computed: meta\n"
            "# note: T-3 is in progress in the source, which makes no claim here.\n"
            "# 3 tasks read: 3 new, 0 changed, 0 unchanged; 0 lines ignored\n"
            "# Nothing was written.\n"
        )
        + IMPORTED.partition("tasks:\n")[2]
    )
    data = world.ralph("import", "--dry-run", "tasks.yaml", "--json").data
    assert (data["added"], data["dry_run"]) == (["T-1", "T-2", "T-3"], True)
    assert unsourced(data["text"]) == IMPORTED
    assert world.snapshot() == before


def test_json_escapes_of_one_character_are_that_character(world: World) -> None:
    world.write(
        "a.json", '{"nodes": [{"id": "A", "title": "\\ud83d\\ude80 up", "status": "open"}]}'
    )
    world.write("b.yaml", 'version: 1\ntasks:\n- {id: B, title: "\\uD83D\\uDE80", status: open}\n')
    imported(world, "a.json", "b.yaml")
    assert "title: \U0001f680 up\n" in read(world).replace('"', "")
    assert "title: \U0001f680\n" in read(world).replace('"', "")
    world.write("a.json", '{"nodes": [{"id": "A", "title": "\\ud83d up", "status": "open"}]}')
    assert refused(world, "a.json")[:2] == (6, "control_character")


def test_many_tasks_are_counted(world: World) -> None:
    nodes = "".join(f"  - {{id: N-{number}, title: One}}\n" for number in range(21))
    world.write("many.yaml", f"nodes:\n{nodes}")
    assert world.ralph("import", "many.yaml").out.startswith("added: 21 tasks\nnote: N-0 has no")


def test_paths_are_those_of_the_folder(world: World) -> None:
    world.write("deep/down/tasks.yaml", GRAPH)
    assert world.ralph("-C", "deep", "import", "down/tasks.yaml").code == 0
    assert read(world) == IMPORTED


# --- a graph that is there already --------------------------------------------------------


def test_a_changed_title_changes_that_line_alone(world: World) -> None:
    quoted = IMPORTED.replace("title: Test it", 'title:  "Test it"  # soon')
    world.write_graph(f"# ours\n{quoted}# end\n")
    world.write("tasks.yaml", GRAPH.replace("Build it", "Build it well"))
    before = read(world)
    done = world.ralph("import", "tasks.yaml")
    assert done.out.startswith("updated T-2: Build it well (title)\nunchanged: 2 tasks\n")
    assert read(world) == before.replace("Build it", "Build it well")


def test_what_happened_here_stays(world: World) -> None:
    world.write("tasks.yaml", GRAPH)
    imported(world, "tasks.yaml")
    world.commit()
    world.claim("T-2")
    claimed = read(world)
    source = GRAPH.replace("status: open", "status: done")
    world.write("tasks.yaml", source.replace("Build it", "Built\n    outputs: [built]"))
    data = imported(
        world,
        "tasks.yaml",
        warns="T-2 is in progress, and what it promises has changed: "
        "ralphgit complete T-2 needs --accept-contract",
    )
    assert data["updated"] == ["T-2"]
    made = claimed.replace("Build it", "Built").replace(
        "- T-1\n", "- T-1\n    outputs:\n      - built\n"
    )
    assert read(world) == made


def test_a_field_that_is_new_is_added_and_one_that_is_gone_stays(world: World) -> None:
    world.write_graph(IMPORTED.replace("Build it\n", "Build it\n    complexity: L\n"))
    world.write("tasks.yaml", GRAPH.replace("Test it", "Test it\n    priority: 1"))
    before = read(world)
    assert imported(world, "tasks.yaml")["updated"] == ["T-3"]
    assert read(world) == before + "    priority: 1\n"


OWN = """\
# our graph
version: 1  # the only one

# what is to be done
tasks:
- id: A-1   # the first
  title: "Begin"
  status: pending

- id: A-2
  title: Go on
  status: pending
  # a last word on A-2
# behind the tasks
owner: somebody
"""


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("source", [GRAPH, GRAPH.replace("\n", "\r\n")])
def test_new_tasks_go_behind_the_last(world: World, eol: str, source: str) -> None:
    world.write_graph(OWN.replace("\n", eol))
    world.write("tasks.yaml", source)
    assert imported(world, "tasks.yaml")["added"] == ["T-1", "T-2", "T-3"]
    root, new = IMPORTED.split("tasks:\n")
    new = re.sub("^  ", "", new, flags=re.MULTILINE)
    root = root.partition("version: 1\n")[2]
    expected = OWN.replace("\n\n# what", f"\n{root}\n# what").replace("# behind", f"{new}# behind")
    assert read(world) == expected.replace("\n", eol)


@pytest.mark.parametrize("tasks", ["", "tasks:", "tasks: []", "tasks: []  # none\n", "tasks:\n"])
def test_an_empty_graph_takes_tasks(world: World, tasks: str) -> None:
    world.write_graph("version: 1\n" + tasks)
    world.write("tasks.yaml", GRAPH)
    imported(world, "tasks.yaml")
    expected = IMPORTED.split("\n", 1)[1]
    assert read(world).replace("  # none", "") == expected


def test_no_end_of_line_at_the_end_stays_so(world: World) -> None:
    world.write_graph("version: 1\nstories: []\ntasks:\n- {id: A, title: a, status: pending}")
    before = read(world)
    world.write("tasks.yaml", GRAPH)
    notes = imported(world, "tasks.yaml")["notes"]
    assert notes[-1] == (
        "task-graph.yaml has stories of its own: what the source has was left out."
    )
    new = re.sub("^  ", "", IMPORTED.partition("tasks:\n")[2], flags=re.MULTILINE)
    assert not world.read().endswith("\n")
    assert read(world).removesuffix("\n") == f"{before}\n{new}".removesuffix("\n")


def test_each_task_is_updated_in_its_own_file(world: World) -> None:
    world.write("ralph.toml", 'graph = ["graph/*.yaml", "graph/new.yaml"]\n')
    head, _, rest = IMPORTED.partition("  - id: T-2")
    world.write_graph(head, "graph/one.yaml")
    world.write_graph(f"version: 1\ntasks:\n  - id: T-2{rest}", "graph/two.yaml")
    source = GRAPH.replace("Build", "Make").replace("edges:", "  - {id: T-4, title: Sell}\nedges:")
    world.write("tasks.yaml", source)
    data = imported(world, "tasks.yaml")
    assert (data["added"], data["updated"], data["file"]) == (["T-4"], ["T-2"], "graph/new.yaml")
    assert read(world, "graph/one.yaml") == head
    assert "  - id: T-2\n    title: Make it\n    status: pending\n" in read(world, "graph/two.yaml")
    assert read(world, "graph/new.yaml") == (
        "# yaml-language-server: $schema=https://raw.githubusercontent.com/ralphgit/ralphgit/main/schemas/task-graph.schema.json\n"
        "version: 1\n"
        "stories:\n  - id: S-1\n    title: The house\n"
        "tasks:\n  - id: T-4\n    title: Sell\n    status: pending\n"
    )


def test_criteria_without_ids_are_the_same_as_with(world: World) -> None:
    task = "version: 1\ntasks:\n  - id: A\n    title: a\n    status: pending\n    acceptance:\n"
    world.write_graph(f"{task}      - it works\n")
    world.write("other.yaml", f"{task}      - id: ACC-1\n        text: it works\n")
    before = read(world)
    assert imported(world, "other.yaml")["unchanged"] == ["A"]
    assert read(world) == before


# --- several files ------------------------------------------------------------------------


def test_the_first_file_stands_and_the_next_fill_in(world: World) -> None:
    world.write("tasks.yaml", GRAPH)
    world.write("tickets/T-2.md", TICKET)
    data = imported(world, "tasks.yaml", "tickets/T-2.md")
    assert data["notes"] == [
        "tasks.yaml: T-3 is in progress in the source, which makes no claim here.",
        "T-2.md: the priority 'high' is 1 here.",
        "T-2: taken from T-2.md: priority, description, acceptance.",
        "T-2: T-2.md differs in title, status; the earlier file wins.",
    ]
    assert read(world) == IMPORTED.replace(
        "    depends_on:\n      - T-1\n",
        "    priority: 1\n"
        "    depends_on:\n      - T-1\n"
        "    description: |-\n"
        "      # Build the house\n\n      ## Acceptance criteria\n\n      - it stands\n"
        "    acceptance:\n      - id: ACC-1\n        text: it stands\n",
    )


def test_a_story_whose_id_is_no_text_is_kept_as_it_is(world: World) -> None:
    nodes = "nodes: [{id: A, title: a, status: open}]\n"
    world.write("a.yaml", nodes + "stories: [{id: {write: a}, title: s, nodes: [A]}]\n")
    done = world.ralph("import", "a.yaml", "--json")
    assert (done.code, done.data["added"]) == (0, ["A"]), done.out
    graph: Any = yaml_reader.load(read(world))
    (story,) = graph["stories"]
    assert (story["id"], story["title"]) == ({"write": "a"}, "s")


def test_a_dependency_on_another_file_is_put_back(world: World) -> None:
    world.write("a.yaml", "nodes: [{id: A, title: a, status: open, depends_on: [B]}]\n")
    world.write("b.yaml", "nodes: [{id: B, title: b, status: open}]\n")
    imported(world, "a.yaml")
    assert "x-missing-dependencies" in read(world) and "\n    depends_on" not in read(world)
    assert imported(world, "b.yaml")["added"] == ["B"]
    assert imported(world, "a.yaml")["updated"] == ["A"]
    whole = read(world)
    assert "x-missing-dependencies" not in whole and "    depends_on:\n      - B\n" in whole
    assert imported(world, "a.yaml", "b.yaml")["unchanged"] == ["A", "B"]
    assert read(world) == whole


def test_an_unknown_dependency_and_a_wrong_pattern_are_warned_of(world: World) -> None:
    world.write("A.md", '---\nid: A\ndepends_on: [B]\nscope: {write: ["src/[a"]}\n---\n')
    done = world.ralph("import", "A.md", "--json")
    assert done.code == 0
    assert done.json["warnings"] == [
        "A depends on B, which does not exist",
        "A: the pattern src/[a in its scope is wrong: '[' is not closed before the next '/'; "
        "the character itself is written '\\['",
    ]


# --- graphs of ours -----------------------------------------------------------------------


def test_what_happened_elsewhere_is_left_out(world: World) -> None:
    world.write(
        "other.yaml",
        """\
version: 1
tasks:
  - status: done
    claim: {id: g123456789, by: beta}
    epoch: 2
    title: 007
    id: A
    owner: Bea
  - {id: B, title: b, status: in-progress, claim: {id: h123456789, by: beta}}
""",
    )
    assert imported(world, "other.yaml")["notes"] == [
        "A: left out what happened elsewhere (claim, epoch).",
        "B: left out what happened elsewhere (claim).",
        "B is in-progress in the source, and pending here.",
    ]
    assert read(world).partition("tasks:\n")[2] == (
        '  - id: A\n    title: "007"\n    status: complete\n    owner: Bea\n'
        "  - id: B\n    title: b\n    status: pending\n"
    )
    world.commit()
    assert world.ralph("check").code == 0


def test_a_graph_imported_into_itself_stays(world: World) -> None:
    world.write_graph(OWN)
    assert imported(world, "task-graph.yaml")["unchanged"] == ["A-1", "A-2"]
    assert read(world) == OWN


def test_an_error_in_a_graph_of_ours_has_its_place(world: World) -> None:
    world.write("other.yaml", OWN.replace("status: pending\n\n", "status: perhaps\n\n"))
    done = world.ralph("import", "other.yaml")
    assert (done.code, done.out) == (6, "")
    assert done.err.startswith("error: other.yaml:8:11: 'perhaps' is not one of ")


# --- refusals -----------------------------------------------------------------------------


def test_a_cycle_is_refused(world: World) -> None:
    world.write("tasks.yaml", GRAPH.replace("stories:", "  - {from: T-3, to: T-1}\nstories:"))
    assert refused(world, "tasks.yaml") == (
        6,
        "cycle",
        "dependency cycle: T-1 -> T-3 -> T-2 -> T-1; nothing was written",
    )
    assert not (world.path / "task-graph.yaml").exists()


def test_a_cycle_with_what_is_there_is_refused(world: World) -> None:
    world.write_graph(IMPORTED)
    world.write("T-1.md", "---\nid: T-1\ntitle: Draw\ndepends_on: [T-3]\n---\n")
    assert refused(world, "T-1.md")[:2] == (6, "cycle")


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", "invalid_record", "the format of this file is not known"),
        ("{}\n", "invalid_record", "the format of this file is not known"),
        ("# Tasks\n\n- T001 Do it\n", "invalid_record", "the format of this file is not known"),
        ('{"id": "a"}\n{"id": "b"}\n', "invalid_record", "the format of this file is not known"),
        ("version: 2\ntasks: []\n", "invalid_record", "the format of this file is not known"),
        ("nodes: [{id: A}, {id: a}]", "invalid_record", "two nodes have the id a (once written A)"),
        ("nodes: [{title: A}]", "invalid_record", "node 1 of 1 has no id"),
        ("nodes: &a [{id: A}]", "anchor", "anchor &a is not allowed"),
        ("nodes: [{id: A, id: B}]", "duplicate_key", "duplicate key 'id'"),
        ("nodes: [\n", "syntax", "not YAML: "),
        ("nodes:\n- {id: A}\n\x07", "control_character", "control character U+0007 is not allowed"),
        (
            "version: 1\ntasks:" + "\n- {id: %s, title: b, status: open}" * 2 % ("A", "a"),
            "duplicate_id",
            "two tasks have the id a (once written A)",
        ),
        ("nodes: [{id: A, x: .nan}]", "invalid_record", "A: a number must be finite"),
    ],
)
def test_what_cannot_be_read_is_refused(world: World, text: str, code: str, message: str) -> None:
    world.write("bad.yaml", text)
    exit_code, found, said = refused(world, "bad.yaml")
    assert (exit_code, found) == (6, code)
    assert said.startswith(message)


def test_what_is_not_text_is_refused(world: World) -> None:
    (world.path / "bad.yaml").write_bytes(b"nodes:\n  - id: \xff\n")
    done = world.ralph("import", "bad.yaml")
    assert (done.code, done.out) == (6, "")
    told = "error: bad.yaml:2:1: the file is not UTF-8 text\nhint: save the file as UTF-8\n"
    assert done.err == told


def test_what_is_too_large_is_refused(world: World) -> None:
    world.write("ralph.toml", "max_graph_bytes = 100\n")
    world.write("tasks.yaml", GRAPH)
    assert refused(world, "tasks.yaml")[:2] == (6, "too_large")
    world.write("ralph.toml", "max_graph_bytes = 200\n")
    code, error, message = refused(world, "tasks.yaml")
    assert (code, error) == (6, "too_large")
    assert re.fullmatch("the file has [0-9]+ bytes, and the limit is 200", message)


def test_files_that_are_not_there(world: World) -> None:
    world.write("folder/tasks.yaml", GRAPH)
    assert refused(world, "no.yaml") == (2, "no_file", "there is no file no.yaml")
    assert refused(world, "folder/tasks.yaml", "no.yaml")[:2] == (2, "no_file")
    assert refused(world, "folder") == (
        2, "no_file", "folder is a folder without Markdown files"
    )  # fmt: skip
    assert refused(world, "folder/tasks.yaml/x") == (
        2,
        "no_file",
        "folder/tasks.yaml/x cannot be read: Not a directory",
    )
    assert refused(world)[:2] == (2, "usage")


def test_a_pipe_is_not_waited_for(world: World) -> None:
    """A folder of others may have one in the place of a file."""
    (world.path / "plans").mkdir()
    os.mkfifo(world.path / "plans/tasks.md")
    said = "plans/tasks.md cannot be read: it is a pipe, which may never end"
    for name in ("plans/tasks.md", "plans"):
        done = world.ralph("import", name)
        assert (done.code, done.out, done.err.splitlines()[0]) == (2, "", f"error: {said}")


def test_a_source_without_tasks(world: World) -> None:
    world.write("none.yaml", "nodes: []\n")
    assert refused(world, "none.yaml") == (
        1,
        "no_tasks",
        "there is no task in none.yaml; nothing was written",
    )


def test_ids_that_differ_from_those_here_by_case_alone(world: World) -> None:
    world.write_graph(IMPORTED)
    world.write("t.md", "---\nid: t-1\n---\n")
    assert refused(world, "t.md")[:2] == (6, "duplicate_id")


def test_a_foreign_file_in_the_graphs_place(world: World) -> None:
    world.write_graph(GRAPH)
    done = world.ralph("import", "task-graph.yaml")
    assert (done.code, done.out) == (6, "")
    assert done.err == (
        "error: task-graph.yaml:1:1: version is missing; new tasks would go into this file\n"
        "hint: git mv task-graph.yaml old-task-graph.yaml && "
        "ralphgit import old-task-graph.yaml\n"
    )
    assert read(world) == GRAPH


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\ntasks: [{id: A, title: a, status: pending}]\n",
        '{"version": 1, "tasks": []}\n',
        '{"version": 1, "tasks": [{"id": "A", "title": "a", "status": "pending"}]}\n',
    ],
)
def test_a_graph_in_flow_style_is_not_extended(world: World, text: str) -> None:
    world.write_graph(text)
    world.write("t.md", "---\nid: T-1\n---\n")
    code, _, message = refused(world, "t.md")
    assert (code, message.endswith("in flow style, which cannot be extended")) == (6, True)


def test_patterns_alone_do_not_say_where_new_tasks_go(world: World) -> None:
    world.write("ralph.toml", 'graph = ["graph/*.yaml"]\n')
    world.write("tasks.yaml", GRAPH)
    assert refused(world, "tasks.yaml")[:2] == (8, "no_exact_graph")
    world.write_graph(IMPORTED, "graph/all.yaml")
    assert imported(world, "tasks.yaml")["unchanged"] == ["T-1", "T-2", "T-3"]


@pytest.mark.parametrize("path", ["../graph.yaml", ".git/graph.yaml", "link/graph.yaml"])
def test_nothing_is_written_outside_the_worktree(world: World, path: str) -> None:
    (world.path / "link").symlink_to(world.folder)
    world.write("ralph.toml", f'graph = ["{path}"]\n')
    world.write("tasks.yaml", GRAPH)
    assert refused(world, "tasks.yaml")[:2] == (6, "bad_path")


def test_a_repository_without_files_is_refused(world: World) -> None:
    world.write("tasks.yaml", GRAPH)
    world.commit()
    source = str(world.path / "tasks.yaml")
    assert refused(world.origin, source)[:2] == (8, "bare")


@pytest.mark.parametrize(
    ("blocker", "code"), [("new", "not_writable"), ("new/graph.yaml/file", "not_readable")]
)
def test_all_files_are_written_or_none(world: World, blocker: str, code: str) -> None:
    world.write("ralph.toml", 'graph = ["new/graph.yaml", "graph/*.yaml"]\n')
    world.write_graph(IMPORTED, "graph/all.yaml")
    world.write("tasks.yaml", GRAPH.replace("Build", "Make").replace("T-1", "T-0"))
    world.write(blocker, "")
    assert refused(world, "tasks.yaml")[:2] == (1, code)


def test_a_graph_that_changes_meanwhile_is_left_alone(world: World) -> None:
    world.write_graph(IMPORTED)
    world.write("tasks.yaml", GRAPH.replace("Build", "Make"))
    around = Surroundings(str(world.path), world.environ, lambda: 0.0, lambda: "g123456789")
    project = Project.open(around)
    assert len(project.here.rows) == 3
    world.replace("Draw", "Sketch")
    with pytest.raises(GuardRefused) as caught:
        import_tasks.bring(project, import_tasks.ImportOptions(("tasks.yaml",)))
    assert caught.value.code == "moved_meanwhile"
    assert read(world) == IMPORTED.replace("Draw", "Sketch")
