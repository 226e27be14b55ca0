"""Complete a task: verify it, then commit its result (SPEC 5)."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.active_claims import leases, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap, read_leases
from ralphgit.app.evidence import (
    as_checked_out,
    changed_paths,
    completion_proof,
    in_submodules,
    record,
    run_verify_commands,
    seen_here_alone,
    task_scope,
)
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.gate import verified_completion
from ralphgit.app.lifecycle import (
    claim,
    claim_errors,
    commit_records,
    current_claim,
    earlier_completion,
    give_up,
    onto_base,
    others_claims,
    write_audit_and_graph,
)
from ralphgit.app.processes import trust, verified_here, verify_command
from ralphgit.app.workspace import commit_message, inside_loop
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, IllegalMove, NeedsPerson, Refused
from ralphgit.git import index, scratch_index, worktrees
from ralphgit.git.objects import scratch_folder
from ralphgit.git.run_git import GitError
from ralphgit.model.active_claim import Lease
from ralphgit.model.evidence import Support
from ralphgit.model.task import Event, Lifecycle, Result, Task
from ralphgit.model.task_status import Mode, Outcome, Status
from ralphgit.records import atomic_files, audit_file, splice_task, task_mapping
from ralphgit.records import evidence_file as codec
from ralphgit.rules import claim_verdict, evidence_verdict, lifecycle
from ralphgit.rules import review_verdict as reviews
from ralphgit.rules.contract_digest import contract, keeps
from ralphgit.rules.evidence_verdict import CriterionProof


class CompleteOptions(NamedTuple):
    task: str = ""
    message: str = ""
    """The commit's, or just its subject; "" is the plan's, else by `commit.subject`."""
    concerns: tuple[str, ...] = ()
    summary: str = ""
    """What was done, for the audit and for the workers of tasks that depend on this one."""
    accept_contract: bool = False
    force: str = ""
    """A reason to complete whatever is missing; recorded as force-completed."""
    shows: str = ""
    """What its worker observed, as evidence of the criteria `proves`."""
    proves: tuple[str, ...] = ()
    by: str = ""
    """What did it and is merged already: a commit, a range or a pull request."""


#: Whether a person agrees that a task is completed by force, of which this is missing.
Agrees = Callable[[str, Sequence[str]], bool]
#: The exit codes that commands of (task, claim, command) have on a commit, in another worktree.
BeforeWork = Callable[[Project, str, Sequence[tuple[str, str, str]]], dict[str, int]]


class Completed(NamedTuple):
    task: str
    commit: str
    evidence: tuple[str, ...]
    """Paths of the records that the commit has and that count, whoever made them."""
    again: bool = False
    """It was complete already; nothing was done."""
    verified: bool = True
    """Whether a command passed, or somebody observed a criterion."""
    criteria: tuple[CriterionProof, ...] = ()
    passed_before: tuple[str, ...] = ()
    """Commands that passed on the base without the work, too: they prove nothing new."""
    forced: bool = False


def complete(
    project: Project,
    options: CompleteOptions,
    *,
    anew: Lease | None = None,
    before: BeforeWork | None = None,
    command_ended: Callable[[], None] = lambda: None,
    agrees: Agrees = lambda task, missing: True,
) -> Completed:
    """Verify the claimed task and commit all that is left, with result, evidence and audit.

    The commands, outputs and scope that count are those on the base: a branch cannot
    loosen its own checks. What is committed is what stood in the worktree when the verify
    commands began; files that they leave behind are not swept in, but for declared
    outputs. On any refusal nothing is committed, and worktree and index are as before, but for
    what `anew` has written as a checkout of the commit would have it.

    A task that is complete here already, and proved, is not verified again; with `anew` it is,
    unless the base has it: who lands believes no completion but his own (law L9). `anew` is a
    loop's claim as it was before its agent. `before` runs commands on the base without the work,
    where `verify.before` asks for that. `command_ended` is called after each verify command, and
    may refuse to go on. `agrees` is asked before anything is completed by force.

    Raises: Refused (with the list of what is missing), ClaimLost, ClaimHeld, IllegalMove,
    GuardRefused, NeedsPerson (untrusted, blocks_git), InvalidRecord, NotWritable.
    """
    inside_loop.refuse(project, "complete", options._asdict())
    with WorktreeLock(project):
        done = _complete(project, options, anew, before, command_ended, agrees)
    if not (done.again or options.force) and (anew or not inside_loop.works(project)):
        verified_here.note(project, done.commit)
    proof = completion_proof.of_commit(project, done.task, done.commit)
    counted = [judged.evidence for judged in proof.judged if judged.counts]
    folder = codec.folder(project.config.records, done.task)
    return done._replace(
        evidence=tuple(f"{folder}/{one.id}.yaml" for one in counted),
        verified=proof.is_verified,
        criteria=proof.criteria,
        passed_before=tuple(one.command for one in counted if one.passed_before),
    )


def _complete(
    project: Project,
    options: CompleteOptions,
    anew: Lease | None,
    before: BeforeWork | None,
    command_ended: Callable[[], None],
    agrees: Agrees,
) -> Completed:
    claim.require_fit(project)
    claim_map = ClaimMap(project)
    if (done := _done_already(project, claim_map, options.task, anew=bool(anew))) is not None:
        return done
    earlier_completion.take_back(project, options.task)
    held = current_claim.held(project, claim_map, options.task, "complete")
    own = held.lease
    if anew and anew.claim == own.claim:
        # When it began, and what was promised, is the loop's to say.
        own = own._replace(start=anew.start, contract=anew.contract)
    onto_base.undo_amend(project, own)
    here = project.here.task(own.task)
    promised = claim_map.base.task(own.task) if own.task in claim_map.base.by_id else here
    wrong = claim_verdict.bad_scope(claim_map.base.by_id.get(own.task, held.row))
    if wrong is not None:
        raise claim_errors.of(wrong, project)
    message = _message(project, held, options)
    accepted = _accept_contract(project, own.contract, promised, here, options)
    verdicts = tuple(Support(criterion, "supports") for criterion in options.proves)
    record.refuse_unknown(promised, verdicts)
    told = record.RecordOptions(own.task, options.shows, verdicts=verdicts)
    commands = promised.verify
    runnable = True
    try:
        trust.require(project, commands)
    except NeedsPerson:
        if not options.force:
            raise
        runnable = False
        project.warn("the verify commands are not trusted, so they did not run")
    if not anew:  # a loop has looked as soon as its agent had ended
        seen_here_alone.passed_over(project.repository, new=False)
    with scratch_folder() as scratch:
        files = scratch_index.Scratch(project.repository, scratch, believed=False)
        files.add_all()
        tree = changed_paths.tree_to_judge(project, files, promised.outputs)
        work_done = changed_paths.of_task(project, own, tree)
        missing = task_scope.faults(promised, work_done)
        missing += changed_paths.hidden(project, files)
        missing += seen_here_alone.faults(project, tree, work_done)
        missing += (inside := in_submodules.faults(project, tree))
        missing += as_checked_out.restore(project, files, tree, work_done) if anew else []
        wanted = [(own.task, own.claim, command) for command in commands if runnable]
        with files.in_place():
            by_command = run_verify_commands.run_each(
                project, wanted, ended=lambda one: command_ended()
            )
        runs = list(by_command.values())
        missing += [completion_proof.failure(project, run) for run in runs if not run.passed]
        spoilt, made = changed_paths.after_verification(project, files, tree, promised.outputs)
        missing += [f"a verify command changed {path}" for path in spoilt]
        if runs:  # which may have changed submodules
            missing += [one for one in in_submodules.faults(project, tree) if one not in inside]
        if made:
            files.read_tree(tree)  # what the commands have run may have found the index
            files.add(made)
            tree = files.tree()
            missing += seen_here_alone.links(project, tree, made)
        missing += changed_paths.missing_outputs(project, tree, promised.outputs)
        if not any(run.passed for run in runs) and not _says(promised, told):
            missing += _unverified(project, promised, own.claim, tree)
        if missing and not options.force:
            outside = task_scope.outside(promised, work_done)
            raise completion_proof.not_done(own.task, missing, runs, outside)
        if options.force and not agrees(own.task, missing):
            raise Refused(
                f"{own.task} is not complete; nothing was changed", code="not_agreed",
                hint=f"ralphgit complete {own.task}",
            )  # fmt: skip
        others = others_claims.found(project, claim_map, own)
        earlier = _before(project, promised, wanted, before)
        return _commit(
            project, held, promised, message, options, told, accepted, tree, runs, earlier,
            missing, others,
        )  # fmt: skip


def _done_already(
    project: Project, claim_map: ClaimMap, task: str, *, anew: bool
) -> Completed | None:
    """Completing twice is completing once: after a crash the command is just repeated.

    With `anew` only what the base has counts. A claim that has lost, or that the base has taken
    back, is given up (L12).

    Raises: ClaimLost, IllegalMove (not_claimed).
    """
    noted = earlier_completion.noted_here(project, task)
    head = project.repository.known_head
    if noted is None or not head:
        return None
    if own_claims.end_of(project.view(head, "HEAD"), noted) is not Status.COMPLETE:
        return None
    if winner := earlier_completion.winner_over(claim_map, noted):
        raise give_up.lose(project, noted, winner)
    landed = own_claims.end_of(project.base_view, noted) is Status.COMPLETE
    if not landed and (anew or verified_completion.unverified_reasons(project, noted, head)):
        return None
    if landed and not task:
        raise IllegalMove(
            f"this worktree has no claim to complete; {noted.task}, which it worked on last, has "
            "landed",
            code="not_claimed",
            hint="ralphgit claim",
        )
    project.warn(f"{noted.task} is complete already")
    return Completed(noted.task, earlier_completion.commit_of(project, noted, head), (), again=True)


def _accept_contract(
    project: Project, claimed: str, promised: Task, here: Task, options: CompleteOptions
) -> str:
    """The digest of what the base will promise once it has the completion.

    Raises: GuardRefused (contract_changed).
    """
    by_base = not keeps(promised, claimed, here.title)
    by_branch = not keeps(here, claimed, promised.title)
    if not by_base and promised.title != here.title:
        project.warn(f"{here.id} has another title on {project.base.label}: {promised.title}")
    if not by_base and not by_branch:
        # A digest with the title in it would not hold for the title that the merge brings.
        lasting = keeps(promised, claimed) and keeps(here, claimed)
        return claimed if claimed and lasting else contract(here)
    places = [f"on {project.base.label}"] if by_base else []
    places += ["on this branch"] if by_branch else []
    sentence = f"what {here.id} promises has changed {' and '.join(places)} since it was claimed"
    if options.accept_contract or options.force:
        project.warn(f"{sentence}; accepted")
        return contract(here if by_branch else promised)
    at = f" --at {shlex.quote(project.base.label)}" if by_base else ""
    raise GuardRefused(
        f"{sentence}; read it first (ralphgit show {here.id}{at})",
        code="contract_changed",
        hint=f"ralphgit complete {here.id} --accept-contract",
        details={
            "task": here.id,
            "claimed": claimed,
            "now": contract(promised if by_base else here),
        },
    )


def _before(
    project: Project,
    promised: Task,
    wanted: Sequence[tuple[str, str, str]],
    run: BeforeWork | None,
) -> dict[str, int]:
    """Find what the commands did on what the work left the base at, where that is asked for."""
    asked = project.config.verify_before
    if run is None or not wanted or asked == "never":
        return {}
    if asked == "risk-high" and promised.risk != reviews.HIGH:
        return {}
    base, head = project.base.commit, project.repository.head()
    # Not where the lease says that it began: that is the worker's to write.
    start = worktrees.fork(project.repository.git, base, head) if base and head else head
    return run(project, start or base, wanted)


def _unverified(project: Project, promised: Task, claim: str, tree: str) -> list[str]:
    """Say that nothing verified a task for which no command passed, where something has to."""
    asked = project.config.verify_required or promised.mode == Mode.VERIFY
    if not asked or completion_proof.is_observed(project, promised, claim, tree):
        return []
    proves = "".join(f" --proves {shlex.quote(item.id)}" for item in promised.acceptance)
    how = f"ralphgit complete {promised.id} --shows TEXT{proves}"
    return [f"nothing verified it: {evidence_verdict.NOTHING} ({how})"]


def _says(promised: Task, told: record.RecordOptions) -> bool:
    """Whether what the worker observed verifies the task: something of a criterion it has."""
    return bool(told.shows) and bool(told.verdicts or not promised.acceptance)


def _commit(
    project: Project,
    held: current_claim.CurrentClaim,
    promised: Task,
    message: str,
    options: CompleteOptions,
    told: record.RecordOptions,
    accepted: str,
    tree: str,
    runs: Sequence[verify_command.Run],
    earlier: Mapping[str, int],
    missing: Sequence[str],
    others: others_claims.OthersClaims | None,
) -> Completed:
    """Write the records, stage exactly what was verified, without `others`, and commit."""
    own, git, task = held.lease, project.repository.git, held.lease.task
    file, number = write_audit_and_graph.parsed_here(project, task)
    old = task_mapping.lifecycle(file.tasks[number])
    outcome = Outcome.DONE_WITH_CONCERNS if options.concerns else Outcome.DONE
    at = project.now()
    identity, concerns = project.around.new_id(), options.concerns
    result = Result(id=identity, claim=own.claim, outcome=outcome, at=at, concerns=concerns)
    new = lifecycle.completed(task, _with_contract(old, accepted), result)
    event = "force-completed" if options.force else "completed"
    note = options.force
    if note and missing:
        note += f" (missing: {'; '.join(missing)})"
    observed = []
    if runs or told.shows:
        subject = Content(project, tree).subject(promised.scope, project.repository.head())
        of_run = run_verify_commands.of_run
        observed = [
            of_run(project, run, promised, own.claim, subject, before=earlier.get(run.command))
            for run in runs
        ]
    if told.shows:
        made = record.observation(project, own.claim, subject, told)
        name = codec.path(project.config.records, task, made.id)
        observed.append((name, codec.encode(made, name)))
        record.require_small(project, *observed[-1])
    path = audit_file.path(project.config.records, task, own.claim)
    with index.Snapshot(project.repository) as staged, atomic_files.Undo() as undo:
        undo.on_failure(staged.restore)
        graph = splice_task.set_lifecycle(file, number, new).encode()
        undo.write(project.file(file.path), graph)
        for name, data in observed:
            undo.write(project.file(name), data)
        moved = (old.status.value, new.status.value)
        line = Event(at, event, own.by, *moved, note, options.summary.strip())
        write_audit_and_graph.write_audit(project, undo, path, line, task, own.claim)
        index.stage(git, tree, [file.path, path, *(name for name, _ in observed)])
        if others is not None:
            others_claims.leave_out(project, others)
        try:
            index.commit(git, message)
        except GitError as error:
            error.hint = f'ralphgit complete {task} -m "TEXT"'
            raise
    commit = commit_records.committed(project)
    leases.drop_dead(project, read_leases(project), project.base_view)
    records = tuple(name for name, _ in observed)
    return Completed(task, commit, records, forced=bool(options.force))


def _with_contract(life: Lifecycle, digest: str) -> Lifecycle:
    """The claim with the contract that was accepted in the end."""
    if life.claim is None or life.claim.contract == digest:
        return life
    return life._replace(claim=life.claim._replace(contract=digest))


def _message(project: Project, held: current_claim.CurrentClaim, options: CompleteOptions) -> str:
    """The worker's own message, else the plan's (`x-commit`), else by the template."""
    own, stored = held.lease, project.here.stored(held.row)
    head = options.message or str(stored.get("x-commit") or "")
    if not head.strip():
        head = commit_message.subject(
            project, own.task, str(stored["title"]), event="completed", worker=own.by,
            story=str(stored.get("story") or ""),
        )  # fmt: skip
    body = [f"Concern: {concern}" for concern in options.concerns]
    if options.force:
        body.append(f"Completed by force: {options.force}")
    trailers = commit_message.trailers(own.task, own.claim, own.by)
    return commit_message.message(head, body, trailers)
