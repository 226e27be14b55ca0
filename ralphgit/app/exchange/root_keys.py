"""Decide what becomes of the root keys of a graph, but for its lists, when a file is imported.

They are decided as the fields of a task are (`three_way_import`): the graph's own `x-source` has
for each file what it said under which key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ralphgit.app.exchange import three_way_import
from ralphgit.app.exchange.three_way_import import Given
from ralphgit.model.task_status import Status
from ralphgit.records.importers.parts.merge_files import GROUPS
from ralphgit.records.task_origin import SOURCE, Origin

_NOT_KEPT = frozenset({"version", "tasks", SOURCE, *GROUPS})


class Decided(NamedTuple):
    fields: dict[str, Any]
    """The keys that change, `x-source` with them; None takes one out."""
    left: tuple[str, ...]
    """Those that are another file's here, or a person's, with another value."""
    notes: tuple[str, ...]


def owners(roots: Sequence[tuple[str, Mapping[str, object]]]) -> dict[str, str]:
    """By root key, the first of these files that has it."""
    return {key: file for file, root in reversed(roots) for key in root if key not in _NOT_KEPT}


def decide(
    here: Mapping[str, Any], root: Mapping[str, object], owners: Mapping[str, str], given: Given
) -> Decided:
    """Decide what the root keys, now `here`, become where the files, by `owners`, say `root`."""
    origins = _origins(here, given)
    whose = {label: file for file, origin in origins.items() for label in origin.digests}
    fields: dict[str, Any] = {}
    left: list[str] = []
    notes: list[str] = []
    for file in dict.fromkeys((*owners.values(), *(one for one in origins if one in given.files))):
        said: dict[str, Any] = {}
        for key in (key for key, owner in owners.items() if owner == file):
            known = whose.get(three_way_import.label(key))
            if known == file or (known is None and here.get(key, root[key]) == root[key]):
                said[key] = root[key]
            elif here.get(key) != root[key]:
                left.append(key)
        before = origins.get(file) or Origin((file,), {})
        own = {key: here[key] for key in here if three_way_import.label(key) in before.digests}
        own |= {key: here[key] for key in said if key in here}
        stored = {**_task(file, own), SOURCE: before.stored()}
        decision = three_way_import.decide(stored, _task(file, said), (file,), given)
        fields |= decision.fields
        notes += decision.notes
        if changed := [key for key in decision.fields if key in here]:
            notes.append(f"{', '.join(changed)} of the graph changed as in {file}.")
        if decision.fields or file in origins:
            origins[file] = decision.origin or before
    listed = [origin.stored() for origin in origins.values() if origin.digests]
    remembered = listed[0] if len(listed) == 1 else listed or None
    if remembered != here.get(SOURCE):
        fields[SOURCE] = remembered
    return Decided(fields, tuple(left), tuple(notes))


def _origins(here: Mapping[str, Any], given: Given) -> dict[str, Origin]:
    """By file, as it is called now, what the graph remembers of it."""
    value = here.get(SOURCE)
    found = {}
    for one in value if isinstance(value, list) else [value]:
        origin = given.origin({SOURCE: one})
        if origin is not None:
            found[origin.files[0]] = origin
    return found


def _task(file: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**fields, "id": file, "status": Status.PENDING.value}
