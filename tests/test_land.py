"""`land`: a branch, all branches, and what a branch does to the records alone."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import slow
from forge import Forge
from test_integrate import task, worked, world_of
from test_loop import loop, made, on_base
from test_loop import task as loop_task
from world import Place, Result, World, until

from ralphgit.app.base import update_base
from ralphgit.app.workspace import heartbeat, locks, user_state
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.loop.heartbeat_writer import HeartbeatWriter


@pytest.fixture
def world(tmp_path: Path) -> World:
    return world_of(
        tmp_path,
        task("A", "test -s a.txt", "a.txt", depends_on="B"),
        task("B", "test -s b.txt", "b.txt"),
        task("C", "true", "c.txt"),
        task("D", "test -s d.txt", "d.txt"),
    )


@pytest.mark.slow
def test_all_that_is_complete_lands_in_an_order_that_works(world: World) -> None:
    worked(world, "beta", "B", {"b.txt": "b\n"})
    alpha = world.worktree("alpha", at="beta")
    alpha.claim("A", "--stack")
    alpha.write("a.txt", "a\n")
    alpha.complete()
    worked(world, "delta", "D", {"d.txt": "d\n"}, "--concern", "it is slow")
    gamma = world.worktree("gamma")
    gamma.claim("C")
    gamma.write("c.txt", "c\n")
    gamma.commit("Half of it")
    since = world.head
    found = world.ralph("land", "--all", "--json")
    assert (found.code, found.error) == (7, "concerns_wait"), found
    assert found.data["merged"] == ["beta", "alpha"]
    told = world.git("log", "--first-parent", "--format=%s", f"{since}..main").split("\n")
    assert told == ["A: Task A", "B: Task B"]
    assert world.ralph("land", "--all", "--accept-concerns").code == 0
    assert world.read("d.txt") == "d\n"
    again = world.ralph("land", "--all")
    assert (again.code, again.out) == (0, "There is nothing to land.\n")
    assert world.ralph("land", "alpha", "--all", "--json").error == "usage"


def test_what_is_not_ready_does_not_hold_back_the_rest(world: World) -> None:
    worked(world, "beta", "B", {"b.txt": "b\n"})
    delta = worked(world, "delta", "D", {"d.txt": "d\n"})
    delta.write("outside.txt", "x\n")
    delta.commit("More")
    found = world.ralph("land", "--all", "--json")
    assert (found.code, found.error, found.data["merged"]) == (1, "not_ready", ["beta"])
    assert world.read("b.txt") == "b\n"


def beaten(world: World) -> tuple[Place, str]:
    """A worktree in which D is complete by a claim that is lost, and that claim's id."""
    clone = world.clone("proj-clone")
    delta = worked(world, "delta", "D", {"d.txt": "d\n"})
    assert clone.ralph("trust", "--yes").code == 0
    clone.did("D", {"d.txt": "other\n"})
    clone.git("push", "--quiet", "origin", "HEAD:main")
    return delta, delta.task("D")["claim"]["id"]


@pytest.mark.parametrize(
    "words", [("--land", "merge"), ("delta", "--land", "merge"), ("--land", "pr")]
)
def test_of_a_lost_claim_nothing_lands_and_its_worker_keeps_the_work(
    world: World, words: tuple[str, ...]
) -> None:
    delta, claim = beaten(world)
    lost = delta.head
    found = delta.ralph("land", *words, "--json", env=Forge(world).environ)
    assert (found.code, found.error) == (5, "claim_lost"), found.out
    rescue = f"refs/ralph/rescue/D/{claim}"
    assert found.json["error"]["rescue"] == rescue
    assert world.git("rev-parse", rescue) == lost
    assert delta.leases == []
    assert delta.ralph("claim", "C").code == 0


