"""`init`: it makes what is missing, and changes nothing that is there."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from sealing import older
from world import ROOT, Result, World

from ralphgit.model import config, setting_values
from ralphgit.records import schemas, settings_file

NAMES = ("task-graph", "evidence", "audit", "guidance", "packet", "report", "config", "output")
JUST_PROGRAM = shutil.which("just", path=os.path.dirname(sys.executable)) or shutil.which("just")
RALPHGIT = f"{sys.executable} -m ralphgit"
SETTING = "git config diff.ralphgit.xfuncname"
AROUND = [".gitattributes", SETTING, "ralph.just", "justfile", "AGENTS.md"]
SCHEMAS = [f".ralph/schemas/{name}.schema.json" for name in NAMES]
EXCLUDE = ".git/info/exclude"

SINGLE = """\
# yaml-language-server: $schema=https://raw.githubusercontent.com/ralphgit/ralphgit/main/schemas/task-graph.schema.json
#
# A task looks like this; ralphgit add writes one.
#
#   - id: T-1
#     title: Say hello
#     status: pending
#     acceptance:
#       - id: ACC-1
#         text: hello.txt greets the world
#     verify:
#       - grep -q 'hello, world' hello.txt
#     outputs:
#       - hello.txt
#     scope:
#       write:
#         - hello.txt
version: 1
tasks: []
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A repository without a commit."""
    return World(tmp_path)


def test_init_makes_one_graph_file_and_says_what_is_next(world: World) -> None:
    found = world.ralph("init")
    made = [*AROUND, *SCHEMAS]
    assert found == (
        0,
        f"created  task-graph.yaml\ncreated  ralph.toml\nchanged  {EXCLUDE}\n"
        + "".join(f"created  {path}\n" for path in made)
        + "Finished work is merged into the base here (land.mode = auto).\n"
        "Commit what was made.\n"
        'Next: ralphgit add --title "TEXT"\n',
        "",
    )
    assert world.read() == SINGLE
    assert "\n/.ralph/\n" in world.read(EXCLUDE)
    assert world.git("ls-files", "--others", "--exclude-standard").split() == [
        ".gitattributes", "AGENTS.md", "justfile", "ralph.just", "ralph.toml", "task-graph.yaml",
    ]  # fmt: skip
    for path in SCHEMAS:
        assert world.read(path) == (ROOT / "schemas" / Path(path).name).read_text(encoding="utf-8")


@pytest.mark.parametrize("layout", ["single", "story", "task"])
def test_init_again_changes_nothing(world: World, layout: str) -> None:
    first = world.ralph("init", "--layout", layout, "--json")
    assert (first.code, first.data["kept"]) == (0, [])
    before = world.snapshot()
    again = world.ralph("init", "--layout", layout, "--json")
    assert (again.code, again.data["created"]) == (0, [])
    assert again.data["changed"] == []
    assert set(again.data["kept"]) >= {*first.data["created"], EXCLUDE} - {"graph/"}
    assert world.ralph("init").out.endswith('\nNext: ralphgit add --title "TEXT"\n')
    assert world.snapshot() == before


def test_init_around_tasks_says_what_is_next(world: World) -> None:
    world.write_graph("version: 1\ntasks:\n  - {id: T-1, title: One, status: pending}\n")
    first = "Commit what was made.\nNext: ralphgit next\n"
    assert world.ralph("init").out.endswith(first)
    assert world.ralph("init").out.endswith("Next: ralphgit next\n")


def test_what_init_makes_can_be_used_at_once(world: World) -> None:
    world.ralph("init")
    assert world.ralph("list") == (0, "", "")
    assert world.ralph("add", "--title", "Begin").code == 0
    world.commit()
    assert world.ralph("next").out == "T-1\tready\t2\t-\tBegin\t\n"
    assert world.worktree("alpha").ralph("claim").code == 0
    assert world.read().startswith(SINGLE.removesuffix("tasks: []\n"))


def test_the_example_in_the_graph_is_a_task(world: World) -> None:
    world.ralph("init")
    tail = world.read().partition("#   - id")[2]
    example = "".join(f"{line[2:]}\n" for line in f"#   - id{tail}".splitlines() if line[0] == "#")
    world.write_graph(f"version: 1\ntasks:\n{example}")
    (task,) = world.ralph("list", "--json").data["tasks"]
    schema = json.loads(world.read(SCHEMAS[0]))
    for name in ("state", "holder", "stale", "blocked_on", "file", "line"):
        del task[name]
    Draft202012Validator(schema).validate({"version": 1, "tasks": [task]})


def test_one_file_a_story(world: World) -> None:
    found = world.ralph("init", "--layout", "story", "--json")
    assert found.data["created"] == [
        "ralph.toml", "graph/", "graph/tasks.yaml", *AROUND, *SCHEMAS,
    ]  # fmt: skip
    said = "# Files and globs that hold the task graph. (base)"
    assert f'\n\n{said}\ngraph = ["graph/*.yaml"]\n\n' in world.read("ralph.toml")
    assert world.read("graph/tasks.yaml") == SINGLE.replace("=.ralph", "=../.ralph")
    for words, file in (
        (("--title", "a"), "graph/tasks.yaml"),
        (("--title", "b", "--story", "S-1"), "graph/S-1.yaml"),
        (("--title", "c", "--story", "S-1"), "graph/S-1.yaml"),
        (("--title", "d", "--story", "Z-1"), "graph/Z-1.yaml"),
        (("--title", "e"), "graph/tasks.yaml"),
    ):
        assert world.ralph("add", *words, "--json").data["task"]["file"] == file


def test_one_file_a_task(world: World) -> None:
    found = world.ralph("init", "--layout", "task", "--json")
    assert found.data["created"] == ["ralph.toml", "graph/", *AROUND, *SCHEMAS]
    for number in (1, 2, 3):
        made = world.ralph("add", "--title", "a", "--story", "S-1", "--json").data["task"]
        assert made["file"] == f"graph/T-{number}.yaml"


def test_init_follows_settings_that_are_there(world: World) -> None:
    world.write("ralph.toml", 'graph = ["plan/*.yaml"]\n')
    found = world.ralph("init", "--json")
    assert found.data["created"][0] == "plan/"
    assert found.data["kept"] == ["ralph.toml"]
    assert "/plan/*.yaml text eol=lf diff=ralphgit\n" in world.read(".gitattributes")
    assert "records in `plan/*.yaml`" in world.read("AGENTS.md")
    assert world.ralph("init", "--layout", "story", "--json").data["created"] == ["plan/tasks.yaml"]


def test_init_takes_the_name_that_the_settings_give(world: World) -> None:
    world.write("ralph.toml", 'graph = ["plan/all.yaml"]\n')
    assert world.ralph("init", "--json").data["created"][0] == "plan/all.yaml"
    assert world.read("plan/all.yaml") == SINGLE.replace("=.ralph", "=../.ralph")


def test_nothing_that_is_there_is_overwritten(world: World) -> None:
    graph = "version: 1\ntasks:\n  - {id: A, title: a, status: pending}\n"
    world.write_graph(graph)
    world.write(SCHEMAS[0], "{}\n")
    world.write(EXCLUDE, "/.ralph/\n.ralph-tmp-*")
    world.write(".gitignore", "*.o\n")
    world.write(".git/hooks/pre-commit", "#!/bin/sh\n")
    before = world.snapshot()
    found = world.ralph("init", "--json")
    assert found.data["kept"] == ["task-graph.yaml", EXCLUDE, SCHEMAS[0]]
    assert found.data["why"] == {
        SCHEMAS[0]: "it is of another version; ralphgit doctor --fix renews it"
    }
    after = world.snapshot()
    del before["proj/.git/config"]
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize(
    ("name", "text", "layout", "hint"),
    [
        (
            "task-graph.yaml",
            "version: 1\ntasks: []\n",
            "task",
            "ralphgit shard --layout task",
        ),
        ("ralph.toml", "lease = 'off'\n", "story", 'graph = ["graph/*.yaml"] in ralph.toml, then'),
        ("ralph.toml", "graph = ['g/*.yaml']\n", "single", 'graph = ["task-graph.yaml"] in ralph'),
    ],
)
def test_another_layout_than_the_one_that_is_there_is_refused(
    world: World, name: str, text: str, layout: str, hint: str
) -> None:
    world.write(name, text)
    before = world.snapshot()
    found = world.ralph("init", "--layout", layout, "--json")
    assert (found.code, found.error) == (8, "other_layout")
    assert found.json["error"]["hint"].startswith(hint)
    assert world.snapshot() == before


def test_a_worktree_that_is_behind_begins_no_second_graph(world: World) -> None:
    world.commit()
    alpha = world.worktree("alpha")
    world.ralph("init")
    world.commit()
    assert alpha.ralph("init") == (
        8, "", "error: main has a task graph, and this worktree does not\nhint: git merge main\n",
    )  # fmt: skip
    assert alpha.merge("main").code == 0
    found = alpha.ralph("init", "--json")
    kept = ["task-graph.yaml", "ralph.toml", "../proj/" + EXCLUDE, *AROUND]
    assert (found.data["created"], found.data["kept"]) == (SCHEMAS, kept)


@pytest.mark.parametrize("staged", [False, True], ids=["rm", "git rm"])
def test_a_graph_that_was_removed_by_mistake_is_brought_back(world: World, staged: bool) -> None:
    world.write_graph("version: 1\ntasks:\n  - {id: A, title: a, status: pending}\n")
    world.commit()
    alpha = world.worktree("alpha")
    if staged:
        alpha.git("rm", "--quiet", "task-graph.yaml")
    else:
        (alpha.path / "task-graph.yaml").unlink()
    mend = f"git restore {'--staged --worktree ' if staged else ''}task-graph.yaml"
    gone = "there is no task graph (task-graph.yaml) in this worktree, but in its commit there is"
    for command in ("claim", "list", "check"):
        assert alpha.ralph(command) == (6, "", f"error: {gone}\nhint: {mend}\n"), command
    assert alpha.ralph("init") == (
        8, "", f"error: main has a task graph, and this worktree does not\nhint: {mend}\n",
    )  # fmt: skip
    alpha.git(*mend.split()[1:])
    assert alpha.ralph("claim").code == 0


def test_what_was_made_is_gone_again_after_a_failure(world: World) -> None:
    world.write(".ralph/schemas", "in the way")
    before = world.snapshot()
    found = world.ralph("init", "--layout", "story", "--json")
    assert (found.code, found.error) == (1, "not_writable")
    after = world.snapshot()
    assert after == before


def test_outside_a_repository_and_in_a_bare_one(world: World) -> None:
    world.commit()
    assert world.origin.ralph("init", "--json").error == "bare"
    found = world.ralph("-C", "..", "init", "--json")
    assert (found.code, found.error) == (2, "not_a_repository")
    assert found.json["error"]["hint"] == "git init"


@pytest.mark.slow
@pytest.mark.skipif(not JUST_PROGRAM, reason="just is not installed")
def test_the_recipes_work_where_init_was_run(world: World) -> None:
    def just(*words: str) -> Result:
        return world.run(str(JUST_PROGRAM), *words, env={"RALPHGIT": RALPHGIT})

    world.ralph("init")
    world.ralph("add", "--title", "Say hello", "--output", "hello.txt")
    world.commit("Plan")
    made = just("worktree-new", "alpha")
    assert made.code == 0, made.err
    ran = world.run(
        str(JUST_PROGRAM), "ralph", "--agent", "scripted", "--land", "merge",
        env={"RALPHGIT": RALPHGIT, "PWD": ""},
    )  # fmt: skip
    assert (ran.code, ran.out) == (0, "done: T-1\nThe loop has ended: everything is done.\n"), ran
    assert "1 complete" in just("ralph-status").out
    assert just("ralph-logs").out == "scripted agent: T-1\n"
    assert just("task-reset", "T-1", "again").code == just("task-reset", "T-1").code == 8
    world.git("switch", "--quiet", "main")
    world.ralph("add", "--title", "Say bye")
    world.commit("Plan more")
    assert just("worktree-new", "beta").code == 0
    beta = str(world.folder / "proj-beta")
    assert just("-d", beta, "-f", "justfile", "task-claim", "T-2").code == 0
    assert "beta has T-2" in just("prompt", "T-2").err
    given = just("task-reset", "T-2", "its", "terminal's gone", "--json")
    assert given.json["data"]["task"]["reset"]["reason"] == "its terminal's gone"
    assert just("task-land", "nowhere").code == 2


# -- what init adds to files of others, and takes back -------------------------------------


def tree(world: World) -> dict[str, bytes]:
    """Every file but git's own: of these what `init` may touch."""
    own = {"proj/.git/config", f"proj/{EXCLUDE}"}
    return {
        name: data
        for name, data in world.snapshot().items()
        if name in own or not name.startswith("proj/.git/")
    }


