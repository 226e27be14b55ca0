"""Claim a task: check, take the lease, write the record (SPEC 4)."""

import os
from collections.abc import Callable
from typing import NamedTuple

from ralphgit.app.active_claims import leases, next_tasks
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import fetch
from ralphgit.app.lifecycle import (
    claim_errors,
    claim_facts,
    onto_base,
    write_audit_and_graph,
)
from ralphgit.app.lifecycle.onto_base import Brought, Position, Standing
from ralphgit.app.workspace import clone_limits, heartbeat, runtime_files
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, InvalidRecord, RalphError
from ralphgit.git import index
from ralphgit.model.active_claim import ActiveClaim, Lease
from ralphgit.model.task import Claim, Event, Lifecycle
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Status
from ralphgit.records import atomic_files, audit_file, graph_file, splice_task, task_mapping
from ralphgit.rules import claim_verdict, lifecycle, lost_claim
from ralphgit.rules.claim_options import ClaimOptions
from ralphgit.rules.claim_verdict import Allowed, Refusal, TaskFacts
from ralphgit.rules.contract_digest import contract
from ralphgit.rules.readiness import TaskState


class Claimed(NamedTuple):
    """The claim that this worktree has now."""

    lease: Lease
    row: Row
    """The task as it is in this worktree now."""
    task_state: TaskState
    brought: Brought
    """Where this worktree is; whether its branch was moved to the base for the claim."""


def claim(
    project: Project, options: ClaimOptions, *, first: Callable[[Project], None] | None = None
) -> Claimed:
    """Take a task: lease first, then the record, staged but not committed.

    Before that, a branch without work of its own is brought onto the base; also where all is done.
    Of two claims at most one gets the lease; without leases the second to merge conflicts.
    On a refusal the worktree, the index and the refs are as before (law L7). `first` is called
    once the base is fetched.

    Raises: UnknownTask, IllegalMove, ClaimHeld, GuardRefused, NothingReady, NeedsPerson,
    InvalidRecord, RemoteUnavailable (with require_remote only), NotWritable.
    """
    unsynchronised = not fetch.synchronise(project) if options.fetch else False
    if first is not None:
        first(project)
    with WorktreeLock(project):
        onto_base.settle(project)
        return _claim(project, options, unsynchronised, again=3)


def require_fit(project: Project) -> None:
    """Refuse a worktree in which no record can be written now.

    Raises: GuardRefused: bare, no_commit, odd_path, detached_head, unfinished_merge, unmerged.
    """
    unfit = claim_verdict.of_worktree(claim_facts.of_worktree(project))
    if unfit is not None:
        raise claim_errors.of(unfit, project)


def require_possible(project: Project, options: ClaimOptions) -> None:
    """Refuse a claim that is refused wherever this worktree's branch is. Writes nothing.

    Raises: as `claim`.
    """
    require_fit(project)
    claim_map = ClaimMap(project)
    if _own(project, claim_map, options) is not None or not options.task:
        return
    anywhere = Position(Standing.LANDED)
    for facts in claim_facts.candidates(project, claim_map, options, anywhere):
        if isinstance(verdict := claim_verdict.of_task(facts, options), Refusal):
            raise claim_errors.of(verdict, project)


def _own(project: Project, claim_map: ClaimMap, options: ClaimOptions) -> Lease | None:
    """The claim that this worktree goes on with; None if it may make one. Raises: as `claim`."""
    match claim_verdict.of_own(claim_facts.of_own(project, claim_map), options):
        case Lease() as own:
            return own
        case Refusal() as refusal:
            raise claim_errors.of(refusal, project)
    elsewhere, active_claims = claim_facts.elsewhere(project, claim_map), claim_map.active_claims
    busy = claim_verdict.of_others(claim_map.base.by_id, active_claims, elsewhere, options)
    if busy is not None:
        raise claim_errors.of(busy, project)
    return None


