"""Audit: a task's life as `log` tells it, reviews, and what risk: high asks for."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from world import Place, World, grown

from ralphgit.app.workspace import heartbeat

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: Say hello
    status: pending
    risk: high
    verify:
      - grep -q hello hello.txt
    outputs:
      - hello.txt
    scope:
      write:
        - hello.txt
    x-script:
      write:
        hello.txt: hello
  - id: T-2
    title: Say goodbye
    status: pending
    scope:
      write:
        - bye.txt
    outputs:
      - bye.txt
"""


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    return grown(completed if "alpha" in request.fixturenames else begun)


def begun(folder: Path) -> World:
    made = World(folder)
    made.write_graph(GRAPH)
    made.commit("Plan")
    assert made.ralph("trust", "--yes").code == 0
    return made


@pytest.fixture
def alpha(world: World) -> Place:
    """A worktree in which T-1 is complete."""
    return Place(world.folder / "proj-alpha", world.environ, world)


def completed(folder: Path) -> World:
    """The world with `alpha`."""
    world = begun(folder)
    place = world.worktree("alpha")
    place.claim("T-1")
    place.write("hello.txt", "hello\n")
    place.complete()
    return world


def reviewed(place: Place, *words: str) -> dict[str, Any]:
    made = place.ralph("audit", "add", "T-1", *words, "--json")
    assert made.code == 0, made.out
    place.commit("A review")
    found: dict[str, Any] = made.data["review"]
    return found


def faults(place: Place) -> list[str]:
    found = place.ralph("check", "--base", "main", "--json").data["problems"]
    return [problem["code"] for problem in found]


def events(place: Place, *words: str) -> list[tuple[str, str]]:
    found = place.ralph("log", *words, "--json").data["events"]
    return [(entry["event"], entry["by"]) for entry in found]


# -- log -------------------------------------------------------------------------------------


def test_a_life_over_branches(world: World, alpha: Place) -> None:
    assert events(world, "T-1") == [("claimed", "alpha"), ("completed", "alpha")]
    assert world.ralph("log", "T-1", "--json").data["events"][0]["where"] == ["branch alpha"]
    reviewed(world, "--target", "alpha", "--by", "ann", "--verdict", "clear")
    world.merge("alpha")
    told = [event for event, _ in events(world, "T-1")]
    assert sorted(told) == ["claimed", "completed", "landed", "reviewed"]
    # The world's commits have a time of their own, so it is the completion that it follows.
    assert told.index("landed") > told.index("completed")
    assert world.ralph("reset", "T-1", "--reopen", "--reason", "again").code == 0
    assert "reset" in [event for event, _ in events(world, "T-1")]
    assert events(world, "--limit", "1") == events(world)[-1:]


def test_what_is_not_committed_is_told_too(world: World) -> None:
    beta = world.worktree("beta")
    beta.ralph("claim", "T-2")
    found = world.ralph("log", "T-2", "--json").data["events"]
    assert [entry["where"] for entry in found] == [["worktree ../proj-beta"]]


def test_nothing_yet_and_no_such_task(world: World) -> None:
    assert world.ralph("log", "T-1").out == "Nothing has happened yet.\n"
    assert world.ralph("log", "T-9", "--json").error == "unknown_task"


# -- reviews ---------------------------------------------------------------------------------


def test_a_review_is_a_record_of_what_was_reviewed(world: World, alpha: Place) -> None:
    made = reviewed(
        world, "--target", "alpha", "--by", "ann", "--verdict", "concerns", "--lens", "security",
        "--context", "README.md", "--finding", "minor: no capital", "--finding", "major: no stop",
        "--residual-risk", "tone",
    )  # fmt: skip
    assert made["target"] == "alpha"
    assert made["subject"]["commit"] == alpha.head
    assert [finding["id"] for finding in made["findings"]] == ["FIND-1", "FIND-2"]
    assert world.ralph("check").code == 0
    listed = world.ralph("audit", "list", "T-1").out
    assert listed.splitlines()[1:] == [
        "  of alpha, security",
        "  open  FIND-1  minor: no capital",
        "  open  FIND-2  major: no stop",
        "  residual risk: tone",
    ]
    assert world.ralph("audit", "list", "T-2").out == "No review.\n"
    world.refused("audit", "list", "T-99", code="unknown_task", exit=2)
    world.refused("audit", "list", "T-99", "--at", "HEAD", code="unknown_task", exit=2)


