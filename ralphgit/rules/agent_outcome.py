"""Decide how an attempt has ended, by what the agent left (SPEC 7, L11).

Only what worked is judged as an attempt at the task. What says nothing about the task (a limit, a
login, silence) is never charged to it.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from ralphgit.model.task_status import Reason
from ralphgit.rules.agent_signs import Meaning, Words, own_words, sign_of


class End(StrEnum):
    """How an agent's process came to its end."""

    EXITED = "exited"
    OVER = "timed out"
    SILENT = "silent"
    LOST = "lost"


class Left(NamedTuple):
    """What an agent left."""

    end: End
    code: int
    """Its exit code; 128 + N for signal N."""
    tail: str
    """The end of what it printed."""
    changed: bool
    """Whether there is a commit or a change of a file that was not there before it began."""
    seconds: float
    """How long it ran; where it was stopped, the limit that it reached."""
    question: "Stuck | None" = None
    """What it asks for in its report."""
    words: Words | None = None
    """The words of its typed result, where it printed one; they count, and not the tail."""


class Worked(NamedTuple):
    """It worked: the verify commands decide, whatever its exit code."""

    code: int


class Limited(NamedTuple):
    """It ran into a usage or rate limit: no attempt at all."""

    until: float | None
    """When the limit ends, in seconds since 1970; None where it does not say."""
    said: str


class Unavailable(NamedTuple):
    """It cannot work: login, credit, network, trust, its service, its model. No attempt."""

    said: str


class Silent(NamedTuple):
    """It printed nothing and changed nothing for so long that it was stopped. No attempt."""

    seconds: float


class Stuck(NamedTuple):
    """It needs a person."""

    reason: Reason
    question: str
    options: tuple[str, ...]
    shared: bool = False
    """Whether its story waits for the answer, too."""


class Lost(NamedTuple):
    """The claim is lost, and the agent was stopped."""


class Over(NamedTuple):
    """It was stopped by the time limit. What it did stays, and it goes on from there."""

    seconds: float


#: What a tool says that gave up on its task, though it could work.
_ABOUT_THE_TASK = re.compile(r"(?i)context|turns|tokens|budget")

Outcome = Worked | Limited | Unavailable | Silent | Stuck | Lost | Over


def outcome(left: Left, *, agent: str, reset: Callable[[str], float | None]) -> Outcome:
    """Return how an attempt has ended. `reset` reads when a limit ends from the words of `agent`.

    Its last words count whatever the exit code if nothing was done; where something was, only of
    one that failed. A word that any program may say tells that it cannot work only if it did
    nothing.
    """
    if left.end is End.LOST:
        return Lost()
    if left.question is not None:
        return left.question
    typed = left.words is not None and bool(left.words.lines)
    failed = left.end is not End.EXITED or left.code != 0 or typed
    if failed or not left.changed:
        words = own_words(left.tail) if left.words is None else left.words
        found = sign_of(words, agent=agent, code=left.code, failed=failed)
        if found is not None:
            sign, said = found
            if sign.meaning is Meaning.LIMITED:
                return Limited(_first(reset, (said, *words.lines)), said.strip())
            if sign.agent or not left.changed:
                return Unavailable(said.strip())
        if typed and not left.changed and not _ABOUT_THE_TASK.search(words.lines[0]):
            return Unavailable(words.lines[0])
    if left.end is End.SILENT:
        return Silent(left.seconds)
    return Over(left.seconds) if left.end is End.OVER else Worked(left.code)


def _first(reset: Callable[[str], float | None], texts: tuple[str, ...]) -> float | None:
    return next((at for text in texts if (at := reset(text)) is not None), None)
