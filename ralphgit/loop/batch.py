"""Run a batch: start a group of workers, integrate what they complete, begin the next group.

Each task of a group is the one task of a loop in a worktree of its own (`fleet`); what they
complete is integrated before the next group begins. Where a batch is the records say: nothing is
noted that a worker could write, and repeating it after a crash goes on.
"""

from __future__ import annotations

import json
import shlex
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import fetch, records_in_review
from ralphgit.app.handoff import earlier_attempts, questions
from ralphgit.app.integration import integrate
from ralphgit.app.integration.integrate import Integrated, Stop
from ralphgit.app.landing import unlanded
from ralphgit.app.lifecycle.holders import Holders
from ralphgit.app.lifecycle.reset import Reopening, back_to_pending
from ralphgit.app.processes import changed_settings, trust, watched_settings
from ralphgit.app.status import batch_plan
from ralphgit.app.workspace import inside_loop, runtime_files
from ralphgit.app.workspace.locks import RepositoryLock
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.app.workspace.worktree_names import folder_of
from ralphgit.errors import GuardRefused, NeedsPerson
from ralphgit.loop import background, batch_progress, fleet, fleet_state
from ralphgit.loop.batch_progress import ProgressNote, WorkerResult
from ralphgit.loop.loop_options import Say
from ralphgit.model import agent_profile
from ralphgit.model.handoff import Answer, Guidance
from ralphgit.model.printable import at_utc
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Reason
from ralphgit.records import question_file as codec
from ralphgit.records.redact_secrets import secrets_in, words_of_log
from ralphgit.rules import readiness
from ralphgit.rules.claim_options import Unprovided
from ralphgit.rules.readiness import ACTIVE_STATES, TaskState

_TURN_S = 0.05
#: How often a worker is started that ends, or is killed, before its task has ended.
_MOST_STARTS = 5
#: A task that was blocked for one of these may succeed alone; for the others a person
#: has to answer.
_TRIED = (Reason.VERIFY_FAILED, Reason.SCOPE, Reason.CONFLICT)


class BatchOptions(NamedTuple):
    """The options of `batch run`."""

    story: str = ""
    agent: str = ""
    """A preset or a command line; "" takes the configured one."""
    at_once: int = 0
    """0 is as configured."""
    assume: bool = False
    """Tasks without a write scope count as independent of others."""


class Job(NamedTuple):
    """A task, and the worker that does it."""

    task: str
    worker: str
    again: str = ""
    """Why it is tried once more, alone; "" the first time."""


