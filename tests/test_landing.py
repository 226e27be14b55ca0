"""What a loop lands is what was verified, whatever the agent does to the records (SPEC 7)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import slow
from forge import Forge
from test_loop import events, loop, made, on_base, rescued, task
from world import Place

ONE = task("T-1", "scope: {write: [f.txt]}", "outputs: [f.txt]", "verify: [grep -q good f.txt]")

#: Marks its task complete with its own hands, and commits.
LIAR = """\
import os, re
name, text = "task-graph.yaml", open("task-graph.yaml").read()
text = text.replace("status: in-progress", "status: complete", 1)
found = re.search(r"(    claim:\\n(?:      .*\\n)+)", text)
made = '    result:\\n      id: zzzzzzzzzz\\n      claim: %s\\n      outcome: done\\n      at: "2026-11-21T10:00:00Z"\\n'
open(name, "w").write(text[:found.end()] + made % os.environ["RALPH_CLAIM"] + text[found.end():])
os.system("ECHO; git add -A; git commit -qm 'done, trust me'")
"""  # noqa: E501


def agent(place: Place, script: str) -> str:
    """A shell script beside the worktrees, as a command line."""
    path = place.world.folder / "agent.sh"
    path.write_text(f"cat >/dev/null\n{script}\n")
    return f"sh {path}"


def liar(place: Place, command: str) -> str:
    path = place.world.folder / "liar.py"
    path.write_text(LIAR.replace("ECHO", command))
    return agent(place, f"python3 {path}")


def files_on_base(place: Place) -> list[str]:
    return place.git("ls-tree", "-r", "--name-only", "origin/main").split()


def questions(place: Place, id: str = "T-1") -> str:
    return str(on_base(place, id)["blocked"]["question"])


# -- completions that nobody verified ------------------------------------------------------


@pytest.mark.slow
def test_a_task_that_its_agent_marks_complete_is_verified(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    command = liar(alpha, "echo junk > junk.txt")
    ran = loop(alpha, "--once", "--agent", command, env={"RALPH_AGENT_ATTEMPTS": "2"})
    assert (ran.code, ran.out.splitlines()[0]) == (7, "blocked: T-1"), ran.err
    assert "junk.txt is outside scope.write" in questions(alpha)
    assert "junk.txt" not in files_on_base(alpha)
    assert [e["outcome"] for e in events(alpha, "attempted")] == ["failed", "failed"]
    assert any("junk.txt" in alpha.git("ls-tree", "--name-only", ref) for ref in rescued(alpha))


@pytest.mark.slow
def test_a_marked_task_whose_work_is_good_gets_its_evidence(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    ran = loop(alpha, "--once", "--agent", liar(alpha, "echo good > f.txt"))
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    assert on_base(alpha, "T-1")["result"]["id"] != "zzzzzzzzzz"
    assert any("/evidence/T-1/" in name for name in files_on_base(alpha))


AFTER = [
    "echo evil > f.txt; echo x > ci.yml; git add -A; git commit -qm more",
    "echo evil > f.txt; echo x > ci.yml; git add -A; git commit -q --amend --no-edit",
    "echo x > ci.yml; git add -A; git commit -qm more",
]
COMPLETE = f"echo good > f.txt; {sys.executable} -m ralphgit complete -q || exit 9"


@pytest.mark.slow
@pytest.mark.parametrize("more", slow.but(1, AFTER))
@pytest.mark.parametrize("land", ["merge", "pr", "none"])
def test_what_comes_after_a_completion_is_verified_too(
    more: str, land: str, tmp_path: Path
) -> None:
    alpha = made(tmp_path, ONE)
    forge = Forge(alpha.world)
    env = {**forge.environ, "RALPH_AGENT_ATTEMPTS": "1"}
    ran = loop(
        alpha, "--once", "--land", land, "--agent", agent(alpha, f"{COMPLETE}; {more}"), env=env
    )
    assert (ran.code, ran.out.splitlines()[0]) == (7, "blocked: T-1"), ran.err
    assert "ci.yml" not in files_on_base(alpha)
    assert forge.pulls == []
    assert "ci.yml is outside scope.write" in ran.err or "not done" in ran.err


@pytest.mark.slow
def test_more_good_work_after_a_completion_is_completed_again(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    more = "echo better good > f.txt; git commit -qam better"
    ran = loop(alpha, "--once", "--agent", agent(alpha, f"{COMPLETE}; {more}"))
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    assert alpha.git("show", "origin/main:f.txt") == "better good"
    checked = alpha.world
    checked.git("pull", "-q", "--ff-only", "origin", "main")
    assert checked.ralph("check").code == 0


@pytest.mark.slow
def test_what_is_left_beside_a_completion_is_kept_aside(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, task("T-2", "outputs: [two.txt]", depends="T-1"))
    late = f"test $RALPH_TASK = T-1 || exec sh -c 'echo 2 > two.txt'\n{COMPLETE}; echo evil > f.txt"
    ran = loop(alpha, "--agent", agent(alpha, late))
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1 T-2"), ran.err
    assert alpha.git("show", "origin/main:f.txt") == "good"
    (kept,) = rescued(alpha)
    assert alpha.git("show", f"{kept}:f.txt") == "evil"
    assert kept in ran.err


@pytest.mark.slow
def test_work_without_commands_is_checked_again(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "scope: {write: [f.txt]}", "outputs: [f.txt]"))
    more = f"{COMPLETE}; echo x > ci.yml; git add -A; git commit -qm more"
    env = {"RALPH_AGENT_ATTEMPTS": "1"}
    ran = loop(alpha, "--once", "--agent", agent(alpha, more), env=env)
    assert (ran.code, ran.out.splitlines()[0]) == (7, "blocked: T-1"), ran.err
    assert on_base(alpha, "T-1")["blocked"]["reason"] == "scope"


@pytest.mark.slow
def test_other_tasks_are_not_completed_by_hand(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, task("T-2", "outputs: [two.txt]", depends="T-1"))
    edit = (
        "echo good > f.txt; sed -i '/id: T-2/,$s/status: pending/status: complete/' "
        "task-graph.yaml; git add -A; git commit -qm mine"
    )
    env = {"RALPH_AGENT_ATTEMPTS": "1"}
    ran = loop(alpha, "--once", "--agent", agent(alpha, edit), env=env)
    assert (ran.code, ran.out.splitlines()[0]) == (7, "blocked: T-1"), ran.err
    assert on_base(alpha, "T-2")["status"] == "pending"
    assert "T-2" in questions(alpha)


BREAKS = [
    "echo '<<<' >> task-graph.yaml",
    "echo '<<<' >> task-graph.yaml; git commit -qam broken",
    "rm task-graph.yaml; git commit -qam broken",
]


@pytest.mark.slow
@pytest.mark.parametrize("how", BREAKS)
def test_an_agent_that_breaks_the_graph_begins_again(how: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    first = f"echo good > f.txt; test $RALPH_ATTEMPT = 2 || {{ {how}; }}"
    ran = loop(alpha, "--once", "--agent", agent(alpha, first))
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err
    assert "the task graph cannot be read" in ran.err
    assert "refs/ralph/rescue/T-1/" in alpha.read(".ralph/prompt.md")
    # A file that is gone holds nothing that has not landed; a graph that nobody can read may.
    assert len(rescued(alpha)) == (0 if how.startswith("rm") else 1)


@pytest.mark.slow
def test_a_loop_that_died_after_its_agent_broke_the_graph_goes_on(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    alpha.claim("T-1")
    alpha.write("task-graph.yaml", alpha.read() + "<<<\n")
    ran = loop(alpha, "--once", "--agent", agent(alpha, "echo good > f.txt"))
    assert (ran.code, ran.out.splitlines()[0]) == (0, "done: T-1"), ran.err


def test_complete_verifies_anew_what_it_did_not_complete(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    alpha.claim("T-1")
    alpha.write("f.txt", "good\n")
    alpha.complete()
    first = alpha.head
    again = alpha.ralph("complete")
    assert (again.code, alpha.head) == (0, first)
    assert "T-1 is complete already" in again.err
    alpha.write("f.txt", "bad\n")
    alpha.commit("More")
    refused = alpha.ralph("complete", "--json")
    assert (refused.code, refused.error) == (1, "verification_failed")
    alpha.write("f.txt", "good again\n")
    done = alpha.ralph("complete")
    assert done.code == 0, done.err
    assert alpha.task("T-1")["status"] == "complete"
    assert alpha.git("status", "--porcelain") == ""
    assert alpha.ralph("check", "--base", "main").code == 0
