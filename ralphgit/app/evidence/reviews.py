"""Reviews of the work on tasks: written down, listed, and asked for before risky work lands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ralphgit.app.evidence import record, tree_digest
from ralphgit.app.evidence.judged_evidence import pass_over
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.workspace import record_tree, revisions
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.errors import GuardRefused, InvalidRecord, UsageError
from ralphgit.model.evidence import Subject
from ralphgit.model.review import Disposal, Finding, Review
from ralphgit.model.task import Scope, Task
from ralphgit.records import audit_file
from ralphgit.records import review_file as codec
from ralphgit.rules import review_verdict as rule


class ReviewOptions(NamedTuple):
    task: str
    verdict: str
    by: str = ""
    """"" is this place's worker."""
    target: str = ""
    """The revision that was reviewed; "" is this worktree as it is."""
    lenses: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Their ids are given here."""
    disposes: tuple[Disposal, ...] = ()
    residual_risk: str = ""


class Added(NamedTuple):
    path: str
    review: Review


def add(project: Project, options: ReviewOptions) -> Added:
    """Write down a review, bound to the content that was reviewed, and stage the record.

    Raises: UnknownTask, UsageError (bad_revision, unknown_finding), GuardRefused, NotWritable.
    """
    with WorktreeLock(project):
        if options.target:
            commit = revisions.commit_of(project, options.target)
            task = revisions.at_revision(project, options.target).task(options.task)
            files = Content(project, commit)
            subject = Subject(commit, files.tree, files.digest(_scope(project, task)))
        else:
            task = project.require_here().task(options.task)
            worktree = project.repository.worktree
            commit = worktree.head if worktree else ""
            with tree_digest.here(project) as files:
                subject = Subject(commit, files.tree, files.digest(_scope(project, task)))
        _refuse_unknown(project, task.id, options.disposes)
        numbered = enumerate(options.findings, 1)
        made = Review(
            id=project.around.new_id(),
            task=task.id,
            by=options.by or project.worker,
            at=project.now(),
            target=options.target or commit or "this worktree",
            verdict=options.verdict,
            claim=task.claim.id if task.claim else "",
            lenses=options.lenses,
            context_reviewed=options.context,
            findings=tuple(one._replace(id=f"FIND-{number}") for number, one in numbered),
            disposes=options.disposes,
            residual_risk=options.residual_risk,
            subject=subject,
        )
        path = audit_file.path(project.config.records, task.id, made.id)
        record.write(project, {path: codec.encode(made, path)})
    if task.claim and made.by.casefold() == task.claim.by.casefold():
        project.warn(f"{made.by} did the work, so this review is not the one that risk: high asks")
    return Added(path, made)


def _scope(project: Project, task: Task) -> Scope:
    """What a review of a task is of: the files that the base names, as with everything promised."""
    known = project.base.commit and task.id in project.base_view.by_id
    return (project.base_view.task(task.id) if known else task).scope


def _refuse_unknown(project: Project, task: str, disposes: Sequence[Disposal]) -> None:
    if not disposes:
        return
    known = {
        (one.id, finding.id)
        for one in listed(project, record_tree.working_tree(project), [task])
        for finding in one.findings
    }
    for entry in disposes:
        if (entry.review, entry.finding) not in known:
            raise UsageError(
                f"there is no finding {entry.review}/{entry.finding} about {task}; "
                "nothing was written",
                code="unknown_finding",
                hint=f"ralphgit audit list {task}",
            )


def stored(one: Review) -> dict[str, object]:
    """A review as it is written."""
    return codec.stored(one)


def listed(
    project: Project,
    tree: Tree,
    tasks: Iterable[str] = (),
    *,
    unreadable: list[InvalidRecord] | None = None,
) -> list[Review]:
    """The reviews in a tree, oldest first.

    What cannot be read is put into `unreadable`; without that, it is warned of.
    """
    wanted = set(tasks)
    prefix = f"{project.config.records}/audit/"
    found = []
    for path in tree.records:
        task, slash, _ = path.removeprefix(prefix).partition("/")
        if not path.startswith(prefix) or not slash or (wanted and task not in wanted):
            continue
        try:
            one = codec.parse(tree.content(path) or b"")
        except InvalidRecord as error:
            pass_over(project, error.at(tree.label + path), unreadable)
            continue
        if one is not None and one.task == task:
            found.append(one)
    return sorted(found, key=lambda one: (one.at, one.id))


def at(project: Project, revision: str = "", tasks: Sequence[str] = ()) -> list[Review]:
    """The reviews in this worktree, or on a revision.

    Raises: UsageError (bad_revision), InvalidRecord (no_graph).
    """
    if not revision:
        project.require_here()
        return listed(project, record_tree.working_tree(project), tasks)
    commit = revisions.commit_of(project, revision)
    label = f"{revision}:"
    tree = record_tree.commit_tree(project, commit, label, project.repository.objects)
    return listed(project, tree, tasks)


def missing(project: Project, head: str, task: Task, promised: Task | None = None) -> str:
    """What a task of high risk lacks before its work at commit `head` may land; "" for nothing.

    Reviews count from `head` and from the base. The risk is what the branch says or what the
    base says (`promised`), whichever is high: a branch cannot lower its own.
    """
    if rule.HIGH not in (task.risk, promised.risk if promised else "") or task.claim is None:
        return ""
    objects = project.repository.objects
    reviews = [
        one
        for commit in dict.fromkeys((head, project.base.commit))
        for one in listed(
            project, record_tree.commit_tree(project, commit, f"{commit[:12]}:", objects), [task.id]
        )
    ]
    digest = Content(project, head).digest((promised or task).scope)
    return rule.missing(reviews, worker=task.claim.by, digest=digest)


def require(project: Project, head: str) -> None:
    """Refuse to land `head` while it completes a task of high risk that nobody has reviewed.

    Raises: GuardRefused (review_missing).
    """
    base = project.base_view
    view = project.view(head, head[:12])
    for row in view.rows:
        known = base.by_id.get(row.id)
        if row.status != "complete" or (known is not None and known.status == "complete"):
            continue
        promised = base.task(row.id) if known is not None else None
        if why := missing(project, head, view.task(row.id), promised):
            raise GuardRefused(
                f"{row.id} has risk: high, and {why}; nothing was landed",
                code="review_missing",
                hint=f"as somebody else: {command(row.id, head[:12])}",
                details={"task": row.id},
            )


def command(task: str, target: str) -> str:
    """What a reviewer runs."""
    return f"ralphgit audit add {task} --target {target} --verdict clear --by NAME"
