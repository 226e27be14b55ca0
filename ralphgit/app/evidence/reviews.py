"""Record and list reviews, and require one before work lands that asks for it."""

import shlex
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from ralphgit.app.evidence import judged_evidence
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.workspace import record_tree, revisions
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.errors import AwaitsPerson, InvalidRecord, UsageError
from ralphgit.model.review import Disposal, Finding, Review
from ralphgit.model.task import Task, Usage
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
    model: str = ""
    """The model of a reviewing agent."""
    usage: Usage | None = None
    """What it has used."""


class Added(NamedTuple):
    path: str
    review: Review


def add(project: Project, options: ReviewOptions) -> Added:
    """Write a review, bound to the content that was reviewed, and stage the record.

    Raises: UnknownTask, UsageError (bad_revision, unknown_finding), NotWritable.
    """
    from ralphgit.app.evidence import record
    from ralphgit.app.workspace.locks import WorktreeLock

    with WorktreeLock(project):
        _refuse_unknown(project, options.task, options.disposes)
        made, worker = composed(project, options)
        path = audit_file.path(project.config.records, made.task, made.id)
        record.write(project, {path: codec.encode(made, path)})
    if made.by.casefold() == worker.casefold():
        project.warn(f"{made.by} did the work: with risk: high, somebody else has to review it")
    return Added(path, made)


def composed(project: Project, options: ReviewOptions) -> tuple[Review, str]:
    """Make a review, bound to the content that was reviewed, and find who did the work; nothing is
    written.

    Raises: UnknownTask, UsageError (bad_revision), InvalidRecord, GuardRefused (bare).
    """
    target = options.target
    commit = revisions.commit_of(project, target) if target else project.repository.known_head
    with judged_evidence.place(project, target) as where:
        task = where.view.task(options.task)
        promised = judged_evidence.as_promised(project, task)
        subject = where.content.subject(promised.scope, commit)
    numbered = enumerate(options.findings, 1)
    made = Review(
        id=project.around.new_id(),
        task=task.id,
        by=options.by or project.worker,
        at=project.now(),
        target=target or commit or "this worktree",
        verdict=options.verdict,
        claim=task.claim.id if task.claim else "",
        lenses=options.lenses,
        context_reviewed=options.context,
        findings=tuple(one._replace(id=f"FIND-{number}") for number, one in numbered),
        disposes=options.disposes,
        residual_risk=options.residual_risk,
        subject=subject,
        model=options.model,
        usage=options.usage,
    )
    return made, task.claim.by if task.claim else ""


def _refuse_unknown(project: Project, task: str, disposes: Sequence[Disposal]) -> None:
    if not disposes:
        return
    here = listed(project, record_tree.working_tree(project), [task])
    there = _known(project, [project.base.commit], task) if project.base.commit else []
    known = {(one.id, finding.id) for one in (*here, *there) for finding in one.findings}
    for entry in disposes:
        if (entry.review, entry.finding) not in known:
            raise UsageError(
                f"{task} has no finding {entry.review}/{entry.finding}; nothing was written",
                code="unknown_finding",
                hint=f"ralphgit audit list {task}",
            )


def stored(one: Review) -> dict[str, object]:
    """Return a review in the form in which it is written."""
    return codec.stored(one)


def listed(
    project: Project,
    tree: Tree,
    tasks: Collection[str] = (),
    *,
    unreadable: list[InvalidRecord] | None = None,
) -> list[Review]:
    """List the reviews in a tree, oldest first.

    What cannot be read is added to `unreadable`, or without that warned about.
    """
    kept = judged_evidence.readable(project, tree, "audit", tasks, codec.parse, unreadable)
    reviews = [one for task, _, one in kept if one is not None and one.task == task]
    return sorted(reviews, key=lambda one: (one.at, one.id))


def at(project: Project, revision: str = "", tasks: Sequence[str] = ()) -> list[Review]:
    """List the reviews in this worktree, or on a revision.

    Raises: UnknownTask, for one that has no review either; UsageError (bad_revision),
    InvalidRecord (no_graph).
    """
    view = revisions.view_at(project, revision)
    if revision:
        commit = revisions.commit_of(project, revision)
        tree = record_tree.commit_tree(project, commit, f"{revision}:")
    else:
        tree = record_tree.working_tree(project)
    found = listed(project, tree, tasks)
    for task in {*tasks}.difference(one.task for one in found):
        view.row(task)
    return found


def missing(
    project: Project,
    head: str,
    task: Task,
    promised: Task | None = None,
    *,
    of_branch: bool = True,
    base: str = "",
) -> str:
    """Say what a task lacks that asks for a review before its work at commit `head` may land; ""
    for nothing.

    Reviews count from the base, from `base` and, with `of_branch`, from `head`. It asks by what the
    branch says or what the base says (`promised`): a branch cannot lower its own risk.
    """
    if not rule.asked(task, promised) or task.claim is None:
        return ""
    commits = [*([head] if of_branch else []), project.base.commit, base]
    known = _known(project, [one for one in commits if one], task.id)
    digest = Content(project, head).digest((promised or task).scope)
    worker, not_by = task.claim.by, model_of(project, head, task)
    why = rule.missing(known, worker=worker, digest=digest, not_by=not_by)
    if not why or of_branch:
        return why
    if not base and waits_to_land(project, head, task, promised):
        branch, label = project.base.branch, project.base.label
        return f"its review is on the local {branch}, and not on {label} yet"
    brought = _known(project, [head], task.id)
    more = f" on {project.base.label}, and one that comes with the work may be the worker's own"
    return why + ("" if rule.missing(brought, worker=worker, digest=digest) else more)


