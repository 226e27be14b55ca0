"""Import Task Master's `tasks.json`: numbered tasks with subtasks, under tags.

A subtask is a task of its own, `2.1` of `2`, which waits for all that are inside it. Tasks of a tag
other than `master` have the tag before their number, and it is their story.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from ralphgit.model.offered_scope import SUGGESTED
from ralphgit.model.printable import counted
from ralphgit.model.task_status import Mode
from ralphgit.records.importers.import_format import NO, SURE, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import document_task, json_places, tick_in_place, waiting
from ralphgit.records.importers.parts.field_mapping import in_order, task_of, word_for_done
from ralphgit.records.importers.parts.paths_in_prose import listed as listed_path
from ralphgit.records.importers.parts.source_values import (
    MISSING,
    as_mapping,
    as_word,
    safe_id,
    safe_names,
    short,
    unique_ids,
)
from ralphgit.records.importers.parts.suggested_scope import suggestion
from ralphgit.records.importers.source_file import SourceFile

_USUAL = "master"
#: A file is one of these if one of its tasks has one of them.
_KEYS = frozenset({"dependencies", "subtasks", "testStrategy"})
#: In Shrimp's file, when a task was last changed; and the files that one changes.
_STAMP = "updatedAt"
_CHANGED = frozenset({"TO_MODIFY", "CREATE"})
_SAID = ("title", "description")
_DEFERRED = 5
_ENDED = ("done", "completed", "complete", "cancelled")
"""The priority of what is put off: it comes last."""


class _Entry(NamedTuple):
    id: str
    fields: dict[str, object]
    tag: str
    before: str
    """What stands before the ids of its siblings: the tag, the task that it is a part of."""
    refs: tuple[str, ...]
    """What it waits for, as it is written."""
    path: json_places.Path
    """The keys that lead to it."""


_Listed = list[tuple[json_places.Path, dict[str, object]]]


def _tags(file: SourceFile) -> Iterator[tuple[str, _Listed]]:
    """The tasks under each tag, with the keys that lead to each; without tags as `master`'s."""
    root = file.root
    named = [(tag, as_mapping(value)) for tag, value in root.items() if tag != "tasks"]
    groups = [(_USUAL, root)] if "tasks" in root else [(t, v) for t, v in named if v is not None]
    for tag, group in groups:
        listed = group.get("tasks")
        if isinstance(listed, list):
            above = ("tasks",) if group is root else (tag, "tasks")
            found = enumerate(map(as_mapping, listed))
            yield tag, [((*above, at), item) for at, item in found if item is not None]


def _sniff(file: SourceFile) -> int:
    if "version" in file.root:
        return NO
    tasks = [fields for _, listed in _tags(file) for _, fields in listed]
    numbered = all(isinstance(fields.get("id"), int | str) for fields in tasks)
    return SURE if numbered and any(fields.keys() & _KEYS for fields in tasks) else NO


def _read(file: SourceFile) -> Imported:
    """A task for each task and subtask.

    Raises: InvalidRecord (duplicate_id; invalid_record for a task without an id).
    """
    if _sniff(file) == NO:
        raise file.refused("there is no task of Task Master in this file")
    log, as_whole = Log(), list[str]()
    found = [
        entry
        for tag, listed in _tags(file)
        for path, fields in listed
        for entry in _entries(fields, path, tag, "" if tag == _USUAL else f"{tag}.", log, as_whole)
    ]
    if as_whole:
        said = counted(len(as_whole), "subtask")
        log.note(f"{said} without a status of what is done or cancelled: taken for the same.")
    lines = [file.line_of(*entry.path) for entry in found]
    ids = [{"id": entry.id} for entry in found]
    sources = unique_ids(file.name, list(zip(lines, ids, strict=True)))
    names = safe_names(sources, log)
    inside: dict[str, list[str]] = {}
    for entry in found:
        inside.setdefault(entry.before, []).append(entry.id)
    waits = _waits(found, inside, log)
    tasks = [_task(entry, waits[entry.id], inside.get(f"{entry.id}.", []), names, log)
             for entry in found]  # fmt: skip
    stories: list[dict[str, object]] = []
    with_parts = {entry.tag for entry in found if entry.before != _top(entry)}
    for entry, task in zip(found, tasks, strict=True):
        if entry.tag in with_parts:
            _place(entry, task, names)
        if f"{entry.id}." in inside:
            stories.append({"id": task["id"], **{key: task[key] for key in _SAID if key in task}})
    tasks = list(map(in_order, tasks))
    where = {names[entry.id.casefold()]: line for entry, line in zip(found, lines, strict=True)}
    root: dict[str, object] = {"stories": stories} if stories else {}
    return log.imported(tasks, root, local=True)._replace(lines=where)


