"""Sum up what agents have used: by task, story, worker and day.

The audits on the base say it, and the notes of this machine what is in no audit: of what has not
landed, was given back, or is worked on.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.model.task import Usage
from ralphgit.model.usage import total

#: What a record has that says that an attempt or a review has used something.
_MARK = b"usage:"
#: Under which the repository's cache has what the audits of a task say.
_CACHED = "usage 1 "
#: The fields of what is `Attempted`, as plain values.
_Known = tuple[tuple[Any, ...], ...]


class Attempted(NamedTuple):
    """What one attempt has used, or one review of it."""

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
    """Sum up what the base and this machine say. Writes nothing but the repository's cache."""
    every = list(_landed(project))
    told = {(one.claim, one.by) for one in every}
    every += (one for one in _here(project) if (one.claim, one.by) not in told)
    if not every:
        return UsageSums(Usage(), {}, {}, {}, {})
    known = project.base_view.by_id if project.base.commit else {}
    every.sort(key=lambda one: one.day, reverse=True)
    return UsageSums(
        total(one.usage for one in every),
        _by(every, lambda one: one.task),
        _by(every, lambda one: known[one.task].story if one.task in known else ""),
        _by(every, lambda one: one.by),
        _by(every, lambda one: one.day),
    )


def _here(project: Project) -> Iterator[Attempted]:
    """What the runs of this machine have used."""
    common_dir = project.repository.common_dir
    if os.path.lexists(os.path.join(common_dir, runtime_files.RUNS)):
        from ralphgit.app.workspace import agent_usage  # which needs a parser

        for run in agent_usage.runs(common_dir):
            if run.usage.is_told:
                yield Attempted(run.task, run.claim, run.by, run.at[:10], run.usage)


def _by(every: Iterable[Attempted], key: Callable[[Attempted], str]) -> dict[str, Usage]:
    groups: dict[str, list[Usage]] = {}
    for one in every:
        if name := key(one):
            groups.setdefault(name, []).append(one.usage)
    return {name: total(group) for name, group in groups.items()}


def _landed(project: Project) -> Iterator[Attempted]:
    """What the audits on the base say; of a folder that has not changed, as the cache has it."""
    folder, objects = f"{project.config.records}/audit", project.repository.objects
    tree = objects.resolve([f"{project.base.commit}:{folder}/"])[0] if project.base.commit else None
    if tree is None:
        return
    key = _CACHED + folder
    kept: tuple[str, dict[str, _Known]] | None = project.cache.kept(key)
    seen, known = kept or ("", {})
    if seen != tree:
        tasks = {name: one.oid for name, one in objects.trees([tree])[tree].items() if one.is_tree}
        unknown = {name: oid for name, oid in tasks.items() if oid not in known}
        read = _read(project, unknown)
        known = {oid: read[oid] if oid in read else known[oid] for oid in tasks.values()}
        project.cache.keep(key, (tree, known))
    for found in known.values():
        for task, claim, by, day, usage in found:
            yield Attempted(task, claim, by, day, Usage(*usage))


def _read(project: Project, tasks: Mapping[str, str]) -> dict[str, _Known]:
    """What the audits of tasks say, by the id of each one's folder, as plain values."""
    objects = project.repository.objects
    objects.trees(tasks.values())
    files = {oid: objects.below(oid) for oid in tasks.values()}
    contents = objects.read(
        entry.oid for below in files.values() for path, entry in below if path.endswith(".yaml")
    )
    found: dict[str, _Known] = {}
    for task, oid in tasks.items():
        said: list[tuple[Any, ...]] = []
        for path, entry in files[oid]:
            if _MARK in contents.get(entry.oid, b""):
                said += _said(contents[entry.oid], task, path.removesuffix(".yaml"))
        found[oid] = tuple(said)
    return found


def _said(data: bytes, task: str, record: str) -> Iterator[tuple[Any, ...]]:
    """What one audit says: an attempt by its last event that does, a review."""
    from ralphgit.app.evidence import attempt_events  # seldom needed: no parser is loaded
    from ralphgit.errors import InvalidRecord
    from ralphgit.records import review_file

    for event in reversed(attempt_events.parsed(data, task, record)):
        if event.usage is not None:
            yield task, record, event.by, event.at[:10], tuple(event.usage)
            return
    try:
        made = review_file.parse(data)
    except InvalidRecord:
        return  # which `check` reports
    if made is not None and made.usage is not None:
        yield task, f"{made.claim}-review", made.by, made.at[:10], tuple(made.usage)
