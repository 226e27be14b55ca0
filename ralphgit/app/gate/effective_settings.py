"""Determine the settings that a change is judged by: those of its commits, not the worktree's.

A branch says where the graph and the records are once it is merged, for a graph may move. That is
all its `ralph.toml` has a say in: what was there before is looked for where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from ralphgit.app.gate.problem import Problem
from ralphgit.app.workspace import configuration
from ralphgit.app.workspace.configuration import Configuration, Decided
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, UsageError
from ralphgit.git.objects import Objects
from ralphgit.model.setting_values import Layer, resolve
from ralphgit.records import settings_file

_LAYOUT = ("graph", "records")


class EffectiveConfiguration(Project):
    """A project whose ralph.toml is read from commits, and not from the worktree."""

    def __init__(self, project: Project, layers: Sequence[Layer]) -> None:
        """`layers`: settings and where they are from, the strongest first."""
        super().__init__(project.repository, project.around)
        self.warnings = project.warnings
        self._layers = layers
        self._judge = project

    @cached_property
    def settings(self) -> Configuration:
        return configuration.of_layers([*self._own_layers, *self._layers])

    @cached_property
    def _decided(self) -> Decided:
        return self._judge._decided


class Settings(NamedTuple):
    """Both ends of a change."""

    was: Project
    now: Project
    problems: tuple[Problem, ...]
    """What is wrong with the settings that the change brings."""


def change(project: Project, old: str, new: str, objects: Objects, *, label: str) -> Settings:
    """Return the project as commit `old` configures it, and as the tree or commit `new` does.

    `objects` reads `new`; `label` is what people call `old`. Where neither has settings, the
    worktree's are used. Settings of `old` that cannot be read are ignored: a change that fixes
    them must pass.
    """
    before = _file(project.repository.objects, old)
    after = _file(objects, new)
    if before is None and after is None:
        return Settings(project, project, ())
    layer, _ = _settings(before, f"{label}:{settings_file.FILE}")
    changed, problem = _settings(after, settings_file.FILE)
    was = EffectiveConfiguration(project, [(f"{settings_file.FILE} on {label}", layer)])
    if problem is not None:
        return Settings(was, was, (problem,))
    now = EffectiveConfiguration(
        project,
        [
            (settings_file.FILE, {name: changed[name] for name in _LAYOUT if name in changed}),
            (
                f"{settings_file.FILE} on {label}",
                {name: value for name, value in layer.items() if name not in _LAYOUT},
            ),
        ],
    )
    return Settings(was, now, ())


def _file(objects: Objects, treeish: str) -> bytes | None:
    name = f"{treeish}:{settings_file.FILE}"
    return objects.read([name]).get(name)


def _settings(data: bytes | None, path: str) -> tuple[Mapping[str, object], Problem | None]:
    """Parse the settings in a file; none, and why, where it cannot be read."""
    if data is None:
        return {}, None
    try:
        found = settings_file.parse(data, path=path)
        resolve([(path, found)])
    except (InvalidRecord, UsageError) as error:
        where = error if isinstance(error, InvalidRecord) else None
        return {}, Problem(
            code="bad_settings",
            file=path,
            line=where.line if where else 1,
            column=where.column if where else 1,
            message=error.message,
            hint=error.hint or "the settings are listed in docs/configuration.md",
        )
    return found, None
