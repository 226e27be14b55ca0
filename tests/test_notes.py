"""A note to a running worker, and a question that its whole story waits for (SPEC 7)."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_loop import QUICK, events, made, on_base, start, task
from world import PATIENCE, Place, World, until

STORY = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
    story: S-1
  - id: T-2
    title: Second
    status: pending
    story: S-1
  - id: T-3
    title: Another
    status: pending
    story: S-2
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(STORY)
    made.commit("Plan")
    return made


# -- notes -----------------------------------------------------------------------------------


def inbox(place: Place) -> list[str]:
    folder = place.path / ".ralph" / "inbox"
    return [one.read_text() for one in folder.iterdir()] if folder.exists() else []


def test_a_note_reaches_who_works_on_a_task_and_changes_nothing(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    before = (alpha.git("status", "--porcelain"), world.head, world.git("for-each-ref"))
    found = world.ralph("reply", "T-1", "Use the other parser", "--by", "ann")
    assert found.code == 0, found.err
    assert found.out.startswith("alpha works on T-1: the note is in its inbox, ../proj-alpha/")
    (text,) = inbox(alpha)
    assert "Use the other parser" in text and "by: ann" in text
    assert (alpha.git("status", "--porcelain"), world.head, world.git("for-each-ref")) == before
    told = world.ralph("reply", "T-1", "And faster", "--json").data
    assert (told["task"]["state"], Path(told["inbox"]).exists()) == ("claimed", True)
    assert world.ralph("reply", "T-2", "Hello?").code == 8, "nobody works on it, and nobody asks"


def test_a_note_to_a_worker_elsewhere_is_refused(world: World) -> None:
    assert world.origin
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.git("commit", "-qm", "Begin")
    alpha.git("push", "-q", "origin", "alpha")
    found = world.clone("elsewhere").ralph("reply", "T-1", "Hello", "--json")
    assert (found.code, found.error) == (8, "not_here")
    assert "T-1 is worked on by alpha (branch origin/alpha)" in found.json["error"]["message"]


@pytest.mark.slow
def test_a_note_is_in_the_next_prompt(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1"))
    does = (
        "cp .ralph/prompt.md ../prompt-$RALPH_ATTEMPT; touch ../begun;"
        " while [ ! -e ../go ]; do sleep 0.05; done; test $RALPH_ATTEMPT = 2 && echo x > x.txt"
    )
    (tmp_path / "agent.sh").write_text(f"cat > /dev/null\n{does}\n")
    running = start(alpha, "--agent", f"sh {tmp_path}/agent.sh")
    try:
        until(lambda: (tmp_path / "begun").exists())
        assert alpha.world.ralph("reply", "T-1", "Call it x.txt").code == 0
        (tmp_path / "go").touch()
        _, err = running.communicate(timeout=PATIENCE)
    finally:
        running.kill()
        running.communicate()
    assert "Call it x.txt" not in (tmp_path / "prompt-1").read_text()
    assert "look there before you report" in (tmp_path / "prompt-1").read_text()
    assert "Call it x.txt" in (tmp_path / "prompt-2").read_text(), err
    assert on_base(alpha, "T-1")["status"] == "complete"


# -- a question about the whole story ----------------------------------------------------------


def test_a_shared_question_holds_back_its_story_until_it_is_answered(world: World) -> None:
    assert world.origin
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    asked = alpha.ralph("block", "T-1", "--question", "Which API?", "--shared")
    assert asked.code == 0, asked.err
    for landed in (False, True):
        if landed:
            assert alpha.ralph("land").code == 0
            world.git("pull", "-q", "--ff-only", "origin", "main")
        tasks = world.ralph("next", "--json").data["tasks"]
        assert [one["id"] for one in tasks] == ["T-3"]
        state = {one["id"]: one for one in world.ralph("status", "--json").data["tasks"]}
        assert (state["T-2"]["state"], state["T-2"]["blocked_on"]) == ("waiting", ["T-1"])
        refused = world.worktree(f"beta{landed}").ralph("claim", "T-2", "--json")
        assert (refused.code, refused.error) == (8, "held_back")
        assert refused.json["error"]["message"].startswith(
            "T-2 waits with its story for the answer to T-1"
        )
        assert "(needs_context: Which API?); it holds back T-2" in world.ralph("status").out
        assert "needs_context: Which API? (holds back T-2)" in world.ralph("inbox").out
    assert world.task("T-1")["blocked"]["shared"] is True
    assert world.ralph("reply", "T-1", "The new one").code == 0
    ids = [one["id"] for one in world.ralph("next", "--json").data["tasks"]]
    assert ids == ["T-1", "T-2", "T-3"]


def test_a_question_of_one_task_holds_back_nothing(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    assert alpha.ralph("block", "T-1", "--question", "Which API?").code == 0
    assert "shared" not in alpha.task("T-1")["blocked"]
    ids = [one["id"] for one in world.ralph("next", "--json").data["tasks"]]
    assert ids == ["T-2", "T-3"]


@pytest.mark.slow
def test_an_agent_says_in_its_report_that_its_story_waits(tmp_path: Path) -> None:
    one, two = task("T-1", "story: S-1"), task("T-2", "story: S-1", "outputs: [two.txt]")
    alpha = made(tmp_path, one, two)
    report = "printf 'status: needs_context\\nquestion: Why?\\nshared: true\\n'"
    ran = alpha.ralph(
        "run", "--land", "merge", "--task", "T-1",
        "--agent", f'sh -c "{report} > .ralph/report.yaml"', env=QUICK,
    )  # fmt: skip
    assert ran.code == 7, ran.err
    assert on_base(alpha, "T-1")["blocked"]["shared"] is True
    again = alpha.ralph("run", "--land", "merge", "--agent", "scripted", env=QUICK)
    assert again.code == 7, again.err
    assert [one["task"] for one in events(alpha, "claimed")] == ["T-1"]
