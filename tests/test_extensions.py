"""Installed packages add import formats and agent presets, and cannot break what is built in."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import registry_tables
import ryaml
from world import ROOT, Place, Result, World

from ralphgit.errors import InvalidRecord
from ralphgit.loop import agent_command
from ralphgit.records import importers
from ralphgit.records.importers import Imported, convert

EXTENDING = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
FORMAT, PRESET = re.findall(r"^```python\n(.*?)^```$", EXTENDING, re.M | re.S)
ENTRIES = re.findall(r'^\[project\.entry-points\."([\w.]+)"\]\n(\w+) = "(.*)"$', EXTENDING, re.M)


def install(folder: Path, name: str, module: str, *entries: tuple[str, str, str]) -> dict[str, str]:
    """A package with one module and these entry points; the variables that make it importable."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "".join(f"[{group}]\n{entry} = {value}\n" for group, entry, value in entries)
    )
    (folder / f"{name.replace('-', '_')}.py").write_text(module)
    return {"PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}


def csv_package(folder: Path, module: str = FORMAT, name: str = "ralphgit-csv") -> dict[str, str]:
    value = f"{name.replace('-', '_')}:IMPORTER"
    return install(folder, name, module, ("ralphgit.importers", "csv", value))


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write("plan.csv", "id,title\nA-1,Draw\nA-2,Build\n")
    made.write("plan.md", "- [ ] T1 Draw\n- [ ] T2 Build\n")
    made.commit()
    return made


def bring(world: Place, *words: str, env: dict[str, str]) -> Result:
    return world.ralph("import", *words, "--json", env=env)


@pytest.mark.parametrize(("document", "name"), registry_tables.tables())
def test_the_tables_of_the_documents_are_made_from_the_values(document: str, name: str) -> None:
    """`just tables` writes them anew."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    assert text == registry_tables.renewed(text, name, registry_tables.tables()[document, name])


# -- import formats ------------------------------------------------------------------------


def test_the_documents_entry_points_are_those_that_are_read() -> None:
    assert [group for group, _, _ in ENTRIES] == [
        importers.import_format.GROUP,
        agent_command.GROUP,
    ]


@pytest.mark.slow
def test_a_package_adds_a_format(world: World, tmp_path: Path) -> None:
    env = install(tmp_path / "site", "ralphgit-csv", FORMAT, ENTRIES[0])
    done = bring(world, "plan.csv", env=env)
    assert (done.code, done.data["added"], done.json["warnings"]) == (0, ["A-1", "A-2"], [])
    assert world.task("A-2")["title"] == "Build"
    help = world.ralph("import", "--help", env=env).out
    assert "csv" in help
    assert "csv" in complete(world, "import", "--format", "c", env=env)
    assert "csv" not in world.ralph("import", "--help").out


def complete(world: World, *words: str, env: dict[str, str]) -> list[str]:
    line = " ".join(("ralphgit", *words))
    variables = {
        "_RALPHGIT_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words)),
    }  # fmt: skip
    out = world.ralph(env={**env, **variables}).out
    return [one.partition(",")[2] for one in out.splitlines()]


@pytest.mark.slow
def test_a_format_is_chosen_by_name(world: World, tmp_path: Path) -> None:
    env = csv_package(tmp_path / "site")
    refused = bring(world, "plan.md", "--format", "csv", env=env)
    assert (refused.code, refused.error) == (6, "invalid_record")
    assert refused.json["error"]["message"] == "the first line is not id,title"
    unknown = bring(world, "plan.csv", "--format", "tsv", env=env)
    assert (unknown.code, unknown.error) == (2, "no_format")
    names = ", ".join((*(one.name for one in importers.BUILT_IN), "csv"))
    assert unknown.json["error"]["hint"] == f"--format is one of {names}"
    assert bring(world, "plan.md", "--format", "markdown", env=env).code == 0


@pytest.mark.slow
@pytest.mark.parametrize(("module", "warning"), [
    ("import nothing_such\n",
     "cannot be loaded: ModuleNotFoundError: No module named 'nothing_such'"),
    ("def f(:\n", "cannot be loaded: SyntaxError"),
    ("raise SystemExit(3)\n", "cannot be loaded: SystemExit: 3"),
    ("", "cannot be loaded: AttributeError"),
    ("IMPORTER = 'csv'\n", "is not of the class Importer"),
    (FORMAT.replace('name="csv"', 'name="C S V"'), "has no name of small letters"),
    (FORMAT.replace('name="csv"', 'name="beads"'), "is a second beads"),
    (FORMAT.replace("return 100 if", "return 1 / 0 if"),
     "failed: ZeroDivisionError: division by zero"),
    (FORMAT.replace("return 100 if", "return 'sure' if"), "gave no number for plan.csv"),
])  # fmt: skip
def test_a_broken_format_is_named_and_the_others_go_on(
    module: str, warning: str, world: World, tmp_path: Path
) -> None:
    env = csv_package(tmp_path / "site", module)
    done = bring(world, "plan.csv", env=env)
    assert (done.code, done.error) == (6, "invalid_record"), done
    assert done.json["error"]["message"] == "the format of this file is not known"
    assert any(warning in said and "ralphgit-csv 1.0" in said for said in done.json["warnings"]), (
        done.json["warnings"]
    )
    assert bring(world, "plan.md", env=env).code == 0
    assert world.ralph("import", "--help", env=env).code == 0


@pytest.mark.parametrize(("old", "new", "says"), [
    ("    tasks =", "    1 / 0\n    tasks =", "ZeroDivisionError"),
    ("return Imported(", "return list(", "TypeError"),
    ("return Imported(tasks, root={}", "return Imported([{'id': 'A'}], root={}", "ValueError"),
    ("return Imported(tasks, root={}", "return Imported(tasks, root={'x': {1, 2}}", "TypeError"),
    ('"status": "pending"', '"status": "pending", "x": "\\ud800"', "UnicodeEncodeError"),
])  # fmt: skip
def test_a_format_that_fails_while_it_reads_is_refused(
    old: str, new: str, says: str, world: World, tmp_path: Path
) -> None:
    assert old in FORMAT
    before = world.git("status", "--porcelain")
    done = bring(world, "plan.csv", env=csv_package(tmp_path / "site", FORMAT.replace(old, new)))
    assert (done.code, done.error) == (1, "broken_extension"), done
    message = done.json["error"]["message"]
    assert message.startswith("csv = ralphgit_csv:IMPORTER of ralphgit-csv 1.0 failed: ")
    assert says in message
    assert world.git("status", "--porcelain") == before


def test_of_two_packages_with_one_name_the_first_is_used(world: World, tmp_path: Path) -> None:
    csv_package(tmp_path / "site", name="ralphgit-csv")
    env = csv_package(tmp_path / "site", FORMAT.replace("pending", "complete"), name="zz-csv")
    done = bring(world, "plan.csv", env=env)
    assert done.code == 0
    assert done.json["warnings"] == [
        "left out: csv = zz_csv:IMPORTER of zz-csv 1.0 is a second csv"
    ]
    assert world.task("A-1")["status"] == "pending"


def test_no_repository_brings_code_of_its_own(world: World) -> None:
    """`python -m ralphgit` looks for modules in the current folder first."""
    module = "open('ran', 'w').close()\n" + FORMAT
    csv_package(world.path, module)
    done = bring(world, "plan.csv", env={"PYTHONPATH": str(ROOT)})
    assert (done.code, done.json["warnings"]) == (6, [])
    assert not (world.path / "ran").exists()


#: A small file of each format that is built in.
SAMPLES = {
    "backlog": "---\nid: B-1\ntitle: Draw\nstatus: To Do\nordinal: 1000\n---\n",
    "ccpm": "---\nname: Draw\nstatus: open\ndepends_on: []\n---\n",
    "bmad": "# Story 1.1: Draw\n\n## Acceptance Criteria\n\n1. Drawn\n\n## Tasks\n",
    "cursor": "---\nname: P\ntodos:\n  - content: Draw\n---\n",
    "gsd": "<task>\n<name>Draw</name>\n</task>\n",
    "ticket": "---\nid: T-1\ntitle: Draw\n---\nWith a pencil.\n",
    "superpowers": "### Task 1: Draw\n\n**Step 1: Take a pencil**\n",
    "markdown": "# Plan\n\n- [ ] T1 Draw\n",
    "junit": '<testsuite><testcase classname="a" name="b"><failure/></testcase></testsuite>',
    "github": '[{"number": 1, "title": "Draw", "state": "OPEN"}]',
    "prd": '{"project": "P", "userStories": [{"id": "U-1", "title": "Draw", "passes": false}]}',
    "taskmaster": '{"master": {"tasks": [{"id": 1, "title": "Draw", "dependencies": []}]}}',
    "beads": '{"id": "b-1", "title": "Draw", "status": "open", "issue_type": "task"}\n',
    "graph": "nodes:\n  - {id: A, title: Draw, status: open}\nedges: []\n",
    "ralphgit": "version: 1\ntasks:\n  - {id: A, title: Draw, status: pending}\n",
    "jsonl": '{"id": "A", "title": "Draw", "status": "pending"}\n',
}
BY_NAME = {one.name: one for one in importers.BUILT_IN}


def test_every_format_that_is_built_in_has_a_sample() -> None:
    assert SAMPLES.keys() == BY_NAME.keys()


@pytest.mark.parametrize("name", BY_NAME)
def test_a_file_is_read_by_its_own_format_and_refused_by_others(name: str) -> None:
    """Also when `--format` asks for it: no failure but InvalidRecord."""
    data = SAMPLES[name].encode()
    recognised = convert("plan", data, ryaml.loads)
    assert recognised == convert("plan", data, ryaml.loads, wanted=BY_NAME[name])
    assert [task["title"] for task in recognised.tasks] in (
        ["Draw", "Verify plan plan"],
        ["Draw"], ["T1 Draw"], ["The tests in a pass"],
    )  # fmt: skip
    refused = set()
    for other in BY_NAME.values():
        for text in (SAMPLES[name], "", "{", "[1]", "---\nx: [\n---\n", "nodes: [", "- [ ] "):
            try:
                assert isinstance(
                    convert("plan", text.encode(), ryaml.loads, wanted=other), Imported
                )
            except InvalidRecord:
                refused |= {other.name} if text == SAMPLES[name] else set()
    # Issues of beads are JSON lines with an id and a title, and the other way round.
    # Front matter with an id or a status is a ticket's, whoever has written it.
    alike = {
        "beads": {"jsonl"}, "jsonl": {"beads"}, "backlog": {"ticket"}, "ccpm": {"ticket"},
    }.get(name, set())  # fmt: skip
    assert refused == BY_NAME.keys() - {name} - alike


# -- agent presets -------------------------------------------------------------------------

AGENT = """\
#!/bin/sh
cat > prompt.txt
echo "$EXAMPLE_COLOUR $*" > seen.txt
echo '{"type": "text", "text": "I see."}'
echo '{"type": "call", "tool": "run", "arguments": {"command": "make"}}'
echo '{"type": "end", "tokens": {"in": 1200, "out": 34}}'
"""
GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: Say it
    status: pending
    outputs: [seen.txt]
"""


@pytest.fixture
def alpha(tmp_path: Path) -> Place:
    world = World(tmp_path)
    world.write_graph(GRAPH)
    world.write("ralph.toml", '[agent]\ncommand = "example"\n')
    world.commit()
    return world.worktree("alpha")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The package of docs/extending.md, and its agent."""
    program = tmp_path / "bin" / "example-agent"
    program.parent.mkdir()
    program.write_text(AGENT)
    program.chmod(0o755)
    site = install(tmp_path / "site", "ralphgit-example", PRESET, ENTRIES[1])
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {**site, "PATH": path, "RALPH_LOOP_BACKOFF": "0.01", "RALPH_AGENT_ATTEMPTS": "1"}


@pytest.mark.slow
def test_a_package_adds_an_agent(alpha: Place, env: dict[str, str]) -> None:
    ran = alpha.ralph("run", "--agent", "example", "--land", "merge", env=env)
    assert ran.code == 0, ran
    assert alpha.git("show", "main:seen.txt") == "never --non-interactive --json -"
    assert "T-1" in alpha.git("show", "main:prompt.txt")
    assert alpha.ralph("logs").out == "I see.\n$ make\nused 1.2k tokens in, 34 out\n"
    help = alpha.ralph("run", "--help", env=env).out
    assert re.search(r"^Agents:\n.*\bexample$", help, re.M)


@pytest.mark.parametrize("does", ["return 1 / 0", 'return ["text"]'])
def test_a_reader_that_fails_is_named(
    does: str, alpha: Place, env: dict[str, str], tmp_path: Path
) -> None:
    module = PRESET.replace("    match event", f"    {does}\n    match event")
    (tmp_path / "site" / "ralphgit_example.py").write_text(module)
    ran = alpha.ralph("run", "--agent", "example", "--land", "merge", env=env)
    assert ran.code == 1
    assert "example = ralphgit_example:PRESET of ralphgit-example 1.0" in ran.err
    assert "claimed T-1" in ran.err


@pytest.mark.slow
def test_a_packages_agent_that_the_repository_names_asks_for_consent(
    alpha: Place, env: dict[str, str]
) -> None:
    refused = alpha.ralph("run", "--once", "--json", env=env)
    assert (refused.code, refused.error) == (7, "untrusted"), refused
    assert alpha.ralph("trust", "--yes").code == 0
    assert alpha.ralph("run", "--once", "--land", "merge", env=env).code == 0


@pytest.mark.slow
@pytest.mark.parametrize(("module", "code", "error"), [
    ("import nothing_such\n", 7, "no_agent"),
    (PRESET.replace('name="example"', 'name="claude"'), 7, "no_agent"),
    (PRESET.replace('words=(', 'words=(1, '), 1, "broken_extension"),
    (PRESET.replace('words=("example-agent", "--non-interactive", "--json", "-")', "words=()"), 1,
     "broken_extension"),
    (PRESET.replace('"never"', "None"), 1, "broken_extension"),
    (PRESET.replace("read=read", "read=5"), 1, "broken_extension"),
])  # fmt: skip
def test_a_broken_agent_is_named(
    module: str, code: int, error: str, alpha: Place, tmp_path: Path
) -> None:
    env = install(tmp_path / "site", "ralphgit-example", module, ENTRIES[1])
    ran = alpha.ralph("run", "--agent", "example", "--json", env=env)
    assert (ran.code, ran.error) == (code, error), ran
    said = [*ran.json["warnings"], ran.json["error"]["message"]]
    assert any("ralphgit-example 1.0" in one for one in said), said
    assert alpha.ralph("run", "--agent", "scripted", "--land", "merge", env=env).code == 0
