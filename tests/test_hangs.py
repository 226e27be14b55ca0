"""Whatever hangs below git has a time limit, is named, and shows as a phase of its own."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import ryaml
import slow
from running import with_variable
from test_loop import events, made, on_base, start, task
from world import PATIENCE, Place, World, until

LIMIT = {"RALPH_GIT_TIMEOUT": "1"}
SLEEPS = "#!/bin/sh\nexport HUNG_HERE={mark}\nsleep 600\n"


def hook(place: Place, name: str, text: str = "") -> str:
    """A hook that hangs, unless it does what `text` says; the mark of its processes."""
    mark = f"{name}-{place.world.folder}"
    file = place.world.write(f".git/hooks/{name}", text or SLEEPS.format(mark=mark))
    file.chmod(0o755)
    return mark


def at_work(folder: Path, *lines: str) -> Place:
    alpha = made(folder, task("T-1", *lines), task("T-2"))
    alpha.claim("T-1")
    alpha.write("a.txt", "a")
    alpha.git("add", "a.txt")
    return alpha


@pytest.mark.parametrize("name", slow.but(1, ["pre-commit", "commit-msg", "signer", "filter"]))
def test_a_commit_that_hangs_ends_and_is_named(tmp_path: Path, name: str) -> None:
    alpha = at_work(tmp_path)
    if name == "signer":
        mark = hook(alpha, name)
        alpha.git("config", "commit.gpgsign", "true")
        alpha.git("config", "gpg.program", str(alpha.world.path / ".git" / "hooks" / name))
    elif name == "filter":
        mark = hook(alpha, name)
        alpha.git("config", "filter.slow.clean", str(alpha.world.path / ".git" / "hooks" / name))
        alpha.write(".gitattributes", "*.slow filter=slow\n")
        alpha.write("b.slow", "b")
    else:
        mark = hook(alpha, name)
    before = alpha.world.state("COMMIT_EDITMSG")
    done = alpha.ralph("complete", "--json", env=LIMIT)
    assert (done.code, done.error) == (7, "git_hung"), done.out
    verb = "add" if name == "filter" else "commit"
    assert done.json["error"]["message"].startswith(f"git {verb} did not end within 1 s")
    assert any(f"hooks/{name}" in line for line in done.json["error"]["waited_for"])
    assert "sleep 600" in done.json["error"]["waited_for"]
    assert f"hooks/{name}" in alpha.ralph("complete", env=LIMIT).err
    assert with_variable("HUNG_HERE", mark) == []
    assert alpha.world.state("COMMIT_EDITMSG") == before
    assert alpha.leases == ["T-1"]


def test_what_is_committed_stays_so_where_the_hook_after_it_hangs(tmp_path: Path) -> None:
    alpha = at_work(tmp_path)
    hook(alpha, "post-commit")
    done = alpha.ralph("complete", env=LIMIT)
    assert done.code == 0, done.err
    assert alpha.git("status", "--porcelain") == ""
    assert alpha.task("T-1")["state"] == "in-review"


def test_a_daemon_of_a_hook_holds_nothing_up(tmp_path: Path) -> None:
    alpha = at_work(tmp_path)
    hook(alpha, "pre-commit", "#!/bin/sh\nsleep 600 &\necho $! > " + str(tmp_path / "pid"))
    begun = time.monotonic()
    assert alpha.ralph("complete").code == 0
    assert time.monotonic() - begun < 60
    assert alpha.run("kill", (tmp_path / "pid").read_text().strip()).code == 0, "it was let live"


def phase(place: Place) -> str:
    try:
        return str(ryaml.loads(place.read(".ralph/heartbeat"))["phase"])
    except FileNotFoundError:
        return ""


@pytest.mark.slow
def test_a_loop_shows_what_it_waits_for_charges_nobody_and_goes_on_later(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"))
    hook(alpha, "pre-commit")
    loop = start(alpha, env={"RALPH_GIT_TIMEOUT": "12"})
    until(lambda: phase(alpha) == "commit")
    (worker,) = alpha.world.ralph("status", "--json").data["workers"]
    assert worker["phase"] == "commit"
    assert "; phase: commit" in alpha.world.ralph("status").out
    _, err = loop.communicate(timeout=PATIENCE)
    assert loop.returncode == 7, err
    assert "git commit did not end within 12 s" in err and "hooks/pre-commit" in err
    assert alpha.leases == ["T-1"]
    assert events(alpha, "attempted") == []
    (alpha.world.path / ".git" / "hooks" / "pre-commit").unlink()
    again = start(alpha)
    _, err = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, err
    assert "resuming T-1" in err
    assert on_base(alpha, "T-1")["status"] == "complete"


@pytest.mark.slow
@pytest.mark.parametrize("what", ["fetch", "push", "verify"])
def test_what_else_may_hang_is_a_phase_of_its_own(tmp_path: Path, what: str) -> None:
    command = ["verify: [sleep 600]"] if what == "verify" else []
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]", *command))
    world: World = alpha.world
    hangs = world.write(".git/hangs", "#!/bin/sh\nsleep 600\n")
    hangs.chmod(0o755)
    if what == "fetch":
        world.git("config", "remote.origin.uploadpack", str(hangs))
    if what == "push":
        hook(alpha, "pre-push")
    loop = start(alpha)
    try:
        until(lambda: phase(alpha) == what)
    finally:
        loop.terminate()
        loop.communicate(timeout=PATIENCE)


def test_a_push_hook_that_hangs_is_no_remote_that_is_away(tmp_path: Path) -> None:
    alpha = at_work(tmp_path)
    alpha.complete()
    hook(alpha, "pre-push")
    before = alpha.world.origin.git("rev-parse", "main")
    done = alpha.ralph("land", "alpha", "--json", env={"RALPH_PUSH_TIMEOUT": "1"})
    assert (done.code, done.error) == (7, "git_hung"), done.out
    assert "push.timeout" in done.json["error"]["hint"]
    assert any("hooks/pre-push" in line for line in done.json["error"]["waited_for"])
    assert alpha.world.origin.git("rev-parse", "main") == before
    (alpha.world.path / ".git" / "hooks" / "pre-push").unlink()
    assert alpha.ralph("land", "alpha").code == 0


def test_a_checkout_that_hangs_ends_and_is_named(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1"))
    hook(alpha, "post-checkout")
    done = alpha.world.ralph("worktree", "new", "beta", "--json", env=LIMIT)
    assert (done.code, done.error) == (7, "git_hung"), done.out
    assert not (tmp_path / "proj-beta").exists()
    assert len(alpha.world.git("worktree", "list").splitlines()) == 2
    (alpha.world.path / ".git" / "hooks" / "post-checkout").unlink()
    assert alpha.world.ralph("worktree", "new", "beta").code == 0
