"""Block or release a task: the ways out that its holder has."""

import json
from typing import NamedTuple

from ralphgit.app.active_claims import leases, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.own_claims import WayOut
from ralphgit.app.lifecycle import claim, current_claim
from ralphgit.app.lifecycle.commit_records import commit_change, take_back
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.model.active_claim import Lease
from ralphgit.model.handoff import Guidance
from ralphgit.model.task import Blocked, Event, Reset
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Reason
from ralphgit.records import atomic_files, audit_file, question_file, task_mapping
from ralphgit.rules import lifecycle


class Given(NamedTuple):
    task: str
    commit: str


def block(
    project: Project, task: str, *, reason: Reason, question: str, options: tuple[str, ...],
    shared: bool = False,
) -> Given:  # fmt: skip
    """Record why the claimed task cannot go on, and commit just the record.

    The work so far stays where it is. The question becomes a guidance record, the lease
    goes: the task waits for a person now, and this worktree is free for another one. With `shared`
    the other tasks of its story wait, too.

    Raises: ClaimLost, ClaimHeld, IllegalMove, GuardRefused, InvalidRecord, NotWritable.
    """
    if (done := _done_already(project, task, "blocked", (reason, question, options))) is not None:
        return done
    held = current_claim.held(project, ClaimMap(project), task, "block")
    own = held.lease
    at, identity = project.now(), project.around.new_id()
    old = task_mapping.lifecycle(project.here.stored(held.row))
    made = Blocked(
        id=identity,
        claim=own.claim,
        reason=reason,
        question=question,
        options=options,
        at=at,
        shared=shared,
    )
    new = lifecycle.blocked(own.task, old, made)
    extra = {}
    if question:
        asked = Guidance(
            id=identity, task=own.task, claim=own.claim, question=question, options=options,
            at=at, by=own.by,
        )  # fmt: skip
        path = question_file.path(project.config.records, own.task, identity)
        extra[path] = question_file.encode(asked, path)
    event = Event(at, "blocked", own.by, old.status.value, new.status.value, reason.value)
    commit = commit_change(project, own, new, event, f"blocked ({reason.value})", extra=extra)
    leases.drop(project, own)
    return Given(own.task, commit)


def release(project: Project, task: str, *, reason: str) -> Given:
    """Give the claimed task back: pending again, one epoch higher.

    The record is committed on this branch and nothing else is; the work so far stays where
    it is. Where the base has the claim, others can take the task once this has landed.

    Raises: as `block`.
    """
    if (done := _done_already(project, task, "given back")) is not None:
        return done
    held = current_claim.held(project, ClaimMap(project), task, "release")
    own = held.lease
    at = project.now()
    old = task_mapping.lifecycle(project.here.stored(held.row))
    made = Reset(
        id=project.around.new_id(), claim=own.claim, by=own.by, at=at, reason=reason or "released"
    )
    new = lifecycle.released(own.task, old, made)
    event = Event(at, "released", own.by, old.status.value, new.status.value, reason)
    commit = commit_change(project, own, new, event, "released")
    leases.drop(project, own)
    runtime_files.forget(project.top)
    return Given(own.task, commit)


def settle(project: Project) -> None:
    """Drop the leases of this worktree whose claims HEAD has as blocked or given back.

    A release or block that was killed, or whose agent was stopped, after its commit leaves its
    lease and note behind: by these the loop would go on with a task that was given up.
    """
    head = project.repository.known_head
    if not head:
        return
    view = project.view(head, "HEAD")
    for lease in own_claims.leased(project, ClaimMap(project)):
        if (how := own_claims.given_up(view, lease)) is None:
            continue
        leases.drop(project, lease)
        noted = runtime_files.remembered(project.top)
        if how is WayOut.RELEASED and noted is not None and noted.claim == lease.claim:
            runtime_files.forget(project.top)


def _done_already(
    project: Project,
    task: str,
    what: str,
    said: tuple[Reason, str, tuple[str, ...]] | None = None,
) -> Given | None:
    """Finish what was killed half-way: a lease that outlived its commit goes now.

    A change that was written and never committed is taken back, to be made anew. One that is
    all done is reported, if it is this worktree's own and `said` of a block is the same.
    """
    claim.require_fit(project)
    head = project.repository.known_head
    committed = project.view(head, "HEAD").by_id if head else {}
    claim_map = ClaimMap(project)
    for lease in own_claims.leased(project, claim_map):
        if task and lease.task != task:
            continue
        if _gave_up(committed.get(lease.task), lease, what):
            leases.drop(project, lease)
            project.warn(f"{lease.task} was {what} already; its lease is dropped now")
            return Given(lease.task, head)
        if _gave_up(project.here.by_id.get(lease.task), lease, what):
            take_back(project, lease)
            project.warn(f"{lease.task} was only half {what}; it is done again from the start")
            project.written()
            return None
    own = own_claims.open_claims(project, claim_map)
    if any(not task or lease.task == task for lease in own):
        return None
    row = committed.get(task or _last_task(project))
    if row is None or not _is_own(project, row, what, said):
        return None
    project.warn(f"{row.id} was {what} already")
    return Given(row.id, head)


def _last_task(project: Project) -> str:
    """The task that the commit at HEAD says it is about."""
    form = "--format=%(trailers:key=Ralph-Task,valueonly,separator=%x00)"
    return project.repository.git.line("show", "--no-patch", form, "HEAD").partition("\0")[0]


def _is_own(
    project: Project, row: Row, what: str, said: tuple[Reason, str, tuple[str, ...]] | None
) -> bool:
    """Whether it was this worker who blocked a task, or gave it back, and nothing came since."""
    stored = json.loads(row.json)
    if what != "blocked":
        reset = stored.get("reset") or {}
        mine = row.status == "pending" and reset.get("by") == project.worker
        return mine and _released(project, row.id, str(reset.get("claim")))
    noted = runtime_files.remembered(project.top)
    known = row.by == project.worker or (noted is not None and noted.claim == row.claim)
    told = stored.get("blocked") or {}
    same = (told.get("reason"), told.get("question") or "", tuple(told.get("options") or ()))
    return row.status == "blocked" and known and same == said


def _released(project: Project, task: str, claim: str) -> bool:
    """Whether an attempt ended with a release; a reset leaves the same record in the graph."""
    name = audit_file.path(project.config.records, task, claim)
    log = atomic_files.read(project.file(name))
    try:
        return log is not None and log != audit_file.without_last(log, ("released",), claim=claim)
    except InvalidRecord:
        return False


def _gave_up(row: Row | None, lease: Lease, what: str) -> bool:
    """Whether a task's record says that this lease's claim was blocked, or given back."""
    if row is None:
        return False
    if what == "blocked":
        return row.status == "blocked" and row.claim == lease.claim
    reset = json.loads(row.json).get("reset") or {}
    return row.epoch > lease.epoch and reset.get("claim") == lease.claim
