"""Complete a task by work that was merged without a completion: verify it on the base (SPEC 5)."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import unfinished_claims, update_base
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.base.records_in_review import Change, InReview
from ralphgit.app.evidence import (
    changed_paths,
    completion_proof,
    run_verify_commands,
    task_scope,
)
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.forge import change_base
from ralphgit.app.gate import landing_gate
from ralphgit.app.gate.problem import not_landable
from ralphgit.app.integration import merged_work
from ralphgit.app.integration.merged_work import MergedWork
from ralphgit.app.lifecycle import claim_errors, rescued_work
from ralphgit.app.lifecycle.complete import CompleteOptions
from ralphgit.app.processes.verify_command import Run
from ralphgit.app.workspace import commit_message, inside_loop
from ralphgit.app.workspace.project import Project
from ralphgit.app.worktrees.proving_worktree import Ground
from ralphgit.errors import GuardRefused, UsageError
from ralphgit.git.commit_objects import commit_files
from ralphgit.model.task import Claim, Event, Lifecycle, Result, Task
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Mode, Outcome, Status
from ralphgit.records import audit_file, evidence_file, graph_file, splice_task, task_mapping
from ralphgit.rules import claim_verdict, evidence_verdict, lifecycle
from ralphgit.rules.contract_digest import contract, keeps


class CompletedBy(NamedTuple):
    task: str
    commit: str
    """Of the base; the base's own where it was complete already."""
    evidence: tuple[str, ...]
    """Paths of the records written."""
    pushed: bool
    work: MergedWork
    again: bool = False
    """It was complete already; nothing was done."""
    pull: InReview | None = None
    """By which it comes to the base, where that is not pushed to."""


def complete_by(project: Project, options: CompleteOptions) -> CompletedBy:
    """Complete a task on the base by commits that the base has (`options.by`).

    The verify commands and outputs are judged on the base as it is now, in a worktree of their
    own. A claim that was merged without its completion is completed; a task without one gets the
    claim of whoever wrote the commits. Nothing is changed on any refusal; killed, it is repeated.

    Raises: UsageError, UnknownTask, IllegalMove, ClaimHeld, GuardRefused, Refused (with the list of
    what is missing), NeedsPerson (untrusted), RemoteUnavailable (require_remote), InvalidRecord.
    """
    if not options.task:
        raise UsageError(
            "which task was done is not said",
            hint=f"ralphgit complete ID --by {shlex.quote(options.by)}",
        )
    if options.force or options.message or options.shows:
        raise UsageError(
            "--by takes neither --force nor --message nor --shows: it makes a commit of its own on "
            "the base",
            hint=f"ralphgit complete {options.task} --by {shlex.quote(options.by)}",
        )
    inside_loop.refuse(project, "complete", options._asdict())
    update_base.refuse_unfit(project)
    for _ in range(update_base.ATTEMPTS):
        synchronise(project)
        if (done := _once(project, options)) is not None:
            return done
        project.refresh()
    raise GuardRefused(
        f"{project.base.label} kept moving; nothing was changed on it",
        code="unsettled",
        hint="repeat the command",
    )


