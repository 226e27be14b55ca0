"""Land what a branch does to the records alone: added and edited tasks, blocks and releases."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.base import is_landed, update_base
from ralphgit.app.base.fetch import synchronise
from ralphgit.app.base.records_in_review import Change, InReview
from ralphgit.app.forge import change_base, open_pull_request, pull_of_records
from ralphgit.app.gate import landing_gate
from ralphgit.app.gate.problem import not_landable
from ralphgit.app.landing import base_step, land_way
from ralphgit.app.landing import land as land_work
from ralphgit.app.lifecycle import rescued_work
from ralphgit.app.workspace import commit_message, plan_changes, record_tree, revisions
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.locks import WorktreeLock
from ralphgit.app.workspace.project import Project
from ralphgit.errors import ClaimHeld, GuardRefused, RalphError, Refused
from ralphgit.git import merge_preview, trees
from ralphgit.git.commit_objects import commit_files, commit_tree
from ralphgit.git.merge_preview import merge_base
from ralphgit.model.active_claim import Lease
from ralphgit.model.task_row import Row
from ralphgit.records import schemas

_GIVEN_BACK = "given back"
_ENDED = ("blocked", _GIVEN_BACK)
_EDITED, _ARCHIVED = "edited", "archived"


class RecordChange(NamedTuple):
    """What a branch does to one task's record."""

    task: str
    word: str
    """added, edited, archived, restored, blocked, cancelled or given back; evidence, audit or
    guidance where the branch has nothing but such records of it."""

    def __str__(self) -> str:
        return f"{self.task} {self.word}"


class RecordsLanded(NamedTuple):
    commit: str
    """The base as it is now."""
    pushed: bool
    told: tuple[RecordChange, ...]
    """What landed."""
    whole: bool
    """Whether the branch has nothing else: no half-done work stays on it."""


class RecordsInReview(NamedTuple):
    pull: InReview
    told: tuple[RecordChange, ...]
    """What the pull request brings."""
    whole: bool
    """As of `RecordsLanded`."""


class _Records(NamedTuple):
    head: str
    """A commit that changes records alone."""
    told: tuple[RecordChange, ...]
    whole: bool


def changes(project: Project, branch: str) -> tuple[RecordChange, ...]:
    """What a branch does to the records, if that is all that can land of it; () if it is not.

    Half-done work on a task that was blocked or given back there stays on the branch. Work on a
    task that is complete or still worked on lands otherwise. Raises: GuardRefused (no_commit);
    UsageError (bad_revision).
    """
    project.require_base()
    found = _told(project, revisions.commit_of(project, branch))
    return found[0] if found is not None else ()


def _told(project: Project, commit: str) -> tuple[tuple[RecordChange, ...], str, bool] | None:
    """What lands of `commit`, where it left the base, and whether it has nothing else."""
    fork = merge_base(project.repository, project.require_base().commit, commit)
    if not fork or fork == commit:
        return None
    before = project.view(fork, fork[:12]).by_id
    after = project.view(commit, commit[:12])
    told = [RecordChange(id, _ARCHIVED) for id in _archived(project, commit, before, after)]
    was, ended = project.archive_at(fork), False
    for row in after.rows:
        known = before.get(row.id)
        if was.entry(row.id) is not None:
            told.append(RecordChange(row.id, "restored"))
            continue
        if known is not None and known.json == row.json:
            continue
        word = _word(known, row)
        if word in ("complete", "in-progress"):
            return None
        ended = ended or word in _ENDED
        told.append(RecordChange(row.id, word))
        if word != _EDITED and known is not None and plan_changes.is_edited(known, row):
            told.append(RecordChange(row.id, _EDITED))
    paths = trees.differing(project.repository.objects, fork, commit)
    whole = all(record_tree.is_record(project, path) for path in paths)
    if whole and not told:
        filed = (path.removeprefix(f"{project.config.records}/").split("/") for path in paths)
        about = {(one[1], one[0]) for one in filed if len(one) == 3 and one[0] in schemas.FILED}
        told = [RecordChange(*pair) for pair in sorted(about)]
    return (tuple(told), fork, whole) if told and (whole or ended) else None


def _archived(
    project: Project, commit: str, before: Mapping[str, Row], after: GraphView
) -> list[str]:
    gone = [id for id in before if id not in after.by_id]
    archive = project.archive_at(commit)
    return [id for id in gone if archive.entry(id) is not None]


def _word(before: Row | None, row: Row) -> str:
    if before is not None and before.stage == row.stage:
        return _EDITED
    if row.status == "pending":
        return _GIVEN_BACK if json.loads(row.json).get("reset") else "added"
    return row.status


