"""Decide whether a branch's work is on the base: by content and records, not by ancestry.

A squash or rebase merge leaves the branch's commits outside the base's history for ever. A
branch has landed when one of these holds, in this order:

1. `merged`: its tip is in the base's history.
2. `content`: merging it into the base as it is now would change nothing.
3. `records`: every task that the branch has changed stands on the base exactly as on the branch
   (status, claim, epoch and the id of its result), and merging the branch into the commit of the
   base that brought those records would have changed nothing. So work that has landed and was
   changed again on the base counts.

Files of an attempt's records to which the base has only appended count as unchanged. A branch
whose commits cancel each other out has not landed, unless by 1: nobody has seen them.
"""

from __future__ import annotations

from collections.abc import Iterator

from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.git import merge_preview, trees, worktrees
from ralphgit.model.task_row import Row
from ralphgit.records import audit_file

MERGED, CONTENT, RECORDS = "merged", "content", "records"
_MOST_COMMITS = 50


def landed(project: Project, head: str) -> str:
    """How the commit `head` has landed on the base, "" if it has not. Writes nothing.

    Raises: GitError, GuardRefused (no_commit).
    """
    git, objects = project.repository.git, project.repository.objects
    base = project.require_base().commit
    if not head:
        return MERGED
    fork = worktrees.fork(git, base, head)
    if fork == head:
        return MERGED
    if not fork or trees.tree_id(objects, fork) == trees.tree_id(objects, head):
        return ""
    if not _adds(project, base, head):
        return CONTENT
    if any(not _adds(project, commit, head) for commit in _arrivals(project, fork, head)):
        return RECORDS
    return ""


def has_records(project: Project, head: str) -> bool:
    """Whether the base has every file of an attempt's records as `head` left it, with more at its
    end at most, whatever became of the tasks since; False where `head` changed no such file.
    """
    base, objects = project.require_base().commit, project.repository.objects
    fork = merge_preview.merge_base_told(project.repository, base, head)
    records = f"{project.config.records}/"
    changed = trees.differing(objects, fork, head) if fork else []
    paths = [path for path in changed if path.startswith(records)]
    if not paths:
        return False
    gone = objects.resolve([f"{head}:{path}" for path in paths])
    there = objects.resolve([f"{base}:{path}" for path in paths])
    return all(
        base_has is None if oid is None else _appended_to(project, path, base, head)
        for path, oid, base_has in zip(paths, gone, there, strict=True)
    )


def _adds(project: Project, commit: str, head: str) -> bool:
    """Whether merging `head` into `commit` would change anything."""
    with merge_preview.merged(project.repository, commit, head) as merged:
        if not merged.related or not merged.tree:
            return True
        changed = trees.differing(merged.objects, commit, merged.tree)
    changed = list(dict.fromkeys([*changed, *merged.conflicts]))
    records = f"{project.config.records}/"
    if any(path not in merged.conflicts or not path.startswith(records) for path in changed):
        return True
    return not all(_appended_to(project, path, commit, head) for path in changed)


def _appended_to(project: Project, path: str, commit: str, head: str) -> bool:
    """Whether `commit` has a file as `head` has it, with more at its end at most."""
    objects = project.repository.objects
    there, here = objects.resolve([f"{commit}:{path}", f"{head}:{path}"])
    if there is None or here is None:
        return False
    contents = objects.read([there, here])
    return contents[there].startswith(contents[here])


def _arrivals(project: Project, fork: str, head: str) -> Iterator[str]:
    """The commits of the base that brought what the branch says of its tasks, newest first.

    None if a task stands otherwise on the base.
    """
    try:
        before = project.view(fork, fork[:12]).by_id
        after = project.view(head, head[:12]).rows
        now = project.base_view.known
    except InvalidRecord:
        return
    mine = [row for row in after if state(before.get(row.id)) != state(row)]
    if not mine or any(state(now(row.id)) != state(row) for row in mine):
        return
    paths = [
        audit_file.path(project.config.records, row.id, row.claim) for row in mine if row.claim
    ]
    if paths:
        git, base = project.repository.git, project.base.commit
        yield from worktrees.touching(git, fork, base, paths, most=_MOST_COMMITS)


def state(row: Row | None) -> tuple[str, str, int, str]:
    """What a task stands at, for a comparison of branches: no row is pending."""
    return (row.status, row.claim, row.epoch, row.mark) if row else ("pending", "", 0, "")
