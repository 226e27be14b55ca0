"""Compare a worker's branch with its packet: the diff, the evidence and the report."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.app.active_claims import lost_claims, removed_tasks
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.evidence import changed_paths, judged_evidence
from ralphgit.app.evidence.judged_evidence import JudgedState
from ralphgit.app.gate import branch as incoming
from ralphgit.app.gate import state, verified_completion
from ralphgit.app.handoff import worker_report
from ralphgit.app.lifecycle import claim_errors
from ralphgit.app.workspace import record_tree, revisions, runtime_files, taken_back
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, UsageError
from ralphgit.git import trees
from ralphgit.git.merge_preview import merge_base
from ralphgit.model.task import Task
from ralphgit.model.task_row import Row
from ralphgit.records.redact_secrets import secrets_in
from ralphgit.rules import evidence_verdict
from ralphgit.rules.lost_claim import Cause, Winner

READY, CONCERNS, NOT_READY = "ready", "concerns", "not-ready"


class Issue(NamedTuple):
    """A difference between a branch and its packet."""

    code: str
    severity: str
    """error: it is not ready; warning: a person should know."""
    task: str
    message: str
    paths: tuple[str, ...] = ()
    hint: str = ""


class Reconciled(NamedTuple):
    """A branch, compared with the packets of the tasks that it works on."""

    branch: str
    commit: str
    tasks: tuple[str, ...]
    files: tuple[str, ...]
    """What it really changes, records left out."""
    issues: tuple[Issue, ...]

    @property
    def waits_for_review(self) -> bool:
        """Whether nothing but a review keeps it from landing."""
        errors = {issue.code for issue in self.issues if issue.severity == "error"}
        return errors == {"review_missing"}

    @property
    def lost(self) -> Issue | None:
        """Why the claim of one of its tasks is lost; None where all hold."""
        return next((issue for issue in self.issues if issue.code == "claim_lost"), None)

    @property
    def verdict(self) -> str:
        if any(issue.severity == "error" for issue in self.issues):
            return NOT_READY
        return CONCERNS if self.issues else READY


def reconcile(project: Project, branches: Sequence[str]) -> list[Reconciled]:
    """Compare what each branch brings with what was asked of its tasks. Reads only.

    What counts is what the base asks: a branch cannot loosen its own packet. The gate is part
    of it (`check --base`): the branch is judged as merged into the base; of records, those that
    it brings are read.

    Raises: UsageError (bad_revision, not_a_worker), InvalidRecord, GuardRefused (no_commit).
    """
    project.require_base()
    return [_one(project, branch) for branch in dict.fromkeys(branches)]


def _one(project: Project, branch: str) -> Reconciled:
    commit = revisions.commit_of(project, branch)
    view = project.view(commit, branch)
    rows = worked_on(project, view, commit)
    fork = merge_base(project.repository, project.base.commit, commit)
    lost = [] if rows else _reset(project, view, fork)
    if not rows and fork == commit:
        said = f"{branch} is already on {project.base.label}"
        return Reconciled(branch, commit, (), (), (Issue("landed", "warning", "", said),))
    if not rows and not lost:
        raise UsageError(
            f"{branch} does not claim, complete or block any task; if it belongs on "
            f"{project.base.label}, merge it there",
            code="not_a_worker",
            hint=f"git merge {shlex.quote(branch)}",
        )
    paths = trees.differing(project.repository.objects, fork, commit) if fork else []
    files = tuple(path for path in paths if not record_tree.is_record(project, path))
    place = judged_evidence.place_at(project, commit, branch)
    problems = incoming.incoming(
        project, project.base.label, branch, whole=False, own_reviews=False
    )
    problems += state.state(project, place.tree, only=paths)
    issues = [
        Issue(p.code, p.severity, p.task, p.message, (p.file,) if p.file else (), p.hint)
        for p in problems
    ]
    for one in verified_completion.carried_records(project, paths, {row.id for row in rows}):
        issues.append(Issue(one.code, "error", one.task, one.message, (one.file,)))
    for row in rows:
        mine = (row.id, row.claim, view.row(row.id).base)
        winner = lost_claims.withdrawn(ClaimMap(project), mine, commit)
        taken = winner.taken_back if winner is not None else None
        if winner is not None and not (taken and taken_back.is_meant(project, taken, commit)):
            said = f"the claim on {row.id} is lost: {claim_errors.lost_because(winner)}"
            issues.append(Issue("claim_lost", "error", row.id, said, hint="ralphgit next"))
        issues += _of_task(project, place, row)
    for row in lost:
        epoch = project.base_view.by_id[row.id].epoch
        winner = Winner(row.id, Cause.RESET, project.base.label, epoch=epoch)
        said = f"the claim on {row.id} is lost: {claim_errors.lost_because(winner)}"
        issues.append(Issue("claim_lost", "error", row.id, said, hint="ralphgit next"))
    rows += lost
    issues += _of_report(project, commit, view, rows)
    issues += _beside(project, fork, view, {row.id for row in rows})
    return Reconciled(branch, commit, tuple(row.id for row in rows), files, _unique(issues))


def worked_on(project: Project, view: GraphView, commit: str) -> list[Row]:
    """List the claimed tasks that the view of a commit has in another state than the base."""
    base = project.base_view.by_id
    found = []
    for row in view.rows:
        known = base.get(row.id)
        now = (row.status, row.claim, row.epoch, row.mark)
        before = (known.status, known.claim, known.epoch, known.mark) if known else None
        if not row.claim or now == before:
            continue
        if known is None:
            if not removed_tasks.is_inherited(project, commit, row):
                found.append(row)
        elif row.epoch >= known.epoch:
            found.append(row)
    return found


def _reset(project: Project, view: GraphView, fork: str) -> list[Row]:
    """List the tasks that a branch has claimed since `fork`, and that the base has reset since."""
    before = project.view(fork, fork[:12]).by_id if fork else {}
    base = project.base_view.by_id
    return [
        row for row in view.rows
        if row.claim and row.id in base and base[row.id].epoch > row.epoch
        and (row.id not in before or before[row.id].stage != row.stage)
    ]  # fmt: skip


def _of_task(project: Project, place: JudgedState, row: Row) -> Iterator[Issue]:
    task = place.view.task(row.id)
    promised = judged_evidence.as_promised(project, task)
    life = task.lifecycle
    if life.blocked is not None:
        asks = life.blocked.question or life.blocked.reason.value
        message = f"{row.id} is blocked ({life.blocked.reason.value}): {_first_line(asks)}"
        yield Issue("blocked", "error", row.id, message, hint=f'ralphgit reply {row.id} "TEXT"')
        return
    if row.status == "in-progress":
        message = f"{row.id} is not complete: {row.by} still works on it"
        yield Issue("not_complete", "error", row.id, message, hint="ralphgit status")
        return
    for concern in life.result.concerns if life.result else ():
        yield Issue("concern", "warning", row.id, f"{row.by} is not sure: {_first_line(concern)}")
    for sentence in changed_paths.missing_outputs(project, place.content.tree, promised.outputs):
        yield Issue("missing_output", "error", row.id, sentence)
    yield from _criteria(project, place, row, promised)


def _criteria(project: Project, place: JudgedState, row: Row, promised: Task) -> Iterator[Issue]:
    """List the criteria that no evidence supports. Of unverified work the gate tells."""
    found = judged_evidence.surveyed(project, place, [row.id])[0]
    for item in evidence_verdict.support(promised.acceptance, found.judged):
        if item.support in (evidence_verdict.PROVED, evidence_verdict.ASSUMED):
            continue
        challenged = item.support == evidence_verdict.CHALLENGED
        yield Issue(
            "criterion_challenged" if challenged else "criterion_open",
            "error" if challenged else "warning",
            row.id,
            f"{item.criterion} is {item.support}: {_first_line(item.text)}",
            hint=f"ralphgit evidence add {row.id} --proves {shlex.quote(item.criterion)} "
            "--shows TEXT",
        )


def _beside(project: Project, fork: str, view: GraphView, own: set[str]) -> Iterator[Issue]:
    """List changes of the branch to tasks that it does not work on."""
    before = project.view(fork, fork[:12]).by_id if fork else {}
    for row in view.rows:
        known = before.get(row.id)
        if row.id in own or known is None or known.json == row.json:
            continue
        message = f"{row.id} is changed, but the branch does not work on it"
        yield Issue("other_task", "warning", row.id, message, (row.file,))


def _of_report(
    project: Project, commit: str, view: GraphView, rows: Sequence[Row]
) -> Iterator[Issue]:
    """List what the worker's report says and the records do not, if it is on this machine."""
    for worktree in project.repository.worktrees:
        if worktree.bare or not worktree.exists or worktree.head != commit:
            continue
        noted = runtime_files.remembered(worktree.path)
        row = next((one for one in rows if noted and one.claim == noted.claim), None)
        if row is None:
            continue
        try:
            said = worker_report.read(worktree.path, secrets_in(project.around.environ))
        except InvalidRecord as error:
            message = f"the report of {row.id} cannot be read: {error}"
            yield Issue("bad_report", "warning", row.id, message)
            continue
        if said.status in ("done", "done_with_concerns") and row.status != "complete":
            message = f"the report of {row.id} says {said.status}, but {row.id} is not complete"
            yield Issue("report_unproved", "error", row.id, message)
        result = view.task(row.id).lifecycle.result
        for concern in said.concerns:
            if result is not None and concern not in result.concerns:
                message = f"the report of {row.id} has a concern: {_first_line(concern)}"
                yield Issue("concern", "warning", row.id, message)


def _unique(issues: Sequence[Issue]) -> tuple[Issue, ...]:
    order = {"error": 0, "warning": 1}
    return tuple(sorted(dict.fromkeys(issues), key=lambda one: order[one.severity]))


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0]
