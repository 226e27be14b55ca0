"""The model in memory: who claimed what, how that ended, and so what the base may become."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from life.field import Base, Seen
from life.model import May
from world import Result


class Phase(StrEnum):
    """How far an attempt is, as its worker was told."""

    WORKING = "working"
    LOSING = "losing"
    """The base has another one's work, or has moved on: its lease is dead. Where that work is
    taken back, this may still be completed."""
    DONE = "done"
    ASKED = "asked"
    OVER = "over"
    """Given back, lost, or fenced off by a reset."""


@dataclass(slots=True)
class Attempt:
    key: str
    place: str
    """The worktree's folder."""
    phase: Phase = Phase.WORKING


@dataclass(slots=True)
class Ledger:
    """What has been answered, and what was on the base."""

    base: Base
    remote_leases: bool
    attempts: dict[str, Attempt] = field(default_factory=dict)
    """By claim."""
    freed: set[str] = field(default_factory=set)
    """Keys that were reset or answered since the base was looked at."""
    written: set[str] = field(default_factory=set)
    """Claims whose work is in a file: `complete` was tried."""
    wrong: list[str] = field(default_factory=list)
    by_button: bool = False
    """Whether a forge, which asks no lease, or a person's git has merged just now."""

    # -- what is heard -----------------------------------------------------------------------

    def hears(self, place: str, words: tuple[str, ...], done: Result) -> None:
        """Take in what a command answered."""
        if words[0] == "complete":
            for claim, one in self.attempts.items():
                if one.place == place and one.phase in (Phase.WORKING, Phase.LOSING):
                    self.written.add(claim)
        if done.code == 5 and words[0] in ("complete", "release", "block", "land"):
            self._over(place)
        told = done.data or {}
        if words[0] == "complete" and told.get("task", {}).get("status") == "complete":
            self._moves(place, Phase.DONE)  # also where it could then not be landed
        if done.code:
            return
        match words[0]:
            case "claim":
                task = done.data["task"]
                self._claimed(place, str(task["x-key"]), task["claim"]["id"])
            case "block":
                self._moves(place, Phase.ASKED)
            case "release":
                self._over(place)
            case "reset" | "reply":
                self._frees(str(done.data["task"]["x-key"]))
            case (
                "revert"
            ):  # of the work that has landed: who has claimed the task besides may go on
                self.freed.add(str(done.data["task"]["x-key"]))

    def _claimed(self, place: str, key: str, claim: str) -> None:
        known = self.attempts.get(claim)
        if known is not None and (known.key, known.place) != (key, place):
            self.wrong.append(f"claim {claim} was {known.place}'s on {known.key}, and is {place}'s")
        if known is not None:
            return  # resumed
        for other, one in self.attempts.items():
            same_clone = one.place.startswith("second") == place.startswith("second")
            held = one.key == key and one.phase is Phase.WORKING
            if held and (self.remote_leases or same_clone):
                self.wrong.append(f"{key} is {one.place}'s ({other}), and {place} got it ({claim})")
        self._over(place)
        self.attempts[claim] = Attempt(key, place)

    def _moves(self, place: str, phase: Phase) -> None:
        for one in self.attempts.values():
            if one.place == place and one.phase in (Phase.WORKING, Phase.LOSING):
                one.phase = phase

    def _over(self, place: str) -> None:
        self._moves(place, Phase.OVER)

    def _frees(self, key: str) -> None:
        self.freed.add(key)
        for one in self.attempts.values():
            if one.key == key and one.phase in (Phase.WORKING, Phase.LOSING):
                one.phase = Phase.OVER

    # -- what is seen ------------------------------------------------------------------------

    def saw(self, now: Base, may: May) -> list[str]:
        """What is wrong with the answers and with the base after an event."""
        wrong = [*self.wrong, *self._unexplained(now, may)]
        for key, task in now.tasks.items():
            was = self.base.tasks.get(key, task)
            # Another one's release may end a claim made meanwhile, where no lease is asked for.
            unasked = self.by_button or not self.remote_leases
            fenced = task.epoch > was.epoch and unasked
            if (was.status, was.claim) != (task.status, task.claim) or fenced:
                self._landed(key, task)
        self.base = now
        self.wrong.clear()
        self.freed.clear()
        return wrong

    def _landed(self, key: str, task: Seen) -> None:
        """Who else works on it has lost, or is fenced off."""
        for claim, one in self.attempts.items():
            if one.key == key and claim != task.claim and one.phase is Phase.WORKING:
                one.phase = Phase.LOSING

    def _unexplained(self, now: Base, may: May) -> Iterator[str]:
        """Changes of the base that no attempt and no person has made."""
        by_hand = bool(may & (May.TAKE | May.RETURN))
        for key, task in now.tasks.items():
            was = self.base.tasks.get(key)
            if was is None:
                if task.status != "pending":
                    yield f"{key} is new, and {task.status}"
                continue
            if (was.status, was.claim) == (task.status, task.claim) or by_hand:
                continue
            one = self.attempts.get(task.claim)
            if task.claim and (one is None or one.key != key):
                yield f"{key} is {task.status} by {task.claim}, which nobody was given for it"
            elif task.status == "complete" and (one is None or one.phase is not Phase.DONE):
                yield f"{key} is complete by {task.claim}, whose worker was not told so"
            elif task.status == "complete" and was.status == "complete":
                yield f"{key} was done by {was.claim}, and is done again by {task.claim}"
            elif was.status == "complete" and key not in self.freed:
                yield f"{key} was complete, is {task.status}, and nobody took it back"
