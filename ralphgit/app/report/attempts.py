"""Collect the attempts at tasks: who worked on what, from when to when, and how it ended."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ralphgit.app.status.log import Entry
from ralphgit.model.task import Task
from ralphgit.model.task_row import Row
from ralphgit.rules.readiness import TaskState

#: An attempt that has not ended, and one of which nobody says how it did.
OPEN, UNFINISHED = "in progress", "unfinished"
_BEGINS = ("claimed", "resumed")
#: These say nothing of how an attempt went.
_BESIDE = ("reviewed",)


class Attempt(NamedTuple):
    task: str
    claim: str
    by: str
    began: str
    """As the record has it, like `ended`."""
    ended: str
    """When the work ended, whether or not it has landed; "" where it has not."""
    outcome: str
    """OPEN, UNFINISHED, or the word of the audit that ended it."""
    events: tuple[Entry, ...]


def attempts(
    entries: Iterable[Entry],
    task_states: Mapping[str, TaskState],
    tasks: Iterable[tuple[Row, Task]],
) -> list[Attempt]:
    """List every attempt, in the order in which they began.

    `entries` are the audit's, oldest first. Of a claim that the audit does not know, a task's own
    record of it says.
    """
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        found.setdefault((entry.task, entry.claim), []).append(entry)
    for row, task in tasks:
        if row.claim and (row.id, row.claim) not in found:
            found[row.id, row.claim] = _of_record(row, task)
    made = []
    for (name, claim), events in found.items():
        if all(event.event in _BESIDE for event in events):
            continue
        task_state = task_states.get(name)
        holder = task_state.holder if task_state is not None else None
        held = holder is not None and holder.claim == claim
        made.append(_attempt(name, claim, events, held=held))
    return sorted(made, key=lambda one: (one.began, one.task, one.claim))


def _of_record(row: Row, task: Task) -> list[Entry]:
    """What a task itself says of its claim."""
    where = ("the graph",)
    events = [Entry(row.id, row.claim, row.at, "claimed", row.by, "", where)]
    result, blocked = task.lifecycle.result, task.lifecycle.blocked
    if result is not None:
        events.append(Entry(row.id, row.claim, result.at, "completed", row.by, "", where))
    if blocked is not None:
        events.append(Entry(row.id, row.claim, blocked.at, "blocked", row.by, "", where))
    return events


def _attempt(task: str, claim: str, events: list[Entry], *, held: bool) -> Attempt:
    ended = outcome = ""
    for entry in events:
        if entry.event in _BEGINS:
            ended, outcome = "", OPEN
        elif entry.event == "landed":
            ended, outcome = ended or entry.at, "landed"
        elif entry.event not in _BESIDE:
            ended, outcome = entry.at, entry.event
    if outcome == OPEN and not held:
        outcome = UNFINISHED
    first = next((one for one in events if one.event in _BEGINS), events[0])
    return Attempt(task, claim, first.by, first.at, ended, outcome, tuple(events))