MINE = {
    "Justfile": "#!/usr/bin/env just\n# Mine\n\n# Build it\nbuild:\n    true",
    "AGENTS.md": "# Rules\r\nBe kind.\r\n",
    "CLAUDE.md": "Be brief.",
    ".gitattributes": "*.png binary\n",
    "README.md": "words\n",
    ".gitignore": "*.o",
}


def test_undo_gives_back_what_was_there_byte_for_byte(world: World) -> None:
    for name, text in MINE.items():
        world.write(name, text)
    before = tree(world)
    planned = world.ralph("init", "--dry-run", "--skill", ".claude/skills", "--json").data
    assert tree(world) == before
    done = world.ralph("init", "--skill", ".claude/skills", "--json").data
    assert {**planned, "dry_run": False} == done
    assert done["changed"] == [
        EXCLUDE, ".gitattributes", "Justfile", "AGENTS.md", "CLAUDE.md",
    ]  # fmt: skip
    assert world.read("Justfile").startswith(
        "#!/usr/bin/env just\n# Mine\n\nimport 'ralph.just'\n# Build it\nbuild:"
    )
    assert "<!-- ralphgit:begin -->\r\n" in world.read("AGENTS.md")
    assert world.read("CLAUDE.md").endswith("\n<!-- ralphgit:end -->")
    assert (world.read("README.md"), world.read(".gitignore")) == ("words\n", "*.o")
    world.commit("Begin")  # after a commit as well
    planned = world.ralph("init", "--undo", "--dry-run", "--json").data
    undone = world.ralph("init", "--undo", "--json").data
    assert {**planned, "dry_run": False} == undone
    assert (undone["kept"], undone["why"]) == ([], {})
    assert tree(world) == before
    assert world.ralph("init", "--undo") == (0, "There is nothing of init's to take back.\n", "")


