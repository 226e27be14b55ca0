"""Tell documents of one task each apart that give it the same id, as two branches of one tool do.

Each is known again by its file. A document that was renamed is the one whose file is gone. Of
those that are called by their files, as in ccpm's epics, see `document_folders`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from ralphgit.app.exchange.known_task import Item, Known


class DocumentIds:
    """The ids of the tasks that documents have here, and in the import so far."""

    def __init__(self, tasks: Sequence[Known], exists: Callable[[str], bool]) -> None:
        self._tasks = [task for task in tasks if task.files]
        self._exists = exists
        self._in_file = Counter(file for task in tasks for file in task.files)
        self._words: dict[str, str] = {}
        """By id, case-folded, the words with which a document of this import has it."""

    def task(self, item: Item, known: Known | None, wanted: str) -> str:
        """The id of a document's task; "" where the one that it would have is another's.

        `known` is the task that came from its file; `wanted` the id that it has otherwise.
        """
        task = known or self._renamed(item, wanted)
        id = task.id if task else wanted
        first = self._words.get(id.casefold()) or ("" if task else self._elsewhere(id))
        if first and first != item.words:
            return ""
        self.take(id, item)
        return id

    def take(self, id: str, item: Item) -> None:
        """Know what the documents that follow may not be."""
        self._words[id.casefold()] = item.words

    def _renamed(self, item: Item, wanted: str) -> Known | None:
        """The task of that name whose documents are gone; nothing was done under other words."""
        gone = [
            task
            for task in self._tasks
            if task.name.casefold() == item.name.casefold()
            and task.id.casefold() not in self._words
            and (task.words == item.words or task.id == wanted or not task.held)
            and not any(map(self._exists, task.files))
        ]
        gone.sort(key=lambda task: (task.words != item.words, task.id != wanted))
        return gone[0] if gone else None

    def _elsewhere(self, id: str) -> str:
        """The words of the task that another document has under `id`; "" where none has."""
        return next(
            (
                task.words
                for task in self._tasks
                if task.id.casefold() == id.casefold() and any(map(self._is_document, task.files))
            ),
            "",
        )

    def _is_document(self, file: str) -> bool:
        return file.endswith(".md") and self._in_file[file] == 1 and self._exists(file)
