"""The base changes while a loop's agent works: the loop says so, charges nobody, and goes on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_base_changes import CHANGES, GRAPH, TITLE
from test_loop import QUICK, rescued
from world import Place, Result, World, until

pytestmark = pytest.mark.slow

ANEW = ("write: [hello.txt]", "write: [hello.txt, more.txt]")
TWICE = ("  - id: T-2", "  - id: T-1\n    title: Twin\n    status: pending\n\n  - id: T-2")
#: It does the task, and the first time changes the plan on main meanwhile.
AGENT = """\
echo "$RALPH_TASK" >> {folder}/asked
case $RALPH_TASK in T-2) echo 1 > other.txt;; *) echo 1 > hello.txt;; esac
[ -e {folder}/changed ] && exit 0
touch {folder}/changed
cd {main} && {change} &&
git -c user.name=Ann -c user.email=ann@example.com commit -qam 'Change the plan' && {push}
"""


def world_of(folder: Path) -> World:
    world = World(folder)
    world.write_graph(GRAPH.replace("    status", "    priority: 1\n    status", 1))
    world.commit("Plan")
    return world


def changing(world: World, change: str) -> str:
    """The command of an agent that runs `change` in the main worktree and pushes it."""
    push = "git push -q origin main" if world.git("remote") else "true"
    told = {"folder": world.folder, "main": world.path, "change": change, "push": push}
    path = world.folder / "agent.sh"
    path.write_text(AGENT.format(**told))
    return f"sh {path}"


def with_graph(world: World, old: str, new: str) -> str:
    """The shell command that makes this of the graph."""
    text = world.read()
    assert text.count(old) == 1
    (world.folder / "graph").write_text(text.replace(old, new))
    return f"cp {world.folder}/graph task-graph.yaml"


def loop(place: Place, agent: str, *words: str, apart: bool = False) -> Result:
    line = ("run", "--agent", agent, "--land", "merge", *words)
    assert place.ralph("trust", "--yes").code == 0
    return place.ralph(*line, env={**QUICK, "RALPH_AGENT_COMMAND": agent}, apart=apart)


def asked(world: World) -> list[str]:
    return (world.folder / "asked").read_text().split()


def events(place: Place, name: str) -> list[dict[str, Any]]:
    path = place.path / ".ralph" / "logs" / "loop.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [one for one in map(json.loads, lines) if one["event"] == name]


def states(world: World) -> dict[str, str]:
    found = world.ralph("status", "--json", "--all").data["tasks"]
    return {one["id"]: one["state"] for one in found}


@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_a_task_that_the_base_loses(tmp_path: Path, change: str, remote: bool) -> None:
    world = world_of(tmp_path)
    old, new = CHANGES[change]
    old = old.replace("    status", "    priority: 1\n    status", 1)
    if remote:
        assert world.origin
    agent = changing(world, with_graph(world, old, new))
    ran = loop(world.worktree("alpha"), agent)
    more = ["T-9"] if change == "renamed" else []
    assert ran.out.startswith(f"done: {' '.join([*more, 'T-2'])}\nlost: T-1\n"), ran.err
    assert (ran.code, asked(world)) == (0, ["T-1", *more, "T-2"])
    if remote:
        world.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert "T-1" not in states(world)
    assert world.leases == [], ran.err
    (kept,) = rescued(world)
    assert world.git("show", f"{kept}:hello.txt") == "1"
    assert world.ralph("check").code == 0


def test_a_task_of_which_the_base_asks_something_else(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    agent = changing(world, with_graph(world, *ANEW))
    alpha = world.worktree("alpha")
    ran = loop(alpha, agent)
    assert (ran.code, asked(world)) == (0, ["T-1", "T-1", "T-2"])
    assert ran.out.startswith("done: T-1 T-2\nlost: T-1\n")
    assert "what T-1 promises has changed on main since it was claimed" in ran.err
    assert [one["attempt"] for one in events(alpha, "agent")] == [1, 1, 1]
    assert set(states(world).values()) == {"complete"}
    assert world.ralph("check").code == 0


def test_a_title_that_is_corrected_meanwhile(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(GRAPH.replace("    outputs", "    priority: 1\n    outputs", 1))
    world.commit("Plan")
    agent = changing(world, with_graph(world, *TITLE))
    ran = loop(world.worktree("alpha"), agent)
    assert (ran.code, asked(world)) == (0, ["T-1", "T-2"])
    assert ran.out.startswith("done: T-1 T-2\n")
    assert world.task("T-1")["title"] == TITLE[1]
    assert world.ralph("check").code == 0


def test_a_base_that_cannot_be_read_is_waited_for(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    agent = changing(world, with_graph(world, *TWICE))
    alpha = world.worktree("alpha")
    running = mended(world, alpha)
    ran = loop(alpha, agent, apart=True)
    running.join()
    assert (ran.code, asked(world)) == (0, ["T-1", "T-2"])
    assert ran.out.startswith("done: T-1 T-2\n")
    said = "the id T-1 is used twice; first at task-graph.yaml:3; waiting until it can be read"
    assert ran.err.count(said) == 1
    assert "the graph on main can be read again" in ran.err
    assert [one["attempt"] for one in events(alpha, "agent")] == [1, 1]


def test_a_base_that_has_lost_its_graph_is_waited_for(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    agent = changing(world, "git rm -q task-graph.yaml")
    alpha = world.worktree("alpha")
    running = mended(world, alpha)
    ran = loop(alpha, agent, apart=True)
    running.join()
    assert (ran.code, asked(world)) == (0, ["T-1", "T-2"])
    assert "the task graph (task-graph.yaml) was removed from main" in ran.err


def test_a_loop_that_waits_for_the_base_can_be_stopped(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    agent = changing(world, with_graph(world, *TWICE))
    alpha = world.worktree("alpha")
    running = when_unreadable(alpha, lambda: alpha.ralph("stop", apart=True))
    ran = loop(alpha, agent, apart=True)
    running.join()
    assert (ran.code, asked(world)) == (6, ["T-1"])
    assert world.leases == ["T-1"]  # it is resumed by the next run


def test_the_one_task_of_a_batch_that_is_removed(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    old = CHANGES["removed"][0].replace("    status", "    priority: 1\n    status", 1)
    agent = changing(world, with_graph(world, old, ""))
    assert world.ralph("trust", "--yes").code == 0
    env = {**QUICK, "RALPH_AGENT_COMMAND": agent}
    assert world.ralph("trust", "--yes", env=env).code == 0
    ran = world.ralph("batch", "run", "--agent", agent, "--json", env=env, apart=True)
    assert "T-1 is cancelled: it is no longer in the graph" in ran.err
    assert world.leases == [], ran.err
    assert "T-1" not in states(world)


def when_unreadable(alpha: Place, act: Callable[[], object]) -> threading.Thread:
    """A thread that acts once the loop in a worktree has found the base unreadable."""

    def wait() -> None:
        until(lambda: events(alpha, "base-unreadable"), 60)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def mended(world: World, alpha: Place) -> threading.Thread:
    """A thread that takes back the last commit on main once the loop waits."""
    return when_unreadable(alpha, lambda: world.git("revert", "--no-edit", "HEAD"))
