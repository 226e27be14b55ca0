"""A repository leaves ralphgit: the change that takes all of it out is judged as that, no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import World

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
