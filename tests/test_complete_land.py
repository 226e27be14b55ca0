"""`complete --land`: a task is verified, lands in one step, and the worktree stands on the base."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from forge import Forge
from test_integrate import task, world_of
from world import Place, World

#: A task that nothing verifies.
BARE = "  - id: A\n    title: Task A\n    status: pending\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = world_of(
        tmp_path,
        task("A", "test -s a.txt", "a.txt"),
        task("B", "test -s b.txt", "b.txt"),
        task("C", "true", "c.txt"),
    )
    assert made.origin
    return made


def subjects(world: World, since: str) -> list[str]:
    told = world.origin.git("log", "--first-parent", "--format=%s", f"{since}..main")
    return told.split("\n")


def begun(world: World, name: str, id: str) -> Place:
    place = world.worktree(name)
    place.claim(id)
    place.write(f"{id.lower()}.txt", "x\n")
    return place


def test_a_task_lands_and_the_branch_stands_on_the_base(world: World) -> None:
    since = world.head
    alpha, beta = begun(world, "alpha", "A"), begun(world, "beta", "B")
    done = alpha.ralph("complete", "--land")
    assert done.code == 0, done
    lines = done.out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "A is complete",
        "landed on origin/main",
        f"this branch stands on origin/main ({alpha.head[:12]})",
        "Next",
    ]
    assert lines[-1] == "Next: ralphgit claim (1 task ready)"
    told = beta.ralph("complete", "B", "--land", "merge", "--json")
    assert told.code == 0, told
    assert told.data["task"]["state"] == "complete"
    landed = told.data["landed"]
    assert landed == {"way": "merge", "commit": beta.head, "url": None, "on_base": True}
    assert subjects(world, since) == ["Merge B (beta) into main", "A: Task A"]
    assert beta.git("status", "--porcelain") == "" and beta.read("a.txt") == "x\n"
    assert world.leases == []
    # The next task begins on the code of both.
    assert beta.ralph("claim").code == 0


def test_what_was_completed_below_is_named_with_the_command_that_lands_both(world: World) -> None:
    alpha = begun(world, "alpha", "A")
    alpha.complete()
    alpha.claim("B")
    alpha.write("b.txt", "x\n")
    refused = alpha.ralph("complete", "--land")
    assert refused.code == 8, refused
    *_, line, hint = refused.err.splitlines()
    assert line == "  - task-graph.yaml:3: A is completed here, too, and has not landed"
    assert hint == "hint: ralphgit land"
    assert alpha.ralph("land").code == 0
    assert [world.task(id)["state"] for id in "AB"] == ["complete", "complete"]


def test_the_log_of_all_tells_of_each_landing(world: World) -> None:
    """The one is a step of its own, without an event that says so; the other is a merge."""
    alpha, beta = begun(world, "alpha", "A"), begun(world, "beta", "B")
    alpha.complete("--land")
    beta.complete("--land")
    told = world.ralph("log", "--json", env={"TZ": "Asia/Tokyo"}).data["events"]
    landed = [one for one in told if one["event"] == "landed"]
    assert sorted(one["task"] for one in landed) == ["A", "B"]  # perhaps within one second
    for one in landed:
        alone = world.ralph("log", one["task"], "--json").data["events"]
        assert [each for each in alone if each["event"] == "landed"] == [one]


def test_what_conflicts_stays_on_its_branch(world: World) -> None:
    alpha = begun(world, "alpha", "A")
    world.write("a.txt", "other\n")
    world.commit("By hand")
    world.git("push", "-q", "origin", "main")
    done = alpha.ralph("complete", "--land", "--json")
    assert (done.code, done.error) == (1, "conflicts_with_base")
    assert done.data["landed"] is None and done.data["task"]["state"] == "in-review"
    assert done.json["error"]["paths"] == ["a.txt"]
    assert alpha.run("git", "merge", "origin/main").code == 1
    alpha.write("a.txt", "both\n")
    alpha.commit("Both")
    again = alpha.ralph("complete", "A", "--land")
    assert again.code == 0, again
    assert world.origin.git("show", "main:a.txt") == "both"


def test_without_a_claim_nothing_is_complete(world: World) -> None:
    alpha = begun(world, "alpha", "A")
    done = alpha.ralph("complete", "--land", "--json")
    alpha.write("more.txt", "x\n")
    alpha.commit("Something else")
    alpha.refused("complete", code="not_claimed")
    told = alpha.ralph("complete", "A", "--json")
    assert (told.code, told.data["commit"]) == (0, done.data["commit"])


def test_a_concern_waits_for_a_person(world: World) -> None:
    """Whether it was said on the command line or in the report."""
    alpha = begun(world, "alpha", "A")
    report = "status: done_with_concerns\nsummary: It works.\nconcerns: [it is slow]\n"
    alpha.write(".ralph/report.yaml", report)
    done = alpha.ralph("complete", "--land", "--json")
    assert (done.code, done.error) == (7, "concerns_wait")
    stored = done.data["task"]
    branch = f"ralph/A-{stored['claim']['id'][:6]}"
    assert done.json["error"]["hint"] == f"ralphgit land {branch} --accept-concerns"
    assert alpha.head == world.origin.git("rev-parse", "main")
    assert not (alpha.path / "a.txt").exists()
    assert (stored["state"], stored["result"]["concerns"]) == ("in-review", ["it is slow"])
    assert not (alpha.path / ".ralph" / "report.yaml").exists()
    held = world.ralph("land", branch, "--json")
    assert (held.code, held.error) == (7, "concerns_wait")
    assert world.ralph("land", branch, "--accept-concerns").code == 0
    assert world.origin.git("show", "main:a.txt") == "x"
    completed = [e for e in world.audit("A", stored["claim"]["id"]) if e["event"] == "completed"]
    assert [e["summary"] for e in completed] == ["It works."]


def test_who_had_a_concern_is_told_what_is_next_and_of_no_error(world: World) -> None:
    alpha = begun(world, "alpha", "A")
    done = alpha.ralph("complete", "--land", "--concern", "it is slow")
    assert done.code == 7
    assert done.out.splitlines()[-1] == "Next: ralphgit claim (2 tasks ready)"
    assert done.err.startswith("A was completed with concerns, so a person decides")


def test_what_nothing_verified_can_be_observed_after_it_has_landed(tmp_path: Path) -> None:
    """The command that is printed works as it is typed."""
    world = world_of(tmp_path, BARE)
    assert world.origin
    alpha = begun(world, "alpha", "A")
    told = alpha.ralph("complete", "--land").out.splitlines()
    at = next(n for n, line in enumerate(told) if line.startswith("Nothing was verified: "))
    assert told[at + 1].startswith('  ralphgit evidence add A --shows "TEXT" && git commit ')
    assert alpha.ralph("evidence", "add", "A", "--shows", "a.txt has an x").code == 0
    alpha.commit("Evidence of A")
    landed = alpha.ralph("land")
    assert landed.code == 0, landed
    assert landed.out.splitlines() == [
        f"landed on origin/main: A evidence ({alpha.head[:12]})",
        f"this branch stands on origin/main ({alpha.head[:12]})",
    ]
    assert world.ralph("status", "--json").data["unverified"] == []
    assert world.ralph("check", "origin/main").code == 0


def test_what_is_left_for_a_person_is_not_observed_on_the_base(tmp_path: Path) -> None:
    """The worktree is without it: what its worker typed there was evidence of other files."""
    alpha = begun(world_of(tmp_path, BARE), "alpha", "A")
    done = alpha.ralph("complete", "--land", "--concern", "it is slow")
    assert done.code == 7
    assert [line for line in done.out.splitlines() if "verified" in line] == [
        done.out.splitlines()[0],
        "Nothing was verified: no command ran and passed, and no criterion was observed.",
    ]
    assert "evidence add" not in done.out


def test_an_observation_counts_as_evidence(tmp_path: Path) -> None:
    """It said "0 evidence records" of one that was committed with the work."""
    world = world_of(tmp_path, BARE)
    alpha = begun(world, "alpha", "A")
    made = alpha.ralph("evidence", "add", "A", "--shows", "an x", "--json").data["file"]
    done = alpha.ralph("complete", "--json")
    assert (done.data["verified"], done.data["evidence"]) == (True, [made])
    again = alpha.ralph("complete", "A")
    assert again.out.startswith(f"A is complete: commit {alpha.head[:12]}, 1 evidence record")


def test_concerns_land_where_that_is_configured(tmp_path: Path) -> None:
    world = world_of(
        tmp_path, task("A", "test -s a.txt", "a.txt"), ralph__toml="[land]\nconcerns = true\n"
    )
    alpha = begun(world, "alpha", "A")
    done = alpha.ralph("complete", "--concern", "it is slow", "--land")
    assert done.code == 0, done
    assert world.read("a.txt") == "x\n"


def test_an_old_report_is_about_something_else(world: World) -> None:
    alpha = world.worktree("alpha")
    path = alpha.write(".ralph/report.yaml", "status: done_with_concerns\nconcerns: [old]\n")
    os.utime(path, (1, 1))
    alpha.claim("A")
    alpha.write("a.txt", "x\n")
    assert alpha.ralph("complete", "--land").code == 0


def test_by_pull_request_the_work_stays_on_a_branch_of_its_own(world: World) -> None:
    forge = Forge(world)
    alpha = begun(world, "alpha", "A")
    done = alpha.ralph("complete", "--land", "pr", "--json", env=forge.environ)
    assert done.code == 0, done
    assert (done.data["landed"]["way"], done.data["landed"]["on_base"]) == ("pr", True)
    assert alpha.head == world.head
    assert len(forge.pulls) == 1
    assert alpha.task("A")["state"] == "in-review"
    assert alpha.ralph("claim", "B").code == 0


def test_how_to_land_must_be_known_before_anything_is_done(world: World) -> None:
    alpha = begun(world, "alpha", "A")
    world.git("config", "ralph.land.mode", "none")
    alpha.refused("complete", "--land", code="no_way", exit=2)
    world.git("config", "ralph.land.via", "gh")
    done = alpha.ralph("complete", "--land", "pr", "--json", env=world.only("git", "sh"))
    assert (done.code, done.error) == (8, "no_forge")
    assert alpha.task("A")["status"] == "in-progress"


def test_in_a_loop_the_loop_lands(world: World) -> None:
    alpha = begun(world, "alpha", "A")
    done = alpha.ralph("complete", "--land", env={"RALPH_TASK": "A"})
    assert done.code == 0 and "a loop works in this worktree" in done.err
    assert world.ralph("status", "--json").data["tasks"][0]["state"] == "in-review"
