"""Make a worktree for a worker: new branch, lock, ignored files, setup command."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.base.fetch import synchronise
from ralphgit.app.processes import trust, verify_command, watched_settings
from ralphgit.app.processes.verify_command import Run
from ralphgit.app.workspace import revisions
from ralphgit.app.workspace.configuration import STORY
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import BRANCHES, WORKER_LOCK, folder_of
from ralphgit.errors import GuardRefused, NotWritable, RalphError, Refused, UsageError
from ralphgit.git import refs, worktrees
from ralphgit.git.listings import Worktree
from ralphgit.git.repository import Repository
from ralphgit.model import paths
from ralphgit.model.characters import forbidden
from ralphgit.model.ids import is_id, parse_worker
from ralphgit.records import atomic_files

#: In the main worktree: patterns of ignored files that a new worktree gets a copy of.
INCLUDE = ".worktreeinclude"


class Made(NamedTuple):
    name: str
    path: str
    branch: str
    """Short name."""
    commit: str
    """Where the branch begins."""
    copied: tuple[str, ...]
    """What `.worktreeinclude` brought."""
    setup: Run | None
    """How the setup command went; None without one."""


def new(
    project: Project, name: str, *, story: str = "", start: str = "", fetch: bool = True
) -> Made:
    """Make the worktree `../<repo>-NAME` on a new branch `feature/NAME` from the fetched base, or
    from the branch or other revision `start`.

    The branch is created by compare-and-swap: of several callers one makes the worktree, and
    the others are refused. On a failure, also when interrupted, neither worktree nor branch
    is left. Only a setup command that fails leaves the worktree: see `Made.setup`.

    Raises: UsageError, GuardRefused, NeedsPerson (untrusted or changed setup), RemoteUnavailable
    (with require_remote), NotWritable, GitError.
    """
    parse_worker(name)
    if story and not is_id(story):
        raise UsageError(f"{story!r} is not a story", code="bad_story", hint="--story S-024")
    if fetch:
        synchronise(project)
    commit = project.require_base().commit
    if start:
        commit = revisions.commit_of(project, start)
    path, branch = folder_of(project, name), BRANCHES + name
    _refuse(project, name, path, branch)
    _warn(project, story, branch)
    command = project.config.worktree_setup
    if command:
        trust.require(project, [command])
        watched_settings.require_seen(project)
    git = project.repository.git
    if not refs.swap(git, branch, new=commit, old=""):
        raise _branch_exists(project, branch)
    short = branch.removeprefix("refs/heads/")
    try:
        said = worktrees.add(git, path, short, reason=f"{WORKER_LOCK}{name}")
        if said:
            project.warn(f"the post-checkout hook failed in the new worktree: {said}")
        made = project.repository.beside(Worktree(path, commit, branch))
        if story:
            path_of_story = os.path.join(made.git_dir, STORY)
            atomic_files.write(path_of_story, f"{story}\n".encode(), follow=False)
        copied = copy_included(project, made)
    except BaseException:  # also a signal: nothing half made stays
        _take_back(project, branch, commit)
        raise
    setup = set_up(project, command, path, name) if command else None
    return Made(name, path, short, commit, copied, setup)


def _refuse(project: Project, name: str, path: str, branch: str) -> None:
    """Raises: GuardRefused: odd_path, branch_exists, folder_exists, worktree_exists."""
    if forbidden(path):
        raise GuardRefused(
            f"the worktree would be {path}, which is not UTF-8 or has a control character, so no "
            "lease could name it; nothing was made",
            code="odd_path",
            hint="move the repository to a path in UTF-8 without control characters",
        )
    if branch in project.repository.refs:
        raise _branch_exists(project, branch)
    for other in project.repository.refs:
        if other.startswith(f"{branch}/") or branch.startswith(f"{other}/"):
            short = other.removeprefix("refs/heads/")
            raise GuardRefused(
                f"the branch {short} leaves no room for a branch feature/{name}; nothing was made",
                code="branch_exists",
                hint=f"git branch -m {shlex.quote(short)} OTHER",
                details={"branch": short},
            )
    shown = project.show_path(path)
    wanted = os.path.realpath(path)
    if any(os.path.realpath(w.path) == wanted for w in project.repository.worktrees):
        state = (
            "exists already" if os.path.lexists(path) else "is known to git, but its folder is gone"
        )
        message = f"the worktree {shown} {state}; take another name, or remove it"
        hint = f"ralphgit worktree remove {name}"
        raise GuardRefused(message, code="worktree_exists", hint=hint, details={"path": path})
    if os.path.lexists(path):
        raise GuardRefused(
            f"{shown} already exists; nothing was made",
            code="folder_exists",
            hint="move it away, or choose another name",
            details={"path": path},
        )


def _branch_exists(project: Project, branch: str) -> GuardRefused:
    short = branch.removeprefix("refs/heads/")
    there, message = project.worktree_of(branch), f"the branch {short} already exists"
    if there is not None:
        hint = f"it is checked out in {project.show_path(there.path)}; take another name"
    else:
        tip = refs.current(project.repository.objects, branch)
        fork = worktrees.fork(project.repository.git, project.base.commit, tip) if tip else ""
        hint = "take another name"
        if tip and fork == tip:
            message += f", and all of it is on {project.base.label}"
            hint = f"git branch -D {shlex.quote(short)}"
    said = f"{message}; nothing was made"
    return GuardRefused(said, code="branch_exists", hint=hint, details={"branch": short})


def _warn(project: Project, story: str, branch: str) -> None:
    """Warn of what is odd but no reason to refuse."""
    base = project.base
    short = branch.removeprefix("refs/heads/")
    if base.remote and f"refs/remotes/{base.remote}/{short}" in project.repository.refs:
        project.warn(f"{base.remote} has a branch {short} too: a push of this one may be refused")
    remote = project.config.remote or "origin"
    known = f"remote.{remote}.url" in project.repository.config
    if known and not base.remote and project.repository.worktrees[0].bare:
        refspec = f"+refs/heads/{base.branch}:refs/remotes/{remote}/{base.branch}"
        project.warn(
            f"{base.branch} was not fetched, this bare clone tracks no branch of {remote}: "
            f"{shlex.join(('git', 'fetch', remote, refspec))} changes that"
        )
    if story and project.shards_at([base.commit])[base.commit]:
        rows = project.base_view.rows
        if all(row.story != story for row in rows):
            project.warn(f"no task on {base.label} is of the story {story}")


def _take_back(project: Project, branch: str, commit: str) -> None:
    """Remove what a failed `new` made: only what is on the branch that it created."""
    git = project.repository.git
    try:
        project.repository.forget_worktrees()
        there = project.worktree_of(branch)
        if there is not None:
            worktrees.remove(git, there.path, force=True)
        refs.swap(git, branch, new="", old=commit)
    except RalphError as error:
        short = branch.removeprefix("refs/heads/")
        project.warn(f"what was made of {short} could not all be removed: {error.message}")


# -- files that git ignores -----------------------------------------------------------------


def copy_included(project: Project, made: Repository) -> tuple[str, ...]:
    """Copy what `.worktreeinclude` lists and git ignores, there and here; their names.

    Nothing is overwritten, and nothing is written outside the new worktree. A file that git
    would not ignore in the new worktree stays out: it would be swept into a commit.

    Raises: NotWritable, GitError.
    """
    home = project.repository.home
    top = made.top
    assert top is not None
    if not os.path.isfile(os.path.join(home, INCLUDE)):
        return ()
    main = project.repository.git.at(home)
    names = [name for name in worktrees.matching(main, INCLUDE) if not paths.enters_own(name)]
    names = [name for name in worktrees.ignored(main, names) if _fits(top, name)]
    taken = set(worktrees.ignored(made.git, names))
    for name in names:
        if name not in taken:
            project.warn(f"{name} was not copied: git does not ignore it in the new worktree")
    copied = [name for name in names if name in taken]
    for name in copied:
        _copy(os.path.join(home, name), os.path.join(top, name))
    return tuple(copied)


def _fits(top: str, name: str) -> bool:
    """Whether there is room for `name` below `top`, with no link on the way to it."""
    if os.path.lexists(os.path.join(top, name)):
        return False
    folder = os.path.dirname(name)
    while folder:
        full = os.path.join(top, folder)
        if os.path.islink(full) or (os.path.lexists(full) and not os.path.isdir(full)):
            return False
        folder = os.path.dirname(folder)
    return True


def _copy(source: str, target: str) -> None:
    """Copy a file with its mode, a link as a link. Raises: NotWritable."""
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
    except OSError as error:
        message = f"cannot copy {source}: {error.strerror}; the new worktree was removed again"
        raise NotWritable(message, hint=f"fix that, or remove the file from {INCLUDE}") from error


# -- the setup command ----------------------------------------------------------------------


def set_up(project: Project, command: str, path: str, name: str) -> Run:
    """Run the setup command in the new worktree, with the time limit of verify commands."""
    config = project.config
    environ = verify_command.environment(
        project.around.environ, config.verify_env, {"RALPH_WORKER": name}
    )
    now = project.around.now()
    # A service that it starts for the worktree is to stay.
    progress = project.around.progress
    with progress.step(f"setting up {name}: {command}"):
        return verify_command.run(
            command, top=path, environ=environ, timeout=config.verify_timeout, now=now,
            daemons=True, heard=progress.heard,
        )  # fmt: skip


def failed_setup(project: Project, made: Made, *, data: object) -> Refused | None:
    """The refusal to give where the setup command failed; None where it did not."""
    run = made.setup
    if run is None or run.passed:
        return None
    how = "ran out of time" if run.timed_out else f"failed (exit {run.exit_code})"
    lines: Sequence[str] = run.tail.splitlines()[-20:]
    return Refused(
        f"the setup command {how}: {run.command}; the worktree was kept, to fix it or to remove it",
        code="setup_failed",
        lines=[f"| {line}" for line in lines],
        hint=f"ralphgit worktree remove {made.name}",
        details={"command": run.command, "exit_code": run.exit_code, "output": run.tail},
        data=data,
    )
