"""`shard`: the graph in another layout, and every task as it was, byte for byte."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import pytest
import slow
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from laws import generate
from world import ROOT, Place, World

from ralphgit.app.workspace import heartbeat
from ralphgit.errors import InvalidRecord
from ralphgit.records import graph_file, graph_layouts, task_blocks
from ralphgit.records import settings_file as toml

OUTPUT = Draft202012Validator(json.loads((ROOT / "schemas/output.schema.json").read_text()))
HEAD = "# yaml-language-server: $schema=https://raw.githubusercontent.com/ralphgit/ralphgit/main/schemas/task-graph.schema.json\n"
GRAPH = (
    HEAD
    + """\
# Our plan.
version: 1
stories:
  - id: S-2
    title: The house
tasks:  # all of them

  # The house comes first.
  - id: T-3
    title: Draw it   # roughly
    status: pending
    story: S-2

  - id: T-1
    title: Paint it
    status: pending
    depends_on: [T-3]
  # A note on T-2.
  #
  # And more of it.
  - {id: T-2, title: 'Sell it', status: open, story: S-2, priority: 1}
  - id: T-4
    title: Garden
    status: complete
    story: S-1
    notes: |+
      kept

# at the end
"""
)
ONE_BY_ONE = {
    "graph/T-3.yaml": "  - id: T-3\n    title: Draw it   # roughly\n    status: pending\n"
    "    story: S-2\n\n",
    "graph/T-1.yaml": "  - id: T-1\n    title: Paint it\n    status: pending\n"
    "    depends_on: [T-3]\n",
    "graph/T-2.yaml": "  - {id: T-2, title: 'Sell it', status: open, story: S-2, priority: 1}\n",
    "graph/T-4.yaml": "  - id: T-4\n    title: Garden\n    status: complete\n    story: S-1\n"
    "    notes: |+\n      kept\n\n# at the end\n",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit()
    return made


def shard(place: Place, layout: str, *, commit: bool = True) -> dict[str, object]:
    done = place.ralph("shard", "--layout", layout, "--json")
    assert done.code == 0, done
    assert list(OUTPUT.iter_errors(done.json)) == []
    if commit:
        place.commit(f"One file for each {layout}")
    data: dict[str, object] = done.data
    return data


def graph_files(place: Place) -> dict[str, str]:
    names = place.git("ls-files", "graph", "task-graph.yaml").split()
    return {name: place.read(name) for name in names}


def of(texts: dict[str, str]) -> Counter[str]:
    """Every task's block in these files, without the line end that is its last byte."""
    found: Counter[str] = Counter()
    for text in texts.values():
        layout = task_blocks.find(text)
        for span in layout.blocks if layout else ():
            assert layout is not None
            end = task_blocks.content_end(text, span, layout.dash)
            found[text[span.start : end].rstrip("\r\n")] += 1
    return found


def ids(place: Place, command: str) -> list[str]:
    return [task["id"] for task in place.ralph(command, "--json").data["tasks"]]


# -- there and back --------------------------------------------------------------------------


def test_each_task_gets_a_file(world: World) -> None:
    before = of(graph_files(world))
    done = world.ralph("shard", "--layout", "task")
    assert (done.code, done.out) == (
        0,
        "".join(f"written  graph/{name}.yaml\n" for name in ("T-3", "T-1", "T-2", "T-4"))
        + "removed  task-graph.yaml\n4 tasks in 4 files\n"
        "Staged, not committed: git commit; then let other worktrees merge it first\n",
    )
    assert done.err == ""
    # Staged, all of it, and nothing else.
    assert world.git("diff", "--name-only") == ""
    assert world.git("ls-files", "--others", "--exclude-standard") == ""
    assert world.read("ralph.toml") == (
        "#:schema https://raw.githubusercontent.com/ralphgit/ralphgit/main/schemas/config.schema.json\n\n"
        '# The task graph: one file for each task.\ngraph = ["graph/*.yaml"]\n'
    )
    texts = graph_files(world)
    assert of(texts) == before
    for path, block in ONE_BY_ONE.items():
        assert texts[path].endswith(block), path
    modeline = HEAD.replace("=.ralph", "=../.ralph")
    # What the file said beside its tasks goes with the first of them.
    assert texts["graph/T-3.yaml"].startswith(
        f"{modeline}# Our plan.\nversion: 1\nstories:\n  - id: S-2\n    title: The house\n"
        "tasks:  # all of them\n\n  # The house comes first.\n  - id: T-3\n"
    )
    assert texts["graph/T-2.yaml"].startswith(
        f"{modeline}version: 1\ntasks:\n  # A note on T-2.\n  #\n  # And more of it.\n  - {{id"
    )
    assert ids(world, "list") == ["T-1", "T-2", "T-3", "T-4"]