def test_undo_keeps_what_somebody_has_changed_and_says_why(world: World) -> None:
    world.write("AGENTS.md", "Mine\n")
    assert world.ralph("init", "--skill", ".claude/skills").code == 0
    assert world.ralph("add", "--title", "Begin").code == 0
    world.write("records/audit/T-1/a.yaml", "x")
    world.write("AGENTS.md", world.read("AGENTS.md").replace("## Tasks", "## Our tasks"))
    world.replace("# lease = ", "lease = ", "ralph.toml")
    world.write("ralph.just", world.read("ralph.just") + "\nmine:\n    true\n")
    world.git("config", "diff.ralphgit.xfuncname", "mine")
    world.write(".ralph/heartbeat", "x")
    found = world.ralph("init", "--undo")
    gone = [".gitattributes", ".claude/skills/ralphgit/SKILL.md", *SCHEMAS]
    assert found == (
        0,
        "kept     task-graph.yaml  (it has 1 task)\n"
        "kept     ralph.toml  (it is not as init wrote it)\n"
        f"removed  {gone[0]}\n"
        f"kept     {SETTING}  (it is not as init wrote it)\n"
        "kept     ralph.just  (it is not as init wrote it)\n"
        "kept     AGENTS.md  (its ralphgit block is not as init wrote it)\n"
        + "".join(f"removed  {name}\n" for name in gone[1:])
        + f"kept     {EXCLUDE}  (.ralph has more in it)\n"
        "Next: git status shows what of it was committed.\n",
        "",
    )
    assert not (world.path / ".claude").exists()
    assert world.read("justfile") == "import 'ralph.just'\n"
    assert world.read("records/audit/T-1/a.yaml") == "x"
    assert "## Our tasks" in world.read("AGENTS.md")
    # What is kept does not change when init is run again either.
    kept = {name: world.read(name) for name in ("AGENTS.md", "ralph.toml", "ralph.just")}
    assert world.ralph("init").code == 0
    assert {name: world.read(name) for name in kept} == kept


