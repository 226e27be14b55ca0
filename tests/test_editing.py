"""`add` and `edit`: what they write, where, and what they leave alone."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
from world import Place, World

GRAPH = """\
# The kitchen.
version: 1
tasks:
  - id: T-001   # first
    title: "Lay the table"
    status: pending
    story: S-1
    priority: 1

  - id: T-002
    title: Cook the soup
    status: ready
    story: S-1
    depends_on: [T-001]
    acceptance:
      - it is hot
    scope:
      write: [soup.txt]
      resources: [stove]

  # The guests.
  - id: T-007
    title: Invite people
    status: pending
    story: S-2
owner: ann
"""

NOT_COMMITTED = "Not committed: git add task-graph.yaml && git commit\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit("The graph")
    return made


def changes(place: Place, old: str = GRAPH, name: str = "task-graph.yaml") -> str:
    """The lines that were taken out and put in."""
    found = difflib.unified_diff(old.splitlines(), place.read(name).splitlines(), n=0)
    return "".join(f"{line}\n" for line in found if line[:2] not in ("--", "++", "@@"))


def assert_unchanged(place: Place) -> None:
    assert place.read() == GRAPH
    assert place.git("status", "--porcelain") == ""


# -- add: where, and with which id ---------------------------------------------------------


def test_add_puts_a_task_behind_its_story(world: World) -> None:
    found = world.ralph("add", "--title", "Taste it", "--story", "S-1")
    assert found == (
        0, f"T-003 added in task-graph.yaml:20: Taste it\n{NOT_COMMITTED}", "",
    )  # fmt: skip
    assert changes(world) == (
        "+  - id: T-003\n+    title: Taste it\n+    status: pending\n+    story: S-1\n"
    )
    assert world.git("diff", "--cached") == ""


def test_add_without_a_story_puts_it_last_with_the_next_number(world: World) -> None:
    found = world.ralph("add", "--title", "Wash up", "--json")
    assert found.data == {
        "task": {
            "id": "T-008", "title": "Wash up", "status": "pending", "state": "ready",
            "holder": None, "stale": False, "blocked_on": [],
            "file": "task-graph.yaml", "line": 26,
        }
    }  # fmt: skip
    assert world.read().endswith(
        "    story: S-2\n  - id: T-008\n    title: Wash up\n    status: pending\nowner: ann\n"
    )


def test_add_after_a_task(world: World) -> None:
    assert world.ralph("add", "--title", "x", "--story", "S-2", "--after", "T-001").code == 0
    ids = [task["id"] for task in world.ralph("list", "--json").data["tasks"]]
    assert ids == ["T-001", "T-008", "T-002", "T-007"]
    assert world.ralph("add", "--title", "x", "--after", "T-9", "--json").error == "unknown_task"


def test_add_behind_a_text_that_keeps_its_blank_lines(world: World) -> None:
    """Between the text and its blank lines a task would end it."""
    kept = "version: 1\ntasks:\n  - id: A\n    title: a\n    status: pending\n"
    kept += "    description: |+\n      text\n\n\n"
    world.write_graph(kept)
    assert world.ralph("add", "--id", "B", "--title", "b").code == 0
    assert world.read().startswith(kept)
    assert world.task("A")["description"] == "text\n\n\n"


def test_add_writes_every_field(world: World) -> None:
    found = world.ralph(
        "add", "--id", "X", "--title", 'Say "no": #1', "--story", "S-2", "--priority", "0",
        "--complexity", "S", "--depends-on", "T-001", "--depends-on", "T-007",
        "--description", "One.\nTwo.", "--acceptance", "yes", "--acceptance", "it: is",
        "--verify", "true", "--output", "a.txt", "--write", "src/**", "--read", "docs",
        "--resource", "port-80", "--mode", "sequential", "--milestone", "M 1", "--tag", "ui",
        "--tag", "ui", "--risk", "high", "--budget", "2.50", "--agent", "dev", "--review", "ops",
    )  # fmt: skip
    assert found.code == 0, found.err
    assert changes(world).replace("+", "") == (
        "  - id: X\n"
        '    title: "Say \\"no\\": #1"\n'
        "    status: pending\n"
        "    story: S-2\n"
        "    priority: 0\n"
        "    complexity: S\n"
        "    depends_on:\n"
        "      - T-001\n"
        "      - T-007\n"
        "    description: |-\n"
        "      One.\n"
        "      Two.\n"
        "    acceptance:\n"
        "      - id: ACC-1\n"
        '        text: "yes"\n'
        "      - id: ACC-2\n"
        '        text: "it: is"\n'
        "    verify:\n"
        '      - "true"\n'
        "    outputs:\n"
        "      - a.txt\n"
        "    scope:\n"
        "      write:\n"
        '        - "src/**"\n'
        "      read:\n"
        "        - docs\n"
        "      resources:\n"
        "        - port-80\n"
        "    mode: sequential\n"
        "    milestone: M 1\n"
        "    tags:\n"
        "      - ui\n"
        "    risk: high\n"
        "    budget: 2.5\n"
        "    agent: dev\n"
        "    review: ops\n"
    )


@pytest.mark.parametrize(
    ("ids", "story", "made"),
    [
        ([], "", "T-1"),
        ([], "S-3", "T-1"),
        ([("write-docs", "")], "", "T-1"),
        ([("T-9", "")], "", "T-10"),
        ([("T-099", "")], "", "T-100"),
        ([("B-4", ""), ("A-1", "")], "", "A-2"),
        ([("B-4", ""), ("A-1", ""), ("last", "")], "", "A-2"),
        ([("T-024-01", "S-024"), ("T-025-03", "S-025")], "S-024", "T-024-02"),
        ([("T-024-01", "S-024"), ("T-024-02", "S-024")], "S-025", "T-025-01"),
        ([("ST-101", "S-1"), ("ST-205", "S-2")], "S-1", "ST-102"),
        ([("ST-101", "S-1"), ("ST-205", "S-2")], "S-4", "ST-401"),
        ([("T-1", "S-1"), ("T-2", "S-1")], "S-2", "T-3"),
        ([("login-1", "login")], "logout", "login-2"),
        ([("20261121", "")], "", "20261122"),
        ([("T-1", ""), ("T-2", ""), ("fix-log4j2", "")], "", "T-3"),
        ([("T011", ""), ("T012", "")], "", "T013"),
    ],
)
def test_the_id_follows_those_that_are_there(
    tmp_path: Path, ids: list[tuple[str, str]], story: str, made: str
) -> None:
    world = World(tmp_path)
    tasks = "".join(
        f"  - id: '{task}'\n    title: t\n    status: pending\n"
        + (f"    story: {of}\n" if of else "")
        for task, of in ids
    )
    world.write_graph("version: 1\ntasks:\n" + tasks)
    words = ("--story", story) if story else ()
    found = world.ralph("add", "--title", "x", *words, "--json")
    assert found.data["task"]["id"] == made


def test_a_number_that_a_branch_or_a_worktree_has_is_not_free(world: World) -> None:
    alpha, beta, gamma = (world.worktree(name) for name in ("alpha", "beta", "gamma"))
    assert alpha.ralph("add", "--title", "a").out.startswith("T-008 ")
    alpha.commit()
    assert beta.ralph("add", "--title", "b").out.startswith("T-009 ")
    assert gamma.ralph("add", "--title", "c").out.startswith("T-010 ")
    beta.commit()
    assert world.ralph("add", "--title", "d").out.startswith("T-011 ")


def test_titles_take_no_number(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.write_graph(alpha.read().replace("title: ", "title: before T-008 and T-009, "))
    alpha.commit()
    assert world.ralph("add", "--title", "a").out.startswith("T-008 ")


# -- edit --rename -------------------------------------------------------------------------


RENAMED = """\
version: 1
tasks:
  # The first.
  - id: T-1
    title: One  # it
    status: pending
    verify: [test -s one.txt]

  - id: T-2
    title: Two
    status: pending
    depends_on: [T-1]
