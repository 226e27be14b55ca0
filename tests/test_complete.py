"""`complete`: done means verified, and a refusal leaves everything as it was (SPEC 5)."""

from __future__ import annotations

import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import ryaml
from jsonschema import Draft202012Validator
from test_trust import at_terminal
from world import PATIENCE, ROOT, Place, Result, World

from ralphgit.app.processes import verify_command

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: "Say hello:  twice"
    status: pending
    acceptance:
      - id: ACC-1
        text: it greets
      - it greets again
    verify:
      - grep -q hello src/a.txt
      - cat src/a.txt
    outputs: [src/a.txt]
    scope:
      write: [src/**]
  - id: T-2
    title: Second
    status: pending
"""


def world_of(folder: Path, graph: str, **files: str) -> World:
    made = World(folder)
    made.write_graph(graph)
    for name, text in files.items():
        made.write(name, text)
    made.commit("Begin")
    return made


def one_task(*lines: str) -> str:
    """A graph of one task T-1 with these fields."""
    fields = "".join(f"    {line}\n" for line in lines)
    return f"version: 1\ntasks:\n  - id: T-1\n    title: First\n    status: pending\n{fields}"


def at_work(world: World, name: str = "alpha", task: str = "T-1") -> Place:
    """A worktree that has claimed a task."""
    place = world.worktree(name)
    result = place.ralph("claim", task)
    assert result.code == 0, result.err
    return place


def trust(place: Place) -> None:
    assert place.ralph("trust", "--yes").code == 0


def completes(place: Place, *words: str) -> Result:
    """`complete WORDS --json`."""
    return place.ralph("complete", *words, "--json")


#: What `.ralph/` remembers, and git's draft of a commit message.
SCRATCH = ("/.ralph/", "/COMMIT_EDITMSG")


def refuses(world: World, place: Place, *words: str, code: str, exit: int = 1) -> dict[str, Any]:
    """`complete WORDS` is refused and leaves all as it was; the JSON answer."""
    before = world.state(*SCRATCH)
    result = completes(place, *words)
    assert (result.code, result.error) == (exit, code), result.out
    assert world.state(*SCRATCH) == before
    return result.json


def missing(world: World, place: Place, *words: str, code: str = "not_done") -> list[str]:
    """What `complete` says is missing."""
    found: list[str] = refuses(world, place, *words, code=code)["data"]["missing"]
    return found


def changed_files(place: Place, commit: str = "HEAD") -> list[str]:
    """The paths of a commit, the graph and the records left out."""
    names = place.git("show", "--format=", "--name-only", "--no-renames", commit).splitlines()
    return [name for name in names if name != "task-graph.yaml" and name[:8] != "records/"]


def records(place: Place, kind: str, task: str = "T-1") -> list[dict[str, Any]]:
    folder = place.path / "records" / kind / task
    return [ryaml.loads(path.read_text()) for path in sorted(folder.iterdir())]


# -- done --------------------------------------------------------------------------------


def test_what_a_completion_leaves(tmp_path: Path) -> None:
    world = world_of(tmp_path, GRAPH)
    alpha = at_work(world)
    trust(alpha)
    alpha.write("src/a.txt", "hello\n")
    result = completes(alpha)
    assert (result.code, result.err, result.json["warnings"]) == (0, "", [])
    told = result.data["task"]
    claim = told["claim"]
    evidence = {record["command"]: record for record in records(alpha, "evidence")}
    assert told["status"] == "complete"
    assert told["state"] == "in-review"
    assert told["result"] == {
        "id": told["result"]["id"],
        "claim": claim["id"],
        "outcome": "done",
        "at": told["result"]["at"],
    }
    assert result.data["commit"] == alpha.head
    assert result.data["evidence"] == [
        f"records/evidence/T-1/{evidence[command]['id']}.yaml"
        for command in ("grep -q hello src/a.txt", "cat src/a.txt")
    ]
    # One commit, with all that is left; it says whose.
    assert alpha.git("rev-parse", "HEAD~1") == world.head
    assert alpha.git("log", "-1", "--format=%B") == (
        "T-1: Say hello: twice\n"
        "\n"
        f"Ralph-Task: T-1\nRalph-Claim: {claim['id']}\nRalph-Worker: alpha\n"
    )
    assert alpha.git("status", "--porcelain") == ""
    assert sorted(alpha.git("show", "--format=", "--name-only").splitlines()) == sorted(
        [
            f"records/audit/T-1/{claim['id']}.yaml",
            *result.data["evidence"],
            "src/a.txt",
            "task-graph.yaml",
        ]
    )
    (audit,) = records(alpha, "audit")
    assert [(e["event"], e["by"], e["from"], e["to"]) for e in audit["events"]] == [
        ("claimed", "alpha", "pending", "in-progress"),
        ("completed", "alpha", "in-progress", "complete"),
    ]
    # The evidence: what was seen, of which content, and what it is worth.
    seen = evidence["cat src/a.txt"]
    shown = {key: seen[key] for key in seen if key not in ("id", "started_at", "duration_s")}
    assert shown == {
        "task": "T-1",
        "claim": claim["id"],
        "kind": "command",
        "supports": [],
        "shows": "the command exits 0",
        "does_not_show": "anything that the command does not look at",
        "command": "cat src/a.txt",
        "command_digest": hashlib.sha256(b"cat src/a.txt").hexdigest(),
        "exit_code": 0,
        "output": {"sha256": hashlib.sha256(b"hello\n").hexdigest(), "bytes": 6, "tail": "hello"},
        "subject": {
            "commit": world.head,
            "tree": seen["subject"]["tree"],
            "scope_digest": seen["subject"]["scope_digest"],
        },
    }
    judged = alpha.git("ls-tree", "-r", "--name-only", seen["subject"]["tree"]).splitlines()
    assert "src/a.txt" in judged
    for kind in ("evidence", "audit"):
        schema = json.loads((ROOT / "schemas" / f"{kind}.schema.json").read_text())
        for record in records(alpha, kind):
            Draft202012Validator(schema).validate(record)
    assert alpha.ralph("check", "--base", "main").code == 0


def test_in_words(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("verify: ['true']"))
    alpha = at_work(world)
    trust(alpha)
    alpha.write("a", "x")
    words = ("-m", "A subject", "--concern", "slow  on\nWindows", "--concern", "no docs")
    result = alpha.ralph("complete", "T-1", *words)
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines()[0] == (
        f"T-1 is complete: commit {alpha.head[:12]}, 1 evidence record"
    )
    stored = alpha.task("T-1")
    assert stored["result"]["outcome"] == "done_with_concerns"
    assert stored["result"]["concerns"] == ["slow  on\nWindows", "no docs"]
    assert alpha.git("log", "-1", "--format=%B").splitlines()[:6] == [
        "A subject",
        "",
        "Concern: slow on Windows",
        "Concern: no docs",
        "",
        "Ralph-Task: T-1",
    ]
    trailers = alpha.git("log", "-1", "--format=%(trailers:only,unfold)").splitlines()
    assert [line.partition(":")[0] for line in trailers if line] == [
        "Ralph-Task",
        "Ralph-Claim",
        "Ralph-Worker",
    ]


def test_completing_twice_is_completing_once(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task())
    alpha = at_work(world)
    alpha.write("a", "x")
    first = completes(alpha)
    before = world.snapshot()
    again = completes(alpha, "T-1")
    assert (again.code, again.json["warnings"]) == (0, ["T-1 is complete already"])
    assert again.data["commit"] == first.data["commit"]
    assert world.snapshot() == before


def test_a_completion_that_was_killed_before_its_commit(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("verify: ['true']"))
    alpha = at_work(world)
    trust(alpha)
    alpha.write("a", "x")
    completes(alpha)
    old = alpha.task("T-1")["result"]["id"]
    # The records stand in files and index, the commit was never made.
    alpha.git("reset", "--soft", "HEAD~1")
    result = completes(alpha)
    assert (result.code, result.json["warnings"]) == (
        0,
        ["an earlier completion of T-1 was interrupted; it is done again"],
    )
    assert result.data["task"]["result"]["id"] != old
    assert alpha.git("status", "--porcelain") == ""
    assert alpha.git("rev-list", "--count", "main..HEAD") == "1"
    assert alpha.ralph("check", "--base", "main").code == 0


# -- nothing to complete -----------------------------------------------------------------


def test_only_the_holder_completes(tmp_path: Path) -> None:
    world = world_of(tmp_path, GRAPH)
    alpha = at_work(world)
    beta = world.worktree("beta")
    error = refuses(world, beta, code="not_claimed", exit=8)["error"]
    assert (error["message"], error["hint"]) == (
        "this worktree has no claim to complete",
        "ralphgit claim",
    )
    assert refuses(world, beta, "T-2", code="not_claimed", exit=8)["error"]["hint"] == (
        "ralphgit claim T-2"
    )
    refuses(world, beta, "T-9", code="unknown_task", exit=2)
    alpha.commit("Half of it")
    beta.merge("alpha")
    error = refuses(world, beta, "T-1", code="claim_held", exit=5)["error"]
    assert error["holder"]["worker"] == "alpha"
    refuses(world, alpha, "T-2", code="not_claimed", exit=8)


# -- not done ----------------------------------------------------------------------------


def test_a_failing_command(tmp_path: Path) -> None:
    world = world_of(tmp_path, GRAPH)
    alpha = at_work(world)
    trust(alpha)
    alpha.write("src/a.txt", "good-bye\n")
    alpha.write("staged.txt", "staged\n")
    alpha.git("add", "staged.txt")
    (alpha.path / "staged.txt").unlink()
    answer = refuses(world, alpha, code="verification_failed")
    assert (
        answer["error"]["missing"]
        == answer["data"]["missing"]
        == ["verify failed (exit 1): grep -q hello src/a.txt"]
    )
    runs = answer["data"]["verify"]
    assert [(run["command"], run["exit_code"], run["tail"]) for run in runs] == [
        ("grep -q hello src/a.txt", 1, ""),
        ("cat src/a.txt", 0, "good-bye"),
    ]
    assert alpha.ralph("complete") == Result(
        1,
        "",
        "error: T-1 is not done; nothing was committed\n"
        "  - verify failed (exit 1): grep -q hello src/a.txt\n"
        "hint: ralphgit complete T-1\n",
    )


@pytest.mark.parametrize("line", ["! git grep -q BAD -- new.txt", "git show :check.sh | sh"])
def test_a_command_that_asks_git_sees_what_is_judged(line: str, tmp_path: Path) -> None:
    """And not what happens to be staged: it is put back as it was."""
    graph = one_task(f'verify: ["{line}"]')
    world = world_of(tmp_path, graph, **{"check.sh": "exit 1\n"})
    alpha = at_work(world)
    trust(alpha)
    alpha.write("new.txt", "BAD\n")
    alpha.write("check.sh", "exit 0\n")
    alpha.git("add", "check.sh")
    alpha.write("check.sh", "exit 1\n")
    refuses(world, alpha, code="verification_failed")


def test_all_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    graph = one_task("verify: ['exit 3']", "outputs: [out.txt]", "scope: {write: [src]}")
    world = world_of(tmp_path, graph)
    alpha = at_work(world)
    trust(alpha)
    assert missing(world, alpha, code="verification_failed") == [
        "the task changed no file (records do not count)",
        "verify failed (exit 3): exit 3",
        "output out.txt does not exist, or git ignores it",
    ]


@pytest.mark.parametrize(
    ("output", "file", "text", "said"),
    [
        ("out.txt", "other.txt", "x", "output out.txt does not exist, or git ignores it"),
        ("out.txt", "out.txt", "", "output out.txt is empty"),
        ("out.log", "out.log", "x", "output out.log does not exist, or git ignores it"),
        ("dist/", "dist/.keep", "", "output dist/ is empty"),
        ("dist/*.js", "dist/deep/a.js", "x",
         "output dist/*.js does not exist, or git ignores it"),
        ("dist", "dist/deep/a.js", "x", ""),
        ("dist/**/*.js", "dist/deep/a.js", "x", ""),
        ("./out.txt", "out.txt", "x", ""),
        ("routes/[id].ts", "routes/[id].ts", "x", ""),
        ("routes/[id.ts", "routes/[id.ts", "x", ""),
    ],
)  # fmt: skip
def test_outputs(tmp_path: Path, output: str, file: str, text: str, said: str) -> None:
    world = world_of(tmp_path, one_task(f"outputs: ['{output}']"), **{".gitignore": "*.log\n"})
    alpha = at_work(world)
    alpha.write("work.txt", "x")
    alpha.write(file, text)
    if said:
        assert missing(world, alpha) == [said]
    else:
        assert completes(alpha).code == 0
        assert file in changed_files(alpha)


