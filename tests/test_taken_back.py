"""A claim that was on the base and is not any more never lands again, and holds nothing (L12)."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from test_git_settings import opened
from test_landing import agent, files_on_base
from test_loop import loop, made, on_base, rescued, task
from test_structure import git_processes
from world import Place

from ralphgit.app.evidence import landed_work
from ralphgit.app.workspace import taken_back
from ralphgit.app.workspace.locks import RepositoryLock
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.errors import GuardRefused, NotWritable
from ralphgit.git import path_history
from ralphgit.git.path_history import Step
from ralphgit.git.run_git import Git

ONE = task("T-1", "outputs: [f.txt]", "verify: [grep -q good f.txt]")
METHODS = ["merge", "squash", "rebase"]


def land(place: Place, method: str, branch: str = "alpha") -> str:
    """Land a branch as a forge does, in the main worktree, and push; the claim's commit there."""
    world = place.world
    match method:
        case "merge":
            world.git("merge", "-q", "--no-ff", "--no-edit", branch)
        case "squash":
            world.git("merge", "-q", "--squash", branch)
            world.git("commit", "-qm", f"Squash {branch}")
        case "rebase":
            world.git("cherry-pick", f"main..{branch}")
    push(world)
    return world.head


def push(place: Place, *words: str) -> None:
    if place.git("remote"):
        place.git("push", "-q", *words, "origin", "main")


def revert(place: Place, commit: str = "HEAD") -> str:
    """Press the Revert button, and merge what it makes."""
    world = place.world
    parents = world.git("rev-list", "--parents", "-1", commit).split()
    world.git("revert", "--no-edit", *(["-m", "1"] if len(parents) > 2 else []), commit)
    push(world)
    return world.head


def reverted_in(place: Place) -> str:
    """The commit on main that took it back."""
    return place.git("log", "-1", "--format=%h", "--abbrev=12", "--grep=^Revert", "main")


def in_history(folder: Path, method: str, *, remote: bool = True, way: str = "revert") -> Place:
    """alpha has done T-1, its branch has landed on main, and main does not have it any more."""
    alpha = made(folder, ONE, task("T-2"), remote=remote)
    alpha.did("T-1", {"f.txt": "good\n"})
    world = alpha.world
    before = world.head
    world.write("more.txt", "more\n")
    world.commit("More")
    land(alpha, method)
    if way == "revert":
        revert(alpha)
    else:
        world.git("reset", "-q", "--hard", before)
        if way == "purge":
            world.write("other.txt", "other\n")
            world.commit("Other")
        push(world, "--force")
    return alpha


@pytest.mark.parametrize("kept", [False, True])
def test_what_landed_since_the_base_was_read_is_not_taken_back(kept: bool, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, task("T-2"), remote=True)
    beta = alpha.world.worktree("beta", at="origin/main")
    alpha.did("T-2", {"g.txt": "good\n"})
    assert alpha.ralph("land").code == 0
    claim = alpha.did("T-1", {"f.txt": "good\n"})
    project = Project.open(Surroundings(str(beta.path), beta.environ, time.time, lambda: "x"))
    assert project.base.commit != alpha.head
    if kept:
        assert taken_back.known(project) == {}
        project.taken_back = None
    assert alpha.ralph("land").code == 0  # by another process, while this one looks
    assert taken_back.of(project, "T-1", claim, "") is None
    project.refresh()
    project.taken_back = None
    assert taken_back.known(project) == {}


