"""Replace the folder that paths of unfinished tasks begin with; stage and commit nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.held_tasks import held_tasks
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, UsageError
from ralphgit.model import paths
from ralphgit.model.task_row import Row
from ralphgit.records import atomic_files, graph_file
from ralphgit.records.splice_texts import Replacement, replace
from ralphgit.rules import path_prefix
from ralphgit.rules.pattern_overlap import head, overlap

_OVER = ("complete", "cancelled")


class PathChange(NamedTuple):
    """A text of a task that changes, or that a person has to look at."""

    task: str
    field: str
    old: str
    new: str = ""
    why: str = ""
    """Why it was left as it is."""


class Rebased(NamedTuple):
    """What has changed, or would."""

    old: str
    new: str
    changes: tuple[PathChange, ...]
    left: tuple[PathChange, ...]
    files: tuple[str, ...]


def rebase_paths(project: Project, old: str, new: str, *, dry_run: bool = False) -> Rebased:
    """Put the folder `new` in place of `old` in what unfinished tasks say of paths: scopes, outputs
    and verify commands. "" and "." are the top.

    On a failure, all files are as before.

    Raises: UsageError (bad_path, usage); GuardRefused (claims_in_flight) where somebody works on a
    task that would change; InvalidRecord (unclear_layout, or a graph that cannot be read),
    NotWritable.
    """
    old, new = _folder(old), _folder(new)
    if old == new:
        hint = "ralphgit rebase-paths packages/app apps/app"
        raise UsageError("OLD and NEW are the same folder", hint=hint)
    here = project.require_here()
    if not dry_run:
        synchronise(project, settle=False)
    claim_map = ClaimMap(project) if project.base.commit else None
    finished = {row.id for row in claim_map.base.rows if row.status in _OVER} if claim_map else ()
    texts: dict[str, str] = {}
    changes: list[PathChange] = []
    left: list[PathChange] = []
    for path, _ in here.shards:
        text = here.content(path)
        rows = [row for row in here.rows if row.file == path]
        for number, row in enumerate(rows):
            if row.status in _OVER or row.id in finished:
                continue
            wanted = _wanted(project, row, here.stored(row), (old, new), left)
            if wanted:
                text = replace(_parsed(project, text, path), number, [one for one, _ in wanted])
                changes += [change for _, change in wanted]
        if text != here.content(path):
            _parsed(project, text, path)
            texts[path] = text
    if claim_map:
        _refuse_held(claim_map, {one.task for one in changes})
    if new and changes and not os.path.lexists(project.file(new)):
        project.warn(f"there is no {new} in this worktree")
    if texts and not dry_run:
        with atomic_files.Undo() as undo:
            for path, text in texts.items():
                undo.write(project.file(path), text.encode("utf-8"))
        project.written()
    return Rebased(old or ".", new or ".", tuple(changes), tuple(left), tuple(texts))


def _folder(path: str) -> str:
    """The folder as paths name it; "" for the top. Raises: UsageError (bad_path)."""
    folder = path.removeprefix("./").rstrip("/") if path not in (".", "./") else ""
    if folder and (wrong := paths.fault(folder)):
        raise UsageError(f"{path!r} {wrong}", code="bad_path", hint=paths.HINT)
    if not folder and path.startswith("/"):
        raise UsageError(f"{path!r} is absolute", code="bad_path", hint='the top is "."')
    return folder


def _parsed(project: Project, text: str, path: str) -> graph_file.GraphFile:
    return graph_file.parse(text.encode("utf-8"), path=path, limit=project.config.max_graph_bytes)


def _refuse_held(claim_map: ClaimMap, tasks: set[str]) -> None:
    """Raises: GuardRefused where somebody works on one of the tasks: its contract would change."""
    held = {task: who for task, who in held_tasks(claim_map).items() if task in tasks}
    if held:
        raise GuardRefused(
            f"{', '.join(held.values())}: what it promises would change; nothing was written; "
            "repeat it once that has ended",
            code="claims_in_flight",
            details={"tasks": [*held]},
            hint=f"ralphgit show {next(iter(held))}",
        )


# -- what a task says of paths -------------------------------------------------------------


def _wanted(
    project: Project, row: Row, stored: Mapping[str, Any], move: tuple[str, str],
    left: list[PathChange],
) -> list[tuple[Replacement, PathChange]]:  # fmt: skip
    """Find the texts of a task that change; `left` gets what may have to and does not."""
    old, new = move

    def exists(path: str) -> bool:
        return os.path.lexists(os.path.join(project.top, path))

    def in_pattern(text: str) -> str:
        return path_prefix.in_pattern(text, old, new)

    def in_command(text: str) -> str:
        return path_prefix.in_command(text, old, new, exists)

    found = []
    for path, text in _texts(stored):
        field = ".".join(str(step) for step in path if isinstance(step, str))
        is_command = path[0] == "verify"
        change: Callable[[str], str] = in_command if is_command else in_pattern
        made = change(text)
        if path[0] == "outputs" and paths.pattern_fault(made):
            left.append(PathChange(row.id, field, text, why="the top is no output"))
            continue
        if made != text:
            told = PathChange(row.id, field, text, made)
            found.append((Replacement(path, made, change), told))
        judge = _left if is_command else _reaches
        if why := judge(made, old, new, made != text):
            left.append(PathChange(row.id, field, made, why=why))
    return found


def _texts(stored: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """List the patterns, outputs and commands of a task, with their places in it."""
    scope = stored.get("scope") or {}
    lists: list[tuple[tuple[str, ...], Any]] = [
        (("scope", key), scope.get(key)) for key in ("write", "read")
    ]
    lists += [(("outputs",), stored.get("outputs")), (("verify",), stored.get("verify"))]
    for place, items in lists:
        for number, item in enumerate(items or ()):
            if isinstance(item, str):
                yield (*place, number), item
            elif isinstance(item, dict) and isinstance(item.get("run"), str):
                yield (*place, number, "run"), item["run"]


def _left(command: str, old: str, new: str, is_changed: bool) -> str:
    """Say why a person has to look at a command; "" where nobody has to."""
    if not old:
        return "" if is_changed else "it is run at the top, and has no path that is known to move"
    rest = command.replace(new, "") if new else command
    return f"it still has {old} in it" if old in rest else ""


def _reaches(pattern: str, old: str, new: str, is_changed: bool) -> str:
    """Say which folder a pattern reaches into by its wildcards, and not into the other."""
    if is_changed or not old or not overlap(pattern, path_prefix.everything(old)):
        return ""
    follows = overlap(pattern, path_prefix.everything(new)) if new else not head(pattern)
    return "" if follows else f"it covers what was below {old}, too"