class Batch:
    """One batch; a repository runs one at a time."""

    def __init__(
        self, around: Surroundings, options: BatchOptions, *, warnings: list[str], say: Say
    ) -> None:
        self._around = around._replace(begun=None)
        self._options = options
        self._loops = fleet.FleetOptions(agent=options.agent, land="none", idle="exit", tmux=False)
        self._warnings = warnings
        self._say: Say = lambda text: say(words_of_log(text))
        self._signs: changed_settings.Signs = {}
        #: What is to be tried again, one after the other, before the next group.
        self._failed: list[Job] = []
        #: What has ended, by task.
        self._ended: dict[str, WorkerResult] = {}

    def run(self) -> tuple[WorkerResult, ...]:
        """Work on every task that can be, and return the result of each unfinished task.

        Interrupted, it stops its workers, which keep their claims.

        Raises: GuardRefused (batch_running, dirty_base, ...), NeedsPerson (untrusted, stopped),
        UsageError, InvalidRecord, NotWritable, Refused (setup_failed), RemoteUnavailable.
        """
        with self._project() as project:
            self._top = project.top
            watched_settings.require_seen(project)  # before git is asked for more
            self._refuse_untrusted(project)
            with RepositoryLock(project, "batch run", code="batch_running"):
                runtime_files.prepare(project)
                fetch.synchronise(project)
                return self._run()

    def _run(self) -> tuple[WorkerResult, ...]:
        with self._project() as project:
            self._failed += _not_tried_again(project, self._options.story)
            for job in self._failed:
                self._say(
                    f"{job.task} is blocked by {job.worker}, as a batch calls its workers "
                    f"({job.again}): it will be tried once more, alone"
                )
        while group := self._next():
            self._work_off(group)
        return self._told()

    @contextmanager
    def _project(self) -> Iterator[Project]:
        """Everything as it is now."""
        project = Project.open(self._around, self._warnings)
        try:
            yield project
        finally:
            project.repository.close()

    def _refuse_untrusted(self, project: Project) -> None:
        """Raises: NeedsPerson, GuardRefused (in_loop), before anything has begun."""
        inside_loop.refuse(project, "batch", {"action": "run"})
        fleet.consent(project, self._options.agent)
        for profile in project.config.agents:
            trust.require_profile(project, profile)
        if whole := project.config.integrate_verify:
            trust.require(project, [whole])

    # -- what is next ------------------------------------------------------------------

    def _next(self) -> tuple[Job, ...]:
        """Return the group to work on now: first what has begun; nothing if nothing is left."""
        with self._project() as project:
            told = self._options
            planned = batch_plan.plan(
                project, story=told.story, at_once=told.at_once, assume=told.assume,
                without={*self._ended, *(job.task for job in self._failed)},
            )  # fmt: skip
            groups = planned.plan.groups
            begun = [[task for task in group if task in planned.begun] for group in groups]
            going = next(filter(None, begun), ())
            if self._failed and not going:
                job = self._failed.pop(0)
                _begin_again(project, job.task, job.again)
                self._say(f"trying {job.task} again, alone")
                return (job,)
            group = self._jobs(project, planned, going or next(iter(groups), ()))
        if group:
            word = "going on" if going else "together"
            self._say(f"{word}: {' '.join(job.task for job in group)}")
        return group

    def _jobs(
        self, project: Project, planned: batch_plan.Planned, tasks: Sequence[str]
    ) -> tuple[Job, ...]:
        """Assign a worker to each task: who began it continues, and no name is used twice."""
        task_states, begun = planned.claim_map.task_states, planned.begun
        taken = {
            name for task, name in begun.items()
            if task in tasks or not batch_plan.branch(task_states[task])
        }  # fmt: skip
        jobs, number = [], 0
        for task in tasks:
            name = begun.get(task, "")
            while not name:
                number += 1
                other = batch_plan.worker(number)
                if other not in taken and not fleet_state.runs(folder_of(project, other)):
                    name = other
            jobs.append(Job(task, name))
        return tuple(jobs)

    # -- a group -----------------------------------------------------------------------

    def _work_off(self, group: Sequence[Job]) -> None:
        with self._around.progress.step(f"at work: {' '.join(job.task for job in group)}"):
            self._wait(group)
        results = self._join(group)
        with self._project() as project:
            rows = project.base_view.by_id
            notes = [
                ProgressNote(
                    results[job.task], rows[job.task].title, folder_of(project, job.worker)
                )
                for job in group
                if job.task in rows
            ]
        batch_progress.append(self._top, notes, secrets_in(self._around.environ))
        for job in group:
            result = results[job.task]
            self._say(result.sentence)
            if result.outcome == "failed" and not job.again:
                self._failed.append(job._replace(again=result.why or "it failed"))
            else:
                self._ended[job.task] = result

    def _wait(self, group: Sequence[Job]) -> None:
        """Start a worker for each task, wait until all have ended, and restart killed ones.

        Workers that are alive from before are waited for.
        """
        with self._project() as project:
            wanted = [fleet.Wanted(job.worker, "") for job in group if _is_open(project, job)]
            fleet.worktrees(project, wanted)
            # As they are before the first agent; to set up a worktree may change them.
            self._signs = self._signs or changed_settings.signs(project)
            tops = {job: folder_of(project, job.worker) for job in group}
        starts: Counter[Job] = Counter()
        running: dict[Job, int] = {}
        said: set[str] = set()
        try:
            due = list(group)
            while due or running:
                for job in due:
                    if pid := self._start(job, tops[job], starts):
                        running[job] = pid
                time.sleep(_TURN_S)
                for job in running:
                    self._say_pause(job, tops[job], said)
                due = [job for job, pid in running.items() if fleet_state.runs(tops[job]) != pid]
                for job in due:
                    if background.was_stopped(running.pop(job)):
                        raise NeedsPerson(
                            f"{job.worker} was stopped at {job.task}; the batch stops too, and "
                            "its workers keep their claims",
                            code="stopped", hint="ralphgit batch run",
                        )  # fmt: skip
                    if away := fleet.agent_away(tops[job]):
                        raise NeedsPerson(
                            f"{away}; the batch stops, no task was blocked for it, and its workers "
                            "keep their claims",
                            code="agent_unavailable", hint="ralphgit batch run",
                        )  # fmt: skip
        except BaseException:  # also a signal: no worker goes on once the batch is stopped
            self._stop([job.worker for job in group if fleet_state.runs(tops[job])])
            raise

    def _say_pause(self, job: Job, top: str, said: set[str]) -> None:
        """Say once why and until when a worker waits."""
        beat = fleet_state.beat_of(top)
        if beat is None or not beat.why or not beat.until:
            return
        pause = f"{beat.why}; {job.worker} waits with {job.task} until {at_utc(beat.until)}"
        if pause not in said:
            said.add(pause)
            self._say(pause)

    def _start(self, job: Job, top: str, starts: Counter[Job]) -> int:
        """Start the worker of a task that has not ended; its process, 0 where there is none."""
        if pid := fleet_state.runs(top):
            return pid
        with self._project() as project:
            if not _is_open(project, job) or starts[job] >= _MOST_STARTS:
                return 0
            starts[job] += 1
            row, profiles = project.base_view.row(job.task), project.config.agents
            asked = agent_profile.of_row(row, profiles)
            known = asked if asked in {one.name for one in profiles} else ""
            loops = self._loops._replace(agent=known or self._options.agent)
            return fleet.start(project, fleet.Wanted(job.worker, "", job.task), loops)

    def _stop(self, workers: Sequence[str]) -> None:
        """As `fleet down --now`."""
        if not workers:
            return
        with self._project() as project:
            try:
                fleet.down(project, workers, now=True)
            except GuardRefused:
                return  # they have ended meanwhile

    # -- what came of it ---------------------------------------------------------------

    def _join(self, group: Sequence[Job]) -> dict[str, WorkerResult]:
        """Integrate what is complete, and return the result of each task of the group."""
        results: dict[str, WorkerResult] = {}
        while True:
            with self._project() as project:
                watched_settings.require_same(project, self._signs)
                task_states = ClaimMap(project).task_states
                left: dict[str, Job] = {}
                for job in group:
                    if job.task in results:
                        continue
                    if job.task in task_states and (
                        name := batch_plan.branch(task_states[job.task])
                    ):
                        if why := unlanded.for_a_person(project, name, [job.task]):
                            results[job.task] = WorkerResult(job.task, "blocked", why, job.worker)
                        else:
                            left[name] = job
                    else:
                        results[job.task] = _judged(project, task_states.get(job.task), job)
                if not left:
                    return results
                done = integrate.integrate(project, integrate.IntegrateOptions(tuple(left)))
                if done.pull is not None:
                    said = f"it is in review: {done.pull.url or done.pull.branch}"
                    for job in (left[name] for name in done.merged):
                        results[job.task] = WorkerResult(job.task, "blocked", said, job.worker)
                for stop in done.stops:
                    job = left[stop.branch]
                    results[job.task] = _stopped(done, stop, job, task_states[job.task])

    def _told(self) -> tuple[WorkerResult, ...]:
        """Return the result of each task of the batch, in the order of claiming."""
        known, story = dict(self._ended), self._options.story
        with self._project() as project:
            planned = batch_plan.plan(project, story=story, without=known)
            rows = planned.claim_map.base.rows
            for row in rows:
                if row.id in planned.plan.left and row.id not in known:
                    waits = planned.plan.left[row.id]
                    task_state = planned.claim_map.task_states[row.id]
                    unprovided = planned.unprovided.get(row.id) if not waits else None
                    known[row.id] = (
                        _not_begun(project, row, task_state, waits)
                        if unprovided is None else _not_provided(unprovided)
                    )  # fmt: skip
        return tuple(known[row.id] for row in readiness.order(rows) if row.id in known)


