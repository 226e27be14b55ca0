"""Bring a worktree onto the base: before a task begins, and after its work has landed.

A branch that has nothing of its own moves to the base's commit. One that has work of its own is
left where it is, or the base is merged into it, which is the caller's choice.
"""

import os
from enum import Enum, auto
from typing import NamedTuple

from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import TASK_BRANCHES
from ralphgit.errors import GuardRefused, InvalidRecord
from ralphgit.git import index
from ralphgit.model.active_claim import Lease
from ralphgit.model.task_row import Row
from ralphgit.rules import lost_claim


class Standing(Enum):
    """What a worktree's branch has that the base has not."""

    ON_BASE = auto()
    """It is at the base's commit."""
    CONTAINED = auto()
    """Nothing: the base's history has its commits."""
    GONE = auto()
    """Commits that the base had before its history was rewritten, and nothing else."""
    LANDED = auto()
    """Commits, whose content the base has (a squash or rebase merge)."""
    OVER = auto()
    """Attempts at tasks that have ended: the base has each of them at a higher epoch, or by another
    claim, or given up as the branch has it, or has taken it back."""
    OWN = auto()
    """Work; or it is no branch that could be moved."""


class Position(NamedTuple):
    """Where a worktree's branch is, seen from the base."""

    standing: Standing
    over: tuple[Row, ...] = ()
    """The ended attempts, as the branch has them."""

    @property
    def moves(self) -> bool:
        """Whether the branch can go to the base and no work with it."""
        return self.standing in (Standing.CONTAINED, Standing.GONE, Standing.LANDED, Standing.OVER)


class Brought(NamedTuple):
    """Where a worktree is now."""

    commit: str
    """Where HEAD is; "" for none."""
    on_base: bool = False
    """That is the base's commit."""
    moved: bool = False
    rescue: str = ""
    """The ref that keeps what an ended attempt had."""
    in_the_way: str = ""
    """What git said of files that have changes and would be overwritten; nothing was moved."""

    def stored(self) -> dict[str, object]:
        """As JSON output has it."""
        return {"commit": self.commit, "moved": self.moved, "rescue": self.rescue}


def position(project: Project) -> Position:
    """Look where this worktree's branch is, seen from the base. Writes nothing.

    Raises: GitError, GuardRefused (no_commit).
    """
    worktree, base = project.repository.worktree, project.require_base()
    if worktree is None or not worktree.head or not worktree.branch:
        return Position(Standing.OWN)
    if worktree.head == base.commit:
        return Position(Standing.ON_BASE)
    if worktree.branch == f"refs/heads/{project.usual_base.branch}" and project.other_base:
        return Position(Standing.OWN)  # it is another base, and no worker's branch to be moved
    from ralphgit.git import worktrees  # a claim from the base itself needs none of these

    fork = worktrees.fork(project.repository.git, base.commit, worktree.head)
    if fork == worktree.head:
        return Position(Standing.CONTAINED)
    if not fork or worktree.branch == f"refs/heads/{base.branch}":
        return Position(Standing.OWN)
    from ralphgit.app.base import is_landed
    from ralphgit.app.workspace import taken_back

    if project.base.remote and worktree.head in taken_back.commits(project):
        return Position(Standing.GONE)
    if is_landed.landed(project, worktree.head):
        return Position(Standing.LANDED)
    over = _over(project, fork, worktree.head)
    return Position(Standing.OVER, over) if over else Position(Standing.OWN)


def _over(project: Project, fork: str, head: str) -> tuple[Row, ...]:
    """The tasks that a branch has changed since `fork`, if its attempts at all of them ended."""
    from ralphgit.app.base import is_landed

    try:
        begun = project.view(fork, fork[:12])
        before = begun.by_id
        rows = project.view(head, head[:12]).unlike(begun)
        now = project.base_view.by_id
    except InvalidRecord:
        return ()
    changed = [row for row in rows if is_landed.state(before.get(row.id)) != is_landed.state(row)]
    over = [row for row in changed if _is_past(project, row, now.get(row.id))]
    landed = [row for row in changed if is_landed.state(now.get(row.id)) == is_landed.state(row)]
    given_up = [row for row in landed if row.status in ("blocked", "pending")]
    return (*over, *given_up) if len(over) + len(landed) == len(changed) else ()


