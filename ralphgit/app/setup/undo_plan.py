"""Undo what `init` made, unless it was changed since.

What it wrote says so itself: a sealed file or block by its digest, the rest by being exactly what
`init` writes. So it works in a clone, after a commit, and after an `init` that was killed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

from ralphgit.app.setup import file_actions, init_plan, managed_files
from ralphgit.app.setup.file_actions import Step
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RalphError
from ralphgit.model.printable import counted
from ralphgit.records import atomic_files, settings_file


def plan(project: Project, *, skill: str = "") -> list[Step]:
    """Plan what to remove, and what to keep and why, without writing anything.

    A graph with tasks is never removed, nor a record, nor what somebody has changed.

    Raises: GuardRefused (bare); UsageError for a folder outside the repository.
    """
    folders = dict.fromkeys((*managed_files.SKILL_FOLDERS, *filter(None, [skill])))
    whole = [managed_files.skill_path(project, folder) for folder in folders]
    whole += managed_files.JOBS.values()
    graph = list(_graph(project))
    found: list[Step | None] = [
        *graph,
        _settings(project, [step.name for step in graph if step.verb == "keep"]),
        managed_files.unset_attributes(project),
        *managed_files.unset_diff(project),
        *managed_files.unset_recipes(project),
        *managed_files.unset_instructions(project),
        *(file_actions.unset_whole(project, name) for name in dict.fromkeys(whole)),
    ]
    schemas = list(managed_files.unset_schemas(project))
    going = {os.path.join(project.top, step.name) for step in schemas}
    found += [*schemas, managed_files.unset_exclude(project, going)]
    return [step for step in found if step is not None]


def _graph(project: Project) -> Iterator[Step]:
    """The graph files that are as `init` makes them, and the folders that are empty without."""
    for path in project.paths_in(project.top):
        known = atomic_files.read(os.path.join(project.top, path)) or b""
        if known.replace(b"\r\n", b"\n") != init_plan.template():
            yield file_actions.keep(path, _content(project, path))
        elif file_actions.is_elsewhere(project, path):
            yield file_actions.keep(path, file_actions.LINKED)
        else:
            yield file_actions.remove(project, path)
    for folder in project.places_here.folders:
        full = os.path.join(project.top, folder)
        if folder and not file_actions.is_elsewhere(project, folder) and _is_empty(full):
            yield Step("remove", f"{folder}/", partial(_remove_folder, full))


def _content(project: Project, path: str) -> str:
    try:
        number = sum(row.file == path for row in project.here.rows)
    except RalphError:
        return file_actions.EDITED
    if not number:
        return file_actions.EDITED
    return f"it has {counted(number, 'task')}"


def _is_empty(folder: str) -> bool:
    return os.path.isdir(folder) and not os.listdir(folder)


def _remove_folder(path: str, undo: atomic_files.Undo) -> None:
    os.rmdir(path)
    undo.on_failure(partial(os.mkdir, path))


def _settings(project: Project, graph: list[str]) -> Step | None:
    step = file_actions.unset_whole(project, settings_file.FILE)
    if step is None or step.verb != "remove" or not graph:
        return step
    data = atomic_files.read(os.path.join(project.top, settings_file.FILE)) or b""
    if "graph" in settings_file.parse(data):
        return file_actions.keep(settings_file.FILE, "it says where the graph is")
    return step
