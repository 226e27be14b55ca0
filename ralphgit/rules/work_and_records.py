"""Decide whether work and records that come together belong to the same claim."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ralphgit.model.task_row import Row
from ralphgit.rules.branch_changes import Fault

_SHOWN = 3
_HELD = ("in-progress", "complete")


def other_work(
    row: Row, claim: str, paths: Sequence[str], *, base: str, label: str
) -> Fault | None:
    """Whether work under `claim` comes to a task that the base, `label`, has by another claim.

    `paths` are what changes of the task's files; `base` is the claim that the base has.
    """
    if claim == row.claim or base != row.claim or row.status not in _HELD or not paths:
        return None
    said = (
        f"{row.id} is {row.by}'s by claim {row.claim} on {label}; work under claim {claim}, which "
        f"has lost, comes in its place: {_some(paths)}"
    )
    # Also of files that the base has not got, which `git checkout` refuses to restore.
    words = ("git", "restore", "--source", label, "--staged", "--worktree", "--", *paths[:_SHOWN])
    return Fault("other_work", row.id, said, shlex.join(words))


def other_evidence(row: Row, claim: str, path: str, *, has_audit: bool) -> Fault | None:
    """Whether evidence of a claim comes that is not the task's, and whose audit does not come."""
    if claim in ("", row.claim) or has_audit:
        return None
    said = f"evidence of claim {claim} comes without its audit, and {row.id} has another claim"
    return Fault("other_evidence", row.id, said, shlex.join(("git", "rm", path)))


def work_missing(row: Row, *, verified: bool, changed: Sequence[str]) -> Fault | None:
    """Whether a task is completed by a change that does not have its work.

    `verified`: evidence of its commands is of these files, or of the branch's, or there is none.
    `changed`: what changes of the task's files.
    """
    if verified or changed:
        return None
    said = (
        f"{row.id} is completed without its work: none of its files changes, and its evidence is "
        "of other files"
    )
    return Fault("work_missing", row.id, said, f"ralphgit complete {row.id}")


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