@pytest.mark.parametrize(
    ("links", "said"),
    [
        ({"a": "nowhere"}, "output a is a link, and what it names is not committed"),
        ({"a": "/etc/passwd"}, "output a is a link, and what it names is not committed"),
        ({"a": "b", "b": "a"}, "output a is a link, and what it names is not committed"),
        ({"a": "sub/empty"}, "output a is empty"),
        ({"a": "sub/full"}, ""),
        ({"a": "sub"}, ""),
        ({"a": "d/full", "d": "sub"}, ""),
        ({"a": "sub/up", "sub/up": "../d/full", "d": "./sub/"}, ""),
    ],
)
def test_an_output_that_is_a_link(tmp_path: Path, links: dict[str, str], said: str) -> None:
    world = world_of(tmp_path, one_task("outputs: [a]"))
    alpha = at_work(world)
    alpha.write("sub/full", "x")
    alpha.write("sub/empty", "")
    for name, named in links.items():
        (alpha.path / name).symlink_to(named)
    if said:
        assert said in missing(world, alpha)
    else:
        assert completes(alpha).code == 0


def test_an_ignored_output_counts_once_it_is_added(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("outputs: [a.log]"), **{".gitignore": "*.log\n"})
    alpha = at_work(world)
    alpha.write("a.log", "x")
    alpha.git("add", "--force", "a.log")
    assert completes(alpha).code == 0
    assert changed_files(alpha) == ["a.log"]


