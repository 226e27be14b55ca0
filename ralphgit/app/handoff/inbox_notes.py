"""Leave a note for a worker that works on a task, in its worktree's inbox (SPEC 7)."""

from __future__ import annotations

import os
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.handoff import INBOX
from ralphgit.records import runtime_notes

#: States in which somebody works on a task.
AT_WORK = frozenset({"claimed", "in-progress"})
_NOTE = "note"


class Left(NamedTuple):
    """A note that was left."""

    task: str
    worker: str
    path: str
    """The file in the worker's worktree."""


def leave(project: Project, claim_map: ClaimMap, task: str, text: str, by: str) -> Left:
    """Write a note for whoever works on `task`; its state stays as it is.

    Raises: GuardRefused (not_here) where no worktree of this machine has the task; NotWritable.
    """
    holder = claim_map.task_states[task].holder
    place = _place(project, claim_map, task, holder)
    if holder is None or not place:
        who = f"{holder.by} ({holder.where})" if holder is not None else "nobody known"
        raise GuardRefused(
            f"{task} is worked on by {who}, in no worktree of this machine, so no note reaches it; "
            "nothing was changed",
            code="not_here", hint=f"ralphgit show {task}",
        )  # fmt: skip
    id = project.around.new_id()
    path = os.path.join(place, INBOX, f"{id}.yaml")
    runtime_notes.write(path, {
        "kind": _NOTE, "id": id, "task": task, "claim": holder.claim, "by": by,
        "at": project.now(), "text": text,
    })  # fmt: skip
    return Left(task, holder.by, path)


def _place(project: Project, claim_map: ClaimMap, task: str, holder: ActiveClaim | None) -> str:
    """The holder's worktree; "" where it is not on this machine."""
    lease = claim_map.leases.get(task)
    paths = [holder.path if holder is not None else "", lease.worktree if lease else ""]
    known = {os.path.realpath(one.path): one for one in project.repository.worktrees}
    for path in filter(None, paths):
        one = known.get(os.path.realpath(path))
        folder = os.path.join(os.path.realpath(path), INBOX)
        if one is not None and one.exists and os.path.realpath(folder) == folder:
            return os.path.realpath(path)
    return ""


def of_claim(top: str, claim: str) -> list[str]:
    """Read the notes about a claim in the worktree at `top`, oldest first, each with its author."""
    folder = os.path.join(top, INBOX)
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    notes = [
        runtime_notes.read(os.path.join(folder, name)) for name in names if name.endswith(".yaml")
    ]
    own = [one for one in notes if one.get("kind") == _NOTE and one.get("claim") == claim]
    own.sort(key=lambda one: str(one.get("at")))
    return [f"{one.get('by')}, {one.get('at')}: {one.get('text')}" for one in own]
