"""Release what a crashed worker held. Its work is kept, its late "done" is fenced off."""

from __future__ import annotations

import os
import shlex
import tempfile
from typing import NamedTuple

from ralphgit.app import advance, audit, heartbeat, leases, rescue, runtime
from ralphgit.app.claim import synchronise
from ralphgit.app.lookaround import Situation
from ralphgit.app.project import Project
from ralphgit.app.view import GraphView
from ralphgit.errors import (
    ClaimHeld,
    GuardRefused,
    IllegalMove,
)
from ralphgit.git import index
from ralphgit.model.flight import Flight, Lease
from ralphgit.model.row import Row
from ralphgit.model.task import Reset as ResetRecord
from ralphgit.records import files, graph, splice, tasks
from ralphgit.rules import lifecycle, readiness


class Options(NamedTuple):
    task: str
    reason: str
    claim: str = ""
    """Only if this claim still holds the task."""
    reopen: bool = False
    force: bool = False
    """Although the holder is alive, or its finished work waits to land."""
    push: bool = True
    fetch: bool = True


class WasReset(NamedTuple):
    task: str
    claim: str
    """The claim that was given up; "" for a reopened task without one."""
    rescued: tuple[str, ...]
    """Rescue refs, in which everything that had not landed is kept."""
    commit: str
    """The commit on the base."""
    pushed: bool


_ATTEMPTS = 5


def reset(project: Project, options: Options) -> WasReset:
    """Put a task back to pending on the base, one epoch higher.

    Order: keep the work (rescue refs), commit the reset on the base, push it, drop the
    lease. Killed anywhere in between, repeating the command ends the same. The reset is
    committed also where the base never saw the claim: only so does the old holder's late
    completion conflict in any merge, on any forge (law L3).

    Raises: GuardRefused, IllegalMove, ClaimHeld (with `claim`), UnknownTask,
    RemoteUnavailable (with require_remote), InvalidRecord, NotWritable.
    """
    if project.repository.linked:
        main = project.repository.worktrees[0].path
        words = ("ralphgit", "-C", main, "reset", options.task, "--reason", options.reason)
        raise GuardRefused(
            "a reset is made from the main worktree",
            code="linked_worktree",
            hint=f"{shlex.join(words)}; your own claim: ralphgit release {options.task}",
        )
    if options.fetch:
        synchronise(project)
    for _ in range(_ATTEMPTS):
        done = _attempt(project, options)
        if done is not None:
            return done
        synchronise(project)
        project.refresh()
    raise GuardRefused(
        f"{project.base.label} kept moving; nothing was changed on it",
        code="unsettled",
        hint="repeat the command",
    )


class _Holders(NamedTuple):
    """All that stands in the way of a task being free."""

    claim: str
    by: str
    flights: tuple[Flight, ...]
    lease: Lease | None


def _attempt(project: Project, options: Options) -> WasReset | None:
    situation = Situation(project)
    if not project.shards_at([project.require_base().commit])[project.base.commit]:
        raise project.no_graph(project.base.label)
    row = situation.base.row(options.task)
    holders = _holders(situation, row)
    _refuse(project, situation, row, holders, options)
    rescued = _rescue(project, row, holders)
    _clear_own_record(project, row, holders)
    old_tip = project.base.commit
    made, epoch = _build(project, situation.base, row, holders, options)
    moved, pushed = advance.advance(project, old_tip, made, push=options.push)
    if not moved:
        return None
    if holders.lease is not None and holders.lease.epoch < epoch:
        leases.drop(project, holders.lease)
    return WasReset(options.task, holders.claim, rescued, made, pushed)


def _holders(situation: Situation, row: Row) -> _Holders:
    flights = tuple(situation.flights.get(row.id, ()))
    count, _ = readiness.in_force(row, flights)
    lease = situation.leases.get(row.id)
    holder = situation.standings[row.id].holder
    held = row.claim or (holder.claim if holder else "") or (lease.claim if lease else "")
    by = row.by or (holder.by if holder else "") or (lease.by if lease else "")
    return _Holders(held, by, tuple(count), lease)


def _refuse(
    project: Project, situation: Situation, row: Row, holders: _Holders, options: Options
) -> None:
    standing = situation.standings[row.id]
    details: dict[str, object] = {"task": row.id}
    finished = row.status in ("complete", "cancelled")
    if options.claim and options.claim != holders.claim:
        raise ClaimHeld(
            f"{row.id} is not held by claim {options.claim}"
            + (f" but by {holders.claim} ({holders.by})" if holders.claim else ""),
            code="claim_changed",
            hint="ralphgit status",
            details=details,
        )
    if not finished and not options.reopen and standing.state in ("ready", "waiting"):
        raise IllegalMove(
            f"nobody holds {row.id}: it is {standing.state}",
            code="not_claimed",
            hint=f"ralphgit show {row.id}",
            details=details,
        )
    if options.force:
        return
    if standing.state == "in-review" and standing.holder is not None:
        raise GuardRefused(
            f"{row.id} is complete in {standing.holder.where} and waits to land",
            code="in_review",
            hint="merge it; to throw the result away: --force",
            details=details,
        )
    for flight in holders.flights:
        beat = heartbeat.read(flight.path) if flight.path else None
        if (
            beat is not None
            and beat.claim in ("", flight.claim)
            and heartbeat.alive(beat, project.around.now())
        ):
            raise GuardRefused(
                f"{flight.by} is alive in {flight.where} (process {beat.pid})",
                code="holder_alive",
                hint="stop it first, or --force, which the audit will say",
                details=details,
            )


