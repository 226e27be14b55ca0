"""Import the `prd.json` of a ralph loop: user stories that pass or do not.

The one with the lowest priority comes first, so the tasks are in that order; the number itself is
a rank among the stories, of which there may be any number, and stays as `x-priority`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from ralphgit.model.task_status import Status
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.importer import NO, SURE, Importer
from ralphgit.records.importers.parts import json_places, tick_in_place
from ralphgit.records.importers.parts.field_mapping import in_order, own_refs, task_of
from ralphgit.records.importers.parts.source_values import (
    MISSING,
    as_mapping,
    as_word,
    safe_id,
    safe_names,
    unique_ids,
)
from ralphgit.records.importers.source_file import Form, SourceFile

_STORIES = "userStories"
#: No other format has a task with one of these.
_KEYS = frozenset({"passes", "acceptanceCriteria"})
#: The usual root keys; below one of these, other spellings are enough as well.
_ROOTS = frozenset({"userstories", "stories"})
#: How else a field is written, without capitals and underscores.
_SPELLINGS = {
    "acceptancecriteria": "acceptance", "criteria": "acceptance", "acceptance": "acceptance",
    "dependson": "depends_on", "dependencies": "depends_on", "blockedby": "depends_on",
    "passes": "passes", "priority": "priority", "title": "title", "description": "description",
}  # fmt: skip

_Stories = list[tuple[int, dict[str, object]]]


def _found(file: SourceFile) -> _Stories:
    """The stories, of a list or under a root key; those of `userStories` if there are such."""
    key = _key(file.root)
    if not key:
        return list(file.objects)
    return [(1, fields) for fields in _mappings(file.root[key])]


def _key(root: Mapping[str, object]) -> str:
    """The root key of the stories, whatever it is called; "" where there is none."""
    others = (
        key for key, value in root.items() if _are_stories(_mappings(value), _usual(root, key))
    )
    return _STORIES if _STORIES in root else next(others, "")


def _usual(root: Mapping[str, object], key: str) -> bool:
    """Whether `key` says that stories are below it: a graph has `stories` beside its tasks."""
    return _plain(key) in _ROOTS and not root.keys() & {"tasks", "nodes"}


def _plain(key: str) -> str:
    return key.replace("_", "").replace("-", "").casefold()


def _spelled(story: Mapping[str, object], log: Log) -> dict[str, object]:
    """The story's fields under our names; of two for one, the second stays as it is."""
    fields: dict[str, object] = {}
    for key, value in story.items():
        name = _SPELLINGS.get(_plain(key), key)
        if fields.get(name) in (None, "", []):
            fields[name] = value
        elif value not in (None, "", [], fields[name]):
            fields[f"x-{key}"] = value
            log.note(f"{story.get('id')} says {name} twice: {key} is kept as x-{key}.")
    return fields


def _mappings(value: object) -> list[dict[str, object]]:
    found = map(as_mapping, value) if isinstance(value, list) else ()
    return [fields for fields in found if fields is not None]


def _are_stories(stories: Sequence[Mapping[str, object]], spelled: bool = False) -> bool:
    good = all(fields.keys() >= {"id", "title"} for fields in stories)
    known = (spelled and _SPELLINGS.get(_plain(key)) in ("acceptance", "passes")
             for fields in stories for key in fields)  # fmt: skip
    return good and (any(fields.keys() & _KEYS for fields in stories) or any(known))


def _sniff(file: SourceFile) -> int:
    stories = [fields for _, fields in _found(file)]
    return SURE if _are_stories(stories, _usual(file.root, _key(file.root))) else NO


def _read(file: SourceFile) -> Imported:
    """A task for each story.

    Raises: InvalidRecord (duplicate_id).
    """
    if _sniff(file) == NO:
        raise file.refused("there is no user story in this file")
    stories = sorted(_found(file), key=_rank)
    log = Log()
    sources = unique_ids(file.name, stories)
    names = safe_names(sources, log)
    tasks = []
    for source, (_, story) in zip(sources, stories, strict=True):
        tasks.append(_task(source, names, story, log))
    stored = _key(file.root)
    root = {f"x-{key}": value for key, value in file.root.items() if key != stored}
    return log.imported(tasks, root, local=True)


def _rank(entry: tuple[int, Mapping[str, object]]) -> float:
    value = entry[1].get("priority")
    return value if isinstance(value, int | float) else float("inf")


def _task(
    source: str, names: Mapping[str, str], story: Mapping[str, object], log: Log
) -> dict[str, object]:
    new, fields = names[source.casefold()], _spelled(story, log)
    passes = fields.pop("passes", None)
    if passes is not None or "status" not in fields:
        fields["status"] = (Status.COMPLETE if passes is True else Status.PENDING).value
    if isinstance(rank := fields.pop("priority", None), int):
        fields["x-priority"] = rank
    elif rank is not None:
        fields["priority"] = rank
    refs = own_refs(fields, new, log)
    fields["depends_on"] = [names[ref.casefold()] for ref in refs if ref.casefold() in names]
    if missing := [ref for ref in refs if ref.casefold() not in names]:
        fields[MISSING] = missing
        log.note(f"{new} depends on {', '.join(missing)}, not in the file: kept aside.")
    if source != new:
        fields["x-id"] = source
    fields = {key: value for key, value in fields.items() if value not in (None, "", [])}
    return in_order(task_of(new, fields, log, ""))


def _tick(file: SourceFile, raw: str, ids: Collection[str]) -> str:
    """Let these stories pass."""
    if file.form is Form.JSON_LINES:
        lines = raw.split("\n")
        return "\n".join(_passing(line, None, ids) if line.strip() else line for line in lines)
    key = _key(file.root)
    return _passing(raw, (key,) if key else (), ids)


def _passing(text: str, above: json_places.Path | None, ids: Collection[str]) -> str:
    """The JSON text in which the stories of the list `above` pass; None: it is one story."""
    where = json_places.places(text)
    stories = [path for path in where if path and path[:-1] == above] if above is not None else [()]
    return tick_in_place.edited(
        text,
        [
            json_places.with_value(text, where, story, "passes", "true")
            for story in stories
            if (place := where.get((*story, "id")))
            and safe_id(as_word(json.loads(text[slice(*place)])) or "") in ids
        ],
    )


IMPORTER = Importer(
    name="prd",
    help="The user stories of a ralph loop's prd.json, or a list of them.",
    sniff=_sniff,
    read=_read,
    tick=_tick,
)
