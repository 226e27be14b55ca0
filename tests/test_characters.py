"""What no text of a record may hold is refused where it is decoded, with its place."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import pytest
import ryaml
from world import World

from ralphgit.app.rendering import safe_markdown
from ralphgit.errors import InvalidRecord
from ralphgit.model import characters
from ralphgit.records import yaml_writer

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: One
    status: pending
"""
#: As an escape in double quotes of YAML, JSON and TOML alike.
ODD = {
    "NUL": "\\u0000", "escape": "\\u001b", "delete": "\\u007f", "C1": "\\u0085",
    "noncharacter": "\\ufffe", "FDD0": "\\ufdd0",
}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit()
    return made


def test_what_is_forbidden() -> None:
    """Just the controls but tab and line feed, the halves, and Unicode's 66 noncharacters."""
    wrong = set[int]()
    for first in range(0, sys.maxunicode + 1, 256):
        some = range(first, first + 256)
        if characters.forbidden("".join(map(chr, some))):
            wrong |= {n for n in some if characters.forbidden(chr(n))}
    kinds = {n: unicodedata.category(chr(n)) for n in wrong}
    controls = {*range(0x20), *range(0x7F, 0xA0)} - {9, 10}
    assert {n for n, kind in kinds.items() if kind == "Cc"} == controls
    assert {n for n, kind in kinds.items() if kind == "Cs"} == set(range(0xD800, 0xE000))
    rest = {n for n, kind in kinds.items() if kind not in ("Cc", "Cs")}
    assert rest == {*range(0xFDD0, 0xFDF0), *(n for n in range(0x110000) if n & 0xFFFE == 0xFFFE)}
    assert not characters.forbidden("a\r\nb\tc\u202e\u2028\ufeff")
    assert characters.forbidden("a\rb") == characters.forbidden("a\r") == "\r"
    assert characters.without("a\x1b[2J\ud800\r\n") == "a\ufffd[2J\ufffd\r\n"


@pytest.mark.parametrize("text", ["\0", "a\rb", "a\x1b\nb", "\ud800", "\ufdd0", "a\U0001ffff"])
def test_it_is_not_written(text: str) -> None:
    for value in ({"k": text}, {text: 1}, {"k": [{"a": text}]}):
        with pytest.raises(InvalidRecord) as refused:
            yaml_writer.mapping(value)
        assert refused.value.code == "control_character"


@pytest.mark.parametrize("how", ODD)
def test_every_record_and_setting_refuses_it(world: World, how: str) -> None:
    odd = ODD[how]
    claim = "kkkkkkkkkk"
    places = {
        f"records/evidence/T-1/{claim}.yaml": ("evidence", f'id: {claim}\nshows: "a{odd}"\n'),
        f"records/audit/T-1/{claim}.yaml": ("audit", f'id: {claim}\nevents: ["a{odd}"]\n'),
        f"records/guidance/T-1/{claim}.yaml": ("guidance", f'id: {claim}\nquestion: "a{odd}"\n'),
    }
    for path, (_, text) in places.items():
        world.write(path, text)
    world.write_graph(GRAPH.replace("One", f'"One{odd}"'))
    found = {
        (one["file"], one["line"], one["column"], one["code"])
        for one in world.ralph("check", "--json").data["problems"]
    }
    wanted = {(path, 2, text.split("\n")[1].index(odd) + 1) for path, (_, text) in places.items()}
    wanted.add(("task-graph.yaml", 4, 16))
    assert {(*one, "control_character") for one in wanted} <= found
    listed = world.ralph("list", "--json")
    assert (listed.code, listed.error) == (6, "control_character")
    world.write_graph(GRAPH)
    world.write("ralph.toml", f'# Settings\nworker = "a{odd}"\n')
    refused = world.ralph("status")
    assert refused.code == 6
    assert refused.err.startswith("error: ralph.toml:2:12: ")


@pytest.mark.parametrize("how", [*ODD, "half"])
def test_an_import_refuses_it(world: World, how: str) -> None:
    odd = {**ODD, "half": "\\ud83d"}[how]
    raw = json.loads(f'"{odd}"') if how not in ("half", "NUL", "escape") else None
    files = {
        "a.json": ('{"nodes": [\n {"id": "A", "title": "x' + odd + '", "status": "open"}]}', 2, 25),
        "a.jsonl": ('{"id": "A", "title": "x"}\n{"id": "B", "title": "' + odd + '"}\n', 2, 23),
        "a.yaml": ('version: 1\ntasks:\n- id: A\n  title: "x' + odd + '"\n', 4, 12),
    }
    if raw:
        files["a.md"] = (f"# Plan\n\n- [ ] One{raw}\n", 3, 10)
    before = world.read("task-graph.yaml")
    for name, (text, line, column) in files.items():
        world.write(name, text)
        refused = world.ralph("import", name)
        assert refused.code == 6, refused
        assert refused.err.startswith(f"error: {name}:{line}:{column}: "), refused.err
    assert world.read("task-graph.yaml") == before