@pytest.mark.parametrize("words", [("land", "delta"), ("land", "delta", "--dry-run")])
def test_somebody_else_is_told_that_a_claim_is_lost(world: World, words: tuple[str, ...]) -> None:
    delta, claim = beaten(world)
    world.git("fetch", "--quiet", "origin")
    head = delta.head
    found = world.ralph(*words)
    assert found.code == 5
    assert f"claim {claim} of " in found.err and "on D is lost: on origin/main " in found.err
    assert (delta.head, delta.leases) == (head, ["D"])
    rest = world.ralph("land", "--all")
    assert (rest.code, rest.out) == (0, "There is nothing to land.\n")
    assert "the claim of delta on D in worktree " in rest.err


def test_a_branch_whose_claim_was_reset_is_a_workers_and_lost(world: World) -> None:
    zom = world.worktree("zom")
    zom.claim("D")
    zom.write("d.txt", "half\n")
    zom.commit("Half of it")
    assert world.ralph("reset", "D", "--force", "--reason", "gone").code == 0
    found = world.ralph("land", "zom")
    assert found.code == 5
    assert "the claim on D is lost: D was reset on main (epoch 1)" in found.err + found.out
    assert world.ralph("reconcile", "zom", "--json").error == "not_ready"


@pytest.mark.parametrize("work", [True, False])
def test_nothing_lands_while_the_remote_cannot_be_reached(world: World, work: bool) -> None:
    assert world.origin
    if work:
        delta = worked(world, "delta", "D", {"d.txt": "d\n"})
    else:
        delta = world.worktree("delta")
        assert delta.ralph("edit", "D", "--priority", "0").code == 0
        delta.commit("Sooner")
    world.git("remote", "set-url", "origin", str(world.folder / "nowhere.git"))
    before = world.head, delta.head, delta.leases
    found = delta.ralph("land", "--land", "merge")
    assert found.code == 4
    assert "landed" not in found.out
    assert (world.head, delta.head, delta.leases) == before
    local = delta.ralph("land", "--land", "merge", "--no-push")
    assert local.code == 0
    assert "the change is on the local main only" in local.err


def test_a_branch_lands_what_it_adds_and_edits(world: World) -> None:
    alpha = world.worktree("alpha")
    assert alpha.ralph("add", "--id", "E", "--title", "New").code == 0
    assert alpha.ralph("edit", "C", "--priority", "0").code == 0
    alpha.commit("Plan more")
    world.write("README", "moved on\n")
    world.commit("Moved on")
    done = alpha.ralph("land")
    assert done.code == 0, done
    assert done.out.splitlines()[0].startswith("landed on main: C edited, E added (")
    assert (alpha.head, world.task("E")["title"]) == (world.head, "New")


