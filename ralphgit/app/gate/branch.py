"""Check a branch as merged into its base, or a range of commits (SPEC 8)."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.gate import (
    append_only,
    branch_scopes,
    completions,
    effective_settings,
    evidence_history,
    own_reading,
    record_files,
    reverts,
    tampering,
    unpacked,
    work_and_records,
)
from ralphgit.app.gate.changed import BranchChange, Span, lost_claims
from ralphgit.app.gate.own_reading import OwnReading
from ralphgit.app.gate.problem import Problem, from_error, place
from ralphgit.app.gate.state import ReadGraph, read_graph, runtime_tracked, state
from ralphgit.app.workspace import (
    clone_limits,
    record_tree,
    revisions,
    taken_back,
)
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import Tree, commit_tree
from ralphgit.errors import InvalidRecord
from ralphgit.git import merge_preview, trees, worktrees
from ralphgit.git.objects import Objects
from ralphgit.model.paths import is_own_folder
from ralphgit.model.printable import counted
from ralphgit.model.task_row import Row
from ralphgit.records.row_cache import Cache
from ralphgit.rules import branch_changes
from ralphgit.rules.branch_changes import Fault

Rows = Mapping[str, Row]
#: What ends a claim, and raises the task's epoch.
_GIVEN_UP = {"reset", "released", "answered"}


def incoming(
    project: Project, base: str, head: str, *, whole: bool = True, may_leave: bool = False,
    own_reviews: bool = True, anew: bool = True,
) -> list[Problem]:  # fmt: skip
    """Find the problems of `head` as merged into `base`.

    Without `whole`, only of what the branch brings, and not whether all records are valid. With
    `may_leave`, the removal of the graph and all records together is a warning. Without
    `own_reviews` those that come with the branch count for nothing; with them it is a warning.
    Without `anew` a task may be taken for judged because the cache says so (`task_verdicts`).

    Raises: UsageError (bad_revision), InvalidRecord (no_graph).
    """
    ours, theirs = revisions.commit_of(project, base), revisions.commit_of(project, head)
    repository = project.repository
    start = worktrees.fork(repository.git, ours, theirs)
    if not start:
        return [_unrelated(project, base, head)]
    with merge_preview.merged(repository, ours, theirs) as merged:
        # A merge that conflicts has no settings of its own.
        tip, objects = (
            (theirs, repository.objects) if merged.conflicts else (merged.tree, merged.objects)
        )
        set_by = effective_settings.change(project, ours, tip, objects, label=base)
        was, now = set_by.was, set_by.now
        source = _Source.of(project, anew)
        try:
            before = source.before(was, ours, base)
        except InvalidRecord as error:
            # A branch that fixes the base must pass: what else it does cannot be judged.
            found = from_error(error, label=f"{base}:")._replace(severity="warning")
            tree = commit_tree(now, tip, "", objects)
            return [found, *set_by.problems, *state(now, tree)]
        if merged.conflicts:
            return _conflicts(was, merged.conflicts, base, start, before.by_id, theirs)
        tree = commit_tree(now, merged.tree, "", merged.objects)
        if not tree.shards:
            left = may_leave and _removal(was, len(before.rows), merged.tree, merged.objects)
            if not left:
                raise now.no_graph(f"{head} merged into {base}")
            return [left]
        view = readable(lambda: source.after(now, merged.tree, merged.objects))
        graph = view or read_graph(now, tree)
        problems = [*set_by.problems]
        if whole:
            problems += state(now, tree, graph=graph, kept=source.kept)
        if isinstance(graph, ReadGraph) and not graph.whole:
            return problems
        files = Content(was, merged.tree, objects=merged.objects)
        # What merging changes on the base, and not what the branch has changed since they parted:
        # where each has merged the other, there are several such places.
        span = Span(ours, merged.tree, theirs, merged.objects)
        ends = _Ends.of(before, graph)
        problems += _rewritten(project, base, ours, theirs)
        return problems + _brought(set_by, span, ends, tree, files, problems, own_reviews)


def _rewritten(project: Project, base: str, ours: str, theirs: str) -> Iterator[Problem]:
    """Whether the branch brings back commits that a new history of the base has left out."""
    if ours == project.base.commit and taken_back.has_gone(project, theirs):
        yield Problem(
            code="taken_back",
            message=f"the history of {base} was rewritten, and {theirs[:12]} stands on commits "
            "that it had before: merging it would bring them back",
            hint=f"git switch -c NAME {shlex.quote(base)} && git cherry-pick COMMITS",
        )


def across(
    project: Project, old: str, new: str, *, since_fork: bool = False, whole: bool = True,
    may_leave: bool = False, anew: bool = True,
) -> list[Problem]:  # fmt: skip
    """Find the problems of `new` as it is, and of what it changes since `old`.

    With `since_fork`, what it changes since the two parted. Without `whole`, of the records as
    they are only those that it changes. `may_leave` and `anew` are as of `incoming`.

    Raises: UsageError (bad_revision), InvalidRecord (no_graph).
    """
    start, head = revisions.commit_of(project, old), revisions.commit_of(project, new)
    if since_fork:
        fork = merge_preview.merge_base(project.repository, start, head)
        if not fork:
            return [_unrelated(project, old, new)]
        start = fork
    objects = project.repository.objects
    set_by = effective_settings.change(project, start, head, objects, label=old)
    was, now = set_by.was, set_by.now
    tree = commit_tree(now, head, "", objects)
    if not tree.shards:
        left = may_leave and _removal(was, len(was.view(start, old).rows), head, objects)
        if not left:
            raise now.no_graph(new)
        return [left]
    source = _Source.of(project, anew)
    fault, before = None, None
    try:
        before = source.before(was, start, old)
    except InvalidRecord as error:
        fault = from_error(error, label=f"{old}:")._replace(severity="warning")
    only = None if whole else trees.differing(objects, start, head)
    graph = readable(lambda: source.after(now, head, objects)) or read_graph(now, tree)
    found = state(now, tree, only=only, graph=graph, kept=source.kept)
    problems = [*set_by.problems, *found]
    if fault is not None or before is None:
        return [*([fault] if fault else []), *problems]
    if isinstance(graph, ReadGraph) and not graph.whole:
        return problems
    span = Span(start, head, head, objects)
    ends = _Ends.of(before, graph)
    return problems + _brought(set_by, span, ends, tree, Content(was, head), problems)


class _Source(NamedTuple):
    """Where graphs, and verdicts on them, are from."""

    own: OwnReading | None
    """What this process has read itself; None where the repository's cache is asked."""
    kept: Cache

    @classmethod
    def of(cls, project: Project, anew: bool) -> _Source:
        if not anew:
            return cls(None, project.cache)
        own = own_reading.of_repository(project.repository.common_dir)
        return cls(own, own.memory)

    def before(self, was: Project, commit: str, label: str) -> GraphView:
        """Raises: InvalidRecord."""
        objects = was.repository.objects
        own = self.own.view(was, commit, objects, label) if self.own else None
        return own or was.view(commit, label)

    def after(self, now: Project, treeish: str, objects: Objects) -> GraphView | None:
        """Raises: InvalidRecord."""
        if self.own:
            return self.own.view(now, treeish, objects)
        return now.view_of_tree(treeish, objects)


