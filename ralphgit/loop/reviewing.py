"""Review what other workers have done, where it asks for a review: `run --role review` (SPEC 7)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import fetch
from ralphgit.app.evidence import reviews
from ralphgit.app.forge import choice, places
from ralphgit.app.handoff import packet, review_report, worker_report
from ralphgit.app.landing import record_review
from ralphgit.app.workspace import record_tree, runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.app.worktrees.proving_worktree import Ground
from ralphgit.errors import InvalidRecord, NothingReady, RalphError
from ralphgit.git import merge_preview, trees, work_done
from ralphgit.git.objects import scratch_folder
from ralphgit.loop import agent_command, agent_process, attempt, attempt_memory, event_log
from ralphgit.loop.agent_log import AgentLog
from ralphgit.loop.budget import Budget
from ralphgit.loop.event_log import Journal
from ralphgit.loop.heartbeat_writer import AGENT, HeartbeatWriter
from ralphgit.loop.loop_options import LoopOptions, Say
from ralphgit.loop.task_agents import TaskAgents
from ralphgit.loop.waiting import Pauses
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.handoff import REVIEW_REPORT, REVIEWED
from ralphgit.model.printable import counted
from ralphgit.model.review import Review
from ralphgit.model.task import Task, Usage
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import State
from ralphgit.model.usage import total
from ralphgit.records import atomic_files
from ralphgit.records.redact_secrets import secrets_in
from ralphgit.records.schemas import FILED
from ralphgit.rules import review_verdict
from ralphgit.rules.agent_outcome import Limited, Silent, Unavailable
from ralphgit.rules.claim_options import ClaimOptions, is_wanted


class Waiting(NamedTuple):
    """Work that asks for a review and has none."""

    row: Row
    task: Task
    """As its branch has it."""
    promised: Task
    holder: ActiveClaim
    head: str


#: What came of one try: a review, what kept the agent from working, or why there is none.
_Tried = review_report.ReviewReport | Limited | Unavailable | Silent | str


class Reviewing:
    """The reviews of one loop."""

    def __init__(
        self, options: LoopOptions, agents: TaskAgents, pauses: Pauses, budget: Budget,
        journal: Journal, beat: HeartbeatWriter, say: Say,
        unchanged: Callable[[Project], None],
        watched: Callable[[Project], AbstractContextManager[None]],
    ) -> None:  # fmt: skip
        """`unchanged` refuses to go on where the agent has changed what steers the loop; while
        it works, that is `watched`."""
        self._options, self._agents, self._pauses, self._budget = options, agents, pauses, budget
        self._journal, self._beat, self._say, self._unchanged = journal, beat, say, unchanged
        self._watched = watched
        self._passed: set[tuple[str, str]] = set()
        self._used: dict[str, Usage] = {}
        """What the tries at a review have used so far, by its name."""
        self.done: list[str] = []
        self.failed: list[str] = []
        """What the agent did not review, however often it was asked."""

    def turn(self, project: Project) -> bool:
        """Review one task; False where none waits for a review by this loop.

        Raises: NeedsPerson (settings_changed), GuardRefused, NotWritable, RemoteUnavailable.
        """
        fetch.synchronise(project)
        for one in self._waiting(project):
            self._review(project, one)
            return True
        return False

    def nothing(self) -> RalphError:
        """Return why this loop has nothing to review."""
        left = "".join(f"; {task} was not reviewed" for task in self.failed)
        return NothingReady(
            f"nothing waits for a review by this loop{left}",
            code="waiting", hint="ralphgit status",
        )  # fmt: skip

    # -- which ---------------------------------------------------------------------------

    def _waiting(self, project: Project) -> Iterator[Waiting]:
        claim_map, options = ClaimMap(project), self._options
        story = options.story or project.config.story
        asked = ClaimOptions(options.task, story, options.priority)
        for row in claim_map.base.rows:
            if claim_map.task_states[row.id].state != State.IN_REVIEW:
                continue
            if not (row.id == asked.task if asked.task else is_wanted(row, asked)):
                continue
            found = self._work(claim_map, row)
            if found is not None and self._is_open(project, found) and self._agents.takes(row):
                yield found

    def _work(self, claim_map: ClaimMap, row: Row) -> Waiting | None:
        project = claim_map.project
        for holder in claim_map.active_claims.get(row.id, ()):
            ref = project.repository.refs.get(holder.ref) if holder.ref else None
            if ref is not None and holder.status == "complete":
                task = project.view(ref.oid, holder.where).task(row.id)
                return Waiting(row, task, claim_map.base.task(row.id), holder, ref.oid)
        return None

    def _is_open(self, project: Project, one: Waiting) -> bool:
        """Whether work asks for a review, is not this worker's own, and nobody has reviewed it."""
        if not review_verdict.asked(one.task, one.promised):
            return False
        if (one.row.id, one.head) in self._passed:
            return False
        if one.holder.by.casefold() == project.worker.casefold():
            self._passed.add((one.row.id, one.head))
            self._say(f"{one.row.id} is this worker's own: somebody else has to review it")
            return False
        found = reviews.on_base(project, one.head, one.task, one.promised)
        by_us = any(review.by.casefold() == project.worker.casefold() for review in found.of_this)
        return not by_us and not found.counting

    # -- one -----------------------------------------------------------------------------

    def _review(self, project: Project, one: Waiting) -> None:
        """Have the agent review a task until it has, and record what it found."""
        away = self._agents.away(project, one.row.id)
        self._say(f"reviewing {one.row.id} ({one.holder.by}): {one.row.title}")
        self._journal.write("reviewing", task=one.row.id, commit=one.head)
        name = f"{one.holder.claim}-review"
        while not self._pauses.stop_wanted() and not self._budget.why():
            began = time.time()
            before = attempt_memory.attempts(project.top, name)
            match self._try(project, one, away.command, before):
                case review_report.ReviewReport() as found:
                    away.worked(began)
                    self._record(project, one, found)
                    break
                case Limited() as limited:
                    away.limited(before, limited)
                    break  # others may go on; or the loop waits
                case (Unavailable() | Silent()) as gone:
                    if away.gives_back(before, gone):
                        break
                case why:
                    self._say(f"{one.row.id} was not reviewed: {why}")
                    if self._failed(project, before, why):
                        self._passed.add((one.row.id, one.head))
                        self.failed.append(one.row.id)
                        break
        self._beat.phase("idle", task="")

    def _failed(self, project: Project, before: attempt_memory.Attempts, why: str) -> bool:
        """Note a failed try, and wait; True if it was the last."""
        now = before._replace(failed=before.failed + 1, feedback=why, limited=0, unavailable=0)
        attempt_memory.note_attempts(project.top, now)
        if now.failed >= project.config.agent_attempts:
            return True
        self._pauses.after_failure(now.failed, project.config)
        fetch.synchronise(project)  # the next try begins at the base, wherever it was moved
        return False

    def _try(
        self, project: Project, one: Waiting, command: agent_command.Command,
        before: attempt_memory.Attempts,
    ) -> _Tried:  # fmt: skip
        """Run the agent once, in worktrees that are thrown away: it is started in one of the base,
        so that nothing of the work says what its command does, and has the work in a folder there.
        """
        self._unchanged(project)  # by another loop's agent, since this one has begun
        failing = f"{one.row.id} was not reviewed"
        with ExitStack() as grounds:
            ground = grounds.enter_context(Ground(project, failing=failing, copies=False))
            top = ground.at(project.base.commit)
            self._prepare(project, one, top, before)
            place = os.path.join(top, REVIEWED)
            work = Ground(project, failing=failing, inside=place, copies=False)
            grounds.enter_context(work).at(one.head)
            prompt = os.path.join(top, attempt.PROMPT)
            environ = agent_process.environment(
                {**project.around.environ, **command.environment},
                task=one.row.id, claim=one.holder.claim, worker=project.worker,
                packet=os.path.join(top, packet.PATH), report=os.path.join(top, REVIEW_REPORT),
            )  # fmt: skip
            environ |= {"RALPH_PROMPT": prompt, "RALPH_ROLE": "review"}
            secrets, config = secrets_in(environ), project.config
            name = f"{one.row.id}-{one.holder.claim}-review.log"
            log = os.path.join(project.top, event_log.FOLDER, name)
            self._beat.phase(AGENT, task=one.row.id)
            with self._watched(project):
                ended = agent_process.run(
                    agent_command.started(command, project, prompt), top=top, prompt=prompt,
                    environ=environ,
                    log=AgentLog(
                        log, limit=config.log_bytes, secrets=secrets, reading=command.reading,
                        top=top,
                    ),
                    timeout=command.limit(config), stop=lambda: "",
                    silence=agent_process.Silence(
                        config.agent_silence, lambda: work_done.snapshot(work.git, place)
                    ),
                    heard=self._beat.agent_spoke,
                )  # fmt: skip
                used = ended.usage._replace(agent=command.name)
                self._budget.note(one.row.id, before.claim, used)
                self._used[before.claim] = total((self._used.get(before.claim, Usage()), used))
                self._journal.write(
                    "attempted", task=one.row.id, attempt=before.failed + 1, role="review",
                    agent_s=used.seconds, **used.stored(),
                )  # fmt: skip
                project.refresh(config=True)
                self._unchanged(project)
            try:
                found = review_report.read(top, secrets)
            except InvalidRecord as error:
                return str(error)
            if found is not None:
                return found._replace(model=ended.usage.model)
            outcome = attempt.how_ended(project, command, ended, False, environ)
        if isinstance(outcome, (Limited, Unavailable, Silent)):
            return outcome
        return f"the agent ended with exit code {ended.code} and wrote no {REVIEW_REPORT}"

    def _prepare(
        self, project: Project, one: Waiting, top: str, before: attempt_memory.Attempts
    ) -> None:
        made = packet.compile(
            project, one.promised, claim=one.holder.claim, worker=project.worker, clean=True
        )
        repository = project.repository
        fork = merge_preview.merge_base(repository, project.base.commit, one.head)
        fork = fork or project.base.commit
        # In an empty worktree: attributes that come with the work could hide what it changes.
        with scratch_folder() as scratch:
            git = merge_preview.merging(repository, scratch, keep=True)
            words = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", fork, one.head)
            records = f":(exclude,glob){project.config.records}"
            without = [f"{records}/{kind}/**/*.yaml" for kind in FILED]
            diff = git.run("diff", *words, "--", ".", *without).decode("utf-8", "replace")
        files = [
            f"{each.kind} {each.path}"
            for each in trees.changes(repository.objects, fork, one.head)
            if not record_tree.is_record(project, each.path)
        ]
        known = reviews.on_base(project, one.head, one.task, one.promised).all
        text = review_report.written(
            made, worker=one.holder.by, fork=fork, files=files, diff=diff,
            lenses=project.config.review_lenses,
            earlier=review_verdict.open_findings(known), feedback=before.feedback,
        )  # fmt: skip
        folder = os.path.join(top, runtime_files.FOLDER)
        worker_report.remove(folder)  # what is committed there is no reviewer's
        os.makedirs(folder)
        for path, data in (
            (packet.PATH, packet.encoded(project, made)),
            (attempt.PROMPT, text.encode("utf-8", "replace")),
        ):
            atomic_files.write(os.path.join(top, path), data, durable=False, follow=False)

    def _record(self, project: Project, one: Waiting, found: review_report.ReviewReport) -> None:
        self._beat.phase("record", task=one.row.id)
        known = {
            (review.id, finding.id)
            for review in reviews.on_base(project, one.head, one.task, one.promised).all
            for finding in review.findings
        }
        told = reviews.ReviewOptions(
            task=one.row.id, verdict=found.verdict, by=project.worker, target=one.head,
            lenses=project.config.review_lenses, context=found.context, findings=found.findings,
            disposes=tuple(d for d in found.disposes if (d.review, d.finding) in known),
            residual_risk=found.residual_risk, model=found.model,
            usage=self._used.pop(f"{one.holder.claim}-review", None),
        )  # fmt: skip
        made, _ = reviews.composed(project, told)
        done = record_review.record(project, made)
        where = f"; it is in review: {done.pull.url or done.pull.branch}" if done.pull else ""
        self._comment(project, one, made)
        more = f", {counted(len(found.findings), 'finding')}" if found.findings else ""
        self._journal.write("reviewed", task=one.row.id, verdict=found.verdict, review=made.id)
        self._say(f"{one.row.id}: {found.verdict}{more} (review {made.id}){where}")
        self._passed.add((one.row.id, one.head))
        self.done.append(one.row.id)

    def _comment(self, project: Project, one: Waiting, made: Review) -> None:
        """Write the verdict below the pull request; a forge that refuses is said, and no more."""
        pull, forge = one.holder.pull, choice.of(project)
        if pull is None or not pull.is_at_forge or forge is None:
            return
        try:
            if name := places.named(project, forge, pull.branch, pull.url):
                forge.comment(name, review_report.markdown(made))
        except RalphError as error:
            self._say(f"the verdict on {made.task} is not at its pull request: {error.message}")
