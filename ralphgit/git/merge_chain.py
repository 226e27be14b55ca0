"""Merge several branches one on top of the other, without a worktree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ralphgit.git import worktrees
from ralphgit.git.commit_objects import commit_tree
from ralphgit.git.merge_preview import merging, nothing_in, try_merge
from ralphgit.git.objects import Objects, scratch_folder
from ralphgit.git.repository import Repository
from ralphgit.git.run_git import Git


class Chain:
    """A commit that grows by merges; usable until the context that gave it is left."""

    def __init__(self, repository: Repository, git: Git, start: str, *, keep: bool) -> None:
        self._repository = repository
        self._keep = keep
        self.git = git
        """Reads what was made, too."""
        self.objects: Objects = repository.objects if keep else repository.objects.through(git)
        self.tip = start
        """The commit that has all that was merged so far."""

    def merge(self, theirs: str, message: str) -> tuple[str, ...]:
        """Merge commit `theirs`; if paths conflict, returns them and changes nothing.

        A step that is a plain step forward makes no commit.

        Raises: GitError.
        """
        fork = worktrees.fork(self.git, self.tip, theirs)
        if fork == theirs:
            return ()
        if fork == self.tip:
            self.tip = theirs
            return ()
        # What code of others has run since the last merge may have written into that one's folder.
        with scratch_folder() as empty:
            git = self.git.using(nothing_in(empty))
            git.directory = empty
            made = try_merge(git, self.tip, theirs)
        if not made.related:
            return ("(the two share no history)",)
        if not made.conflicts:
            self.tip = commit_tree(
                self._repository, made.tree, [self.tip, theirs], message,
                git=None if self._keep else self.git,
            )  # fmt: skip
        return made.conflicts

    def close(self) -> None:
        if not self._keep:
            self.objects.close()


@contextmanager
def chain(repository: Repository, start: str, *, keep: bool) -> Iterator[Chain]:
    """Begin a chain at commit `start`.

    `keep`: what it makes goes into the repository's object store. If not, it is gone when the
    context is left, and nothing has been written.
    """
    with scratch_folder() as scratch:
        made = Chain(repository, merging(repository, scratch, keep=keep), start, keep=keep)
        try:
            yield made
        finally:
            made.close()
