"""What must hold: nothing comes back, nothing is done twice, what is complete has its work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Flag, auto

from life.field import Base


class May(Flag):
    """What an event may do to the base, beside the landing of new work."""

    NOTHING = 0
    TAKE = auto()
    """Something leaves it: a revert, a rewritten history."""
    RETURN = auto()
    """Somebody brings back by hand what was taken: the revert of a revert, a cherry-pick."""
    REOPEN = auto()
    """A task that was complete is open again."""
    PART = auto()
    """The work goes or comes, and the records stay."""


@dataclass(slots=True)
class Model:
    """What has been taken back, and whose work is not there."""

    base: Base
    taken: set[str] = field(default_factory=set)
    """Claims that were on the base and are not any more."""
    partly: set[str] = field(default_factory=set)
    """Keys of which a person has taken the work alone."""

    def saw(self, now: Base, may: May) -> list[str]:
        """What is wrong with the base after an event."""
        wrong = list(self._violations(now, may))
        here = now.claims
        if May.RETURN in may:
            self.taken -= here
        self.taken |= self.base.claims - here
        empty = {key for key in now.tasks if not _has_work(now, key)}
        self.partly = empty if May.PART in may else self.partly & empty
        self.base = now
        return wrong

    def _violations(self, now: Base, may: May) -> Iterator[str]:
        old, by_hand = self.base, bool(may & (May.TAKE | May.RETURN))
        if May.RETURN not in may:
            for claim in sorted(self.taken & now.claims):
                yield f"claim {claim} was taken back, and is on the base again"
        for key in now.doubled:
            yield f"{key} stands on the base more than once"
        for key, task in now.tasks.items():
            was = old.tasks.get(key, task)
            done, again = was.status == "complete", task.status == "complete"
            if done and again and was.claim != task.claim and not by_hand:
                yield f"{key} was done by {was.claim}, and is done again by {task.claim}"
            if done and not again and not by_hand and May.REOPEN not in may:
                yield f"{key} was complete, and is {task.status}"
            if not _has_work(now, key) and key not in self.partly and May.PART not in may:
                yield f"{key} is complete by {task.claim}, its file has {now.work.get(key)}"
        if May.TAKE not in may:
            for key in old.tasks.keys() - now.tasks.keys():
                yield f"{key} is not on the base any more"


def _has_work(base: Base, key: str) -> bool:
    """Whether what is complete has the file that its claim wrote."""
    task = base.tasks[key]
    return task.status != "complete" or base.work.get(key) == task.claim
