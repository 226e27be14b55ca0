"""Importing again: what changed in the source changes here, what happened here stays."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import Place, World, grown, shared

from ralphgit.app.exchange.three_way_import import Decision, Given, decide, first
from ralphgit.records.task_origin import SOURCE, Origin

LIST = """\
# Plan

- [ ] T1 Draw
  - **Files**: plan.txt
- [ ] T2 Build
  - **Do**: Lay the bricks
  - **Verify**: `test -s house.txt`
- [ ] T3 Sell
"""


@pytest.fixture
def world() -> World:
    return grown(imported_once)


def imported_once(folder: Path) -> World:
    made = World(folder)
    made.write("plan.md", LIST)
    assert made.ralph("import", "plan.md").code == 0
    made.commit()
    return made


def again(place: Place, *words: str) -> dict[str, Any]:
    done = place.ralph("import", *(words or ("plan.md",)), "--json")
    assert done.code == 0, done.out
    data: dict[str, Any] = done.data
    return data


def edited(place: Place, old: str, new: str) -> dict[str, Any]:
    place.replace(old, new, "plan.md")
    return again(place)


def test_a_list_without_ids_says_its_order_and_takes_what_is_new_in_it(world: World) -> None:
    world.write("todo.md", "- [ ] alpha one\n- [ ] beta two\n- [ ] gamma three\n")
    said = "The source has its items in another order; the order here is kept."
    assert said not in again(world, "todo.md")["notes"]
    world.write("todo.md", "- [ ] alpha one\n- [ ] delta four\n- [ ] beta two\n- [ ] gamma three\n")
    assert said not in again(world, "todo.md")["notes"]
    assert re.findall(r"- id: (\w+-\w+)", world.read()) == [
        "alpha-one", "delta-four", "beta-two", "gamma-three",
    ]  # fmt: skip
    world.write("todo.md", "- [ ] gamma three\n- [ ] alpha one\n- [ ] delta four\n- [ ] beta two\n")
    assert said in again(world, "todo.md")["notes"]


def test_features_without_a_priority_come_in_the_order_of_their_list(world: World) -> None:
    def told(*ids: str) -> dict[str, Any]:
        features = [{"id": id, "description": f"Do {id}", "passes": False} for id in ids]
        world.write("feature_list.json", json.dumps({"features": features}))
        return again(world, "feature_list.json")

    said = "The source has its items in another order; the order here is kept."
    told("f1", "f2", "f3")
    assert said not in told("f1", "f9", "f2", "f3")["notes"]
    assert re.findall(r"- id: (f\d)", world.read()) == ["f1", "f9", "f2", "f3"]
    assert said in told("f3", "f1", "f9", "f2")["notes"]


def test_what_is_remembered_is_short(world: World) -> None:
    assert re.search(
        r"  - id: T3\n    title: Sell\n    status: pending\n    depends_on:\n      - T2\n"
        r"    x-source:\n      file: plan.md\n      fields: title=\w{6} depends_on=\w{6}\n\Z",
        world.read(),
    )


def test_nothing_new_changes_no_byte(world: World) -> None:
    before = world.read()
    data = again(world)
    assert (data["unchanged"], data["removed"]) == (["T1", "T2", "T3"], [])
    assert world.read() == before


def test_what_changed_in_the_source_alone_changes_here(world: World) -> None:
    before = world.read()
    data = edited(world, "Lay the bricks", "Lay all the bricks")
    assert (data["updated"], data["unchanged"]) == (["T2"], ["T1", "T3"])
    after = world.read()
    assert "Lay all the bricks" in after
    changed = set(after.splitlines()) - set(before.splitlines())
    assert len(changed) == 2, "the description and its digest"


def test_what_changed_here_alone_stays(world: World) -> None:
    world.ralph("edit", "T2", "--description", "Lay them well", "--priority", "1")
    before = world.read()
    assert again(world)["unchanged"] == ["T1", "T2", "T3"]
    assert world.read() == before
    data = edited(world, "Build", "Build it")
    assert data["updated"] == ["T2"]
    task = world.task("T2")
    assert (task["title"], task["description"], task["priority"]) == (
        "Build it", "Lay them well", 1
    )  # fmt: skip


def test_what_changed_in_both_stays_and_is_said_once(world: World) -> None:
    world.ralph("edit", "T2", "--title", "Build here")
    data = edited(world, "Build", "Build there")
    assert data["notes"][-1] == "T2: title changed here and in the source; kept."
    assert (data["updated"], data["unchanged"]) == ([], ["T1", "T2", "T3"])
    assert world.task("T2")["title"] == "Build here"
    assert len(again(world)["notes"]) == len(data["notes"]) - 1


def test_what_is_gone_from_the_source_goes_unless_it_changed_here(world: World) -> None:
    world.ralph("edit", "T2", "--verify", "test -e house.txt")
    data = edited(world, "  - **Do**: Lay the bricks\n  - **Verify**: `test -s house.txt`\n", "")
    task = world.task("T2")
    assert "description" not in task and task["verify"] == ["test -e house.txt"]
    assert data["notes"][-1] == "T2: verify changed here and in the source; kept."


def test_a_task_that_is_gone_is_reported_and_stays(world: World) -> None:
    world.replace("- [ ] T3 Sell\n", "- [ ] T4 Rent\n", "plan.md")
    done = world.ralph("import", "plan.md")
    assert "no longer in the source, and kept here: T3 (Sell)\n" in done.out
    data = again(world)
    assert data["removed"] == ["T3"] and world.task("T3")["status"] == "pending"
    # What is open of it is offered on, until somebody says that it is not to be done.
    offered = next(note for note in data["notes"] if "still offered" in note)
    said, _, command = offered.partition(": ")
    assert said == "T3 is still offered here; what is not to be done"
    assert world.ralph(*shlex.split(command)[1:]).code == 0
    assert world.task("T3")["status"] == "cancelled"
    assert not any("still offered" in note for note in again(world)["notes"])
    # Another file says nothing about the tasks of this one.
    world.write("other.md", "- [ ] X1 a\n")
    assert again(world, "other.md")["removed"] == []


def test_what_an_import_made_of_values_is_said_once(world: World) -> None:
    def write(*fields: str) -> list[str]:
        lines = (f'{{"id": "{id}", "title": "{id}", {more}}}' for id, more in
                 zip(("A", "B"), fields, strict=True))  # fmt: skip
        world.write("plan.jsonl", "".join(f"{line}\n" for line in lines))
        notes: list[str] = again(world, "plan.jsonl")["notes"]
        return notes

    odd = ['"status": "whatever"', '"status": "strange"']
    assert [note[0] for note in write(*odd)] == ["A", "A", "B", "B"]
    assert write(*odd) == []
    assert [note[0] for note in write('"status": "whatever", "priority": 1', odd[1])] == ["A", "A"]


def test_a_note_that_begins_with_a_number_is_on_no_task(world: World) -> None:
    world.write("list.md", "- [ ] 1. Begin\n- [ ]* 2. Draw\n- [~] 3. Build\n")
    again(world, "list.md")
    world.write("list.md", "- [ ] 1. Begin it\n- [ ]* 2. Draw\n- [~] 3. Build\n")
    assert any(note.startswith("2 items put off") for note in again(world, "list.md")["notes"])
    assert again(world, "list.md")["notes"] == []


def test_what_only_waits_for_something_else_is_counted(world: World) -> None:
    def write(*more: str) -> None:
        items = (f"- [ ] Do {number}\n" for number in range(30))
        world.write(
            "long.md", f"## Phase 1\n\n- [ ] Begin\n{''.join(more)}\n## Phase 2\n\n{''.join(items)}"
        )

    write()
    again(world, "long.md")
    write("- [ ] Prepare\n")
    told = world.ralph("import", "long.md", "--dry-run").out.splitlines()
    assert told[:2] == ["# would add prepare: Prepare", "# would update: 30 tasks (depends_on)"]


def test_no_import_touches_a_lifecycle(world: World) -> None:
    world.claim("T1")
    claimed = world.task("T1")
    data = edited(world, "[ ] T1", "[x] T1")
    assert world.task("T1") == claimed
    assert data["unchanged"] == ["T1", "T2", "T3"]
    assert data["notes"][-1] == (
        "T1 is complete in the source, in-progress here: claim and complete it, or, where its "
        "work is here, ralphgit complete T1 --by COMMIT"
    )
    # Nor one of a task that nobody has begun: no commit would say who did it.
    data = edited(world, "[ ] T3", "[x] T3")
    assert world.task("T3")["status"] == "pending"
    assert data["notes"][-1].startswith("T3 is complete in the source, pending here")


def test_what_only_verifies_is_completed_by_no_commit_where_its_source_is_done(
    world: World,
) -> None:
    """The note had a command that is refused."""
    world.write("p.md", "- [ ] T8 Form\n- [ ] T9 Checkpoint - All tests pass\n")
    assert world.ralph("import", "p.md").code == 0
    world.write("p.md", "- [ ] T8 Form\n- [x] T9 Checkpoint - All tests pass\n")
    assert world.ralph("import", "p.md", "--json").data["notes"][-1] == (
        "T9 is complete in the source, pending here: claim and complete it with what you see "
        "(--shows TEXT)"
    )


def test_a_completed_task_stays_complete(world: World) -> None:
    world.ralph("claim", "T1")
    world.write("plan.txt", "plan\n")
    world.complete("T1")
    before = world.task("T1")
    world.replace("T1 Draw", "T1 Draw it", "plan.md")
    again(world, "plan.md", "--reworded")
    after = world.task("T1")
    assert after.pop("title") == "Draw it"
    lifecycle = ("status", "claim", "result")
    assert {key: after[key] for key in lifecycle} == {key: before[key] for key in lifecycle}


def test_a_dry_run_writes_nothing(world: World) -> None:
    world.replace("Build", "Build it", "plan.md")
    before = world.snapshot()
    done = world.ralph("import", "plan.md", "--dry-run")
    assert "# would update T2: Build it (title)\n" in done.out
    assert world.snapshot() == before


def test_what_a_dependency_lacked_is_forgotten_once_it_is_mended(world: World) -> None:
    edited(world, "- [ ] T3 Sell\n", "- [ ] T3 Sell\n  - Depends on: T2 and the garden\n")
    assert world.task("T3")["x-missing-dependencies"] == ["the garden"]
    edited(world, "T2 and the garden", "Build and T1")
    task = world.task("T3")
    assert task["depends_on"] == ["T2", "T1"] and "x-missing-dependencies" not in task
    # Also where the other one comes later, and the words here have not changed.
    edited(world, "Build and T1", "Plant the garden")
    assert world.task("T3")["x-missing-dependencies"] == ["Plant the garden"]
    edited(world, "- [ ] T3 Sell\n", "- [ ] T4 Plant the garden\n- [ ] T3 Sell\n")
    task = world.task("T3")
    assert task["depends_on"] == ["T4"] and "x-missing-dependencies" not in task


# --- ids that mean something in their file alone ------------------------------------------


def test_another_lists_ids_are_other_tasks(world: World) -> None:
    world.write("specs/two/plan.md", "- [ ] T1 Swim\n- [ ] T2 Dive\n")
    before = world.snapshot()
    done = world.ralph("import", "specs/two/plan.md")
    assert (done.code, done.out) == (6, "")
    assert done.err == (
        "error: task-graph.yaml:4:1: the graph has another task T1 ('Draw'); nothing was written; "
        "--prefix puts a word before the ids\n"
        "hint: ralphgit import --prefix two- specs/two/plan.md\n"
    )
    assert world.snapshot() == before
    data = again(world, "specs/two/plan.md", "--prefix", "two-")
    assert data["added"] == ["two-T1", "two-T2"]
    assert world.task("two-T2")["depends_on"] == ["two-T1"]
    assert again(world, "specs/two/plan.md", "--prefix", "two-")["unchanged"] == data["added"]


def test_a_list_that_was_moved_has_the_same_tasks(world: World) -> None:
    world.git("mv", "plan.md", "specs.md")
    assert again(world, "specs.md")["unchanged"] == ["T1", "T2", "T3"]


def test_two_lists_at_once_are_kept_apart(world: World) -> None:
    world.write("a.md", "- [ ] A1 a\n")
    world.write("b.md", "- [ ] A1 b\n")
    done = world.ralph("import", "a.md", "b.md", "--json")
    assert (done.code, done.error) == (6, "other_source")


def test_an_issue_is_known_by_its_address(tmp_path: Path) -> None:
    world = World(tmp_path)
    line = '[{"number": 1, "title": "%s", "url": "https://github.com/o/%s/issues/1"}]'
    world.write("a.json", line % ("Old", "r"))
    world.write("b.json", line % ("New", "r"))
    world.write("c.json", line % ("Old", "other"))
    again(world, "a.json")
    assert again(world, "b.json")["updated"] == ["GH-1"]
    assert world.ralph("import", "c.json", "--json").error == "other_source"
    assert again(world, "c.json", "--prefix", "other-")["added"] == ["other-GH-1"]


@pytest.mark.parametrize("prefix", ["-", "a b", "x" * 64])
def test_a_prefix_that_makes_no_id_is_refused(world: World, prefix: str) -> None:
    done = world.ralph("import", "plan.md", f"--prefix={prefix}", "--json")
    assert (done.code, done.error) == (2, "bad_id")


# --- formats alike ------------------------------------------------------------------------


def test_a_graph_and_its_ticket(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("graph.yaml", "nodes: [{id: A, title: a, status: open, complexity: S}]\n")
    world.write("A.md", "---\nid: A\npriority: 1\n---\n# Words\n")
    again(world, "graph.yaml", "A.md")
    origin = Origin.of(world.task("A"))
    assert origin is not None and origin.files == ("graph.yaml", "A.md")
    # One of the two cannot say what the other has lost.
    again(world, "graph.yaml")
    assert world.task("A")["priority"] == 1
    world.replace("complexity: S", "size: 3", "graph.yaml")
    again(world, "graph.yaml", "A.md")
    task = world.task("A")
    assert "complexity" not in task and (task["size"], task["priority"]) == (3, 1)


@pytest.mark.slow
def test_real_issues_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    path = str(shared("beads/issues.jsonl"))
    assert len(again(world, path)["added"]) == 704
    before = world.read()
    assert "file: issues.jsonl\n" in before, "where it lies on this machine is nobody's business"
    assert len(again(world, path)["unchanged"]) == 704
    assert world.read() == before


# --- the rule -----------------------------------------------------------------------------

_VALUES = st.sampled_from([None, "a", "b", ["a"], {"x": 1}])


@given(
    st.dictionaries(st.sampled_from(["f", "g h", "depends_on"]), st.tuples(*[_VALUES] * 3)),
)
def test_each_field_becomes_what_the_table_says(
    fields: dict[str, tuple[object, object, object]],
) -> None:
    head = {"id": "A", "title": "a", "status": "pending"}

    def task(version: int) -> dict[str, Any]:
        values = {key: each[version] for key, each in fields.items()}
        return head | {key: value for key, value in values.items() if value is not None}

    base, source, here = task(0), task(1), task(2)
    given_file = Given(("f",))
    here[SOURCE] = first(base, ["f"], given_file).stored()
    decision = decide(here, source, ["f"], given_file)
    after = {**here, **decision.fields}
    for key, (was, now, mine) in fields.items():
        changed = now != was and mine == was
        assert after.get(key) == (now if changed else mine)
        both = now not in (was, mine) and mine != was
        assert both == any(key in note for note in decision.notes)
    # Said once, and then known.
    if decision.origin is not None:
        after[SOURCE] = decision.origin.stored()
    after = {key: value for key, value in after.items() if value is not None}
    assert decide(after, source, ["f"], given_file) == Decision({}, None, ())


def test_an_item_that_became_the_story_of_others_is_said_as_that(world: World) -> None:
    world.replace("- [ ] T3 Sell\n", "- [ ] T3 Sell\n  - [ ] T4 Ask\n  - [ ] T5 Sign\n", "plan.md")
    data = again(world)
    assert (data["added"], data["removed"]) == (["T4", "T5"], [])
    assert (
        "T3 is no task in the source now, but the story of those inside it; it stays here."
    ) in data["notes"]


def test_what_waits_for_an_item_waits_for_it_when_it_became_a_story(world: World) -> None:
    inside = "- [ ] T2 Build\n  - [ ] T4 Dig\n"
    old = "- [ ] T2 Build\n  - **Do**: Lay the bricks\n  - **Verify**: `test -s house.txt`\n"
    world.replace(old, inside, "plan.md")
    data = again(world)
    assert data["added"] == ["T4"]
    assert world.task("T4")["depends_on"] == ["T1"]
    assert world.task("T3")["depends_on"] == ["T4", "T2"]
    assert again(world)["updated"] == []
    world.write(
        "task-graph.yaml",
        world.read().replace(
            "id: T2\n    title: Build\n    status: pending",
            "id: T2\n    title: Build\n    status: cancelled",
        ),
    )
    again(world)
    assert world.task("T3")["depends_on"] == ["T4"]


def test_a_file_that_is_gone_from_a_folder_takes_its_tasks_out_of_the_source(world: World) -> None:
    for number in (7, 8):
        world.write(
            f"backlog/tasks/task-{number} - Do it.md",
            f"---\nid: TASK-{number}\ntitle: Do {number}\nstatus: To Do\n---\n",
        )
    again(world, "backlog")
    world.write("plans/task-9.md", "---\nid: TASK-9\ntitle: Else\nstatus: To Do\n---\n")
    again(world, "plans/task-9.md")
    (world.path / "backlog/tasks/task-7 - Do it.md").unlink()
    (world.path / "plans/task-9.md").unlink()
    done = world.ralph("import", "backlog")
    assert "no longer in the source, and kept here: TASK-7 (Do 7)\n" in done.out
    # The folder says nothing about a file elsewhere, nor one file about others.
    assert again(world, "backlog/tasks/task-8 - Do it.md")["removed"] == []


STORIES = """\
{"userStories": [
{"id": "US-1", "title": "a", "priority": 1, "passes": true},
{"id": "US-2", "title": "b", "priority": 2, "passes": false},
{"id": "US-3", "title": "c", "priority": 3, "passes": false},
{"id": "US-4", "title": "d", "priority": 4, "passes": false}
]}
"""


def ranked(place: Place, old: str, new: str) -> list[str]:
    """The ids in the graph's order, once the stories are imported again with other words."""
    place.replace(old, new, "prd.json")
    again(place, "prd.json")
    place.commit()
    return re.findall(r"^  - id: (\S+)", place.read(), re.MULTILINE)


