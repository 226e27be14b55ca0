"""A hint is a command that works as it is typed, or words: never a command among words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "ralphgit"
_COMMAND = re.compile(r"\b(ralphgit|git) (-C \S+ )?[a-z{]")
_AMONG_WORDS = re.compile(
    r"^(?!ralphgit |git |rm |mkdir |\{)|, (then|or|and|if) |; (?!ralphgit |git )|: "
)


def is_typed(hint: str) -> bool:
    return not _COMMAND.search(hint) or not _AMONG_WORDS.search(hint)


def texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be, with {} for what is filled in."""
    match node:
        case ast.Constant(value=str(found)):
            yield found
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}"
                          for part in parts)  # fmt: skip
        case ast.IfExp(body=one, orelse=other):
            yield from (*texts(one), *texts(other))
        case ast.BoolOp(values=either):
            for one in either:
                yield from texts(one)
        case ast.BinOp(left=left, right=right):
            for begin in list(texts(left)) or ["{}"]:
                yield from (begin + end for end in list(texts(right)) or ["{}"])


def hints(module: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(module.read_text())):
        values: list[ast.expr | None] = []
        match node:
            case ast.keyword(arg="hint", value=value):
                values = [value]
            case ast.Assign(targets=[ast.Name(id="hint" | "usual_hint")], value=value):
                values = [value]
            case ast.Assign(targets=[ast.Name(id="_HINTS")], value=ast.Dict(values=found)):
                values = [*found]
            case ast.Assign(targets=[ast.Attribute(attr="hint")], value=value):
                values = [value]
            case ast.FunctionDef(name="hint" | "_hint" | "_wait_hint"):
                values = [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
            case ast.Tuple(elts=[ast.Constant(value=str(code)), _, last]) if " " not in code:
                values = [last]
        for one in values:
            if one is not None:
                yield from ((one.lineno, text) for text in texts(one))


@pytest.mark.parametrize(
    ("hint", "typed"),
    [
        ("ralphgit next", True),
        ("git add {} && ralphgit resolve", True),
        ("git merge {}; ralphgit resolve", True),
        ("rename one of the two tasks", True),
        ("for that person: ralphgit land {}", False),
        ("ralphgit inbox; then ralphgit reply {}", False),
        ("git {} --continue, or git {} --abort", False),
        ("commit them, or git stash -u, then repeat", False),
    ],
)
def test_what_is_typed(hint: str, typed: bool) -> None:
    assert is_typed(hint) is typed


@pytest.mark.slow
def test_no_hint_has_a_command_among_words() -> None:
    found = []
    for module in sorted(ROOT.rglob("*.py")):
        name = module.relative_to(ROOT).as_posix()
        found += [f"{name}:{at}: {one}" for at, one in hints(module) if not is_typed(one)]
    assert found == []
