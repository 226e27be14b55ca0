"""Put work that is in review back into the worktree, with the base merged in, to be mended.

The branch goes on from what the remote has, reviewers' commits too.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import read_leases
from ralphgit.app.conflicts import joined_merge
from ralphgit.app.landing import pull_request
from ralphgit.app.lifecycle import (
    commit_records,
    moving,
    onto_base,
    rescue_refs,
    task_branch,
    write_audit_and_graph,
)
from ralphgit.app.workspace import record_tree, runtime_files, tracked_pull_requests
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import TASK_BRANCHES
from ralphgit.errors import GuardRefused
from ralphgit.git import merge_preview, refs, remote, trees, worktrees
from ralphgit.git.commit_objects import commit_tree
from ralphgit.model.active_claim import Lease
from ralphgit.model.pull_request import Pull, PullState
from ralphgit.model.task import Event, Lifecycle
from ralphgit.model.task_status import Status
from ralphgit.records import atomic_files, evidence_file, task_mapping


class Joined(NamedTuple):
    """A pull request's branch with the base merged in; nothing was moved."""

    commit: str
    marked: dict[str, bytes]
    """The files in conflict, with markers; the commit has the base's."""


def join(project: Project, pull: Pull) -> Joined:
    """Merge the base into what the remote has of a pull request, in the object store.

    Where the forge is to rebase, one commit on the base has it all, and a rescue ref the branch.

    What conflicts in records alone is joined as `resolve` does it.

    Raises: GuardRefused (branch_taken: it cannot go on from there), RemoteUnavailable.
    """
    tip, base, objects = _tip(project, pull), project.base.commit, project.repository.objects
    if worktrees.is_ancestor(project.repository.git, base, tip):
        return Joined(tip, {})
    with merge_preview.merged(project.repository, tip, base, keep=True) as found:
        tree, paths = found.tree, list(found.conflicts)
        records = tuple(path for path in paths if record_tree.is_record(project, path))
        if records:
            tree = joined_merge.tree(project, tip, base, found._replace(conflicts=records))
        if not tree or not found.related:
            raise _stuck(pull, f"its records do not merge with {project.base.label}")
        marked = [path for path in paths if path not in records]
        names = [f"{found.tree}:{path}" for path in marked]
        theirs = [f"{base}:{path}" for path in marked]
        oids, known = objects.resolve(names), objects.resolve(theirs)
        blobs = objects.read([oid for oid in (*oids, *known) if oid])
        contents = {path: blobs[oid] for path, oid in zip(marked, oids, strict=True) if oid}
        of_base = {path: blobs[oid] if oid else None
                   for path, oid in zip(marked, known, strict=True)}  # fmt: skip
    alone = project.config.land_method == "rebase"
    if alone:
        # Evidence is of what earlier commits have, which go: all is verified anew.
        folder = evidence_file.folder(project.config.records, pull.task)
        made = [path for path in trees.differing(objects, base, tip) if path.startswith(folder)]
        of_base |= dict.fromkeys(made)
    tree, new = trees.planned(objects, tree, of_base)
    objects.write(new)
    message, parents = f"Merge {project.base.branch} into {pull.branch}\n", [tip, base]
    if alone:
        # A forge replays commit by commit and passes over merges: what they joined conflicts again.
        message, parents = project.repository.git.line("log", "-1", "--format=%B", tip), [base]
        rescue_refs.commit(project, tip, pull.task, pull.claim)
    return Joined(commit_tree(project.repository, tree, parents, message), contents)


