"""Describe what a range does to one task, and what a reviewer should look at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from ralphgit.app.diff.own_time import OwnTime
from ralphgit.app.evidence import judged_evidence
from ralphgit.app.evidence.judged_evidence import Filed, TaskEvidence
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.workspace import graph_view
from ralphgit.model.handoff import Guidance
from ralphgit.model.review import Review
from ralphgit.model.task import Event, Task
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Status
from ralphgit.rules import branch_changes, diff_steps, evidence_verdict
from ralphgit.rules import review_verdict as reviews
from ralphgit.rules.contract_digest import PROMISED, keeps
from ralphgit.rules.diff_steps import Edges, Step
from ralphgit.rules.review_verdict import OpenFinding

PROBLEM, CONCERN = "problem", "concern"
#: What the evidence of a task comes to.
FRESH, STALE, NONE = "fresh", "stale", "none"
_ENDS = (diff_steps.COMPLETE, diff_steps.FORCE)


class ChangeNote(NamedTuple):
    """Something that a reviewer should look at."""

    severity: str
    """PROBLEM or CONCERN."""
    code: str
    task: str
    """"" where it is about none, or several."""
    message: str


class Written(NamedTuple):
    """The records that the range wrote about a task."""

    paths: list[str]
    events: list[Event]
    """What its audit gained."""
    guidance: list[Guidance]
    """Questions that were asked or answered."""


class TaskChange(NamedTuple):
    """What happened to one task."""

    task: str
    old: Task | None
    """None: it was added."""
    new: Task | None
    """None: it was removed."""
    file: str
    steps: tuple[Step, ...]
    fields: tuple[str, ...]
    """The fields that changed, besides those of the lifecycle."""
    edges: Edges
    assessed: TaskEvidence | None
    """None where the task is not there any more."""
    written: Written
    reviews: tuple[Review, ...]
    """Those that the range adds."""
    findings: tuple[OpenFinding, ...]
    """All that are open afterwards."""
    then: OwnTime | None = None
    """What its evidence came to when it was written, where it is stale by now."""

    @property
    def title(self) -> str:
        known = self.new or self.old
        return known.title if known else ""

    @property
    def change(self) -> str:
        """The last thing that was done: one of `diff_steps.DEEDS`."""
        return self.steps[-1].deed

    @property
    def by(self) -> str:
        return self.steps[-1].by

    @property
    def completed(self) -> bool:
        return any(step.deed in _ENDS for step in self.steps)

    @property
    def worked_on(self) -> bool:
        """Whether somebody worked on it under a claim, so that its scope binds the files."""
        work = (diff_steps.CLAIM, diff_steps.BLOCK, *_ENDS)
        return any(step.deed in work for step in self.steps)

    @property
    def promised(self) -> Task:
        """The task as it was before: a branch cannot widen its own scope."""
        known = self.old or self.new
        assert known is not None
        return known

    @property
    def broken_contract(self) -> tuple[str, ...]:
        """The fields of what was promised that changed."""
        return tuple(name for name in self.fields if name in PROMISED and name != "id")

    @property
    def records(self) -> tuple[Filed, ...]:
        """The evidence that counts: the newest of each command, and what else was observed."""
        found = self.assessed.records if self.assessed else ()
        return tuple(one for one in found if not one.judged.superseded)

    @property
    def evidence(self) -> str:
        """FRESH, STALE (some of what counts is), or NONE; "" where nobody worked on it."""
        if not self.records:
            return NONE if self.worked_on else ""
        return FRESH if all(one.judged.fresh for one in self.records) else STALE

    @property
    def unverified(self) -> bool:
        """Whether it was completed, and nothing was verified."""
        return self.completed and not (self.assessed and self.assessed.is_verified)

    @property
    def criteria(self) -> tuple[evidence_verdict.CriterionProof, ...]:
        return self.assessed.criteria if self.assessed else ()

    @property
    def own_criteria(self) -> tuple[evidence_verdict.CriterionProof, ...]:
        """The criteria as the evidence had it when it was written."""
        return self.then.evidence.criteria if self.then else self.criteria

    @property
    def own_records(self) -> tuple[Filed, ...]:
        """The evidence that counts, as it was when it was written."""
        found = self.then.evidence.records if self.then else self.records
        return tuple(one for one in found if not one.judged.superseded)


def change(
    old: Task | None,
    new: Task | None,
    row: Row,
    *,
    fields: tuple[str, ...],
    written: Written,
    assessed: TaskEvidence | None,
    known_reviews: Sequence[Review],
    is_new: Collection[str],
    then: OwnTime | None = None,
) -> TaskChange:
    """Describe what happened to a task between `old` and `new`.

    `is_new`: the ids of the reviews that the range adds.
    """
    done_in = done_at_birth(row) if old is None else ()
    steps = diff_steps.steps(old, new, written.events, done_in=done_in)
    known = new or old
    assert known is not None
    is_done = new is not None and new.status == Status.COMPLETE != (old.status if old else None)
    # What was said of it on the base belongs to it, too.
    done = new.claim.id if new is not None and new.claim and is_done else None
    if not steps:
        steps = (Step(diff_steps.EDIT if fields else diff_steps.RECORD),)
    return TaskChange(
        task=known.id,
        old=old,
        new=new,
        file=row.file,
        steps=steps,
        fields=fields,
        edges=diff_steps.edges(old.depends_on if old else (), new.depends_on if new else ()),
        assessed=assessed,
        written=written,
        reviews=tuple(one for one in known_reviews if one.id in is_new or one.claim == done),
        findings=tuple(reviews.open_findings(known_reviews)),
        then=then,
    )


def done_at_birth(row: Row) -> tuple[str, ...]:
    """The files that a task was imported from as complete; none for any other task."""
    if row.status != Status.COMPLETE or row.claim:
        return ()
    from ralphgit.records.task_origin import complete_at_birth  # seldom needed

    return complete_at_birth(graph_view.stored(row))


# -- what there is to say against it ---------------------------------------------------------


def notes(
    one: TaskChange, old: Row | None, new: Row | None, stored: dict[str, object], files: Content,
    known_reviews: Sequence[Review],
    *,
    not_by: str,
    brought: Collection[str] = (),
) -> Iterator[ChangeNote]:  # fmt: skip
    """List what a reviewer should look at. `stored` is the block of `new`; `brought` are the ids of
    reviews that come with the work.
    """
    if new is None:
        if old is not None:
            yield _of_fault(branch_changes.removed(old))
        return
    faults = [
        branch_changes.change(old, new),
        *branch_changes.consistency(new.id, new.status, stored),
    ]
    yield from (_of_fault(fault) for fault in faults if fault is not None)
    if one.new is None:
        return
    if one.worked_on and not keeps(one.new, new.contract, *([one.old.title] if one.old else [])):
        yield ChangeNote(
            PROBLEM, "stale_contract", one.task,
            f"what {one.task} promises has changed since claim {new.claim} was made",
        )  # fmt: skip
    elif one.old is not None and one.broken_contract and one.worked_on:
        changed = ", ".join(one.broken_contract)
        yield ChangeNote(
            CONCERN, "contract", one.task,
            f"the branch that worked on {one.task} changes its contract: {changed}",
        )  # fmt: skip
    if one.change == diff_steps.BLOCK and one.new.lifecycle.blocked is not None:
        asks = one.steps[-1].why or one.new.lifecycle.blocked.reason
        yield ChangeNote(CONCERN, "blocked", one.task, f"{one.task} waits for a person: {asks}")
    if one.change == diff_steps.SET:
        said = f"{one.task} was made {new.status} by hand; no command does that"
        yield ChangeNote(PROBLEM, "set_by_hand", one.task, said)
    if one.completed:
        yield from _of_completion(one, one.new, files, known_reviews, not_by, brought)
    for open_finding in one.findings:
        review, finding = open_finding
        against = review.verdict == reviews.AGAINST
        yield ChangeNote(
            PROBLEM if against else CONCERN, "open_finding", one.task,
            f"{one.task}: {review.by} found ({finding.severity}): {finding.text}",
        )  # fmt: skip


def _of_fault(fault: branch_changes.Fault) -> ChangeNote:
    severity = PROBLEM if fault.severity == "error" else CONCERN
    return ChangeNote(severity, fault.code, fault.task, fault.message)


def _of_completion(
    one: TaskChange, task: Task, files: Content, known_reviews: Sequence[Review], not_by: str,
    brought: Collection[str],
) -> Iterator[ChangeNote]:  # fmt: skip
    forced = next((step for step in one.steps if step.deed == diff_steps.FORCE), None)
    if forced is not None:
        why = f": {forced.why}" if forced.why else ""
        said = f"{task.id} was completed by FORCE, without its proofs{why}"
        yield ChangeNote(PROBLEM, "forced", task.id, said)
    if one.then is not None:
        changed = ", ".join(one.then.paths[:3]) + (" and more" if len(one.then.paths) > 3 else "")
        severity, code = PROBLEM, "stale_evidence"
        if one.then.is_others:
            severity, code = CONCERN, "changed_since"
        yield ChangeNote(
            severity, code, task.id,
            f"{task.id} was verified as it was completed ({one.then.commit[:12]}); since then "
            f"{one.then.since} changed {changed}: "
            + evidence_verdict.renewal(task.id, one.then.stale),
        )  # fmt: skip
    for filed in one.own_records:
        evidence, fresh = filed.judged.evidence, filed.judged.fresh
        what = evidence.command or f"{evidence.kind} {evidence.id}"
        if evidence.command and evidence.command_digest != judged_evidence.digest_of(what):
            said = f"the evidence of {task.id} has the digest of another command line: {what}"
            yield ChangeNote(PROBLEM, "wrong_digest", task.id, said)
        if not fresh:
            said = f"the evidence of {task.id} is stale, its files have changed: {what}"
            yield ChangeNote(PROBLEM, "stale_evidence", task.id, said)
        elif evidence.failed:
            said = f"{task.id} is complete, but this exits {evidence.exit_code}: {what}"
            yield ChangeNote(PROBLEM, "failed_evidence", task.id, said)
    told = {filed.judged.evidence.command_digest for filed in one.records}
    for command in dict.fromkeys(one.promised.verify):
        if judged_evidence.digest_of(command) not in told:
            said = f"{task.id} is complete without evidence for: {command}"
            yield ChangeNote(PROBLEM, "missing_evidence", task.id, said)
    if one.unverified:
        said = f"{task.id} is complete and unverified: {evidence_verdict.NOTHING}"
        yield ChangeNote(CONCERN, "unverified", task.id, said)
    passing = (evidence_verdict.PROVED, evidence_verdict.ASSUMED, evidence_verdict.STALE)
    for item in one.own_criteria:
        if item.support in passing:
            continue  # of what is stale, the evidence itself is noted
        challenged = item.support == evidence_verdict.CHALLENGED
        yield ChangeNote(
            PROBLEM if challenged else CONCERN, f"criterion_{item.support}", task.id,
            f"{item.criterion} of {task.id} is {item.support}: {item.text}",
        )  # fmt: skip
    asked = reviews.asked(task, one.promised)
    if asked and task.claim is not None:
        digest = files.digest(one.promised.scope)
        of_others = [review for review in known_reviews if review.id not in brought]
        whys = [
            reviews.missing(some, worker=task.claim.by, digest=digest, not_by=not_by)
            for some in (known_reviews, of_others)
        ]
        if whys[0]:
            said = f"{task.id} has {asked}, and {whys[0]}"
            yield ChangeNote(PROBLEM, "review_missing", task.id, said)
        elif whys[1]:
            said = (
                f"{task.id} has {asked}, and {whys[1]}, but for a review that comes with the "
                "work, which may be the worker's own"
            )
            yield ChangeNote(CONCERN, "review_missing", task.id, said)
    for concern in task.lifecycle.result.concerns if task.lifecycle.result else ():
        by = task.claim.by if task.claim else "whoever completed it"
        yield ChangeNote(CONCERN, "concern", task.id, f"{task.id}: {by} is not sure: {concern}")
