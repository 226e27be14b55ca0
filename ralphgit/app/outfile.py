"""Where a command may write the file that a person has named."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ralphgit.app.project import Project
from ralphgit.errors import GuardRefused, UsageError


def place(project: Project, name: str, shards: Iterable[str]) -> str:
    """The full path of the file `name`, which may stand there or not.

    `shards`: the graph's files, relative to the top of the worktree.

    Raises: UsageError (no_file) for a folder, a device, a pipe; GuardRefused (outside) in a .git
    folder, and for a file of the graph.
    """
    path = os.path.join(project.around.directory, name)
    if os.path.isdir(path):
        raise UsageError(f"{name} is a folder", code="no_file", hint="name a file in it")
    if os.path.exists(path) and not os.path.isfile(path):
        raise UsageError(
            f"{name} is no plain file; nothing was written", code="no_file", hint="- is stdout"
        )
    if ".git" in os.path.realpath(path).split(os.sep):
        raise GuardRefused(f"{name} is inside a .git folder", code="outside", hint="another file")
    top = project.repository.top
    own = {os.path.realpath(os.path.join(top, shard)) for shard in shards} if top else set()
    if os.path.realpath(path) in own:
        raise GuardRefused(
            f"{name} is a file of this graph; nothing was written", code="outside",
            hint="name another file",
        )  # fmt: skip
    return path
