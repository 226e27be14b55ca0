"""`block` and `release`: the holder's own ways out of a task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import ryaml
from jsonschema import Draft202012Validator
from world import ROOT, Place, Result, World, grown

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
    priority: 0
  - id: T-2
    title: Second
    status: pending
"""


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    return grown(half_done if "alpha" in request.fixturenames else begun)


def begun(folder: Path) -> World:
    made = World(folder)
    made.write_graph(GRAPH)
    made.commit("Begin")
    return made


@pytest.fixture
def alpha(world: World) -> Place:
    """A worktree that works on T-1, with work that is staged, not staged, and new."""
    return Place(world.folder / "proj-alpha", world.environ, world)


def half_done(folder: Path) -> World:
    """The world with `alpha`."""
    world = begun(folder)
    place = world.worktree("alpha")
    place.claim("T-1")
    place.write("staged", "x\n")
    place.git("add", "staged")
    place.write("new", "x\n")
    place.replace("title: Second", "title: Second, edited")
    return world


def events(place: Place, claim: str) -> list[tuple[str, str, str, str]]:
    audit = ryaml.loads(place.read(f"records/audit/T-1/{claim}.yaml"))
    return [(e["event"], e["from"], e["to"], e.get("note", "")) for e in audit["events"]]


def committed(place: Place) -> list[str]:
    """What the last commit changed."""
    return place.git("show", "--format=", "--name-only").splitlines()


def work_is_untouched(place: Place) -> None:
    assert place.git("status", "--porcelain").splitlines() == [
        "A  staged",
        " M task-graph.yaml",
        "?? new",
    ]
    assert place.git("diff", "-U0", "task-graph.yaml").splitlines()[5:] == [
        "-    title: Second",
        "+    title: Second, edited",
    ]


# -- block -------------------------------------------------------------------------------

WORDS = (
    *("--reason", "needs_context", "--question", "Which port?\nIt is not said."),
    *("--option", "80", "--option", "8080"),
)


def test_a_block_commits_its_record_alone(world: World, alpha: Place) -> None:
    claim = alpha.task("T-1")["claim"]
    result = alpha.ralph("block", *WORDS, "--json")
    assert (result.code, result.err, result.json["warnings"]) == (0, "", [])
    told = result.data["task"]
    assert (told["status"], told["state"], told["claim"]) == ("blocked", "blocked", claim)
    assert told["blocked"] == {
        "id": told["blocked"]["id"],
        "claim": claim["id"],
        "reason": "needs_context",
        "question": "Which port?\nIt is not said.",
        "options": ["80", "8080"],
        "at": told["blocked"]["at"],
    }
    assert result.data["commit"] == alpha.head
    assert alpha.git("rev-parse", "HEAD~1") == world.head
    guidance = f"records/guidance/T-1/{told['blocked']['id']}.yaml"
    assert committed(alpha) == [
        f"records/audit/T-1/{claim['id']}.yaml",
        guidance,
        "task-graph.yaml",
    ]
    assert alpha.git("log", "-1", "--format=%B") == (
        "T-1: blocked (needs_context)\n"
        "\n"
        f"Ralph-Task: T-1\nRalph-Claim: {claim['id']}\nRalph-Worker: alpha\n"
    )
    asked = ryaml.loads(alpha.read(guidance))
    assert asked == {
        "id": told["blocked"]["id"],
        "task": "T-1",
        "claim": claim["id"],
        "question": "Which port?\nIt is not said.",
        "options": ["80", "8080"],
        "at": told["blocked"]["at"],
        "by": "alpha",
    }
    schema = json.loads((ROOT / "schemas" / "guidance.schema.json").read_text())
    Draft202012Validator(schema).validate(asked)
    assert events(alpha, claim["id"]) == [
        ("claimed", "pending", "in-progress", ""),
        ("blocked", "in-progress", "blocked", "needs_context"),
    ]
    work_is_untouched(alpha)
    assert world.leases == []
    assert alpha.ralph("check", "--base", "main", "--json").data["problems"] == []


def test_a_block_in_words(world: World, alpha: Place) -> None:
    result = alpha.ralph("block", "T-1")
    assert result == Result(
        0,
        f"T-1 is blocked: commit {alpha.head[:12]}\n"
        "It waits for a person; this worktree is free for another task: ralphgit claim\n",
        "",
    )
    stored = alpha.task("T-1")
    assert (stored["blocked"]["reason"], stored["blocked"]["question"]) == ("other", "")
    assert not any("guidance" in name for name in committed(alpha))
    assert alpha.ralph("block", "--reason", "because").code == 2


