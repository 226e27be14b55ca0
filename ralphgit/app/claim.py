"""Claim a task: preflight, look around, lease, record (SPEC 4)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app import audit, heartbeat, leases, mine, runtime
from ralphgit.app.lookaround import LEASES, Situation, elsewhere
from ralphgit.app.project import GraphView, Project
from ralphgit.errors import ClaimHeld, GuardRefused, NothingReady, RalphError, RemoteUnavailable
from ralphgit.git import index, remote
from ralphgit.model.flight import Flight, Lease
from ralphgit.model.row import Row
from ralphgit.records import files, graph, splice, tasks
from ralphgit.rules import guards, lifecycle
from ralphgit.rules.contract import contract


class Options(NamedTuple):
    """What `claim` may be told."""

    task: str = ""
    """"" takes the next ready task."""
    story: str = ""
    priority: int | None = None
    """Only tasks of this priority or a more urgent one."""
    fetch: bool = True
    stack: bool = False
    """Accept dependencies that are complete on this branch only."""
    force: str = ""
    """A reason to pass the guards; it goes into the audit."""


class Claimed(NamedTuple):
    """The claim that stands in this worktree now."""

    lease: Lease
    resumed: bool
    """It was this worktree's already."""


def claim(project: Project, options: Options) -> Claimed:
    """Take a task: lease first, then the record, staged but not committed.

    Of two claims at most one gets the lease; without leases the second to merge conflicts.
    On any failure the worktree, the index and the refs are as before (law L7).

    Raises: UnknownTask, IllegalMove, ClaimHeld, GuardRefused, NothingReady, InvalidRecord,
    RemoteUnavailable (with require_remote only), NotWritable.
    """
    unsynchronised = not synchronise(project) if options.fetch else False
    return _claim(project, options, unsynchronised, again=3)


def synchronise(project: Project) -> bool:
    """Fetch the base branch, and with `lease = "remote"` the remote's leases.

    Returns False, with a warning, if the remote cannot be reached.

    Raises: RemoteUnavailable where the configuration requires the remote.
    """
    base = project.base
    if not base.remote:
        return True
    there = elsewhere(project)
    try:
        remote.fetch(
            project.repository.git, base.remote, base.branch,
            timeout=project.config.fetch_timeout, mirrors={LEASES: there} if there else None,
        )  # fmt: skip
    except RemoteUnavailable as error:
        if project.config.require_remote:
            raise
        project.warn(f"{error.message}; going on with what was fetched before")
        return False
    project.refresh()
    return True


def _claim(project: Project, options: Options, unsynchronised: bool, again: int) -> Claimed:
    refuse_unfit(project)
    situation = Situation(project)
    own = own_claim(project, situation)
    if own is not None:
        return _resume(project, own, options)
    refuse_main_worktree(project, situation, options)
    held: RalphError | None = None
    for row in candidates(project, situation, options):
        reason = refusal(project, situation, row, options)
        if reason is not None:
            if options.task:
                raise reason
            held = reason
            continue
        lease = _new_lease(project, row, unsynchronised)
        before = _heads(project)
        outcome = leases.acquire(project, lease, situation.base.by_id.get(row.id))
        if isinstance(outcome, leases.Held):
            held = _held_by_lease(project, row.id, outcome)
            if options.task:
                raise held
            continue
        # Between the look around and the lease somebody may have finished the task and
        # given the lease back: look once more, with the lease in hand.
        project.repository.forget()
        if _heads(project) != before:
            leases.drop(project, outcome.lease)
            project.refresh()
            if again:
                return _claim(project, options, unsynchronised, again - 1)
            raise GuardRefused(
                "branches kept moving while the claim was made; nothing was changed",
                code="unsettled",
                hint="repeat the command",
            )
        try:
            record(project, outcome.lease, note=options.force)
        except BaseException:
            leases.drop(project, outcome.lease)
            raise
        leases.drop_dead(project, situation.base.by_id)
        return Claimed(outcome.lease, resumed=False)
    if held is not None and not isinstance(held, ClaimHeld):
        raise NothingReady(
            f"no ready task can be claimed here: {held.message}", hint=held.hint or "ralphgit status"
        )
    raise NothingReady("nothing is ready", hint="ralphgit status")


