"""Find what work brings to the base in the name of others: reviews of it, what they have observed
of it, events of it, and answers to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ralphgit.app.evidence import reviews
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.git import trees
from ralphgit.model.evidence import COMMAND, Evidence
from ralphgit.model.handoff import Answer
from ralphgit.model.task import Event, Task
from ralphgit.records import audit_file, evidence_file, question_file


def of_work(project: Project, tasks: Sequence[Task], head: str) -> Iterator[str]:
    """Say which reviews, observations, events and answers the commit `head`, which does `tasks`,
    has and the base has not: who gave them records them there, so these may be the worker's own
    invention.

    A worker's review of its own work says whose it is.
    """
    base, objects = project.base.commit, project.repository.objects
    if not base:
        return
    own = [task.id for task in tasks]
    label = ", ".join(own)
    workers = {task.lifecycle.claim.by.casefold() for task in tasks if task.lifecycle.claim}
    found = [one for one in trees.changes(objects, base, head) if one.kind in "AM"]
    for path, review in reviews.of_others(project, head, [one.path for one in found], ()):
        if review.by.casefold() not in workers:
            yield f"{label}: {path} is a review by {review.by}, which the base has not"
    # What is of a task that the work stands on is its worker's, and lands with that.
    audits = tuple(f"{project.config.records}/audit/{task}/" for task in own)
    folder = f"{project.config.records}/{question_file.FOLDER}/"
    observed = tuple(f"{evidence_file.folder(project.config.records, task)}/" for task in own)
    for one in found:
        if one.path.startswith(audits):
            known = _events(_was(project, base, one.path))
            new = [event for event in _events(_was(project, head, one.path)) if event not in known]
            for by in dict.fromkeys(event.by for event in new):
                if by and by.casefold() not in workers:
                    yield f"{label}: {one.path} is an event by {by}, which the base has not"
        if one.path.startswith(observed):
            seen = _evidence(_was(project, head, one.path))
            if seen is not None and seen.kind != COMMAND and seen.by.casefold() not in workers:
                said = f"is an observation by {seen.by or 'nobody'}, which the base has not"
                yield f"{label}: {one.path} {said}"
        if one.path.startswith(folder):
            answer = _answer(_was(project, head, one.path))
            if answer is not None and answer != _answer(_was(project, base, one.path)):
                yield f"{label}: {one.path} is an answer by {answer.by}, which the base has not"


def _was(project: Project, commit: str, path: str) -> bytes | None:
    name = f"{commit}:{path}"
    return project.repository.objects.read([name]).get(name)


def _events(data: bytes | None) -> Sequence[Event]:
    try:
        found = audit_file.events(data) if data else None
    except InvalidRecord:
        found = None  # which the gate reports
    return found[2] if found else ()


def _evidence(data: bytes | None) -> Evidence | None:
    try:
        return evidence_file.parse(data) if data else None
    except InvalidRecord:
        return None  # which the gate reports


def _answer(data: bytes | None) -> Answer | None:
    try:
        return question_file.parse(data).answer if data else None
    except InvalidRecord:
        return None  # which the gate reports
