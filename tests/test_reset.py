"""`reset`: what a dead worker held is free again, its work is kept, its late "done" is no more."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import ryaml
from world import Place, Result, World

from ralphgit.app.workspace import heartbeat

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending  # a comment
    priority: 0
  - id: T-2
    title: Second
    status: pending
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.write(".gitignore", "*.log\n")
    made.commit("Begin")
    return made


def at_work(place: Place, task: str = "T-1", **env: str) -> str:
    """Claim a task; the claim's id."""
    result = place.ralph("claim", task, "--json", env=env)
    assert result.code == 0, result.out
    return str(result.data["task"]["claim"]["id"])


def resets(place: Place, *words: str) -> Result:
    """`reset WORDS --reason gone --json`."""
    return place.ralph("reset", *words, "--reason", "gone", "--json")


def refs(place: Place, below: str) -> list[str]:
    return place.git("for-each-ref", "--format=%(refname)", f"refs/ralph/{below}").splitlines()


#: What git and we keep of a move.
SCRATCH = ("/ORIG_HEAD", "/COMMIT_EDITMSG", "/ralphgit/move-of-the-base/")


def refused(place: Place, *words: str, code: str, exit: int = 8) -> dict[str, Any]:
    line = ("reset", *words, "--reason", "gone")
    return place.refused(*line, code=code, exit=exit, but=SCRATCH)


def files_of(world: World, place: Place) -> dict[str, bytes]:
    """A worktree's files, index and HEAD."""
    folders = (place.path.name, f"proj/.git/worktrees/{place.path.name}")
    return {name: data for name, data in world.snapshot().items() if name.startswith(folders)}


# -- what it does ------------------------------------------------------------------------


@pytest.mark.parametrize("landed", [False, True], ids=["base never saw it", "base has the claim"])
def test_a_reset(world: World, landed: bool) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    alpha.write("committed", "one\n")
    alpha.commit("Half of it")
    if landed:
        assert world.merge("alpha").code == 0
    alpha.write("committed", "two\n")
    alpha.write("later", "x\n")
    alpha.commit("More of it")
    alpha.write("committed", "three\n")
    alpha.write("staged", "x\n")
    alpha.git("add", "staged")
    alpha.write("new/file", "x\n")
    alpha.write("ignored.log", "x\n")
    theirs, tip = files_of(world, alpha), world.head
    world.write("unrelated", "the user's own\n")

    result = resets(world, "T-1")
    assert (result.code, result.err, result.json["warnings"]) == (0, "", [])
    rescue = f"refs/ralph/rescue/T-1/{claim}"
    told = result.data["task"]
    assert {key: told.get(key) for key in ("status", "state", "epoch", "claim", "holder")} == {
        "status": "pending",
        "state": "ready",
        "epoch": 1,
        "claim": None,
        "holder": None,
    }
    assert told["reset"] == {
        "id": told["reset"]["id"],
        "claim": claim,
        "by": "Ann Author",
        "at": told["reset"]["at"],
        "reason": "gone",
    }
    assert {key: value for key, value in result.data.items() if key != "task"} == {
        "rescued": [rescue],
        "claim": claim,
        "commit": world.head,
        "pushed": False,
        "pull": None,
    }
    # On the base: one commit, of the task's lines and the attempt's audit.
    assert world.git("rev-parse", "HEAD~1") == tip
    assert world.git("status", "--porcelain") == "?? unrelated"
    audit = f"records/audit/T-1/{claim}.yaml"
    assert world.git("show", "--format=", "--name-only").splitlines() == [audit, "task-graph.yaml"]
    assert world.git("log", "-1", "--format=%B") == (
        f"T-1: reset\n\ngone\n\nRalph-Task: T-1\nRalph-Claim: {claim}\nRalph-Worker: Ann Author\n"
    )
    events = ryaml.loads(world.read(audit))["events"]
    assert {**events[-1], "at": ""} == {
        "at": "",
        "event": "reset",
        "by": "Ann Author",
        "from": "in-progress" if landed else "pending",
        "to": "pending",
        "note": "gone",
    }
    assert "    status: pending  # a comment\n    reset:\n" in world.read()
    assert world.read().endswith(GRAPH[GRAPH.index("    priority: 0") :])
    # What was done is kept, and the dead worker's worktree is as it was.
    kept = world.git("ls-tree", "-r", "--name-only", rescue).splitlines()
    assert {"committed", "later", "staged", "new/file"} <= set(kept)
    assert "ignored.log" not in kept
    assert world.git("show", f"{rescue}:committed") == "three"
    assert world.git("rev-parse", f"{rescue}~1") == alpha.head
    assert files_of(world, alpha) == theirs
    assert refs(world, "leases") == []
    # It is free, and only for those who know of the reset.
    assert world.ralph("next", "--json").data["tasks"][0]["id"] == "T-1"
    assert world.ralph("check", "--json").data["problems"] == []
    beta = world.worktree("beta")
    assert at_work(beta) != claim
    assert beta.task("T-1")["epoch"] == 1


