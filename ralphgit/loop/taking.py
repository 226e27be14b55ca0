"""Take the next task of a loop: in which order, on which branch, and what is checked before."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from ralphgit.app.active_claims import next_tasks, providers
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.other_bases import elsewhere
from ralphgit.app.base import fetch
from ralphgit.app.lifecycle import claim, claim_facts, onto_base, task_branch
from ralphgit.app.processes import trust
from ralphgit.app.workspace import locks
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.errors import (
    AwaitsPerson,
    ClaimHeld,
    GuardRefused,
    IllegalMove,
    NothingReady,
    RalphError,
)
from ralphgit.loop import check_base
from ralphgit.loop.event_log import Journal
from ralphgit.loop.heartbeat_writer import HeartbeatWriter
from ralphgit.loop.landing import Landing
from ralphgit.loop.loop_options import LoopOptions, Say
from ralphgit.loop.task_agents import TaskAgents
from ralphgit.model.active_claim import Lease
from ralphgit.model.task_row import Row
from ralphgit.rules import readiness
from ralphgit.rules.claim_options import ClaimOptions, lacking

#: What others' work does to a task between our look and our claim.
_TAKEN = ("unsettled", "scope_overlap", "dependencies_incomplete", "mode", "held_back",
          "illegal_move")  # fmt: skip


#: How long a loop waits while another one of this repository takes a task: who looks meanwhile
#: sees what is about to be taken. After that it looks all the same.
_TURN_S = 10.0


class Taking:
    """Claims the tasks of one loop."""

    def __init__(
        self, around: Surroundings, options: LoopOptions, landing: Landing, agents: TaskAgents,
        journal: Journal, beat: HeartbeatWriter, say: Say,
    ) -> None:  # fmt: skip
        self._around, self._options, self._landing = around, options, landing
        self._agents, self._journal, self._beat, self._say = agents, journal, beat, say
        self.released: dict[str, str] = {}
        """Tasks that this loop does not take again: `released` in this worktree, or `declined`."""
        self._checked: set[str] = set()
        """The verify commands that can run on the base."""

    def take(self, project: Project) -> Lease | None:
        """Claim the next task, on a branch of its own from the fresh base."""
        self._beat.phase("claim", task="")
        fresh = time.monotonic() < self._landing.fresh_until and not elsewhere(project)
        self._landing.fresh_until = 0.0
        heard = not fresh and fetch.synchronise(project)
        onto_base.refuse_dirty(project)
        with locks.RepositoryLock(project, "taking", patience_s=_TURN_S):
            lease = self._first(project)
        if lease is not None:
            return lease
        # Of a remote that was not heard nobody gives a sign: that is no silence of theirs.
        if fresh or (heard and self._took_back(project)):
            project.refresh()
            return self.take(project)
        return None

    def _first(self, project: Project) -> Lease | None:
        """Claim the first task that is free; beside others, who look at the same list, one at this
        worktree's own place in it.
        """
        place, tried = task_branch.place_of(project), set[str]()
        if not providers.others_work(ClaimMap(project)):
            first = next(self._free(project), None)
            if first is None:
                return None
            if (lease := self._claim(project, first)) is not None:
                return lease
            tried.add(first.id)
            project.refresh()  # and go on with what others have left of the list
        rows = readiness.spread([row for row in self._free(project) if row.id not in tried], place)
        while rows:
            lease = self._claim(project, rows.pop(0))
            if lease is not None:
                return lease
            project.refresh()
            free = {row.id for row in self._free(project)}
            rows = [row for row in rows if row.id in free]
        return None

    def nothing(self, project: Project, why: RalphError) -> RalphError:
        """Return why there is nothing to claim; tasks that this loop leaves free are not done."""
        states = ClaimMap(project).task_states
        released = self.released.items()
        left = {one: how for one, how in released if one in states and states[one].state == "ready"}
        if why.code != "all_done" or not left:
            return why
        if declined := [task for task, how in left.items() if how == "declined"]:
            tasks = ", ".join(declined)
            return AwaitsPerson(
                f"nothing can be claimed here: no hook let in a commit of {tasks}, and "
                f"{'it is' if len(declined) == 1 else 'they are'} left to a person",
                hint="ralphgit run",
            )  # fmt: skip
        return NothingReady(
            f"nothing can be claimed here: this loop leaves {', '.join(left)}, which was released",
            code="waiting", hint="ralphgit next",
        )  # fmt: skip

    def _took_back(self, project: Project) -> bool:
        """Whether tasks are free now that loops on other machines held, and left alone for long."""
        if not elsewhere(project):
            return False
        from ralphgit.app.lifecycle import expired_leases  # which few loops ever need

        free = []
        for lease, silent in [*expired_leases.every(project, ClaimMap(project))]:
            try:
                done = expired_leases.take_back(project, lease, silent)
            except (IllegalMove, GuardRefused) as error:  # somebody was quicker
                self._journal.write("passed", task=lease.task, code=error.code)
                continue
            self._journal.write("taken-back", task=lease.task, claim=lease.claim, by=lease.by)
            self._say(
                f"{lease.task} is taken back from {lease.by} on {lease.host}, silent for long"
            )
            if done.pull is None:
                free.append(lease.task)
        return bool(free)

    def _free(self, project: Project) -> Iterator[Row]:
        """What this loop may try to claim, in order."""
        for row in self._ready(project):
            if row.id not in self.released and self._agents.takes(row):
                yield row

    def _ready(self, project: Project) -> Iterator[Row]:
        asked = self.asked(project)
        if asked.stack:
            rows = claim_facts.rows(project, ClaimMap(project), asked)
            return (row for row in rows if not lacking(row, project.config.provides))
        found = next_tasks.takeable(
            project, story=asked.story, priority=asked.priority, task=asked.task
        )
        return (row for row, _ in found.tasks)

    def asked(self, project: Project) -> ClaimOptions:
        task, story, priority = self._options.task, self._options.story, self._options.priority
        story, stack = story or project.config.story, self._options.stack
        return ClaimOptions(task, story, priority, fetch=False, stack=stack)

    def _claim(self, project: Project, row: Row) -> Lease | None:
        verify = project.base_view.task(row.id).verify
        trust.require(project, verify)
        if project.config.worktree_check:
            self._check_base(project, row.id, verify)
        left = ""
        if self._options.branch == "task":
            left = onto_base.begin(project, f"{row.id}-{self._around.new_id()[:6]}")
        elif not self._options.stack and not onto_base.bring_onto_base(project).on_base:
            onto_base.merge_base(project)
        project.refresh()
        try:
            options = ClaimOptions(task=row.id, fetch=False, stack=self._options.stack)
            made = claim.claim(project, options)
        except (ClaimHeld, NothingReady, GuardRefused) as error:
            if isinstance(error, GuardRefused) and error.code not in _TAKEN:
                raise
            self._journal.write("passed", task=row.id, code=error.code)
            return None
        finally:
            task_branch.discard(project, left)
        self._journal.write("claimed", task=row.id, claim=made.lease.claim)
        self._say(f"claimed {row.id}: {row.title}")
        return made.lease

    def _check_base(self, project: Project, task: str, verify: Sequence[str]) -> None:
        """Run the commands that were not run yet on the untouched base. Raises: NeedsPerson."""
        new = [command for command in verify if command not in self._checked]
        if new:
            self._beat.phase("check", task=task)
            self._say(
                f"checking the verify commands of {task} on the untouched {project.base.label}"
            )
            check_base.require(project, task, new)
            self._checked.update(new)