def test_a_later_review_says_what_became_of_a_finding(world: World, alpha: Place) -> None:
    first = reviewed(
        world, "--target", "alpha", "--by", "ann", "--verdict", "concerns", "--finding", "minor: x"
    )
    fixed = f"{first['id']}/FIND-1=fixed"
    reviewed(world, "--target", "alpha", "--by", "bob", "--verdict", "clear", "--dispose", fixed)
    assert world.ralph("audit", "list", "--open").out == "No review.\n"
    assert world.ralph("audit", "list", "--json").data["open_findings"] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("T-1",), "usage"),
        (("T-1", "--verdict", "clear", "--finding", "no severity"), "usage"),
        (("T-1", "--verdict", "clear", "--dispose", "x/FIND-1"), "usage"),
        (("T-1", "--verdict", "clear", "--dispose", "x/FIND-1=fixed"), "unknown_finding"),
        (("T-1", "--verdict", "clear", "--target", "nowhere"), "bad_revision"),
        (("T-9", "--verdict", "clear"), "unknown_task"),
        (("T-1", "--verdict", "clear", "--open"), "usage"),
    ],
)
def test_what_is_no_review_changes_nothing(world: World, words: tuple[str, ...], code: str) -> None:
    assert world.ralph("audit", "add", *words, "--json").error == code
    assert world.git("status", "--porcelain") == ""


# -- risk: high --------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("complete", "--land", "merge"), ("land", "--land", "merge")])
def test_work_that_waits_for_a_review_needs_a_person(alpha: Place, words: tuple[str, ...]) -> None:
    found = alpha.ralph(*words, "--json")
    assert (found.code, found.error) == (7, "review_missing")


def test_the_gate_asks_for_a_clear_review_by_somebody_else(world: World, alpha: Place) -> None:
    assert faults(alpha) == ["review_missing"]
    # Nobody reviews their own work.
    reviewed(alpha, "--verdict", "clear")
    assert faults(alpha) == ["review_missing"]
    reviewed(world, "--target", "alpha", "--by", "ann", "--verdict", "concerns")
    assert faults(alpha) == ["review_missing"]
    reviewed(world, "--target", "alpha", "--by", "bob", "--verdict", "clear")
    assert faults(alpha) == []


def test_a_review_that_comes_with_the_work_is_never_enough(world: World, alpha: Place) -> None:
    """Whoever sends the branch may have written it, in anybody's name."""
    reviewed(alpha, "--by", "ann", "--verdict", "clear")
    (found,) = alpha.ralph("check", "--base", "main", "--json").data["problems"]
    assert (found["code"], found["severity"]) == ("review_missing", "warning")
    told = alpha.ralph("diff", "--json").data
    assert told["verdict"] == "concerns"
    assert [one["code"] for one in told["notes"]] == ["review_missing", "word_of_others"]
    assert "is a review by ann, which the base has not" in told["notes"][1]["message"]
    # Once the base has it, somebody has let it in.
    world.merge("alpha")
    assert faults(world) == []


def test_one_who_asks_for_changes_stands_against_one_who_does_not(
    world: World, alpha: Place
) -> None:
    reviewed(world, "--target", "alpha", "--by", "bob", "--verdict", "clear")
    reviewed(world, "--target", "alpha", "--by", "ann", "--verdict", "changes-needed")
    assert faults(alpha) == ["review_missing"]


def test_a_review_is_of_the_content_that_it_saw(world: World, alpha: Place) -> None:
    reviewed(world, "--target", "alpha", "--by", "bob", "--verdict", "clear")
    alpha.write("hello.txt", "hello, and more\n")
    alpha.commit("More")
    assert "review_missing" in faults(alpha)


