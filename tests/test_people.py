"""People who merge and work without the tool: nothing that they do holds a task for ever."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import ryaml
from forge import Forge
from world import Place, World, grown

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: One
    status: pending
    verify:
      - test -s src/one.txt
    scope:
      write: [src/**]

  - id: T-2
    title: Two
    status: pending
"""


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    return grown(merged_early if "alpha" in request.fixturenames else begun)


def begun(folder: Path) -> World:
    made = World(folder)
    made.write_graph(GRAPH)
    made.commit("Begin")
    assert made.ralph("trust", "--yes").code == 0
    return made


# -- a claim that was merged without its completion --------------------------------------------


@pytest.fixture
def alpha(world: World) -> Place:
    """Alpha has claimed T-1, and committed its work without completing it."""
    return Place(world.folder / "proj-alpha", world.environ, world)


def merged_early(folder: Path) -> World:
    """The world with `alpha`."""
    world = begun(folder)
    place = world.worktree("alpha")
    place.claim("T-1")
    place.write("src/one.txt", "one\n")
    place.commit("Work without a completion")
    return world


def attention(place: Place, task: str) -> list[tuple[str, str, str]]:
    found = place.ralph("status", "--json").data["attention"]
    return [(one["code"], one["message"], one["hint"]) for one in found if one["task"] == task]


def test_the_gate_warns_of_a_claim_without_its_completion(world: World, alpha: Place) -> None:
    before = alpha.ralph("check", "--base", "main", "--json").json
    assert before["ok"]
    (found,) = before["data"]["problems"]
    assert (found["code"], found["severity"], found["task"]) == (
        "unfinished_claim", "warning", "T-1",
    )  # fmt: skip
    assert found["message"] == (
        "T-1 would be in progress by alpha with nothing left to complete it; "
        "complete it before it is merged, or release it"
    )
    assert found["hint"] == "ralphgit complete T-1"
    assert world.merge("alpha").code == 0
    again = world.ralph("check", "main~1..main", "--json").data["problems"]
    assert [one["code"] for one in again] == ["unfinished_claim"]


def test_a_merged_claim_that_nobody_works_on_is_attention(world: World, alpha: Place) -> None:
    assert attention(world, "T-1") == []
    assert world.run("git", "merge", "--no-ff", "--no-edit", "--quiet", "alpha").code == 0
    merge = world.head[:12]
    said = (
        "the claim of alpha on T-1 was merged into main without its completion; if that was not "
        "the work, ralphgit reset T-1 frees it"
    )
    hint = f"ralphgit complete T-1 --by {merge}"
    assert attention(world, "T-1") == [("unfinished_claim", said, hint)]
    done = world.ralph("doctor", "--json")
    assert done.code == 1
    codes = [one["code"] for one in done.data["findings"]]
    assert codes == ["unfinished_claim"]


def test_a_merged_claim_is_seen_where_its_worktree_and_lease_are_gone(
    world: World, alpha: Place
) -> None:
    assert world.merge("alpha").code == 0
    world.git("worktree", "remove", "--force", str(alpha.path))
    world.git("branch", "--quiet", "-D", "alpha")
    assert [code for code, *_ in attention(world, "T-1")] == ["unfinished_claim"]
    world.git("update-ref", "-d", "refs/ralph/leases/T-1")
    assert [code for code, *_ in attention(world, "T-1")] == ["unfinished_claim"]


def test_whoever_goes_on_after_an_early_merge_is_left_alone(world: World, alpha: Place) -> None:
    assert world.merge("alpha").code == 0
    alpha.write("src/two.txt", "more\n")
    assert attention(world, "T-1") == []
    alpha.commit("More")
    assert attention(world, "T-1") == []
    alpha.complete("T-1")
    assert attention(world, "T-1") == []


# -- work that was merged without a claim, or without its completion ---------------------------


def rita(world: Place, name: str = "src/one.txt") -> str:
    """Rita commits work of T-1 on main, and knows nothing of claims; the commit's id."""
    world.write(name, "one\n")
    world.git("add", "-A")
    world.git("commit", "--quiet", "--author=Rita R\u00e9viewer <rita@example.com>", "-m", "One")
    return world.head


