"""Path patterns: tables of what they mean, and properties against brute force."""

from __future__ import annotations

import itertools
import subprocess
import sys
from functools import cache, lru_cache
from pathlib import Path

import pytest
import slow
from hypothesis import example, given
from hypothesis import strategies as st
from rows import row

from ralphgit.model import path_patterns
from ralphgit.rules import active_scopes
from ralphgit.rules import pattern_overlap as module
from ralphgit.rules.pattern_overlap import check_pattern, covers, covers_any, overlap


@slow.examples(300)
@given(st.text(alphabet="aZ0._-/ ~:*é", max_size=8))
def test_a_plain_path_says_what_it_says_token_by_token(pattern: str) -> None:
    """Most patterns are plain, and are read without a look at each character."""
    if path_patterns._is_plain(pattern):
        (text,) = path_patterns._expand(pattern)
        assert path_patterns.routes(pattern) == (path_patterns._route(text),)


# --- tables -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "covered", "not_covered"),
    [
        ("src/lib", ["src/lib", "src/lib/a", "src/lib/a/b"], ["src", "src/li", "src/libs", "lib"]),
        ("src/", ["src", "src/a", "src/a/b"], ["srcs", "a/src"]),
        ("src/**", ["src", "src/a", "src/a/b"], ["srcs", "a/src"]),
        ("./src", ["src", "src/a"], ["a/src"]),
        ("src//./lib", ["src/lib"], ["src", "src/x/lib"]),
        (".", ["a", "a/b", ".git"], []),
        ("**", ["a", "a/b", ".git"], []),
        ("*", ["a", ".git"], ["a/b"]),
        ("*/", ["a", "a/b", "a/b/c"], []),
        ("*/*", ["a/b"], ["a", "a/b/c"]),
        ("src/*", ["src/a", "src/a.py"], ["src", "src/a/b"]),
        ("src/*/", ["src/a", "src/a/b"], ["src", "lib/a"]),
        ("src/*/**", ["src/a", "src/a/b"], ["src", "lib/a"]),
        ("src/a*", ["src/a", "src/ab"], ["src/ab/c"]),
        ("src/[a]", ["src/a"], ["src/a/b"]),
        ("src/a?", ["src/ab"], ["src/ab/c"]),
        ("package.json", ["package.json"], ["package.json/a", "a/package.json"]),
        ("src/lib/types.ts", ["src/lib/types.ts"], ["src/lib/types.ts/a", "src/lib"]),
        ("src/lib/types.ts/", ["src/lib/types.ts", "src/lib/types.ts/a"], ["src/lib"]),
        ("src/lib/types.ts/**", ["src/lib/types.ts", "src/lib/types.ts/a"], ["src/lib"]),
        ("v1.2/.", ["v1.2", "v1.2/a"], []),
        ("v1.2/src", ["v1.2/src", "v1.2/src/a"], ["v1.2"]),
        (".github", [".github", ".github/a.yml"], ["github"]),
        (".a.b", [".a.b"], [".a.b/c"]),
        ("..a", ["..a"], ["..a/b"]),
        ("a.", ["a."], ["a./b"]),
        ("a\\.b", ["a.b"], ["a.b/c"]),
        ("\\.a", [".a", ".a/b"], []),
        ("Makefile", ["Makefile", "Makefile/a"], []),
        ("src/{lib,a.ts,b*}", ["src/lib/x", "src/a.ts", "src/b"], ["src/a.ts/x", "src/b/x"]),
        ("{a.b,c.d/}", ["a.b", "c.d/x"], ["a.b/x"]),
        ("a.b\\/", ["a.b", "a.b/c"], []),
        ("**/a.b", ["a.b", "x/a.b", "a.b/a.b"], ["a.b/x", "xa.b"]),
        ("x/**/a.b/**/*.c", ["x/a.b/.c", "x/y/a.b/z/a.c"], ["x/a.c", "x/a.b/a.c/d"]),
        ("*.py", ["a.py", ".py"], ["a.py/b", "a.pyc", "src/a.py"]),
        ("**/*.py", ["a.py", "src/a.py", "src/lib/a.py"], ["src/a.pyc", "a.py/b"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a/x/b/c"], ["a", "a/x", "a/xb", "ab"]),
        ("a/**/b/**/c", ["a/b/c", "a/b/b/c", "a/b/x/c"], ["a/c/b", "a/b"]),
        ("a**b", ["ab", "axxb"], ["a/b", "a/x/b", "ab/c"]),
        ("***/a", ["b/a", "b/a/c"], ["a", "b/c/a"]),
        ("a/***", ["a/b"], ["a", "a/b/c"]),
        ("a?c", ["abc", "a.c"], ["ac", "a/c", "abbc"]),
        ("[abc]", ["a", "b", "c"], ["d", "ab", "A"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "x"]),
        ("[!a]", ["b", "A"], ["a", "bb"]),
        ("[^a-c]", ["d", "\n"], ["a", "c"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("[!]a]", ["b"], ["]", "a"]),
        ("[a-]", ["a", "-"], ["b"]),
        ("[a\\-c]", ["a", "-", "c"], ["b"]),
        ("[\\]]", ["]"], ["\\"]),
        ("[*?{,}]", ["*", "?", "{", ",", "}"], ["a"]),
        ("a[+-0]b", ["a+b", "a0b"], ["a/b"]),
        ("a[!x]b", ["ayb"], ["a/b"]),
        ("{a,b}/c", ["a/c", "b/c"], ["c", "a,b/c"]),
        ("{a,b/{c,d}}/e", ["a/e", "b/c/e", "b/d/e"], ["b/e", "c/e"]),
        ("x{,.test}.ts", ["x.ts", "x.test.ts"], ["x,.test.ts"]),
        ("{a}", ["a"], ["{a}"]),
        ("a,b", ["a,b"], ["a", "b"]),
        ("src/{**,a}/b", ["src/b", "src/x/y/b"], ["src"]),
        ("\\*", ["*"], ["a"]),
        ("\\*\\*/a", ["**/a"], ["a", "b/a"]),
        ("\\[id\\]/\\{a,b\\}", ["[id]/{a,b}"], ["i/a"]),
        ("a\\/b", ["a/b"], ["a\\/b"]),
        ("a\\\\b", ["a\\b"], ["a/b", "ab"]),
        ("[.]", [], [".", "..", "./a", "../a"]),
        ("?[.]", ["a."], [".", ".."]),
        ("README", ["README"], ["readme"]),
        ("(a|b)+$", ["(a|b)+$"], ["a", "b"]),
        ("é/日本?", ["é/日本語"], ["é/日本"]),
        ("[!\x01-\U0010ffff]", [], ["a"]),
    ],
)
def test_what_a_pattern_covers(pattern: str, covered: list[str], not_covered: list[str]) -> None:
    assert check_pattern(pattern) is None
    assert [path for path in covered + not_covered if covers(pattern, path)] == covered


@pytest.mark.parametrize("path", ["", ".", "/", "./", "..", "../a", "a/..", "a/../b"])
def test_what_is_no_path_in_the_repository_is_never_covered(path: str) -> None:
    assert not covers("**", path)
    assert not covers("a", path)


def test_paths_are_read_as_patterns_are() -> None:
    for path in ("a/b", "./a/b", "a//b", "a/./b", "a/b/", "/a/b"):
        assert covers("a/b", path)


def test_covers_any() -> None:
    assert covers_any(["docs/**", "src/*.py"], "src/a.py")
    assert not covers_any(["docs/**", "src/*.py"], "src/a.ts")
    assert not covers_any([], "src/a.py")


@pytest.mark.parametrize(
    ("a", "b", "meet"),
    [
        ("src/lib", "src/lib", "src/lib"),
        ("src", "src/lib/a.ts", "src/lib/a.ts"),
        ("src/**", "src/lib/*.ts", "src/lib/a.ts"),
        ("src/", "src", "src"),
        ("**", "**", "a"),
        ("**", "*", "a"),
        ("**", "./", "a"),
        ("*.ts", "a*", "a.ts"),
        ("*a*", "*b*", "ba"),
        ("a*c", "*b*", "abc"),
        ("src/*/api", "src/lib/*", "src/lib/api"),
        ("**/test", "src/**", "src/test"),
        ("**/a/**/b", "x/**/y", "x/y/a/b"),
        ("[a-m]x", "[h-z]x", "hx"),
        ("[!a]", "[!b]", "c"),
        ("{a,b}/x", "{b,c}/x", "b/x"),
        ("[!a-zA-Z0-9_-]", "?", "!"),
        (".*", "*", ".a"),
        ("..*", "*", "..a"),
        ("[.]?", ".*", ".a"),
        ("[.][.]*", "..?", "..a"),
        ("*.ts/**/*.py", "**/*.py", "a.ts/a.py"),
        ("**/*.ts/", "**/*.py", "a.ts/a.py"),
        ("src/types.ts", "src", "src/types.ts"),
        ("src/*", "src/a/", "src/a"),
        ("**/*.py", "**/*.ts", None),
        ("src/types.ts", "src/types.ts/a", None),
        ("src/*", "src/a/b", None),
        ("*", "src/a", None),
        ("src", "lib", None),
        ("src", "source", None),
        ("src/lib", "src/library", None),
        ("src/*.py", "src/*.ts", None),
        ("a*", "b*", None),
        ("*a", "*b", None),
        ("a/*/c", "a/b/d", None),
        ("a/**/c", "b/**/c", None),
        ("?", "??", None),
        ("[a-m]", "[n-z]", None),
        ("[abc]", "[!a-c]", None),
        ("{a,b}", "{c,d}", None),
        ("A", "a", None),
        ("[.]", "?", None),
        ("[.][.]", "??", None),
        ("[.]", "**", None),
        ("\\*", "a", None),
        ("\\*", "[*]", "*"),
    ],
)
def test_where_two_patterns_meet(a: str, b: str, meet: str | None) -> None:
    assert overlap(a, b) == meet
    assert overlap(b, a) == meet


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("", "the pattern is empty; the whole repository is written '**'"),
        ("  ", "the pattern is empty; the whole repository is written '**'"),
        ("{,a}", "the pattern is empty; the whole repository is written '**'"),
        *(
            (path, "it is absolute; a pattern begins at the root of the repository: 'src/**'")
            for path in ("/", "/src", "{src,/lib}", "./~/src", "~", "\\/src", "C:/src")
        ),
        ("..", "'..' leads out of its folder; write the path from the root"),
        ("../a", "'..' leads out of its folder; write the path from the root"),
        ("a/../b", "'..' leads out of its folder; write the path from the root"),
        ("a/{b,..}", "'..' leads out of its folder; write the path from the root"),
        ("a/\\.\\.", "'..' leads out of its folder; write the path from the root"),
        ("[a", "'[' is not closed before the next '/'; the character itself is written '\\['"),
        ("[]", "'[' is not closed before the next '/'; the character itself is written '\\['"),
        ("[!]", "'[' is not closed before the next '/'; the character itself is written '\\['"),
        ("[a/b]", "'[' is not closed before the next '/'; the character itself is written '\\['"),
        ("[a\\]", "'[' is not closed before the next '/'; the character itself is written '\\['"),
        ("a]", "']' closes nothing; the character itself is written '\\]'"),
        ("{a,b", "'{' is not closed; the character itself is written '\\{'"),
        ("{a,{b}", "'{' is not closed; the character itself is written '\\{'"),
        ("a}", "'}' closes nothing; the character itself is written '\\}'"),
        ("a\\", "the '\\' at the end quotes nothing"),
        ("[z-a]", "the range 'z-a' runs backwards"),
        ("{a,b}" * 9, "the braces make more than 256 patterns of this one"),
        ("{" + "," * 256 + "}x", "the braces make more than 256 patterns of this one"),
    ],
)
def test_what_is_wrong_with_a_pattern(pattern: str, says: str) -> None:
    assert check_pattern(pattern) == says
    for ask in (
        lambda: covers(pattern, "a"),
        lambda: covers_any(["a", pattern], "a"),
        lambda: overlap(pattern, "a"),
        lambda: overlap("a", pattern),
    ):
        with pytest.raises(ValueError) as caught:
            ask()
        assert str(caught.value) == says


def test_as_many_alternatives_as_are_allowed() -> None:
    assert check_pattern("{a,b}" * 8) is None
    assert covers("{a,b}" * 8, "abababab")
    assert overlap("{a,b}" * 8, "{b,c}" * 8) == "b" * 8
    assert overlap("{a,b}" * 8, "{c,d}" * 8) is None


# --- how much it costs --------------------------------------------------------------------


def test_no_pattern_makes_matching_explode() -> None:
    name = "a" * 2000
    assert not covers("*a" * 40 + "*b", name)
    assert not covers("**/*a*/" * 20 + "b", "/".join(["aaa"] * 400))
    assert not covers("**/*a*/" * 20 + "*b", "/".join(["aaa"] * 400))
    assert not covers("**/" + "*a*a/" * 20 + "*b", "/".join(["aaa"] * 400))
    assert overlap("*a" * 40 + "b", "*a" * 40 + "c") is None
    assert overlap("{" * 100 + "a" + "}" * 100, "a") == "a"
    assert check_pattern("{" * 20_000) == "'{' is not closed; the character itself is written '\\{'"


def test_many_tasks_in_pairs_need_few_decisions() -> None:
    tasks: list[tuple[str, ...]] = [
        (f"src/part{n % 50}/mod{n}/**", f"tests/part{n % 50}/test_mod{n}_*.py", f"docs/{n}.md")
        for n in range(300)
    ]
    tasks[7] += ("src/part3/*/api.ts",)
    module._meet.cache_clear()
    found = [
        (m, n, pairs)
        for (m, a), (n, b) in itertools.combinations(enumerate(tasks), 2)
        if (pairs := tuple((p, q, path) for p in a for q in b if (path := overlap(p, q))))
    ]
    api, part = "src/part3/*/api.ts", "src/part3/mod{}/**"
    meet = "src/part3/mod{}/api.ts"
    assert found == [
        (3, 7, ((part.format(3), api, meet.format(3)),)),
        *((7, n, ((api, part.format(n), meet.format(n)),)) for n in range(53, 300, 50)),
    ]
    assert module._meet.cache_info().misses == 6  # of 400,000 pairs of patterns


def test_the_import_is_cheap() -> None:
    root = Path(str(module.__file__)).parents[2]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import ralphgit.rules.pattern_overlap, ralphgit.rules.cycles\n"
        "print(sorted({'dataclasses', 'inspect', 'subprocess', 'pathlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


# --- properties ---------------------------------------------------------------------------
#
# Patterns are made as trees. The text is what the module reads; the meaning is taken from
# the tree, by a matcher that tries everything. So nothing is shared with the module, not
# even how a pattern is read.

LETTERS = "ab."
NAMES = [
    "".join(name)
    for length in (1, 2)
    for name in itertools.product(LETTERS, repeat=length)
    if "".join(name) not in (".", "..")
]
PATHS = [path for depth in (1, 2, 3) for path in itertools.product(NAMES, repeat=depth)]

Piece = tuple[str, str]  # (kind, text): ("char", "a"), ("any", ""), ("run", ""), ("set", "!ab")
Part = tuple[Piece, ...] | None  # None: "**"
Tree = tuple[Part, ...]

pieces = st.one_of(
    st.sampled_from(LETTERS).map(lambda letter: ("char", letter)),
    st.just(("any", "")),
    st.just(("run", "")),
    st.sampled_from(["a", "ab", "!a", "^b", "a.", "!ab", "!.", "a-b", "!a-b"]).map(
        lambda body: ("set", body)
    ),
)
parts = st.one_of(st.none(), st.lists(pieces, min_size=1, max_size=3).map(tuple))
SLASH: Part = ()  # at the end of a tree
trees = st.builds(
    lambda tree, end: (*tree, *end),
    st.lists(parts, min_size=1, max_size=3),
    st.sampled_from([(), (SLASH,)]),
)
choices = st.tuples(
    st.lists(parts, max_size=1).map(tuple),
    st.lists(trees, min_size=1, max_size=3),
    st.lists(parts, max_size=1).map(tuple),
)


def is_sound(tree: Tree) -> bool:
    """Whether the text means what the tree says: no `..`, and `**` only where None is."""
    return all(
        part is None
        or (
            (any(kind != "char" for kind, _ in part) or written((part,)) not in (".", ".."))
            and [kind for kind, _ in part] != ["run", "run"]
        )
        for part in tree
    )


def written(tree: Tree) -> str:
    text = {"char": "{}", "any": "?", "run": "*", "set": "[{}]"}
    return "/".join(
        "**" if part is None else "".join(text[kind].format(body) for kind, body in part)
        for part in tree
    )


def piece_takes(piece: Piece, letter: str) -> bool:
    kind, body = piece
    if kind != "set":
        return kind == "any" or body == letter
    members = body.lstrip("!^").replace("a-b", "ab")
    return (letter in members) != (body[0] in "!^")


@cache
def name_matches(part: tuple[Piece, ...], name: str) -> bool:
    if not part:
        return not name
    if part[0][0] == "run":
        return any(name_matches(part[1:], name[at:]) for at in range(len(name) + 1))
    return bool(name) and piece_takes(part[0], name[0]) and name_matches(part[1:], name[1:])


def covers_below(tree: Tree) -> bool:
    last = tree[-1]
    if last is None or last == SLASH:
        return True
    name = "".join(text for _, text in last)
    return all(kind == "char" for kind, _ in last) and "." not in name[1:]


def path_matches(tree: Tree, path: tuple[str, ...]) -> bool:
    """Whether the tree names the path, or as a folder one above it."""
    below = covers_below(tree)

    def fits(tree: Tree, path: tuple[str, ...]) -> bool:
        if not tree:
            return below or not path
        if tree[0] is None:
            return any(fits(tree[1:], path[at:]) for at in range(len(path) + 1))
        return bool(path) and name_matches(tree[0], path[0]) and fits(tree[1:], path[1:])

    return fits(tuple(part for part in tree if part != SLASH), path)


@lru_cache(maxsize=2000)
def brute_force(tree: Tree) -> frozenset[tuple[str, ...]]:
    return frozenset(path for path in PATHS if path_matches(tree, path))


def names_of(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


@pytest.mark.slow
@slow.examples(150)
@given(trees.filter(is_sound))
def test_covers_is_what_the_pattern_means(tree: Tree) -> None:
    pattern = written(tree)
    found = {path for path in PATHS if covers(pattern, "/".join(path))}
    assert found == brute_force(tree)


@pytest.mark.slow
@slow.examples(400)
@given(trees.filter(is_sound), trees.filter(is_sound))
@example(((("run", ""),),), ((("set", "a."), ("set", "a.")),))
def test_overlap_is_exact(a: Tree, b: Tree) -> None:
    meet = overlap(written(a), written(b))
    assert meet == overlap(written(b), written(a))
    if meet is None:
        assert not brute_force(a) & brute_force(b)
    else:
        assert not {"", ".", ".."} & set(names_of(meet))
        assert path_matches(a, names_of(meet))
        assert path_matches(b, names_of(meet))
        assert covers(written(a), meet)
        assert covers(written(b), meet)


@pytest.mark.slow
@slow.examples(150)
@given(choices, trees.filter(is_sound))
def test_braces_are_the_patterns_they_stand_for(
    made_of: tuple[Tree, list[Tree], Tree], other: Tree
) -> None:
    before, inner, after = made_of
    flat = [before + tree + after for tree in inner]
    if not all(map(is_sound, flat)):
        return
    choice = "{" + ",".join(map(written, inner)) + "}"
    pattern = "/".join(filter(None, [written(before), choice, written(after)]))
    meet = overlap(pattern, written(other))
    assert (meet is None) == all(overlap(written(t), written(other)) is None for t in flat)
    assert meet is None or any(path_matches(tree, names_of(meet)) for tree in flat)
    for path in PATHS[:: len(PATHS) // 60]:
        assert covers(pattern, "/".join(path)) == any(path_matches(t, path) for t in flat)


def is_clear(a: str, b: str) -> bool:
    """Whether a task that writes `a` is waved through beside one in flight that writes `b`."""
    return active_scopes.ActiveScopes.of([row("B", write=(b,))]).is_clear(row("A", write=(a,)))


@pytest.mark.slow
@slow.examples(400)
@given(trees.filter(is_sound), trees.filter(is_sound))
@example(((("char", "a"),),), ((("char", "a"),), (("char", "b"),)))
@example(((("char", "a"), ("run", "")),), ((("char", "a"), ("char", "b")), (("run", ""),)))
def test_only_what_meets_nothing_is_waved_through(a: Tree, b: Tree) -> None:
    if is_clear(written(a), written(b)):
        assert overlap(written(a), written(b)) is None


texts = st.text(alphabet="ab/*?[]!^{},\\.-", max_size=12)


@pytest.mark.slow
@slow.examples(800)
@given(texts, texts)
def test_any_text_is_a_pattern_or_is_explained(a: str, b: str) -> None:
    wrong = check_pattern(a) or check_pattern(b)
    assert not (wrong and is_clear(a, b))
    if wrong is not None:
        with pytest.raises(ValueError):
            overlap(a, b)
        return
    meet = overlap(a, b)
    assert meet == overlap(b, a)
    if meet is not None:
        assert covers(a, meet)
        assert covers(b, meet)


@slow.examples(200)
@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=4).map("/".join))
def test_a_quoted_path_covers_itself_and_what_is_below_a_folder(path: str) -> None:
    if "\0" in path or not path.strip() or set(path.split("/")) & {"", ".", ".."}:
        return
    pattern = "".join("\\" + char if char != "/" else char for char in path)
    assert check_pattern(pattern) is None
    assert covers(pattern, path)
    assert covers(pattern, path + "/x") == ("." not in path.rpartition("/")[2][1:])
    assert covers(pattern + "/", path + "/x")
    assert not covers(pattern, path + "x")
    assert overlap(pattern, "**") == path
