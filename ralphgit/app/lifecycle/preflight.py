"""Report what a claim, or a merge of this branch, would run into; change nothing."""

import os
import shlex
from typing import NamedTuple

from ralphgit.app.active_claims import lost_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.next_tasks import Pair
from ralphgit.app.lifecycle import claim_errors, claim_facts
from ralphgit.app.workspace import clone_limits, runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, NotWritable, RalphError
from ralphgit.git import merge_preview
from ralphgit.model.active_claim import Lease
from ralphgit.rules import claim_verdict
from ralphgit.rules.claim_options import ClaimOptions
from ralphgit.rules.claim_verdict import Allowed, Reason, Refusal


class Finding(NamedTuple):
    """One question and its answer."""

    check: str
    ok: bool
    message: str
    error: RalphError | None = None


class Preflight(NamedTuple):
    findings: tuple[Finding, ...]
    task: Pair | None
    """The task that a claim would take."""

    @property
    def error(self) -> RalphError | None:
        """The first refusal."""
        return next((f.error for f in self.findings if f.error is not None), None)


def preflight(project: Project, options: ClaimOptions) -> Preflight:
    """Ask all that a claim would ask, and whether this branch merges into the base.

    Raises: what makes the question itself impossible (UnknownTask, InvalidRecord, GuardRefused).
    """
    clone_limits.warn(project)
    claim_map = ClaimMap(project)
    unfit = claim_verdict.of_worktree(claim_facts.of_worktree(project))
    fit = _finding(project, "worktree", unfit, "this worktree can hold a claim")
    findings = [fit if unfit is not None else _unwritable(project) or fit]
    claim: Finding | None = None
    takes_another = True
    if unfit is None:
        match claim_verdict.of_own(claim_facts.of_own(project, claim_map), options):
            case Lease() as own:
                sentence = f"this worktree works on {own.task}, and its claim is valid"
                claim, takes_another = _asked_anew(claim_map, own), False
                claim = claim or Finding("claim", True, sentence)
            case Refusal() as refusal:
                claim = _finding(project, "claim", refusal)
                takes_another = refusal.reason is Reason.LOST
            case _:
                claim = _completion_lost(claim_map)
    if not takes_another:
        return Preflight((*findings, *filter(None, [claim]), _merge(project)), None)
    if unfit is None:
        elsewhere = claim_facts.elsewhere(project, claim_map)
        base, active_claims = claim_map.base.by_id, claim_map.active_claims
        busy = claim_verdict.of_others(base, active_claims, elsewhere, options)
        findings.append(_finding(project, "main-worktree", busy, "no other worktree is in the way"))
    # A claim that is lost conflicts, which is no conflict to be resolved: who won is the answer.
    findings.append(claim or _merge(project))
    found, pair = _task(project, claim_map, options)
    return Preflight((*findings, found), pair)


def _finding(project: Project, check: str, refusal: Refusal | None, yes: str = "") -> Finding:
    if refusal is None:
        return Finding(check, True, yes)
    error = claim_errors.of(refusal, project)
    return Finding(check, False, error.message, error)


def _unwritable(project: Project) -> Finding | None:
    """Whether a claim could not be written: the disk is read-only, or its permissions say so."""
    repository = project.repository
    for path in (project.top, repository.git_dir, repository.common_dir):
        if not os.access(path, os.W_OK):
            error = NotWritable(f"cannot write in {path}")
            return Finding("worktree", False, error.message, error)
    return None


def _completion_lost(claim_map: ClaimMap) -> Finding | None:
    """Whether somebody else has won the task that this worktree has completed."""
    top = claim_map.project.repository.top
    if top is None or runtime_files.remembered(top) is None:
        return None
    from ralphgit.app.lifecycle import earlier_completion  # mostly this worktree has done nothing

    noted = earlier_completion.noted_here(claim_map.project, "")
    winner = earlier_completion.winner_over(claim_map, noted) if noted is not None else None
    if noted is None or winner is None:
        return None
    refusal = Refusal(Reason.LOST, noted.task, noted.claim, winner=winner)
    return _finding(claim_map.project, "claim", refusal)


def _asked_anew(claim_map: ClaimMap, own: Lease) -> Finding | None:
    """Whether the base asks for something else than what was claimed."""
    winner = lost_claims.asked_anew(claim_map, own)
    if winner is None:
        return None
    said = f"this worktree works on {own.task}, and {claim_errors.lost_because(winner)}"
    hint = f"ralphgit show {own.task} --at {shlex.quote(claim_map.project.base.label)}"
    error = GuardRefused(said, code="contract_changed", hint=hint, details={"task": own.task})
    return Finding("claim", False, said, error)


def _task(
    project: Project, claim_map: ClaimMap, options: ClaimOptions
) -> tuple[Finding, Pair | None]:
    refused: list[Refusal] = []
    position = claim_facts.position(project, options)
    for facts in claim_facts.candidates(project, claim_map, options, position):
        verdict = claim_verdict.of_task(facts, options)
        if isinstance(verdict, Allowed):
            for sentence in claim_errors.warnings(verdict):
                project.warn(sentence)
            row, task_state = facts.row, facts.task_state
            pair = (row, task_state) if task_state is not None else None
            return Finding("task", True, f"{row.id} can be claimed"), pair
        refused.append(verdict)
    if options.task:
        return _finding(project, "task", refused[0]), None
    error = claim_errors.none_claimed(claim_map, options, refused)
    return Finding("task", False, error.message, error), None


def _merge(project: Project) -> Finding:
    """Whether this branch merges into the base as it was last fetched."""
    worktree = project.repository.worktree
    if worktree is None or not worktree.head or not project.base.commit:
        return Finding("merge", True, "there is nothing to merge")
    label = project.base.label
    with merge_preview.merged(project.repository, project.base.commit, worktree.head) as found:
        if not found.related:
            error = RalphError(
                f"this branch shares no history with {label}",
                code="unrelated",
                hint=clone_limits.unrelated_hint(project, label),
            )
            return Finding("merge", False, error.message, error)
        if found.conflicts:
            names = ", ".join(found.conflicts[:3])
            error = RalphError(
                f"merging this branch into {label} would conflict in {names}",
                code="merge_conflict",
                hint=project.base.merge_command,
                details={"paths": list(found.conflicts)},
            )
            return Finding("merge", False, error.message, error)
    return Finding("merge", True, f"this branch merges into {label}")
