"""Reconcile, integrate and land: what came back, in which order, and what it is together."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import Place, World, until

from ralphgit.rules import integration_order

GRAPH = """\
version: 1
tasks:
{tasks}"""
TASK = """\
  - id: {id}
    title: Task {id}
    status: pending
    acceptance:
      - {id} works
    verify:
      - {verify}
    scope:
      write:
        - {write}
{more}"""


def task(id: str, verify: str, write: str, **more: str) -> str:
    """A task; `more` are further fields, each as a list of one."""
    reads = f"      read:\n        - {more.pop('read')}\n" if "read" in more else ""
    lines = reads + "".join(f"    {name}:\n      - {value}\n" for name, value in more.items())
    return TASK.format(id=id, verify=verify, write=write, more=lines)


def world_of(folder: Path, *tasks: str, **files: str) -> World:
    world = World(folder)
    world.write_graph(GRAPH.format(tasks="".join(tasks)))
    for name, text in files.items():
        world.write(name.replace("__", "."), text)
    world.commit("Plan")
    assert world.ralph("trust", "--yes").code == 0
    return world


def worked(world: World, name: str, task: str, files: dict[str, str], *words: str) -> Place:
    """A worktree in which a task is complete, on a branch of the worktree's name."""
    place = world.worktree(name, at="main")
    claimed = place.ralph("claim", task)
    assert claimed.code == 0, claimed.err
    for path, text in files.items():
        place.write(path, text)
    done = place.ralph("complete", *words)
    assert done.code == 0, done.err
    return place


def states(world: World) -> dict[str, str]:
    return {
        one["id"]: one["state"] for one in world.ralph("status", "--all", "--json").data["tasks"]
    }


def no_trace(world: World) -> bool:
    """Whether there is no worktree of an integration left."""
    return "integration" not in world.git("worktree", "list") and not list(
        world.folder.glob("*integration*")
    )


# -- reconcile -------------------------------------------------------------------------------


@pytest.fixture
def plain(tmp_path: Path) -> World:
    return world_of(
        tmp_path,
        task("A", "test -s a.txt", "a.txt"),
        task("B", "test -s b.txt", "b.txt", outputs="b.txt"),
        task("C", "true", "c.txt"),
    )


def issues(world: World, *branches: str) -> list[tuple[str, str]]:
    found = world.ralph("reconcile", *branches, "--json")
    return [(one["severity"], one["code"]) for b in found.data["branches"] for one in b["issues"]]


def test_what_is_as_asked_is_ready(plain: World) -> None:
    worked(plain, "alpha", "A", {"a.txt": "a\n"})
    before = plain.snapshot()
    found = plain.ralph("reconcile", "alpha")
    assert (found.code, found.out) == (0, "alpha: ready (A; 1 file changed)\n")
    assert plain.snapshot() == before


def test_files_outside_the_scope_and_missing_outputs(plain: World) -> None:
    worked(plain, "beta", "B", {"a.txt": "not mine\n"}, "--force", "I must")
    found = issues(plain, "beta")
    assert ("error", "outside_scope") in found
    assert ("error", "missing_output") in found
    assert ("warning", "forced") in found
    assert ("warning", "criterion_open") in found
    assert plain.ralph("reconcile", "beta").code == 1


def test_concerns_blockers_and_what_is_not_complete(plain: World) -> None:
    worked(plain, "alpha", "A", {"a.txt": "a\n"}, "--concern", "it is ugly")
    assert issues(plain, "alpha") == [("warning", "concern")]
    assert plain.ralph("reconcile", "alpha").code == 0
    beta = plain.worktree("beta")
    beta.ralph("claim", "B")
    beta.ralph("block", "--reason", "needs_context", "--question", "Which?")
    assert ("error", "blocked") in issues(plain, "beta")
    hint = plain.ralph("reconcile", "beta", "--json").json["error"]["hint"]
    assert hint == 'ralphgit reply B "TEXT"'
    gamma = plain.worktree("gamma")
    gamma.ralph("claim", "C")
    gamma.commit("Begun")
    gamma.write(".ralph/report.yaml", "status: done\nsummary: all is well\n")
    found = issues(plain, "gamma")
    assert ("error", "not_complete") in found
    assert ("error", "report_unproved") in found