def _once(project: Project, options: CompleteOptions) -> CompletedBy | None:
    """Complete it once; None where the base has moved meanwhile."""
    project.require_base()
    work = merged_work.found(project, options.by)
    claim_map = ClaimMap(project)
    row = claim_map.base.row(options.task)
    if row.status == "complete":
        project.warn(f"{row.id} is complete already")
        return CompletedBy(row.id, project.base.commit, (), True, work, again=True)
    promised = claim_map.base.task(row.id)
    _refuse_held(project, claim_map, row)
    _refuse_waiting(project, claim_map, promised)
    begun = _begun(project, promised, work, options)
    with Ground(project, failing="nothing was changed") as ground:
        wanted = [(row.id, "", command) for command in promised.verify]
        runs = ground.run(project.base.commit, wanted) if wanted else {}
    missing = _missing(project, promised, work, runs)
    if missing:
        hint = f"ralphgit complete {row.id} --by COMMIT"
        if not promised.verify and _is_asked(project, promised):
            # No commit shows it: somebody has to look.
            hint = f"ralphgit claim {row.id}"
            if promised.lifecycle.status is Status.IN_PROGRESS:
                hint = f"ralphgit reset {row.id} && {hint}"
        raise completion_proof.not_done(row.id, missing, list(runs.values()), [], hint=hint)
    made, evidence = _build(project, row, promised, begun, work, runs, options)
    if problems := landing_gate.problems(project, made):
        raise not_landable(
            problems, f"{row.id} as completed would not pass the gate",
            f"ralphgit check --base {shlex.quote(project.base.label)}", task=row.id,
        )  # fmt: skip
    told = Change(f"{row.id}: complete by work that was merged", (row.id,))
    moved = change_base.advance(project, project.base.commit, made, told, push=True)
    if moved is None:
        return None
    if moved.pull is not None:
        return CompletedBy(row.id, moved.pull.commit, evidence, False, work, pull=moved.pull)
    rescued_work.clear_landed(project, [row.id])
    return CompletedBy(row.id, made, evidence, moved.pushed, work)


def _refuse_held(project: Project, claim_map: ClaimMap, row: Row) -> None:
    """Refuse a task that somebody else may still complete. Raises: ClaimHeld."""
    task_state = claim_map.task_states[row.id]
    abandoned = any(one.task == row.id for one in unfinished_claims.found(project, claim_map))
    if abandoned or task_state.state not in ("claimed", "in-progress", "in-review"):
        return
    refusal = claim_verdict.Refusal(
        claim_verdict.Reason.HELD, row.id, task_state.state, holder=task_state.holder
    )
    raise claim_errors.of(refusal, project)


def _refuse_waiting(project: Project, claim_map: ClaimMap, promised: Task) -> None:
    """Refuse a task that verifies others as long as these are open. Raises: GuardRefused."""
    others = claim_map.task_states[promised.id].blocked_on
    if promised.mode == Mode.VERIFY and others:
        raise GuardRefused(
            f"{promised.id} verifies what it waits for, and of that is open on "
            f"{project.base.label}: {', '.join(others)}; nothing was changed",
            code="dependencies_incomplete", hint="ralphgit next",
            details={"task": promised.id, "related": list(others)},
        )  # fmt: skip


def _is_asked(project: Project, promised: Task) -> bool:
    """Whether something has to verify a task."""
    return project.config.verify_required or promised.mode == Mode.VERIFY


def _begun(
    project: Project, promised: Task, work: MergedWork, options: CompleteOptions
) -> Lifecycle:
    """The task as claimed: by the claim that was merged, else for whoever wrote the commits.

    Raises: IllegalMove; GuardRefused (contract_changed).
    """
    old, digest = promised.lifecycle, contract(promised)
    if old.status is Status.IN_PROGRESS and old.claim is not None:
        if keeps(promised, old.claim.contract):
            return old
        said = f"what {promised.id} promises has changed since it was claimed"
        if not options.accept_contract:
            raise GuardRefused(
                f"{said}; nothing was changed",
                code="contract_changed",
                hint=f"ralphgit complete {promised.id} --by {shlex.quote(options.by)} "
                "--accept-contract",
                details={"task": promised.id, "claimed": old.claim.contract, "now": digest},
            )
        project.warn(f"{said}; accepted")
        return old._replace(claim=old.claim._replace(contract=digest))
    made = Claim(
        id=project.around.new_id(), by=work.worker, at=project.now(),
        base=project.base.commit[:12], contract=digest, base_branch=project.other_base,
    )  # fmt: skip
    return lifecycle.claimed(promised.id, old, made)


