"""Read the task graph in one place: a commit or a working tree."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from ralphgit.app.workspace.archive_view import NONE, Archive
from ralphgit.errors import InvalidRecord, UnknownTask
from ralphgit.model.task_row import DEFAULT_PRIORITY, Row

if TYPE_CHECKING:
    from ralphgit.app.workspace.lazy_rows import IndexedIds
    from ralphgit.model.graph_index import GraphIndex
    from ralphgit.model.task import Task
    from ralphgit.records.archive_file import Entry

HERE = "this worktree"
"""The label of the view of a worktree's files; all other views are of a commit."""
Shard = tuple[str, str]
"""Path relative to the top of the worktree, and blob id of the content."""


class GraphView:
    """The task graph in one place: a commit or a working tree."""

    def __init__(
        self,
        rows: Sequence[Row],
        shards: Sequence[Shard],
        read: Callable[[Shard], bytes],
        label: str,
        archive: Archive = NONE,
        *,
        index: GraphIndex | None = None,
        keep: Callable[[GraphIndex], None] = lambda index: None,
        near: GraphView | None = None,
    ) -> None:
        """`rows`: without dependencies on what is complete in the archive (`met`).

        `index` is theirs, where it is known; a new one is given to `keep`. `near` has
        the same tasks in the same order, an index, and just the rows otherwise that the
        `ChangedRows` of this one say.
        """
        self.rows = rows
        self.shards = tuple(shards)
        self.label = label
        self.archive = archive
        self._read = read
        self._index = index
        self._keep = keep
        self._near = near
        self._tasks: dict[str, Task] = {}
        self._read_last = ("", "")
        """The name of a file, and its text."""

    @cached_property
    def by_id(self) -> Mapping[str, Row]:
        if self._index is not None or self._near is not None:
            return self._ids
        return {row.id: row for row in self.rows}

    @cached_property
    def index(self) -> GraphIndex:
        """The graph summed up."""
        if self._index is None:
            from ralphgit.rules import sum_up_graph

            self._index = sum_up_graph.index(self.rows)
            self._keep(self._index)
        return self._index

    @cached_property
    def _ids(self) -> IndexedIds:
        from ralphgit.app.workspace.lazy_rows import IndexedIds

        return IndexedIds(self.index if self._near is None else self._near.index, self.rows)

    def number(self, task: str) -> int | None:
        """The place of a task among `rows`; None for one that is not there."""
        return self._ids.number(task)

    def unlike(self, other: GraphView) -> Sequence[Row]:
        """The rows that `other` may not have as they are: all, where it is not known which."""
        mine, theirs = self._near or self, other._near or other
        if mine.shards != theirs.shards:
            return self.rows
        return [self.rows[number] for number in sorted({*self._changed, *other._changed})]

    @property
    def origin(self) -> GraphView:
        """The graph that this one is but for its `changes`; itself where none is known."""
        return self._near or self

    def changes(self) -> list[tuple[Row, Row]]:
        """What `origin` has otherwise: each such row as it is there, and as it is here."""
        return [(self.origin.rows[number], self.rows[number]) for number in self._changed]

    @property
    def _changed(self) -> Iterable[int]:
        """The numbers of the rows that `near` has otherwise."""
        if self._near is None:
            return ()
        from ralphgit.app.workspace.lazy_rows import ChangedRows

        return self.rows.changed if isinstance(self.rows, ChangedRows) else ()

    def row(self, task: str) -> Row:
        """Raises: UnknownTask, naming ids that look alike."""
        found = self.by_id.get(task)
        if found is None:
            if (kept := self.archive.entry(task)) is not None:
                raise archived(kept)
            close = [row.id for row in self.rows if row.id.casefold() == task.casefold()]
            hint = f"did you mean {close[0]}?" if close else "ralphgit list"
            where = f"in {HERE}" if self.label == HERE else f"on {self.label}"
            raise UnknownTask(f"there is no task {task} {where}", hint=hint, details={"task": task})
        return found

    def known(self, task: str) -> Row | None:
        """A task of the graph or, with what its end was and no more, of the archive."""
        found = self.by_id.get(task)
        if found is not None:
            return found
        entry = self.archive.entry(task)
        if entry is None or entry.id != task:
            return None
        return Row(
            entry.id, entry.title, entry.status, DEFAULT_PRIORITY, "", "parallel", (), (), (), (),
            (), entry.epoch, entry.claim, entry.by, entry.at, "", "", entry.mark, "", 1, 0, 0,
            b"{}", 0, 2,
        )  # fmt: skip

    def rows_of(self, path: str) -> Sequence[Row]:
        """The rows of one of its files."""
        from ralphgit.app.workspace.lazy_rows import LazyRows

        if not isinstance(self.rows, LazyRows):
            return [row for row in self.rows if row.file == path]
        number = self.shards.index(self.shard(path))
        return self.rows.part(*self.rows.of_shard(number))

    def text(self, row: Row) -> str:
        """The task's block, byte for byte."""
        return self.content(row.file)[row.start : row.end]

    def content(self, path: str) -> str:
        if self._read_last[0] != path:
            self._read_last = path, self._read(self.shard(path)).decode("utf-8")
        return self._read_last[1]

    def shard(self, path: str) -> Shard:
        return next(shard for shard in self.shards if shard[0] == path)

    def stored(self, row: Row) -> dict[str, Any]:
        """The task's normalised mapping."""
        return stored(row)

    def words_around(self, story: str, milestone: str = "") -> str:
        """What the graph says of a story, its title and its description, and of a milestone that
        has one; "" where it says nothing.

        Only what stands around the tasks is read, however many there are.
        """
        said: dict[str, list[str]] = {}
        for path, _ in self.shards if story or milestone else ():
            text = self.content(path)
            if "stories:" not in text and "milestones:" not in text:
                continue
            from ralphgit.records import graph_file

            try:
                root = graph_file.around(text, [row for row in self.rows if row.file == path])
            except InvalidRecord:
                continue  # of a layout that is read as a whole only
            for key, id in (("stories", story), ("milestones", milestone)):
                entries = root.get(key)
                for entry in entries if isinstance(entries, list) and key not in said else ():
                    if id and isinstance(entry, dict) and str(entry.get("id")) == id:
                        both = (entry.get("title"), entry.get("description"))
                        said[key] = [one for one in both if isinstance(one, str) and one]
                        break
        own, above = said.get("stories", []), said.get("milestones", [])
        if len(above) == 1 or above[-1:] == own[-1:]:  # a title alone, or the story's own words
            above = []
        return "\n\n".join((*own, *above))

    def task(self, task: str) -> Task:
        """Raises: UnknownTask."""
        if task not in self._tasks:
            self._tasks[task] = task_of(self.stored(self.row(task)))
        return self._tasks[task]


