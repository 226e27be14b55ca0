"""`needs` of a task against what a worker provides: others leave it alone, and all say why."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_machines import TASK, Far
from world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    gpu = TASK.format("T-1").replace("    outputs", "    needs: [gpu, browser]\n    outputs")
    made.write_graph("version: 1\ntasks:\n" + gpu + TASK.format("T-2"))
    made.write("ralph.toml", 'lease = "remote"\n')
    made.commit()
    assert made.origin.path.exists()
    return made


def ready(world: World, *words: str, env: dict[str, str] | None = None) -> list[str]:
    found = world.ralph("next", *words, "--json", env=env)
    return [one["id"] for one in found.data["tasks"]]


def test_who_does_not_provide_it_leaves_it_alone(world: World) -> None:
    assert ready(world) == ["T-2"]
    assert ready(world, "--provides", "gpu") == ["T-2"]
    assert ready(world, "--provides", "browser,gpu,cpu") == ["T-1", "T-2"]
    assert ready(world, env={"RALPH_PROVIDES": "gpu browser"}) == ["T-1", "T-2"]
    world.git("config", "ralph.provides", "gpu, browser")
    assert ready(world) == ["T-1", "T-2"]


def test_a_claim_says_what_is_lacking(world: World) -> None:
    alpha = world.worktree("alpha")
    done = alpha.ralph("claim", "T-1", "--provides", "gpu", "--json")
    assert (done.code, done.error) == (8, "unprovided")
    error = done.json["error"]
    assert error["message"] == "T-1 needs gpu,browser, which is not all provided here"
    assert error["hint"] == "ralphgit claim T-1 --provides gpu,browser"
    assert alpha.ralph("claim", "--json").data["task"]["id"] == "T-2"  # the next one is another
    beta = world.worktree("beta")
    assert beta.ralph("claim", "T-1", "--provides", "gpu,browser").code == 0


@pytest.mark.slow
def test_what_nobody_provides_waits_for_a_person(world: World) -> None:
    done = world.ralph("run", "--agent", "scripted", "--land", "merge")
    assert done.code == 7
    assert "T-1 needs gpu,browser, and no worker that runs provides it" in done.err
    assert "ralphgit run --provides gpu,browser" in done.err
    told = world.ralph("next", "--json")
    assert (told.code, told.error) == (7, "needs_person")
    (need,) = told.json["error"]["needs"]
    assert (need["reason"], need["task"]) == ("unprovided", "T-1")
    (attention,) = world.ralph("status", "--json").data["attention"]
    assert attention["code"] == "unprovided"
    assert attention["message"] == "T-1 needs gpu, browser, and no worker that runs provides it"
    (asked,) = world.ralph("inbox", "--json").data["questions"]
    assert (asked["question"], asked["command"]) == (attention["message"], attention["hint"])
    done = world.ralph("run", "--agent", "scripted", "--land", "merge", "--provides", "gpu,browser")
    assert done.code == 0, done.err
    assert world.task("T-1")["state"] == "complete"


@pytest.mark.slow
def test_a_worker_elsewhere_provides_it(world: World) -> None:
    world.environ["RALPH_PROVIDES"] = "gpu,browser"
    far = Far(world)
    del world.environ["RALPH_PROVIDES"]
    world.origin.git("update-ref", "-d", "refs/ralph/leases/T-1")
    far.beat(task="", claim="", phase="waiting", provides="cpu,browser,gpu")
    assert world.ralph("next", "--fetch").code == 0
    assert world.ralph("status", "--json").data["attention"] == []
    done = world.ralph("run", "--agent", "scripted", "--land", "merge")
    assert done.code == 0, done.err
    left = world.ralph("next")
    assert left.code == 3
    assert "T-1 needs gpu, browser, which is not all provided here; farley can take it" in left.err


def test_a_loop_shows_what_it_provides(world: World) -> None:
    seen = world.folder / "seen"
    agent = world.write("../agent.sh", f"#!/bin/sh\ncp .ralph/heartbeat {seen}\necho > T-2.txt\n")
    agent.chmod(0o755)
    words = ("run", "--once", "--agent", str(agent), "--land", "merge", "--provides", "gpu,big")
    assert world.ralph(*words).code == 0
    assert 'provides: "gpu,big"\n' in seen.read_text()


def test_needs_are_written_by_add_and_edit(world: World) -> None:
    assert world.ralph("add", "--id", "T-3", "--title", "x", "--needs", "gpu").code == 0
    assert world.ralph("edit", "T-2", "--needs", "a", "--needs", "b").code == 0
    assert world.task("T-3")["needs"] == ["gpu"]
    assert world.task("T-2")["needs"] == ["a", "b"]
    assert world.ralph("edit", "T-2", "--remove", "needs").code == 0
    assert "needs" not in world.task("T-2")
    refused = world.ralph("edit", "T-2", "--needs", "no word", "--json")
    assert (refused.code, refused.error) == (2, "bad_id")


def test_needs_in_a_task_list(world: World) -> None:
    world.write(
        "tasks.md",
        "- [ ] 1.1 Render it\n  - **Needs**: `gpu`, browser\n"
        "- [ ] 1.2 Say it\n  - **Needs**: 1.1 to be there\n"
        "- [ ] 1.3 Sing it\n  - Needs: T001\n",
    )
    assert world.ralph("import", "tasks.md").code == 0
    found = [world.task(name) for name in ("1.1", "1.2", "1.3")]
    assert found[0]["needs"] == ["gpu", "browser"]
    assert [one.get("needs") for one in found[1:]] == [None, None]
    assert "Needs" in found[1]["description"]


def test_a_need_that_is_no_name_is_found(world: World) -> None:
    world.replace("needs: [gpu, browser]", "needs: [a b]")
    found = world.ralph("check", "--json")
    assert found.code == 1 or found.code == 6, found.out
    assert "'a b' is not an id" in found.out


def test_a_manifest_passes_on_what_is_provided(world: World) -> None:
    done = world.ralph("fleet", "manifest", "--for", "slurm", "--provides", "gpu,browser")
    assert "--provides gpu,browser --worker" in done.out
