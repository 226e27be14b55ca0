"""Find out which task each item of the imported files is; `rules/import_identity` decides.

A task remembers the files that it came from (`x-source`), and the id that it has in them where
that is another than its own: it was imported with a prefix, its list was renumbered, or the id was
taken.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ralphgit.app.active_claims import other_bases
from ralphgit.app.exchange import three_way_import
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, InvalidRecord, UsageError
from ralphgit.model.ids import parse_task_id
from ralphgit.model.printable import counted
from ralphgit.model.task_status import Status
from ralphgit.records import importers
from ralphgit.records.importers import Imported
from ralphgit.records.importers.parts import headings
from ralphgit.records.importers.parts.source_values import safe_id, short
from ralphgit.records.task_origin import Origin
from ralphgit.rules import import_identity
from ralphgit.rules.import_identity import RENUMBERED, REWORDED, By, Facts, Verdict, Words

_LONGEST = 64


class Told(NamedTuple):
    """What the user says of the files."""

    prefix: str = ""
    words: str = ""
    """`import_identity.RENUMBERED` or `REWORDED`, or ""."""

    @classmethod
    def by(cls, prefix: str, *, renumbered: bool, reworded: bool) -> Told:
        """Raises: UsageError for both."""
        if renumbered and reworded:
            message = "a list is either renumbered or reworded"
            hint = "import the files one after the other, each with what was done to it"
            raise UsageError(message, hint=hint)
        return cls(prefix, RENUMBERED if renumbered else REWORDED if reworded else "")


class Identified(NamedTuple):
    """The files with the ids that their tasks have here."""

    each: list[tuple[str, Imported]]
    names: dict[str, str]
    """By task, the id that its file gives it, where that is another."""
    moved: dict[str, str]
    """By file that is gone, what it is called now."""
    notes: list[str]


class _Known(NamedTuple):
    """A task that is here."""

    id: str
    name: str
    """The id that its source gives it."""
    files: tuple[str, ...]
    words: str
    title: str
    address: str
    status: str
    held: bool
    edited: bool
    place: tuple[str, int]


class _Item(NamedTuple):
    """What a file has."""

    name: str
    title: str
    words: str
    address: str
    line: int


class _Doubt(NamedTuple):
    item: _Item
    task: _Known
    now: str
    """Where the task's words are in the file, "" where they are not."""


def resolve(
    project: Project,
    here: GraphView,
    each: Sequence[tuple[str, Imported]],
    files: Sequence[str],
    told: Told,
) -> Identified:
    """Give the tasks of `each` the ids that they have here; `files` are what is remembered of each.

    Raises: UsageError (bad_id, other_prefix); InvalidRecord (other_source); GuardRefused
    (words_changed) where it has to be said whether a list was renumbered or reworded.
    """
    graph = _Graph(project, here, files)
    taken = [
        graph.take(name, file, found, told) for (name, found), file in zip(each, files, strict=True)
    ]
    # Tickets of one folder name each other.
    shared = {name: id for ids, _ in reversed(taken) for name, id in ids.items()}
    made = [
        (name, importers.renamed(found, shared | ids, prefix))
        for (name, found), (ids, prefix) in zip(each, taken, strict=True)
    ]
    return Identified(made, graph.names, graph.moved, graph.notes)


