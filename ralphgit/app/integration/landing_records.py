"""Make the steps by which the base gets what was integrated, with new evidence in the last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ralphgit.app.evidence import run_verify_commands
from ralphgit.app.evidence.proofs import Proof
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.landing import base_step
from ralphgit.app.landing.base_step import Brought
from ralphgit.app.processes.verify_command import Run
from ralphgit.app.workspace.project import Project
from ralphgit.model.task_row import Row
from ralphgit.rules.integration_order import Branch


def commit(
    project: Project,
    merged: Sequence[tuple[Branch, str]],
    runs: Mapping[tuple[str, str], Run],
    stale: Sequence[Proof],
    whole: Run | None,
) -> tuple[str, list[str]]:
    """Make one step of the base for each branch; return the last commit and the evidence's paths.

    `merged`: the branches, each with a commit that has all up to it. The evidence is of what was
    stale, and of the run that proved the whole: it is about the last one. All is made in the object
    store: no worktree and no ref is touched.
    """
    tip, written = project.base.commit, dict[str, bytes]()
    evidence = _evidence(project, merged, runs, stale, whole)
    last = len(merged) - 1
    for number, (branch, content) in enumerate(merged):
        more = evidence if number == last else {}
        own = content == branch.commit and not written and not more
        if own and base_step.is_own(project, tip, branch.commit, len(branch.rows)):
            tip = branch.commit
            continue
        note = _note(runs, whole) if number == last else ""
        brought = [_brought(row) for row in _rows(project, branch)]
        tip, written = base_step.made(
            project, tip, branch.commit, content, brought, records={**written, **more}, note=note
        )
    return tip, [*evidence]


def _rows(project: Project, branch: Branch) -> list[Row]:
    view = project.view(branch.commit, branch.name)
    return [view.row(row.id) for row in branch.rows]


def _brought(row: Row) -> Brought:
    return Brought(row.id, row.claim, row.by, row.status)


def _note(runs: Mapping[tuple[str, str], Run], whole: Run | None) -> str:
    parts = []
    if count := len({run.command for run in runs.values()}):
        parts.append(f"{count} verify command{' passes' if count == 1 else 's pass'} on the result")
    if whole is not None:
        parts.append(f"passes: {whole.command}")
    return "; ".join(parts)


def _evidence(
    project: Project,
    merged: Sequence[tuple[Branch, str]],
    runs: Mapping[tuple[str, str], Run],
    stale: Sequence[Proof],
    whole: Run | None,
) -> dict[str, bytes]:
    """Make the new records of evidence, by path."""
    last, tip = merged[-1]
    files = Content(project, tip)
    records: dict[str, bytes] = {}
    for proof in stale:
        run = runs.get((proof.task.id, proof.command))
        if run is not None:
            subject = files.subject(proof.task.scope, last.commit)
            path, data = run_verify_commands.of_run(project, run, proof.task, proof.claim, subject)
            records[path] = data
    if whole is not None:
        rows = [row for branch, _ in merged for row in _rows(project, branch)]
        names = ", ".join(row.id for row in rows)
        task = project.view(tip, tip[:12]).task(rows[-1].id)
        subject, shows = files.subject(task.scope, last.commit), f"{names} work together"
        path, data = run_verify_commands.of_run(
            project, whole, task, rows[-1].claim, subject, shows=shows
        )
        records[path] = data
    return records