"""


def test_a_task_is_renamed_with_its_records(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(RENAMED)
    world.commit()
    assert world.ralph("trust", "--yes").code == 0
    alpha = world.worktree("alpha")
    claim = alpha.did("T-1", {"one.txt": "x\n"})
    refused = world.ralph("edit", "T-1", "--rename", "A-1", "--json")
    assert (refused.code, refused.error) == (5, "claim_held")
    assert "alpha" in refused.json["error"]["message"]
    assert world.merge("alpha").code == 0
    alpha.git("checkout", "--quiet", "--detach")
    world.git("branch", "--quiet", "-D", "alpha")

    beta = world.worktree("beta")
    done = beta.ralph("edit", "T-1", "--rename", "A-1", "--json")
    assert (done.code, done.data["renamed_from"]) == (0, "T-1")
    assert beta.ralph("check").out == "No problem found.\n"
    beta.git("add", "-A")
    beta.commit("T-1 is A-1")
    assert "depends_on:\n      - A-1\n" in beta.read() or "depends_on: [A-1]" in beta.read()
    assert (beta.path / f"records/audit/A-1/{claim}.yaml").exists()
    assert "T-1" not in beta.git("ls-files", "records")
    for words in ((), ("--base", "main"), ("main..",), ("--at", "HEAD"), ("beta",)):
        found = beta.ralph("check", *words)
        assert (words, found.out, found.code) == (words, "No problem found.\n", 0)
    told = world.ralph("diff", "beta", "--json").data
    assert (told["notes"], told["verdict"]) == ([], "clear")
    assert [one["sentence"] for one in told["changes"]] == [
        "T-1 is renamed to A-1", "T-2 is edited (depends_on)",
    ]  # fmt: skip
    assert world.merge("beta").code == 0
    assert world.ralph("check").out == "No problem found.\n"
    assert world.ralph("list", "--json").data["tasks"][1]["state"] == "ready"
    assert [one["event"] for one in world.audit("A-1", claim)] == ["claimed", "completed"]


@pytest.mark.parametrize(("new", "code", "error"), [
    ("T-2", 6, "duplicate_id"), ("a b", 2, "bad_id"), ("T-1", 2, "usage"),
])  # fmt: skip
def test_a_name_that_is_none(tmp_path: Path, new: str, code: int, error: str) -> None:
    world = World(tmp_path)
    world.write_graph(RENAMED)
    world.commit()
    found = world.ralph("edit", "T-1", "--rename", new, "--json")
    assert (found.code, found.error) == (code, error)
    assert "--id" not in found.json["error"]["hint"]  # which is an option of add
    assert world.read() == RENAMED


def test_a_removed_record_of_a_renamed_task_is_found(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(RENAMED)
    world.commit()
    assert world.ralph("trust", "--yes").code == 0
    claim = world.did("T-1", {"one.txt": "x\n"})
    old = world.head
    assert world.ralph("edit", "T-1", "--rename", "A-1").code == 0
    audit = world.path / f"records/audit/A-1/{claim}.yaml"
    audit.write_text(audit.read_text().replace("event: claimed", "event: resumed"))
    world.git("add", "-A")
    world.commit("T-1 is A-1")
    codes = {one["code"] for one in world.ralph("check", f"{old}..", "--json").data["problems"]}
    assert "edited_audit" in codes


# -- add: what is refused ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "error", "message"),
    [
        (("--id", "t-007"), 6, "duplicate_id", "the task T-007 already exists; nothing"),
        (("--id", "a b"), 2, "bad_id", "'a b' is not a task id"),
        (("--priority", "6"), 2, "usage", "priority must be a whole number from 0 to 5"),
        (("--story", "a b"), 2, "bad_id", "'a b' is not the id of a story"),
        (("--depends-on", "a/b"), 2, "bad_id", "'a/b' is not a task id"),
        (("--write", "src/["), 2, "bad_pattern", "the pattern 'src/[': '[' is not closed"),
        (("--read", "../x"), 2, "bad_pattern", "the pattern '../x': '..' leads out"),
        (("--output", "/a"), 2, "bad_path", "the output '/a' is absolute"),
        (("--verify", " "), 2, "usage", "verify is empty"),
        (("--file", "other.yaml"), 2, "not_a_graph_file", "other.yaml is not a file of the"),
        (("--id", "X", "--depends-on", "X"), 6, "cycle", "a cycle of dependencies: X needs X;"),
    ],
)
def test_add_refuses(
    world: World, words: tuple[str, ...], code: int, error: str, message: str
) -> None:
    found = world.ralph("add", "--title", "x", *words, "--json")
    assert (found.code, found.error, found.err) == (code, error, "")
    assert found.json["error"]["message"].startswith(message)
    assert_unchanged(world)


def test_add_needs_a_title_of_one_line(world: World) -> None:
    assert world.ralph("add") == (2, "", "error: a task needs a title\nhint: --title TEXT\n")
    assert world.ralph("add", "--title", "a\nb").code == 2
    assert world.ralph("add", "--title", b"\xff".decode("utf-8", "surrogateescape")).err == (
        "error: title is not UTF-8\nhint: check the terminal's encoding\n"
    )
    assert_unchanged(world)


def test_add_refuses_an_id_that_the_base_has_meanwhile(world: World) -> None:
    alpha = world.worktree("alpha")
    world.ralph("add", "--title", "new", "--id", "T-100")
    world.commit()
    found = alpha.ralph("add", "--title", "x", "--id", "t-100")
    assert (found.code, found.out) == (6, "")
    assert found.err.startswith("error: main:task-graph.yaml:26:1: the task T-100 already exists")


def test_add_refuses_to_close_a_cycle_and_only_then(world: World) -> None:
    world.replace("depends_on: [T-001]", "depends_on: [T-001, T-009]")
    found = world.ralph("add", "--title", "x", "--id", "T-009", "--depends-on", "T-002")
    assert found == (
        6,
        "",
        "error: task-graph.yaml:1:1: a cycle of dependencies: T-002 needs T-009 needs T-002; "
        "nothing was written\nhint: leave out one of these dependencies\n",
    )
    world.replace("    story: S-2\n", "    story: S-2\n    depends_on: [T-007]\n")
    assert world.ralph("add", "--title", "x", "--id", "T-009").code == 0


def test_add_warns_of_unknown_dependencies(world: World) -> None:
    found = world.ralph("add", "--title", "x", "--depends-on", "T-99", "--depends-on", "T-001")
    assert (found.code, found.err) == (
        0, "warning: T-008 depends on T-99, which does not exist\n",
    )  # fmt: skip


def test_add_without_a_graph(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.ralph("add", "--title", "x", "--json").error == "no_graph"
    world.write_graph("version: 1\n")
    assert world.ralph("add", "--title", "x").code == 0
    assert world.read() == "version: 1\ntasks:\n  - id: T-1\n    title: x\n    status: pending\n"


def test_add_keeps_the_line_ends_of_the_file(world: World) -> None:
    world.write_graph(GRAPH.replace("\n", "\r\n"))
    assert world.ralph("add", "--title", "x", "--description", "a\nb").code == 0
    text = world.read()
    assert text.count("\n") == text.count("\r\n") == GRAPH.count("\n") + 6
    assert world.task("T-008")["description"] == "a\nb"


def test_a_graph_that_would_be_too_large_is_refused(world: World) -> None:
    found = world.ralph(
        "add", "--title", "x" * 2000, "--json", env={"RALPH_MAX_GRAPH_BYTES": "2000"}
    )
    assert (found.code, found.error) == (6, "too_large")
    assert_unchanged(world)


def test_hostile_text_is_stored_and_shown_as_text(world: World) -> None:
    title = '\u2066[2J\u202e "]; - id: T-666 # &a *b !c {{ %}'
    found = world.ralph("add", "--title", title, "--acceptance", title, "--verify", title)
    assert found.code == 0
    assert all(line.isprintable() for line in found.out.splitlines())
    stored = world.task("T-008")
    assert stored["title"] == stored["acceptance"][0]["text"] == stored["verify"][0] == title
    assert "T-666" not in [task["id"] for task in world.ralph("list", "--json").data["tasks"]]


# -- add: in several files -----------------------------------------------------------------


def task(name: str, story: str = "") -> str:
    of = f"    story: {story}\n" if story else ""
    return f"  - id: {name}\n    title: t\n    status: pending\n{of}"


def sharded(tmp_path: Path, files: dict[str, str], graph: str = '"graph/*.yaml"') -> World:
    world = World(tmp_path)
    world.write("ralph.toml", f"graph = [{graph}]\n")
    for name, tasks in files.items():
        world.write_graph(f"version: 1\ntasks:\n{tasks}", name)
    world.commit()
    return world


def test_one_file_a_task(tmp_path: Path) -> None:
    world = sharded(tmp_path, {"graph/T-1.yaml": task("T-1"), "graph/T-2.yaml": task("T-2", "S")})
    assert world.ralph("add", "--title", "x", "--story", "S").out == (
        "T-3 added in graph/T-3.yaml:4: x\nNot committed: git add graph/T-3.yaml && git commit\n"
    )
    assert world.read("graph/T-3.yaml") == (
        "# yaml-language-server: $schema=https://raw.githubusercontent.com/ralphgit/ralphgit/main/schemas/task-graph.schema.json\n"
        "version: 1\n"
        "tasks:\n"
        "  - id: T-3\n"
        "    title: x\n"
        "    status: pending\n"
        "    story: S\n"
    )


def test_one_file_a_story(tmp_path: Path) -> None:
    files = {"graph/S-1.yaml": task("T-1", "S-1"), "graph/S-2.yaml": task("T-2", "S-2")}
    world = sharded(tmp_path, files)
    assert world.ralph("add", "--title", "x", "--story", "S-1").out.startswith(
        "T-3 added in graph/S-1.yaml:7"
    )
    assert world.ralph("add", "--title", "x", "--story", "S-3").out.startswith(
        "T-4 added in graph/S-3.yaml:4"
    )
    assert world.ralph("add", "--title", "x").out.startswith("T-5 added in graph/S-3.yaml:8")


def test_the_file_may_be_chosen(tmp_path: Path) -> None:
    files = {"graph/a.yaml": task("T-1") + task("T-2"), "graph/b.yaml": task("T-3")}
    world = sharded(tmp_path, files)
    assert "graph/a.yaml:9" in world.ralph("add", "--title", "x", "--file", "graph/a.yaml").out
    below = Place(world.path / "graph", world.environ)
    assert "graph/new.yaml:4" in below.ralph("add", "--title", "x", "--file", "new.yaml").out
    assert "graph/a.yaml:6" in world.ralph("add", "--title", "x", "--after", "T-1").out
    found = world.ralph("add", "--title", "x", "--after", "T-1", "--file", "graph/b.yaml")
    assert found == (
        2, "", "error: T-1 is in graph/a.yaml, not in graph/b.yaml\n"
        "hint: leave out --file or --after\n",
    )  # fmt: skip


def test_a_list_of_files_takes_no_new_one(tmp_path: Path) -> None:
    files = {"a.yaml": task("T-1", "S-1"), "b.yaml": task("T-2", "S-2")}
    world = sharded(tmp_path, files, '"a.yaml", "b.yaml"')
    assert "T-3 added in a.yaml:7" in world.ralph("add", "--title", "x", "--story", "S-1").out
    assert "T-4 added in b.yaml:7" in world.ralph("add", "--title", "x", "--story", "S-9").out


def test_a_glob_that_leaves_no_room_for_a_new_file_says_so(tmp_path: Path) -> None:
    world = sharded(tmp_path, {"graph/k/tasks.yaml": task("T-1")}, '"graph/*/tasks.yaml"')
    assert "T-2 added in graph/k/tasks.yaml:6" in world.ralph("add", "--title", "x").out
    found = world.ralph("add", "--title", "x", "--story", "S-1", "--json")
    assert (found.code, found.error) == (2, "no_place")


def test_tasks_added_on_two_branches_merge_cleanly_in_files_of_their_own(tmp_path: Path) -> None:
    world = sharded(tmp_path, {"graph/T-1.yaml": task("T-1")})
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    for place in (alpha, beta):
        assert place.ralph("add", "--title", "x").code == 0
        place.commit()
    assert world.merge("alpha").code == world.merge("beta").code == 0
    ids = [one["id"] for one in world.ralph("list", "--json").data["tasks"]]
    assert ids == ["T-1", "T-2", "T-3"]


# -- edit ----------------------------------------------------------------------------------


def test_edit_changes_the_fields_it_is_told_and_no_other_byte(world: World) -> None:
    found = world.ralph("edit", "T-001", "--priority", "3", "--title", "Set the table")
    assert found == (
        0, f"T-001 changed in task-graph.yaml:4: Set the table\n{NOT_COMMITTED}", "",
    )  # fmt: skip
    assert changes(world) == (
        '-    title: "Lay the table"\n'
        "+    title: Set the table\n"
        "-    priority: 1\n"
        "+    priority: 3\n"
    )
    assert world.git("diff", "--cached") == ""


def test_edit_replaces_lists_and_merges_the_scope(world: World) -> None:
    found = world.ralph(
        "edit", "T-002", "--acceptance", "good", "--acceptance", "hot", "--write", "pot",
        "--read", "book", "--json",
    )  # fmt: skip
    assert found.code == 0
    told = found.data["task"]
    assert told["acceptance"] == [{"id": "ACC-1", "text": "good"}, {"id": "ACC-2", "text": "hot"}]
    assert told["scope"] == {"write": ["pot"], "resources": ["stove"], "read": ["book"]}
    assert "    status: ready\n" in world.read()


def test_a_command_names_the_criterion_that_it_proves(world: World) -> None:
    words = (
        "--acceptance",
        "hot",
        "--acceptance",
        "salty",
        "--verify",
        "make",
        "--verify",
        "taste",
    )
    added = world.ralph("add", "--title", "Soup", *words, "--proves", "ACC-2=taste", "--json")
    assert added.code == 0, added
    task = added.data["task"]["id"]
    assert added.data["task"]["verify"] == ["make", {"run": "taste", "proves": ["ACC-2"]}]
    edited = world.ralph(
        "edit", task, "--proves", "ACC-1=taste", "--proves", "ACC-1=feel", "--json"
    )
    assert edited.data["task"]["verify"] == [
        "make",
        {"run": "taste", "proves": ["ACC-2", "ACC-1"]},
        {"run": "feel", "proves": ["ACC-1"]},
    ]
    assert "      - run: feel\n        proves:\n          - ACC-1\n" in world.read()
    again = world.ralph("edit", task, "--verify", "make", "--json")
    assert again.data["task"]["verify"] == ["make"]
    before = world.read()
    for told, code in (("ACC-3=make", "unknown_criterion"), ("make", "bad_proves")):
        refused = world.ralph("edit", task, "--proves", told, "--json")
        assert (refused.code, refused.error) == (2, code)
    assert world.read() == before


def test_edit_removes_fields(world: World) -> None:
    assert world.ralph("edit", "T-002", "--remove", "acceptance", "--remove", "story").code == 0
    assert world.ralph("edit", "T-002", "--remove", "scope.write").code == 0
    assert world.task("T-002")["scope"] == {"resources": ["stove"]}
    assert world.ralph("edit", "T-002", "--remove", "resource").code == 0
    assert changes(world) == (
        "-    story: S-1\n"
        "-    acceptance:\n"
        "-      - it is hot\n"
        "-    scope:\n"
        "-      write: [soup.txt]\n"
        "-      resources: [stove]\n"
    )


def test_edit_of_what_is_so_already_writes_nothing(world: World) -> None:
    found = world.ralph("edit", "T-002", "--write", "soup.txt", "--depends-on", "T-001")
    assert found == (
        0, "T-002 unchanged: Cook the soup\n",
        "warning: T-002 already has these values; nothing was written\n",
    )  # fmt: skip
    assert_unchanged(world)


@pytest.mark.parametrize(
    ("words", "code", "error", "message"),
    [
        ((), 2, "usage", "no change to T-001 was given"),
        (("--remove", "id"), 2, "kept_field", "edit cannot remove id"),
        (("--remove", "title"), 2, "kept_field", "edit cannot remove title"),
        (("--remove", "status"), 2, "kept_field", "edit cannot remove status"),
        (("--remove", "claim"), 2, "kept_field", "edit cannot remove claim"),
        (("--remove", "epoch"), 2, "kept_field", "edit cannot remove epoch"),
        (("--remove", "verify"), 2, "no_field", "T-001 has no verify"),
        (("--remove", "story", "--story", "S"), 2, "usage", "story cannot be both set and"),
        (("--remove", "write", "--write", "a"), 2, "usage", "scope.write cannot be both set"),
        (("--title", " "), 2, "usage", "title is empty"),
        (("--write", "a{"), 2, "bad_pattern", "the pattern 'a{': '{' is not closed"),
        (("--output", ".git/x"), 2, "bad_path", "the output '.git/x' enters .git or .ralph"),
        (("--depends-on", "T-002"), 6, "cycle", "a cycle of dependencies: T-001 needs T-002 needs"),
        (
            ("--block", "--priority", "1"),
            2,
            "usage",
            "--block, --cancel, --rename and --take-scope cannot be combined with other changes",
        ),
        (
            ("--cancel", "x", "--priority", "1"),
            2,
            "usage",
            "--block, --cancel, --rename and --take-scope cannot be",
        ),
        (("--cancel", ""), 2, "usage", "the reason is empty"),
        (("--budget", "1000001"), 2, "usage", "a budget is at most 1000000 USD"),
        (("--budget", "five"), 2, "usage", "'five' is not an amount in USD"),
        (("--tag", " "), 2, "usage", "tags is empty"),
    ],
)
def test_edit_refuses(
    world: World, words: tuple[str, ...], code: int, error: str, message: str
) -> None:
    found = world.ralph("edit", "T-001", *words, "--json")
    assert (found.code, found.error, found.err) == (code, error, "")
    assert found.json["error"]["message"].startswith(message)
    assert_unchanged(world)


def test_edit_of_an_unknown_task(world: World) -> None:
    assert world.ralph("edit", "T-9", "--priority", "1", "--json").error == "unknown_task"


def test_a_task_on_one_line_is_unfolded_first(tmp_path: Path) -> None:
    world = World(tmp_path)
    flow = "version: 1\ntasks:\n  - {id: A, title: a, status: pending}  # one\n"
    world.write_graph(flow + "  - {id: B, title: b, status: pending}\n")
    refused = world.ralph("edit", "A", "--priority", "1")
    assert (refused.code, refused.out) == (6, "")
    assert refused.err.endswith("hint: ralphgit edit A --block\n")
    found = world.ralph("edit", "A", "--block")
    assert found.out.startswith("A written in block style in task-graph.yaml:3: a\n")
    assert world.ralph("edit", "A", "--priority", "1").code == 0
    assert world.read() == (
        "version: 1\ntasks:\n"
        "  - id: A\n    # one\n    title: a\n    status: pending\n    priority: 1\n"
        "  - {id: B, title: b, status: pending}\n"
    )


def test_a_task_in_a_list_in_flow_style_is_not_unfolded(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks: [\n  {id: A, title: a, status: pending}]\n")
    refused = world.ralph("edit", "A", "--block")
    assert (refused.code, refused.out) == (6, "")
    assert refused.err == (
        "error: task-graph.yaml:3:3: tasks is written in flow style, and so is each task in it; "
        "nothing was written\n"
        "hint: write each task as '- id: ...' on lines of its own, below tasks:\n"
    )


def test_a_task_in_block_style_stays_as_it_is(world: World) -> None:
    assert world.ralph("edit", "T-001", "--block") == (
        0, "T-001 unchanged: Lay the table\n",
        "warning: T-001 is already in block style; nothing was written\n",
    )  # fmt: skip
    assert_unchanged(world)


def test_changing_what_a_claimed_task_promises_is_warned_of(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-001")
    sentence = (
        "alpha has claimed T-001, and what it promises has changed: "
        "completing it will need --accept-contract"
    )
    for place in (alpha, world):
        found = place.ralph("edit", "T-001", "--verify", "true", "--json")
        assert (found.code, found.json["warnings"]) == (0, [sentence])
        assert place.ralph("edit", "T-001", "--priority", "5").err == ""
    assert world.ralph("edit", "T-007", "--verify", "true").err == ""


# -- edit --cancel -------------------------------------------------------------------------


def test_cancel_says_why_in_the_record(world: World) -> None:
    found = world.ralph("edit", "T-007", "--cancel", "nobody: is hungry")
    assert found == (
        0, f"T-007 cancelled in task-graph.yaml:22: Invite people\n{NOT_COMMITTED}", "",
    )  # fmt: skip
    record = world.task("T-007")["cancelled"]
    assert (record["by"], record["reason"]) == ("proj", "nobody: is hungry")
    assert changes(world) == (
        "-    status: pending\n"
        "+    status: cancelled\n"
        "+    cancelled:\n"
        f"+      id: {record['id']}\n"
        "+      by: proj\n"
        f'+      at: "{record["at"]}"\n'
        '+      reason: "nobody: is hungry"\n'
    )
    assert world.git("status", "--porcelain") == " M task-graph.yaml"
    again = world.ralph("edit", "T-007", "--cancel", "twice", "--json")
    assert (again.code, again.error) == (8, "illegal_move")


def test_two_cancellations_of_one_task_conflict(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    for place in (alpha, beta):
        assert place.ralph("edit", "T-002", "--cancel", "no").code == 0
        place.commit()
    assert world.merge("alpha").code == 0
    assert world.merge("beta").code == 1


def test_cancel_refuses_what_somebody_else_holds(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-001")
    found = beta.ralph("edit", "T-001", "--cancel", "no", "--json")
    error = found.json["error"]
    assert (found.code, error["code"], error["holder"]["worker"]) == (5, "claim_held", "alpha")
    assert error["hint"] == f'ralphgit -C {world.path} reset T-001 --reason "TEXT"'
    assert beta.git("status", "--porcelain") == ""
    # Committed, the claim is on alpha's branch; it is no less held.
    alpha.commit()
    refused = beta.ralph("edit", "T-001", "--cancel", "no")
    assert (refused.code, "if alpha is gone, reset it first" in refused.err) == (5, True)


def test_cancel_ends_this_worktree_s_own_claim(world: World) -> None:
    alpha = world.worktree("alpha")
    claim = alpha.claim("T-001")
    found = alpha.ralph("edit", "T-001", "--cancel", "too hard", "--json")
    assert found.code == 0, found.out
    told = found.data["task"]
    assert (told["status"], told["state"], told["claim"]["id"]) == ("cancelled", "cancelled", claim)
    assert alpha.read(f"records/audit/T-001/{claim}.yaml").endswith(
        "    event: released\n    by: alpha\n    from: in-progress\n    to: cancelled\n"
        "    note: too hard\n"
    )
    # It is free for other work, and nobody else takes the cancelled task.
    alpha.commit()
    alpha.claim("T-007")
    beta = world.worktree("beta")
    assert "T-001" not in beta.ralph("next").out


# -- brackets in patterns ------------------------------------------------------------------

MEANT = {
    "src/routes/[slug]/**": r"src/routes/\[slug\]/**",
    "app/[...rest]/[id].ts": r"app/\[...rest\]/\[id\].ts",
    "src/[lang=code]/a": r"src/\[lang=code\]/a",
    "odd/[a-z]/*.ts": r"odd/\[a-z\]/*.ts",
    r"\[b\]/x[1]": r"\[b\]/x\[1\]",
}
CHOICES = ["src/[a-z]/**", "[!x]/y", r"src/routes/\[slug\]/**", "src/x[12].py"]


def test_brackets_that_are_meant_as_a_name_are_warned_of(world: World) -> None:
    world.write("odd/[a-z]/one.ts", "")
    world.write("[b]/x[1]", "")
    for pattern, meant in MEANT.items():
        said = (
            f"in the pattern {pattern} brackets are a choice of characters; "
            f"for what is called so write: {meant}"
        )
        for option in ("--write", "--read"):
            found = world.ralph("edit", "T-001", option, pattern, "--json")
            assert (found.code, found.json["warnings"]) == (0, [said])
        found = world.ralph("add", "--title", "x", "--write", pattern, "--json")
        assert (found.code, found.json["warnings"]) == (0, [said])
        assert found.data["task"]["scope"]["write"] == [pattern]
        assert world.ralph("edit", "T-001", "--write", meant, "--json").json["warnings"] == []
    for pattern in CHOICES:
        found = world.ralph("edit", "T-001", "--write", pattern, "--json")
        assert (found.code, found.json["warnings"]) == (0, []), pattern
