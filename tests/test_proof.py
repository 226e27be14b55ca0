"""Verified, or not: criteria proved, assumed and open, and the word "unverified" everywhere."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import ryaml
from world import Place, World

from ralphgit.model.task import Criterion, Lifecycle, Task
from ralphgit.rules import test_files
from ralphgit.rules.contract_digest import contract, keeps

CRITERIA = "acceptance: [the moon is cheese, cheese is the moon]"


def world_of(folder: Path, *lines: str) -> World:
    made = World(folder)
    fields = "".join(f"    {line}\n" for line in lines)
    made.write_graph(
        f"version: 1\ntasks:\n  - id: T-1\n    title: First\n    status: pending\n{fields}"
    )
    made.commit("Begin")
    made.ralph("trust", "--yes")
    return made


def worked(world: World) -> Place:
    """A worktree with T-1 claimed, and a change."""
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write("a.txt", "a\n")
    return alpha


def the_change(place: Place) -> dict[str, Any]:
    (change,) = place.ralph("diff", "main..HEAD", "--json").data["changes"]
    assert isinstance(change, dict)
    return change


def support(place: Place) -> list[str]:
    return [one["support"] for one in the_change(place)["criteria"]]


# -- criteria --------------------------------------------------------------------------------


def test_what_is_open_is_named_where_the_task_is_complete(tmp_path: Path) -> None:
    one = 'acceptance: [{id: ACC-1, text: "it is"}, {id: ACC-2, text: "it will be"}]'
    alpha = worked(world_of(tmp_path, one, 'verify: [{run: "true", proves: [ACC-1]}]'))
    done = alpha.ralph("complete")
    assert done.code == 0, done.err
    assert done.out.startswith("T-1 is complete, with ACC-2 open: commit ")
    add = 'ralphgit evidence add T-1 --proves ACC-2 --shows "TEXT"'
    assert f"\n  {add} && git commit -m " in done.out
    said = "Nobody has observed ACC-2. Say what you observed:\n"
    assert said in done.out
    assert alpha.ralph(*add.replace('"', "").split()[1:]).code == 0
    alpha.git("commit", "-qm", "Evidence")
    assert support(alpha) == ["proved", "proved"]


def test_a_forced_completion_says_so(tmp_path: Path) -> None:
    alpha = worked(world_of(tmp_path, "verify: ['false']"))
    done = alpha.ralph("complete", "--force", "Because")
    assert done.out.startswith("T-1 is complete by FORCE: commit "), done.out


def test_a_command_that_names_no_criterion_proves_none(tmp_path: Path) -> None:
    alpha = worked(world_of(tmp_path, CRITERIA, "verify: ['true']"))
    done = alpha.ralph("complete")
    assert done.code == 0, done.err
    assert "2 criteria assumed to be met, as the verify commands passed" in done.out
    assert support(alpha) == ["assumed", "assumed"]
    said = alpha.ralph("diff", "main..HEAD").out
    assert said.startswith("clear: ")
    assert "0 of 2 criteria proved, 2 assumed, evidence fresh" in said


def test_a_command_proves_the_criteria_that_it_names(tmp_path: Path) -> None:
    verify = "verify: [{run: test -s a.txt, proves: [ACC-2]}, 'true']"
    world = world_of(tmp_path, CRITERIA, verify)
    alpha = worked(world)
    done = alpha.ralph("complete", "--json")
    assert (done.code, done.data["verified"]) == (0, True), done.out
    assert [one["support"] for one in done.data["criteria"]] == ["assumed", "proved"]
    assert support(alpha) == ["assumed", "proved"]
    assert "1 of 2 criteria proved, 1 assumed" in alpha.ralph("diff", "main..HEAD").out
    assert "test -s a.txt  (proves ACC-2)" in alpha.ralph("show", "T-1").out
    assert alpha.ralph("check").code == 0
    # Another field is edited: what a command proves stays.
    assert world.ralph("edit", "T-1", "--priority", "1").code == 0
    assert verify.replace("'", "") in world.read().replace("'", "")


def test_an_observation_proves_what_it_names(tmp_path: Path) -> None:
    alpha = worked(world_of(tmp_path, CRITERIA))
    shows = ("--shows", "I tasted it", "--proves", "ACC-1")
    assert alpha.ralph("evidence", "add", "T-1", *shows).code == 0
    done = alpha.ralph("complete", "--json")
    assert done.data["verified"] is True
    assert support(alpha) == ["proved", "open"]


def test_a_plain_command_keeps_its_digest() -> None:
    task = Task("T-1", "First", Lifecycle(), acceptance=(Criterion("ACC-1", "x"),), verify=("c",))
    assert contract(task) == "a2a789365fe6"
    assert keeps(task, "4c833addd5aa")  # as it was when the title was in it
    assert contract(task._replace(proves=(("c", "ACC-1"),))) != contract(task)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{proves: [ACC-1]}", "a command has run; no run here"),
        ("{run: '', proves: [ACC-1]}", "run is empty"),
        ("{run: c, proves: [a b]}", "'a b' is not an id"),
    ],
)
def test_what_is_no_command_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    world = world_of(tmp_path, f"verify: [{entry}]")
    refused = world.ralph("list")
    assert refused.code == 6
    assert message in refused.err


# -- unverified ------------------------------------------------------------------------------


@pytest.mark.parametrize("lines", [(), (CRITERIA,)])
def test_what_nothing_has_verified_says_so(tmp_path: Path, lines: tuple[str, ...]) -> None:
    alpha = worked(world_of(tmp_path, *lines))
    done = alpha.ralph("complete")
    assert done.code == 0
    assert done.out.startswith("T-1 is complete and unverified: commit ")
    change = the_change(alpha)
    assert change["unverified"] is True
    said = alpha.ralph("diff", "main..HEAD").out
    assert said.startswith("concerns: 1 task completed")
    assert "T-1 is complete and unverified" in said
    assert "unverified" in alpha.ralph("diff", "main..HEAD", "--format", "markdown").out
    found = alpha.ralph("check", "--base", "main", "--json")
    assert [(one["code"], one["severity"]) for one in found.data["problems"]] == [
        ("unverified", "warning")
    ]


def test_where_verification_is_required_unverified_work_is_refused(tmp_path: Path) -> None:
    world = world_of(tmp_path, CRITERIA)
    world.write("ralph.toml", "[verify]\nrequired = true\n")
    world.commit("Require it")
    alpha = worked(world)
    refused = alpha.ralph("complete", "--json")
    assert (refused.code, refused.error) == (1, "not_done")
    (missing,) = refused.data["missing"]
    assert missing.startswith("nothing verified it: no command ran and passed")
    assert "(ralphgit complete T-1 --shows TEXT --proves ACC-1 --proves ACC-2)" in missing
    shows = ("--shows", "I tasted it")
    assert alpha.ralph("complete", *shows).code == 1, "it is about no criterion"
    assert alpha.ralph("complete", *shows, "--proves", "ACC-1").code == 0


def test_what_was_observed_is_said_with_the_completion(tmp_path: Path) -> None:
    """One command, as `claim` prints it: the record is in the completion's own commit."""
    world = world_of(tmp_path, CRITERIA)
    alpha = world.worktree("alpha")
    claimed = alpha.ralph("claim")
    assert claimed.out.rstrip().endswith('--shows "TEXT" --proves ACC-1 --proves ACC-2')
    alpha.write("a.txt", "a\n")
    shows = ("--shows", "I tasted it", "--proves", "ACC-1", "--proves", "ACC-2")
    done = alpha.ralph("complete", "--land", "merge", *shows, "--json")
    assert (done.code, done.data["verified"]) == (0, True), done.out
    assert [one["support"] for one in done.data["criteria"]] == ["proved", "proved"]
    (record,) = done.data["evidence"]
    read = ryaml.loads(world.git("show", f"main:{record}"))
    assert (read["kind"], read["shows"], read["by"]) == ("observation", "I tasted it", "alpha")
    assert [one["criterion"] for one in read["supports"]] == ["ACC-1", "ACC-2"]
    assert world.ralph("check", "--strict").code == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--shows", "x", "--proves", "ACC-9"), "unknown_criterion"),
        (("--proves", "ACC-1"), "usage"),
        (("--shows", "x" * 300_000, "--proves", "ACC-1"), "record_too_large"),
    ],
)
def test_an_observation_that_is_refused_completes_nothing(
    tmp_path: Path, words: tuple[str, ...], code: str
) -> None:
    world = world_of(tmp_path, CRITERIA)
    alpha = worked(world)
    before = world.state("COMMIT_EDITMSG", "/cache/", "ORIG_HEAD")
    refused = alpha.ralph("complete", *words, "--json")
    assert refused.error == code, refused.out
    assert world.state("COMMIT_EDITMSG", "/cache/", "ORIG_HEAD") == before