def _missing(
    project: Project, promised: Task, work: MergedWork, runs: Mapping[tuple[str, str], Run]
) -> list[str]:
    """List what keeps the base from having the task done, each as a sentence."""
    outside = task_scope.outside(promised, work.paths)
    if promised.mode == Mode.VERIFY or len(outside) < len(work.paths):
        missing = []
        if outside:
            project.warn(f"{work.name} also changes {outside[0]}, outside the task's scope.write")
    elif work.paths:
        missing = [f"{work.name} changes no file in scope.write ({outside[0]} is outside)"]
    else:
        missing = [f"{work.name} changes no file (records do not count)"]
    missing += [completion_proof.failure(project, run) for run in runs.values() if not run.passed]
    if not runs and _is_asked(project, promised):
        proves = "".join(f" --proves {shlex.quote(item.id)}" for item in promised.acceptance)
        missing.append(
            f"nothing verified it: {evidence_verdict.NOTHING} (whoever claims it has "
            f"ralphgit complete {promised.id} --shows TEXT{proves})"
        )
    return missing + changed_paths.missing_outputs(project, project.base.commit, promised.outputs)


def _build(
    project: Project, row: Row, promised: Task, begun: Lifecycle, work: MergedWork,
    runs: Mapping[tuple[str, str], Run], options: CompleteOptions,
) -> tuple[str, tuple[str, ...]]:  # fmt: skip
    """Make the commit on top of the base, in the object store alone; also paths of evidence."""
    claim = begun.claim
    assert claim is not None
    tip, at, records = project.base.commit, project.now(), project.config.records
    outcome = Outcome.DONE_WITH_CONCERNS if options.concerns else Outcome.DONE
    result = Result(
        id=project.around.new_id(), claim=claim.id, outcome=outcome, at=at,
        concerns=options.concerns,
    )  # fmt: skip
    new = lifecycle.completed(row.id, begun, result)
    content = project.base_view.content(row.file).encode()
    file = graph_file.parse(content, path=row.file, limit=project.config.max_graph_bytes)
    number = next(n for n, stored in enumerate(file.tasks) if stored["id"] == row.id)
    contents = {row.file: splice_task.set_lifecycle(file, number, new).encode()}
    subject = Content(project, tip).subject(promised.scope, tip)
    evidence = []
    for run in runs.values():
        path, data = run_verify_commands.of_run(project, run, promised, claim.id, subject)
        contents[path] = _bound(data, path, f"{project.base.label}, with {work.sentence}")
        evidence.append(path)
    old = task_mapping.lifecycle(file.tasks[number])
    note = f"done in {work.sentence}, merged before; recorded by {project.worker}"
    events = [Event(at, "completed", claim.by, "in-progress", "complete", note, options.summary)]
    if old.status is not Status.IN_PROGRESS:
        events.insert(0, Event(at, "claimed", claim.by, old.status.value, "in-progress", ""))
    path = audit_file.path(records, row.id, claim.id)
    known = project.repository.objects.resolve([f"{tip}:{path}"])[0]
    log = project.repository.objects.read([known])[known] if known else None
    for event in events:
        log = audit_file.appended(log, event, path=path, task=row.id, claim=claim.id)
    assert log is not None
    contents[path] = log
    commits = "".join(f"Ralph-Work: {commit}\n" for commit in work.commits)
    said = f"complete, by {work.sentence}"
    head = commit_message.subject(
        project, row.id, said, event="completed", worker=claim.by, story=row.story
    )
    trailers = commits + commit_message.trailers(row.id, claim.id, claim.by)
    message = commit_message.message(head, (), trailers)
    return commit_files(project.repository, tip, contents, message), tuple(evidence)


def _bound(data: bytes, path: str, where: str) -> bytes:
    """The record of a run, which says also of whose commits it is."""
    made = evidence_file.parse(data)
    return evidence_file.encode(made._replace(shows=f"{made.shows} on {where}"), path)