def _claim(project: Project, options: ClaimOptions, unsynchronised: bool, again: int) -> Claimed:
    require_fit(project)
    begun = leases.begin(project)
    clone_limits.warn(project)
    claim_map = ClaimMap(project)
    if (own := _own(project, claim_map, options)) is not None:
        return _resume(project, own, options)
    refused: list[Refusal] = []
    position = claim_facts.position(project, options)
    for facts in claim_facts.candidates(project, claim_map, options, position):
        verdict, brought = _bring(project, claim_map, options, facts, position)
        if isinstance(verdict, Allowed):
            for sentence in claim_errors.warnings(verdict):
                project.warn(sentence)
            lease, heads = _new_lease(project, facts.row, unsynchronised), _heads(project)
            outcome = leases.acquire(
                project, lease, claim_map.base.by_id.get(facts.row.id), begun=begun
            )
            begun = None
            if isinstance(outcome, leases.Taken):
                break
            verdict = claim_facts.held_by_lease(project, facts.row.id, outcome.by)
        if options.task:
            raise claim_errors.of(verdict, project)
        refused.append(verdict)
    else:
        error = claim_errors.none_claimed(claim_map, options, refused)
        raise _at_the_end(project, claim_map, error, position)
    lease = outcome.lease
    row = _write_leased(project, lease, heads, claim_map.base, options)
    if row is not None:
        _keep_taken_back(project, claim_map, row.id)
        others = {task: one for task, one in claim_map.leases.items() if task != row.id}
        if ended := leases.drop_dead(project, others, claim_map.base):
            from ralphgit.app.lifecycle import rescued_work  # most claims end nobody's

            rescued_work.drop_landed_of(project, ended)
        return Claimed(lease, row, claim_map.claimed(lease, row), brought)
    if again:
        return _claim(project, options, unsynchronised, again - 1)
    raise GuardRefused(
        "branches kept moving while the claim was made; nothing was changed",
        code="unsettled",
        hint="repeat the command",
    )


def _keep_taken_back(project: Project, claim_map: ClaimMap, task: str) -> None:
    """Keep in rescue refs what earlier attempts have that the base took back, and say so."""
    earlier: dict[str, list[ActiveClaim]] = {}
    for one in claim_map.taken_back.get(task, ()):
        earlier.setdefault(one.claim, []).append(one)
    if not earlier:
        return
    from ralphgit.app.lifecycle import rescue_refs

    for claim, places in earlier.items():
        taken = claim_map.how_taken_back(places[0])
        kept = dict.fromkeys(filter(None, (rescue_refs.sighted(project, one) for one in places)))
        how = taken.sentence(project.base.label) if taken is not None else ""
        where = f"; that work is kept in {', '.join(kept)}" if kept else ""
        project.warn(f"{places[0].by} had {task} before, by claim {claim}, and {how}{where}")


def _at_the_end(
    project: Project, claim_map: ClaimMap, error: RalphError, position: Position
) -> RalphError:
    """Bring a branch that has landed, or lost, onto the base, which has all that was done."""
    from ralphgit.rules.nothing_to_claim import Why

    if error.code != Why.ALL_DONE or not position.moves:
        return error
    brought = _brought(project, claim_map, position)
    if brought.moved:
        said = f"this branch stands on {project.base.label} ({brought.commit[:12]})"
        error.lines = (*error.lines, said)
        error.details["worktree"] = brought.stored()
    return error


def _brought(project: Project, claim_map: ClaimMap, position: Position) -> Brought:
    """Bring the worktree onto the base, and say who won what the branch has done."""
    brought = onto_base.bring_onto_base(project, position)
    for row in position.over if brought.moved else ():
        there = claim_map.base.by_id.get(row.id)
        if winner := lost_claim.won(row, there, base=project.base.label):
            kept = f"; the work of claim {row.claim} is kept in {brought.rescue}"
            project.warn(f"{claim_errors.lost_because(winner)}{kept}")
    return brought


def _bring(
    project: Project,
    claim_map: ClaimMap,
    options: ClaimOptions,
    facts: TaskFacts,
    position: Position,
) -> tuple[Allowed | Refusal, Brought]:
    """Decide about one task, and bring the worktree onto the base for it if it may be claimed.

    Where changes are in the way of that, the task is judged by the branch as it is.
    """
    verdict = claim_verdict.of_task(facts, options)
    if isinstance(verdict, Refusal):
        return verdict, Brought(project.repository.known_head)
    brought = _brought(project, claim_map, position)
    if brought.in_the_way:
        stays = position._replace(standing=Standing.OWN, over=())
        facts = claim_facts.judged(project, claim_map, options, facts.row, stays)
        verdict = claim_verdict.of_task(facts, options)
        if isinstance(verdict, Refusal):
            return verdict._replace(in_the_way=brought.in_the_way), brought
        project.warn(
            f"this branch was not brought onto {project.base.label}, since uncommitted changes "
            f"are in the way: {brought.in_the_way}"
        )
    return verdict, brought