def test_required_verification_is_asked_for_by_the_gate(tmp_path: Path) -> None:
    """Work that was completed before the setting, or under another one, does not land."""
    world = world_of(tmp_path)
    alpha = worked(world)
    alpha.complete()
    world.write("ralph.toml", "[verify]\nrequired = true\n")
    world.commit("Require it")
    found = alpha.ralph("check", "--base", "main", "--json")
    assert (found.code, [one["code"] for one in found.data["problems"]]) == (1, ["unverified"])
    refused = alpha.ralph("land", "--json")
    assert (refused.code, refused.error) == (1, "not_ready")
    (branch,) = refused.data["branches"]
    (issue,) = branch["issues"]  # once: land asks the gate, and adds what is not the gate's
    assert (issue["code"], issue["severity"]) == ("unverified", "error")


def test_a_task_that_only_verifies_verifies_something(tmp_path: Path) -> None:
    world = world_of(tmp_path, "mode: verify")
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    (missing,) = alpha.ralph("complete", "--json").data["missing"]
    assert missing.startswith("nothing verified it")
    assert alpha.ralph("evidence", "add", "T-1", "--shows", "all is well").code == 0
    alpha.complete()


# -- before the work -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "risk", "before"),
    [("risk-high", "high", True), ("risk-high", "low", False), ("always", "low", True),
     ("never", "high", False)],
)  # fmt: skip
def test_a_command_that_passed_before_is_shown(
    tmp_path: Path, setting: str, risk: str, before: bool
) -> None:
    world = world_of(tmp_path, "verify: ['true', test -s a.txt]", f"risk: {risk}")
    world.write("ralph.toml", f'[verify]\nbefore = "{setting}"\n')
    world.commit("Settings")
    alpha = worked(world)
    done = alpha.ralph("complete", "--json")
    assert (done.code, done.data["passed_before"]) == (0, ["true"] if before else [])
    told = {one["command"]: one["passed_before"] for one in the_change(alpha)["records"]}
    assert told == {"true": before, "test -s a.txt": False}
    assert (
        "exit 0 of true (passed before, too)" in alpha.ralph("diff", "main..HEAD").out
    ) is before
    listed = alpha.ralph("evidence", "list", "--json").data["evidence"]
    codes = {one["command"]: one.get("before") for one in listed}
    wanted = {"true": {"exit_code": 0}, "test -s a.txt": {"exit_code": 1}}
    assert codes == (wanted if before else dict.fromkeys(wanted))
    found = alpha.ralph("check", "--json").data["problems"]
    assert {one["code"] for one in found} <= {"review_missing"}
    assert len(alpha.git("worktree", "list").splitlines()) == 2


