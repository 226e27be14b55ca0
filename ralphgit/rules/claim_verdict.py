"""Decide whether a task may be claimed, from facts about the worktree and the task (SPEC 4).

`app.lifecycle.claim_facts` gathers the facts; `app.lifecycle.claim_errors` has the words for each
`Reason`. Asked in this order: `of_worktree`, `of_own`, `of_others`, then `of_task` for each task.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import NamedTuple

from ralphgit.model.active_claim import ActiveClaim, Lease
from ralphgit.model.characters import forbidden
from ralphgit.model.task_row import Row
from ralphgit.rules.active_scopes import ActiveScopes, bad_pattern, overlap
from ralphgit.rules.claim_options import ClaimOptions, is_wanted, lacking
from ralphgit.rules.lost_claim import Winner, is_overtaken
from ralphgit.rules.readiness import TaskState

# -- facts ---------------------------------------------------------------------------------


class WorktreeFacts(NamedTuple):
    """The unfinished business of a worktree."""

    path: str
    under_way: str
    """The git operation that has not ended, "merge" say; "" for none."""
    is_detached: bool
    """HEAD is on no branch."""
    unmerged: tuple[str, ...]
    """Paths with conflicts."""
    has_unmerged_records: bool
    linked_folder: str = ""
    """A folder of the graph or the records that is a symbolic link."""


class OwnClaim(NamedTuple):
    """A claim of this worktree that has not ended."""

    lease: Lease
    row: Row | None
    """The task as the base has it."""
    winner: Winner | None
    is_recorded: bool
    """This worktree's files have the record."""


class TaskFacts(NamedTuple):
    """A task that may be claimed, and the graph around it."""

    row: Row
    """As the base has it; as it is here if the base does not have it."""
    task_state: TaskState | None
    """None if the base does not have the task."""
    heartbeat_age_s: float | None
    """Of the holder."""
    is_behind: bool
    """The base has a newer form of the task than this worktree knows of."""
    base: Mapping[str, Row]
    base_name: str
    here: Mapping[str, Row]
    """The tasks in this worktree's files."""
    active_scopes: ActiveScopes
    provides: tuple[str, ...]
    """What this worker has that tasks may need."""
    has_leases: bool
    """Leases decide who has a task; without them the merge does."""


# -- verdicts ------------------------------------------------------------------------------


class Reason(Enum):
    """Why a claim is refused, and what `about` of its `Refusal` holds."""

    ODD_PATH = auto()
    """The worktree's path, which no record can hold, so no lease can name it."""
    LINKED_FOLDER = auto()
    """A folder of the graph or the records that is a link: git keeps no file behind one."""
    UNDER_WAY = auto()
    """The git operation that has not ended."""
    BISECT = auto()
    RECORDS_UNDER_WAY = auto()
    """The same, with conflicts in records, which `resolve` solves."""
    CONFLICTS_UNDER_WAY = auto()
    """The same, with conflicts in other files."""
    DETACHED_HEAD = auto()
    """The worktree's path: a commit there would be on no branch."""
    UNMERGED = auto()
    """Paths with conflicts."""
    RECORDS_UNMERGED = auto()
    """The same, records among them."""
    ALREADY_WORKING = auto()
    """The claim that this worktree has on another task."""
    LOST = auto()
    """A claim that is lost: its record is in the files and would travel along."""
    MAIN_WORKTREE = auto()
    """Nothing; this is the main worktree, and `holder` works in another one."""
    FINISHED = auto()
    """complete or cancelled."""
    BLOCKED = auto()
    HELD = auto()
    """The task's state; `holder` has it, if that is known."""
    OTHER_STORY = auto()
    """The story asked for."""
    OTHER_PRIORITY = auto()
    """The task's priority."""
    BAD_PATTERN = auto()
    """What is wrong."""
    DEPENDENCIES = auto()
    """Dependencies that are not complete on the base."""
    MODE = auto()
    """The task's mode, which does not let it run beside `others`."""
    HELD_BACK = auto()
    """What `others` ask is about the whole story."""
    UNPROVIDED = auto()
    """What the task needs; this worker does not provide all of it."""
    OVERLAP = auto()
    """Where the task meets one that is claimed."""
    BEHIND = auto()
    """The base, which has another form of the task."""
    LACKING = auto()
    """The base, which has the tasks that it depends on; this worktree does not."""
    NOT_HERE = auto()
    """The base, which has the task; this worktree does not."""


