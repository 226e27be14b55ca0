"""Decide whether a completion was verified, for exactly the content that is there now.

Anybody can write `status: complete` into a task, and commit more after a real completion. So
nothing is believed that the records do not prove: the audit says that the task was completed,
and evidence of each command that the base asks for is bound to exactly the files of the commit.
What runs no command (scope, outputs, that something was changed) is simply judged again. No note
has to survive a crash for this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ralphgit.app.active_claims import own_claims
from ralphgit.app.evidence import (
    attempt_events,
    changed_paths,
    completion_proof,
    judged_evidence,
    reviews,
    task_scope,
)
from ralphgit.app.gate import branch
from ralphgit.app.gate.problem import Problem, not_landable
from ralphgit.app.workspace import record_tree
from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused
from ralphgit.git import trees
from ralphgit.git.merge_preview import merge_base
from ralphgit.model.active_claim import Lease
from ralphgit.model.evidence import COMMAND
from ralphgit.model.review import Review
from ralphgit.model.task import Task
from ralphgit.model.task_row import Row
from ralphgit.model.task_status import Mode, Status
from ralphgit.records import audit_file
from ralphgit.records.schemas import FILED, is_archive
from ralphgit.rules import branch_changes, evidence_verdict
from ralphgit.rules.contract_digest import keeps

_FORCED = "force-completed"
#: What others say of it: a conflict is not the branch's fault, and reviews are asked for apart.
_NOT_OURS = ("merge_conflict", "claim_lost", "review_missing")


def require(
    project: Project, lease: Lease, head: str, *, seen: bool = False, since: str = ""
) -> None:
    """Refuse to land `head` if its completion was not verified, or if it changes other records.

    `seen`: a person looks at it before it lands, and may agree to a changed plan. `since`: the
    commit that the work stands on, where that is not the base.

    Raises: GuardRefused (unverified, not_landable).
    """
    if own_claims.end_of(project.base_view, lease):
        return
    if missing := unverified_reasons(project, lease, head):
        raise GuardRefused(
            f"HEAD does not have {lease.task} as it was verified; nothing was landed",
            code="unverified",
            hint=f"ralphgit complete {lease.task}",
            details={"task": lease.task, "missing": missing},
            lines=[f"- {sentence}" for sentence in missing],
        )
    if problems := out_of_task_changes(project, lease, head, seen=seen, since=since):
        # Where each has been completed below this one, `land` judges all of them and lands them.
        both = all(_completes(project, head, one.task) for one in problems)
        raise not_landable(
            problems, f"the branch of {lease.task} changes records of other tasks",
            "ralphgit land" if both else "ralphgit diff", task=lease.task,
        )  # fmt: skip


def unverified_reasons(project: Project, lease: Lease, head: str) -> list[str]:
    """List why the completion on commit `head`, which is HEAD, does not count; none if it does."""
    view = project.view(head, head[:12])
    if own_claims.end_of(view, lease) is not Status.COMPLETE:
        return [f"{lease.task} is not complete under claim {lease.claim}"]
    events = [one.event for one in attempt_events.at(project, head, lease.task, lease.claim)]
    if events[-1:] not in (["completed"], [_FORCED]):
        return [f"the audit of {lease.task} does not say that it was completed"]
    here, task = view.by_id[lease.task], view.task(lease.task)
    promised = judged_evidence.as_promised(project, task)
    begun = _as_claimed(project, here)
    as_begun = begun is not None and keeps(begun, here.contract)
    if as_begun and not keeps(promised, here.contract, task.title):
        label = project.base.label
        return [f"what {here.id} promises has changed on {label} since it was claimed"]
    # What the base has changed and the claim has accepted comes to the branch by the merge.
    accepted = begun is not None and not as_begun and keeps(promised, here.contract)
    if not accepted and not keeps(task, here.contract):
        return [f"what {here.id} promises has changed on this branch since it was completed"]
    forced = events[-1] == _FORCED
    found = list(_unproven(project, lease, promised.verify, head, forced=forced))
    asked = project.config.verify_required or (promised.mode == Mode.VERIFY and not forced)
    if asked and not completion_proof.of_commit(project, task.id, head).is_verified:
        found.append(f"{task.id} is unverified: {evidence_verdict.NOTHING}")
    if forced:
        return found
    # What the whole branch has changed mostly decides; what the task has, takes longer to find.
    _, changes = _since_base(project, head)
    paths = [one.path for one in changes if not record_tree.is_record(project, one.path)]
    if not promised.verify or task_scope.faults(promised, paths):
        found += task_scope.faults(promised, changed_paths.of_task(project, lease, head))
    if found or not promised.verify:
        found += changed_paths.missing_outputs(project, head, promised.outputs)
    return found


def _as_claimed(project: Project, here: Row) -> Task | None:
    """Return the task as the commit has it that the claim was made from; None if it does not."""
    named = f"{here.base}^{{commit}}"
    commit = project.repository.objects.resolve([named])[0] if here.base else None
    before = project.view(commit, here.base) if commit else None
    return before.task(here.id) if before is not None and here.id in before.by_id else None


def _since_base(project: Project, head: str, since: str = "") -> tuple[str, list[trees.PathChange]]:
    """Find where a commit left the base ("" if nowhere), or `since`, and what it has changed."""
    fork = since or merge_base(project.repository, project.base.commit, head)
    return fork, trees.changes(project.repository.objects, fork, head) if fork else []


def _unproven(
    project: Project, lease: Lease, commands: tuple[str, ...], head: str, *, forced: bool
) -> Iterator[str]:
    """Find the commands without passing evidence of the files of `head`.

    Of a forced completion none has to have passed; but where some ran, it was on these files.
    """
    tree = record_tree.commit_tree(project, head, f"{head[:12]}:")
    records = judged_evidence.recorded(project, tree, [lease.task]).get(lease.task, {}).values()
    runs = [one for one in records if one.kind == COMMAND and one.claim == lease.claim]
    judged = {one.subject.tree for one in runs if one.subject is not None}
    same = {tree for tree in judged if _same_files(project, tree, head)}
    if forced:
        if judged and not same:
            yield "files have changed since it was completed"
        return
    for command in commands:
        digest = judged_evidence.digest_of(command)
        mine_ = [one for one in runs if one.command_digest == digest and one.exit_code == 0]
        if not mine_:
            yield f"no evidence shows that this passed: {command}"
        elif not any(one.subject is not None and one.subject.tree in same for one in mine_):
            yield f"files have changed since this passed: {command}"


def _same_files(project: Project, tree: str, head: str) -> bool:
    """Whether two trees differ in records only; False if one no longer exists here."""
    if project.repository.objects.resolve([f"{tree}^{{tree}}"])[0] is None:
        return False
    differing = trees.differing(project.repository.objects, tree, head)
    return all(record_tree.is_record(project, path) for path in differing)


def out_of_task_changes(
    project: Project, lease: Lease, head: str, *, seen: bool = False, since: str = ""
) -> list[Problem]:
    """Find what a branch does to other tasks than moving its own, and to append-only records.

    It is judged since it left the base, or `since` a commit.

    A claim or an end of another task is none of its business, however well it is proved: who
    lands the branch has not verified it. For the rest `check --base` is run, if the branch has
    touched any of them.
    """
    fork, changes = _since_base(project, head, since)
    if not fork:
        return []
    there, start = project.view(head, head[:12]), project.view(fork, fork[:12])
    rows, began = there.unlike(start), start.by_id
    then = start.rows if rows is there.rows else [began[row.id] for row in rows]
    moved = [
        row for row in rows
        if row.id != lease.task
        and (began[row.id].stage != row.stage if row.id in began else row.claim)
    ]  # fmt: skip
    if not seen:  # nobody but the agent says that the plan is to be another
        others = (row for row in then if row.id != lease.task)
        known = {row.id for row in moved}
        moved += [
            row for row in others if _promise(there, row.id) != row.json and row.id not in known
        ]
    if moved:
        return [_carried(row) for row in moved]
    paths = [one.path for one in changes]
    if not seen and (carried := carried_records(project, paths, [lease.task])):
        return carried
    new = [one.path for one in changes if not one.old]
    if brought := reviews.of_others(project, head, new, [lease.task]):
        return [carried_review(path, one) for path, one in brought]
    before = {row.id: row.json for row in then}
    after = {row.id: row.json for row in rows}
    touched = {id for id in before.keys() | after.keys() if before.get(id) != after.get(id)}
    own = audit_file.path(project.config.records, lease.task, lease.claim)
    kept = f"{project.config.records}/"
    suspicious = (
        not touched <= {lease.task}
        or branch_changes.change(project.base_view.by_id.get(lease.task), there.by_id[lease.task])
        is not None
        or any(one.old and one.path.startswith(kept) and one.path != own for one in changes)
    )
    if not suspicious:
        return []
    found = branch.incoming(project, project.base.commit, head, whole=False)
    return [one for one in found if one.severity == "error" and one.code not in _NOT_OURS]


def _promise(view: GraphView, task: str) -> str:
    """Return all that a task says; "" if it is gone."""
    return view.by_id[task].json if task in view.by_id else ""


def carried_records(
    project: Project, paths: Iterable[str], tasks: Collection[str]
) -> list[Problem]:
    """Find the records of other tasks that work on `tasks` adds, changes or removes; all that is
    in the archive is of others.
    """
    folder, found = f"{project.config.records}/", []
    for path in (one for one in paths if one.startswith(folder)):
        kind, _, rest = path.removeprefix(folder).partition("/")
        task = rest.partition("/")[0] if kind in FILED else ""
        if is_archive(project.config.records, path) or (task and task not in tasks):
            said = f"a record of {task or 'an archived task'} comes with the work on another task"
            found.append(Problem("carried_claim", file=path, task=task, message=said))
    return found


def carried_review(path: str, one: Review) -> Problem:
    """What is said of a review that comes with the work on another task."""
    said = f"a review of {one.task} comes with the work on another task; its reviewer records it"
    return Problem("carried_claim", file=path, task=one.task, message=said)


def _completes(project: Project, head: str, task: str) -> bool:
    """Whether a task is complete on commit `head` and not on the base."""
    rows = (view.by_id.get(task) for view in (project.view(head, head[:12]), project.base_view))
    here, there = (row is not None and row.status == Status.COMPLETE for row in rows)
    return here and not there


def _carried(row: Row) -> Problem:
    said = f"{row.id} is changed or moved here, and another task is being landed"
    if row.status == Status.COMPLETE:
        said = f"{row.id} is completed here, too, and has not landed"
    return Problem("carried_claim", file=row.file, line=row.line, task=row.id, message=said)
