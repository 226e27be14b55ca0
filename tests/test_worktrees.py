"""`worktree`: made from the fetched base, listed with who works in it, removed when landed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from world import PATIENCE, ROOT, Place, Result, World, until

from ralphgit.app.workspace import heartbeat

ENVELOPE = Draft202012Validator(
    json.loads((ROOT / "schemas" / "output.schema.json").read_text(encoding="utf-8"))
)
GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
    story: S-1
  - id: T-2
    title: Second
    status: pending
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.write(".gitignore", "*.log\n.env\n/local/\n")
    made.commit("Begin")
    return made


def new(world: World, name: str, *words: str) -> Place:
    """`worktree new NAME`, which must succeed."""
    found = world.ralph("worktree", "new", name, *words)
    assert found.code == 0, found
    return Place(world.folder / f"{world.path.name}-{name}", world.environ)


def done(place: Place, task: str = "T-1", file: str = "work.txt", text: str = "work\n") -> str:
    return place.did(task, {file: text})


def squash(world: World, branch: str) -> None:
    """Merge as a forge's button does: one commit, no ancestry."""
    world.git("merge", "--quiet", "--squash", branch)
    world.git("commit", "--quiet", "-m", f"Squashed {branch}")


def refused(world: World, *words: str, code: str, exit: int = 8) -> Result:
    """`worktree WORDS` is refused and changes nothing."""
    before = world.state()
    told = world.ralph("worktree", *words, "--json")
    assert (told.code, told.error) == (exit, code), told
    ENVELOPE.validate(told.json)
    found = world.ralph("worktree", *words)
    assert (found.code, found.out) == (exit, "")
    assert world.state() == before
    return found


def listed(place: Place) -> dict[str, dict[str, Any]]:
    """`worktree list` by name."""
    found = place.ralph("worktree", "list", "--json")
    assert (found.code, found.err) == (0, "")
    ENVELOPE.validate(found.json)
    return {one["name"]: one for one in found.data["worktrees"]}


def names(world: World) -> list[str]:
    out = world.git("worktree", "list", "--porcelain")
    return [Path(line[9:]).name for line in out.splitlines() if line.startswith("worktree ")]


