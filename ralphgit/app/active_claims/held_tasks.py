"""Name who has a task in hand that is about to be moved or changed under him."""

from __future__ import annotations

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.rules import lost_claim
from ralphgit.rules.readiness import ACTIVE_STATES


def held_tasks(claim_map: ClaimMap) -> dict[str, str]:
    """Say of each task with an active claim who has it, by task; one that was claimed by hand has
    none, and one that is blocked on the base is in nobody's hands.
    """
    held: dict[str, str] = {}
    for row, task_state in claim_map.task_states.noted:
        holder = task_state.holder
        beside = task_state.state == "blocked" and holder is not None and holder.kind != "base"
        by_hand = holder is not None and not holder.claim
        if (task_state.state in ACTIVE_STATES or beside) and not by_hand:
            who = f": {holder.by}, {holder.where}" if holder is not None else ""
            held[row.id] = f"{row.id} ({task_state.state}){who}"
    for task, active_claims in claim_map.active_claims.items():
        claims = [active for active in active_claims if active.claim]
        if task not in claim_map.base.by_id and claims:
            held[task] = f"{task} (not on the base): {claims[0].by}, {claims[0].where}"
    for task, lease in claim_map.leases.items():
        if not lost_claim.is_overtaken(lease, claim_map.base.known(task)):
            held.setdefault(task, f"{task} (leased): {lease.by}, {lease.worktree}")
    return held
