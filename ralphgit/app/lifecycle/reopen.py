"""Put a task back to pending on the base, as `reset` and `reply` do."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ralphgit.app.active_claims import leases
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import interrupted_update
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.base.records_in_review import InReview
from ralphgit.app.forge import change_base
from ralphgit.app.forge.change_base import Change
from ralphgit.app.lifecycle import rescue_refs
from ralphgit.app.workspace import commit_message, runtime_files
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, InvalidRecord
from ralphgit.git import index
from ralphgit.git.commit_objects import commit_files
from ralphgit.model.active_claim import ActiveClaim, Lease
from ralphgit.model.task import Event, Reset
from ralphgit.model.task_row import Row
from ralphgit.records import atomic_files, audit_file, graph_file, splice_task, task_mapping
from ralphgit.rules import lifecycle, readiness


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


class Holders(NamedTuple):
    """All that keeps a task from being free."""

    claim: str
    by: str
    active_claims: tuple[ActiveClaim, ...]
    lease: Lease | None


#: Says what is to be written, or raises why nothing is. Asked anew where the base has moved.
Decide = Callable[[ClaimMap, Row, Holders], Reopening]
_ATTEMPTS = 5


def reopen(project: Project, task: str, decide: Decide, *, push: bool) -> Reopened:
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
    for _ in range(_ATTEMPTS):
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
    holders = _holders(claim_map, row)
    change = decide(claim_map, row, holders)
    rescued, commit_made = _rescue(project, row, holders)
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


def _holders(claim_map: ClaimMap, row: Row) -> Holders:
    active_claims = tuple(claim_map.active_claims.get(row.id, ()))
    count, _ = readiness.in_force(row, active_claims)
    lease = claim_map.leases.get(row.id)
    holder = claim_map.task_states[row.id].holder
    held = row.claim or (holder.claim if holder else "") or (lease.claim if lease else "")
    by = row.by or (holder.by if holder else "") or (lease.by if lease else "")
    return Holders(held, by, tuple(count), lease)


def worktree_of(project: Project, claim: str) -> str:
    """The worktree whose last claim this was; "" where none remembers it."""
    for worktree in project.repository.worktrees:
        if claim and not worktree.bare and worktree.exists:
            noted = runtime_files.remembered(worktree.path)
            if noted is not None and noted.claim == claim:
                return worktree.path
    return ""


def _rescue(project: Project, row: Row, holders: Holders) -> tuple[tuple[str, ...], str]:
    """Keep what the holders have and the base has not; worktrees first, then branches.

    What a lease says of a place may be anybody's word: a worktree is its holder's that knows of the
    claim, a branch that has it. Returns the refs, and the last commit that was made for one; "" if
    none was.
    """
    kept: list[str] = []
    made = ""
    done: set[str] = set()
    paths = [one.path for one in holders.active_claims if one.path and one.kind != "lease"]
    # Blocking gives the lease back, and where the block has landed there is no active claim.
    if path := worktree_of(project, holders.claim):
        paths.append(path)
    for path in dict.fromkeys(map(os.path.realpath, paths)):
        mine = next(
            (f for f in holders.active_claims if os.path.realpath(f.path or "/") == path), None
        )
        identity = mine.claim if mine else holders.claim
        if os.path.isdir(path):
            worktree = next(
                (w for w in project.repository.worktrees if os.path.realpath(w.path) == path), None
            )
            if worktree is None:
                continue
            if not worktree.exists:
                project.warn(
                    f"{project.show_path(path)} is no longer a worktree (.git is missing); what "
                    "was not committed there is left as it is"
                )
                continue
            found = rescue_refs.worktree(project, path, row.id, identity, holders.by)
            done.add(worktree.branch)
            made = found.made or made
            if found.ref:
                kept.append(found.ref)
    for name, ref in project.repository.refs.items():
        if (
            not name.startswith("refs/heads/")
            or name in done
            or name == f"refs/heads/{project.base.branch}"
        ):
            continue
        if any(active.ref == name for active in holders.active_claims):
            found = rescue_refs.commit(project, ref.oid, row.id, holders.claim)
            if found.ref:
                kept.append(found.ref)
    return tuple(dict.fromkeys(kept)), made


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
