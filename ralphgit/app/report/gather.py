"""Gather what the page shows: tasks, needs, attempts, evidence and reviews. Reads only."""

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.active_claims import stuck_tasks
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.next_tasks import Pair
from ralphgit.app.evidence import judged_evidence
from ralphgit.app.evidence import reviews as review
from ralphgit.app.evidence.judged_evidence import TaskEvidence
from ralphgit.app.handoff import questions
from ralphgit.app.report.attempts import Attempt, attempts
from ralphgit.app.status import log, overview, task_list
from ralphgit.app.status.usage_sums import UsageSums
from ralphgit.app.status.workers import Busy
from ralphgit.app.workspace import revisions
from ralphgit.app.workspace.project import Project
from ralphgit.model.review import Review
from ralphgit.model.task import Lifecycle, Task, Usage
from ralphgit.model.task_status import State
from ralphgit.model.usage import in_words
from ralphgit.rules.picture_layout import Layout, layout
from ralphgit.rules.readiness import TaskState
from ralphgit.rules.review_verdict import OpenFinding, open_findings


class Need(NamedTuple):
    """Something that goes on only when a person acts."""

    code: str
    task: str
    """"" where it is about no one task."""
    title: str
    message: str
    options: tuple[str, ...]
    worker: str
    since: str
    waiting_s: float | None
    command: str


class Shown(NamedTuple):
    """One task."""

    task: Task
    """As it is promised."""
    task_state: TaskState
    where: str
    """Where its holder is; "" without one."""
    lifecycle: Lifecycle
    """How far it is: in the place of its holder, where that can be seen."""
    proofs: TaskEvidence | None
    """What speaks for it, judged in that place; None where there is nothing."""
    reviews: tuple[Review, ...]


class Worker(NamedTuple):
    """What a worker is at, as `status` has it."""

    name: str
    task: str
    """"" for none."""
    title: str
    state: str
    for_s: float | None
    changed: str
    """Files and lines, "" where that is unknown."""
    seen_s: float | None
    """Since the last sign of life."""
    reason: str
    """Why it is stuck; "" if it is not."""
    url: str
    """Of its pull request, if that is an address of the web."""
    where: str


class Used(NamedTuple):
    """What was used on a day, by a worker or for a story."""

    name: str
    said: str
    """In words."""
    share: float
    """Of the most of its kind, in percent: of the cost, of tokens where nobody says a cost."""


class Gathered(NamedTuple):
    repository: str
    revision: str
    """What the reader asked for; "" for the base and all that is in flight."""
    label: str
    commit: str
    generated: str
    needs: tuple[Need, ...]
    workers: tuple[Worker, ...]
    """Of the base and all active claims; none of a revision."""
    counts: Mapping[str, int]
    tasks: tuple[Shown, ...]
    layout: Layout
    attempts: tuple[Attempt, ...]
    open_findings: tuple[OpenFinding, ...]
    used: str
    """What all attempts have used, in words; "" of a revision, and where no agent has said it."""
    usage: tuple[tuple[str, tuple[Used, ...]], ...]
    """The same by day, worker and story."""


#: So many days, workers and stories are in the page.
_MOST_USED = 14


def gather(project: Project, revision: str = "") -> Gathered:
    """Gather what the base and all active claims have, or what `revision` alone has.

    Raises: InvalidRecord; GuardRefused (no_commit); UsageError (bad_revision).
    """
    place = _places(project)
    if revision:
        commit, label = revisions.commit_of(project, revision), revision
        pairs = task_list.listed(project, at=revision)
        counts = {state.value: 0 for state in State}
        for _, task_state in pairs:
            counts[task_state.state] += 1
        needs: tuple[Need, ...] = ()
        workers: tuple[Worker, ...] = ()
        entries, used = log.at_revision(project, revision), None
        shown = tuple(_shown(project, pairs, revision, place, active_scopes=False))
    else:
        claim_map = ClaimMap(project)
        found = overview.overview(project, claim_map)
        commit, label = project.base.commit, project.base.label
        pairs, counts, used = [*found.tasks], found.counts, found.usage
        needs = tuple(_needs(project, found, place))
        now = project.around.now()
        workers = tuple(_worker(one, now, place) for one in found.workers)
        entries = [
            one._replace(where=tuple(map(place, one.where)))
            for one in log.log(project, landings=False)
        ]
        at = project.base.ref if claim_map.base_is_committed else ""
        shown = tuple(_shown(project, pairs, at, place, active_scopes=True))
    task_states = {row.id: task_state for row, task_state in pairs}
    claims = ((row, one.task) for (row, _), one in zip(pairs, shown, strict=True))
    return Gathered(
        repository=project.repository.name,
        revision=revision,
        label=label,
        commit=commit,
        generated=project.now(),
        needs=needs,
        workers=workers,
        counts=counts,
        tasks=shown,
        layout=layout({row.id: row.depends_on for row, _ in pairs}),
        attempts=tuple(attempts(entries, task_states, claims)),
        open_findings=tuple(open_findings([one for task in shown for one in task.reviews])),
        used=in_words(used.total) if used is not None else "",
        usage=() if used is None else tuple(_used(used)),
    )


def _used(sums: UsageSums) -> Iterator[tuple[str, tuple[Used, ...]]]:
    if not sums.total.is_told:
        return
    for kind, group in (("day", sums.days), ("worker", sums.workers), ("story", sums.stories)):
        amounts = {name: _amount(one, sums.total) for name, one in group.items()}
        most = max(amounts.values(), default=0.0) or 1.0
        rows = tuple(
            Used(name, in_words(one), round(100 * amounts[name] / most, 1))
            for name, one in group.items()
        )
        if rows:
            yield kind, rows[:_MOST_USED]


