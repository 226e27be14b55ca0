"""Open the loop's pull requests, check them between tasks, and clean up once they have landed."""

from __future__ import annotations

import time

from ralphgit.app.active_claims import stuck_pull_requests
from ralphgit.app.base import fetch
from ralphgit.app.forge import choice, open_pull_request
from ralphgit.app.landing import (
    land_way,
    pull_request,
    rework,
    watch_pull_requests,
)
from ralphgit.app.landing.merge import Conflict
from ralphgit.app.landing.watch_pull_requests import Looked
from ralphgit.app.lifecycle import claim_errors
from ralphgit.app.workspace import record_tree, tracked_pull_requests
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RalphError, UsageError
from ralphgit.loop import attempt_memory
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
        self._seen: dict[str, Looked] = {}
        self._unheard = set[str]()
        """What has kept this loop from looking at pull requests, as it was said."""
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
            if opened.url and opened.url not in opened.said:
                self._say(f"{lease.task}: {opened.url}")
        return opened

    def has(self, project: Project, lease: Lease) -> bool:
        """Whether a completed task has its pull request already, and so needs no landing."""
        return self._wanted and any(
            pull.claim == lease.claim and pull.is_at_forge
            for pull in tracked_pull_requests.read(project.top)
        )

    def poll(self, project: Project, *, now: bool = False) -> None:
        """Check the open pull requests if it is time; a failure is said, and the loop goes on."""
        known = [pull for pull in tracked_pull_requests.read(project.top) if pull.is_at_forge]
        if not known or (time.monotonic() < self._next and not now):
            return
        try:
            fetch.synchronise(project)
        except RalphError as error:
            self._unpolled(error)
            return
        self._retarget(project)
        for pull in known:
            try:
                self._look(project, pull)
            except RalphError as error:
                self._unpolled(error, pull.task)
        self._next = time.monotonic() + project.config.land_poll

    def _unpolled(self, error: RalphError, task: str = "") -> None:
        """Note that nobody could be asked about pull requests, and say why, once."""
        self._journal.write("unpolled", task=task, message=error.message)
        said = error.message
        if task:
            said = f"{task}: {said}; its pull request is taken to be as it was"
        if said not in self._unheard:
            self._unheard.add(said)
            self._say(said)

    def left(self, project: Project) -> str:
        """Check once more, and return how many are still in review, as the end of a sentence."""
        self.poll(project, now=True)
        pulls = tracked_pull_requests.read(project.top)
        waiting = [pull for pull in pulls if stuck_pull_requests.needs_person(project, pull)]
        opened = [pull for pull in pulls if pull.is_at_forge]
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
        return any(stuck_pull_requests.needs_person(project, pull) for pull in pulls)

    def _retarget(self, project: Project) -> None:
        """Give pull requests the base for theirs once what they stood on has landed."""
        if (there := choice.of(project)) is None:
            return
        try:
            moved = watch_pull_requests.retarget(project, project.top, there)
        except RalphError as error:
            self._unpolled(error)
            return
        for pull in moved:
            self._journal.write("retargeted", task=pull.task, url=pull.place)
            self._say(f"{pull.task}: its pull request goes to {project.base.branch} now")

    # -- fixing --------------------------------------------------------------------------

    def to_fix(self, project: Project, task: str = "") -> Lease | None:
        """Put the next pull request that waits for a change into this worktree, to be worked on.

        With the base merged in. What conflicts in records alone needs no agent; else the agent gets
        it as often as `land.fixes` says. What cannot go on is said, and left to a person.
        """
        seen, self._seen = self._seen, {}
        for pull in tracked_pull_requests.read(project.top):
            looked = seen.get(pull.claim)
            if looked is None or task not in ("", pull.task) or pull.asks:
                continue
            if pull.state not in (PullState.CONFLICT, PullState.FAILED, PullState.CHANGES):
                continue
            try:
                if lease := self._fix(project, looked._replace(pull=pull)):
                    return lease
            except RalphError as error:
                self._journal.write("unfixed", task=pull.task, message=error.message)
                self._say(error.message)
                tracked_pull_requests.note(project.top, pull._replace(asks=error.message))
        return None

    def _fix(self, project: Project, looked: Looked) -> Lease | None:
        pull, most = looked.pull, project.config.land_fixes
        records = all(record_tree.is_record(project, path) for path in looked.paths)
        alone = pull.state == PullState.CONFLICT and bool(looked.paths) and records
        if pull.fixes >= max(most, 1 if alone else 0):
            return None
        joined = rework.join(project, pull)
        told = watch_pull_requests.words(project, looked, choice.of(project))
        new = [said.at for said in looked.seen.changes] if pull.state == PullState.CHANGES else []
        before = attempt_memory.Attempts(
            pull.claim, review=told, conflicts="\n".join(joined.marked)
        )  # fmt: skip
        attempt_memory.note_attempts(project.top, before)
        now = pull._replace(fixes=pull.fixes + 1, hears=max(new, default=""))
        lease = rework.begin(project, now, joined, reopen=not alone)
        self._journal.write("fixing", task=pull.task, url=pull.place, why=pull.words)
        self._say(f"{pull.task}: working on its pull request again ({pull.words})")
        return lease

    def give_up_fix(self, project: Project, lease: Lease, asks: str) -> bool:
        """Leave a pull request that was worked on again as it was pushed, and tell why the agent
        could not mend it; False for other work.
        """
        pulls = tracked_pull_requests.read(project.top)
        found = (one for one in pulls if one.claim == lease.claim)
        pull = next((one for one in found if one.state == PullState.FIXING), None)
        if pull is None:
            return False
        kept = rework.give_up(project, pull, lease, asks)
        more = f"; what it did is kept in {kept}" if kept else ""
        self._journal.write("unfixed", task=pull.task, message=asks, rescue=kept)
        first = asks.split("\n")[0]
        self._say(f"{pull.task}: its pull request was not mended: {first}{more} ({pull.place})")
        self._next = 0.0
        return True

    # -- looking -------------------------------------------------------------------------

    def _look(self, project: Project, pull: Pull) -> None:
        if not pull_request.is_of_its_claim(project, pull):
            tracked_pull_requests.drop(project.top, pull.claim)
            said = (
                f"{tracked_pull_requests.PATH} had a pull request for {pull.task} from "
                f"{pull.branch}, which was not pushed for a claim of this worker; the note is gone"
            )
            self._journal.write("unpolled", task=pull.task, message=said)
            self._say(said)
            return
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
        self._seen[now.claim] = looked
        if now.words != (now.told or PullState.OPEN):
            self._tell(project, looked)
            tracked_pull_requests.note(project.top, now._replace(told=now.words))

    def _tell(self, project: Project, looked: Looked) -> None:
        """Say how a pull request is now, where that is news."""
        pull, event = looked.pull, looked.pull.event
        if pull.state == PullState.OPEN and pull.told == PullState.CLOSED:
            said = f"{pull.task}: its pull request was opened again ({pull.place})"
        elif pull.state == PullState.OPEN:
            said = f"{pull.task}: its pull request waits for checks and review ({pull.place})"
        elif pull.state == PullState.CLOSED:
            said = (
                f"{pull.task}: its pull request was closed ({pull.place}); it needs a person: "
                f"open it again, or: {stuck_pull_requests.give_up_command(project, pull.task)}"
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
        remote = project.push_remote(pull.branch)
        there = f"; {pull.branch} is still on {remote}" if done.is_on_remote else ""
        self._say(f"the claim on {pull.task} is lost: {why}{kept}{there}")