class Refusal(NamedTuple):
    """Why a task may not be claimed, or why this worktree may not claim."""

    reason: Reason
    task: str = ""
    about: str = ""
    others: tuple[str, ...] = ()
    """The tasks that are in the way."""
    holder: ActiveClaim | None = None
    winner: Winner | None = None
    heartbeat_age_s: float | None = None
    place: str = ""
    """File and line of a task with a bad pattern."""
    in_the_way: str = ""
    """What git said of uncommitted changes that kept the branch from the base."""


class Allowed(NamedTuple):
    """The task may be claimed."""

    task: str
    base_name: str
    is_on_base: bool
    """False: it is claimed on this branch alone."""
    despite: ActiveClaim | None = None
    """The holder of a task that may be claimed all the same."""
    is_forced: bool = False
    """Because of `force`; False: because there are no leases."""


# -- the worktree --------------------------------------------------------------------------


def of_worktree(facts: WorktreeFacts) -> Refusal | None:
    """Why no record can be written in a worktree now; None if one can."""
    records = facts.has_unmerged_records
    if forbidden(facts.path):
        return Refusal(Reason.ODD_PATH, about=facts.path)
    if facts.linked_folder:
        return Refusal(Reason.LINKED_FOLDER, about=facts.linked_folder)
    # Before HEAD: a rebase or bisect detaches it, and has its own way out.
    if facts.under_way == "bisect":
        return Refusal(Reason.BISECT)
    if facts.under_way:
        reason = Reason.CONFLICTS_UNDER_WAY if facts.unmerged else Reason.UNDER_WAY
        reason = Reason.RECORDS_UNDER_WAY if records else reason
        return Refusal(reason, about=facts.under_way)
    if facts.is_detached:
        return Refusal(Reason.DETACHED_HEAD, about=facts.path)
    if facts.unmerged:
        reason = Reason.RECORDS_UNMERGED if records else Reason.UNMERGED
        return Refusal(reason, about=", ".join(facts.unmerged[:3]))
    return None


def of_own(own: Sequence[OwnClaim], options: ClaimOptions) -> Lease | Refusal | None:
    """The claim of this worktree to resume, or to finish first; None if there is neither."""
    if (lease := held_here(own)) is not None:
        return lease if options.task in ("", lease.task) else already_working(lease)
    for one in own:
        if one.winner is not None and one.is_recorded:
            return Refusal(Reason.LOST, one.lease.task, one.lease.claim, winner=one.winner)
    return None


def held_here(own: Sequence[OwnClaim]) -> Lease | None:
    """The claim that a worktree works on and that the base has not moved past."""
    held = (one.lease for one in own if one.winner is None and not is_overtaken(one.lease, one.row))
    return next(held, None)


def already_working(lease: Lease) -> Refusal:
    return Refusal(Reason.ALREADY_WORKING, lease.task, lease.claim)


def of_others(
    base: Mapping[str, Row],
    active_claims: Mapping[str, Sequence[ActiveClaim]],
    elsewhere: frozenset[str],
    options: ClaimOptions,
) -> Refusal | None:
    """Refuse the main worktree while a worker is active at one of the paths `elsewhere`."""
    for task, claims in active_claims.items() if elsewhere and not options.force else ():
        row = base.get(task)
        ended = {one.claim for one in claims if one.status != "in-progress"}
        for one in claims:
            past = row and (row.status in ("complete", "cancelled") or one.epoch < row.epoch)
            if one.path in elsewhere and one.claim not in ended and not past:
                return Refusal(Reason.MAIN_WORKTREE, one.task, holder=one)
    return None


# -- the task ------------------------------------------------------------------------------