def test_in_words(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    result = world.ralph("reset", "T-1", "--reason", "it\nis gone")
    assert result == Result(
        0,
        f"T-1 is ready again (epoch 1), commit {world.head[:12]} on main\n"
        f"Kept: refs/ralph/rescue/T-1/{claim}\n",
        "",
    )
    assert "\n\nit is gone\n\n" in world.git("log", "-1", "--format=%B")


def test_a_reason_may_be_left_out(world: World) -> None:
    alpha = world.worktree("alpha")
    at_work(alpha)
    assert world.ralph("reset", "--reason", "x").code == 2
    error = alpha.refused("reset", "T-1", code="linked_worktree", but=SCRATCH)
    assert error["hint"].endswith(" reset T-1")
    assert "your own claim you give back by: ralphgit release T-1" in error["message"]
    found = world.ralph("reset", "T-1", "--json")
    assert found.data["task"]["reset"]["reason"] == "no reason given"
    again = world.ralph("reset", "T-1", "--reason", " ", "--json")
    assert (again.code, again.data["commit"]) == (0, found.data["commit"])


def test_from_the_main_worktree_alone(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    at_work(alpha)
    for place in (alpha, beta):
        error = refused(place, "T-1", code="linked_worktree")
        assert error["hint"].startswith(f"ralphgit -C {world.path} reset T-1 --reason ")


def test_nothing_to_reset(world: World) -> None:
    error = refused(world, "T-1", code="not_claimed")
    assert error["message"] == "no worker holds T-1: it is ready"
    refused(world, "T-9", code="unknown_task", exit=2)


def test_an_empty_handed_holder_leaves_no_rescue(world: World) -> None:
    alpha = world.worktree("alpha")
    at_work(alpha)
    alpha.git("reset", "--quiet", "--hard")
    result = world.ralph("reset", "T-1", "--reason", "gone")
    assert result.out.splitlines()[1] == "There was no work to keep."
    assert refs(world, "rescue") == refs(world, "leases") == []


@pytest.mark.parametrize("how", ["detached", "merging"])
def test_a_worktree_in_an_odd_state_is_kept_too(world: World, how: str) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    world.write("a", "base\n")
    world.commit()
    alpha.write("a", "mine\n")
    if how == "detached":
        alpha.git("switch", "--quiet", "--detach")
    alpha.commit("Half of it")
    if how == "merging":
        assert alpha.merge("main").code == 1
    theirs = files_of(world, alpha)
    assert resets(world, "T-1").data["rescued"] == [f"refs/ralph/rescue/T-1/{claim}"]
    assert "mine" in world.git("show", f"refs/ralph/rescue/T-1/{claim}:a")
    assert files_of(world, alpha) == theirs


def test_two_holders_are_both_kept(world: World) -> None:
    world.git("config", "ralph.lease", "off")
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    claims = [at_work(alpha), at_work(beta)]
    for place in (alpha, beta):
        place.write("mine", f"{place.path.name}\n")
    result = resets(world, "T-1")
    assert sorted(result.data["rescued"]) == sorted(
        f"refs/ralph/rescue/T-1/{claim}" for claim in claims
    )
    kept = {world.git("show", f"{name}:mine") for name in result.data["rescued"]}
    assert kept == {"proj-alpha", "proj-beta"}


@pytest.mark.parametrize("there", ["", "onbranch:main"])
def test_the_commit_on_the_base_is_the_user_s(world: World, there: str) -> None:
    """By the identity that git has in the main worktree, and whole; with a rescue or without."""
    alpha = world.worktree("alpha")
    at_work(alpha)
    alpha.write("mine", "work\n")
    named = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    plain = {key: value for key, value in world.environ.items() if key not in named}
    world.git("config", "user.name", "Worker")
    world.git("config", "user.email", "worker@example.com")
    if there:
        (world.path / ".git" / "more").write_text("[user]\n\tname = Lead\n")
        world.git("config", f"includeIf.{there}.path", "more")
    result = resets(Place(world.path, plain, world), "T-1")
    who = "--format=%an <%ae>, %cn <%ce>, %as %cs"
    date = "2026-11-21 2026-11-21"
    mail = "<worker@example.com>"
    (kept,) = result.data["rescued"]
    assert world.git("log", "-1", who, kept) == f"Worker {mail}, Worker {mail}, {date}"
    lead = "Lead" if there else "Worker"
    assert world.git("log", "-1", who, "main") == f"{lead} {mail}, {lead} {mail}, {date}"
    world.git("fsck", "--strict", "--no-dangling")


def test_nobody_resets_or_commits_without_an_identity(world: World) -> None:
    """No name is made up on a branch, and what is refused names git's settings."""
    alpha = world.worktree("alpha")
    at_work(alpha)
    world.git("config", "user.useConfigOnly", "true")
    for place, words in {
        world: ("reset", "T-1", "--force"),
        alpha: ("block", "--question", "Which?"),
    }.items():
        plain = {k: v for k, v in place.environ.items() if not k.startswith(("GIT_AU", "GIT_COM"))}
        error = Place(place.path, plain, world).refused(*words, code="no_identity", exit=7)
        assert "git config --global user.email EMAIL" in error["hint"]


def test_a_rescue_is_made_once(world: World) -> None:
    """As when it was killed after keeping the work: repeating ends the same."""
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    alpha.write("a", "x\n")
    world.replace("title: Second", "title: Second, not committed")
    assert resets(world, "T-1").error == "dirty_base"
    world.git("checkout", "--quiet", "task-graph.yaml")
    assert resets(world, "T-1").data["rescued"] == [f"refs/ralph/rescue/T-1/{claim}"]
    assert refs(world, "rescue") == [f"refs/ralph/rescue/T-1/{claim}"]


def test_a_blocked_task(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    alpha.ralph("block", "--question", "which?")
    world.merge("alpha")
    result = resets(world, "T-1")
    assert (result.code, result.data["claim"]) == (0, claim)
    assert "blocked" not in result.data["task"]


def test_the_main_worktree_s_own_claim(world: World) -> None:
    """A single worker died in the main worktree: its record would stand in the reset's way."""
    claim = at_work(world)
    world.write("work", "x\n")
    result = resets(world, "T-1")
    assert (result.code, result.data["rescued"]) == (0, [f"refs/ralph/rescue/T-1/{claim}"])
    assert world.git("status", "--porcelain") == "?? work"
    assert world.git("show", f"refs/ralph/rescue/T-1/{claim}:work") == "x"
    assert at_work(world) != claim


# -- who may be reset --------------------------------------------------------------------


def test_a_claim_can_be_insisted_on(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    error = refused(world, "T-1", "--claim", "g000000000", code="claim_changed", exit=5)
    assert error["message"] == f"T-1 is not held by claim g000000000 but by {claim} (alpha)"
    assert resets(world, "T-1", "--claim", claim).code == 0
    done_already(world, claim, "--claim", claim)
    error = refused(world, "T-1", "--claim", "g000000000", code="claim_changed", exit=5)
    assert error["message"] == "T-1 is not held by claim g000000000"


def beat(place: Place, **fields: Any) -> None:
    """Leave a heartbeat of this test's own process."""
    pid = os.getpid()
    alive = heartbeat.Heartbeat(
        pid=pid,
        started=heartbeat.start_time(pid),
        boot=heartbeat.boot_id(),
        host=heartbeat.host(),
        worker="alpha",
        task="T-1",
        claim="",
        phase="agent",
        time=time.time(),
    )
    heartbeat.write(str(place.path), alive._replace(**fields))


def test_a_living_holder_is_left_alone(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    beat(alpha, claim=claim)
    error = refused(world, "T-1", code="holder_alive")
    assert error["message"] == (f"alpha is alive in worktree ../proj-alpha (process {os.getpid()})")
    assert error["hint"] == "stop it first, or add --force (the audit records it)"
    result = resets(world, "T-1", "--force")
    assert result.code == 0
    events = ryaml.loads(world.read(f"records/audit/T-1/{claim}.yaml"))["events"]
    assert events[-1]["note"] == "gone (forced)"


@pytest.mark.parametrize(
    "fields",
    [
        {"time": 1.0},
        {"started": "1"},
        {"boot": "another boot"},
        {"pid": 2**22 + 1},
        {"claim": "g000000000"},
        {"host": "elsewhere", "time": 1.0},
    ],
    ids=["silent", "another process", "another boot", "no process", "another claim", "far away"],
)
def test_a_dead_holder_s_heartbeat_does_not_keep_it(world: World, fields: dict[str, Any]) -> None:
    alpha = world.worktree("alpha")
    beat(alpha, **{"claim": at_work(alpha), **fields})
    assert resets(world, "T-1").code == 0


@pytest.mark.parametrize("pruned", [False, True])
def test_a_holder_whose_folder_is_gone(world: World, pruned: bool) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    alpha.write("a", "x\n")
    tip = alpha.commit("Half of it")
    shutil.rmtree(alpha.path)
    if pruned:
        world.git("worktree", "prune")
    task = world.task("T-1")
    assert (task["state"], task["stale"]) == ("in-progress", True)
    assert task["holder"]["worker"] == "alpha"
    status = world.ralph("status").out.splitlines()
    assert status[1] == '  ralphgit reset T-1 --reason "TEXT"'
    assert resets(world, "T-1").data["rescued"] == [f"refs/ralph/rescue/T-1/{claim}"]
    assert world.git("rev-parse", f"refs/ralph/rescue/T-1/{claim}") == tip
    assert world.git("rev-parse", "alpha") == tip


def test_finished_work_waits_to_land(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    alpha.write("a", "x\n")
    alpha.complete()
    error = refused(world, "T-1", code="in_review")
    assert error["message"] == (
        "T-1 is complete in worktree ../proj-alpha (branch alpha) and waits to land"
    )
    assert resets(world, "T-1", "--force").data["rescued"] == [f"refs/ralph/rescue/T-1/{claim}"]


@pytest.mark.parametrize("status", ["complete", "cancelled"])
def test_a_finished_task_is_reopened(world: World, status: str) -> None:
    claim = ""
    if status == "complete":
        claim = at_work(world)
        world.write("a", "x\n")
        world.complete()
    else:
        assert world.ralph("edit", "T-1", "--cancel", "no need").code == 0
        world.commit()
    error = refused(world, "T-1", code="illegal_move")
    assert error["message"] == f"T-1 is {status}"
    assert error["hint"] == "ralphgit reset T-1 --reopen --reason TEXT"
    result = resets(world, "T-1", "--reopen")
    task = result.data["task"]
    assert (task["state"], task["epoch"], task["reset"].get("claim", "")) == ("ready", 1, claim)
    assert result.data["rescued"] == []
    assert world.ralph("check", "--json").data["problems"] == []
    done_already(world, claim, "--reopen")
    again = world.ralph("reset", "T-1", "--reopen", "--reason", "another", "--json")
    assert (again.code, again.error) == (8, "illegal_move")
    assert again.json["error"]["message"] == "T-1 is pending, so there is nothing to reopen"


# -- where it is committed ---------------------------------------------------------------


def test_the_user_s_edits_are_not_lost(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    world.replace("title: Second", "title: Second, edited")
    tip, lease = world.head, world.git("rev-parse", "refs/ralph/leases/T-1")
    result = resets(world, "T-1")
    assert (result.code, result.error) == (8, "dirty_base")
    assert result.json["error"]["hint"] == "commit or stash them, then repeat"
    assert "title: Second, edited" in world.read()
    assert world.git("status", "--porcelain") == " M task-graph.yaml"
    assert (world.head, world.git("rev-parse", "refs/ralph/leases/T-1")) == (tip, lease)
    # All that it has done is to keep the work.
    assert refs(world, "rescue") == [f"refs/ralph/rescue/T-1/{claim}"]


@pytest.mark.parametrize("where", ["nowhere", "linked"])
def test_the_base_branch_is_not_the_main_worktree_s(world: World, where: str) -> None:
    at_work(world.worktree("alpha"))
    world.git("switch", "--quiet", "-c", "other")
    before = world.read()
    place: Place = world
    if where == "linked":
        world.git("worktree", "add", "--quiet", str(world.folder / "base"), "main")
        place = Place(world.folder / "base", world.environ)
    result = resets(world, "T-1")
    assert (result.code, world.git("rev-parse", "main")) == (0, result.data["commit"])
    assert world.read() == before
    assert world.git("status", "--porcelain") == ""
    if where == "linked":
        assert "epoch: 1" in place.read()
        assert place.git("status", "--porcelain") == ""


def test_a_bare_common_repository(world: World) -> None:
    bare = world.folder / "bare.git"
    world.git("clone", "--quiet", "--bare", str(world.path), str(bare))
    common = Place(bare, world.environ)
    common.git("worktree", "add", "--quiet", str(world.folder / "main"), "main")
    common.git("worktree", "add", "--quiet", "-b", "alpha", str(world.folder / "alpha"))
    main, alpha = (Place(world.folder / name, world.environ) for name in ("main", "alpha"))
    claim = at_work(alpha)
    alpha.write("a", "x\n")
    assert resets(main, "T-1").error == "linked_worktree"
    result = resets(common, "T-1")
    assert (result.code, result.data["rescued"]) == (0, [f"refs/ralph/rescue/T-1/{claim}"])
    assert main.head == result.data["commit"]
    assert "epoch: 1" in main.read()
    assert main.git("status", "--porcelain") == ""


def test_with_a_remote_it_is_pushed(world: World) -> None:
    origin = world.origin
    origin.git("config", "receive.denyNonFastForwards", "true")
    at_work(world.worktree("alpha"))
    result = resets(world, "T-1")
    assert (result.code, result.data["pushed"], result.json["warnings"]) == (0, True, [])
    commit = result.data["commit"]
    assert origin.git("rev-parse", "main") == commit == world.head
    assert world.git("rev-parse", "origin/main") == commit
    assert world.git("status", "--porcelain") == ""


def test_a_base_that_moved_is_fetched_and_tried_again(world: World) -> None:
    other = world.clone("other")
    at_work(world.worktree("alpha"))
    other.replace("title: Second", "title: Second, from afar")
    moved = other.commit("Meanwhile")
    other.git("push", "--quiet", "origin", "HEAD:main")
    result = resets(world, "T-1", "--no-fetch")
    assert (result.code, result.data["pushed"]) == (0, True)
    assert world.origin.git("rev-parse", "main~1") == moved
    assert world.origin.git("rev-parse", "main") == result.data["commit"] == world.head
    assert "from afar" in world.read()


def test_a_remote_that_refuses(world: World) -> None:
    origin = world.origin
    hook = origin.write("hooks/pre-receive", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    at_work(world.worktree("alpha"))
    result = resets(world, "T-1")
    assert (result.code, result.error, result.data) == (1, "push_refused", None)
    (refused,) = result.json["warnings"]
    assert refused.startswith("the push of refs/heads/main to origin was declined (hook): ")
    assert "the push of refs/heads/ralph/records/T-1-" in result.json["error"]["message"]
    assert origin.git("rev-parse", "main") == world.head == world.git("rev-parse", "origin/main")
    assert world.task("T-1").get("epoch", 0) == 0


def test_without_pushing(world: World) -> None:
    tip = world.origin.git("rev-parse", "main")
    at_work(world.worktree("alpha"))
    result = resets(world, "T-1", "--no-push")
    assert (result.code, result.data["pushed"], len(result.json["warnings"])) == (0, False, 1)
    assert world.origin.git("rev-parse", "main") == tip != world.head


def test_a_remote_that_is_gone(world: World) -> None:
    world.origin.path.rename(world.folder / "gone.git")
    at_work(world.worktree("alpha"))
    world.git("config", "ralph.requireRemote", "true")
    refused(world, "T-1", code="remote_unavailable", exit=4)
    world.git("config", "ralph.requireRemote", "false")
    result = resets(world, "T-1")
    assert (result.code, result.data["pushed"]) == (0, False)
    assert result.json["warnings"][-1].startswith("the change is on the local main only")


def test_a_local_base_that_went_its_own_way(world: World) -> None:
    """Pushed, the reset leaves it alone; not to be pushed, it has no place to go."""
    origin = world.origin
    world.write("local", "x\n")
    ahead = world.commit("Not pushed")
    at_work(world.worktree("alpha", at="origin/main"))
    result = resets(world, "T-1", "--no-push")
    assert (result.code, result.error) == (8, "base_diverged")
    assert refs(world, "leases") == ["refs/ralph/leases/T-1"]
    result = resets(world, "T-1")
    assert (result.code, result.data["pushed"]) == (0, True)
    assert result.json["warnings"] == [
        "the local main has diverged; ralphgit doctor --fix brings it back where that is by "
        "records alone, else git pull merges the two"
    ]
    assert (world.head, origin.git("rev-parse", "main")) == (ahead, result.data["commit"])


def test_a_lease_of_another_machine(world: World) -> None:
    """A machine that died holds nothing for ever."""
    world.write("ralph.toml", 'lease = "remote"\n')
    world.commit()
    there = world.clone("there")
    claim = at_work(there)
    error = resets(world, "T-1", "--claim", "g000000000").json["error"]
    assert (error["code"], claim in error["message"]) == ("claim_changed", True)
    result = resets(world, "T-1")
    assert (result.code, result.data["claim"], result.data["rescued"]) == (0, claim, [])
    assert refs(world.origin, "leases") == refs(world, "") == []
    at_work(world.worktree("beta"))
    # The zombie is told as soon as it looks.
    there.write("a", "x\n")
    there.git("fetch", "--quiet")
    assert there.ralph("complete", "--json").error == "claim_lost"


# -- the zombie --------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["never saw the claim", "merged the claim", "squashed the claim"])
def test_a_late_completion_conflicts_in_any_merge(world: World, base: str) -> None:
    """Law L3. The zombie works on a clone of its own, and hears of nothing."""
    zombie = world.clone("zombie")
    zombie.git("switch", "--quiet", "-c", "zombie")
    claim = at_work(zombie)
    zombie.write("a", "half\n")
    zombie.commit("Half of it")
    if base != "never saw the claim":
        world.git("fetch", "--quiet", str(zombie.path), "zombie")
        squash = ["--squash"] if "squashed" in base else []
        world.git("merge", "--quiet", *squash, "FETCH_HEAD")
        world.commit("Take the half")
        world.git("push", "--quiet", "origin", "main")
    else:
        world.git("fetch", "--quiet", str(zombie.path), "zombie:refs/remotes/zombie/zombie")
    reset = resets(world, "T-1", "--no-fetch")
    assert (reset.code, reset.data["claim"]) == (0, claim), reset.out
    zombie.write("a", "all of it\n")
    zombie.complete()
    world.git("fetch", "--quiet", str(zombie.path), "+zombie:refs/heads/late")
    checked = world.ralph("check", "--base", "main", "--at", "late", "--json")
    assert checked.code == 1
    codes = [problem["code"] for problem in checked.data["problems"]]
    assert {"claim_lost", "merge_conflict"} <= set(codes)
    assert world.merge("late").code == 1
    assert "task-graph.yaml" in world.git("diff", "--name-only", "--diff-filter=U")
    world.git("merge", "--abort")
    assert world.run("git", "merge", "--squash", "late").code == 1


@pytest.mark.parametrize("landed", [False, True], ids=["base never saw it", "base has the claim"])
def test_a_late_completion_is_refused(world: World, landed: bool) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    alpha.write("a", "x\n")
    alpha.commit("Half of it")
    if landed:
        world.merge("alpha")
    assert resets(world, "T-1").code == 0
    alpha.write("late", "x\n")
    # Nothing is begun beside what is lost.
    error = alpha.ralph("claim", "T-2", "--json").json["error"]
    assert (error["code"], error["hint"]) == (
        "claim_lost",
        "ralphgit complete T-1",
    )
    assert (alpha.path / "late").exists()
    result = alpha.ralph("complete", "--json")
    assert (result.code, result.error) == (5, "claim_lost")
    error = result.json["error"]
    assert "T-1 was reset on main (epoch 1) after the claim was made" in error["message"]
    assert alpha.git("show", f"{error['rescue']}:late") == "x"
    assert error["rescue"].startswith(f"refs/ralph/rescue/T-1/{claim}")
    assert (alpha.head, alpha.git("status", "--porcelain")) == (world.head, "")
    at_work(alpha, "T-2")


# -- done already ------------------------------------------------------------------------


def done_already(world: World, claim: str, *words: str) -> Result:
    """The reset of T-1 is told as done, and changes nothing."""
    before, tip = world.state(*SCRATCH), world.head
    result = resets(world, "T-1", *words)
    told = (result.code, result.json["warnings"], result.data["claim"], result.data["commit"])
    said = "T-1 was reset already for this reason; it is not reset again"
    assert told == (0, [said], claim, tip), result.out
    assert world.state(*SCRATCH) == before
    return result


def test_repeating_a_reset(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    alpha.write("a", "x\n")
    first = resets(world, "T-1")
    again = done_already(world, claim)
    assert again.data == first.data
    # Another reason is another reset; and so is one after a new claim.
    other = world.ralph("reset", "T-1", "--reason", "other", "--json")
    assert (other.code, other.error) == (8, "not_claimed")
    second = at_work(world.worktree("beta"))
    result = resets(world, "T-1")
    assert (result.code, result.data["claim"], result.json["warnings"]) == (0, second, [])


def test_repeating_a_reset_that_died_before_its_lease(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    lease = world.git("rev-parse", "refs/ralph/leases/T-1")
    assert resets(world, "T-1").code == 0
    world.git("update-ref", "refs/ralph/leases/T-1", lease)
    result = resets(world, "T-1")
    assert (result.code, result.data["claim"], refs(world, "leases")) == (0, claim, [])


def test_repeating_a_reset_that_died_after_its_push(world: World) -> None:
    origin = world.origin
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    tip = world.head
    assert dies(world, "files", claim).code == -9
    assert world.head == tip != origin.git("rev-parse", "main")
    result = resets(world, "T-1")
    assert (result.code, result.data["claim"], result.data["pushed"]) == (0, claim, True)
    assert world.head == origin.git("rev-parse", "main") == result.data["commit"]
    assert world.git("status", "--porcelain") == ""
    assert world.ralph("doctor", "--fix").code == 0
    assert litter(world) == []


# -- killed half-way ---------------------------------------------------------------------

#: A git that is killed in the middle of `merge`, with who started it.
DYING_GIT = """\
#!/bin/sh
for word; do new=$word; done
for word; do
  if test "$word" = merge; then
    case {how} in
      files) GIT_INDEX_FILE={folder}/other; export GIT_INDEX_FILE
             cp {path}/.git/index $GIT_INDEX_FILE ;;
    esac
    {git} -C {path} update-index -q --refresh
    {git} -C {path} read-tree -m -u HEAD $new || exit 99
    test {how} = half && : >{path}/{audit} && {git} -C {path} read-tree HEAD \\
      && printf 'version: 1\\ntas' >{path}/task-graph.yaml
    test {how} = gone && rm {path}/task-graph.yaml {path}/{audit}
    {killer}
    exit 137
  fi
done
exec {git} "$@"
"""


def dies(world: World, how: str, claim: str, *, killer: str = "kill -KILL $PPID") -> Result:
    """A `reset` in which git, and what started it, is killed while it moves the base."""
    text = DYING_GIT.format(
        how=how, folder=world.folder, path=world.path, killer=killer,
        git=world.run("sh", "-c", "command -v git").out.strip(),
        audit=f"records/audit/T-1/{claim}.yaml",
    )  # fmt: skip
    program = world.folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(text)
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{world.environ['PATH']}"
    words = ("reset", "T-1", "--reason", "gone", "--json")
    return world.ralph(*words, env={"PATH": path}, apart=True)


def litter(world: World) -> list[str]:
    """What ralphgit has noted, or has beside a file that it is changing."""
    parts = (".ralph-tmp-", "index.ralph-", "/ralphgit/moving-")
    return [name for name in world.snapshot() if any(part in name for part in parts)]


HALVES = ["files", "index", "half", "gone"]


@pytest.mark.parametrize("how", HALVES)
@pytest.mark.parametrize("by", ["repeating", "doctor", "doctor, then something else"])
def test_killed_while_git_moves_the_base(world: World, how: str, by: str) -> None:
    """Its files are written, in part or all; perhaps the index; not the branch."""
    tip = world.head
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    world.write("unrelated", "the user's own\n")
    assert dies(world, how, claim).code == -9
    assert world.head == tip
    assert world.git("status", "--porcelain", "-uno") != ""
    if by != "repeating":
        done = world.ralph("doctor", "--fix")
        assert "fixed: a move of main to " in done.out
        assert world.git("status", "--porcelain") == "?? unrelated"
        assert world.read() == GRAPH
        assert litter(world) == []
        assert world.ralph("doctor").code == 0
    if by == "doctor, then something else":
        world.git("commit", "--quiet", "--allow-empty", "-m", "Meanwhile")
    result = resets(world, "T-1")
    assert (result.code, result.json["warnings"]) == (0, []), result.out
    assert world.git("status", "--porcelain") == "?? unrelated"
    assert world.task("T-1")["epoch"] == 1
    assert world.read("unrelated") == "the user's own\n"
    assert world.ralph("doctor", "--fix").code == 0
    assert litter(world) == []


@pytest.mark.parametrize("how", ["files", "index", "gone"])
def test_git_alone_is_killed(world: World, how: str) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    result = dies(world, how, claim, killer="kill -KILL $$")
    assert (result.code, result.error) == (1, "git_failed")
    assert (world.git("status", "--porcelain"), litter(world)) == ("", [])
    assert resets(world, "T-1").code == 0


def test_what_was_changed_after_the_kill_is_the_user_s(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    assert dies(world, "files", claim).code == -9
    world.replace("title: Second", "title: Second, edited")
    audit = f"records/audit/T-1/{claim}.yaml"
    world.write(audit, world.read(audit) + "# mine\n")
    for words in (("reset", "T-1", "--reason", "gone"), ("doctor", "--fix")):
        world.ralph(*words)
        assert "title: Second, edited" in world.read()
        assert world.read(audit).endswith("# mine\n")
    assert resets(world, "T-1").error == "dirty_base"


@pytest.mark.parametrize("by", ["repeating", "doctor"])
@pytest.mark.parametrize("which", ["audit", "graph", "both"])
def test_an_empty_record_is_nobody_s(world: World, which: str, by: str) -> None:
    """git had made the file and not written a byte; nothing else is left of it."""
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    if which != "graph":
        world.write(f"records/audit/T-1/{claim}.yaml", "")
    if which != "audit":
        world.write("task-graph.yaml", "")
    if by == "doctor":
        assert "fixed: " in world.ralph("doctor", "--fix").out
        assert world.git("status", "--porcelain") == ""
    result = resets(world, "T-1")
    assert (result.code, result.data["task"]["epoch"]) == (0, 1), result.out
    assert world.git("status", "--porcelain") == ""


def test_a_move_of_a_living_process_is_left_alone(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    assert dies(world, "files", claim).code == -9
    (note,) = (world.path / ".git" / "ralphgit").glob("moving-*")
    told = json.loads(note.read_text())
    pid = os.getppid()  # another one: this one runs the command
    told.update(pid=pid, started=heartbeat.start_time(pid))
    note.write_text(json.dumps(told))
    before = world.git("status", "--porcelain")
    elsewhere = {**told, "host": "elsewhere"}
    for one in (told, elsewhere):
        note.write_text(json.dumps(one))
        world.ralph("doctor", "--fix")
        assert world.git("status", "--porcelain") == before
        assert note.exists()
    note.write_text(json.dumps({**elsewhere, "time": time.time() - 3600}))
    assert "fixed: a move of main to " in world.ralph("doctor", "--fix").out
    assert world.git("status", "--porcelain") == ""


def test_git_s_own_refusal_is_told(world: World) -> None:
    at_work(world.worktree("alpha"))
    world.git("config", "merge.verifySignatures", "true")
    before = world.state(*SCRATCH)
    result = resets(world, "T-1")
    assert (result.code, result.error) == (1, "git_failed")
    assert "does not have a GPG signature" in result.json["error"]["message"]
    kept = {n: d for n, d in world.state(*SCRATCH).items() if "refs/ralph/rescue" not in n}
    assert kept == {n: d for n, d in before.items() if "refs/ralph/rescue" not in n}


# -- what is kept ------------------------------------------------------------------------


def lost(world: World, alpha: Place) -> str:
    """T-1 is reset while alpha works on, which then hears of it; the rescue ref."""
    assert resets(world, "T-1", "--force").code == 0
    result = alpha.ralph("complete", "--json")
    assert (result.code, result.error) == (5, "claim_lost"), result.out
    assert result.json["warnings"] == []
    return str(result.json["error"]["rescue"])


def test_ignored_files_that_the_base_tracks_are_kept(world: World) -> None:
    alpha = world.worktree("alpha")
    at_work(alpha)
    alpha.write(".gitignore", "*.log\n.env\nbuild\nshared\nsame\n")
    alpha.commit("Ignore")
    alpha.write(".env", "mine\n")
    alpha.write("build/deep/er", "a folder\n")
    alpha.write("shared", "a file\n")
    alpha.write("same", "same\n")
    alpha.write("x.log", "not in the way\n")
    world.write(".env", "base\n")
    world.write("build", "a file\n")
    world.write("shared/x", "a folder\n")
    world.write("same", "same\n")
    world.commit("Track them")
    ref = lost(world, alpha)
    kept = world.git("ls-tree", "-r", "--name-only", ref).splitlines()
    assert {".env", "build/deep/er", "shared"} <= set(kept)
    assert {"same", "x.log"}.isdisjoint(kept)
    assert world.git("show", f"{ref}:.env") == "mine"
    assert (alpha.read(".env"), alpha.read("x.log")) == ("base\n", "not in the way\n")
    assert alpha.git("status", "--porcelain") == ""


def test_what_is_staged_alone_is_kept(world: World) -> None:
    world.write("tracked", "base\n")
    world.write("removed", "base\n")
    world.commit("More")
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    for name in ("gone", "changed", "tracked"):
        alpha.write(name, "staged\n")
    alpha.git("add", "--all")
    (alpha.path / "gone").unlink()
    alpha.write("changed", "later\n")
    alpha.write("tracked", "base\n")
    alpha.git("rm", "--quiet", "--cached", "removed")
    theirs, head = files_of(world, alpha), alpha.head
    ref = f"refs/ralph/rescue/T-1/{claim}"
    assert resets(world, "T-1").data["rescued"] == [ref]
    assert files_of(world, alpha) == theirs
    assert world.git("rev-parse", f"{ref}^1", f"{ref}^2^").splitlines() == [head, head]
    for name in ("gone", "changed", "tracked"):
        assert world.git("show", f"{ref}^2:{name}") == "staged"
    assert world.git("show", f"{ref}:changed", f"{ref}:tracked") == "later\nbase"
    # It is kept once, however often.
    assert lost_again(world, alpha) == ref


def lost_again(world: World, alpha: Place) -> str:
    result = alpha.ralph("complete", "--json")
    assert refs(world, "rescue") == [result.json["error"]["rescue"]]
    return str(result.json["error"]["rescue"])


def test_a_conflict_and_something_staged(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    world.write("a", "base\n")
    world.commit()
    alpha.write("a", "mine\n")
    alpha.commit("Half of it")
    assert alpha.merge("main").code == 1
    alpha.write("staged", "staged\n")
    alpha.git("add", "staged")
    alpha.write("staged", "later\n")
    assert resets(world, "T-1").code == 0
    ref = f"refs/ralph/rescue/T-1/{claim}"
    assert world.git("show", f"{ref}^2:staged", f"{ref}:staged") == "staged\nlater"
    assert "<<<<<<<" in world.git("show", f"{ref}:a")


@pytest.mark.parametrize("how", ["without a commit", "with a commit", "staged"])
def test_a_repository_within_the_worktree_is_kept_as_its_files(world: World, how: str) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    alpha.write("in ner/.gitignore", "junk\n")
    alpha.write("in ner/deep/f", "x\n")
    alpha.write("in ner/junk", "x\n")
    alpha.git("init", "--quiet", "in ner")
    if how != "without a commit":
        alpha.git("-C", "in ner", "add", "--all")
        alpha.git("-C", "in ner", "commit", "--quiet", "-m", "Inner")
    if how == "staged":
        alpha.git("add", "in ner")
    alpha.write("beside", "x\n")
    theirs = files_of(world, alpha)
    ref = f"refs/ralph/rescue/T-1/{claim}"
    result = resets(world, "T-1")
    assert (result.data["rescued"], result.json["warnings"]) == ([ref], [])
    assert files_of(world, alpha) == theirs
    kept = world.git("ls-tree", "-r", "--name-only", ref).splitlines()
    assert {"beside", "in ner/.gitignore", "in ner/deep/f"} <= set(kept)
    assert "in ner/junk" not in kept
    lose = alpha.ralph("complete", "--json")
    assert (lose.error, lose.json["error"]["rescue"]) == ("claim_lost", ref)
    assert lose.json["warnings"] == ["in ner/ is a repository of its own; it was left in place"]
    assert (alpha.path / "in ner/deep/f").exists()
    assert not (alpha.path / "beside").exists()


def test_outside_a_sparse_checkout(world: World) -> None:
    for name in ("in/a", "out/b"):
        world.write(name, "x\n")
    world.commit("Folders")
    alpha = world.worktree("alpha")
    alpha.git("sparse-checkout", "set", "in")
    claim = at_work(alpha)
    alpha.write("out/new", "x\n")
    alpha.write("in/new", "x\n")
    ref = f"refs/ralph/rescue/T-1/{claim}"
    assert resets(world, "T-1").data["rescued"] == [ref]
    kept = world.git("ls-tree", "-r", "--name-only", ref).splitlines()
    assert {"in/a", "in/new", "out/b", "out/new"} <= set(kept)
    assert world.git("diff", "--name-only", "--diff-filter=D", "main", ref) == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_nobody_may_read(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = at_work(alpha)
    alpha.write("secret", "x\n").chmod(0)
    alpha.write("work", "x\n")
    result = resets(world, "T-1")
    assert result.data["rescued"] == [f"refs/ralph/rescue/T-1/{claim}"]
    assert result.json["warnings"] == [
        'not kept, since it may not be read: error: open("secret"): Permission denied'
    ]
    assert world.git("show", f"refs/ralph/rescue/T-1/{claim}:work") == "x"


def test_the_folder_that_somebody_stands_in_stays(world: World) -> None:
    alpha = world.worktree("alpha")
    at_work(alpha)
    alpha.write("here/and/there/f", "x\n")
    alpha.write("here/and/g", "x\n")
    alpha.write("else/where", "x\n")
    assert resets(world, "T-1").code == 0
    inside = Place(alpha.path / "here/and", world.environ)
    assert inside.ralph("complete", "--json").error == "claim_lost"
    left = [path.name for path in sorted(alpha.path.iterdir()) if path.is_dir()]
    assert ".git" not in left and "else" not in left
    assert inside.path.is_dir()
    assert list(inside.path.iterdir()) == []


def test_what_was_cancelled_and_not_committed_is_not_reopened(world: World) -> None:
    """It was git's own error about a ref without a name."""
    assert world.ralph("edit", "T-1", "--cancel", "no").code == 0
    error = refused(world, "T-1", "--reopen", code="illegal_move")
    assert error["message"] == (
        "T-1 is cancelled in task-graph.yaml, which is not committed: on main it is pending"
    )
    words = "git add task-graph.yaml && git commit && ralphgit reset T-1 --reopen"
    assert error["hint"] == words
    world.commit("No")
    assert world.ralph("reset", "T-1", "--reopen").code == 0
