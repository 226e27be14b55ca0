"""A lifecycle change by the holder, committed on its branch and on nothing else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping

from ralphgit.app import audit, claim
from ralphgit.app.project import Project
from ralphgit.git import index
from ralphgit.model.task import Lifecycle
from ralphgit.records import files, graph, splice


def commit_change(
    project: Project,
    task: str,
    new: Lifecycle,
    *,
    claim_id: str,
    event: audit.Event,
    message: str,
    extra: Mapping[str, bytes] | None = None,
) -> str:
    """Write `new` for one task, its audit event and `extra` records, and commit just these.

    Other changes in the worktree and in the index stay as they are, uncommitted. On a
    failure (a hook that refuses, say) files and index are as before.

    Returns the commit. Raises: InvalidRecord, NotWritable, GitError.
    """
    repository, git = project.repository, project.repository.git
    file, number = claim.parsed_here(project, task)
    path = audit.path(project.config.records, task, claim_id)
    written = {**(extra or {})}
    with (
        index.Snapshot(repository) as staged,
        files.Undo() as undo,
        tempfile.TemporaryDirectory(prefix="ralphgit-") as scratch,
    ):
        undo.on_failure(staged.restore)
        claim.stage_graph(project, undo, file, splice.set_lifecycle(file, number, new), number, new)
        claim.write_audit(project, undo, path, event, task, claim_id)
        for name, data in written.items():
            undo.write(os.path.join(project.top, name), data)
        index.add(git, [path, *written])
        copy = index.Scratch(repository, scratch)
        copy.read_tree("HEAD")
        copy.put(file.path, _on_head(project, file, task, new))
        for name in (path, *written):
            data = files.read(os.path.join(project.top, name))
            assert data is not None
            copy.put(name, repository.objects.write_blob(data))
        copy.commit(message)
    return git.line("rev-parse", "HEAD")


def _on_head(project: Project, file: graph.GraphFile, task: str, new: Lifecycle) -> str:
    """The blob of the graph file as HEAD has it, with this one change."""
    objects = project.repository.objects
    found = objects.resolve([f"HEAD:{file.path}"])[0]
    content = objects.read([found])[found] if found else None
    if content is not None:
        there = graph.parse(content, path=file.path, limit=project.config.max_graph_bytes)
        number = next((n for n, stored in enumerate(there.tasks) if stored["id"] == task), None)
        if number is not None:
            return objects.write_blob(splice.set_lifecycle(there, number, new).encode("utf-8"))
    # A task that was never committed: the whole file goes in with it.
    data = files.read(os.path.join(project.top, file.path))
    assert data is not None
    return objects.write_blob(data)
