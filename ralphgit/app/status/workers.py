"""Say what each worker does: at which task, how far it is, and since when."""

import os
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ralphgit.app.active_claims import stuck_pull_requests
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.sightings import question
from ralphgit.app.handoff import questions
from ralphgit.app.workspace import heartbeat, record_tree, runtime_files, worktree_names
from ralphgit.app.workspace.graph_files import is_wild
from ralphgit.app.workspace.project import Project
from ralphgit.git import work_done, worktrees
from ralphgit.git.listings import Worktree
from ralphgit.git.work_done import Asked, Counted
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.printable import counted
from ralphgit.model.pull_request import PullState
from ralphgit.model.task_row import Row
from ralphgit.records.schemas import FILED
from ralphgit.rules.backoff_and_breaker import CLOSED
from ralphgit.rules.readiness import TaskState

if TYPE_CHECKING:
    from ralphgit.app.active_claims.remote_beats import Seen

#: What a worker is at, in the words of who gives out the work.
REGISTERED, PLANNING, WORKING, STUCK = "registered", "planning", "working", "stuck"
PR_READY, COMPLETE, CANCELLED = "pr-ready", "complete", "cancelled"
_LOST = "the claim can no longer land"
_MERGED = "merged without its completion"


class Busy(NamedTuple):
    """A claim that has not landed, or a worktree for workers that has none."""

    name: str
    """The worker; of a worktree without a task, what `worktree new` calls it."""
    path: str
    """The worktree's folder; "" where none of this machine has the work."""
    branch: str
    task: str
    """"" for none, like what follows."""
    claim: str
    since: str
    """When the task was claimed."""
    beat: float | None
    """When its loop last gave a sign of life, seconds since 1970; on another machine, when the
    sign was first seen here.
    """
    phase: str
    stale: bool
    title: str
    state: str
    """registered: it has no task. planning: it has changed no file yet; working: it has.
    stuck: it is blocked, gone, silent, or cannot land. pr-ready: complete, and not on the base.
    complete, cancelled: so the base has its last task.
    """
    for_s: float | None
    """Seconds since the task was claimed; None where the record has no such time."""
    files: int | None
    """How many it has changed since then, records left out; None where that is unknown."""
    insertions: int | None
    deletions: int | None
    seen: float | None
    """When its loop beat or a file of its work changed last, seconds since 1970."""
    reason: str
    """Why it is stuck, or how its pull request is; "" if there is nothing to say."""
    url: str
    """Of its pull request."""
    where: str
    """The worktree, branch or machine, for people."""
    waits: str = ""
    """What its loop waits for, such as the end of a limit; "" while it works."""
    until: float | None = None
    """Until when, in seconds since 1970."""
    silent_s: float = 0.0
    """How long its agent has printed nothing."""

    @property
    def changed(self) -> str:
        """What it has changed, as `3 (+42, -5)`; "" where that is unknown."""
        if self.files is None:
            return ""
        return f"{self.files} (+{self.insertions}, -{self.deletions})"


class _Work(NamedTuple):
    """A claim, as it is seen, and what is known about it without asking git."""

    active: ActiveClaim
    title: str
    state: str
    """"" where the files decide: planning or working."""
    stale: bool
    reason: str
    committed: bool
    current: bool
    """Whether its worktree is still at it, as far as the records show."""

    @property
    def path(self) -> str:
        return os.path.realpath(self.active.path) if self.active.path else ""


def workers(project: Project, claim_map: ClaimMap, merged: Collection[str] = ()) -> list[Busy]:
    """List the workers: every claim that has not landed, then the worktrees that have none.

    `merged`: the tasks whose claim was merged without its completion, and nobody works on.

    By the worktree's path, those without one last; of one worktree what it is at first. Reads only.
    """
    trees = {os.path.realpath(one.path): one for one in project.repository.worktrees}
    # Of what is in one worktree that comes first which it is at.
    found = sorted(
        _claims(claim_map, merged),
        key=lambda one: (not one.path, one.path, bool(one.path and not one.current)),
    )
    # The files of a worktree are those of its open claim, whatever it has done before.
    at_it: dict[str, _Work] = {}
    for one in found:
        if one.path in trees and trees[one.path].exists:
            at_it.setdefault(one.path, one)
    asked = {path: _begin(project, claim_map, path, one.active) for path, one in at_it.items()}
    folders = worktrees.folders(project.repository.common_dir) if at_it else {}
    rows = []
    for one in found:
        path, counted, seen = one.path, None, None
        if at_it.get(path) is one:
            counted = _finish(project, asked[path], path)
            seen = _last_change(path, folders.get(path, ""), counted)
        rows.append(_busy(claim_map, one, trees.get(path), counted, seen))
    taken = {row.path for row in rows}
    idle = [path for path in trees if path not in taken and _for_workers(project, trees[path])]
    rows += [_idle(project, claim_map, trees[path], path) for path in idle]
    named = {row.name for row in rows}
    rows += [_idle_elsewhere(one) for name, one in claim_map.beats.items() if name not in named]
    return sorted(rows, key=lambda row: (not row.path, row.path))  # it keeps what is equal in order


