"""Repositories, tools and agents as they are met: what is told, and that it goes on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from test_loop import events, loop, made, on_base, task
from world import Place, World

RUNS = {"RALPH_SCRIPT_RUN": "1"}


def runs(command: str) -> str:
    return '[{run: "' + command.replace('"', '\\"') + '"}]'


# -- what agents do with git -----------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("report", [True, False], ids=["reports", "is silent"])
def test_an_agent_that_pushes_to_the_base_itself(tmp_path: Path, report: bool) -> None:
    done = "; echo 'status: done' > $RALPH_REPORT" if report else ""
    script = runs(
        f"echo x > one.txt; git add -A; git commit -qm mine; git push -q origin HEAD:main{done}"
    )
    alpha = made(
        tmp_path, task("T-1", "outputs: [one.txt]", script=script),
        task("T-2", "outputs: [two.txt]"),
    )  # fmt: skip
    ran = loop(alpha, env=RUNS)
    assert ran.code == 0, ran.err
    assert [on_base(alpha, id)["status"] for id in ("T-1", "T-2")] == ["complete"] * 2
    assert alpha.leases == []


@pytest.mark.slow
def test_an_agent_that_pushes_half_of_it_to_the_base(tmp_path: Path) -> None:
    """What is half done is on main: the claim is resumed and completed by the next attempt."""
    script = (
        '[{run: "echo x > half.txt; git add -A; git commit -qm mine; git push -q origin HEAD:main",'
        " exit: 1}, {write: {one.txt: x}}]"
    )
    alpha = made(
        tmp_path, task("T-1", "outputs: [one.txt]", script=script),
        task("T-2", "outputs: [two.txt]"),
    )  # fmt: skip
    ran = loop(alpha, env=RUNS)
    assert ran.code == 0, ran.err
    assert [on_base(alpha, id)["status"] for id in ("T-1", "T-2")] == ["complete"] * 2
    assert len(events(alpha, "agent")) == 3


@pytest.mark.slow
@pytest.mark.parametrize("pushed", [True, False])
def test_an_agent_that_blocks_after_pushing_to_the_base(tmp_path: Path, pushed: bool) -> None:
    push = "; git push -q origin HEAD:main" if pushed else ""
    script = runs(f"echo x > half.txt; git add -A; git commit -qm mine{push}")
    alpha = made(
        tmp_path, task("T-1", "outputs: [never.txt]", script=script),
        task("T-2", "outputs: [two.txt]"),
    )  # fmt: skip
    ran = loop(alpha, env=RUNS)
    assert ran.code == 7, ran.err
    assert [on_base(alpha, id)["status"] for id in ("T-1", "T-2")] == ["blocked", "complete"]


@pytest.mark.slow
def test_an_amended_base_commit_is_undone_and_told(tmp_path: Path) -> None:
    script = (
        '[{run: "echo x > one.txt; git add -A; git commit -q --amend --no-edit"}, {run: "true"}]'
    )
    alpha = made(
        tmp_path, task("T-1", "outputs: [one.txt]", "scope: {write: [one.txt]}", script=script),
        files={"other.txt": "of others\n"},
    )  # fmt: skip
    ran = loop(alpha, env=RUNS)
    assert ran.code == 0, ran.err
    assert on_base(alpha, "T-1")["status"] == "complete"
    assert "other.txt" not in ran.err
    assert len(events(alpha, "agent")) == 1
    assert "amend" in ran.err


def test_by_hand_an_amended_base_commit_is_told_as_that(tmp_path: Path) -> None:
    alpha = made(
        tmp_path, task("T-1", "scope: {write: [one.txt]}"), files={"other.txt": "of others\n"},
    )  # fmt: skip
    alpha.claim("T-1")
    alpha.write("one.txt", "x")
    alpha.git("add", "-A")
    alpha.git("commit", "--quiet", "--amend", "--no-edit")
    done = alpha.ralph("complete")
    assert done.code == 0, done.err
    assert alpha.git("log", "--format=%s", "origin/main..") == "T-1: Task T-1"
    assert "amend" in done.err
    assert sorted(alpha.git("diff", "--name-only", "origin/main", "HEAD").split()) == [
        "one.txt", f"records/audit/T-1/{alpha.task('T-1')['claim']['id']}.yaml", "task-graph.yaml",
    ]  # fmt: skip


def test_swapped_stashes(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1"), task("T-2"))
    beta = alpha.world.worktree("beta")
    for place, id in ((alpha, "T-1"), (beta, "T-2")):
        place.claim(id)
        place.write(f"{id}.txt", id)
        place.git("add", "-A")
        place.git("stash", "push", "--quiet")
    # The stash of beta is on top, and alpha takes it.
    alpha.git("stash", "pop", "--quiet")
    beta.git("stash", "pop", "--quiet")
    for place, id in ((alpha, "T-1"), (beta, "T-2")):
        done = place.ralph("complete", id)
        assert done.code == 0, done.err
        assert "is another worktree's; it was left out of the commit" in done.err
        landed = place.ralph("land")
        assert landed.code == 0, landed.err
    alpha.git("fetch", "--quiet")
    assert [on_base(alpha, id)["status"] for id in ("T-1", "T-2")] == ["complete"] * 2


# -- worktrees -------------------------------------------------------------------------------


def with_submodule(folder: Path) -> World:
    library = World(folder / "library", name="lib")
    library.write("lib.c", "x\n")
    library.commit("Library")
    world = World(folder / "main")
    world.git("-c", "protocol.file.allow=always", "submodule", "add", "-q",
              str(library.path), "lib")  # fmt: skip
    world.write_graph("version: 1\ntasks:\n" + task("T-1") + task("T-2"))
    world.commit("Begin")
    assert world.origin
    return world


def landed_in(world: World, name: str) -> Place:
    assert world.ralph("worktree", "new", name).code == 0
    place = Place(world.folder / f"proj-{name}", world.environ, world)
    place.git("-c", "protocol.file.allow=always", "submodule", "update", "--init", "--quiet")
    place.did("T-1", {"a.txt": "a"})
    assert place.ralph("land").code == 0
    return place


@pytest.mark.parametrize("how", ["prune", "remove", "force"])
def test_a_worktree_with_submodules_goes_when_clean_and_landed(tmp_path: Path, how: str) -> None:
    world = with_submodule(tmp_path)
    place = landed_in(world, "alpha")
    words = {"prune": ("prune",), "remove": ("remove", "alpha"),
             "force": ("remove", "alpha", "--force", "over")}[how]  # fmt: skip
    gone = world.ralph("worktree", *words)
    assert gone.code == 0, gone.err
    assert not place.path.exists(), gone.out
    assert len(world.git("worktree", "list").splitlines()) == 1


def test_a_submodule_with_a_commit_of_its_own_keeps_its_worktree(tmp_path: Path) -> None:
    world = with_submodule(tmp_path)
    place = landed_in(world, "alpha")
    place.write("lib/new.c", "x\n")
    inner = Place(place.path / "lib", place.environ, place.world)
    inner.git("switch", "--quiet", "-c", "own")
    inner.commit("Own work")
    inner.git("switch", "--quiet", "--detach", "HEAD~1")  # what the worktree's commit has
    assert place.git("status", "--porcelain") == ""
    done = world.ralph("worktree", "remove", "alpha")
    assert done.code == 8
    assert "lib has 1 commit that is nowhere else" in done.err, done.err
    assert "hint: git -C" in done.err
    assert place.path.exists()
    inner.git("push", "--quiet", "origin", "own")
    done = world.ralph("worktree", "remove", "alpha")
    assert done.code == 0, done.err


@pytest.mark.slow
def test_a_touched_file_is_no_change(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"), files={"old.txt": "old\n"})
    os.utime(alpha.path / "old.txt", (1, 1))
    ran = loop(alpha)
    assert ran.code == 0, ran.err


def test_all_files_of_a_copied_repository_are_touched(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1"), remote=False, files={"old.txt": "old\n"})
    copy = tmp_path / "copy"
    shutil.copytree(alpha.world.path, copy, copy_function=shutil.copyfile)
    place = Place(copy, alpha.environ, alpha.world)
    place.git("worktree", "prune")
    for file in copy.glob("*.*"):
        os.utime(file, (5, 5))
    assert place.ralph("worktree", "list").code == 0
    claimed = place.ralph("claim", "T-1")
    assert claimed.code == 0, claimed.err
    assert place.ralph("release", "--reason", "x").code == 0


def test_core_bare_that_a_tool_has_set_is_named_and_mended(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1"))
    world = alpha.world
    world.git("config", "core.bare", "true")
    for place in (world, alpha):
        found = place.ralph("doctor", "--json")
        codes = [one["code"] for one in found.data["findings"]]
        assert "core_bare" in codes, found.out
    refused = world.ralph("claim", "T-1")
    assert "core.bare is true" in refused.err and "hint: ralphgit doctor --fix" in refused.err
    fixed = world.ralph("doctor", "--fix")
    assert fixed.code == 0, fixed.out
    assert world.git("status", "--porcelain") == ""
    assert world.ralph("doctor").code == 0


def test_a_real_bare_repository_with_worktrees_is_none_of_that(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1"))
    bare = tmp_path / "bare"
    alpha.git("clone", "--quiet", "--bare", str(alpha.world.origin.path), str(bare / ".bare"))
    store = Place(bare / ".bare", alpha.environ, alpha.world)
    store.git("worktree", "add", "--quiet", str(bare / "one"))
    one = Place(bare / "one", alpha.environ, alpha.world)
    assert "core_bare" not in one.ralph("doctor", "--json").out
    assert "core_bare" not in store.ralph("doctor", "--json").out


def test_a_base_that_nobody_chose(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks:\n" + task("T-1"))
    world.commit("Old")
    world.git("init", "--quiet", "--bare", "--initial-branch=trunk", str(tmp_path / "origin.git"))
    world.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    world.git("switch", "--quiet", "-c", "trunk")
    world.write("new.txt", "new\n")
    world.commit("New")
    world.git("push", "--quiet", "-u", "origin", "trunk")
    found = world.ralph("doctor", "--json")
    (one,) = [one for one in found.data["findings"] if one["code"] == "unchosen_base"]
    assert "main" in one["message"] and "origin/trunk" in one["message"]
    assert one["hint"] == "git remote set-head origin --auto"
    told = world.ralph("init")
    assert "nobody chose" in told.err + told.out, told
    world.git("remote", "set-head", "origin", "--auto")
    assert world.ralph("status", "--json").data["base"]["ref"] == "origin/trunk"
    assert "unchosen_base" not in world.ralph("doctor", "--json").out


def test_a_base_that_somebody_chose_is_not_asked_about(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks:\n" + task("T-1"))
    world.commit("Old")
    assert "unchosen_base" not in world.ralph("doctor", "--json").out
    assert world.origin
    world.git("push", "--quiet", "origin", "main:trunk")
    assert "unchosen_base" not in world.ralph("doctor", "--json").out


def test_a_worktree_inside_the_main_checkout_is_never_to_be_destroyed(tmp_path: Path) -> None:
    world = made(tmp_path, task("T-1"), remote=False).world
    world.git("worktree", "remove", "--force", str(tmp_path / "proj-alpha"))
    world.git("worktree", "add", "--quiet", "-b", "x", ".claude/worktrees/w1")
    assert world.ralph("claim", "T-1").code == 0
    world.write("a.txt", "a")
    refused = world.ralph("complete", "--json")
    assert (refused.code, ".claude/worktrees/w1 is a separate" in refused.out) == (8, True)
    # The hint as it is typed.
    assert world.run("sh", "-c", refused.json["error"]["hint"]).code == 0
    world.complete()
    assert (world.path / ".claude" / "worktrees" / "w1" / "task-graph.yaml").exists()
    assert ".claude" not in world.git("ls-tree", "-r", "--name-only", "HEAD")


def test_a_sparse_checkout_without_the_graph_s_folder(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks:\n" + task("T-1"), "plan/graph.yaml")
    world.write("ralph.toml", 'graph = ["plan/graph.yaml"]\nrecords = "plan/records"\n')
    world.write("src/a.txt", "a\n")
    world.commit("Begin")
    alpha = world.worktree("alpha")
    alpha.git("sparse-checkout", "set", "src")
    for words in (("list",), ("claim", "T-1")):
        done = alpha.ralph(*words)
        assert done.code == 6 or done.code == 8, done
        assert "sparse" in done.err and "hint: git sparse-checkout add plan" in done.err, done.err
    alpha.git("sparse-checkout", "add", "plan")
    assert alpha.ralph("claim", "T-1").code == 0


def test_a_large_file_program_that_is_missing_is_named(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1"), files={".gitattributes": "*.bin filter=lfs -text\n"})
    world = alpha.world
    for name, word in (("clean", "clean"), ("smudge", "smudge")):
        world.git("config", f"filter.lfs.{name}", f"git-lfs-missing {word} -- %f")
    world.git("config", "filter.lfs.required", "true")
    found = world.ralph("doctor", "--json")
    (one,) = [one for one in found.data["findings"] if one["code"] == "missing_filter"]
    assert "git-lfs-missing" in one["message"]
    alpha.claim("T-1")
    alpha.write("a.bin", "x")
    done = alpha.ralph("complete")
    assert done.code == 7
    assert "git-lfs-missing: not found" in done.err, done.err
    assert "clean filter 'lfs' failed" in done.err


def test_a_signer_without_a_key_is_told_by_git_s_own_words(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1"), remote=False)
    world = alpha.world
    alpha.claim("T-1")
    alpha.commit("Half of it")
    world.git("merge", "--quiet", "alpha")
    world.git("config", "commit.gpgsign", "true")
    world.git("config", "user.signingkey", "0000000000000000")
    done = world.ralph("reset", "T-1", "--force", "--reason", "x")
    assert done.code == 7, done
    assert "gpg failed to sign the data" in done.err
    assert "signingkey" in done.err
    assert world.task("T-1")["state"] == "in-progress"


@pytest.mark.slow
def test_a_signer_without_a_key_is_no_fault_of_a_task(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"))
    alpha.git("config", "commit.gpgsign", "true")
    alpha.git("config", "user.signingkey", "0000000000000000")
    ran = loop(alpha)
    assert ran.code == 7, ran
    assert "gpg failed to sign the data" in ran.err
    assert alpha.leases == ["T-1"]
    assert len(events(alpha, "agent")) == 1
    alpha.git("config", "commit.gpgsign", "false")
    again = loop(alpha)
    assert again.code == 0, again.err


def failing(world: World) -> None:
    hook = world.write(".git/hooks/post-checkout", "#!/bin/sh\necho no network >&2\nexit 1\n")
    hook.chmod(0o755)


@pytest.mark.slow
def test_a_failing_post_checkout_hook_is_named(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [one.txt]"))
    failing(alpha.world)
    done = alpha.world.ralph("worktree", "new", "beta")
    assert "the post-checkout hook failed in the new worktree: no network" in done.err, done
    assert done.code == 0, done
    assert (tmp_path / "proj-beta" / "task-graph.yaml").exists()
    ran = loop(alpha)
    assert ran.code == 0, ran.err
    assert "no network" in ran.err
    assert alpha.world.ralph("status").code == 0


# -- a repository among the files of another --------------------------------------------------


def test_a_repository_that_came_with_the_files_is_not_looked_into(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks:\n" + task("T-1"))
    world.commit("Plan")
    evil, ran = world.path / "evil", tmp_path / "ran"
    world.write("evil/HEAD", "ref: refs/heads/main\n")
    world.write("evil/objects/x", "x\n")
    world.write("evil/refs/x", "x\n")
    world.write(
        "evil/config",
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n"
        f'\tfsmonitor = "touch {ran}; false"\n',
    )
    world.write("evil/sub/y", "y\n")
    # One that nobody has committed is the user's own.
    world.git("init", "--quiet", "--bare", "own.git")
    world.git("add", "evil")
    world.git("commit", "--quiet", "-m", "Evil")
    for folder in (evil, evil / "sub"):
        for command in ("status", "list", "check", "diff", "doctor"):
            done = Place(folder, world.environ).ralph(command, "--json")
            assert (done.code, done.error) == (2, "not_a_repository"), (folder, command, done.out)
    assert not ran.exists()
    assert Place(world.path / "own.git", world.environ).ralph("list", "--json").error != (
        "not_a_repository"
    )
    git = Place(world.path / ".git", world.environ).ralph("list", "--json")
    assert git.error != "not_a_repository", git.out
