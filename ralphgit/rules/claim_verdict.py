"""Decide whether a task may be claimed, from the facts about the worktree and the task (SPEC 4).

`app.lifecycle.claim_facts` gathers the facts, `app.lifecycle.claim_errors` says what a refusal
means. In this order:

| question        | decided by    | refusals                                                   |
|-----------------|---------------|------------------------------------------------------------|
| the worktree    | `of_worktree` | OddPath, UnderWay, DetachedHead, Unmerged                  |
| its own claims  | `of_own`      | AlreadyWorking, Lost (or one is resumed: Resume)           |
| other worktrees | `of_others`   | MainWorktree                                               |
| the task        | `of_task`     | OutsideFilter, Finished, Blocked, Held, BadPattern,        |
|                 |               | DependenciesIncomplete, NotBeside, Overlap, Behind         |
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.model.active_claim import ActiveClaim, Lease
from ralphgit.model.task_row import Row
from ralphgit.rules.active_scopes import ActiveScopes, BadPattern, Overlap, bad_pattern, overlap
from ralphgit.rules.claim_options import ClaimOptions, OutsideFilter, outside_filter
from ralphgit.rules.lost_claim import Winner, is_dead
from ralphgit.rules.readiness import TaskState

# -- facts ---------------------------------------------------------------------------------


class WorktreeFacts(NamedTuple):
    """What a worktree is in the middle of."""

    path: str
    under_way: str
    """The operation of git's that has not ended, "merge" say; "" for none."""
    is_detached: bool
    """HEAD is on no branch."""
    unmerged: tuple[str, ...]
    """Paths with conflicts."""
    has_unmerged_records: bool


class OwnClaim(NamedTuple):
    """A claim of this worktree that has not ended."""

    lease: Lease
    row: Row | None
    """The task as the base has it."""
    winner: Winner | None
    is_recorded: bool
    """This worktree's files have the record."""


class OtherClaims(NamedTuple):
    """The active claims of all worktrees and branches."""

    is_main: bool
    """This is the main worktree."""
    base: Mapping[str, Row]
    active_claims: Mapping[str, Sequence[ActiveClaim]]
    elsewhere: frozenset[str]
    """The `path`s of those active claims that are in another worktree."""


class GraphFacts(NamedTuple):
    """What all tasks are judged by."""

    base: Mapping[str, Row]
    base_name: str
    here: Mapping[str, Row]
    """The tasks in this worktree's files."""
    active_scopes: ActiveScopes
    has_leases: bool
    """Leases decide who has a task; else the merge does."""


class TaskFacts(NamedTuple):
    """A task that may be claimed."""

    row: Row
    """As the base has it; as it is here, where the base has it not."""
    task_state: TaskState | None
    """None where the base has it not."""
    heartbeat_age_s: float | None
    """Of the one who has the task."""
    is_behind: bool
    """The base has a newer form of the task than this worktree knows of."""
    graph: GraphFacts


# -- verdicts ------------------------------------------------------------------------------


class OddPath(NamedTuple):
    """No lease can name the worktree: its path is not UTF-8."""

    path: str


class UnderWay(NamedTuple):
    """An operation of git's has not ended."""

    what: str
    has_records: bool
    """It has conflicts in records, which `resolve` solves."""


class DetachedHead(NamedTuple):
    """A commit would be on no branch."""

    path: str


class Unmerged(NamedTuple):
    """The index has conflicts."""

    paths: tuple[str, ...]
    has_records: bool


class Resume(NamedTuple):
    """The worktree has this claim already, and goes on with it."""

    own: Lease


class AlreadyWorking(NamedTuple):
    """The worktree has a claim on another task."""

    own: Lease


class Lost(NamedTuple):
    """The record of a claim that is lost is in the files: it would travel along."""

    own: Lease
    winner: Winner


class MainWorktree(NamedTuple):
    """This is the main worktree, and a worker is at work in another one."""

    other: ActiveClaim


class Finished(NamedTuple):
    task: str
    state: str
    """complete or cancelled."""


class Blocked(NamedTuple):
    task: str


class Held(NamedTuple):
    """Somebody has the task."""

    task: str
    holder: ActiveClaim | None
    """None where nothing says who."""
    state: str = "claimed"
    heartbeat_age_s: float | None = None


class DependenciesIncomplete(NamedTuple):
    task: str
    open: tuple[str, ...]
    unknown: tuple[str, ...]
    """Those of `open` that the base does not have at all."""


class NotBeside(NamedTuple):
    """The task's mode does not let it run now."""

    task: str
    mode: str
    others: tuple[str, ...]


class Behind(NamedTuple):
    """The worktree does not have the task as the base has it."""

    task: str
    base_name: str
    is_here: bool
    """It has another form of it; else it has none."""


class Allowed(NamedTuple):
    """The task may be claimed."""

    task: str
    base_name: str
    is_on_base: bool
    """Else it is claimed on this branch alone."""
    despite: ActiveClaim | None = None
    """Who has the task, which may be claimed all the same."""
    is_forced: bool = False
    """That is so for the sake of `force`; else since there are no leases."""