def _claims(claim_map: ClaimMap, merged: Collection[str]) -> Iterator[_Work]:
    """List every claim that has not landed, also those that no longer can."""
    for row, task_state in claim_map.task_states.noted:
        task, title = row.id, row.title
        if task_state.holder is not None and task_state.state not in (COMPLETE, CANCELLED):
            held = _held(task_state, row)
            yield held._replace(state=STUCK, reason=_MERGED) if task in merged else held
        for active in {one.claim: one for one in reversed(task_state.lost)}.values():
            if active.path:
                yield _Work(
                    active, title, STUCK, False, _LOST, False, active.status == "in-progress"
                )


def _held(task_state: TaskState, row: Row) -> _Work:
    holder, title = task_state.holder, row.title
    assert holder is not None
    committed = task_state.state == "in-progress"
    if task_state.state == "in-review":
        return _Work(holder, title, PR_READY, False, "", True, False)
    if task_state.state == "blocked":
        note = holder.note or (question(row) if row.status == "blocked" else "")
        reason = note.split("\n")[0].rstrip()
        return _Work(holder, title, STUCK, False, reason, True, False)
    if task_state.stale:
        return _Work(holder, title, STUCK, True, "gone or silent", committed, True)
    return _Work(holder, title, "", False, "", committed, True)


def _busy(
    claim_map: ClaimMap, work: _Work, tree: Worktree | None, counted: Counted | None,
    seen: float | None,
) -> Busy:  # fmt: skip
    holder, path, pull, project = work.active, work.path, work.active.pull, claim_map.project
    beat = heartbeat.read(path) if path else None
    if beat is not None and beat.claim != holder.claim:
        beat = None
    heard = beat.time if beat is not None else None
    if holder.kind == "lease" and not path and (sign := claim_map.beats.get(holder.by)):
        heard = sign.since
        beat = sign.beat if sign.beat.claim == holder.claim else None  # it is a minute old at most
    state, reason = work.state, work.reason
    if not state:
        began = bool(counted.paths) if counted is not None else work.committed
        state = WORKING if began else PLANNING
    if state == PR_READY and pull is not None:
        state = STUCK if stuck_pull_requests.needs_person(project, pull) else state
        reason = f"pull request {pull.words}" if pull.state != PullState.OPEN else ""
        if state == STUCK and pull.state == PullState.PUSHED:
            reason = "no pull request"
    waits = _waiting(project, path, beat)
    phase = beat.phase if beat is not None else ""
    if work.state == PR_READY and beat is not None and heartbeat.gone(beat):
        phase = ""  # who has ended is not stuck in it
    signs = [time for time in (seen, heard) if time is not None]
    return Busy(
        name=holder.by,
        path=path if tree is not None or holder.kind == "lease" else "",
        branch=tree.branch.removeprefix("refs/heads/") if tree is not None else "",
        task=holder.task,
        claim=holder.claim,
        since=holder.at,
        beat=heard,
        phase=phase,
        stale=work.stale,
        title=work.title,
        state=state,
        for_s=questions.waiting(project, holder.at),
        files=len(counted.paths) if counted is not None else None,
        insertions=counted.insertions if counted is not None else None,
        deletions=counted.deletions if counted is not None else None,
        seen=max(signs, default=None),
        reason=reason,
        url=pull.url if pull is not None else "",
        where=holder.where,
        waits=waits.why,
        until=waits.until,
        silent_s=beat.silent if beat is not None else 0.0,
    )


class _Waiting(NamedTuple):
    why: str = ""
    until: float | None = None


