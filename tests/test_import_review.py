"""A plan with ticked items in review: complete at birth is legal for an import, and shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import Place, World

PLAN = "# Plan\n\n- [x] T1 Draw\n- [x] T2 Build\n- [ ] T3 Sell\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write("readme.txt", "A project\n")
    made.commit()
    return made


def found(place: Place, *words: str) -> list[tuple[str, str, str]]:
    problems = place.ralph("check", *words, "--json").data["problems"]
    return [(one["severity"], one["code"], one["task"]) for one in problems]


def planned(world: World, name: str, text: str = PLAN) -> Place:
    """A branch that imports a plan."""
    place = world.worktree(name)
    place.write(f"{name}.md", text)
    assert place.ralph("import", f"{name}.md").code == 0
    place.commit("A plan")
    return place


@pytest.mark.parametrize("first", [True, False])
def test_a_plan_with_ticked_items_passes_the_gate_and_is_shown(world: World, first: bool) -> None:
    if not first:
        world.write_graph("version: 1\ntasks:\n  - id: A\n    title: a\n    status: pending\n")
        world.commit()
    plan = planned(world, "plan")
    told = [("warning", "imported_done", task) for task in ("T1", "T2")]
    assert found(plan, "--base", "main") == found(plan, "main..") == told
    done = plan.ralph("check", "--base", "main")
    assert done.code == 0
    assert "T1 is imported as done from plan.md: verified by nothing here" in done.out
    diff = plan.ralph("diff", "main..")
    assert diff.out.startswith("concerns: 2 tasks imported as done, 3 tasks added; 2 concerns\n")
    assert "T1 is imported as done from plan.md, unverified\n" in diff.out
    data = plan.ralph("diff", "main..", "--json").data
    assert data["verdict"] == "concerns"
    assert [change["change"] for change in data["changes"]] == ["import", "import", "add"]
    assert world.merge("plan").code == 0
    assert found(world) == []
    assert [one["id"] for one in world.ralph("next", "--json").data["tasks"]][-1] == "T3"


def test_what_has_to_be_verified_has_to_be_verified(world: World) -> None:
    world.write("ralph.toml", "verify.required = true\n")
    world.commit()
    plan = planned(world, "plan")
    assert {one[0] for one in found(plan, "--base", "main")} == {"error"}
    assert plan.ralph("diff", "main..", "--json").data["verdict"] == "problems"


# --- no way around ------------------------------------------------------------------------


@pytest.fixture
def begun(world: World) -> World:
    """The base has the plan, of which T3 is to be done."""
    planned(world, "plan")
    world.merge("plan")
    return world


def marked(place: Place, task: str) -> None:
    """Write into the graph that the source of a task says that it is complete."""
    text = place.read()
    at = text.index(f"- id: {task}\n")
    block = text[at:].replace("status: pending", "status: complete", 1)
    place.write_graph(text[:at] + block.replace("fields: ", "fields: status=complete ", 1))


def test_a_task_of_the_base_is_never_completed_like_that(begun: World) -> None:
    alpha = begun.worktree("alpha")
    marked(alpha, "T3")
    assert found(alpha) == [("error", "not_claimed", "T3")]
    alpha.commit("Done, says alpha")
    assert found(alpha, "--base", "main") == [("error", "not_claimed", "T3")]
    assert alpha.ralph("diff", "main..", "--json").data["verdict"] == "problems"


def test_nor_under_another_name(begun: World) -> None:
    alpha = begun.worktree("alpha")
    marked(alpha, "T3")
    alpha.replace("- id: T3\n", "- id: T9\n")
    alpha.commit("Renamed")
    assert ("error", "imported_done", "T9") in found(alpha, "--base", "main")


def test_nor_by_importing_again(begun: World) -> None:
    alpha = begun.worktree("alpha")
    alpha.replace("[ ] T3", "[x] T3", "plan.md")
    assert alpha.ralph("import", "plan.md").code == 0
    assert alpha.task("T3")["status"] == "pending"


def test_work_brings_no_other_task_along_as_done(begun: World) -> None:
    alpha = begun.worktree("alpha")
    alpha.claim("T3")
    alpha.write("sold.txt", "sold\n")
    alpha.write("more.md", "- [x] M1 Market\n")
    assert alpha.ralph("import", "more.md").code == 0
    alpha.complete("T3")
    problems = found(alpha, "--base", "main")
    assert ("error", "imported_done", "M1") in problems
    diff = alpha.ralph("diff", "main..")
    assert "M1 is imported as done from more.md" in diff.out
    assert diff.out.startswith("problems: ")


def test_a_complete_task_without_a_source_is_set_by_hand(begun: World) -> None:
    alpha = begun.worktree("alpha")
    alpha.write_graph(alpha.read() + "  - id: T9\n    title: Nine\n    status: complete\n")
    alpha.commit("Nine")
    assert found(alpha, "--base", "main") == [("error", "not_claimed", "T9")]
    diff = alpha.ralph("diff", "main..")
    assert "T9 was made complete by hand; no command does that" in diff.out
    assert diff.out.startswith("problems: ")
