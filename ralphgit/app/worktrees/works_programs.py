"""Have git run nothing of the work, and leave no file out, where it is checked out to be proved."""

from __future__ import annotations

import os
from collections.abc import Collection
from fnmatch import fnmatchcase

from ralphgit.app.processes import named_files, named_outside
from ralphgit.app.workspace.project import Project
from ralphgit.git import trees

#: Programs that git runs as it writes and reads files, by the last word of their keys.
_OF_FILTERS = ("smudge", "clean", "process")
#: What takes its words for no files but the one that it is told of.
_KNOWN = ("git-lfs ", "git lfs ")
_FSMONITOR, _HOOKS = "core.fsmonitor", "core.hookspath"
_SPARSE = "core.sparsecheckout"


def left_out(project: Project, commits: Collection[str], *, every: bool) -> dict[str, str]:
    """Return the variables by which git runs no hook of the worktree, and no filter that names a
    file which one of `commits` has and the base has not, or otherwise, or `every` one that names a
    file there: what it would convert stays as it is. And where this worktree is sparse git checks
    out every file: a new worktree is as sparse as the one that it is made from.
    """
    config, off = project.repository.config, dict[str, str]()
    if (hooks := config.get(_HOOKS, "")) and not hooks.startswith(("/", "~", "%")):
        off[_HOOKS] = os.devnull
    if _SPARSE in config:
        off[_SPARSE] = "false"
    for key, line in project.repository.config_values:
        name, _, last = key.rpartition(".")
        is_filter = key.startswith("filter.") and last in _OF_FILTERS
        if (is_filter or key == _FSMONITOR) and _is_works(project, line, commits, every=every):
            off |= {f"{name}.required": "false"} if is_filter else {}
            off[key] = "" if is_filter else "false"
    first = int(project.around.environ.get("GIT_CONFIG_COUNT") or 0)
    said = dict[str, str]()
    for number, (key, value) in enumerate(off.items(), first):
        said |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {**said, "GIT_CONFIG_COUNT": str(first + len(off))} if off else {}


def _is_works(project: Project, line: str, commits: Collection[str], *, every: bool) -> bool:
    """Whether a line names a file, or a folder, of `commits` that is not as the base has it, or
    with `every` any: what it starts in its turn may be another.
    """
    if line.startswith(_KNOWN):
        return False
    words = named_outside.names(project, line) - {""}
    run = {one for word in words for one in named_files.of_module(word) if "*" not in one}
    programs = {os.path.basename(word) for word in words}
    if unnamed := [glob for name in programs for glob in named_files.UNNAMED.get(name, ())]:
        run |= {
            path
            for commit in (*commits, project.base.commit)
            for path in trees.paths(project.repository.objects, commit)
            if any(fnmatchcase(path, one) for one in unnamed)
        }
    paths = {os.path.normpath(word) for word in words | run}
    own = sorted(path for path in paths if not path.startswith(("/", "~", "..")))
    resolve = project.repository.objects.resolve
    base = resolve([f"{project.base.commit}:{path}" for path in own])
    there = [resolve([f"{commit}:{path}" for path in own]) for commit in commits]
    return any(any(one) if every else one != base for one in there)
