"""Reset a task: keep its worker's work, put it back to pending, and release what held it.

The new epoch on the base fences off a late completion. `reply`, an expired lease and a batch do
the same (`back_to_pending`).
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ralphgit.app.active_claims import leases
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import interrupted_update, update_base
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.base.records_in_review import Change, InReview
from ralphgit.app.forge import change_base
from ralphgit.app.lifecycle import reset_refusals
from ralphgit.app.lifecycle.holders import Holders, holders_of, rescue
from ralphgit.app.workspace import commit_message, runtime_files
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import ClaimHeld, GuardRefused, IllegalMove, InvalidRecord
from ralphgit.git import index
from ralphgit.git.commit_objects import commit_files
from ralphgit.model.active_claim import RESCUE
from ralphgit.model.task import Event, Reset
from ralphgit.model.task_row import Row
from ralphgit.records import atomic_files, audit_file, graph_file, splice_task, task_mapping
from ralphgit.rules import lifecycle, lost_claim


class ResetOptions(NamedTuple):
    task: str
    reason: str = ""
    claim: str = ""
    """Only if this claim still holds the task."""
    reopen: bool = False
    force: bool = False
    """Although the holder is alive, or its finished work waits to land."""
    push: bool = True
    fetch: bool = True


class Reopening(NamedTuple):
    """What is said of it, and what is written beside it."""

    event: str
    """Of the attempt's audit; the commit's subject too."""
    by: str
    at: str
    reason: str
    """It goes into the task's `reset` record."""
    note: str
    """It goes into the audit."""
    text: str
    """It goes into the commit's message, on one line."""
    reopen: bool = False
    """Also a complete or cancelled task."""
    records: Mapping[str, bytes] = {}
    """More files, by their path from the top."""


class Reopened(NamedTuple):
    task: str
    claim: str
    """The claim that was given up; "" for a reopened task without one."""
    rescued: tuple[str, ...]
    """Rescue refs, in which everything that had not landed is kept."""
    commit: str
    """The commit on the base, or in review."""
    pushed: bool
    pull: InReview | None = None
    """By which it comes to the base, where that is not pushed to: nothing is reopened yet."""


#: Says what is to be written, or raises why nothing is. Asked anew where the base has moved.
Decide = Callable[[ClaimMap, Row, Holders], Reopening]
_NO_REASON = "no reason given"


def reset(project: Project, options: ResetOptions) -> Reopened:
    """Put a task back to pending on the base, one epoch higher, and keep its holder's work.

    A reset that is repeated, also after a kill, is reported as done.

    Raises: GuardRefused, IllegalMove, ClaimHeld (with `claim`), UnknownTask,
    RemoteUnavailable (with require_remote), InvalidRecord, NotWritable.
    """
    said = options.reason.strip()
    options = options._replace(reason=said or _NO_REASON)
    if project.repository.linked:
        main = project.repository.worktrees[0].path
        why = ("--reason", said) if said else ()
        words = ("ralphgit", "-C", main, "reset", options.task, *why)
        raise GuardRefused(
            "a reset is made from the main worktree; your own claim you give back by: "
            f"ralphgit release {options.task}",
            code="linked_worktree",
            hint=shlex.join(words),
        )
    if options.fetch:
        synchronise(project)

    def decide(claim_map: ClaimMap, row: Row, holders: Holders) -> Reopening:
        reset_refusals.refuse(
            project, claim_map, row, holders,
            claim=options.claim, reopen=options.reopen, force=options.force,
        )  # fmt: skip
        return Reopening(
            event="reset",
            by=project.person,
            at=project.now(),
            reason=options.reason,
            note=options.reason + (" (forced)" if options.force else ""),
            text=options.reason,
            reopen=options.reopen,
        )

    try:
        return back_to_pending(project, options.task, decide, push=options.push)
    except (IllegalMove, ClaimHeld):
        done = _done_already(project, options)
        if done is None:
            raise
        return done


def _done_already(project: Project, options: ResetOptions) -> Reopened | None:
    """The reset that the base has, if it is this one and nobody has taken the task since.

    What was killed after the base had moved is done now: the lease goes, and a local base
    branch that was left behind is brought along.
    """
    claim_map = ClaimMap(project)
    row = claim_map.base.by_id.get(options.task)
    made = json.loads(row.json).get("reset") or {} if row is not None else {}
    if row is None or row.status != "pending" or made.get("reason") != options.reason:
        return None
    claim = str(made.get("claim") or "")
    free = claim_map.task_states[row.id].state in ("ready", "waiting")
    if not free or options.claim not in ("", claim):
        return None
    lease = claim_map.leases.get(row.id)
    if lease is not None and lease.claim == claim and lost_claim.is_overtaken(lease, row):
        leases.drop(project, lease)
    update_base.catch_up(project)
    project.warn(f"{row.id} was reset already for this reason; it is not reset again")
    base = project.base
    path = audit_file.path(project.config.records, row.id, claim or str(made["id"]))
    commit = project.repository.git.line("log", "-1", "--format=%H", base.commit, "--", path)
    refs = project.repository.refs
    kept = tuple(ref for ref in refs if claim and ref.startswith(f"{RESCUE}{row.id}/{claim}"))
    return Reopened(row.id, claim, kept, commit or base.commit, bool(base.remote))


