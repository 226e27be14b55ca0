"""Find git's lock files, and whether a running git may own one."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ralphgit.app.workspace.project import Project


def found(project: Project) -> Iterator[str]:
    """Find every lock file of git: of the repository, its worktrees and its refs."""
    common = project.repository.common_dir
    for folder in (common, *subfolders(os.path.join(common, "worktrees"))):
        for name in ("index.lock", "HEAD.lock", "config.lock", "packed-refs.lock"):
            path = os.path.join(folder, name)
            if os.path.lexists(path):
                yield path
    for parent, _, names in os.walk(os.path.join(common, "refs")):
        for name in names:
            if name.endswith(".lock"):
                yield os.path.join(parent, name)


def subfolders(folder: str) -> list[str]:
    """The folders in a folder, sorted; none where it cannot be read."""
    try:
        return sorted(entry.path for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return []


def users(project: Project, lock: str) -> list[str]:
    """The folders in which a git that holds `lock` would work."""
    common = os.path.realpath(project.repository.common_dir)
    own = os.path.realpath(os.path.dirname(lock))
    if os.path.basename(lock) == "index.lock" and own == os.path.realpath(
        project.repository.git_dir
    ):
        return [os.path.realpath(project.top), own] if project.repository.top else [own]
    return [*(os.path.realpath(w.path) for w in project.repository.worktrees), common]


def git_at_work(places: list[str]) -> bool:
    """Whether a git process works in one of these folders, or cannot be ruled out."""
    import psutil

    for process in psutil.process_iter():
        try:
            if not process.name().startswith("git") or process.ppid() == os.getpid():
                continue  # or reading objects for us
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            cwd = process.cwd()
        except psutil.NoSuchProcess:
            continue
        except psutil.AccessDenied:
            return True
        if any(cwd == place or cwd.startswith(place + os.sep) for place in places):
            return True
    return False
