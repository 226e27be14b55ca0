"""Find the settings that a change makes in `ralph.toml`, those that keep workers in check first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, UsageError
from ralphgit.git.merge_preview import merge_base
from ralphgit.git.objects import Objects
from ralphgit.model.config import COMMITTED, SETTINGS_FILE, family, flat, key_of
from ralphgit.model.printable import cut
from ralphgit.model.setting_values import resolve
from ralphgit.model.task import Task
from ralphgit.records import settings_file

_LONGEST_VALUE = 120


class SettingChange(NamedTuple):
    name: str
    """As `ralph.toml` spells it; "" where the file cannot be read."""
    old: object
    new: object
    """None where there is none, as of a profile that is gone."""
    safety: bool
    """Whether it keeps workers in check, runs something, or says where the truth is."""

    @property
    def sentence(self) -> str:
        if not self.name:
            return f"{SETTINGS_FILE} is changed, and cannot be read"
        what = "a safety setting" if self.safety else "a setting"
        return f"{what} is changed: {self.name}, {_shown(self.old)} -> {_shown(self.new)}"


def between(objects: Objects, old: str, new: str) -> list[SettingChange]:
    """List the settings that differ between two commits, defaults where they are not set."""
    names = [f"{commit}:{SETTINGS_FILE}" for commit in (old, new)]
    found = objects.read(names)
    before, after = (found.get(name) for name in names)
    if before == after:
        return []
    was, now = _settings(before), _settings(after)
    if now is None:
        return [SettingChange("", None, None, True)]
    was = was if was is not None else _settings(None) or {}
    changes = [
        SettingChange(key_of(name), was.get(name), now.get(name), family(name) in COMMITTED)
        for name in dict.fromkeys((*was, *now))
        if was.get(name) != now.get(name)
    ]
    return sorted(changes, key=lambda one: (not one.safety, one.name))


def of_work(project: Project, tasks: Sequence[Task], head: str) -> list[str]:
    """Say which safety settings the commit `head`, which does `tasks`, brings to the base.

    None where the scope of one of them, as the base has it, names the file: then it is the work.
    """
    base = project.base.commit
    objects = project.repository.objects
    names = [f"{commit}:{SETTINGS_FILE}" for commit in (base, head)]
    there = objects.resolve(names)
    if there[0] == there[1] or any(_is_work(project, task.id) for task in tasks):
        return []
    fork = merge_base(project.repository, base, head)
    found = between(objects, fork, head) if fork else []
    label = ", ".join(task.id for task in tasks)
    return [f"{label}: {one.sentence} ({SETTINGS_FILE})" for one in found if one.safety]


def _is_work(project: Project, task: str) -> bool:
    row = project.base_view.by_id.get(task)
    return row is not None and SETTINGS_FILE in row.write


def _settings(data: bytes | None) -> Mapping[str, object] | None:
    """All settings as the file has them; None where it cannot be read."""
    try:
        made = settings_file.parse(data) if data is not None else {}
        return flat(resolve([(SETTINGS_FILE, made)]))
    except (InvalidRecord, UsageError):
        return None


def _shown(value: object) -> str:
    return "none" if value is None else cut(json.dumps(value, ensure_ascii=False), _LONGEST_VALUE)
