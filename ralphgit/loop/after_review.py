"""Go on with completed work once a reviewer has judged it: land it, or change it (SPEC 7)."""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.evidence import awaited_reviews, reviews
from ralphgit.app.evidence.reviews import Standing
from ralphgit.app.handoff import review_report
from ralphgit.app.landing import rework, unlanded
from ralphgit.app.workspace import tracked_pull_requests
from ralphgit.app.workspace.project import Project
from ralphgit.loop import attempt_memory
from ralphgit.loop.event_log import Journal
from ralphgit.loop.landing import Landing
from ralphgit.loop.loop_options import Say
from ralphgit.model.active_claim import Lease
from ralphgit.model.pull_request import Pull
from ralphgit.model.review import Review
from ralphgit.model.task import Task
from ralphgit.rules import review_verdict


class Judged(NamedTuple):
    """Completed work of this worker that asks for a review."""

    branch: str
    head: str
    task: Task
    missing: str
    """Why it counts as not reviewed; "" where its review is clear."""
    found: Standing
    """The reviews of it."""


class AfterReview:
    """What becomes of one worker's work after its review."""

    def __init__(self, landing: Landing, journal: Journal, say: Say) -> None:
        self._landing, self._journal, self._say = landing, journal, say
        self._left: set[str] = set()
        """Reviews and branches of which has been said that they wait for a person."""

    def go_on(self, project: Project, only: str = "") -> Lease | None:
        """Land what reviewers find clear; put back into this worktree, to be worked on, the first
        task that one wants changed, and return its claim.

        Raises: GuardRefused, RemoteUnavailable, InvalidRecord, NotWritable.
        """
        how = self._landing.how(project)
        pulls = {pull.task: pull for pull in tracked_pull_requests.read(project.top)}
        branches = unlanded.branches(ClaimMap(project), by=project.worker)
        for branch, tasks in branches.items():
            one = self._judged(project, branch, tasks[0])
            if one is None or len(tasks) > 1 or only not in ("", one.task.id):
                continue
            if (against := one.found.against) is not None:
                if lease := self._change(project, one, against, pulls.get(one.task.id)):
                    return lease
            elif not one.missing and how == "merge" and one.head not in self._left:
                self._left.add(one.head)
                self._say(f"{one.task.id} is reviewed, and lands")
                self._landing.bring(project, branch, tasks, how)
        return None

    def _judged(self, project: Project, branch: str, id: str) -> Judged | None:
        head = project.repository.refs[f"refs/heads/{branch}"].oid
        task = project.view(head, branch).task(id)
        known = project.base_view.known(id)
        promised = project.base_view.task(id) if known is not None else None
        if not review_verdict.asked(task, promised) or task.claim is None:
            return None
        missing = reviews.missing(project, head, task, promised, of_branch=False)
        found = reviews.on_base(project, head, task, promised)
        return Judged(branch, head, task, missing, found)

    def _change(
        self, project: Project, one: Judged, review: Review, pull: Pull | None
    ) -> Lease | None:
        """Give work back to its worker, unless that was done for this review, or often enough."""
        assert one.task.claim is not None
        id, claim = one.task.id, one.task.claim
        why = awaited_reviews.kept_from_changing(project, one.head, one.task, review, one.found)
        if why:
            if review.id not in self._left:
                self._left.add(review.id)
                self._journal.write("unreviewed", task=id, message=why)
                self._say(f"{id}: {review.by} still wants it changed, and {why}: ralphgit inbox")
            return None
        told, said = review_report.told(review), f"review {review.id} by {review.by}"
        attempt_memory.note_attempts(project.top, attempt_memory.Attempts(claim.id, feedback=told))
        if pull is not None:
            joined = rework.join(project, pull)
            lease = rework.begin(project, pull, joined, reopen=True, said=said)
        else:
            work = Pull(id, claim.id, claim.by, one.task.epoch, one.branch, one.head, "")
            joined = rework.Joined(one.head, {})
            lease = rework.begin(project, work, joined, reopen=True, said=said, tracked=False)
        self._journal.write("fixing", task=id, why=said, url=pull.place if pull else "")
        self._say(f"{id}: working on it again ({said}: {review.verdict})")
        return lease
