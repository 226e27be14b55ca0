"""Find complete work that waits for a review, and the running loop that moves it on, if any."""

import shlex
from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.stale_holders import is_silent
from ralphgit.app.evidence import attempt_events, reviews
from ralphgit.app.evidence.reviews import Standing
from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.heartbeat import REVIEW, Heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.pull_request import PullState
from ralphgit.model.review import Review
from ralphgit.model.task import Task
from ralphgit.rules import review_verdict


class Awaited(NamedTuple):
    """What complete work waits for before it may land."""

    why: str
    """Why it asks for a review, and why it counts as not reviewed."""
    command: str
    """The command of a person who reviews it."""
    by: str
    """Who is at it or will be: a loop that runs, or people at an open pull request; "" where only
    a person's doing moves it on."""
    since: str


def awaited(claim_map: ClaimMap, task: str, holder: ActiveClaim) -> Awaited | None:
    """Return what work in review waits for; None where it asks for no review or has a clear one.

    Reads only.
    """
    project = claim_map.project
    ref = project.repository.refs.get(holder.ref)
    if ref is None:
        return None
    done, promised = project.view(ref.oid, holder.where).task(task), claim_map.base.task(task)
    asked = review_verdict.asked(done, promised)
    why = reviews.missing(project, ref.oid, done, promised, of_branch=False) if asked else ""
    if not why:
        return None
    found = reviews.on_base(project, ref.oid, done, promised)
    return Awaited(
        why=f"{asked}, and {why}",
        command=(
            reviews.landing(project)
            if reviews.waits_to_land(project, ref.oid, done, promised)
            else _command(task, holder, found)
        ),
        by=_by(claim_map, ref.oid, done, holder, promised.review or done.review, found),
        since=done.lifecycle.result.at if done.lifecycle.result else holder.at,
    )


def _command(task: str, holder: ActiveClaim, found: Standing) -> str:
    """The command that says the work is clear, and what becomes of what somebody found."""
    command = reviews.command(task, holder.ref.removeprefix("refs/heads/"))
    if (review := found.against) is None:
        return command
    if not review.findings:
        return command.replace(" --by NAME", f" --by {shlex.quote(review.by)}")
    left = [one for one in review_verdict.open_findings(found.all) if one.review.id == review.id]
    return command + "".join(f" --dispose {review.id}/{one.finding.id}=accepted" for one in left)


def _by(
    claim_map: ClaimMap, head: str, done: Task, holder: ActiveClaim, named: str, found: Standing
) -> str:
    if holder.pull is not None and holder.pull.state not in (PullState.PUSHED, PullState.CLOSED):
        return "people at its pull request"
    project = claim_map.project
    if review := found.against:
        if kept_from_changing(project, head, done, review, found):
            return ""
        own = (beat.worker for beat in _loops(claim_map) if not beat.role)
        return next((name for name in own if name.casefold() == holder.by.casefold()), "")
    if found.counting or (named and named not in {one.name for one in project.config.agents}):
        return ""
    others = (beat.worker for beat in _loops(claim_map) if beat.role == REVIEW)
    return next((name for name in others if name.casefold() != holder.by.casefold()), "")


def kept_from_changing(
    project: Project, head: str, task: Task, review: Review, found: Standing
) -> str:
    """Say why the worker's loop does not get work at `head` back for `review`; "" where it does."""
    assert task.claim is not None
    claim, most = task.claim.id, project.config.review_rounds
    events = attempt_events.at(project, head, task.id, claim)
    if any(review.id in event.note for event in events):
        return "it was not changed"
    wanted = [one for one in found.all if (one.claim, one.verdict) == (claim, review.verdict)]
    return f"review.rounds is {most}" if len(wanted) > most else ""


def _loops(claim_map: ClaimMap) -> Iterator[Heartbeat]:
    """List the loops that give a sign of life, of this machine and of others."""
    project = claim_map.project
    now = project.around.now()
    for worktree in project.repository.worktrees:
        beat = heartbeat.read(worktree.path) if worktree.exists else None
        if beat is not None and heartbeat.alive(beat, now):
            yield beat
    for seen in claim_map.beats.values():
        if not is_silent(seen, now):
            yield seen.beat
