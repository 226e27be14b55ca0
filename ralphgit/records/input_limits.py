"""Refuse unsafe input before anything is parsed or acted on.

A record is plain YAML: one document, no anchors, aliases, tags, merge keys or directives,
no control characters, bounded in size and depth. The usual file passes by a quick look of
some 2 ns a byte; regular expressions (20 ns a byte) and an exact look (`records.yaml_nodes`)
follow only where that finds something.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from ralphgit.errors import InvalidRecord
from ralphgit.model.characters import FORBIDDEN, described, forbidden, strings

MAX_GRAPH_BYTES = 8 * 1024 * 1024
MAX_RECORD_BYTES = 256 * 1024
MAX_DEPTH = 32

# Expressions are only text here, and compiled where something is read or refused: compiling them
# all would be a 30th of `ralphgit next`, which reads what it has cached.
# What no text holds; and what may be written as an escape alone: line and paragraph separators,
# which YAML 1.1 readers take for line breaks and 1.2 readers do not; a byte order mark inside.
_CONTROL = f"[\u2028\u2029\ufeff]|{FORBIDDEN}"
#: An escape in double quotes (YAML, JSON, TOML) that may mean a character that no text holds.
_ESCAPE = r"\\(?:[0abefvrN]|x[0189]|x7[fF]|u(?:00[0189]|007[fF]|[dDfF])|U)"
#: Every such escape, a whole pair of halves and a line end as one.
_ESCAPES = (
    r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|r\\n|x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})"
    r"|U(?P<U>[0-9a-fA-F]{8})|(?P<letter>[\s\S]))"
)
_LETTERS = {"0": 0, "a": 7, "b": 8, "e": 27, "f": 12, "v": 11, "r": 13, "N": 0x85}
#: Two halves that are one character together, as JSON writers escape it.
_PAIR = r"[\ud800-\udbff][\udc00-\udfff]"
#: What a file of plain ASCII consists of, line ends by line feed alone.
_PLAIN = bytes([9, 10, *range(32, 127)])
#: Begins every line that the next three look for. Unlike `^` it is searched for at once.
_LINE_SIGN = r"\n(?:[<=>|]{7}|%|---|\.\.\.)"
_CONFLICT = r"(?m)^(?:<{7}|={7}|>{7}|\|{7})(?=[ \r\n]|\Z)"
_DIRECTIVE = r"(?m)^%"
_DOCUMENT = r"(?m)^(?:---|\.\.\.)(?=\s|\Z)"
_BLANK_OR_COMMENT = r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*"
#: Where an anchor, an alias or a tag could begin. In a scalar or a comment it is harmless.
#: What stands before is looked at last: the other way round takes 5 times as long.
_INDICATOR = r"[&*!](?<![^\s\[\]{},:][&*!])"
_HIDDEN = {"&": "\ue000", "*": "\ue001", "!": "\ue002"}
_SHOWN = {letter: sign for sign, letter in _HIDDEN.items()}
_HIDDEN_TEXT = "[\ue000-\ue002]"


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    # What `re` remembers itself takes four times as long to look up: a 20th of reading a record.
    return re.compile(expression)


def position(text: str, index: int) -> tuple[int, int]:
    """Line and column of `text[index]`, both from 1."""
    line = text.count("\n", 0, index) + 1
    return line, index - text.rfind("\n", 0, index)


def refuse(
    text: str, index: int, message: str, *, hint: str = "", code: str | None = None
) -> InvalidRecord:
    """The error for what stands at `text[index]`."""
    line, column = position(text, index)
    return InvalidRecord(message, line=line, column=column, hint=hint, code=code)


def decode(data: bytes, *, limit: int) -> str:
    """`data` as text that is safe to hand to a YAML reader.

    Raises: InvalidRecord (without a file name) with line and column.
    """
    if len(data) > limit:
        message = f"the file has {len(data)} bytes, and the limit is {limit}"
        hint = "split it, or raise max_graph_bytes (max_record_bytes for a record) in ralph.toml"
        raise InvalidRecord(message, code="too_large", hint=hint)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = position(before, len(before))
        raise InvalidRecord(
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            line=line,
            column=column,
            code="not_utf8",
            hint="save the file as UTF-8",
        ) from None
    rest = data.translate(None, _PLAIN)
    if rest and (b"\r" in rest or _compiled(_CONTROL).search(rest.decode("utf-8"))):
        _refuse_control(text)
    line_sign = _compiled(_LINE_SIGN)
    if line_sign.search(f"\n{text[:7]}") or line_sign.search(text):
        _refuse_lines(text)
    return text


def _refuse_control(text: str) -> None:
    """Raises: InvalidRecord for a character that no record holds."""
    if found := re.compile(_CONTROL).search(text, 1 if text.startswith("\ufeff") else 0):
        character = found.group()
        if forbidden(character):
            raise _refused(text, found.start(), character)
        message = f"U+{ord(character):04X} is not allowed here"
        hint = "remove it, or write it as an escape inside double quotes"
        raise refuse(text, found.start(), message, code="control_character", hint=hint)


def _refused(text: str, index: int, character: str) -> InvalidRecord:
    message = f"{described(character)} is not allowed"
    return refuse(text, index, message, code="control_character", hint="remove it")


def refuse_raw(text: str) -> None:
    """Raises: InvalidRecord for a forbidden character in `text`, whatever its format."""
    if forbidden(text) and (found := re.search(FORBIDDEN, text)):
        raise _refused(text, found.start(), found.group())


def may_escape(text: str) -> bool:
    """Whether an escape in `text` could mean a forbidden character."""
    return _compiled(_ESCAPE).search(text) is not None


def refuse_decoded(value: object, text: str, start: int = 0, end: int | None = None) -> None:
    """Refuse what `value`, read from `text[start:end]`, holds by an escape and no text may hold.

    Raises: InvalidRecord at the escape.
    """
    wrong = next(filter(None, map(forbidden, strings(value))), "")
    if not wrong:
        return
    for found in re.compile(_ESCAPES).finditer(text, start, len(text) if end is None else end):
        digits = found["x"] or found["u"] or found["U"]
        point = int(digits, 16) if digits else _LETTERS.get(found["letter"] or "", -1)
        if point == ord(wrong):
            raise _refused(text, found.start(), wrong)
    raise _refused(text, start, wrong)


def paired(text: str) -> str:
    """`text` with two halves that stand together as the one character that they are."""
    if text.isprintable():
        return text
    return re.sub(_PAIR, lambda found: _whole(found.group()), text)


def _whole(halves: str) -> str:
    return halves.encode("utf-16", "surrogatepass").decode("utf-16")


def _refuse_lines(text: str) -> None:
    """Raises: InvalidRecord for a conflict marker, a directive or a second document."""
    if found := re.search(_CONFLICT, text):
        message = "unresolved conflict marker"
        hint = "ralphgit resolve"
        raise refuse(text, found.start(), message, code="conflict_marker", hint=hint)
    if found := re.search(_DIRECTIVE, text):
        raise refuse(
            text, found.start(), "YAML directives are not allowed", code="directive",
            hint="remove the line that begins with %",
        )  # fmt: skip
    for found in re.finditer(_DOCUMENT, text):
        if found.group() == "---" and _only_comments(text, found.start()):
            continue
        if found.group() == "..." and not text[found.end() :].strip():
            continue
        raise refuse(
            text, found.start(), "a second YAML document begins here; a file may hold only one",
            code="several_documents", hint="move it to a file of its own",
        )  # fmt: skip


def _only_comments(text: str, index: int) -> bool:
    begin = 1 if text.startswith("\ufeff") else 0
    found = re.compile(_BLANK_OR_COMMENT).match(text, begin)
    return found is not None and found.end() == index


_NO_BRACKET = bytes(sorted(set(range(256)) - set(b"[]{}")))
#: libyaml's time grows with the square of the brackets that are open: 5,000 take 50 ms.
_MOST_OPEN = 5_000


def may_nest_too_deep(text: str) -> bool:
    """Whether so many brackets may stay open in `text` that the fast reader would crawl.

    Closed pairs are taken out level by level, so text that is merely full of brackets
    passes.
    """
    if text.count("[") + text.count("{") < _MOST_OPEN:
        return False
    rest = text.encode("utf-8", "replace").translate(None, _NO_BRACKET)
    for _ in range(MAX_DEPTH):
        rest = rest.replace(b"[]", b"").replace(b"{}", b"")
    return len(rest) >= _MOST_OPEN


def may_hold_indicators(text: str) -> bool:
    """Whether an anchor, an alias or a tag could stand in `text`."""
    return _compiled(_INDICATOR).search(text) is not None


def hide_indicators(text: str) -> str | None:
    """`text` with every possible indicator replaced by a letter of the private use area.

    What is a scalar stays one, so parsing the result is safe (no alias can expand), and
    an indicator shows up as a scalar that begins with such a letter. None if `text`
    itself has these letters.
    """
    if re.search(_HIDDEN_TEXT, text):
        return None
    return re.sub(_INDICATOR, lambda found: _HIDDEN[found.group()], text)


def hidden_indicators(value: object) -> set[str]:
    """With which indicators scalars or keys of `value` begin, as anchors, aliases, tags would."""
    return {_SHOWN[text[0]] for text in strings(value) if _begins_hidden(text)}


def unhidden(value: object) -> object:
    """`value`, of a text that `hide_indicators` made, with the indicators in their places."""
    if isinstance(value, str):
        return re.sub(_HIDDEN_TEXT, lambda found: _SHOWN[found.group()], value)
    if isinstance(value, dict):
        return {unhidden(key): unhidden(child) for key, child in value.items()}
    return [unhidden(child) for child in value] if isinstance(value, list) else value


def _begins_hidden(text: str) -> bool:
    return text[:1] in _SHOWN and (text[0] == "\ue002" or not text[1:2].isspace())


def depth(value: object) -> int:
    """How deep mappings and sequences nest in `value`; a scalar has depth 0."""
    level = 0
    layer: list[Any] = [value] if type(value) in _NESTING else []
    while layer:
        level += 1
        # By type, most scalars being text: 10,000 tasks have 300,000 values.
        layer = [
            child
            for item in layer
            for child in (item.values() if type(item) is dict else item)
            if type(child) is not str and type(child) in _NESTING
        ]
    return level


#: What the reader makes of mappings and sequences.
_NESTING = frozenset({dict, list})


#: How a number that JSON has not got is written. What is shown of a record is JSON.
_NOT_FINITE_WORDS = (".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF")
NOT_FINITE = "a number must be finite; in quotes it is text"


def may_hold_not_finite(text: str) -> bool:
    """Whether a number that is not finite could stand in `text`."""
    return any(word in text for word in _NOT_FINITE_WORDS)


def not_finite(value: object) -> Iterator[tuple[str | int, ...]]:
    """Where in `value` such numbers are."""
    stack: list[tuple[tuple[str | int, ...], object]] = [((), value)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, dict):
            stack.extend(((*path, key), child) for key, child in item.items())
        elif isinstance(item, list):
            stack.extend(((*path, number), child) for number, child in enumerate(item))
        elif isinstance(item, float) and not math.isfinite(item):
            yield path


def has_merge_key(value: object) -> bool:
    """Whether some mapping in `value` has the key `<<`."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if "<<" in item:
                return True
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return False
