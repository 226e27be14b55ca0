"""List and show tasks: this worktree's, or those of any revision."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ralphgit.app.active_claims import next_tasks
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.next_tasks import Pair
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.revisions import view_at
from ralphgit.model.task_row import Row
from ralphgit.rules.readiness import TaskState, TaskStates


def listed(project: Project, *, story: str = "", state: str = "", at: str = "") -> list[Pair]:
    """List the tasks of this worktree, or of the revision `at`, in file order.

    The base says what state they are in; a revision is judged by itself alone.

    Raises: InvalidRecord; UsageError (bad_revision); GuardRefused (bare).
    """
    pairs = next_tasks.pairs(project, view_at(project, at), alone=bool(at))
    return [
        (row, task_state)
        for row, task_state in pairs
        if (not story or row.story == story) and (not state or task_state.state == state)
    ]


class Dependency(NamedTuple):
    task: str
    state: str
    """"unknown" where there is no such task."""


class Shown(NamedTuple):
    """One task in full."""

    row: Row
    task_state: TaskState
    stored: dict[str, Any]
    """Its normalised mapping."""
    dependencies: tuple[Dependency, ...]
    contract: str
    """What its contract is now, where that is not what its claim promised; else ""."""
    changed_on: str = ""
    """The base's name, where the contract is another one there, and not in this view."""
    archived: bool = False
    """It is in the archive: `file` and `line` of its row are those there."""


def shown(project: Project, task: str, *, at: str = "") -> Shown:
    """Show one task of this worktree, or of the revision `at`.

    Raises: UnknownTask; else as `listed`.
    """
    view = view_at(project, at)
    if task not in view.by_id and view.archive.entry(task) is not None:
        return _archived(view, task)
    row = view.row(task)
    states = next_tasks.states(project, view, (task, *row.depends_on), alone=bool(at))
    found = _shown(view, row, states)
    if at or found.contract or not project.base.commit or row.status == "complete":
        return found
    there = project.base_view
    if task not in there.by_id or not (changed := _changed_contract(there, row)):
        return found
    return found._replace(contract=changed, changed_on=project.base.label)


def judged(claim_map: ClaimMap, task: str) -> Shown:
    """Show one task as the base has it. Raises: UnknownTask."""
    return _shown(claim_map.base, claim_map.base.row(task), claim_map.task_states)


def _shown(view: GraphView, row: Row, task_states: Mapping[str, TaskState]) -> Shown:
    return Shown(
        row,
        task_states[row.id],
        view.stored(row),
        tuple(
            Dependency(other, _state(view, other, task_states))
            for other in view.stored(row).get("depends_on") or ()
        ),
        _changed_contract(view, row),
    )


def _state(view: GraphView, task: str, task_states: Mapping[str, TaskState]) -> str:
    if task in task_states:
        return task_states[task].state
    row = view.known(task)
    return row.status if row is not None else "unknown"


def _archived(view: GraphView, task: str) -> Shown:
    from ralphgit.records import archive_file

    row = archive_file.row_of(view.archive.task(task))
    path, line = view.archive.place(task)
    row = row._replace(file=path, line=line)
    stored = view.stored(row)
    needs = tuple(
        Dependency(other, _state(view, other, {})) for other in stored.get("depends_on") or ()
    )
    return Shown(row, TaskStates([row], {})[row.id], stored, needs, "", archived=True)


def _changed_contract(view: GraphView, row: Row) -> str:
    """What a view promises under the claim of `row`, where that is something else; else ""."""
    if not row.contract:
        return ""
    from ralphgit.rules.contract_digest import contract, keeps

    now = view.task(row.id)
    return "" if keeps(now, row.contract, row.title) else contract(now)
