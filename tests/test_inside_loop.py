"""What a person decides, a worker in a loop may not: told by its environment and by the loop."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest
from test_integrate import task, worked, world_of
from world import Place, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """With work of alpha that its worker is not sure of, and a task of gamma's that asks."""
    made = world_of(
        tmp_path, task("A", "test -s a.txt", "a.txt"), task("B", "true", "b.txt"),
        task("C", "true", "c.txt"),
    )  # fmt: skip
    worked(made, "alpha", "A", {"a.txt": "a\n"}, "--concern", "It may be wrong")
    gamma = made.worktree("gamma")
    gamma.claim("C")
    gamma.ralph("block", "--reason", "needs_context", "--question", "Which?")
    assert gamma.ralph("land").code == 0
    return made


DECISIONS = {
    "audit add B --verdict clear": "in_loop",
    "audit add A --verdict clear --by alice --target alpha": "in_loop",
    "land alpha --accept-concerns": "in_loop",
    "land --all --accept-concerns": "in_loop",
    "integrate alpha --accept-concerns": "in_loop",
    "reply C That": "in_loop",
    "trust --revoke": "worker_consents",
}


@pytest.mark.parametrize("how", ["environment", "loop"])
def test_a_worker_does_not_decide_for_a_person(how: str, world: World) -> None:
    beta = world.worktree("beta")
    beta.claim("B")
    env = {"RALPH_CLAIM": "9k2vq07x3m", "RALPH_TASK": "B"} if how == "environment" else {}
    folder = Path(beta.git("rev-parse", "--absolute-git-dir")) / "ralphgit"
    folder.mkdir(exist_ok=True)
    with (folder / "loop.lock").open("w") as file:
        if how == "loop":
            fcntl.flock(file, fcntl.LOCK_EX)
        before = world.state()
        told = {line: refused(beta, line, env) for line in DECISIONS}
    assert told == DECISIONS
    assert world.state() == before


def refused(place: Place, line: str, env: dict[str, str]) -> str:
    return place.ralph(*line.split(), "--json", env=env).error
