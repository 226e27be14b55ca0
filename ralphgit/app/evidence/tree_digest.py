"""Read the content of a tree, and digest it by scope: evidence is bound to that."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import is_record
from ralphgit.git import index, scratch_index, trees
from ralphgit.git.objects import Objects, scratch_folder
from ralphgit.model.evidence import Subject
from ralphgit.model.task import Scope
from ralphgit.rules.pattern_overlap import check_pattern, covers_any, head


class Content:
    """The files of one tree, listed when they are first asked for; records are not among them."""

    def __init__(self, project: Project, tree: str, *, objects: Objects | None = None) -> None:
        """`objects` reads trees of another object folder; `tree` may also be a commit."""
        self._given = tree
        self._project = project
        self._objects = objects or project.repository.objects
        self._digests: dict[Scope, str] = {}

    @cached_property
    def tree(self) -> str:
        """Its id."""
        return trees.tree_id(self._objects, self._given)

    @cached_property
    def entries(self) -> tuple[tuple[str, bytes], ...]:
        """Path, and mode, blob id and path as they are digested, of every file."""
        return tuple(
            (path, f"{entry.mode} {entry.oid}\t{path}\0".encode("utf-8", "surrogateescape"))
            for path, entry in trees.files(self._objects, self._given)
            if not is_record(self._project, path)
        )

    def changed_since(self, commit: str) -> list[str]:
        """List the paths, records too, that are not here as `commit` has them."""
        return trees.differing(self._objects, commit, self.tree)

    def digest(self, scope: Scope) -> str:
        """Digest path, mode and blob id of every file in the read and write scope, with SHA-256.

        A task without a scope is judged by every file. The digest says nothing of how the
        content came about: equal files have it wherever, and on whatever commit, they are.
        """
        known = self._digests.get(scope)
        if known is None:
            import hashlib

            digest = hashlib.sha256()
            for place in self._places(scope):
                path, line = self.entries[place]
                if in_scope(scope, path):
                    digest.update(line)
            known = self._digests[scope] = digest.hexdigest()
        return known

    def _places(self, scope: Scope) -> Sequence[int]:
        """Where in `entries` files of the scope can be, in order.

        Of a pattern that begins with fixed names only what begins so: 2,000 tasks, each with
        files of its own, look at each file once and not 2,000 times.
        """
        patterns = _patterns(scope)
        if not patterns:
            return range(len(self.entries))
        found: set[int] = set()
        for start in map(head, patterns):
            if not start:
                return range(len(self.entries))
            at = bisect_left(self._sorted, (start,))
            while at < len(self._sorted) and self._sorted[at][0].startswith(start):
                found.add(self._sorted[at][1])
                at += 1
        return sorted(found)

    @cached_property
    def _sorted(self) -> list[tuple[str, int]]:
        """Each path as patterns see it, with its place in `entries`."""
        return sorted((f"{path}/", place) for place, (path, _) in enumerate(self.entries))

    def subject(self, scope: Scope, commit: str) -> Subject:
        """Return what a record of this content is bound to, with `commit` checked out."""
        return Subject(commit, self.tree, self.digest(scope))


def in_scope(scope: Scope, path: str) -> bool:
    """Whether evidence about a task with this scope depends on the file at `path`."""
    patterns = _patterns(scope)
    return not patterns or covers_any(patterns, path)


def _patterns(scope: Scope) -> list[str]:
    return [p for p in (*scope.write, *scope.read) if check_pattern(p) is None]


@contextmanager
def here(project: Project) -> Iterator[Content]:
    """Open this worktree's files, committed or not, without ignored ones and what verify commands
    left behind.

    Nothing is written into the repository. Usable until the context is left.

    Raises: GitError; GuardRefused (bare); NeedsPerson (blocks_git).
    """
    repository = project.repository
    assert project.top
    from ralphgit.app.evidence import seen_here_alone  # of a commit nobody asks it

    seen_here_alone.passed_over(repository, new=False)

    with scratch_folder() as scratch:
        copy = scratch_index.Scratch(repository, scratch, keep=False)
        copy.add_all(lenient=True)
        left = runtime_files.left(project.top)
        copy.remove(sorted({*left} - {*index.tracked(repository.git, left)}))
        yield Content(project, copy.tree(), objects=repository.objects.through(copy.git))
