"""Read the evidence about tasks, and judge it against the content as it is now."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple, TypeVar

from ralphgit.app.evidence import tree_digest
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.workspace import record_tree, revisions
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, UnknownTask
from ralphgit.model.evidence import Evidence
from ralphgit.model.task import Task
from ralphgit.model.task_row import Row
from ralphgit.records import evidence_file as codec
from ralphgit.rules import evidence_verdict

_Record = TypeVar("_Record")


class Filed(NamedTuple):
    """A record that counts for a task, and where it is."""

    path: str
    judged: evidence_verdict.Judged


class TaskEvidence(NamedTuple):
    """What the evidence about one task comes to."""

    row: Row
    task: Task
    records: tuple[Filed, ...]
    """Oldest first; those of an earlier claim are left out."""
    criteria: tuple[evidence_verdict.CriterionProof, ...]

    @property
    def is_verified(self) -> bool:
        return evidence_verdict.is_verified(self.task.acceptance, self.judged)

    @property
    def judged(self) -> list[evidence_verdict.Judged]:
        return [filed.judged for filed in self.records]


class JudgedState(NamedTuple):
    """A state of the repository in which evidence is judged."""

    view: GraphView
    tree: record_tree.Tree
    content: Content


@contextmanager
def place(project: Project, at: str = "") -> Iterator[JudgedState]:
    """Open this worktree as it is, or the revision `at`. Nothing is written.

    Raises: UsageError (bad_revision), InvalidRecord, GuardRefused (bare).
    """
    if at:
        revisions.at_revision(project, at)
        yield place_at(project, revisions.commit_of(project, at), at)
        return
    view = project.require_here()
    with tree_digest.here(project) as files:
        yield JudgedState(view, record_tree.working_tree(project), files)


def place_at(project: Project, commit: str, label: str) -> JudgedState:
    """Open the state of a commit that people call `label`. Raises: InvalidRecord."""
    tree = record_tree.commit_tree(project, commit, f"{label}:")
    # The base's graph is read for what it promises anyway.
    known_as = project.base.label if commit == project.base.commit else label
    return JudgedState(project.view(commit, known_as), tree, Content(project, commit))


def survey(project: Project, tasks: Sequence[str] = (), *, at: str = "") -> list[TaskEvidence]:
    """Judge the evidence about `tasks`; without any, about every task that has some, or that is
    complete or in progress.

    Raises: UnknownTask; else as `place`.
    """
    with place(project, at) as where:
        return surveyed(project, where, tasks)


def surveyed(project: Project, where: JudgedState, tasks: Sequence[str] = ()) -> list[TaskEvidence]:
    """Do what `survey` does in a place that is open already."""
    asked = [where.view.row(task) for task in tasks]
    known = recorded(project, where.tree, tasks)
    # In the order of the graph; of one task no other is looked at.
    rows = asked if len(asked) == 1 else where.view.rows
    rows = [row for row in rows if not tasks or row.id in tasks]
    return [
        _of_task(project, where, row, known.get(row.id, {}))
        for row in rows
        if tasks or row.id in known or row.status in ("complete", "in-progress")
    ]


def _of_task(
    project: Project, where: JudgedState, row: Row, records: Mapping[str, Evidence]
) -> TaskEvidence:
    """Fresh is what is bound to these files by the scope here, or by the base's: commands are
    judged by that one.
    """
    on_base = project.base.commit and row.id in project.base_view.by_id
    promised = project.base_view.task(row.id) if on_base else None
    return assessed(project, where, row, records, promised)


def asked(project: Project, task: Task) -> Collection[str]:
    """Digest the commands whose runs say something of a task."""
    return {digest_of(command) for command in (*task.verify, project.config.integrate_verify)}


def assessed(
    project: Project, where: JudgedState, row: Row, records: Mapping[str, Evidence],
    promised: Task | None,
) -> TaskEvidence:  # fmt: skip
    """Judge a task's records, by path; `promised` is the task as it was before, if it existed."""
    task = where.view.task(row.id)
    scopes = [task, *([promised] if promised else [])]
    paths = {one.id: path for path, one in records.items()}
    pairs = [
        (one, any(is_fresh(one, known, where.content) for known in scopes))
        for one in records.values()
    ]
    commands = asked(project, promised or task)
    found = evidence_verdict.judged(pairs, commands=commands, claim=row.claim)
    filed = tuple(Filed(paths[one.evidence.id], one) for one in found)
    return TaskEvidence(row, task, filed, tuple(evidence_verdict.support(task.acceptance, found)))


def is_fresh(one: Evidence, task: Task, files: Content) -> bool:
    """Whether the files in the task's scope are as they were when it was observed."""
    return one.subject is not None and one.subject.scope_digest == files.digest(task.scope)


def recorded(
    project: Project,
    tree: record_tree.Tree,
    tasks: Collection[str] = (),
    *,
    unreadable: list[InvalidRecord] | None = None,
) -> dict[str, dict[str, Evidence]]:
    """Read the evidence in a tree, by task, then by path.

    What cannot be read is added to `unreadable`, or without that warned about.
    """
    parse = partial(codec.parse, limit=project.config.max_record_bytes)
    found: dict[str, dict[str, Evidence]] = {}
    for task, path, one in readable(project, tree, "evidence", tasks, parse, unreadable):
        if one.task == task:
            found.setdefault(task, {})[path] = one
    return found


def readable(
    project: Project,
    tree: record_tree.Tree,
    kind: str,
    tasks: Collection[str],
    parse: Callable[[bytes], _Record],
    unreadable: list[InvalidRecord] | None,
) -> Iterator[tuple[str, str, _Record]]:
    """Yield task, path and record of a kind; what cannot be read is treated as in `recorded`."""
    wanted = list(tree.filed(f"{project.config.records}/{kind}", tasks))
    tree.read_ahead(path for _, path in wanted)
    for task, path in wanted:
        try:
            yield task, path, parse(tree.content(path) or b"")
        except InvalidRecord as error:
            wrong = error.at(tree.label + path)
            if unreadable is None:
                project.warn(f"{wrong} (passed over)")
            else:
                unreadable.append(wrong)


def stored(one: Evidence) -> dict[str, object]:
    """Return a record in the form in which it is written."""
    return codec.stored(one)


# -- commands ----------------------------------------------------------------------------


def digest_of(command: str) -> str:
    """Digest a command: its evidence is found by that."""
    import hashlib

    return hashlib.sha256(command.encode()).hexdigest()


def as_promised(project: Project, task: Task) -> Task:
    """Return `task` as the base has it, or as it is where the base does not have it."""
    known = project.base.commit and task.id in project.base_view.by_id
    return project.base_view.task(task.id) if known else task


def promised(project: Project, task: str) -> Task:
    """Return a task as the base has it, or this worktree where the base does not have it.

    Raises: UnknownTask, InvalidRecord.
    """
    if project.base.commit and task in project.base_view.by_id:
        return project.base_view.task(task)
    if project.repository.top is None:
        raise UnknownTask(f"there is no task {task} on {project.base.label}", hint="ralphgit list")
    return project.require_here().task(task)
