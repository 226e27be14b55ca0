"""Claims, leases, completion and landing over real transports: git:// and smart HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import slow
from forge import Forge
from servers import GitDaemon, HttpBackend
from test_loop import QUICK, made, on_base, task
from world import Place, World

REMOTE = {"RALPH_LEASE": "remote"}
SERVERS = {"git daemon": GitDaemon, "http-backend": HttpBackend}


@pytest.fixture(params=slow.but(1, SERVERS.values()), ids=list(SERVERS))
def alpha(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A worktree whose remote is reached over the network."""
    place = made(
        tmp_path,
        task("T-1", "outputs: [one.txt]", "verify: [grep -q T-1 one.txt]"),
        task("T-2", "outputs: [two.txt]", "priority: 3"),
    )
    world = place.world
    world.origin.git("config", "http.receivepack", "true")
    with request.param(tmp_path, world.environ) as server:
        world.git("remote", "set-url", "origin", server.where("origin.git"))
        yield place


def machine(world: World, name: str) -> Place:
    """Another machine: a clone of its own, and a worktree in it."""
    clone = world.folder / name
    world.git("clone", "--quiet", world.git("remote", "get-url", "origin"), str(clone))
    place = Place(clone, world.environ)
    place.git("worktree", "add", "--quiet", "--no-track", "-b", name, f"../{name}-w", "HEAD")
    place.ralph("trust", "--yes")
    return Place(world.folder / f"{name}-w", world.environ)


def refs(place: Place) -> str:
    """All refs of ours on the remote."""
    return place.world.origin.git("for-each-ref", "--format=%(refname)", "refs/ralph")


@pytest.mark.slow
def test_claim_complete_and_land(alpha: Place) -> None:
    assert alpha.ralph("claim", "T-1", env=REMOTE).code == 0
    assert refs(alpha) == "refs/ralph/leases/T-1"
    alpha.write("one.txt", "T-1\n")
    done = alpha.ralph("complete", env=REMOTE)
    assert done.code == 0, done.err
    ran = alpha.ralph("run", "--agent", "scripted", "--land", "merge", env={**QUICK, **REMOTE})
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1 T-2"), ran.err
    assert [on_base(alpha, id)["status"] for id in ("T-1", "T-2")] == ["complete"] * 2
    assert alpha.world.origin.git("show", "main:two.txt") == "T-2"
    assert refs(alpha) == ""


def test_of_two_machines_one_gets_the_task(alpha: Place) -> None:
    places = [machine(alpha.world, name) for name in ("beta", "gamma")]
    with ThreadPoolExecutor(2) as pool:
        ran = list(pool.map(lambda place: place.ralph("claim", "T-1", env=REMOTE), places))
    assert sorted(one.code for one in ran) == [0, 5], [one.err for one in ran]
    assert refs(alpha) == "refs/ralph/leases/T-1"
    winner, loser = sorted(zip(ran, places, strict=True), key=lambda pair: pair[0].code)
    assert loser[1].git("status", "--porcelain") == ""
    assert winner[1].ralph("release", env=REMOTE).code == 0
    assert refs(alpha) == ""


@pytest.mark.slow
def test_a_pull_request(alpha: Place) -> None:
    forge = Forge(alpha.world)
    env = {**QUICK, **REMOTE, **forge.environ}
    line = ("run", "--agent", "scripted", "--land", "pr")
    ran = alpha.ralph(*line, "--once", env=env)
    assert ran.code == 0, ran.err
    (pull,) = forge.pulls
    forge.merge(pull["head"], "squash")
    ran = alpha.ralph(*line, env=env)
    assert ran.err.splitlines()[0] == "T-1 has landed on origin/main"
    assert [found["title"] for found in forge.pulls] == ["T-1: Task T-1", "T-2: Task T-2"]
    assert refs(alpha) == "refs/ralph/leases/T-2"


def test_a_server_that_is_gone(tmp_path: Path) -> None:
    place = made(tmp_path, task("T-1"))
    world = place.world
    with HttpBackend(tmp_path, world.environ) as server:
        world.git("remote", "set-url", "origin", server.where("origin.git"))
    claimed = place.ralph("claim", "T-1", "--json")
    assert (claimed.code, claimed.data["task"]["claim"]["unsynchronised"]) == (0, True)
    assert "the remote origin cannot be reached" in claimed.json["warnings"][0]
