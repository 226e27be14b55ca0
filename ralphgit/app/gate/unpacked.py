"""Judge a change with its archive unpacked: what it archives or restores is still where it was.

So every rule that holds for tasks and records in their files holds for those that a change brings
into the archive, and moving them there changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.gate.problem import Problem, from_error, in_file
from ralphgit.app.workspace.archive_view import Archive
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.errors import InvalidRecord
from ralphgit.model.task_row import Row
from ralphgit.records import archive_file


class Side(NamedTuple):
    """What only one side of a change has in its archive."""

    rows: dict[str, Row]
    """By id; `file` and `line` are those of the archive."""
    records: dict[str, bytes]
    """By path from the top."""
    blocks: dict[str, str]


class Unpacked(NamedTuple):
    """What the archive of each side has and that of the other has not, or not so."""

    old: Side
    new: Side
    problems: tuple[Problem, ...] = ()
    """Why it is not known."""
    rewritten: frozenset[str] = frozenset()
    """Tasks that both have, of which the newer one says something else of the same end."""

    @property
    def archived(self) -> list[str]:
        """The tasks that came into the archive."""
        return [task for task in self.new.rows if task not in self.old.rows]

    @property
    def restored(self) -> list[str]:
        """The tasks that left it."""
        return [task for task in self.old.rows if task not in self.new.rows]


def between(old: Archive, new: Archive, was: str, now: str) -> Unpacked:
    """Compare two archives; `was` and `now` are the records folders of their sides."""
    before, after = {oid for _, oid in old.shards}, {oid for _, oid in new.shards}
    try:
        left, right = _tasks(old, after), _tasks(new, before)
        same = {
            task for task, (_, _, one) in right.items() if task in left and left[task][2] == one
        }
        old_side, new_side = _side(left, same, was), _side(right, same, now)
        rewritten = frozenset(
            task for task, row in new_side.rows.items()
            if task in old_side.rows and not _is_done_anew(old_side.rows[task], row)
            and old_side.blocks[task].strip("\r\n") != new_side.blocks[task].strip("\r\n")
        )  # fmt: skip
        return Unpacked(old_side, new_side, rewritten=rewritten)
    except InvalidRecord as error:
        nothing = Side({}, {}, {})
        return Unpacked(nothing, nothing, (from_error(error),))


def _is_done_anew(old: Row, row: Row) -> bool:
    return row.epoch > old.epoch and row.mark != old.mark


_Tasks = Mapping[str, tuple[str, int, archive_file.Archived]]


def _tasks(archive: Archive, known: set[str]) -> _Tasks:
    """File, line and content of every task in files other than those `known`."""
    found = {}
    for path, oid in archive.shards:
        if oid in known:
            continue
        try:
            tasks = archive_file.parse(archive.content(path))
        except InvalidRecord as error:
            raise error.at(path) from None
        for line, (task, one) in enumerate(tasks.items(), 2):
            found[task] = (path, line, one)
    return found


def _side(tasks: _Tasks, same: set[str], folder: str) -> Side:
    rows, records, blocks = {}, {}, {}
    for task, (path, line, one) in tasks.items():
        if task not in same:
            rows[task] = archive_file.row_of(one)._replace(file=path, line=line)
            blocks[task] = one.block
            for name, text in one.records.items():
                records[f"{folder}/{name}"] = text.encode()
    return Side(rows, records, blocks)


def with_records(tree: Tree, records: Mapping[str, bytes]) -> Tree:
    """A tree that has these records, too; its own come first."""
    if not records:
        return tree

    def content(path: str) -> bytes | None:
        found = tree.content(path)
        return records.get(path) if found is None else found

    known = tuple(sorted({*tree.records, *records}))
    return tree._replace(records=known, content=content)


def altered(
    tree: Tree, found: Unpacked, before: Mapping[str, Row], texts: Mapping[str, str]
) -> list[Problem]:
    """Find tasks that are archived otherwise than they were in the graph `before`, or in the
    archive.

    `texts`: the content of the graph files there. What was not finished then is judged as what the
    change completes.
    """
    was = {
        task: before[task].file
        for task in found.new.rows
        if task in before
        and task not in found.old.rows
        and before[task].status in archive_file.FINISHED
        and found.new.blocks[task].strip("\r\n") not in texts.get(before[task].file, "")
    } | {task: found.old.rows[task].file for task in found.rewritten}
    return [
        in_file(
            "archived_otherwise", tree, found.new.rows[task].file,
            f"{task} is archived otherwise than it was in {file}",
            "archive it anew, from the base: ralphgit archive " + task, task=task,
            line=found.new.rows[task].line,
        )
        for task, file in was.items()
    ]  # fmt: skip


def fresh(found: Unpacked, known: Mapping[str, bytes]) -> Sequence[str]:
    """The records in the archive that were not there, or not so, before; `known` are those in
    files."""
    old = {**found.old.records, **known}
    return [path for path, data in found.new.records.items() if old.get(path) != data]
