"""What each task's state is, and which may be taken next (SPEC 3.1).

The base decides; what is in flight can only make a task busier than the base says. A claim
of a lower epoch than the base's is fenced off: it counts for nothing (law L3).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ralphgit.model.active_claim import Flight
from ralphgit.model.task_row import Row

#: The states of a task that somebody works on, or whose work has not landed.
IN_FLIGHT = frozenset({"claimed", "in-progress", "in-review"})
_NO_FLIGHTS: tuple[Flight, ...] = ()


class Standing(NamedTuple):
    """A task's derived state."""

    state: str
    """One of `State`."""
    holder: Flight | None = None
    blocked_on: tuple[str, ...] = ()
    """What it waits for: unfinished dependencies, or tasks of its story by its mode."""
    stale: bool = False
    lost: tuple[Flight, ...] = ()
    """Claims that cannot land: somebody else's is on the base."""


def in_force(row: Row, flights: Iterable[Flight]) -> tuple[list[Flight], list[Flight]]:
    """`flights` of one task parted into those that count and those that have lost.

    Fenced ones (lower epoch) and ones that the base has already (a finished task, a branch
    left behind) are neither.
    """
    count: list[Flight] = []
    lost: list[Flight] = []
    if row.status in ("complete", "cancelled"):
        lost = [
            flight for flight in flights
            if flight.epoch >= row.epoch and flight.claim != row.claim and flight.kind != "lease"
        ]  # fmt: skip
        return count, lost
    for flight in flights:
        if flight.epoch < row.epoch or _left_behind(row, flight):
            continue
        ours = flight.claim == row.claim or not row.claim or row.status == "blocked"
        (count if ours or flight.epoch > row.epoch else lost).append(flight)
    return count, lost


def _left_behind(row: Row, flight: Flight) -> bool:
    """Whether a flight is from before its own claim was blocked on the base."""
    return row.status == "blocked" and flight.claim == row.claim and flight.status == "in-progress"


_STRENGTH = {"complete": 4, "cancelled": 3, "blocked": 2, "in-progress": 1}
_KIND = {"branch": 0, "worktree": 1, "lease": 2}


_FINISHED = frozenset({"complete", "cancelled"})
_READY = Standing("ready")


class Standings(Mapping[str, Standing]):
    """The standing of every task on the base, by id; each is worked out when asked for."""

    def __init__(self, rows: Sequence[Row], flights: Mapping[str, Sequence[Flight]]) -> None:
        self._by_id = {row.id: row for row in rows}
        self._flights = flights
        self._complete = {row.id for row in rows if row.status == "complete"}
        self._earlier = unfinished_before_checkpoints(rows)
        self._pending = [row for row in rows if row.status == "pending"]
        self._known: dict[str, Standing] = {}
        self.in_flight: list[Row] = []
        """The tasks that somebody works on, or whose work has not landed."""
        undecided = []
        for row in rows:
            status = row.status
            if status in _FINISHED or (status == "pending" and row.id not in flights):
                continue
            count, lost = in_force(row, flights.get(row.id, _NO_FLIGHTS))
            standing = _occupied(row, count, tuple(lost))
            if standing is None:
                undecided.append((row, tuple(lost)))
                continue
            self._known[row.id] = standing
            if standing.state in IN_FLIGHT:
                self.in_flight.append(row)
        # By story: what is in flight, and what of that admits nothing beside it.
        self._busy: dict[str, list[str]] = {}
        self._exclusive: dict[str, list[str]] = {}
        for row in self.in_flight:
            if row.story:
                self._busy.setdefault(row.story, []).append(row.id)
                if row.mode != "parallel":
                    self._exclusive.setdefault(row.story, []).append(row.id)
        for row, lost_claims in undecided:
            standing = self._unheld(row)
            self._known[row.id] = standing._replace(lost=lost_claims) if lost_claims else standing

    def __getitem__(self, task: str) -> Standing:
        found = self._known.get(task)
        if found is None:
            row = self._by_id[task]
            if row.status in _FINISHED:
                own = self._flights.get(task)
                lost = tuple(in_force(row, own)[1]) if own else ()
                found = Standing(row.status, _on_base(row), lost=lost)
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
            standing = known.get(row.id)
            if standing is None:
                # Nearly all are plain, and there may be thousands: no call for each.
                plain = row.mode == "parallel" and row.story not in exclusive
                ready = plain and complete.issuperset(row.depends_on)
                standing = known[row.id] = _READY if ready else self._unheld(row)
            if standing.state == "ready":
                found.append(row)
        return found

    def _unheld(self, row: Row) -> Standing:
        """The standing of a task that nobody holds."""
        story = row.story
        waits = [other for other in row.depends_on if other not in self._complete]
        if row.mode == "verify":
            waits += [other for other in self._earlier.get(row.id, ()) if other not in waits]
        if story:
            others = self._busy if row.mode != "parallel" else self._exclusive
            waits += [other for other in others.get(story, ()) if other not in waits]
        return Standing("waiting", None, tuple(waits)) if waits else _READY


def _on_base(row: Row) -> Flight | None:
    if not row.claim:
        return None
    return Flight(row.id, row.status, row.claim, row.by, row.at, row.epoch, "base", "the base")


def _occupied(row: Row, count: list[Flight], lost: tuple[Flight, ...]) -> Standing | None:
    """The standing of a task that somebody holds or that is blocked; None if it is free."""
    # Blocking gives the lease back: whoever has one under another claim has taken it up again.
    leased = {flight.claim for flight in count if flight.kind == "lease"}
    if leased:
        count = [f for f in count if f.status != "blocked" or f.claim in leased]
    if count:
        best = max(count, key=lambda flight: (flight.epoch, _STRENGTH.get(flight.status, 0)))
        status = best.status
        holders = [f for f in count if f.status == status and f.epoch == best.epoch]
        holder = min(holders, key=lambda flight: (_KIND.get(flight.kind, 9), flight.at))
        if status == "complete":
            return Standing("in-review", holder, lost=lost)
        if status in ("cancelled", "blocked"):
            return Standing(status, holder, lost=lost)
        own = [flight for flight in count if flight.claim == holder.claim]
        committed = row.status == "in-progress" or any(flight.kind == "branch" for flight in own)
        state = "in-progress" if committed else "claimed"
        stale = any(flight.stale for flight in own)
        return Standing(state, _placed(holder, own), stale=stale, lost=lost)
    if row.status == "in-progress":
        return Standing("in-progress", _on_base(row), lost=lost)
    if row.status == "blocked":
        return Standing("blocked", _on_base(row), lost=lost)
    return None


def _placed(holder: Flight, own: list[Flight]) -> Flight:
    """`holder` with the worktree that it works in, where another sighting of it tells."""
    for flight in own:
        if flight.path and not holder.path:
            return holder._replace(where=flight.where, path=flight.path)
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
