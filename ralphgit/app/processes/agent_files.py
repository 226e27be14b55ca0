"""Find files of the repository that an agent's command runs and that are not as the base has them.

The command is a person's; in a worktree, what it names is the work's to write. Other than in a
line of `land.via` a name counts as it stands there: an agent's line also tells it what to look at.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping

from ralphgit.app.processes import named_files, named_outside
from ralphgit.app.workspace.project import Project
from ralphgit.git.objects import Objects
from ralphgit.model import paths

#: What runs a module, or a folder, that it is given.
_INTERPRETER = re.compile(r"(?:python|pypy|node|nodejs|deno|bun|tsx|ts-node|ruby|go)[\d.]*")


def changed_here(
    project: Project, line: str, before: Mapping[str, str] | None
) -> tuple[list[str], Mapping[str, str]]:
    """List the files that the agent of `line` runs and this worktree has neither as the base nor as
    they were `before`; returned is, too, how they are now.

    Without a `before`, those that the base does not have are what they are.
    """
    objects, top = project.repository.objects, project.top
    written, implied = _named(line, top)
    names = sorted(written | implied)
    known = objects.resolve([f"{project.base.commit}:{name}" for name in names])
    now, changed = dict[str, str](), []
    for name, oid in zip(names, known, strict=True):
        path = os.path.join(top, name)
        if os.path.isdir(path) and not os.path.islink(path):
            continue
        now[name] = _content(objects, path)
        was = (before or {}).get(name, "")
        if now[name] in (oid, was) or (oid and _is_converted(project, name, oid)):
            continue
        # What the base has not, and was not there, the line has run only if nobody had to name it.
        if oid or was or (before is not None and name in implied):
            changed.append(name)
    return changed, now


def _content(objects: Objects, path: str) -> str:
    if os.path.islink(path):
        return objects.blob_id(os.fsencode(os.readlink(path)))
    return objects.file_id(path) if os.path.isfile(path) else ""


def _is_converted(project: Project, name: str, oid: str) -> bool:
    """Whether git would commit a file as `oid`: the ends of its lines, say, are others here."""
    path = os.path.join(project.top, name)
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    git = project.repository.git.at(project.top)
    return git.try_run("hash-object", f"--path={name}", "--", path).out.decode().strip() == oid


def _words(line: str) -> set[str]:
    return {word for word in named_outside.words(line) if not glob.has_magic(word)}


def _named(line: str, top: str) -> tuple[set[str], set[str]]:
    """Name the files of the worktree at `top` that a line has, also behind `cd` and by links, and
    those that its programs come to without being given their names.
    """
    real, words = os.path.realpath(top), _words(line)
    words |= {os.path.relpath(one, at) for one in words for at in (top, real)
              if one.startswith(f"{at}/")}  # fmt: skip
    folders = {word for word in words if os.path.isdir(os.path.join(top, word))}
    folders |= {os.path.join(one, other) for one in folders for other in folders}
    implied = {name for one in words for name in named_files.UNNAMED.get(os.path.basename(one), ())}
    if any(_INTERPRETER.fullmatch(os.path.basename(word)) for word in words):
        run = {*named_outside.modules(line), *folders, *(word for word in words if "/" in word)}
        implied |= {name for one in run for name in named_files.of_module(one)}
    both = [set[str](), set[str]()]
    for found, names in zip(both, (words, implied), strict=True):
        for folder in {"", *folders}:
            for path in (os.path.normpath(os.path.join(folder, name)) for name in names):
                found.update(glob.glob(path, root_dir=top) if glob.has_magic(path) else (path,))
        found -= {name for name in found if paths.fault(name) is not None}
        found |= {link for name in found for link in _behind(real, name)}
    return both[0], both[1] - both[0]


def _behind(top: str, name: str) -> Iterator[str]:
    """Find the links on the way to a name, and where they lead in the worktree."""
    parts = name.split("/")
    ways = ["/".join(parts[:at]) for at in range(1, len(parts) + 1)]
    links = [way for way in ways if os.path.islink(os.path.join(top, way))]
    yield from links
    real = os.path.realpath(os.path.join(top, name))
    if links and real.startswith(f"{top}/"):
        yield os.path.relpath(real, top)
