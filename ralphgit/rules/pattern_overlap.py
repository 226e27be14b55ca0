"""Decide whether a path pattern covers a path, and whether two patterns share a path.

Decided on the patterns alone: no folder is read, so the answer is the same on every machine
and holds for files that do not exist yet. What a pattern says stands in `model.path_patterns`.

Every function but `check_pattern` raises ValueError, with the sentence that `check_pattern`
gives, for a pattern that is wrong.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

from ralphgit.model.path_patterns import ANY_CHAR, CharSet, Glob, Route, Segment
from ralphgit.model.path_patterns import MOST_ALTERNATIVES as MOST_ALTERNATIVES
from ralphgit.model.path_patterns import glob as _glob
from ralphgit.model.path_patterns import intersection as _intersection
from ralphgit.model.path_patterns import routes as _routes

_State = tuple[int, ...]
_T = TypeVar("_T")

_ANY_NAME: Glob = (None,)

_DOT: CharSet = ((0x2E, 0x2E),)
_NOT_DOT: CharSet = ((0x01, 0x2D), (0x30, 0x10FFFF))
#: Together: every name but "", "." and "..". In this order, since `a.ts` is a better
#: example than `.ts`.
_NAMES: tuple[Glob, ...] = (
    (_NOT_DOT, None),
    (_DOT, _NOT_DOT, None),
    (_DOT, _DOT, ANY_CHAR, None),
)
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"


# --- what callers ask ---------------------------------------------------------------------


def check_pattern(pattern: str) -> str | None:
    """What is wrong with `pattern`, in one sentence; None when nothing is."""
    try:
        _routes(pattern)
    except ValueError as error:
        return str(error)
    return None


def covers(pattern: str, path: str) -> bool:
    """Whether `pattern` names `path`, or as a folder one that it is in.

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
    return any(matcher(text) for matcher in matchers)


def overlap(a: str, b: str) -> str | None:
    """A path that both patterns cover; None when there can be none.

    Exact both ways, and the same path for (a, b) as for (b, a).

    Raises: ValueError for a wrong pattern.
    """
    if _apart(head(a), head(b)) or last(a).apart(last(b)):
        return None
    return _meet(a, b) if a <= b else _meet(b, a)


# --- cheap rejection ----------------------------------------------------------------------


def _apart(start: str, other: str) -> bool:
    """Whether no text can begin with both."""
    return not (start.startswith(other) or other.startswith(start))


@lru_cache(maxsize=1 << 14)
def head(pattern: str) -> str:
    """What every path covered by `pattern` begins with, once a `/` is put after it.

    Raises: ValueError for a wrong pattern.
    """
    return _common_prefix([_route_head(route) for route in _routes(pattern)])


def _route_head(route: Route) -> str:
    found = ""
    for segment in route:
        if not isinstance(segment, str):
            return found + _fixed(segment or ())
        found += segment + "/"
    return found


def _fixed(chars: Iterable[CharSet | None]) -> str:
    """The characters up to the first one that may vary."""
    found = ""
    for one in chars:
        if one is None or len(one) != 1 or one[0][0] != one[0][1]:
            break
        found += chr(one[0][0])
    return found


class Ends(NamedTuple):
    """How the last name begins and ends, a `/` put around it; "" where that may vary."""

    start: str
    end: str

    def apart(self, other: "Ends") -> bool:
        """Whether no name begins and ends as both say."""
        return _apart(self.start, other.start) or not (
            self.end.endswith(other.end) or other.end.endswith(self.end)
        )


@lru_cache(maxsize=1 << 14)
def last(pattern: str) -> Ends:
    """The last name of every path covered by `pattern`.

    Raises: ValueError for a wrong pattern.
    """
    starts, ends = [], []
    for route in _routes(pattern):
        name = route[-1] if route else None
        if name is None:
            return Ends("", "")
        if isinstance(name, str):
            starts.append(f"/{name}/")
            ends.append(f"/{name[::-1]}/")
        else:
            starts.append("/" + _fixed(name))
            ends.append("/" + _fixed(name[::-1]))
    return Ends(_common_prefix(starts), _common_prefix(ends)[::-1])


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
        start = _route_head(route)
        for other_start, other in others:
            if not _apart(start, other_start):
                names = _common_path(route, other)
                if names is not None:
                    return "/".join(names)
    return None


