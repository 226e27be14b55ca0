"""Find what makes the verify commands see other files than a commit of the worktree has."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterable, Iterator, Sequence

from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.errors import NeedsPerson
from ralphgit.git import trees, worktrees
from ralphgit.git.objects import SUBMODULE
from ralphgit.git.repository import Repository
from ralphgit.git.run_git import Git, GitError

#: Files that say what git sees of a folder. One that names itself is seen by nobody else.
_STEERING = (".gitignore", ".gitattributes")
_LINK = "120000"
_GIT = ".git"
#: How much of a path is shown.
_SHOWN = 200
#: With the slash before it, in bytes.
_LONGEST_NAME = 256


def passed_over(repository: Repository, tree: str = "", *, new: bool = True) -> dict[str, str]:
    """Find what git neither commits nor ignores, and say of each path why, in order.

    `tree` is what would be committed; "" for HEAD's. Without `new` folders that are not in it are
    passed over, too, and git is asked nothing. To be called before git looks at a worktree
    in which somebody else has worked: it waits for ever at a pipe of the name of a file that it
    reads in each folder.

    Raises: NeedsPerson (blocks_git) for such a pipe, or one in place of the index.
    """
    top = repository.top
    if top is None:
        return {}
    _refuse_pipe_as_index(repository, top)
    git, tree = repository.git.at(top), tree or repository.known_head
    tracked = trees.files(repository.objects, tree) if tree else ()
    folders = _folders(path for path, _ in tracked)
    closed = {runtime_files.FOLDER, *runtime_files.left(top)}
    closed.update(path for path, entry in tracked if entry.mode == SUBMODULE)
    limit = os.pathconf(top, "PC_PATH_MAX")
    found: dict[str, str] = {}
    level = [""]
    while level:
        below: list[str] = []
        for folder in level:
            try:
                below += _folders_in(top, folder, limit, found)
            except FileNotFoundError:
                continue
            except OSError as error:
                found[folder] = f"cannot be read ({error.strerror})"
        below = [folder for folder in below if folder not in closed]
        unknown = [folder for folder in below if folder not in folders]
        ignored = _ignored(git, unknown) if new else set(unknown)
        level = [folder for folder in below if folder not in ignored]
    ignored = _ignored(git, [*found]) if new else set()
    return {path: found[path] for path in sorted(found) if path not in ignored}


def _refuse_pipe_as_index(repository: Repository, top: str) -> None:
    """Raises: NeedsPerson (blocks_git)."""
    path = os.path.join(repository.git_dir, "index")
    try:
        is_pipe = stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return  # there is none
    if is_pipe:
        raise NeedsPerson(
            f"the index ({path}) is a pipe, and git would wait for ever to read it; nothing was "
            "changed",
            code="blocks_git",
            hint=f"{shlex.join(('rm', path))} && {shlex.join(('git', '-C', top, 'reset', '-q'))}",
            details={"path": path},
        )


def _folders_in(top: str, folder: str, limit: int, found: dict[str, str]) -> list[str]:
    """List the folders in a folder, and add to `found` what git does not see there."""
    folders = []
    place = os.path.join(top, folder)
    is_deep = len(os.fsencode(place)) + _LONGEST_NAME >= limit
    with os.scandir(place) as entries:
        for entry in entries:
            is_git = entry.name[:4].lower() == _GIT
            if not is_git and not is_deep and entry.is_file(follow_symlinks=False):
                continue  # as most are
            path = os.path.join(folder, entry.name)
            if path == _GIT:
                continue
            if is_git and _is_pipe(entry):
                raise NeedsPerson(
                    f"{path} is a pipe, and git would wait for ever to read it; nothing was "
                    "changed",
                    code="blocks_git",
                    hint=shlex.join(("rm", entry.path)),
                    details={"path": path},
                )
            if is_git and len(entry.name) == len(_GIT):
                found[path] = "has a name that git passes over"
            elif is_deep and len(os.fsencode(entry.path)) >= limit:
                found[path] = "has a path that is too long"
            elif entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif not (entry.is_symlink() or entry.is_file(follow_symlinks=False)):
                found[path] = "is neither a file nor a folder nor a link"
    return folders


def _is_pipe(entry: os.DirEntry[str]) -> bool:
    """Whether it is a pipe, or a link to one: git before 2.32 follows it."""
    try:
        return stat.S_ISFIFO(entry.stat().st_mode)
    except OSError:
        return False


def _ignored(git: Git, paths: Sequence[str]) -> set[str]:
    try:
        return set(worktrees.ignored(git, paths))
    except GitError:
        return set()  # it refuses all for one: what lies in a submodule that is not filled, say


def faults(project: Project, tree: str, changed: Sequence[str]) -> Iterator[str]:
    """Say as sentences what is not in `tree`, and decides what commands find in its folders.

    `changed` are the paths that the task has changed. A folder of which nothing is committed may
    ignore itself: caches and environments do.

    Raises: NeedsPerson (blocks_git).
    """
    for path, why in passed_over(project.repository, tree).items():
        shown = path if len(path) < _SHOWN else f"{path[:_SHOWN]}..."
        yield f"{shown} {why}: commands see it, and no commit has it (remove it, or ignore it)"
    listing = dict(trees.files(project.repository.objects, tree))
    for folder in sorted(_folders(listing)):
        for name in _STEERING:
            path = os.path.join(folder, name)
            if path not in listing and os.path.lexists(os.path.join(project.top, path)):
                yield f"{path} decides what git sees here, and git ignores it (git add --force it)"
    yield from links(project, tree, changed)


def links(project: Project, tree: str, changed: Sequence[str]) -> Iterator[str]:
    """Say of the links among the paths `changed` which lead to what is not in `tree`."""
    listing = dict(trees.files(project.repository.objects, tree))
    folders, top = _folders(listing), os.path.realpath(project.top)
    for path in changed:
        if path not in listing or listing[path].mode != _LINK:
            continue
        named = os.readlink(os.path.join(top, path))
        if os.path.isabs(named):
            yield f"{path} is a link to {named}, which is another file in another clone"
            continue
        target = os.path.realpath(os.path.join(top, path))
        inside = os.path.relpath(target, top)
        has = {inside, *_folders([inside])} & listing.keys() or inside in (".", *folders)
        if not has and os.path.exists(target):
            yield f"{path} is a link to {named}, which is not committed"


def _folders(paths: Iterable[str]) -> set[str]:
    """List the folders that paths lie in, with all above; "" is the top."""
    found = {""}
    for path in paths:
        while (path := path.rpartition("/")[0]) not in found:
            found.add(path)
    return found