def stored(row: Row) -> dict[str, Any]:
    """The task's normalised mapping."""
    import json

    found: dict[str, Any] = json.loads(row.json)
    return found


def task_of(stored: dict[str, Any]) -> Task:
    """The task that a normalised mapping is."""
    from ralphgit.records import task_mapping

    return task_mapping.task(stored)


def met(rows: list[Row], archive: Archive, beside: Container[str] | None = None) -> list[Row]:
    """The rows without dependencies on complete tasks of the archive, which hold nothing up.

    `beside`: the ids of the whole graph, where `rows` are not all of it.
    """
    if beside is None:
        ids = {row.id for row in rows}
        if ids.issuperset(chain.from_iterable([row.depends_on for row in rows])):
            return rows
        beside = ids
    elif not archive.shards:
        return rows
    return [_met(row, archive, beside) for row in rows]


def _met(row: Row, archive: Archive, known: Container[str]) -> Row:
    needed = tuple(
        other for other in row.depends_on if not archive.is_complete(other) or other in known
    )
    return row._replace(depends_on=needed) if needed != row.depends_on else row


def archived(entry: Entry) -> UnknownTask:
    """The refusal of what cannot be done to a task in the archive."""
    return UnknownTask(
        f"{entry.id} is in the archive ({entry.status}); nothing was changed; restore it first",
        code="archived",
        hint=f"ralphgit archive --restore {entry.id}",
        details={"task": entry.id},
    )


def refuse_twins(rows: Iterable[Row], prefix: str) -> None:
    """Ids are unique when case-folded, over all shards."""
    seen: dict[str, Row] = {}
    rows = list(rows)
    if len({row.id.casefold() for row in rows}) == len(rows):
        return
    for row in rows:
        first = seen.setdefault(row.id.casefold(), row)
        if first is not row:
            raise InvalidRecord(
                f"the id {row.id} is used twice; first at {first.file}:{first.line}",
                file=prefix + row.file, line=row.line, task=row.id, code="duplicate_id",
                hint="rename one of the two tasks",
            )  # fmt: skip
