"""`fleet`: several loops in tmux or in the background, which outlive whoever started them."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import ryaml
from running import with_variable
from world import PATIENCE, Place, Result, World, until

from ralphgit.app.workspace import locks, loop_mark
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.loop import tmux_entry

QUICK = {
    "RALPH_FLEET_STAGGER": "0.1",
    "RALPH_LOOP_BACKOFF": "0.01",
    "RALPH_LOOP_IDLE": "0.2",
    "RALPH_LOOP_CHECK": "1",
}
WAYS = [
    pytest.param(
        "--tmux",
        marks=[
            pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
            pytest.mark.slow,
        ],
    ),
    "--no-tmux",
]
in_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
both = pytest.mark.parametrize("way", WAYS)


def task(id: str, *lines: str) -> str:
    head = f"  - id: {id}\n    title: Task {id}\n    status: pending\n    outputs: [{id}.txt]\n"
    return head + "".join(f"    {line}\n" for line in lines)


SLEEPS = "x-script: {sleep: 300}"
#: Goes on once `go` stands in the worktree's runtime folder.
WAITS = "x-script: {run: 'until test -e .ralph/go; do sleep 0.05; done; echo > T-1.txt'}"
DRAINED = [task("T-1"), task("T-2"), task("T-3", "depends_on: [T-1]"), task("T-4"), task("T-5")]


@pytest.fixture
def sockets() -> Iterator[str]:
    """Where tmux has its sockets: a short path, and nobody else's server in it."""
    folder = tempfile.mkdtemp(prefix="ralphgit-")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def make(tmp_path: Path, sockets: str) -> Iterator[Callable[..., World]]:
    """Makes worlds, and sees to it that nothing of them runs when the test is over."""
    worlds: list[World] = []

    def made(*tasks: str, name: str = "proj", folder: str = "") -> World:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        world = World(place, name=name)
        # No shell of the user's, and none of tmux' settings.
        world.environ |= {**QUICK, "TMUX_TMPDIR": sockets, "SHELL": "/bin/sh", "TERM": "xterm",
                          "RALPH_SCRIPT_RUN": "1"}  # fmt: skip
        world.write_graph("version: 1\ntasks:\n" + "".join(tasks))
        world.commit("Begin")
        world.ralph("trust", "--yes")
        worlds.append(world)
        return world

    yield made
    all_end(worlds)


def all_end(worlds: Sequence[World]) -> None:
    """What runs of these worlds ends by itself; it is killed where it does not."""

    def left() -> list[int]:
        return [pid for world in worlds for pid in processes(world)]

    try:
        until(lambda: not left())
    finally:
        for pid in left():
            killed(pid)


