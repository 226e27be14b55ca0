"""Sum up the project for `status`: what needs a person, who does what, how far everything is."""

import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ralphgit.app.active_claims import (
    concerns,
    next_tasks,
    own_claims,
    recovery_commands,
    stuck_pull_requests,
)
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.next_tasks import Pair
from ralphgit.app.active_claims.sightings import question
from ralphgit.app.base import records_in_review, unfinished_claims
from ralphgit.app.handoff import questions
from ralphgit.app.status import usage_sums
from ralphgit.app.status.usage_sums import UsageSums
from ralphgit.app.status.workers import Busy, workers
from ralphgit.app.workspace import agent_pause
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RalphError
from ralphgit.model import graph_index
from ralphgit.model.active_claim import RESCUE, ActiveClaim
from ralphgit.model.printable import counted
from ralphgit.model.task_status import State
from ralphgit.rules import lost_claim
from ralphgit.rules.claim_options import ClaimOptions
from ralphgit.rules.indexed_states import Made


class Attention(NamedTuple):
    """Something that will not go on by itself."""

    code: str
    task: str
    message: str
    hint: str


class Overview(NamedTuple):
    base: dict[str, object]
    counts: dict[str, int]
    tasks: Sequence[Pair]
    open: Sequence[Pair]
    """The tasks that are not finished: first what is under way, then what can be taken."""
    workers: list[Busy]
    attention: list[Attention]
    unverified: list[str]
    """Complete tasks, landed or in review, that nothing has verified."""
    next: Sequence[Pair]
    """What can be claimed, in the order in which it would be."""
    nothing: RalphError | None
    """Why nothing can be; None where something can."""
    usage: UsageSums


#: In the order in which `status` lists them.
OPEN_STATES = ("blocked", "in-review", "in-progress", "claimed", "ready", "waiting")


def overview(project: Project, claim_map: ClaimMap | None = None) -> Overview:
    """Sum up the tasks, the workers and what needs attention. Reads only.

    Raises: InvalidRecord, GuardRefused (no_commit).
    """
    claim_map = claim_map or ClaimMap(project)
    task_states = claim_map.task_states
    counts = {state.value: task_states.counts.get(state, 0) for state in State}
    base = project.base
    ahead = project.local_base_ahead()
    if ahead:
        from ralphgit.app.status import local_base  # seldom needed

        local_base.warn_if_ahead(project)
    about: dict[str, object] = {
        "branch": base.branch,
        "remote": base.remote or None,
        "ref": base.label,
        "commit": base.commit,
        "local_ahead": ahead,
    }
    tasks = Made(range(len(claim_map.base.rows)), task_states.pair)
    unverified = list(_unverified(project, claim_map))
    found = next_tasks.takeable(project, claim_map=claim_map)
    attention = [*_attention(project, claim_map), *_stuck(claim_map, found)]
    nothing = None if found.tasks else _nothing(claim_map, found)
    merged = {one.task for one in attention if one.code == "unfinished_claim"}
    busy = workers(project, claim_map, merged)
    used = usage_sums.sums(project)
    opened = task_states.in_states(OPEN_STATES)
    return Overview(
        about, counts, tasks, opened, busy, attention, unverified, found.tasks, nothing, used
    )


def _nothing(claim_map: ClaimMap, found: next_tasks.Takeable) -> RalphError:
    from ralphgit.app.lifecycle import idle_errors

    return idle_errors.nothing(claim_map, ClaimOptions(), found)


def _kept(project: Project, claim_map: ClaimMap) -> Iterator[str]:
    """Find kept work of tasks that are to be done yet."""
    for ref in sorted(project.repository.refs):
        if not ref.startswith(RESCUE):
            continue
        from ralphgit.app.lifecycle import rescued_work  # seldom needed

        name = ref.removeprefix(RESCUE)
        row = claim_map.base.known(name.partition("/")[0])
        is_over = row is not None and row.status in ("complete", "cancelled")
        if not is_over and rescued_work.has_work(project, ref):
            yield name


def _unknown_dependencies(claim_map: ClaimMap) -> list[str]:
    """Each dependency of a task on the base that names no task, as a sentence."""
    base = claim_map.base
    return [
        f"{row.id} depends on {other}, which does not exist"
        for row in (base.rows[number] for number in base.index.unmet)
        for other in row.depends_on
        if other not in base.by_id
    ]


