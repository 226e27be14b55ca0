"""A repository leaves ralphgit: the change that takes all of it out is judged as that, no other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from world import Place, World

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.write("records/audit/T-1/c1.yaml", "id: c1\n")
    made.commit("Begin")
    made.git("switch", "--quiet", "-c", "leave")
    return made


def test_the_change_that_takes_all_out_passes_with_a_warning(world: World) -> None:
    world.git("rm", "-r", "--quiet", "task-graph.yaml", "records")
    world.commit("Leave")
    for words in (("--base", "main"), ("main..leave",), ("main...leave",)):
        found = world.ralph("check", *words, "--json")
        (told,) = found.data["problems"]
        assert (found.code, told["code"], told["severity"]) == (0, "graph_removed", "warning")
    assert world.ralph("check", "--base", "main", "--strict").code == 1
    assert [note["code"] for note in world.ralph("diff", "--json").data["notes"]] == [
        "graph_removed"
    ]


@pytest.mark.parametrize("left", ["records", "task-graph.yaml"])
def test_what_goes_in_part_is_refused(world: World, left: str) -> None:
    other = {"records": "task-graph.yaml", "task-graph.yaml": "records"}[left]
    world.git("rm", "-r", "--quiet", other)
    world.commit("Half")
    assert world.ralph("check", "--base", "main").code == (6 if left == "records" else 1)
    codes = [note["code"] for note in world.ralph("diff", "--json").data["notes"]]
    assert "graph_removed" not in codes


@pytest.mark.slow
def test_the_page_leaves_nothing(tmp_path: Path) -> None:
    """`docs/leaving.md`, step by step, where all that it names is there."""
    world = World(tmp_path)
    world.write("justfile", "build:\n    true\n")
    world.commit("Begin")
    assert world.origin
    assert world.ralph("init").code == 0
    for id, more in (("T-1", ("--verify", "test -f one")), ("T-2", ())):
        assert world.ralph("add", "--id", id, "--title", id, *more).code == 0
    world.commit("Plan")
    world.git("push", "-q", "origin", "main")
    assert world.ralph("trust", "--yes").code == 0
    world.git("config", "ralph.lease", "remote")
    assert world.ralph("worktree", "new", "alpha").code == 0
    alpha = Place(world.folder / "proj-alpha", world.environ, world)
    alpha.claim("T-1")
    alpha.write("one", "1\n")
    assert alpha.ralph("complete", "--land").code == 0
    alpha.claim("T-2")
    alpha.write("two", "2\n")
    assert world.ralph("reset", "T-2", "--force").code == 0
    assert rests(world) and world.git("for-each-ref", "refs/ralph")

    assert world.ralph("worktree", "remove", "alpha", "--force", "leaving").code == 0
    world.git("switch", "-q", "-c", "leave", "origin/main")
    assert world.ralph("export", "--format", "markdown", "tasks.md").code == 0
    assert world.ralph("init", "--undo").code == 0
    world.git("rm", "-r", "--quiet", "task-graph.yaml", "records")
    world.commit("Out")
    assert world.ralph("check", "--base", "main").code == 0
    world.git("push", "-q", "origin", "leave:main")
    world.git("switch", "-q", "main")
    world.git("merge", "-q", "leave")
    world.git("branch", "-d", "leave")
    refs = world.git("for-each-ref", "--format=delete %(refname)", "refs/ralph/")
    world.git("update-ref", "--stdin", stdin=f"{refs}\n")
    listed = world.git("ls-remote", "origin", "refs/ralph/*").split("\n")
    assert all("refs/ralph/rescue/" in line for line in listed)
    world.git("push", "-q", "origin", "--delete", *(line.split("\t")[1] for line in listed))
    for name in (".ralph", ".git/ralphgit"):
        shutil.rmtree(world.path / name, ignore_errors=True)
    assert world.ralph("init", "--undo").code == 0
    assert world.ralph("trust", "--revoke").code == 0
    world.git("config", "--remove-section", "ralph")
    assert rests(world) == []
    assert world.git("ls-files").split("\n") == ["justfile", "one", "tasks.md"]
    assert world.read("justfile") == "build:\n    true\n"
    assert world.origin.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert world.git("worktree", "list").count("\n") == 0


def rests(world: World) -> list[str]:
    """What of this repository still names ralphgit, history and the notes of git left out."""
    found = [
        line
        for line in world.git("for-each-ref", "--format=%(refname)").split("\n")
        if "ralph" in line or "feature" in line
    ]
    for path in sorted(world.path.rglob("*")):
        name = path.relative_to(world.path).as_posix()
        if not path.is_file():
            continue  # git leaves empty folders of refs behind
        if "ralph" in name:
            found.append(name)
        elif name in ("justfile", ".git/config", ".git/info/exclude"):
            found += [name] if "ralph" in path.read_text() else []
    return found
