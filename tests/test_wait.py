"""`wait` and `claim --wait`: look again until something has come true (SPEC 6)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from jsonschema import Draft202012Validator
from world import ROOT, Result, World

from ralphgit.cli import look_again

ENVELOPE = Draft202012Validator(
    json.loads((ROOT / "schemas" / "output.schema.json").read_text(encoding="utf-8"))
)
GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
  - id: T-2
    title: Second
    status: pending
    depends_on: [T-1]
"""
OFTEN = {"RALPH_LOOP_IDLE": "0.1"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit("Begin")
    return made


def waited(world: World, *words: str, code: int = 0) -> Result:
    found = world.ralph("wait", *words, "--json", env=OFTEN)
    assert found.code == code, found
    ENVELOPE.validate(found.json)
    return found


Meanwhile = Callable[[Callable[[], object]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Has something done in the first pause of a command that waits."""

    def prepare(action: Callable[[], object]) -> None:
        actions = [action]

        def sleep(seconds: float) -> None:
            if actions:
                actions.pop()()
            else:
                time.sleep(seconds)

        clock = SimpleNamespace(sleep=sleep, monotonic=time.monotonic)
        monkeypatch.setattr(look_again, "time", clock)

    return prepare


def cancel_all(world: World) -> None:
    for task in ("T-1", "T-2"):
        assert world.ralph("edit", task, "--cancel", "not needed").code == 0
    world.commit("Nothing is left")


def test_a_person_is_told_when_needed(world: World, meanwhile: Meanwhile) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    meanwhile(lambda: alpha.ralph("block", "--question", "Which?", apart=True))
    found = waited(world)
    (item,) = found.data["attention"]
    assert (found.data["for"], found.data["reason"]) == ("attention", "attention")
    assert (item["code"], item["task"]) == ("blocked", "T-1")
    assert found.err == "nothing needs a person, and 2 tasks are not done; waiting\n"
    assert world.ralph("wait").out.splitlines() == [
        "! T-1 is blocked by alpha (needs_context: Which?)",
        '  ralphgit reply T-1 "TEXT"',
    ]


def test_what_only_an_edit_moves_on_needs_a_person(world: World) -> None:
    world.write_graph(
        GRAPH.replace("status: pending\n  -", "status: pending\n    depends_on: [T-2]\n  -")
    )
    world.commit("A circle")
    found = waited(world)
    assert found.data["reason"] == "attention"
    assert found.data["attention"][0]["code"] == "dependency_cycle"


def test_all_is_done(world: World) -> None:
    cancel_all(world)
    assert waited(world).data["reason"] == "all_done"
    assert waited(world, "--for", "done").data["reason"] == "all_done"
    assert world.ralph("wait").out == "nothing is left to do; all tasks are done: 2 cancelled\n"


def test_something_can_be_claimed(world: World, meanwhile: Meanwhile) -> None:
    alpha = world.worktree("alpha")
    assert waited(world, "--for", "ready").data["tasks"] == ["T-1"]
    alpha.claim("T-1")
    meanwhile(lambda: alpha.ralph("release", apart=True))
    found = waited(world, "--for", "ready")
    assert (found.data["reason"], found.data["tasks"]) == ("ready", ["T-1"])
    assert world.ralph("wait", "--for", "ready").out.splitlines() == [
        "1 task can be claimed: T-1", "Next: ralphgit claim",
    ]  # fmt: skip


def test_what_can_no_longer_come_true_ends_it(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    assert alpha.ralph("block", "--question", "Which?").code == 0
    for what in ("done", "T-1", "T-2"):
        assert waited(world, "--for", what, code=7).error == "needs_person"


def test_an_answer_is_waited_for(world: World, meanwhile: Meanwhile) -> None:
    """What `claim` tells a worker to do whose task waits for a person."""
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    assert alpha.ralph("block", "--question", "Which?").code == 0
    early = waited(world, "--for", "ready", "--timeout", "0", code=3)
    assert early.error == "timeout"
    assert (
        early.json["error"]["message"]
        == "nothing can be claimed until a person has answered, after 0 s"
    )
    meanwhile(lambda: world.ralph("reply", "T-1", "This", apart=True))
    assert waited(world, "--for", "ready").data["tasks"] == ["T-1"]


def test_what_will_never_come_true_ends_it(world: World) -> None:
    cancel_all(world)
    assert waited(world, "--for", "ready", code=3).error == "all_done"
    found = waited(world, "--for", "T-1", code=1)
    assert found.error == "cancelled"
    assert waited(world, "--for", "T-9", code=2).error == "unknown_task"


def test_a_task_is_complete(world: World, meanwhile: Meanwhile) -> None:
    world.worktree("alpha").did("T-1", {"a.txt": "a\n"})
    meanwhile(lambda: world.merge("alpha"))
    found = waited(world, "--for", "T-1")
    assert (found.data["reason"], found.data["tasks"]) == ("complete", ["T-1"])
    assert world.ralph("wait", "--for", "T-1").out == "T-1 is complete\n"


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("attention", "nothing needs a person, and 2 tasks are not done"),
        ("ready", "nothing can be claimed"),
        ("done", "2 tasks are not done"),
        ("T-2", "T-2 is not complete"),
    ],
)
def test_what_is_missing_in_the_end(world: World, what: str, message: str) -> None:
    world.worktree("alpha").claim("T-1")
    error = waited(world, "--for", what, "--timeout", "0.2", code=3).json["error"]
    assert (error["code"], error["for"]) == ("timeout", what)
    assert error["message"] == f"{message}, after 0.2 s"
    assert [one["task"] for one in error["working"]] == ["T-1"]
    assert error["hint"] == "ralphgit status"


@pytest.mark.parametrize("text", ["-1", "x", "nan", "1e3", ""])
def test_a_time_is_a_number(world: World, text: str) -> None:
    assert waited(world, f"--timeout={text}", code=2).error == "usage"
    assert world.ralph("claim", f"--wait={text}").code == 2


def test_it_fetches_only_when_asked(world: World) -> None:
    """L8."""
    other = world.clone("other")
    other.write_graph("version: 1\ntasks: []\n")
    other.commit("No tasks")
    other.git("push", "--quiet", "origin", "main")
    assert waited(world, "--for", "ready").data["tasks"] == ["T-1"]
    assert waited(world, "--for", "ready", "--fetch", code=3).error == "all_done"


def test_a_claim_waits_so_long(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-1")
    for words in (("--wait", "0.2"), ("--wait=0",), ("--wait", "0", "T-2")):
        done = beta.ralph("claim", *words, "--json", env=OFTEN)
        assert done.code != 0 and done.error in ("waiting", "dependencies_incomplete"), done