def _stuck(claim_map: ClaimMap, found: next_tasks.Takeable) -> Iterator[Attention]:
    """Find what nobody can take; what depends on cancelled tasks in one sentence."""
    if not found.obstacles and not claim_map.task_states.counts.get(State.CANCELLED):
        return
    from ralphgit.app.active_claims import stuck_tasks  # seldom needed

    cancelled: list[Attention] = []
    for one in stuck_tasks.found(claim_map, found.obstacles):
        if one.code == stuck_tasks.CANCELLED:
            cancelled.append(Attention(*one))
        else:
            yield Attention(*one)
    for first in cancelled[:1]:
        more = len(cancelled) - 1
        told = first._replace(message=f"{first.message} (and {more} more)", hint="ralphgit inbox")
        yield told if more else first


def _set_by_hand(active: ActiveClaim) -> Attention:
    message = f"{active.task} was made complete by hand, under no claim ({active.where})"
    branch = shlex.quote(active.ref.removeprefix("refs/heads/").removeprefix("refs/remotes/"))
    hint = f"ralphgit -C {shlex.quote(active.path)} check"
    hint = f"ralphgit check {branch}" if active.ref else hint
    return Attention("set_by_hand", active.task, message, hint)


def _unreviewed(claim_map: ClaimMap, task: str, holder: ActiveClaim) -> Iterator[Attention]:
    from ralphgit.app.evidence import awaited_reviews

    one = awaited_reviews.awaited(claim_map, task, holder)
    if one is not None and not one.by:
        message = f"{task} is complete, and waits for a review: {one.why}"
        yield Attention(questions.UNREVIEWED, task, message, one.command)


def _unverified(project: Project, claim_map: ClaimMap) -> Iterator[str]:
    """Find tasks completed under a claim that nothing has verified: of those that have landed, the
    ones without any evidence.
    """
    found, more = _without_evidence(project, claim_map.base), []
    for row, task_state in claim_map.task_states.noted:
        holder = task_state.holder
        if task_state.state != State.IN_REVIEW or holder is None:
            continue
        ref = project.repository.refs.get(holder.ref)
        if ref is not None and not _is_verified(project, row.id, ref.oid):
            more.append((claim_map.base.number(row.id) or 0, row.id))
    together = {task: None for _, task in sorted([*found, *more])} if more else None
    yield from together or (task for _, task in found)


def _without_evidence(project: Project, base: GraphView) -> list[tuple[int, str]]:
    """The tasks complete on the base under a claim, of which there is no evidence, by number."""
    objects, folder = project.repository.objects, f"{project.config.records}/evidence"
    there = objects.resolve([f"{project.base.commit}:{folder}"])[0] or ""
    about, name = (there, base.shards), "tasks without evidence"
    kept = project.cache.kept(name)
    if kept is not None and kept[0] == about:
        return list(kept[1])
    known = objects.trees([there])[there] if there else {}
    numbers = base.index.numbers(graph_index.CLAIMED)
    ids = ((number, base.rows[number].id) for number in numbers)
    found = [(number, task) for number, task in ids if task not in known]
    project.cache.keep(name, (about, found))
    return found


def _is_verified(project: Project, task: str, commit: str) -> bool:
    from ralphgit.app.evidence import completion_proof

    return completion_proof.of_commit(project, task, commit).is_verified


def _is_asked_anew(claim_map: ClaimMap, holder: ActiveClaim) -> bool:
    """Whether the base asks for something else than what a person's worker has claimed; a loop
    begins such a task again by itself.
    """
    lease = claim_map.leases.get(holder.task)
    if lease is None or lease.claim != holder.claim or lease.loop:
        return False
    from ralphgit.rules.contract_digest import keeps  # of few claims is it asked

    return not keeps(claim_map.base.task(holder.task), lease.contract)