def test_a_change_that_was_undone_is_none(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task(), **{"a.txt": "x\n"})
    alpha = at_work(world)
    alpha.write("a.txt", "y\n")
    alpha.commit("There")
    alpha.write("a.txt", "x\n")
    alpha.commit("And back")
    assert missing(world, alpha) == ["the task changed no file (records do not count)"]


def test_a_checkpoint_changes_nothing(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("story: S", "mode: verify", "verify: ['true']"))
    alpha = at_work(world)
    trust(alpha)
    assert completes(alpha).code == 0
    assert changed_files(alpha) == []


def test_a_checkpoint_without_a_scope_may_change_no_file(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("mode: verify", "verify: ['true']"))
    alpha = at_work(world)
    trust(alpha)
    alpha.write("zz", "x")
    assert missing(world, alpha) == ["zz is changed, and T-1 verifies what is there"]
    (alpha.path / "zz").unlink()
    assert completes(alpha).code == 0


def test_a_task_that_only_verifies_changes_nothing_whatever_its_scope(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("mode: verify", "verify: ['true']", "scope: {write: [a]}"))
    alpha = at_work(world)
    trust(alpha)
    assert completes(alpha).code == 0
    assert changed_files(alpha) == []


def test_the_write_scope_holds_for_renames_and_deletions(tmp_path: Path) -> None:
    files = {f"{folder}/{name}": f"{folder} {name}\n" for folder in ("in", "out") for name in "abc"}
    world = world_of(tmp_path, one_task("scope: {write: [in/**]}"), **files)
    alpha = at_work(world)
    alpha.git("mv", "in/a", "out/moved-out")
    alpha.git("mv", "out/a", "in/moved-in")
    alpha.commit("Move")
    (alpha.path / "out" / "b").unlink()
    alpha.write("out/c", "changed\n")
    alpha.write("new", "new\n")
    (alpha.path / "in" / "b").unlink()
    assert missing(world, alpha) == [
        f"{path} is outside scope.write (in/**)"
        for path in ("new", "out/a", "out/b", "out/c", "out/moved-out")
    ]
    alpha.git("reset", "--quiet", "--hard", "HEAD~1")
    (alpha.path / "new").unlink()
    (alpha.path / "in" / "b").unlink()
    alpha.git("mv", "in/a", "in/moved")
    assert completes(alpha).code == 0
    assert changed_files(alpha) == ["in/a", "in/b", "in/moved"]


# -- whose work it is --------------------------------------------------------------------


@pytest.mark.parametrize("how", ["merged", "rebased", "squashed", "neither"])
def test_the_work_is_counted_and_not_the_base_s(tmp_path: Path, how: str) -> None:
    """Several commits by the worker, the base brought in between: only the work is judged."""
    world = world_of(tmp_path, one_task("scope: {write: [src]}"))
    alpha = at_work(world)
    alpha.write("src/a", "a\n")
    alpha.commit("One")
    world.write("elsewhere/x", "x\n")
    world.write("src/from-base", "x\n")
    world.commit("Meanwhile")
    if how == "merged":
        alpha.git("merge", "--quiet", "--no-edit", "main")
    if how == "rebased":
        alpha.git("rebase", "--quiet", "main")
    alpha.write("src/b", "b\n")
    alpha.commit("Two")
    if how == "squashed":
        alpha.git("reset", "--soft", "main~1")
        alpha.commit("All of it")
    alpha.write("src/c", "c\n")
    assert completes(alpha, "-m", "Three").code == 0
    assert changed_files(alpha) == ["src/c"]
    assert alpha.git("status", "--porcelain") == ""
    # Nothing that the base did counts as the task's.
    alpha.write("outside", "x\n")
    assert world.merge("alpha").code == 0


def test_what_a_merge_commit_slips_in_is_the_task_s(tmp_path: Path) -> None:
    files = {"elsewhere": "x\n", "src/a": "x\n"}
    world = world_of(tmp_path, one_task("scope: {write: [src]}"), **files)
    alpha = at_work(world)
    alpha.write("src/a", "mine\n")
    alpha.commit("Mine")
    world.write("theirs", "y\n")
    world.write("src/a", "theirs\n")
    world.commit("Meanwhile")
    assert alpha.merge("main").code == 1
    # In scope a conflict may be resolved; outside nothing may be added, or taken back.
    alpha.write("src/a", "both\n")
    alpha.write("elsewhere", "changed in the merge\n")
    (alpha.path / "theirs").unlink()
    alpha.commit("Merge, and more")
    assert missing(world, alpha) == [
        "elsewhere is outside scope.write (src)",
        "theirs is outside scope.write (src)",
    ]
    alpha.git("checkout", "--quiet", "main", "elsewhere", "theirs")
    assert completes(alpha).code == 0


