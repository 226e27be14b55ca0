"""Read plain YAML text into Python values, strictly and fast.

ryaml (serde-yaml) reads 20 MB a second and refuses duplicate keys. What it would let
through (anchors, tags, merge keys, depth) is found beforehand or afterwards, and whatever
it refuses is explained by `records.yaml_nodes` with line and column.
"""

from __future__ import annotations

from collections.abc import Sequence

import ryaml

from ralphgit.errors import InvalidRecord
from ralphgit.model.characters import forbidden, strings
from ralphgit.records import input_limits as texts

Span = tuple[int, int]


def load(text: str, spans: Sequence[Span] = ()) -> object:
    """The value of a YAML text that `records.input_limits.decode` let through.

    `spans` part a graph's `text`, as `records.task_blocks` has found it: what comes before the
    blocks, each task's block, and what follows. It is then read piece by piece, which takes
    two thirds of the time, and an error is sought part by part, which keeps the exact and
    slow look short.

    Raises: InvalidRecord with line and column.
    """
    value = quick(text, spans)
    if value is not REFUSED:
        return value
    return _explain(text, spans or ((0, len(text)),))


REFUSED = object()


def quick(text: str, spans: Sequence[Span] = ()) -> object:
    """The value, or REFUSED where only the exact look can tell; `spans` as in `load`."""
    if text.startswith("\ufeff"):  # ryaml takes it for a document of its own
        text, spans = text[1:], ()
    if texts.may_nest_too_deep(text):
        return REFUSED
    try:
        if texts.may_hold_indicators(text):
            hidden = texts.hide_indicators(text)
            if hidden is None:
                return REFUSED
            shown = ryaml.loads(hidden)
            first = texts.hidden_indicators(shown)
            if "&" in first:
                return REFUSED
            value = _value(text, spans)
            # A description may begin with **bold**. Without an anchor no alias can expand, and a
            # real one is an error; a real tag is not in the value that the text has.
            if first and texts.unhidden(shown) != value:
                return REFUSED
        else:
            value = _value(text, spans)
    except (ryaml.InvalidYamlError, ValueError):
        # ValueError: a mapping or sequence as a key.
        return REFUSED
    if texts.may_escape(text) and any(map(forbidden, strings(value))):
        return REFUSED
    if texts.depth(value) > texts.MAX_DEPTH or ("<<" in text and texts.has_merge_key(value)):
        return REFUSED
    return value


def _value(text: str, spans: Sequence[Span]) -> object:
    value = _pieces(text, spans) if spans else REFUSED
    return ryaml.loads(text) if value is REFUSED else value


def _pieces(text: str, spans: Sequence[Span]) -> object:
    """The value of a text that is a mapping, the last value of it a list that ends the text.

    REFUSED unless each piece is complete: a scalar or a bracket that is open where a piece
    ends is an error in it, and an item's lines stand deeper than its dash. So what the pieces
    say is what the whole says.
    """
    (_, begin), *items, (end, _) = spans
    if end != len(text):
        return REFUSED
    try:
        root = ryaml.loads(text[:begin])
        if not isinstance(root, dict) or not root or root[key := [*root][-1]] is not None:
            return REFUSED
        found: list[object] = []
        for first in range(0, len(items), _AT_ONCE):
            some = items[first : first + _AT_ONCE]
            part = ryaml.loads(text[some[0][0] : some[-1][1]])
            if not isinstance(part, list) or len(part) != len(some):
                return REFUSED
            found += part
    except (ryaml.InvalidYamlError, ValueError):
        return REFUSED
    root[key] = found
    return root


#: ryaml keeps what it has read in two forms: of 100 tasks both fit into a processor's cache.
_AT_ONCE = 100


def _explain(text: str, spans: Sequence[Span]) -> object:
    from ralphgit.records import yaml_nodes

    inner = [span for span in spans if quick(text[span[0] : span[1]]) is REFUSED]
    for start, end in inner:
        try:
            yaml_nodes.compose(text[start:end])
        except InvalidRecord as error:
            raise _shifted(error, text, start) from None
    node = yaml_nodes.compose(text)
    return yaml_nodes.value(node)


def _shifted(error: InvalidRecord, text: str, start: int) -> InvalidRecord:
    line, column = texts.position(text, start)
    return InvalidRecord(
        error.message,
        line=error.line + line - 1,
        column=error.column + (column - 1 if error.line == 1 else 0),
        hint=error.hint,
        code=error.code,
    )
