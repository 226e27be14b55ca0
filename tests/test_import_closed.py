"""What is closed in its source and open here keeps its form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from world import World

EPIC = {"issue_type": "epic", "title": "The epic", "priority": 2}
TASK = {"issue_type": "task", "title": "A part", "priority": 2}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def issues(world: World, **statuses: str) -> list[str]:
    """Write issues of beads, an epic `b-1` with parts, and what waits for it; what is updated."""
    above = {"type": "parent-child", "depends_on_id": "b-1"}
    blocks = {"type": "blocks", "depends_on_id": "b-1"}
    lines = []
    for name, status in statuses.items():
        id = name.replace("_", ".").replace("b", "b-")
        edges = [] if id == "b-1" else [above if "." in id else blocks]
        kind = EPIC if id == "b-1" else TASK
        lines.append(json.dumps({**kind, "id": id, "status": status, "dependencies": edges}))
    world.write("i.jsonl", "\n".join(lines))
    updated: list[str] = world.ralph("import", "i.jsonl", "--json").data["updated"]
    return updated


def test_an_epic_that_is_closed_waits_for_its_parts_that_are_open_here(world: World) -> None:
    issues(world, b1="open", b1_1="open", b1_2="open", b2="open")
    world.commit()
    before = world.task("b-1")
    assert issues(world, b1="closed", b1_1="closed", b1_2="closed", b2="open") == []
    now = world.task("b-1")
    assert (now["mode"], now["depends_on"]) == ("verify", ["b-1.1", "b-1.2"])
    assert now == before
    world.commit()
    ready = world.ralph("next", "--json").data["tasks"]
    assert [one["id"] for one in ready] == ["b-1.1", "b-1.2"]


def test_a_closed_epic_waits_for_a_new_part_that_is_open(world: World) -> None:
    issues(world, b1="open", b1_1="open")
    assert issues(world, b1="closed", b1_1="closed", b1_2="open", b1_3="closed") == ["b-1"]
    assert world.task("b-1")["depends_on"] == ["b-1.1", "b-1.2"]
    assert issues(world, b1="closed", b1_1="closed", b1_2="open", b1_3="closed") == []


def test_an_epic_that_is_open_again_is_as_it_was(world: World) -> None:
    issues(world, b1="open", b1_1="open")
    before = world.task("b-1")
    issues(world, b1="closed", b1_1="closed")
    assert issues(world, b1="open", b1_1="open") == []
    assert world.task("b-1") == before


def test_a_closed_epic_that_was_done_here_says_what_its_source_says(world: World) -> None:
    issues(world, b1="closed", b1_1="closed")
    assert "mode" not in world.read()
    assert issues(world, b1="closed", b1_1="closed") == []


def test_a_story_that_was_to_be_looked_at_still_is_when_its_file_says_that_it_is_done(
    world: World,
) -> None:
    story = "# Story 1.1: Log in\n\n## Status\n\n{}\n\n## Story\n\nIt.\n\n## Tasks\n\n- [ ] a\n"
    world.write("1.1.story.md", story.format("Ready for Review"))
    world.ralph("import", "1.1.story.md")
    assert world.task("1.1")["mode"] == "verify"
    world.write("1.1.story.md", story.format("Done"))
    world.ralph("import", "1.1.story.md")
    assert world.task("1.1")["mode"] == "verify"


def test_an_epic_that_was_done_here_keeps_what_it_promised(world: World) -> None:
    issues(world, b1="open", b1_1="open")
    world.commit()
    alpha = world.worktree("alpha")
    alpha.did("b-1.1", {"a.txt": "a\n"})
    world.git("merge", "--quiet", "alpha")
    alpha.claim("b-1")
    proved = alpha.ralph("complete", "b-1", "--shows", "all is there", "--proves", "ACC-1")
    assert proved.code == 0, proved.err
    world.git("merge", "--quiet", "alpha")
    before = world.task("b-1")
    assert issues(world, b1="closed", b1_1="closed") == []
    assert world.task("b-1") == before
    assert "stale_contract" not in world.ralph("check").out


EARLY = {
    "p.md": "- [ ] T1 a\n- [ ] T2 b\n- [x] T3 c\n- [x] T4 d\n- [ ] T5 e\n- [ ] T6 f\n",
    "n.md": "1. [ ] a\n2. [ ] b\n3. [x] c\n4. [x] d\n5. [ ] e\n6. [ ] f\n",
    "s.md": "".join(
        f"### Task {number}: {name}{'' if name in 'abef' else ' (DONE)'}\n\n- [ ] Step 1: Do it\n\n"
        for number, name in enumerate("abcdef", 1)
    ),
    "c.plan.md": "---\nname: C\ntodos:\n"
    + "".join(
        f"  - content: {name}\n    status: {'pending' if name in 'abef' else 'completed'}\n"
        for name in "abcdef"
    )
    + "---\n",
}


@pytest.mark.parametrize("name", EARLY)
def test_what_is_done_before_its_turn_hands_on_the_order(world: World, name: str) -> None:
    """What followed it was offered beside what stands before both."""
    world.write(name, EARLY[name])
    world.ralph("import", name)

    def waits() -> dict[str, list[str]]:
        tasks = [world.task(one["id"]) for one in world.ralph("list", "--json").data["tasks"]]
        titles = {one["id"]: one["title"] for one in tasks}
        return {
            one["title"]: [titles[other] for other in one.get("depends_on", [])] for one in tasks
        }

    assert waits() == {"a": [], "b": ["a"], "c": ["b"], "d": ["c"], "e": ["d", "b"], "f": ["e"]}
    # Once what stands before is done, the list says what it said before.
    world.write("task-graph.yaml", world.read().replace("status: pending", "status: complete", 2))
    assert world.ralph("export", "--tick", name).code == 0
    assert len(world.ralph("import", name, "--json").data["updated"]) == 1
    assert waits() == {"a": [], "b": ["a"], "c": ["b"], "d": ["c"], "e": ["d"], "f": ["e"]}
