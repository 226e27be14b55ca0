"""Judge a change that takes back work which has landed: a revert, as a whole or of a part.

A whole one takes back a task's record, the audit and all evidence of its claim, and its work. That
is a change like others, and legal. What takes back only a part is found here, or by those who
look for removed records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ralphgit.app.evidence import changed_paths, landed_work
from ralphgit.app.evidence.landed_work import LandedWork
from ralphgit.app.gate.changed import BranchChange, Span
from ralphgit.app.gate.problem import Problem, place
from ralphgit.app.workspace import graph_view, record_tree
from ralphgit.app.workspace import taken_back as gone_claims
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.git import trees
from ralphgit.model.task_row import Row
from ralphgit.records import audit_file, yaml_reader
from ralphgit.records import input_limits as texts
from ralphgit.records.schemas import FILED
from ralphgit.rules import taken_back
from ralphgit.rules.active_scopes import bad_pattern
from ralphgit.rules.branch_changes import Fault
from ralphgit.rules.pattern_overlap import covers_any


def found(project: Project, span: Span, made: BranchChange) -> dict[str, Row]:
    """Find the tasks whose claim a change takes back whole, as they were: block, audit, evidence.

    Of those, no file that is removed, and no move of the status, is a fault.
    """
    rows = {
        row.id: old for old, row in made.pairs
        if old is not None and taken_back.is_taken_back(old, row)
    }  # fmt: skip
    left = set(made.tree.records)
    whole = {}
    for task, old in rows.items():
        audit = audit_file.path(project.config.records, task, old.claim)
        was = span.objects.resolve([f"{span.old}:{audit}"])[0]
        if was is None or audit in left:
            continue
        evidence = (
            path for other, path in made.tree.filed(f"{project.config.records}/{FILED[0]}")
            if other == task
        )  # fmt: skip
        if not any(claim_of(made.tree.content(path)) == old.claim for path in evidence):
            whole[task] = old
    return whole


def removed_with(project: Project, span: Span, reverted: Mapping[str, Row]) -> set[str]:
    """List the records that go with the claims that a change takes back."""
    folders = {
        f"{project.config.records}/{kind}/{task}/": row.claim
        for task, row in reverted.items()
        for kind in FILED
    }
    gone = trees.differing(span.objects, span.old, span.new, kinds="D") if folders else []
    own = {path: folders.get(f"{path.rpartition('/')[0]}/") for path in gone}
    contents = span.objects.read(f"{span.old}:{path}" for path, claim in own.items() if claim)
    return {
        path for path, claim in own.items()
        if claim and claim_of(contents.get(f"{span.old}:{path}")) == claim
    }  # fmt: skip


def claim_of(data: bytes | None) -> str:
    """The claim that a record names; "" for none, or for one that cannot be read."""
    try:
        value = yaml_reader.load(texts.decode(data or b"", limit=max(len(data or b""), 1)))
    except InvalidRecord:
        return ""
    return str(value.get("claim") or "") if isinstance(value, dict) else ""


def problems(
    project: Project, span: Span, made: BranchChange, reverted: Mapping[str, Row]
) -> Iterator[Problem]:
    """Find work that stays where its records are taken back, and the reverse."""
    changes = [
        one for one in trees.changes(span.objects, span.old, span.new)
        if not record_tree.is_record(project, one.path)
    ]  # fmt: skip
    changed = {one.path for one in changes}
    taken = {row.claim: row for row in reverted.values()}
    for claim, work in landed_work.of(project, span.old, [*taken.values()]).items():
        left = _unchanged(span, work, changed)
        fault = taken_back.work_left(taken[claim].id, work.paths, left)
        if fault is not None:
            yield place(made.tree, fault, made.after)
    there = {one.path for one in changes if one.old}
    if not there:
        return
    kept = {row.claim: row for row in made.after.values() if _may_be_undone(made, row, there)}
    found = landed_work.of(project, span.old, [*kept.values()], touching=there)
    for claim, work in found.items():
        fault = taken_back.work_undone(kept[claim], work.paths, _undone(span, work, changed))
        if fault is not None:
            yield place(made.tree, fault, made.after)


def returned(project: Project, span: Span, made: BranchChange) -> Iterator[Problem]:
    """Find claims that a change brings and that the base took back before (law L12)."""
    before, label = made.before, project.base.label
    rows = [
        row for row in made.moved
        if row.claim and (row.id not in before or before[row.id].claim != row.claim)
    ]  # fmt: skip
    for claim, taken in gone_claims.on(project, span.old, rows).items():
        row = next(row for row in rows if row.claim == claim)
        said = f"claim {claim} of {row.by} on {row.id} comes back: {taken.sentence(label)}"
        hint = f"take its commits out of the branch, and claim {row.id} to do it again"
        fault = Fault("taken_back", row.id, said, hint)
        if gone_claims.is_meant(project, taken, span.head):
            fault = Fault("brought_back", row.id, said, "", "warning")
        yield place(made.tree, fault, made.after)


def _may_be_undone(made: BranchChange, row: Row, changed: set[str]) -> bool:
    """Whether a task stays complete, and the change touches what it may have made."""
    old = made.before.get(row.id)
    if row.status != "complete" or not row.claim or old is None or old.stage != row.stage:
        return False
    if bad_pattern(row) is not None:
        return False
    if row.write:
        return any(covers_any(row.write, path) for path in changed)
    outputs = graph_view.stored(row).get("outputs") or ()
    return any(changed_paths.is_output(one, path) for one in outputs for path in changed)


def _ids(span: Span, commit: str, work: LandedWork) -> list[str | None]:
    return span.objects.resolve([f"{commit}:{path}" for path in work.paths])


def _unchanged(span: Span, work: LandedWork, changed: set[str]) -> list[str]:
    """The files of a work that the change leaves, and that are still not as they were before it."""
    before, now = _ids(span, work.before, work), _ids(span, span.old, work)
    return [
        path for path, then, there in zip(work.paths, before, now, strict=True)
        if path not in changed and then != there
    ]  # fmt: skip


def _undone(span: Span, work: LandedWork, changed: set[str]) -> list[str]:
    """The files of a work that are as they were before it; none if the change made none so."""
    before, now = _ids(span, work.before, work), _ids(span, span.new, work)
    undone = [path for path, *ids in zip(work.paths, before, now, strict=True) if ids[0] == ids[1]]
    return undone if changed & set(undone) else []