def test_where_the_work_began_is_not_the_workers_to_say(tmp_path: Path) -> None:
    world = world_of(tmp_path, "verify: [test -s task-graph.yaml]")
    world.write("ralph.toml", '[verify]\nbefore = "always"\n')
    world.commit("Settings")
    alpha = worked(world)
    empty = alpha.git("commit-tree", alpha.git("mktree"), "-m", "Nothing")
    note = alpha.path / ".ralph" / "current.yaml"
    note.write_text(re.sub(r"(?m)^start: .*", f"start: {empty}", note.read_text()))
    for ref in alpha.git("for-each-ref", "--format=%(refname)", "refs/ralph/leases").split():
        lease = alpha.git("cat-file", "-p", ref)
        text = re.sub(r"(?m)^start: .*", f"start: {empty}", lease) + "\n"
        forged = alpha.run("git", "hash-object", "-w", "--stdin", stdin=text).out.strip()
        alpha.git("update-ref", ref, forged)
    done = alpha.ralph("complete", "--json")
    assert (done.code, done.data["passed_before"]) == (0, ["test -s task-graph.yaml"])


# -- checks that a change weakens ------------------------------------------------------------

TESTS = "def test_a() -> None:\n    assert True\n"


def notes(place: Place) -> list[tuple[str, str, str]]:
    found = place.ralph("diff", "main..HEAD", "--json").data["notes"]
    return sorted((one["severity"], one["code"], one["message"]) for one in found)