def test_work_without_a_claim_is_completed_by_its_commit(world: World) -> None:
    work = rita(world)
    done = world.ralph("complete", "T-1", "--by", "HEAD", "--json")
    assert done.code == 0, done.out
    task = done.data["task"]
    assert (task["status"], task["state"], task["claim"]["by"]) == (
        "complete", "complete", "Rita-Reviewer",
    )  # fmt: skip
    assert (done.data["work"], done.data["authors"]) == ([work], ["Rita R\u00e9viewer"])
    assert done.data["commit"] == world.head
    events = world.audit("T-1", task["claim"]["id"])
    note = f"done in {work[:12]} by Rita R\u00e9viewer, merged before; recorded by proj"
    assert [(e["event"], e["by"], e.get("note", "")) for e in events] == [
        ("claimed", "Rita-Reviewer", ""), ("completed", "Rita-Reviewer", note),
    ]  # fmt: skip
    (evidence,) = done.data["evidence"]
    shows = f"the command exits 0 on main, with {work[:12]} by Rita R\u00e9viewer"
    assert (ryaml.loads(world.read(evidence))["shows"]) == shows
    assert f"Ralph-Work: {work}" in world.git("log", "-1", "--format=%B")
    assert world.git("status", "--porcelain") == ""
    # Both gates find it in order, over the record alone and over the work as well.
    for words in (("main~1..main",), ("main~2..main",), ()):
        assert world.ralph("check", *words).out == "No problem found.\n", words
    assert world.ralph("diff", "main~2..main", "--json").data["verdict"] == "clear"
    again = world.ralph("complete", "T-1", "--by", "HEAD")
    assert (again.code, "complete already" in again.err) == (0, True)
    # What takes the records back names what takes back the work.
    (warning,) = world.ralph("revert", "T-1", "--json").json["warnings"]
    said, _, command = warning.partition(" and stays: ")
    assert said == "no file came with the records of T-1: its work is in other commits,"
    assert command == f"git revert {work}"
    assert world.run(*command.split()).code == 0
    assert not (world.path / "src/one.txt").exists()


def test_a_merged_claim_is_completed_by_what_was_merged(world: World, alpha: Place) -> None:
    assert world.run("git", "merge", "--no-ff", "--no-edit", "--quiet", "alpha").code == 0
    merge = world.head
    done = world.ralph("complete", "T-1", "--by", merge[:12])
    assert done.code == 0, done.err
    assert done.out == (
        f"T-1 is complete on main: commit {world.head[:12]}, 1 evidence record\n"
        f"The work is {merge[:12]} by Ann Author.\n"
    )
    assert world.task("T-1")["claim"]["by"] == "alpha"
    assert attention(world, "T-1") == []
    assert world.leases == []
    assert world.ralph("doctor").code == 0
    assert world.ralph("check", f"{merge}..main").out == "No problem found.\n"


def test_what_did_not_do_it_completes_nothing(world: World, alpha: Place) -> None:
    def no(by: str, code: str, *words: str, exit: int = 8) -> str:
        but = ("/logs/", "FETCH_HEAD", "/worktrees", "verified")
        words = ("complete", "T-1", "--by", by, *words)
        return str(world.refused(*words, code=code, exit=exit, but=but)["message"])

    no("nowhere", "bad_revision", exit=2)
    assert "is not on main" in no("alpha", "not_merged")
    no("HEAD", "usage", "--force", "because", exit=2)
    world.write("other.txt", "other\n")
    world.commit("Something else")
    assert "alpha has T-1" in no("HEAD", "claim_held", exit=5)
    assert alpha.ralph("release", "T-1").code == 0
    world.merge("alpha")
    world.git("commit", "--quiet", "--allow-empty", "-m", "Nothing")
    done = world.ralph("complete", "T-1", "--by", "HEAD", "--json")
    assert (done.code, done.error) == (1, "not_done")
    assert "changes no file" in done.data["missing"][0]
    world.git("rm", "--quiet", "src/one.txt")
    world.write("src/two.txt", "two\n")
    world.commit("Two")
    done = world.ralph("complete", "T-1", "--by", "HEAD", "--json")
    assert (done.code, done.error) == (1, "verification_failed")
    assert world.task("T-1")["status"] == "pending"


