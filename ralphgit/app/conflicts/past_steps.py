"""Find which side's state of a task is a step that the other side has gone, too.

A block and its answer, a release and a later claim are one history, however git has brought its
parts to the two sides: by a squash merge, say. The audit of an attempt tells.
"""

from __future__ import annotations

from ralphgit.app.conflicts.merge_sides import Sides
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.model.task import Event, Lifecycle
from ralphgit.model.three_way_merge import Side, ThreeWay
from ralphgit.records import audit_file
from ralphgit.rules import merge_policy


def past(
    project: Project, sides: Sides, task: str, lives: ThreeWay[Lifecycle | None]
) -> Side | None:
    """The side whose state of `task` is in the other's history; None for neither."""
    commits = {Side.OURS: sides.merge.ours, Side.THEIRS: sides.merge.theirs}
    for side in Side:
        life = lives.of(side)
        attempt = merge_policy.attempt(life) if life is not None else ""
        if life is None or not attempt:
            continue
        here = _events(project, commits[side], task, attempt)
        there = _events(project, commits[side.other], task, attempt)
        if merge_policy.is_past(life, here, there):
            return side
    return None


def _events(project: Project, commit: str, task: str, attempt: str) -> tuple[Event, ...]:
    """List what a commit's audit says of an attempt; nothing where it says nothing readable."""
    if not commit:
        return ()
    objects = project.repository.objects
    oid = objects.resolve([f"{commit}:{audit_file.path(project.config.records, task, attempt)}"])[0]
    try:
        known = audit_file.events(objects.read([oid])[oid]) if oid else None
    except InvalidRecord:
        return ()
    return known[2] if known is not None and known[:2] == (task, attempt) else ()
