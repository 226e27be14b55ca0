"""Answer a blocked task's question: record the answer on the base, and free the task."""

from __future__ import annotations

import os
from typing import NamedTuple

from ralphgit.app.active_claims import leases
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import interrupted_update, update_base
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.handoff import earlier_attempts, inbox_notes, questions
from ralphgit.app.handoff.inbox_notes import Left
from ralphgit.app.lifecycle import holders, reset, task_branch
from ralphgit.app.workspace import inside_loop, runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import TASK_BRANCHES
from ralphgit.errors import (
    IllegalMove,
    InvalidRecord,
    NotWritable,
    RemoteUnavailable,
    UsageError,
)
from ralphgit.git import worktrees
from ralphgit.model import characters
from ralphgit.model.handoff import Answer, Guidance
from ralphgit.model.task_row import Row
from ralphgit.records import atomic_files
from ralphgit.records import question_file as codec
from ralphgit.rules import lost_claim


class ReplyOptions(NamedTuple):
    task: str
    text: str
    by: str = ""
    """Who answers; "" is `Project.person`."""
    push: bool = True
    fetch: bool = True
    claim: str = ""
    """Answer only if this claim asks."""


class Replied(NamedTuple):
    done: reset.Reopened
    record: str
    """The answered record, by its path on the base."""
    inbox: str
    """Where the asking worktree has the answer; "" where it is not on this machine."""
    fenced: str = ""
    """Whose record of the block can no longer land, for people; "" where the base has it."""


def words(text: str, command: str) -> str:
    """Normalize an answer for its record; `command` is the hint. Raises: UsageError."""
    text = text.strip()
    if not text:
        raise UsageError("the answer is empty; nothing was changed", hint=command)
    characters.refuse("the answer", text)
    return text


def note(project: Project, options: ReplyOptions) -> Left | None:
    """Leave a note for whoever works on the task, which stays as it is; None where nobody does, or
    who did is gone.

    Raises: GuardRefused (not_here), RemoteUnavailable (with require_remote), NotWritable.
    """
    if options.fetch:
        synchronise(project)
    claim_map = ClaimMap(project)
    task_state = claim_map.task_states.get(options.task)
    if task_state is None or task_state.stale or task_state.state not in inbox_notes.AT_WORK:
        return None
    by = options.by or project.person
    return inbox_notes.leave(project, claim_map, options.task, options.text, by)


def reply(project: Project, options: ReplyOptions) -> Replied:
    """Answer what a blocked task asks, and put it back to pending, one epoch higher.

    The record with its answer, the reset of the task and the attempt's audit are one commit
    on the base, made as `reset` makes it; then the answer is copied to the asking worktree. If
    killed anywhere in between, repeat the command: an answer that the base has is delivered,
    not recorded twice.

    Raises: IllegalMove (not_blocked, not_on_base, claim_changed), UnknownTask, GuardRefused,
    RemoteUnavailable (with require_remote), InvalidRecord, NotWritable.
    """
    inside_loop.refuse(project, "reply")
    if options.fetch:
        synchronise(project)
    if interrupted_update.settle(project):
        project.refresh()
    _refuse_unlanded(ClaimMap(project), options.task)
    by = options.by or project.person
    answered: list[tuple[str, Guidance]] = []
    asker = where = ""

    def decide(claim_map: ClaimMap, row: Row, held: holders.Holders) -> reset.Reopening:
        nonlocal asker, where
        _refuse_unblocked(claim_map, row)
        asked = questions.asked(claim_map, row.id)
        if options.claim not in ("", asked.claim):
            raise IllegalMove(
                f"{row.id} now asks another question; nothing was changed",
                code="claim_changed",
                hint="ralphgit inbox",
                details={"task": row.id},
            )
        at = project.now()
        made = Guidance(
            id=asked.id or project.around.new_id(),
            task=row.id,
            claim=asked.claim or held.claim or project.around.new_id(),
            question=asked.question or f"Blocked ({asked.reason}), without a question.",
            options=asked.options,
            at=asked.since or at,
            by=asked.worker or "unknown",
            answer=Answer(options.text, by, at),
        )
        path = codec.path(project.config.records, row.id, made.id)
        answered.append((path, made))
        asker, where = asked.path, asked.where
        return reset.Reopening(
            event="answered",
            by=by,
            at=at,
            reason=f"answered by {by} (guidance {made.id})",
            note=made.id,
            text=options.text,
            records={path: _bytes(project, path, made)},
        )

    try:
        done = reset.back_to_pending(project, options.task, decide, push=options.push)
    except IllegalMove as error:
        before = _answered_already(project, options) if error.code == "not_blocked" else None
        if before is None:
            raise
        return before
    path, made = answered[-1]
    if done.pushed:
        _withdraw(project, made)
    return Replied(done, path, _deliver(project, made, asker), where)