def test_what_verifies_its_parts_is_completed_by_no_commit(world: World) -> None:
    """Its hint was the command that was just refused."""
    epic = "\n  - id: E\n    title: All\n    status: pending\n    mode: verify\n"
    epic += "    depends_on: [T-1, T-2]\n"
    epic += "    acceptance:\n      - id: ACC-1\n        text: both are done\n"
    world.write_graph(GRAPH + epic)
    world.commit("An epic")
    rita(world)
    world.ralph("complete", "T-1", "--by", "HEAD")
    error = world.refused("complete", "E", "--by", "HEAD", code="dependencies_incomplete", exit=8)
    assert (error["message"], error["hint"]) == (
        "E verifies what it waits for, and of that is open on main: T-2; nothing was changed",
        "ralphgit next",
    )
    world.write("src/two.txt", "two\n")
    world.commit("Two")
    assert world.ralph("complete", "T-2", "--by", "HEAD").code == 0
    done = world.ralph("complete", "E", "--by", "HEAD")
    assert (done.code, done.err) == (
        1,
        "error: E is not done; nothing was committed\n"
        "  - nothing verified it: no command ran and passed, and no criterion was observed "
        "(whoever claims it has ralphgit complete E --shows TEXT --proves ACC-1)\n"
        "hint: ralphgit claim E\n",
    )
    assert world.ralph("claim", "E").code == 0
    assert world.ralph("complete", "E", "--shows", "done", "--proves", "ACC-1").code == 0


def test_a_pull_request_says_what_it_became_on_the_base(world: World) -> None:
    forge = Forge(world)
    side = world.worktree("side")
    side.write("src/one.txt", "one\n")
    side.commit("By a person")
    side.git("push", "--quiet", "origin", "side")
    forge.open("side", "main", "One", "")
    environ = {**forge.environ}
    early = world.ralph("complete", "T-1", "--by", "#1", "--json", env=environ)
    assert (early.code, early.error) == (8, "not_merged")
    squashed = forge.merge("side", "squash")
    done = world.ralph("complete", "T-1", "--by", "#1", "--json", env=environ)
    assert done.code == 0, done.out
    assert (done.data["work"], done.data["pushed"]) == ([squashed], True)
    assert done.data["authors"] == ["Forge"]
    assert world.origin.git("log", "-1", "--format=%s", "main") == (
        f"T-1: complete, by {squashed[:12]} by Forge"
    )


# -- evidence that somebody else's later commit has made stale ---------------------------------

ACCEPTANCE = """\
    acceptance:
      - id: ACC-1
        text: it is there
    verify:
      - {run: test -s src/one.txt, proves: [ACC-1]}
"""


def told(place: Place, text: str) -> tuple[str, list[tuple[str, str]], str]:
    """The verdict of a diff, and its notes on T-1 and what it says of it."""
    found = place.ralph("diff", text, "--json").data
    (one,) = [change for change in found["changes"] if change["task"] == "T-1"]
    notes = [(note["severity"], note["code"]) for note in found["notes"] if note["task"] == "T-1"]
    line = next(
        line for line in place.ralph("diff", text).out.splitlines() if "completes T-1" in line
    )
    assert one["evidence"] == "stale"
    return found["verdict"], notes, line


def test_a_reviewer_s_own_commit_is_told_apart(world: World) -> None:
    world.replace("    verify:\n      - test -s src/one.txt\n", ACCEPTANCE)
    world.commit("With a criterion")
    alpha = world.worktree("alpha")
    alpha.did("T-1", {"src/one.txt": "one\n"})
    completed = alpha.head
    rita(alpha, "src/two.txt")
    verdict, notes, line = told(alpha, "main..HEAD")
    assert (verdict, notes) == ("concerns", [("concern", "changed_since")])
    since = f"stale since {alpha.head[:12]} by Rita R\u00e9viewer"
    assert line.endswith(f"1 of 1 criteria proved, {since}")
    note = alpha.ralph("diff", "main..HEAD", "--json").data["notes"][0]["message"]
    assert note == (
        f"T-1 was verified as it was completed ({completed[:12]}); since then {alpha.head[:12]} "
        "by Rita R\u00e9viewer changed src/two.txt: ralphgit evidence verify T-1 --rerun"
    )
    (problem,) = alpha.ralph("check", "--base", "main", "--json").data["problems"]
    assert (problem["severity"], problem["code"]) == ("warning", "stale_evidence")
    assert "ralphgit evidence verify T-1 --rerun" in problem["hint"]
    # What it says to do ends it.
    assert alpha.ralph("evidence", "verify", "T-1", "--rerun").code == 0
    alpha.commit("Verified as reviewed")
    assert alpha.ralph("diff", "main..HEAD", "--json").data["verdict"] == "clear"
    assert alpha.ralph("check", "--base", "main").out == "No problem found.\n"