def test_undo_leaves_other_worktrees_what_they_share(world: World) -> None:
    assert world.ralph("init").code == 0
    world.commit("Begin")
    alpha = world.worktree("alpha")
    assert alpha.ralph("init").code == 0
    assert alpha.ralph("init", "--undo", "--json").data["why"] == {
        SETTING: "../proj/.gitattributes needs it",
        f"../proj/{EXCLUDE}": "../proj/.ralph has more in it",
    }
    assert world.ralph("init", "--json").data["created"] == []
    assert world.ralph("init", "--undo", "--json").data["kept"] == []


def test_the_settings_stay_as_long_as_they_say_where_the_graph_is(world: World) -> None:
    assert world.ralph("init", "--layout", "story").code == 0
    assert world.ralph("add", "--title", "Begin").code == 0
    found = world.ralph("init", "--undo", "--json").data
    assert found["why"] == {
        "graph/tasks.yaml": "it has 1 task", "ralph.toml": "it says where the graph is",
    }  # fmt: skip
    assert world.ralph("list").out == "T-1\tready\t2\t-\tBegin\t\n"


@pytest.mark.parametrize("name", ["AGENTS.md", "CLAUDE.md", "ralph.just", ".gitattributes",
                                  ".claude/skills/ralphgit/SKILL.md", "ralph.toml"])  # fmt: skip
