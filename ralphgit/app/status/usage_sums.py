"""Sum up what attempts have used: by task, story, worker and day.

The audits on the base say it, and the notes of the loops of this machine what has not landed.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.model.task import Usage
from ralphgit.model.usage import total

#: What an audit has in which an attempt says that it used something.
_MARK = b"usage:"


class Attempted(NamedTuple):
    """What one attempt has used."""

    task: str
    claim: str
    by: str
    day: str
    """`2026-11-29`."""
    usage: Usage


class UsageSums(NamedTuple):
    """What is known of usage; nothing where no agent has said any."""

    total: Usage
    tasks: Mapping[str, Usage]
    stories: Mapping[str, Usage]
    """Of tasks that have one."""
    workers: Mapping[str, Usage]
    days: Mapping[str, Usage]
    """The newest first."""


def sums(project: Project) -> UsageSums:
    """Sum up what the base and the worktrees of this machine say. Reads only."""
    found = {one.claim: one for one in (*_under_way(project), *_landed(project))}
    stories = {row.id: row.story for row in project.base_view.rows} if project.base.commit else {}
    every = sorted(found.values(), key=lambda one: one.day, reverse=True)
    return UsageSums(
        total(one.usage for one in every),
        _by(every, lambda one: one.task),
        _by(every, lambda one: stories.get(one.task, "")),
        _by(every, lambda one: one.by),
        _by(every, lambda one: one.day),
    )


def _by(every: Iterable[Attempted], key: Callable[[Attempted], str]) -> dict[str, Usage]:
    groups: dict[str, list[Usage]] = {}
    for one in every:
        if name := key(one):
            groups.setdefault(name, []).append(one.usage)
    return {name: total(group) for name, group in groups.items()}


def _landed(project: Project) -> Iterator[Attempted]:
    base, objects = project.base, project.repository.objects
    if not base.commit:
        return
    folder = f"{project.config.records}/audit"
    paths = objects.files([base.commit], (), (folder,), lambda path: path.endswith(".yaml"))
    names = dict(paths[base.commit])
    contents = objects.read(names.values())
    for path, oid in names.items():
        data = contents[oid]
        if _MARK not in data:
            continue
        from ralphgit.app.evidence import attempt_events  # seldom needed: no parser is loaded

        task, claim = path.removesuffix(".yaml").rsplit("/", 2)[1:]
        for event in reversed(attempt_events.parsed(data, task, claim)):
            if event.usage is not None:
                yield Attempted(task, claim, event.by, event.at[:10], event.usage)
                break


def _under_way(project: Project) -> Iterator[Attempted]:
    for worktree in project.repository.worktrees:
        note = os.path.join(worktree.path, runtime_files.USAGE)
        if worktree.bare or not worktree.exists or not os.path.lexists(note):
            continue
        from ralphgit.app.workspace import agent_usage

        lease = runtime_files.remembered(worktree.path)
        used = agent_usage.of_claim(worktree.path, lease.claim) if lease is not None else None
        if lease is not None and used is not None and used.is_told:
            yield Attempted(lease.task, lease.claim, lease.by, lease.at[:10], used)
