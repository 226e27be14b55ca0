"""Mark what is complete here as done in the files that it was imported from."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ralphgit.app.exchange import import_formats, import_sources, source_folder, three_way_import
from ralphgit.app.exchange.import_sources import Reading
from ralphgit.app.rendering import output_file
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.revisions import view_at
from ralphgit.errors import InvalidRecord, UsageError
from ralphgit.model.task_status import Status
from ralphgit.records import atomic_files
from ralphgit.records.importers import Imported
from ralphgit.records.task_origin import Origin


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
    formats = import_formats.to_try("", folder=folder, warn=project.warn)
    how = Reading(formats, import_sources.boxes(project.config.import_marks))
    for name, beside in source_folder.expand(folder, names):
        label = import_sources.label(project.top, os.path.join(folder, name))
        read = import_sources.reader(project, name, how, beside=beside or _known(view, label))
        if read is None and not beside:
            raise UsageError(
                f"the items of {name} have no boxes that could be ticked; write [ ] before them; "
                "nothing was written",
                code="no_tick", hint=f"ralphgit import {name}",
            )  # fmt: skip
        if read is None:
            continue
        done = _complete(view, label)
        if not done and not beside and not _known(view, label):
            raise UsageError(
                f"no task here came from {name}; nothing was written",
                code="not_imported", hint=f"ralphgit import {name}",
            )  # fmt: skip
        if read.importer.tick is None:
            raise UsageError(
                f"{name} is of the format {read.importer.name}, in which nothing can be ticked",
                code="no_tick", hint="docs/import.md lists the formats that can be",
            )  # fmt: skip
        found = read.importer.read(read.file)
        there = {str(task["id"]): task for task in found.tasks}
        missing = tuple(
            id for source, (id, words) in done.items() if not _is_there(there.get(source), words)
        )
        ended = {id for id, task in there.items() if task["status"] == Status.COMPLETE}
        known = {source for source, (id, _) in done.items() if id not in missing}
        todo = {
            source: done[source][0]
            for source in done
            if source in known - ended and (known | ended).issuperset(found.leads.get(source, ()))
        }
        ticked = Ticked(name, read.importer.name, tuple(todo.values()), missing)
        if not todo:
            made.append((name, b"", ticked))
            continue
        raw = read.data.decode("utf-8")
        new = read.importer.tick(read.file, raw, frozenset(todo)).encode("utf-8")
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


def _complete(view: GraphView, label: str) -> dict[str, tuple[str, str]]:
    """By its id in the file, each task that is complete: its id here, and a digest of its words."""
    found = {}
    for row in view.rows:
        origin = Origin.of(view.stored(row)) if row.status == Status.COMPLETE else None
        if origin is not None and label in origin.files:
            found[origin.id or row.id] = (row.id, origin.digests.get("title", ""))
    return found


def _known(view: GraphView, label: str) -> bool:
    origins = (Origin.of(view.stored(row)) for row in view.rows)
    return any(origin is not None and label in origin.files for origin in origins)


def _is_there(task: Mapping[str, Any] | None, words: str) -> bool:
    return task is not None and (not words or three_way_import.words(task) == words)


def _as_meant(old: Imported, new: Imported, todo: Collection[str]) -> bool:
    """Whether nothing but the status of `todo` has changed."""

    # What was put off is waited for once it is done.
    aside = any("x-box" in task for task in old.tasks if str(task["id"]) in todo)

    def plain(task: Mapping[str, object]) -> dict[str, object]:
        hidden = {"status", *three_way_import.OF_BOXES} if str(task["id"]) in todo else set[str]()
        hidden |= {"depends_on"} if aside else set()
        return {key: value for key, value in task.items() if key not in hidden}

    same = [*map(plain, old.tasks)] == [*map(plain, new.tasks)] and old.root == new.root
    done = {str(task["id"]) for task in new.tasks if task["status"] == Status.COMPLETE}
    return same and done >= {*todo}
