"""Judge which of the keys of git's configuration that have changed steer what a loop decides."""

from __future__ import annotations

from collections.abc import Mapping

from ralphgit.app.processes import configured_git, named_outside, named_programs
from ralphgit.app.workspace.project import Project
from ralphgit.rules import harmless_settings

#: Of several remotes that are forges' `gh` and `glab` take these before origin, and first of all
#: one that has this key.
_FIRST = ("upstream", "github")
_CHOSEN = ".gh-resolved"


def steers(project: Project, key: str, before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether a key that has changed since `before` may decide something, or run something."""
    name = f"{configured_git.PREFIX}{key}"
    is_usual = not now.get(name, "").endswith(configured_git.UNUSUAL)
    if alias := harmless_settings.alias(key):
        return alias.lower() in _words(project, before)
    remote = harmless_settings.of_remote(key)
    # Where there is an origin, no other remote becomes the base's by being there.
    if remote and project.base.remote == "origin" != remote:
        is_first = remote in _FIRST and name not in before
        return is_first or _is_asked(project, remote, before) or not is_usual
    if key.endswith(_CHOSEN) and key != f"remote.{project.base.remote}{_CHOSEN}":
        return True
    return not (is_usual and harmless_settings.may_change(key, is_new=name not in before))


def _words(project: Project, before: Mapping[str, str]) -> set[str]:
    """Find the words that lines of the loop have, and that they come to by aliases, in lower case:
    of aliases those count that a line names, as of programs.
    """
    words = {one.removeprefix(named_programs.PREFIX).lower() for one in before}
    left = {harmless_settings.alias(key): value for key, value in project.repository.config.items()}
    while named := [one for one in left if one and one.lower() in words]:
        words.update(word.lower() for one in named for word in named_outside.words(left.pop(one)))
    return words


def _is_asked(project: Project, remote: str, before: Mapping[str, str]) -> bool:
    """Whether work goes to a remote, git asks it where none is named, or a line of the loop names
    it or a branch of it.
    """
    config, name = project.repository.config, remote.lower()
    to = {project.config.land_remote, config.get("remote.pushdefault")}
    to.add(config.get(f"branch.{configured_git.own_branch(project)}.remote"))
    to |= {value for key, value in config.items() if key.endswith(".pushremote")}
    return remote in to or any(
        word == name or word.startswith(f"{name}/") for word in _words(project, before)
    )