def test_who_waits_for_a_turn_alone_goes_on_in_the_end(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    around = Surroundings(str(alpha.path), alpha.environ, time.time, lambda: "x")
    with RepositoryLock(Project.open(around), "taking"):
        begun = time.monotonic()
        with RepositoryLock(Project.open(around), "taking", patience_s=0.1):
            assert time.monotonic() - begun >= 0.1
        with pytest.raises(GuardRefused), RepositoryLock(Project.open(around), "taking", code="x"):
            pass


def test_what_lies_in_the_place_of_a_lock_keeps_nobody_from_work(tmp_path: Path) -> None:
    """As an agent may leave it in the repository. A file or a pipe is locked as a folder is."""
    alpha = made(tmp_path, ONE)
    around = Surroundings(str(alpha.path), alpha.environ, time.time, lambda: "x")
    place = alpha.world.path / ".git" / "ralphgit" / "taking"
    for make in (place.touch, partial(os.mkfifo, place), partial(place.symlink_to, "nothing")):
        make()
        with RepositoryLock(Project.open(around), "taking"):
            lock = RepositoryLock(Project.open(around), "taking", code="x")
            with pytest.raises(NotWritable if place.is_symlink() else GuardRefused), lock:
                pass
        place.unlink()


# -- for the loop ------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_loop_that_starts_again_does_the_task_anew(method: str, tmp_path: Path) -> None:
    alpha = in_history(tmp_path, method)
    old = alpha.head
    does = agent(alpha, "echo good 2 > f.txt")
    ran = loop(alpha, "--task", "T-1", "--agent", does)
    assert ran.out.splitlines()[0] == "done: T-1", ran.out + ran.err
    assert f"taken back on origin/main, where it was before, in {reverted_in(alpha)}" in ran.err
    assert alpha.git("show", "origin/main:f.txt") == "good 2"
    (kept,) = rescued(alpha) if method != "merge" else [alpha.head]
    assert alpha.git("show", f"{old}:f.txt") == "good"
    assert method == "merge" or alpha.git("rev-parse", kept) == old


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "way", "branch"),
    [
        ("merge", "revert", "task"), ("squash", "revert", "keep"), ("rebase", "revert", "task"),
        ("merge", "purge", "keep"), ("squash", "purge", "task"),
    ],
)  # fmt: skip
def test_a_loop_of_another_task_brings_nothing_back(
    method: str, way: str, branch: str, tmp_path: Path
) -> None:
    alpha = in_history(tmp_path, method, way=way)
    if branch == "keep":  # and nothing notes what was done here
        (alpha.path / ".ralph" / "current.yaml").unlink()
    does = agent(alpha, "echo 2 > two.txt")
    ran = loop(alpha, "--task", "T-2", "--branch", branch, "--agent", does)
    assert ran.out.splitlines()[0] == "done: T-2", ran.out + ran.err
    assert "T-1 is landed" not in ran.err
    assert "f.txt" not in files_on_base(alpha)
    assert "f.txt" not in alpha.git("log", "--format=", "--name-only", "--no-merges",
                                    "main..origin/main")  # fmt: skip
    assert on_base(alpha, "T-1")["status"] == "pending"


PUSH = "git push -q -f origin alpha:main; "


@pytest.mark.parametrize(
    ("way", "lost"),
    [
        ("git fetch -q . +refs/heads/alpha:refs/remotes/origin/main", False),
        ("git fetch -q . +alpha:remotes/origin/main", False),
        ("git push -q origin alpha:x; git fetch -q origin +x:refs/remotes/origin/main", False),
        (PUSH + "git fetch -q --depth 9 origin +main:refs/remotes/origin/main", True),
        (PUSH + "git fetch -q origin +refs/heads/*:refs/remotes/origin/*", True),
        (PUSH + "git fetch -q", True),
    ],
)  # fmt: skip
def test_only_what_the_remote_had_was_taken_back(way: str, lost: bool, tmp_path: Path) -> None:
    """A worker's own commits in the place of the remote's base were never there."""
    alpha = made(tmp_path, ONE)
    alpha.claim("T-1")
    alpha.write("f.txt", "good\n")
    alpha.commit("Work")
    world = alpha.world
    for line in way.split("; "):
        world.git(*line.split()[1:])
    assert world.ralph("status").code == 0  # and what it keeps of the log
    world.git("push", "-q", "-f", "origin", "main")
    world.git("fetch", "-q", "origin")
    done = alpha.ralph("complete", "--json")
    assert (done.code == 5) == lost, done.out


# -- for everybody else ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "way", "remote"),
    [
        ("merge", "revert", True), ("squash", "purge", True), ("squash", "revert", False),
        ("rebase", "revert", True), ("merge", "purge", False), ("merge", "set back", True),
        ("squash", "set back", False),
    ],
)  # fmt: skip
def test_it_is_free(method: str, way: str, remote: bool, tmp_path: Path) -> None:
    alpha = in_history(tmp_path, method, remote=remote, way=way)
    beta = alpha.world.worktree("beta", at="main")
    assert [one["id"] for one in beta.ralph("next", "--json").data["tasks"]] == ["T-1", "T-2"]
    shown = beta.ralph("status", "--json").data["tasks"]
    assert [(one["id"], one["state"], one["holder"]) for one in shown] == [
        ("T-1", "ready", None), ("T-2", "ready", None),
    ]  # fmt: skip
    assert beta.task("T-1")["state"] == "ready"
    done = beta.ralph("claim", "T-1")
    assert done.code == 0, done.err
    assert "alpha had T-1 before, by claim" in done.err
    assert "it was taken back on" in done.err
    tips = beta.git("for-each-ref", "--format=%(objectname)", "refs/ralph/rescue").split()
    assert tips == ([] if (method, way) == ("merge", "revert") else [alpha.head])


