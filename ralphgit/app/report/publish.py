"""Make the page of `report`, and write it to the file that was asked for."""

import os
from typing import NamedTuple

from ralphgit.app.rendering import output_file
from ralphgit.app.report.document import MARK, document
from ralphgit.app.report.gather import gather
from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, Refused, UsageError
from ralphgit.records import atomic_files

#: Where the page goes if nobody says where, in the worktree.
USUAL = os.path.join(runtime_files.FOLDER, "report.html")


class PageOptions(NamedTuple):
    file: str = ""
    """"" is `USUAL`."""
    stdout: bool = False
    """Write no file."""
    at: str = ""
    force: bool = False
    """Also over a file that is not a page of ours."""


class Published(NamedTuple):
    page: bytes
    tasks: int
    file: str
    """Where it was written; "" for nowhere."""


def publish(project: Project, options: PageOptions) -> Published:
    """Make the page and write it: the old file or the new one, never half of it.

    Nothing else is written. A file that is no such page is left as it is, but with `force`.

    Raises: InvalidRecord; GuardRefused (no_commit, exists, outside); UsageError (bad_revision,
    no_file); NotWritable.
    """
    if options.stdout:
        found = gather(project, options.at)
        return Published(document(found), len(found.tasks), "")
    name = options.file or _usual(project)
    shards = project.paths_in(project.top) if project.repository.top is not None else ()
    path = output_file.place(project, name, shards)
    if not options.force:
        _refuse_other(path, name)
    found = gather(project, options.at)
    page = document(found)
    if not options.file:
        runtime_files.prepare(project)
    # What is in .ralph/ may have come with a clone; a link there leads nowhere.
    atomic_files.write(path, page, durable=False, follow=bool(options.file))
    return Published(page, len(found.tasks), name)


def _usual(project: Project) -> str:
    if project.repository.top is None:
        message = "a bare repository has no place for the report; - is stdout"
        raise UsageError(message, code="no_file", hint="ralphgit report FILE")
    return os.path.relpath(os.path.join(project.top, USUAL), project.around.directory)


def _refuse_other(path: str, name: str) -> None:
    """Raises: GuardRefused (exists) if another file is there that is not a page of ours."""
    if not os.path.lexists(path):
        return
    try:
        ours = (atomic_files.read(path) or b"").startswith(MARK.encode())
    except Refused:
        ours = False
    if not ours:
        message = f"{name} exists and is not a report of ralphgit; nothing was written"
        hint = "name another file, or replace it with --force"
        raise GuardRefused(message, code="exists", hint=hint)
