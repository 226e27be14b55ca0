"""Check what this worktree changes before it is committed, and that its claim is not lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from ralphgit.app.evidence import seen_here_alone, tree_digest
from ralphgit.app.gate import (
    append_only,
    branch,
    branch_scopes,
    completions,
    unpacked,
)
from ralphgit.app.gate.changed import BranchChange, lost_claims
from ralphgit.app.gate.problem import Problem
from ralphgit.app.workspace import record_tree, runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.errors import InvalidRecord
from ralphgit.git import index, trees
from ralphgit.git.merge_preview import merge_base
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
    whole = made._replace(before={**fork, **base}) if fork else made
    changed = _changed_here(project) if whole.moved else []
    if made.completed or (whole.completed and not _is_records(project, changed)):
        with tree_digest.here(project) as files:
            yield from completions.unproved(project, whole, files)
    yield from lost_claims(fork, base, here, project.base.label)
    if fork:
        paths = partial(_changed, project, head, changed)
        yield from branch_scopes.uncommitted(project, paths, whole.moved, whole.before)


def _fork_and_base(project: Project, head: str) -> tuple[Mapping[str, Row], Mapping[str, Row]]:
    """Read the tasks where this worktree's commits left the base, and those on the base.

    Raises: InvalidRecord.
    """
    base = project.base
    fork = merge_base(project.repository, base.commit, head) if base.commit else ""
    if not fork:
        return {}, {}
    return project.view(fork, "the merge base").by_id, project.view(base.commit, base.label).by_id


def _changed_here(project: Project) -> list[str]:
    """List the files of this worktree, new ones too, that are not as HEAD has them.

    Raises: NeedsPerson (blocks_git).
    """
    seen_here_alone.passed_over(project.repository, new=False)
    left = set(runtime_files.left(project.top))
    dirty = index.dirty(project.repository.git)
    return [*dirty.changed, *(path for path in dirty.new if path not in left)]


def _is_records(project: Project, paths: Sequence[str]) -> bool:
    return all(record_tree.is_record(project, path) for path in paths)


def _changed(project: Project, head: str, here: Sequence[str]) -> list[str]:
    """List the files that this worktree's commits change, and those changed `here` since."""
    repository = project.repository
    fork = merge_base(repository, project.base.commit, head)
    return sorted({*trees.differing(repository.objects, fork, head), *here})
