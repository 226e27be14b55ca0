"""`init`: it makes what is missing, and changes nothing that is there."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from world import ROOT, Result, World

NAMES = ("task-graph", "evidence", "audit", "guidance", "packet", "report", "config", "output")
JUST_PROGRAM = shutil.which("just", path=os.path.dirname(sys.executable)) or shutil.which("just")
RALPHGIT = f"{sys.executable} -m ralphgit"
JUST = ["ralph.just", "justfile"]
SCHEMAS = [f".ralph/schemas/{name}.schema.json" for name in NAMES]
EXCLUDE = ".git/info/exclude"

SINGLE = """\
# yaml-language-server: $schema=.ralph/schemas/task-graph.schema.json
#
# A task looks like this; ralphgit add writes one.
#
#   - id: T-1
#     title: Say hello
#     status: pending
#     acceptance:
#       - id: ACC-1
#         text: hello.txt greets the world
#     verify:
#       - grep -q 'hello, world' hello.txt
#     outputs:
#       - hello.txt
#     scope:
#       write:
#         - hello.txt
version: 1
tasks: []
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A repository without a commit."""
    return World(tmp_path)


def test_init_makes_one_graph_file_and_says_what_is_next(world: World) -> None:
    found = world.ralph("init")
    made = ["task-graph.yaml", EXCLUDE, *JUST, *SCHEMAS]
    assert found == (
        0,
        "".join(f"created  {path}\n" for path in made)
        + "Next: ralphgit add --title TEXT; then git add, git commit\n",
        "",
    )
    assert world.read() == SINGLE
    assert "\n/.ralph/\n" in world.read(EXCLUDE)
    assert world.git("status", "--porcelain").split() == [
        "??", "justfile", "??", "ralph.just", "??", "task-graph.yaml",
    ]  # fmt: skip
    for path in SCHEMAS:
        assert world.read(path) == (ROOT / "schemas" / Path(path).name).read_text(encoding="utf-8")


@pytest.mark.parametrize("layout", ["single", "story", "task"])
def test_init_again_changes_nothing(world: World, layout: str) -> None:
    first = world.ralph("init", "--layout", layout, "--json")
    assert (first.code, first.data["kept"]) == (0, [])
    before = world.snapshot()
    again = world.ralph("init", "--layout", layout, "--json")
    assert (again.code, again.data["created"]) == (0, [])
    assert set(again.data["kept"]) >= set(first.data["created"]) - {"graph/"}
    assert world.ralph("init").code == 0
    assert world.snapshot() == before


def test_what_init_makes_can_be_used_at_once(world: World) -> None:
    world.ralph("init")
    assert world.ralph("list") == (0, "", "")
    assert world.ralph("add", "--title", "Begin").code == 0
    world.commit()
    assert world.ralph("next").out == "T-1\tready\t2\t-\tBegin\t\n"
    assert world.worktree("alpha").ralph("claim").code == 0
    assert world.read().startswith(SINGLE.removesuffix("tasks: []\n"))


def test_the_example_in_the_graph_is_a_task(world: World) -> None:
    world.ralph("init")
    tail = world.read().partition("#   - id")[2]
    example = "".join(f"{line[2:]}\n" for line in f"#   - id{tail}".splitlines() if line[0] == "#")
    world.write_graph(f"version: 1\ntasks:\n{example}")
    (task,) = world.ralph("list", "--json").data["tasks"]
    schema = json.loads(world.read(SCHEMAS[0]))
    for name in ("state", "holder", "stale", "blocked_on", "file", "line"):
        del task[name]
    Draft202012Validator(schema).validate({"version": 1, "tasks": [task]})


def test_one_file_a_story(world: World) -> None:
    found = world.ralph("init", "--layout", "story", "--json")
    assert found.data["created"] == [
        "ralph.toml", "graph/", "graph/tasks.yaml", EXCLUDE, *JUST, *SCHEMAS,
    ]  # fmt: skip
    assert world.read("ralph.toml") == (
        "#:schema .ralph/schemas/config.schema.json\n"
        "\n"
        "# The task graph: one file for each story.\n"
        'graph = ["graph/*.yaml"]\n'
    )
    assert world.read("graph/tasks.yaml") == SINGLE.replace("=.ralph", "=../.ralph")
    for words, file in (
        (("--title", "a"), "graph/tasks.yaml"),
        (("--title", "b", "--story", "S-1"), "graph/S-1.yaml"),
        (("--title", "c", "--story", "S-1"), "graph/S-1.yaml"),
        (("--title", "d", "--story", "Z-1"), "graph/Z-1.yaml"),
        (("--title", "e"), "graph/tasks.yaml"),
    ):
        assert world.ralph("add", *words, "--json").data["task"]["file"] == file


def test_one_file_a_task(world: World) -> None:
    found = world.ralph("init", "--layout", "task", "--json")
    assert found.data["created"] == ["ralph.toml", "graph/", EXCLUDE, *JUST, *SCHEMAS]
    for number in (1, 2, 3):
        made = world.ralph("add", "--title", "a", "--story", "S-1", "--json").data["task"]
        assert made["file"] == f"graph/T-{number}.yaml"


def test_init_follows_settings_that_are_there(world: World) -> None:
    world.write("ralph.toml", 'graph = ["plan/*.yaml"]\n')
    found = world.ralph("init", "--json")
    assert found.data["created"][0] == "plan/"
    assert found.data["kept"] == ["ralph.toml"]
    assert world.ralph("init", "--layout", "story", "--json").data["created"] == ["plan/tasks.yaml"]


def test_init_takes_the_name_that_the_settings_give(world: World) -> None:
    world.write("ralph.toml", 'graph = ["plan/all.yaml"]\n')
    assert world.ralph("init", "--json").data["created"][0] == "plan/all.yaml"
    assert world.read("plan/all.yaml") == SINGLE.replace("=.ralph", "=../.ralph")


def test_nothing_that_is_there_is_overwritten(world: World) -> None:
    graph = "version: 1\ntasks:\n  - {id: A, title: a, status: pending}\n"
    world.write_graph(graph)
    world.write(SCHEMAS[0], "{}\n")
    world.write(EXCLUDE, "/.ralph/\n.ralph-tmp-*")
    world.write(".gitignore", "*.o\n")
    world.write(".git/hooks/pre-commit", "#!/bin/sh\n")
    before = world.snapshot()
    found = world.ralph("init", "--json")
    assert found.data["kept"] == ["task-graph.yaml", EXCLUDE, SCHEMAS[0]]
    assert found.json["warnings"] == [
        f"{SCHEMAS[0]} is of another version; delete it and repeat to renew it"
    ]
    after = world.snapshot()
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize(
    ("name", "text", "layout", "hint"),
    [
        (
            "task-graph.yaml",
            "version: 1\ntasks: []\n",
            "task",
            "ralphgit shard --layout task",
        ),
        ("ralph.toml", "lease = 'off'\n", "story", 'graph = ["graph/*.yaml"] in ralph.toml, then'),
        ("ralph.toml", "graph = ['g/*.yaml']\n", "single", 'graph = ["task-graph.yaml"] in ralph'),
    ],
)
def test_another_layout_than_the_one_that_is_there_is_refused(
    world: World, name: str, text: str, layout: str, hint: str
) -> None:
    world.write(name, text)
    before = world.snapshot()
    found = world.ralph("init", "--layout", layout, "--json")
    assert (found.code, found.error) == (8, "other_layout")
    assert found.json["error"]["hint"].startswith(hint)
    assert world.snapshot() == before


def test_a_worktree_that_is_behind_begins_no_second_graph(world: World) -> None:
    world.commit()
    alpha = world.worktree("alpha")
    world.ralph("init")
    world.commit()
    assert alpha.ralph("init") == (
        8, "", "error: main has a task graph, and this worktree has not\nhint: git merge main\n",
    )  # fmt: skip
    assert alpha.merge("main").code == 0
    found = alpha.ralph("init", "--json")
    kept = ["task-graph.yaml", "../proj/" + EXCLUDE, *JUST]
    assert found.data == {"created": SCHEMAS, "kept": kept}


@pytest.mark.parametrize("staged", [False, True], ids=["rm", "git rm"])
def test_a_graph_that_was_removed_by_mistake_is_brought_back(world: World, staged: bool) -> None:
    world.write_graph("version: 1\ntasks:\n  - {id: A, title: a, status: pending}\n")
    world.commit()
    alpha = world.worktree("alpha")
    if staged:
        alpha.git("rm", "--quiet", "task-graph.yaml")
    else:
        (alpha.path / "task-graph.yaml").unlink()
    mend = f"git restore {'--staged --worktree ' if staged else ''}task-graph.yaml"
    gone = "there is no task graph (task-graph.yaml) in this worktree, but in its commit there is"
    for command in ("claim", "list", "check"):
        assert alpha.ralph(command) == (6, "", f"error: {gone}\nhint: {mend}\n"), command
    assert alpha.ralph("init") == (
        8, "", f"error: main has a task graph, and this worktree has not\nhint: {mend}\n",
    )  # fmt: skip
    alpha.git(*mend.split()[1:])
    assert alpha.ralph("claim").code == 0


def test_what_was_made_is_gone_again_after_a_failure(world: World) -> None:
    world.write(".ralph/schemas", "in the way")
    before = world.snapshot()
    found = world.ralph("init", "--layout", "story", "--json")
    assert (found.code, found.error) == (1, "not_writable")
    after = world.snapshot()
    assert {name for name in after if after[name] != before.get(name)} <= {f"proj/{EXCLUDE}"}


def test_outside_a_repository_and_in_a_bare_one(world: World) -> None:
    world.commit()
    assert world.origin.ralph("init", "--json").error == "bare"
    found = world.ralph("-C", "..", "init", "--json")
    assert (found.code, found.error) == (2, "not_a_repository")
    assert found.json["error"]["hint"] == "git init, or use -C DIR"


def test_a_justfile_of_the_user_s_stays_as_it_is(world: World) -> None:
    world.write("Justfile", "build:\n    true\n")
    found = world.ralph("init", "--json")
    assert "ralph.just" in found.data["created"]
    assert "Justfile" in found.data["kept"]
    assert found.json["warnings"] == [
        "Justfile stays as it is; for the recipes add to it: import 'ralph.just'"
    ]
    assert world.read("Justfile") == "build:\n    true\n"


@pytest.mark.skipif(not JUST_PROGRAM, reason="just is not installed")
def test_the_recipes_work_where_init_was_run(world: World) -> None:
    def just(*words: str) -> Result:
        return world.run(str(JUST_PROGRAM), *words, env={"RALPHGIT": RALPHGIT})

    world.ralph("init")
    world.ralph("add", "--title", "Say hello", "--output", "hello.txt")
    world.commit("Plan")
    made = just("worktree-new", "alpha")
    assert made.code == 0, made.err
    ran = world.run(
        str(JUST_PROGRAM), "ralph", "--agent", "scripted", "--land", "merge",
        env={"RALPHGIT": RALPHGIT, "PWD": ""},
    )  # fmt: skip
    assert (ran.code, ran.out) == (0, "done: T-1\nThe loop has ended: nothing is ready.\n"), ran
    assert "1 complete" in just("ralph-status").out
    assert just("ralph-logs").out == "scripted agent: T-1\n"
    assert just("task-reset", "T-1", "again").code == 8
