"""What is shown to be typed can be typed: what comes from outside stands in it as one word."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from test_structure import MODULES
from world import World

#: Where a command line begins in a text.
_VERBS = (
    "add am archive audit batch bisect block board branch cat-file checkout cherry-pick check "
    "claim clone commit complete config diff doctor edit evidence export fetch fleet import inbox "
    "init integrate land lfs list log logs merge mv next preflight push rebase rebase-paths "
    "reconcile release remote reply rescue reset resolve restore revert review rm run shard show "
    "sparse-checkout stash status stop submodule switch trust update-index wait worker worktree"
)
_BEGINS = re.compile(
    rf"(?:^|[\s(;&])(?:git|ralphgit|gh|glab) (?:-C |$|(?:{'|'.join(_VERBS.split())})\b)"
    r"|(?:^|[(;&:] ?)(?:cd|rm|cat|mkdir|tmux attach) "
)
_MAY_BEGIN = re.compile(r"""f["'].*?(?:git|gh|glab|cd|rm|cat|mkdir|attach) """)
#: Names of what has no other characters than letters, digits, `.`, `_` and `-`, by the model.
_PLAIN = {"task", "id", "claim", "verb", "action", "command"}
#: What is no word from outside: a whole command line, a constant, a number, or quoted before.
_KNOWN = {
    "safe(shlex.join(files))", "safe(shlex.join(done.files))", "safe(shlex.quote(shown))", "paths",
    "command.removeprefix('ralphgit ')", "error.hint.removeprefix('ralphgit ')", "done.then",
    "max(numbers, default=1)", "SKILL_FOLDERS[0]", "_as_options(run, task)", "task['id']",
    # Ids of objects, whole.
    "oid", "commit", "fork", "kept.commit", "last['detail']",
    "winner.now", "__version__", "package", "next(iter(held))", "self.open[0]", "layout", "key",
    "field", "options.engine",
}  # fmt: skip
#: Places of words that are no command line, or have a name that the place itself has checked.
_ELSEWHERE = {
    "ralphgit.git.run_git": "git's own verbs, in messages",
    "ralphgit.app.conflicts.open_questions": "merge, rebase, ... of git, and quoted paths",
    "ralphgit.app.conflicts.resolve": "likewise",
    "ralphgit.loop.attempt": "likewise",
    "ralphgit.app.worktrees.create": "the name is a worker's",
    "ralphgit.app.lifecycle.onto_base": "a sentence",
}


def _is_word(value: ast.expr, local: Mapping[str, list[ast.expr]], seen: frozenset[str]) -> bool:
    """Whether what is put into a command line is one word, or none that comes from outside."""
    if ast.unparse(value) in _KNOWN:
        return True
    match value:
        case ast.Constant():
            return True
        case ast.Call(func=ast.Attribute(attr="join", value=ast.Constant()), args=[of]):
            return isinstance(of, ast.GeneratorExp) and _is_word(of.elt, local, seen)
        case ast.Call():
            return ast.unparse(value.func) in ("shlex.quote", "shlex.join", "counted")
        case ast.Attribute():
            return value.attr in _PLAIN or value.attr.isupper()
        case ast.Subscript():
            return ast.unparse(value.slice) == ":12"  # an id that ralphgit itself reads
        case ast.Name():
            made = local.get(value.id, [])
            known = value.id in _PLAIN or value.id.isupper() or value.id in seen
            return known or (
                bool(made) and all(_is_word(one, local, seen | {value.id}) for one in made)
            )
    inner = [one for one in ast.iter_child_nodes(value) if isinstance(one, ast.expr)]
    if isinstance(value, ast.JoinedStr):
        inner = [one.value for one in value.values if isinstance(one, ast.FormattedValue)]
    if isinstance(value, ast.IfExp):
        inner.remove(value.test)
    parts = (ast.IfExp, ast.BoolOp, ast.BinOp, ast.JoinedStr)
    return isinstance(value, parts) and all(_is_word(one, local, seen) for one in inner)


def _made(function: ast.AST) -> dict[str, list[ast.expr]]:
    """What each name of a function is set to."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.NamedExpr):
            found.setdefault(node.target.id, []).append(node.value)
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            pairs: list[tuple[ast.expr, ast.expr]] = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = [*zip(target.elts, node.value.elts, strict=True)]
            for name, value in pairs:
                if isinstance(name, ast.Name):
                    found.setdefault(name.id, []).append(value)
    return found


def _unquoted(tree: ast.AST) -> Iterator[str]:
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        local: dict[str, list[ast.expr]] | None = None
        for node in ast.walk(function):
            begun = False
            if not isinstance(node, ast.JoinedStr):
                continue
            for part in node.values:
                if isinstance(part, ast.Constant):
                    begun = begun or bool(_BEGINS.search(str(part.value)))
                elif begun and isinstance(part, ast.FormattedValue):
                    local = _made(function) if local is None else local
                    if not _is_word(part.value, local, frozenset()):
                        yield f"{node.lineno}: {ast.unparse(part.value)}"


@pytest.mark.slow
def test_what_comes_from_outside_is_quoted_in_a_command_line() -> None:
    """`shlex.quote` for a word of an f-string, `shlex.join` for a whole command."""
    texts = {path: path.read_text() for name, path in MODULES.items() if name not in _ELSEWHERE}
    found = [
        f"{path}:{one}"
        for path, text in texts.items() if _MAY_BEGIN.search(text)
        for one in _unquoted(ast.parse(text))
    ]  # fmt: skip
    assert found == []


def test_a_word_that_is_not_quoted_is_found() -> None:
    made = ["f'git merge {base.label}'", "f'{a} said: ralphgit land {branch}'", "f'cd {path}'"]
    for text in made:
        assert [*_unquoted(ast.parse(f"def f():\n    return {text}"))] != []
    quoted = "def f():\n    name = shlex.quote(x)\n    return f'git merge {name}'"
    assert [*_unquoted(ast.parse(quoted))] == []


def test_a_path_and_a_branch_with_a_command_in_their_names(tmp_path: Path) -> None:
    """A stranger's pull request names a file so; who copies the hint runs nothing of it."""
    base, odd = "m$(touch${IFS}PWN)", "records/evidence/T-1/x$(touch${IFS}PWN)x.yaml"
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks:\n  - id: T-1\n    title: One\n    status: pending\n")
    world.write(odd, "a: 1\n")
    world.commit("Odd")
    world.git("branch", "-m", base)
    world.git("config", "ralph.base", base)
    alpha = world.worktree("alpha")
    alpha.write(odd, "a: 2\n")
    alpha.write("f.txt", "there\n")
    alpha.commit("Edit it")
    told = alpha.ralph("check", "--base", base, "--json").data["problems"]
    hints = [one["hint"] for one in told if one["code"] == "edited_evidence"]
    assert hints == [f"git checkout {alpha.git('rev-parse', base)} -- '{odd}'"]
    world.write("f.txt", "here\n")
    world.commit("Here")
    hints += [one["hint"] for one in alpha.ralph("check", "--json").data["problems"]]
    assert f"git merge '{base}'" in hints
    for line in hints:
        alpha.run("sh", "-c", line)
    assert not (alpha.path / "PWN").exists()
