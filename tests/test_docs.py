"""The examples in the documents do what they say.

The `console` blocks of a document's chapter are one session, with those of the chapters before
it back to the last one marked `<!-- a session of its own -->`: every command is run in the order
in which it stands, and what it prints is compared with what the document shows. A line that
begins with `> ` goes on with the command before it. A `python` block is a command, too: it is run
as a script, and prints what the `text` block behind it shows. Ids, commits, times and how many
tokens a tool costs differ, and compare as equal; a line `...` stands for any lines.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from site_pages import PAGES, site_links
from world import ROOT, World, environment

from ralphgit.records import graph_file

DOCUMENTS = [
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "decisions").glob("*.md")),
]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
_MARK = "@@ command "


_OWN = "<!-- a session of its own -->"
_MODULES = [
    f"/{path.relative_to(ROOT)}"
    for folder in ("ralphgit", "tests", "tools")
    for path in (ROOT / folder).rglob("*.py")
]


def _blocks(text: str, kind: str) -> list[str]:
    return [body for found, body in _BLOCK.findall(text) if found == kind]


def _commands(text: str) -> list[tuple[str, list[str]]]:
    """Each command of a session, with the lines it is shown to print."""
    found: list[tuple[str, list[str]]] = []
    script = False
    for kind, block in _BLOCK.findall(text):
        if kind == "python":
            found.append((f"{sys.executable} - <<'PYTHON'\n{block}PYTHON", []))
        elif kind == "text" and script:
            found[-1][1].extend(block.splitlines())
        script = kind == "python"
        for line in block.splitlines() if kind == "console" else ():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.startswith(">") and line[1:2] in ("", " ") and not found[-1][1]:
                command, shown = found.pop()
                found.append((f"{command}\n{line[2:]}", shown))
            else:
                found[-1][1].append(line)
    return found


def _normal(line: str) -> str:
    line = re.sub(r"\b[ghj-np-tv-z][0-9a-hj-np-tv-z]{9}\b", "<id>", line)
    line = re.sub(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{7,40}\b", "<commit>", line)
    line = re.sub(r"(\t(?:looks|writes)\t|tools, about )\d+\b", r"\1<tokens>", line)
    line = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z", "<time>", line)
    line = re.sub(r"\t\d+[smhd](?=\t)", "\t<age>", line)
    return line.rstrip()


def _matches(shown: list[str], printed: list[str]) -> bool:
    """Whether `printed` is `shown`, in which `...` is any number of lines."""
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(_matches(shown[1:], printed[skip:]) for skip in range(len(printed) + 1))
    return bool(printed) and shown[0] == printed[0] and _matches(shown[1:], printed[1:])


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with the commands as an installation has them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("ralphgit", "git-ralph"):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ralphgit "$@"\n')
        program.chmod(0o755)
    return folder


def _sessions() -> list[tuple[str, str]]:
    """Name and text of each session."""
    return [
        (f"{document.name}-{number}", part)
        for document in DOCUMENTS
        for number, part in enumerate(document.read_text().split(_OWN), 1)
        if _blocks(part, "console")
    ]


#: Whose sessions run loops, which other tests do as well.
LOOPS = ("README.md", "loop.md", "parallel.md")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=name, marks=[pytest.mark.slow] * name.startswith(LOOPS))
        for name, text in _sessions()
    ],
)
def test_every_command_prints_what_the_document_shows(
    text: str, tmp_path: Path, programs: Path
) -> None:
    commands = _commands(text)
    script = "".join(f"echo '{_MARK}{n}'\n{command}\n" for n, (command, _) in enumerate(commands))
    folder = tmp_path / "session"
    folder.mkdir()
    place = World(tmp_path / "unused")
    place.path = folder
    place.environ = environment(tmp_path)
    place.environ["PATH"] = f"{programs}{os.pathsep}{place.environ['PATH']}"
    done = place.run("bash", "-c", f"exec 2>&1\n{script}")
    printed = re.split(rf"^{_MARK}\d+\n", done.out, flags=re.M)[1:]
    assert len(printed) == len(commands), done.out
    for (command, shown), output in zip(commands, printed, strict=True):
        expected, got = list(map(_normal, shown)), list(map(_normal, output.splitlines()))
        while expected and not expected[-1]:
            expected.pop()
        assert _matches(expected, got), f"$ {command}\n{output}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_graph_in_a_document_is_valid(document: Path) -> None:
    for block in _blocks(document.read_text(), "yaml"):
        if block.startswith("version:"):
            assert graph_file.parse(block.encode(), path=document.name).tasks


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_local_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_module_that_a_document_names_is_there(document: Path) -> None:
    """By its path in the repository or in the package, or by its name alone."""
    named = re.findall(r"`([a-z_/]+\.py)`", document.read_text())
    assert [name for name in named if not any(one.endswith(f"/{name}") for one in _MODULES)] == []


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    """`just docs` says so, too, and the rest of what is wrong with a page."""
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    listed = re.findall(r"(?m)^ +- (?:.*: )?(\S+\.md)$", (ROOT / "mkdocs.yml").read_text())
    assert sorted(listed) == sorted(pages | set(PAGES.values()))


def test_a_page_of_the_site_links_to_pages_of_the_site() -> None:
    assert set(PAGES) <= {document.name for document in DOCUMENTS}
    home = "https://example.org/project"

    def turned(text: str, name: str) -> str:
        return site_links(text, name, home)

    assert turned("[a](docs/ci.md#github) [b](CONTRIBUTING.md)", "index.md") == (
        "[a](ci.md#github) [b](contributing.md)"
    )
    assert turned("[a](../README.md) [b](rules.md)", "ci.md") == "[a](index.md) [b](rules.md)"
    assert turned("[a](../../CHANGELOG.md) [b](../ci.md)", "decisions/epochs.md") == (
        "[a](../changelog.md) [b](../ci.md)"
    )
    assert turned("[a](LICENSE) [b](no/such.md)", "index.md") == (
        f"[a]({home}/blob/main/LICENSE) [b](no/such.md)"
    )
    assert turned("[a](https://x.org/README.md) [b](#top)", "index.md") == (
        "[a](https://x.org/README.md) [b](#top)"
    )