def test_what_is_no_workers_branch_is_a_wrong_word(plain: World) -> None:
    plain.git("switch", "-q", "-c", "side")
    plain.write("side.txt", "x\n")
    plain.commit("Side")
    plain.git("switch", "-q", "main")
    assert plain.ralph("reconcile", "side", "--json").error == "not_a_worker"
    assert plain.ralph("reconcile", "none", "--json").error == "bad_revision"


# -- integrate: what goes well -------------------------------------------------------------------


def test_branches_land_in_the_order_of_their_dependencies(tmp_path: Path) -> None:
    world = world_of(
        tmp_path,
        task("A", "test -s a.txt", "a.txt", depends_on="B"),
        task("B", "test -s b.txt", "b.txt"),
    )
    beta = worked(world, "beta", "B", {"b.txt": "b\n"})
    alpha = world.worktree("alpha", at=beta.head)
    alpha.claim("A", "--stack")
    alpha.write("a.txt", "a\n")
    alpha.complete()
    alpha_alone = world.ralph("integrate", "alpha", "--dry-run", "--json")
    assert alpha_alone.code == 0, alpha_alone.out
    done = world.ralph("integrate", "alpha", "beta", "--json")
    assert done.code == 0, done.out
    assert done.data["order"] == ["beta", "alpha"]
    assert states(world) == {"A": "complete", "B": "complete"}
    # Again: there is nothing left of them.
    again = world.ralph("integrate", "alpha", "beta", "--json")
    assert (again.code, again.data["merged"]) == (0, [])
    assert "beta is already on main" in again.json["warnings"]


def test_two_branches_that_bring_the_same_task_are_refused(plain: World) -> None:
    alpha = worked(plain, "alpha", "A", {"a.txt": "a\n"})
    plain.git("branch", "other", "alpha")
    alpha.write("a.txt", "more\n")
    alpha.commit("More")
    done = plain.ralph("integrate", "alpha", "other", "--json")
    assert (done.code, done.error) == (2, "same_task")


def test_independent_branches_land_together_with_evidence_and_audit(plain: World) -> None:
    worked(plain, "alpha", "A", {"a.txt": "a\n"})
    worked(plain, "beta", "B", {"b.txt": "b\n"})
    done = plain.ralph("integrate", "beta", "alpha")
    assert done.code == 0, done.err
    assert done.out.splitlines()[0] == "order: alpha, beta"
    assert done.out.splitlines()[-1].startswith("landed on main: alpha, beta (")
    assert states(plain) == {"A": "complete", "B": "complete", "C": "ready"}
    assert plain.read("a.txt") == "a\n"
    assert plain.git("status", "--porcelain") == ""
    assert plain.ralph("check").out == "No problem found.\n"
    events = [entry["event"] for entry in plain.ralph("log", "A", "--json").data["events"]]
    assert events == ["claimed", "completed", "landed"]
    assert plain.git("for-each-ref", "refs/ralph/leases") == ""
    assert no_trace(plain)


def test_a_dry_run_writes_nothing(plain: World) -> None:
    worked(plain, "alpha", "A", {"a.txt": "a\n"})
    worked(plain, "beta", "B", {"b.txt": "b\n"})
    before = plain.snapshot()
    found = plain.ralph("integrate", "alpha", "beta", "--dry-run", "--json")
    assert found.code == 0, found.out
    assert (found.data["order"], found.data["merged"]) == (["alpha", "beta"], ["alpha", "beta"])
    assert plain.snapshot() == before


def test_evidence_that_a_merge_makes_stale_is_made_anew(tmp_path: Path) -> None:
    """B reads what A writes: both scopes say so."""
    world = world_of(
        tmp_path,
        task("A", "test -s a.txt", "a.txt"),
        task("B", "grep -q . a.txt && test -s b.txt", "b.txt", read="a.txt"),
        a__txt="old\n",
    )
    worked(world, "alpha", "A", {"a.txt": "new\n"})
    worked(world, "beta", "B", {"b.txt": "b\n"})
    planned = world.ralph("integrate", "alpha", "beta", "--dry-run", "--json").data
    assert [one["task"] for one in planned["stale"]] == ["B"]
    done = world.ralph("integrate", "alpha", "beta", "--json")
    assert done.code == 0, done.out
    assert [path.split("/")[2] for path in done.data["evidence"]] == ["B"]
    fresh = world.ralph("evidence", "verify", "B")
    assert fresh.code == 0, fresh.out


