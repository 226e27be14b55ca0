"""`check`, the gate: each thing that it stops, seeded alone into a branch that is else clean."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from world import Place, Result, World

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: Write one
    status: pending
    story: S-1
    verify:
      - test -s one.txt
    outputs:
      - one.txt
    scope:
      write: [one.txt, "src/**"]
      read: [lib.txt]

  - id: T-2
    title: Write two
    status: pending
    depends_on: [T-1]
    scope:
      write: [two.txt]

  - id: T-3
    title: Anything
    status: pending
"""

CLAIM = """\
    status: in-progress
    claim:
      id: {id}
      by: {by}
      at: "2026-11-21T10:00:00Z"
      base: 3f2a9c1d5e60
"""
DONE = """\
    status: complete
    claim: {{id: {id}, by: {by}, at: t, base: b}}
    result: {{id: r-{id}, claim: {id}, outcome: done, at: t}}
"""


def begun(folder: Path) -> World:
    """A world with GRAPH and a file beside it, whose commands are trusted."""
    made = World(folder)
    made.write_graph(GRAPH)
    made.write("lib.txt", "lib\n")
    made.commit("The graph")
    assert made.ralph("trust", "--yes").code == 0
    return made


@pytest.fixture
def world(tmp_path: Path) -> World:
    return begun(tmp_path)


@pytest.fixture
def alpha(world: World) -> Place:
    return world.worktree("alpha")


def status(place: Place, task: str, lines: str, *, old: str = "    status: pending\n") -> None:
    """Change a task's status lines by hand, as no command would."""
    text = place.read()
    at = text.index(f"- id: {task}\n")
    begin = text.index(old, at)
    place.write_graph(text[:begin] + lines + text[begin + len(old) :])


def done(place: Place, task: str = "T-1", name: str = "one.txt") -> str:
    return place.did(task, {name: "content\n"})


def landed(world: World, place: Place, branch: str = "alpha") -> None:
    """Merge a branch into main, and main's worktree follows."""
    assert world.merge(branch).code == 0


def problems(place: Place, *words: str, code: int = 1) -> list[dict[str, Any]]:
    """What `check --json WORDS` finds; it writes nothing and says nothing else."""
    found = place.ralph("check", "--json", *words)
    assert found.code == code, found.out + found.err
    assert found.err == ""
    assert found.json["ok"] == (code == 0)
    told: list[dict[str, Any]] = found.data["problems"]
    return told


