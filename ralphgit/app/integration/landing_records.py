"""Commit the records of an integration: new evidence, and that the tasks have landed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ralphgit.app.evidence import judged_evidence
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.integration.plan import Proof
from ralphgit.app.processes.verify_command import Run
from ralphgit.app.workspace import record_tree
from ralphgit.app.workspace.project import Project
from ralphgit.git.commit_objects import commit_files
from ralphgit.model.task import Event
from ralphgit.records import audit_file
from ralphgit.rules.integration_order import Branch


def commit(
    project: Project,
    tip: str,
    branches: Sequence[Branch],
    runs: Mapping[tuple[str, str], Run],
    stale: Sequence[Proof],
    whole: Run | None,
) -> tuple[str, list[str]]:
    """Commit new evidence and the audit of each task on `tip`; return commit and evidence paths.

    The evidence is of what was stale, and of the run that proved the whole. The commit is made in
    the object store: no worktree and no ref is touched.
    """
    repository = project.repository
    files = Content(project, tip)
    view = project.view(tip, tip[:12])
    records: dict[str, bytes] = {}
    for proof in stale:
        run = runs.get((proof.task.id, proof.command))
        if run is not None:
            subject = files.subject(proof.task.scope, tip)
            path, data = judged_evidence.of_run(project, run, proof.task, proof.claim, subject)
            records[path] = data
    rows = [view.row(row.id) for branch in branches for row in branch.rows]
    names = ", ".join(row.id for row in rows)
    if whole is not None:
        task = view.task(rows[-1].id)
        subject, shows = files.subject(task.scope, tip), f"{names} work together"
        path, data = judged_evidence.of_run(
            project, whole, task, rows[-1].claim, subject, shows=shows
        )
        records[path] = data
    written = [*records]
    tree = record_tree.commit_tree(project, tip)
    at = project.now()
    count = len({run.command for run in runs.values()})
    note = f"integrated: {names}"
    if count:
        note += f"; {count} verify command{' passes' if count == 1 else 's pass'} on the result"
    if whole is not None:
        note += f"; passes: {whole.command}"
    for row in rows:
        path = audit_file.path(project.config.records, row.id, row.claim)
        event = Event(at, "landed", project.worker, row.status, row.status, note)
        records[path] = audit_file.appended(
            tree.content(path), event, path=path, task=row.id, claim=row.claim
        )
    # A unique id: two integrations of the same in the same second must not be one object.
    message = f"Integrate {names}\n\n{note}\n\nRalph-Integration: {project.around.new_id()}\n"
    return commit_files(repository, tip, records, message), written
