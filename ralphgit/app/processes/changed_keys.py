"""Judge which of the keys of git's configuration that have changed steer what a loop decides."""

from __future__ import annotations

from collections.abc import Mapping

from ralphgit.app.processes import configured_git, named_outside, named_programs
from ralphgit.app.workspace.project import Project
from ralphgit.rules import harmless_settings


def steers(project: Project, key: str, before: Mapping[str, str]) -> bool:
    """Whether a key that has changed since `before` may decide something, or run something."""
    if alias := harmless_settings.alias(key):
        return alias.lower() in _words(project, before)
    remote = harmless_settings.of_remote(key)
    # Where there is an origin, no other remote becomes the base's by being there.
    if remote and project.base.remote == "origin" != remote:
        return _is_asked(project, remote, before) or not _is_usual(project, key)
    is_new = f"{configured_git.PREFIX}{key}" not in before
    values = _values(project, key) if harmless_settings.is_shown(key) else ()
    return not harmless_settings.may_change(key, values, is_new=is_new)


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
    """Whether work goes to a remote, or a line of the loop names it or a branch of it."""
    config, name = project.repository.config, remote.lower()
    to = {project.config.land_remote, config.get("remote.pushdefault")}
    to |= {value for key, value in config.items() if key.endswith(".pushremote")}
    return remote in to or any(
        word == name or word.startswith(f"{name}/") for word in _words(project, before)
    )


def _is_usual(project: Project, key: str) -> bool:
    return harmless_settings.is_usual(key, _values(project, key))


def _values(project: Project, key: str) -> list[str]:
    told = project.repository.git.try_run("config", "-z", "--get-all", key).out
    return told.decode("utf-8", "surrogateescape").split("\0")[:-1]
