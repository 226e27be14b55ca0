"""Plan the steps of `init` without writing, then take them, or take them back."""

import os
from collections.abc import Callable
from typing import NamedTuple

from ralphgit.app.workspace.project import Project
from ralphgit.records import atomic_files, init_marks

EDITED = "it is not as init wrote it"
LINKED = "it is a link, or leads through one"


class Step(NamedTuple):
    """What becomes of one file, folder or setting."""

    verb: str
    """create, change, renew (what an earlier `init` wrote), remove or keep."""
    name: str
    """Relative to the top; a folder's ends in `/`."""
    act: Callable[[atomic_files.Undo], None] | None = None
    """Does it; remembered, so that a failure of a later step takes it back."""
    why: str = ""
    """Why it is kept, where that needs saying."""


def keep(name: str, why: str = "") -> Step:
    return Step("keep", name, None, why)


def write(project: Project, verb: str, name: str, data: bytes) -> Step:
    full = os.path.join(project.top, name)
    return Step(verb, name, lambda undo: undo.write(full, data))


def remove(project: Project, name: str) -> Step:
    """Remove a file, and the folders above it that are empty then."""
    full = os.path.join(project.top, name)
    return Step("remove", name, lambda undo: undo.remove(full))


def do(project: Project, steps: list[Step]) -> None:
    """Take every step, or none.

    Raises: NotWritable and what else a step raises; what was done is taken back then.
    """
    with atomic_files.Undo() as undo:
        for step in steps:
            if step.act is not None:
                step.act(undo)
    for step in steps:
        if step.verb == "remove":
            _remove_empty(project.top, os.path.dirname(step.name.rstrip("/")))


def _remove_empty(top: str, folder: str) -> None:
    while folder:
        try:
            os.rmdir(os.path.join(top, folder))
        except OSError:
            return  # something is in it, or it is gone
        folder = os.path.dirname(folder)


# -- files that are ours as a whole --------------------------------------------------------


def set_whole(project: Project, name: str, data: bytes) -> Step:
    """Make a sealed file, or renew it unless it was changed."""
    if is_elsewhere(project, name):
        return keep(name, LINKED)
    known = _read(project, name)
    if known is None:
        return write(project, "create", name, data)
    if known.replace(b"\r\n", b"\n") == data:
        return keep(name)
    unchanged = init_marks.is_unchanged(known)
    return write(project, "renew", name, data) if unchanged else keep(name, EDITED)


def unset_whole(project: Project, name: str) -> Step | None:
    """Remove a sealed file unless it was changed; None where there is none."""
    if is_elsewhere(project, name):
        return keep(name, LINKED)
    known = _read(project, name)
    if known is None:
        return None
    return remove(project, name) if init_marks.is_unchanged(known) else keep(name, EDITED)


# -- blocks in files of others -------------------------------------------------------------


def set_block(project: Project, name: str, text: bytes, marks: init_marks.Marks) -> Step:
    """Put a sealed block into a file, or renew it unless it was changed."""
    if is_elsewhere(project, name):
        return keep(name, LINKED)
    data = _read(project, name)
    try:
        known = init_marks.body(data or b"", marks)
        if known == text:
            return keep(name)
        if known is not None and not init_marks.is_unchanged(known):
            return keep(name, "its ralphgit block is not as init wrote it")
        verb = "renew" if known is not None else "create" if data is None else "change"
        return write(project, verb, name, init_marks.put(data or b"", text, marks))
    except init_marks.UnclearMarks as error:
        return keep(name, str(error))


def unset_block(project: Project, name: str, marks: init_marks.Marks) -> Step | None:
    """Remove a block unless it was changed; None where there is none."""
    if is_elsewhere(project, name):
        return None
    data = _read(project, name) or b""
    try:
        known = init_marks.body(data, marks)
        if known is None:
            return None
        if not init_marks.is_unchanged(known):
            return keep(name, "its ralphgit block is not as init wrote it")
        rest = init_marks.without(data, marks)
    except init_marks.UnclearMarks as error:
        return keep(name, str(error))
    return write(project, "change", name, rest) if rest else remove(project, name)


def is_elsewhere(project: Project, name: str) -> bool:
    """Whether writing to `name` would write somewhere else: it leads through a link."""
    top = os.path.realpath(project.top)
    return os.path.realpath(os.path.join(top, name)) != os.path.normpath(os.path.join(top, name))


def _read(project: Project, name: str) -> bytes | None:
    return atomic_files.read(os.path.join(project.top, name))