def begin(
    project: Project, pull: Pull, joined: Joined, *, reopen: bool, said: str = "",
    tracked: bool = True,
) -> Lease:  # fmt: skip
    """Bring the clean worktree to the branch of a pull request, and note that it is worked on.

    `said`: why, for the audit. Not `tracked` is work that has no pull request.

    With `reopen` the task is in progress again under its claim, which one commit of records says;
    the files in conflict have their markers. Killed in between, the loop goes on with it.

    Raises: GuardRefused (dirty), GitError, NotWritable, InvalidRecord.
    """
    with WorktreeLock(project):
        onto_base.refuse_dirty(project)
        git, worktree = project.repository.git, project.repository.worktree
        left = worktree.branch if worktree is not None else ""
        runtime_files.prepare(project)
        with moving.Moving(project, joined.commit):
            words = ("--quiet", "--no-track", "--force-create", pull.branch, joined.commit)
            git.run("switch", *words)
        project.refresh()
        if left != f"refs/heads/{pull.branch}":
            task_branch.discard(project, left)
        lease = _lease(project, pull)
        runtime_files.remember(project, lease)
        if tracked:
            now = pull._replace(state=PullState.FIXING, cause=pull.state)
            tracked_pull_requests.note(project.top, now)
        if reopen:
            _reopen(project, lease, said or f"pull request: {pull.words}")
            for path, data in joined.marked.items():
                atomic_files.write(project.file(path), data, durable=False, follow=False)
        project.refresh()
    return lease


def _reopen(project: Project, lease: Lease, said: str) -> None:
    file, number = write_audit_and_graph.parsed_here(project, lease.task)
    old = task_mapping.lifecycle(file.tasks[number])
    life = Lifecycle(status=Status.IN_PROGRESS, claim=old.claim, epoch=old.epoch)
    event = Event(project.now(), "resumed", lease.by, old.status.value, life.status.value, said)
    commit_records.commit_change(project, lease, life, event, "back from review")


def give_up(project: Project, pull: Pull, lease: Lease, asks: str) -> str:
    """Leave a pull request as it was pushed: the work since is kept in a rescue ref, which is
    returned, "" for none.

    Raises: GitError, NotWritable.
    """
    with WorktreeLock(project):
        head = pull.commit
        kept = rescue_refs.worktree(
            project, project.top, lease.task, lease.claim, lease.by, target=head
        )
        with moving.Moving(project, head, kept.ref):
            project.repository.git.run("reset", "--hard", "--quiet", head)
            rescue_refs.remove_kept(project, kept.ref)
        runtime_files.forget(project.top)
        now = pull._replace(state=PullState(pull.cause), hears="", cause="", asks=asks)
        tracked_pull_requests.note(project.top, now)
        project.refresh()
        return task_branch.keep_if_work(project, kept.ref, lease.task)


def _tip(project: Project, pull: Pull) -> str:
    """The commit to go on from: what is here, where that has all that the remote has."""
    git, objects = project.repository.git, project.repository.objects
    where, ref = project.push_remote(pull.branch), f"refs/heads/{pull.branch}"
    timeout = project.config.fetch_timeout
    if not ref.startswith(TASK_BRANCHES):
        # A worker can write the note; what a loop pushes for review is never called so.
        raise _stuck(pull, f"{pull.branch} is no branch that a loop has pushed for review")
    there, here = remote.tip(git, where, ref, timeout=timeout), refs.current(objects, ref)
    if not there:
        raise _stuck(pull, f"{pull.branch} is not on {where} any more")
    if objects.resolve([f"{there}^{{commit}}"])[0] is None:
        remote.fetch(git, where, pull.branch, timeout=timeout)
    other = project.worktree_of(ref)
    if other is not None and os.path.realpath(other.path) != os.path.realpath(project.top):
        raise _stuck(pull, f"{pull.branch} is checked out in {project.show_path(other.path)}")
    if not worktrees.is_ancestor(git, pull.commit, there):
        raise _stuck(pull, f"{pull.branch} was rewritten on {where}")
    if here and worktrees.is_ancestor(git, there, here):
        return here
    if here and not worktrees.is_ancestor(git, here, there):
        raise _stuck(pull, f"{pull.branch} has commits here that {where} has not, and the reverse")
    return there


def _stuck(pull: Pull, why: str) -> GuardRefused:
    return GuardRefused(
        f"the pull request of {pull.task} is left to a person: {why}",
        code="branch_taken", hint="ralphgit inbox", details={"task": pull.task},
    )  # fmt: skip


def _lease(project: Project, pull: Pull) -> Lease:
    known = read_leases(project).get(pull.task)
    if known is not None and known.claim == pull.claim:
        return known
    row = project.here.row(pull.task)
    return pull_request.as_recorded(pull.task, pull.claim, pull.by, pull.epoch, row.base)._replace(
        at=row.at, contract=row.contract, branch=pull.branch, worktree=project.top
    )
