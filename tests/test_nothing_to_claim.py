"""Nothing to claim is no error, and says why: the same in every command (SPEC 4)."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from world import World, grown

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
    scope: {resources: [lock]}
  - id: T-2
    title: Second
    status: pending
    scope: {resources: [lock]}
  - id: T-3
    title: Third
    status: pending
    depends_on: [T-1]
"""
#: The commands that say why there is nothing.
ASKING = (("next",), ("claim",), ("prompt",), ("run", "--agent", "scripted"), ("preflight",))


@pytest.fixture
def world() -> World:
    return grown(begun)


def begun(folder: Path) -> World:
    made = World(folder)
    made.write_graph(GRAPH)
    made.commit("Begin")
    assert made.ralph("trust", "--yes").code == 0
    return made


def answers(world: World, code: str, exit: int) -> dict[str, Any]:
    """All commands say this in a worktree of its own, with the same details; the error."""
    beta = world.worktree("beta")
    found = []
    for words in ASKING:
        done = beta.ralph(*words, "--json")
        assert (done.code, done.error) == (exit, code), (words, done.out)
        found.append(done.json["error"])
    status = world.ralph("status", "--json").data
    assert status["next"] == []
    assert {lasting(one) for one in found} == {lasting(status["nothing"])}
    error: dict[str, Any] = found[0]
    return error


def lasting(error: object) -> str:
    """An error without how long something takes already; and without what the reader does next,
    which of a person's need is another command in a worker's worktree."""
    assert isinstance(error, dict)
    if error["code"] == "needs_person":
        error = {**error, "hint": ""}
    return re.sub(r", for \d+ s", "", json.dumps(error))