def test_what_another_version_wrote_is_renewed_and_taken_back(world: World, name: str) -> None:
    world.write("CLAUDE.md", "Mine\n")
    words = ("init", "--skill", ".claude/skills", "--json")
    assert world.ralph(*words).code == 0
    new = world.read(name)
    old = older(new)
    world.write(name, old)
    found = world.ralph(*words).data
    assert (found["renewed"], found["created"], world.read(name)) == ([name], [], new)
    world.write(name, old)
    undone = world.ralph("init", "--undo", "--json").data
    assert (undone["kept"], name in undone["removed"] + undone["changed"]) == ([], True)


def test_what_is_no_plain_file_is_left_alone(world: World) -> None:
    outside = world.folder / "outside"
    outside.mkdir()
    (outside / "mine.md").write_text("mine")
    (world.path / "AGENTS.md").symlink_to("CLAUDE.md")
    world.write("CLAUDE.md", "Mine\n")
    (world.path / ".gitattributes").symlink_to(outside / "attributes")
    (world.path / "Justfile").symlink_to(outside / "mine.md")
    (world.path / ".claude").symlink_to(outside)
    (world.path / ".ralph").symlink_to(outside)
    found = world.ralph("init", "--skill", ".claude/skills", "--json").data
    elsewhere = "it is a link, or leads through one"
    assert found["why"] == {
        ".gitattributes": elsewhere,
        "Justfile": f"{elsewhere}; for the recipes add to it: import 'ralph.just'",
        "AGENTS.md": "it is a link to CLAUDE.md",
        ".claude/skills/ralphgit/SKILL.md": elsewhere,
        **{f".ralph/schemas/{name}": elsewhere for name in schemas.schema_files()},
    }
    assert sorted(os.listdir(outside)) == ["mine.md"]
    assert (outside / "mine.md").read_text() == "mine"
    assert world.ralph("init", "--undo").code == 0
    assert world.read("CLAUDE.md") == "Mine\n"
    for folder in ("../outside", "/tmp", ".git/x", ".."):
        refused = world.ralph("init", "--skill", folder, "--json")
        assert (refused.code, refused.error) == (2, "bad_skill_folder"), folder
    # Nor does any other command: what a worktree remembers is its own.
    assert world.ralph("init").code == 0
    world.commit()
    assert world.ralph("report") == (
        8, "", "error: .ralph is a link; nothing was written\nhint: rm .ralph, then repeat\n"
    )  # fmt: skip
    assert sorted(os.listdir(outside)) == ["mine.md"]


