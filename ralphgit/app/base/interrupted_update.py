"""A move of the base that was killed half-way: noted before it, undone by whoever comes next.

`git merge --ff-only` writes the files, then the index, then the branch. Killed in between it
leaves changes that nobody made, and they would be in the way of every later move. A note in
`<git common dir>/ralphgit` says from which commit to which; what lies between these two, and
is nowhere else, is put back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from ralphgit.app.workspace import heartbeat, record_tree
from ralphgit.app.workspace.locks import RepositoryLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import NotARepository
from ralphgit.git import index, refs, trees
from ralphgit.git.repository import Repository
from ralphgit.git.run_git import Git
from ralphgit.git.trees import PathChange
from ralphgit.records import atomic_files

_FOLDER = "ralphgit"
_PREFIX = "advance-"
_PATIENCE_S = 30.0
_LINK, _SUBMODULE = "120000", "160000"


class MoveNote(NamedTuple):
    """One move of a branch that is checked out."""

    path: str
    """The note's own file."""
    worktree: str
    ref: str
    old: str
    new: str
    by: heartbeat.Process
    time: float
    """When it was begun, in seconds since 1970."""


@contextmanager
def noted(project: Project, worktree: str, ref: str, old: str, new: str) -> Iterator[None]:
    """Note the move while it is made; a process that is killed leaves the note.

    Raises: NotWritable.
    """
    pid = os.getpid()
    path = os.path.join(project.repository.common_dir, _FOLDER, f"{_PREFIX}{pid}")
    record = {
        "worktree": worktree, "ref": ref, "old": old, "new": new,
        **heartbeat.noted(pid)._asdict(), "time": project.around.now(),
    }  # fmt: skip
    atomic_files.write(path, json.dumps(record).encode())
    try:
        yield
    finally:
        atomic_files.unlink(path)


def notes(project: Project) -> list[MoveNote]:
    """The notes of processes that are gone. To be asked outside of `noted`."""
    folder = os.path.join(project.repository.common_dir, _FOLDER)
    try:
        names = sorted(name for name in os.listdir(folder) if name.startswith(_PREFIX))
    except OSError:
        return []
    found = []
    for name in names:
        note = _parsed(os.path.join(folder, name))
        if note is not None and _is_over(note, project.around.now()):
            found.append(note)
    return found


def _is_over(note: MoveNote, now: float) -> bool:
    """Whether nobody makes the move any more. Of another machine, or container, its age tells."""
    if not note.by.here:
        return now - note.time > heartbeat.FRESH_S
    # One with our own number is of a process that had it before us.
    return note.by.pid == os.getpid() or note.by.gone


def _parsed(path: str) -> MoveNote | None:
    try:
        record = json.loads(atomic_files.read(path) or b"")
        started, boot, host = (str(record[key]) for key in ("started", "boot", "host"))
        by = heartbeat.Process(int(record["pid"]), started, boot, host)
        worktree, ref, old, new = (str(record[key]) for key in ("worktree", "ref", "old", "new"))
        return MoveNote(path, worktree, ref, old, new, by, float(record["time"]))
    except (ValueError, KeyError, TypeError):
        return None  # half a note: nothing had begun


def settle(project: Project) -> bool:
    """Undo every move that was killed half-way; whether there was one.

    Raises: NotWritable, RalphError (index_locked), GitError.
    """
    if not notes(project):
        return False
    with RepositoryLock(project, "move of the base", code="unsettled", patience_s=_PATIENCE_S):
        return settle_alone(project)


def settle_alone(project: Project) -> bool:
    """`settle`, for who alone moves the base now. Raises: as `settle`."""
    found = notes(project)
    for note in found:
        undo(project, note)
    return bool(found)


def undo(project: Project, note: MoveNote) -> None:
    """Put files and index back to where the branch still is; the note goes last.

    A file that somebody has changed since is theirs, and stays. Where the branch has got
    there, or has gone elsewhere, nothing is to be undone.

    Raises: NotWritable, RalphError (index_locked), GitError.
    """
    worktree = project.worktree_of(note.ref)
    here = worktree is not None and os.path.realpath(worktree.path) == note.worktree
    if here and refs.current(project.repository.git, note.ref) == note.old:
        try:
            repository = Repository.open(note.worktree, project.around.environ)
        except NotARepository:
            atomic_files.unlink(note.path)
            return
        if all(repository.objects.resolve([note.old, note.new])):
            changes = trees.changes(repository.objects, note.old, note.new)
            take_back(project, repository, changes)
    atomic_files.unlink(note.path)


def take_back(project: Project, repository: Repository, changes: Sequence[PathChange]) -> None:
    """Put back what a killed git has made of `changes`. Raises: as `undo`."""
    put_back(project, repository, _halfway(repository, repository.top or "", changes))


def make_way(project: Project, repository: Repository, changes: Sequence[PathChange]) -> None:
    """Put back records in the way of `changes` that are nobody's: empty, or the beginning of
    what is about to be there.

    Raises: NotWritable, RalphError (index_locked), GitError.
    """
    top = repository.top or ""
    records = [
        one for one in changes
        if record_tree.is_record(project, one.path)
        and os.path.lexists(os.path.join(top, one.path))
    ]  # fmt: skip
    changed = [one for one in records if _content(top, one) != _blob(repository, one.old)]
    put_back(project, repository, _halfway(repository, top, changed))


