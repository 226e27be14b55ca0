"""JSON of other tools becomes tasks: beads' issues, GitHub's issues, our own lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import ryaml
from world import World, shared

from ralphgit.errors import InvalidRecord
from ralphgit.records.importers import Imported, convert
from ralphgit.records.task_fields import normalise
from ralphgit.rules.cycles import find_cycles

Task = dict[str, Any]
NO_WORK = {"merge-request", "gate", "molecule", "message", "agent", "role", "rig"}


def read(text: str) -> Imported:
    return convert("issues.json", text.encode(), ryaml.loads)


def lines(*issues: Task) -> Imported:
    return read("".join(f"{json.dumps(issue)}\n" for issue in issues))


def bead(id: str, **fields: object) -> Task:
    return {"id": id, "title": id, "status": "open", "issue_type": "task", "priority": 2, **fields}


def edge(on: str, kind: str = "blocks") -> Task:
    return {"issue_id": "x", "depends_on_id": on, "type": kind, "metadata": "{}"}


def refusal(text: str) -> InvalidRecord:
    with pytest.raises(InvalidRecord) as caught:
        read(text)
    assert caught.value.file == "issues.json"
    return caught.value


# --- beads --------------------------------------------------------------------------------


def test_the_real_issues() -> None:
    path = shared("beads/issues.jsonl")
    issues = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    found = convert("issues.jsonl", path.read_bytes(), ryaml.loads)
    by_id: dict[str, Task] = {str(task["id"]): task for task in found.tasks}
    assert [task["id"] for task in found.tasks] == [issue["id"] for issue in issues]
    assert len(by_id) == 704

    edges = [(issue["id"], edge) for issue in issues for edge in issue.get("dependencies", [])]
    assert len(edges) == 745
    there = {(id, edge["depends_on_id"]) for id, edge in edges
             if edge["type"] == "blocks" and edge["depends_on_id"] in by_id}  # fmt: skip
    read = {(id, ref) for id, task in by_id.items() for ref in task.get("depends_on", [])}
    assert there <= read
    # All else comes from the parents' blockers, or from what is inside an epic.
    epics = {issue["id"] for issue in issues
             if issue.get("issue_type") == "epic" and issue["status"] != "closed"}  # fmt: skip
    above = {issue["id"]: by_id[issue["id"]].get("story") for issue in issues}
    for id, ref in read - there:
        if id in epics and above.get(ref) == id:
            assert by_id[id]["mode"] == "verify"
            continue
        parents = [id]
        while (parent := above.get(parents[-1])) and parent not in parents:
            parents.append(parent)
        assert any((parent, ref) in there for parent in parents[1:]), (id, ref)
    aside = {(id, ref) for id, task in by_id.items()
             for ref in task.get("x-missing-dependencies", [])}  # fmt: skip
    missing = [(id, edge) for id, edge in edges if edge["depends_on_id"] not in by_id]
    assert len(missing) == 30
    assert aside == {(id, edge["depends_on_id"]) for id, edge in missing
                     if edge["type"] == "blocks"}  # fmt: skip
    for id, one in missing:
        assert any(n.startswith(id) and one["depends_on_id"] in n for n in found.notes), (id, one)

    for issue in issues:
        task = by_id[issue["id"]]
        held = {"closed": "complete", "pinned": "cancelled", "hooked": "cancelled"}
        status = held.get(issue["status"], "pending")
        if status == "pending" and (issue.get("issue_type") in NO_WORK or issue.get("ephemeral")):
            status = "cancelled"
        assert (task["title"], task["status"]) == (issue["title"], status), issue
        assert task.get("description", "") == issue.get("description", "")
        assert task["priority"] == issue["priority"]
        assert task.get("story") == issue.get("parent", task.get("story"))
        assert task.get("x-beads", {}).get("labels") == issue.get("labels")
        assert normalise(dict(task), dict) == []
    assert find_cycles({id: task.get("depends_on", []) for id, task in by_id.items()}) == ()
    assert found.dropped == ("comment_count", "dependency_count", "dependent_count", "updated_at")
    assert "4 hooked in the source, taken for cancelled; x-beads keeps the word." in found.notes


def statuses(*issues: Task) -> dict[str, object]:
    return {str(task["id"]): task["status"] for task in lines(*issues).tasks}


def waiting(*issues: Task) -> dict[str, object]:
    return {str(task["id"]): task.get("depends_on", []) for task in lines(*issues).tasks}


@pytest.mark.parametrize("fields", [
    {"status": "deferred"}, {"status": "hooked"}, {"status": "blocked"}, {"pinned": True},
    {"ephemeral": True}, {"status": "deferred", "defer_until": "2020-01-01T00:00:00Z"},
    *({"issue_type": kind} for kind in sorted(NO_WORK)),
    {"defer_until": "2026-03-01T00:00:00+01:00", "updated_at": "2026-02-01T00:00:00Z"},
])  # fmt: skip
def test_what_beads_does_not_offer_is_not_ready(fields: Task) -> None:
    """And what waits for it waits on."""
    issues = (bead("b-1", **fields), bead("b-2", dependencies=[edge("b-1")]))
    assert statuses(*issues) == {"b-1": "cancelled", "b-2": "pending"}
    assert waiting(*issues)["b-2"] == ["b-1"]
    assert lines(*issues).notes[-1] == (
        "What is cancelled here is brought back by: ralphgit reset ID --reopen"
    )


@pytest.mark.parametrize("fields", [
    {}, {"issue_type": "epic"}, {"issue_type": "bug"}, {"status": "in_progress"},
    {"defer_until": "2026-01-01T00:00:00Z", "updated_at": "2026-02-01T00:00:00Z"},
    {"status": "blocked", "dependencies": [edge("b-2")]},
])  # fmt: skip
def test_what_beads_offers_is_pending(fields: Task) -> None:
    assert statuses(bead("b-1", **fields), bead("b-2"))["b-1"] == "pending"


def test_a_part_waits_for_what_its_parents_wait_for() -> None:
    found = waiting(
        bead("e", dependencies=[edge("f"), edge("a")]),
        bead("a", parent="e"),
        bead("b", parent="a"),
        bead("f", dependencies=[edge("g", "conditional-blocks"), edge("e", "waits-for")]),
        bead("g"),
        bead("h", dependencies=[edge("h2", "parent-child")]),
        bead("h2", dependencies=[edge("h")]),
    )
    assert found == {
        # a is a part of e, and f waits for a, as it waits for the parts of e.
        "e": ["f", "a"], "a": [], "b": ["f"], "f": ["g", "a"], "g": [], "h": [], "h2": ["h"],
    }  # fmt: skip
    chain = waiting(bead("e", dependencies=[edge("f")]), bead("a", parent="e"),
                    bead("b", parent="a"), bead("f"))  # fmt: skip
    assert (chain["a"], chain["b"]) == (["f"], ["f"])


def test_a_part_of_what_is_deferred_is_not_offered_and_its_own_parts_are() -> None:
    found = statuses(bead("e", status="deferred"), bead("a", parent="e"), bead("b", parent="a"))
    assert found == {"e": "cancelled", "a": "cancelled", "b": "pending"}


def test_fields_and_edges_of_an_issue() -> None:
    found = lines(
        bead("b-1", status="in_progress", issue_type="bug", assignee="ann", comment_count=3,
             dependencies=[edge("b-2"), edge("b-9"), edge("b-2", "related"),
                           edge("b-3", "parent-child")],
             acceptance_criteria="it works: always", design="# A\n- b", estimated_minutes=0),
        bead("b-2", status="blocked", priority=0, parent="b-8"),
        bead("b-3", status="tombstone"),
    )  # fmt: skip
    assert found.tasks == (
        {
            "id": "b-1", "title": "b-1", "status": "pending", "story": "b-3", "priority": 2,
            "depends_on": ["b-2"], "acceptance": [{"id": "ACC-1", "text": "it works: always"}],
            "x-missing-dependencies": ["b-9"],
            "x-beads": {
                "status": "in_progress", "issue_type": "bug", "assignee": "ann",
                "design": "# A\n- b", "estimated_minutes": 0,
                "dependencies": [{"type": "related", "on": "b-2"}],
            },
        },
        {"id": "b-2", "title": "b-2", "status": "cancelled", "story": "b-8", "priority": 0,
         "x-beads": {"status": "blocked"}},
        {"id": "b-3", "title": "b-3", "status": "cancelled", "priority": 2,
         "x-beads": {"status": "tombstone"}},
    )  # fmt: skip
    assert found.notes[:2] == (
        "b-1 depends on b-9, which is not in the file: kept aside.",
        "b-2: its parent b-8 is not in the file; the story is named after it.",
    )


def test_hostile_ids_are_made_safe_and_kept() -> None:
    found = lines(bead("a/b c", dependencies=[edge("../x")]), bead("../x"), bead("x"))
    assert [(task["id"], task.get("x-id")) for task in found.tasks] == [
        ("a-b-c", "a/b c"), ("x-2", "../x"), ("x", None)
    ]  # fmt: skip
    assert found.tasks[0]["depends_on"] == ["x-2"]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ('{"id": "a", "title": "a"}\n{"id": "b", "title": }\n', 2, 22, "this is not JSON: "),
        ('{"id": "a", "id": "b", "title": "c"}\n{"a": 1}\n', 1, 1, "duplicate key 'id'"),
        ('{"id": "a", "title": NaN}\n{"id": "b", "title": "b"}\n', 1, 1, "NaN is not JSON"),
        ('{"id": "a", "title": "a"}\n[1]\n{"id": "c", "title": "c"}', 2, 1, "this is not a JSON"),
        ('{"id": "a", "title": "a"}\n{"id": "A", "title": "a"}\n', 2, 1, "two tasks have the id A"),
        ('{"id": "a", "title": "a"}\n{"name": "b"}\n', 2, 1, "the format of this file"),
        ('[{"number": 1, "title": "a"},\n{"number": 1, "title": "b"}]', 2, 1, "two issues have"),
        ('[{"number": "x", "title": "a"}]', 1, 1, "an issue's number is not"),
        ("[" * 100_000, 1, 1, "the JSON is nested too deep"),
        ('{"tasks": [\n{"id": 1, "title": "a", "dependencies": []},\n\n {"id": 1, "title": "b"}]}',
         4, 1, "two tasks have the id 1; the first is in line 2"),
        ('{"userStories": [\n{"id": "a", "title": "a", "passes": true},\n'
         ' {"id": "A", "title": "b"}]}', 3, 1, "two tasks have the id A; the first is in line 2"),
        ("[]", 1, 1, "the format of this file"),
        ('{"id": "a", "title": "a", "issue_type": "task", "dependencies": [{}]}\n', 1, 1,
         "a dependency of a does not say what it depends on"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused(text: str, line: int, column: int, message: str) -> None:
    error = refusal(text)
    assert (error.line, error.column) == (line, column)
    assert error.message.startswith(message)


# --- our own lines ------------------------------------------------------------------------


def test_our_own_lines_pass_as_they_are() -> None:
    task = {"id": "A", "title": "a: b", "status": "complete", "priority": 1, "x-y": {"z": [1]}}
    other = {"id": "B", "title": "b", "status": "pending", "depends_on": ["A"], "story": None}
    shown: dict[str, object] = {
        "state": "ready", "holder": None, "stale": False, "blocked_on": [], "file": "g", "line": 3,
    }  # fmt: skip
    assert lines(task, {**other, **shown}).tasks == (
        task, {"id": "B", "title": "b", "status": "pending", "depends_on": ["A"]}
    )  # fmt: skip
    assert lines({**other, **shown, "blocked_by_base": ["A"]}).tasks == lines(other).tasks
    assert lines({**task, "line": 3}).tasks == ({**task, "line": 3},)


# --- GitHub -------------------------------------------------------------------------------


def test_issues_of_a_forge() -> None:
    found = read(json.dumps([
        {
            "number": 12, "title": "Parser: \"quotes\" # and more", "state": "OPEN",
            "body": "Do it.\r\n\r\n- [ ] #13\n- [x] https://github.com/o/r/issues/14\n"
                    "- [ ] #99 gone\n- [ ] its own step\n```\n- [ ] #15\n```",
            "labels": [{"id": "L", "name": "priority: high"}, {"name": "bug"},
                       {"name": "story: Big House"}],
            "assignees": [{"login": "ann"}], "milestone": {"number": 1, "title": "v1"},
            "url": "https://github.com/o/r/issues/12", "updatedAt": "2026-01-01T00:00:00Z",
        },
        {"number": 13, "title": "b", "state": "CLOSED", "stateReason": "COMPLETED", "body": "",
         "labels": [{"name": "P0"}]},
        {"number": 14, "title": "c", "state": "CLOSED", "stateReason": "NOT_PLANNED", "body": None,
         "labels": []},
        {"number": 15, "title": "d", "state": "OPEN", "labels": [{"name": "high"}]},
    ]))  # fmt: skip
    assert found.tasks == (
        {
            "id": "GH-12", "title": "Parser: \"quotes\" # and more", "status": "pending",
            "story": "big-house", "milestone": "v1", "priority": 1,
            "depends_on": ["GH-13", "GH-14"], "description": found.tasks[0]["description"],
            "x-missing-dependencies": ["GH-99"],
            "x-github": {
                "number": 12, "labels": ["priority: high", "bug", "story: Big House"],
                "assignees": ["ann"], "url": "https://github.com/o/r/issues/12",
            },
        },
        {"id": "GH-13", "title": "b", "status": "complete", "priority": 0,
         "x-github": {"number": 13, "labels": ["P0"]}},
        {"id": "GH-14", "title": "c", "status": "cancelled", "x-github": {"number": 14}},
        {"id": "GH-15", "title": "d", "status": "pending",
         "x-github": {"number": 15, "labels": ["high"]}},
    )  # fmt: skip
    assert str(found.tasks[0]["description"]).startswith("Do it.\n\n- [ ] #13\n")
    assert "GH-12 depends on GH-13, GH-14: they are in the task list of its body." in found.notes
    assert "GH-12 lists GH-99, not in the file: kept aside." in found.notes


# --- prd.json of a ralph loop -------------------------------------------------------------

STORIES = [
    {"id": "US-2", "title": "Show it", "acceptanceCriteria": ["Shown"], "priority": 7,
     "passes": False, "dependsOn": ["US-1", "US-9"]},
    {"id": "US-1", "title": "Add the table", "acceptanceCriteria": ["Typecheck passes"],
     "priority": 1, "passes": True, "notes": ""},
]  # fmt: skip


@pytest.mark.parametrize("form", ["whole", "minified", "list", "lines"])
def test_user_stories(form: str) -> None:
    whole = {"project": "Shop", "branchName": "ralph/shop", "userStories": STORIES}
    text = {
        "whole": json.dumps(whole, indent=2),
        "minified": json.dumps(whole),
        "list": json.dumps(STORIES, indent=2),
        "lines": "".join(f"{json.dumps(one)}\n" for one in STORIES),
    }[form]
    found = read(text)
    first, second = found.tasks
    assert first == {
        "id": "US-1", "title": "Add the table", "status": "complete",
        "acceptance": [{"id": "ACC-1", "text": "Typecheck passes"}], "x-priority": 1,
    }  # fmt: skip
    assert (second["id"], second["status"], second["depends_on"]) == ("US-2", "pending", ["US-1"])
    assert second["x-missing-dependencies"] == ["US-9"]
    named = {"x-project": "Shop", "x-branchName": "ralph/shop"}
    assert found.root == (named if form in ("whole", "minified") else {})


@pytest.mark.parametrize(("passes", "word", "status", "note"), [
    (False, "in_progress", "pending", " is in progress in the source, which makes no claim here."),
    (False, "blocked", "blocked", " is blocked, but the source does not say why in our terms."),
    (False, "skipped", "cancelled", ""),
    (False, "done", "pending", ": the status 'done' is kept as x-status: by passes it is pending."),
    (False, "review", "pending",
     ": the status 'review' is kept as x-status: by passes it is pending."),
    (True, "in_progress", "complete",
     ": the status 'in_progress' is kept as x-status: by passes it is complete."),
])  # fmt: skip
def test_a_story_that_passes_or_not_keeps_its_status(
    passes: bool, word: str, status: str, note: str
) -> None:
    story = {"id": "US-1", "title": "One", "passes": passes, "status": word}
    found = read(json.dumps({"userStories": [story]}))
    assert found.tasks == ({"id": "US-1", "title": "One", "status": status, "x-status": word},)
    assert found.notes == ((f"US-1{note}",) if note else ())


@pytest.mark.parametrize(("passes", "word"), [
    (True, "done"), (True, "passing"), (False, "not_started"), (False, "pending"), (False, ""),
])  # fmt: skip
def test_a_status_that_says_what_passes_says_is_not_kept(passes: bool, word: str) -> None:
    story = {"id": "US-1", "title": "One", "passes": passes, "status": word}
    found = read(json.dumps({"userStories": [story]}))
    assert (found.notes, "x-status" in found.tasks[0]) == ((), False)


# --- Task Master --------------------------------------------------------------------------

MASTER = [
    {"id": 1, "title": "Set up", "status": "done", "dependencies": [], "priority": "high",
     "description": "The frame.", "details": "Use uv.", "testStrategy": "It installs."},
    {"id": 2, "title": "Build", "status": "pending", "dependencies": [1], "subtasks": [
        {"id": 1, "title": "Parse", "status": "in-progress", "dependencies": []},
        {"id": 2, "title": "Print", "status": "pending", "dependencies": [1, "1.9"]}]},
    {"id": 3, "title": "Later", "status": "deferred", "dependencies": [2]},
]  # fmt: skip
WEB = [
    {"id": 1, "title": "Page", "status": "review", "dependencies": []},
    {"id": 2, "title": "Style", "status": "cancelled", "dependencies": [1]},
]


def test_numbered_tasks_under_tags() -> None:
    found = read(json.dumps({"master": {"tasks": MASTER, "metadata": {}}, "web": {"tasks": WEB}}))
    tasks = {str(task["id"]): task for task in found.tasks}
    assert list(tasks) == ["1", "2", "2.1", "2.2", "3", "web.1", "web.2"]
    assert tasks["1"] == {
        "id": "1", "title": "Set up", "status": "complete", "priority": 1,
        "description": "The frame.\n\nUse uv.", "story": "1",
        "acceptance": [{"id": "ACC-1", "text": "It installs."}],
    }  # fmt: skip
    assert tasks["2"]["depends_on"] == ["1", "2.1", "2.2"]
    assert tasks["2.1"]["depends_on"] == ["1"]
    assert (tasks["2.2"]["depends_on"], tasks["2.2"]["x-missing-dependencies"]) == (
        ["2.1"],
        ["1.9"],
    )
    assert (tasks["3"]["status"], tasks["3"]["priority"]) == ("pending", 5)
    assert (tasks["web.1"]["story"], tasks["web.1"]["status"]) == ("web", "pending")
    assert (tasks["web.2"]["depends_on"], tasks["web.2"]["status"]) == (["web.1"], "cancelled")


def test_a_subtask_has_what_its_task_says_as_its_story() -> None:
    parts = [{"id": 1, "title": "Parse", "status": "pending"}]
    task = {"id": 7, "title": "Import", "description": "Read it.", "details": "With care.",
            "status": "pending", "subtasks": parts}  # fmt: skip
    other = {"id": 8, "title": "Draw", "status": "pending", "dependencies": []}
    found = read(json.dumps({"master": {"tasks": [task, other]}, "web": {"tasks": [task, other]}}))
    tasks = {str(one["id"]): (one["story"], one.get("milestone")) for one in found.tasks}
    assert tasks == {
        "7": ("7", None), "7.1": ("7", None), "8": ("8", None),
        "web.7": ("web.7", "web"), "web.7.1": ("web.7", "web"), "web.8": ("web.8", "web"),
    }  # fmt: skip
    said = {"title": "Import", "description": "Read it.\n\nWith care."}
    assert found.root["stories"] == [{"id": "7", **said}, {"id": "web.7", **said}]


@pytest.mark.parametrize(
    ("said", "criteria"),
    [
        ("- A\n- [x] B\n", ["A", "B"]),
        ("1. A\n2. B", ["A", "B"]),
        ("It works:\n- A", ["It works:\n- A"]),
        ("It works", ["It works"]),
    ],
)
def test_a_list_of_criteria_of_an_issue_is_so_many(said: str, criteria: list[str]) -> None:
    (task,) = lines(bead("B-1", acceptance_criteria=said)).tasks
    assert [one["text"] for one in task["acceptance"]] == criteria  # type: ignore[attr-defined]


def test_numbered_tasks_without_tags() -> None:
    found = read(json.dumps({"tasks": MASTER}))
    assert [task["id"] for task in found.tasks] == ["1", "2", "2.1", "2.2", "3"]


@pytest.mark.parametrize("key", ["userStories", "stories", "features"])
def test_stories_stand_under_any_key(key: str) -> None:
    story = {"id": "US-1", "title": "Draw", "passes": True}
    found = read(json.dumps({"title": "P", "others": [{"id": 1}], key: [story]}))
    assert [task["status"] for task in found.tasks] == ["complete"]
    assert (found.root, found.local) == ({"x-title": "P", "x-others": [{"id": 1}]}, True)


def test_lines_without_a_status_that_is_ours_are_tasks_all_the_same() -> None:
    found = lines(
        {"id": "A", "title": "a"},
        {"id": 2, "title": "b", "status": "todo"},
        {"id": "c d", "title": "c", "status": "Done", "depends_on": ["A", 2]},
    )
    assert [(task["id"], task["status"], task.get("depends_on")) for task in found.tasks] == [
        ("A", "pending", None), ("2", "pending", None), ("c-d", "complete", ["A", "2"]),
    ]  # fmt: skip
    assert found.notes == (
        "The id 'c d' is c-d here.", "A has no status that is known here: it is pending.",
    )  # fmt: skip


def test_a_field_of_beads_makes_no_issue_of_our_own_task() -> None:
    text = json.dumps({"id": "A", "title": "First", "status": "pending", "issue_type": "bug",
                       "verify": ["true"]})  # fmt: skip
    (task,) = read(f"{text}\n").tasks
    assert (task["verify"], task["issue_type"]) == (["true"], "bug")


def test_stories_of_a_graph_are_no_user_stories() -> None:
    story = {"id": "shop", "title": "Shop", "acceptance_criteria": ["x"], "dependencies": []}
    found = read(
        json.dumps({"version": 1, "tasks": [{"id": "A", "title": "a"}], "stories": [story]})
    )
    assert [task["id"] for task in found.tasks] == ["A"]


def test_a_story_that_says_the_same_twice_loses_nothing() -> None:
    story = {"id": "S1", "title": "Draw", "passes": False, "acceptanceCriteria": ["a"],
             "acceptance_criteria": ["b"]}  # fmt: skip
    found = read(json.dumps({"user_stories": [story]}))
    (task,) = found.tasks
    assert task["acceptance"] == [{"id": "ACC-1", "text": "a"}]
    assert task["x-acceptance_criteria"] == ["b"]
    assert any("acceptance twice" in note for note in found.notes)


def test_a_subtask_without_a_priority_has_that_of_its_task(tmp_path: Path) -> None:
    world = World(tmp_path)
    parts = [{"id": 1, "title": "Low", "status": "pending", "priority": "low"},
             {"id": 2, "title": "Whole", "status": "pending", "subtasks": [
                 {"id": 1, "title": "Inner", "status": "pending"}]}]  # fmt: skip
    tasks = [
        {"id": 1, "title": "Medium", "status": "pending", "priority": "medium", "dependencies": []},
        {"id": 2, "title": "High", "status": "pending", "priority": "high", "subtasks": parts},
        {"id": 3, "title": "Later", "status": "deferred", "priority": "high", "subtasks": [
            {"id": 1, "title": "Part", "status": "pending"}]},
    ]  # fmt: skip
    world.write("tasks.json", json.dumps({"master": {"tasks": tasks}}))
    assert world.ralph("import", "tasks.json").code == 0
    named = {id: world.task(id).get("priority") for id in ("1", "2", "2.1", "2.2", "2.2.1", "3.1")}
    assert named == {"1": 2, "2": 1, "2.1": 3, "2.2": 1, "2.2.1": 1, "3.1": 5}
    world.commit("plan")
    ready = world.ralph("next", "--json").data["tasks"]
    assert [task["id"] for task in ready] == ["2.2.1", "1", "2.1", "3.1"]


def test_a_rank_between_two_others_is_one(tmp_path: Path) -> None:
    """Who puts a story between two calls it 1.5."""
    world = World(tmp_path)
    one = '{{"id": "{}", "title": "a", "priority": {}, "passes": false}}'
    stories = ", ".join(one.format(*pair) for pair in (("A", 1), ("B", 2), ("C", 1.5)))
    world.write("prd.json", f'{{"userStories": [{stories}]}}')
    done = world.ralph("import", "prd.json", "--json")
    assert (done.data["added"], done.data["notes"]) == (["A", "C", "B"], [])
    assert world.task("C")["x-priority"] == 1.5


@pytest.mark.parametrize(
    ("said", "criteria"),
    [
        ("1. It builds\n2. `npm test` passes\n", ["It builds", "`npm test` passes"]),
        ("1. It builds", ["1. It builds"]),
        ("Unit tests.\n- One for each case", ["Unit tests.\n- One for each case"]),
    ],
)
def test_a_list_of_what_verifies_a_task_is_so_many_criteria(said: str, criteria: list[str]) -> None:
    task = {"id": "1", "name": "a", "verificationCriteria": said, "dependencies": []}
    (found,) = read(json.dumps({"tasks": [task]})).tasks
    made: Task = dict(found)
    texts = [one["text"] if isinstance(one, dict) else one for one in made["acceptance"]]
    assert texts == criteria


def test_subtasks_of_task_master_may_have_ids_in_full_and_no_status() -> None:
    """Finished work was offered again, and dependencies were lost."""
    tasks = [
        {"id": 1, "title": "Setup", "status": "done",
         "subtasks": [{"id": "1.1", "title": "App"}, {"id": "1.2", "title": "Docker"}]},
        {"id": 2, "title": "API", "status": "pending", "dependencies": [1], "subtasks": [
            {"id": "2.1", "title": "Routes", "status": "pending"},
            {"id": "2.2", "title": "Auth", "status": "pending", "dependencies": ["2.1"],
             "subtasks": [{"id": "2.2.1", "title": "Key"}, {"id": 2, "title": "Lock"}]}]},
    ]  # fmt: skip
    found = convert("t.json", json.dumps({"master": {"tasks": tasks}}).encode(), ryaml.loads)
    assert {str(one["id"]): (one["status"], one.get("depends_on")) for one in found.tasks} == {
        "1": ("complete", ["1.1", "1.2"]), "1.1": ("complete", None), "1.2": ("complete", None),
        "2": ("pending", ["1", "2.1", "2.2"]), "2.1": ("pending", ["1"]),
        "2.2": ("pending", ["2.1", "2.2.1", "2.2.2"]),
        "2.2.1": ("pending", ["2.1"]), "2.2.2": ("pending", ["2.1"]),
    }  # fmt: skip
    assert found.notes[0] == (
        "2 subtasks without a status of what is done or cancelled: taken for the same."
    )
