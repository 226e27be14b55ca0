"""Find the files of a folder that `import` is given: tools that keep one task a file."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.exchange import gsd_folder
from ralphgit.errors import UsageError
from ralphgit.model.printable import counted
from ralphgit.records.importers import Imported

#: Below a folder that has no Markdown files itself, as Backlog.md's.
_BELOW = ("tasks", "completed")
_SETTINGS = "config.yml"
#: Folders of folders with a list each.
_KEPT_IN = ("changes", "specs")
_TASKS = "tasks.md"
#: Where beads keeps its issues, in what it writes now or wrote before.
_OF_BEADS = ("issues.jsonl", "beads.jsonl")
_EPIC = "epic.md"
_ARCHIVES = frozenset({"archive", "archived"})
_LISTS = frozenset({"markdown", "superpowers"})
#: A task of ccpm in its epic's folder; what stands beside it says how these are done.
_OF_EPIC = re.compile(r"[0-9]+[a-z]?\.md")
_TEMPLATE = re.compile(r"(?:[a-z]+[-_])?template\.md", re.IGNORECASE)


class Read(NamedTuple):
    """A file, and what is in it."""

    name: str
    format: str
    """The name of the importer; "" where no format knows the file."""
    found: Imported | None
    beside: bool
    """It was found in a folder, and not named."""


def expand(folder: str, names: Sequence[str]) -> list[tuple[str, bool]]:
    """The files that `names` stand for, and whether each was found in a folder of that name.

    A folder of folders with a `tasks.md` each stands for these, one with beads' issues for those.

    Numbers in their names count as numbers, so T-2 comes before T-10.

    Raises: UsageError (no_file) for a folder without Markdown files.
    """
    found: list[tuple[str, bool]] = []
    for name in names:
        if not os.path.isdir(os.path.join(folder, name)):
            found.append((name, False))
            continue
        of_beads = [one for one in _OF_BEADS if os.path.isfile(os.path.join(folder, name, one))]
        if of_beads:
            found.append((os.path.join(name, of_beads[0]), True))
            continue
        listed = _lists(folder, name)
        for each in () if listed else (*_epics(folder, name), name):
            listed += documents(folder, each)
            if _keeps_tasks_below(folder, each):
                listed += documents(folder, os.path.join(each, _BELOW[0]))
        # Beside the settings of Backlog.md, documents may stand in its folder.
        of_backlog = os.path.isfile(os.path.join(folder, name, _SETTINGS))
        for below in _BELOW if of_backlog or not listed else ():
            listed += documents(folder, os.path.join(name, below))
        if not listed:
            raise UsageError(
                f"{name} is a folder without Markdown files",
                code="no_file",
                hint="name the file in it that has the tasks",
            )
        found += [(each, True) for each in listed]
    return found


def _lists(folder: str, name: str) -> list[str]:
    """The task lists in folders of `name`, one each: specs of Kiro or spec-kit, OpenSpec's changes.

    What is in an archive, or a folder whose name begins with a dot or an underscore, is left.
    """
    found: list[str] = []
    for inside in ("", *_KEPT_IN):
        place = os.path.join(name, inside) if inside else name
        try:
            below = os.listdir(os.path.join(folder, place))
        except OSError:
            continue
        for each in sorted(below, key=_by_number):
            path = os.path.join(place, each, _TASKS)
            if (
                each[0] not in "._"
                and each != "archive"
                and each not in _KEPT_IN
                and (os.path.isfile(os.path.join(folder, path)))
            ):
                found.append(path)
    return found


def _epics(folder: str, name: str) -> list[str]:
    """The folders of `name` that are epics of ccpm, or phases of GSD; none of an archive."""
    try:
        below = sorted(os.listdir(os.path.join(folder, name)), key=_by_number)
    except OSError:
        return []
    return [
        os.path.join(name, each)
        for each in below
        if each[0] not in "._"
        and each not in _ARCHIVES
        and os.path.isdir(os.path.join(folder, name, each))
        and any(
            one == _EPIC or one.endswith(gsd_folder.PLAN)
            for one in os.listdir(os.path.join(folder, name, each))
        )
    ]


def _keeps_tasks_below(folder: str, epic: str) -> bool:
    """Whether a folder is an epic whose tasks are in `tasks/`, and none beside `epic.md`."""
    try:
        listed = os.listdir(os.path.join(folder, epic))
    except OSError:
        return False
    return _EPIC in listed and not any(map(_OF_EPIC.fullmatch, listed))


def place(file: str) -> str:
    """The folder of a document, with Backlog.md's `tasks` and `completed` as one."""
    folder = os.path.dirname(file)
    return os.path.dirname(folder) if os.path.basename(folder) in _BELOW else folder


