"""`claim`: what it leaves behind, who is told apart, and all that refuses it (SPEC 4)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import ryaml
from world import Place, Result, World

from ralphgit.app.active_claims import leases
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace.project import Project

GRAPH = """\
version: 1
# How we work: see docs.
tasks:
  - id: T-1
    title: First
    status: pending  # for now
    story: S-1
    priority: 1
    estimate: 3h
    scope:
      write: [one/**]

  # The second is urgent.
  - id: T-2
    title: Second
    status: pending
    story: S-2
    scope: {write: [two/**]}
  - id: T-3
    title: Third
    status: pending
    story: S-1
    depends_on: [T-1]
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit("Begin")
    return made


def task(id: str, *lines: str, status: str = "pending") -> str:
    """A task's block."""
    more = "".join(f"    {line}\n" for line in lines)
    return f"  - id: {id}\n    title: Task {id}\n    status: {status}\n{more}"


def graph(*tasks: str) -> str:
    return "version: 1\ntasks:\n" + "".join(tasks)


def made(folder: Path, *tasks: str, name: str = "proj") -> World:
    """A world with a graph of `tasks`, committed."""
    world = World(folder, name=name)
    world.write_graph(graph(*tasks))
    world.commit("Begin")
    return world


def claims(place: Place, *words: str) -> Result:
    """`claim WORDS --json`."""
    return place.ralph("claim", *words, "--json")


# -- what it leaves ----------------------------------------------------------------------


def test_the_advice_lands_only_where_work_lands_that_way(world: World) -> None:
    world.git("config", "ralph.land.mode", "none")
    told = world.worktree("alpha").ralph("claim", "T-1").out.splitlines()
    assert told[-1].endswith('ralphgit complete T-1 --summary "TEXT" --shows "TEXT"')


def test_a_packet_says_whether_the_worktree_has_changes_beside_the_claim(world: World) -> None:
    """It was never clean, since the claim itself is staged."""
    alpha = world.worktree("alpha")
    claimed = alpha.ralph("claim", "T-1", "--json").data["packet"]
    assert claimed["source"]["clean"] is True

    def clean() -> object:
        return alpha.ralph("packet", "--json").data["packet"]["source"]["clean"]

    assert clean() is True
    alpha.replace("title: First", "title: Another")
    assert clean() is False
    alpha.replace("title: Another", "title: First")
    alpha.write("new.txt", "x\n")
    assert clean() is False
    assert alpha.ralph("claim", "T-1", "--json").data["packet"]["source"]["clean"] is False


def test_a_packet_explains_its_posture_and_a_worker_by_hand_needs_none(world: World) -> None:
    alpha = world.worktree("alpha")
    assert "posture" not in alpha.ralph("claim", "T-1").out
    (line,) = [x for x in alpha.ralph("packet").out.splitlines() if x.startswith("posture")]
    assert line == "posture: none  # nothing says how it is verified: test your work, and say how"


def test_a_claim_is_staged_in_the_task_s_lines_alone(world: World) -> None:
    alpha, head = world.worktree("alpha"), world.head
    result = alpha.ralph("claim", "T-1")
    packet = world.ralph("packet", "T-1", apart=False)
    before, _, after = result.out.partition("\n\n")
    assert (result.code, before, result.err) == (0, "alpha has T-1: First", "")
    told, _, advice = after.partition("\n\n")
    assert ryaml.loads(told)["task"] == "T-1"
    assert packet.code == 0
    assert advice == (
        "The claim is staged; it travels in your first commit of the work.\n"
        "No command verifies T-1, and it has no criteria: say with --shows what you observed.\n"
        'If only a person can decide it: ralphgit block T-1 --question "TEXT"\n'
        'Next: do the work, then: ralphgit complete T-1 --land --summary "TEXT" --shows "TEXT"\n'
    )
    held = world.lease("T-1")
    claim, at, contract = held["claim"], held["at"], held["contract"]
    assert alpha.head == head
    assert alpha.git("status", "--porcelain") == (
        f"A  records/audit/T-1/{claim}.yaml\nM  task-graph.yaml"
    )
    assert alpha.git("diff", "--cached", "-U1", "task-graph.yaml").splitlines()[4:] == [
        "@@ -5,3 +5,9 @@ tasks:",
        "     title: First",
        "-    status: pending  # for now",
        "+    status: in-progress  # for now",
        "+    claim:",
        f"+      id: {claim}",
        "+      by: alpha",
        f'+      at: "{at}"',
        f"+      base: {head[:12]}",
        f"+      contract: {contract}",
        "     story: S-1",
    ]
    assert ryaml.loads(alpha.read(f"records/audit/T-1/{claim}.yaml")) == {
        "id": claim,
        "kind": "event",
        "task": "T-1",
        "claim": claim,
        "events": [
            {"at": at, "event": "claimed", "by": "alpha", "from": "pending", "to": "in-progress"}
        ],
    }
    assert held == {
        "task": "T-1",
        "claim": claim,
        "by": "alpha",
        "at": at,
        "base": head[:12],
        "contract": contract,
        "epoch": 0,
        "start": head,
        "branch": "alpha",
        "worktree": str(alpha.path),
        "host": os.uname().nodename,
        "unsynchronised": False,
        "base_branch": "main",
        "loop": "",
    }
    assert world.leases == ["T-1"]
    assert world.git("status", "--porcelain") == ""
    assert not (alpha.path / ".gitignore").exists()


def test_a_claim_as_json(world: World) -> None:
    alpha = world.worktree("alpha")
    result = claims(alpha, "T-1")
    held = world.lease("T-1")
    assert result.json == {
        "schema_version": 1,
        "kind": "claim",
        "ok": True,
        "data": {
            "task": {
                "id": "T-1",
                "title": "First",
                "status": "in-progress",
                "claim": {k: held[v] for k, v in _CLAIM_FIELDS.items()},
                "story": "S-1",
                "priority": 1,
                "estimate": "3h",
                "scope": {"write": ["one/**"]},
                "state": "claimed",
                "holder": {
                    "worker": "alpha",
                    "where": "this worktree",
                    "since": held["at"],
                    "claim": held["claim"],
                    "kind": "worktree",
                    "pull_request": None,
                },
                "stale": False,
                "blocked_on": [],
                "file": "task-graph.yaml",
                "line": 4,
            },
            "packet": alpha.ralph("packet", "T-1", "--json").data["packet"],
            "worktree": {"commit": world.head, "moved": False, "rescue": ""},
        },
        "warnings": [],
        "error": None,
    }
    assert result.err == ""


_CLAIM_FIELDS = {"id": "claim", "by": "by", "at": "at", "base": "base", "contract": "contract"}


@pytest.mark.parametrize("lease", ["local", "off"])
def test_a_claim_tells_what_show_tells_after_it(lease: str, world: World) -> None:
    world.write("ralph.toml", f'lease = "{lease}"\n')
    world.replace("depends_on: [T-1]", "epoch: 2")
    world.commit()
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    beta.ralph("claim", "T-2")
    beta.ralph("block", "T-2", "--question", "Which?")
    world.merge("beta")
    alpha.merge("main")
    for words in (("T-1",), ("T-3",), ("T-2", "--force", "Answered")):
        claimed = claims(alpha, *words).data["task"]
        assert claimed == alpha.ralph("show", words[0], "--json").data["task"]
        assert (claimed["state"], claimed["holder"]["where"]) == ("claimed", "this worktree")
        alpha.ralph("release", words[0])


def test_a_repeated_claim_changes_nothing(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.ralph("claim", "T-1")
    before = world.snapshot()
    again = alpha.ralph("claim", "T-1")
    assert (again.code, again.err) == (0, "warning: T-1 is this worktree's already\n")
    assert world.snapshot() == before
    alpha.commit("Half of it")
    before = world.snapshot()
    alpha.claim("T-1")
    assert world.snapshot() == before


def test_two_claims_are_never_the_same_bytes(world: World) -> None:
    """Same second, same worker: the objects behind the leases and the records differ."""
    alpha = world.worktree("alpha")
    seen = set()
    for _ in range(2):
        alpha.claim("T-1")
        seen.add((world.lease("T-1")["claim"], alpha.git("rev-parse", "refs/ralph/leases/T-1")))
        world.git("update-ref", "-d", "refs/ralph/leases/T-1")
        alpha.git("reset", "--hard", "--quiet")
        (alpha.path / ".ralph" / "current.yaml").unlink()
    (one, two), (first, second) = zip(*seen, strict=True)
    assert one != two
    assert first != second


# -- who has it --------------------------------------------------------------------------


def test_the_holder_is_named(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.ralph("claim", "T-1")
    held = world.lease("T-1")
    error = beta.refused("claim", "T-1", code="claim_held", exit=5)
    assert error == {
        "code": "claim_held",
        "exit": 5,
        "message": f"alpha has T-1 (claimed), in worktree ../proj-alpha, since {held['at']}",
        "task": "T-1",
        "holder": {
            "worker": "alpha",
            "where": "worktree ../proj-alpha",
            "since": held["at"],
            "claim": held["claim"],
        },
        "hint": "ralphgit next",
    }
    assert beta.ralph("claim", "T-1") == Result(
        5,
        "",
        f"error: alpha has T-1 (claimed), in worktree ../proj-alpha, since {held['at']}\n"
        "hint: ralphgit next\n",
    )


@pytest.mark.parametrize(
    ("seen", "state", "where"),
    [
        ("lease", "claimed", "worktree ../proj-alpha"),
        ("worktree", "claimed", "worktree ../proj-alpha"),
        ("branch with its worktree", "in-progress", "worktree ../proj-alpha (branch alpha)"),
        ("branch", "in-progress", "branch alpha"),
        ("remote-tracking branch", "in-progress", "branch origin/alpha"),
    ],
)
def test_a_claim_is_found_wherever_it_stands(
    world: World, seen: str, state: str, where: str
) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    origin = world.origin
    alpha.ralph("claim", "T-1")
    held = world.lease("T-1")
    if seen == "lease":
        alpha.git("reset", "--hard", "--quiet")
    else:
        world.git("update-ref", "-d", "refs/ralph/leases/T-1")
    if "branch" in seen:
        alpha.commit("Half of it")
    if "branch" in seen and "worktree" not in seen:
        world.git("worktree", "remove", "--force", str(alpha.path))
    if seen == "remote-tracking branch":
        world.git("push", "--quiet", str(origin.path), "alpha:alpha")
        world.git("fetch", "--quiet", "origin")
        world.git("branch", "-D", "--quiet", "alpha")
    error = beta.refused("claim", "T-1", code="claim_held", exit=5)
    assert error["message"] == f"alpha has T-1 ({state}), in {where}, since {held['at']}"
    assert error["holder"] == {
        "worker": "alpha",
        "where": where,
        "since": held["at"],
        "claim": held["claim"],
    }


def test_a_claim_on_the_base_names_its_holder(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.ralph("claim", "T-1")
    alpha.commit("Half of it")
    world.merge("alpha")
    world.git("update-ref", "-d", "refs/ralph/leases/T-1")
    world.git("worktree", "remove", "--force", str(alpha.path))
    world.git("branch", "-D", "--quiet", "alpha")
    error = beta.refused("claim", "T-1", "--force", "mine now", code="claim_held", exit=5)
    assert error["holder"]["where"] == "the base"


def test_what_a_heartbeat_says_is_told(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.ralph("claim", "T-1")
    claim = world.lease("T-1")["claim"]
    alpha.write(".ralph/heartbeat", f"pid: {os.getpid()}\nclaim: {claim}\ntime: 1000.0\n")
    error = beta.refused("claim", "T-1", code="claim_held", exit=5)
    assert error["holder"]["heartbeat_age_s"] > 1e9
    assert "last heartbeat" in error["message"]


# -- what refuses it ---------------------------------------------------------------------


def test_the_main_worktree_is_for_one_worker_alone(world: World) -> None:
    alpha = world.worktree("alpha")
    assert claims(alpha, "T-1").code == 0
    error = world.refused("claim", "T-2", code="main_worktree")
    assert error["message"] == (
        "this is the main worktree, and alpha works on T-1 in worktree ../proj-alpha; claim in a "
        "worktree of your own"
    )
    assert error["task"] == "T-1"
    forced = claims(world, "T-2", "--force", "the release waits")
    assert forced.code == 0
    claim = forced.data["task"]["claim"]["id"]
    assert [event["note"] for event in world.audit("T-2", claim)] == ["the release waits"]


def test_a_single_worker_may_use_the_main_worktree(world: World) -> None:
    world.worktree("idle")
    result = claims(world, "T-1")
    assert (result.code, result.data["task"]["claim"]["by"]) == (0, "proj")


def test_one_task_at_a_time(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.ralph("claim", "T-1")
    claim = world.lease("T-1")["claim"]
    error = alpha.refused("claim", "T-2", code="already_working")
    assert error == {
        "code": "already_working",
        "exit": 8,
        "message": f"this worktree works on T-1 already (claim {claim}); complete it, or give "
        "it back (ralphgit release T-1)",
        "task": "T-1",
        "hint": "ralphgit complete T-1",
    }
    alpha.refused("claim", code="already_working")


@pytest.mark.parametrize("what", ["merge", "rebase", "cherry-pick", "revert"])
def test_nothing_is_claimed_in_the_middle_of(what: str, world: World) -> None:
    world.write("a.txt", "here\n")
    world.commit("Here")
    alpha = world.worktree("alpha", at="main~1")
    alpha.write("a.txt", "there\n")
    alpha.commit("There")
    if what == "revert":
        alpha.write("a.txt", "later\n")
        alpha.commit("Later")
    arguments = {"rebase": ["main"], "revert": ["HEAD~1"]}.get(what, ["main"])
    stopped = alpha.run("git", what, *arguments)
    assert stopped.code != 0, stopped
    # In a rebase HEAD is detached as well; the way out is the rebase's.
    error = alpha.refused("claim", "T-1", code="unfinished_merge")
    under_way = f"a {what} is under way in this worktree"
    assert error["message"] == f"{under_way}, with conflicts; solve them, and end or abort it"
    assert error["hint"] == "git status"
    alpha.write("a.txt", "both\n")
    alpha.git("add", "a.txt")
    error = alpha.refused("claim", "T-1", code="unfinished_merge")
    leaves = f"end it, or if you have not begun it leave it (git {what} --quit)"
    assert error["message"] == f"{under_way}; {leaves}"
    todo = alpha.git("rev-parse", "--git-path", "rebase-merge/git-rebase-todo")
    looks = {"rebase": f"cat {os.path.relpath(todo, alpha.path)}"}
    assert error["hint"] == looks.get(what, f"git {what} --continue")
    assert alpha.run("sh", "-c", f"{looks.get(what, 'true')} && git {what} --quit").code == 0


def test_nothing_is_claimed_over_an_unmerged_index(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.write("a.txt", "one\n")
    alpha.commit()
    alpha.write("a.txt", "two\n")
    alpha.git("stash", "--quiet")
    alpha.write("a.txt", "three\n")
    alpha.commit()
    assert alpha.run("git", "stash", "pop").code == 1
    error = alpha.refused("claim", "T-1", code="unmerged")
    assert error["message"] == "unresolved conflicts in a.txt; edit them first"


def test_a_detached_head_is_no_branch(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.git("switch", "--quiet", "--detach")
    error = alpha.refused("claim", "T-1", code="detached_head")
    assert error["hint"] == "git switch -c NAME"


def test_a_worktree_that_is_behind_in_this_task(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.write("mine.txt", "mine\n")
    alpha.commit("Work of its own")
    world.replace("title: First", "title: First, and best")
    world.write_graph(world.read() + task("T-4"))
    world.commit("Change T-1, add T-4")
    changed = alpha.refused("claim", "T-1", code="behind")
    assert changed["message"] == "T-1 has changed on main since this branch left it"
    added = alpha.refused("claim", "T-4", code="behind")
    assert added["message"] == "T-4 is on main and not in this worktree"
    assert (added["hint"], changed["hint"]) == ("git merge main", "git merge main")
    # The rest of what the base has done since does not touch T-2.
    own = alpha.head
    assert claims(alpha, "T-2").code == 0
    assert alpha.head == own


def test_the_own_filter_is_kept_to(world: World) -> None:
    alpha = world.worktree("alpha")
    story = alpha.refused("claim", "T-1", "--story", "S-2", code="outside_filter")
    priority = alpha.refused("claim", "T-1", "--priority", "0", code="outside_filter")
    assert (story["message"], priority["message"]) == (
        "T-1 is not of story S-2",
        "T-1 has priority 1",
    )
    assert claims(alpha, "T-1", "--story", "S-1", "--priority", "1").code == 0


def test_dependencies_are_complete_on_the_base_or_stacked(world: World) -> None:
    alpha = world.worktree("alpha")
    world.replace("depends_on: [T-1]", "depends_on: [T-1, T-9]")
    world.commit("An unknown dependency")
    alpha.merge("main")
    error = alpha.refused("claim", "T-3", code="dependencies_incomplete")
    assert error["message"] == (
        "T-3 depends on tasks that are not complete on the base: T-1, T-9 (unknown) (--stack "
        "accepts those that are complete on this branch)"
    )
    assert error["related"] == ["T-1", "T-9"]
    world.replace("depends_on: [T-1, T-9]", "depends_on: [T-1]")
    world.commit("No more")
    alpha.merge("main")
    alpha.ralph("claim", "T-1")
    alpha.write("one/a.txt", "done\n")
    alpha.complete()
    error = alpha.refused("claim", "T-3", code="dependencies_incomplete")
    assert error["hint"] == "ralphgit next"
    assert claims(alpha, "T-3", "--stack").data["task"]["state"] == "claimed"


MODES = [
    task("T-1", "story: S", "mode: sequential"),
    task("T-2", "story: S"),
    task("T-3", "story: S", "mode: verify"),
]


def test_a_task_s_mode_and_force(tmp_path: Path) -> None:
    world = made(tmp_path, *MODES)
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    error = alpha.refused("claim", "T-3", code="mode")
    assert error["message"] == "T-3 (mode verify) must not run beside, or before, T-1, T-2"
    alpha.ralph("claim", "T-1")
    error = beta.refused("claim", "T-2", code="mode")
    assert error["related"] == ["T-1"]
    forced = claims(beta, "T-2", "--force", "they do not touch")
    claim = forced.data["task"]["claim"]["id"]
    event = {**beta.audit("T-2", claim)[0], "at": ""}
    assert event == {
        "at": "",
        "event": "claimed",
        "by": "beta",
        "from": "pending",
        "to": "in-progress",
        "note": "they do not touch",
    }


@pytest.mark.parametrize("landing", [False, True], ids=["claimed", "in-review"])
def test_no_overlap_with_a_task_in_flight(tmp_path: Path, landing: bool) -> None:
    world = made(
        tmp_path,
        task("T-1", "scope: {write: [src/**], resources: [port]}"),
        task("T-2", "scope: {write: [src/api/*.ts]}"),
        task("T-3", "scope: {write: [docs/**], resources: [db, port]}"),
        task("T-4", "scope: {read: [src/**], write: [lib/**], resources: [db]}"),
    )
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.ralph("claim", "T-1")
    if landing:
        alpha.write("src/a.ts", "x\n")
        alpha.complete()
    error = beta.refused("claim", "T-2", code="scope_overlap")
    assert error["message"].startswith(
        "T-2 writes src/api/*.ts, and T-1, which is in flight, writes src/**: both cover src/api/"
    )
    assert error["related"] == ["T-1"]
    error = beta.refused("claim", "T-3", code="scope_overlap")
    assert error["message"] == "T-3 and T-1, which is in flight, both need port"
    assert claims(beta).data["task"]["id"] == "T-4"


def test_force_passes_dependencies_and_overlap(tmp_path: Path) -> None:
    world = made(
        tmp_path,
        task("T-1", "scope: {write: [src/**]}"),
        task("T-2", "depends_on: [T-1]", "scope: {write: [src/a]}"),
    )
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.ralph("claim", "T-1")
    forced = claims(beta, "T-2", "--force", "agreed with alpha")
    assert forced.code == 0
    # What somebody has is not taken by force.
    world.worktree("gamma").refused("claim", "T-1", "--force", "x", code="claim_held", exit=5)


@pytest.mark.parametrize("status", ["complete", "cancelled"])
def test_a_finished_task_is_not_claimed(tmp_path: Path, status: str) -> None:
    world = made(tmp_path, task("T-1", status=status))
    error = world.refused("claim", "T-1", code="illegal_move")
    assert error["message"] == f"T-1 is {status}"
    assert error["hint"] == "ralphgit reset T-1 --reopen --reason TEXT"


def test_an_unknown_task(world: World) -> None:
    error = world.refused("claim", "t-1", code="unknown_task", exit=2)
    assert error["message"] == "there is no task t-1 in this worktree"
    assert error["hint"] == "did you mean T-1?"
    assert world.refused("claim", "no/task", code="bad_id", exit=2)["hint"].startswith("an id is")


@pytest.mark.parametrize(
    "pattern",
    ["'../other/**'", "'src/[a'", "'{a,b'"],
)
def test_an_invalid_contract_is_not_claimed(tmp_path: Path, pattern: str) -> None:
    two, three = (task(f"T-{n}", f"scope: {{write: [{n}]}}") for n in (2, 3))
    world = made(tmp_path, task("T-1", f"scope: {{write: [{pattern}]}}"), two, three)
    error = world.refused("claim", "T-1", "--force", "x", code="contract_invalid")
    assert error["task"] == "T-1"
    assert error["message"].startswith(f"T-1 has a bad pattern in its scope: {pattern}: ")
    assert error["hint"] == "correct the pattern in task-graph.yaml:3, then repeat"
    # It does not stand in the way of other tasks.
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    assert claims(alpha).data["task"]["id"] == "T-2"
    ids = [one["id"] for one in beta.ralph("next", "--json").data["tasks"]]
    assert ids == ["T-3"]
    assert claims(beta).data["task"]["id"] == "T-3"


def test_nothing_is_claimed_before_the_first_commit(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(GRAPH)
    error = world.refused("claim", "T-1", code="no_commit")
    assert error["message"] == "the repository has no commit on its base branch yet"


def test_outside_a_repository(tmp_path: Path) -> None:
    world = made(tmp_path, task("T-1"))
    Place(tmp_path, world.environ, world).refused("claim", "T-1", code="not_a_repository", exit=2)


# -- without an id -----------------------------------------------------------------------


def test_without_an_id_the_next_one_is_taken(world: World) -> None:
    alpha, beta, gamma = (world.worktree(name) for name in ("alpha", "beta", "gamma"))
    first = alpha.ralph("next", "--json").data["tasks"][0]["id"]
    assert claims(alpha).data["task"]["id"] == first == "T-1"
    assert claims(beta, "--story", "S-2").data["task"]["id"] == "T-2"
    before = world.snapshot()
    refused = claims(gamma)
    assert (refused.code, refused.error) == (3, "waiting")
    assert claims(gamma, "--story", "S-9").error == "all_done"
    assert world.snapshot() == before


def test_without_an_id_what_overlaps_is_passed_over(tmp_path: Path) -> None:
    one, two, three = (
        task(f"T-{n}", f"scope: {{write: [{path}]}}")
        for n, path in ((1, "src/**"), (2, "src/a"), (3, "docs"))
    )
    world = made(tmp_path, one, two, three)
    alpha, beta, gamma = (world.worktree(name) for name in ("alpha", "beta", "gamma"))
    claims(alpha, "T-1")
    assert claims(beta).data["task"]["id"] == "T-3"
    error = gamma.refused("claim", code="waiting", exit=3)
    assert error["overlaps"][0].startswith("T-2 writes src/a")


# -- the record and the lease ------------------------------------------------------------


@pytest.mark.parametrize("words", [["T-1"], []], ids=["by id", "without"])
def test_a_claim_is_put_back_from_its_lease(world: World, words: list[str]) -> None:
    """As after a crash between lease and record, or the worker's `git reset --hard`."""
    alpha = world.worktree("alpha")
    alpha.ralph("claim", "T-1")
    held, recorded = world.lease("T-1"), alpha.read()
    alpha.git("reset", "--hard", "--quiet")
    (alpha.path / ".ralph" / "current.yaml").unlink()
    alpha.refused("claim", "T-2", code="already_working")
    again = alpha.ralph("claim", *words)
    assert (again.code, again.err) == (
        0,
        "warning: the claim on T-1 was made before; its record has been put back\n",
    )
    assert world.lease("T-1") == held
    assert alpha.read() == recorded
    assert alpha.git("diff", "--cached", "--name-only").splitlines() == [
        f"records/audit/T-1/{held['claim']}.yaml",
        "task-graph.yaml",
    ]
    events = [(e["event"], "note" in e) for e in alpha.audit("T-1", held["claim"])]
    assert events == [("claimed", False)]


def test_a_claim_that_was_killed_half_way_is_completed(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.ralph("claim", "T-1")
    held = world.lease("T-1")
    audited = f"records/audit/T-1/{held['claim']}.yaml"
    alpha.git("rm", "--cached", "--quiet", audited)
    (alpha.path / audited).unlink()
    again = alpha.ralph("claim")
    assert (again.code, again.err) == (
        0,
        "warning: the claim on T-1 was made before; its record has been completed\n",
    )
    assert [e["event"] for e in alpha.audit("T-1", held["claim"])] == ["claimed"]
    alpha.refused("claim", code="already_working")


def test_a_worktree_that_was_moved_keeps_its_claim(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.ralph("claim", "T-1")
    moved = alpha.path.with_name("elsewhere")
    world.git("worktree", "move", str(alpha.path), str(moved))
    there = Place(moved, alpha.environ)
    status = world.ralph("status", "--json").data
    assert status["attention"] == []
    (task,) = (task for task in status["tasks"] if task["id"] == "T-1")
    assert (task["holder"]["where"], task["stale"]) == ("worktree ../elsewhere", False)
    there.git("stash", "--include-untracked")
    there.claim("T-1")
    assert there.task("T-1")["claim"]["id"] == world.lease("T-1")["claim"]


def test_another_worktree_in_the_holder_s_place_is_not_the_holder(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.ralph("claim", "T-1")
    world.git("worktree", "remove", "--force", str(alpha.path))
    world.git("worktree", "add", "--quiet", "-b", "other", str(alpha.path))
    refused = claims(alpha, "T-1", "--worker", "bob")
    assert (refused.code, refused.error) == (5, "claim_held")


def test_a_dead_lease_is_replaced(world: World) -> None:
    """The base has moved past the claim: what is left of it guards nothing."""
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.ralph("claim", "T-1")
    world.replace("status: pending  # for now", "status: pending\n    epoch: 1")
    world.commit("As after a reset whose last step was lost")
    beta.merge("main")
    assert claims(beta, "T-1").code == 0
    assert (world.lease("T-1")["by"], world.lease("T-1")["epoch"]) == ("beta", 1)
    # alpha has lost it, and is free for another task.
    assert alpha.ralph("complete").code == 5


# -- files -------------------------------------------------------------------------------


def test_the_user_s_own_edits_stay_as_they_are(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.replace("title: Second", "title: Second, edited")
    alpha.write("staged.txt", "staged\n")
    alpha.git("add", "staged.txt")
    alpha.write("staged.txt", "staged, then edited\n")
    alpha.write("new.txt", "new\n")
    alpha.claim("T-1")
    claim = world.lease("T-1")["claim"]
    assert alpha.git("status", "--porcelain").splitlines() == [
        f"A  records/audit/T-1/{claim}.yaml",
        "AM staged.txt",
        "MM task-graph.yaml",
        "?? new.txt",
    ]
    unstaged = alpha.git("diff", "-U0", "task-graph.yaml").splitlines()[5:]
    assert unstaged == ["-    title: Second", "+    title: Second, edited"]
    staged = alpha.git("diff", "--cached", "-U0", "task-graph.yaml").splitlines()[5:]
    assert staged[:2] == ["-    status: pending  # for now", "+    status: in-progress  # for now"]
    assert not any("Second" in line for line in staged)


def test_windows_line_ends_stay(tmp_path: Path) -> None:
    world = made(tmp_path, task("T-1"), task("T-2"))
    world.write_graph(world.read().replace("\n", "\r\n"))
    world.commit("CRLF")
    alpha = world.worktree("alpha")
    assert claims(alpha, "T-2").code == 0
    text = alpha.read()
    assert text.count("\n") == text.count("\r\n") == world.read().count("\n") + 6
    assert alpha.git("diff", "--cached", "--numstat", "task-graph.yaml").split()[:2] == ["7", "1"]


def test_autocrlf(world: World) -> None:
    world.git("config", "core.autocrlf", "true")
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    assert "\r\n" in alpha.read()
    assert claims(alpha, "T-1").code == 0
    assert alpha.read().count("\n") == alpha.read().count("\r\n")
    assert alpha.git("diff", "--cached", "--numstat", "task-graph.yaml").split()[:2] == ["7", "1"]
    assert alpha.git("diff", "--name-only") == ""
    beta.refused("claim", "T-1", code="claim_held", exit=5)
    assert claims(beta, "T-2").code == 0


def test_a_graph_in_several_files(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("ralph.toml", 'graph = ["task-graph.yaml", "graph/**/*.yaml"]\n')
    world.write_graph(graph(task("T-1")))
    world.write("graph/solar.yaml", graph(task("S-1", "depends_on: [T-1]"), task("S-2")))
    world.write("graph/deep/wind.yaml", graph(task("W-1", "priority: 0")))
    world.write("other/not-a-graph.yaml", graph(task("X-1")))
    world.commit()
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    assert claims(alpha).data["task"]["file"] == "graph/deep/wind.yaml"
    assert claims(beta, "S-2").data["task"]["line"] == 7
    assert beta.git("diff", "--cached", "--name-only").startswith("graph/solar.yaml\n")
    gamma = world.worktree("gamma")
    gamma.refused("claim", "S-2", code="claim_held", exit=5)
    gamma.refused("claim", "S-1", code="dependencies_incomplete")
    gamma.refused("claim", "X-1", code="unknown_task", exit=2)


def test_one_file_a_task(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("ralph.toml", 'graph = ["graph/*.yaml"]\n')
    for id in ("T-1", "T-2"):
        world.write(f"graph/{id}.yaml", graph(task(id)))
    world.commit()
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    claim = claims(alpha, "T-1").data["task"]["claim"]["id"]
    assert alpha.git("diff", "--cached", "--name-only").splitlines() == [
        "graph/T-1.yaml",
        f"records/audit/T-1/{claim}.yaml",
    ]
    assert claims(beta).data["task"]["id"] == "T-2"
    alpha.commit("One")
    beta.commit("Two")
    assert world.merge("alpha").code == world.merge("beta").code == 0


@pytest.mark.parametrize("apart", [False, True], ids=["one file", "two files"])
def test_ids_that_differ_in_case_only(tmp_path: Path, apart: bool) -> None:
    world = World(tmp_path)
    world.write("ralph.toml", 'graph = ["task-graph.yaml", "more.yaml"]\n')
    world.write_graph(graph(task("T-1"), *(() if apart else [task("t-1")])))
    world.write("more.yaml", graph(task("t-1") if apart else task("T-2")))
    world.commit()
    error = world.refused("claim", "T-1", code="duplicate_id", exit=6)
    where = ("main:task-graph.yaml", 3) if apart else ("main:task-graph.yaml", 6)
    first = "more.yaml:3" if apart else "task-graph.yaml:3"
    assert (error["file"], error["line"]) == where
    assert error["message"].endswith(f"first at {first}")


def test_a_graph_that_is_not_on_the_base_yet(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("README", "x\n")
    world.commit()
    alpha = world.worktree("alpha")
    alpha.write_graph(GRAPH)
    result = claims(alpha, "T-1")
    assert (result.code, result.json["warnings"]) == (
        0,
        ["main has no task graph yet; this worktree's files serve"],
    )
    assert "+    status: in-progress  # for now" in alpha.git("diff", "--cached")


# -- workers -----------------------------------------------------------------------------


def test_a_worker_s_name_the_strongest_first(world: World) -> None:
    """Folder, then ralph.toml, git config, environment, flag."""

    def name(place: Place, *words: str, env: dict[str, str] | None = None) -> str:
        result = place.ralph("claim", "T-1", "--json", *words, env=env)
        assert result.code == 0, result
        assert place.ralph("release", "T-1").code == 0
        return str(result.data["task"]["claim"]["by"])

    alpha = world.worktree("alpha")
    assert name(alpha) == "alpha"
    alpha.write("ralph.toml", 'worker = "from-file"\n')
    assert name(alpha) == "from-file"
    world.git("config", "ralph.worker", "from-config")
    assert name(alpha) == "from-config"
    env = {"RALPH_WORKER": "from-environment"}
    assert name(alpha, env=env) == "from-environment"
    assert name(alpha, "--worker", "from-flag", env=env) == "from-flag"
    alpha.refused("claim", "T-1", "--worker", "not a name", code="bad_worker", exit=2)


def test_a_worker_s_name_from_an_odd_folder(world: World) -> None:
    world.git("worktree", "add", "--quiet", "-b", "odd", str(world.folder / "..ünder way.lock"))
    odd = Place(world.folder / "..ünder way.lock", world.environ)
    by = claims(odd, "T-1").data["task"]["claim"]["by"]
    assert by == "worker"


# -- the base ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "way", ["ralph.toml", "git config", "environment", "origin/HEAD", "only branch"]
)
def test_a_base_that_is_not_main(tmp_path: Path, way: str) -> None:
    world = World(tmp_path)
    world.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    world.write_graph(graph(task("T-1")))
    world.commit()
    if way != "only branch":
        world.git("branch", "main")
    if way == "ralph.toml":
        world.write("ralph.toml", 'base = "trunk"\n')
    if way == "origin/HEAD":
        path = world.folder / "origin.git"
        world.git("init", "--quiet", "--bare", "--initial-branch=trunk", str(path))
        world.git("remote", "add", "origin", str(path))
        world.git("push", "--quiet", "origin", "trunk", "main")
    world.write_graph(graph(task("T-1"), task("T-2", "depends_on: [T-1]"), task("T-0")))
    world.replace("T-1\n    title: Task T-1\n    status: pending",
                  "T-1\n    title: Task T-1\n    status: complete")  # fmt: skip
    tip = world.commit()
    env = {"RALPH_BASE": "trunk"} if way == "environment" else {}
    if way == "git config":
        world.git("config", "ralph.base", "trunk")
    if way == "origin/HEAD":
        world.git("push", "--quiet", "origin", "trunk")
        world.git("remote", "set-head", "origin", "trunk")
    alpha = world.worktree("alpha")
    result = alpha.ralph("claim", "T-2", "--json", env=env)
    assert (result.code, result.err) == (0, "")
    assert result.data["task"]["claim"]["base"] == tip[:12]


def test_a_base_that_does_not_exist(world: World) -> None:
    world.git("config", "ralph.base", "trnuk")
    error = world.refused("claim", "T-1", code="no_commit")
    assert error["message"] == "the base branch trnuk does not exist, or has no commit yet"


def test_the_base_s_own_remote_counts_among_several(world: World) -> None:
    for name in ("origin", "upstream"):
        world.git("init", "--quiet", "--bare", str(world.folder / f"{name}.git"))
        world.git("remote", "add", name, str(world.folder / f"{name}.git"))
        world.git("push", "--quiet", name, "main")
    world.git("config", "branch.main.remote", "upstream")
    other = world.folder / "other"
    world.git("clone", "--quiet", str(world.folder / "upstream.git"), str(other))
    there = Place(other, world.environ)
    there.git("checkout", "--quiet", "main")
    there.replace("title: First", "title: First, upstream")
    there.commit()
    there.git("push", "--quiet", "origin", "main")
    alpha = world.worktree("alpha")
    assert claims(alpha, "T-2").data["task"]["claim"]["base"] == there.head[:12]
    assert alpha.head == there.head


def test_a_remote_s_base_is_fetched_unless_told_otherwise(world: World) -> None:
    other = world.clone("other")
    claims(other, "T-1")
    other.commit("Half of it")
    other.git("push", "--quiet", "origin", "HEAD:main")
    alpha, before = world.worktree("alpha"), world.head
    assert claims(alpha, "T-1", "--no-fetch").code == 0
    assert world.lease("T-1")["base"] == before[:12]
    assert alpha.ralph("release", "T-1").code == 0
    beta = world.worktree("beta")
    fetched = claims(beta, "T-1")
    assert (fetched.code, fetched.error) == (5, "claim_held")
    assert fetched.json["error"]["holder"]["worker"] == "other"
    assert world.git("rev-parse", "origin/main") == other.head
    assert world.leases == []


def test_an_unreachable_remote(world: World) -> None:
    path = world.origin.path
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    path.rename(path.with_name("gone.git"))
    error = alpha.refused("claim", "T-1", "--require-remote", code="remote_unavailable", exit=4)
    assert error["remote"] == "origin"
    world.git("config", "ralph.requireRemote", "true")
    alpha.refused("claim", "T-1", code="remote_unavailable", exit=4)
    world.git("config", "ralph.requireRemote", "false")
    result = claims(alpha, "T-1")
    assert result.code == 0
    (warning,) = result.json["warnings"]
    assert warning.startswith("the remote origin cannot be reached: ")
    assert warning.endswith("; going on with what was fetched before")
    assert result.data["task"]["claim"]["unsynchronised"] is True
    assert world.lease("T-1")["unsynchronised"] is True
    assert "      unsynchronised: true\n" in alpha.read()
    quiet = claims(beta, "T-2", "--no-fetch")
    assert (quiet.code, quiet.json["warnings"]) == (0, [])
    assert "unsynchronised" not in quiet.data["task"]["claim"]


def test_a_local_base_that_is_ahead_is_told(world: World) -> None:
    world.origin.git("rev-parse", "main")
    world.replace("title: First", "title: First, not pushed")
    world.commit()
    result = world.ralph("status")
    assert result.err == (
        "warning: the local main is 1 commit ahead of origin/main, which decides: "
        "ralphgit land main\n"
    )
    assert result.out.splitlines()[0] == "origin/main: 1 waiting, 2 ready"
    for command in ("next", "preflight", "claim"):
        assert world.ralph(command).err == result.err, "and wherever the base decides"


def test_a_bare_common_repository(tmp_path: Path) -> None:
    seed = made(tmp_path, task("T-1"), task("T-2"), name="seed")
    bare = tmp_path / "proj" / ".bare"
    seed.git("clone", "--quiet", "--bare", str(seed.path), str(bare))
    common = Place(bare, seed.environ)
    for name in ("main", "alpha"):
        new = [] if name == "main" else ["-b", name]
        common.git("worktree", "add", "--quiet", *new, str(tmp_path / "proj" / name),
                   *(["main"] if name == "main" else []))  # fmt: skip
    main, alpha = (Place(tmp_path / "proj" / name, seed.environ) for name in ("main", "alpha"))
    assert claims(common, "T-1").error == "bare"
    assert claims(alpha, "T-1").data["task"]["claim"]["by"] == "alpha"
    held = claims(main, "T-1")
    assert (held.code, held.json["error"]["holder"]["where"]) == (5, "worktree ../alpha")
    # The worktree of main is a linked one as well: several may work beside each other.
    assert claims(main, "T-2").data["task"]["claim"]["by"] == "main"


# -- lease modes -------------------------------------------------------------------------


def test_without_leases_the_merge_decides(world: World) -> None:
    world.write("ralph.toml", 'lease = "off"\n')
    world.commit()
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    assert claims(alpha, "T-1").json["warnings"] == []
    second = claims(beta, "T-1")
    assert (second.code, second.json["warnings"]) == (
        0,
        ["alpha holds T-1 in worktree ../proj-alpha; leases are off, so the merge decides"],
    )
    assert world.leases == []
    alpha.commit("Mine")
    beta.commit("No, mine")
    assert world.merge("alpha").code == 0
    assert world.merge("beta").code == 1
    assert world.git("diff", "--name-only", "--diff-filter=U") == "task-graph.yaml"


@pytest.fixture
def machines(world: World) -> tuple[Place, Place, Place]:
    """Two clones on two machines, and the remote between them; leases are remote."""
    world.write("ralph.toml", 'lease = "remote"\n')
    world.commit()
    return world.clone("one"), world.clone("two"), world.origin


@pytest.mark.parametrize(("meanwhile", "code", "looks"), [("T-2", 0, 1), ("T-1", 5, 2)])
def test_what_others_commit_between_the_look_and_the_lease(
    meanwhile: str, code: int, looks: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked at with the lease in hand; what is about other tasks costs no second claim."""
    beta, alpha = world.worktree("beta"), world.worktree("alpha")
    beta.did(meanwhile, {"one/a" if meanwhile == "T-1" else "two/a": "done\n"})
    done = beta.head
    beta.git("reset", "--quiet", "--hard", "main")
    beta.git("update-ref", "-d", f"refs/ralph/leases/{meanwhile}")
    look, looked = ClaimMap.__init__, list[Project]()

    def counted(self: ClaimMap, project: Project) -> None:
        looked.append(project)
        look(self, project)

    def finished(*given: Any, **named: Any) -> Any:
        world.git("update-ref", "refs/heads/beta", done)
        return acquire(*given, **named)

    acquire = leases.acquire
    monkeypatch.setattr(ClaimMap, "__init__", counted)
    monkeypatch.setattr(leases, "acquire", finished)
    claimed = alpha.ralph("claim", "T-1", "--json")
    assert (claimed.code, len(looked)) == (code, looks), claimed.out
    assert world.leases == (["T-1"] if not code else [])


def test_a_remote_lease_holds_between_machines(
    world: World, machines: tuple[Place, Place, Place]
) -> None:
    one, two, origin = machines
    assert claims(one, "T-1").code == 0
    held = one.lease("T-1")
    assert origin.lease("T-1") == held
    refused = claims(two, "T-1")
    assert (refused.code, refused.error) == (5, "claim_held")
    holder = refused.json["error"]["holder"]
    assert (holder["worker"], holder["since"], holder["claim"]) == (
        "one",
        held["at"],
        held["claim"],
    )
    assert two.leases == []
    assert two.git("status", "--porcelain") == ""
    # What somebody has elsewhere is not offered here.
    assert claims(two).data["task"]["id"] == "T-2"
    assert origin.leases == ["T-1", "T-2"]


def test_a_remote_lease_goes_with_release(machines: tuple[Place, Place, Place]) -> None:
    one, two, origin = machines
    claims(one, "T-1")
    assert one.ralph("release", "T-1").code == 0
    assert origin.leases == one.leases == []
    assert claims(two, "T-1").code == 0


def test_a_remote_lease_goes_once_the_task_has_landed(
    machines: tuple[Place, Place, Place],
) -> None:
    one, _, origin = machines
    claims(one, "T-1")
    one.write("one/a.txt", "x\n")
    one.complete()
    assert origin.leases == ["T-1"]
    one.git("push", "--quiet", "origin", "HEAD:main")
    assert claims(one, "T-2").code == 0
    assert origin.leases == one.leases == ["T-2"]


def test_a_remote_that_is_gone_leaves_the_lease_here(
    machines: tuple[Place, Place, Place],
) -> None:
    one, _, origin = machines
    origin.path.rename(origin.path.with_name("gone.git"))
    result = claims(one, "T-1")
    assert (result.code, len(result.json["warnings"])) == (0, 2)
    assert result.json["warnings"][1].endswith("; the lease is on this machine only")
    assert result.data["task"]["claim"]["unsynchronised"] is True


def test_a_remote_that_takes_no_leases(machines: tuple[Place, Place, Place]) -> None:
    """It is found out once, and said; then the merge alone decides."""
    one, two, origin = machines
    refuses = "#!/bin/sh\ncase $1 in refs/ralph/*) echo no refs of yours; exit 1;; esac\n"
    hook = origin.write("hooks/update", refuses)
    hook.chmod(0o755)
    result = claims(one, "T-1")
    (told,) = result.json["warnings"]
    assert result.code == 0 and "no refs of yours" in told
    assert told.endswith("leases are on this machine only, and between machines the merge decides")
    assert (one.leases, origin.leases) == (["T-1"], [])
    assert one.ralph("release", "T-1", "--json").json["warnings"] == []
    assert claims(one, "T-2").json["warnings"] == []
    # Elsewhere nobody sees it.
    assert claims(two, "T-2").code == 0


def test_a_lease_of_the_remote_is_not_forgotten_offline(
    machines: tuple[Place, Place, Place],
) -> None:
    one, two, origin = machines
    claims(one, "T-1")
    assert claims(two, "T-1").code == 5
    origin.path.rename(origin.path.with_name("gone.git"))
    again = claims(two, "T-1")
    assert (again.code, again.error) == (5, "claim_held")
