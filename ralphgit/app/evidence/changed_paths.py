"""Find what a task really changed, and the tree that its evidence is bound to."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from functools import cache

from ralphgit.app.workspace import record_tree, runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.git import index, scratch_index, trees
from ralphgit.git.merge_preview import merge_base
from ralphgit.git.objects import Objects, TreeEntry, scratch_folder
from ralphgit.git.run_git import Git, names
from ralphgit.model.active_claim import Lease
from ralphgit.rules.pattern_overlap import check_pattern, covers

#: So many links one after another lead somewhere; as many as Linux follows.
_MOST_LINKS = 40


def of_task(project: Project, lease: Lease, tree: str) -> list[str]:
    """List the paths that the work under `lease` changed, records left out, sorted.

    Counted are the commits since the claim that the base does not have, and what is not
    committed; a path that ends as it began, or as the base has it, is not a change. Taking
    back what was merged from the base is one.
    """
    git, objects = project.repository.git, project.repository.objects
    start = lease.start if lease.start and _exists(project, lease.start) else ""
    head = project.repository.head()
    fork = _fork(project, head)
    on_base = start and fork == head and _is_on_base_branch(project)

    @cache  # most often HEAD, fork and start are one commit
    def since(commit: str) -> set[str]:
        return set(trees.differing(objects, commit, tree))

    touched = set(since(head))
    if head != start:
        # Where the work was committed on the base branch itself: what came since the claim.
        begin = ["--no-merges", "--first-parent"] if on_base else [f"^{project.base.commit}"]
        touched |= _in_commits(git, head, *begin, *([f"^{start}"] if start else []))
    if fork:
        touched &= since(start if on_base else fork)
    row = project.base_view.known(lease.task) if fork and not on_base else None
    if row is not None and row.claim == lease.claim:
        # What the worker has brought to the base itself under this claim is the task's, too.
        from ralphgit.app.evidence import landed_work

        pushed = landed_work.of(project, fork, [row])
        touched |= {path for work in pushed.values() for path in work.paths}
    if start:
        # As it was at the start: work from before, or the base's that was taken back.
        as_begun = touched - since(start)
        before = _fork(project, start) if as_begun else ""
        touched -= as_begun & set(trees.differing(objects, before, start)) if before else as_begun
    return sorted(path for path in touched if not record_tree.is_record(project, path))


def _is_on_base_branch(project: Project) -> bool:
    """Whether the worktree has the base's branch itself, where each commit of the base since the
    claim is its worker's; elsewhere it may be anybody's that the branch was brought onto.
    """
    worktree = project.repository.worktree
    return worktree is None or worktree.branch in ("", f"refs/heads/{project.base.branch}")


def _in_commits(git: Git, *commits: str) -> set[str]:
    """List the paths that commits change; of a merge, what it has beyond merging.

    Of a merge of more than two, and before git 2.35 of every merge, all that it brings to any side.
    """
    shown = ("--format=", "--name-only", "-z", "--no-renames", "--ignore-submodules=none")
    arguments = ("log", *shown)
    found = git.try_run(*arguments, "--remerge-diff", *commits)
    known, wide = (b"", ()) if found.status else (found.out, ("--min-parents=3",))
    return {*names(known), *names(git.run(*arguments, "-m", *wide, *commits))}


def _exists(project: Project, oid: str) -> bool:
    return project.repository.objects.resolve([f"{oid}^{{commit}}"])[0] is not None


def _fork(project: Project, commit: str) -> str:
    """Find where `commit` left the base; "" if it was never there."""
    if commit == project.base.commit:
        return commit
    return merge_base(project.repository, project.base.commit, commit)


def missing_outputs(project: Project, tree: str, outputs: Sequence[str]) -> list[str]:
    """Say which outputs are not in `tree`, or are empty there, each as a sentence."""
    missing = []
    objects = project.repository.objects
    listing = dict(trees.files(objects, tree)) if outputs else {}
    for output in outputs:
        found = [path for path in listing if is_output(output, path)]
        there = [oid for path in found for oid in _contents(objects, listing, path)]
        if not found:
            missing.append(f"output {output} does not exist, or git ignores it")
        elif not there:
            missing.append(f"output {output} is a link, and what it names is not committed")
        elif not any(objects.sizes(there)):
            missing.append(f"output {output} is empty")
    return missing


def _contents(objects: Objects, listing: Mapping[str, TreeEntry], path: str) -> list[str]:
    """The objects that a path in a tree stands for: of a link those that it leads to in there."""
    for _ in range(_MOST_LINKS):
        parts = path.split("/")
        steps = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
        link = next((one for one in steps if one in listing and listing[one].is_link), None)
        if link is None:
            break
        oid = listing[link].oid
        named = os.fsdecode(objects.read([oid])[oid])
        path = os.path.normpath(os.path.join(link, "..", named, path[len(link) + 1 :]))
    else:
        return []
    inside = "" if path == "." else f"{path}/"
    return [one.oid for name, one in listing.items() if f"{name}/".startswith(inside)]


def is_output(output: str, path: str) -> bool:
    """Whether a task names a file as its output: by its path, its folder, or a pattern."""
    name = output.removeprefix("./").strip("/")
    if path == name or path.startswith(f"{name}/"):
        return True
    return check_pattern(output) is None and covers(output, path)


def tree_to_judge(project: Project, copy: scratch_index.Scratch, outputs: Sequence[str]) -> str:
    """Remove from `copy` what earlier verify commands left unstaged; return the tree of the rest.

    Raises: GuardRefused (nested_repository).
    """
    left = [p for p in runtime_files.left(project.top) if not any(is_output(o, p) for o in outputs)]
    copy.remove(sorted(set(left) - set(index.tracked(project.repository.git, left))))
    tree = copy.tree()
    _refuse_repositories(project, copy, tree)
    return tree


def hidden(project: Project, before: scratch_index.Scratch) -> list[str]:
    """Say which files are not what would be committed, and git was told not to look at them.

    The verify commands see them, so what they judge would not be what is committed.
    """
    paths = index.unwatched(project.repository)
    if not paths:
        return []
    with scratch_folder() as scratch:
        copy = scratch_index.Scratch(project.repository, scratch, like=before)
        return [
            f"{path} is not as it would be committed, and git was told not to look at it "
            "(git update-index --no-assume-unchanged, or --no-skip-worktree)"
            for path in copy.hidden(paths)
        ]


def _refuse_repositories(project: Project, copy: scratch_index.Scratch, tree: str) -> None:
    """Refuse a repository inside the worktree that is not a submodule.

    A commit would have a link to a commit that nobody else has, in place of its files.

    Raises: GuardRefused (nested_repository).
    """
    found = sorted({*copy.nested} - {*runtime_files.left(project.top)})
    links = trees.new_links(project.repository.objects, project.base.commit, tree)
    if links:
        found += sorted({*links} - scratch_index.submodules(project.repository.git))
    if not found:
        return
    many = len(found) > 1
    raise GuardRefused(
        f"{', '.join(found)} {'are separate repositories' if many else 'is a separate repository'}"
        f", not {'submodules' if many else 'a submodule'}: the files in it would not be committed; "
        "nothing was changed",
        code="nested_repository",
        hint=exclude(project, found[0]),
        lines=[f"take it out of the index: git rm --cached {shlex.quote(found[0])}"]
        * (found[0] in links),
        details={"paths": found},
    )


def exclude(project: Project, folder: str) -> str:
    """The command that has git pass over a repository inside this worktree, whatever it is."""
    file = os.path.join(project.repository.common_dir, "info", "exclude")
    return f"echo {shlex.quote(f'/{folder}/')} >> {shlex.quote(file)}"


def after_verification(
    project: Project, before: scratch_index.Scratch, tree: str, outputs: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Find what the verify commands changed of the tree they judged, and which outputs they made.

    What else they made is noted, so that a later completion leaves it out too.
    """
    if not before.is_behind():
        runtime_files.leave(project, [])
        return [], []
    with scratch_folder() as scratch:
        after = scratch_index.Scratch(project.repository, scratch, like=before)
        after.add_all()
        now = after.tree()
    new: set[str] = set()
    changed: list[str] = []
    if now != tree:
        objects = project.repository.objects
        new = set(trees.differing(objects, tree, now, kinds="A"))
        changed = trees.differing(objects, tree, now, kinds="DMT")
    made = {path for path in new if any(is_output(o, path) for o in outputs)}
    own = {*before.nested} - {*runtime_files.left(project.top)}
    left = sorted({*(new - made), *after.nested} - own)
    runtime_files.leave(project, left)
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        project.warn(
            f"left by verify commands, and not committed: {left[0]}{more} "
            "(add it to .gitignore, or git add it)"
        )
    return changed, sorted(made)