def test_work_that_is_all_committed_already(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("scope: {write: [src]}"))
    alpha = at_work(world)
    alpha.write("src/a", "a\n")
    alpha.commit("All of it")
    assert completes(alpha).code == 0
    assert changed_files(alpha) == []
    assert alpha.git("log", "--format=%s", "main..").splitlines() == ["T-1: First", "All of it"]


def test_work_on_the_base_branch_itself(tmp_path: Path) -> None:
    """A single worker in the main worktree, from a folder below its top."""
    world = world_of(tmp_path, one_task("scope: {write: [src]}"))
    world.claim("T-1")
    world.write("src/a", "a\n")
    world.commit("Half")
    world.write("undone", "x\n")
    world.commit("And more")
    (world.path / "undone").unlink()
    world.write("oops", "x\n")
    src = Place(world.path / "src", world.environ)
    assert missing(world, src) == ["oops is outside scope.write (src)"]
    (world.path / "oops").unlink()
    result = completes(src)
    assert (result.code, result.data["task"]["state"]) == (0, "complete")
    assert world.git("for-each-ref", "refs/ralph") == ""


def test_a_second_task_on_the_same_branch_is_judged_alone(tmp_path: Path) -> None:
    graph = one_task("scope: {write: [one]}") + (
        "  - id: T-2\n    title: Second\n    status: pending\n    scope: {write: [two]}\n"
    )
    world = world_of(tmp_path, graph)
    alpha = at_work(world)
    alpha.write("one", "1\n")
    assert completes(alpha).code == 0
    alpha.claim("T-2")
    assert missing(world, alpha) == ["the task changed no file (records do not count)"]
    alpha.write("two", "2\n")
    assert completes(alpha).code == 0


# -- whose commands ----------------------------------------------------------------------


def test_a_branch_cannot_loosen_its_own_checks(tmp_path: Path) -> None:
    world = world_of(tmp_path, GRAPH)
    alpha = at_work(world)
    trust(alpha)
    alpha.replace("- grep -q hello src/a.txt\n      - cat src/a.txt", "- 'true'")
    alpha.replace("write: [src/**]", "write: ['**']")
    alpha.write("src/a.txt", "good-bye\n")
    alpha.write("outside", "x\n")
    error = refuses(world, alpha, code="contract_changed", exit=8)["error"]
    assert error["message"] == (
        "what T-1 promises has changed on this branch since it was claimed; read it first "
        "(ralphgit show T-1)"
    )
    assert error["hint"] == "ralphgit complete T-1 --accept-contract"
    assert missing(world, alpha, "--accept-contract", code="verification_failed") == [
        "outside is outside scope.write (src/**)",
        "verify failed (exit 1): grep -q hello src/a.txt",
    ]
    (alpha.path / "outside").unlink()
    alpha.write("src/a.txt", "hello\n")
    result = completes(alpha, "--accept-contract")
    assert (result.code, len(result.data["evidence"])) == (0, 2)
    # The claim says now what was accepted: the gate has no question left.
    assert alpha.ralph("check", "--base", "main").code == 0


def test_a_contract_that_the_base_has_changed(tmp_path: Path) -> None:
    world = world_of(tmp_path, GRAPH)
    alpha = at_work(world)
    alpha.write("src/a.txt", "hello\n")
    world.replace("- cat src/a.txt", "- grep -q world src/a.txt")
    world.commit("Ask for more")
    trust(alpha)
    error = refuses(world, alpha, code="contract_changed", exit=8)["error"]
    assert error["message"] == (
        "what T-1 promises has changed on main since it was claimed; read it first "
        "(ralphgit show T-1 --at main)"
    )
    (told,) = world.ralph("status", "--json").data["attention"]
    assert (told["code"], told["task"]) == ("contract_changed", "T-1")
    assert told["message"] == "what T-1 promises has changed on main since alpha claimed it"
    assert told["hint"] == "ralphgit show T-1 --at main"
    assert "has changed on main since alpha claimed it" in alpha.ralph("show", "T-1").out
    found = alpha.ralph("preflight", "--json")
    assert (found.code, found.error) == (8, "contract_changed")
    trust(world)
    assert missing(world, alpha, "--accept-contract", code="verification_failed") == [
        "verify failed (exit 1): grep -q world src/a.txt"
    ]
    alpha.write("src/a.txt", "hello world\n")
    assert completes(alpha, "--accept-contract").code == 0


def test_force_is_recorded(tmp_path: Path) -> None:
    world = world_of(tmp_path, GRAPH)
    alpha = at_work(world)
    alpha.write("elsewhere", "x\n")
    result = completes(alpha, "--force", "the demo is today")
    assert (result.code, result.json["warnings"]) == (
        0,
        ["the verify commands are not trusted, so they did not run"],
    )
    (audit,) = records(alpha, "audit")
    event = audit["events"][-1]
    assert (event["event"], event["note"]) == (
        "force-completed",
        "the demo is today (missing: elsewhere is outside scope.write (src/**); "
        "output src/a.txt does not exist, or git ignores it)",
    )
    assert changed_files(alpha) == ["elsewhere"]
    assert "Completed by force: the demo is today" in alpha.git("log", "-1", "--format=%B")


def test_what_a_forced_command_showed_is_kept(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("acceptance: [it works]", "verify: ['exit 3']"))
    alpha = at_work(world)
    trust(alpha)
    alpha.write("a", "x\n")
    assert completes(alpha, "--force", "known to fail").code == 0
    (evidence,) = records(alpha, "evidence")
    assert evidence["exit_code"] == 3


# -- commands: time, leftovers, output, environment --------------------------------------


def open_fifo(folder: Path) -> tuple[Path, int]:
    """A pipe by name, and its reading end: it hangs up when no writer is left alive."""
    path = folder / "alive"
    os.mkfifo(path)
    return path, os.open(path, os.O_RDONLY | os.O_NONBLOCK)


def hung_up(fd: int) -> bool:
    """Whether all that wrote into the pipe are gone, which is waited for."""
    poll = select.poll()
    poll.register(fd, 0)
    events = poll.poll(1000 * PATIENCE)
    return bool(events) and bool(events[0][1] & select.POLLHUP)


