"""Make, clean and remove the branches of a loop: one per task, from the fresh base."""

from __future__ import annotations

import os

from ralphgit.app.base import interrupted_update
from ralphgit.app.lifecycle import claim, rescue_refs
from ralphgit.app.workspace import record_tree, runtime_files
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.git import index, refs, trees, worktrees
from ralphgit.git.run_git import failure
from ralphgit.model.active_claim import Lease
from ralphgit.records import atomic_files

#: Below it, `<task>-<id>`: where the loop works on a task.
PREFIX = "refs/heads/ralph/"
_MOVING = os.path.join(".ralph", "moving")


def refuse_dirty(project: Project) -> None:
    """Refuse to begin beside changes that nobody has claimed: they would travel along.

    Raises: GuardRefused (dirty).
    """
    git = project.repository.git
    changed = index.changed(git, ["."])  # while git looks at the files, we ask for the rest
    staged = index.staged_against(git, "HEAD")
    left = set(runtime_files.left(project.top))
    new = [path for path in index.untracked(git, ["."]) if path not in left]
    found = list(dict.fromkeys([*staged, *changed.read(), *new]))
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise GuardRefused(
            f"this worktree has changes that belong to no claim: {found[0]}{more}; "
            "nothing was touched",
            code="dirty",
            hint="commit them, or git stash -u, then repeat",
            details={"files": found},
        )


def begin(project: Project, name: str) -> str:
    """Switch a clean worktree to a new branch `ralph/NAME` at the base; the branch it left.

    Raises: GitError, NotWritable.
    """
    worktree = project.repository.worktree
    left = worktree.branch if worktree else ""
    git, made = project.repository.git, f"{PREFIX}{name}"
    with Moving(project, project.base.commit):
        result = git.try_run(
            *("switch", "--quiet", "--no-track", "--create"),
            *(f"ralph/{name}", project.base.commit),
        )
        moved = git.try_run("symbolic-ref", "HEAD").out.decode().strip() == made
        if result.status < 0 or not moved:
            raise failure(("switch", made), result)
        if result.status:
            # git goes on and switches where the user's hook fails; so do we.
            said = result.err.decode("utf-8", "replace").split("\n")[0]
            project.warn(f"a post-checkout hook failed: {said}")
    return left


def catch_up(project: Project) -> None:
    """Bring the base into the branch that a clean worktree is on.

    Raises: GuardRefused (conflicts_with_base), and the worktree is as before; GitError.
    """
    git = project.repository.git
    with Moving(project, project.base.commit):
        result = git.try_run("merge", "--quiet", "--no-edit", project.base.commit)
        if result.status == 0:
            return
        if result.status < 0:
            raise failure(("merge",), result)
        git.try_run("merge", "--abort")
    raise GuardRefused(
        f"this branch does not merge with {project.base.label}; nothing was changed",
        code="conflicts_with_base",
        hint=f"git merge {project.base.label}, or let each task have a branch: --branch task",
    )


class Moving:
    """Around git commands that move a worktree whose content is all kept.

    A git that is killed meanwhile leaves files of both sides. The note that this makes says
    which commits they are of, so that `settle` knows them from what somebody has done since.
    """

    def __init__(self, project: Project, target: str, *kept: str) -> None:
        """From HEAD to `target`; `kept` is where else all that is in the way has been kept."""
        self._path = os.path.join(project.top, _MOVING)
        self._repository, self._commits = project.repository, [target, *kept]

    def __enter__(self) -> None:
        commits = [self._repository.head(), *self._commits]
        atomic_files.write(
            self._path, "".join(f"{one}\n" for one in commits).encode(), durable=False
        )

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            atomic_files.unlink(self._path)


def settle(project: Project) -> bool:
    """Bring what a killed move left half-way to where HEAD is; whether there was one.

    Only paths in which the commits of the move differ. One that has another content than they
    have is somebody's: all that the worktree has is kept in a rescue ref then, with a warning.

    Raises: GitError, NotWritable.
    """
    path = os.path.join(project.top, _MOVING)
    data = atomic_files.read(path)
    if data is None:
        return False
    repository = project.repository
    known = repository.objects.resolve([f"{one}^{{commit}}" for one in data.decode().split()])
    commits = [oid for oid in known if oid is not None]
    on_the_way, changed = interrupted_update.between(repository, commits)
    if changed:
        kept = _keep_before_settling(project, commits[min(1, len(commits) - 1)])
        saved = set(trees.paths(repository.objects, kept))
        changed = [one for one in changed if one.path in saved or not _exists(project, one.path)]
        project.warn(
            "a move of this worktree was killed, and what has been changed in its way since is "
            f"kept in {kept}"
        )
    interrupted_update.put_back(project, repository, [*on_the_way, *changed])
    if repository.under_way() == "merge":
        repository.git.run("merge", "--quit")
    atomic_files.unlink(path)
    project.refresh()
    return True


