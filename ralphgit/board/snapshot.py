"""Gather all that the board shows at one moment. Reads only, and knows nothing of terminals."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.active_claims import stuck_tasks
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.handoff import questions as guidance
from ralphgit.app.handoff.questions import Question
from ralphgit.app.status import overview, task_list
from ralphgit.app.status.overview import Attention
from ralphgit.app.status.task_list import Shown
from ralphgit.app.status.workers import Busy
from ralphgit.app.workspace import heartbeat, worktree_names
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.loop import fleet_state
from ralphgit.model.task_row import Row
from ralphgit.rules import readiness
from ralphgit.rules.readiness import TaskState

#: The columns: what each is called, and the states that it has.
COLUMNS = {
    "waiting": ("waiting",),
    "ready": ("ready",),
    "at work": ("claimed", "in-progress"),
    "in review": ("in-review",),
    "blocked": ("blocked",),
    "complete": ("complete",),
    "cancelled": ("cancelled",),
}
#: What a warning is called among all that waits for a person.
WARNING = "warning"
#: Of these the inbox has a question.
_ASKED = (
    "blocked", guidance.STALE, *guidance.PULLS, guidance.UNREVIEWED, guidance.CONCERNS,
    guidance.UNFINISHED, guidance.AGENT, guidance.DECLINED, *stuck_tasks.CODES,
)  # fmt: skip


class Card(NamedTuple):
    """A task, as far as a column shows it. Texts are as the repository has them."""

    id: str
    title: str
    story: str
    priority: int
    state: str
    worker: str
    """Its holder, or who has done it; "" for none."""
    path: str
    """The holder's worktree; "" where none is known."""
    claim: str
    waits: tuple[str, ...]
    stale: bool
    lost: bool
    """A worker works on it whose claim can no longer land."""
    pull: str = ""
    """How its pull request is; "" without one."""


class Worker(NamedTuple):
    """A worktree with a loop, or with a claim."""

    name: str
    path: str
    where: str
    state: str
    """As `fleet_state.state_of` returns it; "" if no loop has run there."""
    phase: str
    task: str
    claim: str
    beat: float | None
    """When its loop last gave a sign of life, in seconds since 1970."""
    since: str
    """Since when it has its task."""
    at: str
    """What it is at, as `status` says it, and what it has changed; "" without a task."""
    done: int
    blocked: int


class Watched(NamedTuple):
    """Where a change shows itself."""

    common_dir: str
    tops: tuple[str, ...]
    """The worktrees' folders."""
    files: tuple[str, ...]
    folders: tuple[str, ...]
    """The graph below each of them, as `places` has it."""


class Snapshot(NamedTuple):
    at: float
    """Seconds since 1970."""
    project: str
    base: str
    commit: str
    counts: Mapping[str, int]
    columns: Mapping[str, tuple[Card, ...]]
    """By a name in COLUMNS, in the order in which they are shown."""
    workers: tuple[Worker, ...]
    questions: tuple[Question, ...]
    notes: tuple[Attention, ...]
    """What else needs a person, and what was warned of."""
    stories: tuple[str, ...]
    watched: Watched
    home: str
    """The main worktree: resets are made from there."""
    remote: str
    claim_map: ClaimMap

    def card(self, task: str) -> Card | None:
        """Return the task of this id; None if the base does not have it."""
        task_state = self.claim_map.task_states.get(task)
        if task_state is None:
            return None
        name = next(name for name, states in COLUMNS.items() if task_state.state in states)
        return next(card for card in self.columns[name] if card.id == task)

    def question(self, task: str) -> Question | None:
        """Return the question of a task; None if it has none."""
        return next((one for one in self.questions if one.task == task), None)

    def shown(self, task: str) -> Shown:
        """Return all of one task. Starts no process. Raises: UnknownTask."""
        return task_list.judged(self.claim_map, task)


def gather(around: Surroundings) -> Snapshot:
    """Read everything once.

    Raises: NotARepository, InvalidRecord, GuardRefused, and what git refuses.
    """
    warnings: list[str] = []
    project = Project.open(around, warnings)
    try:
        return _gathered(project, warnings)
    finally:
        project.repository.close()


