"""Tell which task each document of a folder is, together with those beside it.

`rules/document_identity` decides. The documents beside one that is imported alone are looked at,
too: what was renumbered can be told by all of a folder only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.exchange import source_prefix
from ralphgit.app.exchange.identity_refusals import Doubt
from ralphgit.app.exchange.known_task import Item, Known
from ralphgit.app.exchange.source_folder import place
from ralphgit.model.task_status import Status
from ralphgit.records.importers import Imported
from ralphgit.rules import document_identity, import_identity
from ralphgit.rules.document_identity import Document


class Paper(NamedTuple):
    """A document, and what is in it."""

    name: str
    """As it was named."""
    file: str
    """As it is remembered."""
    item: Item
    given: bool
    """It is imported, and not just looked at."""
    has_id: bool
    """Its id is its own, and means something outside of the folder."""
    done: bool
    """It says that its task is done."""

    @classmethod
    def of(cls, name: str, file: str, found: Imported, item: Item, *, given: bool) -> Paper:
        done = found.tasks[0]["status"] == Status.COMPLETE
        return cls(name, file, item, given, not (found.local or found.called), done)


def is_one(file: str, found: Imported) -> bool:
    """Whether a file has one task."""
    return bool(found.tasks) and source_prefix.is_document(file, found)


class DocumentFolders:
    """The tasks that the documents of each folder are."""

    def __init__(
        self,
        papers: Sequence[Paper],
        tasks: Sequence[Known],
        exists: Callable[[str], bool],
        told: str,
    ) -> None:
        self._exists, self._told = exists, told
        self._tasks = [task for task in tasks if task.files]
        self._in_file = Counter(file for task in tasks for file in task.files)
        self._known: dict[str, Known] = {}
        self.decided: dict[str, str] = {}
        """By task, its folder, of all these folders."""
        self.moved: dict[str, str] = {}
        """By file, what that of its task is called now."""
        self.doubts: list[tuple[list[Paper], list[Doubt]]] = []
        """The given documents of each folder of which one is a task perhaps, and the doubts."""
        self.names: dict[str, dict[str, str]] = {}
        """By folder, the ids here of the tasks whose documents are there no more, by their own."""
        self._at = {(paper.item.name, paper.item.words): paper.file for paper in papers}
        folders = defaultdict[str, list[Paper]](list)
        for paper in papers:
            folders[place(paper.file)].append(paper)
        for folder, inside in folders.items():
            self._decide(folder, inside)

    def task(self, file: str) -> Known | None:
        """The task that a document is; None for a new one."""
        return self._known.get(file)

    def _decide(self, folder: str, papers: Sequence[Paper]) -> None:
        files = {paper.file: paper for paper in papers}
        tasks = {task.id: task for task in self._of(folder, files) or self._of_moved(papers)}
        self.decided |= dict.fromkeys(tasks, folder)
        found = document_identity.decide(
            [
                Document(
                    paper.file, frozenset({paper.file}), paper.item.name.casefold(),
                    paper.item.title, paper.item.words, paper.item.description,
                    told=self._told if paper.given else "", has_id=paper.has_id, done=paper.done,
                )
                for paper in papers
            ],
            [
                Document(
                    task.id, frozenset(task.files), task.name.casefold(), task.title, task.words,
                    task.description, held=task.held, done=task.status == Status.COMPLETE,
                )
                for task in tasks.values()
            ],
        )  # fmt: skip
        for file, id in {**found.same, **found.doubts}.items():
            self._known[file] = tasks[id]
            self.moved |= {one: file for one in tasks[id].files if one != file}
        doubts = [
            (files[file], tasks[id])
            for file, id in found.doubts.items()
            if files[file].given and not _is_retitled(files[file], tasks[id])
        ]
        if doubts:
            given = [paper for paper in papers if paper.given]
            given.sort(key=lambda paper: paper.file != doubts[0][0].file)
            called = defaultdict[str, list[str]](list)
            for paper in papers:
                called[paper.item.words].append(paper.item.name)
            told = [
                Doubt(paper.item, task, ", ".join(called.get(task.words, ())))
                for paper, task in doubts
            ]
            self.doubts.append((given, told))
        paired = {*found.same.values(), *found.doubts.values()}
        taken = {paper.item.name for paper in papers}
        self.names[folder] = {
            task.name: id
            for id, task in tasks.items()
            if id not in paired and task.name not in taken
        }

    def _of(self, folder: str, files: Mapping[str, Paper]) -> list[Known]:
        """The tasks whose documents are, or were, in the folder."""
        return [
            task
            for task in self._tasks
            if place(self._at.get((task.name, task.words), task.files[0])) == folder
            and all(
                place(one) == folder
                and (one in files or not (self._exists(one) or self._in_file[one] > 1))
                for one in task.files
            )
        ]

    def _of_moved(self, papers: Sequence[Paper]) -> list[Known]:
        """The tasks of a folder that is gone, and of which most have the titles of these."""
        words = {paper.item.words for paper in papers}
        gone = defaultdict[str, list[Known]](list)
        for task in self._tasks:
            gone[place(task.files[0])].append(task)
        for tasks in gone.values():
            same = sum(task.words in words for task in tasks)
            moved = not any(self._exists(file) for task in tasks for file in task.files)
            alone = all(self._in_file[file] == 1 for task in tasks for file in task.files)
            if alone and import_identity.is_moved(gone=moved, tasks=len(tasks), same=same):
                return tasks
        return []


def _is_retitled(paper: Paper, task: Known) -> bool:
    """Whether a document has the id of a task, and another title that hides no other work."""
    same = paper.has_id and paper.item.name.casefold() == task.name.casefold()
    return same and (paper.done or import_identity.is_like(paper.item.title, task.title))