def ended(project: Project) -> tuple[RecordChange, ...]:
    """List the blocks and releases, and what comes with them, that only this worktree's branch
    has.
    """
    worktree = project.repository.worktree
    if worktree is None or not worktree.branch or worktree.head == project.require_base().commit:
        return ()
    branch = worktree.branch.removeprefix("refs/heads/")
    told = changes(project, branch) if branch != project.base.branch else ()
    if not any(one.word in _ENDED for one in told):
        return ()
    now, here = project.base_view.by_id, project.view(worktree.head, branch).by_id
    states = [(now.get(one.task), here.get(one.task)) for one in told]
    if all(is_landed.state(there) == is_landed.state(own) for there, own in states):
        return ()
    return told


class Shared(NamedTuple):
    """What became of blocks and releases before the next claim."""

    told: tuple[RecordChange, ...] = ()
    url: str | None = None
    """Of the pull request, "" where it is not known; None where they have landed."""
    kept: str = ""
    """The branch with what this worktree had, half-done work too; "" where it has it still."""


def share_ended(project: Project, way: str = "") -> Shared:
    """Land the blocks and releases that this worktree's branch still has, before the next claim.

    A question that no other branch has waits unseen, and what is done after it could not land
    beside its answer. Where work lands by pull request they get one, and stay on a branch of its
    name: this worktree's is free for the next task. Where they cannot land now, that is a warning,
    and so it is where another plan would land with them: nobody has asked for that.
    `way` is as of `land_way.of`.
    """
    worktree, told = project.repository.worktree, ended(project)
    if worktree is None or not told:
        return Shared()
    branch = worktree.branch.removeprefix("refs/heads/")
    if more := _beside(project, worktree.head, told):
        project.warn(
            f"{', '.join(map(str, told))} did not land: {branch} also changes {more}; a person "
            f"lands it: ralphgit land {shlex.quote(branch)}"
        )
        return Shared()
    if fenced := _would_fence(project, worktree.head, told):
        project.warn(f"{', '.join(map(str, told))} did not land: {fenced.message}")
        with WorktreeLock(project):
            land_work.leave(project, fenced.apart, worktree.head)
        project.refresh()
        return Shared(kept=fenced.apart)
    try:
        if land_way.of(project, way) != "pr":
            made = land(project, branch, push=True, fetch=False)
        else:
            made = open_pull(project, branch, fetch=False)
        if isinstance(made, RecordsLanded):
            return Shared(made.told)
        with WorktreeLock(project):
            land_work.leave(project, made.pull.branch, worktree.head)
        project.refresh()
        return Shared(made.told, made.pull.url, made.pull.branch)
    except RalphError as error:
        project.warn(f"{', '.join(map(str, told))} did not land: {error.message}")
        return Shared()


def _beside(project: Project, head: str, told: Sequence[RecordChange]) -> str:
    """What of the plan a branch changes beside the ends of tasks that it brings, and beside what
    it has moved to the archive as it was; "" for nothing.
    """
    archived = [one.task for one in told if one.word == _ARCHIVED]
    if others := dict.fromkeys(one.task for one in told if one.word not in (*_ENDED, _ARCHIVED)):
        return ", ".join(others)
    fork = merge_base(project.repository, project.require_base().commit, head)
    ended = [one.task for one in told if one.word in _ENDED]
    if fork and plan_changes.plans(project, fork, head, *ended, archived=archived):
        return "the graph beside its tasks"
    return ""


class _Fenced(ClaimHeld):
    """A release of a claim that the base never had, while another claim holds the task."""

    def __init__(self, release: Row, lease: Lease) -> None:
        claim = _ended_claim(release)
        self.apart = f"ralph/{release.id}-{claim[:6]}"
        super().__init__(
            f"{lease.by} has {release.id} since, and the release of claim {claim} would end that "
            "claim, too; nothing was landed",
            hint=f"ralphgit show {release.id}",
            details={"task": release.id},
        )


def _would_fence(project: Project, commit: str, told: Sequence[RecordChange]) -> _Fenced | None:
    """Why a branch should not land: the higher epoch that its release brings fences off whoever
    has claimed the task meanwhile, from a base on which it was free all the time.
    """
    released = [one.task for one in told if one.word == _GIVEN_BACK]
    leases = ClaimMap(project).leases if released else {}
    view = project.view(commit, commit[:12]) if leases else None
    for task in released if view else ():
        lease, now = leases.get(task), project.base_view.known(task)
        if lease is None or now is None or view is None:
            continue
        row = view.by_id[task]
        if lease.claim != _ended_claim(row) and now.epoch == lease.epoch < row.epoch:
            return _Fenced(row, lease)
    return None


def _ended_claim(release: Row) -> str:
    return str(json.loads(release.json).get("reset", {}).get("claim", ""))


def land(
    project: Project, branch: str, *, push: bool, fetch: bool
) -> RecordsLanded | RecordsInReview:
    """Bring a branch's records to the base, in one step; where it is not pushed to, open their pull
    request.

    Raises: Refused (conflicts_with_base), ClaimHeld, GuardRefused (not_landable, unsettled,
    dirty_base, base_diverged), RemoteUnavailable; as `open_pull`.
    """
    update_base.refuse_unfit(project)
    with update_base.turn(project):
        return _land(project, branch, push=push, fetch=fetch)


