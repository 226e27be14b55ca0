"""List tasks with their states, and those that may be taken; change nothing (law L8)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.model.task_row import Row
from ralphgit.rules.indexed_states import IndexedStates, Made, StoryStates
from ralphgit.rules.readiness import TaskState, TaskStates, compared

if TYPE_CHECKING:
    from ralphgit.rules.active_scopes import BadPattern, Overlap
    from ralphgit.rules.claim_options import ClaimOptions, Priorities, Unprovided

Pair = tuple[Row, TaskState]


class Takeable(NamedTuple):
    tasks: Sequence[Pair]
    obstacles: dict[str, "BadPattern | Overlap | Unprovided"]
    """What keeps the other ready ones from being claimed, by task."""


def takeable(
    project: Project,
    *,
    story: str = "",
    priority: "Priorities | None" = None,
    task: str = "",
    claim_map: ClaimMap | None = None,
) -> Takeable:
    """The ready tasks that a claim would not refuse, in the order it would take them; or just
    `task`, whatever its story and priority.
    """
    # What only shows tasks needs none of these.
    from ralphgit.app.workspace import clone_limits
    from ralphgit.rules import active_scopes
    from ralphgit.rules.active_scopes import ActiveScopes
    from ralphgit.rules.claim_options import ClaimOptions, Unprovided, lacking

    clone_limits.warn(project)
    claim_map = claim_map or ClaimMap(project)
    task_states = claim_map.task_states
    scopes = ActiveScopes.of(task_states.active_tasks, project.config.generated)
    near = task_states.touching(scopes.heads)
    ready = wanted(claim_map, ClaimOptions(task, story, priority))
    found: list[int] = []
    obstacles: dict[str, BadPattern | Overlap | Unprovided] = {}
    for number in ready.numbers:
        if number in near:
            row = claim_map.base.rows[number]
            obstacle: BadPattern | Overlap | Unprovided | None
            obstacle = active_scopes.obstacle(row, scopes)
            if row.needs and lacking(row, project.config.provides):
                from ralphgit.app.active_claims import providers  # what few tasks need

                obstacle = Unprovided(row.id, row.needs, providers.running(claim_map, row.needs))
            if obstacle is not None:
                obstacles[row.id] = obstacle
                continue
        found.append(number)
    return Takeable(Made(found, task_states.pair), obstacles)


def wanted(claim_map: ClaimMap, options: "ClaimOptions") -> Made[Row]:
    """The ready tasks that are asked for, in the order in which they would be taken."""
    task_states = claim_map.task_states
    if not options.task:
        return task_states.ready(story=options.story, priorities=options.priority)
    number = claim_map.base.number(options.task)
    if number is None or task_states.of(number).state != "ready":
        return Made([], claim_map.base.rows.__getitem__)
    return Made([number], claim_map.base.rows.__getitem__)


def pairs(project: Project, view: GraphView, *, alone: bool = False) -> list[Pair]:
    """Every task of a view with its standing.

    The base judges, with what the view has a task wait for beside; what the base alone has it wait
    for is told apart. A task that the base does not have, or with `alone` every task, is judged by
    the view itself.
    """
    if alone or not project.base.commit:
        states = TaskStates(view.rows, {})
        return [(row, states[row.id]) for row in view.rows]
    claim_map = ClaimMap(project)
    state = _standing(claim_map, view)
    return [(row, state(row.id)) for row in view.rows]


def states(
    project: Project, view: GraphView, tasks: Iterable[str], *, alone: bool = False
) -> dict[str, TaskState]:
    """The standing of these tasks, of those that the view has, as of `pairs`."""
    known = [task for task in tasks if task in view.by_id]
    if alone or not project.base.commit:
        every = TaskStates(view.rows, {})
        return {task: every[task] for task in known}
    state = _standing(ClaimMap(project), view, few=True)
    return {task: state(task) for task in known}


def pair(project: Project, task: str, view: GraphView | None = None) -> Pair:
    """One task of `view`, or of this worktree, with its standing. Raises: UnknownTask."""
    view = view or project.require_here()
    return view.row(task), states(project, view, [task])[task]


def _standing(
    claim_map: ClaimMap, view: GraphView, *, few: bool = False
) -> Callable[[str], TaskState]:
    """How each task of a view stands, as of `pairs`; `few`: only some of them are asked for."""
    judged: Mapping[str, TaskState] = claim_map.task_states
    known, unlike = claim_map.base.known, view.unlike(claim_map.base)
    if not any(_waits_otherwise(known(row.id), row) for row in unlike):
        return judged.__getitem__
    base: Mapping[str, TaskState]
    here: Mapping[str, TaskState]
    if few and _has_same_stories(claim_map.base, view):
        base, here = IndexedStates(claim_map.base, {}), StoryStates(view, view.origin.index)
    else:
        base, here = TaskStates(claim_map.base.rows, {}), TaskStates(view.rows, {})

    def state(task: str) -> TaskState:
        return compared(task, judged, base[task], here[task]) if task in base else here[task]

    return state


def _has_same_stories(base: GraphView, view: GraphView) -> bool:
    """Whether the base's index says which tasks of `view` are of one story."""
    is_near = view.origin is not view and view.origin.shards == base.shards
    return is_near and all(old.story == new.story for old, new in view.changes())


def _waits_otherwise(old: Row | None, new: Row) -> bool:
    """Whether a task, or one that depends on it, may wait for something else than on the base."""
    if old is None or (old.status == "complete") != (new.status == "complete"):
        return True
    return (old.depends_on, old.mode, old.story) != (new.depends_on, new.mode, new.story)


def on_base(project: Project, task: str, *, commit: str = "") -> Pair:
    """One task as the base has it, or will have it with `commit`, with its standing.

    Raises: UnknownTask.
    """
    claim_map = ClaimMap(project)
    view = project.view(commit, project.base.branch) if commit else claim_map.base
    return view.row(task), IndexedStates(view, claim_map.active_claims)[task]
