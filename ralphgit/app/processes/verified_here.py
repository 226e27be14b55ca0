"""Remember which commits this user's own commands have verified, outside the repository.

Evidence in a branch is a worker's word. `land` and `integrate` run its commands anew, unless this
user's own `complete`, or a loop of his, made just this commit. A `complete` inside a loop is its
agent's and is not noted. The note is one commit a line, in `ralphgit/verified/<digest of the
repository's path>` below XDG_STATE_HOME (`~/.local/state`); without it more is run, and no less.
"""

from __future__ import annotations

import os

from ralphgit.app.workspace import user_state
from ralphgit.app.workspace.project import Project
from ralphgit.errors import NotWritable
from ralphgit.records import atomic_files

_MOST_COMMITS = 1000


def note(project: Project, commit: str) -> None:
    """Note that a command of this user has verified a commit. A disk that refuses is no failure.

    A line is added and none is lost where two workers note at once; only what is far too long is
    written anew, shorter.
    """
    path = _path(project)
    try:
        if len(known := _noted(project)) >= 2 * _MOST_COMMITS:
            kept = "".join(f"{one}\n" for one in known[-_MOST_COMMITS:])
            atomic_files.write(path, kept.encode(), durable=False)
        with atomic_files.appending(path) as file:
            file.write(f"{commit}\n".encode())
    except (NotWritable, OSError):
        return


def is_noted(project: Project, commit: str) -> bool:
    return commit in _noted(project)


def _noted(project: Project) -> list[str]:
    return (atomic_files.read(_path(project)) or b"").decode("ascii", "replace").split()


def _path(project: Project) -> str:
    where = os.path.realpath(project.repository.common_dir)
    folder = user_state.folder(project.around.environ, "verified")
    return os.path.join(folder, user_state.name(where))
