"""Judge whether a file of the worktree that git runs, or a hook, is as the base has it."""

from __future__ import annotations

import os

from ralphgit.app.processes import configured_git, other_worktrees
from ralphgit.app.workspace import base_branch
from ralphgit.app.workspace.project import Project
from ralphgit.git import trees

#: Of a file, and whether it may be run.
_MODES = {"100644": b"-", "100755": b"x"}


def is_same(project: Project, named: str, digest: str) -> bool:
    """Whether a file of this worktree, by its digest, is that of the base, as it was seen where no
    agent's code could move it. What is gone is not, though the base may never have had it.
    """
    hook = named.removeprefix(configured_git.HOOK)
    is_run = hook != named or named.startswith(configured_git.RUNS)
    if project.base.commit not in base_branch.seen or (is_run and not digest):
        return False
    if hook != named:
        return digest == _hook_on_base(project, hook)
    name = f"{project.base.commit}:{os.path.normpath(named.removeprefix(configured_git.RUNS))}"
    return digest == other_worktrees.digest(project.repository.objects.read([name]).get(name))


def _hook_on_base(project: Project, name: str) -> str:
    """Digest a hook as the base has it, where git looks for hooks in the worktree; else ""."""
    path = os.path.normpath(os.path.join(configured_git.hooks(project), name))
    objects, folder, entry = project.repository.objects, project.base.commit, None
    for part in path.split("/") if folder else ():
        entry = trees.entries(objects, folder).get(part) if folder else None
        folder = entry.oid if entry is not None and entry.is_tree else ""
    if entry is None or entry.mode not in _MODES:
        return ""
    return configured_git.of_program(_MODES[entry.mode], objects.read([entry.oid])[entry.oid])
