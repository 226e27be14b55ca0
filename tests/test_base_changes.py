"""The base changes while somebody works: a title, what is asked for, the task, the whole graph."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import Place, World

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: Say teh word
    status: pending
    acceptance:
      - id: ACC-1
        text: it is said
    outputs:
      - hello.txt
    scope:
      write: [hello.txt]

  - id: T-2
    title: Say another
    status: pending
    scope:
      write: [other.txt]
"""
TITLE = ("Say teh word", "Say the word")
#: What the title was part of, until it was left out of the digest.
WITH_TITLE = "b72a8728adf5"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.write_graph(GRAPH)
    world.commit("Plan")
    return world


def at_work(world: World, task: str = "T-1") -> Place:
    alpha = world.worktree("alpha")
    alpha.claim(task)
    alpha.write("hello.txt", "hello\n")
    return alpha


def on_main(world: World, old: str, new: str) -> None:
    world.replace(old, new)
    world.commit("Change the plan")


def warnings(place: Place, *words: str) -> list[str]:
    done = place.ralph(*words, "--json")
    assert done.code == 0, done.out
    found: list[str] = done.json["warnings"]
    return found


# -- a title that is corrected -----------------------------------------------------------------


def test_a_corrected_title_changes_nothing_of_what_is_promised(world: World) -> None:
    alpha = at_work(world)
    on_main(world, *TITLE)
    assert warnings(alpha, "complete", "T-1") == ["T-1 has another title on main: Say the word"]
    assert alpha.merge("main").code == 1  # the two lines touch
    assert alpha.ralph("resolve").code == 0
    alpha.git("commit", "--quiet", "--no-edit")
    assert alpha.ralph("check", "--base", "main").code == 0
    assert alpha.task("T-1")["title"] == "Say the word"
    assert world.merge("alpha").code == 0
    checked = world.ralph("check", "--json").data["problems"]
    assert [one["code"] for one in checked] == []
    # ... and nothing is asked for anew by a title that is corrected once the task is done.
    on_main(world, "Say the word", "Say the words")
    assert world.ralph("check", "--json").data["problems"] == []
    assert "has changed" not in world.ralph("show", "T-1").out


def test_a_digest_of_before_that_has_the_title_in_it(world: World) -> None:
    alpha = at_work(world)
    digest = alpha.task("T-1")["claim"]["contract"]
    assert digest != WITH_TITLE
    alpha.replace(f"contract: {digest}", f"contract: {WITH_TITLE}")
    lease = alpha.git("cat-file", "blob", "refs/ralph/leases/T-1").replace(digest, WITH_TITLE)
    blob = alpha.run("git", "hash-object", "-w", "--stdin", stdin=lease + "\n").out.strip()
    alpha.git("update-ref", "refs/ralph/leases/T-1", blob)
    on_main(world, *TITLE)
    assert warnings(alpha, "complete", "T-1") == ["T-1 has another title on main: Say the word"]
    assert alpha.task("T-1")["claim"]["contract"] == digest


# -- what is asked for -------------------------------------------------------------------------


def test_a_contract_that_was_accepted_is_the_one_that_is_merged(world: World) -> None:
    alpha = at_work(world)
    on_main(world, "text: it is said", "text: it is said twice")
    refused = alpha.ralph("complete", "T-1", "--json")
    assert (refused.code, refused.error) == (8, "contract_changed")
    alpha.complete("T-1", "--accept-contract")
    assert world.ralph("check", "--base", "main", "alpha").code == 0
    assert world.ralph("land", "alpha").code == 0
    assert world.ralph("check").code == 0
    assert world.task("T-1")["state"] == "complete"


def test_a_contract_that_changes_after_the_completion(world: World) -> None:
    alpha = at_work(world)
    alpha.complete("T-1")
    on_main(world, "text: it is said", "text: it is said twice")
    found = alpha.ralph("check", "--base", "main", "--json").data["problems"]
    found = [one for one in found if one["severity"] == "error"]
    assert [one["code"] for one in found] == ["stale_contract"]
    refused = alpha.ralph("complete", "T-1", "--json")
    assert (refused.code, refused.error) == (8, "contract_changed")
    # The command that is named works when it is typed.
    assert found[0]["hint"] == "ralphgit complete T-1 --accept-contract"
    alpha.complete("T-1", "--accept-contract")
    assert alpha.ralph("check", "--base", "main").code == 0
    assert world.ralph("land", "alpha").code == 0


def test_a_contract_that_changes_once_the_task_has_landed(world: World) -> None:
    alpha = at_work(world)
    alpha.complete("T-1")
    assert world.ralph("land", "alpha").code == 0
    on_main(world, "text: it is said", "text: it is said twice")
    found = world.ralph("check", "--json").data["problems"]
    assert [(one["code"], one["severity"]) for one in found] == [("stale_contract", "warning")]
    assert found[0]["hint"] == (
        "restore the fields; to have it done anew: ralphgit reset T-1 --reopen --reason TEXT"
    )
    assert world.ralph("reset", "T-1", "--reopen", "--reason", "TEXT").code == 0
    assert world.ralph("check").code == 0


def test_a_task_that_is_blocked_under_an_older_contract_lands(world: World) -> None:
    alpha = at_work(world)
    alpha.ralph("block", "T-1", "--question", "Which word?")
    alpha.commit("Ask")
    on_main(world, "text: it is said", "text: it is said twice")
    assert alpha.ralph("check", "--base", "main").code == 0


# -- the lines of a title and of a claim -------------------------------------------------------

#: What stands between the title and the status: git needs one line that neither side changes.
BETWEEN = {"touching": "", "apart": "    priority: 1\n"}


@pytest.mark.parametrize("lines", BETWEEN)
def test_a_corrected_title_and_a_claim_in_gits_merge(world: World, lines: str) -> None:
    on_main(world, "word\n    status", f"word\n{BETWEEN[lines]}    status")
    alpha = at_work(world)
    alpha.complete("T-1")
    on_main(world, *TITLE)
    assert alpha.merge("main").code == {"touching": 1, "apart": 0}[lines]
    if lines == "touching":
        assert alpha.ralph("resolve").code == 0
        alpha.git("commit", "--quiet", "--no-edit")
    assert world.merge("alpha").code == 0
    assert (world.task("T-1")["title"], world.task("T-1")["state"]) == (TITLE[1], "complete")


def test_a_corrected_title_does_not_hold_up_what_lands(world: World) -> None:
    alpha = at_work(world)
    alpha.write("hello.txt", "hello\n")
    on_main(world, *TITLE)
    done = alpha.ralph("complete", "T-1", "--land", "merge")
    assert done.code == 0, done.err
    assert (world.task("T-1")["title"], world.task("T-1")["state"]) == (TITLE[1], "complete")
    assert world.ralph("check").code == 0


def test_landing_joins_no_two_changes_of_one_task(world: World) -> None:
    alpha = at_work(world)
    on_main(world, "word\n    status: pending", "word\n    status: cancelled")
    done = alpha.ralph("complete", "T-1", "--land", "merge")
    assert done.code == 5, done.out
    assert world.task("T-1")["state"] == "cancelled"
