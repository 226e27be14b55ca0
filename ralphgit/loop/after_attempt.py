"""Do what follows an attempt: land, try again after a pause, block, give back or leave the task."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from ralphgit.app.active_claims import lost_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.own_claims import WayOut
from ralphgit.app.lifecycle import block_release, give_up, task_branch
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.git.run_git import GitError
from ralphgit.loop import attempt_memory, give_back
from ralphgit.loop.agent_away import AgentAway
from ralphgit.loop.attempt import Done, Failed, GivenUp, Outcome
from ralphgit.loop.event_log import Journal
from ralphgit.loop.heartbeat_writer import HeartbeatWriter
from ralphgit.loop.landing import Landing
from ralphgit.loop.loop_options import LoopOptions, Say
from ralphgit.loop.loop_pull_requests import Pulls
from ralphgit.loop.taking import Taking
from ralphgit.loop.waiting import Pauses
from ralphgit.model.active_claim import Lease
from ralphgit.model.config import Config
from ralphgit.model.printable import counted
from ralphgit.model.task_status import Reason
from ralphgit.rules.agent_outcome import Limited, Lost, Over, Silent, Stuck, Unavailable
from ralphgit.rules.backoff_and_breaker import CLOSED

#: A hook that puts more into the commit of a block than its records.
_ADDS = "hook_adds"


class Next(Enum):
    """What a loop does with a task after an attempt."""

    LEAVE = "leave"
    """Nothing more: it has ended, or is given back."""
    LAND = "land"
    """What is committed in the worktree, its completion or its block, lands at once."""
    AGAIN = "again"
    """It is worked on again, unless the loop has to stop."""


class Ended(NamedTuple):
    """The tasks that one loop has ended, by how."""

    done: list[str]
    blocked: list[str]
    lost: list[str]


class AfterAttempt:
    """What follows the attempts of one loop."""

    def __init__(
        self, options: LoopOptions, project: Callable[[], Project], top: str, ended: Ended,
        pauses: Pauses, landing: Landing, pulls: Pulls, taking: Taking, journal: Journal,
        beat: HeartbeatWriter, say: Say,
    ) -> None:  # fmt: skip
        """`project` opens the worktree at `top` again; what ends here is added to `ended`."""
        self._options, self._project, self._top, self._ended = options, project, top, ended
        self._pauses, self._landing, self._pulls, self._taking = pauses, landing, pulls, taking
        self._journal, self._beat, self._say = journal, beat, say

    def follow(
        self, project: Project, lease: Lease, before: attempt_memory.Attempts, outcome: Outcome,
        *, away: AgentAway, was_complete: bool,
    ) -> Next:  # fmt: skip
        """Do what follows `outcome`: of the agent that `away` waits for, or of landing a task that
        `was_complete` here.

        Raises: ClaimLost, with the work kept in a rescue ref; what landing and git raise.
        """
        match outcome:
            case Done(commit):
                self._landing.verified = commit
                runtime_files.note_breaker(self._top, CLOSED)
                if not was_complete:
                    return Next.LAND
                if lease.task not in self._ended.done:
                    self._ended.done.append(lease.task)
                return Next.LEAVE
            case Stuck(reason, question, options, shared):
                runtime_files.note_breaker(self._top, CLOSED)
                # It counts: should the block fail, the agent is not asked for ever.
                attempt_memory.note_attempts(
                    self._top, before._replace(failed=before.failed + 1, feedback=question)
                )
                self.block(lease, reason, question, options, shared=shared)
                return Next.LEAVE
            case Limited():
                away.limited(before, outcome)
            case Unavailable() | Silent():
                if away.gives_back(before, outcome):
                    self._give_back(lease, away.why)
                    return Next.LEAVE
            case Over(seconds):
                if self._over(lease, before, seconds):
                    return Next.LEAVE
            case Failed():
                if self._failed(lease, before, outcome):
                    return Next.LEAVE
            case GivenUp(WayOut.RELEASED):
                self._end_released(lease)
                return Next.LEAVE
            case GivenUp():
                self._tell_blocked(lease)
                return Next.LAND
            case Lost():
                project = self._project()
                claim_map = ClaimMap(project)
                winner = lost_claims.winner_over(claim_map, lease)
                winner = winner or lost_claims.asked_anew(claim_map, lease)
                with WorktreeLock(project):
                    raise give_up.lose(project, lease, winner)
        return Next.AGAIN

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
            self.block_failed(lease, now)
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
            self.block(lease, Reason.OTHER, question, ())
            return True
        return False

    def _give_back(self, lease: Lease, why: str) -> None:
        """Leave the task as it was, since the agent cannot work; its work so far is kept."""
        kept = give_back.give_back(self._project(), lease, why)
        more = f"; the work so far is kept in {kept}" if kept else ""
        self._journal.write("given-back", task=lease.task, rescue=kept)
        self._say(f"{why}; {lease.task} is given back as it was{more}")
        self._beat.phase("given back", task="")

    def block_failed(self, lease: Lease, last: attempt_memory.Attempts) -> None:
        """Block a task that has had all its attempts."""
        reason = Reason(last.reason) if last.reason in {*Reason} else Reason.VERIFY_FAILED
        number = "1 attempt" if last.failed == 1 else f"{last.failed} attempts"
        question = f"{number} failed. The last one: {last.told or last.feedback}"
        self.block(lease, reason, question, ())

    def block(
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
        self.end_blocked(lease)

    def _tell_blocked(self, lease: Lease) -> None:
        row = self._project().view("HEAD", "HEAD").by_id[lease.task]
        told = json.loads(row.json).get("blocked") or {}
        reason, question = str(told.get("reason") or "other"), str(told.get("question") or "")
        self._journal.write("blocked", task=lease.task, reason=reason, message=question)
        self._say(
            f"{lease.task} is blocked ({reason})" + f": {question}".split("\n")[0].rstrip(": ")
        )

    def end_blocked(self, lease: Lease) -> None:
        """Land the block of a task, and note it."""
        self._landing.block(self._project(), lease)
        self._ended.blocked.append(lease.task)

    def _end_released(self, lease: Lease) -> None:
        """Note a task that was released here: this loop does not take it again."""
        kept = self._landing.give_back(self._project(), lease)
        more = f"; the work so far is kept in {kept}" if kept else ""
        self._journal.write("released", task=lease.task, rescue=kept)
        self._say(f"{lease.task} was released in this worktree{more}")
        self._leave(lease, "released")

    def _leave(self, lease: Lease, phase: str) -> None:
        """Go on without a task that this loop has given up."""
        self._ended.lost.append(lease.task)
        self._taking.released[lease.task] = phase
        self._beat.phase(phase, task="")
