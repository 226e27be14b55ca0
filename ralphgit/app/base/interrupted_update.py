"""Undo a move of the base that was killed half-way, by the note made before it.

`git merge --ff-only` writes the files, then the index, then the branch. Killed in between it
leaves changes that no person made, and they would be in the way of every later move. The journal
says from which commit to which; what lies between these two, and is nowhere else, is put back.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager

from ralphgit.app.workspace import journal, record_tree
from ralphgit.app.workspace.locks import RepositoryLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import NotARepository
from ralphgit.git import index, refs, trees
from ralphgit.git.repository import Repository
from ralphgit.git.run_git import Git
from ralphgit.git.trees import PathChange
from ralphgit.records import atomic_files, worktree_files

_KIND = "base"
_PATIENCE_S = 30.0
_LINK, _SUBMODULE = "120000", "160000"


def noted(
    project: Project, worktree: str, ref: str, old: str, new: str
) -> AbstractContextManager[None]:
    """Note the move while it is made. Raises: NotWritable."""
    return journal.noted(project, _KIND, worktree, {ref: (old, new)})


def notes(project: Project) -> list[journal.MoveNote]:
    """The moves that were killed: ref -> old commit, new commit. To be asked outside of `noted`."""
    return [note for note in journal.left_over(project, _KIND) if len(note.steps) == 1]


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


def undo(project: Project, note: journal.MoveNote) -> None:
    """Put files and index back to where the branch still is; the note goes last.

    A file that somebody has changed since is theirs, and stays. Where the branch has got
    there, or has gone elsewhere, nothing is to be undone.

    Raises: NotWritable, RalphError (index_locked), GitError.
    """
    ((ref, commits),) = note.steps.items()
    old, new = (commit or "" for commit in commits)
    worktree = project.worktree_of(ref)
    if (
        worktree is not None
        and os.path.realpath(worktree.path) == note.worktree
        and refs.current(project.repository.objects, ref) == old
    ):
        try:
            repository = project.repository.beside(worktree)
        except NotARepository:
            atomic_files.unlink(note.path)
            return
        if all(repository.objects.resolve([old, new])):
            changes = trees.changes(repository.objects, old, new)
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
        for one in trees.changes(repository.objects, repository.head(), commit):
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
    real = os.path.realpath(top)
    for one in changes:
        if not one.old:
            path = os.path.join(top, one.path)
            folder = os.path.dirname(os.path.join(real, one.path))
            if os.path.realpath(folder) != folder:
                continue  # git has written nothing behind a link
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
    for parent, _, leaves in os.walk(worktree_files.place(top, project.config.records)):
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
