"""Find and remove the worktrees in which something was proved, and whose process is gone."""

from __future__ import annotations

import os

from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import LOCK, folder_of
from ralphgit.errors import RalphError
from ralphgit.git import worktrees
from ralphgit.git.listings import Worktree

#: How the name of such a worktree begins (`app.worktrees.proving_worktree`).
NAME = "integration-"


def abandoned(project: Project) -> list[Worktree]:
    """List them: by the reason of their lock, which any worker can write, only those that are
    called as no other is and have no branch.
    """
    found = []
    places = os.path.realpath(folder_of(project, NAME))
    for worktree in project.repository.worktrees:
        words = worktree.reason.removeprefix(LOCK).split(" ")
        if not worktree.reason.startswith(LOCK + NAME) or len(words) != 3:
            continue
        if worktree.branch or not os.path.realpath(worktree.path).startswith(places):
            continue
        pid, started, boot = words[0].removeprefix(NAME), words[1], words[2]
        alive = boot == heartbeat.boot_id() and pid.isdigit() and (
            str(heartbeat.start_time(int(pid))) == started
        )  # fmt: skip
        if not alive:
            found.append(worktree)
    return found


def clear(project: Project) -> list[str]:
    """Remove the abandoned ones; return their folders. They never have any work in them."""
    removed = []
    for worktree in abandoned(project):
        try:
            worktrees.remove(project.repository.git, worktree.path, force=True)
        except RalphError as error:
            if not os.path.exists(worktree.path):
                continue  # another one has removed it meanwhile
            project.warn(f"{worktree.path} was left by an integration: {error.message}")
            continue
        removed.append(worktree.path)
    if removed:
        project.repository.forget()
    return removed
