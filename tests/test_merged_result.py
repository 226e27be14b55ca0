"""What lands is judged as merged into the base as it is then (SPEC 7, L11, L12)."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from forge import Forge
from test_landing import agent, files_on_base
from test_loop import loop, made, on_base, rescued, task
from world import Place, Result

from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.model.task import Scope

ONE = task("T-1", "outputs: [f.txt]", "verify: [grep -q good f.txt]")


def run(alpha: Place, *words: str, env: Mapping[str, str] | None = None) -> Result:
    """A loop that gives up after one attempt, and does not look at the base while it is made."""
    quiet = {"RALPH_AGENT_ATTEMPTS": "1", "RALPH_LOOP_CHECK": "60"}
    return loop(alpha, *words, env={**quiet, **(env or {})})


def meanwhile(alpha: Place, script: str) -> str:
    """An agent that does its work well, while somebody else does this to main in his clone."""
    other = alpha.world.clone("other")
    once = f"touch ../once; cd {other.path}; {script}; cd {alpha.path}; git fetch -q || true"
    return agent(alpha, f"set -e; echo good > f.txt; test -e ../once || {{ {once}; }}")


#: What somebody has left of main after a secret has come to it.
PURGED = (
    "git reset -q --hard HEAD~; echo more > more.txt; git add -A; git commit -qm More; "
    "git push -qf origin HEAD:main"
)


def with_secret(folder: Path) -> Place:
    alpha = made(folder, ONE)
    world = alpha.world
    world.write("secret.txt", "hunter2\n")
    world.commit("Secret")
    world.git("push", "-q", "origin", "main")
    return alpha


@pytest.mark.slow
@pytest.mark.parametrize("land", ["merge", "pr"])
def test_a_purged_base_does_not_get_its_secret_back(land: str, tmp_path: Path) -> None:
    alpha = with_secret(tmp_path)
    forge = Forge(alpha.world)
    line = ("--once", "--land", land, "--agent", meanwhile(alpha, PURGED))
    ran = run(alpha, *line, env=forge.environ)
    assert ran.out.splitlines()[0] == "lost: T-1", ran.err
    assert "history of origin/main was rewritten" in ran.err
    alpha.git("fetch", "-q", "origin")
    assert "secret.txt" not in files_on_base(alpha)
    assert alpha.git("ls-remote", "--heads", "origin").count("\n") == 0
    assert on_base(alpha, "T-1")["status"] == "pending"
    (kept,) = rescued(alpha)
    assert alpha.git("show", f"{kept}:f.txt") == "good"
    # It is free, and is done on the new base.
    again = run(alpha, "--once", "--agent", agent(alpha, "echo good > f.txt"))
    assert again.out.splitlines()[0] == "done: T-1", again.err
    assert "secret.txt" not in files_on_base(alpha)


@pytest.mark.slow
def test_a_branch_that_is_kept_leaves_the_purged_history(tmp_path: Path) -> None:
    alpha = with_secret(tmp_path)
    ran = run(alpha, "--branch", "keep", "--agent", meanwhile(alpha, PURGED))
    assert ran.out.splitlines()[:2] == ["done: T-1", "lost: T-1"], ran.err
    assert "secret.txt" not in files_on_base(alpha)
    assert "secret.txt" not in alpha.git("log", "--format=", "--name-only", "origin/main")


@pytest.mark.parametrize("edit", ["s/id: T-1/id: T-7/", "/id: T-1/,$d"])
def test_a_task_that_is_gone_from_the_base_lands_nowhere(edit: str, tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-0"), ONE)
    gone = f"sed -i '{edit}' task-graph.yaml; git commit -qam Gone; git push -q origin HEAD:main"
    line = ("--task", "T-1", "--agent", meanwhile(alpha, gone))
    ran = run(alpha, *line)
    assert ran.out.splitlines()[:1] == ["lost: T-1"], ran.err
    assert "T-1 is no longer on origin/main" in ran.err
    assert "f.txt" not in files_on_base(alpha)
    assert "id: T-1" not in alpha.git("show", "origin/main:task-graph.yaml")
    assert "complete" not in alpha.git("show", "origin/main:task-graph.yaml")


@pytest.mark.slow
def test_a_claim_that_was_taken_back_is_not_said_to_land(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    does = agent(alpha, "echo good > f.txt")
    assert run(alpha, "--once", "--land", "none", "--agent", does).code == 0
    branch = alpha.git("branch", "--show-current")
    world = alpha.world
    world.git("merge", "-q", "--no-ff", "--no-edit", branch)
    world.git("revert", "--no-edit", "-m", "1", "HEAD")
    world.git("push", "-q", "origin", "main")
    alpha.git("fetch", "-q", "origin")
    ran = run(alpha, "--once", "--agent", agent(alpha, "echo nothing good > no.txt"))
    assert ran.out.splitlines()[0] == "blocked: T-1", ran.err
    assert "taken back on origin/main" in ran.err
    assert "landed" not in ran.err
    assert "f.txt" not in files_on_base(alpha)


@pytest.mark.slow
def test_a_problem_that_only_the_merged_result_has_does_not_land(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, task("T-2"), task("T-3"))
    depends = "sed -i '/title: Task T-{}$/a\\    depends_on: [T-{}]' task-graph.yaml"
    theirs = f"{depends.format(2, 1)}; git commit -qam Two; git push -q origin HEAD:main"
    does = meanwhile(alpha, theirs)
    script = alpha.world.folder / "agent.sh"
    script.write_text(script.read_text() + depends.format(1, 2) + "\n")
    ran = run(alpha, "--task", "T-1", "--agent", does)
    assert ran.out.splitlines()[0] == "blocked: T-1", ran.err
    assert "dependency cycle" in on_base(alpha, "T-1")["blocked"]["question"]
    assert "f.txt" not in files_on_base(alpha)


def test_a_person_lands_nothing_that_was_taken_out_of_the_base(tmp_path: Path) -> None:
    alpha = with_secret(tmp_path)
    alpha.git("merge", "-q", "origin/main")
    alpha.did("T-1", {"f.txt": "good\n"})
    alpha.run("sh", "-ec", f"cd {alpha.world.clone('other').path}; {PURGED}")
    for command, *ended in (("integrate", 5, "claim_lost"), ("land", 5, "claim_lost")):
        done = alpha.ralph(command, "alpha", "--json")
        assert [done.code, done.error] == ended, done.out
        assert "history of origin/main was rewritten" in done.out
    assert "secret.txt" not in files_on_base(alpha)


def test_a_person_lands_nothing_whose_claim_was_taken_back(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    alpha.did("T-1", {"f.txt": "good\n"})
    world = alpha.world
    world.git("merge", "-q", "--no-ff", "--no-edit", "alpha")
    world.git("revert", "--no-edit", "-m", "1", "HEAD")
    world.git("push", "-q", "origin", "main")
    alpha.write("g.txt", "more\n")
    alpha.commit()
    done = alpha.ralph("land", "--json")
    assert (done.code, done.error) == (5, "claim_lost"), done.out
    assert "taken back on origin/main" in done.out


@pytest.mark.slow
def test_what_the_base_has_wrong_before_holds_nothing_up(tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE, task("T-2", depends="T-9"))
    ran = run(alpha, "--once", "--agent", agent(alpha, "echo good > f.txt"))
    assert ran.out.splitlines()[0] == "done: T-1", ran.err


#: What main had once, and has no longer: who made his worktree then has it still.
_PURGE = (
    "git reset -q --hard HEAD~; git commit -q --allow-empty -m Purged; git push -qf origin main"
)


def _secrets(alpha: Place) -> str:
    return alpha.world.git("log", "--format=%s", "origin/main", "--", "secret.txt")


def test_a_worktree_of_before_the_purge_is_moved_away_from_it(tmp_path: Path) -> None:
    alpha = with_secret(tmp_path)
    alpha.git("reset", "-q", "--hard", "origin/main")
    assert alpha.world.run("sh", "-ec", _PURGE).code == 0
    alpha.claim("T-1")
    assert alpha.head == alpha.git("rev-parse", "origin/main")
    alpha.write("f.txt", "good")
    alpha.complete("--land")
    assert (_secrets(alpha), on_base(alpha, "T-1")["status"]) == ("", "complete")


@pytest.mark.parametrize("is_complete", [False, True])
def test_what_has_merged_purged_commits_does_not_land(is_complete: bool, tmp_path: Path) -> None:
    alpha = made(tmp_path, ONE)
    alpha.claim("T-1")
    alpha.git("commit", "-qm", "Claim")
    world = alpha.world
    world.write("secret.txt", "hunter2\n")
    world.commit("Secret")
    world.git("push", "-q", "origin", "main")
    alpha.git("merge", "-q", "--no-edit", "origin/main")
    alpha.write("f.txt", "good")
    if is_complete:
        alpha.complete()
    assert world.run("sh", "-ec", _PURGE).code == 0
    if is_complete:
        branch = alpha.git("branch", "--show-current")
        found = world.ralph("check", "--base", "origin/main", branch, "--json").json
        assert [one["code"] for one in found["data"]["problems"]] == ["taken_back"]
        refused = world.ralph("land", branch)
        assert (refused.code, "was rewritten" in refused.out) == (5, True), refused.out
    else:
        lost = alpha.ralph("complete", "--land")
        assert lost.code == 5
        assert "the history of origin/main was rewritten" in lost.err
    assert (_secrets(alpha), on_base(alpha, "T-1")["status"]) == ("", "pending")


#: Each passes alone.
_APART = [
    task("T-1", "outputs: [one]", "verify: [test -e one]", "scope: {write: [one], read: [two]}"),
    task("T-2", "outputs: [two]", "verify: ['test ! -e one || test -e both']",
         "scope: {write: [two, both], read: [one]}"),
]  # fmt: skip


def _one_has_landed(folder: Path) -> Place:
    """And alpha has done the other, without knowing."""
    alpha = made(folder, *_APART)
    beta = alpha.world.worktree("beta", at="origin/main")
    for place, which, file in ((alpha, "T-2", "two"), (beta, "T-1", "one")):
        place.claim(which, "--force", "both at once")
        place.write(file, "x")
        place.complete()
    assert beta.ralph("complete", "--land").code == 0
    return alpha


@pytest.mark.slow
def test_what_fails_with_what_others_landed_does_not_land(tmp_path: Path) -> None:
    alpha = _one_has_landed(tmp_path)
    refused = alpha.ralph("complete", "--land", "--json")
    assert (refused.code, refused.error) == (1, "coupling"), refused.out
    assert "fails with what is on origin/main" in refused.json["error"]["message"]
    assert "two" not in files_on_base(alpha)
    assert len(alpha.git("worktree", "list").splitlines()) == 3
    # As it says.
    alpha.git("merge", "-q", "--no-edit", "origin/main")
    alpha.write("both", "x")
    alpha.git("add", "both")
    alpha.git("commit", "-qm", "Both")
    done = alpha.ralph("complete", "--land")
    assert done.code == 0, done.err
    assert on_base(alpha, "T-2")["status"] == "complete"


def test_no_record_that_comes_with_the_work_proves_the_merged_result(tmp_path: Path) -> None:
    alpha = _one_has_landed(tmp_path)
    alpha.git("fetch", "-q")
    merged = alpha.git("merge-tree", "--write-tree", "HEAD", "origin/main")
    around = Surroundings(str(alpha.path), alpha.environ, time.time, lambda: "an id")
    digest = Content(Project.open(around), merged).digest(
        Scope(write=("two", "both"), read=("one",))
    )
    (own,) = alpha.path.glob("records/evidence/T-2/*.yaml")
    text = re.sub(r"(?m)^id: .*", "id: aaaaaaaaab", own.read_text())
    forged = re.sub(r"scope_digest: .*", f"scope_digest: {digest}", text)
    alpha.write("records/evidence/T-2/aaaaaaaaab.yaml", forged)
    alpha.commit("One more")
    refused = alpha.ralph("complete", "--land", "--json")
    assert (refused.code, refused.error) == (1, "coupling"), refused.out
    assert "two" not in files_on_base(alpha)


@pytest.mark.slow
def test_a_loop_brings_its_work_over_where_the_merged_result_fails(tmp_path: Path) -> None:
    alpha = _one_has_landed(tmp_path)
    line = ("--once", "--agent", agent(alpha, "echo x > two; echo x > both"))
    ran = run(alpha, *line, env={"RALPH_AGENT_ATTEMPTS": "2"})
    assert "T-2 passes on its branch, and fails with what is on origin/main" in ran.err
    assert on_base(alpha, "T-2")["status"] == "complete", ran.err


@pytest.mark.slow
def test_what_passes_again_brings_its_evidence_with_the_merge(tmp_path: Path) -> None:
    alpha = made(tmp_path, *_APART)
    alpha.claim("T-2")
    alpha.write("two", "x")
    alpha.write("both", "x")
    alpha.complete()
    other = alpha.world.clone("other")
    other.write("one", "x")
    other.git("add", "one")
    other.git("commit", "-qm", "One")
    other.git("push", "-q", "origin", "HEAD:main")
    done = alpha.ralph("complete", "--land")
    assert done.code == 0, done.err
    assert alpha.ralph("evidence", "verify", "T-2").code == 0
    assert len(list((alpha.path / "records/evidence/T-2").iterdir())) == 2
    assert len(alpha.git("log", "--first-parent", "--format=%s", "origin/main").splitlines()) == 3
    events = [one["event"] for one in alpha.ralph("log", "T-2", "--json").data["events"]]
    assert events == ["claimed", "completed", "landed"]
