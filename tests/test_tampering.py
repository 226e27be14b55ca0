"""What an agent writes by hand is found in review; what a rebase or a squash makes is not that."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from world import Place, World, grown

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: One
    status: pending
    verify:
      - test -s one.txt

  - id: T-2
    title: Two
    status: pending
    verify:
      - test -s two.txt
    scope:
      write: [two.txt]
"""


@pytest.fixture
def world() -> World:
    return grown(begun)


def begun(folder: Path) -> World:
    made = World(folder)
    made.write_graph(GRAPH)
    made.write("lib.txt", "lib\n")
    made.commit("The graph")
    assert made.ralph("trust", "--yes").code == 0
    return made


@pytest.fixture
def alpha(world: World) -> Place:
    return world.worktree("alpha")


def codes(place: Place, *words: str) -> list[str]:
    """Severity and code of what `check` finds."""
    done = place.ralph("check", *words, "--json")
    assert done.data, done.out + done.err
    found = done.data["problems"]
    return [f"{one['severity']} {one['code']}" for one in found]


def verdict(place: Place) -> tuple[str, list[str]]:
    """What `diff` says of the branch, and the codes of its notes."""
    found = place.ralph("diff", "--json").data
    return found["verdict"], sorted({note["code"] for note in found["notes"]})


def records(place: Place, kind: str, task: str = "T-1") -> list[str]:
    folder = place.path / "records" / kind / task
    return sorted(str(path.relative_to(place.path)) for path in folder.iterdir())


# -- what honest work looks like -------------------------------------------------------------


def moved_on(world: World) -> None:
    """The base gets a file; the task has no scope, so its evidence is of all files."""
    world.write("other.txt", "other\n")
    world.commit("Meanwhile")


def test_a_rebased_completion_is_stale_and_not_from_nowhere(world: World, alpha: Place) -> None:
    alpha.did("T-1", {"one.txt": "1\n"})
    moved_on(world)
    alpha.git("rebase", "--quiet", "main")
    assert codes(alpha, "--base", "main") == ["warning stale_evidence"]


def test_a_squashed_completion_is_stale_and_not_from_nowhere(world: World, alpha: Place) -> None:
    claim = alpha.claim("T-1")
    alpha.write("one.txt", "begun\n")
    alpha.commit("Begin")
    alpha.write("one.txt", "1\n")
    alpha.complete("T-1")
    moved_on(world)
    world.git("merge", "--squash", "--quiet", "alpha")
    world.commit("Squashed")
    assert claim in world.read()
    assert codes(world, "HEAD~1..HEAD") == ["warning stale_evidence"]


def test_two_tasks_squashed_into_one_commit_are_not_from_nowhere(
    world: World, alpha: Place
) -> None:
    alpha.did("T-1", {"one.txt": "1\n"})
    alpha.did("T-2", {"two.txt": "2\n"})
    moved_on(world)
    world.git("merge", "--squash", "--quiet", "alpha")
    world.commit("Squashed")
    assert codes(world, "HEAD~1..HEAD") == ["warning scope_unproved", "warning stale_evidence"]


def test_two_tasks_on_one_branch_are_each_bound_to_their_commit(world: World, alpha: Place) -> None:
    alpha.did("T-1", {"one.txt": "1\n"})
    alpha.did("T-2", {"two.txt": "2\n"})
    assert codes(alpha, "main..HEAD") == ["warning stale_evidence"]


def test_what_was_taken_back_and_done_again_is_no_tampering(world: World, alpha: Place) -> None:
    alpha.did("T-1", {"one.txt": "1\n"})
    assert world.merge("alpha").code == 0
    assert world.ralph("reset", "T-1", "--reopen", "--reason", "again").code == 0
    alpha.git("merge", "--quiet", "main")
    alpha.did("T-1", {"one.txt": "2\n"})
    assert codes(alpha, "--base", "main") == []
    assert codes(alpha, "main..HEAD") == []


# -- what somebody wrote by hand -------------------------------------------------------------


