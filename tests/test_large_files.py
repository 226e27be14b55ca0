"""Git LFS with its own filters and hooks: what is on the remote's branch is on the remote."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forge import Forge
from test_loop import events, loop, made, on_base, task
from world import Place, World, installed

LARGE = "large\n" * 1000
ATTRIBUTES = "*.bin filter=lfs diff=lfs merge=lfs -text\n"


@pytest.fixture(autouse=True)
def _lfs() -> None:
    installed("git-lfs", "git-lfs")


def with_lfs(folder: Path, *tasks: str) -> Place:
    """A worktree whose repository keeps large files apart, one of them on the base."""
    alpha = made(folder, *(tasks or (task("T-1", "outputs: [one.bin]"),)))
    world = alpha.world
    world.git("lfs", "install", "--local")
    world.write(".gitattributes", ATTRIBUTES)
    world.write("old.bin", "old\n")
    world.commit("Keep large files apart")
    world.git("push", "--quiet", "origin", "main")
    alpha.git("fetch", "--quiet")
    alpha.git("reset", "--quiet", "--hard", "origin/main")
    return alpha


def kept(bare: Path) -> set[str]:
    """The contents of large files that a remote has."""
    return {one.read_text() for one in (bare / "lfs" / "objects").glob("*/*/*")}


def did(alpha: Place) -> None:
    alpha.did("T-1", {"one.bin": LARGE})


def moved(alpha: Place) -> None:
    """The base goes on, so that landing is a merge."""
    alpha.world.write("other.txt", "other\n")
    alpha.world.commit("Theirs")
    alpha.world.git("push", "--quiet", "origin", "main")


def by_hand(alpha: Place, *words: str, env: dict[str, str] | None = None) -> None:
    done = alpha.ralph(*words, env=env)
    assert done.code == 0, done.err


def at_once(alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.write("one.bin", LARGE)
    by_hand(alpha, "complete", "--land")


def merged(alpha: Place) -> None:
    did(alpha)
    moved(alpha)
    by_hand(alpha, "land")


def integrated(alpha: Place) -> None:
    did(alpha)
    moved(alpha)
    by_hand(alpha.world, "integrate", "alpha")


def by_pull_request(alpha: Place) -> None:
    forge = Forge(alpha.world)
    did(alpha)
    by_hand(alpha, "land", "alpha", "--land", "pr", env=forge.environ)
    assert LARGE in kept(alpha.world.origin.path)
    forge.merge(forge.pulls[0]["head"], "squash")


def by_a_loop(alpha: Place) -> None:
    agent = alpha.write(".git-agent", f"printf '%s' '{LARGE}' > one.bin\n")
    alpha.world.write(".git/info/exclude", ".git-agent\n.ralph/\n")
    ran = loop(alpha, "--agent", f"sh {agent}")
    assert ran.code == 0, ran.err


def rescued(alpha: Place) -> None:
    """Given up by force: what is kept is kept on the remote."""
    alpha.claim("T-1", env={"RALPH_LEASE": "remote"})
    alpha.write("one.bin", LARGE)
    alpha.commit("Half of it")
    by_hand(alpha.world, "reset", "T-1", "--force", "--reason", "x", env={"RALPH_LEASE": "remote"})
    assert "refs/ralph/rescue/T-1" in alpha.world.origin.git("for-each-ref")


WAYS: dict[str, Callable[[Place], None]] = {
    "complete --land": at_once, "land, as a merge": merged, "integrate": integrated,
    "a pull request": by_pull_request, "a loop": by_a_loop, "a rescue ref": rescued,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_large_file_is_on_the_remote_however_it_lands(tmp_path: Path, way: str) -> None:
    alpha = with_lfs(tmp_path)
    WAYS[way](alpha)
    assert kept(alpha.world.origin.path) == {"old\n", LARGE}
    if way != "a rescue ref":
        other = alpha.world.clone("other")
        other.git("lfs", "install", "--local")
        other.git("lfs", "pull")
        assert other.read("one.bin") == LARGE


@pytest.mark.slow
def test_a_fork_gets_it_too(tmp_path: Path) -> None:
    alpha = with_lfs(tmp_path)
    world = alpha.world
    world.git("init", "--quiet", "--bare", "../fork.git")
    world.git("remote", "add", "fork", str(world.folder / "fork.git"))
    world.git("config", "remote.pushDefault", "fork")
    did(alpha)
    by_hand(alpha, "land", "alpha", "--land", "pr", env={"RALPH_LAND_VIA": "none"})
    assert LARGE in kept(world.folder / "fork.git")


# -- without the program ---------------------------------------------------------------------


@pytest.fixture
def without(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A PATH that has all there is but git-lfs."""
    folder = tmp_path / "without"
    folder.mkdir()
    for one in os.environ["PATH"].split(os.pathsep):
        for name in sorted(os.listdir(one)) if os.path.isdir(one) else ():
            if name != "git-lfs" and not os.path.lexists(folder / name):
                (folder / name).symlink_to(os.path.join(one, name))
    yield {"PATH": str(folder)}
    shutil.rmtree(folder)


