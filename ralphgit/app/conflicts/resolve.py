"""Resolve a conflict in the records: a three-way merge by task (docs/resolve.md).

What needs no person is decided in memory, written and staged; a file in which anything is left to
decide stays as git left it. Nothing is committed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from ralphgit.app.base import interrupted_update
from ralphgit.app.conflicts import past_steps, yield_claim
from ralphgit.app.conflicts.merge_sides import Sides, sides
from ralphgit.app.conflicts.task_merge import Decided, Open, Told, decide
from ralphgit.app.conflicts.yield_claim import Yield, Yielded
from ralphgit.app.workspace.archive_view import Archive
from ralphgit.app.workspace.graph_files import Places, places
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, Refused
from ralphgit.git import index, merge_conflicts, trees
from ralphgit.git.merge_conflicts import Stages
from ralphgit.model.config import Config
from ralphgit.model.setting_values import parse_setting
from ralphgit.model.task_row import Row
from ralphgit.model.three_way_merge import Question, Side, ThreeWay
from ralphgit.records import (
    archive_file,
    atomic_files,
    audit_merge,
    graph_file,
    graph_sections,
    question_file,
    settings_file,
    task_mapping,
)
from ralphgit.records.graph_sections import Pieces
from ralphgit.records.schemas import ARCHIVE_SUFFIX
from ralphgit.rules import cycles
from ralphgit.rules.contract_digest import keeps


class Resolved(NamedTuple):
    """What was decided, and what is left."""

    sides: Sides
    files: Mapping[str, tuple[Told, ...]]
    """What was written and staged, or would be, and the tasks in it."""
    removed: tuple[str, ...]
    """Those of `files`, and records of a claim that was given up, that are gone."""
    open: tuple[Open, ...]
    yielded: tuple[Yielded, ...]
    others: tuple[str, ...]
    """Conflicts in files that are not records."""
    then: str
    """The command that comes next, once nothing is in conflict."""


class _Conflict(NamedTuple):
    """The conflicted paths, by what they are."""

    graphs: Mapping[str, Stages]
    records: Mapping[str, Stages]
    others: tuple[str, ...]


def resolve(project: Project, told: tuple[str, ...] = (), *, dry_run: bool = False) -> Resolved:
    """Decide, write and stage what can be decided; `told` are the tasks whose claim is yielded.

    On a failure files, index and refs are as before, but for a rescue ref.

    Raises: Refused (settings_conflict, nothing_to_yield), UsageError, GuardRefused (landed,
    bare, no_commit), InvalidRecord, NotWritable, GitError.
    """
    _ = project.top
    stages = merge_conflicts.stages(project.repository)
    if settings_file.FILE in stages:
        raise Refused(
            f"{settings_file.FILE} is in conflict, and names the graph files; edit it first "
            "(nothing was changed)",
            code="settings_conflict",
            hint=f"git add {settings_file.FILE} && ralphgit resolve",
        )
    project.require_base()
    whose = sides(project)
    wanted = places(_patterns(project, whose))
    found = _sorted_out(project, stages, wanted)
    sources, unread = _sources(project, whose, found.graphs)
    nothing = not found.graphs and not told
    clean = _Clean({}, {}, {}) if nothing else _clean(project, wanted, sources)
    limit = project.config.max_graph_bytes
    past = partial(past_steps.past, project, whose)
    decided = decide(sources, clean.moved, given_up={}, past=past, limit=limit)
    doubles = {one.task: one for one in decided.open if one.question.code == "double_claim"}
    yields = yield_claim.choose(project, whose, doubles, clean.rows, told) if told else {}
    if yields:
        given_up = {task: one.side for task, one in yields.items()}
        decided = decide(sources, clean.moved, given_up=given_up, past=past, limit=limit)
    decided = decided.without(unread)
    decided = decided.without(_twins(decided, clean, limit))
    changes = _with_records(project, whose, found.records, decided)
    changes = changes.without(_edited(project, changes, clean))
    changes = changes.without(_waiting(found.graphs, changes))
    yields = {t: one for t, one in yields.items() if doubles[t].file in changes.files}
    gone = {task: _taken_out(project, whose, one, changes) for task, one in yields.items()}
    _warn(project, changes, clean, sources)
    kept = {} if dry_run else {t: yield_claim.keep(project, whose, y) for t, y in yields.items()}
    out: dict[str, bytes | None] = dict.fromkeys(path for paths in gone.values() for path in paths)
    result = {**changes.files, **out}
    if not dry_run and result:
        _write(project, result)
        for one in yields.values():
            yield_claim.let_go(project, one)
    return Resolved(
        whose,
        changes.told,
        tuple(path for path, data in result.items() if data is None),
        tuple(one for one in changes.open if one.file not in out),
        tuple(
            Yielded(one.task, one.claim, one.by, kept.get(task, ""), gone[task])
            for task, one in yields.items()
        ),
        found.others,
        _then(project, whose, was=bool(stages)),
    )


# -- what there is ---------------------------------------------------------------------


def _patterns(project: Project, whose: Sides) -> tuple[str, ...]:
    """Collect the graph patterns of this worktree and of each side, which may differ."""
    found = dict.fromkeys(project.config.graph)
    commits = [commit for commit in (whose.merge.ours, whose.merge.theirs) if commit]
    objects = project.repository.objects
    for oid in objects.resolve([f"{commit}:{settings_file.FILE}" for commit in commits]):
        said = settings_file.parse(objects.read([oid])[oid]).get("graph") if oid else None
        made = Config().graph if said is None else parse_setting("graph", said, settings_file.FILE)
        assert isinstance(made, tuple)
        found.update(dict.fromkeys(made))
    return tuple(found)


def _sorted_out(project: Project, stages: Mapping[str, Stages], wanted: Places) -> _Conflict:
    prefix = f"{project.config.records}/"
    graphs = {p: s for p, s in stages.items() if p in wanted.exact or wanted.matches(p)}
    records = {p: s for p, s in stages.items() if p.startswith(prefix) and p not in graphs}
    others = tuple(path for path in stages if path not in graphs and path not in records)
    return _Conflict(graphs, records, others)


def _sources(
    project: Project, whose: Sides, graphs: Mapping[str, Stages]
) -> tuple[dict[str, ThreeWay[Pieces | None]], list[Open]]:
    """Read the three versions of each graph file.

    If one cannot be read, none is decided: a task that seems to be gone may be in it.
    """
    found: dict[str, ThreeWay[Pieces | None]] = {}
    wrong = []
    blobs = _contents(project, graphs)
    limit = project.config.max_graph_bytes
    names = ("the ancestor", whose.ours, whose.theirs)
    for path, stages in graphs.items():
        if not stages.plain:
            wrong.append(Open(path, Question("not_plain")))
            continue
        versions: list[Pieces | None] = []
        for name, oid in zip(names, stages[:3], strict=True):
            try:
                known = graph_sections.split(blobs[oid], path=path, limit=limit) if oid else None
                versions.append(known)
            except InvalidRecord as error:
                wrong.append(Open(path, Question("unreadable"), says=f"{name}: {error}"))
                break
        else:
            found[path] = ThreeWay(*versions)
    if wrong:
        bad = tuple(one.file for one in wrong)
        return {}, [*wrong, *(Open(path, Question("waits", bad)) for path in found)]
    return found, []


def _contents(project: Project, conflicted: Mapping[str, Stages]) -> dict[str, bytes]:
    """Read the versions of conflicted files, by blob."""
    versions = (oid for stages in conflicted.values() for oid in stages[:3] if oid)
    return project.repository.objects.read(versions)


class _Clean(NamedTuple):
    """The graph files that git has merged without a conflict."""

    moved: Mapping[str, Pieces]
    """Those that have a task that is in conflict elsewhere."""
    blobs: Mapping[str, str]
    """All of them, with what the index has."""
    rows: Mapping[str, Row]
    """Their tasks."""


def _clean(
    project: Project, wanted: Places, sources: Mapping[str, ThreeWay[Pieces | None]]
) -> _Clean:
    """Read the graph files that git has merged. Raises: InvalidRecord where one is not valid."""
    blobs = {
        path: oid
        for path, oid in merge_conflicts.entries(project.repository).items()
        if path in wanted.exact or wanted.matches(path)
    }
    view = project.view_of(tuple(sorted(blobs.items())), "the index")
    contested = {
        task for stages in sources.values() for side in stages if side for task in side.tasks
    }
    shared = {row.file for row in view.rows if row.id in contested}
    contents = project.repository.objects.read(blobs[path] for path in shared)
    limit = project.config.max_graph_bytes
    moved = {
        p: graph_sections.split(contents[blobs[p]], path=p, limit=limit) for p in sorted(shared)
    }
    return _Clean(moved, blobs, view.by_id)


# -- what must not be written ----------------------------------------------------------


def _twins(decided: Decided, clean: _Clean, limit: int) -> list[Open]:
    """Find ids that would be used twice, also in another case."""
    places_of: dict[str, list[tuple[str, str]]] = {}
    for row in clean.rows.values():
        if row.file not in decided.files:
            places_of.setdefault(row.id.casefold(), []).append((row.id, row.file))
    for path, data in decided.files.items():
        for stored in graph_file.parse(data, path=path, limit=limit).tasks if data else ():
            places_of.setdefault(stored["id"].casefold(), []).append((stored["id"], path))
    return [
        Open(path, Question("duplicate_id", tuple(sorted({file for _, file in twins}))), task)
        for twins in places_of.values() if len(twins) > 1
        for task, path in twins if path in decided.files
    ]  # fmt: skip


def _edited(project: Project, decided: Decided, clean: _Clean) -> list[Open]:
    """Find files that a person, or rerere, has changed since git wrote them: they stay."""
    repository = project.repository
    wanted = {
        path: "" if data is None else repository.objects.blob_id(data)
        for path, data in decided.files.items()
    }
    stood = {path: oid for path, oid in wanted.items() if path in clean.blobs}
    merged = {path: oid for path, oid in wanted.items() if path not in stood}
    found = merge_conflicts.edited(repository, merged)
    changed = set(index.changed(repository.git, [*stood]).read()) if stood else set()
    found |= merge_conflicts.edited(repository, {path: wanted[path] for path in changed})
    return [Open(path, Question("edited")) for path in sorted(found)]


def _waiting(graphs: Mapping[str, Stages], decided: Decided) -> list[Open]:
    """Find graph files that are left only because they share a task with one that is."""
    said = {one.file for one in decided.open}
    return [
        Open(path, Question("waits", tuple(sorted(said & {*graphs}))))
        for path in graphs
        if path not in decided.files and path not in said
    ]


# -- records ---------------------------------------------------------------------------


def _with_records(
    project: Project, whose: Sides, records: Mapping[str, Stages], decided: Decided
) -> Decided:
    """Add the records in conflict to `decided`: audit, a question with its answer, the archive."""
    commits = [commit for commit in (whose.merge.ours, whose.merge.theirs) if commit]
    archives = [project.archive_at(commit) for commit in commits]
    made: dict[str, bytes | None] = {}
    wrong = []
    blobs = _contents(project, records)
    for path, stages in records.items():
        found = _record(path, stages, blobs)
        if found == Question("record_deleted") and _is_archived(archives, path):
            # It came after the task was archived; the next `archive` takes it along.
            found = blobs[stages.ours or stages.theirs]
        if isinstance(found, Question):
            wrong.append(Open(path, found))
        else:
            made[path] = found
    told = {**decided.told, **dict.fromkeys(made, ())}
    return Decided({**decided.files, **made}, told, decided.open, decided.together).without(wrong)


def _is_archived(archives: Sequence[Archive], path: str) -> bool:
    task = path.rpartition("/")[0].rpartition("/")[2]
    return any(archive.entry(task) is not None for archive in archives)


def _record(path: str, stages: Stages, blobs: Mapping[str, bytes]) -> bytes | Question:
    if not stages.plain:
        return Question("not_plain")
    if not stages.ours or not stages.theirs:
        return Question("record_deleted")
    versions = ThreeWay(*(blobs[oid] if oid else None for oid in stages[:3]))
    try:
        if path.endswith(ARCHIVE_SUFFIX):
            return archive_file.joined(versions)
        made = audit_merge.joined(versions)
        if made is None and f"/{question_file.FOLDER}/" in path:
            made = question_file.joined(versions)
    except InvalidRecord as error:
        return Question("unreadable", (str(error.at(path)),))
    if made is not None:
        return made
    return Question("record_edited" if stages.ancestor else "same_path")


def _taken_out(project: Project, whose: Sides, one: Yield, decided: Decided) -> tuple[str, ...]:
    """List the records of a claim that is given up, unless the other side has them."""
    repository = project.repository
    commit = whose.merge.onto if one.side is Side.THEIRS else whose.merge.theirs
    kept = frozenset(trees.paths(repository.objects, commit)) if commit else frozenset()
    entries = merge_conflicts.entries(repository)
    for path, stages in merge_conflicts.stages(repository).items():
        own = stages.ours if one.side is Side.OURS else stages.theirs
        if own:
            entries[path] = own
    return tuple(yield_claim.records_of(project, entries, one, kept))


# -- writing ---------------------------------------------------------------------------


def _write(project: Project, result: Mapping[str, bytes | None]) -> None:
    """Write each file by a rename, then the index at once, so that it can be repeated."""
    repository = project.repository
    for path in result:
        project.file(path)
    texts = merge_conflicts.smudged(
        repository, {path: data for path, data in result.items() if data is not None}
    )
    with index.Snapshot(repository) as staged, atomic_files.Undo() as undo:
        undo.on_failure(staged.restore)
        for path, data in result.items():
            full = project.file(path)
            if data is not None:
                undo.write(full, texts[path])
            elif os.path.lexists(full):
                undo.remove(full)
        index.add(repository.git, [*result])
    for path, data in result.items():
        if data is None:
            folder = os.path.dirname(os.path.join(project.top, path))
            interrupted_update.remove_empty(folder, spare=(project.top, project.around.directory))
    project.written()


def _warn(
    project: Project,
    decided: Decided,
    clean: _Clean,
    sources: Mapping[str, ThreeWay[Pieces | None]],
) -> None:
    """Warn of what is right on each side, but wrong of them together."""
    others = {id: row.depends_on for id, row in clean.rows.items() if row.file not in decided.files}
    limit = project.config.max_graph_bytes
    needs = {**others}
    joined = {one.task for said in decided.told.values() for one in said if one.how == "joined"}
    for path, data in decided.files.items():
        if data is None or path not in {*sources, *clean.blobs}:
            continue
        for stored in graph_file.parse(data, path=path, limit=limit).tasks:
            one = task_mapping.task(stored)
            needs[one.id] = one.depends_on
            if one.id in joined and one.claim and not keeps(one, one.claim.contract):
                project.warn(
                    f"the contract of {one.id} has changed under claim {one.claim.id}: completing "
                    "it will need --accept-contract"
                )
    known: set[tuple[str, ...]] = set()
    for side in Side:
        whole = [pieces_ for stages in sources.values() if (pieces_ := stages.of(side))]
        own = {task: task_mapping.task(piece.task).depends_on for one in whole
               for task, piece in one.tasks.items()}  # fmt: skip
        known.update(cycles.find_cycles({**others, **own}))
    for cycle in cycles.find_cycles(needs):
        if cycle not in known:
            said = cycles.as_text(cycle)
            project.warn(
                f"the two sides together make a dependency cycle: {said}; see ralphgit check"
            )


def _then(project: Project, whose: Sides, *, was: bool) -> str:
    """Name the next command, where there `was` a conflict, or a merge waits to be finished."""
    name = whose.merge.name
    if not name:
        return "git commit" if was else ""
    empty = was and name in ("rebase", "cherry-pick", "revert")
    if empty and merge_conflicts.is_as_head(project.repository):
        return f"git {name} --skip"
    return f"git {name} --continue"
