"""Decide whether a forge may merge a pull request without a person (`land.auto_merge`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ralphgit.app.diff import record_diff
from ralphgit.app.diff.record_diff import Diff
from ralphgit.app.evidence import reviews
from ralphgit.app.gate import words_of_others
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.rules import diff_steps


def decided(project: Project, done: Sequence[str], head: str) -> tuple[bool, tuple[str, ...]]:
    """Whether the forge is to merge `head`, which has the tasks `done`, by itself, and, where it is
    not although it is asked for, why.

    How risky a task is counts as the base has it, and not as its worker does. What is not verified,
    not clear, or changes more than these tasks' lifecycle (the plan, settings, records of other
    tasks) waits for a person in any case.
    """
    wanted = project.config.land_auto_merge
    if wanted == "never":
        return False, ()
    base = project.base_view
    risks = {task: base.task(task).risk for task in done if task in base.by_id}
    if wanted == "low" and any(risks.get(task) != "low" for task in done):
        return False, ()
    view = project.view(head, head[:12])
    for task in (one for one in risks if one in view.by_id):
        promised = base.task(task)
        if why := reviews.missing(project, head, view.task(task), promised, of_branch=False):
            return False, (f"{task}: {why}, so a person merges it",)
    tasks = [view.task(one) for one in risks if one in view.by_id]
    if said := next(words_of_others.of_work(project, tasks, head), ""):
        return False, (f"{said}, so a person merges it",)
    found = record_diff.diff(project, head)
    if found.verdict != record_diff.CLEAR:
        said = f"it is not clear ({found.verdict}), so a person merges it: ralphgit diff"
        return False, (said,)
    if more := ", ".join(_beside(base, found, done)):
        return False, (f"it changes the plan as well ({more}), so a person merges it",)
    return True, ()


def _beside(base: GraphView, found: Diff, tasks: Collection[str]) -> Iterator[str]:
    """Name what a change does besides doing `tasks`; what the base has by now is none of it."""
    for one in found.changes:
        if one.task in tasks:
            if one.fields:
                yield f"{one.task} is edited"
        elif one.change == diff_steps.RECORD or not _is_landed(base, found, one.task):
            yield f"{one.task} is changed too"
    yield from (f"{one.name} is set" for one in found.settings)
    packed = (*found.archived, *found.restored)
    if packed or found.moved:
        yield "tasks are moved"


def _is_landed(base: GraphView, found: Diff, task: str) -> bool:
    row, known = found.new.view.by_id.get(task), base.by_id.get(task)
    return row is not None and known is not None and row.json == known.json
