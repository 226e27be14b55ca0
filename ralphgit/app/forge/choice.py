"""Find the forge that pull requests are opened at (`land.via`)."""

from __future__ import annotations

import shutil

from ralphgit.app.forge.contract import Forge
from ralphgit.app.forge.places import remote_places
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.model.config import VIAS

#: Those that are asked by a program of their own.
PROGRAMS = ("gh", "glab")
COMMAND = "command"
PLAIN = "none"


def via(project: Project) -> str:
    """How a pull request is opened here: gh, glab, gitea, push-options, none or command."""
    told = project.config.land_via or "auto"
    if told not in VIAS:
        return COMMAND
    if told != "auto":
        return told
    hosts = {host for host, _ in remote_places(project, project.base.remote)}
    if "github.com" in hosts and is_installed(project, "gh"):
        return "gh"
    if any(host.startswith("gitlab.") for host in hosts) and is_installed(project, "glab"):
        return "glab"
    return PLAIN


def of(project: Project) -> Forge | None:
    """The forge of the base's remote; None where none can be asked here."""
    match via(project):
        case "gh":
            from ralphgit.app.forge.github import GitHub

            return GitHub(project)
        case "glab":
            from ralphgit.app.forge.gitlab import GitLab

            return GitLab(project)
        case "gitea":
            from ralphgit.app.forge.gitea import Gitea

            return Gitea(project)
    return None


def required(project: Project) -> Forge:
    """The forge that knows the pull requests of the base's remote.

    Raises: GuardRefused (no_forge).
    """
    found = of(project) if project.base.remote else None
    if found is not None and (via(project) == "gitea" or is_installed(project, via(project))):
        return found
    raise GuardRefused(
        f"no program here knows the pull requests of {project.base.branch}; nothing was changed",
        code="no_forge",
        hint="name the commit that it became on the base, or install gh or glab (land.via)",
    )


def is_installed(project: Project, program: str) -> bool:
    return shutil.which(program, path=project.around.environ.get("PATH")) is not None
