"""The loop: preflight, claim, packet and prompt, agent, verify, complete, land, again (SPEC 7).

What it has to know after a crash it reads from the records, the lease and `.ralph/`: each
turn begins by looking what this worktree has begun, and goes on with that.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import NamedTuple

from ralphgit.app import (
    branches,
    claim,
    giveup,
    guard,
    heartbeat,
    land,
    look,
    mine,
    rescue,
    runtime,
    stopping,
    trust,
    work,
)
from ralphgit.app.lookaround import Situation
from ralphgit.app.project import Project, Surroundings
from ralphgit.errors import (
    ClaimHeld,
    ClaimLost,
    GuardRefused,
    NothingReady,
    RalphError,
    RemoteUnavailable,
)
from ralphgit.loop import agents, memory
from ralphgit.loop.attempt import LOST, Done, Failed, Limited, Lost, Stuck, attempt
from ralphgit.loop.beat import Beat
from ralphgit.loop.journal import Journal
from ralphgit.loop.keeper import Keeper
from ralphgit.model.flight import Lease
from ralphgit.model.row import Row
from ralphgit.model.status import Reason
from ralphgit.rules.retry import CLOSED, backoff

_LONGEST_BACKOFF_S = 300.0
_TURN_S = 0.2


class Options(NamedTuple):
    """What `run` may be told."""

    once: bool = False
    """Stop after one task, however it ends."""
    max_tasks: int = 0
    """Stop after so many; 0 is no limit."""
    story: str = ""
    priority: int | None = None
    agent: str = ""
    """A preset or a command line; "" takes the configured one."""
    land: str = ""
    """merge, pr or none; "" takes the configured one."""
    idle: str = "exit"
    """exit or wait, where nothing is ready."""
    branch: str = "task"
    """task: one from the fresh base for each; keep: go on with the one that is here."""


class Ran(NamedTuple):
    """What a loop did, by task."""

    done: tuple[str, ...]
    blocked: tuple[str, ...]
    lost: tuple[str, ...]
    why: str
    """Why it ended."""


class Loop:
    """One loop in one worktree."""

    def __init__(
        self,
        around: Surroundings,
        options: Options,
        *,
        warnings: list[str],
        say: Callable[[str], None],
    ) -> None:
        self._around = around._replace(opening=None)
        self._options = options
        self._warnings = warnings
        self._say = say
        self._done: list[str] = []
        self._blocked: list[str] = []
        self._lost: list[str] = []
        self._chance = random.Random()

    def run(self) -> Ran:
        """Work until nothing is left, or something or somebody says stop.

        Raises: GuardRefused, NeedsPerson (untrusted), UsageError, InvalidRecord, NotWritable.
        """
        project = self._project()
        guard.refuse_unfit(project)
        self._command = agents.command(self._options.agent or project.config.agent_command)
        if not self._options.agent and not self._command.preset:
            trust.require(project, [self._command.line])
        _refuse_second(project)
        runtime.prepare(project)
        self._top, self._worker = project.top, project.worker
        self._journal = Journal(self._top, self._worker)
        self._forget_stop()
        self._journal.write("started", agent=self._command.line, pid=os.getpid())
        why = "failed"
        try:
            with Keeper() as keeper, Beat(self._top, self._worker) as beat:
                self._keeper, self._beat = keeper, beat
                why = self._turns()
        finally:
            self._journal.write("ended", why=why)
        return Ran(tuple(self._done), tuple(self._blocked), tuple(self._lost), why)

    # -- turns -----------------------------------------------------------------------

    def _turns(self) -> str:
        while True:
            if self._stop_wanted():
                self._forget_stop()
                return "stopped"
            if not self._wait_for_breaker():
                continue
            worked = self._turn()
            if worked and self._enough():
                return "enough"
            if worked:
                continue
            if self._options.idle == "exit":
                return "nothing is ready"
            if self._all_finished():
                return "everything is done"
            self._pause(self._project().config.loop_idle * self._chance.uniform(0.5, 1.0), "idle")

    def _enough(self) -> bool:
        ended = len(self._done) + len(self._blocked) + len(self._lost)
        limit = 1 if self._options.once else self._options.max_tasks
        return 0 < limit <= ended

    def _turn(self) -> bool:
        """One task, whole; False where nothing could be taken."""
        project = self._project()
        try:
            lease = self._unfinished(project)
            if lease is None:
                lease = self._take(project)
            if lease is None:
                return False
            self._work(lease)
        except ClaimLost as error:
            task = str(error.details.get("task", ""))
            self._lost.append(task)
            self._journal.write("lost", task=task, message=error.message)
            self._say(f"{error.message}; {'; '.join(error.lines)}")
            self._beat.phase("lost", task="")
        except RemoteUnavailable as error:
            self._journal.write("unreachable", message=error.message)
            self._say(f"{error.message}; trying again")
            self._pause(self._wait_after(1), "unreachable")
        return True

    def _unfinished(self, project: Project) -> Lease | None:
        """What this worktree has begun: its claim, or a completed task that is to land.

        Raises: ClaimLost, after what was lost has been given up.
        """
        situation = Situation(project)
        for lease in mine.open_claims(project, situation):
            if winner := mine.winner_over(situation, lease):
                raise work.lose(project, lease, winner)
        own = guard.own_claim(project, situation)
        if own is not None:
            self._say(f"resuming {own.task}")
            return own
        noted = runtime.remembered(project.top)
        if noted is not None and self._landing(project) != "none":
            here = project.here.by_id.get(noted.task)
            base = situation.base.by_id.get(noted.task)
            complete = here is not None and (here.claim, here.status) == (noted.claim, "complete")
            landed = base is not None and (base.claim, base.status) == (noted.claim, "complete")
            if complete and not landed:
                return noted
        return None

    def _take(self, project: Project) -> Lease | None:
        """Claim the next task, on a branch of its own from the fresh base."""
        self._beat.phase("claim", task="")
        claim.synchronise(project)
        branches.refuse_dirty(project)
        options = self._options
        found = look.takeable(project, story=options.story or project.config.story,
                              priority=options.priority)  # fmt: skip
        for row in self._spread(project, [row for row, _ in found.tasks]):
            lease = self._claim(project, row)
            if lease is not None:
                return lease
            project.refresh()
        return None

    def _spread(self, project: Project, rows: list[Row]) -> list[Row]:
        """`rows` so that loops that look at the same list do not all try the same task first:
        of the most urgent ones, the Nth worktree begins with the Nth."""
        if not rows:
            return rows
        urgent = [row for row in rows if row.priority == rows[0].priority]
        paths = [os.path.realpath(tree.path) for tree in project.repository.worktrees]
        here = os.path.realpath(project.top)
        start = (paths.index(here) if here in paths else 0) % len(urgent)
        return [*urgent[start:], *urgent[:start], *rows[len(urgent) :]]

    def _claim(self, project: Project, row: Row) -> Lease | None:
        left = ""
        if self._options.branch == "task":
            left = branches.begin(project, f"{row.id}-{self._around.new_id()[:6]}")
            project.refresh()
        try:
            made = claim.claim(project, claim.Options(task=row.id, fetch=False))
        except (ClaimHeld, NothingReady):
            return None
        except GuardRefused as error:
            if error.code in ("unsettled", "scope_overlap", "dependencies_incomplete", "mode",
                              "illegal_move"):  # fmt: skip
                return None
            raise
        finally:
            branches.discard(project, left)
        self._journal.write("claimed", task=row.id, claim=made.lease.claim)
        self._say(f"claimed {row.id}: {row.title}")
        return made.lease

    # -- one task --------------------------------------------------------------------

    def _work(self, lease: Lease) -> None:
        """Attempt the task until it is done, blocked, lost or has to wait for us."""
        while True:
            project = self._project()
            row = project.here.by_id.get(lease.task)
            if row is not None and (row.claim, row.status) == (lease.claim, "complete"):
                if self._land(lease):
                    return
                continue
            self._beat.phase("agent", task=lease.task, claim=lease.claim)
            before = memory.attempts(self._top, lease.claim)
            number = before.failed + 1
            self._journal.write("agent", task=lease.task, claim=lease.claim, attempt=number)
            outcome = attempt(
                project, lease, before,
                command=self._command, keeper=self._keeper, check=lambda: self._check(lease),
            )  # fmt: skip
            self._journal.write(
                "attempted", task=lease.task, attempt=number,
                outcome=type(outcome).__name__.lower(),
                **({"why": outcome.why} if isinstance(outcome, Failed) else {}),
            )  # fmt: skip
            match outcome:
                case Done():
                    memory.note_breaker(self._top, CLOSED)
                case Stuck(reason, question, options):
                    memory.note_breaker(self._top, CLOSED)
                    self._block(lease, reason, question, options)
                    return
                case Limited(seconds):
                    self._say(f"rate limit: waiting {seconds:.0f} s")
                    self._pause(seconds, "rate limit")
                case Failed():
                    if self._failed(lease, before, outcome):
                        return
                case Lost():
                    project = self._project()
                    winner = mine.winner_over(Situation(project), lease)
                    raise work.lose(project, lease, winner or "its claim does not stand any more")
            if self._stop_wanted() and not isinstance(outcome, Done):
                return

    def _failed(self, lease: Lease, before: memory.Attempts, outcome: Failed) -> bool:
        """Note a failed attempt, and wait; True if it was the last and the task is blocked."""
        now = before._replace(failed=before.failed + 1, feedback=outcome.feedback)
        memory.note_attempts(self._top, now)
        config = self._project().config
        state = memory.breaker(self._top).failed(time.time(), limit=config.loop_failures)
        memory.note_breaker(self._top, state)
        self._say(f"{lease.task}: {outcome.why} (attempt {now.failed})")
        if now.failed >= config.agent_attempts:
            question = f"{now.failed} attempts failed. The last one: {outcome.feedback}"
            self._block(lease, outcome.reason, question, ())
            return True
        self._pause(self._wait_after(now.failed), "backoff")
        self._wait_for_breaker()
        return False

    def _block(self, lease: Lease, reason: Reason, question: str, options: tuple[str, ...]) -> None:
        """Record the question, keep the work so far in a rescue ref, and land the record alone."""
        self._beat.phase("block", task=lease.task, claim=lease.claim)
        project = self._project()
        kept = rescue.worktree(project, project.top, lease.task, lease.claim, lease.by)
        if kept.ref:
            work.clear(project, lease, kept.ref)
            project.refresh()
            question += f"\n\nThe work so far is kept in {kept.ref}."
        giveup.block(project, lease.task, reason=reason, question=question, options=options)
        self._blocked.append(lease.task)
        self._journal.write("blocked", task=lease.task, reason=reason.value)
        self._say(f"{lease.task} is blocked ({reason.value}): {question.splitlines()[0]}")
        if self._landing(project) == "merge":
            land.by_merge(self._project(), lease)
        self._beat.phase("blocked", task="")

    def _land(self, lease: Lease) -> bool:
        """Land the completed task; False where it has to be done again on the new base."""
        project = self._project()
        how = self._landing(project)
        if how == "merge":
            self._beat.phase("land", task=lease.task, claim=lease.claim)
            landed = land.by_merge(project, lease)
            if isinstance(landed, land.Conflict):
                self._redo(project, lease, landed)
                return False
            self._journal.write("landed", task=lease.task, commit=landed.commit)
        self._done.append(lease.task)
        self._journal.write("done", task=lease.task, landing=how)
        self._say(f"{lease.task} is {'done' if how == 'none' else 'landed'}")
        self._beat.phase("done", task="")
        return True

    def _redo(self, project: Project, lease: Lease, conflict: land.Conflict) -> None:
        """What conflicts with the base is kept, and the task is begun again on top of it."""
        paths = ", ".join(conflict.paths[:5])
        kept = rescue.worktree(project, project.top, lease.task, lease.claim, lease.by)
        work.clear(project, lease, kept.ref)
        project.refresh()
        claim.record(project, lease, note="begun again: conflicts with the base")
        feedback = (
            f"The work was complete, and then it conflicted with what others landed, in {paths}. "
            f"It is kept in {kept.ref} (git show, git cherry-pick --no-commit). This worktree is "
            "at the new base: bring the work over."
        )
        before = memory.attempts(self._top, lease.claim)
        self._failed(lease, before, Failed(f"conflicts with the base in {paths}", feedback,
                                           Reason.CONFLICT))  # fmt: skip

    # -- small things ----------------------------------------------------------------

    def _project(self) -> Project:
        return look.project(self._around, self._warnings)

    def _landing(self, project: Project) -> str:
        return self._options.land or project.config.land_mode

    def _check(self, lease: Lease) -> str:
        """While the agent works: does the claim still stand?"""
        project = self._project()
        try:
            claim.synchronise(project)
            return LOST if mine.winner_over(Situation(project), lease) else ""
        except RalphError as error:
            self._journal.write("unchecked", task=lease.task, message=error.message)
            return ""

    def _all_finished(self) -> bool:
        rows = self._project().base_view.rows
        return all(row.status in ("complete", "cancelled") for row in rows)

    def _wait_after(self, failures: int) -> float:
        base = self._project().config.loop_backoff
        return backoff(failures, base=base, cap=_LONGEST_BACKOFF_S, chance=self._chance.random())

    def _wait_for_breaker(self) -> bool:
        """Wait while the breaker is open; False if stopped meanwhile."""
        state = memory.breaker(self._top)
        seconds = state.wait(time.time(), cooldown=self._project().config.loop_cooldown)
        if seconds:
            self._journal.write("breaker", failures=state.failures, seconds=round(seconds))
            self._say(f"{state.failures} failures in a row: pausing {seconds:.0f} s")
            return self._pause(seconds, "breaker open")
        return True

    def _pause(self, seconds: float, phase: str) -> bool:
        """Wait; False if a stop was asked for meanwhile."""
        self._beat.phase(phase)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self._stop_wanted():
                return False
            time.sleep(min(left, _TURN_S))
        return True

    def _stop_wanted(self) -> bool:
        return os.path.exists(os.path.join(self._top, stopping.PATH))

    def _forget_stop(self) -> None:
        try:
            os.unlink(os.path.join(self._top, stopping.PATH))
        except FileNotFoundError:
            return


def _refuse_second(project: Project) -> None:
    """Raises: GuardRefused (loop_running) while another loop works in this worktree."""
    beat = heartbeat.read(project.top)
    if beat is None or beat.pid == os.getpid():
        return
    if beat.host == heartbeat.host() and not heartbeat.gone(beat):
        raise GuardRefused(
            f"a loop works in this worktree already (process {beat.pid})",
            code="loop_running",
            hint="ralphgit logs -f; to end it: ralphgit stop",
        )