def _top(entry: _Entry) -> str:
    """What stands before the ids of all tasks of a tag."""
    return "" if entry.tag == _USUAL else f"{entry.tag}."


def _place(entry: _Entry, task: dict[str, object], names: Mapping[str, str]) -> None:
    """Have a task with its subtasks be a story: each subtask's packet has what the task says.

    So is every other task of the file, as stories come before tasks without one.
    """
    above = entry.before.removesuffix(".") if entry.before != _top(entry) else entry.id
    task["story"] = names[above.casefold()]
    if entry.tag != _USUAL:
        task["milestone"] = entry.tag


def _own_number(id: str, before: str) -> str:
    """The number of a subtask, also where its id has that of its task before it: 1 of 2.1 in 2."""
    parts = before.rstrip(".").split(".")
    above = (".".join(parts[at:]) + "." for at in range(len(parts)))
    prefix = next((one for one in above if one != "." and id.startswith(one)), "")
    return id.removeprefix(prefix) or id


def _entries(
    fields: dict[str, object], path: json_places.Path, tag: str, before: str, log: Log,
    as_whole: list[str],
) -> Iterator[_Entry]:  # fmt: skip
    """A task, and behind it those inside it; `as_whole` gets the tasks whose status these have."""
    number = _own_number(as_word(fields.get("id")) or "", before)
    listed = fields.pop("subtasks", None)
    inner = [as_mapping(item) for item in listed] if isinstance(listed, list) else []
    put_off = (as_word(fields.get("status")) or "").casefold() == "deferred"
    urgency = _DEFERRED if put_off else fields.get("priority")
    depends = fields.pop("dependencies", None)
    refs = []
    for ref in depends if isinstance(depends, list) else ():
        named = as_mapping(ref)
        ref = named.get("taskId") if named else ref
        if word := str(ref) if isinstance(ref, float) else as_word(ref):
            refs.append(word)
        else:
            log.note(f"{before}{number}: its dependency {short(ref)} names nothing: left out.")
    yield _Entry(f"{before}{number}", fields, tag, before, tuple(refs), path)
    for at, item in enumerate(inner):
        if item is None:
            log.note(f"{before}{number}: a subtask that is no JSON object was left out.")
            continue
        # Nor is it open where the whole is done.
        if item.get("status") in (None, "") and fields.get("status") in _ENDED:
            item["status"] = fields["status"]
            as_whole.append(f"{before}{number}")
        # A part is as urgent as the whole, where it says nothing else.
        if item.get("priority") in (None, "") and urgency is not None:
            item["priority"] = urgency
        yield from _entries(item, (*path, "subtasks", at), tag, f"{before}{number}.", log, as_whole)


def _waits(
    found: Sequence[_Entry], inside: Mapping[str, Sequence[str]], log: Log
) -> dict[str, list[str]]:
    """What each waits for: what it says, all that is inside it, and what it is inside of waits for.

    None of these but the first makes a circle.
    """
    there = {entry.id for entry in found}
    own = {entry.id: [_meant(entry, ref, there, log) for ref in entry.refs] for entry in found}
    waits = {id: list(refs) for id, refs in own.items()}
    for entry in found:
        parts = waiting.without_circles(entry.id, inside.get(f"{entry.id}.", ()), waits)
        waits[entry.id] = list(dict.fromkeys((*waits[entry.id], *parts)))
    for entry in found:
        above = entry.before.removesuffix(".")
        if not entry.refs and above in own:
            refs = [ref for ref in own[above] if not ref.startswith(entry.before)]
            own[entry.id] = waiting.without_circles(entry.id, refs, waits)
            waits[entry.id] = list(dict.fromkeys((*own[entry.id], *waits[entry.id])))
    return waits


def _meant(entry: _Entry, ref: str, there: Collection[str], log: Log) -> str:
    """The task that a dependency names: a sibling, a whole number such as 1.2, or a task.

    Task Master reads 3 in a subtask as a sibling where it looks for the next one, and as the task
    3 where it adds and checks dependencies.
    """
    top = _top(entry)
    if "." in ref:
        return f"{top}{ref}"
    sibling, task = f"{entry.before}{ref}", f"{top}{ref}"
    if sibling not in there and task in there:
        log.note(f"{entry.id} depends on {ref}: none beside it is that, so task {task} is.")
        return task
    return sibling


