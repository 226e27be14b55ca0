"""Find claims that the base has without their completion, and that nobody works on."""

import os
from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app.active_claims import recovery_commands
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.workspace import heartbeat, runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.git import worktrees
from ralphgit.git.listings import Worktree
from ralphgit.model import graph_index
from ralphgit.model.active_claim import ActiveClaim
from ralphgit.model.task_row import Row
from ralphgit.records.schemas import audit_path
from ralphgit.rules import readiness


class UnfinishedClaim(NamedTuple):
    """A claim that somebody has merged, its work perhaps, and not its completion."""

    task: str
    by: str
    commit: str
    """The commit of the base that brought it; "" where its history does not say."""

    def sentence(self, project: Project) -> str:
        base = project.base.label
        free = recovery_commands.as_typed_here(project, f"ralphgit reset {self.task}")
        return (
            f"the claim of {self.by} on {self.task} was merged into {base} without its completion; "
            f"if that was not the work, {free} frees it"
        )

    @property
    def hint(self) -> str:
        """The command that ends it where what was merged is the work."""
        return f"ralphgit complete {self.task} --by {self.commit[:12] or 'COMMIT'}"


def found(project: Project, claim_map: ClaimMap) -> Iterator[UnfinishedClaim]:
    """List the tasks that the base holds for nobody. Reads only.

    A branch with more of the claim, a worktree with work that the base lacks, a loop that is
    alive, and a lease of another machine are each somebody who may still complete it.
    """
    base = claim_map.base
    for number in base.index.numbers(graph_index.IN_PROGRESS):
        row = base.rows[number]
        if not row.claim or not claim_map.base_is_committed:
            continue
        count, _ = readiness.in_force(row, claim_map.active_claims.get(row.id, ()))
        elsewhere = any(_may_complete(project, claim_map, row, active) for active in count)
        if not elsewhere and not _is_worked_on(project, claim_map, row):
            yield UnfinishedClaim(row.id, row.by, _brought(project, row))


def _may_complete(project: Project, claim_map: ClaimMap, row: Row, active: ActiveClaim) -> bool:
    if active.kind != "lease" or active.claim != row.claim:
        return True
    # Of a task that the base has renamed it is under the old id.
    leases = [one for one in claim_map.leases.values() if one.claim == active.claim]
    return any(one.host != heartbeat.host() for one in leases)


def _is_worked_on(project: Project, claim_map: ClaimMap, row: Row) -> bool:
    """Whether the worktree of the claim, by its lease or its note, has more than the base."""
    lease = claim_map.leases.get(row.id)
    leased = lease.worktree if lease is not None and lease.claim == row.claim else ""
    for there in project.repository.worktrees:
        if not there.exists:
            continue
        noted = runtime_files.remembered(there.path)
        own = noted is not None and noted.claim == row.claim
        if (own or _same(there.path, leased)) and _has_more(project, there, row):
            return True
    return False


def _same(one: str, other: str) -> bool:
    return bool(other) and os.path.realpath(one) == os.path.realpath(other)


def _has_more(project: Project, there: Worktree, row: Row) -> bool:
    """Whether a worktree has work that the base lacks, or a loop that is alive."""
    beat = heartbeat.read(there.path)
    own = beat is not None and beat.claim == row.claim
    if own and beat is not None and heartbeat.alive(beat, project.around.now()):
        return True
    from ralphgit.app.base import is_landed

    if there.head and not is_landed.landed(project, there.head):
        return True
    beside = project.repository.beside(there)
    told = (beside.git, there.path, beside.git_dir, beside.common_dir)
    changed = worktrees.changes(worktrees.begin_changes(*told))
    return changed is None or bool(changed.paths)


def _brought(project: Project, row: Row) -> str:
    """The commit of the base's first-parent line that brought the claim's audit."""
    path = audit_path(project.config.records, row.id, row.claim)
    out = project.repository.git.run(
        "--literal-pathspecs", "log", "--first-parent", "--format=%H", "--diff-filter=A",
        "--max-count=1", project.base.commit, "--", path,
    )  # fmt: skip
    return out.decode().strip()
