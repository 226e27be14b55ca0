"""List what happened to a task between two states of its records, by whom and why.

The states decide; the audit's events in between only tell apart what ends in the same state
(a reset and a release), and who did what a later step has written over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ralphgit.model.task import Event, Lifecycle, Task
from ralphgit.model.task_status import Status
from ralphgit.rules.contract_digest import PROMISED

ADD, CLAIM, COMPLETE, FORCE, BLOCK = "add", "claim", "complete", "force-complete", "block"
RESET, RELEASE, ANSWER, REOPEN, CANCEL = "reset", "release", "answer", "reopen", "cancel"
SET, EDIT, REMOVE, RECORD = "set", "edit", "remove", "record"
IMPORT = "import"
TAKE_BACK = "take-back"
#: All that can be done to a task. `import` adds it as complete, as its source says; `set` changes
#: a status in no way that a command does; `record` adds evidence, a review or guidance, and leaves
#: the task itself alone; `take-back` puts it back to before its claim, as a revert does.
DEEDS = (
    ADD, CLAIM, COMPLETE, FORCE, BLOCK, RESET, RELEASE, ANSWER, REOPEN, CANCEL, TAKE_BACK, SET,
    EDIT, REMOVE, RECORD, IMPORT,
)  # fmt: skip
#: How the audit names what ends in a reset record.
_GIVEN_UP = {"released": RELEASE, "answered": ANSWER, "reset": RESET}
_FINISHED = (Status.COMPLETE, Status.CANCELLED)


class Step(NamedTuple):
    """One thing that somebody did to a task."""

    deed: str
    """One of DEEDS."""
    by: str = ""
    """"" where no record says."""
    why: str = ""
    """In the words of the person who did it."""


def steps(
    old: Task | None,
    new: Task | None,
    events: Sequence[Event] = (),
    *,
    done_in: Sequence[str] = (),
) -> tuple[Step, ...]:
    """What was done to the lifecycle of a task, in the order of a life.

    `old` is None for a task that was added, `new` for one that was removed. `events` are those
    that the task's audit has gained, `done_in` the files that a complete task was imported from.
    """
    if new is None:
        return (Step(REMOVE),)
    before = old.lifecycle if old is not None else Lifecycle()
    found = [] if old is not None else [Step(ADD)]
    found += _changed(before, new.lifecycle, events)
    if old is None and len(found) == 1 and new.lifecycle.status == Status.COMPLETE:
        # Nobody has claimed it: its source says so, or somebody has written it there.
        found += [Step(IMPORT, why=", ".join(done_in)) if done_in else Step(SET)]
    if old is not None and old.id != new.id and before.claim and new.lifecycle.claim:
        # What was promised has the id in it, and the claim a digest of that.
        renamed = before.claim._replace(contract=new.lifecycle.claim.contract)
        before = before._replace(claim=renamed)
    if not found and before != new.lifecycle:
        found = [Step(SET)]
    return tuple(found)


def _changed(before: Lifecycle, after: Lifecycle, events: Sequence[Event]) -> Iterator[Step]:
    reset = after.reset if after.reset and after.reset != before.reset else None
    if reset is not None or after.epoch > before.epoch:
        ends = [one for one in events if one.event in _GIVEN_UP]
        if reset is not None:
            ends = [one for one in ends if (one.at, one.by) == (reset.at, reset.by)]
        told = ends[-1] if ends else None
        deed = _GIVEN_UP[told.event] if told else RESET
        if before.status in _FINISHED and deed == RESET:
            deed = REOPEN
        by, why = (reset.by, reset.reason) if reset else (told.by, told.note) if told else ("", "")
        yield Step(deed, by, why)
    claim = after.claim
    if claim is None and before.claim and reset is None and after.epoch == before.epoch:
        yield Step(TAKE_BACK, before.claim.by)
    holder = claim.by if claim else ""
    if claim and (before.claim is None or claim.id != before.claim.id):
        yield Step(CLAIM, holder)
    if after.blocked and after.blocked != before.blocked:
        yield Step(BLOCK, holder, after.blocked.question)
    if after.result and after.result != before.result:
        forced = next((one for one in reversed(events) if one.event == "force-completed"), None)
        yield Step(FORCE, holder, forced.note) if forced else Step(COMPLETE, holder)
    if after.cancelled and after.cancelled != before.cancelled:
        yield Step(CANCEL, after.cancelled.by, after.cancelled.reason)


def fields(
    old: Mapping[str, object], new: Mapping[str, object], *, lifecycle: Sequence[str]
) -> tuple[str, ...]:
    """The keys of two stored blocks that differ, `lifecycle` aside; the contract's come first."""
    keys = [key for key in dict.fromkeys([*old, *new]) if key not in lifecycle]
    differing = [key for key in keys if old.get(key) != new.get(key)]
    return tuple(sorted(differing, key=lambda key: key not in PROMISED))


class Edges(NamedTuple):
    """Which dependencies of a task are new, and which are gone."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def edges(old: Sequence[str], new: Sequence[str]) -> Edges:
    return Edges(
        tuple(one for one in dict.fromkeys(new) if one not in old),
        tuple(one for one in dict.fromkeys(old) if one not in new),
    )
