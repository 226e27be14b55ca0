"""Other projects' task files become ours without losing or inventing anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import cast

import pytest
import ryaml
from hypothesis import given
from hypothesis import strategies as st
from world import shared

from ralphgit.errors import InvalidRecord
from ralphgit.model.ids import is_id
from ralphgit.records.importers import Imported, convert
from ralphgit.records.importers.parts import commands_in_prose, paths_in_prose
from ralphgit.records.task_fields import normalise


def read(text: str, name: str = "tasks.yaml") -> Imported:
    return convert(name, text.encode(), ryaml.loads)


def graph(nodes: str, edges: str = "", root: str = "") -> Imported:
    """A graph of flow-style `nodes` and `edges`, one entry a line."""
    lines = ["nodes:", *(f"  - {{{line}}}" for line in nodes.splitlines())]
    lines += ["edges:", *(f"  - {{{line}}}" for line in edges.splitlines())]
    return read("\n".join([*lines, root]))


def ticket(front: str, body: str = "") -> dict[str, object]:
    (task,) = read(f"---\n{front}\n---\n{body}", "T.md").tasks
    return task


def refusal(text: str) -> InvalidRecord:
    with pytest.raises(InvalidRecord) as caught:
        read(text)
    assert caught.value.file == "tasks.yaml"
    return caught.value


def keys_below(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from keys_below(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from keys_below(inner)


# The real files


@pytest.fixture(scope="module")
def solar() -> Path:
    return shared("solar-sim")


@pytest.fixture(scope="module")
def source(solar: Path) -> dict[str, list[dict[str, str]]]:
    value = ryaml.loads((solar / "task-graph.yaml").read_text(encoding="utf-8"))
    assert isinstance(value, dict)
    return value


@pytest.fixture(scope="module")
def imported(solar: Path) -> Imported:
    return convert("task-graph.yaml", (solar / "task-graph.yaml").read_bytes(), ryaml.loads)


@pytest.fixture(scope="module")
def tickets(solar: Path) -> list[Imported]:
    files = sorted((solar / "tickets").glob("*.md"))
    return [convert(file.name, file.read_bytes(), ryaml.loads) for file in files]


def test_solar_every_node_is_a_task(
    imported: Imported, source: dict[str, list[dict[str, str]]]
) -> None:
    assert len(imported.tasks) == 33
    assert [task["id"] for task in imported.tasks] == [node["id"] for node in source["nodes"]]
    for task, node in zip(imported.tasks, source["nodes"], strict=True):
        same = node.keys() - {"status"}
        assert {key: task[key] for key in same} == {key: node[key] for key in same}
        assert task.keys() <= node.keys() | {"depends_on"}
        assert task["status"] == {"ready": "pending"}.get(node["status"], node["status"])


def test_solar_every_edge_is_a_dependency(
    imported: Imported, source: dict[str, list[dict[str, str]]]
) -> None:
    edges = {(edge["to"], edge["from"]) for edge in source["edges"]}
    found = [(task["id"], ref) for task in imported.tasks for ref in refs(task)]
    assert len(found) == len(source["edges"]) == 33
    assert set(found) == edges


def test_solar_direction(imported: Imported, tickets: list[Imported]) -> None:
    """Complete tasks stand on complete ones, and the tickets say the same as the edges."""
    status = {task["id"]: task["status"] for task in imported.tasks}
    for task in imported.tasks:
        if task["status"] == "complete":
            assert {status[ref] for ref in refs(task)} <= {"complete"}
    assert any(task["status"] == "pending" and refs(task) for task in imported.tasks)
    by_id = {task["id"]: task for task in imported.tasks}
    for (task,) in (each.tasks for each in tickets):
        assert set(refs(task)) <= set(refs(by_id[task["id"]]))


def test_solar_keeps_nothing_derived(imported: Imported) -> None:
    assert imported.dropped == ("last_updated", "milestones[].status", "stories[].status", "meta")
    assert imported.notes == ("The source's format version '1.0' was left out.",)
    assert list(imported.root) == ["milestones", "stories"]
    assert not {"meta", "last_updated", "status", "ready", "by_status"} & set(
        keys_below(imported.root)
    )
    assert imported.root["milestones"][7] == {  # type: ignore[index]
        "id": "M8",
        "title": "Location System",
        "description": "Geocoding, coordinate handling, and location UI",
        "tasks": ["S-006-I"],
        "depends_on": [],
    }


def test_solar_is_in_our_shape(imported: Imported, tickets: list[Imported]) -> None:
    everything = [task for each in (imported, *tickets) for task in each.tasks]
    assert len(everything) == 37
    for task in everything:
        assert is_id(str(task["id"]))
        assert normalise(dict(task), partial(dict, task)) == []


def test_solar_key_order(imported: Imported) -> None:
    order = ["id", "title", "status", "story", "milestone", "priority", "complexity"]
    order += ["depends_on", "description"]
    for task in imported.tasks:
        ours = [key for key in task if key in order]
        assert ours == [key for key in order if key in task]
        assert list(task)[: len(ours)] == ours
    (task,) = (task for task in imported.tasks if task["id"] == "T-005-01")
    assert list(task)[-3:] == ["path", "completed_at", "output"]


def test_solar_tickets(solar: Path, tickets: list[Imported]) -> None:
    assert [each.tasks[0]["id"] for each in tickets] == [f"T-005-0{n}" for n in (1, 2, 3, 4)]
    assert [each.tasks[0]["outputs"] for each in tickets] == [
        ["src/lib/solar/types.ts", "src/lib/solar/position.ts"],
        ["src/lib/solar/sun-hours.ts"],
        ["src/lib/solar/seasonal.ts"],
        ["src/lib/solar/index.ts"],
    ]
    assert [each.tasks[0].get("depends_on") for each in tickets] == [
        None,
        ["T-005-01"],
        ["T-005-02"],
        ["T-005-03"],
    ]
    for each in tickets:
        assert each.root == {}
        assert each.dropped == ()
        assert each.notes == ("Fields without a value were left out: assignee.",)

    task = tickets[1].tasks[0]
    text = (solar / "tickets" / "T-005-02-sun-hours.md").read_text(encoding="utf-8")
    assert task["description"] == text.split("---\n", 2)[2].strip()
    (criterion,) = cast("list[dict[str, str]]", task["acceptance"])
    assert criterion["id"] == "ACC-1"
    assert criterion["text"].startswith("The function must return accurate sun hours")
    assert criterion["text"].endswith("the location's status on the given date.")
    assert {key: task[key] for key in task if key not in ("description", "acceptance")} == {
        "id": "T-005-02",
        "title": "Implement sun hours integrator",
        "status": "pending",
        "story": "S-005",
        "milestone": "M7",
        "priority": 1,
        "complexity": "M",
        "depends_on": ["T-005-01"],
        "outputs": ["src/lib/solar/sun-hours.ts"],
        "created": "2026-01-28",
    }


def refs(task: dict[str, object]) -> list[str]:
    found = task.get("depends_on", [])
    assert isinstance(found, list)
    return found


# Rules for one task


@pytest.mark.parametrize(
    ("word", "status", "note"),
    [
        ("ready", "pending", ""),
        ("open", "pending", ""),
        ("Pending", "pending", ""),
        ("to do", "pending", ""),
        ("done", "complete", ""),
        ("CLOSED", "complete", ""),
        ("completed", "complete", ""),
        ("canceled", "cancelled", ""),
        ("in-progress", "pending", "is in progress in the source, which makes no claim here"),
        ("in_progress", "pending", "is in progress in the source, which makes no claim here"),
        ("in progress", "pending", "is in progress in the source, which makes no claim here"),
        ("blocked", "blocked", "is blocked, but the source does not say why"),
    ],
)
def test_status(word: str, status: str, note: str) -> None:
    result = graph(f'id: T-1, title: One, status: "{word}"')
    assert result.tasks == ({"id": "T-1", "title": "One", "status": status},)
    assert len(result.notes) == bool(note)
    assert note in "".join(result.notes)


def test_status_that_is_not_known_is_kept_aside() -> None:
    result = graph("id: T-1, title: One, status: review\nid: T-2, title: Two")
    assert result.tasks == (
        {"id": "T-1", "title": "One", "status": "pending", "x-status": "review"},
        {"id": "T-2", "title": "Two", "status": "pending"},
    )
    assert result.notes == (
        "T-1: the status 'review' is not known here: kept as x-status.",
        "T-1 has no status that is known here: it is pending.",
        "T-2 has no status that is known here: it is pending.",
    )


@pytest.mark.parametrize(
    ("value", "priority", "noted"),
    [
        ("0", 0, False),
        ("5", 5, False),
        ('"3"', 3, False),
        ("9", 5, True),
        ("-1", 0, True),
        ("critical", 0, True),
        ("High", 1, True),
        ("medium", 2, True),
        ("low", 3, True),
        ("P4", 4, True),
    ],
)
def test_priority(value: str, priority: int, noted: bool) -> None:
    result = graph(f"id: T-1, title: One, status: open, priority: {value}")
    assert result.tasks[0]["priority"] == priority
    whose = "T-1: " if value.removeprefix("-").isdecimal() else ""
    expected = f"{whose}the priority {value!r} is {priority} here."
    assert bool(result.notes) is noted
    if noted:
        assert result.notes[0] in (expected, expected.replace("'", ""))


@pytest.mark.parametrize("value", ["soon", "1.5", "true", "[1]", "²"])
def test_priority_that_is_not_known_is_kept_aside(value: str) -> None:
    (task,) = graph(f"id: T-1, title: One, status: open, priority: {value}").tasks
    assert "priority" not in task
    assert task["x-priority"] == ryaml.loads(value)


def test_derived_fields_are_dropped_and_others_kept() -> None:
    result = graph(
        "id: A, title: One, status: open, ready: true, blocked: false, last_updated: x, "
        "dependency_count: 2, retry_count: 3, owner: ann, estimate: null, ready_for: qa"
    )
    assert result.tasks == (
        {
            "id": "A",
            "title": "One",
            "status": "pending",
            "retry_count": 3,
            "owner": "ann",
            "ready_for": "qa",
        },
    )
    assert result.dropped == (
        "nodes[].ready",
        "nodes[].blocked",
        "nodes[].last_updated",
        "nodes[].dependency_count",
    )
    assert result.notes == ("Fields without a value were left out: estimate.",)


def test_fields_of_ours_hold_only_what_is_ours() -> None:
    result = graph(
        "id: A, title: One, status: open, claim: ann, epoch: 7, verify: just test, outputs: [1], "
        "acceptance: [works, 'looks: fine'], scope: {write: [a], read: b}, mode: solo, story: S 1"
    )
    assert result.tasks == (
        {
            "id": "A",
            "title": "One",
            "status": "pending",
            "story": "S-1",
            "acceptance": [
                {"id": "ACC-1", "text": "works"},
                {"id": "ACC-2", "text": "looks: fine"},
            ],
            "verify": ["just test"],
            "scope": {"write": ["a"], "read": ["b"]},
            "x-claim": "ann",
            "x-epoch": 7,
            "x-outputs": [1],
            "x-mode": "solo",
        },
    )
    assert result.notes == (
        "A: claim means something else here and is kept as x-claim.",
        "A: epoch means something else here and is kept as x-epoch.",
        "A: the outputs [1] is not known here: kept as x-outputs.",
        "A: the mode 'solo' is not known here: kept as x-mode.",
        "A: the story 'S 1' is S-1 here.",
    )


def test_criteria_keep_the_ids_that_they_have() -> None:
    given = [{"id": "C-9", "text": "works", "by": "ann"}]
    odd = [{"text": "works"}]
    tasks = graph(
        f"id: A, title: a, status: open, acceptance: {json.dumps(given)}\n"
        f"id: B, title: b, status: open, acceptance: {json.dumps(odd)}"
    ).tasks
    assert tasks[0]["acceptance"] == given
    assert tasks[1]["x-acceptance"] == odd
    assert "acceptance" not in tasks[1]


def test_a_task_without_title_is_called_by_its_id() -> None:
    result = graph("id: A, status: open")
    assert result.tasks == ({"id": "A", "title": "A", "status": "pending"},)
    assert result.notes == ("A has no title: its id is used instead.",)


FIELDS = "title status story milestone priority complexity depends_on description acceptance"
FIELDS += " verify outputs scope mode claim result blocked reset epoch risk tags other"
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.floats(0, 9)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["open", "in progress", "blocked", "high", "verify", "low"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "text", "write", "read", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.mark.slow
@given(
    st.lists(
        st.fixed_dictionaries(
            {"id": st.text(min_size=1, max_size=70).filter(str.strip)},
            optional=dict.fromkeys(FIELDS.split(), VALUES),
        ),
        max_size=4,
        unique_by=lambda node: str(node["id"]).strip().casefold(),
    )
)
def test_whatever_the_nodes_hold_the_tasks_are_valid(nodes: list[dict[str, object]]) -> None:
    result = convert("g", b"nodes:", lambda _: {"nodes": nodes})
    ids = [str(task["id"]) for task in result.tasks]
    assert len({each.casefold() for each in ids}) == len(nodes)
    for task in result.tasks:
        # A character that no record may have is refused when the task is written.
        found = normalise(dict(task), partial(dict, task))
        assert [one for one in found if "character" not in one.message] == []
        assert task["status"] != "in-progress"
        assert set(refs(task)) <= set(ids) - {task["id"]}


# Rules for ids and edges


def test_ids_are_made_safe_and_references_follow() -> None:
    result = graph(
        "id: 'a b', title: One, status: open\n"
        "id: a-b, title: Two, status: open, depends_on: ['a b']\n"
        "id: 7, title: Three, status: open\n"
        "id: '../x.lock', title: Four, status: open, depends_on: [7, A-B]",
        "from: 'a b', to: '../x.lock'",
        "milestones:\n  - {id: M, tasks: ['a b', 7, gone]}",
    )
    assert [task["id"] for task in result.tasks] == ["a-b-2", "a-b", "7", "x"]
    assert [refs(task) for task in result.tasks] == [[], ["a-b-2"], [], ["7", "a-b", "a-b-2"]]
    assert result.root == {"milestones": [{"id": "M", "tasks": ["a-b-2", "7", "gone"]}]}
    assert result.notes == (
        "The id 'a b' is a-b-2 here.",
        "The id '../x.lock' is x here.",
    )


def test_an_edge_goes_from_what_comes_first() -> None:
    result = graph(
        "id: A, title: a, status: open\nid: B, title: b, status: open",
        "from: A, to: B\nfrom: A, to: B",
    )
    assert [refs(task) for task in result.tasks] == [[], ["A"]]
    assert result.notes == ()


@pytest.mark.parametrize(
    ("edge", "depends"),
    [
        ("from: A, to: B, type: blocks", [[], ["A"]]),
        ("source: A, target: B", [[], ["A"]]),
        ("from: A, to: B, type: depends-on", [["B"], []]),
        ("from: A, to: B, type: requires", [["B"], []]),
    ],
)
def test_an_edge_with_a_type(edge: str, depends: list[list[str]]) -> None:
    result = graph("id: A, title: a, status: open\nid: B, title: b, status: open", edge)
    assert [refs(task) for task in result.tasks] == depends
    assert (result.root, result.notes) == ({}, ())


def test_edges_go_the_way_that_the_nodes_own_fields_say() -> None:
    result = graph(
        "id: A, title: a, status: open\n"
        "id: B, title: b, status: open, depends_on: A\n"
        "id: C, title: c, status: open",
        "from: B, to: A\nfrom: C, to: B",
    )
    assert [refs(task) for task in result.tasks] == [[], ["A"], ["B"]]
    assert result.notes == (
        "Edges go from a task to what it depends on, as the nodes' own depends_on say.",
    )


def test_edges_that_say_more_than_a_dependency_are_kept() -> None:
    result = graph(
        "id: A, title: a, status: open\nid: B, title: b, status: open",
        "from: A, to: B, type: related\nfrom: A, to: B, label: soon",
    )
    assert [refs(task) for task in result.tasks] == [[], ["A"]]
    assert result.root == {
        "x-edges": [
            {"from": "A", "to": "B", "type": "related"},
            {"from": "A", "to": "B", "label": "soon"},
        ]
    }
    assert result.notes == (
        "The edge from A to B has the type related: kept in x-edges.",
        "The edge from A to B has fields of its own: kept in x-edges.",
    )


def test_dependencies_on_what_is_not_in_the_file_are_kept_aside() -> None:
    result = graph(
        "id: A, title: a, status: open, depends_on: [X, A], owner: ann",
        "from: X, to: A\nfrom: Y, to: A\nfrom: A, to: Z",
    )
    assert result.tasks == (
        {
            "id": "A",
            "title": "a",
            "status": "pending",
            "owner": "ann",
            "x-missing-dependencies": ["X", "Y"],
        },
    )
    assert result.root == {"x-edges": [{"from": "A", "to": "Z"}]}
    assert result.notes == (
        "The edge from A to Z is about Z, which is not in the file: kept in x-edges.",
        "A depends on X, which is not in the file: kept aside.",
        "A depends on itself in the source: that was left out.",
        "A depends on Y, which is not in the file: kept aside.",
    )


def test_depends_on_of_another_form_is_kept_aside() -> None:
    result = graph("id: A, title: a, status: open, depends_on: {B: hard}")
    assert result.tasks[0]["x-depends_on"] == {"B": "hard"}
    assert "depends_on" not in result.tasks[0]
    assert len(result.notes) == 1


# Rules for the root


def test_root_keeps_what_is_not_derived() -> None:
    result = graph(
        "id: A, title: a, status: done, story: S-1\nid: B, title: b, status: open, story: S-1",
        root="version: 3\nproject: solar\n"
        "meta: {total_tasks: 2, by_status: {open: 1}, owner: ann}\n"
        "stats: {anything: 1}\nstories:\n"
        "  - {id: S-1, status: in progress, task_count: 2, title: One}\n"
        "  - {id: S-2, status: pending}\n"
        "milestones:\n  - {id: M, status: done, tasks: [A]}\n  - {id: N, status: done, tasks: [B]}",
    )
    assert result.root == {
        "project": "solar",
        "meta": {"owner": "ann"},
        "stories": [{"id": "S-1", "title": "One"}, {"id": "S-2", "status": "pending"}],
        "milestones": [{"id": "M", "tasks": ["A"]}, {"id": "N", "status": "done", "tasks": ["B"]}],
    }
    assert result.dropped == (
        "meta.total_tasks",
        "meta.by_status",
        "stats",
        "stories[].task_count",
        "stories[].status",
        "milestones[].status",
    )
    assert result.notes == (
        "The source's format version 3 was left out.",
        "The story S-2 keeps its status 'pending': its tasks say nothing.",
        "The milestone N keeps its status 'done': its tasks say pending.",
    )


def test_our_own_format_passes_as_it_is() -> None:
    text = "version: 1\nstories: [{id: S}]\ntasks:\n  - {status: in-progress, id: A, ready: true}\n"
    assert read(text) == Imported(
        ({"status": "in-progress", "id": "A", "ready": True},), {"stories": [{"id": "S"}]}, (), (),
        stored=True,
    )  # fmt: skip


def test_json_and_a_byte_order_mark_are_read() -> None:
    text = json.dumps({"nodes": [{"id": "A", "title": "a", "status": "open"}]}, indent=1)
    assert read("\ufeff" + text).tasks == ({"id": "A", "title": "a", "status": "pending"},)


# Tickets

BODY = """
# T-1: Build the thing

