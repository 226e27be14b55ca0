"""Prove anew what a merge has made stale of the task that is to land (SPEC 3.2, 5).

The commands passed on the branch. Where the base has brought something else into the task's scope
meanwhile, they say nothing of the merged result: there they run again, in a worktree of their own,
and what they say goes into the merge. A task without a scope names no file that it builds on, and
is not run again: `integrate` proves branches with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.app.evidence import judged_evidence, run_verify_commands
from ralphgit.app.evidence.tree_digest import Content, in_scope
from ralphgit.app.processes.verify_command import Run
from ralphgit.app.workspace import record_tree
from ralphgit.app.workspace.project import Project
from ralphgit.errors import Refused
from ralphgit.git import trees
from ralphgit.model.active_claim import Lease
from ralphgit.model.task import Task
from ralphgit.model.task_status import Status


class Proved(NamedTuple):
    """What has passed on a merged result."""

    digest: str
    """Of the files in the task's scope there."""
    runs: tuple[Run, ...]


NOTHING = Proved("", ())


def prove(project: Project, lease: Lease, head: str, result: str, before: Proved) -> Proved:
    """Run what proved `head` again on the commit `result`, if that has other files in the scope.

    `before` is what has passed on another such result; on the same files it is not run again.

    Raises: Refused (coupling) where one fails; else as `proving_worktree.Ground.run`.
    """
    task = project.view(head, head[:12]).task(lease.task)
    promised = judged_evidence.as_promised(project, task)
    if task.status != Status.COMPLETE or not _is_other(project, promised, head, result):
        return NOTHING
    from ralphgit.app.evidence.proofs import proofs_of  # most merges bring nothing into the scope
    from ralphgit.app.worktrees.proving_worktree import Ground

    digest = Content(project, result).digest(promised.scope)
    if before.digest == digest:
        return before
    place = judged_evidence.place_at(project, head, head[:12])
    wanted = [one.wanted for one in proofs_of(project, place, [place.view.row(task.id)], "")]
    if not wanted:
        return NOTHING
    with Ground(project, failing="nothing was landed") as ground:
        runs = tuple(ground.run(result, wanted).values())
    for run in runs:
        if not run.passed:
            raise _coupled(project, lease, run)
    return Proved(digest, runs)


def evidence(project: Project, lease: Lease, result: str, proved: Proved) -> Mapping[str, bytes]:
    """Make the records of what has passed on the commit `result`, by path."""
    files = Content(project, result)
    task = judged_evidence.promised(project, lease.task)
    subject = files.subject(task.scope, result)
    return dict(
        run_verify_commands.of_run(project, run, task, lease.claim, subject) for run in proved.runs
    )


def _is_other(project: Project, task: Task, head: str, result: str) -> bool:
    scope = task.scope
    if not (scope.write or scope.read):
        return False
    changed = trees.differing(project.repository.objects, head, result)
    return any(
        in_scope(scope, path) and not record_tree.is_record(project, path) for path in changed
    )


def _coupled(project: Project, lease: Lease, run: Run) -> Refused:
    label, tail = project.base.label, run.tail.splitlines()[-20:]
    return Refused(
        f"{lease.task} passes on its branch, and fails with what is on {label} by now "
        f"(exit {run.exit_code}): {run.command}; nothing was landed",
        code="coupling",
        hint=project.base.merge_command,
        lines=[f"| {line}" for line in tail],
        details={"task": lease.task, "command": run.command},
    )
