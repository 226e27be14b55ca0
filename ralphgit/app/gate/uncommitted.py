"""Check what this worktree changes before it is committed, and that its claim is not lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from ralphgit.app.evidence import tree_digest
from ralphgit.app.gate import (
    append_only,
    branch,
    completions,
    evidence_history,
    unpacked,
    write_scope,
)
from ralphgit.app.gate.changed import BranchChange, lost_claims
from ralphgit.app.gate.problem import Problem
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.errors import InvalidRecord
from ralphgit.git import trees, worktrees
from ralphgit.model.task_row import Row


def problems(project: Project, tree: Tree) -> Iterator[Problem]:
    """Find the problems of what was changed since HEAD, and claims lost since the fork.

    `tree`: the working files. What the base has already is not judged: a merge brings it.
    """
    head = project.repository.known_head
    if not head:
        return
    try:
        here = project.here.by_id
        known = project.view(head, "HEAD").by_id
        fork, base = _fork_and_base(project, head)
    except InvalidRecord:
        return  # `state` reports it; a change that fixes what was committed must pass
    packed = unpacked.between(
        project.archive_at(head), tree.archive, project.config.records, project.config.records
    )
    yield from packed.problems
    here, known = {**packed.new.rows, **here}, {**packed.old.rows, **known}
    tree = unpacked.with_records(tree, packed.new.records)
    brought = {task for task, row in here.items() if task in base and base[task].stage == row.stage}
    settled = brought | {task for task in known if task not in base and task in fork}
    made = BranchChange.between(
        {task: row for task, row in known.items() if task not in settled},
        {task: row for task, row in here.items() if task not in brought},
        tree,
    )
    yield from branch.moves(project, made)
    yield from append_only.uncommitted(project, made.renames, packed)
    if made.completed:
        with tree_digest.here(project) as files:
            yield from completions.unproved(project, made, files)
    yield from lost_claims(fork, base, here, project.base.label)
    if fork:
        before = {**fork, **base}
        paths = partial(_changed, project, head)
        moved = made._replace(before=before).moved
        yield from write_scope.uncommitted(project, paths, moved, before)


def _fork_and_base(project: Project, head: str) -> tuple[Mapping[str, Row], Mapping[str, Row]]:
    """Read the tasks where this worktree's commits left the base, and those on the base.

    Raises: InvalidRecord.
    """
    base = project.base
    fork = worktrees.fork(project.repository.git, base.commit, head) if base.commit else ""
    if not fork:
        return {}, {}
    return project.view(fork, "the merge base").by_id, project.view(base.commit, base.label).by_id


def _changed(project: Project, head: str) -> list[str]:
    """List the files that this worktree's commits change, and tracked files changed since."""
    repository = project.repository
    fork = worktrees.fork(repository.git, project.base.commit, head)
    committed = trees.differing(repository.objects, fork, head)
    return sorted({*committed, *evidence_history.changed_here(project, "", "ACDMT")})
