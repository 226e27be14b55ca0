"""Compute a merge in memory: the repository gets no object and no ref.

`git merge-tree --write-tree` (git 2.38 and newer) costs a process; where git is older, `git
merge-recursive` does the same in a git folder and a worktree of its own, for six. Both write what
they make into a folder that is thrown away.
"""

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from ralphgit.errors import GuardRefused
from ralphgit.git import trees, worktrees
from ralphgit.git.commit_objects import commit_tree
from ralphgit.git.index import staged
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

    Raises: GitError.
    """
    fork = worktrees.fork(repository.git, ours, theirs)
    if fork in (ours, theirs):
        # One has all that the other has.
        objects, ahead = repository.objects, theirs if fork == ours else ours
        yield Merged((), trees.tree_id(objects, ahead), objects)
        return
    with scratch_folder() as scratch:
        git = merging(repository, scratch, keep=keep)
        conflicts, tree, related = try_merge(git, ours, theirs)
        yield Merged(conflicts, tree, repository.objects.through(git), related)


def merge_base(repository: Repository, ours: str, theirs: str) -> str:
    """Return the commit with which a merge of two compares both; "" if they share no history.

    Where each side has merged the other they have several in common: one of these alone does not
    tell what the merge changes. git merges them first, and so does this; what it makes then is
    nowhere but in the object store.

    Raises: GitError, GuardRefused (several_merge_bases).
    """
    first, *others = worktrees.forks(repository.git, ours, theirs) or [""]
    if not others:
        return first
    with scratch_folder() as scratch:
        git = merging(repository, scratch, keep=True).using(_NEVER)
        for other in others:
            conflicts, tree, _ = try_merge(git, first, other)
            if conflicts:
                raise GuardRefused(
                    f"{ours[:12]} and {theirs[:12]} have merged each other, and what they have in "
                    f"common conflicts in {', '.join(conflicts)}: what {theirs[:12]} changes is "
                    f"known once it has merged {ours[:12]}; nothing was changed",
                    code="several_merge_bases",
                    hint=f"git merge {shlex.quote(ours)}",
                )
            first = commit_tree(repository, tree, [first, other], "Aside\n", git=git)
    return first


def merge_base_told(repository: Repository, ours: str, theirs: str) -> str:
    """As `merge_base`; "" also where nobody can tell. Raises: GitError."""
    try:
        return merge_base(repository, ours, theirs)
    except GuardRefused:
        return ""


class Tried(NamedTuple):
    conflicts: tuple[str, ...]
    tree: str
    related: bool


def merging(repository: Repository, scratch: str, *, keep: bool) -> Git:
    """Return a git that merges without a worktree and writes into `scratch`, unless `keep`."""
    env = {
        **({} if keep else objects_elsewhere(repository.common_dir, scratch)),
        "GIT_DIR": repository.git_dir,
        **nothing_in(scratch),
    }
    return repository.git.at(scratch).using(env)


def nothing_in(folder: str) -> dict[str, str]:
    """Return variables of an empty worktree and index, so no .gitattributes: a forge knows no merge
    driver, and a `merge=union` must not hide here what conflicts there.
    """
    return {"GIT_WORK_TREE": folder, "GIT_INDEX_FILE": os.path.join(folder, "index")}


def try_merge(git: Git, ours: str, theirs: str) -> Tried:
    """Merge two commits into a tree, with a git from `merging`. Raises: GitError."""
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
        return _recursively(git, ours, theirs)
    raise failure(arguments, result)


#: No attribute says how to merge, nor what to do with a file on its way into the worktree.
_PLAIN = "* " + " ".join(
    f"!{name}" for name in (
        "merge", "conflict-marker-size", "text", "eol", "ident", "filter", "working-tree-encoding",
    )
) + "\n"  # fmt: skip


def _recursively(git: Git, ours: str, theirs: str) -> Tried:
    """Do the same as git before 2.38 can: in a worktree, which may be empty.

    Attributes of the index would count in it, so it has a git folder whose own say otherwise.
    """
    bases = git.try_run("merge-base", "--all", ours, theirs)
    if bases.status == 1 and not bases.err:
        return Tried((), "", False)
    if bases.status:
        raise failure(("merge-base",), bases)
    objects, config = (
        git.run("rev-parse", "--path-format=absolute", "--git-path", name)
        .decode("utf-8", "surrogateescape").removesuffix("\n")
        for name in ("objects", "config")
    )  # fmt: skip
    with scratch_folder() as scratch:
        folder, work = os.path.join(scratch, "git"), os.path.join(scratch, "work")
        for made in (os.path.join(folder, "info"), os.path.join(folder, "refs"), work):
            os.makedirs(made)
        for name, text in (
            ("HEAD", "ref: refs/heads/none\n"),
            ("info/attributes", _PLAIN),
            (
                "config",
                "[core]\n\trepositoryFormatVersion = 1\n"
                f"[extensions]\n\tobjectFormat = {git.line('rev-parse', '--show-object-format')}\n"
                f'[include]\n\tpath = "{_quoted(config)}"\n'
                "[core]\n\tfsmonitor = false\n\tsparseCheckout = false\n\tautocrlf = false\n"
                "[index]\n\tsparse = false\n",
            ),
        ):
            with open(
                os.path.join(folder, name), "w", encoding="utf-8", errors="surrogateescape"
            ) as file:
                file.write(text)
        own = git.at(work).using({
            **{key: value for key, value in git.environ.items() if key.startswith("GIT_")},
            "GIT_DIR": folder, "GIT_WORK_TREE": work, "GIT_OBJECT_DIRECTORY": objects,
            "GIT_INDEX_FILE": os.path.join(folder, "index"),
        })  # fmt: skip
        own.run("read-tree", ours)
        arguments = ("merge-recursive", *bases.out.decode().split(), "--", ours, theirs)
        result = own.try_run(*arguments)
        if result.status not in (0, 1):
            raise failure(arguments, result)
        unmerged = sorted({path for *_, path in staged(own.run("ls-files", "-u", "-z"))})
        marked = [path for path in unmerged if not os.path.isdir(os.path.join(work, path))]
        for option, paths in (("--force-remove", {*unmerged} - {*marked}), ("--remove", marked)):
            if paths:
                listed = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
                own.run("update-index", "--add", option, "-z", "--stdin", stdin=listed)
        return Tried(tuple(unmerged), own.line("write-tree", "--missing-ok"), True)


def _quoted(path: str) -> str:
    """`path` within the double quotes of a configuration."""
    return path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


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

    Raises: GitError.
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

    `git` is from `merging`, with its own folder for objects. Raises: GitError.
    """
    alone = git.using(_NEVER)
    trees_of = [trees.tree_id(repository.objects, one) for one in (old, new, onto)]
    start = commit_tree(repository, trees_of[0], [], "Aside\n", git=alone)
    sides = [commit_tree(repository, one, [start], "Aside\n", git=alone) for one in trees_of[1:]]
    return try_merge(git, sides[1], sides[0])
