"""The commands of a worker and of whoever takes its task back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from world import Place, World

from faults.stage import Scene

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
    verify:
      - test -s a.txt
    outputs:
      - a.txt
  - id: T-2
    title: Second
    status: pending
    depends_on: [T-1]
  - id: T-3
    title: Third
    status: pending
"""
WORK = {"a.txt": "committed\n", "src/b.txt": "not committed\n"}


class Case(NamedTuple):
    """A command that writes, and what must hold once it is through, however it got there."""

    made: Callable[[World], Scene]
    after: Callable[[World], None]
    again: tuple[str, ...] = ()
    """Errors with which the command says that it has been done already."""
    told: tuple[str, ...] = ()
    """The worktrees of `main`, `alpha` in which `doctor` has something to tell afterwards."""
    work: bool = False
    """Whether alpha's files stay as they were."""


def beginning(world: World) -> Place:
    world.write_graph(GRAPH)
    world.commit("The graph")
    assert world.ralph("trust", "--yes").code == 0
    world.worktree("beta")
    return world.worktree("alpha")


def working(world: World) -> Place:
    """Alpha has T-1; half of the work is committed."""
    alpha = beginning(world)
    alpha.claim("T-1")
    alpha.write("a.txt", WORK["a.txt"])
    alpha.commit("Half of it")
    alpha.write("src/b.txt", WORK["src/b.txt"])
    return alpha


def claim(world: World) -> Scene:
    return Scene(world, beginning(world), ("claim", "T-1"))


def complete(world: World) -> Scene:
    return Scene(world, working(world), ("complete", "T-1"))


def block(world: World) -> Scene:
    words = ("block", "T-1", "--reason", "other", "--question", "Why?")
    return Scene(world, working(world), words)


def release(world: World) -> Scene:
    return Scene(world, working(world), ("release", "T-1", "--reason", "tired"))


def reset(world: World) -> Scene:
    working(world)
    return Scene(world, world, ("reset", "T-1", "--reason", "gone"))


def reset_and_push(world: World) -> Scene:
    working(world)
    assert world.origin
    return Scene(world, world, ("reset", "T-1", "--reason", "gone"))


def resolve(world: World) -> Scene:
    """Alpha merges a base on which somebody else has T-1, and yields."""
    alpha = working(world)
    held = world.git("rev-parse", "refs/ralph/leases/T-1")
    world.git("update-ref", "-d", "refs/ralph/leases/T-1")
    line = ("claim", "T-1", "--worker", "gamma", "--force", "in a race")
    assert world.ralph(*line).code == 0
    world.commit("Gamma begins")
    world.git("update-ref", "refs/ralph/leases/T-1", held)
    assert alpha.merge("main").code == 1
    return Scene(world, alpha, ("resolve", "--yield", "T-1"))


def place(world: World, name: str) -> Place:
    return Place(world.folder / f"proj-{name}", world.environ)


def lease(world: World, task: str = "T-1") -> str:
    """The claim that a lease is for, "" without one."""
    found = world.run("git", "cat-file", "blob", f"refs/ralph/leases/{task}")
    matched = re.search(r"(?m)^claim: (\S+)$", found.out)
    return matched[1] if found.code == 0 and matched else ""


def events(at: Place, revision: str) -> list[str]:
    """What the audit of T-1 on a revision says that happened, attempt by attempt."""
    names = at.git("ls-tree", "-r", "--name-only", revision, "records/audit/T-1/").split()
    return re.findall(r"(?m)^ +(?:- )?event: (\S+)$", "\n".join(
        at.git("show", f"{revision}:{name}") for name in names
    ))  # fmt: skip


def held(at: Place, revision: str = "HEAD") -> dict[str, object]:
    """T-1 on a revision, as `show` gives it."""
    found: dict[str, object] = at.ralph("show", "T-1", "--at", revision, "--json").data["task"]
    return found


def subjects(at: Place, range_: str) -> list[str]:
    return at.git("log", "--format=%s", range_).splitlines()


