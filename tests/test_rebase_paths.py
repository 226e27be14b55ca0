"""`rebase-paths`: unfinished tasks follow a folder that has moved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from world import ROOT, World

from ralphgit.rules import path_prefix

OUTPUT = Draft202012Validator(json.loads((ROOT / "schemas/output.schema.json").read_text()))
GRAPH = """\
version: 1
tasks:
  - id: T-1   # packages/app stays here
    title: In packages/app
    status: pending
    verify:
      - test -s packages/app/out.txt   # packages/app
      - run: "ls ./packages/app/out.txt other/packages/app packages/apple"
        proves: [ACC-1]
      - |
        cd packages/app
        packages/app/run.sh --x=packages/app/y
    acceptance:
      - {id: ACC-1, text: packages/app}
    outputs: [packages/app/out.txt, 'packages/app']
    scope:
      write: [packages/app/**, "packages/app", './packages/app/x/', packages/*/src]
      read:
        - packages/apple/**
        - 'packages/app/**' # all
  - {id: T-2, title: Flow, status: open, scope: {write: [packages/app/b/**]}}
  - id: T-3
    title: Done
    status: complete
    scope: {write: [packages/app/c]}
  - id: T-4
    title: Elsewhere
    status: pending
    scope: {write: [docs/**]}
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.write("packages/app/kept.txt", "text\n")
    made.commit("Plan")
    return made


def _moved(text: str) -> str:
    """`text` with apps/web in place of what moves."""
    for old, new in (
        ("- test -s packages/app/out", "- test -s apps/web/out"),
        ("ls ./packages/app", "ls ./apps/web"),
        ("cd packages/app", "cd apps/web"),
        ("packages/app/run.sh --x=packages/app", "apps/web/run.sh --x=apps/web"),
        ("[packages/app/out.txt, 'packages/app']", "[apps/web/out.txt, 'apps/web']"),
        ('[packages/app/**, "packages/app"', '[apps/web/**, "apps/web"'),
        ("'./packages/app/x/'", "'./apps/web/x/'"),
        ("'packages/app/**' #", "'apps/web/**' #"),
        ("packages/app/b", "apps/web/b"),
    ):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    return text


def test_what_begins_with_the_folder_changes_and_not_a_byte_beside(world: World) -> None:
    world.git("mv", "packages/app/kept.txt", "kept.txt")
    world.write("apps/web/kept.txt", "text\n")
    graph = world.read()
    dry = world.ralph("rebase-paths", "packages/app", "apps/web", "--dry-run", "--json")
    assert (dry.code, world.read()) == (0, graph)
    done = world.ralph("rebase-paths", "packages/app/", "./apps/web", "--json")
    OUTPUT.validate(done.json)
    assert {**done.data, "dry_run": True} == dry.data
    assert (done.data["files"], len(done.data["changes"])) == (["task-graph.yaml"], 10)
    assert {one["task"] for one in done.data["changes"]} == {"T-1", "T-2"}
    assert [(one["field"], one["why"]) for one in done.data["left"]] == [
        ("scope.write", "it covers what was below packages/app, too"),
        ("verify.run", "it still has packages/app in it"),
    ]
    assert world.read() == _moved(graph)
    again = world.ralph("rebase-paths", "packages/app", "apps/web")
    assert again.out.endswith("begins with packages/app. Nothing was written.\n")
    world.commit("Move")
    assert world.ralph("check").out == "No problem found.\n"


def test_the_top_is_a_folder(world: World) -> None:
    done = world.ralph("rebase-paths", "packages/app", "", "--json")
    told = {(one["from"], one["to"]) for one in done.data["changes"]}
    assert ("packages/app", ".") in told
    assert ("packages/app/**", "**") in told
    assert ("packages/app/out.txt", "out.txt") in told
    assert {"task": "T-1", "field": "outputs", "text": "packages/app",
            "why": "the top is no output"} in done.data["left"]  # fmt: skip
    assert "cd .\n        ./run.sh --x=./y\n" in world.read()
    assert world.ralph("check").code == 0
    world.write_graph(GRAPH)
    world.write("all/packages/app/out.txt", "text\n")
    for _ in range(2):  # what was moved is not moved again
        assert world.ralph("rebase-paths", ".", "all").code == 0
    assert "test -s all/packages/app/out.txt   # packages/app" in world.read()
    assert "write: [all/packages/app/b/**]" in world.read()
    assert "write: [all/docs/**]" in world.read()


def test_it_is_refused_while_somebody_works_on_such_a_task(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-2")
    assert world.ralph("rebase-paths", "docs", "manual").code == 0
    world.write_graph(GRAPH)
    error = world.refused("rebase-paths", "packages/app", "apps/web", code="claims_in_flight")
    assert error["tasks"] == ["T-2"]
    assert "T-2 (claimed): alpha" in error["message"]
    alpha.refused("rebase-paths", "packages/app", "apps/web", code="claims_in_flight")


@pytest.mark.parametrize(
    ("old", "new"), [("../x", "y"), ("x", ".git/y"), ("/", "y"), ("x", "./x/")]
)
def test_folders_that_are_none_are_refused(world: World, old: str, new: str) -> None:
    assert world.ralph("rebase-paths", old, new).code == 2
    assert world.read() == GRAPH


@pytest.mark.parametrize(
    ("pattern", "old", "new", "made"),
    [
        ("a", "a", "b", "b"),
        ("ab", "a", "b", "ab"),
        ("a*/x", "a", "b", "a*/x"),
        ("/a/x", "a", "b", "/b/x"),
        ("a/b/c", "a/b", "", "c"),
        ("a/", "a", "", "."),
        ("**", "", "a", "a/**"),
        (".", "", "a", "a"),
        (".github/x", "", "a", "a/.github/x"),
        ("a", "a", "v1.2", "v1.2/"),
        (r"a/\[id\]/x", "a/[id]", "b/{x}", r"b/\{x\}/x"),
        ("a/[id]/x", "a/[id]", "b", "a/[id]/x"),
        ("a/b/x", "a", "a/b", "a/b/x"),
    ],
)
def test_a_pattern_keeps_its_form(pattern: str, old: str, new: str, made: str) -> None:
    assert path_prefix.in_pattern(pattern, old, new) == made


@pytest.mark.parametrize(
    ("command", "old", "new", "made"),
    [
        ("pytest a/t.py::test_a --cov=a", "a", "b/c", "pytest b/c/t.py::test_a --cov=b/c"),
        ("x/a a/ ../a @a", "a", "b", "x/a b/ ../a @a"),
        ("sh 'a/x y' $(cat a/v)", "a", "b", "sh 'b/x y' $(cat b/v)"),
        ("a/run.sh", "a", "", "./run.sh"),
        ("cd a && make", "a", "my app", "cd a && make"),
        ("npm test; ./run.sh src/x src/y", "", "n", "npm test; ./n/run.sh n/src/x src/y"),
    ],
)
def test_a_command_keeps_what_is_no_path(command: str, old: str, new: str, made: str) -> None:
    known = ("n/run.sh", "n/src/x", "n/test")
    assert path_prefix.in_command(command, old, new, known.__contains__) == made
