"""The manual pages and the skill file: they say what the table says, and what they show runs."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import manual_pages
import pytest
from world import ROOT, World

from ralphgit.cli.command_table import COMMANDS

MAN = ROOT / "man"


def test_the_pages_are_what_the_table_makes() -> None:
    """`just man` writes them anew."""
    kept = {path.name: path.read_text(encoding="utf-8") for path in MAN.iterdir()}
    assert kept == manual_pages.pages()
    assert {f"ralphgit-{name}.1" for name in COMMANDS} < set(kept)
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert data["targets"]["wheel"]["shared-data"] == {"man": "share/man/man1"}


@pytest.mark.parametrize("words", [
    ("mandoc", "-T", "lint", "-W", "warning"), ("groff", "-man", "-ww", "-T", "utf8", "-z"),
], ids=["mandoc", "groff"])  # fmt: skip
def test_the_pages_are_sound(words: tuple[str, ...], tmp_path: Path) -> None:
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    hostile = tmp_path / "hostile.1"
    text = ".so /etc/passwd\n'br \\fBx\\fP -- \\*(x `a` ~ ^"
    hostile.write_text(
        manual_pages._head("a", "b") + ".SH DESCRIPTION\n" + manual_pages._text(text) + "\n"
    )
    done = World(tmp_path).run(*words, *map(str, sorted(MAN.iterdir())), str(hostile))
    # A date would change with every release, whatever the page says.
    told = [line for line in (done.out + done.err).splitlines() if "missing date" not in line]
    assert told == []
    if words[0] == "mandoc":
        shown = World(tmp_path / "shown").run("mandoc", "-T", "utf8", str(hostile)).out
        assert ".so /etc/passwd" in shown
        assert "'br \\fBx\\fP -- \\*(x `a` ~ ^" in shown


def test_exit_codes_are_told_alike() -> None:
    row = re.compile(r"^\| ([\d, ]+) \| (.*) \|$", re.M)
    readme = row.findall((ROOT / "README.md").read_text())
    assert dict(readme) == manual_pages.EXITS


def test_the_readme_names_every_command() -> None:
    table = (ROOT / "README.md").read_text().partition("## Commands")[2].partition("| exit |")[0]
    assert re.findall(r"`([\w-]+)[^`]*`", table) == [*COMMANDS]


def test_help_and_page_have_the_same_options(tmp_path: Path) -> None:
    world = World(tmp_path)
    for name in ("claim", "init", "evidence"):
        options = set(re.findall(r"^ +(?:-\w, )?(--[\w-]+)", world.ralph(name, "--help").out, re.M))
        page = (MAN / f"ralphgit-{name}.1").read_text().replace("\\-", "-")
        found = set(re.findall(r"\\fB(--[\w-]+)\\fP", page))
        assert options - {"--help"} <= found, name


def test_every_command_of_the_skill_file_runs(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = (ROOT / "skills/ralphgit/SKILL.md").read_text()
    lines = [
        line.partition("#")[0].strip()
        for block in re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
        for line in block.splitlines()
        if not line.startswith("#")
    ]
    assert len(lines) > 6
    assert all(line.startswith("ralphgit ") for line in lines)
    world.write_graph(
        "version: 1\ntasks:\n  - id: T-1\n    title: a\n    status: pending\n"
        "    verify:\n      - test -s a.txt\n  - {id: T-2, title: b, status: pending}\n"
    )
    world.commit()
    assert world.ralph("trust", "--yes").code == 0
    alpha = world.worktree("alpha")
    for line in lines:
        words = re.findall(r'"[^"]*"|\S+', line)[1:]
        if words[0] == "block":  # of another task: the first one is complete
            alpha.claim("T-2")
        done = alpha.ralph(*("T-2" if word == "ID" else word.strip('"') for word in words))
        assert done.code == 0, (line, done)
        if words[0] == "claim":
            alpha.write("a.txt", "a\n")
    for verb in re.findall(r"`ralphgit ([a-z]+)", text):
        assert verb in COMMANDS
    assert [*re.findall(r"^\| (\d) \|", text, re.M)] == [str(number) for number in range(9)]