def _removal(was: Project, tasks: int, new: str, objects: Objects) -> Problem | None:
    """What is said of a change that takes out the graph; None where a record is left, for then it
    is a mistake, and no farewell."""
    tree = commit_tree(was, new, "", objects)
    if not tasks or tree.shards or tree.records:
        return None
    return Problem(
        code="graph_removed", severity="warning",
        message=f"the task graph is taken out, with {counted(tasks, 'task')} and all records",
        hint="meant: merge it; a mistake: restore the files from the base",
    )  # fmt: skip


class _Ends(NamedTuple):
    before: Rows
    after: Rows
    differing: Sequence[str] | None
    """As of `BranchChange`."""

    @classmethod
    def of(cls, before: GraphView, after: GraphView | ReadGraph) -> _Ends:
        rows = after.unlike(before) if isinstance(after, GraphView) else None
        if isinstance(after, ReadGraph) or rows is after.rows:
            return cls(before.by_id, after.by_id, None)
        return cls(before.by_id, after.by_id, [row.id for row in rows or ()])


def _brought(
    set_by: effective_settings.Settings, span: Span, ends: _Ends, tree: Tree,
    files: Content, known: Sequence[Problem], own_reviews: bool = True,
) -> list[Problem]:  # fmt: skip
    """Find the problems of a change between `ends`, to `tree`; `files` are as after it, with the
    problems `known`."""
    was, now = set_by.was, set_by.now
    packed = unpacked.between(
        was.archive_at(span.old, "", span.objects), tree.archive,
        was.config.records, now.config.records,
    )  # fmt: skip
    before, after, differing = ends
    if packed.old.rows or packed.new.rows:
        before, after = {**packed.old.rows, **before}, {**packed.new.rows, **after}
        differing = None
    tree = unpacked.with_records(tree, packed.new.records)
    made = BranchChange.between(before, after, tree, differing)
    reverted = reverts.found(was, span, made)
    changed = [
        *packed.problems,
        *moves(now, made, reverted),
        *_archiving(was, now, span, packed, ends.before, tree),
    ]
    if was.config.graph != now.config.graph:
        # A graph that moves to other files takes every task along.
        changed = [
            one._replace(severity="error") if one.code == "task_removed" else one for one in changed
        ]
    paths = trees.differing(span.objects, span.old, span.new)
    since = (span.old, span.head)
    faulty = {one.task for one in (*known, *changed) if one.severity == "error"}
    told = {one.path for one in known}  # a record that is wrong anyway
    by_hand = list(tampering.problems(now, span, made, files, faulty))
    return [
        *changed,
        *reverts.returned(was, span, made),
        *evidence_history.edited_since(now, span),
        *_removed(was, now, span, made, packed, reverts.removed_with(was, span, reverted)),
        *reverts.problems(was, span, made, reverted),
        *(
            one
            for one in work_and_records.problems(was, span, made, files)
            if one.code != "other_evidence" or one.path not in told
        ),
        *completions.unproved(now, made, files),
        *_unfinished(made, faulty | {one.task for one in by_hand}),
        *by_hand,
        *completions.unreviewed(now, made, span.head, span.old, own_reviews),
        *_runtime(span, paths, known),
        *branch_scopes.committed(was, now, paths, since, made.moved, made.before),
    ]


