"""Move the base branch by compare-and-swap, here and on its remote."""

from __future__ import annotations

import os
import shlex
import time

from ralphgit.app.base import interrupted_update
from ralphgit.app.workspace import record_tree, user_state
from ralphgit.app.workspace.locks import RepositoryLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, RalphError
from ralphgit.git import index, refs, remote, trees, worktrees
from ralphgit.git.listings import Worktree
from ralphgit.git.run_git import GitError, failure
from ralphgit.records import atomic_files

#: How long somebody else's move of the base, or a git at work in its worktree, is waited for.
_PATIENCE_S, _TRIES, _TURN_S = 30.0, 50, 0.1
#: How git says that it would have to overwrite what somebody has changed.
_IN_THE_WAY = ("would be overwritten", "would lose untracked files", "not uptodate")


#: How often a change of the base is made that others were quicker than: each time one of them got
#: through.
ATTEMPTS = 40
#: How long it is waited while another worktree lands, of this repository or of another clone of its
#: remote: two at a time would push one after the other anyway, and the second would have to merge
#: and judge once more.
_LANDING_S = 10.0
#: ... and how long where they land one after the other.
_LANDINGS_S = 120.0


def turn(project: Project) -> RepositoryLock:
    """Make the lock that this user's worktrees and clones take one after the other to land.

    It saves work, and decides nothing: without it, and on other machines, the push decides.
    """
    folder, remote = "", project.base.remote
    if remote:
        address = project.repository.config.get(f"remote.{remote}.url") or remote
        name = user_state.name(address, project.base.branch)
        folder = os.path.join(user_state.folder(project.around.environ, "landing"), name)
    return RepositoryLock(
        project, "landing", patience_s=_LANDING_S, longest_s=_LANDINGS_S, folder=folder
    )


def refuse_unfit(project: Project) -> None:
    """Refuse while the base's own worktree is in the middle of a merge or the like.

    Raises: GuardRefused (unfinished_merge).
    """
    worktree = project.worktree_of(f"refs/heads/{project.base.branch}")
    if worktree is None or worktree.bare or project.base.remote:
        return
    waits = project.repository.beside(worktree).under_way()
    if waits:
        raise GuardRefused(
            f"a {waits} is not finished in {project.show_path(worktree.path)}; nothing was changed",
            code="unfinished_merge",
            hint=f"git -C {shlex.quote(project.show_path(worktree.path))} status",
        )


def publish(project: Project, old: str, new: str) -> bool:
    """Move the base from `old` to `new` where it decides: on its remote, else here.

    As after any push, git moves the remote-tracking branch; the local base branch, which
    somebody may have checked out, stays for its owner to pull.

    Returns False when it has moved. Raises: RemoteUnavailable, PushRefused,
    GuardRefused (dirty_base), NotWritable.
    """
    base = project.base
    if not base.remote:
        return advance_local(project, old, new)
    with project.around.progress.step(f"pushing {base.branch} to {base.remote}"):
        moved = remote.push(
            project.repository.git, base.remote, new, f"refs/heads/{base.branch}",
            old=old, timeout=project.config.push_timeout,
        )  # fmt: skip
    if moved:
        _track(project)
    return moved


def _track(project: Project) -> str:
    """Take in where git has moved the remote-tracking branch; the commit."""
    ref = f"refs/remotes/{project.base.remote}/{project.base.branch}"
    commit = refs.current(project.repository.objects, ref)
    project.moved(ref, commit)
    return commit


def local_only(project: Project, old: str, new: str) -> bool:
    """Move the local base branch alone, for what is not to be pushed, or cannot be now; whether it
    was moved.

    Raises: GuardRefused (base_diverged); as `advance_local`.
    """
    base = project.base
    local = refs.current(project.repository.objects, f"refs/heads/{base.branch}")
    if local not in ("", old):
        hint = "ralphgit doctor --fix"
        if worktrees.is_ancestor(project.repository.git, local, old):
            hint = "git pull"
        elif worktrees.is_ancestor(project.repository.git, old, local):
            hint = shlex.join(("git", "push", base.remote, base.branch))
        raise GuardRefused(
            f"the change cannot be pushed, and the local {base.branch} is not at {base.label}",
            code="base_diverged",
            hint=hint,
        )
    if not advance_local(project, local, new):
        return False
    project.warn(
        f"the change is on the local {base.branch} only; others see it once it is on {base.label}: "
        + shlex.join(("git", "push", base.remote, base.branch))
    )
    return True


def advance_local(project: Project, old: str, new: str) -> bool:
    """Move the local base branch, and the files of the worktree that has it checked out.

    What a killed move left there is undone first. Killed half-way, this one leaves a note
    that says how to undo it.

    Raises: GuardRefused where the user's own changes to the same files are in the way;
    NotWritable, RalphError (index_locked), GitError where git refuses for another reason.
    """
    return _moved(project, old, new, ("merge", "--ff-only", "--quiet", "--no-autostash"))