def _attention(project: Project, claim_map: ClaimMap) -> Iterator[Attention]:
    rows, base = claim_map.base.by_id, project.base.branch
    unfinished = {one.task: one for one in unfinished_claims.found(project, claim_map)}
    changes = records_in_review.waiting(project)
    freed = records_in_review.freed(project, changes)
    for noted, task_state in claim_map.task_states.noted:
        task = noted.id
        if task in freed:
            continue  # what is to be said of it is answered once that is merged
        holder, show = task_state.holder, f"ralphgit show {task}"
        if task_state.state == "blocked":
            who = f" by {holder.by}" if holder else ""
            note = holder.note if holder else ""
            if not note and rows[task].status == "blocked":
                note = question(rows[task])
            note = note.split("\n")[0].rstrip()
            message = f"{task} is blocked{who}" + (f" ({note})" if note else "")
            if held := questions.asked(claim_map, task).holds_back:
                message += f"; it holds back {', '.join(held)}"
            yield Attention("blocked", task, message, f'ralphgit reply {task} "TEXT"')
        if merged := unfinished.get(task):
            message = merged.sentence(project)
            yield Attention("unfinished_claim", task, message, merged.hint)
        elif task_state.stale and holder is not None:
            message = f"{task} is claimed by {holder.by}, who is gone or silent ({holder.where})"
            yield Attention(
                "stale", task, message, recovery_commands.stale_command(project, holder)
            )
        in_review = holder if task_state.state == State.IN_REVIEW else None
        if in_review is not None and (told := concerns.concerns(project, in_review)):
            message = f"{task} is complete, and {in_review.by} is not sure: {'; '.join(told)}"
            hint = concerns.command(in_review)
            yield Attention(questions.CONCERNS, task, message, hint)
        if in_review is not None:
            yield from _unreviewed(claim_map, task, in_review)
        for active in {active.claim: active for active in reversed(task_state.lost)}.values():
            message = f"the claim of {active.by} on {task} in {active.where} can no longer land"
            yield Attention("claim_lost", task, message, show)
        if in_review is None and holder is not None and _is_asked_anew(claim_map, holder):
            message = f"what {task} promises has changed on {base} since {holder.by} claimed it"
            hint = f"ralphgit show {task} --at {shlex.quote(project.base.label)}"
            yield Attention("contract_changed", task, message, hint)
        claims = claim_map.active_claims.get(task, ())
        open_claims = {one.claim for one in claims if one.epoch >= rows[task].epoch}
        begun = task_state.state in ("claimed", "in-progress", "in-review")
        if task_state.state == "in-review" and holder is not None and not holder.claim:
            yield _set_by_hand(holder)
        if len(open_claims) > 1 and begun and not task_state.lost:
            names = ", ".join(sorted({f"{one.by} ({one.where})" for one in claims}))
            message = f"{task} is claimed twice: {names}; the first to merge has it"
            yield Attention("double_claim", task, message, show)
    for task, gone in claim_map.removed.items():
        said, hint = gone.sentence(project.base.label), gone.hint(project)
        yield Attention("task_removed", task, said, hint)
    for active, pull in stuck_pull_requests.found(claim_map):
        message = f"{pull.task} is complete, and {stuck_pull_requests.sentence(pull)}"
        hint = stuck_pull_requests.command(project, active, pull)
        yield Attention(pull.event, pull.task, message, hint)
    for change in changes:
        yield Attention(
            questions.IN_REVIEW, "".join(change.tasks[:1]), change.sentence(base), change.command
        )
    if missing := _unknown_dependencies(claim_map):
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        yield Attention("unknown_dependency", "", missing[0] + more, "ralphgit check")
    if project.repository.top is not None:
        for lease in own_claims.open_claims(project, claim_map):
            row = project.here.by_id.get(lease.task)
            lost = lost_claim.is_overtaken(lease, claim_map.base.known(lease.task))
            if not lost and (row is None or row.claim != lease.claim):
                message = (
                    f"this worktree has claimed {lease.task}, but its files do not have the claim"
                )
                hint = f"ralphgit claim {lease.task}"
                yield Attention("record_missing", lease.task, message, hint)
    for pause in agent_pause.unavailable(project):
        message = f"{agent_pause.shown(pause.agent)} cannot work: {pause.said}"
        yield Attention(questions.AGENT, "", message, questions.TRY_AGAIN)
    for task, said in questions.declined(claim_map).items():
        message = f"no hook let in a commit of {task}: {said}"
        yield Attention(questions.DECLINED, task, message, questions.TRY_AGAIN)
    if kept := list(_kept(project, claim_map)):
        message = f"{counted(len(kept), 'rescue ref')} with kept work, the first: {kept[0]}"
        yield Attention("rescued", "", message, "ralphgit rescue list")
