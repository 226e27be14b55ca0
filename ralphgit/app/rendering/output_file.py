"""Check that a command may write the file that the user named."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, UsageError
from ralphgit.model.config import SETTINGS_FILE


def place(project: Project, name: str, shards: Iterable[str]) -> str:
    """Return the full path of the file `name`, which may exist already.

    `shards`: the graph's files, relative to the top of the worktree.

    Raises: UsageError (no_file) for a folder, a device, a pipe; GuardRefused (outside) in a .git
    folder, and for a file of the graph, of the records or of the settings.
    """
    path = os.path.join(project.around.directory, name)
    if os.path.isdir(path):
        raise UsageError(f"{name} is a folder", code="no_file", hint="name a file in it")
    if os.path.exists(path) and not os.path.isfile(path):
        raise UsageError(
            f"{name} is not a regular file; nothing was written",
            code="no_file",
            hint="name a file, or - for stdout",
        )
    if ".git" in os.path.realpath(path).split(os.sep):
        raise GuardRefused(f"{name} is inside a .git folder", code="outside", hint="another file")
    top = project.repository.top
    if top is not None and (kind := _own(project, top, os.path.realpath(path), shards)):
        raise GuardRefused(
            f"{name} is {kind}; nothing was written", code="outside", hint="name another file"
        )
    return path


def _own(project: Project, top: str, path: str, shards: Iterable[str]) -> str:
    """What of ours stands, or would stand, at `path`; "" for nothing."""
    if path in {os.path.realpath(os.path.join(top, shard)) for shard in shards}:
        return "a file of this graph"
    records = os.path.realpath(os.path.join(top, project.config.records))
    if path == os.path.join(os.path.realpath(top), SETTINGS_FILE) or path.startswith(
        records + os.sep
    ):
        return "a place of settings or records"
    return ""