def of_task(facts: TaskFacts, options: ClaimOptions) -> Allowed | Refusal:
    """Decide whether a task may be claimed from this worktree now."""
    row, task, forced = facts.row, facts.row.id, bool(options.force)
    if not is_wanted(row, options):
        if options.story not in ("", row.story):
            return Refusal(Reason.OTHER_STORY, task, options.story)
        return Refusal(Reason.OTHER_PRIORITY, task, str(row.priority))
    despite = _occupied(facts, options)
    if isinstance(despite, Refusal):
        return despite
    refusal = bad_scope(row)
    if refusal is None and not forced:
        refusal = (
            _unprovided(facts)
            or _dependencies(facts, options)
            or _lacking(facts)
            or _mode(facts, options)
            or _overlap(facts)
        )
    if refusal is not None:
        return refusal
    if task not in facts.here or facts.is_behind:
        reason = Reason.BEHIND if task in facts.here else Reason.NOT_HERE
        return Refusal(reason, task, facts.base_name)
    return Allowed(task, facts.base_name, task in facts.base, despite, forced)


def _occupied(facts: TaskFacts, options: ClaimOptions) -> ActiveClaim | Refusal | None:
    """Why a task is not free; or its holder, if it may be claimed all the same."""
    task, task_state = facts.row.id, facts.task_state
    if task_state is None or task_state.state in ("ready", "waiting"):
        return None
    state, holder = task_state.state, task_state.holder
    if state in ("complete", "cancelled"):
        return Refusal(Reason.FINISHED, task, state)
    if state == "blocked":
        return None if options.force else Refusal(Reason.BLOCKED, task)
    if (options.force or not facts.has_leases) and holder is not None and holder.kind != "base":
        return holder
    age = facts.heartbeat_age_s
    return Refusal(Reason.HELD, task, state, holder=holder, heartbeat_age_s=age)


def _unprovided(facts: TaskFacts) -> Refusal | None:
    """Refuse a task that needs what this worker has not got."""
    row = facts.row
    if not lacking(row, facts.provides):
        return None
    return Refusal(Reason.UNPROVIDED, row.id, ",".join(row.needs))


def bad_scope(row: Row) -> Refusal | None:
    """Refuse a task whose scope has a pattern that cannot be understood."""
    if (wrong := bad_pattern(row)) is None:
        return None
    return Refusal(Reason.BAD_PATTERN, row.id, wrong.sentence, place=wrong.place)


def _dependencies(facts: TaskFacts, options: ClaimOptions) -> Refusal | None:
    """Refuse unless all are complete on the base; with `stack`, there or in this worktree."""
    places = (facts.base, facts.here) if options.stack else (facts.base,)
    others = tuple(
        one for one in facts.row.depends_on
        if not any(one in rows and rows[one].status == "complete" for rows in places)
    )  # fmt: skip
    names = (one if one in facts.base else f"{one} (unknown)" for one in others)
    return Refusal(Reason.DEPENDENCIES, facts.row.id, ", ".join(names), others) if others else None


def _lacking(facts: TaskFacts) -> Refusal | None:
    """Refuse where this worktree has not the work that the task depends on, and the base has it."""
    base, here = facts.base, facts.here
    done = [one for one in facts.row.depends_on if one in base and base[one].status == "complete"]
    others = tuple(
        one for one in done
        if one not in here or (here[one].status, here[one].claim) != ("complete", base[one].claim)
    )  # fmt: skip
    return Refusal(Reason.LACKING, facts.row.id, facts.base_name, others) if others else None


def _mode(facts: TaskFacts, options: ClaimOptions) -> Refusal | None:
    """Refuse a task whose mode does not let it run beside what runs of its story."""
    row, waits = facts.row, facts.task_state.blocked_on if facts.task_state else ()
    others = tuple(one for one in waits if one not in row.depends_on)
    if facts.task_state and (held := facts.task_state.held_back):
        return Refusal(Reason.HELD_BACK, row.id, others=held)
    return Refusal(Reason.MODE, row.id, row.mode, others) if others and not options.stack else None


def _overlap(facts: TaskFacts) -> Refusal | None:
    if (found := overlap(facts.row, facts.active_scopes)) is None:
        return None
    return Refusal(Reason.OVERLAP, found.task, found.sentence, (found.other,))
