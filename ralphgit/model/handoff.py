"""Define what a worker is given for a task, and the questions that it asks about it."""

import os
from typing import NamedTuple

from ralphgit.model.task import Criterion, Scope
from ralphgit.model.task_status import Mode

#: Where the worker hands back its report, from the root of the worktree.
REPORT = os.path.join(".ralph", "report.yaml")
#: Where a person's notes and answers reach the worker.
INBOX = os.path.join(".ralph", "inbox")
#: Where a reviewer hands back its verdict, from the root of the worktree.
REVIEW_REPORT = os.path.join(".ralph", "review.yaml")
#: Where the work is checked out that a reviewer looks at, from the root of its worktree.
REVIEWED = os.path.join(".ralph", "work")
STATUSES = ("done", "done_with_concerns", "needs_context", "blocked")
_ABSENT = "the task needs something that is not there"
_OUTSIDE = "the task needs a file outside the scope, or something that is not there"
_UNPROVABLE = "the verify commands cannot pass, however the task is done"
_CONTRADICTION = "the criteria contradict each other or what you find"
_GUESS = "you would have to guess what is meant"

#: What a worker may change where no write scope is given; of a task that only verifies.
ANY_FILE = "any file the task needs"
NO_FILE = "no file: the task verifies what is there"


class Answer(NamedTuple):
    """What a person said to a question."""

    text: str
    by: str
    at: str


class Guidance(NamedTuple):
    """A question of a stuck worker, as `records/guidance/<task>/<id>.yaml` has it."""

    id: str
    """The id of the `blocked` record that asks."""
    task: str
    claim: str
    """The claim under which it was asked."""
    question: str
    options: tuple[str, ...]
    at: str
    by: str
    answer: Answer | None = None
    """None while there is none."""


class Dependency(NamedTuple):
    """What a task that this one depends on has left to its worker."""

    task: str
    title: str
    commit: str = ""
    """The commit that completed it, 12 hex digits; "" where it is not found."""
    summary: str = ""
    """What its worker says that it did."""
    concerns: tuple[str, ...] = ()
    """What its worker is not sure of."""


class Packet(NamedTuple):
    """All that a worker needs for one task, bounded, so that it infers nothing (SPEC 3.4)."""

    task: str
    contract: str
    """Digest of what is promised; a claim made now has the same."""
    title: str
    description: str
    story: str
    acceptance: tuple[Criterion, ...]
    scope: Scope
    verify: tuple[str, ...]
    outputs: tuple[str, ...]
    base: str
    """The commit of the base branch that it was compiled at, 12 hex digits."""
    clean: bool
    """Whether the worktree had nothing that is not committed, but for the claim."""
    claim: str = ""
    worker: str = ""
    answers: tuple[Guidance, ...] = ()
    """Questions about the task that were answered, oldest first."""
    kept: tuple[str, ...] = ()
    """Rescue refs that hold earlier work on it."""
    dependencies: tuple[Dependency, ...] = ()
    mode: str = Mode.PARALLEL
    agent: str = ""
    """The profile that the task asks for."""
    background: str = ""
    """What its story says of all of its tasks."""

    @property
    def may_change(self) -> str | tuple[str, ...]:
        """The patterns of its write scope, or words where it has none."""
        if self.scope.write:
            return self.scope.write
        return NO_FILE if self.mode == Mode.VERIFY and not self.outputs else ANY_FILE

    @property
    def stop(self) -> tuple[str, ...]:
        """When its worker asks instead of going on."""
        found = [_OUTSIDE if self.scope.write else _ABSENT]
        found += [_CONTRADICTION] if self.acceptance else []
        found += [_UNPROVABLE] if self.verify else []
        return (*found, _GUESS)

    @property
    def posture(self) -> str:
        """How to go about proof: against commands, against criteria, or none is asked for."""
        if self.verify:
            return "test-first"
        return "observation-first" if self.acceptance or self.outputs else "none"
