"""Compute a merge in memory: the repository gets no object and no ref.

`git merge-tree --write-tree` (git 2.38 and newer) costs a spawned process; libgit2 costs
90 ms to import and serves where git is older. Both write what they make into a folder of
their own, which is thrown away: libgit2's merge "in memory", too, would leave blobs behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from ralphgit.errors import RalphError
from ralphgit.git import trees, worktrees
from ralphgit.git.commit_objects import commit_tree
from ralphgit.git.objects import Objects, objects_elsewhere, scratch_folder
from ralphgit.git.repository import Repository
from ralphgit.git.run_git import Git, failure


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
    """Merge commit `theirs` into commit `ours`, in memory.

    `keep`: what it makes goes into the repository's object store, to be committed.

    Raises: GitError; RalphError where neither git nor libgit2 can.
    """
    fork = worktrees.fork(repository.git, ours, theirs)
    if fork in (ours, theirs):
        # One has all that the other has.
        objects, ahead = repository.objects, theirs if fork == ours else ours
        yield Merged((), trees.tree_id(objects, ahead), objects)
        return
    with scratch_folder() as scratch:
        git = merging(repository, scratch, keep=keep)
        try:
            made = try_merge(git, ours, theirs)
        except OldGit:
            if keep:
                raise
            yield by_libgit2(repository, ours, theirs, scratch)
            return
        conflicts, tree, related = made
        yield Merged(conflicts, tree, repository.objects.through(git), related)


class OldGit(RalphError):
    """This git knows no `merge-tree --write-tree`: it is older than 2.38."""

    code = "old_git"

    def __init__(self) -> None:
        super().__init__("this git cannot merge in memory", hint="use git 2.38 or newer")


class Tried(NamedTuple):
    conflicts: tuple[str, ...]
    tree: str
    related: bool


def merging(repository: Repository, scratch: str, *, keep: bool) -> Git:
    """Return a git that merges without a worktree and writes into `scratch`, unless `keep`."""
    env = {
        **({} if keep else objects_elsewhere(repository.common_dir, scratch)),
        # An empty worktree and index, so no .gitattributes: a forge knows no merge
        # driver, and a `merge=union` must not hide here what conflicts there.
        "GIT_DIR": repository.git_dir,
        "GIT_WORK_TREE": scratch,
        "GIT_INDEX_FILE": os.path.join(scratch, "index"),
    }
    return repository.git.at(scratch).using(env)


def try_merge(git: Git, ours: str, theirs: str) -> Tried:
    """Merge two commits into a tree. Raises: OldGit, GitError."""
    arguments = (
        "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs,
    )  # fmt: skip
    result = git.try_run(*arguments)
    if result.status in (0, 1) and result.out:
        tree, *paths = result.out.decode("utf-8", "surrogateescape").split("\0")
        return Tried(tuple(sorted({path for path in paths if path})), tree, True)
    if b"unrelated histories" in result.err:
        return Tried((), "", False)
    if b"usage:" in result.err:
        raise OldGit
    raise failure(arguments, result)


class Pairwise(NamedTuple):
    """What merging several branches would meet; only what conflicts is in it."""

    with_base: dict[str, tuple[str, ...]]
    """By tip, the paths in conflict with the base."""
    between: dict[tuple[str, str], tuple[str, ...]]
    """By two tips, in the order given, the paths in conflict once the first is on the base."""


#: When the commits are made that are thrown away.
_NEVER = {f"GIT_{who}_DATE": "2000-01-01T00:00:00Z" for who in ("AUTHOR", "COMMITTER")}


def pairwise(repository: Repository, base: str, tips: Sequence[str]) -> Pairwise:
    """Merge each commit of `tips` into `base`, and each later one into the result, in memory.

    One that conflicts with the base, or shares no history with it, is merged with others as
    it is. A process for each pair.

    Raises: OldGit, GitError.
    """
    made = Pairwise({}, {})
    with scratch_folder() as scratch:
        git = merging(repository, scratch, keep=False).using(_NEVER)
        for number, tip in enumerate(tips):
            tried = try_merge(git, base, tip)
            onto = tip
            if tried.conflicts:
                made.with_base[tip] = tried.conflicts
            elif tried.related:
                onto = commit_tree(repository, tried.tree, [base, tip], "Aside\n", git=git)
            for other in tips[number + 1 :]:
                if paths := try_merge(git, onto, other).conflicts:
                    made.between[tip, other] = paths
    return made


def try_replay(repository: Repository, git: Git, old: str, new: str, onto: str) -> Tried:
    """Do what commit `new` changes since commit `old` on commit `onto`, wherever that is.

    `git` is from `merging`, with its own folder for objects. Raises: OldGit, GitError.
    """
    alone = git.using(_NEVER)
    trees_of = [trees.tree_id(repository.objects, one) for one in (old, new, onto)]
    start = commit_tree(repository, trees_of[0], [], "Aside\n", git=alone)
    sides = [commit_tree(repository, one, [start], "Aside\n", git=alone) for one in trees_of[1:]]
    return try_merge(git, sides[1], sides[0])


def by_libgit2(repository: Repository, ours: str, theirs: str, scratch: str) -> Merged:
    """Do the same by libgit2, with its objects in a repository at `scratch`."""
    import pygit2

    folder = os.path.join(scratch, "merge.git")
    store = os.path.join(repository.common_dir, "objects")
    try:
        temporary = pygit2.init_repository(folder, bare=True)
        temporary.odb.add_disk_alternate(store)
        if temporary.merge_base(ours, theirs) is None:
            return Merged((), "", repository.objects, related=False)
        index = temporary.merge_commits(ours, theirs)
        conflicts = index.conflicts or ()
        paths = {entry.path for conflict in conflicts for entry in conflict if entry is not None}
        tree = "" if paths else str(index.write_tree(temporary))
    except pygit2.GitError as error:
        raise RalphError(
            f"the merge cannot be previewed: {error}", code="old_git", hint="use git 2.38 or newer"
        ) from None
    env = objects_elsewhere(repository.common_dir, os.path.join(folder, "objects"))
    return Merged(tuple(sorted(paths)), tree, repository.objects.through(repository.git.using(env)))
