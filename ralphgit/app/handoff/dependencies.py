"""Find what the tasks that a task depends on have left: commit, summary and concerns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ralphgit.app.evidence import attempt_events
from ralphgit.app.workspace.graph_view import GraphView, stored, task_of
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, Refused
from ralphgit.model.handoff import Dependency
from ralphgit.model.printable import cut
from ralphgit.model.task import Task
from ralphgit.model.task_status import Status
from ralphgit.records import atomic_files, audit_file

#: How much of a summary, and of a concern, goes into a packet.
_LONGEST = 1000
_CLAIM = "Ralph-Claim: "


def left(project: Project, task: Task) -> tuple[Dependency, ...]:
    """List the complete tasks that `task` depends on, in its order.

    As they are on the base, or in this worktree where the base does not have them complete.
    """
    views = [project.base_view] if project.base.commit else []
    if task.depends_on and project.repository.top is not None:
        views.append(project.here)
    found = {}
    for id in dict.fromkeys(task.depends_on):
        view = next((view for view in views if _is_complete(view, id)), None)
        if view is not None:
            found[id] = view, view.task(id)
    claims = {known.claim.id for _, known in found.values() if known.claim}
    archived = {id: one for id in task.depends_on if id not in found
                for one in _archived(views, id)}  # fmt: skip
    claims.update(known.claim.id for known, _ in archived.values() if known.claim)
    commits = _commits(project, claims) if claims else {}
    made = {id: _dependency(project, view, known, commits) for id, (view, known) in found.items()}
    for id, (known, records) in archived.items():
        made[id] = _told(known, commits, _of_archive(known, records))
    return tuple(made[id] for id in dict.fromkeys(task.depends_on) if id in made)


def _archived(views: Iterable[GraphView], task: str) -> Iterator[tuple[Task, Mapping[str, str]]]:
    """A complete task of the archive, with its records."""
    from ralphgit.records import archive_file

    for view in views:
        if view.archive.is_complete(task):
            one = view.archive.task(task)
            yield task_of(stored(archive_file.row_of(one))), one.records
            return


def _of_archive(task: Task, records: Mapping[str, str]) -> str:
    claim = task.claim.id if task.claim else ""
    data = records.get(f"audit/{task.id}/{claim}.yaml", "").encode()
    return attempt_events.summary(attempt_events.parsed(data, task.id, claim)) if data else ""


def _is_complete(view: GraphView, task: str) -> bool:
    row = view.by_id.get(task)
    return row is not None and row.status == Status.COMPLETE


def _dependency(
    project: Project, view: GraphView, task: Task, commits: dict[str, str]
) -> Dependency:
    claim = task.claim.id if task.claim else ""
    return _told(task, commits, _summary(project, view, task.id, claim) if claim else "")


def _told(task: Task, commits: dict[str, str], summary: str) -> Dependency:
    claim, result = task.claim.id if task.claim else "", task.lifecycle.result
    concerns = result.concerns if result else ()
    return Dependency(
        task=task.id,
        title=task.title,
        commit=commits.get(claim, "")[:12],
        summary=cut(summary, _LONGEST),
        concerns=tuple(cut(concern, _LONGEST) for concern in concerns),
    )


def _summary(project: Project, view: GraphView, task: str, claim: str) -> str:
    if project.base.commit and view is project.base_view:
        return attempt_events.summary(attempt_events.at(project, project.base.commit, task, claim))
    try:
        data = atomic_files.read(project.file(audit_file.path(project.config.records, task, claim)))
    except (InvalidRecord, Refused):
        return ""  # `check` says it
    return attempt_events.summary(attempt_events.parsed(data, task, claim)) if data else ""


def _commits(project: Project, claims: Collection[str]) -> dict[str, str]:
    """Find by their trailers the commits that completed the work under these claims.

    A commit may say what it likes: it has to write the claim's audit, too.
    """
    tips = [project.base.commit, project.repository.known_head]
    out = project.repository.git.run(
        "log", "--no-merges", "--fixed-strings", "--format=%x00%H", "--name-only",
        "--diff-filter=AM", *(f"--grep={_CLAIM}{claim}" for claim in sorted(claims)),
        *dict.fromkeys(filter(None, tips)), "--",
    )  # fmt: skip
    found: dict[str, str] = {}
    for entry in out.decode("utf-8", "replace").split("\0"):
        commit, *paths = entry.split("\n") if entry else [""]
        for path in paths:
            folder, _, name = path.strip('"').rpartition("/")
            claim = name.removesuffix(".yaml")
            if claim in claims and "/audit/" in folder:
                found.setdefault(claim, commit)
    return found
