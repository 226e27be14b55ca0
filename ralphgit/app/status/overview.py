"""`status`: what needs a person, who does what, how far everything is."""

from __future__ import annotations

import os
from typing import NamedTuple

from ralphgit.app.active_claims import own_claims
from ralphgit.app.active_claims.claim_map import RESCUE, ClaimMap, question
from ralphgit.app.active_claims.next_tasks import Pair
from ralphgit.app.handoff import questions
from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.model.printable import counted
from ralphgit.model.task_status import State
from ralphgit.rules import lost_claim


class Attention(NamedTuple):
    """Something that will not go on by itself."""

    code: str
    task: str
    message: str
    hint: str


class Busy(NamedTuple):
    """A worktree that holds, or could hold, a claim."""

    name: str
    path: str
    branch: str
    task: str
    claim: str
    since: str
    beat: float | None
    """When its loop last gave a sign of life, seconds since 1970."""
    phase: str
    stale: bool


class Overview(NamedTuple):
    base: dict[str, object]
    counts: dict[str, int]
    tasks: list[Pair]
    workers: list[Busy]
    attention: list[Attention]


def overview(project: Project, claim_map: ClaimMap | None = None) -> Overview:
    """Everything at a glance. Reads only.

    Raises: InvalidRecord, GuardRefused (no_commit).
    """
    claim_map = claim_map or ClaimMap(project)
    task_states = claim_map.task_states
    counts = {state.value: 0 for state in State}
    for task_state in task_states.values():
        counts[task_state.state] += 1
    base = project.base
    ahead = project.local_base_ahead()
    about: dict[str, object] = {
        "branch": base.branch,
        "remote": base.remote or None,
        "ref": base.label,
        "commit": base.commit,
        "local_ahead": ahead,
    }
    if ahead:
        project.warn(
            f"the local {base.branch} is {counted(ahead, 'commit')} ahead of "
            f"{base.label}, which decides: git push {base.remote} {base.branch}"
        )
    workers = _workers(project, claim_map)
    return Overview(
        about,
        counts,
        [(row, task_states[row.id]) for row in claim_map.base.rows],
        workers,
        _attention(project, claim_map, workers),
    )


def _workers(project: Project, claim_map: ClaimMap) -> list[Busy]:
    """Every worktree that holds a claim, and this one."""
    found = []
    by_path: dict[str, list[tuple[str, str, str, str, bool]]] = {}
    for task, task_state in claim_map.task_states.items():
        holder = task_state.holder
        if holder is None or not holder.path or task_state.state not in ("claimed", "in-progress"):
            continue
        path = os.path.realpath(holder.path)
        by_path.setdefault(path, []).append(
            (task, holder.by, holder.claim, holder.at, task_state.stale)
        )
    branches = {os.path.realpath(w.path): w.branch for w in project.repository.worktrees}
    for path, claims in sorted(by_path.items()):
        beat = heartbeat.read(path)
        for task, by, claim, since, stale in claims:
            branch = branches.get(path, "").removeprefix("refs/heads/")
            mine_ = beat if beat is not None and beat.claim == claim else None
            found.append(
                Busy(
                    by,
                    path,
                    branch,
                    task,
                    claim,
                    since,
                    mine_.time if mine_ else None,
                    mine_.phase if mine_ else "",
                    stale,
                )
            )
    return found


def _attention(project: Project, claim_map: ClaimMap, workers: list[Busy]) -> list[Attention]:
    found: list[Attention] = []
    rows = claim_map.base.by_id
    for task, task_state in claim_map.task_states.items():
        if task_state.state == "blocked":
            holder = task_state.holder
            who = f" by {holder.by}" if holder else ""
            note = holder.note if holder else ""
            if not note and rows[task].status == "blocked":
                note = question(rows[task])
            note = note.split("\n")[0].rstrip()
            message = f"{task} is blocked{who}" + (f" ({note})" if note else "")
            found.append(Attention("blocked", task, message, f'ralphgit reply {task} "TEXT"'))
        if task_state.stale and task_state.holder is not None:
            found.append(
                Attention(
                    "stale",
                    task,
                    f"{task} is held by {task_state.holder.by}, who is gone or silent "
                    f"({task_state.holder.where})",
                    questions.reset_command(project, task),
                )
            )
        for active in {active.claim: active for active in reversed(task_state.lost)}.values():
            found.append(
                Attention(
                    "claim_lost",
                    task,
                    f"the claim of {active.by} on {task} in {active.where} can no longer land",
                    f"ralphgit show {task}",
                )
            )
        claims = {
            f.claim for f in claim_map.active_claims.get(task, ()) if f.epoch >= rows[task].epoch
        }
        if (
            len(claims) > 1
            and task_state.state in ("claimed", "in-progress", "in-review")
            and not task_state.lost
        ):
            names = ", ".join(
                sorted({f"{f.by} ({f.where})" for f in claim_map.active_claims[task]})
            )
            found.append(
                Attention(
                    "double_claim",
                    task,
                    f"{task} is claimed twice: {names}; the first to merge has it",
                    f"ralphgit show {task}",
                )
            )
    for pull in questions.refused(claim_map):
        found.append(
            Attention(
                questions.REFUSED,
                pull.task,
                f"{pull.task} is complete, and {questions.refused_sentence(pull)}",
                questions.give_up_command(project, pull.task),
            )
        )
    missing = [
        f"{row.id} depends on {other}"
        for row in claim_map.base.rows
        for other in row.depends_on
        if other not in rows
    ]
    if missing:
        found.append(
            Attention(
                "unknown_dependency",
                "",
                f"{missing[0]}, which does not exist"
                + (f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""),
                "ralphgit check",
            )
        )
    if project.repository.top is not None:
        for lease in own_claims.open_claims(project, claim_map):
            row = project.here.by_id.get(lease.task)
            if lost_claim.is_dead(lease, rows.get(lease.task)):
                continue
            if row is None or row.claim != lease.claim:
                found.append(
                    Attention(
                        "record_missing",
                        lease.task,
                        f"this worktree holds {lease.task}, and its claim is not in the files",
                        f"ralphgit claim {lease.task}",
                    )
                )
    rescued = sorted(name for name in project.repository.refs if name.startswith(RESCUE))
    if rescued:
        found.append(
            Attention(
                "rescued",
                "",
                f"{counted(len(rescued), 'rescue ref')} with kept work, the first: {rescued[0]}",
                "git for-each-ref refs/ralph/rescue",
            )
        )
    return found