def _is_past(project: Project, row: Row, there: Row | None) -> bool:
    """Whether the base, which has the task as `there`, has fenced off or taken back an attempt, or
    another one has won."""
    if there is None or there.claim == row.claim:
        return there is not None and there.epoch > row.epoch
    if lost_claim.won(row, there, base=project.base.label) is not None:
        return True
    from ralphgit.app.workspace import taken_back

    taken = taken_back.of(project, row.id, row.claim, row.base)
    return there.epoch > row.epoch or taken is not None


def bring_onto_base(project: Project, found: Position | None = None) -> Brought:
    """Move this worktree's branch to the base's commit, if that leaves no work behind.

    Uncommitted changes stay as they are; where they are in the way of the move, nothing is moved,
    and that is said. What an ended attempt had goes into a rescue ref first, and there changes
    that are in the way as well. The caller holds the worktree's lock where another one might move
    it, too, and has settled what a killed move left (`moving.settle`).

    Raises: GitError, NotWritable, GuardRefused (no_commit).
    """
    found = found or position(project)
    worktree = project.repository.worktree
    if not found.moves or worktree is None:
        return Brought(project.repository.known_head, found.standing is Standing.ON_BASE)
    from ralphgit.app.lifecycle import rescue_refs
    from ralphgit.app.lifecycle.moving import Moving

    runtime_files.prepare(project)
    base, rescue = project.base.commit, ""
    if found.over:
        task, claim = found.over[0].id, found.over[0].claim or project.around.new_id()
        rescue = rescue_refs.commit(project, worktree.head, task, claim).ref
    # A step forward leaves HEAD's own file alone, which tells others of a new branch.
    step = found.standing is Standing.CONTAINED
    how = ("merge", "--ff-only") if step else ("switch", "--force-create")
    said = _move(project, worktree.branch, *how)
    if said and found.over:
        kept = rescue_refs.worktree(project, project.top, task, claim, project.worker, target=base)
        rescue, said = kept.ref or rescue, ""
        with Moving(project, base, kept.ref):
            project.repository.git.run("reset", "--hard", "--quiet", base)
            rescue_refs.remove_kept(project, kept.ref)
    if said:
        return Brought(worktree.head, rescue=rescue, in_the_way=said)
    project.moved(worktree.branch, base)
    project.written()
    return Brought(base, on_base=True, moved=True, rescue=rescue)


def settle(project: Project) -> bool:
    """Finish a move of this worktree that was killed, if there is one; see `moving.settle`."""
    if not os.path.exists(os.path.join(project.top, runtime_files.MOVING)):
        return False
    from ralphgit.app.lifecycle import moving

    return moving.settle(project)


def begin(project: Project, name: str) -> str:
    """Switch a clean worktree to a new branch `ralph/NAME` at the base; the branch it left.

    Raises: GitError, NotWritable.
    """
    worktree = project.repository.worktree
    left = worktree.branch if worktree else ""
    _move(project, f"{TASK_BRANCHES}{name}", "switch", "--create")
    return left


def _move(project: Project, branch: str, verb: str, how: str) -> str:
    """Bring `branch` to the base's commit, by `git switch` or `git merge`, and this worktree to it.

    Returns what git says where files with changes are in the way; then nothing was moved. A new
    branch has none in its way: its worktree is clean. Raises: GitError, NotWritable.
    """
    from ralphgit.app.lifecycle.moving import Moving
    from ralphgit.git.run_git import failure

    git, base = project.repository.git, project.base.commit
    words = ["--quiet", "--no-autostash", how, base]
    if verb == "switch":
        words = ["--quiet", "--no-track", how, branch.removeprefix("refs/heads/"), base]
    with Moving(project, base):
        result = git.try_run(verb, *words)
        project.repository.forget_worktrees()  # a hook may have switched again
        worktree = project.repository.worktree
        on = worktree is not None and worktree.branch == branch
        moved = on and (result.status == 0 or project.repository.head() == base)
        said = result.err.decode("utf-8", "replace").strip()
        if not moved and how != "--create" and "would be overwritten" in said:
            return " ".join(said.split())
        if result.status < 0 or not moved:
            raise failure((verb, branch), result)
        if result.status:
            # git goes on and switches where the user's hook fails; so do we.
            first = said.split("\n")[0]
            project.warn(f"a post-checkout hook failed: {first}")
    return ""


