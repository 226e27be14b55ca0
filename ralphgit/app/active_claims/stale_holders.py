"""Tell whether the holder of a claim is dead, or has given no sign of life for long.

No silence proves a death: who is silent may be asleep, or cut off.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RalphError
from ralphgit.git.listings import Worktree
from ralphgit.model.active_claim import Lease

if TYPE_CHECKING:
    from ralphgit.app.active_claims.remote_beats import Seen

_LOGS = os.path.join(".ralph", "logs")
#: How many seconds git may take: where a .gitignore is a pipe, it waits for ever.
_PATIENCE = 10.0


def is_silent(seen: Seen, now: float) -> bool:
    """Whether a loop in another clone has given no sign for long."""
    return now - seen.since > heartbeat.SILENT_S


def is_stale(project: Project, lease: Lease, worktree: Worktree) -> bool:
    """Whether the holder of a lease of this machine is gone, its folder or its process, or is
    silent and idle: its heartbeat is old, and nothing in `worktree`, where it works, has changed
    for as long.
    """
    if not worktree.exists:
        return True
    beat = heartbeat.read(worktree.path)
    if beat is None or beat.claim != lease.claim:
        return False
    if heartbeat.gone(beat):
        return True
    now = project.around.now()
    if now - beat.time <= heartbeat.SILENT_S:
        return False
    return now - _last_change(project, worktree.path) > heartbeat.SILENT_S


def _last_change(project: Project, top: str) -> float:
    """When the worktree at `top` changed last, in seconds since 1970: a file that differs from
    the index or is new, the index, HEAD, or what an agent printed. 0 if that is unknown.
    """
    repository = project.repository
    from ralphgit.git import worktrees  # most workers have given another sign

    git = worktrees.git_of(repository.git, repository.common_dir, top)
    if git is None:
        return 0.0
    arguments = ("ls-files", "--others", "--modified", "--exclude-standard", "-z")
    try:
        folder = git.line("rev-parse", "--path-format=absolute", "--git-dir")
        names = (
            git.run(*arguments, timeout=_PATIENCE).decode("utf-8", "surrogateescape").split("\0")
        )
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