def _rescue(project: Project, row: Row, holders: _Holders) -> tuple[str, ...]:
    """Keep what the holders have and the base has not; worktrees first, then branches."""
    kept: list[str] = []
    done: set[str] = set()
    paths = [flight.path for flight in holders.flights if flight.path]
    if holders.lease is not None:
        paths.append(holders.lease.worktree)
    for path in dict.fromkeys(map(os.path.realpath, paths)):
        mine = next((f for f in holders.flights if os.path.realpath(f.path or "/") == path), None)
        identity = mine.claim if mine else holders.claim
        if os.path.isdir(path):
            worktree = next(
                (w for w in project.repository.worktrees if os.path.realpath(w.path) == path), None
            )
            if worktree is None:
                continue
            found = rescue.worktree(project, path, row.id, identity, holders.by)
            done.add(worktree.branch)
            if found.ref:
                kept.append(found.ref)
    for name, ref in project.repository.refs.items():
        if (
            not name.startswith("refs/heads/")
            or name in done
            or name == f"refs/heads/{project.base.branch}"
        ):
            continue
        short = name.removeprefix("refs/heads/")
        sighted = any(
            f.kind == "branch" and f.where.endswith((f"branch {short}", f"branch {short})"))
            for f in holders.flights
        )
        leased = holders.lease is not None and holders.lease.branch == short
        if sighted or leased:
            found = rescue.commit(project, ref.oid, row.id, holders.claim)
            if found.ref:
                kept.append(found.ref)
    return tuple(dict.fromkeys(kept))


def _clear_own_record(project: Project, row: Row, holders: _Holders) -> None:
    """Take the claim's uncommitted record out of the main worktree, if it was made there.

    It would stand in the way of the reset; like all else it is in the rescue ref.
    """
    if project.repository.top is None or row.id not in project.here.by_id:
        return
    here, worktree = project.here.row(row.id), project.repository.worktree
    if here.claim != holders.claim or here.claim == row.claim or worktree is None:
        return
    committed = project.view(worktree.head, "HEAD").by_id.get(row.id)
    if committed is None or committed.claim == here.claim:
        return
    head = project.view(worktree.head, "HEAD")
    path = audit.path(project.config.records, row.id, here.claim)
    old = head.text(committed)
    with files.Undo() as undo:
        text = project.here.content(here.file)
        undo.write(
            os.path.join(project.top, here.file),
            (text[: here.start] + old + text[here.end :]).encode("utf-8"),
        )
        full = os.path.join(project.top, path)
        if os.path.exists(full) and project.repository.objects.resolve([f"HEAD:{path}"]) == [None]:
            os.unlink(full)
        index.add(project.repository.git, [here.file, path])
    runtime.forget(project.top)


def _build(
    project: Project, base: GraphView, row: Row, holders: _Holders, options: Options
) -> tuple[str, int]:
    """Make the reset's commit on top of the base, in the object store alone."""
    repository = project.repository
    content = base.content(row.file).encode("utf-8")
    file = graph.parse(content, path=row.file, limit=project.config.max_graph_bytes)
    number = next(n for n, stored in enumerate(file.tasks) if stored["id"] == row.id)
    old = tasks.lifecycle(file.tasks[number])
    at, by = project.now(), project.worker
    record = ResetRecord(
        id=project.around.new_id(), claim=holders.claim, by=by, at=at, reason=options.reason
    )
    new = lifecycle.released(row.id, old, record, reopen=options.reopen)
    seen = max((flight.epoch for flight in holders.flights), default=0)
    if new.epoch <= seen:
        new = new._replace(epoch=seen + 1)
    note = options.reason + (" (forced)" if options.force else "")
    event = audit.Event(at, "reset", by, old.status.value, new.status.value, note)
    attempt = holders.claim or record.id
    path = audit.path(project.config.records, row.id, attempt)
    tip = project.base.commit
    known = repository.objects.resolve([f"{tip}:{path}"])[0]
    before = repository.objects.read([known])[known] if known else None
    log = audit.appended(before, event, path=path, task=row.id, claim=attempt)
    with tempfile.TemporaryDirectory(prefix="ralphgit-") as scratch:
        copy = index.Scratch(repository, scratch)
        copy.read_tree(tip)
        write = repository.objects.write_blob
        copy.put(row.file, write(splice.set_lifecycle(file, number, new).encode("utf-8")))
        copy.put(path, write(log))
        tree = copy.tree()
    message = (
        f"{row.id}: reset\n\n{' '.join(options.reason.split())}\n\n"
        f"Ralph-Task: {row.id}\nRalph-Claim: {attempt}\nRalph-Worker: {by}\n"
    )
    return rescue.commit_tree(repository, tree, [tip], message), new.epoch
