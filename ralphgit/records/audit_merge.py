"""Merge two versions of one attempt's audit file."""

from __future__ import annotations

import json
from itertools import takewhile
from typing import Any, NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.model.three_way_merge import ThreeWay
from ralphgit.records import input_limits as texts
from ralphgit.records import yaml_reader, yaml_writer


def joined(versions: ThreeWay[bytes | None]) -> bytes | None:
    """Merge two versions of an attempt's file: all events of both, in the order of their times.

    Neither may differ in anything else; the bytes of what both began with stay. The same
    whichever side is ours. None where that cannot be.

    Raises: InvalidRecord.
    """
    ours, theirs = _whole(versions.ours), _whole(versions.theirs)
    before = _whole(versions.ancestor) if versions.ancestor is not None else None
    if ours is None or theirs is None or ours.head != theirs.head:
        return None
    if before is not None and before.head != ours.head:
        return None
    both = zip(ours.events, theirs.events, strict=False)
    begun = [one for one, other in takewhile(lambda pair: pair[0] == pair[1], both)]
    old = before.events if before is not None else begun
    if begun[: len(old)] != old:
        return None
    more = [*ours.events[len(begun) :]]
    more += [event for event in theirs.events[len(begun) :] if event not in more]
    more.sort(key=lambda event: (str(event.get("at")), json.dumps(event, sort_keys=True)))
    # The one that has nothing but what both began with, where there is one: it keeps its bytes.
    start = next((one for one in (before, ours, theirs) if one and one.events == begun), None)
    text = start.text if start else _head(min(ours.text, theirs.text), begun)
    eol = "\r\n" if "\r\n" in text else "\n"
    text += "" if text.endswith("\n") else eol
    new = text + yaml_writer.sequence(more, indent=2, eol=eol)
    expected = {**ours.head, "events": [*begun, *more]}
    return (new if _says(new, expected) else yaml_writer.mapping(expected)).encode()


def _head(text: str, events: list[dict[str, Any]]) -> str:
    """A file's lines down to its events, and other events."""
    eol = "\r\n" if "\r\n" in text else "\n"
    above, _, _ = text.partition(f"{eol}events:")
    return f"{above}{eol}events:{eol}" + yaml_writer.sequence(events, indent=2, eol=eol)


def _says(text: str, expected: dict[str, Any]) -> bool:
    try:
        return bool(yaml_reader.load(text) == expected)
    except InvalidRecord:
        return False


class _Whole(NamedTuple):
    text: str
    head: dict[str, Any]
    """All but the events."""
    events: list[dict[str, Any]]


def _whole(data: bytes | None) -> _Whole | None:
    """An attempt's file; None for anything else."""
    if data is None:
        return None
    text = texts.decode(data, limit=texts.MAX_RECORD_BYTES)
    known: Any = yaml_reader.load(text)
    events = known.pop("events", None) if isinstance(known, dict) else None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        return None
    return _Whole(text, known, events) if known.get("kind") == "event" else None
