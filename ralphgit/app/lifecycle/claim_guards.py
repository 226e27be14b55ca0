"""What refuses a claim: this worktree, whoever has the task, and what is in flight (SPEC 4)."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.app.active_claims import leases, own_claims
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.lifecycle import claim_errors
from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import ClaimHeld, GuardRefused, IllegalMove, NeedsPerson, RalphError
from ralphgit.git import index, worktrees
from ralphgit.model.active_claim import ActiveClaim, Lease
from ralphgit.model.task_row import Row
from ralphgit.rules import claim_rules, lost_claim


class ClaimOptions(NamedTuple):
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


def refuse_unfit(project: Project) -> None:
    """Refuse a worktree in which no record can be written now.

    Raises: GuardRefused: bare, no_commit, odd_path, detached_head, unfinished_merge, unmerged.
    """
    repository = project.repository
    top = project.top
    conflicts = index.unmerged(repository)
    project.require_base()
    try:
        top.encode("utf-8")
    except UnicodeEncodeError:
        raise GuardRefused(
            f"the path {top} is not UTF-8, so no lease can name this worktree",
            code="odd_path",
            hint="git worktree move",
        ) from None
    # Before HEAD: a rebase or bisect detaches it, and the way out is its own.
    if what := repository.under_way():
        hint = f"git {what} --continue, or git {what} --abort"
        if _has_records(project, conflicts.read()):
            hint = f"ralphgit resolve, then git {what} --continue; or git {what} --abort"
        raise GuardRefused(
            f"a {what} is under way in this worktree",
            code="unfinished_merge",
            hint="git bisect reset" if what == "bisect" else hint,
        )
    worktree = repository.worktree
    if worktree is not None and not worktree.branch:
        raise GuardRefused(
            f"HEAD is detached in {top}; what is committed there belongs to no branch",
            code="detached_head",
            hint="git switch -c NAME",
        )
    if paths := conflicts.read():
        raise GuardRefused(
            f"unresolved conflicts in {', '.join(paths[:3])}",
            code="unmerged",
            hint="ralphgit resolve" if _has_records(project, paths)
            else "resolve them, then: git add",
        )  # fmt: skip


def _has_records(project: Project, paths: Sequence[str]) -> bool:
    from ralphgit.app.workspace.record_paths import is_record

    return any(is_record(project, path) for path in paths)


def own_claim(project: Project, claim_map: ClaimMap) -> Lease | None:
    """The claim that this worktree works on and that the base has not moved past."""
    base = claim_map.base.by_id
    for lease in own_claims.open_claims(project, claim_map):
        if not lost_claim.is_dead(lease, base.get(lease.task)):
            return lease
    return None


def refuse_lost(project: Project, claim_map: ClaimMap) -> None:
    """Refuse to begin beside the record of a claim that is lost: it would travel along.

    Raises: ClaimLost.
    """
    here = project.here.by_id
    for lease in own_claims.open_claims(project, claim_map):
        row = here.get(lease.task)
        winner = own_claims.winner_over(claim_map, lease)
        if winner and row is not None and row.claim == lease.claim:
            raise claim_errors.lost(lease, winner)


def already_working(own: Lease) -> GuardRefused:
    """The refusal of a second claim in one worktree."""
    return GuardRefused(
        f"this worktree works on {own.task} already (claim {own.claim})",
        code="already_working",
        hint=f"ralphgit complete {own.task}, or ralphgit release {own.task}",
        details={"task": own.task},
    )


def refuse_main_worktree(project: Project, claim_map: ClaimMap, options: ClaimOptions) -> None:
    """Refuse the main worktree while another one has a claim. Raises: GuardRefused."""
    if project.repository.linked or options.force:
        return
    others = {os.path.realpath(worktree.path) for worktree in project.repository.worktrees}
    others.discard(os.path.realpath(project.top))
    for task, active_claims in claim_map.active_claims.items():
        row = claim_map.base.by_id.get(task)
        over = {active.claim for active in active_claims if active.status != "in-progress"}
        for active in active_claims:
            beside = active.path and os.path.realpath(active.path) in others
            if beside and active.claim not in over and not _settled(row, active):
                raise GuardRefused(
                    f"this is the main worktree, and {active.by} works on {task} in {active.where}",
                    code="main_worktree",
                    hint="git worktree add -b NAME ../NAME, and claim there",
                    details={"task": task},
                )


def _settled(row: Row | None, active: ActiveClaim) -> bool:
    """Whether the base has moved past a flight."""
    return row is not None and (row.status in ("complete", "cancelled") or active.epoch < row.epoch)


def candidates(project: Project, claim_map: ClaimMap, options: ClaimOptions) -> Iterator[Row]:
    """What a claim may take, in the order in which it tries. Raises: UnknownTask."""
    if not options.task:
        for row in claim_map.ready():
            if options.story and row.story != options.story:
                continue
            if options.priority is not None and row.priority > options.priority:
                continue
            yield row
        return
    known = claim_map.base.by_id.get(options.task)
    if known is None:
        known = project.require_here().row(options.task)
        label = project.base.label
        project.warn(f"{known.id} is not on {label} yet: it is claimed on this branch only")
    yield known


def refusal(
    project: Project, claim_map: ClaimMap, row: Row, options: ClaimOptions
) -> RalphError | None:
    """Why `row` cannot be claimed from here now, or None."""
    task = row.id
    task_state = claim_map.task_states.get(task)
    if options.story and row.story != options.story:
        sentence = f"{task} is not of story {options.story}"
        return guarded(task, claim_rules.Refusal("outside_filter", sentence, "drop --story"))
    if options.priority is not None and row.priority > options.priority:
        sentence = f"{task} has priority {row.priority}"
        return guarded(task, claim_rules.Refusal("outside_filter", sentence, "drop --priority"))
    if task_state is not None:
        taken = _occupied(project, row, task_state.state, task_state.holder, options)
        if taken is not None:
            return taken
    here = project.require_here().by_id
    if (wrong := claim_rules.contract(row)) is not None:
        return guarded(task, wrong)
    if not options.force:
        stacked = here if options.stack else None
        found = claim_rules.dependencies(row, claim_map.base.by_id, stacked)
        if found is None and task_state is not None and not options.stack:
            found = claim_rules.mode(row, task_state)
        if found is None:
            active_tasks = claim_map.task_states.active_tasks
            active_scopes = claim_rules.ActiveScopes.of(active_tasks, project.config.generated)
            found = claim_rules.overlap(row, active_scopes)
        if found is not None:
            return guarded(task, found)
    if task not in here:
        return guarded(task, claim_rules.Refusal(
            "worktree_behind", f"{task} is on {project.base.label} and not in this worktree",
            f"git merge {project.base.label}"))  # fmt: skip
    if _behind(project, claim_map.base, row):
        return guarded(task, claim_rules.Refusal(
            "worktree_behind",
            f"{task} has changed on {project.base.label} since this branch left it",
            f"git merge {project.base.label}"))  # fmt: skip
    return None


def guarded(task: str, refusal: claim_rules.Refusal) -> GuardRefused:
    """A guard's "no" as an error."""
    details: dict[str, object] = {"task": task}
    if refusal.related:
        details["related"] = list(refusal.related)
    return GuardRefused(refusal.message, code=refusal.code, hint=refusal.hint, details=details)


