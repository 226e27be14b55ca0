"""Land the task that this worktree has completed, and bring its branch onto the base (SPEC 5)."""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.forge import change_base
from ralphgit.app.gate import landing_gate
from ralphgit.app.landing import merge, pull_request
from ralphgit.app.landing.merge import Conflict, Landed
from ralphgit.app.lifecycle import onto_base
from ralphgit.app.lifecycle.onto_base import Brought, Position, Standing
from ralphgit.app.processes import watched_settings
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import NeedsPerson, Refused
from ralphgit.git.push_refusal import Why
from ralphgit.git.remote import PushRefused
from ralphgit.model.active_claim import Lease

_SHOWN_PATHS = 5


class HandLanded(NamedTuple):
    """What became of the work."""

    way: str
    """merge or pr."""
    commit: str
    """The base as it is now; of a pull request, what was pushed."""
    url: str
    """Of the pull request; "" where there is none, or where it is not known."""
    said: tuple[str, ...]
    """What the remote, or what opened the pull request, has to tell."""
    brought: Brought
    """Where the worktree is now."""

    def stored(self) -> dict[str, object]:
        """As JSON output has it."""
        return {
            "way": self.way, "commit": self.commit, "url": self.url or None,
            "on_base": self.brought.on_base,
        }  # fmt: skip


def land(project: Project, lease: Lease, way: str, *, is_open: bool = False) -> HandLanded:
    """Land HEAD, which ends `lease`, by `way` (merge, pr); then the branch stands on the base.

    Where `is_open`, nobody has said which, and what may not be pushed gets a pull request.

    After a pull request the work stays on a branch of its own, as it was pushed; so does work
    with concerns, while it waits for a person, and the worker goes on with other tasks.

    Raises: NeedsPerson (settings_changed); Refused (conflicts_with_base); as `merge.by_merge`
    and `pull_request.by_pull`.
    """
    watched_settings.require_seen(project)
    try:
        try:
            made = (merge.by_merge if way == "merge" else pull_request.by_pull)(project, lease)
        except PushRefused as error:
            if error.why is not Why.PROTECTED or way != "merge" or not is_open:
                raise
            project.warn(change_base.declined(error))
            way, made = "pr", pull_request.by_pull(project, lease)
    except NeedsPerson as error:
        raise _waiting(project, lease) if error.code == "concerns_wait" else error from None
    if isinstance(made, Conflict):
        raise _conflict(project, lease, made)
    project.refresh()
    with WorktreeLock(project):
        if isinstance(made, Landed):
            return HandLanded(way, made.commit, "", (), onto_base.bring_onto_base(project))
        branch = pull_request.branch_of(project, lease)
        brought = leave(project, branch, made.commit)
        return HandLanded(way, made.commit, made.url, made.said, brought)


def leave(project: Project, branch: str, head: str) -> Brought:
    """Bring this worktree onto the base; the work stays at `head`, on a local branch of its own.

    The caller holds the worktree's lock. Raises: as `onto_base.bring_onto_base`.
    """
    own = pull_request.keep_apart(project, branch, head)
    return onto_base.bring_onto_base(project, Position(Standing.LANDED) if own else None)


def _waiting(project: Project, lease: Lease) -> NeedsPerson:
    """Bring this worktree onto the base while its work waits for a person; the refusal."""
    project.refresh()
    with WorktreeLock(project):
        head = project.repository.head()
        task = project.view(head, head[:12]).task(lease.task)
        worktree = project.repository.worktree
        branch = worktree.branch.removeprefix("refs/heads/") if worktree else ""
        apart = pull_request.branch_of(project, lease)
        if pull_request.keep_apart(project, apart, head):
            branch = apart
            onto_base.bring_onto_base(project, Position(Standing.LANDED))
    found = landing_gate.concerns(project, [task], head)
    return landing_gate.concerns_wait(lease.task, found, branch or head[:12])


def _conflict(project: Project, lease: Lease, made: Conflict) -> Refused:
    shown = ", ".join(made.paths[:_SHOWN_PATHS])
    base = project.base.label
    return Refused(
        f"{lease.task} is complete on this branch, and conflicts with {base} in {shown}; "
        "nothing was landed",
        code="conflicts_with_base",
        hint=project.base.merge_command,
        lines=[
            "solve it (ralphgit resolve for the records), and commit; then: "
            f"ralphgit complete {lease.task} --land"
        ],
        details={"task": lease.task, "paths": list(made.paths)},
    )
