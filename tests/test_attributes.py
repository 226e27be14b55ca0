"""`git diff` on records, with the attributes and the setting that `init` offers."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from world import ROOT, World

from ralphgit.records.git_attributes import DIFF_CONFIG, attributes

BLOCK = """\
version: 1
tasks:
  - id: T-1
    title: Write one
    status: pending
    acceptance:
      - id: ACC-1
        text: it is written
  - id: T-2
    title: Write two
    status: pending
    acceptance:
      - id: ACC-1
        text: it is written
    verify:
      - test -s two.txt
"""
FLOW = """\
version: 1
tasks:
  - {id: T-1, title: Write one, status: pending}
  - {id: T-2, title: Write two, status: pending}
  - { "id": "T-3", title: Write three, status: pending}
"""
FLUSH = "version: 1\ntasks:\n- id: T-1\n  title: One\n  status: pending\n- id: 'T-2'\n" \
        "  title: Two\n  status: pending\n"  # fmt: skip
ALONE = "version: 1\ntasks:\n  - id: {}\n    title: Alone\n    status: pending\n"


@pytest.mark.parametrize("files, patterns, task", [
    ({"task-graph.yaml": BLOCK}, ("task-graph.yaml",), "T-2"),
    ({"task-graph.yaml": FLUSH}, ("task-graph.yaml",), "T-2"),
    ({"graph/a story.yaml": BLOCK, "graph/b.yaml": ALONE.format("T-3")}, ("graph/*.yaml",), "T-2"),
    ({"graph/T-1.yaml": ALONE.format("T-1"), "graph/T-2.yaml": ALONE.format("T-2")},
     ("graph/*.yaml",), "T-2"),
    ({"my graph.yaml": BLOCK}, ("my graph.yaml",), "T-2"),
    ({"graph/x/a.yaml": BLOCK}, ("graph/{x,y}/*.yaml",), "T-2"),
    ({"task-graph.yaml": FLOW}, ("task-graph.yaml",), "T-2"),
], ids=["block", "flush", "story", "task", "spaces", "braces", "flow"])  # fmt: skip
def test_the_header_of_a_claims_hunk_names_the_task(
    files: dict[str, str], patterns: tuple[str, ...], task: str, tmp_path: Path
) -> None:
    world = World(tmp_path)
    for name, text in files.items():
        world.write(name, text)
    world.write("ralph.toml", f"graph = {list(patterns)!r}\n")
    world.write(".gitattributes", "".join(f"{one}\n" for one in attributes(patterns, "records")))
    for key, value in DIFF_CONFIG.items():
        world.git("config", key, value)
    world.commit("Plan")
    world.claim(task, "--no-fetch")
    # With less context than git's three lines: above its third line a block has no other.
    shown = world.git("diff", "HEAD", "-U1", "--", *files)
    headers = re.findall(r"^@@ .* @@ ?(.*)$", shown, re.M)
    flow = "{id" in "".join(files.values())
    assert headers == ([""] if flow else [task])
    # A task of one line names itself in the hunk; any other does with -W, and is shown whole.
    whole = world.git("diff", "HEAD", "-W", "--", *files).split("@@")[-1].split("\n", 1)[1]
    assert re.search(rf"^[ +]\s*- \W*id\W+{task}\b", whole, re.M)
    assert ("T-1" in whole) is flow or "T-1" not in files


def test_a_criterion_is_no_task(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(BLOCK)
    world.write(".gitattributes", "".join(f"{one}\n" for one in attributes(["task-graph.yaml"],
                                                                          "records")))  # fmt: skip
    for key, value in DIFF_CONFIG.items():
        world.git("config", key, value)
    world.commit("Plan")
    world.replace("test -s two.txt", "test -e two.txt")
    assert re.findall(r"^@@ .* @@ ?(.*)$", world.git("diff"), re.M) == ["T-2"]
    assert re.findall(r"^ .*- id: T-\d$", world.git("diff", "-W"), re.M) == ["   - id: T-2"]
    world.commit("Another command")
    log = world.git("log", "-L", ":T-1:task-graph.yaml", "--format=%s")
    assert re.findall(r"^\w.*$|.*- id: T-\d$", log, re.M)[0] == "Plan"
    assert "T-2" not in log
    (line,) = re.findall(r"^git config .*$", (ROOT / "docs" / "diff.md").read_text(), re.M)
    assert shlex.split(line)[2:] == [part for pair in DIFF_CONFIG.items() for part in pair]


def test_what_the_lines_say(tmp_path: Path) -> None:
    assert attributes(["task-graph.yaml", "./graph/*.yaml"], "docs/records/") == (
        "/task-graph.yaml text eol=lf diff=ralphgit",
        "/graph/*.yaml text eol=lf diff=ralphgit",
        "/docs/records/** text eol=lf",
    )
    assert attributes(["plan/**", "T-*"], "r") == (
        "/plan/**/*.yaml text eol=lf diff=ralphgit",
        "/plan/**/*.yml text eol=lf diff=ralphgit",
        "/T-*.yaml text eol=lf diff=ralphgit",
        "/T-*.yml text eol=lf diff=ralphgit",
        "/r/** text eol=lf",
    )
    world = World(tmp_path)
    lines = attributes(['a "b".yaml', "{x,y}.yaml"], "my records")
    world.write(".gitattributes", "".join(f"{line}\n" for line in lines))
    asked = ('a "b".yaml', "x.yaml", "my records/evidence/T-1/a.yaml", "sub/a.txt")
    found = world.git("check-attr", "-z", "diff", "eol", "--", *asked).split("\0")[:-1]
    assert [tuple(found[at + 1 : at + 3]) for at in range(0, len(found), 3)] == [
        ("diff", "ralphgit"), ("eol", "lf"), ("diff", "ralphgit"), ("eol", "lf"),
        ("diff", "unspecified"), ("eol", "lf"), ("diff", "unspecified"), ("eol", "unspecified"),
    ]  # fmt: skip