def merge_base(project: Project) -> None:
    """Bring the base into the branch that a clean worktree is on, whose work it keeps.

    Raises: GuardRefused (conflicts_with_base), and the worktree is as before; GitError.
    """
    from ralphgit.app.lifecycle.moving import Moving
    from ralphgit.app.workspace import commit_message
    from ralphgit.git.run_git import failure

    git = project.repository.git
    with Moving(project, project.base.commit):
        label = project.base.label
        usual = f"Merge {label}"
        said = commit_message.subject(project, label, "merge", event="merged", usual=usual)
        result = git.try_run("merge", "--quiet", "-m", said, project.base.commit)
        if result.status == 0:
            return
        conflicts = index.unmerged(project.repository).read() if result.status > 0 else []
        git.try_run("merge", "--abort")
        if not conflicts:  # a hook, or a signer
            raise failure(("merge",), result)
    raise GuardRefused(
        f"this branch does not merge with {project.base.label}; nothing was changed (with "
        "--branch task each task has a branch of its own)",
        code="conflicts_with_base",
        hint=project.base.merge_command,
    )


def undo_amend(project: Project, lease: Lease) -> bool:
    """Put the branch back on the commit that the claim was made from, where `git commit --amend`
    has rewritten that one, which the base has; what was done since stays, uncommitted.

    By who and when it was written the rewritten commit is known: git keeps both.
    """
    git, head = project.repository.git, project.repository.known_head
    start, worktree = lease.start, project.repository.worktree
    if not start or not head or worktree is None or not worktree.branch:
        return False
    from ralphgit.git import worktrees

    if worktrees.is_ancestor(git, start, head):
        return False
    if not worktrees.is_ancestor(git, start, project.base.commit):
        return False
    form = ("log", "--first-parent", "--format=%H %P%x00%an%x00%ae%x00%at")
    old = git.run(*form, "--max-count=1", start).decode("utf-8", "replace").split("\n")
    new = git.run(*form, f"{start}..{head}").decode("utf-8", "replace").split("\n")[:-1]
    told = old[0].partition(" ")[2]
    if not new or new[-1].partition(" ")[2] != told:
        return False
    if len(new) > 1:  # the messages of commits on top of it are somebody's, too
        from ralphgit.app.lifecycle import rescue_refs

        rescue_refs.commit(project, head, lease.task, lease.claim)
    git.run("reset", "--soft", "--quiet", start)
    project.moved(worktree.branch, start)
    project.written()
    project.warn(
        f"git commit --amend had rewritten {start[:12]}, a commit of {project.base.label}; this "
        "branch stands on it again, and what was done is kept: commit it, and amend no commit of "
        "others"
    )
    return True


def refuse_dirty(project: Project) -> None:
    """Refuse to begin beside changes that nobody has claimed: they would travel along.

    Raises: GuardRefused (dirty).
    """
    left = set(runtime_files.left(project.top))
    dirty = index.dirty(project.repository.git)
    found = [*dirty.changed, *(path for path in dirty.new if path not in left)]
    if found:
        from ralphgit.app.evidence import changed_paths

        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise GuardRefused(
            f"this worktree has changes that belong to no claim: {found[0]}{more}; "
            "nothing was touched; commit or stash them first",
            code="dirty",
            # git stashes no repository; what is in it stays as it is.
            hint=changed_paths.exclude(project, found[0].rstrip("/"))
            if found[0].endswith("/")
            else "git stash -u",
            details={"files": found},
        )
