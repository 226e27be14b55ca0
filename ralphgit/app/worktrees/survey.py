"""Survey the worktrees: what each is, who works in it, and what would be lost with it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import is_landed
from ralphgit.app.workspace import heartbeat, runtime_files, worktree_names
from ralphgit.app.workspace.configuration import STORY
from ralphgit.app.workspace.heartbeat import Heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import LOCK
from ralphgit.git import worktrees
from ralphgit.git.listings import Worktree
from ralphgit.git.repository import under_way
from ralphgit.git.worktrees import Changes
from ralphgit.records import atomic_files
from ralphgit.rules import lost_claim


class OpenClaim(NamedTuple):
    """An open claim of a worktree."""

    task: str
    claim: str
    by: str


class Seen(NamedTuple):
    """A worktree, seen from outside."""

    worktree: Worktree
    name: str
    """What `worktree new` would call it; the folder's name for others."""
    git_dir: str
    """"" where git does not know it any more."""
    current: bool
    """The command runs in it."""
    ahead: int
    behind: int
    """Commits that HEAD has and the base has not, and the other way round."""
    held: tuple[OpenClaim, ...]
    beat: Heartbeat | None
    life: str
    """alive, silent, gone; "" where no loop has left a sign."""
    changes: Changes | None
    """None where there is nothing to look at, or git cannot."""
    story: str

    @property
    def path(self) -> str:
        return self.worktree.path

    @property
    def branch(self) -> str:
        """Short name; "" when HEAD is detached."""
        return self.worktree.branch.removeprefix("refs/heads/")

    @property
    def missing(self) -> bool:
        """Its folder is gone."""
        return not os.path.lexists(self.path)

    @property
    def ours(self) -> bool:
        """`worktree new` made it."""
        return self.worktree.reason.startswith(LOCK)


def survey(project: Project, name: str | None = None) -> list[Seen]:
    """Survey every worktree, the main one first; or only the one called `name`. Reads only.

    Raises: InvalidRecord, GuardRefused (no_commit), UsageError (unknown_worktree).
    """
    repository, base = project.repository, project.require_base()
    git, claim_map = repository.git, ClaimMap(project)
    folders = worktrees.folders(repository.common_dir)
    here = os.path.realpath(repository.top) if repository.top is not None else ""
    asked = []
    listed = [
        one._replace(path=repository.home) if one.main else one for one in repository.worktrees
    ]
    for worktree in [worktree_names.named(project, listed, name)] if name is not None else listed:
        path = os.path.realpath(worktree.path)
        git_dir = repository.common_dir if worktree.main else folders.get(path, "")
        has_files = not worktree.bare and os.path.lexists(os.path.join(worktree.path, ".git"))
        is_known = has_files and git_dir != ""
        told = (git, worktree.path, git_dir, repository.common_dir)
        looked = worktrees.begin_changes(*told) if is_known else None
        head = worktree.head if not worktree.bare else ""
        counted = worktrees.begin_distance(git, base.commit, head) if head else None
        asked.append((worktree, path, git_dir, looked, counted))
    found = []
    for worktree, path, git_dir, looked, counted in asked:
        ahead, behind = worktrees.distance(counted) if counted else (0, 0)
        beat = heartbeat.read(worktree.path)
        found.append(
            Seen(
                worktree=worktree,
                name=worktree_names.name_of(project, worktree),
                git_dir=git_dir,
                current=path == here,
                ahead=ahead,
                behind=behind,
                held=_held(project, claim_map, path),
                beat=beat,
                life=_life(project, beat),
                changes=worktrees.changes(looked) if looked else None,
                story=_story(git_dir),
            )
        )
    return found


def _story(git_dir: str) -> str:
    data = atomic_files.read(os.path.join(git_dir, STORY)) if git_dir else None
    return data.decode("utf-8", "replace").strip() if data is not None else ""


def _life(project: Project, beat: Heartbeat | None) -> str:
    if beat is None:
        return ""
    if heartbeat.alive(beat, project.around.now()):
        return "alive"
    return "gone" if heartbeat.gone(beat) else "silent"


