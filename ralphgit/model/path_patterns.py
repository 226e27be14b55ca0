r"""Parse path patterns: their syntax, and what each form covers.

A path is relative to the root of the repository and `/`-separated. `.` and empty segments
are skipped, in paths and in patterns; a path with a `..` segment is covered by nothing. No pattern
has a segment `..`, `.git` or `.ralph`, or begins with `C:/`.

    a/b           the path `a/b`, and everything below it
    a/b.c         the path `a/b.c` alone: a name with a dot inside is a file's
    .a            `.a`, and everything below it: a leading dot is not inside
    a/  a.b/      `a` and `a.b`, and everything below: the same as `a/**` and `a.b/**`
    ./a   /a      `a`; a pattern always begins at the root
    .     /       the whole repository
    **            as a whole segment: any number of segments, also none
    *             any run of characters except `/`, also none; `a**b` is `a*b`
    ?             one character except `/`
    [ab] [a-z]    one of these characters; `]` as the first one stands for itself
    [!ab] [^ab]   one character that is none of these, and not `/`
    {a,b/c}       either; may be nested; expanded before all else, to at most 256 patterns
    \x            the character `x` itself, also in brackets: a folder `[id]` is `\[id\]`

What is below is covered only by a pattern that ends in `/` or `/**`, or whose last segment is
a name without wildcards and without a dot inside. So `src/lib` covers `src/lib/a/b`, and
`src/*` does not cover `src/a/b`. In a choice of braces, each stands for itself.

Upper and lower case differ, and a leading dot is a character like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from ralphgit.model import paths

#: How many patterns the braces of one pattern may make.
MOST_ALTERNATIVES = 256

# None stands for "any run": of characters in a glob, of segments in a route.
CharSet = tuple[tuple[int, int], ...]  # code points from, to (included); sorted, apart
Glob = tuple[CharSet | None, ...]
Segment = str | Glob  # a name without wildcards is kept as it is
Route = tuple[Segment | None, ...]
_T = TypeVar("_T")

ANY_CHAR: CharSet = ((0x01, 0x2E), (0x30, 0x10FFFF))  # all but NUL and "/"

_BRACKET = r"\[[!^]?+(?:\\[^/]|[^\\/])(?:\\[^/]|[^]\\/])*\]"
#: The parts that a pattern is read in: a quoted character, a choice in brackets, a character.
TOKEN = re.compile(rf"\\.|{_BRACKET}|.", re.DOTALL)
_MEMBER = re.compile(r"(\\?.)(?:-(\\?.))?", re.DOTALL)


@lru_cache(maxsize=1 << 14)
def routes(pattern: str) -> tuple[Route, ...]:
    """What `pattern` says, one route for each choice in its braces.

    A route that ends in a run of segments covers what is below; any other covers just the
    paths that it leads along to its end. Runs never stand side by side.

    Raises: ValueError, with a sentence on what is wrong.
    """
    if _is_plain(pattern):
        # As most are: names without wildcards, none of which begins with a dot.
        names = tuple(pattern.split("/"))
        return ((*names, None) if _names_a_folder(names[-1]) else names,)
    return tuple(dict.fromkeys(_route(text) for text in _expand(pattern)))


def glob(segment: Segment) -> Glob:
    """`segment` character by character."""
    return tuple(map(_one, segment)) if isinstance(segment, str) else segment


def intersection(a: CharSet, b: CharSet) -> CharSet:
    """The characters that are in both."""
    return tuple(
        (max(low, other_low), min(high, other_high))
        for low, high in a
        for other_low, other_high in b
        if max(low, other_low) <= min(high, other_high)
    )


def _is_plain(pattern: str) -> bool:
    """Whether it is names of ASCII letters, digits and `._-` alone, none of them hidden."""
    if pattern[:1] in (".", "/") or pattern[-1:] == "/" or "/." in pattern or "//" in pattern:
        return False
    rest = pattern.replace("/", "").replace(".", "").replace("_", "").replace("-", "")
    return rest.isascii() and rest.isalnum()


# --- braces -------------------------------------------------------------------------------


def _expand(pattern: str) -> list[str]:
    """`pattern` without its braces: one text for each choice."""
    outside: list[tuple[list[str], list[str]]] = []  # for each open brace: choices, so far
    choices: list[str] = []
    so_far = [""]
    for token in TOKEN.findall(pattern):
        if token == "{":
            outside.append((choices, so_far))
            choices, so_far = [], [""]
        elif token == "," and outside:
            choices += so_far
            so_far = [""]
        elif token == "}":
            if not outside:
                raise ValueError("'}' closes nothing; the character itself is written '\\}'")
            inner = choices + so_far
            choices, so_far = outside.pop()
            _bound(len(so_far) * len(inner))
            so_far = [before + choice for before in so_far for choice in inner]
        elif token == "[":
            raise ValueError(
                "'[' is not closed before the next '/'; the character itself is written '\\['"
            )
        elif token == "]":
            raise ValueError("']' closes nothing; the character itself is written '\\]'")
        elif token == "\\":
            raise ValueError("the '\\' at the end quotes nothing")
        else:
            so_far = [text + token for text in so_far]
        _bound(len(choices) + len(so_far))
    if outside:
        raise ValueError("'{' is not closed; the character itself is written '\\{'")
    return so_far


def _bound(count: int) -> None:
    if count > MOST_ALTERNATIVES:
        raise ValueError(f"the braces make more than {MOST_ALTERNATIVES} patterns of this one")


# --- segments -----------------------------------------------------------------------------


def _route(text: str) -> Route:
    """The segments of a pattern without braces."""
    if not text.strip():
        raise ValueError("the pattern is empty; the whole repository is written '**'")
    if re.match(r"(?:\./)?(?:\\?/|[A-Za-z]:[/\\]|~(?:/|$))", text):
        raise ValueError("it is absolute; a pattern begins at the root of the repository: 'src/**'")
    route: list[Segment | None] = []
    tokens: list[str] = []
    segment: Segment | None = None
    for token in [*TOKEN.findall(text), "/"]:
        if token not in ("/", "\\/"):
            tokens.append(token)
            continue
        segment = None if tokens == ["*", "*"] else _segment(tokens)
        if segment == "..":
            raise ValueError("'..' leads out of its folder; write the path from the root")
        if isinstance(segment, str) and paths.is_own_folder(segment):
            raise ValueError(
                "no task has files in '.git' or '.ralph'; name those that are committed"
            )
        if segment not in ("", "."):
            route.append(segment)
        tokens = []
    return _runs_joined([*route, None] if _names_a_folder(segment) else route)


def _names_a_folder(last: Segment | None) -> bool:
    """Whether a pattern whose last segment this is covers what is below ("" follows a `/`)."""
    return last is None or (isinstance(last, str) and (last == "." or "." not in last[1:]))


def _segment(tokens: list[str]) -> Segment:
    if not any(token in ("*", "?") or token[0] == "[" for token in tokens):
        return "".join(token[-1] for token in tokens)
    found: list[CharSet | None] = []
    for token in tokens:
        if token == "*":
            found.append(None)
        elif token == "?":
            found.append(ANY_CHAR)
        elif token[0] == "[":
            found.append(_bracket(token[1:-1]))
        else:
            found.append(_one(token[-1]))
    return _runs_joined(found)


def _runs_joined(items: list[_T | None]) -> tuple[_T | None, ...]:
    """The items, with one run where several follow each other."""
    return tuple(
        item
        for at, item in enumerate(items)
        if at == 0 or item is not None or items[at - 1] is not None
    )


def _one(char: str) -> CharSet:
    return ((ord(char), ord(char)),)


def _bracket(body: str) -> CharSet:
    """The characters that `[body]` stands for, never `/`."""
    negated = body[0] in "!^"
    ranges = []
    for first, last in _MEMBER.findall(body[negated:]):
        low, high = ord(first[-1]), ord((last or first)[-1])
        if low > high:
            raise ValueError(f"the range '{first}-{last}' runs backwards")
        ranges.append((low, high))
    ranges.sort()
    chars: list[tuple[int, int]] = []
    gaps: list[tuple[int, int]] = []
    end = -1  # the last code point seen
    for low, high in ranges:
        if low > end + 1:
            gaps.append((end + 1, low - 1))
        if high > end:
            chars.append((max(low, end + 1), high))
            end = high
    gaps.append((end + 1, 0x10FFFF))
    return intersection(tuple(gaps if negated else chars), ANY_CHAR)


#: How web frameworks name folders and files: `[id]`, `[...rest]`, `[id=number].ts`.
_NAMED = r"\[(?:\.\.\.)?[A-Za-z_]\w+(?:=\w+)?\]"


def literal_brackets(pattern: str, exists: Callable[[str], bool]) -> str:
    r"""`pattern` with `\[` and `\]` where the name itself seems meant; "" where it nowhere does.

    In a pattern `[id]` is one character, `i` or `d`. The name is meant where `exists` says that
    something at the top's path is called so, or where it looks like a framework's name.
    """
    path: list[str] = []
    made = []
    for part in pattern.split("/"):
        tokens = TOKEN.findall(part)
        path.append("".join(t[1:] if t[0] == "\\" else t for t in tokens))
        meant = re.match(_NAMED, part) or (_choices(tokens) and exists("/".join(path)))
        made.append("".join(map(_quoted, tokens)) if meant else part)
    found = "/".join(made)
    return found if found != pattern else ""


def _choices(tokens: list[str]) -> bool:
    return any(token != _quoted(token) for token in tokens)


def _quoted(token: str) -> str:
    return rf"\[{token[1:-1]}\]" if token[0] == "[" and len(token) > 1 else token
