"""Take back a task that has landed: its work and its records together, in one commit (SPEC 8)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from ralphgit.app.active_claims import leases
from ralphgit.app.active_claims.claim_map import read_leases
from ralphgit.app.base import update_base
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.base.records_in_review import Change, InReview
from ralphgit.app.evidence import landed_work
from ralphgit.app.evidence.landed_work import LandedWork
from ralphgit.app.forge import change_base
from ralphgit.app.gate import landing_gate, reverts
from ralphgit.app.gate.problem import not_landable
from ralphgit.app.workspace import commit_message, record_tree
from ralphgit.app.workspace.graph_view import stored
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, IllegalMove, Refused, UsageError
from ralphgit.git import merge_preview, refs, trees
from ralphgit.git.commit_objects import commit_tree
from ralphgit.git.objects import scratch_folder
from ralphgit.model.task import Lifecycle
from ralphgit.model.task_row import Row
from ralphgit.records import audit_file, graph_file, splice_task, task_mapping
from ralphgit.records.schemas import FILED

_SHOWN_PATHS = 5


class RevertOptions(NamedTuple):
    task: str
    reason: str = ""
    branch: str = ""
    """Make the commit on a new branch of this name, and leave the base."""
    push: bool = True
    fetch: bool = True


class Reverted(NamedTuple):
    task: str
    claim: str
    by: str
    """The worker whose claim it was."""
    commit: str
    taken_back: tuple[str, ...]
    """The commits that had brought it, the newest first."""
    files: tuple[str, ...]
    """What the commit changes besides records."""
    branch: str
    """Where it is, if not on the base."""
    pushed: bool
    pull: InReview | None = None
    """By which it comes to the base, where that is not pushed to."""


def revert(project: Project, options: RevertOptions) -> Reverted:
    """Take back what a claim has brought to the base; the task can be claimed anew.

    Made in the object store, so that no worktree is touched but the base's own. On any refusal
    nothing is changed.

    Raises: Refused (later_work, not_reversible), IllegalMove (not_claimed), GuardRefused (
    landed_together, not_landable, unsettled, base_diverged, dirty_base), UsageError
    (branch_exists), UnknownTask, RemoteUnavailable (with require_remote), InvalidRecord,
    NotWritable.
    """
    if options.fetch:
        synchronise(project)
    for _ in range(update_base.ATTEMPTS):
        base = project.require_base().commit
        row = project.base_view.row(options.task)
        made, work, files = _commit(project, row, options)
        done = Reverted(row.id, row.claim, row.by, made, work.commits, files, options.branch, False)
        if options.branch:
            return _on_branch(project, done)
        if found := landing_gate.problems(project, made):
            hint = f"ralphgit revert {row.id} --branch NAME leaves it to you"
            raise not_landable(
                found, f"{project.base.label} without {row.id} does not pass the gate",
                hint, task=row.id,
            )  # fmt: skip
        told = Change(f"Take back {row.id}: {row.title}", (row.id,))
        moved = change_base.advance(project, base, made, told, push=options.push)
        if moved is not None and moved.pull is not None:
            return done._replace(commit=moved.pull.commit, pull=moved.pull)
        if moved is not None:
            project.refresh()
            leases.drop_dead(project, read_leases(project), project.base_view)
            return done._replace(pushed=moved.pushed)
        synchronise(project)
        project.refresh()
    raise GuardRefused(
        f"{project.base.label} kept moving; nothing was changed on it",
        code="unsettled", hint="repeat the command",
    )  # fmt: skip


def _on_branch(project: Project, done: Reverted) -> Reverted:
    ref = f"refs/heads/{done.branch}"
    git = project.repository.git
    if git.try_run("check-ref-format", ref).status:
        raise UsageError(f"{done.branch} cannot be the name of a branch", hint="--branch NAME")
    if not refs.swap(git, ref, new=done.commit, old=""):
        raise UsageError(
            f"there is a branch {done.branch} already; nothing was changed",
            code="branch_exists", hint="take another name: --branch NAME",
        )  # fmt: skip
    project.moved(ref, done.commit)
    return done


def _commit(
    project: Project, row: Row, options: RevertOptions
) -> tuple[str, LandedWork, tuple[str, ...]]:
    """Make the commit on top of the base, in the object store alone."""
    base, label = project.base.commit, project.base.label
    work = landed_work.of(project, base, [row]).get(row.claim) if row.claim else None
    if work is None:
        was = "whose records are not in its history" if row.claim else "and has no claim"
        raise IllegalMove(
            f"there is nothing of {row.id} to take back on {label}: it is {row.status}, {was}",
            code="not_claimed", hint=f"ralphgit show {row.id}", details={"task": row.id},
        )  # fmt: skip
    _refuse_together(project, row, work)
    for other in project.base_view.rows:
        if row.id in other.depends_on and other.status == "complete":
            project.warn(f"{other.id}, which depends on {row.id}, is complete and stays so")
    tree = _without(project, row, work)
    tree = trees.with_files(project.repository.objects, tree, _records(project, row, work, tree))
    commits = " and ".join(one[:12] for one in work.commits)
    text = " ".join(options.reason.split())
    subject = commit_message.subject(
        project, row.id, f"take back {row.title}", event="reverted", worker=row.by,
        story=row.story, usual=f"Take back {row.id}: {row.title}",
    )  # fmt: skip
    message = (
        f"{subject}\n\n"
        f"This reverts commit {commits}, with the records of claim {row.claim} ({row.by}).\n"
        + (f"\n{text}\n" if text else "")
    )
    made = commit_tree(project.repository, tree, [base], message)
    changed = trees.differing(project.repository.objects, base, made)
    files = tuple(path for path in changed if not record_tree.is_record(project, path))
    return made, work, files


def _refuse_together(project: Project, row: Row, work: LandedWork) -> None:
    """Refuse where other tasks have landed by the same commits: whose the files are is unknown."""
    # Under whatever id the task had then.
    own = "/" + audit_file.path(project.config.records, row.id, row.claim).rpartition("/")[2]
    folder = f"{project.config.records}/audit/"
    objects = project.repository.objects
    paths = trees.differing(objects, work.before, work.commits[0], kinds="A")
    others = dict.fromkeys(
        path.removeprefix(folder).partition("/")[0]
        for path in paths
        if path.startswith(folder) and not path.endswith(own)
    )
    others.pop(row.id, None)
    if others and len(work.commits) == 1:
        commit = work.commits[0]
        parents = project.repository.git.line("rev-list", "--parents", "-1", commit).split()
        words = f"git revert {'-m 1 ' if len(parents) > 2 else ''}{commit}"
        raise GuardRefused(
            f"{row.id} has landed together with {', '.join(others)}, in {commit[:12]}; nothing was "
            "changed",
            code="landed_together", hint=f"to take back all of them: {words}",
            details={"task": row.id, "related": [*others]},
        )  # fmt: skip


def _without(project: Project, row: Row, work: LandedWork) -> str:
    """The base's tree without the files' part of a work. Raises: Refused (later_work)."""
    repository, tree = project.repository, project.base.commit
    with scratch_folder() as scratch:
        git = merge_preview.merging(repository, scratch, keep=True)
        for commit, parent in work.steps:
            tried = merge_preview.try_replay(repository, git, commit, parent, tree)
            paths = [p for p in tried.conflicts if not record_tree.is_record(project, p)]
            if paths:
                raise _later_work(project, row, commit, paths)
            tree = tried.tree
    if not work.paths:
        project.warn(_work_stays(project, row, work))
    return tree


def _work_stays(project: Project, row: Row, work: LandedWork) -> str:
    """Say that the work is in other commits, with what takes back those that `complete --by` has
    named.
    """
    git, told = project.repository.git, "--format=%(trailers:key=Ralph-Work,valueonly)"
    names = git.run("log", "--no-walk", told, *work.commits).decode("utf-8", "replace").split()
    said = f"no file came with the records of {row.id}: its work is in other commits, and stays"
    if not names or not all(re.fullmatch("[0-9a-f]{40,64}", name) for name in names):
        return said
    parents = git.try_run("rev-list", "--no-walk", "--parents", names[0]).out.split()
    words = ("-m", "1") if len(parents) > 2 else ()
    return f"{said}: {shlex.join(('git', 'revert', *words, *names))}"


def _later_work(project: Project, row: Row, commit: str, paths: Sequence[str]) -> Refused:
    shown = ", ".join(paths[:_SHOWN_PATHS])
    out = project.repository.git.run(
        "--literal-pathspecs", "log", "--first-parent", "--format=%h %an: %s",
        f"{commit}..{project.base.commit}", "--", *paths,
    )  # fmt: skip
    later = [line for line in out.decode("utf-8", "replace").splitlines() if line]
    return Refused(
        f"later work depends on {row.id}, in {shown}; nothing was changed",
        code="later_work",
        hint="take that back first, or do it by hand: docs/recovery.md",
        details={"task": row.id, "paths": list(paths)},
        lines=[f"- {line}" for line in later[:_SHOWN_PATHS]],
    )


def _records(project: Project, row: Row, work: LandedWork, tree: str) -> dict[str, bytes | None]:
    """What records become, by path; None for those that go.

    The block is as before the claim in its lifecycle, and the audit, the evidence and the questions
    of the claim go; all else is as the base has it, whatever else has come with the work.
    """
    objects, base = project.repository.objects, project.base.commit
    found: dict[str, bytes | None] = {}
    restored = [
        path
        for path in trees.differing(objects, base, tree)
        if record_tree.is_record(project, path)
    ]
    kept = objects.read(f"{base}:{path}" for path in restored)
    found.update({path: kept.get(f"{base}:{path}") for path in restored})
    known = record_tree.commit_tree(project, base)
    for kind in FILED:
        for task, path in known.filed(f"{project.config.records}/{kind}"):
            if task == row.id and reverts.claim_of(known.content(path)) == row.claim:
                found[path] = None
    content = project.base_view.content(row.file).encode("utf-8")
    file = graph_file.parse(content, path=row.file, limit=project.config.max_graph_bytes)
    number = next(n for n, one in enumerate(file.tasks) if one["id"] == row.id)
    before = project.view(work.before, work.before[:12]).by_id.get(row.id)
    life = Lifecycle(epoch=row.epoch)
    if before is not None and before.epoch == row.epoch and before.status in ("pending", "blocked"):
        life = task_mapping.lifecycle(stored(before))
    found[row.file] = splice_task.set_lifecycle(file, number, life).encode("utf-8")
    return found
