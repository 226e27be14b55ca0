"""Tell which task each document is that is called by its file, together with those beside it.

`rules/document_identity` decides. The documents beside one that is imported alone are looked at,
too: what was renumbered can be told by all of a folder only.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.exchange import source_prefix
from ralphgit.app.exchange.identity_refusals import Doubt
from ralphgit.app.exchange.known_task import Item, Known
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
    given: bool = True
    """It is imported, and not just looked at."""


def is_one(file: str, found: Imported) -> bool:
    """Whether a file has one task, which is called by it, by a number that it shares with none."""
    return found.local and bool(found.tasks) and source_prefix.is_document(file, found)


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
        self.moved: dict[str, str] = {}
        """By file, what that of its task is called now."""
        self.doubts: list[tuple[list[Paper], list[Doubt]]] = []
        """The given documents of each folder of which one is a task perhaps, and the doubts."""
        self.names: dict[str, dict[str, str]] = {}
        """By folder, the ids here of the tasks whose documents are there no more, by their own."""
        folders = defaultdict[str, list[Paper]](list)
        for paper in papers:
            folders[os.path.dirname(paper.file)].append(paper)
        for folder, inside in folders.items():
            self._decide(folder, inside)

    def task(self, file: str) -> Known | None:
        """The task that a document is; None for a new one."""
        return self._known.get(file)

    def _decide(self, folder: str, papers: Sequence[Paper]) -> None:
        files = {paper.file: paper for paper in papers}
        tasks = {task.id: task for task in self._of(folder, files) or self._of_moved(papers)}
        found = document_identity.decide(
            [
                Document(
                    paper.file, frozenset({paper.file}), paper.item.name.casefold(),
                    paper.item.title, paper.item.words, paper.item.description,
                    told=self._told if paper.given else "",
                )
                for paper in papers
            ],
            [
                Document(
                    task.id, frozenset(task.files), task.name.casefold(), task.title, task.words,
                    task.description, held=task.held,
                )
                for task in tasks.values()
            ],
        )  # fmt: skip
        for file, id in {**found.same, **found.doubts}.items():
            self._known[file] = tasks[id]
            self.moved |= {one: file for one in tasks[id].files if one != file}
        doubts = [
            (files[file], tasks[id]) for file, id in found.doubts.items() if files[file].given
        ]
        if doubts:
            given = [paper for paper in papers if paper.given]
            given.sort(key=lambda paper: paper.file != doubts[0][0].file)
            self.doubts.append((given, [Doubt(paper.item, task, "") for paper, task in doubts]))
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
            if all(
                os.path.dirname(one) == folder
                and (one in files or not (self._exists(one) or self._in_file[one] > 1))
                for one in task.files
            )
        ]

    def _of_moved(self, papers: Sequence[Paper]) -> list[Known]:
        """The tasks of a folder that is gone, and of which most have the titles of these."""
        words = {paper.item.words for paper in papers}
        gone = defaultdict[str, list[Known]](list)
        for task in self._tasks:
            gone[os.path.dirname(task.files[0])].append(task)
        for tasks in gone.values():
            same = sum(task.words in words for task in tasks)
            moved = not any(self._exists(file) for task in tasks for file in task.files)
            alone = all(self._in_file[file] == 1 for task in tasks for file in task.files)
            if alone and import_identity.is_moved(gone=moved, tasks=len(tasks), same=same):
                return tasks
        return []