def _held(project: Project, claim_map: ClaimMap, path: str) -> tuple[OpenClaim, ...]:
    """The claims of the worktree at `path` that are open: by lease, by record, by its note.

    A claim has ended when a branch has the task complete, blocked or given back under it, or
    the base has moved past it.
    """
    known = claim_map.base.known
    found: dict[str, OpenClaim] = {}
    for lease in claim_map.leases.values():
        here = lease.host == heartbeat.host() and os.path.realpath(lease.worktree) == path
        if here and not lost_claim.is_overtaken(lease, known(lease.task)):
            found[lease.claim] = OpenClaim(lease.task, lease.claim, lease.by)
    ended = set()
    for active_claims in claim_map.active_claims.values():
        for active in active_claims:
            row = known(active.task)
            if active.kind == "branch" and active.status != "in-progress":
                ended.add(active.claim)
            if active.kind == "lease" or active.status != "in-progress" or not active.path:
                continue
            over = row is not None and (
                active.epoch < row.epoch or row.status in ("complete", "cancelled")
            )
            if os.path.realpath(active.path) == path and not over:
                found.setdefault(active.claim, OpenClaim(active.task, active.claim, active.by))
    noted = runtime_files.remembered(path)
    if noted is not None:
        row = known(noted.task)
        if row is not None and row.claim == noted.claim and row.status == "in-progress":
            found.setdefault(noted.claim, OpenClaim(noted.task, noted.claim, noted.by))
    return tuple(held for claim, held in found.items() if claim not in ended)


class Reason(NamedTuple):
    """Why a worktree is not to be removed."""

    code: str
    message: str
    final: bool = False
    """Not even when everything that can be kept is kept."""


def reasons(project: Project, seen: Seen, *, how: str) -> list[Reason]:
    """List what speaks against removing a worktree; `how` its HEAD has landed (`is_landed`).

    Empty: nothing is lost with it but ignored files.
    """
    found: list[Reason] = []
    base = project.base.label
    if seen.worktree.main:
        return [Reason("main_worktree", "it is the main worktree", True)]
    if seen.current:
        found.append(Reason("current_worktree", "you are in it", True))
    if not seen.git_dir:
        found.append(Reason("broken", "git has lost its records of it", True))
    elif not seen.missing and seen.changes is None:
        there = os.path.lexists(os.path.join(seen.path, ".git"))
        what = "points nowhere" if there else "is missing"
        found.append(Reason("broken", f"git cannot read it: the file .git in it {what}", True))
    elif seen.worktree.head:
        git, head = project.repository.git, seen.worktree.head
        for name, count in worktrees.own_commits(git, seen.git_dir, head).items():
            have = "1 commit that is" if count == 1 else f"{count} commits that are"
            message = f"its submodule {name} has {have} nowhere else"
            found.append(Reason("submodules", message, True))
    if seen.worktree.locked and not seen.ours:
        why = f" ({seen.worktree.reason})" if seen.worktree.reason else ""
        found.append(Reason("locked", f"it is locked{why}; git worktree unlock frees it", True))
    if seen.life == "alive" and seen.beat is not None:
        who, beat = seen.beat.worker or seen.name, seen.beat
        phase = f", {beat.phase}" if beat.phase else ""
        found.append(Reason("alive", f"{who} is alive in it (process {beat.pid}{phase})"))
    found += [
        Reason("claim_open", f"{held.by} works on {held.task} (claim {held.claim})")
        for held in seen.held
    ]
    if what := (under_way(seen.git_dir) if seen.git_dir else ""):
        found.append(Reason("unfinished_merge", f"a {what} is under way in it"))
    if seen.changes is not None and seen.changes.nested:
        first = seen.changes.nested[0]
        found.append(Reason("nested", f"{first} is a repository of its own in it", True))
    elif seen.changes is not None and (paths := _own(seen.changes.paths)):
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        # Without a commit there is nothing that a rescue could stand on.
        final = not seen.worktree.head
        found.append(Reason("uncommitted", f"not committed: {paths[0]}{more}", final))
    if not how:
        commits = "1 commit is" if seen.ahead == 1 else f"{seen.ahead} commits are"
        found.append(Reason("not_landed", f"{commits} not on {base}"))
    return found


def _own(paths: Sequence[str]) -> list[str]:
    """`paths` without what ralphgit itself keeps in a worktree."""
    return [path for path in paths if not path.startswith(f"{runtime_files.FOLDER}/")]


def clean(seen: Seen) -> bool | None:
    """Whether HEAD has all that is in the worktree; None if that is unknown."""
    return None if seen.changes is None else not _own(seen.changes.paths)


def how_landed(project: Project, seen: Seen) -> str:
    """How the worktree's HEAD has landed; "" if it has not."""
    return is_landed.landed(project, seen.worktree.head)
