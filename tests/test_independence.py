"""`independence`: which tasks may run together; the rule, and the command."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import slow
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rows import row
from test_overlap import Tree, brute_force, is_sound, names_of, path_matches, trees, written
from world import ROOT, Place, World

from ralphgit.model.config import LOCK_FILES
from ralphgit.model.task_row import Row
from ralphgit.rules import active_scopes
from ralphgit.rules.independence import CLAIM, Conflict, conflicts, groups, meetings

OUTPUT = Draft202012Validator(json.loads((ROOT / "schemas/output.schema.json").read_text()))

# -- the rule, row by row --------------------------------------------------------------------


def found(*rows: Row, graph: Sequence[Row] = (), blocked: Sequence[str] = ()) -> list[Conflict]:
    known = {one.id: one for one in (*graph, *rows)}
    return conflicts(rows, known, blocked=blocked, generated=LOCK_FILES)


#: What A and B touch, and what stands against them: reasons with their paths.
TABLE = [
    ({}, {}, []),
    ({"write": ("src",)}, {}, []),
    ({"write": ("src",)}, {"write": ("docs",)}, []),
    ({"write": ("src/**",)}, {"write": ("src/a*", "x")}, [("write", ("src/a",))]),
    ({"write": ("src",)}, {"read": ("src/a.ts",)}, [("read", ("src/a.ts",))]),
    ({"read": ("src/a.ts",)}, {"write": ("src",)}, [("read", ("src/a.ts",))]),
    ({"read": ("src",)}, {"read": ("src",)}, []),
    (
        {"write": ("a", "b"), "read": ("c",)},
        {"write": ("a", "b/x", "c")},
        [("write", ("a", "b/x")), ("read", ("c",))],
    ),
    ({"resources": ("port", "db")}, {"resources": ("db", "x")}, [("resource", ("db",))]),
    ({"resources": ("db",)}, {"resources": ("DB",)}, []),
    ({"resources": ("db",)}, {"write": ("**",)}, []),
    ({"resources": ("go.sum",)}, {"write": ("**",)}, [("generated", ("go.sum",))]),
    ({"write": ("go.*",)}, {"resources": ("go.sum",)}, [("generated", ("go.sum",))]),
    ({"resources": ("build/out",)}, {"write": ("build",)}, [("generated", ("build/out",))]),
    ({"resources": ("build out/x",)}, {"write": ("**",)}, []),
    ({"resources": (".git/x", "a/.ralph")}, {"write": ("**",)}, []),
    ({"resources": ("go.sum",)}, {"read": ("go.*",)}, [("read", ("go.sum",))]),
    ({"write": ("go.sum",)}, {"write": ("**",)}, [("generated", ("go.sum",))]),
    ({"write": ("*/go.sum",)}, {"write": ("a/",)}, [("generated", ("a/go.sum",))]),
    ({"write": ("**",)}, {"write": ("**",)}, [("write", ("a",))]),
    ({"write": ("[a",)}, {"write": ("**",)}, []),
]


@pytest.mark.parametrize(("a", "b", "wanted"), TABLE)
def test_what_two_tasks_touch(
    a: dict[str, Any], b: dict[str, Any], wanted: list[tuple[str, tuple[str, ...]]]
) -> None:
    one, other = row("A", **a), row("B", **b)
    assert [(c.reason, c.paths) for c in found(one, other)] == wanted
    assert [(c.reason, c.paths) for c in found(other, one)] == wanted
    # A claim beside one in flight decides alike, but for what is only read.
    refused = any(reason in CLAIM for reason, _ in wanted)
    for mine, theirs in ((one, other), (other, one)):
        flying = active_scopes.ActiveScopes.of([theirs], LOCK_FILES)
        assert (active_scopes.overlap(mine, flying) is not None) == refused
        assert bool(meetings(mine, theirs, reasons=CLAIM, generated=LOCK_FILES)) == refused


def test_dependencies_are_told_with_their_way() -> None:
    a, b, c = row("A", depends_on=("X",)), row("B"), row("C", depends_on=("A", "B"))
    x, done = row("X", depends_on=("B", "D")), row("D", "complete", depends_on=("C",))
    told = [(one.a, one.b, one.tasks, one.message) for one in found(a, b, c, graph=[x, done])]
    assert told == [
        ("A", "B", ("A", "X", "B"), "A depends on B, over X"),
        ("A", "C", ("C", "A"), "C depends on A"),
        ("B", "C", ("C", "B"), "C depends on B"),
    ]
    assert found(row("A", depends_on=("B",)), row("B", "complete")) == []
    cycle = found(row("A", depends_on=("B",)), row("B", depends_on=("A",)))
    assert [one.tasks for one in cycle] == [("A", "B")]


def test_modes_are_of_a_story() -> None:
    rows = [
        row("A", story="S"), row("B", story="S", mode="verify"), row("C", story="S"),
        row("D", story="Z", mode="sequential"), row("E", story="Z"), row("F", mode="sequential"),
        row("G", mode="verify"),
    ]  # fmt: skip
    told = found(*rows)
    assert [(one.a, one.b, one.reason, one.tasks) for one in told] == [
        ("A", "B", "verify", ("B", "A")),
        ("B", "C", "verify", ()),
        ("D", "E", "sequential", ()),
    ]
    assert groups(rows, told) == [["A", "C", "D", "F", "G"], ["B", "E"]]


def test_an_open_question_stands_between_what_it_may_change() -> None:
    a, b, c = row("A", depends_on=("Q",)), row("B", depends_on=("X",)), row("C")
    x, q = row("X", depends_on=("Q",)), row("Q", "blocked")
    assert [(o.a, o.b, o.reason) for o in found(a, b, c, graph=[x, q], blocked=["Q"])] == [
        ("A", "B", "question")
    ]
    told = found(c, q, blocked=["Q"])
    assert [(o.a, o.b, o.message) for o in told] == [
        ("C", "Q", "Q waits for an answer, which may change what it does")
    ]


def test_groups_are_few_and_in_order() -> None:
    # First fit in this order would take three; beginning with the crowded ones takes two.
    rows = [row(name, write=tuple(name)) for name in ("a", "d", "b", "c")]
    edges = [("a", "b"), ("b", "c"), ("c", "d")]
    clashes = [Conflict(one, other, "write", (), (), "") for one, other in edges]
    assert groups(rows, clashes) == [["a", "c"], ["d", "b"]]
    assert groups([], []) == []
    waits = [row("A", depends_on=("B",)), row("B"), row("C")]
    assert groups(waits, found(*waits)) == [["B", "C"], ["A"]]


# -- properties ------------------------------------------------------------------------------


sound = trees.filter(is_sound)
scopes = st.lists(sound, max_size=3)


@pytest.mark.slow
@slow.examples(250)
@given(st.lists(st.tuples(scopes, scopes), min_size=2, max_size=4))
def test_scopes_conflict_where_a_path_is_covered_by_both(
    tasks: list[tuple[list[Tree], list[Tree]]],
) -> None:
    rows = [
        row(str(n), write=tuple(map(written, write)), read=tuple(map(written, read)))
        for n, (write, read) in enumerate(tasks)
    ]
    told = {(one.a, one.b, one.reason) for one in found(*rows)}

    def paths(of: list[Tree]) -> set[tuple[str, ...]]:
        return {path for tree in of for path in brute_force(tree)}

    for (a, one), (b, other) in itertools.combinations(enumerate(tasks), 2):
        pair = (str(a), str(b))
        writes = bool(paths(one[0]) & paths(other[0]))
        reads = bool(paths(one[0]) & paths(other[1]) or paths(one[1]) & paths(other[0]))
        # Paths are generated up to a depth: what is not found in them may be further down.
        assert not writes or (*pair, "write") in told
        assert not reads or (*pair, "read") in told
        # What one pair alone would be told is told of it among others.
        assert {(x.a, x.b, x.reason) for x in found(rows[a], rows[b])} == {
            each for each in told if each[:2] == pair
        }
        for conflict in found(rows[a], rows[b]):
            for path in conflict.paths:
                at = [
                    [any(path_matches(tree, names_of(path)) for tree in side) for side in sides]
                    for sides in (one, other)
                ]
                (mine, read_here), (theirs, read_there) = at
                if conflict.reason == "read":
                    assert (mine and read_there) or (theirs and read_here)
                else:
                    assert mine and theirs


@st.composite
def _tasks(draw: st.DrawFn) -> list[Row]:
    count = draw(st.integers(1, 8))
    names = [f"T-{n}" for n in range(count)]
    some = st.lists(st.sampled_from(["a", "b", "c/**", "c/d", "**/e", "f"]), max_size=2).map(tuple)
    return [
        row(
            name,
            write=draw(some),
            read=draw(some),
            resources=draw(st.lists(st.sampled_from(["p", "c/d"]), max_size=1).map(tuple)),
            story=draw(st.sampled_from(["", "S", "Z"])),
            mode=draw(st.sampled_from(["parallel", "parallel", "sequential", "verify"])),
            depends_on=tuple(draw(st.lists(st.sampled_from(names), max_size=2, unique=True))),
        )
        for name in names
    ]


@slow.examples(300)
@given(_tasks(), st.data())
@pytest.mark.slow
def test_each_group_is_independent_and_behind_what_it_needs(
    rows: list[Row], data: st.DataObject
) -> None:
    told = found(*rows)
    made = groups(rows, told)
    assert sorted(name for group in made for name in group) == sorted(one.id for one in rows)
    place = {name: at for at, group in enumerate(made) for name in group}
    assert all(place[one.a] != place[one.b] for one in told)
    ids = [one.id for one in rows]
    assert all(group == sorted(group, key=ids.index) for group in made)
    # Two ways round: a cycle, or a checkpoint before what it depends on, has no order.
    ways = {(one.tasks[0], one.tasks[-1]) for one in told if one.reason in ("depends", "verify")
            and one.tasks}  # fmt: skip
    if not _has_cycle(ways):
        assert all(place[late] > place[early] for late, early in ways)
    assert groups(rows, told) == made
    # The order in which pairs are looked at does not matter for what is told.
    mixed = data.draw(st.permutations(rows))
    same = {(frozenset((c.a, c.b)), c.reason, c.paths) for c in found(*mixed)}
    by_scope = {"write", "read", "resource", "generated"}
    assert {one for one in same if one[1] in by_scope} == {
        (frozenset((c.a, c.b)), c.reason, c.paths) for c in told if c.reason in by_scope
    }


@slow.examples(300)
@given(_tasks())
@pytest.mark.slow
def test_a_claim_decides_as_the_pairs_do(rows: list[Row]) -> None:
    for mine, theirs in itertools.permutations(rows, 2):
        flying = active_scopes.ActiveScopes.of([theirs], LOCK_FILES)
        refused = active_scopes.overlap(mine, flying) is not None
        told = {one.reason for one in found(mine, theirs)}
        assert refused == bool(told & CLAIM)


def _has_cycle(ways: set[tuple[str, str]]) -> bool:
    left = set(ways)
    while left:
        ends = {early for _, early in left} - {late for late, _ in left}
        if not ends:
            return True
        left = {(late, early) for late, early in left if early not in ends}
    return False


# -- the command -----------------------------------------------------------------------------


def task(name: str, *fields: str, status: str = "pending") -> str:
    lines = [f"  - id: {name}", f"    title: {name}", f"    status: {status}"]
    return "\n".join([*lines, *(f"    {field}" for field in fields)]) + "\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(
        "version: 1\ntasks:\n"
        + task("T-1", "story: S", "scope: {write: [src/**], resources: [port]}")
        + task("T-2", "story: S", "scope: {write: [docs/**], read: [src/types.ts]}")
        + task("T-3", "story: S", "depends_on: [T-1]", "scope: {write: [web/**]}")
        + task("T-4", "priority: 0", "scope: {write: [lib/**]}")
        + task("T-5")
        + task("T-0", status="complete")
    )
    made.commit()
    return made


def test_ready_tasks_are_listed_with_their_groups(world: World) -> None:
    before = world.snapshot()
    for words in ((), ("--ready",)):
        assert world.ralph("independence", *words) == (
            0,
            "T-1 x T-2  read: T-1 writes src/**, T-2 reads src/types.ts: src/types.ts\n"
            "T-5  unproved: it has no write scope: nothing can be proved\n"
            "group 1: T-4 T-1\n"
            "group 2: T-2\n"
            "group 3: T-5\n"
            "What is unproved stands alone; --assume takes it for independent.\n",
            "",
        )
    assumed = world.ralph("independence", "--assume").out
    assert assumed.endswith("group 1: T-4 T-1 T-5\ngroup 2: T-2\n")
    told = world.ralph("independence", "--json").json
    assert list(OUTPUT.iter_errors(told)) == []
    data = told["data"]
    assert data == {
        "conflicts": [{
            "a": "T-1", "b": "T-2", "reason": "read", "paths": ["src/types.ts"], "tasks": [],
            "message": "T-1 writes src/**, T-2 reads src/types.ts: src/types.ts",
        }],
        "groups": [["T-4", "T-1"], ["T-2"], ["T-5"]],
        "unproved": [
            {"task": "T-5", "why": "it has no write scope: nothing can be proved"}
        ],
        "could_be_parallel": None,
        "branches": None,
    }  # fmt: skip
    assert world.snapshot() == before


def test_which_tasks_follow_each_other_without_need(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(
        "version: 1\ntasks:\n"
        + task("T-1", "story: S", "scope: {write: [a/**]}")
        + task("T-2", "story: S", "depends_on: [T-1]", "scope: {write: [b/**]}")
        + task("T-3", "story: S", "depends_on: [T-2]",
               "x-suggested-scope: {write: [c.py]}")
        + task("T-4", "story: S", "depends_on: [T-3]", "scope: {write: [c.py]}")
        + task("T-5", "story: S", "depends_on: [T-4]")
        + task("T-6", "story: S", "depends_on: [T-5]", "mode: sequential",
               "x-suggested-scope: {write: [d.py], open: its callers}")
    )  # fmt: skip
    world.commit()
    told = world.ralph("independence", "--story", "S", "--suggest-modes")
    assert told.out.split("independent.\n")[1] == (
        "could be parallel: T-1 T-2 T-3 (each at once)\n"
        "    ralphgit edit T-2 --remove depends_on\n"
        "    ralphgit edit T-3 --remove depends_on\n"
    )
    assert (
        "T-3  unproved: it has no write scope: nothing can be proved; offered: c.py "
        "(ralphgit edit T-3 --take-scope)\n" in told.out
    )
    assert "offered: d.py and its callers (ralphgit edit T-6 --take-scope)" in told.out
    data = world.ralph("independence", "--story", "S", "--suggest-modes", "--json")
    assert list(OUTPUT.iter_errors(data.json)) == []
    assert data.data["could_be_parallel"] == [
        {"tasks": ["T-1", "T-2", "T-3"], "depends_on": [], "sequential": []}
    ]
    for word in ("T-2", "T-3"):
        assert world.ralph("edit", word, "--remove", "depends_on").code == 0


def test_the_scope_that_is_offered_is_taken(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(
        "version: 1\ntasks:\n"
        + task("T-1", "x-suggested-scope: {write: [a.py, b/], open: its callers}",
               "scope: {read: [c/**]}")
        + task("T-2")
    )  # fmt: skip
    world.commit()
    done = world.ralph("edit", "T-1", "--take-scope", "--json")
    assert done.code == 0, done
    assert world.task("T-1")["scope"] == {"read": ["c/**"], "write": ["a.py", "b/"]}
    assert "x-suggested-scope" not in world.task("T-1")
    assert done.json["warnings"] == [
        "the source of T-1 also names: its callers; its scope has no path for it"
    ]
    refused = world.ralph("edit", "T-2", "--take-scope", "--json")
    assert (refused.code, refused.error) == (2, "no_offer")
    mixed = world.ralph("edit", "T-2", "--take-scope", "--title", "x")
    assert mixed.code == 2


def test_a_story_and_tasks_by_their_ids(world: World) -> None:
    told = world.ralph("independence", "--story", "S")
    assert (told.code, told.out.splitlines()[1:]) == (
        0, ["T-1 x T-3  depends: T-3 depends on T-1", "group 1: T-1", "group 2: T-2 T-3"],
    )  # fmt: skip
    assert world.ralph("independence", "T-2", "T-4") == (0, "group 1: T-4 T-2\n", "")
    asked = world.ralph("independence", "T-2", "T-1", "T-2")
    assert (asked.code, asked.out.splitlines()[1:], asked.err) == (
        1,
        ["group 1: T-1", "group 2: T-2"],
        "error: 1 pair of these tasks must not run together\nhint: start one group after another\n",
    )
    refused = world.ralph("independence", "T-2", "T-1", "--json")
    assert list(OUTPUT.iter_errors(refused.json)) == []
    assert (refused.code, refused.error) == (1, "dependent")
    assert refused.data["groups"] == [["T-1"], ["T-2"]]
    done = world.ralph("independence", "T-0", "T-4")
    assert done == (0, "group 1: T-4\n", "warning: T-0 is complete, and runs alone\n")
    assert world.ralph("independence", "--story", "none") == (0, "No task to compare.\n", "")


def test_what_cannot_be_asked(world: World) -> None:
    assert world.ralph("independence", "T-1", "--ready", "--json").error == "usage"
    assert world.ralph("independence", "T-9", "--json").error == "unknown_task"
    assert world.ralph("independence", "no/id", "--json").error == "bad_id"


def test_a_task_that_is_only_here_is_judged_as_it_stands_here(world: World) -> None:
    world.ralph("add", "--title", "New", "--id", "N-1", "--write", "src/new.ts")
    told = world.ralph("independence", "N-1", "T-1")
    assert told.code == 1
    assert "T-1 x N-1  write: T-1 writes src/**, N-1 writes src/new.ts: src/new.ts" in told.out
    assert "warning: N-1 is not on main yet" in told.err


def test_generated_files_as_configured(world: World) -> None:
    world.replace("resources: [port]", "resources: [LOCK]")
    world.replace("write: [docs/**]", "write: [L*]")
    world.commit()
    assert world.ralph("independence", "T-1", "T-2", "--json").data["conflicts"][0]["reason"] == (
        "read"
    )
    world.write("ralph.toml", 'generated = ["LOCK", "[a"]\n')
    world.commit()
    told = world.ralph("independence", "T-1", "T-2")
    assert told.out.startswith("T-1 x T-2  generated: T-1 needs LOCK, T-2 writes L*\n")
    assert "warning: generated: the pattern '[a' is not valid" in told.err
    # A claim keeps to the same rule.
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-1")
    refused = beta.ralph("claim", "T-2", "--json")
    assert (refused.code, refused.error) == (8, "scope_overlap")
    assert refused.json["error"]["message"] == (
        "T-2 writes L*, and T-1, which is in flight, needs LOCK: both cover LOCK"
    )
    assert [one["id"] for one in beta.ralph("next", "--json").data["tasks"]] == ["T-4", "T-5"]


def test_what_is_only_read_refuses_no_claim(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-1")
    beta.claim("T-2")


def test_a_wrong_pattern_is_unproved(world: World) -> None:
    world.replace("write: [lib/**]", "write: ['[a']")
    world.commit()
    (one, _) = world.ralph("independence", "T-4", "T-5", "--json").data["unproved"]
    assert one["why"].startswith("the pattern '[a' is not valid: ")


def test_a_blocked_task_stands_against_all(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.ralph("claim", "T-4")
    assert alpha.ralph("block", "--reason", "needs_context", "--question", "Which?").code == 0
    data = world.ralph("independence", "T-4", "T-5", "--json").data
    assert [one["reason"] for one in data["conflicts"]] == ["question"]
    assert "T-4" not in world.ralph("independence").out


# -- branches in flight ----------------------------------------------------------------------


def worked(world: World, name: str, task: str, **files: str) -> Place:
    """A worktree with a committed claim and these files."""
    place = world.worktree(name)
    place.claim(task)
    for path, text in files.items():
        place.write(path, text)
    place.commit(f"Work on {task}")
    return place


def test_branches_that_will_conflict(world: World) -> None:
    world.write("shared", "one\ntwo\nthree\n")
    world.commit()
    worked(world, "alpha", "T-1", shared="ONE\ntwo\nthree\n")
    worked(world, "beta", "T-4", shared="eins\ntwo\nthree\n")
    worked(world, "gamma", "T-5", other="x\n")
    before = world.snapshot()
    told = world.ralph("independence", "--branches")
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines()[-2:] == [
        "alpha x beta  merge: shared", "3 branches in flight, 1 conflict to come",
    ]  # fmt: skip
    told_all = world.ralph("independence", "--branches", "--json").json
    assert list(OUTPUT.iter_errors(told_all)) == []
    branches = told_all["data"]["branches"]
    assert branches == {
        "compared": [
            {"branch": "alpha", "tasks": ["T-1"]},
            {"branch": "beta", "tasks": ["T-4"]},
            {"branch": "gamma", "tasks": ["T-5"]},
        ],
        "conflicts": [{"a": "alpha", "b": "beta", "paths": ["shared"]}],
    }
    assert world.snapshot() == before


def test_a_conflict_with_the_base_is_the_base_s_and_no_other_branch_s(world: World) -> None:
    world.write("shared", "one\n")
    world.commit()
    worked(world, "alpha", "T-1", shared="alpha\n")
    world.write("shared", "base\n")
    world.commit("The base goes on")
    # beta has got it from the base: merging it with alpha directly would blame beta.
    worked(world, "beta", "T-4", other="x\n")
    branches = world.ralph("independence", "--branches", "--json").data["branches"]
    assert branches["conflicts"] == [{"a": "alpha", "b": "main", "paths": ["shared"]}]


def test_a_branch_and_its_remote_are_one(world: World) -> None:
    assert world.origin
    alpha = worked(world, "alpha", "T-1", a="1\n")
    alpha.git("push", "--quiet", "origin", "alpha")
    alpha.write("a", "2\n")
    alpha.commit("More")
    branches = world.ralph("independence", "--branches", "--json").data["branches"]
    assert branches == {"compared": [{"branch": "alpha", "tasks": ["T-1"]}], "conflicts": []}
