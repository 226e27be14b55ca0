"""Add and change tasks in this worktree's files; stage and commit nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ralphgit.app.active_claims import next_tasks, recovery_commands
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.next_tasks import Pair
from ralphgit.app.active_claims.own_claims import open_claims
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.tasks import given_fields, placement
from ralphgit.app.tasks.given_fields import Fields
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, InvalidRecord, UsageError
from ralphgit.model import path_patterns
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.ids import parse_task_id
from ralphgit.model.task import Event
from ralphgit.model.task_row import Row
from ralphgit.records import atomic_files, audit_file, graph_file, splice_task, task_mapping
from ralphgit.rules import cycles, lifecycle
from ralphgit.rules.contract_digest import contract
from ralphgit.rules.cycles import find_cycles
from ralphgit.rules.readiness import TaskState, TaskStates


class Changed(NamedTuple):
    """A task as it is now, and the files that were written."""

    row: Row
    task_state: TaskState
    files: tuple[str, ...]


# -- add -----------------------------------------------------------------------------------


def add(
    project: Project, fields: Fields, *, task: str = "", file: str = "", after: str = ""
) -> Changed:
    """Append a task to the graph; where, and with which id, `placement` says.

    Every other byte of the file stays; on a failure all of them do.

    Raises: UsageError; InvalidRecord (duplicate_id, cycle, no_graph, too_large);
    NotWritable.
    """
    if fields.title is None:
        raise UsageError("a task needs a title", hint="--title TEXT")
    given = given_fields.stored(fields, {})
    _warn_brackets(project, fields)
    there = placement.base_rows(project)
    known = {row.id: row for row in (*there, *project.here.rows)}
    story = fields.story or ""
    name = parse_task_id(task or placement.free_id(project, [*known.values()], story))
    refuse_twin(project, name, there)
    made: dict[str, Any] = {"id": name, "title": fields.title, "status": "pending", **given}
    place = placement.place(project, name, story=story, file=file, after=after)
    _refuse_cycle(project, name, fields.depends_on or (), place.path)
    _warn_unknown(project, name, fields.depends_on or (), known)
    text = splice_task.append_task(place.text, made, after=place.after, path=place.path)
    _write(project, place.path, text)
    return changed(project, name, place.path)


def refuse_twin(project: Project, name: str, there: Iterable[Row], *, but: str = "") -> None:
    """Refuse an id that a task other than `but` has. Raises: InvalidRecord (duplicate_id)."""
    hint = "ralphgit list" if but else "choose another --id, or leave it out"
    places = ((project.here.rows, ""), (there, f"{project.base.label}:"))
    for rows, prefix in places:
        for row in rows:
            if row.id.casefold() == name.casefold() and row.id != but:
                raise InvalidRecord(
                    f"the task {row.id} already exists; nothing was written",
                    file=prefix + row.file, line=row.line, task=row.id, code="duplicate_id",
                    hint=hint,
                )  # fmt: skip
    for archive in placement.archives(project):
        if (entry := archive.entry(name)) is not None and entry.id != but:
            raise InvalidRecord(
                f"the task {entry.id} is in the archive, and an id is never given twice; "
                "nothing was written",
                file=archive.place(name)[0], task=entry.id, code="duplicate_id",
                hint=hint,
            )  # fmt: skip


# -- edit ----------------------------------------------------------------------------------

#: What `edit --remove` leaves alone: without it there is no task, or it is not the user's.
_KEPT = ("id", "title", *task_mapping.LIFECYCLE_KEYS)
_SPELLINGS = {"output": "outputs", "resource": "scope.resources", "resources": "scope.resources",
              "write": "scope.write", "read": "scope.read", "depends-on": "depends_on"}  # fmt: skip


def edit(project: Project, task: str, fields: Fields, *, remove: tuple[str, ...] = ()) -> Changed:
    """Set fields of a task, lists as a whole, and take out the fields in `remove`.

    Nothing but these fields changes in the file. What the task is like already is not
    written again.

    Raises: UnknownTask, UsageError; InvalidRecord (cycle, unclear_layout); NotWritable.
    """
    row = project.require_here().row(task)
    old = project.here.stored(row)
    wanted = given_fields.stored(fields, old)
    _warn_brackets(project, fields)
    if fields.title is not None:
        wanted = {"title": fields.title, **wanted}
    if not wanted and not remove:
        raise UsageError(f"no change to {task} was given", hint="ralphgit edit --help")
    drop = _scope_and_drop(task, old, wanted, remove)
    wanted = {name: value for name, value in wanted.items() if old.get(name) != value}
    if not wanted and not drop:
        project.warn(f"{task} already has these values; nothing was written")
        return changed(project, task)
    if "depends_on" in wanted:
        known = {other.id for other in (*placement.base_rows(project), *project.here.rows)}
        _refuse_cycle(project, task, wanted["depends_on"], row.file)
        _warn_unknown(project, task, wanted["depends_on"], known)
    file, number = _parsed(project, row)
    before = contract(project.here.task(task))
    try:
        text = splice_task.set_fields(file, number, wanted, drop=drop)
    except InvalidRecord as error:
        if error.code == "unclear_layout":
            error.hint = f"ralphgit edit {task} --block"
        raise
    _write(project, row.file, text)
    if contract(project.here.task(task)) != before and (holder := _holder(project, task)):
        project.warn(
            f"{holder} has claimed {task}, and what it promises has changed: "
            "completing it will need --accept-contract"
        )
    return changed(project, task, row.file)


def _scope_and_drop(
    task: str, old: Mapping[str, Any], wanted: dict[str, Any], remove: Iterable[str]
) -> tuple[str, ...]:
    """The keys to take out; `scope` in `wanted` becomes all that it is to be."""
    known, told = old.get("scope") or {}, wanted.pop("scope", {})
    scope = {**known, **told}
    drop = []
    for spelling in remove:
        name = _SPELLINGS.get(spelling, spelling)
        if name in _KEPT:
            hint = "edit --title, or edit --cancel REASON" if name == "title" else "ralphgit --help"
            raise UsageError(f"edit cannot remove {name}", code="kept_field", hint=hint)
        outer, _, inner = name.partition(".")
        if name in wanted or inner in told or (name == "scope" and told):
            raise UsageError(f"{name} cannot be both set and removed", hint="use one of the two")
        if outer == "scope" and inner in scope:
            del scope[inner]
        elif name in old:
            drop.append(name)
        else:
            raise UsageError(f"{task} has no {name}", code="no_field", hint=f"ralphgit show {task}")
    if scope != known and "scope" not in drop:
        if scope:
            wanted["scope"] = scope
        else:
            drop.append("scope")
    return tuple(dict.fromkeys(drop))


def to_block_style(project: Project, task: str) -> Changed:
    """Write a task in block style, its values unchanged, and nothing else.

    One that can be edited in place is in block style already, and keeps its comments.

    Raises: UnknownTask, InvalidRecord, NotWritable.
    """
    row = project.require_here().row(task)
    file, number = _parsed(project, row)
    try:
        splice_task.set_fields(file, number, {"title": row.title})
    except InvalidRecord:
        pass
    else:
        project.warn(f"{task} is already in block style; nothing was written")
        return changed(project, task)
    _write(project, row.file, splice_task.to_block_style(file, number))
    return changed(project, task, row.file)


def cancel(project: Project, task: str, reason: str) -> Changed:
    """Cancel a task: record that it will not be done.

    A claim of this worktree ends with it; its lease goes once the base has heard of it.

    Raises: UnknownTask, IllegalMove, UsageError; ClaimHeld when somebody else has the task;
    InvalidRecord, NotWritable.
    """
    from ralphgit.app.lifecycle import claim_errors, claim_facts, write_audit_and_graph
    from ralphgit.model.task import Cancelled

    given_fields.require_text("the reason", reason)
    row = project.require_here().row(task)
    old = task_mapping.lifecycle(project.here.stored(row))
    if (holder := _other_holder(project, row)) is not None:
        refusal = claim_errors.of(claim_facts.held(project, task, *holder))
        refusal.message += f"; if {holder[0].by} is gone, reset it first"
        refusal.hint = recovery_commands.reset_command(project, task)
        raise refusal
    identity, at, by = project.around.new_id(), project.now(), project.worker
    new = lifecycle.cancelled(task, old, Cancelled(id=identity, by=by, at=at, reason=reason))
    file, number = _parsed(project, row)
    text = splice_task.set_lifecycle(file, number, new)
    written = [row.file]
    with atomic_files.Undo() as undo:
        undo.write(project.file(row.file), text.encode("utf-8"))
        if row.claim:
            # The words of an attempt's audit are fixed; a cancellation is a release for good.
            event = Event(at, "released", by, old.status.value, new.status.value, reason)
            written.append(audit_file.path(project.config.records, task, row.claim))
            write_audit_and_graph.write_audit(project, undo, written[-1], event, task, row.claim)
    project.written()
    return changed(project, task, *written)


def _other_holder(project: Project, row: Row) -> tuple[ActiveClaim, str] | None:
    """Return the claim of another worker on the task, and the state of the task."""
    if not project.base.commit:
        return None
    synchronise(project, settle=False)
    claim_map = ClaimMap(project)
    if any(lease.task == row.id for lease in open_claims(project, claim_map)):
        return None
    task_state = claim_map.task_states.get(row.id)
    if task_state is None:
        task_state = TaskStates([row], claim_map.active_claims)[row.id]
    holder, state = task_state.holder, task_state.state
    if holder is None or state in ("complete", "cancelled"):
        return None
    if state == "blocked" and holder.kind == "base":
        return None
    if holder.path and os.path.realpath(holder.path) == os.path.realpath(project.top):
        return None
    return holder, state


def _holder(project: Project, task: str) -> str:
    """Who works on the task, here or elsewhere; "" if nobody does."""
    row = project.here.row(task)
    if row.claim and row.status in ("in-progress", "blocked"):
        return row.by
    _, task_state = _pair(project, task)
    if task_state.holder is None or task_state.state in ("complete", "cancelled"):
        return ""
    return task_state.holder.by


# -- what both do --------------------------------------------------------------------------


def _refuse_cycle(project: Project, task: str, needs: Iterable[str], path: str) -> None:
    """Refuse dependencies that close a cycle; one that is there already is for `check`."""
    edges = {row.id: row.depends_on for row in project.here.rows}
    before = find_cycles(edges)
    for cycle in find_cycles({**edges, task: tuple(needs)}):
        if cycle not in before:
            raise InvalidRecord(
                f"a cycle of dependencies: {cycles.as_text(cycle)}; nothing was written",
                file=path, line=_line(project, task), task=task, code="cycle",
                hint="leave out one of these dependencies",
            )  # fmt: skip


def _line(project: Project, task: str) -> int:
    row = project.here.by_id.get(task)
    return row.line if row else 1


def _warn_unknown(project: Project, task: str, needs: Iterable[str], known: Iterable[str]) -> None:
    there = {task, *known}
    unknown = [one for one in needs if one not in there and project.here.known(one) is None]
    if unknown:
        project.warn(f"{task} depends on {', '.join(unknown)}, which does not exist")


def _warn_brackets(project: Project, fields: Fields) -> None:
    def exists(path: str) -> bool:
        return os.path.lexists(os.path.join(project.top, path))

    for pattern in (*(fields.write or ()), *(fields.read or ())):
        if meant := path_patterns.literal_brackets(pattern, exists):
            project.warn(
                f"in the pattern {pattern} brackets are a choice of characters; "
                f"for what is called so write: {meant}"
            )


def _parsed(project: Project, row: Row) -> tuple[graph_file.GraphFile, int]:
    """The task's file, and the task's number in it. Raises: InvalidRecord."""
    from ralphgit.app.lifecycle.write_audit_and_graph import parsed_here

    return parsed_here(project, row.id)


def _write(project: Project, path: str, text: str) -> None:
    """Put a graph file in its place, once it is certain that it can be read again.

    Raises: InvalidRecord (too_large), GuardRefused, NotWritable.
    """
    data = text.encode("utf-8")
    graph_file.parse(data, path=path, limit=project.config.max_graph_bytes)
    full = project.file(path)
    if os.path.isdir(full):
        raise GuardRefused(f"{path} is a folder", code="in_the_way", hint="--file PATH")
    with atomic_files.Undo() as undo:
        undo.write(full, data)
    project.written()


def changed(project: Project, task: str, *written: str) -> Changed:
    """Return a task as it is now, with the files that were written."""
    return Changed(*_pair(project, task), written)


def _pair(project: Project, task: str) -> Pair:
    """Return the task with its state; by this worktree alone where the base cannot be read."""
    try:
        return next_tasks.pair(project, task)
    except InvalidRecord as error:
        project.warn(f"{error}; the state is this worktree's own")
        view = project.require_here()
        return next(
            pair for pair in next_tasks.pairs(project, view, alone=True) if pair[0].id == task
        )
