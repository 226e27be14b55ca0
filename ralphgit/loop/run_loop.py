"""Run the loop: claim, write the prompt, run the agent, verify, complete, land, again (SPEC 7).

What it has to know after a crash it reads from the records, the lease and `.ralph/`: each
turn begins by looking what this worktree has begun, and goes on with that.
"""

from __future__ import annotations

import os
import time

from ralphgit.app.active_claims import next_tasks, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import fetch
from ralphgit.app.evidence import seen_here_alone
from ralphgit.app.lifecycle import (
    claim,
    idle_errors,
    onto_base,
)
from ralphgit.app.processes import changed_settings, strays, watched_settings
from ralphgit.app.processes.changed_settings import Signs
from ralphgit.app.workspace import commit_message, inside_loop, runtime_files
from ralphgit.app.workspace.heartbeat import REVIEW
from ralphgit.app.workspace.locks import LoopLock
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Progress, Surroundings
from ralphgit.errors import ClaimLost, InvalidRecord, RalphError, RemoteUnavailable
from ralphgit.git import maintenance
from ralphgit.loop import agent_command, attempt_memory, held_settings, resume, stop
from ralphgit.loop.after_attempt import AfterAttempt, Ended, Next
from ralphgit.loop.after_review import AfterReview
from ralphgit.loop.agent_away import AgentAway
from ralphgit.loop.attempt import Done, Failed, Outcome, attempt, promised
from ralphgit.loop.base_away import BaseAway
from ralphgit.loop.budget import Budget
from ralphgit.loop.claim_watch import reason_to_stop
from ralphgit.loop.event_log import Journal
from ralphgit.loop.heartbeat_writer import AGENT, HeartbeatWriter
from ralphgit.loop.held_settings import HeldSettings
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
from ralphgit.model.task import Usage
from ralphgit.model.task_status import Reason, Status
from ralphgit.records.redact_secrets import words_of_log
from ralphgit.rules.agent_outcome import Stuck
from ralphgit.rules.backoff_and_breaker import MOST_REFUSALS, REFUSAL_PAUSE_S, ends_the_loop

#: How a loop ends that finds nothing to claim, by the code of the reason.
_WHY = {"all_done": "everything is done", "needs_person": "what is left needs a person"}
#: A hook that puts more into the commit of a block than its records.
_ADDS = "hook_adds"
#: A task leaves some twenty loose objects, and by default git packs when there are 6,700.
_TURNS_OF_A_PACK = 50


