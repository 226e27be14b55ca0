"""`preflight`: what a claim, or a merge of this branch, would meet. Changes nothing."""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.next_tasks import Pair
from ralphgit.app.lifecycle import claim_guards
from ralphgit.app.workspace.project import Project
from ralphgit.errors import NothingReady, RalphError
from ralphgit.git import merge_preview


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


def preflight(project: Project, options: claim_guards.ClaimOptions) -> Preflight:
    """Ask all that a claim would ask, and whether this branch merges into the base.

    Raises: what makes the question itself impossible (UnknownTask, InvalidRecord).
    """
    claim_map = ClaimMap(project)
    findings = [
        _asked(
            "worktree", lambda: claim_guards.refuse_unfit(project), "this worktree can hold a claim"
        )
    ]
    own = claim_guards.own_claim(project, claim_map) if findings[0].ok else None
    if own is not None and options.task not in ("", own.task):
        refusal = claim_guards.already_working(own)
        findings.append(Finding("claim", False, refusal.message, refusal))
    elif own is not None:
        sentence = f"this worktree works on {own.task}, and its claim stands"
        findings.append(Finding("claim", True, sentence))
    elif findings[0].ok:
        findings.append(
            _asked(
                "main-worktree",
                lambda: claim_guards.refuse_main_worktree(project, claim_map, options),
                "no other worktree stands in the way of this one",
            )
        )
    findings.append(_merge(project))
    if own is None and findings[0].ok:
        lost = _asked("claim", lambda: claim_guards.refuse_lost(project, claim_map), "")
        findings += [lost] if not lost.ok else []
    pair = None
    if own is None:
        found, pair = _task(project, claim_map, options)
        findings.append(found)
    return Preflight(tuple(findings), pair)


def _asked(check: str, ask: object, yes: str) -> Finding:
    assert callable(ask)
    try:
        ask()
    except RalphError as error:
        return Finding(check, False, error.message, error)
    return Finding(check, True, yes)


def _task(
    project: Project, claim_map: ClaimMap, options: claim_guards.ClaimOptions
) -> tuple[Finding, Pair | None]:
    first: RalphError | None = None
    for row in claim_guards.candidates(project, claim_map, options):
        refusal = claim_guards.refusal(project, claim_map, row, options)
        if refusal is None:
            task_state = claim_map.task_states.get(row.id)
            pair = (row, task_state) if task_state is not None else None
            return Finding("task", True, f"{row.id} can be claimed"), pair
        first = first or refusal
    if first is None:
        first = NothingReady("nothing is ready", hint="ralphgit status")
    return Finding("task", False, first.message, first), None


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
                hint="a shallow clone? git fetch --unshallow",
            )
            return Finding("merge", False, error.message, error)
        if found.conflicts:
            names = ", ".join(found.conflicts[:3])
            error = RalphError(
                f"merging this branch into {label} would conflict in {names}",
                code="merge_conflict",
                hint=f"git merge {label}; where a task is claimed on both sides, "
                f"the claim on {label} stands",
                details={"paths": list(found.conflicts)},
            )
            return Finding("merge", False, error.message, error)
    return Finding("merge", True, f"this branch merges into {label}")