def _task(
    entry: _Entry, waits: Sequence[str], inside: Sequence[str], names: Mapping[str, str], log: Log
) -> dict[str, object]:
    new, fields = names[entry.id.casefold()], entry.fields
    word = (as_word(fields.get("status")) or "pending").casefold()
    if word == "deferred":
        fields |= {"status": "pending", "priority": _DEFERRED, "x-status": word}
    elif word == "review":
        fields |= {"status": "in-progress", "x-status": word}
    details = [fields.get("description"), fields.pop("details", None)]
    details += _of_shrimp(fields, log)
    fields["description"] = "\n\n".join(one for one in details if isinstance(one, str) and one)
    if strategy := as_word(fields.pop("testStrategy", None)):
        listed = document_task.criteria_in(strategy)
        fields["acceptance"] = listed if len(listed) > 1 else [strategy]
    if entry.tag != _USUAL:
        fields["story"] = entry.tag
    if inside and set(waits).issuperset(inside):
        # The work is in the subtasks: nobody could change a file for the task itself.
        fields |= {"mode": Mode.VERIFY.value}
        fields.setdefault("acceptance", ["all of its subtasks are done"])
    fields["depends_on"] = [names[ref.casefold()] for ref in waits if ref.casefold() in names]
    if missing := [ref for ref in waits if ref.casefold() not in names]:
        fields[MISSING] = missing
        log.note(f"{new} depends on {', '.join(missing)}, not in the file: kept aside.")
    fields = {key: value for key, value in fields.items() if value not in (None, "", [])}
    return in_order(task_of(new, fields, log, ""))


def _of_shrimp(fields: dict[str, object], log: Log) -> list[object]:
    """Read what Shrimp calls otherwise, in its own file of tasks; more of the description."""
    if fields.get("title") or not fields.get("name"):
        return []
    fields["title"] = fields.pop("name")
    if "verificationCriteria" in fields:
        fields.setdefault("testStrategy", fields.pop("verificationCriteria"))
    if fields.pop(_STAMP, None) is not None:
        log.drop(_STAMP)
    listed = fields.get("relatedFiles")
    files = [as_mapping(one) or {} for one in listed] if isinstance(listed, list) else []
    paths = [one.get("path") for one in files if one.get("type") in _CHANGED]
    if touched := [path for one in paths if isinstance(one, str) and (path := listed_path(one))]:
        fields[SUGGESTED] = suggestion(touched)
    return [fields.pop("implementationGuide", None)]


def _tick(file: SourceFile, raw: str, ids: Collection[str]) -> str:
    """Set the status of these tasks and subtasks to done."""
    where = json_places.places(raw)
    groups: list[tuple[str, json_places.Path]] = [(_USUAL, ("tasks",))]
    if "tasks" not in file.root:
        groups = [(tag, (tag, "tasks")) for tag, _ in _tags(file)]
    found = [
        at
        for tag, above in groups
        for id, at in _numbered(raw, where, above, "" if tag == _USUAL else f"{tag}.")
        if safe_id(id) in ids
    ]
    values = (raw[slice(*where[at])] for at in where if at[-1:] == ("status",))
    said = [json.loads(value) for value in values if value.startswith('"')]
    edits = []
    for at in found:
        usual = "done" if (*at, "title") in where else "completed"
        word = json.dumps(word_for_done(said, usual))
        edits.append(json_places.with_value(raw, where, at, "status", word))
    return tick_in_place.edited(raw, edits)


def _numbered(
    raw: str, where: Mapping[json_places.Path, tuple[int, int]], above: json_places.Path,
    before: str,
) -> Iterator[tuple[str, json_places.Path]]:  # fmt: skip
    """The id of each task of a list, and of those inside it, with its place."""
    number = 0
    while (at := (*above, number)) in where:
        number += 1
        if (*at, "id") not in where:
            continue
        start, end = where[(*at, "id")]
        id = f"{before}{_own_number(as_word(json.loads(raw[start:end])) or '', before)}"
        yield id, at
        yield from _numbered(raw, where, (*at, "subtasks"), f"{id}.")


IMPORTER = Importer(
    name="taskmaster",
    help="Task Master's tasks.json: numbered tasks with subtasks, under tags or not.",
    sniff=_sniff,
    read=_read,
    tick=_tick,
)
