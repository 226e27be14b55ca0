"""Clean and remove the branches of a loop: one per task."""

from __future__ import annotations

import os

from ralphgit.app.lifecycle import claim, moving, onto_base, rescue_refs
from ralphgit.app.workspace import record_tree
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import TASK_BRANCHES
from ralphgit.errors import GuardRefused
from ralphgit.git import refs, remote, trees, worktrees
from ralphgit.git.merge_preview import merge_base_told
from ralphgit.model.active_claim import Lease
from ralphgit.records import audit_file, question_file


def discard(project: Project, branch: str) -> None:
    """Delete a branch of the loop's that has nothing but what the base has."""
    git = project.repository.git
    if not branch.startswith(TASK_BRANCHES):
        return
    ref, base = project.repository.refs.get(branch), project.base.commit
    if ref is None:
        return
    # What was just landed mostly is the base itself.
    if ref.oid != base and not worktrees.is_ancestor(git, ref.oid, base):
        return
    refs.swap(git, branch, new="", old=ref.oid)


def remove(project: Project, branch: str, tip: str, *, pushed: str) -> None:
    """Delete a branch here, short name, at `tip`, and the tracking ref of what was `pushed`.

    Its content is kept elsewhere. If this worktree is on it, clean, it is brought to the base with
    it: then the branch is an empty one, which goes when the next task begins.
    """
    git, ref = project.repository.git, f"refs/heads/{branch}"
    worktree = project.worktree_of(ref)
    if tip and worktree is None:
        if refs.swap(git, ref, new="", old=tip):
            worktrees.forget_branch(git, branch)
    elif tip and worktree and os.path.realpath(worktree.path) == os.path.realpath(project.top):
        with WorktreeLock(project):
            try:
                onto_base.refuse_dirty(project)
            except GuardRefused:
                project.warn(f"{branch} has changes that are not committed; it was left as it is")
            else:
                with moving.Moving(project, project.base.commit):
                    git.run("reset", "--hard", "--quiet", project.base.commit)
    tracking = f"refs/remotes/{project.push_remote(branch)}/{branch}"
    if refs.current(project.repository.objects, tracking) == pushed:
        refs.swap(git, tracking, new="", old=pushed)


def withdraw(project: Project, branch: str, pushed: str) -> bool:
    """Delete a branch on the remote, short name, where that has just what was `pushed`.

    Its content is kept elsewhere. False where it was left: others have added to it, or the remote
    lets nobody delete it. Raises: RemoteUnavailable.
    """
    git, ref, timeout = project.repository.git, f"refs/heads/{branch}", project.config.push_timeout
    try:
        where = project.push_remote(branch)
        return remote.push(git, where, "", ref, old=pushed, timeout=timeout)
    except remote.PushRefused:
        return False


def keep_if_work(project: Project, ref: str, task: str) -> str:
    """Drop a rescue ref that holds nothing but records, and no other plan than what became of
    `task`; the ref, or "" if it has gone.
    """
    git = project.repository.git
    tip = refs.current(project.repository.objects, ref) if ref else ""
    fork = merge_base_told(project.repository, project.base.commit, tip) if tip else ""
    if not fork or any(
        not record_tree.is_record(project, p)
        for p in trees.differing(project.repository.objects, fork, tip)
    ):
        return ref
    if _plans(project, fork, tip, task):
        return ref
    refs.swap(git, ref, new="", old=tip)
    return ""


def has_work(project: Project, lease: Lease) -> bool:
    """Whether the commits on this branch have more of a task than the records of its end.

    Another plan is more, of this task too, and so is every record but its audit and its questions:
    on the base a review, or evidence, would be somebody else's.
    """
    head = project.repository.head()
    target = rescue_refs.return_point(project, lease)
    fork = merge_base_told(project.repository, target, head) or target
    differing = trees.differing(project.repository.objects, fork, head)
    records = project.config.records
    log = audit_file.path(records, lease.task, lease.claim)
    questions = f"{question_file.folder(records, lease.task)}/"
    return any(
        not record_tree.is_record(project, path)
        or (path.startswith(f"{records}/") and path != log and not path.startswith(questions))
        for path in differing
    ) or _plans(project, fork, head, lease.task)


def _plans(project: Project, fork: str, tip: str, task: str) -> bool:
    from ralphgit.app.workspace import plan_changes  # what few branches need

    return plan_changes.plans(project, fork, tip, task)


def place_of(project: Project) -> int:
    """Which of the repository's worktrees this is, from 0."""
    paths = [os.path.realpath(worktree.path) for worktree in project.repository.worktrees]
    here = os.path.realpath(project.top)
    return paths.index(here) if here in paths else 0


def put_aside(project: Project, lease: Lease) -> str:
    """Keep the work so far, and begin again with the claim alone; the ref, "" for no work.

    Raises: NotWritable, GitError.
    """
    ref = put_away(project, lease)
    if not ref:
        return ""
    claim.record(project, lease, note="begun again; the work so far is kept")
    project.refresh()
    return keep_if_work(project, ref, lease.task)


def put_away(project: Project, lease: Lease) -> str:
    """Keep the work so far, and its records, and take the branch back to where it began.

    Returns the ref; "" where there was nothing. Raises: NotWritable, GitError.
    """
    target = rescue_refs.return_point(project, lease)
    kept = rescue_refs.worktree(
        project, project.top, lease.task, lease.claim, lease.by, target=target
    )
    if kept.ref:
        with moving.Moving(project, target, kept.ref):
            rescue_refs.clear(project, lease, kept.ref)
        project.refresh()
    return kept.ref


def sweep(project: Project, lease: Lease) -> str:
    """Keep what is not committed, and take it out of the worktree; the ref, "" for nothing.

    Raises: NotWritable, GitError.
    """
    try:
        onto_base.refuse_dirty(project)
    except GuardRefused:
        head = project.repository.head()
        top = project.top
        kept = rescue_refs.worktree(project, top, lease.task, lease.claim, lease.by, target=head)
        if not kept.uncommitted:
            return ""
        with moving.Moving(project, head, kept.ref):
            project.repository.git.run("reset", "--hard", "--quiet", head)
            rescue_refs.remove_kept(project, kept.ref)
        project.refresh()
        return keep_if_work(project, kept.ref, lease.task)
    return ""
