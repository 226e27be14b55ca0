"""Judge whether a file of the worktree that git runs, or a hook, is as the base has it."""

from __future__ import annotations

import os

from ralphgit.app.processes import configured_git, other_worktrees
from ralphgit.app.workspace import base_branch
from ralphgit.app.workspace.project import Project
from ralphgit.git import trees

#: Of a file, and whether it may be run.
_MODES = {"100644": b"-", "100755": b"x"}


def is_same(project: Project, named: str, old: str, new: str) -> bool:
    """Whether a file of this worktree, by its digest, is that of the base, as it was seen where no
    agent's code could move it. One that is gone is, where it was a hook of the base's.
    """
    seen, base = base_branch.seen, project.base.commit
    if base not in seen:
        return False
    hook = named.removeprefix(configured_git.HOOK)
    if hook != named:
        known = new or any(_hook_on(project, commit, hook) == old for commit in seen)
        return bool(known) and new == _hook_on(project, base, hook)
    name = f"{base}:{os.path.normpath(named.removeprefix(configured_git.RUNS))}"
    is_gone = named.startswith(configured_git.RUNS) and not new
    known_as = other_worktrees.digest(project.repository.objects.read([name]).get(name))
    return not is_gone and new == known_as


def _hook_on(project: Project, commit: str, name: str) -> str:
    """Digest a hook as a commit has it, where git looks for hooks in the worktree; else ""."""
    path = os.path.normpath(os.path.join(configured_git.hooks(project), name))
    objects, folder, entry = project.repository.objects, commit, None
    for part in path.split("/") if folder else ():
        entry = trees.entries(objects, folder).get(part) if folder else None
        folder = entry.oid if entry is not None and entry.is_tree else ""
    if entry is None or entry.mode not in _MODES:
        return ""
    return configured_git.of_program(_MODES[entry.mode], objects.read([entry.oid])[entry.oid])
