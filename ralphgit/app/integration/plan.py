"""Plan an integration: the order of the branches, their conflicts, and their proofs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.evidence import judged_evidence
from ralphgit.app.evidence.proofs import Proof, proofs_of
from ralphgit.app.evidence.tree_digest import in_scope
from ralphgit.app.integration import reconcile
from ralphgit.app.integration.reconcile import Reconciled
from ralphgit.app.workspace.project import Project
from ralphgit.errors import UsageError
from ralphgit.git import merge_preview, worktrees
from ralphgit.model.task_row import Row
from ralphgit.rules import integration_order
from ralphgit.rules.integration_order import Branch, Foreseen, Pair

BASE = ""
"""Who owns what was complete on the base before."""


class Meeting(NamedTuple):
    """Two branches that conflict when they are merged."""

    paths: tuple[str, ...]
    foreseen: Foreseen | None
    """What the packets say of it, if they say anything."""


class Plan(NamedTuple):
    """The branches in the order in which they are to be merged, and what is known of them."""

    branches: tuple[Branch, ...]
    reconciled: Mapping[str, Reconciled]
    meetings: Mapping[Pair, Meeting]
    depends: Mapping[str, frozenset[str]]
    proofs: tuple[Proof, ...]

    generated: tuple[str, ...]
    """Patterns of generated files, as they are configured."""

    def foreseen(self, one: Branch, other: Branch) -> Foreseen | None:
        return integration_order.foreseen(one, other, self.depends, self.generated)


def plan(project: Project, names: Sequence[str]) -> Plan:
    """Compare the branches with their packets and with each other. Reads only.

    Raises: UsageError (bad_revision, not_a_worker, same_task), InvalidRecord, GuardRefused.
    """
    found = {one.branch: one for one in reconcile.reconcile(project, names)}
    base = project.base_view
    brought = [one for one in found.values() if one.tasks]
    for one in found.values():
        if not one.tasks:
            project.warn(one.issues[0].message)
    below = {one.branch: _below(project, one, brought) for one in brought}
    branches = []
    for one in brought:
        view = project.view(one.commit, one.branch)
        # What a branch that it is stacked on brings, it does not bring again.
        known = {task for other in below[one.branch] for task in other.tasks}
        own = [task for task in one.tasks if task not in known] or one.tasks
        rows = tuple(base.by_id.get(task) or view.row(task) for task in own)
        branches.append(Branch(one.branch, one.commit, rows, one.files))
    _refuse_same(branches)
    place = {row.id: number for number, row in enumerate(base.rows)}
    last = len(place)
    # By priority, then by the place in the graph, of the most urgent task.
    branches.sort(key=lambda one: min((row.priority, place.get(row.id, last)) for row in one.rows))
    depends = _closure({row.id: row.depends_on for row in base.rows}, branches)
    by_tip = {branch.commit: branch for branch in branches}
    meetings = {}
    tips_of_two = [*by_tip] if len(by_tip) > 1 else []
    pairs = merge_preview.pairwise(project.repository, project.base.commit, tips_of_two)
    for tips, paths in pairs.between.items():
        first, second = (by_tip[tip] for tip in tips)
        said = integration_order.foreseen(first, second, depends, project.config.generated)
        meetings[integration_order.pair(first.name, second.name)] = Meeting(paths, said)
    conflicts = {pair: met.paths for pair, met in meetings.items()}
    stacked = {name: frozenset(one.branch for one in others) for name, others in below.items()}
    ordered = integration_order.order(branches, conflicts, depends, stacked)
    proofs = tuple(_proofs(project, ordered))
    return Plan(tuple(ordered), found, meetings, depends, proofs, project.config.generated)


def _refuse_same(branches: Sequence[Branch]) -> None:
    owner: dict[str, str] = {}
    for branch in branches:
        for row in branch.rows:
            first = owner.setdefault(row.id, branch.name)
            if first != branch.name:
                raise UsageError(
                    f"{first} and {branch.name} both bring {row.id}; integrate only one of them "
                    "(nothing was integrated)",
                    code="same_task",
                    hint=f"ralphgit log {row.id}",
                    details={"task": row.id},
                )


def _below(project: Project, one: Reconciled, others: Sequence[Reconciled]) -> list[Reconciled]:
    """Find the branches that a branch is stacked on: it contains all of theirs."""
    git = project.repository.git
    return [
        other
        for other in others
        if other.commit != one.commit
        and set(other.tasks) & set(one.tasks)
        and worktrees.fork(git, other.commit, one.commit) == other.commit
    ]


def _closure(
    edges: Mapping[str, Sequence[str]], branches: Sequence[Branch]
) -> dict[str, frozenset[str]]:
    """Find what each task of the branches depends on, directly or not."""
    own = {row.id: row.depends_on for branch in branches for row in branch.rows}
    found = {}
    for task in own:
        seen: set[str] = set()
        left = [*own[task]]
        while left:
            needed = left.pop()
            if needed not in seen:
                seen.add(needed)
                left.extend(edges.get(needed) or own.get(needed, ()))
        found[task] = frozenset(seen)
    return found


# -- what has been proved so far -----------------------------------------------------------


def _proofs(project: Project, branches: Sequence[Branch]) -> Iterator[Proof]:
    """List the commands that passed on the branches, and those on the base that these touch."""
    for branch in branches:
        view = project.view(branch.commit, branch.name)
        wanted = [row for row in branch.rows if view.row(row.id).status == "complete"]
        place = judged_evidence.place_at(project, branch.commit, branch.name)
        yield from proofs_of(project, place, wanted, branch.name)
    own = {row.id for branch in branches for row in branch.rows}
    changed = {path for branch in branches for path in branch.files}
    base = judged_evidence.place_at(project, project.base.commit, project.base.label)
    landed = [
        row
        for row in project.base_view.rows
        if row.status == "complete" and row.id not in own and _touched(project, row, changed)
    ]
    for proof in proofs_of(project, base, landed, BASE):
        fresh = tuple(
            one for one in proof.passed if judged_evidence.is_fresh(one, proof.task, base.content)
        )
        if fresh:
            yield proof._replace(passed=fresh)


def _touched(project: Project, row: Row, changed: set[str]) -> bool:
    scope = project.base_view.task(row.id).scope
    return any(in_scope(scope, path) for path in changed)
