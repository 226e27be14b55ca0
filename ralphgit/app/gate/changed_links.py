"""Find the links that work changes where a verify command goes up from a folder (`..`).

Behind a link that goes by where it leads: what judges there may be a file of the work's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ralphgit.app.workspace.project import Project
from ralphgit.git import trees, worktrees
from ralphgit.git.objects import LINK
from ralphgit.model.task import Task

#: A folder's parent in a line; `main..HEAD` is none.
_UP = re.compile(r"(?:^|[^\w.]|-\w)\.\.(?![\w.])")


def of_work(
    project: Project, tasks: Sequence[Task], head: str, *, since: str = ""
) -> Iterator[str]:
    """Say which links the commit `head`, which does `tasks`, brings, changes or takes away, where
    the lines that prove it, as the base has them, have a `..`.

    Without `since`, the work begins where it left the base.
    """
    base = project.base_view
    promised = [base.task(one.id) if one.id in base.by_id else one for one in tasks]
    lines = [project.config.integrate_verify, *(line for one in promised for line in one.verify)]
    up = next((line for line in lines if _UP.search(line)), "")
    if not up:
        return
    since = since or worktrees.fork(project.repository.git, project.base.commit, head)
    label = ", ".join(one.id for one in tasks)
    for one in trees.changes(project.repository.objects, since, head) if since else ():
        if LINK in (one.old_mode, one.new_mode):
            said = "a link" if one.new_mode == LINK else "no link any more"
            yield f"{label}: {one.path} is {said}, so `{up}` may come to another file by its `..`"
