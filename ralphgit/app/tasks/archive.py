"""Move finished tasks with their records into the archive, in one commit, and back."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import interrupted_update
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.tasks import placement
from ralphgit.app.workspace import commit_message, runtime_files
from ralphgit.app.workspace.graph_files import is_wild
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, InvalidRecord, UsageError
from ralphgit.git import index
from ralphgit.git.repository import under_way
from ralphgit.model.printable import counted
from ralphgit.model.task_row import Row
from ralphgit.records import archive_file, atomic_files, graph_file, graph_layouts, schemas
from ralphgit.records.archive_file import FINISHED, Archived
from ralphgit.records.schemas import FILED
from ralphgit.rules import lost_claim, readiness

#: How many ids a commit's subject names.
_NAMED = 3


class ArchiveOptions(NamedTuple):
    tasks: tuple[str, ...] = ()
    """Just these, whatever their age."""
    older_than_s: float = 0.0
    story: str = ""
    dry_run: bool = False


class ArchiveResult(NamedTuple):
    tasks: tuple[str, ...]
    records: int
    files: tuple[str, ...]
    """The files of the archive that were written, or would be."""
    left: Mapping[str, str]
    """Finished tasks that stay, and why."""
    commit: str = ""


class _Move(NamedTuple):
    """Files to write, to remove, and what is said of it."""

    contents: Mapping[str, bytes]
    removed: Sequence[str]
    subject: str


def archive(project: Project, options: ArchiveOptions) -> ArchiveResult:
    """Archive finished tasks that are so on the base and that nobody works on; commit it.

    What came later to the records of archived tasks goes there as well. On a failure files and
    index are as before; what is removed is in the commit before.

    Raises: UnknownTask, GuardRefused (not_archivable, uncommitted, unfinished_merge,
    staged), InvalidRecord, NotWritable, GitError.
    """
    _require_clean(project, settle=not options.dry_run)
    chosen, left = _choose(project, options)
    here = project.here
    contents: dict[str, bytes] = {}
    blocks: dict[str, tuple[str, str]] = {}
    rows = [here.row(task) for task in chosen]
    emptied = []
    for path in dict.fromkeys(row.file for row in rows):
        text, pieces, empty = _without(project, path, {row.id for row in rows if row.file == path})
        blocks.update((task, (path, piece)) for task, piece in pieces.items())
        if empty:
            emptied.append(path)
        contents[path] = text.encode("utf-8")
    kept = [path for path, _ in here.shards if path not in emptied]
    gone = [path for path in emptied if kept or path != emptied[-1]]
    late = _late(project, options)
    records = _records(project, [*chosen, *late])
    archives = _archives(project, rows, blocks, records, late)
    found = ArchiveResult(tuple(chosen), sum(map(len, records.values())), tuple(archives), left)
    if options.dry_run or not (chosen or late):
        return found
    for path in gone:
        del contents[path]
    removed = [f"{project.config.records}/{name}" for one in records.values() for name in one]
    moved = _Move(
        {**archives, **contents}, [*removed, *gone], _subject(project, "Archive", [*chosen])
    )
    return found._replace(commit=_commit(project, moved))


def restore(project: Project, tasks: Sequence[str]) -> ArchiveResult:
    """Put archived tasks back into the graph, with their records, byte for byte; commit it.

    A task comes last in the file that it was in, or where a new one of its story would.

    Raises: UnknownTask, UsageError, GuardRefused, InvalidRecord, NotWritable, GitError.
    """
    _require_clean(project)
    view, archived = project.here, project.here.archive
    contents: dict[str, bytes] = {}
    count = 0
    leaving: dict[str, set[str]] = {}
    for task in tasks:
        if archived.entry(task) is None:
            view.row(task)
            raise UsageError(
                f"{task} is not in the archive; nothing was changed", code="not_archived",
                hint=f"ralphgit show {task}",
            )  # fmt: skip
        one = archived.task(task)
        path = _home(project, one)
        text = contents[path].decode() if path in contents else _text(project, path)
        contents[path] = graph_layouts.with_piece(path, text, one.block).encode("utf-8")
        for name, record in one.records.items():
            target = f"{project.config.records}/{name}"
            # What came later is there already, and has grown out of this.
            if not os.path.lexists(project.file(target)):
                contents[target] = record.encode("utf-8")
                count += 1
        leaving.setdefault(archived.place(task)[0], set()).add(one.id)
    removed = []
    for path, ids in leaving.items():
        rest = [one for one in archive_file.parse(archived.content(path)).values()
                if one.id not in ids]  # fmt: skip
        if rest:
            contents[path] = archive_file.encode(rest)
        else:
            removed.append(path)
    moved = _Move(contents, removed, _subject(project, "Restore", [*tasks]))
    return ArchiveResult(tuple(tasks), count, tuple(leaving), {}, _commit(project, moved))


# -- what may go -----------------------------------------------------------------------------


def _require_clean(project: Project, *, settle: bool = True) -> None:
    """Refuse while records here differ from HEAD: what is archived is what was committed.

    What a killed `archive` has left is taken back or removed first; without `settle` nothing is
    written.
    """
    project.require_base()
    here = project.require_here()
    if under_way(project.repository.git_dir):
        raise GuardRefused(
            "a merge or rebase is under way; nothing was changed", code="unfinished_merge",
            hint="git status",
        )  # fmt: skip
    if settle and uncommitted(project) and undo_begun(project):
        here = project.here
    folders = [project.settings.records_here, *(path for path, _ in here.shards)]
    found = _changes(project, folders)
    left = [one[3:] for one in found if _is_left(project, one)]
    if settle:
        remove_left(project, left)
    found = [one for one in found if one[3:] not in left]
    if found:
        raise GuardRefused(
            f"{found[0][3:]} has changes that are not committed; nothing was changed; "
            "commit or stash them first",
            code="uncommitted",
            hint=take_back_command(project) if uncommitted(project) else "git stash",
            details={"files": [one[3:] for one in found]},
        )  # fmt: skip
    staged = index.staged_changes(project.repository.git, "HEAD")
    if staged:
        raise GuardRefused(
            f"{staged[0].path} is staged, and would be in the same commit; nothing was changed",
            code="staged", hint=f"git restore --staged {shlex.quote(staged[0].path)}",
        )  # fmt: skip


def _changes(project: Project, folders: Sequence[str]) -> list[str]:
    """What `git status --porcelain` prints of these folders."""
    return [
        *project.repository.git.names(
            "--literal-pathspecs", "status", "--porcelain", "-z", "--no-renames",
            "--untracked-files=all", "--", *folders,
        )
    ]  # fmt: skip


def left_files(project: Project) -> list[str]:
    """The records that a killed `archive` has committed, and not removed."""
    if not project.here.archive.shards:
        return []
    found = _changes(project, [project.settings.records_here])
    return [line[3:] for line in found if _is_left(project, line)]


def remove_left(project: Project, paths: Sequence[str]) -> None:
    for path in paths:
        atomic_files.unlink(project.file(path))


def uncommitted(project: Project) -> list[str]:
    """The tasks that an `archive` which was killed before its commit has put into the archive."""
    head, here = project.repository.known_head, project.here.archive
    if not here.shards or not head or under_way(project.repository.git_dir):
        return []
    before, known = project.archive_at(head), project.view(head, "HEAD").by_id
    return [one.id for one in here.entries if one.id in known and before.entry(one.id) is None]


def undo_begun(project: Project) -> bool:
    """Take back an `archive` that was killed before its commit; False, and nothing is done, where
    anything else was changed in the graph or the records.
    """
    view = project.view(project.repository.known_head, "HEAD")
    begun = {*uncommitted(project)}
    folders = [project.settings.records_here, *(path for path, _ in view.shards)]
    changed = [line[3:] for line in _changes(project, folders)]
    if not all(_is_half(project, path, begun) for path in changed):
        return False
    git = project.repository.git
    git.run("--literal-pathspecs", "add", "--all", "--", *changed)
    git.run("--literal-pathspecs", "restore", "--staged", "--worktree", "--", *changed)
    project.refresh()
    return True


def _is_half(project: Project, path: str, begun: set[str]) -> bool:
    """Whether a file is as HEAD has it, or as an `archive` of the tasks `begun` has left it."""
    name = f"HEAD:{path}"
    old = project.repository.objects.read([name]).get(name)
    data = atomic_files.read(project.file(path))
    if data == old:
        return True
    records = project.settings.records_here
    if schemas.is_archive(records, path):
        before, now = (archive_file.parse(one) if one else {} for one in (old, data))
        return before == {task: one for task, one in now.items() if task not in begun}
    if old is None:
        return False
    if path.startswith(f"{records}/"):
        return data is None and path.split("/")[-2] in begun
    rows = project.view(project.repository.known_head, "HEAD").by_id
    gone = {task for task in begun if rows[task].file == path}
    file = _graph(project, path, old.decode("utf-8")) if gone else None
    return file is not None and data == graph_layouts.without(file, gone)[0].encode("utf-8")


def take_back_command(project: Project) -> str:
    """The command that undoes an `archive` which was killed before its commit."""
    graphs = project.view(project.repository.known_head, "HEAD").shards
    paths = shlex.join([project.settings.records_here, *(path for path, _ in graphs)])
    return f"git add -A {paths} && git restore --staged --worktree {paths}"


def _is_left(project: Project, line: str) -> bool:
    """Whether a line of `git status` is a record that a killed `archive` has not removed."""
    prefix, path = f"{project.settings.records_here}/", line[3:]
    name = path.removeprefix(prefix)
    task = name.split("/")[1] if name.count("/") == 2 else ""
    archived = project.here.archive
    if not (line.startswith("?? ") and path.startswith(prefix) and archived.entry(task)):
        return False
    data = atomic_files.read(project.file(path)) or b""
    return archived.task(task).records.get(name, "").encode() == data.replace(b"\r\n", b"\n")


def _choose(project: Project, options: ArchiveOptions) -> tuple[list[str], dict[str, str]]:
    """The tasks to archive, in file order, and the finished ones that stay, with the reason."""
    if not options.dry_run:
        synchronise(project, settle=False)
    claim_map = ClaimMap(project)
    rows = project.here.rows
    for task in options.tasks:
        project.here.row(task)
    needed = {
        other: row.id for row in rows if row.status not in FINISHED for other in row.depends_on
    }
    chosen, left = [], {}
    for row in rows:
        if row.id not in options.tasks if options.tasks else (
            row.status not in FINISHED or (options.story and row.story != options.story)
        ):  # fmt: skip
            continue
        why = _unfit(claim_map, row, needed.get(row.id, ""))
        if why and options.tasks:
            raise GuardRefused(
                f"{row.id} cannot be archived: {why}; nothing was changed", code="not_archivable",
                hint=f"ralphgit show {row.id}", details={"task": row.id},
            )  # fmt: skip
        if not why and not options.tasks:
            why = _young(project, row, options.older_than_s)
        if why:
            left[row.id] = why
        else:
            chosen.append(row.id)
    return chosen, left


def _unfit(claim_map: ClaimMap, row: Row, needed: str) -> str:
    """Why a task cannot be archived; "" if it can."""
    base = claim_map.base.by_id.get(row.id)
    label = claim_map.project.base.label
    if row.status not in FINISHED:
        return f"it is {row.status}"
    if base is None or base.json != row.json:
        return f"it is not so on {label}"
    if row.status == "cancelled" and needed:
        return f"{needed} depends on it, and would wait for ever"
    lease = claim_map.leases.get(row.id)
    if lease is not None and not lost_claim.is_overtaken(lease, base):
        return f"{lease.by} has a lease of it"
    _, lost = readiness.in_force(row, claim_map.active_claims.get(row.id, ()))
    if lost:
        return f"{lost[0].by} has a claim on it in {lost[0].where}"
    return ""


def _young(project: Project, row: Row, older_than_s: float) -> str:
    ended = _ended(project, row)
    try:
        at = datetime.fromisoformat(ended).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return ""  # nobody knows when: long ago
    return f"finished {ended[:10]}" if project.around.now() - at < older_than_s else ""


def _ended(project: Project, row: Row) -> str:
    """When a task was finished, as its record has it."""
    life = project.here.task(row.id).lifecycle
    record = life.result or life.cancelled
    return (record.at if record else "") or row.at


# -- what goes where -------------------------------------------------------------------------


def _without(project: Project, path: str, ids: set[str]) -> tuple[str, dict[str, str], bool]:
    """A graph file without these tasks, their texts, and whether it is of no use any more."""
    file = _graph(project, path, _text(project, path))
    text, pieces, says = graph_layouts.without(file, ids)
    exact = any(path == pattern for pattern in project.settings.graph_here if not is_wild(pattern))
    name = os.path.splitext(os.path.basename(path))[0]
    useless = len(pieces) == len(file.tasks) and not says
    return text, pieces, useless and not exact and name != placement.STORYLESS


def _text(project: Project, path: str) -> str:
    """A graph file as HEAD has it, where line ends are those of the repository."""
    name = f"HEAD:{path}"
    data = project.repository.objects.read([name]).get(name)
    return (
        data.decode("utf-8")
        if data is not None
        else f"{schemas.modeline('task-graph')}version: 1\ntasks:\n"
    )


def _graph(project: Project, path: str, text: str) -> graph_file.GraphFile:
    limit = project.config.max_graph_bytes
    return graph_file.parse(text.encode("utf-8"), path=path, limit=limit)


def _late(project: Project, options: ArchiveOptions) -> list[str]:
    """Archived tasks that have records in files: what came after they were archived."""
    if not project.here.archive.shards:
        return []
    known = project.here.by_id
    found = dict.fromkeys(task for task, _ in _filed(project) if task not in known)
    late = [task for task in found if project.here.archive.entry(task)]
    return [task for task in late if not options.tasks or task in options.tasks]


def _filed(project: Project) -> Iterator[tuple[str, tuple[str, str]]]:
    """Task, and path below the records folder with blob id, of every record that HEAD has."""
    folder = project.config.records
    objects = project.repository.objects
    listed = objects.files(["HEAD"], (), (folder,), lambda path: path.endswith(".yaml"))["HEAD"]
    for path, oid in listed:
        name = path.removeprefix(f"{folder}/")
        kind, _, rest = name.partition("/")
        if kind in FILED and rest.count("/") == 1:
            yield rest.partition("/")[0], (name, oid)


def _records(project: Project, tasks: Sequence[str]) -> dict[str, dict[str, str]]:
    """The records of each of these tasks. Raises: InvalidRecord (not_utf8)."""
    wanted: dict[str, dict[str, str]] = {task: {} for task in tasks}
    for task, (name, oid) in _filed(project):
        if task in wanted:
            wanted[task][name] = oid
    blobs = project.repository.objects.read(oid for one in wanted.values() for oid in one.values())
    found: dict[str, dict[str, str]] = {}
    for task, one in wanted.items():
        for name, oid in one.items():
            try:
                found.setdefault(task, {})[name] = blobs[oid].decode("utf-8")
            except UnicodeDecodeError:
                raise InvalidRecord(
                    "the record is not UTF-8; nothing was changed",
                    file=f"{project.config.records}/{name}", code="not_utf8", task=task,
                    hint="ralphgit check",
                ) from None  # fmt: skip
    return found


def _archives(
    project: Project, rows: Sequence[Row], blocks: Mapping[str, tuple[str, str]],
    records: Mapping[str, Mapping[str, str]], late: Sequence[str],
) -> dict[str, bytes]:  # fmt: skip
    """The files of the archive that change."""
    archived = project.here.archive
    fresh: dict[str, list[Archived]] = {}
    for row in rows:
        path = archive_file.path(project.config.records, row, _ended(project, row))
        one = Archived(row.id, *blocks[row.id], records.get(row.id, {}))
        fresh.setdefault(path, []).append(one)
    for task in late:
        known = archived.task(task)
        more = known._replace(records={**known.records, **records.get(task, {})})
        fresh.setdefault(archived.place(task)[0], []).append(more)
    there = {path for path, _ in archived.shards}
    found = {}
    for path, tasks in fresh.items():
        old = archive_file.parse(archived.content(path)) if path in there else {}
        found[path] = archive_file.encode({**old, **{one.id: one for one in tasks}}.values())
    return found


def _home(project: Project, one: Archived) -> str:
    """The graph file for a task that comes back."""
    exact, _, matches = project.places_here
    if one.file in exact or matches(one.file):
        return one.file
    row = archive_file.row_of(one)
    return placement.place(project, one.id, story=row.story, file="", after="").path


# -- the commit ------------------------------------------------------------------------------


def _subject(project: Project, verb: str, tasks: Sequence[str]) -> str:
    what = ", ".join(tasks) if len(tasks) <= _NAMED else counted(len(tasks), "task")
    what = what or "records that came later"
    return commit_message.subject(
        project, what, verb.lower(), event=f"{verb.lower()}d", usual=f"{verb} {what}"
    )


def _commit(project: Project, move: _Move) -> str:
    """Write, stage and commit, all of it or nothing; then remove. The commit's id.

    What a killed process has not removed is the same in the archive: the next one removes it.
    """
    runtime_files.prepare(project)
    git = project.repository.git
    with index.Snapshot(project.repository) as staged, atomic_files.Undo() as undo:
        undo.on_failure(staged.restore)
        for path, data in move.contents.items():
            undo.write(project.file(path), data)
        index.add(git, [*move.contents])
        index.forget(git, move.removed)
        index.commit(git, f"{move.subject}\n")
    for path in move.removed:
        atomic_files.unlink(project.file(path))
    for folder in sorted({os.path.dirname(path) for path in move.removed}):
        full = os.path.join(project.top, folder)
        interrupted_update.remove_empty(full, spare=(project.top, project.around.directory))
    project.refresh()
    return project.repository.known_head