@pytest.mark.parametrize("way", ["revert", "purge", "set back"])
def test_the_log_says_who_took_it_back(way: str, tmp_path: Path) -> None:
    alpha = in_history(tmp_path, "squash", way=way)
    told = alpha.ralph("log", "T-1", "--json").data["events"]
    assert [one["event"] for one in told][-1] == "taken-back", told
    if way == "revert":
        assert (told[-1]["by"], told[-1]["note"]) == ("Ann Author", reverted_in(alpha))
        # Also when nobody has it any more.
        alpha.git("checkout", "-q", "--detach", "main")
        alpha.git("branch", "-qD", "alpha")
        events = [one["event"] for one in alpha.ralph("log", "T-1", "--json").data["events"]]
        assert events == ["claimed", "completed", "taken-back"]


def test_the_old_worktree_claims_it_anew(tmp_path: Path) -> None:
    alpha = in_history(tmp_path, "squash", remote=False)
    old = alpha.head
    done = alpha.ralph("claim", "T-1", "--json")
    assert done.code == 0, done.out
    assert alpha.git("rev-parse", "main") == alpha.head
    assert [alpha.git("rev-parse", ref) for ref in rescued(alpha)] == [old]
    # Within a second their order is that of the claims' ids.
    told = [one["event"] for one in alpha.ralph("log", "--json").data["events"]]
    assert sorted(told) == ["claimed", "claimed", "completed", "taken-back"]


@pytest.mark.parametrize(
    ("method", "way"), [("squash", "revert"), ("merge", "purge"), ("merge", "set back")]
)
def test_who_completes_it_again_is_told(method: str, way: str, tmp_path: Path) -> None:
    alpha = in_history(tmp_path, method, remote=False, way=way)
    old = alpha.head
    lost = alpha.ralph("complete", "--json")
    assert (lost.code, lost.error) == (5, "claim_lost"), lost.out
    assert "taken back" in lost.json["error"]["message"]
    assert [alpha.git("rev-parse", ref) for ref in rescued(alpha)] == [old]
    assert alpha.ralph("claim", "T-1").code == 0


def test_who_completes_again_after_a_reset_is_told(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, remote=False)
    alpha.did("T-1", {"f.txt": "good\n"})
    assert alpha.world.ralph("reset", "T-1", "--force").code == 0
    lost = alpha.ralph("complete", "--json")
    assert (lost.code, lost.error) == (5, "claim_lost"), lost.out


def test_a_lease_of_it_holds_nothing(tmp_path: Path) -> None:
    """Its worker has merged its claim alone, and is gone."""
    alpha = made(tmp_path, ONE, remote=False)
    world = alpha.world
    claim = alpha.claim("T-1")
    alpha.commit("Begin T-1")
    land(alpha, "squash")
    assert world.task("T-1")["state"] == "in-progress"
    revert(alpha)
    assert world.leases == ["T-1"]
    assert world.task("T-1")["state"] == "ready"
    refused = world.ralph("reset", "T-1", "--json")
    assert (refused.code, refused.error) == (8, "not_claimed"), refused.out
    beta = world.worktree("beta", at="main")
    assert beta.claim("T-1") != claim
    assert world.lease("T-1")["by"] == "beta"
    # The one who had it is told, and keeps the work.
    alpha.write("f.txt", "good\n")
    lost = alpha.ralph("complete", "T-1", "--json")
    assert (lost.code, lost.error) == (5, "claim_lost"), lost.out
    assert world.task("T-1")["holder"]["worker"] == "beta"