Text with `src/not-an-output.ts`.

## Acceptance criteria

All of these:

- [ ] first, which goes
  on here
- second
  - with a part

1. third

```sh
- not an item
```

### More
* fourth

## Output(s)

- `src/a.ts` and `docs/`, `justfile`, `App.svelte`; calls `getSunTimes()`, `SunCalc.getPosition`
- an open ` mark

## Notes

- not a criterion
"""


def test_ticket_body() -> None:
    task = ticket("id: T-1\nstatus: open", BODY)
    assert task == {
        "id": "T-1",
        "title": "Build the thing",
        "status": "pending",
        "description": BODY.strip(),
        "acceptance": [
            {"id": "ACC-1", "text": "first, which goes on here"},
            {"id": "ACC-2", "text": "second\n- with a part"},
            {"id": "ACC-3", "text": "third"},
            {"id": "ACC-4", "text": "fourth"},
        ],
        "outputs": ["src/a.ts", "docs/", "justfile", "App.svelte"],
    }
    assert read(f"---\nid: T-1\nstatus: open\n---\n{BODY}").notes == (
        "T-1 has text beside its acceptance list: it is in the description only.",
        "T-1: not read as paths in its output section: 'getSunTimes(), SunCalc.getPosition'.",
    )


def test_ticket_paragraphs_are_one_criterion_each() -> None:
    body = "## Acceptance Criteria ##\nIt must work. It must\nbe fast.\n\nAnd small.\n"
    assert ticket("id: T-1\ntitle: One\nstatus: open", body)["acceptance"] == [
        {"id": "ACC-1", "text": "It must work. It must be fast."},
        {"id": "ACC-2", "text": "And small."},
    ]


def test_ticket_headings_in_code_are_not_headings() -> None:
    body = "```\n# not this\n## Output\n`src/no.ts`\n```\n# But this\n"
    task = ticket("id: T-1\nstatus: open", body)
    assert task["title"] == "But this"
    assert "outputs" not in task