#: Says that it began, then waits with a child in the background.
ENDLESS = "exec 3>'{fifo}'; echo begun >&3; echo begun; sleep 600 & sleep 600"


def test_a_command_that_takes_too_long_ends_with_its_children(tmp_path: Path) -> None:
    fifo, fd = open_fifo(tmp_path)
    graph = one_task(f'verify: ["{ENDLESS.format(fifo=fifo)}"]')
    world = world_of(tmp_path / "world", graph)
    world.git("config", "ralph.verify.timeout", "1")
    alpha = at_work(world)
    trust(alpha)
    alpha.write("a", "x\n")
    before = world.state(*SCRATCH)
    result = completes(alpha)
    assert (result.code, result.error) == (1, "verification_failed")
    assert world.state(*SCRATCH) == before
    (said,) = result.data["missing"]
    assert said.startswith("verify failed (ran longer than 1 s): exec 3>")
    (run,) = result.data["verify"]
    assert (run["exit_code"], run["tail"]) == (124, "begun")
    assert hung_up(fd)
    os.close(fd)


@pytest.mark.parametrize(
    ("number", "exit", "said", "words"),
    [
        (signal.SIGTERM, 143, "terminated", ("--json",)),
        (signal.SIGINT, 130, "interrupted", ()),
        (signal.SIGINT, 130, "interrupted", ("--json",)),
    ],
)
def test_stopped_during_verification(
    tmp_path: Path, number: signal.Signals, exit: int, said: str, words: tuple[str, ...]
) -> None:
    fifo, fd = open_fifo(tmp_path)
    graph = one_task(f'verify: ["{ENDLESS.format(fifo=fifo)}"]')
    world = world_of(tmp_path / "world", graph)
    alpha = at_work(world)
    trust(alpha)
    alpha.write("a", "x\n")
    before = world.state(*SCRATCH)
    with subprocess.Popen(
        [sys.executable, "-m", "ralphgit", "complete", *words],
        cwd=alpha.path,
        env=alpha.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        ready, _, _ = select.select([fd], [], [], PATIENCE)
        assert ready
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err.decode()) == (exit, f"{said}\n")
    error = json.loads(out)["error"] if words else None
    told = {"code": said, "exit": exit, "message": said, "hint": "repeat the command"}
    assert error == (told if words else None)
    assert words or not out
    assert os.read(fd, 100) == b"begun\n"
    assert hung_up(fd)
    os.close(fd)
    assert world.state(*SCRATCH) == before


def test_what_verify_commands_leave_is_not_swept_in(tmp_path: Path) -> None:
    graph = one_task(
        "verify: ['mkdir -p cache dist; date +%N > cache/x.pyc; echo made > dist/out; test -s b']",
        "outputs: [dist/out]",
    )
    world = world_of(tmp_path, graph)
    alpha = at_work(world)
    trust(alpha)
    alpha.write("a", "x\n")
    failed = completes(alpha)
    assert (failed.code, len(failed.data["missing"])) == (1, 1)
    alpha.write("b", "x\n")
    result = completes(alpha)
    assert (result.code, result.json["warnings"]) == (
        0,
        [
            "left by verify commands, and not committed: cache/x.pyc "
            "(add it to .gitignore, or git add it)"
        ],
    )
    assert changed_files(alpha) == ["a", "b", "dist/out"]
    assert alpha.git("status", "--porcelain") == "?? cache/"


def test_what_a_worker_adds_is_no_leftover(tmp_path: Path) -> None:
    graph = one_task("verify: ['echo made > made; test -s b']")
    world = world_of(tmp_path, graph)
    alpha = at_work(world)
    trust(alpha)
    alpha.write("a", "x\n")
    assert completes(alpha).code == 1
    alpha.git("add", "made")
    alpha.write("b", "x\n")
    assert completes(alpha).code == 0
    assert changed_files(alpha) == ["a", "b", "made"]


def test_a_command_that_changes_the_work_fails(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("verify: ['echo more >> a', 'rm b']"))
    alpha = at_work(world)
    trust(alpha)
    alpha.write("a", "x\n")
    alpha.write("b", "x\n")
    result = completes(alpha)
    assert (result.code, result.data["missing"]) == (
        1,
        ["a verify command changed a", "a verify command changed b"],
    )


SECRET = {
    "MY_API_KEY": "key-key-key1", "SSH_PASSPHRASE": "openopen88", "PGPASSWORD": "pgpgpgpg76",
    "PGPASS": "pgpgpgpg77", "MYSQL_PWD": "mysqlpw11", "GH_PAT": "patpatpatpat99",
    "MYAUTH": "basicbasic66", "SESSION_COOKIE": "cookiecookie22", "SLACK_WEBHOOK": "hookhook4444",
    "SHORT_TOKEN": "abc12", "SENTRY_DSN": "dsndsndsn8", "SIGNING_KEY": "signsign9",
}  # fmt: skip
#: Named alike, and no secrets.
PLAIN = {
    "MAX_TOKENS": "32000000", "GIT_AUTHOR_NAME": "Some Author", "XAUTHORITY": "/run/user/1/x",
    "SSH_AUTH_SOCK": "/tmp/agent.12", "MONKEY": "chimpanzee", "DEV_TOKEN": "test",
    "PGPASSFILE": "/etc/pgpassfile", "COMPATIBLE": "yes, all of it",
}  # fmt: skip


def test_values_of_variables_that_are_named_like_secrets_are_taken_out(tmp_path: Path) -> None:
    names = " ".join([*SECRET, *PLAIN])
    command = f"for v in {names}; do printenv $v || exit 1; done"
    world = world_of(tmp_path, one_task("verify:", f"- '{command}'"))
    alpha = at_work(world)
    trust(alpha)
    alpha.write("a", "x\n")
    result = alpha.ralph("complete", "--json", env={**SECRET, **PLAIN})
    assert result.code == 0, result.out
    (record,) = records(alpha, "evidence")
    shown = record["output"]["tail"].split("\n")
    assert shown == ["[redacted]"] * len(SECRET) + [*PLAIN.values()]


