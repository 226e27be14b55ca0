"""Check this worktree, a revision, a branch or a range (SPEC 8)."""

from __future__ import annotations

from collections.abc import Iterable

from ralphgit.app.gate import branch, uncommitted
from ralphgit.app.gate.evidence_history import edited_evidence
from ralphgit.app.gate.problem import Problem
from ralphgit.app.gate.state import state
from ralphgit.app.workspace import revisions
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import commit_tree, working_tree
from ralphgit.errors import UsageError

_ORDER = {"error": 0, "warning": 1}


def check(project: Project, *, base: str = "", at: str = "", between: str = "") -> list[Problem]:
    """Find every problem of the records and uncommitted changes here, or of revision `at`.

    With `base`, also of what this branch changes, judged as merged into that revision; the merge
    is made in memory. With `between`, of what NEW changes since OLD (`OLD..NEW`), or since the two
    parted (`OLD...NEW`). Reads only.

    Raises: UsageError (bad_revision, usage), GuardRefused (bare), InvalidRecord (no_graph).
    """
    if between:
        if base or at:
            raise UsageError(
                "a range cannot be combined with --base or --at",
                hint="ralphgit check --base REF, or ralphgit check OLD..NEW",
            )
        ends = revisions.range_in(between)
        if ends is None:
            raise UsageError(
                f"{between} is not a range",
                hint=f"ralphgit check {between}..HEAD, or --at {between}",
            )
        old, new, since_fork = ends
        return _sorted(branch.across(project, old, new, since_fork=since_fork))
    if base:
        return _sorted(branch.incoming(project, base, at or "HEAD"))
    if at:
        commit = revisions.commit_of(project, at)
        tree = commit_tree(project, commit, f"{at}:")
        if not tree.shards:
            raise project.no_graph(at)
        return _sorted([*state(project, tree), *edited_evidence(project, commit)])
    tree = working_tree(project)
    found = state(project, tree)
    found += edited_evidence(project)
    return _sorted([*found, *uncommitted.problems(project, tree)])


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(
        dict.fromkeys(problems),
        key=lambda p: (_ORDER[p.severity], p.file, p.line, p.column, p.code),
    )
