"""Give up one side's claim in the middle of a merge; its work is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ralphgit.app.active_claims import leases, recovery_commands
from ralphgit.app.active_claims.claim_map import read_leases
from ralphgit.app.conflicts.merge_sides import Sides
from ralphgit.app.conflicts.task_merge import Open
from ralphgit.app.lifecycle import rescue_refs
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, InvalidRecord, Refused, UsageError
from ralphgit.model.active_claim import RESCUE
from ralphgit.model.ids import parse_task_id
from ralphgit.model.task import Lifecycle
from ralphgit.model.task_row import Row
from ralphgit.model.three_way_merge import Side
from ralphgit.records import input_limits as texts
from ralphgit.records import task_mapping, yaml_reader


class Yield(NamedTuple):
    """A claim that is to be given up."""

    task: str
    side: Side
    claim: str
    by: str


class Yielded(NamedTuple):
    task: str
    claim: str
    by: str
    rescue: str
    """The ref that has the work; "" where the base has it, or there was nothing."""
    records: tuple[str, ...]
    """The paths removed from the result."""


def change_id(life: Lifecycle | None) -> str:
    """Return the id of a lifecycle change: the claim's, else of the record in its place."""
    if life is None:
        return ""
    record = life.claim or life.reset or life.cancelled
    return record.id if record else ""


def landed(project: Project, sides: Sides, one: Open) -> Side | None:
    """Find the side that is the base's: by history, else by what the base says now."""
    if sides.landed is not None or one.lives is None:
        return sides.landed
    try:
        row = project.base_view.by_id.get(one.task)
    except (InvalidRecord, GuardRefused):
        return None
    if row is None:
        return None
    life = task_mapping.lifecycle(project.base_view.stored(row))
    same = [side for side in Side if one.lives.of(side) == life]
    return same[0] if len(same) == 1 else None


def choose(
    project: Project,
    sides: Sides,
    doubles: Mapping[str, Open],
    merged: Mapping[str, Row],
    told: tuple[str, ...],
) -> dict[str, Yield]:
    """Find the claims that `--yield ID` or `--yield ID/CLAIM` gives up, without finished ones.

    `merged` are the tasks that are no longer in conflict.

    Raises: UsageError (bad_id, which_claim), Refused (nothing_to_yield), GuardRefused (landed).
    """
    found: dict[str, Yield] = {}
    for word in told:
        name, _, claim = word.partition("/")
        task = parse_task_id(name)
        one = doubles.get(task)
        if one is None or one.lives is None:
            if task not in merged or not _finish(project, sides, task, merged[task].claim):
                raise Refused(
                    f"{task} does not have two claims in this conflict; nothing was changed",
                    code="nothing_to_yield", hint="ralphgit resolve",
                    details={"task": task},
                )  # fmt: skip
            continue
        base = landed(project, sides, one)
        ids = {change_id(one.lives.of(each)): each for each in Side}
        each, ways = " and ".join(ids), f"ralphgit resolve --yield {task}/CLAIM"
        if claim and claim not in ids:
            message = f"neither side of {task} has claim {claim}: they have {each}"
            raise UsageError(message, code="which_claim", hint=ways)
        side = ids[claim] if claim else base.other if base else None
        if side is None:
            message = f"neither side of {task} is known to have landed: say which of {each}"
            raise UsageError(message, code="which_claim", hint=ways)
        if side is base:
            raise GuardRefused(
                f"{claim} of {task} has landed on {project.base.label}, which a merge cannot undo; "
                "nothing was changed; a reset from the main worktree takes it back",
                code="landed", hint=recovery_commands.reset_command(project, task),
                details={"task": task},
            )  # fmt: skip
        life = one.lives.of(side)
        by = life.claim.by if life and life.claim else project.worker
        found[task] = Yield(task, side, change_id(life), by)
    return found


def keep(project: Project, sides: Sides, one: Yield) -> str:
    """Keep the work of the side that yields in a ref, and return it; "" if the base has it already.

    For a side that is not a commit (a stash, a squash merge), all files of this worktree are kept.
    """
    commit = sides.commit(one.side)
    if commit:
        return rescue_refs.commit(project, commit, one.task, one.claim).ref
    return rescue_refs.worktree(project, project.top, one.task, one.claim, one.by).ref


def records_of(
    project: Project, entries: Mapping[str, str], one: Yield, kept: frozenset[str]
) -> Iterator[str]:
    """List the records of a claim among `entries` (path and blob), except those in `kept`."""
    objects = project.repository.objects
    prefixes = tuple(
        f"{project.config.records}/{kind}/{one.task}/" for kind in ("evidence", "audit", "guidance")
    )
    own = {path: oid for path, oid in entries.items() if path.startswith(prefixes)}
    blobs = objects.read(own.values())
    for path, oid in own.items():
        if path not in kept and _claim_of(blobs[oid]) == one.claim:
            yield path


def _claim_of(data: bytes) -> str:
    try:
        known: Any = yaml_reader.load(texts.decode(data, limit=texts.MAX_RECORD_BYTES))
    except InvalidRecord:
        return ""
    return str(known.get("claim") or "") if isinstance(known, dict) else ""


def let_go(project: Project, one: Yield) -> None:
    """Drop the lease of a claim that was given up, and forget it in this worktree."""
    lease = read_leases(project).get(one.task)
    if lease is not None and lease.claim == one.claim:
        leases.drop(project, lease)
    noted = runtime_files.remembered(project.top)
    if noted is not None and noted.claim == one.claim:
        runtime_files.forget(project.top)


def _finish(project: Project, sides: Sides, task: str, stands: str) -> bool:
    """Finish a `--yield` that was killed, or is repeated; return whether there was one.

    The work of a claim has been kept, and the index has another claim: `stands`.
    """
    prefix = f"{RESCUE}{task}/"
    refs = project.repository.refs
    kept = {name.removeprefix(prefix) for name in refs if name.startswith(prefix)}
    claims = set()
    for commit in (sides.merge.ours, sides.merge.theirs, sides.merge.whole) if kept else ():
        row = project.view(commit, commit[:12]).by_id.get(task) if commit else None
        claims.add(row.claim if row else "")
    for claim in sorted((claims & kept) - {stands}):
        let_go(project, Yield(task, Side.OURS, claim, ""))
        project.warn(f"{task} was yielded already (claim {claim})")
        return True
    return False
