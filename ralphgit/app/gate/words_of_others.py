"""Find what work brings to the base in the name of others: reviews of it, what they have observed
of it, and answers to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ralphgit.app.evidence import reviews
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.git import trees
from ralphgit.model.evidence import COMMAND, Evidence
from ralphgit.model.handoff import Answer
from ralphgit.model.task import Task
from ralphgit.records import evidence_file, question_file


def of_work(project: Project, tasks: Sequence[Task], head: str) -> Iterator[str]:
    """Say which reviews, observations and answers the commit `head`, which does `tasks`, has and
    the base has not: who gave them records them there, so these may be the worker's own invention.

    A worker's review of its own work says whose it is.
    """
    base, objects = project.base.commit, project.repository.objects
    if not base:
        return
    label = ", ".join(task.id for task in tasks)
    workers = {task.lifecycle.claim.by.casefold() for task in tasks if task.lifecycle.claim}
    found = [one for one in trees.changes(objects, base, head) if one.kind in "AM"]
    for path, review in reviews.of_others(project, head, [one.path for one in found], ()):
        if review.by.casefold() not in workers:
            yield f"{label}: {path} is a review by {review.by}, which the base has not"
    folder = f"{project.config.records}/{question_file.FOLDER}/"
    observed = f"{evidence_file.all_of(project.config.records)}/"
    for one in found:
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
