"""Derive each task's state, and which tasks may be taken next (SPEC 3.1).

The base decides; what is in flight can only make a task busier than the base says. A claim
of a lower epoch than the base's is fenced off: it counts for nothing (law L3).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.task_row import Row

#: The states of a task that somebody works on, or whose work has not landed.
ACTIVE_STATES = frozenset({"claimed", "in-progress", "in-review"})
_NO_CLAIMS: tuple[ActiveClaim, ...] = ()


class TaskState(NamedTuple):
    """A task's derived state."""

    state: str
    """One of `State`."""
    holder: ActiveClaim | None = None
    blocked_on: tuple[str, ...] = ()
    """What it waits for: unfinished dependencies, or tasks of its story by its mode."""
    stale: bool = False
    lost: tuple[ActiveClaim, ...] = ()
    """Claims that cannot land: somebody else's is on the base."""
    held_back: tuple[str, ...] = ()
    """Of what it waits for, the tasks whose question is about the whole story."""
    blocked_by_base: tuple[str, ...] = ()
    """Of what it waits for, what another graph than the base's would not have it wait for."""


def in_force(
    row: Row, active_claims: Iterable[ActiveClaim]
) -> tuple[list[ActiveClaim], list[ActiveClaim]]:
    """`active_claims` of one task parted into those that count and those that have lost.

    Fenced ones (lower epoch) and ones that the base has already (a finished task, a branch
    left behind) are neither.
    """
    count: list[ActiveClaim] = []
    lost: list[ActiveClaim] = []
    if row.status in ("complete", "cancelled"):
        lost = [
            active for active in active_claims
            if active.epoch >= row.epoch and active.claim != row.claim and active.kind != "lease"
        ]  # fmt: skip
        return count, lost
    for active in active_claims:
        if active.epoch < row.epoch or _left_behind(row, active):
            continue
        ours = active.claim == row.claim or not row.claim or row.status == "blocked"
        (count if ours or active.epoch > row.epoch else lost).append(active)
    return count, lost


def _left_behind(row: Row, active: ActiveClaim) -> bool:
    """Whether a flight is from before its own claim was blocked on the base."""
    return row.status == "blocked" and active.claim == row.claim and active.status == "in-progress"


_STRENGTH = {"complete": 4, "cancelled": 3, "blocked": 2, "in-progress": 1}
_KIND = {"branch": 0, "worktree": 1, "lease": 2}


_FINISHED = frozenset({"complete", "cancelled"})
_READY = TaskState("ready")


