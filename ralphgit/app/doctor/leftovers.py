"""Find what a killed command, or a killed git, left behind; fix what is provably safe to fix."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from ralphgit.app.base import interrupted_update
from ralphgit.app.doctor import git_locks
from ralphgit.app.doctor.finding_kinds import Finding, fixable
from ralphgit.app.setup import managed_files
from ralphgit.app.workspace import heartbeat, journal, runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.app.worktrees import abandoned_grounds
from ralphgit.errors import InvalidRecord, NotWritable, RalphError
from ralphgit.git import index
from ralphgit.model.printable import counted
from ralphgit.records import atomic_files

#: Seconds that a lock must be old before it can be taken for a leftover.
_LOCK_AGE_S = 10.0


def find(project: Project, fix: bool) -> Iterator[Finding]:
    """Find everything that was left, in the order in which it can be fixed."""
    yield from _runtime(project, fix)
    yield from _locks(project, fix)
    for look in (_sharding, _archiving, _unfinished, _grounds, _empty, _temporary):
        yield from look(project, fix)


def _runtime(project: Project, fix: bool) -> Iterator[Finding]:
    top = project.repository.top
    if top is None or not os.path.isdir(os.path.join(top, runtime_files.FOLDER)):
        return
    if not runtime_files.is_excluded(project):
        if fix:
            runtime_files.exclude(project)
        yield fixable("not_excluded", "warning", ".ralph/ is not in .git/info/exclude", fix)


def _locks(project: Project, fix: bool) -> Iterator[Finding]:
    """Lock files that a killed git left; while any git works in this repository, none is."""
    locks = list(git_locks.found(project))
    if not locks:
        return
    for path in locks:
        # An index is locked by a git in its own worktree; anything else by any of them.
        busy = git_locks.git_at_work(git_locks.users(project, path))
        try:
            age = project.around.now() - os.stat(path).st_mtime
        except FileNotFoundError:
            continue
        name = project.show_path(path)
        if busy or age <= _LOCK_AGE_S:
            hint = "wait for it to finish, then look again"
            yield Finding("git_lock", "warning", f"{name} exists, and may be in use", hint)
            continue
        if fix:
            atomic_files.unlink(path)
        yield fixable("git_lock", "error", f"{name} was left by a git process that is gone", fix)


def _sharding(project: Project, fix: bool) -> Iterator[Finding]:
    """A move of the graph that was killed: completed, unless a file has been changed since or a
    lock of git's is in the way."""
    top = project.repository.top
    if top is None or not journal.left_over(project, journal.LAYOUT):
        return
    from ralphgit.app.tasks import shard

    if not shard.killed(project):
        return
    message, hint, fixed = "", "ralphgit doctor --fix", fix
    try:
        if fix:
            shard.complete(project)
    except RalphError as error:
        if error.code not in ("index_locked", "half_sharded"):
            raise
        message, hint, fixed = error.message, error.hint, False
    message = message or "a move of the graph to another layout was killed half-way"
    yield Finding("half_sharded", "error", message, hint, fixable=True, fixed=fixed)


def _archiving(project: Project, fix: bool) -> Iterator[Finding]:
    """What an `archive` that was killed has not committed, or has not removed."""
    if project.repository.top is None:
        return
    try:
        if not project.here.archive.shards:
            return  # most graphs have none
        from ralphgit.app.tasks import archive

        begun, left = archive.uncommitted(project), archive.left_files(project)
        hint = archive.take_back_command(project) if begun else ""
    except InvalidRecord:
        return  # another finding, or `check`, says it
    if begun:
        many = counted(len(begun), "task")
        said = f"an archive of {many} was not committed: it was killed; archive it anew afterwards"
        if fix and archive.undo_begun(project):
            yield fixable("half_archived", "error", said, fix)
        else:
            yield Finding("half_archived", "error", said, hint)
        return
    if left:
        if fix:
            archive.remove_left(project, left)
        many = counted(len(left), "record")
        said = f"{many} of archived tasks left by a killed archive: {left[0]}"
        yield fixable("half_archived", "warning", said, fix)


def _unfinished(project: Project, fix: bool) -> Iterator[Finding]:
    """Moves of the base that were killed: undone, unless a lock of git's is in the way."""
    for note in interrupted_update.notes(project):
        fixed = fix
        try:
            if fix:
                interrupted_update.undo(project, note)
        except RalphError as error:
            if isinstance(error, NotWritable) or error.code != "index_locked":
                raise
            fixed = False
        ((ref, (_, new)),) = note.steps.items()
        move = f"{ref.removeprefix('refs/heads/')} to {(new or '')[:12]}"
        message = f"a move of {move} was killed half-way in {project.show_path(note.worktree)}"
        yield fixable("unfinished_move", "error", message, fixed)


def _grounds(project: Project, fix: bool) -> Iterator[Finding]:
    """Worktrees in which something was proved by a process that is gone."""
    left = [worktree.path for worktree in abandoned_grounds.abandoned(project)]
    removed = abandoned_grounds.clear(project) if fix else []
    for path in left:
        message = f"{project.show_path(path)} was left by an integration that was killed"
        yield fixable("left_worktree", "warning", message, path in removed)


def _empty(project: Project, fix: bool) -> Iterator[Finding]:
    """Graph and record files without a byte: a killed git had only begun to write them."""
    top = project.repository.top
    paths = interrupted_update.empty_records(project, top) if top is not None else []
    if fix and top is not None:
        interrupted_update.restore_empty(project, top, paths)
    for path in paths:
        yield fixable("empty_record", "error", f"{path} is empty: its writing was killed", fix)


def _temporary(project: Project, fix: bool) -> Iterator[Finding]:
    """Temporary files of writes that were killed."""
    for path, process in _leftovers(project):
        # One with our own number is of a process that had it before us.
        if process != os.getpid() and heartbeat.exists(process):
            continue
        if fix:
            atomic_files.unlink(path)
        message = f"{project.show_path(path)} is left of a killed write"
        yield fixable("temporary_file", "warning", message, fix)


def _leftovers(project: Project) -> Iterator[tuple[str, int]]:
    """Each temporary file, and the number of the process that made it."""
    pattern = re.compile(
        rf"(?:{re.escape(atomic_files.TEMPORARY)}|index{re.escape(index.KEPT)})(\d{{1,9}})(?!\d)"
    )
    common, top = project.repository.common_dir, project.repository.top
    shallow = {common, os.path.join(common, "info")}
    shallow.update(git_locks.subfolders(os.path.join(common, "worktrees")))
    deep = set()
    if top is not None:
        shallow.add(top)
        paths = (*project.paths_in(top), *managed_files.OUTSIDE)
        shallow.update(os.path.join(top, os.path.dirname(path)) for path in paths)
        deep = {project.file(project.config.records), os.path.join(top, runtime_files.FOLDER)}
    for folder in sorted({os.path.normpath(folder) for folder in shallow | deep}):
        for parent, names, leaves in os.walk(folder):
            if folder not in deep:
                names[:] = []
            for leaf in sorted(leaves):
                if found := pattern.match(leaf):
                    yield os.path.join(parent, leaf), int(found.group(1))
