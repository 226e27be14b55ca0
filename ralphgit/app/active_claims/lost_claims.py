"""Find out whether a claim is lost, and who has its task: by base, leases and the base's history.

What base and lease alone say is decided in `rules.lost_claim`.
"""

from __future__ import annotations

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.active_claims.other_bases import has_remote_leases
from ralphgit.app.workspace import taken_back
from ralphgit.git import worktrees
from ralphgit.model.active_claim import Lease
from ralphgit.rules import lost_claim
from ralphgit.rules.contract_digest import keeps
from ralphgit.rules.lost_claim import Cause, Winner


def winner_over(claim_map: ClaimMap, mine: Lease, *, head: str = "") -> Winner | None:
    """Who has taken the task from under `mine`, as far as it can be seen; None while it holds.

    `head` is the commit with its work; "" is HEAD of this worktree.
    """
    row, lease = claim_map.base.known(mine.task), claim_map.leases.get(mine.task)
    found = lost_claim.winner_over(mine, row, lease, base=claim_map.project.base.label)
    if found is not None and found.cause is Cause.LEASED:
        if _is_recorded(claim_map, found):
            return found._replace(where=claim_map.project.show_path(found.where))
        found = None
    return found or withdrawn(claim_map, (mine.task, mine.claim, mine.base), head)


def _is_recorded(claim_map: ClaimMap, winner: Winner) -> bool:
    """Whether anything but the lease has the claim: a ref alone, which anybody can write, takes
    no task. Of other machines there may be nothing but their lease.
    """
    if has_remote_leases(claim_map.project):
        return True
    claims = claim_map.active_claims.get(winner.task, ())
    return any(one.claim == winner.claim and one.kind != "lease" for one in claims)


def asked_anew(claim_map: ClaimMap, mine: Lease) -> Winner | None:
    """Whether the base asks for something else than the claim `mine`, or what it has accepted
    since; a loop then begins again, and a worker by hand may accept it.
    """
    project, base = claim_map.project, claim_map.base
    here = project.here.by_id.get(mine.task)
    if mine.task not in base.by_id:
        return None
    recorded = here is not None and here.claim == mine.claim
    promised, title = base.task(mine.task), here.title if here is not None else ""
    digest = here.contract if here is not None and recorded else mine.contract
    if keeps(promised, digest, title) or keeps(promised, mine.contract, title):
        return None
    return Winner(mine.task, Cause.ASKED_ANEW, base.label)


def withdrawn(claim_map: ClaimMap, mine: tuple[str, str, str], head: str) -> Winner | None:
    """What the base's history says against a claim, though no other claim has replaced it.

    `mine` is its task, its id, and the commit that it was made from.

    Merging would bring back what was taken out of the base (law L12).
    """
    task, claim, begun_at = mine
    project, base = claim_map.project, claim_map.project.base
    row = claim_map.base.known(task)
    is_new = row is not None and row.claim != claim
    if is_new and (taken := taken_back.of(project, task, claim, begun_at)):
        return Winner(task, Cause.TAKEN_BACK, base.label, taken_back=taken)
    head = head or project.repository.known_head
    if taken_back.has_gone(project, head):
        return Winner(task, Cause.REWRITTEN, base.label)
    if not begun_at or base.commit.startswith(begun_at):
        return None
    begun = project.repository.objects.resolve([f"{begun_at}^{{commit}}"])[0]
    if begun is None or not head:
        return None
    git = project.repository.git
    if not worktrees.is_ancestor(git, begun, base.commit):
        if worktrees.is_ancestor(git, begun, head):
            return Winner(task, Cause.REWRITTEN, base.label)
        return None
    if row is None:
        from ralphgit.app.active_claims import removed_tasks

        if not removed_tasks.was_on_base(project, task, begun):
            return None
        now = removed_tasks.renamed(project, claim_map.base, task, begun)
        return Winner(task, Cause.REMOVED, base.label, now=now)
    if row.claim == claim:
        return None
    fork = worktrees.fork(git, base.commit, head)
    there = project.view(fork, fork[:12]).by_id.get(task) if fork else None
    if there is not None and there.claim == claim:
        return Winner(task, Cause.TAKEN_BACK, base.label)
    return None