def test_land_is_for_one_branch_and_needs_no_run_of_its_own(plain: World) -> None:
    """Nothing has moved since it was verified, so that holds."""
    alpha = worked(plain, "alpha", "A", {"a.txt": "a\n"})
    plain.ralph("trust", "--revoke")
    done = alpha.ralph("land")
    assert done.code == 0, done.err
    assert states(plain)["A"] == "complete"


@pytest.mark.slow
def test_a_task_is_one_step_of_the_base(plain: World) -> None:
    """The work's own commit, else one merge commit, which says that the task has landed."""
    begun = plain.head
    alpha = worked(plain, "alpha", "A", {"a.txt": "a\n"})
    beta = plain.worktree("beta", at="main")
    beta.claim("B")
    beta.write("b.txt", "half\n")
    beta.commit("Half of it")
    beta.write("b.txt", "b\n")
    beta.complete()
    gamma = worked(plain, "gamma", "C", {"c.txt": "c\n"})
    steps, work = [], gamma.head
    for place, branch in ((alpha, "alpha"), (beta, "beta"), (gamma, "gamma")):
        assert place.ralph("land").code == 0, branch
        told = plain.git("log", "--first-parent", "--format=%s", f"{begun}..main").split("\n")
        steps.append(told[0])
        assert len(told) == len(steps)
    assert steps == ["A: Task A", "Merge B (beta) into main", "Merge C (gamma) into main"]
    assert plain.git("rev-parse", "main^2") == work and gamma.head == plain.head
    for name, last in (("A", "completed"), ("B", "landed"), ("C", "landed")):
        events = plain.audit(name, plain.task(name)["claim"]["id"])
        assert events[-1]["event"] == last
    assert plain.ralph("check").code == 0


@pytest.mark.slow
def test_the_command_for_the_whole_runs_and_is_recorded(tmp_path: Path) -> None:
    world = world_of(
        tmp_path,
        task("A", "test -s a.txt", "a.txt"),
        task("B", "test -s b.txt", "b.txt"),
        ralph__toml='[integrate]\nverify = "test -s a.txt && test -s b.txt"\n',
    )
    worked(world, "alpha", "A", {"a.txt": "a\n"})
    worked(world, "beta", "B", {"b.txt": "b\n"})
    failed = world.ralph("land", "alpha", "--json")
    assert (failed.code, failed.error) == (1, "verification")
    assert states(world)["A"] == "in-review"
    done = world.ralph("integrate", "alpha", "beta", "--json")
    assert done.code == 0, done.out
    assert len(done.data["evidence"]) == 1
    shown = world.ralph("evidence", "list", "B", "--json").data["evidence"]
    assert [one["shows"] for one in shown] == ["the command exits 0", "A, B work together"]


def test_over_a_remote_the_result_is_pushed(plain: World) -> None:
    plain.origin  # noqa: B018 - makes the remote
    worked(plain, "alpha", "A", {"a.txt": "a\n"})
    # Somebody else was quicker with something else.
    other = plain.clone("other")
    other.write("elsewhere.txt", "x\n")
    other.commit("Elsewhere")
    other.git("push", "-q", "origin", "main")
    done = plain.ralph("integrate", "alpha", "--json")
    assert done.code == 0, done.out
    assert done.data["pushed"] is True
    assert plain.origin.git("show", "main:a.txt") == "a"
    assert plain.origin.git("show", "main:elsewhere.txt") == "x"


# -- integrate: what does not go together ---------------------------------------------------------


def hidden(folder: Path) -> World:
    """Three tasks that seem independent; C's program uses what A changes, and does not say so."""
    world = world_of(
        folder,
        task("A", "sh lib.sh | grep -q greeting", "lib.sh"),
        task("B", "test -s b.txt", "b.txt"),
        task("C", "sh main.sh | grep -q hello", "main.sh"),
        lib__sh="echo hello\n",
    )
    worked(world, "alpha", "A", {"lib.sh": "echo greeting\n"})
    worked(world, "beta", "B", {"b.txt": "b\n"})
    worked(world, "gamma", "C", {"main.sh": "sh lib.sh\n"})
    return world


