"""Decide which task each document of a folder is, where a file holds one task.

People renumber such files, insert one between others, retitle and remove some. So the documents of
a folder are decided together, and the first of these rows that pairs a document with a task does:

| | the document has the task's | and | it is |
|---|---|---|---|
| 1 | title, description and file | | that task |
| 2 | title and description | | that task, renumbered |
| 3 | title, and both are done, or the file or number is the same | | that task |
| 4 | title | there are as many documents as tasks, or nothing was done | that task |
| 5 | title | there are not, and something was done | asked about |
| 6 | half of the title (and no new number), file, number | nothing was done | it, reworded |
| 7 | the same | just markers or a remark that it is done are new | that task |
| 8 | the same | something was done | asked about |
| 9 | nothing of any | | a new task |

What is asked about is that task where it was told to be reworded, and new where it was told to be
renumbered. Of a document with an id of its own, which a tool gives just once, the id comes before
the description; and where something was done, the title (2, 4) is enough only if the id of one of
the two is another title's now, or the document is done: a task may come back every month.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from ralphgit.rules.import_identity import RENUMBERED, REWORDED, is_annotated, is_like, is_marked


class Document(NamedTuple):
    """A document as it is now, or as a task remembers it."""

    key: str
    """What it is called: the file of a document, the id of a task."""
    files: frozenset[str]
    name: str
    """The id that the document gives its task, case-folded."""
    title: str
    words: str
    """A digest of the title in the source."""
    said: str
    """A digest of the description in the source."""
    held: bool = False
    """Of a task: something was done, or is, under its title."""
    told: str = ""
    """Of a document: RENUMBERED or REWORDED, where a person has said which."""
    has_id: bool = False
    """Of a document: it gives its task an id of its own."""
    done: bool = False
    """The document says that its task is done, or the task is complete."""


class Found(NamedTuple):
    """What the documents of a folder are."""

    same: dict[str, str]
    """By document, the task that it is."""
    doubts: dict[str, str]
    """By document, the task that it is perhaps."""


def decide(documents: Sequence[Document], tasks: Sequence[Document]) -> Found:
    """Pair the `documents` of a folder with the `tasks` that came from it, by the table above.

    Both are in the order of their numbers; no task is in a file that is none of the documents and
    still there.
    """
    return _Folder(documents, tasks).decide()


class _Folder:
    """What is not paired yet, and what is."""

    def __init__(self, documents: Sequence[Document], tasks: Sequence[Document]) -> None:
        self._documents = list(documents)
        self._tasks = list(tasks)
        self._names = frozenset(task.name for task in tasks)
        self._now = frozenset(one.name for one in documents)
        self._found = Found({}, {})

    def decide(self) -> Found:
        self._same_title(lambda one: (one.words, one.said, one.files))
        if any(one.has_id for one in self._documents):
            self._same_title(lambda one: (one.words, one.name))
        self._same_title(lambda one: (one.words, one.said))
        self._same_title(lambda one: (one.words, one.done or one.files))
        self._same_title(lambda one: (one.words, one.files))
        self._same_title(lambda one: (one.words, one.name))
        self._same_title(lambda one: one.words)
        self._other_title(lambda new, old: _in_its_file(new, old) and self._has_half(new, old))
        self._other_title(self._has_half)
        self._other_title(_in_its_file)
        self._other_title(lambda new, old: new.name == old.name)
        return self._found

    def _has_half(self, document: Document, task: Document) -> bool:
        """Whether a document has half of a title; one with a new number is new work."""
        return document.name in self._names and is_like(document.title, task.title)

    def _same_title(self, key: Callable[[Document], Hashable]) -> None:
        known = _by(key, self._tasks)
        for each, new in _by(key, self._documents).items():
            old = known.get(each, [])
            clear = len(new) == len(old) or not any(task.held for task in old)
            for document, task in zip(new, old, strict=False):
                sure = clear and (not task.held or self._is_renumbered(document, task))
                self._take(document, task, clear=sure)

    def _is_renumbered(self, document: Document, task: Document) -> bool:
        """Whether a document is a task of the same title for all that is known of their ids."""
        if not document.has_id or document.done or document.name == task.name:
            return True
        renumbered = document.name in self._names or task.name in self._now
        return renumbered or _in_its_file(document, task)

    def _other_title(self, fits: Callable[[Document, Document], bool]) -> None:
        """Of several tasks, one that nobody has begun comes first."""
        for document in list(self._documents):
            old = [task for task in self._tasks if fits(document, task)]
            if not old:
                continue
            task = min(old, key=lambda task: task.held)
            clear = not task.held or (
                is_marked(document.title, task.title)
                or is_annotated(document.title, task.title)
                or is_annotated(task.title, document.title)
            )
            self._take(document, task, clear=clear)

    def _take(self, document: Document, task: Document, *, clear: bool) -> None:
        if not clear and document.told == RENUMBERED:
            return
        self._documents.remove(document)
        self._tasks.remove(task)
        same = clear or document.told == REWORDED
        (self._found.same if same else self._found.doubts)[document.key] = task.key


def _by(
    key: Callable[[Document], Hashable], some: Iterable[Document]
) -> dict[Hashable, list[Document]]:
    found: dict[Hashable, list[Document]] = {}
    for one in some:
        found.setdefault(key(one), []).append(one)
    return found


def _in_its_file(document: Document, task: Document) -> bool:
    return not document.files.isdisjoint(task.files)