def _common_path(a: Route, b: Route) -> list[str] | None:
    """The names of a shortest path that both routes lead along."""

    def moves(state: _State) -> Iterator[tuple[_State, str]]:
        for i, segment in _steps(a, state[0], _ANY_NAME):
            for j, other in _steps(b, state[1], _ANY_NAME):
                name = _common_name(segment, other)
                if name is not None:
                    yield (i, j), name

    return _search((0, 0), moves, lambda state: _done(a, state[0]) and _done(b, state[1]))


@lru_cache(maxsize=1 << 16)
def _common_name(a: Segment, b: Segment) -> str | None:
    """A shortest name that both segments match; never empty, `.` or `..`."""
    if isinstance(a, str) and isinstance(b, str):
        return a if a == b else None
    x, y = _glob(a), _glob(b)
    for z in _NAMES:
        letters = _common_letters(x, y, z)
        if letters is not None:
            return "".join(letters)
    return None


def _common_letters(a: Glob, b: Glob, c: Glob) -> list[str] | None:
    def moves(state: _State) -> Iterator[tuple[_State, str]]:
        for i, x in _steps(a, state[0], ANY_CHAR):
            for j, y in _steps(b, state[1], ANY_CHAR):
                for k, z in _steps(c, state[2], ANY_CHAR):
                    letter = _common_letter(x, y, z)
                    if letter is not None:
                        yield (i, j, k), letter

    def final(state: _State) -> bool:
        return _done(a, state[0]) and _done(b, state[1]) and _done(c, state[2])

    return _search((0, 0, 0), moves, final)


@lru_cache(maxsize=1 << 12)
def _common_letter(a: CharSet, b: CharSet, c: CharSet) -> str | None:
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
def _matcher(pattern: str) -> Callable[[str], object]:
    """What says of a path with a `/` put after it whether it is covered.

    Names without wildcards are compared: to compile an expression for each file that a scope
    names takes longer than all the rest. In an expression a run takes the first place where what
    follows it fits, and the atomic group keeps it from looking for another; the last one takes
    the only place that leaves nothing over. So no pattern makes the time grow faster than a
    small power of the path.
    """
    routes = _routes(pattern)
    if all(isinstance(one, str) for route in routes for one in route[:-1]) and not any(
        isinstance(route[-1], tuple) for route in routes
    ):
        files = {_route_head(route) for route in routes if route[-1] is not None}
        folders = tuple(_route_head(route) for route in routes if route[-1] is None)
        return lambda text: text in files or text.startswith(folders)
    return re.compile("|".join(_route_expression(route) for route in routes)).match


def _route_expression(route: Route) -> str:
    parts: list[list[Segment]] = _between_runs(route)
    first, *rest = ("".join(map(_segment_expression, part)) for part in parts)
    last = rest.pop() if rest else None
    middle = "".join(f"(?>(?:[^/]+/)*?{part})" for part in rest)
    if last is None:
        return rf"{first}\Z"
    # Nothing after the last run: what is below is covered too.
    return first + middle + (rf"(?:[^/]+/)*{last}\Z" if last else "")


def _segment_expression(segment: Segment) -> str:
    if isinstance(segment, str):
        return re.escape(segment) + "/"
    first, *rest = ("".join(map(_char_expression, part)) for part in _between_runs(segment))
    if not rest:
        return first + "/"
    middle = "".join(f"(?>[^/]*?{part})" for part in rest[:-1])
    return f"{first}{middle}[^/]*{rest[-1]}/"


def _char_expression(chars: CharSet) -> str:
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
