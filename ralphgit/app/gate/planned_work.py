"""Find the tasks that work brings to the base beside doing its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ralphgit.app.workspace.project import Project
from ralphgit.model.task import Task
from ralphgit.rules import planned_tasks


def of_work(project: Project, tasks: Sequence[Task], head: str) -> Iterator[str]:
    """Say which new tasks of the commit `head`, which does `tasks`, a person has to look at first.

    `rules.planned_tasks` has the rule; the tasks that they came with count as the base has them.
    """
    base, there = project.base_view, project.view(head, head[:12])
    if base.shards == there.shards:
        return
    origins = [base.task(task.id) for task in tasks if task.id in base.by_id]
    own = {task.id for task in tasks}
    label = ", ".join(task.id for task in tasks)
    for row in there.rows:
        if row.id in own or base.known(row.id) is not None:
            continue
        if said := planned_tasks.excess(there.task(row.id), origins):
            yield f"{label}: {said}"