@pytest.mark.slow
def test_a_hidden_coupling_is_found_and_what_was_before_it_lands(tmp_path: Path) -> None:
    world = hidden(tmp_path)
    assert world.ralph("integrate", "alpha", "beta", "gamma", "--dry-run").code == 0
    done = world.ralph("integrate", "alpha", "beta", "gamma", "--json")
    assert (done.code, done.error) == (1, "coupling")
    stop: dict[str, Any] = done.data["stops"][0]
    assert (stop["kind"], stop["branch"], stop["other"]) == ("coupling", "gamma", "alpha")
    assert (stop["paths"], stop["foreseen"]) == (["lib.sh"], "")
    assert stop["command"] == "sh main.sh | grep -q hello"
    assert done.data["merged"] == ["alpha", "beta"]
    assert states(world) == {"A": "complete", "B": "complete", "C": "in-review"}
    assert no_trace(world)


@pytest.mark.slow
def test_a_coupling_with_what_has_landed_before_names_the_base(tmp_path: Path) -> None:
    world = hidden(tmp_path)
    assert world.ralph("land", "alpha").code == 0
    done = world.ralph("land", "gamma", "--json")
    assert (done.code, done.error) == (1, "coupling")
    assert done.data["stops"][0]["other"] == "main"
    assert states(world)["C"] == "in-review"


def test_a_branch_that_breaks_what_has_landed_is_not_landed(tmp_path: Path) -> None:
    """B says that it reads a.txt, and has landed; A comes later, and breaks it."""
    world = world_of(
        tmp_path,
        task("A", "test -s a.txt", "a.txt"),
        task("B", "grep -q old a.txt", "b.txt", read="a.txt"),
        a__txt="old\n",
    )
    worked(world, "alpha", "A", {"a.txt": "new\n"})
    worked(world, "beta", "B", {"b.txt": "b\n"})
    assert world.ralph("land", "beta").code == 0
    done = world.ralph("land", "alpha", "--json")
    assert (done.code, done.error) == (1, "coupling")
    assert done.data["stops"][0]["command"] == "grep -q old a.txt"
    assert states(world) == {"A": "in-review", "B": "complete"}


def test_a_conflict_that_nobody_foresaw_ends_it(tmp_path: Path) -> None:
    """Neither says what it writes."""
    world = World(tmp_path)
    bodies = "".join(
        f"  - id: {name}\n    title: Task {name}\n    status: pending\n"
        f"    verify:\n      - test -s {name}.txt\n"
        for name in "AB"
    )
    world.write_graph(GRAPH.format(tasks=bodies))
    world.write("both.txt", "one\n")
    world.commit("Plan")
    world.ralph("trust", "--yes")
    worked(world, "alpha", "A", {"A.txt": "a\n", "both.txt": "alpha\n"})
    worked(world, "beta", "B", {"B.txt": "b\n", "both.txt": "beta\n"})
    planned = world.ralph("integrate", "alpha", "beta", "--dry-run", "--json").data
    assert planned["conflicts"] == [
        {"a": "alpha", "b": "beta", "paths": ["both.txt"], "foreseen": ""}
    ]
    done = world.ralph("integrate", "alpha", "beta", "--json")
    assert (done.code, done.error) == (1, "coupling")
    stop = done.data["stops"][0]
    assert (stop["kind"], stop["branch"], stop["other"]) == ("conflict", "beta", "alpha")
    assert stop["paths"] == ["both.txt"]
    assert states(world) == {"A": "complete", "B": "in-review"}