def _is_open(project: Project, job: Job) -> bool:
    """Whether a task of the batch still needs its worker."""
    task_state = ClaimMap(project).task_states.get(job.task)
    if task_state is None or batch_plan.branch(task_state):
        return False
    if task_state.state in ACTIVE_STATES:
        return batch_plan.owner(project, task_state) == job.worker
    return task_state.state == "ready"


def _judged(project: Project, task_state: TaskState | None, job: Job) -> WorkerResult:
    """Return what became of a task that is not on a branch to be integrated."""
    if task_state is None:
        return WorkerResult(job.task, "cancelled", "it is no longer in the graph")
    holder = task_state.holder
    found = WorkerResult(job.task, "waiting", "", job.worker, holder.claim if holder else "")
    match task_state.state:
        case "complete":
            return found._replace(outcome="done")
        case "cancelled":
            return found._replace(outcome="cancelled")
        case "blocked":
            reason, why = _blocked(project, task_state, job.task)
            outcome = "failed" if reason in _TRIED else "blocked"
            return found._replace(outcome=outcome, why=why)
        case "waiting":
            return found._replace(why=f"it waits for {', '.join(task_state.blocked_on)}")
    if holder is not None and batch_plan.owner(project, task_state) != job.worker:
        return WorkerResult(job.task, "waiting", f"{holder.by} holds it in {holder.where}")
    why = fleet.last_error(folder_of(project, job.worker)) or "its worker ended before it was done"
    return found._replace(outcome="failed", why=why)


