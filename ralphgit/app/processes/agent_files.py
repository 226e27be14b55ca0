"""Find files of the repository that an agent's command runs and that are not as the base has them.

The command is a person's; in a worktree, what it names is the work's to write. Other than in a
line of `land.via` a name counts as it stands there: an agent's line also tells it what to look at.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping

from ralphgit.app.processes import named_files, named_outside
from ralphgit.app.workspace.project import Project
from ralphgit.git import merge_preview
from ralphgit.git.objects import Objects, scratch_folder
from ralphgit.model import paths
from ralphgit.records import atomic_files


def changed_here(
    project: Project, line: str, before: Mapping[str, str] | None
) -> tuple[list[str], Mapping[str, str]]:
    """List the files that the agent of `line` runs and this worktree has neither as the base nor as
    they were `before`; returned is, too, how they are now.

    Without a `before`, those that the base does not have are what they are.
    """
    objects, top = project.repository.objects, project.top
    names = sorted(_named(line, top))
    known = objects.resolve([f"{project.base.commit}:{name}" for name in names])
    now, changed = dict[str, str](), []
    for name, oid in zip(names, known, strict=True):
        path = os.path.join(top, name)
        if os.path.isdir(path) and not os.path.islink(path):
            continue
        now[name] = _content(objects, path)
        was = (before or {}).get(name, "")
        if now[name] in (oid, was) or (oid is None and before is None):
            continue
        if not oid or now[name] != objects.blob_id(_checked_out(project, name, oid)):
            changed.append(name)
    return changed, now


def _content(objects: Objects, path: str) -> str:
    if os.path.islink(path):
        return objects.blob_id(os.fsencode(os.readlink(path)))
    return objects.file_id(path) if os.path.isfile(path) else ""


def _checked_out(project: Project, name: str, oid: str) -> bytes:
    """Return a file of the base as git checks it out by the attributes of the base: here they are
    the work's, and with other line ends a script is another one.
    """
    repository, base = project.repository, project.base.commit
    folders = ["", *(name[: at + 1] for at, char in enumerate(name) if char == "/")]
    known = repository.objects.read([f"{base}:{folder}.gitattributes" for folder in folders])
    with scratch_folder() as scratch:
        for of, data in known.items():
            place = os.path.join(scratch, of.partition(":")[2])
            os.makedirs(os.path.dirname(place), exist_ok=True)
            atomic_files.write(place, data, durable=False)
        git = merge_preview.merging(repository, scratch, keep=True)
        return git.try_run("cat-file", "--filters", f"--path={name}", oid).out


def _words(line: str) -> set[str]:
    return {word for word in named_outside.words(line) if not glob.has_magic(word)}


def _named(line: str, top: str) -> set[str]:
    """Name the files of the worktree at `top` that a line has, also behind `cd` and by links, and
    those that its programs come to without being given their names.
    """
    real, words = os.path.realpath(top), _words(line)
    words |= {os.path.relpath(one, at) for one in words for at in (top, real)
              if one.startswith(f"{at}/")}  # fmt: skip
    folders = {word for word in words if os.path.isdir(os.path.join(top, word))}
    folders |= {os.path.join(one, other) for one in folders for other in folders}
    implied = {name for one in words for name in named_files.UNNAMED.get(os.path.basename(one), ())}
    programs = {os.path.basename(word) for word in words}
    if named_outside.modules(line) or any(map(named_files.INTERPRETER.fullmatch, programs)):
        implied |= {name for one in words for name in named_files.of_module(one)}
    found = set[str]()
    for folder in {"", *folders}:
        for path in (os.path.normpath(os.path.join(folder, name)) for name in words | implied):
            found.update(glob.glob(path, root_dir=top) if glob.has_magic(path) else (path,))
    found -= {name for name in found if paths.fault(name) is not None}
    return found | {link for name in found for link in named_files.way(real, name)}
