"""Give each task of the imported files the id that it has here, or a new one that nobody has.

A task remembers the files that it came from (`x-source`), and the id that it has in them where
that is another than its own: it was imported with a prefix, its list was renumbered, or the id was
taken.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from ralphgit.app.exchange import (
    document_folders,
    identity_refusals,
    plan_numbers,
    source_prefix,
    title_remarks,
)
from ralphgit.app.exchange.document_folders import DocumentFolders, Paper
from ralphgit.app.exchange.document_ids import DocumentIds
from ralphgit.app.exchange.failing_again import ENDED, Failures
from ralphgit.app.exchange.known_task import Item, Known, items_of, known, leased
from ralphgit.app.exchange.match_list_items import match
from ralphgit.app.exchange.source_folder import place
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import UsageError
from ralphgit.model.ids import parse_task_id
from ralphgit.model.task_status import Status
from ralphgit.records import importers
from ralphgit.records.importers import Imported
from ralphgit.records.importers.parts import headings, source_values
from ralphgit.records.importers.parts.source_values import safe_id
from ralphgit.rules import import_identity
from ralphgit.rules.import_identity import RENUMBERED, REWORDED, By, Verdict

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
    settled: frozenset[str]
    """Tasks that are complete or cancelled here, which a report of failures does not change."""


def resolve(
    project: Project,
    here: GraphView,
    each: Sequence[tuple[str, Imported]],
    files: Sequence[str],
    told: Told,
    beside: Sequence[tuple[str, str, Imported]] = (),
) -> Identified:
    """Give the tasks of `each` the ids that they have here; `files` are what is remembered of each.

    Documents `beside` these (what each is called, and remembered by) are only looked at.

    Raises: UsageError (bad_id, other_prefix); InvalidRecord (other_source); GuardRefused
    (words_changed) where it has to be said whether a list was renumbered or reworded.
    """
    graph = _Graph(project, here, files)
    each = [
        (name, graph.without_remarks(file, found))
        for (name, found), file in zip(each, files, strict=True)
    ]
    graph.look_at(each, files, beside, told)
    taken = [
        graph.take(name, file, found, one)
        for (name, found), file, one in zip(
            each, files, graph.prefixes(each, files, told), strict=True
        )
    ]
    # Tickets of one folder name each other, above all others.
    shared = {name: id for ids, _ in reversed(taken) for name, id in ids.items()}
    near: dict[str, dict[str, str]] = {}
    for (name, _), (ids, _) in reversed([*zip(each, taken, strict=True)]):
        near.setdefault(os.path.dirname(name), {}).update(ids)
    made = []
    for (name, found), file, (ids, prefix) in zip(each, files, taken, strict=True):
        known = shared | graph.beside(file, found, prefix) | near[os.path.dirname(name)] | ids
        made.append((name, importers.renamed(found, known, prefix)))
    return Identified(made, graph.names, graph.moved, graph.notes, frozenset(graph.settled))


class _Graph:
    """The tasks that are here, and those of the files that were looked at."""

    def __init__(self, project: Project, here: GraphView, files: Sequence[str]) -> None:
        self.names: dict[str, str] = {}
        self.moved: dict[str, str] = {}
        self.notes: list[str] = []
        self.settled: set[str] = set()
        self._top, self._given = project.top, frozenset(files)
        held = leased(project)
        self._tasks = [known(here.stored(row), held, (row.file, row.line)) for row in here.rows]
        self._ids = {task.id.casefold(): task for task in self._tasks}
        self._archive = here.archive
        self._documents = DocumentIds(self._tasks, self._exists)
        self._folders = DocumentFolders((), (), self._exists, "")
        self._papers: list[Paper] = []
        self._plans: dict[str, str] = {}
        """By plan that has another number now, the file that it was."""

    def without_remarks(self, file: str, found: Imported) -> Imported:
        """A list with the words that its tasks have here, where it only adds that they are done."""
        titles = {
            task.title
            for task in self._tasks
            if file in task.files or (task.files and not any(map(self._exists, task.files)))
        }
        if not found.local:
            return found
        bare = (title_remarks.without(task, titles) for task in found.tasks)
        return found._replace(tasks=tuple(bare))

    def look_at(
        self,
        each: Sequence[tuple[str, Imported]],
        files: Sequence[str],
        beside: Sequence[tuple[str, str, Imported]],
        told: Told,
    ) -> None:
        """Tell which tasks the documents of folders are. Raises: GuardRefused (words_changed)."""
        given = [(name, file, found, True) for (name, found), file in zip(each, files, strict=True)]
        self._papers = [
            Paper.of(name, file, found, items[0], given=given)
            for name, file, found, given in (*given, *((*one, False) for one in beside))
            if document_folders.is_one(file, found) and (items := items_of(found))
        ]
        self._folders = DocumentFolders(self._papers, self._tasks, self._exists, told.words)
        for papers, doubts in self._folders.doubts:
            raise identity_refusals.ask_of_documents([paper.name for paper in papers], doubts)
        self.moved |= self._folders.moved
        plans = {file: items_of(found) for _, file, found, given in given if found.local and given}
        plans = {
            file: items
            for file, items in plans.items()
            if plan_numbers.number([item.name for item in items])
        }
        self._plans = plan_numbers.renumbered(plans, self._tasks, self._exists)
        self.moved |= {old: file for file, old in self._plans.items()}
        for paper in self._papers:
            if (task := self._folders.task(paper.file)) is not None:
                self._documents.take(task.id, paper.item)

    def beside(self, file: str, found: Imported, prefix: str) -> dict[str, str]:
        """By the ids that documents beside one give their tasks, those that these have here."""
        if not document_folders.is_one(file, found):
            return {}
        folder = place(file)
        ids = dict(self._folders.names.get(folder, {}))
        for paper in self._papers:
            if place(paper.file) == folder and not paper.given:
                item, task = paper.item, self._folders.task(paper.file)
                wanted = prefix + item.name
                tries = (wanted, f"{wanted}-{headings.slug(item.title)}")
                ids[item.name] = task.id if task else self._unused(item, paper.file, wanted, tries)
        return ids

    def prefixes(
        self, each: Sequence[tuple[str, Imported]], files: Sequence[str], told: Told
    ) -> list[Told]:
        """What is told of each file; of several lists that have ids in common, the ids of those
        that are new here begin with the names of their folders."""
        if told.prefix or len(each) == 1 or self._plans:
            return [told] * len(each)
        titles: dict[str, set[str]] = {}
        for _, found in each:
            for task in found.tasks if found.local else ():
                titles.setdefault(str(task["id"]).casefold(), set()).add(str(task["title"]))
        known = {self.moved.get(file, file) for task in self._tasks for file in task.files}
        # Also a list that was moved keeps the ids that it has here.
        known |= {
            file
            for (_, found), file in zip(each, files, strict=True)
            if found.local and file not in known and self._own(file, items_of(found))
        }
        names_of = [source_prefix.given_ids(found) for _, found in each]
        words = source_prefix.of_each(each, files, known)
        made = [told._replace(prefix=word) for word in words]
        if not any(
            len(titles[one.casefold()]) > 1 or self._other(one, file)[1] == By.OTHER
            for file, names, one_told in zip(files, names_of, made, strict=True)
            if one_told.prefix
            for one in names
        ):
            return [told] * len(each)
        named = source_prefix.named(each, words)
        self.notes.append(f"Several lists have the same ids. They begin here with: {named}.")
        return made

    def take(self, name: str, file: str, found: Imported, told: Told) -> tuple[dict[str, str], str]:
        """By the ids in the file called `name`, those that its tasks have here; and its prefix."""
        items = items_of(found)
        if told.prefix:
            parse_task_id(f"{told.prefix}1")
        paired = self._folders.task(file)
        own = [paired] if paired else [
            task for task in self._own(file, items) if not self._is_beside(task.id, file)
        ]  # fmt: skip
        # Documents of one folder have one prefix, whichever task each is.
        alone = (own and not paired) or told.prefix
        others = () if alone else self._in_folder.get(os.path.dirname(file), ())
        beside = source_prefix.beside(file, found, others)
        prefix = source_prefix.remembered(name, beside or own, told.prefix)
        wanted = _wanted(prefix, found, items, own)
        if file in self._plans:
            self.notes.append(f"{name} was {self._plans[file]}: most of its tasks are in it.")
            own = plan_numbers.translated(own, items)
        for item in items if told.prefix else ():
            parse_task_id(wanted[item.name])
        by_name = {task.name.casefold(): task for task in own}
        old = {task.id.casefold(): task for task in own if task.name == task.id}
        for item in items:  # before names were remembered, ids alone had the prefix
            task = old.get(f"{prefix}{item.name}".casefold())
            if prefix and task is not None:
                by_name.setdefault(item.name.casefold(), task)
        if paired is not None:
            ids = {items[0].name: self._same(items[0], paired, name)}
        elif found.local:
            ids = match(
                name, found, items, own, by_name, wanted, prefix, told.words,
                other=lambda id: self._other(id, file),
                free=lambda item, verdict: self._free(
                    item, name, file, found, wanted[item.name], verdict
                ),
                note=self.notes.append,
            )  # fmt: skip
        else:
            ids = {
                item.name: self._shared(name, file, found, item, by_name, wanted) for item in items
            }
        if found.failing:
            failures = Failures(self._ids, self._archive)
            ids = {item.name: failures.task(item, prefix, found.as_of) for item in items}
            ended = {task.id for task in own if task.status in ENDED}
            self.settled |= failures.settled | ended - {*ids.values()}
            self.notes += failures.notes
        for item in items:
            if ids[item.name] != item.name:
                self.names[ids[item.name]] = item.name
        if found.local:
            for item in items:
                self._add(ids[item.name], item, file)
        return ids, prefix

    def _shared(
        self, name: str, file: str, found: Imported, item: Item,
        by_name: Mapping[str, Known], wanted: Mapping[str, str],
    ) -> str:  # fmt: skip
        """The id of an item whose id other files may share, as a graph and its tickets do.

        Two documents of one id and other titles are two tasks.
        """
        known = by_name.get(item.name.casefold())
        id = known.id if known else wanted[item.name]
        if not source_prefix.is_document(file, found):
            return id
        taken = known is None and self._is_beside(id, file)
        if not taken and (own := self._documents.task(item, known, id)):
            return own
        new = self._unused(item, file, id, [f"{id}-{headings.slug(item.title)}"])
        self._documents.take(new, item)
        return self._named(item, name, new, id)

    @cached_property
    def _in_folder(self) -> dict[str, list[Known]]:
        """By folder, the tasks with the files that they are in now."""
        found: dict[str, list[Known]] = {}
        for task in self._tasks:
            now = task._replace(files=tuple(self.moved.get(one, one) for one in task.files))
            for folder in dict.fromkeys(map(os.path.dirname, now.files)):
                found.setdefault(folder, []).append(now)
        return found

    def _is_beside(self, id: str, file: str) -> bool:
        """Whether a task is that of another document of the folder of `file`, or of none."""
        return self._folders.decided.get(id) == place(file)

    def _exists(self, file: str) -> bool:
        return file in self._given or os.path.exists(os.path.join(self._top, file))

    def _unused(self, item: Item, file: str, wanted: str, tries: Sequence[str]) -> str:
        """The first of `tries` that no task here has, else one of its file's own."""
        last = f"{wanted[: _LONGEST - 7]}-{headings.digest(file + item.name)}"
        for one in (*tries, last):
            id = safe_id(one[:_LONGEST])
            if id.casefold() not in self._ids and self._archive.entry(id) is None:
                break
        return id

    def _named(self, item: Item, name: str, id: str, other: str) -> str:
        self.notes.append(f"{item.name} of {name} is {id} here: {other} is another task.")
        return id

    def _add(self, id: str, item: Item, file: str) -> None:
        """Know a task for the files that follow."""
        task = Known(
            id, item.name, (file,), item.words, item.title, item.address, Status.PENDING.value,
            False, False, (file, item.line), description=item.description,
        )  # fmt: skip
        self._ids.setdefault(id.casefold(), task)

    def _own(self, file: str, items: Sequence[Item]) -> list[Known]:
        """The tasks that came from `file`, or from one that was moved there."""
        if file in self._plans:
            return [task for task in self._tasks if self._plans[file] in task.files]
        own = [task for task in self._tasks if file in task.files and file not in self.moved]
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
            gone = not self._exists(one)
            if import_identity.is_moved(gone=gone, tasks=others[one], same=number):
                self.moved[one] = file
                return [task for task in self._tasks if one in task.files]
        return []

    def _same(self, item: Item, task: Known, name: str) -> str:
        """The id of the task that a document is."""
        if task.name.casefold() != item.name.casefold():
            why = "has the same words" if item.words == task.words else "stands in its place"
            self.notes.append(f"{task.id} is {item.name} in {name} now: it {why}.")
        return task.id

    def _other(self, id: str, file: str) -> tuple[Known | None, By]:
        """The task that has `id`, which this file has not given it; and who has."""
        task = self._ids.get(id.casefold())
        if task is None or task.id != id:
            return None, By.NOBODY
        if file in {self.moved.get(one, one) for one in task.files}:
            return None, By.NOBODY
        return task, By.OTHER if task.files else By.PERSON

    def _free(
        self, item: Item, name: str, file: str, found: Imported, wanted: str, verdict: Verdict
    ) -> str:
        """An id for a new task. Raises: InvalidRecord (other_source)."""
        other = self._ids.get(wanted.casefold())
        if other is None or other.id != wanted:
            return wanted
        # Of two documents that call their one task the same, each is known again by its file.
        document = len(found.tasks) == 1 and not (found.lines or item.address)
        beside = document and (
            os.path.dirname(file) in map(os.path.dirname, other.files)
            or self._is_beside(other.id, file)
        )
        beside = beside or not self._plans.keys().isdisjoint(map(self.moved.get, other.files))
        if verdict == Verdict.ANOTHER and item.name not in found.made and not beside:
            raise identity_refusals.another(item, other, name)
        stem = os.path.basename(file).partition(".")[0]
        folder = os.path.basename(os.path.dirname(file))
        if item.name in found.made:
            tries = [f"{stem}-{wanted}", f"{folder}-{stem}-{wanted}"]
        else:
            # At the end of an id its name would be taken for what stands behind a prefix.
            tries = [f"{wanted}-{headings.slug(item.title.replace(item.name, ''))}"]
        return self._named(item, name, self._unused(item, file, wanted, tries), wanted)


def _wanted(
    prefix: str, found: Imported, items: Sequence[Item], own: Sequence[Known]
) -> dict[str, str]:
    """The ids that items get where nobody has these; made ones are cut where they are too long."""
    names = [item.name for item in items]
    known = {task.name.casefold() for task in own}
    fresh = [name for name in names if name in found.made and name.casefold() not in known]
    taken = [task.id for task in own] + [prefix + name for name in names if name not in fresh]
    cut = source_values.prefixed(prefix, fresh, taken)
    return {name: cut.get(name, prefix + name) for name in names}
