"""Read the audit of an attempt at a task: what happened, and what its worker says of it."""

from __future__ import annotations

from collections.abc import Sequence

from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.model.task import Event
from ralphgit.records import audit_file

#: The events that have the worker's own words of what it did.
_DONE = ("completed", "force-completed")


def at(project: Project, commit: str, task: str, claim: str) -> tuple[Event, ...]:
    """List the events under a claim on a commit, oldest first.

    None where there is no such file, or one that cannot be read or is another attempt's: `check`
    says so.
    """
    objects = project.repository.objects
    oid = objects.resolve([f"{commit}:{audit_file.path(project.config.records, task, claim)}"])[0]
    return parsed(objects.read([oid])[oid], task, claim) if oid else ()


def parsed(data: bytes, task: str, claim: str) -> tuple[Event, ...]:
    """Parse an attempt's audit; as `at`."""
    try:
        known = audit_file.events(data)
    except InvalidRecord:
        return ()
    return tuple(known[2]) if known is not None and known[:2] == (task, claim) else ()


def summary(events: Sequence[Event]) -> str:
    """The last summary that the worker gave, "" for none."""
    told = (one.summary for one in reversed(events) if one.event in _DONE)
    return next(filter(None, told), "")
