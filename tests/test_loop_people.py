"""A loop beside people who act in its worktree, hooks that fail, and folders that break."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import slow
from forge import Forge
from test_landing import ONE, agent, files_on_base
from test_loop import events, loop, made, on_base, rescued, task
from world import Place, Result

RALPH = f"{sys.executable} -m ralphgit"
TWO = task("T-2", "outputs: [two.txt]")
FIRST = ONE.replace("    status: pending\n", "    status: pending\n    priority: 0\n")


def by_task(place: Place, first: str) -> str:
    """An agent that does T-2 well, and with T-1 what it is told."""
    return agent(place, f"test $RALPH_TASK = T-1 || {{ echo 2 > two.txt; exit; }}\n{first}")


def branches(place: Place) -> list[str]:
    return place.git("for-each-ref", "--format=%(refname:short)", "refs/heads/ralph").split()


# -- given up while the agent works --------------------------------------------------------


@pytest.mark.parametrize("branch", slow.but(1, ["task", "keep"]))
@pytest.mark.slow
def test_a_release_in_the_worktree_is_the_end_of_it(branch: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, FIRST, TWO)
    does = (
        "echo half > f.txt; git add f.txt; git commit -qm half; echo late > late.txt; "
        f"{RALPH} release T-1 --reason mine -q"
    )
    ran = loop(alpha, "--branch", branch, "--agent", by_task(alpha, does))
    assert (ran.code, ran.out.splitlines()[:2]) == (0, ["done: T-2", "lost: T-1"]), ran.err
    assert len([e for e in events(alpha, "agent") if e["task"] == "T-1"]) == 1
    assert on_base(alpha, "T-1")["status"] == "pending"
    assert "f.txt" not in files_on_base(alpha)
    (kept,) = rescued(alpha)
    assert alpha.git("show", f"{kept}:late.txt", f"{kept}:f.txt") == "late\nhalf"
    assert kept in ran.err
    assert alpha.git("for-each-ref", "refs/ralph/leases") == ""
    # Another loop may take it.
    assert loop(alpha, "--once", "--agent", agent(alpha, "echo good > f.txt")).code == 0
    assert on_base(alpha, "T-1")["status"] == "complete"


@pytest.mark.slow
def test_a_block_in_the_worktree_lands_alone(tmp_path: Path) -> None:
    alpha = made(tmp_path, FIRST, TWO)
    does = (
        "echo half > f.txt; git add f.txt; git commit -qm half; echo late > late.txt; "
        f"{RALPH} block T-1 --question 'Which?' --option a --option b -q"
    )
    ran = loop(alpha, "--agent", by_task(alpha, does))
    assert (ran.code, ran.out.splitlines()[:2]) == (7, ["done: T-2", "blocked: T-1"]), ran.err
    blocked = on_base(alpha, "T-1")["blocked"]
    assert blocked["question"].startswith("Which?")
    assert blocked["options"] == ["a", "b"]
    assert "f.txt" not in files_on_base(alpha)
    (kept,) = rescued(alpha)
    assert kept in blocked["question"]
    assert alpha.git("show", f"{kept}:late.txt") == "late"
    assert len([e for e in events(alpha, "agent") if e["task"] == "T-1"]) == 1


@pytest.mark.slow
def test_a_block_without_work_leaves_what_is_not_committed_aside(tmp_path: Path) -> None:
    alpha = made(tmp_path, FIRST, TWO)
    does = f"echo late > late.txt; {RALPH} block T-1 --question 'Which?' -q"
    ran = loop(alpha, "--agent", by_task(alpha, does))
    assert (ran.code, ran.out.splitlines()[:2]) == (7, ["done: T-2", "blocked: T-1"]), ran.err
    assert on_base(alpha, "T-1")["blocked"]["question"] == "Which?"
    (kept,) = rescued(alpha)
    assert alpha.git("show", f"{kept}:late.txt") == "late"


#: What is left of a claim's lease and note where a release or block is killed after its commit.
HALF = (
    "lease=$(git rev-parse refs/ralph/leases/T-1); cp .ralph/current.yaml ../noted; {does}; "
    "git update-ref refs/ralph/leases/T-1 $lease; cp ../noted .ralph/current.yaml"
)


@pytest.mark.parametrize("branch", slow.but(1, ["task", "keep"]))
def test_a_release_that_was_killed_before_its_lease_went_is_the_end_of_it(
    branch: str, tmp_path: Path
) -> None:
    alpha = made(tmp_path, ONE)
    does = HALF.format(does=f"echo half > f.txt; {RALPH} release T-1 --reason mine -q")
    ran = loop(alpha, "--branch", branch, "--agent", agent(alpha, does))
    assert (ran.code, ran.out.splitlines()[0]) == (0, "lost: T-1"), ran.err
    assert len(events(alpha, "agent")) == 1
    assert len(rescued(alpha)) == 1
    assert alpha.git("for-each-ref", "refs/ralph/leases") == ""
    assert not (alpha.path / ".ralph" / "current.yaml").exists()


@pytest.mark.slow
def test_a_release_that_was_killed_while_no_loop_ran_is_the_end_of_it(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    alpha.ralph("claim", "T-1")
    alpha.run("sh", "-c", HALF.format(does=f"{RALPH} release T-1 -q"))
    ran = loop(alpha, "--agent", agent(alpha, "echo good > f.txt"))
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    assert "resuming" not in ran.err


def test_what_a_killed_push_has_landed_is_done(tmp_path: Path) -> None:
    """git was killed before it moved the tracking branch, and the loop after it."""
    alpha = made(tmp_path, ONE)
    alpha.claim("T-1")
    alpha.write("f.txt", "good\n")
    assert alpha.ralph("complete").code == 0
    work = alpha.git("symbolic-ref", "HEAD")
    alpha.world.origin.git("fetch", "--quiet", str(alpha.path), f"+{work}:refs/heads/main")
    ran = loop(alpha, "--agent", agent(alpha, "false"))
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    assert "verified again" not in ran.err
    assert alpha.git("for-each-ref", "refs/ralph/leases") == ""


def test_a_block_that_was_killed_before_its_lease_went_holds_nothing(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    does = HALF.format(does=f"{RALPH} block T-1 --question 'Which?' -q")
    ran = loop(alpha, "--land", "none", "--agent", agent(alpha, does))
    assert (ran.code, ran.out.splitlines()[0]) == (7, "blocked: T-1"), ran.err
    assert len(events(alpha, "agent")) == 1
    assert alpha.git("for-each-ref", "refs/ralph/leases") == ""


@pytest.mark.slow
def test_a_block_does_not_carry_other_records_along(tmp_path: Path) -> None:
    alpha = made(tmp_path, FIRST, TWO)
    does = (
        "sed -i '/id: T-2/,$s/status: pending/status: complete/' task-graph.yaml; "
        f"git commit -qam mine; {RALPH} block T-1 --question 'Which?' -q"
    )
    ran = loop(alpha, "--once", "--agent", by_task(alpha, does))
    assert (ran.code, ran.out.splitlines()[0]) == (7, "blocked: T-1"), ran.err
    assert on_base(alpha, "T-1")["status"] == "blocked"
    assert on_base(alpha, "T-2")["status"] == "pending"


# -- moves of the worktree -----------------------------------------------------------------


def killing_git(tmp_path: Path, verb: str) -> str:
    """A PATH on which `git VERB` kills who called it before anything is done."""
    programs = tmp_path / "programs"
    programs.mkdir()
    fake = programs / "git"
    fake.write_text(
        f'#!/bin/sh\ncase " $* " in *" {verb} "*) kill -9 $PPID; exit 1 ;; esac\n'
        f'exec {shutil.which("git")} "$@"\n'
    )
    fake.chmod(0o755)
    return f"{programs}{os.pathsep}{os.environ['PATH']}"


def killed_while_moving(tmp_path: Path) -> Place:
    """A loop that was killed when it was about to bring its worktree to a newer base."""
    alpha = made(tmp_path, ONE, files={"c.txt": "old\n", "d.txt": "old\n"})
    world = alpha.world
    world.write("c.txt", "new\n")
    world.commit("Newer")
    world.git("push", "--quiet", "origin", "main")
    assert loop(alpha, env={"PATH": killing_git(tmp_path, "switch")}).code == -9
    assert (alpha.path / ".ralph" / "moving").exists()
    return alpha


def test_what_a_killed_move_left_goes_and_what_a_person_wrote_stays(tmp_path: Path) -> None:
    alpha = killed_while_moving(tmp_path)
    alpha.write("c.txt", "new\n")  # as git was about to
    alpha.write("d.txt", "mine\n")
    alpha.write("notes.txt", "mine too\n")
    ran = loop(alpha, "--json", "-q")
    assert (ran.code, ran.error) == (8, "dirty")
    assert [alpha.read(name) for name in ("c.txt", "d.txt", "notes.txt")] == [
        "old\n", "mine\n", "mine too\n",
    ]  # fmt: skip
    assert not (alpha.path / ".ralph" / "moving").exists()
    assert rescued(alpha) == []


@pytest.mark.slow
def test_an_edit_in_the_way_of_a_killed_move_is_kept(tmp_path: Path) -> None:
    alpha = killed_while_moving(tmp_path)
    alpha.write("c.txt", "mine\n")
    ran = loop(alpha, "--agent", agent(alpha, "echo good > f.txt"))
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    (kept,) = rescued(alpha)
    assert alpha.git("show", f"{kept}:c.txt") == "mine"
    assert kept in ran.err


@pytest.mark.slow
def test_an_ignored_file_in_the_way_of_a_killed_move_is_kept(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, files={".gitignore": "new.txt\n"})
    world = alpha.world
    world.write("new.txt", "the base's\n")
    world.git("add", "--force", "new.txt")
    world.commit("Newer")
    world.git("push", "--quiet", "origin", "main")
    assert loop(alpha, env={"PATH": killing_git(tmp_path, "switch")}).code == -9
    alpha.write("new.txt", "mine\n")
    ran = loop(alpha, "--agent", agent(alpha, "echo good > f.txt"))
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    assert any(alpha.run("git", "show", f"{ref}:new.txt").out == "mine\n" for ref in rescued(alpha))


def test_a_killed_move_takes_nothing_back_behind_a_link(tmp_path: Path) -> None:
    """An agent can write the note of one, and git has put no file behind a link."""
    alpha = made(tmp_path, ONE, files={".gitignore": "photos\n"})
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "one.jpg").write_text("one\n")
    (alpha.path / "photos").symlink_to(photos)
    start = alpha.git("rev-parse", "HEAD")
    blob = alpha.git("hash-object", "-w", str(photos / "one.jpg"))
    alpha.git("update-index", "--add", "--cacheinfo", f"100644,{blob},photos/one.jpg")
    other = alpha.git("commit-tree", alpha.git("write-tree"), "-p", start, "-m", "x")
    alpha.git("reset", "-q")
    alpha.write(".ralph/moving", f"{start}\n{other}\n")
    ran = loop(alpha, "--once", "--agent", agent(alpha, "echo good > f.txt"))
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    assert not (alpha.path / ".ralph" / "moving").exists()
    assert (photos / "one.jpg").read_text() == "one\n"


def test_a_hook_that_fails_after_the_switch(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    hook = alpha.world.write(".git/hooks/post-checkout", "#!/bin/sh\necho no lfs >&2; exit 3\n")
    hook.chmod(0o755)
    ran = loop(alpha, "--once", "--agent", agent(alpha, "echo good > f.txt"))
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    assert "a post-checkout hook failed: no lfs" in ran.err
    assert not (alpha.path / ".ralph" / "moving").exists()
    assert len(branches(alpha)) == 1


# -- folders that break --------------------------------------------------------------------


@pytest.mark.parametrize("how", ["rm -f .git", "rm -rf $PWD"])
def test_a_worktree_that_is_none_any_more_is_reset(how: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    world = alpha.world
    does = f"echo half > f.txt; git add f.txt; git commit -qm half; echo more > f.txt; {how}"
    ran = loop(alpha, "--json", "-q", "--agent", agent(alpha, does))
    assert (ran.code, ran.error) == (8, "no_worktree")
    assert f"git -C {world.path} worktree repair, then run again" in ran.json["error"]["hint"]
    found = world.ralph("doctor", "--json").data["findings"]
    assert [one["code"] for one in found if one["code"] == "stale_lease"] == ["stale_lease"]
    assert any(one["code"] == "stale" for one in world.ralph("status", "--json").data["attention"])
    done = world.ralph("reset", "T-1", "--reason", "its folder is broken")
    assert done.code == 0, done.err
    if how == "rm -f .git":
        assert "no longer a worktree" in done.err
        assert alpha.read("f.txt") == "more\n"
    (kept,) = rescued(world)
    assert world.git("show", f"{kept}:f.txt") == "half"


def undeletable(folder: Path) -> str:
    """Shell words that make `d/f`, which nobody can remove."""
    if os.getuid():
        return "mkdir d; echo x > d/f; chmod 555 d"
    probe = folder / "probe"
    probe.touch()
    if subprocess.run(["chattr", "+i", probe], check=False, capture_output=True).returncode:
        pytest.skip("no file can be made that root cannot remove")
    subprocess.run(["chattr", "-i", probe], check=True)
    return "mkdir d; echo x > d/f; chattr +i d/f"


def test_what_cannot_be_removed_does_not_hold_the_block(tmp_path: Path) -> None:
    alpha = made(tmp_path, FIRST, TWO)
    does = undeletable(tmp_path)
    try:
        env = {"RALPH_AGENT_ATTEMPTS": "1"}
        ran = loop(alpha, "--agent", by_task(alpha, does), env=env)
        assert on_base(alpha, "T-1")["status"] == "blocked", ran.err
        assert (ran.code, "changes that belong to no claim: d/f" in ran.err) == (8, True), ran.err
        assert len(events(alpha, "agent")) == 1
        # A rescue ref has it, so that it can be named.
        assert any("d/f" in alpha.git("ls-tree", "-r", "--name-only", r) for r in rescued(alpha))
        assert "d/f is kept in" in ran.err
    finally:
        subprocess.run(["chattr", "-i", alpha.path / "d" / "f"], check=False, capture_output=True)
        (alpha.path / "d").chmod(0o755)


def test_the_limit_of_attempts_is_looked_at_before_the_agent_starts(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    claim = alpha.claim("T-1")
    alpha.write(
        ".ralph/attempts.yaml",
        f"claim: {claim}\nfailed: 3\nfeedback: for the agent\nreason: scope\ntold: for a person\n",
    )
    ran = loop(alpha, "--agent", agent(alpha, "echo good > f.txt"))
    assert (ran.code, ran.out.splitlines()[0]) == (7, "blocked: T-1"), ran.err
    blocked = on_base(alpha, "T-1")["blocked"]
    assert (blocked["reason"], blocked["question"]) == (
        "scope", "3 attempts failed. The last one: for a person",
    )  # fmt: skip
    assert events(alpha, "agent") == []


# -- shared late ---------------------------------------------------------------------------

ASKS = "printf 'status: needs_context\\nquestion: Which?\\n' > $RALPH_REPORT"


def refusing_once(place: Place) -> None:
    """A remote that refuses the first push."""
    hook = place.world.origin.write(
        "hooks/pre-receive", "#!/bin/sh\ntest -e seen && exit 0\ntouch seen; exit 1\n"
    )
    hook.chmod(0o755)


@pytest.mark.slow
def test_a_block_whose_push_failed_is_shared_later(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    forge = Forge(alpha.world)
    refusing_once(alpha)
    line = ("--land", "pr", "--once", "--agent", agent(alpha, ASKS))
    ran = loop(alpha, *line, env=forge.environ)
    assert (ran.code, ran.out.splitlines()[0]) == (7, "blocked: T-1"), ran.err
    (branch,) = branches(alpha)
    assert forge.git("rev-parse", branch) == alpha.git("rev-parse", branch)
    assert loop(alpha, *line, env=forge.environ).code == 7


@pytest.mark.slow
def test_a_block_whose_landing_failed_counts_once(tmp_path: Path) -> None:
    alpha = made(tmp_path, FIRST, TWO)
    refusing_once(alpha)
    ran = loop(alpha, "--once", "--agent", by_task(alpha, ASKS))
    assert (ran.code, ran.out.splitlines()[0]) == (7, "blocked: T-1"), ran.err
    assert on_base(alpha, "T-1")["status"] == "blocked"
    assert on_base(alpha, "T-2")["status"] == "pending"


# -- what people are told ------------------------------------------------------------------


def closed(tmp_path: Path) -> tuple[Place, Forge]:
    """A pull request that somebody has closed, as the loop has noticed."""
    alpha = made(tmp_path, ONE)
    forge = Forge(alpha.world)
    line = ("--land", "pr", "--agent", agent(alpha, "echo good > f.txt"))
    assert loop(alpha, *line, env=forge.environ).code == 0
    forge.close(branches(alpha)[0])
    ran = loop(alpha, *line, env=forge.environ)
    assert ran.code == 7
    return alpha, forge


def advised(place: Place, command: str) -> Result:
    """Run a command just as it was shown."""
    words = shlex.split(command)
    assert words[0] == "ralphgit"
    return place.ralph(*words[1:])


@pytest.mark.slow
@pytest.mark.parametrize("where", slow.but(1, ["main", "alpha"]))
def test_a_closed_pull_request_is_seen_and_can_be_given_up(where: str, tmp_path: Path) -> None:
    alpha, forge = closed(tmp_path)
    place = alpha if where == "alpha" else alpha.world
    (seen,) = [
        one
        for one in place.ralph("status", "--json").data["attention"]
        if one["code"] == "pr-closed"
    ]
    assert seen["task"] == "T-1"
    assert "https://forge.example/acme/proj/pull/1" in seen["message"]
    (asked,) = place.ralph("inbox", "--json").data["questions"]
    assert (asked["task"], asked["reason"], asked["worker"]) == ("T-1", "pr-closed", "alpha")
    assert asked["command"] == seen["hint"]
    done = advised(place, seen["hint"])
    assert done.code == 0, done.err
    ran = loop(alpha, "--land", "pr", "--agent", agent(alpha, ASKS), env=forge.environ)
    assert "lost: T-1" in ran.out, ran.err
    assert place.ralph("inbox", "--json").data["questions"][0]["reason"] == "needs_context"


@pytest.mark.slow
def test_a_conflict_is_told_to_a_person_in_their_words(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, files={"f.txt": "base\n"})
    world = alpha.world
    clash = (
        f"cd {world.path}; git pull -q --ff-only origin main; echo theirs > f.txt; "
        "git commit -qam Theirs; git push -q origin main"
    )
    does = agent(alpha, f"echo good > f.txt; {clash}")
    # No fetch of the loop's is to meet the one of the agent.
    env = {"RALPH_AGENT_ATTEMPTS": "1", "RALPH_LOOP_CHECK": "600"}
    ran = loop(alpha, "--once", "--agent", does, env=env)
    assert ran.code == 7, ran.err
    question = str(on_base(alpha, "T-1")["blocked"]["question"])
    assert question.startswith(
        "1 attempt failed. The last one: The work was complete and conflicts with origin/main in "
        "f.txt.\n"
    )
    assert "bring the work over" not in question
    (kept,) = rescued(alpha)
    assert kept in question


@pytest.mark.slow
def test_status_shows_the_first_line_of_a_question(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    assert loop(alpha, "--agent", agent(alpha, "echo bad > f.txt")).code == 7
    shown = alpha.ralph("status").out
    assert "! T-1 is blocked by alpha (verify-failed: 3 attempts failed." in shown
    assert "\\n" not in shown
    assert "The work so far" not in shown