def test_a_branch_cannot_lower_its_own_risk(world: World, alpha: Place) -> None:
    alpha.replace("risk: high", "risk: low")
    alpha.commit("Nothing to see")
    assert "review_missing" in faults(alpha)


def test_a_branch_cannot_narrow_what_its_review_is_of(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.ralph("claim", "T-1")
    alpha.replace("        - hello.txt\n    x-script", "        - hello\n    x-script")
    alpha.write("hello.txt", "hello\n")
    alpha.complete("--accept-contract")
    reviewed(world, "--target", "alpha", "--by", "ben", "--verdict", "clear")
    alpha.write("hello.txt", "hello, EVIL\n")
    alpha.commit("More")
    assert "review_missing" in faults(alpha)


def test_a_person_settles_what_another_reviewer_wants(world: World, alpha: Place) -> None:
    wants = ("--verdict", "changes-needed", "--by", "critic", "--target", "alpha")
    review = reviewed(world, *wants, "--finding", "major: no capital", "--finding", "minor: short")
    settle = [f"--dispose={review['id']}/FIND-{number}=accepted" for number in (1, 2)]
    world.commit("A review")
    # Not the worker itself, and not the half of it.
    reviewed(alpha, "--verdict", "clear", *settle)
    alpha.commit("A review")
    reviewed(world, "--verdict", "clear", "--by", "ann", *wants[4:], settle[0])
    world.commit("Another")
    (waits,) = world.ralph("inbox", "--json").data["questions"]
    assert f"critic asks for changes (review {review['id']}); critic takes" in waits["question"]
    command = waits["command"].replace("NAME", "ann")
    assert command.endswith(f" --by ann --dispose {review['id']}/FIND-2=accepted")
    assert world.ralph(*command.split()[1:]).code == 0
    world.commit("The rest")
    assert world.ralph("land", "--all", "--land", "merge").code == 0
    assert world.task("T-1")["status"] == "complete"


@pytest.mark.usefixtures("alpha")
def test_what_found_nothing_is_taken_back_by_who_said_it(world: World) -> None:
    reviewed(world, "--target", "alpha", "--by", "ben", "--verdict", "changes-needed")
    world.commit("A review")
    (waits,) = world.ralph("inbox", "--json").data["questions"]
    assert "which ben alone takes back" in waits["question"]
    assert waits["command"].endswith(" --verdict clear --by ben")
    made = world.ralph(*waits["command"].split()[1:], "--json")
    assert (made.code, made.data["review"]["by"]) == (0, "ben")


@pytest.mark.usefixtures("alpha")
def test_what_lacks_a_review_alone_lands_once_it_has_one(world: World) -> None:
    left = world.ralph("land", "--all", "--land", "merge")
    why = "T-1 has risk: high, and nobody but alpha has reviewed it"
    command, shown = left.out.splitlines()[1].strip(), left.out
    assert shown == f"alpha: {why}\n  {command}\nNothing has landed.\n"
    assert (left.code, left.err) == (
        7,
        "alpha was not integrated; a person decides whether it lands\nhint: ralphgit inbox\n",
    )
    assert world.ralph(*command.replace("NAME", "ann").split()[1:]).code == 0
    world.commit("A review")
    assert world.ralph("land", "--all", "--land", "merge").code == 0


def test_an_objection_stands_until_its_author_reviews_the_same_content(
    world: World, alpha: Place
) -> None:
    reviewed(world, "--target", "alpha", "--by", "ben", "--verdict", "changes-needed")
    reviewed(world, "--target", "alpha", "--by", "anna", "--verdict", "clear")
    assert faults(alpha) == ["review_missing"]
    reviewed(world, "--by", "ben", "--verdict", "inconclusive")
    assert faults(alpha) == ["review_missing"]
    # And nobody becomes somebody else by writing the name in capitals.
    reviewed(world, "--target", "alpha", "--by", "ALPHA", "--verdict", "clear")
    assert faults(alpha) == ["review_missing"]


def beats(place: Place, role: str = "") -> None:
    """The heartbeat of a loop that runs there."""
    noted, worker = heartbeat.noted(os.getpid()), place.path.name.removeprefix("proj-")
    beat = heartbeat.Heartbeat(*noted, worker, "", "", "idle", time.time(), role=role)
    heartbeat.write(str(place.path), beat)


def test_what_waits_for_a_review_waits_for_a_person(world: World, alpha: Place) -> None:
    gamma, critic = world.worktree("gamma"), world.worktree("critic")
    gamma.claim("T-2")
    waits = "T-1 is complete, and waits for a review: risk: high, and nobody but alpha has reviewed"
    command = "ralphgit audit add T-1 --target alpha --verdict clear --by NAME"
    told = [(one["code"], one["hint"]) for one in world.ralph("status", "--json").data["attention"]]
    assert told == [("review", command)]
    assert world.ralph("status").out.startswith(f"! {waits} it\n  {command}\n\n")
    assert world.ralph("wait", "--timeout", "0").code == 0, "a person is needed"
    beta = world.worktree("beta")
    assert beta.ralph("next").code == 3, "T-2 is worked on"
    gamma.write("bye.txt", "bye\n")
    gamma.complete("--land", "merge")
    nothing = beta.ralph("next")
    assert (nothing.code, f"{waits} it: {command}" in nothing.err) == (7, True), nothing.err
    # Where a loop reviews, it waits for that.
    beats(critic, role="review")
    assert world.ralph("status", "--json").data["attention"] == []
    nothing = beta.ralph("next")
    assert nothing.code == 3, nothing.err
    assert ", and waits for a review (critic)\n" in nothing.err
    # What a loop wants changed goes back to its worker's loop, else to a person.
    reviewed(world, "--target", "alpha", "--verdict", "changes-needed", "--by", "critic")
    world.commit("A review")
    assert beta.ralph("next").code == 7
    beats(alpha)
    assert beta.ralph("next").code == 3


@pytest.mark.slow
def test_the_loop_leaves_risky_work_on_its_branch_and_goes_on(world: World) -> None:
    beta = world.worktree("beta")
    done = beta.ralph("run", "--agent", "scripted", "--land", "merge")
    assert done.code == 7, "a person has to review it"
    assert "T-1 has risk: high, and nobody but beta has reviewed it" in done.err
    assert done.err.endswith("hint: ralphgit wait --for ready --fetch\n"), done.err
    assert "not landed, and up to a person: T-1\n" in done.out
    assert "land --all" not in done.out, "that would refuse"
    shown = world.ralph("status", "--all", "--json").data["tasks"]
    states = {one["id"]: one["state"] for one in shown}
    assert states == {"T-1": "in-review", "T-2": "complete"}
    waits = world.ralph("inbox", "--json").data["questions"]
    assert [(one["task"], one["reason"]) for one in waits] == [("T-1", "review")]
    # As it says.
    command = waits[0]["command"].replace("NAME", "ann").split()[1:]
    assert world.ralph(*command).code == 0
    world.commit("A review")
    assert world.ralph("inbox").out == "Nothing waits for a person.\n"


def test_a_review_on_the_local_base_is_named_with_what_lands_it(tmp_path: Path) -> None:
    world = begun(tmp_path)
    assert world.origin
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write("hello.txt", "hello\n")
    alpha.complete()
    review = ("audit", "add", "T-1", "--target", "alpha", "--verdict", "clear", "--by", "Ben")
    told = world.ralph(*review)
    assert told.out.endswith("It counts once origin/main has it: ralphgit land main\n")
    world.git("commit", "-qm", "Reviewed")
    refused = world.ralph("land", "alpha", "--json")
    assert (refused.code, refused.error) == (7, "review_missing"), refused
    (asked,) = world.ralph("inbox", "--json").data["questions"]
    assert "its review is on the local main, and not on origin/main yet" in asked["question"]
    assert asked["command"] == "ralphgit land main"
    assert world.ralph("land", "main").code == 0
    assert world.ralph("land", "alpha").code == 0
