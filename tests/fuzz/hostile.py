"""Values that break things, and ways to break bytes."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from ralphgit.errors import InvalidRecord
from ralphgit.records import yaml_writer

_DEEP: Any = []
for _ in range(40):
    _DEEP = [_DEEP]

TEXTS = (
    "", " ", "a", "T-1", "T-2", "t-1", "T-404", "..", "../x", "/etc/passwd", ".git/config",
    ".ralph/x", "a/../../b", "-rf", "--help", "$(id)", "`id`", "a;b", "a|b", "a\nb", "a\tb", "a\rb",
    "a\0b", "\x1b[31mred", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "\ufffe", "\ud800",
    "\udfff",
    "\U0001f680", "e\u0301", "\u0421", "x.lock", "x.", "CON", "nul.txt", "COM1", "a:b", "a\\b",
    "x" * 64, "x" * 65, "x" * 5000, "=", "~", "null", "true", "no", "1e3", "0x1F", "0o7", "1_000",
    ".nan", ".inf", "2026-11-21", "2026-11-21T10:00:00Z", "9999-99-99T99:99:99Z", "12:30:45", "@x",
    "**", "[", "{", "{{ packet.task }}", "%s", "{0}", "<script>", "](x)", "|x|", "&a", "*a", "!t",
    "!!python/object/apply:os.system [id]", "<<", "<<<<<<< HEAD", "pending", "in-progress",
    "blocked",
    "complete", "cancelled", "done", "ready", "claimed", "command", "supports", "review", "event",
    "main", "HEAD", "HEAD~1", "HEAD..", "..HEAD", "@{-1}", "@{upstream}", ":/x", "refs/heads/main",
    "main:task-graph.yaml", "0" * 40, "a" * 40, "stdin", "-", "0-1", "9-0", "1,2", "99999999999999",
    "src/**", "**/*", "[a-", "{a,b", "!x", "*" * 60 + "b", "(a+)+$", "https://example.invalid/x",
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 2, 5, 6, 2**31, 2**63, -(2**63) - 1, 2**64, 10**18, 10**30, 10**400, 0.0, -0.0, 1.5,
    1e300,
    1e-300, float("inf"), float("-inf"), float("nan"), True, False, None,
)  # fmt: skip
CONTAINERS: tuple[Any, ...] = (
    [], {}, [[]], [None], [{}], {"": None}, {"a": {"b": {"c": 1}}}, [1, "a", None, []], ["a"] * 300,
    {"id": "T-1"}, [{"id": "T-1"}], {"1": 2}, _DEEP, {"<<": {"a": 1}}, {"run": "true"},
    [{"run": "true", "proves": ["ACC-1"]}], [{"run": ["true"]}], {"write": "a"}, ["T-1", "T-1"],
)  # fmt: skip
#: What stands in files between values.
PIECES: tuple[bytes, ...] = (
    b"\0", b"\x1b", b"\x7f", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe",
    b"\xe2\x80\xa8",
    b"\xc2\x85", b"\r", b"\r\n", b"\n", b"\t", b" ", b"  ", b"- ", b": ", b":", b"? ", b", ",
    b"# ", b"[", b"]",
    b"{", b"}", b"'", b'"', b"\\", b"|\n", b">-\n", b"|9\n", b"&a ", b"*a", b"!t ",
    b"!!python/none ", b"---\n",
    b"...\n", b"%YAML 1.2\n", b"<<: ", b"<<<<<<< HEAD\n", b"=======\n", b">>>>>>> x\n",
    b"- id: T-1\n",
    b"  - id: T-1\n    title: again\n    status: pending\n", b"tasks:\n", b"version: 2\n", b"0",
    b"9" * 5000,
    b"-", b"1e999", b"0x" + b"f" * 400, b".nan", b"[" * 40, b"{a: " * 40, b"{" * 6000, b"\\ud800",
    b"\\u0000",
    b"\\x1b", b"a" * 70000, b" " * 3000, b"\n" * 3000, "ä".encode(), "🚀".encode(), b"= 1\n",
    b"[x]\n", b"[[x]]\n",
)  # fmt: skip


def value(rng: random.Random) -> Any:
    kind = rng.random()
    if kind < 0.5:
        return rng.choice(TEXTS)
    if kind < 0.75:
        return rng.choice(NUMBERS)
    return copy.deepcopy(rng.choice(CONTAINERS))


# -- bytes -------------------------------------------------------------------------------


def _cut(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.choice((1, 1, 3, 20, 200)) :]


def _insert(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(PIECES) + data[at:]


def _instead(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    piece = rng.choice(PIECES)
    return data[:at] + piece + data[at + rng.choice((1, len(piece))) :]


def _flip(rng: random.Random, data: bytes) -> bytes:
    if not data:
        return b"\0"
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _value(rng: random.Random, data: bytes) -> bytes:
    """One value of a line becomes another."""
    lines = data.splitlines(keepends=True)
    places = [n for n, line in enumerate(lines) if b": " in line or b"= " in line or b"- " in line]
    if not places:
        return _insert(rng, data)
    at = rng.choice(places)
    sign = next(sign for sign in (b": ", b"= ", b"- ") if sign in lines[at])
    head = lines[at].partition(sign)[0]
    lines[at] = head + sign + inline(rng, value(rng)) + b"\n"
    return b"".join(lines)


def _line(rng: random.Random, data: bytes) -> bytes:
    """A line goes, comes again elsewhere, or moves in or out."""
    lines = data.splitlines(keepends=True) or [b""]
    at, to = rng.randrange(len(lines)), rng.randrange(len(lines))
    how = rng.randrange(4)
    if how == 0:
        del lines[at]
    elif how == 1:
        lines.insert(to, lines[at])
    elif how == 2:
        lines[at] = b" " * rng.choice((1, 2, 4)) + lines[at]
    else:
        lines[at] = lines[at].lstrip(b" ")
    return b"".join(lines)


def _ends(rng: random.Random, data: bytes) -> bytes:
    how = rng.randrange(6)
    if how == 0:
        return data.replace(b"\n", b"\r\n")
    if how == 1:
        return data.rstrip(b"\n")
    if how == 2:
        return b"\xef\xbb\xbf" + data
    if how == 3:
        return data.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-32", "utf-16-le")))
    if how == 4:
        return data.decode("utf-8", "replace").encode("latin-1", "replace")
    return data[: rng.randrange(len(data) + 1)]


_WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _cut, _insert, _insert, _instead, _flip, _value, _value, _value, _line, _line, _ends,
)  # fmt: skip


def changed(rng: random.Random, data: bytes) -> bytes:
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        data = rng.choice(_WAYS)(rng, data)
    return data


# -- structure ---------------------------------------------------------------------------


def inline(rng: random.Random, found: Any) -> bytes:
    """A value as JSON, which YAML reads too; what JSON has not got as each of them writes it."""
    text = json.dumps(found, ensure_ascii=rng.random() < 0.5, default=str)
    if rng.random() < 0.5:
        text = text.replace("NaN", ".nan").replace("Infinity", ".inf")
    if isinstance(found, str) and rng.random() < 0.4:
        text = found
    return text.encode("utf-8", "surrogatepass")


def twisted(rng: random.Random, root: Any) -> Any:
    """`root` with a few of its values, keys and entries changed."""
    root = json.loads(json.dumps(root))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = [*_places(root)]
        if not places:
            return value(rng)
        where, key = rng.choice(places)
        how = rng.random()
        if how < 0.7:
            where[key] = value(rng)
        elif how < 0.8:
            del where[key]
        elif isinstance(where, list):
            where.insert(rng.randrange(len(where) + 1), value(rng))
        else:
            where[rng.choice((*TEXTS[:40], "id", "task", "claim", "kind"))] = value(rng)
    return root


def _places(found: Any) -> list[tuple[Any, Any]]:
    places: list[tuple[Any, Any]] = []
    stack = [found]
    while stack:
        item = stack.pop()
        pairs = item.items() if isinstance(item, dict) else enumerate(item)
        for key, child in pairs:
            places.append((item, key))
            if isinstance(child, (dict, list)) and child and len(places) < 2000:
                stack.append(child)
    return places


def written(rng: random.Random, found: Any) -> bytes:
    """A value as block YAML where our writer knows how, else in flow style."""
    if rng.random() < 0.6 and isinstance(found, dict):
        try:
            return yaml_writer.mapping(found).encode("utf-8", "surrogatepass")
        except (ValueError, TypeError, RecursionError, AttributeError, InvalidRecord):
            pass
    return inline(rng, found) + b"\n"