def test_a_round_trip_keeps_every_task(world: World) -> None:
    before, shown = of(graph_files(world)), world.ralph("list", "--json").data["tasks"]
    for layout, count in (("task", 4), ("story", 3), ("task", 4), ("story", 3), ("single", 1)):
        told = shard(world, layout)
        assert (told["layout"], told["tasks"], told["dry_run"]) == (layout, 4, False)
        texts = graph_files(world)
        assert (len(texts), of(texts)) == (count, before), layout
        assert world.ralph("check").code == 0
    assert world.read("ralph.toml").endswith(
        '# The task graph: one file.\ngraph = ["task-graph.yaml"]\n'
    )

    def plain(tasks: list[dict[str, object]]) -> list[str]:
        return sorted(str({**task, "file": "", "line": 0}) for task in tasks)

    assert plain(world.ralph("list", "--json").data["tasks"]) == plain(shown)
    root = graph_file.parse(world.read().encode(), path="task-graph.yaml").root
    assert root == {"version": 1, "stories": [{"id": "S-2", "title": "The house"}]}
    assert world.read().count("# ") == GRAPH.count("# ")


def test_what_is_in_the_order_of_file_names_comes_back_byte_for_byte(world: World) -> None:
    tasks = "".join(
        f"  - id: T-{n}\n    title: {n}\n    status: pending\n    story: S-{n // 4}\n"
        for n in range(1, 9)
    )
    text = f"{HEAD}# Ours.\nversion: 1\ntasks:\n{tasks}"
    world.write_graph(text)
    world.commit()
    order = ids(world, "next")
    for layout in ("task", "story", "single"):
        shard(world, layout)
        assert ids(world, "next") == order
    assert world.read() == text


def test_by_story(world: World) -> None:
    told = shard(world, "story")
    assert told["files"] == [
        {"file": "graph/S-1.yaml", "tasks": ["T-4"]},
        {"file": "graph/S-2.yaml", "tasks": ["T-3", "T-2"]},
        {"file": "graph/tasks.yaml", "tasks": ["T-1"]},
    ]
    # New tasks find their place, as after `init --layout story`.
    for words, file in (
        (("--story", "S-2"), "graph/S-2.yaml"),
        (("--story", "S-9"), "graph/S-9.yaml"),
        ((), "graph/tasks.yaml"),
    ):
        added = world.ralph("add", "--title", "New", *words, "--json")
        assert added.data["task"]["file"] == file
    world.commit()
    shard(world, "task")
    assert world.ralph("add", "--title", "New", "--json").data["task"]["file"] == "graph/T-8.yaml"


def test_a_layout_that_is_there_already(world: World) -> None:
    for layout in ("single", "task", "task"):
        shard(world, layout)
    before = world.snapshot()
    done = world.ralph("shard", "--layout", "task")
    assert (done.code, done.out) == (0, "4 tasks in 4 files\nThat is the layout already.\n")
    assert {k: v for k, v in world.snapshot().items() if ".git/" not in k} == {
        k: v for k, v in before.items() if ".git/" not in k
    }


def test_dry_run_writes_nothing(world: World) -> None:
    before = world.snapshot()
    done = world.ralph("shard", "--layout", "story", "--dry-run")
    assert (done.code, done.out.splitlines()[-2:]) == (
        0, ["4 tasks in 3 files", "Nothing was written."],
    )  # fmt: skip
    assert world.snapshot() == before


@pytest.mark.parametrize(
    "words", [("shard", "--layout", "task"), ("archive",), ("rebase-paths", "src", "lib")]
)
def test_dry_run_fetches_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    world = World(tmp_path)
    world.write_graph(GRAPH)
    world.commit()
    clone = world.clone("clone")
    clone.commit("Go on")
    clone.git("push", "--quiet", "origin", "main")
    before = world.snapshot()
    assert world.ralph(*words, "--dry-run").code == 0
    assert world.snapshot() == before