def waits_to_land(project: Project, head: str, task: Task, promised: Task | None) -> bool:
    """Whether the local base has the review that work at `head` lacks, and its remote has not."""
    local = project.repository.refs.get(f"refs/heads/{project.base.branch}")
    if not project.base.remote or local is None or local.oid == project.base.commit:
        return False
    return not missing(project, head, task, promised, of_branch=False, base=local.oid)


def landing(project: Project) -> str:
    """Return the command that brings reviews of the local base to its remote."""
    return f"ralphgit land {shlex.quote(project.base.branch)}"


def model_of(project: Project, head: str, task: Task) -> str:
    """Return the model that did the work at commit `head`, where its own review does not count; ""
    where any does, or nobody knows.
    """
    if not project.config.review_other_model or task.claim is None:
        return ""
    from ralphgit.app.evidence import attempt_events  # seldom needed

    events = attempt_events.at(project, head, task.id, task.claim.id)
    told = (one.usage.model for one in reversed(events) if one.usage is not None)
    return next(filter(None, told), "")


def _known(project: Project, commits: Sequence[str], task: str) -> list[Review]:
    trees = [
        record_tree.commit_tree(project, commit, f"{commit[:12]}:")
        for commit in dict.fromkeys(commits)
    ]
    return [one for tree in trees for one in listed(project, tree, [task])]


def of_others(
    project: Project, head: str, paths: Iterable[str], tasks: Collection[str]
) -> list[tuple[str, Review]]:
    """Find which of the `paths` that work on `tasks` brings at commit `head` are reviews of other
    tasks: merged, they would be as good as what somebody else has recorded on the base.
    """
    folder = f"{project.config.records}/audit/"
    named = [path for path in paths if path.startswith(folder)]
    wanted = [path for path in named if path[len(folder) :].split("/")[0] not in tasks]
    contents = project.repository.objects.read(f"{head}:{path}" for path in wanted)
    found = []
    for path in wanted:
        try:
            one = codec.parse(contents.get(f"{head}:{path}", b"{}"))
        except InvalidRecord:
            continue  # which the gate reports
        if one is not None:
            found.append((path, one))
    return found


class Standing(NamedTuple):
    """The reviews on the base of the work at some commit."""

    all: tuple[Review, ...]
    """Of the task, whatever they are of, oldest first."""
    against: Review | None
    """The newest of this very content that wants it changed, unless that is settled."""
    of_this: tuple[Review, ...]
    """The newest of this very content by each reviewer but the worker."""
    counting: tuple[Review, ...]
    """Those that are not the clear word of the model that did the work itself."""


def on_base(project: Project, head: str, task: Task, promised: Task | None) -> Standing:
    """Find what reviewers have said on the base of a task's work at commit `head`."""
    known = _known(project, [project.base.commit], task.id)
    digest = Content(project, head).digest((promised or task).scope)
    worker = task.claim.by if task.claim else ""
    of_this = tuple(rule.standing(known, worker=worker, digest=digest))
    against = rule.against(known, worker=worker, digest=digest)
    counts = tuple(counting(project, head, task, of_this))
    return Standing(all=tuple(known), against=against, of_this=of_this, counting=counts)


def counting(project: Project, head: str, task: Task, reviews: Sequence[Review]) -> list[Review]:
    """Leave out what is the clear word of the model that did the work at `head` itself."""
    not_by = model_of(project, head, task)
    return [one for one in reviews if not rule.is_own_word(one, not_by)]


def require(project: Project, head: str) -> None:
    """Refuse to land `head` while it completes a task that asks for a review and has none on the
    base.

    One on the branch may be its worker's own, under another name.

    Raises: AwaitsPerson (review_missing).
    """
    base = project.base_view
    view = project.view(head, head[:12])
    for row in view.rows:
        known = base.by_id.get(row.id)
        if row.status != "complete" or (known is not None and known.status == "complete"):
            continue
        promised = base.task(row.id) if known is not None else None
        task = view.task(row.id)
        if why := missing(project, head, task, promised, of_branch=False):
            raise AwaitsPerson(
                f"{row.id} has {rule.asked(task, promised)}, and {why}; nothing was landed, and "
                "somebody else reviews it first",
                code="review_missing",
                hint=(
                    landing(project)
                    if waits_to_land(project, head, task, promised)
                    else command(row.id, head[:12])
                ),
                details={"task": row.id},
            )


def command(task: str, target: str) -> str:
    """Return the command that a reviewer runs."""
    return f"ralphgit audit add {task} --target {shlex.quote(target)} --verdict clear --by NAME"
