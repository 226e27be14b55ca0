"""Judge whether the paths that a task really changed lie in its scope, when it is completed.

What a whole branch changes, `gate.branch_scopes` judges by the scopes of all its tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

from ralphgit.model.paths import is_own_folder
from ralphgit.model.task import Task
from ralphgit.model.task_status import Mode
from ralphgit.rules.pattern_overlap import covers_any


def faults(promised: Task, paths: Sequence[str]) -> list[str]:
    """Say what is wrong with the paths that a task changed, each as a sentence."""
    if not paths and promised.mode != Mode.VERIFY:
        return ["the task changed no file (records do not count)"]
    if own := [path for path in paths if is_own_folder(path.partition("/")[0])]:
        return [f"{path} is this worktree's own state, which is not committed" for path in own]
    if promised.changes_nothing:
        return [f"{path} is changed, and {promised.id} verifies what is there" for path in paths]
    if not promised.scope.write:
        return []
    allowed = ", ".join(promised.scope.write)
    return [f"{path} is outside scope.write ({allowed})" for path in outside(promised, paths)]


def outside(promised: Task, paths: Sequence[str]) -> list[str]:
    """List those of `paths` that a task may not write."""
    allowed = promised.scope.write
    return [path for path in paths if allowed and not covers_any(allowed, path)]