def test_ticket_front_matter_comes_before_the_body() -> None:
    front = "id: T-1\ntitle: One\nstatus: open\ndescription: short\noutputs: [a]\nacceptance: [b]"
    assert ticket(front, "## Output\n`src/c.ts`\n## Acceptance\n- d") == {
        "id": "T-1",
        "title": "One",
        "status": "pending",
        "description": "## Output\n`src/c.ts`\n## Acceptance\n- d",
        "acceptance": [{"id": "ACC-1", "text": "b"}],
        "outputs": ["a"],
        "x-description": "short",
    }
    assert ticket(front)["description"] == "short"


def test_ticket_dependencies_are_other_files() -> None:
    task = ticket("id: T-1\ntitle: One\nstatus: open\ndepends_on: [T-0, 'T 9']")
    assert task["depends_on"] == ["T-0", "T-9"]


def test_ticket_with_crlf_reads_the_same() -> None:
    text = f"---\nid: T-1\nstatus: open\n---\n{BODY}"
    assert read(text.replace("\n", "\r\n")) == read(text)


# Refusals


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words\n",
        "# Tasks\n\n- one\n",
        "version: 2\ntasks: []\n",
        'version: "1"\ntasks: []\n',
        "tasks:\n  - {id: A}\n",
        '{"id": "a"}\n{"id": "b"}\n',
        "---\ngenerated: auto\n---\n# Tasks\n",
        "---\n---\n# Tasks\n",
    ],
)
def test_a_format_that_is_not_known_is_refused(text: str) -> None:
    error = refusal(text)
    assert error.message == "the format of this file is not known"
    assert error.hint.startswith("the formats are backlog, ccpm, bmad, ")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("nodes:\n- id: A\n  title: a\n# two\n- title: b\n", 5, "node 2 of 2 has no id"),
        ("nodes:\n  - id: A\n  - id: ''\n", 3, "node 2 of 2 has no id"),
        (
            "nodes:\n  - id: A\n  - id: B\n  - id: a\n",
            4,
            "two nodes have the id a (once written A)",
        ),
        ("nodes: [{id: A}, {id: A}]\n", 1, "two nodes have the id A"),
        (
            "nodes:\n  - id: 1.10\n",
            2,
            "node 1 of 1 has the id 1.1, a number that may have lost digits",
        ),
        ("nodes:\n  - id: A\n  - B\n", 3, "entry 2 of `nodes` is not a mapping"),
        ("nodes: {A: {}}\n", 1, "`nodes` is not a list"),
        (
            "nodes:\n  - id: A\nedges:\n  - from: A\n",
            4,
            "an edge does not say which tasks it connects",
        ),
        ("---\ntitle: One\n---\n", 1, "the front matter has no id"),
        ("version: 1\ntasks:\n  - one\n", 3, "entry 1 of `tasks` is not a mapping"),
    ],
)
def test_a_broken_file_is_refused(text: str, line: int, message: str) -> None:
    error = refusal(text)
    assert (error.message, error.line) == (message, line)
    assert error.hint


