"""A base that nobody may push to: what people and loops change reaches it by pull request."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from forge import Forge
from test_loop import loop, made, task
from world import Place, Result, World

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
    story: S-1
  - id: T-2
    title: Second
    status: pending
  - id: T-3
    title: Third
    status: pending
"""
GH006 = "error: GH006: Protected branch update failed for refs/heads/main."
URL = "https://forge.example/acme/proj/pull/1"
BRANCHES = "refs/heads/ralph/records/"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit("Begin")
    return made


@pytest.fixture
def forge(world: World) -> Forge:
    """The world's remote lets nobody push to main, and merges pull requests."""
    assert world.origin
    protect(world)
    return Forge(world)


def protect(world: World) -> None:
    """Have the remote say what GitHub says of a protected main."""
    hook = world.origin.write(
        "hooks/update",
        f"#!/bin/sh\ntest \"$1\" = refs/heads/main || exit 0\necho '{GH006}' >&2; exit 1\n",
    )
    hook.chmod(0o755)


def push(world: World) -> None:
    """Bring the local main to the remote, past the rule."""
    world.origin.git("fetch", "--quiet", str(world.path), "+main:main")
    world.git("fetch", "--quiet", "origin")


def done(place: Place, *words: str, forge: Forge) -> Result:
    found = place.ralph(*words, env=forge.environ)
    assert found.code == 0, found.err
    return found


def on_remote(world: World) -> list[str]:
    """The branches of records that the remote has."""
    return world.origin.git("for-each-ref", "--format=%(refname:lstrip=2)", BRANCHES).split()


def attention(place: Place) -> list[str]:
    found = place.ralph("status", "--json").data["attention"]
    return [one["message"] for one in found if one["code"] == "records_in_review"]


def states(place: Place) -> dict[str, str]:
    tasks = place.ralph("list", "--json", "--all").data["tasks"]
    return {one["id"]: one["state"] for one in tasks}


def fetched(world: World) -> None:
    """Do what looks at the remote first, as most commands that write."""
    assert world.ralph("reset", "T-3", "--json").error == "not_claimed"


# -- what a person changes -----------------------------------------------------------------


def dead(world: World) -> None:
    """T-1 is claimed by alpha, which has gone; the base has the claim."""
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.commit("Claim")
    assert world.merge("alpha").code == 0
    push(world)


