"""Note that a remote declines refs below `refs/ralph/`, which is found out once (SPEC 9).

Leases are on this machine alone then, and between machines the merge decides. The note is in the
folder that all worktrees share, and is for one address of the remote: after a day, or where that
has changed, the remote is asked again.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ralphgit.app.workspace.project import Project

#: How long a remote is taken at its word, in seconds.
_GOOD_FOR_S = 24 * 3600.0


def note(project: Project, said: str) -> None:
    """Note that the base's remote has declined such a ref, and what it said.

    Raises: NotWritable.
    """
    from ralphgit.records import runtime_notes

    found = {"url": _address(project), "at": project.around.now(), "said": said}
    runtime_notes.write(_path(project), found)


def is_noted(project: Project) -> bool:
    """Whether the base's remote is known to decline such refs."""
    path = _path(project)
    if not os.path.lexists(path):
        return False
    from ralphgit.records import runtime_notes

    found = runtime_notes.read(path)
    at = found.get("at")
    if found.get("url") != _address(project) or not isinstance(at, (int, float)):
        return False
    return 0 <= project.around.now() - at < _GOOD_FOR_S


def said(project: Project) -> str:
    """What the remote said when it declined one; "" where nothing is noted."""
    if not is_noted(project):
        return ""
    from ralphgit.records import runtime_notes

    return str(runtime_notes.read(_path(project)).get("said") or "")


def forget(project: Project) -> None:
    """Have the remote asked again."""
    with suppress(FileNotFoundError):
        os.unlink(_path(project))


def _path(project: Project) -> str:
    return os.path.join(project.repository.common_dir, "ralphgit", "refused-refs.yaml")


def _address(project: Project) -> str:
    return project.repository.config.get(f"remote.{project.base.remote}.url") or ""