def test_a_story_stands_where_its_rank_in_the_source_puts_it(tmp_path: Path) -> None:
    made = World(tmp_path)
    made.write("prd.json", STORIES)
    again(made, "prd.json")
    text = made.read().replace("  - id: US-3", "  # Sell it.\n  - id: US-3")
    made.write("task-graph.yaml", text)
    more = '{"id": "US-9", "title": "n", "priority": 2, "passes": false},\n{"id": "US-3"'
    assert ranked(made, '{"id": "US-3"', more) == ["US-1", "US-2", "US-9", "US-3", "US-4"]
    assert ranked(made, ' "priority": 4', ' "priority": 1') == [
        "US-1", "US-4", "US-2", "US-9", "US-3",
    ]  # fmt: skip
    assert made.ralph("next").out.startswith("US-4")
    # One that is first of all; one that is done is not moved.
    assert ranked(made, '"d", "priority": 1', '"d", "priority": 0')[:2] == ["US-4", "US-1"]
    assert ranked(made, '"a", "priority": 1', '"a", "priority": 9')[:2] == ["US-4", "US-1"]
    assert made.read().count("  # Sell it.\n  - id: US-3\n") == 1


def test_what_was_moved_here_stays_where_no_rank_has_changed(tmp_path: Path) -> None:
    made = World(tmp_path)
    made.write("prd.json", STORIES)
    again(made, "prd.json")
    head, one, two, three, four = re.split(r"(?=^  - id)", made.read(), flags=re.MULTILINE)
    made.write("task-graph.yaml", head + one + four + two + three)
    order = ["US-1", "US-4", "US-2", "US-3"]
    assert ranked(made, '"title": "c"', '"title": "Sell"') == order


