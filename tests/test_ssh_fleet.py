"""`fleet up --on HOST`: workers on other machines, started by ssh; the server is a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sshd import Sshd
from test_machines import with_tasks
from world import PATIENCE, World, until


@pytest.fixture
def world(tmp_path: Path) -> World:
    return with_tasks(tmp_path)


@pytest.fixture
def server(world: World) -> Iterator[Sshd]:
    with Sshd(world.folder / "far", "gpu1", "gpu2") as made:
        who = "[user]\n\tname = Far\n\temail = far@example.com\n[safe]\n\tdirectory = *\n"
        (made.home / ".gitconfig").write_text(who)
        world.environ["PATH"] = f"{made.path}:{world.environ['PATH']}"
        yield made
        world.ralph("fleet", "down", "--now")


def up(world: World, *words: str) -> list[dict[str, Any]]:
    done = world.ralph("fleet", "up", *words, "--land", "merge", "--json")
    assert done.code == 0, done.out
    found: list[dict[str, Any]] = done.data["workers"]
    return found


def waiting_agent(world: World) -> tuple[Path, Path]:
    """An agent that waits with its task until it may go on; its program, and what lets it."""
    go, begun = world.folder / "go", world.folder / "begun"
    agent = world.write(
        "../agent.sh",
        f"#!/bin/sh\necho half > $RALPH_TASK.txt\ntouch {begun}\n"
        f"for i in $(seq {int(PATIENCE) * 10}); do test -e {go} && exit; sleep 0.1; done\n",
    )
    agent.chmod(0o755)
    return agent, go


@pytest.mark.slow
def test_workers_start_on_hosts_and_drain_the_graph(world: World, server: Sshd) -> None:
    agent, go = waiting_agent(world)
    rows = up(world, "--on", "gpu1,gpu2", "-n", "3", "--agent", str(agent))
    assert [(row["name"], row["host"], row["state"]) for row in rows] == [
        ("gpu1-1", "gpu1", "started"), ("gpu1-2", "gpu1", "started"),
        ("gpu2-1", "gpu2", "started"),
    ]  # fmt: skip
    assert all(Path(row["worktree"]).is_relative_to(server.home) for row in rows)
    again = up(world, "--on", "gpu1", "--agent", str(agent))
    assert [(row["name"], row["state"]) for row in again] == [("gpu1-1", "running")]
    # Only who asks is told by the machines.
    shown = world.ralph("fleet", "status")
    assert "not asked" in shown.out
    assert "Next: ralphgit fleet status --fetch asks" in shown.out
    asked = world.ralph("fleet", "status", "--fetch", "--json")
    assert asked.code == 0, asked.out
    found = asked.data["workers"]
    assert {(one["name"], one["state"], one["phase"]) for one in found} == {
        ("gpu1-1", "alive", "agent"), ("gpu1-2", "alive", "agent"), ("gpu2-1", "alive", "agent"),
    }  # fmt: skip
    assert {one["task"] for one in found} == {"T-1", "T-2", "T-3"}
    go.touch()
    until(lambda: world.origin.git("rev-list", "--count", "main") == "4")
    until(lambda: world.origin.git("for-each-ref", "refs/ralph/") == "")
    log = world.origin.git("log", "--format=%(trailers:key=Ralph-Worker,valueonly)", "main")
    assert set(log.split()) == {"gpu1-1", "gpu1-2", "gpu2-1"}


@pytest.mark.slow
def test_down_ends_them_and_their_work_is_on_the_remote(world: World, server: Sshd) -> None:
    agent, _ = waiting_agent(world)
    up(world, "--on", "gpu1", "-n", "2", "--agent", str(agent))
    later = world.ralph("fleet", "down", "gpu1-2")
    assert later.code == 0, later.err
    assert later.out.startswith("gpu1-2 on gpu1 ends after T-")
    now = world.ralph("fleet", "down", "--now")
    assert now.code == 0, now.err
    assert now.out == "gpu1-1 has ended on gpu1.\ngpu1-2 has ended on gpu1.\n"
    kept = world.origin.git("for-each-ref", "--format=%(refname)", "refs/ralph").split()
    assert [name[:22] for name in kept] == ["refs/ralph/rescue/T-1/", "refs/ralph/rescue/T-2/"]
    assert "not asked" not in world.ralph("fleet", "status").out  # nothing is left to ask


@pytest.mark.slow
def test_a_host_says_what_it_lacks_and_the_others_work(world: World, server: Sshd) -> None:
    done = world.ralph("fleet", "up", "--on", "gpu1,nobody.invalid", "--agent", "scripted")
    assert done.code == 4
    assert "gpu1-1 started on gpu1" in done.out
    assert "nobody.invalid cannot be reached: ssh: Could not resolve hostname" in done.err
    server.configure(PATH="/usr/bin:/bin")
    done = world.ralph("fleet", "up", "--on", "gpu2", "--json")
    assert (done.code, done.error) == (4, "remote_unavailable")
    message = done.json["error"]["message"]
    assert message.startswith("ralphgit does not run on gpu2: ")
    assert message.endswith("ralphgit: not found")


def test_a_login_that_is_refused_is_told_at_once(world: World, server: Sshd) -> None:
    (server.folder / "authorized").write_text("")
    done = world.ralph("fleet", "up", "--on", "gpu1", "--json")
    assert (done.code, done.error) == (4, "remote_unavailable")
    assert "Permission denied (publickey)" in done.json["error"]["message"]


@pytest.mark.slow
def test_a_worker_that_cannot_begin_says_why(world: World, server: Sshd) -> None:
    (server.home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    done = world.ralph("fleet", "up", "--on", "gpu1", "--agent", "scripted", "--json")
    assert (done.code, done.error) == (1, "not_started")
    (row,) = done.data["workers"]
    assert row["why"] == "git does not know in whose name it commits here"


@pytest.mark.slow
def test_workers_of_this_machine_in_clones(world: World) -> None:
    agent, go = waiting_agent(world)
    url = str(world.origin.path)
    line = ("fleet", "up", "near", "--url", url, "-n", "1", "--agent", str(agent))
    assert world.ralph(*line, "--land", "merge").code == 0

    def is_at_work() -> bool:
        (one,) = world.ralph("fleet", "status", "--url", url, "--json").data["workers"]
        return (one["name"], one["state"], one["task"]) == ("near-1", "alive", "T-1")

    until(is_at_work)
    # What its agent writes into the lock says nothing.
    caches = Path(world.environ.get("XDG_CACHE_HOME") or f"{world.environ['HOME']}/.cache")
    (lock,) = caches.glob("ralphgit/workers/*/near-1.lock")
    lock.write_text("1\n")
    assert is_at_work()
    assert world.ralph("fleet", "down", "--url", url).out == "near-1 here ends after T-1.\n"
    go.touch()
    until(lambda: world.origin.git("rev-list", "--count", "main") == "2")

    def state() -> str:
        (row,) = world.ralph("fleet", "status", "--url", url, "--json").data["workers"]
        return str(row["state"])

    until(lambda: state() == "ended")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--on", "a,,b"), "no list of hosts"),
        (("--on", "-oProxyCommand=x"), "no list of hosts"),
        (("--on", "a", "--land", "none"), "--land auto"),
        (("--on", "a", "--tmux"), "leave out --tmux"),
        (("../x", "--url", "u", "-n", "1"), "'../x' is not a worker"),
        (("x", "-n", "1"), "which --url starts here"),
    ],
)
def test_a_fleet_that_would_not_work_is_refused(
    world: World, words: tuple[str, ...], said: str
) -> None:
    done = world.ralph("fleet", "up", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
