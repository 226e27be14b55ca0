"""What a merge would do, computed in memory: nothing is written anywhere."""

from __future__ import annotations

import os
import tempfile
from typing import NamedTuple

from ralphgit.errors import RalphError
from ralphgit.git.process import failure
from ralphgit.git.repository import Repository


class Preview(NamedTuple):
    """The outcome of a merge that was not made."""

    conflicts: tuple[str, ...]
    """Paths that would conflict, sorted."""
    related: bool = True
    """False when the two sides share no history."""


def preview(repository: Repository, ours: str, theirs: str) -> Preview:
    """Merge commit `theirs` into commit `ours` in memory.

    By libgit2, which agreed with git on every verdict over the records; a repository that
    libgit2 cannot open (reftable, sha256, partial clone) is previewed by `git merge-tree`,
    its objects in a folder that is thrown away.
    """
    if repository.object_format == "sha1" and repository.config.get("extensions.refstorage", "files") == "files" and "extensions.partialclone" not in repository.config:
        return _by_libgit2(repository, ours, theirs)
    return _by_git(repository, ours, theirs)


def _by_libgit2(repository: Repository, ours: str, theirs: str) -> Preview:
    import pygit2

    try:
        store = pygit2.Repository(repository.common_dir)
        if store.merge_base(ours, theirs) is None:
            return Preview((), related=False)
        index = store.merge_commits(ours, theirs)
    except pygit2.GitError:
        return _by_git(repository, ours, theirs)
    paths = {
        entry.path
        for conflict in index.conflicts or ()
        for entry in conflict
        if entry is not None
    }
    return Preview(tuple(sorted(paths)))


def _by_git(repository: Repository, ours: str, theirs: str) -> Preview:
    store = os.path.join(repository.common_dir, "objects")
    with tempfile.TemporaryDirectory(prefix="ralphgit-") as scratch:
        env = {"GIT_OBJECT_DIRECTORY": scratch, "GIT_ALTERNATE_OBJECT_DIRECTORIES": store}
        arguments = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs)
        result = repository.git.try_run(*arguments, env=env)
    if result.status not in (0, 1):
        if b"unrelated histories" in result.err:
            return Preview((), related=False)
        if b"usage:" in result.err:
            raise RalphError(
                "this git cannot preview a merge", code="old_git", hint="use git 2.38 or newer"
            )
        raise failure(arguments, result)
    parts = result.out.decode("utf-8", "surrogateescape").split("\0")
    return Preview(tuple(sorted({part for part in parts[1:] if part})))
