"""Find the tasks that work brings to the base beside doing its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ralphgit.app.workspace.project import Project
from ralphgit.git.merge_preview import merge_base
from ralphgit.model.task import Task
from ralphgit.rules import planned_tasks


def of_work(project: Project, tasks: Sequence[Task], head: str) -> Iterator[str]:
    """Say which new tasks of the commit `head`, which does `tasks`, a person has to look at first.

    `rules.planned_tasks` has the rule; the tasks that they came with count as the base has them.
    One that the base has lost since the work began is none of them.
    """
    base, there = project.base_view, project.view(head, head[:12])
    if base.shards == there.shards:
        return
    own = {task.id for task in tasks}
    rows = there.unlike(base)
    new = [row for row in rows if row.id not in own and base.known(row.id) is None]
    if not new:
        return
    fork = merge_base(project.repository, project.base.commit, head)
    lost = project.view(fork, fork[:12]).by_id if fork else {}
    origins = [base.task(task.id) for task in tasks if task.id in base.by_id]
    label = ", ".join(task.id for task in tasks)
    planned = [there.task(row.id) for row in new if row.id not in lost]
    asked = any(task.verify != one.verify for task in planned for one in origins)
    proven = [row.id for row in base.rows if asked and '"verify"' in row.json]
    lines = {line for id in proven for line in base.task(id).verify}
    for task in planned:
        if said := planned_tasks.excess(task, origins, project.config.agents, lines):
            yield f"{label}: {said}"
