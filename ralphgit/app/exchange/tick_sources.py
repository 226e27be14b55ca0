"""Mark what is complete here as done in the files that it was imported from."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ralphgit.app.exchange import (
    extension_formats,
    import_sources,
    source_folder,
    source_prefix,
    three_way_import,
    title_remarks,
)
from ralphgit.app.exchange.import_sources import Reading
from ralphgit.app.exchange.known_task import Known, items_of, known
from ralphgit.app.exchange.match_list_items import SameWords
from ralphgit.app.rendering import output_file
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.revisions import view_at
from ralphgit.errors import InvalidRecord, UsageError
from ralphgit.model.task_status import Status
from ralphgit.records import atomic_files
from ralphgit.records.importers import Imported
from ralphgit.records.task_origin import Origin

_FORMATS = "docs/import.md lists the formats that can be"
#: By format, the command of the tool that keeps the file.
_HOW = {"beads": "bd close ID", "github": "gh issue close NUMBER"}


class Ticked(NamedTuple):
    """What was done to one file."""

    file: str
    """As it was named."""
    format: str
    tasks: tuple[str, ...]
    """Those that were marked as done."""
    missing: tuple[str, ...]
    """Those that are complete here, came from the file, and are not in it any more, or in other
    words."""
    waiting: tuple[str, ...] = ()
    """Those that are complete here, and marked once what is inside them is."""


def tick(project: Project, names: Sequence[str], *, at: str = "") -> tuple[Ticked, ...]:
    """Mark in each file the tasks as done that are complete here, and change no other byte of it.

    A folder stands for the files in it. Each file is read again as it will be, and compared, before
    one is written.

    Raises: UsageError (no_file, no_tick, not_imported, bad_revision); InvalidRecord; GuardRefused
    (bare, outside); NotWritable.
    """
    view = view_at(project, at)
    folder = project.around.directory
    made: list[tuple[str, bytes, Ticked]] = []
    formats = extension_formats.to_try("", folder=folder, warn=project.warn)
    how = Reading(formats, import_sources.boxes(project.config.import_marks))
    statuses = _Statuses(project, how)
    for name, beside in source_folder.expand(folder, names):
        label = import_sources.label(project.top, os.path.join(folder, name))
        read = import_sources.reader(project, name, how, beside=beside or bool(_known(view, label)))
        if read is None and not beside:
            raise UsageError(
                f"the items of {name} have no boxes that could be ticked; write [ ] before them; "
                "nothing was written",
                code="no_tick", hint=f"ralphgit import {shlex.quote(name)}",
            )  # fmt: skip
        if read is None:
            continue
        own = _known(view, label)
        done = _complete(view, label)
        if not done and not beside and not own:
            raise UsageError(
                f"no task here came from {name}; nothing was written",
                code="not_imported", hint=f"ralphgit import {shlex.quote(name)}",
            )  # fmt: skip
        if read.importer.tick is None:
            raise UsageError(
                f"{name} is of the format {read.importer.name}, in which nothing can be ticked",
                code="no_tick", hint=_HOW.get(read.importer.name, _FORMATS),
            )  # fmt: skip
        found = read.importer.read(read.file)
        there = {str(task["id"]): task for task in found.tasks}
        moved = _of_same_words(name, found, own)
        done = [(moved.get(id, source), id, words) for source, id, words in done]
        missing = tuple(
            id for source, id, words in done
            if not _is_there(there.get(source), words, view.by_id[id].title)
        )  # fmt: skip
        ended = {id for id, task in there.items() if task["status"] == Status.COMPLETE}
        known = {source: id for source, id, _ in done if id not in missing}
        open_here = {source: id for source, id in known.items() if source not in ended}
        todo = {
            source: id
            for source, id in open_here.items()
            if (known.keys() | ended).issuperset(found.leads.get(source, ()))
        }
        waits = tuple(id for source, id in open_here.items() if source not in todo)
        ticked = Ticked(name, read.importer.name, tuple(todo.values()), missing, waits)
        if not todo:
            made.append((name, b"", ticked))
            continue
        raw = read.data.decode("utf-8")
        file = read.file
        if source_prefix.is_document(label, found):
            file.beside = statuses.of(os.path.dirname(name))
        new = read.importer.tick(file, raw, frozenset(todo)).encode("utf-8")
        again = read.importer.read(read.opened(new))
        if not _as_meant(found, again, todo):
            raise InvalidRecord(
                f"{', '.join(todo.values())} cannot be marked in this file without changing more; "
                "nothing was written", file=name, code="unclear_layout", hint="mark it by hand",
            )  # fmt: skip
        made.append((name, new, ticked))
    shards = [row.file for row in project.here.rows]
    with atomic_files.Undo() as undo:
        for name, new, ticked in made:
            if ticked.tasks:
                undo.write(output_file.place(project, name, shards), new)
    return tuple(ticked for _, _, ticked in made)


class _Statuses:
    """What the documents of a folder say in their front matter, each folder read once."""

    def __init__(self, project: Project, how: Reading) -> None:
        self._project, self._how = project, how
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, folder: str) -> tuple[str, ...]:
        if folder not in self._known:
            names = source_folder.documents(self._project.around.directory, folder)
            self._known[folder] = tuple(word for name in names if (word := self._status(name)))
        return self._known[folder]

    def _status(self, name: str) -> str:
        try:
            read = import_sources.reader(self._project, name, self._how, beside=True)
            return str(read.file.front_matter.get("status") or "") if read else ""
        except (InvalidRecord, UsageError):
            return ""


def _complete(view: GraphView, label: str) -> list[tuple[str, str, str]]:
    """Of each task that is complete its id in the file, its id here, and a digest of its words."""
    origins = [
        (row.id, Origin.of(view.stored(row))) for row in view.rows if row.status == Status.COMPLETE
    ]
    return [
        (origin.id or id, id, origin.digests.get("title", ""))
        for id, origin in origins
        if origin is not None and label in origin.files
    ]


def _known(view: GraphView, label: str) -> list[Known]:
    """The tasks that came from a file."""
    stored = (view.stored(row) for row in view.rows)
    pairs = ((task, Origin.of(task)) for task in stored)
    own = [task for task, origin in pairs if origin is not None and label in origin.files]
    return [known(task, frozenset(), (label, 0)) for task in own]


def _of_same_words(name: str, found: Imported, own: Sequence[Known]) -> dict[str, str]:
    """By task, its id in the file now, "" for none, where several have its words."""
    if not found.local:
        return {}
    prefix = source_prefix.remembered(name, own, "")
    items = items_of(found)
    pairs = SameWords.find(found, items, own, prefix).tasks
    words = {item.words for item in items if item.name in pairs}
    now = {task.id: item for item, task in pairs.items() if task is not None}
    return {task.id: now.get(task.id, "") for task in own if task.words in words}


def _is_there(task: dict[str, Any] | None, words: str, title: str) -> bool:
    bare = title_remarks.without(task, {title}) if task is not None else None
    return bare is not None and (not words or three_way_import.words(bare) == words)


def _as_meant(old: Imported, new: Imported, todo: Collection[str]) -> bool:
    """Whether nothing but the status of `todo` has changed, and what waits for what."""

    def plain(task: Mapping[str, object]) -> dict[str, object]:
        hidden = {*three_way_import.OF_BOXES, "status"} if str(task["id"]) in todo else set[str]()
        hidden |= {"depends_on"}  # what is done before its turn hands the order on
        return {key: value for key, value in task.items() if key not in hidden}

    done = {str(task["id"]) for task in new.tasks if task["status"] == Status.COMPLETE}
    same = [*map(plain, old.tasks)] == [*map(plain, new.tasks)] and old.root == new.root
    return same and done >= {*todo}
