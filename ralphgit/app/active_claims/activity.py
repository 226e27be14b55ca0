"""Signs of life beside the heartbeat: what has changed in a worktree, and when."""

from __future__ import annotations

import os

from ralphgit.app.workspace.project import Project
from ralphgit.errors import RalphError

_LOGS = os.path.join(".ralph", "logs")


def last_change(project: Project, top: str) -> float:
    """When the worktree at `top` changed last, in seconds since 1970: a file that differs from
    the index or is new, the index, HEAD, or what an agent printed. 0 where nobody can tell.
    """
    git = project.repository.git.at(top)
    arguments = ("ls-files", "--others", "--modified", "--exclude-standard", "-z")
    try:
        folder = git.line("rev-parse", "--path-format=absolute", "--git-dir")
        names = git.run(*arguments).decode("utf-8", "surrogateescape").split("\0")
    except RalphError:
        return 0.0
    paths = [os.path.join(top, name) for name in names if name]
    paths += [
        os.path.join(folder, name) for name in ("index", "HEAD", os.path.join("logs", "HEAD"))
    ]
    logs = os.path.join(top, _LOGS)
    if os.path.isdir(logs):
        paths += [os.path.join(logs, name) for name in os.listdir(logs)]
    return max(map(_time, paths), default=0.0)


def _time(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0