def test_waiting_for_others(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = alpha.claim("T-1")
    error = answers(world, "waiting", 3)
    since = world.lease("T-1")["at"]
    (working,) = error["working"]
    message = working.pop("message")
    assert working == {
        "task": "T-1", "title": "First", "state": "claimed", "worker": "alpha",
        "where": "worktree ../proj-alpha", "since": since, "waiting": 2,
    }  # fmt: skip
    assert message.startswith("T-1 (claimed): alpha in worktree ../proj-alpha, for ")
    assert message.endswith("; 2 tasks wait for it")
    assert (error["needs"], error["hint"]) == ([], "ralphgit claim --wait")
    assert error["overlaps"] == ["T-2 and T-1, which is in flight, both need lock"]
    said = world.ralph("next")
    assert said.out == ""
    assert said.err.splitlines()[0] == ("nothing can be claimed now; what is left waits for 1 task")
    assert message.split(", for")[0] in said.err
    assert claim


def test_what_nobody_has_landed(world: World) -> None:
    world.worktree("alpha").did("T-1", {"a.txt": "a\n"})
    error = answers(world, "waiting", 3)
    assert error["hint"] == "ralphgit claim --wait"
    assert error["working"][0]["message"].endswith(
        ", to be landed by: ralphgit land alpha; 2 tasks wait for it"
    )


def test_work_that_a_person_has_to_let_land_is_not_waited_for(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write("a.txt", "a\n")
    assert alpha.ralph("complete", "--concern", "slow").code == 0
    error = answers(world, "needs_person", 7)
    assert error["needs"][0]["hint"] == "ralphgit land alpha --accept-concerns"
    assert error["needs"][0]["message"] == (
        "T-1 is complete, and alpha is not sure: slow; 2 tasks wait for it"
    )
    assert world.ralph("claim", "--wait").code == 7


def test_nothing_to_claim_is_not_told_as_an_error(world: World) -> None:
    """Whether others work, a person is needed, or all is done."""
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-1")
    for verb in ("claim", "next", "prompt", "preflight"):
        assert beta.ralph(verb).err.startswith("nothing can be claimed now; what is left waits")
    assert beta.ralph("wait", "--for", "done", "--timeout", "0").err.startswith("3 tasks are not")
    assert alpha.ralph("block", "--question", "Which?").code == 0
    assert world.ralph("edit", "T-2", "--cancel", "not needed").code == 0
    world.commit("One less")
    assert beta.ralph("claim").err.startswith("nothing can be claimed, and only a person can")
    assert world.ralph("reply", "T-1", "This.").code == 0
    for task in ("T-1", "T-3"):
        assert world.ralph("edit", task, "--cancel", "not needed").code == 0
    world.commit("None left")
    assert beta.ralph("claim").err.startswith("nothing is left to do; all tasks are done")


def test_a_person_is_needed(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    assert alpha.ralph("block", "--question", "Which?").code == 0
    assert world.ralph("edit", "T-2", "--cancel", "not needed").code == 0
    world.commit("One less")
    error = answers(world, "needs_person", 7)
    assert error["working"] == []
    assert error["needs"] == [
        {
            "task": "T-1", "title": "First", "reason": "blocked", "worker": "alpha", "waiting": 1,
            "message": "T-1 is blocked by alpha (needs_context: Which?); 1 task waits for it",
            "hint": 'ralphgit reply T-1 "TEXT"',
        }
    ]  # fmt: skip
    assert error["hint"] == "ralphgit wait --for ready --fetch", "a worker never answers"
    assert world.ralph("next", "--json").json["error"]["hint"] == 'ralphgit reply T-1 "TEXT"'
    assert 'ralphgit reply T-1 "TEXT"' in alpha.ralph("claim").err


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("depends_on: [X-1]", "unknown_dependency"),
        ("depends_on: [T-2]", "dependency_cycle"),
        ("depends_on: [T-4]", "cancelled_dependency"),
        ("scope: {write: ['a/[']}", "bad_pattern"),
    ],
)
def test_what_only_an_edit_moves_on(tmp_path: Path, lines: str, reason: str) -> None:
    world = World(tmp_path)
    world.write_graph(
        f"version: 1\ntasks:\n  - id: T-1\n    title: First\n    status: pending\n    {lines}\n"
        "  - id: T-2\n    title: Second\n    status: pending\n    depends_on: [T-1]\n"
        "  - id: T-4\n    title: Fourth\n    status: cancelled\n"
    )
    world.commit()
    done = world.ralph("next", "--json")
    assert (done.code, done.error) == (7, "needs_person"), done.out
    assert {one["reason"] for one in done.json["error"]["needs"]} == {reason}


def test_a_cancelled_dependency_is_taken_out_and_the_others_stay(world: World) -> None:
    assert world.ralph("edit", "T-3", "--depends-on", "T-1", "--depends-on", "T-2").code == 0
    for task in ("T-1", "T-2"):
        assert world.ralph("edit", task, "--cancel", "not needed").code == 0
    world.commit("One left")
    (asked,) = world.ralph("inbox", "--json").data["questions"]
    (noted,) = world.ralph("status", "--json").data["attention"]
    told = "T-3 depends on T-1, T-2, which are cancelled"
    assert asked["question"] == noted["message"] == told
    assert asked["command"] == noted["hint"] == "ralphgit edit T-3 --remove depends_on"
    assert asked["reason"] == noted["code"] == "cancelled_dependency"
    first, second = world.ralph("next", "--json").json["error"]["needs"]
    assert [one["hint"] for one in (first, second)] == [
        "ralphgit edit T-3 --depends-on T-2", "ralphgit edit T-3 --depends-on T-1",
    ]  # fmt: skip
    assert world.ralph(*first["hint"].split()[1:]).code == 0
    world.commit("The other one")
    (left,) = world.ralph("next", "--json").json["error"]["needs"]
    assert world.ralph(*left["hint"].split()[1:]).code == 0
    world.commit("None")
    assert [one["id"] for one in world.ralph("next", "--json").data["tasks"]] == ["T-3"]


def test_all_done(world: World) -> None:
    for task in ("T-1", "T-2", "T-3"):
        assert world.ralph("edit", task, "--cancel", "not needed").code == 0
    world.commit("Nothing is left")
    error = answers(world, "all_done", 3)
    assert error["message"] == "nothing is left to do; all tasks are done: 3 cancelled"
    assert error["hint"] == "ralphgit status"


def test_a_graph_without_tasks_tells_no_worker_to_add_one(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks: []\n")
    world.commit()
    assert answers(world, "all_done", 3)["hint"] == "ralphgit status"


def test_status_offers_what_next_offers(world: World) -> None:
    """It offered T-2, whose resource T-1 has."""
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    assert "next: T-2" not in world.ralph("status").out
    assert alpha.ralph("release").code == 0
    offered = [one["id"] for one in world.ralph("next", "--json").data["tasks"]]
    assert world.ralph("status", "--json").data["next"] == offered


def test_the_task_that_a_branch_cannot_take_is_named(world: World) -> None:
    """A branch that lacks what is left is not waiting."""
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    beta.write("b.txt", "b\n")
    beta.commit("Work of its own")
    alpha.did("T-1", {"a.txt": "a\n"})
    assert world.merge("alpha").code == 0
    assert alpha.ralph("claim", "T-2").code == 0
    error = beta.refused("claim", code="behind")
    assert (error["task"], error["related"]) == ("T-3", ["T-1"])


def test_a_claim_waits_for_what_others_work_on(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-1")
    given = Timer(0.5, lambda: alpha.ralph("release"))
    given.start()
    done = beta.ralph("claim", "--wait", "--json", env={"RALPH_LOOP_IDLE": "0.2"})
    given.join()
    assert (done.code, done.data["task"]["id"]) == (0, "T-1"), done.out
    assert done.err == "nothing can be claimed now; what is left waits for 1 task; waiting\n"


def test_a_claim_does_not_wait_for_work_that_its_own_worktree_has_to_land(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.did("T-1", {"one/a.txt": "one\n"})
    refused = alpha.ralph("claim", "--wait", "--json", env={"RALPH_LOOP_IDLE": "0.2"})
    assert (refused.code, refused.error) == (3, "waiting")
    assert refused.json["error"]["not_landed"] == ["T-1"]
    assert refused.json["error"]["hint"] == "ralphgit land"
    assert alpha.ralph("land").code == 0


def test_a_claim_does_not_wait_for_a_person(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-1")
    assert alpha.ralph("block", "--question", "Which?").code == 0
    assert world.ralph("edit", "T-2", "--cancel", "not needed").code == 0
    world.commit("One less")
    assert beta.ralph("claim", "--wait").code == 7


def test_the_hint_for_a_worker_that_is_gone_works_where_it_is_shown(world: World) -> None:
    """In a linked worktree as well, and it is the one that `status` shows."""
    gone = world.worktree("gone")
    gone.claim("T-1")
    shutil.rmtree(gone.path)
    alpha = world.worktree("alpha")
    found = alpha.ralph("next", "--json")
    assert (found.code, found.error) == (7, "needs_person")
    (need,) = found.json["error"]["needs"]
    hint = need["hint"]
    attention = alpha.ralph("status", "--json").data["attention"]
    assert [one["hint"] for one in attention if one["code"] == "stale"] == [hint]
    assert alpha.ralph(*shlex.split(hint)[1:]).code == 0
    assert [task["id"] for task in alpha.ralph("next", "--json").data["tasks"]] == ["T-1", "T-2"]


@pytest.mark.parametrize("ending", ["release", "complete"])
def test_a_claim_of_one_task_waits_for_it(world: World, ending: str) -> None:
    """For who has it, and for what it depends on."""
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-1")
    wanted = "T-1" if ending == "release" else "T-3"

    def end() -> None:
        if ending == "release":
            alpha.ralph("release")
            return
        alpha.write("a.txt", "a\n")
        alpha.ralph("complete", "--land", "merge")

    given = Timer(0.3, end)
    given.start()
    done = beta.ralph("claim", wanted, "--wait", "--json", env={"RALPH_LOOP_IDLE": "0.2"})
    given.join()
    assert (done.code, done.data["task"]["id"]) == (0, wanted), done.out
    assert done.err.endswith("; waiting\n")


def test_a_claim_of_one_task_ends_its_wait(world: World) -> None:
    """With the time, with what only a person can do, and at once for what no wait changes."""
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-1")
    late = beta.ralph("claim", "T-3", "--wait", "0.1", "--json")
    assert (late.code, late.error) == (3, "waiting")
    assert late.json["error"]["hint"] == "ralphgit claim T-3 --wait"
    assert alpha.ralph("block", "--question", "Which?").code == 0
    stuck = beta.ralph("claim", "T-3", "--wait", "--json")
    assert (stuck.code, stuck.error) == (7, "needs_person")
    beta.refused("claim", "T-99", "--wait", code="unknown_task", exit=2)


@pytest.mark.parametrize("words", [("T-99",), ("T-1",), ("T-2", "--story", "S-9")])
def test_a_refused_claim_lands_no_block(world: World, words: tuple[str, ...]) -> None:
    """It landed what the branch had blocked, and then found that there is no such task."""
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-3", "--force", "for the test")
    assert alpha.ralph("block", "--question", "Which?").code == 0
    beta.claim("T-1")
    before = world.head
    assert alpha.ralph("claim", *words).code in (2, 5, 8)
    assert world.head == before
    assert beta.ralph("release").code == 0
    assert alpha.ralph("claim", "T-1").code == 0
    assert world.head != before


def test_at_the_end_the_worktree_stands_on_the_base(world: World) -> None:
    """A worker sees all that was done, where its own work has landed; reading moves nothing."""
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-1")
    alpha.write("a.txt", "a\n")
    assert alpha.ralph("complete", "--land", "merge").code == 0
    for task in ("T-2", "T-3"):
        assert world.ralph("edit", task, "--cancel", "not needed").code == 0
    world.commit("Nothing is left")
    behind = alpha.head
    assert alpha.ralph("next").code == 3
    assert alpha.head == behind != world.head
    told = alpha.ralph("claim")
    assert told.code == 3
    assert told.err.splitlines()[1] == f"  this branch stands on main ({world.head[:12]})"
    assert (alpha.head, beta.head) == (world.head, beta.head)
    beta.write("b.txt", "b\n")
    own = beta.commit("Work of its own")
    assert beta.ralph("claim").code == 3
    assert beta.head == own
