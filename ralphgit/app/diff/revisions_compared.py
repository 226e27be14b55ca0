"""Resolve a range to two commits, and read the records of each as far as possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ralphgit.app.workspace import clone_limits, record_tree, revisions
from ralphgit.app.workspace.graph_view import GraphView, Shard
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, UsageError
from ralphgit.git.merge_preview import merge_base
from ralphgit.model.config import Config
from ralphgit.model.task_row import Row
from ralphgit.records import graph_file, settings_file


class Range(NamedTuple):
    """What is compared with what."""

    old: str
    """Object id of the older commit."""
    new: str
    base: str
    """What `old` was asked for as: a revision, or the base's name."""
    head: str
    """Likewise `new`."""
    since_fork: bool
    """`old` is where the two parted, and not `base` itself."""
    tip: str = ""
    """The commit that `base` is; "" where it is `old`."""


def resolve(project: Project, text: str = "") -> Range:
    """Resolve a range, as it was typed, to its commits.

    Without one it is HEAD since it left the base, and REV is REV since it did. `A..B` are the
    two as they are, `A...B` is B since it left A; a missing end is HEAD.

    Raises: UsageError (bad_revision, unrelated); GuardRefused (no_commit).
    """
    if (ends := revisions.range_in(text)) is not None:
        left, right, fork = ends
        return _between(project, left, right, fork=fork)
    base, worktree = project.require_base(), project.repository.worktree
    branch = worktree.branch.removeprefix("refs/heads/") if worktree else ""
    return _between(project, base.label, text or branch or "HEAD", fork=True, commit=base.commit)


def _between(project: Project, base: str, head: str, *, fork: bool, commit: str = "") -> Range:
    old, new = commit or revisions.commit_of(project, base), revisions.commit_of(project, head)
    tip = ""
    if fork:
        tip, old = old, merge_base(project.repository, old, new)
        if not old:
            raise UsageError(
                f"{head} and {base} ({tip[:12]}) share no history here",
                code="unrelated",
                hint=clone_limits.unrelated_hint(project, base),
            )
    return Range(old, new, base, head, fork, "" if tip == old else tip)


class Side(NamedTuple):
    """The records of one commit, as far as they can be read."""

    view: GraphView
    tree: record_tree.Tree
    unreadable: tuple[InvalidRecord, ...]

    @property
    def lost(self) -> frozenset[str]:
        """The graph files of which nothing is known."""
        if not self.unreadable:
            return frozenset()  # a file without a task says that there is none
        known = {row.file for row in self.view.rows}
        return frozenset(path for path, _ in self.view.shards if path not in known)

    @property
    def rows(self) -> Mapping[str, Row]:
        return self.view.by_id


def side(project: Project, commit: str, label: str) -> Side:
    """Read the graph files and records of `commit`; what cannot be read is listed, and left out."""
    shards = _shards(project, commit)
    tree = record_tree.commit_tree(project, commit, f"{label}:")
    try:
        return Side(project.view_of(shards, label, tree.archive), tree, ())
    except InvalidRecord:
        return _readable(project, shards, label, tree)


def _shards(project: Project, commit: str) -> tuple[Shard, ...]:
    """Find the graph files on a commit: where this worktree has them, else where it had them."""
    found = project.shards_at([commit])[commit]
    if found:
        return found
    objects = project.repository.objects
    oid = objects.resolve([f"{commit}:{settings_file.FILE}"])[0]
    named: object = None
    if oid is not None:
        try:
            named = settings_file.parse(objects.read([oid])[oid]).get("graph")
        except InvalidRecord as error:
            project.warn(f"{error.at(f'{commit[:12]}:{settings_file.FILE}')} (passed over)")
    patterns = [one for one in named if isinstance(one, str)] if isinstance(named, list) else []
    return project.shards_at([commit], patterns or Config().graph)[commit]


def _readable(
    project: Project, shards: tuple[Shard, ...], label: str, tree: record_tree.Tree
) -> Side:
    """Read each file that can be read."""
    rows: dict[str, Row] = {}
    unreadable: list[InvalidRecord] = []
    contents = project.repository.objects.read(oid for _, oid in shards)
    for path, oid in shards:
        try:
            limit = project.config.max_graph_bytes
            file, problems = graph_file.parse_all(contents[oid], path=path, limit=limit)
        except InvalidRecord as error:
            problems = [error]
        if problems:
            unreadable += [error.at(f"{label}:{error.file}") for error in problems]
            continue
        for row in graph_file.rows(file):
            first = rows.setdefault(row.id.casefold(), row)
            if first is not row:
                said = f"the id {row.id} is used twice; first at {first.file}:{first.line}"
                wrong = InvalidRecord(said, line=row.line, code="duplicate_id", task=row.id)
                unreadable.append(wrong.at(f"{label}:{row.file}"))
    view = GraphView(
        [*rows.values()], shards, lambda shard: contents[shard[1]], label, tree.archive
    )
    return Side(view, tree, tuple(unreadable))
