"""`rescue`: kept work is listed, shown, brought back and let go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from world import Place, World

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: One
    status: pending

  - id: T-2
    title: Two
    status: pending
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit("The graph")
    return made


def kept(world: World, alpha: Place, text: str = "x\n") -> str:
    """Have work on T-1 kept; return its claim."""
    claim = alpha.claim("T-1")
    alpha.write("one.txt", text)
    done = world.ralph("reset", "T-1", "--reason", "gone", "--force", "--json")
    assert done.data["rescued"] == [f"refs/ralph/rescue/T-1/{claim}"]
    alpha.git("reset", "--quiet", "--hard", "main")
    alpha.git("clean", "--quiet", "-fd")
    return claim


def kept_of(world: World, task: str, files: dict[str, str]) -> str:
    """Have work on any task kept; return its claim."""
    gamma = world.worktree("gamma")
    claim = gamma.claim(task)
    for name, text in files.items():
        gamma.write(name, text)
    assert world.ralph("reset", task, "--reason", "gone", "--force").code == 0
    return claim


def listed(world: World, *words: str) -> list[dict[str, Any]]:
    found = world.ralph("rescue", "list", *words, "--json")
    assert (found.code, found.err) == (0, "")
    told: list[dict[str, Any]] = found.data["rescued"]
    return told


def test_kept_work_is_listed_shown_and_brought_back(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = kept(world, alpha)
    before = world.snapshot()
    (one,) = listed(world)
    assert (one["task"], one["claim"], one["files"], one["landed"]) == (
        "T-1", claim, ["one.txt"], False,
    )  # fmt: skip
    assert world.ralph("rescue", "list").out == (f"T-1/{claim}\tpending\t1 file\t1 not on main\n")
    assert "+x\n" in world.ralph("rescue", "show", "T-1").out
    assert world.snapshot() == before
    assert alpha.ralph("rescue", "apply", f"T-1/{claim}").code == 0
    assert alpha.git("diff", "--cached", "--name-only") == "one.txt"
    # A second time it does not fit, and nothing is changed.
    again = alpha.ralph("rescue", "apply", "T-1", "--json")
    assert (again.code, again.error) == (1, "does_not_apply")


def test_status_says_it_in_one_line_until_the_task_is_finished(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = kept(world, alpha)
    told = f"! 1 rescue ref with kept work, the first: T-1/{claim}\n  ralphgit rescue list\n"
    assert told in world.ralph("status").out
    alpha.did("T-1", {"one.txt": "y\n"})
    assert world.merge("alpha").code == 0
    assert "rescue" not in world.ralph("status").out
    assert [one["landed"] for one in listed(world)] == [False]  # the base has another one.txt


def test_a_claim_under_which_nothing_was_done_leaves_no_work(world: World) -> None:
    """Its audit is kept, and nobody is asked to look for more."""
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    assert world.ralph("reset", "T-1", "--reason", "Gone").code == 0
    (one,) = listed(world)
    assert one["files"] == []
    assert world.ralph("status", "--json").data["attention"] == []
    beta = world.worktree("beta")
    assert "earlier_work" not in beta.ralph("packet", "T-1").out
    beta.claim("T-1")
    beta.write("one.txt", "x\n")
    assert world.ralph("reset", "T-1", "--reason", "Gone too").code == 0
    assert beta.ralph("packet", "T-1").out.count("refs/ralph/rescue/T-1/") == 1
    (told,) = world.ralph("status", "--json").data["attention"]
    assert told["message"].startswith("1 rescue ref with kept work, the first: T-1/")


def test_what_has_landed_goes_with_prune(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = kept(world, alpha)
    world.git("branch", "ralph/T-9-old", "main")
    dry = world.ralph("worktree", "prune", "--dry-run", "--json").data
    assert (dry["branches"], dry["rescued"]) == (["ralph/T-9-old"], [])
    alpha.did("T-1", {"one.txt": "x\n"})
    assert world.merge("alpha").code == 0
    assert [one["landed"] for one in listed(world)] == [True]
    done = world.ralph("worktree", "prune", "--json").data
    assert done["rescued"] == [f"refs/ralph/rescue/T-1/{claim}"]
    assert listed(world) == []
    assert world.git("branch", "--list", "ralph/*") == ""


def test_what_has_landed_goes_by_itself(world: World) -> None:
    """By whichever way it lands: by a landing here, or by one that the next claim finds."""
    alpha = world.worktree("alpha")
    kept(world, alpha)
    alpha.did("T-1", {"one.txt": "y\n"})
    other = kept_of(world, "T-2", {"one.txt": "x\n"})
    assert alpha.ralph("land").code == 0
    assert [one["task"] for one in listed(world)] == ["T-1", "T-2"]  # the base has another one.txt
    beta = world.worktree("beta")
    beta.claim("T-2")
    beta.write("one.txt", "x\n")
    assert beta.ralph("complete", "--land").code == 0
    assert [one["task"] for one in listed(world)] == ["T-1"], other


def test_a_claim_lets_go_of_what_others_have_landed(world: World) -> None:
    alpha = world.worktree("alpha")
    kept(world, alpha)
    alpha.did("T-1", {"one.txt": "x\n"})
    assert world.merge("alpha").code == 0
    before = world.snapshot()
    assert len(listed(world)) == 1 and world.snapshot() == before
    world.worktree("beta").claim("T-2")
    assert listed(world) == []


def test_kept_plans_have_not_landed(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    assert alpha.ralph("add", "--title", "Found on the way").code == 0
    assert world.ralph("reset", "T-1", "--reason", "gone", "--force").code == 0
    assert [(one["files"], one["landed"]) for one in listed(world)] == [([], False)]


def test_a_ref_is_dropped_and_can_be_had_again(world: World) -> None:
    alpha = world.worktree("alpha")
    kept(world, alpha)
    told = world.ralph("rescue", "drop", "T-1").out
    command = told.partition("; ")[2].removesuffix(" brings it back.\n")
    assert listed(world) == []
    world.git(*command.split()[1:])
    assert len(listed(world)) == 1


def test_words_that_name_nothing(world: World) -> None:
    for words, code in ((("list", "T-9"), "unknown_ref"), (("show",), "usage"),
                        (("drop", "T-1"), "unknown_ref")):  # fmt: skip
        found = world.ralph("rescue", *words, "--json")
        assert (found.code, found.error) == (2, code)


def test_where_leases_are_remote_kept_work_is_on_the_remote(world: World) -> None:
    """Another machine can go on with it; it goes there, too, when it goes here."""
    world.write("ralph.toml", 'lease = "remote"\n')
    world.commit("Leases on the remote")
    assert world.origin
    claim = kept(world, world.worktree("alpha"))
    ref = f"refs/ralph/rescue/T-1/{claim}"
    there = world.origin.git("for-each-ref", "--format=%(objectname)", ref)
    assert there == world.git("rev-parse", ref)
    assert world.ralph("rescue", "drop", "T-1").code == 0
    assert world.origin.git("for-each-ref", ref) == ""


def test_kept_work_that_the_remote_declines_is_kept_here(world: World) -> None:
    world.write("ralph.toml", 'lease = "remote"\n')
    world.commit("Leases on the remote")
    hook = world.origin.path / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        '#!/bin/sh\ncase $1 in refs/ralph/rescue/*) echo "no refs of yours"; exit 1;; esac\n'
    )
    hook.chmod(0o755)
    alpha = world.worktree("alpha")
    claim = alpha.claim("T-1")
    alpha.write("one.txt", "x\n")
    done = world.ralph("reset", "T-1", "--reason", "gone", "--force", "--json")
    ref = f"refs/ralph/rescue/T-1/{claim}"
    assert (done.code, done.data["rescued"]) == (0, [ref])
    (warning,) = [one for one in done.json["warnings"] if "rescue" in one]
    assert warning.endswith(f"{ref} is on this machine only")
    assert world.git("show", f"{ref}:one.txt") == "x"