def back_to_pending(project: Project, task: str, decide: Decide, *, push: bool) -> Reopened:
    """Put a task back to pending on the base, one epoch higher.

    Order: keep the work (rescue refs), make one commit on the base, push it, drop the
    lease. Where the base is not pushed to, a pull request brings it, and the lease stays until
    then. Killed anywhere in between, repeating the command ends the same. The commit is
    made also where the base never saw the claim: only so does the old holder's late
    completion conflict in any merge, on any forge (law L3).

    Raises: what `decide` raises; GuardRefused, IllegalMove, UnknownTask, RemoteUnavailable
    (with require_remote), InvalidRecord, NotWritable.
    """
    if interrupted_update.settle(project):
        project.refresh()
    for _ in range(update_base.ATTEMPTS):
        done = _attempt(project, task, decide, push=push)
        if done is not None:
            return done
        synchronise(project)
        project.refresh()
    raise GuardRefused(
        f"{project.base.label} kept moving; nothing was changed on it",
        code="unsettled",
        hint="repeat the command",
    )


def _attempt(project: Project, task: str, decide: Decide, *, push: bool) -> Reopened | None:
    claim_map = ClaimMap(project)
    if not project.shards_at([project.require_base().commit])[project.base.commit]:
        raise project.no_graph(project.base.label)
    row = claim_map.base.row(task)
    holders = holders_of(claim_map, row)
    change = decide(claim_map, row, holders)
    commit_message.require_identity(project)
    rescued, commit_made = rescue(project, row, holders)
    _clear_own_record(project, row, holders)
    old_tip = project.base.commit
    made, epoch = _build(project, claim_map.base, row, holders, change, like=commit_made)
    told = Change(f"{row.id}: {change.event}", (row.id,))
    done = change_base.advance(project, old_tip, made, told, push=push)
    if done is None:
        return None
    if done.pull is not None:
        return Reopened(row.id, holders.claim, rescued, done.pull.commit, False, done.pull)
    if holders.lease is not None and holders.lease.epoch < epoch:
        leases.drop(project, holders.lease)
    return Reopened(row.id, holders.claim, rescued, made, done.pushed)


def _clear_own_record(project: Project, row: Row, holders: Holders) -> None:
    """Take the claim's uncommitted record out of the main worktree, if it was made there.

    It would stand in the way of the commit; like all else it is in the rescue ref.
    """
    if project.repository.top is None or project.repository.linked:
        return
    try:
        known = project.here.by_id
    except InvalidRecord:
        return  # half a file, for example: the move of the base finds it in the way, or not
    if row.id not in known:
        return
    here, worktree = project.here.row(row.id), project.repository.worktree
    if here.claim != holders.claim or here.claim == row.claim or worktree is None:
        return
    committed = project.view(worktree.head, "HEAD").by_id.get(row.id)
    if committed is None or committed.claim == here.claim:
        return
    head = project.view(worktree.head, "HEAD")
    path = audit_file.path(project.config.records, row.id, here.claim)
    old = head.text(committed)
    with atomic_files.Undo() as undo:
        text = project.here.content(here.file)
        undo.write(
            project.file(here.file),
            (text[: here.start] + old + text[here.end :]).encode("utf-8"),
        )
        full = project.file(path)
        if os.path.exists(full) and project.repository.objects.resolve([f"HEAD:{path}"]) == [None]:
            os.unlink(full)
        index.add(project.repository.git, [here.file, path])
    runtime_files.forget(project.top)


def _build(
    project: Project,
    base: GraphView,
    row: Row,
    holders: Holders,
    change: Reopening,
    *,
    like: str,
) -> tuple[str, int]:
    """Make the commit on top of the base, in the object store alone.

    `like`: a commit that was made just now, by the same user; "" if none was.
    """
    repository = project.repository
    content = base.content(row.file).encode("utf-8")
    file = graph_file.parse(content, path=row.file, limit=project.config.max_graph_bytes)
    number = next(n for n, stored in enumerate(file.tasks) if stored["id"] == row.id)
    old = task_mapping.lifecycle(file.tasks[number])
    at, by = change.at, change.by
    record = Reset(
        id=project.around.new_id(), claim=holders.claim, by=by, at=at, reason=change.reason
    )
    new = lifecycle.released(row.id, old, record, reopen=change.reopen)
    seen = max((active.epoch for active in holders.active_claims), default=0)
    if new.epoch <= seen:
        new = new._replace(epoch=seen + 1)
    event = Event(at, change.event, by, old.status.value, new.status.value, change.note)
    attempt = holders.claim or record.id
    path = audit_file.path(project.config.records, row.id, attempt)
    tip = project.base.commit
    known = repository.objects.resolve([f"{tip}:{path}"])[0]
    before = repository.objects.read([known])[known] if known else None
    log = audit_file.appended(before, event, path=path, task=row.id, claim=attempt)
    graph = splice_task.set_lifecycle(file, number, new).encode("utf-8")
    contents = {row.file: graph, path: log, **change.records}
    subject = commit_message.subject(
        project, row.id, change.event, event=change.event, worker=by, story=row.story
    )
    trailers = commit_message.trailers(row.id, attempt, by)
    message = commit_message.message(subject, [change.text], trailers)
    return commit_files(repository, tip, contents, message, like=like), new.epoch
