"""The holder's own ways out of a task: block it, or release it."""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app import audit, leases, records, runtime, work
from ralphgit.app.lookaround import Situation
from ralphgit.app.project import Project
from ralphgit.model.status import Reason
from ralphgit.model.task import Blocked, Reset
from ralphgit.records import emit, schema, tasks
from ralphgit.rules import lifecycle


class Given(NamedTuple):
    task: str
    commit: str


def _trailers(task: str, claim: str, by: str) -> str:
    return f"Ralph-Task: {task}\nRalph-Claim: {claim}\nRalph-Worker: {by}\n"


def block(
    project: Project, task: str, *, reason: Reason, question: str, options: tuple[str, ...]
) -> Given:
    """Record why the claimed task cannot go on, and commit just the record.

    The work so far stays where it is. The question becomes a guidance record, the lease
    goes: the task waits for a person now, and this worktree is free for another one.

    Raises: ClaimLost, ClaimHeld, IllegalMove, GuardRefused, InvalidRecord, NotWritable.
    """
    held = work.held(project, Situation(project), task, "block")
    mine = held.lease
    at, identity = project.now(), project.around.new_id()
    old = tasks.lifecycle(project.here.stored(held.row))
    made = Blocked(id=identity, reason=reason, question=question, options=options, at=at)
    new = lifecycle.blocked(mine.task, old, made)
    extra = {}
    if question:
        guidance = {
            "id": identity, "task": mine.task, "claim": mine.claim, "question": question,
            "options": list(options), "at": at, "by": mine.by,
        }  # fmt: skip
        path = f"{project.config.records}/guidance/{mine.task}/{identity}.yaml"
        extra[path] = (schema.modeline(path, "guidance") + emit.mapping(guidance)).encode()
    commit = records.commit_change(
        project, mine.task, new, claim_id=mine.claim, extra=extra,
        event=audit.Event(at, "blocked", mine.by, old.status.value, new.status.value, reason.value),
        message=f"{mine.task}: blocked ({reason.value})\n\n" + _trailers(mine.task, mine.claim, mine.by),
    )  # fmt: skip
    leases.drop(project, mine)
    return Given(mine.task, commit)


def release(project: Project, task: str, *, reason: str) -> Given:
    """Give the claimed task back: pending again, one epoch higher.

    The record is committed on this branch and nothing else is; the work so far stays where
    it is. Where the base has the claim, others can take the task once this has landed.

    Raises: as `block`.
    """
    held = work.held(project, Situation(project), task, "release")
    mine = held.lease
    at = project.now()
    old = tasks.lifecycle(project.here.stored(held.row))
    made = Reset(
        id=project.around.new_id(), claim=mine.claim, by=mine.by, at=at, reason=reason or "released"
    )
    new = lifecycle.released(mine.task, old, made)
    commit = records.commit_change(
        project, mine.task, new, claim_id=mine.claim,
        event=audit.Event(at, "released", mine.by, old.status.value, new.status.value, reason),
        message=f"{mine.task}: released\n\n" + _trailers(mine.task, mine.claim, mine.by),
    )  # fmt: skip
    leases.drop(project, mine)
    runtime.forget(project.top)
    return Given(mine.task, commit)
