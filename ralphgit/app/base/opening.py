"""Open the project that a command works on."""

from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings


def project(around: Surroundings, warnings: list[str], *, fetch: bool = False) -> Project:
    """The project that a command looks at; its warnings go to the end of `warnings`.

    Raises: NotARepository; with `fetch`, RemoteUnavailable where the remote is required.
    """
    found = Project.open(around)
    found.warnings = warnings
    if fetch:
        from ralphgit.app.base.fetch import synchronise

        synchronise(found, settle=False)
    return found