def _heads(project: Project) -> dict[str, str]:
    return {
        name: ref.oid
        for name, ref in project.repository.refs.items()
        if name.startswith(("refs/heads/", "refs/remotes/"))
    }


# -- guards ------------------------------------------------------------------------------


def refuse_unfit(project: Project) -> None:
    """Refuse a worktree in which no record can be written now.

    Raises: GuardRefused: bare, no_commit, detached_head, unfinished_merge, unmerged.
    """
    repository = project.repository
    top = project.top
    project.require_base()
    # Before HEAD: a rebase or bisect detaches it, and the way out is its own.
    if what := repository.under_way():
        raise GuardRefused(
            f"a {what} is under way in this worktree",
            code="unfinished_merge",
            hint="git bisect reset" if what == "bisect"
            else f"git {what} --continue, or git {what} --abort",
        )  # fmt: skip
    worktree = repository.worktree
    if worktree is not None and not worktree.branch:
        raise GuardRefused(
            f"HEAD is detached in {top}; what is committed there belongs to no branch",
            code="detached_head",
            hint="git switch -c NAME",
        )
    if paths := index.unmerged(repository.git):
        raise GuardRefused(
            f"unresolved conflicts in {', '.join(paths[:3])}",
            code="unmerged",
            hint="resolve them, then: git add",
        )


def own_claim(project: Project, situation: Situation) -> Lease | None:
    """The claim that this worktree works on and that the base has not moved past."""
    base = situation.base.by_id
    for lease in mine.open_claims(project, situation):
        if not leases.is_dead(lease, base.get(lease.task)):
            return lease
    return None


def _resume(project: Project, own: Lease, options: Options) -> Claimed:
    """This worktree has a claim: the same task is resumed, another one is refused."""
    row = project.here.by_id.get(own.task)
    recorded = row is not None and row.claim == own.claim
    if options.task and options.task != own.task or not options.task and recorded:
        raise GuardRefused(
            f"this worktree works on {own.task} already (claim {own.claim})",
            code="already_working",
            hint=f"ralphgit complete {own.task}, or ralphgit release {own.task}",
            details={"task": own.task},
        )
    if not recorded:
        record(project, own, note="put back from the lease")
        project.warn(f"the claim on {own.task} was made before; its record has been put back")
    else:
        project.warn(f"{own.task} was this worktree's already")
    return Claimed(own, resumed=True)


def refuse_main_worktree(project: Project, situation: Situation, options: Options) -> None:
    if project.repository.linked or options.force:
        return
    others = {os.path.realpath(worktree.path) for worktree in project.repository.worktrees}
    others.discard(os.path.realpath(project.top))
    for task, flights in situation.flights.items():
        row = situation.base.by_id.get(task)
        for flight in flights:
            beside = flight.path and os.path.realpath(flight.path) in others
            if beside and flight.status == "in-progress" and (
                row is None or row.status not in ("complete", "cancelled") and flight.epoch >= row.epoch
            ):
                raise GuardRefused(
                    f"this is the main worktree, and {flight.by} works on {task} in {flight.where}",
                    code="main_worktree",
                    hint="git worktree add -b NAME ../NAME, and claim there",
                    details={"task": task},
                )


def candidates(project: Project, situation: Situation, options: Options) -> Iterator[Row]:
    if not options.task:
        for row in situation.ready():
            if options.story and row.story != options.story:
                continue
            if options.priority is not None and row.priority > options.priority:
                continue
            yield row
        return
    row = situation.base.by_id.get(options.task)
    if row is None:
        row = project.require_here().row(options.task)
        project.warn(f"{row.id} is not on {project.base.label} yet: it is claimed on this branch only")
    yield row