def branches(world: World) -> list[str]:
    return world.git("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()


def beat(place: Place, *, claim: str = "", pid: int = 0, age: float = 1.0) -> None:
    made = heartbeat.Heartbeat(
        pid=pid or os.getpid(), started="", boot=heartbeat.boot_id(), host=heartbeat.host(),
        worker="alpha", task="T-1", claim=claim, phase="agent", time=time.time() - age,
    )  # fmt: skip
    heartbeat.write(str(place.path), made)


# -- new ---------------------------------------------------------------------------------


def test_new(world: World) -> None:
    found = world.ralph("worktree", "new", "alpha")
    assert found == (
        0,
        f"Made ../proj-alpha on the new branch feature/alpha, from main ({world.head[:12]}).\n"
        "Next: cd ../proj-alpha && ralphgit claim\n",
        "",
    )
    alpha = Place(world.folder / "proj-alpha", world.environ)
    assert alpha.git("symbolic-ref", "HEAD") == "refs/heads/feature/alpha"
    assert alpha.git("status", "--porcelain") == ""
    assert "locked ralphgit: worker alpha" in world.git("worktree", "list", "--porcelain")
    assert alpha.ralph("claim", "T-1", "--json").data["task"]["claim"]["by"] == "alpha"


def test_new_from_the_fetched_base(world: World) -> None:
    other = world.clone("elsewhere")
    other.write("theirs", "x\n")
    tip = other.commit("Theirs")
    other.git("push", "--quiet", "origin", "main")
    stale = new(world, "stale", "--no-fetch")
    assert stale.head == world.head != tip
    fresh = world.ralph("worktree", "new", "fresh", "--json")
    assert (fresh.code, fresh.err, fresh.json["warnings"]) == (0, "", [])
    ENVELOPE.validate(fresh.json)
    assert fresh.data == {
        "worktree": {
            "name": "fresh", "path": str(world.folder / "proj-fresh"), "branch": "feature/fresh",
            "commit": tip, "story": "", "copied": [], "setup": None,
                "from": "origin/main",
        }
    }  # fmt: skip
    # --no-track: a plain push or pull must not mean the base.
    assert world.run("git", "config", "--get-regexp", r"^branch\.feature").out == ""


def test_new_from_another_worktree_and_folder(world: World) -> None:
    alpha = new(world, "alpha")
    assert alpha.ralph("worktree", "new", "beta").code == 0
    alpha.write("deep/er/file", "x\n")
    deep = Place(alpha.path / "deep" / "er", world.environ)
    assert deep.ralph("worktree", "new", "gamma").code == 0
    assert names(world) == ["proj", "proj-alpha", "proj-beta", "proj-gamma"]


@pytest.mark.parametrize("layout", ["proj.git", "proj/.bare"])
def test_new_in_a_bare_repository(world: World, tmp_path: Path, layout: str) -> None:
    bare = tmp_path / "bare" / layout
    bare.parent.mkdir(parents=True)
    world.git("clone", "--quiet", "--bare", str(world.path), str(bare))
    place = Place(bare, world.environ)
    found = place.ralph("worktree", "new", "alpha")
    assert found.code == 0, found
    assert "this bare clone tracks no branch of origin" in found.err
    alpha = Place(bare.parent / "proj-alpha", world.environ)
    assert alpha.ralph("claim", "T-1", "--json").data["task"]["claim"]["by"] == "alpha"
    assert place.git("config", "core.bare") == "true"
    assert [one["bare"] for one in listed(alpha).values()] == [True, False]
    told = alpha.ralph("worktree", "prune")
    assert told.out.startswith("kept\talpha\tyou are in it; alpha works on T-1 (claim ")


def test_a_story_is_remembered_there(world: World) -> None:
    found = world.ralph("worktree", "new", "alpha", "--story", "S-1")
    assert found.out.splitlines()[1] == "A loop in it takes only tasks of S-1."
    assert found.err == ""
    assert listed(world)["alpha"]["story"] == "S-1"
    # As a setting: for this worktree alone, also after everything ignored was cleaned away.
    alpha = Place(world.folder / "proj-alpha", world.environ)
    alpha.git("clean", "-fdxq")
    code = (
        "import os\n"
        "from ralphgit.app.workspace.project import Project, Surroundings\n"
        "around = Surroundings(os.getcwd(), dict(os.environ), lambda: 0.0, lambda: 'x')\n"
        "print(Project.open(around).config.story)"
    )
    world.write("ralph.toml", 'story = "S-7"\n')
    world.git("config", "ralph.story", "S-8")
    assert alpha.run(sys.executable, "-c", code).out == "S-1\n"
    assert alpha.run(sys.executable, "-c", code, env={"RALPH_STORY": "S-9"}).out == "S-9\n"
    assert world.run(sys.executable, "-c", code).out == "S-8\n"
    # The repository's format is what it was.
    assert world.run("git", "config", "extensions.worktreeConfig").code == 1


def test_a_story_that_no_task_has(world: World) -> None:
    found = world.ralph("worktree", "new", "alpha", "--story", "S-9")
    assert (found.code, found.err) == (0, "warning: no task on main is of the story S-9\n")
    refused(world, "new", "beta", "--story", "a b", code="bad_story", exit=2)


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", "a..b", "x.lock"])
def test_a_bad_name(world: World, name: str) -> None:
    refused(world, "new", name, code="bad_worker", exit=2)


def test_new_refuses_what_exists(world: World) -> None:
    alpha = new(world, "alpha")
    found = refused(world, "new", "alpha", code="branch_exists")
    assert found.err == (
        "error: the branch feature/alpha already exists; nothing was made\n"
        "hint: it is checked out in ../proj-alpha; take another name\n"
    )
    world.git("branch", "feature/beta")
    found = refused(world, "new", "beta", code="branch_exists")
    assert found.err.endswith("hint: git branch -D feature/beta\n")
    world.git("branch", "feature/gamma/x")
    assert (
        "feature/gamma/x leaves no room for"
        in refused(world, "new", "gamma", code="branch_exists").err
    )
    (world.folder / "proj-delta").mkdir()
    found = refused(world, "new", "delta", code="folder_exists")
    assert found.err == (
        "error: ../proj-delta already exists; nothing was made\n"
        "hint: move it away, or choose another name\n"
    )
    alpha.git("switch", "--quiet", "-c", "other")
    world.git("branch", "-D", "feature/alpha")
    refused(world, "new", "alpha", code="worktree_exists")
    shutil.rmtree(alpha.path)
    found = refused(world, "new", "alpha", code="worktree_exists")
    assert "is known to git, but its folder is gone" in found.err


def test_new_without_a_commit(tmp_path: Path) -> None:
    refused(World(tmp_path), "new", "alpha", code="no_commit")


def test_one_of_many_makes_it(world: World) -> None:
    argv = [sys.executable, "-m", "ralphgit", "worktree", "new", "alpha"]
    racers = [
        subprocess.Popen(argv, cwd=world.path, env=world.environ, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL) for _ in range(4)
    ]  # fmt: skip
    assert sorted(racer.wait(PATIENCE) for racer in racers) == [0, 8, 8, 8]
    assert names(world) == ["proj", "proj-alpha"]
    assert listed(world)["alpha"]["clean"] is True


# -- new: files and setup ----------------------------------------------------------------


def test_worktreeinclude(world: World) -> None:
    world.write(
        ".worktreeinclude", ".env\nlocal/**\n!local/no.txt\nloose\ntask-graph.yaml\n.ralph/\n"
    )
    world.write(".env", "SECRET=1\n").chmod(0o600)
    world.write("local/deep/er.txt", "x\n")
    world.write("local/no.txt", "x\n")
    (world.path / "local" / "link").symlink_to("/nowhere")
    world.write("loose", "git does not ignore it\n")
    world.write("other.log", "ignored, not listed\n")
    world.ralph("claim", "T-2")
    found = world.ralph("worktree", "new", "alpha", "--json")
    assert found.data["worktree"]["copied"] == [".env", "local/deep/er.txt", "local/link"]
    alpha = Place(world.folder / "proj-alpha", world.environ)
    assert alpha.read(".env") == "SECRET=1\n"
    assert (alpha.path / ".env").stat().st_mode & 0o777 == 0o600
    assert os.readlink(alpha.path / "local" / "link") == "/nowhere"
    present = {p.name for p in alpha.path.iterdir()}
    assert present == {".git", ".gitignore", ".env", "local", "task-graph.yaml"}
    assert alpha.read() == GRAPH
    assert alpha.git("status", "--porcelain") == ""


def test_worktreeinclude_writes_over_nothing_and_through_no_link(world: World) -> None:
    outside = world.write("../outside/kept", "kept\n")
    world.git("switch", "--quiet", "-c", "elsewhere")
    world.git("switch", "--quiet", "main")
    world.write(".env", "the base's own\n")
    (world.path / "local").symlink_to("../outside")
    world.git("add", "-f", ".env", "local")
    world.commit("Tracked on the base")
    world.git("switch", "--quiet", "elsewhere")
    world.write(".worktreeinclude", "*\n")
    world.write(".env", "mine\n")
    world.write("local/evil", "x\n")
    world.write("only-here.log", "x\n")
    world.write(".git/info/exclude", "here.txt\n")
    found = world.ralph("worktree", "new", "alpha")
    assert found.code == 0, found
    assert "Copied 1 file that .worktreeinclude lists: only-here.log\n" in found.out
    alpha = Place(world.folder / "proj-alpha", world.environ)
    assert alpha.read(".env") == "the base's own\n"
    assert sorted(p.name for p in outside.parent.iterdir()) == ["kept"]


def test_worktreeinclude_brings_nothing_that_a_commit_would_take(world: World) -> None:
    world.write(".gitignore", "*.log\n.env\nsecret\n")
    world.write("secret", "x\n")
    world.write(".worktreeinclude", "secret\n")
    found = world.ralph("worktree", "new", "alpha")
    assert found.err == (
        "warning: secret was not copied: git does not ignore it in the new worktree\n"
    )
    assert not (world.folder / "proj-alpha" / "secret").exists()


def with_setup(world: World, command: str, *, trusted: bool = True) -> None:
    world.write("ralph.toml", f"[worktree]\nsetup = {json.dumps(command)}\n")
    world.commit("Setup")
    if trusted:
        assert world.ralph("trust", "--yes").code == 0


def test_setup(world: World) -> None:
    with_setup(world, "pwd; echo $RALPH_WORKER > made.log")
    found = world.ralph("worktree", "new", "alpha")
    assert (found.code, found.err) == (0, "")
    assert found.out.splitlines()[1] == "Set up: pwd; echo $RALPH_WORKER > made.log"
    assert Place(world.folder / "proj-alpha", world.environ).read("made.log") == "alpha\n"


def test_setup_needs_trust(world: World) -> None:
    with_setup(world, "touch made.log", trusted=False)
    assert world.ralph("trust", "--list").out == (
        "untrusted  touch made.log  (worktree.setup, main:ralph.toml:2)\n"
    )
    refused(world, "new", "alpha", code="untrusted", exit=7)
    assert names(world) == ["proj"]


def test_a_setup_that_fails_leaves_the_worktree(world: World) -> None:
    with_setup(world, "echo no such package; exit 3")
    found = world.ralph("worktree", "new", "alpha")
    assert found.code == 1
    assert found.out.startswith("Made ../proj-alpha on the new branch feature/alpha")
    assert found.err == (
        "error: the setup command failed (exit 3): echo no such package; exit 3; the worktree was "
        "kept, to fix it or to remove it\n"
        "  | no such package\n"
        "hint: ralphgit worktree remove alpha\n"
    )
    told = world.ralph("worktree", "new", "beta", "--json")
    assert (told.code, told.error) == (1, "setup_failed")
    assert told.data["worktree"]["setup"]["exit_code"] == 3
    ENVELOPE.validate(told.json)
    assert names(world) == ["proj", "proj-alpha", "proj-beta"]


def test_nothing_half_made_stays(world: World) -> None:
    world.write(".gitattributes", "*.bin filter=gone\n")
    world.write("a.bin", "x\n")
    world.commit("A file with a filter")
    world.git("config", "filter.gone.smudge", "false")
    world.git("config", "filter.gone.required", "true")
    found = world.ralph("worktree", "new", "alpha")
    assert (found.code, found.out) == (1, "")
    assert (names(world), branches(world)) == (["proj"], ["main"])
    assert not (world.folder / "proj-alpha").exists()
    world.git("config", "filter.gone.smudge", "cat")
    # A file that cannot be read, at least not by everybody.
    world.write(".worktreeinclude", "*.log\n")
    world.write("a.log", "x\n").chmod(0o000)
    if os.geteuid() != 0:
        found = world.ralph("worktree", "new", "alpha")
        assert found.err.startswith(f"error: cannot copy {world.path}/a.log: Permission denied")
        assert (names(world), branches(world)) == (["proj"], ["main"])
    (world.path / "a.log").chmod(0o644)
    new(world, "alpha")


def test_a_hook_that_fails_after_the_checkout_is_told(world: World) -> None:
    """As git's own `worktree add`: the files are there, and what the hook said is shown."""
    hook = world.write(".git/hooks/post-checkout", "#!/bin/sh\necho no lfs >&2\nexit 3\n")
    hook.chmod(0o755)
    found = world.ralph("worktree", "new", "alpha", "--json")
    assert found.code == 0, found
    assert found.json["warnings"] == ["the post-checkout hook failed in the new worktree: no lfs"]
    alpha = Place(world.folder / "proj-alpha", world.environ, world)
    assert alpha.git("status", "--porcelain") == ""
    alpha.claim("T-1")


def test_no_worktree_where_no_record_could_name_it(tmp_path: Path) -> None:
    world = World(tmp_path, name=os.fsdecode(b"pr\xf6j"))
    world.write_graph(GRAPH)
    world.commit("Begin")
    before = world.snapshot()
    found = world.ralph("worktree", "new", "alpha", "--json")
    assert (found.code, found.error) == (8, "odd_path"), found
    assert found.json["error"]["message"].endswith("nothing was made")
    assert world.snapshot() == before


def test_interrupted(world: World) -> None:
    hook = world.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch ../begun\nexec sleep 300\n")
    hook.chmod(0o755)
    argv = [sys.executable, "-m", "ralphgit", "worktree", "new", "alpha"]
    process = subprocess.Popen(
        argv, cwd=world.path, env=world.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    until((world.folder / "begun").exists)
    hook.unlink()
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert (names(world), branches(world)) == (["proj"], ["main"])
    assert not (world.folder / "proj-alpha").exists()


def test_killed(world: World) -> None:
    """Whatever the moment: it is told how to go on, and that works."""
    kill = "read -r _ _ _ parent _ < /proc/$PPID/stat\nkill -9 $parent $PPID\n"
    hook = world.write(".git/hooks/post-checkout", f"#!/bin/sh\n{kill}")
    hook.chmod(0o755)
    argv = [sys.executable, "-m", "ralphgit", "worktree", "new", "alpha"]
    process = subprocess.Popen(argv, cwd=world.path, env=world.environ, start_new_session=True)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    hook.unlink()
    assert names(world) == ["proj", "proj-alpha"]
    refused(world, "new", "alpha", code="branch_exists")
    assert world.ralph("worktree", "remove", "alpha").code == 0
    world.git("branch", "feature/alpha")  # the moment before: the branch alone
    found = refused(world, "new", "alpha", code="branch_exists")
    hint = found.err.splitlines()[1]
    assert hint == "hint: git branch -D feature/alpha"
    world.git("branch", "-D", "feature/alpha")
    new(world, "alpha")


# -- list --------------------------------------------------------------------------------


def test_list(world: World) -> None:
    alpha, beta, gamma = (new(world, name) for name in ("alpha", "beta", "gamma"))
    claim = alpha.claim("T-1")
    beat(alpha, claim=claim)
    done(beta, "T-2")
    world.commit("One more")
    world.git("worktree", "lock", "--reason", "mine", str(world.worktree("delta").path))
    beat(gamma, pid=2**22 - 3, age=500)
    before = world.state()
    found = world.ralph("worktree", "list")
    assert (found.code, found.err) == (0, "")
    assert re.sub(r"\d+ s ago", "N s ago", found.out) == (
        "proj (main)\tmain\t+0 -0\t-\t-\tclean\t-\n"
        "alpha\tfeature/alpha\t+0 -1\tT-1\talive, agent, N s ago\tdirty\tlocked\n"
        "beta\tfeature/beta\t+1 -1\t-\t-\tclean\tlocked\n"
        "delta\tdelta\t+0 -0\t-\t-\tclean\tlocked: mine\n"
        "gamma\tfeature/gamma\t+0 -1\t-\tgone, agent, N s ago\tclean\tlocked\n"
    )
    told = listed(alpha)
    assert world.state() == before
    sign = told["alpha"].pop("heartbeat")
    assert 0 < sign.pop("age_s") < 60
    assert sign == {
        "state": "alive", "phase": "agent", "pid": os.getpid(), "host": heartbeat.host(),
        "worker": "alpha", "task": "T-1", "claim": claim,
    }  # fmt: skip
    assert told["alpha"] == {
        "name": "alpha", "path": str(alpha.path), "branch": "feature/alpha",
        "head": alpha.head, "main": False, "current": True, "bare": False, "missing": False,
        "ahead": 0, "behind": 1, "task": "T-1",
        "claims": [{"task": "T-1", "claim": claim, "by": "alpha"}],
        "locked": True, "lock_reason": "ralphgit: worker alpha", "clean": False, "story": "",
    }  # fmt: skip
    beat(alpha, claim=claim, age=500)
    assert listed(world)["alpha"]["heartbeat"]["state"] == "silent"


def test_a_lost_and_a_broken_worktree_are_listed(world: World) -> None:
    alpha, beta = new(world, "alpha"), new(world, "beta")
    shutil.rmtree(alpha.path)
    (beta.path / ".git").unlink()
    told = listed(world)
    assert [(one["missing"], one["clean"]) for one in told.values()] == [
        (False, True), (True, None), (False, None),
    ]  # fmt: skip
    found = refused(world, "remove", "beta", "--force", "x", code="has_work")
    assert found.err.splitlines() == [
        "error: the worktree ../proj-beta was not removed: git cannot tell what is in it",
        "  - git cannot read it: the file .git in it is missing",
        "  where the command below does not help, keep what you need, and delete the folder",
        f"hint: git -C {world.path} worktree repair {world.folder}/proj-beta",
    ]


# -- remove ------------------------------------------------------------------------------


def test_remove_what_has_landed(world: World) -> None:
    alpha = new(world, "alpha")
    done(alpha)
    assert world.merge("feature/alpha").code == 0
    found = world.ralph("worktree", "remove", "alpha")
    assert found == (
        0,
        "Removed ../proj-alpha.\nThe branch feature/alpha went with it: it has landed.\n",
        "",
    )
    assert (names(world), branches(world)) == (["proj"], ["main"])
    new(world, "alpha")


def test_remove_says_all_that_speaks_against_it(world: World) -> None:
    alpha = new(world, "alpha")
    claim = alpha.claim("T-1")
    alpha.commit("Half of it")
    alpha.write("new.txt", "x\n")
    beat(alpha, claim=claim)
    found = refused(world, "remove", "alpha", code="has_work")
    assert found.err == (
        "error: the worktree ../proj-alpha was not removed: it has work that would be lost\n"
        f"  - alpha is alive in it (process {os.getpid()}, agent)\n"
        f"  - alpha works on T-1 (claim {claim})\n"
        "  - not committed: new.txt\n"
        "  - 1 commit is not on main\n"
        "  with --force it is saved in a rescue ref first\n"
        "hint: ralphgit worktree remove alpha --force REASON\n"
    )
    told = world.ralph("worktree", "remove", "alpha", "--json").json["error"]
    codes = [reason["code"] for reason in told["reasons"]]
    assert codes == ["alive", "claim_open", "uncommitted", "not_landed"]


@pytest.mark.parametrize("what", ["changed", "staged", "new", "deep", "deleted"])
def test_remove_refuses_uncommitted_work(world: World, what: str) -> None:
    alpha = new(world, "alpha")
    alpha.git("config", "status.showUntrackedFiles", "no")
    if what == "deleted":
        (alpha.path / "task-graph.yaml").unlink()
    else:
        alpha.write({"new": "new", "deep": "a/b/c"}.get(what, ".gitignore"), "x\n")
    if what == "staged":
        alpha.git("add", "-A")
    found = refused(world, "remove", "alpha", code="has_work")
    assert found.err.splitlines()[1].startswith("  - not committed: ")


def test_remove_by_force_keeps_everything(world: World) -> None:
    alpha = new(world, "alpha")
    claim = alpha.claim("T-1")
    alpha.write("one", "1\n")
    tip = alpha.commit("Half of it")
    alpha.write("two", "2\n")
    found = world.ralph("worktree", "remove", "alpha", "--force", "its disk is full")
    ref = f"refs/ralph/rescue/T-1/{claim}"
    assert found == (
        0,
        "Removed ../proj-alpha.\n"
        "The branch feature/alpha stays.\n"
        f"Kept: {ref}\n"
        "alpha still holds T-1: ralphgit reset T-1 --reason TEXT\n",
        "",
    )
    assert world.git("show", f"{ref}:two") == "2"
    assert world.git("rev-parse", f"{ref}~1", "feature/alpha").split() == [tip, tip]
    assert world.git("log", "-1", "--format=%B", ref) == (
        f"Rescue of worktree alpha\n\nWhat was not committed in {alpha.path} when alpha was "
        f"removed: its disk is full\n\nRalph-Task: T-1\nRalph-Claim: {claim}\n"
    )
    assert names(world) == ["proj"]
    # What it says to do next works, and frees the task.
    assert world.ralph("reset", "T-1", "--reason", "gone").code == 0
    assert world.ralph("next", "--json").data["tasks"][0]["id"] == "T-1"


def test_remove_by_force_without_a_claim(world: World) -> None:
    alpha = new(world, "alpha")
    alpha.write("loose", "1\n")
    told = world.ralph("worktree", "remove", "alpha", "--force", "no more", "--json")
    ref = f"refs/ralph/rescue/worktree-alpha/{world.head[:12]}"
    assert told.data == {
        "worktree": {"name": "alpha", "path": str(alpha.path), "branch": "feature/alpha",
                     "landed": "merged"},
        "branches_removed": ["feature/alpha"],
        "rescued": [ref],
        "claims": [],
    }  # fmt: skip
    assert world.git("show", f"{ref}:loose") == "1"
    ENVELOPE.validate(told.json)


def test_what_no_ref_can_keep_is_not_removed(world: World) -> None:
    alpha = new(world, "alpha")
    alpha.git("init", "--quiet", "nested")
    Place(alpha.path / "nested", world.environ).commit("Its own")
    found = refused(world, "remove", "alpha", "--force", "x", code="has_work")
    assert found.err == (
        "error: the worktree ../proj-alpha was not removed: it has work that would be lost\n"
        "  - nested/ is a repository of its own in it\n"
        "hint: clear that up by hand, then repeat\n"
    )
    beta = world.worktree("beta")
    world.git("worktree", "lock", "--reason", "mine", str(beta.path))
    found = refused(world, "remove", "beta", "--force", "x", code="has_work")
    assert "it is locked (mine); git worktree unlock frees it" in found.err


def test_a_merge_under_way_is_work(world: World) -> None:
    alpha = new(world, "alpha")
    alpha.write("a", "1\n")
    alpha.commit("Ours")
    world.write("a", "2\n")
    world.commit("Theirs")
    assert alpha.merge("main").code == 1
    alpha.git("checkout", "--quiet", "--theirs", "a")
    found = refused(world, "remove", "alpha", code="has_work")
    assert "  - a merge is under way in it\n" in found.err


def test_never_the_main_or_the_current_one(world: World) -> None:
    alpha = new(world, "alpha")
    assert refused(world, "remove", "proj", code="main_worktree").err == (
        "error: the main worktree is not removed; nothing was changed\n"
    )
    refused(world, "remove", "proj", "--force", "x", code="main_worktree")
    found = alpha.ralph("worktree", "remove", "alpha", "--force", "x")
    assert (found.code, found.err) == (
        8,
        "error: the worktree you are in (.) is not removed; nothing was changed\n"
        f"hint: ralphgit -C {world.path} worktree remove alpha\n",
    )
    assert names(world) == ["proj", "proj-alpha"]


def test_an_unknown_worktree(world: World) -> None:
    assert refused(world, "remove", "x", code="unknown_worktree", exit=2).err == (
        "error: there is no worktree x\nhint: ralphgit worktree new NAME\n"
    )
    new(world, "alpha")
    assert refused(world, "remove", "", code="unknown_worktree", exit=2).err.endswith(
        "hint: there are: alpha\n"
    )


def test_a_branch_of_somebody_else_stays(world: World) -> None:
    world.worktree("alpha")
    found = world.ralph("worktree", "remove", "alpha")
    assert found == (0, "Removed ../proj-alpha.\nThe branch alpha stays.\n", "")
    assert branches(world) == ["alpha", "main"]


def test_the_loops_branch_goes_with_its_worktree(world: World) -> None:
    alpha = new(world, "alpha")
    alpha.git("switch", "--quiet", "--create", "ralph/T-1-x")
    done(alpha)
    squash(world, "ralph/T-1-x")
    found = world.ralph("worktree", "remove", "alpha", "--json")
    assert found.data["branches_removed"] == ["feature/alpha", "ralph/T-1-x"]
    assert branches(world) == ["main"]


def test_a_lost_folder(world: World) -> None:
    alpha = new(world, "alpha")
    shutil.rmtree(alpha.path)
    assert world.ralph("worktree", "remove", "alpha").code == 0
    assert (names(world), branches(world)) == (["proj"], ["main"])


def test_ignored_files_go_and_so_does_ralphs_own(world: World) -> None:
    alpha = new(world, "alpha")
    alpha.write("x.log", "x\n")
    alpha.write(".ralph/heartbeat", "pid: 1\n")
    assert world.ralph("worktree", "remove", "alpha").code == 0


def test_a_removal_that_git_refuses_changes_nothing(world: World) -> None:
    alpha = new(world, "alpha")
    # A file that git's own look finds, and ours was told not to: the lock is put back.
    fake = world.write("../bin/git", (
        "#!/bin/sh\ncase \" $* \" in *' worktree remove '*) echo 'fatal: busy' >&2; exit 1;; "
        f"esac\nexec {shutil.which('git')} \"$@\"\n"
    ))  # fmt: skip
    fake.chmod(0o755)
    env = {"PATH": f"{fake.parent}{os.pathsep}{world.environ['PATH']}"}
    found = world.ralph("worktree", "remove", "alpha", env=env)
    assert (found.code, found.out) == (8, "")
    assert found.err.startswith("error: git did not remove ../proj-alpha: ")
    assert listed(world)["alpha"]["lock_reason"] == "ralphgit: worker alpha"
    assert alpha.git("status", "--porcelain") == ""


# -- landed ------------------------------------------------------------------------------


def landing(world: World) -> dict[str, tuple[str, str]]:
    """What `prune --dry-run` says of each worktree: action and why."""
    before = world.state()
    found = world.ralph("worktree", "prune", "--dry-run")
    assert (found.code, found.err) == (0, "")
    assert world.state() == before
    lines = (line.split("\t") for line in found.out.splitlines())
    return {name: (action, why) for action, name, why in lines}


CONTENT = ("would remove", "its changes are on main")
RECORDS = ("would remove", "its tasks are on main")


def test_a_squash_merge_has_landed(world: World) -> None:
    alpha = new(world, "alpha")
    done(alpha)
    assert landing(world) == {"alpha": ("kept", "1 commit is not on main")}
    squash(world, "feature/alpha")
    assert landing(world) == {"alpha": CONTENT}
    world.write("elsewhere", "x\n")
    world.commit("The base goes on")
    assert landing(world) == {"alpha": CONTENT}


def test_landed_work_that_the_base_has_changed_again(world: World) -> None:
    alpha = new(world, "alpha")
    claim = done(alpha)
    squash(world, "feature/alpha")
    world.write("work.txt", "better work\n")
    world.commit("Improved on the base")
    assert landing(world) == {"alpha": RECORDS}
    audit = f"records/audit/T-1/{claim}.yaml"
    world.write(audit, world.read(audit) + "# one event more\n")
    world.commit("Appended to the audit")
    assert landing(world) == {"alpha": RECORDS}
    assert world.ralph("worktree", "prune").out == (
        "removed\talpha\tits tasks are on main; removed with feature/alpha\n"
    )
    assert (names(world), branches(world)) == (["proj"], ["main"])


def test_a_record_that_the_base_has_appended_to(world: World) -> None:
    alpha = new(world, "alpha")
    claim = done(alpha)
    world.git("merge", "--quiet", "--squash", "feature/alpha")
    audit = f"records/audit/T-1/{claim}.yaml"
    world.write(audit, world.read(audit) + "# landed\n")
    world.commit("Squashed, and noted")
    assert landing(world) == {"alpha": CONTENT}
    # What the branch has more than the base is not on it.
    alpha.write(audit, alpha.read(audit) + "# and another thing\n")
    alpha.commit("More")
    assert landing(world) == {"alpha": ("kept", "2 commits are not on main")}


def test_a_rebase_merge_has_landed(world: World) -> None:
    alpha = new(world, "alpha")
    alpha.ralph("claim", "T-1")
    alpha.write("work.txt", "half\n")
    alpha.commit("Half of it")
    alpha.write("work.txt", "whole\n")
    alpha.complete()
    world.write("other", "x\n")
    world.commit("Meanwhile")
    world.git("cherry-pick", "main..feature/alpha")
    assert landing(world) == {"alpha": CONTENT}
    world.write("work.txt", "changed\n")
    world.commit("Changed")
    assert landing(world) == {"alpha": RECORDS}


def test_commits_after_the_squash_merge_have_not_landed(world: World) -> None:
    alpha = new(world, "alpha")
    done(alpha)
    squash(world, "feature/alpha")
    alpha.write("more.txt", "x\n")
    alpha.commit("One thing more")
    assert landing(world) == {"alpha": ("kept", "2 commits are not on main")}
    world.write("work.txt", "better\n")
    world.commit("The base goes on")
    assert landing(world) == {"alpha": ("kept", "2 commits are not on main")}
    assert "feature/alpha" in branches(world)


def test_the_same_records_with_other_files_have_not_landed(world: World) -> None:
    """Half of a branch, merged with all its records: the other half is not on the base."""
    alpha = new(world, "alpha")
    alpha.write("lost.txt", "x\n")
    alpha.commit("Beside the task")
    done(alpha)
    world.git("cherry-pick", "feature/alpha")
    assert landing(world) == {"alpha": ("kept", "2 commits are not on main")}


def test_two_tasks_landed_one_by_one(world: World) -> None:
    alpha = new(world, "alpha")
    done(alpha, "T-1", "one")
    squash(world, "feature/alpha")
    done(alpha, "T-2", "two")
    assert landing(world) == {"alpha": ("kept", "1 commit is not on main")}
    world.write("three", "3\n")
    world.commit("The base goes on")
    world.git("cherry-pick", "feature/alpha")
    assert landing(world) == {"alpha": CONTENT}
    world.write("one", "1\n")
    world.write("two", "2\n")
    world.commit("Both are changed again")
    assert landing(world) == {"alpha": RECORDS}


def test_another_claim_on_the_base_is_not_ours(world: World) -> None:
    alpha = new(world, "alpha")
    done(alpha)
    beta = world.clone("elsewhere")  # knows nothing of the lease
    done(beta)
    beta.git("push", "--quiet", "origin", "main")
    world.git("pull", "--quiet", "--ff-only", "origin", "main")
    kept, why = landing(world)["alpha"]
    assert (kept, why) == ("kept", "1 commit is not on origin/main")
    world.write("work.txt", "changed\n")
    world.commit("On")
    assert landing_of(world, "alpha") == "kept"


def landing_of(world: World, name: str) -> str:
    told = world.ralph("worktree", "prune", "--dry-run", "--json")
    return str(next(one["action"] for one in told.data["worktrees"] if one["name"] == name))


def test_commits_that_cancel_each_other_out_have_not_landed(world: World) -> None:
    alpha = new(world, "alpha")
    alpha.write("idea", "x\n")
    alpha.commit("An idea")
    alpha.git("revert", "--no-edit", "HEAD")
    assert landing(world) == {"alpha": ("kept", "2 commits are not on main")}


def test_a_squash_merge_on_the_forge(world: World) -> None:
    other = world.clone("elsewhere")
    alpha = new(world, "alpha")
    done(alpha)
    alpha.git("push", "--quiet", "-u", "origin", "feature/alpha")
    other.git("fetch", "--quiet")
    other.git("merge", "--quiet", "--squash", "origin/feature/alpha")
    other.commit("Squashed by the forge")
    other.git("push", "--quiet", "origin", "main")
    found = refused(world, "remove", "alpha", code="has_work")
    assert "if it was merged meanwhile: ralphgit worktree remove alpha --fetch" in found.err
    found = world.ralph("worktree", "remove", "alpha", "--fetch")
    assert found.code == 0, found
    assert branches(world) == ["main"]
    assert "branch.feature/alpha" not in world.git("config", "--list", "--local")


# -- prune -------------------------------------------------------------------------------


def test_prune(world: World) -> None:
    landed, ongoing, _, dirty, alive = (
        new(world, name) for name in ("landed", "ongoing", "unused", "dirty", "alive")
    )
    done(landed)
    squash(world, "feature/landed")
    for place in (dirty, alive):
        place.git("merge", "--quiet", "main")
    dirty.write("a", "x\n")
    claim = ongoing.ralph("claim", "T-2", "--json", "--force", "x").data["task"]["claim"]["id"]
    beat(alive)
    by_hand = world.worktree("hand")
    by_hand.git("worktree", "lock", str(by_hand.path))
    detached = world.worktree("detached")
    detached.git("checkout", "--quiet", "--detach")
    rest = (
        f"kept\talive\talpha is alive in it (process {os.getpid()}, agent)\n"
        "kept\tdetached\tits HEAD is detached\n"
        "kept\tdirty\tnot committed: a\n"
        "kept\thand\tit is locked; git worktree unlock frees it; nothing has been done in it yet\n"
    )
    more = (
        f"kept\tongoing\tongoing works on T-2 (claim {claim}); "
        "not committed: records/audit/T-2/" + claim + ".yaml and 1 more\n"
        "kept\tunused\tnothing has been done in it yet\n"
    )
    before = world.state()
    found = world.ralph("worktree", "prune", "--dry-run")
    assert found == (0, f"{rest}would remove\tlanded\tits changes are on main\n{more}", "")
    assert world.state() == before
    told = dirty.ralph("worktree", "prune", "--json", "--dry-run")
    ENVELOPE.validate(told.json)
    assert told.data["worktrees"][4] == {
        "name": "landed", "path": str(landed.path), "branch": "feature/landed",
        "action": "would-remove", "branches_removed": [], "reasons": [],
    }  # fmt: skip
    assert [r["code"] for r in told.data["worktrees"][2]["reasons"]] == [
        "current_worktree", "uncommitted",
    ]  # fmt: skip
    found = world.ralph("worktree", "prune")
    line = "removed\tlanded\tits changes are on main; removed with feature/landed\n"
    assert found == (0, f"{rest}{line}{more}", "")
    assert not landed.path.exists()
    assert "feature/landed" not in branches(world)
    assert len(names(world)) == 7


def test_prune_leaves_a_loop_that_is_silent(world: World) -> None:
    alpha = new(world, "alpha")
    done(alpha)
    squash(world, "feature/alpha")
    beat(alpha, age=500)
    silent = f"its loop is silent, and process {os.getpid()} still exists"
    assert landing(world) == {"alpha": ("kept", silent)}
    beat(alpha, pid=2**22 - 3, age=500)
    assert landing(world) == {"alpha": CONTENT}


def test_prune_of_nothing(world: World) -> None:
    assert world.ralph("worktree", "prune") == (0, "There is no linked worktree.\n", "")


def test_prune_keeps_the_base_branchs_own_worktree(world: World, tmp_path: Path) -> None:
    bare = tmp_path / "bare" / "proj.git"
    world.git("clone", "--quiet", "--bare", str(world.path), str(bare))
    place = Place(bare, world.environ)
    place.git("worktree", "add", "--quiet", "../proj-main", "main")
    Place(bare.parent / "proj-main", world.environ).commit("On")
    assert place.ralph("worktree", "prune").out == "kept\tmain\tit has the base branch main\n"


# -- words -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("new",), "worktree new needs a NAME"),
        (("remove",), "worktree remove needs a NAME"),
        (("list", "x"), "worktree list takes no NAME"),
        (("prune", "x"), "worktree prune takes no NAME"),
        (("list", "--dry-run"), "--dry-run cannot be combined with worktree list"),
        (("prune", "--force", "x"), "--force cannot be combined with worktree prune"),
        (("new", "x", "--fetch"), "--fetch cannot be combined with worktree new"),
        (("remove", "x", "--story", "S"), "--story cannot be combined with worktree remove"),
        (("remove", "x", "--force", " "), "--force needs a reason"),
    ],
)
def test_words_that_do_not_go_together(world: World, words: tuple[str, ...], message: str) -> None:
    found = refused(world, *words, code="usage", exit=2)
    assert found.err.startswith(f"error: {message}\n")