def test_a_lone_half_ends_in_no_bug(world: World) -> None:
    """It was read, and nothing could write or print it."""
    world.write_graph(GRAPH.replace("One", '"One \\ud83d"'))
    world.commit("Half")
    for line in (("claim", "T-1"), ("complete",), ("status",), ("check",), ("show", "T-1")):
        refused = world.ralph(*line, "--json")
        assert refused.code in (1, 6), (line, refused)
        assert "half a character (U+D83D)" in refused.out
        assert '"line": 4, "column": 17' in refused.out


WORDS = {
    "not UTF-8": "a\udcff", "control character U+001B": "a\x1b[2J",
    "control character U+0085": "\x85", "noncharacter U+FFFE": "\ufffe",
    "a carriage return alone": "a\rb",
}  # fmt: skip
LINES = (
    ("add", "--title"), ("add", "--title", "x", "--verify"), ("add", "--title", "x", "--output"),
    ("block", "T-1", "--question"), ("release", "T-1", "--reason"), ("reset", "T-1", "--reason"),
    ("complete", "--concern"), ("complete", "--force"),
    ("claim", "T-1", "--force"), ("reply", "T-1"), ("edit", "T-1", "--title"),
    ("evidence", "add", "T-1", "--shows"),
)  # fmt: skip


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_no_command_line_brings_it_in(world: World, line: tuple[str, ...]) -> None:
    world.git("checkout", "--quiet", "-b", "work")
    before = world.state()
    for what, text in WORDS.items():
        refused = world.ralph(*line, text)
        assert (refused.code, refused.out) == (2, ""), (what, refused)
        assert what in refused.err
    assert world.state() == before


def test_no_variable_or_git_setting_brings_it_in(world: World) -> None:
    refused = world.ralph("status", env={"RALPH_WORKER": "a\x1b"})
    assert (refused.code, refused.err) == (
        2, "error: the environment: RALPH_WORKER has control character U+001B\n"
        "hint: remove it from RALPH_WORKER there\n",
    )  # fmt: skip
    world.git("config", "ralph.notify.command", "a\x85")
    assert "git config: ralph.notify.command has control" in world.ralph("status").err


#: Reordered, or not seen: an override, a zero-width space, a tag, an isolate.
HIDING = "x\u202ey\u200bz\U000e0041 \u2066w\u3164\u115f\u1160\u2800\uffa0"


@pytest.mark.parametrize("layout", ["", "\nand a line"])
def test_what_hides_text_is_written_as_an_escape_and_shown_so(world: World, layout: str) -> None:
    world.write_graph(GRAPH.replace("One", json.dumps(HIDING + layout)))
    world.replace("status: pending", f"status: pending\n    description: {json.dumps(HIDING)}")
    world.commit()
    shown = world.ralph("packet", "T-1").out
    assert [sign for sign in shown if not sign.isprintable() and sign != "\n"] == []
    escaped = "x\\u202ey\\u200bz\\U000e0041 \\u2066w\\u3164\\u115f\\u1160\\u2800\\uffa0"
    assert escaped in shown
    blanks = HIDING[-5:]
    for command in (("list",), ("show", "T-1"), ("graph",), ("status",)):
        ran = world.ralph(*command)
        assert not set(ran.out) & set(blanks), (command, ran.out)
    # It is the same text all the same.
    assert HIDING in ryaml.loads(shown)["mission"]
    # Joiners of letters, and the wide blanks of some scripts, are text like others.
    kept = {"plain": "क्\u200dष", "lines": "日本\u3000語\n👩\u200d👩"}
    assert yaml_writer.mapping(kept) == (
        'plain: "क्\u200dष"\nlines: |-\n  日本\u3000語\n  👩\u200d👩\n'
    )


def test_a_blank_letter_is_replaced_in_markdown() -> None:
    assert safe_markdown.one_line("a\u3164b\u2800c") == "a\ufffdb\ufffdc"