def test_before_the_first_commit(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(GRAPH)
    assert world.ralph("shard", "--layout", "story").code == 0
    assert "graph/S-1.yaml" in world.git("ls-files").split()


@pytest.mark.parametrize("end", ["", "\r\n"])
def test_line_ends_and_a_missing_last_one(tmp_path: Path, end: str) -> None:
    world = World(tmp_path)
    eol = end or "\n"
    text = GRAPH.partition("    notes: |+")[0].replace("\n", eol).rstrip("\r\n") + end
    world.write_graph(text)
    world.commit()
    before = of(graph_files(world))
    for layout in ("task", "story", "single"):
        shard(world, layout)
        texts = graph_files(world)
        assert of(texts) == before
        for one in texts.values():
            # An empty file for tasks without a story has no line ends to go by.
            assert "id" not in one or ("\r\n" in one) == (eol == "\r\n")
            assert not re.search(r"[^\r]\n" if eol == "\r\n" else r"\r", one)


def test_a_text_in_a_last_line_without_an_end_is_not_given_one(world: World) -> None:
    text = GRAPH.partition("\n\n# at the end")[0]
    world.write_graph(text)
    world.commit()
    shard(world, "task")  # where it stays the last of its file, it stays as it is
    assert world.read("graph/T-4.yaml").endswith("    notes: |+\n      kept")
    world.write_graph(world.read("graph/T-4.yaml").replace("T-4", "T-0"), "graph/T-0.yaml")
    assert "T-0 would change with one" in refused(world, "single", "no_line_end")


def test_another_order_is_told(world: World) -> None:
    world.replace("    depends_on: [T-3]\n", "    story: S-2\n")
    world.commit()
    assert ids(world, "next") == ["T-2", "T-3", "T-1"]
    done = world.ralph("shard", "--layout", "task", "--dry-run")
    assert done.err == (
        "warning: files are read in the order of their names, so tasks of the same priority are "
        "taken in another order now, from T-1 on\n"
    )
    shard(world, "task")
    assert ids(world, "next") == ["T-2", "T-1", "T-3"]


# -- the setting -----------------------------------------------------------------------------


TOML = [
    ('graph = ["a.yaml"]\n', 'graph = ["new"]\n'),
    ('# about\ngraph = "a.yaml"  # where\nlease = "off"\n',
     '# about\ngraph = ["new"]  # where\nlease = "off"\n'),
    ('lease = "off" # x\n\n[verify]\ntimeout = 3\n',
     'lease = "off" # x\ngraph = ["new"]\n\n[verify]\ntimeout = 3\n'),
    ('lease = "off"', 'lease = "off"\ngraph = ["new"]\n'),
    ("", 'graph = ["new"]\n'),
    ('graph = [\n  "a.yaml", # one\n  "b#.yaml",\n  # two\n] # all\nx = 1\n',
     'graph = [\n    # one\n    # two\n    "new",\n] # all\nx = 1\n'),
    ('"graph"=["a"]\r\nlease="off"\r\n', '"graph"=["new"]\r\nlease="off"\r\n'),
    ('x = 1\r\n\r\n[run]\r\ny = 2', 'x = 1\r\ngraph = ["new"]\r\n\r\n[run]\r\ny = 2'),
    ('[run]\ngraph = 1\n', 'graph = ["new"]\n\n[run]\ngraph = 1\n'),
    ('note = """\ngraph = 1\n"""\ngraph = ["a"]\n',
     'note = """\ngraph = 1\n"""\ngraph = ["new"]\n'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), TOML)
def test_the_setting_changes_and_nothing_else(text: str, wanted: str) -> None:
    assert toml.with_graph(text, ["new"]) == wanted


def test_a_setting_that_cannot_be_told_apart_is_left_alone() -> None:
    with pytest.raises(InvalidRecord) as caught:
        toml.with_graph('verify = {x = 1}\ngraph.x = "a"\n', ["new"])
    assert caught.value.code == "unclear_layout"


def test_what_sets_the_graph_elsewhere_is_named(world: World) -> None:
    world.git("config", "ralph.graph", "task-graph.yaml other.yaml")
    told = world.ralph("shard", "--layout", "task", "--json")
    assert (told.code, told.error) == (8, "graph_set_elsewhere")


def test_a_glob_and_a_file_of_one_s_own_are_kept(world: World) -> None:
    world.write("ralph.toml", 'graph = ["plan.yaml", "plan/*.yml"]  # ours\n')
    world.git("mv", "task-graph.yaml", "plan.yaml")
    world.commit()
    shard(world, "task")
    assert world.read("ralph.toml") == 'graph = ["plan/*.yml"]  # ours\n'
    assert world.git("ls-files", "plan*").split() == [f"plan/T-{n}.yml" for n in range(1, 5)]


# -- what refuses ----------------------------------------------------------------------------


def contents(place: Place) -> dict[str, bytes]:
    """Every file but git's and the runtime state, which is in no commit."""
    return {
        str(path): path.read_bytes()
        for path in place.path.rglob("*")
        if path.is_file() and not {".git", ".ralph"} & {*path.relative_to(place.path).parts}
    }


def refused(place: Place, layout: str, code: str) -> str:
    """The message of a refusal that has changed nothing."""
    files, index = contents(place), place.git("ls-files", "--stage")
    told = place.ralph("shard", "--layout", layout, "--json")
    assert told.error == code, told
    assert (contents(place), place.git("ls-files", "--stage")) == (files, index)
    return str(told.json["error"]["message"])


def test_claims_in_flight_are_named(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-3")
    assert (
        refused(world, "task", "claims_in_flight") == "T-3 has an active claim; nothing was changed"
    )
    told = world.ralph("shard", "--layout", "task")
    assert (told.code, told.out) == (8, "")
    assert "  T-3 (claimed): alpha, worktree ../proj-alpha\n" in told.err
    alpha.commit("Begun")
    world.git("worktree", "remove", "--force", str(alpha.path))
    refused(world, "task", "claims_in_flight")
    assert world.ralph("reset", "T-3", "--reason", "gone").code == 0
    world.git("branch", "-D", "alpha")
    shard(world, "task")


def test_a_task_that_is_blocked_on_a_branch(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.ralph("claim", "T-3")
    assert alpha.ralph("block", "--reason", "other", "--question", "Why?").code == 0
    refused(world, "task", "claims_in_flight")
    world.merge("alpha")
    shard(world, "task")


def test_files_in_the_way(world: World) -> None:
    world.write("graph/other.yaml", "not: a graph\n")
    assert "graph/other.yaml" in refused(world, "task", "in_the_way")
    (world.path / "graph/other.yaml").unlink()
    world.write("graph/T-1.yaml", "x\n")
    refused(world, "task", "in_the_way")
    (world.path / "graph/T-1.yaml").unlink()
    world.write("graph/T-1.yaml/inside", "x\n")
    refused(world, "task", "in_the_way")


def test_layouts_that_cannot_be_moved(world: World) -> None:
    world.write_graph("version: 1\ntasks: [{id: T-1, title: a, status: pending}]\n")
    refused(world, "task", "unclear_layout")
    world.write_graph("version: 1\ntasks: []\n")
    refused(world, "task", "no_tasks")
    world.write_graph("version: 1\n")
    refused(world, "task", "no_tasks")
    one = "version: 1\ntasks:\n  - id: T-1\n    title: a\n    status: pending\n"
    world.write_graph(one, "b.yaml")
    world.write_graph("version: 1\ntasks:\n- id: T-2\n  title: a\n  status: pending\n")
    world.write("ralph.toml", 'graph = ["task-graph.yaml", "b.yaml"]\n')
    refused(world, "single", "graph_set_elsewhere")
    world.commit()
    refused(world, "single", "mixed_indentation")
    for name in ("b.yaml", "task-graph.yaml"):
        world.write(name, world.read(name) + "stories: []\n")
    world.replace("- id: T-2\n  title: a\n  status", "  - id: T-2\n    title: a\n    status")
    assert refused(world, "single", "root_twice").startswith("more than one graph file has stories")


def test_a_failure_leaves_everything_as_it_was(world: World) -> None:
    (world.path / ".git/index.lock").write_text("")
    refused(world, "task", "index_locked")
    assert not (world.path / "graph").exists()


def killed(world: World, steps: dict[str, tuple[str | None, str | None]]) -> None:
    """The note of a move whose process is gone."""
    process = heartbeat.Process(0, "", "", heartbeat.host())._asdict()
    note = {"kind": "layout", "worktree": str(world.path), **process, "time": 0, "steps": steps}
    world.write(".git/ralphgit/moving-layout-1", json.dumps(note))


def test_a_killed_move_that_was_changed_since(world: World) -> None:
    killed(world, {"task-graph.yaml": ("0", None)})
    assert world.ralph("shard", "--layout", "task", "--json").error == "half_sharded"


def test_doctor_completes_what_was_killed(world: World) -> None:
    def step(old: str | None, new: str | None) -> tuple[str | None, str | None]:
        return old and hashlib.sha256(old.encode()).hexdigest(), new

    moved = GRAPH.replace("=.ralph", "=../.ralph")
    setting = 'graph = ["graph/*.yaml"]\n'
    note = {
        "graph/tasks.yaml": step(None, moved),
        "ralph.toml": step(None, setting),
        "task-graph.yaml": step(GRAPH, None),
    }
    killed(world, note)
    world.write("graph/tasks.yaml", moved)
    assert "killed half-way" in world.ralph("doctor").out
    assert world.ralph("shard", "--layout", "task", "--dry-run", "--json").error == "half_sharded"
    assert "fixed" in world.ralph("doctor", "--fix").out
    assert graph_files(world) == {"graph/tasks.yaml": moved}
    assert world.read("ralph.toml") == setting
    # One that had not begun is forgotten.
    world.git("reset", "--hard", "--quiet")
    killed(world, note)
    assert shard(world, "task")["tasks"] == 4
    assert "graph/tasks.yaml" not in graph_files(world)


# -- the laws --------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["task", "story"])
def test_claims_made_after_a_move_obey_the_laws(world: World, layout: str) -> None:
    shard(world, layout)
    places = [world.worktree(name) for name in ("alpha", "beta", "gamma")]
    for place, task in zip(places, ("T-3", "T-3", "T-2"), strict=True):
        claimed = place.ralph("claim", task, "--no-fetch", env={"RALPH_LEASE": "off"})
        assert claimed.code == 0, claimed
        place.commit(f"Begin {task}")
    assert world.merge("alpha").code == 0
    assert world.merge("gamma").code == 0
    assert world.merge("beta").code == 1
    world.git("merge", "--abort")
    assert [world.task(task)["claim"]["by"] for task in ("T-3", "T-2")] == ["alpha", "gamma"]


def test_a_claim_from_before_the_move_is_never_silently_lost(world: World) -> None:
    """Leases are off, and the branch was not seen: the merge has the last word."""
    hidden = world.clone("hidden") if world.origin else world
    claimed = hidden.ralph("claim", "T-3", env={"RALPH_LEASE": "off"})
    assert claimed.code == 0, claimed
    hidden.git("switch", "--quiet", "-c", "hidden")
    hidden.commit("Begin T-3")
    shard(world, "task")
    world.git("fetch", "--quiet", str(hidden.path), "hidden:hidden")
    merged = world.merge("hidden")
    if merged.code == 0:  # git has found where the block went
        assert world.task("T-3")["status"] == "in-progress"
    else:
        assert world.git("diff", "--name-only", "--diff-filter=U")


# -- properties ------------------------------------------------------------------------------


@slow.examples(300)
@given(st.one_of(generate.graphs(), generate.graphs(odd=True)))
@pytest.mark.slow
def test_a_file_taken_apart_and_joined_has_every_block(written: generate.Written) -> None:
    text = written.text
    try:
        file = graph_file.parse(text.encode(), path="graph/a.yaml")
        parts = graph_layouts.split(file)
    except InvalidRecord:
        assert written.odd or "[" in text
        return
    eol = "\r\n" if "\r\n" in text else "\n"
    whole = graph_layouts.join("graph/a.yaml", [parts.frame], parts.pieces, eol)
    again = graph_file.parse(whole.encode(), path="graph/a.yaml")
    assert (again.tasks, again.root) == (file.tasks, file.root)
    assert of({"": whole}) == of({"": text})
    apart = {
        str(n): graph_layouts.join(f"{n}.yaml", [], [p], eol) for n, p in enumerate(parts.pieces)
    }
    found = [graph_file.parse(one.encode(), path="x") for one in apart.values()]
    assert tuple(task for one in found for task in one.tasks) == file.tasks
    assert of(apart) == of({"": text})
    # Once more: what was put together is taken apart alike.
    assert "".join(graph_layouts.split(again).pieces) == "".join(parts.pieces)
