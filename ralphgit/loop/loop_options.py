"""Define the options of a loop and its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ralphgit.errors import RalphError
from ralphgit.rules.claim_options import Priorities

#: Shows a line of progress.
Say = Callable[[str], None]


class LoopOptions(NamedTuple):
    """The options of `run`."""

    once: bool = False
    """Stop after one task, however it ends."""
    max_tasks: int | None = None
    """Stop after so many."""
    max_cost: float | None = None
    """Stop after the attempt with which its agents have cost so much, in US dollars."""
    max_time: float | None = None
    """Stop after the attempt during which so many seconds are over."""
    task: str = ""
    """Only this task, whatever its story; with `once`."""
    story: str = ""
    priority: Priorities | None = None
    agent: str = ""
    """A profile, a preset or a command line; "" takes each task's profile, else the configured
    one."""
    only_profile: bool = False
    """Take only tasks that ask for the profile `agent`."""
    land: str = ""
    """auto, merge, pr or none; "" takes the configured one."""
    idle: str = "exit"
    """exit or wait, where nothing is ready."""
    branch: str = "task"
    """task: one from the fresh base for each; keep: go on with the one that is here."""
    role: str = "work"
    """work, or review: of what others have done and asks for it."""
    stack: bool = False
    """Also take tasks whose dependencies are complete on this branch only; with `branch` keep and
    `land` none."""


class Ran(NamedTuple):
    """What a loop did, by task."""

    done: tuple[str, ...]
    blocked: tuple[str, ...]
    lost: tuple[str, ...]
    why: str
    """Why it ended."""
    unlanded: tuple[str, ...] = ()
    """What this worker has completed, here or in an earlier loop, and the base has not got, and no
    pull request brings."""
    for_person: tuple[str, ...] = ()
    """Those of them that land only if a person acts: no review finds them clear, or their worker
    is not sure."""
    nothing: RalphError | None = None
    """Why there was nothing more to claim, where that ended it."""

    refused: bool = False
    """Whether a pull request was closed, or the remote declined a push."""
    agent_away: str = ""
    """Why the agent cannot work, where that ended it."""
    budget: str = ""
    """Which limit of cost or time is reached, where that ended it."""

    @property
    def needs_person(self) -> bool:
        """Whether it left something that only a person can move on."""
        only_a_person = self.nothing is not None and self.nothing.exit_code == 7
        stopped = self.agent_away or self.budget
        left = self.blocked or self.for_person or stopped
        return bool(left) or self.refused or only_a_person
