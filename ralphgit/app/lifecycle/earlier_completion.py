"""Find what this worktree has completed before, and take back what was not verified as it is."""

from __future__ import annotations

import os

from ralphgit.app.active_claims import lost_claims, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.evidence import judged_evidence
from ralphgit.app.lifecycle import write_audit_and_graph
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.git import index
from ralphgit.model.active_claim import Lease
from ralphgit.model.evidence import COMMAND, Evidence
from ralphgit.model.task import Lifecycle
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Status
from ralphgit.records import atomic_files, audit_file, splice_task, task_mapping
from ralphgit.records import evidence_file as codec
from ralphgit.rules.lost_claim import Winner


def commit_of(project: Project, noted: Lease, head: str) -> str:
    """Find the commit that completed the task: HEAD may be another one by now."""
    path = audit_file.path(project.config.records, noted.task, noted.claim)
    git = project.repository.git
    return git.line("log", "-1", "--no-merges", "--format=%H", head, "--", path) or head


def noted_here(project: Project, task: str) -> Lease | None:
    """Return the claim that this worktree worked on last, if its files say that it is complete."""
    noted = runtime_files.remembered(project.top) if project.repository.top else None
    if noted is None or own_claims.end_of(project.here, noted) is not Status.COMPLETE:
        return None
    return noted if task in ("", noted.task) else None


def winner_over(claim_map: ClaimMap, noted: Lease) -> Winner | None:
    """Who has won the task that HEAD completes under the claim `noted`; None where nobody has, or
    the base has that completion.
    """
    project, head = claim_map.project, claim_map.project.repository.known_head
    if own_claims.end_of(project.view(head, "HEAD"), noted) is not Status.COMPLETE:
        return None
    if own_claims.end_of(project.base_view, noted) is Status.COMPLETE:
        return None
    return lost_claims.winner_over(claim_map, noted, head=head)


def take_back(project: Project, task: str) -> None:
    """Take back, to be done anew, a completion that was killed before its commit, or that HEAD has
    and nobody verified as it is there.

    With one that was never committed go its last word in the audit and its evidence, so that
    nothing is reported twice.
    """
    noted = noted_here(project, task)
    if noted is None:
        return
    row = project.here.row(noted.task)
    committed = own_claims.end_of(project.view("HEAD", "HEAD"), noted) is Status.COMPLETE
    file, number = write_audit_and_graph.parsed_here(project, row.id)
    old = task_mapping.lifecycle(file.tasks[number])
    life = Lifecycle(status=Status.IN_PROGRESS, claim=old.claim, epoch=old.epoch)
    with index.Snapshot(project.repository) as staged, atomic_files.Undo() as undo:
        undo.on_failure(staged.restore)
        text = splice_task.set_lifecycle(file, number, life)
        staging = write_audit_and_graph.stage_graph(project, undo, file, text, number, life)
        index.add(project.repository.git, staging)
        if not committed:
            _take_back_records(project, undo, row)
    if committed:
        project.warn(f"what HEAD has of {row.id} was not verified as it is; it is verified again")
    else:
        project.warn(f"an earlier completion of {row.id} was interrupted; it is done again")
    project.written()


def _take_back_records(project: Project, undo: atomic_files.Undo, row: Row) -> None:
    path = audit_file.path(project.config.records, row.id, row.claim)
    full = project.file(path)
    log = atomic_files.read(full)
    if log is not None:
        cut = audit_file.without_last(log, ("completed", "force-completed"), claim=row.claim)
        if cut != log:
            undo.write(full, cut)
    # Evidence of commands alone, and never what is committed: anything else is somebody's word.
    folder = f"{project.config.records}/evidence/{row.id}"
    digests = {judged_evidence.digest_of(command) for command in project.here.task(row.id).verify}
    if row.id in project.base_view.by_id:
        digests.update(map(judged_evidence.digest_of, project.base_view.task(row.id).verify))
    names = [f"{folder}/{name}" for name in _listed(project.file(folder))]
    committed = project.repository.objects.resolve([f"HEAD:{name}" for name in names])
    gone = []
    for name, oid in zip(names, committed, strict=True):
        found = _observation(atomic_files.read(project.file(name)) or b"")
        ours = found is not None and found.claim == row.claim and found.kind == COMMAND
        if oid is None and ours and found is not None and found.command_digest in digests:
            undo.remove(project.file(name))
            gone.append(name)
    index.add(project.repository.git, [path, *gone])


def _listed(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".yaml"))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _observation(data: bytes) -> Evidence | None:
    try:
        return codec.parse(data)
    except InvalidRecord:
        return None