def test_a_folder_of_runtime_state_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """It came with the repository, say."""
    world = World(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (world.path / ".ralph").mkdir()
    (world.path / ".ralph/logs").symlink_to(elsewhere)
    world.write_graph("version: 1\ntasks:\n  - id: T-1\n    title: One\n    status: pending\n")
    world.git("add", "-f", ".")
    world.commit("Begin")
    error = world.ralph("claim", "--json")
    assert (error.code, error.error) == (8, "linked")
    assert error.json["error"]["hint"] == "rm .ralph/logs, then repeat"
    assert list(elsewhere.iterdir()) == []
    assert world.ralph("doctor", "--json").data["findings"][0]["code"] == "runtime_tracked"


@pytest.mark.parametrize(("name", "text", "why"), [
    ("justfile", "a:\r\n    true\r\n", "for the recipes add to it: import 'ralph.just'"),
    ("AGENTS.md", "<!-- ralphgit:begin -->\n",
     "<!-- ralphgit:begin --> and <!-- ralphgit:end --> do not each appear in it exactly once"),
    ("CLAUDE.md", "See\n@AGENTS.md\n", "it includes AGENTS.md"),
    ("task-graph.yaml", "version: 1\r\ntasks: []\r\n",
     "task-graph.yaml has CRLF line ends; convert it first, while nothing is claimed"),
])  # fmt: skip
def test_what_is_not_clear_is_left_alone(world: World, name: str, text: str, why: str) -> None:
    world.write(name, text)
    found = world.ralph("init", "--json").data
    assert [*found["why"].values()] == [why]
    assert world.read(name) == text
    world.ralph("init", "--undo")
    assert world.read(name) == text


def test_the_two_ways_do_not_go_together(world: World) -> None:
    found = world.ralph("init", "--undo", "--layout", "task")
    assert found == (
        2, "", "error: --layout cannot be combined with --undo\nhint: ralphgit init --help\n",
    )  # fmt: skip


def test_every_default_in_the_settings_is_the_one_that_counts(world: World) -> None:
    world.ralph("init")
    text = world.read("ralph.toml")
    on = "".join(
        line[2:] if re.match(r"# [a-z_.]+ = ", line) else line
        for line in text.splitlines(keepends=True)
    )
    assert (
        setting_values.resolve([("ralph.toml", settings_file.parse(on.encode()))])
        == config.Config()
    )
    # Of profiles the file has an example, and none counts.
    assert set(settings_file.parse(on.encode())) == {*config.Config._fields} - {"agents"}
    assert settings_file.parse(text.encode()) == {}


@pytest.mark.skipif(not JUST_PROGRAM, reason="just is not installed")
@pytest.mark.slow
def test_a_justfile_with_recipes_of_its_own_still_works(world: World) -> None:
    """`just` would refuse all of it if two recipes had one name."""
    world.commit()
    build = "# Mine\n@build:\n    echo built\n"
    for own, left_out in (
        ("\n@prompt X='a': build\n    echo mine\n", "prompt"),
        ("\nalias ralph := build\n", "ralph"),
        ("\n@prompt:\n    true\n\n@task-land:\n    true\n", "prompt, task-land"),
        ("\n@prompt:\n    true\n\nset allow-duplicate-recipes\n", ""),
        ("\nprompt := 'x'\n", ""),
    ):
        world.write("justfile", build + own)
        found = world.ralph("init", "--json").data
        why = f"without {left_out}, which justfile has already" if left_out else ""
        assert found["why"].get("ralph.just", "") == why
        assert "justfile" in found["changed"]
        # An imported recipe of the same name would have `just` refuse all of them.
        env = {"RALPHGIT": RALPHGIT}
        assert world.run(str(JUST_PROGRAM), env=env).out == "built\n"
        assert world.run(str(JUST_PROGRAM), "ralph-stop", "x", env=env).code == 2
        again = world.ralph("init", "--json").data
        assert not again["changed"] + again["renewed"] + again["created"]
        world.ralph("init", "--undo")
        assert world.read("justfile") == build + own
        assert not (world.path / "ralph.just").exists()


def test_a_recipe_comes_back_once_its_name_is_free(world: World) -> None:
    world.commit()
    world.write("justfile", "prompt:\n    true\n")
    world.ralph("init")
    assert "@prompt" not in world.read("ralph.just")
    world.write("justfile", world.read("justfile").replace("prompt:", "mine:"))
    assert world.ralph("init", "--json").data["renewed"] == ["ralph.just"]
    assert "@prompt" in world.read("ralph.just")
