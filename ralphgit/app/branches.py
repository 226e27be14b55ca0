"""The branches of a loop: one for each task, from the fresh base."""

from __future__ import annotations

import os

from ralphgit.app import change, claim, rescue, runtime, work
from ralphgit.app.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.git import index, refs
from ralphgit.model.flight import Lease
from ralphgit.records import files

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
    left = set(runtime.left(project.top))
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
    with Moving(project):
        project.repository.git.run(
            "switch", "--quiet", "--no-track", "--create", f"ralph/{name}", project.base.commit
        )
    return left


def catch_up(project: Project) -> None:
    """Bring the base into the branch that a clean worktree is on.

    Raises: GuardRefused (conflicts_with_base), and the worktree is as before; GitError.
    """
    git = project.repository.git
    with Moving(project):
        result = git.try_run("merge", "--quiet", "--no-edit", project.base.commit)
        if result.status == 0:
            return
        git.try_run("merge", "--abort")
    raise GuardRefused(
        f"this branch does not merge with {project.base.label}; nothing was changed",
        code="conflicts_with_base",
        hint=f"git merge {project.base.label}, or let each task have a branch: --branch task",
    )


class Moving:
    """Around git commands that move a worktree whose content is all kept.

    A git that is killed meanwhile leaves files of both sides; the note that this makes says
    that `settle` may put the worktree to HEAD, whichever that is then.
    """

    def __init__(self, project: Project) -> None:
        self._path = os.path.join(project.top, _MOVING)

    def __enter__(self) -> None:
        files.write(self._path, b"", durable=False)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            os.unlink(self._path)


def settle(project: Project) -> bool:
    """Finish or undo a move that was killed; whether there was one. Raises: GitError."""
    path = os.path.join(project.top, _MOVING)
    if not os.path.exists(path):
        return False
    project.repository.git.run("reset", "--hard", "--quiet", "HEAD")
    os.unlink(path)
    project.refresh()
    return True


def discard(project: Project, branch: str) -> None:
    """Delete a branch of the loop's that has nothing but what the base has."""
    git = project.repository.git
    if not branch.startswith(PREFIX):
        return
    ref, base = project.repository.refs.get(branch), project.base.commit
    if ref is None:
        return
    # What was just landed mostly is the base itself.
    if ref.oid != base and git.try_run("merge-base", "--is-ancestor", ref.oid, base).status:
        return
    refs.swap(git, branch, new="", old=ref.oid)


def keep_if_work(project: Project, ref: str) -> str:
    """Drop a rescue ref that holds nothing but records; the ref, or "" if it has gone."""
    git = project.repository.git
    tip = refs.current(git, ref)
    fork = git.try_run("merge-base", tip, project.base.commit).out.decode().strip()
    if not fork or any(not change.is_record(project, p) for p in index.differing(git, fork, tip)):
        return ref
    refs.swap(git, ref, new="", old=tip)
    return ""


def place_of(project: Project) -> int:
    """Which of the repository's worktrees this is, from 0."""
    paths = [os.path.realpath(worktree.path) for worktree in project.repository.worktrees]
    here = os.path.realpath(project.top)
    return paths.index(here) if here in paths else 0


def put_aside(project: Project, lease: Lease) -> str:
    """Keep the work so far, and begin again with the claim alone; the ref, "" for no work.

    Raises: NotWritable, GitError.
    """
    target = work.return_point(project, lease)
    kept = rescue.worktree(project, project.top, lease.task, lease.claim, lease.by, target=target)
    if not kept.ref:
        return ""
    with Moving(project):
        work.clear(project, lease, kept.ref)
    project.refresh()
    claim.record(project, lease, note="begun again; the work so far is kept")
    project.refresh()
    return keep_if_work(project, kept.ref)