class Loop:
    """One loop in one worktree."""

    def __init__(
        self, around: Surroundings, options: LoopOptions, *, warnings: list[str], say: Say
    ) -> None:
        self._around = around._replace(begun=None)
        self._options = options
        self._warnings = warnings
        self._say: Say = lambda text: say(words_of_log(text))
        self._ended = Ended([], [], [])
        self._true_base = ""
        """Where the base was, as its remote said last."""
        self._troubles = 0
        self._opened: list[Project] = []
        self._nothing: RalphError | None = None
        self._refused = self._finished = False
        self._turn_number = 0

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
        self._around = self._around._replace(flags=held_settings.read_once(project))
        self._config = project.config
        with LoopLock(project), strays.adopted():
            return self._run(project)

    def _run(self, project: Project) -> Ran:
        runtime_files.prepare(project)
        watched_settings.require_seen(project)
        signs = changed_settings.of_loop(project)
        seen_here_alone.passed_over(project.repository)
        runtime_files.forget_declined(project.top)
        stop.forget(project.top)  # one from before our first heartbeat was another loop's
        self._top, self._worker = project.top, project.worker
        self._home = project.repository.home
        self._journal = Journal(self._top, self._worker, Notifier(project, signs).hear)
        self._pulls = Pulls(project, self._options, self._journal, self._say, self._ended.lost)
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
                held = self._held = HeldSettings(
                    signs, self._agents.lines, self._journal, beat, self._say
                )
                self._around = self._around._replace(progress=beat)
                self._pauses = Pauses(self._top, beat, self._journal, self._say)
                self._base_away = BaseAway(self._config, self._pauses, self._journal, self._say)
                self._agents.begin(self._top, self._agent_away, self._say)
                self._landing = Landing(
                    self._options, self._pulls, self._journal, beat, self._say, held.unchanged,
                    held.watched,
                )  # fmt: skip
                self._after_review = AfterReview(self._landing, self._journal, self._say)
                self._taking = Taking(
                    self._around, self._options, self._landing, self._agents, self._journal, beat,
                    self._say,
                )  # fmt: skip
                self._after = AfterAttempt(
                    self._options, self._project, self._top, self._ended, self._pauses,
                    self._landing, self._pulls, self._taking, self._journal, beat, self._say,
                )  # fmt: skip
                self._budget = Budget(
                    self._options, project.repository.common_dir, self._worker, self._say
                )
                self._reviewing = Reviewing(
                    self._options, self._agents, self._pauses, self._budget, self._journal, beat,
                    self._say, held.unchanged, held.watched,
                )  # fmt: skip
                if self._options.role == REVIEW:
                    self._ended = self._ended._replace(done=self._reviewing.done)
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
        ended = (tuple(self._ended.done), tuple(self._ended.blocked), tuple(self._ended.lost))
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
            self._pack_now_and_then()
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

    def _pack_now_and_then(self) -> None:
        """Pack the repository once for so many turns: no git that a loop runs does it by itself."""
        if self._turn_number % _TURNS_OF_A_PACK == 0:
            said = maintenance.pack_when_due(self._project().repository.git)
            if said:
                self._say(f"git gc: {said}")
        self._turn_number += 1

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
        ended = sum(map(len, self._ended))
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
            self._ended.lost.append(task)
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
        self._true_base = project.base.commit
        while True:
            self._see_base(project, self._true_base)  # a verify command may have moved it
            # A loop of one task ends with its attempts: nothing is left to break.
            if not self._options.task and self._pauses.for_breaker(project.config):
                return
            before = attempt_memory.attempts(self._top, lease.claim)
            if own_claims.end_of(project.view("HEAD", "HEAD"), lease) is Status.BLOCKED:
                if self._pulls.give_up_fix(project, lease, "its worker has blocked the task"):
                    return
                self._after.end_blocked(lease)
                return
            if complete_here := own_claims.end_of(project.here, lease) is Status.COMPLETE:
                outcome = self._landing.task(project, lease)
            elif before.failed >= project.config.agent_attempts:
                self._after.block_failed(lease, before)
                return
            elif spent := self._budget.of_task(lease.claim, promised(project, lease).budget):
                self._after.block(lease, Reason.OTHER, f"{spent}. Should it have more?", ())
                return
            elif self._away.is_limited():  # what is done lands nevertheless
                self._close()  # it may take hours
                if not self._away.may_start():
                    return
                project = self._project()
                continue
            else:
                outcome = self._attempt(project, lease, before)
            then = self._after.follow(
                project, lease, before, outcome, away=self._away, was_complete=complete_here
            )
            if then is Next.LEAVE:
                return
            if then is Next.AGAIN:  # else with what `attempt` has read again
                if self._pauses.stop_wanted() or self._budget.why():
                    return
                project = self._project()

    def _attempt(self, project: Project, lease: Lease, before: attempt_memory.Attempts) -> Outcome:
        """Have the agent work once. Raises: NeedsPerson (changed_program)."""
        self._held.require_agent(project, self._away.command.read_as_line)
        self._beat.phase(AGENT, task=lease.task, claim=lease.claim)
        began = time.time()
        number = before.failed + 1
        quiet = self._around._replace(progress=Progress())  # the phase is the agent's
        self._journal.write("agent", task=lease.task, claim=lease.claim, attempt=number)
        on_branch = self._held.with_task(project, lease.task)
        with self._held.watched(project, noted=on_branch):
            outcome, used = attempt(
                project, lease, before, command=self._away.command,
                since=self._landing.stands_on(lease),
                check=lambda: reason_to_stop(quiet, self._journal, lease),
                ended_here=lambda *ended: self._agent_ended(lease, on_branch, *ended),
                base_seen=self._base_seen,
                unchanged=self._held.unchanged, fix=self._fix, heard=self._beat.agent_spoke,
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

    def _spent(self, lease: Lease, used: Usage) -> None:
        self._budget.note(lease.task, lease.claim, used._replace(agent=self._away.command.name))

    def _agent_ended(self, lease: Lease, before: Signs, project: Project, used: Usage) -> None:
        """Note what the agent has used, and refuse what it has changed that steers the loop.

        Raises: NeedsPerson (settings_changed).
        """
        self._spent(lease, used)
        self._held.require(project, before)

    def _base_seen(self, project: Project, base: str) -> None:
        """Name what else has changed, and see the true base again, which was `base`.

        Raises: NeedsPerson (settings_changed, blocks_git), RemoteUnavailable.
        """
        self._held.unchanged(project)
        if self._see_base(project, base):
            self._held.unchanged(project)  # what has come along with the base, as that was moved
        self._base_away.wait_until_readable(project)

    def _see_base(self, project: Project, base: str) -> bool:
        """Ask the remote where the base is, where that is not `base` any more: whoever has moved
        the tracking branch has not asked. Whether it was asked.

        Raises: RemoteUnavailable.
        """
        is_moved = bool(project.base.remote) and project.base.commit != base
        if is_moved:
            self._base_away.ask_remote(project)
        self._true_base = project.base.commit
        return is_moved

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
