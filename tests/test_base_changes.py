"""The base changes while somebody works: a title, what is asked for, the task, the whole graph."""

from __future__ import annotations

import shutil
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


# -- a task that is removed or renamed -----------------------------------------------------------

FIRST = GRAPH[GRAPH.index("  - id: T-1") : GRAPH.index("  - id: T-2")]
CHANGES = {"removed": (FIRST, ""), "renamed": ("id: T-1", "id: T-9")}
NOW = {"removed": "it was removed or renamed there", "renamed": "it is T-9 there now"}


@pytest.fixture(params=CHANGES)
def change(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_who_works_on_a_task_that_the_base_has_lost_is_told(world: World, change: str) -> None:
    alpha = at_work(world)
    on_main(world, *CHANGES[change])
    told = [
        one for one in world.ralph("status", "--json").data["attention"] if one["task"] == "T-1"
    ]
    assert [(one["code"], one["message"], one["hint"]) for one in told] == [(
        "task_removed",
        "alpha works on T-1 in worktree ../proj-alpha, and main has it no longer: " + NOW[change],
        "ralphgit -C ../proj-alpha complete T-1",
    )]  # fmt: skip
    lost = f"T-1 is no longer on main: {NOW[change]}"
    found = alpha.ralph("doctor", "--json").data["findings"]
    assert {one["code"] for one in found} == {"removed_task", "claim_lost"}
    assert f"this worktree's claim on T-1 no longer stands: {lost}" in [o["message"] for o in found]
    refused = alpha.ralph("preflight", "--json")
    assert (refused.code, refused.error) == (5, "claim_lost")
    refused = alpha.ralph("claim", "--json")
    assert (refused.code, refused.error) == (5, "claim_lost")
    assert refused.json["error"]["message"] == (
        f"this worktree's claim on T-1 is lost: {lost}; complete keeps your work, and frees the "
        "worktree"
    )
    done = alpha.ralph("complete", "T-1", "--json")
    assert (done.code, done.error) == (5, "claim_lost")
    kept = done.json["error"]["rescue"]
    assert world.git("show", f"{kept}:hello.txt") == "hello"
    assert world.leases == []
    assert world.ralph("doctor").code == 0
    assert done.json["error"].get("now") == {"removed": None, "renamed": "T-9"}[change]


def test_nobody_else_is_offered_a_task_under_its_new_id_meanwhile(world: World) -> None:
    alpha, beta = at_work(world), world.worktree("beta")
    on_main(world, *CHANGES["renamed"])
    beta.git("merge", "--quiet", "main")
    assert [one["id"] for one in beta.ralph("next", "--json").data["tasks"]] == ["T-2"]
    refused = beta.ralph("claim", "T-9", "--json")
    assert (refused.code, refused.json["error"]["holder"]["worker"]) == (5, "alpha")
    assert refused.json["error"]["holder"]["where"] == "worktree ../proj-alpha as T-1"
    assert alpha.ralph("complete", "T-1").code == 5
    beta.claim("T-9")


def test_a_renamed_task_of_a_worker_that_is_gone_is_not_held_for_ever(world: World) -> None:
    alpha = at_work(world)
    on_main(world, *CHANGES["renamed"])
    shutil.rmtree(alpha.path)
    assert world.task("T-9")["stale"]
    assert world.ralph("reset", "T-9", "--reason", "gone").code == 0
    assert world.ralph("next", "--json").data["tasks"][0]["id"] == "T-9"
    fixed = world.ralph("doctor", "--fix", "--json").data["findings"]
    assert ("removed_task", True) in [(one["code"], one["fixed"]) for one in fixed]
    assert world.leases == []


def test_a_task_that_a_branch_has_added_is_not_one_that_was_removed(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.replace("  - id: T-2", "  - id: T-3\n    title: New\n    status: pending\n\n  - id: T-2")
    alpha.commit("One more")
    alpha.claim("T-3")
    codes = [one["code"] for one in world.ralph("status", "--json").data["attention"]]
    assert "task_removed" not in codes
    alpha.write("x", "x\n")
    alpha.complete("T-3")


def test_a_removed_task_that_is_complete_does_not_land(world: World, change: str) -> None:
    alpha = at_work(world)
    alpha.complete("T-1")
    on_main(world, *CHANGES[change])
    before = world.read()
    done = world.ralph("land", "alpha")
    assert done.code != 0, done.out
    assert world.read() == before
    # Nobody goes on with it, so its new id is free, and the command that is named ends the claim.
    assert "T-1" not in str(world.ralph("next", "--json").data)
    assert ("T-9" in str(world.ralph("next", "--json").data)) == (change == "renamed")
    told = [
        one for one in world.ralph("status", "--json").data["attention"] if one["task"] == "T-1"
    ]
    assert told[0]["hint"] == "ralphgit -C ../proj-alpha complete T-1 --land"
    done = alpha.ralph("complete", "T-1", "--land")
    assert (done.code, world.leases) == (5, [])
    assert world.read() == before


def test_work_that_has_landed_does_not_land_again_when_its_task_is_renamed_or_removed(
    world: World, change: str
) -> None:
    """The branches still have it under its old id: the one that landed, and one from after it."""
    alpha = at_work(world)
    alpha.complete("T-1", "--land")
    gamma = world.worktree("gamma", at="main")
    gamma.claim("T-2")
    if change == "renamed":
        assert world.ralph("edit", "T-1", "--rename", "T-9").code == 0
        world.commit("Rename T-1")
    else:
        world.write_graph(GRAPH.replace(FIRST, ""))
        world.git("rm", "--quiet", "-r", "records")
        world.commit("Remove T-1")
    assert "T-1" not in world.ralph("status").out
    assert world.ralph("land", "--all", "--json").data["branches"] == []
    done = world.ralph("reconcile", "alpha", "--json").data["branches"][0]
    assert ([one["code"] for one in done["issues"]], done["tasks"]) == (["landed"], [])
    gamma.write("other.txt", "other\n")
    gamma.complete("T-2")
    landed = world.ralph("land", "--all", "--json").data["branches"]
    assert [(one["branch"], one["tasks"]) for one in landed] == [("gamma", ["T-2"])]
    assert world.git("ls-files", "records/audit/T-1") == ""
    assert world.ralph("check").code == 0


def test_a_lease_of_work_that_was_merged_by_hand_and_renamed_holds_nothing(world: World) -> None:
    alpha = at_work(world)
    alpha.complete("T-1")
    assert world.merge("alpha").code == 0
    assert world.leases == ["T-1"]
    assert world.ralph("edit", "T-1", "--rename", "T-9").code == 0
    world.commit("Rename T-1")
    assert (world.task("T-9")["state"], world.task("T-9")["stale"]) == ("complete", False)
    assert "removed_task" not in world.ralph("doctor").out


# -- who works on it, and who has only its record ------------------------------------------------


def test_a_worktree_that_inherited_a_record_is_not_its_holder(world: World) -> None:
    alpha = at_work(world)
    alpha.commit("Half of it")
    world.git("branch", "aaa", "alpha")
    gamma = world.worktree("aagamma", at="alpha")
    holder = world.task("T-1")["holder"]
    assert (holder["worker"], holder["where"]) == ("alpha", "worktree ../proj-alpha (branch alpha)")
    refused = gamma.ralph("claim", "T-1", "--json").json["error"]
    assert refused["holder"]["where"] == "worktree ../proj-alpha (branch alpha)"
    (worker,) = [one for one in world.ralph("status", "--json").data["workers"] if one["task"]]
    assert worker["path"] == str(alpha.path)
    # Not even once the lease is gone: the note says whose it is.
    world.git("update-ref", "-d", "refs/ralph/leases/T-1")
    assert world.task("T-1")["holder"]["where"] == "worktree ../proj-alpha (branch alpha)"
    gamma.write("notes.txt", "gamma's own\n")
    assert world.ralph("reset", "T-1", "--reason", "gone").code == 0
    assert gamma.read("notes.txt") == "gamma's own\n"


def test_another_clone_names_the_branch_of_the_worker(world: World) -> None:
    _ = world.origin
    alpha = at_work(world)
    alpha.commit("Half of it")
    world.git("branch", "aaa", "alpha")
    world.git("push", "--quiet", "origin", "alpha", "aaa")
    there = world.clone("other")
    assert there.task("T-1")["holder"]["where"] == "branch origin/alpha"


@pytest.mark.parametrize("command", ["run", "complete", "land"])
def test_a_base_that_was_mended_on_the_remote_is_fetched_before_it_is_judged(
    command: str, tmp_path: Path
) -> None:
    world = World(tmp_path)
    world.write_graph(GRAPH)
    world.commit("Plan")
    assert world.origin
    alpha = world.worktree("alpha")
    if command != "run":
        alpha.claim("T-1")
        alpha.write("hello.txt", "hello\n")
    if command == "land":
        assert alpha.ralph("complete").code == 0
    world.write("task-graph.yaml", "tasks: [\n")
    world.commit("Break it")
    world.git("revert", "--no-edit", "HEAD")
    world.git("push", "--quiet", "origin", "main")
    world.git("update-ref", "refs/remotes/origin/main", "HEAD~1")
    assert world.ralph("next").code == 6
    words = ("--agent", "scripted", "--once", "--land", "merge") if command == "run" else ()
    done = alpha.ralph(command, *words)
    assert done.code == 0, done.err