@pytest.mark.slow
def test_a_conflict_that_was_foreseen_leaves_one_out_and_the_others_go_on(tmp_path: Path) -> None:
    world = world_of(
        tmp_path,
        task("A", "test -s both.txt", "both.txt"),
        task("B", "test -s b.txt", "b.txt"),
        task("C", "test -s c.txt", '"{both,c}.txt"'),
        both__txt="one\n",
    )
    worked(world, "alpha", "A", {"both.txt": "alpha\n"})
    worked(world, "beta", "B", {"b.txt": "b\n"})
    gamma = world.worktree("gamma", at="main")
    gamma.claim("C", "--force", "at the same time")
    gamma.write("both.txt", "gamma\n")
    gamma.write("c.txt", "c\n")
    gamma.complete()
    done = world.ralph("integrate", "gamma", "alpha", "beta", "--json")
    assert done.code == 1
    assert [stop["kind"] for stop in done.data["stops"]] == ["conflict"]
    assert done.data["stops"][0]["foreseen"]
    assert done.data["merged"] == ["beta", "alpha"]


def coupled(folder: Path, **more: str) -> World:
    """B does not work beside A, which has another file; C has nothing to do with either."""
    world = world_of(
        folder,
        task("A", "test -s a.txt", "a.txt"),
        task("B", "test ! -e a.txt", "b.txt", **more),
        task("C", "test -s c.txt", "c.txt"),
    )
    for number, name in enumerate("ABC"):
        worktree = world.worktree(name.lower(), at="main")
        worktree.claim(name, "--force", "at the same time")
        worktree.write(f"{name.lower()}.txt", f"{number}\n")
        worktree.complete()
    return world


@pytest.mark.slow
def test_a_coupling_that_was_foreseen_leaves_one_out_and_the_others_go_on(tmp_path: Path) -> None:
    world = coupled(tmp_path, read="a.txt")
    done = world.ralph("integrate", "a", "b", "c", "--json")
    assert (done.code, done.error) == (1, "coupling")
    assert [(one["kind"], one["branch"]) for one in done.data["stops"]] == [("coupling", "b")]
    assert done.data["merged"] == ["a", "c"]
    assert states(world) == {"A": "complete", "B": "in-review", "C": "complete"}
    assert not (world.path / "b.txt").exists()
    # Also where the other side has landed.
    again = world.ralph("land", "b", "--json").data["stops"][0]
    assert (again["other"], again["foreseen"]) == ("main", "B reads a.txt, A writes a.txt: a.txt")


@pytest.mark.slow
def test_behind_what_nobody_foresaw_all_are_named_and_land_all_goes_on(tmp_path: Path) -> None:
    world = coupled(tmp_path)
    done = world.ralph("integrate", "a", "b", "c", "--json")
    assert (done.code, done.data["merged"]) == (1, ["a"])
    assert [(one["kind"], one["branch"]) for one in done.data["stops"]] == [
        ("coupling", "b"), ("not-tried", "c"),
    ]  # fmt: skip
    assert done.json["error"]["message"] == "b, c was not integrated"
    assert world.ralph("land", "--all", "--json").data["merged"] == ["c"]


def test_what_is_not_ready_stops_everything_before_anything(plain: World) -> None:
    worked(plain, "alpha", "A", {"a.txt": "a\n"})
    beta = plain.worktree("beta")
    beta.ralph("claim", "B")
    beta.commit("Begun")
    before = plain.git("rev-parse", "main")
    done = plain.ralph("integrate", "alpha", "beta", "--json")
    assert (done.code, done.error) == (1, "not_ready")
    assert plain.git("rev-parse", "main") == before


def test_work_of_high_risk_waits_for_its_review(tmp_path: Path) -> None:
    body = task("A", "test -s a.txt", "a.txt")
    world = world_of(tmp_path, body.replace("pending\n", "pending\n    risk: high\n"))
    worked(world, "alpha", "A", {"a.txt": "a\n"})
    refused = world.ralph("land", "alpha", "--json")
    assert (refused.code, refused.error) == (7, "review_missing")
    world.ralph("audit", "add", "A", "--target", "alpha", "--by", "ann", "--verdict", "clear")
    world.commit("A review")
    assert world.ralph("land", "alpha").code == 0