def _gathered(project: Project, warnings: list[str]) -> Snapshot:
    claim_map = ClaimMap(project)
    found = overview.overview(project, claim_map)
    questions = tuple(guidance.questions(project, claim_map))
    notes = [one for one in found.attention if one.code not in _ASKED]
    notes += [Attention(WARNING, "", text, "") for text in warnings]
    columns = _columns(claim_map)
    stories = dict.fromkeys(row.story for row in claim_map.base.rows if row.story)
    base = project.base
    return Snapshot(
        at=project.around.now(),
        project=project.repository.name,
        base=base.label,
        commit=base.commit,
        counts=found.counts,
        columns=columns,
        workers=tuple(_workers(project, found.workers)),
        questions=questions,
        notes=tuple(notes),
        stories=tuple(stories),
        watched=Watched(
            project.repository.common_dir,
            tuple(tree.path for tree in project.repository.worktrees if not tree.bare),
            project.places.exact,
            project.places.folders,
        ),
        home=project.repository.home,
        remote=base.remote,
        claim_map=claim_map,
    )


def _columns(claim_map: ClaimMap) -> dict[str, tuple[Card, ...]]:
    """Sort the cards: ready ones in the order of claiming, complete ones with the
    latest claim first, all else as in the graph.
    """
    by_state: dict[str, list[Row]] = {}
    for row in claim_map.base.rows:
        by_state.setdefault(claim_map.task_states[row.id].state, []).append(row)
    by_state["ready"] = readiness.order(by_state.get("ready", ()), of=claim_map.base.rows)
    by_state.get("complete", []).sort(key=lambda row: row.at, reverse=True)
    return {
        name: tuple(
            _card(row, claim_map.task_states[row.id])
            for state in states
            for row in by_state.get(state, ())
        )
        for name, states in COLUMNS.items()
    }


def _card(row: Row, task_state: TaskState) -> Card:
    holder = task_state.holder
    return Card(
        id=row.id,
        title=row.title,
        story=row.story,
        priority=row.priority,
        state=task_state.state,
        worker=holder.by if holder is not None else "",
        path=holder.path if holder is not None else "",
        claim=holder.claim if holder is not None else "",
        waits=task_state.blocked_on,
        stale=task_state.stale,
        lost=bool(task_state.lost),
        pull=holder.pull.words if holder is not None and holder.pull is not None else "",
    )


def _workers(project: Project, busy: Sequence[Busy]) -> Iterator[Worker]:
    """Who runs a loop or holds a task, one for each worktree."""
    loops = {os.path.realpath(one.worktree): one for one in fleet_state.workers(project)}
    tasks = {one.path: one for one in reversed(busy) if one.path}
    for path in sorted({*loops, *tasks}):
        loop, task = loops.get(path), tasks.get(path)
        beat = heartbeat.read(path)
        state = fleet_state.state_of(fleet_state.note_of(path), beat, project.around.now())
        yield Worker(
            name=loop.name if loop is not None else task.name if task is not None else "",
            path=path,
            where=worktree_names.shown(project, path),
            state=state if loop is not None or beat is not None else "",
            phase=beat.phase if beat is not None else loop.phase if loop is not None else "",
            task=task.task if task is not None else "",
            claim=task.claim if task is not None else "",
            beat=beat.time if beat is not None else None,
            since=task.since if task is not None else "",
            at=f"{task.state} {task.changed}".rstrip() if task is not None and task.task else "",
            done=len(loop.done) if loop is not None else 0,
            blocked=len(loop.blocked) if loop is not None else 0,
        )


def beating(worker: Worker, now: float) -> Worker:
    """Update a worker from its heartbeat. Reads a file, and asks no git."""
    note, beat = fleet_state.note_of(worker.path), heartbeat.read(worker.path)
    if beat is None and not worker.state:
        return worker
    return worker._replace(
        state=fleet_state.state_of(note, beat, now),
        phase=beat.phase if beat is not None else "" if worker.beat else worker.phase,
        beat=beat.time if beat is not None else None,
    )
