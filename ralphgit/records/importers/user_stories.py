"""Import the `prd.json` of a ralph loop, or a `feature_list.json`: stories that pass or do not.

The one with the lowest priority comes first, so the tasks are in that order; the number itself is
a rank among the stories, of which there may be any number, and stays as `x-priority`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from ralphgit.model.printable import counted
from ralphgit.model.task_status import Status
from ralphgit.records.importers.import_format import NO, SURE, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import headings, json_places, tick_in_place
from ralphgit.records.importers.parts.field_mapping import (
    in_order,
    own_refs,
    status_of,
    task_of,
    word_for_done,
)
from ralphgit.records.importers.parts.paths_in_prose import listed
from ralphgit.records.importers.parts.source_values import (
    MISSING,
    as_mapping,
    as_word,
    safe_id,
    safe_names,
    short,
    unique_ids,
)
from ralphgit.records.importers.source_file import Form, SourceFile

_STORIES = "userStories"
#: No other format has a task with one of these.
_KEYS = frozenset({"passes", "acceptanceCriteria"})
#: The usual root keys; below one of these, other spellings are enough as well.
_ROOTS = frozenset({"userstories", "stories", "features", "featurelist"})
#: How else a field is written, without capitals and underscores.
_SPELLINGS = {
    "acceptancecriteria": "acceptance", "criteria": "acceptance", "acceptance": "acceptance",
    "dependson": "depends_on", "dependencies": "depends_on", "blockedby": "depends_on",
    "passes": "passes", "priority": "priority", "title": "title", "description": "description",
    "steps": "acceptance", "verificationcommand": "verify", "verifycommand": "verify",
    "testcommand": "verify", "state": "status", "name": "title",
}  # fmt: skip
_OURS = frozenset(_SPELLINGS.values())
_TELLING = frozenset({"acceptance", "passes", "verify"})
_STATUSES = {
    "passing": Status.COMPLETE, "passed": Status.COMPLETE, "failing": Status.PENDING,
    "not-started": Status.PENDING, "spec-ready": Status.PENDING,
}  # fmt: skip

#: What a story without `passes` says once it is done, where no other has another word for it.
_USUAL_DONE = {"status": "done", "state": "passing"}
#: What is no less so where a story does not pass.
_HELD = (Status.IN_PROGRESS, Status.BLOCKED, Status.CANCELLED)

#: Marks a story whose id is made of its words.
_MADE = ""
_Stories = list[tuple[int, dict[str, object]]]


def _found(file: SourceFile) -> _Stories:
    """The stories, of a list or under a root key; those of `userStories` if there are such."""
    key = _key(file.root)
    if not key:
        return _with_ids(file.objects)
    value = file.root[key]
    entries = enumerate(map(as_mapping, value if isinstance(value, list) else ()))
    return _with_ids([(file.line_of(key, at), one) for at, one in entries if one is not None])


def _with_ids(stories: Sequence[tuple[int, dict[str, object]]]) -> _Stories:
    """The stories; one without an id is called after its words."""
    taken = {str(fields.get("id")).casefold() for _, fields in stories}
    made: _Stories = []
    for line, fields in stories:
        if as_word(fields.get("id")) is None and (words := _words(fields)):
            id = slug = headings.slug(words)
            number = 1
            while id in taken:
                number += 1
                id = f"{slug}-{number}"
            taken.add(id)
            fields = {**fields, "id": id, _MADE: True}
        made.append((line, fields))
    return made


def _words(fields: Mapping[str, object]) -> str:
    """What a story is called: its title, its name, or the first line that describes it."""
    said = (fields.get(key) for key in ("title", "name", "description"))
    words = next((one for one in said if isinstance(one, str) and one.strip()), "")
    return words.strip().partition("\n")[0]


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
    for key, value in sorted(story.items(), key=lambda item: item[0] not in _OURS):
        name = _SPELLINGS.get(_plain(key), key)
        if key == "name" and fields.get("title") not in (None, ""):
            name = key
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
    good = all(map(_words, stories))
    known = (spelled and _SPELLINGS.get(_plain(key)) in _TELLING
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
    entries = file.root.get(_key(file.root))
    if isinstance(entries, list) and (lost := len(entries) - len(stories)):
        log.note(f"{counted(lost, 'entry')} of {_key(file.root)} left out: no JSON object.")
    sources = unique_ids(file.name, stories)
    names = safe_names(sources, log)
    tasks = []
    for source, (_, story) in zip(sources, stories, strict=True):
        tasks.append(_task(source, names, story, log))
    stored = _key(file.root)
    root = {f"x-{key}": value for key, value in file.root.items() if key != stored}
    made = frozenset(names[str(story["id"]).casefold()] for _, story in stories if _MADE in story)
    lines = {
        names[source.casefold()]: line for source, (line, _) in zip(sources, stories, strict=True)
    }
    in_place = not any("x-priority" in task or "depends_on" in task for task in tasks)
    found = log.imported(tasks, root, local=True)
    return found._replace(made=made, lines=lines, in_place=in_place)


def _rank(entry: tuple[int, Mapping[str, object]]) -> float:
    value = entry[1].get("priority")
    return value if isinstance(value, int | float) else float("inf")


def _task(
    source: str, names: Mapping[str, str], story: Mapping[str, object], log: Log
) -> dict[str, object]:
    new, fields = names[source.casefold()], _spelled(story, log)
    fields.pop(_MADE, None)
    if not fields.get("title"):
        fields["title"] = _words(story)
        if fields["title"] == fields.get("description"):
            del fields["description"]
    scope = fields.get("scope")
    if isinstance(scope, list) and all(isinstance(one, str) and listed(one) for one in scope):
        fields["scope"] = {"write": scope}
    _set_status(fields, new, log)
    if isinstance(rank := fields.pop("priority", None), int | float):
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


def _set_status(fields: dict[str, object], new: str, log: Log) -> None:
    """Say by `passes` whether the story is done, and by its status what else there is to it."""
    passes, word = fields.pop("passes", None), fields.get("status")
    said = status_of(word, _STATUSES)
    status = Status.COMPLETE if passes is True else Status.PENDING
    if passes is None and "status" in fields:
        fields["status"] = said.value if said else word
        return
    fields["status"] = status.value
    if word in (None, "", []) or said == status:
        return
    fields["x-status"] = word
    if said in _HELD and status == Status.PENDING:
        fields["status"] = said.value
    else:
        kept = f"the status {short(word)} is kept as x-status"
        log.note(f"{new}: {kept}: by passes it is {status.value}.")


def _tick(file: SourceFile, raw: str, ids: Collection[str]) -> str:
    """Let these stories pass."""
    stories = [fields for _, fields in _found(file)]
    words = {
        key: word_for_done((fields.get(key) for fields in stories), usual)
        for key, usual in _USUAL_DONE.items()
    }
    if file.form is Form.JSON_LINES:
        lines = raw.split("\n")
        made = (_passing(line, None, ids, words) if line.strip() else line for line in lines)
        return "\n".join(made)
    key = _key(file.root)
    return _passing(raw, (key,) if key else (), ids, words)


def _passing(
    text: str, above: json_places.Path | None, ids: Collection[str], words: Mapping[str, str]
) -> str:
    """The JSON text in which the stories of the list `above` pass; None: it is one story."""
    where = json_places.places(text)
    value = json.loads(text)
    for key in above or ():
        value = value[key]
    entries = [((), value)] if above is None else [
        ((*above, place), entry) for place, entry in enumerate(value)
    ]  # fmt: skip
    stories = [(at, fields) for at, entry in entries if (fields := as_mapping(entry)) is not None]
    called = _with_ids([(1, fields) for _, fields in stories])
    edits = []
    for (at, fields), (_, story) in zip(stories, called, strict=True):
        done = _how_done(fields, words)
        known = (*at, "id") in where or any((*at, key) in where for key in done)
        if known and safe_id(as_word(story.get("id")) or "") in ids:
            edits += [json_places.with_value(text, where, at, *pair) for pair in done.items()]
    return tick_in_place.edited(text, edits)


def _how_done(fields: Mapping[str, object], words: Mapping[str, str]) -> dict[str, str]:
    """The keys by which a story says that it is done, with the JSON values of that."""
    for key, word in words.items():
        if isinstance(fields.get(key), str):
            return {key: json.dumps(word)} | ({"passes": "true"} if "passes" in fields else {})
    return {"passes": "true"}


IMPORTER = Importer(
    name="prd",
    help="The stories of a ralph loop's prd.json or of a feature_list.json, or a list of them.",
    sniff=_sniff,
    read=_read,
    tick=_tick,
)
