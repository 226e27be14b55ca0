"""List what waits for a person. Reads only."""

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ralphgit.app.active_claims import concerns, recovery_commands, stuck_pull_requests
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace import heartbeat, runtime_files
from ralphgit.app.workspace.project import Project, stamp
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.ids import is_id
from ralphgit.model.pull_request import WAITING, Pull, PullState
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import State
from ralphgit.rules.readiness import TaskState

if TYPE_CHECKING:
    from ralphgit.app.base.records_in_review import InReview
    from ralphgit.app.base.unfinished_claims import UnfinishedClaim

#: The reasons of entries that ask nothing: a holder is gone or silent, a pull request waits.
STALE = "stale"
PULLS = tuple(sorted(f"pr-{state}" for state in (*WAITING, PullState.PUSHED)))
#: ... or its work waits for a review.
UNREVIEWED = "review"
#: ... or it was completed with concerns, and a person decides whether it lands.
CONCERNS = "concerns"
#: ... or the base has its claim without the completion, and nobody works on it.
UNFINISHED = "unfinished_claim"
#: ... or a change of its records waits for its pull request to be merged.
IN_REVIEW = "records_in_review"
#: ... or an agent cannot work before somebody has done something.
AGENT = "agent_unavailable"
#: ... or a hook lets in no commit of the task, not even that it is blocked.
DECLINED = "declined"
#: What to do for both, once they let a loop work.
TRY_AGAIN = "ralphgit run"


class Question(NamedTuple):
    """A task that goes on only when a person acts."""

    task: str
    title: str
    worker: str
    """Who asks; "" where the record does not say."""
    claim: str
    reason: str
    """One of `Reason`, of PULLS, or another of those above."""
    question: str
    """"" for a block that asks nothing."""
    options: tuple[str, ...]
    since: str
    """As the record has it, so any text."""
    waiting_s: float | None
    """None where `since` is not a time."""
    command: str
    """The command to run, with TEXT to fill in."""
    id: str = ""
    """Of the `blocked` record; "" where it has none that is an id."""
    path: str = ""
    """The worktree in which it was seen; "" where the base has it."""
    where: str = ""
    """The same for people, with the branch."""
    holds_back: tuple[str, ...] = ()
    """The tasks of its story that wait for the answer, too."""


def questions(project: Project, claim_map: ClaimMap | None = None) -> list[Question]:
    """List everything that waits for a person, the longest first.

    Raises: InvalidRecord, GuardRefused (no_commit).
    """
    claim_map = claim_map or ClaimMap(project)
    from ralphgit.app.active_claims import next_tasks, stuck_tasks
    from ralphgit.app.base import records_in_review, unfinished_claims

    found = []
    unfinished = {one.task: one for one in unfinished_claims.found(project, claim_map)}
    changes = records_in_review.waiting(project)
    freed = records_in_review.freed(project, changes)
    for row, task_state in claim_map.task_states.noted:
        if row.id in freed:
            continue
        if merged := unfinished.get(row.id):
            found.append(_unfinished(project, row, merged))
        elif task_state.state == "blocked":
            found.append(asked(claim_map, row.id))
        elif task_state.stale and task_state.holder is not None:
            found.append(_stale(claim_map, row.title, task_state.holder))
        elif task_state.state == "in-review" and task_state.holder is not None:
            found += _unreviewed(claim_map, row, task_state.holder)
            found += _with_concerns(claim_map, row, task_state.holder)
    found += [
        _of_pull(claim_map, active, pull) for active, pull in stuck_pull_requests.found(claim_map)
    ]
    found += _beside(claim_map)
    found += [_in_review(claim_map, change) for change in changes]
    found += _of_agents(project)
    obstacles = next_tasks.takeable(project, claim_map=claim_map).obstacles
    found += [
        Question(one.task, claim_map.base.by_id[one.task].title, "", "", one.code, one.message, (),
                 "", None, one.command)
        for one in stuck_tasks.found(claim_map, obstacles)
    ]  # fmt: skip
    found += [
        Question(task, claim_map.base.by_id[task].title, "", "", DECLINED, said, (), "", None,
                 TRY_AGAIN)
        for task, said in declined(claim_map).items()
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-(one.waiting_s or 0.0), one.task))


def asked(claim_map: ClaimMap, task: str) -> Question:
    """Return the question of a blocked task, on the base or on a branch."""
    row, task_state = claim_map.base.row(task), claim_map.task_states[task]
    return _question(claim_map, task, row.json, task_state.holder, f'ralphgit reply {task} "TEXT"')


def _question(
    claim_map: ClaimMap, task: str, stored: str, holder: ActiveClaim | None, command: str
) -> Question:
    block = json.loads(holder.stored if holder is not None and holder.stored else stored)
    record = block.get("blocked") or {}
    claim = block.get("claim") or {}
    options = record.get("options") or []
    since = record.get("at") or claim.get("at") or ""
    identity = record.get("id") or ""
    return Question(
        task=task,
        title=block["title"],
        worker=claim.get("by") or "",
        claim=claim.get("id") or "",
        reason=record.get("reason") or "other",
        question=record.get("question") or "",
        options=(options,) if isinstance(options, str) else tuple(options),
        since=since,
        waiting_s=waiting(claim_map.project, since),
        command=command,
        id=identity if is_id(identity) else "",
        path=holder.path if holder is not None else "",
        where=holder.where if holder is not None and holder.kind != "base" else "",
        holds_back=held_back(claim_map, task) if record.get("shared") is True else (),
    )


