"""Commit a task's new state and its records, and nothing else; or take them back to HEAD's."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping

from ralphgit.app.lifecycle import write_audit_and_graph
from ralphgit.app.workspace import commit_message
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.git import index, refs, scratch_index, trees
from ralphgit.git.objects import scratch_folder
from ralphgit.model.active_claim import Lease
from ralphgit.model.task import Event, Lifecycle
from ralphgit.records import atomic_files, audit_file, graph_file, splice_task


def commit_change(
    project: Project,
    own: Lease,
    new: Lifecycle,
    event: Event,
    deed: str,
    *,
    extra: Mapping[str, bytes] | None = None,
) -> str:
    """Write `new` for the task of a claim, its audit event and `extra` records, and commit just
    these, with `deed` as the title of their subject.

    Other changes in the worktree and in the index stay as they are, uncommitted. On a
    failure (a hook that refuses, or that adds to the commit) files and index are as before.

    Returns the commit. Raises: GuardRefused (hook_adds), InvalidRecord, NotWritable, GitError.
    """

    repository, written, task = project.repository, extra or {}, own.task
    file, number = write_audit_and_graph.parsed_here(project, task)
    path = audit_file.path(project.config.records, task, own.claim)
    story = str(file.tasks[number].get("story") or "")
    subject = commit_message.subject(
        project, task, deed, event=event.event, worker=own.by, story=story
    )
    with (
        index.Snapshot(repository) as staged,
        atomic_files.Undo() as undo,
        scratch_folder() as scratch,
    ):
        undo.on_failure(staged.restore)
        text = splice_task.set_lifecycle(file, number, new)
        staging = write_audit_and_graph.stage_graph(project, undo, file, text, number, new)
        write_audit_and_graph.write_audit(project, undo, path, event, task, own.claim)
        for name, data in written.items():
            undo.write(project.file(name), data)
        index.add(repository.git, [*staging, path, *written])
        copy = scratch_index.Scratch(repository, scratch)
        contents = {file.path: _on_head(project, file, task, new)}
        for name in (path, *written):
            made = atomic_files.read(project.file(name))
            assert made is not None
            contents[name] = made
        head = repository.head()
        copy.read_tree(trees.with_files(repository.objects, head, contents))
        trailers = commit_message.trailers(task, own.claim, own.by)
        copy.commit(commit_message.message(subject, (), trailers))
        _require_alone(project, head, contents)
    return committed(project)


def _require_alone(project: Project, parent: str, paths: Container[str]) -> None:
    """Undo the commit just made if it holds more than `paths`. Raises: GuardRefused (hook_adds)."""
    repository = project.repository
    commit = repository.head()
    more = [p for p in trees.differing(repository.objects, parent, commit) if p not in paths]
    if not more:
        return
    branch = repository.worktree.branch if repository.worktree else ""
    refs.swap(repository.git, branch or "HEAD", new=parent, old=commit)
    raise GuardRefused(
        f"a hook has put {', '.join(more[:5])} into a commit that holds records alone; the commit "
        "was taken back, and nothing was recorded",
        code="hook_adds",
        hint="make the hook leave the commit as it is, then repeat",
        details={"files": more},
    )


def committed(project: Project) -> str:
    """The commit that this command has just made on this worktree's branch."""
    commit, worktree = project.repository.head(), project.repository.worktree
    if worktree is not None and worktree.branch:
        project.moved(worktree.branch, commit)
    project.written()
    return commit


def take_back(project: Project, lease: Lease) -> None:
    """Bring the records of a claim back to what HEAD has, where a change was never committed.

    The task's block, its audit and its questions: nothing else. A claim that HEAD does not
    have yet is restored from its lease by the command that continues.
    """
    repository = project.repository
    file, number = write_audit_and_graph.parsed_here(project, lease.task)
    head = project.view("HEAD", "HEAD")
    known = head.by_id.get(lease.task)
    life = Lifecycle(epoch=lease.epoch) if known is None else head.task(known.id).lifecycle
    path = audit_file.path(project.config.records, lease.task, lease.claim)
    guidance = f"{project.config.records}/guidance/{lease.task}/"
    staged_now = index.staged_against(repository.git, "HEAD")
    added = [name for name in staged_now if name.startswith(guidance)]
    added += index.untracked(repository.git, [guidance])
    with index.Snapshot(repository) as staged, atomic_files.Undo() as undo:
        undo.on_failure(staged.restore)
        text = splice_task.set_lifecycle(file, number, life)
        staging = write_audit_and_graph.stage_graph(project, undo, file, text, number, life)
        names = [path, *added]
        found = repository.objects.resolve([f"HEAD:{name}" for name in names])
        for name, oid in zip(names, found, strict=True):
            full = project.file(name)
            if oid is not None:
                undo.write(full, repository.objects.read([oid])[oid])
            elif os.path.exists(full):
                undo.remove(full)
        index.add(repository.git, [*staging, *names])


def _on_head(project: Project, file: graph_file.GraphFile, task: str, new: Lifecycle) -> bytes:
    """The graph file as HEAD has it, with this one change."""
    objects = project.repository.objects
    found = objects.resolve([f"HEAD:{file.path}"])[0]
    content = objects.read([found])[found] if found else None
    if content is not None:
        row = project.view("HEAD", "HEAD").by_id.get(task)
        if row is not None and row.file == file.path:
            there, number = write_audit_and_graph.parsed(project, content.decode("utf-8"), row)
            return splice_task.set_lifecycle(there, number, new).encode("utf-8")
    # A task that was never committed: the whole file goes in with it.
    data = atomic_files.read(project.file(file.path))
    assert data is not None
    return data
