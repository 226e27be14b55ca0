"""Read what earlier attempts at a task have left: questions, answers, and refs that keep work."""

import os
from collections.abc import Mapping, Sequence

from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, Refused
from ralphgit.model.active_claim import RESCUE
from ralphgit.model.handoff import Guidance
from ralphgit.records import atomic_files
from ralphgit.records import question_file as codec


def recorded(project: Project, task: str) -> list[Guidance]:
    """Read the questions about a task, oldest first, from the base and from this worktree.

    If the base's copy of a record has an answer, it counts. One that cannot be read is
    warned about.
    """
    found = {one.id: one for one in parsed(project, task, _here(project, task))}
    for one in parsed(project, task, on_base(project, task)):
        if one.answer is not None or one.id not in found:
            found[one.id] = one
    return sorted(found.values(), key=lambda one: (one.at, one.id))


def on_base(project: Project, task: str) -> dict[str, bytes]:
    """Read the guidance files of a task on the base, by path."""
    if not project.base.commit:
        return {}
    folder = codec.folder(project.config.records, task)
    objects = project.repository.objects
    listed = objects.files([project.base.commit], [], [folder], _is_record)[project.base.commit]
    contents = objects.read(oid for _, oid in listed)
    return {path: contents[oid] for path, oid in listed if oid in contents}


def _here(project: Project, task: str) -> dict[str, bytes]:
    if project.repository.top is None:
        return {}
    folder = codec.folder(project.config.records, task)
    full = project.file(folder)
    names: Sequence[str] = sorted(os.listdir(full)) if os.path.isdir(full) else ()
    found = {}
    for name in filter(_is_record, names):
        try:
            data = atomic_files.read(project.file(f"{folder}/{name}"))
        except (Refused, InvalidRecord) as error:
            project.warn(error.message)
            continue
        if data is not None:
            found[f"{folder}/{name}"] = data
    return found


def _is_record(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.endswith(".yaml") and not name.startswith(atomic_files.TEMPORARY)


def parsed(project: Project, task: str, contents: Mapping[str, bytes]) -> list[Guidance]:
    """Parse the records about a task; one that cannot be read is warned about."""
    found = []
    for path, data in contents.items():
        try:
            one = codec.parse(data)
        except InvalidRecord as error:
            project.warn(f"{error.at(path)} (passed over)")
            continue
        if one.task == task:
            found.append(one)
    return found


def kept(project: Project, task: str) -> tuple[str, ...]:
    """List the rescue refs with earlier work on a task."""
    place = f"{RESCUE}{task}/"
    return tuple(sorted(name for name in project.repository.refs if name.startswith(place)))