@pytest.mark.parametrize("landed", [False, True], ids=["on a branch", "on the base"])
def test_a_blocked_task_waits_for_a_person(world: World, alpha: Place, landed: bool) -> None:
    alpha.git("reset", "--quiet", "--hard")
    alpha.ralph("claim", "T-1")
    alpha.ralph("block", *WORDS)
    first = alpha.task("T-1")["claim"]["id"]
    if landed:
        world.merge("alpha")
    beta = world.worktree("beta")
    # The worktree is free, and the blocked task is not offered.
    assert alpha.ralph("claim", "--json").data["task"]["id"] == "T-2"
    refused = beta.ralph("claim", "T-1", "--json")
    assert (refused.code, refused.error) == (7, "blocked")
    assert refused.json["error"]["message"] == "T-1 is blocked and waits for a person"
    attention = world.ralph("status").out.splitlines()[0]
    assert attention == "! T-1 is blocked by alpha (needs_context: Which port?)"
    again = beta.ralph("claim", "T-1", "--force", "it is 80", "--json")
    assert (again.code, again.data["task"]["state"]) == (0, "claimed")
    claim = again.data["task"]["claim"]["id"]
    assert claim != first
    # Where nobody had landed the block, alpha's claim did.
    assert events(beta, claim) == [("claimed", "blocked", "in-progress", "it is 80")]


def test_a_blocked_task_goes_on_where_it_stopped(world: World, alpha: Place) -> None:
    alpha.ralph("block", *WORDS)
    again = alpha.ralph("claim", "T-1", "--force", "answered", "--json")
    assert (again.code, "blocked" in again.data["task"]) == (0, False)
    assert alpha.ralph("complete", "--json").data["task"]["state"] == "in-review"


def test_a_hook_that_refuses_a_block(world: World, alpha: Place) -> None:
    hook = world.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    skipped = ("/objects/", "/COMMIT_EDITMSG")

    def state() -> dict[str, bytes]:
        files = world.snapshot().items()
        return {name: data for name, data in files if not any(part in name for part in skipped)}

    before = state()
    for words in (("block", *WORDS), ("release", "--reason", "x")):
        assert alpha.ralph(*words).code == 1
        assert state() == before
    hook.unlink()
    assert alpha.ralph("block", *WORDS).code == 0


def test_a_hook_that_adds_to_a_block(world: World, alpha: Place) -> None:
    more = "#!/bin/sh\necho bad > more.txt; git add more.txt\n"
    hook = world.write(".git/hooks/pre-commit", more)
    hook.chmod(0o755)
    head, branch = alpha.git("rev-parse", "HEAD"), alpha.git("symbolic-ref", "HEAD")
    for words in (("block", *WORDS), ("release", "--reason", "x")):
        refused = alpha.ralph(*words, "--json")
        assert (refused.code, refused.error) == (8, "hook_adds"), refused.err
        assert refused.json["error"]["files"] == ["more.txt"]
        assert (alpha.git("rev-parse", "HEAD"), alpha.git("symbolic-ref", "HEAD")) == (head, branch)
        assert alpha.leases == ["T-1"]
    hook.unlink()
    assert alpha.ralph("block", *WORDS).code == 0
    assert "more.txt" not in alpha.git("ls-tree", "-r", "--name-only", "HEAD")


# -- release -----------------------------------------------------------------------------


def test_a_release_raises_the_epoch(world: World, alpha: Place) -> None:
    claim = alpha.task("T-1")["claim"]["id"]
    result = alpha.ralph("release", "--reason", "the other one first", "--json")
    assert (result.code, result.err, result.json["warnings"]) == (0, "", [])
    told = result.data["task"]
    assert (told["status"], told["state"], told["epoch"]) == ("pending", "ready", 1)
    assert "claim" not in told
    assert told["reset"] == {
        "id": told["reset"]["id"],
        "claim": claim,
        "by": "alpha",
        "at": told["reset"]["at"],
        "reason": "the other one first",
    }
    assert committed(alpha) == [f"records/audit/T-1/{claim}.yaml", "task-graph.yaml"]
    assert alpha.git("log", "-1", "--format=%B") == (
        f"T-1: released\n\nRalph-Task: T-1\nRalph-Claim: {claim}\nRalph-Worker: alpha\n"
    )
    assert events(alpha, claim) == [
        ("claimed", "pending", "in-progress", ""),
        ("released", "in-progress", "pending", "the other one first"),
    ]
    work_is_untouched(alpha)
    assert world.leases == []
    assert alpha.ralph("check", "--base", "main", "--json").data["problems"] == []
    # Anybody may have it now.
    world.worktree("beta").claim("T-1")


def test_a_release_in_words(world: World, alpha: Place) -> None:
    result = alpha.ralph("release", "T-1")
    assert result == Result(
        0,
        f"T-1 is given back: commit {alpha.head[:12]}\n"
        "Your work so far is still in this worktree.\n",
        "",
    )
    assert alpha.task("T-1")["reset"]["reason"] == "released"


def test_a_released_claim_cannot_come_back(world: World, alpha: Place) -> None:
    """The base has the claim: until the release lands it is held, after it the rest is fenced."""
    alpha.commit("Half of it")
    world.merge("alpha")
    alpha.git("branch", "zombie")
    alpha.ralph("release", "T-1")
    beta = world.worktree("beta")
    assert beta.ralph("claim", "T-1").code == 5
    world.merge("alpha")
    beta.merge("main")
    claimed = beta.ralph("claim", "T-1", "--json")
    assert (claimed.code, claimed.data["task"]["epoch"]) == (0, 1)
    assert "reset" not in claimed.data["task"]


