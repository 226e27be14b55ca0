"""Move the graph between layouts: one file, one for each story, one for each task."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.held_tasks import held_tasks
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.tasks import placement
from ralphgit.app.workspace import journal, runtime_files
from ralphgit.app.workspace.graph_files import Places, file_named, files_below, is_wild, places
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import Bug, GuardRefused, InvalidRecord
from ralphgit.git import index
from ralphgit.model.config import Config
from ralphgit.model.setting_values import parse_setting
from ralphgit.model.task_row import Row
from ralphgit.records import atomic_files, graph_file, graph_layouts, schemas, settings_file
from ralphgit.rules import readiness

#: In the journal: path -> digest of the old content, new content. A move that is killed is
#: completed by the next one. Between its first and its last step the graph may have tasks twice.
_GLOB = "graph/*.yaml"
_SINGLE = "task-graph.yaml"
_SAYS = {
    "single": "The task graph: one file.",
    "story": "The task graph: one file for each story.",
    "task": "The task graph: one file for each task.",
}


class Sharded(NamedTuple):
    """The graph in its new layout; with `dry_run` as it would be."""

    files: tuple[tuple[str, tuple[str, ...]], ...]
    """Path and tasks of every graph file, in the order in which they are read."""
    written: tuple[str, ...]
    removed: tuple[str, ...]


def shard(project: Project, layout: str, *, dry_run: bool = False) -> Sharded:
    """Move every task to the file that `layout` (single, story or task) has for it.

    The blocks keep their bytes, and their order within a file. `graph` in ralph.toml follows.
    All of it is staged. On a failure files and index are as before; what was killed half-way
    is completed by repeating it.

    Raises: GuardRefused (claims_in_flight, in_the_way, outside, graph_set_elsewhere, no_tasks,
    half_sharded); InvalidRecord (unclear_layout, mixed_indentation, no_line_end, root_twice,
    too_large, or a graph that cannot be read); NotWritable, GitError.
    """
    if complete(project, dry_run=dry_run):
        project.warn("an interrupted move to another layout has been completed")
    here = project.require_here()
    if not here.rows:
        hint = "ralphgit add --title TEXT"
        raise GuardRefused("the graph has no task that could be moved", code="no_tasks", hint=hint)
    _refuse_active(project, fetch=not dry_run)
    patterns = _patterns(project, layout, here.rows)
    wanted = _targets(places(patterns), layout, here.rows)
    texts = _texts(project, here, wanted)
    old = [path for path, _ in here.shards]
    _refuse_in_the_way(project, places(patterns), texts, old)
    removed = tuple(path for path in old if path not in texts)
    changes: dict[str, bytes | None] = {
        path: text.encode("utf-8")
        for path, text in texts.items()
        if path not in old or here.content(path) != text
    }
    written = tuple(changes)
    changes.update(dict.fromkeys(removed))
    if patterns != project.settings.graph_here:
        changes[settings_file.FILE] = _settings(project, layout, patterns)
    _tell_order(project, here.rows, texts)
    if changes and not dry_run:
        _write(project, changes)
    found = tuple((path, tuple(row.id for row in wanted[path])) for path in sorted(wanted))
    return Sharded(found, written, removed)


# -- what stands in the way ----------------------------------------------------------------


def _refuse_active(project: Project, *, fetch: bool) -> None:
    """Refuse while a task is claimed: the branch of the claim has it in its old file.

    A merge would conflict, never lose it; but every worker would have to put it right by hand.
    """
    if not project.base.commit:
        return
    if fetch:
        synchronise(project, settle=False)
    held = held_tasks(ClaimMap(project))
    if held:
        verb = "has" if len(held) == 1 else "have"
        raise GuardRefused(
            f"{', '.join(held)} {verb} an active claim; nothing was changed",
            code="claims_in_flight",
            hint="let it land, or give it back, then repeat",
            details={"tasks": [*held]},
            lines=[*held.values()],
        )


def _refuse_in_the_way(
    project: Project, wanted: Places, texts: Mapping[str, str], old: Sequence[str]
) -> None:
    """Refuse to write over what is no graph file, or to make one of what is none now."""
    for path in texts:
        project.file(path)
    there = {path for path in texts if os.path.lexists(project.file(path))}
    for path in sorted(there.union(files_below(project.top, wanted)).difference(old)):
        if path not in texts or _content(project, path) != texts[path].encode("utf-8"):
            message = f"{path} exists and is not part of the graph; nothing was changed"
            hint = f"git mv {shlex.quote(path)} ELSEWHERE"
            raise GuardRefused(message, code="in_the_way", hint=hint, details={"file": path})


def _content(project: Project, path: str) -> bytes | None:
    full = project.file(path)
    return None if os.path.isdir(full) else atomic_files.read(full)


# -- where everything goes -----------------------------------------------------------------


def _patterns(project: Project, layout: str, rows: Sequence[Row]) -> tuple[str, ...]:
    """The setting `graph` for a layout: what of the present one serves it, else the usual."""
    now = project.settings.graph_here
    if layout == "single":
        new = tuple(pattern for pattern in now if not is_wild(pattern))[:1] or (_SINGLE,)
    else:
        new = tuple(pattern for pattern in now if is_wild(pattern))
        names = [placement.STORYLESS, *(row.id if layout == "task" else row.story for row in rows)]
        if not new or not all(file_named(places(new), name) for name in names if name):
            new = (_GLOB,)
    _refuse_set_elsewhere(project, changes=new != now)
    return new


def _refuse_set_elsewhere(project: Project, *, changes: bool) -> None:
    """Refuse where ralph.toml says what the graph is and does not decide it, or has to."""
    data = atomic_files.read(os.path.join(project.top, settings_file.FILE))
    told = settings_file.parse(data).get("graph") if data is not None else None
    if told is None and not changes:
        return
    default = Config._field_defaults["graph"]
    own = default if told is None else parse_setting("graph", told, settings_file.FILE)
    if own != (now := project.settings.graph_here):
        raise GuardRefused(
            f"graph is set to {', '.join(now)}, and not by {settings_file.FILE} here; "
            "nothing was changed; see RALPH_GRAPH, and whether ralph.toml is committed on the base",
            code="graph_set_elsewhere",
            hint="git config ralph.graph",
        )


def _targets(wanted: Places, layout: str, rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The files of a layout, each with its tasks in the order in which they are read now.

    By story there always is a file for tasks without one: it tells this layout from one file
    for each task, as after `init`.
    """
    found: dict[str, list[Row]] = {}
    if layout == "single":
        return {wanted.exact[0]: [*rows]}
    spelled: dict[str, str] = {}
    if layout == "story":
        spelled[placement.STORYLESS] = placement.STORYLESS
        found[file_named(wanted, placement.STORYLESS)] = []
    for row in rows:
        name = row.id if layout == "task" else row.story or placement.STORYLESS
        # Two stories that differ by case alone would be one file on some disks.
        name = spelled.setdefault(name.casefold(), name)
        found.setdefault(file_named(wanted, name), []).append(row)
    return found


