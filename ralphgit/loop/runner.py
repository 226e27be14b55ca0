"""The loop: preflight, claim, packet and prompt, agent, verify, complete, land, again (SPEC 7).

What it has to know after a crash it reads from the records, the lease and `.ralph/`: each
turn begins by looking what this worktree has begun, and goes on with that.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from ralphgit.app import (
    branches,
    claim,
    complete,
    doctor,
    giveup,
    guard,
    land,
    land_pr,
    look,
    mine,
    runtime,
    trust,
    work,
)
from ralphgit.app.exclusive import Exclusive
from ralphgit.app.lookaround import Situation, elsewhere
from ralphgit.app.project import Project, Surroundings
from ralphgit.errors import (
    ClaimHeld,
    ClaimLost,
    GuardRefused,
    InvalidRecord,
    NeedsPerson,
    NothingReady,
    RalphError,
    RemoteUnavailable,
    UsageError,
)
from ralphgit.loop import agents, begun, memory
from ralphgit.loop.attempt import LOST, Done, Failed, Limited, Lost, Stuck, attempt
from ralphgit.loop.beat import Beat, refuse_second
from ralphgit.loop.journal import Journal
from ralphgit.loop.keeper import Keeper
from ralphgit.loop.notify import Notifier
from ralphgit.loop.options import Options, Ran
from ralphgit.loop.pauses import Pauses
from ralphgit.loop.pulls import Pulls
from ralphgit.model.flight import Lease
from ralphgit.model.row import Row
from ralphgit.model.status import Reason
from ralphgit.rules import readiness
from ralphgit.rules.retry import CLOSED

#: What trying again does not change: a person has to.
_FINAL = (GuardRefused, InvalidRecord, NeedsPerson, UsageError)
#: ... but for these, which others' work brings and takes.
_PASSING = ("unsettled", "worktree_busy")
#: What others' work does to a task between our look and our claim.
_TAKEN = ("unsettled", "scope_overlap", "dependencies_incomplete", "mode", "illegal_move")
#: Other refusals (a git that was killed, a lock, a full disk) in a row, before the loop ends.
_MOST_TROUBLES = 12
_TROUBLE_S = 0.5
#: So long after a landing nothing is fetched: the push has just told what the base is.
_FRESH_S = 1.0
_ENDS = {"merge": "landed", "pr": "in review", "none": "done"}


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
        self._troubles = 0
        self._opened: list[Project] = []
        self._fresh_until = 0.0

    def run(self) -> Ran:
        """Work until nothing is left, or something or somebody says stop.

        Raises: GuardRefused, NeedsPerson (untrusted), UsageError, InvalidRecord, NotWritable.
        """
        project = self._project()
        guard.refuse_unfit(project)
        self._command = agents.command(self._options.agent or project.config.agent_command)
        if not self._options.agent and not self._command.preset:
            trust.require(project, [self._command.line])
        refuse_second(project)
        if not project.base_view.rows:
            self._say("the task graph has no task yet")
        runtime.prepare(project)
        self._top, self._worker = project.top, project.worker
        self._journal = Journal(self._top, self._worker, Notifier(project).hear)
        self._pulls = Pulls(project, self._options, self._journal, self._say, self._lost)
        self._journal.write("started", agent=self._command.line, pid=os.getpid())
        why = "failed"
        try:
            with Keeper() as keeper, Beat(self._top, self._worker) as beat:
                self._keeper, self._beat = keeper, beat
                self._pauses = Pauses(self._top, beat, self._journal, self._say)
                self._pauses.forget_stop()
                why = self._turns()
        finally:
            self._journal.write("ended", why=why)
        return Ran(tuple(self._done), tuple(self._blocked), tuple(self._lost), why)

    # -- turns -----------------------------------------------------------------------

    def _turns(self) -> str:
        while True:
            self._close()
            if self._pauses.stop_wanted():
                self._pauses.forget_stop()
                return "stopped"
            worked = self._turn()
            if worked and self._enough():
                return "enough"
            if worked:
                continue
            if self._options.idle == "exit":
                return "nothing is ready" + self._pulls.left(self._project())
            if self._all_finished():
                return "everything is done"
            config = self._project().config
            self._close()
            self._pauses.for_work(config)

    def _enough(self) -> bool:
        ended = len(self._done) + len(self._blocked) + len(self._lost)
        limit = 1 if self._options.once else self._options.max_tasks
        return 0 < limit <= ended

    def _turn(self) -> bool:
        """One task, whole; False where nothing could be taken."""
        project = self._project()
        try:
            branches.settle(project)
            lease = begun.unfinished(project, self._landing(project), self._pulls, self._options)
            if lease is None:
                self._pulls.poll(project)
                lease = self._take(project)
            else:
                self._say(f"resuming {lease.task}")
            if lease is None:
                return False
            self._work(lease)
            self._troubles = 0
        except ClaimLost as error:
            task = str(error.details.get("task", ""))
            self._lost.append(task)
            self._journal.write("lost", task=task, message=error.message)
            self._say(f"{error.message}; {'; '.join(error.lines)}")
            self._beat.phase("lost", task="")
        except RemoteUnavailable as error:
            self._journal.write("unreachable", message=error.message)
            self._say(f"{error.message}; trying again")
            self._pauses.after_failure(3, project.config)
        except RalphError as error:
            final = isinstance(error, _FINAL) and error.code not in _PASSING
            final = final or error.code == "no_agent"
            if final or self._troubles >= _MOST_TROUBLES:
                raise
            self._troubles += 1
            self._journal.write("trouble", code=error.code, message=error.message)
            self._say(f"{error.message}; trying again")
            self._mend()
        return True

    def _mend(self) -> None:
        """Wait a little, and remove the locks of a git that was killed."""
        project = self._project()
        self._pauses.wait(_TROUBLE_S * self._troubles, "trouble")
        for finding in doctor.examine(project, fix=True):
            if finding.fixed:
                self._journal.write("mended", code=finding.code, message=finding.message)

    def _take(self, project: Project) -> Lease | None:
        """Claim the next task, on a branch of its own from the fresh base."""
        self._beat.phase("claim", task="")
        fresh = time.monotonic() < self._fresh_until and not elsewhere(project)
        self._fresh_until = 0.0
        if not fresh:
            claim.synchronise(project)
        branches.refuse_dirty(project)
        options = self._options
        found = look.takeable(project, story=options.story or project.config.story,
                              priority=options.priority, task=options.task)  # fmt: skip
        rows = readiness.spread([row for row, _ in found.tasks], branches.place_of(project))
        while rows:
            lease = self._claim(project, rows.pop(0))
            if lease is not None:
                return lease
            project.refresh()  # and go on with what others have left of the list
            free = {row.id for row, _ in look.takeable(project).tasks}
            rows = [row for row in rows if row.id in free]
        return self._take(project) if fresh else None

    def _claim(self, project: Project, row: Row) -> Lease | None:
        left = ""
        if self._options.branch == "task":
            left = branches.begin(project, f"{row.id}-{self._around.new_id()[:6]}")
        else:
            branches.catch_up(project)
        project.refresh()
        try:
            made = claim.claim(project, claim.Options(task=row.id, fetch=False))
        except (ClaimHeld, NothingReady, GuardRefused) as error:
            if isinstance(error, GuardRefused) and error.code not in _TAKEN:
                raise
            self._journal.write("passed", task=row.id, code=error.code)
            return None
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
            self._pauses.for_breaker(project.config)
            end = mine.end_of(project.view("HEAD", "HEAD"), lease)
            if end == "blocked":
                self._land_block(lease)
                return
            if end:
                if self._land(project, lease):
                    return
                continue
            if mine.end_of(project.here, lease) == "complete":
                complete.complete(project, complete.Options(task=lease.task))
                continue
            self._beat.phase("agent", task=lease.task, claim=lease.claim)
            before = memory.attempts(self._top, lease.claim)
            number = before.failed + 1
            self._journal.write("agent", task=lease.task, claim=lease.claim, attempt=number)
            outcome, agent_s = attempt(
                project, lease, before,
                command=self._command, keeper=self._keeper, check=lambda: self._check(lease),
            )  # fmt: skip
            self._journal.write(
                "attempted", task=lease.task, attempt=number,
                outcome=type(outcome).__name__.lower(), agent_s=round(agent_s, 3),
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
                    self._pauses.wait(seconds, "rate limit")
                case Failed():
                    if self._failed(lease, before, outcome):
                        return
                case Lost():
                    project = self._project()
                    winner = mine.winner_over(Situation(project), lease)
                    raise work.lose(project, lease, winner or "its claim does not stand any more")
            if self._pauses.stop_wanted() and not isinstance(outcome, Done):
                return

    def _failed(self, lease: Lease, before: memory.Attempts, outcome: Failed) -> bool:
        """Note a failed attempt, and wait; True if it was the last and the task is blocked."""
        now = before._replace(failed=before.failed + 1, feedback=outcome.feedback)
        memory.note_attempts(self._top, now)
        config = self._project().config
        state = memory.breaker(self._top).failed(time.time(), limit=config.loop_failures)
        memory.note_breaker(self._top, state)
        about = "" if lease.task in outcome.why else f"{lease.task}: "
        self._say(f"{about}{outcome.why} (attempt {now.failed})")
        if now.failed >= config.agent_attempts:
            question = f"{now.failed} attempts failed. The last one: {outcome.feedback}"
            self._block(lease, outcome.reason, question, ())
            return True
        self._pauses.after_failure(now.failed, config)
        return False

    def _block(self, lease: Lease, reason: Reason, question: str, options: tuple[str, ...]) -> None:
        """Record the question, keep the work so far in a rescue ref, and land the record alone."""
        self._beat.phase("block", task=lease.task, claim=lease.claim)
        project = self._project()
        with Exclusive(project):
            kept = branches.put_aside(project, lease)
            if kept:
                question += f"\n\nThe work so far is kept in {kept}."
            giveup.block(project, lease.task, reason=reason, question=question, options=options)
        self._blocked.append(lease.task)
        self._journal.write("blocked", task=lease.task, reason=reason.value, message=question)
        self._say(f"{lease.task} is blocked ({reason.value}): {question.splitlines()[0]}")
        self._land_block(lease)

    def _land_block(self, lease: Lease) -> None:
        """Bring the record of a blocked task to where others see it."""
        project = self._project()
        match self._landing(project):
            case "merge":
                landed = land.by_merge(project, lease)
                if isinstance(landed, land.Conflict):
                    self._say(f"the block of {lease.task} conflicts with the base; it stays here")
                    runtime.forget(self._top)
            case "pr":
                land_pr.share(project, lease)
        self._beat.phase("blocked", task="")

    def _land(self, project: Project, lease: Lease) -> bool:
        """Land the completed task; False where it has to be attempted again on the new base."""
        how = self._landing(project)
        if how != "none":
            self._beat.phase("land", task=lease.task, claim=lease.claim)
            try:
                landed = (land.by_merge if how == "merge" else self._pulls.open)(project, lease)
            except GuardRefused as error:
                if error.code != "review_missing":
                    raise
                return self._leave_for_review(lease, error)
            if isinstance(landed, land.Conflict):
                return self._redo(project, lease, landed)
            event = "landed" if how == "merge" else "opened"
            self._journal.write(event, task=lease.task, commit=landed.commit)
            self._fresh_until = time.monotonic() + (_FRESH_S if how == "merge" else 0)
        self._done.append(lease.task)
        self._journal.write("done", task=lease.task, landing=how)
        self._say(f"{lease.task} is {_ENDS[how]}")
        self._beat.phase("done", task="")
        return True

    def _leave_for_review(self, lease: Lease, why: GuardRefused) -> bool:
        """The work is complete on its branch, and it is for a reviewer to go on."""
        runtime.forget(self._top)
        self._journal.write("unreviewed", task=lease.task, message=why.message)
        self._done.append(lease.task)
        self._say(why.message)
        return True

    def _redo(self, project: Project, lease: Lease, conflict: land.Conflict) -> bool:
        """What conflicts with the base is kept, and the task is begun again on top of it; True
        if that was its last attempt."""
        paths = ", ".join(conflict.paths[:5])
        with Exclusive(project):
            kept = branches.put_aside(project, lease)
        feedback = (
            f"The work was complete, and then it conflicted with what others landed, in {paths}. "
            f"It is kept in {kept} (git show, git cherry-pick -m 1 --no-commit). This worktree is "
            "at the new base: bring the work over."
        )
        before = memory.attempts(self._top, lease.claim)
        why = f"conflicts with the base in {paths}"
        return self._failed(lease, before, Failed(why, feedback, Reason.CONFLICT))

    # -- small things ----------------------------------------------------------------

    def _project(self) -> Project:
        """Everything as it is now; its processes end with the turn."""
        self._opened.append(look.project(self._around, self._warnings))
        return self._opened[-1]

    def _close(self) -> None:
        while self._opened:
            self._opened.pop().repository.close()

    def _landing(self, project: Project) -> str:
        return self._options.land or project.config.land_mode

    def _check(self, lease: Lease) -> str:
        """While the agent works: does the claim still stand?"""
        project = look.project(self._around, self._warnings)
        try:
            claim.synchronise(project)
            return LOST if mine.winner_over(Situation(project), lease) else ""
        except RalphError as error:
            self._journal.write("unchecked", task=lease.task, message=error.message)
            return ""
        finally:
            project.repository.close()

    def _all_finished(self) -> bool:
        rows = self._project().base_view.rows
        return all(row.status in ("complete", "cancelled") for row in rows)