class TaskStates(Mapping[str, TaskState]):
    """The standing of every task on the base, by id; each is worked out when asked for."""

    def __init__(
        self,
        rows: Sequence[Row],
        active_claims: Mapping[str, Sequence[ActiveClaim]],
        *,
        complete: Collection[str] = (),
    ) -> None:
        """`complete`: of what `rows` depend on, what is complete and not among them."""
        self._by_id = {row.id: row for row in rows}
        self._active_claims = active_claims
        self._complete = {*complete, *[row.id for row in rows if row.status == "complete"]}
        self._earlier = unfinished_before_checkpoints(rows)
        self._pending = [row for row in rows if row.status == "pending"]
        self._known: dict[str, TaskState] = {}
        self.active_tasks: list[Row] = []
        """The tasks that somebody works on, or whose work has not landed."""
        undecided = []
        for row in rows:
            status = row.status
            if status in _FINISHED or (status == "pending" and row.id not in active_claims):
                continue
            count, lost = in_force(row, active_claims.get(row.id, _NO_CLAIMS))
            task_state = _occupied(row, count, tuple(lost))
            if task_state is None:
                undecided.append((row, tuple(lost)))
                continue
            self._known[row.id] = task_state
            if task_state.state in ACTIVE_STATES:
                self.active_tasks.append(row)
        # By story: what is in flight, what of that admits nothing beside it, and also what is
        # blocked by a question that is about all of the story.
        self._busy: dict[str, list[str]] = {}
        self._asking = _asking(self._by_id, self._known)
        self._exclusive = {story: [*tasks] for story, tasks in self._asking.items()}
        for row in self.active_tasks:
            if row.story:
                self._busy.setdefault(row.story, []).append(row.id)
                if row.mode != "parallel":
                    self._exclusive.setdefault(row.story, []).append(row.id)
        for row, lost_claims in undecided:
            task_state = self._unheld(row)
            self._known[row.id] = (
                task_state._replace(lost=lost_claims) if lost_claims else task_state
            )

    def __getitem__(self, task: str) -> TaskState:
        found = self._known.get(task)
        if found is None:
            row = self._by_id[task]
            if row.status in _FINISHED:
                own = self._active_claims.get(task)
                lost = tuple(in_force(row, own)[1]) if own else ()
                found = finished(row, lost)
            else:
                found = self._unheld(row)
            self._known[task] = found
        return found

    def __contains__(self, task: object) -> bool:
        return task in self._by_id

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def ready(self) -> list[Row]:
        """What may be taken now, in file order."""
        known, exclusive, complete = self._known, self._exclusive, self._complete
        found = []
        for row in self._pending:
            task_state = known.get(row.id)
            if task_state is None:
                # Nearly all are plain, and there may be thousands: no call for each.
                plain = row.mode == "parallel" and row.story not in exclusive
                ready = plain and complete.issuperset(row.depends_on)
                task_state = known[row.id] = _READY if ready else self._unheld(row)
            if task_state.state == "ready":
                found.append(row)
        return found

    def _unheld(self, row: Row) -> TaskState:
        """The state of a task that no worker holds."""
        story = row.story
        waits = [other for other in row.depends_on if other not in self._complete]
        if row.mode == "verify":
            waits += [other for other in self._earlier.get(row.id, ()) if other not in waits]
        if story:
            others = self._busy if row.mode != "parallel" else self._exclusive
            every = (*others.get(story, ()), *self._asking.get(story, ()))
            waits += [other for other in dict.fromkeys(every) if other not in waits]
        held = tuple(self._asking.get(story, ())) if self._asking else ()
        return TaskState("waiting", None, tuple(waits), held_back=held) if waits else _READY


def finished(row: Row, lost: tuple[ActiveClaim, ...] = ()) -> TaskState:
    """The state of a task that is complete or cancelled on the base."""
    return TaskState(row.status, _on_base(row), lost=lost)


def compared(
    task: str, judged: Mapping[str, TaskState], base: TaskState, here: TaskState
) -> TaskState:
    """The state of a task, with what it waits for by the word of either graph alone.

    `base` and `here` are what the base's graph and another one say of it by themselves, `judged`
    is what the base says with all that is in flight. What is complete there nothing waits for.
    """
    task_state = judged[task]
    said = {*base.blocked_on} - {*here.blocked_on}
    found = tuple(one for one in task_state.blocked_on if one in said)
    also = [
        one for one in here.blocked_on
        if one not in task_state.blocked_on
        and one not in base.blocked_on
        and (one not in judged or judged[one].state != "complete")
    ]  # fmt: skip
    if also and task_state.state in ("ready", "waiting"):
        waits = (*task_state.blocked_on, *also)
        task_state = task_state._replace(state="waiting", blocked_on=waits)
    return task_state._replace(blocked_by_base=found) if found else task_state


def _asking(rows: Mapping[str, Row], task_states: Mapping[str, TaskState]) -> dict[str, list[str]]:
    """The tasks whose question their whole story waits for, by story."""
    found: dict[str, list[str]] = {}
    for task, task_state in task_states.items():
        row, holder = rows[task], task_state.holder
        if task_state.state != "blocked" or not row.story:
            continue
        stored = holder.stored if holder is not None and holder.stored else row.json
        if '"shared"' in stored and is_shared(stored):
            found.setdefault(row.story, []).append(task)
    return found


