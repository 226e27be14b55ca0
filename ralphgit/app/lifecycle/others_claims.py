"""Leave the claims of other worktrees out of a commit; `git stash pop` may bring one along."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.own_claims import end_of, leased
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.git import index, trees, worktrees
from ralphgit.model.active_claim import Lease
from ralphgit.model.task_row import Row
from ralphgit.records import audit_file, graph_file, splice_task, task_mapping
from ralphgit.records.schemas import FILED


class OthersClaims(NamedTuple):
    """The claims of others whose records are in this worktree."""

    since: str
    """The commit that says how their tasks were."""
    tasks: dict[str, str]
    """The claim's id, by task."""
    rows: tuple[Row, ...]
    """Those whose block has the claim."""


def found(project: Project, claim_map: ClaimMap, own: Lease) -> OthersClaims | None:
    """Find the claims of others that this worktree has brought along, and the base does not have.

    A claim is another's by its lease, or, without one, by the worker's name. An audit that was
    there before is of no concern.
    """
    mine = {own.claim, *(lease.claim for lease in leased(project, claim_map))}
    seen = tuple(
        row
        for row in project.here.unlike(claim_map.base)
        if row.status == "in-progress"
        and row.claim not in mine
        and row.stage != _stage(claim_map.base, row)
        and _is_others(claim_map, row, own)
    )
    audits = [
        (lease.task, lease.claim, path)
        for lease in claim_map.leases.values()
        if lease.claim not in mine
        and end_of(project.here, lease) is None
        and os.path.exists(os.path.join(project.top, path := _audit(project, lease)))
    ]
    if not seen and not audits:
        return None
    head = project.repository.head()
    since = worktrees.fork(project.repository.git, project.base.commit, head) or head
    before = project.view(since, since[:12])
    rows = tuple(row for row in seen if row.stage != _stage(before, row))
    known = project.repository.objects.resolve([f"{since}:{path}" for *_, path in audits])
    tasks = {task: id for (task, id, _), oid in zip(audits, known, strict=True) if oid is None}
    tasks |= {row.id: row.claim for row in rows}
    return OthersClaims(since, tasks, rows) if tasks else None


def _stage(view: GraphView, row: Row) -> tuple[str, str, int, str] | None:
    known = view.by_id.get(row.id)
    return known.stage if known is not None else None


def _audit(project: Project, lease: Lease) -> str:
    return audit_file.path(project.config.records, lease.task, lease.claim)


def _is_others(claim_map: ClaimMap, row: Row, own: Lease) -> bool:
    lease, known = claim_map.leases.get(row.id), claim_map.base.by_id.get(row.id)
    if known is not None and known.claim == row.claim:
        return True  # the base has it, and is further than this worktree
    return lease.claim == row.claim if lease is not None else row.by != own.by


def leave_out(project: Project, others: OthersClaims) -> None:
    """Stage the records of these tasks as they were; the worktree keeps what it has.

    Raises: GitError, InvalidRecord; the caller restores the index.
    """
    entries = [*_records(project, others), *_blocks(project, others)]
    project.repository.git.run(
        "update-index", "-z", "--index-info", stdin=index.nul([*entries, ""])
    )
    for task, claim in others.tasks.items():
        project.warn(
            f"claim {claim} on {task} is another worktree's; it was left out of the commit, and is "
            f"still in the files here"
        )


def _records(project: Project, others: OthersClaims) -> Iterator[str]:
    """Yield what the index shall have of the tasks' records."""
    repository = project.repository
    folders = tuple(
        f"{project.config.records}/{kind}/{task}/" for kind in FILED for task in others.tasks
    )
    staged = repository.git.line("write-tree")
    for one in trees.changes(repository.objects, others.since, staged):
        if one.path.startswith(folders):
            gone = "0" * len(one.new or one.old)
            yield f"{one.old_mode or '0'} {one.old or gone}\t{one.path}"


def _blocks(project: Project, others: OthersClaims) -> Iterator[str]:
    """Yield the staged graph files with the tasks' lifecycle as it was."""
    repository, limit = project.repository, project.config.max_graph_bytes
    before = project.view(others.since, others.since[:12])
    for path in dict.fromkeys(row.file for row in others.rows):
        data = repository.git.run("cat-file", "blob", f":{path}")
        for row in others.rows:
            file = graph_file.parse(data, path=path, limit=limit)
            number = next((n for n, one in enumerate(file.tasks) if one["id"] == row.id), None)
            if row.file != path or number is None or row.id not in before.by_id:
                continue
            data = _as_before(
                file, number, before.row(row.id), before.content(before.row(row.id).file)
            ).encode()
        yield f"100644 {repository.objects.write_blob(data)}\t{path}"


def _as_before(file: graph_file.GraphFile, number: int, old: Row, text: str) -> str:
    """Return a graph file with the block of a task as `text` has it in the row `old`.

    Where more than its lifecycle has changed since, its lifecycle alone.
    """
    was = graph_file.read_block(text[old.start : old.end])
    now = file.tasks[number]
    keys = {*was, *now} - {*task_mapping.LIFECYCLE_KEYS}
    if any(was.get(key) != now.get(key) for key in keys):
        return splice_task.set_lifecycle(file, number, task_mapping.lifecycle(was))
    span = file.spans[number]
    return file.text[: span.start] + text[old.start : old.end] + file.text[span.end :]
