"""Find files of the repository that a command names and that are not as the base has them.

A command that a person has agreed to runs what it names, and in a worktree that is the agent's to
write.
"""

from __future__ import annotations

import os

from ralphgit.app.workspace.project import Project
from ralphgit.model import paths
from ralphgit.rules import test_files


def named(project: Project, command: str) -> dict[str, str]:
    """Return the files that `command` names and the base has, each with its id there."""
    base, objects = project.base.commit, project.repository.objects
    names = sorted(name for name in test_files.named_in(command) if paths.fault(name) is None)
    if not (base and names):
        return {}
    found = zip(names, objects.resolve([f"{base}:{name}" for name in names]), strict=True)
    return {name: oid for name, oid in found if oid is not None}


def changed(project: Project, command: str) -> list[str]:
    """List the files that `command` names, the base has, and this worktree has otherwise."""
    return [
        name
        for name, oid in named(project, command).items()
        if not _is_same(project, os.path.join(project.top, name), oid)
    ]


def _is_same(project: Project, path: str, oid: str) -> bool:
    if os.path.islink(path) or not os.path.isfile(path):
        return os.path.isdir(path) and not os.path.islink(path)
    return project.repository.objects.file_id(path) == oid