def _land(
    project: Project, branch: str, *, push: bool, fetch: bool
) -> RecordsLanded | RecordsInReview:
    for attempt in range(update_base.ATTEMPTS):
        if fetch or attempt:
            synchronise(project)
        base = project.base.commit
        found = _records(project, revisions.commit_of(project, branch))
        if fenced := _would_fence(project, found.head, found.told):
            raise fenced
        made = _merged(project, base, found, branch)
        _refuse_faulty(project, made, branch)
        told = _change(project, found)
        moved = change_base.advance(project, base, made, told, push=push, lands=True)
        if moved is not None and moved.pull is not None:
            return _in_review(project, branch, moved.pull, found)
        if moved is not None:
            project.refresh()
            rescued_work.clear_landed(project, (one.task for one in found.told))
            return RecordsLanded(made, moved.pushed, found.told, found.whole)
        project.refresh()
    raise GuardRefused(
        f"{project.base.label} was moved by others each time; nothing was landed",
        code="unsettled",
        hint="repeat the command",
    )


def open_pull(project: Project, branch: str, *, fetch: bool) -> RecordsInReview:
    """Push a branch's records as a branch of their own, and open its pull request.

    Done again, it does what is missing and nothing twice.

    Raises: Refused (conflicts_with_base), ClaimHeld, GuardRefused (not_landable); as
    `open_pull_request.publish`.
    """
    open_pull_request.refuse_unfit(project)
    if fetch:
        synchronise(project)
    commit = revisions.commit_of(project, branch)
    found = _records(project, commit)
    if fenced := _would_fence(project, found.head, found.told):
        raise fenced
    _refuse_faulty(project, _merged(project, project.base.commit, found, branch), branch)
    return _in_review(
        project,
        branch,
        pull_of_records.by_pull(project, found.head, _change(project, found)),
        found,
    )


def _in_review(project: Project, branch: str, pull: InReview, found: _Records) -> RecordsInReview:
    """The result; the local base branch does not keep what its remote has not."""
    local = project.repository.refs.get(f"refs/heads/{branch}")
    if branch == project.base.branch and local is not None:
        update_base.put_back_or_warn(project, local.oid)
    return RecordsInReview(pull, found.told, found.whole)


def _change(project: Project, found: _Records) -> Change:
    tasks = tuple(dict.fromkeys(one.task for one in found.told))
    return Change(_subject(project, found.told), tasks, head=found.head)


def _subject(project: Project, told: tuple[RecordChange, ...], usual: str = "") -> str:
    """By `commit.subject`, for people and for a forge that judges subjects."""
    tasks = ", ".join(dict.fromkeys(one.task for one in told))
    words = ", ".join(dict.fromkeys(one.word for one in told))
    usual = usual or f"Records: {', '.join(map(str, told))}"
    return commit_message.subject(project, tasks, words, event="landed", usual=usual)


def _records(project: Project, commit: str) -> _Records:
    found = _told(project, commit)
    if found is None:
        raise GuardRefused(
            f"{commit[:12]} has no records to land", code="unsettled", hint="repeat the command"
        )
    told, fork, whole = found
    if whole:
        return _Records(commit, told, whole)
    objects = project.repository.objects
    paths = [
        path
        for path in trees.differing(objects, fork, commit)
        if record_tree.is_record(project, path)
    ]
    oids = objects.resolve([f"{commit}:{path}" for path in paths])
    blobs = objects.read([oid for oid in oids if oid])
    contents = {path: blobs[oid] if oid else None for path, oid in zip(paths, oids, strict=True)}
    alone = commit_files(project.repository, fork, contents, f"{_subject(project, told)}\n")
    return _Records(alone, told, whole)


def _refuse_faulty(project: Project, made: str, branch: str) -> None:
    if problems := landing_gate.problems(project, made):
        raise not_landable(
            problems, f"{branch} as merged into {project.base.label} does not pass the gate",
            shlex.join(("ralphgit", "check", branch, "--base", project.base.label)),
        )  # fmt: skip


def _merged(project: Project, base: str, found: _Records, branch: str) -> str:
    if base_step.is_own(project, base, found.head, 1):
        return found.head
    with merge_preview.merged(project.repository, base, found.head, keep=True) as made:
        if made.conflicts or not made.related:
            raise Refused(
                f"{branch} conflicts with {project.base.label} in {', '.join(made.conflicts)}; "
                "nothing was landed",
                code="conflicts_with_base",
                hint=f"{project.base.merge_command}; ralphgit resolve",
            )
        tree = made.tree
    what = ", ".join(f"{one.task} ({one.word})" for one in found.told)
    usual = f"Merge {what} into {project.base.branch}"
    message = f"{_subject(project, found.told, usual)}\n\nFrom {branch}.\n"
    parents = [base, found.head] if found.whole else [base]
    return commit_tree(project.repository, tree, parents, message)
