"""Check this worktree, a revision, a branch or a range (SPEC 8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from ralphgit.app.active_claims import recovery_commands
from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import unfinished_claims
from ralphgit.app.gate import branch, evidence_history, uncommitted
from ralphgit.app.gate.evidence_history import edited_evidence
from ralphgit.app.gate.problem import Problem, from_error, in_file
from ralphgit.app.gate.state import state
from ralphgit.app.workspace import revisions
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import Tree, commit_tree, working_tree
from ralphgit.errors import InvalidRecord, UsageError
from ralphgit.git import worktrees
from ralphgit.git.repository import under_way

_ORDER = {"error": 0, "warning": 1}


def check(
    project: Project, *, base: str = "", at: str = "", between: str = "", anew: bool = False
) -> list[Problem]:
    """Find every problem of the records and uncommitted changes here, or of revision `at`.

    Here also of what this branch changes, judged as merged into the base; with `base`, into that
    revision, and of commits alone. The merge is made in memory. With `between`, of what NEW changes
    since OLD (`OLD..NEW`), or since the two parted (`OLD...NEW`), or of that branch as merged into
    the base. Reads only. With `anew` no task is taken for judged because it was before.

    Raises: UsageError (bad_revision, usage), GuardRefused (bare), InvalidRecord (no_graph).
    """
    ends = revisions.range_in(between)
    if between and (at or (base and ends is not None)):
        what = "a range" if ends is not None else "a branch"
        raise UsageError(
            f"{what} cannot be combined with {'--at' if at else '--base'}",
            hint="ralphgit check OLD..NEW" if ends is not None else "ralphgit check BRANCH",
        )
    if ends is not None:
        old, new, since_fork = ends
        found = branch.across(project, old, new, since_fork=since_fork, may_leave=True, anew=anew)
        return _sorted(project, found)
    if between:
        base = base or project.require_base().label
    if base:
        found = branch.incoming(project, base, between or at or "HEAD", may_leave=True, anew=anew)
        return _sorted(project, found)
    if at:
        commit = revisions.commit_of(project, at)
        tree = commit_tree(project, commit, f"{at}:")
        if not tree.shards:
            raise project.no_graph(at)
        view = None if anew else branch.readable(lambda: project.view(commit, at))
        found = state(project, tree, graph=view)
        return _sorted(project, [*found, *edited_evidence(project, commit)])
    tree = working_tree(project)
    view = None if anew else branch.readable(lambda: project.here)
    found = state(project, tree, graph=view)
    found += edited_evidence(project)
    if unreadable := _unreadable_base(project):
        return _sorted(project, [*found, unreadable])
    found += uncommitted.problems(project, tree)
    found += _unfinished(project, tree)
    merged = list(_committed(project, tree, found, anew))
    worse = {(one.code, one.task, one.path) for one in merged}
    found = [one for one in found if (one.code, one.task, one.path) not in worse]
    return _sorted(project, [*found, *merged])


def _unreadable_base(project: Project) -> Problem | None:
    """Return why nothing here can be judged against the base: its graph cannot be read.

    None where HEAD has the base: then what is here has come after that, and may fix it.
    """
    base, head = project.base, project.repository.known_head
    if not base.commit:
        return None
    try:
        project.view(base.commit, base.label)
    except InvalidRecord as error:
        if head and worktrees.is_ancestor(project.repository.git, base.commit, head):
            return None
        found = from_error(error, label=f"{base.label}:")
        return found._replace(
            message=f"{found.message}; nothing here could be judged against {base.label}"
        )
    return None


def _unfinished(project: Project, tree: Tree) -> Iterator[Problem]:
    """Find the claims that the base has without their completion; only where it is checked out."""
    worktree, base = project.repository.worktree, project.base
    branch = worktree.branch.removeprefix("refs/heads/") if worktree else ""
    if base.branch != branch and base.commit != project.repository.known_head:
        return
    try:
        rows = project.here.by_id
        begun = [row for row in rows.values() if row.status == "in-progress" and row.claim]
        if not begun or not project.base.commit:
            return
        claim_map = ClaimMap(project)
        known = claim_map.base.by_id
        if all(row.id not in known or known[row.id].claim != row.claim for row in begun):
            return
        found = [*unfinished_claims.found(project, claim_map)]
    except InvalidRecord:
        return  # `state` reports it
    for one in found:
        row = rows.get(one.task)
        if row is not None and row.claim == known[one.task].claim:
            said = one.sentence(project)
            yield in_file(
                "unfinished_claim", tree, row.file, said, one.hint,
                task=one.task, line=row.line, severity="warning",
            )  # fmt: skip


def _committed(project: Project, tree: Tree, known: list[Problem], anew: bool) -> Iterator[Problem]:
    """Find the problems of this branch as merged into the base, besides the `known` errors.

    Of tasks and files that are changed since HEAD only the working files are judged, and nothing
    but them while a merge is under way.
    """
    repository, head, base = project.repository, project.repository.known_head, project.base
    fork = worktrees.fork(repository.git, base.commit, head) if base.commit and head else ""
    if fork in ("", head) or under_way(repository.git_dir):
        return
    told = {(one.code, one.task, one.path) for one in known if one.severity == "error"}
    changed = set(evidence_history.changed_here(project, [""], "ACDMRT"))
    graphs = changed & {path for path, _ in tree.shards}
    here, before = _blocks(project, head) if graphs else ({}, {})
    for one in branch.incoming(project, base.label, head, whole=False, anew=anew):
        if one.code == "unfinished_claim":
            continue  # here the work goes on
        if one.path in graphs and one.task:
            judged = here.get(one.task) != before.get(one.task)
        else:
            judged = one.path in changed - graphs
        if not judged and (one.code, one.task, one.path) not in told:
            yield one


def _blocks(project: Project, head: str) -> tuple[dict[str, str], dict[str, str]]:
    """The block of each task here, and in HEAD; none where a graph cannot be read."""
    try:
        here, there = project.here, project.view(head, "HEAD")
    except InvalidRecord:
        return {}, {}
    rows = (here.unlike(there), there.unlike(here))
    return {row.id: row.json for row in rows[0]}, {row.id: row.json for row in rows[1]}


def _sorted(project: Project, problems: Iterable[Problem]) -> list[Problem]:
    typed = partial(recovery_commands.as_typed_here, project)
    return sorted(
        dict.fromkeys(one._replace(hint=typed(one.hint)) for one in problems),
        key=lambda p: (_ORDER[p.severity], p.file, p.line, p.column, p.code),
    )
