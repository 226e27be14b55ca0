"""Find the claims that the base had and has no longer: reverted, or gone with a rewritten history;
and the commits that went with it.

What is known: every commit of the base's history that removed the audit of a claim; and, in this
clone alone, what the base's ref was at before, as long as git keeps its log. So a fresh clone does
not know of a claim whose landing was purged before: there its old branch counts as work.

Such a claim never lands again and holds nothing (law L12). Asked for claims alone that differ from
the base, and only of what is new of the base since it was asked last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.model.active_claim import TakenBack
from ralphgit.model.task_row import Row
from ralphgit.records.schemas import audit_path

if TYPE_CHECKING:
    from ralphgit.git.path_history import FileChange

#: By claim.
Removed = dict[str, TakenBack]
#: How long the abbreviated id of a commit is at least.
_SHORTEST = 7
_ENDS = ("completed", "force-completed")


def of(project: Project, task: str, claim: str, begun_at: str) -> TakenBack | None:
    """How the base took a claim back which it does not have; None if it never had it.

    `begun_at`: the commit of the base that the claim was made from, "" where it is unknown.
    """
    base = project.base.commit
    if not base or not claim or _is_untouched(project, base, begun_at):
        return None
    objects = project.repository.objects
    path = _path(project, task, claim)
    audit = objects.resolve([f"{base}:{path}"])[0]
    if audit is None:
        taken = known(project).get(claim)
        return taken if taken is not None and not _is_archived(project, task, claim) else None
    # The task does not have the claim, and its audit says that it had: a revert in part.
    from ralphgit.records import audit_file
    from ralphgit.rules.tampering import last_move

    try:
        told = audit_file.events(objects.read([audit])[audit])
    except InvalidRecord:
        return None
    last = last_move(told[2]) if told else None
    return TakenBack(task, claim) if last is not None and last.event in _ENDS else None


def _is_untouched(project: Project, commit: str, begun_at: str) -> bool:
    """Whether a claim was made from this very commit, which no rewriting has brought back."""
    return _is(commit, begun_at) and not commits(project)


def _is_archived(project: Project, task: str, claim: str) -> bool:
    """Whether the audit of a claim has gone from its file into the archive of the base."""
    archive = project.base_archive
    return (
        archive.entry(task) is not None
        and f"audit/{task}/{claim}.yaml" in archive.task(task).records
    )


def on(project: Project, commit: str, rows: Sequence[Row]) -> Removed:
    """Find which claims of `rows` the commit had in its history, and has no longer."""
    asked = [row for row in rows if not _is_untouched(project, commit, row.base)]
    if commit == project.base.commit:
        found = {row.claim: of(project, row.id, row.claim, row.base) for row in asked}
        return {claim: taken for claim, taken in found.items() if taken is not None}
    paths = [_path(project, row.id, row.claim) for row in asked]
    from ralphgit.git import path_history

    git = project.repository.git
    return _gone(path_history.changes(git, [commit], [], paths)) if paths else {}


def is_meant(project: Project, taken: TakenBack, head: str) -> bool:
    """Whether commits of `head` bring a claim back that were made after it was taken back.

    So does a revert of the revert, on purpose. What was there before, and the merge of it, is not.
    """
    if not taken.commit or not head:
        return False
    from ralphgit.git import worktrees

    path = _path(project, taken.task, taken.claim)
    git = project.repository.git
    if not worktrees.is_ancestor(git, taken.commit, head):
        return False
    out = git.run(
        "--literal-pathspecs", "log", "--no-merges", "--ancestry-path", "--full-history",
        "--diff-filter=A", "--no-renames", "--format=%H", f"{taken.commit}..{head}", "--", path,
    )  # fmt: skip
    return bool(out.strip())


def commits(project: Project) -> frozenset[str]:
    """The commits that the base had, and has no longer: a secret was purged, say.

    None in most repositories.
    """
    from ralphgit.git import path_history

    base, repository = project.base, project.repository
    if not base.commit:
        return frozenset()
    key = repr((base.ref, "rewritten"))
    seen, tips = project.cache.kept(key) or (0, ())
    log = path_history.moves(repository, base.ref, seen, base.commit)
    found = path_history.left_behind(repository, base.commit, [*tips, *log.commits])
    gone = path_history.only_in(repository.git, found, base.commit) if found else frozenset()
    if log.size != seen:
        project.cache.keep(key, (log.size, tuple(one for one in found if one in gone)))
    return gone


def has_gone(project: Project, head: str) -> bool:
    """Whether the history of the commit `head` has any of `commits`, if there is a remote: landing
    it would bring them back, whoever made them.

    Without a remote, commits move from one branch to another every day.
    """
    if not head or not project.base.remote or not (gone := commits(project)):
        return False
    from ralphgit.git import path_history

    own = path_history.only_in(project.repository.git, [head], project.base.commit)
    return not gone.isdisjoint(own)


def known(project: Project) -> Removed:
    """Read which claims have gone from the base, by its history and the log of its ref."""
    if project.taken_back is None:
        project.taken_back = _read(project)
    return project.taken_back


def _read(project: Project) -> Removed:
    from ralphgit.git import path_history  # most commands ask nothing of history

    base, repository, cache = project.base, project.repository, project.cache
    folder = f"{project.config.records}/audit"
    key = repr((base.ref, folder))
    old, seen, found = cache.kept(key) or ("", 0, {})
    log = path_history.moves(repository, base.ref, seen, base.commit)
    removed: Removed = {claim: TakenBack(*values) for claim, values in found.items()}
    if (old, seen) == (base.commit, log.size):
        return removed
    but = [old] if old and repository.objects.resolve([f"{old}^{{commit}}"])[0] else []
    if but != [base.commit]:
        changes = path_history.changes(repository.git, [base.commit], but, [folder])
        gone = _gone(changes).items()
        removed.update((claim, one) for claim, one in gone if _was_on_base(project, one))
    lost = path_history.left_behind(repository, base.commit, [*but, *log.commits])
    if lost:
        for one in path_history.changes(repository.git, lost, [base.commit], [folder], "A"):
            task, claim = _of(one)
            removed.setdefault(claim, TakenBack(task, claim, is_rewritten=True))
    cache.keep(key, (base.commit, log.size, {c: tuple(o) for c, o in removed.items()}))
    return removed


def _was_on_base(project: Project, taken: TakenBack) -> bool:
    """Whether the base had a claim that its history removed.

    One that came and went within a branch was never there: a worker had picked up another's
    changes, and left them out in the end. What was done counts all the same, for where somebody
    merged the wrong way round, the base's own line looks like a branch.
    """
    from ralphgit.git import path_history
    from ralphgit.records import audit_file

    path, repository = _path(project, taken.task, taken.claim), project.repository
    if path_history.is_on_line(repository.git, project.base.commit, path):
        return True
    name = f"{taken.commit}^:{path}"
    audit = repository.objects.read([name]).get(name)
    try:
        told = audit_file.events(audit) if audit else None
    except InvalidRecord:
        return True
    return told is not None and any(event.event in _ENDS for event in told[2])


def _path(project: Project, task: str, claim: str) -> str:
    return audit_path(project.config.records, task, claim)


def _is(commit: str, short: str) -> bool:
    """Whether a record names this commit; as it comes from a file, it may be anything."""
    return len(short) >= _SHORTEST and commit.startswith(short)


def _gone(changes: Sequence[FileChange]) -> Removed:
    """The claims that these changes, the newest first, have removed in the end."""
    latest: dict[str, FileChange] = {}
    for one in changes:
        first = latest.get(claim := _of(one)[1])
        # A task that is renamed takes its audit to another folder, in one commit.
        if first is None or (first.commit == one.commit and one.is_added):
            latest[claim] = one
    return {
        claim: TakenBack(_of(one)[0], claim, one.commit, one.by, one.at)
        for claim, one in latest.items()
        if not one.is_added
    }


def _of(one: FileChange) -> tuple[str, str]:
    """Task and claim of an audit file."""
    folder, _, name = one.path.rpartition("/")
    return folder.rpartition("/")[2], name.removesuffix(".yaml")