class _Graph:
    """The tasks that are here, and those of the files that were looked at."""

    def __init__(self, project: Project, here: GraphView, files: Sequence[str]) -> None:
        self.names: dict[str, str] = {}
        self.moved: dict[str, str] = {}
        self.notes: list[str] = []
        self._top, self._given = project.top, frozenset(files)
        leased = _leased(project)
        self._tasks = [_known(here.stored(row), leased, (row.file, row.line)) for row in here.rows]
        self._ids = {task.id.casefold(): task for task in self._tasks}
        self._archive = here.archive

    def take(self, name: str, file: str, found: Imported, told: Told) -> tuple[dict[str, str], str]:
        """By the ids in the file called `name`, those that its tasks have here; and its prefix."""
        items = [
            _Item(
                str(task["id"]),
                str(task["title"]),
                three_way_import.words(task),
                three_way_import.address(task),
                found.lines.get(str(task["id"]), 1),
            )
            for task in found.tasks
        ]
        for item in items if told.prefix else ():
            parse_task_id(told.prefix + item.name)
        own = self._own(file, items)
        prefix = _prefix(name, own, told.prefix)
        by_name = {task.name.casefold(): task for task in own}
        old = {task.id.casefold(): task for task in own if task.name == task.id}
        for item in items:  # before names were remembered, ids alone had the prefix
            task = old.get(f"{prefix}{item.name}".casefold())
            if prefix and task is not None:
                by_name.setdefault(item.name.casefold(), task)
        if found.local:
            ids = self._local(name, file, found, items, own, by_name, prefix, told)
        else:
            ids = {
                item.name: by_name[item.name.casefold()].id
                if item.name.casefold() in by_name
                else prefix + item.name
                for item in items
            }
        for item in items:
            if ids[item.name] != item.name:
                self.names[ids[item.name]] = item.name
        if found.local:
            for item in items:
                self._add(ids[item.name], item, file)
        return ids, prefix

    def _add(self, id: str, item: _Item, file: str) -> None:
        """Know a task for the files that follow."""
        task = _Known(
            id, item.name, (file,), item.words, item.title, item.address, Status.PENDING.value,
            False, False, (file, item.line),
        )  # fmt: skip
        self._ids.setdefault(id.casefold(), task)

    def _own(self, file: str, items: Sequence[_Item]) -> list[_Known]:
        """The tasks that came from `file`, or from one that was moved there."""
        own = [task for task in self._tasks if file in task.files]
        if own or not os.path.exists(os.path.join(self._top, file)):
            return own
        words = {(item.name.casefold(), item.words) for item in items}
        others = Counter(one for task in self._tasks for one in task.files)
        same = Counter(
            one
            for task in self._tasks
            for one in task.files
            if (task.name.casefold(), task.words) in words
        )
        for one, number in same.most_common():
            gone = one not in self._given and not os.path.exists(os.path.join(self._top, one))
            if import_identity.is_moved(gone=gone, tasks=others[one], same=number):
                self.moved[one] = file
                return [task for task in self._tasks if one in task.files]
        return []

    def _local(
        self, name: str, file: str, found: Imported, items: Sequence[_Item],
        own: Sequence[_Known], by_name: Mapping[str, _Known], prefix: str, told: Told,
    ) -> dict[str, str]:  # fmt: skip
        """The ids of the items of a list whose ids mean something within it only."""
        here = {item.name.casefold() for item in items}
        words = {item.words: item.name for item in items}
        twice = Counter(task.words for task in own)
        by_words = {task.words: task for task in own if twice[task.words] == 1}
        ids: dict[str, str] = {}
        taken: set[str] = set()
        doubts: list[_Doubt] = []
        for item in items:
            task = by_name.get(item.name.casefold())
            by = By.THIS
            if task is None:
                task, by = self._other(prefix + item.name, file)
            follows = by_words.get(item.words)
            if follows is not None and follows.id in taken:
                follows = None
            facts = Facts(
                by,
                _words(item, task, follows, here),
                held=task is not None and task.held,
                edited=task is not None and task.edited,
                elsewhere=task is not None and task.words in words,
                told=told.words,
            )
            verdict = _of_issue(item, task) or import_identity.decide(facts)
            if verdict == Verdict.ASK and task is not None:
                doubts.append(_Doubt(item, task, words.get(task.words, "")))
                continue
            if verdict == Verdict.SAME and task is not None:
                id = task.id
            elif verdict == Verdict.FOLLOWS and follows is not None:
                id = follows.id
                if follows.name != item.name:
                    self.notes.append(f"{id} is {item.name} in {name} now: it has the same words.")
            else:
                id = self._free(item, name, file, found, prefix, verdict)
            ids[item.name] = id
            taken.add(id)
        if doubts:
            raise _ask(name, doubts)
        return ids

    def _other(self, id: str, file: str) -> tuple[_Known | None, By]:
        """The task that has `id`, which this file has not given it; and who has."""
        task = self._ids.get(id.casefold())
        if task is None or task.id != id:
            return None, By.NOBODY
        if file in {self.moved.get(one, one) for one in task.files}:
            return None, By.NOBODY
        return task, By.OTHER if task.files else By.PERSON

    def _free(
        self, item: _Item, name: str, file: str, found: Imported, prefix: str, verdict: Verdict
    ) -> str:
        """An id for a new task. Raises: InvalidRecord (other_source)."""
        wanted = prefix + item.name
        other = self._ids.get(wanted.casefold())
        if other is None or other.id != wanted:
            return wanted
        if verdict == Verdict.ANOTHER and item.name not in found.made:
            raise _another(item, other, name)
        stem = os.path.basename(file).partition(".")[0]
        folder = os.path.basename(os.path.dirname(file))
        if item.name in found.made:
            tries = [f"{stem}-{wanted}", f"{folder}-{stem}-{wanted}"]
        else:
            tries = [f"{wanted}-{headings.slug(item.title)}"]
        tries.append(f"{wanted[: _LONGEST - 7]}-{headings.digest(file + item.name)}")
        for one in tries:
            id = safe_id(one[:_LONGEST])
            if id.casefold() not in self._ids and self._archive.entry(id) is None:
                break
        self.notes.append(f"{item.name} of {name} is {id} here: {wanted} is another task.")
        return id


