"""Write a task's new state and its audit event, and commit nothing else."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping

from ralphgit.app.workspace import agent_usage, commit_message
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.git import index, refs, scratch_index, trees
from ralphgit.git.objects import scratch_folder
from ralphgit.model.active_claim import Lease
from ralphgit.model.task import Event, Lifecycle
from ralphgit.model.task_row import Row
from ralphgit.records import atomic_files, audit_file, graph_file, splice_task, task_blocks


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
    file, number = parsed_here(project, task)
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
        staging = stage_graph(project, undo, file, text, number, new)
        write_audit(project, undo, path, event, task, own.claim)
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
    file, number = parsed_here(project, lease.task)
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
        staging = stage_graph(project, undo, file, text, number, life)
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
            there, number = _parsed(project, content.decode("utf-8"), row)
            return splice_task.set_lifecycle(there, number, new).encode("utf-8")
    # A task that was never committed: the whole file goes in with it.
    data = atomic_files.read(project.file(file.path))
    assert data is not None
    return data


def parsed_here(project: Project, task: str) -> tuple[graph_file.GraphFile, int]:
    """The file of this worktree that has `task`, and the task's number in what was read of it.

    Raises: UnknownTask, InvalidRecord.
    """
    row = project.require_here().row(task)
    return _parsed(project, project.here.content(row.file), row)


def _parsed(project: Project, content: str, row: Row) -> tuple[graph_file.GraphFile, int]:
    """A graph file, and the number of the task of `row` in what was read of it."""
    if (alone := graph_file.alone(content, row)) is not None:
        return alone, 0
    found = graph_file.parse(
        content.encode("utf-8"), path=row.file, limit=project.config.max_graph_bytes
    )
    number = next(n for n, stored in enumerate(found.tasks) if stored["id"] == row.id)
    return found, number


def row(file: graph_file.GraphFile, text: str, number: int) -> Row:
    """The row of a task whose block was changed: `text` is `file` with the change."""
    start = file.spans[number].start
    span = task_blocks.Block(start, file.spans[number].end + len(text) - len(file.text))
    task = graph_file.read_block(text[span.start : span.end])
    return graph_file.rows(graph_file.GraphFile(file.path, text, (task,), (span,), {}))[0]


def stage_graph(
    project: Project,
    undo: atomic_files.Undo,
    file: graph_file.GraphFile,
    text: str,
    number: int,
    life: Lifecycle,
) -> list[str]:
    """Write a graph file and stage just this change.

    Returns what is left to be staged as it is, with whatever else the caller writes.
    Where the user has other edits in the same file that are not staged, they stay so: the
    staged form gets the same change on its own. The caller restores the index on failure.
    """
    repository = project.repository
    others = index.differs(repository, file.path, dict(project.here.shards)[file.path])
    undo.write(project.file(file.path), text.encode("utf-8"))
    if not others:
        return [file.path]
    staged = repository.git.run("cat-file", "blob", f":{file.path}")
    indexed = graph_file.parse(staged, path=file.path, limit=project.config.max_graph_bytes)
    task = file.tasks[number]["id"]
    place = next((n for n, stored in enumerate(indexed.tasks) if stored["id"] == task), None)
    if place is None:
        return [file.path]
    made = splice_task.set_lifecycle(indexed, place, life)
    oid = repository.objects.write_blob(made.encode("utf-8"))
    repository.git.run("update-index", "--cacheinfo", f"100644,{oid},{file.path}")
    return []


def write_audit(
    project: Project, undo: atomic_files.Undo, path: str, event: Event, task: str, claim_id: str
) -> None:
    """Append one event to the attempt's audit file; with its end, what it has used."""
    event = agent_usage.told(project.repository.common_dir, claim_id, event)
    full = project.file(path)
    undo.write(
        full,
        audit_file.appended(atomic_files.read(full), event, path=path, task=task, claim=claim_id),
    )
