"""Find changed files outside the write scopes of the tasks that were worked on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.gate.problem import Problem
from ralphgit.app.workspace import record_tree
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.model.task_row import Row
from ralphgit.rules.active_scopes import bad_pattern
from ralphgit.rules.pattern_overlap import covers_any

_SHOWN = 3


class Scopes(NamedTuple):
    """The tasks that were worked on, with the scopes they had before."""

    bounded: tuple[Row, ...]
    """Those with a write scope that can be understood."""
    open: tuple[Row, ...]
    """Those without."""

    def outside(self, paths: Iterable[str], project: Project) -> list[str]:
        """List the files that no scope covers, and that are not records of `project`."""
        allowed = [pattern for row in self.bounded for pattern in row.write]
        return [
            path for path in paths
            if not record_tree.is_record(project, path) and not covers_any(allowed, path)
        ]  # fmt: skip


def committed(
    was: Project,
    now: Project,
    changed: Iterable[str],
    since: tuple[str, str],
    moved: Iterable[Row],
    before: Mapping[str, Row],
) -> list[Problem]:
    """Find which of the `changed` files are outside the scopes of the tasks that were `moved`.

    `since`: the commits that change them are those of the second one that the first has not. `was`
    and `now` say where the records are before and after; what a record is, `was` alone: else a
    branch could call any file one.

    Where one of several tasks has no write scope, anything may be its work. So a file outside
    the others' scopes is judged by the commits that change it: each commit's own graph says which
    of the tasks were in work then.
    """
    worked = [row for row in moved if row.claim]
    scopes = scopes_of(worked, before)
    if not scopes.bounded:
        return []
    paths = scopes.outside(changed, was)
    if not scopes.open or not paths:
        return [_outside(path, scopes.bounded) for path in paths]
    return list(_attributed(now, since, scopes, worked, paths))


def uncommitted(
    project: Project,
    paths: Callable[[], Iterable[str]],
    moved: Iterable[Row],
    before: Mapping[str, Row],
) -> list[Problem]:
    """Warn of what this worktree changes outside the scopes; it is not committed yet."""
    scopes = scopes_of((row for row in moved if row.claim), before)
    if not scopes.bounded or scopes.open:
        return []
    found = (_outside(path, scopes.bounded) for path in scopes.outside(paths(), project))
    return [one._replace(severity="warning") for one in found]


def scopes_of(worked: Iterable[Row], before: Mapping[str, Row]) -> Scopes:
    """Collect the scopes of worked-on tasks as they were before: no branch can widen its own."""
    promised = [before.get(row.id) or row for row in worked]
    bounded = tuple(row for row in promised if row.write and not bad_pattern(row))
    return Scopes(bounded, tuple(row for row in promised if row not in bounded))


def sentence(path: str, tasks: Iterable[Row]) -> str:
    """Word the message about a file that the scopes of `tasks` do not cover."""
    return f"{path} is outside the write scope of {', '.join(row.id for row in tasks)}"


def _outside(path: str, tasks: Sequence[Row]) -> Problem:
    return Problem(
        code="outside_scope",
        file=path,
        task=tasks[0].id if len(tasks) == 1 else "",
        message=sentence(path, tasks),
        hint="undo the change, or widen the scope on the base",
    )


def _attributed(
    project: Project,
    since: tuple[str, str],
    scopes: Scopes,
    worked: Sequence[Row],
    paths: Sequence[str],
) -> Iterator[Problem]:
    """Find by the commits which tasks changed files that no scope covers."""
    bounded = {row.id: row for row in scopes.bounded}
    by_path: dict[str, list[set[str]]] = {path: [] for path in paths}
    for commit, parent, touched in _commits(project, *since):
        mine = [path for path in touched if path in by_path]
        if mine:
            busy = _in_work(project, commit, parent, worked)
            for path in mine:
                by_path[path].append(busy)
    unproved = []
    for path, commits in by_path.items():
        alone = [busy for busy in commits if busy and busy <= bounded.keys()]
        if alone:
            tasks = sorted(set().union(*alone))
            yield _outside(path, [bounded[task] for task in tasks])
        elif not commits or any(not busy or busy & bounded.keys() for busy in commits):
            unproved.append(path)
    if unproved:
        names = ", ".join(unproved[:_SHOWN]) + (" ..." if len(unproved) > _SHOWN else "")
        free = ", ".join(row.id for row in scopes.open)
        yield Problem(
            code="scope_unproved",
            severity="warning",
            file=unproved[0],
            message=f"{free} has no write scope, so it is unknown which task changed {names}; "
            "its scope on the base counts",
            hint=f"ralphgit edit {scopes.open[0].id} --write GLOB",
        )


def _commits(project: Project, start: str, head: str) -> Iterator[tuple[str, str, list[str]]]:
    """List each commit that is not a merge, its parent, and the paths that it changes."""
    out = project.repository.git.run(
        "log", "--no-merges", "--format=%x00%H %P", "--name-only", "-z", "--no-renames",
        f"{start}..{head}",
    )  # fmt: skip
    # NUL, ids, NUL, a line end and the first path, NUL, further paths, NUL, NUL, the next ids ...
    for entry in out.decode("utf-8", "surrogateescape").split("\0\0"):
        ids, _, names = entry.lstrip("\0").partition("\0")
        commit, _, parent = ids.partition(" ")
        if commit:
            yield commit, parent, names.removeprefix("\n").split("\0")


def _in_work(project: Project, commit: str, parent: str, worked: Sequence[Row]) -> set[str]:
    """Find the tasks that a commit worked on: under this claim, and not complete before it."""
    try:
        now = project.view(commit, commit[:12]).by_id
        was = project.view(parent, parent[:12]).by_id if parent else {}
    except InvalidRecord:
        return set()
    found = set()
    for row in worked:
        here, there = now.get(row.id), was.get(row.id)
        ended = there is not None and there.claim == row.claim and there.status == "complete"
        if here is not None and here.claim == row.claim and not ended:
            found.add(row.id)
    return found
