"""Find where an import goes: this worktree's graph, and its file for new tasks."""

from __future__ import annotations

import shlex

from ralphgit.app.workspace.graph_files import is_wild
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, InvalidRecord


def graph(project: Project) -> GraphView:
    """This worktree's graph; without rows where it has none yet."""
    try:
        return project.here
    except InvalidRecord as error:
        if error.code != "bad_version":
            raise
        folder, _, name = error.file.rpartition("/")
        aside = f"{folder}/old-{name}" if folder else f"old-{name}"
        move = shlex.join(("git", "mv", error.file, aside))
        raise InvalidRecord(
            f"{error.message}; new tasks would go into this file",
            file=error.file, line=error.line, column=error.column, code="foreign_graph",
            hint=f"{move} && ralphgit import {shlex.quote(aside)}",
        ) from None  # fmt: skip


def file(project: Project, *, needed: bool) -> str:
    """The file for new tasks: the first exact path of the setting.

    Raises: GuardRefused where there is none, though it is `needed`.
    """
    for path in project.settings.graph_here:
        if not is_wild(path):
            return path
    if not needed:
        return ""
    raise GuardRefused(
        f"the graph is made of patterns ({', '.join(project.settings.graph_here)}), "
        "and none says which file new tasks go into",
        code="no_exact_graph",
        hint='add a path to graph in ralph.toml: graph = ["task-graph.yaml", ...]',
    )