def test_of_a_blocked_task_the_record_alone_lands(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("B")
    alpha.write("b.txt", "half\n")
    alpha.commit("Half of it")
    assert alpha.ralph("block", "B", "--question", "Which?").code == 0
    world.write("README", "moved on\n")
    world.commit("Moved on")
    done = alpha.ralph("land", "--json")
    assert done.code == 0, done
    assert world.task("B")["status"] == "blocked"
    assert not (world.path / "b.txt").exists() and alpha.read("b.txt") == "half\n"
    assert world.ralph("check").code == 0
    assert world.ralph("reply", "B", "This one.").code == 0
    assert alpha.ralph("claim", "B").code == 0


def test_a_release_lands(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("B")
    alpha.write("b.txt", "half\n")
    alpha.commit("Half of it")
    assert alpha.ralph("release", "B", "--reason", "tired").code == 0
    alpha.commit("Given back")
    done = alpha.ralph("land")
    assert done.code == 0, done
    assert world.task("B")["epoch"] == 1
    assert not (world.path / "b.txt").exists()


def by_pull(tmp_path: Path) -> tuple[World, Forge]:
    world = world_of(
        tmp_path,
        task("A", "test -s a.txt", "a.txt", depends_on="B"),
        task("B", "test -s b.txt", "b.txt"),
        task("C", "true", "c.txt"),
    )
    assert world.origin
    return world, Forge(world)


def test_land_opens_a_pull_request_where_work_lands_by_them(tmp_path: Path) -> None:
    """As `complete --land` does: the branch stands on the base, the work on one of its own."""
    world, forge = by_pull(tmp_path)
    alpha = worked(world, "alpha", "C", {"c.txt": "c\n"}, "--summary", "It is *there*.\nAll.")
    shown = alpha.ralph("land", "--dry-run", "--json", env=forge.environ)
    assert (shown.data["way"], shown.data["pulls"][0]["tasks"]) == ("pr", ["C"]), shown
    assert forge.pulls == []
    assert alpha.ralph("land", "--no-push", "--json", env=forge.environ).error == "usage"
    done = alpha.ralph("land", "--json", env=forge.environ)
    assert done.code == 0, done
    (pull,) = forge.pulls
    (told,) = done.data["pulls"]
    assert (told["branch"], told["pushed_as"], told["url"]) == ("alpha", pull["head"], pull["url"])
    assert (done.data["way"], done.data["merged"], done.data["commit"]) == ("pr", [], None)
    assert alpha.head == world.head and done.data["worktree"]["moved"]
    assert alpha.git("rev-parse", pull["head"]) == told["commit"]
    assert world.origin.git("rev-parse", "main") == world.head
    # What the worker says is text in the pull request.
    assert "alpha says:\n\n> It is \\*there\\*\\.\n> All\\.\n" in pull["body"]
    merged = world.ralph("land", pull["head"], "--land", "merge", env=forge.environ)
    assert merged.code == 0, merged
    assert world.origin.git("show", "main:c.txt") == "c"


@pytest.mark.slow
def test_land_all_opens_one_for_each_branch_and_none_twice(tmp_path: Path) -> None:
    world, forge = by_pull(tmp_path)
    worked(world, "beta", "B", {"b.txt": "b\n"}, "--concern", "it is slow")
    alpha = world.worktree("alpha", at="beta")
    alpha.claim("A", "--stack")
    alpha.write("a.txt", "a\n")
    alpha.complete()
    worked(world, "gamma", "C", {"c.txt": "c\n"})
    for words in (["--dry-run"], []):
        found = world.ralph("land", "--all", "--json", *words, env=forge.environ)
        assert found.code == 0, found
        assert [one["branch"] for one in found.data["pulls"]] == ["beta", "alpha", "gamma"]
    lower, upper, other = forge.pulls
    titles = [pull["title"] for pull in forge.pulls]
    assert titles == ["B: Task B", "A: Task A", "C: Task C"]
    # What stands on other work is to be merged into that, until it is on the base.
    assert [lower["base"], upper["base"], other["base"]] == ["main", lower["head"], "main"]
    again = world.ralph("land", "--all", env=forge.environ)
    assert again.out.count("is in review already: https://forge.example/") == 3
    assert len(forge.pulls) == 3
    assert world.ralph("status", "--fetch", env=forge.environ).code == 0
    assert forge.pulls[1]["base"] == lower["head"]
    forge.merge(lower["head"], "squash")
    seen = world.ralph("status", "--fetch", env=forge.environ)
    assert (seen.code, forge.pulls[1]["base"]) == (0, "main"), seen
    forge.merge(upper["head"], "squash")
    assert world.origin.git("show", "main:a.txt") == "a"
    edits = [call for call in forge.calls if call[2] == "edit"]
    assert [call[3:] for call in edits] == [[upper["url"], "--base", "main"]]


@pytest.mark.slow
@pytest.mark.parametrize("method", slow.but(1, ["squash", "merge", "rebase"]))
def test_a_loop_s_stacked_work_lands_as_its_refusal_says(method: str, tmp_path: Path) -> None:
    world, forge = by_pull(tmp_path)
    worked(world, "beta", "B", {"b.txt": "b\n"})
    alpha = world.worktree("alpha", at="beta")
    agent = "echo a > a.txt"
    words = ("--agent", f"sh -c '{agent}'", "--max-tasks", "1")
    assert alpha.ralph("trust", "--yes").code == 0
    refused = alpha.ralph("run", "--stack", "--land", "pr", *words)
    assert refused.code == 2
    run, land = refused.err.splitlines()[-1].removeprefix("hint: ralphgit ").split(" && ralphgit ")
    ran = alpha.ralph(*run.split(), "--task", "A", *words, env=forge.environ)
    assert ran.code == 0, ran.err
    landed = alpha.ralph(*land.split(), env=forge.environ)
    assert landed.code == 0, landed.err
    lower, upper = forge.pulls
    assert [lower["base"], upper["base"]] == ["main", lower["head"]]
    forge.merge(lower["head"], method)
    assert world.ralph("status", "--fetch", env=forge.environ).code == 0
    assert forge.pulls[1]["base"] == "main"
    forge.merge(upper["head"], method)
    assert world.ralph("status", "--fetch", env=forge.environ).code == 0
    for id in ("A", "B"):
        assert world.task(id)["state"] == "complete"
    assert world.ralph("check", "--base", "origin/main").code == 0


def test_records_alone_get_a_pull_request_too(tmp_path: Path) -> None:
    world, forge = by_pull(tmp_path)
    alpha = world.worktree("alpha")
    assert alpha.ralph("add", "--id", "E", "--title", "New").code == 0
    alpha.commit("Plan more")
    done = alpha.ralph("land", env=forge.environ)
    assert done.code == 0, done
    (pull,) = forge.pulls
    assert pull["title"] == "Records: E added" and "**E**" in pull["body"]
    assert alpha.head == world.head == world.origin.git("rev-parse", "main")
    assert alpha.ralph("land", pull["head"], env=forge.environ).code == 0
    assert len(forge.pulls) == 1
    forge.merge(pull["head"])
    assert world.origin.git("show", "main:task-graph.yaml").count("id: E") == 1


@pytest.mark.slow
def test_a_claim_opens_a_pull_request_for_the_block_before_it(tmp_path: Path) -> None:
    """Where work lands by them, nothing reaches the base otherwise."""
    world, forge = by_pull(tmp_path)
    alpha = world.worktree("alpha")
    alpha.claim("B")
    alpha.write("b.txt", "half\n")
    alpha.commit("Half of it")
    assert alpha.ralph("block", "B", "--question", "Which?").code == 0
    blocked = alpha.head
    done = alpha.ralph("claim", "C", env=forge.environ)
    assert done.code == 0, done
    (pull,) = forge.pulls
    assert f"B (blocked): is in review {pull['url']}\n" in done.err
    assert f"the work so far stays on {pull['head']}\n" in done.err
    assert world.origin.git("rev-parse", "main") == world.head == alpha.head
    assert alpha.git("rev-parse", pull["head"]) == blocked
    alpha.write("c.txt", "c\n")
    assert alpha.ralph("complete", "--land", env=forge.environ).code == 0
    assert [one["title"] for one in forge.pulls] == ["Records: B blocked", "C: Task C"]
    forge.merge(pull["head"])
    assert world.ralph("reply", "B", "This.", env=forge.environ).code == 0


def test_a_branch_without_anything_has_nothing_to_land(world: World) -> None:
    alpha = world.worktree("alpha")
    done = alpha.ralph("land")
    assert (done.code, done.out) == (0, "There is nothing to land: main has all of alpha.\n"), done


def test_land_says_where_nothing_says_how(world: World) -> None:
    alpha = worked(world, "alpha", "C", {"c.txt": "c\n"})
    world.git("config", "ralph.land.mode", "none")
    alpha.refused("land", code="no_way", exit=2)
    assert alpha.ralph("land", "--land", "merge").code == 0


def test_a_worktree_s_own_file_does_not_say_how(world: World) -> None:
    """An agent may have left it there, ignored, for the next loop."""
    alpha = worked(world, "alpha", "C", {"c.txt": "c\n"})
    (world.path / ".git/info/exclude").write_text("ralph.toml\n")
    alpha.write("ralph.toml", "[land]\nmode = 'none'\n")
    assert alpha.ralph("land").code == 0


def test_init_says_how_work_lands(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit()
    assert "Finished work is merged into the base here (land.mode = auto)." in (
        world.ralph("init", "--dry-run").out + world.ralph("init").out
    )


@pytest.mark.slow
def test_a_loop_says_what_has_not_landed_and_lands_it_later(tmp_path: Path) -> None:
    alpha = made(
        tmp_path, loop_task("T-1", "outputs: [one.txt]"), loop_task("T-2", "outputs: [two.txt]")
    )
    ran = loop(alpha, "--task", "T-1", "--land", "none")
    assert ran.code == 0, ran.err
    assert "not landed: T-1 (ralphgit land --all)" in ran.out.splitlines()
    alpha.git("switch", "-q", "alpha")
    alpha.git("reset", "-q", "--hard", "origin/main")
    (alpha.path / ".ralph" / "current.yaml").unlink()
    again = loop(alpha, "--once")
    assert again.code == 0, again.err
    assert "T-1 of an earlier loop has landed" in again.err
    assert on_base(alpha, "T-1")["status"] == "complete"
    assert "not landed" not in again.out


@pytest.mark.slow
def test_a_loop_leaves_a_branch_that_nothing_here_has_verified(tmp_path: Path) -> None:
    """An agent can do another task in a clone, in no loop and in its worker's name."""
    alpha = made(
        tmp_path, loop_task("T-1", "outputs: [one.txt]"), loop_task("T-2", "outputs: [two.txt]")
    )
    else_ = alpha.world.clone("else")
    else_.git("switch", "-q", "-c", "ralph/T-1-aaaaaa")
    else_.git("config", "ralph.worker", "alpha")
    else_.claim("T-1")
    else_.write("one.txt", "evil\n")
    assert else_.ralph("complete", "--shows", "saw").code == 0
    alpha.git("fetch", "-q", str(else_.path), "HEAD:refs/heads/ralph/T-1-aaaaaa")
    ran = loop(alpha, "--once")
    assert ran.code == 0, ran.err
    assert "T-1 of an earlier loop is still on ralph/T-1-aaaaaa: nothing here has veri" in ran.err
    assert on_base(alpha, "T-1")["status"] == "pending"


@pytest.mark.slow
def test_a_loop_opens_pull_requests_for_what_an_earlier_one_left(tmp_path: Path) -> None:
    alpha = made(tmp_path, loop_task("T-1", "outputs: [one.txt]"))
    forge = Forge(alpha.world)
    assert loop(alpha, "--land", "none").code == 0
    alpha.git("switch", "-q", "alpha")
    alpha.git("reset", "-q", "--hard", "origin/main")
    (alpha.path / ".ralph" / "current.yaml").unlink()
    again = loop(alpha, "--land", "pr", "--once", env=forge.environ)
    assert "T-1 of an earlier loop is in review" in again.err, again
    assert [pull["title"] for pull in forge.pulls] == ["T-1: Task T-1"]
    assert "not landed" not in again.out


@pytest.mark.skipif(sys.platform != "linux", reason="who waits is seen in /proc")
@pytest.mark.parametrize("where", ["worktree", "clone"])
def test_of_two_that_land_on_one_remote_each_pushes_once(tmp_path: Path, where: str) -> None:
    """The second waits for its turn, and then lands on what the first has made of the base."""
    alpha = made(tmp_path, loop_task("T-1", "scope: {write: [a.txt]}", "verify: [test -s a.txt]"))
    world = alpha.world
    if where == "clone":
        path = tmp_path / "clone"
        world.git("clone", "--quiet", world.git("config", "remote.origin.url"), str(path))
        alpha = Place(path, {**world.environ, "RALPH_LEASE": "remote"}, world)
        alpha.git("switch", "--quiet", "--create", "alpha")
        alpha.ralph("trust", "--yes")
    alpha.claim("T-1")
    alpha.write("a.txt", "a\n")
    alpha.ralph("status", apart=True)  # what runs commands apart is there from now on
    turns = Path(world.environ["HOME"]) / ".local" / "state" / "ralphgit" / "landing"
    name = user_state.name(world.git("config", "remote.origin.url"), "main")
    turn = turns / name
    turn.mkdir(parents=True)
    trace = tmp_path / "trace"
    landed: list[Result] = []
    fd = os.open(turn, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    waiting = threading.Thread(target=lambda: landed.append(
        alpha.ralph("complete", "--land", env={"GIT_TRACE2_EVENT": str(trace)}, apart=True)
    ))  # fmt: skip
    waiting.start()
    try:
        until(lambda: landed or os.fspath(turn) in opened_by_others())
        assert landed == []
        world.write("b.txt", "b\n")
        world.commit("Another one lands")
        world.git("push", "--quiet", "origin", "HEAD:main")
    finally:
        os.close(fd)
        waiting.join()
    assert landed[0].code == 0, landed[0].err
    started = (json.loads(line) for line in trace.read_text().splitlines())
    pushed = [
        one
        for one in started
        if one["event"] == "start" and "push" in one["argv"] and "refs/heads/main" in str(one)
    ]
    assert len(pushed) == 1
    assert {"a.txt", "b.txt"} <= {*alpha.git("ls-tree", "--name-only", "origin/main").split()}


#: Has somebody else get through before the first eight pushes.
_OTHERS = """\
#!/bin/sh
unset GIT_DIR
n=$(cat {count} 2>/dev/null || echo 0)
[ "$n" -lt 8 ] || exit 0
echo $((n + 1)) > {count}
cd {origin}
git update-ref refs/heads/main "$(git commit-tree -p main -m "Another's" "main^{{tree}}")"
"""


def test_records_land_though_others_are_quicker_eight_times(tmp_path: Path) -> None:
    alpha = made(tmp_path, loop_task("T-1"))
    world = alpha.world
    alpha.claim("T-1")
    assert alpha.ralph("block", "--reason", "other", "--question", "Why?").code == 0
    hook = world.path / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    origin = world.git("config", "remote.origin.url")
    hook.write_text(_OTHERS.format(count=tmp_path / "count", origin=origin))
    hook.chmod(0o755)
    landed = alpha.ralph("land", "alpha")
    assert landed.code == 0, landed.err
    world.git("fetch", "--quiet")
    subjects = world.git("log", "--format=%s", "--first-parent", "origin/main").split("\n")
    assert subjects.count("Another's") == 8
    assert "T-1 (blocked)" in subjects[0]


@pytest.mark.parametrize("moves", [True, False], ids=["by turns", "held"])
def test_a_turn_is_waited_for_while_it_goes_from_one_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: bool
) -> None:
    """Ten others before this one take longer than one may, and each marks that it has it."""
    now, mark = [0.0], tmp_path

    def wait(seconds: float) -> None:
        now[0] += 1.0
        if moves:
            os.utime(mark, (now[0], now[0]))

    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=wait)
    monkeypatch.setattr("ralphgit.app.workspace.locks.time", clock)
    holder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    lock = locks._Lock()
    lock._open(os.fspath(tmp_path))
    try:
        assert not lock._take(3.0, 20.0)
        assert now[0] == (20.0 if moves else 3.0)
    finally:
        lock.__exit__()
        os.close(holder)


def test_status_says_that_a_loop_waits_for_its_turn_to_land(tmp_path: Path) -> None:
    alpha = made(tmp_path, loop_task("T-1"))
    beat = HeartbeatWriter(str(alpha.path), "alpha")
    beat.phase("land", task="T-1", claim=alpha.claim("T-1"))
    surroundings = Surroundings(str(alpha.path), alpha.environ, time.time, str, {}, progress=beat)
    lock = update_base.turn(project := Project.open(surroundings))
    taken = threading.Thread(target=lambda: lock.__enter__())
    with update_base.turn(project):
        taken.start()
        until(lambda: beat.now.why != "")
        heartbeat.write(str(alpha.path), beat.now)
        assert "; waiting for another landing to end" in alpha.ralph("status").out
    taken.join()
    lock.__exit__()
    assert (beat.now.phase, beat.now.why) == ("land", "")


def opened_by_others() -> set[str]:
    """What other processes have open, by /proc."""
    found = set[str]()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):  # it has ended
            links = os.listdir(f"/proc/{pid}/fd") if int(pid) != os.getpid() else ()
            found.update(os.readlink(f"/proc/{pid}/fd/{link}") for link in links)
    return found
