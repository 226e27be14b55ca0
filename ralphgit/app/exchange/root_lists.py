"""Decide what becomes of the stories and milestones of a graph when a file is imported.

Each entry is decided as a task is (`three_way_import`): it remembers what the source said of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ralphgit.app.exchange import three_way_import
from ralphgit.app.exchange.import_sources import Source
from ralphgit.app.exchange.three_way_import import Given
from ralphgit.model.task_status import Status
from ralphgit.records.importers.parts.merge_files import GROUPS
from ralphgit.records.task_origin import SOURCE

#: An entry has no lifecycle.
_OPEN = {"status": Status.PENDING.value}


class GroupChange(NamedTuple):
    """A story or milestone that was written."""

    key: str
    """The list it is in, of `GROUPS`."""
    id: str
    fields: tuple[str, ...]
    """Those that changed; none for a new one."""


class Decided(NamedTuple):
    changed: dict[str, dict[str, Any]]
    """By id, the entries that change, as they will be."""
    new: list[dict[str, Any]]
    changes: tuple[GroupChange, ...]
    """What is to be said of both: not of an entry that just remembers its source otherwise."""
    notes: tuple[str, ...]


def entries(value: object) -> list[dict[str, Any]]:
    """The entries of a list that are mappings."""
    return (
        [dict(one) for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
    )


def added(key: str, value: object) -> tuple[GroupChange, ...]:
    """What is to be said of a list whose entries are all new."""
    return tuple(GroupChange(key, str(one.get("id")), ()) for one in entries(value))


def with_origins(
    root: Mapping[str, object], groups: Mapping[tuple[str, str], Sequence[str]], given: Given
) -> dict[str, object]:
    """`root` with the origin of each entry of its lists."""
    found = dict(root)
    for key in {*GROUPS} & root.keys():
        value = root[key]
        if isinstance(value, list):
            found[key] = [
                _stamped(one, groups.get((key, str(one.get("id"))), ()), given)
                if isinstance(one, Mapping)
                else one
                for one in value
            ]
    return found


def decide(
    key: str, here: object, source: Source, elsewhere: Collection[tuple[str, str]]
) -> Decided:
    """Decide what the list `key`, now `here`, becomes; `elsewhere` is what other files have."""
    known = {str(one.get("id")): one for one in entries(here)}
    changed: dict[str, dict[str, Any]] = {}
    new: list[dict[str, Any]] = []
    changes: tuple[GroupChange, ...] = ()
    notes: tuple[str, ...] = ()
    for entry in entries(source.root[key]):
        id = str(entry.get("id"))
        files = source.groups.get((key, id), ())
        if id not in known:
            if (key, id) not in elsewhere:
                new.append(_stamped(entry, files, source.given))
            continue
        old = known[id]
        decision = three_way_import.decide(
            {**old, **_OPEN}, {**entry, **_OPEN}, files, source.given
        )
        notes += decision.notes
        if decision.fields:
            changes += (GroupChange(key, id, tuple(decision.fields)),)
        made = {**old, **decision.fields}
        if decision.origin:
            made[SOURCE] = decision.origin.stored()
        if decision.fields or decision.origin:
            changed[id] = {name: value for name, value in made.items() if value is not None}
    return Decided(changed, new, (*added(key, new), *changes), notes)


def _stamped(entry: Mapping[str, Any], files: Sequence[str], given: Given) -> dict[str, Any]:
    if not files:
        return dict(entry)
    origin = three_way_import.first({**entry, **_OPEN}, files, given)
    return {**entry, SOURCE: origin.stored()}
