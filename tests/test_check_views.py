"""`check` beyond one state: ranges, what is not committed, formats; and the seeded stops."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_check import GRAPH, against_main, begun, done, problems, short, status
from world import Place, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return begun(tmp_path)


@pytest.fixture
def alpha(world: World) -> Place:
    return world.worktree("alpha")


# -- a range -------------------------------------------------------------------------------


def test_a_range_is_what_the_newer_side_changes(world: World, alpha: Place) -> None:
    done(alpha)
    assert problems(alpha, "main..", code=0) == []
    alpha.git("rm", "-rq", "records/evidence")
    alpha.commit("Without proof")
    for words in ("main..alpha", "main...alpha", "main..", "..alpha~0"):
        found = short(problems(alpha, words, code=int(words.startswith("main"))))
        wanted = [("error", "missing_evidence", "task-graph.yaml:3:1", "T-1")]
        assert found == (wanted if words.startswith("main") else []), words
    # What only the other side has done counts with three dots alone as not theirs.
    status(world, "T-3", "    status: cancelled\n    cancelled: {id: x, by: Ann, reason: no}\n")
    world.commit("T-3 is not needed")
    codes = [problem[1] for problem in short(problems(world, "main..alpha"))]
    assert codes == ["missing_evidence", "illegal_move"]
    codes = [problem[1] for problem in short(problems(world, "main...alpha"))]
    assert codes == ["missing_evidence"]


def test_a_tag_that_is_called_as_the_base_is_not_the_base(world: World, alpha: Place) -> None:
    status(alpha, "T-3", "    status: complete\n")
    alpha.commit("Done, says alpha")
    lines = (
        ("check", "alpha"), ("check", "alpha", "--base", "main"), ("check", "main..alpha"),
        ("diff", "main..alpha"), ("land", "alpha", "--dry-run"),
    )  # fmt: skip
    before = [world.ralph(*words) for words in lines]
    assert before[0].code == 1
    world.git("tag", "main", "alpha")
    (world.path / ".git" / "main").write_text(world.git("rev-parse", "alpha") + "\n")
    after = [world.ralph(*words) for words in lines]
    assert [(ran.code, ran.out) for ran in after] == [(ran.code, ran.out) for ran in before]


def test_a_branch_is_judged_as_merged_into_the_base(world: World, alpha: Place) -> None:
    """`check BRANCH`, as `diff BRANCH`; and `check` alone in its own worktree."""
    status(alpha, "T-3", "    status: complete\n")
    alpha.commit("Done, says alpha")
    for place, words in ((world, ("alpha",)), (world, ("alpha", "--base", "main")), (alpha, ())):
        assert short(problems(place, *words)) == [
            ("error", "not_claimed", "task-graph.yaml:22:1", "T-3")
        ], words
    assert problems(world, code=0) == problems(world, "main", code=0) == []
    # What is not committed yet and puts it right counts here.
    alpha.git("checkout", "--quiet", "main", "--", "task-graph.yaml")
    assert problems(alpha, code=0) == []
    for words in (("alpha", "--at", "main"), ("main..", "--base", "main")):
        assert world.ralph("check", *words).code == 2
    assert (
        world.ralph("check", "nowhere").err
        == "error: nowhere is not a commit here\nhint: git log\n"
    )


def test_a_commit_outside_the_scope_is_found_without_base(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.write("lib.txt", "changed\n")
    alpha.commit("Work")
    warned = ("warning", "unfinished_claim", "task-graph.yaml:3:1", "T-1")
    assert {*short(problems(alpha))} - {warned} == {*against_main(alpha)} - {warned}


def test_a_status_set_by_hand_is_told_with_its_place(world: World, alpha: Place) -> None:
    status(alpha, "T-3", "    status: complete\n")
    alpha.commit("Done, says alpha")
    told = world.ralph("status").out
    assert "! T-3 was made complete by hand, under no claim (" in told
    assert "ralphgit check alpha\n" in told
    assert "\nnobody\tT-3\t" in told
    assert "nobody, " in world.ralph("list").out


def test_a_lost_claim_is_not_clear(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.commit("Claim")
    assert world.ralph("diff", "alpha", "--json").data["verdict"] == "clear"
    claim = "    status: in-progress\n    claim: {id: k2, by: beta, at: t, base: b}\n"
    status(world, "T-1", claim)
    world.commit("Beta claims")
    told = world.ralph("diff", "alpha", "--json").data
    assert told["verdict"] == "problems"
    assert [note["code"] for note in told["notes"]] == ["claim_lost"]


def test_a_packet_without_an_id(world: World, alpha: Place) -> None:
    assert "task: T-1\n" in alpha.ralph("packet").out
    alpha.claim("T-3")
    assert "task: T-3\n" in alpha.ralph("packet").out
    assert "task: T-1\n" in world.ralph("packet").out


def test_a_range_that_is_none(world: World) -> None:
    assert world.ralph("check", "main..", "--at", "main").code == 2
    assert world.ralph("check", "nowhere..").err.startswith("error: nowhere is not a commit here")
    assert world.ralph("check", "--json", "--format", "sarif").code == 2


# -- working files -------------------------------------------------------------------------


def test_what_is_not_committed_is_judged_as_a_change(world: World, alpha: Place) -> None:
    done(alpha)
    (audit,) = (alpha.path / "records/audit/T-1").iterdir()
    name = str(audit.relative_to(alpha.path))
    old = alpha.read(name)
    alpha.write(name, old.replace("event: claimed", "event: resumed"))
    assert short(problems(alpha)) == [("error", "edited_audit", f"{name}:1:1", "T-1")]
    alpha.write(name, old)
    text = alpha.read()
    without = re.sub(
        "status: complete\n((?s:.*?))    result:\n(      .*\n)+", r"status: in-progress\n\1", text
    )
    alpha.write_graph(without)
    assert [p[1] for p in short(problems(alpha))] == ["illegal_move"]
    alpha.write_graph(text)
    status(alpha, "T-3", "    status: complete\n")
    assert [p[1] for p in short(problems(alpha))] == ["not_claimed"]


def test_a_claim_of_this_worktree_that_is_lost(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    assert problems(alpha, code=0) == []
    claim = "    status: in-progress\n    claim: {id: k2, by: beta, at: t, base: b}\n"
    status(world, "T-1", claim)
    world.commit("Beta claims")
    for _ in ("not committed yet", "committed"):
        (lost,) = (one for one in problems(alpha) if one["code"] != "merge_conflict")
        assert (lost["code"], lost["task"]) == ("claim_lost", "T-1")
        assert "beta has it by claim k2" in lost["message"]
        alpha.commit("Claimed")
    # Who yields takes what the base has: no illegal move of its own.
    alpha.run("git", "merge", "--quiet", "main")
    alpha.git("checkout", "--theirs", "task-graph.yaml")
    alpha.git("add", "-A")
    assert problems(alpha, code=0) == []


def test_a_scope_in_the_working_files_is_a_warning(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.write("lib.txt", "changed\n")
    wanted = [("warning", "outside_scope", "lib.txt:1:1", "T-1")]
    assert short(problems(alpha, code=0)) == wanted
    strict = alpha.ralph("check", "--strict")
    assert (strict.code, strict.err) == (1, "error: 1 problem found\n")
    alpha.commit("Committed")
    assert against_main(alpha) == [("error", *wanted[0][1:])]


def test_a_new_file_outside_the_scope_is_a_warning(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.write("extra.txt", "new\n")
    wanted = [("warning", "outside_scope", "extra.txt:1:1", "T-1")]
    assert short(problems(alpha, code=0)) == wanted
    (alpha.path / "extra.txt").unlink()
    done(alpha)
    assert problems(alpha, code=0) == []
    alpha.write("extra.txt", "new\n")
    assert short(problems(alpha, code=0)) == wanted


@pytest.mark.parametrize("change", [lambda file: file.write_text("else\n"), Path.unlink])
def test_what_makes_evidence_stale_is_a_warning_before_it_is_committed(
    world: World, alpha: Place, change: Callable[[Path], object]
) -> None:
    done(alpha)
    change(alpha.path / "one.txt")
    found = problems(alpha, code=0)
    assert [(one["code"], one["task"]) for one in found] == [("stale_evidence", "T-1")]
    assert "files of T-1 have changed since this passed" in found[0]["message"]


def test_commits_are_judged_by_themselves_where_one_task_has_no_scope(
    world: World, alpha: Place
) -> None:
    done(alpha)
    done(alpha, "T-3", "free.txt")
    assert [p[:2] for p in against_main(alpha, code=0)] == [("warning", "unverified")]
    # What T-1's own commit has changed outside its scope T-3 does not cover.
    beta = world.worktree("beta")
    at = "2026-11-21T10:00:00Z"
    claim = f'    status: in-progress\n    claim: {{{{id: {{}}, by: beta, at: "{at}", base: b}}}}\n'
    event = f'{{at: "{at}", event: claimed, by: beta, from: pending, to: in-progress}}'
    for task, file in (("T-1", "lib.txt"), ("T-3", "three.txt")):
        status(beta, task, claim.format(f"k-{task}"))
        named = f"id: k-{task}\nkind: event\ntask: {task}\nclaim: k-{task}\n"
        beta.write(f"records/audit/{task}/k-{task}.yaml", f"{named}events: [{event}]\n")
        beta.write(file, "changed\n")
        beta.commit(task)
    assert against_main(beta) == [
        ("error", "outside_scope", "lib.txt:1:1", "T-1"),
        ("warning", "scope_unproved", "three.txt:1:1", ""),  # T-1 is not complete yet
    ]
    beta.git("reset", "--quiet", "--soft", "main")
    beta.commit("Both in one")
    assert against_main(beta, code=0) == [("warning", "scope_unproved", "lib.txt:1:1", "")]


# -- records under their ids -----------------------------------------------------------------

_MOVED = """\
version: 1
tasks:
  - id: T-1
    title: One
    status: complete
    claim: {id: c1, by: ann, at: "2026-11-21T10:00:00Z", base: b}
    result:
      id: r1
      claim: c1
      outcome: done_with_concerns
      at: "2026-11-21T11:00:00Z"
      concerns: [slow]
  - id: T-2
    title: Two
    status: in-progress
    claim: {id: c2, by: bob, at: "2026-11-21T10:00:00Z", base: b}
  - id: T-3
    title: Three
    status: blocked
    claim: {id: c3, by: cat, at: "2026-11-21T10:00:00Z", base: b}
    blocked: {id: b3, claim: c3, reason: other, question: "Which?", at: "2026-11-21T10:00:00Z"}
  - id: T-4
    title: Four
    status: pending
    reset: {id: s4, claim: c4, by: ann, at: "2026-11-21T10:00:00Z", reason: gone}
    epoch: 1
