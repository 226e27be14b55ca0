"""Open the loop's pull requests, check them between tasks, and clean up once they have landed."""

from __future__ import annotations

import time

from ralphgit.app.base import fetch
from ralphgit.app.forge import choice, open_pull_request, places
from ralphgit.app.handoff import questions
from ralphgit.app.landing import (
    land_way,
    pull_request,
    watch_pull_requests,
)
from ralphgit.app.landing.merge import Conflict
from ralphgit.app.lifecycle import claim_errors
from ralphgit.app.workspace import tracked_pull_requests
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RalphError, UsageError
from ralphgit.loop.event_log import Journal
from ralphgit.loop.loop_options import LoopOptions, Say
from ralphgit.model.active_claim import Lease
from ralphgit.model.pull_request import Pull, PullState
from ralphgit.rules.lost_claim import Winner


class Pulls:
    """The pull requests of one worktree; `.ralph/pulls.yaml` in it tracks them."""

    def __init__(
        self, project: Project, options: LoopOptions, journal: Journal, say: Say, lost: list[str]
    ) -> None:
        """Raises: GuardRefused, NeedsPerson, UsageError where the loop is to land by pull
        request and cannot."""
        self._wanted = land_way.of(project, options.land) == "pr"
        self._options, self._journal, self._say, self._lost = options, journal, say, lost
        self._next = 0.0
        if self._wanted:
            if options.branch == "keep":
                raise UsageError(
                    "--land pr needs a branch for each task, so not --branch keep",
                    hint="--land pr --branch task",
                )
            open_pull_request.refuse_unfit(project)

    def begin(self, project: Project) -> bool:
        """Land by pull request from now on; whether that can be done from here."""
        try:
            open_pull_request.refuse_unfit(project)
        except RalphError:
            return False
        self._wanted = self._options.branch != "keep"
        return self._wanted

    def open(self, project: Project, lease: Lease) -> open_pull_request.Opened | Conflict:
        """Push the completed task's branch and open its pull request, and say where it is.

        Raises: as `pull_request.by_pull`.
        """
        opened = pull_request.by_pull(project, lease)
        if isinstance(opened, open_pull_request.Opened):
            where = opened.url or pull_request.branch_of(project, lease)
            self._journal.write("pr-open", task=lease.task, url=where)
            for line in opened.said:
                self._say(f"{lease.task}: {line}")
            if opened.url:
                self._say(f"{lease.task}: {opened.url}")
        return opened

    def has(self, project: Project, lease: Lease) -> bool:
        """Whether a completed task has its pull request already, and so needs no landing."""
        return self._wanted and any(
            pull.claim == lease.claim and pull.state != PullState.PUSHED
            for pull in tracked_pull_requests.read(project.top)
        )

    def poll(self, project: Project, *, now: bool = False) -> None:
        """Check the open pull requests if it is time; a failure is logged, and the loop goes on."""
        known = [
            pull
            for pull in tracked_pull_requests.read(project.top)
            if pull.state != PullState.PUSHED
        ]
        if not known or (time.monotonic() < self._next and not now):
            return
        try:
            fetch.synchronise(project)
        except RalphError as error:
            self._journal.write("unpolled", message=error.message)
            return
        for pull in known:
            try:
                self._look(project, pull)
            except RalphError as error:
                self._journal.write("unpolled", task=pull.task, message=error.message)
        self._next = time.monotonic() + project.config.land_poll

    def left(self, project: Project) -> str:
        """Check once more, and return how many are still in review, as the end of a sentence."""
        self.poll(project, now=True)
        pulls = tracked_pull_requests.read(project.top)
        waiting = [pull for pull in pulls if questions.needs_person(project, pull)]
        opened = [pull for pull in pulls if pull.state != PullState.PUSHED]
        parts = []
        if number := len(opened) - len(waiting):
            noun = "pull request is" if number == 1 else "pull requests are"
            parts.append(f"; {number} {noun} still in review")
        if number := len(waiting):
            noun = "pull request waits" if number == 1 else "pull requests wait"
            told = ", ".join(f"{pull.task} {pull.words}" for pull in waiting)
            parts.append(f"; {number} {noun} for a person ({told})")
        return "".join(parts)

    def waits(self, project: Project) -> bool:
        """Whether one waits for a person."""
        pulls = tracked_pull_requests.read(project.top)
        return any(questions.needs_person(project, pull) for pull in pulls)

    def _look(self, project: Project, pull: Pull) -> None:
        if pull_request.has_landed(project, pull):
            pull_request.finish(project, pull)
            self._journal.write("landed", task=pull.task, commit=project.base.commit)
            self._journal.write("pr-merged", task=pull.task, url=pull.place)
            self._say(f"{pull.task} has landed on {project.base.label}")
            return
        if winner := pull_request.winner_over(project, pull):
            self._give_up(project, pull, winner)
            return
        looked = watch_pull_requests.look(project, project.top, pull, choice.of(project))
        now = looked.pull
        if now.words != (now.told or PullState.OPEN):
            self._tell(project, looked)
            tracked_pull_requests.note(project.top, now._replace(told=now.words))

    def _tell(self, project: Project, looked: watch_pull_requests.Looked) -> None:
        """Say how a pull request is now, where that is news."""
        pull, event = looked.pull, looked.pull.event
        if pull.state == PullState.OPEN and pull.told == PullState.CLOSED:
            said = f"{pull.task}: its pull request was opened again ({pull.place})"
        elif pull.state == PullState.OPEN:
            said = f"{pull.task}: nothing is left to do for its pull request ({pull.place})"
        elif pull.state == PullState.CLOSED:
            said = (
                f"{pull.task}: its pull request was closed ({pull.place}); it needs a person: "
                f"open it again, or: {questions.give_up_command(project, pull.task)}"
            )
        elif pull.state == PullState.CONFLICT:
            shown = pull.about or "what the forge does not say"
            said = f"{pull.task} conflicts with {project.base.label} in {shown} ({pull.place})"
        else:
            said = f"{pull.task}: its pull request: {pull.words} ({pull.place})"
        about = {"paths": list(looked.paths)} if looked.paths else {}
        self._journal.write(event, task=pull.task, url=pull.place, message=said, **about)
        self._say(said)

    def _give_up(self, project: Project, pull: Pull, winner: Winner) -> None:
        done = pull_request.withdraw(project, pull)
        self._lost.append(pull.task)
        why = claim_errors.lost_because(winner)
        self._journal.write("lost", task=pull.task, message=why, rescue=done.rescue)
        kept = f"; the work is kept in {done.rescue}" if done.rescue else ""
        remote = places.push_remote(project, pull.branch)
        there = f"; {pull.branch} is still on {remote}" if done.is_on_remote else ""
        self._say(f"the claim on {pull.task} is lost: {why}{kept}{there}")
