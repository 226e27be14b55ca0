"""Keep work under `refs/ralph/rescue/` before it is taken out of a worktree or a branch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from ralphgit.app.active_claims.other_bases import has_remote_leases
from ralphgit.app.base import interrupted_update
from ralphgit.app.evidence import seen_here_alone
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RemoteUnavailable
from ralphgit.git import index, refs, remote, scratch_index, trees, worktrees
from ralphgit.git.commit_objects import commit_tree
from ralphgit.git.objects import scratch_folder
from ralphgit.git.repository import Repository
from ralphgit.model.active_claim import RESCUE, ActiveClaim, Lease
from ralphgit.records.redact_secrets import words_of_message


class Rescued(NamedTuple):
    ref: str
    """"" where there was nothing to keep."""
    uncommitted: bool
    made: str = ""
    """The commit that was made for it just now; "" where none was."""


def worktree(
    project: Project,
    path: str,
    task: str,
    claim: str,
    by: str,
    *,
    message: str = "",
    target: str = "",
) -> Rescued:
    """Keep all that the worktree at `path` has and the base has not.

    Uncommitted changes and new files become one commit on top of its HEAD; what was staged and
    is neither there nor in HEAD is a second parent of it, as `git stash` does. The worktree,
    its index and its branch stay as they are.

    Ignored files are not in it, but for those that going to `target`, a commit, would
    overwrite. Of a repository within the worktree its files are. Where nothing is overwritten,
    files that may not be read are left out, with a warning.

    `message` is the commit's, where it is not about a claim that is given up.
    """
    repository = _opened(project, path)
    objects = repository.objects
    head = refs.current(objects, repository.head_name)
    seen_here_alone.passed_over(repository, head, new=False)
    with scratch_folder() as scratch:
        copy = scratch_index.Scratch(repository, scratch)
        nested = copy.add_all(lenient=not target)
        tree = copy.tree()
        if links := trees.new_links(objects, project.base.commit or head, tree):
            known = scratch_index.submodules(repository.git)
            own = [link for link in links if link not in known]
            copy.remove(own)
            nested = [*nested, *own]
        inside = _inside(project, repository.top or "", copy, nested)
        if copy.unread:
            project.warn(f"not kept, since it may not be read: {copy.unread}")
        if target:
            kept = {*trees.paths(objects, tree), *inside}
            inside += in_the_way(repository, target, kept)
        copy.add_files(inside)
        if links or inside:
            tree = copy.tree()
        staged = _staged_alone(repository, scratch, head, tree)
    if not staged and head and tree == trees.tree_id(objects, head):
        return commit(project, head, task, claim)
    message = message or (
        f"Rescue of {task}, claim {claim} by {by}\n\n"
        f"What was not committed in {path} when the claim was given up.\n\n"
        f"Ralph-Task: {task}\nRalph-Claim: {claim}\n"
    )
    parents = [head]
    if staged:
        said = f"What was staged for {task}, claim {claim} by {by}\n"
        parents.append(commit_tree(repository, staged, [head], said, set_aside=True))
    made = commit_tree(repository, tree, parents, words_of_message(message), set_aside=True)
    return _keep(project, made, task, claim, uncommitted=True)._replace(made=made)


def _opened(project: Project, path: str) -> Repository:
    """The repository as the worktree at `path` sees it. Raises: NotARepository."""
    real = os.path.realpath(path)
    for one in project.repository.worktrees:
        if os.path.realpath(one.path) == real:
            return project.repository.beside(one)
    return Repository.open(path, project.around.environ)


def in_the_way(repository: Repository, target: str, kept: Set[str]) -> list[str]:
    """Files of the worktree that going to `target` would overwrite and that are not in `kept`.

    Also those in a folder where `target` has a file, and a file where it has a folder.
    """
    top = repository.top or ""
    found: dict[str, None] = {}
    real: dict[str, str] = {"": ""}
    wanted: dict[str, str] = {}
    for path, entry in trees.files(repository.objects, target):
        if entry.is_submodule:
            continue  # a submodule's folder is left alone
        if blocking := _blocking(top, os.path.dirname(path), real):
            found[blocking] = None
        else:
            wanted[path] = entry.oid
            found.update(dict.fromkeys(_files(top, path)))
    lost = [path for path in found if path not in kept]
    return [path for path in lost if not _is_file_of(repository, path, wanted.get(path, ""))]


def _is_file_of(repository: Repository, path: str, oid: str) -> bool:
    """Whether a file has the content of a blob already."""
    full = os.path.join(repository.top or "", path)
    return not os.path.islink(full) and repository.objects.file_id(full) == oid


def _blocking(top: str, folder: str, known: dict[str, str]) -> str:
    """What is in the place of `folder` or one above it, and is not a folder; "" if nothing."""
    if folder not in known:
        full = os.path.join(top, folder)
        above = _blocking(top, os.path.dirname(folder), known)
        stands = os.path.lexists(full) and (os.path.islink(full) or not os.path.isdir(full))
        known[folder] = above or (folder if stands else "")
    return known[folder]


def _files(top: str, path: str) -> Iterator[str]:
    """A file or link, or all of them in a folder; nothing of a `.git`."""
    full = os.path.join(top, path)
    if os.path.islink(full) or os.path.isfile(full):
        yield path
    elif os.path.isdir(full):
        for entry in sorted(os.scandir(full), key=lambda one: one.name):
            if entry.name != ".git":
                yield from _files(top, f"{path}/{entry.name}")


def _inside(
    project: Project, top: str, copy: scratch_index.Scratch, nested: Sequence[str]
) -> list[str]:
    """The files of repositories within the worktree, but what is ignored."""
    names = [name for folder in nested for name in _files(top, folder)]
    if not names:
        return []
    ignored = copy.ignored(names)
    names = [name for name in names if name not in ignored]
    unread = [name for name in names if not _readable(os.path.join(top, name))]
    if unread:
        project.warn(f"not kept, since it may not be read: {', '.join(unread)}")
    return [name for name in names if name not in unread]


def _readable(path: str) -> bool:
    return os.path.islink(path) or os.access(path, os.R_OK)


def _staged_alone(repository: Repository, scratch: str, head: str, tree: str) -> str:
    """The index as a tree, if it has content that neither `head` nor `tree` has; else ""."""
    if not head:
        return ""
    objects = repository.objects
    found = index.staged_changes(repository.git, head)
    if found is not None:
        kept = {one.path: (one.new_mode, one.new) for one in trees.changes(objects, head, tree)}
        if all(not one.new or kept.get(one.path) == (one.new_mode, one.new) for one in found):
            return ""
    folder = os.path.join(scratch, "staged")
    os.mkdir(folder)
    copy = scratch_index.Scratch(repository, folder)
    copy.add_files(index.unmerged(repository).read())
    staged = copy.tree()
    new = set(trees.differing(objects, head, staged, kinds="AMT"))
    return staged if new & set(trees.differing(objects, staged, tree)) else ""


def commit(project: Project, oid: str, task: str, claim: str) -> Rescued:
    """Keep a commit, unless the base has it already."""
    git = project.repository.git
    if not oid or worktrees.is_ancestor(git, oid, project.base.commit):
        return Rescued("", False)
    return _keep(project, oid, task, claim, uncommitted=False)


def sighted(project: Project, one: ActiveClaim) -> str:
    """Keep what a branch of this repository, or a worktree, has of a claim; the ref, "" if none."""
    if one.kind == "branch" and one.ref.startswith("refs/heads/"):
        return commit(project, project.repository.refs[one.ref].oid, one.task, one.claim).ref
    here = os.path.realpath(project.top)  # what was here is kept before it goes to the base
    if one.kind == "worktree" and os.path.isdir(one.path) and os.path.realpath(one.path) != here:
        return worktree(project, one.path, one.task, one.claim, one.by).ref
    return ""


def _keep(project: Project, oid: str, task: str, claim: str, *, uncommitted: bool) -> Rescued:
    """Point a rescue ref at `oid`; a second rescue of one claim gets a number."""
    git = project.repository.git
    number = 1
    while True:
        ref = f"{RESCUE}{task}/{claim}" + (f"-{number}" if number > 1 else "")
        if refs.swap(git, ref, new=oid, old=""):
            project.moved(ref, oid)
            share(project, ref, oid)
            return Rescued(ref, uncommitted)
        known = refs.current(project.repository.objects, ref)
        if known == oid or _same_content(project, known, oid):
            return Rescued(ref, uncommitted)
        number += 1


def share(project: Project, ref: str, new: str, *, old: str = "") -> None:
    """Set a rescue ref on the remote, too, where leases are there: another machine may go on.

    What the remote does not take stays here alone, with a warning.
    """
    where = project.base.remote
    if not has_remote_leases(project):
        return
    git, timeout = project.repository.git, project.config.push_timeout
    try:
        if not remote.push(git, where, new, ref, old=old, timeout=timeout, hooks=bool(new)) and new:
            project.warn(f"{where} has another {ref}; this one is on this machine only")
    except (RemoteUnavailable, remote.PushRefused) as error:
        if new:
            project.warn(f"{error.message}; {ref} is on this machine only")


def _same_content(project: Project, one: str, other: str) -> bool:
    """Whether two rescue commits keep the same content."""
    parts = ("^{tree}", "^2^{tree}")
    found = project.repository.objects.resolve([f"{oid}{part}" for oid in (one, other)
                                                for part in parts])  # fmt: skip
    return found[:2] == found[2:]


# -- taking out what is kept ------------------------------------------------------------


def clear(project: Project, mine: Lease, kept: str) -> str:
    """Take the work of a claim out of branch and worktree; `kept` is the ref that has it.

    Ignored files that would be overwritten are kept too, if `kept` has them not: then in a
    rescue ref of its own, with a warning. Repositories within the worktree stay.

    Returns the commit at which the branch is then.
    """
    back = return_point(project, mine)
    repository = project.repository
    known = set(trees.paths(repository.objects, kept)) if kept else set()
    known.update(index.tracked(repository.git, ["."]))
    if lost := in_the_way(repository, back, known):
        again = worktree(project, project.top, mine.task, mine.claim, mine.by, target=back)
        kept = again.ref or kept
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        project.warn(f"ignored, and on {back[:12]} too, so kept in {kept}: {lost[0]}{more}")
    repository.git.run("reset", "--hard", "--quiet", back)
    remove_kept(project, kept)
    return back


def remove_kept(project: Project, ref: str) -> None:
    """Remove new files that the rescue commit holds, so that the next task begins clean.

    What cannot be removed stays, with a warning.
    """
    if not ref:
        return
    names = index.untracked(project.repository.git, ["."])
    for folder in [name for name in names if name.endswith("/")]:
        project.warn(f"{folder} is a repository of its own; it was left in place")
    names = [name for name in names if not name.endswith("/")]
    found = project.repository.objects.resolve([f"{ref}:{name}" for name in names])
    for name, oid in zip(names, found, strict=True):
        if oid is None:
            continue
        path = os.path.join(project.top, name)
        try:
            os.unlink(path)
        except OSError as error:
            project.warn(f"{name} is kept in {ref}, and cannot be removed: {error.strerror}")
            continue
        interrupted_update.remove_empty(
            os.path.dirname(path), spare=(project.top, project.around.directory)
        )


def return_point(project: Project, mine: Lease) -> str:
    """Where the branch goes: the base, unless it holds earlier work that has not landed."""
    git = project.repository.git
    start = mine.start
    if not start or not worktrees.is_ancestor(git, start, "HEAD"):
        return project.base.commit
    # What was the base when the claim was made is nobody's work, also where it was rewritten since.
    known = project.repository.objects.resolve([f"{mine.base}^{{commit}}"])[0] if mine.base else ""
    places = dict.fromkeys((project.base.commit, known or project.base.commit))
    landed = any(worktrees.is_ancestor(git, start, place) for place in places)
    return project.base.commit if landed else start