def test_only_the_holder_gives_up(world: World, alpha: Place) -> None:
    beta = world.worktree("beta")
    for verb in ("block", "release"):
        nothing = beta.ralph(verb, "--json")
        assert (nothing.code, nothing.error) == (8, "not_claimed")
        assert nothing.json["error"]["message"] == f"this worktree has no claim to {verb}"
        assert beta.ralph(verb, "T-9").code == 2
    alpha.git("commit", "--quiet", "-m", "Half of it")
    beta.merge("alpha")
    other = beta.ralph("release", "T-1", "--json")
    assert (other.code, other.error) == (5, "claim_held")
    assert other.json["error"]["holder"]["worker"] == "alpha"


# -- done already ------------------------------------------------------------------------

WAYS = [(("block", *WORDS), "blocked"), (("release", "--reason", "x"), "given back")]


@pytest.mark.parametrize(("words", "what"), WAYS, ids=["block", "release"])
def test_giving_up_twice_is_giving_up_once(
    world: World, alpha: Place, words: tuple[str, ...], what: str
) -> None:
    assert alpha.ralph(*words).code == 0
    head, status = alpha.head, alpha.git("status", "--porcelain")
    for again in (words, (words[0], "T-1", *words[1:])):
        result = alpha.ralph(*again, "--json")
        assert (result.code, result.json["warnings"]) == (0, [f"T-1 was {what} already"])
        assert (result.data["commit"], alpha.head) == (head, head)
        assert alpha.git("status", "--porcelain") == status
    # Nothing of it is anybody else's, nor of another task, nor of a later claim.
    beta = world.worktree("beta", at="alpha")
    for refused in (words, (words[0], "T-1", *words[1:])):
        assert beta.ralph(*refused, "--json").code == 8
    assert alpha.ralph(words[0], "T-2", "--json").error == "not_claimed"
    alpha.claim("T-2")
    assert alpha.ralph(words[0], "T-1", *words[1:], "--json").code == 0
    result = alpha.ralph(*words, "--json")
    assert (result.data["task"]["id"], result.json["warnings"]) == ("T-2", [])


def test_another_question_is_not_swallowed(alpha: Place) -> None:
    assert alpha.ralph("block", *WORDS).code == 0
    result = alpha.ralph("block", "T-1", "--question", "And which host?", "--json")
    assert (result.code, result.error) == (8, "illegal_move")


def test_a_reset_is_no_release(world: World) -> None:
    world.claim("T-1")
    assert world.ralph("reset", "T-1", "--reason", "x").code == 0
    assert world.ralph("release", "T-1", "--json").error == "not_claimed"


# -- killed half-way ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "what"),
    [(("block", *WORDS), "blocked"), (("release", "--reason", "x"), "given back")],
    ids=["block", "release"],
)
@pytest.mark.parametrize("recorded", [False, True], ids=["uncommitted claim", "committed claim"])
def test_killed_before_or_after_the_commit(
    world: World, alpha: Place, words: tuple[str, ...], what: str, recorded: bool
) -> None:
    if recorded:
        alpha.git("commit", "--quiet", "-m", "Half of it")
        alpha.write("staged", "more\n")
        alpha.git("add", "staged")
    lease = alpha.git("rev-parse", "refs/ralph/leases/T-1")
    current = alpha.read(".ralph/current.yaml")
    assert alpha.ralph(*words).code == 0

    def killed() -> None:
        alpha.git("update-ref", "refs/ralph/leases/T-1", lease)
        alpha.write(".ralph/current.yaml", current)

    # After it: the lease is what is left to do.
    killed()
    head, before = alpha.head, alpha.git("status", "--porcelain")
    again = alpha.ralph(*words, "--json")
    assert (again.code, alpha.head, world.leases) == (0, head, [])
    assert again.json["warnings"] == [f"T-1 was {what} already; its lease is dropped now"]
    assert alpha.git("status", "--porcelain") == before
    # Before it: the records stand in files and index, and are made anew.
    killed()
    alpha.git("reset", "--quiet", "--soft", "HEAD~1")
    anew = alpha.ralph(*words, "--json")
    assert (anew.code, world.leases) == (0, [])
    assert anew.json["warnings"][0] == f"T-1 was only half {what}; it is done again from the start"
    assert alpha.git("status", "--porcelain") == before
    told: dict[str, Any] = anew.data["task"]
    assert told["epoch" if what == "given back" else "status"] in (1, "blocked")
    audit = next((alpha.path / "records" / "audit" / "T-1").iterdir())
    kinds = [event["event"] for event in ryaml.loads(audit.read_text())["events"]]
    assert kinds == ["claimed", "blocked" if what == "blocked" else "released"]
    questions = alpha.path / "records" / "guidance" / "T-1"
    if questions.exists():
        assert len(list(questions.iterdir())) == (what == "blocked")
    assert alpha.ralph("check", "--base", "main", "--json").data["problems"] == []