def test_a_part_of_it_that_is_left_holds_nothing(tmp_path: Path) -> None:
    """The task's block was taken back, and its audit was left."""
    alpha = made(tmp_path, ONE, remote=False)
    alpha.did("T-1", {"f.txt": "good\n"})
    world = alpha.world
    before = world.head
    land(alpha, "squash")
    world.git("checkout", before, "--", "task-graph.yaml")
    world.commit("Open it again by hand")
    assert world.task("T-1")["state"] == "ready"


def test_what_came_back_on_purpose_counts(tmp_path: Path) -> None:
    alpha = in_history(tmp_path, "squash", remote=False)
    world = alpha.world
    world.git("revert", "--no-edit", "HEAD")
    assert world.task("T-1")["state"] == "complete"
    assert "taken-back" not in world.ralph("log", "T-1").out
    # And went again: the last one counts.
    last = revert(alpha)
    assert world.task("T-1")["state"] == "ready"
    assert world.ralph("log", "T-1", "--json").data["events"][-1]["note"] == last[:12]


def test_a_renamed_task_was_not_taken_back(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, remote=False)
    claim = alpha.did("T-1", {"f.txt": "good\n"})
    world = alpha.world
    land(alpha, "merge")
    world.replace("id: T-1\n", "id: T-9\n")
    for kind in ("audit", "evidence"):
        world.git("mv", f"records/{kind}/T-1", f"records/{kind}/T-9")
    world.commit("Rename")
    told = world.ralph("log", "--json").data["events"]
    assert "taken-back" not in [one["event"] for one in told if one["claim"] == claim]


def test_what_a_renamed_task_did_is_taken_back_with_it(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, remote=False)
    alpha.did("T-1", {"f.txt": "good\n"})
    world = alpha.world
    land(alpha, "merge")
    assert world.ralph("edit", "T-1", "--rename", "T-9").code == 0
    world.git("add", "-A")
    world.git("commit", "-qm", "Rename")
    done = world.ralph("revert", "T-9")
    assert (done.code, done.err) == (0, ""), done.err
    assert "with 1 file besides the records" in done.out
    assert not (world.path / "f.txt").exists()
    assert world.task("T-9")["state"] == "ready"


def test_history_is_asked_once(tmp_path: Path) -> None:
    """And not at all while no claim is older than the base."""
    alpha = made(tmp_path, ONE, task("T-2"), remote=False)
    alpha.did("T-1", {"f.txt": "good\n"})
    world = alpha.world

    def asked() -> int:
        return sum(" log " in line for line in git_processes(world, "status"))

    assert asked() == 0
    world.write("more.txt", "more\n")
    world.commit("More")
    assert [asked(), asked(), asked()] == [1, 0, 0]
    assert world.task("T-1")["state"] == "in-review"


# -- a revert as a change ------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_how_work_landed_is_asked_since_it_was_claimed(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alpha = made(tmp_path, ONE, task("T-2"))
    begun = alpha.world.head
    alpha.did("T-1", {"f.txt": "good\n"})
    first = land(alpha, method)
    beta = alpha.world.worktree("beta", at="main")
    beta.did("T-2", {"f.txt": "good too\n"})
    land(beta, method, "beta")
    project = opened(alpha.world)
    asked, steps = list[str](), path_history.steps

    def seen(git: Git, tip: str, paths: Sequence[str], *, since: str = "") -> list[Step]:
        asked.append(since)
        return steps(git, tip, paths, since=since)

    monkeypatch.setattr(path_history, "steps", seen)
    rows = [row for row in project.base_view.rows if row.claim]
    for some in (rows, rows[1:]):
        found = landed_work.of(project, project.base.commit, some)
        assert {*found} == {row.claim for row in some}
    assert (asked[0], asked[-1]) == (begun, first)
    wrong = [rows[0]._replace(base=project.base.commit[:12])]
    assert {*landed_work.of(project, project.base.commit, wrong)} == {rows[0].claim}