def _halfway(repository: Repository, top: str, changes: Sequence[PathChange]) -> list[PathChange]:
    """Those of `changes` whose file and index entry are as git leaves them on its way."""
    staged = index.entries(repository.git, [one.path for one in changes])
    found = []
    for one in changes:
        entry = staged.get(one.path, ("", ""))
        known = entry in ((one.old_mode, one.old), (one.new_mode, one.new))
        if known and _SUBMODULE not in (one.old_mode, one.new_mode) and _ours(repository, top, one):
            found.append(one)
    return found


def between(
    repository: Repository, commits: Sequence[str]
) -> tuple[list[PathChange], list[PathChange]]:
    """Paths that are not as HEAD has them and in which it differs from `commits`: those that a
    git on its way from one to another leaves, and those that somebody has changed otherwise.
    """
    git, top = repository.git, repository.top or ""
    known: dict[str, list[PathChange]] = {}
    for commit in dict.fromkeys(commits):
        for one in trees.changes(repository.objects, "HEAD", commit):
            if _SUBMODULE not in (one.old_mode, one.new_mode):
                known.setdefault(one.path, []).append(one)
    staged = index.entries(git, [*known])
    halfway: list[PathChange] = []
    others: list[PathChange] = []
    for path, forms in known.items():
        first = forms[0]
        entry = staged.get(path, ("", ""))
        content = _content(top, first)
        gone = not os.path.lexists(os.path.join(top, path))
        same = gone if not first.old else content == _blob(repository, first.old)
        if same and entry == (first.old_mode, first.old):
            continue
        sides = {(one.old_mode, one.old) for one in forms}
        sides |= {(one.new_mode, one.new) for one in forms}
        known_file = any(_ours(repository, top, one) for one in forms)
        (halfway if entry in sides and known_file else others).append(first)
    return halfway, others


def _ours(repository: Repository, top: str, one: PathChange) -> bool:
    """Whether the file is missing, as before, or as much as was written of what it was to be."""
    path = os.path.join(top, one.path)
    if not os.path.lexists(path):
        return True
    data = _content(top, one)
    if data is None:
        return False
    # What git writes with `core.autocrlf` is what it has but for the line ends.
    forms = (data, data.replace(b"\r\n", b"\n").removesuffix(b"\r"))
    if one.old and any(form == _blob(repository, one.old) for form in forms):
        return True
    new = _blob(repository, one.new)
    return new is not None and any(new.startswith(form) for form in forms)


def _content(top: str, one: PathChange) -> bytes | None:
    """What is in the file, or where the link points; None for anything else."""
    path = os.path.join(top, one.path)
    try:
        if os.path.islink(path):
            return os.fsencode(os.readlink(path))
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _blob(repository: Repository, oid: str) -> bytes | None:
    return repository.objects.read([oid]).get(oid) if oid else None


def put_back(project: Project, repository: Repository, changes: Sequence[PathChange]) -> None:
    """Bring files and index back to the old side. Raises: RalphError (index_locked), GitError."""
    if not changes:
        return
    top = repository.top or ""
    for one in changes:
        if not one.old:
            path = os.path.join(top, one.path)
            if os.path.lexists(path):
                os.unlink(path)
            remove_empty(os.path.dirname(path), spare=(top, project.around.directory))
    index.put_back(repository.git, changes)


def remove_empty(folder: str, *, spare: Sequence[str]) -> None:
    """Remove `folder` and those above it as long as they are empty, but none that has one of
    `spare` in it or is one.
    """
    kept = [os.path.realpath(place) + os.sep for place in spare]
    while not any(place.startswith(os.path.realpath(folder) + os.sep) for place in kept):
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def empty_records(project: Project, top: str) -> list[str]:
    """Graph and record files of a worktree that are empty and were not meant to be."""
    found = [path for path in project.paths_in(top) if _is_empty(os.path.join(top, path))]
    for parent, _, leaves in os.walk(os.path.join(top, project.config.records)):
        for leaf in leaves:
            path = os.path.join(parent, leaf)
            if leaf.endswith(".yaml") and _is_empty(path):
                found.append(os.path.relpath(path, top).replace(os.sep, "/"))
    if not found:
        return []
    git = project.repository.git.at(top)
    staged = index.entries(git, found)
    empty = project.repository.objects.blob_id(b"")
    return sorted({path for path in found if staged.get(path, ("", ""))[1] != empty})


def _is_empty(path: str) -> bool:
    try:
        return not os.path.islink(path) and os.stat(path).st_size == 0
    except OSError:
        return False


def restore_empty(project: Project, top: str, paths: Sequence[str]) -> None:
    """Give empty records back what the index has of them; others go."""
    git: Git = project.repository.git.at(top)
    staged = index.entries(git, paths)
    for path in paths:
        if path not in staged:
            full = os.path.join(top, path)
            os.unlink(full)
            remove_empty(os.path.dirname(full), spare=(top, project.around.directory))
    index.check_out(git, [path for path in paths if path in staged])
