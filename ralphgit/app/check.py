"""The gate: every record valid, every change legal, judged on the merged result (SPEC 8)."""

from __future__ import annotations

from collections.abc import Iterable

from ralphgit.app import look
from ralphgit.app.history import edited_evidence
from ralphgit.app.incoming import incoming
from ralphgit.app.judging import Problem, state
from ralphgit.app.project import Project
from ralphgit.app.trees import commit_tree, working_tree

_ORDER = {"error": 0, "warning": 1}


def check(project: Project, *, base: str = "", at: str = "") -> list[Problem]:
    """Every problem of this worktree's records, or of a revision's.

    With `base`: also of what this branch changes, judged as merged into that revision, by
    a merge that is made aside. Reads only.

    Raises: UsageError (bad_revision), GuardRefused (bare), InvalidRecord (no_graph).
    """
    if base:
        return _sorted(incoming(project, base, at or "HEAD"))
    if at:
        commit = look.commit_of(project, at)
        tree = commit_tree(project, commit, f"{at}:", project.repository.objects)
        if not tree.shards:
            raise project.no_graph(at)
        return _sorted([*state(project, tree), *edited_evidence(project, commit)])
    found = state(project, working_tree(project))
    return _sorted([*found, *edited_evidence(project)])


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(
        dict.fromkeys(problems),
        key=lambda p: (_ORDER[p.severity], p.file, p.line, p.column, p.code),
    )
