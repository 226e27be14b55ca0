"""Find the dependency graph that Kiro writes below a list: the ids of its items, in waves."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from ralphgit.records.importers.parts.markdown_items import Node
from ralphgit.records.importers.parts.source_values import as_word


class Waves(NamedTuple):
    line: int
    """That of the graph, from 1."""
    ids: tuple[tuple[str, ...], ...]
    """Of each wave, case-folded."""


def find(nodes: Iterable[Node]) -> Waves | None:
    """The graph in a block of JSON: `{"waves": [["1.1", 2], {"tasks": ["1.2"]}]}`."""
    for node in nodes:
        if node.kind != "fence" or '"waves"' not in node.text:
            continue
        try:
            value = json.loads(node.text)
        except (ValueError, RecursionError):
            continue
        waves = value.get("waves") if isinstance(value, dict) else None
        if isinstance(waves, list):
            each = (wave.get("tasks") if isinstance(wave, dict) else wave for wave in waves)
            ids = tuple(
                tuple(word.casefold() for one in wave if (word := as_word(one)))
                for wave in each
                if isinstance(wave, list)
            )
            return Waves(node.line, ids)
    return None
