"""Say which characters no text of a record or setting holds, however they are written there.

They are none: controls (a terminal acts on them, NUL ends a word) but tab and line feed, a carriage
return that ends no line, halves of characters (no UTF-8 has them), and code points that Unicode
keeps from ever being characters. What only reorders text is let through, and shown escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TypeVar

from ralphgit.errors import UsageError

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
#: As a part of an expression; compiled where it is needed, which is seldom.
FORBIDDEN = f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff{_NONCHARACTERS}]|\r(?!\n)"
_REPLACEMENT = "\ufffd"
_T = TypeVar("_T")


@cache
def _forbidden() -> re.Pattern[str]:
    return re.compile(FORBIDDEN)


def forbidden(text: str) -> str:
    """Return the first character of `text` that it may not hold; "" if there is none."""
    if text.isprintable():
        return ""  # as nearly all are
    found = _forbidden().search(text)
    return found.group() if found else ""


def described(character: str) -> str:
    """Name a forbidden character: `control character U+001B`."""
    if character == "\r":
        return "a carriage return alone"
    point = ord(character)
    if 0xD800 <= point <= 0xDFFF:
        return f"half a character (U+{point:04X})"
    kind = "control character" if point < 0xA0 else "noncharacter"
    return f"{kind} U+{point:04X}"


def refuse(name: str, text: str) -> None:
    """Refuse what a person or program gave for `name`.

    Raises: UsageError.
    """
    wrong = forbidden(text)
    if "\udc80" <= wrong <= "\udcff":  # as Python hands on bytes that are no UTF-8
        raise UsageError(f"{name} is not UTF-8", hint="check the terminal's encoding")
    if wrong:
        raise UsageError(f"{name} has {described(wrong)}", hint="remove it, then repeat")


def without(text: str) -> str:
    """Return `text` of a program or a file's name with forbidden characters replaced."""
    return text if text.isprintable() else _forbidden().sub(_REPLACEMENT, text)


def values_without(value: _T) -> _T:
    """Return `value` with every text in it as `without` makes it."""
    made: object = value
    if isinstance(value, str):
        made = without(value)
    elif isinstance(value, Mapping):
        made = {values_without(key): values_without(child) for key, child in value.items()}
    elif isinstance(value, (list, tuple)):
        made = [values_without(child) for child in value]
    return made  # type: ignore[return-value]  # of the same kind


def strings(value: object) -> Iterator[str]:
    """Every text in mappings and sequences, keys included."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            stack.extend(item.keys())
            stack.extend(item.values())
        elif isinstance(item, Sequence):
            stack.extend(item)
