"""Read what a merge left undecided in a worktree: the index's stages, and what merge it is.

`git merge`, `rebase`, `cherry-pick`, `revert`, `am -3`, `stash pop`, `merge --squash` all leave
the same: stage 1 of a path is the ancestor, 2 is what HEAD has, 3 what is being brought in. Which
of the two is whose work differs, and is for the caller to find out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.git import scratch_index
from ralphgit.git.index import staged
from ralphgit.git.merge_preview import merging
from ralphgit.git.objects import scratch_folder
from ralphgit.git.repository import UNMERGED, Repository

_PLAIN = ("100644", "100755")


class Stages(NamedTuple):
    """The blobs of a path with a conflict; "" on a side that does not have it."""

    ancestor: str
    ours: str
    theirs: str
    plain: bool
    """Whether all of them are files, and no links or submodules."""


def stages(repository: Repository) -> dict[str, Stages]:
    """Return every path with a conflict, in the order of the index."""
    found: dict[str, dict[str, str]] = {}
    odd = set()
    for mode, oid, stage, path in staged(repository.git.run(*UNMERGED)):
        found.setdefault(path, {})[stage] = oid
        if mode not in _PLAIN:
            odd.add(path)
    return {
        path: Stages(blobs.get("1", ""), blobs.get("2", ""), blobs.get("3", ""), path not in odd)
        for path, blobs in found.items()
    }


class UnderWay(NamedTuple):
    """The merge that waits to be finished."""

    name: str
    """`merge`, `rebase`, `cherry-pick`, `revert`, `am`; "" for one that leaves no trace, such as
    `stash pop` or `merge --squash`."""
    ours: str
    """The commit whose content stage 2 is: HEAD."""
    theirs: str
    """The commit that is being brought in; "" where it is not known."""
    whole: str
    """What `theirs` is part of: of a rebase the branch as it was; else `theirs`."""
    onto: str
    """Of a rebase, the commit that it began on; else `ours`."""
    branch: str
    """Of a rebase, the full name of the branch; "" for none."""


def under_way(repository: Repository) -> UnderWay:
    """Find which merge waits to be finished. Raises: GitError if HEAD is not a commit."""
    folder, head = repository.git_dir, repository.head()

    def has(*names: str) -> bool:
        return os.path.exists(os.path.join(folder, *names))

    def commit(name: str) -> str:
        return repository.objects.resolve([f"{name}^{{commit}}"])[0] or ""

    for state in ("rebase-merge", "rebase-apply"):
        if has(state) and not has(state, "applying"):
            # Also a merge within a rebase; what is brought in then is MERGE_HEAD.
            theirs = commit("MERGE_HEAD") if has("MERGE_HEAD") else commit("REBASE_HEAD")
            whole = commit(_line(folder, state, "orig-head")) or theirs
            onto, branch = _line(folder, state, "onto"), _line(folder, state, "head-name")
            branch = branch if branch.startswith("refs/") else ""
            return UnderWay("rebase", head, theirs, whole, commit(onto) or head, branch)
    if has("rebase-apply"):
        return UnderWay("am", head, "", "", head, "")
    for state, name in (("MERGE_HEAD", "merge"), ("CHERRY_PICK_HEAD", "cherry-pick")):
        if has(state):
            theirs = commit(state)
            return UnderWay(name, head, theirs, theirs, head, "")
    if has("REVERT_HEAD"):
        # Brought in is what there was before the commit.
        theirs = commit("REVERT_HEAD~1")
        return UnderWay("revert", head, theirs, theirs, head, "")
    return UnderWay("", head, "", "", head, "")


def _line(*names: str) -> str:
    try:
        with open(os.path.join(*names), "rb") as file:
            return os.fsdecode(file.readline().rstrip(b"\n"))
    except OSError:
        return ""


# -- the worktree ----------------------------------------------------------------------


def edited(repository: Repository, wanted: Mapping[str, str]) -> set[str]:
    """Find the files with a conflict that were edited after git wrote them, by hand or rerere.

    `wanted` are the files, each with the blob that it may have already, "" for none.

    Git notes what it wrote (AUTO_MERGE, since 2.33). `checkout --merge` writes the conflict
    again, with other names behind its marks: that, too, is git's. Of a file that git left out
    of the worktree, nothing can have been edited.
    """
    top = repository.top or ""
    there = [path for path in wanted if os.path.lexists(os.path.join(top, path))]
    left = [path for path in there if _is_file(os.path.join(top, path))]
    found = {*there} - {*left}
    if not left:
        return found
    written = repository.objects.resolve([f"AUTO_MERGE:{path}" for path in left])
    lines = "".join(f"{path}\n" for path in left if "\n" not in path)
    stdin = lines.encode("utf-8", "surrogateescape")
    # As it would be staged: with the line ends and filters of its attributes.
    out = repository.git.run("hash-object", "--stdin-paths", stdin=stdin)
    now = iter(out.decode().split())
    for path, oid in zip(left, written, strict=True):
        if "\n" in path or next(now) not in (oid, wanted[path]):
            found.add(path)
    return found - _written_again(repository, sorted(found.intersection(left)))


def _is_file(path: str) -> bool:
    return os.path.isfile(path) and not os.path.islink(path)


_MARK = re.compile(rb"(?m)^([<>|]{7,})(?: [^\r\n]*)?(?=\r?$)")


def _written_again(repository: Repository, paths: Sequence[str]) -> set[str]:
    """Which of `paths` are as `git checkout --merge` writes them, but for names at the marks."""
    if not paths:
        return set()
    same = set()
    with scratch_folder() as scratch:
        scratch_index.Scratch(repository, scratch)  # the copy of the index that `merging` uses
        git = merging(repository, scratch, keep=False)
        if git.try_run("--literal-pathspecs", "checkout", "--merge", "--", *paths).status:
            return set()
        for path in paths:
            try:
                with (
                    open(os.path.join(scratch, path), "rb") as one,
                    open(os.path.join(repository.top or "", path), "rb") as other,
                ):
                    if _MARK.sub(rb"\1", one.read()) == _MARK.sub(rb"\1", other.read()):
                        same.add(path)
            except OSError:
                continue
    return same


def smudged(repository: Repository, contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return contents as git would write them into the worktree, by path: line ends, filters.

    The blobs are stored, as they will be by staging them.
    """
    found = {}
    for path, data in contents.items():
        oid = repository.objects.write_blob(data)
        found[path] = repository.git.run("cat-file", "--filters", f"--path={path}", oid)
    return found


def entries(repository: Repository) -> dict[str, str]:
    """Return path and blob of all that is in the index without a conflict."""
    out = repository.git.run("ls-files", "--stage", "-z", "--full-name", "--", ":/")
    return {path: oid for mode, oid, stage, path in staged(out) if stage == "0" and mode in _PLAIN}


def is_as_head(repository: Repository) -> bool:
    """Whether a commit of the index would change nothing."""
    return not repository.git.try_run("diff-index", "--cached", "--quiet", "HEAD", "--").status
