"""No path leaves (SPEC L10): one decision, and each place that reads or writes by it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from world import ROOT

from ralphgit.errors import InvalidRecord
from ralphgit.model import paths
from ralphgit.model.paths import PathFault
from ralphgit.records import worktree_files

GOOD = (
    "a", "a/b.c", "src/lib/api.ts", ".a", ".github/workflows/x.yml", ".gitignore",
    ".gitattributes",
    ".gitx/a", "x.git/config", "git", "ralph", ".ralphs/a", "git~", "git~x", "-x", "--help",
    ":/a",
    ":(exclude)a", "a b/c d", "ä/ö", "a~1", "~a", "ab:c/d:e", "...a", "a..b", "[id]/x", "*.py",
    "x$(y)",
    "a\u200cb", "\u0645\u06cc\u200c\u0631\u0648\u0645",
)  # fmt: skip
BAD = {
    PathFault.EMPTY: ("",),
    PathFault.ABSOLUTE: (
        "/", "/abs/o", "//host/share", "\\\\host\\share", "\\x", "C:\\x", "c:/x", "c:x", "C:",
        "~", "~/x",
    ),
    PathFault.PARENT: ("..", "../x", "a/../../b", "a/..", "a/../b", "..\\x", "a\\..\\b", ".. /x"),
    PathFault.OWN_FOLDER: (
        ".git", ".git/x", ".git/hooks/pre-commit", "a/.git/config", ".ralph/x", ".ralph",
        "a/.ralph",
        ".GIT/x", ".Git", ".RALPH/x", ".git.", ".git ", ".git. . /x", ".git...", ".ralph./x",
        "git~1", "GIT~1/x",
        "git~2", "ralph~1/x", "git~1.", ".git::$INDEX_ALLOCATION/x", ".git:x", ".g\u200cit/x",
        "\u200c.git",
        ".git\u200f", ".gi\u202et", ".\ufeffgit", ".r\u206aalph", ".git\\x", "a\\.git\\config",
        "./.git/x", "../.git",
    ),
    PathFault.BACKSLASH: ("a\\b", "a\\b/c"),
    PathFault.CONTROL: ("a\0b", "a\nb", "a\x1b[2J", "a\x7f", "a\x85", "\t"),
    PathFault.SAME_FOLDER: (".", "./a", "a/.", "a/./b", "a//b", "a/"),
    PathFault.TRAILING: ("a.", "a ", "a./b", "a /b", "...", " ", "a/... "),
}  # fmt: skip
REFUSED = [(fault, text) for fault, texts in BAD.items() for text in texts]
#: What an output or a pattern may say besides: a folder, from here, and quoted brackets.
PATTERNS = ("./a", "a/", "./a/", "\\[id\\]/x", "a\\*", "out/**")
STILL_REFUSED = (
    "./", "./.", "././a", ".//a", "./../a", "a//", "./.git", ".git/", "../", "a\\b", "./C:x",
    "\\[/..",
    "./~/x", "a\\.\\./b", "a./", ".",
)  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_a_path_that_may_be_used(text: str) -> None:
    assert (paths.fault(text), paths.pattern_fault(text)) == (None, None)


@pytest.mark.parametrize(("fault", "text"), REFUSED)
def test_a_path_that_may_not_be_used(fault: PathFault, text: str) -> None:
    assert paths.fault(text) is fault


@pytest.mark.parametrize("text", PATTERNS)
def test_an_output_may_be_a_folder_and_a_pattern(text: str) -> None:
    assert paths.pattern_fault(text) is None


@pytest.mark.parametrize("text", STILL_REFUSED)
def test_an_output_that_may_not_be_used(text: str) -> None:
    assert paths.pattern_fault(text) is not None


# -- the schemas' words ------------------------------------------------------------------


@cache
def validator(schema: str, name: str) -> Draft202012Validator:
    path = ROOT / "schemas" / f"{schema}.schema.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["$defs"][name]
    return Draft202012Validator(found)


def assert_schemas_agree(text: str) -> None:
    for schema, name, decide in (
        ("task-graph", "pattern", paths.pattern_fault),
        ("config", "pattern", paths.pattern_fault),
        ("config", "path", paths.fault),
        ("evidence", "path", paths.fault),
    ):
        assert validator(schema, name).is_valid(text) == (decide(text) is None), (name, text)


@pytest.mark.parametrize("text", [*GOOD, *PATTERNS, *STILL_REFUSED, *(text for _, text in REFUSED)])
def test_the_schemas_say_the_same(text: str) -> None:
    assert_schemas_agree(text)


_PIECES = st.sampled_from(
    [*".gitGITralph~1/:\\ []{}*?C", "..", "./", ".git", ".ralph", "git~1", "\u200c", "\ufeff",
    "\n", "\0", "a"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=8).map("".join) | st.text(max_size=5))
def test_the_schemas_say_the_same_of_any_text(text: str) -> None:
    assert_schemas_agree(text)


# -- links -------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A worktree with links of every kind, below a link itself."""
    top = tmp_path / "real" / "top"
    for folder in (".git/hooks", ".ralph", "a/b", "../outside"):
        (top / folder).mkdir(parents=True, exist_ok=True)
    links = {
        "out": "../outside", "a/out": "../../outside", "etc": "/etc", "git": ".git",
        "ralph": "a/../.ralph",
        "hook": ".git/hooks/pre-commit", "inner": "a/b", "again": "inner", "gone": "../nothing",
        "inner-gone": "a/nothing", "round": "round", "via": "out",
        "host": f"{tmp_path}/real/top/a",
    }  # fmt: skip
    for name, target in links.items():
        (top / name).symlink_to(target)
    (tmp_path / "top").symlink_to("real/top")
    return tmp_path / "top"


@pytest.mark.parametrize(
    "path", ["a", "a/b", "new/x", "inner", "inner/x", "again/x", "inner-gone", "host/b/x", "round"]
)
def test_a_link_that_stays_inside(tree: Path, path: str) -> None:
    assert worktree_files.place(str(tree), path) == f"{tree}/{path}"


@pytest.mark.parametrize(
    ("path", "said", "link"),
    [
        ("out", "out of the worktree", "out"),
        ("out/x", "out of the worktree", "out"),
        ("a/out/b/c", "out of the worktree", "a/out"),
        ("etc/passwd", "out of the worktree", "etc"),
        ("gone", "out of the worktree", "gone"),
        ("via/x", "out of the worktree", "via"),
        ("git/config", "into .git or .ralph", "git"),
        ("hook", "into .git or .ralph", "hook"),
        ("ralph/x", "into .git or .ralph", "ralph"),
    ],
)
def test_a_link_that_leaves(tree: Path, path: str, said: str, link: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        worktree_files.place(str(tree), path)
    error = refused.value
    assert (error.code, error.exit_code, error.file) == ("bad_path", 6, path)
    assert error.message.startswith(f"a link leads {said}: {path} is ")
    assert error.hint == f"replace the link: {link}"


@pytest.mark.parametrize("path", ["../outside/x", "/etc/passwd", ".git/config", "a/../../b"])
def test_a_path_is_judged_before_it_is_looked_for(tree: Path, path: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        worktree_files.place(str(tree), path)
    assert (refused.value.code, refused.value.hint) == ("bad_path", paths.HINT)
