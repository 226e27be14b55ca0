"""Change the base: by a push, or by a pull request where nobody may push to it (SPEC 7).

One way for all that people change and that loops record. Where the remote declines the push for
good, or `land.base` is `pr`, the commit goes to a branch `ralph/records/...` of its own, and the
local base branch stays where its remote is.
"""

from typing import NamedTuple

from ralphgit.app.base import records_in_review, update_base
from ralphgit.app.base.records_in_review import Change, InReview
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, RemoteUnavailable
from ralphgit.git.remote import PushRefused


class Changed(NamedTuple):
    """Where a change is now."""

    pushed: bool = False
    """Whether the remote's base has it."""
    pull: InReview | None = None
    """By which it comes to the base; the base is as it was."""


def advance(
    project: Project, old: str, new: str, change: Change, *, push: bool, lands: bool = False
) -> Changed | None:
    """Move the base from `old` to `new`, a commit of our own, or open a pull request for it; None
    where the base has moved meanwhile.

    The remote's branch decides where there is one; the local one follows where that is a plain
    step forward. Where the remote cannot be reached, the local branch alone is moved, with a
    warning; not where a branch `lands`, which only the remote's base can have.

    Raises: GuardRefused (base_diverged, dirty_base, records_in_review, no_push), RemoteUnavailable
    (with require_remote, or `lands`), NotWritable; as `pull_of_records.by_pull`.
    """
    base, by_pull_alone = project.base, project.config.land_base == "pr"
    if not base.remote:
        return Changed() if update_base.advance_local(project, old, new) else None
    if not push:
        if by_pull_alone:
            raise GuardRefused(
                f'land.base is "pr", so nothing goes to {base.branch} without a pull request, and '
                "--no-push opens none; nothing was changed on it",
                code="no_push", hint="leave out --no-push",
            )  # fmt: skip
        return Changed() if update_base.local_only(project, old, new) else None
    head = change.head or new
    if by_pull_alone or records_in_review.waiting(project):
        from ralphgit.app.forge import pull_of_records

        if by_pull_alone or pull_of_records.earlier(project, head, change) is not None:
            return Changed(pull=pull_of_records.by_pull(project, head, change))
    try:
        moved = update_base.publish(project, old, new)
    except RemoteUnavailable as error:
        if project.config.require_remote or lands:
            raise
        project.warn(error.message)
        return Changed() if update_base.local_only(project, old, new) else None
    except PushRefused as error:
        from ralphgit.app.forge import pull_of_records  # mostly the push is all

        project.warn(declined(error))
        return Changed(pull=pull_of_records.by_pull(project, head, change))
    if moved:
        update_base.follow(project, old, new)
    return Changed(pushed=True) if moved else None


def declined(error: PushRefused) -> str:
    """Say in one line what the remote has said, without git's frame around it."""
    said = (
        line
        for line in error.lines
        if not line.startswith("!") and "failed to push some refs" not in line
    )
    return "; ".join((error.message, *said))
