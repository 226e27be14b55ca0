"""What to do where there is no task graph."""

from __future__ import annotations

import shlex

from ralphgit.app.workspace.graph_view import HERE
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord


def no_graph(project: Project, where: str) -> InvalidRecord:
    """The refusal for `where`: this worktree, or a commit."""
    names = ", ".join(project.config.graph)
    message = f"there is no task graph ({names}) in {where}"
    hint = "ralphgit init, or ralphgit import FILE"
    if where == HERE and (mend := restoring(project)):
        message, hint = f"{message}, but in its commit there is", mend
    return InvalidRecord(message, code="no_graph", hint=hint)


def restoring(project: Project) -> str:
    """The command that brings back the graph files that HEAD has; "" if it has none."""
    if project.repository.top is None:
        return ""
    paths = [path for path, _ in project.shards_at(["HEAD"])["HEAD"]]
    if not paths:
        return ""
    staged = project.repository.objects.resolve([f":{path}" for path in paths])
    also = "" if all(staged) else "--staged --worktree "
    return f"git restore {also}{shlex.join(paths)}"