def killed(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def processes(world: World) -> list[int]:
    """What runs with the world's HOME: loops, agents, a tmux server."""
    return with_variable("HOME", world.environ["HOME"])


def up(world: World, *words: str) -> Result:
    return world.ralph("fleet", "up", "--agent", "scripted", "--land", "merge", *words)


def workers(world: World) -> dict[str, dict[str, Any]]:
    told = world.ralph("fleet", "status", "--json")
    assert told.code == 0, told.err
    assert set(told.data) == {"workers", "left"}
    return {worker["name"]: worker for worker in told.data["workers"]}


def statuses(world: World) -> dict[str, str]:
    tasks = ryaml.loads(world.git("show", "main:task-graph.yaml") + "\n")["tasks"]
    return {found["id"]: found["status"] for found in tasks}


def at_work(world: World, name: str) -> dict[str, Any]:
    """The worker `name`, once its agent works."""
    until(lambda: workers(world)[name]["phase"] == "agent")
    return workers(world)[name]


def sessions(world: World) -> list[str]:
    return world.run("tmux", "list-sessions", "-F", "#{session_name}").out.splitlines()


# -- up ------------------------------------------------------------------------------------


@pytest.mark.slow
@both
def test_a_fleet_drains_a_graph_and_outlives_who_started_it(
    make: Callable[..., World], way: str
) -> None:
    world = make(*DRAINED)
    line = f"{sys.executable} -m ralphgit fleet up -n 2 --agent scripted --land merge {way}"
    shell = subprocess.Popen(
        ["sh", "-c", f"{line} --idle wait --json > told; exit 0"], cwd=world.path,
        env=world.environ, start_new_session=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert shell.wait(PATIENCE) == 0
    with pytest.raises(ProcessLookupError):  # nobody is left in it to hang up
        os.killpg(shell.pid, signal.SIGHUP)
    told = json.loads(world.read("told"))
    (world.path / "told").unlink()
    how = "tmux" if way == "--tmux" else "background"
    assert [(w["name"], w["state"], w["how"], w["made"]) for w in told["data"]["workers"]] == [
        ("w1", "started", how, True), ("w2", "started", how, True),
    ]  # fmt: skip
    assert told["data"]["session"] == ("ralphgit-proj" if way == "--tmux" else None)

    until(lambda: all(worker["state"] == "ended" for worker in workers(world).values()))
    assert set(statuses(world).values()) == {"complete"}
    found = workers(world)
    assert sorted([*found["w1"]["done"], *found["w2"]["done"]]) == [f"T-{n}" for n in range(1, 6)]
    assert found["w1"] | {"done": [], "pid": 0} == {
        "name": "w1", "worktree": str(world.folder / "proj-w1"), "state": "ended",
        "phase": "everything is done", "task": None, "age_s": None, "done": [], "blocked": [],
        "how": how, "pid": 0,
    }  # fmt: skip
    # The session went with its last window, and the server with its last session.
    until(lambda: processes(world) == [])
    assert "claimed T-" in (world.folder / "proj-w1/.ralph/logs/fleet.log").read_text()
    down = world.ralph("fleet", "down")
    assert (down.code, down.out, down.err) == (0, "No loop of a fleet runs.\n", "")


@pytest.mark.slow
@both
def test_the_life_of_a_worker(make: Callable[..., World], way: str) -> None:
    world = make(task("T-1", WAITS))
    begun = up(world, "-n", "1", "--idle", "exit", way)
    how = "in tmux" if way == "--tmux" else "in the background"
    one = at_work(world, "w1")
    attach = "fleet attach" if way == "--tmux" else "logs -f NAME"
    assert (begun.code, begun.err) == (0, "")
    assert begun.out == (
        f"w1 started in the new worktree ../proj-w1, {how} (process {one['pid']}).\n"
        f"Next: ralphgit fleet status, or ralphgit {attach}\n"
    )
    assert (one["state"], one["task"], one["done"]) == ("alive", "T-1", [])
    assert 0 <= one["age_s"] < PATIENCE

    again = up(world, "-n", "1", way)
    where = "tmux" if way == "--tmux" else "background"
    assert again.out.splitlines()[0] == (
        f"w1 runs already in ../proj-w1 (process {one['pid']}, {where}); left alone."
    )
    line = world.ralph("fleet", "status").out.split("\t")
    assert (line[:5], line[6:]) == (["w1", "../proj-w1", "alive", "agent", "T-1"],
                                    ["0", "0", f"{where}\n"])  # fmt: skip

    # The claim stays, and whoever comes next goes on with it.
    down = world.ralph("fleet", "down", "--now", "w1")
    assert (down.code, down.err) == (0, "")
    assert down.out.splitlines()[0] == (
        "The loop of w1 in ../proj-w1 has ended; it still holds T-1."
    )
    command = "ralphgit fleet up -n 1"
    assert down.out.endswith(f"Next: {command} goes on with what w1 still holds\n")
    until(lambda: processes(world) == [])
    attention = world.ralph("status", "--json").data["attention"]
    assert [one["hint"] for one in attention if one["code"] == "stale"] == [command]
    held = workers(world)["w1"]
    assert (held["state"], held["task"]) == ("gone", "T-1")
    assert up(world, "-n", "1", "--idle", "wait", way).code == 0
    at_work(world, "w1")

    # After its task.
    down = world.ralph("fleet", "down", "--json")
    assert [(one["name"], one["task"], one["ended"]) for one in down.data["stopped"]] == [
        ("w1", "T-1", False),
    ]  # fmt: skip
    (world.folder / "proj-w1/.ralph/go").touch()
    until(lambda: processes(world) == [])
    assert statuses(world) == {"T-1": "complete"}
    assert (workers(world)["w1"]["phase"], workers(world)["w1"]["done"]) == ("stopped", ["T-1"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux marks a loop")
def test_all_loops_are_found_by_one_look_at_what_runs(
    make: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make(task("T-1"))
    tops = [str(world.worktree(name).path) for name in ("alpha", "beta", "gamma")]
    common, own = (world.path / ".git", world.path / ".git" / "worktrees" / "proj-beta")
    looks, listed = [0], os.listdir

    def counting(path: str) -> list[str]:
        looks[0] += path == "/proc"
        return listed(path)

    project = Project.open(Surroundings(str(world.path), world.environ, time.time, str, {}))
    mark = loop_mark.put(str(common), str(own))
    monkeypatch.setattr(os, "listdir", counting)
    try:
        running = locks.loops_of(project, [*tops, str(world.path)])
    finally:
        os.close(mark)
    assert running == {**dict.fromkeys([*tops, str(world.path)], 0), tops[1]: os.getpid()}
    assert looks == [1]


@pytest.mark.slow
@both
def test_one_that_waits_for_work_ends_at_once(make: Callable[..., World], way: str) -> None:
    world = make(task("T-1", SLEEPS))
    assert up(world, "-n", "2", "--idle", "wait", way).code == 0
    until(lambda: sorted(w["phase"] for w in workers(world).values()) == ["agent", "idle"])
    # It looks for work now and then, and is no less without a task.
    idle = next(name for name, worker in workers(world).items() if worker["phase"] != "agent")
    down = world.ralph("fleet", "down", idle)
    assert (down.code, down.out.splitlines()) == (
        0,
        [
            f"The loop of {idle} in ../proj-{idle} has ended.",
            "The worktrees stay; ralphgit worktree prune removes those that are done.",
        ],
    )
    nobody = world.ralph("fleet", "down", idle)
    assert (nobody.code, nobody.err) == (
        8, f"error: no loop of {idle} runs\nhint: ralphgit fleet status\n",
    )  # fmt: skip
    assert world.ralph("fleet", "down", "--now").code == 0
    until(lambda: processes(world) == [])


@pytest.mark.slow
def test_of_two_that_start_one_worker_one_finds_it_running(make: Callable[..., World]) -> None:
    world = make(task("T-1", SLEEPS))
    line = ("fleet", "up", "-n", "1", "--agent", "scripted", "--land", "merge", "--no-tmux")
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "ralphgit", *line, "--json"], cwd=world.path,
            env=world.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    told = [racer.communicate(timeout=PATIENCE) for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0], told
    found = [json.loads(out)["data"]["workers"][0] for out, _ in told]
    assert sorted(one["state"] for one in found) == ["running", "started"]
    assert {(one["pid"], one["how"]) for one in found} == {(found[0]["pid"], "background")}
    assert world.ralph("fleet", "down", "--now").code == 0
    until(lambda: processes(world) == [])


@pytest.mark.slow
def test_an_exact_name_wins(make: Callable[..., World]) -> None:
    """Of the worktrees proj-w1 and proj-my-w1, w1 is the first, for every command."""
    world = make(task("T-1", SLEEPS))
    world.worktree("my-w1")
    assert up(world, "-n", "1", "--no-tmux").code == 0
    at_work(world, "w1")
    until(lambda: world.ralph("logs", "w1").out == "scripted agent: T-1\n")
    assert world.ralph("logs", "my-w1", "--json").error == "no_log"
    # A clone may bring links into .ralph/; nobody's files are shown through them.
    logs = world.folder / "proj-my-w1" / ".ralph" / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    (logs / "T-1-abc.log").symlink_to("/etc/hostname")
    assert world.ralph("logs", "my-w1", "--json").error == "no_log"
    assert world.ralph("stop", "nobody", "--json").error == "unknown_worktree"
    world.write(".git/ralphgit/fleet-hosts.yaml", "gpu1: {url: u, workers: [gpu1-1]}\n")
    for verb, hint in (("stop", "down gpu1-1"), ("logs", "status --fetch")):
        error = world.ralph(verb, "gpu1-1", "--json").json["error"]
        assert (error["message"], error["code"]) == (
            "gpu1-1 works on gpu1, not here", "unknown_worktree",
        )  # fmt: skip
        assert error["hint"] == f"ralphgit fleet {hint}"
    stopped = world.ralph("stop", "w1", "--now", "--json").data["stopped"]
    assert [one["worktree"] for one in stopped] == [str(world.folder / "proj-w1")]
    until(lambda: processes(world) == [])


@pytest.mark.slow
def test_a_worker_for_each_story(make: Callable[..., World]) -> None:
    world = make(task("T-1", "story: S-1"), task("T-2", "story: S-2"), task("T-3", "story: solar"))
    told = up(world, "--no-tmux", "--json", "--story", "S-1", "--story", "solar")
    assert [worker["name"] for worker in told.data["workers"]] == ["S-1", "solar"]
    until(lambda: all(worker["state"] == "ended" for worker in workers(world).values()))
    assert statuses(world) == {"T-1": "complete", "T-2": "pending", "T-3": "complete"}
    assert workers(world)["S-1"]["done"] == ["T-1"]
    # Whoever starts it again keeps to its story.
    listed = world.ralph("worktree", "list", "--json").data["worktrees"]
    assert [worktree["story"] for worktree in listed] == ["", "S-1", "solar"]


@pytest.mark.slow
def test_a_loop_that_cannot_begin_says_why(make: Callable[..., World]) -> None:
    world = make(task("T-1", SLEEPS))
    world.ralph("worktree", "new", "w1")
    (world.folder / "proj-w1/notes.txt").write_text("mine\n")
    ways = ["--no-tmux", *(["--tmux"] if shutil.which("tmux") else [])]
    for way in ways:
        failed = up(world, "-n", "1", way)
        assert (failed.code, failed.err) == (
            1,
            "error: the loop of w1 ended at once\n"
            "hint: what it said: ../proj-w1/.ralph/logs/fleet.log\n",
        )
        assert failed.out.startswith(
            "w1 ended at once in ../proj-w1: this worktree has changes that belong to no claim"
        )
    assert (world.folder / "proj-w1/notes.txt").read_text() == "mine\n"


def test_nothing_is_begun_where_it_could_not_run(make: Callable[..., World]) -> None:
    world = make(task("T-1"))
    world.write("ralph.toml", '[agent]\ncommand = "sh work.sh"\n')
    world.commit("An agent")
    before = world.git("worktree", "list")
    untrusted = world.ralph("fleet", "up", "-n", "2", "--no-tmux", "--json")
    assert (untrusted.code, untrusted.error) == (7, "untrusted")
    assert up(world, "-n", "1", "--no-tmux", "--agent", "'").code == 2
    missing = up(world, "-n", "1", "--no-tmux", "--agent", "/nonexistent", "--json")
    assert (missing.code, missing.error) == (7, "no_agent")
    assert world.git("worktree", "list") == before
    # What was made before a refusal is told.
    world.git("branch", "feature/w2")
    refused = up(world, "-n", "2", "--no-tmux")
    assert refused.code == 8
    assert refused.err.startswith("warning: no loop was started; made before, and left: w1\n")


def test_a_fleet_needs_trusted_tasks(make: Callable[..., World]) -> None:
    world = make(task("T-1", "verify: ['true']"))
    world.ralph("trust", "--revoke")
    refused = up(world, "-n", "1", "--no-tmux", "--json")
    assert (refused.code, refused.error) == (7, "untrusted")
    assert not (world.folder / "proj-w1").exists()


WRONG = {
    "no number": (("up",), "fleet up needs to know how many workers"),
    "none": (("up", "-n", "0"), "fleet up needs to know how many workers"),
    "too many": (("up", "-n", "65"), "-n must be 1 to 64"),
    "a name": (("up", "w1"), "fleet up NAME is for workers in clones, which --url starts here"),
    "a number": (("status", "-n", "2"), "-n cannot be combined with fleet status"),
    "now": (("attach", "--now"), "--now cannot be combined with fleet attach"),
    "both": (("up", "-n", "1", "--tmux", "--no-tmux"), "--tmux and --no-tmux cannot be combined"),
    "stories": (("up", "-n", "3", "--story", "A"),
                "-n 3 and 1 stories: there is one worker for each story"),
    "twins": (("up", "--story", "S-1", "--story", "s-1"),
              "the worktrees of S-1 and s-1 would differ only in case"),
    "no story": (("up", "--story", "Solar panels"), "'Solar panels' is not a story"),
}  # fmt: skip


@pytest.mark.parametrize("words, said", WRONG.values(), ids=WRONG.keys())
def test_wrong_words(make: Callable[..., World], words: tuple[str, ...], said: str) -> None:
    world = make(task("T-1"))
    found = world.ralph("fleet", *words, env={"RALPH_AGENT_COMMAND": "scripted"})
    assert (found.code, found.err.splitlines()[0]) == (2, f"error: {said}")


# -- status --------------------------------------------------------------------------------


@pytest.mark.slow
def test_status_of_nobody_and_of_one_by_hand(make: Callable[..., World]) -> None:
    world = make(task("T-1", SLEEPS))
    nobody = world.ralph("fleet", "status")
    assert (nobody.code, nobody.out) == (
        0, "No loop runs, and no fleet has been started.\nNext: ralphgit fleet up -n 2\n",
    )  # fmt: skip
    alpha = world.worktree("alpha")
    loop = subprocess.Popen(
        [sys.executable, "-m", "ralphgit", "run", "--agent", "scripted"], cwd=alpha.path,
        env=world.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: workers(world))
    assert workers(world)["alpha"]["how"] == "by hand"
    refused = world.ralph("fleet", "down", "alpha")
    assert (refused.code, refused.err) == (
        8, "error: the loop of alpha was started by hand\nhint: ralphgit stop alpha\n",
    )  # fmt: skip
    assert world.ralph("fleet", "down").out == "No loop of a fleet runs.\n"
    snapshot = world.snapshot
    loop.send_signal(signal.SIGTERM)
    assert loop.wait(PATIENCE) == 143
    before = snapshot()
    world.ralph("fleet", "status")
    assert snapshot() == before


# -- tmux ----------------------------------------------------------------------------------


def test_without_tmux(make: Callable[..., World]) -> None:
    world = make(task("T-1", SLEEPS))
    env = world.only("git", "sh")
    line = ("fleet", "up", "-n", "1", "--agent", "scripted")
    refused = world.ralph(*line, "--tmux", "--json", env=env)
    assert (refused.code, refused.error) == (8, "no_tmux")
    begun = world.ralph(*line, "--json", env=env)
    assert [worker["how"] for worker in begun.data["workers"]] == ["background"]
    attach = world.ralph("fleet", "attach", "w1", env=env)
    assert (attach.code, attach.err) == (
        8,
        "error: tmux is not installed: there is no session to attach to\n"
        "hint: ralphgit logs -f w1\n",
    )
    assert world.ralph("fleet", "down", "--now", env=env).code == 0


@pytest.mark.slow
@in_tmux
def test_attach(make: Callable[..., World]) -> None:
    world = make(task("T-1", SLEEPS), task("T-2", SLEEPS))
    nothing = world.ralph("fleet", "attach", "--json")
    assert (nothing.code, nothing.error) == (8, "no_session")
    assert up(world, "-n", "2", "--tmux").code == 0
    piped = world.ralph("fleet", "attach")
    assert (piped.code, piped.err.splitlines()[0]) == (
        8, "error: there is no terminal to attach the session to",
    )  # fmt: skip
    assert world.ralph("fleet", "attach", "w9", "--json").error == "unknown_worktree"

    ours, theirs = pty.openpty()
    client = subprocess.Popen(
        [sys.executable, "-m", "ralphgit", "fleet", "attach", "w2"], cwd=world.path,
        env=world.environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    seen = ("tmux", "list-clients", "-F", "#{client_session} #{window_name}")
    until(lambda: world.run(*seen).out == "ralphgit-proj w2\n")
    world.run("tmux", "detach-client", "-s", "ralphgit-proj")
    assert client.wait(PATIENCE) == 0
    os.close(ours)
    assert world.ralph("fleet", "down", "--now").code == 0
    until(lambda: processes(world) == [])


@pytest.mark.slow
@in_tmux
def test_namesakes_have_sessions_of_their_own(make: Callable[..., World]) -> None:
    one = make(task("T-1", SLEEPS), name="my.proj", folder="one")
    two = make(task("T-1", SLEEPS), name="my.proj", folder="two")
    for world in (one, two):
        assert up(world, "-n", "1", "--tmux").code == 0
    found = sessions(one)
    assert sorted(name[:16] for name in found) == ["ralphgit-my_proj"] * 2
    assert len(set(found)) == 2
    assert one.ralph("fleet", "down", "--now").code == 0
    until(lambda: processes_of_loops(one) == [])
    assert at_work(two, "w1")["state"] == "alive"
    # A window of somebody else's keeps the session.
    (left,) = sessions(two)
    two.run("tmux", "new-window", "-d", "-t", f"={left}:", "sleep 600")
    assert two.ralph("fleet", "down", "--now", "--json").data["session_closed"] is False
    assert sessions(two) == [left]
    two.run("tmux", "kill-server")
    until(lambda: processes(one) + processes(two) == [])


def processes_of_loops(world: World) -> list[int]:
    """Those of `processes` that work in one of the world's worktrees."""
    found = []
    for pid in processes(world):
        try:
            if psutil.Process(pid).cwd().startswith(f"{world.path}-"):
                found.append(pid)
        except psutil.Error:
            continue
    return found


@pytest.mark.slow
@in_tmux
def test_the_environment_comes_from_who_starts_it(make: Callable[..., World]) -> None:
    """Not from the tmux server, which may be another login's; and tmux runs nothing of a path."""
    text = task("T-1", "x-script: {run: 'echo $COLOUR > T-1.txt'}")
    world = make(text, name="p#(cd; touch evil)%d")
    world.run("tmux", "new-session", "-d", "-s", "other", "sleep 600")
    secret = "x" * 40_000  # more than tmux takes in one message
    env = {"COLOUR": "blue", "MY_TOKEN": secret}
    line = ("fleet", "up", "-n", "1", "--agent", "scripted", "--land", "merge", "--tmux")
    assert world.ralph(*line, env=env).code == 0
    until(lambda: statuses(world) == {"T-1": "complete"})
    assert world.git("show", "main:T-1.txt") == "blue"
    until(lambda: workers(world)["w1"]["state"] == "ended")
    w1 = Path(f"{world.path}-w1")
    assert not (w1 / ".ralph/start.json").exists()
    assert "T-1" in (w1 / ".ralph/logs/fleet.log").read_text()
    assert sessions(world) == ["other"]
    assert not Path(world.environ["HOME"], "evil").exists()
    world.run("tmux", "kill-server")
    until(lambda: processes(world) == [])


def test_a_window_becomes_nothing_that_another_has_put_there(tmp_path: Path) -> None:
    start, ran = tmp_path / "start.json", tmp_path / "ran"
    evil, told = (
        json.dumps({"words": ["/bin/sh", "-c", f"echo {word} $PWD > {ran}"], "environ": {}})
        for word in ("evil", "good")
    )
    start.write_text(evil)
    digest = hashlib.sha256(told.encode()).hexdigest()
    words = (tmux_entry.__file__, str(start), digest, str(tmp_path))
    entry = subprocess.Popen([sys.executable, "-I", "-S", *words], cwd="/")
    wait = time.monotonic() + 0.2
    until(lambda: ran.exists() or time.monotonic() > wait)
    assert not ran.exists() and start.read_text() == evil
    (tmp_path / "own").write_text(told)
    (tmp_path / "own").replace(start)
    assert entry.wait(PATIENCE) == 0
    assert ran.read_text() == f"good {tmp_path}\n" and not start.exists()


@pytest.mark.slow
def test_a_fleet_log_is_no_agent_s_log(make: Callable[..., World]) -> None:
    world = make(task("T-1"))
    assert up(world, "-n", "1", "--no-tmux").code == 0
    until(lambda: workers(world)["w1"]["state"] == "ended")
    w1 = Place(world.folder / "proj-w1", world.environ)
    w1.write(".ralph/logs/fleet.log", "newer\n")
    assert w1.ralph("logs").out == "scripted agent: T-1\n"


# -- what is left, and who is woken ---------------------------------------------------------


@pytest.mark.slow
def test_somebody_is_woken_with_the_state_and_told_what_is_left(make: Callable[..., World]) -> None:
    world = make(task("T-1"), task("T-2", "depends_on: [T-1]"), task("T-3", "story: S-1"),
                 task("T-4", "needs: [gpu]"))  # fmt: skip
    states = world.folder / "states"
    found = world.ralph(
        "fleet", "up", "--story", "S-1", "--no-tmux", "--agent", "scripted", "--land", "merge",
        "--every", "1s", "--wake", f"cat >> {states}; echo woken", "--json",
    )  # fmt: skip
    assert found.code == 0, found.err
    assert found.data["left"] == {
        "ready": ["T-1"], "held": {}, "needs": {"T-4": ["gpu"]},
        "command": "ralphgit fleet up -n 1 --agent AGENT",
    }  # fmt: skip
    assert "| woken\n" in found.err
    told = [json.loads(line) for line in states.read_text().splitlines()]
    last = told[-1]
    assert (last["event"], {one["event"] for one in told[:-1]} <= {"tick"}) == ("ended", True)
    assert (last["counts"]["complete"], last["counts"]["ready"]) == (1, 2)
    assert [one["name"] for one in last["workers"]] == ["S-1"]
    assert last["left"] == found.data["left"]
    said = world.ralph("fleet", "status").out
    assert "All loops have ended, and tasks are left: T-1 (ready), T-4 (needs gpu).\n" in said
    assert "Next: ralphgit fleet up -n 1 --agent AGENT\n" in said
    # The clean-up worker takes it, and then what needs another machine is left.
    assert up(world, "-n", "1", "--no-tmux").code == 0
    until(lambda: statuses(world)["T-2"] == "complete")
    until(lambda: workers(world)["w1"]["state"] == "ended")
    assert world.ralph("fleet", "status", "--json").data["left"] == {
        "ready": [], "held": {}, "needs": {"T-4": ["gpu"]},
        "command": "ralphgit fleet up -n 1 --provides gpu --agent AGENT",
    }  # fmt: skip


@pytest.mark.slow
def test_what_a_loop_still_holds_when_it_ends_is_named(make: Callable[..., World]) -> None:
    world = make(task("T-1", SLEEPS))
    assert up(world, "-n", "1", "--no-tmux").code == 0
    at_work(world, "w1")
    assert world.ralph("fleet", "down", "--now").code == 0
    left = world.ralph("fleet", "status", "--json").data["left"]
    assert (left["held"], left["command"]) == (
        {"T-1": "w1"},
        "ralphgit fleet up -n 1 --agent AGENT",
    )
    assert "tasks are left: T-1 (held by w1).\n" in world.ralph("fleet", "status").out


def test_how_often_and_what_go_together(make: Callable[..., World]) -> None:
    world = make(task("T-1"))
    for words in (("--every", "10m"), ("--wake", "true"), ("--every", "soon", "--wake", "true")):
        assert up(world, "-n", "1", *words).code == 2, words
    assert not (world.folder / "proj-w1").exists()


@pytest.mark.slow
def test_more_loops_than_do_well_are_warned_of(make: Callable[..., World]) -> None:
    world = make(task("T-1"))
    found = up(world, "-n", "6", "--no-tmux")
    assert found.code == 0, found.err
    assert "warning: 6 loops at once share this machine" in found.err
    assert "up to 5 do well" in found.err
