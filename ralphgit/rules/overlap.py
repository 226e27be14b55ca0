r"""Whether a path pattern covers a path, and whether two patterns can meet in one path.

Decided on the patterns alone: no folder is read, so the answer is the same on every machine
and holds for files that do not exist yet.

A path is relative to the root of the repository and `/`-separated. `.` and empty segments
are skipped, in paths and in patterns; a path with a `..` segment is covered by nothing.

    a/b           the path `a/b`, and everything below it should it be a folder
    a/            everything below `a`; the same as `a/**` and as `a`
    ./a   /a      `a`; a pattern always begins at the root
    .     /       the whole repository
    **            as a whole segment: any number of segments, also none
    *             any run of characters except `/`, also none; `a**b` is `a*b`
    ?             one character except `/`
    [ab] [a-z]    one of these characters; `]` as the first one stands for itself
    [!ab] [^ab]   one character that is none of these, and not `/`
    {a,b/c}       either; may be nested; expanded before all else, to at most 256 patterns
    \x            the character `x` itself, also in brackets: a folder `[id]` is `\[id\]`

Upper and lower case differ, and a leading dot is a character like any other.

Because a pattern covers what is below, `**/*.py` and `**/*.ts` do meet: in `a.ts/a.py`.

Every function but `check_pattern` raises ValueError, with the sentence that `check_pattern`
gives, for a pattern that is wrong.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

#: How many patterns the braces of one pattern may make.
MOST_ALTERNATIVES = 256

# None stands for "any run": of characters in a glob, of segments in a route.
_CharSet = tuple[tuple[int, int], ...]  # code points from, to (included); sorted, apart
_Glob = tuple[_CharSet | None, ...]
_Segment = str | _Glob  # a name without wildcards is kept as it is
_Route = tuple[_Segment | None, ...]
_State = tuple[int, ...]
_T = TypeVar("_T")

_ANY_CHAR: _CharSet = ((0x01, 0x2E), (0x30, 0x10FFFF))  # all but NUL and "/"
_ANY_NAME: _Glob = (None,)

_DOT: _CharSet = ((0x2E, 0x2E),)
_NOT_DOT: _CharSet = ((0x01, 0x2D), (0x30, 0x10FFFF))
#: Together: every name but "", "." and "..". In this order, since `a.ts` is a better
#: example than `.ts`.
_NAMES: tuple[_Glob, ...] = (
    (_NOT_DOT, None),
    (_DOT, _NOT_DOT, None),
    (_DOT, _DOT, _ANY_CHAR, None),
)
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

_BRACKET = r"\[[!^]?+(?:\\[^/]|[^\\/])(?:\\[^/]|[^]\\/])*\]"
_TOKEN = re.compile(rf"\\.|{_BRACKET}|.", re.DOTALL)
_MEMBER = re.compile(r"(\\?.)(?:-(\\?.))?", re.DOTALL)


# --- what callers ask ---------------------------------------------------------------------


def check_pattern(pattern: str) -> str | None:
    """What is wrong with `pattern`, in one sentence; None when nothing is."""
    try:
        _routes(pattern)
    except ValueError as error:
        return str(error)
    return None


def covers(pattern: str, path: str) -> bool:
    """Whether `pattern` names `path` or a folder that it is in.

    Raises: ValueError for a wrong pattern.
    """
    return covers_any((pattern,), path)


def covers_any(patterns: Iterable[str], path: str) -> bool:
    """Whether one of `patterns` covers `path`.

    Raises: ValueError for a wrong pattern, also when another one covers the path.
    """
    matchers = [_matcher(pattern) for pattern in patterns]
    names = [name for name in path.split("/") if name not in ("", ".")]
    if not names or ".." in names:
        return False
    text = "/".join(names) + "/"
    return any(matcher.match(text) for matcher in matchers)


def overlap(a: str, b: str) -> str | None:
    """A path that both patterns cover; None when there can be none.

    Exact both ways, and the same path for (a, b) as for (b, a).

    Raises: ValueError for a wrong pattern.
    """
    if _apart(_head(a), _head(b)):
        return None
    return _meet(a, b) if a <= b else _meet(b, a)


def overlaps(a: Iterable[str], b: Iterable[str]) -> tuple[tuple[str, str, str], ...]:
    """Each pair of a pattern of `a` and one of `b` that meet, with a path they both cover.

    In the order of `a`, then of `b`. Sets that begin differently are told apart without
    looking at their patterns, so that comparing a thousand tasks in pairs stays cheap.

    Raises: ValueError for a wrong pattern.
    """
    left, right = _heads(tuple(a)), _heads(tuple(b))
    if _apart(left.shared, right.shared):
        return ()
    found = []
    for head, pattern in left.each:
        for other_head, other in right.each:
            if not _apart(head, other_head):
                example = overlap(pattern, other)
                if example is not None:
                    found.append((pattern, other, example))
    return tuple(found)


# --- cheap rejection ----------------------------------------------------------------------


class _Heads(NamedTuple):
    """How the paths of several patterns begin: all of them, and those of each pattern."""

    shared: str
    each: tuple[tuple[str, str], ...]


def _apart(head: str, other: str) -> bool:
    """Whether no text can begin with both."""
    return not (head.startswith(other) or other.startswith(head))


@lru_cache(maxsize=1 << 14)
def _heads(patterns: tuple[str, ...]) -> _Heads:
    each = tuple((_head(pattern), pattern) for pattern in patterns)
    return _Heads(_common_prefix([head for head, _ in each]), each)


@lru_cache(maxsize=1 << 14)
def _head(pattern: str) -> str:
    """What every path covered by `pattern` begins with, once a `/` is put after the path."""
    return _common_prefix([_route_head(route) for route in _routes(pattern)])


def _route_head(route: _Route) -> str:
    head = ""
    for segment in route:
        if not isinstance(segment, str):
            for chars in segment or ():
                if chars is None or len(chars) != 1 or chars[0][0] != chars[0][1]:
                    break
                head += chr(chars[0][0])
            break
        head += segment + "/"
    return head


def _common_prefix(texts: list[str]) -> str:
    if not texts:
        return ""
    low, high = min(texts), max(texts)
    for at, char in enumerate(low):
        if not high.startswith(char, at):
            return low[:at]
    return low


# --- the product of two patterns ----------------------------------------------------------


@lru_cache(maxsize=1 << 16)
def _meet(a: str, b: str) -> str | None:
    """`overlap`, past the cheap rejection."""
    others = [(_route_head(route), route) for route in _routes(b)]
    for route in _routes(a):
        head = _route_head(route)
        for other_head, other in others:
            if not _apart(head, other_head):
                names = _common_path(route, other)
                if names is not None:
                    return "/".join(names)
    return None


def _common_path(a: _Route, b: _Route) -> list[str] | None:
    """The names of a shortest path that both routes lead along."""

    def moves(state: _State) -> Iterator[tuple[_State, str]]:
        for i, segment in _steps(a, state[0], _ANY_NAME):
            for j, other in _steps(b, state[1], _ANY_NAME):
                name = _common_name(segment, other)
                if name is not None:
                    yield (i, j), name

    return _search((0, 0), moves, lambda state: _done(a, state[0]) and _done(b, state[1]))


@lru_cache(maxsize=1 << 16)
def _common_name(a: _Segment, b: _Segment) -> str | None:
    """A shortest name that both segments match; never empty, `.` or `..`."""
    if isinstance(a, str) and isinstance(b, str):
        return a if a == b else None
    x, y = _glob(a), _glob(b)
    for z in _NAMES:
        letters = _common_letters(x, y, z)
        if letters is not None:
            return "".join(letters)
    return None


def _common_letters(a: _Glob, b: _Glob, c: _Glob) -> list[str] | None:
    def moves(state: _State) -> Iterator[tuple[_State, str]]:
        for i, x in _steps(a, state[0], _ANY_CHAR):
            for j, y in _steps(b, state[1], _ANY_CHAR):
                for k, z in _steps(c, state[2], _ANY_CHAR):
                    letter = _common_letter(x, y, z)
                    if letter is not None:
                        yield (i, j, k), letter

    def final(state: _State) -> bool:
        return _done(a, state[0]) and _done(b, state[1]) and _done(c, state[2])

    return _search((0, 0, 0), moves, final)


@lru_cache(maxsize=1 << 12)
def _common_letter(a: _CharSet, b: _CharSet, c: _CharSet) -> str | None:
    """A character that is in all three, a plain one where there is one."""
    chars = _intersection(_intersection(a, b), c)
    for letter in _PLAIN:
        if any(low <= ord(letter) <= high for low, high in chars):
            return letter
    printable = _intersection(chars, ((0x21, 0x10FFFF),)) or chars
    return chr(printable[0][0]) if printable else None


def _steps(items: Sequence[_T | None], at: int, anything: _T) -> Iterator[tuple[int, _T]]:
    """Where one more element can lead from `at`, and what that element has to match."""
    while at < len(items):
        item = items[at]
        if item is not None:
            yield at + 1, item
            return
        yield at, anything
        at += 1


def _done(items: Sequence[object], at: int) -> bool:
    """Whether nothing more is needed from `at` on. Runs never stand side by side."""
    return at == len(items) or (at == len(items) - 1 and items[at] is None)


def _search(
    start: _State,
    moves: Callable[[_State], Iterator[tuple[_State, str]]],
    final: Callable[[_State], bool],
) -> list[str] | None:
    """The labels of a shortest walk, of at least one step, from `start` to a final state."""
    came: dict[_State, tuple[_State, str] | None] = {start: None}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        for following, label in moves(state):
            if final(following):
                labels = [label]
                step = came[state]
                while step is not None:
                    labels.append(step[1])
                    step = came[step[0]]
                return labels[::-1]
            if following not in came:
                came[following] = (state, label)
                queue.append(following)
    return None


# --- one pattern against one path ---------------------------------------------------------


@lru_cache(maxsize=1 << 14)
def _matcher(pattern: str) -> re.Pattern[str]:
    """An expression that matches at the start of a covered path with a `/` put after it.

    A run takes the first place where what follows it fits, and the atomic group keeps it from
    looking for another: no pattern makes the time grow faster than a small power of the path.
    """
    return re.compile("|".join(_route_expression(route) for route in _routes(pattern)))


def _route_expression(route: _Route) -> str:
    parts: list[list[_Segment]] = _between_runs(route)
    first, *rest = ("".join(map(_segment_expression, part)) for part in parts)
    return first + "".join(f"(?>(?:[^/]+/)*?{part})" for part in rest if part)


def _segment_expression(segment: _Segment) -> str:
    if isinstance(segment, str):
        return re.escape(segment) + "/"
    first, *rest = ("".join(map(_char_expression, part)) for part in _between_runs(segment))
    if not rest:
        return first + "/"
    middle = "".join(f"(?>[^/]*?{part})" for part in rest[:-1])
    return f"{first}{middle}[^/]*{rest[-1]}/"


def _char_expression(chars: _CharSet) -> str:
    if not chars:
        return "(?!)"
    return "[" + "".join(rf"\U{low:08x}-\U{high:08x}" for low, high in chars) + "]"


def _between_runs(items: Sequence[_T | None]) -> list[list[_T]]:
    """The items between the runs: one list more than there are runs."""
    lists: list[list[_T]] = [[]]
    for item in items:
        if item is None:
            lists.append([])
        else:
            lists[-1].append(item)
    return lists


# --- reading a pattern --------------------------------------------------------------------


@lru_cache(maxsize=1 << 14)
def _routes(pattern: str) -> tuple[_Route, ...]:
    """What `pattern` says, one route for each choice in its braces.

    Every route ends in a run of segments: what is below is covered as well.

    Raises: ValueError, with a sentence on what is wrong.
    """
    return tuple(dict.fromkeys(_route(text) for text in _expand(pattern)))


def _expand(pattern: str) -> list[str]:
    """`pattern` without its braces: one text for each choice."""
    outside: list[tuple[list[str], list[str]]] = []  # for each open brace: choices, so far
    choices: list[str] = []
    so_far = [""]
    for token in _TOKEN.findall(pattern):
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


def _route(text: str) -> _Route:
    """The segments of a pattern without braces."""
    if not text.strip():
        raise ValueError("the pattern is empty; the whole repository is written '**'")
    route: list[_Segment | None] = []
    tokens: list[str] = []
    for token in [*_TOKEN.findall(text), "/"]:
        if token not in ("/", "\\/"):
            tokens.append(token)
            continue
        segment = _segment(tokens)
        if segment == "..":
            raise ValueError("'..' leads out of its folder; write the path from the root")
        if tokens == ["*", "*"]:
            route.append(None)
        elif segment not in ("", "."):
            route.append(segment)
        tokens = []
    return _runs_joined([*route, None])


def _segment(tokens: list[str]) -> _Segment:
    if not any(token in ("*", "?") or token[0] == "[" for token in tokens):
        return "".join(token[-1] for token in tokens)
    glob: list[_CharSet | None] = []
    for token in tokens:
        if token == "*":
            glob.append(None)
        elif token == "?":
            glob.append(_ANY_CHAR)
        elif token[0] == "[":
            glob.append(_bracket(token[1:-1]))
        else:
            glob.append(_one(token[-1]))
    return _runs_joined(glob)


def _runs_joined(items: list[_T | None]) -> tuple[_T | None, ...]:
    """The items, with one run where several follow each other."""
    return tuple(
        item
        for at, item in enumerate(items)
        if at == 0 or item is not None or items[at - 1] is not None
    )


def _glob(segment: _Segment) -> _Glob:
    return tuple(map(_one, segment)) if isinstance(segment, str) else segment


def _one(char: str) -> _CharSet:
    return ((ord(char), ord(char)),)


def _bracket(body: str) -> _CharSet:
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
    return _intersection(tuple(gaps if negated else chars), _ANY_CHAR)


def _intersection(a: _CharSet, b: _CharSet) -> _CharSet:
    return tuple(
        (max(low, other_low), min(high, other_high))
        for low, high in a
        for other_low, other_high in b
        if max(low, other_low) <= min(high, other_high)
    )
