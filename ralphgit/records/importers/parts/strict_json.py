"""Parse JSON, and refuse what readers disagree on: duplicate keys, NaN, half characters."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ralphgit.errors import InvalidRecord
from ralphgit.records import input_limits


class _Refused(ValueError):
    pass


def load(name: str, text: str, *, line: int = 1) -> object:
    """The value of a JSON text that begins on `line` of the file `name`.

    Raises: InvalidRecord with line and column.
    """
    try:
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant)
        if input_limits.may_escape(text):
            input_limits.refuse_decoded(value, text)
        return value
    except InvalidRecord as error:
        raise InvalidRecord(
            error.message, file=name, line=error.line + line - 1, column=error.column,
            code=error.code, hint=error.hint,
        ) from None  # fmt: skip
    except json.JSONDecodeError as error:
        raise InvalidRecord(
            f"this is not JSON: {error.msg}", file=name, line=line + error.lineno - 1,
            column=error.colno, code="syntax", hint="correct it, or export it once more",
        ) from None  # fmt: skip
    except RecursionError:
        raise InvalidRecord(
            "the JSON is nested too deep", file=name, line=line, code="too_deep"
        ) from None
    except ValueError as error:  # also a number of too many digits
        raise InvalidRecord(f"{error}", file=name, line=line, hint="correct the file") from None


def lines(name: str, text: str) -> Iterator[tuple[int, object]]:
    """Each value of a file with one JSON value a line, and its line."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, load(name, line, line=number)


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Refused(f"duplicate key {twice!r} in a JSON object")
    return found


def _constant(word: str) -> object:
    raise _Refused(f"{word} is not JSON")
