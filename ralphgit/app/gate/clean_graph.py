"""Judge of a graph only the tasks that have changed, where all of it was judged before.

A view may be another one but for some tasks (`GraphView.origin`). Where that one has no fault, and
no change touches what tasks have to do with each other, the rest has none. What is kept is as
the verdicts on tasks are (`task_verdicts`), and where they are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.gate.task_verdicts import VERSION, TaskVerdicts
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.model.task_row import Row
from ralphgit.rules import branch_changes
from ralphgit.rules.active_scopes import bad_pattern

_KEY = f"graphs without a fault {VERSION}"
_KEPT = 3
#: How a task on one line begins.
FLOW = re.compile(r"""- *\{|\btasks["']?[ \t]*:\s*\[""")


class _Judged(NamedTuple):
    """A graph without a fault."""

    claims: dict[str, str]
    """The task that each claim is on."""
    placed: list[str]
    """The tasks of which a verdict depends on where they stand, or on settings."""


def rows_to_judge(
    project: Project, view: GraphView, homes: Mapping[str, str], verdicts: TaskVerdicts
) -> Sequence[Row] | None:
    """List the tasks that decide whether a graph has faults; None where that takes all of them.

    `homes`: which task each claim was made on, by its audit.
    """
    judged = _judged(project, view.origin, verdicts)
    changes = view.changes()
    if judged is None or not _apart(judged, changes, homes):
        return None
    if any(FLOW.search(view.content(path)) for path in {row.file for _, row in changes}):
        return None
    changed = {row.id for _, row in changes}
    again = (view.by_id[task] for task in judged.placed if task not in changed)
    return [*(row for _, row in changes), *again]


def _apart(judged: _Judged, changes: Sequence[tuple[Row, Row]], homes: Mapping[str, str]) -> bool:
    """Whether the changed tasks have to do with no other one but as they had before."""
    if any(old.depends_on != row.depends_on or bad_pattern(row) for old, row in changes):
        return False
    changed = {row.id for _, row in changes}
    claims = {row.claim: row.id for _, row in changes if row.claim}
    if len(claims) < sum(bool(row.claim) for _, row in changes):
        return False
    if any(judged.claims.get(claim, task) not in changed for claim, task in claims.items()):
        return False
    # A claim of another task is told of the task that has it, which may be one that has not
    # changed: its audit may be new.
    owners = ((judged.claims.get(claim, home), home) for claim, home in homes.items())
    return all(owner == home or owner in changed for owner, home in owners)


def _judged(project: Project, view: GraphView, verdicts: TaskVerdicts) -> _Judged | None:
    """Judge a whole graph, or say what that gave before; None where it has a fault."""
    shards = repr((view.shards, view.archive.shards)).encode("utf-8", "surrogatepass")
    key = hashlib.blake2b(shards, digest_size=16).digest()
    cache = verdicts.cache or project.cache
    kept = cache.kept(_KEY)
    known: dict[bytes, tuple[dict[str, str], list[str]] | None] = (
        kept if isinstance(kept, dict) else {}
    )
    if key not in known:
        others = {other: known[other] for other in [*known][-(_KEPT - 1) :]}
        known = {**others, key: _judge(project, view, verdicts)}
        cache.keep(_KEY, known)
    found = known[key]
    return None if found is None else _Judged(*found)


def _judge(
    project: Project, view: GraphView, verdicts: TaskVerdicts
) -> tuple[dict[str, str], list[str]] | None:
    rows = list(view.rows)
    if branch_changes.graph_faults(rows) or _is_in_the_archive(view, rows):
        return None
    placed = []
    for row in project.around.progress.through("tasks", rows):
        verdict = verdicts.of(row)
        if verdict.faults:
            return None
        if verdict.is_placed:
            placed.append(row.id)
    if any(FLOW.search(view.content(path)) for path, _ in view.shards):
        return None
    return {row.claim: row.id for row in rows if row.claim}, placed


def _is_in_the_archive(view: GraphView, rows: Iterable[Row]) -> bool:
    archived = {entry.id.casefold() for entry in view.archive.entries}
    return bool(archived) and any(row.id.casefold() in archived for row in rows)