def _write_leased(
    project: Project, lease: Lease, heads: dict[str, str], base: GraphView, options: ClaimOptions
) -> Row | None:
    """Write the record of a claim whose lease is taken; None, without the lease, where a branch
    that has moved since it was at `heads` says something new of the task.

    Between the look around and the lease somebody may have finished the task and given the lease
    back: so the branches are looked at once more, with the lease in hand.
    """
    project.repository.begin_refs()
    try:
        planned = _plan(project, lease, options.force)
        if not _is_news(project, lease.task, heads, base):
            return _write(project, lease, planned)
    except BaseException:  # also a signal: no task is held by who does not work on it
        leases.drop(project, lease)
        raise
    leases.drop(project, lease)
    project.refresh()
    return None


def _heads(project: Project) -> dict[str, str]:
    return {
        name: ref.oid
        for name, ref in project.repository.refs.items()
        if name.startswith(("refs/heads/", "refs/remotes/"))
    }


def _is_news(project: Project, task: str, before: dict[str, str], base: GraphView) -> bool:
    """Whether the base, or any branch, is at a commit that was not seen `before`, and that says of
    the task, or on the base of what it needs, what `base` does not; or that cannot be read.

    A new branch at a known commit says nothing new, nor does one that has gone.
    """
    now, ref = _heads(project), project.base.ref
    known = base.known(task)
    needed = (task, *known.depends_on) if known is not None else (task,)
    try:
        for commit in {*now.values()} - {*before.values()}:
            there = project.view(commit, commit[:12])
            if commit == now.get(ref) and any(_says(there, n) != _says(base, n) for n in needed):
                return True
            row = there.known(task)
            begun = row is not None and row.status != Status.PENDING
            if begun and _says(there, task) != _says(base, task):
                return True
    except InvalidRecord:
        return True
    return ref in before and ref not in now


def _says(view: GraphView, task: str) -> str:
    row = view.known(task)
    return row.json if row is not None else ""


def _resume(project: Project, own: Lease, options: ClaimOptions) -> Claimed:
    """Go on with the claim of this worktree, and put back what is missing of its record.

    Where nothing is missing and the task was not asked for by name, that is not a claim.
    Raises: GuardRefused (already_working).
    """
    row = project.here.by_id.get(own.task)
    if row is None or row.claim != own.claim:
        # The very bytes that it had: a stash that holds them then pops without a conflict.
        record(project, own)
        project.warn(f"the claim on {own.task} was made before; its record has been put back")
    elif settle(project, own):
        project.warn(f"the claim on {own.task} was made before; its record has been completed")
    elif options.task:
        project.warn(f"{own.task} is this worktree's already")
    else:
        raise claim_errors.of(claim_verdict.already_working(own), project)
    project.written()
    head = Brought(project.repository.known_head)
    return Claimed(own, *next_tasks.pair(project, own.task), head)


def settle(project: Project, own: Lease) -> bool:
    """Complete a record that was killed half-way: the audit, what is staged, the note.

    Returns whether something was missing. Raises: InvalidRecord, NotWritable, GitError.
    """
    repository = project.repository
    path = audit_file.path(project.config.records, own.task, own.claim)
    file, number = write_audit_and_graph.parsed_here(project, own.task)
    noted = runtime_files.remembered(project.top)
    missing = not os.path.exists(project.file(path))
    graph, audit = repository.staged_ids([file.path, path])
    staged_graph = repository.objects.read([graph])[graph] if graph else b""
    loose = missing or own.claim.encode() not in staged_graph or audit is None
    if not loose and noted is not None and noted.claim == own.claim:
        return False
    life = task_mapping.lifecycle(file.tasks[number])
    runtime_files.prepare(project)
    with index.Snapshot(project.repository) as staged, atomic_files.Undo() as undo:
        undo.on_failure(staged.restore)
        staging = write_audit_and_graph.stage_graph(project, undo, file, file.text, number, life)
        if missing:
            event = Event(own.at, "claimed", own.by, "pending", life.status.value)
            write_audit_and_graph.write_audit(project, undo, path, event, own.task, own.claim)
        index.add(repository.git, [*staging, path])
        runtime_files.remember(project, own)
    return True