def _keep_before_settling(project: Project, target: str) -> str:
    """Keep all that the worktree has, also what is ignored where `target` has a file; the ref."""
    noted = runtime_files.remembered(project.top)
    task, claim = (noted.task, noted.claim) if noted else ("unclaimed", project.around.new_id())
    message = f"Rescue of what stood in {project.top} when a killed move was taken back\n"
    return rescue_refs.worktree(
        project, project.top, task, claim, project.worker, message=message, target=target
    ).ref


def _exists(project: Project, path: str) -> bool:
    return os.path.lexists(os.path.join(project.top, path))


def discard(project: Project, branch: str) -> None:
    """Delete a branch of the loop's that has nothing but what the base has."""
    git = project.repository.git
    if not branch.startswith(PREFIX):
        return
    ref, base = project.repository.refs.get(branch), project.base.commit
    if ref is None:
        return
    # What was just landed mostly is the base itself.
    if ref.oid != base and not worktrees.is_ancestor(git, ref.oid, base):
        return
    refs.swap(git, branch, new="", old=ref.oid)


def remove(project: Project, branch: str, tip: str, *, pushed: str) -> None:
    """Delete a branch here, short name, at `tip`, and the tracking ref of what was `pushed`.

    Its content is kept elsewhere. If this worktree is on it, clean, it is brought to the base with
    it: then the branch is an empty one, which goes when the next task begins.
    """
    git, ref = project.repository.git, f"refs/heads/{branch}"
    worktree = project.worktree_of(ref)
    if tip and worktree is None:
        if refs.swap(git, ref, new="", old=tip):
            worktrees.forget_branch(git, branch)
    elif tip and worktree and os.path.realpath(worktree.path) == os.path.realpath(project.top):
        with WorktreeLock(project):
            try:
                refuse_dirty(project)
            except GuardRefused:
                project.warn(f"{branch} has changes that are not committed; it was left as it is")
            else:
                with Moving(project, project.base.commit):
                    git.run("reset", "--hard", "--quiet", project.base.commit)
    tracking = f"refs/remotes/{project.base.remote}/{branch}"
    if refs.current(project.repository.objects, tracking) == pushed:
        refs.swap(git, tracking, new="", old=pushed)


def keep_if_work(project: Project, ref: str) -> str:
    """Drop a rescue ref that holds nothing but records; the ref, or "" if it has gone."""
    git = project.repository.git
    tip = refs.current(project.repository.objects, ref) if ref else ""
    fork = worktrees.fork(git, project.base.commit, tip) if tip else ""
    if not fork or any(
        not record_tree.is_record(project, p)
        for p in trees.differing(project.repository.objects, fork, tip)
    ):
        return ref
    refs.swap(git, ref, new="", old=tip)
    return ""


def has_work(project: Project, lease: Lease) -> bool:
    """Whether the commits on this branch have more of a task than records."""
    git = project.repository.git
    target = rescue_refs.return_point(project, lease)
    fork = worktrees.fork(git, target, project.repository.head()) or target
    differing = trees.differing(project.repository.objects, fork, "HEAD")
    return any(not record_tree.is_record(project, path) for path in differing)


def place_of(project: Project) -> int:
    """Which of the repository's worktrees this is, from 0."""
    paths = [os.path.realpath(worktree.path) for worktree in project.repository.worktrees]
    here = os.path.realpath(project.top)
    return paths.index(here) if here in paths else 0


def put_aside(project: Project, lease: Lease) -> str:
    """Keep the work so far, and begin again with the claim alone; the ref, "" for no work.

    Raises: NotWritable, GitError.
    """
    ref = put_away(project, lease)
    if not ref:
        return ""
    claim.record(project, lease, note="begun again; the work so far is kept")
    project.refresh()
    return keep_if_work(project, ref)


def put_away(project: Project, lease: Lease) -> str:
    """Keep the work so far, and its records, and take the branch back to where it began.

    Returns the ref; "" where there was nothing. Raises: NotWritable, GitError.
    """
    target = rescue_refs.return_point(project, lease)
    kept = rescue_refs.worktree(
        project, project.top, lease.task, lease.claim, lease.by, target=target
    )
    if kept.ref:
        with Moving(project, target, kept.ref):
            rescue_refs.clear(project, lease, kept.ref)
        project.refresh()
    return kept.ref


def sweep(project: Project, lease: Lease) -> str:
    """Keep what is not committed, and take it out of the worktree; the ref, "" for nothing.

    Raises: NotWritable, GitError.
    """
    try:
        refuse_dirty(project)
    except GuardRefused:
        head = project.repository.head()
        top = project.top
        kept = rescue_refs.worktree(project, top, lease.task, lease.claim, lease.by, target=head)
        if not kept.uncommitted:
            return ""
        with Moving(project, head, kept.ref):
            project.repository.git.run("reset", "--hard", "--quiet", head)
            rescue_refs.remove_kept(project, kept.ref)
        project.refresh()
        return keep_if_work(project, kept.ref)
    return ""