def _bytes(project: Project, path: str, made: Guidance) -> bytes:
    """Encode the answered record: the base's own with the answer, or a new one."""
    known = earlier_attempts.on_base(project, made.task).get(path)
    if known is None or made.answer is None:
        return codec.encode(made, path)
    try:
        return codec.answered(known, made.answer)
    except InvalidRecord as error:
        raise error.at(f"{project.base.label}:{path}") from None


def _refuse_unlanded(claim_map: ClaimMap, task: str) -> None:
    """Refuse a task that only a branch has. Raises: IllegalMove."""
    project = claim_map.project
    if task in claim_map.base.by_id:
        return
    for active in claim_map.active_claims.get(task, ()):
        if active.status == "blocked":
            raise IllegalMove(
                f"{task} is not on {project.base.label} yet, only in {active.where}; "
                "nothing was changed",
                code="not_on_base",
                hint=questions.unlanded_block_command(project, active),
                details={"task": task},
            )


def _refuse_unblocked(claim_map: ClaimMap, row: Row) -> None:
    task_state = claim_map.task_states[row.id]
    if task_state.state == "blocked":
        return
    raise IllegalMove(
        f"{row.id} is {task_state.state}, so it has no question to answer; nothing was changed",
        code="not_blocked",
        hint=questions.refusal_hint(claim_map.project, row.id, task_state),
        details={"task": row.id},
    )


def _answered_already(project: Project, options: ReplyOptions) -> Replied | None:
    """Finish a reply that was killed half-way: the base has this answer, do the rest."""
    claim_map = ClaimMap(project)
    row = claim_map.base.row(options.task)
    for one in earlier_attempts.parsed(project, row.id, earlier_attempts.on_base(project, row.id)):
        if one.answer is None or one.answer.text != options.text:
            continue
        lease = claim_map.leases.get(row.id)
        if lease is not None and lease.claim == one.claim and lost_claim.is_overtaken(lease, row):
            leases.drop(project, lease)
        update_base.catch_up(project)
        if options.push:
            _withdraw(project, one)
        project.warn(f"{row.id} has this answer already; it was not recorded again")
        path, base = codec.path(project.config.records, row.id, one.id), project.base
        commit = project.repository.git.line("log", "-1", "--format=%H", base.commit, "--", path)
        kept = tuple(ref for ref in earlier_attempts.kept(project, row.id) if one.claim in ref)
        done = reset.Reopened(row.id, one.claim, kept, commit, bool(base.remote))
        return Replied(done, path, _deliver(project, one, ""))
    return None


def _withdraw(project: Project, made: Guidance) -> None:
    """Take the answered block's own branches from the remote: what they have is kept here.

    A branch that has another task's records, too, is left.
    """
    for name, ref in list(project.repository.refs.items()):
        branch = name.removeprefix("refs/remotes/").partition("/")[2]
        where = project.push_remote(branch)
        if name != f"refs/remotes/{where}/{branch}":
            continue
        if not f"refs/heads/{branch}".startswith(TASK_BRANCHES):
            continue
        fork = worktrees.fork(project.repository.git, project.base.commit, ref.oid)
        if not fork or not _is_of(project, fork, ref.oid, made):
            continue
        try:
            if task_branch.withdraw(project, branch, ref.oid):
                task_branch.remove(project, branch, "", pushed=ref.oid)
        except RemoteUnavailable as error:
            project.warn(f"{branch} is still on {where}: {error.message}")


def _is_of(project: Project, fork: str, tip: str, made: Guidance) -> bool:
    """Whether what `tip` does to the records since `fork` is this block and nothing else."""
    try:
        before, rows = project.view(fork, fork[:12]).by_id, project.view(tip, tip[:12]).rows
    except InvalidRecord:
        return False
    changed = [row for row in rows if row.id not in before or before[row.id].json != row.json]
    told = [(row.id, row.claim, row.status) for row in changed]
    return told == [(made.task, made.claim, "blocked")]


def _deliver(project: Project, made: Guidance, seen: str) -> str:
    """Write the answer into the asking worktree's inbox; return the file, "" for none.

    `seen`: where the question was seen, for a worktree that remembers no claim.
    """
    place = holders.worktree_of(project, made.claim) or seen
    if not place or not os.path.isdir(place):
        return ""
    name = f"{runtime_files.FOLDER}/inbox/{made.id}.yaml"
    folder = os.path.dirname(os.path.join(os.path.realpath(place), name))
    if os.path.realpath(folder) != folder:
        project.warn(f"{folder} leads elsewhere; the next prompt of {made.task} has the answer")
        return ""
    try:
        data = codec.encode(made, name)
        atomic_files.write(os.path.join(place, name), data, durable=False, follow=False)
    except NotWritable as error:
        project.warn(f"{error.message}; the next prompt of {made.task} has the answer")
        return ""
    return os.path.join(place, name)