def _runtime(span: Span, paths: Iterable[str], known: Sequence[Problem]) -> Iterator[Problem]:
    """Find runtime state that a change commits, where not all of the result was looked at."""
    own = [path for path in paths if is_own_folder(path.partition("/")[0])]
    is_told = any(one.code == "runtime_tracked" for one in known)
    if own and not is_told and span.objects.resolve([f"{span.new}:{own[0]}"])[0] is not None:
        yield runtime_tracked(own[0].partition("/")[0])


def _archiving(
    was: Project, now: Project, span: Span, packed: unpacked.Unpacked, before: Rows, tree: Tree
) -> Iterator[Problem]:
    """Find what a change puts into the archive and was not there, or not so."""
    if not packed.new.rows:
        return
    read = span.objects.read
    files = {before[task].file for task in packed.new.rows if task in before}
    texts = {
        path: read([f"{span.old}:{path}"]).get(f"{span.old}:{path}", b"").decode("utf-8", "replace")
        for path in files
    }
    yield from unpacked.altered(tree, packed, before, texts)
    names = {f"{span.old}:{path}": path for path in packed.new.records}
    known = {names[name]: data for name, data in read(names).items()}
    fresh = unpacked.fresh(packed, known)
    yield from record_files.faults(now, tree, fresh, None, record_files.homes(now, tree))


def _unrelated(project: Project, base: str, head: str) -> Problem:
    return Problem(
        code="unrelated",
        message=f"{head} and {base} share no history",
        hint=clone_limits.unrelated_hint(project, base),
    )


def readable(read: Callable[[], GraphView | None]) -> GraphView | None:
    """The graph that `read` gives; None where it cannot be read, which `state` says."""
    try:
        return read()
    except InvalidRecord:
        return None


def _conflicts(
    project: Project, paths: Sequence[str], base: str, start: str, before: Mapping[str, Row],
    head: str,
) -> list[Problem]:  # fmt: skip
    """Report a merge that conflicts, and which claims it loses where graph files conflict."""
    graphs = {path for path in paths if record_tree.is_record(project, path)}
    found = [
        Problem(
            code="merge_conflict",
            file=path,
            message=f"the branch conflicts with {base} in {path}",
            hint=f"git merge {shlex.quote(base)}"
            + ("; ralphgit resolve" if path in graphs else ""),
        )
        for path in paths
    ]
    if not graphs:
        return found
    try:
        fork = project.view(start, "the merge base").by_id
        mine = project.view(head, "the branch").by_id
    except InvalidRecord as error:
        return [*found, from_error(error)]
    lost = lost_claims(fork, before, mine, base)
    return [*found, *(one for one in lost if before[one.task].file in graphs)]


def _removed(
    was: Project, now: Project, span: Span, made: BranchChange, packed: unpacked.Unpacked,
    taken: Collection[str],
) -> list[Problem]:  # fmt: skip
    """Find records that were removed or edited; those `taken` back with their work are no fault."""
    found = append_only.between(was, now, span, made.renames, packed)
    return [one for one in found if one.path not in taken]


def moves(project: Project, made: BranchChange, reverted: Collection[str] = ()) -> list[Problem]:
    """Find status changes that are not legal, and removed tasks; the `reverted` ones are legal."""
    found = []
    for old, row in made.pairs:
        if row.id in reverted:
            continue
        fault = branch_changes.change(old, row)
        if (
            old is not None
            and old.claim
            and row.epoch > old.epoch
            and not any(
                completions.events(project, made.tree, row.id, claim) & _GIVEN_UP
                for claim in branch_changes.given_up(old, row)
            )
        ):
            fault = branch_changes.raised(old, row)
        if fault:
            found.append(place(made.tree, fault, made.after))
    found += [place(made.tree, branch_changes.removed(row), made.before) for row in made.removed]
    return found


def _unfinished(made: BranchChange, faulty: Collection[str]) -> list[Problem]:
    """Find claims that the change brings and does not end; `faulty` tasks have worse faults."""
    found = []
    for row in made.moved:
        if row.status == "in-progress" and row.claim and row.id not in faulty:
            said = (
                f"{row.id} would be in progress by {row.by} with nothing left to complete it; "
                "complete it before it is merged, or release it"
            )
            hint = f"ralphgit complete {row.id}"
            fault = Fault("unfinished_claim", row.id, said, hint, "warning")
            found.append(place(made.tree, fault, made.after))
    return found