def after_claim(world: World) -> None:
    alpha = place(world, "alpha")
    mine = alpha.task("T-1")["claim"]["id"]
    assert lease(world) == mine
    assert f"id: {mine}\n" in alpha.git("show", ":task-graph.yaml")
    assert alpha.git("diff", "--name-only") == ""
    staged = alpha.git("diff", "--cached", "--name-only").split()
    assert staged == [f"records/audit/T-1/{mine}.yaml", "task-graph.yaml"]
    assert place(world, "beta").ralph("claim", "T-1").code == 5


def after_complete(world: World) -> None:
    alpha = place(world, "alpha")
    assert held(alpha)["status"] == "complete"
    assert alpha.git("status", "--porcelain") == ""
    assert subjects(alpha, "main..HEAD") == ["T-1: First", "Half of it"]
    assert events(alpha, "HEAD") == ["claimed", "completed"]
    evidence = alpha.git("ls-tree", "-r", "--name-only", "HEAD", "records/evidence/").split()
    assert len(evidence) == 1
    for name, text in WORK.items():
        assert alpha.git("show", f"HEAD:{name}") + "\n" == text
    assert world.ralph("check", "--base", "main", "--at", "alpha").code == 0
    assert world.merge("alpha").code == 0
    place(world, "beta").claim("T-2")


def after_block(world: World) -> None:
    alpha = place(world, "alpha")
    assert held(alpha)["status"] == "blocked"
    assert subjects(alpha, "main..HEAD") == ["T-1: blocked (other)", "Half of it"]
    assert events(alpha, "HEAD") == ["claimed", "blocked"]
    asked = alpha.git("ls-tree", "-r", "--name-only", "HEAD", "records/guidance/").split()
    assert len(asked) == 1
    assert alpha.git("status", "--porcelain") == "?? src/"
    assert lease(world) == ""
    alpha.claim("T-3")


def after_release(world: World) -> None:
    alpha = place(world, "alpha")
    task = held(alpha)
    assert (task["status"], task["epoch"]) == ("pending", 1)
    assert subjects(alpha, "main..HEAD") == ["T-1: released", "Half of it"]
    assert events(alpha, "HEAD") == ["claimed", "released"]
    assert alpha.git("status", "--porcelain") == "?? src/"
    assert lease(world) == ""
    place(world, "beta").claim("T-1")


def after_reset(world: World) -> None:
    task = held(world)
    assert (task["status"], task["epoch"]) == ("pending", 1)
    assert subjects(world, "main") == ["T-1: reset", "The graph"]
    assert world.git("status", "--porcelain") == ""
    kept = world.git("for-each-ref", "--format=%(refname)", "refs/ralph/rescue/T-1/").split()
    assert len(kept) == 1
    for name, text in WORK.items():
        assert world.git("show", f"{kept[0]}:{name}") + "\n" == text
    beta = place(world, "beta")
    assert beta.merge("main").code == 0
    beta.claim("T-1")


def after_reset_and_push(world: World) -> None:
    # The remote decides. Where the local branch was not reached any more, a pull brings it.
    world.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert world.git("ls-remote", "origin", "refs/heads/main").split()[0] == world.head
    after_reset(world)


def after_resolve(world: World) -> None:
    """The base's claim stands, and what was done under the other is kept, and still there."""
    alpha = place(world, "alpha")
    assert alpha.git("ls-files", "-u") == ""
    assert alpha.read("task-graph.yaml") == world.read("task-graph.yaml")
    audits = "records/audit/T-1/"
    assert alpha.git("ls-files", audits) == world.git("ls-files", audits)
    assert alpha.git("diff", "--name-only") == ""
    kept = world.git("for-each-ref", "--format=%(objectname)", "refs/ralph/rescue/T-1/").split()
    assert kept == [alpha.head]
    assert lease(world) == ""
    alpha.git("commit", "--quiet", "--no-edit")


CASES = {
    "claim": Case(claim, after_claim),
    "complete": Case(complete, after_complete, work=True),
    "block": Case(block, after_block, work=True),
    "release": Case(release, after_release, work=True),
    # Alpha is told that its claim is lost.
    "reset": Case(reset, after_reset, told=("alpha",), work=True),
    "reset-and-push": Case(reset_and_push, after_reset_and_push, told=("alpha",), work=True),
    # It merges a claim whose worker has not completed it, which a person is told.
    "resolve": Case(resolve, after_resolve, told=("main", "alpha")),
}
