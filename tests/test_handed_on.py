"""What one worker leaves for the next: summary and concerns, in packet, prompt and audit."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import Place, World, grown

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: Lay the table
    status: pending
  - id: T-2
    title: Cook the soup
    status: pending
    depends_on: [T-1, T-9]
  - id: T-9
    title: Buy onions
    status: complete
  - id: T-3
    title: All is well
    status: pending
    mode: verify
    verify: ["true"]
"""
SUMMARY, CONCERN = "The table is round.\nIt has three legs.", "it wobbles"


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    return grown(completed if "alpha" in request.fixturenames else begun)


def begun(folder: Path) -> World:
    made = World(folder)
    made.write_graph(GRAPH)
    made.commit("Begin")
    return made


@pytest.fixture
def alpha(world: World) -> Place:
    """A worktree whose branch has T-1 complete, with a summary and a concern."""
    return Place(world.folder / "proj-alpha", world.environ, world)


def completed(folder: Path) -> World:
    """The world with `alpha`."""
    world = begun(folder)
    place = world.worktree("alpha")
    place.claim("T-1")
    place.write("table", "round\n")
    place.complete("T-1", "--summary", SUMMARY, "--concern", CONCERN)
    return world


def test_a_packet_has_what_the_dependencies_left(world: World, alpha: Place) -> None:
    assert world.merge("alpha").code == 0
    packet = world.ralph("packet", "T-2", "--json").data["packet"]
    assert packet["dependencies"] == [
        {
            "task": "T-1", "title": "Lay the table", "commit": alpha.head[:12],
            "summary": SUMMARY, "concerns": [CONCERN],
        },
        {"task": "T-9", "title": "Buy onions"},
    ]  # fmt: skip
    prompt = world.ralph("prompt", "T-2").out
    told = (
        f"- T-1: Lay the table (commit {alpha.head[:12]})\n    The table is round.\n"
        "    It has three legs.\n    not sure: it wobbles\n- T-9: Buy onions\n"
    )
    assert told in prompt


def test_what_others_say_of_it_later_is_not_handed_on(world: World, alpha: Place) -> None:
    """A commit that names the claim, and an event more in its audit."""
    claim = alpha.task("T-1")["claim"]["id"]
    assert world.merge("alpha").code == 0
    path = f"records/audit/T-1/{claim}.yaml"
    more = "  - {at: t, event: landed, by: ann, summary: It is square.}\n"
    world.write(path, world.read(path) + more)
    world.commit("An event")
    world.write("other.txt", "x\n")
    world.commit(f"T-9: Another\n\nRalph-Claim: {claim}")
    told = world.ralph("packet", "T-2", "--json").data["packet"]["dependencies"][0]
    assert (told["commit"], told["summary"]) == (alpha.head[:12], SUMMARY)


def test_work_that_is_only_on_this_branch_is_handed_on_there(world: World, alpha: Place) -> None:
    first = alpha.ralph("packet", "T-2", "--json").data["packet"]["dependencies"][0]
    assert (first["commit"], first["summary"]) == (alpha.head[:12], SUMMARY)
    elsewhere = world.ralph("packet", "T-2", "--json").data["packet"]["dependencies"]
    assert [one["task"] for one in elsewhere] == ["T-9"]


def test_the_audit_has_the_summary(alpha: Place) -> None:
    claim = alpha.task("T-1")["claim"]["id"]
    assert alpha.audit("T-1", claim)[-1]["summary"] == SUMMARY
    assert alpha.ralph("check").code == 0
    told = alpha.ralph("log", "T-1", "--json").data["events"]
    assert "The table is round. It has three legs." in [one["note"] for one in told]


def test_a_packet_without_lists_says_what_may_change(world: World) -> None:
    packet = world.ralph("packet", "T-1", "--json").data["packet"]
    assert packet["may_change"] == "any file the task needs"
    assert not {"acceptance", "scope", "verify", "outputs", "dependencies"} & packet.keys()
    assert "You may change any file the task needs" in world.ralph("prompt", "T-1").out
    packet = world.ralph("packet", "T-3", "--json").data["packet"]
    assert packet["may_change"] == "no file: the task verifies what is there"


# -- concerns ------------------------------------------------------------------------------


def test_work_that_somebody_is_not_sure_of_is_shown(world: World, alpha: Place) -> None:
    command = "ralphgit land alpha --accept-concerns"
    attention = world.ralph("status", "--json").data["attention"]
    assert [(one["code"], one["hint"]) for one in attention] == [("concerns", command)]
    assert attention[0]["message"] == "T-1 is complete, and alpha is not sure: it wobbles"
    (asked,) = world.ralph("inbox", "--json").data["questions"]
    assert (asked["task"], asked["reason"], asked["command"]) == ("T-1", "concerns", command)
    assert asked["question"].startswith("it wobbles (")
    world.git("config", "ralph.land.concerns", "true")
    assert world.ralph("status", "--json").data["attention"] == []
    assert world.ralph("inbox", "--json").data["questions"] == []


def test_status_names_what_nothing_has_verified(world: World, alpha: Place) -> None:
    told = world.ralph("status")
    assert "unverified: T-1\n" in told.out
    assert world.merge("alpha").code == 0
    assert world.ralph("status", "--json").data["unverified"] == ["T-1"]
    shows = ("--shows", "it is round")
    assert world.ralph("evidence", "add", "T-1", *shows).code == 0
    world.commit("Seen")
    assert world.ralph("status", "--json").data["unverified"] == []
