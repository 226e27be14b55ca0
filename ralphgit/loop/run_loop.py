"""Run the loop: claim, write the prompt, run the agent, verify, complete, land, again (SPEC 7).

What it has to know after a crash it reads from the records, the lease and `.ralph/`: each
turn begins by looking what this worktree has begun, and goes on with that.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from ralphgit.app.active_claims import next_tasks, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.own_claims import WayOut
from ralphgit.app.base import fetch
from ralphgit.app.evidence import seen_here_alone
from ralphgit.app.lifecycle import (
    block_release,
    claim,
    give_up,
    idle_errors,
    onto_base,
    task_branch,
)
from ralphgit.app.processes import changed_settings, strays, watched_settings
from ralphgit.app.processes.changed_settings import Signs
from ralphgit.app.workspace import commit_message, inside_loop, runtime_files
from ralphgit.app.workspace.heartbeat import REVIEW
from ralphgit.app.workspace.locks import LoopLock, WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Progress, Surroundings
from ralphgit.errors import (
    ClaimLost,
    GuardRefused,
    InvalidRecord,
    RalphError,
    RemoteUnavailable,
)
from ralphgit.git.run_git import GitError
from ralphgit.loop import agent_command, attempt_memory, give_back, resume, stop
from ralphgit.loop.after_review import AfterReview
from ralphgit.loop.agent_away import AgentAway
from ralphgit.loop.attempt import Done, Failed, GivenUp, Outcome, attempt, promised
from ralphgit.loop.base_away import BaseAway
from ralphgit.loop.budget import Budget
from ralphgit.loop.claim_watch import reason_to_stop
from ralphgit.loop.event_log import Journal
from ralphgit.loop.heartbeat_writer import AGENT, HeartbeatWriter
from ralphgit.loop.landing import Landing, Unlanded
from ralphgit.loop.loop_options import LoopOptions, Ran, Say
from ralphgit.loop.loop_pull_requests import Pulls
from ralphgit.loop.notify import Notifier
from ralphgit.loop.remote_beat import RemoteBeat
from ralphgit.loop.reviewing import Reviewing
from ralphgit.loop.taking import Taking
from ralphgit.loop.task_agents import TaskAgents
from ralphgit.loop.waiting import Pauses
from ralphgit.model import agent_profile
from ralphgit.model.active_claim import Lease
from ralphgit.model.config import Config, flat
from ralphgit.model.printable import counted
from ralphgit.model.task import Usage
from ralphgit.model.task_status import Reason, Status
from ralphgit.rules.agent_outcome import Limited, Lost, Over, Silent, Stuck, Unavailable
from ralphgit.rules.backoff_and_breaker import (
    CLOSED,
    MOST_REFUSALS,
    REFUSAL_PAUSE_S,
    ends_the_loop,
)

#: How a loop ends that finds nothing to claim, by the code of the reason.
_WHY = {"all_done": "everything is done", "needs_person": "what is left needs a person"}
#: A hook that puts more into the commit of a block than its records.
_ADDS = "hook_adds"
#: What merged content decides: a graph may move while a loop runs.
_OF_THE_BASE = ("graph", "records", "base", "remote")


def _read_once(project: Project) -> dict[str, object]:
    """Return the settings as they are now, as flags: no file that changes later has a say.

    Raises: UsageError, InvalidRecord.
    """
    settings = flat(project.config)
    base = {"base": project.base.branch, "remote": project.base.remote}
    free = {name: value for name, value in settings.items() if name not in _OF_THE_BASE}
    return {**project.around.flags, **free, **{k: v for k, v in base.items() if v}}


class Loop:
    """One loop in one worktree."""

    def __init__(
        self, around: Surroundings, options: LoopOptions, *, warnings: list[str], say: Say
    ) -> None:
        self._around = around._replace(begun=None)
        self._options = options
        self._warnings = warnings
        self._say = say
        self._done: list[str] = []
        self._blocked: list[str] = []
        self._lost: list[str] = []
        self._troubles = 0
        self._opened: list[Project] = []
        self._nothing: RalphError | None = None
        self._refused = self._finished = False

    def run(self) -> Ran:
        """Work until nothing is left, a limit is reached, or a stop is asked for.

        Raises: GuardRefused, NeedsPerson (untrusted), UsageError, InvalidRecord, NotWritable.
        """
        project = Project.open(self._around, self._warnings)
        self._opened.append(project)
        inside_loop.refuse(project, "run")
        watched_settings.require_seen(project)  # before git is asked for more
        claim.require_fit(project)
        commit_message.require_template(project)
        commit_message.require_identity(project)
        only, reviews = self._options.only_profile, self._options.role == REVIEW
        of = agent_profile.reviewer if reviews else agent_profile.of_row
        self._agents = TaskAgents(project, self._options.agent, only=only, of=of)
        if not fetch.readable_base(project).rows:
            self._say("the task graph has no task yet")
        self._around = self._around._replace(flags=_read_once(project))
        self._config = project.config
        with LoopLock(project), strays.adopted():
            return self._run(project)

    def _run(self, project: Project) -> Ran:
        runtime_files.prepare(project)
        watched_settings.require_seen(project)
        self._signs = changed_settings.signs(project)
        seen_here_alone.passed_over(project.repository)
        self._named: set[str] = set()
        runtime_files.forget_declined(project.top)
        stop.forget(project.top)  # one from before our first heartbeat was another loop's
        self._top, self._worker = project.top, project.worker
        self._home = project.repository.home
        self._journal = Journal(self._top, self._worker, Notifier(project, self._signs).hear)
        self._pulls = Pulls(project, self._options, self._journal, self._say, self._lost)
        self._journal.write("started", agent=self._agents.named, pid=os.getpid())
        why = "failed"
        role = REVIEW if self._options.role == REVIEW else ""
        try:
            with (
                HeartbeatWriter(
                    self._top, self._worker, role=role, provides=self._config.provides
                ) as beat,
                RemoteBeat(project, lambda: beat.now, self._say),
            ):
                self._beat = beat
                self._around = self._around._replace(progress=beat)
                self._pauses = Pauses(self._top, beat, self._journal, self._say)
                self._base_away = BaseAway(self._config, self._pauses, self._journal, self._say)
                self._agents.begin(self._top, self._agent_away, self._say)
                self._landing = Landing(
                    self._options, self._pulls, self._journal, beat, self._say, self._unchanged,
                    self._watched,
                )  # fmt: skip
                self._after_review = AfterReview(self._landing, self._journal, self._say)
                self._taking = Taking(
                    self._around, self._options, self._landing, self._agents, self._journal, beat,
                    self._say,
                )  # fmt: skip
                self._budget = Budget(
                    self._options, project.repository.common_dir, self._worker, self._say
                )
                self._reviewing = Reviewing(
                    self._options, self._agents, self._pauses, self._budget, self._journal, beat,
                    self._say, self._unchanged, self._watched,
                )  # fmt: skip
                if self._options.role == REVIEW:
                    self._done = self._reviewing.done
                else:
                    self._landing.earlier(project)
                why = self._turns()
                if why == _WHY["all_done"]:
                    self._journal.write("all-done")
        except BaseException as error:
            why = why if isinstance(error, Exception) else "interrupted"
            raise
        finally:
            self._journal.write("ended", why=why)
        self._close()
        works = self._options.role != REVIEW
        left = self._landing.unlanded(self._project()) if works else Unlanded()
        ended = (tuple(self._done), tuple(self._blocked), tuple(self._lost))
        refused = self._refused or self._landing.declined
        away = self._agent_away_why()
        return Ran(*ended, why, *left, self._nothing, refused, away, self._budget.why())

    def _agent_away(self, command: agent_command.Command) -> AgentAway:
        return AgentAway(
            self._around, self._config, command, self._top, self._pauses, self._journal, self._say
        )

    def _agent_away_why(self) -> str:
        """What a person has to help an agent with; "" where nothing is left to do for it."""
        return "" if self._finished else self._agents.why

    # -- turns -----------------------------------------------------------------------

    def _turns(self) -> str:
        while True:
            self._close()
            if self._pauses.stop_wanted():
                stop.forget(self._top)
                return "stopped"
            if not self._agents.may_start():
                continue
            worked = self._turn() and not self._agents.all_away
            if why := self._budget.why():
                return why
            if worked and self._enough():
                return self._limit()
            if worked:
                continue
            self._close()
            waits, self._finished = self._options.idle != "exit", self._all_finished()
            if waits and self._finished:
                return _WHY["all_done"]
            self._close()
            if self._agents.wait(self._config.loop_idle, person=waits):
                continue
            if not waits:
                return self._agent_away_why() or self._idle()
            config = self._project().config
            self._close()
            self._pauses.for_work(config)

    def _idle(self) -> str:
        """Say why there is nothing to claim, and keep it for the exit code."""
        project = self._project()
        if self._options.role == REVIEW:
            self._nothing = self._reviewing.nothing()
            self._refused = bool(self._reviewing.failed)
            return self._nothing.message + self._agents.said
        left, self._refused = self._pulls.left(project), self._pulls.waits(project)
        asked, claim_map = self._taking.asked(project), ClaimMap(project)
        found = next_tasks.takeable(
            project, story=asked.story, priority=asked.priority, task=asked.task,
            claim_map=claim_map,
        )  # fmt: skip
        but = {*self._taking.released, *self._agents.left}
        nothing = idle_errors.nothing(claim_map, asked, found, but=but)
        self._nothing = self._agents.nothing(self._taking.nothing(project, nothing))
        return _WHY.get(self._nothing.code, "nothing is ready") + left + self._agents.said

    def _enough(self) -> bool:
        ended = len(self._done) + len(self._blocked) + len(self._lost)
        limit = 1 if self._options.once else self._options.max_tasks
        return limit is not None and limit <= ended

    def _limit(self) -> str:
        option = "--once" if self._options.once else f"--max-tasks {self._options.max_tasks}"
        return f"the limit is reached ({option})"

    def _turn(self) -> bool:
        """Do one task from claim to landing; False if none could be claimed."""
        project = self._project()
        try:
            if self._options.role == REVIEW:
                return self._reviewing.turn(project)
            onto_base.settle(project)
            if kept := resume.restore(project):
                self._say(f"the task graph could not be read; the work so far is kept in {kept}")
            if said := resume.leave_taken_back(project):
                self._say(said)
            landing = self._landing.how(project)
            lease = resume.unfinished(project, landing, self._pulls, self._options)
            if lease is None:
                self._pulls.poll(project)
                lease = self._pulls.to_fix(project, self._options.task)
                lease = lease or self._after_review.go_on(project, self._options.task)
                lease = lease or self._taking.take(project)
            else:
                self._say(f"resuming {lease.task}")
                claim.resume(project, lease)
            if lease is None:
                return False
            project.refresh()
            self._work(project, lease)
            self._troubles = 0
        except ClaimLost as error:
            task = str(error.details.get("task", ""))
            self._lost.append(task)
            self._journal.write("lost", task=task, message=error.message)
            self._say(f"{error.message}; {'; '.join(error.lines)}")
            self._beat.phase("lost", task="")
        except RemoteUnavailable as error:
            self._journal.write("unreachable", message=error.message)
            asks = (error.hint,) if error.needs_person else ()
            self._say("; ".join((error.message, *error.lines, *asks, "trying again")))
            self._pauses.after_failure(3, project.config)
        except RalphError as error:
            if isinstance(error, InvalidRecord) and resume.base_fault(self._project()) is not None:
                self._base_away.wait_until_readable(self._project())
                return True
            if ends_the_loop(error) or self._troubles >= MOST_REFUSALS:
                raise
            self._troubles += 1
            self._fix(error, self._troubles)
        return True

    def _fix(self, error: RalphError, times: int) -> None:
        """Wait a little, longer each time, and fix what is known to be broken."""
        self._journal.write("trouble", code=error.code, message=error.message)
        self._say(f"{error.message}; trying again")
        self._pauses.wait(REFUSAL_PAUSE_S * times, "trouble")
        resume.fix_leftovers(self._project(), self._journal)

    # -- one task --------------------------------------------------------------------

    def _work(self, project: Project, lease: Lease) -> None:
        """Attempt the task until it is done, blocked, lost or has to wait for us."""
        self._away = self._agents.away(project, lease.task)
        while True:
            # A loop of one task ends with its attempts: nothing is left to break.
            if not self._options.task and self._pauses.for_breaker(project.config):
                return
            before = attempt_memory.attempts(self._top, lease.claim)
            if own_claims.end_of(project.view("HEAD", "HEAD"), lease) is Status.BLOCKED:
                if self._pulls.give_up_fix(project, lease, "its worker has blocked the task"):
                    return
                self._end_blocked(lease)
                return
            if complete_here := own_claims.end_of(project.here, lease) is Status.COMPLETE:
                outcome = self._landing.task(project, lease)
            elif before.failed >= project.config.agent_attempts:
                self._block_failed(lease, before)
                return
            elif spent := self._budget.of_task(lease.claim, promised(project, lease).budget):
                self._block(lease, Reason.OTHER, f"{spent}. Should it have more?", ())
                return
            elif self._away.is_limited():  # what is done lands nevertheless
                self._close()  # it may take hours
                if not self._away.may_start():
                    return
                project = self._project()
                continue
            else:
                outcome = self._attempt(project, lease, before)
            match outcome:
                case Done(commit):
                    self._landing.verified = commit
                    runtime_files.note_breaker(self._top, CLOSED)
                    if complete_here:
                        if lease.task not in self._done:
                            self._done.append(lease.task)
                        return
                    continue  # with what `complete` has read again
                case Stuck(reason, question, options, shared):
                    runtime_files.note_breaker(self._top, CLOSED)
                    # It counts: should the block fail, the agent is not asked for ever.
                    attempt_memory.note_attempts(
                        self._top, before._replace(failed=before.failed + 1, feedback=question)
                    )
                    self._block(lease, reason, question, options, shared=shared)
                    return
                case Limited():
                    self._away.limited(before, outcome)
                case Unavailable() | Silent():
                    if self._away.gives_back(before, outcome):
                        self._give_back(lease)
                        return
                case Over(seconds):
                    if self._over(lease, before, seconds):
                        return
                case Failed():
                    if self._failed(lease, before, outcome):
                        return
                case GivenUp(WayOut.RELEASED):
                    self._end_released(lease)
                    return
                case GivenUp():
                    self._tell_blocked(lease)
                    project = self._project()
                    continue
                case Lost():
                    project = self._project()
                    claim_map = ClaimMap(project)
                    winner = own_claims.winner_over(claim_map, lease)
                    winner = winner or own_claims.asked_anew(claim_map, lease)
                    with WorktreeLock(project):
                        raise give_up.lose(project, lease, winner)
            if self._pauses.stop_wanted() or self._budget.why():
                return
            project = self._project()

    def _attempt(self, project: Project, lease: Lease, before: attempt_memory.Attempts) -> Outcome:
        """Have the agent work once."""
        self._beat.phase(AGENT, task=lease.task, claim=lease.claim)
        began = time.time()
        number = before.failed + 1
        quiet = self._around._replace(progress=Progress())  # the phase is the agent's
        self._journal.write("agent", task=lease.task, claim=lease.claim, attempt=number)
        self._signs = changed_settings.with_task(project, self._signs, lease.task)
        on_branch = changed_settings.with_branch(project, self._signs)
        with watched_settings.watched(project, self._signs, self._name, noted=on_branch):
            outcome, used = attempt(
                project, lease, before, command=self._away.command,
                since=self._landing.stands_on(lease),
                check=lambda: reason_to_stop(quiet, self._journal, lease),
                ended_here=lambda *ended: self._agent_ended(lease, on_branch, *ended),
                base_seen=self._base_seen,
                unchanged=self._unchanged, fix=self._fix, heard=self._beat.agent_spoke,
                stopped=lambda used: self._spent(lease, used),
            )  # fmt: skip
        self._journal.write(
            "attempted", task=lease.task, attempt=number,
            outcome=type(outcome).__name__.lower(), agent_s=used.seconds,
            **used.stored(),
            **({"why": outcome.why} if isinstance(outcome, (Done, Failed)) and outcome.why else {}),
        )  # fmt: skip
        if isinstance(outcome, (Done, Failed, Stuck)):
            self._away.worked(began)
        return outcome

    def _watched(self, project: Project) -> AbstractContextManager[None]:
        return watched_settings.watched(project, self._signs, self._name)

    def _name(self, changed: Sequence[changed_settings.Change]) -> None:
        """Say once what has changed."""
        names = [one.name for one in changed if one.name not in self._named]
        self._named.update(names)
        if names:
            task = self._beat.now.task
            self._journal.write("settings-changed", task=task, changed=names)
            self._say(f"changed while the agent worked on {task}: {', '.join(names)}")

    def _unchanged(self, project: Project) -> None:
        """Name what has changed, and refuse to go on where it steers, or git would wait for it.

        Raises: NeedsPerson (settings_changed, blocks_git).
        """
        watched_settings.require_same(project, self._signs, self._name, every=True)
        seen_here_alone.passed_over(project.repository)

    def _spent(self, lease: Lease, used: Usage) -> None:
        self._budget.note(lease.task, lease.claim, used._replace(agent=self._away.command.name))

    def _agent_ended(self, lease: Lease, before: Signs, project: Project, used: Usage) -> None:
        """Note what the agent has used, and refuse what it has changed that steers the loop.

        Raises: NeedsPerson (settings_changed).
        """
        self._spent(lease, used)
        watched_settings.require_same(project, before, self._name)

    def _base_seen(self, project: Project, base: str) -> None:
        """Name what else has changed, and see the true base again, which was `base`.

        Raises: NeedsPerson (settings_changed, blocks_git), RemoteUnavailable.
        """
        self._unchanged(project)
        if project.base.remote and project.base.commit != base:
            self._base_away.ask_remote(project)
        self._base_away.wait_until_readable(project)

    def _failed(self, lease: Lease, before: attempt_memory.Attempts, outcome: Failed) -> bool:
        """Note a failed attempt, and wait; True if it was the last and the task is blocked."""
        now = before._replace(
            failed=before.failed + 1, feedback=outcome.feedback, limited=0, unavailable=0,
            reason=outcome.reason.value, told=outcome.told,
        )  # fmt: skip
        attempt_memory.note_attempts(self._top, now)
        config = self._project().config
        self._count_failure(config)
        about = "" if lease.task in outcome.why else f"{lease.task}: "
        self._say(f"{about}{outcome.why} (attempt {now.failed})")
        if now.failed >= config.agent_attempts:
            self._block_failed(lease, now)
            return True
        self._pauses.after_failure(now.failed, config)
        return False

    def _count_failure(self, config: Config) -> None:
        if not self._options.task:
            now, limit = time.time(), config.loop_failures
            state = runtime_files.breaker(self._top).failed(now, limit=limit)
            runtime_files.note_breaker(self._top, state)

    def _over(self, lease: Lease, before: attempt_memory.Attempts, seconds: float) -> bool:
        """Go on from what the agent did until its time limit; True if that was often enough.

        It is no failed attempt; but a task that never comes to its end waits for a person.
        """
        config, stopped = self._project().config, f"stopped after {seconds:.3g} s"
        times = before.over + 1
        told = f"You were {stopped}. What you did is still here: go on from there."
        attempt_memory.note_attempts(
            self._top,
            before._replace(over=times, limited=0, unavailable=0, feedback=told),
        )
        self._count_failure(config)
        often = counted(times, "time")
        self._say(f"{lease.task}: the agent was {stopped}, its time limit ({often})")
        if times >= config.agent_attempts:
            question = (
                f"The agent was {stopped}, its time limit, {often}. Should it have more time "
                "(agent.timeout), or should the task be split?"
            )
            self._block(lease, Reason.OTHER, question, ())
            return True
        return False

    def _give_back(self, lease: Lease) -> None:
        """Leave the task as it was, since the agent cannot work; its work so far is kept."""
        kept = give_back.give_back(self._project(), lease, self._away.why)
        more = f"; the work so far is kept in {kept}" if kept else ""
        self._journal.write("given-back", task=lease.task, rescue=kept)
        self._say(f"{self._away.why}; {lease.task} is given back as it was{more}")
        self._beat.phase("given back", task="")

    def _block_failed(self, lease: Lease, last: attempt_memory.Attempts) -> None:
        """Block a task that has had all its attempts."""
        reason = Reason(last.reason) if last.reason in {*Reason} else Reason.VERIFY_FAILED
        number = "1 attempt" if last.failed == 1 else f"{last.failed} attempts"
        question = f"{number} failed. The last one: {last.told or last.feedback}"
        self._block(lease, reason, question, ())

    def _block(
        self, lease: Lease, reason: Reason, question: str, options: tuple[str, ...],
        *, shared: bool = False,
    ) -> None:  # fmt: skip
        """Record the question, keep the work so far in a rescue ref, and land the record alone.

        Of work that is in review nothing is blocked: it stays there as it was pushed.
        """
        self._beat.phase("block", task=lease.task, claim=lease.claim)
        project, declined = self._project(), None
        if self._pulls.give_up_fix(project, lease, question):
            return
        with WorktreeLock(project):
            kept = task_branch.put_aside(project, lease)
            if kept:
                question += f"\n\nThe work so far is kept in {kept}."
            try:
                block_release.block(
                    project, lease.task, reason=reason, question=question, options=options,
                    shared=shared,
                )  # fmt: skip
            except (GitError, GuardRefused) as error:
                of_a_hook = error.is_commit if isinstance(error, GitError) else error.code == _ADDS
                if not of_a_hook:
                    raise
                declined = error
        if declined is not None:
            self._landing.leave_unblocked(self._project(), lease, declined, kept)
            self._leave(lease, "declined")
            return
        self._tell_blocked(lease)
        self._end_blocked(lease)

    def _tell_blocked(self, lease: Lease) -> None:
        row = self._project().view("HEAD", "HEAD").by_id[lease.task]
        told = json.loads(row.json).get("blocked") or {}
        reason, question = str(told.get("reason") or "other"), str(told.get("question") or "")
        self._journal.write("blocked", task=lease.task, reason=reason, message=question)
        self._say(
            f"{lease.task} is blocked ({reason})" + f": {question}".split("\n")[0].rstrip(": ")
        )

    def _end_blocked(self, lease: Lease) -> None:
        self._landing.block(self._project(), lease)
        self._blocked.append(lease.task)

    def _end_released(self, lease: Lease) -> None:
        """Note a task that was released here: this loop does not take it again."""
        kept = self._landing.give_back(self._project(), lease)
        more = f"; the work so far is kept in {kept}" if kept else ""
        self._journal.write("released", task=lease.task, rescue=kept)
        self._say(f"{lease.task} was released in this worktree{more}")
        self._leave(lease, "released")

    def _leave(self, lease: Lease, phase: str) -> None:
        """Go on without a task that this loop has given up."""
        self._lost.append(lease.task)
        self._taking.released[lease.task] = phase
        self._beat.phase(phase, task="")

    # -- small things ----------------------------------------------------------------

    def _project(self) -> Project:
        """Open the project again; its processes end with the turn.

        Raises: GuardRefused (no_worktree) where the agent, say, has removed the folder.
        """
        project = resume.still_here(self._around, self._warnings, self._top, self._home)
        self._opened.append(project)
        return project

    def _close(self) -> None:
        while self._opened:
            self._opened.pop().repository.close()

    def _all_finished(self) -> bool:
        rows = self._project().base_view.rows
        return all(row.status in ("complete", "cancelled") for row in rows)
