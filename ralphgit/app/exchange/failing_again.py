"""Decide what becomes of a test that fails, and whose task was completed here.

| the task that is here | the report is | what fails is |
|---|---|---|
| none, or open | any | that task |
| complete | of after that; without a time, of other failures | a new task, `ID-2` |
| complete | of before that, or the same as before | that task, which stays as it is |
| cancelled | any | that task, which stays as it is; a note says how to reopen it |
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ralphgit.app.exchange.known_task import Item, Known
from ralphgit.app.workspace.archive_view import Archive
from ralphgit.model.task_status import Status

_LONGEST = 64
ENDED = (Status.COMPLETE.value, Status.CANCELLED.value)


class Failures:
    """The tasks here, as a report of failures sees them."""

    def __init__(self, ids: Mapping[str, Known], archive: Archive) -> None:
        self.notes: list[str] = []
        self.settled: set[str] = set()
        """Tasks that are complete or cancelled here, and stay as they are."""
        self._ids, self._archive = ids, archive

    def task(self, item: Item, prefix: str, as_of: str) -> str:
        """The task of what fails: a new one where that before was completed, and fails since."""
        first = id = prefix + item.name
        number = 1
        while (task := self._ended(id)) is not None:
            if task.status == Status.CANCELLED:
                how = f"ralphgit reset {id} --reopen --reason TEXT"
                self.notes.append(f"{id} is cancelled here, and fails: {how}")
                self.settled.add(id)
                break
            if not _is_later(as_of, task, item):
                self.notes.append(f"{id} is complete here since this was found: it stays as it is.")
                self.settled.add(id)
                break
            number += 1
            id = f"{first[: _LONGEST - 4]}-{number}"
            if id.casefold() not in self._ids and self._archive.entry(id) is None:
                self.notes.append(f"{task.id} is complete here, and fails again: {id} is new.")
        return id

    def _ended(self, id: str) -> Known | None:
        """A task that is complete or cancelled, in the archive or not."""
        task = self._ids.get(id.casefold())
        if task is not None:
            return task if task.status in ENDED else None
        kept = self._archive.entry(id)
        if kept is None or kept.status not in ENDED:
            return None
        return Known(
            kept.id, kept.id, (), "", kept.title, "", kept.status, True, False, ("", 1), kept.at
        )


def _is_later(as_of: str, task: Known, item: Item) -> bool:
    """Whether a report is of after a task was completed; by its words, where it has no time."""
    try:
        return datetime.fromisoformat(as_of) > datetime.fromisoformat(task.ended)
    except (ValueError, TypeError):
        return item.description != task.description
