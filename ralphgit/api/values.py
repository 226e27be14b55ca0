"""Define the values that a `Repo` returns: they do not change, and need no repository."""

from __future__ import annotations

import json as json_
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from ralphgit.app.diff.task_change import ChangeNote, TaskChange
from ralphgit.app.status.overview import Attention
from ralphgit.app.status.workers import Busy
from ralphgit.app.workspace import graph_view
from ralphgit.model import task as model
from ralphgit.model.handoff import Packet
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import State
from ralphgit.model.task_status import Status as StoredStatus
from ralphgit.rules.readiness import TaskState


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who has a task."""

    worker: str
    claim: str
    """The claim's id."""
    since: str
    """UTC, `2026-11-21T10:00:00Z`."""
    where: str
    """For people: "worktree ../proj-beta", "branch origin/beta", "the base"."""
    kind: str
    """lease, worktree (not committed), branch or base."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task as stored, and what the base and all active claims make of it."""

    id: str
    title: str
    status: StoredStatus
    """As stored."""
    state: State
    """Derived; never stored."""
    priority: int
    """0 to 5, lower first."""
    story: str
    """"" without one."""
    mode: str
    """parallel, sequential or verify."""
    depends_on: tuple[str, ...]
    epoch: int
    """Raised by each reset and release."""
    holder: Holder | None
    stale: bool
    """The holder is gone or silent."""
    blocked_on: tuple[str, ...]
    """What it waits for: unfinished dependencies, or tasks of its story by its mode."""
    file: str
    """Relative to the top of the worktree."""
    line: int
    """Of its first line in `file`, from 1."""
    json: str = field(repr=False)
    """The stored block, normalised, as a JSON object."""

    @property
    def stored(self) -> dict[str, Any]:
        """The stored block, normalised; fields that ralphgit does not know are in it too."""
        found: dict[str, Any] = json_.loads(self.json)
        return found

    @cached_property
    def record(self) -> model.Task:
        """The stored block with types: description, criteria, verify, outputs, scope, lifecycle.

        Raises: InvalidRecord.
        """
        return graph_view.task_of(self.stored)


@dataclass(frozen=True, kw_only=True)
class Claimed(Task):
    """A task that was claimed, and all that its worker has to know."""

    packet: Packet
    """Mission, criteria, what may be changed, verify commands, what its dependencies have left."""


def claimed(row: Row, task_state: TaskState, packet: Packet) -> Claimed:
    """Make the value of a task that was claimed."""
    return Claimed(**vars(task(row, task_state)), packet=packet)


def task(row: Row, task_state: TaskState) -> Task:
    """Make the value of one task."""
    held, holder = task_state.holder, None
    if held is not None and held.by:
        holder = Holder(
            worker=held.by, claim=held.claim, since=held.at, where=held.where, kind=held.kind
        )
    return Task(
        id=row.id,
        title=row.title,
        status=StoredStatus(row.status),
        state=State(task_state.state),
        priority=row.priority,
        story=row.story,
        mode=row.mode,
        depends_on=row.depends_on,
        epoch=row.epoch,
        holder=holder,
        stale=task_state.stale,
        blocked_on=tuple(task_state.blocked_on),
        file=row.file,
        line=row.line,
        json=row.json,
    )


@dataclass(frozen=True, kw_only=True)
class Status:
    """Everything at a glance, judged by the base."""

    base: str
    """The branch that decides: `main`, `origin/main`."""
    commit: str
    """The base's commit."""
    local_ahead: int
    """Commits of the local base branch that its remote does not have."""
    counts: Mapping[State, int]
    """How many tasks are in each state; every state is there."""
    tasks: tuple[Task, ...]
    workers: tuple[Busy, ...]
    """The worktrees that hold a claim."""
    attention: tuple[Attention, ...]
    """What needs a person, each with the command that helps."""


def counts(by_name: Mapping[str, int]) -> Mapping[State, int]:
    return MappingProxyType({State(name): count for name, count in by_name.items()})


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A task that was verified and committed."""

    task: Task
    commit: str
    evidence: tuple[str, ...]
    """The paths of the evidence that was written."""
    pull: str = ""
    """The address, else the branch, of the pull request that has to be merged first, where the base
    is not pushed to."""


@dataclass(frozen=True, kw_only=True)
class GivenUp:
    """A task that its holder has blocked or released."""

    task: Task
    commit: str
    pull: str = ""
    """The address, else the branch, of the pull request that has to be merged first, where the base
    is not pushed to."""


@dataclass(frozen=True, kw_only=True)
class Reset:
    """A task that was taken from its holder."""

    task: Task
    claim: str
    """The claim that was given up; "" for a reopened task without one."""
    rescued: tuple[str, ...]
    """The rescue refs that keep everything that had not landed."""
    commit: str
    """The commit on the base, or in review."""
    pushed: bool
    pull: str = ""
    """The address, else the branch, of the pull request that has to be merged first, where the base
    is not pushed to."""


@dataclass(frozen=True, kw_only=True)
class Diff:
    """What a range does to the records, in tasks."""

    verdict: str
    """problems, concerns, clear, or unchanged."""
    changes: tuple[TaskChange, ...]
    notes: tuple[ChangeNote, ...]
    """What a reviewer should look at, problems first."""
    files: tuple[str, ...]
    """The changed files that are not records."""
    outside_scope: tuple[str, ...]
    """Those of them that no task which was worked on may write."""
    ready: tuple[str, ...]
    """The tasks that can be taken afterwards and could not before."""
    text: str
    """For people. What a record says is untrusted: it may hold control characters."""
    markdown: str
    """For a comment on a pull request, made harmless."""
    json: str
    """The `data` of `ralphgit diff --json`."""
