"""Plain YAML text -> Python values: the strict and fast reader.

ryaml (serde-yaml) reads 20 MB a second and refuses duplicate keys. What it would let
through (anchors, tags, merge keys, depth) is found beforehand or afterwards, and whatever
it refuses is explained by `records.nodes` with line and column.
"""

from __future__ import annotations

from collections.abc import Sequence

import ryaml

from ralphgit.errors import InvalidRecord
from ralphgit.records import text as texts

Span = tuple[int, int]


def load(text: str, spans: Sequence[Span] = ()) -> object:
    """The value of a YAML text that `records.text.decode` let through.

    `spans` are parts of `text` that are YAML of their own (task blocks): an error is then
    sought part by part, which keeps the exact and slow look short.

    Raises: InvalidRecord with line and column.
    """
    value = _quick(text)
    if value is not _REFUSED:
        return value
    return _explain(text, spans or ((0, len(text)),))


_REFUSED = object()


def _quick(text: str) -> object:
    """The value, or _REFUSED where only the exact look can tell."""
    text = text.removeprefix("\ufeff")  # ryaml takes it for a document of its own
    if texts.may_nest_too_deep(text):
        return _REFUSED
    try:
        if texts.may_hold_indicators(text):
            hidden = texts.hide_indicators(text)
            if hidden is None:
                return _REFUSED
            shown = ryaml.loads(hidden)
            first = texts.hidden_indicators(shown)
            if "&" in first:
                return _REFUSED
            value = ryaml.loads(text)
            # A description may begin with **bold**. Without an anchor no alias can expand, and a
            # real one is an error; a real tag is not in the value that the text has.
            if first and texts.unhidden(shown) != value:
                return _REFUSED
        else:
            value = ryaml.loads(text)
    except (ryaml.InvalidYamlError, ValueError):
        # ValueError: a mapping or sequence as a key.
        return _REFUSED
    if texts.depth(value) > texts.MAX_DEPTH or ("<<" in text and texts.has_merge_key(value)):
        return _REFUSED
    return value


def _explain(text: str, spans: Sequence[Span]) -> object:
    from ralphgit.records import nodes

    inner = [span for span in spans if _quick(text[span[0] : span[1]]) is _REFUSED]
    for start, end in inner:
        try:
            nodes.compose(text[start:end])
        except InvalidRecord as error:
            raise _shifted(error, text, start) from None
    node = nodes.compose(text)
    return nodes.value(node)


def _shifted(error: InvalidRecord, text: str, start: int) -> InvalidRecord:
    line, column = texts.position(text, start)
    return InvalidRecord(
        error.message,
        line=error.line + line - 1,
        column=error.column + (column - 1 if error.line == 1 else 0),
        hint=error.hint,
        code=error.code,
    )