@pytest.mark.parametrize("more", [1, 40, 80])
def test_half_of_a_secret_at_the_beginning_of_a_tail_is_not_kept(more: int) -> None:
    secret = "".join(f"{n:03}" for n in range(35))
    command = f'for i in $(seq 300); do echo "$API_TOKEN"; done; printf %{more}s x'
    environ = {"PATH": os.environ["PATH"], "API_TOKEN": secret}
    done = verify_command.run(command, top="/", environ=environ, timeout=PATIENCE, now=0)
    assert done.tail.count("[redacted]") > 40 and done.tail.endswith("x")
    assert not any(secret[n : n + 6] in done.tail for n in range(len(secret) - 6))


def test_output_is_redacted_and_capped(tmp_path: Path) -> None:
    secret = "hunter2-hunter2"
    lines = [
        "- 'echo \"$MY_API_KEY and password=swordfish\"; echo ghp_0123456789012345678901234567'",
        "- 'seq 1 5000; printf \"\\033[31mred\"'",
    ]
    world = world_of(tmp_path, one_task("verify:", *lines))
    alpha = at_work(world)
    trust(alpha)
    alpha.write("a", "x\n")
    result = alpha.ralph("complete", "--json", env={"MY_API_KEY": secret})
    assert result.code == 0
    by_command = {record["command"][:3]: record for record in records(alpha, "evidence")}
    output = by_command["ech"]["output"]
    assert output["tail"] == "[redacted] and password=[redacted]\n[redacted]"
    raw = f"{secret} and password=swordfish\nghp_0123456789012345678901234567\n"
    assert output["sha256"] == hashlib.sha256(raw.encode()).hexdigest()
    assert output["bytes"] == len(raw)
    long = by_command["seq"]["output"]
    assert len(long["tail"].encode()) <= 4096
    assert long["tail"].endswith("\n4999\n5000\n\ufffd[31mred")
    assert secret not in alpha.git("log", "-p", "-1")


def test_what_commands_see(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("verify: ['env; cat; git rev-parse --git-dir']"))
    alpha = at_work(world)
    trust(alpha)
    alpha.write("a", "x\n")
    claim = alpha.task("T-1")["claim"]["id"]
    alpha.environ["GIT_DIR"] = "/nowhere"
    alpha.environ["COLOUR"] = "blue"
    assert completes(alpha, "--worker", "me").code == 0
    seen = records(alpha, "evidence")[0]["output"]["tail"].splitlines()
    assert {"COLOUR=blue", "RALPH_TASK=T-1", f"RALPH_CLAIM={claim}"} <= set(seen)
    assert not any(line.startswith(("GIT_DIR=", "GIT_INDEX_FILE=")) for line in seen)
    assert seen[-1].endswith("/worktrees/proj-alpha")


def test_an_environment_policy_needs_consent_of_its_own(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("verify: ['env']"))
    alpha = at_work(world)
    trust(alpha)
    alpha.write("a", "x\n")
    world.git("config", "ralph.verify.env", "COLOUR")
    refuses(world, alpha, code="untrusted", exit=7)
    trust(alpha)
    alpha.environ.update(COLOUR="blue", SHAPE="round")
    assert completes(alpha).code == 0
    seen = records(alpha, "evidence")[0]["output"]["tail"].splitlines()
    names = {line.partition("=")[0] for line in seen} - {"PWD", "SHLVL", "_", "OLDPWD"}
    own = {"GIT_NO_REPLACE_OBJECTS", "RALPH_TASK", "RALPH_CLAIM", "RALPH_WORKER"}
    assert names == {"COLOUR", "PATH", *own}


# -- trust -------------------------------------------------------------------------------


def test_nothing_runs_without_consent(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("verify: ['touch ran', 'true']"))
    alpha = at_work(world)
    alpha.write("a", "x\n")
    error = refuses(world, alpha, code="untrusted", exit=7)["error"]
    assert error["commands"] == ["touch ran", "true"]
    assert error["hint"] == "ask a person, and stop until one at a terminal has read it and agreed"
    before = world.snapshot()
    asked = alpha.ralph("trust")
    assert (asked.code, asked.out) == (7, "")
    assert world.snapshot() == before
    told = alpha.ralph("trust", "--yes", "--json")
    assert told.data["trusted"] == ["touch ran", "true"]
    assert told.data["untrusted"] == []
    # Consent is kept outside the repository.
    new = set(world.snapshot()) - set(before)
    assert {name for name in new if not name.startswith("home/")} == set()
    assert any(name.startswith("home/.local/share/ralphgit/trust/") for name in new)
    # It is one repository's: a clone asks for itself.
    listed = world.ralph("trust", "--list").out.splitlines()
    assert [line.partition("  (")[0] for line in listed] == [
        "trusted    touch ran", "trusted    true",
    ]  # fmt: skip
    world.git("clone", "--quiet", ".", str(world.folder / "clone"))
    clone = Place(world.folder / "clone", world.environ)
    assert clone.ralph("trust", "--list").out.startswith("untrusted  touch ran  (")
    assert alpha.ralph("trust", "--revoke").code == 0
    refuses(world, alpha, code="untrusted", exit=7)


def test_a_changed_command_asks_again(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("verify: ['true']"))
    trust(world)
    world.replace("'true'", "'true '")
    world.commit("One byte")
    alpha = at_work(world)
    alpha.write("a", "x\n")
    error = refuses(world, alpha, code="untrusted", exit=7)["error"]
    assert error["commands"] == ["true "]
    trust(alpha)
    assert completes(alpha).code == 0


def test_a_task_without_commands_needs_no_consent(tmp_path: Path) -> None:
    world = world_of(tmp_path, GRAPH)
    alpha = at_work(world, task="T-2")
    alpha.write("a", "x\n")
    assert completes(alpha).code == 0


# -- the commit is refused ---------------------------------------------------------------


@pytest.mark.parametrize("why", ["pre-commit", "commit-msg", "signing"])
def test_a_refused_commit_leaves_everything_as_before(tmp_path: Path, why: str) -> None:
    world = world_of(tmp_path, one_task(), kept="x\n")
    alpha = at_work(world)
    alpha.write("a", "x\n")
    alpha.write("b", "staged\n")
    alpha.git("add", "b")
    alpha.write("b", "staged, and edited\n")
    if why == "signing":
        world.git("config", "commit.gpgsign", "true")
        world.git("config", "gpg.program", "false")
    else:
        hook = world.write(f".git/hooks/{why}", "#!/bin/sh\necho not today >&2\nexit 1\n")
        hook.chmod(0o755)
    code, exit = ("cannot_sign", 7) if why == "signing" else ("git_failed", 1)
    error = refuses(world, alpha, code=code, exit=exit)["error"]
    if why != "signing":
        assert "not today" in error["stderr"]
        (world.path / ".git" / "hooks" / why).unlink()
        assert completes(alpha).code == 0
        assert changed_files(alpha) == ["a", "b"]