def _loop(project: Project) -> str:
    """This process, where it is the loop of this worktree; "" where a person or an agent claims."""
    beat = heartbeat.read(project.top)
    return str(beat.pid) if beat is not None and beat.pid == os.getpid() else ""


def _new_lease(project: Project, row: Row, unsynchronised: bool) -> Lease:
    worktree = project.repository.worktree
    assert worktree is not None  # require_fit has seen to it
    here = project.here
    task = task_mapping.task(here.stored(here.row(row.id)))
    return Lease(
        task=row.id,
        claim=project.around.new_id(),
        by=project.worker,
        at=project.now(),
        base=project.base.commit[:12],
        contract=contract(task),
        epoch=max(row.epoch, task.epoch),
        start=worktree.head,
        branch=worktree.branch.removeprefix("refs/heads/"),
        worktree=project.top,
        host=heartbeat.host(),
        unsynchronised=unsynchronised,
        loop=_loop(project),
        base_branch=project.base.branch,
    )


def resume(project: Project, lease: Lease) -> None:
    """Note in the attempt's audit that its holder goes on; staged like the claim itself.

    Nothing is written where the claim is not recorded here, or the task has ended.

    Raises: InvalidRecord, NotWritable, GitError.
    """
    with WorktreeLock(project):
        row = project.here.by_id.get(lease.task)
        path = audit_file.path(project.config.records, lease.task, lease.claim)
        recorded = os.path.exists(project.file(path))
        if row is None or row.claim != lease.claim or row.status != "in-progress" or not recorded:
            return
        event = Event(project.now(), "resumed", lease.by, row.status, row.status)
        with index.Snapshot(project.repository) as staged, atomic_files.Undo() as undo:
            undo.on_failure(staged.restore)
            write_audit_and_graph.write_audit(project, undo, path, event, lease.task, lease.claim)
            index.add(project.repository.git, [path])


class _Plan(NamedTuple):
    """A claim's record, worked out and not written."""

    file: graph_file.GraphFile
    number: int
    text: str
    life: Lifecycle
    event: Event


def record(project: Project, lease: Lease, *, note: str = "") -> Row:
    """Write the claim of `lease` into the task's block and the audit, and stage both.

    Returns the task as it is now. On a failure both files and the index are as before.

    Raises: IllegalMove, InvalidRecord, NotWritable, GitError.
    """
    project.require_here().row(lease.task)
    return _write(project, lease, _plan(project, lease, note))


def _plan(project: Project, lease: Lease, note: str) -> _Plan:
    made = Claim(
        id=lease.claim, by=lease.by, at=lease.at, base=lease.base,
        contract=lease.contract, unsynchronised=lease.unsynchronised,
        base_branch=project.other_base,
    )  # fmt: skip
    file, number = write_audit_and_graph.parsed_here(project, lease.task)
    old = task_mapping.lifecycle(file.tasks[number])
    new = lifecycle.claimed(lease.task, old, made)
    event = Event(lease.at, "claimed", lease.by, old.status.value, new.status.value, note)
    text = splice_task.set_lifecycle(file, number, new)
    return _Plan(file, number, text, new, event)


def _write(project: Project, lease: Lease, plan: _Plan) -> Row:
    file, number, text, life, event = plan
    path = audit_file.path(project.config.records, lease.task, lease.claim)
    runtime_files.prepare(project)
    with index.Snapshot(project.repository) as staged, atomic_files.Undo() as undo:
        undo.on_failure(staged.restore)
        staging = write_audit_and_graph.stage_graph(project, undo, file, text, number, life)
        write_audit_and_graph.write_audit(project, undo, path, event, lease.task, lease.claim)
        index.add(project.repository.git, [*staging, path])
        runtime_files.remember(project, lease)
    return write_audit_and_graph.row(file, text, number)
