"""Find what makes the verify commands see other files than a commit of the worktree has."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from ralphgit.app.workspace.project import Project
from ralphgit.git import trees

#: Files that say what git sees of a folder. One that names itself is seen by nobody else.
_STEERING = (".gitignore", ".gitattributes")
_LINK = "120000"


def faults(project: Project, tree: str, changed: Sequence[str]) -> Iterator[str]:
    """Say as sentences what is not in `tree`, and decides what commands find in its folders.

    `changed` are the paths that the task has changed. A folder of which nothing is committed may
    ignore itself: caches and environments do.
    """
    listing = dict(trees.files(project.repository.objects, tree))
    folders = _folders(listing)
    for folder in sorted(folders):
        for name in _STEERING:
            path = os.path.join(folder, name)
            if path not in listing and os.path.lexists(os.path.join(project.top, path)):
                yield f"{path} decides what git sees here, and git ignores it (git add --force it)"
    top = os.path.realpath(project.top)
    for path in changed:
        if path not in listing or listing[path].mode != _LINK:
            continue
        target = os.path.realpath(os.path.join(top, path))
        inside = os.path.relpath(target, top)
        has = {inside, *_folders([inside])} & listing.keys() or inside in (".", *folders)
        if not has and (os.path.isfile(target) or os.path.isdir(target)):
            named = os.readlink(os.path.join(top, path))
            yield f"{path} is a link to {named}, which is not committed"


def _folders(paths: Iterable[str]) -> set[str]:
    """List the folders that paths lie in, with all above; "" is the top."""
    found = {""}
    for path in paths:
        while (path := os.path.dirname(path)) not in found:
            found.add(path)
    return found