def test_the_user_s_hooks_see_the_commit(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task())
    alpha = at_work(world)
    alpha.write("a", "x\n")
    lines = "#!/bin/sh\ngit diff --cached --name-only >&2\nexit 1\n"
    hook = world.write(".git/hooks/pre-commit", lines)
    hook.chmod(0o755)
    seen = completes(alpha).json["error"]["stderr"].splitlines()
    claim = alpha.task("T-1")["claim"]["id"]
    assert seen == ["a", f"records/audit/T-1/{claim}.yaml", "task-graph.yaml"]


# -- claims that went missing ------------------------------------------------------------


@pytest.mark.parametrize("how", ["reset", "stash"])
def test_a_dropped_claim_is_put_back(tmp_path: Path, how: str) -> None:
    world = world_of(tmp_path, GRAPH)
    alpha = at_work(world, task="T-2")
    claim = alpha.task("T-2")["claim"]
    alpha.git(*{"reset": ["reset", "--hard", "--quiet"], "stash": ["stash", "--quiet"]}[how])
    assert alpha.git("status", "--porcelain") == ""
    alpha.write("a", "x\n")
    result = completes(alpha)
    assert (result.code, result.json["warnings"]) == (
        0,
        ["the claim on T-2 was gone from this worktree; it has been put back"],
    )
    assert result.data["task"]["claim"] == claim
    (audit,) = records(alpha, "audit", "T-2")
    assert [event["event"] for event in audit["events"]] == ["claimed", "completed"]


def test_what_was_stashed_comes_back_beside_what_was_put_back(tmp_path: Path) -> None:
    world = world_of(tmp_path, GRAPH)
    alpha = at_work(world, task="T-2")
    alpha.write("a", "x\n")
    alpha.git("add", "a")
    status, audit = alpha.git("status", "--porcelain"), records(alpha, "audit", "T-2")
    alpha.git("stash", "--include-untracked", "--quiet")
    assert completes(alpha, "T-2").error == "not_done"
    assert records(alpha, "audit", "T-2") == audit
    alpha.git("stash", "pop", "--quiet")
    assert alpha.git("status", "--porcelain") == status
    assert records(alpha, "audit", "T-2") == audit
    assert completes(alpha).code == 0


def lost(world: World) -> tuple[Place, str, dict[str, str]]:
    """alpha at work on T-1 with commits and more, while beta's claim has landed."""
    alpha = at_work(world)
    mine = alpha.task("T-1")["claim"]["id"]
    alpha.write("committed", "mine\n")
    alpha.commit("Half of it")
    alpha.write("committed", "mine, and more\n")
    alpha.write("new/file", "new\n")
    alpha.write("x.log", "ignored\n")
    beta = world.worktree("beta", at="main")
    assert beta.ralph("claim", "T-1", env={"RALPH_LEASE": "off"}).code == 0
    beta.write("theirs", "x\n")
    beta.commit("beta was first")
    theirs = beta.task("T-1")["claim"]
    assert world.merge("beta").code == 0
    return alpha, mine, theirs


def test_a_lost_claim(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("verify: ['touch ran']"), **{".gitignore": "*.log\n"})
    alpha, mine, theirs = lost(world)
    result = completes(alpha)
    assert (result.code, result.error) == (5, "claim_lost")
    error = result.json["error"]
    rescue = f"refs/ralph/rescue/T-1/{mine}"
    assert (error["task"], error["claim"], error["rescue"]) == ("T-1", mine, rescue)
    assert error["returned_to"] == world.head == alpha.head
    assert (
        f"beta won T-1 on main (claim {theirs['id']}, in-progress, since {theirs['at']})"
    ) in error["message"]
    # All of the work is kept, and the worktree is ready for another task.
    kept = alpha.git("ls-tree", "-r", "--name-only", rescue).splitlines()
    assert {"committed", "new/file", "task-graph.yaml"} <= set(kept)
    assert not {"x.log", "theirs"} & set(kept)
    assert alpha.git("show", f"{rescue}:committed") == "mine, and more"
    assert alpha.git("show", f"{rescue}~1:committed") == "mine"
    assert alpha.git("symbolic-ref", "HEAD") == "refs/heads/alpha"
    assert alpha.git("status", "--porcelain") == ""
    assert (alpha.path / "x.log").exists()
    assert not (alpha.path / "new").exists()
    assert alpha.git("for-each-ref", "--format=%(refname)", "refs/ralph/leases") == ""
    # Once said, it is over.
    refuses(world, alpha, code="not_claimed", exit=8)


def test_a_lease_that_nobody_s_records_know_takes_nothing(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task())
    alpha = at_work(world)
    alpha.write("src/a.txt", "hello\n")
    world.worktree("beta")
    forged = alpha.git("cat-file", "blob", "refs/ralph/leases/T-1")
    for old, new in (("alpha", "beta"), (alpha.lease("T-1")["claim"], "forged0000")):
        forged = forged.replace(old, new)
    oid = alpha.git("hash-object", "-w", "--stdin", stdin=forged)
    alpha.git("update-ref", "refs/ralph/leases/T-1", oid)
    assert completes(alpha).code == 0
    assert alpha.task("T-1")["claim"]["by"] == "alpha"


def test_a_lost_claim_goes_back_to_work_that_has_not_landed(tmp_path: Path) -> None:
    """The branch held another finished task when the lost one was claimed: that one stays."""
    world = world_of(tmp_path, GRAPH)
    alpha = at_work(world, task="T-2")
    alpha.write("two", "2\n")
    assert completes(alpha).code == 0
    done = alpha.head
    alpha.claim("T-1")
    alpha.write("src/a.txt", "hello\n")
    beta = world.worktree("beta", at="main")
    beta.ralph("claim", "T-1", env={"RALPH_LEASE": "off"})
    beta.commit("beta was first")
    world.merge("beta")
    result = completes(alpha)
    assert (result.code, result.json["error"]["returned_to"]) == (5, done)
    assert alpha.head == done
    assert alpha.git("status", "--porcelain") == ""
    assert (alpha.path / "two").exists()