def _blocked(project: Project, task_state: TaskState, task: str) -> tuple[str, str]:
    """Return why a task is blocked: the reason, and its question on one line."""
    holder = task_state.holder
    stored = holder.stored if holder is not None else ""
    block = json.loads(stored or project.base_view.row(task).json).get("blocked") or {}
    reason = str(block.get("reason", ""))
    lines = str(block.get("question") or "").strip().splitlines()
    return reason, lines[0] if lines else reason


def _stopped(done: Integrated, stop: Stop, job: Job, task_state: TaskState) -> WorkerResult:
    """Return the result of a task whose branch was not integrated."""
    waits = done.plan.reconciled[stop.branch].waits_for_review or stop.kind == "concerns"
    outcome = "blocked" if waits else "failed"
    claim = task_state.holder.claim if task_state.holder else ""
    return WorkerResult(job.task, outcome, stop.message, job.worker, claim)


def _not_begun(
    project: Project, row: Row, task_state: TaskState, waits: Sequence[str]
) -> WorkerResult:
    holder = task_state.holder
    if task_state.state == "blocked":
        _, why = _blocked(project, task_state, row.id)
        by, claim = (holder.by, holder.claim) if holder is not None else (row.by, row.claim)
        return WorkerResult(row.id, "blocked", why, by, claim)
    if holder is not None:
        return WorkerResult(row.id, "waiting", f"{holder.by} holds it in {holder.where}")
    return WorkerResult(row.id, "waiting", f"it waits for {', '.join(waits)}" if waits else "")


def _not_provided(found: Unprovided) -> WorkerResult:
    if found.by:
        return WorkerResult(found.task, "waiting", found.sentence)
    return WorkerResult(
        found.task, "blocked", f"it needs {', '.join(found.needs)}, which is not provided here",
        command=f"ralphgit run --provides {shlex.quote(','.join(found.needs))}",
    )  # fmt: skip


def _not_tried_again(project: Project, story: str) -> Iterator[Job]:
    """Find what the workers of a batch that was stopped or killed have failed at once."""
    claim_map = ClaimMap(project)
    freed = records_in_review.freed(project, records_in_review.waiting(project))
    for row in claim_map.base.rows:
        task_state = claim_map.task_states[row.id]
        if task_state.state != "blocked" or row.id in freed or story not in ("", row.story):
            continue
        holder = task_state.holder
        by = holder.by if holder is not None else row.by
        reason, why = _blocked(project, task_state, row.id)
        if reason in _TRIED and batch_plan.is_worker(by) and not _begun_again(project, row.id):
            yield Job(row.id, by, why)


def _begun_again(project: Project, task: str) -> bool:
    """Whether the last word to the workers of a task, as the base has it, was a batch's own."""
    asked = earlier_attempts.parsed(project, task, earlier_attempts.on_base(project, task))
    answers = sorted((one.answer.at, one.answer.text) for one in asked if one.answer is not None)
    return bool(answers) and answers[-1][1] == _ANSWER


_ANSWER = "Begin again, on the base as it is now; no other worker changes the repository meanwhile."


def _begin_again(project: Project, task: str, why: str) -> None:
    """Put a task that is blocked, or complete and not landed, back to pending on the base.

    All its work is kept, and the next prompt says why it was not good enough. One in any other
    state is left as it is, so that repeating a killed call ends the same.

    Raises: as `back_to_pending`.
    """
    task_state = ClaimMap(project).task_states[task]
    if task_state.state != "blocked" and not batch_plan.branch(task_state):
        return

    def decide(claim_map: ClaimMap, row: Row, holders: Holders) -> Reopening:
        at, by = project.now(), project.worker
        said = questions.asked(claim_map, row.id).question
        made = Guidance(
            id=project.around.new_id(), task=row.id, claim=holders.claim, question=said or why,
            options=(), at=at, by=holders.by, answer=Answer(_ANSWER, by, at),
        )  # fmt: skip
        path = codec.path(project.config.records, row.id, made.id)
        return Reopening(
            event="reset", by=by, at=at, reason=f"begun again: {why}", note=f"begun again: {why}",
            text=f"begun again: {why}", records={path: codec.encode(made, path)},
        )  # fmt: skip

    back_to_pending(project, task, decide, push=True)
