"""Find what a change does to the graph beside the one record that an action writes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.model.task_row import Row
from ralphgit.records.task_mapping import LIFECYCLE_KEYS


def plans(
    project: Project, old: str, new: str, *tasks: str, archived: Collection[str] = ()
) -> bool:
    """Whether the graph differs between two commits in more than the lifecycle of `tasks`, and in
    those that have moved to the archive.

    Whatever it is: what a task promises, a new task, a key beside the tasks, or what cannot be
    read.
    """
    before = project.view(old, old[:12])
    try:
        after = project.view(new, new[:12])
    except InvalidRecord:
        return True
    if before.shards == after.shards:
        return False
    for task in tasks:
        known, row = before.by_id.get(task), after.by_id.get(task)
        if known is None or row is None or is_edited(known, row):
            return True
    gone = {*tasks, *archived}
    was, now = _blocks(before, but=gone), _blocks(after, but=gone)
    # A comment above a task goes to the archive with it.
    texts = [beside_tasks(one, comments=not archived) for one in (before, after)]
    return was != now or texts[0] != texts[1]


def is_edited(old: Row, new: Row) -> bool:
    """Whether a task's block says something else than before, its lifecycle not counted."""
    return promise(old.json) != promise(new.json)


def promise(block: str) -> dict[str, object]:
    """Return a task's block without its lifecycle."""
    return {key: value for key, value in json.loads(block).items() if key not in LIFECYCLE_KEYS}


def beside_tasks(view: GraphView, *, comments: bool = True) -> Mapping[str, str]:
    """Return what each file of a graph says beside its tasks, blank lines left out."""
    found = {}
    for path, _ in view.shards:
        text, at, parts = view.content(path), 0, []
        for row in sorted(
            (row for row in view.rows if row.file == path), key=lambda one: one.start
        ):
            parts.append(text[at : row.start])
            at = row.end
        parts.append(text[at:])
        lines = [line for line in "".join(parts).splitlines() if line.strip()]
        found[path] = "\n".join(
            line for line in lines if comments or not line.lstrip().startswith("#")
        )
    return found


def _blocks(view: GraphView, *, but: Collection[str]) -> dict[str, str]:
    return {row.id: row.json for row in view.rows if row.id not in but}