def put_back(project: Project, old: str) -> bool:
    """Move the local base branch from `old` to where its remote is; whether it was moved.

    Files that are not committed stay, and are a refusal where they are in the way. What `old` has
    and the remote has not is for the caller to keep. Raises: as `advance_local`.
    """
    return _moved(project, old, project.base.commit, ("reset", "--keep", "--quiet"))


def put_back_or_warn(project: Project, old: str) -> None:
    """`put_back`, for what is in review already: what is in the way is a warning. Raises: GitError,
    NotWritable.
    """
    base = project.base
    try:
        put_back(project, old)
    except GuardRefused as error:
        again = f"git reset --keep {shlex.quote(base.label)}"
        project.warn(
            f"the local {base.branch} is still ahead of {base.label}: {error.message}; {again} "
            "brings it back"
        )


def _moved(project: Project, old: str, new: str, how: tuple[str, ...]) -> bool:
    ref = f"refs/heads/{project.base.branch}"
    with RepositoryLock(
        project, "move of the base", code="unsettled", patience_s=_PATIENCE_S, anew=False
    ):
        project.renew_worktrees()
        interrupted_update.settle_alone(project)
        moved = _moved_alone(project, ref, old, new, how)
    if moved:
        project.moved(ref, new)
        project.written()
    return moved


def _moved_alone(project: Project, ref: str, old: str, new: str, how: tuple[str, ...]) -> bool:
    """The move, by `git HOW` where a worktree has the branch, for who alone moves the base now.

    Raises: as `advance_local`.
    """
    worktree = project.worktree_of(ref)
    if worktree is None or worktree.bare:
        return refs.swap(project.repository.git, ref, new=new, old=old)
    for last in (*[False] * _TRIES, True):
        # Under the lock: what others have landed meanwhile is not a leftover of a killed move.
        if refs.current(project.repository.objects, ref) != old:
            return False
        try:
            return _move(project, worktree, ref, old, new, how)
        except RalphError as error:
            if error.code != "index_locked" or last:
                raise
        time.sleep(_TURN_S)
    return False


def _move(
    project: Project, worktree: Worktree, ref: str, old: str, new: str, how: tuple[str, ...]
) -> bool:
    """Move a branch and the worktree that has it; False where the branch was elsewhere."""
    repository = project.repository.beside(worktree)
    git = repository.git
    arguments = (*how, new)
    top = os.path.realpath(worktree.path)
    # On a full disk git writes the files, and then neither the index nor the branch.
    with (
        interrupted_update.noted(project, top, ref, old, new),
        index.Snapshot(repository) as staged,
        atomic_files.Undo() as undo,
    ):
        undo.on_failure(staged.restore)
        changes = trees.changes(repository.objects, old, new)
        for one in changes:
            if record_tree.is_record(project, one.path):
                undo.watch(os.path.join(worktree.path, one.path))
        interrupted_update.make_way(project, repository, changes)
        if how[0] == "reset":  # which goes by the times of files alone
            git.try_run("update-index", "-q", "--refresh")
        result = git.try_run(*arguments)
        if result.status == 0:
            return True
        if refs.current(project.repository.objects, ref) != old:
            return False
        if result.status < 0:
            # Killed on its own. Of records `undo` knows the old form, git of all else.
            interrupted_update.take_back(project, repository, changes)
        error = failure(arguments, result)
        text = result.err.decode("utf-8", "replace")
        if not isinstance(error, GitError) or not any(sign in text for sign in _IN_THE_WAY):
            raise error
        raise GuardRefused(
            f"uncommitted changes in {project.show_path(worktree.path)} are in the way, and "
            f"{project.base.branch} was not moved: " + " ".join(text.split()),
            code="dirty_base",
            hint="commit or stash them, then repeat",
        )


def catch_up(project: Project) -> None:
    """Bring the local base branch along to where its remote is, as after a push."""
    base = project.base
    if base.remote and base.ref.startswith("refs/remotes/"):
        follow(project, base.commit, base.commit)


def follow(project: Project, old: str, new: str) -> None:
    """After a push: bring the local base branch along where that is a plain step forward."""
    base, repository = project.base, project.repository
    if old != new and _track(project) == old:
        ref = f"refs/remotes/{base.remote}/{base.branch}"
        if refs.swap(repository.git, ref, new=new, old=old):
            project.moved(ref, new)
    local = refs.current(repository.objects, f"refs/heads/{base.branch}")
    if local == new:
        return
    if not local or (local != old and not worktrees.is_ancestor(repository.git, local, new)):
        if local:
            project.warn(
                f"the local {base.branch} has diverged; ralphgit doctor --fix brings it back where "
                "that is by records alone, else git pull merges the two"
            )
        return
    try:
        advance_local(project, local, new)
    except GuardRefused:
        project.warn(f"the local {base.branch} has changes in the way; commit them, then: git pull")
    except RalphError as error:
        # The remote has the change, and the remote decides.
        project.warn(f"{error.message}; git pull brings the change to the local {base.branch}")