def test_no_action(world: World) -> None:
    assert world.ralph("worktree").code == 2
    assert world.ralph("worktree", "frob").code == 2


def test_the_recipes(world: World) -> None:
    just = Path(sys.executable).parent / "just"
    if not just.exists():
        pytest.skip("just is not installed")
    program = f"{sys.executable} -m ralphgit"

    def recipe(*words: str) -> Result:
        line = (str(just), "--justfile", str(ROOT / "justfile"), "-d", str(world.path), *words)
        return world.run(*line, env={"RALPHGIT": program})

    assert recipe("worktree-new", "alpha", "--story", "S-1").out.startswith("Made ../proj-alpha")
    assert recipe("worktree-list").out.splitlines()[1].startswith("alpha\tfeature/alpha\t")
    assert recipe("worktree-prune", "--dry-run").out.startswith("kept\talpha\t")
    assert recipe("worktree-remove", "alpha").out.startswith("Removed ../proj-alpha.\n")


def test_a_worktree_begins_at_another_branch(world: World) -> None:
    """`claim --stack` there builds on what that branch has complete."""
    alpha = new(world, "alpha")
    done(alpha)
    world.write("b.txt", "b\n")
    world.commit("The base goes on")
    found = world.ralph("worktree", "new", "beta", "--from", "feature/alpha", "--json")
    ENVELOPE.validate(found.json)
    assert (found.data["worktree"]["commit"], found.data["worktree"]["from"]) == (
        alpha.head, "feature/alpha",
    )  # fmt: skip
    beta = Place(world.folder / f"{world.path.name}-beta", world.environ)
    assert (beta.git("branch", "--show-current"), beta.head) == ("feature/beta", alpha.head)
    told = world.ralph("worktree", "new", "gamma", "--from", alpha.head).out.splitlines()
    assert told[0].endswith(f"from {alpha.head} ({alpha.head[:12]}).")
    assert told[-1] == "Next: cd ../proj-gamma && ralphgit claim --stack"
    refused(world, "new", "delta", "--from", "nowhere", code="bad_revision", exit=2)
