"""Write values as canonical YAML: one spelling for every value, so that diffs show only changes.

Mappings and lists in block style, two spaces a level; text plain where YAML 1.1 and 1.2
readers agree that it is text, as a literal block where it has several lines, else in
double quotes. What comes out reads back as what went in (a property test holds it).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TypeGuard

from ralphgit.errors import InvalidRecord
from ralphgit.model.characters import described, forbidden
from ralphgit.model.printable import BLANK, is_seen

# Compiled where something is written: what only reads imports this, too.
#: What reorders text, or is not seen: as an escape a terminal, and who reviews, shows that it is
#: there. Joiners of letters are text.
_UNSEEN = (
    "\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufff9-\ufffb"
    f"\U0001d173-\U0001d17a\U000e0000-\U000e0fff{BLANK}"
)
# A plain scalar: begins with a letter or one of a few harmless signs, and holds nothing
# that could be an indicator, a comment or a mapping.
_PLAIN = (
    r"[A-Za-z_/.0-9(][^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff#:\"'\\\[\]{},&*!|>%@`"
    f"{_UNSEEN}]*"
)
_PLAIN_COLON = r":(?=\S)"
# Words and numbers that some YAML reader takes for something else than text.
_AMBIGUOUS = r"""(?ix)
      (?: ~ | null | true | false | yes | no | on | off | y | n | \.nan | [-+]?\.inf
        | [-+]?(?=[._]*[0-9])[0-9._]+(?:e[-+]?[0-9]+)?      # numbers
        | 0x[0-9a-f_]+ | 0o?[0-7_]+ | 0b[01_]+
        | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?  # base 60
        | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*                  # dates and times
        | \.{1,3} | =
      )"""
_UNPRINTABLE = f"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff{_UNSEEN}]"
_CONTROL = "[\x00-\x08\x0b-\x1f]"
_SAFE_KEY = r"[A-Za-z_][A-Za-z0-9_./-]*"


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def _fits(expression: str, text: str) -> bool:
    return _compiled(expression).fullmatch(text) is not None


def scalar(value: object) -> str:
    """`value` on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number(value)
    if not isinstance(value, str):
        raise TypeError(f"cannot write {type(value).__name__} as a YAML scalar")
    _refuse(value)
    if _is_plain(value):
        return value
    return quoted(value)


def _refuse(text: str) -> None:
    """Raises: InvalidRecord for what no reader would take back."""
    if wrong := forbidden(text):
        raise InvalidRecord(
            f"{described(wrong)} is not allowed in a text; nothing was written",
            code="control_character", hint="remove it, then repeat the command",
        )  # fmt: skip


def _number(value: int | float) -> str:
    if isinstance(value, int):
        return str(value)
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    return text if "." in text or "e" not in text else text.replace("e", ".0e")


def _is_plain(text: str) -> bool:
    bare = _compiled(_PLAIN_COLON).sub("", text)
    return (
        _fits(_PLAIN, bare)
        and not text.startswith((":", "---", "..."))
        and not text.endswith((" ", ":"))
        and "\t" not in text
        and not _fits(_AMBIGUOUS, text)
    )


def quoted(text: str) -> str:
    """`text` in double quotes, everything unprintable as an escape."""
    import json

    escaped = json.dumps(text, ensure_ascii=False)
    if is_seen(escaped):
        return escaped
    return re.sub(_UNPRINTABLE, lambda found: _escape(ord(found.group())), escaped)


def _escape(point: int) -> str:
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def _key(name: str) -> str:
    _refuse(name)
    return name if _fits(_SAFE_KEY, name) and not _fits(_AMBIGUOUS, name) else quoted(name)


def mapping(entries: Mapping[str, object], *, indent: int = 0, eol: str = "\n") -> str:
    """The lines of a block mapping, each ended by `eol`, the keys at column `indent`."""
    pad = " " * indent
    lines = []
    for name, value in entries.items():
        lines.append(f"{pad}{_key(str(name))}:{_value(value, indent=indent, eol=eol)}")
    return "".join(lines)


def sequence(items: Sequence[object], *, indent: int = 0, eol: str = "\n") -> str:
    """The lines of a block sequence, the dashes at column `indent`."""
    pad = " " * indent
    lines = []
    for item in items:
        if isinstance(item, Mapping) and item:
            inner = mapping(item, indent=indent + 2, eol=eol)
            lines.append(f"{pad}- {inner[indent + 2 :]}")
        elif _is_list(item) and item:
            inner = sequence(item, indent=indent + 2, eol=eol)
            lines.append(f"{pad}- {inner[indent + 2 :]}")
        else:
            lines.append(f"{pad}-{_value(item, indent=indent, eol=eol)}")
    return "".join(lines)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, (list, tuple))


def _value(value: object, *, indent: int, eol: str) -> str:
    """What follows the colon or the dash, line end included."""
    if isinstance(value, Mapping):
        if not value:
            return " {}" + eol
        return eol + mapping(value, indent=indent + 2, eol=eol)
    if isinstance(value, (list, tuple)):
        if not value:
            return " []" + eol
        return eol + sequence(value, indent=indent + 2, eol=eol)
    if isinstance(value, str) and "\n" in value and _fits_literal(value):
        _refuse(value)
        return _literal(value, indent=indent + 2, eol=eol)
    return f" {scalar(value)}{eol}"


def _fits_literal(text: str) -> bool:
    """Whether a literal block gives `text` back, also through an editor that trims lines."""
    return (
        re.search(_CONTROL, text) is None
        and re.search(_UNPRINTABLE, text) is None
        and not text.startswith((" ", "\t", "\n"))
        and text.strip() != ""
        and all(not line or not line[-1].isspace() for line in text.split("\n"))
    )


def _literal(text: str, *, indent: int, eol: str) -> str:
    body = text.rstrip("\n")
    trailing = len(text) - len(body)
    chomp = "-" if trailing == 0 else "" if trailing == 1 else "+"
    pad = " " * indent
    lines = [f"{pad}{line}{eol}" if line else eol for line in body.split("\n")]
    return f" |{chomp}{eol}" + "".join(lines) + eol * max(0, trailing - 1)
