"""Record consent to run a repository's commands, outside it and command by command (SPEC 5).

The record is `ralphgit/trust/<digest of the repository's path>.yaml` below XDG_DATA_HOME
(`~/.local/share`): a digest for each command together with its environment policy. A
command that changed by one byte, or runs under another policy, asks again.
"""

from __future__ import annotations

import hashlib
import os
import pwd
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, NeedsPerson, NotWritable
from ralphgit.model.config import VIAS
from ralphgit.records import atomic_files, yaml_reader, yaml_writer
from ralphgit.records import input_limits as texts


class Consent(NamedTuple):
    """The commands of a repository, by whether somebody has agreed to run them."""

    trusted: tuple[str, ...]
    untrusted: tuple[str, ...]


def consent(project: Project) -> Consent:
    """Every verify command on the base and in this worktree, and those of the settings."""
    known = _known(project)
    commands = list(dict.fromkeys(_commands(project)))
    return Consent(
        tuple(c for c in commands if _digest(project, c) in known),
        tuple(c for c in commands if _digest(project, c) not in known),
    )


def _commands(project: Project) -> Iterable[str]:
    views: list[GraphView] = []
    if project.base.commit:
        views.append(project.base_view)
    if project.repository.top is not None:
        views.append(project.here)
    for view in views:
        for row in view.rows:
            if '"verify"' in row.json:
                yield from view.task(row.id).verify
    if project.config.integrate_verify:
        yield project.config.integrate_verify
    if project.config.agent_command:
        yield project.config.agent_command
    if project.config.worktree_setup:
        yield project.config.worktree_setup
    if project.config.notify_command:
        yield project.config.notify_command
    if project.config.land_via not in VIAS:
        yield project.config.land_via


def verify_commands(project: Project) -> list[str]:
    """Those of the tasks that are still to be done, as the base has them."""
    view = project.base_view
    rows = [row for row in view.rows if row.status not in ("complete", "cancelled")]
    found = [
        command for row in rows if '"verify"' in row.json for command in view.task(row.id).verify
    ]
    return list(dict.fromkeys(found))


def require(project: Project, commands: Sequence[str]) -> None:
    """Raises: NeedsPerson unless every one of `commands` is trusted."""
    known = _known(project)
    missing = [command for command in commands if _digest(project, command) not in known]
    if missing:
        raise NeedsPerson(
            f"this repository's commands are not trusted yet: {missing[0]}"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else ""),
            code="untrusted",
            hint="read them, then: ralphgit trust (for scripts: ralphgit trust --yes)",
            details={"commands": missing},
        )


def grant(project: Project, commands: Iterable[str]) -> None:
    """Remember consent to `commands`, beside what was trusted before. Raises: NotWritable."""
    digests = sorted(_known(project) | {_digest(project, command) for command in commands})
    record = {"version": 1, "repository": project.repository.common_dir, "commands": digests}
    path = _path(project)
    atomic_files.write(path, yaml_writer.mapping(record).encode("utf-8", "backslashreplace"))


def revoke(project: Project) -> None:
    """Forget all consent for this repository. Raises: NotWritable."""
    try:
        os.unlink(_path(project))
    except FileNotFoundError:
        return
    except OSError as error:
        raise NotWritable(f"cannot remove {_path(project)}: {error.strerror}") from error


def _digest(project: Project, command: str) -> str:
    policy = " ".join(sorted(project.config.verify_env))
    return hashlib.sha256(f"run 1\0{policy}\0{command}".encode()).hexdigest()


def _path(project: Project) -> str:
    environ = project.around.environ
    home = environ.get("XDG_DATA_HOME") or os.path.join(
        environ.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir, ".local", "share"
    )
    where = os.path.realpath(project.repository.common_dir)
    name = hashlib.sha256(where.encode("utf-8", "surrogateescape")).hexdigest()[:20]
    return os.path.join(home, "ralphgit", "trust", f"{name}.yaml")


def _known(project: Project) -> set[str]:
    data = atomic_files.read(_path(project))
    if data is None:
        return set()
    try:
        value = yaml_reader.load(texts.decode(data, limit=16 * 1024 * 1024))
    except InvalidRecord as error:
        raise error.at(_path(project)) from None
    commands = value.get("commands") if isinstance(value, dict) else None
    return set(commands) if isinstance(commands, list) else set()
