"""Write this worktree's tasks in a format for other tools; the graph stays as it is."""

import os
from typing import Any, NamedTuple

from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.revisions import view_at
from ralphgit.errors import GuardRefused
from ralphgit.records import atomic_files, export_formats


class ExportOptions(NamedTuple):
    """The options of `export`."""

    form: str = "jsonl"
    """One of `export_formats.FORMATS`."""
    file: str = ""
    """Where to; "" to write nothing."""
    at: str = ""
    force: bool = False
    """Also over a file that is there."""
    tick: tuple[str, ...] = ()
    """The files in which what is complete is marked as done, and nothing is exported otherwise."""


class Export(NamedTuple):
    text: str
    tasks: int


def export(project: Project, options: ExportOptions) -> Export:
    """Export the tasks as `options.form`, into `options.file` too if one is named.

    Raises: InvalidRecord; UsageError (bad_revision, no_file); GuardRefused (bare, exists,
    outside); NotWritable.
    """
    view = view_at(project, options.at)
    root = _root(view) if options.form in export_formats.WITH_ROOT else {}
    tasks = [view.stored(row) for row in view.rows]
    made = Export(export_formats.text(options.form, tasks, root), len(tasks))
    if options.file:
        _write(project, options.file, made.text, force=options.force)
    return made


def _root(view: GraphView) -> dict[str, Any]:
    """What the graph's files have beside tasks."""
    from ralphgit.records import graph_file

    root: dict[str, Any] = {}
    for path, _ in view.shards:
        data = view.content(path).encode("utf-8")
        own = graph_file.parse(data, path=path, limit=max(len(data), 1)).root
        root.update((key, value) for key, value in own.items() if key not in root)
    return root


def _write(project: Project, name: str, text: str, *, force: bool) -> None:
    from ralphgit.app.rendering import output_file

    path = output_file.place(project, name, (row.file for row in project.here.rows))
    if os.path.lexists(path) and not force:
        hint = "name another file, or replace it with --force"
        raise GuardRefused(f"{name} exists; nothing was written", code="exists", hint=hint)
    atomic_files.write(path, text.encode("utf-8"))
