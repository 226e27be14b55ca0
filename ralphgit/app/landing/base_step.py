"""Make the step by which the base gets finished work: one of its first-parent line (SPEC 5).

Where the base has not moved, the work's own commit is that step. Else it is one merge commit, which
also says in the audit that the task has landed, and carries what evidence was made on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.workspace import commit_message
from ralphgit.app.workspace.project import Project
from ralphgit.git import trees
from ralphgit.git.commit_objects import commit_tree
from ralphgit.model.task import Event
from ralphgit.records import audit_file


class Brought(NamedTuple):
    """A task as the work's branch has it."""

    task: str
    attempt: str
    """The claim, or the one that was given back."""
    by: str
    status: str


def is_own(project: Project, base: str, head: str, tasks: int) -> bool:
    """Whether the commits of `head` can themselves be the steps: they follow the base one by one,
    and are no more than its tasks.
    """
    objects, at = project.repository.objects, head
    for _ in range(max(1, tasks)):
        if at == base:
            break
        header = objects.read([at])[at].partition(b"\n\n")[0].split(b"\n")
        first = next((line for line in header if line.startswith(b"parent ")), b"")
        at = first.removeprefix(b"parent ").decode()
        if not at:
            return False
    return at == base


def made(
    project: Project,
    base: str,
    head: str,
    tree: str,
    brought: Sequence[Brought],
    *,
    records: Mapping[str, bytes] | None = None,
    note: str = "",
) -> tuple[str, dict[str, bytes]]:
    """Make the merge commit of `head` into `base`, with what the merged `tree` has, and `records`.

    Returns it, and all records that it has beyond `tree`. No ref is touched.
    """
    objects, folder = project.repository.objects, project.config.records
    written = dict(records or {})
    at, said = project.now(), note or f"merged into {project.base.branch}"
    for one in brought:
        path = audit_file.path(folder, one.task, one.attempt)
        old = written.get(path)
        if old is None and (oid := objects.resolve([f"{tree}:{path}"])[0]):
            old = objects.read([oid])[oid]
        event = Event(at, "landed", project.worker, one.status, one.status, said)
        written[path] = audit_file.appended(old, event, path=path, task=one.task, claim=one.attempt)
    planned, new = trees.planned(objects, tree, written)
    objects.write(new)
    message = _message(project, brought, note)
    return commit_tree(project.repository, planned, [base, head], message), written


def _message(project: Project, brought: Sequence[Brought], note: str) -> str:
    base, ids = project.base.branch, ", ".join(one.task for one in brought)
    subject = commit_message.subject(
        project, ids, f"merge into {base}", event="landed",
        worker=", ".join(dict.fromkeys(one.by for one in brought)),
        usual=f"Merge {', '.join(f'{one.task} ({one.by})' for one in brought)} into {base}",
    )  # fmt: skip
    trailers = (commit_message.trailers(one.task, one.attempt, one.by) for one in brought)
    return commit_message.message(subject, [note], "".join(trailers))