def refusal(
    project: Project, situation: Situation, row: Row, options: Options
) -> RalphError | None:
    """Why `row` cannot be claimed from here now, or None."""
    task = row.id
    standing = situation.standings.get(task)
    if options.story and row.story != options.story:
        return guarded(task, guards.Refusal(
            "outside_filter", f"{task} is not of story {options.story}", "drop --story"))  # fmt: skip
    if options.priority is not None and row.priority > options.priority:
        return guarded(task, guards.Refusal(
            "outside_filter", f"{task} has priority {row.priority}", "drop --priority"))  # fmt: skip
    if standing is not None:
        taken = _occupied(project, row, standing.state, standing.holder, options)
        if taken is not None:
            return taken
    here = project.require_here().by_id
    if (wrong := guards.contract(row)) is not None:
        return guarded(task, wrong)
    if not options.force:
        stacked = here if options.stack else None
        found = guards.dependencies(row, situation.base.by_id, stacked)
        if found is None and standing is not None and not options.stack:
            found = guards.mode(row, standing)
        if found is None:
            flying = guards.in_flight(situation.base.rows, situation.standings)
            found = guards.overlap(row, flying)
        if found is not None:
            return guarded(task, found)
    if task not in here:
        return guarded(task, guards.Refusal(
            "worktree_behind", f"{task} is on {project.base.label} and not in this worktree",
            f"git merge {project.base.label}"))  # fmt: skip
    if _behind(project, situation.base, row):
        return guarded(task, guards.Refusal(
            "worktree_behind",
            f"{task} has changed on {project.base.label} since this branch left it",
            f"git merge {project.base.label}"))  # fmt: skip
    return None


def guarded(task: str, refusal: guards.Refusal) -> GuardRefused:
    """A guard's "no" as an error."""
    details: dict[str, object] = {"task": task}
    if refusal.related:
        details["related"] = list(refusal.related)
    return GuardRefused(refusal.message, code=refusal.code, hint=refusal.hint, details=details)


def _occupied(
    project: Project, row: Row, state: str, holder: Flight | None, options: Options
) -> RalphError | None:
    if state in ("ready", "waiting"):
        return None
    if state in ("complete", "cancelled"):
        from ralphgit.errors import IllegalMove

        return IllegalMove(
            f"{row.id} is {state}",
            hint=f"ralphgit reset {row.id} --reopen --reason TEXT",
            details={"task": row.id},
        )
    if state == "blocked":
        if options.force:
            return None
        from ralphgit.errors import NeedsPerson

        return NeedsPerson(
            f"{row.id} is blocked and waits for a person",
            code="blocked",
            hint=f"ralphgit show {row.id}; then ralphgit claim {row.id} --force REASON, or ralphgit reset {row.id} --reason TEXT",
            details={"task": row.id},
        )
    on_base = holder is not None and holder.kind == "base"
    if holder is not None and not on_base and options.force:
        project.warn(f"{holder.by} holds {row.id} in {holder.where}; claimed all the same")
        return None
    if holder is not None and not on_base and project.config.lease == "off":
        project.warn(f"{holder.by} holds {row.id} in {holder.where}; leases are off, so the merge decides")
        return None
    return held(project, row.id, holder, state)


def held(project: Project, task: str, holder: Flight | None, state: str = "claimed") -> ClaimHeld:
    """The refusal that names who has the task."""
    who = f"{holder.by} has {task} ({state}), in {holder.where}, since {holder.at}" if holder else f"{task} is held"
    stale = f"its holder is gone or silent: ralphgit reset {task} --reason TEXT" if holder and holder.stale else ""
    details: dict[str, object] = {"task": task}
    if holder is not None:
        details["holder"] = {
            "worker": holder.by, "where": holder.where, "since": holder.at, "claim": holder.claim,
        }  # fmt: skip
        beat = heartbeat.read(holder.path) if holder.path else None
        if beat is not None and beat.claim == holder.claim:
            age = round(max(0.0, project.around.now() - beat.time), 1)
            details["holder"]["heartbeat_age_s"] = age  # type: ignore[index]
            who += f", last heartbeat {age:g} s ago"
    return ClaimHeld(who, hint=stale or "ralphgit next", details=details)


def _held_by_lease(project: Project, task: str, outcome: leases.Held) -> ClaimHeld:
    lease = outcome.by
    if lease is None:
        return held(project, task, None)
    where = f"worktree {project.show_path(lease.worktree)}"
    flight = Flight(task, "in-progress", lease.claim, lease.by, lease.at, lease.epoch, "lease", where, lease.worktree)
    return held(project, task, flight)


def _behind(project: Project, base: GraphView, row: Row) -> bool:
    """Whether the base has a newer form of the task than this worktree knows of."""
    here = project.here
    if base is here or row.id not in base.by_id:
        return False
    ours = _normal(here.text(here.by_id[row.id]))
    theirs = _normal(base.text(base.by_id[row.id]))
    if ours == theirs:
        return False
    fork = project.repository.git.try_run("merge-base", "HEAD", project.base.commit)
    if fork.status:
        return True
    common = project.view(fork.out.decode().strip(), "the merge base")
    known = common.by_id.get(row.id)
    return known is None or _normal(common.text(known)) != theirs


