"""Land what a loop has completed; of a blocked task only its record."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from ralphgit.app.active_claims import leases, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import fetch, records_in_review
from ralphgit.app.evidence import completion_proof
from ralphgit.app.forge import change_base
from ralphgit.app.gate import verified_completion, words_of_others
from ralphgit.app.integration import branch_pull_requests, integrate
from ralphgit.app.landing import land_records, land_way, merge, pull_request, unlanded
from ralphgit.app.lifecycle import block_release, idle_errors, task_branch
from ralphgit.app.workspace import runtime_files, tracked_pull_requests
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, NeedsPerson, RalphError, Refused
from ralphgit.git import push_refusal
from ralphgit.git.push_refusal import Why
from ralphgit.git.remote import PushRefused
from ralphgit.loop.attempt import Done, Failed, Outcome, Unchanged, finish
from ralphgit.loop.event_log import Journal
from ralphgit.loop.heartbeat_writer import HeartbeatWriter
from ralphgit.loop.loop_options import LoopOptions, Say
from ralphgit.loop.loop_pull_requests import Pulls
from ralphgit.model.active_claim import Lease
from ralphgit.model.task_status import Reason, Status
from ralphgit.rules import evidence_verdict

#: So long after a landing nothing is fetched: the push has just shown where the base is.
_FRESH_S = 1.0
_NOW = {"merge": "has landed", "pr": "is in review"}
_ENDS = {"merge": "landed", "pr": "in review", "none": "done"}
#: A hook that changes what is committed may do so once.
_MOST_COMPLETIONS = 2
#: What a worker is told beside why its work may not land as it is.
_OWN_RECORDS = "This task may not change the records of other tasks, and no record is ever edited."
_TOGETHER = "This worktree is at the new base: bring the work over, so that both work together."
_DECLINED = "What was declined may be in none of the commits that are pushed."
#: The events of completed work that is left to a person.
_LEFT = {"review_missing": "unreviewed", "concerns_wait": "concerns"}


class Unlanded(NamedTuple):
    """What one worker has completed, and neither the base nor a pull request has."""

    tasks: tuple[str, ...] = ()
    for_person: tuple[str, ...] = ()
    """Those of them that land only if a person acts."""


class Landing:
    """Brings what has ended in one worktree to where others see it."""

    def __init__(
        self,
        options: LoopOptions,
        pulls: Pulls,
        journal: Journal,
        beat: HeartbeatWriter,
        say: Say,
        unchanged: Unchanged,
        watched: Callable[[Project], AbstractContextManager[None]],
    ) -> None:
        """`unchanged` and `watched` are as of `reviewing.Reviewing`."""
        self._options, self._pulls = options, pulls
        self._journal, self._beat, self._say = journal, beat, say
        self._unchanged, self._watched = unchanged, watched
        self.fresh_until = 0.0
        """Until then, by the monotonic clock, what is known of the base is fresh."""
        self.declined = False
        """Whether the remote lets nothing of some work in, whatever is done here."""
        self._by_pull = False
        """Whether the base has turned out to be protected, and nobody has said how work lands."""
        self._waiting = set[str]()
        """The tasks whose work this loop has left to a person."""
        self.verified = ""
        """The commit that this loop has verified last, after its agent had ended."""

    def how(self, project: Project) -> str:
        """Return how to land: merge, pr or none."""
        return "pr" if self._by_pull else land_way.of(project, self._options.land)

    def earlier(self, project: Project) -> None:
        """Land what earlier loops of this worker have completed and left on their branches.

        What does not land is said, and stays as it is.
        """
        how = self.how(project)
        if how == "none":
            return
        worktree = project.repository.worktree
        here = worktree.branch.removeprefix("refs/heads/") if worktree else ""
        known = {pull.task for pull in tracked_pull_requests.read(project.top)}
        for branch, tasks in unlanded.branches(ClaimMap(project), by=project.worker).items():
            if branch == here or known.issuperset(tasks):
                continue  # found, and landed, as what this worktree has begun
            self.bring(project, branch, tasks, how, whose=" of an earlier loop")

    def bring(
        self, project: Project, branch: str, tasks: Sequence[str], how: str, *, whose: str = ""
    ) -> None:
        """Land a branch of completed work, or open its pull request, and say what came of it.

        Only what a command of this user has completed: anybody can make a branch that says so.
        """
        try:
            said = unlanded.for_a_person(project, branch, tasks)
            said = said or self._earlier(project, branch, how)
        except RalphError as error:
            said = error.message
        project.refresh()
        event = "left" if said else ("landed" if how == "merge" else "opened")
        self._journal.write(event, task=tasks[0], branch=branch, message=said)
        still = f"is still on {branch}: {said}" if said else _NOW[how]
        self._say(f"{', '.join(tasks)}{whose} {still}")

    def _earlier(self, project: Project, branch: str, how: str) -> str:
        """Land one such branch, or open its pull request; returns what keeps it, "" for nothing."""
        if how == "merge":
            done = integrate.integrate(project, integrate.IntegrateOptions((branch,)))
            if done.pull is not None:
                return f"it is in review: {done.pull.url or done.pull.branch}"
            stops = done.stops
        else:
            stops = branch_pull_requests.open_all(project, [branch]).stops
        return "; ".join(stop.message for stop in stops)

    def unlanded(self, project: Project) -> Unlanded:
        """Find what this worker has completed, and neither the base nor a pull request has."""
        known = {pull.task for pull in tracked_pull_requests.read(project.top)}
        for change in records_in_review.waiting(project):
            known.update(change.tasks)
        claim_map = ClaimMap(project)
        found = unlanded.branches(claim_map, by=project.worker).values()
        left = tuple(task for tasks in found for task in tasks if task not in known)
        held = idle_errors.in_review(claim_map)[0] if left else {}
        waiting = {*held, *self._waiting}
        return Unlanded(left, tuple(task for task in left if task in waiting))

    def task(self, project: Project, lease: Lease) -> Outcome:
        """Land a task that is complete here; returns Done once it has landed.

        A completion that this loop did not make of just these files is verified first, whoever
        has made it. What cannot land as it is goes into a rescue ref, and the worktree begins
        again with the claim.

        Raises: as `merge.by_merge` and `pull_request.by_pull`.
        """
        if not self._is_verified(project, lease):
            fetch.synchronise(project)  # a push that was killed may have landed it nevertheless
            if own_claims.end_of(project.base_view, lease) is None:
                outcome = self._verify(project, lease)
                if not isinstance(outcome, Done):
                    return outcome
        for _ in range(_MOST_COMPLETIONS):
            try:
                return self._land(project, lease)
            except PushRefused as error:
                if error.why in push_refusal.OF_THE_WORK:
                    return self._begin_again(project, lease, error, _DECLINED)
                if self._goes_by_pull(project, error):
                    continue
                self.declined = True
                return self._leave_to_person(lease, error)
            except (GuardRefused, NeedsPerson, Refused) as error:
                why = error
            match why.code:
                case "unverified":
                    self._journal.write("unverified", task=lease.task, message=why.message)
                    self._say(f"{lease.task} is complete, but was not verified; verifying it now")
                    outcome = self._verify(project, lease)
                    if not isinstance(outcome, Done):
                        return outcome
                case "coupling" | "not_done":
                    return self._begin_again(project, lease, why, _TOGETHER)
                case "not_landable":
                    return self._begin_again(project, lease, why, _OWN_RECORDS)
                case "review_missing" | "concerns_wait":
                    return self._leave_to_person(lease, why)
                case _:
                    raise why
        said = "\n".join([why.message, *why.lines])
        return Failed("the commit differs from what was verified; perhaps a hook changes it", said)

    def _goes_by_pull(self, project: Project, error: PushRefused) -> bool:
        """Open pull requests from now on, where the base is protected and the way is left open."""
        is_open = not self._by_pull and land_way.is_open(project, self._options.land)
        if error.why is not Why.PROTECTED or not is_open or not self._pulls.begin(project):
            return False
        self._by_pull = True
        self._say(f"{change_base.declined(error)}; work lands by pull request from now on")
        return True

    def _is_verified(self, project: Project, lease: Lease) -> bool:
        if own_claims.end_of(project.base_view, lease) is not None:
            return True  # it has landed before
        if own_claims.end_of(project.view("HEAD", "HEAD"), lease) is not Status.COMPLETE:
            return False
        return project.repository.head() == self.verified

    def _verify(self, project: Project, lease: Lease) -> Outcome:
        with self._watched(project):
            outcome = finish(project, lease, self._unchanged, self.stands_on(lease))
        if isinstance(outcome, Done):
            self.verified = outcome.commit
            project.refresh()
        return outcome

    def _land(self, project: Project, lease: Lease) -> Outcome:
        how = self.how(project)
        self._beat.phase("land", task=lease.task, claim=lease.claim)
        commit = project.repository.head()
        if how == "none":
            since = self.stands_on(lease)
            verified_completion.require(project, lease, commit, since=since)
        else:
            landed = (merge.by_merge if how == "merge" else self._pulls.open)(project, lease)
            if isinstance(landed, merge.Conflict):
                return self._redo(project, lease, landed)
            commit = landed.commit
            self._journal.write("landed" if how == "merge" else "opened",
                                task=lease.task, commit=commit)  # fmt: skip
            self.fresh_until = time.monotonic() + (_FRESH_S if how == "merge" else 0)
        with WorktreeLock(project):
            if kept := task_branch.sweep(project, lease):
                self._say(f"what was changed after {lease.task} was complete is kept in {kept}")
        self._journal.write("done", task=lease.task, landing=how)
        self._say(f"{lease.task} is {_ENDS[how]}{_doubts(project, lease, commit)}")
        self._beat.phase("done", task="")
        return Done()

    def stands_on(self, lease: Lease) -> str:
        """The commit that a loop's work stands on, where that has not landed itself."""
        return lease.start if self._options.stack else ""

    def _leave_to_person(self, lease: Lease, why: RalphError) -> Outcome:
        """Leave completed work on its branch, where it waits for a review, or for a person."""
        runtime_files.forget(self._journal.top)
        event = _LEFT.get(why.code, "declined")
        if why.code in _LEFT:
            self._waiting.add(lease.task)
        self._journal.write(event, task=lease.task, message=why.message)
        self._say("; ".join(filter(None, (why.message, *why.lines, why.hint))))
        return Done()

    def _redo(self, project: Project, lease: Lease, conflict: merge.Conflict) -> Outcome:
        """Keep work that conflicts with the base in a rescue ref, and begin again on the base."""
        paths = ", ".join(conflict.paths[:5])
        with WorktreeLock(project):
            kept = task_branch.put_aside(project, lease)
        feedback = (
            f"The work was complete, and then it conflicted with what others landed: {paths}."
        )
        if kept:
            feedback += f" It is kept in {kept} (git show, git cherry-pick -m 1 --no-commit)."
        feedback += " This worktree is at the new base: bring the work over."
        told = f"The work was complete and conflicts with {project.base.label} in {paths}."
        return Failed(
            f"conflicts with the base in {paths}", feedback, Reason.CONFLICT, _with(told, kept)
        )

    def _begin_again(self, project: Project, lease: Lease, why: RalphError, more: str) -> Outcome:
        """Keep work that may not land as it is in a rescue ref, and begin again without it."""
        with WorktreeLock(project):
            kept = task_branch.put_aside(project, lease)
        told = "\n".join([why.message, *why.lines])
        return Failed(
            why.message, _with(f"{told}\n{more}", kept), Reason.VERIFY_FAILED, _with(told, kept)
        )

    # -- blocks ----------------------------------------------------------------------

    def block(self, project: Project, lease: Lease) -> None:
        """Land the record of a blocked task, and nothing else."""
        block_release.settle(project)
        if self._alone(project, lease):
            project.refresh()
        try:
            stays = self._share_block(project, lease)
        except PushRefused as error:
            if error.why is Why.HOOK:
                raise  # nothing of the work is in it, so another try may pass
            stays = self._block_by_pull(project, lease, error)
        if stays:
            self._say(f"the block of {lease.task} stays here: {stays}")
            runtime_files.forget(project.top)
        self._beat.phase("blocked", task="")

    def _block_by_pull(self, project: Project, lease: Lease, error: PushRefused) -> str:
        """Open a pull request for a block that cannot be pushed; why it stays here, "" if not."""
        shared = land_records.share_ended(project, "pr")
        if not shared.told:
            self.declined = True
            return change_base.declined(error)
        for line in project.warnings:
            self._say(line)
        project.warnings.clear()
        where = shared.url or shared.kept
        self._say(f"the block of {lease.task} is in review: {where}")
        self._journal.write("opened", task=lease.task, url=where)
        return ""

    def _share_block(self, project: Project, lease: Lease) -> str:
        """Bring a block to where others see it; why it does not get there, "" if it does.

        Raises: as `merge.by_merge` and `pull_request.share`.
        """
        match self.how(project):
            case "merge":
                if isinstance(merge.by_merge(project, lease), merge.Conflict):
                    return "it conflicts with the base"
            case "pr":
                pull_request.share(project, lease)
        return ""

    def _alone(self, project: Project, lease: Lease) -> bool:
        """Keep in a rescue ref what a worker that blocked its task itself had done, and make the
        block again without it; returns whether there was anything to keep.
        """
        with WorktreeLock(project):
            head = project.repository.head()
            task = project.view(head, "HEAD").task(lease.task)
            more = (
                task_branch.has_work(project, lease)
                or verified_completion.out_of_task_changes(
                    project, lease, head, since=self.stands_on(lease)
                )
                or any(words_of_others.of_work(project, [task], head))
            )
            if not more:
                return bool(task_branch.sweep(project, lease))
            row = project.view("HEAD", "HEAD").by_id[lease.task]
            told = json.loads(row.json).get("blocked") or {}
            kept = task_branch.put_aside(project, lease)
            reason, options = str(told.get("reason")), told.get("options") or ()
            block_release.block(
                project, lease.task,
                reason=Reason(reason) if reason in {*Reason} else Reason.OTHER,
                question=_with(str(told.get("question") or ""), kept),
                options=(options,) if isinstance(options, str) else tuple(options),
                shared=told.get("shared") is True,
            )  # fmt: skip
        return True

    def leave_unblocked(self, project: Project, lease: Lease, why: RalphError, kept: str) -> None:
        """Free a task whose block a hook does not let in, and leave it to a person."""
        self.give_back(project, lease)
        leases.drop(project, lease)
        runtime_files.forget(project.top)
        said = "; ".join((why.message, *why.lines))
        runtime_files.note_declined(project.top, lease.task, said)
        self._journal.write("declined", task=lease.task, message=said, rescue=kept)
        more = f"; the work so far is kept in {kept}" if kept else ""
        self._say(
            f"{lease.task} could not be blocked: {said}{more}; the task is free again, and left to "
            "a person: commit.subject is the template of such commits"
        )
        self.declined = True

    # -- what was given back -----------------------------------------------------------

    def give_back(self, project: Project, lease: Lease) -> str:
        """Keep the work on a task that was released here in a rescue ref; returns it, "" for none.

        Where the base has the claim, the branch with the release stays, for others to land.
        """
        block_release.settle(project)
        with WorktreeLock(project):
            row = project.base_view.known(lease.task)
            if row is not None and row.claim == lease.claim:
                return task_branch.sweep(project, lease)
            kept = task_branch.put_away(project, lease)
            return task_branch.keep_if_work(project, kept, lease.task)


def _with(text: str, kept: str) -> str:
    """Return `text`, followed by where the work is kept."""
    return f"{text}\n\nThe work so far is kept in {kept}." if kept else text


def _doubts(project: Project, lease: Lease, commit: str) -> str:
    """What a person should know of work that is done: that nothing verified it, and concerns."""
    proof = completion_proof.of_commit(project, lease.task, commit)
    result = proof.task.lifecycle.result
    told = f"; not sure: {'; '.join(result.concerns)}" if result and result.concerns else ""
    if not proof.is_verified:
        return f", unverified{told}"
    left = evidence_verdict.open_criteria(proof.criteria)
    more = f", with {', '.join(left)} open" if left else ""
    return f"{more}{told}"
