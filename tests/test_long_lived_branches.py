"""Two branches that both live long: what is in flight for one is no flight for the other."""

from __future__ import annotations

from pathlib import Path

import pytest
import ryaml
from world import Place, Result, World

GRAPH = """\
version: 1
tasks:
""" + "".join(
    f"""\
  - id: T-{n}
    title: Task {n}
    status: pending
    priority: {n}
    scope:
      write: [{n}.txt]

"""
    for n in (1, 2, 3)
)
RELEASE = "release/1.0"


class Line:
    """A worktree and the base branch that it works for."""

    def __init__(self, place: Place, base: str) -> None:
        self.place = place
        self.env = {"RALPH_BASE": base} if base else {}

    def ralph(self, *words: str) -> Result:
        return self.place.ralph(*words, env=self.env)

    def done(self, *words: str) -> Result:
        found = self.ralph(*words)
        assert found.code == 0, found.out + found.err
        return found

    @property
    def next(self) -> list[str]:
        return [one["id"] for one in self.ralph("next", "--json").data["tasks"]]

    def states(self) -> dict[str, str]:
        found = self.done("status", "--json", "--all").data["tasks"]
        return {one["id"]: one["state"] for one in found}

    def do(self, task: str) -> None:
        self.done("claim", task)
        self.place.write(f"{task[2:]}.txt", "1\n")
        self.done("complete", task)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.write_graph(GRAPH)
    world.commit("Plan")
    world.git("branch", RELEASE)
    return world


@pytest.fixture
def main(world: World) -> Line:
    return Line(world.worktree("alpha"), "")


@pytest.fixture
def release(world: World) -> Line:
    return Line(world.worktree("rel", at=RELEASE), RELEASE)


def test_what_is_done_on_main_is_to_do_for_a_release(
    world: World, main: Line, release: Line
) -> None:
    main.do("T-1")
    assert main.states()["T-1"] == "in-review"
    assert release.next == ["T-1", "T-2", "T-3"]
    assert world.ralph("land", "alpha").code == 0
    assert main.states()["T-1"] == "complete"
    assert release.states() == dict.fromkeys(("T-1", "T-2", "T-3"), "ready")


@pytest.mark.slow
def test_both_work_on_the_same_task_and_each_lands_on_its_own(
    world: World, main: Line, release: Line
) -> None:
    main.done("claim", "T-1")
    release.do("T-1")
    assert release.states()["T-1"] == "in-review"
    assert main.states()["T-1"] == "claimed"
    found = world.ralph("land", "rel", env=release.env)
    assert found.code == 0, found.err
    assert release.states()["T-1"] == "complete"
    # A release's own branch is not somebody's work for main.
    assert main.states() == {"T-1": "claimed", "T-2": "ready", "T-3": "ready"}
    release.place.git("merge", "--quiet", "--ff-only", RELEASE)
    release.do("T-2")
    assert main.next == ["T-2", "T-3"]
    main.place.write("1.txt", "main\n")
    main.done("complete", "T-1", "--land", "merge")
    assert main.states()["T-1"] == "complete"
    assert world.leases == []
    assert release.states()["T-2"] == "in-review"
    assert world.ralph("check").code == 0
    assert world.ralph("doctor").code == 0
    assert release.ralph("doctor").code == 0


def test_a_lease_and_a_claim_name_their_base(world: World, main: Line, release: Line) -> None:
    main.done("claim", "T-1")
    release.done("claim", "T-1")
    assert "base_branch" not in main.place.task("T-1")["claim"]
    assert release.place.ralph("show", "T-1", "--json").data["task"]["claim"]["base_branch"] == (
        RELEASE
    )
    assert world.lease("T-1")["base_branch"] == "main"
    blob = world.git("cat-file", "blob", f"refs/ralph/base-leases/{RELEASE}/T-1")
    assert ryaml.loads(blob)["base_branch"] == RELEASE
    # Within one base a task is held as ever.
    other = Line(world.worktree("rel2", at=RELEASE), RELEASE)
    refused = other.ralph("claim", "T-1", "--json")
    assert (refused.code, refused.json["error"]["holder"]["worker"]) == (5, "rel")


def test_what_one_cancels_the_other_may_do(world: World, main: Line, release: Line) -> None:
    assert world.ralph("edit", "T-3", "--cancel", "not on main").code == 0
    world.commit("Not here")
    assert release.states()["T-3"] == "ready"
    assert main.states()["T-3"] == "cancelled"


def test_leases_and_claims_of_before_go_on(world: World, main: Line, release: Line) -> None:
    world.git("checkout", "--quiet", RELEASE)
    world.write("fix.txt", "fix\n")
    world.commit("A release has commits of its own")
    world.git("checkout", "--quiet", "main")
    release.place.git("merge", "--quiet", "--ff-only", RELEASE)
    release.done("claim", "T-1")
    # As it was: one place for all, and no name of a base.
    ref = f"refs/ralph/base-leases/{RELEASE}/T-1"
    old = world.git("cat-file", "blob", ref)
    text = "".join(line + "\n" for line in old.splitlines() if "base_branch" not in line)
    blob = world.run("git", "hash-object", "-w", "--stdin", stdin=text).out.strip()
    world.git("update-ref", "refs/ralph/leases/T-1", blob)
    world.git("update-ref", "-d", ref)
    graph = release.place.read()
    release.place.write_graph(graph.replace(f"      base_branch: {RELEASE}\n", ""))
    other = Line(world.worktree("rel2", at=RELEASE), RELEASE)
    refused = other.ralph("claim", "T-1", "--json")
    assert (refused.code, refused.json["error"]["holder"]["worker"]) == (5, "rel")
    release.place.write("1.txt", "1\n")
    release.done("complete", "T-1", "--land", "merge")
    assert release.states()["T-1"] == "complete"
    assert world.git("for-each-ref", "refs/ralph") == ""


def test_in_clones(world: World, main: Line) -> None:
    _ = world.origin
    world.git("push", "--quiet", "origin", RELEASE)
    main.do("T-1")
    main.place.git("push", "--quiet", "origin", "alpha")
    there = world.clone("there")
    there.git("config", "ralph.base", RELEASE)
    there.git("config", "ralph.worker", "zoe")
    there.git("checkout", "--quiet", RELEASE)
    line = Line(there, "")
    assert line.next == ["T-1", "T-2", "T-3"]
    there.git("checkout", "--quiet", "-b", "work")
    line.do("T-1")
    line.done("land", "work")
    assert line.states()["T-1"] == "complete"
    here = world.clone("here")
    assert Line(here, "").states() == {"T-1": "in-review", "T-2": "ready", "T-3": "ready"}
