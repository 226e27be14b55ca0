"""Find the links that work changes where a verify command goes up from a folder (`..`).

Behind a link that goes by where it leads: what judges there may be a file of the work's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ralphgit.app.workspace.project import Project
from ralphgit.git import trees
from ralphgit.git.merge_preview import merge_base
from ralphgit.git.objects import LINK
from ralphgit.model.task import Task

#: A folder's parent in a line; `main..HEAD` is none.
_UP = re.compile(r"(?:^|[^\w.]|-\w)\.\.(?![\w.])")


def of_work(
    project: Project, tasks: Sequence[Task], head: str, *, since: str = ""
) -> Iterator[str]:
    """Say which links the commit `head`, which does `tasks`, brings, changes or takes away, where
    a line that the base has run, to prove any task, has a `..`.

    Without `since`, the work begins where it left the base.
    """
    since = since or merge_base(project.repository, project.base.commit, head)
    changes = trees.changes(project.repository.objects, since, head) if since else ()
    links = [one for one in changes if LINK in (one.old_mode, one.new_mode)]
    up = next(filter(_UP.search, _lines(project, tasks)), "") if links else ""
    label = ", ".join(one.id for one in tasks)
    for one in links if up else ():
        said = "a link" if one.new_mode == LINK else "no link any more"
        yield f"{label}: {one.path} is {said}, so `{up}` may come to another file by its `..`"


def _lines(project: Project, tasks: Sequence[Task]) -> Iterator[str]:
    """List what proves `tasks`, then any other task of the base, and what its settings have run."""
    base, config = project.base_view, project.config
    promised = [base.task(one.id) if one.id in base.by_id else one for one in tasks]
    for task in promised:
        yield from task.verify
    yield from (
        config.integrate_verify, config.land_via, config.notify_command, config.worktree_setup,
        *(one.command for one in config.agents),
    )  # fmt: skip
    for row in base.rows:  # work that lands later is proved behind a link that this one brings
        yield from base.task(row.id).verify if ".." in row.json else ()