def _texts(project: Project, here: GraphView, wanted: Mapping[str, list[Row]]) -> dict[str, str]:
    """The content of each file. Raises: InvalidRecord."""
    limit = project.config.max_graph_bytes
    piece: dict[str, str] = {}
    dash: dict[str, int] = {}
    frames: dict[str, list[graph_layouts.Frame]] = {path: [] for path in wanted}
    target = {row.id: path for path, rows in wanted.items() for row in rows}
    ends: dict[str, str] = {}
    parsed: list[graph_file.GraphFile] = []
    for path, _ in here.shards:
        content = here.content(path)
        file = graph_file.parse(content.encode("utf-8"), path=path, limit=limit)
        parts = graph_layouts.split(file)
        parsed.append(file)
        for task, text in zip(file.tasks, parts.pieces, strict=True):
            piece[task["id"]], dash[task["id"]] = text, parts.dash
            ends[task["id"]] = "\r\n" if "\r\n" in content else "\n"
        if parts.frame.says_something:
            first = target[file.tasks[0]["id"]] if file.tasks else min(wanted)
            frames[first].append(parts.frame)
    texts = {}
    for path, rows in wanted.items():
        dashes = {dash[row.id]: row for row in rows}
        if len(dashes) > 1:
            one, other = [*dashes.values()][:2]
            raise InvalidRecord(
                f"{one.id} and {other.id} (in {other.file}) are indented differently, and would "
                "be in one file; nothing was changed",
                file=one.file, line=one.line, task=one.id, code="mixed_indentation",
                hint="indent all tasks alike, then repeat",
            )  # fmt: skip
        eol = ends[rows[0].id] if rows else "\n"
        texts[path] = graph_layouts.join(path, frames[path], [piece[row.id] for row in rows], eol)
    made = [
        graph_file.parse(text.encode("utf-8"), path=path, limit=limit)
        for path, text in texts.items()
    ]
    if _told(parsed) != _told(made):
        # A text in the last line of a file has no line end, and gets one when a task follows.
        for row in here.rows:
            if not piece[row.id].endswith("\n"):
                raise InvalidRecord(
                    f"{row.file} does not end with a newline, and {row.id} would change with "
                    "one; nothing was changed",
                    file=row.file, line=row.line, task=row.id, code="no_line_end",
                    hint="end the file with a newline, then repeat",
                )  # fmt: skip
        raise Bug("moving the tasks would have changed one; nothing was written")
    return texts