def _known(stored: dict[str, Any], leased: frozenset[str], place: tuple[str, int]) -> _Known:
    origin = Origin.of(stored)
    id, status = str(stored["id"]), str(stored["status"])
    return _Known(
        id,
        (origin.id if origin else "") or id,
        origin.files if origin else (),
        (origin.digests.get("title") if origin else None) or three_way_import.words(stored),
        str(stored["title"]),
        three_way_import.address(stored),
        status,
        status != Status.PENDING or id in leased,
        origin is not None and three_way_import.is_edited(stored, origin),
        place,
    )


def _leased(project: Project) -> frozenset[str]:
    places = other_bases.lease_places(project)
    refs = project.repository.refs
    return frozenset(ref.removeprefix(one) for ref in refs for one in places if ref.startswith(one))


def _words(item: _Item, task: _Known | None, follows: _Known | None, here: set[str]) -> Words:
    """What the words of an item are; `task` has its id, and `follows` its words."""
    if task is not None and task.words == item.words:
        return Words.ITS
    if follows is None:
        return Words.NEW
    return Words.OTHERS if follows.name.casefold() in here else Words.LOST


def _of_issue(item: _Item, task: _Known | None) -> Verdict | None:
    """What an issue is: its address says it, whatever its words; None for all else."""
    if task is None or not (item.address and task.address):
        return None
    return Verdict.SAME if item.address == task.address else Verdict.ANOTHER


def _prefix(name: str, own: Iterable[_Known], wanted: str) -> str:
    """The prefix of a file's tasks: as wanted, else as remembered.

    Raises: UsageError (other_prefix) where the file's tasks have another one.
    """
    found = {task.id[: -len(task.name)] for task in own if task.id.endswith(task.name)}
    known = found.pop() if len(found) == 1 else ""
    if not wanted or wanted == known or all(task.id.startswith(wanted) for task in own):
        return wanted or known
    before = f"with --prefix {known}" if known else "without a prefix"
    again = f"ralphgit import --prefix {known} {name}" if known else f"ralphgit import {name}"
    raise UsageError(
        f"{name} was imported {before}, and its tasks keep their ids; nothing was written",
        code="other_prefix", hint=again,
    )  # fmt: skip


def _another(item: _Item, other: _Known, name: str) -> InvalidRecord:
    file, line = other.place
    return InvalidRecord(
        f"the graph has another task {other.id} ({short(other.title)}); nothing was written; "
        "--prefix puts a word before the ids",
        file=file, line=line, task=item.name, code="other_source",
        hint=f"ralphgit import --prefix WORD- {name}",
    )  # fmt: skip


def _ask(name: str, doubts: Sequence[_Doubt]) -> GuardRefused:
    """The refusal of words that changed under what was done, or is; with both readings."""
    item, task, now = doubts[0]
    state = task.status if task.status != Status.PENDING else "claimed" if task.held else "edited"
    more = f" (so have those of {counted(len(doubts) - 1, 'more task')})" if doubts[1:] else ""
    moved = f"its work is {now} now" if now else "its work is in the list no more"
    return GuardRefused(
        f"{name}:{item.line}: {task.id} is {state} here, and its words have changed from "
        f"{short(task.title)} to {short(item.title)}{more}; nothing was written. Either the list "
        f"was renumbered: {moved}, and {item.name} is other work (--renumbered). Or it is the "
        "same work in other words (--reworded)",
        code="words_changed",
        hint=f"ralphgit import {name} --{RENUMBERED if now else REWORDED}",
        details={
            "changed": [
                {"task": one.task.id, "line": one.item.line, "from": one.task.title,
                 "to": one.item.title, "now": one.now or None}
                for one in doubts
            ],
        },
    )  # fmt: skip