def _occupied(
    project: Project, row: Row, state: str, holder: ActiveClaim | None, options: ClaimOptions
) -> RalphError | None:
    if state in ("ready", "waiting"):
        return None
    if state in ("complete", "cancelled"):
        return IllegalMove(
            f"{row.id} is {state}",
            hint=f"ralphgit reset {row.id} --reopen --reason TEXT",
            details={"task": row.id},
        )
    if state == "blocked":
        if options.force:
            return None
        return NeedsPerson(
            f"{row.id} is blocked and waits for a person",
            code="blocked",
            hint=f'ralphgit inbox; then ralphgit reply {row.id} "TEXT"',
            details={"task": row.id},
        )
    if holder is not None and holder.kind != "base":
        sentence = f"{holder.by} holds {row.id} in {holder.where}"
        if options.force:
            project.warn(f"{sentence}; claimed all the same")
            return None
        if project.config.lease == "off":
            project.warn(f"{sentence}; leases are off, so the merge decides")
            return None
    return held(project, row.id, holder, state)


def held(
    project: Project, task: str, holder: ActiveClaim | None, state: str = "claimed"
) -> ClaimHeld:
    """The refusal that names who has the task."""
    if holder is None:
        hint = "ralphgit next"
        if state == "in-progress":
            hint = f"no claim says by whom: ralphgit reset {task} --reason TEXT"
        return ClaimHeld(f"{task} is held", hint=hint, details={"task": task})
    # Who set the status by hand has left no claim.
    since = f", since {holder.at}" if holder.at else ", and no claim says who"
    who = f"{holder.by or 'somebody'} has {task} ({state}), in {holder.where}{since}"
    told: dict[str, object] = {
        "worker": holder.by, "where": holder.where, "since": holder.at, "claim": holder.claim,
    }  # fmt: skip
    beat = heartbeat.read(holder.path) if holder.path else None
    if beat is not None and beat.claim == holder.claim:
        age = round(max(0.0, project.around.now() - beat.time), 1)
        told["heartbeat_age_s"] = age
        who += f", last heartbeat {age:g} s ago"
    hint = "ralphgit next"
    if holder.stale:
        hint = f"its holder is gone or silent: ralphgit reset {task} --reason TEXT"
    return ClaimHeld(who, hint=hint, details={"task": task, "holder": told})


def held_by_lease(project: Project, task: str, outcome: leases.LeaseHeld) -> ClaimHeld:
    """The refusal of a task whose lease was taken in the meantime."""
    lease = outcome.by
    if lease is None:
        return held(project, task, None)
    where = f"worktree {project.show_path(lease.worktree)}"
    active = ActiveClaim(
        task, "in-progress", lease.claim, lease.by, lease.at, lease.epoch,
        "lease", where, lease.worktree,
    )  # fmt: skip
    return held(project, task, active)


def _behind(project: Project, base: GraphView, row: Row) -> bool:
    """Whether the base has a newer form of the task than this worktree knows of."""
    here = project.here
    if base is here or row.id not in base.by_id:
        return False
    if here.shard(here.by_id[row.id].file) in base.shards:
        return False
    ours = _normal(here.text(here.by_id[row.id]))
    theirs = _normal(base.text(base.by_id[row.id]))
    if ours == theirs:
        return False
    fork = worktrees.fork(project.repository.git, "HEAD", project.base.commit)
    if not fork:
        return True
    common = project.view(fork, "the merge base")
    known = common.by_id.get(row.id)
    return known is None or _normal(common.text(known)) != theirs


def _normal(block: str) -> str:
    """A block without what may differ with its place in the file and the checkout."""
    return block.replace("\r\n", "\n").rstrip()
