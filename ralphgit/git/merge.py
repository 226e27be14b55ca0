"""What a merge would do, computed aside: the repository gets no object and no ref.

`git merge-tree --write-tree` (git 2.38 and newer) costs a spawned process; libgit2 costs
90 ms to import and serves where git is older. Both write what they make into a folder of
their own, which is thrown away: libgit2's merge "in memory", too, would leave blobs behind.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from ralphgit.errors import RalphError
from ralphgit.git.objects import Objects
from ralphgit.git.process import Git, failure
from ralphgit.git.repository import Repository


class Merged(NamedTuple):
    """A merge that was not made. Usable until the context that gave it is left."""

    conflicts: tuple[str, ...]
    """Paths that would conflict, sorted."""
    tree: str
    """The merged tree; with conflicts, marked files are in it; "" where there is none."""
    objects: Objects
    """Reads the repository's objects and the ones of this merge."""
    related: bool = True
    """False when the two sides share no history."""


@contextmanager
def merged(
    repository: Repository, ours: str, theirs: str, *, keep: bool = False
) -> Iterator[Merged]:
    """Merge commit `theirs` into commit `ours`, aside.

    `keep`: what it makes goes into the repository's object store, to be committed.

    Raises: GitError; RalphError where neither git nor libgit2 can.
    """
    with tempfile.TemporaryDirectory(prefix="ralphgit-") as scratch:
        git = _aside(repository, scratch, keep=keep)
        arguments = (*_MERGE, ours, theirs)
        result = git.try_run(*arguments)
        if result.status in (0, 1) and result.out:
            tree, conflicts = _told(result.out)
            yield Merged(conflicts, tree, repository.objects.through(git))
        elif b"unrelated histories" in result.err:
            yield Merged((), "", repository.objects.through(git), related=False)
        elif b"usage:" in result.err:
            if keep:
                raise _old_git()
            yield by_libgit2(repository, ours, theirs, scratch)
        else:
            raise failure(arguments, result)


_MERGE = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")


def _aside(repository: Repository, scratch: str, *, keep: bool = False) -> Git:
    """git with what it makes going into `scratch`, or with `keep` into the repository."""
    place = {
        "GIT_OBJECT_DIRECTORY": scratch,
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": _in_list(
            os.path.join(repository.common_dir, "objects")
        ),
    }
    env = {
        **({} if keep else place),
        # An empty worktree and index, so no .gitattributes: a forge knows no merge
        # driver, and a `merge=union` must not hide here what conflicts there.
        "GIT_DIR": repository.git_dir,
        "GIT_WORK_TREE": scratch,
        "GIT_INDEX_FILE": os.path.join(scratch, "index"),
    }
    return repository.git.at(scratch).using(env)


def _told(out: bytes) -> tuple[str, tuple[str, ...]]:
    """The tree and the paths in conflict that `git merge-tree` has printed."""
    tree, *paths = out.decode("utf-8", "surrogateescape").split("\0")
    return tree, tuple(sorted({path for path in paths if path}))


def _old_git() -> RalphError:
    return RalphError("this git cannot merge aside", code="old_git", hint="use git 2.38 or newer")


class Pairwise(NamedTuple):
    """What merging several branches would meet; only what conflicts is in it."""

    with_base: dict[str, tuple[str, ...]]
    """By tip, the paths in conflict with the base."""
    between: dict[tuple[str, str], tuple[str, ...]]
    """By two tips, in the order given, the paths in conflict once the first is on the base."""


#: Who makes the commits that are thrown away.
_NOBODY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "ralphgit"), ("EMAIL", "ralphgit@invalid"),
                        ("DATE", "2000-01-01T00:00:00Z"))
}  # fmt: skip


def pairwise(repository: Repository, base: str, tips: Sequence[str]) -> Pairwise:
    """Merge each commit of `tips` into `base`, and each other one into that; all aside.

    One that conflicts with the base, or shares no history with it, is merged with others as
    it is. A process for each pair.

    Raises: GitError; RalphError (old_git).
    """
    made = Pairwise({}, {})
    with tempfile.TemporaryDirectory(prefix="ralphgit-") as scratch:
        git = _aside(repository, scratch)
        for number, tip in enumerate(tips):
            tree, paths = _merge(git, base, tip)
            onto = tip
            if paths:
                made.with_base[tip] = paths
            elif tree:
                parents = ("-p", base, "-p", tip)
                onto = git.line("commit-tree", tree, *parents, "-m", "Aside", env=_NOBODY)
            for other in tips[number + 1 :]:
                _, paths = _merge(git, onto, other)
                if paths:
                    made.between[tip, other] = paths
    return made


def _merge(git: Git, ours: str, theirs: str) -> tuple[str, tuple[str, ...]]:
    """The merged tree and the paths in conflict; neither where the two share no history."""
    arguments = (*_MERGE, ours, theirs)
    result = git.try_run(*arguments)
    if result.status in (0, 1) and result.out:
        return _told(result.out)
    if b"unrelated histories" in result.err:
        return "", ()
    raise _old_git() if b"usage:" in result.err else failure(arguments, result)


def _in_list(path: str) -> str:
    """`path` as one entry of a list that git parts at colons."""
    if ":" not in path and not path.startswith('"'):
        return path
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def by_libgit2(repository: Repository, ours: str, theirs: str, scratch: str) -> Merged:
    """The same by libgit2, its objects in a repository at `scratch`."""
    import pygit2

    folder = os.path.join(scratch, "merge.git")
    store = os.path.join(repository.common_dir, "objects")
    try:
        aside = pygit2.init_repository(folder, bare=True)
        aside.odb.add_disk_alternate(store)
        if aside.merge_base(ours, theirs) is None:
            return Merged((), "", repository.objects, related=False)
        index = aside.merge_commits(ours, theirs)
        paths = {
            entry.path
            for conflict in index.conflicts or ()
            for entry in conflict
            if entry is not None
        }
        tree = "" if paths else str(index.write_tree(aside))
    except pygit2.GitError as error:
        raise RalphError(
            f"the merge cannot be previewed: {error}", code="old_git", hint="use git 2.38 or newer"
        ) from None
    env = {
        "GIT_OBJECT_DIRECTORY": os.path.join(folder, "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": _in_list(store),
    }
    return Merged(tuple(sorted(paths)), tree, repository.objects.through(repository.git.using(env)))