GONE = "error: the filter cannot be run: git-lfs: not found"


@pytest.mark.slow
def test_without_the_program_nothing_is_half_done(tmp_path: Path, without: dict[str, str]) -> None:
    alpha = with_lfs(tmp_path)
    world: World = alpha.world
    new = world.ralph("worktree", "new", "beta", env=without)
    assert (new.code, new.err.splitlines()[0]) == (7, GONE), new.err
    assert not (tmp_path / "proj-beta").exists()
    (finding,) = world.ralph("doctor", "--json", env=without).data["findings"]
    assert (finding["code"], "git-lfs" in finding["message"]) == ("missing_filter", True)
    alpha.claim("T-1")
    alpha.write("one.bin", LARGE)
    done = alpha.ralph("complete", env=without)
    assert (done.code, done.err.splitlines()[0]) == (7, GONE), done.err
    assert (alpha.leases, alpha.task("T-1")["state"]) == (["T-1"], "claimed")
    alpha.complete()
    landed = alpha.ralph("land", env=without)
    assert landed.code == 1
    assert "declined (missing program): This repository is configured for Git LFS" in landed.err
    assert kept(world.origin.path) == {"old\n"}
    by_hand(alpha, "land")
    assert kept(world.origin.path) == {"old\n", LARGE}


@pytest.mark.slow
def test_a_loop_without_the_program_charges_nobody(tmp_path: Path, without: dict[str, str]) -> None:
    alpha = with_lfs(tmp_path)
    os.utime(alpha.path / "old.bin", (1, 1))  # git looks at its content again
    ran = loop(alpha, env=without)
    assert (ran.code, ran.err.splitlines()[0]) == (7, GONE), ran
    assert events(alpha, "attempted", "agent") == []
    ran = loop(alpha)
    assert ran.code == 0, ran.err


@pytest.mark.slow
def test_a_server_of_large_files_that_is_away_is_no_fault_of_the_work(tmp_path: Path) -> None:
    alpha = with_lfs(tmp_path)
    alpha.git("config", "lfs.url", "http://127.0.0.1:9/lfs")
    alpha.git("config", "lfs.http://127.0.0.1:9/lfs.locksverify", "false")
    did(alpha)
    landed = alpha.ralph("land", "alpha", "--json", env={"RALPH_REQUIRE_REMOTE": "true"})
    assert (landed.code, landed.error) == (4, "remote_unavailable"), landed.out
    assert "connection refused" in landed.json["error"]["message"]
    alpha.git("config", "--unset", "lfs.url")
    by_hand(alpha, "land", "alpha")
    assert on_base(alpha, "T-1")["status"] == "complete"


def test_a_large_file_that_the_remote_has_lost_is_named(tmp_path: Path) -> None:
    alpha = with_lfs(tmp_path)
    for store in (alpha.world.path / ".git", alpha.world.origin.path):
        shutil.rmtree(store / "lfs")
    new = alpha.world.ralph("worktree", "new", "beta")
    assert new.err.splitlines()[0] == (
        "error: git worktree failed: fatal: old.bin: smudge filter lfs failed"
    )
    assert "Error downloading object: old.bin" in new.err
    assert not (tmp_path / "proj-beta").exists()