def _amount(one: Usage, of: Usage) -> float:
    """What is compared: US dollars, or tokens where nobody says any."""
    return (one.cost_usd or 0.0) if of.cost_usd else one.input_tokens + one.output_tokens


def _places(project: Project) -> Callable[[str], str]:
    """How a text that names a worktree names it in the page.

    A page is handed on, so no folder of this machine is in it: each stands as it is seen from the
    main worktree.
    """
    worktrees = project.repository.worktrees
    main = worktrees[0].path
    here = project.repository.top
    names = {one.path: os.path.relpath(one.path, main) for one in worktrees}
    spelled = {
        known: name
        for path, name in names.items()
        for known in (path, project.show_path(path), shlex.quote(path))
        if len(known) > 2  # not "." and ".."
    }
    longest_first = sorted(spelled, key=len, reverse=True)
    own = names.get(here or "", os.path.basename(here or ""))

    def shown(text: str) -> str:
        if text.startswith("this worktree"):
            text = text.replace("this worktree", f"worktree {own}", 1)
        for path in longest_first:
            if path in text:
                return text.replace(path, spelled[path])
        return text

    return shown


# -- what needs a person -----------------------------------------------------------------


#: What `overview` says too of a task that the inbox has.
_TWICE = (
    "blocked", questions.STALE, *questions.PULLS, questions.CONCERNS, questions.UNFINISHED,
    questions.UNREVIEWED, questions.AGENT, questions.DECLINED, *stuck_tasks.CODES,
)  # fmt: skip
#: The inbox's reasons that are not reasons of a block.
_KINDS = (
    questions.STALE, *questions.PULLS, questions.UNREVIEWED, questions.CONCERNS,
    questions.UNFINISHED, questions.AGENT, questions.DECLINED, *stuck_tasks.CODES,
)  # fmt: skip


def _needs(
    project: Project, found: overview.Overview, place: Callable[[str], str]
) -> Iterator[Need]:
    """The inbox, which says most, and then what else `status` calls attention to."""
    told = set()
    for one in questions.questions(project):
        told.add(one.task)
        code = one.reason if one.reason in _KINDS else "blocked"
        # What somebody asks stays as it is; the rest are sentences of ours.
        message = one.question if code == "blocked" else place(one.question)
        yield Need(
            code, one.task, one.title, message or f"blocked: {one.reason}",
            one.options, one.worker, one.since, one.waiting_s, place(one.command),
        )  # fmt: skip
    titles = {row.id: row.title for row, _ in found.tasks}
    for item in found.attention:
        if item.code not in _TWICE or item.task not in told:
            yield Need(
                item.code, item.task, titles.get(item.task, ""), place(item.message),
                (), "", "", None, place(item.hint),
            )  # fmt: skip


def _worker(one: Busy, now: float, place: Callable[[str], str]) -> Worker:
    return Worker(
        name=one.name,
        task=one.task,
        title=one.title,
        state=one.state,
        for_s=one.for_s,
        changed=one.changed,
        seen_s=None if one.seen is None else max(0.0, round(now - one.seen, 1)),
        reason=place(one.reason),
        url=one.url if one.url.startswith(("https://", "http://")) else "",
        where=place(one.where),
    )


# -- tasks -------------------------------------------------------------------------------


def _shown(
    project: Project,
    pairs: Sequence[Pair],
    at: str,
    place: Callable[[str], str],
    *,
    active_scopes: bool,
) -> Iterator[Shown]:
    """Every task with its evidence and reviews as they are `at` a revision; of what is on a
    branch in flight, as that branch has it.
    """
    reviews: dict[str, list[Review]] = {}
    lifecycles: dict[str, Lifecycle] = {}
    with judged_evidence.place(project, at) as where:
        promised = {row.id: where.view.task(row.id) for row, _ in pairs}
        proofs = {one.row.id: one for one in judged_evidence.surveyed(project, where)}
        for one in review.listed(project, where.tree):
            reviews.setdefault(one.task, []).append(one)
    progress, branches = project.around.progress, _branches(pairs) if active_scopes else {}
    for ref, ids in progress.through("branches", [*branches.items()]):
        with judged_evidence.place(project, ref) as where:
            here = [name for name in ids if name in where.view.by_id]
            lifecycles.update({name: where.view.task(name).lifecycle for name in here})
            proofs.update(
                {one.row.id: one for one in judged_evidence.surveyed(project, where, here)}
            )
            for name in here:
                reviews[name] = review.listed(project, where.tree, [name])
    for row, task_state in progress.through("tasks", pairs):
        task = promised[row.id]
        known = proofs.get(row.id)
        holder = task_state.holder
        yield Shown(
            task,
            task_state,
            place(holder.where) if holder is not None and holder.kind != "base" else "",
            lifecycles.get(row.id, task.lifecycle),
            known if known is not None and known.records else None,
            tuple(reviews.get(row.id, ())),
        )


def _branches(pairs: Sequence[Pair]) -> dict[str, list[str]]:
    """The branches on which tasks are in flight."""
    found: dict[str, list[str]] = {}
    for row, task_state in pairs:
        if task_state.holder is not None and task_state.holder.ref:
            found.setdefault(task_state.holder.ref, []).append(row.id)
    return found
