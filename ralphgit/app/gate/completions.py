"""Find tasks that a change completes without proof, or without the review that they ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ralphgit.app.evidence import judged_evidence, reviews
from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.gate.changed import BranchChange
from ralphgit.app.gate.problem import Problem, place
from ralphgit.app.workspace import graph_view
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.errors import InvalidRecord
from ralphgit.model.evidence import COMMAND, Evidence
from ralphgit.model.task import Task
from ralphgit.model.task_row import Row
from ralphgit.records import audit_file, task_mapping
from ralphgit.rules import branch_changes, evidence_verdict, review_verdict
from ralphgit.rules.branch_changes import Fault
from ralphgit.rules.contract_digest import keeps


def unproved(project: Project, made: BranchChange, files: Content) -> list[Problem]:
    """Find completed tasks without passing, fresh evidence for each of their commands.

    `files`: the content after the change.
    """
    ended = made.completed
    ids = [row.id for row in ended]
    known = judged_evidence.recorded(project, made.tree, ids) if ended else {}
    return [
        place(made.tree, fault, made.after)
        for row in ended
        for fault in _faults(
            project, made, row, made.before.get(row.id), known.get(row.id, {}).values(), files
        )
    ]


def _faults(
    project: Project, made: BranchChange, row: Row, old: Row | None, records: Iterable[Evidence],
    files: Content,
) -> Iterator[Fault]:  # fmt: skip
    """Find what is missing to prove that a task is complete; `records` are its evidence."""
    id, task = row.id, _task(row)
    if old is None and not row.claim:
        from ralphgit.records.task_origin import complete_at_birth  # seldom needed

        if named := complete_at_birth(graph_view.stored(row)):
            required = project.config.verify_required
            yield branch_changes.imported(id, named, made.touched, required=required)
            return
    if not row.claim or task.lifecycle.result is None:
        said = f"{id} is complete, but has no claim or no result"
        yield Fault("not_claimed", id, said, f"ralphgit claim {id}")
        return
    if not keeps(task, row.contract):
        said = f"the contract of {id} has changed since it was completed"
        yield Fault("stale_contract", id, said, f"ralphgit complete {id} --accept-contract")
        return
    forced = "force-completed" in events(project, made.tree, row.id, row.claim)
    if forced:
        yield Fault("forced", id, f"{id} was completed by force", "", "warning")
    records = [*records]
    own = [one for one in records if one.kind == COMMAND and one.claim == row.claim]
    passed = [one for one in own if one.exit_code == 0]
    promised = _task(old) if old is not None else task
    wanted = () if forced else promised.verify
    for command in wanted:
        digest = judged_evidence.digest_of(command)
        mine = [one for one in passed if one.command_digest == digest]
        if not mine and (ran := [one.command for one in passed if one.command not in wanted]):
            said = f"{id} is complete by evidence of: {ran[0]}; its command is: {command}"
            yield Fault("other_command", id, said, f"ralphgit complete {id}")
        elif not mine:
            said = f"{id} is complete without evidence for: {command}"
            yield Fault("missing_evidence", id, said, f"ralphgit complete {id}")
        elif not any(judged_evidence.is_fresh(one, task, files) for one in mine):
            said = f"files of {id} have changed since this passed: {command}"
            hint = f"ralphgit evidence verify {id} --rerun"
            yield Fault("stale_evidence", id, said, hint, "warning")
    looked = [one for one in records if one.kind != COMMAND and one.subject is not None]
    for stale in evidence_verdict.judged(
        [(one, judged_evidence.is_fresh(one, task, files)) for one in looked], commands=(),
        claim=row.claim,
    ):  # fmt: skip
        if not (stale.fresh or stale.superseded):
            said = f"files of {id} have changed since somebody saw this: {stale.evidence.shows}"
            hint = evidence_verdict.renewal(id, [stale.evidence])
            yield Fault("stale_evidence", id, said, hint, "warning")
    judged = evidence_verdict.judged(
        [(one, True) for one in records], claim=row.claim,
        commands=judged_evidence.asked(project, promised),
    )  # fmt: skip
    if not wanted and not evidence_verdict.is_verified(task.acceptance, judged):
        said = f"{id} is complete and unverified: {evidence_verdict.NOTHING}"
        severity = "error" if project.config.verify_required else "warning"
        hint = f"ralphgit evidence add {id} --shows TEXT"
        yield Fault("unverified", id, said, hint, severity)


def _task(row: Row) -> Task:
    return task_mapping.task(graph_view.stored(row))


def unreviewed(
    project: Project, made: BranchChange, head: str, base: str, own: bool
) -> list[Problem]:
    """Find completed work that asks for a review, and has none as it is on the branch.

    With `own` one that comes with the work makes it a warning: it may be anybody's.
    """
    found = []
    for row in made.completed:
        old = made.before.get(row.id)
        promised = _task(old) if old is not None else None
        task = _task(row)
        if why := reviews.missing(project, head, task, promised, of_branch=False, base=base):
            brought = own and not reviews.missing(project, head, task, promised, base=base)
            said = f"{row.id} has {review_verdict.asked(task, promised)}, and {why}"
            hint = reviews.command(row.id, head[:12])
            severity = "warning" if brought else "error"
            fault = Fault("review_missing", row.id, said, hint, severity)
            found.append(place(made.tree, fault, made.after))
    return found


def events(project: Project, tree: Tree, task: str, claim: str) -> set[str]:
    """List the events in the audit of a task's claim."""
    path = f"{project.config.records}/audit/{task}/{claim}.yaml"
    try:
        known = audit_file.events(tree.content(path) or b"")
    except InvalidRecord:
        return set()
    return {event.event for event in known[2]} if known else set()