def _normal(block: str) -> str:
    """A block without what may differ with its place in the file and the checkout."""
    return block.replace("\r\n", "\n").rstrip()


# -- the record --------------------------------------------------------------------------


def _new_lease(project: Project, row: Row, unsynchronised: bool) -> Lease:
    worktree = project.repository.worktree
    assert worktree is not None  # refuse_unfit has seen to it
    here = project.here
    task = tasks.task(here.stored(here.row(row.id)))
    return Lease(
        task=row.id,
        claim=project.around.new_id(),
        by=project.worker,
        at=project.now(),
        base=project.base.commit[:12],
        contract=contract(task),
        epoch=max(row.epoch, task.epoch),
        start=worktree.head,
        branch=worktree.branch.removeprefix("refs/heads/"),
        worktree=project.top,
        host=heartbeat.host(),
        unsynchronised=unsynchronised,
    )


def record(project: Project, lease: Lease, *, note: str = "") -> None:
    """Write the claim of `lease` into the task's block and the audit, and stage both.

    On a failure both files and the index are as before.

    Raises: IllegalMove, InvalidRecord, NotWritable, GitError.
    """
    from ralphgit.model.task import Claim

    made = Claim(
        id=lease.claim, by=lease.by, at=lease.at, base=lease.base,
        contract=lease.contract, unsynchronised=lease.unsynchronised,
    )  # fmt: skip
    file, number = parsed_here(project, lease.task)
    old = tasks.lifecycle(file.tasks[number])
    new = lifecycle.claimed(lease.task, old, made)
    event = audit.Event(lease.at, "claimed", lease.by, old.status.value, new.status.value, note)
    path = audit.path(project.config.records, lease.task, lease.claim)
    runtime.prepare(project)
    with index.Snapshot(project.repository) as staged, files.Undo() as undo:
        undo.on_failure(staged.restore)
        stage_graph(project, undo, file, splice.set_lifecycle(file, number, new), number, new)
        write_audit(project, undo, path, event, lease.task, lease.claim)
        index.add(project.repository.git, [path])
        runtime.remember(project, lease)


def parsed_here(project: Project, task: str) -> tuple[graph.GraphFile, int]:
    """The file of this worktree that has `task`, and the task's number in it.

    Raises: UnknownTask, InvalidRecord.
    """
    row = project.require_here().row(task)
    content = project.here.content(row.file)
    found = graph.parse(
        content.encode("utf-8"), path=row.file, limit=project.config.max_graph_bytes
    )
    number = next(n for n, stored in enumerate(found.tasks) if stored["id"] == task)
    return found, number


def stage_graph(
    project: Project, undo: files.Undo, file: graph.GraphFile, text: str, number: int, life: object
) -> None:
    """Write a graph file and stage just this change.

    Where the user has other edits in the same file that are not staged, they stay so: the
    staged form gets the same change on its own. The caller restores the index on failure.
    """
    from ralphgit.model.task import Lifecycle

    repository = project.repository
    others = index.changed(repository.git, [file.path])
    undo.write(os.path.join(project.top, file.path), text.encode("utf-8"))
    if not others:
        index.add(repository.git, [file.path])
        return
    assert isinstance(life, Lifecycle)
    staged = repository.git.run("cat-file", "blob", f":{file.path}")
    indexed = graph.parse(staged, path=file.path, limit=project.config.max_graph_bytes)
    task = file.tasks[number]["id"]
    place = next((n for n, stored in enumerate(indexed.tasks) if stored["id"] == task), None)
    if place is None:
        index.add(repository.git, [file.path])
        return
    made = splice.set_lifecycle(indexed, place, life)
    oid = repository.objects.write_blob(made.encode("utf-8"))
    repository.git.run("update-index", "--cacheinfo", f"100644,{oid},{file.path}")


def write_audit(
    project: Project, undo: files.Undo, path: str, event: audit.Event, task: str, claim_id: str
) -> None:
    """Append one event to the attempt's audit file."""
    full = os.path.join(project.top, path)
    undo.write(full, audit.appended(files.read(full), event, path=path, task=task, claim=claim_id))