OfWorktree = OddPath | UnderWay | DetachedHead | Unmerged
OfTask = (
    OutsideFilter | Finished | Blocked | Held | BadPattern | DependenciesIncomplete | NotBeside
    | Overlap | Behind
)  # fmt: skip
Refusal = OfWorktree | AlreadyWorking | Lost | MainWorktree | OfTask


# -- the worktree --------------------------------------------------------------------------


def of_worktree(facts: WorktreeFacts) -> OfWorktree | None:
    """Why no record can be written in a worktree now; None where one can."""
    try:
        facts.path.encode("utf-8")
    except UnicodeEncodeError:
        return OddPath(facts.path)
    # Before HEAD: a rebase or bisect detaches it, and the way out is its own.
    if facts.under_way:
        return UnderWay(facts.under_way, facts.has_unmerged_records)
    if facts.is_detached:
        return DetachedHead(facts.path)
    if facts.unmerged:
        return Unmerged(facts.unmerged, facts.has_unmerged_records)
    return None


def of_own(own: Sequence[OwnClaim], options: ClaimOptions) -> Resume | AlreadyWorking | Lost | None:
    """What the claims of this worktree say to a new one; None for nothing."""
    if (lease := held_here(own)) is not None:
        return Resume(lease) if options.task in ("", lease.task) else AlreadyWorking(lease)
    for one in own:
        if one.winner is not None and one.is_recorded:
            return Lost(one.lease, one.winner)
    return None


def held_here(own: Sequence[OwnClaim]) -> Lease | None:
    """The claim that a worktree works on and that the base has not moved past."""
    return next((one.lease for one in own if not is_dead(one.lease, one.row)), None)


def of_others(facts: OtherClaims, options: ClaimOptions) -> MainWorktree | None:
    """Who works in another worktree, where this is the main one."""
    if not facts.is_main or options.force:
        return None
    for task, active_claims in facts.active_claims.items():
        row = facts.base.get(task)
        over = {active.claim for active in active_claims if active.status != "in-progress"}
        for active in active_claims:
            beside = active.path in facts.elsewhere and active.claim not in over
            if beside and not _is_past(row, active):
                return MainWorktree(active)
    return None


def _is_past(row: Row | None, active: ActiveClaim) -> bool:
    """Whether the base has moved past an active claim."""
    return row is not None and (row.status in ("complete", "cancelled") or active.epoch < row.epoch)


# -- the task ------------------------------------------------------------------------------


def of_task(facts: TaskFacts, options: ClaimOptions) -> Allowed | OfTask:
    """Whether a task may be claimed from this worktree now."""
    row, task_state, graph = facts.row, facts.task_state, facts.graph
    if (outside := outside_filter(row, options)) is not None:
        return outside
    despite: ActiveClaim | None = None
    if task_state is not None:
        taken = _occupied(facts, task_state, options)
        if isinstance(taken, Finished | Blocked | Held):
            return taken
        despite = taken
    if (wrong := bad_pattern(row)) is not None:
        return wrong
    if not options.force:
        found = (
            _dependencies(row, graph, stack=options.stack)
            or (None if task_state is None or options.stack else _mode(row, task_state))
            or overlap(row, graph.active_scopes)
        )
        if found is not None:
            return found
    if row.id not in graph.here or facts.is_behind:
        return Behind(row.id, graph.base_name, row.id in graph.here)
    on_base = row.id in graph.base
    return Allowed(row.id, graph.base_name, on_base, despite, is_forced=bool(options.force))


def _occupied(
    facts: TaskFacts, task_state: TaskState, options: ClaimOptions
) -> ActiveClaim | Finished | Blocked | Held | None:
    """Why a task is not free; or who has it, where it may be claimed all the same."""
    task, state, holder = facts.row.id, task_state.state, task_state.holder
    if state in ("ready", "waiting"):
        return None
    if state in ("complete", "cancelled"):
        return Finished(task, state)
    if state == "blocked":
        return None if options.force else Blocked(task)
    may_take = bool(options.force) or not facts.graph.has_leases
    if may_take and holder is not None and holder.kind != "base":
        return holder
    return Held(task, holder, state, facts.heartbeat_age_s)


def _dependencies(row: Row, graph: GraphFacts, *, stack: bool) -> DependenciesIncomplete | None:
    """Every dependency is complete on the base; with `stack`, or in this worktree."""
    open_ = [other for other in row.depends_on if not _is_complete(other, graph.base)]
    if stack:
        open_ = [other for other in open_ if not _is_complete(other, graph.here)]
    if not open_:
        return None
    unknown = tuple(other for other in open_ if other not in graph.base)
    return DependenciesIncomplete(row.id, tuple(open_), unknown)


def _is_complete(task: str, rows: Mapping[str, Row]) -> bool:
    return task in rows and rows[task].status == "complete"


def _mode(row: Row, task_state: TaskState) -> NotBeside | None:
    """The task's mode lets it run now, beside what runs of its story."""
    others = tuple(other for other in task_state.blocked_on if other not in row.depends_on)
    return NotBeside(row.id, row.mode, others) if others else None