def test_a_review_that_comes_with_the_work_is_none(tmp_path: Path) -> None:
    body = task("A", "test -s a.txt", "a.txt")
    body = body.replace("pending\n", "pending\n    risk: high\n")
    world = world_of(tmp_path, body, task("B", "true", "b.txt"))
    alpha = worked(world, "alpha", "A", {"a.txt": "a\n"})
    alpha.ralph("audit", "add", "A", "--by", "alice", "--verdict", "clear")
    alpha.commit("A review")
    other = worked(world, "beta", "B", {"b.txt": "b\n"})
    other.ralph("audit", "add", "A", "--target", "alpha", "--by", "alice", "--verdict", "clear")
    other.commit("A review")
    carried = world.ralph("reconcile", "beta", "--json").data["branches"][0]["issues"]
    assert [one["code"] for one in carried if one["severity"] == "error"] == ["carried_claim"]
    for words in (("land", "alpha"), ("land", "--all"), ("integrate", "alpha")):
        refused = world.ralph(*words, "--json")
        wanted = (1, "not_ready") if "--all" in words else (7, "review_missing")
        assert (refused.code, refused.error) == wanted, words
        said = refused.data["stops"][0]["message"]
        assert "one that comes with the work may be the worker's own" in said
    waits = world.ralph("inbox", "--json").data["questions"]
    assert [(one["task"], one["reason"]) for one in waits] == [("A", "review")]


def test_untrusted_commands_do_not_run(tmp_path: Path) -> None:
    world = hidden(tmp_path)
    world.ralph("trust", "--revoke")
    before = world.git("rev-parse", "main")
    done = world.ralph("integrate", "alpha", "gamma", "--json")
    assert (done.code, done.error) == (7, "untrusted")
    assert world.git("rev-parse", "main") == before
    assert no_trace(world)


@pytest.mark.slow
def test_killed_while_it_proves_it_has_changed_nothing(tmp_path: Path) -> None:
    world = world_of(
        tmp_path,
        task("A", "test -s a.txt", "a.txt"),
        task("B", "test -s b.txt", "b.txt"),
        ralph__toml='[integrate]\nverify = "test ! -e slow || { touch $HOME/on; sleep 600; }"\n',
    )
    world.write("slow", "x\n")
    world.commit("Slow")
    worked(world, "alpha", "A", {"a.txt": "a\n"})
    worked(world, "beta", "B", {"b.txt": "b\n"})
    before = world.git("rev-parse", "main")
    process = subprocess.Popen(
        [sys.executable, "-m", "ralphgit", "integrate", "alpha", "beta"],
        cwd=world.path, env=world.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    running = Path(world.environ["HOME"], "on")
    until(running.exists)  # the command that is waited for makes a file, and no more
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert world.git("rev-parse", "main") == before
    assert world.git("status", "--porcelain") == ""
    left = world.ralph("doctor", "--json").data["findings"]
    assert "left_worktree" in [finding["code"] for finding in left]
    world.ralph("doctor", "--fix")
    assert no_trace(world)
    (world.path / "slow").unlink()
    world.commit("Quick")
    assert world.ralph("integrate", "alpha", "beta").code == 0


# -- order -------------------------------------------------------------------------------------


@given(
    st.integers(1, 7),
    st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=8),
    st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=8),
)
def test_the_order_keeps_dependencies_and_leaves_nobody_out(
    count: int, edges: set[tuple[int, int]], meets: set[tuple[int, int]]
) -> None:
    """Edges go from a higher to a lower number, so there is no circle."""
    from rows import row

    names = [f"b{number}" for number in range(count)]
    branches = [
        integration_order.Branch(name, name, (row(f"T-{number}"),), ())
        for number, name in enumerate(names)
    ]
    depends = {
        f"T-{high}": frozenset(f"T-{low}" for other, low in edges if other == high and low < high)
        for high in range(count)
    }
    conflicts = {
        integration_order.pair(names[one], names[other]): ("x",)
        for one, other in meets
        if one < other < count
    }
    ordered = [branch.name for branch in integration_order.order(branches, conflicts, depends)]
    assert sorted(ordered) == sorted(names)
    for high in range(count):
        for needed in depends[f"T-{high}"]:
            low = int(needed.removeprefix("T-"))
            assert ordered.index(names[low]) < ordered.index(names[high])