def _waiting(project: Project, path: str, beat: heartbeat.Heartbeat | None) -> _Waiting:
    """What a loop waits for; of one that has ended, whether its circuit breaker is open."""
    if beat is not None and not heartbeat.gone(beat):
        return _Waiting(beat.why, beat.until or None)
    breaker = runtime_files.breaker(path) if path else CLOSED
    cooldown = project.config.loop_cooldown
    state = breaker.state(project.around.now(), cooldown=cooldown)
    if state == "closed":
        return _Waiting()
    many = counted(breaker.failures, "failed attempt")
    why = f"the circuit breaker is {state} ({many} in a row)"
    return _Waiting(why, breaker.opened + cooldown if state == "open" else None)


# -- worktrees without a claim -------------------------------------------------------------


def _for_workers(project: Project, worktree: Worktree) -> bool:
    """Whether ralphgit made the worktree for a worker, or a loop runs in it."""
    if worktree.bare or not worktree.exists:
        return False
    if worktree.reason:
        from ralphgit.app.workspace.worktree_names import WORKER_LOCK

        if worktree.reason.startswith(WORKER_LOCK):
            return True
    beat = heartbeat.read(worktree.path)
    return beat is not None and heartbeat.alive(beat, project.around.now())


def _idle(project: Project, claim_map: ClaimMap, worktree: Worktree, path: str) -> Busy:
    """Describe a worktree without an open claim, by the last one that it had."""
    noted, beat = runtime_files.remembered(path), heartbeat.read(path)
    waits = _waiting(project, path, beat)
    row = claim_map.base.known(noted.task) if noted is not None else None
    last = None
    if row is not None and noted is not None and row.claim == noted.claim:
        last = row if row.status in (COMPLETE, CANCELLED) else None
    return Busy(
        name=worktree_names.name_of(project, worktree),
        path=path,
        branch=worktree.branch.removeprefix("refs/heads/"),
        task=last.id if last is not None else "",
        claim=last.claim if last is not None else "",
        since=last.at if last is not None else "",
        beat=beat.time if beat is not None else None,
        phase=beat.phase if beat is not None else "",
        stale=False,
        title=last.title if last is not None else "",
        state=last.status if last is not None else REGISTERED,
        for_s=questions.waiting(project, last.at) if last is not None else None,
        files=None,
        insertions=None,
        deletions=None,
        seen=beat.time if beat is not None else None,
        reason="",
        url="",
        where=worktree_names.shown(project, path),
        waits=waits.why,
        until=waits.until,
    )


def _idle_elsewhere(one: "Seen") -> Busy:
    """Describe a loop on another machine that has no task now."""
    beat = one.beat
    return Busy(
        name=beat.worker, path="", branch="", task="", claim="", since="", beat=one.since,
        phase=beat.phase, stale=False, title="", state=REGISTERED, for_s=None, files=None,
        insertions=None, deletions=None, seen=one.since, reason="", url="",
        where=f"on {beat.host}", waits=beat.why, until=beat.until or None,
    )  # fmt: skip


# -- what is changed -----------------------------------------------------------------------


def _begin(
    project: Project, claim_map: ClaimMap, path: str, active: ActiveClaim
) -> Asked | None:  # fmt: skip
    """Have git count what was changed since the claim; by its lease, else by its note. None where
    the repository knows of no such worktree.
    """
    repository = project.repository
    git = worktrees.git_of(repository.git, repository.common_dir, path)
    if git is None:
        return None
    lease, noted = claim_map.leases.get(active.task), runtime_files.remembered(path)
    known = [one for one in (lease, noted) if one is not None and one.claim == active.claim]
    start = next((one.start for one in known if _is_id(one.start)), "")
    config = project.config
    records = [f"{config.records}/{kind}" for kind in FILED]
    left_out = [*(name for name in config.graph if not is_wild(name)), *records]
    return work_done.begin(git, start, project.base.commit, left_out)


def _is_id(text: str) -> bool:
    return len(text) in (40, 64) and not text.strip("0123456789abcdef")


def _finish(project: Project, asked: Asked | None, path: str) -> Counted | None:
    if asked is None:
        return None
    left = {*runtime_files.left(path)}
    return work_done.finish(
        asked, lambda name: name not in left and not record_tree.is_record(project, name)
    )


def _last_change(path: str, git_dir: str, counted: Counted | None) -> float | None:
    """When something of the work in a worktree changed last; None if that is unknown."""
    names: Sequence[str] = counted.paths if counted is not None else ()
    places = [os.path.join(path, name) for name in names]
    if git_dir:
        places += [os.path.join(git_dir, name) for name in ("index", os.path.join("logs", "HEAD"))]
    return max((time for place in places if (time := _time(place))), default=None)


def _time(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0
