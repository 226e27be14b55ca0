"""Write a task's new state and its audit event, and stage nothing else."""

from __future__ import annotations

from ralphgit.app.workspace.project import Project
from ralphgit.git import index
from ralphgit.model.task import ENDS, Event, Lifecycle
from ralphgit.model.task_row import Row
from ralphgit.records import atomic_files, audit_file, graph_file, splice_task, task_blocks


def parsed_here(project: Project, task: str) -> tuple[graph_file.GraphFile, int]:
    """The file of this worktree that has `task`, and the task's number in what was read of it.

    Raises: UnknownTask, InvalidRecord.
    """
    row = project.require_here().row(task)
    return parsed(project, project.here.content(row.file), row)


def parsed(project: Project, content: str, row: Row) -> tuple[graph_file.GraphFile, int]:
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
    if event.event in ENDS:
        from ralphgit.app.workspace import agent_usage  # a claim has used nothing yet

        event = agent_usage.told(project.repository.common_dir, claim_id, event)
    full = project.file(path)
    undo.write(
        full,
        audit_file.appended(atomic_files.read(full), event, path=path, task=task, claim=claim_id),
    )