def test_what_only_the_result_shows_to_be_wrong_does_not_land(plain: World) -> None:
    """Each branch adds a dependency, and together they are a circle."""
    alpha = plain.worktree("alpha")
    alpha.ralph("claim", "A")
    alpha.write("a.txt", "a\n")
    assert alpha.ralph("edit", "C", "--depends-on", "B").code == 0
    alpha.complete()
    beta = plain.worktree("beta")
    beta.ralph("claim", "B")
    beta.write("b.txt", "b\n")
    beta.complete()
    assert beta.ralph("edit", "B", "--depends-on", "C").code == 0
    beta.commit("B needs C")
    before = plain.git("rev-parse", "main")
    done = plain.ralph("integrate", "alpha", "beta", "--json")
    assert (done.code, done.error) == (1, "invalid"), done.out
    assert "cycle" in done.data["stops"][0]["message"]
    assert plain.git("rev-parse", "main") == before


@pytest.mark.slow
def test_what_somebody_merges_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """A person merges one of the branches while the result is proved."""
    merge = "git -C $MAIN merge -q --no-edit beta"
    world = world_of(
        tmp_path,
        task("A", "test -s a.txt", "a.txt"),
        task("B", "test -s b.txt", "b.txt"),
        ralph__toml=f"[integrate]\nverify = 'test -e done || {{ touch $HOME/x; {merge}; }}'\n",
    )
    worked(world, "alpha", "A", {"a.txt": "a\n"})
    worked(world, "beta", "B", {"b.txt": "b\n"})
    done = world.ralph("integrate", "alpha", "beta", "--json", env={"MAIN": str(world.path)})
    assert done.code == 0, done.out
    assert world.git("status", "--porcelain") == ""
    assert states(world) == {"A": "complete", "B": "complete"}
    assert world.ralph("check").out == "No problem found.\n"


@pytest.mark.slow
def test_many_at_once_land_each_branch_once_and_leave_nothing(plain: World) -> None:
    worked(plain, "alpha", "A", {"a.txt": "a\n"})
    worked(plain, "beta", "B", {"b.txt": "b\n"})
    programs = [
        subprocess.Popen(
            [sys.executable, "-m", "ralphgit", "integrate", *names],
            cwd=plain.path, env=plain.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        for names in (("beta",), ("beta",), ("alpha", "beta"), ("alpha",))
    ]  # fmt: skip
    told = [program.communicate()[0].decode() for program in programs]
    assert {program.returncode for program in programs} <= {0, 8}, told
    assert plain.git("status", "--porcelain") == "", told
    assert states(plain) == {"A": "complete", "B": "complete", "C": "ready"}
    assert plain.ralph("check").out == "No problem found.\n"
    assert no_trace(plain)


def test_a_command_that_changes_what_it_proves_ends_it(tmp_path: Path) -> None:
    world = world_of(
        tmp_path,
        task("A", "test ! -s b.txt || echo 9 > b.txt; test -s a.txt", "a.txt"),
        task("B", "test ! -s a.txt || grep -q 9 b.txt", "b.txt"),
    )
    worked(world, "alpha", "A", {"a.txt": "a\n"})
    worked(world, "beta", "B", {"b.txt": "b\n"})
    done = world.ralph("integrate", "alpha", "beta", "--json")
    assert (done.code, done.error) == (1, "not_done"), done.out
    assert "changed b.txt" in done.json["error"]["message"]
    assert states(world) == {"A": "in-review", "B": "in-review"}
    assert no_trace(world)


def test_concerns_are_told_when_a_branch_lands(plain: World) -> None:
    alpha = worked(plain, "alpha", "A", {"a.txt": "a\n"}, "--force", "no time")
    alpha.replace("title: Task C", "title: Another C")
    alpha.commit("Not mine")
    landed = plain.ralph("land", "alpha")
    assert landed.code == 0, landed.err
    assert "A was completed by force [forced]" in landed.out
    assert "C is changed, but the branch does not work on it [other_task]" in landed.out


def test_a_merge_that_waits_on_main_is_found_before_anything_runs(plain: World) -> None:
    worked(plain, "alpha", "A", {"a.txt": "a\n"})
    plain.git("switch", "-q", "-c", "side")
    plain.write("c.txt", "side\n")
    plain.commit("Side")
    plain.git("switch", "-q", "main")
    plain.write("c.txt", "main\n")
    plain.commit("Main")
    plain.merge("side")
    done = plain.ralph("land", "alpha", "--json")
    assert (done.code, done.error) == (8, "unfinished_merge")