@pytest.mark.parametrize("method", METHODS)
def test_a_revert_is_legal_and_told(method: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, task("T-2"), remote=False)
    alpha.did("T-1", {"f.txt": "good\n"})
    world = alpha.world
    land(alpha, method)
    world.git("checkout", "-qb", "back")
    revert(alpha)
    for words in (["back"], ["main..back"]):
        checked = world.ralph("check", *words)
        assert (checked.code, checked.out + checked.err) == (0, "No problem found.\n"), checked.out
    told = world.ralph("diff", "back")
    assert told.out.splitlines()[0] == "clear: 1 task taken back", told.out
    assert "takes back T-1 (alpha)" in told.out.splitlines()
    assert "takes back T-1 (alpha)" in world.ralph("diff", "back", "--format", "markdown").out
    (change,) = world.ralph("diff", "back", "--json").data["changes"]
    assert (change["change"], change["sentence"]) == ("take-back", "takes back T-1 (alpha)")
    # Landed by any method, main stays clean.
    world.git("checkout", "-q", "main")
    land(alpha, method, "back")
    clean = world.ralph("check")
    assert (clean.code, clean.out + clean.err) == (0, "No problem found.\n"), clean.out
    # The revert of the revert says what it does.
    world.git("checkout", "-qb", "again")
    revert(alpha)
    checked = world.ralph("check", "again", "--base", "main", "--json")
    assert [one["code"] for one in checked.data["problems"]] == ["brought_back"], checked.out
    told = world.ralph("diff", "again")
    assert told.out.splitlines()[0].startswith("concerns: 1 task completed"), told.out
    assert "it was taken back on main" in told.out


def test_a_revert_of_a_part_is_told(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, task("T-2"), remote=False)
    alpha.did("T-1", {"f.txt": "good\n", "g.txt": "good\n"})
    world = alpha.world
    land(alpha, "squash")

    def found(branch: str, *paths: str) -> list[tuple[str, str]]:
        """What is said of a branch that takes back these paths alone."""
        world.git("checkout", "-qb", branch, "main")
        world.git("revert", "--no-commit", "HEAD")
        kept = ["records", "task-graph.yaml", "f.txt", "g.txt"]
        world.git("checkout", "main", "--", *(path for path in kept if path not in paths))
        world.commit("A part")
        listed = world.ralph("check", branch, "--json").data["problems"]
        told = {one["code"] for one in world.ralph("diff", branch, "--json").data["notes"]}
        assert {one["code"] for one in listed} <= told | {"illegal_move"}
        return [(one["severity"], one["code"]) for one in listed]

    assert found("code", "f.txt", "g.txt") == [("error", "work_undone")]
    assert found("records", "records", "task-graph.yaml") == [("error", "work_left")]
    assert found("half", "records", "task-graph.yaml", "f.txt") == [("warning", "work_left")]
    assert ("error", "illegal_move") in found("block", "task-graph.yaml", "f.txt", "g.txt")
    assert ("error", "removed_audit") in found("files", "records", "f.txt", "g.txt")


# -- revert ID -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("remote", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_person_takes_a_task_back(remote: bool, method: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, task("T-2"), task("T-3"), remote=remote)
    world = alpha.world
    alpha.write("dir/mode.sh", "echo\n")
    alpha.git("add", "-A")
    alpha.git("update-index", "--chmod=+x", "dir/mode.sh")
    alpha.git("commit", "-qm", "Before the claim")
    alpha.did("T-1", {"f.txt": "good\n", "sub/g.txt": "good\n"})
    land(alpha, method)
    began = world.git("rev-parse", "HEAD^1^{tree}" if method != "rebase" else "HEAD~1^{tree}")
    beta = world.worktree("beta", at="main")
    beta.did("T-2", {"h.txt": "2\n"})
    land(beta, "squash", "beta")
    done = world.ralph("revert", "T-1", "--reason", "it leaks")
    assert done.code == 0, done.err
    where = "origin/main" if remote else "main"
    assert "T-1 of alpha is taken back by commit" in done.out
    names = world.git("ls-tree", "-r", "--name-only", where).split()
    assert not any("f.txt" in name or "sub" in name or "/T-1/" in name for name in names), names
    assert "h.txt" in names and any("/T-2/" in name for name in names)
    assert world.task("T-1")["state"] == "ready"
    assert on_base(world, "T-2")["status"] == "complete"
    assert "it leaks" in world.git("log", "-1", "--format=%B", where)
    assert world.ralph("check", f"{where}~..{where}").out == "No problem found.\n"
    assert world.ralph("check", "--at", where).out == "No problem found.\n"
    if method == "rebase":
        assert "dir/mode.sh" in names  # it came before the claim
        assert began
    assert alpha.claim("T-1")