def test_tasks_that_landed_one_after_the_other_are_judged_in_their_own_time(world: World) -> None:
    world.replace("      write: [src/**]\n", "      write: [src/**]\n      read: [shared.txt]\n")
    start = world.commit("T-1 depends on a shared file")
    for name, task, files in (
        ("alpha", "T-1", {"src/one.txt": "one\n"}), ("beta", "T-2", {"shared.txt": "two\n"}),
    ):  # fmt: skip
        place = world.worktree(name)
        place.did(task, files)
        world.git("merge", "--quiet", "--no-ff", "--no-edit", name)
    verdict, notes, line = told(world, f"{start}..main")
    assert (verdict, notes) == ("concerns", [("concern", "changed_since")])
    beta = world.git("rev-parse", "beta")[:12]
    assert line.endswith(f"1 of 1 command passing, stale since {beta} by Ann Author (T-2)")


def test_the_worker_s_own_later_commit_is_a_problem(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.did("T-1", {"src/one.txt": "one\n"})
    alpha.write("src/one.txt", "not verified\n")
    alpha.commit("Quick fix")
    verdict, notes, line = told(alpha, "main..HEAD")
    assert (verdict, notes) == ("problems", [("problem", "stale_evidence")])
    assert line.endswith(f"1 of 1 command passing, stale since {alpha.head[:12]} by Ann Author")


def test_evidence_that_was_never_fresh_in_the_range_is_a_problem(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.did("T-1", {"src/one.txt": "one\n"})
    alpha.write("src/one.txt", "another\n")
    alpha.git("commit", "--quiet", "-a", "--amend", "--no-edit")
    verdict, notes, line = told(alpha, "main..HEAD")
    assert (verdict, ("problem", "stale_evidence") in notes) == ("problems", True)
    assert line.endswith("0 of 1 command passing, evidence stale")


# -- check, the inbox, and hints that work where they are shown ---------------------------------


def test_check_and_the_inbox_name_a_merged_claim_that_nobody_completes(
    world: World, alpha: Place
) -> None:
    assert world.merge("alpha").code == 0
    done = world.ralph("check", "--json")
    (found,) = done.data["problems"]
    assert (done.code, found["code"], found["severity"]) == (0, "unfinished_claim", "warning")
    (code, said, hint) = attention(world, "T-1")[0]
    assert (found["message"], found["hint"], found["file"]) == (said, hint, "task-graph.yaml")
    (asked,) = world.ralph("inbox", "--json").data["questions"]
    assert (asked["reason"], asked["question"], asked["command"]) == (code, said, hint)
    alpha.write("src/two.txt", "more\n")  # somebody goes on
    assert world.ralph("check").out == "No problem found.\n"
    assert world.ralph("inbox", "--json").data["questions"] == []


def test_a_command_that_frees_a_task_works_where_it_is_shown(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-1")
    world.git("worktree", "remove", "--force", str(alpha.path))
    done = beta.ralph("claim", "T-1", "--json")
    assert (done.code, done.error) == (5, "claim_held")
    hint = done.json["error"]["hint"]
    assert hint == f'ralphgit -C {world.path} reset T-1 --reason "TEXT"'
    assert beta.ralph(*shlex.split(hint)[1:]).code == 0
    beta.claim("T-1")


def test_check_says_that_it_could_not_judge_against_a_base_that_cannot_be_read(
    world: World,
) -> None:
    alpha = world.worktree("alpha")
    world.write_graph(f"{GRAPH}  oops: [\n")
    broken = world.commit("Break it")
    for _ in range(2):
        done = alpha.ralph("check", "--json")
        (found,) = done.data["problems"]
        assert (done.code, found["severity"]) == (1, "error")
        assert found["file"] == "main:task-graph.yaml"
        assert found["message"].endswith("; nothing here could be judged against main")
        alpha.write("src/one.txt", "one\n")
        alpha.commit("Work")
    assert alpha.ralph("check", "--base", "main").code == 1
    # Who mends it has the base's commit.
    alpha.git("reset", "--quiet", "--hard", broken)
    alpha.write_graph(GRAPH)
    assert alpha.ralph("check").code == 0
    alpha.commit("Mend it")
    assert alpha.ralph("check").code == 0
    assert alpha.ralph("check", "--base", "main").code == 0