def beside(folder: str, name: str) -> list[str]:
    """The documents of the same place as one."""
    own = os.path.dirname(name)
    below = [os.path.join(place(name), each) for each in _BELOW] if own != place(name) else [own]
    return [each for one in below for each in documents(folder, one)]


def documents(folder: str, name: str) -> list[str]:
    """The Markdown files of a folder, but for templates and what a tool keeps beside its tasks."""
    try:
        listed = os.listdir(os.path.join(folder, name))
    except OSError:
        return []
    own = _beside_epic(listed) | gsd_folder.beside_plans(listed) | _templates(listed)
    files = sorted((each for each in listed if each.endswith(".md") and each not in own),
                   key=_by_number)  # fmt: skip
    return [os.path.join(name, each) for each in files]


def passed_over(folder: str, names: Sequence[str]) -> list[str]:
    """A note on what `expand` leaves of folders, as the tool that keeps the tasks there made it."""
    places = [
        place
        for name in names
        for place in (name, *_epics(folder, name))
        if os.path.isdir(os.path.join(folder, place))
    ]
    notes = []
    kinds = (
        ("called a template", _templates),
        ("that ccpm keeps beside its tasks", _beside_epic),
        (
            "that GSD keeps beside its plans",
            lambda listed: gsd_folder.beside_plans(listed) - _templates(listed),
        ),
    )
    for what, beside in kinds:
        left = [
            os.path.join(place, each)
            for place in places
            for each in sorted(beside(os.listdir(os.path.join(folder, place))))
        ]
        if left:
            files, named = counted(len(left), "file"), ", ".join(left)
            notes.append(f"{files} {what} not read: {named}.")
    for place in places:
        below = documents(folder, os.path.join(place, _BELOW[0]))
        beside_epic = os.path.isfile(os.path.join(folder, place, _EPIC))
        if below and beside_epic and not _keeps_tasks_below(folder, place):
            files = counted(len(below), "file")
            notes.append(
                f"{files} below an epic with tasks of its own not read: {', '.join(below)}."
            )
    return notes


def archived(top: str, files: Sequence[str]) -> list[str]:
    """A note on each folder of `files`, which are gone, that is in the archive beside it now.

    OpenSpec puts the date before the name of one.
    """
    moved: dict[str, str] = {}
    for file in files:
        folder, last = os.path.split(file)
        place, name = os.path.split(folder)
        for archive in _ARCHIVES:
            try:
                below = os.listdir(os.path.join(top, place, archive))
            except OSError:
                continue
            for each in sorted(below):
                now = os.path.join(place, archive, each)
                named = each == name or each.endswith(f"-{name}")
                if name and named and os.path.isfile(os.path.join(top, now, last)):
                    moved[folder] = os.path.join(now, last) if last == _TASKS else now
    return [
        f"{folder} is in the archive now; what of it is done there: "
        f"ralphgit import {shlex.quote(now)}"
        for folder, now in moved.items()
    ]


def _beside_epic(listed: Sequence[str]) -> set[str]:
    """The files of an epic's folder that are ccpm's own, and no tasks."""
    tasks = {each for each in listed if _OF_EPIC.fullmatch(each)}
    if not tasks or _EPIC not in listed:
        return set()
    markdown = {each for each in listed if each.endswith(".md")}
    return markdown - tasks - {_EPIC} - _templates(listed)


def _templates(listed: Sequence[str]) -> set[str]:
    """The files of a folder that are called a template: `TASK-TEMPLATE.md`."""
    return {each for each in listed if _TEMPLATE.fullmatch(each)}


def _by_number(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part.casefold())
            for part in re.split(r"([0-9]+)", name) if part]  # fmt: skip


def chosen(files: Sequence[Read]) -> tuple[list[tuple[str, Imported]], list[str]]:
    """What is imported of `files`, by rank, and notes on those in folders that are not.

    Beside files of one task each, or beside tasks.md, a document with a list is about something
    else.
    """
    tickets = any(one.beside and one.format not in ("", *_LISTS) for one in files)
    plans = {
        os.path.dirname(one.name)
        for one in files
        if one.beside and one.found is not None and os.path.basename(one.name) == _TASKS
    }
    kept, unknown, lists = [], [], []
    for one in files:
        if one.found is None:
            unknown.append(one.name)
        elif (
            one.beside
            and one.format in _LISTS
            and (
                tickets
                or (os.path.dirname(one.name) in plans and os.path.basename(one.name) != _TASKS)
            )
        ):
            lists.append(one.name)
        else:
            kept.append((one.name, one.found))
    kept.sort(key=lambda pair: pair[1].rank)
    kinds = (("without a task", unknown), ("with a list beside the tasks", lists))
    notes = [
        f"{counted(len(names), 'file')} {kind} not read: {', '.join(names)}."
        for kind, names in kinds
        if names
    ]
    return kept, notes