def is_shared(stored: str) -> bool:
    """Whether a blocked task, as JSON, asks what its whole story waits for."""
    import json  # few tasks ask so

    blocked = json.loads(stored).get("blocked")
    return isinstance(blocked, dict) and blocked.get("shared") is True


def _on_base(row: Row) -> ActiveClaim | None:
    if not row.claim:
        return None
    return ActiveClaim(row.id, row.status, row.claim, row.by, row.at, row.epoch, "base", "the base")


def _occupied(
    row: Row, count: list[ActiveClaim], lost: tuple[ActiveClaim, ...]
) -> TaskState | None:
    """The standing of a task that somebody holds or that is blocked; None if it is free."""
    # Blocking gives the lease back: a worker with a lease under another claim has claimed it again.
    leased = {active.claim for active in count if active.kind == "lease"}
    if leased:
        count = [f for f in count if f.status != "blocked" or f.claim in leased]
    if count:
        best = max(count, key=lambda active: (active.epoch, _STRENGTH.get(active.status, 0)))
        status = best.status
        holders = [f for f in count if f.status == status and f.epoch == best.epoch]
        holder = min(holders, key=lambda active: (_KIND.get(active.kind, 9), active.at))
        if status == "complete":
            return TaskState("in-review", holder, lost=lost)
        if status in ("cancelled", "blocked"):
            return TaskState(status, holder, lost=lost)
        own = [active for active in count if active.claim == holder.claim]
        committed = row.status == "in-progress" or any(active.kind == "branch" for active in own)
        state = "in-progress" if committed else "claimed"
        stale = any(active.stale for active in own)
        return TaskState(state, _placed(holder, own), stale=stale, lost=lost)
    if row.status == "in-progress":
        return TaskState("in-progress", _on_base(row), lost=lost)
    if row.status == "blocked":
        return TaskState("blocked", _on_base(row), lost=lost)
    return None


def _placed(holder: ActiveClaim, own: list[ActiveClaim]) -> ActiveClaim:
    """`holder` with the worktree that it works in, where another sighting of it says."""
    for active in own:
        if active.path and not holder.path:
            return holder._replace(where=active.where, path=active.path)
    return holder


def unfinished_before_checkpoints(rows: Sequence[Row]) -> dict[str, list[str]]:
    """For each task in mode verify: the unfinished tasks of its story that stand before it."""
    found: dict[str, list[str]] = {}
    seen: dict[str, list[str]] = {}
    if not any(row.mode == "verify" for row in rows):
        return found
    for row in rows:
        if row.mode == "verify" and row.story:
            found[row.id] = list(seen.get(row.story, ()))
        if row.story and row.status not in ("complete", "cancelled"):
            seen.setdefault(row.story, []).append(row.id)
    return found


def order(rows: Sequence[Row], *, of: Sequence[Row] | None = None) -> list[Row]:
    """`rows` as they would be taken: priority, then story order, then file order.

    A story stands where its first task stands in the graph `of` (by default `rows`), also
    one that is complete; tasks without one come after all stories of their priority.
    """
    stories: dict[str, int] = {}
    for row in rows if of is None else of:
        if row.story:
            stories.setdefault(row.story, len(stories))
    last = len(stories)
    place = stories.get
    keyed = [(row.priority, place(row.story, last), number) for number, row in enumerate(rows)]
    return [rows[number] for _, _, number in sorted(keyed)]


def spread(rows: Sequence[Row], place: int) -> list[Row]:
    """`rows`, in the order in which they would be taken, for the worker at `place` (from 0).

    Of the most urgent ones it begins with the one at its place: those who look at the same
    list do not all try the same task first.
    """
    urgent = [row for row in rows if row.priority == rows[0].priority]
    start = place % len(urgent) if urgent else 0
    return [*urgent[start:], *urgent[:start], *rows[len(urgent) :]]