@pytest.mark.parametrize("some", [b"\n", b" ", b"func (\n", b"func T(\n", b"async\n"])
def test_a_megabyte_of_a_file_of_tests_is_read_in_time(some: bytes) -> None:
    begun = time.process_time()
    text = some * (1_000_000 // len(some))
    assert not test_files.is_emptied(b"def test_a(): ...", text + b"\n@Test")
    assert time.process_time() - begun < 1


def test_deleted_and_emptied_tests_and_changed_checks_are_named(tmp_path: Path) -> None:
    world = world_of(tmp_path, "verify: [sh ./check.sh && test -s new.sh]")
    names = ("test_gone", "test_empty", "test_moved", "test_renamed", "test_less", "test_same",
             "test_away", "test_linked")  # fmt: skip
    for name in names:
        world.write(f"tests/{name}.py", f"# {name}\n{TESTS}")
    world.write("check.sh", "true\n")
    world.commit("Tests")
    alpha = worked(world)
    alpha.git("rm", "--quiet", "tests/test_gone.py")
    alpha.git("mv", "tests/test_moved.py", "tests/test_moved_on.py")
    (alpha.path / "sub").mkdir()
    alpha.git("mv", "tests/test_renamed.py", "sub/test_renamed.py")
    alpha.write("sub/test_renamed.py", f"# changed\n{TESTS}")
    alpha.write("tests/test_empty.py", "# nothing\n")
    alpha.write("tests/test_less.py", TESTS)
    (alpha.path / "attic").mkdir()
    alpha.git("mv", "tests/test_away.py", "attic/notes.md")
    alpha.git("rm", "--quiet", "tests/test_linked.py")
    (alpha.path / "tests" / "test_linked.py").symlink_to("../new.sh")
    alpha.write("check.sh", "exit 0\n")
    alpha.write("new.sh", "exit 0\n")
    alpha.complete()
    assert notes(alpha) == [
        ("concern", "test_deleted", "a test is deleted: tests/test_away.py"),
        ("concern", "test_deleted", "a test is deleted: tests/test_gone.py"),
        ("concern", "test_emptied", "a test is emptied: tests/test_empty.py"),
        ("concern", "test_emptied", "a test is no file now: tests/test_linked.py"),
        ("concern", "verify_file", "check.sh is changed, and verifies T-1"),
    ]


def test_a_check_that_the_scope_names_is_the_tasks_own(tmp_path: Path) -> None:
    world = world_of(tmp_path, "verify: [sh check.sh]", "scope: {write: [check.sh, a.txt]}")
    world.write("check.sh", "true\n")
    world.commit("Check")
    alpha = worked(world)
    alpha.write("check.sh", "exit 0\n")
    alpha.complete()
    assert notes(alpha) == []