def held_back(claim_map: ClaimMap, task: str) -> tuple[str, ...]:
    """The tasks of a blocked task's story that could be taken if it had its answer."""
    row = claim_map.base.known(task)
    if row is None or not row.story:
        return ()
    states = claim_map.task_states
    return tuple(one.id for one, state in states.of_story(row) if task in state.blocked_on)


def _stale(claim_map: ClaimMap, title: str, holder: ActiveClaim) -> Question:
    project = claim_map.project
    beat = heartbeat.read(holder.path) if holder.path else None
    since = stamp(beat.time) if beat is not None and beat.claim == holder.claim else holder.at
    said = f"{holder.by} is gone or silent ({holder.where})"
    return _about(
        project, holder, title, STALE, said, since, recovery_commands.stale_command(project, holder)
    )


def _unfinished(project: Project, row: Row, merged: "UnfinishedClaim") -> Question:
    return Question(
        row.id, row.title, row.by, row.claim, UNFINISHED, merged.sentence(project), (),
        row.at, waiting(project, row.at), merged.hint,
    )  # fmt: skip


def _about(
    project: Project, work: ActiveClaim | Pull, title: str, reason: str, said: str, since: str,
    command: str,
) -> Question:  # fmt: skip
    """Make a question about work that does not ask one itself."""
    waited = waiting(project, since)
    return Question(work.task, title, work.by, work.claim, reason, said, (), since, waited, command)


def _unreviewed(claim_map: ClaimMap, row: Row, holder: ActiveClaim) -> Iterator[Question]:
    """Find work that is complete on its branch, and waits for a reviewer."""
    from ralphgit.app.evidence import awaited_reviews

    if one := awaited_reviews.awaited(claim_map, row.id, holder):
        said = f"{one.why} ({holder.where})"
        yield _about(claim_map.project, holder, row.title, UNREVIEWED, said, one.since, one.command)


def _with_concerns(claim_map: ClaimMap, row: Row, holder: ActiveClaim) -> Iterator[Question]:
    """Find complete work that waits for a person because its worker is not sure of it."""
    if told := concerns.concerns(claim_map.project, holder):
        said = f"{'; '.join(told)} ({holder.where})"
        command = concerns.command(holder)
        yield _about(claim_map.project, holder, row.title, CONCERNS, said, holder.at, command)


def _of_pull(claim_map: ClaimMap, active: ActiveClaim, pull: Pull) -> Question:
    project, title = claim_map.project, claim_map.base.by_id[pull.task].title
    said = stuck_pull_requests.sentence(pull)
    command = stuck_pull_requests.command(project, active, pull)
    if pull.state == PullState.CLOSED:
        said += "; open it again, or give the work up"
    return _about(project, pull, title, pull.event, said, pull.at or active.at, command)


def _in_review(claim_map: ClaimMap, change: "InReview") -> Question:
    project, task = claim_map.project, "".join(change.tasks[:1])
    row = claim_map.base.known(task)
    said = f"it counts when {change.place(project.base.branch)} is merged"
    return Question(
        task, row.title if row is not None else change.title, "", "", IN_REVIEW,
        f"{change.title}; {said}", (), "", None, change.command,
    )  # fmt: skip


def declined(claim_map: ClaimMap) -> dict[str, str]:
    """The tasks that a loop has left free, since it could commit nothing, and what was said."""
    states, found = claim_map.task_states, dict[str, str]()
    for worktree in claim_map.project.repository.worktrees:
        found |= runtime_files.declined(worktree.path)
    return {task: said for task, said in found.items() if task in states
            and states[task].state == State.READY}  # fmt: skip


def _of_agents(project: Project) -> Iterator[Question]:
    from ralphgit.app.workspace import agent_pause  # which a claim does not need

    for pause in agent_pause.unavailable(project):
        since, title = stamp(pause.at), f"{agent_pause.shown(pause.agent)} cannot work"
        waited = waiting(project, since)
        yield Question("", title, "", "", AGENT, pause.said, (), since, waited, TRY_AGAIN)


def _beside(claim_map: ClaimMap) -> Iterator[Question]:
    """List questions of tasks that the base does not have yet: only their branch can go on."""
    for task, active_claims in claim_map.active_claims.items():
        blocked = [active for active in active_claims if active.status == "blocked"]
        claims = {active.claim for active in blocked}
        if task in claim_map.base.by_id or any(f.claim not in claims for f in active_claims):
            continue
        for active in blocked[:1]:
            command = unlanded_block_command(claim_map.project, active)
            yield _question(claim_map, task, active.stored, active, command)


def unlanded_block_command(project: Project, active: ActiveClaim) -> str:
    """Return the command that answers a task which only its own branch has."""
    if not active.path:
        where = active.where.removeprefix("branch ")
        return f"ralphgit show {active.task} --at {shlex.quote(where)}"
    place = shlex.quote(project.show_path(active.path))
    at = "" if active.where.startswith("this worktree") else f" -C {place}"
    return f'ralphgit{at} claim {active.task} --force "TEXT"'


def waiting(project: Project, since: str) -> float | None:
    """Count the seconds since a recorded time, which may be any text."""
    try:
        then = datetime.fromisoformat(since)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max(0.0, round(project.around.now() - then.timestamp(), 1))


def refusal_hint(project: Project, task: str, task_state: TaskState) -> str:
    """Return the command for a task that does not wait for an answer."""
    if task_state.state in ("complete", "cancelled"):
        return recovery_commands.as_typed_here(
            project, f"ralphgit reset {task} --reopen --reason TEXT"
        )
    if task_state.stale:
        return recovery_commands.reset_command(project, task)
    return f"ralphgit {'claim' if task_state.state == 'ready' else 'show'} {task}"