def completed_by_hand(place: Place) -> None:
    """A claim of the command, and then the status and a result by hand."""
    claim = place.claim("T-1")
    place.replace("status: in-progress", "status: complete")
    block = f"    result: {{id: r1, claim: {claim}, outcome: done, at: t}}\n    verify:\n"
    place.write_graph(place.read().replace("    verify:\n", block, 1))


def appended(place: Place, event: str) -> None:
    name = records(place, "audit")[0]
    place.write(name, place.read(name) + f"  - {{{event}}}\n")


def status_alone(place: Place) -> None:
    completed_by_hand(place)


def forced_without_a_reason(place: Place) -> None:
    completed_by_hand(place)
    appended(place, "at: t, event: force-completed, by: alpha")


def forced_at_another_time(place: Place) -> None:
    completed_by_hand(place)
    appended(place, "at: later, event: force-completed, by: alpha, note: trust me")


def evidence_from_nowhere(place: Place) -> None:
    place.did("T-1", {"one.txt": "1\n"})
    name = records(place, "evidence")[0]
    digest = place.read(name).partition("scope_digest: ")[2].split()[0]
    place.replace(digest, "f" * 64, name)
    place.git("commit", "--quiet", "--all", "--amend", "--no-edit")


def work_changed_afterwards(place: Place) -> None:
    place.did("T-1", {"one.txt": "1\n"})
    place.write("one.txt", "other work\n")
    place.git("commit", "--quiet", "--all", "--amend", "--no-edit")


def another_command(place: Place) -> None:
    place.did("T-1", {"one.txt": "1\n"})
    name = records(place, "evidence")[0]
    place.write(name, place.read(name).replace("command: test -s one.txt", "command: make all", 1))
    place.git("commit", "--quiet", "--all", "--amend", "--no-edit")