def test_later_work_is_in_the_way_of_it(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, task("T-2"), remote=False)
    world = alpha.world
    alpha.did("T-1", {"f.txt": "good\n"})
    land(alpha, "squash")
    world.write("f.txt", "good and better\n")
    world.commit("Follow up")
    before = world.state()
    done = world.ralph("revert", "T-1", "--json")
    assert (done.code, done.error) == (1, "later_work"), done.out
    assert world.state() == before
    text = world.ralph("revert", "T-1").err
    assert "later work depends on T-1, in f.txt; nothing was changed" in text
    assert "Ann Author: Follow up" in text


def test_it_is_refused(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, task("T-2"), remote=False)
    world = alpha.world
    world.refused("revert", "T-1", code="not_claimed")
    alpha.did("T-1", {"f.txt": "good\n"})
    alpha.did("T-2", {"two.txt": "good\n"})
    land(alpha, "squash")
    error = world.refused("revert", "T-1", code="landed_together")
    assert error["related"] == ["T-2"]
    assert world.run(*error["hint"].split(": ")[1].split(), "--no-edit").code == 0
    assert world.task("T-1")["state"] == "ready"
    inside = world.ralph("revert", "T-1", "--json", env={"RALPH_CLAIM": "x"})
    assert (inside.code, inside.error) == (8, "in_loop")


def test_it_makes_a_branch_and_leaves_the_base(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, task("T-2", depends="T-1"), remote=False)
    world = alpha.world
    alpha.did("T-1", {"f.txt": "good\n"})
    land(alpha, "merge")
    alpha.git("merge", "-q", "main")
    alpha.did("T-2", {"g.txt": "good\n"})
    head = land(alpha, "merge")
    done = world.ralph("revert", "T-1", "--branch", "back-1", "--json")
    assert (done.code, done.data["branch"]) == (0, "back-1"), done.out
    assert done.json["warnings"] == ["T-2, which depends on T-1, is complete and stays so"]
    assert world.git("rev-parse", "main") == head
    assert world.git("rev-parse", "back-1") == done.data["commit"]
    assert world.ralph("check", "back-1").code == 0
    assert world.refused("revert", "T-1", "--branch", "back-1", code="branch_exists", exit=2)
    assert world.refused("revert", "T-1", "--branch", "a..b", code="usage", exit=2)


# -- work and records ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("graph", "files", "records", "expected"),
    [
        ("main", "alpha", "both", {"other_work", "event_without_status"}),
        ("main", "alpha", "main", {"other_work"}),
        ("main", "main", "main", set()),
        ("alpha", "main", "both", {"claim_replaced"}),
    ],
)
def test_a_conflict_resolved_with_one_sides_record_and_the_other_sides_files(
    graph: str, files: str, records: str, expected: set[str], tmp_path: Path
) -> None:
    alpha = made(tmp_path, ONE, remote=False)
    world, off = alpha.world, {"RALPH_LEASE": "off"}
    beta = world.worktree("beta")
    for place in (alpha, beta):
        place.claim("T-1", env=off)
    for name, place in (("alpha", alpha), ("beta", beta)):
        place.write("f.txt", f"good {name}\n")
        place.complete("T-1", env=off)
    land(beta, "squash", "beta")
    assert alpha.merge("main").code == 1
    alpha.git("checkout", graph, "--", "task-graph.yaml")
    alpha.git("checkout", files, "--", "f.txt")
    if records == "main":
        alpha.git("rm", "-rqf", "records")
        alpha.git("checkout", "main", "--", "records")
    alpha.commit("Merge main")
    problems = alpha.ralph("check", "--base", "main", "--json").data["problems"]
    assert {one["code"] for one in problems} == expected
    if expected:
        assert alpha.ralph("diff").out.startswith("problems: ")


def test_a_record_whose_work_was_left_out_of_the_merge(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, remote=False)
    world = alpha.world
    world.write("f.txt", "good at first\n")
    world.commit("Begin the file")
    alpha.git("merge", "-q", "main")
    alpha.did("T-1", {"f.txt": "good alpha\n"})
    world.write("f.txt", "good main\n")
    world.commit("Meanwhile")
    assert alpha.merge("main").code == 1
    alpha.git("checkout", "main", "--", "f.txt")
    alpha.commit("Merge main")
    problems = alpha.ralph("check", "--base", "main", "--json").data["problems"]
    assert {one["code"] for one in problems} == {"work_missing", "stale_evidence"}