"""


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("by: bob", "by: mallory", "edited_lifecycle"),
        ("id: c2, by: bob, at: \"2026-11-21T10", "id: c2, by: bob, at: \"2026-11-21T09", ""),
        ("by: ann, at: \"2026-11-21T10:00:00Z\", base: b", "by: ann, base: b", ""),
        ("done_with_concerns", "done", ""),
        ("      concerns: [slow]\n", "", ""),
        ("11:00:00Z", "12:00:00Z", ""),
        ("Which?", "None", ""),
        ("reason: other", "reason: conflict", ""),
        ("id: b3", "id: b4", ""),
        ("reason: gone", "reason: late", ""),
        ('    reset: {id: s4, claim: c4, by: ann, at: "2026-11-21T10:00:00Z", reason: gone}\n', "",
         ""),
        ("    epoch: 1\n", "    epoch: 7\n", "illegal_move"),
    ],
)  # fmt: skip
def test_no_record_is_another_one_under_its_id(
    tmp_path: Path, old: str, new: str, code: str
) -> None:
    world = World(tmp_path)
    world.write_graph(_MOVED)
    world.commit()
    beta = world.worktree("beta")
    beta.replace(old, new)
    beta.commit("By hand")
    told = problems(world, "beta")
    assert (code or "edited_lifecycle") in [one["code"] for one in told]
    assert "problems: " in world.ralph("diff", "beta").out


# -- formats -------------------------------------------------------------------------------

HOSTILE = "x%0A::set-output name=a::b\u2028::error::no"


def seeded(world: World) -> None:
    graph = GRAPH.replace("depends_on: [T-1]", "depends_on: [T-9]")
    title = json.dumps(HOSTILE)
    world.write_graph(graph + f"  - id: T-4\n    title: x\n    status: {title}\n")


def test_problems_as_annotations(world: World) -> None:
    world.replace("depends_on: [T-1]", "depends_on: [T-9]")
    assert world.ralph("check", "--format", "github") == (
        1,
        "::error file=task-graph.yaml,line=15,col=1,title=unknown_dependency::"
        "T-2 depends on T-9, which does not exist%0A"
        "add T-9, or remove it from depends_on\n",
        "error: 1 problem found\n",
    )
    world.git("commit", "-qam", "Broken")
    at = world.ralph("check", "--format", "github", "--at", "HEAD")
    assert at.out.startswith("::error file=task-graph.yaml,line=15,")


def test_nothing_hostile_becomes_a_command(world: World) -> None:
    seeded(world)
    world.write("records/evidence/T-1/a,b:c%\n::warning::x.yaml", "id: [\n")
    found = world.ralph("check", "--format", "github")
    lines = found.out.splitlines()
    assert len(lines) == 2
    for line in lines:
        _, fields, message = line.split("::", 2)
        assert fields.startswith("error file=") and fields.count("=") == 4
        assert "\u2028" not in message and "%0A::set" not in message
        assert all(part.partition("=")[1] for part in fields[6:].split(","))
    assert "%250A" in found.out


def test_problems_as_sarif(world: World) -> None:
    seeded(world)
    found = world.ralph("check", "--format", "sarif", "--at", "HEAD")
    assert (found.code, json.loads(found.out)["runs"][0]["results"]) == (0, [])
    world.write("records/evidence/T-1/a b#.yaml", "id: [\n")
    found = world.ralph("check", "--format", "sarif")
    assert found.code == 1
    prints = fingerprints(json.loads(found.out), 2)
    world.write_graph("# a line more\n" + world.read())
    moved = json.loads(world.ralph("check", "--format", "sarif").out)
    assert fingerprints(moved, 2) == prints


def fingerprints(log: dict[str, Any], count: int) -> list[str]:
    """The results' fingerprints of a log that is as SARIF 2.1.0 wants it."""
    assert set(log) == {"$schema", "version", "runs"} and log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "ralphgit" and driver["version"]
    rules = driver["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        for name in ("shortDescription", "fullDescription", "help"):
            assert rule[name]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note", "none")
    assert len(run["results"]) == count
    found = []
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning") and result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        assert uri and not uri.startswith("/") and " " not in uri and "#" not in uri
        assert place["region"]["startLine"] >= 1 and place["region"]["startColumn"] >= 1
        found.append(result["partialFingerprints"]["ralphgit/v1"])
    assert len(set(found)) == count
    return found


QUESTION = """\
id: q2
task: T-2
claim: c
question: Which way?
at: t
by: beta
"""

# -- a branch that says where the records are -----------------------------------------------


def test_a_branch_does_not_choose_what_it_is_judged_by(world: World, alpha: Place) -> None:
    """Its `ralph.toml` says where things are once it is merged, and not what a record is."""
    done(alpha)
    outside = ("error", "outside_scope", "lib.txt:1:1", "T-1")
    settings = ("error", "outside_scope", "ralph.toml:1:1", "T-1")
    alpha.write("lib.txt", "changed\n")
    for own in ('graph = ["task-graph.yaml", "lib*"]', 'base = "alpha"', ""):
        alpha.write("ralph.toml", f"{own}\n")
        alpha.commit("Own settings")
        stale = ("warning", "stale_evidence", "task-graph.yaml:3:1", "T-1")
        assert against_main(alpha) == [outside, settings, stale], own
        assert world.ralph("check", "--base", "main", "--at", "alpha").code == 1
    alpha.write("lib.txt", "lib\n")
    alpha.git("mv", "records", "lib")
    alpha.write("ralph.toml", 'records = "lib"\n')
    alpha.write("lib/evil.sh", "true\n")
    alpha.write("lib/extra/evil.yaml", "true\n")
    alpha.commit("Another folder")
    moved = sorted(path for path in alpha.git("ls-files", "lib/audit", "lib/evidence").split())
    assert moved
    assert against_main(alpha) == [
        *(("error", "outside_scope", f"{path}:1:1", "T-1") for path in moved),
        ("error", "outside_scope", "lib/evil.sh:1:1", "T-1"),
        ("error", "outside_scope", "lib/extra/evil.yaml:1:1", "T-1"),
        settings,
    ]


def test_a_graph_that_moves_takes_its_tasks_and_records_along(world: World, alpha: Place) -> None:
    done(alpha)
    world.git("merge", "--quiet", "alpha")
    beta = world.worktree("beta")
    beta.write("ralph.toml", 'graph = ["graph/all.yaml"]\nrecords = "kept"\n')
    (beta.path / "graph").mkdir()
    beta.git("mv", "task-graph.yaml", "graph/all.yaml")
    beta.git("mv", "records", "kept")
    beta.commit("Elsewhere")
    for words in (("--base", "main"), ("main..",)):
        assert problems(beta, *words, code=0) == []
    (proof,) = (beta.path / "kept/evidence/T-1").iterdir()
    name = proof.name
    beta.git("rm", "-q", f"kept/evidence/T-1/{name}")
    beta.write("graph/all.yaml", "version: 1\ntasks: []\n")
    beta.commit("And less")
    gone = [("error", "task_removed", task) for task in ("T-1", "T-2", "T-3")]
    told = [(p["severity"], p["code"], p["task"]) for p in problems(beta, "--base", "main")]
    assert [one for one in told if one[1] == "task_removed"] == gone
    assert ("error", "removed_evidence", "T-1") in told


def test_a_status_without_a_claim_is_somebody_s(world: World, alpha: Place) -> None:
    status(alpha, "T-1", "    status: in-progress\n")
    alpha.commit("By hand")
    beta = world.worktree("beta")
    assert beta.ralph("claim", "T-1") == (
        5, "", "error: somebody has T-1 (in-progress), in worktree ../proj-alpha (branch alpha), "
        "and no claim says who\nhint: ralphgit next\n",
    )  # fmt: skip


@pytest.mark.parametrize("folder", [".ralph", ".RALPH"])
def test_runtime_state_is_in_no_scope(folder: str, alpha: Place) -> None:
    """In any spelling: some file systems read it as `.ralph`."""
    done(alpha)
    alpha.write(f"{folder}/inbox/T-2.yaml", "answer: do as I say\n")
    alpha.git("add", "--force", f"{folder}/inbox")
    alpha.commit("A letter to whoever merges this")
    expected = [
        ("error", "runtime_tracked", f"{folder}:1:1", ""),
        ("error", "outside_scope", f"{folder}/inbox/T-2.yaml:1:1", "T-1"),
    ]
    assert sorted(against_main(alpha)) == sorted(expected)
    assert {"code": "runtime_tracked", "file": f"HEAD:{folder}"}.items() <= (
        alpha.ralph("check", "--at", "HEAD", "--json").data["problems"][0].items()
    )


def test_a_merge_that_takes_back_the_base_s_work_is_seen(world: World, alpha: Place) -> None:
    """Each has merged the other, so there are two places where they part: seen from one of them
    the branch has changed nothing.
    """
    alpha.write("one.txt", "one\n")
    alpha.commit("Begun")
    world.write("lib.txt", "moved on\n")
    world.write("records/guidance/T-2/q2.yaml", QUESTION)
    world.commit("The base moves on")
    moved = world.git("rev-parse", "HEAD")
    world.git("merge", "--quiet", "--no-edit", "alpha")
    alpha.git("merge", "--quiet", "--strategy=ours", "--no-edit", moved)
    alpha.claim("T-1")
    alpha.commit("Claimed")
    assert against_main(alpha) == [
        ("error", "outside_scope", "lib.txt:1:1", "T-1"),
        ("error", "removed_guidance", "records/guidance/T-2/q2.yaml:1:1", "T-2"),
    ]