def test_what_changes_of_stories_and_milestones_is_said_apart_from_tasks(world: World) -> None:
    """Every worker of a story gets what it says: "unchanged" alone would be wrong."""
    plan = "# P\n\n## First release\n\n### Phase 1: Parser\n\n**Goal**: in one pass\n"
    plan += "\n- [ ] 1.1 Lexer\n"
    plan += "\n### Phase 2: Printer\n\n- [ ] 2.1 Print\n"
    world.write("more.md", plan)
    first = world.ralph("import", "more.md", "--dry-run").out
    assert "# would add: 2 stories, 1 milestone\n" in first
    assert "\nadded: 2 stories, 1 milestone\n" in world.ralph("import", "more.md").out
    world.replace("one pass", "two passes", "more.md")
    world.replace("Printer", "Writer", "more.md")
    told = world.ralph("import", "more.md", "--dry-run").out
    assert "# would update story phase-1: description\n" in told
    assert "# would update story phase-2: title\n" in told
    assert "2 unchanged; 2 stories changed; 0 lines ignored\n" in told
    data = world.ralph("import", "more.md", "--dry-run", "--json").data
    assert (data["updated"], data["unchanged"]) == ([], ["1.1", "2.1"])
    assert data["stories"] == {"added": [], "updated": ["phase-1", "phase-2"]}
    assert data["milestones"] == {"added": [], "updated": []}
    done = world.ralph("import", "more.md").out
    assert "updated story phase-1: description\nupdated story phase-2: title\n" in done
    assert "Nothing is staged; look at: git status" in done
    assert again(world, "more.md")["stories"] == {"added": [], "updated": []}


@pytest.mark.parametrize("stories", ["[5]", "[null]", "5", "[{}, [x]]"])
def test_stories_that_are_none_name_no_task(stories: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    world.ralph("init")
    world.write(
        "nodes.yaml", f"nodes:\n  - {{id: N-1, title: One, status: done}}\nstories: {stories}\n"
    )
    done = world.ralph("import", "nodes.yaml", "--json")
    assert done.code in (0, 6), done.out
