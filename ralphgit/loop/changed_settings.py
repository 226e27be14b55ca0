"""Notice what changes while a loop runs and steers what it decides: git's configuration, hooks.

A loop's own settings are read once, before its first agent. git's it cannot read once: every git
process reads the files anew. So they are compared after each agent has ended and before anything
is verified or pushed; a change that steers git or a verify command ends the loop, and nothing
lands until a person has looked. Other changes are named and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.app.workspace.project import Project
from ralphgit.errors import NeedsPerson
from ralphgit.model.config import setting_name
from ralphgit.records import atomic_files, settings_file

#: Below a worktree's git folder, where an agent has nothing to do: what a person has to look at.
_NOTE = os.path.join("ralphgit", "changed-settings")
#: Keys of git's configuration that say which content git sees, which program it runs, or where
#: it fetches from and pushes to.
_STEERING = (
    "core.hookspath", "core.sshcommand", "core.gitproxy", "core.worktree", "core.bare",
    "core.attributesfile", "core.excludesfile", "core.autocrlf", "core.eol", "core.fsmonitor",
    "core.alternaterefscommand", "core.askpass", "url.", "include.", "includeif.", "filter.",
    "merge.", "diff.external", "credential.", "http.", "protocol.", "ssh.", "gpg.", "commit.",
    "user.signingkey",
)  # fmt: skip
#: Of the remote that the base is on.
_OF_REMOTE = (
    "url", "pushurl", "fetch", "push", "uploadpack", "receivepack", "vcs", "proxy", "mirror",
)  # fmt: skip
#: Settings that say where the truth is; all others are read once.
_TRUTH = ("base", "remote", "graph", "records")

Signs = Mapping[str, str]
"""What may steer a decision, by the name that people know it by, and a digest of it."""


class Change(NamedTuple):
    name: str
    steers: bool
    """Whether nothing may be decided by git until a person has looked."""


def signs(project: Project) -> Signs:
    """Take down all that could steer what a loop decides, and is not read once."""
    found = dict(_configured(project))
    common, top = project.repository.common_dir, project.top
    for name in ("exclude", "attributes"):
        path = os.path.join(common, "info", name)
        found[project.show_path(path)] = _digest(atomic_files.read(path))
    own = atomic_files.read(os.path.join(top, settings_file.FILE))
    found[settings_file.FILE] = _digest(own)
    hooks = project.repository.config.get("core.hookspath") or os.path.join(common, "hooks")
    hooks = os.path.join(top, os.path.expanduser(hooks))
    for name in sorted(os.listdir(hooks)) if os.path.isdir(hooks) else ():
        path = os.path.join(hooks, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            found[f"hook {name}"] = _digest(atomic_files.read(path))
    for command in {one for row in project.base_view.rows for one in _commands(project, row.id)}:
        found.update(_program(project, command))
    return found


def changes(project: Project, before: Signs) -> list[Change]:
    """Compare with what was taken down `before`."""
    now = signs(project)
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return [Change(name, _steers(project, name)) for name in names]


def refuse(project: Project, before: Signs, changed: list[Change]) -> None:
    """Refuse to go on after a change that steers, and note it for the next loop.

    Raises: NeedsPerson (settings_changed), NotWritable.
    """
    names = [one.name for one in changed if one.steers]
    if not names:
        return
    kept = {name: before.get(name, "") for name in names}
    atomic_files.write(_note(project), json.dumps(kept).encode(), durable=False)
    raise _changed(project, names)


def require_seen(project: Project) -> None:
    """Refuse to begin while a change that an earlier loop has noted is neither undone nor seen.

    Raises: NeedsPerson (settings_changed).
    """
    data = atomic_files.read(_note(project))
    if data is None:
        return
    before: dict[str, str] = json.loads(data)
    now = signs(project)
    if names := [name for name, digest in before.items() if now.get(name, "") != digest]:
        raise _changed(project, names)
    atomic_files.unlink(_note(project))


def _changed(project: Project, names: list[str]) -> NeedsPerson:
    return NeedsPerson(
        f"changed while an agent worked: {', '.join(names)}; nothing was verified or landed since, "
        "and the claim is kept",
        code="settings_changed",
        hint="look at it and put it back, then run again; if it is meant: "
        + shlex.join(("rm", _note(project))),
        details={"changed": names},
    )


def _note(project: Project) -> str:
    return os.path.join(project.repository.git_dir, _NOTE)


def _digest(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()


def _configured(project: Project) -> Signs:
    """Every key of git's configuration, with a digest of its values."""
    values: dict[str, list[str]] = {}
    for entry in project.repository.git.names("config", "--list", "-z"):
        key, _, value = entry.partition("\n")
        values.setdefault(key, []).append(value)
    return {
        f"git config {key}": _digest("\0".join(found).encode("utf-8", "surrogateescape"))
        for key, found in values.items()
        if not key.startswith("branch.")
    }


def _steers(project: Project, name: str) -> bool:
    if name == settings_file.FILE:
        return False  # it counts as the base has it
    key = name.removeprefix("git config ")
    if key == name:
        return True
    if key.startswith("ralph."):
        return setting_name(key.removeprefix("ralph.")) in _TRUTH
    remote = project.base.remote
    own = remote and key in {f"remote.{remote}.{field}" for field in _OF_REMOTE}
    return bool(own) or key.startswith(_STEERING)


def _commands(project: Project, task: str) -> tuple[str, ...]:
    return project.base_view.task(task).verify


def _program(project: Project, command: str) -> Signs:
    """The program that a command line begins with, unless it is in the worktree: that is work."""
    try:
        words = shlex.split(command)
    except ValueError:
        return {}
    path = shutil.which(words[0], path=project.around.environ.get("PATH")) if words else None
    if path is None or os.path.realpath(path).startswith(os.path.realpath(project.top) + os.sep):
        return {}
    found = os.stat(path)
    sign = f"{os.path.abspath(path)} {found.st_ino} {found.st_size} {found.st_mtime_ns}"
    return {f"program {words[0]}": _digest(sign.encode("utf-8", "surrogateescape"))}
