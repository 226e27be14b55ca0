"""Make the scope that an import has offered a task its own; stage and commit nothing."""

from __future__ import annotations

from ralphgit.app.tasks.edit import Changed, edit
from ralphgit.app.tasks.given_fields import Fields
from ralphgit.app.workspace.project import Project
from ralphgit.errors import UsageError
from ralphgit.model.offered_scope import SUGGESTED, offered


def take_scope(project: Project, task: str) -> Changed:
    """Put the offered paths into `task`'s write scope, behind those that it has.

    Where the source names more than paths, a warning says what: the scope forbids that.

    Raises: UsageError (no_offer) where nothing is offered; as `edit`.
    """
    row = project.require_here().row(task)
    offer = offered(project.here.stored(row))
    if offer is None:
        raise UsageError(
            f"{task} is offered no scope; nothing was changed",
            code="no_offer",
            hint=f"ralphgit edit {task} --write PATH",
        )
    if offer.more:
        project.warn(f"the source of {task} also names: {offer.more}; its scope has no path for it")
    write = tuple(dict.fromkeys((*row.write, *offer.write)))
    return edit(project, task, Fields(write=write), remove=(SUGGESTED,))