@pytest.mark.parametrize("change", ["cancelled", "epoch"])
def test_a_task_that_the_base_took_away(tmp_path: Path, change: str) -> None:
    world = world_of(tmp_path, one_task())
    alpha = at_work(world)
    alpha.write("a", "x\n")
    new = {
        "cancelled": "cancelled\n    cancelled: {id: x1, by: ann, at: t, reason: no need}",
        "epoch": "pending\n    epoch: 1",
    }[change]
    world.replace("status: pending", f"status: {new}")
    world.commit("Take it back")
    result = completes(alpha)
    assert (result.code, result.error) == (5, "claim_lost")
    said = {
        "cancelled": "T-1 was cancelled on main",
        "epoch": "T-1 was reset on main (epoch 1) after the claim was made",
    }[change]
    assert said in result.json["error"]["message"]
    assert alpha.head == world.head
    assert alpha.git("show", f"{result.json['error']['rescue']}:a") == "x"


def test_a_lost_claim_without_work_leaves_no_rescue(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task())
    alpha = at_work(world)
    alpha.git("reset", "--hard", "--quiet")
    world.replace("status: pending", "status: pending\n    epoch: 1")
    world.commit("As after a reset")
    assert completes(alpha).json["error"]["rescue"] == ""
    assert world.git("for-each-ref", "refs/ralph") == ""


# -- repositories within the worktree, sparse checkouts ----------------------------------


@pytest.mark.parametrize("how", ["no commit", "a commit", "staged", "committed"])
def test_a_repository_within_is_no_bare_link(tmp_path: Path, how: str) -> None:
    world = world_of(tmp_path, one_task("title2: x"))
    alpha = at_work(world)
    alpha.write("inner/f", "x\n")
    alpha.git("init", "--quiet", "inner")
    if how != "no commit":
        alpha.git("-C", "inner", "add", "f")
        alpha.git("-C", "inner", "commit", "--quiet", "-m", "Inner")
    if how in ("staged", "committed"):
        alpha.git("add", "inner")
    if how == "committed":
        alpha.git("commit", "--quiet", "-m", "Half of it")
    before = alpha.git("status", "--porcelain"), alpha.head
    result = alpha.ralph("complete", "--json")
    assert (result.code, result.error) == (8, "nested_repository"), result.out
    assert result.json["error"]["message"] == (
        "inner is a separate repository, not a submodule: the files in it would not be committed; "
        "nothing was changed"
    )
    assert (alpha.git("status", "--porcelain"), alpha.head) == before
    (alpha.path / "inner" / ".git").rename(alpha.path.parent / "elsewhere")
    if how in ("staged", "committed"):
        alpha.git("rm", "--quiet", "--force", "--cached", "inner")
    alpha.complete()
    assert alpha.git("show", "HEAD:inner/f") == "x"


def test_a_submodule_may_be_added(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("title2: x"))
    alpha = at_work(world)
    source = str(world.origin.path)
    alpha.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", source, "sub")
    alpha.complete()
    assert alpha.git("ls-tree", "HEAD", "sub").startswith("160000 commit ")


def test_a_repository_that_a_command_leaves(tmp_path: Path) -> None:
    command = "test -d fixture || git init --quiet fixture"
    world = world_of(tmp_path, one_task(f"verify: ['{command}', 'test -e ok']"))
    assert world.ralph("trust", "--yes").code == 0
    alpha = at_work(world)
    alpha.write("a", "x\n")
    assert alpha.ralph("complete").code == 1
    alpha.write("ok", "x\n")
    result = alpha.ralph("complete", "--json")
    assert result.code == 0, result.out
    assert result.json["warnings"] == [
        "left by verify commands, and not committed: fixture (add it to .gitignore, or git add it)"
    ]
    assert alpha.git("status", "--porcelain") == "?? fixture/"


def test_outside_a_sparse_checkout(tmp_path: Path) -> None:
    world = world_of(tmp_path, one_task("title2: x"), **{"in/a": "x\n", "out/b": "x\n"})
    alpha = world.worktree("alpha")
    alpha.git("sparse-checkout", "set", "in", "records")
    alpha.claim("T-1")
    alpha.write("out/new", "x\n")
    result = alpha.ralph("complete", "--json")
    assert result.code == 0, result.out
    assert alpha.git("show", "HEAD:out/new") == "x"
    assert alpha.git("diff", "--name-status", "main", "HEAD", "in", "out") == "A\tout/new"


def test_a_commit_that_was_killed_after_it_had_landed_counts(tmp_path: Path) -> None:
    """As SIGKILL does it 6 times of 30: HEAD has moved, and git exits by the signal."""
    world = world_of(tmp_path, one_task())
    alpha = at_work(world)
    alpha.write("a.txt", "done\n")
    programs = tmp_path / "programs"
    programs.mkdir()
    fake = programs / "git"
    fake.write_text(
        f'#!/bin/sh\n{shutil.which("git")} "$@"; code=$?\n'
        'case " $* " in *" commit "*) kill -9 $$ ;; esac\nexit $code\n'
    )
    fake.chmod(0o755)
    done = alpha.ralph("complete", env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"})
    assert done.code == 0, done.err
    assert alpha.task("T-1")["status"] == "complete"
    assert alpha.git("status", "--porcelain") == ""


@pytest.mark.slow
def test_a_person_at_a_terminal_is_asked_before_force(tmp_path: Path) -> None:
    world = world_of(tmp_path, GRAPH)
    alpha = at_work(world)
    trust(alpha)
    alpha.write("src/a.txt", "good-bye\n")
    before = world.state()
    said = at_terminal(alpha, "complete --force late", "n\n")
    assert "Of T-1 is missing:\r\n  verify failed (exit 1): grep -q hello src/a.txt" in said
    assert "Complete T-1 by force? [y/N]" in said
    assert "T-1 is not complete; nothing was changed" in said
    assert world.state() == before
    assert "T-1 is complete by FORCE" in at_terminal(alpha, "complete --force late", "y\n")