def test_the_parsers_own_refusal_has_the_line_of_the_file() -> None:
    def strict(text: str) -> object:
        line = text[: text.index("oops")].count("\n") + 1
        raise InvalidRecord("duplicate key", line=line, column=3, hint="remove one")

    with pytest.raises(InvalidRecord) as caught:
        convert("T.md", b"---\nid: T-1\noops: 1\n---\n", strict)
    assert str(caught.value) == "T.md:3:3: duplicate key"
    assert caught.value.hint == "remove one"


def test_text_that_is_not_yaml_or_not_utf8_is_refused() -> None:
    assert refusal("nodes: [\n").message.startswith("this is not valid YAML")
    with pytest.raises(InvalidRecord) as caught:
        convert("x", b"nodes:\n  - id: \xff\n", ryaml.loads)
    assert str(caught.value) == "x:2:1: the file is not UTF-8 text"


def test_json_that_is_broken_is_told_as_json_and_tabs_do_not_break_it() -> None:
    with pytest.raises(InvalidRecord) as caught:
        read('{"userStories": [\n  {"id": "US-1",,}\n]}', "prd.json")
    assert str(caught.value).startswith("prd.json:2:17: this is not JSON: ")
    story = '{"id": "US-1", "title": "Log in", "passes": false}'
    indented = f'{{\n\t"userStories": [\n\t\t{story}\n\t]\n}}'
    assert [task["title"] for task in read(indented, "prd.json").tasks] == ["Log in"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("pytest a.py", ["pytest a.py"]),
        ("pytest tests/all/with.py", ["pytest tests/all/with.py"]),
        ("pytest passes", []),
        ("pytest is green", []),
        ("cargo test passes. And more", []),
    ],
)
def test_a_file_whose_name_begins_like_a_word_makes_no_sentence(
    words: str, found: list[str]
) -> None:
    assert commands_in_prose.of_text(words) == found


def test_a_document_of_any_kind_is_a_path() -> None:
    words = "Write docs/metrics.adoc, docs/plan.rst and docs/a.svg, not this.props or os/linux"
    assert paths_in_prose.named(words, ["a.tex", "this.props"]) == [
        "a.tex", "docs/metrics.adoc", "docs/plan.rst", "docs/a.svg",
    ]  # fmt: skip


def test_front_matter_that_is_no_yaml_is_read_once_for_all_formats() -> None:
    """To say what is wrong with a long line takes ten times as long as to read one."""
    read = []

    def parse(text: str) -> object:
        read.append(text)
        raise InvalidRecord("no YAML", line=2)

    with pytest.raises(InvalidRecord):
        convert("x.md", b"---\nid a\n---\n# One\n", parse)
    assert len(read) == len(set(read))
