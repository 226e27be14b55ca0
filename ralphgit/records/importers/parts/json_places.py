"""Find where each value of a JSON text stands, to change one and no other byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in the type stubs

Path = tuple[str | int, ...]
_SPACE = re.compile(r"[ \t\n\r\ufeff]*")
_WORD = re.compile(r"[^\s,\]}]+")


def places(text: str) -> dict[Path, tuple[int, int]]:
    """Where each value stands, by the keys and numbers that lead there; `text` is valid JSON."""
    found: dict[Path, tuple[int, int]] = {}
    _value(text, 0, (), found)
    return found


def with_value(
    text: str, where: Mapping[Path, tuple[int, int]], object_at: Path, key: str, value: str
) -> tuple[int, int, str]:
    """The edit that sets `key` of an object with an `id` to a JSON `value`: from, to, and text."""
    if (known := where.get((*object_at, key))) is not None:
        return (*known, value)
    _, end = where[(*object_at, "id")]
    return end, end, f', "{key}": {value}'


def _value(text: str, at: int, path: Path, found: dict[Path, tuple[int, int]]) -> int:
    """Where the value that begins at `at`, or behind spaces, ends."""
    start = at = _behind_space(text, at)
    if text[at] in "{[":
        close = "}" if text[at] == "{" else "]"
        number = 0
        at = _behind_space(text, at + 1)
        while text[at] != close:
            key: str | int = number
            if close == "}":
                key, at = scanstring(text, at + 1)
                at = _behind_space(text, at) + 1  # the colon
            at = _behind_space(text, _value(text, at, (*path, key), found))
            if text[at] == ",":
                at = _behind_space(text, at + 1)
            number += 1
        at += 1
    elif text[at] == '"':
        _, at = scanstring(text, at + 1)
    elif word := _WORD.match(text, at):
        at = word.end()
    found[path] = (start, at)
    return at


def _behind_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