def event_alone(place: Place) -> None:
    place.claim("T-1")
    place.write("one.txt", "1\n")
    appended(place, "at: t, event: completed, by: alpha")


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (status_alone, ["error missing_evidence", "error status_without_event"]),
        (
            forced_without_a_reason,
            ["error status_without_event", "warning forced", "warning unverified"],
        ),
        (
            forced_at_another_time,
            ["error status_without_event", "warning forced", "warning unverified"],
        ),
        (evidence_from_nowhere, ["error unbound_evidence", "warning stale_evidence"]),
        (work_changed_afterwards, ["error unbound_evidence", "warning stale_evidence"]),
        (another_command, ["error wrong_digest"]),
        (event_alone, ["error event_without_status", "error status_without_event"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_it_is_found_over_a_range_and_against_the_base_and_is_not_clear(
    alpha: Place, tamper: Callable[[Place], None], found: list[str]
) -> None:
    tamper(alpha)
    if alpha.git("status", "--porcelain"):
        alpha.commit("By hand")
    assert sorted(codes(alpha, "--base", "main")) == found
    assert sorted(codes(alpha, "main..HEAD")) == found
    told, notes = verdict(alpha)
    assert told == "problems"
    assert {code.partition(" ")[2] for code in found} <= set(notes)


def test_a_forced_completion_is_shown_and_is_not_clear(alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.write("one.txt", "")
    alpha.complete("T-1", "--force", "we know")
    assert codes(alpha, "--base", "main") == ["warning forced", "warning unverified"]
    assert verdict(alpha) == ("problems", ["failed_evidence", "forced", "unverified"])


def test_a_claim_from_before_the_commit_that_it_was_made_from_is_told(alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.write("one.txt", "1\n")
    alpha.complete("T-1")
    was = alpha.task("T-1")["claim"]["at"]
    alpha.write_graph(alpha.read().replace(was, "2001-01-01T00:00:00Z", 1))
    alpha.commit("Long ago")
    assert codes(alpha, "--base", "main") == ["warning claim_time"]
    (found,) = alpha.ralph("check", "--base", "main", "--json").data["problems"]
    assert "before commit " in found["message"] and "which it was made from" in found["message"]


# -- another worktree's claim ----------------------------------------------------------------


def swapped(world: World) -> tuple[Place, Place]:
    """Two worktrees with a claim each, that have popped each other's stash."""
    one, other = world.worktree("alpha"), world.worktree("beta")
    for place, task in ((one, "T-1"), (other, "T-2")):
        place.claim(task)
        place.git("stash", "--include-untracked", "--quiet")
    one.git("stash", "pop", "--quiet")
    other.git("stash", "pop", "--quiet")
    return one, other


@pytest.mark.slow
def test_two_that_popped_each_others_stash_both_land(world: World) -> None:
    one, other = swapped(world)
    for place, name in ((one, "one.txt"), (other, "two.txt")):
        place.write(name, "done\n")
        done = place.ralph("complete")
        assert done.code == 0, done.err
        assert "is another worktree's; it was left out of the commit" in done.err
        assert codes(place, "main..HEAD") == []
    for branch in ("alpha", "beta"):
        landed = world.ralph("land", branch)
        assert landed.code == 0, landed.out + landed.err
    assert [world.task(task)["status"] for task in ("T-1", "T-2")] == ["complete", "complete"]
    assert codes(world) == []


def test_a_claim_that_an_agent_has_committed_already_is_taken_out(world: World) -> None:
    one, other = swapped(world)
    one.write("one.txt", "done\n")
    one.commit("Everything")
    one.complete("T-1")
    assert codes(one, "--base", "main") == []
    assert one.git("diff", "--name-only", "main", "HEAD", "--", "records/audit/T-2") == ""
    other.write("two.txt", "done\n")
    other.complete()
    assert codes(other, "--base", "main") == []


def test_a_claim_that_comes_after_another_worker_s_work_is_never_clear(world: World) -> None:
    one, other = world.worktree("alpha"), world.worktree("beta")
    one.claim("T-1")
    one.git("stash", "--include-untracked", "--quiet")
    other.did("T-2", {"two.txt": "done\n"})
    assert verdict(other) == ("clear", [])
    other.git("stash", "pop", "--quiet")
    other.commit("More")
    assert verdict(other) == ("concerns", ["unfinished_claim"])
    assert codes(other, "--base", "main") == ["warning unfinished_claim"]


def test_a_claim_that_came_and_went_within_a_branch_was_not_taken_back(world: World) -> None:
    """The other worker goes on, also where its stash was lost to whoever committed it."""
    one, other = swapped(world)
    one.write("one.txt", "done\n")
    one.commit("Everything")
    one.complete("T-1")
    assert world.ralph("land", "alpha").code == 0
    assert world.git("log", "--full-history", "--format=%h", "main", "--", "records/audit/T-2")
    other.git("reset", "--hard", "--quiet")
    other.git("clean", "-fdq")
    assert world.task("T-2")["state"] == "claimed"
    other.write("two.txt", "done\n")
    done = other.ralph("complete", "--land")
    assert done.code == 0, done.err
    assert [world.task(task)["status"] for task in ("T-1", "T-2")] == ["complete", "complete"]
    assert codes(world) == []


@pytest.mark.slow
def test_the_worktree_keeps_the_block_and_takes_another_task_all_the_same(world: World) -> None:
    world.write_graph(world.read() + "\n  - id: T-3\n    title: Three\n    status: pending\n")
    world.commit("More")
    one, other = swapped(world)
    one.write("one.txt", "done\n")
    one.complete()
    claim = world.lease("T-2")["claim"]
    assert claim in one.read() and claim not in one.git("show", "HEAD:task-graph.yaml")
    other.write("two.txt", "done\n")
    other.complete()
    for branch in ("alpha", "beta"):
        assert world.ralph("land", branch).code == 0
    one.claim("T-3")
    one.write("three.txt", "3\n")
    one.complete("T-3")
    assert codes(one, "--base", "main") == ["warning unverified"]


# -- what git was told not to see ------------------------------------------------------------


@pytest.mark.parametrize("version", ["2", "4"])
@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_does_not_look_at_is_not_verified_in_its_place(
    alpha: Place, flag: str, version: str
) -> None:
    alpha.git("config", "index.version", version)
    alpha.claim("T-1")
    alpha.write("one.txt", "")
    alpha.commit("Nothing in it")
    alpha.git("update-index", flag, "one.txt")
    alpha.git("update-index", "--index-version", version)
    alpha.write("one.txt", "what the command wants to see\n")
    done = alpha.ralph("complete", "T-1")
    assert (done.code, "one.txt is not as it would be committed" in done.err) == (1, True), done.err
    alpha.git("update-index", f"--no-{flag[2:]}", "one.txt")
    alpha.complete("T-1")
    assert alpha.git("show", "HEAD:one.txt") == "what the command wants to see"


def test_a_file_whose_removal_git_does_not_see_is_not_verified_in_its_place(alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.write("one.txt", "work\n")
    alpha.write("hinders.txt", "the command fails while this is there\n")
    alpha.commit("Work")
    alpha.git("update-index", "--assume-unchanged", "hinders.txt")
    (alpha.path / "hinders.txt").unlink()
    done = alpha.ralph("complete", "T-1")
    assert (done.code, "hinders.txt is not as it would be committed" in done.err) == (1, True), done


def test_an_index_that_was_written_to_say_what_is_not_so_is_not_believed(alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.write("one.txt", "")
    empty = alpha.commit("Nothing in it")
    before = alpha.git("rev-parse", f"{empty}:one.txt")
    alpha.write("one.txt", "work\n")
    alpha.git("add", "one.txt")
    path = Path(alpha.git("rev-parse", "--git-path", "index"))
    data = path.read_bytes()[:-20].partition(b"TREE")[0]
    now = bytes.fromhex(alpha.git("rev-parse", ":one.txt"))
    data = data.replace(now, bytes.fromhex(before))
    path.write_bytes(data + hashlib.sha1(data).digest())
    later = path.stat().st_mtime + 10
    os.utime(path, (later, later))
    assert alpha.git("status", "--porcelain") == ""
    alpha.complete("T-1")
    assert alpha.git("show", "HEAD:one.txt") == "work"


# -- the gate and the diff --------------------------------------------------------------------


def copied_evidence(place: Place) -> None:
    (path,) = records(place, "evidence", "T-2")
    text = place.read(path).replace(Path(path).stem, "aaaaaaaaaa")
    place.write("records/evidence/T-2/aaaaaaaaaa.yaml", text)


def record_deeper(place: Place) -> None:
    (path,) = records(place, "evidence", "T-2")
    place.write("records/evidence/T-2/sub/aaaaaaaaaa.yaml", place.read(path))


def record_by_another_name(place: Place) -> None:
    (path,) = records(place, "evidence", "T-2")
    place.write("records/evidence/T-2/bbbbbbbbbb.yaml", place.read(path))


def record_that_is_none(place: Place) -> None:
    place.write("records/evidence/T-9/aaaaaaaaaa.yaml", "id: aaaaaaaaaa\n")


def unknown_dependency(place: Place) -> None:
    more = "  - id: T-4\n    title: Four\n    depends_on: [T-99]\n    status: pending\n"
    place.write("task-graph.yaml", place.read() + more)


def runtime_state(place: Place) -> None:
    place.write(".ralph/z", "evil\n")
    place.git("add", "--force", ".ralph/z")


REFUSED = {
    "copied_evidence": copied_evidence,
    "misplaced_record": record_deeper,
    "misnamed": record_by_another_name,
    "invalid": record_that_is_none,
    "unknown_dependency": unknown_dependency,
    "outside_scope": runtime_state,
}


@pytest.mark.slow
def test_what_the_gate_refuses_is_never_clear(alpha: Place) -> None:
    alpha.did("T-2", {"two.txt": "2\n"})
    assert verdict(alpha) == ("clear", [])
    head, told = alpha.head, {}
    for name, does in REFUSED.items():
        does(alpha)
        alpha.commit("Evil")
        errors = {one for one in codes(alpha, "main..HEAD") if one.startswith("error")}
        said, notes = verdict(alpha)
        # Of a file below .ralph the diff says that it is outside the scope, as of any other.
        assert errors - {"error runtime_tracked"} <= {f"error {note}" for note in notes}, name
        told[name] = said, bool(errors)
        if does is runtime_state:
            found = alpha.ralph("diff", "--json").data
            assert found["outside_scope"] == [".ralph/z"]
        alpha.git("reset", "--quiet", "--hard", head)
    assert set(told.values()) == {("problems", True)}, told