def _told(found: Sequence[graph_file.GraphFile]) -> tuple[list[str], dict[str, object]]:
    """Every task as it is read, and every root key."""
    tasks = sorted(json.dumps(task) for file in found for task in file.tasks)
    return tasks, {key: value for file in found for key, value in file.root.items()}


def _tell_order(project: Project, rows: Sequence[Row], texts: Mapping[str, str]) -> None:
    """Warn where tasks would be taken in another order: files are read by their names."""
    new = [
        row
        for path in sorted(texts)
        for row in graph_file.rows(graph_file.parse(texts[path].encode("utf-8"), path=path))
    ]
    before = [row.id for row in readiness.order(rows)]
    after = [row.id for row in readiness.order(new)]
    if before != after:
        first = next(b for a, b in zip(before, after, strict=True) if a != b)
        project.warn(
            "files are read in the order of their names, so tasks of the same priority are taken "
            f"in another order now, from {first} on"
        )


def _settings(project: Project, layout: str, patterns: tuple[str, ...]) -> bytes:
    """ralph.toml with the new setting."""
    data = atomic_files.read(os.path.join(project.top, settings_file.FILE))
    if data is None:
        head = f"#:schema {schemas.ADDRESS}/{schemas.file_name('config')}\n\n# {_SAYS[layout]}\n"
        return settings_file.with_graph(head, patterns).encode("utf-8")
    text = data.decode("utf-8")
    for words in _SAYS.values():  # ours, and not true any more
        text = text.replace(f"# {words}\n", f"# {_SAYS[layout]}\n")
    return settings_file.with_graph(text, patterns).encode("utf-8")


# -- writing -------------------------------------------------------------------------------


def _write(project: Project, changes: Mapping[str, bytes | None]) -> None:
    """Write and remove files, and stage it; None removes. All or nothing."""
    runtime_files.prepare(project)  # what a killed write leaves beside a file is excluded
    steps = {
        path: (_digest(_content(project, path)), None if data is None else data.decode("utf-8"))
        for path, data in changes.items()
    }
    with journal.noted(project, journal.LAYOUT, project.top, steps):
        _apply(project, changes)
    project.written()


def _apply(project: Project, changes: Mapping[str, bytes | None]) -> None:
    with index.Snapshot(project.repository) as staged, atomic_files.Undo() as undo:
        undo.on_failure(staged.restore)
        for path, data in changes.items():
            full = project.file(path)
            if data is not None:
                undo.write(full, data)
            elif os.path.lexists(full):
                undo.remove(full)
        index.add(project.repository.git, [*changes])
    for folder in {os.path.dirname(path) for path, data in changes.items() if data is None}:
        _remove_if_empty(project, folder)


def _remove_if_empty(project: Project, folder: str) -> None:
    if folder:
        try:
            os.rmdir(os.path.join(project.top, folder))
        except OSError:
            return  # something is in it


def _digest(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


def killed(project: Project) -> list[journal.MoveNote]:
    """The moves in this worktree that were killed."""
    top = os.path.realpath(project.top)
    return [note for note in journal.left_over(project, journal.LAYOUT) if note.worktree == top]


def complete(project: Project, *, dry_run: bool = False) -> bool:
    """Complete moves that were killed half-way, and forget those that had not begun; whether there
    was something to complete.

    Raises: GuardRefused (half_sharded) where a file has been changed since, or with `dry_run`.
    """
    begun = False
    for note in killed(project):
        begun = _complete(project, note, dry_run) or begun
    return begun


def _complete(project: Project, note: journal.MoveNote, dry_run: bool) -> bool:
    changes: dict[str, bytes | None] = {}
    begun = False
    for path, (old, text) in note.steps.items():
        now, new = _digest(_content(project, path)), None if text is None else text.encode("utf-8")
        changes[path] = new
        begun = begun or now != old
        if now not in (old, _digest(new)):
            raise GuardRefused(
                f"a move to another layout was killed half-way, and {path} has been changed since",
                code="half_sharded",
                hint=f"repair the graph with git, remove {project.show_path(note.path)}, "
                "then repeat",
            )
    if begun and dry_run:
        message = "a move to another layout was killed half-way; nothing was changed"
        hint = "repeat it without --dry-run: it is completed first"
        raise GuardRefused(message, code="half_sharded", hint=hint)
    if begun:
        _apply(project, changes)
    atomic_files.unlink(note.path)
    project.written()
    return begun