def blocked(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    assert alpha.ralph("block", "T-1", "--question", "Which port?").code == 0
    assert world.merge("alpha").code == 0
    push(world)


def finished(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.did("T-1", {"one.txt": "one\n"})
    assert world.merge("alpha").code == 0
    push(world)


def merged(world: World) -> None:
    """The work on T-1 is on the base, without a word of it in the records."""
    world.write("one.txt", "one\n")
    world.commit("One")
    push(world)


def edited(world: World) -> None:
    assert world.ralph("edit", "T-1", "--priority", "0").code == 0
    world.commit("T-1 is urgent")


def added(world: World) -> None:
    assert world.ralph("add", "--title", "Fourth").code == 0
    world.commit("A fourth task")


def archived(world: World) -> None:
    finished(world)
    assert world.ralph("archive", "T-1").code == 0


def claimed(world: World) -> None:
    world.claim("T-1")


#: What is so before, the command, what it says, and what T-1 is once it is merged.
ROWS: dict[str, tuple[Callable[[World], None], tuple[str, ...], str, str]] = {
    "reset": (
        dead, ("reset", "T-1", "--reason", "gone"),
        "T-1 becomes ready (epoch 1) when URL is merged: commit COMMIT on BRANCH", "ready",
    ),
    "reply": (
        blocked, ("reply", "T-1", "8080"),
        "T-1 is answered, and becomes ready (epoch 1) when URL is merged: "
        "commit COMMIT on BRANCH", "ready",
    ),
    "revert": (
        finished, ("revert", "T-1"),
        "T-1 of alpha is taken back when URL is merged: commit COMMIT on BRANCH, with 1 file "
        "besides the records", "ready",
    ),
    "complete --by": (
        merged, ("complete", "T-1", "--by", "HEAD"),
        "T-1 is complete when URL is merged: commit COMMIT on BRANCH, unverified", "complete",
    ),
    "edit": (edited, ("land", "--land", "merge"), "in review: T-1 edited URL", "ready"),
    "add": (added, ("land", "--land", "merge"), "in review: T-4 added URL", "ready"),
    "archive": (archived, ("land", "--land", "merge"), "in review: T-1 archived URL", "archived"),
    "block": (
        claimed, ("block", "T-1", "--question", "Which port?"),
        "T-1 is blocked for all when URL is merged: commit COMMIT on BRANCH", "blocked",
    ),
    "release": (
        claimed, ("release", "T-1"),
        "T-1 is given back for all when URL is merged: commit COMMIT on BRANCH", "ready",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_what_cannot_be_pushed_is_a_pull_request(name: str, world: World, forge: Forge) -> None:
    before, words, said, after = ROWS[name]
    before(world)
    tip = world.origin.git("rev-parse", "main")
    found = done(world, *words, forge=forge)
    (pull,) = forge.pulls
    (branch,) = on_remote(world)
    assert (pull["head"], pull["base"]) == (branch, "main")
    commit = world.origin.git("rev-parse", branch)
    said = said.replace("URL", URL).replace("COMMIT", commit[:12]).replace("BRANCH", branch)
    assert said in found.out.splitlines(), found.out
    assert GH006 in found.err
    # The local base is where its remote is, and nothing of the worktree is lost.
    assert world.head == world.git("rev-parse", "main") == world.git("rev-parse", "origin/main")
    assert world.origin.git("rev-parse", "main") == tip
    assert world.git("status", "--porcelain", "--untracked-files=no") == ""
    # Everybody sees it, and it is no work on the task.
    assert all(URL in one for one in attention(world)) and len(attention(world)) == 1
    assert URL in world.ralph("inbox").out
    assert world.ralph("check", f"origin/{branch}", "--base", "origin/main").code == 0
    # Merged, it is forgotten, and the local base follows.
    forge.merge(branch, "squash")
    fetched(world)
    assert (states(world).get("T-1", "archived"), attention(world), world.leases) == (after, [], [])
    assert world.head == world.git("rev-parse", "origin/main")
    assert world.git("branch", "--all", "--list", "*records*") == ""
    assert world.ralph("doctor").code == 0


@pytest.mark.parametrize("method", ["squash", "merge", "rebase"])
def test_everybody_converges(method: str, world: World, forge: Forge) -> None:
    """And what is done to the task later takes nothing back."""
    dead(world)
    beta = world.worktree("beta")
    done(world, *ROWS["reset"][1], forge=forge)
    refused = beta.ralph("claim", "T-1", "--json")
    assert (refused.code, refused.error) == (5, "claim_held")
    (branch,) = on_remote(world)
    forge.merge(branch, method)
    beta.claim("T-1")
    assert beta.task("T-1")["claim"]["by"] == "beta"
    assert world.git("rev-parse", "main") == world.git("rev-parse", "origin/main")
    assert attention(world) == []


def test_json_has_the_address(world: World, forge: Forge) -> None:
    dead(world)
    found = done(world, *ROWS["reset"][1], "--json", forge=forge)
    (branch,) = on_remote(world)
    commit = world.origin.git("rev-parse", branch)
    assert found.data["pushed"] is False
    assert found.data["commit"] == commit
    assert found.data["pull"] == {
        "branch": branch, "commit": commit, "url": URL, "title": "T-1: reset", "tasks": ["T-1"],
    }  # fmt: skip
    assert found.data["task"]["status"] == "in-progress"
    (asked,) = world.ralph("inbox", "--json").data["questions"]
    shown = world.ralph(*asked["command"].split()[1:])
    assert (shown.code, "resets T-1" in shown.out) == (0, True), shown
    assert any(GH006 in one for one in found.json["warnings"])


def test_what_is_pushed_has_no_pull_request(world: World) -> None:
    assert world.origin
    dead(world)
    found = world.ralph(*ROWS["reset"][1], "--json")
    assert (found.data["pushed"], found.data["pull"]) == (True, None)


# -- the setting ---------------------------------------------------------------------------


def test_a_base_that_is_not_pushed_to_at_all(world: World) -> None:
    assert world.origin
    forge = Forge(world)
    dead(world)
    world.git("config", "ralph.land.base", "pr")
    found = done(world, *ROWS["reset"][1], forge=forge)
    assert f"T-1 becomes ready (epoch 1) when {URL} is merged" in found.out
    assert GH006 not in found.err
    assert world.head == world.git("rev-parse", "origin/main")


def test_work_lands_by_pull_request_then(world: World) -> None:
    assert world.origin
    forge = Forge(world)
    world.git("config", "ralph.land.base", "pr")
    alpha = world.worktree("alpha")
    alpha.did("T-1", {"one.txt": "one\n"})
    done(alpha, "land", forge=forge)
    assert [pull["title"] for pull in forge.pulls] == ["T-1: First"]
    alpha.did("T-2", {"two.txt": "two\n"})
    refused = alpha.ralph("land", "--land", "merge", env=forge.environ)
    assert (refused.code, 'land.base is "pr"' in refused.err) == (2, True)


# -- without a forge's program -------------------------------------------------------------


def test_without_a_program_the_branch_is_pushed_and_the_rest_said(world: World) -> None:
    assert world.origin
    protect(world)
    dead(world)
    found = world.ralph(*ROWS["reset"][1], env={"RALPH_LAND_VIA": "none"})
    assert found.code == 0, found.err
    (branch,) = on_remote(world)
    assert found.out.startswith(
        f"T-1 becomes ready (epoch 1) when a pull request from {branch} into main is merged: "
    )
    assert f"{branch} is pushed to origin; nothing here opens pull requests: open one" in found.err
    assert any(branch in one for one in attention(world))


def test_a_remote_that_lets_nothing_in(world: World) -> None:
    hook = world.origin.write("hooks/pre-receive", f"#!/bin/sh\necho '{GH006}' >&2; exit 1\n")
    hook.chmod(0o755)
    dead(world)
    tip = world.head
    found = world.ralph(*ROWS["reset"][1])
    assert found.code == 1
    assert found.err.count(GH006) >= 1
    assert world.head == world.git("rev-parse", "origin/main") == tip
    assert attention(world) == []
    assert on_remote(world) == []


# -- a second change -----------------------------------------------------------------------


def test_the_same_again_is_the_same_pull_request(world: World, forge: Forge) -> None:
    dead(world)
    first = done(world, *ROWS["reset"][1], forge=forge)
    second = done(world, *ROWS["reset"][1], forge=forge)
    assert second.out.splitlines()[0] == first.out.splitlines()[0]
    assert "is in review already" in second.err
    assert len(forge.pulls) == len(on_remote(world)) == 1


@pytest.mark.slow
def test_another_change_to_the_task_waits(world: World, forge: Forge) -> None:
    dead(world)
    done(world, *ROWS["reset"][1], forge=forge)
    refused = world.ralph("reset", "T-1", "--reason", "another", env=forge.environ)
    assert refused.code == 8
    assert f"a change of T-1 is in review: T-1: reset ({URL}); this one was not made" in refused.err
    assert len(on_remote(world)) == 1
    # Closed, it is in nobody's way.
    (branch,) = on_remote(world)
    forge.close(branch)
    found = done(world, "reset", "T-1", "--reason", "another", forge=forge)
    assert "when https://forge.example/acme/proj/pull/2 is merged" in found.out
    assert len(attention(world)) == 1


def test_a_note_by_a_worker_has_git_ask_no_remote_of_its_own(world: World) -> None:
    called = world.folder / "called"
    helper = world.folder / "helpers" / "git-remote-evil"
    helper.parent.mkdir()
    helper.write_text(f"#!/bin/sh\ntouch {called}\n")
    helper.chmod(0o755)
    world.write("else.txt", "x\n")
    other = world.commit("Else")
    world.git("reset", "-q", "--hard", "HEAD~")
    note = world.path / ".git/ralphgit/in-review/evil.yaml"
    note.parent.mkdir(parents=True)
    note.write_text(
        f"version: 1\nbranch: ralph/records/evil\ncommit: {other}\ntitle: x\n"
        "tasks: [T-1]\nurl: ''\nremote: 'evil::x'\n"
    )
    env = {"PATH": f"{helper.parent}:{world.environ['PATH']}"}
    assert world.ralph("status", "--fetch", env=env).code == 0
    assert "in review" not in world.ralph("status", env=env).out
    assert not called.exists()


def test_a_branch_that_is_gone_is_in_nobodys_way(world: World, forge: Forge) -> None:
    dead(world)
    done(world, *ROWS["reset"][1], forge=forge)
    (branch,) = on_remote(world)
    world.origin.git("branch", "-D", branch)
    fetched(world)
    assert attention(world) == []
    assert world.git("branch", "--all", "--list", "*records*") == ""


@pytest.mark.slow
def test_other_tasks_have_pull_requests_of_their_own(world: World, forge: Forge) -> None:
    dead(world)
    beta = world.worktree("beta")
    beta.claim("T-2")
    beta.commit("Claim")
    done(world, *ROWS["reset"][1], forge=forge)
    done(world, "reset", "T-2", "--reason", "gone", "--force", forge=forge)
    assert len(attention(world)) == 2
    for branch in on_remote(world):
        forge.merge(branch, "squash")
    fetched(world)
    assert attention(world) == []
    assert states(world) == {"T-1": "ready", "T-2": "ready", "T-3": "ready"}


def test_more_on_the_same_branch_goes_into_the_same_pull_request(
    world: World, forge: Forge
) -> None:
    alpha = world.worktree("alpha")
    alpha.ralph("edit", "T-1", "--priority", "0")
    alpha.commit("T-1 is urgent")
    done(alpha, "land", forge=forge)
    (branch,) = on_remote(world)
    assert world.git("rev-parse", f"refs/heads/{branch}")
    beta = world.worktree("beta", at=branch)
    beta.ralph("edit", "T-1", "--priority", "1")
    beta.commit("Not that urgent")
    done(beta, "land", forge=forge)
    assert on_remote(world) == [branch]
    assert len(forge.pulls) == 1
    forge.merge(branch, "squash")
    assert "priority: 1" in world.origin.git("show", "main:task-graph.yaml")
    fetched(world)
    assert attention(world) == []


def test_killed_after_the_push_it_opens_one(world: World, forge: Forge) -> None:
    dead(world)
    forge.breaks("create", "GraphQL: something went wrong\n")
    failed = world.ralph(*ROWS["reset"][1], env=forge.environ)
    assert failed.code == 1
    assert "the branch is pushed and nothing is lost" in failed.err
    assert world.head == world.git("rev-parse", "origin/main")
    forge.mends("create")
    done(world, *ROWS["reset"][1], forge=forge)
    assert len(forge.pulls) == len(on_remote(world)) == 1


# -- what a claim map sees -----------------------------------------------------------------


def test_a_branch_of_records_is_no_work_on_other_tasks(world: World, forge: Forge) -> None:
    """It has the claims of its base for ever; what becomes of them there is no loss of theirs."""
    dead(world)
    beta = world.worktree("beta")
    beta.claim("T-2")
    done(world, "reset", "T-2", "--reason", "not now", "--force", forge=forge)
    push_reset(world, "T-1")
    told = world.ralph("status", "--json").data["attention"]
    assert [one["code"] for one in told if one["task"] == "T-1"] == []
    assert states(world)["T-1"] == "ready"


def push_reset(world: World, task: str) -> None:
    """Somebody resets a task who may push."""
    hook = world.origin.path / "hooks" / "update"
    text = hook.read_text()
    hook.unlink()
    assert world.ralph("reset", task, "--reason", "gone").code == 0
    hook.write_text(text)
    hook.chmod(0o755)


# -- loops, and work -----------------------------------------------------------------------

ASKS = "{report: {status: needs_context, question: 'Which port?'}}"


def protected(folder: Path, *tasks: str) -> Place:
    alpha = made(folder, *tasks)
    protect(alpha.world)
    return alpha


@pytest.mark.slow
def test_a_loop_brings_a_block_there(tmp_path: Path) -> None:
    """And goes on; what was asked is answered the same way."""
    alpha = protected(tmp_path, task("T-1", script=ASKS), task("T-2", script=ASKS))
    world = alpha.world
    forge = Forge(world)
    ran = loop(alpha, env=forge.environ)
    assert (ran.code, {*ran.out.splitlines()[0].split()}) == (7, {"blocked:", "T-1", "T-2"})
    titles = {"Records: T-1 blocked", "Records: T-2 blocked"}
    assert {pull["title"] for pull in forge.pulls} == titles
    assert f"is in review: {URL}" in ran.err
    assert "stays here" not in ran.err
    for branch in on_remote(world):
        assert world.ralph("check", f"origin/{branch}", "--base", "origin/main").code == 0
        forge.merge(branch, "squash")
    done(world, "reply", "T-1", "8080", forge=forge)
    (left,) = on_remote(world)
    forge.merge(left, "squash")
    fetched_by(alpha)
    assert states(world) == {"T-1": "ready", "T-2": "blocked"}
    assert attention(world) == []
    assert world.head == world.git("rev-parse", "origin/main")


def fetched_by(place: Place) -> None:
    assert place.ralph("claim", "T-2", "--json").error == "blocked"


@pytest.mark.slow
def test_work_of_a_loop_is_a_pull_request_then(tmp_path: Path) -> None:
    """Where nobody has said how it lands, and no program tells a forge."""
    alpha = protected(tmp_path, task("T-1", "outputs: [one.txt]"), task("T-2", "outputs: [b.txt]"))
    ran = loop(alpha, "--land", "auto", env={"RALPH_LAND_VIA": "none"})
    assert ran.code == 0, ran.err
    assert {*ran.out.splitlines()[0].split()} == {"done:", "T-1", "T-2"}
    assert ran.err.count("GH006") == 1
    assert "work lands by pull request from now on" in ran.err
    assert states(alpha) == {"T-1": "in-review", "T-2": "in-review"}
    there = alpha.world.origin.git("for-each-ref", "--format=%(refname:lstrip=3)", "refs/heads")
    assert [name[:4] for name in there.split()] == ["T-1-", "T-2-"]


def test_work_that_is_landed_by_hand_is_one_too(world: World) -> None:
    assert world.origin
    protect(world)
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write("one.txt", "one\n")
    found = alpha.ralph("complete", "--land", "--json", env={"RALPH_LAND_VIA": "none"})
    assert found.code == 0, found.out
    assert found.data["landed"]["way"] == "pr"
    assert any(GH006 in one for one in found.json["warnings"])
    assert world.git("rev-parse", "main") == world.git("rev-parse", "origin/main")
    assert world.task("T-1")["state"] == "in-review"


def test_work_on_main_itself_leaves_no_local_base_ahead(world: World) -> None:
    assert world.origin
    protect(world)
    world.claim("T-1")
    world.write("one.txt", "one\n")
    found = world.ralph("complete", "--land", env={"RALPH_LAND_VIA": "none"})
    assert found.code == 0, found.err
    assert world.head == world.git("rev-parse", "origin/main")
    assert world.task("T-1")["state"] == "in-review"


# -- what earlier versions left ------------------------------------------------------------


def left_ahead(world: World) -> str:
    """Reset T-1 on the local main alone, as earlier versions did; its commit."""
    dead(world)
    assert world.ralph("reset", "T-1", "--reason", "gone", "--no-push").code == 0
    return world.head


def findings(place: Place, *words: str) -> list[tuple[str, bool, str]]:
    told = place.ralph("doctor", "--json", *words).data["findings"]
    found = [(one["code"], one["fixed"], one["message"]) for one in told]
    return [one for one in found if one[0] == "diverged_base"]


def test_a_local_base_that_diverged_by_records_is_brought_back(world: World, forge: Forge) -> None:
    mine = left_ahead(world)
    world.git("push", "--quiet", "origin", "main:fix")
    forge.merge("fix", "squash")
    world.git("fetch", "--quiet", "origin")
    said = "the local main and origin/main have diverged by 1 commit of records"
    assert findings(world) == [("diverged_base", False, said)]
    world.write("scratch.txt", "mine\n")
    told = findings(world, "--fix")
    assert told == [("diverged_base", True, f"{said}; origin/main has what they did")]
    assert world.head == world.git("rev-parse", "origin/main") != mine
    assert world.read("scratch.txt") == "mine\n"
    assert world.git("branch", "--list", "ralph/*") == ""
    assert findings(world) == []
    world.worktree("beta").claim("T-1")


def test_what_its_remote_has_not_is_kept(world: World, forge: Forge) -> None:
    mine = left_ahead(world)
    tip = forge.git("rev-parse", "main")
    forge.git("update-ref", "refs/heads/main", forge.commit(tip, "Something else"))
    world.git("fetch", "--quiet", "origin")
    ((code, fixed, message),) = findings(world, "--fix")
    branch = f"ralph/records/main-{mine[:8]}"
    assert (code, fixed) == ("diverged_base", True)
    assert message.endswith(
        f"; they are on {branch}, and come to the base by: ralphgit land {branch}"
    )
    assert world.head == world.git("rev-parse", "origin/main")
    assert world.git("rev-parse", branch) == mine
    done(world, "land", branch, "--land", "merge", forge=forge)
    (there,) = on_remote(world)
    forge.merge(there, "squash")
    fetched(world)
    assert states(world)["T-1"] == "ready"
    assert world.git("branch", "--all", "--list", "*records*") == ""


def test_work_on_a_local_base_is_named_and_left(world: World, forge: Forge) -> None:
    left_ahead(world)
    world.write("one.txt", "one\n")
    mine = world.commit("Some work")
    tip = forge.git("rev-parse", "main")
    forge.git("update-ref", "refs/heads/main", forge.commit(tip, "Something else"))
    world.git("fetch", "--quiet", "origin")
    ((code, fixed, message),) = findings(world, "--fix")
    assert (code, fixed) == ("diverged_base", False)
    assert message.endswith(f"diverged, and not by records alone: {mine[:7]} Some work")
    assert world.head == mine


def test_an_old_local_base_that_is_only_ahead_lands(world: World, forge: Forge) -> None:
    left_ahead(world)
    assert findings(world) == []
    found = done(world, "land", "--land", "merge", forge=forge)
    assert f"in review: T-1 given back {URL}" in found.out
    assert world.head == world.git("rev-parse", "origin/main")


# -- what is integrated --------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("command", ["land", "integrate"])
def test_what_was_integrated_is_in_review(command: str, world: World, forge: Forge) -> None:
    for number, name in enumerate(("alpha", "beta"), 1):
        world.worktree(name).did(f"T-{number}", {f"{name}.txt": "text\n"})
    words = ("land", "--all") if command == "land" else ("integrate", "alpha", "beta")
    env = {**forge.environ, "RALPH_LAND_MODE": "merge"}
    found = world.ralph(*words, "--json", env=env)
    assert found.code == 0, found.out
    (branch,) = on_remote(world)
    assert (found.data["commit"], found.data["pushed"]) == (None, False)
    told = [(one["branch"], one["pushed_as"], one["url"]) for one in found.data["pulls"]]
    assert told == [("alpha", branch, URL), ("beta", branch, URL)]
    again = world.ralph(*words, env=env)
    assert again.code == 0, again.err
    assert f"in review: alpha, beta {URL}" in again.out.splitlines()
    assert world.head == world.git("rev-parse", "origin/main")
    assert states(world) == {"T-1": "in-review", "T-2": "in-review", "T-3": "ready"}
    assert world.ralph("check", f"origin/{branch}", "--base", "origin/main").code == 0
    forge.merge(branch, "merge")
    fetched(world)
    assert states(world) == {"T-1": "complete", "T-2": "complete", "T-3": "ready"}
    assert (world.leases, attention(world)) == ([], [])


# -- who else sees it ----------------------------------------------------------------------


def test_what_is_answered_is_no_question_any_more(world: World, forge: Forge) -> None:
    blocked(world)
    done(world, "reply", "T-1", "8080", forge=forge)
    asked = world.ralph("inbox", "--json").data["questions"]
    assert [(one["task"], one["reason"]) for one in asked] == [("T-1", "records_in_review")]
    told = world.ralph("status", "--json").data["attention"]
    assert [one["code"] for one in told] == ["records_in_review"]


@pytest.mark.parametrize("how", ["reply", "reset"])
def test_what_waits_to_be_merged_is_named_where_nothing_can_be_claimed(
    how: str, world: World, forge: Forge
) -> None:
    begin, words, _, _ = ROWS[how]
    begin(world)
    done(world, *words, forge=forge)
    (commit,) = world.origin.git("for-each-ref", "--format=%(objectname)", BRANCHES).split()
    shows, waits = f"ralphgit diff {commit[:12]}", f"is in review; it counts when {URL} is merged"
    beta = world.worktree("beta")
    hint = {"reply": shows, "reset": "ralphgit next"}[how]
    assert beta.ralph("claim", "T-1", "--json").json["error"]["hint"] == hint
    (line,) = beta.ralph("claim", "T-1").err.splitlines()[1:-1]
    assert line.endswith(waits)
    for command in ("next", "claim"):
        (need,) = beta.ralph(command, "--story", "S-1", "--json").json["error"]["needs"]
        assert (need["reason"], need["hint"]) == ("records_in_review", shows)
        assert need["message"].endswith(waits)
    assert world.ralph("diff", commit[:12]).code == 0


def test_another_clone_sees_what_it_has_fetched(world: World, forge: Forge) -> None:
    dead(world)
    done(world, *ROWS["reset"][1], forge=forge)
    (branch,) = on_remote(world)
    other = world.clone("other")
    (said,) = attention(other)
    assert said.startswith(f"T-1: reset is in review; it counts when a pull request from {branch}")
    refused = other.ralph("reset", "T-1", "--reason", "again", env=forge.environ)
    assert (refused.code, f"T-1: reset ({branch})" in refused.err) == (8, True)
    forge.merge(branch, "squash")
    other.claim("T-1")
    assert attention(other) == []
    assert other.git("branch", "--all", "--list", "*records*") == ""


def test_from_a_fork_it_stays_noted_until_it_is_merged(world: World, forge: Forge) -> None:
    world.git("init", "--quiet", "--bare", "../fork.git")
    world.git("remote", "add", "fork", str(world.folder / "fork.git"))
    world.git("config", "remote.pushDefault", "fork")
    dead(world)
    found = world.ralph(*ROWS["reset"][1], env={"RALPH_LAND_VIA": "none"})
    assert found.code == 0, found.err
    assert on_remote(world) == []
    pushed = world.git("ls-remote", "fork", "refs/heads/ralph/records/*").split()
    assert pushed[0] == world.git("rev-parse", "--verify", f"fork/{pushed[1][11:]}")
    fetched(world)
    assert len(attention(world)) == 1
    world.git("push", "--quiet", "fork", f":{pushed[1]}")
    fetched(world)
    assert attention(world) == []


def test_a_question_that_only_a_branch_has_is_answered(world: World, forge: Forge) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    assert alpha.ralph("block", "T-1", "--question", "Which port?").code == 0
    done(world, "reply", "T-1", "8080", forge=forge)
    (branch,) = on_remote(world)
    assert world.ralph("check", f"origin/{branch}", "--base", "origin/main").code == 0
    assert states(world)["T-1"] == "blocked"
    forge.merge(branch, "squash")
    fetched(world)
    assert states(world)["T-1"] == "ready"


def test_what_is_in_the_way_leaves_the_local_base_and_says_so(world: World, forge: Forge) -> None:
    world.claim("T-1")
    world.replace("title: Third", "title: Third, changed")
    found = done(world, "block", "T-1", "--question", "Which port?", forge=forge)
    assert f"T-1 is blocked for all when {URL} is merged" in found.out
    assert "the local main is still ahead of origin/main: uncommitted changes" in found.err
    assert "title: Third, changed" in world.read()


def test_without_a_push_there_is_no_pull_request(world: World) -> None:
    assert world.origin
    dead(world)
    world.git("config", "ralph.land.base", "pr")
    refused = world.ralph("reset", "T-1", "--no-push", "--reason", "gone", "--json")
    assert (refused.code, refused.error) == (8, "no_push")
    assert world.head == world.git("rev-parse", "origin/main")


# -- killed, and other ways to open one ----------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["list", "create"])
def test_killed_in_between_the_same_again_ends_it(verb: str, world: World, forge: Forge) -> None:
    dead(world)
    forge.kills(verb)
    line = (sys.executable, "-m", "ralphgit", *ROWS["reset"][1])
    assert world.run(*line, env=forge.environ).code == -9
    (branch,) = on_remote(world)
    assert any(branch in one for one in attention(world))
    assert world.head == world.git("rev-parse", "origin/main")
    done(world, *ROWS["reset"][1], forge=forge)
    assert [pull["head"] for pull in forge.pulls] == on_remote(world) == [branch]


def test_push_options_open_it(world: World) -> None:
    assert world.origin
    protect(world)
    world.origin.git("config", "receive.advertisePushOptions", "true")
    hook = world.origin.write(
        "hooks/post-receive", '#!/bin/sh\necho "$GIT_PUSH_OPTION_0 $GIT_PUSH_OPTION_2" > ../told\n'
        "echo View merge request: https://gitlab.example/a/b/-/merge_requests/7\n",
    )  # fmt: skip
    hook.chmod(0o755)
    dead(world)
    found = world.ralph(*ROWS["reset"][1], env={"RALPH_LAND_VIA": "push-options"})
    assert found.code == 0, found.err
    said = "merge_request.create merge_request.title=T-1: reset\n"
    assert (world.folder / "told").read_text() == said
    address = "https://gitlab.example/a/b/-/merge_requests/7"
    assert f"T-1 becomes ready (epoch 1) when {address} is merged" in found.out


def test_a_forge_that_merges_by_itself(world: World, forge: Forge) -> None:
    """Then the same command's next fetch has it."""
    dead(world)
    env = {**forge.environ, "RALPH_LAND_AUTO_MERGE": "always"}
    found = world.ralph(*ROWS["reset"][1], env=env)
    assert found.code == 0, found.err
    fetched(world)
    assert (states(world)["T-1"], attention(world), world.leases) == ("ready", [], [])