def short(told: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Severity, code, file:line:column and task of each problem."""
    return [
        (p["severity"], p["code"], f"{p['file']}:{p['line']}:{p['column']}", p["task"])
        for p in told
    ]


def against_main(place: Place, *, code: int = 1) -> list[tuple[str, str, str, str]]:
    """What is found, but for the claims of a branch that is not done yet."""
    found = problems(place, "--base", "main", code=code)
    return short([one for one in found if one["code"] != "unfinished_claim"])


CLEAN = Result(0, "No problem found.\n", "")


# -- nothing wrong -----------------------------------------------------------------------


def test_a_clean_graph(world: World) -> None:
    for words in ((), ("--at", "HEAD"), ("--base", "main"), ("--base", "main", "--at", "main")):
        assert world.ralph("check", *words) == CLEAN
    assert world.ralph("check", "--json").json == {
        "schema_version": 1, "kind": "check", "ok": True, "data": {"problems": []},
        "warnings": [], "error": None,
    }  # fmt: skip


@pytest.mark.slow
def test_every_step_of_a_task_is_clean(world: World, alpha: Place) -> None:
    def clean(*but: str) -> None:
        assert alpha.ralph("check") == CLEAN
        found = world.ralph("check", "--base", "main", "--at", "alpha", "--json")
        assert (found.code, [one["code"] for one in found.data["problems"]]) == (0, [*but])

    alpha.claim("T-1")
    clean()
    alpha.write("one.txt", "half")
    alpha.commit("Half of it")
    clean("unfinished_claim")
    assert alpha.ralph("block", "T-1", "--reason", "other", "--question", "Why?").code == 0
    clean()
    alpha.claim("T-1", "--force", "answered")
    assert alpha.ralph("release", "T-1").code == 0
    clean()
    done(alpha)
    clean()
    landed(world, alpha)
    assert world.ralph("check") == CLEAN
    assert world.ralph("reset", "T-1", "--reopen", "--reason", "again").code == 0
    assert world.ralph("check") == CLEAN
    assert alpha.ralph("check", "--base", "main") == CLEAN


def test_the_merged_result_is_judged_not_the_branch(world: World, alpha: Place) -> None:
    """Both sides are clean, and only together they are not."""
    alpha.replace("    depends_on: [T-1]\n", "    depends_on: [T-1, T-3]\n")
    alpha.commit("T-2 needs T-3")
    text = world.read()
    world.write_graph(text.replace("  - id: T-3\n", "  - id: T-4\n"))
    world.commit("T-3 is T-4 now")
    assert alpha.ralph("check") == world.ralph("check") == CLEAN
    assert against_main(alpha) == [
        ("error", "unknown_dependency", "task-graph.yaml:15:1", "T-2"),
    ]


# -- what is wrong -----------------------------------------------------------------------


def two_claims_without_ids(world: World, alpha: Place) -> None:
    """Byte for byte the same edit on both sides: git merges it without a word."""
    for place in (world, alpha):
        status(place, "T-3", "    status: in-progress\n")
        place.commit("Mine")


def two_claims_with_one_id(world: World, alpha: Place) -> None:
    status(alpha, "T-1", CLAIM.format(id="k1", by="alpha"))
    status(alpha, "T-3", CLAIM.format(id="k1", by="alpha"))


def unknown_dependency(world: World, alpha: Place) -> None:
    alpha.replace("depends_on: [T-1]", "depends_on: [T-1, T-9]")


def cycle(world: World, alpha: Place) -> None:
    alpha.replace("    story: S-1\n", "    story: S-1\n    depends_on: [T-2]\n")


def cycle_of_one(world: World, alpha: Place) -> None:
    alpha.replace("depends_on: [T-1]", "depends_on: [T-2]")


def stale_contract(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.replace("test -s one.txt", "true")


def conflict_markers(world: World, alpha: Place) -> None:
    alpha.replace("    title: Write two\n", "<<<<<<< HEAD\n    title: Write two\n=======\n")


def duplicate_key(world: World, alpha: Place) -> None:
    alpha.replace("    title: Write two\n", "    title: Write two\n    title: Write 2\n")


def duplicate_id(world: World, alpha: Place) -> None:
    alpha.replace("  - id: T-3\n", "  - id: t-1\n")


def two_problems_of_shape(world: World, alpha: Place) -> None:
    alpha.replace("    depends_on: [T-1]\n", "    priority: 9\n    mode: odd\n")


def blocked_without_reason(world: World, alpha: Place) -> None:
    lines = CLAIM.format(id="k1", by="alpha")
    status(alpha, "T-3", lines.replace("in-progress", "blocked"))


def claimed_and_pending(world: World, alpha: Place) -> None:
    lines = CLAIM.format(id="k1", by="alpha")
    status(alpha, "T-3", lines.replace("in-progress", "pending"))


def result_of_another_claim(world: World, alpha: Place) -> None:
    """What a merge without conflict could still leave (law L3)."""
    status(alpha, "T-3", DONE.format(id="k1", by="alpha").replace("claim: k1", "claim: k0"))


STATES: dict[str, tuple[Callable[[World, Place], None], list[tuple[str, str, str, str]]]] = {
    "two-claims-without-ids": (
        two_claims_without_ids, [("error", "inconsistent", "task-graph.yaml:22:1", "T-3")],
    ),
    "two-claims-with-one-id": (
        two_claims_with_one_id, [("error", "duplicate_claim", "task-graph.yaml:27:1", "T-3")],
    ),
    "unknown-dependency": (
        unknown_dependency, [("error", "unknown_dependency", "task-graph.yaml:15:1", "T-2")],
    ),
    "cycle": (cycle, [("error", "cycle", "task-graph.yaml:3:1", "T-1")]),
    "cycle-of-one": (cycle_of_one, [("error", "cycle", "task-graph.yaml:15:1", "T-2")]),
    "stale-contract": (stale_contract, [("error", "stale_contract", "task-graph.yaml:3:1", "T-1")]),
    "conflict-markers": (
        conflict_markers, [("error", "conflict_marker", "task-graph.yaml:16:1", "")],
    ),
    "duplicate-key": (duplicate_key, [("error", "duplicate_key", "task-graph.yaml:17:5", "")]),
    "duplicate-id": (duplicate_id, [("error", "duplicate_id", "task-graph.yaml:22:1", "t-1")]),
    "shape": (
        two_problems_of_shape,
        [
            ("error", "invalid_record", "task-graph.yaml:18:15", "T-2"),
            ("error", "invalid_record", "task-graph.yaml:19:11", "T-2"),
        ],
    ),
    "blocked-without-reason": (
        blocked_without_reason, [("error", "inconsistent", "task-graph.yaml:22:1", "T-3")],
    ),
    "claimed-and-pending": (
        claimed_and_pending, [("error", "inconsistent", "task-graph.yaml:22:1", "T-3")],
    ),
    "result-of-another-claim": (
        result_of_another_claim,
        [
            ("error", "fenced", "task-graph.yaml:22:1", "T-3"),
            ("warning", "unverified", "task-graph.yaml:22:1", "T-3"),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_a_problem_of_a_state_is_found_in_every_view(world: World, alpha: Place, name: str) -> None:
    """In the working files, in the commit, and in the merged result."""
    seed, wanted = STATES[name]
    seed(world, alpha)
    assert short(problems(alpha)) == wanted
    alpha.commit("Seeded")
    if name.startswith(("two-claims", "conflict")):
        at = [(severity, code, f"HEAD:{place}", task) for severity, code, place, task in wanted]
        assert short(problems(alpha, "--at", "HEAD")) == at
    told = problems(world, "--base", "main", "--at", "alpha")
    assert [problem for problem in short(told) if problem in wanted] == wanted
    assert all(problem["hint"] for problem in told if problem["severity"] == "error"), told


def lost_claim(world: World, alpha: Place) -> None:
    status(world, "T-3", CLAIM.format(id="k-beta", by="beta"))
    world.commit("Beta claims")
    status(alpha, "T-3", CLAIM.format(id="k-alpha", by="alpha"))


def late_completion(world: World, alpha: Place) -> None:
    """Alpha was taken for dead, and finishes all the same (law L3)."""
    done(alpha, "T-3", "three.txt")
    assert world.ralph("reset", "T-3", "--reason", "gone", "--force").code == 0


def claim_replaced(world: World, alpha: Place) -> None:
    """Beta's claim has landed; the branch knows it, and writes its own in its place."""
    status(world, "T-3", CLAIM.format(id="k-beta", by="beta"))
    world.commit("Beta claims")
    alpha.git("merge", "--quiet", "main")
    text = alpha.read()
    alpha.write_graph(text.replace("k-beta", "k-alpha").replace("by: beta", "by: alpha"))


def in_progress_to_pending(world: World, alpha: Place) -> None:
    lines = CLAIM.format(id="k-beta", by="beta")
    status(world, "T-3", lines)
    world.commit("Beta claims")
    alpha.git("merge", "--quiet", "main")
    status(alpha, "T-3", "    status: pending\n", old=lines)


def in_progress_to_pending_with_epoch(world: World, alpha: Place) -> None:
    in_progress_to_pending(world, alpha)
    text = alpha.read()
    alpha.write_graph(text.rstrip("\n") + "\n    epoch: 1\n")


def complete_to_in_progress(world: World, alpha: Place) -> None:
    done(alpha, "T-3", "three.txt")
    landed(world, alpha)
    text = alpha.read()
    at = text.index("    result:\n")
    alpha.write_graph(text[:at].replace("status: complete", "status: in-progress"))


def result_replaced(world: World, alpha: Place) -> None:
    done(alpha, "T-3", "three.txt")
    landed(world, alpha)
    text = alpha.read()
    at = text.index("    result:\n")
    alpha.write_graph(text[:at] + re.sub(r"(?m)^      id: .*$", "      id: other", text[at:]))


def epoch_lowered(world: World, alpha: Place) -> None:
    text = world.read()
    world.write_graph(text + "    reset: {id: s1, by: Ann, reason: gone}\n    epoch: 2\n")
    world.commit("Reset")
    alpha.git("merge", "--quiet", "main")
    alpha.replace("    epoch: 2\n", "    epoch: 1\n")


def epoch_taken_out(world: World, alpha: Place) -> None:
    epoch_lowered(world, alpha)
    alpha.replace("    epoch: 1\n", "")


def edited_evidence(world: World, alpha: Place) -> None:
    done(alpha)
    landed(world, alpha)
    (path,) = (alpha.path / "records/evidence/T-1").iterdir()
    name = str(path.relative_to(alpha.path))
    alpha.write(name, alpha.read(name).replace("exits 0", "passes"))


def deleted_evidence(world: World, alpha: Place) -> None:
    done(alpha)
    landed(world, alpha)
    (path,) = (alpha.path / "records/evidence/T-1").iterdir()
    path.unlink()


def edited_audit(world: World, alpha: Place) -> None:
    claim = done(alpha)
    landed(world, alpha)
    alpha.replace("event: claimed", "event: resumed", f"records/audit/T-1/{claim}.yaml")


def cut_audit(world: World, alpha: Place) -> None:
    claim = done(alpha)
    landed(world, alpha)
    name = f"records/audit/T-1/{claim}.yaml"
    text = alpha.read(name)
    alpha.write(name, text[: text.rindex("  - at:")])


def deleted_audit(world: World, alpha: Place) -> None:
    claim = done(alpha)
    landed(world, alpha)
    (alpha.path / f"records/audit/T-1/{claim}.yaml").unlink()


def edited_question(world: World, alpha: Place) -> None:
    alpha.claim("T-3")
    assert alpha.ralph("block", "T-3", "--reason", "other", "--question", "Why?").code == 0
    landed(world, alpha)
    (path,) = (alpha.path / "records/guidance/T-3").iterdir()
    alpha.replace("Why?", "How?", str(path.relative_to(alpha.path)))


def without_evidence(world: World, alpha: Place) -> None:
    status(alpha, "T-1", DONE.format(id="k1", by="alpha"))


def evidence_of_another_claim(world: World, alpha: Place) -> None:
    done(alpha)
    (path,) = (alpha.path / "records/evidence/T-1").iterdir()
    name = str(path.relative_to(alpha.path))
    text = alpha.read(name)
    alpha.write(name, re.sub("(?m)^claim: .*$", "claim: k-other", text))


def evidence_that_failed(world: World, alpha: Place) -> None:
    done(alpha)
    (path,) = (alpha.path / "records/evidence/T-1").iterdir()
    alpha.replace("exit_code: 0", "exit_code: 1", str(path.relative_to(alpha.path)))


def evidence_of_a_command_that_the_branch_made_easier(world: World, alpha: Place) -> None:
    alpha.replace("test -s one.txt", "true")
    alpha.commit("Easier")
    status(alpha, "T-1", DONE.format(id="k1", by="alpha"))
    digest = "b5bea41b6c623f7c09f1bf24dcae58ebab3c0cdd90ad966bc43a45b44867e12b"
    record = f"""\
id: e1
task: T-1
claim: k1
kind: command
command: "true"
command_digest: {digest}
exit_code: 0
started_at: t
duration_s: 0
output: {{sha256: {digest}, bytes: 0, tail: ''}}
subject: {{commit: c, tree: t, scope_digest: d}}
"""
    alpha.write("records/evidence/T-1/e1.yaml", record)


def without_claim(world: World, alpha: Place) -> None:
    status(alpha, "T-3", "    status: complete\n")


def without_result(world: World, alpha: Place) -> None:
    status(alpha, "T-3", CLAIM.format(id="k1", by="alpha").replace("in-progress", "complete"))


def outside_scope(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.write("src/inside.txt", "in\n")
    alpha.write("two.txt", "out\n")


def outside_a_scope_that_the_branch_widened(world: World, alpha: Place) -> None:
    alpha.replace('write: [one.txt, "src/**"]', 'write: ["**"]')
    alpha.commit("Wider")
    alpha.claim("T-1", "--force", "wider")
    alpha.write("two.txt", "out\n")


def outside_a_scope_that_the_branch_took_out(world: World, alpha: Place) -> None:
    alpha.replace('      write: [one.txt, "src/**"]\n', "")
    alpha.commit("None")
    alpha.claim("T-1", "--force", "none")
    alpha.write("two.txt", "out\n")


def task_in_progress_removed(world: World, alpha: Place) -> None:
    status(world, "T-3", CLAIM.format(id="k-beta", by="beta"))
    world.commit("Beta claims")
    alpha.git("merge", "--quiet", "main")
    text = alpha.read()
    alpha.write_graph(text[: text.index("  - id: T-3\n")])


def record_that_is_none(world: World, alpha: Place) -> None:
    alpha.write("records/evidence/T-1/e1.yaml", "id: e1\ntask: T-1\nkind: guess\nclaim: k1\n")


def record_that_cannot_be_read(world: World, alpha: Place) -> None:
    alpha.write("records/audit/T-1/k1.yaml", "id: &a k1\n")


def record_in_the_wrong_place(world: World, alpha: Place) -> None:
    alpha.write(
        "records/evidence/T-2/e1.yaml",
        "id: e1\ntask: T-1\nclaim: k1\nkind: observation\nshows: it\n",
    )


GRAPH_AT = "task-graph.yaml"
Wanted = list[tuple[str, str, str, str]]
CHANGES: dict[str, tuple[Callable[[World, Place], None], Wanted]] = {
    "lost-claim": (
        lost_claim,
        [
            ("error", "merge_conflict", f"{GRAPH_AT}:1:1", ""),
            ("error", "claim_lost", f"{GRAPH_AT}:22:1", "T-3"),
        ],
    ),
    "late-completion": (
        late_completion,
        [
            ("error", "merge_conflict", "records/audit/T-3/*:1:1", ""),
            ("error", "merge_conflict", f"{GRAPH_AT}:1:1", ""),
            ("error", "claim_lost", f"{GRAPH_AT}:22:1", "T-3"),
        ],
    ),
    "claim-replaced": (
        claim_replaced, [("error", "claim_replaced", f"{GRAPH_AT}:22:1", "T-3")],
    ),
    "in-progress-to-pending": (
        in_progress_to_pending, [("error", "illegal_move", f"{GRAPH_AT}:22:1", "T-3")],
    ),
    "in-progress-to-pending-with-epoch": (
        in_progress_to_pending_with_epoch, [("error", "illegal_move", f"{GRAPH_AT}:22:1", "T-3")],
    ),
    "complete-to-in-progress": (
        complete_to_in_progress, [("error", "illegal_move", f"{GRAPH_AT}:22:1", "T-3")],
    ),
    "result-replaced": (
        result_replaced, [("error", "result_replaced", f"{GRAPH_AT}:22:1", "T-3")],
    ),
    "epoch-lowered": (epoch_lowered, [("error", "epoch_lowered", f"{GRAPH_AT}:22:1", "T-3")]),
    "epoch-taken-out": (epoch_taken_out, [("error", "epoch_lowered", f"{GRAPH_AT}:22:1", "T-3")]),
    "edited-evidence": (
        edited_evidence, [("error", "edited_evidence", "records/evidence/T-1/*:1:1", "T-1")],
    ),
    "deleted-evidence": (
        deleted_evidence, [("error", "removed_evidence", "records/evidence/T-1/*:1:1", "T-1")],
    ),
    "edited-audit": (
        edited_audit, [("error", "edited_audit", "records/audit/T-1/*:1:1", "T-1")],
    ),
    "cut-audit": (cut_audit, [("error", "edited_audit", "records/audit/T-1/*:1:1", "T-1")]),
    "deleted-audit": (
        deleted_audit, [("error", "removed_audit", "records/audit/T-1/*:1:1", "T-1")],
    ),
    "edited-question": (
        edited_question, [("error", "edited_guidance", "records/guidance/T-3/*:1:1", "T-3")],
    ),
    "without-evidence": (
        without_evidence,
        [("error", "missing_evidence", f"{GRAPH_AT}:3:1", "T-1"),
         ("error", "status_without_event", f"{GRAPH_AT}:3:1", "T-1")],
    ),
    "evidence-of-another-claim": (
        evidence_of_another_claim,
        [("error", "edited_evidence", "records/evidence/T-1/*:1:1", "T-1"),
         ("error", "other_evidence", "records/evidence/T-1/*:1:1", "T-1"),
         ("error", "missing_evidence", f"{GRAPH_AT}:3:1", "T-1")],
    ),
    "evidence-that-failed": (
        evidence_that_failed,
        [("error", "edited_evidence", "records/evidence/T-1/*:1:1", "T-1"),
         ("error", "missing_evidence", f"{GRAPH_AT}:3:1", "T-1")],
    ),
    "evidence-of-an-easier-command": (
        evidence_of_a_command_that_the_branch_made_easier,
        [("error", "other_command", f"{GRAPH_AT}:3:1", "T-1"),
         ("error", "status_without_event", f"{GRAPH_AT}:3:1", "T-1")],
    ),
    "without-claim": (without_claim, [("error", "not_claimed", f"{GRAPH_AT}:22:1", "T-3")]),
    "without-result": (without_result, [("error", "not_claimed", f"{GRAPH_AT}:22:1", "T-3")]),
    "outside-scope": (outside_scope, [("error", "outside_scope", "two.txt:1:1", "T-1")]),
    "outside-a-widened-scope": (
        outside_a_scope_that_the_branch_widened, [("error", "outside_scope", "two.txt:1:1", "T-1")],
    ),
    "outside-a-removed-scope": (
        outside_a_scope_that_the_branch_took_out,
        [("error", "outside_scope", "two.txt:1:1", "T-1")],
    ),
    "task-removed": (
        task_in_progress_removed, [("error", "task_removed", f"{GRAPH_AT}:22:1", "T-3")],
    ),
    "record-that-is-none": (
        record_that_is_none, [("error", "schema", "records/evidence/T-1/e1.yaml:3:7", "")],
    ),
    "record-that-cannot-be-read": (
        record_that_cannot_be_read, [("error", "anchor", "records/audit/T-1/k1.yaml:1:5", "")],
    ),
    "record-in-the-wrong-place": (
        record_in_the_wrong_place,
        [("error", "misplaced", "records/evidence/T-2/e1.yaml:1:1", "T-1")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_problem_of_a_change_is_found(world: World, alpha: Place, name: str) -> None:
    seed, wanted = CHANGES[name]
    seed(world, alpha)
    alpha.commit("Seeded")
    told = problems(alpha, "--base", "main")
    # Not what the test is about: the branch has not ended what it claims.
    told = [one for one in told if one["code"] != "unfinished_claim"]
    # Which claim and which evidence is random: their names stand as a star.
    found = [
        (severity, code, re.sub(r"(/T-\d)/[a-z0-9]{10}\.yaml", r"\1/*", place), task)
        for severity, code, place, task in short(told)
    ]
    assert found == wanted
    assert all(problem["hint"] for problem in told)
    assert world.ralph("check").code == 0  # the base has done nothing wrong


def test_a_claim_that_a_rename_carried_to_another_task_is_found(tmp_path: Path) -> None:
    """File per task: main renames T-1's file, and git carries the branch's claim along."""
    world = World(tmp_path)
    world.write("ralph.toml", 'graph = ["graph/*.yaml"]\n')
    body = "version: 1\ntasks:\n  - id: T-{n}\n    title: Do it\n    status: pending\n"
    body += "    description: |\n" + "".join(f"      line {n}\n" for n in range(30))
    world.write("graph/T-1.yaml", body.replace("{n}", "1"))
    world.commit("The graph")
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.commit("Claimed")
    world.git("mv", "graph/T-1.yaml", "graph/T-2.yaml")
    world.replace("  - id: T-1\n", "  - id: T-2\n", "graph/T-2.yaml")
    world.commit("T-1 is gone, T-2 is here")
    merged = short(problems(alpha, "--base", "main"))
    assert ("error", "moved_claim", "graph/T-2.yaml:3:1", "T-2") in merged
    assert world.merge("alpha").code == 0  # git sees nothing wrong
    assert ("error", "moved_claim", "graph/T-2.yaml:3:1", "T-2") in short(problems(world))


def test_a_claim_carried_to_another_task_without_its_audit_breaks_the_contract(
    world: World, alpha: Place
) -> None:
    claimed = alpha.ralph("claim", "T-3", "--json").data["task"]["claim"]
    lines = "    status: in-progress\n    claim:\n"
    lines += "".join(f'      {key}: "{value}"\n' for key, value in claimed.items())
    world.write_graph(GRAPH)
    status(world, "T-1", lines)
    assert short(problems(world)) == [("error", "stale_contract", "task-graph.yaml:3:1", "T-1")]


# -- what is only said -------------------------------------------------------------------


def test_an_append_to_the_audit_is_no_problem(world: World, alpha: Place) -> None:
    claim = done(alpha)
    landed(world, alpha)
    name = f"records/audit/T-1/{claim}.yaml"
    line = '  - {at: t, event: landed, by: Ann, from: complete, to: complete, note: "by hand"}\n'
    alpha.write(name, alpha.read(name) + line)
    alpha.commit("Landed")
    assert against_main(alpha, code=0) == []


def test_an_answer_to_a_question_is_no_problem(world: World, alpha: Place) -> None:
    alpha.claim("T-3")
    assert alpha.ralph("block", "T-3", "--reason", "other", "--question", "Why?").code == 0
    landed(world, alpha)
    (path,) = (alpha.path / "records/guidance/T-3").iterdir()
    name = str(path.relative_to(alpha.path))
    alpha.write(name, alpha.read(name) + "answer: {text: So, by: Ann, at: t}\n")
    alpha.commit("Answered")
    assert against_main(alpha, code=0) == []


def test_a_forced_completion_is_a_warning(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.complete("T-1", "--force", "by hand")
    place = "task-graph.yaml:3:1"
    forced = ("warning", "forced", place, "T-1")
    assert against_main(alpha, code=0) == [forced, ("warning", "unverified", place, "T-1")]
    # Of which nothing is verified cannot land where that is asked for, whoever was so free.
    world.write("ralph.toml", "[verify]\nrequired = true\n")
    world.commit("Ask for it")
    assert set(against_main(alpha)) == {forced, ("error", "unverified", place, "T-1")}
    refused = world.ralph("land", "alpha", "--json")
    assert (refused.code, refused.error) == (1, "not_ready")
    assert alpha.ralph("complete", "--land", "--json").error == "verification_failed"
    assert world.task("T-1")["status"] == "pending"


def test_stale_evidence_is_a_warning(world: World, alpha: Place) -> None:
    done(alpha)
    assert against_main(alpha, code=0) == []
    world.write("two.txt", "elsewhere\n")
    world.commit("Elsewhere")
    assert against_main(alpha, code=0) == []
    world.write("lib.txt", "another lib\n")
    world.commit("What T-1 reads")
    assert against_main(alpha, code=0) == [
        ("warning", "stale_evidence", "task-graph.yaml:3:1", "T-1"),
    ]


def test_a_changed_contract_of_a_finished_task_is_a_warning(world: World, alpha: Place) -> None:
    done(alpha)
    alpha.replace("      - one.txt\n", "      - 1.txt\n")
    assert short(problems(alpha, code=0)) == [
        ("warning", "stale_contract", "task-graph.yaml:3:1", "T-1"),
    ]


def test_a_task_taken_out_that_nobody_works_on_is_a_warning(world: World, alpha: Place) -> None:
    text = alpha.read()
    alpha.write_graph(text[: text.index("  - id: T-3\n")])
    alpha.commit("Without T-3")
    assert against_main(alpha, code=0) == [
        ("warning", "task_removed", "task-graph.yaml:22:1", "T-3"),
    ]


def test_neighbours_on_one_line_each_are_advised_of(world: World) -> None:
    world.write_graph(
        "version: 1\ntasks:\n"
        "  - {id: T-1, title: One, status: pending}\n"
        "  - {id: T-2, title: Two, status: pending}\n"
        "  - id: T-3\n    title: Three\n    status: pending\n"
    )
    (problem,) = problems(world, code=0)
    assert short([problem]) == [("warning", "flow_style", "task-graph.yaml:3:1", "T-1")]
    assert problem["hint"] == "ralphgit edit T-1 --block"


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\ntasks: [{id: T-1, title: One, status: pending}, {id: T-2, title: Two, "
        "status: pending}]\n",
        "version: 1\ntasks:\n  [\n    {id: T-1, title: One, status: pending},\n"
        "    {id: T-2, title: Two, status: pending}]\n",
        '{"version": 1, "tasks": [{"id": "T-1", "title": "One", "status": "pending"}, '
        '{"id": "T-2", "title": "Two", "status": "pending"}]}\n',
    ],
)
def test_neighbours_in_a_list_in_flow_style_are_advised_of(world: World, text: str) -> None:
    world.write_graph(text)
    (problem,) = (one for one in problems(world, code=0) if one["code"] == "flow_style")
    assert problem["task"] == "T-1"
    assert problem["hint"].startswith("write each task as '- id: ...'")


def test_a_record_of_a_task_that_is_gone_is_a_warning(world: World) -> None:
    record = "id: e1\ntask: T-9\nclaim: k1\nkind: observation\nshows: it\n"
    world.write("records/evidence/T-9/e1.yaml", record)
    assert short(problems(world, code=0)) == [
        ("warning", "orphan", "records/evidence/T-9/e1.yaml:1:1", "T-9"),
    ]


EMPTY = {"nothing": "", "a line": "\n", "a comment": "# later\n", "null": "null\n"}


@pytest.mark.parametrize("text", EMPTY.values(), ids=EMPTY)
@pytest.mark.parametrize("kind", ["audit", "evidence", "guidance"])
def test_an_empty_record_is_one_problem_among_the_others(
    world: World, kind: str, text: str
) -> None:
    world.write(f"records/{kind}/T-1/x.yaml", text)
    world.write("records/evidence/T-2/y.yaml", "task: [\n")
    (empty,) = [p for p in problems(world) if p["file"].endswith("x.yaml")]
    assert short(problems(world)) == sorted(
        [
            ("error", "schema", f"records/{kind}/T-1/x.yaml:1:1", ""),
            ("error", "syntax", "records/evidence/T-2/y.yaml:2:1", ""),
        ],
        key=lambda row: row[2],
    )
    assert (empty["message"], empty["hint"]) == (
        "the record is empty",
        f"see schemas/{kind}.schema.json",
    )


def test_a_graph_file_that_is_a_symbolic_link(world: World) -> None:
    """git keeps where it leads to, so no other worktree has the graph."""
    world.write("real/graph.yaml", GRAPH)
    (world.path / "task-graph.yaml").unlink()
    (world.path / "task-graph.yaml").symlink_to("real/graph.yaml")
    (said,) = problems(world)
    assert (said["code"], said["file"], said["message"]) == (
        "symbolic_link",
        "task-graph.yaml",
        "the graph file is a symbolic link",
    )
    world.commit()
    message = "this is a symbolic link, or only the path that one leads to: real/graph.yaml"
    hint = "git stores only the path of a link: replace the link by the file itself"
    for command in ("list", "claim", "status"):
        assert world.ralph(command) == (
            6, "", f"error: main:task-graph.yaml:1:1: {message}\nhint: {hint}\n",
        ), command  # fmt: skip
    (said,) = problems(world, "--at", "main")
    assert (said["message"], said["hint"]) == (message, hint)


@pytest.mark.parametrize("how", ["syntax", "shape"])
def test_of_a_graph_that_cannot_be_read_nothing_else_is_said(
    world: World, alpha: Place, how: str
) -> None:
    """A task in it is neither missing for its records nor for who depends on it."""
    done(alpha)
    landed(world, alpha)
    world.write("ralph.toml", 'graph = ["task-graph.yaml", "graph/*.yaml"]\n')
    world.write_graph(
        "version: 1\ntasks:\n  - {id: X-1, title: X, status: pending, depends_on: [T-1]}\n",
        name="graph/other.yaml",
    )
    assert problems(world, code=0) == []
    if how == "syntax":
        world.write_graph(world.read() + "    : [\n")
    else:
        world.replace("    title: Write one\n", "")
    (said,) = problems(world)
    assert (said["severity"], said["file"]) == ("error", "task-graph.yaml")


def test_half_a_write_and_other_files_are_passed_over(world: World) -> None:
    world.write("records/evidence/T-1/.ralph-tmp-1-e1.yaml", "id: &")
    world.write("records/notes.yaml", "id: &")
    world.write("records/evidence/T-1/notes.txt", "id: &")
    assert world.ralph("check") == CLEAN


# -- how it is said ----------------------------------------------------------------------


def test_problems_as_text(world: World) -> None:
    world.replace("depends_on: [T-1]", "depends_on: [T-9]")
    world.write("records/evidence/T-8/e1.yaml", "id: e1\ntask: T-8\nclaim: k1\n")
    assert world.ralph("check") == (
        1,
        "records/evidence/T-8/e1.yaml:1:1: error: 'kind' is a required property [schema]\n"
        "  see schemas/evidence.schema.json\n"
        "task-graph.yaml:15:1: error: T-2 depends on T-9, which does not exist "
        "[unknown_dependency]\n"
        "  add T-9, or remove it from depends_on\n",
        "error: 2 problems found\n",
    )


def test_problems_as_json(world: World) -> None:
    world.replace("depends_on: [T-1]", "depends_on: [T-9]")
    found = world.ralph("check", "--json").json
    assert found["data"] == {
        "problems": [
            {
                "code": "unknown_dependency",
                "severity": "error",
                "file": "task-graph.yaml",
                "line": 15,
                "column": 1,
                "task": "T-2",
                "message": "T-2 depends on T-9, which does not exist",
                "hint": "add T-9, or remove it from depends_on",
            }
        ]
    }
    error = found["error"]
    assert (error["code"], error["exit"]) == ("problems_found", 1)


def test_hostile_text_is_shown_escaped(world: World) -> None:
    world.write_graph(
        GRAPH + '  - id: "T-\\u2066[31m"\n    title: x\n    status: "\\u202egnidnep"\n'
    )
    found = world.ralph("check")
    assert found.code == 1
    assert all(line.isprintable() for line in found.out.splitlines())


# -- what cannot be judged ---------------------------------------------------------------


def test_a_branch_without_a_graph_does_not_pass(world: World, alpha: Place) -> None:
    """With its records it would be a farewell."""
    done(alpha)
    alpha.git("rm", "--quiet", "task-graph.yaml")
    alpha.commit("No graph")
    for words in ((), ("--at", "HEAD"), ("--base", "main")):
        found = alpha.ralph("check", "--json", *words)
        assert (found.code, found.error) == (6, "no_graph"), words


def test_a_base_that_is_broken_can_be_mended(world: World, alpha: Place) -> None:
    world.replace("    title: Write two\n", "    title: Write two\n    title: Write 2\n")
    world.commit("Broken")
    alpha.git("merge", "--quiet", "main")
    wanted = ("duplicate_key", "main:task-graph.yaml:17:5", "")
    assert against_main(alpha) == [
        ("error", "duplicate_key", "task-graph.yaml:17:5", ""),
        ("warning", *wanted),
    ]
    alpha.replace("    title: Write 2\n", "")
    alpha.commit("Mended")
    assert against_main(alpha, code=0) == [("warning", *wanted)]


def test_a_merge_that_conflicts_outside_the_records(world: World, alpha: Place) -> None:
    for place, text in ((world, "main\n"), (alpha, "alpha\n")):
        place.write("lib.txt", text)
        place.commit("lib")
    assert against_main(alpha) == [("error", "merge_conflict", "lib.txt:1:1", "")]


def test_histories_without_a_common_commit(world: World) -> None:
    world.git("checkout", "--quiet", "--orphan", "other")
    world.commit("Another beginning")
    assert against_main(world) == [("error", "unrelated", ":1:1", "")]


@pytest.mark.parametrize("option", ["--base", "--at"])
def test_a_revision_that_is_none(world: World, option: str) -> None:
    found = world.ralph("check", option, "nowhere")
    assert found == (2, "", "error: nowhere is not a commit here\nhint: git log\n")


def test_a_bare_repository_is_judged_by_revision(world: World, alpha: Place) -> None:
    origin = world.origin
    assert origin.ralph("check", "--at", "main") == CLEAN
    assert origin.ralph("check", "--base", "main", "--at", "main") == CLEAN
    found = origin.ralph("check", "--json")
    assert (found.code, found.error) == (8, "bare")


# -- purity ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [outside_scope, lost_claim, done])
def test_the_gate_writes_nothing(world: World, alpha: Place, seed: Callable[..., object]) -> None:
    assert world.origin
    if seed is done:
        done(alpha)
    else:
        seed(world, alpha)
        alpha.commit("Seeded")
    world.write("lib.txt", "moved on\n")
    world.commit("The base moves on")
    # A stat that the index does not know of tempts git to refresh it.
    os.utime(alpha.path / "task-graph.yaml", (1, 1))
    before = world.snapshot()
    for place in (world, alpha):
        for words in (("--at", "alpha"), ("--base", "origin/main")):
            assert place.ralph("check", *words).code in (0, 1)
    assert alpha.ralph("check", "--base", "main").code in (0, 1)
    assert alpha.ralph("check").code in (0, 1)
    assert world.snapshot() == before
