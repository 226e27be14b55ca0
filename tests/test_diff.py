"""`diff`: what a range does to the records, in tasks and not in lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from world import Place, World

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: Write one
    status: pending
    acceptance: [one is written]
    verify: [test -s one.txt]
    scope:
      write: [one.txt]

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


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit("Plan")
    assert made.ralph("trust", "--yes").code == 0
    return made


def done(place: Place, *words: str) -> Any:
    ran = place.ralph(*words, "--json")
    assert ran.code == 0, ran.out
    return ran.data


def changes(place: Place, *words: str) -> dict[str, Any]:
    return {one["task"]: one for one in done(place, "diff", *words)["changes"]}


def codes(place: Place, *words: str) -> list[tuple[str, str]]:
    return [(one["severity"], one["code"]) for one in done(place, "diff", *words)["notes"]]


def test_a_branch_that_takes_out_every_task(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.write_graph("version: 1\ntasks: []\n")
    alpha.commit("Nothing is left")
    assert codes(alpha) == [("concern", "task_removed")] * 3
    assert [*changes(alpha)] == ["T-1", "T-2", "T-3"]


def test_a_claim_and_its_completion(world: World) -> None:
    """Whole outputs, in every range that means the same; and nothing is written."""
    alpha = world.worktree("alpha")
    fork = alpha.head
    claim = done(alpha, "claim", "T-1")["task"]["claim"]["id"]
    before = world.snapshot()
    assert alpha.ralph("diff") == (
        0,
        "no record is changed\n"
        f"alpha since it left main ({fork[:12]}..{fork[:12]})\n"
        "no file is changed besides the records\n",
        "warning: this worktree's records have uncommitted changes, which are not shown\n",
    )
    assert world.snapshot() == before
    alpha.write("one.txt", "1\n")
    done(alpha, "complete", "--concern", "it is short")
    head = alpha.head
    (record,) = alpha.git("ls-files", "records/evidence").split()
    proof = Path(record).stem
    body = [
        "",
        "concern: T-1: alpha is not sure: it is short",
        "",
        "alpha claims and completes T-1: 0 of 1 criteria proved, 1 assumed, evidence fresh",
        "  Write one",
        f"  claim {claim} by alpha",
        "  concern: it is short",
        f"  ACC-1 is assumed (by {proof}): one is written",
        f"  evidence {proof}, fresh: exit 0 of test -s one.txt",
        "",
        "becomes ready:",
        "  T-2  Write two",
        "",
        "1 file besides the records is changed",
    ]
    span = f"({fork[:12]}..{head[:12]})"
    before = world.snapshot()
    for words, line in (
        ((), f"alpha since it left main {span}"),
        (("alpha",), f"alpha since it left main {span}"),
        (("main..alpha",), f"alpha against main {span}"),
        (("main..",), f"HEAD against main {span}"),
        (("main...alpha",), f"alpha since it left main {span}"),
    ):
        told = alpha.ralph("diff", *words)
        assert (told.code, told.err) == (0, "")
        assert told.out.splitlines() == ["concerns: 1 task completed; 1 concern", line, *body]
    found = done(alpha, "diff")
    assert world.snapshot() == before
    (one,) = found.pop("changes")
    assert found == {
        "verdict": "concerns",
        "range": {"old": fork, "new": head, "base": "main", "head": "alpha"},
        "added": [], "removed": [], "moved": 0, "archived": [], "restored": [],
        "edges": {"added": [], "removed": []},
        "ready": ["T-2"], "files": ["one.txt"], "outside_scope": [], "settings": [],
        "notes": [{"severity": "concern", "code": "concern", "task": "T-1",
                   "message": "T-1: alpha is not sure: it is short"}],
    }  # fmt: skip
    assert one == {
        "task": "T-1", "title": "Write one", "change": "complete",
        "steps": [{"change": "claim", "by": "alpha", "why": ""},
                  {"change": "complete", "by": "alpha", "why": ""}],
        "sentence": "alpha claims and completes T-1",
        "from": "pending", "to": "complete", "by": "alpha", "claim": claim, "epoch": 0,
        "file": "task-graph.yaml", "evidence": "fresh",
        "unverified": False,
        "changed_since": [],
        "criteria": [{"task": "T-1", "criterion": "ACC-1", "text": "one is written",
                      "support": "assumed", "by": [proof]}],
        "records": [{"id": proof, "kind": "command", "fresh": True, "command": "test -s one.txt",
                     "exit_code": 0, "file": record, "passed_before": False}],
        "outcome": "done_with_concerns", "concerns": ["it is short"], "question": None,
        "answers": [], "reviews": [], "findings": [], "fields": [], "contract": [],
    }  # fmt: skip
    # The base moves on, and two trees are compared as they are: then it takes things back.
    world.write("other.txt", "x\n")
    world.commit("Other")
    assert done(alpha, "diff")["files"] == ["one.txt"]
    assert done(alpha, "diff", "main..alpha")["files"] == ["one.txt", "other.txt"]
    back = changes(alpha, "alpha..main")["T-1"]
    assert (back["change"], back["from"], back["to"]) == ("take-back", "complete", "pending")


@pytest.mark.slow
def test_what_else_may_happen_to_a_task(world: World) -> None:
    """Each step as the commands make it, one after the other on the base."""
    alpha = world.worktree("alpha")

    def step(place: Place, *words: str) -> dict[str, Any]:
        before = world.head
        done(place, *words)
        if place is alpha:
            if words[0] == "claim":
                alpha.commit("Claim")
            world.git("merge", "--quiet", "--ff-only", "alpha")
        else:
            if world.git("status", "--porcelain"):
                world.commit("Change")
            alpha.git("reset", "--quiet", "--hard", "main")
        found: dict[str, Any] = changes(world, f"{before}..HEAD")[words[1]]
        return found

    def told(one: dict[str, Any]) -> tuple[str, str, int]:
        return one["sentence"], one["change"], one["epoch"]

    assert told(step(alpha, "claim", "T-3")) == ("alpha claims T-3", "claim", 0)
    assert told(step(alpha, "release", "T-3")) == ("alpha releases T-3", "release", 1)
    step(alpha, "claim", "T-3")
    asked = step(alpha, "block", "T-3", "--reason", "needs_context", "--question", "Which?")
    assert told(asked) == ("alpha blocks T-3", "block", 1)
    assert asked["question"] == "Which?"
    answer = step(world, "reply", "T-3", "That one", "--by", "ann")
    assert told(answer) == ("ann answers T-3", "answer", 2)
    assert answer["answers"] == [{"question": "Which?", "text": "That one", "by": "ann"}]
    step(alpha, "claim", "T-3")
    reset = step(world, "reset", "T-3", "--reason", "gone", "--force")
    assert told(reset) == ("Ann Author resets T-3", "reset", 3)
    cancelled = step(world, "edit", "T-3", "--cancel", "not needed")
    assert cancelled["change"] == "cancel"
    assert cancelled["steps"][0]["why"] == "not needed"
    assert told(step(world, "reset", "T-3", "--reopen", "--reason", "needed")) == (
        "Ann Author reopens T-3", "reopen", 4,
    )  # fmt: skip
    assert told(step(world, "edit", "T-2", "--title", "New", "--priority", "1")) == (
        "T-2 is edited (title, priority)", "edit", 0,
    )  # fmt: skip
    # All of it at once.
    first = world.git("rev-list", "--max-parents=0", "HEAD")
    whole = changes(world, f"{first}..HEAD")
    assert told(whole["T-3"]) == ("Ann Author resets T-3", "reset", 4)
    assert (whole["T-3"]["from"], whole["T-3"]["to"]) == ("pending", "pending")


def test_what_is_against_it(world: World) -> None:
    alpha = world.worktree("alpha")
    done(alpha, "claim", "T-1")
    alpha.write("one.txt", "1\n")
    done(alpha, "complete")
    alpha.write("stray.txt", "x\n")
    alpha.write("one.txt", "2\n")
    done(alpha, "audit", "add", "T-1", "--verdict", "changes-needed", "--by", "rita",
         "--finding", "low: a typing mistake")  # fmt: skip
    alpha.replace("    title: Write two\n    status: pending", "    title: Write two\n"
                  "    status: complete")  # fmt: skip
    alpha.commit("More")
    assert codes(alpha) == [
        ("problem", "stale_evidence"), ("problem", "open_finding"), ("problem", "set_by_hand"),
        ("problem", "outside_scope"), ("concern", "word_of_others"),
    ]  # fmt: skip
    assert changes(alpha)["T-2"]["sentence"] == (
        "T-2 was made complete by hand; no command does that"
    )
    (record,) = alpha.git("ls-files", "records/evidence").split()
    alpha.git("rm", "--quiet", record)
    text = alpha.read()
    alpha.write_graph(text[: text.index("  - id: T-3")])
    alpha.commit("Worse")
    assert ("problem", "missing_evidence") in codes(alpha)
    assert ("concern", "task_removed") in codes(alpha)
    assert changes(alpha)["T-3"]["change"] == "remove"
    # Evidence that the older side had is missed, too.
    assert ("problem", "removed_evidence") in codes(alpha, "HEAD~1..HEAD")


def test_changed_settings_are_named_those_that_keep_workers_in_check_first(world: World) -> None:
    world.write("ralph.toml", "[verify]\nrequired = true\n")
    world.commit("Settings")
    alpha = world.worktree("alpha")
    alpha.write("ralph.toml", "land.method = 'merge'\nland.concerns = true\nfleet.stagger = 1\n")
    alpha.commit("No work")
    assert alpha.ralph("diff").out.splitlines()[2:] == [
        "a safety setting is changed: land.concerns, false -> true",
        "a safety setting is changed: verify.required, true -> false",
        "a setting is changed: fleet.stagger, 2.0 -> 1.0",
        "1 file besides the records is changed",
    ]
    assert codes(alpha) == []
    assert done(alpha, "diff")["settings"][0] == {
        "name": "land.concerns", "from": False, "to": True, "safety": True,
    }  # fmt: skip
    done(alpha, "claim", "T-1", "--no-fetch", "--force", "settings here")
    alpha.write("one.txt", "1\n")
    done(alpha, "complete")
    assert codes(alpha)[-3:] == [("concern", "settings_changed")] * 3
    assert "a safety setting is changed" in alpha.ralph("diff", "--format", "markdown").out
    alpha.write("ralph.toml", "nonsense")
    alpha.commit("Nonsense")
    assert "ralph.toml is changed, and cannot be read" in world.ralph("diff", "alpha").out


def test_records_that_cannot_be_read_are_named_and_the_rest_is_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("ralph.toml", 'graph = ["graph/*.yaml"]\n')
    for number in (1, 2):
        world.write(f"graph/{number}.yaml", f"version: 1\ntasks:\n  - id: T-{number}\n"
                    f"    title: Task {number}\n    status: pending\n")  # fmt: skip
    world.commit("Plan")
    alpha = world.worktree("alpha")
    done(alpha, "claim", "T-1")
    alpha.write("graph/2.yaml", "version: 1\ntasks:\n  - id: T-2\n    title: [\n")
    alpha.write("records/guidance/T-1/x.yaml", "a: [\n")
    alpha.commit("Broken")
    found = done(alpha, "diff")
    assert [one["sentence"] for one in found["changes"]] == ["alpha claims T-1"]
    assert (found["verdict"], found["ready"]) == ("problems", [])
    first, second = [note["message"] for note in found["notes"]]
    assert first.startswith("cannot be read: alpha:graph/2.yaml:")
    assert second.startswith("cannot be read: alpha:records/guidance/T-1/x.yaml:")
    # And from the other end: who mends it is not told to have added a task.
    world.git("branch", "broken", "alpha")
    alpha.git("checkout", "--quiet", "main", "--", "graph/2.yaml")
    alpha.commit("Mended")
    assert changes(alpha, "broken..HEAD") == {}


def test_another_layout_is_no_change(world: World) -> None:
    before = world.head
    done(world, "shard", "--layout", "task")
    world.commit("Shards")
    found = done(world, "diff", f"{before}..HEAD")
    assert (found["changes"], found["moved"], found["ready"]) == ([], 3, [])
    assert world.ralph("diff", f"{before}..HEAD").out.startswith(
        "clear: 3 tasks moved to another file\n"
    )


def test_a_graph_that_begins_and_edges(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("a.txt", "a\n")
    world.commit("Begin")
    assert world.ralph("diff", "HEAD..HEAD", "--json").error == "no_graph"
    world.write_graph(GRAPH)
    world.commit("Plan")
    found = done(world, "diff", "HEAD~1..HEAD")
    assert (found["added"], found["ready"]) == (["T-1", "T-2", "T-3"], ["T-1", "T-3"])
    assert found["edges"] == {"added": [{"task": "T-2", "depends_on": "T-1"}], "removed": []}
    world.replace("depends_on: [T-1]", "depends_on: [T-3]")
    world.commit("Edge")
    assert done(world, "diff", "HEAD~1..HEAD")["edges"] == {
        "added": [{"task": "T-2", "depends_on": "T-3"}],
        "removed": [{"task": "T-2", "depends_on": "T-1"}],
    }
    assert world.ralph("diff", "nowhere", "--json").error == "bad_revision"
    assert world.ralph("diff", "-q", "HEAD~1..nowhere").err == (
        "error: nowhere is not a commit here\nhint: git log\n"
    )
    world.git("checkout", "--quiet", "--orphan", "apart")
    world.commit("Apart")
    assert world.ralph("diff", "--json").error == "unrelated"
    # A bare repository has no worktree, and no need of one.
    bare = world.folder / "bare.git"
    world.git("clone", "--quiet", "--bare", str(world.path), str(bare))
    assert done(Place(bare, world.environ), "diff", "main~1..main")["edges"]["added"]


def test_a_large_graph_is_read_but_once(tmp_path: Path) -> None:
    """One task of a thousand files changes: the others are not told, nor parsed twice."""
    world = World(tmp_path)
    world.write("ralph.toml", 'graph = ["graph/*.yaml"]\n')
    for number in range(300):
        world.write(f"graph/T-{number}.yaml", f"version: 1\ntasks:\n  - id: T-{number}\n"
                    f"    title: Task {number}\n    status: pending\n")  # fmt: skip
    world.commit("Plan")
    alpha = world.worktree("alpha")
    done(alpha, "claim", "T-7")
    alpha.commit("Claim")
    log = tmp_path / "trace"
    told = alpha.ralph("diff", env={"GIT_TRACE": str(log)})
    assert told.out.splitlines()[3] == "alpha claims T-7"
    started = [line for line in log.read_text().splitlines() if "trace: built-in: git" in line]
    assert len(started) <= 12, "\n".join(started)
