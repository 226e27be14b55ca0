"""`notify.command` and the bell: who is told, of what, and that the loop never waits for it."""

from __future__ import annotations

import importlib.util
import json
import os
import pty
import py_compile
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from running import runs, with_variable
from world import PATIENCE, Place, Result, World, until

from ralphgit.app.processes import changed_settings
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.loop import notify

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: A task whose agent asks
    status: pending
    outputs: [one.txt]
    x-script: {report: {status: needs_context, question: "Red or blue?"}}
  - id: T-2
    title: A task that is done
    status: pending
    outputs: [two.txt]
"""
#: Keeps what it is given, a file for each notification.
KEEPS = "f=$(mktemp $TOLD/XXXXXX) && { env | grep ^RALPH_ | sort; cat; } > $f && mv $f $f.told"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit("Begin")
    (tmp_path / "told").mkdir()
    made.environ |= {
        "TOLD": str(tmp_path / "told"), "RALPH_NOTIFY_COMMAND": KEEPS,
        "RALPH_LOOP_BACKOFF": "0.01", "RALPH_AGENT_ATTEMPTS": "2",
    }  # fmt: skip
    made.ralph("trust", "--yes")
    return made


def loop(place: Place, **env: str) -> Result:
    return place.ralph("run", "--agent", "scripted", "--land", "merge", "-q", env=env)


def told(world: World, *events: str) -> list[dict[str, Any]]:
    """What the command was given, once it was told of all `events`."""
    found: list[dict[str, Any]] = []

    def all_are_told() -> bool:
        found.clear()
        for path in (world.folder / "told").glob("*.told"):
            *variables, text = path.read_text().splitlines()
            found.append({"environ": dict(v.split("=", 1) for v in variables), **json.loads(text)})
        return sorted(one["event"] for one in found) == sorted(events)

    until(all_are_told)  # commands in the background that nobody waits for
    return sorted(found, key=lambda one: str(one["event"]))


@pytest.mark.slow
def test_a_blocked_task_and_the_end(world: World) -> None:
    alpha = world.worktree("alpha")
    assert loop(alpha).code == 7
    blocked, ended = told(world, "blocked", "ended")
    assert (blocked["task"], blocked["message"]) == ("T-1", "Red or blue?")
    assert (ended["task"], ended["message"]) == (
        "",
        "the loop has ended: what is left needs a person",
    )
    for one in (blocked, ended):
        environ = one.pop("environ")
        assert {name: environ[f"RALPH_{name}"] for name in ("EVENT", "TASK", "MESSAGE")} == {
            "EVENT": one["event"], "TASK": one["task"], "MESSAGE": one["message"],
        }  # fmt: skip
        assert environ["RALPH_WORKER"] == one["worker"] == "alpha"
        assert one["worktree"] == str(alpha.path)
        assert set(one) == {"event", "task", "message", "worker", "worktree", "at"}


@pytest.mark.slow
def test_the_end_of_all_work_is_an_event_of_its_own(world: World) -> None:
    alpha = world.worktree("alpha")
    asks = '    x-script: {report: {status: needs_context, question: "Red or blue?"}}\n'
    world.replace(asks, "")
    world.commit("It can be done")
    ran = loop(alpha)
    assert ran.code == 0, ran.err
    done, ended = told(world, "all-done", "ended")
    assert (done["message"], ended["message"]) == (
        "everything is done", "the loop has ended: everything is done",
    )  # fmt: skip


@pytest.mark.slow
def test_an_open_breaker(world: World) -> None:
    alpha = world.worktree("alpha")
    world.replace('{report: {status: needs_context, question: "Red or blue?"}}', "{exit: 3}")
    world.commit("It fails")
    assert loop(alpha, RALPH_LOOP_FAILURES="1", RALPH_LOOP_COOLDOWN="4").code == 7
    # Once before the second attempt, and once before the next task.
    _, *breaker, _ = told(world, "blocked", "breaker", "breaker", "ended")
    said = sorted(re.sub(r"pauses [1-4] s", "pauses", one["message"]) for one in breaker)
    assert said == [f"the loop pauses after failures in a row: {n}" for n in (1, 2)]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["exit 1", "no-such-program", "sleep 300", "exec 0<&-", "'"])
def test_no_command_holds_or_fails_the_loop(world: World, command: str) -> None:
    env = {"RALPH_NOTIFY_COMMAND": command}
    world.ralph("trust", "--yes", env=env)
    alpha = world.worktree("alpha")
    ran = loop(alpha, **env)
    assert (ran.code, ran.out.splitlines()[-1]) == (
        7, "The loop has ended: what is left needs a person.",
    )  # fmt: skip
    if command == "sleep 300":  # it is still told of the end
        assert with_variable("TOLD", world.environ["TOLD"])


def test_it_needs_trust(world: World) -> None:
    """Where the repository names it; the user's own command needs none."""
    del world.environ["RALPH_NOTIFY_COMMAND"]
    world.write("ralph.toml", f"[notify]\ncommand = '{KEEPS}'\n")
    world.commit("Tell somebody")
    alpha = world.worktree("alpha")
    assert KEEPS in world.ralph("trust", "--list").out
    refused = alpha.ralph("run", "--agent", "scripted", "--json", "-q")
    assert (refused.code, refused.error) == (7, "untrusted")
    assert not (alpha.path / ".ralph" / "heartbeat").exists()


