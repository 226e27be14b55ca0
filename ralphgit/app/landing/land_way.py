"""Decide how finished work gets into the base here: by merge, or by pull request (SPEC 7)."""

from __future__ import annotations

from ralphgit.app.forge import open_pull_request
from ralphgit.app.workspace.project import Project
from ralphgit.errors import UsageError


def of(project: Project, way: str = "") -> str:
    """Return merge, pr or none for what was asked for (auto, merge, pr, none; "": as configured).

    `auto` is pr where the remote is a forge whose tool is installed, or `land.via` names how a
    pull request is opened; else merge. With `land.base` `pr` nothing is merged from here.

    Raises: UsageError (no_way).
    """
    by_pull_alone = project.config.land_base == "pr" and bool(project.base.remote)
    if way == "merge" and by_pull_alone:
        raise UsageError(
            f'land.base is "pr", so nothing goes to {project.base.branch} without a pull request; '
            "nothing was changed",
            code="no_way",
            hint="say it with --land pr",
        )
    way = way or project.config.land_mode
    if by_pull_alone and way != "none":
        return "pr"
    if way != "auto":
        return way
    if not any(key.startswith("remote.") for key in project.repository.config):
        return "merge"
    return "pr" if project.base.remote and open_pull_request.opens(project) else "merge"


def is_open(project: Project, way: str) -> bool:
    """Whether nobody has said how work lands, so that a base that turns out to be protected gets it
    by pull request. `way` is as of `of`.
    """
    return (way or project.config.land_mode) == "auto"


def required(project: Project, way: str) -> str:
    """Return merge or pr, where the work can land that way from here.

    Raises: UsageError (no_way); GuardRefused (no_remote, no_forge); NeedsPerson (untrusted).
    """
    found = of(project, "" if way == "auto" else way)
    if found == "none":
        raise UsageError(
            "land.mode is none here, so it does not say how work lands; nothing was changed",
            code="no_way",
            hint="say it with --land merge or --land pr",
        )
    if found == "pr":
        open_pull_request.refuse_unfit(project)
    return found
