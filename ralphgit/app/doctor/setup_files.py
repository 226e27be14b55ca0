"""Find what `init` writes where it is of another version or missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec

from ralphgit.app.doctor import git_settings
from ralphgit.app.doctor.finding_kinds import Finding, fixable
from ralphgit.app.setup import init_plan, managed_files
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RalphError
from ralphgit.model.extras import EXTRAS, install
from ralphgit.records import atomic_files, git_attributes, schemas


def find(project: Project, fix: bool) -> Iterator[Finding]:
    """Find what another version wrote."""
    if project.repository.top is None:
        return
    yield from _schemas(project, fix)
    try:
        planned = init_plan.plan(project, init_plan.Wishes())
    except RalphError:
        return  # what is wrong with the settings or the graph is reported elsewhere
    for step in planned:
        if step.verb == "renew":
            message = f"{step.name} is as another version of ralphgit wrote it"
            yield Finding("outdated", "advice", message, "ralphgit init")


def _schemas(project: Project, fix: bool) -> Iterator[Finding]:
    for name, data in schemas.schema_files().items():
        path = os.path.join(project.top, schemas.HOME, name)
        if not os.path.isfile(path) or atomic_files.read(path) == data:
            continue
        if fix:
            atomic_files.write(path, data, durable=False, follow=False)
        message = f"{schemas.HOME}/{name} is of another version"
        yield fixable("old_schema", "advice", message, fix)


def missing(project: Project) -> Iterator[Finding]:
    """Find what is missing and does no harm."""
    if project.repository.top is not None:
        bare = [path for path, eol in git_settings.asked(project, "eol").items() if eol != "lf"]
        if bare:
            message = f"no attribute keeps the line ends of {', '.join(bare)}"
            yield Finding("no_attributes", "info", message, "ralphgit init")
        drivers = git_settings.asked(project, "diff").values()
        if git_attributes.DRIVER in drivers and any(
            managed_files.local_setting(project, key) is None for key in git_attributes.DIFF_CONFIG
        ):
            message = f"git does not know the diff driver {git_attributes.DRIVER}"
            yield Finding("no_diff_driver", "info", message, "ralphgit init")
    for extra, package in EXTRAS.items():
        if find_spec(package) is None:
            message = f"{extra} needs {package}, which is not installed"
            yield Finding("missing_extra", "info", message, install(extra))