@pytest.mark.slow
def test_a_branch_does_not_bring_its_own(world: World) -> None:
    """Of the repository's files only the base's has a say."""
    del world.environ["RALPH_NOTIFY_COMMAND"]
    alpha = world.worktree("alpha")
    alpha.write("ralph.toml", '[notify]\ncommand = "touch $TOLD/evil"\n')
    alpha.commit("Mine")
    assert alpha.ralph("trust", "--list").out.find("evil") == -1
    assert loop(alpha).code == 7
    assert list((world.folder / "told").iterdir()) == []


def notifier(place: Place) -> notify.Notifier:
    around = Surroundings(
        directory=str(place.path), environ=place.environ, now=time.time, new_id=lambda: "x"
    )
    project = Project.open(around)
    return notify.Notifier(project, changed_settings.signs(project))


def test_what_is_told_is_short_and_has_no_secret(world: World) -> None:
    world.environ |= {"MY_TOKEN": "hunter2hunter2"}
    teller = notifier(world)
    hear = teller.hear
    hear({"event": "claimed", "task": "T-1"})
    hear({"event": "lost", "task": "T-1", "message": "hunter2hunter2 \0\x1b " + "ü😀" * 9000})
    (lost,) = told(world, "lost")
    until(lambda: all(process.poll() is not None for process in teller._running))
    assert lost["message"].startswith("[redacted] \x1b üü"[:14])
    assert len(lost["message"]) == 4096


@pytest.mark.parametrize("line", ["tellme", "sh ../programs/tellme"])
def test_once_what_it_names_was_changed_it_is_not_run(line: str, world: World) -> None:
    program = world.path.parent / "programs" / "tellme"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\ntouch $TOLD/it\n")
    program.chmod(0o755)
    world.environ |= {
        "RALPH_NOTIFY_COMMAND": line, "PATH": f"{program.parent}:{world.environ['PATH']}",
    }  # fmt: skip
    teller = notifier(world)
    # Another change that steers leaves it as it was.
    world.git("config", "core.fsmonitor", "true")
    teller.hear({"event": "lost", "task": "T-1"})
    until((world.folder / "told" / "it").exists)
    program.write_text("#!/bin/sh\ntouch $TOLD/evil\n")
    before = list(teller._running)
    teller.hear({"event": "lost", "task": "T-1"})
    assert teller._running == before


def test_what_sees_to_the_time_limit_is_no_code_of_the_worktree(world: World) -> None:
    world.write("subprocess.py", "open(__import__('os').environ['TOLD'] + '/evil', 'w')\n")
    world.environ["RALPH_NOTIFY_COMMAND"] = "pwd > $TOLD/it"
    notifier(world).hear({"event": "lost", "task": "T-1"})
    until((world.folder / "told" / "it").exists)
    assert not (world.folder / "told" / "evil").exists()
    until(lambda: (world.folder / "told" / "it").read_text() == f"{world.path}\n")


def test_a_module_is_run_as_its_file_says(world: World) -> None:
    """And not as what an agent has compiled for it, which git ignores."""
    world.write("tools/__init__.py", "")
    world.write("tools/tell.py", "import os\nopen(os.environ['TOLD'] + '/it', 'w')\n")
    world.write(".gitignore", "__pycache__/\n")
    world.commit("Tell")
    world.environ["RALPH_NOTIFY_COMMAND"] = f"{sys.executable} -m tools.tell"
    evil = world.write("../evil.py", "import os\nopen(os.environ['TOLD'] + '/evil', 'w')\n")
    made = importlib.util.cache_from_source(str(world.path / "tools/tell.py"))
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(evil), cfile=made, invalidation_mode=mode)
    notifier(world).hear({"event": "lost", "task": "T-1"})
    until((world.folder / "told" / "it").exists)
    assert not (world.folder / "told" / "evil").exists()


def test_the_time_limit(world: World) -> None:
    """Nothing of the command is left when its time is over, nor what it began."""
    begin = time.monotonic()
    line = "sleep 300 & echo $! > $TOLD/pid; wait"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", notify._CODE, line, "0.3", "/"], env=world.environ,
        input=b"{}\n", check=False,
    )  # fmt: skip
    assert (done.returncode, time.monotonic() - begin < PATIENCE) == (0, True)
    pid = int((world.folder / "told" / "pid").read_text())
    until(lambda: not runs(pid))


@pytest.mark.slow
def test_the_bell_of_a_terminal(world: World) -> None:
    del world.environ["RALPH_NOTIFY_COMMAND"]
    alpha = world.worktree("alpha")
    ours, theirs = pty.openpty()
    ran = subprocess.Popen(
        [sys.executable, "-m", "ralphgit", "run", "--agent", "scripted", "-q"], cwd=alpha.path,
        env=alpha.environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 1024):
            said += chunk
    except OSError:
        pass  # Linux says EIO where the other side is closed
    os.close(ours)
    ran.wait(PATIENCE)
    # T-1 is blocked; the end.
    assert (ran.returncode, said.replace(b"\a", b"")[:7], said.count(b"\a")) == (7, b"nothing", 2)
    assert "\a" not in loop(world.worktree("beta")).err
